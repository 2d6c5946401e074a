//! Follow-up runs: the rule of each kind, the keys gathered for the next run, and what webhooks took.

use crate::db::Tx;
use crate::error::LedgerError;
use crate::query::Query;
use crate::record::Cell;
use crate::rows;
use sqlx::FromRow;
use stella_contract::ids::{RunId, Tenant};
use stella_contract::run::RunMode;
use stella_contract::time::Micros;
use stella_contract::trigger::{TriggerKind, TriggerScope};

/// A rule as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriggerRow {
    /// Whose it is.
    pub tenant: Tenant,
    /// What comes in.
    pub kind: TriggerKind,
    /// Whether it sets off runs.
    pub enabled: bool,
    /// What the run does.
    pub mode: RunMode,
    /// What it is over.
    pub scope: TriggerScope,
    /// The least time between two runs.
    pub min_interval_s: i64,
    /// Whether the gathered keys do not say all that is touched.
    pub everything: bool,
    /// Since when something is gathered.
    pub pending_since: Option<Micros>,
    /// The last run it set off.
    pub last_run_id: Option<RunId>,
    /// When that was.
    pub last_run_at: Option<Micros>,
    /// What signs deliveries.
    pub secret: Option<String>,
    /// When that was made.
    pub secret_made_at: Option<Micros>,
    /// When a delivery was last taken.
    pub last_delivery_at: Option<Micros>,
    /// Rises with every change of the rule.
    pub version: i64,
}

#[derive(FromRow)]
struct Flat {
    tenant: String,
    kind: String,
    enabled: i64,
    mode: String,
    scope: String,
    min_interval_s: i64,
    everything: i64,
    pending_since: Option<i64>,
    last_run_id: Option<String>,
    last_run_at: Option<i64>,
    secret: Option<String>,
    secret_made_at: Option<i64>,
    last_delivery_at: Option<i64>,
    version: i64,
}

impl TryFrom<Flat> for TriggerRow {
    type Error = LedgerError;

    fn try_from(row: Flat) -> Result<Self, LedgerError> {
        let id = format!("{}/{}", row.tenant, row.kind);
        let cell = Cell { table: "triggers", id: &id };
        Ok(Self {
            tenant: cell.word("tenant", row.tenant)?,
            kind: cell.word("kind", row.kind)?,
            enabled: row.enabled != 0,
            mode: cell.word("mode", row.mode)?,
            scope: cell.word("scope", row.scope)?,
            min_interval_s: row.min_interval_s,
            everything: row.everything != 0,
            pending_since: row.pending_since.map(Micros),
            last_run_id: cell.maybe("last_run_id", row.last_run_id)?,
            last_run_at: row.last_run_at.map(Micros),
            secret: row.secret,
            secret_made_at: row.secret_made_at.map(Micros),
            last_delivery_at: row.last_delivery_at.map(Micros),
            version: row.version,
        })
    }
}

const SELECT: &str =
    "select tenant, kind, enabled, mode, scope, min_interval_s, everything, pending_since, last_run_id, last_run_at,
        secret, secret_made_at, last_delivery_at, version
    from triggers
    where ";

async fn all(query: Query, tx: &mut Tx) -> Result<Vec<TriggerRow>, LedgerError> {
    query.fetch_all::<Flat>(tx).await?.into_iter().map(TriggerRow::try_from).collect()
}

/// The rules a tenant has written down.
pub async fn of_tenant(tx: &mut Tx, tenant: &Tenant) -> Result<Vec<TriggerRow>, LedgerError> {
    let mut query = Query::new(SELECT);
    query.push("tenant = ").bind(tenant.as_str()).push(" order by kind");
    all(query, tx).await
}

/// One rule, if the tenant wrote it down.
pub async fn get(tx: &mut Tx, tenant: &Tenant, kind: TriggerKind) -> Result<Option<TriggerRow>, LedgerError> {
    let mut query = Query::new(SELECT);
    query.push("tenant = ").bind(tenant.as_str()).push(" and kind = ").bind(kind.as_str());
    query.fetch_optional::<Flat>(tx).await?.map(TriggerRow::try_from).transpose()
}

