//! What training a model will take, known before it starts.

use super::architecture::{Architecture, Geometry};
use super::layout::Layout;
use super::workspace::Workspace;

/// What training takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Floating-point operations of the matrix products of one training step on a full batch; the rest is a few
    /// percent of them.
    pub flops_per_step: u64,
    /// The same for one epoch: every training window forward and backward, every validation window forward.
    pub flops_per_epoch: u64,
    /// Bytes of a trial's buffers: weights, the best epoch's weights, gradient, two moments, activations.
    pub memory_bytes: u64,
}

/// Predicts the cost of training with batches of `batch_size` on `train` windows and validating on `validation`.
pub fn cost(
    architecture: Architecture,
    geometry: Geometry,
    batch_size: usize,
    [train, validation]: [usize; 2],
) -> Cost {
    let layout = Layout::new(architecture, geometry);
    let embedding = geometry.patches() * layout.embedding.length;
    let blocks: usize = layout
        .blocks
        .iter()
        .map(|b| [b.qkv, b.projection, b.widen, b.narrow].iter().map(|l| l.weight.length).sum::<usize>())
        .sum();
    let attention =
        2 * architecture.n_layers * geometry.patches() * geometry.patches() * architecture.d_model;
    let forward =
        2 * (embedding + geometry.patches() * blocks + attention + layout.head.weight.length) as u64;
    // Backward, each product becomes two, but the input's gradient is not needed.
    let step = 3 * forward - 2 * embedding as u64;
    let batch = batch_size.min(train);
    let values = 5 * layout.total + Workspace::<f32>::values(architecture, geometry, batch_size);
    Cost {
        flops_per_step: step * batch as u64,
        flops_per_epoch: step * train as u64 + forward * validation as u64,
        memory_bytes: (values * size_of::<f32>()) as u64,
    }
}
