//! Best values at an end of their range, and whether the optimum may lie beyond that end.

use allometry_core::{ChoiceOrder, Direction, Distribution, ParamValue, Params};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::consistency::BestValueSet;
use crate::coverage::Step;
use crate::input::StudyTrials;
use crate::level::Level;

pub use crate::range_source::RangeSource;

/// Names of a learning rate.
pub(crate) const LEARNING_RATES: [&str; 2] = ["learning_rate", "lr"];

/// Share of a continuous range within which a value counts as being at its end.
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

/// A value of the best configuration that lies at an end of its range.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Edge {
    /// The parameter.
    pub parameter: String,
    /// Value of the parameter in the best configuration.
    pub value: ParamValue,
    /// End of the range at which the value lies.
    pub end: End,
    /// Number of values in the range; `null` for a continuous range.
    pub values: Option<u64>,
    /// Source of the range.
    pub source: RangeSource,
    /// Whether the value may be the best value of the parameter; see [`BestValueSet`].
    #[serde(default)]
    pub may_be_best: bool,
    /// Two-sided p-value of the parameter's slope if the metric improves towards this end; `null` if it gets
    /// worse or there is no slope.
    #[serde(default)]
    pub p_towards: Option<f64>,
    /// P-value after Holm's adjustment over all slopes: those of all budgets of the ladder, or of all tables
    /// of a report.
    #[serde(default)]
    pub p_towards_holm: Option<f64>,
}

/// Slope of the metric over a parameter's values, with its two-sided p-value before and after adjustment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slope {
    pub(crate) gain: f64,
    pub(crate) p: f64,
    pub(crate) p_holm: f64,
}

impl Edge {
    /// Whether the optimum may lie beyond this end: the value may be the best, and the slope towards it is
    /// significant at `level`. Otherwise a value at an end is likely by chance: of five equally good values,
    /// the best is at an end in 40% of cases.
    pub fn may_lie_beyond(&self, level: f64) -> bool {
        let is_told = self.p_towards_holm.is_some_and(|p| p < 1.0 - level);
        self.is_telling() && self.may_be_best && is_told
    }

    /// Updates the edge by the set of best values and by the slope.
    pub(crate) fn weigh(
        &mut self,
        best_values: Option<&BestValueSet>,
        slope: Option<Slope>,
        direction: Direction,
    ) {
        let holds = |step: &Step| match &step.upper {
            None => step.value == self.value,
            Some(upper) => self.value.total_cmp(&step.value).is_ge() && self.value.total_cmp(upper).is_le(),
        };
        self.may_be_best = best_values.is_some_and(|set| set.possible.iter().any(holds));
        let rises = match self.end {
            End::Highest => direction.better(1.0, 0.0),
            End::Lowest => direction.better(0.0, 1.0),
        };
        let towards = slope.filter(|slope| slope.gain != 0.0 && (slope.gain > 0.0) == rises);
        self.p_towards = towards.map(|slope| slope.p);
        self.p_towards_holm = towards.map(|slope| slope.p_holm);
    }

    /// Whether the edge is informative. With two values, one is always at an end, and a quantity that cannot
    /// be negative has no values below zero.
    pub fn is_telling(&self) -> bool {
        let at_zero = self.end == End::Lowest && self.value.as_f64() == Some(0.0);
        self.values.is_none_or(|values| values > 2) && !at_zero
    }

    fn new(parameter: String, value: ParamValue, end: End, values: Option<u64>, source: RangeSource) -> Self {
        let (may_be_best, p_towards, p_towards_holm) = (false, None, None);
        Self { parameter, value, end, values, source, may_be_best, p_towards, p_towards_holm }
    }

    /// Whether the parameter is a learning rate, by its name.
    pub fn is_learning_rate(&self) -> bool {
        LEARNING_RATES.contains(&self.parameter.as_str())
    }
}

/// Returns the values of `best` that lie at an end of their range, in order of `parameters` (names with their
/// levels). Ranges come from the space, else from the distributions that the trials recorded, else from the
/// observed values. Categorical names have no ends.
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
            Some(Edge::new(parameter, value, end, range.values, source))
        })
        .collect()
}

/// Returns the end of the tried values at which `value` lies, if any.
pub(crate) fn observed_edge(parameter: &str, value: &ParamValue, tried: &[ParamValue]) -> Option<Edge> {
    let range = Range::spanned(tried)?;
    let end = range.end_at(value.as_f64().filter(|x| x.is_finite())?)?;
    Some(Edge::new(parameter.to_owned(), value.clone(), end, range.values, RangeSource::Observed))
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

    /// Makes a range whose upper end is the last step inside it.
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

    /// Returns the end at which `x` lies, if any; always `None` if the range is a single point.
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
