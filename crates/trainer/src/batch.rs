//! Order of the training windows, and their conversion to rows of patches.

use allometry_core::rng::stream_seed;
use allometry_ladder::Normalize;

use crate::kernel::revin::Revin;
use crate::kernel::{Real, launch};
use crate::model::{Geometry, Workspace, cut};

/// Returns the indices `0..count` in the random order of one epoch, sorted by a hash of seed, epoch and
/// index.
pub(crate) fn shuffled(count: usize, seed: u64, epoch: u64) -> Vec<usize> {
    let key = stream_seed(seed, "batches", epoch);
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by_cached_key(|&i| stream_seed(key, "window", i as u64));
    order
}

/// Conversion of windows to the input of a workspace.
#[derive(Debug)]
pub(crate) enum Cutter<T> {
    /// Windows are used unchanged.
    Unchanged,
    /// Each window is first normalised by itself (`RevIN`).
    Revin {
        /// Buffer for a normalised window.
        scaled: Vec<T>,
        /// Buffer for the window's statistics.
        statistics: Vec<T>,
    },
}

impl<T: Real> Cutter<T> {
    /// Creates the conversion for a kind of normalisation.
    pub(crate) fn new(normalize: Normalize, geometry: Geometry) -> Self {
        match normalize {
            Normalize::Revin => Self::Revin {
                scaled: vec![T::ZERO; geometry.window_values()],
                statistics: vec![T::ZERO; 2 * geometry.features],
            },
            Normalize::Standard | Normalize::None => Self::Unchanged,
        }
    }

    /// Writes a window to index `place` of the workspace's input: as patches, or as a whole window if the
    /// model has weights before the patches.
    pub(crate) fn load(&mut self, window: &[f32], place: usize, workspace: &mut Workspace<T>) {
        let geometry = workspace.geometry();
        let convert = |x: f32| T::from_f64(f64::from(x));
        if let Self::Revin { scaled, statistics } = self {
            launch(Revin { window, statistics, out: scaled });
        }
        match (&mut workspace.front, self) {
            (Some(front), Self::Revin { scaled, .. }) => {
                front.windows[place * scaled.len()..][..scaled.len()].copy_from_slice(scaled);
            }
            (Some(front), Self::Unchanged) => {
                for (to, &from) in front.windows[place * window.len()..].iter_mut().zip(window) {
                    *to = convert(from);
                }
            }
            (None, cutter) => {
                let size = geometry.rows() * geometry.patch_values();
                let patches = &mut workspace.patches[place * size..][..size];
                match cutter {
                    Self::Revin { scaled, .. } => cut(geometry).apply(scaled, patches, |x| x),
                    Self::Unchanged => cut(geometry).apply(window, patches, convert),
                }
            }
        }
    }
}
