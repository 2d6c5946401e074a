//! The buckets of hosts as they are now: made of what the host's sources say, filled up to this moment.

use crate::error::Error;
use crate::limits::bucket;
use stella_contract::time::Micros;
use stella_ledger::buckets::{self, BucketRow, MadeOf};
use stella_ledger::{Tx, sources};

/// The buckets of these hosts, each with its tenant. One that nobody has used yet is full.
pub(crate) async fn of(
    tx: &mut Tx,
    wanted: Vec<(String, String)>,
    now: Micros,
) -> Result<Vec<BucketRow>, Error> {
    let hosts: Vec<&str> = wanted.iter().map(|(_, host)| host.as_str()).collect();
    let mut rows = buckets::of_hosts(tx, &hosts).await?;
    let made = buckets::made_of(tx, &hosts).await?;
    let mut found = Vec::with_capacity(wanted.len());
    for (tenant, host) in wanted {
        let made = made.iter().find(|one| one.tenant == tenant && one.host == host);
        let mut row = match rows.iter().position(|row| row.tenant == tenant && row.host == host) {
            Some(at) => rows.swap_remove(at),
            None => new(&tenant, &host, made, now),
        };
        bucket::refill(&mut row, now);
        if let Some(made) = made {
            bucket::make_of(&mut row, made.capacity, made.rate);
        }
        found.push(row);
    }
    Ok(found)
}

/// What the sources of these hosts say was changed just now: up to now the buckets in use filled as before.
pub(crate) async fn settle(
    tx: &mut Tx,
    tenant: &str,
    hosts: &[&Option<String>],
    now: Micros,
) -> Result<(), Error> {
    let hosts: Vec<&str> = hosts.iter().filter_map(|host| host.as_deref()).collect();
    let in_use = buckets::of_hosts(tx, &hosts).await?;
    let in_use = in_use.into_iter().filter(|row| row.tenant == tenant).map(|row| (row.tenant, row.host));
    for row in of(tx, in_use.collect(), now).await? {
        buckets::put(tx, &row).await?;
    }
    Ok(())
}

fn new(tenant: &str, host: &str, made: Option<&MadeOf>, now: Micros) -> BucketRow {
    let row = bucket::new(tenant, host, now);
    let tokens = made.map_or(row.capacity, |made| made.capacity);
    BucketRow { tokens, capacity: tokens, ..row }
}

/// How many requests per second the far side of a source takes now; a source on this machine says so itself.
pub(crate) async fn rate_of(tx: &mut Tx, source: &sources::SourceRow, now: Micros) -> Result<f64, Error> {
    let Some(host) = source.host.clone() else { return Ok(source.bucket_rate) };
    let row = of(tx, vec![(source.tenant.clone(), host)], now).await?.pop();
    Ok(row.map_or(source.bucket_rate, |row| bucket::rate_at(&row, now.0).min(source.bucket_rate)))
}
