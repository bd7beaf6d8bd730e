//! `allometry run`.

use std::path::Path;
use std::time::{Duration, Instant};

use allometry_core::Secret;
use allometry_core::event::StopReason;
use allometry_core::ladder::{Ladder, Part};
use allometry_runner::{ChangedSpace, Interrupt, RunOptions, RunSummary, StudyOutcome};
use allometry_session::{Evaluator, report_folder};
use allometry_study as source;
use clap::Args;

use super::confirm;
use super::confirm_cost::words;
use super::experiment::Searched;
use super::ladder_file::LadderFile;
use super::running::{Sharing, conclude, parse_duration, run_studies};
use super::smallest_effect::SmallestEffect;
use crate::error::CliError;
use crate::output::say;
use crate::progress::Style;

/// Runs or resumes the studies of every budget, confirms their best where the ladder asks for it, then writes the report.
///
/// With [confirm] in the ladder file the run ends with what `allometry confirm` does, once every budget has been searched.
///
/// Resuming is running the same command again: what was told is kept, interrupted trials are tried again. The reports go to
/// report/ beside the ladder file.
#[derive(Debug, Args)]
pub(super) struct Run {
    #[command(flatten)]
    file: LadderFile,

    /// Runs only this budget; may be repeated.
    #[arg(long, value_name = "LABEL")]
    budget: Vec<String>,

    /// Complete trials per budget, in place of the ladder's.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    trials: Option<u64>,

    /// Trials evaluated at the same time, of the built-in model each on one thread; as many as there are cores, or devices for a command, if not given.
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1024))]
    workers: Option<u64>,

    #[command(flatten)]
    sharing: Sharing,

    #[command(flatten)]
    smallest_effect: SmallestEffect,

    /// Starts no new trial after this time, such as 90m or 2h.
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    until: Option<Duration>,

    /// Goes on where the search space has changed: trials outside of it stay in the store but count no more.
    #[arg(long)]
    allow_space_change: bool,

    /// Shows nothing but errors.
    #[arg(long, short)]
    quiet: bool,
}

impl Run {
    pub(super) fn run(self) -> Result<(), CliError> {
        let started = Instant::now();
        // As a setting over the file it goes with the studies, to workers and later reports.
        let effect =
            self.smallest_effect.given().map(|effect| ("smallest_effect".into(), effect.to_string()));
        let settings: Vec<(String, String)> = self.file.set.iter().cloned().chain(effect).collect();
        let mut ladder = self.file.read_with(&settings)?;
        self.restrict(&mut ladder)?;
        let url = source::storage_url(&ladder, self.file.storage.as_ref(), &self.file.ladder);
        let options = HowToRun {
            workers: self.workers.map(|n| n as usize),
            devices: self.sharing.devices.clone(),
            lease: self.sharing.lease,
            retries: self.sharing.retries,
            deadline: self.until.map(|until| started + until),
            changed: if self.allow_space_change { ChangedSpace::KeepFitting } else { ChangedSpace::Refuse },
            style: Style::choose(self.quiet),
            settings,
            reports: Reports::Write(self.smallest_effect),
        };
        run_ladder(&ladder, &url, &options, &self.file.ladder)
    }

    fn restrict(&self, ladder: &mut Ladder) -> Result<(), CliError> {
        if let Some(unknown) =
            self.budget.iter().find(|l| !ladder.budgets.iter().any(|b| b.budget.label == **l))
        {
            let labels: Vec<&str> = ladder.budgets.iter().map(|b| b.budget.label.as_str()).collect();
            return Err(CliError::Usage {
                message: format!("the ladder has no budget `{unknown}`"),
                hint: Some(format!("it has {}", labels.join(", "))),
            });
        }
        for budget in &mut ladder.budgets {
            if !self.budget.is_empty() && !self.budget.contains(&budget.budget.label) {
                // A study that is not to run is still in the ladder: its place in the order and its report stay.
                budget.trials = 0;
            } else if let Some(trials) = self.trials {
                budget.trials = trials;
            }
        }
        Ok(())
    }
}

