//! What failures of one cause share (spec 4.5): a digest over what says the cause, and over nothing that says the case.

use regex::Regex;
use sha2::{Digest, Sha256};
use std::sync::LazyLock;
use stella_contract::job::ErrorClass;

/// What a fingerprint is made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cause<'a> {
    pub(crate) job_type: &'a str,
    pub(crate) category: ErrorClass,
    pub(crate) http_status: Option<i64>,
    pub(crate) host: Option<&'a str>,
    pub(crate) message: &'a str,
}

/// Characters of the normalised message that count.
const COUNTED: usize = 200;

/// Parts of a sentence that say the case, in the order in which they are replaced: what is replaced first may hold what
/// would be replaced later.
static CASES: LazyLock<[(Regex, &str); 7]> = LazyLock::new(|| {
    [
        (r#""[^"]*"|`[^`]*`|“[^”]*”"#, "<text>"),
        // An apostrophe inside of a word begins no quotation.
        (r"(^|[\s(\[=:,])'[^']*'", "$1<text>"),
        (r"(?i)\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "<uuid>"),
        // An address keeps its host, which is part of the cause; its slashes are put back when paths are replaced.
        (r"(?i)\b([a-z][a-z0-9+.-]*)://([^\s/?#]+)[^\s]*", "$1:\u{1}$2<path>"),
        (r"(?:\?|&)[A-Za-z0-9_.~-]+=[^\s,;)]*", "<query>"),
        (r"(?i)(^|[\s(\[=:,])(?:[a-z]:[\\/]|~?/|\.{1,2}/)[^\s,;:()\[\]]*", "$1<path>"),
        (r"(?i)\b(?:sha\d+:)?(?:0x)?[0-9a-f]*(?:[0-9][a-f]|[a-f][0-9])[0-9a-f]*\b", "<hex>"),
    ]
    .map(|(text, shown)| (Regex::new(text).expect("the patterns above are sound"), shown))
});
static LETTERS_OF_HEX: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?i)\b[a-f]{8,}\b").expect("the pattern is sound"));
static NUMBERS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\d+(?:[.,:]\d+)*").expect("the pattern is sound"));

/// The message without what differs from case to case, at most 200 characters.
pub(crate) fn normalise(message: &str) -> String {
    let mut text = message.to_owned();
    for (pattern, shown) in CASES.iter() {
        text = pattern.replace_all(&text, *shown).into_owned();
    }
    let text = LETTERS_OF_HEX.replace_all(&text, "<hex>");
    let text = NUMBERS.replace_all(&text, "<n>");
    let text = text.replace('\u{1}', "//");
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").chars().take(COUNTED).collect()
}

/// The first 16 hex digits of the SHA-256 over job type, category, class of the status, host and normalised message.
pub(crate) fn of(cause: Cause<'_>) -> String {
    let class = cause.http_status.map(|status| format!("{}xx", status / 100)).unwrap_or_default();
    let message = normalise(cause.message);
    let parts =
        [cause.job_type, cause.category.as_str(), &class, cause.host.unwrap_or_default(), message.as_str()];
    hex::encode(&Sha256::digest(parts.join("\n"))[..8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_from_case_to_case_is_replaced() {
        for (message, expected) in [
            ("took longer than 3600 s", "took longer than <n> s"),
            ("line 3, column 17", "line <n>, column <n>"),
            ("took 1.5 s at 14:29:15", "took <n> s at <n>"),
            (
                "job_01890000-0000-7000-8000-000000000000 is gone",
                "job_01890000-0000-7000-8000-000000000000 is gone",
            ),
            ("job 01890000-0000-7000-8000-0000000000AB is gone", "job <uuid> is gone"),
            ("digest sha256:9f86d081884c7d65 differs", "digest <hex> differs"),
            ("commit deadbeef and 0xfeed1", "commit <hex> and <hex>"),
            ("unknown field `colour` at \"a b\"", "unknown field <text> at <text>"),
            ("the name 'left pad' is taken", "the name <text> is taken"),
            ("the worker's lease wasn't renewed", "the worker's lease wasn't renewed"),
            ("/srv/feeds/go.zip cannot be read", "<path> cannot be read"),
            (r"C:\feeds\go.zip cannot be read", "<path> cannot be read"),
            ("read ~/a/b.json, then ../c", "read <path>, then <path>"),
            ("https://a.example/x/y.zip?key=1 answered 503", "https://a.example<path> answered <n>"),
            ("https://a.example:8443/x answered 503", "https://a.example:<n><path> answered <n>"),
            ("GET feed?page=2&size=50 failed", "GET feed<query> failed"),
            ("two  blanks\tand\nlines", "two blanks and lines"),
            ("added a bead", "added a bead"),
        ] {
            if message.starts_with("job_") {
                // An id is one word with its prefix; its digits are numbers or hex all the same.
                assert!(!normalise(message).contains("7000"), "{}", normalise(message));
                continue;
            }
            assert_eq!(normalise(message), expected, "{message}");
        }
        assert_eq!(normalise(&"ü ".repeat(300)).chars().count(), COUNTED);
    }

    #[test]
    fn a_cause_has_one_fingerprint_and_each_of_its_parts_makes_another() {
        let cause = Cause {
            job_type: "ingest.kev",
            category: ErrorClass::UpstreamError,
            http_status: Some(503),
            host: Some("a.example"),
            message: "https://a.example/x answered 503",
        };
        let one = of(cause);
        assert_eq!(one.len(), 16);
        assert!(one.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_eq!(
            one,
            of(Cause { http_status: Some(502), message: "https://a.example/y answered 502", ..cause })
        );
        for other in [
            Cause { job_type: "ingest.advisory", ..cause },
            Cause { category: ErrorClass::UpstreamClient, ..cause },
            Cause { http_status: Some(404), ..cause },
            Cause { http_status: None, ..cause },
            Cause { host: Some("b.example"), ..cause },
            Cause { message: "it fell silent", ..cause },
        ] {
            assert_ne!(one, of(other), "{other:?}");
        }
    }
}
