//! Who is asking: tokens are made, exchanged, recognised and taken back. A secret is told once and stored as a hash.

use crate::caller::Caller;
use crate::engine::Engine;
use crate::error::Error;
use crate::journal::{Draft, Journal};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};
use stella_contract::error::Code;
use stella_contract::history::Actor;
use stella_contract::ids::{Tenant, TokenId};
use stella_contract::job::Cause;
use stella_contract::scope::Scope;
use stella_contract::session::{LedgerKind, OpenedSession, Session};
use stella_contract::time::Micros;
use stella_ledger::tokens::{self, TokenRow};
use stella_ledger::{LedgerPlace, Tx};

/// How long a one-time token may lie unused.
const ONE_TIME_MS: i64 = 60 * 60 * 1_000;
/// How long a session lasts.
const SESSION_MS: i64 = 12 * 60 * 60 * 1_000;
/// How long a recognised token is trusted without another look; a token taken back elsewhere lives on that long.
const TRUST_MS: i64 = 10_000;
/// Recognised tokens remembered at once.
const REMEMBERED: usize = 1_000;

/// What a bearer token stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bearer {
    /// The token's id.
    pub token_id: TokenId,
    /// The only tenant it may see.
    pub tenant: Tenant,
    /// The name it goes by in the history.
    pub subject: String,
    /// What it may do.
    pub scopes: BTreeSet<Scope>,
    /// Whether it may only look.
    pub read_only: bool,
}

/// A wish for a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewToken {
    /// What to call it, 1 to 100 characters.
    pub name: String,
    /// What it may do.
    pub scopes: BTreeSet<Scope>,
    /// Whether it may only look.
    pub read_only: bool,
    /// For how long it is good.
    pub ttl_ms: i64,
}

/// A token as it is told once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeToken {
    /// Its id.
    pub token_id: TokenId,
    /// The secret; nobody can ask for it again.
    pub secret: String,
    /// Until when it is good.
    pub expires_at: Micros,
}

/// Recognised tokens and until when they are trusted, by hash.
#[derive(Debug, Default)]
pub(crate) struct Recognised(Mutex<HashMap<String, (Bearer, Micros)>>);

/// Tokens and sessions.
#[derive(Clone)]
pub struct Sessions {
    engine: Engine,
}

impl Engine {
    /// Tokens and sessions.
    pub fn sessions(&self) -> Sessions {
        Sessions { engine: self.clone() }
    }
}

impl Sessions {
    /// The caller as the frame of the UI shows it.
    pub async fn describe(&self, caller: &Caller, tenants: Vec<Tenant>) -> Result<Session, Error> {
        caller.demand(Scope::OrchRead)?;
        Ok(Session {
            subject: caller.subject.clone(),
            scopes: caller.scopes.iter().copied().collect(),
            tenants,
            read_only: caller.read_only,
            switched_off: self.engine.features().switched_off().await?,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            ledger: match self.engine.options().place {
                LedgerPlace::Sqlite(_) => LedgerKind::Sqlite,
                LedgerPlace::Postgres(_) => LedgerKind::Postgres,
            },
            now: self.engine.now(),
        })
    }

    /// What the secret stands for.
    pub async fn authenticate(&self, secret: &str) -> Result<Bearer, Error> {
        let now = self.engine.now();
        let hash = hash_of(secret);
        if let Some(bearer) = self.engine.recognised().get(&hash, now) {
            return Ok(bearer);
        }
        let wanted = hash.clone();
        let found = self
            .engine
            .ledger()
            .read(move |tx| Box::pin(async move { tokens::find(tx, &wanted).await }))
            .await
            .map_err(|error: stella_ledger::LedgerError| Error::from(error))?;
        let row = found.filter(|row| is_good(row, now)).ok_or_else(unknown_token)?;
        let trusted_until = Micros(row.expires_at).min(now.plus_ms(TRUST_MS));
        let bearer = bearer_of(row)?;
        self.engine.recognised().put(hash, bearer.clone(), trusted_until);
        Ok(bearer)
    }

