//! Trials as the model-based samplers see them.

use statrs::function::erf::erfc_inv;

use super::StudyView;
use super::lattice::{Cell, Lattice};
use crate::trial::{Direction, FrozenTrial, TrialState};

/// The value of an ended trial, larger is better: of a pruned one its last intermediate value; `None` for one that failed or ended with NaN.
/// Infinite values are kept.
pub(super) fn value(trial: &FrozenTrial, direction: Direction) -> Option<f64> {
    let value = match trial.state {
        TrialState::Complete => trial.value,
        TrialState::Pruned => trial.value.or_else(|| trial.intermediate.values().next_back().copied()),
        _ => None,
    };
    let sign = if direction == Direction::Maximize { 1.0 } else { -1.0 };
    value.filter(|v| !v.is_nan()).map(|v| sign * v)
}

/// The trials of a view inside the space.
pub(super) struct Outcomes<'a> {
    /// Ended trials with their cells and values, larger is better.
    pub(super) told: Vec<(&'a FrozenTrial, Cell, Option<f64>)>,
    /// Cells of trials that run or wait.
    pub(super) pending: Vec<Cell>,
}

impl<'a> Outcomes<'a> {
    pub(super) fn new(view: &StudyView<'a>, lattice: &Lattice, direction: Direction) -> Self {
        let told = view
            .finished
            .iter()
            .filter_map(|trial| Some((trial, lattice.cell(&trial.params)?, value(trial, direction))))
            .collect();
        let pending = view.running.iter().filter_map(|trial| lattice.cell(&trial.params)).collect();
        Self { told, pending }
    }

    /// Ended trials with a finite value.
    pub(super) fn valued(&self) -> usize {
        self.told.iter().filter(|(_, _, value)| value.is_some_and(f64::is_finite)).count()
    }
}

/// Values mapped so that a Gaussian process can follow them, and the way back.
#[derive(Debug, Clone)]
pub(super) struct Warp {
    /// Warped values: mean 0, variance 1.
    pub(super) values: Vec<f64>,
    median: f64,
    /// Mean and deviation of the half-warped values.
    mean: f64,
    deviation: f64,
}

impl Warp {
    /// Half-rank warping as in Vizier (Golovin et al. 2017; Song et al. 2024, section 3): the better half of the values stays as it
    /// is; worse ones become the normal quantiles of their ranks, with the deviation that the better half has from the median, so that a
    /// diverged trial is merely bad. Trials without a value rank last. Then mean 0 and variance 1.
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
        // Where most trials failed the median is that of the values.
        let median = finite[finite.len() / 2].max(sorted[n / 2]);
        let median = if median.is_finite() { median } else { finite[finite.len() / 2] };
        let top = finite[finite.len() - 1];
        let better: Vec<f64> = sorted.iter().filter(|v| **v >= median).map(|v| v.min(top)).collect();
        let spread = (better.iter().map(|v| (v - median).powi(2)).sum::<f64>() / better.len() as f64).sqrt();
        let spread = if spread > 0.0 { spread } else { (top - finite[0]).max(f64::MIN_POSITIVE) };
        let warped: Vec<f64> = values
            .iter()
            .map(|v| {
                let v = rank_value(v);
                if v >= median {
                    return v.min(top);
                }
                let below = sorted.partition_point(|other| *other < v);
                let upto = sorted.partition_point(|other| *other <= v);
                let worse = n - better.len();
                let quantile = 0.5 * (0.5 * (below + upto) as f64) / worse as f64;
                // Normal quantile.
                median - spread * 2.0_f64.sqrt() * erfc_inv(2.0 * quantile)
            })
            .collect();
        let mean = warped.iter().sum::<f64>() / n as f64;
        let deviation = (warped.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n as f64).sqrt();
        let deviation = if deviation > 0.0 { deviation } else { 1.0 };
        let values = warped.iter().map(|v| (v - mean) / deviation).collect();
        Some(Self { values, median, mean, deviation })
    }
}
