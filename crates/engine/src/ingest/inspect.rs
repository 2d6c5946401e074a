//! Looking at what a source holds without keeping any of it. Pure.

use super::keep::Times;
use super::{advisory, epss, kev, vex};
use crate::fetch::Content;
use crate::sbom;
use stella_contract::source::{RecordProblem, SourceTested, SourceType};
use stella_contract::target::SbomPlace;

/// Problems that are shown of a look.
const SHOWN: usize = 20;

/// What is there, as a reading of a source of this type would see it.
pub(crate) fn inspect(source_type: SourceType, tenant: &str, content: Content) -> SourceTested {
    let (files, bytes) = (content.parts.len() as i64, content.bytes as i64);
    let seen = match source_type {
        SourceType::Advisory => {
            let feed = advisory::read(content);
            let times = feed.times();
            Seen { records: feed.records.len() as i64, refused: feed.refused, times, problems: feed.problems }
        }
        SourceType::Kev => {
            let list = kev::read(&content);
            let times = list.times();
            Seen { records: list.entries.len() as i64, refused: list.refused, times, problems: list.problems }
        }
        SourceType::Vex => {
            let said = vex::read(&content);
            let times = said.times();
            let records = said.statements.len() as i64;
            Seen { records, refused: said.refused, times, problems: said.problems }
        }
        SourceType::Epss => {
            let list = epss::read(&content);
            Seen {
                records: list.count(),
                refused: list.refused,
                times: list.times(),
                problems: list.problems,
            }
        }
        SourceType::Sbom | SourceType::Registry => sboms(tenant, &content),
        // What a worker of somebody's own reads only that worker can judge.
        SourceType::Custom => Seen { records: files, ..Seen::default() },
    };
    let mut errors = seen.problems;
    errors.truncate(SHOWN);
    SourceTested {
        ok: seen.records > 0,
        files,
        bytes,
        records: seen.records,
        refused: seen.refused,
        newest: seen.times.newest,
        errors,
        ..SourceTested::default()
    }
}

#[derive(Default)]
struct Seen {
    records: i64,
    refused: i64,
    times: Times,
    problems: Vec<RecordProblem>,
}

fn sboms(tenant: &str, content: &Content) -> Seen {
    let mut seen = Seen::default();
    for part in &content.parts {
        let place = SbomPlace { file: Some(part.name.clone()), ..SbomPlace::default() };
        match sbom::prepare(tenant, &place, &part.bytes) {
            Ok(_) => seen.records += 1,
            Err(error) => {
                seen.refused += 1;
                seen.problems.push(RecordProblem {
                    file: part.name.clone(),
                    path: ".".to_owned(),
                    code: error.code.as_str().to_ascii_lowercase(),
                    message: error.public,
                });
            }
        }
    }
    seen
}
