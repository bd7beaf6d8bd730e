//! Comparison of the values of all trials of one budget in two searches.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Side;
use crate::estimate::{Estimate, Interval, Method};
use crate::options::Options;
use crate::sample::Sample;
use crate::stats::delong::delong;
use crate::stats::two_sample::{self, MannWhitney};
use crate::stats::{auc, bootstrap};

/// Quartiles of the values of one search.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ValueDistribution {
    /// Number of distinct evaluations.
    pub evaluations: u64,
    /// Lower quartile: a quarter of the evaluations have a smaller value.
    pub lower_quartile: f64,
    /// Median: half of the evaluations have a smaller value.
    pub median: f64,
    /// Upper quartile: a quarter of the evaluations have a larger value.
    pub upper_quartile: f64,
}

/// Comparison of the values of all trials of two searches. It depends on the choice of trials as much as on
/// the models.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DistributionComparison {
    /// A's values.
    pub a: ValueDistribution,
    /// B's values.
    pub b: ValueDistribution,
    /// Probability that a trial of B has a better value than a trial of A, with ties counted half; the effect
    /// size of the test.
    pub superiority: Estimate,
    /// Two-sided p-value (Mann & Whitney 1947); `null` where nothing varies. The test assumes independent
    /// trials, an assumption that adaptive samplers violate.
    pub p: Option<f64>,
    /// The p-value after Holm's adjustment over the budgets.
    pub p_holm: Option<f64>,
}

impl DistributionComparison {
    /// Compares the studies at the given positions; `None` where the trials of one are not available, or it
    /// has none.
    pub(super) fn new(a: (&Side<'_>, usize), b: (&Side<'_>, usize), options: &Options) -> Option<Self> {
        let direction = a.0.analysis.direction;
        let (first, second) = (values(a)?, values(b)?);
        let sign = direction.sign();
        let gains = |values: &[f64]| values.iter().map(|value| sign * value).collect::<Vec<f64>>();
        let (gains_a, gains_b) = (gains(&first), gains(&second));
        let test = two_sample::mann_whitney(&gains_b, &gains_a);
        Some(Self {
            a: ValueDistribution::new(first)?,
            b: ValueDistribution::new(second)?,
            superiority: superiority(&gains_a, &gains_b, test, options),
            p: test.map(|test| test.p),
            p_holm: None,
        })
    }
}

impl ValueDistribution {
    fn new(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        Some(Self {
            evaluations: values.len() as u64,
            lower_quartile: bootstrap::quantile(&values, 0.25)?,
            median: bootstrap::quantile(&values, 0.5)?,
            upper_quartile: bootstrap::quantile(&values, 0.75)?,
        })
    }
}

fn values((side, position): (&Side<'_>, usize)) -> Option<Vec<f64>> {
    let ladder = side.trials?;
    let sample = Sample::new(ladder.studies.get(position)?, ladder.direction());
    Some(sample.distinct().into_iter().map(|(_, value)| value).collect())
}

/// Returns the share of pairs in which B is better: the AUC of the values as scores for belonging to B.
fn superiority(a: &[f64], b: &[f64], test: Option<MannWhitney>, options: &Options) -> Estimate {
    let pairs = a.len() as f64 * b.len() as f64;
    let mut estimate = Estimate::observed(test.map_or(0.5, |test| test.u / pairs), options);
    let labels: Vec<bool> = a.iter().map(|_| false).chain(b.iter().map(|_| true)).collect();
    let scores: Vec<f64> = a.iter().chain(b).copied().collect();
    let error = delong(&labels, &[&scores]).map(|delong| delong.standard_error(0));
    if let Some(error) = error.filter(|error| *error > 0.0) {
        let interval = auc::logit_interval(estimate.point, error, options.level);
        estimate = Estimate {
            standard_error: Some(error),
            interval: interval.map(Interval::from),
            method: Method::Superiority,
            ..estimate
        };
    }
    estimate
}
