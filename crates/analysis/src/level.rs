//! Levels of a parameter: the observed values, and the trials at each.

use std::cmp::Ordering;

use allometry_core::ParamValue;

use crate::sample::Sample;

/// Number of distinct values above which a number is binned.
const MOST_LEVELS: usize = 12;
/// Bins of nearly equal counts.
const BINS: usize = 5;

/// A value of a parameter, or a range of values, with its trials.
#[derive(Debug, Clone, PartialEq)]
pub struct Level {
    /// The value, as in the earliest of its trials; for a range, the smallest value.
    pub value: ParamValue,
    /// The largest value of a range; `None` for a single value.
    pub upper: Option<ParamValue>,
    /// Positions in the sample, ascending.
    pub members: Vec<usize>,
}

/// Returns the levels of `parameter` in ascending order. Trials without the parameter belong to none of them;
/// a parameter that no trial has gives no level.
pub fn levels(sample: &Sample<'_>, parameter: &str) -> Vec<Level> {
    let mut present: Vec<(&ParamValue, usize)> = sample
        .trials
        .iter()
        .enumerate()
        .filter_map(|(position, trial)| Some((trial.params.get(parameter)?, position)))
        .collect();
    present.sort_by(|a, b| a.0.total_cmp(b.0));
    let mut levels: Vec<Level> = Vec::new();
    for (value, position) in present {
        match levels.last_mut() {
            Some(level) if level.value.total_cmp(value) == Ordering::Equal => level.members.push(position),
            _ => levels.push(Level { value: value.clone(), upper: None, members: vec![position] }),
        }
    }
    levels
}

/// Returns `levels` unchanged if they are few or not numbers; otherwise five bins of neighbouring values with
/// nearly equal counts.
pub fn binned(levels: Vec<Level>) -> Vec<Level> {
    if levels.len() <= MOST_LEVELS || levels.iter().any(|level| level.value.as_f64().is_none()) {
        return levels;
    }
    let total: usize = levels.iter().map(|level| level.members.len()).sum();
    let mut bins: Vec<Level> = Vec::with_capacity(BINS);
    let mut before = 0;
    for level in levels {
        let start_next = bins.is_empty() || before * BINS >= bins.len() * total;
        before += level.members.len();
        match bins.last_mut() {
            Some(bin) if !start_next => {
                bin.upper = Some(level.value);
                bin.members.extend(level.members);
            }
            _ => bins.push(level),
        }
    }
    for bin in &mut bins {
        bin.members.sort_unstable();
    }
    bins
}

/// Returns the values of the sample at one level.
pub fn values_at<'s>(values: &'s [f64], level: &'s Level) -> impl Iterator<Item = f64> + Clone + 's {
    level.members.iter().map(|&position| values[position])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(count: usize) -> Vec<Level> {
        let level = |i| Level { value: ParamValue::Int(i as i64), upper: None, members: vec![i] };
        (0..count).map(level).collect()
    }

    #[test]
    fn many_numbers_become_five_ranges_of_equal_counts() {
        let bins = binned(numbered(100));
        assert_eq!(bins.len(), 5);
        assert!(bins.iter().all(|bin| bin.members.len() == 20));
        assert_eq!((&bins[1].value, &bins[1].upper), (&20.into(), &Some(39.into())));
    }

    #[test]
    fn no_trial_is_lost_when_one_value_dominates() {
        let mut levels = numbered(20);
        levels[3].members = (100..200).collect();
        levels[19].members = vec![7];
        let bins = binned(levels);
        assert!(bins.iter().all(|bin| bin.members.is_sorted()));
        assert_eq!(bins.iter().map(|bin| bin.members.len()).sum::<usize>(), 119);
        assert!(bins.len() <= 5);
    }

    #[test]
    fn few_numbers_and_words_stay() {
        assert_eq!(binned(numbered(12)).len(), 12);
        let mut words = numbered(30);
        words[7].value = "gelu".into();
        assert_eq!(binned(words).len(), 30);
    }
}
