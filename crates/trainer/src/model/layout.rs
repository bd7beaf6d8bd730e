//! Positions of the tensors in the flat buffer of weights. Gradients and moments have the same layout.

use allometry_core::ModelSize;

use super::architecture::{Architecture, Geometry};

/// Position of a tensor in a flat buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Index of the first value.
    pub start: usize,
    /// Number of values.
    pub length: usize,
}

impl Span {
    /// Returns the tensor in `buffer`.
    pub fn of<T>(self, buffer: &[T]) -> &[T] {
        &buffer[self.start..self.start + self.length]
    }

    /// Returns the tensor in `buffer` for writing.
    pub fn of_mut<T>(self, buffer: &mut [T]) -> &mut [T] {
        &mut buffer[self.start..self.start + self.length]
    }
}

/// Returns several tensors of one buffer for writing.
pub(super) fn disjoint<T, const N: usize>(buffer: &mut [T], spans: [Span; N]) -> [&mut [T]; N] {
    buffer
        .get_disjoint_mut(spans.map(|s| s.start..s.start + s.length))
        .expect("tensors of a layout are distinct and inside its buffer")
}

/// Weights of a normalisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NormSpans {
    /// Gain, `d_model`.
    pub gain: Span,
    /// Shift, `d_model`.
    pub shift: Span,
}

/// Weights of a linear map `y = x weight + bias`, row-major with one row per input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinearSpans {
    /// Weight, `inputs x outputs`.
    pub weight: Span,
    /// Bias, `outputs`.
    pub bias: Span,
}

/// Weights of one encoder block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockSpans {
    /// Normalisation before the attention.
    pub attention_norm: NormSpans,
    /// Map to queries, keys and values side by side, `d_model -> 3 d_model`.
    pub qkv: LinearSpans,
    /// Output projection of the attention, `d_model -> d_model`.
    pub projection: LinearSpans,
    /// Normalisation before the feed-forward layer.
    pub feed_forward_norm: NormSpans,
    /// First map of the feed-forward layer, `d_model -> d_ff`. It has one row per output, because its
    /// product in the backward pass would be the slowest otherwise.
    pub widen: LinearSpans,
    /// Second map of the feed-forward layer, `d_ff -> d_model`.
    pub narrow: LinearSpans,
}

/// Positions of all tensors of a model, in the order of the buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Affine part of `RevIN`: gain and shift of each feature.
    pub affine: Option<NormSpans>,
    /// Vectors of the categories of each column that has them, `categories x size`.
    pub categories: Vec<Span>,
    /// Map of a row's values before patches are cut, `inputs -> columns`.
    pub feature_embedding: Option<LinearSpans>,
    /// Patch embedding, `patch values x d_model`.
    pub embedding: Span,
    /// Bias of the patch embedding, `d_model`.
    pub embedding_bias: Span,
    /// Learned position embedding, `patches x d_model`.
    pub positions: Span,
    /// Encoder blocks.
    pub blocks: Vec<BlockSpans>,
    /// Normalisation after the last block.
    pub final_norm: NormSpans,
    /// Head, with one row per output.
    pub head: LinearSpans,
    /// Number of values of all tensors together.
    pub total: usize,
}

impl Layout {
    /// Returns the layout of a model.
    pub fn new(architecture: Architecture, geometry: Geometry) -> Self {
        Self::aligned(architecture, geometry, 1)
    }

    /// Returns the layout of a model in which each tensor, and the end of the buffer, is at a multiple of
    /// `alignment` values. The order of the tensors is the same in all layouts; between them are unused
    /// values.
    pub fn aligned(architecture: Architecture, geometry: Geometry, alignment: usize) -> Self {
        let d = architecture.d_model;
        let mut total = 0;
        let mut take = |length: usize| {
            let span = Span { start: total, length };
            total += length.next_multiple_of(alignment);
            span
        };
        let numbers = geometry.numbers();
        let affine = geometry.form.affine.then(|| NormSpans { gain: take(numbers), shift: take(numbers) });
        let embedded = geometry.form.embeddings;
        let categories = embedded.columns().iter().map(|one| take(one.categories * one.size)).collect();
        let feature_embedding = (geometry.form.feature_embedding > 0).then(|| {
            let columns = geometry.columns();
            LinearSpans { weight: take(geometry.inputs() * columns), bias: take(columns) }
        });
        let embedding = take(geometry.patch_values() * d);
        let embedding_bias = take(d);
        let positions = take(geometry.patches() * d);
        let blocks = (0..architecture.n_layers).map(|_| BlockSpans::take(architecture, &mut take)).collect();
        let final_norm = NormSpans { gain: take(d), shift: take(d) };
        let head = {
            let outputs = geometry.form.outputs;
            LinearSpans { weight: take(outputs * geometry.head_inputs(d)), bias: take(outputs) }
        };
        Self {
            affine,
            categories,
            feature_embedding,
            embedding,
            embedding_bias,
            positions,
            blocks,
            final_norm,
            head,
            total,
        }
    }

