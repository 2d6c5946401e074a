//! Kept answers: the first answer to each idempotency key, so that a repeated write is the same write.

use crate::db::{Sql, Tx};
use crate::error::LedgerError;
use crate::on_db;
use crate::set::{fetch, insert_or, json};
use sqlx::FromRow;
use std::collections::BTreeMap;

/// What a key belongs to: a tenant and a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Whose request it is.
    pub tenant: String,
    /// Method and path.
    pub path: String,
    /// The key the caller chose.
    pub idempotency_key: String,
}

/// What is known of a key.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct KeptAnswer {
    /// SHA-256 of the body it came with.
    pub body_digest: String,
    /// When the first request came.
    pub started_at: i64,
    /// The status it was answered with; absent while it is being answered.
    pub status: Option<i64>,
    /// The type of the body.
    pub media_type: Option<String>,
    /// The body.
    pub body: Option<String>,
}

// A row of a request that is too old to be repeated, or that died while it was answered, is taken over.
const CLAIM: Sql = Sql::both(
    "insert into kept_answers (tenant, path, idempotency_key, body_digest, started_at)
    values ($1, $2, $3, $4, $5)
    on conflict (tenant, path, idempotency_key) do update
    set body_digest = excluded.body_digest, started_at = excluded.started_at, status = null, media_type = null,
        body = null, answered_at = null
    where kept_answers.started_at < $6 or (kept_answers.status is null and kept_answers.started_at < $7)",
);
const FIND: Sql = Sql::both(
    "select body_digest, started_at, status, media_type, body
    from kept_answers
    where tenant = $1 and path = $2 and idempotency_key = $3",
);
const FIND_MANY: Sql = Sql {
    sqlite: "
        select asked.key as asked, kept.body_digest, kept.started_at, kept.status, kept.media_type, kept.body
        from json_each($1) as asked
        cross join kept_answers as kept
        where kept.tenant = asked.value ->> 0
          and kept.path = asked.value ->> 1
          and kept.idempotency_key = asked.value ->> 2",
    postgres: "
        select asked.at - 1 as asked, kept.body_digest, kept.started_at, kept.status, kept.media_type, kept.body
        from json_array_elements($1::json) with ordinality as asked (value, at)
        join kept_answers as kept on kept.tenant = asked.value ->> 0
                                 and kept.path = asked.value ->> 1
                                 and kept.idempotency_key = asked.value ->> 2",
};
const KEEP: &str = "
    insert into kept_answers (tenant, path, idempotency_key, body_digest, started_at, status, media_type, body,
        answered_at)
    values";
// A row that another request took meanwhile stays as it is.
const TAKEN: &str = "
    on conflict (tenant, path, idempotency_key) do update
    set body_digest = excluded.body_digest, started_at = excluded.started_at, status = excluded.status,
        media_type = excluded.media_type, body = excluded.body, answered_at = excluded.answered_at
    where kept_answers.started_at < excluded.started_at
        or (kept_answers.started_at = excluded.started_at and kept_answers.status is null)";
const RELEASE: Sql = Sql::both(
    "delete from kept_answers
    where tenant = $1 and path = $2 and idempotency_key = $3 and started_at = $4 and status is null",
);
const FORGET: Sql = Sql::both("delete from kept_answers where started_at < $1");

/// Takes the key for a request that starts now; false when it is taken. Rows older than `expired_before` and open
/// ones older than `abandoned_before` count as free.
pub async fn claim(
    tx: &mut Tx,
    place: &Place,
    body_digest: &str,
    now: i64,
    expired_before: i64,
    abandoned_before: i64,
) -> Result<bool, LedgerError> {
    let text = CLAIM.text(tx);
    let changed = on_db!(tx, connection => {
        sqlx::query(text)
            .bind(&place.tenant)
            .bind(&place.path)
            .bind(&place.idempotency_key)
            .bind(body_digest)
            .bind(now)
            .bind(expired_before)
            .bind(abandoned_before)
            .execute(connection)
            .await?
            .rows_affected()
    });
    Ok(changed > 0)
}

/// What is known of the key.
pub async fn find(tx: &mut Tx, place: &Place) -> Result<Option<KeptAnswer>, LedgerError> {
    let text = FIND.text(tx);
    Ok(on_db!(tx, connection => {
        sqlx::query_as(text)
            .bind(&place.tenant)
            .bind(&place.path)
            .bind(&place.idempotency_key)
            .fetch_optional(connection)
            .await?
    }))
}

/// One of those that were asked for, by its place among them.
#[derive(FromRow)]
struct FoundRow {
    asked: i64,
    #[sqlx(flatten)]
    kept: KeptAnswer,
}

/// What is known of each of these keys, in their order.
pub async fn find_many(tx: &mut Tx, places: &[Place]) -> Result<Vec<Option<KeptAnswer>>, LedgerError> {
    let asked: Vec<[&str; 3]> = places
        .iter()
        .map(|place| [place.tenant.as_str(), place.path.as_str(), place.idempotency_key.as_str()])
        .collect();
    let mut found: Vec<Option<KeptAnswer>> = places.iter().map(|_| None).collect();
    for row in fetch::<FoundRow>(tx, FIND_MANY, json(&asked)?).await? {
        if let Some(one) = usize::try_from(row.asked).ok().and_then(|at| found.get_mut(at)) {
            *one = Some(row.kept);
        }
    }
    Ok(found)
}

/// An answer to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The key of its request.
    pub place: Place,
    /// When the request came.
    pub started_at: i64,
    /// SHA-256 of the body of its request.
    pub body_digest: String,
    /// The status.
    pub status: i64,
    /// The type of the body.
    pub media_type: String,
    /// The body.
    pub body: String,
}

/// Keeps answers; one changes nothing when a later request has its key by now. Of several under one key the last
/// counts. How many were kept.
pub async fn keep_many(tx: &mut Tx, answers: Vec<Answer>, now: i64) -> Result<u64, LedgerError> {
    let answers: BTreeMap<Place, Answer> =
        answers.into_iter().map(|answer| (answer.place.clone(), answer)).collect();
    let rows = answers.into_values().map(|answer| {
        vec![
            answer.place.tenant.into(),
            answer.place.path.into(),
            answer.place.idempotency_key.into(),
            answer.body_digest.into(),
            answer.started_at.into(),
            answer.status.into(),
            answer.media_type.into(),
            answer.body.into(),
            now.into(),
        ]
    });
    insert_or(tx, KEEP, rows.collect(), TAKEN).await
}

/// Gives back a key whose request came to nothing.
pub async fn release(tx: &mut Tx, place: &Place, started_at: i64) -> Result<(), LedgerError> {
    let text = RELEASE.text(tx);
    on_db!(tx, connection => {
        sqlx::query(text)
            .bind(&place.tenant)
            .bind(&place.path)
            .bind(&place.idempotency_key)
            .bind(started_at)
            .execute(connection)
            .await
            .map(|_| ())
    })?;
    Ok(())
}

/// Forgets answers of requests that came before this time.
pub async fn forget(tx: &mut Tx, before: i64) -> Result<u64, LedgerError> {
    let text = FORGET.text(tx);
    Ok(on_db!(tx, connection => sqlx::query(text).bind(before).execute(connection).await?.rows_affected()))
}
