//! Values of trials for the model-based samplers.

use allometry_core::{Direction, FrozenTrial, TrialState};

use super::StudyView;
use super::lattice::{Cell, Lattice};
use crate::normal;

/// The value of an ended trial, with larger ones better. For a pruned trial it is the last intermediate
/// value; `None` for a failed trial or NaN. Infinite values are kept.
pub(super) fn value(trial: &FrozenTrial, direction: Direction) -> Option<f64> {
    let value = match trial.state {
        TrialState::Complete => trial.value(),
        TrialState::Pruned => trial.value().or_else(|| trial.intermediate.values().next_back().copied()),
        _ => None,
    };
    let sign = direction.sign();
    value.filter(|v| !v.is_nan()).map(|v| sign * v)
}

/// One objective of a study.
#[derive(Debug, Clone, Copy)]
pub(super) struct Goal {
    /// Index of the objective, from 0.
    pub(super) objective: usize,
    /// Direction of the objective.
    pub(super) direction: Direction,
}

impl Goal {
    /// The first or only objective.
    pub(super) fn first(direction: Direction) -> Self {
        Self { objective: 0, direction }
    }

    /// The trial's value of this objective, as in [`value`].
    fn value(self, trial: &FrozenTrial) -> Option<f64> {
        if self.objective == 0 {
            return value(trial, self.direction);
        }
        let value = trial.values.get(self.objective).filter(|_| trial.state == TrialState::Complete)?;
        let sign = self.direction.sign();
        Some(sign * value).filter(|value| !value.is_nan())
    }
}

/// An ended trial with its cell and its value, with larger values better.
pub(super) type EndedTrial<'a> = (&'a FrozenTrial, Cell, Option<f64>);

/// The trials of a view whose configurations are in the search space.
pub(super) struct Outcomes<'a> {
    /// Ended trials.
    pub(super) ended: Vec<EndedTrial<'a>>,
    /// Cells of running and waiting trials.
    pub(super) pending: Vec<Cell>,
}

impl<'a> Outcomes<'a> {
    pub(super) fn new(view: &StudyView<'a>, lattice: &Lattice, goal: Goal) -> Self {
        let pending = view.running.iter().filter_map(|trial| lattice.cell(&trial.params)).collect();
        Self { pending, ..Self::of_ended(view.finished, lattice, goal) }
    }

    /// The outcomes of ended trials, without pending ones.
    pub(super) fn of_ended(
        trials: impl IntoIterator<Item = &'a FrozenTrial>,
        lattice: &Lattice,
        goal: Goal,
    ) -> Self {
        let outcome = |trial: &'a FrozenTrial| Some((trial, lattice.cell(&trial.params)?, goal.value(trial)));
        Self { ended: trials.into_iter().filter_map(outcome).collect(), pending: Vec::new() }
    }

    /// The values of the ended trials.
    pub(super) fn values(&self) -> Vec<Option<f64>> {
        self.ended.iter().map(|(_, _, value)| *value).collect()
    }

    /// Keeps the `most` best ended trials, in their order.
    pub(super) fn keep_best(&mut self, most: usize) {
        if self.ended.len() <= most {
            return;
        }
        let rank = |value: &Option<f64>| value.unwrap_or(f64::NEG_INFINITY);
        self.ended.sort_by(|a, b| rank(&b.2).total_cmp(&rank(&a.2)).then(a.0.number.cmp(&b.0.number)));
        self.ended.truncate(most);
        self.ended.sort_by_key(|(trial, ..)| trial.number);
    }
}

/// Values transformed for a Gaussian process.
#[derive(Debug, Clone)]
pub(super) struct Warp {
    /// Transformed values with mean 0 and variance 1.
    pub(super) values: Vec<f64>,
    /// Finite untransformed values, ascending.
    finite: Vec<f64>,
    median: f64,
    /// Root mean square deviation of the better half from the median.
    spread: f64,
    /// Length of one transformed unit in the scale of the better half.
    pub(super) unit: f64,
}

