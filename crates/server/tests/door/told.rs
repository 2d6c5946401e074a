//! Every answer of these tests is one that the API document names, so that the two cannot drift apart.

use serde_json::Value;
use std::sync::LazyLock;

static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(&stella_server::document()).unwrap());

/// Fails the test when the document does not know this status of the path. What is no path of the interface, or is
/// asked by another method, is answered by the house and not by an endpoint.
pub(crate) fn demand(method: &str, path: &str, status: u16) {
    let Some(operation) = operation(method, path) else { return };
    let told = operation["responses"].as_object().unwrap();
    assert!(
        told.contains_key(&status.to_string()),
        "{method} {path} answered {status}, and the document only knows {:?}",
        told.keys().collect::<Vec<_>>()
    );
}

fn operation(method: &str, path: &str) -> Option<&'static Value> {
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let fitting = paths.iter().filter(|(template, _)| fits(template, path));
    // A verb behind an id is more than an id.
    let closest = || fitting.max_by_key(|(template, _)| template.contains("}:")).map(|(_, item)| item);
    paths.get(path).or_else(closest)?.get(method.to_ascii_lowercase())
}

/// Whether the path is one of the template's: as many parts, the verb behind the last one the same.
fn fits(template: &str, path: &str) -> bool {
    let (wanted, given): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
    wanted.len() == given.len()
        && wanted.iter().zip(given).all(|(wanted, given)| match wanted.split_once('}') {
            Some((_, "")) => !given.is_empty(),
            Some((_, verb)) => given.len() > verb.len() && given.ends_with(verb),
            None => *wanted == given,
        })
}

#[test]
fn a_path_is_found_by_its_template_and_an_unknown_status_is_noticed() {
    let id = "job_01890000-0000-7000-8000-000000000000";
    for (method, path, summary) in [
        ("GET", "/api/v1/jobs/stats".to_owned(), "How each job type is doing"),
        ("POST", format!("/api/v1/jobs/{id}:cancel"), "Cancel a job"),
        ("GET", format!("/api/v1/jobs/{id}/dag"), "The graph around a job, ready to be drawn"),
    ] {
        assert_eq!(operation(method, &path).unwrap()["summary"], summary, "{path}");
    }
    assert!(operation("GET", "/nowhere").is_none() && operation("PUT", "/api/v1/jobs").is_none());
    assert!(std::panic::catch_unwind(|| demand("GET", "/health/live", 418)).is_err());
}
