//! Steering jobs: retry, replay, priority, what waits for what, and what repeats what.

use crate::cause::Why;
use crate::door::Door;
use crate::failure::Failure;
use crate::orch::{Which, of_many};
use crate::output::Output;
use crate::paging::Paging;
use crate::table::{Table, or_dash};
use clap::{Args, Subcommand};
use stella_contract::dag::Dag;
use stella_contract::edge::{AddEdges, AddedEdges, Dependency, EdgeKind, NewEdge};
use stella_contract::ids::JobId;
use stella_contract::lease::LogLine;
use stella_contract::lineage::Lineage;

#[derive(Debug, Subcommand)]
pub(crate) enum Steer {
    /// Give a failed job another try, as a new job.
    Retry(Reasoned),
    /// Do an ended job once more, as a new job at high priority.
    Replay(Reasoned),
    /// Let an open job come sooner or later.
    Prioritize(Prioritize),
    /// Make a job wait for another.
    Link(Link),
    /// Show the graph around a job.
    Dag(Which),
    /// Show what a job repeats and what repeats it.
    Lineage(Which),
    /// List what workers wrote about a job, the newest first.
    Log(LogPages),
}

#[derive(Debug, Args)]
pub(crate) struct Reasoned {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    why: Why,
}

#[derive(Debug, Args)]
pub(crate) struct Prioritize {
    #[command(flatten)]
    which: Which,
    /// 0 to 100; low 25, normal 50, high 75, critical 90.
    #[arg(long, value_parser = clap::value_parser!(i32).range(0..=100))]
    priority: i32,
    #[command(flatten)]
    why: Why,
}

#[derive(Debug, Args)]
pub(crate) struct Link {
    /// The job that shall wait.
    #[arg(value_name = "JOB")]
    job: JobId,
    /// The job it waits for: `JOB` or `JOB:on_success`, `JOB:on_completion`, `JOB:on_failure`.
    #[arg(long = "depends-on", value_name = "JOB[:KIND]", required = true, value_parser = dependency)]
    depends_on: Vec<Dependency>,
    #[command(flatten)]
    why: Why,
}

#[derive(Debug, Args)]
pub(crate) struct LogPages {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    paging: Paging,
}

/// A job's id and, after a colon, on what of it.
pub(crate) fn dependency(text: &str) -> Result<Dependency, String> {
    let (id, kind) = text.split_once(':').unwrap_or((text, EdgeKind::OnSuccess.as_str()));
    let job_id = id.parse::<JobId>().map_err(|error| error.to_string())?;
    let kinds = || EdgeKind::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", ");
    let kind = kind.parse::<EdgeKind>().map_err(|_| format!("`{kind}` is not one of {}", kinds()))?;
    Ok(Dependency { job_id, kind })
}

impl Steer {
    pub(crate) async fn obey(&self, door: &Door, output: &Output) -> Result<(), Failure> {
        let jobs = door.client.jobs();
        match self {
            Self::Retry(asked) => {
                let job = jobs.retry(asked.which.id()?, &asked.why.write()).await?;
                output.show(&job, |job| of_many(std::slice::from_ref(job)))
            }
            Self::Replay(asked) => {
                let job = jobs.replay(asked.which.id()?, &asked.why.write()).await?;
                output.show(&job, |job| of_many(std::slice::from_ref(job)))
            }
            Self::Prioritize(asked) => {
                let job = jobs.prioritize(asked.which.id()?, asked.priority, &asked.why.write()).await?;
                output.show(&job, |job| of_many(std::slice::from_ref(job)))
            }
            Self::Link(link) => {
                let edges = link.depends_on.iter().map(|on| NewEdge {
                    from_job_id: on.job_id.clone(),
                    to_job_id: link.job.clone(),
                    kind: on.kind,
                });
                let wish = AddEdges { edges: edges.collect() };
                output.show(&jobs.add_edges(&wish, &link.why.write()).await?, of_edges)
            }
            Self::Dag(which) => output.show(&jobs.dag(which.id()?).await?, of_dag),
            Self::Lineage(which) => output.show(&jobs.lineage(which.id()?).await?, of_lineage),
            Self::Log(asked) => {
                let id = asked.which.id()?;
                output.page(&asked.paging.read(async |page| jobs.log(id, &page).await).await?, of_log)
            }
        }
    }
}

fn of_edges(added: &AddedEdges) -> Table {
    Table::new(&["JOB", "WAITS FOR", "KIND"]).rows(&added.edges, |edge| {
        [edge.to_job_id.to_string(), edge.from_job_id.to_string(), edge.kind.to_string()]
    })
}

fn of_dag(dag: &Dag) -> Table {
    let headings = &["RANK", "JOB", "TYPE", "STATE", "WAITS FOR", "AFTER", "CRITICAL"];
    Table::new(headings).rows(&dag.nodes, |node| {
        let after = dag.edges.iter().filter(|edge| edge.to == node.id).count();
        let is_critical = dag.critical_path.contains(&node.id);
        [
            node.rank.to_string(),
            node.id.to_string(),
            node.job_type.clone(),
            node.state.to_string(),
            or_dash(node.wait_reason.as_ref()),
            after.to_string(),
            if is_critical { "yes".to_owned() } else { "-".to_owned() },
        ]
    })
}

fn of_lineage(lineage: &Lineage) -> Table {
    Table::new(&["JOB", "HOW", "OF", "STATE", "PRIORITY", "BY", "CREATED"]).rows(&lineage.jobs, |kin| {
        [
            kin.job.job_id.to_string(),
            kin.descent.to_string(),
            or_dash(kin.of.as_ref()),
            kin.job.state.to_string(),
            kin.job.priority.to_string(),
            kin.job.created_by.clone(),
            kin.job.created_at.to_string(),
        ]
    })
}

fn of_log(lines: &[LogLine]) -> Table {
    Table::new(&["LINE", "AT", "LEVEL", "EPOCH", "MESSAGE"]).rows(lines, |line| {
        [
            line.seq.to_string(),
            line.at.to_string(),
            line.level.to_string(),
            line.lease_epoch.to_string(),
            line.message.clone(),
        ]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_is_a_job_and_may_say_on_what_of_it() {
        let id = "job_01890000-0000-7000-8000-000000000001";
        assert_eq!(dependency(id).map(|on| on.kind), Ok(EdgeKind::OnSuccess));
        assert_eq!(dependency(&format!("{id}:on_failure")).map(|on| on.kind), Ok(EdgeKind::OnFailure));
        assert!(dependency(&format!("{id}:sometimes")).is_err_and(|why| why.contains("on_completion")));
        assert!(dependency("job_1").is_err());
    }
}
