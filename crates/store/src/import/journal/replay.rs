//! Replay of a journal's operations.

use std::collections::BTreeMap;

use allometry_core::{Direction, TrialState};
use serde_json::Value;

use super::fields::Fields;
use crate::import::error::Problem;
use crate::json;
use crate::optuna::{StudyWithTrials, TrialTemplate, compatible};

/// State after the operations so far. Ids count created objects from 0, including deleted ones.
#[derive(Debug, Default)]
struct Replay {
    studies: Vec<Option<StudyWithTrials>>,
    /// Study and number of each trial.
    trials: Vec<(usize, usize)>,
}

/// Returns the studies after all operations. Drops the operations that Optuna ignores: names that are taken,
/// unknown or deleted studies, finished trials, parameters with an incompatible distribution. The last line
/// may be incomplete, because its writer may have died.
pub(super) fn replay(text: &str) -> Result<Vec<StudyWithTrials>, Problem> {
    let mut replay = Replay::default();
    let mut lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()).peekable();
    while let Some((number, line)) = lines.next() {
        let fields = match json::parse(line) {
            Ok(Value::Object(fields)) => fields,
            Err(_) if lines.peek().is_none() => break,
            Err(error) => {
                return Err(Problem::new(format!("line {number}, column {}", error.column), error.message)
                    .hint("a journal has one operation per line"));
            }
            Ok(_) => return Err(Problem::new(format!("line {number}"), "expected an object")),
        };
        replay.apply(&Fields { line: number, fields: &fields })?;
    }
    Ok(replay.studies.into_iter().flatten().collect())
}

impl Replay {
    fn apply(&mut self, operation: &Fields<'_>) -> Result<(), Problem> {
        match operation.count("op_code")? {
            0 => self.create_study(operation)?,
            1 => {
                let study = operation.count("study_id")?;
                if let Some(deleted) = self.studies.get_mut(study) {
                    *deleted = None;
                }
            }
            2 => self.study(operation)?.iter_mut().for_each(|study| {
                study.user_attributes.extend(operation.attributes("user_attr"));
            }),
            3 => self.study(operation)?.iter_mut().for_each(|study| {
                study.system_attributes.extend(operation.attributes("system_attr"));
            }),
            4 => self.create_trial(operation)?,
            5 => self.set_param(operation)?,
            6 => {
                if let Some(trial) = self.trial(operation)? {
                    set_state(trial, operation)?;
                }
            }
            7 => {
                if let Some(trial) = self.trial(operation)? {
                    let value = operation.number("intermediate_value")?.unwrap_or(f64::NAN);
                    trial.intermediate.insert(operation.step()?, value);
                }
            }
            8 => {
                if let Some(trial) = self.trial(operation)? {
                    trial.user_attributes.extend(operation.attributes("user_attr"));
                }
            }
            9 => {
                if let Some(trial) = self.trial(operation)? {
                    trial.system_attributes.extend(operation.attributes("system_attr"));
                }
            }
            10 => {}
            other => {
                return Err(operation.wrong("op_code", &format!("a number from 0 to 10 instead of {other}")));
            }
        }
        Ok(())
    }

    fn create_study(&mut self, operation: &Fields<'_>) -> Result<(), Problem> {
        let name = operation.text("study_name")?;
        if self.studies.iter().flatten().any(|study| study.name == name) {
            return Ok(());
        }
        let directions = operation.get("directions").as_array();
        let directions = directions.filter(|directions| !directions.is_empty());
        let directions = directions.ok_or_else(|| operation.wrong("directions", "a list of 1 and 2"))?;
        let direction = |value: &Value| match value.as_u64() {
            Some(2) => Direction::Maximize,
            _ => Direction::Minimize,
        };
        self.studies.push(Some(StudyWithTrials {
            name: name.to_owned(),
            directions: directions.iter().map(direction).collect(),
            user_attributes: BTreeMap::new(),
            system_attributes: BTreeMap::new(),
            trials: Vec::new(),
        }));
        Ok(())
    }

