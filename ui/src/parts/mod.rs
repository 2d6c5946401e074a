//! Parts that know the contract: states, runs, findings, actions with a reason.
//!
//! | part | takes |
//! |---|---|
//! | `StateBadge<S>` | `state: JobState \| RunState \| SegmentState \| WorkerState \| SourceHealth \| FindingStatus \| Verdict`, `pill` |
//! | `RunStateBadge` | `run`, `pill`; completed in part is amber |
//! | `RunCode` | `code: RunErrorCode`; leads to its section of the runbook (`runbook(code)` is the query) |
//! | `RunBadges` | `badges: Vec<RunBadge>` |
//! | `WaitReason`, `WaitDetail` | `reason` / `job` |
//! | `RunProgress`, `RunPhases` | `run`; `phases(&run)` |
//! | `RunBars` | `runs: Vec<ScheduleRun>`, newest first |
//! | `PlannedFires` | `preview: SchedulePreview`: next fires in both zones, the daylight rule, blackouts |
//! | `SchedulePanel` | `on_toggle: Callback<(Schedule, bool)>`, `refusal`: the schedules beside a list of runs |
//! | `DeltasText` | `deltas`, `run: RunId`, `open`, `most` |
//! | `Severity`, `KevTag` | `level` |
//! | `ArtifactTable` | `artifacts`; each can be saved |
//! | `EntryLink` | `id`: of a dead-letter entry |
//! | `SourceLink` | `id`, `names: SourceNames` of `use_source_names()` |
//! | `JobLink`, `RunLink` | `id`, `whole` / `short`, `query` |
//! | `ReasonDialog` | `title`, `subject`, children, `scope`, `verb`, `keep`, `danger`, `cli`, `busy`, `problem`, `on_confirm: Callback<Cause>`, `on_close`; open while mounted |
//! | `ActDialog` | `title`, `subject`, children, `form`, `blocked`, `scope`, `verb`, `keep`, `danger`, `cli`, `deed: Deed::new(\|api, cause\| async { Ok("Quota paused".into()) })`, `on_done`, `on_close`; asks, tells, closes; open while mounted |
//! | `CliTwin` | `words: Vec<AttrValue>` (after `stella`), `button` |
//! | `ProblemView`, `StaleBanner` | `what`, `problem`, `on_retry` / `as_of`, `problem`, `on_retry` |

mod act_dialog;
mod artifacts;
mod backfill_states;
mod badges;
mod change_states;
pub mod cli_twin;
mod deltas_text;
mod entry_link;
mod letter_states;
mod link;
mod planned_fires;
mod problem_view;
mod reason_dialog;
mod run_bars;
mod run_code;
mod run_progress;
mod schedule_panel;
mod schedule_states;
pub mod severity;
mod source_link;
mod state_badge;
mod verdict;
pub mod wait_reason;

pub use act_dialog::{ActDialog, ActDialogProps, Deed};
pub use artifacts::{ArtifactTable, ArtifactTableProps};
pub use badges::{RunBadges, RunBadgesProps};
pub use cli_twin::{CliTwin, CliTwinProps};
pub use deltas_text::{DeltasText, DeltasTextProps};
pub use entry_link::{EntryLink, EntryLinkProps};
pub use link::{JobLink, JobLinkProps, RunLink, RunLinkProps, split};
pub use planned_fires::{PlannedFires, PlannedFiresProps, local_words, utc_words};
pub use problem_view::{ProblemView, ProblemViewProps, StaleBanner, StaleBannerProps};
pub use reason_dialog::{ReasonDialog, ReasonDialogProps};
pub use run_bars::{RunBars, RunBarsProps};
pub use run_code::{RunCode, RunCodeProps, runbook};
pub use run_progress::{RunPhases, RunPhasesProps, RunProgress, RunProgressProps, phases};
pub use schedule_panel::{SchedulePanel, SchedulePanelProps, next_fire};
pub use schedule_states::overlap_words;
pub use severity::{KevTag, Severity, SeverityProps};
pub use source_link::{SourceLink, SourceLinkProps, SourceNames, use_source_names};
pub use state_badge::{Badge, RunStateBadge, RunStateBadgeProps, StateBadge, StateBadgeProps, mark};
pub use wait_reason::{WaitDetail, WaitDetailProps, WaitReason, WaitReasonProps};
