//! Initial weights with the distributions of `PyTorch`'s modules, from a counter-based generator: a weight
//! depends only on the seed and its index.

use allometry_core::rng::stream_seed;

use crate::kernel::Real;

use super::architecture::{Architecture, Geometry};
use super::layout::{Layout, LinearSpans, Span};
use super::parametrization::WidthScaling;

/// Standard deviation of the initial position embedding.
const POSITION_DEVIATION: f64 = 0.02;

/// Returns the weights of a new model: linear maps and their biases uniform in `+-1/sqrt(inputs)`,
/// normalisations 1 and 0, vectors of categories standard normal, positions normal with standard deviation
/// 0.02. `scaling` changes the range of the
/// head's weights, and of the biases of layers whose number of inputs grows with the width.
pub(crate) fn initial_weights<T: Real>(
    architecture: Architecture,
    geometry: Geometry,
    scaling: WidthScaling,
    seed: u64,
) -> Vec<T> {
    let layout = Layout::new(architecture, geometry);
    let mut weights = vec![T::ZERO; layout.total];
    let (d, ff) = (architecture.d_model, architecture.d_ff());
    let mut linear = |spans: LinearSpans, inputs: usize, factors: [f64; 2]| {
        let bound = 1.0 / (inputs as f64).sqrt();
        for (span, factor) in [spans.weight, spans.bias].into_iter().zip(factors) {
            fill(span, &mut weights, |i| factor * bound * (2.0 * uniform(seed, i) - 1.0));
        }
    };
    let [input, hidden, head] =
        [[1.0, 1.0], [1.0, scaling.hidden_bias()], [scaling.head_weight(), scaling.hidden_bias()]];
    if let Some(spans) = layout.feature_embedding {
        linear(spans, geometry.inputs(), input);
    }
    let embedding = LinearSpans { weight: layout.embedding, bias: layout.embedding_bias };
    linear(embedding, geometry.patch_values(), input);
    for block in &layout.blocks {
        linear(block.qkv, d, hidden);
        linear(block.projection, d, hidden);
        linear(block.widen, d, hidden);
        linear(block.narrow, ff, hidden);
    }
    linear(layout.head, geometry.head_inputs(d), head);
    if let Some(affine) = layout.affine {
        affine.gain.of_mut(&mut weights).fill(T::ONE);
    }
    for table in &layout.categories {
        fill(*table, &mut weights, |i| normal(seed, i));
    }
    fill(layout.positions, &mut weights, |i| POSITION_DEVIATION * normal(seed, i));
    for site in 0..=2 * architecture.n_layers {
        layout.norm(site).gain.of_mut(&mut weights).fill(T::ONE);
    }
    weights
}

fn fill<T: Real>(span: Span, weights: &mut [T], value: impl Fn(u64) -> f64) {
    for (i, weight) in span.of_mut(weights).iter_mut().enumerate() {
        *weight = T::from_f64(value((span.start + i) as u64));
    }
}

/// Returns a uniform number in (0, 1).
fn uniform(seed: u64, index: u64) -> f64 {
    ((stream_seed(seed, "weight", index) >> 11) as f64 + 0.5) / 2f64.powi(53)
}

/// Returns a standard normal number by the method of Box and Muller (1958).
fn normal(seed: u64, index: u64) -> f64 {
    let angle = ((stream_seed(seed, "angle", index) >> 11) as f64 + 0.5) / 2f64.powi(53);
    (-2.0 * uniform(seed, index).ln()).sqrt() * (2.0 * std::f64::consts::PI * angle).cos()
}
