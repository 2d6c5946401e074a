//! How the operator likes it: theme, density, notifications. Never a secret, never anything of the ledger.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What is kept, with what holds when nothing is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct Preferences {
    /// Colours.
    pub(crate) theme: Theme,
    /// Height of rows.
    pub(crate) density: Density,
    /// Whether single letters act.
    pub(crate) keys: bool,
    /// Whether the desktop tells when a run ends.
    pub(crate) notifications: bool,
    /// Whether it tells when many jobs fail alike.
    pub(crate) spikes: bool,
    /// How many it takes for that; the core raises no spike of fewer than ten.
    pub(crate) spike_threshold: u32,
    /// When it keeps silent, in local time.
    pub(crate) quiet_hours: Option<QuietHours>,
    /// Whether closing the window keeps the program in the tray.
    pub(crate) close_to_tray: bool,
}

impl Default for Preferences {
    fn default() -> Self {
        Self {
            theme: Theme::System,
            density: Density::Comfortable,
            keys: true,
            notifications: true,
            spikes: true,
            spike_threshold: 10,
            quiet_hours: None,
            close_to_tray: false,
        }
    }
}

/// Colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Theme {
    /// As the desktop has it.
    System,
    /// Dark.
    Dark,
    /// Light.
    Light,
}

/// Height of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Density {
    /// The usual.
    Comfortable,
    /// More on a screen.
    Compact,
}

/// From and to; over midnight when `to` comes before `from`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct QuietHours {
    from: Minute,
    to: Minute,
}

impl QuietHours {
    /// Whether a minute of the day lies within.
    pub(crate) fn holds(self, now: Minute) -> bool {
        if self.from <= self.to {
            return self.from <= now && now < self.to;
        }
        now >= self.from || now < self.to
    }
}

/// A minute of the day, written `22:30`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Minute(u16);

impl Minute {
    /// Of hour and minute; what lies beyond a day wraps into it.
    pub(crate) fn at(hour: u16, minute: u16) -> Self {
        Self((hour * 60 + minute) % (24 * 60))
    }
}

impl TryFrom<String> for Minute {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let read = |part: &str, below: u16| {
            part.parse::<u16>().ok().filter(|value| part.len() == 2 && *value < below)
        };
        text.split_once(':')
            .and_then(|(hour, minute)| Some(Self::at(read(hour, 24)?, read(minute, 60)?)))
            .ok_or_else(|| format!("`{text}` is not a time of day like 22:30"))
    }
}

impl From<Minute> for String {
    fn from(minute: Minute) -> Self {
        format!("{:02}:{:02}", minute.0 / 60, minute.0 % 60)
    }
}

/// Reads what a file holds; an error says that the file is to be put aside.
pub(crate) fn read(text: &str) -> Result<Preferences, serde_json::Error> {
    let fields: Map<String, Value> = serde_json::from_str(text)?;
    serde_json::from_value(Value::Object(fields))
}

/// The same with the named fields changed; a page that knows only some of them leaves the others as they are.
pub(crate) fn with(
    kept: &Preferences,
    changes: Map<String, Value>,
) -> Result<Preferences, serde_json::Error> {
    let mut fields = serde_json::to_value(kept)?;
    if let Value::Object(fields) = &mut fields {
        fields.extend(changes);
    }
    serde_json::from_value(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_kept_has_its_default() {
        let read = read(r#"{"theme":"light"}"#).unwrap();
        assert_eq!(read, Preferences { theme: Theme::Light, ..Preferences::default() });
        assert!(read.notifications && read.spikes && !read.close_to_tray);
        assert_eq!(read.spike_threshold, 10);
    }

    #[test]
    fn a_damaged_file_is_an_error_and_no_default() {
        for text in [
            "",
            "{",
            "[]",
            r#"{"theme":"pink"}"#,
            r#"{"quietHours":{"from":"25:00","to":"07:00"}}"#,
            r#"{"token":"x"}"#,
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn quiet_hours_may_go_over_midnight() {
        let night = read(r#"{"quietHours":{"from":"22:00","to":"07:00"}}"#).unwrap().quiet_hours.unwrap();
        let noon = read(r#"{"quietHours":{"from":"12:00","to":"13:00"}}"#).unwrap().quiet_hours.unwrap();
        for (hour, minute, at_night, at_noon) in [
            (22, 0, true, false),
            (6, 59, true, false),
            (7, 0, false, false),
            (12, 0, false, true),
            (13, 0, false, false),
        ] {
            let now = Minute::at(hour, minute);
            assert_eq!((night.holds(now), noon.holds(now)), (at_night, at_noon), "{hour}:{minute}");
        }
    }

    #[test]
    fn a_change_leaves_the_other_fields_as_they_are() {
        let kept = read(r#"{"notifications":false}"#).unwrap();
        let changes = |text: &str| serde_json::from_str::<Map<String, Value>>(text).unwrap();
        let changed = with(&kept, changes(r#"{"theme":"dark","keys":false}"#)).unwrap();
        assert_eq!(changed, Preferences { theme: Theme::Dark, keys: false, ..kept.clone() });
        assert!(with(&kept, changes(r#"{"theme":7}"#)).is_err());
        assert!(with(&kept, changes(r#"{"secret":"x"}"#)).is_err());
    }

    #[test]
    fn they_read_back_as_written() {
        let kept = read(r#"{"quietHours":{"from":"22:05","to":"07:00"},"density":"compact"}"#).unwrap();
        assert_eq!(read(&serde_json::to_string(&kept).unwrap()).unwrap(), kept);
    }
}
