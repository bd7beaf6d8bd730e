//! The settings of one trial: those of its ladder with the values of its own parameters.

use allometry_core::{ParamValue, Params};
use allometry_ladder::{LossKind, ModelSpec, Named, Normalize};

use crate::hyperparameters::Hyperparameters;
use crate::model::{Architecture, ArchitectureError, Geometry, Inputs};

/// The model of a trial and its training, without data and seed.
#[derive(Debug, Clone, PartialEq)]
pub struct TrialSettings {
    /// Hyperparameters that only trials have.
    pub hyperparameters: Hyperparameters,
    /// Shape of the windows.
    pub geometry: Geometry,
    /// Settings of the ladder's table `[model]`, with the trial's own values of those that are searched.
    pub model: ModelSpec,
}

impl TrialSettings {
    /// Reads the settings of a trial on rows of `inputs`. `classes` is the number of classes of the label, if
    /// it has classes.
    ///
    /// # Errors
    /// [`ArchitectureError`] for parameters that do not define a model.
    pub fn new(
        params: &Params,
        ladder: &ModelSpec,
        inputs: impl Into<Inputs>,
        classes: usize,
    ) -> Result<Self, ArchitectureError> {
        let model = settings_of(ladder, params)?;
        Ok(Self {
            hyperparameters: Hyperparameters::from_params(params)?,
            geometry: Geometry::new(inputs, classes, &model)?,
            model,
        })
    }

    /// The searched part of the model's shape.
    pub fn architecture(&self) -> Architecture {
        self.hyperparameters.architecture
    }
}

/// Returns the settings of a trial: those of its ladder, with its own values of those that are searched.
///
/// # Errors
/// [`ArchitectureError`] for a value that is outside its range or of the wrong kind.
pub fn settings_of(ladder: &ModelSpec, params: &Params) -> Result<ModelSpec, ArchitectureError> {
    let mut own = ladder.clone();
    let replace = |setting: &mut usize, name: &'static str| -> Result<(), ArchitectureError> {
        *setting = count(params, name)?.unwrap_or(*setting);
        Ok(())
    };
    replace(&mut own.epochs, "epochs")?;
    replace(&mut own.context, "context")?;
    replace(&mut own.patch, "patch")?;
    replace(&mut own.stride, "stride")?;
    own.batch_size = count(params, "batch_size")?.or(own.batch_size);
    if let Some(value) = params.get("warmup_epochs") {
        let given = value.as_f64().filter(|epochs| *epochs >= 0.0 && epochs.is_finite());
        own.warmup_epochs =
            given.ok_or_else(|| out_of_range("warmup_epochs", value, "a number of at least 0"))?;
    }
    own.loss = word(params, "loss", LossKind::NAMED, "bce, weighted, focal or soft_auc")?.unwrap_or(own.loss);
    own.normalize =
        word(params, "normalize", Normalize::NAMED, "standard, revin or none")?.unwrap_or(own.normalize);
    Ok(own)
}

/// The value of a parameter that is a count of at least 1.
fn count(params: &Params, name: &'static str) -> Result<Option<usize>, ArchitectureError> {
    let Some(value) = params.get(name) else { return Ok(None) };
    match value.as_i64() {
        Some(count @ 1..=1_000_000) => Ok(Some(count as usize)),
        _ => Err(out_of_range(name, value, "a whole number of at least 1")),
    }
}

/// The value of a parameter whose values are words.
fn word<T: Copy>(
    params: &Params,
    name: &'static str,
    (words, values): Named<T>,
    range: &'static str,
) -> Result<Option<T>, ArchitectureError> {
    let Some(value) = params.get(name) else { return Ok(None) };
    let place = words.iter().position(|word| matches!(value, ParamValue::Text(text) if text == word));
    place.map(|place| Some(values[place])).ok_or_else(|| out_of_range(name, value, range))
}

fn out_of_range(name: &'static str, value: &ParamValue, range: &'static str) -> ArchitectureError {
    ArchitectureError::OutOfRange { name, value: value.repr(), range }
}
