//! What stands around every page: top bar, navigation, banners, palette, keyboard map.

mod banners;
mod keymap;
mod ledger_failure;
mod nav;
mod palette;
pub mod search;
mod topbar;

pub use banners::Banners;
pub use keymap::Keymap;
pub use ledger_failure::LedgerFailure;
pub use nav::Nav;
pub use palette::Palette;
pub use topbar::TopBar;

use stella_contract::route::Route;

/// Where `g` and this letter lead.
pub fn chord(letter: &str) -> Option<Route> {
    search::CHORDS.iter().find(|(key, _, _)| *key == letter).map(|(_, _, route)| route.clone())
}
