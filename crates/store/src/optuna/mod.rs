//! Optuna's view of a store: parameters as stored numbers, distributions and attributes as JSON texts. They
//! are interpreted only as far as needed to keep a study readable.

pub(crate) mod check;
mod open;
mod read_study_with_trials;
pub(crate) mod record;
pub(crate) mod storage;
pub(crate) mod study_with_trials;

use crate::own_attribute::OWN_PREFIX;

pub(crate) use check::{compatible, distribution};
pub(crate) use open::open_read_only;
pub use open::{in_memory, open};
pub use record::{AttributeKind, OptunaStudy, TrialHead, TrialSink, TrialTemplate};
pub use storage::OptunaStorage;
pub use study_with_trials::{StudyWithTrials, TrialWithExtras};

pub use crate::store::TrialExtras;

/// Whether a key is reserved for Allometry's own attributes, which describe studies and trials.
pub fn is_reserved(key: &str) -> bool {
    key.starts_with(OWN_PREFIX)
}
