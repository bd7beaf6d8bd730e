//! A ladder's data in memory, its model's objective and its feasible architectures.

use allometry_core::{ModelSize, PanelRow, Params, RowCount, SearchSpace, SizeBudget, SizeReach};
use allometry_ladder::{
    BudgetSpec, DataSpec, LabelSpec, Ladder, MissingPolicy, ModelSpec, Normalize, ObjectiveSpec, Task,
};
use allometry_runner::LadderFacts;
use allometry_search::{Feasible, Measured};
use allometry_store::facts::{BaselineFacts, DataFacts, LabelFacts, ModelFacts, ObjectiveFacts, PanelFacts};
use allometry_trainer::baseline::baselines;
use allometry_trainer::data::{
    Categories, Dataset, Leak, PartName, TableSummary, Window, check_classes, check_train_part, leaks, load,
};
use allometry_trainer::{
    Architecture, ArchitectureError, Geometry, PatchTstObjective, SHAPE_NAMES, cost, settings_of,
};

use crate::SessionError;

/// A ladder with its data in memory.
pub struct Prepared<'a> {
    ladder: &'a Ladder,
    data: &'a DataSpec,
    model: &'a ModelSpec,
    dataset: Dataset,
    /// The data set without scaling, if trials choose their own.
    unscaled: Option<Dataset>,
    summary: TableSummary,
}

impl<'a> Prepared<'a> {
    /// Loads the data.
    ///
    /// # Errors
    /// [`SessionError::Data`]; [`SessionError::Usage`] for a ladder whose trials a command evaluates.
    pub fn new(ladder: &'a Ladder) -> Result<Self, SessionError> {
        let ObjectiveSpec::Model { data, model } = &ladder.objective else {
            return Err(SessionError::Usage {
                message: format!("the trials of `{}` are trained by its command", ladder.name),
                hint: Some("this works on ladders with a [model], the built-in transformer".into()),
            });
        };
        let loaded = load(data, model.context, model.normalize, model.task)?;
        let is_searched = ladder.budgets.iter().any(|spec| spec.space.get("normalize").is_some());
        let unscaled = if is_searched {
            Some(load(data, model.context, Normalize::None, model.task)?.dataset)
        } else {
            None
        };
        let mut parts: Vec<RowCount> = Vec::new();
        for part in ladder.budgets.iter().filter_map(|spec| spec.budget.train.as_ref()) {
            if !parts.contains(&part.rows) {
                check_train_part(&data.path, &loaded.dataset, part.rows, model.task)?;
                parts.push(part.rows);
            }
        }
        Ok(Self { ladder, data, model, dataset: loaded.dataset, unscaled, summary: loaded.summary })
    }

