//! `stella orch quota|throttle|breaker|blackout|bucket|pool|pressure`: what holds jobs back.

use crate::cause::{Seen, Why};
use crate::door::Door;
use crate::failure::Failure;
use crate::output::Output;
use crate::paging::Paging;
use crate::quota::{Quotas, parse_time};
use crate::table::{Table, or_dash};
use clap::{Args, Subcommand};
use stella_contract::blackout::{AddBlackout, Blackout, BlackoutAction, BlackoutTarget, BlackoutTargetKind};
use stella_contract::blocker::Explanation;
use stella_contract::breaker::{AddBreaker, Breaker, BreakerFilter, BreakerKind, BreakerState};
use stella_contract::ids::{BlackoutId, BreakerId, BucketId, ThrottleId};
use stella_contract::pressure::{LimitPool, OverrideBucket, Pressure};
use stella_contract::throttle::{Throttle, ThrottleFilter, ThrottleKind};
use stella_contract::time::Micros;

#[derive(Debug, Subcommand)]
pub(crate) enum Limits {
    /// Quotas: how many jobs may be at work at once and in an hour.
    #[command(subcommand)]
    Quota(Quotas),
    /// What holds jobs back now, and what did.
    #[command(subcommand)]
    Throttle(Throttles),
    /// Circuit breakers of hosts and job types.
    #[command(subcommand)]
    Breaker(Breakers),
    /// Times in which nothing starts.
    #[command(subcommand)]
    Blackout(Blackouts),
    /// Token buckets of hosts.
    #[command(subcommand)]
    Bucket(Buckets),
    /// Pools of workers.
    #[command(subcommand)]
    Pool(Pools),
    /// Levels of pressure, pools of workers, buckets of hosts.
    Pressure,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Throttles {
    /// List throttles, the active ones first.
    #[command(visible_alias = "ls")]
    List(ListThrottles),
    /// End a throttle.
    Clear(OnThrottle),
}

#[derive(Debug, Args)]
pub(crate) struct ListThrottles {
    /// Only those that hold jobs now.
    #[arg(long)]
    active: bool,
    /// Of this kind.
    #[arg(long)]
    kind: Option<ThrottleKind>,
    #[command(flatten)]
    paging: Paging,
}

#[derive(Debug, Args)]
pub(crate) struct OnThrottle {
    /// Its id.
    throttle: ThrottleId,
    #[command(flatten)]
    why: Why,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Breakers {
    /// List breakers, the open ones first.
    #[command(visible_alias = "ls")]
    List(ListBreakers),
    /// Open a breaker until a reset.
    Open(OnBreaker),
    /// Close a breaker until a reset, whatever fails.
    Close(OnBreaker),
    /// Give a breaker back to the rules.
    Reset(ResetBreaker),
}

#[derive(Debug, Args)]
pub(crate) struct ListBreakers {
    /// In this state.
    #[arg(long)]
    state: Option<BreakerState>,
    /// Of this kind.
    #[arg(long)]
    kind: Option<BreakerKind>,
}

/// A breaker by its id, or by what it guards, for which it is made when there is none.
#[derive(Debug, Args)]
pub(crate) struct OnBreaker {
    /// Its id.
    #[arg(required_unless_present_any = ["host", "job_type"])]
    breaker: Option<BreakerId>,
    /// Of this host.
    #[arg(long, conflicts_with_all = ["breaker", "job_type"])]
    host: Option<String>,
    /// Of this job type.
    #[arg(
        long = "type",
        id = "job_type",
        alias = "job-type",
        value_name = "TYPE",
        conflicts_with = "breaker"
    )]
    job_type: Option<String>,
    #[command(flatten)]
    seen: Seen,
    #[command(flatten)]
    why: Why,
}

