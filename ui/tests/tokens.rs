//! Colours are declared once and can be read: the tokens keep their contrast, and nothing else names a colour.

#![expect(clippy::unwrap_used, reason = "a panic is the report of a test")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The colours of one theme by the name of their token.
fn theme(css: &str, selector: &str) -> BTreeMap<String, [f64; 3]> {
    let start = css.find(selector).unwrap_or_else(|| panic!("{selector} is declared"));
    let block = &css[start..start + css[start..].find("\n}").expect("the block ends")];
    let mut out = BTreeMap::new();
    for line in block.lines().filter_map(|line| line.trim().strip_prefix("--")) {
        let Some((name, value)) = line.split_once(':') else { continue };
        let value = value.split(';').next().unwrap_or_default().trim();
        if let Some(hex) = value.strip_prefix('#').filter(|hex| hex.len() == 6) {
            let part = |at: usize| f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
            out.insert(name.trim().to_owned(), [part(0), part(2), part(4)]);
        }
    }
    out
}

/// Relative luminance (WCAG 2).
fn luminance(colour: [f64; 3]) -> f64 {
    let linear =
        colour.map(|part| if part <= 0.03928 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) });
    0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
}

fn contrast(one: [f64; 3], two: [f64; 3]) -> f64 {
    let (one, two) = (luminance(one), luminance(two));
    (one.max(two) + 0.05) / (one.min(two) + 0.05)
}

#[test]
fn every_pair_of_text_and_ground_can_be_read_in_both_themes() {
    let surfaces = ["bg-app", "bg-surface", "bg-raised", "bg-sunken", "bg-hover", "bg-selected"];
    let mut pairs: Vec<(String, String, f64)> = Vec::new();
    for text in ["fg-1", "fg-2", "fg-3", "accent", "st-idle", "st-live", "st-ok", "st-warn", "st-bad"] {
        pairs.extend(surfaces.map(|ground| (text.to_owned(), ground.to_owned(), 4.5)));
    }
    for state in ["idle", "live", "ok", "warn", "bad"] {
        for text in [format!("st-{state}"), "fg-1".to_owned(), "fg-2".to_owned()] {
            pairs.push((text, format!("st-{state}-bg"), 4.5));
        }
    }
    pairs.push(("accent-on".to_owned(), "accent-fill".to_owned(), 4.5));
    for part in ["line-control", "focus", "ch-1", "ch-2"] {
        pairs.extend(surfaces[..4].iter().map(|ground| (part.to_owned(), (*ground).to_owned(), 3.0)));
    }
    let css = fs::read_to_string(root().join("styles/tokens.css")).unwrap();
    for selector in [":root, [data-theme=\"dark\"]", "\n[data-theme=\"light\"]"] {
        let tokens = theme(&css, selector);
        for (text, ground, floor) in &pairs {
            let found = contrast(tokens[text], tokens[ground]);
            assert!(found >= *floor, "{text} on {ground} in {selector}: {found:.2} is below {floor}");
        }
    }
}

#[test]
fn nothing_but_the_tokens_names_a_colour() {
    for file in files(&root(), &["css", "rs", "svg"]) {
        if file.ends_with("styles/tokens.css")
            || file.ends_with("favicon.svg")
            || file.ends_with("tests/tokens.rs")
        {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        for (number, line) in text.lines().enumerate() {
            let named = ["rgb(", "rgba(", "hsl(", "oklch("].iter().any(|word| line.contains(word));
            assert!(!named && !has_hex(line), "{}:{}: {line}", file.display(), number + 1);
        }
    }
}

#[test]
fn no_element_is_given_a_style_attribute_for_our_policy_ignores_it() {
    for file in files(&root().join("src"), &["rs"]) {
        let text = fs::read_to_string(&file).unwrap();
        let found = text.lines().position(|line| line.contains(" style={") || line.contains(" style=\""));
        assert_eq!(found, None, "{}", file.display());
    }
    let index = fs::read_to_string(root().join("index.html")).unwrap();
    assert!(!index.contains("<style") && !index.contains("style="), "index.html holds a style of its own");
    assert!(!index.contains("<script>"), "index.html holds a script of its own");
}

/// Whether a line holds `#` and three to eight hex digits that are a colour and not a fragment or a format.
fn has_hex(line: &str) -> bool {
    line.match_indices('#').any(|(at, _)| {
        let rest = &line[at + 1..];
        let length = rest.bytes().take_while(u8::is_ascii_hexdigit).count();
        let ends = rest[length..].chars().next().is_none_or(|next| !next.is_alphanumeric() && next != '-');
        matches!(length, 3 | 4 | 6 | 8) && ends && rest[..length].bytes().any(|byte| byte.is_ascii_digit())
    })
}

fn files(folder: &Path, extensions: &[&str]) -> Vec<PathBuf> {
    let mut out = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if !path.ends_with("dist") && !path.ends_with("target") && !path.ends_with(".stage") {
                out.extend(files(&path, extensions));
            }
        } else if path.extension().is_some_and(|found| extensions.iter().any(|one| found == *one)) {
            out.push(path);
        }
    }
    out
}
