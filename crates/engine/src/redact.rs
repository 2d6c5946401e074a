//! Secrets that got into payloads and messages are not shown. The stored bytes stay as they are.
//!
//! A secret is known by the name beside it (`password=…`, `"apiKey": …`, `Authorization: …`), by its place (the login
//! of an address) or by its look (tokens of well-known makers, private keys). What is hidden wrongly costs a look at
//! the source; what is shown wrongly cannot be taken back, so that in doubt it is hidden.

use regex::{Captures, Regex};
use serde_json::Value;
use std::borrow::Cow;
use std::sync::LazyLock;

/// What stands in place of a secret.
pub const HIDDEN: &str = "[redacted]";

/// A key that holds one of these, blanks, `-`, `_` and `.` aside, names a secret.
const SECRET_KEYS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "authorization",
    "apikey",
    "accesskey",
    "privatekey",
    "signingkey",
    "credential",
    "cookie",
    "sessionid",
];
/// A key of which one word is one of these names a secret; within longer words they mean nothing.
const SECRET_WORDS: &[&str] = &["pwd", "auth", "sig", "signature"];

/// The value with the values of secret-looking keys hidden, and secrets inside of texts.
pub fn value(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(key, inner)| {
                let shown = if is_secret(key) && !inner.is_null() {
                    Value::String(HIDDEN.to_owned())
                } else {
                    self::value(inner)
                };
                (key.clone(), shown)
            })
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::Array(items) => items.iter().map(self::value).collect::<Vec<_>>().into(),
        Value::String(text) => Value::String(self::text(text)),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// What was shown with its secrets hidden, and edited: where it still says what was shown, it is the original again.
/// Somewhere else nothing is known of what is hidden; the place of the first such is the error.
pub fn restored(edited: Value, original: &Value) -> Result<Value, String> {
    let restored = put_back(edited, &value(original), original);
    match hidden_at(&restored, original, String::new()) {
        Some(place) => Err(place),
        None => Ok(restored),
    }
}

fn put_back(edited: Value, shown: &Value, original: &Value) -> Value {
    if edited == *shown {
        return original.clone();
    }
    match (edited, shown, original) {
        (Value::Object(fields), Value::Object(shown), Value::Object(original)) => fields
            .into_iter()
            .map(|(key, inner)| {
                let inner = match (shown.get(&key), original.get(&key)) {
                    (Some(shown), Some(original)) => put_back(inner, shown, original),
                    (_, _) => inner,
                };
                (key, inner)
            })
            .collect::<serde_json::Map<_, _>>()
            .into(),
        (Value::Array(items), Value::Array(shown), Value::Array(original)) => {
            let known = shown.iter().zip(original).map(Some).chain(std::iter::repeat(None));
            let items = items.into_iter().zip(known).map(|(item, known)| match known {
                Some((shown, original)) => put_back(item, shown, original),
                None => item,
            });
            items.collect::<Vec<_>>().into()
        }
        (edited, _, _) => edited,
    }
}

