//! J and K beside an open run: they go from run to run. Without one, the table has these keys.

use crate::kit::{Sheet, use_keys};
use stella_contract::ids::RunId;
use stella_contract::run::Run;
use yew::prelude::*;

/// What [`Steps`] take. They are heard while mounted.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct StepsProps {
    /// The rows of the list.
    pub rows: Sheet<Run>,
    /// The run that is open.
    pub current: RunId,
    /// Told the run to open.
    pub on_step: Callback<RunId>,
}

/// Waits for the table, since the newest listener is asked first.
#[component]
pub(super) fn Steps(props: &StepsProps) -> Html {
    let ready = use_state_eq(|| false);
    {
        let ready = ready.setter();
        use_effect_with((), move |()| ready.set(true));
    }
    html! { if *ready { <Heard ..props.clone() /> } }
}

#[component]
fn Heard(props: &StepsProps) -> Html {
    let props = props.clone();
    use_keys(move |key| {
        let step = match (key.name.as_str(), key.ctrl) {
            ("j" | "J", false) => 1,
            ("k" | "K", false) => -1,
            _ => return false,
        };
        if let Some(next) = neighbour(&props.rows, &props.current, step) {
            props.on_step.emit(next);
        }
        true
    });
    Html::default()
}

/// The run before or after one of the rows.
fn neighbour(rows: &Sheet<Run>, current: &RunId, step: isize) -> Option<RunId> {
    let at = rows.iter().position(|run| run.run_id == *current);
    let next = at.map_or(Some(0), |at| at.checked_add_signed(step))?;
    rows.get(next).map(|run| run.run_id.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::runs::table::tests::run;

    #[test]
    fn neighbours_end_at_the_ends_of_the_list() {
        let ids =
            ["9c1f04ab", "03be7d51", "f81a2c90"].map(|nonce| format!("run:acme:20261121T140815Z:{nonce}"));
        let rows = Sheet::default()
            .with_page(ids.iter().map(|id| run(serde_json::json!({ "runId": id }))).collect());
        let id = |at: usize| ids[at].parse::<RunId>().unwrap();
        assert_eq!(neighbour(&rows, &id(0), 1), Some(id(1)));
        assert_eq!(neighbour(&rows, &id(0), -1), None);
        assert_eq!(neighbour(&rows, &id(2), 1), None);
        let gone: RunId = "run:acme:20261121T140815Z:00000000".parse().unwrap();
        assert_eq!(neighbour(&rows, &gone, 1), Some(id(0)), "a run that left the list leads to its top");
    }
}
