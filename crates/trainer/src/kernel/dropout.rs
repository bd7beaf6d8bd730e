//! Dropout masks computed from a counter. Nothing is stored, and a position has the same mask in the
//! forward and the backward pass.

use allometry_core::rng::stream_seed;

use super::Real;

/// Dropout mask of one site in one step.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dropout<T> {
    keys: [u32; 2],
    /// Hash below which a value is dropped.
    threshold: u32,
    scale: T,
}

impl<T: Real> Dropout<T> {
    /// Returns a mask that keeps every value unchanged.
    pub(crate) fn off() -> Self {
        Self { keys: [0; 2], threshold: 0, scale: T::ONE }
    }

    /// Returns the mask of `site` in training step `step`, for a dropout `probability` in `[0, 1)`.
    pub(crate) fn new(probability: f64, seed: u64, step: u64, site: u64) -> Self {
        let key = stream_seed(stream_seed(seed, "dropout", step), "site", site);
        Self {
            keys: [key as u32, (key >> 32) as u32],
            threshold: (probability * 2f64.powi(32)) as u32,
            scale: T::from_f64(1.0 / (1.0 - probability)),
        }
    }

    /// Returns the two keys of the hash, the threshold below which values are dropped, and the factor of
    /// the others.
    pub(crate) fn parts(self) -> ([u32; 2], u32, T) {
        (self.keys, self.threshold, self.scale)
    }

    /// Whether nothing is dropped, in which case [`factor`](Self::factor) is always 1.
    #[inline(always)]
    pub(crate) fn is_off(&self) -> bool {
        self.threshold == 0
    }

    /// Returns the factor of the value at `position`: 0, or the reciprocal of the share that is kept.
    ///
    /// The hash is a keyed integer finaliser with multiplications and right shifts. The second key enters
    /// between the two rounds, so two sites never have permutations of one mask.
    #[inline(always)]
    pub(crate) fn factor(&self, position: u32) -> T {
        let mut x = position.wrapping_mul(0x9e37_79b1) ^ self.keys[0];
        x ^= x >> 16;
        x = x.wrapping_mul(0x7feb_352d) ^ self.keys[1];
        x ^= x >> 15;
        x = x.wrapping_mul(0x846c_a68b);
        x ^= x >> 16;
        if x < self.threshold { T::ZERO } else { self.scale }
    }
}
