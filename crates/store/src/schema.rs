//! Versions of the tables, for all databases.

/// Revision of Optuna's schema that Allometry writes, that of Optuna 5.0.
pub(crate) const REVISION: &str = "v3.2.0.a";

/// Version of Allometry's own tables.
pub(crate) const OWN_VERSION: i64 = 1;

/// A former shape of Optuna's tables; the variants are ordered from the oldest on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Former {
    /// Trial numbers are system attributes: Optuna 0.9 to 1.2.
    Unnumbered,
    /// A column holds the direction of a study and another the value of a trial: Optuna 1.3 to 2.3.
    Numbered,
    /// Directions and values have their own tables: Optuna 2.4 to 2.10.
    Objectives,
    /// Reports have a type column: betas of Optuna 3.0.
    TypedReports,
    /// Values have a type column too, only an index is missing: Optuna 3.0 and 3.1.
    TypedValues,
}

impl Former {
    /// Returns the shape of a former revision; `None` for the current one and unknown ones.
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
