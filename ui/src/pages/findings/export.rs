//! The findings of the list as a file for sheets.

use super::filter::export_command;
use crate::kit::{Button, Shape, save_file};
use crate::parts::CliTwin;
use crate::store::{use_api, use_session, use_toasts};
use stella_contract::finding::FindingFilter;
use stella_contract::scope::Scope;
use yew::prelude::*;

/// What an [`ExportButton`] takes.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct ExportProps {
    /// Which findings.
    pub filter: FindingFilter,
}

/// Saves the findings that match as CSV.
#[component]
pub(super) fn ExportButton(props: &ExportProps) -> Html {
    let (api, toasts, session) = (use_api(), use_toasts(), use_session());
    let busy = use_state_eq(|| false);
    let on_click = {
        let (filter, busy) = (props.filter.clone(), busy.clone());
        let tenant = session.tenant.as_ref().map(|tenant| tenant.to_string()).unwrap_or_default();
        Callback::from(move |()| {
            if *busy {
                return;
            }
            let (api, toasts, filter, busy, name) =
                (api.clone(), toasts.clone(), filter.clone(), busy.clone(), file_name(&tenant, &filter));
            busy.set(true);
            wasm_bindgen_futures::spawn_local(async move {
                match api.export_findings(&filter).await {
                    Ok(text) => {
                        save_file(&name, &text);
                        let words =
                            export_command(&filter).into_iter().map(AttrValue::from).collect::<Vec<_>>();
                        toasts.done(format!("Saved {name}"), html! { <CliTwin {words} /> });
                    }
                    Err(problem) => toasts.refused("The findings were not exported", &problem),
                }
                busy.set(false);
            });
        })
    };
    let refused = session.refusal(Scope::DownloadsRead).map(AttrValue::from);
    html! {
        <Button small={true} icon={Shape::Download} busy={*busy} disabled={refused} {on_click}>{ "Export CSV" }</Button>
    }
}

fn file_name(tenant: &str, filter: &FindingFilter) -> String {
    match &filter.run {
        Some(run) => format!("findings-{}.csv", run.as_str().replace(':', "-")),
        None => format!("findings-{tenant}-latest.csv"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_says_which_run_it_is_of() {
        let run = "run:acme:20261121T140815Z:9c1f04ab".parse().ok();
        let filter = FindingFilter { run, ..FindingFilter::default() };
        assert_eq!(file_name("acme", &filter), "findings-run-acme-20261121T140815Z-9c1f04ab.csv");
        assert_eq!(file_name("acme", &FindingFilter::default()), "findings-acme-latest.csv");
    }
}
