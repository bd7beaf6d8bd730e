//! Windows in the order in which they are trained on, and their values as rows of patches.

use allometry_core::rng::stream_seed;

use crate::kernel::revin::Revin;
use crate::kernel::{Real, launch};
use crate::model::Geometry;

/// Indices `0..count` in the random order of one epoch: sorted by a hash of seed, epoch and index.
pub(crate) fn shuffled(count: usize, seed: u64, epoch: u64) -> Vec<usize> {
    let key = stream_seed(seed, "batches", epoch);
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by_cached_key(|&i| stream_seed(key, "window", i as u64));
    order
}

/// How windows become rows of patches.
#[derive(Debug)]
pub(crate) enum Cutter<T> {
    /// As they are.
    Plain,
    /// Each scaled by itself first.
    Revin {
        /// Room for a scaled window.
        scaled: Vec<T>,
        /// Room for its statistics.
        statistics: Vec<T>,
    },
}

impl<T: Real> Cutter<T> {
    /// One that scales each window by itself.
    pub(crate) fn revin(geometry: Geometry) -> Self {
        Self::Revin {
            scaled: vec![T::ZERO; geometry.window_values()],
            statistics: vec![T::ZERO; 2 * geometry.features],
        }
    }

    /// Writes the patches of one window, one after the other.
    pub(crate) fn cut(&mut self, geometry: Geometry, window: &[f32], patches: &mut [T]) {
        let step = geometry.stride * geometry.features;
        let rows = patches.chunks_exact_mut(geometry.patch_values()).enumerate();
        match self {
            Self::Plain => {
                for (i, patch) in rows {
                    for (to, &from) in patch.iter_mut().zip(&window[i * step..]) {
                        *to = T::from_f64(f64::from(from));
                    }
                }
            }
            Self::Revin { scaled, statistics } => {
                launch(Revin { window, statistics, out: scaled });
                for (i, patch) in rows {
                    patch.copy_from_slice(&scaled[i * step..][..patch.len()]);
                }
            }
        }
    }
}
