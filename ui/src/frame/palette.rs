//! The command palette: Ctrl K, type, Enter. All of it is local.

use super::search::{Asked, Does, Entry, found};
use crate::api::Load;
use crate::kit::{Icon, IconSize, KeyHint, Shape, copy_text, use_element_id, use_modal};
use crate::router::{Query, use_router};
use crate::store::{Density, Preferences, Theme, use_feed, use_preferences};
use stella_contract::overview::Overview;
use yew::prelude::*;

/// What a [`Palette`] takes. It is open while mounted.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct PaletteProps {
    /// Left.
    pub on_close: Callback<()>,
    /// Opens the keyboard map.
    pub on_help: Callback<()>,
    /// The figures beside the pages.
    pub overview: Load<Overview>,
}

/// A field and what it finds.
#[component]
pub fn Palette(props: &PaletteProps) -> Html {
    let node = use_node_ref();
    let list = use_element_id("palette");
    use_modal(node.clone());
    let asked = use_state_eq(Asked::default);
    // A handle tells the newest text, which may not have been drawn yet; rows are told what they were drawn for.
    let drawn = Asked::clone(&asked);
    let entries = found(&drawn.typed, props.overview.value());
    let perform = use_perform(props.on_help.clone());
    let choose = {
        let close = props.on_close.clone();
        Callback::from(move |does: Does| {
            close.emit(());
            perform.emit(does);
        })
    };
    let on_key = {
        let (asked, choose, overview) = (asked.clone(), choose.clone(), props.overview.clone());
        Callback::from(move |event: KeyboardEvent| {
            event.stop_propagation();
            match event.key().as_str() {
                "ArrowDown" => asked.set(asked.moved(1, overview.value())),
                "ArrowUp" => asked.set(asked.moved(-1, overview.value())),
                "Enter" => {
                    let input = event.target_dyn_into::<web_sys::HtmlInputElement>();
                    let field = input.map_or_else(|| asked.typed.clone(), |input| input.value());
                    if let Some(entry) = asked.chosen(&field, overview.value()) {
                        choose.emit(entry.does);
                    }
                }
                _ => return,
            }
            event.prevent_default();
        })
    };
    let on_input = {
        let asked = asked.setter();
        Callback::from(move |event: InputEvent| {
            let input = event.target_dyn_into::<web_sys::HtmlInputElement>();
            asked.set(Asked::typing(input.map(|input| input.value()).unwrap_or_default()));
        })
    };
    let on_cancel = props.on_close.reform(|event: Event| event.prevent_default());
    let away = {
        let (node, close) = (node.clone(), props.on_close.clone());
        // A click on the dialog itself is one beside its content.
        Callback::from(move |event: MouseEvent| {
            if event.target() == node.get().map(Into::into) {
                close.emit(());
            }
        })
    };
    html! {
        <dialog ref={node} class="dialog palette on-raised" aria-label="Commands" oncancel={on_cancel} onkeydown={on_key} onclick={away}>
            <label class="palette-in">
                <Icon shape={Shape::Search} />
                <span class="vh">{ "Search or run a command" }</span>
                <input type="text" role="combobox" aria-expanded="true" aria-controls={list.clone()} autocomplete="off"
                    aria-activedescendant={format!("{list}-{}", drawn.at)} spellcheck="false"
                    placeholder="Page, command, job id or run id" value={drawn.typed.clone()} oninput={on_input} />
                <kbd>{ "Esc" }</kbd>
            </label>
            <div class="palette-list" role="listbox" id={list.clone()} aria-label="Results">
                { for entries.iter().enumerate().map(|(index, entry)| {
                    let head = index == 0 || entries[index - 1].group != entry.group;
                    row(entry, head, index == drawn.at, format!("{list}-{index}"), {
                        let does = entry.does.clone();
                        choose.reform(move |_| does.clone())
                    })
                }) }
                if entries.is_empty() {
                    <p class="f3 sm palette-none">{ "Nothing fits. A whole job id or run id opens the thing." }</p>
                }
            </div>
            <footer class="f3 sm">
                <KeyHint keys={vec![AttrValue::Static("↑"), AttrValue::Static("↓")]} />{ "move" }
                <KeyHint keys={vec![AttrValue::Static("↵")]} />{ "run" }
                <span class="grow"></span>{ "all local" }
            </footer>
        </dialog>
    }
}

fn row(entry: &Entry, head: bool, on: bool, id: String, on_click: Callback<MouseEvent>) -> Html {
    html! {
        <div key={entry.label.clone()} role="presentation">
            if head { <h3 role="presentation">{ entry.group }</h3> }
            <div {id} role="option" class={classes!("menu-i", on.then_some("is-on"))} aria-selected={on.to_string()} onclick={on_click}>
                <Icon shape={entry.icon} size={IconSize::Small} />
                <span class="cut">{ &entry.label }</span>
                if !entry.note.is_empty() { <span class="f3 sm nw">{ &entry.note }</span> }
                <span class="c"><KeyHint keys={entry.keys.iter().map(|key| AttrValue::Static(key)).collect::<Vec<_>>()} /></span>
            </div>
        </div>
    }
}

/// Does what an entry says.
#[hook]
fn use_perform(on_help: Callback<()>) -> Callback<Does> {
    let (router, preferences, feed) = (use_router(), use_preferences(), use_feed());
    Callback::from(move |does: Does| {
        let now = preferences.get().clone();
        match does {
            Does::Go(route) => router.go(&route, &Query::default()),
            Does::Theme => {
                let theme = if preferences.is_dark() { Theme::Light } else { Theme::Dark };
                preferences.set(Preferences { theme, ..now });
            }
            Does::Density => {
                let density = match now.density {
                    Density::Comfortable => Density::Compact,
                    Density::Compact => Density::Comfortable,
                };
                preferences.set(Preferences { density, ..now });
            }
            Does::Keys => preferences.set(Preferences { keys: !now.keys, ..now }),
            Does::Help => on_help.emit(()),
            Does::CopyAddress => {
                let address = web_sys::window().and_then(|window| window.location().href().ok());
                copy_text(&address.unwrap_or_default());
            }
            Does::Reconnect => feed.reconnect.emit(()),
            Does::Refresh => feed.refresh(),
        }
    })
}
