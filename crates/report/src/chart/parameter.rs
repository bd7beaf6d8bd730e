//! Axes for parameters.

use allometry_analysis::StudyTrials;
use allometry_core::{Distribution, FrozenTrial, ParamValue, TrialNumber};

use super::scale::Scale;
use crate::number::short;
use crate::number::shortened;

/// The largest number of distinct values for which each value has its own place.
const MOST_PLACES: usize = 8;
/// The ratio of the largest to the smallest value from which an axis is logarithmic, if the search space is
/// not known.
const LOG_RATIO: f64 = 50.0;
/// The largest number of characters of a value that are shown.
const LONGEST_VALUE: usize = 24;

/// The values of a parameter along an axis. If they are few, or not numbers, they have named places;
/// otherwise they lie on a numeric scale.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ParameterAxis {
    pub(crate) scale: Scale,
    places: Option<Vec<ParamValue>>,
}

impl ParameterAxis {
    /// Makes an axis for the values in the trials of `study`; `None` if no trial has the parameter.
    pub(crate) fn new(study: &StudyTrials, parameter: &str) -> Option<Self> {
        Self::over(std::slice::from_ref(study), parameter)
    }

    /// Makes an axis for the values in the trials of all `studies`; `None` if no trial has the parameter.
    pub(crate) fn over(studies: &[StudyTrials], parameter: &str) -> Option<Self> {
        let trials = studies.iter().flat_map(|study| &study.trials);
        let values: Vec<&ParamValue> = trials.filter_map(|trial| trial.params.get(parameter)).collect();
        if values.is_empty() {
            return None;
        }
        let numbers: Option<Vec<f64>> = values
            .iter()
            .map(|value| value.as_f64().filter(|x| x.is_finite() && !matches!(value, ParamValue::Bool(_))))
            .collect();
        if let Some(numbers) = numbers.filter(|_| has_more_than(&values, MOST_PLACES)) {
            let low = numbers.iter().copied().fold(f64::INFINITY, f64::min);
            let high = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let log = is_log(studies, parameter).unwrap_or(low > 0.0 && high / low >= LOG_RATIO);
            let ends = [low, high];
            let scale = if log && low > 0.0 { Scale::log(ends) } else { Scale::linear(ends) };
            return Some(Self { scale, places: None });
        }
        let mut values = values;
        values.sort_by(|a, b| a.total_cmp(b));
        values.dedup();
        let names = values.iter().map(|value| shortened(&short(value), LONGEST_VALUE)).collect();
        Some(Self { scale: Scale::Places(names), places: Some(values.into_iter().cloned().collect()) })
    }

    /// Returns the position of a value on the scale.
    pub(crate) fn place(&self, value: &ParamValue) -> Option<f64> {
        match &self.places {
            None => value.as_f64().filter(|x| x.is_finite()),
            Some(places) => {
                places.binary_search_by(|place| place.total_cmp(value)).ok().map(|place| place as f64)
            }
        }
    }

    /// Returns the names of the places, if the axis has named places.
    pub(crate) fn names(&self) -> Option<&[String]> {
        match &self.scale {
            Scale::Places(names) => Some(names),
            _ => None,
        }
    }

    /// Returns the position of a trial; `None` if the trial lacks the parameter.
    pub(crate) fn of(&self, trial: &FrozenTrial, parameter: &str) -> Option<f64> {
        self.place(trial.params.get(parameter)?)
    }
}

/// Whether there are more than `most` distinct values. It stops at the first value beyond `most`.
fn has_more_than(values: &[&ParamValue], most: usize) -> bool {
    let mut distinct: Vec<&ParamValue> = Vec::new();
    for value in values {
        if !distinct.contains(value) {
            distinct.push(value);
        }
        if distinct.len() > most {
            return true;
        }
    }
    false
}

/// Whether a parameter is declared logarithmic in some study; `None` if no study declares a range of numbers.
fn is_log(studies: &[StudyTrials], parameter: &str) -> Option<bool> {
    let declared = studies.iter().filter_map(|study| {
        let recorded = study.space.as_ref().and_then(|space| space.get(parameter));
        let of_trials = || study.trials.iter().find_map(|trial| trial.distributions.get(parameter));
        match recorded.or_else(of_trials)? {
            Distribution::Float { log, .. } | Distribution::Int { log, .. } => Some(*log),
            Distribution::Categorical { .. } => None,
        }
    });
    declared.reduce(|a, b| a || b)
}

/// Returns the distance of a trial's dot from its place, from -0.5 to 0.5. Equal values of neighbouring
/// trials lie apart.
pub(crate) fn jitter(number: TrialNumber) -> f64 {
    (number.0 as f64 * GOLDEN_RATIO).fract() - 0.5
}

/// The golden ratio less one: the fractions of its multiples spread evenly.
const GOLDEN_RATIO: f64 = 0.618_033_988_75;

#[cfg(test)]
mod tests {
    use allometry_core::{Params, SearchSpace, TrialState};

    use super::*;

    fn scale(declared: Option<bool>) -> Scale {
        let trials = (0..20).map(|number| {
            let params: Params =
                [("rate", 1e-4 * 10.0_f64.powf(f64::from(number) * 0.15))].into_iter().collect();
            FrozenTrial::new(number as u64, TrialState::Complete, Some(0.5), params)
        });
        let mut study = StudyTrials::new("a", "test", trials.collect());
        study.space = declared.map(|log| {
            let set = Distribution::Float { low: 1e-4, high: 1.0, log, step: None };
            SearchSpace([("rate".to_owned(), set)].into_iter().collect())
        });
        ParameterAxis::new(&study, "rate").unwrap().scale
    }

    /// The values span a factor of more than 50.
    #[test]
    fn the_declared_scale_rules() {
        assert_eq!(scale(Some(false)).kind(), "linear");
        assert_eq!(scale(Some(true)).kind(), "log");
        assert_eq!(scale(None).kind(), "log");
    }

    #[test]
    fn dots_at_one_place_lie_apart() {
        let mut places: Vec<f64> = (0..50).map(|number| jitter(TrialNumber(number))).collect();
        places.sort_by(f64::total_cmp);
        assert!(places[0] >= -0.5 && places[49] <= 0.5);
        assert!(places.windows(2).all(|pair| pair[1] - pair[0] > 0.005), "{places:?}");
    }
}
