//! A set in one statement: as JSON text in one parameter, which both databases can read as rows, or, where rows are
//! wide and many, as bound values.

use crate::db::{Sql, Tx};
use crate::error::LedgerError;
use crate::on_db;
use crate::query::{Query, Value};
use serde::Serialize;
use sqlx::FromRow;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use std::sync::Arc;

/// The value as JSON text.
pub fn json<T: Serialize + ?Sized>(value: &T) -> Result<String, LedgerError> {
    serde_json::to_string(value).map_err(|error| LedgerError::Other(format!("not JSON: {error}")))
}

/// Runs a statement with the set as its only parameter.
pub async fn execute(tx: &mut Tx, sql: Sql, set: String) -> Result<(), LedgerError> {
    let text = sql.text(tx);
    on_db!(tx, connection => sqlx::query(text).bind(set).execute(connection).await.map(|_| ()))?;
    Ok(())
}

/// The rows of a statement with the set as its only parameter.
pub async fn fetch<R>(tx: &mut Tx, sql: Sql, set: String) -> Result<Vec<R>, LedgerError>
where
    R: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin,
{
    let text = sql.text(tx);
    Ok(on_db!(tx, connection => sqlx::query_as(text).bind(set).fetch_all(connection).await?))
}

/// Runs a statement with an owner as its first and the set as its second parameter.
pub async fn execute_for(tx: &mut Tx, sql: Sql, owner: &str, set: String) -> Result<(), LedgerError> {
    let text = sql.text(tx);
    on_db!(tx, connection => sqlx::query(text).bind(owner).bind(set).execute(connection).await.map(|_| ()))?;
    Ok(())
}

/// Values bound in one statement at most; SQLite takes 32,766.
const MOST_VALUES: usize = 2_000;

/// Inserts rows of equally many values: `head` ends with `values`. Reading a wide row back out of JSON costs several
/// times as much as binding it. Full statements hold a power of two of rows, so that there are few texts to prepare.
pub async fn insert(tx: &mut Tx, head: &'static str, rows: Vec<Vec<Value>>) -> Result<(), LedgerError> {
    insert_or(tx, head, rows, "").await.map(|_| ())
}

/// The same with what is to be done where a row is there already: `tail` begins with `on conflict`. How many rows it
/// wrote.
pub async fn insert_or(
    tx: &mut Tx,
    head: &'static str,
    rows: Vec<Vec<Value>>,
    tail: &'static str,
) -> Result<u64, LedgerError> {
    let (width, is_postgres) = (rows.first().map_or(1, Vec::len).max(1), tx.is_postgres());
    let most = 1 << (MOST_VALUES / width).max(1).ilog2();
    let mut rows = rows.into_iter();
    let mut next = || {
        let now = most.min(1 << rows.len().checked_ilog2()?);
        let mut query = Query::new(head);
        for (at, row) in rows.by_ref().take(now).enumerate() {
            query.push(if at == 0 { " " } else { ", " }).bind_row(row, is_postgres);
        }
        query.push(tail);
        Some(query)
    };
    let (mut part, mut written) = (next(), 0);
    while let Some(query) = part {
        // While the database works on one part, the next one is made ready.
        let (changed, following) = tokio::join!(query.execute(tx), async { next() });
        written += changed?;
        part = following;
    }
    Ok(written)
}

/// A table into which many rows are put that have most of their columns in common.
pub(crate) struct Shape {
    /// `insert into … (…)`, the columns in the order of [`Self::own`], those in common, [`Self::rest`].
    pub(crate) head: &'static str,
    /// `column1, …` of the columns in which rows differ.
    pub(crate) own: &'static str,
    /// How many those are.
    pub(crate) width: usize,
    /// How many columns rows may have in common.
    pub(crate) common: usize,
    /// What is the same in every row there ever is, as text.
    pub(crate) rest: &'static str,
}

impl Shape {
    /// What all rows have in common; `None` when they differ there. Rows of an empty set have nothing.
    pub(crate) fn common(&self, set: &[Vec<Value>]) -> Option<Vec<Value>> {
        let Some(first) = set.first() else { return Some(vec![Value::Text(None); self.common]) };
        let is_common = set.iter().all(|row| row[self.width..] == first[self.width..]);
        is_common.then(|| first[self.width..].to_vec())
    }
    /// How many values each row brings itself.
    pub(crate) fn width(&self, common: Option<&[Value]>) -> usize {
        self.width + if common.is_some() { 0 } else { self.common }
    }
    /// Goes on with the insert, which reads the rows from `name`.
    pub(crate) fn select(
        &self,
        query: &mut Query,
        common: Option<Vec<Value>>,
        name: &'static str,
        is_postgres: bool,
    ) {
        query.push(self.head).push(" select ");
        match common {
            None => {
                query.push(name).push(".*");
            }
            Some(common) => {
                query.push(self.own);
                for value in common {
                    query.push(", ").bind_next(value, is_postgres);
                }
            }
        }
        query.push(self.rest).push(" from ").push(name);
    }
}

/// Inserts rows of this shape. What all of them have in common is bound once in each statement.
pub(crate) async fn insert_shaped(
    tx: &mut Tx,
    shape: &Shape,
    mut rows: Vec<Vec<Value>>,
) -> Result<(), LedgerError> {
    let (common, is_postgres) = (shape.common(&rows), tx.is_postgres());
    let width = shape.width(common.as_deref());
    let most = 1 << (MOST_VALUES / width).max(1).ilog2();
    rows.iter_mut().for_each(|row| row.truncate(width));
    let mut rows = rows.into_iter();
    let mut next = || {
        let now = most.min(1 << rows.len().checked_ilog2()?);
        let mut query = Query::new("with new as (values ");
        for (at, row) in rows.by_ref().take(now).enumerate() {
            query.push(if at == 0 { "" } else { ", " }).bind_row(row, is_postgres);
        }
        query.push(")");
        shape.select(&mut query, common.clone(), "new", is_postgres);
        Some(query)
    };
    let mut part = next();
    while let Some(query) = part {
        // While the database works on one part, the next one is made ready.
        let (written, following) = tokio::join!(query.execute(tx), async { next() });
        written?;
        part = following;
    }
    Ok(())
}

/// Texts that come again from row to row, each kept once in the form that the driver takes without a copy.
#[derive(Default)]
pub(crate) struct Words(Vec<Arc<str>>);

/// More different words than that are not looked for.
const MOST_WORDS: usize = 12;

impl Words {
    /// The text, made only when it is not among the latest.
    pub(crate) fn of(&mut self, word: &str) -> Arc<str> {
        if let Some(known) = self.0.iter().find(|known| ***known == *word) {
            return known.clone();
        }
        let made: Arc<str> = word.into();
        self.0.truncate(MOST_WORDS - 1);
        self.0.insert(0, made.clone());
        made
    }
    /// The same, when there is one.
    pub(crate) fn maybe(&mut self, word: Option<&str>) -> Option<Arc<str>> {
        word.map(|word| self.of(word))
    }
}
