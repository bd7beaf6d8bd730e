//! What tells a study from every other one.

use std::hash::{BuildHasher as _, RandomState};

use allometry_core::StudyIdentity;
use allometry_store::{Store, StoreError, StudyId};
use serde_json::{Value, json};

/// Attribute of a study with the text that was drawn for it.
pub(crate) const IDENTITY: &str = "identity";

/// A text that no other study has: 128 bits of the system's randomness.
pub(crate) fn draw() -> Value {
    let draw = || RandomState::new().hash_one(std::process::id());
    json!(format!("{:016x}{:016x}", draw(), draw()))
}

/// The identity of a study. One that has none yet, made by another program or an earlier version, is given one.
///
/// # Errors
/// [`StoreError`] where the store cannot be read or written.
pub(crate) fn of_study(store: &dyn Store, id: StudyId, name: &str) -> Result<StudyIdentity, StoreError> {
    let stored = || -> Result<Option<String>, StoreError> {
        let record = store.study(name)?;
        let said = record.and_then(|record| record.attributes.get(IDENTITY).cloned());
        Ok(said.and_then(|said| said.as_str().map(str::to_owned)))
    };
    let drawn = if let Some(drawn) = stored()? {
        drawn
    } else {
        store.set_study_attribute(id, IDENTITY, &draw())?;
        // Of two processes that draw at the same time the later one's text stays.
        stored()?.unwrap_or_default()
    };
    Ok(StudyIdentity { name: name.to_owned(), id: drawn, storage: store.place()? })
}
