//! The sets that parameters' values were drawn from, where nothing recorded them.

use std::collections::BTreeMap;

use allometry_core::{Distribution, FrozenTrial, ParamValue, SearchSpace};
use serde::{Deserialize, Serialize};

/// Distinct numbers above which values that occur are taken for those of a range, as the analysis takes them.
const MOST_VALUES: usize = 12;

/// Key, without Allometry's prefix, of a study's user attribute that says which sets of its first trials nobody recorded.
pub(crate) const IMPORT_KEY: &str = "import";

/// What that attribute says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ImportAttribute {
    /// Trials that were imported: the first ones.
    pub(crate) trials: u64,
    /// Parameters whose sets follow from the values of those.
    pub(crate) inferred: Vec<String>,
}

impl ImportAttribute {
    /// Whether nobody recorded the set of that trial's parameter.
    pub(crate) fn is_inferred(&self, number: u64, name: &str) -> bool {
        number < self.trials && self.inferred.iter().any(|inferred| inferred == name)
    }
}

/// Sets of the parameters that have a value without a recorded set, by name: every value that occurs is in its set.
///
/// Whole numbers without a gap, or more than 12 distinct ones, are a range of integers; more than 12 distinct numbers a range
/// of floats, linear; anything else the list of its values, numbers in their order.
pub(super) fn inferred(trials: &[FrozenTrial]) -> SearchSpace {
    let mut occurring: BTreeMap<&str, Vec<&ParamValue>> = BTreeMap::new();
    for trial in trials {
        for (name, value) in trial.params.iter().filter(|(name, _)| !trial.distributions.contains_key(*name))
        {
            occurring.entry(name).or_default().push(value);
        }
    }
    let mut space = SearchSpace::default();
    // In the order of the file.
    for name in trials.iter().flat_map(|trial| trial.params.iter().map(|(name, _)| name)) {
        if let Some(values) = occurring.remove(name) {
            space.0.insert(name.to_owned(), observed(values));
        }
    }
    space
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

/// The first and last of sorted values, if all of them are of the kind.
fn ends<T: Copy>(sorted: &[ParamValue], kind: impl Fn(&ParamValue) -> Option<T>) -> Option<(T, T)> {
    let all: Vec<T> = sorted.iter().map(kind).collect::<Option<_>>()?;
    Some((*all.first()?, *all.last()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use allometry_core::{Params, TrialState};

    fn of(values: Vec<ParamValue>) -> Distribution {
        let trials = (0..).zip(values).map(|(number, value)| {
            let params = Params([("x".to_owned(), value)].into_iter().collect());
            FrozenTrial::new(number, TrialState::Complete, Some(0.0), params)
        });
        inferred(&trials.collect::<Vec<_>>()).0.swap_remove("x").unwrap()
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
            "the distance of the ends has no place in 64 bits with a sign"
        );
        let floats = |n: i32| of((0..n).map(|i| ParamValue::from(f64::from(i) / 7.0)).collect());
        assert_eq!(floats(13), Distribution::Float { low: 0.0, high: 12.0 / 7.0, log: false, step: None });
        assert_eq!(floats(2), Distribution::list(vec![0.0.into(), (1.0 / 7.0).into()]));
        let mixed = of(vec!["relu".into(), ParamValue::Null, ParamValue::Bool(true)]);
        assert_eq!(mixed.levels().unwrap().len(), 3);
    }
}
