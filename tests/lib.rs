//! What the system tests share: inputs of our own making, and the product started as a program.
//!
//! * `it/` speaks HTTP, to a router in process under a test clock, or to `stella serve` as a program.
//! * `browser/` opens the pages of `stella serve` in Chromium.
//! * `desktop/` opens the real window.

#![allow(clippy::unwrap_used, missing_docs, reason = "support of tests: a panic is the report")]

#[path = "support/aliases.rs"]
pub mod aliases;
#[path = "support/axe.rs"]
pub mod axe;
#[path = "support/chromium.rs"]
pub mod chromium;
#[path = "support/door.rs"]
pub mod door;
#[path = "support/family.rs"]
pub mod family;
#[path = "support/fixtures.rs"]
pub mod fixtures;
#[path = "support/hand.rs"]
pub mod hand;
#[path = "support/large/mod.rs"]
pub mod large;
#[path = "support/many.rs"]
pub mod many;
#[path = "support/places.rs"]
pub mod places;
#[path = "support/repair.rs"]
pub mod repair;
#[path = "support/served.rs"]
pub mod served;
