//! The identity of a study.

use std::hash::{BuildHasher as _, RandomState};

use allometry_core::StudyIdentity;
use allometry_store::facts::Fact;
use allometry_store::{Store, StoreError, StudyId};

/// Draws a unique text from 128 bits of system randomness.
pub(crate) fn draw() -> Fact {
    let draw = || RandomState::new().hash_one(std::process::id());
    Fact::Identity(format!("{:016x}{:016x}", draw(), draw()))
}

/// The identity of a study. A study without one, created by another program or an earlier version, gets a new
/// one.
///
/// # Errors
/// [`StoreError`] where the store cannot be read or written.
pub(crate) fn of_study(store: &dyn Store, id: StudyId, name: &str) -> Result<StudyIdentity, StoreError> {
    let stored = || -> Result<Option<String>, StoreError> {
        Ok(store.study(name)?.and_then(|record| record.facts.identity))
    };
    let drawn = if let Some(drawn) = stored()? {
        drawn
    } else {
        store.set_facts(id, &[draw()])?;
        // Of two processes that draw at the same time the later text is kept.
        stored()?.unwrap_or_default()
    };
    Ok(StudyIdentity { name: name.to_owned(), id: drawn, storage: store.place()? })
}
