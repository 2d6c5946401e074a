//! Starts the interface in the document it was loaded into.

fn main() {
    stella_ui::mount();
}
