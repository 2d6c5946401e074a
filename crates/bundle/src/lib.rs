//! The seal: bytes that are the same on every machine.
//!
//! It is canonical JSON, digests and deterministic archives. It is not a reader of files, a clock or a network:
//! readers and writers are handed in.
//!
//! * [`canonical`] – RFC 8785 JSON.
//! * [`digest`] – `sha256:<64 hex>`.
//! * [`archive`] – a tar whose bytes depend on nothing but the names and contents.

pub mod archive;
pub mod canonical;
pub mod digest;
