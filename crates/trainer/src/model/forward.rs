//! Forward pass, from patches to logits.

use std::ops::Range;

use crate::kernel::attention::Attention;
use crate::kernel::embed::EmbedNorm;
use crate::kernel::front::{AddRow, Affine};
use crate::kernel::gelu::Gelu;
use crate::kernel::head::Head;
use crate::kernel::matrix::Matrix;
use crate::kernel::norm::{AddNorm, RowStatistics};
use crate::kernel::pool::Pool;
use crate::kernel::product::Factor;
use crate::kernel::{Real, launch};

use super::architecture::Geometry;
use super::layout::{Layout, Span};
use super::lookup::Lookup;
use super::workspace::{DropoutSite, Masks, NormSite, Workspace, attention_shape, cut};

impl<T: Real> Workspace<T> {
    /// Computes the logits of the first `windows` windows in [`patches`](Self::patches) or in
    /// [`front`](Self::front).
    ///
    /// The workspace then contains the state for [`backward`](Self::backward).
    pub(crate) fn forward(&mut self, weights: &[T], windows: usize, masks: Masks) {
        self.front(weights, windows);
        self.embed(weights, windows, masks);
        self.encode(weights, windows, masks);
    }

    /// Computes the logits, without dropout, of windows that start at the rows `starts` of a `series` of
    /// rows of features.
    ///
    /// Requires a model without weights before the patches and without independent channels. Overlapping
    /// windows share their patches, each of which is embedded once.
    pub(crate) fn forward_series(&mut self, weights: &[T], series: &[T], starts: &[usize]) {
        let (d, depth) = (self.architecture.d_model, self.geometry.patch_values());
        let columns = self.geometry.columns();
        let Some((first, places)) = patch_starts(self.geometry, starts) else { return };
        self.products.multiply_then(
            Matrix::overlapping(&series[first * columns..], places, depth, columns),
            factor(self.layout.embedding, Masks::Off, |weight| Matrix::new(weight.of(weights), depth, d)),
            &mut self.branch,
            |_, _| {},
        );
        let rows = self.sites[0].stream.chunks_exact_mut(d);
        let geometry = self.geometry;
        let of_window = |start: &usize| {
            let start = start - first;
            (0..geometry.patches()).map(move |patch| start + patch * geometry.stride)
        };
        for (row, place) in rows.zip(starts.iter().flat_map(of_window)) {
            row.copy_from_slice(&self.branch[place * d..][..d]);
        }
        let rows = starts.len() * self.geometry.rows();
        let NormSite { stream, normed, statistics } = &mut self.sites[0];
        let places = (&mut normed[..], &mut statistics[..]);
        add_positions(&self.layout, weights, Masks::Off, places)(0..rows, &mut stream[..rows * d]);
        self.encode(weights, starts.len(), Masks::Off);
    }

    /// Whether [`forward_series`](Self::forward_series) supports windows with these starts and saves work.
    pub(crate) fn shares_patches(&self, starts: &[usize]) -> bool {
        let geometry = self.geometry;
        !geometry.has_front()
            && geometry.channels() == 1
            && patch_starts(geometry, starts)
                .is_some_and(|(_, places)| places < starts.len() * geometry.patches())
    }

    /// Computes the logits from the embedded patches.
    fn encode(&mut self, weights: &[T], windows: usize, masks: Masks) {
        for block in 0..self.architecture.n_layers {
            self.attend(weights, block, windows, masks);
            self.feed_forward(weights, block, windows, masks);
        }
        self.classify(weights, windows, masks);
    }

    fn classify(&mut self, weights: &[T], windows: usize, masks: Masks) {
        let (rows, d) = (windows * self.geometry.rows(), self.architecture.d_model);
        let normed = &self.sites[2 * self.architecture.n_layers].normed[..rows * d];
        let inputs = windows * self.geometry.head_inputs(d);
        let head_inputs = if self.pooled.is_empty() {
            normed
        } else {
            launch(Pool {
                normed,
                group: self.geometry.pooled(),
                width: d,
                dropout: masks.at(DropoutSite::Head),
                out: &mut self.pooled[..inputs],
            });
            &self.pooled[..inputs]
        };
        launch(Head {
            inputs: head_inputs,
            weights: self.layout.head.weight.of(weights),
            bias: self.layout.head.bias.of(weights),
            logits: &mut self.logits[..windows * self.geometry.form.outputs],
        });
    }

