//! Opens the studies of a ladder.

use std::sync::Arc;

use allometry_core::{Precision, Secret};
use allometry_ladder::{Ladder, ObjectiveSpec, ScoredPart};
use allometry_runner::{ChangedSpace, OpenStudy, open_studies};
use allometry_store::Store;
use allometry_store::facts::{ObjectiveFacts, StoredLadder};
use allometry_study::ladder_name;

use crate::{Evaluator, SessionError};

/// Returns the precision that the studies of a ladder began with, if it leaves its own open; `None` where
/// there are none, or where the storage does not answer, which opening it for the trials will tell.
pub fn stored_precision(url: &Secret, ladder: &Ladder) -> Option<Precision> {
    let ObjectiveSpec::Model { model, .. } = &ladder.objective else { return None };
    if model.precision != Precision::Auto {
        return None;
    }
    let studies = allometry_store::open_read_only(url.expose()).and_then(|store| store.studies()).ok()?;
    studies.iter().filter(|study| ladder_name(study) == ladder.name).find_map(|study| {
        match &study.facts.objective {
            Some(ObjectiveFacts::Model(facts)) => Some(facts.model.precision),
            _ => None,
        }
    })
}

/// Opens or creates the study of each budget with trials to run. The studies keep `file`, the ladder file.
///
/// # Errors
/// [`SessionError::Space`] for a budget without a configuration; else as [`open_studies`].
pub fn open(
    store: &dyn Store,
    ladder: &Ladder,
    evaluator: &Evaluator<'_>,
    file: Option<StoredLadder>,
    changed: ChangedSpace,
) -> Result<Vec<OpenStudy>, SessionError> {
    let mut budgets = Vec::new();
    for spec in ladder.budgets.iter().filter(|budget| budget.trials > 0) {
        let feasible = Arc::new(evaluator.feasible(spec)?);
        let sampler = allometry_search::build_sampler(
            &ladder.metrics.directions(),
            ladder.sampler,
            Arc::clone(&feasible),
            ladder.seed,
        )?;
        budgets.push((spec.clone(), feasible, sampler));
    }
    let mut facts = evaluator.facts(ScoredPart::Validation);
    facts.ladder_file = file;
    Ok(open_studies(store, ladder, budgets, &facts, changed)?)
}