impl Warp {
    /// Half-rank warping as in Vizier (Song et al. 2024, section 3): the better half of the values is kept;
    /// the others become the normal quantiles of their ranks, scaled by the better half's deviation from the
    /// median, so that a diverged trial is not an outlier. Trials without a value rank last. The result is
    /// standardized to mean 0 and variance 1.
    ///
    /// `None` where fewer than two values are finite.
    pub(super) fn new(values: &[Option<f64>]) -> Option<Self> {
        let rank_value = |v: &Option<f64>| v.unwrap_or(f64::NEG_INFINITY);
        let mut sorted: Vec<f64> = values.iter().map(rank_value).collect();
        sorted.sort_by(f64::total_cmp);
        let n = sorted.len();
        let finite: Vec<f64> = sorted.iter().copied().filter(|v| v.is_finite()).collect();
        if finite.len() < 2 {
            return None;
        }
        let top = finite[finite.len() - 1];
        // Where most trials failed, the median of the finite values is used.
        let middle = sorted[n / 2];
        let median = if middle.is_finite() { middle } else { finite[finite.len() / 2] };
        let better: Vec<f64> = sorted.iter().filter(|v| **v >= median).map(|v| v.min(top)).collect();
        let spread = (better.iter().map(|v| (v - median).powi(2)).sum::<f64>() / better.len() as f64).sqrt();
        // If the better half has equal values, the scale of failures is arbitrary.
        let spread = match top - finite[0] {
            _ if spread > 0.0 => spread,
            range if range > 0.0 && range.is_finite() => range,
            _ => 1.0,
        };
        let worse = n - better.len();
        let warped: Vec<f64> = values
            .iter()
            .map(|v| {
                let v = rank_value(v);
                if v >= median {
                    return v.min(top);
                }
                let below = sorted.partition_point(|other| *other < v);
                let upto = sorted.partition_point(|other| *other <= v);
                let quantile = 0.25 * (below + upto) as f64 / worse as f64;
                median + spread * normal::quantile(quantile)
            })
            .collect();
        let mean = warped.iter().sum::<f64>() / n as f64;
        let deviation = (warped.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n as f64).sqrt();
        let deviation = if deviation > 0.0 { deviation } else { 1.0 };
        let values = warped.iter().map(|v| (v - mean) / deviation).collect();
        Some(Self { values, finite, median, spread, unit: deviation })
    }
}

/// Values on a linear scale with outliers clipped.
#[derive(Debug, Clone)]
pub(super) struct Clipped {
    /// Clipped values with mean 0 and variance 1.
    pub(super) values: Vec<f64>,
    /// Bounds of the clipping.
    ends: (f64, f64),
    mean: f64,
    deviation: f64,
}

impl Clipped {
    /// Clips values at 3 deviations of the better half below the median; trials without a value are at that
    /// bound. Statements about a model's errors use this scale, because [`Warp`] distorts the noise of the
    /// worse half.
    pub(super) fn new(values: &[Option<f64>], warp: &Warp) -> Self {
        let top = warp.finite.last().copied().unwrap_or(warp.median);
        let ends = ((warp.median - 3.0 * warp.spread).min(top), top);
        let clipped: Vec<f64> =
            values.iter().map(|v| v.unwrap_or(f64::NEG_INFINITY).clamp(ends.0, ends.1)).collect();
        let n = clipped.len() as f64;
        let mean = clipped.iter().sum::<f64>() / n;
        let deviation = (clipped.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
        let deviation = if deviation > 0.0 { deviation } else { 1.0 };
        Self { values: clipped.iter().map(|v| (v - mean) / deviation).collect(), ends, mean, deviation }
    }

    /// Another value, clipped and standardized like these.
    pub(super) fn scaled(&self, value: f64) -> f64 {
        (value.clamp(self.ends.0, self.ends.1) - self.mean) / self.deviation
    }

    /// The untransformed value of a clipped one.
    pub(super) fn back(&self, clipped: f64) -> f64 {
        self.mean + self.deviation * clipped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_better_half_keeps_its_distances_and_the_worse_its_order() {
        let values = [Some(1.0), Some(2.0), Some(4.0), Some(-1e9), None, Some(0.5), Some(-3.0)];
        let warp = Warp::new(&values).unwrap();
        let w = &warp.values;
        assert!(((w[2] - w[1]) / (w[1] - w[0]) - 2.0).abs() < 1e-9, "{w:?}");
        assert!(w[0] > w[5] && w[5] > w[6] && w[6] > w[3] && w[3] > w[4], "{w:?}");
        assert!(w.iter().all(|v| v.abs() < 3.0), "{w:?}");
        let clipped = Clipped::new(&values, &warp);
        for (value, scaled) in values.iter().zip(&clipped.values) {
            if let Some(value) = value.filter(|v| *v >= -3.0) {
                assert!((clipped.back(*scaled) - value).abs() < 1e-9);
            }
        }
        let lowest = clipped.back(clipped.values[3]);
        assert_eq!(lowest, clipped.back(clipped.values[4]), "a diverged trial and a failed one");
        assert!((-10.0..-3.0).contains(&lowest), "{lowest}");
    }

    #[test]
    fn extreme_values_stay_finite() {
        assert!(Warp::new(&[Some(1.0), None, Some(f64::INFINITY)]).is_none());
        let equal = Warp::new(&[Some(1.0); 5]).unwrap();
        assert!(equal.values.iter().all(|v| *v == 0.0));
        let infinite =
            Warp::new(&[Some(f64::INFINITY), Some(f64::NEG_INFINITY), Some(1.0), Some(2.0)]).unwrap();
        assert!(infinite.values.iter().all(|v| v.is_finite()), "{infinite:?}");
        let failed = Warp::new(&[None, None, None, None, Some(1.0), Some(2.0)]).unwrap();
        assert!(failed.values.iter().all(|v| v.is_finite()) && failed.values[5] > failed.values[4]);
    }
}
