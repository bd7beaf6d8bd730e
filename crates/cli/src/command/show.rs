//! `allometry show`.

use allometry_core::constraints::is_met;
use allometry_core::significant::significant;
use allometry_core::visible::visible_lines;
use allometry_core::{EarlyStop, FrozenTrial, TrialNumber};
use allometry_report::number::{counted, grouped};
use allometry_store::LateResult;
use allometry_study::Source;
use clap::Args;
use serde_json::{Value, json};

use super::read_args::ReadOptions;
use super::trial_json::{attributes, outcome, trial_json};
use crate::error::CliError;
use crate::output;

/// Prints all data of one trial.
///
/// These are its configuration, value, constraints, times, metrics, user attributes, steps and log.
#[derive(Debug, Args)]
#[command(override_usage = "allometry show [OPTIONS] [SOURCE] <TRIAL>")]
pub(super) struct Show {
    /// Source of the study, as for `allometry best`, and the number of the trial.
    // One argument for both, because clap cannot tell an optional first positional from a required last one
    // when options stand between them.
    #[arg(value_name = "[SOURCE] TRIAL", required = true, num_args = 1..=2)]
    words: Vec<String>,

    #[command(flatten)]
    study: ReadOptions,

    /// Prints one JSON document.
    #[arg(long)]
    json: bool,
}

impl Show {
    /// Returns the source, if one is given, and the number of the trial.
    fn trial(&self) -> Result<(Vec<Source>, TrialNumber), CliError> {
        let usage = |message: String, hint: &str| CliError::Usage { message, hint: Some(hint.into()) };
        let (number, sources) = self.words.split_last().map_or(("", &[][..]), |(last, rest)| (last, rest));
        let number = number.parse().map_err(|_| {
            usage(format!("`{number}` is not a trial number"), "give it last: allometry show [SOURCE] TRIAL")
        })?;
        let sources = sources.iter().map(|source| source.parse());
        let sources =
            sources.collect::<Result<_, _>>().map_err(|why: String| usage(why, "name one SOURCE"))?;
        Ok((sources, TrialNumber(number)))
    }

    pub(super) fn run(self) -> Result<(), CliError> {
        let (sources, number) = self.trial()?;
        let (place, store) = self.study.open(&sources)?;
        let store = &*store;
        let study = self.study.one(&place, store)?;
        let trials = store.trials(study.id)?;
        let Some(trial) = trials.iter().find(|trial| trial.number == number) else {
            return Err(CliError::NotFound {
                message: format!("study `{}` has no trial {number}", study.name),
                hint: Some(format!(
                    "it has {}; `allometry list` shows them",
                    counted(trials.len() as u64, "trial")
                )),
            });
        };
        let log = store.log(study.id, number)?;
        let late = store.late_results(study.id, number)?;
        if self.json {
            let mut document =
                json!({"schema": "allometry.show/1", "study": study.name, "trial": trial_json(trial)});
            if let Some(log) = log {
                document["log"] = log.into();
            }
            if !late.is_empty() {
                document["late_tells"] = late.iter().map(late_json).collect();
            }
            return output::print_json(&document);
        }
        let step = if study.facts.has_folds() { "fold" } else { "epoch" };
        output::print(&text((&study.name, step), trial, &late, log.as_deref()))
    }
}

/// Least width of the column of names.
const LEAST: usize = 12;
/// Longest name that widens the column; a longer one moves its own value alone.
const LONGEST: usize = 32;

/// Returns all data of a trial as text. `step` names the steps of its intermediate values.
pub(super) fn text(
    (study, step): (&str, &str),
    trial: &FrozenTrial,
    late: &[LateResult],
    log: Option<&str>,
) -> String {
    let record = &trial.record;
    let mut lines: Vec<(String, String)> = Vec::new();
    let mut line = |name: &str, value: Option<String>| {
        lines.extend(value.map(|value| (name.to_owned(), value)));
    };
    for (name, value) in trial.params.iter() {
        line(name, Some(value.to_string()));
    }
    for (name, value) in trial.constraints().iter() {
        let kept = if is_met(value) { "met" } else { "broken" };
        line(&format!("constraint {name}"), Some(format!("{} ({kept})", significant(value))));
    }
    line("weights", record.size.map(|size| grouped(size.total)));
    line("seed", record.seed.map(|seed| seed.to_string()));
    line("started", trial.started.map(|time| time.to_string()));
    line("ended", trial.completed.map(|time| time.to_string()));
    line("best epoch", record.best_step.map(|step| step.to_string()));
    let cost = trial.cost();
    line("rows", cost.train_rows.map(|rows| format!("{} distinct", grouped(rows))));
    line("trained on", cost.tokens.map(|tokens| format!("{} with repeats", grouped(tokens))));
    line("operations", cost.flops.map(significant));
    line("precision", cost.precision.map(|precision| precision.as_str().to_owned()));
    line("repeats", record.retry_of.map(|number| format!("trial {number}")));
    line(
        "collapsed",
        record.early_stop.filter(|stop| *stop == EarlyStop::Collapsed).map(|_| {
            let to = record.collapsed_to.map_or_else(String::new, |to| format!(" {}", to.as_str()));
            format!("its predictions were constant{to}")
        }),
    );
    line("exempt", record.exempt.then(|| "the pruner may not stop it".into()));
    for tell in late {
        line("refused", Some(format!("{tell}: told after the trial had ended")));
    }
    for (name, value) in &record.metrics {
        line(name, Some(significant(*value)));
    }
    for (name, value) in attributes(trial) {
        line(name, Some(value.to_owned()));
    }
    for (number, value) in &trial.intermediate {
        line(&format!("{step} {number}"), Some(significant(*value)));
    }
    let mut text = String::new();
    output::push_line(&mut text, &format!("{study}, trial {}: {}", trial.number, outcome(trial)));
    let widths = lines.iter().map(|(name, _)| name.chars().count());
    let width = widths.filter(|width| *width <= LONGEST).max().unwrap_or(0).max(LEAST);
    for (name, value) in &lines {
        output::push_line(&mut text, &format!("  {name:<width$} {value}"));
    }
    let detail = record.failure.as_ref().map(|failure| failure.detail.as_str());
    if let Some(said) = log.or(detail).filter(|said| !said.is_empty()) {
        text.push_str(&visible_lines(said.trim_end()));
        text.push('\n');
    }
    text
}

/// Returns a late tell as JSON; values that are not finite are null.
fn late_json(tell: &LateResult) -> Value {
    let LateResult { at, teller, state, values, step } = tell;
    json!({"at": at, "teller": teller, "state": state, "values": values, "step": step})
}
