//! Versions of the tables, whatever database they lie in.

/// Revision of Optuna's schema that is read and written: that of Optuna 5.0.
pub(crate) const REVISION: &str = "v3.2.0.a";

/// Version of Allometry's own tables.
pub(crate) const OWN_VERSION: i64 = 1;
