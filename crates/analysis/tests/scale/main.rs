//! Tests of the rates at which verdicts on scale are false, effects are found, and intervals cover, on
//! simulated ladders whose true effects are known. The noise is that of real ladders: configurations, seeds,
//! and rows that may depend on each other.
//!
//! Seeds are fixed and bounds allow for the number of simulations: 50 of each kind, or
//! `ALLOMETRY_SIMULATIONS`; a longer table stands in `docs/methods/scaling.md`.

mod constrained;
mod data;
mod folds;
mod panels;
mod plan;
#[path = "../random/mod.rs"]
mod random;
mod stated;
mod unlike;
mod verdict;
mod ways;
mod world;

use allometry_analysis::{Analysis, Options, analyze};
use allometry_core::rng::stream;
use world::World;

fn simulations() -> u64 {
    std::env::var("ALLOMETRY_SIMULATIONS").ok().and_then(|count| count.parse().ok()).unwrap_or(50)
}

/// Returns the error that a share of that true size exceeds in that many simulations once in 1,000 times.
fn slack(share: f64) -> f64 {
    3.1 * (share * (1.0 - share) / simulations() as f64).sqrt()
}

fn options(bootstraps: u64) -> Options {
    Options { permutations: 0, bootstraps, ..Options::default() }
}

/// Returns the analyses of one ladder of a world per simulation.
fn run(name: &str, world: &World, bootstraps: u64) -> Vec<Analysis> {
    let simulate = |index| analyze(&world.ladder(&mut stream(17, name, index)), &options(bootstraps));
    (0..simulations()).map(simulate).collect()
}
