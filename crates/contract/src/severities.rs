//! Several severities in one filter: words with commas between them, any of which will do.

use crate::error::UnknownWord;
use crate::finding::Severity;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::str::FromStr;

/// Severities of which one is enough; never empty, the worst first, each once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Severities(Vec<Severity>);

impl Severities {
    /// These; none when there are none.
    pub fn of(severities: impl IntoIterator<Item = Severity>) -> Option<Self> {
        let mut all: Vec<Severity> = severities.into_iter().collect();
        all.sort_unstable_by_key(|severity| std::cmp::Reverse(*severity));
        all.dedup();
        (!all.is_empty()).then_some(Self(all))
    }
    /// Each of them, the worst first.
    pub fn all(&self) -> &[Severity] {
        &self.0
    }
}

impl From<Severity> for Severities {
    fn from(one: Severity) -> Self {
        Self(vec![one])
    }
}

impl std::fmt::Display for Severities {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, severity) in self.0.iter().enumerate() {
            let glue = if at == 0 { "" } else { "," };
            write!(f, "{glue}{severity}")?;
        }
        Ok(())
    }
}

impl FromStr for Severities {
    type Err = UnknownWord;
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let read: Result<Vec<Severity>, UnknownWord> =
            text.split(',').map(|word| word.trim().parse()).collect();
        Self::of(read?).ok_or_else(|| UnknownWord { kind: "Severity", word: text.to_owned() })
    }
}

impl Serialize for Severities {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Severities {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for Severities {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        let words = Severity::ALL.iter().map(|word| word.as_str()).collect::<Vec<_>>().join("|");
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .pattern(Some(format!("^({words})(,({words}))*$")))
            .examples(["critical,high"])
            .build()
            .into()
    }
}
#[cfg(feature = "openapi")]
impl utoipa::ToSchema for Severities {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_words_are_read_in_any_order_and_told_the_worst_first() {
        let read: Severities = "high, critical,high".parse().unwrap();
        assert_eq!(read.all(), [Severity::Critical, Severity::High]);
        assert_eq!(read.to_string(), "critical,high");
        assert_eq!(serde_json::to_string(&read).unwrap(), r#""critical,high""#);
        assert_eq!(serde_json::from_str::<Severities>(r#""critical,high""#).unwrap(), read);
    }

    #[test]
    fn a_word_that_is_none_is_refused_by_its_name() {
        let refused = "critical,dire".parse::<Severities>().unwrap_err();
        assert_eq!(refused.word, "dire");
        assert!("".parse::<Severities>().is_err());
        assert_eq!(Severities::of([]), None);
    }
}
