//! Who asks, for which tenant, with which rights and for which reason.

use crate::error::Error;
use std::collections::BTreeSet;
use stella_contract::error::Code;
use stella_contract::history::Actor;
use stella_contract::ids::Tenant;
use stella_contract::job::Cause;
use stella_contract::scope::{REASON_MAX, Scope, TICKET_MAX};

/// The one who asks. Every method of the engine demands something of it first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Whose things are meant.
    pub tenant: Tenant,
    /// The OS user, the token's name, a worker's id or a background task's name.
    pub subject: String,
    /// What it may do.
    pub scopes: BTreeSet<Scope>,
    /// Whether it may only look.
    pub read_only: bool,
    /// Binds everything of one request together.
    pub correlation_id: String,
    /// Why it asks.
    pub cause: Cause,
}

impl Caller {
    /// The operator at this machine: every scope.
    pub fn local(tenant: Tenant, subject: impl Into<String>) -> Self {
        let subject = subject.into();
        Self {
            tenant,
            correlation_id: format!("local:{subject}"),
            subject,
            scopes: Scope::ALL.iter().copied().collect(),
            read_only: false,
            cause: Cause::default(),
        }
    }
    /// The same caller with a reason and, when given, a ticket.
    #[must_use]
    pub fn because(mut self, reason: &str, ticket: Option<&str>) -> Self {
        self.cause = Cause { reason: Some(reason.to_owned()), ticket: ticket.map(str::to_owned) };
        self
    }
    /// Refuses a caller without the scope.
    pub fn demand(&self, scope: Scope) -> Result<(), Error> {
        if self.scopes.contains(&scope) {
            return Ok(());
        }
        Err(Error::scope_missing(scope))
    }
    /// Refuses a caller that may not write under the scope, or does not say why where that is demanded.
    pub fn demand_write(&self, scope: Scope) -> Result<(), Error> {
        self.demand(scope)?;
        if self.read_only {
            return Err(Error::new(Code::ReadOnly, "This connection may only read. Ask its owner for more."));
        }
        let reason = self.cause.reason.as_deref().map(str::trim).unwrap_or_default();
        let ticket = self.cause.ticket.as_deref().map(str::trim).unwrap_or_default();
        if reason.chars().count() > REASON_MAX || ticket.chars().count() > TICKET_MAX {
            let sentence =
                format!("A reason holds at most {REASON_MAX} characters, a ticket at most {TICKET_MAX}.");
            return Err(Error::new(Code::ReasonTooLong, sentence));
        }
        if scope.needs_reason() && reason.is_empty() {
            let sentence = format!("A change under `{scope}` is written down with its reason. Give one.");
            return Err(Error::new(Code::ReasonRequired, sentence));
        }
        if scope.needs_ticket() && ticket.is_empty() {
            let sentence = format!("A change under `{scope}` names the ticket it belongs to. Give one.");
            return Err(Error::new(Code::TicketRequired, sentence));
        }
        Ok(())
    }
    /// As the history names it.
    pub fn actor(&self) -> Actor {
        Actor {
            subject: self.subject.clone(),
            scopes: self.scopes.iter().map(|scope| scope.as_str().to_owned()).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller() -> Caller {
        Caller::local("acme".parse().unwrap(), "ada")
    }

    #[test]
    fn a_caller_without_the_scope_or_the_right_to_write_is_refused() {
        let mut one = caller();
        one.scopes.remove(&Scope::OrchRead);
        assert_eq!(one.demand(Scope::OrchRead).unwrap_err().code, Code::ScopeMissing);
        assert_eq!(one.demand(Scope::OrchSubmit), Ok(()));
        one.read_only = true;
        assert_eq!(one.demand_write(Scope::OrchSubmit).unwrap_err().code, Code::ReadOnly);
    }

    #[test]
    fn reason_and_ticket_are_demanded_where_the_scope_says_so() {
        let refused = |one: &Caller, scope| one.demand_write(scope).err().map(|error| error.code);
        assert_eq!(refused(&caller(), Scope::OrchSubmit), None);
        assert_eq!(refused(&caller(), Scope::OrchOperate), Some(Code::ReasonRequired));
        assert_eq!(refused(&caller().because("  ", None), Scope::RunsManage), Some(Code::ReasonRequired));
        assert_eq!(refused(&caller().because("why", None), Scope::RunsManage), None);
        assert_eq!(refused(&caller().because("why", None), Scope::OrchOperate), Some(Code::TicketRequired));
        assert_eq!(refused(&caller().because("why", Some("OPS-1")), Scope::OrchOperate), None);
        let long = "x".repeat(REASON_MAX + 1);
        assert_eq!(refused(&caller().because(&long, None), Scope::RunsManage), Some(Code::ReasonTooLong));
    }
}