/// Rules of all tenants for which something is gathered, the longest waiting first.
pub async fn pending(tx: &mut Tx, limit: i64) -> Result<Vec<TriggerRow>, LedgerError> {
    let mut query = Query::new(SELECT);
    query.push("pending_since is not null order by pending_since, tenant, kind limit ").bind(limit);
    all(query, tx).await
}

/// Writes a rule down as it is now; whether it still had the version it was read with.
pub async fn store(tx: &mut Tx, row: &TriggerRow) -> Result<bool, LedgerError> {
    let mut query = Query::new(
        "insert into triggers (tenant, kind, enabled, mode, scope, min_interval_s, secret, secret_made_at, version)
        values (",
    );
    query.bind(row.tenant.as_str()).push(", ").bind(row.kind.as_str());
    query.push(", ").bind(i64::from(row.enabled)).push(", ").bind(row.mode.as_str());
    query.push(", ").bind(row.scope.as_str()).push(", ").bind(row.min_interval_s);
    query.push(", ").bind(row.secret.clone()).push(", ").bind(row.secret_made_at.map(|at| at.0));
    query.push(", ").bind(row.version + 1);
    query.push(
        ") on conflict (tenant, kind) do update set enabled = excluded.enabled, mode = excluded.mode,
            scope = excluded.scope, min_interval_s = excluded.min_interval_s, secret = excluded.secret,
            secret_made_at = excluded.secret_made_at, version = excluded.version
        where triggers.version = excluded.version - 1",
    );
    Ok(query.execute(tx).await? == 1)
}

/// What was gathered for a run: vulnerabilities and packages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keys {
    /// Vulnerability ids.
    pub vuln_ids: Vec<String>,
    /// Package URLs.
    pub purls: Vec<String>,
    /// Whether these do not say all that is touched.
    pub everything: bool,
}

impl Keys {
    /// Whether nothing is touched.
    pub fn is_none(&self) -> bool {
        self.vuln_ids.is_empty() && self.purls.is_empty() && !self.everything
    }
}

/// Gathers keys for the next run of a rule.
pub async fn gather(
    tx: &mut Tx,
    tenant: &Tenant,
    kind: TriggerKind,
    keys: &Keys,
    now: Micros,
) -> Result<(), LedgerError> {
    let of = |key_type: &'static str, values: &[String]| -> Vec<(String, String, &'static str, String)> {
        let row =
            |value: &String| (tenant.as_str().to_owned(), kind.as_str().to_owned(), key_type, value.clone());
        values.iter().map(row).collect()
    };
    let mut list = of("vuln", &keys.vuln_ids);
    list.extend(of("purl", &keys.purls));
    rows::insert(tx, INSERT_KEYS, &list, " where true on conflict do nothing").await?;
    let mut query = Query::new("update triggers set pending_since = coalesce(pending_since, ");
    query.bind(now.0).push("), everything = case when ").bind(i64::from(keys.everything));
    query.push(" = 1 then 1 else everything end where tenant = ").bind(tenant.as_str());
    query.push(" and kind = ").bind(kind.as_str());
    query.execute(tx).await?;
    Ok(())
}

const INSERT_KEYS: &str = "insert into trigger_keys (tenant, kind, key_type, value)
select r.value ->> 0, r.value ->> 1, r.value ->> 2, r.value ->> 3";

/// How many keys are gathered for each rule of a tenant.
pub async fn gathered(tx: &mut Tx, tenant: &Tenant) -> Result<Vec<(String, i64)>, LedgerError> {
    let mut query = Query::new("select kind, count(*) from trigger_keys where tenant = ");
    query.bind(tenant.as_str()).push(" group by kind");
    query.fetch_all(tx).await
}

/// The keys gathered for a rule, at most so many, in order.
pub async fn keys(tx: &mut Tx, tenant: &Tenant, kind: TriggerKind, limit: i64) -> Result<Keys, LedgerError> {
    let mut query = Query::new("select key_type, value from trigger_keys where tenant = ");
    query.bind(tenant.as_str()).push(" and kind = ").bind(kind.as_str());
    query.push(" order by key_type, value limit ").bind(limit);
    let mut keys = Keys::default();
    for (key_type, value) in query.fetch_all::<(String, String)>(tx).await? {
        if key_type == "purl" { keys.purls.push(value) } else { keys.vuln_ids.push(value) }
    }
    Ok(keys)
}

