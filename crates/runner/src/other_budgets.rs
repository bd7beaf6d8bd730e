//! The trials of a ladder's other budgets in the store, for a sampler that uses them.

use allometry_core::{FrozenTrial, RowCount, SearchSpace, WeightTarget};
use allometry_search::OtherBudget;
use allometry_store::{Store, StoreError, StudyId, StudyRecord};

use crate::attempts::{fold_attempts, split};

/// The other budgets of a ladder with their trials.
#[derive(Default)]
pub(crate) struct OtherBudgets(Vec<Budget>);

struct Budget {
    label: String,
    /// Decimal logarithm of the ratio of the target weights to those of the study's own budget.
    decades: f64,
    space: SearchSpace,
    finished: Vec<FrozenTrial>,
}

impl OtherBudgets {
    /// Reads the budgets in the order of the ladder; none for a study without a ladder or without target
    /// weights.
    pub(crate) fn read(store: &dyn Store, study: StudyId) -> Result<Self, StoreError> {
        let studies = store.studies()?;
        let Some(own) = studies.iter().find(|record| record.id == study).and_then(rung) else {
            return Ok(Self::default());
        };
        let mut others = Vec::new();
        for record in &studies {
            let is_other =
                |other: &Rung<'_>| record.id != study && other.ladder == own.ladder && other.rows == own.rows;
            let Some(other) = rung(record).filter(is_other) else { continue };
            let Some(space) = record.space.clone() else { continue };
            let (finished, _) = split(fold_attempts(store.trials(record.id)?));
            let decades = other.decades - own.decades;
            others.push((other.position, Budget { label: other.label.to_owned(), decades, space, finished }));
        }
        others.sort_by_key(|(position, _)| *position);
        Ok(Self(others.into_iter().map(|(_, other)| other).collect()))
    }

    /// The budgets as the input of samplers.
    pub(crate) fn views(&self) -> Vec<OtherBudget<'_>> {
        let mut views = Vec::with_capacity(self.0.len());
        for Budget { label, decades, space, finished } in &self.0 {
            views.push(OtherBudget { label, decades: *decades, space, finished });
        }
        views
    }
}

/// The position of a study in its ladder.
struct Rung<'a> {
    ladder: &'a str,
    position: usize,
    label: &'a str,
    decades: f64,
    /// Part of the training rows; `None` for all. Budgets learn from budgets that train on the same rows.
    rows: Option<RowCount>,
}

fn rung(record: &StudyRecord) -> Option<Rung<'_>> {
    let (ladder, budget) = (record.facts.ladder.as_ref()?, record.facts.budget.as_ref()?);
    let WeightTarget::Near { weights, .. } = budget.target else { return None };
    Some(Rung {
        ladder: &ladder.name,
        position: ladder.position,
        label: &budget.label,
        decades: (weights as f64).log10(),
        rows: budget.train.as_ref().map(|part| part.rows),
    })
}
