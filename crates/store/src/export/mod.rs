//! Studies as files that other programs read: Optuna's `all_trials.json` and its table of trials.

mod csv;
mod journal;
mod json;
mod trial;

use crate::assemble::OWN_PREFIX;
use crate::import::{IMPORT_KEY, ImportAttribute};
use crate::optuna::WholeStudy;
use crate::store::METRIC_NAMES;

pub use csv::write as csv;
pub use journal::write as journal;
pub use json::write as json;

/// The directions of a study as words.
fn directions(study: &WholeStudy) -> Vec<&'static str> {
    study.directions.iter().map(|direction| direction.as_str()).collect()
}

/// Which sets of its parameters nobody recorded.
fn import_attribute(study: &WholeStudy) -> ImportAttribute {
    let text = study.user_attributes.get(&format!("{OWN_PREFIX}{IMPORT_KEY}"));
    text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

/// The names of a study's objectives, where each has one.
fn metric_names(study: &WholeStudy) -> Option<Vec<String>> {
    let names = study.system_attributes.get(METRIC_NAMES)?;
    let names: Vec<String> = serde_json::from_str(names).ok()?;
    (names.len() == study.directions.len()).then_some(names)
}
