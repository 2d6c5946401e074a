//! Every shape of the product, drawn once as an SVG symbol and used by name. A shape has one meaning in every list.

use yew::prelude::*;

/// Declares the shapes: the variant, its symbol, and what it means.
macro_rules! shapes {
    ($($variant:ident = $id:literal, $doc:literal;)+) => {
        /// A shape and what it means.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Shape { $(#[doc = $doc] $variant),+ }

        impl Shape {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The reference to its symbol.
            pub const fn href(self) -> &'static str {
                match self { $(Self::$variant => concat!("#", $id)),+ }
            }
        }
    };
}

shapes! {
    DashedRing = "s-dashed", "Not started, or not known.";
    Ring = "s-ring", "Queued.";
    RingDot = "s-ringdot", "Leased.";
    RingPlay = "s-play", "Running.";
    DiscCheck = "s-check", "Ended well.";
    OctagonCross = "s-octx", "Failed.";
    DiscClock = "s-clock", "Timed out.";
    RingSlash = "s-slash", "Cancelled or disabled.";
    Chevrons = "s-skip", "Skipped.";
    RingDots = "s-dots", "Planning.";
    HalfRing = "s-half", "In part, or degraded.";
    Triangle = "s-tri", "Look here.";
    Hourglass = "s-hour", "Held for a time.";
    Loop = "s-loop", "At it again.";
    LoopCheck = "s-loopok", "Replayed.";
    SquareCheck = "s-boxcheck", "Resolved.";
    ArchiveBox = "s-box", "Put away.";
    DiamondCheck = "s-dia", "In force.";
    ShieldCheck = "s-shok", "Verified.";
    ShieldCross = "s-shx", "Invalid or quarantined.";
    ShieldQuestion = "s-shq", "Valid, by a key nobody trusts.";
    ShieldSlash = "s-sho", "Unsigned.";
    ShieldDashed = "s-shd", "Not checked.";
    RingArrowDown = "s-drain", "Draining.";
    RingClock = "s-late", "Late or stale.";
    RingBars = "s-pause", "Paused.";
    ContactOpen = "s-bopen", "Breaker open.";
    ContactTilted = "s-bhalf", "Breaker half-open.";
    ContactClosed = "s-bclosed", "Breaker closed.";
    Crescent = "s-moon", "Blackout.";
    Gauge = "s-gauge", "Rate limited.";
    Dash = "s-minus", "Nothing here, or some of it.";
    Eye = "s-eye", "Seen by somebody.";
    BellSlash = "s-mute", "Muted: nobody is called.";
    Star = "star", "The mark of the product.";
    Search = "search", "Search.";
    Down = "down", "Opens downward.";
    Right = "right", "Leads on.";
    Up = "up", "Opens upward.";
    Left = "left", "Leads back.";
    Arrow = "arrow", "Becomes.";
    External = "ext", "Opens elsewhere.";
    Cross = "x", "Close or remove.";
    Check = "check", "Chosen.";
    Plus = "plus", "Add.";
    Dots = "dots", "More.";
    Pin = "pin", "Pinned.";
    Sun = "sun", "Theme.";
    Rows = "rows", "Density.";
    Help = "help", "Help.";
    Copy = "copy", "Copy.";
    Download = "dl", "Save to disk.";
    Refresh = "refresh", "Read anew, or repeat.";
    Filter = "filter", "Filter.";
    Columns = "cols", "Columns, and workers.";
    Bookmark = "bm", "Keep this view.";
    Queues = "jobs", "Jobs and queues.";
    Engine = "engine", "The job engine.";
    DeadLetter = "dead", "Dead letter.";
    Calendar = "sched", "The scheduler.";
    Runs = "runs", "Runs.";
    Scan = "scan", "Scanner and targets.";
    Tray = "dls", "Downloads.";
    Gear = "gear", "Settings.";
    Terminal = "term", "A command line.";
    Link = "link", "A link, or a hash chain.";
    Lock = "lock", "Not allowed, or read-only.";
    Plug = "plug", "Connected.";
    Unplugged = "unplug", "Not connected.";
    Beat = "beat", "A heartbeat.";
    Package = "box", "A package or source.";
    Clock = "clock", "A time.";
    Play = "play", "Start or follow.";
    Pause = "pause", "Freeze.";
    Stop = "stop", "Cancel.";
    Bolt = "kev", "Known to be exploited.";
    Flag = "flag", "Flagged.";
    File = "file", "A file.";
    Graph = "graph", "A graph.";
    Sorted = "sort", "Sorted, largest first.";
    Drive = "usb", "A removable drive.";
    Enter = "enter", "The Enter key.";
}

/// How large a shape is drawn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum IconSize {
    /// 16 px, in navigation and heads.
    #[default]
    Normal,
    /// 14 px, beside a word.
    Small,
    /// 12 px, inside a tag or a table head.
    Tiny,
}

/// What an [`Icon`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct IconProps {
    /// Which shape.
    pub shape: Shape,
    /// How large.
    #[prop_or_default]
    pub size: IconSize,
    /// Turns slowly while something is at work, where motion is welcome.
    #[prop_or_default]
    pub spin: bool,
}

/// One shape. It is never read out: the word beside it says the same.
#[component]
pub fn Icon(props: &IconProps) -> Html {
    let size = match props.size {
        IconSize::Normal => None,
        IconSize::Small => Some("i-14"),
        IconSize::Tiny => Some("i-12"),
    };
    html! {
        <svg class={classes!("i", size, props.spin.then_some("spin"))} aria-hidden="true" focusable="false">
            <use href={props.shape.href()} />
        </svg>
    }
}

/// The drawings themselves; mounted once, before anything that uses them.
#[component]
pub fn Symbols() -> Html {
    Html::from_html_unchecked(AttrValue::Static(SYMBOLS))
}

const SYMBOLS: &str = include_str!("../../styles/symbols.svg");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_has_its_drawing_and_every_drawing_its_shape() {
        for shape in Shape::ALL {
            let symbol = format!("<symbol id=\"{}\"", shape.href().trim_start_matches('#'));
            assert!(SYMBOLS.contains(&symbol), "{shape:?}");
        }
        assert_eq!(SYMBOLS.matches("<symbol").count(), Shape::ALL.len());
    }

    #[test]
    fn drawings_name_no_colour_of_their_own() {
        assert!(!SYMBOLS.contains("=\"#"), "a drawing takes currentColor or a token");
        assert!(
            !SYMBOLS.contains("style="),
            "a style attribute is ignored under our content security policy"
        );
    }
}
