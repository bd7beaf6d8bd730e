//! `allometry confirm`.

use std::path::Path;

use allometry_ladder::ConfirmSpec;
use allometry_runner::RunSummary;
use allometry_session::ExperimentPlan;
use clap::Args;

use super::experiment::{ExperimentArgs, Searched};
use crate::error::CliError;

/// Trains the best configurations again and scores them on test rows.
///
/// The best value of a search is partly luck, so budgets should not be compared by it. This command trains
/// the best configurations of every budget with the same new seeds, picks one per budget by its validation
/// rows and estimates its value on the test rows, with an error over seeds and rows. Its trials are stored in
/// studies of their own, NAME/LABEL/confirm. After Ctrl-C, run the command again to continue.
///
/// The table `confirm` in the ladder file sets the number of configurations (top) and of seeds; without it
/// the command trains one configuration with five seeds. If the file has this table, `allometry run` ends
/// with this command by itself.
///
/// Use the test rows once: after a search is changed because of their results, they are no longer
/// independent.
#[derive(Debug, Args)]
pub(super) struct Confirm {
    #[command(flatten)]
    args: ExperimentArgs,
}

impl Confirm {
    pub(super) fn run(self) -> Result<(), CliError> {
        self.args.run("allometry.confirm/1", |ladder, top, seeds| {
            let asked = ladder.confirm.unwrap_or_default();
            ExperimentPlan::confirm(ConfirmSpec {
                top: top.unwrap_or(asked.top),
                seeds: seeds.unwrap_or(asked.seeds),
            })
        })
    }
}

/// Confirms the best configurations after a run of the ladder `file`, as `allometry confirm` does.
///
/// # Errors
/// The errors of [`Searched::train`].
pub(super) fn after_search(
    searched: &Searched<'_>,
    asked: ConfirmSpec,
    file: &Path,
    devices: &[String],
) -> Result<RunSummary, CliError> {
    let plan = ExperimentPlan::confirm(asked);
    let objective = plan.objective(searched.evaluator, file, devices)?;
    searched.train(&plan, &*objective)
}
