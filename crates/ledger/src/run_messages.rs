//! The stream of each run, numbered per run from 1 without gaps.

use crate::db::Tx;
use crate::error::LedgerError;
use crate::query::Query;
use crate::rows;
use stella_contract::time::Micros;

/// A message as it is kept; `body` is JSON.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct MessageRow {
    /// Its number.
    pub seq: i64,
    /// When, in microseconds.
    pub at: i64,
    /// What, as JSON.
    pub body: String,
}

/// What a run remembers of its log, written back with its messages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LogCount {
    /// The second that is counted.
    pub second: i64,
    /// Lines told in it.
    pub lines: i64,
    /// Lines kept back since.
    pub dropped: i64,
}

/// Appends messages, drops those beyond the newest `keep`, and answers the number of the last one.
pub async fn append(
    tx: &mut Tx,
    run_key: i64,
    bodies: &[String],
    log: LogCount,
    keep: i64,
    now: Micros,
) -> Result<i64, LedgerError> {
    let count = i64::try_from(bodies.len()).unwrap_or(i64::MAX);
    let mut update = Query::new("update runs set message_seq = message_seq + ");
    update.bind(count).push(", log_second = ").bind(log.second);
    update.push(", log_lines = ").bind(log.lines).push(", log_dropped = ").bind(log.dropped);
    update.push(" where run_key = ").bind(run_key).push(" returning message_seq");
    let last: Option<(i64,)> = update.fetch_optional(tx).await?;
    let Some((last,)) = last else { return Err(LedgerError::Other(format!("no run {run_key}"))) };
    if bodies.is_empty() {
        return Ok(last);
    }
    let list: Vec<(i64, &String)> = (last - count + 1..).zip(bodies).collect();
    let mut insert = Query::new("insert into run_messages (run_key, at, seq, body) select cast(");
    insert.bind(run_key).push(" as bigint), cast(").bind(now.0);
    insert.push(" as bigint), cast(r.value ->> 0 as bigint), r.value ->> 1 from ");
    rows::push(&mut insert, tx, &list)?;
    insert.execute(tx).await?;
    let mut trim = Query::new("delete from run_messages where run_key = ");
    trim.bind(run_key).push(" and seq <= ").bind(last - keep);
    trim.execute(tx).await?;
    tx.note_feed();
    Ok(last)
}

/// Tells the first message of runs that were just written, a log line each.
pub async fn open_many(tx: &mut Tx, first: &[(i64, String)], now: Micros) -> Result<(), LedgerError> {
    for chunk in first.chunks(1_000) {
        let mut update = Query::new("update runs set message_seq = 1, log_lines = 1, log_second = ");
        update.bind(now.0.div_euclid(1_000_000)).push(" where run_key in ");
        update.bind_list(chunk.iter().map(|(run_key, _)| *run_key));
        update.execute(tx).await?;
        let mut insert = Query::new("insert into run_messages (run_key, seq, at, body) select ");
        insert.push("cast(r.value ->> 0 as bigint), 1, cast(").bind(now.0);
        insert.push(" as bigint), r.value ->> 1 from ");
        rows::push(&mut insert, tx, chunk)?;
        insert.execute(tx).await?;
    }
    tx.note_feed();
    Ok(())
}

/// Messages of a run after this number, oldest first.
pub async fn after(tx: &mut Tx, run_key: i64, seq: i64, limit: i64) -> Result<Vec<MessageRow>, LedgerError> {
    let mut query = Query::new("select seq, at, body from run_messages where run_key = ");
    query.bind(run_key).push(" and seq > ").bind(seq).push(" order by seq limit ").bind(limit);
    query.fetch_all(tx).await
}

/// When the oldest message of all runs was told.
pub async fn oldest_at(tx: &mut Tx) -> Result<Option<Micros>, LedgerError> {
    let oldest: Option<(Option<i64>,)> =
        Query::new("select min(at) from run_messages").fetch_optional(tx).await?;
    Ok(oldest.and_then(|(at,)| at).map(Micros))
}

/// Drops what was told before this time, at most so many messages. How many went.
pub async fn trim(tx: &mut Tx, before: Micros, limit: i64) -> Result<u64, LedgerError> {
    let mut query = Query::new(
        "delete from run_messages where (run_key, seq) in (select run_key, seq from run_messages where at < ",
    );
    query.bind(before.0).push(" order by at limit ").bind(limit).push(")");
    query.execute(tx).await
}
