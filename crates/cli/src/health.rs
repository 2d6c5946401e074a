//! `stella health`: whether the core answers.

use crate::door::Door;
use crate::failure::Failure;
use crate::output::Output;
use crate::table::Table;

pub(crate) async fn obey(door: &Door, output: &Output) -> Result<(), Failure> {
    let ready = door.client.core().ready().await?;
    output.show(&ready, |ready| {
        Table::of_one([
            ("ready", if ready.ready { "yes".to_owned() } else { "no".to_owned() }),
            ("waits for", ready.waiting_for.join(", ")),
        ])
    })?;
    if ready.ready {
        return Ok(());
    }
    let what = format!("The core is not ready; it waits for {}.", ready.waiting_for.join(", "));
    Err(Failure::Ended { what, next: None, exit: 1 })
}
