//! `/metrics`: the rules of the text format 0.0.4, checked by a reader of its own and, where it is installed, by promtool.

use crate::app::App;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::process::{Command, Stdio};
use stella_contract::scope::Scope;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

async fn busy() -> App {
    let app = App::local().await;
    for _ in 0..2 {
        let job = app.post("/api/v1/jobs", r#"{"jobType":"demo.none","payload":{}}"#).await;
        assert_eq!(job.status, 201, "{}", job.text());
    }
    let list = app.get("/api/v1/jobs").await.json();
    let id = list["items"][0]["jobId"].as_str().unwrap().to_owned();
    app.post(&format!("/api/v1/jobs/{id}:cancel"), "").await;
    // A list that is not there: its reading fails.
    let place = app.folder.path().join("missing.json");
    let source = json!({ "name": "missing", "sourceType": "kev", "location": place }).to_string();
    let source = app.post("/api/v1/sources", &source).await.json();
    let id = source["sourceId"].as_str().unwrap();
    assert_eq!(app.post(&format!("/api/v1/sources/{id}:run"), "").await.status, 202);
    app.post("/api/v1/runs", r#"{"mode":"analysis-only"}"#).await;
    app.engine.run_until_idle().await.unwrap();
    app
}

async fn scrape(app: &App) -> String {
    let answer = app.get("/metrics").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    answer.text()
}

#[tokio::test]
async fn the_exposition_keeps_the_rules_of_its_format() {
    let text = scrape(&busy().await).await;
    let families = read(&text).unwrap_or_else(|why| panic!("{why}\n{text}"));
    for name in [
        "scheduler_queue_depth",
        "scheduler_runs_active",
        "scheduler_runs_error_total",
        "scheduler_runs_duration_seconds",
        "scheduler_run_duration_seconds",
        "scheduler_schedules",
        "scheduler_schedule_missed_total",
        "scheduler_schedules_overdue",
        "scheduler_planner_runs_total",
        "scheduler_planner_latency_seconds",
        "scheduler_runner_images_total",
        "scheduler_runner_delta_total",
        "scheduler_runner_delta_critical_total",
        "scheduler_runner_delta_high_total",
        "scheduler_runner_delta_kev_total",
        "orchestrator_runs_total",
        "orchestrator_queue_depth",
        "orchestrator_step_retries_total",
        "orchestrator_run_duration_seconds",
        "orch_jobs_total",
        "orch_job_latency_seconds",
        "orch_leases_active",
        "orch_lease_expired_total",
        "orch_fence_rejected_total",
        "orch_worker_state",
        "orch_planner_heartbeat_age_seconds",
        "orch_slo_burn_rate",
        "orch_slo_budget_remaining_ratio",
        "orch_sse_clients",
    ] {
        assert!(families.contains(name), "{name} is missing\n{text}");
    }
    for line in [
        "orch_jobs_total{job_type=\"demo.none\",state=\"submitted\"} 2",
        "orch_jobs_total{job_type=\"demo.none\",state=\"cancelled\"} 1",
        "orch_jobs_total{job_type=\"ingest.kev\",state=\"submitted\"} 1",
        "orch_jobs_total{job_type=\"ingest.kev\",state=\"failed\"} 1",
        "orchestrator_step_retries_total 0",
        "scheduler_queue_depth{tenant=\"acme\"} 1",
        "orch_job_latency_seconds_count{job_type=\"ingest.kev\",phase=\"queue\"} 1",
        "orch_job_latency_seconds_count{job_type=\"ingest.kev\",phase=\"run\"} 1",
    ] {
        assert!(text.lines().any(|one| one == line), "{line}\n{text}");
    }
}

#[tokio::test]
async fn two_scrapes_of_one_state_are_the_same_bytes() {
    let app = busy().await;
    assert_eq!(scrape(&app).await, scrape(&app).await);
}

#[tokio::test]
async fn promtool_finds_nothing_wrong() {
    let text = scrape(&busy().await).await;
    let started = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut promtool) = started else {
        println!("promtool is not installed: its check of /metrics is left out");
        return;
    };
    promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let said = promtool.wait_with_output().unwrap();
    let words = format!("{}{}", String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
    assert!(said.status.success(), "{words}\n{text}");
}

#[tokio::test]
async fn figures_are_open_at_this_machine_and_need_a_token_elsewhere() {
    let app = App::bearer().await;
    assert_eq!(app.get("/metrics").await.status, 200);
    for (bind, without_token) in [("127.0.0.1:0", "200"), ("0.0.0.0:0", "401")] {
        let listener = TcpListener::bind(bind).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let shutdown = async {
            let _ = stopped.await;
        };
        let serving = tokio::spawn(stella_server::serve(listener, app.router.clone(), shutdown));
        let ask = async |header: &str| {
            let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            let request =
                format!("GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n{header}\r\n");
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            answer.split(' ').nth(1).unwrap().to_owned()
        };
        assert_eq!(ask("").await, without_token, "{bind}");
        let reader = app.token([Scope::OrchRead]).await;
        assert_eq!(ask(&format!("Authorization: Bearer {reader}\r\n")).await, "200", "{bind}");
        if without_token == "401" {
            let other = app.token([Scope::RunsRead]).await;
            assert_eq!(ask(&format!("Authorization: Bearer {other}\r\n")).await, "403", "{bind}");
        }
        stop.send(()).unwrap();
        serving.await.unwrap().unwrap();
    }
}

/// Reads an exposition and names the first rule it breaks; the names of its families.
fn read(text: &str) -> Result<BTreeSet<String>, String> {
    let mut kinds: BTreeMap<String, String> = BTreeMap::new();
    let mut order = Vec::new();
    let mut seen = BTreeSet::new();
    let mut current: Option<(String, String)> = None;
    let mut buckets: BTreeMap<String, (f64, f64)> = BTreeMap::new();
    if !text.ends_with('\n') {
        return Err("the last line does not end".to_owned());
    }
    let mut help: Option<String> = None;
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, words) = rest.split_once(' ').ok_or(format!("no words: {line}"))?;
            if words.is_empty() || kinds.contains_key(name) {
                return Err(format!("empty or second help: {line}"));
            }
            help = Some(name.to_owned());
            continue;
        }
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').ok_or(format!("no kind: {line}"))?;
            if help.as_deref() != Some(name) || !["counter", "gauge", "histogram"].contains(&kind) {
                return Err(format!("no help before or no such kind: {line}"));
            }
            if (kind == "counter") != name.ends_with("_total") {
                return Err(format!("a counter ends in _total, and nothing else does: {line}"));
            }
            kinds.insert(name.to_owned(), kind.to_owned());
            order.push(name.to_owned());
            current = Some((name.to_owned(), kind.to_owned()));
            continue;
        }
        let (family, kind) = current.clone().ok_or(format!("a sample without a family: {line}"))?;
        let (series, value) = line.rsplit_once(' ').ok_or(format!("no value: {line}"))?;
        let value: f64 = value.parse().map_err(|_| format!("no number: {line}"))?;
        if !seen.insert(series.to_owned()) {
            return Err(format!("told twice: {line}"));
        }
        let (name, labels) = labels_of(series)?;
        let suffix = name.strip_prefix(family.as_str()).ok_or(format!("of another family: {line}"))?;
        let allowed: &[&str] = if kind == "histogram" { &["_bucket", "_sum", "_count"] } else { &[""] };
        if !allowed.contains(&suffix) || (kind == "counter" && value < 0.0) {
            return Err(format!("cannot be of a {kind}: {line}"));
        }
        if kind == "histogram" {
            let key: Vec<String> =
                labels.iter().filter(|(name, _)| name != "le").map(|(a, b)| format!("{a}={b}")).collect();
            let key = format!("{family}{{{}}}", key.join(","));
            let le = labels.iter().find(|(name, _)| name == "le").map(|(_, le)| le.as_str());
            match (suffix, le) {
                ("_bucket", Some(le)) => {
                    let bound = if le == "+Inf" { f64::INFINITY } else { le.parse().map_err(|_| line)? };
                    let before = buckets.insert(key, (bound, value)).unwrap_or((f64::NEG_INFINITY, 0.0));
                    if bound <= before.0 || value < before.1 {
                        return Err(format!("buckets must rise: {line}"));
                    }
                }
                ("_count", None) => {
                    if buckets.get(&key) != Some(&(f64::INFINITY, value)) {
                        return Err(format!("the count is not that of +Inf: {line}"));
                    }
                }
                ("_sum", None) => {}
                _ => return Err(format!("`le` belongs to buckets: {line}")),
            }
        }
    }
    if !order.is_sorted() {
        return Err("families are not sorted".to_owned());
    }
    Ok(order.into_iter().collect())
}

