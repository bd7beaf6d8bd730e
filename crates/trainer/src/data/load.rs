//! Loading of a data set from a file.

use std::ops::Range;
use std::path::Path;

use allometry_core::RowCount;
use allometry_ladder::{DataSpec, LabelSpec, MissingPolicy, Normalize, Task};

use super::categories::{Categories, width};
use super::columns::Wanted;
use super::dataset::{Dataset, PartName, Preparation, SplitPart, Window};
use super::error::{DataError, TrainPartProblem};
use super::format::read;
use super::holes::{Ordered, broken};
use super::label;
use super::rows::Rows;
use super::scale::{moments, standardise};
use super::split::{Split, part_rows};
use super::summary::{PartSummary, TableSummary};

/// A data set and a summary of its table.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// Rows and windows.
    pub dataset: Dataset,
    /// Counts of the table and its parts.
    pub summary: TableSummary,
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
/// Features of categories are 0 or 1, one for each category of the rows of training windows, and stand after
/// the numbers. A row with another category has 0 in all of them.
///
/// With [`Normalize::Standard`] the numbers are scaled by their mean and standard deviation over the rows
/// of training windows. Otherwise they are as in the file.
///
/// # Errors
/// [`DataError`] if the file cannot be read or does not contain what the ladder asks for, if a part has no
/// window or is not longer than the label's horizon, or if the training or validation part has a single
/// class.
pub fn load(spec: &DataSpec, context: usize, normalize: Normalize, task: Task) -> Result<Loaded, DataError> {
    let path = &spec.path;
    check_spec(spec, task)?;
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
    let order = rows.order(path)?;
    rows.check_unit(path, spec.max_gap)?;
    match spec.missing {
        MissingPolicy::Ffill => rows.fill_forward(&order, spec.max_gap),
        MissingPolicy::Mean => rows.check_categories(path)?,
        MissingPolicy::Error | MissingPolicy::Drop => {}
    }
    let is_kept = |row: usize| spec.missing == MissingPolicy::Mean || rows.is_complete(row);
    let threshold = match &spec.label {
        LabelSpec::Column { .. } => None,
        LabelSpec::Rise { rise, horizon, .. } => Some((*rise, *horizon)),
    };
    let targets = label::targets(&rows.targets, threshold, &order);
    check_labels(spec, &rows, &order, &targets)?;

    let (complete_rows, targets): (Vec<usize>, Vec<Option<f32>>) =
        order.iter().zip(&targets).filter(|(row, _)| is_kept(**row)).unzip();
    let horizon = spec.label.horizon();
    check_horizon(path, horizon, part_rows(complete_rows.len(), spec.split))?;
    let split = Split::new(complete_rows.len(), context, horizon, spec.split);
    let [all, left] =
        [&order, &complete_rows].map(|rows_in_order| Ordered { times: &rows.times, rows: rows_in_order });
    let (spacing, mut holes) = (left.spacing(), left.summary(spec.max_gap));
    let broken = holes.as_ref().map(|holes| broken(all, left, holes.limit, context, horizon));
    let is_broken = |last: usize| broken.as_ref().is_some_and(|broken| broken[last]);
    let part = |ends: &Range<usize>| {
        let window =
            |last: usize| Some(Window { last, row: complete_rows[last] as u64, target: targets[last]? });
        let whole = ends.clone().filter(|last| spec.max_gap.is_none() || !is_broken(*last));
        SplitPart { windows: whole.filter_map(window).collect() }
    };
    let (train, validation, test) = (part(&split.train), part(&split.validation), part(&split.test));
    let all_ends = || [&split.train, &split.validation, &split.test].into_iter().cloned();
    if let Some(holes) = &mut holes {
        let known = all_ends().flatten().filter(|last| targets[*last].is_some());
        holes.windows = known.filter(|last| is_broken(*last)).count() as u64;
    }
    let parts = [(PartName::Train, &train), (PartName::Validation, &validation), (PartName::Test, &test)];
    for ((name, part), mut ends) in parts.into_iter().zip(all_ends()) {
        if part.windows.is_empty() {
            let max_gap = spec.max_gap.filter(|_| ends.any(is_broken));
            let dropped = rows.len() - complete_rows.len();
            let path = path.clone();
            let rows = complete_rows.len();
            return Err(DataError::TooFewRows { path, part: name, rows, dropped, context, horizon, max_gap });
        }
    }
    let classes = match task {
        Task::Binary | Task::Regression => 0,
        Task::Classes => count_classes(path, &rows, (&complete_rows, &targets), &train)?,
    };
    if task != Task::Regression {
        check_classes(path, PartName::Train, &train, &rows.class_names)?;
        check_classes(path, PartName::Validation, &validation, &rows.class_names)?;
    }
    let target = (task == Task::Regression).then(|| {
        let values: Vec<f32> = train.windows.iter().map(|w| w.target).collect();
        moments(&values, 1)[0]
    });

    let means = fill_means(spec, &mut rows, &complete_rows[..split.train.end]);
    let (categories, unseen) = rows.categories(&complete_rows, split.train.end);
    let summary = TableSummary {
        rows: rows.len() as u64,
        dropped: (rows.len() - complete_rows.len()) as u64,
        unlabelled: targets.iter().filter(|target| target.is_none()).count() as u64,
        spacing,
        holes,
        features: rows.selection.features.len() + width(&categories),
        left_out: rows.selection.left_out.clone(),
        gaps: rows.gap_counts(),
        filled: rows.filled_counts(),
        unseen,
        parts: parts.map(|(name, part)| PartSummary::new(name, part, classes, |row| rows.times.text(row))),
    };
    let features = rows.selection.features.len();
    let numbers = rows.selection.features.iter().map(|&column| rows.names[column].clone());
    let feature_names = numbers.chain(categories.iter().flat_map(Categories::features)).collect();
    let class_names = std::mem::take(&mut rows.class_names);
    let mut values = Rows::gather(std::mem::take(&mut rows.values), features, &complete_rows);
    let scaling =
        (normalize == Normalize::Standard).then(|| standardise(&mut values, features, split.train.end));
    let (time, missing, max_gap) = (spec.time.clone(), spec.missing, spec.max_gap);
    let values = rows.encoded(values, &categories, &complete_rows);
    let preparation =
        Preparation { time, missing, max_gap, means, scaling, categories, classes, class_names, target };
    let dataset = Dataset { feature_names, values, context, targets, train, validation, test, preparation };
    Ok(Loaded { dataset, summary })
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
fn fill_means(spec: &DataSpec, rows: &mut Rows, training: &[usize]) -> Vec<f64> {
    if spec.missing != MissingPolicy::Mean {
        return Vec::new();
    }
    let means = rows.means(training);
    rows.fill_means(&means);
    means
}

/// Returns an error if labels look further ahead than a part is long. All rows of such a part would share
/// the rows that their labels depend on.
fn check_horizon(path: &Path, horizon: usize, parts: [usize; 3]) -> Result<(), DataError> {
    // A horizon of one row is the default; a part without rows is reported by its windows instead.
    let names = [PartName::Train, PartName::Validation, PartName::Test];
    let short = names.into_iter().zip(parts).find(|(_, rows)| horizon > 1 && horizon >= *rows);
    short.map_or(Ok(()), |(part, rows)| {
        Err(DataError::LongHorizon { path: path.to_owned(), horizon, part, rows })
    })
}

/// Returns an error if a label before the last known one is missing and gaps are errors, or if no label is
/// known.
fn check_labels(
    spec: &DataSpec,
    rows: &Rows,
    order: &[usize],
    targets: &[Option<f32>],
) -> Result<(), DataError> {
    let LabelSpec::Column { name: column, .. } = &spec.label else {
        return Ok(());
    };
    let last = targets.iter().rposition(Option::is_some);
    if last.is_some() && spec.missing != MissingPolicy::Error {
        return Ok(());
    }
    let within = &targets[..last.unwrap_or(targets.len())];
    let Some(first) = within.iter().position(Option::is_none) else {
        return Ok(());
    };
    Err(DataError::MissingLabel {
        path: spec.path.clone(),
        column: column.clone(),
        location: rows.location(order[first]),
        more: within.iter().filter(|class| class.is_none()).count() as u64 - 1,
    })
}

/// Checks that a part, which must have windows, has two classes, which `class_names` names for the message.
/// [`load`] checks the training and the validation part.
///
/// # Errors
/// [`DataError::OneClass`] if all windows have the same class.
pub fn check_classes(
    path: &Path,
    name: PartName,
    part: &SplitPart,
    class_names: &[String],
) -> Result<(), DataError> {
    let first = part.windows[0].target;
    if part.windows.iter().any(|w| w.target != first) {
        return Ok(());
    }
    let windows = part.windows.len() as u64;
    let class = class_name(first as usize, class_names);
    Err(DataError::OneClass { path: path.to_owned(), part: name, windows, class })
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

/// Returns the number of classes of a table, each of which must occur in the training part.
fn count_classes(
    path: &Path,
    rows: &Rows,
    (complete_rows, targets): (&[usize], &[Option<f32>]),
    train: &SplitPart,
) -> Result<usize, DataError> {
    let classes = targets.iter().flatten().fold(0, |most, &target| most.max(target as usize + 1));
    let Some(absent) = (0..classes).find(|&class| train.windows.iter().all(|w| w.target as usize != class))
    else {
        return Ok(classes);
    };
    let of_class = || {
        let known = complete_rows.iter().zip(targets);
        known.filter(|(_, target)| target.is_some_and(|target| target as usize == absent))
    };
    Err(DataError::AbsentClass {
        path: path.to_owned(),
        class: class_name(absent, &rows.class_names),
        classes,
        rows: of_class().count() as u64,
        first: of_class().next().map(|(row, _)| rows.location(*row)),
    })
}

/// Returns the name of a class for messages: its number if it has none.
fn class_name(class: usize, names: &[String]) -> String {
    names.get(class).map_or_else(|| class.to_string(), |name| format!("`{name}`"))
}
