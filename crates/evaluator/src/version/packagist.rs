//! Composer's normal form (`v` dropped, zeros filled, `+metadata` dropped) in the order of PHP's
//! `version_compare`.

use super::natural::{Natural, leading_digits};

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PackagistVersion(Vec<Token>);

/// The order of declaration is the order PHP gives the forms.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Token {
    Unknown,
    Dev,
    Alpha,
    Beta,
    Candidate,
    End,
    Number(Natural),
    Patch,
}

/// The number Composer gives to the open place in `2.x-dev`.
const OPEN: u64 = 9_999_999;

/// Composer fills every version up to this many numbers.
const PLACES: usize = 4;

impl PackagistVersion {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim_start_matches(['v', 'V']).to_ascii_lowercase();
        let text = text.split('+').next().filter(|text| !text.is_empty())?;
        let (numbers, rest) = split_numbers(text);
        let mut tokens: Vec<Token> = numbers.into_iter().map(Token::Number).collect();
        tokens.extend(words(rest));
        tokens.push(Token::End);
        Some(Self(tokens))
    }
}

fn split_numbers(text: &str) -> (Vec<Natural>, &str) {
    let mut numbers = Vec::with_capacity(4);
    let mut rest = text;
    loop {
        let (digits, after) = leading_digits(rest);
        if !digits.is_empty() {
            numbers.extend(Natural::parse(digits));
            rest = after;
        } else if let Some(after) = rest.strip_prefix(['x', '*']).filter(|_| !numbers.is_empty()) {
            numbers.push(Natural::Small(OPEN));
            rest = after;
        } else {
            break;
        }
        let next = rest.strip_prefix('.').filter(|next| {
            next.starts_with(|c: char| c.is_ascii_digit()) || next.starts_with("x-") || next.starts_with('*')
        });
        match next {
            Some(next) => rest = next,
            None => break,
        }
    }
    while !numbers.is_empty() && numbers.len() < PLACES {
        numbers.push(Natural::ZERO);
    }
    (numbers, rest)
}

fn words(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    for part in text.split(['.', '-', '_', '+']) {
        let mut rest = part;
        while !rest.is_empty() {
            let (digits, after) = leading_digits(rest);
            if !digits.is_empty() {
                tokens.extend(Natural::parse(digits).map(Token::Number));
                rest = after;
                continue;
            }
            let (word, after) = rest.split_at(rest.bytes().take_while(|byte| !byte.is_ascii_digit()).count());
            tokens.extend(word_token(word));
            rest = after;
        }
    }
    tokens
}

/// PHP looks at how a word begins, so `patch` is `p` and `alpha` is `a`; `stable` says nothing.
fn word_token(word: &str) -> Option<Token> {
    if word == "stable" {
        return None;
    }
    let forms = [
        ("dev", Token::Dev),
        ("a", Token::Alpha),
        ("b", Token::Beta),
        ("rc", Token::Candidate),
        ("p", Token::Patch),
    ];
    let form = forms.into_iter().find(|(start, _)| word.starts_with(start));
    Some(form.map_or(Token::Unknown, |(_, token)| token))
}
