//! Secrets that got into payloads and messages are not shown. The stored bytes stay as they are.

use serde_json::Value;

/// What stands in place of a secret.
pub const HIDDEN: &str = "[redacted]";

/// A key that holds one of these, blanks, `-` and `_` aside, names a secret.
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
/// Words in free text after which a secret stands.
const SECRET_WORDS: &[&str] = &["bearer", "basic"];

/// The value with the values of secret-looking keys hidden, and secrets inside of URLs.
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

/// The text with `user:password@` of URLs, `key=value` of secret-looking keys and `Bearer …` hidden.
pub fn text(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut hide_next = false;
    for part in text.split_inclusive(char::is_whitespace) {
        let word = part.trim_end();
        let blank = &part[word.len()..];
        if hide_next && !word.is_empty() {
            shown.push_str(HIDDEN);
        } else {
            shown.push_str(&pairs(&without_login(word)));
        }
        shown.push_str(blank);
        let last = word.trim_end_matches(':').rsplit(['"', '\'', ':', '=']).next().unwrap_or_default();
        hide_next = SECRET_WORDS.iter().any(|secret| last.eq_ignore_ascii_case(secret));
    }
    shown
}

fn is_secret(key: &str) -> bool {
    let plain: String =
        key.chars().filter(|c| !matches!(c, '-' | '_' | ' ' | '.')).flat_map(char::to_lowercase).collect();
    SECRET_KEYS.iter().any(|secret| plain.contains(secret))
}

/// A URL's login, in one word of text.
fn without_login(word: &str) -> String {
    let Some((scheme, rest)) = word.split_once("://") else { return word.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{scheme}://{HIDDEN}@{}", &rest[at + 1..]),
        None => word.to_owned(),
    }
}

/// `key=value` in one word of text, several joined by `&`, `;` or `,`.
fn pairs(word: &str) -> String {
    let mut shown = String::with_capacity(word.len());
    for pair in word.split_inclusive(['&', ';', ',']) {
        match pair.split_once('=') {
            Some((key, value)) if is_secret(key.rsplit(['?', '/', '"']).next().unwrap_or(key)) => {
                let end = value.len() - value.trim_end_matches(['&', ';', ',', '"', ')']).len();
                shown.push_str(key);
                shown.push('=');
                shown.push_str(HIDDEN);
                shown.push_str(&value[value.len() - end..]);
            }
            _ => shown.push_str(pair),
        }
    }
    shown
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
    fn secrets_in_sentences_are_hidden_and_the_rest_stays() {
        for (given, expected) in [
            ("GET https://a:b@h/x failed", "GET https://[redacted]@h/x failed"),
            ("sent Authorization: Bearer abc.def to h", "sent Authorization: Bearer [redacted] to h"),
            ("password=hunter2, user=ada", "password=[redacted], user=ada"),
            ("The feed shrank from 10 to 2 records.", "The feed shrank from 10 to 2 records."),
            ("mail a@b.example", "mail a@b.example"),
        ] {
            assert_eq!(text(given), expected);
        }
    }
}
