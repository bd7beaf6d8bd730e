//! Trials of a ladder's other budgets, mapped to the axes of a study's own search space.

use allometry_core::space::ARCHITECTURE;
use allometry_core::{CarriedBudget, CarriedOver, Direction, Distribution, Guard, ParamValue, TrialNumber};

use super::point::Point;
use super::posterior::Posterior;
use super::{Fit, representative};
use crate::sampler::OtherBudget;
use crate::sampler::lattice::{Axis, Lattice, Scale};
use crate::sampler::outcome::{EndedTrial, Outcomes, Warp, value};

/// Largest number of trials used from all other budgets together.
const MOST_CARRIED: usize = 80;
/// Number of own ended trials in the guard's test.
const GUARDED: usize = 10;
/// Smallest rank correlation at which the other budgets' trials are used.
const LEAST_CORRELATION: f64 = 0.2;
/// Largest distance of a mapped value beyond the ends of an axis, in units of its length.
const BEYOND: f64 = 0.5;
/// Exponent of the weights with which the best learning rate changes (Li et al. 2025, "Step Law", equation
/// 1).
pub(super) const STEP_LAW: f64 = -0.713;

/// Trials of other budgets as training data of the joint model.
#[derive(Debug, Default)]
pub(super) struct CarriedTrials {
    pub(super) points: Vec<Point>,
    /// Values, standardized to mean 0 and variance 1 in each budget.
    pub(super) values: Vec<f64>,
    budgets: Vec<CarriedBudget>,
}

/// Input of the guard's test, compared to avoid repeating the test.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Evidence {
    carried: Vec<f64>,
    own: Vec<(TrialNumber, Option<f64>)>,
}

impl CarriedTrials {
    /// The trials of other budgets. Each contributes an equal number: its best trials and an even selection
    /// of the others.
    /// `exponent` is that of the weights with which the best learning rate changes.
    pub(super) fn new(
        others: &[OtherBudget<'_>],
        lattice: &Lattice,
        direction: Direction,
        exponent: f64,
    ) -> Self {
        let mut carried = Self::default();
        for (budget, other) in others.iter().enumerate() {
            let values: Vec<Option<f64>> =
                other.finished.iter().map(|trial| value(trial, direction)).collect();
            let Some(warp) = Warp::new(&values) else { continue };
            let chosen = representative(&warp.values, MOST_CARRIED / others.len());
            carried.budgets.push(CarriedBudget { label: other.label.into(), trials: chosen.len() as u64 });
            for i in chosen {
                let params = &other.finished[i].params;
                let place = |axis: &Axis| match (params.get(axis.name()), other.space.get(axis.name())) {
                    (Some(value), Some(set)) => place(axis, set, value, exponent * other.decades),
                    _ => f64::NAN,
                };
                let positions = lattice.axes.iter().map(place).collect();
                carried.points.push(Point { positions, budget: budget + 1, decades: other.decades });
                carried.values.push(warp.values[i]);
            }
        }
        carried
    }

    pub(super) fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// The posterior given only these trials.
    pub(super) fn alone<'a>(&self, lattice: &'a Lattice) -> Option<Posterior<'a>> {
        Fit::new(lattice, &[], &[], self).most_probable()
    }

    /// A record of the trials in use and of the guard's test against the study's own first trials. `former`
    /// is the last guard with its evidence, which saves a fit while the evidence is unchanged.
    pub(super) fn over(
        &self,
        lattice: &Lattice,
        outcomes: &Outcomes<'_>,
        former: &mut Option<(Evidence, Guard)>,
    ) -> CarriedOver {
        // The guard needs this many own trials.
        let guard = outcomes.ended.get(..GUARDED).and_then(|ended| {
            let own = ended.iter().map(|(trial, _, value)| (trial.number, *value)).collect();
            let evidence = Evidence { carried: self.values.clone(), own };
            if former.as_ref().is_none_or(|(known, _)| *known != evidence) {
                *former = self.guard(lattice, ended).map(|guard| (evidence, guard));
            }
            former.as_ref().map(|(_, guard)| *guard)
        });
        CarriedOver { budgets: self.budgets.clone(), guard }
    }

    fn guard(&self, lattice: &Lattice, ended: &[EndedTrial<'_>]) -> Option<Guard> {
        let posterior = self.alone(lattice)?;
        let predicted: Vec<f64> = ended.iter().map(|(_, cell, _)| posterior.mean(cell)).collect();
        let values: Vec<f64> = ended.iter().map(|(.., value)| value.unwrap_or(f64::NEG_INFINITY)).collect();
        let correlation = rank_correlation(&predicted, &values);
        Some(Guard { trials: GUARDED as u64, correlation, least: LEAST_CORRELATION })
    }
}

