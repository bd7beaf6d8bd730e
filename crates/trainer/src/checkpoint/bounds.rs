//! Check of the sizes in a description against the size of its file, before memory is allocated for them.

use allometry_ladder::Task;

use super::Description;
use crate::data::width;
use crate::hyperparameters::Hyperparameters;
use crate::model::{Architecture, Geometry};

/// Largest count that is accepted whatever the size of the file, such as the rows of a window with patches
/// far apart.
const ALWAYS_ACCEPTED: usize = 1 << 20;

/// Returns which field of a description cannot be right for a file of `bytes` bytes, and why. The result is
/// `None` if the model fits into the file.
pub(super) fn problem(
    description: &Description,
    (hyperparameters, geometry): (&Hyperparameters, Geometry),
    bytes: usize,
) -> Option<String> {
    let model = &description.model;
    let classes = description.data.preparation.classes;
    let max_count = bytes.max(ALWAYS_ACCEPTED);
    // Each class has weights of its own; other tasks have no classes.
    let max_classes = if model.task == Task::Classes { bytes } else { 2 };
    let counts = [
        ("data.preparation.classes", classes, max_classes),
        ("model.context", model.context, max_count),
        ("model.patch", model.patch, max_count),
        ("model.stride", model.stride, max_count),
        ("model.feature_embedding", model.feature_embedding, max_count),
        ("progress.ends", description.progress.as_ref().map_or(0, |progress| progress.ends), max_count),
    ];
    if let Some((field, count, max_count)) =
        counts.into_iter().find(|(_, count, max_count)| count > max_count)
    {
        return Some(format!(
            "its description says {field} = {count}, but the file can hold at most {max_count}"
        ));
    }
    if let Some(problem) = description.calibration.as_ref().and_then(|one| one.problem(model.task)) {
        return Some(problem);
    }
    let names = description.data.preparation.class_names.len();
    if names > 0 && names != classes.max(2) {
        return Some(format!("its description names {names} classes, but the model has {}", classes.max(2)));
    }
    let (features, categories) = (geometry.features, width(&description.data.preparation.categories));
    if categories > features {
        return Some(format!("its description names {categories} categories, but {features} features"));
    }
    let weights = weights(hyperparameters.architecture, geometry);
    (weights * size_of::<f32>() as f64 > bytes as f64).then(|| {
        format!("its description is of a model with {weights:.0} weights, but the file has {bytes} bytes")
    })
}

/// Returns the number of weights of a model, as [`crate::model::Layout`] counts them, without overflow.
fn weights(architecture: Architecture, geometry: Geometry) -> f64 {
    let form = geometry.form;
    let [d, heads_out] = [architecture.d_model, form.outputs].map(|n| n as f64);
    let [numbers, inputs] = [geometry.numbers(), geometry.inputs()].map(|n| n as f64);
    let [columns, channels, patches] =
        [geometry.columns(), geometry.channels(), geometry.patches()].map(|n| n as f64);
    let [patch, pooled, ratio] =
        [geometry.patch, geometry.pooled(), architecture.d_ff_ratio].map(|n| n as f64);
    let vectors = form.embeddings.columns().iter().map(|one| one.categories as f64 * one.size as f64);
    let affine = vectors.sum::<f64>() + if form.affine { 2.0 * numbers } else { 0.0 };
    let embedded = if form.feature_embedding > 0 { (inputs + 1.0) * columns } else { 0.0 };
    let embedding = (patch * columns / channels + 1.0 + patches) * d;
    let wide = ratio * d;
    let block = 4.0 * d + (d + 1.0) * 4.0 * d + (d + 1.0) * wide + (wide + 1.0) * d;
    let head = heads_out * (channels * patches / pooled * d + 1.0);
    affine + embedded + embedding + architecture.n_layers as f64 * block + 2.0 * d + head
}
