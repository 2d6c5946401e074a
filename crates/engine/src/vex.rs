//! What is said of vulnerabilities in products, as it is listed.

use crate::caller::Caller;
use crate::engine::Engine;
use crate::error::Error;
use crate::page;
use stella_contract::page::{Page, PageQuery};
use stella_contract::scope::Scope;
use stella_contract::time::Micros;
use stella_contract::vex::{VexFilter, VexStatement};
use stella_evaluator::vex::Statement;
use stella_ledger::LedgerError;
use stella_ledger::vex::{self, StatementRow};

/// VEX statements.
#[derive(Clone)]
pub struct Vex {
    engine: Engine,
}

impl Engine {
    /// VEX statements.
    pub fn vex(&self) -> Vex {
        Vex { engine: self.clone() }
    }
}

impl Vex {
    /// The tenant's statements that match, those that came last first.
    pub async fn list(
        &self,
        caller: &Caller,
        filter: &VexFilter,
        query: &PageQuery,
    ) -> Result<Page<VexStatement>, Error> {
        caller.demand(Scope::OrchRead)?;
        let key = (&caller.tenant, filter);
        let before: Option<i64> = page::after(&key, query)?;
        let (tenant, wanted, limit) = (caller.tenant.clone(), filter.clone(), i64::from(query.size()) + 1);
        let (rows, count) = self
            .engine
            .ledger()
            .read::<_, LedgerError, _>(move |tx| {
                Box::pin(async move {
                    let rows = vex::list(tx, &tenant, &wanted, before, limit).await?;
                    Ok((rows, vex::total(tx, &tenant, &wanted).await?))
                })
            })
            .await?;
        let page = page::of(&key, query, rows, page::total(count), |row| row.statement_key)?;
        Ok(Page {
            items: page.items.into_iter().map(view).collect::<Result<Vec<_>, _>>()?,
            next_page_token: page.next_page_token,
            total_estimate: page.total_estimate,
        })
    }
}

/// The statement of a row, as the evaluator wants it.
pub(crate) fn statement(row: &StatementRow) -> Result<Statement, LedgerError> {
    let corrupt = |_| LedgerError::corrupt("vex_statements", "body", row.statement_key);
    serde_json::from_str(&row.body).map_err(corrupt)
}

fn view(row: StatementRow) -> Result<VexStatement, LedgerError> {
    let corrupt = |column| LedgerError::corrupt("vex_statements", column, row.statement_key);
    let said = statement(&row)?;
    Ok(VexStatement {
        source_id: row.source_id.parse().map_err(|_| corrupt("source_id"))?,
        document_id: said.document_id,
        vulnerability_id: said.vulnerability_id,
        product: said.product,
        component: said.component,
        versions: said.versions,
        status: said.status,
        justification: said.justification,
        statement: said.statement,
        at: Micros::parse(&said.at).ok_or_else(|| corrupt("body"))?,
    })
}
