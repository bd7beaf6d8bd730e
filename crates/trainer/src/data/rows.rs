//! Rows as read, in the order of the file, before any is left out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use allometry_ladder::{CategorySpec, MaxGap, Task};

use super::categories::{Categories, Unseen, encoded};
use super::columns::{LabelColumns, Selection};
use super::error::{
    DataError, Gap, Location, MOST_CLASSES, MOST_VECTORS, RepeatedTime, Site, TimeKind, field_of_record,
};
use super::names::{Names, TooMany};
use super::series::{Sequence, SeriesIds};
use super::time::{Time, Times};

/// Highest number of a class.
const MAX_CLASS: f64 = MOST_CLASSES as f64 - 1.0;

/// The used columns of a table. Features are stored once, as `f32`, with NaN for values that are missing or
/// not finite.
#[derive(Debug)]
pub(super) struct Rows {
    /// Names of all columns of the table.
    pub(super) names: Vec<String>,
    pub(super) selection: Selection,
    task: Task,
    /// Features that are numbers, row-major.
    pub(super) values: Vec<f32>,
    /// Categories of each row, column by column.
    pub(super) categorical: Vec<Names>,
    pub(super) times: Times,
    /// Times as the file has them; `None` unless they are asked for and are texts.
    pub(super) time_texts: Option<Vec<String>>,
    /// Series of each row; `None` for a table of one.
    pub(super) series: Option<SeriesIds>,
    pub(super) targets: Targets,
    /// Names of the classes in their order; empty for a label without names.
    pub(super) class_names: Vec<String>,
    pub(super) places: Places,
    pub(super) gaps: Gaps,
}

/// Information on where rows are in their file.
#[derive(Debug)]
pub(super) enum Places {
    /// Only the order of the rows is known.
    Counted,
    /// Path of a text file, and the bytes at which rows start, including preceding blank lines.
    Bytes(PathBuf, Vec<u64>),
}

/// Values from which labels are computed, one per row, with NaN for unknown ones.
#[derive(Debug)]
pub(super) enum Targets {
    /// Class or number.
    Class(Vec<f64>),
    /// Names of classes, until [`Rows::number_classes`] numbers them.
    Named(Names),
    /// The two columns of a threshold.
    Rise { of: Vec<f64>, over: Vec<f64> },
    /// Number of rows of a table without labels.
    None(usize),
}

/// Missing and infinite values.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    /// Row, column of the table, and kind of the first gap in reading order.
    first: Option<(usize, usize, Gap)>,
    count: u64,
    /// Number of gaps of each column that has one, without those that were filled.
    pub(super) columns: BTreeMap<usize, u64>,
    /// Number of gaps of each column that were filled.
    pub(super) filled: BTreeMap<usize, u64>,
}

impl Rows {
    pub(super) fn new(names: Vec<String>, selection: Selection, task: Task, places: Places) -> Self {
        let targets = match selection.label {
            LabelColumns::Class(_) => Targets::Class(Vec::new()),
            LabelColumns::Named(_) => Targets::Named(Names::at_most(MOST_CLASSES)),
            LabelColumns::Rise { .. } => Targets::Rise { of: Vec::new(), over: Vec::new() },
            LabelColumns::None => Targets::None(0),
        };
        let most = |spec: &CategorySpec| if spec.embedding.is_some() { MOST_VECTORS } else { MOST_CLASSES };
        let categorical = selection.categories.iter().map(|spec| Names::at_most(most(spec))).collect();
        let series = selection.series.map(|_| SeriesIds::default());
        Self {
            names,
            selection,
            task,
            categorical,
            values: Vec::new(),
            times: Times::Empty,
            time_texts: None,
            series,
            targets,
            class_names: Vec::new(),
            places,
            gaps: Gaps::default(),
        }
    }

