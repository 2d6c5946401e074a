//! Policy snapshots, which of them is active, and who promoted what.

use crate::db::Tx;
use crate::error::LedgerError;
use crate::query::Query;
use crate::record::Cell;
use sqlx::FromRow;
use stella_contract::ids::{PolicySnapshotId, PromotionId, RunId, Tenant};
use stella_contract::time::Micros;

/// A snapshot as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotRow {
    /// The digest of its rules.
    pub policy_snapshot_id: PolicySnapshotId,
    /// Its number within the tenant.
    pub revision: i64,
    /// The policy it is of.
    pub policy: String,
    /// What its author says of it.
    pub note: Option<String>,
    /// Its rules, as a JSON list.
    pub rules: String,
    /// How many there are.
    pub rule_count: i64,
    /// The text they were read from.
    pub source: String,
    /// Who added it.
    pub created_by: String,
    /// When.
    pub created_at: Micros,
}

#[derive(FromRow)]
struct Flat {
    policy_snapshot_id: String,
    revision: i64,
    policy: String,
    note: Option<String>,
    rules: String,
    rule_count: i64,
    source: String,
    created_by: String,
    created_at: i64,
}

impl TryFrom<Flat> for SnapshotRow {
    type Error = LedgerError;

    fn try_from(row: Flat) -> Result<Self, LedgerError> {
        let id = row.policy_snapshot_id.clone();
        let cell = Cell { table: "policy_snapshots", id: &id };
        Ok(Self {
            policy_snapshot_id: cell.word("policy_snapshot_id", row.policy_snapshot_id)?,
            revision: row.revision,
            policy: row.policy,
            note: row.note,
            rules: row.rules,
            rule_count: row.rule_count,
            source: row.source,
            created_by: row.created_by,
            created_at: Micros(row.created_at),
        })
    }
}

const SELECT: &str =
    "select policy_snapshot_id, revision, policy, note, rules, rule_count, source, created_by, created_at
    from policy_snapshots
    where tenant = ";

/// One snapshot.
pub async fn get(
    tx: &mut Tx,
    tenant: &Tenant,
    id: &PolicySnapshotId,
) -> Result<Option<SnapshotRow>, LedgerError> {
    let mut query = Query::new(SELECT);
    query.bind(tenant.as_str()).push(" and policy_snapshot_id = ").bind(id.as_str());
    query.fetch_optional::<Flat>(tx).await?.map(SnapshotRow::try_from).transpose()
}

/// Snapshots of a tenant, newest first, those before this revision.
pub async fn list(
    tx: &mut Tx,
    tenant: &Tenant,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<SnapshotRow>, LedgerError> {
    let mut query = Query::new(SELECT);
    query.bind(tenant.as_str());
    if let Some(before) = before {
        query.push(" and revision < ").bind(before);
    }
    query.push(" order by revision desc limit ").bind(limit);
    query.fetch_all::<Flat>(tx).await?.into_iter().map(SnapshotRow::try_from).collect()
}

/// How many there are.
pub async fn count(tx: &mut Tx, tenant: &Tenant) -> Result<i64, LedgerError> {
    let mut query = Query::new("select count(*) from policy_snapshots where tenant = ");
    query.bind(tenant.as_str());
    query.fetch_count(tx).await
}

/// The number that the next snapshot gets.
pub async fn next_revision(tx: &mut Tx, tenant: &Tenant) -> Result<i64, LedgerError> {
    let mut query = Query::new("select coalesce(max(revision), 0) + 1 from policy_snapshots where tenant = ");
    query.bind(tenant.as_str());
    query.fetch_count(tx).await
}

/// Keeps a snapshot.
pub async fn insert(tx: &mut Tx, tenant: &Tenant, row: &SnapshotRow) -> Result<(), LedgerError> {
    let mut query = Query::new(
        "insert into policy_snapshots (tenant, policy_snapshot_id, revision, policy, note, rules, rule_count, source,
            created_by, created_at)
        values (",
    );
    query.bind(tenant.as_str()).push(", ").bind(row.policy_snapshot_id.as_str());
    query.push(", ").bind(row.revision).push(", ").bind(row.policy.as_str());
    query.push(", ").bind(row.note.clone()).push(", ").bind(row.rules.as_str());
    query.push(", ").bind(row.rule_count).push(", ").bind(row.source.as_str());
    query.push(", ").bind(row.created_by.as_str()).push(", ").bind(row.created_at.0).push(")");
    query.execute(tx).await?;
    Ok(())
}

/// The snapshot that runs use when they name none.
pub async fn active(tx: &mut Tx, tenant: &Tenant) -> Result<Option<PolicySnapshotId>, LedgerError> {
    let mut query = Query::new("select policy_snapshot_id from policies where tenant = ");
    query.bind(tenant.as_str());
    let row: Option<(String,)> = query.fetch_optional(tx).await?;
    let cell = Cell { table: "policies", id: tenant.as_str() };
    row.map(|(id,)| cell.word("policy_snapshot_id", id)).transpose()
}

/// Makes a snapshot the active one.
pub async fn activate(tx: &mut Tx, tenant: &Tenant, id: &PolicySnapshotId) -> Result<(), LedgerError> {
    let mut query = Query::new("insert into policies (tenant, policy_snapshot_id) values (");
    query.bind(tenant.as_str()).push(", ").bind(id.as_str());
    query.push(") on conflict (tenant) do update set policy_snapshot_id = excluded.policy_snapshot_id");
    query.execute(tx).await?;
    Ok(())
}

/// A promotion as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromotionRow {
    /// Its id.
    pub promotion_id: PromotionId,
    /// What became active.
    pub policy_snapshot_id: PolicySnapshotId,
    /// The number of that.
    pub revision: i64,
    /// What was active before.
    pub previous: Option<PolicySnapshotId>,
    /// Who promoted it.
    pub promoted_by: String,
    /// Why.
    pub reason: String,
    /// The ticket it belongs to.
    pub ticket: Option<String>,
    /// When.
    pub promoted_at: Micros,
    /// The run that followed.
    pub run_id: Option<RunId>,
}

