//! What settings lose at another budget, and with what error.

use allometry_core::Direction;

use super::Trained;
use crate::estimate::{Estimate, Interval, Method};
use crate::input::LadderTrials;
use crate::options::Options;
use crate::scores::Predictions;
use crate::stats::delong::delong;
use crate::stats::distribution::{t_half_width, t_two_sided};
use crate::stats::moments::{mean, sample_variance};
use crate::stats::normal;

/// Mean over the seeds that both have of what the carried settings lose, and the p-value of no loss.
///
/// The error joins what new rows would change, DeLong's of the mean difference (DeLong, DeLong & Clarke-Pearson 1988), where scores of
/// the same rows are stored, and what new seeds would, the variance of the differences over their number. Rows and seeds are crossed: what
/// a seed does to single rows is in both, and is counted once (as with readers and cases, Obuchowski & Rockette 1995). Student's t with Satterthwaite's
/// (1946) degrees of freedom.
pub(super) fn loss(
    carried: &[Trained<'_>],
    own: &[Trained<'_>],
    ladder: &LadderTrials,
    options: &Options,
) -> Option<(Estimate, Option<f64>)> {
    let sign = if ladder.direction == Direction::Maximize { 1.0 } else { -1.0 };
    let pairs: Vec<(&Trained<'_>, &Trained<'_>)> = carried
        .iter()
        .filter_map(|carried| Some((own.iter().find(|own| own.seed == carried.seed)?, carried)))
        .collect();
    let differences: Vec<f64> =
        pairs.iter().map(|(own, carried)| sign * (own.value - carried.value)).collect();
    let point = mean(differences.iter().copied())?;
    let observed = Estimate::observed(point, options);
    if pairs.iter().all(|(own, carried)| own.trial == carried.trial) {
        let nothing = Some(Interval { lower: 0.0, upper: 0.0 });
        let same = Estimate { interval: nothing, method: Method::Identical, ..observed };
        return Some((same, None));
    }
    let of_rows = if ladder.measures_auc() { variance_over_rows(&pairs) } else { None };
    let of_seeds = sample_variance(differences.iter().copied()).map(|v| v / differences.len() as f64);
    let (rows, seeds) = (of_rows.map_or(0.0, |rows| rows.mean), of_seeds.unwrap_or(0.0));
    let shared = of_rows.map_or(0.0, |rows| rows.of_single_seeds(differences.len()));
    let variance = (rows + seeds - shared).max(rows).max(seeds);
    if variance <= 0.0 {
        return Some((observed, None));
    }
    let error = variance.sqrt();
    let (half, p, method) = match of_seeds.filter(|of_seeds| *of_seeds > 0.0) {
        None => (
            normal::half_width(options.level),
            Some(normal::two_sided_p(point / error)),
            Method::PairedDelong,
        ),
        Some(of_seeds) => {
            let freedom = (differences.len() - 1) as f64 * (variance / of_seeds).powi(2);
            (t_half_width(options.level, freedom)?, t_two_sided(point / error, freedom), Method::PairedSeeds)
        }
    };
    let interval = Interval { lower: point - half * error, upper: point + half * error };
    Some((Estimate { standard_error: Some(error), interval: Some(interval), method, ..observed }, p))
}

/// Variances over new rows, the models being fixed.
#[derive(Clone, Copy)]
struct OverRows {
    /// Of the mean difference.
    mean: f64,
    /// Mean of the variances of each seed's difference.
    single: f64,
}

impl OverRows {
    /// The part of the mean's variance that seeds do not have in common.
    fn of_single_seeds(self, seeds: usize) -> f64 {
        if seeds < 2 { 0.0 } else { ((self.single - self.mean) / (seeds - 1) as f64).max(0.0) }
    }
}

/// `None` where not all have scores of the same rows.
fn variance_over_rows(pairs: &[(&Trained<'_>, &Trained<'_>)]) -> Option<OverRows> {
    let predictions: Vec<Predictions<'_>> = pairs
        .iter()
        .flat_map(|(own, carried)| [own.predictions, carried.predictions])
        .collect::<Option<_>>()?;
    let (first, others) = predictions.split_first()?;
    if others.iter().any(|other| !first.same_rows(other)) {
        return None;
    }
    let numbers: Vec<Vec<f64>> = predictions.iter().map(Predictions::numbers).collect();
    let scores: Vec<&[f64]> = numbers.iter().map(Vec::as_slice).collect();
    let found = delong(first.labels, &scores)?;
    let single = mean((0..pairs.len()).map(|pair| found.difference(2 * pair, 2 * pair + 1).1.powi(2)))?;
    let covariance = found.covariance;
    let weight = |model: usize| if model.is_multiple_of(2) { 1.0 } else { -1.0 } / pairs.len() as f64;
    let terms = covariance.iter().enumerate().flat_map(|(i, row)| {
        row.iter().enumerate().map(move |(j, covariance)| weight(i) * weight(j) * covariance)
    });
    Some(OverRows { mean: terms.sum::<f64>().max(0.0), single })
}
