//! Sequences of configurations for the model-free samplers, which skip those already tried.

use allometry_core::TrialRng;
use allometry_core::rng::{stream_seed, uniform};
use rand::Rng as _;

use super::history::History;
use crate::space::{Configuration, Feasible};

/// Number of rejected random draws after which an untried configuration is drawn by its index.
const RANDOM_DRAWS: usize = 64;
/// Number of points of one Sobol sequence; a new scramble follows.
const SOBOL_POINTS: u64 = 1 << 16;
/// Number of coordinates of one Sobol sequence; further coordinates use another scramble.
const SOBOL_DIMENSIONS: u32 = sobol_burley::NUM_DIMENSIONS;

/// A sequence of configurations.
#[derive(Debug)]
pub(super) enum Sequence {
    /// Uniform draws with the generator of the suggestion.
    Random,
    /// Owen-scrambled Sobol points (Burley 2020), mapped by [`Feasible::at`]. All points before `next` were
    /// tried.
    Sobol { seed: u64, next: u64 },
    /// Every configuration once. All before `next` were tried.
    Grid { stride: u64, next: u64 },
}

impl Sequence {
    pub(super) fn sobol(feasible: &Feasible, seed: u64) -> Self {
        Self::Sobol { seed: stream_seed(seed, &format!("sobol/{}", feasible.budget().label), 0), next: 0 }
    }

    /// The grid of `count` configurations in steps of about `count` divided by the golden ratio, which reach
    /// all regions of the space early. The step is coprime to `count`, so that every configuration occurs
    /// once.
    pub(super) fn grid(count: u64) -> Self {
        let golden = (count as f64 * 0.618_033_988_749_894_9).round() as u64;
        let stride = (golden.max(1)..=count).find(|stride| gcd(*stride, count) == 1).unwrap_or(1);
        Self::Grid { stride, next: 0 }
    }

    /// Starts again at the first configuration.
    pub(super) fn restart(&mut self) {
        match self {
            Self::Random => {}
            Self::Sobol { next, .. } | Self::Grid { next, .. } => *next = 0,
        }
    }

    /// The next untried configuration, in a study with `trials` trials; `None` where all were tried.
    ///
    /// Rejection ends after a number of points that depends only on the number of trials; then an untried
    /// configuration is drawn by its index.
    pub(super) fn next(
        &mut self,
        feasible: &Feasible,
        history: &History,
        trials: usize,
        rng: &mut TrialRng,
    ) -> Option<Configuration> {
        let is_new = |configuration: &Configuration| !history.contains(configuration, feasible);
        let found = match self {
            Self::Random => {
                let mut draw = || {
                    let point: Vec<f64> = (0..feasible.dimension()).map(|_| uniform(rng)).collect();
                    feasible.at(&point)
                };
                (0..RANDOM_DRAWS).map(|_| draw()).find(is_new)
            }
            Self::Sobol { seed, next } => {
                let limit = 8 * (trials as u64 + 32);
                loop {
                    if *next >= limit {
                        break None;
                    }
                    let configuration = feasible.at(&sobol_point(*seed, *next, feasible.dimension()));
                    if is_new(&configuration) {
                        break Some(configuration);
                    }
                    *next += 1;
                }
            }
            Self::Grid { stride, next } => {
                let count = feasible.configurations()?;
                loop {
                    if *next >= count {
                        break None;
                    }
                    let number = u128::from(*next) * u128::from(*stride) % u128::from(count);
                    let configuration = feasible.configuration(number as u64);
                    if is_new(&configuration) {
                        break Some(configuration);
                    }
                    *next += 1;
                }
            }
        };
        found.or_else(|| {
            let rank = (u128::from(rng.next_u64()) * u128::from(history.untried()?)) >> 64;
            history.nth_untried(rank as u64).map(|number| feasible.configuration(number))
        })
    }
}

/// The Sobol point in `[0, 1)^dimension` with this index.
fn sobol_point(seed: u64, index: u64, dimension: usize) -> Vec<f64> {
    let (block, index) = (index / SOBOL_POINTS, (index % SOBOL_POINTS) as u32);
    let scramble = |part: u32| stream_seed(seed, "scramble", (block << 32) | u64::from(part)) as u32;
    let mut current = (0, scramble(0));
    (0..dimension as u32)
        .map(|d| {
            if d / SOBOL_DIMENSIONS != current.0 {
                current = (d / SOBOL_DIMENSIONS, scramble(d / SOBOL_DIMENSIONS));
            }
            f64::from(sobol_burley::sample(index, d % SOBOL_DIMENSIONS, current.1))
        })
        .collect()
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}
