//! The items of change-sets: taken down by the dry run, read in their order, each with its result.

use crate::db::{Sql, Tx};
use crate::error::LedgerError;
use crate::listing::{Wanted, push_candidates};
use crate::on_db;
use crate::query::Query;
use crate::record::Cell;
use crate::rows;
use crate::set::json;
use serde::Serialize;
use sqlx::FromRow;
use stella_contract::change_set::{ChangeItem, ItemRefusal, ItemState};
use stella_contract::ids::Tenant;
use stella_contract::job::JobState;
use stella_contract::time::Micros;

/// What a dry run has to know of a job.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
#[expect(missing_docs, reason = "each field is the column its name says")]
pub struct JobFact {
    pub key: i64,
    pub job_id: String,
    pub job_type: String,
    pub state: String,
    pub error_class: Option<String>,
    pub source_id: Option<String>,
}

const FACTS: &str = "select key, job_id, job_type, state, error_class, source_id";

/// The matching jobs, oldest first, so that they are done in the order in which they were made.
pub async fn matching(
    tx: &mut Tx,
    tenant: &Tenant,
    wanted: &Wanted,
    limit: i64,
) -> Result<Vec<JobFact>, LedgerError> {
    let mut query = Query::new("select key, job_id, job_type, state, error_class, source_id from (");
    push_candidates(&mut query, FACTS, tenant, wanted);
    query.push(") as found order by key limit ").bind(limit);
    query.fetch_all(tx).await
}

const NAMED: Sql = Sql {
    sqlite: "
        select key, job_id, job_type, state, error_class, source_id
        from jobs
        where tenant = $1
          and key in (select value from json_each($2))
        order by key",
    postgres: "
        select key, job_id, job_type, state, error_class, source_id
        from jobs
        where tenant = $1
          and key in (select value::bigint from json_array_elements_text($2::json))
        order by key",
};

/// The jobs with these row keys, as far as they are there and of this tenant.
pub async fn named(tx: &mut Tx, tenant: &Tenant, keys: &[i64]) -> Result<Vec<JobFact>, LedgerError> {
    let (text, keys) = (NAMED.text(tx), json(&keys)?);
    Ok(on_db!(tx, connection => {
        sqlx::query_as(text).bind(tenant.as_str()).bind(keys).fetch_all(connection).await?
    }))
}

/// An item to be written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewItem {
    /// The job or dead-letter entry.
    pub id: String,
    /// The row key of its job.
    pub job_key: Option<i64>,
    /// The job's type.
    pub job_type: String,
    /// Its state now.
    pub was: String,
    /// Why it is refused.
    pub refusal: Option<ItemRefusal>,
}

/// Writes the items of a new change-set down, in their order.
pub async fn insert_many(tx: &mut Tx, set_key: i64, items: &[NewItem]) -> Result<(), LedgerError> {
    #[derive(Serialize)]
    struct Row<'a>(i64, i64, &'a str, Option<i64>, &'a str, &'a str, &'static str, Option<&'static str>);
    let numbered = (1..).zip(items);
    let rows: Vec<Row<'_>> = numbered
        .map(|(position, item)| {
            let state = if item.refusal.is_some() { ItemState::Refused } else { ItemState::Waiting };
            let code = item.refusal.map(ItemRefusal::as_str);
            Row(set_key, position, &item.id, item.job_key, &item.job_type, &item.was, state.as_str(), code)
        })
        .collect();
    rows::insert(
        tx,
        "insert into change_set_items (set_key, position, item_id, job_key, job_type, was, state, code)
        select cast(r.value ->> 0 as bigint), cast(r.value ->> 1 as bigint), r.value ->> 2,
            cast(r.value ->> 3 as bigint), r.value ->> 4, r.value ->> 5, r.value ->> 6, r.value ->> 7",
        &rows,
        "",
    )
    .await?;
    Ok(())
}

/// An item with the row key of its job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemRecord {
    /// The row key of its job.
    pub job_key: Option<i64>,
    /// The item.
    pub item: ChangeItem,
}

