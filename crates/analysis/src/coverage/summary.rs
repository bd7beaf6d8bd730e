//! Coverage of a whole space by a study's trials.

use allometry_core::SearchSpace;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::count;
use crate::forest::axis::Axis;
use crate::level::Level;
use crate::options::Options;
use crate::sample::Sample;
use crate::stats::discrepancy::Side;
use crate::stats::table::association;
use crate::stats::{discrepancy, holm};

/// Corrected Cramer's V from which two parameters count as confounded.
const CONFOUNDED: f64 = 0.5;
/// Most levels of a parameter in pairs.
const MOST_LEVELS: usize = 30;
/// Most trials in the discrepancy, whose cost grows with their square; more trials are subsampled at an even
/// stride.
const MOST_POINTS: usize = 1_500;
/// Number of values, in a list or a range with steps, above which random places are treated as uniform.
const MOST_ATOMS: f64 = 1_000.0;

/// Two parameters that were not varied independently.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Confounding {
    /// One of them.
    pub first: String,
    /// The other.
    pub second: String,
    /// Cramer's V, corrected for chance.
    pub cramers_v: f64,
    /// P-value of chi-squared after Holm's adjustment over all pairs.
    pub p_holm: f64,
}

/// Coverage of a space by a study's trials.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SpaceCoverage {
    /// Number of combinations of two values, over all pairs of parameters, among the values that occur.
    pub pairs: u64,
    /// Number of these combinations that were tried.
    pub pairs_tried: u64,
    /// Pairs of parameters with a corrected V of at least 0.5 and a significant association, the strongest
    /// first.
    pub confounded: Vec<Confounding>,
    /// Squared centred L2 discrepancy of the trials in the unit cube of the space; `null` where nothing
    /// varies. A value of a list or of a range with steps is placed at the centre of its interval.
    pub discrepancy: Option<f64>,
    /// Expected discrepancy of equally many points drawn at random from the space, with lists and steps where
    /// the space has them, and each parameter independent of the others.
    pub discrepancy_at_random: Option<f64>,
}

impl SpaceCoverage {
    /// Computes the coverage from all parameters, given by name with their exact and their binned levels.
    pub(crate) fn new(
        space: &SearchSpace,
        sample: &Sample<'_>,
        parameters: &[(&str, &[Level], &[Level])],
        options: &Options,
    ) -> Self {
        let usable: Vec<(&str, &[Level])> = parameters
            .iter()
            .map(|(parameter, _, binned)| (*parameter, *binned))
            .filter(|(_, binned)| (2..=MOST_LEVELS).contains(&binned.len()))
            .collect();
        let (mut pairs, mut pairs_tried) = (0, 0);
        let (mut candidates, mut p_values) = (Vec::new(), Vec::new());
        for (position, (second, columns)) in usable.iter().enumerate() {
            for (first, rows) in &usable[..position] {
                let counts = count(rows, columns);
                pairs += (rows.len() * columns.len()) as u64;
                pairs_tried += counts.iter().flatten().filter(|count| **count > 0).count() as u64;
                if let Some(association) = association(&counts) {
                    candidates.push((*first, *second, association.cramers_v));
                    p_values.push(association.p);
                }
            }
        }
        let mut confounded: Vec<Confounding> = candidates
            .into_iter()
            .zip(holm::adjust(&p_values))
            .filter(|((.., cramers_v), p)| *cramers_v >= CONFOUNDED && *p < 1.0 - options.level)
            .map(|((first, second, cramers_v), p_holm)| Confounding {
                first: first.to_owned(),
                second: second.to_owned(),
                cramers_v,
                p_holm,
            })
            .collect();
        confounded.sort_by(|a, b| b.cramers_v.total_cmp(&a.cramers_v));
        let (points, sides) = points(space, sample, parameters);
        let discrepancy = discrepancy::centered_l2(&points).filter(|discrepancy| discrepancy.is_finite());
        let at_random = discrepancy::centered_l2_at_random(points.len(), &sides);
        Self {
            pairs,
            pairs_tried,
            confounded,
            discrepancy_at_random: discrepancy.is_some().then_some(at_random),
            discrepancy,
        }
    }
}

