//! `allometry transfer`.

use allometry_session::ExperimentPlan;
use clap::Args;

use super::experiment::ExperimentArgs;
use crate::error::CliError;

/// Trains each budget's best configurations at every other budget.
///
/// The report then says whether settings transfer between sizes. Each budget trains the settings of the
/// others with its own best architecture, and its own best configurations again, all with the same new seeds,
/// so that none benefits from a lucky value of the search. With three or more configurations the report also
/// says whether their order is the same at both budgets. The trials are stored in studies of their own,
/// NAME/LABEL/transfer; the search and its statistics do not use them. After Ctrl-C, run the command again to
/// continue.
///
/// Defaults: --top 3, --seeds 2.
#[derive(Debug, Args)]
pub(super) struct Transfer {
    #[command(flatten)]
    args: ExperimentArgs,
}

impl Transfer {
    pub(super) fn run(self) -> Result<(), CliError> {
        self.args.run("allometry.transfer/1", |_, top, seeds| {
            let top = top.unwrap_or(ExperimentPlan::TRANSFER_TOP);
            ExperimentPlan::transfer(top, seeds.unwrap_or(ExperimentPlan::TRANSFER_SEEDS))
        })
    }
}