    /// Makes a bearer token for the caller's tenant.
    pub async fn create_token(&self, caller: &Caller, wish: NewToken) -> Result<MadeToken, Error> {
        caller.demand_write(Scope::TokensManage)?;
        if !(1..=100).contains(&wish.name.trim().chars().count()) {
            return Err(Error::invalid("name", "A token's name has 1 to 100 characters."));
        }
        if wish.ttl_ms <= 0 {
            return Err(Error::invalid("ttl", "A token lives for some time."));
        }
        let missing = wish.scopes.iter().find(|scope| !caller.scopes.contains(scope));
        if let Some(scope) = missing {
            return Err(Error::scope_missing(*scope));
        }
        self.make(&caller.tenant, Author::of(caller), Kind::Bearer, wish).await
    }

    /// Takes a token of the caller's tenant back.
    pub async fn revoke_token(&self, caller: &Caller, id: &TokenId) -> Result<(), Error> {
        caller.demand_write(Scope::TokensManage)?;
        let (tenant, token, now) = (caller.tenant.clone(), id.clone(), self.engine.now());
        let by = Author::of(caller);
        let was_there = self
            .engine
            .ledger()
            .write::<_, Error, _>(move |tx| {
                Box::pin(async move {
                    let was_there = tokens::revoke(tx, tenant.as_str(), token.as_str(), now.0).await?;
                    if was_there {
                        note(tx, &tenant, &by, "orch.token.revoked", now, json!({ "tokenId": token }))
                            .await?;
                    }
                    Ok(was_there)
                })
            })
            .await?;
        self.engine.recognised().forget(id);
        if was_there { Ok(()) } else { Err(Error::not_found("token", id)) }
    }

    /// A secret that opens one session, for the address that a server prints when it starts.
    pub async fn one_time(&self, tenant: &Tenant) -> Result<String, Error> {
        let wish = NewToken {
            name: "one-time".to_owned(),
            scopes: Scope::ALL.iter().copied().filter(|scope| *scope != Scope::Worker).collect(),
            read_only: false,
            ttl_ms: ONE_TIME_MS,
        };
        let author = Author {
            actor: Actor { subject: "server".to_owned(), scopes: Vec::new() },
            cause: Cause::default(),
            correlation_id: "server".to_owned(),
        };
        Ok(self.make(tenant, author, Kind::OneTime, wish).await?.secret)
    }

    /// Exchanges a one-time secret for a session's token.
    pub async fn open(&self, one_time: &str) -> Result<OpenedSession, Error> {
        let now = self.engine.now();
        let (hash, secret, id) = (hash_of(one_time), self.secret("sts_"), self.token_id(now));
        let hash_of_secret = hash_of(&secret);
        let expires_at = now.plus_ms(SESSION_MS);
        let used = self
            .engine
            .ledger()
            .write::<_, Error, _>(move |tx| {
                Box::pin(async move {
                    let used = tokens::use_once(tx, &hash, now.0).await?.ok_or_else(used_up)?;
                    let session = TokenRow {
                        token_id: id.to_string(),
                        name: "browser session".to_owned(),
                        kind: "session".to_owned(),
                        secret_hash: hash_of_secret,
                        created_by: used.token_id.clone(),
                        created_at: now.0,
                        expires_at: expires_at.0,
                        used_at: None,
                        ..used.clone()
                    };
                    tokens::insert(tx, &session).await?;
                    let author = Author {
                        actor: Actor { subject: used.token_id.clone(), scopes: Vec::new() },
                        cause: Cause::default(),
                        correlation_id: session.token_id.clone(),
                    };
                    let data = json!({ "tokenId": session.token_id, "name": session.name });
                    note(tx, &tenant_of(&used)?, &author, "orch.session.opened", now, data).await?;
                    Ok(used)
                })
            })
            .await?;
        Ok(OpenedSession { token: secret, expires_at, tenant: tenant_of(&used)? })
    }

    async fn make(&self, of: &Tenant, by: Author, kind: Kind, wish: NewToken) -> Result<MadeToken, Error> {
        let now = self.engine.now();
        let (secret, token_id) = (self.secret(kind.prefix()), self.token_id(now));
        let expires_at = now.plus_ms(wish.ttl_ms);
        let row = TokenRow {
            token_id: token_id.to_string(),
            tenant: of.to_string(),
            name: wish.name.trim().to_owned(),
            kind: kind.word().to_owned(),
            secret_hash: hash_of(&secret),
            scopes: serde_json::to_string(&wish.scopes).map_err(Error::internal)?,
            read_only: i64::from(wish.read_only),
            created_by: by.actor.subject.clone(),
            created_at: now.0,
            expires_at: expires_at.0,
            used_at: None,
            revoked_at: None,
        };
        let tenant = of.clone();
        self.engine
            .ledger()
            .write::<_, Error, _>(move |tx| {
                Box::pin(async move {
                    tokens::insert(tx, &row).await?;
                    let data = json!({
                        "tokenId": row.token_id, "name": row.name, "kind": row.kind, "scopes": wish.scopes,
                        "readOnly": wish.read_only, "expiresAt": expires_at,
                    });
                    note(tx, &tenant, &by, "orch.token.created", now, data).await
                })
            })
            .await?;
        Ok(MadeToken { token_id, secret, expires_at })
    }

