//! The README says only what is so: its links and pictures exist, and its `cargo xtask` commands are ones of ours.

use crate::Arguments;
use crate::shell::root;
use anyhow::{Context, Result, bail};
use clap::Parser;
use std::fs;
use std::path::Path;

/// Checks every text that a newcomer reads.
pub(crate) fn check() -> Result<()> {
    let mut faults = Vec::new();
    for name in ["README.md", "CHANGELOG.md"] {
        let file = root().join(name);
        let text = fs::read_to_string(&file).with_context(|| format!("{name} cannot be read"))?;
        for link in links(&text).filter(|link| !leads(&file, link)) {
            faults.push(format!("{name}: `{link}` leads nowhere"));
        }
        for line in commands(&text).filter(|line| !is_known(line)) {
            faults.push(format!("{name}: `{line}` is no command of ours"));
        }
    }
    if !faults.is_empty() {
        bail!("{}", faults.join("\n"));
    }
    Ok(())
}

/// The targets of Markdown links and pictures.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link)
}

fn leads(from: &Path, link: &str) -> bool {
    if link.starts_with("https://") || link.starts_with("http://") || link.starts_with('#') {
        return true;
    }
    let path = link.split(['#', ' ']).next().unwrap_or(link);
    from.parent().is_some_and(|folder| folder.join(path).exists())
}

/// Lines of code blocks that call this program.
fn commands(text: &str) -> impl Iterator<Item = &str> {
    let mut inside = false;
    text.lines().filter(move |line| {
        if line.starts_with("```") {
            inside = !inside;
        }
        inside && line.trim_start().starts_with("cargo xtask")
    })
}

fn is_known(line: &str) -> bool {
    let line = line.split('#').next().unwrap_or(line);
    let words = line.split_whitespace().skip(1).filter(|word| !word.starts_with('['));
    Arguments::try_parse_from(words).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read_from_code_blocks_only() {
        let text = "`cargo xtask nothing`\n```sh\ncargo xtask run --demo   # with data\necho\n```\ncargo xtask later\n";
        assert_eq!(commands(text).collect::<Vec<_>>(), ["cargo xtask run --demo   # with data"]);
    }

    #[test]
    fn a_command_that_is_not_ours_is_noticed() {
        assert!(is_known("cargo xtask run --demo   # with data"));
        assert!(is_known("cargo xtask test unit bench-once"));
        assert!(!is_known("cargo xtask fly"));
    }

    #[test]
    fn links_are_found_with_and_without_a_picture() {
        let found: Vec<_> = links("[a](b.md) and ![c](d/e.png)").collect();
        assert_eq!(found, ["b.md", "d/e.png"]);
    }
}
