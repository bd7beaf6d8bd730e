//! What `run` and `check` share: the data in memory, the model's objective, the feasible architectures.

use allometry_core::ladder::{BudgetSpec, DataSpec, LabelSpec, Ladder, ModelSpec, ObjectiveSpec, Task};
use allometry_core::space::{Feasible, Measured};
use allometry_core::{ModelSize, Params, SearchSpace, SizeBudget, SizeReach, WeightTarget};
use allometry_runner::LadderFacts;
use allometry_store::facts::{BaselineFacts, DataFacts, LabelFacts, ModelFacts, ObjectiveFacts};
use allometry_trainer::baseline::baselines;
use allometry_trainer::data::{Dataset, PartName, TableSummary, check_classes, load};
use allometry_trainer::{Architecture, Geometry, PatchTstObjective, cost};

use super::shuffle;
use crate::error::CliError;

/// A ladder whose data are in memory.
pub(super) struct Prepared<'a> {
    ladder: &'a Ladder,
    data: &'a DataSpec,
    model: &'a ModelSpec,
    dataset: Dataset,
    summary: TableSummary,
}

impl<'a> Prepared<'a> {
    /// Loads the data.
    ///
    /// # Errors
    /// [`CliError::Data`]; [`CliError::Usage`] for a ladder whose trials a command evaluates.
    pub(super) fn new(ladder: &'a Ladder) -> Result<Self, CliError> {
        let ObjectiveSpec::Model { data, model } = &ladder.objective else {
            return Err(CliError::Usage {
                message: format!("the trials of `{}` are trained by its command", ladder.name),
                hint: Some("this works on ladders with a [model], the built-in transformer".into()),
            });
        };
        let loaded = load(data, model.context, model.normalize, model.task)?;
        Ok(Self { ladder, data, model, dataset: loaded.dataset, summary: loaded.summary })
    }

    /// What trials are evaluated by.
    ///
    /// # Errors
    /// [`CliError::Model`] where the ladder's model does not fit its data, [`CliError::Device`] where its device is not there.
    pub(super) fn objective(&self) -> Result<PatchTstObjective<'_>, CliError> {
        objective(&self.dataset, self.model.clone())
    }

    /// Looks whether the test rows can judge a model.
    ///
    /// # Errors
    /// [`CliError::Data`] where all have one class.
    pub(super) fn check_test_part(&self) -> Result<(), CliError> {
        if self.model.task != Task::Regression {
            check_classes(&self.data.path, PartName::Test, &self.dataset.test)?;
        }
        Ok(())
    }

    /// Training steps of one epoch of a model of this many weights.
    pub(super) fn steps(&self, weights: u64) -> usize {
        let model = self.model;
        self.dataset.train.windows.len().div_ceil(model.batch_size(weights) * model.accumulate)
    }

    /// The architectures that a budget admits.
    ///
    /// # Errors
    /// [`CliError::Space`] where there is none, [`CliError::Model`] where the ladder's model does not fit its data.
    pub(super) fn feasible(&self, spec: &BudgetSpec) -> Result<Feasible, CliError> {
        let model = self.model;
        let geometry = Geometry::new(self.dataset.features(), self.dataset.preparation.classes, model)?;
        let measure = |params: &Params| measured(params, geometry, model);
        let BudgetSpec { space, budget, constraints, conditions, .. } = spec;
        Ok(Feasible::conditional(space, budget, constraints, conditions, measure)?)
    }

    /// Settings of the model.
    pub(super) fn model(&self) -> &ModelSpec {
        self.model
    }

    /// Rows ahead that a label looks.
    pub(super) fn horizon(&self) -> usize {
        self.data.label.horizon()
    }

    /// The table's file.
    pub(super) fn path(&self) -> &std::path::Path {
        &self.data.path
    }

    /// Figures of the table.
    pub(super) fn summary(&self) -> &TableSummary {
        &self.summary
    }

    /// The label-shuffle control of a configuration.
    ///
    /// # Errors
    /// [`CliError`] where labels are not binary, a training fails, or the control does.
    pub(super) fn shuffle_control(&self, spec: &BudgetSpec, params: &Params) -> Result<String, CliError> {
        if self.model.task != Task::Binary {
            return Err(CliError::Usage {
                message: "--shuffle judges an AUC of binary labels".into(),
                hint: None,
            });
        }
        shuffle::control(&self.dataset, self.model, spec, params, self.ladder.seed)
    }

    /// What is stored with the studies: the question asked, and what the report says beside the trials.
    ///
    /// Baselines are fitted here; that takes about as long as one short trial.
    pub(super) fn facts(&self) -> LadderFacts {
        let (data, model) = (self.data, self.model);
        let horizon = match &data.label {
            LabelSpec::Column { horizon, .. } => *horizon as u64,
            LabelSpec::Rise { .. } => 1,
        };
        let data = DataFacts {
            rows: self.summary.rows,
            features: self.dataset.feature_names.clone(),
            label: LabelFacts::from(&data.label),
            split: data.split.into(),
            na: data.missing,
            horizon,
            classes: (model.task == Task::Classes).then_some(self.dataset.preparation.classes),
        };
        let baselines = baselines(&self.dataset, model.task).into_iter().map(|baseline| BaselineFacts {
            name: baseline.name.into(),
            description: baseline.description,
            value: baseline.metrics.get(model.task.metric().as_str()).copied(),
            metrics: baseline.metrics,
        });
        let objective = ModelFacts { model: model.clone(), data, part: None };
        LadderFacts {
            validation: (model.task == Task::Binary).then(|| self.dataset.validation.counts()),
            baselines: baselines.collect(),
            ..LadderFacts::new(ObjectiveFacts::Model(Box::new(objective)))
        }
    }
}

/// What trials are evaluated by, on the device that the model asks for.
///
/// # Errors
/// As [`Prepared::objective`].
pub(super) fn objective(dataset: &Dataset, model: ModelSpec) -> Result<PatchTstObjective<'_>, CliError> {
    let device = allometry_gpu::open(model.device)?;
    let objective = PatchTstObjective::new(dataset, model)?;
    Ok(match device {
        Some(device) => objective.on(device),
        None => objective,
    })
}

/// What is known of an architecture before it is trained.
pub(super) fn measured(params: &Params, geometry: Geometry, model: &ModelSpec) -> Measured {
    let Ok(architecture) = Architecture::from_params(params) else { return Measured::default() };
    // Training on one window and validating on none.
    let flops = cost(architecture, geometry, model, [1, 0]).flops_per_epoch as f64;
    Measured { size: Some(architecture.model_size(geometry)), flops: Some(flops) }
}

/// Sizes that a space reaches whatever the budget; `None` where none can be counted.
pub(super) fn reach(space: &SearchSpace, size: impl Fn(&Params) -> Option<ModelSize>) -> Option<SizeReach> {
    let any = SizeBudget { label: String::new(), target: WeightTarget::Any };
    let (smallest, largest) = Feasible::new(space, &any, size).ok()?.census().reach?;
    Some(SizeReach { smallest, largest })
}
