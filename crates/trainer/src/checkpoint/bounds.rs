//! Whether the sizes that a description names fit into its file: they are checked before memory is asked for.

use super::Description;
use crate::hyperparameters::Hyperparameters;
use crate::model::{Architecture, Geometry};
use allometry_core::ladder::Task;

/// A count that no file needs to justify, such as the rows of a window whose patches lie far apart.
const HARMLESS: usize = 1 << 20;

/// Which field of a description of a file of `bytes` bytes cannot be true, and why; `None` where its model fits into the file.
pub(super) fn problem(
    description: &Description,
    (hyperparameters, geometry): (&Hyperparameters, Geometry),
    bytes: usize,
) -> Option<String> {
    let model = &description.model;
    let classes = description.data.preparation.classes;
    let most = bytes.max(HARMLESS);
    // Each class has a weight of its own; other labels have none.
    let most_classes = if model.task == Task::Classes { bytes } else { 2 };
    let counts = [
        ("data.preparation.classes", classes, most_classes),
        ("model.context", model.context, most),
        ("model.patch", model.patch, most),
        ("model.stride", model.stride, most),
        ("model.feature_embedding", model.feature_embedding, most),
        ("progress.ends", description.progress.as_ref().map_or(0, |progress| progress.ends), most),
    ];
    if let Some((field, count, most)) = counts.into_iter().find(|(_, count, most)| count > most) {
        return Some(format!("its description has {field} = {count}, where the file can hold {most}"));
    }
    let weights = weights(hyperparameters.architecture, geometry);
    (weights * size_of::<f32>() as f64 > bytes as f64).then(|| {
        format!("its description is of a model of {weights:.0} weights, and the file has {bytes} bytes")
    })
}

/// Weights of a model, as [`crate::model::Layout`] counts them, in numbers that do not overflow.
fn weights(architecture: Architecture, geometry: Geometry) -> f64 {
    let form = geometry.form;
    let [d, heads_out, features] = [architecture.d_model, form.outputs, geometry.features].map(|n| n as f64);
    let [columns, channels, patches] =
        [geometry.columns(), geometry.channels(), geometry.patches()].map(|n| n as f64);
    let [patch, pooled, ratio] =
        [geometry.patch, geometry.pooled(), architecture.d_ff_ratio].map(|n| n as f64);
    let affine = if form.affine { 2.0 * features } else { 0.0 };
    let embedded = if form.feature_embedding > 0 { (features + 1.0) * columns } else { 0.0 };
    let embedding = (patch * columns / channels + 1.0 + patches) * d;
    let wide = ratio * d;
    let block = 4.0 * d + (d + 1.0) * 4.0 * d + (d + 1.0) * wide + (wide + 1.0) * d;
    let head = heads_out * (channels * patches / pooled * d + 1.0);
    affine + embedded + embedding + architecture.n_layers as f64 * block + 2.0 * d + head
}
