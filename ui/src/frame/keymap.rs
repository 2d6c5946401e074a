//! The keyboard map.

use super::search::CHORDS;
use crate::kit::{Dialog, DialogSize, KeyHint};
use crate::store::use_preferences;
use yew::prelude::*;

/// What a [`Keymap`] takes. It is open while mounted.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct KeymapProps {
    /// Left.
    pub on_close: Callback<()>,
}

/// Keys that act on every page, and what they do.
const KEYS: &[(&[&str], &str)] = &[
    (&["Ctrl", "K"], "palette"),
    (&["/"], "filter"),
    (&["j", "k"], "move in a list; arrows do too"),
    (&["Enter"], "open"),
    (&["x"], "select the row; Shift x selects up to it"),
    (&["Ctrl", "A"], "select all loaded rows"),
    (&["Esc"], "close the layer, then clear the selection"),
    (&["[", "]"], "previous, next tab"),
    (&["c"], "copy the page's command line"),
    (&["Shift", "R"], "read the page anew"),
    (&["F6"], "move to the results"),
    (&["?"], "this map"),
];

/// A dialog with every key.
#[component]
pub fn Keymap(props: &KeymapProps) -> Html {
    let on = use_preferences().get().keys;
    let row = |keys: Vec<AttrValue>, does: String| {
        html! { <><dt><KeyHint {keys} /></dt><dd>{ does }</dd></> }
    };
    html! {
        <Dialog title="Keyboard" size={DialogSize::Confirm} on_close={props.on_close.clone()}>
            <div class="in keymap">
                <dl>{ for KEYS.iter().map(|(keys, does)| {
                    row(keys.iter().map(|key| AttrValue::Static(key)).collect(), (*does).to_owned())
                }) }</dl>
                <dl>{ for CHORDS.iter().map(|(key, does, _)| {
                    row(vec!["g".into(), AttrValue::Static(key)], format!("go to {does}"))
                }) }</dl>
            </div>
            <div class="in f2 sm">
                { if on { "Keys act only when no field has the focus. Settings can switch single letters off." }
                  else { "Single letters are switched off in Settings." } }
            </div>
        </Dialog>
    }
}
