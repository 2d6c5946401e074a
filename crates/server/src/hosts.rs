//! Which names this server answers to. A page of a foreign site can point its own name at 127.0.0.1 and then speak to
//! us as its own origin (DNS rebinding); it cannot choose the `Host` header, so that is where it is turned away. Nor can
//! it choose the `Origin` header, which tells a page of another site from ours.

use crate::refusal::Refusal;
use http::{HeaderMap, StatusCode, Uri, header};
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

/// Marks a request that came over a socket; one without the mark comes from inside the process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FromSocket {
    /// Whether only programs of this machine can reach the socket.
    pub(crate) is_near: bool,
}

impl Hosts {
    /// Refuses a request that names another host than ours, or that a page of another origin sent.
    pub(crate) fn check(
        &self,
        headers: &HeaderMap,
        uri: &Uri,
        socket: Option<FromSocket>,
    ) -> Result<(), Refusal> {
        let mut named = headers.get_all(header::HOST).iter();
        let (host, another) = (named.next(), named.next());
        let host = host.map(|value| value.to_str().unwrap_or(""));
        let is_ours = |said: &str| {
            let name = without_port(said);
            is_loopback(name) || self.names(name)
        };
        // A whole address in the request line names a host too, and the stricter of the two counts.
        let sound = another.is_none()
            && host.map_or(socket.is_none(), is_ours)
            && uri.authority().is_none_or(|authority| is_ours(authority.as_str()));
        if !sound {
            let sentence = "This server does not answer to the host name of the request. Call it by a loopback \
                address, or start it with that name allowed.";
            let refusal = Refusal::new(Code::BadRequest, sentence).because(format!("host header {host:?}"));
            return Err(Refusal { status: StatusCode::MISDIRECTED_REQUEST, ..refusal });
        }
        let origins: Vec<&str> =
            headers.get_all(header::ORIGIN).iter().map(|value| value.to_str().unwrap_or("")).collect();
        let is_own = |origin: &str| {
            let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
            authority.is_some() && authority.zip(host).is_some_and(|(one, two)| one.eq_ignore_ascii_case(two))
        };
        if !origins.iter().all(|origin| is_own(origin)) {
            let sentence =
                "A page of another origin sent this request. Only pages of this server may call it.";
            let refusal = Refusal::new(Code::BadRequest, sentence).because(format!("origin {origins:?}"));
            return Err(Refusal { status: StatusCode::FORBIDDEN, ..refusal });
        }
        Ok(())
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
        hosts.check(&headers, &Uri::from_static("/"), Some(FromSocket { is_near: true })).is_ok()
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

    #[test]
    fn only_our_own_host_and_origin_pass() {
        let uri = |text: &'static str| Uri::from_static(text);
        let pass = |hosts: &[&'static str], origins: &[&'static str], uri: Uri| {
            let mut headers = HeaderMap::new();
            for host in hosts {
                headers.append(header::HOST, HeaderValue::from_static(host));
            }
            for origin in origins {
                headers.append(header::ORIGIN, HeaderValue::from_static(origin));
            }
            Hosts::Loopback
                .check(&headers, &uri, Some(FromSocket { is_near: true }))
                .map_err(|refusal| refusal.status.as_u16())
        };
        let ours = "127.0.0.1:8443";
        assert_eq!(pass(&[ours], &[], uri("/")), Ok(()));
        assert_eq!(pass(&[ours], &["http://127.0.0.1:8443"], uri("/")), Ok(()));
        assert_eq!(pass(&[ours], &[], uri("http://127.0.0.1:8443/")), Ok(()));
        for hosts in [&[][..], &[ours, ours], &[ours, "evil.example"], &["0.0.0.0"], &["127.0.0.1.nip.io"]] {
            assert_eq!(pass(hosts, &[], uri("/")), Err(421), "{hosts:?}");
        }
        assert_eq!(pass(&[ours], &[], uri("http://evil.example/")), Err(421));
        for origin in ["null", "", "http://evil.example", "http://127.0.0.1:9999", "file://127.0.0.1:8443"] {
            assert_eq!(pass(&[ours], &[origin], uri("/")), Err(403), "{origin}");
        }
        assert_eq!(pass(&[ours], &["http://127.0.0.1:8443", "null"], uri("/")), Err(403));
    }
}
