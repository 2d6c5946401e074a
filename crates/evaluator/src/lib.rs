//! The eye: reads SBOMs and advisories, knows the order of versions, and says which component has which
//! vulnerability and what changed since the last time.
//!
//! It is pure. It takes bytes and values and gives values; it reads no file, no clock, no network and no
//! database, and equal inputs give equal bytes.
//!
//! Map, in the order a run uses it:
//! * [`sbom`] reads CycloneDX and SPDX into components; [`purl`] and [`ecosystem`] give each its place in OSV's world
//! * [`advisory`] reads OSV feeds and the KEV catalogue
//! * [`index`] holds them by package, read once per generation, and answers which packages a vulnerability is in
//! * [`version`] orders versions per ecosystem; `matching` asks whether one is affected
//! * [`severity`] scores vectors; `vulnerability` merges records over their aliases
//! * [`evaluate`](mod@evaluate) puts components against the index and gives [`finding`]s
//! * [`vex`] reads what is said of products and says what that makes of a finding
//! * [`policy`] reads rules and says what they make of a finding in its target
//! * [`delta`] compares two evaluations
//!
//! Errors about one record ([`error::RecordError`]) never stop the good ones beside it.

pub mod advisory;
pub mod delta;
pub mod ecosystem;
pub mod error;
pub mod evaluate;
pub mod finding;
pub mod index;
mod matching;
pub mod policy;
pub mod purl;
pub mod sbom;
pub mod severity;
pub mod version;
pub mod vex;
mod vulnerability;

pub use advisory::Advisory;
pub use advisory::epss::{EpssList, EpssScore, parse_epss};
pub use advisory::kev::{KevCatalogue, parse_kev};
pub use advisory::osv::{Limits, Parsed, parse_osv, parse_osv_within, parse_record};
pub use delta::{Change, Delta, Standing, Standings, compare, compare_findings, standings};
pub use error::{RecordCode, RecordError};
pub use evaluate::{Evaluation, evaluate};
pub use finding::{Finding, Partial, PartialReason, RawMatch};
pub use index::{Applied, FeedIndex, PackageKey};
pub use policy::{Judgement, Policy, PolicyInputs, PolicyTarget, parse_policy};
pub use purl::Purl;
pub use sbom::{Component, Sbom, SbomFormat, Subject, parse_sbom};
pub use stella_contract::delta::Deltas;
pub use stella_contract::finding::{ChangeKind, ExplainStep, FindingStatus, Severity};
pub use vex::{ParsedVex, VexIndex, parse_vex};
