//! A ladder's data in memory, its model's objective and its feasible architectures.

use allometry_core::{
    ClassCounts, ModelSize, PanelRow, Params, Precision, RowCount, SearchSpace, SizeBudget, SizeReach,
};
use allometry_ladder::{
    BudgetSpec, DataSpec, DeviceKind, FoldSpec, LabelSpec, Ladder, MissingPolicy, ModelSpec, Normalize,
    ObjectiveSpec, Task,
};
use allometry_runner::LadderFacts;
use allometry_search::{Feasible, Measured};
use allometry_store::facts::{
    BaselineFacts, DataFacts, EmbeddingFacts, EraSpan, FoldFacts, LabelFacts, ModelFacts, ObjectiveFacts,
    PanelFacts,
};
use allometry_trainer::baseline::{BaselineResult, baselines};
use allometry_trainer::data::{
    Categories, Dataset, Leak, Loaded, PartName, SplitPart, TableSummary, Window, check_classes,
    check_train_part, leaks, load,
};
use allometry_trainer::{
    Architecture, ArchitectureError, CategoryEmbedding, Embeddings, FoldsObjective, Geometry, Inputs,
    PatchTstObjective, SHAPE_NAMES, cost, precision_here, settings_of,
};

use crate::SessionError;

/// A ladder with its data in memory.
pub struct Prepared<'a> {
    ladder: &'a Ladder,
    data: &'a DataSpec,
    /// Settings of the ladder's model, with the precision that trials are trained in.
    model: ModelSpec,
    /// The only data set, or with folds that of the model that is trained on all rows before the test part.
    dataset: Dataset,
    /// The data set without scaling, if trials choose their own.
    unscaled: Option<Dataset>,
    /// Data sets of the folds, scaled and, if trials choose their own scaling, as they are.
    folds: Vec<(Dataset, Option<Dataset>)>,
    summary: TableSummary,
}

impl<'a> Prepared<'a> {
    /// Loads the data. `stored` is the [precision](crate::stored_precision) that the ladder's studies began
    /// with; the precision `auto` is that one, and without studies the fastest of the device.
    ///
    /// # Errors
    /// [`SessionError::Data`]; [`SessionError::Usage`] for a ladder whose trials a command evaluates, and for
    /// studies in a precision that the device does not train in.
    pub fn new(ladder: &'a Ladder, stored: Option<Precision>) -> Result<Self, SessionError> {
        let ObjectiveSpec::Model { data, model } = &ladder.objective else {
            return Err(SessionError::Usage {
                message: format!("the trials of `{}` are trained by its command", ladder.name),
                hint: Some("this works on ladders with a [model], the built-in transformer".into()),
            });
        };
        let model = ModelSpec { precision: settled_precision(model, stored)?, ..model.clone() };
        let loaded = load(data, model.context, model.normalize, model.task)?;
        let is_searched = ladder.budgets.iter().any(|spec| spec.space.get("normalize").is_some());
        let (unscaled, of_folds) = if is_searched {
            let Loaded { dataset, folds, .. } = load(data, model.context, Normalize::None, model.task)?;
            (Some(dataset), folds)
        } else {
            (None, Vec::new())
        };
        let Loaded { dataset, summary, folds } = loaded;
        let mut parts: Vec<RowCount> = Vec::new();
        for part in ladder.budgets.iter().filter_map(|spec| spec.budget.train.as_ref()) {
            if !parts.contains(&part.rows) {
                for dataset in folds.iter().chain([&dataset]) {
                    check_train_part(&data.path, dataset, part.rows, model.task)?;
                }
                parts.push(part.rows);
            }
        }
        let of_folds = of_folds.into_iter().map(Some).chain(std::iter::repeat_with(|| None));
        let folds = folds.into_iter().zip(of_folds).collect();
        Ok(Self { ladder, data, model, dataset, unscaled, folds, summary })
    }

