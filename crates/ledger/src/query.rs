//! A statement that is put together from parts: text as we wrote it, values only as parameters.

use crate::db::Tx;
use crate::error::LedgerError;
use crate::on_db;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, FromRow};
use std::sync::Arc;

/// The most rows that are counted for a page of a list; beyond that, counting would take longer than the page.
pub const COUNTED: i64 = 10_000;

/// A parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A number, a time or a flag.
    Int(Option<i64>),
    /// A text. It is shared, because what many rows have in common is handed to the driver without a copy.
    Text(Option<Arc<str>>),
    /// A fraction.
    Real(f64),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(Some(value))
    }
}
impl From<Option<i64>> for Value {
    fn from(value: Option<i64>) -> Self {
        Self::Int(value)
    }
}
impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(Some(value.into()))
    }
}
impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(Some(value.into()))
    }
}
impl From<Arc<str>> for Value {
    fn from(value: Arc<str>) -> Self {
        Self::Text(Some(value))
    }
}
impl From<Option<String>> for Value {
    fn from(value: Option<String>) -> Self {
        Self::Text(value.map(Arc::from))
    }
}
impl From<Option<Arc<str>>> for Value {
    fn from(value: Option<Arc<str>>) -> Self {
        Self::Text(value)
    }
}
impl From<Option<&str>> for Value {
    fn from(value: Option<&str>) -> Self {
        Self::Text(value.map(Arc::from))
    }
}
impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}

/// Text and parameters of one statement.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    text: String,
    values: Vec<Value>,
}

/// Binds the values in order.
macro_rules! bound {
    ($query:expr, $values:expr) => {{
        let mut query = $query;
        for value in $values {
            query = match value {
                Value::Int(value) => query.bind(value),
                Value::Text(value) => query.bind(value),
                Value::Real(value) => query.bind(value),
            };
        }
        query
    }};
}

impl Query {
    /// Starts with this text; it may hold no parameters.
    pub fn new(text: &'static str) -> Self {
        Self { text: text.to_owned(), values: Vec::new() }
    }
    /// Goes on with this text.
    pub fn push(&mut self, text: &'static str) -> &mut Self {
        self.text.push_str(text);
        self
    }
    /// Goes on with a parameter.
    pub fn bind(&mut self, value: impl Into<Value>) -> &mut Self {
        self.values.push(value.into());
        self.text.push('$');
        self.text.push_str(&self.values.len().to_string());
        self
    }
    /// Goes on with parameters in parentheses, for `in`; an empty list matches nothing.
    pub fn bind_list<V: Into<Value>>(&mut self, values: impl IntoIterator<Item = V>) -> &mut Self {
        self.text.push('(');
        let mut first = true;
        for value in values {
            if !first {
                self.text.push_str(", ");
            }
            first = false;
            self.bind(value);
        }
        if first {
            self.text.push_str("null");
        }
        self.text.push(')');
        self
    }
    /// Goes on with one row of values in parentheses. They have no numbers where the database can do without: SQLite's
    /// driver looks for the number of each parameter among all, which takes long when there are thousands.
    pub(crate) fn bind_row(&mut self, row: Vec<Value>, is_postgres: bool) -> &mut Self {
        if is_postgres {
            return self.bind_list(row);
        }
        self.text.push('(');
        for at in 0..row.len() {
            self.text.push_str(if at == 0 { "?" } else { ", ?" });
        }
        self.text.push(')');
        self.values.extend(row);
        self
    }
    /// Goes on with a value without a number, where the database can do without; see [`Self::bind_row`].
    pub(crate) fn bind_next(&mut self, value: Value, is_postgres: bool) -> &mut Self {
        if is_postgres {
            return self.bind(value);
        }
        self.values.push(value);
        self.text.push('?');
        self
    }
    /// The text so far.
    pub fn text(&self) -> &str {
        &self.text
    }
    /// All rows.
    pub async fn fetch_all<R>(self, tx: &mut Tx) -> Result<Vec<R>, LedgerError>
    where
        R: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        Ok(on_db!(tx, connection => {
            bound!(sqlx::query_as(AssertSqlSafe(self.text)), self.values).fetch_all(connection).await?
        }))
    }
    /// The row, when there is one.
    pub async fn fetch_optional<R>(self, tx: &mut Tx) -> Result<Option<R>, LedgerError>
    where
        R: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        Ok(on_db!(tx, connection => {
            bound!(sqlx::query_as(AssertSqlSafe(self.text)), self.values).fetch_optional(connection).await?
        }))
    }
    /// The number in the only column of the only row.
    pub async fn fetch_count(self, tx: &mut Tx) -> Result<i64, LedgerError> {
        let (count,): (i64,) = on_db!(tx, connection => {
            bound!(sqlx::query_as(AssertSqlSafe(self.text)), self.values).fetch_one(connection).await?
        });
        Ok(count)
    }
    /// How many rows it has, when they are no more than a list counts for each of its pages.
    pub async fn fetch_total(mut self, tx: &mut Tx) -> Result<Option<i64>, LedgerError> {
        self.text.insert_str(0, "select count(*) from (");
        self.push(" limit ").bind(COUNTED + 1).push(") as counted");
        Ok(Some(self.fetch_count(tx).await?).filter(|count| *count <= COUNTED))
    }
    /// How many rows it changed.
    pub async fn execute(self, tx: &mut Tx) -> Result<u64, LedgerError> {
        Ok(on_db!(tx, connection => {
            bound!(sqlx::query(AssertSqlSafe(self.text)), self.values).execute(connection).await?.rows_affected()
        }))
    }
}
