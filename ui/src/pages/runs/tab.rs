//! The tabs of the runs page: runs by outcome, and the fires that will start the next ones.

use stella_contract::run::RunTab;

/// A tab of the runs page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RunsTab {
    /// Runs by outcome.
    Runs(RunTab),
    /// Coming fires of schedules.
    Scheduled,
}

impl RunsTab {
    /// All of them, in order.
    pub(super) const ALL: [Self; 4] = [
        Self::Runs(RunTab::Active),
        Self::Runs(RunTab::Completed),
        Self::Scheduled,
        Self::Runs(RunTab::Failures),
    ];

    /// Its word in the address.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Runs(tab) => tab.as_str(),
            Self::Scheduled => "scheduled",
        }
    }
    /// Its word on the screen.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Runs(tab) => title(tab),
            Self::Scheduled => "Scheduled",
        }
    }
}

impl std::str::FromStr for RunsTab {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|tab| tab.as_str() == text).ok_or(())
    }
}

/// The word of a tab of runs on the screen.
pub(super) const fn title(tab: RunTab) -> &'static str {
    match tab {
        RunTab::Active => "Active",
        RunTab::Completed => "Completed",
        RunTab::Failures => "Failures",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tab_reads_back_from_the_address() {
        for tab in RunsTab::ALL {
            assert_eq!(tab.as_str().parse(), Ok(tab));
        }
        assert_eq!("summary".parse::<RunsTab>(), Err(()), "a tab of the drawer is none of the page");
        assert_eq!(RunTab::ALL.len() + 1, RunsTab::ALL.len(), "every tab of runs stands among them");
    }
}
