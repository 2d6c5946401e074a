//! Paths of the form `{id}:verb`. The id may hold colons itself (run ids do), so the verb is what stands after the
//! last one; the router underneath knows only whole segments, so such a path is turned into `{id}/~verb` before it.

use stella_contract::api::{ENDPOINTS, Endpoint};

/// The path as the inner router knows it; `None` when nothing must be turned. The method does not matter, so that a
/// wrong one is told which is right.
pub(crate) fn turn(path: &str) -> Option<String> {
    ENDPOINTS.iter().find_map(|endpoint| {
        let (prefix, verb) = split(endpoint)?;
        let id = path.strip_prefix(prefix)?.strip_suffix(verb)?.strip_suffix(':')?;
        (!id.is_empty() && !id.contains('/')).then(|| format!("{prefix}{id}/~{verb}"))
    })
}

/// The path under which the inner router knows an endpoint.
pub(crate) fn inner_path(endpoint: &Endpoint) -> String {
    match split(endpoint) {
        Some((prefix, verb)) => format!("{prefix}{{id}}/~{verb}"),
        None => endpoint.path.to_owned(),
    }
}

/// Whether a client spells the inner form, which is nobody's business but ours.
pub(crate) fn is_inner_form(path: &str) -> bool {
    path.contains("/~") || path.contains("/%7E") || path.contains("/%7e")
}

fn split(endpoint: &Endpoint) -> Option<(&'static str, &'static str)> {
    endpoint.path.split_once("{id}:")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verb_is_what_stands_after_the_last_colon() {
        let run = "/api/v1/runs/run:acme:20261121T140815Z:9c1f04ab";
        let turned = turn(&format!("{run}:cancel"));
        assert_eq!(turned.as_deref(), Some("/api/v1/runs/run:acme:20261121T140815Z:9c1f04ab/~cancel"));
        for path in [
            run.to_owned(),
            format!("{run}:explode"),
            "/api/v1/runs:preview".to_owned(),
            "/api/v1/runs/:cancel".to_owned(),
            "/api/v1/runs/a/b:cancel".to_owned(),
        ] {
            assert_eq!(turn(&path), None, "{path}");
        }
    }
}
