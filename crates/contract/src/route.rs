//! Every page of the UI: its path both ways, its title, and the legacy aliases that lead to it.
//!
//! Paths are the user's (execution operations, canonical owner). `canonicalize` is pure: it is applied before the
//! UI mounts and at every change of location, and it keeps query and fragment as they are.

use crate::ids::{ChangeSetId, DeadLetterId, JobId, RunId, SourceId};

/// One page.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each page is named by its path")]
pub enum Route {
    JobsQueues,
    JobEngine,
    Jobs,
    Job(JobId),
    JobDag(JobId),
    ChangeSets,
    ChangeSet(ChangeSetId),
    Quotas,
    DeadLetter,
    DeadLetterQueue,
    DeadLetterEntry(DeadLetterId),
    Scheduler,
    Runs,
    Run(RunId),
    RunStream(RunId),
    RunDiff(RunId),
    Schedules,
    Policy,
    Workers,
    Sources,
    Source(SourceId),
    Targets,
    Findings,
    ScannerOps,
    OfflineKits,
    Baselines,
    Analyzers,
    Performance,
    ScannerSettings,
    Downloads,
    Settings,
    Runbook,
}

/// What a path leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolved {
    /// A page.
    Page(Route),
    /// A section that has no such child: its index, with a notice that names the child.
    UnknownChild(Route),
    /// Nothing of ours.
    Nowhere,
}

const OPERATIONS: &str = "/ops/operations";
const SCANNER: &str = "/ops/scanner-ops";

impl Route {
    /// The path, percent-encoded where it must be.
    pub fn path(&self) -> String {
        match self {
            Self::JobsQueues => format!("{OPERATIONS}/jobs-queues"),
            Self::JobEngine => format!("{OPERATIONS}/jobengine"),
            Self::Jobs => format!("{OPERATIONS}/jobengine/jobs"),
            Self::Job(id) => format!("{OPERATIONS}/jobengine/jobs/{id}"),
            Self::JobDag(id) => format!("{OPERATIONS}/jobengine/jobs/{id}/dag"),
            Self::ChangeSets => format!("{OPERATIONS}/jobengine/change-sets"),
            Self::ChangeSet(id) => format!("{OPERATIONS}/jobengine/change-sets/{id}"),
            Self::Quotas => format!("{OPERATIONS}/jobengine/quotas"),
            Self::DeadLetter => format!("{OPERATIONS}/dead-letter"),
            Self::DeadLetterQueue => format!("{OPERATIONS}/dead-letter/queue"),
            Self::DeadLetterEntry(id) => format!("{OPERATIONS}/dead-letter/entry/{id}"),
            Self::Scheduler => format!("{OPERATIONS}/scheduler"),
            Self::Runs => format!("{OPERATIONS}/scheduler/runs"),
            Self::Run(id) => format!("{OPERATIONS}/scheduler/runs/{id}"),
            Self::RunStream(id) => format!("{OPERATIONS}/scheduler/runs/{id}/stream"),
            Self::RunDiff(id) => format!("{OPERATIONS}/scheduler/runs/{id}/diff"),
            Self::Schedules => format!("{OPERATIONS}/scheduler/schedules"),
            Self::Policy => format!("{OPERATIONS}/scheduler/policy"),
            Self::Workers => format!("{OPERATIONS}/scheduler/workers"),
            Self::Sources => format!("{OPERATIONS}/sources"),
            Self::Source(id) => format!("{OPERATIONS}/sources/{id}"),
            Self::Targets => format!("{OPERATIONS}/targets"),
            Self::Findings => format!("{OPERATIONS}/findings"),
            Self::ScannerOps => SCANNER.to_owned(),
            Self::OfflineKits => format!("{SCANNER}/offline-kits"),
            Self::Baselines => format!("{SCANNER}/baselines"),
            Self::Analyzers => format!("{SCANNER}/analyzers"),
            Self::Performance => format!("{SCANNER}/performance"),
            Self::ScannerSettings => format!("{SCANNER}/settings"),
            Self::Downloads => "/ops/downloads".to_owned(),
            Self::Settings => "/settings".to_owned(),
            Self::Runbook => "/settings/runbook".to_owned(),
        }
    }

