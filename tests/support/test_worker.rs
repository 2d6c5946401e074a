//! A worker that tests start and kill: it writes down every attempt in a file before it finishes the job.
//! `STELLA_SERVER` and `STELLA_TOKEN` say for whom it works, `STELLA_WITNESS` where it writes.

#![expect(clippy::unwrap_used, reason = "support of tests: a panic is the report")]

use serde_json::{Value, json};
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use stella_contract::job::ErrorClass;
use stella_sdk::Client;
use stella_sdk::worker::{Failure, Finished, Task, Worker};

/// Between two attempts to be taken on.
const PAUSE: Duration = Duration::from_millis(100);
/// What this worker does.
const JOB_TYPES: [&str; 3] = ["demo.step", "demo.lean", "demo.paced"];
/// How long a piece of work takes, at most: long enough that several are at work at once.
const LONGEST: u64 = 80;

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is set by the test"))
}

/// One line per attempt, appended in one write so that several workers may share the file.
fn witness(file: &Mutex<File>, task: &Task) {
    let lease = task.lease();
    let line = format!("{}\n", json!({ "jobId": lease.job_id, "leaseEpoch": lease.lease_epoch }));
    file.lock().unwrap().write_all(line.as_bytes()).unwrap();
}

/// A doomed number always fails. Of the others every seventh fails at its first attempt; who repeats it, succeeds.
fn outcome(number: u64, is_doomed: bool, attempt: i32) -> Result<Finished, Failure> {
    if is_doomed {
        return Err(Failure::new(
            ErrorClass::Validation,
            "TEST_DOOM",
            "It fails as it is. Change its payload.",
        ));
    }
    if number.is_multiple_of(7) && attempt == 1 {
        return Err(Failure::new(ErrorClass::Network, "TEST_FAILURE", "It fails once. Try it again."));
    }
    Ok(json!({ "number": number }).into())
}

#[tokio::main]
async fn main() {
    rustls::crypto::ring::default_provider().install_default().ok();
    let tenant = variable("STELLA_TENANT").parse().unwrap();
    let client = Client::new(&variable("STELLA_SERVER"), Some(&variable("STELLA_TOKEN")), tenant).unwrap();
    let file = OpenOptions::new().create(true).append(true).open(variable("STELLA_WITNESS")).unwrap();
    let file = Arc::new(Mutex::new(file));
    let work = move |task: Task| {
        let file = file.clone();
        async move {
            let number = task.payload().get("number").and_then(Value::as_u64).unwrap();
            let is_doomed = task.payload().get("doomed").and_then(Value::as_bool).unwrap_or(false);
            witness(&file, &task);
            tokio::time::sleep(Duration::from_millis(number * 7 % LONGEST)).await;
            outcome(number, is_doomed, task.lease().attempt)
        }
    };
    let worker = Worker::new(client, "test-worker").concurrency(8);
    let worker = JOB_TYPES.into_iter().fold(worker, |worker, job_type| worker.on(job_type, work.clone()));
    // A server that is down takes nobody, and one that was restarted may know nobody: then it begins anew.
    loop {
        worker.clone().run_until(std::future::pending()).await.ok();
        tokio::time::sleep(PAUSE).await;
    }
}
