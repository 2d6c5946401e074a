//! `stella findings matches`: findings taken apart again, one row per component and advisory record, as other scanners
//! print them, so that two results can be compared line by line.

use crate::door::Door;
use crate::failure::Failure;
use crate::findings::Filter;
use crate::output::Output;
use crate::table::Table;
use clap::Args;
use futures::TryStreamExt as _;
use serde::Serialize;
use std::collections::BTreeSet;
use stella_contract::finding::{ExplainQuery, Explanation};

/// How many explanations are asked for side by side.
const AT_ONCE: usize = 8;

#[derive(Debug, Args)]
pub(crate) struct Matches {
    #[command(flatten)]
    filter: Filter,
    /// Comma-separated values: purl, advisory_id, aliases, kev.
    #[arg(long)]
    csv: bool,
}

/// One component and one record that matches it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
struct Match {
    purl: String,
    advisory_id: String,
    aliases: Vec<String>,
    kev: bool,
}

impl Matches {
    /// What a record said by itself is kept in the explanation; the finding holds the names of all its records.
    pub(crate) async fn obey(&self, door: &Door, output: &Output) -> Result<(), Failure> {
        let findings = door.client.findings();
        let explained = findings.all(self.filter.wanted()).map_ok(|finding| async move {
            let which = ExplainQuery {
                target: finding.target_id,
                purl: finding.purl,
                vulnerability: finding.vulnerability_id,
            };
            findings.explain(&which).await
        });
        let explained: Vec<Explanation> = explained.try_buffer_unordered(AT_ONCE).try_collect().await?;
        let rows: BTreeSet<Match> = explained.iter().flat_map(matches_of).collect();
        let rows: Vec<Match> = rows.into_iter().collect();
        if self.csv {
            return output.text(&csv_of(&rows));
        }
        if output.as_json() {
            return rows.iter().try_for_each(|row| output.ndjson(row));
        }
        let table = Table::new(&["PURL", "RECORD", "KEV", "ALIASES"]).rows(&rows, |row| {
            [
                row.purl.clone(),
                row.advisory_id.clone(),
                if row.kev { "KEV".to_owned() } else { "-".to_owned() },
                row.aliases.join(" "),
            ]
        });
        output.text(&table.to_string())
    }
}

/// One row per step that is a record's.
fn matches_of(explanation: &Explanation) -> impl Iterator<Item = Match> {
    let finding = &explanation.finding;
    let of_records = explanation.steps.iter().filter(|step| finding.record_ids.contains(&step.source));
    of_records.map(|step| Match {
        purl: finding.purl.clone(),
        advisory_id: step.source.clone(),
        aliases: step.aliases.clone(),
        kev: step.kev,
    })
}

fn csv_of(rows: &[Match]) -> String {
    let mut text = "purl,advisory_id,aliases,kev\n".to_owned();
    for row in rows {
        let cells = [&row.purl, &row.advisory_id, &row.aliases.join(" "), &row.kev.to_string()]
            .map(|cell| quoted(cell));
        text.push_str(&cells.join(","));
        text.push('\n');
    }
    text
}

fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) {
        return format!("\"{}\"", cell.replace('"', "\"\""));
    }
    cell.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_merged_finding_comes_apart_into_its_records_with_their_own_names() {
        let explanation: Explanation = serde_json::from_value(serde_json::json!({
            "finding": {
                "targetId": "tgt_01890000-0000-7000-8000-000000000001", "targetName": "till", "targetVersion": "1",
                "purl": "pkg:pypi/a@1", "vulnerabilityId": "CVE-2026-1", "recordIds": ["DEMO-1", "DEMO-2"],
                "aliases": ["CVE-2026-2"], "severity": "high", "kev": true, "status": "affected", "quieted": false,
                "firstRunId": "run:acme:20261121T140815Z:9c1f04ab", "firstSeenAt": "2026-11-21T14:08:15.000Z",
            },
            "steps": [
                { "source": "DEMO-2", "matched": "version 1", "aliases": ["CVE-2026-1", "CVE-2026-2"], "kev": true },
                { "source": "DEMO-1", "matched": "version 1", "aliases": ["CVE-2026-1"] },
                { "source": "KEV", "matched": "CVE-2026-2 is known to be exploited", "kev": true },
            ],
        }))
        .unwrap();
        let rows: Vec<Match> = matches_of(&explanation).collect();
        let text = "purl,advisory_id,aliases,kev\n\
             pkg:pypi/a@1,DEMO-2,CVE-2026-1 CVE-2026-2,true\n\
             pkg:pypi/a@1,DEMO-1,CVE-2026-1,false\n";
        assert_eq!(csv_of(&rows), text);
    }

    #[test]
    fn a_cell_with_a_comma_is_quoted() {
        assert_eq!(quoted("a,b"), "\"a,b\"");
        assert_eq!(quoted("say \"a\""), "\"say \"\"a\"\"\"");
        assert_eq!(quoted("plain"), "plain");
    }
}
