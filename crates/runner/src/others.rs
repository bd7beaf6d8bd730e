//! A ladder's other budgets, as the store has them, for a sampler that learns from them.

use allometry_core::sampler::OtherBudget;
use allometry_core::{FrozenTrial, SearchSpace, WeightTarget};
use allometry_store::{Store, StoreError, StudyId, StudyRecord};

use crate::choice::split;
use crate::recover::fold_attempts;

/// The studies of a ladder's other budgets and their trials.
#[derive(Default)]
pub(crate) struct Others(Vec<Other>);

struct Other {
    label: String,
    /// Decimal logarithm of the weights aimed at, less that of the study's own.
    decades: f64,
    space: SearchSpace,
    finished: Vec<FrozenTrial>,
}

impl Others {
    /// In the ladder's order; none for a study that belongs to no ladder or whose budget has no size.
    pub(crate) fn read(store: &dyn Store, study: StudyId) -> Result<Self, StoreError> {
        let studies = store.studies()?;
        let Some(own) = studies.iter().find(|record| record.id == study).and_then(rung) else {
            return Ok(Self::default());
        };
        let mut others = Vec::new();
        for record in &studies {
            let Some(other) = rung(record).filter(|other| record.id != study && other.ladder == own.ladder)
            else {
                continue;
            };
            let Some(space) = record.space.clone() else { continue };
            let (finished, _) = split(fold_attempts(store.trials(record.id)?));
            let decades = other.decades - own.decades;
            others.push((other.position, Other { label: other.label.to_owned(), decades, space, finished }));
        }
        others.sort_by_key(|(position, _)| *position);
        Ok(Self(others.into_iter().map(|(_, other)| other).collect()))
    }

    /// As samplers see them.
    pub(crate) fn views(&self) -> Vec<OtherBudget<'_>> {
        let mut views = Vec::with_capacity(self.0.len());
        for Other { label, decades, space, finished } in &self.0 {
            views.push(OtherBudget { label, decades: *decades, space, finished });
        }
        views
    }
}

/// A study's place in its ladder.
struct Rung<'a> {
    ladder: &'a str,
    position: usize,
    label: &'a str,
    decades: f64,
}

fn rung(record: &StudyRecord) -> Option<Rung<'_>> {
    let (ladder, budget) = (record.facts.ladder.as_ref()?, record.facts.budget.as_ref()?);
    let WeightTarget::Near { weights, .. } = budget.target else { return None };
    Some(Rung {
        ladder: &ladder.name,
        position: ladder.position,
        label: &budget.label,
        decades: (weights as f64).log10(),
    })
}
