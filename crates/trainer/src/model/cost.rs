//! Cost of training a model, computed before it starts.

use allometry_ladder::ModelSpec;

use super::architecture::{Architecture, Geometry};
use super::layout::Layout;
use super::workspace::Workspace;
use crate::kept::MOST_IN_MEMORY;
use crate::kernel::product::Products;

/// Cost of training a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Floating-point operations of the matrix products in one training step on a full batch. All other
    /// operations add a few percent.
    pub flops_per_step: u64,
    /// Floating-point operations of one epoch: forward and backward for every training window, forward for
    /// every validation window.
    pub flops_per_epoch: u64,
    /// Bytes of a trial's buffers: weights, the best epoch's weights unless they lie on the disk, gradient,
    /// two moments, activations, an operand of the largest matrix product, and with bf16 the rounded weights
    /// and factors.
    pub memory_bytes: u64,
}

/// Predicts the cost of training with a ladder's settings on `train` windows and of validating on
/// `validation` windows.
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
    // In the backward pass each product becomes two, except that the gradient of the first product's input
    // is not needed.
    let learns_before = geometry.form.affine || geometry.form.embeddings.count() > 0;
    let first = match (geometry.has_front(), learns_before) {
        (false, _) => embedding,
        (true, false) => front,
        (true, true) => 0,
    };
    let step = 3 * forward - 2 * first as u64;
    let batch_size = settings.batch_size(layout.total as u64).clamp(1, train.max(1));
    let batch = (batch_size * settings.accumulate).min(train);
    // Copies of the weights: current, gradient, two moments; those of the best epoch, if they are in memory;
    // the sum of gradients; the averaged weights and their mean.
    let averaged = if settings.average_epochs > 1 { settings.average_epochs + 1 } else { 0 };
    let best = usize::from(layout.total <= MOST_IN_MEMORY);
    let copies = 4 + best + usize::from(settings.accumulate > 1) + averaged;
    let head_dropout = settings.head_dropout > 0.0;
    let workspace = Workspace::<f32>::values(architecture, geometry, head_dropout, batch_size);
    let values = copies * layout.total + workspace + packed(architecture, geometry);
    let (d, ff) = (architecture.d_model, architecture.d_ff());
    let mut maps = vec![[geometry.patch_values(), d]];
    maps.extend([[d, 3 * d], [d, d], [d, ff], [ff, d]].repeat(architecture.n_layers));
    let rows = batch_size * geometry.rows();
    let products = Products::bytes(settings.precision, layout.total, &maps, rows);
    Cost {
        flops_per_step: step * batch as u64,
        flops_per_epoch: step * train as u64 + forward * validation as u64,
        memory_bytes: (values * size_of::<f32>() + products) as u64,
    }
}

/// Returns the number of values of an operand that a matrix product copies, for the widest weight matrix in
/// blocks of this depth.
///
/// It agrees with the memory that trials of many shapes took beyond their buffers (`tests/memory.rs`).
fn packed(architecture: Architecture, geometry: Geometry) -> usize {
    const DEPTH: usize = 512;
    let (d, ff) = (architecture.d_model, architecture.d_ff());
    let linear = [(geometry.patch_values(), d), (d, 3 * d), (d, ff)];
    linear.into_iter().map(|(a, b)| a.max(b) * a.min(b).min(DEPTH)).max().unwrap_or(0)
}
