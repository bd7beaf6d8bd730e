//! `allometry transfer`.

use allometry_session::ExperimentPlan;
use clap::Args;

use super::experiment::ExperimentArgs;
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

impl Transfer {
    pub(super) fn run(self) -> Result<(), CliError> {
        self.args.conduct(|_, top, seeds| {
            let top = top.unwrap_or(ExperimentPlan::TRANSFER_TOP);
            ExperimentPlan::transfer(top, seeds.unwrap_or(ExperimentPlan::TRANSFER_SEEDS))
        })
    }
}
