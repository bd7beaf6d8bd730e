//! Results of the best trials on each era of walk-forward folds.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::estimate::Estimate;
use crate::importance::shares_of;
use crate::input::{LadderTrials, StudyTrials};
use crate::level::{Level, binned, levels};
use crate::model::Model;
use crate::options::Options;
use crate::per_series::{BestOfBudget, best_of_budgets, value};
use crate::sample::Sample;
use crate::study::{StudyAnalysis, parameters};

/// Values of the budgets' best trials on the rows of each era. A trial's own value is the mean of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PerEra {
    /// The best trials, one for each budget whose predictions are stored.
    pub trials: Vec<BestOfBudget>,
    /// The eras in their order.
    pub eras: Vec<EraValues>,
    /// Importance of the parameters on each era, one for each budget with enough trials.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub importance: Vec<EraImportance>,
}

/// Importance of one budget's parameters on each era.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EraImportance {
    /// Label of the budget.
    pub budget: String,
    /// The parameters, the largest mean share first.
    pub parameters: Vec<EraShares>,
}

/// Shares of one parameter in the variance of the values of each era.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EraShares {
    /// The parameter.
    pub parameter: String,
    /// Its share in R squared of the main-effects model of each era's values, in the order of the eras.
    pub shares: Vec<f64>,
    /// Approximate expected share without an effect.
    pub by_chance: f64,
    /// Number of eras in which no parameter has a larger share.
    pub first: u64,
}

impl EraImportance {
    /// Computes the shares; `None` where an era has too few trials for a model, or where the eras vary
    /// different parameters.
    fn new(study: &StudyTrials, ladder: &LadderTrials, eras: usize, options: &Options) -> Option<Self> {
        let of_era = |era: usize| {
            // Folds are the steps of a trial, from 1.
            let sample = Sample::at_step(study, ladder.direction(), era as i64 + 1);
            let binned: Vec<(String, Vec<Level>)> = parameters(&sample)
                .into_iter()
                .map(|parameter| {
                    let levels = binned(levels(&sample, &parameter));
                    (parameter, levels)
                })
                .collect();
            let named: Vec<(&str, &[Level])> =
                binned.iter().map(|(name, levels)| (name.as_str(), levels.as_slice())).collect();
            shares_of(&Model::new(&sample, &named), options)
        };
        let all: Vec<Vec<(String, f64, f64)>> = (0..eras).map(of_era).collect();
        let names =
            |era: &[(String, f64, f64)]| era.iter().map(|(name, ..)| name.clone()).collect::<Vec<_>>();
        let first = all.first().filter(|first| !first.is_empty())?;
        if all.iter().any(|era| names(era) != names(first)) {
            return None;
        }
        let largest =
            |era: &Vec<(String, f64, f64)>| era.iter().map(|(_, share, _)| *share).fold(0.0, f64::max);
        let mut shares: Vec<EraShares> = (0..first.len())
            .map(|place| EraShares {
                parameter: first[place].0.clone(),
                shares: all.iter().map(|era| era[place].1).collect(),
                by_chance: all.iter().map(|era| era[place].2).sum::<f64>() / eras as f64,
                first: all.iter().filter(|era| era[place].1 > 0.0 && era[place].1 >= largest(era)).count()
                    as u64,
            })
            .collect();
        let sum = |one: &EraShares| one.shares.iter().sum::<f64>();
        shares.sort_by(|a, b| sum(b).total_cmp(&sum(a)));
        Some(Self { budget: study.budget.label.clone(), parameters: shares })
    }
}

/// Values on the rows of one era.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EraValues {
    /// Time of the first row; absent for a table without times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<String>,
    /// Time of the last row; absent for a table without times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
    /// Number of rows.
    pub rows: u64,
    /// Value of each trial, in the order of the trials, with its error over the rows of the era; `None` where
    /// the metric is undefined.
    pub values: Vec<Option<Estimate>>,
}

impl PerEra {
    /// Computes the values; `None` without folds and without stored predictions.
    pub(crate) fn new(ladder: &LadderTrials, studies: &[StudyAnalysis], options: &Options) -> Option<Self> {
        let eras = ladder.eras.as_ref()?;
        let (trials, scores) = best_of_budgets(ladder, studies);
        let places = scores.first()?.era_places()?;
        let of_era = |(era, places): (usize, Vec<usize>)| {
            let (first, last) = eras.times()[era].clone();
            let values = scores.iter().map(|scores| value(scores, &places, scores.series.panel, options));
            EraValues { first, last, rows: places.len() as u64, values: values.collect() }
        };
        let of_study = |study: &StudyTrials| EraImportance::new(study, ladder, places.count(), options);
        Some(Self {
            importance: ladder.studies.iter().filter_map(of_study).collect(),
            eras: places.rows_of_each().into_iter().map(of_era).collect(),
            trials,
        })
    }
}

#[cfg(test)]
mod tests {
    use allometry_core::{FrozenTrial, Params, TrialState};

    use super::*;

    #[test]
    fn shares_are_those_of_each_eras_values() {
        // All combinations of four and four values, each once. The values of the first and the third era
        // depend on `a` alone, those of the second on `b`, and by a fifth of the variance on `a`.
        let trials: Vec<FrozenTrial> = (0..16)
            .map(|number| {
                let (a, b) = (number % 4, number / 4);
                let params: Params = [("a", a), ("b", b)].into_iter().collect();
                let mut trial = FrozenTrial::new(number as u64, TrialState::Complete, Some(0.0), params);
                let (a, b) = (a as f64, b as f64);
                trial.intermediate = [(1, a), (2, 2.0 * b + a), (3, -a)].into();
                trial
            })
            .collect();
        let ladder = LadderTrials::new(vec![StudyTrials::new("2M", "test", trials)]);
        let options = Options::default();
        let found = EraImportance::new(&ladder.studies[0], &ladder, 3, &options).expect("16 trials suffice");
        let [a, b] = &found.parameters[..] else { panic!("{found:?}") };
        assert_eq!([a.parameter.as_str(), b.parameter.as_str()], ["a", "b"]);
        let close = |found: &[f64], expected: [f64; 3]| {
            assert!(found.iter().zip(expected).all(|(x, y)| (x - y).abs() < 1e-9), "{found:?} {expected:?}");
        };
        close(&a.shares, [1.0, 0.2, 1.0]);
        close(&b.shares, [0.0, 0.8, 0.0]);
        assert_eq!([a.first, b.first], [2, 1]);
        // So few evaluations give each parameter one slope, of fifteen degrees of freedom.
        assert!([a, b].iter().all(|one| (one.by_chance - 1.0 / 15.0).abs() < 1e-9));
        assert_eq!(
            EraImportance::new(&ladder.studies[0], &ladder, 4, &options),
            None,
            "no trial has a fourth"
        );
    }
}
