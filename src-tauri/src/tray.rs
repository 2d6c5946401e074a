//! The icon in the tray: how the core is, a way back to the window, a way out. Many desktops have no tray; then there is
//! none, and nothing depends on it.

use crate::health::{Health, State};
use crate::window;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};
use tauri::image::Image;
use tauri::menu::{Menu, MenuItem, PredefinedMenuItem};
use tauri::tray::{TrayIcon, TrayIconBuilder};
use tauri::{AppHandle, Manager, Wry, include_image};

const OK: Image<'_> = include_image!("../icons/tray-ok.png");
const WARN: Image<'_> = include_image!("../icons/tray-warn.png");
const BAD: Image<'_> = include_image!("../icons/tray-bad.png");

/// The tray, where there is one.
#[derive(Default)]
pub(crate) struct TrayPresence(Mutex<Option<Tray>>);

impl TrayPresence {
    /// Whether the operator can come back through it.
    pub(crate) fn is_there(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }
}

/// The parts that change. A menu once given cannot be replaced on Linux, its items can be edited.
struct Tray {
    icon: TrayIcon,
    jobs: MenuItem<Wry>,
    last_run: MenuItem<Wry>,
    planner: MenuItem<Wry>,
    state: State,
}

/// Puts the icon into the tray, when somebody shows one.
pub(crate) async fn appear(app: AppHandle) {
    if !has_host().await {
        tracing::info!("no tray on this desktop; the window is the only way in");
        return;
    }
    let on_main = app.clone();
    let asked = app.run_on_main_thread(move || {
        // The library that draws the icon is looked up now, and its absence is told by a panic.
        match catch_unwind(AssertUnwindSafe(|| build(&on_main))) {
            Ok(Ok(tray)) => {
                *on_main.state::<TrayPresence>().0.lock().unwrap_or_else(PoisonError::into_inner) =
                    Some(tray);
            }
            Ok(Err(error)) => tracing::warn!(%error, "the tray icon could not be made"),
            Err(_) => tracing::warn!("the tray icon could not be made: libayatana-appindicator3 is missing"),
        }
    });
    if let Err(error) = asked {
        tracing::warn!(%error, "the tray icon could not be made");
    }
}

/// Changes the lines and the icon.
pub(crate) fn tell(app: &AppHandle, health: Health) {
    let on_main = app.clone();
    let asked = app.run_on_main_thread(move || {
        let presence = on_main.state::<TrayPresence>();
        let mut tray = presence.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tray) = tray.as_mut()
            && let Err(error) = show(tray, &health)
        {
            tracing::warn!(%error, "the tray could not be changed");
        }
    });
    if let Err(error) = asked {
        tracing::debug!(%error, "the application is ending; the tray stays as it is");
    }
}

fn build(app: &AppHandle) -> tauri::Result<Tray> {
    let line = |id: &str| MenuItem::with_id(app, id, "…", false, None::<&str>);
    let (jobs, last_run, planner) = (line("jobs")?, line("last-run")?, line("planner")?);
    let open = MenuItem::with_id(app, "open", "Open Stella Operator", true, None::<&str>)?;
    let quit = MenuItem::with_id(app, "quit", "Quit", true, None::<&str>)?;
    let (above, below) = (PredefinedMenuItem::separator(app)?, PredefinedMenuItem::separator(app)?);
    let menu = Menu::with_items(app, &[&jobs, &last_run, &planner, &above, &open, &below, &quit])?;
    let icon = TrayIconBuilder::with_id("main")
        .icon(OK)
        .tooltip("Stella Operator")
        .menu(&menu)
        .on_menu_event(|app, event| match event.id().as_ref() {
            "open" => window::bring_forward(app),
            "quit" => app.exit(0),
            _ => {}
        })
        .build(app)?;
    let mut tray = Tray { icon, jobs, last_run, planner, state: State::Well };
    show(&mut tray, &Health::unknown("Starting"))?;
    Ok(tray)
}

fn show(tray: &mut Tray, health: &Health) -> tauri::Result<()> {
    tray.jobs.set_text(&health.jobs)?;
    tray.last_run.set_text(&health.last_run)?;
    tray.planner.set_text(&health.planner)?;
    if tray.state != health.state {
        tray.icon.set_icon(Some(match health.state {
            State::Well => OK,
            State::Look => WARN,
            State::Bad => BAD,
        }))?;
        tray.state = health.state;
    }
    Ok(())
}

/// Whether somebody on the bus shows tray icons.
#[cfg(target_os = "linux")]
async fn has_host() -> bool {
    let Ok(connection) = zbus::Connection::session().await else { return false };
    let Ok(bus) = zbus::fdo::DBusProxy::new(&connection).await else { return false };
    match zbus::names::BusName::try_from("org.kde.StatusNotifierWatcher") {
        Ok(name) => bus.name_has_owner(name).await.unwrap_or(false),
        Err(_) => false,
    }
}

/// Other systems always have one.
#[cfg(not(target_os = "linux"))]
async fn has_host() -> bool {
    true
}
