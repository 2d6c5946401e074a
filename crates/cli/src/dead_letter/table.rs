//! Entries, causes, mutes and figures of the dead letter as tables.

use crate::table::{Table, or_dash};
use stella_contract::dead_letter::{
    Cluster, DeadLetter, DeadLetterBatch, DeadLetterDetail, DeadLetterStats, Mute, ReplayStarted,
};
use stella_contract::time::Micros;

pub(super) fn of_many(entries: &[DeadLetter]) -> Table {
    Table::new(&[
        "ENTRY",
        "STATE",
        "CATEGORY",
        "CODE",
        "TYPE",
        "CAUSE",
        "ATTEMPTS",
        "REPLAYS",
        "FAILED AT",
        "OWNER",
    ])
    .rows(entries, |entry| {
        [
            entry.entry_id.to_string(),
            entry.state.to_string(),
            entry.category.to_string(),
            entry.error_code.clone(),
            entry.job_type.clone(),
            entry.fingerprint.clone(),
            entry.attempts.to_string(),
            entry.replay_count.to_string(),
            entry.dead_lettered_at.to_string(),
            or_dash(entry.owner.as_ref()),
        ]
    })
}

pub(super) fn of_detail(detail: &DeadLetterDetail) -> Table {
    let entry = &detail.entry;
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let at = |value: Option<Micros>| value.map(|at| at.to_string()).unwrap_or_default();
    Table::of_one([
        ("id", entry.entry_id.to_string()),
        ("state", entry.state.to_string()),
        ("job", entry.job_id.to_string()),
        ("type", entry.job_type.clone()),
        ("category", entry.category.to_string()),
        ("retryable", entry.retryable.to_string()),
        ("code", entry.error_code.clone()),
        ("message", entry.error_message.clone()),
        ("cause", entry.fingerprint.clone()),
        ("alike", detail.alike.to_string()),
        ("host", text(&entry.host)),
        ("status", entry.http_status.map(|status| status.to_string()).unwrap_or_default()),
        ("source", entry.source_id.as_ref().map(ToString::to_string).unwrap_or_default()),
        ("run", entry.run_id.as_ref().map(ToString::to_string).unwrap_or_default()),
        ("attempts", entry.attempts.to_string()),
        ("first failed", entry.first_failed_at.to_string()),
        ("failed at", entry.dead_lettered_at.to_string()),
        ("replays", entry.replay_count.to_string()),
        ("last replay", entry.last_replay_job_id.as_ref().map(ToString::to_string).unwrap_or_default()),
        ("owner", text(&entry.owner)),
        ("due", at(entry.due_at)),
        ("resolution", entry.resolution.map(|code| code.to_string()).unwrap_or_default()),
        ("resolved by", text(&entry.resolved_by)),
        ("resolved at", at(entry.resolved_at)),
        ("note", text(&entry.note)),
        ("payload", detail.payload.to_string()),
    ])
}

pub(super) fn of_mutes(mutes: &[Mute]) -> Table {
    Table::new(&["CAUSE", "UNTIL", "BY", "SINCE", "REASON"]).rows(mutes, |mute| {
        [
            mute.fingerprint.clone(),
            mute.until.map_or_else(|| "for good".to_owned(), |until| until.to_string()),
            mute.muted_by.clone(),
            mute.muted_at.to_string(),
            or_dash(mute.reason.as_ref()),
        ]
    })
}

pub(super) fn of_clusters(clusters: &[Cluster]) -> Table {
    Table::new(&[
        "CAUSE",
        "COUNT",
        "OPEN",
        "RETRYABLE",
        "CATEGORY",
        "TYPE",
        "HOST",
        "SOURCES",
        "LAST SEEN",
        "SAMPLE",
    ])
    .rows(clusters, |cluster| {
        [
            cluster.fingerprint.clone(),
            cluster.count.to_string(),
            cluster.open.to_string(),
            format!("{:.0} %", cluster.retryable_share * 100.0),
            cluster.category.to_string(),
            cluster.job_type.clone(),
            or_dash(cluster.host.as_ref()),
            cluster.source_count.to_string(),
            cluster.last_seen_at.to_string(),
            cluster.sample.chars().take(80).collect(),
        ]
    })
}

pub(super) fn of_stats(stats: &DeadLetterStats) -> Table {
    let common = stats.most_common.as_ref();
    Table::of_one([
        ("health", stats.health.to_string()),
        ("open", stats.open.to_string()),
        ("retryable", stats.retryable.to_string()),
        ("unacknowledged", stats.unacknowledged.to_string()),
        ("oldest", stats.oldest_open_at.map(|at| at.to_string()).unwrap_or_default()),
        ("most common", common.map(|one| format!("{} ({})", one.error_code, one.count)).unwrap_or_default()),
        ("its cause", common.map(|one| one.fingerprint.clone()).unwrap_or_default()),
        ("added in 24 h", stats.added24h.to_string()),
        ("replaying", stats.replaying.to_string()),
        ("replayed", stats.replayed.to_string()),
        ("resolved", stats.resolved.to_string()),
    ])
}

pub(super) fn of_started(started: &ReplayStarted) -> Table {
    Table::of_one([
        ("entry", started.entry.entry_id.to_string()),
        ("state", started.entry.state.to_string()),
        ("replays", started.entry.replay_count.to_string()),
        ("job", started.job.job_id.to_string()),
        ("job state", started.job.state.to_string()),
    ])
}

pub(super) fn of_batch(batch: &DeadLetterBatch) -> Table {
    if batch.dry_run {
        let preview = &batch.preview;
        let left: Vec<String> =
            preview.left_out.iter().map(|one| format!("{} {}", one.count, one.why)).collect();
        let categories: Vec<String> =
            preview.by_category.iter().map(|one| format!("{} {}", one.count, one.category)).collect();
        return Table::of_one([
            ("selected", preview.count.to_string()),
            ("can be repeated", preview.replayable.to_string()),
            ("can be closed", preview.resolvable.to_string()),
            ("left out", left.join(", ")),
            ("by category", categories.join(", ")),
            ("paced over", format!("{} s", preview.paced_over_s)),
            ("selection hash", preview.selection_hash.clone()),
        ]);
    }
    Table::new(&["ENTRY", "OUTCOME", "JOB"]).rows(&batch.results, |one| {
        [one.entry_id.to_string(), one.outcome.clone(), or_dash(one.job_id.as_ref())]
    })
}
