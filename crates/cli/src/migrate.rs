//! `stella migrate`: the ledger's schema, brought up to date. Opening does it; here nothing else is done.

use crate::arguments::Everywhere;
use crate::door;
use crate::failure::Failure;
use crate::output::Output;
use crate::place::Place;

pub(crate) async fn obey(everywhere: &Everywhere, output: &Output) -> Result<(), Failure> {
    if everywhere.server.is_some() {
        let what = "migrate works on the local ledger; leave out --server (or STELLA_SERVER).";
        return Err(Failure::Usage(what.to_owned()));
    }
    door::open_ledger(everywhere).await?.close().await;
    let place = Place::of(everywhere)?.shown();
    output.each(&serde_json::json!({ "ledger": place, "upToDate": true }), |_| {
        format!("The schema of {place} is up to date.")
    })
}
