//! Native notifications over the session bus. Each keeps its connection open for as long as it is on the screen, for
//! some desktops take a notification away when its sender leaves.

use crate::notice::{Kind, Notice, Weight};
use crate::window;
use notify_rust::{Hint, Notification, NotificationHandle, NotificationResponse, Urgency};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;
use tauri::AppHandle;

const APPLICATION: &str = "Stella Operator";
/// The installed icon's name, and the name of the desktop entry.
const IDENTIFIER: &str = "org.stella-ops.operator";
/// After so long nobody will click any more; the history of runs keeps it.
const LIFETIME: Duration = Duration::from_secs(15 * 60);

/// Sends notifications and counts those that are open.
#[derive(Clone)]
pub(crate) struct Bell {
    app: AppHandle,
    open: Arc<AtomicUsize>,
    /// The number of the last one of several runs, which the next one replaces; 0 is none.
    several: Arc<AtomicU32>,
    is_mute: Arc<AtomicBool>,
}

impl Bell {
    /// A bell of this application.
    pub(crate) fn new(app: AppHandle) -> Self {
        Self { app, open: Arc::default(), several: Arc::default(), is_mute: Arc::default() }
    }

    /// How many are open.
    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Shows one and waits beside it for a click.
    pub(crate) async fn ring(&self, notice: Notice) {
        let mut notification = of(&notice);
        if notice.kind == Kind::Several && self.several.load(Ordering::Relaxed) != 0 {
            notification.id(self.several.load(Ordering::Relaxed));
        }
        match notification.show_async().await {
            Ok(handle) => {
                if notice.kind == Kind::Several {
                    self.several.store(handle.id(), Ordering::Relaxed);
                }
                self.is_mute.store(false, Ordering::Relaxed);
                let bell = self.clone();
                self.open.fetch_add(1, Ordering::Relaxed);
                tauri::async_runtime::spawn(async move {
                    bell.attend(handle, notice.route).await;
                    bell.open.fetch_sub(1, Ordering::Relaxed);
                });
            }
            // A desktop without notifications stays one: said once, not for every run.
            Err(error) if !self.is_mute.swap(true, Ordering::Relaxed) => {
                tracing::warn!(%error, "this desktop shows no notifications");
            }
            Err(_) => {}
        }
    }

    /// Waits until it is clicked, closed or forgotten.
    async fn attend(&self, handle: NotificationHandle, route: String) {
        let clicked = handle.wait_for_action_async(|response| match response {
            NotificationResponse::Default | NotificationResponse::Action(_) => {
                window::open(&self.app, &route)
            }
            _ => {}
        });
        if tokio::time::timeout(LIFETIME, clicked).await.is_err() {
            handle.close_async().await;
        }
    }
}

fn of(notice: &Notice) -> Notification {
    let urgency = match notice.weight {
        Weight::Plain => Urgency::Normal,
        Weight::Grave => Urgency::Critical,
    };
    Notification::new()
        .appname(APPLICATION)
        .summary(&notice.summary)
        .body(&notice.body)
        .icon(IDENTIFIER)
        .hint(Hint::DesktopEntry(IDENTIFIER.to_owned()))
        .hint(Hint::Category("transfer.complete".to_owned()))
        .urgency(urgency)
        // Without an action of this name a click on the text itself is not told.
        .action("default", notice.action)
        .action("open", notice.action)
        .finalize()
}