#[derive(FromRow)]
struct FlatPromotion {
    promotion_id: String,
    policy_snapshot_id: String,
    revision: i64,
    previous_snapshot_id: Option<String>,
    promoted_by: String,
    reason: String,
    ticket: Option<String>,
    promoted_at: i64,
    run_id: Option<String>,
}

impl TryFrom<FlatPromotion> for PromotionRow {
    type Error = LedgerError;

    fn try_from(row: FlatPromotion) -> Result<Self, LedgerError> {
        let id = row.promotion_id.clone();
        let cell = Cell { table: "policy_promotions", id: &id };
        Ok(Self {
            promotion_id: cell.word("promotion_id", row.promotion_id)?,
            policy_snapshot_id: cell.word("policy_snapshot_id", row.policy_snapshot_id)?,
            revision: row.revision,
            previous: cell.maybe("previous_snapshot_id", row.previous_snapshot_id)?,
            promoted_by: row.promoted_by,
            reason: row.reason,
            ticket: row.ticket,
            promoted_at: Micros(row.promoted_at),
            run_id: cell.maybe("run_id", row.run_id)?,
        })
    }
}

/// Writes a promotion down.
pub async fn promoted(tx: &mut Tx, tenant: &Tenant, row: &PromotionRow) -> Result<(), LedgerError> {
    let mut query = Query::new(
        "insert into policy_promotions (promotion_id, tenant, policy_snapshot_id, previous_snapshot_id, promoted_by,
            reason, ticket, promoted_at, run_id)
        values (",
    );
    query.bind(row.promotion_id.as_str()).push(", ").bind(tenant.as_str());
    query.push(", ").bind(row.policy_snapshot_id.as_str());
    query.push(", ").bind(row.previous.as_ref().map(|id| id.as_str().to_owned()));
    query.push(", ").bind(row.promoted_by.as_str()).push(", ").bind(row.reason.as_str());
    query.push(", ").bind(row.ticket.clone()).push(", ").bind(row.promoted_at.0);
    query.push(", ").bind(row.run_id.as_ref().map(|id| id.as_str().to_owned())).push(")");
    query.execute(tx).await?;
    Ok(())
}

/// Promotions of a tenant, newest first, those before this time and id.
pub async fn promotions(
    tx: &mut Tx,
    tenant: &Tenant,
    before: Option<&(i64, String)>,
    limit: i64,
) -> Result<Vec<PromotionRow>, LedgerError> {
    let mut query = Query::new(
        "select promotion_id, policy_promotions.policy_snapshot_id, revision, previous_snapshot_id, promoted_by, reason,
            ticket, promoted_at, run_id
        from policy_promotions
        join policy_snapshots on policy_snapshots.tenant = policy_promotions.tenant
            and policy_snapshots.policy_snapshot_id = policy_promotions.policy_snapshot_id
        where policy_promotions.tenant = ",
    );
    query.bind(tenant.as_str());
    if let Some((at, id)) = before {
        query.push(" and (promoted_at, promotion_id) < (").bind(*at).push(", ").bind(id.as_str()).push(")");
    }
    query.push(" order by promoted_at desc, promotion_id desc limit ").bind(limit);
    query.fetch_all::<FlatPromotion>(tx).await?.into_iter().map(PromotionRow::try_from).collect()
}
