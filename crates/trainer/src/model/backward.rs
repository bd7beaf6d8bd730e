//! Backward pass, from the gradient of the logits to the gradient of every weight.

use crate::kernel::attention::{AttentionBackward, SLACK};
use crate::kernel::embed::EmbedBackward;
use crate::kernel::front::{AffineBackward, SumRows};
use crate::kernel::gelu::GeluBackward;
use crate::kernel::head::HeadBackward;
use crate::kernel::matrix::{Matrix, multiply};
use crate::kernel::norm::AddNormBackward;
use crate::kernel::pool::PoolBackward;
use crate::kernel::{Real, launch};

use super::layout::disjoint;
use super::workspace::{DropoutSite, Masks, Workspace, attention_shape, cut};

impl<T: Real> Workspace<T> {
    /// Overwrites `gradient` with the gradient of `sum(logits * d_logits)` with respect to the weights.
    ///
    /// Requires a preceding [`forward`](Self::forward) with the same weights, windows and masks.
    pub(crate) fn backward(&mut self, weights: &[T], gradient: &mut [T], windows: usize, masks: Masks) {
        for span in self.layout.accumulated() {
            span.of_mut(gradient).fill(T::ZERO);
        }
        let length = windows * self.geometry.rows() * self.architecture.d_model;
        let last = 2 * self.architecture.n_layers;
        self.classify_backward(weights, gradient, windows, masks);
        self.d_stream[..length].fill(T::ZERO);
        self.add_norm_backward(weights, gradient, last, windows, masks);
        for block in (0..self.architecture.n_layers).rev() {
            self.feed_forward_backward(weights, gradient, block, windows);
            self.add_norm_backward(weights, gradient, 2 * block + 1, windows, masks);
            self.attend_backward(weights, gradient, block, windows, masks);
            self.add_norm_backward(weights, gradient, 2 * block, windows, masks);
        }
        self.embed_backward(gradient, windows);
        self.front_backward(weights, gradient, windows);
    }

    fn classify_backward(&mut self, weights: &[T], gradient: &mut [T], windows: usize, masks: Masks) {
        let (rows, d) = (windows * self.geometry.rows(), self.architecture.d_model);
        let inputs = windows * self.geometry.head_inputs(d);
        let head = self.layout.head;
        let normed = &self.sites[2 * self.architecture.n_layers].normed[..rows * d];
        let d_normed = &mut self.d_narrow[..rows * d];
        let d_logits = &self.d_logits[..windows * self.geometry.form.outputs];
        launch(SumRows { values: d_logits, sum: head.bias.of_mut(gradient) });
        let d_weights = head.weight.of_mut(gradient);
        let weights = head.weight.of(weights);
        let outputs = self.geometry.form.outputs;
        if self.pooled.is_empty() {
            launch(HeadBackward {
                inputs: normed,
                outputs,
                weights,
                d_logits,
                d_weights,
                d_inputs: d_normed,
            });
            return;
        }
        let (head_inputs, d_head_inputs) = (&self.pooled[..inputs], &mut self.d_pooled[..inputs]);
        launch(HeadBackward {
            inputs: head_inputs,
            outputs,
            weights,
            d_logits,
            d_weights,
            d_inputs: d_head_inputs,
        });
        launch(PoolBackward {
            d_out: d_head_inputs,
            group: self.geometry.pooled(),
            width: d,
            dropout: masks.at(DropoutSite::Head),
            d_normed,
        });
    }

    /// Computes the gradient of the stream and of the preceding branch, from that of the normalised stream
    /// in `d_narrow`.
    fn add_norm_backward(
        &mut self,
        weights: &[T],
        gradient: &mut [T],
        site: usize,
        windows: usize,
        masks: Masks,
    ) {
        let length = windows * self.geometry.rows() * self.architecture.d_model;
        let norm = self.layout.norm(site);
        let state = &self.sites[site];
        let [d_gain, d_shift, d_bias] =
            disjoint(gradient, [norm.gain, norm.shift, self.layout.bias_before(site)]);
        launch(AddNormBackward {
            sum: &state.stream,
            statistics: &state.statistics,
            gain: norm.gain.of(weights),
            d_normed: &self.d_narrow,
            d_stream: &mut self.d_stream[..length],
            d_gain,
            d_shift,
            dropout: masks.at(DropoutSite::Branch(site)),
            d_branch: &mut self.branch,
            d_bias,
        });
    }

