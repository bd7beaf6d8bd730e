//! `allometry transfer`.

use allometry_core::ladder::Part;
use allometry_core::transfer;
use allometry_store::facts::Experiment;
use clap::Args;

use super::experiment::{Conduct, ExperimentArgs};
use crate::error::CliError;

/// Trains each budget's best configurations at every other budget, to see whether settings carry over; then writes the
/// report.
///
/// A budget trains the others' settings with its own best architecture, and its own best configurations anew, all under the same
/// fresh seeds: nobody is favoured by luck. From three configurations on, whether they keep their order is told as well. The trials go to studies of their own,
/// NAME/LABEL/transfer, so that neither the search nor its statistics see them. Ctrl-C stops; the same command goes on.
///
/// Without --top and --seeds the best three configurations are trained under two seeds.
#[derive(Debug, Args)]
pub(super) struct Transfer {
    #[command(flatten)]
    args: ExperimentArgs,
}

/// Configurations and seeds where the command line names none.
const TOP: u64 = 3;
const SEEDS: u64 = 2;

impl Transfer {
    pub(super) fn run(self) -> Result<(), CliError> {
        self.args.conduct(|_, top, seeds| Conduct {
            experiment: Experiment::Transfer,
            plan: transfer::plan,
            top: top.unwrap_or(TOP),
            seeds: seeds.unwrap_or(SEEDS),
            part: Part::Validation,
            fewest: 2,
        })
    }
}
