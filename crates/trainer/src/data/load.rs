//! Loading of a data set from a file.

use std::cmp::Reverse;
use std::ops::Range;
use std::path::Path;

use allometry_core::RowCount;
use allometry_ladder::{DataSpec, LabelSpec, MissingPolicy, Normalize, SeriesSplit, Task};

use super::categories::{Categories, width};
use super::columns::Wanted;
use super::dataset::{Dataset, PartName, Preparation, SplitPart, Window};
use super::error::{DataError, TrainPartProblem};
use super::format::read;
use super::holes::{Holes, Ordered, Spacing, broken};
use super::label;
use super::panel::Panel;
use super::rows::Rows;
use super::scale::{moments, standardise};
use super::series::Sequence;
use super::split::{Parts, Windows};
use super::summary::{PartOfSeries, PartSummary, SeriesSummary, TableSummary};

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
/// In a table of several series all of this is within each series: windows, labels, holes and filled values
/// never reach from one into another. The rows of a series stand together, the series in the order of their
/// names.
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
    check_spec(spec, task)?;
    let windows = Windows { context, horizon: spec.label.horizon() };
    let mut rows = read_rows(spec, task)?;
    let kept = Kept::new(spec, &mut rows)?;
    let cut = Cut::new(spec, &rows, &kept, windows)?;
    let [train, validation, test] = cut.parts;
    let classes = match task {
        Task::Binary | Task::Regression => 0,
        Task::Classes => count_classes(&spec.path, &rows, (&kept.sequence.rows, &kept.targets), &train)?,
    };
    if task != Task::Regression {
        check_classes(&spec.path, PartName::Train, &train, &rows.class_names)?;
        check_classes(&spec.path, PartName::Validation, &validation, &rows.class_names)?;
    }
    let target = (task == Task::Regression).then(|| {
        let values: Vec<f32> = train.windows.iter().map(|w| w.target).collect();
        moments(&values, 1)[0]
    });

    let in_order = &kept.sequence.rows;
    let fitted = cut.fitted.iter().flat_map(|range| &in_order[range.clone()]);
    let means = fill_means(spec, &mut rows, &fitted);
    let (categories, unseen) = rows.categories(in_order, &fitted);
    let parts = [(PartName::Train, &train), (PartName::Validation, &validation), (PartName::Test, &test)];
    let mut of_series = cut.of_series.into_iter();
    let summary = TableSummary {
        rows: rows.len() as u64,
        dropped: (rows.len() - in_order.len()) as u64,
        unlabelled: kept.targets.iter().filter(|target| target.is_none()).count() as u64,
        spacing: cut.spacing,
        holes: cut.holes,
        series: rows.series.as_ref().map(|series| series_summary(&series.names, &kept.sequence, context)),
        features: rows.selection.features.len() + width(&categories),
        left_out: rows.selection.left_out.clone(),
        gaps: rows.gap_counts(),
        filled: rows.filled_counts(),
        unseen,
        parts: parts.map(|(name, part)| {
            let of_series = of_series.next().flatten();
            PartSummary::new(name, part, classes, of_series, |row| rows.times.text(row))
        }),
    };
    let features = rows.selection.features.len();
    let numbers = rows.selection.features.iter().map(|&column| rows.names[column].clone());
    let feature_names = numbers.chain(categories.iter().flat_map(Categories::features)).collect();
    let class_names = std::mem::take(&mut rows.class_names);
    let mut values = Rows::gather(std::mem::take(&mut rows.values), features, in_order);
    let scaling = (normalize == Normalize::Standard).then(|| standardise(&mut values, features, &cut.fitted));
    let values = rows.encoded(values, &categories, in_order);
    let preparation = Preparation {
        time: spec.time.clone(),
        series: spec.series.as_ref().map(|series| series.column.clone()),
        missing: spec.missing,
        max_gap: spec.max_gap,
        means,
        scaling,
        categories,
        classes,
        class_names,
        target,
    };
    let panel = rows.series.take().map(|series| Panel {
        names: series.names,
        ends: kept.sequence.ends,
        times: cut.times,
    });
    let targets = kept.targets;
    let dataset =
        Dataset { feature_names, values, panel, context, targets, train, validation, test, preparation };
    Ok(Loaded { dataset, summary })
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

