//! What the test runners reported, added up from their closing lines.

/// Tests that passed, failed and were left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }

    /// Takes in one line of a runner's output; lines that close nothing count nothing.
    pub(crate) fn read(&mut self, line: &str) {
        let line = without_colour(line);
        let line = line.trim();
        if let Some(report) = line.strip_prefix("test result: ") {
            self.add(libtest(report));
        } else if let Some(report) = line.strip_prefix("Summary [") {
            self.add(nextest(report));
        }
    }
}

/// `ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.10s`
fn libtest(report: &str) -> Tally {
    let report = report.split_once(". ").map_or(report, |(_, counts)| counts);
    counts(report.split(';'), "ignored")
}

/// `   0.123s] 12 tests run: 11 passed (1 slow), 1 failed, 1 timed out, 2 skipped`
fn nextest(report: &str) -> Tally {
    let report = report.split_once("run: ").map_or("", |(_, counts)| counts);
    counts(report.split(','), "skipped")
}

fn counts<'a>(parts: impl Iterator<Item = &'a str>, left_out: &str) -> Tally {
    let mut tally = Tally::default();
    for part in parts {
        let mut words = part.split_whitespace();
        let Some(count) = words.next().and_then(|word| word.parse::<u64>().ok()) else { continue };
        match words.next() {
            Some("passed") => tally.passed += count,
            // nextest names tests that ran out of time or could not start apart from those that failed.
            Some("failed" | "timed" | "exec") => tally.failed += count,
            Some(word) if word == left_out => tally.skipped += count,
            Some(_) | None => {}
        }
    }
    tally
}

/// A runner that thinks it writes to a terminal colours its numbers.
fn without_colour(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' {
            chars.by_ref().find(char::is_ascii_alphabetic);
        } else {
            plain.push(c);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> (u64, u64, u64) {
        let mut tally = Tally::default();
        tally.read(line);
        (tally.passed, tally.failed, tally.skipped)
    }

    #[test]
    fn closing_lines_of_both_runners_are_counted() {
        let cases = [
            (
                "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.10s",
                (12, 0, 1),
            ),
            ("test result: FAILED. 2 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out", (2, 3, 0)),
            ("     Summary [   0.123s] 12 tests run: 12 passed, 0 skipped", (12, 0, 0)),
            (
                "     Summary [   1.0s] 9/12 tests run: 5 passed (1 slow), 2 failed, 1 timed out, 1 exec failed, 3 skipped",
                (5, 4, 3),
            ),
            (
                "\u{1b}[32;1m     Summary\u{1b}[0m [ 0.1s] \u{1b}[1m1\u{1b}[0m test run: \u{1b}[1m1\u{1b}[0m \u{1b}[32;1mpassed\u{1b}[0m",
                (1, 0, 0),
            ),
        ];
        for (line, expected) in cases {
            assert_eq!(read(line), expected, "{line}");
        }
    }

    #[test]
    fn other_lines_count_nothing() {
        for line in ["running 3 tests", "test a ... ok", "7 passed", "Summary of it: 4 passed"] {
            assert_eq!(read(line), (0, 0, 0), "{line}");
        }
    }
}
