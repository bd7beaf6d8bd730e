//! `allometry confirm`.

use allometry_core::confirm;
use allometry_core::ladder::Part;
use allometry_runner::Experiment;
use clap::Args;

use super::experiment::{Conduct, ExperimentArgs};
use crate::error::CliError;

/// Trains each budget's best configurations anew and scores them on the test rows, from which nothing was chosen; then writes the
/// report.
///
/// The best value of a search is a lucky one, and budgets compared by it are compared by their luck. Here the best configurations of every budget
/// are trained under the same fresh seeds; which of them a budget is judged by is chosen on the validation rows, and what it is worth is told by the
/// test rows, with an error over seeds and rows. The trials go to studies of their own, NAME/LABEL/confirm. Ctrl-C stops; the same command goes
/// on.
///
/// Look at the test rows once: a search that is changed after looking has chosen by them.
#[derive(Debug, Args)]
pub(super) struct Confirm {
    #[command(flatten)]
    args: ExperimentArgs,

    /// Seeds under which each is trained; from 2 on, their spread is part of the errors.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=1000))]
    seeds: u64,
}

impl Confirm {
    pub(super) fn run(self) -> Result<(), CliError> {
        let (experiment, plan) = (Experiment::Confirm, confirm::plan);
        let conduct = Conduct { experiment, plan, seeds: self.seeds, part: Part::Test, fewest: 1 };
        self.args.conduct(&conduct)
    }
}
