//! Every buffer of a pass through the model, allocated once per trial.

use crate::kernel::Real;
use crate::kernel::attention::{AttentionShape, SLACK};
use crate::kernel::dropout::Dropout;
use crate::kernel::norm::RowStatistics;

use super::architecture::{Architecture, Geometry};
use super::layout::Layout;

/// The dropout of one pass.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Masks {
    /// None: evaluation.
    Off,
    /// That of one training step.
    Step {
        /// Probability in `[0, 1)`.
        probability: f64,
        /// Seed of the trial.
        seed: u64,
        /// Training step, from 0.
        step: u64,
    },
}

/// A place where values are dropped.
#[derive(Debug, Clone, Copy)]
pub(crate) enum DropoutSite {
    /// Output of the branch that is added before the normalisation of this number.
    Branch(usize),
    /// Attention probabilities of this block.
    Attention(usize),
    /// Activations of the feed-forward layer of this block.
    FeedForward(usize),
}

impl Masks {
    /// The mask of one place.
    pub(crate) fn at<T: Real>(self, site: DropoutSite) -> Dropout<T> {
        match self {
            Self::Off | Self::Step { probability: 0.0, .. } => Dropout::off(),
            Self::Step { probability, seed, step } => {
                let number = match site {
                    DropoutSite::Branch(n) => 3 * n,
                    DropoutSite::Attention(n) => 3 * n + 1,
                    DropoutSite::FeedForward(n) => 3 * n + 2,
                };
                Dropout::new(probability, seed, step, number as u64)
            }
        }
    }
}

/// The residual stream where it is normalised.
#[derive(Debug)]
pub(crate) struct NormSite<T> {
    /// The stream, `rows x d_model`.
    pub(crate) stream: Vec<T>,
    /// Normalised, `rows x d_model`.
    pub(crate) normed: Vec<T>,
    /// Per row.
    pub(crate) statistics: Vec<RowStatistics<T>>,
}

/// What the backward pass needs of one encoder block.
#[derive(Debug)]
pub(crate) struct BlockState<T> {
    /// Queries, keys and values, `rows x (3 d_model)` and slack.
    pub(crate) qkv: Vec<T>,
    /// Attention probabilities before dropout.
    pub(crate) probabilities: Vec<T>,
    /// Result of the attention before its projection, `rows x d_model`.
    pub(crate) mixed: Vec<T>,
    /// Input of the GELU, then its derivative, `rows x d_ff`.
    pub(crate) wide: Vec<T>,
    /// Output of the GELU, `rows x d_ff`.
    pub(crate) activated: Vec<T>,
}

/// Buffers of passes over at most `capacity` windows. A row is one patch of one window.
#[derive(Debug)]
pub(crate) struct Workspace<T> {
    pub(super) architecture: Architecture,
    pub(super) geometry: Geometry,
    pub(super) layout: Layout,
    /// Windows at most.
    pub(crate) capacity: usize,
    /// Input, `rows x patch values`: to be filled before a forward pass.
    pub(crate) patches: Vec<T>,
    pub(super) sites: Vec<NormSite<T>>,
    pub(super) blocks: Vec<BlockState<T>>,
    /// Output of a branch, or its gradient, `rows x d_model`.
    pub(super) branch: Vec<T>,
    /// Gradient of the residual stream, `rows x d_model`.
    pub(super) d_stream: Vec<T>,
    /// Gradient of a branch's input, `rows x d_model` and slack.
    pub(super) d_narrow: Vec<T>,
    /// Gradient inside a branch, `rows x max(d_ff, 3 d_model)`.
    pub(super) d_wide: Vec<T>,
    pub(super) scratch: Vec<T>,
    /// Results of a forward pass, one per window.
    pub(crate) logits: Vec<T>,
    /// Gradient of the logits: to be filled before a backward pass.
    pub(crate) d_logits: Vec<T>,
}

impl<T: Real> Workspace<T> {
    /// Buffers for `capacity` windows.
    pub(crate) fn new(architecture: Architecture, geometry: Geometry, capacity: usize) -> Self {
        let rows = capacity * geometry.patches();
        let (d, ff) = (architecture.d_model, architecture.d_ff());
        let shape = attention_shape(architecture, geometry);
        let zeros = |length: usize| vec![T::ZERO; length];
        Self {
            architecture,
            geometry,
            layout: Layout::new(architecture, geometry),
            capacity,
            patches: zeros(rows * geometry.patch_values()),
            sites: (0..=2 * architecture.n_layers)
                .map(|_| NormSite {
                    stream: zeros(rows * d),
                    normed: zeros(rows * d),
                    statistics: vec![[T::ZERO; 2]; rows],
                })
                .collect(),
            blocks: (0..architecture.n_layers)
                .map(|_| BlockState {
                    qkv: zeros(rows * 3 * d + SLACK),
                    probabilities: zeros(capacity * shape.window_probabilities()),
                    mixed: zeros(rows * d),
                    wide: zeros(rows * ff),
                    activated: zeros(rows * ff),
                })
                .collect(),
            branch: zeros(rows * d),
            d_stream: zeros(rows * d),
            d_narrow: zeros(rows * d + SLACK),
            d_wide: zeros(rows * ff.max(3 * d)),
            scratch: zeros(shape.scratch()),
            logits: zeros(capacity),
            d_logits: zeros(capacity),
        }
    }

    /// Values that [`new`](Self::new) allocates.
    pub(super) fn values(architecture: Architecture, geometry: Geometry, capacity: usize) -> usize {
        let patches = geometry.patches();
        let (d, ff) = (architecture.d_model, architecture.d_ff());
        let shape = attention_shape(architecture, geometry);
        let site = 2 * d + 2;
        let block_row = 4 * d + 2 * ff;
        let row = geometry.patch_values()
            + (2 * architecture.n_layers + 1) * site
            + architecture.n_layers * block_row
            + 3 * d
            + ff.max(3 * d);
        let probabilities = architecture.n_layers * shape.window_probabilities();
        capacity * (patches * row + probabilities + 2) + shape.scratch() + SLACK * (architecture.n_layers + 1)
    }

    /// The largest finite magnitude in the residual stream of the first `windows`, and how many values are not finite.
    pub(crate) fn largest_activation(&self, windows: usize) -> (f64, usize) {
        let rows = windows * self.geometry.patches();
        let mut largest = 0.0f64;
        let mut broken = 0;
        for site in &self.sites {
            for value in &site.stream[..rows * self.architecture.d_model] {
                let magnitude = value.to_f64().abs();
                if magnitude.is_finite() {
                    largest = largest.max(magnitude);
                } else {
                    broken += 1;
                }
            }
        }
        (largest, broken)
    }
}

/// Shape of every block's attention.
pub(super) fn attention_shape(architecture: Architecture, geometry: Geometry) -> AttentionShape {
    AttentionShape { patches: geometry.patches(), width: architecture.d_model, heads: architecture.n_heads }
}
