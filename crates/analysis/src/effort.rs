//! Expected results of more trials of the same search.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::estimate::{Estimate, Interval, Method};
use crate::options::Options;
use crate::sample::{Sample, first_best};
use crate::stats::best_of;
use crate::stats::jackknife::Jackknife;

/// Distinct configurations that a search needs for each of `k` trials, since `k` is at most a tenth of them.
pub(crate) const FEWEST: usize = 10;

/// How well the trials support an expectation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Support {
    /// `k` is at most a tenth of the distinct evaluations; the interval is given.
    Solid,
    /// `k` is larger; a few of the best trials determine the expectation, and no interval is given.
    Thin,
}

/// Best value of `k` trials.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BestOf {
    /// Number of distinct evaluations.
    pub k: u64,
    /// Expected best of `k` distinct evaluations drawn from those run (Tang et al. 2020), whatever their
    /// order. The interval covers new trials of the same search; it is absent if the support is thin.
    pub expected: Estimate,
    /// Best value among the first `k` distinct evaluations, in the order of the trials.
    pub incumbent: f64,
    /// How well the trials support the expectation.
    pub support: Support,
}

/// Returns the expected best of `k` distinct evaluations at 1, 2, 5, 10, 20, 50 ... and all of them; empty
/// without trials. If a model of earlier trials chose later ones, read the incumbent instead.
///
/// The interval is that of the jackknife, corrected for skewness ([`Jackknife::interval`]). `docs/adr/0045`
/// compares it with others.
pub(crate) fn best_of_k(sample: &Sample<'_>, is_auc: bool, options: &Options) -> Vec<BestOf> {
    let sign = sample.direction.sign();
    let values: Vec<f64> = sample.distinct().into_iter().map(|(_, value)| value).collect();
    let n = values.len();
    let mut ascending: Vec<f64> = values.iter().map(|value| sign * value).collect();
    ascending.sort_by(f64::total_cmp);
    counts(n)
        .into_iter()
        .filter_map(|k| {
            let best = best_of::without_replacement(&ascending, k)?;
            let support = if FEWEST * k <= n { Support::Solid } else { Support::Thin };
            let mut expected = Estimate::observed(sign * best, options);
            let is_solid = support == Support::Solid;
            let jackknife = best_of::left_out(&ascending, k)
                .filter(|_| is_solid)
                .and_then(|left_out| Jackknife::new(&left_out));
            if let Some((jackknife, ends)) = jackknife
                .filter(|jackknife| jackknife.standard_error > 0.0)
                .and_then(|jackknife| Some((jackknife, jackknife.interval(best, options.level)?)))
            {
                let (a, b) = (sign * ends.0, sign * ends.1);
                let interval = Interval { lower: a.min(b), upper: a.max(b) };
                expected.interval = Some(if is_auc { interval.of_auc() } else { interval });
                expected.standard_error = Some(jackknife.standard_error);
                expected.method = Method::TrialJackknife;
            }
            let incumbent = values[first_best(&values[..k], sample.direction)?];
            Some(BestOf { k: k as u64, expected, incumbent, support })
        })
        .collect()
}

/// Returns 1, 2, 5, 10, 20, 50 ... below `n`, and `n`.
fn counts(n: usize) -> Vec<usize> {
    let decades = std::iter::successors(Some(1_usize), |decade| decade.checked_mul(10));
    let mut counts: Vec<usize> =
        decades.flat_map(|decade| [decade, 2 * decade, 5 * decade]).take_while(|count| *count < n).collect();
    counts.extend((n > 0).then_some(n));
    counts
}
