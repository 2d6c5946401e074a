//! Conformance of servers: cases that any server of the worker contract has to stand, in the words of `WORKER.md`. Each
//! has an id that stays, so that an implementation can say which it does not stand yet.
//!
//! Every case makes its own job type, so that cases do not disturb each other or anybody else at the server.

mod cases;
mod stage;

pub use cases::CASES;
pub use stage::Stage;

use crate::client::Client;
use futures::future::BoxFuture;

/// One case.
#[derive(Clone, Copy)]
pub struct Case {
    /// `S01`, `S02`, …; never given to another case.
    pub id: &'static str,
    /// What has to hold.
    pub title: &'static str,
    pub(crate) run: fn(Stage) -> BoxFuture<'static, Result<(), String>>,
}

impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Case").field("id", &self.id).field("title", &self.title).finish_non_exhaustive()
    }
}

/// The digest of a payload as every lease tells it: of its canonical form.
pub fn digest_of(payload: &serde_json::Value) -> String {
    stella_bundle::digest::of_value(payload).unwrap_or_default()
}

/// What came of one case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The case's id.
    pub id: &'static str,
    /// What has to hold.
    pub title: &'static str,
    /// Why it does not; `None` when it does.
    pub broken: Option<String>,
}

/// Tries the cases against the server of this client, one after another. Its token needs the scopes `worker`,
/// `orch:submit`, `orch:read` and `orch:operate`.
pub async fn run(client: &Client, wanted: &[String]) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for case in CASES.iter().filter(|case| wanted.is_empty() || wanted.iter().any(|id| id == case.id)) {
        let broken = match Stage::open(client.clone(), case.id).await {
            Ok(stage) => (case.run)(stage).await.err(),
            Err(error) => Some(error),
        };
        verdicts.push(Verdict { id: case.id, title: case.title, broken });
    }
    verdicts
}
