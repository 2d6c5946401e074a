//! What the program was started with: a link to open, and whether to draw without the graphics card.

use stella_contract::route;

/// The command line, understood.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Arguments {
    /// Draw in the plainest way.
    pub(crate) safe_graphics: bool,
    /// The page that a link names.
    pub(crate) route: Option<String>,
}

impl Arguments {
    /// Reads them; what is not understood is left out, for a desktop may add words of its own.
    pub(crate) fn read<S: AsRef<str>>(words: impl IntoIterator<Item = S>) -> Self {
        let mut arguments = Self::default();
        for word in words.into_iter().skip(1) {
            match word.as_ref() {
                "--safe-graphics" => arguments.safe_graphics = true,
                link => arguments.route = route::from_deep_link(link).or(arguments.route),
            }
        }
        arguments
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_found_among_other_words() {
        let read =
            Arguments::read(["stella-operator", "--something", "stella://console/runs?tab=active#top"]);
        assert_eq!(read.route.as_deref(), Some("/ops/operations/scheduler/runs?tab=active#top"));
        assert!(!read.safe_graphics);
    }

    #[test]
    fn a_link_to_nothing_of_ours_opens_nothing() {
        for link in [
            "stella://example.org/x",
            "https://console/runs",
            "stella://console/runs/not%20an%20id",
            "--help",
        ] {
            assert_eq!(Arguments::read(["stella-operator", link]).route, None, "{link}");
        }
    }

    #[test]
    fn the_name_of_the_program_is_no_argument() {
        assert_eq!(Arguments::read(["--safe-graphics"]), Arguments::default());
        assert!(Arguments::read(["stella-operator", "--safe-graphics"]).safe_graphics);
    }
}