    /// Returns the number of rows whose targets have been read.
    pub(super) fn len(&self) -> usize {
        match &self.targets {
            Targets::Class(classes) => classes.len(),
            Targets::Named(names) => names.len(),
            Targets::Rise { of, .. } => of.len(),
            Targets::None(rows) => *rows,
        }
    }

    /// Returns the location of a row in its file. It reads a text file again to count lines, so it is meant
    /// for messages.
    pub(super) fn location(&self, row: usize) -> Location {
        let counted = Location::Row(row as u64);
        match &self.places {
            Places::Bytes(path, starts) => Location::of_record(path, starts[row]).unwrap_or(counted),
            Places::Counted => counted,
        }
    }

    /// Returns the location of a row in its file and its series, for messages.
    pub(super) fn site(&self, row: usize) -> Site {
        Site { location: self.location(row), series: self.series_name(row).map(Into::into) }
    }

    /// Whether a row has every feature.
    pub(super) fn is_complete(&self, row: usize) -> bool {
        let features = self.selection.features.len();
        let has_numbers = self.values[row * features..(row + 1) * features].iter().all(|v| !v.is_nan());
        has_numbers && self.categorical.iter().all(|names| names.name(row).is_some())
    }

    /// Returns a value of `column` (of the table) as stored, and counts it as a gap if it is not a finite
    /// number.
    pub(super) fn number(&mut self, row: usize, column: usize, value: Option<f64>) -> f32 {
        let gap = value.map_or(Some(Gap::Empty), Gap::of);
        let (Some(value), None) = (value, gap) else {
            if let Some(gap) = gap {
                self.record(row, column, gap);
            }
            return f32::NAN;
        };
        value as f32
    }

    /// Appends the category of the next row in the column at this place among the categorical ones.
    pub(super) fn push_category(
        &mut self,
        path: &Path,
        place: usize,
        name: Option<&str>,
    ) -> Result<(), DataError> {
        let (row, column) = (self.categorical[place].len(), self.selection.categorical[place]);
        if name.is_none() {
            self.record(row, column, Gap::Empty);
        }
        self.categorical[place].push(name).map_err(|TooMany { most }| DataError::TooManyCategories {
            path: path.to_owned(),
            column: self.names[column].clone(),
            location: self.site(row),
            most,
            has_vectors: self.selection.categories[place].embedding.is_some(),
        })
    }

    /// Returns the columns of categories with those of the rows `fitted`, and the categories that only others
    /// of `rows` have.
    pub(super) fn categories<'a>(
        &self,
        rows: &[usize],
        fitted: &(impl Iterator<Item = &'a usize> + Clone),
    ) -> (Vec<Categories>, Vec<Unseen>) {
        let columns = self.selection.categories.iter().zip(&self.categorical);
        let found: Vec<Categories> = columns
            .map(|(spec, cells)| Categories::of(spec, fitted.clone().map(|row| cells.name(*row))))
            .collect();
        let unseen = self.unseen(&found, rows);
        (found, unseen)
    }

    /// Returns the categories of `rows` that are not among those of `columns`.
    pub(super) fn unseen(&self, columns: &[Categories], rows: &[usize]) -> Vec<Unseen> {
        let pairs = columns.iter().zip(&self.categorical);
        pairs.filter_map(|(column, cells)| column.unseen(rows.iter().map(|row| cells.name(*row)))).collect()
    }

    /// Returns the features of `rows`: `numbers`, followed by those of `columns`. Where `known` is given,
    /// they are 0 for a category that is not among the known ones of its column.
    pub(super) fn encoded(
        &self,
        numbers: Vec<f32>,
        (columns, known): (&[Categories], Option<&[Categories]>),
        rows: &[usize],
    ) -> Vec<f32> {
        let features = self.selection.features.len();
        let known: Option<Vec<BTreeSet<&str>>> =
            known.map(|all| all.iter().map(|one| one.names.iter().map(String::as_str).collect()).collect());
        encoded(numbers, features, columns, rows.len(), |column, row| {
            let name = self.categorical[column].name(rows[row])?;
            known.as_ref().is_none_or(|known| known[column].contains(name)).then_some(name)
        })
    }

