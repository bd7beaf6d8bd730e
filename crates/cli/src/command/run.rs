//! `allometry run`.

use std::path::Path;
use std::time::{Duration, Instant};

use allometry_analysis::Options;
use allometry_core::{Secret, StopReason};
use allometry_ladder::{ConfirmSpec, Ladder, ScoredPart};
use allometry_runner::{ChangedSpace, Interrupt, RunOptions, RunSummary, StudyOutcome};
use allometry_session::{Evaluator, report_folder, stored_precision};
use allometry_study as source;
use clap::{Args, ValueEnum};

use super::conclusion::{Conclusion, Ended, SummaryArgs};
use super::confirm;
use super::confirm_cost::confirmation_text;
use super::experiment::Searched;
use super::ladder_file::{LadderFile, known_budget};
use super::plan::PlanTrainings;
use super::running::{Sharing, conclude, parse_duration, run_studies};
use super::smallest_effect::SmallestEffect;
use crate::error::CliError;
use crate::output::say;
use crate::progress::Style;

/// Runs or resumes the study of every budget and writes the report.
///
/// To resume, run the command again: finished trials are kept and interrupted trials are repeated. The
/// reports are written to the folder report/ next to the ladder file, and their summary is printed.
///
/// If the ladder file has a [confirm] table, the run also confirms the best configurations, as `allometry
/// confirm` does, once every budget has been searched. With --plan verdict it trains what decides the verdict
/// with the fewest trainings, and stops when it is decided.
#[derive(Debug, Args)]
pub(super) struct Run {
    #[command(flatten)]
    file: LadderFile,

    /// Runs only this budget. May be repeated.
    #[arg(long, value_name = "LABEL")]
    budget: Vec<String>,

    /// Complete trials per budget; overrides the ladder file.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    trials: Option<u64>,

    /// Number of trials evaluated at the same time; the built-in model uses one thread per trial. Default:
    /// the number of cores, or of --devices for a command.
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1024))]
    workers: Option<u64>,

    #[command(flatten)]
    sharing: Sharing,

    #[command(flatten)]
    smallest_effect: SmallestEffect,

    /// After the search, trains on the test rows what `allometry plan --for verdict` says, in rounds, until
    /// the verdict is decided, not decidable, or the plan has been spent. Replaces the confirmation of the
    /// ladder file.
    #[arg(long, value_name = "AIM", value_enum)]
    plan: Option<PlanAim>,

    #[command(flatten)]
    plan_trainings: PlanTrainings,

    /// Starts no new trial after this time, such as 90m or 2h.
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    until: Option<Duration>,

    /// Resumes a study whose search space has changed. Trials outside the new space stay in the storage but
    /// are no longer counted.
    #[arg(long)]
    allow_space_change: bool,

    #[command(flatten)]
    summary: SummaryArgs,

    /// Prints errors only.
    #[arg(long, short)]
    quiet: bool,
}

/// What a run plans trainings for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PlanAim {
    /// To decide whether more weights pay.
    Verdict,
}

impl Run {
    pub(super) fn run(self) -> Result<(), CliError> {
        let started = Instant::now();
        // The effect is stored with the studies as a setting, so that workers and later reports use it.
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
            plan: match (self.plan, self.plan_trainings.is_given()) {
                (Some(PlanAim::Verdict), _) => Some(self.plan_trainings),
                (None, false) => None,
                (None, true) => {
                    return Err(CliError::Usage {
                        message: "--plan-trainings is for a plan".into(),
                        hint: Some("add --plan verdict".into()),
                    });
                }
            },
            reports: Reports::Write(Conclusion {
                schema: "allometry.run/1",
                smallest_effect: self.smallest_effect,
                summary: self.summary,
                ladder: self.file.words(),
                style: Style::choose(self.quiet),
            }),
        };
        run_ladder(&ladder, &url, &options, &self.file.ladder)
    }

    fn restrict(&self, ladder: &mut Ladder) -> Result<(), CliError> {
        for label in &self.budget {
            known_budget(ladder, label)?;
        }
        for budget in &mut ladder.budgets {
            if !self.budget.is_empty() && !self.budget.contains(&budget.budget.label) {
                // An excluded budget stays in the ladder, so that its order and its report do not change.
                budget.trials = 0;
            } else if let Some(trials) = self.trials {
                budget.trials = trials;
            }
        }
        Ok(())
    }
}

/// Options of [`run_ladder`].
pub(super) struct HowToRun {
    /// Number of trials at the same time; `None` for the evaluator's default.
    pub(super) workers: Option<usize>,
    pub(super) devices: Vec<String>,
    pub(super) lease: Duration,
    pub(super) retries: u64,
    pub(super) deadline: Option<Instant>,
    pub(super) changed: ChangedSpace,
    pub(super) style: Style,
    /// Settings that override the ladder file; stored for other processes.
    pub(super) settings: Vec<(String, String)>,
    /// The plan for the verdict to follow after the search.
    pub(super) plan: Option<PlanTrainings>,
    pub(super) reports: Reports,
}

