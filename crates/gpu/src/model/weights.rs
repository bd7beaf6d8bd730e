//! Flat weights of several models, split into tensors, and their gradient.

use allometry_trainer::device::Span;
use burn_tensor::Tensor;

/// Weights of several models, `models x weights`.
#[derive(Debug, Clone)]
pub(crate) struct Weights(pub(crate) Tensor<2>);

impl Weights {
    pub(crate) fn models(&self) -> usize {
        self.0.dims()[0]
    }

    /// Returns a span as a matrix, `models x rows x columns`.
    pub(super) fn matrix(&self, span: Span, columns: usize) -> Tensor<3> {
        let models = self.models();
        let flat = self.0.clone().slice([0..models, span.start..span.start + span.length]);
        flat.reshape([models, span.length / columns, columns])
    }

    /// Returns a span as a row that can be added to every row, `models x 1 x columns`.
    pub(super) fn row(&self, span: Span) -> Tensor<3> {
        self.matrix(span, span.length)
    }
}

/// Gradient of several models with respect to their weights, tensor by tensor.
#[derive(Debug, Default)]
pub(crate) struct Gradient {
    parts: Vec<(usize, Tensor<2>)>,
}

impl Gradient {
    /// Sets the gradient of one tensor, `models x rows x columns`.
    pub(super) fn put(&mut self, span: Span, value: Tensor<3>) {
        let models = value.dims()[0];
        self.parts.push((span.start, value.reshape([models, span.length])));
    }

    /// Sets the gradient of a tensor that was added to every row: the sum of `value` over its rows.
    pub(super) fn put_sum(&mut self, span: Span, value: Tensor<3>) {
        self.put(span, value.sum_dim(1));
    }

    /// Returns the gradient of all weights, `models x total`, with zeros between the tensors.
    pub(crate) fn into_flat(mut self, total: usize) -> Tensor<2> {
        self.parts.sort_by_key(|(start, _)| *start);
        let (mut all, mut end) = (Vec::with_capacity(2 * self.parts.len()), 0);
        for (start, part) in self.parts {
            let [models, length] = part.dims();
            if start > end {
                all.push(Tensor::zeros([models, start - end], &part.device()));
            }
            end = start + length;
            all.push(part);
        }
        if let Some([models, _]) = all.last().map(Tensor::dims).filter(|_| end < total) {
            all.push(Tensor::zeros([models, total - end], &all[0].device()));
        }
        Tensor::cat(all, 1)
    }
}