/// The JSON pointer of the first text that still holds the placeholder, unless the original holds it there itself.
fn hidden_at(value: &Value, original: &Value, place: String) -> Option<String> {
    if value == original {
        return None;
    }
    match value {
        Value::String(text) => text.contains(HIDDEN).then_some(place),
        Value::Array(items) => items.iter().enumerate().find_map(|(at, item)| {
            hidden_at(item, original.get(at).unwrap_or(&Value::Null), format!("{place}/{at}"))
        }),
        Value::Object(fields) => fields.iter().find_map(|(key, inner)| {
            hidden_at(inner, original.get(key).unwrap_or(&Value::Null), format!("{place}/{key}"))
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// The text with every secret in it hidden.
pub fn text(text: &str) -> String {
    let shown = PRIVATE_KEYS.replace_all(text, HIDDEN);
    let shown = replaced(shown, &LOGINS, |found| format!("{}{HIDDEN}@", &found["scheme"]));
    let shown = replaced(shown, &COOKIES, |found| format!("{}{HIDDEN}", &found["name"]));
    let shown = replaced(shown, &AUTHORIZATIONS, |found| {
        let scheme = found.name("scheme").map_or("", |scheme| scheme.as_str());
        format!("{}{scheme}{HIDDEN}", &found["name"])
    });
    let shown =
        replaced(shown, &BEARERS, |found| match found["secret"].bytes().any(|byte| byte.is_ascii_digit()) {
            true => format!("{}{HIDDEN}", &found["scheme"]),
            false => found[0].to_owned(),
        });
    let shown = replaced(shown, &LOGIN_FLAGS, |found| format!("{}:{HIDDEN}", &found["user"]));
    let shown = replaced(shown, &FLAGS, |found| match is_secret(&found["key"]) {
        true => format!("{}{}{HIDDEN}", &found["key"], &found["blank"]),
        false => found[0].to_owned(),
    });
    let shown = replaced(shown, &ELEMENTS, |found| match is_secret(&found["key"]) {
        true => format!("<{}>{HIDDEN}</", &found["key"]),
        false => found[0].to_owned(),
    });
    let shown = assignments(&shown);
    LOOKS.replace_all(&shown, HIDDEN).into_owned()
}

/// The rules are ours and do not change, so that they can be read.
fn rule(text: &str) -> Regex {
    Regex::new(text).expect("a test reads every rule")
}

static PRIVATE_KEYS: LazyLock<Regex> = LazyLock::new(|| {
    rule(r"(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\z)")
});
static LOGINS: LazyLock<Regex> =
    LazyLock::new(|| rule(r#"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*://)[^\s/?#"'<>]*@"#));
static COOKIES: LazyLock<Regex> = LazyLock::new(|| rule(r"(?i)(?P<name>\b(?:set-)?cookie\s*:\s*)[^\r\n]+"));
static AUTHORIZATIONS: LazyLock<Regex> = LazyLock::new(|| {
    rule(
        r#"(?i)(?P<name>\b(?:proxy-)?authorization(?:\\*["'])?\s*[:=]\s*(?:\\*["'])?)(?P<scheme>(?:bearer|basic|digest|token|negotiate|apikey|aws4-[a-z0-9-]+)\s+)?[^\s"',\\]+"#,
    )
});
static BEARERS: LazyLock<Regex> =
    LazyLock::new(|| rule(r"(?i)(?P<scheme>\b(?:bearer|basic)\s+)(?P<secret>[A-Za-z0-9+/=._~-]{8,})"));
static LOGIN_FLAGS: LazyLock<Regex> =
    LazyLock::new(|| rule(r"(?P<user>(?:\A|\s)(?:-u|--user)(?:\s+|=)[^\s:]+):[^\s'\x22]+"));
static FLAGS: LazyLock<Regex> =
    LazyLock::new(|| rule(r"(?P<key>--[A-Za-z][A-Za-z0-9-]*)(?P<blank>\s+)[^\s-][^\s]*"));
static ELEMENTS: LazyLock<Regex> = LazyLock::new(|| rule(r"<(?P<key>[A-Za-z][A-Za-z0-9_.:-]*)>[^<]+</"));
static LOOKS: LazyLock<Regex> = LazyLock::new(|| {
    rule(concat!(
        r"\b(?:st[a-z]_[0-9A-Za-z_-]{24,}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}",
        r"|glpat-[A-Za-z0-9_-]{16,}|xox[abeoprs]-[A-Za-z0-9-]{10,}|(?:AKIA|ASIA)[A-Z0-9]{16}",
        r"|[rs]k_(?:live|test)_[A-Za-z0-9]{16,}|npm_[A-Za-z0-9]{30,}|AIza[A-Za-z0-9_-]{30,}",
        r"|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]*)",
    ))
});
/// A name and what parts it from its value.
static NAMES: LazyLock<Regex> =
    LazyLock::new(|| rule(r#"(?P<key>[A-Za-z][A-Za-z0-9_.-]*)(?:\\*["'])?\s*[:=]\s*"#));
/// A value: in escaped quotes, in quotes, or up to what ends one.
static VALUES: LazyLock<Regex> = LazyLock::new(|| {
    rule(r#"\A(?:\\+["'].*?(?:\\+["']|\z)|"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|[^\s"'&;,)<>\]}]+)"#)
});

fn replaced<'t>(text: Cow<'t, str>, rule: &Regex, by: impl Fn(&Captures<'_>) -> String) -> Cow<'t, str> {
    match rule.replace_all(&text, by) {
        Cow::Borrowed(_) => text,
        Cow::Owned(changed) => Cow::Owned(changed),
    }
}

/// Hides the values of secret-looking names. What follows another name is looked at again from there, so that
/// `code=1#id_token=…` is two of them.
fn assignments(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(found) = NAMES.captures_at(text, at) {
        let (whole, key) = (found.get_match(), &found["key"]);
        shown.push_str(&text[at..whole.end()]);
        at = whole.end();
        let rest = &text[at..];
        // What stands after `Authorization` is hidden already, and its scheme may be seen.
        let is_done = key.to_ascii_lowercase().ends_with("authorization") || rest.starts_with(HIDDEN);
        if is_done || !is_secret(key) {
            continue;
        }
        if let Some(secret) = VALUES.find(rest) {
            shown.push_str(&hidden_like(secret.as_str()));
            at += secret.end();
        }
    }
    shown.push_str(&text[at..]);
    shown
}

/// In the quotes of the value, so that what was JSON stays JSON.
fn hidden_like(value: &str) -> String {
    let opening = value.len() - value.trim_start_matches('\\').len();
    match value[opening..].chars().next().filter(|first| matches!(first, '"' | '\'')) {
        Some(quote) => {
            let quote = format!("{}{quote}", &value[..opening]);
            if value[quote.len().min(value.len())..].starts_with(HIDDEN) {
                return value.to_owned();
            }
            format!("{quote}{HIDDEN}{quote}")
        }
        None => HIDDEN.to_owned(),
    }
}

fn is_secret(key: &str) -> bool {
    let plain: String =
        key.chars().filter(|c| !matches!(c, '-' | '_' | ' ' | '.')).flat_map(char::to_lowercase).collect();
    SECRET_KEYS.iter().any(|secret| plain.contains(secret))
        || words(key).any(|word| SECRET_WORDS.iter().any(|secret| word.eq_ignore_ascii_case(secret)))
}

/// The words of a name: `X-Amz-Signature`, `dbAuth` and `db_auth` have two or three.
fn words(key: &str) -> impl Iterator<Item = &str> {
    key.split(['-', '_', ' ', '.', ':']).flat_map(|part| {
        let humps = part.char_indices().skip(1).filter(|(_, c)| c.is_ascii_uppercase()).map(|(at, _)| at);
        let mut cuts: Vec<usize> = [0].into_iter().chain(humps).collect();
        // A word in capitals is one word.
        if part.chars().all(|c| !c.is_ascii_lowercase()) {
            cuts.truncate(1);
        }
        cuts.push(part.len());
        let spans: Vec<(usize, usize)> = cuts.windows(2).map(|pair| (pair[0], pair[1])).collect();
        spans.into_iter().map(move |(from, to)| &part[from..to])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn secret_looking_keys_are_hidden_at_every_depth() {
        let shown = value(&json!({
            "url": "https://ada:hunter2@example.org/x?api_key=abc&page=2",
            "headers": [{ "Authorization": "Bearer abc", "accept": "json" }],
            "api-key": 5, "dbPassword": "x", "note": "nothing", "token": null,
        }));
        let expected = json!({
            "url": "https://[redacted]@example.org/x?api_key=[redacted]&page=2",
            "headers": [{ "Authorization": "[redacted]", "accept": "json" }],
            "api-key": "[redacted]", "dbPassword": "[redacted]", "note": "nothing", "token": null,
        });
        assert_eq!(shown, expected);
    }

    #[test]
    fn what_is_edited_keeps_the_secrets_that_were_not_touched() {
        let original = json!({
            "url": "https://ada:hunter2@example.org/x", "token": "t-1", "page": 1,
            "parts": [{ "apiKey": "k-1", "n": 1 }, { "apiKey": "k-2", "n": 2 }],
        });
        let mut edited = value(&original);
        edited["page"] = json!(2);
        edited["parts"][1]["n"] = json!(3);
        let mut expected = original.clone();
        expected["page"] = json!(2);
        expected["parts"][1]["n"] = json!(3);
        assert_eq!(restored(edited, &original), Ok(expected));
    }

    #[test]
    fn a_placeholder_where_nothing_was_hidden_is_refused_with_its_place() {
        let original = json!({ "url": "https://ada:hunter2@example.org/x", "parts": [{ "token": "t" }] });
        for (edited, place) in [
            (json!({ "url": "https://[redacted]@example.org/y" }), "/url"),
            (json!({ "parts": [1, { "token": "[redacted]" }] }), "/parts/1/token"),
            (json!({ "other": "[redacted]" }), "/other"),
        ] {
            assert_eq!(restored(edited, &original), Err(place.to_owned()));
        }
        let own = json!({ "note": "[redacted] by its maker", "n": 1 });
        assert!(restored(json!({ "note": "[redacted] by its maker", "n": 2 }), &own).is_ok());
    }

    #[test]
    fn secrets_in_sentences_are_hidden_and_the_rest_stays() {
        for (given, expected) in [
            ("GET https://a:b@h/x failed", "GET https://[redacted]@h/x failed"),
            ("sent Authorization: Bearer abc.def to h", "sent Authorization: Bearer [redacted] to h"),
            ("password=hunter2, user=ada", "password=[redacted], user=ada"),
            ("{\"password\":\"x\",\"user\":\"ada\"}", "{\"password\":\"[redacted]\",\"user\":\"ada\"}"),
            ("The feed shrank from 10 to 2 records.", "The feed shrank from 10 to 2 records."),
            ("mail a@b.example", "mail a@b.example"),
        ] {
            assert_eq!(text(given), expected);
        }
    }
}

#[cfg(test)]
#[path = "redact_tests.rs"]
mod corpus;
