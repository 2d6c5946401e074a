//! Why attempts fail.

use crate::words;

words! {
    /// Why an attempt failed, in the categories of spec 4.2; they decide whether it is tried again.
    ErrorClass {
        /// The far side said: too many requests (429).
        UpstreamThrottle = "upstream_throttle",
        /// The far side failed (5xx).
        UpstreamError = "upstream_error",
        /// The far side refused what was asked (4xx other than 401, 403 and 429).
        UpstreamClient = "upstream_client",
        /// The far side could not be reached or broke off: DNS, connect, TLS, reset.
        Network = "network",
        /// The attempt ran over its limit.
        Timeout = "timeout",
        /// The worker vanished.
        LeaseLost = "lease_lost",
        /// Well-formed, but not of the agreed shape.
        SchemaMismatch = "schema_mismatch",
        /// Bytes that are not well-formed.
        ParseError = "parse_error",
        /// It breaks a rule of ours for what comes in; a feed that came empty or shrank is one.
        Validation = "validation",
        /// Not allowed there: 401, 403, a credential that ran out.
        Auth = "auth",
        /// A digest or a signature does not fit.
        Integrity = "integrity",
        /// No disk, no memory, or the store failed.
        Resource = "resource",
        /// It needs the network, and the network is sealed.
        OfflineBlocked = "offline_blocked",
        /// A fault of ours, or unknown.
        Internal = "internal",
    }
}

impl ErrorClass {
    /// Whether another attempt may help without anybody changing anything.
    pub const fn is_retryable(self) -> bool {
        match self {
            Self::UpstreamThrottle
            | Self::UpstreamError
            | Self::Network
            | Self::Timeout
            | Self::LeaseLost
            | Self::Resource => true,
            Self::UpstreamClient
            | Self::SchemaMismatch
            | Self::ParseError
            | Self::Validation
            | Self::Auth
            | Self::Integrity
            | Self::OfflineBlocked
            | Self::Internal => false,
        }
    }
}