    fn secret(&self, prefix: &str) -> String {
        let mut bytes = [0_u8; 32];
        self.engine.chance().fill(&mut bytes);
        format!("{prefix}{}", hex::encode(bytes))
    }

    fn token_id(&self, now: Micros) -> TokenId {
        TokenId::from_uuid(&self.engine.uuid(now))
    }
}

/// What a token is for.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Bearer,
    OneTime,
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::Bearer => "bearer",
            Self::OneTime => "one_time",
        }
    }
    /// Secrets of each kind start alike, so that one that leaked is recognised for what it is.
    const fn prefix(self) -> &'static str {
        match self {
            Self::Bearer => "stl_",
            Self::OneTime => "sto_",
        }
    }
}

/// Who makes or takes back a token, for the history.
struct Author {
    actor: Actor,
    cause: Cause,
    correlation_id: String,
}

impl Author {
    fn of(caller: &Caller) -> Self {
        Self {
            actor: caller.actor(),
            cause: caller.cause.clone(),
            correlation_id: caller.correlation_id.clone(),
        }
    }
}

/// Writes it into the history; never with the secret or its hash.
async fn note(
    tx: &mut Tx,
    tenant: &Tenant,
    by: &Author,
    kind: &str,
    now: Micros,
    data: Value,
) -> Result<(), Error> {
    let mut journal = Journal::default();
    journal.enter(
        tenant,
        Draft {
            job_id: None,
            run_id: None,
            entity: "token",
            kind: kind.to_owned(),
            from_state: None,
            to_state: None,
            attempt: None,
            lease_epoch: None,
            actor: by.actor.clone(),
            cause: by.cause.clone(),
            correlation_id: by.correlation_id.clone(),
            occurred_at: now,
            data,
        },
    );
    journal.leave(tx);
    Ok(())
}

impl Recognised {
    fn get(&self, hash: &str, now: Micros) -> Option<Bearer> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(hash).filter(|(_, until)| now < *until).map(|(bearer, _)| bearer.clone())
    }
    fn put(&self, hash: String, bearer: Bearer, until: Micros) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(hash, (bearer, until));
    }
    fn forget(&self, id: &TokenId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, (bearer, _)| bearer.token_id != *id);
    }
}

fn hash_of(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}

/// A one-time token opens a session and nothing else.
fn is_good(row: &TokenRow, now: Micros) -> bool {
    row.kind != "one_time" && row.revoked_at.is_none() && now.0 < row.expires_at
}

fn bearer_of(row: TokenRow) -> Result<Bearer, Error> {
    let corrupt = |column| Error::from(stella_ledger::LedgerError::corrupt("tokens", column, &row.token_id));
    Ok(Bearer {
        token_id: row.token_id.parse().map_err(|_| corrupt("token_id"))?,
        tenant: tenant_of(&row)?,
        scopes: serde_json::from_str(&row.scopes).map_err(|_| corrupt("scopes"))?,
        read_only: row.read_only != 0,
        subject: row.name,
    })
}

fn tenant_of(row: &TokenRow) -> Result<Tenant, Error> {
    let corrupt = |_| stella_ledger::LedgerError::corrupt("tokens", "tenant", &row.token_id);
    Ok(row.tenant.parse().map_err(corrupt)?)
}

fn unknown_token() -> Error {
    Error::new(
        Code::Unauthenticated,
        "The token is unknown, expired or was taken back. Make one with `stella token create`, or open the address that `stella serve` prints.",
    )
}

fn used_up() -> Error {
    Error::new(
        Code::Unauthenticated,
        "The one-time token is unknown, expired or was used before. Start `stella serve` again for a fresh address, or make a token with `stella token create`.",
    )
}

#[cfg(test)]
#[path = "sessions_tests.rs"]
mod tests;
