//! `allometry transfer`.

use allometry_core::ladder::Part;
use allometry_core::transfer;
use allometry_runner::Experiment;
use clap::Args;

use super::experiment::{Conduct, ExperimentArgs};
use crate::error::CliError;

/// Trains each budget's best configurations at every other budget, to see whether settings carry over; then writes the
/// report.
///
/// A budget trains the others' settings with its own best architecture, and its own best configurations anew, all under the same
/// fresh seeds: nobody is favoured by luck. From three configurations on, whether they keep their order is told as well. The trials go to studies of their own,
/// NAME/LABEL/transfer, so that neither the search nor its statistics see them. Ctrl-C stops; the same command goes on.
#[derive(Debug, Args)]
pub(super) struct Transfer {
    #[command(flatten)]
    args: ExperimentArgs,

    /// Seeds under which each is trained; from 2 on, their spread is part of the errors.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=1000))]
    seeds: u64,
}

impl Transfer {
    pub(super) fn run(self) -> Result<(), CliError> {
        let (experiment, plan) = (Experiment::Transfer, transfer::plan);
        let conduct = Conduct { experiment, plan, seeds: self.seeds, part: Part::Validation, fewest: 2 };
        self.args.conduct(&conduct)
    }
}
