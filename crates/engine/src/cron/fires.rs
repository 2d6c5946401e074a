//! Coming fires as they are shown, and the rule that put each where it is.

use super::{Cron, local_text};
use jiff::Timestamp;
use jiff::civil::DateTime;
use stella_contract::schedule::PlannedFire;
use stella_contract::time::Micros;

impl Cron {
    /// A fire on the clocks of the zone, with the rule that put it there where a change of the clock did.
    pub(crate) fn planned(&self, at: Micros) -> PlannedFire {
        let Ok(moment) = Timestamp::from_microsecond(at.0) else {
            return PlannedFire { at, local: at.to_string(), abbreviation: "UTC".to_owned(), rule: None };
        };
        let info = self.zone().to_offset_info(moment);
        let local = info.offset().to_datetime(moment);
        PlannedFire {
            at,
            local: format!("{}{}", local_text(local), super::change::said(info.offset())),
            abbreviation: info.abbreviation().to_owned(),
            rule: self.rule_at(moment, local),
        }
    }

    fn rule_at(&self, moment: Timestamp, local: DateTime) -> Option<String> {
        let before = Timestamp::from_microsecond(moment.as_microsecond() - 1).ok()?;
        let left = self.zone().to_offset(before).to_datetime(before);
        // The local time just before is further back than a step: a gap ends here.
        let was_left_out = local.duration_since(left).as_secs() > 1;
        if was_left_out && !self.follows_the_clock() {
            let named = self.next_local(left)?;
            if named < local {
                let named = local_text(named);
                return Some(format!("{named} is left out by the clock; it fires right after the gap"));
            }
        }
        let is_twice = matches!(
            self.zone().to_ambiguous_timestamp(local).offset(),
            jiff::tz::AmbiguousOffset::Fold { .. }
        );
        match (is_twice, self.follows_the_clock()) {
            (true, false) => Some(format!("{} comes twice; it fires the first time only", local_text(local))),
            (true, true) => Some(format!("{} comes twice; fires follow the clock", local_text(local))),
            (false, _) => None,
        }
    }
}
