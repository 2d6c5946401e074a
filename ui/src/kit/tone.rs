//! The five roles of colour. Colour is never alone: a shape and a word stand beside it.

/// What a colour says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Tone {
    /// Not started, or ended without a result.
    #[default]
    Idle,
    /// Being worked on.
    Live,
    /// Ended well, trusted.
    Ok,
    /// Held, degraded: look here.
    Warn,
    /// Failed, refused, untrusted.
    Bad,
}

impl Tone {
    /// The class that colours text and shape.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Idle => "k-idle",
            Self::Live => "k-live",
            Self::Ok => "k-ok",
            Self::Warn => "k-warn",
            Self::Bad => "k-bad",
        }
    }

    /// The class that fills a bar.
    pub const fn fill(self) -> &'static str {
        match self {
            Self::Idle => "bg-3",
            Self::Live => "bg-live",
            Self::Ok => "bg-ok",
            Self::Warn => "bg-warn",
            Self::Bad => "bg-bad",
        }
    }
}
