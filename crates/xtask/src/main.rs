//! The two commands of the README, and their steps: `cargo xtask run` and `cargo xtask test`.
//!
//! It looks for each tool it needs, installs what is missing and says why, builds only what changed, and prints how
//! long each step took. It is not part of the product and depends on few crates, so that it builds at once.
//!
//! | file | what it is about |
//! |---|---|
//! | `tools` | what must be on the machine, and how it gets there |
//! | `shell` | running a program, with its command line printed |
//! | `steps` | a named step and its seconds |
//! | `ui` | the web build and its size |
//! | `run` | the application, started |
//! | `test` | the whole check; `tally` reads what the runners reported |
//! | `bench` | the benchmarks and their tables |
//! | `openapi` | the API document, judged by others than us |
//! | `python` | Python packages that a check needs, in versions that are written down |
//! | `icons` | pictures from their SVG sources |
//! | `unused`, `readme` | two checks of our own |

#![expect(clippy::print_stdout, reason = "what a developer reads is printed")]
#![expect(clippy::disallowed_methods, reason = "a developer tool measures its own steps")]

mod bench;
mod icons;
mod openapi;
mod python;
mod readme;
mod run;
mod shell;
mod steps;
mod tally;
mod test;
mod tools;
mod ui;
mod unused;

use clap::{Parser, Subcommand};

/// Builds, starts and checks Stella Operator.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version, about)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Build what changed and open the application.
    Run(run::Run),
    /// Check everything, or only the named steps.
    Test(test::Test),
    /// Measure, and print the tables.
    Bench(bench::Bench),
    /// Let others judge the API document and a real server behind it, for as long as is wished.
    Openapi(openapi::Openapi),
    /// Build the interface alone and print its size.
    Ui,
    /// Say which tools are there and which are missing; change nothing.
    Doctor,
    /// Draw the icons anew from their SVG sources.
    Icons,
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().task {
        Task::Run(run) => run::start(&run),
        Task::Test(test) => test::check(&test),
        Task::Bench(bench) => bench::measure(&bench),
        Task::Openapi(openapi) => openapi::judge(&openapi),
        Task::Ui => ui::build_and_weigh(),
        Task::Doctor => tools::report(),
        Task::Icons => icons::draw(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        use clap::CommandFactory;
        Arguments::command().debug_assert();
    }
}
