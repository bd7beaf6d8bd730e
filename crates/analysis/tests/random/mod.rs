//! Random numbers of simulations.

use allometry_analysis::stats::random::below;
use allometry_core::TrialRng;

/// Returns a uniform number in (0, 1).
pub(crate) fn uniform(rng: &mut TrialRng) -> f64 {
    (below(rng, 1 << 40) as f64 + 0.5) / (1_u64 << 40) as f64
}

/// Returns a standard normal number (Box & Muller 1958).
pub(crate) fn gaussian(rng: &mut TrialRng) -> f64 {
    (-2.0 * uniform(rng).ln()).sqrt() * (std::f64::consts::TAU * uniform(rng)).cos()
}
