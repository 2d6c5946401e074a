//! What the row of a job does not say: a limit that came, went or changed after the row was written holds it, or holds it
//! for something else, though only the next claim or the dispatcher writes that down. Who looks at the job is told at
//! once, and lists by reason say the same.

use super::lanes::may_be_held;
use super::{blockers, next_eligible_at, wait_reason};
use crate::error::Error;
use stella_contract::blocker::Blocker;
use stella_contract::time::Micros;
use stella_ledger::Tx;
use stella_ledger::record::JobRecord;

/// Says of ready jobs, and of those that wait for a limit, what holds them and until when.
pub(crate) async fn tell_holds(tx: &mut Tx, records: &mut [JobRecord], now: Micros) -> Result<(), Error> {
    let mut asked: Vec<&mut JobRecord> = records.iter_mut().filter(|record| may_be_held(record)).collect();
    if asked.is_empty() {
        return Ok(());
    }
    let copies: Vec<JobRecord> = asked.iter().map(|record| JobRecord::clone(record)).collect();
    for (record, held) in asked.iter_mut().zip(blockers(tx, &copies, now).await?) {
        tell(record, &held);
    }
    Ok(())
}

/// Says of such a job what was found to hold it. Where nothing does any more, a waiting one waits for the dispatcher, as
/// its row says.
pub(super) fn tell(record: &mut JobRecord, held: &[Blocker]) {
    let Some(reason) = wait_reason(held).filter(|_| may_be_held(record)) else { return };
    record.job.wait_reason = Some(reason);
    record.job.next_eligible_at = next_eligible_at(held);
}
