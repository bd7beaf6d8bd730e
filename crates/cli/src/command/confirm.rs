//! `allometry confirm`.

use std::path::Path;

use allometry_core::ladder::ConfirmSpec;
use allometry_runner::RunSummary;
use allometry_session::ExperimentPlan;
use clap::Args;

use super::experiment::{ExperimentArgs, Searched};
use crate::error::CliError;

/// Trains each budget's best configurations anew and scores them on the test rows, from which nothing was chosen; then writes the
/// report.
///
/// The best value of a search is a lucky one, and budgets compared by it are compared by their luck. Here the best configurations of every budget
/// are trained under the same fresh seeds; which of them a budget is judged by is chosen on the validation rows, and what it is worth is told by the
/// test rows, with an error over seeds and rows. The trials go to studies of their own, NAME/LABEL/confirm. Ctrl-C stops; the same command goes
/// on.
///
/// How many configurations and seeds is said by [confirm] in the ladder file, with which `allometry run` ends with this by itself; one configuration
/// and five seeds where it says nothing.
///
/// Look at the test rows once: a search that is changed after looking has chosen by them.
#[derive(Debug, Args)]
pub(super) struct Confirm {
    #[command(flatten)]
    args: ExperimentArgs,
}

impl Confirm {
    pub(super) fn run(self) -> Result<(), CliError> {
        self.args.conduct(|ladder, top, seeds| {
            let asked = ladder.confirm.unwrap_or_default();
            ExperimentPlan::confirm(ConfirmSpec {
                top: top.unwrap_or(asked.top),
                seeds: seeds.unwrap_or(asked.seeds),
            })
        })
    }
}

/// Confirms what a run of the ladder `file` has searched, as `allometry confirm` does.
///
/// # Errors
/// As [`Searched::train`].
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
