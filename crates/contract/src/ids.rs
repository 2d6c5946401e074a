//! Identifiers: a type prefix and a UUIDv7, or, for runs, `run:{tenant}:{time}:{8 hex}` (spec 00 §0.3, 05 §5.3).

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A text that is not an identifier of the kind asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a {kind} id: expected `{expected}`")]
pub struct IdInvalid {
    /// The noun.
    pub kind: &'static str,
    /// What was given.
    pub text: String,
    /// The shape that was expected.
    pub expected: &'static str,
}

/// Says to the API document what the text looks like.
macro_rules! text_schema {
    ($name:ident, $pattern:expr, $example:expr) => {
        #[cfg(feature = "openapi")]
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                let text =
                    utoipa::openapi::ObjectBuilder::new().schema_type(utoipa::openapi::schema::Type::String);
                text.pattern(Some($pattern)).examples([$example]).build().into()
            }
        }
        #[cfg(feature = "openapi")]
        impl utoipa::ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                std::borrow::Cow::Borrowed(stringify!($name))
            }
        }
    };
}

/// Declares one identifier type per line: name, prefix, noun.
macro_rules! ids {
    ($($(#[$meta:meta])* $name:ident, $prefix:literal, $noun:literal;)+) => { $(
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        text_schema!(
            $name,
            concat!("^", $prefix, "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"),
            concat!($prefix, "019aa6e1-0000-7000-8000-000000000000")
        );

        impl $name {
            /// The text every id of this kind starts with.
            pub const PREFIX: &'static str = $prefix;
            /// Puts the prefix before a UUID that the engine made.
            pub fn from_uuid(uuid: &str) -> Self { Self(format!("{}{}", $prefix, uuid)) }
            /// The whole identifier.
            pub fn as_str(&self) -> &str { &self.0 }
            /// The UUID behind the prefix, hyphenated lower-case hex.
            pub fn uuid(&self) -> &str { &self.0[$prefix.len()..] }
        }

        impl FromStr for $name {
            type Err = IdInvalid;
            fn from_str(text: &str) -> Result<Self, IdInvalid> {
                text.to_owned().try_into()
            }
        }
        impl TryFrom<String> for $name {
            type Error = IdInvalid;
            fn try_from(text: String) -> Result<Self, IdInvalid> {
                if text.strip_prefix($prefix).is_some_and(is_uuid) {
                    return Ok(Self(text));
                }
                Err(IdInvalid { kind: $noun, text, expected: concat!($prefix, "<uuid>") })
            }
        }
        impl From<$name> for String { fn from(id: $name) -> Self { id.0 } }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&self.0) }
        }
    )+ };
}

ids! {
    /// A job.
    JobId, "job_", "job";
    /// One lease of one job by one worker.
    LeaseId, "lease_", "lease";
    /// An entry of the history or of the live feed.
    EventId, "evt_", "event";
    /// A source of advisories, SBOMs or lists.
    SourceId, "src_", "source";
    /// A backfill.
    BackfillId, "bf_", "backfill";
    /// One slice of a run's targets; it is one job.
    SegmentId, "seg_", "segment";
    /// A stored output of a job.
    ArtifactId, "art_", "artifact";
    /// A worker.
    WorkerId, "wrk_", "worker";
    /// One SBOM under one image digest or name and version.
    TargetId, "tgt_", "target";
    /// A kept answer of "what would this run touch?".
    PreviewId, "prv_", "preview";
    /// An entry of the dead letter; its UUID is that of the job that failed.
    DeadLetterId, "dl_", "dead-letter entry";
    /// An incident.
    IncidentId, "inc_", "incident";
    /// A bearer token (never the secret itself).
    TokenId, "tok_", "token";
    /// One verb on a selection.
    ChangeSetId, "chg_", "change-set";
    /// A page and its query under a name.
    ViewId, "view_", "view";
    /// A quota.
    QuotaId, "quo_", "quota";
    /// A throttle.
    ThrottleId, "thr_", "throttle";
    /// A circuit breaker.
    BreakerId, "brk_", "breaker";
    /// A blackout.
    BlackoutId, "blk_", "blackout";
    /// The token bucket of a host.
    BucketId, "bkt_", "bucket";
    /// A service level objective.
    SloId, "slo_", "objective";
    /// A schedule.
    ScheduleId, "sch_", "schedule";
    /// One promotion of a policy snapshot.
    PromotionId, "prm_", "promotion";
}

/// Whether the text has the 8-4-4-4-12 shape of lower-case hex.
fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
        })
}

/// The name of a tenant: `[a-z0-9][a-z0-9-]{0,62}`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Tenant(String);

text_schema!(Tenant, "^[a-z0-9][a-z0-9-]{0,62}$", "acme");

