//! What a person's hand does: presses keys, fills in fields by their label, chooses in dialogs.

use std::path::Path;
use stella_tests::chromium::Browser;
use thirtyfour::prelude::*;

/// Presses keys on the page, where no field has the focus.
pub(crate) async fn press(browser: &Browser, keys: impl Into<TypingData>) {
    browser.driver.action_chain().send_keys(keys).perform().await.unwrap();
}

/// Presses a key together with Ctrl.
pub(crate) async fn press_ctrl(browser: &Browser, key: &str) {
    let chain = browser.driver.action_chain().key_down(Key::Control).send_keys(key).key_up(Key::Control);
    chain.perform().await.unwrap();
}

/// Types into the field with this label, in place of what stands there.
pub(crate) async fn fill(browser: &Browser, label: &str, text: &str) {
    let field = labelled(browser, label).await;
    // Chosen and typed over: emptying it by the driver tells the page nothing, and the next drawing would undo it.
    field.send_keys(Key::Control + "a").await.unwrap();
    field.send_keys(text).await.unwrap();
}

/// Chooses in the list with this label.
pub(crate) async fn choose(browser: &Browser, label: &str, value: &str) {
    let field = labelled(browser, label).await;
    let option = field.find(By::Css(format!("option[value='{value}']"))).await.unwrap();
    option.click().await.unwrap();
}

/// Hands a file to the dialog's file input.
pub(crate) async fn hand_over(browser: &Browser, file: &Path) {
    let input = browser.find("dialog input[type='file']").await;
    input.send_keys(file.to_str().unwrap()).await.unwrap();
}

/// Presses the button with this name in the open dialog, or on the page where none is open.
pub(crate) async fn push(browser: &Browser, name: &str) {
    let dialog = "//dialog[@open]";
    let inside = browser.driver.find_all(By::XPath(dialog)).await.unwrap();
    let within = if inside.is_empty() { "" } else { dialog };
    let button = format!("{within}//button[starts-with(normalize-space(.), {name:?}) and not(@disabled)]");
    see(browser, &button).await.click().await.unwrap();
}

/// Waits until no dialog is open.
pub(crate) async fn dialog_closed(browser: &Browser) {
    see(browser, "//body[not(.//dialog[@open])]").await;
}

/// Waits for what an XPath leads to.
pub(crate) async fn see(browser: &Browser, path: &str) -> WebElement {
    let found = browser
        .driver
        .query(By::XPath(path.to_owned()))
        .wait(std::time::Duration::from_secs(20), std::time::Duration::from_millis(50))
        .first()
        .await;
    match found {
        Ok(element) => element,
        Err(error) => {
            let text = browser.driver.find(By::Css("body")).await.unwrap().text().await.unwrap_or_default();
            panic!("{path} did not appear at {}: {error}\nThe page says:\n{text}", browser.location().await);
        }
    }
}

/// Waits until these words stand anywhere in one element's text.
pub(crate) async fn read(browser: &Browser, words: &str) -> WebElement {
    see(browser, &format!("//body//*[not(self::script)][contains(normalize-space(.), {words:?})]")).await
}

/// Runs a script on the page and reads what it returns.
pub(crate) async fn ask<T: serde::de::DeserializeOwned>(browser: &Browser, script: &str) -> T {
    browser.driver.execute(script, vec![]).await.unwrap().convert().unwrap()
}

async fn labelled(browser: &Browser, label: &str) -> WebElement {
    let named = format!("label[.//span[normalize-space(.)={label:?}] or normalize-space(.)={label:?}]");
    let path = format!("//*[@id=//{named}/@for] | //*[@aria-label={label:?}]");
    see(browser, &path).await
}
