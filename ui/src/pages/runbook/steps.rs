//! What to do when something is wrong, each sign with its page.

use stella_contract::route::Route;

/// A sign and what to do, in order.
pub(super) struct Step {
    /// What one sees.
    pub(super) sign: &'static str,
    /// Where one looks.
    pub(super) page: Route,
    /// What one does.
    pub(super) deeds: &'static [&'static str],
}

pub(super) const STEPS: &[Step] = &[
    Step {
        sign: "Many jobs fail alike",
        page: Route::DeadLetter,
        deeds: &[
            "Open the cause with the most entries and read its newest sentence.",
            "Mend the cause first: a replay of what still fails only fails again.",
            "Replay one entry. When it succeeds, replay the cause; what cannot be mended is resolved with a note.",
            "When the cause is known and takes its time, mute it: it is counted, and nobody is called again.",
        ],
    },
    Step {
        sign: "Jobs wait and do not start",
        page: Route::Jobs,
        deeds: &[
            "Open a job: it lists everything that holds it, until when, and what would lift it.",
            "A quota, a breaker or a blackout is changed on the page of quotas; a missing worker is started.",
            "Under pressure only jobs of high priority are taken; the page of quotas says when the backlog is gone.",
        ],
    },
    Step {
        sign: "Workers lose their leases",
        page: Route::Workers,
        deeds: &[
            "Look which pool is silent. A worker that hangs is quarantined; its jobs go to others by themselves.",
            "What it reports later changes nothing. Resume it when it is well again.",
        ],
    },
    Step {
        sign: "A source lags behind",
        page: Route::Sources,
        deeds: &[
            "Test the source: it is read once and nothing is kept.",
            "A far side that asks for patience gets it by itself. A window that cannot be read is skipped, and shown as a gap.",
            "A backfill closes gaps later, at a share of the source's rate.",
        ],
    },
    Step {
        sign: "The ledger is full, locked or read-only",
        page: Route::JobsQueues,
        deeds: &[
            "Free some room, close the other program, or mend the permissions: nothing is half-written, and work goes on by itself.",
            "Never copy a ledger that is in use; stop the program first.",
            "After a restore, verify the history: stella orch audit verify.",
        ],
    },
];
