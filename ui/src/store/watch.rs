//! What makes an answer old: events of the feed, or time.

use stella_contract::event::{FeedBatch, FeedEvent};

/// Which events make an answer old.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Watch {
    entities: Vec<&'static str>,
    id: Option<String>,
    every_s: u32,
}

impl Watch {
    /// None: only the operator asks again.
    pub fn none() -> Self {
        Self::default()
    }
    /// Every event about one of these nouns: `job`, `run`, `segment`, `source`, `target`.
    pub fn of(entities: &[&'static str]) -> Self {
        Self { entities: entities.to_vec(), ..Self::default() }
    }
    /// The same, but only of the thing with this id, or of the run with this id.
    pub fn only(mut self, id: impl std::fmt::Display) -> Self {
        self.id = Some(id.to_string());
        self
    }
    /// The same, and old by itself after so many seconds: for what changes without an event, such as heartbeats.
    pub fn every(mut self, seconds: u32) -> Self {
        self.every_s = seconds;
        self
    }
    /// After how many seconds the answer is old by itself; 0 for never.
    pub fn seconds(&self) -> u32 {
        self.every_s
    }
    /// Whether an event makes the answer old.
    pub fn matches(&self, event: &FeedEvent) -> bool {
        self.entities.contains(&event.entity.as_str())
            && self.id.as_ref().is_none_or(|id| {
                event.id == *id || event.run_id.as_ref().is_some_and(|run| run.as_str() == id)
            })
    }
    /// How many events of a batch make the answer old; a reset counts as one.
    pub fn count(&self, batch: &FeedBatch) -> usize {
        let known = batch.events.iter().filter(|event| self.matches(event)).count();
        known + usize::from(batch.reset && !self.entities.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stella_contract::time::Micros;

    #[test]
    fn an_answer_about_one_run_grows_old_by_its_segments_and_by_nothing_else() {
        let event: FeedEvent = serde_json::from_str(
            r#"{"seq":8,"type":"scheduler.segment.done","entity":"segment","id":"seg_1","tenant":"acme",
                "runId":"run:acme:20261121T140815Z:9c1f04ab","correlationId":"c",
                "at":"2026-11-21T14:28:15.204Z","data":{}}"#,
        )
        .unwrap();
        let watch = Watch::of(&["run", "segment"]);
        assert!(watch.matches(&event));
        assert!(watch.clone().only("run:acme:20261121T140815Z:9c1f04ab").matches(&event));
        assert!(!watch.only("run:acme:20261121T140815Z:00000000").matches(&event));
        assert!(!Watch::of(&["job"]).matches(&event));
        let reset = FeedBatch { events: vec![], cursor: 1, reset: true, now: Micros(0) };
        assert_eq!(Watch::of(&["job"]).count(&reset), 1);
        assert_eq!(Watch::none().count(&reset), 0);
    }
}
