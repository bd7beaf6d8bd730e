//! Draws from a random number generator.

use rand_chacha::rand_core::Rng;

use super::normal;

/// Returns a whole number below `count`, uniform up to a bias of 1 in 2^64 / `count` (Lemire 2019, without
/// rejection).
pub fn below(rng: &mut impl Rng, count: usize) -> usize {
    ((u128::from(rng.next_u64()) * count as u128) >> 64) as usize
}

/// Shuffles `items` (Fisher & Yates).
pub fn shuffle<T>(rng: &mut impl Rng, items: &mut [T]) {
    for last in (1..items.len()).rev() {
        items.swap(last, below(rng, last + 1));
    }
}

/// Returns a uniform number between 0 and 1, both excluded.
pub fn uniform(rng: &mut impl Rng) -> f64 {
    ((rng.next_u64() >> 12) as f64 + 0.5) / (1_u64 << 52) as f64
}

/// Returns a draw of the standard normal distribution.
pub fn gauss(rng: &mut impl Rng) -> f64 {
    normal::quantile(uniform(rng).clamp(1e-15, 1.0 - 1e-15))
}

/// Resamples `counts.len()` rows in circular blocks of `length` neighbours (Politis & Romano 1992) and stores
/// in `counts` how often each row was drawn. Blocks of one row are draws with replacement.
pub fn resample(rng: &mut impl Rng, length: usize, counts: &mut [f64]) {
    let rows = counts.len();
    counts.fill(0.0);
    let mut left = rows;
    while left > 0 {
        let start = below(rng, rows);
        for step in 0..length.clamp(1, left) {
            counts[(start + step) % rows] += 1.0;
        }
        left -= length.clamp(1, left);
    }
}