    /// Returns a value of a threshold's column. A missing value is counted as a gap unless the column is
    /// also a feature.
    pub(super) fn threshold(&mut self, row: usize, column: usize, value: Option<f64>) -> f64 {
        let gap = match value {
            None => Gap::Empty,
            Some(value) if value.is_nan() => Gap::Nan,
            Some(value) if value.is_infinite() => Gap::Infinite,
            Some(value) => return value,
        };
        if !self.selection.features.contains(&column) {
            self.record(row, column, gap);
        }
        f64::NAN
    }

    fn record(&mut self, row: usize, column: usize, gap: Gap) {
        self.gaps.count += 1;
        *self.gaps.columns.entry(column).or_default() += 1;
        if self.gaps.first.is_none_or(|(r, c, _)| (row, column) < (r, c)) {
            self.gaps.first = Some((row, column, gap));
        }
    }

    /// Appends the class of the next row. `shown` returns the value as in the file.
    pub(super) fn push_class(
        &mut self,
        path: &Path,
        class: Option<f64>,
        shown: impl FnOnce() -> String,
    ) -> Result<(), DataError> {
        let row = self.len();
        let class = class.unwrap_or(f64::NAN);
        let (Targets::Class(classes), LabelColumns::Class(column)) =
            (&mut self.targets, self.selection.label)
        else {
            unreachable!("readers push classes where the label is a column");
        };
        let (fits, wanted) = match self.task {
            Task::Binary => (class == 0.0 || class == 1.0, "0 or 1"),
            Task::Classes => {
                (class.fract() == 0.0 && (0.0..=MAX_CLASS).contains(&class), "a whole number from 0 to 999")
            }
            Task::Regression => (Gap::of(class).is_none(), "a finite number"),
        };
        if fits || class.is_nan() {
            classes.push(class);
            return Ok(());
        }
        Err(DataError::BadLabel {
            path: path.to_owned(),
            column: self.names[column].clone(),
            location: Box::new(self.site(row)),
            value: shown(),
            wanted,
        })
    }

    /// Appends the name of the next row's class.
    pub(super) fn push_name(&mut self, path: &Path, name: Option<&str>) -> Result<(), DataError> {
        let row = self.len();
        let Targets::Named(names) = &mut self.targets else {
            unreachable!("readers push names where the label holds names");
        };
        names.push(name).map_err(|_| DataError::TooManyClasses {
            path: path.to_owned(),
            column: self.label_column(),
            location: self.site(row),
        })
    }

    /// Replaces the names of classes by their numbers. Other labels stay as they are.
    pub(super) fn number_classes(&mut self, path: &Path, positive: Option<&str>) -> Result<(), DataError> {
        if let Targets::Named(names) = &self.targets {
            let numbered = names.numbered((path, &self.label_column()), self.task, positive);
            let numbered = numbered.map_err(|error| self.located(error, names))?;
            self.class_names = numbered.names;
            self.targets = Targets::Class(numbered.classes);
        }
        Ok(())
    }

    /// Adds the place of the rarest class to an error about too many classes, if it is so rare that it may
    /// be a mistake.
    fn located(&self, error: DataError, names: &Names) -> DataError {
        match error {
            DataError::NotTwoClasses { path, column, classes, .. } if classes.len() > 2 => {
                let all: u64 = classes.iter().map(|(_, rows)| rows).sum();
                let rarest = classes.iter().min_by_key(|(_, rows)| *rows);
                let rarest = rarest.filter(|(_, rows)| rows * 20 <= all);
                let at = |(name, _): &(String, u64)| Some((name.clone(), self.site(names.first_row(name)?)));
                let rarest = rarest.and_then(at);
                DataError::NotTwoClasses { path, column, classes, rarest: rarest.map(Box::new) }
            }
            other => other,
        }
    }

