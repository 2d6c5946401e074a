//! What a schedule is to be, from flags.

use crate::cause::{Seen, Why};
use crate::failure::Failure;
use crate::schedules::Which;
use crate::scope::Scope;
use clap::Args;
use stella_contract::finding::Severity;
use stella_contract::run::{RunMode, RunScope};
use stella_contract::schedule::{
    ChangeSchedule, MakeSchedule, OverlapPolicy, ScheduleLimits, ScheduleNotify,
};

/// What both a new and a changed schedule may say.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Settings {
    /// Targets that hold this package; may be given again.
    #[arg(long, conflicts_with_all = ["scope", "namespace", "repository", "label", "digest"])]
    purl: Vec<String>,
    /// Targets touched by this vulnerability; may be given again.
    #[arg(long, conflicts_with_all = ["scope", "namespace", "repository", "label", "digest"])]
    vuln: Vec<String>,
    /// The IANA zone in which the cron text is read; UTC when absent.
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,
    /// Put a fire off by up to so many seconds, 0 to 3600; 30 when absent.
    #[arg(long, value_name = "SECONDS")]
    jitter_s: Option<i64>,
    /// skip, buffer_one or allow: what becomes of a fire while the run before is open; skip when absent.
    #[arg(long, value_name = "POLICY")]
    overlap: Option<OverlapPolicy>,
    /// Make up for the newest fire that is late by at most so many seconds; 600 when absent.
    #[arg(long, value_name = "SECONDS")]
    catchup_window_s: Option<i64>,
    /// The policy its runs use; the active one when absent.
    #[arg(long, value_name = "SNAPSHOT")]
    policy: Option<String>,
    /// The most targets of one run; 50000 when absent.
    #[arg(long, value_name = "COUNT")]
    max_targets: Option<i64>,
    /// Segments evaluated at once, 1 to 64; 4 when absent.
    #[arg(long, value_name = "COUNT")]
    parallelism: Option<i64>,
    /// Targets evaluated per minute; 600 when absent.
    #[arg(long, value_name = "COUNT")]
    targets_per_minute: Option<i64>,
    /// Tell of runs with new findings of this severity or worse.
    #[arg(long, value_name = "SEVERITY")]
    notify_severity: Option<Severity>,
    /// Tell of runs in which a finding became known to be exploited, too.
    #[arg(long, value_name = "true|false")]
    notify_kev: Option<bool>,
}

impl Settings {
    /// The scope, from packages and vulnerabilities or from the rest; `None` where nothing restricts it.
    fn scope(&self, scope: &Scope) -> Result<Option<RunScope>, Failure> {
        if self.purl.is_empty() && self.vuln.is_empty() {
            return scope.read();
        }
        Ok(Some(RunScope::Keys { purls: self.purl.clone(), vuln_ids: self.vuln.clone() }))
    }

    /// Both numbers, where one is given; the other as it was.
    fn limits(&self, before: ScheduleLimits) -> Option<ScheduleLimits> {
        (self.parallelism.is_some() || self.targets_per_minute.is_some()).then(|| ScheduleLimits {
            parallelism: self.parallelism.unwrap_or(before.parallelism),
            targets_per_minute: self.targets_per_minute.unwrap_or(before.targets_per_minute),
        })
    }

    fn notify(&self, before: ScheduleNotify) -> Option<ScheduleNotify> {
        (self.notify_severity.is_some() || self.notify_kev.is_some()).then(|| ScheduleNotify {
            min_severity: self.notify_severity.or(before.min_severity),
            on_kev: self.notify_kev.unwrap_or(before.on_kev),
        })
    }
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    /// Its name, unique within the tenant.
    #[arg(value_name = "NAME")]
    name: String,
    /// Five fields in quotes, or @hourly, @daily, @weekly, @monthly.
    #[arg(long)]
    cron: String,
    /// What its runs do: analysis-only or content-refresh.
    #[arg(long, default_value = "analysis-only")]
    mode: RunMode,
    /// Targets with exploited vulnerabilities first.
    #[arg(long)]
    kev_first: bool,
    /// Leave it switched off.
    #[arg(long)]
    disabled: bool,
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    scope: Scope,
    #[command(flatten)]
    pub(crate) why: Why,
}

impl Add {
    pub(crate) fn wish(&self) -> Result<MakeSchedule, Failure> {
        let settings = &self.settings;
        Ok(MakeSchedule {
            name: self.name.clone(),
            cron: self.cron.clone(),
            timezone: settings.timezone.clone(),
            jitter_s: settings.jitter_s,
            overlap_policy: settings.overlap,
            catchup_window_s: settings.catchup_window_s,
            mode: self.mode,
            scope: settings.scope(&self.scope)?.unwrap_or_default(),
            policy_snapshot_id: settings.policy.clone(),
            kev_first: self.kev_first,
            max_targets: settings.max_targets,
            limits: settings.limits(ScheduleLimits::default()),
            notify: settings.notify(ScheduleNotify::default()),
            enabled: self.disabled.then_some(false),
        })
    }
}

#[derive(Debug, Args)]
pub(crate) struct Set {
    #[command(flatten)]
    pub(crate) which: Which,
    /// Its name.
    #[arg(long)]
    name: Option<String>,
    /// Five fields in quotes, or @hourly, @daily, @weekly, @monthly.
    #[arg(long)]
    cron: Option<String>,
    /// What its runs do: analysis-only or content-refresh.
    #[arg(long)]
    mode: Option<RunMode>,
    /// Targets with exploited vulnerabilities first.
    #[arg(long, value_name = "true|false")]
    kev_first: Option<bool>,
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    scope: Scope,
    #[command(flatten)]
    pub(crate) seen: Seen,
    #[command(flatten)]
    pub(crate) why: Why,
}

impl Set {
    pub(crate) fn wish(&self, before: (ScheduleLimits, ScheduleNotify)) -> Result<ChangeSchedule, Failure> {
        let settings = &self.settings;
        Ok(ChangeSchedule {
            name: self.name.clone(),
            cron: self.cron.clone(),
            timezone: settings.timezone.clone(),
            jitter_s: settings.jitter_s,
            overlap_policy: settings.overlap,
            catchup_window_s: settings.catchup_window_s,
            mode: self.mode,
            scope: settings.scope(&self.scope)?,
            policy_snapshot_id: settings.policy.clone(),
            kev_first: self.kev_first,
            max_targets: settings.max_targets,
            limits: settings.limits(before.0),
            notify: settings.notify(before.1),
        })
    }
}
