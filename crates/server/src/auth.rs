//! Who is asking: the operator at this machine, or whoever holds a token.

use crate::refusal::Refusal;
use http::{HeaderMap, header};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use stella_contract::api::{REASON_HEADER, TENANT_HEADER, TICKET_HEADER};
use stella_contract::error::Code;
use stella_contract::ids::{Tenant, TokenId};
use stella_contract::job::Cause;
use stella_contract::scope::Scope;
use stella_engine::{Caller, Engine, Error};

/// How callers are recognised.
#[derive(Debug, Clone)]
pub enum Auth {
    /// Everybody who reaches this door is the operator at this machine; no port may lead to it.
    Local(LocalOperator),
    /// By the token in `Authorization: Bearer …`.
    Bearer,
}

/// The operator at this machine: every scope, every tenant of the ledger, read-only at will.
#[derive(Debug, Clone)]
pub struct LocalOperator {
    /// The name of the OS user.
    pub subject: String,
    read_only: Arc<AtomicBool>,
}

impl LocalOperator {
    /// The OS user of this name.
    pub fn new(subject: impl Into<String>) -> Self {
        Self { subject: subject.into(), read_only: Arc::new(AtomicBool::new(false)) }
    }
    /// Drops to looking only, or takes the right to write back; clones follow.
    pub fn set_read_only(&self, read_only: bool) {
        self.read_only.store(read_only, Ordering::Relaxed);
    }
    /// Whether it may only look.
    pub fn is_read_only(&self) -> bool {
        self.read_only.load(Ordering::Relaxed)
    }
}

/// A recognised caller before its tenant is settled.
pub(crate) struct Known {
    subject: String,
    scopes: BTreeSet<Scope>,
    read_only: bool,
    /// The token it came with; the operator at this machine needs none.
    pub(crate) token: Option<TokenId>,
    /// The tenants it may see, the default first.
    pub(crate) tenants: Vec<Tenant>,
}

impl Auth {
    /// Recognises the caller, or says how to become one.
    pub(crate) async fn recognise(&self, engine: &Engine, headers: &HeaderMap) -> Result<Known, Refusal> {
        match self {
            Self::Local(operator) => Ok(Known {
                subject: operator.subject.clone(),
                scopes: Scope::ALL.iter().copied().collect(),
                read_only: operator.is_read_only(),
                token: None,
                tenants: engine.options().tenants.clone(),
            }),
            Self::Bearer => {
                let bearer = engine.sessions().authenticate(secret_of(headers)?).await?;
                Ok(Known {
                    subject: bearer.subject,
                    scopes: bearer.scopes,
                    read_only: bearer.read_only,
                    token: Some(bearer.token_id),
                    tenants: vec![bearer.tenant],
                })
            }
        }
    }
}

impl Known {
    /// Refuses a caller without the scope, where no tenant is meant.
    pub(crate) fn demand(&self, scope: Scope) -> Result<(), Refusal> {
        if self.scopes.contains(&scope) {
            return Ok(());
        }
        Err(Error::scope_missing(scope).into())
    }

    /// The caller of one request: its tenant from the header, or the only one there is.
    pub(crate) fn at(&self, headers: &HeaderMap, correlation_id: &str) -> Result<Caller, Refusal> {
        Ok(Caller {
            tenant: self.tenant(headers)?,
            subject: self.subject.clone(),
            scopes: self.scopes.clone(),
            read_only: self.read_only,
            correlation_id: correlation_id.to_owned(),
            cause: Cause { reason: said(headers, REASON_HEADER)?, ticket: said(headers, TICKET_HEADER)? },
        })
    }

    fn tenant(&self, headers: &HeaderMap) -> Result<Tenant, Refusal> {
        let Some(name) = said(headers, TENANT_HEADER)? else {
            return match self.tenants.as_slice() {
                [only] => Ok(only.clone()),
                _ => Err(Refusal::new(
                    Code::TenantRequired,
                    "Which tenant is meant? Name it in the header `X-Stella-Tenant`.",
                )),
            };
        };
        // A tenant that is not there and one that is not the caller's are answered alike, so that names do not leak.
        self.tenants.iter().find(|tenant| tenant.as_str() == name).cloned().ok_or_else(|| {
            Refusal::new(
                Code::ScopeMissing,
                format!("The caller has no scope in a tenant `{name}`. /api/v1/session lists its tenants."),
            )
        })
    }
}

fn secret_of(headers: &HeaderMap) -> Result<&str, Refusal> {
    let said = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let secret = said
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, secret)| scheme.eq_ignore_ascii_case("bearer") && !secret.trim().is_empty());
    secret.map(|(_, secret)| secret.trim()).ok_or_else(|| {
        Refusal::new(
            Code::Unauthenticated,
            "This needs a token in the header `Authorization: Bearer …`. Make one with `stella token create`, or open the address that `stella serve` prints.",
        )
    })
}

/// The text of a header as UTF-8; nothing when empty.
fn said(headers: &HeaderMap, name: &str) -> Result<Option<String>, Refusal> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    let text = std::str::from_utf8(value.as_bytes()).map_err(|_| {
        Refusal::new(Code::BadRequest, format!("The header `{name}` is not UTF-8. Encode it so."))
    })?;
    let text = text.trim();
    Ok((!text.is_empty()).then(|| text.to_owned()))
}