    /// The page's title.
    pub const fn title(&self) -> &'static str {
        match self {
            Self::JobsQueues => "Jobs & Queues",
            Self::JobEngine => "JobEngine",
            Self::Jobs => "Jobs",
            Self::Job(_) => "Job",
            Self::JobDag(_) => "Job graph",
            Self::ChangeSets => "Change-sets",
            Self::ChangeSet(_) => "Change-set",
            Self::Quotas => "Quotas",
            Self::DeadLetter => "Dead-Letter",
            Self::DeadLetterQueue => "Dead-Letter queue",
            Self::DeadLetterEntry(_) => "Dead-Letter entry",
            Self::Scheduler => "Scheduler",
            Self::Runs => "Runs",
            Self::Run(_) => "Run",
            Self::RunStream(_) => "Run stream",
            Self::RunDiff(_) => "Run diff",
            Self::Schedules => "Schedules",
            Self::Policy => "Policy",
            Self::Workers => "Workers",
            Self::Sources => "Sources",
            Self::Source(_) => "Source",
            Self::Targets => "Targets",
            Self::Findings => "Findings",
            Self::ScannerOps => "Scanner Ops",
            Self::OfflineKits => "Offline kits",
            Self::Baselines => "Baselines",
            Self::Analyzers => "Analyzers",
            Self::Performance => "Performance",
            Self::ScannerSettings => "Scanner settings",
            Self::Downloads => "Downloads",
            Self::Settings => "Settings",
            Self::Runbook => "Runbook",
        }
    }

    /// What a path (without query and fragment) leads to.
    pub fn resolve(path: &str) -> Resolved {
        let parts: Vec<String> = path.split('/').filter(|part| !part.is_empty()).map(decode).collect();
        let words: Vec<&str> = parts.iter().map(String::as_str).collect();
        let page = match words.as_slice() {
            [] | ["ops"] | ["ops", "operations"] | ["ops", "operations", "jobs-queues"] => Self::JobsQueues,
            ["ops", "operations", "jobengine", rest @ ..] => return jobengine(rest),
            ["ops", "operations", "dead-letter", rest @ ..] => return dead_letter(rest),
            ["ops", "operations", "scheduler", rest @ ..] => return scheduler(rest),
            ["ops", "operations", "sources"] => Self::Sources,
            ["ops", "operations", "sources", id] => match id.parse() {
                Ok(id) => Self::Source(id),
                Err(_) => return Resolved::UnknownChild(Self::Sources),
            },
            ["ops", "operations", "targets"] => Self::Targets,
            ["ops", "operations", "findings"] => Self::Findings,
            ["ops", "operations", ..] => return Resolved::UnknownChild(Self::JobsQueues),
            ["ops", "scanner-ops", rest @ ..] => return scanner(rest),
            ["ops", "downloads"] => Self::Downloads,
            ["settings"] => Self::Settings,
            ["settings", "runbook"] => Self::Runbook,
            _ => return Resolved::Nowhere,
        };
        Resolved::Page(page)
    }
}

fn jobengine(rest: &[&str]) -> Resolved {
    Resolved::Page(match rest {
        [] => Route::JobEngine,
        ["jobs"] => Route::Jobs,
        ["jobs", id] => match id.parse() {
            Ok(id) => Route::Job(id),
            Err(_) => return Resolved::UnknownChild(Route::Jobs),
        },
        ["jobs", id, "dag"] => match id.parse() {
            Ok(id) => Route::JobDag(id),
            Err(_) => return Resolved::UnknownChild(Route::Jobs),
        },
        ["change-sets"] => Route::ChangeSets,
        ["change-sets", id] => match id.parse() {
            Ok(id) => Route::ChangeSet(id),
            Err(_) => return Resolved::UnknownChild(Route::ChangeSets),
        },
        ["change-sets", ..] => return Resolved::UnknownChild(Route::ChangeSets),
        ["quotas"] => Route::Quotas,
        ["jobs", ..] => return Resolved::UnknownChild(Route::Jobs),
        _ => return Resolved::UnknownChild(Route::JobEngine),
    })
}

fn dead_letter(rest: &[&str]) -> Resolved {
    Resolved::Page(match rest {
        [] => Route::DeadLetter,
        ["queue"] => Route::DeadLetterQueue,
        ["entry", id] => match id.parse() {
            Ok(id) => Route::DeadLetterEntry(id),
            Err(_) => return Resolved::UnknownChild(Route::DeadLetterQueue),
        },
        _ => return Resolved::UnknownChild(Route::DeadLetter),
    })
}

fn scheduler(rest: &[&str]) -> Resolved {
    Resolved::Page(match rest {
        [] => Route::Scheduler,
        ["runs"] => Route::Runs,
        ["runs", id] => match id.parse() {
            Ok(id) => Route::Run(id),
            Err(_) => return Resolved::UnknownChild(Route::Runs),
        },
        ["runs", id, "stream"] => match id.parse() {
            Ok(id) => Route::RunStream(id),
            Err(_) => return Resolved::UnknownChild(Route::Runs),
        },
        ["runs", id, "diff"] => match id.parse() {
            Ok(id) => Route::RunDiff(id),
            Err(_) => return Resolved::UnknownChild(Route::Runs),
        },
        ["schedules"] => Route::Schedules,
        ["policy"] => Route::Policy,
        ["workers"] => Route::Workers,
        ["runs", ..] => return Resolved::UnknownChild(Route::Runs),
        _ => return Resolved::UnknownChild(Route::Scheduler),
    })
}

