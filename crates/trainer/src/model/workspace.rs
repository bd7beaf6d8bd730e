//! Buffers of the passes through a model, allocated once per trial.

use std::fmt::{self, Display};

use allometry_core::Precision;

use crate::kernel::Real;
use crate::kernel::attention::{AttentionShape, SLACK};
use crate::kernel::dropout::Dropout;
use crate::kernel::front::Cut;
use crate::kernel::norm::RowStatistics;
use crate::kernel::product::Products;

use super::architecture::{Architecture, Geometry};
use super::layout::Layout;
use super::parametrization::WidthScaling;
use super::tensors::{Tensor, named_tensors};

/// Dropout of one pass.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Masks {
    /// No dropout, for evaluation.
    Off,
    /// Dropout of one training step.
    Step {
        /// Probability in `[0, 1)`.
        probability: f64,
        /// Probability at the input of the head, in `[0, 1)`.
        head: f64,
        /// Seed of the trial.
        seed: u64,
        /// Training step, from 0.
        step: u64,
    },
}

/// A place where dropout is applied.
#[derive(Debug, Clone, Copy)]
pub enum DropoutSite {
    /// Output of the branch that is added before the normalisation with this number.
    Branch(usize),
    /// Attention probabilities of this block.
    Attention(usize),
    /// Activations of the feed-forward layer of this block.
    FeedForward(usize),
    /// Input of the head.
    Head,
}

impl Masks {
    /// Returns the mask of one site.
    pub(crate) fn at<T: Real>(self, site: DropoutSite) -> Dropout<T> {
        match self {
            Self::Off => Dropout::off(),
            Self::Step { probability, head, seed, step } => {
                let (number, probability) = match site {
                    DropoutSite::Branch(n) => (3 * n as u64, probability),
                    DropoutSite::Attention(n) => (3 * n as u64 + 1, probability),
                    DropoutSite::FeedForward(n) => (3 * n as u64 + 2, probability),
                    DropoutSite::Head => (u64::MAX, head),
                };
                if probability == 0.0 {
                    Dropout::off()
                } else {
                    Dropout::new(probability, seed, step, number)
                }
            }
        }
    }
}

/// The residual stream of the last passes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ActivationState {
    /// Largest finite magnitude.
    pub(crate) largest: f64,
    /// Number of values that are not finite.
    pub(crate) not_finite: usize,
    /// First layer with such a value.
    pub(crate) first: Option<BrokenLayer>,
}

/// A layer whose result is not finite. Blocks count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BrokenLayer {
    /// The embedding of the patches.
    Embedding,
    /// The attention of a block.
    Attention(usize),
    /// The feed-forward layer of a block.
    FeedForward(usize),
}

impl BrokenLayer {
    /// Returns the layer whose result is added to the stream before a normalisation.
    pub fn before(site: usize) -> Self {
        match site {
            0 => Self::Embedding,
            s if s.is_multiple_of(2) => Self::FeedForward(s / 2),
            s => Self::Attention(s.div_ceil(2)),
        }
    }
}

impl Display for BrokenLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedding => f.write_str("the embedding"),
            Self::Attention(block) => write!(f, "the attention of block {block}"),
            Self::FeedForward(block) => write!(f, "the feed-forward layer of block {block}"),
        }
    }
}

/// State of the residual stream at a normalisation.
#[derive(Debug)]
pub(crate) struct NormSite<T> {
    /// Residual stream, `rows x d_model`.
    pub(crate) stream: Vec<T>,
    /// Normalised stream, `rows x d_model`.
    pub(crate) normed: Vec<T>,
    /// Statistics of each row.
    pub(crate) statistics: Vec<RowStatistics<T>>,
}

/// State of one encoder block for the backward pass.
#[derive(Debug)]
pub(crate) struct BlockState<T> {
    /// Queries, keys and values, `rows x (3 d_model)` and slack.
    pub(crate) qkv: Vec<T>,
    /// Attention probabilities before dropout.
    pub(crate) probabilities: Vec<T>,
    /// Result of the attention before its projection, `rows x d_model`.
    pub(crate) mixed: Vec<T>,
    /// Input of the GELU, later its derivative, `rows x d_ff`.
    pub(crate) wide: Vec<T>,
    /// Output of the GELU, `rows x d_ff`.
    pub(crate) activated: Vec<T>,
}

