//! Layer normalisation.

use allometry_trainer::device::NormSpans;
use burn_tensor::Tensor;

use super::weights::{Gradient, Weights};

/// Added to the variance, as on the CPU.
const EPSILON: f64 = 1e-5;

/// State of a normalisation for the backward pass.
#[derive(Debug)]
pub(super) struct Standard {
    /// Standardised values, `models x rows x d`.
    values: Tensor<3>,
    /// Reciprocal standard deviations, `models x rows x 1`.
    inverse: Tensor<3>,
}

/// Standardises every row, then multiplies by a gain and adds a shift.
pub(super) fn normalise(x: Tensor<3>, spans: NormSpans, weights: &Weights) -> (Tensor<3>, Standard) {
    let centred = x.clone() - x.mean_dim(2);
    let inverse = (centred.clone().square().mean_dim(2) + EPSILON).sqrt().recip();
    let values = centred * inverse.clone();
    let normed = values.clone() * weights.row(spans.gain) + weights.row(spans.shift);
    (normed, Standard { values, inverse })
}

impl Standard {
    /// Returns the gradient of the input, from the gradient of the result.
    pub(super) fn backward(
        self,
        d_normed: Tensor<3>,
        spans: NormSpans,
        weights: &Weights,
        gradient: &mut Gradient,
    ) -> Tensor<3> {
        let Self { values, inverse } = self;
        gradient.put_sum(spans.gain, d_normed.clone() * values.clone());
        gradient.put_sum(spans.shift, d_normed.clone());
        let inner = d_normed * weights.row(spans.gain);
        let product = (inner.clone() * values.clone()).mean_dim(2);
        (inner.clone() - inner.mean_dim(2) - values * product) * inverse
    }
}
