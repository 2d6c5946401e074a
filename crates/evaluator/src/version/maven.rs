//! Maven's ComparableVersion as a flat list of tokens.
//!
//! The class compares nested lists; its rules come down to one rank per position (pre-release words, the end,
//! `sp`, other words, `-number`, `.number`) once zeros before a word, a hyphen or the end are dropped. Written
//! so, the order is transitive by construction, which the nested form is not in its corners.

use super::natural::Natural;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct MavenVersion(Vec<Token>);

/// One position; the order of declaration is the order of rank.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Token {
    /// alpha, beta, milestone, rc, snapshot.
    Before(u8),
    /// Nothing more: the release itself.
    End,
    /// A service pack.
    ServicePack,
    /// Any other word, in the order of its letters.
    Word(Box<str>),
    /// A number after a hyphen or after letters.
    Hyphened(Natural),
    /// A number after a dot.
    Dotted(Natural),
}

impl MavenVersion {
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return None;
        }
        let mut tokens = tokens(&text.to_lowercase());
        drop_zeros(&mut tokens);
        tokens.push(Token::End);
        Some(Self(tokens))
    }
}

/// Cuts at dots, hyphens and at each change between digits and letters; such a change counts as a hyphen.
fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut hyphened = false;
    for piece in text.split_inclusive(['.', '-']) {
        let (part, separator) = match piece.as_bytes().last() {
            Some(b'.' | b'-') => piece.split_at(piece.len() - 1),
            Some(_) | None => (piece, ""),
        };
        push_part(&mut tokens, part, hyphened);
        hyphened = separator == "-";
    }
    tokens
}

fn push_part(tokens: &mut Vec<Token>, part: &str, hyphened: bool) {
    let mut rest = part;
    let mut hyphened = hyphened;
    loop {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits > 0 || rest.is_empty() {
            let number = Natural::parse(&rest[..digits]).unwrap_or(Natural::ZERO);
            tokens.push(if hyphened { Token::Hyphened(number) } else { Token::Dotted(number) });
            rest = &rest[digits..];
        } else {
            let letters = rest.bytes().take_while(|byte| !byte.is_ascii_digit()).count();
            let (word, after) = rest.split_at(letters);
            tokens.extend(word_token(word, !after.is_empty()));
            rest = after;
        }
        hyphened = true;
        if rest.is_empty() {
            return;
        }
    }
}

/// The words that mean the release itself are no token at all.
fn word_token(word: &str, digit_follows: bool) -> Option<Token> {
    Some(match (word, digit_follows) {
        ("alpha", _) | ("a", true) => Token::Before(0),
        ("beta", _) | ("b", true) => Token::Before(1),
        ("milestone", _) | ("m", true) => Token::Before(2),
        ("rc" | "cr", _) => Token::Before(3),
        ("snapshot", _) => Token::Before(4),
        ("final" | "ga" | "release", _) => return None,
        ("sp", _) => Token::ServicePack,
        (other, _) => Token::Word(other.into()),
    })
}

/// A zero says nothing before a word, before a hyphen and at the end.
fn drop_zeros(tokens: &mut Vec<Token>) {
    for at in (0..tokens.len()).rev() {
        let is_zero =
            matches!(&tokens[at], Token::Dotted(number) | Token::Hyphened(number) if number.is_zero());
        let says_nothing = !matches!(tokens.get(at + 1), Some(Token::Dotted(_)));
        if is_zero && says_nothing {
            tokens.remove(at);
        }
    }
}
