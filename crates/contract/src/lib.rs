//! The words of Stella Operator: identifiers, states, the arrows between them, wire types, paths, scopes and
//! error codes.
//!
//! This crate decides nothing about storage, transport or time. It holds serde types and pure functions only,
//! builds for wasm, and every other crate speaks in its terms. One file is about one noun.
//!
//! | file | holds |
//! |---|---|
//! | `ids`, `time`, `page`, `error`, `scope` | what every noun needs |
//! | `job`, `run`, `segment` | life cycles: states, events, `next(state, event)` and the views |
//! | `edge`, `dag`, `lineage` | what a job waits for, the graph of that, a job and its repeats |
//! | `schedule`, `cron_words` | when runs start by themselves, and that in plain words |
//! | `lease` | what workers and the server say to each other |
//! | `watermark`, `backfill`, `vex` | how far a source is read, what is read again, what is said of products |
//! | `source`, `target`, `finding`, `delta`, `preview` | what comes in and what comes out |
//! | `quota`, `throttle`, `breaker`, `blackout`, `pressure`, `blocker` | what holds jobs back, and why one is not running |
//! | `worker`, `artifact`, `history`, `event` | who did it, what it left, what was written down, what is told live |
//! | `stats`, `slo`, `gantt`, `cloud_event` | how it is doing: figures, objectives, a run over time, events for others |
//! | `filter`, `filter_value` | the one grammar of filters |
//! | `change_set`, `saved_view` | one verb on many things; views kept under a name |
//! | `dead_letter`, `incident` | what failed for good, and what needs attention |
//! | `kept` | how much of what happens is kept, and for how long |
//! | `overview`, `session` | what the first page and the frame show |
//! | `run_trends`, `run_alert`, `run_export` | runs over a day, what is wrong with them, what is taken away of them |
//! | `feature` | what can be switched off |
//! | `route` | every page of the UI, both ways, and the legacy aliases |
//! | `api` | every endpoint of the server: method, path, scope |

#![warn(missing_docs)]

pub mod api;
pub mod artifact;
pub mod backfill;
pub mod blackout;
pub mod blocker;
pub mod breaker;
pub mod change_set;
pub mod cloud_event;
pub mod cron_words;
pub mod dag;
pub mod dead_letter;
pub mod delta;
pub mod edge;
pub mod error;
pub mod event;
pub mod feature;
pub mod filter;
pub mod filter_value;
pub mod finding;
pub mod gantt;
pub mod history;
pub mod ids;
pub mod incident;
pub mod job;
pub mod kept;
pub mod lease;
pub mod lineage;
mod object;
pub mod overview;
pub mod page;
pub mod policy;
pub mod pressure;
pub mod preview;
pub mod quota;
pub mod route;
pub mod run;
pub mod run_alert;
pub mod run_diff;
pub mod run_export;
pub mod run_trends;
pub mod saved_view;
pub mod schedule;
pub mod scope;
pub mod segment;
pub mod session;
pub mod severities;
pub mod slo;
pub mod source;
pub mod stats;
pub mod target;
pub mod throttle;
pub mod time;
pub mod trigger;
pub mod vex;
pub mod watermark;
pub mod worker;

/// A state has no arrow for this event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{entity} in state {state} does not accept {event}")]
pub struct NoSuchArrow {
    /// The noun: `job`, `run` or `segment`.
    pub entity: &'static str,
    /// The state it is in, as spelled on the wire.
    pub state: &'static str,
    /// The event that was refused, as spelled on the wire.
    pub event: &'static str,
}

/// Declares a closed set of words: an enum, its spelling on the wire and in the ledger, and the list of all.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident $(as $shown:literal)? { $($(#[$vmeta:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name { $($(#[$vmeta])* #[serde(rename = $text)] $variant),+ }

        // Written out, because a derive that runs inside a macro does not see what the words are renamed to.
        #[cfg(feature = "openapi")]
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                let text = utoipa::openapi::ObjectBuilder::new().schema_type(utoipa::openapi::schema::Type::String);
                text.enum_values(Some(Self::ALL.iter().map(|word| word.as_str()))).build().into()
            }
        }
        #[cfg(feature = "openapi")]
        impl utoipa::ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                let shown: &[&'static str] = &[$($shown,)? stringify!($name)];
                std::borrow::Cow::Borrowed(shown[0])
            }
        }

        impl $name {
            /// Every member, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word as it stands on the wire, in the ledger and in the UI.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::error::UnknownWord;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::ALL.iter().copied().find(|word| word.as_str() == text).ok_or_else(|| {
                    $crate::error::UnknownWord { kind: stringify!($name), word: text.to_owned() }
                })
            }
        }
    };
}
pub(crate) use words;
