//! The one window: shown when its page is ready, brought forward when something names a page.

use crate::pending::Pending;
use crate::settings;
use crate::tray::TrayPresence;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use stella_contract::route::{Resolved, Route};
use tauri::{
    AppHandle, Manager, PhysicalPosition, PhysicalRect, PhysicalSize, State, UserAttentionType,
    WebviewWindow, Window, WindowEvent,
};
use tauri_plugin_dialog::{DialogExt, MessageDialogKind};

/// The label of the window.
pub(crate) const MAIN: &str = "main";
/// The page asks for a waiting route whenever the window comes to the front. A desktop may refuse the focus, and then the
/// page is told here that it should look.
const LOOK: &str = "window.dispatchEvent(new Event('focus'))";
/// A page that has not reported after so long is shown as it is.
const PATIENCE: Duration = Duration::from_secs(10);
/// A page that has not reported after so long again will not.
const GIVEN_UP: Duration = Duration::from_secs(30);

/// Whether the window has had its first size; before it is shown it has none.
#[derive(Debug, Default)]
pub(crate) struct FirstSize(AtomicBool);

/// Whether the page has reported.
#[derive(Debug, Default)]
pub(crate) struct Readiness(AtomicBool);

impl Readiness {
    fn report(&self) {
        self.0.store(true, Ordering::Release);
    }