/// Returns the places of the trials in the unit cube of the parameters that vary and that every trial has,
/// and the distribution of random places on its sides.
fn points(
    space: &SearchSpace,
    sample: &Sample<'_>,
    parameters: &[(&str, &[Level], &[Level])],
) -> (Vec<Vec<f64>>, Vec<Side>) {
    let trials = sample.trials.len();
    let stride = trials.div_ceil(MOST_POINTS).max(1);
    let mut points: Vec<Vec<f64>> = vec![Vec::new(); trials.div_ceil(stride)];
    let mut sides = Vec::new();
    for (parameter, exact, _) in parameters {
        let covered: usize = exact.iter().map(|level| level.members.len()).sum();
        if exact.len() < 2 || covered < trials {
            continue;
        }
        let axis = space.get(parameter).and_then(|set| Axis::new(parameter, set));
        // Trials outside the recorded space are placed among the values that occur.
        let known = axis.and_then(|axis| Some((places(&axis, exact)?, side(&axis))));
        let (places, side) = known.unwrap_or_else(|| {
            let count = exact.len() as f64;
            let ranks: Vec<f64> = (0..exact.len()).map(|rank| (rank as f64 + 0.5) / count).collect();
            let masses: Vec<(f64, f64)> = ranks.iter().map(|place| (*place, 1.0 / count)).collect();
            (ranks, Side::of_places(&masses))
        });
        for (level, place) in exact.iter().zip(places) {
            for member in level.members.iter().filter(|member| **member % stride == 0) {
                points[member / stride].push(place);
            }
        }
        sides.push(side);
    }
    (points, sides)
}

/// Returns the place of each level; `None` where one is outside the axis.
fn places(axis: &Axis, levels: &[Level]) -> Option<Vec<f64>> {
    let place = |level: &Level| {
        let position = axis.position(&level.value)?;
        Some(if axis.atoms().is_some() { middle(axis, position).0 } else { position })
    };
    levels.iter().map(place).collect()
}

fn side(axis: &Axis) -> Side {
    match axis.atoms() {
        Some(atoms) if atoms <= MOST_ATOMS => {
            let places: Vec<(f64, f64)> = (0..atoms as usize).map(|atom| middle(axis, atom as f64)).collect();
            Side::of_places(&places)
        }
        _ => Side::CONTINUOUS,
    }
}

/// Returns the centre and the length of an atom's interval on its side.
fn middle(axis: &Axis, atom: f64) -> (f64, f64) {
    let (from, to) = (axis.below(atom), axis.below(atom + 1.0));
    (f64::midpoint(from, to), to - from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StudyTrials;
    use allometry_core::rng::{stream, uniform};
    use allometry_core::{Distribution, FrozenTrial, Params, TrialState};

    /// The expectation for random points is the average over such points, in a space of lists, steps and
    /// ranges.
    #[test]
    fn the_expectation_is_the_average_over_random_points() {
        let list = |n: i64| Distribution::list((0..n).map(Into::into).collect());
        let sets = [
            ("pair", list(2)),
            ("list", list(5)),
            ("steps", Distribution::Int { low: 1, high: 32, log: true, step: 1 }),
            ("range", Distribution::Float { low: 1e-4, high: 1e-1, log: true, step: None }),
        ];
        let space = SearchSpace(sets.iter().map(|(name, set)| ((*name).to_owned(), set.clone())).collect());
        let (mut sum, mut continuous) = (0.0, 0.0);
        let mut expected = 0.0;
        for run in 0..400 {
            let mut rng = stream(3, "random points", run);
            let mut trial = |number: u64| {
                let mut params = Params::default();
                for (name, set) in &sets {
                    let u = uniform(&mut rng);
                    match set {
                        Distribution::Categorical { choices, .. } => {
                            params.insert(*name, choices[(u * choices.len() as f64) as usize].clone());
                        }
                        Distribution::Int { .. } => {
                            params.insert(*name, (0.5 * 65.0_f64.powf(u)).round().clamp(1.0, 32.0) as i64);
                        }
                        Distribution::Float { .. } => params.insert(*name, 1e-4 * 1e3_f64.powf(u)),
                    }
                }
                FrozenTrial::new(number, TrialState::Complete, Some(0.5), params)
            };
            let study = StudyTrials::new("x", "x", (0..40).map(&mut trial).collect());
            let sample = Sample::new(&study, allometry_core::Direction::Maximize);
            let levels: Vec<Vec<Level>> =
                sets.iter().map(|(name, _)| crate::level::levels(&sample, name)).collect();
            let parameters: Vec<(&str, &[Level], &[Level])> =
                sets.iter().zip(&levels).map(|((name, _), l)| (*name, l.as_slice(), l.as_slice())).collect();
            let (points, sides) = points(&space, &sample, &parameters);
            sum += discrepancy::centered_l2(&points).unwrap() / 400.0;
            expected = discrepancy::centered_l2_at_random(40, &sides);
            continuous = discrepancy::centered_l2_at_random(40, &[Side::CONTINUOUS; 4]);
        }
        println!("expected {expected:.4}, average {sum:.4}, of uniform points {continuous:.4}");
        assert!((sum / expected - 1.0).abs() < 0.03, "{sum} {expected}");
        assert!(expected > 1.2 * continuous, "lists are coarser than ranges");
    }
}
