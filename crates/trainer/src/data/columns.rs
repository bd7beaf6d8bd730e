//! Selection of the columns of a table for time, label and features.

use std::collections::HashSet;
use std::path::Path;

use allometry_ladder::{CategorySpec, DataSpec, FeatureSpec, LabelSpec, Task};

use super::error::{DataError, NotNumeric, Role};
use super::summary::LeftOut;
use super::value::EMPTY;

/// Columns that a reader must return.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) path: &'a Path,
    pub(super) time: Option<&'a str>,
    /// Column that tells the series of a row; `None` for a table of one.
    pub(super) series: Option<&'a str>,
    /// Label, or `None` for tables that are only predicted.
    pub(super) label: Option<&'a LabelSpec>,
    pub(super) features: &'a FeatureSpec,
    /// Task, which determines the valid labels.
    pub(super) task: Task,
    /// Whether times are also kept as the file has them, where it is a text.
    pub(super) keeps_times: bool,
}

impl<'a> Wanted<'a> {
    /// Returns the columns that a ladder asks for.
    pub(super) fn new(spec: &'a DataSpec, task: Task) -> Self {
        let DataSpec { path, time, label, features, series, .. } = spec;
        let (time, series) = (time.as_deref(), series.as_ref().map(|series| series.column.as_str()));
        Self { path, time, series, label: Some(label), features, task, keeps_times: false }
    }
}

/// A column as found by a reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: ColumnKind,
}

/// Whether a column can be a feature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ColumnKind {
    /// Numbers or booleans.
    Numeric,
    /// Other values, described for messages.
    Other(String),
}

/// Indices of the table's columns by use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Selection {
    /// Features that are numbers.
    pub(super) features: Vec<usize>,
    /// Columns of categories; those with learned vectors come last.
    pub(super) categorical: Vec<usize>,
    /// What the ladder says of each of them.
    pub(super) categories: Vec<CategorySpec>,
    pub(super) time: Option<usize>,
    pub(super) series: Option<usize>,
    pub(super) label: LabelColumns,
    /// The other columns, in the table's order, each with the reason why it is no feature.
    pub(super) left_out: Vec<(String, LeftOut)>,
}

/// Columns that determine the label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LabelColumns {
    /// Column with the label itself, a number.
    Class(usize),
    /// Column with the name of the class.
    Named(usize),
    /// The two columns of a threshold.
    Rise { of: usize, over: usize },
    /// No label.
    None,
}

/// Whether a column is the row index that pandas writes next to the data. It only counts rows, so as a
/// feature it would tell a model nothing except the time.
pub(super) fn is_row_index(name: &str) -> bool {
    name.is_empty() || name == "Unnamed: 0" || name.starts_with("__index_level_")
}

/// Returns an error if two columns have the same name.
pub(super) fn check_names(path: &Path, names: &[String]) -> Result<(), DataError> {
    let mut seen = HashSet::new();
    match names.iter().find(|name| !name.is_empty() && !seen.insert(name.as_str())) {
        Some(name) => Err(DataError::RepeatedColumn { path: path.to_owned(), column: name.clone() }),
        None => Ok(()),
    }
}

