//! The way to the core: over TCP to a server, or to the same router in this process over the local ledger.

use crate::arguments::Everywhere;
use crate::failure::Failure;
use crate::place::Place;
use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use futures::StreamExt as _;
use http::{Request, Response};
use std::fmt;
use std::net::IpAddr;
use std::path::absolute;
use std::sync::{Arc, Mutex, PoisonError};
use stella_contract::error::Code;
use stella_contract::ids::Tenant;
use stella_engine::{Engine, FetchLimits, Options, Running, SystemChance, SystemClock};
use stella_sdk::{ByteStream, Client, Error, Fault, Transport};
use stella_server::{Auth, LocalOperator};
use tower::ServiceExt as _;
use url::Url;

/// Whether this process works on jobs while its door is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Labour {
    /// It only asks.
    Resting,
    /// It claims jobs and does them.
    Working,
}

/// An open way to the core.
pub(crate) struct Door {
    pub(crate) client: Client,
    local: Option<Local>,
    sealed: bool,
}

struct Local {
    engine: Engine,
    running: Mutex<Option<Running>>,
    labour: Labour,
}

impl Door {
    /// Opens the server that is named, or else the local ledger.
    pub(crate) async fn open(everywhere: &Everywhere, labour: Labour) -> Result<Self, Failure> {
        let (token, tenant) = (everywhere.token.as_deref(), everywhere.tenant.clone());
        if let Some(server) = &everywhere.server {
            if everywhere.sealed && !is_loopback(server) {
                return Err(sealed(&format!("the server {server}")));
            }
            let client = Client::new(server, token, tenant)?;
            return Ok(Self { client, local: None, sealed: everywhere.sealed });
        }
        let engine = open_ledger(everywhere).await?;
        let router =
            stella_server::Door::new(engine.clone(), Auth::Local(LocalOperator::new(operator()))).router();
        let client = Client::over(Arc::new(InProcess(router)), None, tenant);
        let running = match labour {
            Labour::Resting => None,
            Labour::Working => Some(engine.start()),
        };
        let local = Local { engine, running: Mutex::new(running), labour };
        Ok(Self { client, local: Some(local), sealed: everywhere.sealed })
    }

    /// Hands back what was begun and closes the ledger.
    pub(crate) async fn close(&self) {
        let Some(local) = &self.local else { return };
        let running = local.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(running) = running {
            running.stop().await;
        }
        local.engine.close().await;
    }

    /// Work that was handed in to a ledger on which nobody works would seem to hang: say who will do it.
    pub(crate) fn explain_pending(&self) {
        if self.local.as_ref().is_some_and(|local| local.labour == Labour::Resting) {
            eprintln!(
                "Nobody works on this ledger now. It is done by the next command with --wait, by `stella serve` or by the window."
            );
        }
    }

    /// A place as the core must be told it: a path of ours is relative to where we stand, not to where the core runs.
    pub(crate) fn location(&self, named: &str) -> Result<String, Failure> {
        if self.local.is_none() || is_remote(named) {
            return Ok(named.to_owned());
        }
        let whole = std::fs::canonicalize(named).or_else(|_| absolute(named));
        let whole = whole.map_err(Failure::file(format!("{named} is no path")))?;
        Ok(whole.to_string_lossy().into_owned())
    }

    /// Refuses a place in the network while sealed.
    pub(crate) fn demand_reachable(&self, location: &str) -> Result<(), Failure> {
        if self.sealed && is_remote(location) {
            return Err(sealed(&format!("the source at {location}")));
        }
        Ok(())
    }
}

/// Opens the engine on the local ledger.
pub(crate) async fn open_ledger(everywhere: &Everywhere) -> Result<Engine, Failure> {
    let place = Place::of(everywhere)?;
    place.prepare()?;
    let options = Options {
        place: place.ledger.clone(),
        blobs: place.blobs.clone(),
        tenants: tenants(&everywhere.tenant),
        clock: Arc::new(SystemClock),
        chance: Arc::new(SystemChance::default()),
        workers: std::thread::available_parallelism().map_or(1, usize::from),
    };
    let engine = Engine::open(options).await.map_err(|error| {
        let mut problem = error.problem("");
        problem.message = format!("The ledger {} cannot be opened. {}", place.shown(), problem.message);
        Failure::Sdk(Error::Problem(Box::new(problem)))
    })?;
    // Jobs that waited in the ledger are done here too, so that the seal must hold for them as well.
    engine.limit_fetches(FetchLimits { sealed: everywhere.sealed, ..FetchLimits::default() });
    Ok(engine)
}

/// The tenants an engine of ours knows.
fn tenants(named: &Tenant) -> Vec<Tenant> {
    vec![named.clone()]
}

/// The name of the OS user.
pub(crate) fn operator() -> String {
    let named = ["USER", "LOGNAME", "USERNAME"].iter().find_map(|name| std::env::var(name).ok());
    named.filter(|name| !name.is_empty()).unwrap_or_else(|| "operator".to_owned())
}

fn sealed(what: &str) -> Failure {
    Failure::refusal(Code::SealedMode, format!("This command is sealed and does not go to {what}."))
}

fn is_remote(location: &str) -> bool {
    location.starts_with("http://") || location.starts_with("https://")
}

fn is_loopback(server: &str) -> bool {
    let Ok(url) = server.parse::<Url>() else { return false };
    let Some(host) = url.host_str() else { return false };
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// The router as a transport: no port is open, and nothing is different.
struct InProcess(Router);

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InProcess")
    }
}

#[async_trait]
impl Transport for InProcess {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<ByteStream>, Error> {
        let answer = match self.0.clone().oneshot(request.map(Body::from)).await {
            Ok(answer) => answer,
            Err(never) => match never {},
        };
        Ok(answer.map(|body| {
            let broke =
                |error: axum::Error| Error::Transport { fault: Fault::Broken, what: error.to_string() };
            body.into_data_stream().map(move |piece| piece.map_err(broke)).boxed()
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_reached_while_sealed() {
        for server in ["http://127.0.0.1:80", "http://localhost:8443", "https://[::1]:1"] {
            assert!(is_loopback(server), "{server}");
        }
        for server in
            ["https://stella.example", "http://10.0.0.1", "http://127.0.0.1.evil.example", "nonsense"]
        {
            assert!(!is_loopback(server), "{server}");
        }
    }
}
