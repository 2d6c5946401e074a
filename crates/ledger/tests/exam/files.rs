//! Opening: what is refused, and that both databases have the same schema.

use crate::support::{self, Exam};
use std::collections::BTreeMap;
use stella_ledger::{Ledger, LedgerError, LedgerPlace, Query};

async fn refusal(place: &LedgerPlace) -> LedgerError {
    match Ledger::open(place, |_| {}).await {
        Ok(_) => panic!("the ledger must not open"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn a_second_holder_of_a_file_is_told_that_it_is_locked() {
    let exam = support::sqlite().await;
    assert_eq!(refusal(&exam.place).await, LedgerError::Locked);
    exam.ledger.close().await;
    let Exam { ledger, place, _folder: folder, .. } = exam;
    drop(ledger);
    assert!(Ledger::open(&place, |_| {}).await.is_ok(), "{folder:?}");
}

#[tokio::test]
async fn a_file_of_another_program_or_of_another_kind_is_not_a_ledger() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let text = folder.path().join("notes.txt");
    std::fs::write(&text, "This is not a database. ".repeat(100)).expect("a file is written");
    assert!(matches!(refusal(&LedgerPlace::Sqlite(text.clone())).await, LedgerError::NotOne(_)));
    assert_eq!(std::fs::read(&text).expect("it is there").len(), 2_400, "it was left alone");
    let elsewhere = folder.path().join("no").join("way");
    std::fs::write(folder.path().join("no"), "").expect("a file is written");
    assert!(matches!(refusal(&LedgerPlace::Sqlite(elsewhere)).await, LedgerError::NotWritable(_)));
}

#[tokio::test]
async fn a_ledger_of_another_build_is_told_from_a_damaged_one() {
    let exam = support::sqlite().await;
    exam.write(|tx| {
        Box::pin(async move { tx.run("update schema_migrations set checksum = 'x' where number = 3").await })
    })
    .await;
    exam.ledger.close().await;
    let LedgerPlace::Sqlite(path) = &exam.place else { panic!("it was opened on SQLite") };
    let copy = path.with_extension("copy");
    std::fs::copy(path, &copy).expect("a copy is made");
    let error = refusal(&LedgerPlace::Sqlite(copy)).await;
    assert_eq!(error, LedgerError::OtherSchema { number: 3, name: "runs" });
}

async fn from_the_future(exam: Exam) {
    exam.write(|tx| {
        Box::pin(async move {
            tx.run("insert into schema_migrations (number, name, checksum) values (9999, 'later', 'x')").await
        })
    })
    .await;
    exam.ledger.close().await;
    let Exam { ledger, place, .. } = &exam;
    ledger.close().await;
    if let LedgerPlace::Sqlite(path) = place {
        // The lock is given up with the last handle, which the exam still holds: look at a copy.
        let copy = path.with_extension("copy");
        std::fs::copy(path, &copy).expect("a copy is made");
        let error = refusal(&LedgerPlace::Sqlite(copy)).await;
        assert!(matches!(error, LedgerError::Newer { found: 9999, .. }), "{error:?}");
        return;
    }
    let error = refusal(place).await;
    assert!(matches!(error, LedgerError::Newer { found: 9999, .. }), "{error:?}");
}

#[tokio::test]
async fn a_file_with_a_newer_schema_is_refused() {
    from_the_future(support::sqlite().await).await;
}

#[tokio::test]
async fn a_server_with_a_newer_schema_is_refused() {
    from_the_future(support::postgres().await).await;
}

#[tokio::test]
async fn opening_again_changes_nothing() {
    let exam = support::postgres().await;
    let again = Ledger::open(&exam.place, |_| {}).await;
    assert!(again.is_ok());
}

/// Tables with their columns in order, and whether a value may be missing.
async fn schema(exam: Exam, text: &'static str) -> BTreeMap<String, Vec<(String, bool)>> {
    let rows: Result<Vec<(String, String, i64)>, LedgerError> =
        exam.ledger.read(move |tx| Box::pin(async move { Query::new(text).fetch_all(tx).await })).await;
    let mut tables: BTreeMap<String, Vec<(String, bool)>> = BTreeMap::new();
    for (table, column, required) in rows.expect("the schema can be read") {
        tables.entry(table).or_default().push((column, required == 1));
    }
    tables
}

const SQLITE_COLUMNS: &str = "
    select tables.name, columns.name, columns.\"notnull\"
    from sqlite_schema as tables, pragma_table_info(tables.name) as columns
    where tables.type = 'table' and tables.name not like 'sqlite_%'
    order by tables.name, columns.cid";
const POSTGRES_COLUMNS: &str = "
    select table_name::text, column_name::text, (is_nullable = 'NO')::int::bigint
    from information_schema.columns
    where table_schema = 'public'
    order by table_name, ordinal_position";

#[tokio::test]
async fn both_databases_have_the_same_tables_and_columns() {
    let sqlite = schema(support::sqlite().await, SQLITE_COLUMNS).await;
    let postgres = schema(support::postgres().await, POSTGRES_COLUMNS).await;
    assert_eq!(sqlite, postgres);
    assert!(sqlite.len() > 8, "{:?}", sqlite.keys());
}
