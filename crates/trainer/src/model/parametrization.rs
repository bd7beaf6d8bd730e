//! Dependence of a model on its width: the standard parametrization, and the maximal update
//! parametrization (muP; Yang & Hu 2021; Yang et al. 2022, table 3).

use std::ops::Range;

use allometry_ladder::{ModelSpec, Parametrization};

use super::architecture::Architecture;
use super::layout::Layout;

/// Factors by which a model of one width differs from the standard parametrization.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct WidthScaling {
    /// Width as a multiple of the base width; 1 in the standard parametrization.
    widening: f64,
    /// Factor of the products of queries and keys.
    pub(crate) scores: f64,
}

/// A part of the flat buffer of weights, and its learning rate as a multiple of the trial's.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RatePart {
    pub(crate) weights: Range<usize>,
    pub(crate) factor: f64,
}

impl WidthScaling {
    /// Returns the factors of a model under a ladder's settings.
    pub(crate) fn new(settings: &ModelSpec, architecture: Architecture) -> Self {
        let Architecture { d_model, n_heads, .. } = architecture;
        let head_width = (d_model / n_heads) as f64;
        match settings.parametrization {
            Parametrization::Standard => Self { widening: 1.0, scores: 1.0 / head_width.sqrt() },
            Parametrization::Mup => Self {
                widening: d_model as f64 / settings.base_width as f64,
                scores: (settings.base_head_width as f64).sqrt() / head_width,
            },
        }
    }

    /// Returns the factor of initial biases of layers whose number of inputs grows with the width. Their
    /// standard deviation is then that at the base width.
    pub(super) fn hidden_bias(self) -> f64 {
        self.widening.sqrt()
    }

    /// Returns the factor of the head's initial weights. Their variance then falls with the square of the
    /// width.
    pub(super) fn head_weight(self) -> f64 {
        1.0 / self.widening.sqrt()
    }

    /// Returns the learning rate of every weight, in the order of the buffer. Matrices whose number of
    /// inputs grows with the width have the trial's rate divided by the widening, all other tensors the
    /// trial's rate.
    pub(crate) fn rates(self, layout: &Layout) -> Vec<RatePart> {
        let everything = RatePart { weights: 0..layout.total, factor: 1.0 };
        if self.widening == 1.0 {
            return vec![everything];
        }
        let matrices = layout
            .blocks
            .iter()
            .flat_map(|block| [block.qkv, block.projection, block.widen, block.narrow])
            .chain([layout.head])
            .map(|linear| linear.weight);
        let mut parts = Vec::new();
        let mut end = 0;
        for matrix in matrices {
            parts.push(RatePart { weights: end..matrix.start, factor: 1.0 });
            end = matrix.start + matrix.length;
            parts.push(RatePart { weights: matrix.start..end, factor: 1.0 / self.widening });
        }
        parts.push(RatePart { weights: end..layout.total, factor: 1.0 });
        parts
    }
}
