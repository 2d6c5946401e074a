//! A ledger with very many jobs, submitted as any client would, over several connections.

use stella_contract::ids::Tenant;
use stella_contract::job::SubmitJob;
use stella_contract::session::OpenSession;
use stella_sdk::{Client, Write};

use crate::served::Served;

/// Signs in with the printed one-time token.
pub async fn signed_in(served: &Served) -> Client {
    rustls::crypto::ring::default_provider().install_default().ok();
    let tenant: Tenant = "default".parse().unwrap();
    let guest = Client::new(&served.base, None, tenant.clone()).unwrap();
    let one_time_token = served.one_time_token().to_owned();
    let opened = guest.core().open_session(&OpenSession { one_time_token }).await.unwrap();
    Client::new(&served.base, Some(&opened.token), tenant).unwrap()
}

/// A job that no worker of ours takes.
pub fn wish(number: usize) -> SubmitJob {
    let wish = serde_json::json!({"jobType": "demo.waiting", "payload": {"number": number}});
    serde_json::from_value(wish).unwrap()
}

/// Submits so many jobs over so many connections.
pub async fn submit(client: &Client, count: usize, connections: usize) {
    let work = (0..connections).map(|first| {
        let client = client.clone();
        tokio::spawn(async move {
            for number in (first..count).step_by(connections) {
                client.jobs().submit(&wish(number), &Write::because("a long list")).await.unwrap();
            }
        })
    });
    for one in work.collect::<Vec<_>>() {
        one.await.unwrap();
    }
}
