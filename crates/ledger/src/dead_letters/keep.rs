//! Entries of an older schema get their fingerprints; those closed long ago are forgotten.

use super::{DeadLetterRecord, records};
use crate::db::{Sql, Tx};
use crate::error::LedgerError;
use crate::query::Query;
use crate::set::{execute, json};
use serde::Serialize;
use stella_contract::time::Micros;

const NAME: Sql = Sql {
    sqlite: "
        update dead_letters
        set fingerprint = said.value ->> 'fingerprint'
        from json_each($1) as said
        where dead_letters.key = said.value ->> 'key'",
    postgres: "
        update dead_letters
        set fingerprint = said.fingerprint
        from json_to_recordset($1::json) as said (key bigint, fingerprint text)
        where dead_letters.key = said.key",
};

/// Entries that came from an older schema and have no fingerprint yet.
pub async fn unnamed(tx: &mut Tx, limit: i64) -> Result<Vec<DeadLetterRecord>, LedgerError> {
    let mut query = Query::new("select * from dead_letters where fingerprint = '' order by key limit ");
    query.bind(limit);
    records(query.fetch_all(tx).await?)
}

/// Gives entries their fingerprints.
pub async fn name_many(tx: &mut Tx, names: &[(i64, String)]) -> Result<(), LedgerError> {
    #[derive(Serialize)]
    struct Named<'a> {
        key: i64,
        fingerprint: &'a str,
    }
    let rows: Vec<Named<'_>> =
        names.iter().map(|(key, fingerprint)| Named { key: *key, fingerprint }).collect();
    execute(tx, NAME, json(&rows)?).await
}

const FORGET: Sql = Sql {
    sqlite: "delete from dead_letters where key in (select value from json_each($1))",
    postgres: "
        delete from dead_letters
        where key in (select value::bigint from json_array_elements_text($1::json))",
};

const FORGET_ON_JOBS: Sql = Sql {
    sqlite: "update jobs set dead_letter_id = null where key in (select value from json_each($1))",
    postgres: "
        update jobs
        set dead_letter_id = null
        where key in (select value::bigint from json_array_elements_text($1::json))",
};

/// Forgets at most so many entries that were closed before then; how many there were.
pub async fn forget(tx: &mut Tx, closed_before: Micros, limit: i64) -> Result<u64, LedgerError> {
    let mut query = Query::new("select key from dead_letters where closed_at < ");
    query.bind(closed_before.0).push(" order by closed_at limit ").bind(limit);
    let rows: Vec<(i64,)> = query.fetch_all(tx).await?;
    if rows.is_empty() {
        return Ok(0);
    }
    let keys: Vec<i64> = rows.into_iter().map(|(key,)| key).collect();
    execute(tx, FORGET_ON_JOBS, json(&keys)?).await?;
    execute(tx, FORGET, json(&keys)?).await?;
    Ok(keys.len() as u64)
}
