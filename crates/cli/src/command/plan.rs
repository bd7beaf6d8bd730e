//! `allometry plan`.

use std::fmt::Write as _;
use std::path::Path;

use allometry_analysis::plan::{Looks, NoPlan, SearchAim, SearchPlan, SearchVerdict, Step, VerdictPlan};
use allometry_analysis::{LadderTrials, Options};
use allometry_core::{Params, SamplerKind, Secret, StopReason};
use allometry_report::command::shell_word;
use allometry_report::number::counted;
use allometry_report::words;
use allometry_runner::RunSummary;
use allometry_session::{ExperimentPlan, driven, end_round};
use allometry_study::Source;
use clap::{Args, ValueEnum};
use serde_json::json;

use super::experiment::Searched;
use super::ladder_file::words_of;
use super::objective::ObjectiveArgs;
use super::running::conclude;
use super::smallest_effect::SmallestEffect;
use crate::error::CliError;
use crate::output::say;
use crate::progress::Style;
use crate::{notes, output};

/// Says which trials are worth running next, and why.
///
/// For the verdict it plans the trainings on test rows that decide most probably whether more weights pay, in
/// rounds with a planned look after each; `allometry run --plan verdict` runs them. For coverage and for the
/// optimum it names the budget to search further, and configurations to try. It trains nothing itself.
#[derive(Debug, Args)]
pub(super) struct Plan {
    /// Where the trials are: a ladder file (or its folder), a storage URL, a database, or LABEL=FILE:STUDY.
    #[arg(value_name = "SOURCE", default_value = "ladder.toml")]
    sources: Vec<Source>,

    /// What the trials are for.
    #[arg(long = "for", value_name = "AIM", value_enum, default_value_t = Aim::Verdict)]
    aim: Aim,

    #[command(flatten)]
    trainings: PlanTrainings,

    #[command(flatten)]
    objective: ObjectiveArgs,

    #[command(flatten)]
    smallest_effect: SmallestEffect,

    /// Prints one JSON document.
    #[arg(long)]
    json: bool,
}

/// What trials are planned for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Aim {
    /// To decide whether more weights pay.
    Verdict,
    /// To try combinations of values that were not tried.
    Coverage,
    /// To find a better configuration.
    Optimum,
}

/// Number of configurations that a plan for a search proposes.
const PROPOSALS: usize = 3;

/// The option `--plan-trainings`.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(super) struct PlanTrainings {
    /// Cost of a plan for the verdict, in trainings of every budget. It is fixed when the plan begins.
    #[arg(
        long = "plan-trainings",
        value_name = "N",
        value_parser = clap::value_parser!(u64).range(Looks::FEWEST_TRAININGS..=10_000)
    )]
    plan_trainings: Option<u64>,
}

impl Plan {
    pub(super) fn run(self) -> Result<(), CliError> {
        let ladder = notes::read(&self.sources, &self.objective.to_objective(false))?;
        let options = self.smallest_effect.over(Options::default());
        let file = match self.sources.as_slice() {
            [Source::Ladder(path)] => words_of(path),
            _ => String::new(),
        };
        let aim = match self.aim {
            Aim::Verdict => None,
            Aim::Coverage => Some(SearchAim::Coverage),
            Aim::Optimum => Some(SearchAim::Optimum),
        };
        if let Some(aim) = aim {
            return self.search(aim, &ladder, &options, &file);
        }
        if !ladder.can_confirm
            && !self.trainings.is_given()
            && let Some(plan) = SearchVerdict::new(&ladder, &options)
        {
            return self.by_search(&plan, &file);
        }
        let plan = self.trainings.plan(&ladder, &options)?;
        if self.json {
            return output::print_json(&json!({
                "schema": "allometry.plan/1",
                "for": "verdict",
                "sentence": words::plan::standing(&plan),
                "command": words::plan::verdict_command(&plan, &file),
                "plan": plan,
            }));
        }
        output::print(&words::plan::verdict(&plan, &file))
    }
}

impl Plan {
    /// Prints what may decide a verdict that rests on the searches.
    fn by_search(&self, plan: &SearchVerdict, file: &str) -> Result<(), CliError> {
        let text = words::plan::search_verdict(plan, file);
        if self.json {
            return output::print_json(&json!({
                "schema": "allometry.plan/1",
                "for": "verdict",
                "sentence": text.lines().next(),
                "commands": words::plan::search_commands(plan, file),
                "plan": plan,
            }));
        }
        output::print(&text)
    }

    /// Prints the budget to search further, with configurations that its sampler would try.
    fn search(
        &self,
        aim: SearchAim,
        ladder: &LadderTrials,
        options: &Options,
        file: &str,
    ) -> Result<(), CliError> {
        if self.trainings.is_given() {
            return Err(CliError::Usage {
                message: "--plan-trainings is for a plan for the verdict".into(),
                hint: Some("leave it out".into()),
            });
        }
        let plan = SearchPlan::new(ladder, aim, options).ok_or_else(|| refused(&NoPlan::NoTrials))?;
        let [source] = self.sources.as_slice() else {
            return Err(one_storage());
        };
        let place = super::read_args::place(source)?.ok_or_else(one_storage)?;
        let store = place.read()?;
        let label = &plan.chosen().budget;
        let study = place.one(&*store, Some(label))?;
        let (sampler, proposals) = match aim {
            // The sequence fills gaps.
            SearchAim::Coverage => {
                let sampler = SamplerKind::Sobol;
                (sampler, driven(&*store, &study, Some(sampler), None)?.suggestions(PROPOSALS)?)
            }
            SearchAim::Optimum => {
                let sampler = SamplerKind::Gp;
                (sampler, driven(&*store, &study, Some(sampler), None)?.batch(PROPOSALS)?)
            }
        };
        let commands: Vec<String> = proposals.iter().map(|params| enqueue(params, label, source)).collect();
        let target = plan.chosen().trials + proposals.len() as u64;
        let run = place.ladder.is_some().then(|| {
            let file = if file.is_empty() { String::new() } else { format!(" {file}") };
            format!("allometry run{file} --budget {} --trials {target}", shell_word(label))
        });
        if self.json {
            return output::print_json(&json!({
                "schema": "allometry.plan/1",
                "for": aim,
                "sentence": words::plan::search(&plan).lines().next(),
                "proposals": proposals,
                "commands": commands.iter().chain(&run).collect::<Vec<_>>(),
                "plan": plan,
            }));
        }
        let mut text = words::plan::search(&plan);
        let _ = write!(text, "\n{}\n\n", words::plan::proposals(aim, sampler, proposals.len() as u64));
        for command in commands.iter().chain(&run) {
            let _ = writeln!(text, "  {command}");
        }
        output::print(&text)
    }
}

