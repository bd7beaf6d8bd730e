//! Runs the studies of a ladder: opens or resumes them in a store, assigns trials to workers, and handles
//! interruptions.

mod ask;
mod assignment;
mod attempts;
mod choice;
mod command;
mod dispatcher;
mod enqueued;
mod error;
mod evaluate;
mod experiment;
mod heartbeat;
mod identity;
mod interrupt;
mod interruption;
mod lease;
mod objective_changes;
mod objectives;
mod open;
mod options;
mod other_budgets;
mod process;
mod recover;
mod rescue;
mod run;
mod study_run;
mod summary;

pub use ask::{AskError, Asked, DrivenStudy, Enqueued, asked_trial, tell, tell_state};
pub use command::{CommandObjective, Devices, NoProgram};
pub use error::RunError;
pub use experiment::open_experiment;
pub use interrupt::Interrupt;
pub use objective_changes::objective_changes;
pub use open::{ChangedSpace, LadderFacts, OpenStudy, Pruning, open_studies};
pub use options::RunOptions;
pub use run::run;
pub use summary::{RunSummary, StudyOutcome};

#[cfg(test)]
mod interleaving;
