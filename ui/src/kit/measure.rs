//! How large things are on the screen: the view of a table, its row, and how far it is scrolled.

use gloo_events::EventListener;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use yew::prelude::*;

/// The measures of a table, in pixels.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Measure {
    /// Height of a row.
    pub row: f64,
    /// Height of what is visible.
    pub view: f64,
    /// Width of what is visible.
    pub width: f64,
    /// How far it is scrolled.
    pub offset: f64,
    /// Height of the sticky head.
    pub head: f64,
}

/// Measures a scroller and a ruler that is as high as a row, and keeps measuring.
#[hook]
pub fn use_measure(scroller: NodeRef, ruler: NodeRef) -> Measure {
    let measure = use_state_eq(Measure::default);
    {
        let set = measure.setter();
        use_effect_with((), move |()| {
            let read = {
                let (scroller, ruler) = (scroller.clone(), ruler.clone());
                move || {
                    if let Some(found) = measured(&scroller, &ruler) {
                        set.set(found);
                    }
                }
            };
            read();
            let resized = Resized::watch(&[&scroller, &ruler], read.clone());
            let scrolled = scroller
                .cast::<web_sys::Element>()
                .map(|element| EventListener::new(&element, "scroll", move |_| read()));
            move || drop((resized, scrolled))
        });
    }
    (*measure).clone()
}

/// How wide an element is; nothing before it is on the screen.
#[hook]
pub fn use_width(node: NodeRef) -> Option<f64> {
    let width = use_state_eq(|| None::<f64>);
    {
        let set = width.setter();
        use_effect_with((), move |()| {
            let read = {
                let node = node.clone();
                move || {
                    let element = node.cast::<web_sys::Element>();
                    let width = element.map(|element| element.get_bounding_client_rect().width());
                    set.set(width.filter(|width| *width > 0.0).map(f64::floor));
                }
            };
            read();
            let resized = Resized::watch(&[&node], read);
            move || drop(resized)
        });
    }
    *width
}

/// The visible part of a scroller, in pixels.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct View {
    /// How far it is scrolled to the right.
    pub left: f64,
    /// How far it is scrolled down.
    pub top: f64,
    /// Width of what is visible.
    pub width: f64,
    /// Height of what is visible.
    pub height: f64,
}

/// A view moves in steps of so many pixels, so that most scroll events redraw nothing.
const VIEW_STEP: f64 = 120.0;

/// Measures the visible part of a scroller and keeps measuring.
#[hook]
pub fn use_view(scroller: NodeRef) -> View {
    let view = use_state_eq(View::default);
    {
        let set = view.setter();
        use_effect_with((), move |()| {
            let read = {
                let scroller = scroller.clone();
                move || {
                    if let Some(element) = scroller.cast::<web_sys::Element>() {
                        let step = |pixels: i32| (f64::from(pixels) / VIEW_STEP).floor() * VIEW_STEP;
                        set.set(View {
                            left: step(element.scroll_left()),
                            top: step(element.scroll_top()),
                            width: f64::from(element.client_width()),
                            height: f64::from(element.client_height()),
                        });
                    }
                }
            };
            read();
            let resized = Resized::watch(&[&scroller], read.clone());
            let scrolled = scroller
                .cast::<web_sys::Element>()
                .map(|element| EventListener::new(&element, "scroll", move |_| read()));
            move || drop((resized, scrolled))
        });
    }
    *view
}

fn measured(scroller: &NodeRef, ruler: &NodeRef) -> Option<Measure> {
    let view = scroller.cast::<web_sys::HtmlElement>()?;
    let ruler = ruler.cast::<web_sys::HtmlElement>()?;
    let head = view.query_selector(".vt-head").ok().flatten();
    let row = ruler.get_bounding_client_rect().height();
    Some(Measure {
        row,
        view: f64::from(view.client_height()),
        width: f64::from(view.client_width()),
        offset: super::window::snapped(f64::from(view.scroll_top()), row),
        head: head.map_or(0.0, |head| head.get_bounding_client_rect().height()),
    })
}

/// Watches elements change their size; stops when dropped.
struct Resized {
    observer: web_sys::ResizeObserver,
    _told: Closure<dyn FnMut()>,
}

impl Resized {
    fn watch(nodes: &[&NodeRef], told: impl Fn() + 'static) -> Option<Self> {
        let told = Closure::<dyn FnMut()>::new(told);
        let observer = web_sys::ResizeObserver::new(told.as_ref().unchecked_ref()).ok()?;
        for element in nodes.iter().filter_map(|node| node.cast::<web_sys::Element>()) {
            observer.observe(&element);
        }
        Some(Self { observer, _told: told })
    }
}

impl Drop for Resized {
    fn drop(&mut self) {
        self.observer.disconnect();
    }
}

/// Whether a click came from a link, a button or a field.
pub fn is_in_control(event: &MouseEvent) -> bool {
    let target = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    target.and_then(|element| element.closest("a, button, input, select, label").ok().flatten()).is_some()
}