fn scanner(rest: &[&str]) -> Resolved {
    Resolved::Page(match rest {
        [] => Route::ScannerOps,
        ["offline-kits"] => Route::OfflineKits,
        ["baselines"] => Route::Baselines,
        ["analyzers"] => Route::Analyzers,
        ["performance"] => Route::Performance,
        ["settings"] => Route::ScannerSettings,
        _ => return Resolved::UnknownChild(Route::ScannerOps),
    })
}

/// Old prefix and new prefix; what follows the old one is kept.
const ALIASES: &[(&str, &str)] = &[
    ("/ops/jobengine", "/ops/operations/jobengine"),
    ("/platform-ops/jobengine", "/ops/operations/jobengine"),
    ("/platform/ops/jobengine", "/ops/operations/jobengine"),
    ("/ops/scheduler", "/ops/operations/scheduler"),
    ("/platform-ops/scheduler", "/ops/operations/scheduler"),
    ("/platform/ops/scheduler", "/ops/operations/scheduler"),
    ("/platform/ops/dead-letter", "/ops/operations/dead-letter"),
    ("/ops/scanner", "/ops/scanner-ops"),
    ("/console/runs", "/ops/operations/scheduler/runs"),
];

/// The path that an old one now has; `None` when it is not an old one. Takes and gives no query or fragment.
pub fn canonicalize(path: &str) -> Option<String> {
    // The platform's old scanner routes had several spellings behind this one prefix.
    if let Some(rest) = path.strip_prefix("/platform-ops/scanner") {
        let child = rest.find('/').map_or("", |at| &rest[at..]);
        return Some(format!("{SCANNER}{}", child.trim_end_matches('/')));
    }
    ALIASES.iter().find_map(|(old, new)| {
        let rest = path.strip_prefix(old)?;
        (rest.is_empty() || rest.starts_with('/')).then(|| format!("{new}{}", rest.trim_end_matches('/')))
    })
}

/// The in-app location that a `stella://` link names, query and fragment kept; `None` when it names none of ours.
///
/// A link only navigates. Host and path are one: `stella://console/runs/…` and `stella:///console/runs/…` agree.
pub fn from_deep_link(link: &str) -> Option<String> {
    let rest = link.strip_prefix("stella://")?;
    if rest.len() > 2_000 || rest.chars().any(char::is_control) {
        return None;
    }
    let cut = rest.find(['?', '#']).unwrap_or(rest.len());
    let (path, suffix) = rest.split_at(cut);
    let path = format!("/{}", path.trim_matches('/'));
    let path = canonicalize(&path).unwrap_or(path);
    match Route::resolve(&path) {
        Resolved::Page(_) => Some(format!("{path}{suffix}")),
        Resolved::UnknownChild(_) | Resolved::Nowhere => None,
    }
}

