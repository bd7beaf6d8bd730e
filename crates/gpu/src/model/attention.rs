//! Multi-head attention between the patches of a window.

use burn_tensor::Tensor;
use burn_tensor::activation::softmax;

use super::{Masks, Shape};

/// State for the backward pass. A sequence is one channel of one window of one model.
#[derive(Debug)]
pub(super) struct Attention {
    /// Queries, keys and values have the shape `sequences x heads x patches x head width`.
    query: Tensor<4>,
    key: Tensor<4>,
    value: Tensor<4>,
    /// Attention probabilities before dropout, `sequences x heads x patches x patches`.
    probabilities: Tensor<4>,
}

fn scale(shape: &Shape) -> f64 {
    1.0 / ((shape.architecture.d_model / shape.architecture.n_heads) as f64).sqrt()
}

/// Returns `dropout(softmax(q k' / sqrt(head width))) v`, `models x rows x d`, of `models x rows x (3 d)`.
pub(super) fn attend(qkv: Tensor<3>, block: usize, shape: &Shape, masks: &Masks) -> (Tensor<3>, Attention) {
    let [models, rows, _] = qkv.dims();
    let (heads, d, patches) =
        (shape.architecture.n_heads, shape.architecture.d_model, shape.geometry.patches());
    let sequences = models * rows / patches;
    let parts = qkv.reshape([sequences, patches, 3 * heads, d / heads]).swap_dims(1, 2);
    let part = |number: usize| parts.clone().narrow(1, number * heads, heads);
    let (query, key, value) = (part(0), part(1), part(2));
    let scores = query.clone().matmul(key.clone().transpose()) * scale(shape);
    let probabilities = softmax(scores, 3);
    let mixed = masks.attention(block, shape.lanes, probabilities.clone()).matmul(value.clone());
    let mixed = mixed.swap_dims(1, 2).reshape([models, rows, d]);
    (mixed, Attention { query, key, value, probabilities })
}

impl Attention {
    /// Returns the gradient of queries, keys and values, `models x rows x (3 d)`, from the gradient of the
    /// result.
    pub(super) fn backward(
        self,
        d_mixed: Tensor<3>,
        block: usize,
        shape: &Shape,
        masks: &Masks,
    ) -> Tensor<3> {
        let Self { query, key, value, probabilities } = self;
        let [models, rows, d] = d_mixed.dims();
        let [sequences, heads, patches, width] = query.dims();
        let d_mixed = d_mixed.reshape([sequences, patches, heads, width]).swap_dims(1, 2);
        let kept = masks.attention(block, shape.lanes, probabilities.clone());
        let d_value = kept.transpose().matmul(d_mixed.clone());
        let d_kept = d_mixed.matmul(value.transpose());
        let d_probabilities = masks.attention(block, shape.lanes, d_kept);
        let mean = (d_probabilities.clone() * probabilities.clone()).sum_dim(3);
        let d_scores = (d_probabilities - mean) * probabilities * scale(shape);
        let d_query = d_scores.clone().matmul(key);
        let d_key = d_scores.transpose().matmul(query);
        let d_parts = Tensor::cat(vec![d_query, d_key, d_value], 1);
        d_parts.swap_dims(1, 2).reshape([models, rows, 3 * d])
    }
}