    /// Returns the objective that trains trials in each fold; `None` for a ladder without folds.
    ///
    /// # Errors
    /// As [`Prepared::objective`].
    pub fn folds_objective(&self) -> Result<Option<FoldsObjective<'_>>, SessionError> {
        if self.folds.is_empty() {
            return Ok(None);
        }
        let mut folds = Vec::with_capacity(self.folds.len());
        for (dataset, unscaled) in &self.folds {
            folds.push(objective(dataset, unscaled.as_ref(), self.model.clone())?);
        }
        Ok(Some(FoldsObjective::new(folds)))
    }

    /// Returns the objective that trains a model once and evaluates it: each trial of a ladder without folds,
    /// and the model on all rows before the test part.
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
            check_classes(self.data, PartName::Test, &self.dataset.test, names)?;
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
        let (inputs, classes) = (self.dataset.inputs()?, self.dataset.preparation.classes);
        if inputs.features == 0 {
            return Err(ArchitectureError::NoFeatures.into());
        }
        let measure = |params: &Params| measured(params, inputs, classes, &self.model);
        let BudgetSpec { space, budget, constraints, conditions, .. } = spec;
        Ok(Feasible::shaped_by(&SHAPE_NAMES, space, budget, constraints, conditions, measure)?)
    }

    /// Settings of the ladder's model.
    pub fn model(&self) -> &ModelSpec {
        &self.model
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

    /// Walk-forward folds; `None` if each trial is one training.
    pub fn fold_spec(&self) -> Option<FoldSpec> {
        self.data.folds
    }

    /// Returns the number of data sets in memory and the bytes of their values together.
    pub fn copies(&self) -> (u64, u64) {
        let of_folds = self.folds.iter().flat_map(|(dataset, unscaled)| [Some(dataset), unscaled.as_ref()]);
        let all = of_folds.chain([Some(&self.dataset), self.unscaled.as_ref()]).flatten();
        all.fold((0, 0), |(count, bytes), dataset| {
            (count + 1, bytes + size_of_val(dataset.values.as_slice()) as u64)
        })
    }

    /// Names of the features, in the order of their columns.
    pub fn features(&self) -> &[String] {
        &self.dataset.feature_names
    }

    /// Columns that never change within a series, though they do between series.
    pub fn static_columns(&self) -> Vec<&str> {
        self.dataset.static_columns()
    }

    /// Columns of categories.
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
        let baselines = self.baselines().into_iter().map(|baseline| BaselineFacts {
            name: baseline.name.into(),
            description: baseline.description,
            value: baseline.metrics.get(task.metric().as_str()).copied(),
            metrics: baseline.metrics,
        });
        LadderFacts {
            validation: (task == Task::Binary).then(|| self.counts()),
            baselines: baselines.collect(),
            panel: self.panel(),
            folds: self.fold_facts(),
            ..LadderFacts::new(self.objective_facts())
        }
    }

    /// Returns the parts whose rows judge trials: the validation part, or the eras of the folds.
    fn judging(&self) -> Vec<&SplitPart> {
        if self.folds.is_empty() {
            vec![&self.dataset.validation]
        } else {
            self.folds.iter().map(|(dataset, _)| &dataset.test).collect()
        }
    }

    /// Returns the classes of the rows that judge trials.
    fn counts(&self) -> ClassCounts {
        self.judging().into_iter().map(SplitPart::counts).fold(
            ClassCounts { positives: 0, negatives: 0 },
            |sum, one| ClassCounts {
                positives: sum.positives + one.positives,
                negatives: sum.negatives + one.negatives,
            },
        )
    }

    /// Returns the baselines; with folds each is fitted before every era, and has the means of its metrics.
    fn baselines(&self) -> Vec<BaselineResult> {
        let (task, horizon) = (self.model.task, self.horizon());
        if self.folds.is_empty() {
            return baselines(&self.dataset, task, horizon);
        }
        let of_fold = |(dataset, _): &(Dataset, Option<Dataset>)| {
            let judged = Dataset { validation: dataset.test.clone(), ..dataset.clone() };
            baselines(&judged, task, horizon)
        };
        let folds: Vec<Vec<BaselineResult>> = self.folds.iter().map(of_fold).collect();
        BaselineResult::means(&folds)
    }

    /// Returns the eras with the rows of each; `None` for a ladder without folds.
    fn fold_facts(&self) -> Option<FoldFacts> {
        let eras = self.folds.iter().zip(&self.summary.folds).map(|((dataset, _), [_, _, era])| {
            let mut windows = dataset.test.windows.clone();
            windows.sort_by_key(|window| window.last);
            let span = EraSpan { first: era.first.clone(), last: era.last.clone() };
            (span, windows.into_iter().map(|window| window.row).collect::<Vec<u64>>())
        });
        (!self.folds.is_empty()).then(|| FoldFacts::new(eras))
    }

    /// Returns the series and the time of each validation and test row; `None` for a table of one series.
    pub(crate) fn panel(&self) -> Option<PanelFacts> {
        let panel = self.dataset.panel.as_ref()?;
        let parts = self.judging().into_iter().chain([&self.dataset.test]);
        let mut windows: Vec<Window> = parts.flat_map(|part| &part.windows).copied().collect();
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
        let (data, model) = (self.data, &self.model);
        let horizon = match &data.label {
            LabelSpec::Column { horizon, .. } => *horizon as u64,
            LabelSpec::Rise { .. } => 1,
        };
        let data = DataFacts {
            rows: self.summary.rows,
            features: self.dataset.feature_names.clone(),
            label: LabelFacts::from(&data.label),
            split: data.split.into(),
            folds: data.folds,
            na: data.missing,
            horizon,
            classes: (model.task == Task::Classes).then_some(self.dataset.preparation.classes),
            class_names: self.dataset.preparation.class_names.clone(),
            embeddings: self.dataset.preparation.with_vectors().map(embedding_facts).collect(),
            max_gap: data.max_gap,
            series: data.series.clone(),
        };
        ObjectiveFacts::Model(Box::new(ModelFacts { model: model.clone(), data, part: None }))
    }
}

