//! Hyperparameters of a trial.

use allometry_core::Params;

use crate::model::{Architecture, ArchitectureError};

/// Names of all parameters that a search space may contain.
pub const NAMES: [&str; 15] = [
    "d_model",
    "n_layers",
    "n_heads",
    "d_ff_ratio",
    "learning_rate",
    "dropout",
    "weight_decay",
    "batch_size",
    "epochs",
    "warmup_epochs",
    "loss",
    "normalize",
    "context",
    "patch",
    "stride",
];

/// Names of the parameters that are settings of `[model]` where they are not searched.
pub const SETTING_NAMES: [&str; 8] =
    ["batch_size", "epochs", "warmup_epochs", "loss", "normalize", "context", "patch", "stride"];

/// Names of the parameters that determine the number of weights.
pub const SHAPE_NAMES: [&str; 7] =
    ["d_model", "n_layers", "n_heads", "d_ff_ratio", "context", "patch", "stride"];

/// Hyperparameters of a trial that are not settings of `[model]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hyperparameters {
    /// Shape of the model.
    pub architecture: Architecture,
    /// Peak learning rate, 1e-4 by default.
    pub learning_rate: f64,
    /// Dropout probability, 0.1 by default.
    pub dropout: f64,
    /// Decoupled weight decay, 0 by default.
    pub weight_decay: f64,
}

impl Hyperparameters {
    /// Reads the hyperparameters from `params`.
    ///
    /// # Errors
    /// [`ArchitectureError`] for a parameter that is missing, unknown, or out of its range.
    pub fn from_params(params: &Params) -> Result<Self, ArchitectureError> {
        if let Some((name, _)) = params.iter().find(|(name, _)| !NAMES.contains(name)) {
            return Err(ArchitectureError::Unknown { name: name.into() });
        }
        let number = |name: &'static str, default: f64, range: &'static str, inside: fn(f64) -> bool| {
            let Some(value) = params.get(name) else { return Ok(default) };
            value
                .as_f64()
                .filter(|x| x.is_finite() && inside(*x))
                .ok_or_else(|| ArchitectureError::OutOfRange { name, value: value.repr(), range })
        };
        Ok(Self {
            architecture: Architecture::from_params(params)?,
            learning_rate: number("learning_rate", 1e-4, "a number above 0", |x| x > 0.0)?,
            dropout: number("dropout", 0.1, "a number in [0, 1)", |x| (0.0..1.0).contains(&x))?,
            weight_decay: number("weight_decay", 0.0, "a number of at least 0", |x| x >= 0.0)?,
        })
    }
}
