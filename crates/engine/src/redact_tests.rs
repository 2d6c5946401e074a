//! The corpus: shapes in which secrets turn up in payloads, messages and addresses, and rows that look like them and are
//! none.

use super::*;
use serde_json::json;

/// What must not be seen afterwards, and the text it stands in.
const SECRETS: &[(&str, &str)] = &[
    // Logins in addresses.
    ("hunter2", "GET https://ada:hunter2@example.org/feed failed"),
    ("hunter2", "postgres://stella:hunter2@db:5432/ledger"),
    ("hunter2", "(see ftp://x:hunter2@files.example)"),
    ("hunter2", "https://hunter2@example.org/feed"),
    ("hunter2", "fetch \"https://ada:hunter2@example.org\", then stop"),
    ("hunter2", "a https://a:hunter2@h1/x and https://b:hunter2@h2/y"),
    // Parameters of addresses.
    ("hunter2", "https://example.org/x?api_key=hunter2&page=2"),
    ("hunter2", "https://example.org/x?page=2&access_token=hunter2"),
    ("hunter2", "https://example.org/x?sig=hunter2"),
    ("hunter2", "https://blob.example/x?sv=2020&signature=hunter2&se=1"),
    ("hunter2", "https://s3.example/x?X-Amz-Signature=hunter2&X-Amz-Expires=60"),
    ("hunter2", "https://s3.example/x?X-Amz-Security-Token=hunter2"),
    ("hunter2", "https://example.org/cb?code=1#id_token=hunter2"),
    // Headers.
    ("hunter2", "Authorization: Bearer hunter2"),
    ("hunter2", "authorization: bearer hunter2 was refused"),
    ("aHVudGVyMg==", "Authorization: Basic aHVudGVyMg=="),
    ("hunter2", "Proxy-Authorization: Digest hunter2"),
    ("hunter2", "authorization: token hunter2"),
    ("hunter2", "X-Api-Key: hunter2"),
    ("hunter2", "Cookie: sid=hunter2; theme=dark"),
    ("hunter2", "Set-Cookie: session=hunter2; HttpOnly"),
    ("hunter2", "curl -H 'PRIVATE-TOKEN: hunter2' https://example.org"),
    ("hunter2", "curl -u ada:hunter2 https://example.org"),
    ("hunter2", "curl --user ada:hunter2 https://example.org"),
    // Assignments in every spelling.
    ("hunter2", "password=hunter2, user=ada"),
    ("hunter2", "password = hunter2"),
    ("hunter2", "password: hunter2"),
    ("hunter2", "DB_PASSWORD=hunter2 ./run"),
    ("hunter2", "export AWS_SECRET_ACCESS_KEY=hunter2"),
    ("hunter2", "client_secret=\"hunter2\""),
    ("hunter2", "passphrase='hunter2'"),
    ("hunter2", "--token=hunter2"),
    ("hunter2", "--password hunter2"),
    ("hunter2", "pwd=hunter2;server=db"),
    ("hunter2", "{\"password\":\"hunter2\",\"user\":\"ada\"}"),
    ("hunter2", "{\"apiKey\": \"hunter2\"}"),
    ("hunter2", "{'token': 'hunter2'}"),
    ("hunter2", "<password>hunter2</password>"),
    ("hunter2", "body was {\\\"password\\\":\\\"hunter2\\\",\\\"a\\\":1}"),
    // Secrets that are known by their look.
    ("stl_0123456789abcdef0123456789abcdef", "the token stl_0123456789abcdef0123456789abcdef was refused"),
    ("sto_0123456789abcdef0123456789abcdef", "http://127.0.0.1/#sto_0123456789abcdef0123456789abcdef"),
    ("ghp_0123456789abcdefABCDEF0123456789abcd", "pushed with ghp_0123456789abcdefABCDEF0123456789abcd"),
    ("github_pat_11AAAAAAA0aaaaaaaaaaaa_bbbbbbbb", "github_pat_11AAAAAAA0aaaaaaaaaaaa_bbbbbbbb in the log"),
    ("glpat-0123456789abcdefABCD", "using glpat-0123456789abcdefABCD"),
    ("xoxb-123456789012-abcdefABCDEF", "slack said xoxb-123456789012-abcdefABCDEF"),
    ("AKIAIOSFODNN7EXAMPLE", "key AKIAIOSFODNN7EXAMPLE is not allowed"),
    ("sk_live_0123456789abcdefABCDEF01", "stripe sk_live_0123456789abcdefABCDEF01"),
    ("npm_0123456789abcdefABCDEF0123456789abcd", "npm_0123456789abcdefABCDEF0123456789abcd"),
    (
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
        "jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl expired",
    ),
    ("MIIEvQIBADANBg", "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n-----END PRIVATE KEY-----\n"),
    (
        "b3BlbnNzaC1rZXk",
        "-----BEGIN OPENSSH PRIVATE KEY----- b3BlbnNzaC1rZXk -----END OPENSSH PRIVATE KEY-----",
    ),
];

