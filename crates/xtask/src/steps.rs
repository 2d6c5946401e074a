//! A named step and its seconds.

use anyhow::Result;
use std::time::Instant;

/// Announces a step, does it, and says how long it took.
pub(crate) fn step<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    println!("\n── {name}");
    let started = Instant::now();
    let outcome = work();
    let seconds = started.elapsed().as_secs_f64();
    match &outcome {
        Ok(_) => println!("── {name}: done in {seconds:.1} s"),
        Err(error) => println!("── {name}: FAILED after {seconds:.1} s: {error:#}"),
    }
    outcome
}
