//! `allometry best`.

use allometry_analysis::{Options, Recommendation, is_auc};
use allometry_core::pareto::{best_trials, losses};
use allometry_core::significant::significant;
use allometry_core::{Direction, FrozenTrial, TrialNumber, TrialState, incumbent};
use allometry_report::command::train_command;
use allometry_report::number::counted;
use allometry_report::words::not_recommended;
use allometry_store::facts::Experiment;
use allometry_store::import::{space_of, take_metrics};
use allometry_store::{Store, StoreError, StudyRecord};
use allometry_study::{metric, training};
use clap::Args;
use serde_json::{Value, json};

use super::read_args::ReadArgs;
use super::study_args::{label, objective_names, readable, refusal};
use crate::error::CliError;
use crate::output;
use crate::styles::Label;

/// Prints each study's best trial and recommended configuration.
///
/// With several objectives it prints the Pareto front. Trials that break a constraint are left out. Under
/// noise the best value is often luck, so the command also prints the configuration whose mean over seeds is
/// probably the best, with the interval of that mean.
#[derive(Debug, Args)]
pub(super) struct Best {
    #[command(flatten)]
    study: ReadArgs,

    /// Prints one JSON document.
    #[arg(long)]
    json: bool,
}

impl Best {
    pub(super) fn run(self) -> Result<(), CliError> {
        let (place, store) = self.study.open()?;
        let store = &*store;
        let mut text = String::new();
        let mut documents: Vec<Value> = Vec::new();
        let mut infeasible = 0;
        let studies = self.study.select(&place, store)?;
        for study in &studies {
            let mut trials = Vec::new();
            let mut read = || -> Result<(), CliError> {
                readable(&place, study)?;
                trials = store.trials(study.id)?;
                trials.iter_mut().for_each(take_metrics);
                Ok(())
            };
            if let Some(why) = refusal(read(), &studies)? {
                output::push_line(&mut text, &format!("{}: cannot be read: {why}", label(study)));
                continue;
            }
            if let Some(count) = without_feasible(&trials) {
                output::push_line(&mut text, &format!("{}: {}", label(study), no_feasible(count)));
                infeasible += count;
                continue;
            }
            if study.has_several_objectives() {
                let front = best_trials(&trials, &study.directions);
                if front.is_empty() {
                    output::push_line(
                        &mut text,
                        &format!("{}: no complete trial with a value for each objective", label(study)),
                    );
                } else {
                    documents.push(front_json(study, &front));
                    text.push_str(&front_text(study, &front));
                }
                continue;
            }
            let Some(best) = incumbent(&trials, study.direction()) else {
                output::push_line(
                    &mut text,
                    &format!("{}: no complete trial with a usable value", label(study)),
                );
                continue;
            };
            let weights = best.record.size.map(|size| size.total);
            let space = space_of(study, &trials);
            let recommended =
                Recommendation::new(&trials, space.as_ref(), study.direction(), &Options::default());
            let recommended = if is_auc(&metric(study)) { recommended.of_auc() } else { recommended };
            documents.push(json!({
                "study": study.name,
                "budget": label(study),
                "number": best.number,
                "value": best.value(),
                "weights": weights,
                "params": best.params,
                "recommended": recommended,
            }));
            let value = best.value().unwrap_or(f64::NAN);
            let weights = weights.map_or_else(String::new, |weights| format!(", {weights} weights"));
            let line = format!(
                "{}: {} (trial {}{weights})  {}",
                label(study),
                significant(value),
                best.number,
                best.params
            );
            output::push_line(&mut text, &line);
            output::push_line(&mut text, &recommendation_line(&recommended, best.number));
            let number = recommended.trial.as_ref().map_or(best.number, |trial| trial.number);
            let taken = trials.iter().find(|trial| trial.number == number).unwrap_or(best);
            let line = match training(study).filter(|_| place.ladder.is_some()) {
                Some(training) => {
                    let command = train_command(&label(study), number, &place.file, training);
                    format!("  train it again: {command}")
                }
                None => format!("  its parameters as JSON: {}", json!(taken.params)),
            };
            output::push_line(&mut text, &line);
            if let Some(place) = taken.checkpoint() {
                output::push_line(&mut text, &format!("  its model: {place}"));
            }
        }
        if documents.is_empty() {
            return Err(no_best(&place.shown(), infeasible));
        }
        tell_confirmed(store, &studies)?;
        if self.json {
            return output::print_json(&json!({"schema": "allometry.best/1", "studies": documents}));
        }
        output::print(&text)
    }
}

