//! Description of the times of a table's rows: span, and the series they belong to.

use std::cmp::Ordering;
use std::hash::{BuildHasher as _, RandomState};
use std::path::Path;

use allometry_ladder::{FeatureSpec, Task};

use crate::data::columns::Wanted;
use crate::data::error::{DataError, Role};
use crate::data::format::{Format, read};
use crate::data::time::Times;
use crate::data::value::{Value, Visitor};

/// Description of the times of a table's rows.
#[derive(Debug, Clone, PartialEq)]
pub struct TimeDescription {
    /// The first time.
    pub first: String,
    /// The last time.
    pub last: String,
    /// Whether the rows of the file are in time order.
    pub is_ordered: bool,
    /// Number of rows with the same time as an earlier row in time order.
    pub repeated: u64,
    /// The first time that several rows have.
    pub first_repeated: Option<String>,
    /// The column that distinguishes rows of equal time, if there is one.
    pub series: Option<SeriesColumn>,
}

/// A column that identifies the series of a row: no two rows of one series have the same time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesColumn {
    /// Name of the column.
    pub name: String,
    /// Number of series.
    pub series: u64,
}

/// Describes the times of a table.
///
/// `feature` is any other numeric column. `candidates` are columns that may distinguish series if times
/// repeat; of those that do, the one with the fewest series is returned.
///
/// # Errors
/// [`DataError`] if the file cannot be read, lacks a column, or contains values that are not times of one
/// kind.
pub fn describe_times(
    path: &Path,
    time: &str,
    feature: &str,
    candidates: &[&str],
) -> Result<TimeDescription, DataError> {
    let features = FeatureSpec { include: Some(vec![feature.to_owned()]), ..FeatureSpec::default() };
    let task = Task::default();
    let wanted = Wanted {
        path,
        time: Some(time),
        series: None,
        label: None,
        features: &features,
        task,
        keeps_times: false,
    };
    let times = read(wanted)?.times;
    let order = times.sorted();
    let (Some(&first), Some(&last)) = (order.first(), order.last()) else {
        return Err(DataError::NoRows { path: path.to_owned() });
    };
    let text = |row: usize| times.text(row).unwrap_or_default();
    let same = |pair: &[usize]| times.compare(pair[0], pair[1]) == Ordering::Equal;
    let repeated = order.windows(2).filter(|pair| same(pair)).count() as u64;
    let series = if repeated == 0 { None } else { series(path, &times, &order, candidates)? };
    Ok(TimeDescription {
        first: text(first),
        last: text(last),
        is_ordered: order.is_sorted(),
        repeated,
        first_repeated: order.windows(2).find(|pair| same(pair)).map(|pair| text(pair[0])),
        series,
    })
}

/// Returns the candidate that distinguishes rows of equal time with the fewest series.
fn series(
    path: &Path,
    times: &Times,
    order: &[usize],
    candidates: &[&str],
) -> Result<Option<SeriesColumn>, DataError> {
    let format = Format::of(path)?;
    let columns = format.columns(path)?;
    let find = |name: &&str| {
        columns.iter().position(|column| column.name == **name).ok_or_else(|| DataError::MissingColumn {
            path: path.to_owned(),
            column: (*name).to_owned(),
            role: Role::Feature,
            columns: columns.iter().map(|column| column.name.clone()).collect(),
        })
    };
    let mut wanted: Vec<usize> = candidates.iter().map(find).collect::<Result<_, _>>()?;
    wanted.sort_unstable();
    wanted.dedup();
    let mut keys =
        Keys { state: RandomState::new(), columns: wanted.iter().map(|c| (*c, Vec::new())).collect() };
    format.visit(path, &wanted, &mut keys)?;

    let mut ranks = vec![0_usize; order.len()];
    for pair in order.windows(2) {
        let later = times.compare(pair[0], pair[1]) != Ordering::Equal;
        ranks[pair[1]] = ranks[pair[0]] + usize::from(later);
    }
    let distinguishing = keys.columns.into_iter().filter_map(|(column, keys)| {
        let series = count_series(&ranks, &keys)?;
        Some(SeriesColumn { name: columns[column].name.clone(), series })
    });
    Ok(distinguishing.min_by_key(|column| column.series))
}

/// Returns the number of series, if no two rows of a series have the same time and the average series has
/// at least two rows.
fn count_series(ranks: &[usize], keys: &[u64]) -> Option<u64> {
    if ranks.len() != keys.len() {
        return None;
    }
    let mut rows: Vec<(u64, usize)> = keys.iter().copied().zip(ranks.iter().copied()).collect();
    rows.sort_unstable();
    let repeats = rows.windows(2).any(|pair| pair[0] == pair[1]);
    let series = rows.chunk_by(|a, b| a.0 == b.0).count();
    (!repeats && series >= 2 && 2 * series <= rows.len()).then_some(series as u64)
}

/// Hash of each value of some columns, equal for equal values.
struct Keys {
    state: RandomState,
    columns: Vec<(usize, Vec<u64>)>,
}

impl Visitor for Keys {
    fn value(&mut self, column: usize, _: u64, value: Value<'_>) {
        let key = match value {
            Value::Missing | Value::Time(_) => self.state.hash_one(()),
            Value::Number(number) => self.state.hash_one((number + 0.0).to_bits()),
            Value::Text(text) => self.state.hash_one(text),
        };
        if let Some((_, keys)) = self.columns.iter_mut().find(|(own, _)| *own == column) {
            keys.push(key);
        }
    }

    fn rows(&mut self, _: u64) {}
}
