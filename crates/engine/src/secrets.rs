//! Secrets of far sides, found by their names when they are needed. Only names are stored, shown and logged.
//!
//! Whoever runs the core decides which secrets there are: a source can name one of them, never a variable or a file of
//! its own choice.

use crate::engine::Engine;
use crate::fetch::FetchError;
use std::fmt;
use std::path::Path;
use stella_contract::job::ErrorClass;

/// The longest name.
const LONGEST_NAME: usize = 200;
/// A variable of the environment that holds a secret begins with this.
const VARIABLE: &str = "STELLA_SECRET_";
/// The folder of secrets, beside that of the blobs: one file each.
const FOLDER: &str = "secrets";

/// A secret, as it is sent.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Secret {
    /// The value of the `Authorization` header: one that names no scheme is a bearer token.
    pub(crate) fn authorization(&self) -> String {
        if self.0.contains(' ') { self.0.clone() } else { format!("Bearer {}", self.0) }
    }
}

/// Whether a text can be the name of a secret: words of letters, digits, `.`, `_` and `-`, with `/` between them.
pub(crate) fn is_name(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    let is_word = |word: &str| !word.is_empty() && !word.starts_with('.') && word.bytes().all(is_plain);
    text.len() <= LONGEST_NAME && text.split('/').all(is_word)
}

/// The variable that holds the secret of this name.
fn variable(name: &str) -> String {
    let letter =
        |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_uppercase() } else { '_' };
    format!("{VARIABLE}{}", name.chars().map(letter).collect::<String>())
}

impl Engine {
    /// The secret that a source names, when it names one.
    pub(crate) fn secret(&self, name: Option<&str>) -> Result<Option<Secret>, FetchError> {
        let Some(name) = name else { return Ok(None) };
        let folder = self.options().blobs.parent().unwrap_or(Path::new("")).join(FOLDER);
        find(name, &folder).map(Some)
    }
}

fn find(name: &str, folder: &Path) -> Result<Secret, FetchError> {
    let variable = variable(name);
    let from_file = || is_name(name).then(|| std::fs::read_to_string(folder.join(name)).ok()).flatten();
    let text = std::env::var(&variable).ok().or_else(from_file).unwrap_or_default();
    let text = text.trim();
    if text.is_empty() || text.chars().any(char::is_control) {
        let message = format!(
            "the secret `{name}` of the source is not there; set the variable {variable} for the core, or write its file \
             in {}, as one line",
            folder.display()
        );
        return Err(FetchError::new(ErrorClass::Auth, message));
    }
    Ok(Secret(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_never_leads_out_of_the_folder() {
        for name in ["nvd", "feeds/go", "a.b-c_d/1"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "/etc/passwd", "../key", "a/../b", "a//b", "a b", ".hidden", "a\nb"] {
            assert!(!is_name(name), "{name}");
        }
        assert_eq!(variable("feeds/go-1"), "STELLA_SECRET_FEEDS_GO_1");
    }

    #[test]
    fn a_secret_is_read_from_its_file_and_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("feeds")).unwrap();
        std::fs::write(folder.path().join("feeds/go"), "s3cret\n").unwrap();
        std::fs::write(folder.path().join("basic"), "Basic dXNlcjpwYXNz").unwrap();
        std::fs::write(folder.path().join("empty"), "\n").unwrap();
        let secret = find("feeds/go", folder.path()).unwrap();
        assert_eq!(secret.authorization(), "Bearer s3cret");
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        assert_eq!(find("basic", folder.path()).unwrap().authorization(), "Basic dXNlcjpwYXNz");
        for missing in ["empty", "none", "../feeds/go"] {
            let error = find(missing, folder.path()).unwrap_err();
            assert_eq!(error.class, ErrorClass::Auth);
            assert!(error.message.contains("STELLA_SECRET_"), "{}", error.message);
        }
    }
}
