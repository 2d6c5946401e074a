//! The second yardstick beside a benchmark: the very rows that a job leaves in the ledger, written by plain statements
//! in batches of the same size. Row, payload, entries of the history with their hashes, events of the feed and their
//! numbers are all there; no rule is asked, nothing is hashed and nobody is answered.

use crate::book::{FEED, HISTORY};
use crate::db::{Db, Sql, Tx};
use crate::error::LedgerError;
use crate::jobs::{NewJob, insert_many};
use crate::ledger::LedgerPlace;
use crate::query::Value;
use crate::set::{insert_shaped, json};
use crate::{key, migrate, on_db};
use stella_contract::ids::{JobId, Tenant};
use stella_contract::job::JobState;
use stella_contract::time::Micros;

/// A ledger that is written past the engine.
pub struct Bare {
    db: Db,
    tenant: Tenant,
    jobs: u32,
    entries: i64,
    events: i64,
    taken: Vec<i64>,
}

const AT: Micros = Micros(1_795_271_295_204_000);
const DIGEST: &str = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
const HASH: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
const PAYLOAD: &str = r#"{"reason":"bench","target":"pkg:deb/debian/bash@5.2.15-2"}"#;
const WORKER: &str = "wrk_01890000-0000-7000-8000-000000000000";
const CAUSE: &str = "req_01890000-0000-7000-8000-000000000000";

const CHAIN: &str = "
    insert into chains (tenant, history_seq, last_hash, feed_seq)
    values ($1, $2, $3, $4)
    on conflict (tenant) do update
    set history_seq = excluded.history_seq, last_hash = excluded.last_hash, feed_seq = excluded.feed_seq";

const END: Sql = Sql {
    sqlite: "
        update jobs
        set state = 'succeeded', lease_until = null, progress = 1.0, ended_at = $2, version = version + 1
        where key in (select value from json_each($1))",
    postgres: "
        update jobs
        set state = 'succeeded', lease_until = null, progress = 1.0, ended_at = $2, version = version + 1
        where key = any (array(select value::bigint from json_array_elements_text($1::json)))",
};
const TAKE: Sql = Sql {
    sqlite: "
        update jobs
        set state = 'running', attempt = attempt + 1, lease_epoch = lease_epoch + 1, lease_id = $3, lease_until = $2,
            worker_id = $4, started_at = $2, attempt_started_at = $2, version = version + 2
        where key in (
            select key
            from jobs
            where state = 'queued' and job_type = 'bench' and priority = 50
            order by queued_at, key
            limit $1)
        returning key, payload",
    postgres: "
        update jobs
        set state = 'running', attempt = attempt + 1, lease_epoch = lease_epoch + 1, lease_id = $3, lease_until = $2,
            worker_id = $4, started_at = $2, attempt_started_at = $2, version = version + 2
        where key = any (array(
            select key
            from jobs
            where state = 'queued' and job_type = 'bench' and priority = 50
            order by queued_at, key
            limit $1
            for update skip locked))
        returning key, payload",
};

