//! A model that predicts: its weights and the buffers of a forward pass.

use allometry_core::ladder::ModelSpec;

use crate::batch::Cutter;
use crate::model::{Architecture, Geometry, Masks, Tensor, Workspace};

/// Weights and buffers. What a pass leaves in the buffers, training goes on from.
#[derive(Debug)]
pub(crate) struct Network {
    pub(crate) workspace: Workspace<f32>,
    cutter: Cutter<f32>,
    pub(crate) weights: Vec<f32>,
}

impl Network {
    /// A model with these weights that takes at most `capacity` windows at once.
    pub(crate) fn new(
        architecture: Architecture,
        geometry: Geometry,
        settings: &ModelSpec,
        capacity: usize,
        weights: Vec<f32>,
    ) -> Self {
        let head_dropout = settings.head_dropout > 0.0;
        Self {
            workspace: Workspace::new(architecture, geometry, head_dropout, capacity),
            cutter: Cutter::new(settings.normalize, geometry),
            weights,
        }
    }

    /// Windows that one call takes at most.
    pub(crate) fn capacity(&self) -> usize {
        self.workspace.capacity
    }

    /// The tensors by name.
    pub(crate) fn tensors(&self) -> Vec<Tensor> {
        self.workspace.tensors()
    }

    /// Outputs per window.
    pub(crate) fn outputs(&self) -> usize {
        self.workspace.geometry().form.outputs
    }

    /// Takes windows in; returns how many there were.
    ///
    /// # Panics
    /// If there are more than the capacity.
    pub(crate) fn load<'a>(&mut self, windows: impl IntoIterator<Item = &'a [f32]>) -> usize {
        let mut count = 0;
        for window in windows {
            assert!(count < self.workspace.capacity, "no more windows than the capacity");
            self.cutter.load(window, count, &mut self.workspace);
            count += 1;
        }
        count
    }

    /// Logits of at most [`capacity`](Self::capacity) windows, `windows x outputs`, without dropout.
    pub(crate) fn logits<'a>(&mut self, windows: impl IntoIterator<Item = &'a [f32]>) -> &[f32] {
        let count = self.load(windows);
        self.workspace.forward(&self.weights, count, Masks::Off);
        &self.workspace.logits[..count * self.outputs()]
    }
}
