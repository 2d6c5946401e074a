//! Runs, their segments and what they changed, as they are printed.

use crate::table::{Table, or_dash};
use stella_contract::finding::FindingChange;
use stella_contract::preview::Preview;
use stella_contract::run::Run;
use stella_contract::segment::Segment;
use stella_contract::time::Micros;

fn share(run: &Run) -> String {
    run.percent().map_or_else(|| "-".to_owned(), |percent| format!("{percent:.1}%"))
}

pub(crate) fn of_many(runs: &[Run]) -> Table {
    let headings = &["RUN", "STATE", "TRIGGER", "TARGETS", "DONE", "DELTAS", "FINDINGS", "CREATED"];
    Table::new(headings).rows(runs, |run| {
        [
            run.run_id.to_string(),
            run.state.to_string(),
            run.trigger.to_string(),
            run.candidates.to_string(),
            share(run),
            run.deltas.to_string(),
            run.findings.to_string(),
            run.created_at.to_string(),
        ]
    })
}

pub(crate) fn of_one(run: &Run) -> Table {
    let at = |time: Option<Micros>| time.map(|time| time.to_string()).unwrap_or_default();
    let badges: Vec<&str> = run.badges.iter().map(|badge| badge.as_str()).collect();
    let error = run.error_code.map(|code| format!("{} ({code}). {}", code.meaning(), code.next_step()));
    Table::of_one([
        ("run", run.run_id.to_string()),
        ("state", run.state.to_string()),
        ("error", error.unwrap_or_default()),
        ("marks", badges.join(", ")),
        ("mode", run.mode.to_string()),
        ("scope", run.scope.to_string()),
        ("policy", run.policy_snapshot_id.as_ref().map(ToString::to_string).unwrap_or_default()),
        ("policy revision", run.policy_revision.map(|revision| revision.to_string()).unwrap_or_default()),
        ("trigger", run.trigger.to_string()),
        ("schedule", run.schedule_id.as_ref().map(ToString::to_string).unwrap_or_default()),
        ("initiator", run.initiator.clone()),
        ("reason", run.reason.clone().unwrap_or_default()),
        ("ticket", run.ticket.clone().unwrap_or_default()),
        (
            "targets",
            format!("{} of {} ({}), {} failed", run.processed, run.candidates, share(run), run.failed),
        ),
        ("segments", segments_of(run)),
        ("findings", run.findings.to_string()),
        ("deltas", run.deltas.to_string()),
        ("index", run.impact_index_generation.to_string()),
        ("determinism", determinism(run)),
        ("retry of", run.retry_of.as_ref().map(ToString::to_string).unwrap_or_default()),
        ("created", run.created_at.to_string()),
        ("started", at(run.started_at)),
        ("finished", at(run.finished_at)),
        ("correlation", run.correlation_id.clone()),
    ])
}

fn determinism(run: &Run) -> String {
    run.determinism.map_or_else(
        || "not sampled".to_owned(),
        |found| format!("{:.3} of {} segments done once more", found.score, found.sample),
    )
}

fn segments_of(run: &Run) -> String {
    let counts = &run.segments;
    let open = counts.pending + counts.queued + counts.running;
    format!("{} of {} succeeded, {} failed, {open} open", counts.succeeded, counts.total(), counts.failed)
}

pub(crate) fn of_segments(segments: &[Segment]) -> Table {
    let headings = &[
        "SEGMENT", "SHARD", "NO", "STATE", "TARGETS", "DONE", "FAILED", "ATTEMPT", "RETRIES", "DELTAS", "JOB",
    ];
    Table::new(headings).rows(segments, |segment| {
        [
            segment.segment_id.to_string(),
            segment.shard.to_string(),
            segment.ordinal.to_string(),
            segment.state.to_string(),
            segment.target_count.to_string(),
            segment.processed.to_string(),
            segment.failed_targets.to_string(),
            segment.attempt.to_string(),
            segment.retry_count.to_string(),
            segment.deltas.to_string(),
            segment.job_id.to_string(),
        ]
    })
}

pub(crate) fn of_deltas(changes: &[FindingChange]) -> Table {
    let headings = &["CHANGE", "SEVERITY", "WAS", "KEV", "VULNERABILITY", "PURL", "TARGET"];
    Table::new(headings).rows(changes, |change| {
        [
            change.kind.to_string(),
            change.severity.to_string(),
            or_dash(change.severity_before.as_ref()),
            if change.kev { "KEV".to_owned() } else { "-".to_owned() },
            change.vulnerability_id.clone(),
            change.purl.clone(),
            format!("{} {}", change.target_name, change.target_version).trim_end().to_owned(),
        ]
    })
}

pub(crate) fn of_preview(preview: &Preview) -> Table {
    let namespaces: Vec<String> =
        preview.by_namespace.iter().map(|named| format!("{} {}", named.name, named.count)).collect();
    let sample: Vec<String> =
        preview.sample.iter().map(|target| format!("{} {}", target.name, target.version)).collect();
    let duration = preview.estimated_duration_s.map(|seconds| format!("about {seconds} s"));
    Table::of_one([
        ("preview", preview.preview_id.to_string()),
        ("targets", preview.impacted_images.to_string()),
        ("namespaces", namespaces.join(", ")),
        ("segments", preview.estimated_segments.to_string()),
        ("duration", duration.unwrap_or_default()),
        ("KEV hits", preview.kev_hits.to_string()),
        ("unknown", preview.unknown_keys.join(", ")),
        ("sample", sample.join(", ")),
        ("index", preview.index_generation.to_string()),
        ("warnings", preview.warnings.join(" ")),
        ("valid until", preview.valid_until.to_string()),
    ])
}
