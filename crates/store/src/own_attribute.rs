//! Keys of the attributes that Allometry keeps in Optuna's tables, and the text of a search space there.

use allometry_core::SearchSpace;
use serde_json::Value;

/// Prefix of the keys under which Allometry keeps its own attributes.
pub(crate) const OWN_PREFIX: &str = "allometry:";

/// Key of the attribute that holds a trial's [record](allometry_core::TrialRecord).
pub(crate) const RECORD_KEY: &str = "allometry:record";

/// Key of the attribute that holds a trial's integers beyond 2^53, which the stored float rounds.
pub(crate) const EXACT_KEY: &str = "allometry:exact";

/// Key, without prefix, of the attribute that holds a study's search space.
pub(crate) const SPACE_KEY: &str = "search_space";

/// Returns the JSON of a search space.
pub(crate) fn space_json(space: &SearchSpace) -> Value {
    serde_json::to_value(space).expect("a space has text keys only")
}
