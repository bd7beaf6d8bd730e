//! Storage of trials: a [`Store`] in a SQLite or PostgreSQL database that Optuna's own tools open, and
//! readers of trials that other programs recorded.

mod as_optuna;
mod as_store;
pub mod change_mark;
mod column;
pub mod distribution;
pub mod error;
pub mod export;
pub mod facts;
mod failure;
mod file_mark;
mod former;
mod from_rows;
mod id;
pub mod import;
pub mod json;
pub mod late;
pub mod location;
pub mod open;
pub mod optuna;
mod own_attribute;
pub mod owner;
pub mod postgres;
mod rows;
mod schema;
pub mod sqlite;
pub mod store;
pub mod stored_study;
pub mod url;
pub mod yaml;

pub use change_mark::{ChangeMark, FollowedStore};
pub use error::{Departure, ErrorKind, StoreError};
pub use import::{ImportError, ImportedStudy};
pub use late::LateResult;
pub use location::Location;
pub use open::{open, open_existing, open_read_only};
pub use owner::{Liveness, Owner};
pub use postgres::PostgresStore;
pub use sqlite::SqliteStore;
pub use store::{
    EpochMetrics, Finished, FinishedState, NewStudy, NewTrial, RunningTrial, Start, Store, StudyId,
    StudyRecord, TrialExtras, TrialHandle, TrialId, TrialPage, each_trial,
};
pub use stored_study::{News, StoredStudy};
