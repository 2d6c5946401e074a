//! What a job works on and what it left: payload with secrets redacted, result, artifacts.

use crate::kit::CopyId;
use crate::kit::format::{bytes, count, short_digest};
use crate::parts::ArtifactTable;
use stella_contract::job::JobDetail;
use yew::prelude::*;

/// Payload and artifacts side by side.
pub(super) fn inputs(detail: &JobDetail) -> Html {
    let job = &detail.job;
    let pretty = |value: &serde_json::Value| serde_json::to_string_pretty(value).unwrap_or_default();
    let payload = pretty(&detail.payload);
    html! {
        <div class="split halves">
            <section class="sec" aria-label="Payload">
                <div class="sec-h"><h2>{ "Payload" }</h2>
                    <span class="note mono" title={job.payload_digest.clone()}>{ short_digest(&job.payload_digest) }</span>
                    <span class="note nw">{ format!("{}, redacted view", bytes(job.payload_size)) }</span>
                    <span class="grow"></span><CopyId text={payload.clone()} shown="" />
                </div>
                <pre class="code json" tabindex="0">{ numbered(&payload) }</pre>
                if let Some(result) = &detail.result {
                    <div class="sec-h after"><h2>{ "Result" }</h2></div>
                    <pre class="code json" tabindex="0">{ numbered(&pretty(result)) }</pre>
                }
            </section>
            <section class="sec" aria-label="Artifacts">
                <div class="sec-h"><h2>{ "Artifacts" }</h2><span class="note">{ count(detail.artifacts.len() as i64) }</span></div>
                if detail.artifacts.is_empty() {
                    <p class="f3 sm">{ if job.state.is_final() { "It left none." } else { "None so far." } }</p>
                } else {
                    <ArtifactTable artifacts={detail.artifacts.clone()} />
                }
                <p class="f3 sm row after">{ match &job.outputs_hash {
                    Some(hash) => html! { <>{ "Outputs hash" }<CopyId text={hash.clone()} shown={short_digest(hash)} /></> },
                    None => html! { "The outputs hash is set when the job succeeds." },
                } }</p>
            </section>
        </div>
    }
}

/// The lines with their numbers, keys in strong ink.
fn numbered(json: &str) -> Html {
    html! { <>{ for json.lines().enumerate().map(|(at, line)| {
        let (key, rest) = key_of(line);
        html! { <span key={at} class="code-line"><span class="ln">{ format!("{:>3}  ", at + 1) }</span><span class="key">{ key }</span>{ rest }{ "\n" }</span> }
    }) }</> }
}

/// `  "key"` and the rest of a line; no key where it holds none.
fn key_of(line: &str) -> (&str, &str) {
    let begins = line.trim_start().starts_with('"');
    match line.find("\": ").filter(|_| begins) {
        Some(at) => line.split_at(at + 1),
        None => ("", line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_a_line_is_told_apart() {
        assert_eq!(key_of(r#"  "mode": "a: b","#), (r#"  "mode""#, r#": "a: b","#));
        assert_eq!(key_of(r#"  "only a value","#), ("", r#"  "only a value","#));
        assert_eq!(key_of("{"), ("", "{"));
    }
}
