//! Examples of the API document. A test reads each body with the type it stands for.

use serde_json::{Value, json};
use stella_contract::error::Code;

/// A body of this schema.
pub(crate) fn body(schema: &str) -> Option<Value> {
    Some(match schema {
        "SubmitJob" => json!({
            "jobType": "demo.wait", "priority": 75, "payload": { "ms": 250 }, "idempotencyKey": "nightly-2026-11-21",
        }),
        "StartRun" => json!({
            "mode": "analysis-only", "kevFirst": true,
            "scope": { "kind": "selector", "namespaces": ["payments"], "repositories": [], "labels": { "tier": "1" } },
        }),
        "RetryRun" => json!({ "onlyFailed": true }),
        "PreviewRequest" => json!({ "purls": ["pkg:pypi/django@4.2.1"], "vulnIds": ["CVE-2023-36053"] }),
        "AddQuota" => json!({ "jobType": "ingest.advisory", "maxActive": 4, "maxPerHour": 120, "burst": 10 }),
        "ChangeQuota" => json!({ "maxActive": 2, "revertAt": "2026-11-21T18:00:00.000Z" }),
        "PauseQuota" => json!({ "until": "2026-11-21T18:00:00.000Z" }),
        "WhatIf" => json!({ "jobType": "scan.segment", "maxActive": 8 }),
        "AddBreaker" => json!({ "kind": "job_type", "key": "scan.segment", "state": "open" }),
        "AddBlackout" => json!({
            "targets": [{ "kind": "host", "key": "api.example" }], "cron": "30 1 * * *", "durationS": 7200,
            "timeZone": "Europe/Vienna", "action": "hold", "drainBeforeS": 600,
        }),
        "LimitPool" => json!({ "pool": "in-process", "limit": 8 }),
        "OverrideBucket" => json!({ "rate": 0.5, "until": "2026-11-21T18:00:00.000Z" }),
        "AddSource" => json!({
            "name": "known exploited", "sourceType": "kev", "location": "/srv/feeds/known_exploited_vulnerabilities.json",
        }),
        "RunSource" => json!({ "force": false }),
        "UpdateSource" => json!({ "version": 3, "fetchWindowS": 7200, "overlapS": 600, "enabled": true }),
        "ResetWatermark" => json!({ "lowWatermark": "2026-11-01T00:00:00.000Z" }),
        "SkipWindow" => json!({ "end": "2026-11-21T13:00:00.000Z" }),
        "CreateBackfill" => json!({
            "sourceId": "src_019aa6e1-0000-7000-8000-000000000000", "from": "2026-10-01T00:00:00.000Z",
            "to": "2026-11-01T00:00:00.000Z", "windowS": 86400, "order": "oldest_first", "reprocess": "none",
            "maxActive": 2, "bucketShare": 0.25, "overlapPolicy": "buffer_all", "dryRun": false,
        }),
        "StartBackfill" => json!({
            "previewDigest": "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        }),
        "ReplayDeadLetter" => json!({ "payload": { "n": 2 }, "force": false }),
        "ResolveDeadLetter" => json!({ "resolution": "fixed_upstream", "note": "The feed answers again." }),
        "AcknowledgeDeadLetter" => json!({ "owner": "ada", "note": "Asked the feed's owner." }),
        "SelectDeadLetters" => json!({ "filter": { "state": "open", "fingerprint": "5f1c0a9b7e2d4c68" } }),
        "BatchReplay" => json!({
            "filter": { "state": "open", "fingerprint": "5f1c0a9b7e2d4c68" }, "selectionHash": "9f86d081…",
        }),
        "BatchResolve" => json!({
            "ids": ["dl_019aa6e1-0000-7000-8000-000000000000"], "dryRun": true, "resolution": "obsolete",
            "note": "Superseded by the new feed.",
        }),
        "MuteCause" => json!({ "fingerprint": "5f1c0a9b7e2d4c68", "until": "2026-11-22T06:00:00.000Z" }),
        "UnmuteCause" => json!({ "fingerprint": "5f1c0a9b7e2d4c68" }),
        "NoteIncident" | "ResolveIncident" => json!({ "note": "The far side was down from 14:02 to 14:20." }),
        "MakeSchedule" => json!({
            "name": "nightly-registry", "cron": "30 2 * * *", "timezone": "Europe/Sofia", "mode": "analysis-only",
            "scope": { "kind": "selector", "namespaces": ["payments"], "repositories": [], "labels": {} },
            "overlapPolicy": "buffer_one", "limits": { "parallelism": 4, "targetsPerMinute": 600 },
            "notify": { "minSeverity": "high", "onKev": true },
        }),
        "ChangeSchedule" => json!({ "cron": "0 3 * * MON-FRI", "jitterS": 60 }),
        "PauseSchedule" => json!({ "resumeAt": "2027-11-21T22:10:00.000Z" }),
        "TriggerSchedule" => json!({ "allowOverlap": false }),
        "PreviewSchedule" => json!({ "cron": "30 2 * * *", "timezone": "Europe/Sofia" }),
        "MakeSlo" => json!({
            "name": "Ingests succeed", "sli": "job_success", "target": 0.995, "jobType": "ingest.advisory",
        }),
        "ChangeSlo" => json!({ "target": 0.99, "enabled": false }),
        "SetFeature" => json!({ "enabled": false }),
        "AddPolicy" => json!({ "source": POLICY, "note": "first rules" }),
        "CheckPolicy" => json!({ "source": POLICY }),
        "PromotePolicy" => json!({ "followUp": true, "mode": "analysis-only" }),
        "ChangeTrigger" => {
            json!({ "enabled": true, "mode": "analysis-only", "scope": "changed", "minIntervalS": 300 })
        }
        "OpenSession" => json!({ "oneTimeToken": "sto_5f1c…" }),
        _ => return None,
    })
}

/// A policy of two rules.
const POLICY: &str = "rules:\n  - name: exploited\n    when: kev && fixed\n    verdict: block\n    reason: exploited, and a fix is there\n  - name: accepted until the new year\n    when: target.labels.team == 'till' && severityLevel < 3\n    verdict: ignore\n    reason: behind the counter\n    expires: 2026-12-31\n";

/// The value of a parameter of this name.
pub(crate) fn parameter(name: &str) -> Option<Value> {
    Some(match name {
        "page_size" => json!(50),
        "cursor" | "after" => json!(41),
        "maxWaitMs" => json!(25_000),
        "purl" => json!("pkg:pypi/django@4.2.1"),
        "vulnerability" => json!("CVE-2023-36053"),
        _ => return None,
    })
}

/// A page token.
pub(crate) const PAGE_TOKEN: &str = "eyJmIjoiNmIxZiIsImsiOlsxNzk1MjcxMjk1XX0";

/// A sentence that comes with the code.
pub(crate) const fn sentence(code: Code) -> &'static str {
    match code {
        Code::BadRequest => "The body is not JSON: expected value at line 2, column 14.",
        Code::PageTokenInvalid => {
            "The page token is damaged or belongs to other filters. Start again from the first page."
        }
        Code::ReasonRequired => "A change under `runs.manage` is written down with its reason. Give one.",
        Code::ReasonTooLong => "A reason holds at most 256 characters, a ticket at most 128.",
        Code::TicketRequired => "A change under `orch:operate` names the ticket it belongs to. Give one.",
        Code::Unauthenticated => {
            "The token is unknown, expired or was taken back. Make one with `stella token create`."
        }
        Code::TenantRequired => "Which tenant is meant? Name it in the header `X-Stella-Tenant`.",
        Code::ScopeMissing => "This needs the scope `orch:operate`, which the caller does not have.",
        Code::ReadOnly => "This connection may only read. Ask its owner for more.",
        Code::NotFound => "There is no run `run:acme:20261121T090000Z:9c1f04ab` in this tenant.",
        Code::JobNotFound => "There is no job `job_019aa6e1-0000-7000-8000-000000000000` in this tenant.",
        Code::InvalidTransition => "The job is succeeded; `cancel` is not possible then.",
        Code::LeaseLost => {
            "The lease is no longer this worker's; the job went to another. Discard the result."
        }
        Code::AlreadyFinished => "The job already ended with another outcome. Discard the result.",
        Code::IdempotencyInProgress => {
            "A request with this idempotency key is being answered. Repeat it in a moment."
        }
        Code::IdempotencyKeyReused => {
            "The idempotency key was used with another body. Use a fresh key for a new request."
        }
        Code::FilterInvalid => {
            "`state:asleep` at 1: expected one of pending, queued, leased, running, succeeded, failed, timed_out, cancelled, skipped."
        }
        Code::SelectionChanged => "4 of the 63 selected changed since the dry run. Run the dry run again.",
        Code::DeadletterNotOpen => "The dead-letter entry is resolved. Reopen it first.",
        Code::ForceRequired => "The entry was repeated 5 times. Say `force` to repeat it all the same.",
        Code::Conflict => "The name `known exploited` is taken. Choose another.",
        Code::PreviewStale => "The impact index moved on since the preview. Preview again.",
        Code::BackfillOverlapsLive => {
            "The range ends after 2026-11-21T13:55:00.000Z; what is newer is read live. End it there or earlier."
        }
        Code::BackfillOverlap => {
            "The backfill bf_019aa6e1-0000-7000-8000-000000000000 is at work on a part of this range. Wait for it, or cancel it."
        }
        Code::BackfillTooLarge => {
            "That is 1464 windows; a backfill has at most 1000, of at most 366 days. Ask for less, or for longer windows."
        }
        Code::BackfillBeyondRetention => {
            "The source keeps 365 days, back to 2025-11-21T14:32:08.000Z. Begin there or later."
        }
        Code::SourceDisabled => "The source is switched off. Switch it on first.",
        Code::SourcePaused => "The source is paused. Resume it first.",
        Code::RunNotTerminal => "The run is still open. Wait for its end, or cancel it first.",
        Code::CooldownActive => {
            "The segment failed at 2026-11-21T14:08:15.000Z and rests for another 42 s. Retry it then."
        }
        Code::FeatureOff => {
            "`runs.retry.enabled` is switched off on this ledger; Settings or `stella features set` switch it on."
        }
        Code::VersionMismatch => "The source changed since it was read. Read it again.",
        Code::PayloadTooLarge => {
            "The body is larger than the 1048576 bytes that this path takes. Send less at once."
        }
        Code::UnsupportedMediaType => {
            "The body is said to be `text/plain`. Send JSON with `Content-Type: application/json`."
        }
        Code::Invalid => "The body cannot be used: unknown field `colour` at `colour`.",
        Code::CronInvalid => "`25` is no hour: 0 to 23, `*`, and lists, ranges and steps of these.",
        Code::KeyInvalid => "`CVE-20` is neither a package URL nor a vulnerability id. Correct it.",
        Code::SbomInvalid => "The SBOM cannot be read: `components` is not a list. Export it again.",
        Code::SbomUnsupported => "CycloneDX 1.1 is not read here. Export it as 1.4 or newer.",
        Code::PolicyInvalid => {
            "The policy cannot be read: line 4: rule `exploited`: there is no variable `kve`. Mend it and add it again."
        }
        Code::FeedInvalid => "The feed cannot be read at all. Check its location.",
        Code::FeedSuspicious => {
            "The feed shrank by more than half and was not taken. Look at it, then run the source with `force`."
        }
        Code::SourceUnreachable => {
            "The source's place cannot be reached. Check its location and the network."
        }
        Code::DagCycle => "These jobs would wait for each other: job_1, job_2, job_1. Leave one edge out.",
        Code::DagCrossTenant => "An edge joins jobs of one tenant only. Name jobs of this tenant.",
        Code::DagTooLarge => "A graph holds at most 10000 jobs and 50000 edges. Split it.",
        Code::ArtifactDigestMismatch => "The bytes do not have the digest that was said. Send them again.",
        Code::RateLimited => "Too many requests. Come back after the time in `retryAfterMs`.",
        Code::Backpressure => {
            "The queue is too deep for priority 10. Submit with priority 25 or more, or come back later."
        }
        Code::Starting => "The core is starting. Try again in a moment.",
        Code::SealedMode => "The network is sealed. Import a kit, or lift the seal.",
        Code::LedgerUnavailable => "The ledger did not answer in time. Try again in a moment.",
        Code::LedgerLocked => {
            "Another process holds this ledger. Close it, or connect to it with its address and a token."
        }
        Code::LedgerNewer => {
            "A newer version wrote this ledger. Install that version or open another ledger."
        }
        Code::LedgerOtherSchema => "Another build made this ledger. Open it with that build.",
        Code::LedgerNotOne => "This is not a ledger of ours, or it is damaged. Choose another place.",
        Code::NoSpace => "The disk of the ledger is full. Free some room; nothing was lost.",
        Code::NotWritable => "The ledger's place cannot be written. Check its path and permissions.",
        Code::Corrupt => "A stored row cannot be read; the trace id finds which one in the log.",
        Code::Internal => "Something inside the product failed; the trace id finds it in the log.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::de::DeserializeOwned;
    use stella_contract::preview::PreviewRequest;
    use stella_contract::run::StartRun;
    use stella_contract::session::OpenSession;
    use stella_contract::source::{AddSource, RunSource};

    fn read<T: DeserializeOwned + utoipa::ToSchema>() {
        let example = body(&T::name()).expect("there is an example");
        let outcome = serde_json::from_value::<T>(example);
        assert!(outcome.is_ok(), "{}: {:?}", T::name(), outcome.err());
    }

    #[test]
    fn every_example_can_be_read_as_what_it_stands_for() {
        read::<stella_contract::job::SubmitJob>();
        read::<StartRun>();
        read::<PreviewRequest>();
        read::<AddSource>();
        read::<RunSource>();
        read::<stella_contract::source::UpdateSource>();
        read::<stella_contract::watermark::ResetWatermark>();
        read::<stella_contract::watermark::SkipWindow>();
        read::<stella_contract::backfill::CreateBackfill>();
        read::<stella_contract::backfill::StartBackfill>();
        read::<OpenSession>();
        read::<stella_contract::schedule::MakeSchedule>();
        read::<stella_contract::schedule::ChangeSchedule>();
        read::<stella_contract::schedule::PauseSchedule>();
        read::<stella_contract::schedule::TriggerSchedule>();
        read::<stella_contract::schedule::PreviewSchedule>();
        read::<stella_contract::slo::MakeSlo>();
        read::<stella_contract::slo::ChangeSlo>();
        read::<stella_contract::policy::AddPolicy>();
        read::<stella_contract::policy::CheckPolicy>();
        read::<stella_contract::policy::PromotePolicy>();
        read::<stella_contract::trigger::ChangeTrigger>();
    }
}
