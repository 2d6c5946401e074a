//! A session bus of our own, and on it a stand-in for the desktop's notifications.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use zbus::message::Header;
use zbus::object_server::SignalEmitter;

use zbus::{Connection, OwnedVariant, connection, interface};

const PATH: &str = "/org/freedesktop/Notifications";
const NAME: &str = "org.freedesktop.Notifications";

/// A bus; it ends when dropped.
pub(crate) struct Bus {
    child: Child,
    /// For `DBUS_SESSION_BUS_ADDRESS`.
    pub(crate) address: String,
}

impl Bus {
    pub(crate) fn start() -> Self {
        let mut child = Command::new("dbus-daemon")
            .args(["--session", "--nofork", "--print-address=1"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("dbus-daemon is installed (package dbus)");
        let mut address = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut address).unwrap();
        assert!(!address.is_empty(), "dbus-daemon ended before it named its address");
        Self { child, address: address.trim().to_owned() }
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// A notification as it arrived.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) id: u32,
    pub(crate) sender: String,
    pub(crate) application: String,
    pub(crate) icon: String,
    pub(crate) summary: String,
    pub(crate) body: String,
    pub(crate) actions: Vec<String>,
    pub(crate) hints: HashMap<String, OwnedVariant>,
}

/// Shows nothing, and tells the test what it was asked to show.
pub(crate) struct Desktop {
    connection: Connection,
    seen: UnboundedReceiver<Seen>,
}

impl Desktop {
    pub(crate) async fn on(bus: &Bus) -> Self {
        let (tell, seen) = unbounded_channel();
        let connection = connection::Builder::address(bus.address.as_str())
            .name(NAME)
            .serve_at(PATH, Notifications { tell, last: 0 })
            .build()
            .await
            .unwrap();
        Self { connection, seen }
    }

    /// The next notification.
    pub(crate) async fn next(&mut self) -> Seen {
        let waited = tokio::time::timeout(Duration::from_secs(30), self.seen.recv()).await;
        waited.expect("no notification came").expect("the stand-in lives as long as the test")
    }

    /// Whether another one has come.
    pub(crate) fn has_more(&mut self) -> bool {
        self.seen.try_recv().is_ok()
    }

    /// Clicks on it. Like some desktops, tells only the one who sent it.
    pub(crate) async fn click(&self, seen: &Seen) {
        let emitter = SignalEmitter::new(&self.connection, PATH).unwrap();
        let emitter = emitter.set_destination(seen.sender.as_str().try_into().unwrap());
        Notifications::action_invoked(&emitter, seen.id, "default").await.unwrap();
    }
}

struct Notifications {
    tell: UnboundedSender<Seen>,
    last: u32,
}

#[interface(name = "org.freedesktop.Notifications")]
impl Notifications {
    #[expect(clippy::too_many_arguments, reason = "the desktop's interface has so many")]
    async fn notify(
        &mut self,
        #[zbus(header)] header: Header<'_>,
        application: String,
        replaces: u32,
        icon: String,
        summary: String,
        body: String,
        actions: Vec<String>,
        hints: HashMap<String, OwnedVariant>,
        _lifetime_ms: i32,
    ) -> u32 {
        let id = if replaces == 0 { self.last + 1 } else { replaces };
        self.last = self.last.max(id);
        let sender = header.sender().map(ToString::to_string).unwrap_or_default();
        // A test that has seen enough listens no more.
        self.tell.send(Seen { id, sender, application, icon, summary, body, actions, hints }).ok();
        id
    }

    async fn close_notification(&self, _id: u32) {}

    async fn get_capabilities(&self) -> Vec<String> {
        ["body", "actions", "icon-static"].map(str::to_owned).into()
    }

    async fn get_server_information(&self) -> (String, String, String, String) {
        ("stand-in".to_owned(), "tests".to_owned(), "1".to_owned(), "1.2".to_owned())
    }

    #[zbus(signal)]
    async fn action_invoked(emitter: &SignalEmitter<'_>, id: u32, action: &str) -> zbus::Result<()>;

    #[zbus(signal)]
    async fn notification_closed(emitter: &SignalEmitter<'_>, id: u32, reason: u32) -> zbus::Result<()>;
}
