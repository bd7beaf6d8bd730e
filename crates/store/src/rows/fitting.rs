//! Compatibility of distributions within a study.

use std::collections::HashMap;
use std::sync::Mutex;

use allometry_core::{Distribution, Params, SearchSpace};

use super::known::{Fitting, Known};
use super::rules::require_fitting;
use super::{Database, ParamRow, Result, WriteRows, lock};
use crate::distribution;
use crate::error::StoreError;
use crate::store::StudyId;

/// Compatible distributions: those that the process has cached, and those that a transaction finds.
pub(crate) struct Fitted<'k> {
    known: &'k Mutex<Known>,
    /// Added to the cache once the transaction is committed.
    found: HashMap<Fitting, String>,
}

/// Writes in one commit, then caches the distributions that were found compatible.
pub(crate) fn write_fitting<D: Database, T>(
    db: &D,
    mut body: impl FnMut(&mut dyn WriteRows, &mut Fitted<'_>) -> Result<T>,
) -> Result<T, StoreError> {
    let mut fitted = Fitted { known: db.known(), found: HashMap::new() };
    let done = db.write(|rows| {
        fitted.found.clear();
        body(rows, &mut fitted)
    })?;
    lock(db.known()).extend(fitted.found);
    Ok(done)
}

impl Fitted<'_> {
    fn text(&self, key: &Fitting) -> Option<String> {
        self.found.get(key).cloned().or_else(|| lock(self.known).text(key).cloned())
    }

    /// Checks that a distribution, which is stored as given, is compatible with those of its parameter in a
    /// study.
    ///
    /// # Errors
    /// Those of [`require_fitting`].
    pub(crate) fn require(
        &mut self,
        rows: &mut dyn WriteRows,
        study: StudyId,
        name: &str,
        given: &str,
    ) -> Result<()> {
        let key = (study, name.to_owned(), given.to_owned());
        if self.text(&key).is_none() {
            require_fitting(rows, study, name, given)?;
            self.found.insert(key, given.to_owned());
        }
        Ok(())
    }

    /// Returns the stored form of parameters, whose distributions must be compatible with those of the study.
    ///
    /// A list of choices keeps its stored text, which may be more exact than the parsed one, for example an
    /// integer of 30 digits.
    ///
    /// # Errors
    /// Those of [`require_fitting`]; [`StoreError::UnknownParameter`], [`StoreError::OutsideDistribution`].
    pub(crate) fn params(
        &mut self,
        rows: &mut dyn WriteRows,
        study: StudyId,
        params: &Params,
        space: &SearchSpace,
    ) -> Result<Vec<ParamRow>> {
        let placed = distribution::place(params, space)?;
        let mut row = |name: &str, internal: f64, given: &Distribution| {
            let key = (study, name.to_owned(), distribution::write(given));
            if let Some(text) = self.text(&key) {
                return Ok((key.1, internal, text));
            }
            let stored = require_fitting(rows, study, name, &key.2)?;
            let stored = stored.filter(|_| matches!(given, Distribution::Categorical { .. }));
            let text = stored.unwrap_or_else(|| key.2.clone());
            self.found.insert(key, text.clone());
            Ok((name.to_owned(), internal, text))
        };
        placed.iter().map(|place| row(place.name, place.internal, place.distribution)).collect()
    }
}
