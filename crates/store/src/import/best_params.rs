//! Reader of `best_params.json`: the best configuration and the space that was searched.

use allometry_core::{Direction, Distribution, FrozenTrial, ParamValue, Params, SearchSpace};
use serde_json::Value;

use super::error::Problem;
use super::json::parse_document;
use crate::distribution::read_value;

/// Contents of a file of best parameters.
#[derive(Debug, Default)]
pub(super) struct BestParams {
    /// Best configuration, in the file's order.
    pub(super) params: Option<Params>,
    /// Space that was searched.
    pub(super) space: Option<SearchSpace>,
    /// Best value.
    value: Option<f64>,
    /// Number of the best trial.
    trial: Option<u64>,
}

impl BestParams {
    /// Infers the direction from the best value: it must be the largest or the smallest value of the complete
    /// trials that meet all constraints. Returns `None` if it is neither or both.
    pub(super) fn direction(&self, trials: &[FrozenTrial]) -> Option<Direction> {
        let of_trial = trials.iter().find(|trial| Some(trial.number.0) == self.trial);
        let best = of_trial.and_then(FrozenTrial::eligible_value).or(self.value)?;
        let (mut above, mut below) = (false, false);
        for value in trials.iter().filter_map(FrozenTrial::eligible_value) {
            above |= value > best;
            below |= value < best;
        }
        match (above, below) {
            (false, true) => Some(Direction::Maximize),
            (true, false) => Some(Direction::Minimize),
            _ => None,
        }
    }
}

impl BestParams {
    /// Refuses a best trial that is not among the trials, or has another value.
    ///
    /// # Errors
    /// [`Problem`] at the field.
    pub(super) fn refuse_other(&self, trials: &[FrozenTrial]) -> Result<(), Problem> {
        let Some(best) = self.trial else { return Ok(()) };
        let found = trials.iter().find(|trial| trial.number.0 == best);
        // Scripts round the value.
        let differ = |a: f64, b: f64| (a - b).abs() > 0.01 * a.abs().max(b.abs());
        let problem = match (found, self.value) {
            (None, _) => Problem::new("field `best_trial`", format!("the trials have no trial {best}")),
            (Some(found), Some(value)) if found.value().is_some_and(|own| differ(own, value)) => {
                Problem::new("field `best_value`", format!("{value} is not the value of trial {best}"))
            }
            _ => return Ok(()),
        };
        Err(problem.hint("give the file of best parameters that belongs to these trials"))
    }
}

/// Parses `{"best_params": {...}, "search_space": {...}}`, or the bare configuration `{...}`.
pub(super) fn parse(text: &str) -> Result<BestParams, Problem> {
    let document = parse_document(text)?;
    let Value::Object(fields) = &document else {
        return Err(Problem::new("line 1", "expected an object of best parameters"));
    };
    let best = match fields.get("best_params") {
        Some(Value::Null) => None,
        Some(Value::Object(best)) => Some(params(best)),
        Some(_) => return Err(Problem::new("field `best_params`", "expected an object")),
        None if fields.contains_key("search_space") || fields.contains_key("best_value") => None,
        None => Some(params(fields)),
    };
    let space = match fields.get("search_space") {
        None | Some(Value::Null) => None,
        Some(Value::Object(space)) => Some(search_space(space)?),
        Some(_) => return Err(Problem::new("field `search_space`", "expected an object of lists")),
    };
    let value = fields.get("best_value").and_then(crate::json::number).filter(|value| value.is_finite());
    let trial = fields.get("best_trial").and_then(Value::as_u64);
    Ok(BestParams { params: best, space, value, trial })
}

fn params(fields: &serde_json::Map<String, Value>) -> Params {
    fields.iter().map(|(name, value)| (name.clone(), read_value(value))).collect()
}

fn search_space(fields: &serde_json::Map<String, Value>) -> Result<SearchSpace, Problem> {
    let mut space = SearchSpace::default();
    for (name, choices) in fields {
        let problem = || Problem::new(format!("field `search_space`, `{name}`"), "expected a list of values");
        let choices: Vec<ParamValue> =
            choices.as_array().ok_or_else(problem)?.iter().map(read_value).collect();
        if !choices.is_empty() {
            space.0.insert(name.clone(), Distribution::list(choices));
        }
    }
    Ok(space)
}
