//! Probes: configurations on the edges of the architecture's parameters.

use crate::space::{Configuration, Feasible};

/// For each architecture parameter with more than one admitted value the configurations at its smallest and its
/// largest one, all other parameters as near to the middle as the budget allows; each once.
///
/// The middle is that of the admitted ranks; near is the least sum of squared rank differences, each relative to its
/// parameter's admitted range. Takes two passes over the architectures.
pub(super) fn probes(feasible: &Feasible) -> Vec<Configuration> {
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
            // The first of equals stays; rounding must not decide.
            if total < edges[edge].0 - 1e-12 {
                edges[edge] = (total, i as u32);
            }
        }
    }
    let middle = feasible.at(&vec![0.5; feasible.dimension()]).rest;
    let mut probes: Vec<Configuration> = Vec::new();
    for (edges, (low, high)) in nearest.iter().zip(&ranges) {
        if low == high {
            continue;
        }
        for (_, architecture) in edges {
            let probe = Configuration { architecture: *architecture, rest: middle.clone() };
            if !probes.contains(&probe) {
                probes.push(probe);
            }
        }
    }
    probes
}