#[derive(Debug, Args)]
pub(crate) struct ResetBreaker {
    /// Its id.
    breaker: BreakerId,
    #[command(flatten)]
    seen: Seen,
    #[command(flatten)]
    why: Why,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Blackouts {
    /// List blackouts, the newest first.
    #[command(visible_alias = "ls")]
    List(Paging),
    /// Make a blackout: once from --start to --end, or again and again by --cron.
    Add(Box<AddOne>),
    /// End a blackout.
    Remove(RemoveOne),
}

#[derive(Debug, Args)]
pub(crate) struct AddOne {
    /// What it is about: tenant, source:ID, host:NAME, jobType:TYPE or schedule:ID; may be repeated.
    #[arg(long = "target", value_name = "KIND[:KEY]", value_parser = parse_target, required = true)]
    targets: Vec<BlackoutTarget>,
    /// When it begins.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    start: Option<Micros>,
    /// When it ends.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    end: Option<Micros>,
    /// When it begins each time: five fields of cron.
    #[arg(long, value_name = "FIELDS")]
    cron: Option<String>,
    /// How long it lasts each time.
    #[arg(long, value_name = "SECONDS")]
    duration_s: Option<i64>,
    /// The zone of --cron; UTC when absent.
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// Whether fires of schedules wait or are left out.
    #[arg(long, value_name = "hold|skip")]
    action: Option<BlackoutAction>,
    /// So many seconds before its beginning nothing new starts either.
    #[arg(long, value_name = "SECONDS")]
    drain_before_s: Option<i64>,
    #[command(flatten)]
    why: Why,
}

#[derive(Debug, Args)]
pub(crate) struct RemoveOne {
    /// Its id.
    blackout: BlackoutId,
    #[command(flatten)]
    seen: Seen,
    #[command(flatten)]
    why: Why,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Buckets {
    /// Set the rate of a host's bucket for at most a day; without --rate it goes back to the rules.
    Override(OverrideOne),
}

#[derive(Debug, Args)]
pub(crate) struct OverrideOne {
    /// Its id.
    bucket: BucketId,
    /// Tokens per second.
    #[arg(long, value_name = "PER-SECOND")]
    rate: Option<f64>,
    /// Until when; 24 hours from now when absent.
    #[arg(long, value_name = "TIME", value_parser = parse_time, requires = "rate")]
    until: Option<Micros>,
    #[command(flatten)]
    seen: Seen,
    #[command(flatten)]
    why: Why,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Pools {
    /// Bound the jobs that a pool of workers holds at once, by a number or by the rule; with neither its bound is taken
    /// away.
    Limit(LimitOne),
}

#[derive(Debug, Args)]
pub(crate) struct LimitOne {
    /// The name of its workers.
    pool: String,
    /// 1 to 64.
    #[arg(long)]
    limit: Option<i64>,
    /// The bound follows what the rule recommends every 30 s.
    #[arg(long, conflicts_with = "limit")]
    follow: bool,
    #[command(flatten)]
    why: Why,
}

impl Limits {
    pub(crate) async fn obey(&self, door: &Door, output: &Output) -> Result<(), Failure> {
        match self {
            Self::Quota(quotas) => quotas.obey(door, output).await,
            Self::Throttle(throttles) => throttles.obey(door, output).await,
            Self::Breaker(breakers) => breakers.obey(door, output).await,
            Self::Blackout(blackouts) => blackouts.obey(door, output).await,
            Self::Bucket(buckets) => buckets.obey(door, output).await,
            Self::Pool(pools) => pools.obey(door, output).await,
            Self::Pressure => output.show(&door.client.limits().pressure().await?, of_pressure),
        }
    }
}

impl Throttles {
    async fn obey(&self, door: &Door, output: &Output) -> Result<(), Failure> {
        let limits = door.client.limits();
        match self {
            Self::List(list) => {
                let filter = ThrottleFilter { active: list.active.then_some(true), kind: list.kind };
                let page = list.paging.read(async |page| limits.throttles(&filter, &page).await).await?;
                output.page(&page, of_throttles)
            }
            Self::Clear(on) => {
                let cleared = limits.clear_throttle(&on.throttle, &on.why.write()).await?;
                output.show(&cleared, |one| of_throttles(std::slice::from_ref(one)))
            }
        }
    }
}

impl Breakers {
    async fn obey(&self, door: &Door, output: &Output) -> Result<(), Failure> {
        let limits = door.client.limits();
        let breaker = match self {
            Self::List(list) => {
                let filter = BreakerFilter { state: list.state, kind: list.kind, key: None };
                return output.page(&limits.breakers(&filter).await?, of_breakers);
            }
            Self::Open(on) => on.force(door, BreakerState::Open).await?,
            Self::Close(on) => on.force(door, BreakerState::Closed).await?,
            Self::Reset(on) => limits.reset_breaker(&on.breaker, &on.seen.write(&on.why)).await?,
        };
        output.show(&breaker, |one| of_breakers(std::slice::from_ref(one)))
    }
}

impl OnBreaker {
    async fn force(&self, door: &Door, state: BreakerState) -> Result<Breaker, Failure> {
        let (limits, write) = (door.client.limits(), self.seen.write(&self.why));
        if let Some(id) = &self.breaker {
            return Ok(match state {
                BreakerState::Open | BreakerState::HalfOpen => limits.open_breaker(id, &write).await?,
                BreakerState::Closed => limits.close_breaker(id, &write).await?,
            });
        }
        let (kind, key) = match (&self.host, &self.job_type) {
            (Some(host), _) => (BreakerKind::Host, host),
            (None, Some(job_type)) => (BreakerKind::JobType, job_type),
            (None, None) => return Err(Failure::Usage("Name the breaker.".to_owned())),
        };
        let wish = AddBreaker { kind, key: key.clone(), state };
        Ok(limits.add_breaker(&wish, &write).await?)
    }
}

impl Blackouts {
    async fn obey(&self, door: &Door, output: &Output) -> Result<(), Failure> {
        let limits = door.client.limits();
        let blackout = match self {
            Self::List(paging) => {
                let page = paging.read(async |page| limits.blackouts(&page).await).await?;
                return output.page(&page, of_blackouts);
            }
            Self::Add(add) => limits.add_blackout(&add.wish(), &add.why.write()).await?,
            Self::Remove(on) => limits.delete_blackout(&on.blackout, &on.seen.write(&on.why)).await?,
        };
        output.show(&blackout, |one| of_blackouts(std::slice::from_ref(one)))
    }
}

impl AddOne {
    fn wish(&self) -> AddBlackout {
        AddBlackout {
            targets: self.targets.clone(),
            start: self.start,
            end: self.end,
            cron: self.cron.clone(),
            duration_s: self.duration_s,
            time_zone: self.time_zone.clone(),
            action: self.action,
            drain_before_s: self.drain_before_s,
        }
    }
}

impl Buckets {
    async fn obey(&self, door: &Door, output: &Output) -> Result<(), Failure> {
        let Self::Override(on) = self;
        let wish = OverrideBucket { rate: on.rate, until: on.until };
        let bucket = door.client.limits().override_bucket(&on.bucket, &wish, &on.seen.write(&on.why)).await?;
        output.show(&bucket, |bucket| {
            Table::of_one([
                ("bucket", bucket.bucket_id.to_string()),
                ("host", bucket.host.clone()),
                ("rate", format!("{:.3} of {:.3} per second", bucket.current_rate, bucket.base_rate)),
                ("tokens", format!("{:.1} of {:.0}", bucket.tokens, bucket.capacity)),
                ("override until", or_dash(bucket.override_until.as_ref())),
            ])
        })
    }
}

impl Pools {
    async fn obey(&self, door: &Door, output: &Output) -> Result<(), Failure> {
        let Self::Limit(on) = self;
        let wish = LimitPool { pool: on.pool.clone(), limit: on.limit, follow: on.follow };
        let pool = door.client.limits().limit_pool(&wish, &on.why.write()).await?;
        output.show(&pool, |pool| {
            Table::of_one([
                ("pool", pool.pool.clone()),
                ("limit", pool.limit.to_string()),
                ("in use", pool.in_use.to_string()),
                ("recommended", pool.recommended.to_string()),
                ("follows the rule", if pool.follows { "yes" } else { "no" }.to_owned()),
            ])
        })
    }
}

/// Why a job is not running.
pub(crate) fn of_explanation(explained: &Explanation) -> Table {
    let mut table = Table::of_one([
        ("job", explained.job_id.to_string()),
        ("state", explained.state.to_string()),
        ("why", explained.sentence.clone()),
        ("eligible at", explained.next_eligible_at.map(|at| at.to_string()).unwrap_or_default()),
        ("position", explained.position.map(|place| place.to_string()).unwrap_or_default()),
    ]);
    for blocker in &explained.blockers {
        let until = blocker.until.map_or_else(String::new, |until| format!(" Until {until}."));
        table.row([blocker.kind.to_string(), format!("{}{until}", blocker.sentence)]);
        if let Some(lift) = &blocker.lift {
            table.row([String::new(), format!("{}: {}", lift.action, lift.cli_command)]);
        }
    }
    table
}

fn parse_target(text: &str) -> Result<BlackoutTarget, String> {
    let (kind, key) = text.split_once(':').unwrap_or((text, ""));
    let kind: BlackoutTargetKind = kind.parse().map_err(|error| format!("{error}"))?;
    Ok(BlackoutTarget { kind, key: key.to_owned() })
}

fn of_throttles(throttles: &[Throttle]) -> Table {
    let headings = &["THROTTLE", "KIND", "KEY", "REASON", "LEVEL", "HITS", "WAITING", "UNTIL", "CLEARED"];
    Table::new(headings).rows(throttles, |one| {
        [
            one.throttle_id.to_string(),
            one.kind.to_string(),
            one.key.clone(),
            one.reason.to_string(),
            one.level.to_string(),
            one.hits.to_string(),
            one.affected_jobs.to_string(),
            or_dash(one.until.as_ref()),
            or_dash(one.cleared_at.as_ref()),
        ]
    })
}

fn of_breakers(breakers: &[Breaker]) -> Table {
    let headings = &["BREAKER", "KIND", "KEY", "STATE", "FORCED", "FAILED", "PROBES", "OPEN UNTIL"];
    Table::new(headings).rows(breakers, |one| {
        [
            one.breaker_id.to_string(),
            one.kind.to_string(),
            one.key.clone(),
            one.state.to_string(),
            if one.forced { "yes".to_owned() } else { "-".to_owned() },
            format!("{}/{}", one.failures, one.attempts),
            format!("{}/{}", one.probes_succeeded, one.probes_allowed),
            or_dash(one.open_until.as_ref()),
        ]
    })
}

fn of_blackouts(blackouts: &[Blackout]) -> Table {
    let headings = &["BLACKOUT", "ACTIVE", "FROM", "UNTIL", "TARGETS", "ACTION", "REASON"];
    Table::new(headings).rows(blackouts, |one| {
        let targets: Vec<String> = one
            .targets
            .iter()
            .map(|target| match target.key.as_str() {
                "" => target.kind.to_string(),
                key => format!("{}:{key}", target.kind),
            })
            .collect();
        [
            one.blackout_id.to_string(),
            if one.active { "yes".to_owned() } else { "-".to_owned() },
            or_dash(one.span.map(|span| span.from).as_ref()),
            or_dash(one.span.map(|span| span.until).as_ref()),
            targets.join(" "),
            one.action.to_string(),
            one.reason.clone(),
        ]
    })
}

fn of_pressure(told: &Pressure) -> Table {
    let mut table = Table::of_one([
        ("level", told.level.to_string()),
        ("since", told.since.to_string()),
        ("asked", told.asked.to_string()),
    ]);
    for gauge in &told.gauges {
        let value = gauge.value.map_or_else(|| "not measured".to_owned(), |value| format!("{value:.0}"));
        let next = gauge.next_at.map_or_else(String::new, |next| format!(", next level at {next:.0}"));
        table.row([gauge.gauge.to_string(), format!("{value}{next}")]);
    }
    for pool in &told.pools {
        let shown = format!("{} / {} / {}", pool.limit, pool.in_use, pool.recommended);
        table.row([format!("pool {}", pool.pool), format!("{shown} (limit / in use / recommended)")]);
    }
    for bucket in &told.buckets {
        let frozen = bucket.frozen_until.map_or_else(String::new, |until| format!(", frozen until {until}"));
        let shown = format!("{:.1} tokens, {:.3} per second{frozen}", bucket.tokens, bucket.current_rate);
        table.row([bucket.host.clone(), format!("{shown} ({})", bucket.bucket_id)]);
    }
    table
}