    /// Returns all tensors in the order of the buffer.
    pub fn spans(&self) -> Vec<Span> {
        let norm = |norm: NormSpans| [norm.gain, norm.shift];
        let linear = |linear: LinearSpans| [linear.weight, linear.bias];
        let mut spans: Vec<Span> = self.affine.into_iter().flat_map(norm).collect();
        spans.extend(&self.categories);
        spans.extend(self.feature_embedding.into_iter().flat_map(linear));
        spans.extend([self.embedding, self.embedding_bias, self.positions]);
        for block in &self.blocks {
            spans.extend(norm(block.attention_norm));
            spans.extend([block.qkv, block.projection].into_iter().flat_map(linear));
            spans.extend(norm(block.feed_forward_norm));
            spans.extend([block.widen, block.narrow].into_iter().flat_map(linear));
        }
        spans.extend(norm(self.final_norm));
        spans.extend(linear(self.head));
        spans
    }

    /// Returns the normalisation at `site`: those before attention and feed-forward layer of each block in
    /// turn, then the final one.
    pub fn norm(&self, site: usize) -> NormSpans {
        match self.blocks.get(site / 2) {
            Some(block) if site.is_multiple_of(2) => block.attention_norm,
            Some(block) => block.feed_forward_norm,
            None => self.final_norm,
        }
    }

    /// Returns the bias of the branch whose output is added to the stream just before the normalisation at
    /// `site`.
    pub(crate) fn bias_before(&self, site: usize) -> Span {
        match site {
            0 => self.embedding_bias,
            s if s.is_multiple_of(2) => self.blocks[s / 2 - 1].narrow.bias,
            s => self.blocks[s / 2].projection.bias,
        }
    }

    /// Returns the tensors whose gradients are accumulated and therefore start from zero: all except the
    /// matrices.
    pub(crate) fn accumulated(&self) -> impl Iterator<Item = Span> {
        let ends = [self.embedding_bias, self.positions, self.final_norm.gain, self.final_norm.shift];
        let head = [self.head.weight, self.head.bias];
        let affine = self.affine.iter().flat_map(|a| [a.gain, a.shift]);
        let tables = self.categories.iter().copied();
        let front = affine.chain(tables).chain(self.feature_embedding.iter().map(|e| e.bias));
        let blocks = self.blocks.iter().flat_map(|b| {
            let (a, f) = (b.attention_norm, b.feed_forward_norm);
            let biases = [b.qkv.bias, b.projection.bias, b.widen.bias, b.narrow.bias];
            [a.gain, a.shift, f.gain, f.shift].into_iter().chain(biases)
        });
        front.chain(ends).chain(head).chain(blocks)
    }
}

impl BlockSpans {
    fn take(architecture: Architecture, take: &mut impl FnMut(usize) -> Span) -> Self {
        let (d, ff) = (architecture.d_model, architecture.d_ff());
        Self {
            attention_norm: NormSpans { gain: take(d), shift: take(d) },
            qkv: LinearSpans { weight: take(d * 3 * d), bias: take(3 * d) },
            projection: LinearSpans { weight: take(d * d), bias: take(d) },
            feed_forward_norm: NormSpans { gain: take(d), shift: take(d) },
            widen: LinearSpans { weight: take(d * ff), bias: take(ff) },
            narrow: LinearSpans { weight: take(ff * d), bias: take(d) },
        }
    }
}

impl Architecture {
    /// Returns the exact number of weights of a model.
    pub fn model_size(self, geometry: Geometry) -> ModelSize {
        let layout = Layout::new(self, geometry);
        let embedding = layout.blocks[0].attention_norm.gain.start;
        ModelSize { total: layout.total as u64, non_embedding: (layout.total - embedding) as u64 }
    }
}
