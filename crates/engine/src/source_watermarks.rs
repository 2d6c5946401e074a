//! Looking at the watermark of a source, sending it back, and letting a window pass unread (spec 03 §3.3).

use crate::caller::Caller;
use crate::coverage::whole_ms;
use crate::error::Error;
use crate::journal::Journal;
use crate::source_changes::{note, unchanged};
use crate::sources::{self as rules, Sources};
use crate::watermarks::{self, Mark};
use serde_json::json;
use stella_contract::backfill::WindowState;
use stella_contract::error::Code;
use stella_contract::ids::{SourceId, Tenant};
use stella_contract::scope::Scope;
use stella_contract::time::Micros;
use stella_contract::watermark::{Gap, ResetWatermark, SkipWindow, Watermark, Watermarks, Window};
use stella_ledger::Tx;
use stella_ledger::backfills;
use stella_ledger::sources::{self, SourceChange, SourceRow};

/// Windows of backfills that one map shows of each kind.
const MOST_SHOWN: i64 = 2_000;

impl Sources {
    /// How far a source has been read, with the map of what is covered, missing, let pass and failed.
    pub async fn watermarks(&self, caller: &Caller, source_id: &SourceId) -> Result<Watermarks, Error> {
        caller.demand(Scope::OrchRead)?;
        let (now, tenant, id) = (self.engine.now(), caller.tenant.clone(), source_id.clone());
        self.engine.ledger().read(move |tx| Box::pin(async move { map(tx, &tenant, id, now).await })).await
    }

    /// Sends the low watermark back: what lies after it is read again.
    pub async fn reset_watermark(
        &self,
        caller: &Caller,
        source_id: &SourceId,
        wish: ResetWatermark,
    ) -> Result<Watermark, Error> {
        caller.demand_write(Scope::OrchBackfill)?;
        let to = whole_ms(wish.low_watermark);
        let moved = self.move_mark(caller, source_id, "orch.watermark.reset", move |mark, _| {
            let low = mark.coverage.low().ok_or_else(never_read)?;
            if to > low {
                let why = format!(
                    "is not later than {low}, where it is; to pass what cannot be read, skip the window"
                );
                return Err(Error::invalid("lowWatermark", why));
            }
            mark.coverage.rewind(to);
            Ok(())
        });
        moved.await
    }

    /// Lets a window pass unread, from the low watermark on. It is noted as a gap until a backfill fills it.
    pub async fn skip_window(
        &self,
        caller: &Caller,
        source_id: &SourceId,
        wish: SkipWindow,
    ) -> Result<Watermark, Error> {
        caller.demand_write(Scope::OrchBackfill)?;
        let by = caller.clone();
        let moved = self.move_mark(caller, source_id, "orch.watermark.skipped", move |mark, at| {
            let gap = passed(mark, &wish, &by, at)?;
            mark.coverage.pass(gap);
            Ok(())
        });
        moved.await
    }

    async fn move_mark<F>(
        &self,
        caller: &Caller,
        source_id: &SourceId,
        kind: &'static str,
        decide: F,
    ) -> Result<Watermark, Error>
    where
        F: FnOnce(&mut Mark, At<'_>) -> Result<(), Error> + Send + 'static,
    {
        let (now, writer, id) = (self.engine.now(), caller.clone(), source_id.clone());
        self.engine
            .ledger()
            .write(move |tx| Box::pin(async move { move_in(tx, &writer, &id, kind, decide, now).await }))
            .await
    }
}

async fn move_in<F>(
    tx: &mut Tx,
    caller: &Caller,
    source_id: &SourceId,
    kind: &'static str,
    decide: F,
    now: Micros,
) -> Result<Watermark, Error>
where
    F: FnOnce(&mut Mark, At<'_>) -> Result<(), Error> + Send,
{
    let row = rules::found(tx, &caller.tenant, source_id).await?;
    if !rules::source_type(&row)?.has_event_time() {
        return Err(Error::new(Code::InvalidTransition, "What this source holds has no event time."));
    }
    let mut mark = watermarks::load(tx, &caller.tenant, source_id.as_str()).await?;
    let before = mark.coverage.low();
    decide(&mut mark, At { row: &row, now })?;
    mark.save(tx, now).await?;
    // What the far side said last time would make the next reading end before it began.
    sources::change(tx, &SourceChange { forgets: true, ..unchanged(&row) }).await?;
    let data = json!({ "before": before, "lowWatermark": mark.coverage.low() });
    let mut journal = Journal::default();
    note(&mut journal, caller, &row, kind, data, now);
    journal.leave(tx);
    let mark = watermarks::load(tx, &caller.tenant, source_id.as_str()).await?;
    Ok(mark.view(&rules::settings(&row), now))
}

/// The source whose mark is moved, and when.
struct At<'a> {
    row: &'a SourceRow,
    now: Micros,
}

fn never_read() -> Error {
    Error::new(
        Code::InvalidTransition,
        "The source was never read, so that it has no watermark. Run it first.",
    )
}

/// The window that is let pass: from the low watermark to where the wish says, or the next live window.
fn passed(mark: &Mark, wish: &SkipWindow, caller: &Caller, at: At<'_>) -> Result<Gap, Error> {
    let settings = rules::settings(at.row);
    let live = mark.coverage.next_live(&settings, at.now);
    let none =
        || Error::new(Code::InvalidTransition, "There is no window to be read yet, and so none to skip.");
    let start = match mark.coverage.low() {
        Some(low) => low,
        None => live.ok_or_else(none)?.start,
    };
    let end = match wish.end {
        Some(end) => whole_ms(end),
        None => live.ok_or_else(none)?.end,
    };
    if end > at.now {
        return Err(Error::invalid("end", "is not in the future"));
    }
    // What waits beyond is read already.
    let next = mark.coverage.completed.iter().map(|window| window.start).find(|next| *next > start);
    let window = Window::between(start, next.map_or(end, |next| next.min(end)))
        .ok_or_else(|| Error::invalid("end", format!("is later than {start}, where the window begins")))?;
    Ok(Gap {
        start: window.start,
        end: window.end,
        reason: caller.cause.reason.clone().unwrap_or_default(),
        ticket: caller.cause.ticket.clone().unwrap_or_default(),
        by: caller.subject.clone(),
        at: at.now,
    })
}

async fn map(tx: &mut Tx, tenant: &Tenant, source_id: SourceId, now: Micros) -> Result<Watermarks, Error> {
    let row = rules::found(tx, tenant, &source_id).await?;
    let settings = rules::settings(&row);
    let mark = watermarks::load(tx, tenant, source_id.as_str()).await?;
    let map = watermarks::map_of(&mark.coverage, &settings, now);
    let running = [WindowState::Planned, WindowState::Running];
    let running = backfills::windows_of_source(tx, source_id.as_str(), &running, map, MOST_SHOWN).await?;
    let failed = [WindowState::Failed];
    let failed = backfills::windows_of_source(tx, source_id.as_str(), &failed, map, MOST_SHOWN).await?;
    let windows = |rows: &[backfills::WindowRow]| {
        rows.iter()
            .map(|row| Window { start: Micros(row.window_start), end: Micros(row.window_end) })
            .collect::<Vec<_>>()
    };
    let stored = stella_ledger::watermarks::of_source(tx, tenant, source_id.as_str()).await?;
    let mut items = Vec::with_capacity(stored.len());
    for row in stored {
        items.push(Mark::of(row)?.view(&settings, now));
    }
    Ok(Watermarks {
        stretches: mark.coverage.stretches(map, &windows(&running), &windows(&failed)),
        source_id,
        from: map.start,
        to: map.end,
        items,
    })
}
