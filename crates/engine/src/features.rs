//! What an operator switched off for everybody on this ledger.

use crate::caller::Caller;
use crate::engine::Engine;
use crate::error::Error;
use crate::journal::Journal;
use crate::limit_changes::{Change, demand_version, note};
use crate::page;
use stella_contract::error::Code;
use stella_contract::feature::{Feature, FeatureSwitch, SetFeature};
use stella_contract::page::{Page, PageQuery};
use stella_contract::scope::Scope;
use stella_contract::time::Micros;
use stella_ledger::features::{self, FeatureRow};
use stella_ledger::{LedgerError, Tx};

/// The switches.
#[derive(Clone)]
pub struct Features {
    engine: Engine,
}

impl Engine {
    /// The switches.
    pub fn features(&self) -> Features {
        Features { engine: self.clone() }
    }
}

impl Features {
    /// Every switch, by name.
    pub async fn list(&self, caller: &Caller, query: &PageQuery) -> Result<Page<FeatureSwitch>, Error> {
        caller.demand(Scope::OrchRead)?;
        let switches = self.switches().await?;
        page::cut(&"features", query, switches, |switch: &FeatureSwitch| switch.feature.as_str().to_owned())
    }

    /// Turns a switch. One that already stands so is left alone.
    pub async fn set(
        &self,
        caller: &Caller,
        feature: Feature,
        wish: SetFeature,
        expected: Option<i64>,
    ) -> Result<FeatureSwitch, Error> {
        caller.demand_write(Scope::OrchOperate)?;
        let (caller, now) = (caller.clone(), self.engine.now());
        let write = self.engine.ledger().write::<_, Error, _>(move |tx| {
            Box::pin(async move {
                let before = switch(feature, &features::all(tx).await?);
                demand_version(expected, before.version)?;
                if before.enabled == wish.enabled {
                    return Ok(before);
                }
                let row = FeatureRow {
                    feature: feature.as_str().to_owned(),
                    enabled: i64::from(wish.enabled),
                    changed_at: now.0,
                    changed_by: caller.subject.clone(),
                    version: 0,
                };
                let version = features::set(tx, &row).await?;
                let after = switch(feature, &[FeatureRow { version, ..row }]);
                let kind = if wish.enabled { "orch.feature.enabled" } else { "orch.feature.disabled" };
                let id = feature.as_str();
                let change =
                    Change { entity: "feature", kind, id, before: Some(&before), after: Some(&after) };
                let mut journal = Journal::default();
                note(&mut journal, &caller, &change, now)?;
                journal.leave(tx);
                Ok(after)
            })
        });
        write.await
    }

    /// What is switched off.
    pub(crate) async fn switched_off(&self) -> Result<Vec<Feature>, Error> {
        let switches = self.switches().await?;
        Ok(switches.into_iter().filter(|switch| !switch.enabled).map(|switch| switch.feature).collect())
    }

    async fn switches(&self) -> Result<Vec<FeatureSwitch>, Error> {
        let read = self.engine.ledger().read::<_, LedgerError, _>(|tx| Box::pin(features::all(tx)));
        let rows = read.await?;
        Ok(Feature::ALL.iter().map(|feature| switch(*feature, &rows)).collect())
    }
}

/// A switch by the rows of those that were turned.
fn switch(feature: Feature, rows: &[FeatureRow]) -> FeatureSwitch {
    let row = rows.iter().find(|row| row.feature == feature.as_str());
    FeatureSwitch {
        feature,
        enabled: row.is_none_or(|row| row.enabled != 0),
        meaning: feature.meaning().to_owned(),
        changed_at: row.map(|row| Micros(row.changed_at)),
        changed_by: row.map(|row| row.changed_by.clone()),
        version: row.map_or(0, |row| row.version),
    }
}

/// Refuses what belongs to a part that is switched off.
pub(crate) async fn demand(tx: &mut Tx, feature: Feature) -> Result<(), Error> {
    if features::is_on(tx, feature).await? {
        return Ok(());
    }
    Err(Error::new(Code::FeatureOff, format!("{}.", feature.refusal())))
}

impl Engine {
    /// Refuses what belongs to a part that is switched off, where no transaction is open.
    pub async fn demand_feature(&self, feature: Feature) -> Result<(), Error> {
        self.ledger().read(move |tx| Box::pin(async move { demand(tx, feature).await })).await
    }
}