fn one_storage() -> CliError {
    CliError::Usage {
        message: "configurations are proposed for the studies of one ladder or storage".into(),
        hint: Some("give a ladder file, a storage URL or a database".into()),
    }
}

/// Returns the command that enqueues a configuration.
fn enqueue(params: &Params, label: &str, source: &Source) -> String {
    let values = params.iter().map(|(name, value)| shell_word(&format!("{name}={value}")));
    let values: Vec<String> = values.collect();
    let from = match source.to_string().as_str() {
        "ladder.toml" => String::new(),
        other => format!(" --in {}", shell_word(other)),
    };
    format!("allometry enqueue{from} --study {} {}", shell_word(label), values.join(" "))
}

impl PlanTrainings {
    /// Whether the option is given.
    pub(super) fn is_given(self) -> bool {
        self.plan_trainings.is_some()
    }

    /// Follows the plan of a searched ladder to its end, or to an interruption or the time limit. Returns how
    /// the last trainings ended; `None` if none was left.
    ///
    /// # Errors
    /// The errors of [`PlanTrainings::plan`] and of [`Searched::train`].
    pub(super) fn follow(
        self,
        searched: &Searched<'_>,
        url: &Secret,
        options: &Options,
        file: &Path,
        devices: &[String],
    ) -> Result<Option<RunSummary>, CliError> {
        let Searched { ladder, store, style, .. } = *searched;
        let tell = |text: &str| {
            if style != Style::Quiet {
                say(text);
            }
        };
        let mut last = None;
        loop {
            let trials = allometry_study::trials_of(ladder, store, url)?;
            let plan = self.plan(&trials, options)?;
            if plan.outcome.is_some() {
                tell(&words::plan::standing(&plan));
            }
            let round = match plan.step {
                Step::Search { extension, .. } => {
                    let trials = extension.more.iter().map(|one| one.trials).sum();
                    let trials = counted(trials, "further trial");
                    tell(&format!("plan for the verdict: {trials} of the searches, before the first look"));
                    let summary = searched.extend(&extension, file, devices)?;
                    let is_short = extension.more.iter().any(|one| {
                        let study = summary.studies.iter().find(|study| study.label == one.budget);
                        study.is_none_or(|study| study.complete + study.pruned < one.in_all)
                    });
                    if is_short || conclude(&summary, searched.interrupt).is_err() {
                        return Ok(Some(summary));
                    }
                    last = Some(summary);
                    continue;
                }
                Step::Train { round } => round,
                step => {
                    tell(&words::plan::ending(&step));
                    return Ok(last);
                }
            };
            let (new, looks) = (round.new.iter().map(|one| one.trainings).sum(), round.looks);
            let new = counted(new, "training");
            tell(&format!(
                "plan for the verdict: {new} on the test rows, for look {} of {}",
                looks.look, looks.of
            ));
            let plan = ExperimentPlan::round(round);
            let objective = plan.objective(searched.evaluator, file, devices)?;
            let summary = searched.train(&plan, &*objective)?;
            let is_stopped = summary.studies.iter().any(|study| study.reason == StopReason::TimeLimit);
            if is_stopped || conclude(&summary, searched.interrupt).is_err() {
                return Ok(Some(summary));
            }
            end_round(store, ladder)?;
            last = Some(summary);
        }
    }

    /// Plans the next round of a ladder.
    ///
    /// # Errors
    /// [`CliError`] if there is no plan, or if the option contradicts the plan that has begun.
    pub(super) fn plan(self, ladder: &LadderTrials, options: &Options) -> Result<VerdictPlan, CliError> {
        if let (Some(given), Some(begun)) = (self.plan_trainings, ladder.looks)
            && given != begun.trainings
        {
            return Err(CliError::Usage {
                message: format!(
                    "--plan-trainings {given}: the plan began with {} trainings of every budget",
                    begun.trainings
                ),
                hint: Some("its looks are fixed; leave the option out".into()),
            });
        }
        VerdictPlan::new(ladder, self.plan_trainings.unwrap_or(Looks::TRAININGS), options)
            .map_err(|why| refused(&why))
    }
}

fn refused(why: &NoPlan) -> CliError {
    let (message, hint) = words::plan::no_plan(why);
    let hint = Some(hint.into());
    match why {
        NoPlan::NoTrials | NoPlan::OneBudget { .. } => CliError::NotFound { message, hint },
        NoPlan::SeveralObjectives | NoPlan::NoTestRows | NoPlan::AlreadyConfirmed => {
            CliError::Usage { message, hint }
        }
    }
}
