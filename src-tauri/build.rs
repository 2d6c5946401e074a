//! Names the commands that the pages may call, so that each needs a permission, and makes sure that there is a page to
//! build in.

use std::fs;
use std::path::Path;

/// The commands; each becomes a permission `allow-<command>`, and `capabilities/main.json` lists those that the window has.
const COMMANDS: &[&str] = &[
    "api",
    "connection",
    "pick_files",
    "preferences_get",
    "preferences_set",
    "reopen_ledger",
    "take_pending_route",
    "ui_ready",
];

/// What the window shows when nobody built the interface.
const NOT_BUILT: &str = "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Stella Operator</title></head>\
                         <body><p>The interface is not built. Start the application with <code>cargo xtask run</code>.</p></body></html>\n";

fn main() {
    // The pages are built into the program, and Tauri stops when their folder is missing.
    let pages = Path::new("../ui/dist");
    if !pages.join("index.html").exists() {
        fs::create_dir_all(pages).expect("ui/dist can be made");
        fs::write(pages.join("index.html"), NOT_BUILT).expect("ui/dist can be written");
    }
    println!("cargo:rerun-if-changed=../ui/dist");
    let manifest = tauri_build::AppManifest::new().commands(COMMANDS);
    tauri_build::try_build(tauri_build::Attributes::new().app_manifest(manifest))
        .expect("tauri.conf.json and the capabilities fit together");
}
