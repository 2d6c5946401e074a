//! Digests: `sha256:<64 hex>`, the one form in which this product names bytes.

use crate::canonical::{self, NotCanonical};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

/// The text before the hex digits.
pub const PREFIX: &str = "sha256:";

/// The digest of some bytes, `sha256:<64 hex>`.
pub fn of_bytes(bytes: &[u8]) -> String {
    format!("{PREFIX}{}", hex_of_bytes(bytes))
}

/// The 64 hex digits alone.
pub fn hex_of_bytes(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// The digest of the canonical JSON of a value.
pub fn of_value<T: Serialize + ?Sized>(value: &T) -> Result<String, NotCanonical> {
    Ok(of_bytes(&canonical::to_vec(value)?))
}

/// Whether a text has the form `sha256:<64 lower-case hex>`.
pub fn is_digest(text: &str) -> bool {
    text.strip_prefix(PREFIX).is_some_and(|hex| {
        hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    })
}

/// The digest of bytes that come in pieces.
#[derive(Debug, Clone, Default)]
pub struct Hasher(Sha256);

impl Hasher {
    /// Takes the next piece.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of all pieces, `sha256:<64 hex>`.
    pub fn finish(self) -> String {
        format!("{PREFIX}{}", hex::encode(self.0.finalize()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OF_ABC: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn the_known_answer_comes_whole_or_in_pieces() {
        assert_eq!(of_bytes(b"abc"), OF_ABC);
        let mut hasher = Hasher::default();
        hasher.update(b"a");
        hasher.update(b"bc");
        assert_eq!(hasher.finish(), OF_ABC);
    }

    #[test]
    fn only_lower_case_sha256_is_a_digest() {
        assert!(is_digest(OF_ABC));
        for wrong in ["", "sha256:", &OF_ABC[7..], &OF_ABC.to_uppercase(), &OF_ABC[..70], "sha512:ab"] {
            assert!(!is_digest(wrong), "{wrong}");
        }
    }

    #[test]
    fn equal_values_have_equal_digests_whatever_their_order() {
        let one: serde_json::Value = serde_json::from_str(r#"{"b":1,"a":2}"#).unwrap();
        let two: serde_json::Value = serde_json::from_str(r#"{"a":2,"b":1}"#).unwrap();
        assert_eq!(of_value(&one).unwrap(), of_value(&two).unwrap());
    }
}
