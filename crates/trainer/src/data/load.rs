//! Loading of a data set from a file.

use std::ops::Range;
use std::path::Path;

use allometry_core::RowCount;
use allometry_ladder::{DataSpec, FoldSpec, LabelSpec, MissingPolicy, Normalize, Task};

use super::categories::{Categories, width};
use super::columns::Wanted;
use super::cut::Cut;
use super::dataset::{Dataset, Preparation};
use super::error::{DataError, TrainPartProblem};
use super::fill::fill;
use super::format::read;
use super::kept_rows::Kept;
use super::panel::Panel;
use super::rows::Rows;
use super::scale::{moments, standardise};
use super::series::Sequence;
use super::split::{Fold, Windows};
use super::summary::{SeriesSummary, TableSummary};

/// A data set and a summary of its table.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// Rows and windows. Where the table has folds, its training and validation part are those of the model
    /// that is trained on all rows before the test part: the validation part chooses the epoch alone.
    pub dataset: Dataset,
    /// Counts of the table and its parts.
    pub summary: TableSummary,
    /// Data sets of the folds in their order, each with its era as the test part; empty without folds.
    pub folds: Vec<Dataset>,
}

/// Reads a table and cuts it into windows of `context` rows (at least 1).
///
/// Rows are put in time order and labels are computed. Missing and infinite features are filled, or their
/// rows left out, if the ladder says so. The rest is split, with the label's horizon and the context as the
/// embargo between parts.
///
/// The rows of a window are consecutive among those left, so a window may span a row that was left out. No
/// window contains two neighbouring rows whose times differ by more than the ladder's `max_gap`, neither do
/// the rows that its label looks ahead; such windows belong to no part. The
/// horizon of a threshold label counts rows before any was left out. Windows that end in a row without a
/// known label belong to no part: the last `horizon` rows of a threshold label, rows at the end with an
/// empty label, and, if rows with gaps are left out, rows with a missing label.
///
/// In a table of several series all of this is within each series: windows, labels, holes and filled values
/// never reach from one into another. The rows of a series stand together, the series in the order of their
/// names.
///
/// Features of categories are 0 or 1, one for each category of the rows of training windows, and stand after
/// the numbers. A row with another category has 0 in all of them. A column of categories with learned vectors
/// is one feature, after those: the number of the category, or 0 for another one.
///
/// With walk-forward folds the validation part is cut into eras, and each fold has a data set of its own,
/// with means, scales and known categories of its own training rows. The features are the same in all folds:
/// a category is one if it is known in the last training rows, and has 0 in a fold whose training rows lack
/// it.
///
/// With [`Normalize::Standard`] the numbers are scaled by their mean and standard deviation over the rows
/// of training windows. Otherwise they are as in the file.
///
/// # Errors
/// [`DataError`] if the file cannot be read or does not contain what the ladder asks for, if a part has no
/// window or is not longer than the label's horizon, or if the training or validation part has a single
/// class.
pub fn load(spec: &DataSpec, context: usize, normalize: Normalize, task: Task) -> Result<Loaded, DataError> {
    check_spec(spec, task)?;
    let windows = Windows { context, horizon: spec.label.horizon() };
    let mut rows = read_rows(spec, task)?;
    let kept = Kept::new(spec, &mut rows)?;
    let (cut, of_folds) = cuts(spec, task, &rows, &kept, windows)?;
    let in_order = &kept.sequence.rows;
    let fitted = cut.fitted.iter().flat_map(|range| &in_order[range.clone()]);
    let (categories, unseen) = rows.categories(in_order, &fitted);
    let classes = cut.classes;
    let mut summary = summary(&rows, &kept, &cut, context);
    (summary.features, summary.unseen) = (rows.selection.features.len() + width(&categories), unseen);
    summary.folds = of_folds.iter().map(|cut| cut.parts_summary(&rows, classes)).collect();
    let prepared = Prepared { spec, normalize, task, context, categories };
    let folds = of_folds.into_iter().map(|cut| prepared.fold(&rows, &kept, cut)).collect();
    let means = fill_means(spec, &mut rows, &fitted);
    (summary.gaps, summary.filled) = (rows.gap_counts(), rows.filled_counts());
    let numbers = Rows::gather(std::mem::take(&mut rows.values), rows.selection.features.len(), in_order);
    let dataset = prepared.dataset((&rows, numbers, means), &kept, cut);
    Ok(Loaded { dataset, summary, folds })
}

