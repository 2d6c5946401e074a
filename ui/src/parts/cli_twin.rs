//! The command line that does or shows the same as the page.

use crate::kit::{Button, CommandLine, Shape, use_copy, use_keys};
use crate::store::use_session;
use yew::prelude::*;

/// Puts a command together; words with anything but plain characters are quoted.
pub fn command(words: &[&str]) -> String {
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:=,@%+".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// What a [`CliTwin`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct CliTwinProps {
    /// The words after `stella`, each one argument.
    pub words: Vec<AttrValue>,
    /// A button only, as in a page head.
    #[prop_or_default]
    pub button: bool,
}

/// The tenant the command line works for when none is named.
const DEFAULT_TENANT: &str = "default";

/// The command line with a copy button; tenant and server are named where the command would mean others without.
#[component]
pub fn CliTwin(props: &CliTwinProps) -> Html {
    let session = use_session();
    let mut words = vec!["stella"];
    words.extend(props.words.iter().map(AttrValue::as_str));
    if let Some(tenant) = session.tenant.as_ref().filter(|tenant| tenant.as_str() != DEFAULT_TENANT) {
        words.extend(["--tenant", tenant.as_str()]);
    }
    let server = session.api().transport().server();
    if let Some(server) = &server {
        words.extend(["--server", server]);
    }
    let command = AttrValue::from(command(&words));
    let (copied, copy) = use_copy(command.clone());
    {
        let (copy, button) = (copy.clone(), props.button);
        // The page's own command; those in drawers and dialogs have their button.
        use_keys(move |key| {
            let used = button && key.name == "c" && !key.ctrl;
            if used {
                copy.emit(());
            }
            used
        });
    }
    if props.button {
        return html! {
            <Button small={true} icon={if copied { Shape::Check } else { Shape::Copy }} on_click={copy}>
                { if copied { "Copied" } else { "Copy as CLI" } }
            </Button>
        };
    }
    html! { <CommandLine {command} /> }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_with_blanks_and_quotes_are_one_word_to_a_shell() {
        assert_eq!(
            command(&["stella", "runs", "cancel", "--run", "run:acme:2026:ab", "--reason", "it's late"]),
            r"stella runs cancel --run run:acme:2026:ab --reason 'it'\''s late'"
        );
        assert_eq!(command(&["a", ""]), "a ''");
    }
}
