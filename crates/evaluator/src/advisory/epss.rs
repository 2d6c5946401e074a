//! The EPSS list: how likely each vulnerability is exploited within thirty days.

use crate::error::{RecordCode, RecordError};
use flate2::read::MultiGzDecoder;
use std::borrow::Cow;
use std::io::Read;

/// Bytes of a list at most, unpacked; the whole list of all CVEs has a thirtieth of them.
const MOST_BYTES: u64 = 256 << 20;
/// Problems that are kept of one list.
const MOST_PROBLEMS: usize = 1_000;

/// The list, read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EpssList {
    /// When the scores were made, RFC 3339; nothing when the list does not say.
    pub scored_at: Option<String>,
    /// The scores, in the order of the list.
    pub scores: Vec<EpssScore>,
    /// Rows that could not be read.
    pub errors: Vec<RecordError>,
    /// How many those are.
    pub refused: usize,
}

/// How likely one vulnerability is exploited.
#[derive(Debug, Clone, PartialEq)]
pub struct EpssScore {
    /// The CVE, in upper case.
    pub cve: String,
    /// How likely, 0 to 1.
    pub score: f64,
    /// The share of all vulnerabilities that are less likely, 0 to 1.
    pub percentile: Option<f64>,
}

/// Reads the list, packed with gzip or not; one bad row does not stop the others.
pub fn parse_epss(bytes: &[u8]) -> Result<EpssList, RecordError> {
    let text = unpacked(bytes)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut list = EpssList::default();
    let mut columns: Option<Columns> = None;
    for (at, line) in text.lines().enumerate() {
        let line = line.trim_end();
        if let Some(comment) = line.strip_prefix('#') {
            list.scored_at = list.scored_at.or_else(|| scored_at(comment));
            continue;
        }
        let Some(known) = columns else {
            columns = Some(Columns::of(line)?);
            continue;
        };
        match known.read(line) {
            Some(score) => list.scores.push(score),
            None if line.is_empty() => {}
            None => {
                list.refused += 1;
                if list.errors.len() < MOST_PROBLEMS {
                    let message = "expected a CVE, a score and a percentile, both from 0 to 1";
                    let error = RecordError::new(RecordCode::ParseError, message);
                    list.errors.push(error.at(format!("line {}", at + 1)));
                }
            }
        }
    }
    if columns.is_none() {
        return Err(RecordError::new(RecordCode::Empty, "the list is empty; check the source"));
    }
    Ok(list)
}

fn unpacked(bytes: &[u8]) -> Result<Cow<'_, str>, RecordError> {
    let broken = |message: String| RecordError::new(RecordCode::ParseError, message);
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        let text = std::str::from_utf8(bytes).map_err(|error| broken(format!("this is no text: {error}")))?;
        return Ok(Cow::Borrowed(text));
    }
    let mut text = String::new();
    let mut unpacked = MultiGzDecoder::new(bytes).take(MOST_BYTES + 1);
    unpacked.read_to_string(&mut text).map_err(|error| broken(format!("it cannot be unpacked: {error}")))?;
    if text.len() as u64 > MOST_BYTES {
        let message = format!("unpacked it has more than the {MOST_BYTES} bytes that are read");
        return Err(RecordError::new(RecordCode::TooLarge, message));
    }
    Ok(Cow::Owned(text))
}

/// `model_version:v2025.03.14,score_date:2026-01-01T00:00:00+0000`
fn scored_at(comment: &str) -> Option<String> {
    let date = comment.split(',').find_map(|part| part.trim().strip_prefix("score_date:"))?.trim();
    let date = date.strip_suffix("+0000").map_or_else(|| date.to_owned(), |utc| format!("{utc}Z"));
    Some(if date.contains('T') { date } else { format!("{date}T00:00:00Z") })
}

/// Where a row has what.
#[derive(Debug, Clone, Copy)]
struct Columns {
    cve: usize,
    score: usize,
    percentile: Option<usize>,
}

impl Columns {
    fn of(header: &str) -> Result<Self, RecordError> {
        let names: Vec<&str> = header.split(',').map(str::trim).collect();
        let place = |name: &str| names.iter().position(|one| one.eq_ignore_ascii_case(name));
        let (Some(cve), Some(score)) = (place("cve"), place("epss")) else {
            let message = "the list has no columns `cve` and `epss`; check the source";
            return Err(RecordError::new(RecordCode::SchemaMismatch, message).at("line 1"));
        };
        Ok(Self { cve, score, percentile: place("percentile") })
    }

    fn read(self, line: &str) -> Option<EpssScore> {
        let cells: Vec<&str> = line.split(',').map(str::trim).collect();
        let share = |place: usize| {
            let number: f64 = cells.get(place)?.parse().ok()?;
            (0.0..=1.0).contains(&number).then_some(number)
        };
        let cve = cells.get(self.cve)?.to_ascii_uppercase();
        let percentile = match self.percentile {
            Some(place) => Some(share(place)?),
            None => None,
        };
        cve.starts_with("CVE-").then_some(EpssScore { score: share(self.score)?, cve, percentile })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    const LIST: &str = "#model_version:v2025.03.14,score_date:2026-01-02T00:00:00+0000\ncve,epss,percentile\nCVE-2026-0001,0.97,0.999\ncve-2026-0002,0.00042,0.1\n";

    #[test]
    fn a_list_is_read_packed_or_not() {
        let list = parse_epss(LIST.as_bytes()).unwrap();
        assert_eq!(list.scored_at.as_deref(), Some("2026-01-02T00:00:00Z"));
        let second = EpssScore { cve: "CVE-2026-0002".to_owned(), score: 0.000_42, percentile: Some(0.1) };
        assert_eq!((list.scores.len(), &list.scores[1]), (2, &second));
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        packed.write_all(LIST.as_bytes()).unwrap();
        assert_eq!(parse_epss(&packed.finish().unwrap()).unwrap(), list);
    }

    #[test]
    fn bad_rows_are_named_and_stop_nothing() {
        let text = format!("{LIST}CVE-2026-0003,1.5,0.1\nCVE-2026-0004\n\nGHSA-1,0.1,0.1\n");
        let list = parse_epss(text.as_bytes()).unwrap();
        assert_eq!((list.scores.len(), list.refused), (2, 3));
        let paths: Vec<&str> = list.errors.iter().map(|error| error.path.as_str()).collect();
        assert_eq!(paths, ["line 5", "line 6", "line 8"]);
    }

    #[test]
    fn what_is_no_such_list_is_refused() {
        for (bytes, code) in [
            (&b""[..], RecordCode::Empty),
            (b"# nothing\n", RecordCode::Empty),
            (b"<html>", RecordCode::SchemaMismatch),
            (b"\x1f\x8b\x08nonsense", RecordCode::ParseError),
            (b"\xff\xfe", RecordCode::ParseError),
        ] {
            assert_eq!(parse_epss(bytes).unwrap_err().code, code, "{bytes:?}");
        }
    }
}
