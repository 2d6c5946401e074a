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
        if let Some(report) = line.trim().strip_prefix("test result: ") {
            self.add(counts(report));
        }
    }
}

/// `ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.10s`
fn counts(report: &str) -> Tally {
    let mut tally = Tally::default();
    for part in report.split([';', '.']) {
        let mut words = part.split_whitespace();
        let Some(count) = words.next().and_then(|word| word.parse::<u64>().ok()) else { continue };
        match words.next() {
            Some("passed") => tally.passed += count,
            Some("failed") => tally.failed += count,
            Some("ignored") => tally.skipped += count,
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
    fn closing_lines_are_counted() {
        let cases = [
            (
                "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.10s",
                (12, 0, 1),
            ),
            ("test result: FAILED. 2 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out", (2, 3, 0)),
            ("test result: \u{1b}[32mok\u{1b}(B\u{1b}[m. 1 passed; 0 failed; 0 ignored", (1, 0, 0)),
        ];
        for (line, expected) in cases {
            assert_eq!(read(line), expected, "{line}");
        }
    }

    #[test]
    fn other_lines_count_nothing() {
        for line in ["running 3 tests", "test a ... ok", "7 passed", "result: 4 passed"] {
            assert_eq!(read(line), (0, 0, 0), "{line}");
        }
    }
}
