//! Export of a model as ONNX, checked against the model before it is handed out.
//!
//! The graph's input is a table's values in windows, not scaled; its outputs are the logits, and the
//! probabilities or numbers that `allometry predict` writes.

mod evaluate;
mod graph;
mod message;

use allometry_core::rng::stream_seed;
use allometry_ladder::Normalize;
use prost::Message as _;

use crate::calibration::Calibration;
use crate::checkpoint::Description;
use crate::data::scale;
use crate::predict::Predictor;
use crate::scoring::predicted;

use evaluate::Array;
use message::{Element, ModelProto};

/// Name of the graph's input.
const INPUT: &str = "windows";
/// Name of the output with the raw outputs of the model.
const LOGITS: &str = "logits";
/// Name of the output with probabilities or numbers.
const SCORES: &str = "scores";
/// Version of ONNX's operators: the first with layer normalisation.
const OPSET: i64 = 17;
/// Largest size of a file, which the format of its messages sets.
const MAX_BYTES: usize = 1 << 31;
/// Largest difference to the model's own outputs, relative for those above 1.
const TOLERANCE: f64 = 1e-5;
/// Windows on which graph and model are compared, in batches of these sizes.
const BATCHES: [usize; 2] = [3, 1];

/// A model as an ONNX file that gives the model's own outputs.
#[derive(Debug)]
pub struct OnnxModel {
    /// Content of the file.
    pub bytes: Vec<u8>,
    /// Number of windows on which the file was compared with the model.
    pub windows: usize,
    /// Largest difference of an output, relative for outputs above 1.
    pub largest_difference: f64,
}

/// Reason why a model is not exported.
#[derive(Debug, thiserror::Error)]
pub enum OnnxError {
    /// The graph gives other outputs than the model.
    #[error("the exported graph gives {theirs} where the model gives {ours} ({output})")]
    Differs {
        /// Name of the output.
        output: &'static str,
        /// Output of the model.
        ours: f32,
        /// Output of the graph.
        theirs: f64,
    },
    /// The graph cannot be evaluated.
    #[error("the exported graph cannot be evaluated: {0}")]
    Invalid(String),
    /// The probabilities have a calibration that the operators do not compute to 1e-5.
    #[error("its isotonic calibration has no place among ONNX's operators")]
    Isotonic,
    /// The file would be larger than its format allows.
    #[error("the model has {bytes} bytes as ONNX, but such a file has less than 2 GiB")]
    TooLarge {
        /// Size of the file.
        bytes: usize,
    },
}

impl OnnxError {
    /// Returns advice for the user.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Isotonic => Some(
                "`allometry train` with --calibrate temperature or --calibrate platt replaces it; the Python \
                 package applies it"
                    .into(),
            ),
            Self::Differs { .. } | Self::Invalid(_) | Self::TooLarge { .. } => None,
        }
    }
}

impl Predictor {
    /// Returns the model as an ONNX file. The file is evaluated operator by operator on random windows and
    /// compared with the model's logits and predictions.
    ///
    /// # Errors
    /// [`OnnxError`] if an output differs by more than 1e-5, if the file would be too large, or for an
    /// isotonic calibration.
    pub fn to_onnx(&mut self) -> Result<OnnxModel, OnnxError> {
        if let Some(Calibration::Isotonic { .. }) = self.description.calibration {
            return Err(OnnxError::Isotonic);
        }
        let (hyperparameters, geometry) = self.description.shape().expect("loading has checked it");
        let tensors = self.network.tensors();
        let shape = (hyperparameters.architecture, geometry);
        let model = graph::model(&self.description, shape, &tensors, self.network.weights());
        let bytes = model.encoded_len();
        if bytes >= MAX_BYTES {
            return Err(OnnxError::TooLarge { bytes });
        }
        let bytes = model.encode_to_vec();
        // The weights would otherwise be in memory twice while the file is evaluated.
        drop(model);
        let largest_difference = self.largest_difference(&bytes)?;
        Ok(OnnxModel { bytes, windows: BATCHES.iter().sum(), largest_difference })
    }

