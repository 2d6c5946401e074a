//! Follow-up runs: their rules, and what others send.

use crate::describe::Operation;
use crate::desk::{Desk, Hall};
use crate::handlers::Answered;
use crate::refusal::Refusal;
use crate::reply::{Answer, Paged};
use crate::take::{Asking, Id, Json, Matching, Taken};
use serde_json::json;
use stella_contract::error::Code;
use stella_contract::page::Page;
use stella_contract::trigger::{
    AdvisoryExport, ChangeTrigger, SIGNATURE_HEADER, Trigger, TriggerKind, VexExport, WebhookSecret,
    WebhookTaken,
};
use stella_engine::Delivery;

pub(crate) async fn list(desk: Desk) -> Answered<Paged<Trigger>> {
    let items = desk.engine.triggers().list(&desk.caller).await?;
    let total_estimate = u64::try_from(items.len()).ok();
    Ok(Paged(Page { items, next_page_token: None, total_estimate }))
}

pub(crate) async fn change(
    desk: Desk,
    Id(kind): Id<TriggerKind>,
    (Json(wish), matching): (Json<ChangeTrigger>, Matching),
) -> Answered<Answer<Trigger>> {
    Ok(Answer::of(desk.engine.triggers().change(&desk.caller, kind, wish, matching.version).await?))
}

pub(crate) async fn rotate_secret(desk: Desk, Id(kind): Id<TriggerKind>) -> Answered<Answer<WebhookSecret>> {
    Ok(Answer::of(desk.engine.triggers().rotate_secret(&desk.caller, kind).await?))
}

pub(crate) async fn deliver(hall: Hall, Sent(delivery): Sent) -> Answered<Answer<WebhookTaken, 202>> {
    let engine = hall.slot.demand()?;
    let taken = engine.triggers().deliver(delivery).await?;
    let replayed = taken.replayed;
    Ok(Answer::of(taken).replayed_if(replayed))
}

/// What somebody sent, byte for byte, with the signature it came with.
pub(crate) struct Sent(Delivery);

impl Taken for Sent {
    fn take(asking: &Asking) -> Result<Self, Refusal> {
        let part = |place: usize| asking.path.get(place).map_or("", |(_, value)| value.as_str());
        let unknown = || {
            Refusal::new(Code::NotFound, "There is no such webhook. Copy its address from Follow-up runs.")
        };
        let signature = asking.headers.get(SIGNATURE_HEADER).and_then(|value| value.to_str().ok());
        Ok(Self(Delivery {
            tenant: part(0).parse().map_err(|_| unknown())?,
            kind: part(1).parse().map_err(|_| unknown())?,
            signature: signature.map(str::to_owned),
            body: asking.body.to_vec(),
        }))
    }
    fn describe(operation: &mut Operation) {
        operation.id::<stella_contract::ids::Tenant>();
        operation.id::<TriggerKind>();
        operation.parameters.push(json!({
            "name": "X-Stella-Signature", "in": "header", "required": false,
            "schema": { "type": "string", "pattern": "^sha256=[0-9a-f]{64}$" },
            "description": "`sha256=` and the HMAC-SHA256 of the raw body under the webhook's secret, in hex; without it \
                            the answer is 401.",
        }));
        operation.needs::<AdvisoryExport>();
        operation.needs::<VexExport>();
        operation.body = Some(json!({
            "required": true,
            "content": { "application/json": { "schema": { "oneOf": [
                { "$ref": "#/components/schemas/AdvisoryExport" },
                { "$ref": "#/components/schemas/VexExport" },
            ] } } },
        }));
    }
}
