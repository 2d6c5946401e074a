//! What others send after they published: signed, recent, each export once, and at a bounded pace.

use super::{Triggers, follow, note_by};
use crate::caller::Caller;
use crate::change::By;
use crate::error::Error;
use crate::impact;
use crate::runs::start::{self, SetOff};
use hmac::{Hmac, KeyInit, Mac};
use serde::de::DeserializeOwned;
use serde_json::json;
use sha2::Sha256;
use std::collections::BTreeSet;
use stella_bundle::digest;
use stella_contract::error::Code;
use stella_contract::history::Actor;
use stella_contract::ids::{RunId, Tenant};
use stella_contract::job::Cause;
use stella_contract::run::{RunMode, RunScope, StartRun};
use stella_contract::time::Micros;
use stella_contract::trigger::{AdvisoryExport, TriggerKind, VexExport, WebhookTaken};
use stella_ledger::triggers::{self, NewDelivery};
use stella_ledger::{LedgerError, Tx};

/// What was signed longer ago is not taken.
const OLDEST_MS: i64 = 15 * 60 * 1_000;
/// Clocks may differ by so much.
const AHEAD_MS: i64 = 5 * 60 * 1_000;
/// Exports taken per minute.
const PER_MINUTE: i64 = 120;
const MINUTE_MS: i64 = 60 * 1_000;
/// The longest id of an export, in characters.
const LONGEST_ID: usize = 200;
/// What a signature begins with.
const SCHEME: &str = "sha256=";

/// Something that was sent, as it came in.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Whom it is for.
    pub tenant: Tenant,
    /// What it is about.
    pub kind: TriggerKind,
    /// The signature it came with.
    pub signature: Option<String>,
    /// The raw body.
    pub body: Vec<u8>,
}

/// What an export says, whatever its kind.
struct Said {
    export_id: String,
    issued_at: Micros,
    purls: Vec<String>,
    vuln_ids: Vec<String>,
}

impl Triggers {
    /// Takes what was sent and starts the run over what it touches. Its signature says who sends it, so that no scope is
    /// asked for.
    pub async fn deliver(&self, delivery: Delivery) -> Result<WebhookTaken, Error> {
        let (tenant, kind, now) = (delivery.tenant.clone(), delivery.kind, self.engine.now());
        let row = self
            .engine
            .ledger()
            .read::<_, LedgerError, _>(move |tx| {
                Box::pin(async move { triggers::get(tx, &tenant, kind).await })
            })
            .await?;
        let secret = row.and_then(|row| row.secret);
        if !is_signed(secret.as_deref(), delivery.signature.as_deref(), &delivery.body) {
            return Err(unsigned());
        }
        let said = read(kind, &delivery.body)?;
        refuse_old(&said, now)?;
        let write = self
            .engine
            .ledger()
            .write(move |tx| Box::pin(async move { take(tx, &delivery, said, now).await }));
        write.await
    }
}

fn is_signed(secret: Option<&str>, signature: Option<&str>, body: &[u8]) -> bool {
    let (Some(secret), Some(signature)) = (secret, signature) else { return false };
    let Some(bytes) = signature.trim().strip_prefix(SCHEME).and_then(|text| hex::decode(text).ok()) else {
        return false;
    };
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return false };
    mac.update(body);
    // It takes as long for a wrong signature as for a right one.
    mac.verify_slice(&bytes).is_ok()
}

/// One refusal for every cause, so that nobody learns which tenants and secrets there are.
fn unsigned() -> Error {
    let sentence = "The signature is missing or wrong, or there is no such webhook. Sign the raw body with HMAC-SHA256 \
                    and the webhook's secret, and send it as `X-Stella-Signature: sha256=<hex>`.";
    Error::new(Code::Unauthenticated, sentence)
}

fn read(kind: TriggerKind, body: &[u8]) -> Result<Said, Error> {
    match kind {
        TriggerKind::Concelier => {
            let export: AdvisoryExport = json_of(body)?;
            Ok(Said {
                export_id: export.export_id,
                issued_at: export.issued_at,
                purls: export.changed_product_keys,
                vuln_ids: export.kev,
            })
        }
        TriggerKind::Excititor => {
            let export: VexExport = json_of(body)?;
            let ids: BTreeSet<String> =
                export.changed_claims.into_iter().map(|claim| claim.vulnerability_id).collect();
            Ok(Said {
                export_id: export.export_id,
                issued_at: export.issued_at,
                purls: Vec::new(),
                vuln_ids: ids.into_iter().collect(),
            })
        }
    }
}

fn json_of<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(body).map_err(|error| {
        Error::new(Code::BadRequest, format!("The export cannot be read: {error}. See the API document."))
    })
}

