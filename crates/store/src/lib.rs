//! Where trials live: a [`Store`] in memory or in a SQLite file that Optuna's own tools open, and readers of trials
//! that other programs recorded.

pub mod change_mark;
pub mod distribution;
pub mod error;
pub mod import;
pub mod json;
pub mod memory;
pub mod optuna;
pub mod owner;
pub mod sqlite;
pub mod store;
pub mod stored_study;
pub mod url;

pub use change_mark::ChangeMark;
pub use error::{ErrorKind, StoreError};
pub use import::{ImportError, ImportedStudy};
pub use memory::MemoryStore;
pub use owner::{Liveness, Owner};
pub use sqlite::SqliteStore;
pub use store::{
    EpochMetrics, Finished, FinishedState, NewStudy, NewTrial, RunningTrial, Start, Store, StudyId,
    StudyRecord, TrialHandle, TrialId,
};
pub use stored_study::{News, StoredStudy};
