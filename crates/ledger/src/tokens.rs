//! Tokens: who may knock. Only hashes of secrets are stored.

use crate::db::{Sql, Tx};
use crate::error::LedgerError;
use crate::on_db;
use sqlx::FromRow;

/// One token, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct TokenRow {
    /// Its id.
    pub token_id: String,
    /// Whose it is.
    pub tenant: String,
    /// What the operator called it.
    pub name: String,
    /// `bearer`, `session` or `one_time`.
    pub kind: String,
    /// SHA-256 of the secret, lower-case hex.
    pub secret_hash: String,
    /// A JSON list of scopes.
    pub scopes: String,
    /// 1 when it may only read.
    pub read_only: i64,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: i64,
    /// When it ends.
    pub expires_at: i64,
    /// When a one-time token was used.
    pub used_at: Option<i64>,
    /// When it was taken back.
    pub revoked_at: Option<i64>,
}

const INSERT: Sql = Sql::both(
    "insert into tokens (token_id, tenant, name, kind, secret_hash, scopes, read_only, created_by, created_at,
        expires_at, used_at, revoked_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
);
const FIND: Sql = Sql::both(
    "select token_id, tenant, name, kind, secret_hash, scopes, read_only, created_by, created_at, expires_at,
        used_at, revoked_at
    from tokens
    where secret_hash = $1",
);
const USE_ONCE: Sql = Sql::both(
    "update tokens
    set used_at = $2
    where secret_hash = $1 and kind = 'one_time' and used_at is null and revoked_at is null and expires_at > $2
    returning token_id, tenant, name, kind, secret_hash, scopes, read_only, created_by, created_at, expires_at,
        used_at, revoked_at",
);
const REVOKE: Sql = Sql::both(
    "update tokens
    set revoked_at = $3
    where tenant = $1 and token_id = $2 and revoked_at is null",
);
const LIST: Sql = Sql::both(
    "select token_id, tenant, name, kind, secret_hash, scopes, read_only, created_by, created_at, expires_at,
        used_at, revoked_at
    from tokens
    where tenant = $1 and kind = 'bearer'
    order by created_at desc, token_id desc
    limit $2",
);
const FORGET_ENDED: Sql = Sql::both("delete from tokens where expires_at < $1");

/// Writes down a token.
pub async fn insert(tx: &mut Tx, row: &TokenRow) -> Result<(), LedgerError> {
    let text = INSERT.text(tx);
    on_db!(tx, connection => {
        sqlx::query(text)
            .bind(&row.token_id)
            .bind(&row.tenant)
            .bind(&row.name)
            .bind(&row.kind)
            .bind(&row.secret_hash)
            .bind(&row.scopes)
            .bind(row.read_only)
            .bind(&row.created_by)
            .bind(row.created_at)
            .bind(row.expires_at)
            .bind(row.used_at)
            .bind(row.revoked_at)
            .execute(connection)
            .await
            .map(|_| ())
    })?;
    Ok(())
}

/// The token behind this hash of a secret, whatever its condition.
pub async fn find(tx: &mut Tx, secret_hash: &str) -> Result<Option<TokenRow>, LedgerError> {
    let text = FIND.text(tx);
    Ok(on_db!(tx, connection => sqlx::query_as(text).bind(secret_hash).fetch_optional(connection).await?))
}

/// Uses a one-time token up; nothing when it cannot be used, or not any more.
pub async fn use_once(tx: &mut Tx, secret_hash: &str, now: i64) -> Result<Option<TokenRow>, LedgerError> {
    let text = USE_ONCE.text(tx);
    Ok(on_db!(tx, connection => {
        sqlx::query_as(text).bind(secret_hash).bind(now).fetch_optional(connection).await?
    }))
}

/// Takes a token back; says whether there was one to take.
pub async fn revoke(tx: &mut Tx, tenant: &str, token_id: &str, now: i64) -> Result<bool, LedgerError> {
    let text = REVOKE.text(tx);
    let changed = on_db!(tx, connection => {
        sqlx::query(text).bind(tenant).bind(token_id).bind(now).execute(connection).await?.rows_affected()
    });
    Ok(changed > 0)
}

/// The tenant's newest bearer tokens.
pub async fn list(tx: &mut Tx, tenant: &str, limit: i64) -> Result<Vec<TokenRow>, LedgerError> {
    let text = LIST.text(tx);
    Ok(on_db!(tx, connection => sqlx::query_as(text).bind(tenant).bind(limit).fetch_all(connection).await?))
}

/// Forgets tokens that ended before this time.
pub async fn forget_ended(tx: &mut Tx, before: i64) -> Result<u64, LedgerError> {
    let text = FORGET_ENDED.text(tx);
    Ok(on_db!(tx, connection => sqlx::query(text).bind(before).execute(connection).await?.rows_affected()))
}