    /// Returns the objective that trains and evaluates trials.
    ///
    /// # Errors
    /// [`SessionError::Model`] where the model does not fit its data; [`SessionError::Device`] where its
    /// device is missing.
    pub fn objective(&self) -> Result<PatchTstObjective<'_>, SessionError> {
        objective(&self.dataset, self.unscaled.as_ref(), self.model.clone())
    }

    /// Checks that the test rows can judge a model.
    ///
    /// # Errors
    /// [`SessionError::Data`] where all have one class.
    pub fn check_test_part(&self) -> Result<(), SessionError> {
        if self.model.task != Task::Regression {
            let names = &self.dataset.preparation.class_names;
            check_classes(&self.data.path, PartName::Test, &self.dataset.test, names)?;
        }
        Ok(())
    }

    /// Returns the features that give the label away.
    pub fn leaks(&self) -> Vec<Leak> {
        leaks(&self.dataset, self.model.task, self.horizon())
    }

    /// Returns the training steps per epoch of a trial with these settings and this many weights.
    pub fn steps(&self, model: &ModelSpec, weights: u64) -> usize {
        self.dataset.train.windows.len().div_ceil(model.batch_size(weights) * model.accumulate)
    }

    /// Returns the configurations that a budget admits.
    ///
    /// # Errors
    /// [`SessionError::Space`] where there is none; [`SessionError::Model`] where the model does not fit
    /// its data.
    pub fn feasible(&self, spec: &BudgetSpec) -> Result<Feasible, SessionError> {
        let (features, classes) = (self.dataset.features(), self.dataset.preparation.classes);
        if features == 0 {
            return Err(ArchitectureError::NoFeatures.into());
        }
        let measure = |params: &Params| measured(params, features, classes, self.model);
        let BudgetSpec { space, budget, constraints, conditions, .. } = spec;
        Ok(Feasible::shaped_by(&SHAPE_NAMES, space, budget, constraints, conditions, measure)?)
    }

    /// Settings of the ladder's model.
    pub fn model(&self) -> &ModelSpec {
        self.model
    }

    /// Rows ahead that a label looks.
    pub fn horizon(&self) -> usize {
        self.data.label.horizon()
    }

    /// Treatment of missing and infinite features.
    pub fn missing(&self) -> MissingPolicy {
        self.data.missing
    }

    /// The table's file.
    pub fn path(&self) -> &std::path::Path {
        &self.data.path
    }

    /// Figures of the table.
    pub fn summary(&self) -> &TableSummary {
        &self.summary
    }

    /// Names of the features, in the order of their columns.
    pub fn features(&self) -> &[String] {
        &self.dataset.feature_names
    }

    /// Columns of which each category is a feature.
    pub fn categories(&self) -> &[Categories] {
        &self.dataset.preparation.categories
    }

    /// Names of the label's classes in their order; empty if they have none.
    pub fn class_names(&self) -> &[String] {
        &self.dataset.preparation.class_names
    }

    /// Returns the name of a class: its number if the label holds no names.
    pub fn class_name(&self, class: usize) -> String {
        self.dataset.preparation.class_name(class)
    }

    /// Data in memory.
    pub(crate) fn dataset(&self) -> &Dataset {
        &self.dataset
    }

    /// Data in memory without scaling, if trials choose their own.
    pub(crate) fn unscaled(&self) -> Option<&Dataset> {
        self.unscaled.as_ref()
    }

    /// Seed of everything random.
    pub(crate) fn seed(&self) -> u64 {
        self.ladder.seed
    }

    /// Returns what the studies say of themselves: the objective, the classes of the validation rows, and
    /// baselines.
    ///
    /// Fitting the baselines takes about as long as one short trial.
    pub fn facts(&self) -> LadderFacts {
        let task = self.model.task;
        let baselines = baselines(&self.dataset, task, self.horizon());
        let baselines = baselines.into_iter().map(|baseline| BaselineFacts {
            name: baseline.name.into(),
            description: baseline.description,
            value: baseline.metrics.get(task.metric().as_str()).copied(),
            metrics: baseline.metrics,
        });
        LadderFacts {
            validation: (task == Task::Binary).then(|| self.dataset.validation.counts()),
            baselines: baselines.collect(),
            panel: self.panel(),
            ..LadderFacts::new(self.objective_facts())
        }
    }

    /// Returns the series and the time of each validation and test row; `None` for a table of one series.
    pub(crate) fn panel(&self) -> Option<PanelFacts> {
        let panel = self.dataset.panel.as_ref()?;
        let parts = [&self.dataset.validation, &self.dataset.test];
        let mut windows: Vec<Window> = parts.iter().flat_map(|part| &part.windows).copied().collect();
        windows.sort_by_key(|window| window.last);
        let row = |window: &Window| PanelRow {
            row: window.row,
            series: panel.series_of(window.last) as u32,
            time: panel.times[window.last],
        };
        Some(PanelFacts::new(panel.names.clone(), windows.iter().map(row)))
    }

    /// Returns what the studies say of their objective: the model and its data.
    pub fn objective_facts(&self) -> ObjectiveFacts {
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
            class_names: self.dataset.preparation.class_names.clone(),
            max_gap: data.max_gap,
            series: data.series.clone(),
        };
        ObjectiveFacts::Model(Box::new(ModelFacts { model: model.clone(), data, part: None }))
    }
}

/// Returns the objective of a model on the device that it asks for. `unscaled` is the data set without
/// scaling, if trials choose their own.
///
/// # Errors
/// As [`Prepared::objective`].
pub(crate) fn objective<'d>(
    dataset: &'d Dataset,
    unscaled: Option<&'d Dataset>,
    model: ModelSpec,
) -> Result<PatchTstObjective<'d>, SessionError> {
    let device = allometry_gpu::open(model.device)?;
    let mut objective = PatchTstObjective::new(dataset, model)?;
    if let Some(unscaled) = unscaled {
        objective = objective.with_unscaled(unscaled);
    }
    Ok(match device {
        Some(device) => objective.on(device),
        None => objective,
    })
}

/// Returns the size and the work of an architecture, which are known before it is trained.
///
/// `features` is the number of features of a row, `classes` that of the label's classes, and `model` are the
/// settings of the ladder.
pub(crate) fn measured(params: &Params, features: usize, classes: usize, model: &ModelSpec) -> Measured {
    let measure = || {
        let (architecture, own) = (Architecture::from_params(params)?, settings_of(model, params)?);
        let geometry = Geometry::new(features, classes, &own)?;
        // One training window and no validation window.
        let flops = cost(architecture, geometry, &own, [1, 0]).flops_per_epoch as f64;
        let size = architecture.model_size(geometry);
        Ok::<_, ArchitectureError>(Measured { size: Some(size), flops: Some(flops) })
    };
    measure().unwrap_or_default()
}

/// Returns the smallest and largest size of a space over all budgets; `None` where sizes are unknown.
pub fn reach(space: &SearchSpace, size: impl Fn(&Params) -> Option<ModelSize>) -> Option<SizeReach> {
    let any = SizeBudget::nominal("");
    let (smallest, largest) = Feasible::new(space, &any, size).ok()?.census().reach?;
    Some(SizeReach { smallest, largest })
}
