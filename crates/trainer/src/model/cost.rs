//! What training a model will take, known before it starts.

use allometry_core::ladder::ModelSpec;

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
    /// Bytes of a trial's buffers: weights, the best epoch's weights, gradient, two moments, activations, an operand
    /// of the largest matrix product.
    pub memory_bytes: u64,
}

/// Predicts the cost of training by a ladder's settings on `train` windows and validating on `validation`.
pub fn cost(
    architecture: Architecture,
    geometry: Geometry,
    settings: &ModelSpec,
    [train, validation]: [usize; 2],
) -> Cost {
    let layout = Layout::new(architecture, geometry);
    let embedding = geometry.rows() * layout.embedding.length;
    let front = geometry.context * layout.feature_embedding.map_or(0, |linear| linear.weight.length);
    let blocks: usize = layout
        .blocks
        .iter()
        .map(|b| [b.qkv, b.projection, b.widen, b.narrow].iter().map(|l| l.weight.length).sum::<usize>())
        .sum();
    let attention = 2 * architecture.n_layers * geometry.rows() * geometry.patches() * architecture.d_model;
    let forward =
        2 * (front + embedding + geometry.rows() * blocks + attention + layout.head.weight.length) as u64;
    // Backward, each product becomes two, but the gradient of the first one's input is not needed.
    let first = match (geometry.has_front(), geometry.form.affine) {
        (false, _) => embedding,
        (true, false) => front,
        (true, true) => 0,
    };
    let step = 3 * forward - 2 * first as u64;
    let batch_size = settings.batch_size(layout.total as u64).clamp(1, train.max(1));
    let batch = (batch_size * settings.accumulate).min(train);
    // Weights, those of the best epoch, gradient, two moments; the sum of gradients; the weights that are averaged, their
    // mean.
    let averaged = if settings.average_epochs > 1 { settings.average_epochs + 1 } else { 0 };
    let copies = 5 + usize::from(settings.accumulate > 1) + averaged;
    let head_dropout = settings.head_dropout > 0.0;
    let workspace = Workspace::<f32>::values(architecture, geometry, head_dropout, batch_size);
    let values = copies * layout.total + workspace + packed(architecture, geometry);
    Cost {
        flops_per_step: step * batch as u64,
        flops_per_epoch: step * train as u64 + forward * validation as u64,
        memory_bytes: (values * size_of::<f32>()) as u64,
    }
}

/// Values that a matrix product copies of an operand with the widest matrix of weights, in blocks of this depth: what trials of
/// many shapes were measured to take beyond their buffers (`tests/memory.rs`).
fn packed(architecture: Architecture, geometry: Geometry) -> usize {
    const DEPTH: usize = 512;
    let (d, ff) = (architecture.d_model, architecture.d_ff());
    let linear = [(geometry.patch_values(), d), (d, 3 * d), (d, ff)];
    linear.into_iter().map(|(a, b)| a.max(b) * a.min(b).min(DEPTH)).max().unwrap_or(0)
}
