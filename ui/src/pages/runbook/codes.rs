//! What to do about each code with which a run fails.

use stella_contract::run::RunErrorCode;

/// The section of one code.
pub(super) struct CodeHelp {
    /// How one knows that it is this and not something else.
    pub(super) signs: &'static [&'static str],
    /// What one does, in order.
    pub(super) deeds: &'static [&'static str],
    /// Commands that help.
    pub(super) commands: &'static [&'static str],
}

/// The section of a code; a new code is a compile error here.
pub(super) const fn help(code: RunErrorCode) -> CodeHelp {
    match code {
        RunErrorCode::PlannerLock => CodeHelp {
            signs: &[
                "The run stays in planning and ends in error within two minutes.",
                "Another run of the tenant is in planning at the same time, or a planner died while it held the lock.",
            ],
            deeds: &[
                "Look at the planner's heartbeat in the top bar. A planner that is alive gives the lock back by itself: repeat the run.",
                "When the heartbeat is old, restart the process that plans (`stella serve` or the window); its lock ends with it.",
                "When it comes again and again, look whether a very large run keeps the planner busy, and split that one.",
            ],
            commands: &["runs list --state planning", "health", "runs retry --run RUN --reason TEXT"],
        },
        RunErrorCode::PlanningTooLong => CodeHelp {
            signs: &[
                "The run was in planning for five minutes; no segment was cut.",
                "The scope is everything, or a selector that fits nearly everything, and the index is large.",
            ],
            deeds: &[
                "Preview the same scope: it says how many targets it touches and how old the index is.",
                "Narrow the scope to namespaces or repositories, and start one run for each.",
                "Look whether the ledger is slow: a full disk or a backup that runs makes planning slow first.",
            ],
            commands: &["runs preview --scope FILE", "metrics"],
        },
        RunErrorCode::PolicyMissing => CodeHelp {
            signs: &[
                "The run names a policy snapshot that is no longer there, or whose bytes do not have its digest.",
                "Runs with another snapshot, or with the active one, go well.",
            ],
            deeds: &[
                "Choose a snapshot that exists, or leave it out: then the active one is used.",
                "When the snapshot should be there, look into the history who took it away.",
            ],
            commands: &["runs show --run RUN", "orch audit verify"],
        },
        RunErrorCode::HeldTooLong => CodeHelp {
            signs: &[
                "The run was queued for an hour and none of its segments started.",
                "Its jobs wait for a quota, a breaker, a blackout or a worker: each of them says which.",
            ],
            deeds: &[
                "Open one of the run's jobs: it lists everything that holds it, until when, and what would lift it.",
                "Raise the quota with a reason, end the blackout, or start a worker that takes scan.segment.",
                "Then repeat the run. Its cancelled segments do not go on by themselves.",
            ],
            commands: &[
                "orch jobs list --run RUN",
                "orch jobs explain JOB",
                "orch workers list",
                "runs retry --run RUN --reason TEXT",
            ],
        },
        RunErrorCode::ScannerTimeout => CodeHelp {
            signs: &[
                "Segments end with a timeout after several attempts; others of the same run succeed.",
                "The workers are online, but their slots are all in use.",
            ],
            deeds: &[
                "Look at the load of the workers: more workers, or fewer slots on each, shorten the single segment.",
                "Cut smaller segments: 20 targets instead of 50 rarely meet the limit.",
                "A single target that always times out is in the segment's log; leave it out and look at its SBOM.",
            ],
            commands: &[
                "runs segments --run RUN",
                "orch workers list",
                "runs submit --segment-size 20 --reason TEXT",
            ],
        },
        RunErrorCode::ScannerUnreachable => CodeHelp {
            signs: &[
                "All segments fail alike and at once, with a network error.",
                "The breaker of the scanner's host is open.",
            ],
            deeds: &[
                "Check that the endpoint answers from the machine of the worker: name, port, certificate, proxy.",
                "A breaker closes by itself when a probe succeeds. When the far side is well again, reset it and repeat the run.",
            ],
            commands: &[
                "orch breaker list",
                "orch breaker reset BREAKER --reason TEXT",
                "runs retry --run RUN --reason TEXT",
            ],
        },
        RunErrorCode::TooManyFailed => CodeHelp {
            signs: &[
                "More than a fifth of the segments could not be evaluated; what the others found is kept.",
                "The dead letter holds the failed jobs, those of one cause together.",
            ],
            deeds: &[
                "Open the causes of the dead letter for this run, the one with the most entries first.",
                "Mend the cause before anything is repeated: what still fails only fails again.",
                "Repeat the run, or only its failed segments.",
            ],
            commands: &[
                "runs segments --run RUN",
                "orch deadletter clusters",
                "runs retry --run RUN --reason TEXT",
            ],
        },
        RunErrorCode::ResultsNotStored => CodeHelp {
            signs: &[
                "Everything was evaluated; the end of the run failed.",
                "Other writes are refused too: the disk is full, or the database does not take them.",
            ],
            deeds: &[
                "Free room on the disk of the ledger and of its folder of files, or bring the database back.",
                "Nothing is half-written: repeat the run when writes succeed again.",
            ],
            commands: &["health", "runs retry --run RUN --reason TEXT"],
        },
        RunErrorCode::IndexStale => CodeHelp {
            signs: &[
                "No source was read for more than 24 hours, or none was ever read.",
                "A preview warns of the same and says how old the index is.",
            ],
            deeds: &[
                "Run the sources; a failing source says why on its own page.",
                "In an offline place, import a newer kit.",
                "When an old index is good enough this once, allow it with a reason; the run is marked with it.",
            ],
            commands: &["source list", "source run SOURCE", "runs submit --allow-stale --reason TEXT"],
        },
        RunErrorCode::WorkerLost => CodeHelp {
            signs: &[
                "The last attempt of a segment ended because its lease ran out.",
                "A worker is late or offline since about that time.",
            ],
            deeds: &[
                "Look at the worker that held the segment: out of memory and a machine that sleeps are the usual causes.",
                "Quarantine a worker that loses lease after lease; its jobs go to others by themselves.",
                "Repeat the run when enough workers are online.",
            ],
            commands: &["orch workers list", "runs segments --run RUN", "runs retry --run RUN --reason TEXT"],
        },
        RunErrorCode::NetworkNeeded => CodeHelp {
            signs: &[
                "The ledger is sealed or offline, and the run asked for something that is not in it.",
                "The same run goes well on a machine with network.",
            ],
            deeds: &[
                "Import a kit that holds the missing data; its contents say what is in it.",
                "Or start the run as analysis-only: it uses what is known and asks nobody.",
            ],
            commands: &["runs submit --mode analysis-only --reason TEXT"],
        },
        RunErrorCode::Signature => CodeHelp {
            signs: &[
                "Everything was evaluated; signing the result, or checking a signature, failed.",
                "The message names the key or the trust root.",
            ],
            deeds: &[
                "Check that the key is there, may be read and has not expired; check the machine's clock.",
                "A signature that does not fit may mean that bytes were changed: verify the history before repeating anything.",
            ],
            commands: &["orch audit verify", "runs evidence --run RUN"],
        },
        RunErrorCode::DurationLimit => CodeHelp {
            signs: &[
                "The run took four hours and was ended; what it evaluated until then is kept.",
                "Its throughput was low for its size: few workers, or a limit on its jobs.",
            ],
            deeds: &[
                "Look at the timeline: long queueing means limits or missing workers, long segments mean slow ones.",
                "Split the scope into several runs, or let more workers take part.",
            ],
            commands: &["runs show --run RUN", "orch quota list", "orch workers list"],
        },
        RunErrorCode::ScopeInvalid => CodeHelp {
            signs: &[
                "The run ends in planning; its scope names namespaces, digests or keys that this tenant does not have.",
                "The same scope goes well for another tenant.",
            ],
            deeds: &[
                "Check the tenant in the top bar, then the spelling of the scope.",
                "Preview the scope: unknown keys are listed one by one.",
            ],
            commands: &["sbom list", "runs preview --scope FILE"],
        },
        RunErrorCode::Internal => CodeHelp {
            signs: &[
                "No other code fits: a fault of the product.",
                "The message says no more than that; the log of the core does.",
            ],
            deeds: &[
                "Copy the correlation id of the run and look it up in the log of the core.",
                "Make the text for support: it holds the run, its times and the end of its log, with secrets hidden.",
                "One repetition is worth a try. When it fails alike, wait for an answer.",
            ],
            commands: &["runs escalate --run RUN", "runs retry --run RUN --reason TEXT"],
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_says_how_it_is_recognised_and_what_to_do() {
        for code in RunErrorCode::ALL {
            let help = help(*code);
            assert!(!help.signs.is_empty() && !help.deeds.is_empty() && !help.commands.is_empty(), "{code}");
            assert!(help.deeds.iter().chain(help.signs).all(|text| text.ends_with('.')), "{code}");
        }
    }
}
