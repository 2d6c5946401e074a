//! A repeated write is the same write: the first answer to each idempotency key is kept for 24 hours.

use crate::caller::Caller;
use crate::engine::Engine;
use crate::error::Error;
use sha2::{Digest, Sha256};
use stella_contract::error::Code;
use stella_contract::time::Micros;
use stella_ledger::idempotency::{self, KeptAnswer, Place};

/// For how long an answer is kept.
pub(crate) const KEPT_MS: i64 = 24 * 60 * 60 * 1_000;
/// A request that has not been answered for so long died with its process.
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

/// The right to answer under a key.
#[derive(Debug)]
#[must_use = "a claim that is neither kept nor released blocks its key for two minutes"]
pub struct Claim {
    place: Place,
    started_at: Micros,
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
        let now = self.engine.now();
        let (wanted, wanted_digest) = (place.clone(), digest.clone());
        let found = self
            .engine
            .ledger()
            .write::<_, Error, _>(move |tx| {
                Box::pin(async move {
                    let (expired, abandoned) = (now.minus_ms(KEPT_MS), now.minus_ms(ABANDONED_MS));
                    if idempotency::claim(tx, &wanted, &wanted_digest, now.0, expired.0, abandoned.0).await? {
                        return Ok(None);
                    }
                    Ok(Some(idempotency::find(tx, &wanted).await?.ok_or_else(in_progress)?))
                })
            })
            .await?;
        match found {
            None => Ok(Begun::First(Claim { place, started_at: now })),
            Some(kept) => answered(kept, &digest).map(Begun::Answered),
        }
    }

    /// Keeps the answer to the first request.
    pub async fn keep(&self, claim: Claim, kept: Kept) -> Result<(), Error> {
        let now = self.engine.now();
        self.engine
            .ledger()
            .write::<_, Error, _>(move |tx| {
                Box::pin(async move {
                    let answer = (i64::from(kept.status), kept.media_type.as_str(), kept.body.as_str());
                    idempotency::keep(tx, &claim.place, claim.started_at.0, answer, now.0).await?;
                    Ok(())
                })
            })
            .await
    }

    /// Gives the key back: the request came to nothing, so the same key may try again.
    pub async fn release(&self, claim: Claim) -> Result<(), Error> {
        self.engine
            .ledger()
            .write::<_, Error, _>(move |tx| {
                Box::pin(async move { Ok(idempotency::release(tx, &claim.place, claim.started_at.0).await?) })
            })
            .await
    }
}

fn answered(kept: KeptAnswer, digest: &str) -> Result<Kept, Error> {
    if kept.body_digest != digest {
        return Err(Error::new(
            Code::IdempotencyKeyReused,
            "The idempotency key was used with another body. Use a fresh key for a new request.",
        ));
    }
    let (Some(status), Some(media_type), Some(body)) = (kept.status, kept.media_type, kept.body) else {
        return Err(in_progress());
    };
    let status = u16::try_from(status).map_err(Error::internal)?;
    Ok(Kept { status, media_type, body })
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
