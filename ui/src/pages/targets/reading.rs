//! Reads the files that were picked or dropped, one after the other.

use crate::api::{Api, Problem};
use stella_contract::target::{SbomImported, SbomPlace};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;

/// What became of one file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Outcome {
    /// The file's name.
    pub file: String,
    /// The target it became, or why it did not.
    pub result: Result<SbomImported, Problem>,
}

/// Where all picked files belong; empty fields are taken from each SBOM.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Place {
    /// Where it runs.
    pub namespace: String,
    /// Where it comes from.
    pub repository: String,
}

impl Place {
    /// The same for one file.
    pub(super) fn of(&self, file: &str) -> SbomPlace {
        let some = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        SbomPlace {
            namespace: some(&self.namespace),
            repository: some(&self.repository),
            file: Some(file.to_owned()),
            ..SbomPlace::default()
        }
    }
}

/// Imports one file of the browser's.
pub(super) async fn import(api: &Api, place: &Place, file: web_sys::File) -> Outcome {
    let name = file.name();
    let result = match text_of(&file).await {
        Ok(text) => api.import_sbom(&place.of(&name), text).await,
        Err(why) => Err(Problem::Unreadable { path: name.clone(), why }),
    };
    Outcome { file: name, result }
}

async fn text_of(file: &web_sys::File) -> Result<String, String> {
    let blob: &web_sys::Blob = file.unchecked_ref();
    let text = JsFuture::from(blob.text()).await.map_err(|_| "the file cannot be read".to_owned())?;
    text.as_string().ok_or_else(|| "the file is not text".to_owned())
}

/// Good, unchanged and refused ones, in a sentence.
pub(super) fn summary(outcomes: &[Outcome]) -> String {
    let refused = outcomes.iter().filter(|one| one.result.is_err()).count();
    let unchanged =
        outcomes.iter().filter(|one| one.result.as_ref().is_ok_and(|imported| imported.unchanged)).count();
    let kept = outcomes.len() - refused - unchanged;
    format!("{kept} imported, {unchanged} unchanged, {refused} refused")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_places_are_left_to_the_sbom() {
        let place = Place { namespace: " prod ".into(), repository: "  ".into() };
        let sbom = place.of("a.json");
        assert_eq!((sbom.namespace.as_deref(), sbom.repository), (Some("prod"), None));
        assert_eq!(sbom.file.as_deref(), Some("a.json"));
    }

    #[test]
    fn a_refused_file_is_counted_apart() {
        let refused = Outcome { file: "a".into(), result: Err(Problem::Unreachable) };
        assert_eq!(summary(&[refused]), "0 imported, 0 unchanged, 1 refused");
    }
}