/// What the data sets of all folds of a table have in common.
struct Prepared<'a> {
    spec: &'a DataSpec,
    normalize: Normalize,
    task: Task,
    context: usize,
    /// Columns of which each category is a feature.
    categories: Vec<Categories>,
}

impl Prepared<'_> {
    /// Returns the data set of a fold. Means, scales and known categories are those of its own training rows.
    fn fold(&self, rows: &Rows, kept: &Kept, cut: Cut) -> Dataset {
        let (in_order, features) = (&kept.sequence.rows, rows.selection.features.len());
        let mut values = rows.values.clone();
        let mut means = Vec::new();
        if self.spec.missing == MissingPolicy::Mean {
            means = rows.means(&cut.fitted.iter().flat_map(|range| &in_order[range.clone()]));
            fill(&mut values, &means);
        }
        let numbers = Rows::gather(values, features, in_order);
        self.dataset((rows, numbers, means), kept, cut)
    }

    /// Returns the data set of a cut of the rows that are left, whose features that are numbers are
    /// `numbers`, filled with `means`.
    fn dataset(&self, (rows, numbers, means): (&Rows, Vec<f32>, Vec<f64>), kept: &Kept, cut: Cut) -> Dataset {
        let (spec, categories) = (self.spec, self.categories.clone());
        let (in_order, features) = (&kept.sequence.rows, rows.selection.features.len());
        let Cut { parts: [train, validation, test], fitted, times, classes, .. } = cut;
        let target = (self.task == Task::Regression).then(|| {
            let values: Vec<f32> = train.windows.iter().map(|w| w.target).collect();
            moments(&values, 1)[0]
        });
        let names = rows.selection.features.iter().map(|&column| rows.names[column].clone());
        let feature_names = names.chain(categories.iter().flat_map(Categories::features)).collect();
        let mut numbers = numbers;
        let is_scaled = self.normalize == Normalize::Standard;
        let scaling = is_scaled.then(|| standardise(&mut numbers, features, &fitted));
        let training = fitted.iter().flat_map(|range| &in_order[range.clone()]);
        let (known, _) = rows.categories(&[], &training);
        let values = rows.encoded(numbers, (&categories, Some(&known)), in_order);
        let preparation = Preparation {
            time: spec.time.clone(),
            series: spec.series.as_ref().map(|series| series.column.clone()),
            missing: spec.missing,
            max_gap: spec.max_gap,
            means,
            scaling,
            categories,
            classes,
            class_names: rows.class_names.clone(),
            target,
        };
        let panel = rows.series.as_ref().map(|series| Panel {
            names: series.names.clone(),
            ends: kept.sequence.ends.clone(),
            times,
        });
        let (targets, context) = (kept.targets.clone(), self.context);
        Dataset { feature_names, values, panel, context, targets, train, validation, test, preparation }
    }
}

/// Cuts a table into its parts, and into those of each fold; where it has folds, the parts are those of the
/// model that is trained on all rows before the test part.
fn cuts(
    spec: &DataSpec,
    task: Task,
    rows: &Rows,
    kept: &Kept,
    windows: Windows,
) -> Result<(Cut, Vec<Cut>), DataError> {
    let Some(folds) = spec.folds else {
        return Ok((Cut::new(spec, task, (rows, kept), windows, None)?, Vec::new()));
    };
    let cut = |folds: FoldSpec| -> Result<Vec<Cut>, DataError> {
        let all = Fold::all(kept.sequence.rows.len(), spec.split, folds);
        let one = |(number, fold): (usize, Fold)| {
            let named = |cause| DataError::Fold {
                fold: (number < folds.count).then_some(number as u64 + 1),
                folds: folds.count as u64,
                most: None,
                cause: Box::new(cause),
            };
            Cut::new(spec, task, (rows, kept), windows, Some(fold)).map_err(named)
        };
        all.into_iter().enumerate().map(one).collect()
    };
    let mut cuts = cut(folds).map_err(|error| {
        let fewer = (FoldSpec::FEWEST..folds.count).rev();
        error.with_most(fewer.map(|count| FoldSpec { count, ..folds }).find(|folds| cut(*folds).is_ok()))
    })?;
    let last = cuts.pop().expect("the test part has a fold");
    Ok((last, cuts))
}

