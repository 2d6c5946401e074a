//! What is selected in the jobs list as a file: one job a line.

use super::picked::Picked;
use crate::api::{Api, Problem};
use crate::kit::Sheet;
use stella_contract::job::{Job, JobFilter};
use stella_contract::page::{MAX_SIZE, PageQuery};

/// The selected jobs; those that are not loaded are fetched.
pub(super) async fn lines(
    api: &Api,
    picked: &Picked,
    rows: &Sheet<Job>,
    filter: &JobFilter,
) -> Result<String, Problem> {
    let without = match picked {
        Picked::None => return Ok(String::new()),
        Picked::Rows(keys) => {
            return Ok(text(rows.iter().filter(|job| keys.contains(job.job_id.as_str()))));
        }
        Picked::All(without) => without,
    };
    let (mut all, mut page_token) = (String::new(), None);
    loop {
        let page = api.jobs(filter, &PageQuery { page_token, page_size: Some(MAX_SIZE) }).await?;
        all.push_str(&text(page.items.iter().filter(|job| !without.contains(job.job_id.as_str()))));
        page_token = page.next_page_token;
        if page_token.is_none() {
            return Ok(all);
        }
    }
}

fn text<'a>(jobs: impl Iterator<Item = &'a Job>) -> String {
    let line = |job: &Job| serde_json::to_string(job).map(|text| text + "\n").unwrap_or_default();
    jobs.map(line).collect()
}
