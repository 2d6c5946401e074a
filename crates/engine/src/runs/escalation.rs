//! The text with which somebody else is asked for help: all that is known of a run, and the end of its log, with secrets
//! hidden. It is made here and goes nowhere by itself.

use crate::caller::Caller;
use crate::error::Error;
use crate::redact;
use crate::runs::{Runs, find, view};
use stella_contract::event::RunMessageBody;
use stella_contract::ids::RunId;
use stella_contract::run::Run;
use stella_contract::run_export::RunEscalation;
use stella_contract::scope::Scope;
use stella_contract::segment::{Segment, SegmentState};
use stella_contract::time::Micros;
use stella_ledger::run_messages::{self, MessageRow};
use stella_ledger::{LedgerError, segments};

/// Log lines in the text.
const LINES: usize = 50;
/// Messages in which they are looked for.
const BACK: i64 = stella_contract::kept::RUN_MESSAGES;
/// Failed segments in the text.
const SEGMENTS: i64 = 10;

impl Runs {
    /// A text for whoever is asked for help with a run.
    pub async fn escalation(&self, caller: &Caller, run_id: &RunId) -> Result<RunEscalation, Error> {
        caller.demand(Scope::RunsRead)?;
        let (tenant, wanted, now) = (caller.tenant.clone(), run_id.clone(), self.engine.now());
        let read = self.engine.ledger().read::<_, Error, _>(move |tx| {
            Box::pin(async move {
                let row = find(tx, &tenant, &wanted).await?;
                let run = view::read(tx, &row, now).await?;
                let from = (row.message_seq - BACK).max(0);
                let messages = run_messages::after(tx, row.run_key, from, BACK).await?;
                let failed = segments::in_state(tx, row.run_key, SegmentState::Failed, SEGMENTS).await?;
                let failed = failed.into_iter().map(|segment| segment.view(&row.run_id));
                Ok((run, messages, failed.collect::<Result<Vec<_>, LedgerError>>()?))
            })
        });
        let (run, messages, failed) = read.await?;
        let lines = lines(&messages);
        let text = redact::text(&text(&run, &failed, &lines, now));
        Ok(RunEscalation {
            run_id: run_id.clone(),
            file_name: format!("{}-escalation.txt", run_id.as_str().replace(':', "-")),
            text,
            log_lines: u32::try_from(lines.len()).unwrap_or(u32::MAX),
            generated_at: now,
        })
    }
}

/// The last lines of the log among messages, oldest first.
fn lines(messages: &[MessageRow]) -> Vec<String> {
    let line = |row: &MessageRow| match serde_json::from_str(&row.body) {
        Ok(RunMessageBody::Log { severity, message, correlation_id, segment_id }) => {
            let about = segment_id.map_or_else(|| "run".to_owned(), |id| id.to_string());
            Some(format!("{} {severity:<5} {about} {message} ({correlation_id})", Micros(row.at)))
        }
        Ok(
            RunMessageBody::Snapshot { .. }
            | RunMessageBody::StateChanged { .. }
            | RunMessageBody::SegmentProgress { .. }
            | RunMessageBody::DeltaSummary { .. }
            | RunMessageBody::Heartbeat {}
            | RunMessageBody::Reset {}
            | RunMessageBody::End { .. },
        )
        | Err(_) => None,
    };
    let all: Vec<String> = messages.iter().filter_map(line).collect();
    all[all.len().saturating_sub(LINES)..].to_vec()
}

fn text(run: &Run, failed: &[Segment], lines: &[String], now: Micros) -> String {
    let at = |time: Option<Micros>| time.map_or_else(|| "not reached".to_owned(), |time| time.to_string());
    let said = |text: Option<&String>| text.cloned().unwrap_or_else(|| "none".to_owned());
    let code = run.error_code.map_or_else(
        || "none".to_owned(),
        |code| format!("{code}: {}. {}", code.meaning(), code.next_step()),
    );
    let counts = &run.segments;
    let facts = [
        ("Run", run.run_id.to_string()),
        ("Tenant", run.tenant.to_string()),
        ("State", run.state.to_string()),
        ("Code", code),
        ("Message", said(run.error_message.as_ref())),
        ("Correlation", run.correlation_id.clone()),
        ("Trigger", format!("{} by {}", run.trigger, run.initiator)),
        ("Mode, scope", format!("{}, {}", run.mode, run.scope)),
        ("Reason", said(run.reason.as_ref())),
        ("Ticket", said(run.ticket.as_ref())),
        ("Retry of", run.retry_of.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string)),
        ("Created", run.created_at.to_string()),
        ("Planned", at(run.planned_at)),
        ("Started", at(run.started_at)),
        ("Finished", at(run.finished_at)),
        ("Targets", format!("{} of {} evaluated, {} failed", run.processed, run.candidates, run.failed)),
        (
            "Segments",
            format!("{} of {} succeeded, {} failed", counts.succeeded, counts.total(), counts.failed),
        ),
        ("Shards, index", format!("{}, generation {}", run.planner_shard_count, run.impact_index_generation)),
        ("Version", format!("stella {}", env!("CARGO_PKG_VERSION"))),
        ("Written", now.to_string()),
    ];
    let mut text = String::from("A run needs help\n\n");
    for (name, value) in facts {
        text.push_str(&format!("{name:<14}{value}\n"));
    }
    text.push_str("\nWhat was expected:\n\nWhat happened instead:\n\nWhat was tried:\n\n");
    text.push_str(&format!("Failed segments, the first {SEGMENTS} of {}:\n", counts.failed));
    for one in failed {
        let code = one.error_code.as_deref().unwrap_or("no code");
        let why = one.reason.as_deref().unwrap_or("no reason was told");
        text.push_str(&format!(
            "  {}.{} {} attempt {} {code} {why} ({})\n",
            one.shard, one.ordinal, one.segment_id, one.attempt, one.job_id
        ));
    }
    text.push_str(&format!("\nLog, the last {} lines that are kept:\n", lines.len()));
    for line in lines {
        text.push_str(&format!("  {line}\n"));
    }
    text
}
