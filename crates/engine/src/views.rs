//! Saved views: kept per tenant, seen by all of it, changed by their owner.

use crate::caller::Caller;
use crate::engine::Engine;
use crate::error::Error;
use crate::page;
use stella_contract::error::Code;
use stella_contract::filter::Filter;
use stella_contract::ids::{Tenant, ViewId};
use stella_contract::page::{Page, PageQuery};
use stella_contract::saved_view::{
    NAME_MAX, QUERY_MAX, SaveView, SavedView, UpdateView, ViewFilter, ViewOrigin, ViewPage, system_views,
};
use stella_contract::scope::Scope;
use stella_contract::time::Micros;
use stella_ledger::saved_views::{self, SavedViewRow};
use stella_ledger::{LedgerError, Tx};

/// The saved views.
#[derive(Clone)]
pub struct Views {
    engine: Engine,
}

impl Engine {
    /// The saved views.
    pub fn views(&self) -> Views {
        Views { engine: self.clone() }
    }
}

impl Views {
    /// Those of the product on the first page, then those of the tenant, by page and name.
    pub async fn list(
        &self,
        caller: &Caller,
        filter: &ViewFilter,
        query: &PageQuery,
    ) -> Result<Page<SavedView>, Error> {
        caller.demand(Scope::OrchRead)?;
        let key = (&caller.tenant, filter);
        let after = page::after::<_, (String, String)>(&key, query)?;
        let is_first = after.is_none();
        let (tenant, of, limit) = (caller.tenant.clone(), filter.page, i64::from(query.size()) + 1);
        let read = self.engine.ledger().read::<_, LedgerError, _>(move |tx| {
            let of = of.map(ViewPage::as_str);
            Box::pin(async move { saved_views::list(tx, tenant.as_str(), of, after, limit).await })
        });
        let place = |row: &SavedViewRow| (row.page.clone(), row.name.clone());
        let page = page::of(&key, query, read.await?, None, place)?;
        let own = page.items.into_iter().map(view).collect::<Result<Vec<_>, _>>()?;
        let of_product = system_views()
            .into_iter()
            .filter(|view| is_first && filter.page.is_none_or(|page| page == view.page));
        Ok(Page {
            items: of_product.chain(own).collect(),
            next_page_token: page.next_page_token,
            total_estimate: page.total_estimate,
        })
    }

    /// Saves a view under a new name.
    pub async fn save(&self, caller: &Caller, wish: SaveView) -> Result<SavedView, Error> {
        caller.demand_write(Scope::OrchRead)?;
        let name = sound_name(&wish.name)?;
        demand_free_of_product(wish.page, &name)?;
        demand_sound_query(wish.page, &wish.query)?;
        let now = self.engine.now();
        let row = SavedViewRow {
            view_id: ViewId::from_uuid(&self.engine.uuid(now)).as_str().to_owned(),
            tenant: caller.tenant.as_str().to_owned(),
            page: wish.page.as_str().to_owned(),
            name,
            query: wish.query,
            owner: caller.subject.clone(),
            created_at: now.0,
            updated_at: now.0,
            version: 1,
        };
        let write = self.engine.ledger().write::<_, Error, _>(move |tx| {
            Box::pin(async move {
                saved_views::insert(tx, &row).await.map_err(|error| taken(error, &row.name))?;
                Ok(view(row)?)
            })
        });
        write.await
    }

    /// Gives a view another name or query.
    pub async fn update(&self, caller: &Caller, id: &ViewId, wish: UpdateView) -> Result<SavedView, Error> {
        caller.demand_write(Scope::OrchRead)?;
        refuse_product(id)?;
        let name = wish.name.as_deref().map(sound_name).transpose()?;
        let (caller, id, now) = (caller.clone(), id.clone(), self.engine.now());
        let write = self.engine.ledger().write::<_, Error, _>(move |tx| {
            Box::pin(async move {
                let mut row = owned(tx, &caller, &id).await?;
                let page: ViewPage = view(row.clone())?.page;
                if row.version != wish.version {
                    return Err(changed_meanwhile(&row));
                }
                if let Some(name) = name {
                    demand_free_of_product(page, &name)?;
                    row.name = name;
                }
                if let Some(query) = wish.query {
                    demand_sound_query(page, &query)?;
                    row.query = query;
                }
                row.updated_at = now.0;
                if !saved_views::update(tx, &row).await.map_err(|error| taken(error, &row.name))? {
                    return Err(changed_meanwhile(&row));
                }
                row.version += 1;
                Ok(view(row)?)
            })
        });
        write.await
    }