/// Counts a table and its parts, before features are filled.
fn summary(rows: &Rows, kept: &Kept, cut: &Cut, context: usize) -> TableSummary {
    let series = rows.series.as_ref();
    TableSummary {
        rows: rows.len() as u64,
        dropped: (rows.len() - kept.sequence.rows.len()) as u64,
        unlabelled: kept.targets.iter().filter(|target| target.is_none()).count() as u64,
        spacing: cut.spacing,
        holes: cut.holes.clone(),
        series: series.map(|series| series_summary(&series.names, &kept.sequence, context)),
        features: rows.selection.features.len(),
        left_out: rows.selection.left_out.clone(),
        gaps: Vec::new(),
        filled: Vec::new(),
        unseen: Vec::new(),
        parts: cut.parts_summary(rows, cut.classes),
        folds: Vec::new(),
    }
}

/// Reads the rows of a table, with the names of classes as numbers.
fn read_rows(spec: &DataSpec, task: Task) -> Result<Rows, DataError> {
    let path = &spec.path;
    let mut rows = read(Wanted::new(spec, task))?;
    if rows.len() == 0 {
        return Err(DataError::NoRows { path: path.clone() });
    }
    if let LabelSpec::Column { positive, .. } = &spec.label {
        rows.number_classes(path, positive.as_deref())?;
    }
    if spec.missing == MissingPolicy::Error {
        rows.check_gaps(path)?;
    }
    Ok(rows)
}

fn series_summary(names: &[String], sequence: &Sequence, context: usize) -> SeriesSummary {
    let of = |(name, span): (&String, Range<usize>)| (name.clone(), span.len() as u64);
    let all: Vec<(String, u64)> = names.iter().zip(sequence.spans()).map(of).collect();
    let shortest = all.iter().min_by_key(|(_, rows)| *rows).cloned().unwrap_or_default();
    let longest = all.iter().rev().max_by_key(|(_, rows)| *rows).cloned().unwrap_or_default();
    let count = all.len() as u64;
    let short = all.into_iter().filter(|(_, rows)| *rows < context as u64).collect();
    SeriesSummary { count, shortest, longest, short }
}

/// Returns an error for settings that no table can have.
fn check_spec(spec: &DataSpec, task: Task) -> Result<(), DataError> {
    if spec.split.train + spec.split.validation >= 1.0 {
        return Err(DataError::SplitSum { train: spec.split.train, validation: spec.split.validation });
    }
    if task != Task::Binary && matches!(spec.label, LabelSpec::Rise { .. }) {
        return Err(DataError::ThresholdLabel { path: spec.path.clone() });
    }
    Ok(())
}

/// Fills missing numbers with the means over the training rows, and returns the means; nothing if the ladder
/// does not ask for that.
fn fill_means<'a>(
    spec: &DataSpec,
    rows: &mut Rows,
    training: &(impl Iterator<Item = &'a usize> + Clone),
) -> Vec<f64> {
    if spec.missing != MissingPolicy::Mean {
        return Vec::new();
    }
    let means = rows.means(training);
    rows.fill_means(&means);
    means
}

/// Checks that a part of the training rows has windows, but not all of them, and two classes unless the task
/// is regression.
///
/// # Errors
/// [`DataError::TrainPart`].
pub fn check_train_part(path: &Path, dataset: &Dataset, rows: RowCount, task: Task) -> Result<(), DataError> {
    let windows = dataset.train.windows.len();
    let part = dataset.train_part(Some(rows));
    let targets = || part.windows.iter().map(|window| window.target);
    let is_less_than_one = matches!(rows, RowCount::Share(share) if share * (windows as f64) < 1.0);
    let problem = match part.windows.len() {
        0 => TrainPartProblem::None,
        _ if is_less_than_one => TrainPartProblem::None,
        all if all == windows => TrainPartProblem::All,
        _ if task != Task::Regression && targets().all(|target| Some(target) == targets().next()) => {
            TrainPartProblem::OneClass
        }
        _ => return Ok(()),
    };
    Err(DataError::TrainPart { path: path.to_owned(), rows, problem, windows })
}