/// Percent-encodes one path segment; `:` may stay (RFC 3986 §3.3).
pub fn encode(segment: &str) -> String {
    let mut out = String::with_capacity(segment.len());
    for byte in segment.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:@!$&'()*+,;=".contains(&byte) {
            out.push(byte as char);
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// Percent-encodes one value of a query.
pub fn encode_query(value: &str) -> String {
    encode(value).replace('&', "%26").replace('+', "%2B").replace('=', "%3D")
}

/// Undoes [`encode`]; a broken escape stays as it is.
pub fn decode(segment: &str) -> String {
    let bytes = segment.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = (bytes[at] == b'%')
            .then(|| segment.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok()))
            .flatten();
        match escaped {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job() -> JobId {
        JobId::from_uuid("01890000-0000-7000-8000-000000000000")
    }

    fn source() -> SourceId {
        SourceId::from_uuid("01890000-0000-7000-8000-000000000000")
    }

    fn run() -> RunId {
        "run:acme:20261121T140815Z:9c1f04ab".parse().unwrap()
    }

    #[test]
    fn every_page_is_found_again_by_its_own_path() {
        use Route as R;
        let all = [
            R::JobsQueues,
            R::JobEngine,
            R::Jobs,
            R::Job(job()),
            R::JobDag(job()),
            R::ChangeSets,
            R::ChangeSet("chg_01890000-0000-7000-8000-000000000000".parse().unwrap()),
            R::Quotas,
            R::DeadLetter,
            R::DeadLetterQueue,
            R::DeadLetterEntry(DeadLetterId::from_uuid("01890000-0000-7000-8000-000000000000")),
            R::Scheduler,
            R::Runs,
            R::Run(run()),
            R::RunStream(run()),
            R::RunDiff(run()),
            R::Schedules,
            R::Policy,
            R::Workers,
            R::Sources,
            R::Source(source()),
            R::Targets,
            R::Findings,
            R::ScannerOps,
            R::OfflineKits,
            R::Baselines,
            R::Analyzers,
            R::Performance,
            R::ScannerSettings,
            R::Downloads,
            R::Settings,
            R::Runbook,
        ];
        for route in all {
            assert_eq!(Route::resolve(&route.path()), Resolved::Page(route.clone()), "{}", route.path());
            assert_eq!(canonicalize(&route.path()), None, "{} is not an alias", route.path());
        }
    }

    #[test]
    fn an_encoded_run_id_is_read_like_a_plain_one() {
        let path = "/ops/operations/scheduler/runs/run%3Aacme%3A20261121T140815Z%3A9c1f04ab/stream";
        assert_eq!(Route::resolve(path), Resolved::Page(Route::RunStream(run())));
    }

    #[test]
    fn every_old_path_leads_to_its_new_one() {
        let cases = [
            ("/ops/jobengine", "/ops/operations/jobengine"),
            ("/ops/jobengine/jobs/x", "/ops/operations/jobengine/jobs/x"),
            ("/ops/scheduler/runs", "/ops/operations/scheduler/runs"),
            ("/ops/scanner", "/ops/scanner-ops"),
            ("/ops/scanner/baselines", "/ops/scanner-ops/baselines"),
            ("/platform-ops/jobengine/quotas", "/ops/operations/jobengine/quotas"),
            ("/platform-ops/scheduler/", "/ops/operations/scheduler"),
            ("/platform-ops/scanner", "/ops/scanner-ops"),
            ("/platform-ops/scanner-ops/offline-kits", "/ops/scanner-ops/offline-kits"),
            ("/platform-ops/scanner/analyzers", "/ops/scanner-ops/analyzers"),
            ("/platform/ops/jobengine/jobs", "/ops/operations/jobengine/jobs"),
            ("/platform/ops/scheduler/workers", "/ops/operations/scheduler/workers"),
            ("/platform/ops/dead-letter/queue", "/ops/operations/dead-letter/queue"),
            ("/console/runs", "/ops/operations/scheduler/runs"),
            (
                "/console/runs/run:a:20261121T140815Z:9c1f04ab",
                "/ops/operations/scheduler/runs/run:a:20261121T140815Z:9c1f04ab",
            ),
        ];
        for (old, new) in cases {
            let found = canonicalize(old).unwrap_or_else(|| panic!("{old}"));
            assert_eq!(found, new);
            assert_eq!(canonicalize(&found), None, "{old} would redirect twice");
        }
        for not_old in ["/ops/scanner-ops", "/ops/jobengines", "/ops/operations/jobengine", "/", "/console"] {
            assert_eq!(canonicalize(not_old), None, "{not_old}");
        }
    }

    #[test]
    fn an_unknown_child_leads_to_its_section() {
        assert_eq!(
            Route::resolve("/ops/operations/jobengine/nope"),
            Resolved::UnknownChild(Route::JobEngine)
        );
        assert_eq!(
            Route::resolve("/ops/operations/jobengine/jobs/nope"),
            Resolved::UnknownChild(Route::Jobs)
        );
        assert_eq!(Route::resolve("/ops/scanner-ops/nope"), Resolved::UnknownChild(Route::ScannerOps));
        assert_eq!(Route::resolve("/elsewhere"), Resolved::Nowhere);
    }

    #[test]
    fn a_deep_link_only_reaches_pages_of_ours() {
        assert_eq!(
            from_deep_link("stella://console/runs?tab=failures#x").unwrap(),
            "/ops/operations/scheduler/runs?tab=failures#x"
        );
        assert_eq!(
            from_deep_link("stella:///ops/operations/findings?kev=true").unwrap(),
            "/ops/operations/findings?kev=true"
        );
        for refused in
            ["stella://evil", "https://console/runs", "stella://console/runs\n", "stella://ops/operations/x"]
        {
            assert_eq!(from_deep_link(refused), None, "{refused}");
        }
    }

    #[test]
    fn text_survives_a_round_trip_through_a_path() {
        for text in ["a b", "ü/%", "100%", "x?y#z", "a+b&c=d"] {
            assert_eq!(decode(&encode(text)), text);
            assert_eq!(decode(&encode_query(text)), text);
        }
    }
}
