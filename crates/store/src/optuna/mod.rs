//! Optuna's view of a store: parameters as stored numbers, distributions and attributes as JSON texts. They
//! are interpreted only as far as needed to keep a study readable.

pub(crate) mod check;
mod open;
mod read_whole_study;
pub(crate) mod record;
pub(crate) mod storage;
pub(crate) mod whole_study;

use crate::own_attribute::OWN_PREFIX;

pub(crate) use check::{compatible, distribution};
pub(crate) use open::open_read_only;
pub use open::{in_memory, open};
pub use record::{AttributeKind, OptunaStudy, TrialHead, TrialSink, TrialTemplate};
pub use storage::OptunaStorage;
pub use whole_study::{WholeStudy, WholeTrial};

pub use crate::store::Beside;

/// Whether a key is reserved for Allometry's own attributes, which describe studies and trials.
pub fn is_reserved(key: &str) -> bool {
    key.starts_with(OWN_PREFIX)
}
