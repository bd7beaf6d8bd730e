//! Draws from a stream of random numbers.

use rand_chacha::rand_core::Rng;

/// A number below `count`, each as likely up to 1 in 2^64 / `count` (Lemire 2019, without rejection).
pub fn below(rng: &mut impl Rng, count: usize) -> usize {
    ((u128::from(rng.next_u64()) * count as u128) >> 64) as usize
}

/// Puts `items` into random order (Fisher & Yates).
pub fn shuffle<T>(rng: &mut impl Rng, items: &mut [T]) {
    for last in (1..items.len()).rev() {
        items.swap(last, below(rng, last + 1));
    }
}

/// How often each of `counts.len()` things occurs among as many draws with replacement.
pub fn resample(rng: &mut impl Rng, counts: &mut [f64]) {
    counts.fill(0.0);
    for _ in 0..counts.len() {
        counts[below(rng, counts.len())] += 1.0;
    }
}
