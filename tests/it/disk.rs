//! A disk that is full or cannot be written: what was acknowledged stays, what cannot be kept is refused by name, and
//! work goes on when there is room again.
//!
//! The disk is a small one in memory that only the program under test sees; making one needs the rights of root, and
//! where they are missing the tests say so and end.

use crate::client::signed_in;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use stella_contract::error::Code;
use stella_contract::job::JobFilter;
use stella_contract::page::PageQuery;
use stella_sdk::{Client, Error, Write};
use stella_tests::many;
use stella_tests::served::{Home, Served, program};

/// More jobs than the disk has room for.
const MOST: usize = 20_000;
/// What lies in the way until room is made.
const BALLAST: &str = "ballast";

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

/// Mounts stay in their own world, except below a changed root, where that cannot be asked for.
fn propagation() -> &'static str {
    let can_be = |kind: &str| {
        let tried = Command::new("unshare").args(["--mount", "--propagation", kind, "true"]).output();
        tried.is_ok_and(|tried| tried.status.success())
    };
    if can_be("private") { "private" } else { "unchanged" }
}

/// Runs a line of shell in a world where the home's folder `disk` is a disk of its own.
fn with_disk(home: &Home, line: &str) -> Command {
    let disk = home.path().join("disk");
    std::fs::create_dir_all(&disk).unwrap();
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "--propagation", propagation(), "sh", "-euc", line])
        .env("DISK", &disk)
        .env("STELLA", program("stella"))
        .env("STELLA_LEDGER", disk.join("ledger.db"))
        .env("STELLA_TENANT", "default")
        .env("HOME", home.path())
        .env("XDG_DATA_HOME", home.path())
        .env_remove("STELLA_SERVER")
        .env_remove("STELLA_TOKEN");
    command
}

/// The disk as the program sees it.
fn inside(served: &Served, home: &Home) -> PathBuf {
    let root = format!("/proc/{}/root", served.process());
    Path::new(&root).join(home.path().strip_prefix("/").unwrap()).join("disk")
}

async fn fill(client: &Client) -> (usize, Error) {
    for number in 0..MOST {
        if let Err(error) = client.jobs().submit(&many::wish(number), &Write::because("a test")).await {
            return (number, error);
        }
    }
    panic!("{MOST} jobs fit on the disk: it is not full");
}

async fn count(client: &Client) -> usize {
    let page = client.jobs().list(&JobFilter::default(), &PageQuery::default()).await.unwrap();
    usize::try_from(page.total_estimate.expect("so few jobs are counted")).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_by_name_loses_nothing_and_is_used_again_when_there_is_room() {
    if !is_root() {
        println!("not root: a small disk cannot be made here");
        return;
    }
    let home = Home::default();
    let line = format!(
        "mount -t tmpfs -o size=6m none \"$DISK\"; head -c 3000000 /dev/zero > \"$DISK/{BALLAST}\"; \
         exec \"$STELLA\" serve --listen 127.0.0.1:0"
    );
    let served = Served::start_by(with_disk(&home, &line));
    let client = signed_in(&served).await;

    let (acknowledged, refusal) = fill(&client).await;
    assert!(acknowledged > 0, "there was room for some: {refusal}");
    assert_eq!(refusal.problem().map(|problem| problem.code), Some(Code::NoSpace), "{refusal}");
    assert_eq!(count(&client).await, acknowledged);

    std::fs::remove_file(inside(&served, &home).join(BALLAST)).unwrap();
    client.jobs().submit(&many::wish(MOST), &Write::because("a test")).await.unwrap();
    assert_eq!(count(&client).await, acknowledged + 1);
    let check = client.core().verify_history().await.unwrap();
    assert_eq!(check.broken, None);
}

#[test]
fn a_ledger_on_a_disk_that_cannot_be_written_is_refused_by_name_and_left_as_it_was() {
    if !is_root() {
        println!("not root: a small disk cannot be made here");
        return;
    }
    let home = Home::default();
    let line = "mount -t tmpfs -o size=16m none \"$DISK\"; \"$STELLA\" orch jobs list > /dev/null; \
                before=$(sha256sum \"$DISK\"/ledger.db); mount -o remount,ro \"$DISK\"; \
                status=0; \"$STELLA\" serve --listen 127.0.0.1:0 || status=$?; \
                [ \"$before\" = \"$(sha256sum \"$DISK\"/ledger.db)\" ] || echo changed; \
                mount -o remount,rw \"$DISK\"; \"$STELLA\" orch jobs list > /dev/null || echo lost; exit $status";
    let ended = with_disk(&home, line).stdin(Stdio::null()).output().unwrap();
    let (out, said) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    assert!(!ended.status.success(), "{out}{said}");
    assert!(said.contains("NOT_WRITABLE"), "{out}{said}");
    assert!(!out.contains("changed"), "{out}{said}");
    assert!(!out.contains("lost"), "it is a ledger again when it can be written: {out}{said}");
}

/// A server on Postgres, and the database's address.
async fn on_postgres(home: &Home) -> (Served, String) {
    let url = stella_ledger::testing::postgres().await.unwrap();
    let mut command = home.stella();
    command.env("STELLA_LEDGER", &url).args(["serve", "--listen", "127.0.0.1:0"]).stderr(Stdio::null());
    (Served::start_by(command), url)
}

/// What happens to the database, and how it is mended, each step in a transaction of its own.
struct Trouble {
    begins: &'static [&'static str],
    ends: &'static [&'static str],
    code: Code,
}