fn refuse_old(said: &Said, now: Micros) -> Result<(), Error> {
    let length = said.export_id.chars().count();
    if !(1..=LONGEST_ID).contains(&length) || said.export_id.chars().any(char::is_control) {
        return Err(Error::invalid("exportId", format!("1 to {LONGEST_ID} characters on one line")));
    }
    let age_ms = now.ms_since(said.issued_at);
    if !(-AHEAD_MS..=OLDEST_MS).contains(&age_ms) {
        let sentence = "The export was signed more than 15 minutes ago, or in the future. Sign it again now.";
        return Err(Error::new(Code::Unauthenticated, sentence));
    }
    impact::keys(&said.purls, &said.vuln_ids).map(|_| ())
}

async fn take(tx: &mut Tx, delivery: &Delivery, said: Said, now: Micros) -> Result<WebhookTaken, Error> {
    let (tenant, kind) = (&delivery.tenant, delivery.kind);
    let body_digest = digest::of_bytes(&delivery.body);
    if let Some(before) = triggers::delivery(tx, tenant, kind, &said.export_id).await? {
        if before.body_digest != body_digest {
            let sentence = "This export came before with another body. Give each export its own id.";
            return Err(Error::new(Code::IdempotencyKeyReused, sentence));
        }
        let run_id: RunId = before
            .run_id
            .parse()
            .map_err(|_| LedgerError::corrupt("webhook_deliveries", "run_id", &said.export_id))?;
        return Ok(WebhookTaken { export_id: said.export_id, run_id, replayed: true });
    }
    let (count, first) = triggers::deliveries_since(tx, tenant, kind, now.minus_ms(MINUTE_MS)).await?;
    if count >= PER_MINUTE {
        let wait = first.map_or(MINUTE_MS, |first| (MINUTE_MS - now.ms_since(first)).max(1_000));
        let sentence = format!("{PER_MINUTE} exports were taken within a minute. Send them again later.");
        return Err(Error::new(Code::RateLimited, sentence)
            .with_retry_after_ms(u64::try_from(wait).unwrap_or_default()));
    }
    let mode = triggers::get(tx, tenant, kind).await?.map_or(RunMode::AnalysisOnly, |row| row.mode);
    let wish = StartRun {
        mode,
        scope: RunScope::Keys { purls: said.purls, vuln_ids: said.vuln_ids },
        kev_first: false,
        priority: None,
        preview_id: None,
        allow_stale: false,
        policy_snapshot_id: None,
        segment_size: None,
    };
    let key = format!("webhook:{kind}:{}", said.export_id);
    let caller = sender(delivery, &said.export_id, &key);
    let set_off =
        SetOff { trigger: follow::trigger_of(kind), detail: Some(format!("export {}", said.export_id)) };
    let new = start::new_run(&caller, set_off, wish, Some(&key), now)?;
    let by = By { actor: actor(kind), cause: caller.cause.clone() };
    let run_id = start::ask(tx, new, &by, now).await?.run.run_id;
    let new = NewDelivery { export_id: &said.export_id, body_digest: &body_digest, run_id: &run_id };
    triggers::take(tx, tenant, kind, new, now).await?;
    let told = json!({ "kind": kind, "exportId": said.export_id, "runId": run_id });
    let who = (actor(kind), caller.cause.clone(), key);
    note_by(tx, tenant, who, kind, "scheduler.webhook.taken", told, now);
    Ok(WebhookTaken { export_id: said.export_id, run_id, replayed: false })
}

fn actor(kind: TriggerKind) -> Actor {
    Actor { subject: format!("webhook/{kind}"), scopes: Vec::new() }
}

/// The one who asks: whoever holds the secret.
fn sender(delivery: &Delivery, export_id: &str, key: &str) -> Caller {
    Caller {
        tenant: delivery.tenant.clone(),
        subject: format!("webhook/{}", delivery.kind),
        scopes: BTreeSet::new(),
        read_only: false,
        correlation_id: key.to_owned(),
        cause: Cause { reason: Some(format!("Export {export_id} was published")), ticket: None },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_secret_over_these_very_bytes_signs() {
        // RFC 4231, test case 2.
        let (secret, body) = ("Jefe", b"what do ya want for nothing?");
        let signature = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert!(is_signed(Some(secret), Some(signature), body));
        assert!(is_signed(Some(secret), Some(&format!(" {signature} ")), body));
        assert!(!is_signed(Some("jefe"), Some(signature), body));
        assert!(!is_signed(Some(secret), Some(signature), b"what do ya want for nothing"));
        assert!(!is_signed(Some(secret), Some(&signature[7..]), body));
        assert!(!is_signed(Some(secret), Some("sha256=zz"), body));
        assert!(!is_signed(None, Some(signature), body));
        assert!(!is_signed(Some(secret), None, body));
    }
}
