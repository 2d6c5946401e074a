//! Canonical JSON (RFC 8785): the same value is the same bytes on every machine.

use serde::Serialize;

/// A value that has no canonical form, for instance one that holds a number JSON cannot carry.
#[derive(Debug, thiserror::Error)]
#[error("the value has no canonical JSON form: {0}")]
pub struct NotCanonical(#[from] serde_json::Error);

/// The canonical bytes of a value.
pub fn to_vec<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, NotCanonical> {
    // Through a `Value` first, so that the wish of one type's serializer cannot change the form.
    let value = serde_json::to_value(value)?;
    Ok(serde_json_canonicalizer::to_vec(&value)?)
}

/// The canonical text of a value.
pub fn to_string<T: Serialize + ?Sized>(value: &T) -> Result<String, NotCanonical> {
    let value = serde_json::to_value(value)?;
    Ok(serde_json_canonicalizer::to_string(&value)?)
}

/// The canonical text of a value that was never of another type.
pub fn text_of(value: &serde_json::Value) -> Result<String, NotCanonical> {
    Ok(serde_json_canonicalizer::to_string(value)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn keys_are_sorted_by_utf16_and_blanks_are_gone() {
        let value = json!({ "b": [1, 2.50, "ü\n"], "a": { "z": null, "\u{1F600}": 1, "\u{FB33}": 2 } });
        assert_eq!(
            to_string(&value).unwrap(),
            "{\"a\":{\"z\":null,\"\u{1F600}\":1,\"\u{FB33}\":2},\"b\":[1,2.5,\"ü\\n\"]}"
        );
    }

    #[test]
    fn the_order_in_which_a_value_was_read_does_not_show() {
        let one: Value = serde_json::from_str(r#"{"x": 1, "a": 1e2}"#).unwrap();
        let two: Value = serde_json::from_str(r#"{ "a":100, "x":1.0 }"#).unwrap();
        assert_eq!(to_vec(&one).unwrap(), to_vec(&two).unwrap());
    }
}
