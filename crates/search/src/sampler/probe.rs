//! Probes: configurations at the ends of the architecture parameters.

use allometry_core::rng::stream;
use rand::seq::SliceRandom as _;

use crate::space::{Configuration, Feasible};

/// The probes: for each architecture parameter with more than one admitted value, the architectures with its
/// smallest and its largest value and all other architecture parameters as close to the middle as the budget
/// allows, without duplicates.
///
/// The middle is that of the admitted ranks; closest is the smallest sum of squared rank differences, each
/// relative to its parameter's admitted range. The other parameters form a Latin hypercube over the probes
/// (`McKay`, Beckman & Conover 1979): each takes as many equally spaced values as there are probes, in an
/// order that `seed` shuffles, so that the probes of a small study do not share one training setting. An
/// architecture without a known configuration that meets the constraints has no probe. Takes two passes over
/// the architectures.
pub(super) fn probes(feasible: &Feasible, seed: u64) -> Vec<Configuration> {
    let ranges = feasible.admitted_ranks();
    let mut nearest: Vec<[(f64, u32); 2]> = vec![[(f64::INFINITY, 0); 2]; ranges.len()];
    for i in 0..feasible.architecture_count() {
        let digits: Vec<usize> = (0..ranges.len()).map(|d| feasible.digit(i, d)).collect();
        let offset = |d: usize| {
            let (low, high) = ranges[d];
            if low == high { 0.0 } else { ((digits[d] - low) as f64 / (high - low) as f64 - 0.5).powi(2) }
        };
        let total: f64 = (0..ranges.len()).map(offset).sum();
        for (d, edges) in nearest.iter_mut().enumerate() {
            let (low, high) = ranges[d];
            let edge = match digits[d] {
                digit if digit == low => 0,
                digit if digit == high => 1,
                _ => continue,
            };
            // Among equals the first is kept; the margin keeps rounding errors from deciding.
            if total < edges[edge].0 - 1e-12 {
                edges[edge] = (total, i as u32);
            }
        }
    }
    let mut edges: Vec<u32> = Vec::new();
    for (nearest, (low, high)) in nearest.iter().zip(&ranges) {
        for (_, architecture) in nearest {
            if low < high && !edges.contains(architecture) {
                edges.push(*architecture);
            }
        }
    }
    let coordinates: Vec<Vec<f64>> =
        (0..feasible.dimension()).map(|d| shuffled_steps(edges.len(), feasible, seed, d)).collect();
    edges
        .into_iter()
        .enumerate()
        .filter_map(|(probe, architecture)| {
            let point: Vec<f64> = coordinates.iter().map(|steps| steps[probe]).collect();
            feasible.of_architecture(architecture, &point)
        })
        .collect()
}

/// The midpoints of `count` equal parts of `[0, 1)` in random order.
fn shuffled_steps(count: usize, feasible: &Feasible, seed: u64, dimension: usize) -> Vec<f64> {
    let mut steps: Vec<f64> = (0..count).map(|step| (step as f64 + 0.5) / count as f64).collect();
    let name = format!("probes/{}", feasible.budget().label);
    steps.shuffle(&mut stream(seed, &name, dimension as u64));
    steps
}
