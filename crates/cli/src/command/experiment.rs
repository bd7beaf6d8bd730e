//! What `allometry transfer` and `allometry confirm` share: the best of each search, trained anew in studies of their own.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use allometry_core::ladder::{BudgetSpec, Ladder, Part};
use allometry_core::retraining::{self, Retraining};
use allometry_core::space::Feasible;
use allometry_core::{Direction, FrozenTrial, Objective};
use allometry_runner::{Interrupt, RunOptions, RunSummary, open_experiment};
use allometry_store::Store;
use allometry_store::facts::Experiment;
use clap::Args;

use super::evaluator::Evaluator;
use super::ladder_file::LadderFile;
use super::report::write_all;
use super::run::{Sharing, conclude, report_folder, run_studies};
use super::smallest_effect::SmallestEffect;
use crate::error::CliError;
use crate::output::say;
use crate::progress::Style;
use crate::source;

/// Whose best are trained, and how.
#[derive(Debug, Args)]
pub(super) struct ExperimentArgs {
    #[command(flatten)]
    file: LadderFile,

    /// Configurations of each budget, the best distinct ones.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1000))]
    top: Option<u64>,

    /// Seeds under which each is trained; from 2 on, their spread is part of the errors.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1000))]
    seeds: Option<u64>,

    /// Trainings at the same time, as in `allometry run`.
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1024))]
    workers: Option<u64>,

    #[command(flatten)]
    sharing: Sharing,

    #[command(flatten)]
    smallest_effect: SmallestEffect,

    /// Shows nothing but errors.
    #[arg(long, short)]
    quiet: bool,
}

/// What each budget is to train: of the searches, which values are better, the best so many, under so many seeds, which follow from
/// that of the ladder.
type Plan = fn(&[retraining::Searched<'_>], Direction, usize, u64, u64) -> BTreeMap<String, Vec<Retraining>>;

/// A budget, what it admits, and what it is to train.
type Planned<'l> = (&'l BudgetSpec, Arc<Feasible>, Vec<Retraining>);

/// An experiment as its command does it.
pub(super) struct Conduct {
    pub(super) experiment: Experiment,
    pub(super) plan: Plan,
    /// Configurations of each budget.
    pub(super) top: u64,
    /// Seeds of each configuration.
    pub(super) seeds: u64,
    /// The rows that trials are judged by.
    pub(super) part: Part,
    /// Budgets with complete trials, without which there is nothing to do.
    pub(super) fewest: usize,
}

impl Conduct {
    /// What evaluates the trainings. Files of trials lie beside the ladder `file`.
    ///
    /// # Errors
    /// As [`Evaluator::objective`].
    pub(super) fn objective<'e>(
        &self,
        evaluator: &'e Evaluator<'_>,
        file: &Path,
        devices: &[String],
    ) -> Result<Box<dyn Objective + 'e>, CliError> {
        let files = file.with_extension(format!("{}.toml", self.experiment.key()));
        evaluator.objective(&files, devices, self.part)
    }
}

/// A ladder whose best are trained anew, and with what.
pub(super) struct Searched<'a> {
    pub(super) ladder: &'a Ladder,
    pub(super) evaluator: &'a Evaluator<'a>,
    pub(super) store: &'a dyn Store,
    pub(super) options: &'a RunOptions,
    pub(super) interrupt: &'a Interrupt,
    pub(super) style: Style,
}

impl ExperimentArgs {
    /// Trains what `conduct` plans of the ladder and writes the report. `conduct` takes the ladder and what the command line gives of
    /// the number of configurations and of seeds.
    ///
    /// # Errors
    /// [`CliError`] as `allometry run`; [`CliError::NotFound`] where too little is searched.
    pub(super) fn conduct(
        self,
        conduct: impl Fn(&Ladder, Option<u64>, Option<u64>) -> Conduct,
    ) -> Result<(), CliError> {
        let path = &self.file.ladder;
        let ladder = self.file.read()?;
        let url = source::storage_url(&ladder, self.file.storage.as_ref(), path);
        let evaluator = Evaluator::new(&ladder)?;
        let conduct = conduct(&ladder, self.top, self.seeds);
        // What this program or its test rows do not allow is said before the store is looked for.
        let objective = conduct.objective(&evaluator, path, &self.sharing.devices)?;
        let store = allometry_store::open_existing(url.expose())?;
        let options = RunOptions {
            workers: self.workers.map_or_else(|| evaluator.workers(&self.sharing.devices), |n| n as usize),
            deadline: None,
            seed: ladder.seed,
            epochs: ladder.objective.steps(),
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
        let summary = searched.train(&conduct, &*objective)?;
        let report = report_folder(path);
        write_all(&source::trials_of(&ladder, &*store, &url)?, &report, self.smallest_effect)?;
        if style != Style::Quiet {
            say(&format!("report: {}", report.join("report.md").display()));
        }
        conclude(&summary, &interrupt)
    }
}

impl Searched<'_> {
    /// Trains what is planned and not there yet by [`Conduct::objective`].
    ///
    /// # Errors
    /// As [`ExperimentArgs::conduct`].
    pub(super) fn train(&self, conduct: &Conduct, objective: &dyn Objective) -> Result<RunSummary, CliError> {
        let facts = self.evaluator.facts(conduct.part);
        let mut studies = Vec::new();
        for (spec, feasible, planned) in self.plan(conduct)? {
            let size = |params: &_| objective.model_size(params);
            let planned = (conduct.experiment, planned);
            studies.push(open_experiment(
                self.store,
                planned,
                self.ladder,
                spec,
                feasible,
                &facts.objective,
                size,
            )?);
        }
        run_studies(studies, self.store, objective, self.options, self.interrupt, self.style)
    }

    /// What each budget that has complete trials is to train, in the ladder's order.
    fn plan(&self, conduct: &Conduct) -> Result<Vec<Planned<'_>>, CliError> {
        let ladder = self.ladder;
        let mut budgets: Vec<(&BudgetSpec, Arc<Feasible>, Vec<FrozenTrial>)> = Vec::new();
        for spec in &ladder.budgets {
            let study = self.store.study(&format!("{}/{}", ladder.name, spec.budget.label))?;
            let trials = study.map(|study| self.store.trials(study.id)).transpose()?.unwrap_or_default();
            budgets.push((spec, Arc::new(self.evaluator.feasible(spec)?), trials));
        }
        let searched: Vec<retraining::Searched<'_>> =
            budgets.iter().map(|(_, feasible, trials)| retraining::Searched { feasible, trials }).collect();
        let top = conduct.top as usize;
        let mut plan = (conduct.plan)(&searched, ladder.direction, top, conduct.seeds, ladder.seed);
        if plan.len() < conduct.fewest {
            let (found, fewest) = (plan.len(), conduct.fewest);
            return Err(CliError::NotFound {
                message: format!("{found} of the ladder's budgets have complete trials; {fewest} must"),
                hint: Some("`allometry run` searches them".into()),
            });
        }
        let planned = budgets
            .into_iter()
            .filter_map(|(spec, feasible, _)| Some((spec, feasible, plan.remove(&spec.budget.label)?)));
        Ok(planned.collect())
    }
}
