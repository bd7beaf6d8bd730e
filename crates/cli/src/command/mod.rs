//! The commands of the program, one file each. The doc comment of a command's arguments is its `--help` text.

mod ask;
mod best;
mod check;
mod compare;
mod completions;
mod conclusion;
mod confirm;
mod confirm_cost;
mod copy_studies;
mod costs;
mod declared_space;
mod demo;
mod direction;
mod enqueue;
mod examples;
mod experiment;
mod explain;
mod export;
mod fit;
mod help;
mod import;
mod init;
mod ladder_file;
mod lint;
mod list;
mod man;
mod objective;
mod plan;
mod predict;
mod read_args;
mod report;
mod rescue;
mod run;
mod running;
mod sampler;
mod serve;
mod show;
mod smallest_effect;
mod speed;
mod status;
mod study_args;
mod tell;
mod train;
mod transfer;
mod trial_json;
mod worker;

use std::sync::LazyLock;

use allometry_trainer::{ISA_VARIABLE, InstructionSet, instruction_sets};
use clap::{Parser, Subcommand};

pub(crate) use help::parse;

use crate::error::CliError;
use crate::styles::CLAP;

/// Tunes a model at several parameter budgets and reports, with its uncertainty, what scale buys.
///
/// A ladder file names the data or a program, the search space and the sizes. `allometry init` writes one for
/// a table, `allometry check` shows what it asks for, and `allometry run` searches every size and writes the
/// report. The trials are in a database that Optuna's tools open.
#[derive(Debug, Parser)]
#[command(name = "allometry", version, long_version = long_version(), propagate_version = true)]
#[command(max_term_width = 110, styles = CLAP)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Init),
    Check(check::Check),
    Run(run::Run),
    Worker(worker::Worker),
    Confirm(confirm::Confirm),
    Plan(plan::Plan),
    Transfer(transfer::Transfer),
    Train(train::Train),
    Predict(predict::Predict),
    Explain(explain::Explain),
    Demo(demo::Demo),
    Status(status::Status),
    List(list::List),
    Show(show::Show),
    Best(best::Best),
    Report(report::Report),
    Compare(compare::Compare),
    Fit(fit::Fit),
    Serve(serve::Serve),
    Ask(ask::Ask),
    Tell(tell::Tell),
    Enqueue(enqueue::Enqueue),
    Sampler(sampler::Sampler),
    Import(import::Import),
    Export(export::Export),
    Completions(completions::Completions),
    Man(man::Man),
}

/// Returns the version, with the instruction sets of this machine that train.
fn long_version() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(|| {
        let sets = instruction_sets().iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let used = match InstructionSet::chosen() {
            Ok(set) => format!("it trains with {set}"),
            Err(error) => error.to_string(),
        };
        format!("{}\nthis machine has {sets}; {used}", env!("CARGO_PKG_VERSION"))
    });
    &TEXT
}

impl Cli {
    /// Runs the command.
    ///
    /// # Errors
    /// Any [`CliError`]; the process exits with its exit code.
    pub(crate) fn run(self) -> Result<(), CliError> {
        InstructionSet::chosen().map_err(|error| CliError::Usage {
            message: error.to_string(),
            hint: Some(format!("without {ISA_VARIABLE}, the program takes the last that the machine has")),
        })?;
        match self.command {
            Command::Run(args) => args.run(),
            Command::Worker(args) => args.run(),
            Command::Init(args) => args.run(),
            Command::Check(args) => args.run(),
            Command::Transfer(args) => args.run(),
            Command::Confirm(args) => args.run(),
            Command::Plan(args) => args.run(),
            Command::Train(args) => args.run(),
            Command::Predict(args) => args.run(),
            Command::Explain(args) => args.run(),
            Command::Report(args) => args.run(),
            Command::Compare(args) => args.run(),
            Command::Fit(args) => args.run(),
            Command::Serve(args) => args.run(),
            Command::Status(args) => args.run(),
            Command::List(args) => args.run(),
            Command::Show(args) => args.run(),
            Command::Best(args) => args.run(),
            Command::Ask(args) => args.run(),
            Command::Tell(args) => args.run(),
            Command::Enqueue(args) => args.run(),
            Command::Import(args) => args.run(),
            Command::Export(args) => args.run(),
            Command::Demo(args) => args.run(),
            Command::Completions(args) => args.run(),
            Command::Man(args) => args.run(),
            Command::Sampler(args) => {
                args.run();
                Ok(())
            }
        }
    }
}
