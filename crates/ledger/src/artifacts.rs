//! What jobs leave: names and digests here, bytes in the blobs.

use crate::db::{Sql, Tx};
use crate::error::LedgerError;
use crate::on_db;
use crate::query::Query;
use crate::record::Cell;
use crate::set::{execute_for, json};
use serde::Serialize;
use stella_contract::artifact::Artifact;
use stella_contract::ids::{JobId, RunId, Tenant};
use stella_contract::time::Micros;

#[derive(Serialize)]
struct NewRow<'a> {
    artifact_id: &'a str,
    job_key: i64,
    job_id: &'a str,
    run_id: Option<&'a str>,
    name: &'a str,
    kind: &'a str,
    media_type: &'a str,
    size_bytes: i64,
    digest: &'a str,
    created_at: i64,
}

const INSERT: Sql = Sql {
    sqlite: "
        insert into artifacts (tenant, artifact_id, job_key, job_id, run_id, name, kind, media_type, size_bytes,
            digest, created_at)
        select $1, value ->> 'artifact_id', value ->> 'job_key', value ->> 'job_id', value ->> 'run_id',
            value ->> 'name', value ->> 'kind', value ->> 'media_type', value ->> 'size_bytes', value ->> 'digest',
            value ->> 'created_at'
        from json_each($2)",
    postgres: "
        insert into artifacts (tenant, artifact_id, job_key, job_id, run_id, name, kind, media_type, size_bytes,
            digest, created_at)
        select $1, artifact_id, job_key, job_id, run_id, name, kind, media_type, size_bytes, digest, created_at
        from json_to_recordset($2::json) as new (artifact_id text, job_key bigint, job_id text, run_id text,
            name text, kind text, media_type text, size_bytes bigint, digest text, created_at bigint)",
};

/// Writes artifacts down; a second of one name in one job is [`LedgerError::Unique`].
pub async fn insert_many(tx: &mut Tx, tenant: &Tenant, artifacts: &[Artifact]) -> Result<(), LedgerError> {
    if artifacts.is_empty() {
        return Ok(());
    }
    let rows: Vec<NewRow<'_>> = artifacts
        .iter()
        .map(|artifact| NewRow {
            artifact_id: artifact.artifact_id.as_str(),
            job_key: crate::key_of(&artifact.job_id),
            job_id: artifact.job_id.as_str(),
            run_id: artifact.run_id.as_ref().map(RunId::as_str),
            name: &artifact.name,
            kind: &artifact.kind,
            media_type: &artifact.media_type,
            size_bytes: artifact.size_bytes,
            digest: &artifact.digest,
            created_at: artifact.created_at.0,
        })
        .collect();
    execute_for(tx, INSERT, tenant.as_str(), json(&rows)?).await
}

#[derive(Debug, sqlx::FromRow)]
struct Row {
    artifact_id: String,
    job_id: String,
    run_id: Option<String>,
    name: String,
    kind: String,
    media_type: String,
    size_bytes: i64,
    digest: String,
    created_at: i64,
}

fn artifact(row: Row) -> Result<Artifact, LedgerError> {
    let id = row.artifact_id.clone();
    let cell = Cell { table: "artifacts", id: &id };
    Ok(Artifact {
        artifact_id: cell.word("artifact_id", row.artifact_id)?,
        job_id: cell.word("job_id", row.job_id)?,
        run_id: cell.maybe("run_id", row.run_id)?,
        name: row.name,
        kind: row.kind,
        media_type: row.media_type,
        size_bytes: row.size_bytes,
        digest: row.digest,
        created_at: Micros(row.created_at),
    })
}

const OF_JOB: &str = "
    select artifact_id, job_id, run_id, name, kind, media_type, size_bytes, digest, created_at
    from artifacts
    where tenant = $1
      and job_key = $2
    order by name";

/// What a job left, by name.
pub async fn of_job(tx: &mut Tx, tenant: &Tenant, id: &JobId) -> Result<Vec<Artifact>, LedgerError> {
    let rows: Vec<Row> = on_db!(tx, connection => {
        sqlx::query_as(OF_JOB).bind(tenant.as_str()).bind(crate::key_of(id)).fetch_all(connection).await?
    });
    rows.into_iter().map(artifact).collect()
}

/// What a segment of a run left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentArtifact {
    /// The segment.
    pub segment_id: String,
    /// Its shard.
    pub shard: i64,
    /// Its place within the shard.
    pub ordinal: i64,
    /// What it left.
    pub artifact: Artifact,
}

#[derive(Debug, sqlx::FromRow)]
struct SegmentRow {
    segment_id: String,
    shard: i64,
    ordinal: i64,
    #[sqlx(flatten)]
    row: Row,
}

/// What the segments of a run left after this place (shard, ordinal, name), in that order.
pub async fn of_run(
    tx: &mut Tx,
    tenant: &Tenant,
    run_key: i64,
    after: Option<&(i64, i64, String)>,
    limit: i64,
) -> Result<Vec<SegmentArtifact>, LedgerError> {
    let mut query = Query::new(
        "select segments.segment_id, segments.shard, segments.ordinal, artifacts.artifact_id, artifacts.job_id,
            artifacts.run_id, artifacts.name, artifacts.kind, artifacts.media_type, artifacts.size_bytes,
            artifacts.digest, artifacts.created_at
        from segments
        join artifacts on artifacts.tenant = ",
    );
    query.bind(tenant.as_str()).push(" and artifacts.job_key = segments.job_key where segments.run_key = ");
    query.bind(run_key);
    if let Some((shard, ordinal, name)) = after {
        query.push(" and (segments.shard, segments.ordinal, artifacts.name) > (");
        query.bind(*shard).push(", ").bind(*ordinal).push(", ").bind(name.as_str()).push(")");
    }
    query.push(" order by segments.shard, segments.ordinal, artifacts.name limit ").bind(limit);
    let rows: Vec<SegmentRow> = query.fetch_all(tx).await?;
    rows.into_iter()
        .map(|row| {
            Ok(SegmentArtifact {
                segment_id: row.segment_id,
                shard: row.shard,
                ordinal: row.ordinal,
                artifact: artifact(row.row)?,
            })
        })
        .collect()
}

/// How many artifacts the segments of a run left.
pub async fn count_of_run(tx: &mut Tx, tenant: &Tenant, run_key: i64) -> Result<i64, LedgerError> {
    let mut query = Query::new("select count(*) from segments join artifacts on artifacts.tenant = ");
    query.bind(tenant.as_str()).push(" and artifacts.job_key = segments.job_key where segments.run_key = ");
    query.bind(run_key);
    query.fetch_count(tx).await
}

const BY_DIGEST: &str = "
    select artifact_id, job_id, run_id, name, kind, media_type, size_bytes, digest, created_at
    from artifacts
    where tenant = $1
      and digest = $2
    order by created_at, artifact_id
    limit 1";

/// The first artifact of the tenant with these bytes.
pub async fn by_digest(tx: &mut Tx, tenant: &Tenant, digest: &str) -> Result<Option<Artifact>, LedgerError> {
    let row: Option<Row> = on_db!(tx, connection => {
        sqlx::query_as(BY_DIGEST).bind(tenant.as_str()).bind(digest).fetch_optional(connection).await?
    });
    row.map(artifact).transpose()
}
