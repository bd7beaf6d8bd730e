//! What more trials of the same search would have given.

use allometry_core::rng::stream;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::estimate::{Estimate, Method};
use crate::options::Options;
use crate::sample::Sample;
use crate::stats::moments::sample_sd;
use crate::stats::random::below;
use crate::stats::{best_of, bootstrap};

/// Values drawn over all replicates at most.
const BUDGET: usize = 2_000_000;

/// How far the trials carry an expectation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Support {
    /// `k` is at most half of the trials.
    Solid,
    /// The expectation rests on few of the best trials.
    Thin,
}

/// The best of `k` trials.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BestOf {
    /// Trials.
    pub k: u64,
    /// Expected best of `k` trials drawn from those run (Tang et al. 2020), as if their order meant nothing.
    pub expected: Estimate,
    /// The best after the first `k` trials as they came.
    pub incumbent: f64,
    /// How far to trust the expectation.
    pub support: Support,
}

/// Expected best of `k` trials at 1, 2, 5, 10, 20, 50 ... and all of them; empty without trials. Where a model of earlier
/// trials chose later ones, the incumbent is the figure to read.
pub(crate) fn best_of_k(sample: &Sample<'_>, seed_name: &str, options: &Options) -> Vec<BestOf> {
    let sign = sample.direction.sign();
    let n = sample.values.len();
    let mut ascending: Vec<f64> = sample.values.iter().map(|value| sign * value).collect();
    ascending.sort_by(f64::total_cmp);
    let steps = counts(n);
    let replicates = if n < 2 { 0 } else { (BUDGET / n).min(options.bootstraps as usize) };
    let mut drawn: Vec<Vec<f64>> = vec![Vec::with_capacity(replicates); steps.len()];
    let mut rng = stream(options.seed, seed_name, 3);
    let mut counts = vec![0_usize; n];
    let mut resample = Vec::with_capacity(n);
    for _ in 0..replicates {
        counts.fill(0);
        (0..n).for_each(|_| counts[below(&mut rng, n)] += 1);
        resample.clear();
        for (value, &count) in ascending.iter().zip(&counts) {
            resample.extend(std::iter::repeat_n(*value, count));
        }
        for (drawn, &k) in drawn.iter_mut().zip(&steps) {
            drawn.extend(best_of::without_replacement(&resample, k));
        }
    }
    steps
        .iter()
        .zip(&mut drawn)
        .filter_map(|(&k, drawn)| {
            let point = sign * best_of::without_replacement(&ascending, k)?;
            for value in drawn.iter_mut() {
                *value *= sign;
            }
            let best = sample.values[..k].iter().map(|value| sign * value).reduce(f64::max)?;
            let mut expected = Estimate::observed(point, options);
            if let Some(interval) = bootstrap::percentile(drawn, options.level) {
                expected.interval = Some(interval.into());
                expected.standard_error = sample_sd(drawn.iter().copied());
                expected.method = Method::TrialBootstrap;
            }
            let support = if 2 * k <= n { Support::Solid } else { Support::Thin };
            Some(BestOf { k: k as u64, expected, incumbent: sign * best, support })
        })
        .collect()
}

/// 1, 2, 5, 10, 20, 50 ... below `n`, and `n`.
fn counts(n: usize) -> Vec<usize> {
    let decades = std::iter::successors(Some(1_usize), |decade| decade.checked_mul(10));
    let mut counts: Vec<usize> =
        decades.flat_map(|decade| [decade, 2 * decade, 5 * decade]).take_while(|count| *count < n).collect();
    counts.extend((n > 0).then_some(n));
    counts
}