fn labels_of(series: &str) -> Result<(String, Vec<(String, String)>), String> {
    let Some((name, inside)) = series.split_once('{') else { return Ok((series.to_owned(), Vec::new())) };
    let mut rest = inside.strip_suffix('}').ok_or(format!("no end: {series}"))?;
    let mut labels: Vec<(String, String)> = Vec::new();
    while !rest.is_empty() {
        let (label, after) = rest.split_once("=\"").ok_or(format!("no value: {series}"))?;
        let plain = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if label.is_empty() || !plain || labels.iter().any(|(known, _)| known == label) {
            return Err(format!("no such label: {series}"));
        }
        let mut end = None;
        let mut escaped = false;
        for (at, byte) in after.bytes().enumerate() {
            match byte {
                b'\\' if !escaped => escaped = true,
                b'"' if !escaped => {
                    end = Some(at);
                    break;
                }
                _ => escaped = false,
            }
        }
        let end = end.ok_or(format!("no end of a value: {series}"))?;
        labels.push((label.to_owned(), after[..end].to_owned()));
        rest = after[end + 1..].trim_start_matches(',');
    }
    let names: Vec<&String> = labels.iter().map(|(name, _)| name).filter(|name| *name != "le").collect();
    if !names.is_sorted() {
        return Err(format!("labels are not sorted: {series}"));
    }
    Ok((name.to_owned(), labels))
}

#[test]
fn the_reader_of_this_test_sees_what_is_wrong() {
    for wrong in [
        "a 1\n",
        "# HELP a x\n# TYPE a counter\na 1\n",
        "# HELP a x\n# TYPE a gauge\na 1\na 2\n",
        "# HELP a x\n# TYPE a gauge\na 1",
        "# HELP b x\n# TYPE b gauge\nb 1\n# HELP a x\n# TYPE a gauge\na 1\n",
        "# HELP a x\n# TYPE a gauge\na{c=\"1\",b=\"2\"} 1\n",
        "# HELP a x\n# TYPE a gauge\na{b=\"\"\"} 1\n",
        "# HELP a x\n# TYPE a histogram\na_bucket{le=\"1\"} 2\na_bucket{le=\"+Inf\"} 1\na_sum 1\na_count 1\n",
        "# HELP a x\n# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na_sum 1\na_count 2\n",
    ] {
        assert!(read(wrong).is_err(), "{wrong}");
    }
}