impl HowToRun {
    /// Returns the options of the analysis that plans follow.
    fn analysis(&self) -> Options {
        match &self.reports {
            Reports::Write(conclusion) => conclusion.smallest_effect.over(Options::default()),
            Reports::Leave => Options::default(),
        }
    }
}

/// Whether a run writes the reports at its end.
#[derive(Debug)]
pub(super) enum Reports {
    /// Writes them next to the ladder file and prints their summary.
    Write(Conclusion),
    /// Writes none, because another process does.
    Leave,
}

/// Runs the ladder of `file` into the store at `url` and writes its reports. Checkpoints of interrupted
/// trials are kept next to the file.
///
/// # Errors
/// Any [`CliError`]. An interrupted run also writes the reports, from the trials so far.
pub(super) fn run_ladder(ladder: &Ladder, url: &Secret, how: &HowToRun, file: &Path) -> Result<(), CliError> {
    let report = report_folder(file);
    let evaluator = Evaluator::new(ladder, stored_precision(url, ladder))?;
    let confirm = ladder.confirm.filter(|_| matches!(how.reports, Reports::Write(_)));
    if confirm.is_some() || how.plan.is_some() {
        // Checked before the search, which may take hours.
        evaluator.check_test_part()?;
    }
    let objective = evaluator.objective(file, &how.devices, ScoredPart::Validation)?;
    let options = RunOptions {
        workers: how.workers.unwrap_or_else(|| evaluator.workers(&how.devices)),
        deadline: how.deadline,
        seed: ladder.seed,
        steps: ladder.steps(),
        unit: ladder.step_unit(),
        length: ladder.length_parameter(),
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
    let Reports::Write(conclusion) = &how.reports else {
        return conclude(&summary, &interrupt);
    };
    let (mut ended, mut confirmation) = (conclude(&summary, &interrupt), None);
    if ended.is_ok() {
        let searched = Searched {
            ladder,
            evaluator: &evaluator,
            store,
            options: &options,
            interrupt: &interrupt,
            style,
        };
        if let Some(trained) = after_search(&searched, url, how, confirm, &summary, file)? {
            ended = conclude(&trained, &interrupt);
            confirmation = Some(trained);
        }
    }
    let trials = source::trials_of(ladder, store, url)?.of_file(file);
    let all = Ended {
        studies: &summary,
        confirmation: confirmation.as_ref(),
        is_interrupted: interrupt.is_asked(),
    };
    conclusion.report(&trials, &report, &all)?;
    ended
}

/// Confirms the best configurations after the search, by a plan or as the ladder asks; `None` if neither asks
/// for it, or it cannot start yet.
fn after_search(
    searched: &Searched<'_>,
    url: &Secret,
    how: &HowToRun,
    confirm: Option<ConfirmSpec>,
    summary: &RunSummary,
    file: &Path,
) -> Result<Option<RunSummary>, CliError> {
    if confirm.is_none() && how.plan.is_none() {
        return Ok(None);
    }
    let is_quiet = searched.style == Style::Quiet;
    if let Some(why) = reason_to_postpone(searched.ladder, summary) {
        if !is_quiet {
            say(&format!("no confirmation yet: {why}; it starts once a run has searched every budget"));
        }
        return Ok(None);
    }
    // A confirmation that follows a plan goes on with it.
    let is_begun = || -> Result<bool, CliError> {
        Ok(source::trials_of(searched.ladder, searched.store, url)?.looks.is_some())
    };
    match (how.plan, confirm) {
        (None, Some(asked)) if !is_begun()? => {
            if !is_quiet {
                say(&format!("confirmation on the test rows: {}", confirmation_text(asked)));
            }
            confirm::after_search(searched, asked, file, &how.devices).map(Some)
        }
        (plan, _) => {
            let plan = plan.unwrap_or_default();
            plan.follow(searched, url, &how.analysis(), file, &how.devices)
        }
    }
}

/// Returns why the confirmation cannot start after a successful run; `None` if it can.
fn reason_to_postpone(ladder: &Ladder, summary: &RunSummary) -> Option<String> {
    if let Some(spec) = ladder.budgets.iter().find(|spec| spec.trials == 0) {
        return Some(format!("budget `{}` was left out", spec.budget.label));
    }
    // After the deadline even a study with all its trials ends with `TimeLimit`, so its trials are counted
    // too.
    let is_unfinished = |study: &&StudyOutcome| {
        let wanted = ladder.budgets.iter().find(|spec| spec.budget.label == study.label);
        study.reason == StopReason::TimeLimit
            && wanted.is_none_or(|spec| study.complete + study.pruned < spec.trials)
    };
    let study = summary.studies.iter().find(is_unfinished)?;
    Some(format!("the time limit ended the search of budget `{}`", study.label))
}
