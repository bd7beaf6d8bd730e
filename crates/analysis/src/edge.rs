//! Best values at an end of their range: the search may have stopped short.

use allometry_core::{ChoiceOrder, Distribution, ParamValue, Params};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::input::StudyTrials;
use crate::level::Level;

/// Share of a continuous range within which a value counts as its end.
const NEAR: f64 = 0.02;

/// An end of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The smallest value.
    Lowest,
    /// The largest value.
    Highest,
}

/// How the range is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RangeSource {
    /// The study's search space.
    Space,
    /// The distribution that the trials recorded.
    Recorded,
    /// The values that occur in the trials.
    Observed,
}

/// A value of the best configuration that lies at an end of its range.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Edge {
    /// The parameter.
    pub parameter: String,
    /// Its best value.
    pub value: ParamValue,
    /// Which end.
    pub end: End,
    /// Values in the range; `null` for a continuous one.
    pub values: Option<u64>,
    /// How the range is known.
    pub source: RangeSource,
}

impl Edge {
    /// Whether it tells something: of two values one is always at an end, and nothing lies below zero for quantities
    /// that cannot be negative.
    pub fn is_telling(&self) -> bool {
        let at_zero = self.end == End::Lowest && self.value.as_f64() == Some(0.0);
        self.values.is_none_or(|values| values > 2) && !at_zero
    }

    /// Whether it is that of a learning rate, by the names that are usual for one.
    pub fn is_learning_rate(&self) -> bool {
        ["learning_rate", "lr"].contains(&self.parameter.as_str())
    }
}

/// The values of `best` that lie at an end of their range, in order of `parameters` (names with their levels). Ranges
/// come from the space, else from what the trials recorded, else from the values that occur. Names have no ends.
pub fn edges(study: &StudyTrials, best: &Params, parameters: &[(String, Vec<Level>)]) -> Vec<Edge> {
    parameters
        .iter()
        .filter_map(|(parameter, levels)| {
            let value = best.get(parameter)?;
            let x = value.as_f64().filter(|x| x.is_finite())?;
            let recorded = || study.trials.iter().rev().find_map(|trial| trial.distributions.get(parameter));
            let known = study.space.as_ref().and_then(|space| space.get(parameter));
            let (source, range) = match known.map(|set| (RangeSource::Space, set)) {
                Some((source, set)) => (source, Range::of(set)?),
                None => match recorded() {
                    Some(set) => (RangeSource::Recorded, Range::of(set)?),
                    None => (RangeSource::Observed, Range::observed(levels)?),
                },
            };
            let end = range.end_at(x)?;
            let (parameter, value) = (parameter.clone(), value.clone());
            Some(Edge { parameter, value, end, values: range.values, source })
        })
        .collect()
}

/// The end of the values tried at which `value` lies, if it lies at one.
pub(crate) fn observed_edge(parameter: &str, value: &ParamValue, tried: &[ParamValue]) -> Option<Edge> {
    let range = Range::spanned(tried)?;
    let end = range.end_at(value.as_f64().filter(|x| x.is_finite())?)?;
    Some(Edge {
        parameter: parameter.to_owned(),
        value: value.clone(),
        end,
        values: range.values,
        source: RangeSource::Observed,
    })
}

struct Range {
    low: f64,
    high: f64,
    log: bool,
    values: Option<u64>,
}

impl Range {
    fn of(set: &Distribution) -> Option<Self> {
        match set {
            Distribution::Categorical { order: ChoiceOrder::Nominal, .. } => None,
            Distribution::Float { low, high, log, step: None } => {
                Some(Self { low: *low, high: *high, log: *log && *low > 0.0, values: None })
            }
            Distribution::Float { low, high, step: Some(step), .. } => {
                Some(Self::stepped(*low, *high, *step, false))
            }
            Distribution::Int { low, high, log, step } => {
                Some(Self::stepped(*low as f64, *high as f64, *step as f64, *log))
            }
            Distribution::Categorical { choices, .. } => Self::spanned(choices),
        }
    }

    /// The upper end is the last step inside the range.
    fn stepped(low: f64, high: f64, step: f64, log: bool) -> Self {
        let steps = ((high - low) / step + 1e-9).floor().max(0.0);
        Self { low, high: low + steps * step, log, values: Some((steps as u64).saturating_add(1)) }
    }

    fn observed(levels: &[Level]) -> Option<Self> {
        let values: Vec<ParamValue> = levels.iter().map(|level| level.value.clone()).collect();
        Self::spanned(&values)
    }

    fn spanned(values: &[ParamValue]) -> Option<Self> {
        let numbers: Vec<f64> = values.iter().map(ParamValue::as_f64).collect::<Option<_>>()?;
        let low = numbers.iter().copied().reduce(f64::min)?;
        let high = numbers.iter().copied().reduce(f64::max)?;
        Some(Self { low, high, log: false, values: Some(numbers.len() as u64) })
    }

    /// The end at which `x` lies, if it lies at one; never where the range is a point.
    fn end_at(&self, x: f64) -> Option<End> {
        let scale = |x: f64| if self.log { x.ln() } else { x };
        let width = scale(self.high) - scale(self.low);
        if width.is_nan() || width <= 0.0 {
            return None;
        }
        let near = if self.values.is_none() { NEAR } else { 1e-9 };
        let place = (scale(x) - scale(self.low)) / width;
        if place <= near {
            Some(End::Lowest)
        } else if place >= 1.0 - near {
            Some(End::Highest)
        } else {
            None
        }
    }
}
