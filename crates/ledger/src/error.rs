//! What can go wrong with the book, without saying what it means.

/// Why the ledger did not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// Another process holds the ledger file.
    #[error("the ledger is held by another process")]
    Locked,
    /// The schema is from a newer version.
    #[error("the ledger has schema {found}, this version knows {known}")]
    Newer {
        /// The highest migration in the ledger.
        found: i64,
        /// The highest migration known here.
        known: i64,
    },
    /// A step of the schema was applied in another form: an unreleased build made the ledger.
    #[error("step {number} ({name}) of the ledger's schema differs from this version's")]
    OtherSchema {
        /// The step's number.
        number: i64,
        /// Its name here.
        name: &'static str,
    },
    /// The file is not a ledger of ours, or is damaged.
    #[error("not a ledger, or damaged: {0}")]
    NotOne(String),
    /// The disk has no room.
    #[error("no room on the disk of the ledger")]
    NoSpace,
    /// The place cannot be written.
    #[error("the ledger's place cannot be written: {0}")]
    NotWritable(String),
    /// The database did not answer, or not in time.
    #[error("the database did not answer: {0}")]
    Unavailable(String),
    /// The commit failed in a way that leaves open whether it happened.
    #[error("the commit's outcome is unknown: {0}")]
    OutcomeUnknown(String),
    /// A stored value cannot be read.
    #[error("{table}.{column} of {id} cannot be read")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row.
        id: String,
    },
    /// A unique constraint refused the row; its name, or the columns on SQLite.
    #[error("already there: {0}")]
    Unique(String),
    /// Anything else: a fault of ours.
    #[error("{0}")]
    Other(String),
}

impl LedgerError {
    /// A stored value of `column` cannot be read.
    pub fn corrupt(table: &'static str, column: &'static str, id: impl ToString) -> Self {
        Self::Corrupt { table, column, id: id.to_string() }
    }
}

/// SQLite's primary result codes that mean something of their own.
fn of_sqlite(code: i64, message: String) -> LedgerError {
    match code & 0xff {
        5 | 6 | 10 => LedgerError::Unavailable(message),
        8 | 14 => LedgerError::NotWritable(message),
        11 | 26 => LedgerError::NotOne(message),
        13 => LedgerError::NoSpace,
        _ => LedgerError::Other(message),
    }
}

/// Postgres' SQLSTATE classes that mean something of their own.
fn of_postgres(state: &str, message: String) -> LedgerError {
    match state {
        "53100" => LedgerError::NoSpace,
        "25006" | "42501" => LedgerError::NotWritable(message),
        "40001" | "40P01" | "55P03" | "57014" => LedgerError::Unavailable(message),
        _ if state.starts_with("08") || state.starts_with("57P") || state.starts_with("53") => {
            LedgerError::Unavailable(message)
        }
        _ => LedgerError::Other(message),
    }
}

impl From<sqlx::Error> for LedgerError {
    fn from(error: sqlx::Error) -> Self {
        let message = error.to_string();
        match error {
            sqlx::Error::Database(database) if database.is_unique_violation() => {
                Self::Unique(database.constraint().map_or(message, str::to_owned))
            }
            sqlx::Error::Database(database) => {
                let code = database.code().map(|code| code.into_owned()).unwrap_or_default();
                if database.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some() {
                    return of_sqlite(code.parse().unwrap_or(1), message);
                }
                of_postgres(&code, message)
            }
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Self::Unavailable(message),
            _ => Self::Other(message),
        }
    }
}
