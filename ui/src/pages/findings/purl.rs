//! Package URLs in a column's width.

use stella_contract::route::decode;

/// `npm undici 5.28.3` for `pkg:npm/undici@5.28.3?arch=x64`; what tells it apart stays, the rest is in the title.
pub(crate) fn short(purl: &str) -> String {
    let Some(rest) = purl.strip_prefix("pkg:") else { return purl.to_owned() };
    let rest = rest.split(['?', '#']).next().unwrap_or(rest);
    let Some((kind, path)) = rest.split_once('/') else { return purl.to_owned() };
    // The version stands behind the last @ of the last part; a scope like @babel stands in front.
    let tail = path.rfind('/').map_or(0, |at| at + 1);
    let (name, version) = match path[tail..].rfind('@').filter(|at| *at > 0) {
        Some(at) => (&path[..tail + at], Some(&path[tail + at + 1..])),
        None => (path, None),
    };
    let shown = [Some(kind.to_owned()), Some(decode(name)), version.map(decode)];
    shown.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_purl_is_its_type_name_and_version() {
        for (purl, text) in [
            ("pkg:npm/undici@5.28.3", "npm undici 5.28.3"),
            ("pkg:npm/%40babel/core@7.0.0?arch=x64#lib", "npm @babel/core 7.0.0"),
            ("pkg:npm/@babel/core@7.0.0", "npm @babel/core 7.0.0"),
            ("pkg:npm/@scoped", "npm @scoped"),
            ("pkg:golang/github.com/a/b@v1.2.3", "golang github.com/a/b v1.2.3"),
            ("pkg:deb/debian/openssl@1.1.1n-0%2Bdeb11u5?arch=amd64", "deb debian/openssl 1.1.1n-0+deb11u5"),
            ("pkg:pypi/django", "pypi django"),
            ("odd", "odd"),
        ] {
            assert_eq!(short(purl), text);
        }
    }
}