    fn feed_forward_backward(&mut self, weights: &[T], gradient: &mut [T], block: usize, windows: usize) {
        let (rows, d) = (windows * self.geometry.rows(), self.architecture.d_model);
        let ff = self.architecture.d_ff();
        let spans = self.layout.blocks[block];
        let state = &self.blocks[block];
        let d_output = Matrix::new(&self.branch, rows, d);
        multiply(
            Matrix::new(&state.activated, rows, ff).transposed(),
            d_output,
            spans.narrow.weight.of_mut(gradient),
        );
        multiply(
            d_output,
            Matrix::new(spans.narrow.weight.of(weights), ff, d).transposed(),
            &mut self.d_wide,
        );
        launch(GeluBackward {
            gradient: &mut self.d_wide[..rows * ff],
            slope: &state.wide,
            d_bias: spans.widen.bias.of_mut(gradient),
        });
        let d_wide = Matrix::new(&self.d_wide, rows, ff);
        multiply(
            d_wide.transposed(),
            Matrix::new(&self.sites[2 * block + 1].normed, rows, d),
            spans.widen.weight.of_mut(gradient),
        );
        multiply(d_wide, Matrix::new(spans.widen.weight.of(weights), ff, d), &mut self.d_narrow);
    }

    fn attend_backward(
        &mut self,
        weights: &[T],
        gradient: &mut [T],
        block: usize,
        windows: usize,
        masks: Masks,
    ) {
        let (rows, d) = (windows * self.geometry.rows(), self.architecture.d_model);
        let spans = self.layout.blocks[block];
        let state = &self.blocks[block];
        let d_output = Matrix::new(&self.branch, rows, d);
        multiply(
            Matrix::new(&state.mixed, rows, d).transposed(),
            d_output,
            spans.projection.weight.of_mut(gradient),
        );
        multiply(
            d_output,
            Matrix::new(spans.projection.weight.of(weights), d, d).transposed(),
            &mut self.d_narrow,
        );
        launch(AttentionBackward {
            shape: attention_shape(self.architecture, self.geometry, self.scaling.scores),
            qkv: &state.qkv,
            dropout: masks.at(DropoutSite::Attention(block)),
            probabilities: &state.probabilities,
            d_mixed: &self.d_narrow[..rows * d + SLACK],
            d_qkv: &mut self.d_wide[..rows * 3 * d],
            d_bias: spans.qkv.bias.of_mut(gradient),
            scratch: &mut self.scratch,
        });
        let d_qkv = Matrix::new(&self.d_wide, rows, 3 * d);
        multiply(
            Matrix::new(&self.sites[2 * block].normed, rows, d).transposed(),
            d_qkv,
            spans.qkv.weight.of_mut(gradient),
        );
        multiply(d_qkv, Matrix::new(spans.qkv.weight.of(weights), d, 3 * d).transposed(), &mut self.d_narrow);
    }

    fn embed_backward(&mut self, gradient: &mut [T], windows: usize) {
        let (rows, d) = (windows * self.geometry.rows(), self.architecture.d_model);
        let depth = self.geometry.patch_values();
        launch(EmbedBackward {
            d_embedded: &self.branch[..rows * d],
            d_positions: self.layout.positions.of_mut(gradient),
        });
        multiply(
            Matrix::new(&self.patches, rows, depth).transposed(),
            Matrix::new(&self.branch, rows, d),
            self.layout.embedding.of_mut(gradient),
        );
    }
    /// Computes the gradient of the weights before the patches, from that of the embedded patches in
    /// `branch`.
    fn front_backward(&mut self, weights: &[T], gradient: &mut [T], windows: usize) {
        let Some(front) = &mut self.front else { return };
        let (rows, d) = (windows * self.geometry.rows(), self.architecture.d_model);
        let depth = self.geometry.patch_values();
        let (features, columns) = (self.geometry.features, self.geometry.columns());
        multiply(
            Matrix::new(&self.branch, rows, d),
            Matrix::new(self.layout.embedding.of(weights), depth, d).transposed(),
            &mut front.d_patches,
        );
        let times = windows * self.geometry.context;
        let d_series = &mut front.d_series[..times * columns];
        d_series.fill(T::ZERO);
        let patches = front.d_patches.chunks_exact(self.geometry.rows() * depth);
        for (d_window, d_patches) in d_series.chunks_exact_mut(self.geometry.context * columns).zip(patches) {
            cut(self.geometry).add_back(d_patches, d_window);
        }
        let mut d_out = &*d_series;
        if let Some(linear) = self.layout.feature_embedding {
            launch(SumRows { values: d_out, sum: linear.bias.of_mut(gradient) });
            let input = if self.layout.affine.is_some() { &front.scaled } else { &front.windows };
            let d_columns = Matrix::new(d_out, times, columns);
            multiply(
                Matrix::new(input, times, features).transposed(),
                d_columns,
                linear.weight.of_mut(gradient),
            );
            if self.layout.affine.is_some() {
                let weight = Matrix::new(linear.weight.of(weights), features, columns);
                multiply(d_columns, weight.transposed(), &mut front.d_scaled);
                d_out = &front.d_scaled[..times * features];
            }
        }
        if let Some(affine) = self.layout.affine {
            let [d_gain, d_shift] = disjoint(gradient, [affine.gain, affine.shift]);
            launch(AffineBackward { x: &front.windows[..times * features], d_out, d_gain, d_shift });
        }
    }
}
