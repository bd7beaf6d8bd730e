//! Export of studies to files that other programs read: `all_trials.json`, tables and Optuna's journals.

mod csv;
mod journal;
mod json;
mod trial;

use crate::import::{IMPORT_KEY, ImportAttribute};
use crate::optuna::StudyWithTrials;
use crate::own_attribute::OWN_PREFIX;
use crate::store::METRIC_NAMES;

pub use csv::write as csv;
pub use journal::write as journal;
pub use json::write as json;

/// Returns the names of a study's directions.
fn directions(study: &StudyWithTrials) -> Vec<&'static str> {
    study.directions.iter().map(|direction| direction.as_str()).collect()
}

/// Returns the attribute that tells which distributions were inferred by an import.
fn import_attribute(study: &StudyWithTrials) -> ImportAttribute {
    let text = study.user_attributes.get(&format!("{OWN_PREFIX}{IMPORT_KEY}"));
    text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

/// Returns the names of a study's objectives, if each has one.
fn metric_names(study: &StudyWithTrials) -> Option<Vec<String>> {
    let names = study.system_attributes.get(METRIC_NAMES)?;
    let names: Vec<String> = serde_json::from_str(names).ok()?;
    (names.len() == study.directions.len()).then_some(names)
}
