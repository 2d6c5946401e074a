//! Which names this server answers to. A page of a foreign site can point its own name at 127.0.0.1 and then speak to
//! us as its own origin (DNS rebinding); it cannot choose the `Host` header, so that is where it is turned away.

use crate::refusal::Refusal;
use http::{HeaderMap, Uri, header};
use std::net::IpAddr;
use stella_contract::error::Code;

/// The host names a server answers to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Hosts {
    /// `localhost`, names under `.localhost`, and loopback addresses.
    #[default]
    Loopback,
    /// Those, and these names or addresses, without a port.
    AlsoNamed(Vec<String>),
}

impl Hosts {
    /// Refuses a request that names another host; one that names none comes from inside the process.
    pub(crate) fn check(&self, headers: &HeaderMap, uri: &Uri) -> Result<(), Refusal> {
        let said = match headers.get(header::HOST) {
            Some(value) => value.to_str().unwrap_or("").to_owned(),
            None => uri.authority().map(ToString::to_string).unwrap_or_default(),
        };
        if said.is_empty() && !headers.contains_key(header::HOST) {
            return Ok(());
        }
        let host = without_port(&said);
        if is_loopback(host) || self.names(host) {
            return Ok(());
        }
        Err(Refusal::new(
            Code::BadRequest,
            "This server does not answer to the host name of the request. Call it by a loopback address, or start it with that name allowed.",
        )
        .because(format!("host header `{said}`")))
    }

    fn names(&self, host: &str) -> bool {
        match self {
            Self::Loopback => false,
            Self::AlsoNamed(names) => names.iter().any(|name| name.eq_ignore_ascii_case(host)),
        }
    }
}

fn without_port(said: &str) -> &str {
    if let Some(end) = said.strip_prefix('[').and_then(|rest| rest.find(']')) {
        return &said[1..=end];
    }
    said.split_once(':').map_or(said, |(host, _)| host)
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn is_let_in(hosts: &Hosts, host: &'static str) -> bool {
        let headers = HeaderMap::from_iter([(header::HOST, HeaderValue::from_static(host))]);
        hosts.check(&headers, &Uri::from_static("/")).is_ok()
    }

    #[test]
    fn only_loopback_names_are_let_in_unless_others_are_allowed() {
        for host in
            ["localhost", "LOCALHOST:8443", "127.0.0.1:80", "127.9.9.9", "[::1]:8443", "tauri.localhost"]
        {
            assert!(is_let_in(&Hosts::Loopback, host), "{host}");
        }
        let foreign = [
            "evil.example",
            "127.0.0.1.evil.example",
            "localhost.evil.example:80",
            "10.0.0.1",
            "[::2]",
            "",
            "[::1",
        ];
        for host in foreign {
            assert!(!is_let_in(&Hosts::Loopback, host), "{host}");
        }
        let named = Hosts::AlsoNamed(vec!["stella.internal".to_owned()]);
        assert!(is_let_in(&named, "Stella.Internal:8443"));
        assert!(!is_let_in(&named, "evil.example"));
    }
}
