//! The space that a study's trials were drawn from, as far as it is known.

use allometry_core::{Distribution, ParamValue, Params, SearchSpace};

use crate::input::StudyTrials;
use crate::range_source::RangeSource;

/// Number of distinct values above which a parameter is taken to be continuous.
const MOST_VALUES: usize = 12;

/// Returns the study's space. Without one, it uses, for each parameter, the distribution that the latest
/// trial recorded, or else the values that occur (their range, with more than 12 distinct numbers). The
/// returned source is that of the least certain parameter.
pub fn known_space(study: &StudyTrials) -> (SearchSpace, RangeSource) {
    if let Some(space) = &study.space {
        return (space.clone(), RangeSource::Space);
    }
    let mut source = RangeSource::Recorded;
    let mut space = SearchSpace::default();
    let mut latest: Option<&Params> = None;
    for trial in &study.trials {
        // Most trials have the same parameters as the trial before.
        let as_before = latest.is_some_and(|latest| trial.params.0.keys().eq(latest.0.keys()));
        latest = Some(&trial.params);
        if as_before {
            continue;
        }
        for (parameter, _) in trial.params.iter() {
            if space.0.contains_key(parameter) {
                continue;
            }
            let recorded = study.trials.iter().rev().find_map(|trial| trial.distributions.get(parameter));
            let set = recorded.cloned().unwrap_or_else(|| {
                source = RangeSource::Observed;
                observed(study, parameter)
            });
            space.0.insert(parameter.to_owned(), set);
        }
    }
    (space, source)
}

fn observed(study: &StudyTrials, parameter: &str) -> Distribution {
    let mut values: Vec<&ParamValue> =
        study.trials.iter().filter_map(|trial| trial.params.get(parameter)).collect();
    values.sort_by(|a, b| a.total_cmp(b));
    values.dedup_by(|a, b| a.total_cmp(b).is_eq());
    let numbers: Option<Vec<f64>> = values.iter().map(|v| v.as_f64().filter(|x| x.is_finite())).collect();
    match numbers.as_deref() {
        Some([low, .., high]) if values.len() > MOST_VALUES => {
            Distribution::Float { low: *low, high: *high, log: false, step: None }
        }
        _ => Distribution::list(values.into_iter().cloned().collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use allometry_core::{FrozenTrial, Params, TrialState};

    #[test]
    fn recorded_sets_come_before_values_that_occur() {
        let trial = |number: u64| {
            let mut params = Params::default();
            params.insert("rate", number as f64 / 7.0);
            params.insert("layers", (number % 3) as i64);
            params.insert("width", 64_i64);
            let mut trial = FrozenTrial::new(number, TrialState::Complete, Some(0.5), params);
            let width = Distribution::Int { low: 32, high: 96 + number as i64, log: false, step: 1 };
            trial.distributions.insert("width".into(), width);
            trial
        };
        let mut study = StudyTrials::new("x", "x", (0..15).map(trial).collect());
        let (space, source) = known_space(&study);
        assert_eq!(source, RangeSource::Observed);
        assert_eq!(
            space.get("rate"),
            Some(&Distribution::Float { low: 0.0, high: 2.0, log: false, step: None })
        );
        assert_eq!(space.get("layers"), Some(&Distribution::list(vec![0.into(), 1.into(), 2.into()])));
        let width = Distribution::Int { low: 32, high: 110, log: false, step: 1 };
        assert_eq!(space.get("width"), Some(&width));
        study.space = Some(SearchSpace::default());
        assert_eq!(known_space(&study), (SearchSpace::default(), RangeSource::Space));
    }
}
