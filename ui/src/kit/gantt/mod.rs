//! A Gantt chart: a row for each lane, bars over time, a line for now. Only the rows in view are drawn.

pub mod layout;
mod view;

use yew::AttrValue;

pub use layout::Span;
pub use view::{GanttChart, GanttChartProps, Hatches};

/// How a bar is filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BarLook {
    /// A thin line: ready and waiting.
    Wait,
    /// Outlined: taken, not begun.
    Taken,
    /// Hatched in the colour of warning: held back.
    Held,
    /// Hatched in grey: resting before another try.
    Rest,
    /// Solid, being worked on.
    Live,
    /// Solid, ended well.
    Ok,
    /// Solid, failed.
    Bad,
    /// Solid grey: ended without a result.
    Idle,
}

impl BarLook {
    /// The class that draws it.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Wait => "gb-wait",
            Self::Taken => "gb-taken",
            Self::Held => "gb-held",
            Self::Rest => "gb-rest",
            Self::Live => "gb-live",
            Self::Ok => "gb-ok",
            Self::Bad => "gb-bad",
            Self::Idle => "gb-idle",
        }
    }
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GanttLane {
    /// Its name.
    pub label: AttrValue,
    /// Marked at its left and in strong ink.
    pub strong: bool,
}

/// One bar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GanttBar {
    /// The row, as a place in the list of lanes.
    pub lane: usize,
    /// What it stands for; several bars may stand for one thing.
    pub id: AttrValue,
    /// Its beginning, in milliseconds.
    pub from: i64,
    /// Its end.
    pub to: i64,
    /// How it is filled.
    pub look: BarLook,
    /// Its words, for assistive technology and on hover.
    pub label: AttrValue,
}