/// Buffers of the layers before the patches, if they have weights.
#[derive(Debug)]
pub(crate) struct FrontState<T> {
    /// Numbers of the input windows, `windows x context x numbers`, to be filled before a forward pass.
    pub(crate) windows: Vec<T>,
    /// Categories of the input windows, `windows x context x columns with vectors`, to be filled as well.
    pub(crate) codes: Vec<u32>,
    /// Windows after the affine part of `RevIN`, or empty without one.
    pub(super) scaled: Vec<T>,
    /// Windows with the vectors of their categories, `windows x context x inputs`, or empty without any.
    pub(super) joined: Vec<T>,
    /// Windows after the feature embedding, `windows x context x columns`, or empty without one.
    pub(super) embedded: Vec<T>,
    /// Gradient of the patches, `rows x patch values`.
    pub(super) d_patches: Vec<T>,
    /// Gradient of the series from which patches are cut, `windows x context x columns`.
    pub(super) d_series: Vec<T>,
    /// Gradient of the feature embedding's input, or empty if it is not needed.
    pub(super) d_inputs: Vec<T>,
}

/// Buffers of passes over at most `capacity` windows. A row is one patch of one window.
#[derive(Debug)]
pub(crate) struct Workspace<T> {
    pub(super) architecture: Architecture,
    pub(super) geometry: Geometry,
    pub(super) layout: Layout,
    pub(super) scaling: WidthScaling,
    pub(super) products: Products,
    /// Maximum number of windows.
    pub(crate) capacity: usize,
    /// Buffers of the layers before the patches, if they have weights.
    pub(crate) front: Option<FrontState<T>>,
    /// Input patches, `rows x patch values`, to be filled before a forward pass if no layer stands before
    /// them.
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
    /// Input of the head, or empty if that is the normalised stream itself.
    pub(super) pooled: Vec<T>,
    /// Gradient of [`pooled`](Self::pooled).
    pub(super) d_pooled: Vec<T>,
    /// Results of a forward pass, `windows x outputs`.
    pub(crate) logits: Vec<T>,
    /// Gradient of the logits, to be filled before a backward pass.
    pub(crate) d_logits: Vec<T>,
}

impl<T: Real> Workspace<T> {
    /// Allocates buffers for `capacity` windows. `head_dropout` tells whether the head's input may have
    /// dropout.
    pub(crate) fn new(
        architecture: Architecture,
        geometry: Geometry,
        scaling: WidthScaling,
        precision: Precision,
        head_dropout: bool,
        capacity: usize,
    ) -> Self {
        let rows = capacity * geometry.rows();
        let (d, ff) = (architecture.d_model, architecture.d_ff());
        let shape = attention_shape(architecture, geometry, scaling.scores);
        let layout = Layout::new(architecture, geometry);
        let zeros = |length: usize| vec![T::ZERO; length];
        Self {
            architecture,
            geometry,
            products: Products::new(precision, layout.total),
            layout,
            scaling,
            capacity,
            front: geometry.has_front().then(|| FrontState::new(geometry, capacity)),
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
                    probabilities: zeros(capacity * geometry.channels() * shape.window_probabilities()),
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
            pooled: zeros(pooled_values(architecture, geometry, head_dropout) * capacity),
            d_pooled: zeros(pooled_values(architecture, geometry, head_dropout) * capacity),
            logits: zeros(capacity * geometry.form.outputs),
            d_logits: zeros(capacity * geometry.form.outputs),
        }
    }

    /// Returns the tensors of the model with their names.
    pub(crate) fn tensors(&self) -> Vec<Tensor> {
        named_tensors(&self.layout, self.architecture, self.geometry)
    }

    /// Tells the passes that the weights have changed since the last one.
    pub(crate) fn forget_weights(&mut self) {
        self.products.forget();
    }

    /// Returns the shape of the windows.
    pub(crate) fn geometry(&self) -> Geometry {
        self.geometry
    }

