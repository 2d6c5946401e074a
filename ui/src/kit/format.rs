//! Numbers, durations and times as text, the same everywhere: `1,094`, `64.6%`, `4 m 12 s`, `14:32:08Z`.

use stella_contract::time::Micros;

/// `1094` as `1,094`.
pub fn count(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if number < 0 {
        out.push('−');
    }
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The same with its noun: `1 job`, `2 jobs`.
pub fn counted(number: i64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// `0.646` as `64.6%`; never rounded up to the next step, so that 100% means all.
pub fn percent(share: f64) -> String {
    format!("{:.1}%", (share * 1_000.0).floor() / 10.0)
}

/// A length of time in two units at most: `41 s`, `4 m 12 s`, `2 h 04 m`, `3 d 05 h`.
pub fn duration(ms: i64) -> String {
    let seconds = ms.max(0) / 1_000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match () {
        () if minutes == 0 => format!("{seconds} s"),
        () if hours == 0 => format!("{minutes} m {:02} s", seconds % 60),
        () if days == 0 => format!("{hours} h {:02} m", minutes % 60),
        () => format!("{days} d {:02} h", hours % 24),
    }
}

/// A length of time in its largest unit: `41 s`, `4 m`, `2 h`, `3 d`.
pub fn duration_short(ms: i64) -> String {
    let whole = duration(ms);
    whole.splitn(3, ' ').take(2).collect::<Vec<_>>().join(" ")
}

/// The time of day: `14:32:08Z`.
pub fn clock(at: Micros) -> String {
    let text = at.to_string();
    text.get(11..19).map_or_else(|| text.clone(), |time| format!("{time}Z"))
}

/// Date and time to the second: `2026-11-21 14:32:08Z`.
pub fn date_time(at: Micros) -> String {
    let text = at.to_string();
    match (text.get(..10), text.get(11..19)) {
        (Some(date), Some(time)) => format!("{date} {time}Z"),
        _ => text,
    }
}

/// The time of day where it is today, else with its date.
pub fn clock_or_date(at: Micros, now: Micros) -> String {
    if at.to_string().get(..10) == now.to_string().get(..10) { clock(at) } else { date_time(at) }
}

/// What was typed as a moment in UTC: `2026-11-21 18:00`, with seconds and `T` and `Z` or without.
pub fn moment(text: &str) -> Option<Micros> {
    let text = text.trim().trim_end_matches('Z').replace(' ', "T");
    let whole = if text.len() == 16 { format!("{text}:00") } else { text };
    Micros::parse(&format!("{whole}Z"))
}

/// `1536` as `1.5 KiB`.
pub fn bytes(size: i64) -> String {
    let mut value = size.max(0) as f64;
    if value < 1_024.0 {
        return format!("{value} B");
    }
    let mut unit = "B";
    for next in ["KiB", "MiB", "GiB", "TiB"] {
        if value < 1_024.0 {
            break;
        }
        value /= 1_024.0;
        unit = next;
    }
    format!("{value:.1} {unit}")
}

/// The first `keep` characters of an id behind its prefix; `job_01934cde29…` is told apart by less than all of it.
pub fn short_id(id: &str) -> String {
    let Some((prefix, rest)) = id.split_once('_') else { return id.to_owned() };
    let plain: String = rest.chars().filter(|c| *c != '-').collect();
    // Ids made in the same millisecond share their first twelve digits; the last ones differ.
    match (plain.get(..4), plain.get(plain.len().saturating_sub(6)..)) {
        (Some(head), Some(tail)) if plain.len() > 12 => format!("{prefix}_{head}…{tail}"),
        _ => id.to_owned(),
    }
}

/// The first twelve digits of a digest: `sha256:5be1f0c29d3a…`.
pub fn short_digest(digest: &str) -> String {
    let (algorithm, hex) = digest.split_once(':').unwrap_or(("", digest));
    let head = hex.get(..12).unwrap_or(hex);
    let dots = if head.len() < hex.len() { "…" } else { "" };
    if algorithm.is_empty() { format!("{head}{dots}") } else { format!("{algorithm}:{head}{dots}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_three() {
        for (number, text) in
            [(0, "0"), (999, "999"), (1_094, "1,094"), (20_709_001, "20,709,001"), (-1_000, "−1,000")]
        {
            assert_eq!(count(number), text);
        }
        assert_eq!(counted(1, "job", "jobs"), "1 job");
        assert_eq!(counted(0, "job", "jobs"), "0 jobs");
    }

    #[test]
    fn a_share_is_never_rounded_up_to_all() {
        assert_eq!(percent(0.9999), "99.9%");
        assert_eq!(percent(1.0), "100.0%");
        assert_eq!(percent(0.6457), "64.5%");
    }

    #[test]
    fn durations_take_two_units_at_most() {
        for (ms, text) in [
            (0, "0 s"),
            (-5, "0 s"),
            (41_999, "41 s"),
            (252_000, "4 m 12 s"),
            (7_440_000, "2 h 04 m"),
            (277_200_000, "3 d 05 h"),
        ] {
            assert_eq!(duration(ms), text);
        }
        assert_eq!(duration_short(7_440_000), "2 h");
    }

    #[test]
    fn times_are_utc_and_say_so() {
        let at = Micros::parse("2026-11-21T14:32:08.500Z").unwrap();
        assert_eq!(clock(at), "14:32:08Z");
        assert_eq!(date_time(at), "2026-11-21 14:32:08Z");
        assert_eq!(clock_or_date(at, at.plus_ms(86_400_000)), "2026-11-21 14:32:08Z");
    }

    #[test]
    fn a_moment_may_be_typed_shortly_and_is_utc() {
        let at = Micros::parse("2026-11-21T18:00:00Z");
        for text in ["2026-11-21 18:00", " 2026-11-21T18:00Z ", "2026-11-21 18:00:00"] {
            assert_eq!(moment(text), at, "{text}");
        }
        for text in ["", "18:00", "2026-13-01 00:00", "tomorrow"] {
            assert_eq!(moment(text), None, "{text}");
        }
    }

    #[test]
    fn ids_and_digests_keep_what_tells_them_apart() {
        assert_eq!(short_id("job_01890000-0000-7000-8000-0000000000ab"), "job_0189…0000ab");
        assert_eq!(short_id("plain"), "plain");
        assert_eq!(short_digest("sha256:0123456789abcdef"), "sha256:0123456789ab…");
        assert_eq!(short_digest("0123"), "0123");
        assert_eq!(bytes(1_536), "1.5 KiB");
        assert_eq!(bytes(12), "12 B");
    }
}
