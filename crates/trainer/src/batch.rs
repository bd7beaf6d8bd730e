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
        /// Buffer for the numbers of a window that also has categories; otherwise empty.
        numbers: Vec<f32>,
    },
}

impl<T: Real> Cutter<T> {
    /// Creates the conversion for a kind of normalisation.
    pub(crate) fn new(normalize: Normalize, geometry: Geometry) -> Self {
        match normalize {
            Normalize::Revin => Self::Revin {
                scaled: vec![T::ZERO; geometry.context * geometry.numbers()],
                statistics: vec![T::ZERO; 2 * geometry.numbers()],
                numbers: Vec::new(),
            },
            Normalize::Standard | Normalize::None => Self::Unchanged,
        }
    }

    /// Writes a window to index `place` of the workspace's input: as patches, or as a whole window if the
    /// model has weights before the patches.
    pub(crate) fn load(&mut self, window: &[f32], place: usize, workspace: &mut Workspace<T>) {
        let geometry = workspace.geometry();
        let convert = |x: f32| T::from_f64(f64::from(x));
        if geometry.form.embeddings.count() > 0 {
            self.load_with_categories(window, place, workspace);
            return;
        }
        if let Self::Revin { scaled, statistics, .. } = self {
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
    /// Writes a window of numbers and categories. Only the numbers are normalised.
    fn load_with_categories(&mut self, window: &[f32], place: usize, workspace: &mut Workspace<T>) {
        let geometry = workspace.geometry();
        let front = workspace.front.as_mut().expect("vectors of categories are weights before the patches");
        let (count, categories) = (geometry.numbers(), geometry.form.embeddings.count());
        let codes = &mut front.codes[place * geometry.context * categories..];
        let targets = &mut front.windows[place * geometry.context * count..];
        for (row, values) in window.chunks_exact(geometry.features).enumerate() {
            let (numbers, of_categories) = values.split_at(count);
            for (code, &value) in codes[row * categories..].iter_mut().zip(of_categories) {
                *code = value as u32;
            }
            for (to, &from) in targets[row * count..].iter_mut().zip(numbers) {
                *to = T::from_f64(f64::from(from));
            }
        }
        if let Self::Revin { scaled, statistics, numbers } = self
            && count > 0
        {
            numbers.clear();
            window.chunks_exact(geometry.features).for_each(|row| numbers.extend_from_slice(&row[..count]));
            launch(Revin { window: numbers, statistics, out: scaled });
            targets[..scaled.len()].copy_from_slice(scaled);
        }
    }
}
