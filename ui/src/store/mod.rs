//! What pages share: the session, the live feed, kept answers, results, preferences. Nothing here is truth; all of it
//! can be had again from the core.
//!
//! | hook | gives |
//! |---|---|
//! | `use_session()` | `.session: Load<Session>`, `.tenant`, `.choose`, `.refusal(scope) -> Option<String>` (why a write is disabled), `.is_off(feature)`, `.off(feature) -> Option<String>` |
//! | `use_api()` | the client as the shown tenant |
//! | `use_query(key, watch, \|api\| async move {..})` | `Asked { load: Load<T>, refetch }`; asked again when `watch` matches the feed |
//! | `use_list(key, watch, held, \|api, page\| async move {..})` | `List { state: Rows { rows, total, news, .. }, more, reload }`, `is_waiting()`, `failure()`, `staleness()`, `is_loading_more()` |
//! | `Watch::none()`, `Watch::of(&["job", "run"])`, `.only(id)`, `.every(seconds)` | what makes an answer old |
//! | `use_feed()` | `.state: FeedState`, `.heard()`, `.reconnect` |
//! | `use_feed_batches(\|batch\| ..)` | every batch of the feed |
//! | `use_run_stream(&id)` | `RunStream { watched: Rc<WatchedRun { run, segments, log, events, seq, ended }>, state: FeedState, slow: Option<Slow>, heard, problem }`, live until the run ends |
//! | `use_toasts()` | `.done(fact, detail)`, `.refused(fact, &problem)` |
//! | `use_preferences()` | `.get()`, `.set(..)`, `.is_dark()` |
//! | `use_program(start, update, perform)` | `(Rc<Model>, Callback<Message>)` for a page that is a model, messages and a pure update |

mod feed;
mod following;
mod list;
mod preferences;
mod program;
mod queries;
mod run_stream;
mod session;
mod toasts;
mod watch;
pub mod watched_run;

pub use feed::{FeedState, FeedStore, backoff_ms, use_feed, use_feed_batches, use_feed_store};
pub use following::Slow;
pub use list::{Fetching, List, Rows, use_list};
pub use preferences::{
    Density, Preferences, PreferencesStore, QuietHours, Theme, set_root, use_preferences,
    use_preferences_store,
};
pub use program::use_program;
pub use queries::{Asked, use_query};
pub use run_stream::{RunStream, use_run_stream};
pub use session::{SessionStore, take_one_time_token, use_api, use_session, use_session_store};
pub use toasts::{Standing, ToastAction, Toasts, use_toasts, use_toasts_store};
pub use watch::Watch;
pub use watched_run::{LogLine, WatchedRun};