/// Returns the precision that a model is trained in, given that of its studies.
///
/// # Errors
/// [`SessionError::Usage`] where the device does not train in it.
fn settled_precision(model: &ModelSpec, stored: Option<Precision>) -> Result<Precision, SessionError> {
    let asked = match (model.precision, stored) {
        (Precision::Auto, Some(stored)) => stored,
        (asked, _) => asked,
    };
    match (model.device, asked) {
        (DeviceKind::Cpu, asked) => Ok(precision_here(asked)),
        (device, Precision::Bf16) => Err(SessionError::Usage {
            message: format!(
                "the studies are trained in bf16, in which the device {} does not",
                device.as_str()
            ),
            hint: Some("--device cpu trains in any precision".into()),
        }),
        (_, Precision::Auto | Precision::F32) => Ok(Precision::F32),
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

/// Returns what a study says of a column of categories with learned vectors.
fn embedding_facts(column: &Categories) -> EmbeddingFacts {
    EmbeddingFacts { categories: column.names.len(), size: column.embedding.unwrap_or_default() }
}

/// Returns the size of a row on which the trials of a study are trained.
///
/// # Errors
/// [`ArchitectureError::Embeddings`] for columns that a model cannot have.
pub(crate) fn inputs_of(facts: &DataFacts) -> Result<Inputs, ArchitectureError> {
    let one = |facts: &EmbeddingFacts| CategoryEmbedding { categories: facts.categories, size: facts.size };
    let embeddings = Embeddings::new(facts.embeddings.iter().map(one))?;
    Ok(Inputs { features: facts.features.len(), embeddings })
}

/// Returns the size and the work of an architecture, which are known before it is trained.
///
/// `inputs` is the size of a row, `classes` the number of the label's classes, and `model` are the settings
/// of the ladder.
pub(crate) fn measured(params: &Params, inputs: Inputs, classes: usize, model: &ModelSpec) -> Measured {
    let measure = || {
        let (architecture, own) = (Architecture::from_params(params)?, settings_of(model, params)?);
        let geometry = Geometry::new(inputs, classes, &own)?;
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
