//! A page that waits to be opened: a link or a notification names it, the interface takes it when it is there.

use std::sync::Mutex;

/// At most one route; the latest wins.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    route: Mutex<Option<String>>,
}

impl Pending {
    /// Leaves a route for the interface.
    pub(crate) fn put(&self, route: String) {
        *self.slot() = Some(route);
    }

    /// Takes it; a second call finds nothing.
    pub(crate) fn take(&self) -> Option<String> {
        self.slot().take()
    }

    /// A lock is poisoned only by a panic between two plain assignments, which there is none of; what it holds is sound.
    fn slot(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.route.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_route_is_taken_once() {
        let pending = Pending::default();
        assert_eq!(pending.take(), None);
        pending.put("/ops/a".to_owned());
        pending.put("/ops/b".to_owned());
        assert_eq!(pending.take().as_deref(), Some("/ops/b"));
        assert_eq!(pending.take(), None);
    }
}
