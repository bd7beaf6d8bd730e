//! Distributions that fit those of their study's other trials.

use std::collections::HashMap;
use std::sync::Mutex;

use allometry_core::{Distribution, Params, SearchSpace};

use super::known::{Fitting, Known};
use super::rules::require_fitting;
use super::{Database, ParamRow, Result, WriteRows, lock};
use crate::distribution;
use crate::error::StoreError;
use crate::store::StudyId;

/// Distributions that fit: those that the process knows, and those that a transaction finds.
pub(crate) struct Fitted<'k> {
    known: &'k Mutex<Known>,
    /// They are known once the transaction is committed.
    found: HashMap<Fitting, String>,
}

/// Writes in one commit, and remembers the distributions that were found to fit once that is done.
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

    /// Checks that a distribution, which is stored as it is given, fits those that its parameter has in a
    /// study.
    ///
    /// # Errors
    /// As for [`require_fitting`].
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

    /// Returns parameters as they are stored, whose distributions must fit those of the study's other trials.
    ///
    /// A list of choices keeps the text that is stored for it, which may say more than was read of it: an
    /// integer of 30 digits, for example.
    ///
    /// # Errors
    /// As for [`require_fitting`]; [`StoreError::UnknownParameter`], [`StoreError::OutsideDistribution`].
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
