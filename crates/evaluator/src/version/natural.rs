//! Natural numbers of any length: a version may carry a date with a time and more digits than 64 bits hold.

/// A natural number. The derived order is the numeric one: small before large, and large ones by their
/// count of digits first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Natural {
    Small(u64),
    Large(usize, Box<str>),
}

impl Natural {
    /// Reads ASCII digits; none at all is zero. `None` when anything else is in the text.
    pub(super) fn parse(digits: &str) -> Option<Self> {
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let significant = digits.trim_start_matches('0');
        if significant.is_empty() {
            return Some(Self::Small(0));
        }
        Some(
            significant
                .parse()
                .map_or_else(|_| Self::Large(significant.len(), significant.into()), Self::Small),
        )
    }

    pub(super) const ZERO: Self = Self::Small(0);

    pub(super) const fn is_zero(&self) -> bool {
        matches!(self, Self::Small(0))
    }
}

/// Splits the leading ASCII digits off a text.
pub(super) fn leading_digits(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().take_while(u8::is_ascii_digit).count())
}

/// Drops the zeros at the end, so that `1`, `1.0` and `1.0.0` are one value.
pub(super) fn trim_zeros(numbers: &mut Vec<Natural>) {
    while numbers.last().is_some_and(Natural::is_zero) {
        numbers.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_beyond_64_bits_keep_their_order() {
        let of = |text| Natural::parse(text).unwrap();
        assert!(of("9") < of("10"));
        assert!(of("18446744073709551615") < of("18446744073709551616"));
        assert!(of("99999999999999999999") < of("100000000000000000000"));
        assert_eq!(of("007"), of("7"));
        assert_eq!(Natural::parse("1a"), None);
    }
}
