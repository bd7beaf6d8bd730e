//! Inference of distributions from the values of trials that record none.

use std::collections::{BTreeMap, BTreeSet};

use allometry_core::{Distribution, FrozenTrial, ParamValue, SearchSpace, TrialState};
use serde::{Deserialize, Serialize};

use super::error::Problem;

/// Maximum number of distinct numbers that are taken for a list of choices; more are a range, as in the
/// analysis.
const MOST_VALUES: usize = 12;

/// Maximum number of choices of an inferred list. Every trial has a copy of its distribution in a database.
const MOST_CHOICES: usize = 1000;

/// Key, without Allometry's prefix, of the user attribute with the distributions that an import inferred.
pub(crate) const IMPORT_KEY: &str = "import";

/// Contents of that attribute.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ImportAttribute {
    /// Number of imported trials, the first ones of the study.
    pub(crate) trials: u64,
    /// Parameters whose distributions were inferred from the values of those trials.
    pub(crate) inferred: Vec<String>,
}

impl ImportAttribute {
    /// Whether the distribution of a trial's parameter was inferred.
    pub(crate) fn is_inferred(&self, number: u64, name: &str) -> bool {
        number < self.trials && self.inferred.iter().any(|inferred| inferred == name)
    }
}

/// Refuses a parameter without a recorded distribution that would have more than 1,000 choices, such as a
/// column of names.
///
/// # Errors
/// [`Problem`] with the name of the parameter and the number of its values.
pub(super) fn refuse_many(trials: &[FrozenTrial]) -> Result<(), Problem> {
    if trials.len() <= MOST_CHOICES {
        return Ok(());
    }
    let mut values: BTreeMap<&str, Vec<&ParamValue>> = BTreeMap::new();
    for trial in trials {
        let unrecorded = trial.params.iter().filter(|(name, _)| !trial.distributions.contains_key(*name));
        for (name, value) in unrecorded {
            values.entry(name).or_default().push(value);
        }
    }
    for (name, mut values) in values {
        if values.iter().all(|value| matches!(value, ParamValue::Int(_) | ParamValue::Float(_))) {
            continue;
        }
        values.sort_by(|a, b| a.total_cmp(b));
        values.dedup_by(|a, b| a.total_cmp(b).is_eq());
        if values.len() > MOST_CHOICES {
            let message = format!("{} different values, which are not all numbers", values.len());
            return Err(Problem::new(format!("parameter `{name}`"), message).hint(
                "a parameter has at most 1,000 choices; if it is no hyperparameter, name the hyperparameters \
                 with --params",
            ));
        }
    }
    Ok(())
}

/// Infers the distributions of all parameters that have values without a recorded distribution in trials that
/// ran. Every value is in the distribution, those of waiting trials too.
///
/// Consecutive whole numbers, or more than 12 distinct ones, become a range of integers; more than 12
/// distinct numbers a linear range of floats; all other values a list of choices, with numbers sorted.
pub(super) fn infer(trials: &[FrozenTrial]) -> SearchSpace {
    let mut occurring: BTreeMap<&str, Vec<&ParamValue>> = BTreeMap::new();
    let mut ran: BTreeSet<&str> = BTreeSet::new();
    for trial in trials {
        for (name, value) in trial.params.iter().filter(|(name, _)| !trial.distributions.contains_key(*name))
        {
            occurring.entry(name).or_default().push(value);
            if !is_queued(trial) {
                ran.insert(name);
            }
        }
    }
    occurring.retain(|name, _| ran.contains(name));
    let mut space = SearchSpace::default();
    // Keep the order of the file.
    for name in trials.iter().flat_map(|trial| trial.params.iter().map(|(name, _)| name)) {
        if let Some(values) = occurring.remove(name) {
            space.0.insert(name.to_owned(), observed(values));
        }
    }
    space
}

/// Whether the values of a trial are those of the queue: a client that claimed it has not drawn any yet.
pub(super) fn is_queued(trial: &FrozenTrial) -> bool {
    let is_fixed = || trial.distributions.is_empty() && trial.system_attributes.contains_key("fixed_params");
    match trial.state {
        TrialState::Waiting => true,
        TrialState::Running => is_fixed(),
        _ => false,
    }
}

fn observed(values: Vec<&ParamValue>) -> Distribution {
    let mut distinct: Vec<ParamValue> = values.into_iter().cloned().collect();
    distinct.sort_by(ParamValue::total_cmp);
    distinct.dedup_by(|a, b| a.total_cmp(b).is_eq());
    let many = distinct.len() > MOST_VALUES;
    if let Some((low, high)) = ends(&distinct, |value| match value {
        ParamValue::Int(i) => Some(*i),
        _ => None,
    }) && (many || high.abs_diff(low) == distinct.len() as u64 - 1)
    {
        return Distribution::Int { low, high, log: false, step: 1 };
    }
    if let Some((low, high)) = ends(&distinct, |value| match value {
        ParamValue::Int(_) | ParamValue::Float(_) => value.as_f64().filter(|x| x.is_finite()),
        _ => None,
    }) && many
    {
        return Distribution::Float { low, high, log: false, step: None };
    }
    Distribution::list(distinct)
}

/// Returns the first and the last of sorted values, if all of them are of one kind.
fn ends<T: Copy>(sorted: &[ParamValue], kind: impl Fn(&ParamValue) -> Option<T>) -> Option<(T, T)> {
    let all: Vec<T> = sorted.iter().map(kind).collect::<Option<_>>()?;
    Some((*all.first()?, *all.last()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use allometry_core::Params;

    fn of(values: Vec<ParamValue>) -> Distribution {
        let trials = (0..).zip(values).map(|(number, value)| {
            let params = Params([("x".to_owned(), value)].into_iter().collect());
            FrozenTrial::new(number, TrialState::Complete, Some(0.0), params)
        });
        infer(&trials.collect::<Vec<_>>()).0.swap_remove("x").unwrap()
    }

    #[test]
    fn every_value_is_in_its_set() {
        let ints = |values: &[i64]| of(values.iter().map(|i| ParamValue::from(*i)).collect());
        assert_eq!(ints(&[4, 2, 3, 2]), Distribution::Int { low: 2, high: 4, log: false, step: 1 });
        assert_eq!(ints(&[64, 32, 32]), Distribution::list(vec![32.into(), 64.into()]));
        let many: Vec<i64> = (0..13).map(|i| i * i).collect();
        assert_eq!(ints(&many), Distribution::Int { low: 0, high: 144, log: false, step: 1 });
        assert_eq!(
            ints(&[i64::MIN, i64::MAX]),
            Distribution::list(vec![i64::MIN.into(), i64::MAX.into()]),
            "the width of a range must fit `i64`"
        );
        let floats = |n: i32| of((0..n).map(|i| ParamValue::from(f64::from(i) / 7.0)).collect());
        assert_eq!(floats(13), Distribution::Float { low: 0.0, high: 12.0 / 7.0, log: false, step: None });
        assert_eq!(floats(2), Distribution::list(vec![0.0.into(), (1.0 / 7.0).into()]));
        let mixed = of(vec!["relu".into(), ParamValue::Null, ParamValue::Bool(true)]);
        assert_eq!(mixed.levels().unwrap().len(), 3);
    }
}
