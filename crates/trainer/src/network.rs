//! A model that predicts: its weights and the buffers of a forward pass.

use allometry_core::ladder::Normalize;

use crate::batch::Cutter;
use crate::model::{Architecture, Geometry, Masks, Workspace};

/// Weights and buffers. What a pass leaves in the buffers, training goes on from.
#[derive(Debug)]
pub(crate) struct Network {
    geometry: Geometry,
    pub(crate) workspace: Workspace<f32>,
    cutter: Cutter<f32>,
    pub(crate) weights: Vec<f32>,
}

impl Network {
    /// A model with these weights that takes at most `capacity` windows at once.
    pub(crate) fn new(
        architecture: Architecture,
        geometry: Geometry,
        normalize: Normalize,
        capacity: usize,
        weights: Vec<f32>,
    ) -> Self {
        Self {
            geometry,
            workspace: Workspace::new(architecture, geometry, capacity),
            cutter: match normalize {
                Normalize::Revin => Cutter::revin(geometry),
                Normalize::Standard | Normalize::None => Cutter::Plain,
            },
            weights,
        }
    }

    /// The weights, in the order of the layout.
    pub(crate) fn weights(&self) -> &[f32] {
        &self.weights
    }

    /// The weights, to be written.
    pub(crate) fn weights_mut(&mut self) -> &mut [f32] {
        &mut self.weights
    }

    /// Windows that one call takes at most.
    pub(crate) fn capacity(&self) -> usize {
        self.workspace.capacity
    }

    /// Cuts windows into patches; returns how many there were.
    pub(crate) fn load<'a>(&mut self, windows: impl IntoIterator<Item = &'a [f32]>) -> usize {
        let size = self.geometry.patches() * self.geometry.patch_values();
        let mut rooms = self.workspace.patches.chunks_exact_mut(size);
        let mut count = 0;
        for window in windows {
            let room = rooms.next().expect("no more windows than the capacity");
            self.cutter.cut(self.geometry, window, room);
            count += 1;
        }
        count
    }

    /// Logits of at most [`capacity`](Self::capacity) windows, without dropout.
    pub(crate) fn logits<'a>(&mut self, windows: impl IntoIterator<Item = &'a [f32]>) -> &[f32] {
        let count = self.load(windows);
        self.workspace.forward(&self.weights, count, Masks::Off);
        &self.workspace.logits[..count]
    }
}
