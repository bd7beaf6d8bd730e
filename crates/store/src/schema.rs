//! Versions of the tables, whatever database they lie in.

/// Revision of Optuna's schema that is read and written: that of Optuna 5.0.
pub(crate) const REVISION: &str = "v3.2.0.a";

/// Version of Allometry's own tables.
pub(crate) const OWN_VERSION: i64 = 1;

/// A former shape of Optuna's tables, the oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Former {
    /// Numbers of trials are attributes of theirs: Optuna 0.9 to 1.2.
    Unnumbered,
    /// A study has one direction and a trial one value, beside their other columns: Optuna 1.3 to 2.3.
    Numbered,
    /// Directions and values have tables: Optuna 2.4 to 2.10.
    Objectives,
    /// Reports say whether they are numbers: betas of Optuna 3.0.
    TypedReports,
    /// Values do too: Optuna 3.0 and 3.1. Only an index is missing.
    TypedValues,
}

impl Former {
    /// The shape of a former revision; `None` of the present one, and of unknown ones.
    pub(crate) fn of(revision: &str) -> Option<Self> {
        Some(match revision {
            "v0.9.0.a" | "v1.2.0.a" => Self::Unnumbered,
            "v1.3.0.a" => Self::Numbered,
            "v2.4.0.a" | "v2.6.0.a" | "v3.0.0.a" | "v3.0.0.b" => Self::Objectives,
            "v3.0.0.c" => Self::TypedReports,
            "v3.0.0.d" => Self::TypedValues,
            _ => return None,
        })
    }
}