/// Forgets what was gathered for a rule, and notes the run it went into when there is one.
pub async fn clear(
    tx: &mut Tx,
    tenant: &Tenant,
    kind: TriggerKind,
    run: Option<(&RunId, Micros)>,
) -> Result<(), LedgerError> {
    let mut query = Query::new("delete from trigger_keys where tenant = ");
    query.bind(tenant.as_str()).push(" and kind = ").bind(kind.as_str());
    query.execute(tx).await?;
    let mut query = Query::new("update triggers set pending_since = null, everything = 0");
    if let Some((run_id, at)) = run {
        query.push(", last_run_id = ").bind(run_id.as_str()).push(", last_run_at = ").bind(at.0);
    }
    query.push(" where tenant = ").bind(tenant.as_str()).push(" and kind = ").bind(kind.as_str());
    query.execute(tx).await?;
    Ok(())
}

/// An export that was taken: the digest of what was sent and the run that followed.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct DeliveryRow {
    /// The digest of the body.
    pub body_digest: String,
    /// The run.
    pub run_id: String,
}

/// The export of this id, if it was taken before.
pub async fn delivery(
    tx: &mut Tx,
    tenant: &Tenant,
    kind: TriggerKind,
    export_id: &str,
) -> Result<Option<DeliveryRow>, LedgerError> {
    let mut query = Query::new("select body_digest, run_id from webhook_deliveries where tenant = ");
    query.bind(tenant.as_str()).push(" and kind = ").bind(kind.as_str());
    query.push(" and export_id = ").bind(export_id);
    query.fetch_optional(tx).await
}

/// Exports of a kind taken since then, and when the first of them was.
pub async fn deliveries_since(
    tx: &mut Tx,
    tenant: &Tenant,
    kind: TriggerKind,
    since: Micros,
) -> Result<(i64, Option<Micros>), LedgerError> {
    let mut query = Query::new("select count(*), min(taken_at) from webhook_deliveries where tenant = ");
    query.bind(tenant.as_str()).push(" and kind = ").bind(kind.as_str());
    query.push(" and taken_at > ").bind(since.0);
    let row: Option<(i64, Option<i64>)> = query.fetch_optional(tx).await?;
    let (count, first) = row.unwrap_or_default();
    Ok((count, first.map(Micros)))
}

/// An export to be written down as taken.
#[derive(Debug, Clone, Copy)]
pub struct NewDelivery<'a> {
    /// The export.
    pub export_id: &'a str,
    /// The digest of the body.
    pub body_digest: &'a str,
    /// The run that followed.
    pub run_id: &'a RunId,
}

/// Writes an export down as taken.
pub async fn take(
    tx: &mut Tx,
    tenant: &Tenant,
    kind: TriggerKind,
    new: NewDelivery<'_>,
    now: Micros,
) -> Result<(), LedgerError> {
    let mut query = Query::new(
        "insert into webhook_deliveries (tenant, kind, export_id, body_digest, taken_at, run_id) values (",
    );
    query.bind(tenant.as_str()).push(", ").bind(kind.as_str()).push(", ").bind(new.export_id);
    query.push(", ").bind(new.body_digest).push(", ").bind(now.0);
    query.push(", ").bind(new.run_id.as_str()).push(")");
    query.execute(tx).await?;
    let mut query = Query::new("update triggers set last_delivery_at = ");
    query.bind(now.0).push(" where tenant = ").bind(tenant.as_str());
    query.push(" and kind = ").bind(kind.as_str());
    query.execute(tx).await?;
    Ok(())
}

/// Forgets exports taken before then, so many at a time.
pub async fn forget_deliveries(tx: &mut Tx, before: Micros, limit: i64) -> Result<u64, LedgerError> {
    let mut query = Query::new(
        "delete from webhook_deliveries where (tenant, kind, export_id) in (
            select tenant, kind, export_id from webhook_deliveries where taken_at < ",
    );
    query.bind(before.0).push(" limit ").bind(limit).push(")");
    query.execute(tx).await
}
