// Starts the interface. A file of its own, so that the content security policy needs no inline script.
import init from "/stella-ui.js";

init({ module_or_path: "/stella-ui_bg.wasm" });
