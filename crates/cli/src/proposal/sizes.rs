//! Chooses the window length and the sizes of the models.

use allometry_trainer::{Architecture, Geometry};

/// Window lengths to choose from.
const CONTEXTS: [usize; 6] = [32, 16, 8, 4, 2, 1];

/// Share of the rows in the test part.
const TEST_SHARE: f64 = 0.15;

/// Minimum number of disjoint windows in the test part.
const TEST_WINDOWS: f64 = 4.0;

/// Number of patches of a window.
const PATCHES: usize = 4;

/// Values of the architecture parameters.
const D_MODEL: [usize; 12] = [4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256];
const N_LAYERS: [usize; 4] = [1, 2, 3, 4];
pub(super) const N_HEADS: [usize; 2] = [2, 4];
pub(super) const D_FF_RATIO: [usize; 2] = [2, 4];

/// Number of budgets, and the ratio between two successive ones.
const BUDGETS: i32 = 3;
const FACTOR: f64 = 4.0;

/// Maximum relative deviation of a model from its budget.
pub(super) const TOLERANCE: f64 = 0.35;

/// Number of weights of the largest model per training window.
const WEIGHTS_PER_WINDOW: f64 = 20.0;

/// Minimum ratio between a budget and the smallest or largest model.
const ROOM: f64 = 1.25;

/// A proposed budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Budget {
    pub(crate) label: String,
    pub(crate) weights: u64,
    /// Widths of the models of this size.
    pub(crate) d_model: Vec<usize>,
    /// Depths of the models of this size.
    pub(crate) n_layers: Vec<usize>,
}

/// The width, depth and weights of a model.
struct Candidate {
    d_model: usize,
    n_layers: usize,
    weights: f64,
}

/// Returns the number of rows of a window, such that several windows fit into the test part of `rows` rows.
pub(crate) fn context(rows: u64) -> usize {
    let most = rows as f64 * TEST_SHARE / TEST_WINDOWS;
    CONTEXTS.into_iter().find(|context| *context as f64 <= most).unwrap_or(1)
}

/// Returns the number of rows of a patch.
pub(crate) fn patch(context: usize) -> usize {
    (context / PATCHES).max(1)
}

/// Returns budgets that differ by a factor of four. The largest has about twenty weights per training window,
/// if there are models of this size.
pub(crate) fn budgets(geometry: Geometry, training_windows: u64) -> Vec<Budget> {
    let models = models(geometry);
    let smallest = models.iter().map(|model| model.weights).fold(f64::INFINITY, f64::min);
    let largest = models.iter().map(|model| model.weights).fold(0.0, f64::max);
    let span = FACTOR.powi(BUDGETS - 1);
    let wanted = WEIGHTS_PER_WINDOW * training_windows as f64 / span;
    let first = rounded(wanted.min(largest / span / ROOM).max(smallest * ROOM));
    (0..BUDGETS).filter_map(|step| budget(first * FACTOR.powi(step), &models)).collect()
}

/// Returns the budget with `weights` weights, if a model has about as many.
fn budget(weights: f64, models: &[Candidate]) -> Option<Budget> {
    let is_near = |model: &&Candidate| (model.weights - weights).abs() <= TOLERANCE * weights;
    let near: Vec<&Candidate> = models.iter().filter(is_near).collect();
    let d_model = D_MODEL.into_iter().filter(|d| near.iter().any(|model| model.d_model == *d)).collect();
    let n_layers = N_LAYERS.into_iter().filter(|n| near.iter().any(|model| model.n_layers == *n)).collect();
    let budget = Budget { label: label(weights), weights: weights as u64, d_model, n_layers };
    (!near.is_empty()).then_some(budget)
}

fn models(geometry: Geometry) -> Vec<Candidate> {
    let mut models = Vec::new();
    for d_model in D_MODEL {
        for n_layers in N_LAYERS {
            for d_ff_ratio in D_FF_RATIO {
                // The number of heads does not change the number of weights.
                let architecture = Architecture { d_model, n_layers, n_heads: 1, d_ff_ratio };
                let weights = architecture.model_size(geometry).total as f64;
                models.push(Candidate { d_model, n_layers, weights });
            }
        }
    }
    models
}

/// Rounds a number to one significant digit.
fn rounded(weights: f64) -> f64 {
    let unit = 10_f64.powi(weights.max(1.0).log10().floor() as i32);
    (weights / unit).round().max(1.0) * unit
}

/// Returns a size as a label, such as `5k` or `1.2M`.
pub(crate) fn label(weights: f64) -> String {
    let (scale, unit) = match weights {
        w if w >= 1e9 => (1e9, "B"),
        w if w >= 1e6 => (1e6, "M"),
        w if w >= 1e3 => (1e3, "k"),
        _ => (1.0, ""),
    };
    format!("{}{unit}", weights / scale)
}