/// One step of a job: what it is called, the state before and the state after.
type Step = (&'static str, Option<&'static str>, &'static str);

const SUBMITTED: Step = ("orch.job.submitted", None, "pending");
const QUEUED: Step = ("orch.job.queued", Some("pending"), "queued");
const LEASED: Step = ("orch.job.leased", Some("queued"), "leased");
const STARTED: Step = ("orch.job.started", Some("leased"), "running");
const SUCCEEDED: Step = ("orch.job.succeeded", Some("running"), "succeeded");

impl Bare {
    /// Makes a ledger there.
    pub async fn make(place: &LedgerPlace) -> Result<Self, LedgerError> {
        let db = match place {
            LedgerPlace::Sqlite(path) => Db::sqlite(path).await?,
            LedgerPlace::Postgres(url) => Db::postgres(url).await?,
        };
        migrate::run(&db).await?;
        let tenant =
            "acme".parse().map_err(|_| LedgerError::Other("`acme` is no name of a tenant".to_owned()))?;
        Ok(Self { db, tenant, jobs: 0, entries: 0, events: 0, taken: Vec::new() })
    }
    /// Puts in `jobs`, so many in each commit.
    pub async fn enqueue(&mut self, jobs: usize, per_commit: usize) -> Result<(), LedgerError> {
        for start in (0..jobs).step_by(per_commit.max(1)) {
            let new: Vec<NewJob> = (start..jobs.min(start + per_commit)).map(|_| self.job()).collect();
            let keys: Vec<i64> = new.iter().map(|job| key::key_of(&job.job_id)).collect();
            let mut tx = self.db.begin_write().await?;
            insert_many(&mut tx, &new).await?;
            self.write_down(&mut tx, &keys, &[SUBMITTED, QUEUED]).await?;
            self.move_tips(&mut tx).await?;
            tx.commit().await?;
        }
        Ok(())
    }
    /// Ends what was taken before and takes the next, so many in each commit, until `jobs` have ended.
    pub async fn drain(&mut self, jobs: usize, per_commit: usize) -> Result<(), LedgerError> {
        let mut done = 0;
        while done < jobs {
            let mut tx = self.db.begin_write().await?;
            let ended = std::mem::take(&mut self.taken);
            if !ended.is_empty() {
                let (text, keys) = (END.text(&tx), json(&ended)?);
                on_db!(tx, connection => {
                    sqlx::query(text).bind(keys).bind(AT.0).execute(connection).await.map(|_| ())
                })?;
                self.write_down(&mut tx, &ended, &[SUCCEEDED]).await?;
                done += ended.len();
            }
            self.taken = take(&mut tx, per_commit.min(jobs - done)).await?;
            if self.taken.is_empty() && done < jobs {
                return Err(LedgerError::Other("fewer jobs wait than are to be drained".to_owned()));
            }
            let taken = self.taken.clone();
            self.write_down(&mut tx, &taken, &[LEASED, STARTED]).await?;
            self.move_tips(&mut tx).await?;
            tx.commit().await?;
        }
        Ok(())
    }
    /// Closes the connections.
    pub async fn close(&self) {
        self.db.close().await;
    }

    fn job(&mut self) -> NewJob {
        self.jobs += 1;
        NewJob {
            job_id: id_of(self.jobs),
            tenant: self.tenant.clone(),
            project: None,
            run_id: None,
            source_id: None,
            job_type: "bench".to_owned(),
            priority: 50,
            state: JobState::Queued,
            wait_reason: None,
            next_eligible_at: None,
            not_before: None,
            payload_digest: DIGEST.to_owned(),
            payload_size: 58,
            payload: Some(PAYLOAD.to_owned()),
            idempotency_key: None,
            max_attempts: 6,
            timeout_s: 3_600,
            replay_of: None,
            retry_of: None,
            origin_key: None,
            correlation_id: CAUSE.to_owned(),
            traceparent: None,
            created_by: "bench".to_owned(),
            reason: None,
            ticket: None,
            created_at: AT,
        }
    }

    /// Entries for each step, and one event for the last of them.
    async fn write_down(&mut self, tx: &mut Tx, keys: &[i64], steps: &[Step]) -> Result<(), LedgerError> {
        let (mut entries, mut events) = (Vec::new(), Vec::new());
        for key in keys {
            let id = id_of(counter(*key));
            for step in steps {
                self.entries += 1;
                entries.push(entry(&self.tenant, self.entries, *key, &id, *step));
            }
            self.events += 1;
            events.extend(steps.last().map(|step| event(&self.tenant, self.events, &id, *step)));
        }
        if entries.is_empty() {
            return Ok(());
        }
        insert_shaped(tx, &HISTORY, entries).await?;
        insert_shaped(tx, &FEED, events).await
    }

    async fn move_tips(&self, tx: &mut Tx) -> Result<(), LedgerError> {
        let (tenant, entries, events) = (self.tenant.as_str(), self.entries, self.events);
        on_db!(tx, connection => {
            sqlx::query(CHAIN)
                .bind(tenant)
                .bind(entries)
                .bind(HASH)
                .bind(events)
                .execute(connection)
                .await
                .map(|_| ())
        })?;
        Ok(())
    }
}

async fn take(tx: &mut Tx, wanted: usize) -> Result<Vec<i64>, LedgerError> {
    let (text, wanted) = (TAKE.text(tx), i64::try_from(wanted).unwrap_or(i64::MAX));
    let lease = key::lease_of(AT.0, 1);
    let rows: Vec<(i64, Option<String>)> = on_db!(tx, connection => {
        sqlx::query_as(text)
            .bind(wanted)
            .bind(AT.0)
            .bind(lease.as_str())
            .bind(WORKER)
            .fetch_all(connection)
            .await?
    });
    Ok(rows.into_iter().map(|(key, _)| key).collect())
}

fn id_of(counter: u32) -> JobId {
    JobId::from_uuid(&key::uuid_of(AT.0.unsigned_abs() / 1_000, counter, 0))
}

const fn counter(key: i64) -> u32 {
    (key.unsigned_abs() & ((1 << key::COUNTER_BITS) - 1)) as u32
}

fn entry(tenant: &Tenant, seq: i64, key: i64, id: &JobId, (kind, from, to): Step) -> Vec<Value> {
    vec![
        seq.into(),
        format!("evt_01890000-0000-7000-8000-{seq:012x}").into(),
        key.into(),
        id.as_str().into(),
        None::<&str>.into(),
        kind.into(),
        from.into(),
        to.into(),
        1.into(),
        1.into(),
        CAUSE.into(),
        AT.0.into(),
        DIGEST.into(),
        r#"{"workerId":"wrk_01890000-0000-7000-8000-000000000000"}"#.into(),
        HASH.into(),
        HASH.into(),
        tenant.as_str().into(),
        "job".into(),
        WORKER.into(),
        "[]".into(),
        None::<&str>.into(),
        None::<&str>.into(),
    ]
}

fn event(tenant: &Tenant, seq: i64, id: &JobId, (kind, _, to): Step) -> Vec<Value> {
    vec![
        seq.into(),
        kind.into(),
        id.as_str().into(),
        None::<&str>.into(),
        CAUSE.into(),
        AT.0.into(),
        format!(r#"{{"state":"{to}","jobType":"bench","attempt":1,"progress":0.0,"processed":0,"total":0}}"#)
            .into(),
        tenant.as_str().into(),
        "job".into(),
    ]
}
