//! A repeated write is the same write: the first answer to each idempotency key is kept for 24 hours.

use crate::caller::Caller;
use crate::engine::Engine;
use crate::error::Error;
use crate::line::{self, Line};
use crate::tail;
use futures::FutureExt;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use stella_contract::error::Code;
use stella_contract::time::Micros;
use stella_ledger::idempotency::{self, Answer, KeptAnswer, Place};
use stella_ledger::{BoxFuture, Tx};

/// For how long an answer is kept.
pub(crate) const KEPT_MS: i64 = stella_contract::kept::ANSWERS_H * 60 * 60 * 1_000;
/// A request of another process that has not been answered for so long died with it.
const ABANDONED_MS: i64 = 2 * 60 * 1_000;
/// The longest key, in characters.
const KEY_MAX: usize = 200;

/// What a key says about a request.
#[derive(Debug)]
pub enum Begun {
    /// Nobody asked before: fulfil it, then keep or release.
    First(Claim),
    /// It was answered before.
    Answered(Kept),
}

/// The right to answer under a key. Dropped without an answer, it gives the key back.
#[derive(Debug)]
#[must_use = "a claim that is dropped at once gives its key back"]
pub struct Claim {
    place: Place,
    digest: String,
    started_at: Micros,
    answers: Arc<Answers>,
    /// Whether this process's key is this claim's.
    holds: bool,
}

/// Keys that are being answered, and answers that are on their way into the ledger.
#[derive(Debug, Default)]
pub(crate) struct Answers(Mutex<HashMap<Place, Held>>);

#[derive(Debug)]
struct Held {
    digest: String,
    /// Absent while the request is being answered.
    kept: Option<Kept>,
}

/// An answer that was given before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The HTTP status.
    pub status: u16,
    /// The type of the body.
    pub media_type: String,
    /// The body.
    pub body: String,
}

/// Kept answers.
#[derive(Clone)]
pub struct Idempotency {
    engine: Engine,
}

impl Engine {
    /// Kept answers.
    pub fn idempotency(&self) -> Idempotency {
        Idempotency { engine: self.clone() }
    }
}

impl Idempotency {
    /// Takes the key for the caller's tenant and this path, or says how the first request was answered.
    pub async fn begin(&self, caller: &Caller, path: &str, key: &str, body: &[u8]) -> Result<Begun, Error> {
        let is_plain = key.chars().all(|c| c.is_ascii_graphic());
        if key.is_empty() || key.len() > KEY_MAX || !is_plain {
            let sentence =
                format!("An idempotency key has 1 to {KEY_MAX} visible ASCII characters; a UUID is best.");
            return Err(Error::new(Code::BadRequest, sentence));
        }
        let place = Place {
            tenant: caller.tenant.to_string(),
            path: path.to_owned(),
            idempotency_key: key.to_owned(),
        };
        let digest = hex::encode(Sha256::digest(body));
        let answers = self.engine.answers().clone();
        let busy = match answers.take(&place, &digest) {
            Taken::Free => None,
            Taken::Answered(kept) => return Ok(Begun::Answered(kept)),
            Taken::Busy(refusal) => Some(refusal),
        };
        let claim = Claim { place, digest, started_at: self.engine.now(), answers, holds: busy.is_none() };
        let earlier = match busy {
            // Somebody may hold the key only to find that it was answered long ago; then this one is told so too.
            Some(refusal) => Some(self.found(&claim).await?.ok_or(refusal)?),
            None => self.earlier(&claim).await?,
        };
        match earlier {
            Some(kept) => answered(kept, &claim.digest).map(Begun::Answered),
            None => Ok(Begun::First(claim)),
        }
    }

    /// Keeps the answer to the first request. It holds from now on, and lies in the ledger soon after: the caller of a
    /// write need not wait for a second commit.
    pub fn keep(&self, claim: Claim, kept: Kept) {
        claim.answers.hold(&claim.place, Held { digest: claim.digest.clone(), kept: Some(kept.clone()) });
        let answer = Answer {
            place: claim.place.clone(),
            started_at: claim.started_at.0,
            body_digest: claim.digest.clone(),
            status: i64::from(kept.status),
            media_type: kept.media_type,
            body: kept.body,
        };
        let engine = self.engine.clone();
        let mut stored = async move {
            if let Err(error) = engine.lines().answers.ask(&engine, answer).await {
                tracing::warn!(%error, private = error.private, "an answer could not be kept for its idempotency key");
            }
            // By now the ledger says it; the claim's end forgets it here.
            drop(claim);
        }
        .boxed();
        // The first step puts it into the writer's queue, so that closing the ledger waits for it.
        if stored.as_mut().now_or_never().is_none() {
            tokio::spawn(stored);
        }
    }

