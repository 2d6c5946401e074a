//! `stella serve`: the pages and the interface on this machine, without a window.

use crate::arguments::{Everywhere, Format};
use crate::door;
use crate::failure::Failure;
use crate::output::Output;
use crate::place::Place;
use clap::Args;
use serde::Serialize;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use stella_engine::Engine;
use stella_sdk::Error;
use stella_server::{Assets, Auth, Hosts, RequestLimit};
use tokio::net::TcpListener;

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Where to listen: an address with its port, or a port of this machine; 0 is any that is free.
    #[arg(long, default_value = "127.0.0.1:0", value_parser = address, value_name = "ADDRESS")]
    listen: SocketAddr,
    /// The folder of the web build; looked for beside this program when absent.
    #[arg(long, value_name = "DIR")]
    assets: Option<PathBuf>,
    /// Print a one-time token even when others than this machine can reach the address.
    #[arg(long)]
    once_token: bool,
    /// Answer to this host name too; may be given again.
    #[arg(long = "host", value_name = "NAME")]
    hosts: Vec<String>,
    /// How many requests a second one token may make, and after a colon how many at once; twice as many when absent.
    #[arg(long, value_name = "PER-SECOND[:BURST]", value_parser = rate, default_value = "10000:20000")]
    rate_limit: RequestLimit,
}

/// Where it can be reached; `url` opens one session.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Serving {
    address: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    ledger: String,
}

impl Serve {
    pub(crate) async fn obey(&self, everywhere: &Everywhere) -> Result<(), Failure> {
        if everywhere.server.is_some() {
            let what = "serve works on the local ledger; leave out --server (or STELLA_SERVER).";
            return Err(Failure::Usage(what.to_owned()));
        }
        let assets = self.pages()?;
        let engine = door::open_ledger(everywhere).await?;
        let outcome = self.until_told(everywhere, &engine, assets).await;
        engine.close().await;
        outcome
    }

    async fn until_told(
        &self,
        everywhere: &Everywhere,
        engine: &Engine,
        assets: Option<Assets>,
    ) -> Result<(), Failure> {
        let listener = TcpListener::bind(self.listen)
            .await
            .map_err(Failure::file(format!("{} cannot be listened on", self.listen)))?;
        let address = listener.local_addr()?;
        let hosts = self.names(address);
        let door = stella_server::Door::new(engine.clone(), Auth::Bearer);
        let router = stella_server::Door { assets, hosts, limit: self.rate_limit, ..door }.router();
        let running = engine.start();
        self.tell(everywhere, engine, address).await?;
        let served = stella_server::serve(listener, router, told_to_end()).await;
        running.stop().await;
        Ok(served?)
    }

    /// Who listens for others is reached under the address it listens on, and under the names it is told.
    fn names(&self, address: SocketAddr) -> Hosts {
        let mut names = self.hosts.clone();
        if !address.ip().is_loopback() && !address.ip().is_unspecified() {
            names.push(address.ip().to_string());
        }
        if names.is_empty() { Hosts::Loopback } else { Hosts::AlsoNamed(names) }
    }

    async fn tell(
        &self,
        everywhere: &Everywhere,
        engine: &Engine,
        address: SocketAddr,
    ) -> Result<(), Failure> {
        let base = format!("http://{}", reachable(address));
        let open = address.ip().is_loopback() || self.once_token;
        let url = match open {
            true => {
                let secret = engine.sessions().one_time(&everywhere.tenant).await;
                let secret =
                    secret.map_err(|error| Failure::Sdk(Error::Problem(Box::new(error.problem("")))))?;
                Some(format!("{base}/?token={secret}"))
            }
            false => None,
        };
        let serving = Serving { address: base.clone(), url, ledger: Place::of(everywhere)?.shown() };
        let output = Output::new(everywhere);
        if everywhere.format == Format::Json {
            return output.ndjson(&serving);
        }
        let mut text = format!("Stella Operator serves {}\n\n", serving.ledger);
        match &serving.url {
            Some(url) => {
                text.push_str(&format!("  {url}\n\nThe address opens one session, once, within an hour."))
            }
            None => text.push_str(&format!(
                "  {base}\n\nOthers can reach it. Callers need a token: stella token create."
            )),
        }
        text.push_str(" Ctrl+C ends.\n");
        output.text(&text)
    }

    fn pages(&self) -> Result<Option<Assets>, Failure> {
        let Some(folder) = self.assets.clone().or_else(web_build) else {
            eprintln!(
                "There is no web build beside this program: only the interface is served. --assets DIR names one."
            );
            return Ok(None);
        };
        let what = format!("The web build in {} cannot be read", folder.display());
        Assets::folder(&folder).map(Some).map_err(Failure::file(what))
    }
}

/// A socket that listens everywhere is reached at this machine's own address.
fn reachable(address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        return SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), address.port());
    }
    address
}

/// Beside the program when installed, or in the workspace whose build the program is.
fn web_build() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let folder = program.parent()?;
    let installed = [folder.join("ui"), folder.join("../share/stella-operator/ui")];
    let built = folder.ancestors().take(4).map(|above| above.join("ui/dist"));
    installed.into_iter().chain(built).find(|place| holds_pages(place))
}

fn holds_pages(folder: &Path) -> bool {
    folder.join("index.html").is_file()
}

fn address(text: &str) -> Result<SocketAddr, String> {
    if let Ok(port) = text.parse::<u16>() {
        return Ok(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port));
    }
    text.parse().map_err(|_| "expected an address with its port, as in 127.0.0.1:8443, or a port".to_owned())
}

fn rate(text: &str) -> Result<RequestLimit, String> {
    const TWICE: NonZeroU32 = NonZeroU32::new(2).expect("it is not 0");
    let number = |part: &str| {
        part.parse::<NonZeroU32>()
            .map_err(|_| "expected requests per second, as in 200 or 200:1000, none of them 0".to_owned())
    };
    let (per_second, burst) = match text.split_once(':') {
        Some((per_second, burst)) => (number(per_second)?, number(burst)?),
        None => (number(text)?, number(text)?.saturating_mul(TWICE)),
    };
    Ok(RequestLimit { burst, per_second })
}

/// Ctrl+C, or what a service manager sends.
async fn told_to_end() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut ended) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = ended.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
    }
    // Without a handler the process simply ends when it is told to.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_alone_is_one_of_this_machine() {
        assert_eq!(address("8443").unwrap().to_string(), "127.0.0.1:8443");
        assert_eq!(address("[::1]:0").unwrap().to_string(), "[::1]:0");
        assert!(address("localhost:8443").is_err());
        assert_eq!(reachable(address("0.0.0.0:80").unwrap()).to_string(), "127.0.0.1:80");
    }

    #[test]
    fn a_rate_may_say_how_many_requests_come_at_once() {
        let both = |text: &str| rate(text).map(|limit| (limit.per_second.get(), limit.burst.get()));
        assert_eq!(both("200"), Ok((200, 400)));
        assert_eq!(both("200:1000"), Ok((200, 1_000)));
        assert_eq!(rate("10000:20000"), Ok(RequestLimit::default()));
        for wrong in ["", "0", "10:0", "10:", "fast"] {
            assert!(rate(wrong).is_err(), "{wrong}");
        }
    }
}
