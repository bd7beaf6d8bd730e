//! Forward pass, from windows to logits.

use burn_tensor::Tensor;

use super::attention::{Attention, attend};
use super::front::{Front, patches};
use super::norm::{Standard, normalise};
use super::{Masks, Series, Shape, Weights};

/// A forward pass: its logits, and state for the backward pass.
#[derive(Debug)]
pub(crate) struct Pass {
    /// Logits, `models x windows x outputs`.
    pub(crate) logits: Tensor<3>,
    /// Residual stream before each normalisation, `models x rows x d` each.
    pub(crate) streams: Vec<Tensor<3>>,
    pub(super) front: Front,
    /// Patches, `models x rows x patch values`.
    pub(super) patches: Tensor<3>,
    pub(super) blocks: Vec<Block>,
    pub(super) last: Standard,
    /// Input of the head, `models x windows x inputs`.
    pub(super) head_input: Tensor<3>,
}

/// State of one encoder block for the backward pass.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) attention_norm: Standard,
    /// Input of the attention, after normalisation.
    pub(super) attended: Tensor<3>,
    pub(super) attention: Attention,
    pub(super) mixed: Tensor<3>,
    pub(super) feed_forward_norm: Standard,
    /// Input of the feed-forward layer, after normalisation.
    pub(super) fed: Tensor<3>,
    /// Derivative of the activations with respect to their input, including dropout,
    /// `models x rows x d_ff`.
    pub(super) slope: Tensor<3>,
    pub(super) activated: Tensor<3>,
}

impl Pass {
    /// Computes the logits of `windows`, `windows of all models x context x features`, of which each model
    /// has the same number.
    pub(crate) fn new(
        windows: Tensor<3>,
        series: &Series,
        shape: &Shape,
        weights: &Weights,
        masks: &Masks,
    ) -> Self {
        let (layout, geometry, d) = (&shape.layout, shape.geometry, shape.architecture.d_model);
        let models = weights.models();
        let (patches, front) = patches(windows, series, shape, weights);
        let [_, rows, _] = patches.dims();
        let embedded =
            patches.clone().matmul(weights.matrix(layout.embedding, d)) + weights.row(layout.embedding_bias);
        let places = weights.matrix(layout.positions, d).reshape([models, 1, geometry.patches(), d]);
        let sequences = embedded.reshape([models, rows / geometry.patches(), geometry.patches(), d]) + places;
        let mut stream = masks.branch(0, sequences.reshape([models, rows, d]));
        let mut streams = vec![stream.clone()];
        let mut blocks = Vec::with_capacity(layout.blocks.len());
        for (number, spans) in layout.blocks.iter().enumerate() {
            let (attended, attention_norm) = normalise(stream.clone(), spans.attention_norm, weights);
            let qkv = attended.clone().matmul(weights.matrix(spans.qkv.weight, 3 * d))
                + weights.row(spans.qkv.bias);
            let (mixed, attention) = attend(qkv, number, shape, masks);
            let branch = mixed.clone().matmul(weights.matrix(spans.projection.weight, d))
                + weights.row(spans.projection.bias);
            stream = stream + masks.branch(2 * number + 1, branch);
            streams.push(stream.clone());

            let (fed, feed_forward_norm) = normalise(stream.clone(), spans.feed_forward_norm, weights);
            let wide = fed.clone().matmul(weights.matrix(spans.widen.weight, d).transpose())
                + weights.row(spans.widen.bias);
            let (activated, slope) = gelu(wide);
            let (activated, slope) =
                (masks.feed_forward(number, activated), masks.feed_forward(number, slope));
            let branch = activated.clone().matmul(weights.matrix(spans.narrow.weight, d))
                + weights.row(spans.narrow.bias);
            stream = stream + masks.branch(2 * number + 2, branch);
            streams.push(stream.clone());
            blocks.push(Block {
                attention_norm,
                attended,
                attention,
                mixed,
                feed_forward_norm,
                fed,
                slope,
                activated,
            });
        }
        let (normed, last) = normalise(stream, layout.final_norm, weights);
        let windows = rows / geometry.rows();
        let inputs = geometry.head_inputs(d);
        let pooled = match geometry.pooled() {
            1 => normed,
            patches => {
                let groups = normed.reshape([models, rows / patches, patches, d]);
                groups.mean_dim(2).reshape([models, rows / patches, d])
            }
        };
        let head_input = masks.head(pooled.reshape([models, windows, inputs]));
        let head = weights.matrix(layout.head.weight, inputs).transpose();
        let logits = head_input.clone().matmul(head) + weights.row(layout.head.bias);
        Self { logits, streams, front, patches, blocks, last, head_input }
    }
}

/// Returns the exact GELU, `x Phi(x)` (Hendrycks & Gimpel 2016), and its derivative.
fn gelu(x: Tensor<3>) -> (Tensor<3>, Tensor<3>) {
    let cdf = ((x.clone() * std::f64::consts::FRAC_1_SQRT_2).erf() + 1.0) * 0.5;
    let density = (x.clone().square() * -0.5).exp() * (1.0 / (2.0 * std::f64::consts::PI).sqrt());
    (x.clone() * cdf.clone(), x * density + cdf)
}