/// What must come out as it went in.
const CLEAN: &[&str] = &[
    "The feed shrank from 10 to 2 records.",
    "mail a@b.example",
    "GET https://example.org/feed?page=2&limit=50 failed with 503",
    "the tokenizer read 12 tokens per line",
    "no password was asked for",
    "bearer of bad news: the disk is full",
    "pkg:npm/secretlint@7.0.0",
    "pkg:npm/%40types/cookie@0.6.0",
    "CVE-2023-36053 in django 4.2.1",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "job_019aa6e1-0000-7000-8000-000000000000 was cancelled",
    "run:acme:20261121T090000Z:9c1f04ab",
    "/srv/feeds/known_exploited_vulnerabilities.json",
    "key=value, page=2",
    "a basic check of 3 files",
    "2026-11-21T09:00:00.000Z",
    "Authorization was refused by the far side",
    "-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIE\n-----END CERTIFICATE-----",
    "",
    "ünïcödé 🦀 stays",
];

#[test]
fn no_secret_of_the_corpus_is_seen_in_free_text() {
    let mut seen = Vec::new();
    for (secret, given) in SECRETS {
        let shown = text(given);
        if shown.contains(secret) || !shown.contains(HIDDEN) {
            seen.push(format!("{given}  →  {shown}"));
        }
    }
    assert!(seen.is_empty(), "{} of {} are seen:\n{}", seen.len(), SECRETS.len(), seen.join("\n"));
}

#[test]
fn no_secret_of_the_corpus_is_seen_in_a_payload() {
    for (secret, given) in SECRETS {
        let shown = value(&json!({ "note": [{ "text": given }] })).to_string();
        assert!(!shown.contains(secret), "{given}  →  {shown}");
    }
}

#[test]
fn what_is_no_secret_stays_as_it_is() {
    for given in CLEAN {
        assert_eq!(text(given), *given);
        let payload = json!({ "text": given, "count": 2, "items": [given], "none": null });
        assert_eq!(value(&payload), payload);
    }
}

#[test]
fn to_hide_twice_changes_nothing() {
    for (_, given) in SECRETS {
        let once = text(given);
        assert_eq!(text(&once), once, "{given}");
    }
}

#[test]
fn values_of_secret_keys_are_hidden_whatever_they_are_and_others_stay() {
    for key in [
        "password",
        "dbPassword",
        "PASSWD",
        "pass_phrase",
        "client-secret",
        "clientSecret",
        "token",
        "accessToken",
        "refresh_token",
        "Authorization",
        "api_key",
        "apiKey",
        "x-api-key",
        "AccessKey",
        "private_key",
        "signingKey",
        "credentials",
        "Cookie",
        "sessionId",
        "pwd",
        "auth",
        "signature",
    ] {
        for secret in [json!("hunter2"), json!(5), json!(["hunter2"]), json!({ "a": "hunter2" })] {
            let shown = value(&json!({ key: secret, "name": "x" }));
            assert_eq!(shown, json!({ key: HIDDEN, "name": "x" }), "{key}");
        }
    }
    for key in ["author", "authority", "passed", "compass", "keyword", "primaryKey", "design", "bypass"] {
        let clean = json!({ key: "plain" });
        assert_eq!(value(&clean), clean, "{key}");
    }
}
