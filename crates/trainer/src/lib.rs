//! The built-in trainer: a `PatchTST`-style classifier for windows of a multivariate series, on the CPU or
//! on a [`device`] that the program provides.

pub mod baseline;
mod batch;
mod calibration;
pub mod checkpoint;
mod collapse;
mod coordinates;
pub mod data;
pub mod device;
mod explain;
mod folds;
pub mod generate;
mod hyperparameters;
mod kept;
mod kernel;
mod learner;
mod memory;
pub mod metric;
mod model;
mod network;
mod objective;
mod onnx;
mod predict;
mod schedule;
mod scoring;
mod settings;
mod stopping;
mod training;

pub use calibration::{Calibration, CalibrationError, CalibrationMethod};
pub use coordinates::{CoordinatesError, LayerSizes, coordinates};
pub use explain::{Explainer, InputName, ModelInput};
pub use folds::FoldsObjective;
pub use hyperparameters::{Hyperparameters, NAMES as PARAMETER_NAMES, SETTING_NAMES, SHAPE_NAMES};
pub use kernel::{ISA_VARIABLE, InstructionSet, IsaError, available as instruction_sets, precision_here};
pub use learner::{Diverged, Learner, StepReport};
pub use model::{Architecture, ArchitectureError, BrokenLayer, Cost, Form, Geometry, Layer, cost};
pub use objective::{CalibrateError, Calibrated, Fitted, PatchTstObjective};
pub use onnx::{OnnxError, OnnxModel};
pub use predict::{PredictedTable, Prediction, Predictor};
pub use settings::{TrialSettings, settings_of};
pub use training::TrainError;
