//! A model for predictions: its weights and the buffers of a forward pass.

use allometry_ladder::ModelSpec;

use crate::batch::Cutter;
use crate::model::{Architecture, Geometry, Layer, Masks, Tensor, WidthScaling, Workspace};

/// Weights and buffers of a model. Training continues from the buffers that a forward pass has filled.
#[derive(Debug)]
pub(crate) struct Network {
    pub(crate) workspace: Workspace<f32>,
    cutter: Cutter<f32>,
    weights: Vec<f32>,
}

impl Network {
    /// Creates a model with these weights for at most `capacity` windows at once.
    pub(crate) fn new(
        architecture: Architecture,
        geometry: Geometry,
        settings: &ModelSpec,
        capacity: usize,
        weights: Vec<f32>,
    ) -> Self {
        let head_dropout = settings.head_dropout > 0.0;
        let scaling = WidthScaling::new(settings, architecture);
        Self {
            workspace: Workspace::new(
                architecture,
                geometry,
                scaling,
                settings.precision,
                head_dropout,
                capacity,
            ),
            cutter: Cutter::new(settings.normalize, geometry),
            weights,
        }
    }

    /// Returns the weights, tensor by tensor in the order of the layout.
    pub(crate) fn weights(&self) -> &[f32] {
        &self.weights
    }

    /// Lends the weights to be changed.
    pub(crate) fn weights_mut(&mut self) -> &mut Vec<f32> {
        self.workspace.forget_weights();
        &mut self.weights
    }

    /// Returns the buffers together with the weights, which stay as they are.
    pub(crate) fn split(&mut self) -> (&mut Workspace<f32>, &[f32]) {
        (&mut self.workspace, &self.weights)
    }

    /// Returns the maximum number of windows per call.
    pub(crate) fn capacity(&self) -> usize {
        self.workspace.capacity
    }

    /// Returns the tensors with their names.
    pub(crate) fn tensors(&self) -> Vec<Tensor> {
        self.workspace.tensors()
    }

    /// Returns the number of outputs per window.
    pub(crate) fn outputs(&self) -> usize {
        self.workspace.geometry().form.outputs
    }

    /// Loads windows as the input and returns their number.
    ///
    /// # Panics
    /// If there are more windows than the capacity.
    pub(crate) fn load<'a>(&mut self, windows: impl IntoIterator<Item = &'a [f32]>) -> usize {
        let mut count = 0;
        for window in windows {
            assert!(count < self.workspace.capacity, "no more windows than the capacity");
            self.cutter.load(window, count, &mut self.workspace);
            count += 1;
        }
        count
    }

    /// Returns the logits of at most [`capacity`](Self::capacity) windows that start at the rows `starts`
    /// of a series of rows of features.
    pub(crate) fn series_logits(&mut self, series: &[f32], starts: &[usize]) -> &[f32] {
        if matches!(self.cutter, Cutter::Unchanged) && self.workspace.shares_patches(starts) {
            self.workspace.forward_series(&self.weights, series, starts);
            return &self.workspace.logits[..starts.len() * self.outputs()];
        }
        let geometry = self.workspace.geometry();
        let window = |start: &usize| &series[start * geometry.features..][..geometry.window_values()];
        self.logits(starts.iter().map(window))
    }

    /// Returns the logits of at most [`capacity`](Self::capacity) windows, `windows x outputs`, without
    /// dropout.
    pub(crate) fn logits<'a>(&mut self, windows: impl IntoIterator<Item = &'a [f32]>) -> &[f32] {
        let count = self.load(windows);
        self.workspace.forward(&self.weights, count, Masks::Off);
        &self.workspace.logits[..count * self.outputs()]
    }

    /// Returns the activations of at most [`capacity`](Self::capacity) windows, without dropout.
    pub(crate) fn activations<'a>(
        &mut self,
        windows: impl IntoIterator<Item = &'a [f32]>,
    ) -> Vec<(Layer, Vec<f32>)> {
        let count = self.load(windows);
        self.workspace.forward(&self.weights, count, Masks::Off);
        self.workspace.activations(count)
    }
}

#[cfg(test)]
mod tests {
    use allometry_ladder::{Channels, Normalize};

    use super::*;
    use crate::model::initial_weights;

    #[test]
    fn windows_that_share_patches_have_the_same_logits() {
        let architecture = Architecture { d_model: 24, n_layers: 2, n_heads: 3, d_ff_ratio: 2 };
        let series: Vec<f32> = (0..60 * 3).map(|i| (i as f32 * 0.37).sin()).collect();
        let base = ModelSpec { normalize: Normalize::Standard, ..ModelSpec::new(16, 4, 3) };
        let dense: Vec<usize> = (5..37).collect();
        let gaps: Vec<usize> = (5..40).filter(|row| row % 3 > 0).collect();
        let far = vec![0, 44];
        for (spec, starts, shared) in [
            (base.clone(), &dense, true),
            (base.clone(), &gaps, true),
            (base.clone(), &far, false),
            (ModelSpec { stride: 1, ..base.clone() }, &dense, true),
            (ModelSpec { patch: 16, stride: 16, ..base.clone() }, &dense, false),
            (ModelSpec { normalize: Normalize::Revin, ..base.clone() }, &dense, true),
            (ModelSpec { channels: Channels::Independent, ..base.clone() }, &dense, false),
            (ModelSpec { feature_embedding: 4, ..base.clone() }, &dense, false),
        ] {
            let geometry = Geometry::new(3, 0, &spec).unwrap();
            let weights = initial_weights(architecture, geometry, WidthScaling::new(&spec, architecture), 7);
            let mut network = Network::new(architecture, geometry, &spec, starts.len(), weights);
            assert_eq!(network.workspace.shares_patches(starts), shared, "{spec:?}");
            let ours = network.series_logits(&series, starts).to_vec();
            let windows = starts.iter().map(|start| &series[start * 3..][..16 * 3]);
            let alone = network.logits(windows);
            assert_eq!(ours.len(), alone.len());
            for (ours, alone) in ours.iter().zip(alone) {
                assert!((ours - alone).abs() < 1e-6, "{ours} and {alone}: {spec:?}");
            }
        }
    }
}
