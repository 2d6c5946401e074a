//! The accessibility checker axe, shown a page that stands. The page's own policy lets no foreign script in, so that it
//! comes through the driver.

use serde::Deserialize;
use serde_json::json;
use std::path::PathBuf;
use thirtyfour::prelude::*;

/// Names the script; the step `browser` of `cargo xtask test` brings it and sets this.
const PLACE: &str = "STELLA_AXE";

/// What counts: WCAG 2.2 at its levels A and AA.
const RULES: [&str; 5] = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
/// What is told and does not count.
const ADVICE: &str = "best-practice";

const LOOK: &str = r#"
const [rules, done] = arguments;
axe.run(document, { runOnly: rules, resultTypes: ["violations"] }).then(
  answer => done(answer.violations.map(one => ({
    rule: one.id, impact: one.impact || "minor", tags: one.tags, help: one.help,
    places: one.nodes.map(node => node.target.flat().join(" ") + " — " + (node.failureSummary || "").split("\n").slice(1, 3).join(" ").trim()),
  }))),
  error => done([{ rule: "axe", impact: "critical", tags: rules, help: String(error), places: [] }]));
"#;

/// How much a violation hinders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Impact {
    Minor,
    Moderate,
    Serious,
    Critical,
}

/// A rule that a page breaks.
#[derive(Debug, Clone, Deserialize)]
pub struct Violation {
    pub rule: String,
    pub impact: Impact,
    pub help: String,
    /// Each element, and what is wrong with it.
    pub places: Vec<String>,
    tags: Vec<String>,
}

impl Violation {
    /// Whether it breaks the standard, or only what is good practice.
    pub fn counts(&self) -> bool {
        self.tags.iter().any(|tag| RULES.contains(&tag.as_str()))
    }

    /// Whether it keeps somebody out.
    pub fn is_grave(&self) -> bool {
        self.counts() && self.impact >= Impact::Serious
    }
}

/// The checker.
pub struct Axe {
    script: String,
}

impl Axe {
    /// Reads its script.
    pub fn found() -> Self {
        let place = std::env::var_os(PLACE).map(PathBuf::from);
        let script = place.as_ref().and_then(|place| std::fs::read_to_string(place).ok());
        let script = script.unwrap_or_else(|| {
            panic!("{PLACE} names no file ({place:?}): it is `axe.min.js`, which `cargo xtask test browser` brings")
        });
        Self { script }
    }

    /// What is wrong with the page that is open.
    pub async fn look(&self, driver: &WebDriver) -> Vec<Violation> {
        let there = driver.execute("return typeof axe === 'object';", vec![]).await.unwrap();
        if !there.convert::<bool>().unwrap() {
            driver.execute(&self.script, vec![]).await.unwrap();
        }
        let rules: Vec<&str> = RULES.into_iter().chain([ADVICE]).collect();
        driver.execute_async(LOOK, vec![json!(rules)]).await.unwrap().convert().unwrap()
    }
}