    /// Gives the key back: the request came to nothing, so the same key may try again.
    pub async fn release(&self, claim: Claim) -> Result<(), Error> {
        if tail::is_alone(&self.engine) {
            return Ok(());
        }
        let (place, started_at) = (claim.place.clone(), claim.started_at);
        self.engine
            .ledger()
            .write::<_, Error, _>(move |tx| {
                Box::pin(async move { Ok(idempotency::release(tx, &place, started_at.0).await?) })
            })
            .await
    }

    /// What the ledger knows of an earlier request under the key. Where other processes write into the same ledger, the
    /// key is taken there too.
    async fn earlier(&self, claim: &Claim) -> Result<Option<KeptAnswer>, Error> {
        let (place, digest, now) = (claim.place.clone(), claim.digest.clone(), claim.started_at);
        let (expired, abandoned) = (now.minus_ms(KEPT_MS), now.minus_ms(ABANDONED_MS));
        if tail::is_alone(&self.engine) {
            return self.found(claim).await;
        }
        self.engine
            .ledger()
            .write::<_, Error, _>(move |tx| {
                Box::pin(async move {
                    if idempotency::claim(tx, &place, &digest, now.0, expired.0, abandoned.0).await? {
                        return Ok(None);
                    }
                    Ok(Some(idempotency::find(tx, &place).await?.ok_or_else(in_progress)?))
                })
            })
            .await
    }

    /// An answer that lies in the ledger and is not too old.
    async fn found(&self, claim: &Claim) -> Result<Option<KeptAnswer>, Error> {
        let (place, expired) = (claim.place.clone(), claim.started_at.minus_ms(KEPT_MS));
        let found = self.engine.kept_looks().ask(&self.engine, place).await?;
        Ok(found.filter(|kept| kept.started_at >= expired.0 && kept.status.is_some()))
    }
}

/// The line of answers that are to be kept.
pub(crate) type AnswerLine = Line<Answer, ()>;

/// Keeps the answers of requests that ended at the same time.
pub(crate) fn store(engine: Engine, tx: &mut Tx, answers: Vec<Answer>) -> BoxFuture<'_, line::Answers<()>> {
    Box::pin(async move {
        let kept = answers.iter().map(|_| Ok(())).collect();
        idempotency::keep_many(tx, answers, engine.now().0).await?;
        Ok(kept)
    })
}

/// What this process knows of a key.
enum Taken {
    /// Nothing; it is now the caller's.
    Free,
    /// Its first request was answered a moment ago.
    Answered(Kept),
    /// Another request holds it.
    Busy(Error),
}

impl Answers {
    fn take(&self, place: &Place, digest: &str) -> Taken {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match held.get(place) {
            None => {
                held.insert(place.clone(), Held { digest: digest.to_owned(), kept: None });
                Taken::Free
            }
            Some(other) if other.digest != digest => Taken::Busy(reused()),
            Some(same) => same.kept.clone().map_or_else(|| Taken::Busy(in_progress()), Taken::Answered),
        }
    }
    fn hold(&self, place: &Place, held: Held) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(place.clone(), held);
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if !self.holds {
            return;
        }
        self.answers.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.place);
    }
}

fn answered(kept: KeptAnswer, digest: &str) -> Result<Kept, Error> {
    if kept.body_digest != digest {
        return Err(reused());
    }
    let (Some(status), Some(media_type), Some(body)) = (kept.status, kept.media_type, kept.body) else {
        return Err(in_progress());
    };
    let status = u16::try_from(status).map_err(Error::internal)?;
    Ok(Kept { status, media_type, body })
}

fn reused() -> Error {
    Error::new(
        Code::IdempotencyKeyReused,
        "The idempotency key was used with another body. Use a fresh key for a new request.",
    )
}

fn in_progress() -> Error {
    Error::new(
        Code::IdempotencyInProgress,
        "A request with this idempotency key is being answered. Repeat it in a moment.",
    )
    .with_retry_after_ms(1_000)
}

#[cfg(test)]
#[path = "idempotency_tests.rs"]
mod tests;
