//! Stella Operator's window. It puts the engine, the server's router and the pages together in one process and adds what
//! only a desktop has: a window, a tray icon, notifications, dialogs, links. It has no endpoint and no rule of its own.
//!
//! | file | what it is about |
//! |---|---|
//! | `arguments`, `graphics` | how it was started |
//! | `local`, `door` | the engine in this process and the pages' way to it |
//! | `window`, `pending` | the window, and the page that waits to be opened |
//! | `settings`, `preferences` | how the operator likes it |
//! | `watch`, `notice`, `notify`, `tray`, `health` | what the desktop tells while nobody looks |
//! | `files` | the system's own file dialog |

#![cfg_attr(windows, windows_subsystem = "windows")]

mod arguments;

mod door;
mod files;
mod graphics;
mod health;
mod local;
mod notice;
mod notify;
mod pending;
mod preferences;
mod settings;
mod spikes;
mod tray;
mod watch;
mod window;

use crate::arguments::Arguments;
use crate::graphics::Safe;
use crate::local::Core;
use crate::pending::Pending;
use crate::settings::Settings;
use std::error::Error;
use std::io::IsTerminal;
use tauri::{App, AppHandle, Manager, RunEvent};
use tauri_plugin_deep_link::DeepLinkExt;
use tauri_plugin_window_state::StateFlags;
use tracing_subscriber::EnvFilter;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::read(std::env::args());
    // Before anything of GTK: WebKit reads its variables once.
    graphics::settle(if arguments.safe_graphics { Safe::Asked } else { Safe::NotAsked });
    rustls::crypto::ring::default_provider()
        .install_default()
        .map_err(|_| "another provider of cryptography is installed already")?;
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_env("STELLA_LOG").unwrap_or_else(|_| EnvFilter::new("info")))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();

    let application = tauri::Builder::default()
        // First of all plugins: a second start must end before it opens the ledger.
        .plugin(tauri_plugin_single_instance::init(|app, words, _folder| again(app, &words)))
        .plugin(tauri_plugin_deep_link::init())
        .plugin(
            // Never whether it is shown: the window shows itself when its page is ready.
            tauri_plugin_window_state::Builder::new()
                .with_state_flags(StateFlags::all() & !StateFlags::VISIBLE & !StateFlags::DECORATIONS)
                .build(),
        )
        .plugin(tauri_plugin_store::Builder::default().build())
        .plugin(tauri_plugin_dialog::init())
        .manage(Pending::default())
        .manage(window::Readiness::default())
        .manage(window::FirstSize::default())
        .manage(tray::TrayPresence::default())
        .invoke_handler(tauri::generate_handler![
            door::api,
            local::connection,
            local::reopen_ledger,
            files::pick_files,
            settings::preferences_get,
            settings::preferences_set,
            window::take_pending_route,
            window::ui_ready,
        ])
        .on_window_event(window::on_event)
        .setup(move |app| set_up(app, arguments))
        .build(tauri::generate_context!())?;
    application.run(|app, event| {
        if matches!(event, RunEvent::Exit) {
            tauri::async_runtime::block_on(app.state::<Core>().close());
        }
    });
    Ok(())
}

fn set_up(app: &App, arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let handle = app.handle();
    let core = Core::of(handle)?;
    let door = core.door();
    app.manage(Settings::open(handle)?);
    // The window is still hidden; its first request finds the ledger open, or why it is not.
    tauri::async_runtime::block_on(core.open());
    app.manage(core);
    app.manage(door.clone());

    if let Some(route) = arguments.route {
        app.state::<Pending>().put(route);
    }
    let linked = handle.clone();
    app.deep_link().on_open_url(move |event| {
        for url in event.urls() {
            follow(&linked, url.as_str());
        }
    });
    tauri::async_runtime::spawn(window::watch(handle.clone()));
    tauri::async_runtime::spawn(tray::appear(handle.clone()));
    tauri::async_runtime::spawn(watch::look(handle.clone(), door));
    Ok(())
}

/// The program was started a second time: this one comes forward, at the page that the second start named.
fn again(app: &AppHandle, words: &[String]) {
    match Arguments::read(words).route {
        Some(route) => window::open(app, &route),
        None => window::bring_forward(app),
    }
}

/// A link only navigates; what it names nothing of ours for is not followed.
fn follow(app: &AppHandle, link: &str) {
    match stella_contract::route::from_deep_link(link) {
        Some(route) => window::open(app, &route),
        None => tracing::warn!("a link that names no page of ours was not followed"),
    }
}
