//! What the row of a ready job does not say: a limit that came after it was queued holds it, though only the next claim
//! or the dispatcher puts it back to wait. Who looks at the job is told at once.

use super::{blockers, next_eligible_at, wait_reason};
use crate::error::Error;
use stella_contract::job::JobState;
use stella_contract::time::Micros;
use stella_ledger::Tx;
use stella_ledger::record::JobRecord;

/// Says of ready jobs that something holds what it is and until when, as a waiting job says it.
pub(crate) async fn tell_holds(tx: &mut Tx, records: &mut [JobRecord], now: Micros) -> Result<(), Error> {
    let mut queued: Vec<&mut JobRecord> =
        records.iter_mut().filter(|record| record.job.state == JobState::Queued).collect();
    if queued.is_empty() {
        return Ok(());
    }
    let asked: Vec<JobRecord> = queued.iter().map(|record| JobRecord::clone(record)).collect();
    for (record, held) in queued.iter_mut().zip(blockers(tx, &asked, now).await?) {
        record.job.wait_reason = wait_reason(&held);
        record.job.next_eligible_at = next_eligible_at(&held).filter(|_| !held.is_empty());
    }
    Ok(())
}
