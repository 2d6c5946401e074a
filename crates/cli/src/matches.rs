//! `stella findings matches`: findings taken apart again, one row per component and advisory record, as other scanners
//! print them, so that two results can be compared line by line.

use crate::door::Door;
use crate::failure::Failure;
use crate::findings::Filter;
use crate::output::Output;
use crate::table::Table;
use clap::Args;
use serde::Serialize;
use std::collections::BTreeSet;
use stella_contract::finding::Finding;
use stella_sdk::collect_all;

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
    pub(crate) async fn obey(&self, door: &Door, output: &Output) -> Result<(), Failure> {
        let findings = collect_all(door.client.findings().all(self.filter.wanted())).await?;
        let rows: BTreeSet<Match> = findings.iter().flat_map(matches_of).collect();
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

/// A record's aliases are the vulnerability's other names but its own.
fn matches_of(finding: &Finding) -> impl Iterator<Item = Match> {
    let names: BTreeSet<&String> =
        finding.aliases.iter().chain([&finding.vulnerability_id]).chain(&finding.record_ids).collect();
    finding.record_ids.iter().map(move |record| Match {
        purl: finding.purl.clone(),
        advisory_id: record.clone(),
        aliases: names.iter().filter(|name| **name != record).map(|name| (*name).clone()).collect(),
        kev: finding.kev,
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
    fn a_merged_finding_comes_apart_into_its_records() {
        let finding: Finding = serde_json::from_value(serde_json::json!({
            "targetId": "tgt_01890000-0000-7000-8000-000000000001", "targetName": "till", "targetVersion": "1",
            "purl": "pkg:pypi/a@1", "vulnerabilityId": "CVE-2026-1", "recordIds": ["DEMO-1", "DEMO-2"],
            "aliases": ["GHSA-x"], "severity": "high", "kev": true, "status": "affected", "quieted": false,
            "firstRunId": "run:acme:20261121T140815Z:9c1f04ab", "firstSeenAt": "2026-11-21T14:08:15.000Z",
        }))
        .unwrap();
        let rows: Vec<Match> = matches_of(&finding).collect();
        let text = "purl,advisory_id,aliases,kev\n\
             pkg:pypi/a@1,DEMO-1,CVE-2026-1 DEMO-2 GHSA-x,true\n\
             pkg:pypi/a@1,DEMO-2,CVE-2026-1 DEMO-1 GHSA-x,true\n";
        assert_eq!(csv_of(&rows), text);
    }

    #[test]
    fn a_cell_with_a_comma_is_quoted() {
        assert_eq!(quoted("a,b"), "\"a,b\"");
        assert_eq!(quoted("say \"a\""), "\"say \"\"a\"\"\"");
        assert_eq!(quoted("plain"), "plain");
    }
}