/// Resolves the names of a ladder to columns of a table.
///
/// Features are the columns that are not time, series, label, excluded, or a row index of pandas; all must be
/// numeric, except those whose categories are features. If the ladder includes columns by name, features are
/// exactly those, in that order, without the excluded ones, and the categorical ones.
pub(super) fn select(wanted: Wanted<'_>, columns: &[Column]) -> Result<Selection, DataError> {
    let path = wanted.path;
    let find = |name: &str, role: Role| {
        columns.iter().position(|c| c.name == name).ok_or_else(|| DataError::MissingColumn {
            path: path.to_owned(),
            column: name.to_owned(),
            role,
            columns: columns.iter().map(|c| c.name.clone()).collect(),
        })
    };
    let numeric = |index: usize, role: Role| match &columns[index].kind {
        ColumnKind::Numeric => Ok(index),
        ColumnKind::Other(found) => Err(DataError::WrongType {
            path: path.to_owned(),
            column: columns[index].name.clone(),
            role,
            found: found.clone(),
            wanted: "numbers",
        }),
    };

    let time = wanted.time.map(|name| find(name, Role::Time)).transpose()?;
    let series = wanted.series.map(|name| find(name, Role::Series)).transpose()?;
    let label = match wanted.label {
        None => LabelColumns::None,
        Some(LabelSpec::Column { name, positive, .. }) => {
            let index = find(name, Role::Label)?;
            let is_text = columns[index].kind != ColumnKind::Numeric && wanted.task != Task::Regression;
            if is_text || positive.is_some() {
                LabelColumns::Named(index)
            } else {
                LabelColumns::Class(index)
            }
        }
        Some(LabelSpec::Rise { of, over, .. }) => LabelColumns::Rise {
            of: numeric(find(of, Role::Label)?, Role::Label)?,
            over: numeric(find(over, Role::Label)?, Role::Label)?,
        },
    };
    let excluded: Vec<usize> =
        wanted.features.exclude.iter().map(|name| find(name, Role::Excluded)).collect::<Result<_, _>>()?;
    let reserved = |index: usize| {
        if time == Some(index) {
            Some(Role::Time)
        } else if series == Some(index) {
            Some(Role::Series)
        } else if label.column() == Some(index) {
            Some(Role::Label)
        } else {
            None
        }
    };

    let mut categories = wanted.features.categorical.clone();
    categories.sort_by_key(|column| column.embedding.is_some());
    let categorical = categorical(path, &categories, columns, find, reserved)?;
    let mut features = Vec::new();
    if let Some(include) = &wanted.features.include {
        for name in include {
            let index = find(name, Role::Feature)?;
            if let Some(role) = reserved(index) {
                return Err(DataError::ReservedColumn { path: path.to_owned(), column: name.clone(), role });
            }
            if features.contains(&index) {
                return Err(DataError::RepeatedFeature { path: path.to_owned(), column: name.clone() });
            }
            features.push(index);
        }
        features.retain(|index| !excluded.contains(index) && !categorical.contains(index));
        for &index in &features {
            numeric(index, Role::Feature)?;
        }
    } else {
        let is_free = |index: usize| {
            let is_other = excluded.contains(&index) || categorical.contains(&index);
            reserved(index).is_none() && !is_other && !is_row_index(&columns[index].name)
        };
        features = (0..columns.len()).filter(|index| is_free(*index)).collect();
        check_numeric(path, columns, &features, series.is_some())?;
    }
    let left_out: Vec<(String, LeftOut)> = (0..columns.len())
        .filter(|index| !features.contains(index) && !categorical.contains(index))
        .map(|index| {
            let why = match reserved(index) {
                Some(Role::Time) => LeftOut::Time,
                Some(Role::Series) => LeftOut::Series,
                Some(_) => LeftOut::Label,
                None if excluded.contains(&index) => LeftOut::Excluded,
                None if wanted.features.include.is_some() => LeftOut::NotIncluded,
                None => LeftOut::RowIndex,
            };
            (columns[index].name.clone(), why)
        })
        .collect();
    if features.is_empty() && categorical.is_empty() {
        let skipped = left_out.into_iter().map(|(name, _)| name).collect();
        return Err(DataError::NoFeatures { path: path.to_owned(), skipped });
    }
    Ok(Selection { features, categorical, categories, time, series, label, left_out })
}

/// Returns the columns of categories. That of the series may be one.
fn categorical(
    path: &Path,
    categories: &[CategorySpec],
    columns: &[Column],
    find: impl Fn(&str, Role) -> Result<usize, DataError>,
    reserved: impl Fn(usize) -> Option<Role>,
) -> Result<Vec<usize>, DataError> {
    let mut found = Vec::new();
    for CategorySpec { column: name, .. } in categories {
        let index = find(name, Role::Category)?;
        if let Some(role) = reserved(index).filter(|role| *role != Role::Series) {
            return Err(DataError::ReservedColumn { path: path.to_owned(), column: name.clone(), role });
        }
        if columns[index].kind == ColumnKind::Other(EMPTY.to_owned()) {
            return Err(DataError::WrongType {
                path: path.to_owned(),
                column: name.clone(),
                role: Role::Category,
                found: EMPTY.to_owned(),
                wanted: "categories",
            });
        }
        found.push(index);
    }
    Ok(found)
}

impl LabelColumns {
    /// Returns the column with the label itself; `None` for a threshold and without a label.
    pub(super) fn column(self) -> Option<usize> {
        match self {
            Self::Class(column) | Self::Named(column) => Some(column),
            Self::Rise { .. } | Self::None => None,
        }
    }
}

/// Returns an error that names every column of `features` that does not hold numbers.
fn check_numeric(
    path: &Path,
    columns: &[Column],
    features: &[usize],
    has_series: bool,
) -> Result<(), DataError> {
    let mut refused = Vec::new();
    for &index in features {
        if let ColumnKind::Other(found) = &columns[index].kind {
            let (column, found) = (columns[index].name.clone(), found.clone());
            refused.push(NotNumeric { column, found, first: None });
        }
    }
    if refused.is_empty() {
        return Ok(());
    }
    Err(DataError::NotNumericFeatures { path: path.to_owned(), columns: refused, has_series })
}
