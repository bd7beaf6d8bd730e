//! Cuts of a table into windows by part.

use std::cmp::Reverse;
use std::ops::Range;
use std::path::Path;

use allometry_ladder::{DataSpec, LabelSpec, SeriesSplit, Task};

use super::dataset::{PartName, SplitPart, Window};
use super::error::DataError;
use super::holes::{Holes, Ordered, Spacing, broken};
use super::kept_rows::Kept;
use super::rows::Rows;
use super::series::Sequence;
use super::split::{Fold, Parts, Windows};
use super::summary::{PartOfSeries, PartSummary};

/// The windows of a table by part.
pub(super) struct Cut {
    /// Training, validation and test part; of a fold the training part, the slice that chooses the epoch and
    /// the era.
    pub(super) parts: [SplitPart; 3],
    names: [PartName; 3],
    /// Rows of each series on which statistics are fitted.
    pub(super) fitted: Vec<Range<usize>>,
    /// Place of each row's time among the different times; empty for a table of one series.
    pub(super) times: Vec<u32>,
    /// Number of classes of the label; 0 if it does not have classes.
    pub(super) classes: usize,
    pub(super) spacing: Option<Spacing>,
    pub(super) holes: Option<Holes>,
    /// Rows and series of each part; `None` for a table of one series.
    of_series: [Option<PartOfSeries>; 3],
}

impl Cut {
    /// Cuts the rows that are left into the parts of the table, or of a fold.
    ///
    /// # Errors
    /// [`DataError`] if a part has no window, is not longer than the horizon, or has too few classes.
    pub(super) fn new(
        spec: &DataSpec,
        task: Task,
        (rows, kept): (&Rows, &Kept),
        windows: Windows,
        fold: Option<Fold>,
    ) -> Result<Self, DataError> {
        let (path, sequence) = (&spec.path, &kept.sequence);
        let series = rows.series.as_ref();
        let names = series.map_or(&[][..], |series| series.names.as_slice());
        if series.is_some() {
            check_series(path, names, sequence, windows.context)?;
        }
        let by = spec.series.as_ref().map_or(SeriesSplit::Time, |series| series.split);
        let (split, named) = match fold {
            None => (
                Parts::new(sequence, names, &rows.times, (spec.split, by), windows),
                [PartName::Train, PartName::Validation, PartName::Test],
            ),
            Some(fold) => {
                let era = if fold.is_last() { PartName::Test } else { PartName::Validation };
                let split = Parts::of_fold(sequence, &rows.times, fold, windows);
                (split, [PartName::Train, PartName::Stopping, era])
            }
        };
        check_horizon(path, windows.horizon, series.is_some(), (named, split.longest))?;
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
        for ((name, part), ends) in named.into_iter().zip(&parts).zip(&split.ends) {
            if part.windows.is_empty() {
                let is_cut = ends.iter().flat_map(Range::clone).any(is_broken);
                return Err(DataError::TooFewRows {
                    path: path.clone(),
                    part: name,
                    rows: sequence.rows.len(),
                    series: series.map(|series| {
                        [series.names.len(), sequence.spans().map(|span| span.len()).max().unwrap_or(0)]
                    }),
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
        let classes = check_labels(spec, task, (rows, kept), named.into_iter().zip(&parts))?;
        let (fitted, names) = (split.fitted, named);
        Ok(Self { parts, names, fitted, times, classes, spacing, holes, of_series })
    }

    /// Counts the parts.
    pub(super) fn parts_summary(&self, rows: &Rows, classes: usize) -> [PartSummary; 3] {
        [0, 1, 2].map(|place| {
            let (name, part, of_series) = (self.names[place], &self.parts[place], self.of_series[place]);
            PartSummary::new(name, part, classes, of_series, |row| rows.times.text(row))
        })
    }
}

/// Returns the number of classes, each of which the training part must have, or 0 where the label has none.
/// No part but the test part may have windows of one class alone.
fn check_labels<'a>(
    spec: &DataSpec,
    task: Task,
    (rows, kept): (&Rows, &Kept),
    parts: impl Iterator<Item = (PartName, &'a SplitPart)> + Clone,
) -> Result<usize, DataError> {
    let train = parts.clone().find(|(name, _)| *name == PartName::Train).map(|(_, part)| part);
    let classes = match (task, train) {
        (Task::Classes, Some(train)) => {
            count_classes(&spec.path, rows, (&kept.sequence.rows, &kept.targets), train)?
        }
        _ => 0,
    };
    if task != Task::Regression {
        for (name, part) in parts.filter(|(name, _)| *name != PartName::Test) {
            check_classes(spec, name, part, &rows.class_names)?;
        }
    }
    Ok(classes)
}

/// Returns an error if no series is as long as a window.
pub(super) fn check_series(
    path: &Path,
    names: &[String],
    sequence: &Sequence,
    context: usize,
) -> Result<(), DataError> {
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

/// Returns an error if labels look further ahead than a part is long. All rows of such a part would share
/// the rows that their labels depend on.
fn check_horizon(
    path: &Path,
    horizon: usize,
    is_panel: bool,
    (names, parts): ([PartName; 3], [usize; 3]),
) -> Result<(), DataError> {
    // A horizon of one row is the default; a part without rows is reported by its windows instead.
    let short = names.into_iter().zip(parts).find(|(_, rows)| horizon > 1 && horizon >= *rows);
    short.map_or(Ok(()), |(part, rows)| {
        Err(DataError::LongHorizon { path: path.to_owned(), horizon, part, rows, is_panel })
    })
}

/// Checks that a part, which must have windows, has two classes, which `class_names` names for the message.
/// `load` checks the training and the validation part.
///
/// # Errors
/// [`DataError::OneClass`] if all windows have the same class.
pub fn check_classes(
    spec: &DataSpec,
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
    let column = match &spec.label {
        LabelSpec::Column { name, .. } => Some(name.clone()),
        LabelSpec::Rise { .. } => None,
    };
    Err(DataError::OneClass { path: spec.path.clone(), column, part: name, windows, class })
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
        column: rows.label_column(),
        class: class_name(absent, &rows.class_names),
        classes,
        rows: of_class().count() as u64,
        first: of_class().map(|(row, _)| *row).min().map(|row| Box::new(rows.site(row))),
    })
}

/// Returns the name of a class for messages: its number if it has none.
fn class_name(class: usize, names: &[String]) -> String {
    names.get(class).map_or_else(|| class.to_string(), |name| format!("`{name}`"))
}
