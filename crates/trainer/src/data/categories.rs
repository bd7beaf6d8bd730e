//! Columns of categories as features: one feature of 0 and 1 for each category, or one feature with the
//! number of the category, for which a model learns a vector.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use allometry_ladder::CategorySpec;
use serde::{Deserialize, Serialize};

/// A column whose categories are features.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Categories {
    /// Name of the column.
    pub column: String,
    /// Categories of the training part, sorted by code point.
    pub names: Vec<String>,
    /// Number of values of the learned vector of each category, of which the column's one feature has the
    /// number, from 1 in this order; `None` if each category is a feature, in this order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embedding: Option<usize>,
}

/// Categories of a column that the training part lacks. Rows with them have 0 in all features of the column,
/// or a vector of zeros.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unseen {
    /// Name of the column.
    pub column: String,
    /// Whether categories of the column have learned vectors.
    pub has_vectors: bool,
    /// The categories, sorted, each with its number of rows.
    pub categories: Vec<(String, u64)>,
}

impl Categories {
    /// Returns the categories of a column with these values; `None` stands for a missing one.
    pub(super) fn of<'a>(spec: &CategorySpec, values: impl Iterator<Item = Option<&'a str>>) -> Self {
        let names: BTreeSet<&str> = values.flatten().collect();
        let names = names.into_iter().map(str::to_owned).collect();
        Self { column: spec.column.clone(), names, embedding: spec.embedding }
    }

    /// Returns the names of the features.
    pub fn features(&self) -> Vec<String> {
        match self.embedding {
            Some(_) => vec![self.column.clone()],
            None => self.names.iter().map(|name| format!("{}={name}", self.column)).collect(),
        }
    }

    /// Returns the number of features.
    pub fn width(&self) -> usize {
        if self.embedding.is_some() { 1 } else { self.names.len() }
    }

    /// Returns what the ladder says of the column.
    pub(super) fn spec(&self) -> CategorySpec {
        CategorySpec { column: self.column.clone(), embedding: self.embedding }
    }

    /// Returns the number of a category, from 1; 0 for one that the training part lacks.
    fn code(&self, name: &str) -> usize {
        self.names.binary_search_by(|known| known.as_str().cmp(name)).map_or(0, |place| place + 1)
    }

    /// Returns those of the values that are no features; `None` if all are.
    pub(super) fn unseen<'a>(&self, values: impl Iterator<Item = Option<&'a str>>) -> Option<Unseen> {
        let known: BTreeSet<&str> = self.names.iter().map(String::as_str).collect();
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for name in values.flatten().filter(|name| !known.contains(name)) {
            *counts.entry(name).or_default() += 1;
        }
        let categories: Vec<(String, u64)> =
            counts.into_iter().map(|(name, rows)| (name.to_owned(), rows)).collect();
        let (column, has_vectors) = (self.column.clone(), self.embedding.is_some());
        (!categories.is_empty()).then_some(Unseen { column, has_vectors, categories })
    }
}

impl fmt::Display for Unseen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 12;
        let one = |(name, rows): &(String, u64)| {
            format!("`{name}` in {rows} {}", if *rows == 1 { "row" } else { "rows" })
        };
        let shown: Vec<String> = self.categories.iter().take(SHOWN).map(one).collect();
        let shown = shown.join(", ");
        write!(f, "`{}` has values that the training rows lack: {shown}", self.column)?;
        match self.categories.len().saturating_sub(SHOWN) {
            0 => {}
            more => write!(f, " and {more} more")?,
        }
        f.write_str(if self.has_vectors {
            "; its vector is 0 there"
        } else {
            "; all its features are 0 there"
        })
    }
}

/// Returns the number of features that columns of categories have.
pub(crate) fn width(columns: &[Categories]) -> usize {
    columns.iter().map(Categories::width).sum()
}

/// Appends to each of `rows` rows of `numbers`, which are `features` a row, the features of its categories.
/// `category` returns that of a column and a row.
pub(super) fn encoded<'a>(
    numbers: Vec<f32>,
    features: usize,
    columns: &[Categories],
    rows: usize,
    category: impl Fn(usize, usize) -> Option<&'a str>,
) -> Vec<f32> {
    if columns.is_empty() {
        return numbers;
    }
    let mut values = Vec::with_capacity(rows * (features + width(columns)));
    for row in 0..rows {
        values.extend_from_slice(&numbers[row * features..(row + 1) * features]);
        for (place, column) in columns.iter().enumerate() {
            let found = category(place, row);
            match column.embedding {
                Some(_) => values.push(found.map_or(0, |name| column.code(name)) as f32),
                None => {
                    values.extend(column.names.iter().map(|name| f32::from(u8::from(found == Some(name)))));
                }
            }
        }
    }
    values
}
