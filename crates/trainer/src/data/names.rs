//! Names in a column: classes of a label, categories of a feature.

use std::collections::HashMap;
use std::path::Path;

use allometry_ladder::Task;

use super::error::DataError;

/// Names of rows, in the order of the file.
#[derive(Debug)]
pub(super) struct Names {
    /// Largest number of distinct names.
    most: usize,
    /// Distinct names in order of appearance, each with its number of rows.
    found: Vec<(String, u64)>,
    places: HashMap<String, usize>,
    /// Place in `found` of each row's name; `None` where it is missing.
    rows: Vec<Option<usize>>,
}

/// Classes of named labels.
#[derive(Debug, PartialEq)]
pub(super) struct Numbered {
    /// Class of each row, NaN for a missing label.
    pub(super) classes: Vec<f64>,
    /// Names of the classes in their order; empty for `false` and `true`, which need none.
    pub(super) names: Vec<String>,
}

/// Error: a column has too many distinct names.
#[derive(Debug)]
pub(super) struct TooMany {
    /// Largest number.
    pub(super) most: usize,
}

impl Names {
    /// Returns the names of no row yet, of which at most `most` may be distinct.
    pub(super) fn at_most(most: usize) -> Self {
        Self { most, found: Vec::new(), places: HashMap::new(), rows: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Returns the name of a row; `None` where it is missing.
    pub(super) fn name(&self, row: usize) -> Option<&str> {
        self.rows[row].map(|place| self.found[place].0.as_str())
    }

    /// Gives a row the name of another one.
    pub(super) fn copy(&mut self, from: usize, row: usize) {
        self.rows[row] = self.rows[from];
    }

    /// Returns the first row with a name; `None` if there is none.
    pub(super) fn first_row(&self, name: &str) -> Option<usize> {
        let place = self.places.get(name)?;
        self.rows.iter().position(|row| row.as_ref() == Some(place))
    }

    /// Appends the name of the next row. Case is ignored in `true` and `false` only.
    pub(super) fn push(&mut self, text: Option<&str>) -> Result<(), TooMany> {
        let Some(name) = text.map(canonical) else {
            self.rows.push(None);
            return Ok(());
        };
        let place = match self.places.get(&name) {
            Some(place) => *place,
            None if self.found.len() == self.most => return Err(TooMany { most: self.most }),
            None => {
                self.places.insert(name.clone(), self.found.len());
                self.found.push((name, 0));
                self.found.len() - 1
            }
        };
        self.found[place].1 += 1;
        self.rows.push(Some(place));
        Ok(())
    }

    /// Returns the class of each row: 1 for the name `positive` of a binary label, otherwise the place of
    /// the name in sorted order.
    ///
    /// # Errors
    /// [`DataError`] for a binary label that has other than two names, or of which `positive` is none.
    pub(super) fn numbered(
        &self,
        (path, column): (&Path, &str),
        task: Task,
        positive: Option<&str>,
    ) -> Result<Numbered, DataError> {
        let mut sorted = self.found.clone();
        sorted.sort();
        let is_boolean = sorted.iter().all(|(name, _)| name == "false" || name == "true");
        if is_boolean && positive.is_none() {
            return Ok(Numbered {
                classes: self.classes(|name| usize::from(name == "true")),
                names: Vec::new(),
            });
        }
        if task == Task::Binary {
            sorted = binary((path, column), sorted, positive)?;
        }
        let names: Vec<String> = sorted.into_iter().map(|(name, _)| name).collect();
        let place_of: HashMap<&str, usize> =
            names.iter().enumerate().map(|(place, name)| (name.as_str(), place)).collect();
        Ok(Numbered { classes: self.classes(|name| place_of[name]), names: names.clone() })
    }

    fn classes(&self, class: impl Fn(&str) -> usize) -> Vec<f64> {
        let of_found: Vec<f64> = self.found.iter().map(|(name, _)| class(name) as f64).collect();
        self.rows.iter().map(|row| row.map_or(f64::NAN, |place| of_found[place])).collect()
    }
}

/// Returns the two classes of a binary label, the positive one last.
fn binary(
    (path, column): (&Path, &str),
    mut classes: Vec<(String, u64)>,
    positive: Option<&str>,
) -> Result<Vec<(String, u64)>, DataError> {
    let (path, column) = (path.to_owned(), column.to_owned());
    if classes.len() != 2 {
        return Err(DataError::NotTwoClasses { path, column, classes, rarest: None });
    }
    let Some(positive) = positive else {
        return Err(DataError::NoPositive { path, column, classes });
    };
    let wanted = canonical(positive);
    let Some(place) = classes.iter().position(|(name, _)| *name == wanted) else {
        return Err(DataError::UnknownPositive { path, column, positive: positive.to_owned(), classes });
    };
    if place == 0 {
        classes.reverse();
    }
    Ok(classes)
}

/// Returns a name without surrounding blanks; `true` and `false` are in lower case.
fn canonical(text: &str) -> String {
    let text = text.trim();
    let lower = text.to_ascii_lowercase();
    if lower == "true" || lower == "false" { lower } else { text.to_owned() }
}