/// The rows of a table that are left, with their targets.
struct Kept {
    /// All rows.
    all: Sequence,
    /// Rows that are left.
    sequence: Sequence,
    /// Their places among all rows.
    places: Vec<usize>,
    /// Their targets.
    targets: Vec<Option<f32>>,
}

impl Kept {
    /// Puts the rows in order and fills missing features, or leaves out their rows. Means are filled later,
    /// when the training rows are known.
    fn new(spec: &DataSpec, rows: &mut Rows) -> Result<Self, DataError> {
        let path = &spec.path;
        let all = rows.sequence(path)?;
        rows.check_unit(path, spec.max_gap)?;
        match spec.missing {
            MissingPolicy::Ffill => rows.fill_forward(&all, spec.max_gap),
            MissingPolicy::Mean => rows.check_categories(path)?,
            MissingPolicy::Error | MissingPolicy::Drop => {}
        }
        let threshold = match &spec.label {
            LabelSpec::Column { .. } => None,
            LabelSpec::Rise { rise, horizon, .. } => Some((*rise, *horizon)),
        };
        let targets = label::targets(&rows.targets, threshold, &all);
        check_labels(spec, rows, &all, &targets)?;
        let is_kept = |row: usize| spec.missing == MissingPolicy::Mean || rows.is_complete(row);
        let (sequence, places) = all.filtered(is_kept);
        let targets = places.iter().map(|place| targets[*place]).collect();
        Ok(Self { all, sequence, places, targets })
    }
}

/// The windows of a table by part.
struct Cut {
    /// Training, validation and test part.
    parts: [SplitPart; 3],
    /// Rows of each series on which statistics are fitted.
    fitted: Vec<Range<usize>>,
    /// Place of each row's time among the different times; empty for a table of one series.
    times: Vec<u32>,
    spacing: Option<Spacing>,
    holes: Option<Holes>,
    /// Rows and series of each part; `None` for a table of one series.
    of_series: [Option<PartOfSeries>; 3],
}