/// How a ladder is run.
pub(super) struct HowToRun {
    /// `None` for what suits the evaluator.
    pub(super) workers: Option<usize>,
    pub(super) devices: Vec<String>,
    pub(super) lease: Duration,
    pub(super) retries: u64,
    pub(super) deadline: Option<Instant>,
    pub(super) changed: ChangedSpace,
    pub(super) style: Style,
    /// Settings over the ladder file, which other processes need too.
    pub(super) settings: Vec<(String, String)>,
    pub(super) reports: Reports,
}

/// What happens at the end of a run.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reports {
    /// The reports are written beside the ladder file, with the smallest effect that the command line gave.
    Write(SmallestEffect),
    /// Nothing: another process writes them.
    Leave,
}

/// Runs the ladder of `file` into a store and writes its report; interrupted trials are kept beside the file.
///
/// # Errors
/// [`CliError`] with the exit code of cli conventions; an interrupted run still writes the report of what there is.
pub(super) fn run_ladder(ladder: &Ladder, url: &Secret, how: &HowToRun, file: &Path) -> Result<(), CliError> {
    let report = report_folder(file);
    let evaluator = Evaluator::new(ladder)?;
    let confirm = ladder.confirm.filter(|_| matches!(how.reports, Reports::Write(_)));
    if confirm.is_some() {
        // Before the search: hours later it would be too late to say so.
        evaluator.check_test_part()?;
    }
    let objective = evaluator.objective(file, &how.devices, Part::Validation)?;
    let options = RunOptions {
        workers: how.workers.unwrap_or_else(|| evaluator.workers(&how.devices)),
        deadline: how.deadline,
        seed: ladder.seed,
        epochs: ladder.objective.steps(),
        lease: how.lease,
        retries: how.retries,
    };
    let style = how.style;
    let interrupt = Interrupt::listen()
        .map_err(|source| CliError::System { what: "cannot listen to signals", source })?;
    let store = allometry_store::open(url.expose())?;
    let store = &*store;
    let stored = match how.reports {
        Reports::Write(_) => Some(allometry_study::stored_ladder(file, &how.settings, ladder)?),
        Reports::Leave => None,
    };
    let studies = allometry_session::open(store, ladder, &evaluator, stored, how.changed)?;

    let summary = run_studies(studies, store, &*objective, &options, &interrupt, style)?;
    let Reports::Write(smallest_effect) = how.reports else {
        return conclude(&summary, &interrupt);
    };
    let mut ended = conclude(&summary, &interrupt);
    if let (Some(asked), Ok(())) = (confirm, &ended) {
        let searched = Searched {
            ladder,
            evaluator: &evaluator,
            store,
            options: &options,
            interrupt: &interrupt,
            style,
        };
        match waits_for(ladder, &summary) {
            None => {
                if style != Style::Quiet {
                    say(&format!("confirmation on the test rows: {}", words(asked)));
                }
                ended = conclude(&confirm::after_search(&searched, asked, file, &how.devices)?, &interrupt);
            }
            Some(why) if style != Style::Quiet => {
                say(&format!("no confirmation yet: {why}; it follows a run that has searched every budget"));
            }
            Some(_) => {}
        }
    }
    let trials = source::trials_of(ladder, store, url)?;
    super::report::write_all(&trials, &report, smallest_effect)?;
    if style != Style::Quiet {
        say(&format!("report: {}", report.join("report.md").display()));
    }
    ended
}

/// Why the confirmation of a ladder has to wait after a run that neither failed nor was interrupted; `None` where it need not.
fn waits_for(ladder: &Ladder, summary: &RunSummary) -> Option<String> {
    if let Some(spec) = ladder.budgets.iter().find(|spec| spec.trials == 0) {
        return Some(format!("budget `{}` was left out", spec.budget.label));
    }
    // A study that had its trials already ends by a limit that has passed, too.
    let lacks = |study: &&StudyOutcome| {
        let wanted = ladder.budgets.iter().find(|spec| spec.budget.label == study.label);
        study.reason == StopReason::TimeLimit
            && wanted.is_none_or(|spec| study.complete + study.pruned < spec.trials)
    };
    let study = summary.studies.iter().find(lacks)?;
    Some(format!("the time limit ended the search of budget `{}`", study.label))
}