/// The position on `axis` of a value from the distribution `set` of a budget whose models are `decades`
/// larger.
///
/// Values of architecture parameters with other lists are mapped by their rank, because a width that is large
/// for a small model is small for a large one. A learning rate is scaled to this budget's size. A weight
/// decay is scaled such that its product with the learning rate, and so AdamW's averaging time (Wang &
/// Aitchison 2024), is unchanged. All other values are mapped as they are.
fn place(axis: &Axis, set: &Distribution, value: &ParamValue, rate_decades: f64) -> f64 {
    let other = Axis::new(axis.name(), set);
    if axis.scale == Scale::Nominal {
        // A value that this budget does not have is different from all of its values.
        let unknown = axis.level_count().unwrap_or(0) as f64;
        return axis.coordinate(value).map_or(unknown, |coordinate| axis.position(coordinate));
    }
    let is_own_list = ARCHITECTURE.contains(&axis.name()) && !axis.has_levels_of(&other);
    if is_own_list && other.scale == Scale::Ordered {
        return other.coordinate(value).map_or(f64::NAN, |coordinate| other.position(coordinate));
    }
    let Some(x) = value.as_f64() else { return f64::NAN };
    let factor = match axis.name() {
        "learning_rate" | "lr" => 10_f64.powf(-rate_decades),
        "weight_decay" | "wd" => 10_f64.powf(rate_decades),
        _ => 1.0,
    };
    axis.interpolated(factor * x).clamp(-BEYOND, 1.0 + BEYOND)
}

/// Spearman's rank correlation, with mean ranks for ties; 0 where all values of one side are equal.
fn rank_correlation(a: &[f64], b: &[f64]) -> f64 {
    let centred = |values: &[f64]| -> Vec<f64> {
        let rank = |v: &f64| {
            let below = values.iter().filter(|other| *other < v).count();
            let upto = values.iter().filter(|other| *other <= v).count();
            0.5 * (below as f64 + upto as f64) - 0.5 * values.len() as f64
        };
        values.iter().map(rank).collect()
    };
    let (a, b) = (centred(a), centred(b));
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let norm = (product(&a, &a) * product(&b, &b)).sqrt();
    if norm > 0.0 { product(&a, &b) / norm } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use allometry_core::ChoiceOrder;

    use super::*;

    fn ordinal(values: &[f64]) -> Distribution {
        let choices = values.iter().map(|v| ParamValue::Float(*v)).collect();
        Distribution::Categorical { choices, order: ChoiceOrder::Ordinal }
    }

    fn at(name: &str, own: &[f64], other: &[f64], value: f64, decades: f64) -> f64 {
        place(&Axis::new(name, &ordinal(own)), &ordinal(other), &ParamValue::Float(value), STEP_LAW * decades)
    }

    #[test]
    fn rates_follow_the_size_and_decays_the_rates() {
        let rates = [1e-5, 1e-4, 1e-3, 1e-2];
        // A budget ten times larger has a best rate 10^0.713 times smaller.
        let position = at("learning_rate", &rates, &rates, 1e-3, -1.0);
        assert!((position - (2.0 - 0.713) / 3.0).abs() < 1e-12, "{position}");
        assert!((at("dropout", &rates, &rates, 1e-3, -1.0) - 2.0 / 3.0).abs() < 1e-12);
        let decays = [0.0, 1e-3, 1e-2];
        assert_eq!(at("weight_decay", &decays, &decays, 0.0, -1.0), 0.0);
        let position = at("weight_decay", &decays, &decays, 1e-3, -1.0);
        assert!((position - 0.5 * (1.0 + 0.713)).abs() < 1e-12, "{position}");
        assert_eq!(at("learning_rate", &rates, &rates, 1e-2, 4.0), 1.0 + BEYOND, "far beyond the list");
    }

    #[test]
    fn architectures_of_other_lists_go_by_rank_and_the_rest_by_value() {
        assert_eq!(at("d_model", &[128.0, 192.0, 256.0], &[8.0, 12.0, 16.0], 12.0, -2.0), 0.5);
        assert_eq!(at("d_model", &[8.0, 12.0, 16.0], &[8.0, 12.0, 16.0], 16.0, -2.0), 1.0);
        assert_eq!(at("batch", &[16.0, 64.0], &[32.0, 64.0], 32.0, -2.0), 0.5);
        assert!(at("batch", &[64.0, 16.0], &[32.0, 64.0], 32.0, -2.0).is_nan(), "not in order");
        let words = |values: &[&str]| Distribution::Categorical {
            choices: values.iter().map(|v| ParamValue::Text((*v).into())).collect(),
            order: ChoiceOrder::Nominal,
        };
        let axis = Axis::new("activation", &words(&["relu", "gelu"]));
        let position =
            |value: &str| place(&axis, &words(&["gelu", "tanh"]), &ParamValue::Text(value.into()), 0.0);
        assert_eq!((position("gelu"), position("tanh")), (1.0, 2.0));
        let range = Distribution::Float { low: 1e-4, high: 1e-2, log: true, step: None };
        assert!((place(&Axis::new("x", &range), &range, &ParamValue::Float(1e-3), 0.0) - 0.5).abs() < 1e-12);
    }

    /// Values by `scipy.stats.spearmanr`.
    #[test]
    fn ranks_correlate_as_in_scipy() {
        let close = |a: &[f64], b: &[f64], expected: f64| {
            let found = rank_correlation(a, b);
            assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        };
        close(&[1.0, 2.0, 3.0, 4.0], &[10.0, 30.0, 20.0, 40.0], 0.8);
        close(&[1.0, 2.0, 2.0, 4.0, 0.5], &[3.0, 1.0, 5.0, 5.0, f64::NEG_INFINITY], 0.763_157_894_736_842_1);
        close(&[1.0, 1.0, 1.0], &[1.0, 2.0, 3.0], 0.0);
    }
}