    /// Returns the name of the label's column; empty if the label is none.
    pub(super) fn label_column(&self) -> String {
        self.selection.label.column().map_or_else(String::new, |index| self.names[index].clone())
    }

    /// Returns the columns of which values were filled, each with their number.
    pub(super) fn filled_counts(&self) -> Vec<(String, u64)> {
        self.gaps.filled.iter().map(|(column, count)| (self.names[*column].clone(), *count)).collect()
    }

    /// Returns the columns with missing or infinite values, and the number of such values.
    pub(super) fn gap_counts(&self) -> Vec<(String, u64)> {
        self.gaps.columns.iter().map(|(column, count)| (self.names[*column].clone(), *count)).collect()
    }

    /// Counts rows without a label.
    pub(super) fn count(&mut self, more: usize) {
        if let Targets::None(rows) = &mut self.targets {
            *rows += more;
        }
    }

    /// Appends the time of row `row`, the next one. `shown` returns the value as in the file.
    pub(super) fn push_time(
        &mut self,
        path: &Path,
        row: usize,
        time: Option<Time>,
        shown: impl FnOnce() -> String,
    ) -> Result<(), DataError> {
        let Some(time) = time else {
            let (path, column) = (path.to_owned(), self.time_column());
            return Err(DataError::BadTime { path, column, location: self.site(row), value: shown() });
        };
        self.times.push(time).map_err(|_| DataError::MixedTimes {
            path: path.to_owned(),
            column: self.time_column(),
            location: Box::new(self.site(row)),
            value: shown(),
            kind: time.kind(),
            first: self.location(0),
            first_kind: self.times.get(0).map_or(TimeKind::Number, Time::kind),
        })
    }

    /// Keeps the time of the next row as the file has it, if times are asked for so.
    pub(super) fn keep_time(&mut self, text: &str) {
        if let Some(texts) = &mut self.time_texts {
            texts.push(text.to_owned());
        }
    }

    /// Returns the time of a row as the file has it if that is kept, otherwise in ISO 8601; `None` without
    /// times.
    pub(super) fn written_time(&self, row: usize) -> Option<String> {
        let kept = self.time_texts.as_ref().and_then(|texts| texts.get(row).cloned());
        kept.or_else(|| self.times.text(row))
    }

    /// Returns the one time of some rows in all the forms that a text file has of it, which it reads again:
    /// it is meant for messages.
    fn shown_time(&self, rows: &[usize]) -> String {
        let in_file = |row: &usize| match (&self.places, self.selection.time) {
            (Places::Bytes(path, starts), Some(column)) => field_of_record(path, starts[*row], column),
            _ => None,
        };
        let mut forms: Vec<String> = rows.iter().filter_map(in_file).collect();
        forms.dedup();
        if forms.is_empty() { self.times.text(rows[0]).unwrap_or_default() } else { forms.join(" or ") }
    }

    /// Appends the series of row `row`, the next one.
    pub(super) fn push_series(
        &mut self,
        path: &Path,
        row: usize,
        name: Option<&str>,
    ) -> Result<(), DataError> {
        match (&mut self.series, name) {
            (Some(series), Some(name)) => series.push(name),
            (Some(_), None) => {
                let column =
                    self.selection.series.map_or_else(String::new, |index| self.names[index].clone());
                let (path, location) = (path.to_owned(), self.location(row));
                return Err(DataError::NoSeries { path, column, location });
            }
            (None, _) => {}
        }
        Ok(())
    }

    /// Returns the name of a row's series; `None` for a table of one, and for a row whose series has not been
    /// read yet.
    pub(super) fn series_name(&self, row: usize) -> Option<&str> {
        let series = self.series.as_ref()?;
        series.rows.get(row).map(|place| series.names[*place as usize].as_str())
    }

    fn time_column(&self) -> String {
        self.selection.time.map_or_else(String::new, |index| self.names[index].clone())
    }

