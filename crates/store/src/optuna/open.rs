//! Opens storages for Optuna's clients.

use super::storage::OptunaStorage;
use super::study_with_trials::StudyWithTrials;
use crate::Store;
use crate::as_optuna::AsOptuna;
use crate::error::StoreError;
use crate::postgres::PostgresStore;
use crate::sqlite::SqliteStore;
use crate::url::{self, Storage};

/// Whether `url` is one of `SQLAlchemy`'s two URLs of a database in memory.
fn is_memory(url: &str) -> bool {
    matches!(url, "sqlite://" | "sqlite:///:memory:")
}

/// Opens the storage behind `url`, and creates its file or tables if missing. `sqlite:///:memory:` lasts as
/// long as the process.
///
/// # Errors
/// Those of [`crate::open()`].
pub fn open(url: &str) -> Result<Box<dyn OptunaStorage>, StoreError> {
    if is_memory(url) {
        return Ok(Box::new(AsOptuna(SqliteStore::serving_in_memory()?)));
    }
    Ok(match url::parse(url)? {
        Storage::Sqlite(path) => Box::new(AsOptuna(SqliteStore::serving(&path)?)),
        Storage::Postgres(url) => Box::new(AsOptuna(PostgresStore::open(url.expose())?.serving())),
    })
}

/// Returns a store in memory that contains the studies.
///
/// # Errors
/// Name of the study that cannot be stored, and the problem.
pub fn in_memory(studies: &[StudyWithTrials]) -> Result<Box<dyn Store>, (String, StoreError)> {
    let store = SqliteStore::serving_in_memory().map_err(|error| (String::new(), error))?;
    let storage = AsOptuna(store);
    for study in studies {
        storage.create_study_with_trials(study).map_err(|error| (study.name.clone(), error))?;
    }
    Ok(Box::new(storage.0))
}

/// Opens an existing storage read-only, without changing it.
///
/// # Errors
/// Those of [`crate::open_read_only`].
pub(crate) fn open_read_only(url: &str) -> Result<Box<dyn OptunaStorage>, StoreError> {
    Ok(match url::parse(url)? {
        Storage::Sqlite(path) => Box::new(AsOptuna(SqliteStore::open_read_only_file(&path)?)),
        Storage::Postgres(url) => Box::new(AsOptuna(PostgresStore::open_read_only(url.expose())?.serving())),
    })
}
