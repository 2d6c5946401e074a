//! What a person's hand does: presses keys, fills in fields by their label, chooses in dialogs.

use std::path::Path;
use std::time::Duration;
use thirtyfour::prelude::*;

/// How long a page may take to show what is waited for.
const PATIENCE: Duration = Duration::from_secs(20);
const GLANCE: Duration = Duration::from_millis(50);

/// Presses keys on the page, where no field has the focus.
pub async fn press(driver: &WebDriver, keys: impl Into<TypingData>) {
    driver.action_chain().send_keys(keys).perform().await.unwrap();
}

/// Presses a key together with Ctrl.
pub async fn press_ctrl(driver: &WebDriver, key: &str) {
    let chain = driver.action_chain().key_down(Key::Control).send_keys(key).key_up(Key::Control);
    chain.perform().await.unwrap();
}

/// Types into the field with this label, in place of what stands there.
pub async fn fill(driver: &WebDriver, label: &str, text: &str) {
    let field = labelled(driver, label).await;
    // Chosen and typed over: emptying it by the driver tells the page nothing, and the next drawing would undo it.
    field.send_keys(Key::Control + "a").await.unwrap();
    field.send_keys(text).await.unwrap();
}

/// Chooses in the list with this label.
pub async fn choose(driver: &WebDriver, label: &str, value: &str) {
    let field = labelled(driver, label).await;
    let option = field.find(By::Css(format!("option[value='{value}']"))).await.unwrap();
    option.click().await.unwrap();
}

/// Hands a file to the dialog's file input.
pub async fn hand_over(driver: &WebDriver, file: &Path) {
    let input = see(driver, "//dialog//input[@type='file']").await;
    input.send_keys(file.to_str().unwrap()).await.unwrap();
}

/// Presses the button with this name in the open dialog, or on the page where none is open.
pub async fn push(driver: &WebDriver, name: &str) {
    let dialog = "//dialog[@open]";
    let inside = driver.find_all(By::XPath(dialog)).await.unwrap();
    let within = if inside.is_empty() { "" } else { dialog };
    let button = format!("{within}//button[starts-with(normalize-space(.), {name:?}) and not(@disabled)]");
    see(driver, &button).await.click().await.unwrap();
}

/// Waits until no dialog is open.
pub async fn dialog_closed(driver: &WebDriver) {
    see(driver, "//body[not(.//dialog[@open])]").await;
}

/// Waits for what an XPath leads to.
pub async fn see(driver: &WebDriver, path: &str) -> WebElement {
    see_within(driver, path, PATIENCE).await
}

/// The same for what takes its time.
pub async fn see_within(driver: &WebDriver, path: &str, patience: Duration) -> WebElement {
    match driver.query(By::XPath(path.to_owned())).wait(patience, GLANCE).first().await {
        Ok(element) => element,
        Err(error) => {
            let place = driver.current_url().await.map(|url| url.to_string()).unwrap_or_default();
            let text = driver.find(By::Css("body")).await.unwrap().text().await.unwrap_or_default();
            panic!("{path} did not appear at {place}: {error}\nThe page says:\n{text}");
        }
    }
}

/// Waits until these words stand anywhere in one element's text.
pub async fn read(driver: &WebDriver, words: &str) -> WebElement {
    see(driver, &format!("//body//*[not(self::script)][contains(normalize-space(.), {words:?})]")).await
}

/// Runs a script on the page and reads what it returns.
pub async fn ask<T: serde::de::DeserializeOwned>(driver: &WebDriver, script: &str) -> T {
    driver.execute(script, vec![]).await.unwrap().convert().unwrap()
}

async fn labelled(driver: &WebDriver, label: &str) -> WebElement {
    let named = format!("label[.//span[normalize-space(.)={label:?}] or normalize-space(.)={label:?}]");
    let path = format!("//*[@id=//{named}/@for] | //*[@aria-label={label:?}]");
    see(driver, &path).await
}
