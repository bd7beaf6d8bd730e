//! The shared part of `allometry transfer` and `allometry confirm`: training the best configurations of each
//! budget again, in separate studies.

use std::path::Path;

use allometry_analysis::plan::Extension;
use allometry_core::Objective;
use allometry_ladder::{Ladder, ScoredPart};
use allometry_runner::{ChangedSpace, Interrupt, RunOptions, RunSummary};
use allometry_session::{Evaluator, ExperimentPlan, open_experiments, report_folder, stored_precision};
use allometry_store::Store;
use allometry_study as source;
use clap::Args;

use super::conclusion::{Conclusion, Ended, SummaryArgs};
use super::ladder_file::LadderFile;
use super::running::{Sharing, conclude, run_studies};
use super::smallest_effect::SmallestEffect;
use crate::error::CliError;
use crate::progress::Style;

/// The arguments of `allometry transfer` and `allometry confirm`.
#[derive(Debug, Args)]
pub(super) struct ExperimentArgs {
    #[command(flatten)]
    file: LadderFile,

    /// Number of distinct configurations per budget, the best ones.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1000))]
    top: Option<u64>,

    /// Number of seeds per configuration. With 2 or more their spread is part of the errors.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1000))]
    seeds: Option<u64>,

    /// Number of trainings at the same time. Default: the number of cores, or of --devices for a command.
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1024))]
    workers: Option<u64>,

    #[command(flatten)]
    sharing: Sharing,

    #[command(flatten)]
    smallest_effect: SmallestEffect,

    #[command(flatten)]
    summary: SummaryArgs,

    /// Prints errors only.
    #[arg(long, short)]
    quiet: bool,
}

/// A searched ladder, and everything needed to train its best configurations again.
pub(super) struct Searched<'a> {
    pub(super) ladder: &'a Ladder,
    pub(super) evaluator: &'a Evaluator<'a>,
    pub(super) store: &'a dyn Store,
    pub(super) options: &'a RunOptions,
    pub(super) interrupt: &'a Interrupt,
    pub(super) style: Style,
}

impl ExperimentArgs {
    /// Runs the trainings of a plan and writes the report. `plan` makes the plan from the ladder, `--top` and
    /// `--seeds`; `schema` is the name of the JSON document.
    ///
    /// # Errors
    /// The errors of `allometry run`; [`CliError::NotFound`] if the search lacks trials.
    pub(super) fn run(
        self,
        schema: &'static str,
        plan: impl Fn(&Ladder, Option<u64>, Option<u64>) -> ExperimentPlan,
    ) -> Result<(), CliError> {
        let path = &self.file.ladder;
        let ladder = self.file.read()?;
        let url = source::storage_url(&ladder, self.file.storage.as_ref(), path);
        let evaluator = Evaluator::new(&ladder, stored_precision(&url, &ladder))?;
        let plan = plan(&ladder, self.top, self.seeds);
        // An error of the program or the test rows is reported before one of the store.
        let objective = plan.objective(&evaluator, path, &self.sharing.devices)?;
        let store = allometry_store::open_existing(url.expose())?;
        let options = RunOptions {
            workers: self.workers.map_or_else(|| evaluator.workers(&self.sharing.devices), |n| n as usize),
            deadline: None,
            seed: ladder.seed,
            steps: match plan.part {
                ScoredPart::Validation => ladder.steps(),
                ScoredPart::Test => ladder.epochs(),
            },
            unit: match plan.part {
                ScoredPart::Test if ladder.folds().is_some() => "epoch",
                _ => ladder.step_unit(),
            },
            length: ladder.length_parameter(),
            lease: self.sharing.lease,
            retries: self.sharing.retries,
        };
        let interrupt = Interrupt::listen()
            .map_err(|source| CliError::System { what: "cannot listen to signals", source })?;
        let style = Style::choose(self.quiet);
        let searched = Searched {
            ladder: &ladder,
            evaluator: &evaluator,
            store: &*store,
            options: &options,
            interrupt: &interrupt,
            style,
        };
        let summary = searched.train(&plan, &*objective)?;
        let conclusion = Conclusion {
            schema,
            smallest_effect: self.smallest_effect,
            summary: self.summary,
            ladder: self.file.words(),
            style,
        };
        let trials = source::trials_of(&ladder, &*store, &url)?.of_file(path);
        let ended = Ended { studies: &summary, confirmation: None, is_interrupted: interrupt.is_asked() };
        conclusion.report(&trials, &report_folder(path), &ended)?;
        conclude(&summary, &interrupt)
    }
}

impl Searched<'_> {
    /// Runs the further trials of the searches that a plan asks for.
    ///
    /// # Errors
    /// The errors of `allometry run`.
    pub(super) fn extend(
        &self,
        extension: &Extension,
        file: &Path,
        devices: &[String],
    ) -> Result<RunSummary, CliError> {
        let mut ladder = self.ladder.clone();
        for spec in &mut ladder.budgets {
            let more = extension.more.iter().find(|one| one.budget == spec.budget.label);
            // The other budgets stay in the ladder with the trials that they have.
            spec.trials = more.map_or(0, |one| one.in_all);
        }
        let objective = self.evaluator.objective(file, devices, ScoredPart::Validation)?;
        let refuse = ChangedSpace::Refuse;
        let studies = allometry_session::open(self.store, &ladder, self.evaluator, None, refuse)?;
        run_studies(studies, self.store, &*objective, self.options, self.interrupt, self.style)
    }

    /// Runs the trainings of `plan` that are not stored yet; `objective` is [`ExperimentPlan::objective`].
    ///
    /// # Errors
    /// The errors of [`ExperimentArgs::run`].
    pub(super) fn train(
        &self,
        plan: &ExperimentPlan,
        objective: &dyn Objective,
    ) -> Result<RunSummary, CliError> {
        let studies = open_experiments(self.store, self.ladder, self.evaluator, plan, objective)?;
        run_studies(studies, self.store, objective, self.options, self.interrupt, self.style)
    }
}
