//! `allometry tell`.

use std::collections::BTreeMap;
use std::str::FromStr;

use allometry_core::{Constraints, EpochReport, TrialNumber, TrialState};
use allometry_runner::{AskError, asked_trial, tell, tell_state};
use allometry_search::{Decision, PrunedStudy, Pruner, ReportingTrial, StudyView};
use allometry_store::{FinishedState, Store, StudyRecord};
use clap::{Args, ValueEnum};
use serde_json::json;

use super::study_args::{Place, StudyArgs};
use crate::error::CliError;
use crate::output;

/// Ends a trial of `allometry ask`, with a value or without one.
///
/// With --step the value belongs to one step (an epoch) and the trial goes on. The command then prints one
/// line of JSON that says whether the ladder's pruner would stop the trial at this step.
#[derive(Debug, Args)]
pub(super) struct Tell {
    #[command(flatten)]
    study: StudyArgs,

    /// Number of the trial.
    #[arg(value_name = "TRIAL")]
    number: u64,

    /// Value of the trial, a finite number. With several objectives one value each, in their order.
    #[arg(value_name = "VALUE", allow_negative_numbers = true, required_unless_present = "state")]
    values: Vec<f64>,

    /// Ends the trial without a value; a pruned trial keeps the value of its last step.
    #[arg(long, conflicts_with_all = ["values", "step"])]
    state: Option<StateArg>,

    /// Why the trial failed.
    #[arg(long, requires = "state")]
    reason: Option<String>,

    /// Value of a constraint, which is broken above 0; NAME=VALUE gives it a name. Once per constraint,
    /// together with a value or `--state pruned`.
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true, conflicts_with = "step")]
    constraint: Vec<ConstraintArg>,

    /// Step to which the value belongs.
    #[arg(long, value_name = "STEP")]
    step: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum StateArg {
    Failed,
    Pruned,
}

/// A value of `--constraint`, such as `-0.5` or `latency=3`.
#[derive(Debug, Clone)]
struct ConstraintArg {
    name: Option<String>,
    value: f64,
}

impl FromStr for ConstraintArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, number) = match text.split_once('=') {
            Some((name, _)) if name.trim().is_empty() => {
                return Err("a constraint has no name before `=`".into());
            }
            Some((name, number)) => (Some(name.trim().to_owned()), number),
            None => (None, text),
        };
        let value = number.trim().parse().ok().filter(|value: &f64| !value.is_nan());
        let value = value.ok_or_else(|| format!("`{number}` is not a number"))?;
        Ok(Self { name, value })
    }
}

impl Tell {
    fn constraints(&self) -> Result<Constraints, CliError> {
        let usage = |message: String, hint: &str| CliError::Usage { message, hint: Some(hint.into()) };
        if !self.constraint.is_empty() && matches!(self.state, Some(StateArg::Failed)) {
            return Err(usage(
                "a failed trial has no constraints".into(),
                "leave --constraint out, or give a value or `--state pruned`",
            ));
        }
        let mut constraints = Constraints::default();
        for ConstraintArg { name, value } in &self.constraint {
            let Some(name) = name else {
                constraints.listed.push(*value);
                continue;
            };
            if constraints.named.insert(name.clone(), *value).is_some() {
                return Err(usage(
                    format!("the constraint `{name}` is given twice"),
                    "give each constraint once, with a different name or without one",
                ));
            }
        }
        Ok(constraints)
    }

    pub(super) fn run(self) -> Result<(), CliError> {
        let place = self.study.place()?;
        let store = place.write()?;
        let store = &*store;
        let study = self.study.one(&place, store)?;
        let number = TrialNumber(self.number);
        let constraints = self.constraints()?;
        match (self.values.as_slice(), self.step, self.state) {
            ([_, _, ..], Some(_), _) => {
                return Err(CliError::Usage {
                    message: format!("a step has one value, not {}", self.values.len()),
                    hint: None,
                });
            }
            ([value], Some(step), _) => {
                let stop = report(&place, store, &study, number, (step, *value))?;
                let line =
                    json!({"schema": "allometry.tell/1", "number": number, "step": step, "stop": stop});
                return output::print(&format!("{line}\n"));
            }
            (values @ [_, ..], None, _) => tell(store, &study, number, values, &constraints)?,
            ([], _, Some(StateArg::Pruned)) => {
                tell_state(store, study.id, number, FinishedState::Pruned, None, &constraints)?;
            }
            ([], ..) => {
                let reason = self.reason.as_deref().or(Some("no value was told"));
                tell_state(store, study.id, number, FinishedState::Failed, reason, &constraints)?;
            }
        }
        Ok(())
    }
}

/// Stores the value of a step and returns whether the ladder's pruner would stop the trial there.
fn report(
    place: &Place,
    store: &dyn Store,
    study: &StudyRecord,
    number: TrialNumber,
    (step, value): (i64, f64),
) -> Result<bool, CliError> {
    let objectives = study.directions.len();
    if objectives > 1 {
        return Err(AskError::StepOfSeveral { objectives }.into());
    }
    let handle = asked_trial(store, study.id, number)?;
    store.report(handle.id, &[EpochReport { step, value, metrics: BTreeMap::new() }])?;
    let Some((spec, ladder)) = place.ladder.as_ref().and_then(|l| Some((l.pruner.as_ref()?, l))) else {
        return Ok(false);
    };
    let facts = PrunedStudy {
        name: study.name.clone(),
        direction: study.direction(),
        steps: ladder.steps().unwrap_or(1),
        length: ladder.length_parameter(),
    };
    let trials = store.trials(study.id)?;
    let (finished, running): (Vec<_>, Vec<_>) =
        trials.into_iter().partition(|trial| trial.state.is_finished());
    let Some(trial) = running.iter().find(|t| t.number == number && t.state == TrialState::Running) else {
        return Ok(false);
    };
    let (params, intermediate, metrics) = (&trial.params, &trial.intermediate, &BTreeMap::new());
    let reporting = ReportingTrial { number, params, intermediate, metrics };
    let view = StudyView { finished: &finished, running: &running, other_budgets: &[] };
    let decision = Pruner::new(spec, facts).decide(&view, &reporting);
    Ok(decision != Decision::Continue && !trial.record.exempt)
}