    /// Computes the patches from the windows if there are weights in between.
    fn front(&mut self, weights: &[T], windows: usize) {
        let Some(front) = &mut self.front else { return };
        let (numbers, inputs) = (self.geometry.numbers(), self.geometry.inputs());
        let columns = self.geometry.columns();
        let rows = windows * self.geometry.context;
        let mut series = &front.windows[..rows * numbers];
        if let Some(affine) = self.layout.affine {
            launch(Affine {
                x: series,
                gain: affine.gain.of(weights),
                shift: affine.shift.of(weights),
                out: &mut front.scaled[..rows * numbers],
            });
            series = &front.scaled[..rows * numbers];
        }
        if !self.layout.categories.is_empty() {
            let joined = &mut front.joined[..rows * inputs];
            for (row, to) in joined.chunks_exact_mut(inputs).enumerate() {
                to[..numbers].copy_from_slice(&series[row * numbers..(row + 1) * numbers]);
            }
            let lookup = Lookup {
                embeddings: &self.geometry.form.embeddings,
                tables: &self.layout.categories,
                codes: &front.codes,
            };
            lookup.apply(weights, numbers, joined);
            series = &front.joined[..rows * inputs];
        }
        if let Some(linear) = self.layout.feature_embedding {
            let weight = Matrix::new(linear.weight.of(weights), inputs, columns);
            self.products.multiply(Matrix::new(series, rows, inputs), weight, &mut front.embedded);
            let values = &mut front.embedded[..rows * columns];
            launch(AddRow { values, row: linear.bias.of(weights) });
            series = &front.embedded[..rows * columns];
        }
        let patches = self.patches.chunks_exact_mut(self.geometry.rows() * self.geometry.patch_values());
        for (window, patches) in series.chunks_exact(self.geometry.context * columns).zip(patches) {
            cut(self.geometry).apply(window, patches, |x| x);
        }
    }

    /// Embeds the patches, adds their positions, and normalises.
    fn embed(&mut self, weights: &[T], windows: usize, masks: Masks) {
        let (rows, d) = (windows * self.geometry.rows(), self.architecture.d_model);
        let depth = self.geometry.patch_values();
        let NormSite { stream, normed, statistics } = &mut self.sites[0];
        let mut add_positions = add_positions(&self.layout, weights, masks, (normed, statistics));
        self.products.multiply_then(
            Matrix::new(&self.patches, rows, depth),
            factor(self.layout.embedding, masks, |weight| Matrix::new(weight.of(weights), depth, d)),
            stream,
            |rows, stream| add_positions(rows.clone(), &mut stream[rows.start * d..rows.end * d]),
        );
    }

    /// Computes the branch of a block's attention, adds it to the stream, and normalises.
    fn attend(&mut self, weights: &[T], block: usize, windows: usize, masks: Masks) {
        let (rows, d) = (windows * self.geometry.rows(), self.architecture.d_model);
        let spans = self.layout.blocks[block];
        let shape = attention_shape(self.architecture, self.geometry, self.scaling.scores);
        let state = &mut self.blocks[block];
        let (patches, table) = (shape.patches, shape.window_probabilities());
        let mut done = 0;
        self.products.multiply_then(
            Matrix::new(&self.sites[2 * block].normed, rows, d),
            factor(spans.qkv.weight, masks, |weight| Matrix::new(weight.of(weights), d, 3 * d)),
            &mut state.qkv,
            |rows, qkv| {
                // The series whose rows are all there.
                let ready = done..rows.end / patches;
                launch(Attention {
                    shape,
                    qkv: &mut qkv[ready.start * patches * 3 * d..],
                    bias: spans.qkv.bias.of(weights),
                    dropout: masks.at(DropoutSite::Attention(block)),
                    first_window: ready.start,
                    probabilities: &mut state.probabilities[ready.start * table..],
                    mixed: &mut state.mixed[ready.start * patches * d..ready.end * patches * d],
                    scratch: &mut self.scratch,
                });
                done = ready.end;
            },
        );
        let mixed = Matrix::new(&state.mixed, rows, d);
        let weight = factor(spans.projection.weight, masks, |weight| Matrix::new(weight.of(weights), d, d));
        let add_norm = add_norm(&self.layout, &mut self.sites, weights, 2 * block + 1, masks);
        self.products.multiply_by_groups(mixed, weight, &mut self.branch, add_norm);
    }

