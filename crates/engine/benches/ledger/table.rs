//! The table that is printed, and what a job costs beside its time.

use std::time::Duration;

/// What was spent so far, or for one job.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Cost {
    /// Commits of the ledger.
    pub(crate) commits: f64,
    /// Bytes given to the disk or, by Postgres, to its log.
    pub(crate) bytes: f64,
    /// Microseconds of this process on a processor.
    pub(crate) cpu_us: f64,
}

impl Cost {
    /// What was spent since then.
    pub(crate) fn since(&self, before: &Self) -> Self {
        Self {
            commits: self.commits - before.commits,
            bytes: self.bytes - before.bytes,
            cpu_us: self.cpu_us - before.cpu_us,
        }
    }
    /// The share of one of so many jobs.
    #[expect(clippy::cast_precision_loss, reason = "a share needs no more than 52 bits")]
    pub(crate) fn of(&self, jobs: usize) -> Self {
        let jobs = jobs as f64;
        Self { commits: self.commits / jobs, bytes: self.bytes / jobs, cpu_us: self.cpu_us / jobs }
    }
    /// The median of each figure.
    pub(crate) fn middle(costs: &[Self]) -> Self {
        let of = |figure: fn(&Self) -> f64| median(&costs.iter().map(figure).collect::<Vec<_>>());
        Self {
            commits: of(|cost| cost.commits),
            bytes: of(|cost| cost.bytes),
            cpu_us: of(|cost| cost.cpu_us),
        }
    }
}

/// One line of the table.
pub(crate) struct Row<'a> {
    /// What was measured.
    pub(crate) case: &'a str,
    /// Jobs a second, one figure for each repetition.
    pub(crate) rates: &'a [f64],
    /// What the database alone does in this case.
    pub(crate) limit: f64,
    /// What plain statements do that write the same rows.
    pub(crate) bare: f64,
    /// What one job costs.
    pub(crate) cost: Cost,
    /// What the same writes cost this process alone, in microseconds on a processor.
    pub(crate) bare_cpu_us: f64,
    /// The share of the limit to be reached, where one is set.
    pub(crate) aim: Option<f64>,
}

/// Prints the head of the table.
pub(crate) fn head() {
    println!(
        "| case | jobs/s, median | min | max | limit | of the limit | to reach | same writes bare | of those | commits/job | bytes/job | CPU µs/job | bare CPU µs/job |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
}

/// Prints a line.
pub(crate) fn row(row: &Row<'_>) {
    let (ours, cost) = (median(row.rates), row.cost);
    let least = row.rates.iter().copied().fold(f64::INFINITY, f64::min);
    let most = row.rates.iter().copied().fold(0.0, f64::max);
    println!(
        "| {} | {ours:.0} | {least:.0} | {most:.0} | {:.0} | {:.2} | {} | {:.0} | {:.2} | {:.3} | {:.0} | {:.0} | {:.0} |",
        row.case,
        row.limit,
        ours / row.limit,
        verdict(ours / row.limit, row.aim),
        row.bare,
        ours / row.bare,
        cost.commits,
        cost.bytes,
        cost.cpu_us,
        row.bare_cpu_us
    );
}

/// What is to be reached and whether it was.
pub(crate) fn verdict(got: f64, aim: Option<f64>) -> String {
    let word = |aim: f64| if got >= aim { "reached" } else { "missed" };
    aim.map_or_else(|| "no aim".to_owned(), |aim| format!("{aim:.2} ({})", word(aim)))
}

/// What may not be exceeded and whether it was.
pub(crate) fn verdict_at_most(got: f64, most: f64, unit: &str) -> String {
    format!("at most {most} {unit}: {}", if got <= most { "reached" } else { "missed" })
}

/// The figure in the middle.
pub(crate) fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
}

/// Jobs a second.
#[expect(clippy::cast_precision_loss, reason = "a rate needs no more than 52 bits")]
pub(crate) fn rate(jobs: usize, took: Duration) -> f64 {
    jobs as f64 / took.as_secs_f64()
}