    fn study(&mut self, operation: &Fields<'_>) -> Result<Option<&mut StudyWithTrials>, Problem> {
        let id = operation.count("study_id")?;
        Ok(self.studies.get_mut(id).and_then(Option::as_mut))
    }

    /// Returns the trial of an operation if it may still change.
    fn trial(&mut self, operation: &Fields<'_>) -> Result<Option<&mut TrialTemplate>, Problem> {
        let id = operation.count("trial_id")?;
        let Some(&(study, number)) = self.trials.get(id) else { return Ok(None) };
        let study = self.studies[study].as_mut();
        Ok(study.map(|study| &mut study.trials[number].template).filter(|trial| !trial.state.is_finished()))
    }

    fn create_trial(&mut self, operation: &Fields<'_>) -> Result<(), Problem> {
        let id = operation.count("study_id")?;
        let Some(study) = self.study(operation)? else { return Ok(()) };
        let state = match operation.get("state") {
            Value::Null => TrialState::Running,
            _ => operation.state()?,
        };
        let mut params = Vec::new();
        if let Some(values) = operation.get("params").as_object() {
            for (name, value) in values {
                let distribution = operation.get("distributions").get(name).and_then(Value::as_str);
                let place = || operation.wrong(&format!("params.{name}"), "a number with its distribution");
                let internal = json::number(value).ok_or_else(place)?;
                params.push((name.clone(), internal, distribution.ok_or_else(place)?.to_owned()));
            }
        }
        let mut intermediate = BTreeMap::new();
        if let Some(values) = operation.get("intermediate_values").as_object() {
            for (step, value) in values {
                let wrong = || operation.wrong("intermediate_values", "numbers by step");
                let value = json::number(value).or(value.is_null().then_some(f64::NAN));
                intermediate.insert(step.parse().map_err(|_| wrong())?, value.ok_or_else(wrong)?);
            }
        }
        let mut values = operation.values()?;
        values.extend(operation.number("value")?);
        let number = study.trials.len();
        let template = TrialTemplate {
            state,
            values,
            started: operation.time("datetime_start")?,
            completed: operation.time("datetime_complete")?,
            params,
            user_attributes: operation.attributes("user_attrs").collect(),
            system_attributes: operation.attributes("system_attrs").collect(),
            intermediate,
        };
        study.trials.push(template.into());
        self.trials.push((id, number));
        Ok(())
    }

    fn set_param(&mut self, operation: &Fields<'_>) -> Result<(), Problem> {
        let name = operation.text("param_name")?.to_owned();
        let distribution = operation.text("distribution")?.to_owned();
        let internal = operation.number("param_value_internal")?;
        let internal = internal.ok_or_else(|| operation.wrong("param_value_internal", "a number"))?;
        let place = self.trials.get(operation.count("trial_id")?);
        let known = place.and_then(|(study, _)| self.studies[*study].as_ref()).and_then(|study| {
            let params = study.trials.iter().flat_map(|trial| &trial.template.params);
            params.filter(|(known, ..)| *known == name).map(|(.., distribution)| distribution).next()
        });
        if known.is_some_and(|known| !compatible(known, &distribution)) {
            return Ok(());
        }
        if let Some(trial) = self.trial(operation)? {
            trial.params.retain(|(known, ..)| *known != name);
            trial.params.push((name, internal, distribution));
        }
        Ok(())
    }
}

fn set_state(trial: &mut TrialTemplate, operation: &Fields<'_>) -> Result<(), Problem> {
    let state = operation.state()?;
    if state == TrialState::Running && trial.state == TrialState::Running {
        return Ok(());
    }
    trial.state = state;
    trial.started = operation.time("datetime_start")?.or(trial.started);
    trial.completed = operation.time("datetime_complete")?.or(trial.completed);
    let values = operation.values()?;
    if !values.is_empty() {
        trial.values = values;
    }
    Ok(())
}