    /// Forgets a view; answers what it was.
    pub async fn delete(&self, caller: &Caller, id: &ViewId) -> Result<SavedView, Error> {
        caller.demand_write(Scope::OrchRead)?;
        refuse_product(id)?;
        let (caller, id) = (caller.clone(), id.clone());
        let write = self.engine.ledger().write::<_, Error, _>(move |tx| {
            Box::pin(async move {
                let row = owned(tx, &caller, &id).await?;
                saved_views::remove(tx, &row.view_id).await?;
                Ok(view(row)?)
            })
        });
        write.await
    }
}

/// The view when the caller may change it: its owner, or who may steer what others started.
async fn owned(tx: &mut Tx, caller: &Caller, id: &ViewId) -> Result<SavedViewRow, Error> {
    let tenant: &Tenant = &caller.tenant;
    let found = saved_views::get(tx, tenant.as_str(), id.as_str()).await?;
    let row = found.ok_or_else(|| Error::not_found("view", id))?;
    if row.owner != caller.subject {
        caller.demand(Scope::OrchOperate)?;
    }
    Ok(row)
}

fn refuse_product(id: &ViewId) -> Result<(), Error> {
    match system_views().into_iter().find(|view| view.view_id == *id) {
        None => Ok(()),
        Some(view) => Err(Error::new(
            Code::Conflict,
            format!("`{}` comes with the product and stays as it is. Save it under another name.", view.name),
        )),
    }
}

fn demand_free_of_product(page: ViewPage, name: &str) -> Result<(), Error> {
    let is_taken = system_views().iter().any(|view| view.page == page && view.name == name);
    if is_taken { Err(name_taken(name)) } else { Ok(()) }
}

fn sound_name(name: &str) -> Result<String, Error> {
    let name = name.trim();
    let letters = name.chars().count();
    if letters == 0 || letters > NAME_MAX || name.chars().any(char::is_control) {
        return Err(Error::invalid("name", format!("1 to {NAME_MAX} characters are a name")));
    }
    Ok(name.to_owned())
}

/// A query is what stands behind the `?` of an address; a filter of jobs in it must be readable.
fn demand_sound_query(page: ViewPage, query: &str) -> Result<(), Error> {
    if query.len() > QUERY_MAX || query.starts_with('?') || query.chars().any(char::is_control) {
        let why = format!("at most {QUERY_MAX} bytes of an address, without the `?`");
        return Err(Error::invalid("query", why));
    }
    if page == ViewPage::Jobs {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        for (_, value) in pairs.filter(|(name, _)| *name == "filter") {
            stella_contract::route::decode(&value.replace('+', " ")).parse::<Filter>()?;
        }
    }
    Ok(())
}

fn taken(error: LedgerError, name: &str) -> Error {
    match error {
        LedgerError::Unique(_) => name_taken(name),
        other => other.into(),
    }
}

fn name_taken(name: &str) -> Error {
    Error::new(Code::Conflict, format!("A view `{name}` is there already on this page. Choose another name."))
}

fn changed_meanwhile(row: &SavedViewRow) -> Error {
    let sentence = format!("The view `{}` changed since it was read. Read it again.", row.name);
    Error::new(Code::VersionMismatch, sentence)
}

fn view(row: SavedViewRow) -> Result<SavedView, LedgerError> {
    let corrupt = |column| LedgerError::corrupt("saved_views", column, &row.view_id);
    Ok(SavedView {
        view_id: row.view_id.parse().map_err(|_| corrupt("view_id"))?,
        page: row.page.parse().map_err(|_| corrupt("page"))?,
        name: row.name,
        query: row.query,
        origin: ViewOrigin::Operator,
        owner: Some(row.owner),
        updated_at: Some(Micros(row.updated_at)),
        version: row.version,
    })
}
