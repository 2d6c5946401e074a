//! Which part of a source's event time a reading asks for. Pure.
//!
//! A location that holds `{from}`, `{to}` or `{date}` is asked for one window at a time; any other is read whole, and a
//! backfill picks from it what lies in its window.

use stella_contract::time::Micros;
use stella_contract::watermark::Window;

/// What a location says where a window's bounds stand: its start, its end, the day of its start.
const PLACES: [&str; 3] = ["{from}", "{to}", "{date}"];

/// What a reading asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Everything there is.
    Whole,
    /// The next live window.
    Live(Window),
    /// The window of a backfill.
    Backfill(Window),
}

impl Asked {
    /// The window, where there is one.
    pub(crate) const fn window(self) -> Option<Window> {
        match self {
            Self::Whole => None,
            Self::Live(window) | Self::Backfill(window) => Some(window),
        }
    }
}

/// Whether the location is asked for one window at a time.
pub(crate) fn is_windowed(location: &str) -> bool {
    PLACES.iter().any(|place| location.contains(place))
}

/// The location of a window.
pub(crate) fn placed(location: &str, window: Window) -> String {
    let (from, to) = (window.start.to_string(), window.end.to_string());
    location.replace("{from}", &from).replace("{to}", &to).replace("{date}", from.get(..10).unwrap_or(&from))
}

/// Whether a time as a feed writes it lies in the window; one that cannot be read lies in none.
pub(super) fn holds(window: Window, text: &str) -> bool {
    Micros::parse(text).is_some_and(|at| window.holds(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_says_where_the_window_goes() {
        let window = Window::between(Micros(0), Micros(3_600_000_000)).unwrap();
        let location = "https://a.example/api?start={from}&end={to}";
        assert!(is_windowed(location) && !is_windowed("https://a.example/all.zip"));
        assert_eq!(
            placed(location, window),
            "https://a.example/api?start=1970-01-01T00:00:00.000Z&end=1970-01-01T01:00:00.000Z"
        );
        assert_eq!(placed("/feeds/{date}.csv", window), "/feeds/1970-01-01.csv");
    }

    #[test]
    fn a_time_that_cannot_be_read_lies_in_no_window() {
        let window = Window::between(Micros(0), Micros(1_000_000)).unwrap();
        assert!(holds(window, "1970-01-01T00:00:00.5Z"));
        assert!(!holds(window, "1970-01-01T00:00:01Z") && !holds(window, "yesterday"));
    }
}
