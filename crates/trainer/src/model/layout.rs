//! Where each tensor lies in the flat buffer of weights; gradients and moments lie the same way.

use super::architecture::{Architecture, Geometry};

/// One tensor in a flat buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Index of its first value.
    pub start: usize,
    /// Values in it.
    pub length: usize,
}

impl Span {
    /// The tensor in `buffer`.
    pub fn of<T>(self, buffer: &[T]) -> &[T] {
        &buffer[self.start..self.start + self.length]
    }

    /// The tensor in `buffer`, to be written.
    pub fn of_mut<T>(self, buffer: &mut [T]) -> &mut [T] {
        &mut buffer[self.start..self.start + self.length]
    }
}

/// Several tensors of one buffer, to be written at once.
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

/// Weights of a linear map, row-major with one row per input: `y = x weight + bias`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinearSpans {
    /// `inputs x outputs`.
    pub weight: Span,
    /// `outputs`.
    pub bias: Span,
}

/// Weights of one encoder block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockSpans {
    /// Before the attention.
    pub attention_norm: NormSpans,
    /// Queries, keys and values side by side: `d_model -> 3 d_model`.
    pub qkv: LinearSpans,
    /// Output projection: `d_model -> d_model`.
    pub projection: LinearSpans,
    /// Before the feed-forward layer.
    pub feed_forward_norm: NormSpans,
    /// `d_model -> d_ff`, but with one row per output: its product backwards is the slowest otherwise.
    pub widen: LinearSpans,
    /// `d_ff -> d_model`.
    pub narrow: LinearSpans,
}

/// The tensors of a model, in the order in which they lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// The affine part of `RevIN`: gain and shift of each feature.
    pub affine: Option<NormSpans>,
    /// `features -> columns`, before patches are cut.
    pub feature_embedding: Option<LinearSpans>,
    /// Patch embedding, `patch values x d_model`.
    pub embedding: Span,
    /// Its bias, `d_model`.
    pub embedding_bias: Span,
    /// Learned positions, `patches x d_model`.
    pub positions: Span,
    /// Encoder blocks.
    pub blocks: Vec<BlockSpans>,
    /// After the last block.
    pub final_norm: NormSpans,
    /// Inputs of the head to its outputs, with one row per output.
    pub head: LinearSpans,
    /// Values of all tensors together.
    pub total: usize,
}

impl Layout {
    /// Layout of a model.
    pub fn new(architecture: Architecture, geometry: Geometry) -> Self {
        let d = architecture.d_model;
        let mut total = 0;
        let mut take = |length: usize| {
            let span = Span { start: total, length };
            total += length;
            span
        };
        let features = geometry.features;
        let affine = geometry.form.affine.then(|| NormSpans { gain: take(features), shift: take(features) });
        let feature_embedding = (geometry.form.feature_embedding > 0).then(|| {
            let columns = geometry.columns();
            LinearSpans { weight: take(features * columns), bias: take(columns) }
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

    /// The normalisation at site `s`: before attention and feed-forward of each block in turn, then the last.
    pub fn norm(&self, site: usize) -> NormSpans {
        match self.blocks.get(site / 2) {
            Some(block) if site.is_multiple_of(2) => block.attention_norm,
            Some(block) => block.feed_forward_norm,
            None => self.final_norm,
        }
    }

    /// Bias of the branch whose output is added to the stream just before the normalisation at site `s`.
    pub(crate) fn bias_before(&self, site: usize) -> Span {
        match site {
            0 => self.embedding_bias,
            s if s.is_multiple_of(2) => self.blocks[s / 2 - 1].narrow.bias,
            s => self.blocks[s / 2].projection.bias,
        }
    }

    /// The tensors whose gradients are summed up bit by bit and therefore start from zero: all but the matrices.
    pub(crate) fn accumulated(&self) -> impl Iterator<Item = Span> {
        let ends = [self.embedding_bias, self.positions, self.final_norm.gain, self.final_norm.shift];
        let head = [self.head.weight, self.head.bias];
        let affine = self.affine.iter().flat_map(|a| [a.gain, a.shift]);
        let front = affine.chain(self.feature_embedding.iter().map(|e| e.bias));
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
