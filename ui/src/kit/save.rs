//! Saves a text as a file, the browser's own way.

use wasm_bindgen::JsCast;

/// Hands a text to the browser as a download; does nothing where there is none.
pub fn save_file(name: &str, text: &str) {
    // A browser that refuses leaves the text on the screen, where it can be copied.
    let _ = download(name, text);
}

fn download(name: &str, text: &str) -> Option<()> {
    let parts = js_sys::Array::of1(&text.into());
    let blob = web_sys::Blob::new_with_str_sequence(&parts).ok()?;
    let address = web_sys::Url::create_object_url_with_blob(&blob).ok()?;
    let document = web_sys::window()?.document()?;
    let link: web_sys::HtmlAnchorElement = document.create_element("a").ok()?.dyn_into().ok()?;
    link.set_href(&address);
    link.set_download(name);
    link.click();
    // The download holds its own copy by now.
    web_sys::Url::revoke_object_url(&address).ok()
}