impl Tenant {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Tenant {
    type Err = IdInvalid;
    fn from_str(text: &str) -> Result<Self, IdInvalid> {
        text.to_owned().try_into()
    }
}
impl TryFrom<String> for Tenant {
    type Error = IdInvalid;
    fn try_from(text: String) -> Result<Self, IdInvalid> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let first = text.bytes().next().is_some_and(plain);
        if first && text.len() <= 63 && text.bytes().all(|byte| plain(byte) || byte == b'-') {
            return Ok(Self(text));
        }
        Err(IdInvalid { kind: "tenant", text, expected: "lower-case letters, digits and hyphens" })
    }
}
impl From<Tenant> for String {
    fn from(tenant: Tenant) -> Self {
        tenant.0
    }
}
impl fmt::Display for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A run: `run:{tenant}:{YYYYMMDDTHHMMSSZ}:{8 hex}`. The same request in the same second is the same run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunId(String);

text_schema!(
    RunId,
    "^run:[a-z0-9][a-z0-9-]{0,62}:[0-9]{8}T[0-9]{6}Z:[0-9a-fA-F]{8}$",
    "run:acme:20261121T140815Z:9c1f04ab"
);

impl RunId {
    /// Puts the three parts together; `stamp` is basic UTC time, `nonce` the first eight hex digits of a SHA-256.
    pub fn from_parts(tenant: &Tenant, stamp: &str, nonce: &str) -> Self {
        Self(format!("run:{tenant}:{stamp}:{nonce}"))
    }
    /// The whole identifier.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RunId {
    type Err = IdInvalid;
    fn from_str(text: &str) -> Result<Self, IdInvalid> {
        let parts: Vec<&str> = text.split(':').collect();
        let sound = match parts.as_slice() {
            ["run", tenant, stamp, nonce] => {
                tenant.parse::<Tenant>().is_ok()
                    && stamp.len() == 16
                    && stamp.bytes().all(|byte| byte.is_ascii_digit() || byte == b'T' || byte == b'Z')
                    && nonce.len() == 8
                    && nonce.bytes().all(|byte| byte.is_ascii_hexdigit())
            }
            _ => false,
        };
        if sound {
            return Ok(Self(text.to_owned()));
        }
        Err(IdInvalid {
            kind: "run",
            text: text.to_owned(),
            expected: "run:<tenant>:<YYYYMMDDTHHMMSSZ>:<8 hex>",
        })
    }
}
impl TryFrom<String> for RunId {
    type Error = IdInvalid;
    fn try_from(text: String) -> Result<Self, IdInvalid> {
        text.parse()
    }
}
impl From<RunId> for String {
    fn from(id: RunId) -> Self {
        id.0
    }
}
impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A policy snapshot: the SHA-256 of its rules in canonical form, so that equal rules are the same snapshot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PolicySnapshotId(String);

text_schema!(
    PolicySnapshotId,
    "^sha256:[0-9a-f]{64}$",
    "sha256:9c1f04ab5d0f7c3e2a1b9c1f04ab5d0f7c3e2a1b9c1f04ab5d0f7c3e2a1b9c1f"
);

impl PolicySnapshotId {
    /// The whole identifier.
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// The first twelve digits, as a short name for the eye.
    pub fn short(&self) -> &str {
        &self.0["sha256:".len()..][..12]
    }
}

impl FromStr for PolicySnapshotId {
    type Err = IdInvalid;
    fn from_str(text: &str) -> Result<Self, IdInvalid> {
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.strip_prefix("sha256:").is_some_and(|hex| hex.len() == 64 && hex.bytes().all(is_hex)) {
            return Ok(Self(text.to_owned()));
        }
        Err(IdInvalid { kind: "policy snapshot", text: text.to_owned(), expected: "sha256:<64 hex>" })
    }
}
impl TryFrom<String> for PolicySnapshotId {
    type Error = IdInvalid;
    fn try_from(text: String) -> Result<Self, IdInvalid> {
        text.parse()
    }
}
impl From<PolicySnapshotId> for String {
    fn from(id: PolicySnapshotId) -> Self {
        id.0
    }
}
impl fmt::Display for PolicySnapshotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_of_another_kind_is_refused_with_the_expected_shape() {
        let error = "src_01890000-0000-7000-8000-000000000000".parse::<JobId>().unwrap_err();
        assert_eq!(error.expected, "job_<uuid>");
        assert!("job_01890000-0000-7000-8000-000000000000".parse::<JobId>().is_ok());
        assert!("job_01890000-0000-7000-8000-00000000000G".parse::<JobId>().is_err());
    }

    #[test]
    fn a_run_id_has_exactly_four_parts() {
        assert!("run:acme:20261121T140815Z:9c1f04ab".parse::<RunId>().is_ok());
        for wrong in
            ["run:acme:20261121T140815Z", "run:Acme:20261121T140815Z:9c1f04ab", "run:a:2026:9c1f04ab", ""]
        {
            assert!(wrong.parse::<RunId>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_tenant_is_lower_case_and_short() {
        assert!("acme-2".parse::<Tenant>().is_ok());
        for wrong in ["", "-a", "Acme", "a b", "a/b", &"a".repeat(64)] {
            assert!(wrong.parse::<Tenant>().is_err(), "{wrong}");
        }
    }
}