    /// Returns the number of values that [`new`](Self::new) allocates.
    pub(super) fn values(
        architecture: Architecture,
        geometry: Geometry,
        head_dropout: bool,
        capacity: usize,
    ) -> usize {
        let (d, ff) = (architecture.d_model, architecture.d_ff());
        // The buffers do not depend on the factor of the scores.
        let shape = attention_shape(architecture, geometry, 1.0);
        let site = 2 * d + 2;
        let block_row = 4 * d + 2 * ff;
        let row = geometry.patch_values()
            + (2 * architecture.n_layers + 1) * site
            + architecture.n_layers * block_row
            + 3 * d
            + ff.max(3 * d);
        let probabilities = architecture.n_layers * geometry.channels() * shape.window_probabilities();
        let ends = 2 * geometry.form.outputs
            + 2 * pooled_values(architecture, geometry, head_dropout)
            + front_values(geometry);
        capacity * (geometry.rows() * row + probabilities + ends)
            + shape.scratch()
            + SLACK * (architecture.n_layers + 1)
    }

    /// Returns the state of the residual stream after the last passes.
    pub(crate) fn activation_state(&self) -> ActivationState {
        let mut state = ActivationState { largest: 0.0, not_finite: 0, first: None };
        for (number, site) in self.sites.iter().enumerate() {
            for value in &site.stream {
                let magnitude = value.to_f64().abs();
                if magnitude.is_finite() {
                    state.largest = state.largest.max(magnitude);
                } else {
                    state.not_finite += 1;
                    state.first.get_or_insert(BrokenLayer::before(number));
                }
            }
        }
        state
    }
}

impl<T: Real> FrontState<T> {
    fn new(geometry: Geometry, capacity: usize) -> Self {
        let zeros = |length: usize| vec![T::ZERO; length * capacity];
        let (affine, embeds) = (geometry.form.affine, geometry.form.feature_embedding > 0);
        let categories = geometry.form.embeddings.count();
        let when = |needed: bool, length: usize| zeros(if needed { length } else { 0 });
        let [numbers, inputs, series] =
            [geometry.numbers(), geometry.inputs(), geometry.columns()].map(|row| geometry.context * row);
        Self {
            windows: zeros(numbers),
            codes: vec![0; geometry.context * categories * capacity],
            scaled: when(affine, numbers),
            joined: when(categories > 0, inputs),
            embedded: when(embeds, series),
            d_patches: zeros(geometry.rows() * geometry.patch_values()),
            d_series: zeros(series),
            d_inputs: when((affine || categories > 0) && embeds, inputs),
        }
    }
}

/// Returns the number of values per window that [`FrontState::new`] allocates.
fn front_values(geometry: Geometry) -> usize {
    if !geometry.has_front() {
        return 0;
    }
    let categories = geometry.form.embeddings.count();
    let [affine, joins, embeds] =
        [geometry.form.affine, categories > 0, geometry.form.feature_embedding > 0].map(usize::from);
    let [numbers, inputs, series] =
        [geometry.numbers(), geometry.inputs(), geometry.columns()].map(|row| geometry.context * row);
    numbers * (1 + affine)
        + geometry.context * categories
        + inputs * (joins + affine.max(joins) * embeds)
        + series * (1 + embeds)
        + geometry.rows() * geometry.patch_values()
}

/// Returns the number of values per window in a separate buffer for the head's input.
fn pooled_values(architecture: Architecture, geometry: Geometry, head_dropout: bool) -> usize {
    let own = head_dropout || geometry.pooled() > 1;
    if own { geometry.head_inputs(architecture.d_model) } else { 0 }
}

/// Returns how the series of a window are cut into patches.
pub(crate) fn cut(geometry: Geometry) -> Cut {
    Cut {
        columns: geometry.columns(),
        patch: geometry.patch,
        stride: geometry.stride,
        patches: geometry.patches(),
        independent: geometry.channels() > 1 || geometry.columns() == 1,
    }
}

/// Returns the shape of the attention in every block, with this factor of the scores.
pub(super) fn attention_shape(architecture: Architecture, geometry: Geometry, scale: f64) -> AttentionShape {
    let Architecture { d_model, n_heads, .. } = architecture;
    AttentionShape { patches: geometry.patches(), width: d_model, heads: n_heads, scale }
}