    fn is_reported(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// The page has drawn its first data: show the window.
#[tauri::command]
pub(crate) fn ui_ready(app: AppHandle, readiness: State<'_, Readiness>) {
    readiness.report();
    reveal(&app);
}

/// The route that waits, if one does.
#[tauri::command]
pub(crate) fn take_pending_route(pending: State<'_, Pending>) -> Option<String> {
    pending.take()
}

/// Makes the window no larger than its screen: it may be the first start, or the large screen may be unplugged. Later
/// the operator may stretch it over several screens.
fn fit(app: &AppHandle) {
    let Some(window) = app.get_webview_window(MAIN) else { return };
    match place_on_screen(&window) {
        Ok(Some(place)) => {
            report(window.set_size(place.size), "shrink");
            report(window.set_position(place.position), "move");
        }
        Ok(None) => {}
        Err(error) => tracing::warn!(%error, "the size of the screen is not known"),
    }
}

fn place_on_screen(window: &WebviewWindow) -> tauri::Result<Option<PhysicalRect<i32, u32>>> {
    // A window that was never shown is on no screen yet, and not every desktop names a first one.
    let screen = match window.current_monitor()? {
        Some(screen) => Some(screen),
        None => window.primary_monitor()?,
    };
    let Some(screen) = screen.or(window.available_monitors()?.into_iter().next()) else { return Ok(None) };
    let place = PhysicalRect { position: window.outer_position()?, size: window.outer_size()? };
    Ok(fitting(place, *screen.work_area()))
}

/// Where a window must go to lie within an area; `None` when it fits as large as it is.
fn fitting(window: PhysicalRect<i32, u32>, area: PhysicalRect<i32, u32>) -> Option<PhysicalRect<i32, u32>> {
    if window.size.width <= area.size.width && window.size.height <= area.size.height {
        return None;
    }
    let size = PhysicalSize {
        width: window.size.width.min(area.size.width),
        height: window.size.height.min(area.size.height),
    };
    let within = |at: i32, from: i32, room: u32| {
        at.clamp(from, from.saturating_add(i32::try_from(room).unwrap_or(i32::MAX)))
    };
    let position = PhysicalPosition {
        x: within(window.position.x, area.position.x, area.size.width - size.width),
        y: within(window.position.y, area.position.y, area.size.height - size.height),
    };
    Some(PhysicalRect { position, size })
}

/// Opens a page of ours; what is none opens nothing.
pub(crate) fn open(app: &AppHandle, route: &str) {
    let path = route.split(['?', '#']).next().unwrap_or(route);
    match Route::resolve(path) {
        Resolved::Page(_) => {
            app.state::<Pending>().put(route.to_owned());
            if let Some(window) = app.get_webview_window(MAIN) {
                report(window.eval(LOOK), "look for a route");
            }
        }
        Resolved::UnknownChild(_) | Resolved::Nowhere => {
            tracing::warn!("a route of nothing of ours was not opened")
        }
    }
    bring_forward(app);
}

/// Shows the window above the others, as far as the desktop lets us.
pub(crate) fn bring_forward(app: &AppHandle) {
    reveal(app);
    let Some(window) = app.get_webview_window(MAIN) else { return };
    report(window.set_focus(), "focus");
    // Where a desktop gives no focus, it may at least mark the window.
    if !window.is_focused().unwrap_or(false) {
        report(window.request_user_attention(Some(UserAttentionType::Informational)), "attention");
    }
}

/// Whether the operator is looking at it.
pub(crate) fn is_looked_at(app: &AppHandle) -> bool {
    app.get_webview_window(MAIN).is_some_and(|window| {
        window.is_visible().unwrap_or(false)
            && !window.is_minimized().unwrap_or(false)
            && window.is_focused().unwrap_or(false)
    })
}

fn reveal(app: &AppHandle) {
    let Some(window) = app.get_webview_window(MAIN) else { return };
    report(window.show(), "show");
    if window.is_minimized().unwrap_or(false) {
        report(window.unminimize(), "unminimize");
    }
}

fn report(outcome: tauri::Result<()>, what: &str) {
    if let Err(error) = outcome {
        tracing::warn!(%error, "the window did not {what}");
    }
}

/// Shows the window even when its page does not report, and says what to do when it never does.
pub(crate) async fn watch(app: AppHandle) {
    tokio::time::sleep(PATIENCE).await;
    if app.state::<Readiness>().is_reported() {
        return;
    }
    tracing::warn!("the page has not reported after {} s; showing the window as it is", PATIENCE.as_secs());
    reveal(&app);
    tokio::time::sleep(GIVEN_UP).await;
    if app.state::<Readiness>().is_reported() {
        return;
    }
    app.dialog()
        .message("The interface did not start. Close the application and start it with --safe-graphics; its log is on the terminal it was started from.")
        .title("Stella Operator")
        .kind(MessageDialogKind::Error)
        .show(|_| {});
}

/// The first size is cut to the screen. Closing hides the window instead, when the operator wants it so and the tray can bring it back.
pub(crate) fn on_event(window: &Window, event: &WindowEvent) {
    if let WindowEvent::Resized(size) = event
        && size.width > 0
        && !window.state::<FirstSize>().0.swap(true, Ordering::AcqRel)
    {
        fit(window.app_handle());
    }
    if let WindowEvent::CloseRequested { api, .. } = event {
        let app = window.app_handle();
        if settings::current(app).close_to_tray && app.state::<TrayPresence>().is_there() {
            api.prevent_close();
            report(window.hide(), "hide");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rect(x: i32, y: i32, width: u32, height: u32) -> PhysicalRect<i32, u32> {
        PhysicalRect { position: PhysicalPosition { x, y }, size: PhysicalSize { width, height } }
    }

    fn edges(place: PhysicalRect<i32, u32>) -> (i32, i32, u32, u32) {
        (place.position.x, place.position.y, place.size.width, place.size.height)
    }

    #[test]
    fn a_window_larger_than_its_screen_is_cut_to_it_and_one_that_fits_stays() {
        let laptop = rect(0, 30, 1024, 738);
        let fitted = |window| fitting(window, laptop).map(edges);
        assert_eq!(fitted(rect(200, 100, 1440, 900)), Some((0, 30, 1024, 738)));
        assert_eq!(fitted(rect(-50, 0, 1440, 700)), Some((0, 30, 1024, 700)));
        assert_eq!(fitted(rect(100, 700, 800, 1000)), Some((100, 30, 800, 738)));
        assert_eq!(fitted(rect(2_000, 2_000, 1024, 738)), None);
        let second = rect(-1920, 0, 1920, 1080);
        assert_eq!(fitting(rect(-1900, 10, 2560, 1400), second).map(edges), Some((-1920, 0, 1920, 1080)));
    }
}
