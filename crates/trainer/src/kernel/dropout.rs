//! Dropout masks recomputed from a counter: nothing is stored, and the same position gives the same mask in the
//! forward and the backward pass.

use allometry_core::rng::stream_seed;

use super::Real;

/// Which values of one site are dropped in one step, and what the others are multiplied by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dropout<T> {
    keys: [u32; 2],
    /// Values whose hash is below it are dropped.
    threshold: u32,
    scale: T,
}

impl<T: Real> Dropout<T> {
    /// Every value kept as it is.
    pub(crate) fn off() -> Self {
        Self { keys: [0; 2], threshold: 0, scale: T::ONE }
    }

    /// The mask of `site` in training step `step` for `probability` in `[0, 1)`.
    pub(crate) fn new(probability: f64, seed: u64, step: u64, site: u64) -> Self {
        let key = stream_seed(stream_seed(seed, "dropout", step), "site", site);
        Self {
            keys: [key as u32, (key >> 32) as u32],
            threshold: (probability * 2f64.powi(32)) as u32,
            scale: T::from_f64(1.0 / (1.0 - probability)),
        }
    }

    /// The two keys of the hash, the bound below which values are dropped, and what the others are multiplied by.
    pub(crate) fn parts(self) -> ([u32; 2], u32, T) {
        (self.keys, self.threshold, self.scale)
    }

    /// Whether nothing is dropped, so that [`factor`](Self::factor) need not be asked.
    #[inline(always)]
    pub(crate) fn is_off(&self) -> bool {
        self.threshold == 0
    }

    /// What the value at `position` is multiplied by: 0, or the inverse of the share that is kept.
    ///
    /// The hash is a keyed integer finaliser: multiplications and shifts by halves of the word, the second key
    /// between the two rounds so that two sites never share a permutation of one mask.
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
