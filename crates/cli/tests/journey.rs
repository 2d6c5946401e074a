//! Whole journeys on a ledger of their own, in the process of the command: no server, no port.

#![expect(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

mod support;

use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use support::{command, stella_on};

/// A workplace of one operator.
struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn ledger(&self) -> PathBuf {
        self.folder.path().join("ledger.db")
    }

    /// Runs the command and gives its output; any other end than the expected one is told in full.
    fn stella(&self, exit: i32, arguments: &[&str]) -> String {
        let output = stella_on(&self.ledger(), arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(exit), "stella {}: {stderr}", arguments.join(" "));
        String::from_utf8(if exit == 0 { output.stdout } else { output.stderr }).unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.stella(0, &[arguments, &["--format", "json"]].concat())).unwrap()
    }

    /// A folder with these files of the sample data.
    fn feed(&self, name: &str, files: &[&str]) -> String {
        let folder = self.folder.path().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        for file in files {
            let to = folder.join(Path::new(file).file_name().unwrap());
            std::fs::copy(sample(file), to).unwrap();
        }
        folder.to_string_lossy().into_owned()
    }
}

fn sample(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("demo").join(file)
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[test]
fn four_steps_lead_from_an_empty_ledger_to_findings() {
    let bench = Bench::new();
    let advisories = bench.feed("advisories", &["advisories-1.ndjson"]);
    bench.stella(0, &["source", "add", "--name", "own", "--type", "advisory", "--location", &advisories]);
    let kev = text(&sample("kev-1.json"));
    bench.stella(0, &["source", "add", "--name", "kev", "--type", "kev", "--location", &kev]);
    let report = bench.stella(0, &["source", "run", "--all", "--wait"]);
    assert_eq!(
        report,
        "kev  1 records: 1 added, 0 changed, 0 removed, 0 refused\n\
         own  12 records: 12 added, 0 changed, 0 removed, 0 refused\n"
    );
    let added = bench.stella(0, &["sbom", "add", &text(&sample("sboms-1")), "--namespace", "shop"]);
    assert_eq!(added.lines().count(), 12, "{added}");

    let run = bench.json(&["runs", "submit", "--reason", "first look", "--wait"]);
    assert_eq!(run["state"], "completed");
    assert_eq!(run["candidates"], 12);
    let findings = bench.json(&["findings", "list", "--all"]);
    assert_eq!(findings["items"].as_array().unwrap().len() as u64, run["findings"].as_u64().unwrap());
    let exploited = bench.json(&["findings", "list", "--kev", "--all"]);
    let exploited: Vec<(&str, &str)> = exploited["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| (finding["targetName"].as_str().unwrap(), finding["purl"].as_str().unwrap()))
        .collect();
    assert_eq!(
        exploited,
        [("till-api", "pkg:pypi/saltmarsh@2.0.4"), ("stock-keeper", "pkg:pypi/saltmarsh@3.1.0")]
    );
    insta::assert_snapshot!("journey_matches", bench.stella(0, &["findings", "matches", "--csv"]));
    assert!(bench.stella(0, &["orch", "audit", "verify"]).contains("sound\n"));
}

#[test]
fn the_sample_data_tells_what_changed_and_stays_as_it_is_when_loaded_again() {
    let bench = Bench::new();
    let first = bench.stella(0, &["demo"]);
    let told: Vec<&str> = first.lines().map(|line| line.split_once("  ").unwrap().1).collect();
    insta::assert_snapshot!("demo", told.join("\n"));
    assert_eq!(bench.stella(0, &["demo"]), first);
    let deltas =
        bench.json(&["runs", "deltas", first.lines().nth(1).unwrap().split(' ').next().unwrap(), "--all"]);
    let raised =
        deltas["items"].as_array().unwrap().iter().find(|change| change["kind"] == "severity_raised");
    assert_eq!(raised.unwrap()["purl"], "pkg:cargo/cinder-codec@0.4.7");
}

#[test]
fn a_preview_counts_the_targets_of_a_package_and_a_run_over_them_takes_no_others() {
    let bench = Bench::new();
    bench.stella(0, &["demo"]);
    let preview = bench.json(&["runs", "preview", "--purl", "pkg:pypi/saltmarsh"]);
    assert_eq!(preview["impactedImages"], 3);
    let id = preview["previewId"].as_str().unwrap();
    let run = bench.json(&[
        "runs",
        "submit",
        "--purl",
        "pkg:pypi/saltmarsh",
        "--preview",
        id,
        "--reason",
        "saltmarsh only",
        "--wait",
    ]);
    assert_eq!(run["candidates"], 3);
    let missing = bench.stella(1, &["runs", "submit"]);
    assert!(missing.contains("(REASON_REQUIRED)\nnext: Say why: --reason"), "{missing}");
}

#[test]
fn a_feed_that_shrank_is_refused_until_it_is_forced_with_a_reason() {
    let bench = Bench::new();
    let feed = bench.folder.path().join("feed.ndjson");
    std::fs::copy(sample("advisories-1.ndjson"), &feed).unwrap();
    bench.stella(0, &["source", "add", "--name", "own", "--type", "advisory", "--location", &text(&feed)]);
    bench.stella(0, &["source", "run", "own", "--wait"]);
    let whole = std::fs::read_to_string(&feed).unwrap();
    std::fs::write(&feed, whole.lines().take(2).collect::<Vec<_>>().join("\n")).unwrap();
    let refused = bench.stella(1, &["source", "run", "own", "--wait"]);
    assert!(refused.contains("(FEED_SUSPICIOUS)"), "{refused}");
    let forced = ["source", "run", "own", "--wait", "--force", "--reason", "the vendor split the feed"];
    assert!(bench.stella(0, &forced).contains("2 records: 0 added, 0 changed, 10 removed"));
}

#[test]
fn what_is_not_there_is_exit_four() {
    let bench = Bench::new();
    let run = "run:default:20261121T140815Z:9c1f04ab";
    assert!(bench.stella(4, &["runs", "show", run]).contains("(NOT_FOUND)"));
    let job = "job_01890000-0000-7000-8000-000000000001";
    assert!(bench.stella(4, &["orch", "jobs", "show", job]).contains("(JOB_NOT_FOUND)"));
}

/// A job for an address was left in the ledger; whoever works there sealed must not do it.
#[test]
fn a_seal_holds_for_jobs_that_waited_too() {
    let bench = Bench::new();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/kev.json", nobody.local_addr().unwrap());
    nobody.set_nonblocking(true).unwrap();
    bench.stella(0, &["source", "add", "--name", "far", "--type", "kev", "--location", &address]);
    assert!(bench.stella(6, &["--sealed", "source", "run", "far"]).contains("(SEALED_MODE)"));
    let job = bench.json(&["source", "run", "far"]);
    let job = job["jobId"].as_str().unwrap();
    let refused = bench.stella(1, &["--sealed", "orch", "jobs", "show", job, "--wait"]);
    assert!(refused.contains("the network is sealed"), "{refused}");
    assert!(nobody.accept().is_err(), "somebody called");
}

#[cfg(unix)]
#[test]
fn who_interrupts_a_wait_ends_it_and_leaves_the_ledger_in_order() {
    let bench = Bench::new();
    let mut waits =
        command(&["--trace", "orch", "jobs", "submit", "--type", "demo.nobody-does-it", "--wait"]);
    let mut child = waits.env("STELLA_LEDGER", bench.ledger()).stderr(Stdio::piped()).spawn().unwrap();
    let mut told = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(told.any(|line| line.contains("GET /api/v1/jobs/job_")), "it never came to wait");
    let killed = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    assert!(told.any(|line| line == "stella: Interrupted."), "it did not say why it ended");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(bench.stella(0, &["orch", "jobs", "list"]).contains("demo.nobody-does-it"));
}

/// `stella serve`, ended when it is dropped.
struct Served(Child);

impl Served {
    fn on(bench: &Bench) -> (Self, Value) {
        let mut serve = command(&["serve", "--format", "json"]);
        let mut child = serve
            .env("STELLA_LEDGER", bench.ledger())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        (Self(child), serde_json::from_str(&line).unwrap())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_served_ledger_is_locked_for_others_and_reached_with_a_token() {
    let bench = Bench::new();
    let token = bench.stella(0, &["token", "create", "--name", "tester", "--ttl", "1h"]);
    let onlooker = bench.stella(0, &["token", "create", "--name", "onlooker", "--scope", "orch:read"]);
    let (_served, told) = Served::on(&bench);
    let address = told["address"].as_str().unwrap();
    assert!(told["url"].as_str().unwrap().starts_with(&format!("{address}/?token=")), "{told}");

    let locked = bench.stella(1, &["source", "list"]);
    assert!(locked.contains("(LEDGER_LOCKED)\nnext: The window or `stella serve` holds it."), "{locked}");

    let kev = text(&sample("kev-1.json"));
    let there = |exit: i32, token: &str, arguments: &[&str]| {
        bench.stella(exit, &[arguments, &["--server", address, "--token", token.trim()]].concat())
    };
    there(0, &token, &["source", "add", "--name", "kev", "--type", "kev", "--location", &kev]);
    assert!(there(0, &token, &["source", "run", "kev", "--wait"]).starts_with("kev  1 records: 1 added"));
    let run = there(0, &token, &["runs", "submit", "--reason", "nothing is here", "--wait"]);
    assert!(run.contains("No work"), "{run}");
    assert!(there(2, &onlooker, &["source", "run", "kev"]).contains("(SCOPE_MISSING)"));
    assert!(there(2, "stl_wrong", &["source", "list"]).contains("(UNAUTHENTICATED)"));
}
