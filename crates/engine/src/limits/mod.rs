//! The rules of the limits, pure: the same state and time give the same answer. Who asks them is the gate, what feeds
//! them is `feedback`, what keeps their times is the task `limit_keeper`.

pub(crate) mod bucket;
pub(crate) mod hour;
pub(crate) mod levels;
pub(crate) mod pool;
pub(crate) mod spans;
pub(crate) mod window;

use sha2::{Digest, Sha256};

/// A UUID that follows from what it names and when, for things that a transaction makes by itself.
pub(crate) fn uuid_of(parts: &[&str], at: i64) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
        hasher.update([0]);
    }
    hasher.update(at.to_be_bytes());
    let mut bytes = [0_u8; 16];
    bytes.copy_from_slice(&hasher.finalize()[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid().to_string()
}

/// The host of a source's location, with its port when it has one of its own; `None` for files and folders.
pub(crate) fn host_of(location: &str) -> Option<String> {
    let url: url::Url = location.parse().ok()?;
    if !matches!(url.scheme(), "http" | "https") {
        return None;
    }
    let host = url.host_str()?.to_ascii_lowercase();
    Some(url.port().map_or_else(|| host.clone(), |port| format!("{host}:{port}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_have_a_host() {
        for (location, host) in [
            ("https://API.example/v1?key=x", Some("api.example")),
            ("http://127.0.0.1:8080/a", Some("127.0.0.1:8080")),
            ("https://a.example:443/", Some("a.example")),
            ("/srv/feeds", None),
            ("file:///srv/feeds", None),
        ] {
            assert_eq!(host_of(location).as_deref(), host, "{location}");
        }
    }

    #[test]
    fn an_id_follows_from_what_it_names() {
        assert_eq!(uuid_of(&["a", "b"], 1), uuid_of(&["a", "b"], 1));
        assert_ne!(uuid_of(&["a", "b"], 1), uuid_of(&["ab", ""], 1));
        assert_ne!(uuid_of(&["a", "b"], 1), uuid_of(&["a", "b"], 2));
    }
}
