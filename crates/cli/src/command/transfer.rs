//! `allometry transfer`.

use std::sync::Arc;

use allometry_core::FrozenTrial;
use allometry_core::space::Feasible;
use allometry_core::transfer::{self, Searched};
use allometry_runner::{Interrupt, RunOptions, open_transfer};
use clap::Args;

use super::evaluator::Evaluator;
use super::ladder_file::LadderFile;
use super::report::write_all;
use super::run::{Sharing, conclude, report_folder, run_studies};
use crate::error::CliError;
use crate::progress::Style;
use crate::source;

/// Trains each budget's best configurations at every other budget, to see whether settings carry over; then writes the
/// report.
///
/// A budget trains the others' settings with its own best architecture, and its own best configurations anew, all under the same
/// fresh seeds: nobody is favoured by luck. The trials go to studies of their own, NAME/LABEL/transfer, so that neither the search nor its statistics
/// see them. Ctrl-C stops; the same command goes on.
#[derive(Debug, Args)]
pub(super) struct Transfer {
    #[command(flatten)]
    file: LadderFile,

    /// Configurations of each budget; from 3 on, whether they keep their order is told as well.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=1000))]
    top: u64,

    /// Seeds under which each is trained; from 2 on, their spread is part of the errors.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=1000))]
    seeds: u64,

    /// Trainings at the same time, as in `allometry run`.
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1024))]
    workers: Option<u64>,

    #[command(flatten)]
    sharing: Sharing,

    /// Shows nothing but errors.
    #[arg(long, short)]
    quiet: bool,
}

impl Transfer {
    pub(super) fn run(self) -> Result<(), CliError> {
        let path = &self.file.ladder;
        let ladder = self.file.read()?;
        let url = source::storage_url(&ladder, self.file.storage.as_deref(), path);
        let evaluator = Evaluator::new(&ladder)?;
        let objective = evaluator.objective(&path.with_extension("transfer.toml"), &self.sharing.devices)?;
        let store = allometry_store::open_existing(&url)?;
        let store = &*store;
        let mut budgets: Vec<(Arc<Feasible>, Vec<FrozenTrial>)> = Vec::new();
        for spec in &ladder.budgets {
            let study = store.study(&format!("{}/{}", ladder.name, spec.budget.label))?;
            let trials = study.map(|study| store.trials(study.id)).transpose()?.unwrap_or_default();
            budgets.push((Arc::new(evaluator.feasible(spec)?), trials));
        }
        let searched: Vec<Searched<'_>> =
            budgets.iter().map(|(feasible, trials)| Searched { feasible, trials }).collect();
        let mut plan =
            transfer::plan(&searched, ladder.direction, self.top as usize, self.seeds, ladder.seed);
        if plan.len() < 2 {
            return Err(CliError::NotFound {
                message: format!(
                    "{} of the ladder's budgets have complete trials; two are needed",
                    plan.len()
                ),
                hint: Some("`allometry run` searches them".into()),
            });
        }
        let facts = evaluator.facts();
        let mut studies = Vec::new();
        for (spec, (feasible, _)) in ladder.budgets.iter().zip(&budgets) {
            if let Some(planned) = plan.remove(&spec.budget.label) {
                let size = |params: &_| objective.model_size(params);
                let feasible = Arc::clone(feasible);
                studies.push(open_transfer(store, &ladder, spec, feasible, &facts, planned, size)?);
            }
        }
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
        let summary = run_studies(studies, store, &*objective, &options, &interrupt, style)?;
        let report = report_folder(path);
        write_all(&source::ladder_of_store(store, Some(&ladder.name), &url)?, &report)?;
        if style != Style::Quiet {
            eprintln!("report: {}", report.join("report.md").display());
        }
        conclude(&summary, &interrupt)
    }
}
