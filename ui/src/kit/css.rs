//! Custom properties set through the object model. Under our content security policy a `style` attribute is ignored,
//! so widths and offsets that are only known at run time go this way.

use wasm_bindgen::JsCast;
use yew::prelude::*;

/// Sets these custom properties on the referenced element whenever they change.
#[hook]
pub fn use_css_vars(node: NodeRef, vars: Vec<(&'static str, String)>) {
    use_effect_with(vars, move |vars| set_css_vars(&node, vars));
}

/// Sets these custom properties now.
pub fn set_css_vars(node: &NodeRef, vars: &[(&'static str, String)]) {
    let Some(element) = node.cast::<web_sys::Element>() else { return };
    let style = match element.dyn_ref::<web_sys::HtmlElement>() {
        Some(html) => html.style(),
        None => match element.dyn_ref::<web_sys::SvgElement>() {
            Some(svg) => svg.style(),
            None => return,
        },
    };
    for (name, value) in vars {
        // A value the engine cannot read leaves the property as it was, which is the best there is to do.
        let _ = style.set_property(name, value);
    }
}

/// An element id that is used nowhere else on the page.
#[hook]
pub fn use_element_id(what: &'static str) -> AttrValue {
    let number = use_memo((), |()| {
        NEXT.with(|next| {
            next.set(next.get() + 1);
            next.get()
        })
    });
    AttrValue::from(format!("{what}-{number}"))
}

thread_local! { static NEXT: std::cell::Cell<u32> = const { std::cell::Cell::new(0) }; }
