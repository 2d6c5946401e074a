//! `stella runs diff`: a run held against another.

use crate::door::Door;
use crate::failure::Failure;
use crate::output::Output;
use crate::paging::Paging;
use crate::table::{Table, or_dash};
use clap::Args;
use stella_contract::ids::RunId;
use stella_contract::run_diff::{
    DiffQuery, FindingPair, FindingSide, InputPair, RunDiff, SegmentPair, SegmentSide,
};

#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// The run.
    #[arg(value_name = "RUN")]
    run: RunId,
    /// The run it is held against; the last good one over the same scope when absent.
    #[arg(long, value_name = "RUN")]
    against: Option<RunId>,
    /// List the findings that differ.
    #[arg(long, conflicts_with = "segments")]
    findings: bool,
    /// List the segments of both, place by place.
    #[arg(long)]
    segments: bool,
    #[command(flatten)]
    paging: Paging,
}

impl Diff {
    pub(crate) async fn obey(&self, door: &Door, output: &Output) -> Result<(), Failure> {
        let runs = door.client.runs();
        let query = DiffQuery { against: self.against.clone() };
        match (self.findings, self.segments) {
            (true, _) => {
                let ask = async |page| runs.diff_findings(&self.run, &query, &page).await;
                output.page(&self.paging.read(ask).await?, of_findings)
            }
            (false, true) => {
                let ask = async |page| runs.diff_segments(&self.run, &query, &page).await;
                output.page(&self.paging.read(ask).await?, of_segments)
            }
            (false, false) => output.show(&runs.diff(&self.run, &query).await?, of_one),
        }
    }
}

fn of_one(diff: &RunDiff) -> Table {
    let (segments, targets, findings) = (diff.segments, diff.targets, diff.findings);
    let mut table = Table::new(&["WHAT", "RUN", "AGAINST", ""]);
    let row = |name: &str, run: String, against: String, differs: bool| {
        [name.to_owned(), run, against, if differs { "differs" } else { "" }.to_owned()]
    };
    let mut rows = vec![
        row("run", diff.run.run_id.to_string(), diff.against.run_id.to_string(), false),
        row(
            "state",
            diff.run.state.to_string(),
            diff.against.state.to_string(),
            diff.run.state != diff.against.state,
        ),
    ];
    rows.extend(diff.inputs.iter().map(|input: &InputPair| {
        row(&input.name, or_dash(input.run.as_ref()), or_dash(input.against.as_ref()), input.differs())
    }));
    let alone = |run: i64, against: i64| (format!("{run} alone"), format!("{against} alone"));
    let (run, against) = alone(targets.only_run, targets.only_against);
    rows.push(row(&format!("targets of both: {}", targets.both), run, against, false));
    let (run, against) = alone(segments.only_run, segments.only_against);
    let same = format!("segments: {} left the same, {} not", segments.same, segments.differing);
    rows.push(row(&same, run, against, segments.differing > 0));
    rows.push(row(
        &format!("findings changed: {}", findings.changed),
        format!("{} appeared", findings.appeared),
        format!("{} gone", findings.gone),
        findings.total() > 0,
    ));
    table = table.rows(&rows, Clone::clone);
    table
}

fn of_segments(pairs: &[SegmentPair]) -> Table {
    let headings = &["SHARD", "NO", "STATE", "WAS", "MS", "WAS", "OUTPUT"];
    let state = |side: &Option<SegmentSide>| or_dash(side.as_ref().map(|side| side.state).as_ref());
    let duration =
        |side: &Option<SegmentSide>| or_dash(side.as_ref().and_then(|side| side.duration_ms).as_ref());
    Table::new(headings).rows(pairs, |pair| {
        let output = match pair.same_output() {
            Some(true) => "same",
            Some(false) => "differs",
            None => "-",
        };
        [
            pair.shard.to_string(),
            pair.ordinal.to_string(),
            state(&pair.run),
            state(&pair.against),
            duration(&pair.run),
            duration(&pair.against),
            output.to_owned(),
        ]
    })
}

fn of_findings(pairs: &[FindingPair]) -> Table {
    let headings = &["HOW", "SEVERITY", "WAS", "VULNERABILITY", "PURL", "TARGET"];
    Table::new(headings).rows(pairs, |pair| {
        [
            pair.kind.to_string(),
            or_dash(pair.run.as_ref().map(said).as_ref()),
            or_dash(pair.against.as_ref().map(said).as_ref()),
            pair.vulnerability_id.clone(),
            pair.purl.clone(),
            format!("{} {}", pair.target_name, pair.target_version).trim_end().to_owned(),
        ]
    })
}

fn said(side: &FindingSide) -> String {
    let kev = if side.kev { " KEV" } else { "" };
    let quieted = if side.quieted { " quieted" } else { "" };
    format!("{}{kev}{quieted}", side.severity)
}
