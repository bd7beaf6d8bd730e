//! Columns of categories as features: one feature of 0 and 1 for each category.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

/// A column whose categories are features.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Categories {
    /// Name of the column.
    pub column: String,
    /// Categories of the training part, sorted by code point. Each is a feature, in this order.
    pub names: Vec<String>,
}

/// Categories of a column that the training part lacks. Rows with them have 0 in all features of the column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unseen {
    /// Name of the column.
    pub column: String,
    /// The categories, sorted, each with its number of rows.
    pub categories: Vec<(String, u64)>,
}

impl Categories {
    /// Returns the categories of a column with these values; `None` stands for a missing one.
    pub(super) fn of<'a>(column: String, values: impl Iterator<Item = Option<&'a str>>) -> Self {
        let names: BTreeSet<&str> = values.flatten().collect();
        Self { column, names: names.into_iter().map(str::to_owned).collect() }
    }

    /// Returns the names of the features.
    pub fn features(&self) -> impl Iterator<Item = String> + '_ {
        self.names.iter().map(|name| format!("{}={name}", self.column))
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
        (!categories.is_empty()).then(|| Unseen { column: self.column.clone(), categories })
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
        f.write_str("; all its features are 0 there")
    }
}

/// Returns the number of features that columns of categories have.
pub(crate) fn width(columns: &[Categories]) -> usize {
    columns.iter().map(|column| column.names.len()).sum()
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
            values.extend(column.names.iter().map(|name| f32::from(u8::from(found == Some(name)))));
        }
    }
    values
}