/// Returns the error of a source without a best trial, of whose trials `infeasible` break a constraint.
fn no_best(source: &str, infeasible: usize) -> CliError {
    if infeasible == 0 {
        return CliError::NotFound {
            message: format!("{source} has no complete trial with a usable value yet"),
            hint: Some("`allometry status` shows the trials of each study".into()),
        };
    }
    CliError::NotFound {
        message: format!("{source} has no best trial: {}", no_feasible(infeasible)),
        hint: Some(
            "`allometry show TRIAL` lists the broken constraints and by how much they are broken; widen the \
             space or the limits"
                .into(),
        ),
    }
}

/// Says that the studies' ladder has a confirmation, if it has a complete trial: what it chose is another
/// configuration perhaps.
fn tell_confirmed(store: &dyn Store, studies: &[StudyRecord]) -> Result<(), StoreError> {
    let ladders: Vec<&str> = studies.iter().filter_map(|study| study.facts.ladder_name()).collect();
    for study in store.studies()? {
        if let Some((Experiment::Confirm, of)) = &study.facts.experiment
            && ladders.contains(&of.ladder.as_str())
            && store.trials(study.id)?.iter().any(|trial| trial.state == TrialState::Complete)
        {
            output::tell(
                Label::Note,
                "a confirmation on test rows is stored: `allometry report` recommends what it chose",
            );
            return Ok(());
        }
    }
    Ok(())
}

/// Returns the number of complete trials if there are some and each breaks a constraint.
fn without_feasible(trials: &[FrozenTrial]) -> Option<usize> {
    let complete = trials.iter().filter(|trial| trial.state == TrialState::Complete).count();
    (complete > 0 && !trials.iter().any(FrozenTrial::is_eligible)).then_some(complete)
}

/// Returns the message on `count` complete trials, all infeasible.
fn no_feasible(count: usize) -> String {
    let trials = if count == 1 {
        "the complete trial breaks".into()
    } else {
        format!("all {count} complete trials break")
    };
    format!("{trials} a constraint")
}

/// Returns the trials of the Pareto front, best in the first objective first.
fn ordered<'a>(study: &StudyRecord, front: &[&'a FrozenTrial]) -> Vec<&'a FrozenTrial> {
    let mut ordered = front.to_vec();
    let loss = |trial: &FrozenTrial| losses(&trial.values, &study.directions);
    ordered.sort_by(|a, b| loss(a)[0].total_cmp(&loss(b)[0]).then(a.number.cmp(&b.number)));
    ordered
}

fn front_json(study: &StudyRecord, front: &[&FrozenTrial]) -> Value {
    let members = ordered(study, front).into_iter().map(|trial| {
        json!({
            "number": trial.number,
            "values": trial.values,
            "weights": trial.record.size.map(|size| size.total),
            "params": trial.params,
        })
    });
    json!({
        "study": study.name,
        "budget": label(study),
        "directions": study.directions,
        "metrics": objective_names(study),
        "front": members.collect::<Vec<_>>(),
    })
}

fn front_text(study: &StudyRecord, front: &[&FrozenTrial]) -> String {
    let count = front.len();
    let trials = counted(count as u64, "trial");
    let names = objective_names(study);
    let goals = names.iter().zip(&study.directions).map(|(name, direction)| match direction {
        Direction::Maximize => format!("{name} up"),
        Direction::Minimize => format!("{name} down"),
    });
    let mut text = String::new();
    let goals = goals.collect::<Vec<_>>().join(", ");
    output::push_line(&mut text, &format!("{}: Pareto front of {trials} in {goals}", label(study)));
    for trial in ordered(study, front) {
        let pairs = names.iter().zip(&trial.values);
        let values: Vec<String> =
            pairs.map(|(name, value)| format!("{name} {}", significant(*value))).collect();
        let line = format!("  trial {}: {}  {}", trial.number, values.join(", "), trial.params);
        output::push_line(&mut text, &line);
    }
    text
}

/// Returns the line on the recommended configuration, printed below the best trial.
fn recommendation_line(recommended: &Recommendation, best: TrialNumber) -> String {
    let why = recommended.unknown.map_or_else(String::new, |why| format!(": {}", not_recommended(why)));
    let Some(trial) = &recommended.trial else { return format!("  recommended: unknown{why}") };
    let mean = trial.mean.and_then(|mean| Some((mean, mean.interval?)));
    let mean = mean.map_or_else(
        || format!("mean over seeds unknown{why}"),
        |(mean, ends)| {
            let level = mean.level * 100.0;
            format!(
                "{} on average over seeds, {level:.0}% interval {} to {}",
                significant(mean.point),
                significant(ends.lower),
                significant(ends.upper)
            )
        },
    );
    if trial.number == best {
        return format!("  recommended: the best trial; {mean}");
    }
    format!("  recommended: trial {} ({mean})  {}", trial.number, trial.params)
}
