//! Every way in which a command can end badly, with its exit code and what the user can do.

use std::fmt;
use std::path::{Path, PathBuf};

use allometry_analysis::Severity;
use allometry_core::ladder::LadderErrors;
use allometry_core::space::SpaceError;
use allometry_gpu::OpenError;
use allometry_grpc::ServeError as GrpcError;
use allometry_report::number::counted;
use allometry_report::{ReadError, classic};
use allometry_runner::{AskError, NoProgram, RunError};
use allometry_server::ServeError;
use allometry_session::SessionError;
use allometry_store::{ErrorKind, ImportError, StoreError};
use allometry_study::StudyError;
use allometry_trainer::ArchitectureError;
use allometry_trainer::checkpoint::CheckpointError;
use allometry_trainer::data::DataError;

use crate::exit_code::ExitCode;

/// A finding that met a condition of `--fail-on`.
#[derive(Debug)]
pub(crate) struct Met {
    pub(crate) severity: Severity,
    pub(crate) code: String,
    pub(crate) message: String,
}

impl fmt::Display for Met {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.severity.as_str(), self.code, self.message)
    }
}

/// Every way in which a command can end badly.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    /// The command line asks for something that makes no sense.
    #[error("{message}")]
    Usage {
        /// What.
        message: String,
        /// What to write instead.
        hint: Option<String>,
    },
    /// A file cannot be read.
    #[error("cannot read {}: {source}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {}: {source}", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The ladder file has problems.
    #[error("the ladder file is not valid")]
    Ladder(Box<LadderErrors>),
    /// A budget's search space has no configuration.
    #[error(transparent)]
    Space(#[from] SpaceError),
    /// A table from which no ladder can be made.
    #[error("{}: {message}", .path.display())]
    Table {
        /// The table's file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// The data cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The ladder's model does not fit its data.
    #[error(transparent)]
    Model(#[from] ArchitectureError),
    /// What the ladder's model is to be trained on is not there.
    #[error(transparent)]
    Device(#[from] OpenError),
    /// A checkpoint cannot be read, written or gone on from.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// Foreign trials cannot be read.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// A file is no sweep that can become a ladder.
    #[error("cannot make a ladder of {}", .path.display())]
    Sweep {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: allometry_sweep::SweepError,
    },
    /// A file is no report document.
    #[error("cannot read {} as a report: {why}", .path.display())]
    Report {
        /// The file.
        path: PathBuf,
        /// Why.
        why: ReadError,
    },
    /// A classic report cannot be read.
    #[error("{}, {source}", .path.display())]
    ClassicReport {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: classic::ReadError,
    },
    /// What a study holds has no place where it is written.
    #[error("study {study:?} cannot be written, and nothing of it was")]
    NotStorable {
        /// The study.
        study: String,
        /// What of it.
        source: StoreError,
    },
    /// The storage fails.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store failed while trials ran.
    #[error("{cause}; {}", whereabouts(.kept.as_deref(), *.trials))]
    Lost {
        /// Why.
        cause: StoreError,
        /// Where what the run knows was written; `None` where it could be written nowhere.
        kept: Option<PathBuf>,
        /// How many trials that are.
        trials: usize,
    },
    /// A run cannot start or go on.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A command's program is not there.
    #[error(transparent)]
    NoProgram(#[from] NoProgram),
    /// A call from outside is refused.
    #[error(transparent)]
    Ask(#[from] AskError),
    /// Declared parameters make no sense.
    #[error("{}: {problem}", .path.display())]
    DeclaredSpace {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The dashboard cannot start.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// The storage server cannot start.
    #[error(transparent)]
    Grpc(#[from] GrpcError),
    /// There is nothing to do the command with.
    #[error("{message}")]
    NotFound {
        /// What is missing.
        message: String,
        /// Where it may be.
        hint: Option<String>,
    },
    /// No trial of the run has a value, or too many failed.
    #[error("{message}")]
    TrialsFailed {
        /// Which studies.
        message: String,
    },
    /// Models predict labels that were put in random order.
    #[error("{message}")]
    LabelsKnown {
        /// What came out, and what chance would be.
        message: String,
    },
    /// What `--fail-on` names was found.
    #[error("{} met --fail-on:{}", counted(.0.len() as u64, "finding"), listed(.0))]
    FindingsMet(Vec<Met>),
    /// A signal ended the run.
    #[error("interrupted; all results are saved")]
    Interrupted {
        /// 128 plus the signal's number.
        code: u8,
    },
    /// The operating system refused something that always works.
    #[error("{what}: {source}")]
    System {
        /// What was tried.
        what: &'static str,
        /// Why it failed.
        source: std::io::Error,
    },
}

impl From<StudyError> for CliError {
    fn from(error: StudyError) -> Self {
        match error {
            StudyError::Usage { message, hint } => Self::Usage { message, hint },
            StudyError::NotFound { message, hint } => Self::NotFound { message, hint },
            StudyError::Read { path, source } => Self::Read { path, source },
            StudyError::Ladder(errors) => Self::Ladder(errors),
            StudyError::Import(error) => Self::Import(error),
            StudyError::Store(error) => Self::Store(error),
        }
    }
}

impl From<SessionError> for CliError {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Usage { message, hint } => Self::Usage { message, hint },
            SessionError::NotFound { message, hint } => Self::NotFound { message, hint },
            SessionError::Ladder(errors) => Self::Ladder(errors),
            SessionError::Space(error) => Self::Space(error),
            SessionError::Data(error) => Self::Data(error),
            SessionError::Model(error) => Self::Model(error),
            SessionError::Device(error) => Self::Device(error),
            SessionError::NoProgram(error) => Self::NoProgram(error),
            SessionError::Study(error) => error.into(),
            SessionError::Store(error) => Self::Store(error),
            SessionError::Run(error) => Self::Run(error),
            SessionError::Ask(error) => Self::Ask(error),
            SessionError::TrialsFailed { message } => Self::TrialsFailed { message },
            SessionError::LabelsKnown { message } => Self::LabelsKnown { message },
        }
    }
}

impl CliError {
    /// What the process tells its parent.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage { .. }
            | Self::Serve(ServeError::NeedsToken(_) | ServeError::Listen { .. })
            | Self::Grpc(GrpcError::NeedsToken(_) | GrpcError::Listen { .. })
            | Self::Import(
                ImportError::Inapplicable { .. }
                | ImportError::WhichDirection { .. }
                | ImportError::WhichObjective { .. },
            )
            | Self::Ask(
                AskError::Finished { .. }
                | AskError::Waiting { .. }
                | AskError::Foreign { .. }
                | AskError::NotFinite { .. }
                | AskError::ValueCount { .. }
                | AskError::StepOfSeveral { .. }
                | AskError::Unfit { .. }
                | AskError::Store(StoreError::NotRunning { .. }),
            ) => ExitCode::Usage,
            Self::Data(DataError::Io { .. })
            | Self::Checkpoint(
                CheckpointError::Read { .. }
                | CheckpointError::Damaged { .. }
                | CheckpointError::Foreign { .. }
                | CheckpointError::Version { .. }
                | CheckpointError::NoModel { .. },
            )
            | Self::Read { .. }
            | Self::NotStorable { .. }
            | Self::Report { .. }
            | Self::ClassicReport { .. }
            | Self::NotFound { .. }
            | Self::Grpc(GrpcError::Identity { .. })
            | Self::Device(_)
            | Self::Ask(AskError::UnknownTrial { .. } | AskError::Exhausted(_)) => ExitCode::NotFound,
            Self::Ladder(_)
            | Self::Space(_)
            | Self::Model(_)
            | Self::Checkpoint(CheckpointError::Architecture { .. } | CheckpointError::Differs { .. })
            | Self::DeclaredSpace { .. }
            | Self::Sweep { .. }
            | Self::NoProgram(_)
            | Self::Data(_)
            | Self::Table { .. }
            | Self::LabelsKnown { .. }
            | Self::Run(
                RunError::SpaceChanged { .. }
                | RunError::KindChanged { .. }
                | RunError::ObjectiveChanged { .. },
            ) => ExitCode::Ladder,
            Self::Store(error)
            | Self::Import(ImportError::Store(error))
            | Self::Lost { cause: error, .. }
            | Self::Run(RunError::Store(error) | RunError::Lost { cause: error, .. })
            | Self::Ask(AskError::Store(error))
            | Self::Serve(ServeError::Store(error))
            | Self::Grpc(GrpcError::Store(error)) => store_code(error),
            Self::Import(_) => ExitCode::NotFound,
            Self::Run(RunError::Machine { .. }) => ExitCode::Storage,
            Self::TrialsFailed { .. } => ExitCode::TrialsFailed,
            Self::FindingsMet(_) => ExitCode::ConditionMet,
            Self::Interrupted { code } => ExitCode::Interrupted(*code),
            Self::Checkpoint(CheckpointError::Write { .. })
            | Self::Write { .. }
            | Self::System { .. }
            | Self::Serve(ServeError::System(_))
            | Self::Grpc(GrpcError::System(_) | GrpcError::Transport(_)) => ExitCode::Internal,
        }
    }

    /// What the user can do.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Usage { hint, .. } | Self::NotFound { hint, .. } | Self::Table { hint, .. } => hint.clone(),
            Self::Space(error) => error.hint(),
            Self::Data(error) => error.hint(),
            Self::Model(error) => error.hint(),
            Self::Device(error) => Some(error.hint().into()),
            Self::Checkpoint(error) => error.hint(),
            Self::Import(error) => error.hint(),
            Self::Report { why, .. } => why.hint(),
            Self::ClassicReport { source, .. } => source.hint(),
            Self::Store(error)
            | Self::Serve(ServeError::Store(error))
            | Self::Grpc(GrpcError::Store(error)) => error.hint(),
            Self::Serve(ServeError::NeedsToken(_)) | Self::Grpc(GrpcError::NeedsToken(_)) => Some(
                "choose one with --token or ALLOMETRY_TOKEN, or listen on 127.0.0.1 and come through an SSH tunnel".into(),
            ),
            Self::Serve(ServeError::Listen { .. }) => {
                Some("another program may use the port; --listen 127.0.0.1:0 takes a free one".into())
            }
            Self::Grpc(GrpcError::Listen { .. }) => {
                Some("another program may use the port; --grpc 127.0.0.1:0 takes a free one".into())
            }
            Self::Grpc(GrpcError::Identity { .. }) => Some(
                "--tls-certificate takes a PEM file with `BEGIN CERTIFICATE`, --tls-key one with its `BEGIN PRIVATE KEY`".into(),
            ),
            Self::Lost { kept: Some(kept), .. } => Some(format!(
                "`allometry import {} --storage URL` takes it into a new store, where the same command goes on from there",
                kept.display()
            )),
            Self::Lost { cause, .. } => cause.hint(),
            Self::Run(error) => error.hint(),
            Self::NoProgram(error) => Some(error.hint().into()),
            Self::Ask(error) => error.hint(),
            Self::TrialsFailed { .. } => Some(
                "`allometry report` lists the reasons; once they are mended, the same command tries further configurations".into(),
            ),
            Self::LabelsKnown { .. } => Some(
                "look for a column that is computed from the label, and for rows that are there more than once".into(),
            ),
            Self::Interrupted { .. } => Some("the same command goes on from here".into()),
            _ => None,
        }
    }
}

/// Where the trials of a run are that its store did not take.
fn whereabouts(path: Option<&Path>, trials: usize) -> String {
    let trials = counted(trials as u64, "trial");
    match path {
        Some(path) => format!("what the run knows, {trials}, is in {}", path.display()),
        None => format!("what the run knows, {trials}, is written above, since no file could be"),
    }
}

fn store_code(error: &StoreError) -> ExitCode {
    if error.kind() == ErrorKind::NotFound { ExitCode::NotFound } else { ExitCode::Storage }
}

/// One finding a line.
fn listed(findings: &[Met]) -> String {
    findings.iter().flat_map(|finding| ["\n  ".to_owned(), finding.to_string()]).collect()
}
