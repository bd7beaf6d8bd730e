//! `best_params.json`: the best configuration and the space it was found in.

use allometry_core::{Distribution, ParamValue, Params, SearchSpace};
use serde_json::Value;

use super::error::Problem;
use super::json::parse_document;
use crate::distribution::read_value;

/// Best configuration in the file's order, and the search space where the file has one.
pub(super) type BestParams = (Option<Params>, Option<SearchSpace>);

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
    Ok((best, space))
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
