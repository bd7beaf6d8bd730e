//! From the gradient of the logits to that of every weight.

use crate::kernel::attention::{AttentionBackward, SLACK};
use crate::kernel::embed::EmbedBackward;
use crate::kernel::gelu::GeluBackward;
use crate::kernel::head::HeadBackward;
use crate::kernel::matrix::{Matrix, multiply};
use crate::kernel::norm::AddNormBackward;
use crate::kernel::{Real, launch};

use super::layout::disjoint;
use super::workspace::{DropoutSite, Masks, Workspace, attention_shape};

impl<T: Real> Workspace<T> {
    /// Overwrites `gradient` with the gradient of `sum(logits * d_logits)` by the weights, after a
    /// [`forward`](Self::forward) with the same weights, windows and masks.
    pub(crate) fn backward(&mut self, weights: &[T], gradient: &mut [T], windows: usize, masks: Masks) {
        for span in self.layout.accumulated() {
            span.of_mut(gradient).fill(T::ZERO);
        }
        let length = windows * self.geometry.patches() * self.architecture.d_model;
        let last = 2 * self.architecture.n_layers;
        let head = self.layout.head;
        head.bias.of_mut(gradient)[0] = self.d_logits[..windows].iter().copied().sum();
        launch(HeadBackward {
            normed: &self.sites[last].normed[..length],
            weights: head.weight.of(weights),
            d_logits: &self.d_logits[..windows],
            d_weights: head.weight.of_mut(gradient),
            d_normed: &mut self.d_narrow[..length],
        });
        self.d_stream[..length].fill(T::ZERO);
        self.add_norm_backward(weights, gradient, last, windows, masks);
        for block in (0..self.architecture.n_layers).rev() {
            self.feed_forward_backward(weights, gradient, block, windows);
            self.add_norm_backward(weights, gradient, 2 * block + 1, windows, masks);
            self.attend_backward(weights, gradient, block, windows, masks);
            self.add_norm_backward(weights, gradient, 2 * block, windows, masks);
        }
        self.embed_backward(gradient, windows);
    }

    /// From the gradient of the normalised stream in `d_narrow` to that of the stream and of the branch before.
    fn add_norm_backward(
        &mut self,
        weights: &[T],
        gradient: &mut [T],
        site: usize,
        windows: usize,
        masks: Masks,
    ) {
        let length = windows * self.geometry.patches() * self.architecture.d_model;
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
        let (rows, d) = (windows * self.geometry.patches(), self.architecture.d_model);
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
            Matrix::new(&self.sites[2 * block + 1].normed, rows, d).transposed(),
            d_wide,
            spans.widen.weight.of_mut(gradient),
        );
        multiply(d_wide, Matrix::new(spans.widen.weight.of(weights), d, ff).transposed(), &mut self.d_narrow);
    }

    fn attend_backward(
        &mut self,
        weights: &[T],
        gradient: &mut [T],
        block: usize,
        windows: usize,
        masks: Masks,
    ) {
        let (rows, d) = (windows * self.geometry.patches(), self.architecture.d_model);
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
            shape: attention_shape(self.architecture, self.geometry),
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
        let (rows, d) = (windows * self.geometry.patches(), self.architecture.d_model);
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
}
