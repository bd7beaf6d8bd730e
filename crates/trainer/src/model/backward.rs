//! Backward pass, from the gradient of the logits to the gradient of every weight.

use std::ops::Range;

use crate::kernel::attention::AttentionBackward;
use crate::kernel::dropout::Dropout;
use crate::kernel::embed::EmbedBackward;
use crate::kernel::front::{AffineBackward, SumRows};
use crate::kernel::gelu::GeluBackward;
use crate::kernel::head::HeadBackward;
use crate::kernel::matrix::Matrix;
use crate::kernel::norm::AddNormBackward;
use crate::kernel::pool::PoolBackward;
use crate::kernel::product::Factor;
use crate::kernel::{Real, launch};

use super::layout::{Layout, Span, disjoint};
use super::lookup::Lookup;
use super::workspace::{DropoutSite, Masks, NormSite, Workspace, attention_shape, cut};

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
        let rows = 0..windows * self.geometry.rows();
        let [d_stream, branch] = [&mut self.d_stream, &mut self.branch];
        AddNormStep::new(&self.layout, &self.sites, weights, last, masks).run(
            rows,
            &self.d_narrow,
            d_stream,
            branch,
            gradient,
        );
        for block in (0..self.architecture.n_layers).rev() {
            self.feed_forward_backward(weights, gradient, block, windows, masks);
            self.attend_backward(weights, gradient, block, windows, masks);
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

    fn feed_forward_backward(
        &mut self,
        weights: &[T],
        gradient: &mut [T],
        block: usize,
        windows: usize,
        masks: Masks,
    ) {
        let (rows, d) = (windows * self.geometry.rows(), self.architecture.d_model);
        let ff = self.architecture.d_ff();
        let spans = self.layout.blocks[block];
        let state = &self.blocks[block];
        let d_output = Matrix::new(&self.branch, rows, d);
        self.products.multiply(
            Matrix::new(&state.activated, rows, ff).transposed(),
            d_output,
            spans.narrow.weight.of_mut(gradient),
        );
        let d_bias = spans.widen.bias.of_mut(gradient);
        self.products.multiply_then(
            d_output,
            once(Matrix::new(spans.narrow.weight.of(weights), ff, d).transposed()),
            &mut self.d_wide,
            |rows, d_wide| {
                let numbers = rows.start * ff..rows.end * ff;
                let slope = &state.wide[numbers.clone()];
                launch(GeluBackward { gradient: &mut d_wide[numbers], slope, d_bias });
            },
        );
        let d_wide = Matrix::new(&self.d_wide, rows, ff);
        self.products.multiply(
            d_wide.transposed(),
            Matrix::new(&self.sites[2 * block + 1].normed, rows, d),
            spans.widen.weight.of_mut(gradient),
        );
        let weight = once(Matrix::new(spans.widen.weight.of(weights), ff, d));
        let add_norm = AddNormStep::new(&self.layout, &self.sites, weights, 2 * block + 1, masks);
        let [d_stream, branch] = [&mut self.d_stream, &mut self.branch];
        self.products.multiply_by_groups(d_wide, weight, &mut self.d_narrow, |rows, d_narrow| {
            add_norm.run(rows, d_narrow, d_stream, branch, gradient);
        });
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
        self.products.multiply(
            Matrix::new(&state.mixed, rows, d).transposed(),
            d_output,
            spans.projection.weight.of_mut(gradient),
        );
        let shape = attention_shape(self.architecture, self.geometry, self.scaling.scores);
        let (patches, table) = (shape.patches, shape.window_probabilities());
        let d_bias = spans.qkv.bias.of_mut(gradient);
        let mut done = 0;
        self.products.multiply_then(
            d_output,
            once(Matrix::new(spans.projection.weight.of(weights), d, d).transposed()),
            &mut self.d_narrow,
            |rows, d_mixed| {
                // The series whose rows are all there.
                let ready = done..rows.end / patches;
                launch(AttentionBackward {
                    shape,
                    qkv: &state.qkv[ready.start * patches * 3 * d..],
                    dropout: masks.at(DropoutSite::Attention(block)),
                    first_window: ready.start,
                    probabilities: &state.probabilities[ready.start * table..],
                    d_mixed: &d_mixed[ready.start * patches * d..],
                    d_qkv: &mut self.d_wide[ready.start * patches * 3 * d..ready.end * patches * 3 * d],
                    d_bias,
                    scratch: &mut self.scratch,
                });
                done = ready.end;
            },
        );
        let d_qkv = Matrix::new(&self.d_wide, rows, 3 * d);
        self.products.multiply(
            Matrix::new(&self.sites[2 * block].normed, rows, d).transposed(),
            d_qkv,
            spans.qkv.weight.of_mut(gradient),
        );
        let weight = once(Matrix::new(spans.qkv.weight.of(weights), d, 3 * d).transposed());
        let add_norm = AddNormStep::new(&self.layout, &self.sites, weights, 2 * block, masks);
        let [d_stream, branch] = [&mut self.d_stream, &mut self.branch];
        self.products.multiply_by_groups(d_qkv, weight, &mut self.d_narrow, |rows, d_narrow| {
            add_norm.run(rows, d_narrow, d_stream, branch, gradient);
        });
    }

    fn embed_backward(&mut self, gradient: &mut [T], windows: usize) {
        let (rows, d) = (windows * self.geometry.rows(), self.architecture.d_model);
        let depth = self.geometry.patch_values();
        launch(EmbedBackward {
            d_embedded: &self.branch[..rows * d],
            d_positions: self.layout.positions.of_mut(gradient),
        });
        self.products.multiply(
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
        let (numbers, inputs) = (self.geometry.numbers(), self.geometry.inputs());
        let columns = self.geometry.columns();
        let (has_affine, has_categories) = (self.layout.affine.is_some(), !self.layout.categories.is_empty());
        self.products.multiply(
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
            let input = match (has_categories, has_affine) {
                (true, _) => &front.joined,
                (false, true) => &front.scaled,
                (false, false) => &front.windows,
            };
            let d_columns = Matrix::new(d_out, times, columns);
            self.products.multiply(
                Matrix::new(input, times, inputs).transposed(),
                d_columns,
                linear.weight.of_mut(gradient),
            );
            if has_affine || has_categories {
                let weight = Matrix::new(linear.weight.of(weights), inputs, columns);
                self.products.multiply(d_columns, weight.transposed(), &mut front.d_inputs);
                d_out = &front.d_inputs[..times * inputs];
            }
        }
        if has_categories {
            let lookup = Lookup {
                embeddings: &self.geometry.form.embeddings,
                tables: &self.layout.categories,
                codes: &front.codes,
            };
            lookup.add_back(d_out, numbers, gradient);
        }
        if let Some(affine) = self.layout.affine {
            let [d_gain, d_shift] = disjoint(gradient, [affine.gain, affine.shift]);
            let x = &front.windows[..times * numbers];
            launch(AffineBackward { x, d_out, width: inputs, d_gain, d_shift });
        }
    }
}

/// Returns a right factor that is used once per pass.
fn once<T>(matrix: Matrix<'_, T>) -> Factor<'_, T> {
    Factor { matrix, number: None }
}

/// The gradient of a normalisation and of the sum before it.
struct AddNormStep<'a, T> {
    state: &'a NormSite<T>,
    gain: &'a [T],
    dropout: Dropout<T>,
    /// Gain and shift of the normalisation, and the bias of the branch.
    spans: [Span; 3],
}

impl<'a, T: Real> AddNormStep<'a, T> {
    fn new(layout: &Layout, sites: &'a [NormSite<T>], weights: &'a [T], site: usize, masks: Masks) -> Self {
        let norm = layout.norm(site);
        Self {
            state: &sites[site],
            gain: norm.gain.of(weights),
            dropout: masks.at(DropoutSite::Branch(site)),
            spans: [norm.gain, norm.shift, layout.bias_before(site)],
        }
    }

    /// Computes the gradient of rows of the stream and of the branch, from that of the normalised stream.
    fn run(
        &self,
        rows: Range<usize>,
        d_normed: &[T],
        d_stream: &mut [T],
        d_branch: &mut [T],
        gradient: &mut [T],
    ) {
        let width = self.gain.len();
        let numbers = rows.start * width..rows.end * width;
        let [d_gain, d_shift, d_bias] = disjoint(gradient, self.spans);
        launch(AddNormBackward {
            sum: &self.state.stream[numbers.clone()],
            statistics: &self.state.statistics[rows.clone()],
            gain: self.gain,
            d_normed: &d_normed[..numbers.len()],
            d_stream: &mut d_stream[numbers.clone()],
            d_gain,
            d_shift,
            dropout: self.dropout,
            first_row: rows.start,
            d_branch: &mut d_branch[numbers],
            d_bias,
        });
    }
}
