//! What a run would touch: asked for from a form, shown in it, and handed to the run.

use super::draft::Draft;
use crate::api::{Load, Problem};
use crate::clock;
use crate::kit::format::{count, duration};
use crate::kit::{Banner, Button, Countdown, Skeleton, Tone};
use crate::store::use_api;
use std::rc::Rc;
use stella_contract::preview::{NamedCount, Preview, PreviewRequest};
use yew::prelude::*;

/// Names that are listed.
const LISTED: usize = 8;

/// A preview, how far it is, and how to ask for one.
#[derive(Clone)]
pub(super) struct Impact {
    /// How far the answer is.
    pub load: Load<Rc<Preview>>,
    /// What it was asked for.
    asked: Option<PreviewRequest>,
    /// Asks.
    pub ask: Callback<PreviewRequest>,
}

impl Impact {
    /// The answer, while it is still to what the form says.
    pub(super) fn of(&self, draft: &Draft) -> Option<&Rc<Preview>> {
        let current = draft.request().ok().as_ref() == self.asked.as_ref();
        self.load.value().filter(|_| current && self.load.problem().is_none())
    }
    /// Why it was refused.
    pub(super) fn problem(&self) -> Option<&Problem> {
        self.load.problem()
    }
    /// Whether an answer is awaited.
    pub(super) fn is_asking(&self) -> bool {
        matches!(self.load, Load::Loading)
    }
}

/// Previews on demand; an answer to an older question is dropped.
#[hook]
pub(super) fn use_impact() -> Impact {
    let api = use_api();
    let state = use_state(|| (None::<PreviewRequest>, Load::<Rc<Preview>>::Idle));
    let newest = use_mut_ref(|| None::<PreviewRequest>);
    let ask = {
        let set = state.setter();
        Callback::from(move |request: PreviewRequest| {
            *newest.borrow_mut() = Some(request.clone());
            set.set((Some(request.clone()), Load::Loading));
            let (api, set, newest) = (api.clone(), set.clone(), newest.clone());
            wasm_bindgen_futures::spawn_local(async move {
                let answer = api.preview_run(&request).await.map(Rc::new);
                if newest.borrow().as_ref() == Some(&request) {
                    set.set((Some(request), Load::Loading.answered(answer, clock::now())));
                }
            });
        })
    };
    Impact { load: state.1.clone(), asked: state.0.clone(), ask }
}

/// The button and the answer below it.
pub(super) fn panel(impact: &Impact, draft: &Draft) -> Html {
    let request = draft.request();
    let missing = request.as_ref().err().map(|why| AttrValue::from(why.clone()));
    let on_click = {
        let (ask, request) = (impact.ask.clone(), request.ok());
        Callback::from(move |()| {
            if let Some(request) = &request {
                ask.emit(request.clone());
            }
        })
    };
    let body = match (impact.of(draft), impact.problem()) {
        _ if impact.is_asking() => html! { <Skeleton rows={3} /> },
        (_, Some(problem)) => html! {
            <Banner tone={Tone::Bad} fact={format!("{} ({})", problem.sentence(), problem.code())}>{ problem.next_step() }{ " What you typed is kept." }</Banner>
        },
        (Some(preview), None) => shown(preview),
        (None, None) if impact.load.value().is_some() => {
            html! { <p class="f3 sm">{ "The scope changed since the last preview." }</p> }
        }
        (None, None) => {
            html! { <p class="f3 sm">{ "Nothing is started by looking. The answer can be handed to a run for 15 minutes." }</p> }
        }
    };
    html! {
        <section class="impact col gap3" aria-label="Impact" aria-live="polite">
            <div class="row"><h2>{ "Impact" }</h2><span class="grow"></span>
                <Button small={true} busy={impact.is_asking()} disabled={missing} {on_click}>{ "Preview impact" }</Button></div>
            { body }
        </section>
    }
}

fn shown(preview: &Preview) -> Html {
    let warn = preview
        .warnings
        .iter()
        .map(|said| html! { <Banner key={said.clone()} tone={Tone::Warn} fact="Note.">{ said }</Banner> });
    html! {
        <>
            <div class="figs">
                <div class="fig"><div class="l">{ "Targets" }</div><div class="v">{ count(preview.impacted_images) }</div><div class="s">{ format!("in {} segments", count(preview.estimated_segments)) }</div></div>
                <div class="fig"><div class="l">{ "KEV keys" }</div><div class="v">{ count(preview.kev_hits) }</div><div class="s">{ "known exploited" }</div></div>
                <div class="fig"><div class="l">{ "Duration" }</div>
                    <div class="v">{ preview.estimated_duration_s.map_or_else(|| html! { <span class="f3">{ "not known" }</span> }, |s| html! { { duration(s * 1_000) } }) }</div>
                    <div class="s">{ "at the last runs' pace" }</div></div>
            </div>
            { for warn }
            <dl class="kv">
                <dt>{ "By namespace" }</dt><dd class="wrapping">{ names(&preview.by_namespace) }</dd>
                <dt>{ "Unknown keys" }</dt><dd class="wrapping">{ unknown(&preview.unknown_keys) }</dd>
                <dt>{ "Impact index" }</dt><dd>{ format!("generation {}{}", count(preview.index_generation), preview.index_age_s.map(|age| format!(", changed {} ago", duration(age * 1_000))).unwrap_or_default()) }</dd>
                <dt>{ "Sample" }</dt><dd class="wrapping">{ sample(preview) }</dd>
                <dt>{ "Valid for" }</dt><dd><Countdown until={preview.valid_until} over="no longer, preview again" /></dd>
            </dl>
        </>
    }
}

/// `prod 12, stage 3, 4 more`; targets without a namespace are named so.
pub(super) fn named(all: &[NamedCount]) -> String {
    if all.is_empty() {
        return "none".to_owned();
    }
    let name = |one: &NamedCount| {
        if one.name.is_empty() { "without namespace".to_owned() } else { one.name.clone() }
    };
    let mut said: Vec<String> =
        all.iter().take(LISTED).map(|one| format!("{} {}", name(one), count(one.count))).collect();
    said.extend(more(all.len()));
    said.join(", ")
}

fn more(all: usize) -> Option<String> {
    (all > LISTED).then(|| format!("{} more", count((all - LISTED) as i64)))
}

fn names(all: &[NamedCount]) -> Html {
    html! { { named(all) } }
}

fn unknown(keys: &[String]) -> Html {
    if keys.is_empty() {
        return html! { <span class="f3">{ "none" }</span> };
    }
    let said: Vec<String> = keys.iter().take(LISTED).cloned().chain(more(keys.len())).collect();
    html! { <span class="mono">{ said.join(", ") }</span> }
}

fn sample(preview: &Preview) -> Html {
    if preview.sample.is_empty() {
        return html! { <span class="f3">{ "none" }</span> };
    }
    let said: Vec<String> = preview
        .sample
        .iter()
        .take(LISTED)
        .map(|one| format!("{} {}", one.name, one.version).trim().to_owned())
        .collect();
    html! { { said.join(", ") } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namespaces_beyond_the_listed_ones_are_counted() {
        let of = |name: &str, count| NamedCount { name: name.into(), count };
        assert_eq!(named(&[of("prod", 1_200), of("", 3)]), "prod 1,200, without namespace 3");
        let many: Vec<NamedCount> = (0..11).map(|at| of(&format!("n{at}"), 1)).collect();
        assert!(named(&many).ends_with("n7 1, 3 more"));
        assert_eq!(named(&[]), "none");
    }
}