#[derive(Debug, FromRow)]
struct ItemRow {
    position: i64,
    item_id: String,
    job_key: Option<i64>,
    job_type: String,
    was: String,
    state: String,
    code: Option<String>,
    message: Option<String>,
    result_job_id: Option<String>,
    at: Option<i64>,
}

impl TryFrom<ItemRow> for ItemRecord {
    type Error = LedgerError;

    fn try_from(row: ItemRow) -> Result<Self, LedgerError> {
        let id = row.item_id.clone();
        let cell = Cell { table: "change_set_items", id: &id };
        let item = ChangeItem {
            position: row.position,
            id: row.item_id,
            job_type: row.job_type,
            was: row.was,
            state: cell.word("state", row.state)?,
            code: cell.maybe("code", row.code)?,
            message: row.message,
            result_job_id: row.result_job_id,
            at: row.at.map(Micros),
        };
        Ok(Self { job_key: row.job_key, item })
    }
}

/// The items after this position, of one state or of all.
pub async fn after(
    tx: &mut Tx,
    set_key: i64,
    position: i64,
    state: Option<ItemState>,
    limit: i64,
) -> Result<Vec<ItemRecord>, LedgerError> {
    let mut query = Query::new(
        "select position, item_id, job_key, job_type, was, state, code, message, result_job_id, at
        from change_set_items
        where set_key = ",
    );
    query.bind(set_key).push(" and position > ").bind(position);
    if let Some(state) = state {
        query.push(" and state = ").bind(state.as_str());
    }
    query.push(" order by position limit ").bind(limit);
    query.fetch_all::<ItemRow>(tx).await?.into_iter().map(ItemRecord::try_from).collect()
}

/// Writes down what became of items.
pub async fn finish_many(
    tx: &mut Tx,
    set_key: i64,
    items: &[ChangeItem],
    now: Micros,
) -> Result<(), LedgerError> {
    #[derive(Serialize)]
    struct Row<'a> {
        position: i64,
        state: &'static str,
        code: Option<&'static str>,
        message: Option<&'a str>,
        result_job_id: Option<&'a str>,
    }
    const FINISH: Sql = Sql {
        sqlite: "
            update change_set_items
            set state = new.value ->> 'state', code = new.value ->> 'code', message = new.value ->> 'message',
                result_job_id = new.value ->> 'result_job_id', at = $3
            from json_each($2) as new
            where set_key = $1
              and position = new.value ->> 'position'
              and change_set_items.state = 'waiting'",
        postgres: "
            update change_set_items
            set state = new.state, code = new.code, message = new.message, result_job_id = new.result_job_id, at = $3
            from json_to_recordset($2::json)
                as new (position bigint, state text, code text, message text, result_job_id text)
            where set_key = $1
              and change_set_items.position = new.position
              and change_set_items.state = 'waiting'",
    };
    let rows: Vec<Row<'_>> = items
        .iter()
        .map(|item| Row {
            position: item.position,
            state: item.state.as_str(),
            code: item.code.map(ItemRefusal::as_str),
            message: item.message.as_deref(),
            result_job_id: item.result_job_id.as_deref(),
        })
        .collect();
    let (text, rows) = (FINISH.text(tx), json(&rows)?);
    on_db!(tx, connection => {
        sqlx::query(text).bind(set_key).bind(rows).bind(now.0).execute(connection).await.map(|_| ())
    })?;
    Ok(())
}

/// How many waiting items have a job that is in each state now.
pub async fn states_now(tx: &mut Tx, set_key: i64) -> Result<Vec<(JobState, i64)>, LedgerError> {
    let mut query = Query::new(
        "select jobs.state, count(*)
        from change_set_items
        join jobs on jobs.key = change_set_items.job_key
        where change_set_items.state = 'waiting'
          and change_set_items.set_key = ",
    );
    query.bind(set_key).push(" group by jobs.state order by jobs.state");
    let rows: Vec<(String, i64)> = query.fetch_all(tx).await?;
    let cell = Cell { table: "jobs", id: "state" };
    rows.into_iter().map(|(state, count)| Ok((cell.word("state", state)?, count))).collect()
}
