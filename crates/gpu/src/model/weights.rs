//! The flat weights of several models, cut into tensors and put together again.

use allometry_trainer::device::Span;
use burn_tensor::Tensor;

/// The weights of several models, `models x weights`.
#[derive(Debug, Clone)]
pub(crate) struct Weights(pub(crate) Tensor<2>);

impl Weights {
    pub(crate) fn models(&self) -> usize {
        self.0.dims()[0]
    }

    /// `models x rows x columns`.
    pub(super) fn matrix(&self, span: Span, columns: usize) -> Tensor<3> {
        let models = self.models();
        let flat = self.0.clone().slice([0..models, span.start..span.start + span.length]);
        flat.reshape([models, span.length / columns, columns])
    }

    /// `models x 1 x columns`, to be added to rows.
    pub(super) fn row(&self, span: Span) -> Tensor<3> {
        self.matrix(span, span.length)
    }
}

/// The gradient of several models by their weights, tensor by tensor.
#[derive(Debug, Default)]
pub(crate) struct Gradient {
    parts: Vec<(usize, Tensor<2>)>,
}

impl Gradient {
    /// That of one tensor, `models x rows x columns`.
    pub(super) fn put(&mut self, span: Span, value: Tensor<3>) {
        let models = value.dims()[0];
        self.parts.push((span.start, value.reshape([models, span.length])));
    }

    /// The same for a tensor that was added to every row: the sum over the rows of `value`.
    pub(super) fn put_sum(&mut self, span: Span, value: Tensor<3>) {
        self.put(span, value.sum_dim(1));
    }

    /// `models x weights`.
    pub(crate) fn into_flat(mut self) -> Tensor<2> {
        self.parts.sort_by_key(|(start, _)| *start);
        Tensor::cat(self.parts.into_iter().map(|(_, part)| part).collect(), 1)
    }
}