impl Cut {
    fn new(spec: &DataSpec, rows: &Rows, kept: &Kept, windows: Windows) -> Result<Self, DataError> {
        let (path, sequence) = (&spec.path, &kept.sequence);
        let series = rows.series.as_ref();
        let names = series.map_or(&[][..], |series| series.names.as_slice());
        if series.is_some() {
            check_series(path, names, sequence, windows.context)?;
        }
        let by = spec.series.as_ref().map_or(SeriesSplit::Time, |series| series.split);
        let split = Parts::new(sequence, names, &rows.times, (spec.split, by), windows);
        check_horizon(path, windows.horizon, split.longest)?;
        let [all, left] =
            [&kept.all, sequence].map(|sequence| Ordered { times: &rows.times, sequence, series });
        let (spacing, mut holes) = (left.spacing(), left.summary(spec.max_gap));
        let broken = holes.as_ref().map(|holes| broken(all, (left, &kept.places), holes.limit, windows));
        let is_broken = |last: usize| broken.as_ref().is_some_and(|broken| broken[last]);
        let times = if series.is_some() { time_places(rows, sequence) } else { Vec::new() };
        let part = |ends: &Vec<Range<usize>>| {
            let window = |last: usize| {
                Some(Window { last, row: sequence.rows[last] as u64, target: kept.targets[last]? })
            };
            let whole = ends.iter().flat_map(Range::clone);
            let whole = whole.filter(|last| spec.max_gap.is_none() || !is_broken(*last));
            let mut windows: Vec<Window> = whole.filter_map(window).collect();
            if !times.is_empty() {
                windows.sort_by_key(|window| (times[window.last], window.last));
            }
            SplitPart { windows }
        };
        let parts = [0, 1, 2].map(|place| part(&split.ends[place]));
        let ends = || split.ends.iter().flatten().flat_map(Range::clone);
        if let Some(holes) = &mut holes {
            let known = ends().filter(|last| kept.targets[*last].is_some());
            holes.windows = known.filter(|last| is_broken(*last)).count() as u64;
        }
        let named = [PartName::Train, PartName::Validation, PartName::Test].into_iter().zip(&parts);
        for ((name, part), ends) in named.zip(&split.ends) {
            if part.windows.is_empty() {
                let is_cut = ends.iter().flat_map(Range::clone).any(is_broken);
                return Err(DataError::TooFewRows {
                    path: path.clone(),
                    part: name,
                    rows: sequence.rows.len(),
                    series: series.map(|series| series.names.len()),
                    dropped: rows.len() - sequence.rows.len(),
                    context: windows.context,
                    horizon: windows.horizon,
                    max_gap: spec.max_gap.filter(|_| is_cut),
                });
            }
        }
        let of_series = [0, 1, 2].map(|part| {
            series?;
            let has_window = |range: &&Range<usize>| !range.is_empty();
            let series = split.ends[part].iter().filter(has_window).count() as u64;
            Some(PartOfSeries { rows: split.rows[part] as u64, series })
        });
        Ok(Self { parts, fitted: split.fitted, times, spacing, holes, of_series })
    }
}

/// Returns an error if no series is as long as a window.
fn check_series(path: &Path, names: &[String], sequence: &Sequence, context: usize) -> Result<(), DataError> {
    let longest = sequence.spans().enumerate().max_by_key(|(series, span)| (span.len(), Reverse(*series)));
    let Some((series, span)) = longest.filter(|(_, span)| span.len() < context) else { return Ok(()) };
    Err(DataError::ShortSeries {
        path: path.to_owned(),
        series: names.len(),
        longest: names[series].clone(),
        rows: span.len(),
        context,
    })
}

/// Returns the place of each row's time among the different times of all rows.
fn time_places(rows: &Rows, sequence: &Sequence) -> Vec<u32> {
    let compare = |a: usize, b: usize| rows.times.compare(sequence.rows[a], sequence.rows[b]);
    let mut order: Vec<usize> = (0..sequence.rows.len()).collect();
    order.sort_by(|&a, &b| compare(a, b));
    let mut places = vec![0; order.len()];
    for pair in order.windows(2) {
        places[pair[1]] = places[pair[0]] + u32::from(compare(pair[0], pair[1]).is_ne());
    }
    places
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

/// Returns an error if a label before the last known one of its series is missing and gaps are errors, or if
/// no label is known.
fn check_labels(
    spec: &DataSpec,
    rows: &Rows,
    sequence: &Sequence,
    targets: &[Option<f32>],
) -> Result<(), DataError> {
    let LabelSpec::Column { name: column, .. } = &spec.label else {
        return Ok(());
    };
    let is_any_known = targets.iter().any(Option::is_some);
    if is_any_known && spec.missing != MissingPolicy::Error {
        return Ok(());
    }
    let within = sequence.spans().flat_map(|span| {
        let known = targets[span.clone()].iter().rposition(Option::is_some);
        // The end of a series has no label yet; a table without any has all missing.
        let end = if is_any_known { span.start + known.unwrap_or(0) } else { span.end };
        span.start..end
    });
    let missing: Vec<usize> = within.filter(|place| targets[*place].is_none()).collect();
    let Some(&first) = missing.first() else {
        return Ok(());
    };
    Err(DataError::MissingLabel {
        path: spec.path.clone(),
        column: column.clone(),
        location: rows.location(sequence.rows[first]),
        more: missing.len() as u64 - 1,
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
