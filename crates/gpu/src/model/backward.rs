//! Backward pass, from the gradient of the logits to the gradient of every weight.

use burn_tensor::Tensor;

use super::forward::Block;
use super::{Gradient, Masks, Pass, Series, Shape, Weights};

impl Pass {
    /// Returns the gradient of `sum(logits * d_logits)` with respect to the weights. `d_logits` is
    /// `models x windows x outputs`.
    pub(crate) fn backward(
        self,
        d_logits: Tensor<3>,
        series: &Series,
        shape: &Shape,
        weights: &Weights,
        masks: &Masks,
    ) -> Tensor<2> {
        let (layout, geometry, d) = (&shape.layout, shape.geometry, shape.architecture.d_model);
        let Self { front, patches, blocks, last, head_input, .. } = self;
        let mut gradient = Gradient::default();
        let [models, rows, _] = patches.dims();

        let inputs = geometry.head_inputs(d);
        gradient.put_sum(layout.head.bias, d_logits.clone());
        gradient.put(layout.head.weight, d_logits.clone().transpose().matmul(head_input));
        let d_head_input = masks.head(d_logits.matmul(weights.matrix(layout.head.weight, inputs)));
        let d_normed = match geometry.pooled() {
            1 => d_head_input.reshape([models, rows, d]),
            patches => {
                let groups = d_head_input.reshape([models, rows / patches, 1, d]) * (1.0 / patches as f64);
                groups.expand([models, rows / patches, patches, d]).reshape([models, rows, d])
            }
        };
        let mut d_stream = last.backward(d_normed, layout.final_norm, weights, &mut gradient);
        for (number, block) in blocks.into_iter().enumerate().rev() {
            d_stream = block.backward(number, d_stream, shape, weights, masks, &mut gradient);
        }
        let d_embedded = masks.branch(0, d_stream);
        gradient.put_sum(layout.embedding_bias, d_embedded.clone());
        let sequences = rows / geometry.patches();
        let places = d_embedded.clone().reshape([models, sequences, geometry.patches() * d]);
        gradient.put_sum(layout.positions, places);
        gradient.put(layout.embedding, patches.transpose().matmul(d_embedded.clone()));
        if geometry.has_front() {
            let d_patches = d_embedded.matmul(weights.matrix(layout.embedding, d).transpose());
            front.backward(d_patches, series, shape, weights, &mut gradient);
        }
        gradient.into_flat(layout.total)
    }
}

impl Block {
    /// Returns the gradient of the residual stream before the block, from that after it.
    fn backward(
        self,
        number: usize,
        d_after: Tensor<3>,
        shape: &Shape,
        weights: &Weights,
        masks: &Masks,
        gradient: &mut Gradient,
    ) -> Tensor<3> {
        let (spans, d) = (shape.layout.blocks[number], shape.architecture.d_model);
        let d_branch = masks.branch(2 * number + 2, d_after.clone());
        gradient.put_sum(spans.narrow.bias, d_branch.clone());
        gradient.put(spans.narrow.weight, self.activated.transpose().matmul(d_branch.clone()));
        let d_wide = d_branch.matmul(weights.matrix(spans.narrow.weight, d).transpose()) * self.slope;
        gradient.put_sum(spans.widen.bias, d_wide.clone());
        gradient.put(spans.widen.weight, d_wide.clone().transpose().matmul(self.fed));
        let d_fed = d_wide.matmul(weights.matrix(spans.widen.weight, d));
        let d_middle =
            d_after + self.feed_forward_norm.backward(d_fed, spans.feed_forward_norm, weights, gradient);

        let d_branch = masks.branch(2 * number + 1, d_middle.clone());
        gradient.put_sum(spans.projection.bias, d_branch.clone());
        gradient.put(spans.projection.weight, self.mixed.transpose().matmul(d_branch.clone()));
        let d_mixed = d_branch.matmul(weights.matrix(spans.projection.weight, d).transpose());
        let d_qkv = self.attention.backward(d_mixed, number, shape, masks);
        gradient.put_sum(spans.qkv.bias, d_qkv.clone());
        gradient.put(spans.qkv.weight, self.attended.transpose().matmul(d_qkv.clone()));
        let d_attended = d_qkv.matmul(weights.matrix(spans.qkv.weight, 3 * d).transpose());
        d_middle + self.attention_norm.backward(d_attended, spans.attention_norm, weights, gradient)
    }
}
