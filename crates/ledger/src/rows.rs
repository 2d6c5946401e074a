//! Many rows as one parameter: a JSON list of lists, so that a statement's text does not depend on how many there are.

use crate::db::Tx;
use crate::error::LedgerError;
use crate::query::Query;
use serde::Serialize;

/// Rows handed to one statement; more would make one parameter needlessly large.
const CHUNK: usize = 1_000;

/// Goes on with a table `r` of one column `value`, a row of the list each. `r.value ->> 0` is the first item of a row.
pub(crate) fn push<T: Serialize>(query: &mut Query, tx: &Tx, rows: &[T]) -> Result<(), LedgerError> {
    let text = serde_json::to_string(rows).map_err(|error| LedgerError::Other(error.to_string()))?;
    // The two differ in nothing but the name of the function that opens a list.
    if tx.is_postgres() {
        query.push("json_array_elements(").bind(text).push("::json) as r(value)");
    } else {
        query.push("json_each(").bind(text).push(") as r");
    }
    Ok(())
}

/// Runs `insert into … select … from <rows> <tail>` for all rows, chunk by chunk; how many rows it changed.
pub(crate) async fn insert<T: Serialize>(
    tx: &mut Tx,
    head: &'static str,
    rows: &[T],
    tail: &'static str,
) -> Result<u64, LedgerError> {
    let mut changed = 0;
    for chunk in rows.chunks(CHUNK) {
        let mut query = Query::new(head);
        query.push(" from ");
        push(&mut query, tx, chunk)?;
        query.push(tail);
        changed += query.execute(tx).await?;
    }
    Ok(changed)
}