    /// Returns the largest difference between the outputs of a file and those of the model.
    fn largest_difference(&mut self, bytes: &[u8]) -> Result<f64, OnnxError> {
        let invalid = |problem: String| OnnxError::Invalid(problem);
        let model = ModelProto::decode(bytes).map_err(|error| invalid(error.to_string()))?;
        let graph = model.graph.ok_or_else(|| invalid("there is no graph".into()))?;
        let Description { data, model, .. } = &self.description;
        let (context, features) = (model.context, data.features.len());
        let mut largest = 0.0f64;
        for (number, windows) in BATCHES.into_iter().enumerate() {
            let raw = windows_of(&self.description, windows, number as u64);
            let mut scaled = raw.clone();
            if let Some(scaling) = data.preparation.scaling_of_all(features) {
                scale::scale(&mut scaled, &scaling);
            }
            let logits = self.network.logits(scaled.chunks_exact(context * features)).to_vec();
            let mut scores = Vec::new();
            predicted(&logits, &self.description, &mut scores);
            let input = Array {
                element: Element::Single,
                sizes: vec![windows, context, features],
                values: raw.into_iter().map(f64::from).collect(),
            };
            let values = evaluate::evaluate(&graph, input).map_err(invalid)?;
            for (output, ours) in [(LOGITS, &logits), (SCORES, &scores)] {
                let theirs = values.get(output).ok_or_else(|| invalid(format!("there is no {output}")))?;
                largest = largest.max(difference(output, ours, theirs)?);
            }
        }
        Ok(largest)
    }
}

/// Returns the largest difference between two lists of outputs, relative for outputs above 1.
fn difference(output: &'static str, ours: &[f32], theirs: &Array) -> Result<f64, OnnxError> {
    if ours.len() != theirs.values.len() {
        return Err(OnnxError::Invalid(format!("{output} has the shape {:?}", theirs.sizes)));
    }
    let mut largest = 0.0f64;
    for (&ours, &theirs) in ours.iter().zip(&theirs.values) {
        let difference = (f64::from(ours) - theirs).abs() / f64::from(ours).abs().max(1.0);
        if difference.is_nan() || difference > TOLERANCE {
            return Err(OnnxError::Differs { output, ours, theirs });
        }
        largest = largest.max(difference);
    }
    Ok(largest)
}

/// Level of features that windows of their own scale are compared at. It is far above their deviation, as
/// that of prices is.
const LEVEL: f64 = 1e3;

/// Returns random windows of a table's values: normal, around the means of the training part, and numbers of
/// categories.
fn windows_of(description: &Description, windows: usize, seed: u64) -> Vec<f32> {
    let (context, features) = (description.model.context, description.data.features.len());
    let scaling = description.data.preparation.scaling_of_all(features);
    let level = if description.model.normalize == Normalize::Revin { LEVEL } else { 0.0 };
    let columns: Vec<usize> =
        description.data.preparation.with_vectors().map(|column| column.names.len()).collect();
    (0..windows * context * features)
        .map(|place| {
            let from_end = features - place % features;
            if let Some(categories) = columns.len().checked_sub(from_end).map(|column| columns[column]) {
                return (stream_seed(seed, "onnx category", place as u64) % (categories as u64 + 1)) as f32;
            }
            let (mean, deviation) =
                scaling.as_ref().map_or((level, 1.0), |scaling| scaling[place % features]);
            (mean + deviation * normal(seed, place as u64)) as f32
        })
        .collect()
}

/// Returns a number that is nearly normal: the sum of twelve uniform ones.
fn normal(seed: u64, place: u64) -> f64 {
    let uniform = |draw: u64| stream_seed(seed, "onnx", 12 * place + draw) as f64 / u64::MAX as f64;
    (0..12).map(uniform).sum::<f64>() - 6.0
}

#[cfg(test)]
mod tests;
