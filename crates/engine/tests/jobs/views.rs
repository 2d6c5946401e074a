//! Saved views.

use crate::support::World;
use stella_contract::error::Code;
use stella_contract::page::PageQuery;
use stella_contract::saved_view::{
    SaveView, SavedView, UpdateView, ViewFilter, ViewOrigin, ViewPage, system_views,
};
use stella_contract::scope::Scope;
use stella_engine::Caller;

fn wish(name: &str) -> SaveView {
    SaveView { page: ViewPage::Jobs, name: name.to_owned(), query: "filter=state:failed".to_owned() }
}

fn all() -> PageQuery {
    PageQuery { page_token: None, page_size: Some(500) }
}

async fn names(world: &World, caller: &Caller) -> Vec<String> {
    let filter = ViewFilter { page: Some(ViewPage::Jobs) };
    let views = world.engine.views().list(caller, &filter, &all()).await.unwrap().items;
    let own = views.into_iter().filter(|view: &SavedView| view.origin == ViewOrigin::Operator);
    own.map(|view| view.name).collect()
}

pub(crate) async fn a_view_is_seen_by_its_tenant_and_by_no_other(world: World) {
    let views = world.engine.views();
    let saved = views.save(&world.caller, wish("Mine")).await.unwrap();
    assert_eq!((saved.owner.as_deref(), saved.version), (Some("ada"), 1));
    let colleague = Caller::local("acme".parse().unwrap(), "ben");
    assert_eq!(names(&world, &colleague).await, ["Mine"]);
    let stranger = Caller::local("other".parse().unwrap(), "eve");
    assert_eq!(names(&world, &stranger).await, Vec::<String>::new());
    let error = views.delete(&stranger, &saved.view_id).await.unwrap_err();
    assert_eq!(error.code, Code::NotFound);
}

pub(crate) async fn those_of_the_product_come_first_and_stay_as_they_are(world: World) {
    let views = world.engine.views();
    views.save(&world.caller, wish("A view")).await.unwrap();
    let listed = views.list(&world.caller, &ViewFilter::default(), &all()).await.unwrap().items;
    let of_product = system_views();
    assert_eq!(listed[..of_product.len()], of_product);
    let id = &of_product[0].view_id;
    assert_eq!(views.delete(&world.caller, id).await.unwrap_err().code, Code::Conflict);
    let other = UpdateView { version: 1, name: Some("x".to_owned()), query: None };
    assert_eq!(views.update(&world.caller, id, other).await.unwrap_err().code, Code::Conflict);
    let same = wish(&of_product[0].name);
    assert_eq!(views.save(&world.caller, same).await.unwrap_err().code, Code::Conflict);
    for view in of_product {
        let wanted = SaveView { page: view.page, name: format!("{}, mine", view.name), query: view.query };
        views.save(&world.caller, wanted).await.unwrap();
    }
}

pub(crate) async fn a_view_is_changed_by_its_owner_at_the_version_that_was_read(world: World) {
    let views = world.engine.views();
    let saved = views.save(&world.caller, wish("Mine")).await.unwrap();
    let mut colleague = Caller::local("acme".parse().unwrap(), "ben");
    colleague.scopes.remove(&Scope::OrchOperate);
    let rename = |version| UpdateView { version, name: Some("Ours".to_owned()), query: None };
    let id = &saved.view_id;
    assert_eq!(views.update(&colleague, id, rename(1)).await.unwrap_err().code, Code::ScopeMissing);
    assert_eq!(views.delete(&colleague, id).await.unwrap_err().code, Code::ScopeMissing);
    let renamed = views.update(&world.caller, id, rename(1)).await.unwrap();
    assert_eq!((renamed.name.as_str(), renamed.version), ("Ours", 2));
    assert_eq!(renamed.query, saved.query);
    let error = views.update(&world.caller, id, rename(1)).await.unwrap_err();
    assert_eq!(error.code, Code::VersionMismatch);
    views.delete(&world.caller, id).await.unwrap();
    assert_eq!(views.delete(&world.caller, id).await.unwrap_err().code, Code::NotFound);
}

pub(crate) async fn what_cannot_be_a_view_is_refused(world: World) {
    let views = world.engine.views();
    views.save(&world.caller, wish("Mine")).await.unwrap();
    let with = |name: &str, query: &str| SaveView { query: query.to_owned(), ..wish(name) };
    for (wish, code) in [
        (wish("Mine"), Code::Conflict),
        (wish(" "), Code::Invalid),
        (wish(&"x".repeat(81)), Code::Invalid),
        (with("a", "?filter="), Code::Invalid),
        (with("a", &"x".repeat(4_001)), Code::Invalid),
        (with("a", "filter=state%3Aasleep"), Code::FilterInvalid),
    ] {
        assert_eq!(views.save(&world.caller, wish).await.unwrap_err().code, code);
    }
    let reader = Caller { read_only: true, ..world.caller.clone() };
    assert_eq!(views.save(&reader, wish("b")).await.unwrap_err().code, Code::ReadOnly);
}
