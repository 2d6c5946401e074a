//! Points in time: integer microseconds since the epoch inside, RFC 3339 with milliseconds and `Z` outside.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// Microseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Micros(pub i64);

/// 0000-01-01T00:00:00Z.
const FIRST_US: i64 = -62_167_219_200_000_000;
/// 9999-12-29T23:59:59.999Z.
const LAST_US: i64 = 253_402_127_999_999_000;

impl Micros {
    /// Later by so many milliseconds; saturates.
    pub const fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms.saturating_mul(1_000)))
    }
    /// Earlier by so many milliseconds; saturates.
    pub const fn minus_ms(self, ms: i64) -> Self {
        self.plus_ms(-ms)
    }
    /// Milliseconds from `earlier` to here; negative when `earlier` is later.
    pub const fn ms_since(self, earlier: Self) -> i64 {
        (self.0 - earlier.0) / 1_000
    }
    /// The form of run ids: `YYYYMMDDTHHMMSSZ`.
    pub fn basic(self) -> String {
        let text = self.to_string();
        text[..19].chars().filter(|c| *c != '-' && *c != ':').chain(['Z']).collect()
    }
    /// Reads RFC 3339 with any offset.
    pub fn parse(text: &str) -> Option<Self> {
        let stamp: jiff::Timestamp = text.parse().ok()?;
        Some(Self(stamp.as_microsecond()))
    }
}

impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // RFC 3339 knows the years 0 to 9999; what lies beyond is as far away as can be said.
        let sayable = self.0.clamp(FIRST_US, LAST_US);
        match jiff::Timestamp::from_microsecond(sayable.div_euclid(1_000) * 1_000) {
            Ok(stamp) => write!(f, "{stamp:.3}"),
            Err(_) => Err(fmt::Error),
        }
    }
}

impl Serialize for Micros {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Micros {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Self::parse(&text)
            .ok_or_else(|| serde::de::Error::custom(format!("`{text}` is not an RFC 3339 time")))
    }
}

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for Micros {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .format(Some(utoipa::openapi::SchemaFormat::KnownFormat(utoipa::openapi::KnownFormat::DateTime)))
            .description(Some("RFC 3339, UTC, milliseconds"))
            .build()
            .into()
    }
}
#[cfg(feature = "openapi")]
impl utoipa::ToSchema for Micros {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wire_form_has_milliseconds_and_z() {
        let at = Micros(1_795_271_295_204_999);
        assert_eq!(at.to_string(), "2026-11-21T14:28:15.204Z");
        assert_eq!(at.basic(), "20261121T142815Z");
        assert_eq!(Micros::parse("2026-11-21T16:28:15.204+02:00"), Some(Micros(1_795_271_295_204_000)));
        assert_eq!(serde_json::to_string(&at).unwrap(), "\"2026-11-21T14:28:15.204Z\"");
        assert_eq!(Micros(0).to_string(), "1970-01-01T00:00:00.000Z");
        assert_eq!(Micros(i64::MIN).to_string(), "0000-01-01T00:00:00.000Z");
        assert_eq!(Micros(i64::MAX).to_string(), "9999-12-29T23:59:59.999Z");
    }
}
