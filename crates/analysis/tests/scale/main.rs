//! How often the verdict on scale errs, how often it tells what is there, and how often intervals cover, on
//! simulated ladders whose truth is known. The noise is that of real ladders: configurations, seeds, and rows
//! that may depend on each other.
//!
//! Seeds are fixed and bounds allow for the number of simulations: 50 of each kind, or
//! `ALLOMETRY_SIMULATIONS`; a longer table stands in `docs/methods/scaling.md`.

mod constrained;
#[path = "../random/mod.rs"]
mod random;
mod stated;
mod unlike;
mod verdict;
mod world;

use allometry_analysis::{Analysis, Options, analyze};
use allometry_core::rng::stream;
use world::World;

fn simulations() -> u64 {
    std::env::var("ALLOMETRY_SIMULATIONS").ok().and_then(|count| count.parse().ok()).unwrap_or(50)
}

/// By how much a share of that true size may be off in that many simulations, but for 1 in 1,000.
fn slack(share: f64) -> f64 {
    3.1 * (share * (1.0 - share) / simulations() as f64).sqrt()
}

fn options(bootstraps: u64) -> Options {
    Options { permutations: 0, bootstraps, ..Options::default() }
}

/// Analyses of as many ladders of a world as there are simulations.
fn run(name: &str, world: &World, bootstraps: u64) -> Vec<Analysis> {
    let simulate = |index| analyze(&world.ladder(&mut stream(17, name, index)), &options(bootstraps));
    (0..simulations()).map(simulate).collect()
}