/// Cuts every other connection to the database. What a new connection may do has to be settled before.
const CUT: &str = "select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()";

async fn administer(url: &str, steps: &[&'static str]) {
    for step in steps {
        stella_ledger::testing::administer(url, step).await.unwrap();
    }
}

async fn bear(trouble: Trouble) {
    let home = Home::default();
    let (served, url) = on_postgres(&home).await;
    let client = signed_in(&served).await;
    let submit = async |number| client.jobs().submit(&many::wish(number), &Write::because("a test")).await;
    submit(0).await.unwrap();

    administer(&url, trouble.begins).await;
    for number in 1..5 {
        let refusal = submit(number).await.unwrap_err();
        let code = refusal.problem().map(|problem| problem.code);
        // A connection that was cut is noticed by the first who uses it.
        let is_named = code == Some(trouble.code) || (number == 1 && code == Some(Code::LedgerUnavailable));
        assert!(is_named, "{number}: {refusal}");
    }
    assert_eq!(count(&client).await, 1, "nothing is half-written");

    administer(&url, trouble.ends).await;
    for number in 1..5 {
        if let Err(error) = submit(number).await {
            assert_eq!(error.problem().map(|problem| problem.code), Some(Code::LedgerUnavailable), "{error}");
            submit(number).await.unwrap();
        }
    }
    assert_eq!(count(&client).await, 5);
    assert_eq!(client.core().verify_history().await.unwrap().broken, None);
}

/// A full disk is told by the statement that needs room: here by the last one of a write, so that what came before it in
/// the same transaction has to be taken back.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_disk_is_full_refuses_by_name_loses_nothing_and_is_used_again_when_there_is_room() {
    bear(Trouble {
        begins: &["create function no_room() returns trigger language plpgsql as
                $$ begin raise exception 'could not extend file' using errcode = '53100'; end $$;
            create trigger no_room before insert on history for each row execute function no_room();"],
        ends: &["drop trigger no_room on history"],
        code: Code::NoSpace,
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_turns_read_only_refuses_by_name_and_is_used_again_when_it_can_be_written() {
    bear(Trouble {
        begins: &[
            "do $$ begin
                execute format('alter database %I set default_transaction_read_only = on', current_database());
            end $$",
            CUT,
        ],
        ends: &[
            "do $$ begin
                execute format('alter database %I reset default_transaction_read_only', current_database());
            end $$",
            CUT,
        ],
        code: Code::NotWritable,
    })
    .await;
}