    /// Returns an error if a value is missing or infinite.
    pub(super) fn check_gaps(&self, path: &Path) -> Result<(), DataError> {
        match self.gaps.first {
            None => Ok(()),
            Some((row, column, gap)) => Err(DataError::MissingValue {
                path: path.to_owned(),
                column: self.names[column].clone(),
                location: self.site(row),
                gap,
                is_category: self.selection.categorical.contains(&column),
                more: self.gaps.count - 1,
            }),
        }
    }

    /// Returns an error if times are of another kind than the longest time between the rows of a window.
    pub(super) fn check_unit(&self, path: &Path, max_gap: Option<MaxGap>) -> Result<(), DataError> {
        let Some(max_gap) = max_gap else { return Ok(()) };
        if matches!(max_gap, MaxGap::Seconds(_)) == self.times.are_durations() {
            return Ok(());
        }
        Err(DataError::GapUnit { path: path.to_owned(), column: self.time_column(), max_gap })
    }

    /// Returns the rows in time order, series after series by their names, which it sorts.
    pub(super) fn sequence(&mut self, path: &Path) -> Result<Sequence, DataError> {
        let in_time =
            if let Times::Empty = self.times { (0..self.len()).collect() } else { self.times.sorted() };
        let sequence = match &mut self.series {
            None => Sequence::single(in_time),
            Some(ids) => {
                ids.sort();
                // Rows stay in time order within each series.
                let mut ends = vec![0; ids.names.len()];
                ids.rows.iter().for_each(|series| ends[*series as usize] += 1);
                let mut next = Vec::with_capacity(ends.len());
                let mut start = 0;
                for end in &mut ends {
                    next.push(start);
                    start += *end;
                    *end = start;
                }
                let mut rows = vec![0; in_time.len()];
                for row in in_time {
                    let place = &mut next[ids.rows[row] as usize];
                    rows[*place] = row;
                    *place += 1;
                }
                Sequence { rows, ends }
            }
        };
        self.check_repeated(path, &sequence)?;
        Ok(sequence)
    }

    /// Returns an error if two rows of a series have the same time.
    fn check_repeated(&self, path: &Path, sequence: &Sequence) -> Result<(), DataError> {
        /// Number of times, and of rows of each, that are named.
        const NAMED: usize = 3;
        if let Times::Empty = self.times {
            return Ok(());
        }
        let is_equal = |a: &usize, b: &usize| self.times.compare(*a, *b).is_eq();
        let all = sequence.spans().flat_map(|span| sequence.rows[span].chunk_by(is_equal));
        let repeated: Vec<&[usize]> = all.filter(|rows| rows.len() > 1).collect();
        if repeated.is_empty() {
            return Ok(());
        }
        let named = |rows: &&[usize]| RepeatedTime {
            series: self.series_name(rows[0]).map(str::to_owned),
            time: self.shown_time(&rows[..rows.len().min(NAMED)]),
            rows: rows.iter().take(NAMED).map(|row| self.location(*row)).collect(),
            count: rows.len() as u64,
        };
        Err(DataError::RepeatedTimes {
            path: path.to_owned(),
            column: self.time_column(),
            times: repeated.iter().take(NAMED).map(named).collect(),
            more: repeated.len().saturating_sub(NAMED) as u64,
            are_set_back: repeated.iter().all(|rows| rows.len() == 2 && self.times.may_be_set_back(rows[0])),
        })
    }

    /// Returns the feature values of `rows` in that order, in place if the order is that of the file.
    pub(super) fn gather(values: Vec<f32>, features: usize, rows: &[usize]) -> Vec<f32> {
        let mut values = values;
        if rows.is_sorted() {
            for (to, &from) in rows.iter().enumerate().filter(|(to, from)| to != *from) {
                values.copy_within(from * features..(from + 1) * features, to * features);
            }
            values.truncate(rows.len() * features);
            values.shrink_to_fit();
            values
        } else {
            rows.iter().flat_map(|&r| &values[r * features..(r + 1) * features]).copied().collect()
        }
    }
}
