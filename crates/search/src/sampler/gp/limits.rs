//! The probability that a configuration meets the constraints of a study.

use std::collections::BTreeMap;

use super::posterior::Posterior;
use super::{CarriedTrials, Fit};
use crate::normal::log_cdf;
use crate::sampler::lattice::{Cell, Lattice};
use crate::sampler::outcome::EndedTrial;

/// Gaussian processes for the constraints, one each, independent of each other and of the objective's process
/// (Gardner et al. 2014, section 3.2).
#[derive(Default)]
pub(super) struct Limits<'a> {
    processes: Vec<Process<'a>>,
}

struct Process<'a> {
    posterior: Posterior<'a>,
    /// The constraint's value 0 in the scale of the process.
    zero: f64,
}

impl<'a> Limits<'a> {
    /// Fits the processes to ended trials; there are none where no trial has a constraint. A constraint with
    /// equal values in all trials has no process, because it does not distinguish configurations. Running
    /// trials are assumed to have the posterior means as values.
    pub(super) fn new(lattice: &'a Lattice, ended: &[EndedTrial<'_>], pending: &[Cell]) -> Self {
        let mut by_name: BTreeMap<String, Vec<(usize, f64)>> = BTreeMap::new();
        for (place, (trial, ..)) in ended.iter().enumerate() {
            for (name, value) in trial.constraints().iter().filter(|(_, value)| !value.is_nan()) {
                by_name.entry(name).or_default().push((place, value));
            }
        }
        let process = |indexed: Vec<(usize, f64)>| {
            let (places, values): (Vec<usize>, Vec<f64>) = indexed.into_iter().unzip();
            let (values, zero) = scaled(&values)?;
            let ended: Vec<EndedTrial<'_>> = places.iter().map(|place| ended[*place].clone()).collect();
            let fit = Fit::new(lattice, &ended, &values, &CarriedTrials::default());
            let posterior = fit.most_probable()?.believing(pending)?;
            Some(Process { posterior, zero })
        };
        Self { processes: by_name.into_values().filter_map(process).collect() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.processes.is_empty()
    }

    /// Logarithm of the probability that a trial of a cell meets all constraints. The variance includes the
    /// noise, because the reported value decides, and a process that explains little by the parameters must
    /// not be too certain. `row` is scratch space.
    pub(super) fn log_probability(&self, cell: &[u64], row: &mut Vec<f64>) -> f64 {
        let log = |process: &Process<'_>, row: &mut Vec<f64>| {
            let (mean, variance) = process.posterior.at(cell, row);
            log_cdf((process.zero - mean) / (variance + process.posterior.kernel.noise).sqrt())
        };
        self.processes.iter().map(|process| log(process, row)).sum()
    }
}

/// The values transformed to mean 0 and variance 1, and the transformed value of 0; `None` where all values
/// are equal.
///
/// Before standardization the values are divided by the median of their magnitudes and transformed by
/// `sign(c) ln(1 + |c|)` (Eriksson & Poloczek 2021, section 3), which keeps signs and reduces the weight of
/// outliers: the position of 0 matters, not the distance beyond it.
fn scaled(values: &[f64]) -> Option<(Vec<f64>, f64)> {
    let mut distances: Vec<f64> =
        values.iter().map(|c| c.abs()).filter(|c| *c > 0.0 && c.is_finite()).collect();
    distances.sort_by(f64::total_cmp);
    let unit = distances.get(distances.len() / 2).copied().unwrap_or(1.0);
    let largest = distances.last().copied().unwrap_or(1.0);
    let bend = |c: f64| {
        let c = c.clamp(-largest, largest) / unit;
        c.signum() * c.abs().ln_1p()
    };
    let bent: Vec<f64> = values.iter().map(|c| bend(*c)).collect();
    let n = bent.len() as f64;
    let mean = bent.iter().sum::<f64>() / n;
    let deviation = (bent.iter().map(|c| (c - mean).powi(2)).sum::<f64>() / n).sqrt();
    (deviation > 0.0 && deviation.is_finite())
        .then(|| (bent.iter().map(|c| (c - mean) / deviation).collect(), -mean / deviation))
}

#[cfg(test)]
mod tests {
    use allometry_core::constraints::Constraints;
    use allometry_core::{FrozenTrial, TrialState};

    use super::*;
    use crate::sampler::tests::ordinals;

    #[test]
    fn scaling_keeps_order_and_sides() {
        let values = [-3.0, 0.0, 2e9, 5.0, -1e-3, f64::INFINITY, f64::NEG_INFINITY];
        let (bent, zero) = scaled(&values).unwrap();
        for (a, x) in values.iter().zip(&bent) {
            assert!((a > &0.0) == (*x > zero + 1e-12), "{a} {x} {zero}");
            assert!(x.abs() < 3.0);
            for (b, y) in values.iter().zip(&bent) {
                assert!(
                    a.partial_cmp(b) != Some(std::cmp::Ordering::Less)
                        || x < y
                        || a.abs() >= 2e9
                        || b.abs() >= 2e9
                );
            }
        }
        assert!(scaled(&[1.0, 1.0]).is_none());
        assert!(scaled(&[f64::INFINITY; 3]).is_none());
    }

    /// The constraints `x0 - 3.5 <= 0` and `4 - x1 <= 0` on a 9 by 9 grid, met in a corner of 4 by 5 cells.
    #[test]
    fn the_probability_is_high_where_all_are_met() {
        let feasible = ordinals(&[9, 9]);
        let lattice = Lattice::new(&feasible);
        let values = |number: u64| {
            let params = feasible.params(&feasible.configuration(number));
            let of = |name: &str| params.get(name).unwrap().as_f64().unwrap();
            let values = [of("x0") - 3.5, 4.0 - of("x1")];
            (params, values)
        };
        let trials: Vec<FrozenTrial> = (0..27)
            .map(|i| {
                let (params, values) = values((i * 29 + 7) % 81);
                let mut trial = FrozenTrial::new(i, TrialState::Complete, Some(0.0), params);
                let constraints = Constraints { listed: values.to_vec(), ..Constraints::default() };
                trial.system_attributes = constraints.attributes().into_iter().collect();
                trial
            })
            .collect();
        let ended: Vec<EndedTrial<'_>> =
            trials.iter().map(|trial| (trial, lattice.cell(&trial.params).unwrap(), trial.value())).collect();
        let limits = Limits::new(&lattice, &ended, &[]);
        for number in 0..81 {
            let (params, values) = values(number);
            let found = limits.log_probability(&lattice.cell(&params).unwrap(), &mut Vec::new()).exp();
            let furthest = values[0].max(values[1]);
            assert!(furthest > 0.0 || furthest > -1.0 || found > 0.8, "{values:?} {found}");
            assert!(furthest < 1.0 || found < 0.2, "{values:?} {found}");
        }
        let without: Vec<EndedTrial<'_>> = Vec::new();
        assert!(Limits::new(&lattice, &without, &[]).is_empty());
    }
}
