//! The only place that makes random values.

/// A number from 0.0 up to, but not including, 1.0.
pub fn share() -> f64 {
    js_sys::Math::random()
}

/// An idempotency key nobody else has.
pub fn key() -> String {
    let word = || (share() * f64::from(u32::MAX)) as u32;
    format!("ui-{:08x}{:08x}{:08x}{:08x}", word(), word(), word(), word())
}

/// A number that is told once.
pub fn count() -> u32 {
    thread_local! { static NEXT: std::cell::Cell<u32> = const { std::cell::Cell::new(1) }; }
    NEXT.with(|next| {
        next.set(next.get().wrapping_add(1));
        next.get()
    })
}
