//! What a worker says of several jobs at the same time goes to the server in one request.

use crate::client::Client;
use crate::error::Error;
use futures::future::join_all;
use stella_contract::error::Code;
use stella_contract::job::JobState;
use stella_contract::lease::{
    AckLease, AckLeases, CompleteLease, CompleteLeases, LeasePulse, LeaseRefusal, MOST_SAID, NamedCompletion,
    NamedLease, WorkLease,
};
use tokio::sync::{mpsc, oneshot};

type Reply<T> = oneshot::Sender<Result<T, Refused>>;
type Answers<T> = Vec<Result<T, Refused>>;

/// Why something that was said came to nothing.
#[derive(Debug, Clone)]
pub(super) struct Refused {
    /// Whether saying it again may help.
    pub(super) again: bool,
    /// In words.
    pub(super) message: String,
}

impl From<LeaseRefusal> for Refused {
    fn from(refusal: LeaseRefusal) -> Self {
        Self { again: refusal.retryable, message: refusal.message }
    }
}

impl From<&Error> for Refused {
    fn from(error: &Error) -> Self {
        let again = error.problem().is_none_or(|problem| problem.code.status() >= 500);
        Self { again, message: error.to_string() }
    }
}

/// Where attempts say that they begin and that they are done. What comes while a request is on its way shares the next.
#[derive(Clone)]
pub(super) struct Together {
    acks: mpsc::UnboundedSender<(NamedLease, Reply<LeasePulse>)>,
    completions: mpsc::UnboundedSender<(NamedCompletion, Reply<JobState>)>,
}

impl Together {
    /// Begins to listen; it ends with the last of its clones.
    pub(super) fn listen(client: &Client) -> Self {
        let ((acks, acking), (completions, completing)) =
            (mpsc::unbounded_channel(), mpsc::unbounded_channel());
        tokio::spawn(acknowledge(client.clone(), acking));
        tokio::spawn(complete(client.clone(), completing));
        Self { acks, completions }
    }

    /// The job begins.
    pub(super) async fn ack(&self, lease: &WorkLease) -> Result<LeasePulse, Refused> {
        let named = NamedLease { lease_id: lease.lease_id.clone(), lease_epoch: lease.lease_epoch };
        ask(&self.acks, named).await
    }

    /// The job is done.
    pub(super) async fn complete(
        &self,
        lease: &WorkLease,
        complete: CompleteLease,
    ) -> Result<JobState, Refused> {
        ask(&self.completions, NamedCompletion { lease_id: lease.lease_id.clone(), complete }).await
    }
}

async fn ask<W, T>(line: &mpsc::UnboundedSender<(W, Reply<T>)>, wish: W) -> Result<T, Refused> {
    let gone = || Refused { again: false, message: "the worker has ended".to_owned() };
    let (reply, answer) = oneshot::channel();
    line.send((wish, reply)).map_err(|_| gone())?;
    answer.await.map_err(|_| gone())?
}

async fn acknowledge(client: Client, mut waiting: mpsc::UnboundedReceiver<(NamedLease, Reply<LeasePulse>)>) {
    let mut said = Vec::new();
    while waiting.recv_many(&mut said, MOST_SAID).await > 0 {
        let (leases, replies): (Vec<_>, Vec<_>) = said.drain(..).unzip();
        answer(replies, ack_all(&client, leases).await);
    }
}

async fn ack_all(client: &Client, leases: Vec<NamedLease>) -> Answers<LeasePulse> {
    if leases.len() > 1 {
        let heard = client.floor().ack_many(&AckLeases { leases: leases.clone() }).await;
        let answers = heard.map(|heard| {
            heard.leases.into_iter().map(|one| one.pulse.ok_or_else(|| why(one.refused))).collect()
        });
        if let Some(answers) = of_all(answers, leases.len()) {
            return answers;
        }
    }
    let alone = leases.iter().map(|one| async {
        let wish = AckLease { lease_epoch: one.lease_epoch };
        client.floor().ack(&one.lease_id, &wish).await.map_err(|error| Refused::from(&error))
    });
    join_all(alone).await
}

async fn complete(client: Client, mut waiting: mpsc::UnboundedReceiver<(NamedCompletion, Reply<JobState>)>) {
    let mut said = Vec::new();
    while waiting.recv_many(&mut said, MOST_SAID).await > 0 {
        let (leases, replies): (Vec<_>, Vec<_>) = said.drain(..).unzip();
        answer(replies, complete_all(&client, leases).await);
    }
}

async fn complete_all(client: &Client, leases: Vec<NamedCompletion>) -> Answers<JobState> {
    if leases.len() > 1 {
        let heard = client.floor().complete_many(&CompleteLeases { leases: leases.clone() }).await;
        let answers = heard.map(|heard| {
            heard.leases.into_iter().map(|one| one.state.ok_or_else(|| why(one.refused))).collect()
        });
        if let Some(answers) = of_all(answers, leases.len()) {
            return answers;
        }
    }
    let alone = leases.iter().map(|one| async {
        let ended = client.floor().complete(&one.lease_id, &one.complete).await;
        ended.map(|job| job.state).map_err(|error| Refused::from(&error))
    });
    join_all(alone).await
}

fn why(refused: Option<LeaseRefusal>) -> Refused {
    let silent = || Refused { again: true, message: "the server said nothing of it".to_owned() };
    refused.map_or_else(silent, Refused::from)
}

/// The answers of a request that spoke of several; `None` when the server knows no such request and each has to be said
/// by itself.
fn of_all<T>(heard: Result<Answers<T>, Error>, asked: usize) -> Option<Answers<T>> {
    match heard {
        Ok(answers) => Some(answers),
        Err(error) if error.problem().is_some_and(|problem| problem.code == Code::NotFound) => None,
        Err(error) => Some((0..asked).map(|_| Err(Refused::from(&error))).collect()),
    }
}

/// Hands everybody the own answer; those of whom nothing was said may ask again.
fn answer<T>(replies: Vec<Reply<T>>, answers: Answers<T>) {
    let mut answers = answers.into_iter();
    for reply in replies {
        // An attempt that was dropped does not need its answer.
        drop(reply.send(answers.next().unwrap_or_else(|| Err(why(None)))));
    }
}