    /// Computes the branch of a block's feed-forward layer, adds it to the stream, and normalises.
    fn feed_forward(&mut self, weights: &[T], block: usize, windows: usize, masks: Masks) {
        let (rows, d) = (windows * self.geometry.rows(), self.architecture.d_model);
        let ff = self.architecture.d_ff();
        let spans = self.layout.blocks[block];
        let state = &mut self.blocks[block];
        self.products.multiply_then(
            Matrix::new(&self.sites[2 * block + 1].normed, rows, d),
            factor(spans.widen.weight, masks, |weight| Matrix::new(weight.of(weights), ff, d).transposed()),
            &mut state.wide,
            |rows, wide| {
                launch(Gelu {
                    wide: &mut wide[rows.start * ff..rows.end * ff],
                    bias: spans.widen.bias.of(weights),
                    dropout: masks.at(DropoutSite::FeedForward(block)),
                    first_row: rows.start,
                    activated: &mut state.activated[rows.start * ff..rows.end * ff],
                });
            },
        );
        let activated = Matrix::new(&state.activated, rows, ff);
        let weight = factor(spans.narrow.weight, masks, |weight| Matrix::new(weight.of(weights), ff, d));
        let add_norm = add_norm(&self.layout, &mut self.sites, weights, 2 * block + 2, masks);
        self.products.multiply_by_groups(activated, weight, &mut self.branch, add_norm);
    }
}

/// Returns a weight as a right factor. Evaluations use it again in the next batch; after a training step it
/// is another.
fn factor<'a, T>(span: Span, masks: Masks, matrix: impl FnOnce(Span) -> Matrix<'a, T>) -> Factor<'a, T> {
    Factor { matrix: matrix(span), number: matches!(masks, Masks::Off).then_some(span.start) }
}

/// Returns the step after the product of patches and embedding, which adds bias and positions to rows of the
/// stream, and normalises them.
fn add_positions<T: Real>(
    layout: &Layout,
    weights: &[T],
    masks: Masks,
    (normed, statistics): (&mut [T], &mut [RowStatistics<T>]),
) -> impl FnMut(Range<usize>, &mut [T]) {
    let norm = layout.norm(0);
    let [bias, positions, gain, shift] =
        [layout.embedding_bias, layout.positions, norm.gain, norm.shift].map(|span| span.of(weights));
    move |rows, stream| {
        let numbers = rows.start * gain.len()..rows.end * gain.len();
        launch(EmbedNorm {
            stream,
            bias,
            positions,
            dropout: masks.at(DropoutSite::Branch(0)),
            first_row: rows.start,
            gain,
            shift,
            normed: &mut normed[numbers],
            statistics: &mut statistics[rows],
        });
    }
}

/// Returns the step after the product of a branch, which adds rows of the branch to the stream before the
/// normalisation `site`, and normalises them.
fn add_norm<T: Real>(
    layout: &Layout,
    sites: &mut [NormSite<T>],
    weights: &[T],
    site: usize,
    masks: Masks,
) -> impl FnMut(Range<usize>, &[T]) {
    let norm = layout.norm(site);
    let (before, after) = sites.split_at_mut(site);
    let (before, target) = (&before[site - 1], &mut after[0]);
    let [bias, gain, shift] = [layout.bias_before(site), norm.gain, norm.shift].map(|span| span.of(weights));
    move |rows, branch| {
        let numbers = rows.start * gain.len()..rows.end * gain.len();
        launch(AddNorm {
            residual: &before.stream[numbers.clone()],
            branch: &branch[..numbers.len()],
            bias,
            dropout: masks.at(DropoutSite::Branch(site)),
            first_row: rows.start,
            gain,
            shift,
            sum: &mut target.stream[numbers.clone()],
            normed: &mut target.normed[numbers],
            statistics: &mut target.statistics[rows],
        });
    }
}

/// Returns the first row at which a window starts, and the number of rows from there on at which a patch
/// may start. The result is `None` without windows.
fn patch_starts(geometry: Geometry, starts: &[usize]) -> Option<(usize, usize)> {
    let (first, last) = (*starts.iter().min()?, *starts.iter().max()?);
    Some((first, last - first + (geometry.patches() - 1) * geometry.stride + 1))
}
