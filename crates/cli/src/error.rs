//! The errors of the commands, with their exit codes and hints.

use std::fmt;
use std::path::{Path, PathBuf};

use allometry_analysis::Severity;
use allometry_grpc::ServeError as GrpcError;
use allometry_ladder::LadderErrors;
use allometry_report::number::counted;
use allometry_report::{ReadError, classic};
use allometry_runner::{AskError, RunError};
use allometry_server::ServeError;
use allometry_session::SessionError;
use allometry_store::{ErrorKind, ImportError, StoreError};
use allometry_study::StudyError;
use allometry_trainer::checkpoint::CheckpointError;
use allometry_trainer::data::DataError;
use allometry_trainer::{ArchitectureError, CalibrationError, OnnxError};

use crate::exit_code::ExitCode;

/// The hint where too many trials failed.
const TRIALS_FAILED: &str = "`allometry report` lists the reasons; after fixing them, run the same command \
                             to try further configurations";

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

/// The error of a command.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    /// The command line is invalid.
    #[error("{message}")]
    Usage {
        /// What is wrong.
        message: String,
        /// What to write instead.
        hint: Option<String>,
    },
    /// A file cannot be read.
    #[error("cannot read {}: {source}", .path.display())]
    Read {
        /// Path of the file.
        path: PathBuf,
        /// Error of the operating system.
        source: std::io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {}: {source}", .path.display())]
    Write {
        /// Path of the file.
        path: PathBuf,
        /// Error of the operating system.
        source: std::io::Error,
    },
    /// A source cannot be read.
    #[error(transparent)]
    Study(#[from] StudyError),
    /// A session with a ladder fails.
    #[error(transparent)]
    Session(Box<SessionError>),
    /// The ladder file has problems.
    #[error("the ladder file is not valid")]
    Ladder(Box<LadderErrors>),
    /// No ladder can be made for a table.
    #[error("{}: {message}", .path.display())]
    Table {
        /// Path of the table.
        path: PathBuf,
        /// What is wrong with the table.
        message: String,
        /// What to change in the table.
        hint: Option<String>,
    },
    /// The data cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A table cannot be predicted.
    #[error(transparent)]
    Input(DataError),
    /// The model does not fit the data.
    #[error(transparent)]
    Model(#[from] ArchitectureError),
    /// A checkpoint cannot be read, written or continued.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A model's probabilities cannot be calibrated.
    #[error(transparent)]
    Calibration(#[from] CalibrationError),
    /// A model's inputs cannot be judged on the rows.
    #[error("the {part} rows cannot judge the model: {why}")]
    NotExplained {
        /// The part of the rows.
        part: &'static str,
        /// Why the rows give no errors.
        why: String,
    },
    /// A model cannot be exported.
    #[error("{} is not written: {source}", .path.display())]
    Onnx {
        /// Path of the file that was to be written.
        path: PathBuf,
        /// Why the model cannot be exported.
        source: OnnxError,
    },
    /// Trials of another program cannot be read.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// A file is not a sweep, or cannot be converted to a ladder.
    #[error("cannot convert {} to a ladder", .path.display())]
    Sweep {
        /// Path of the sweep.
        path: PathBuf,
        /// What is wrong with the sweep.
        source: allometry_sweep::SweepError,
    },
    /// A file is not a report document.
    #[error("cannot read {} as a report: {why}", .path.display())]
    Report {
        /// Path of the report.
        path: PathBuf,
        /// What is wrong with the report.
        why: ReadError,
    },
    /// A classic report cannot be read.
    #[error("{}, {source}", .path.display())]
    ClassicReport {
        /// Path of the report.
        path: PathBuf,
        /// What is wrong with the report, with its line.
        #[source]
        source: classic::ReadError,
    },
    /// The output format cannot hold a study.
    #[error("study {study:?} cannot be written, and nothing of it was")]
    NotStorable {
        /// Name of the study.
        study: String,
        /// What the format cannot hold.
        source: StoreError,
    },
    /// A study of a file contains data that no storage can hold.
    #[error("study {study:?} cannot be read")]
    NotReadable {
        /// Name of the study.
        study: String,
        /// Its data that cannot be read.
        source: StoreError,
    },
    /// The storage fails.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store failed while trials ran.
    #[error("{cause}; {}", rescue_message(.kept.as_deref(), *.trials))]
    Lost {
        /// Error of the store.
        cause: StoreError,
        /// File with the trials that the run knows; `None` if no file could be written.
        kept: Option<PathBuf>,
        /// Number of these trials.
        trials: usize,
    },
    /// A run cannot start or continue.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A call of `ask`, `tell` or `enqueue` is refused.
    #[error(transparent)]
    Ask(#[from] AskError),
    /// A declared search space is invalid.
    #[error("{}: {problem}", .path.display())]
    DeclaredSpace {
        /// Path of the file.
        path: PathBuf,
        /// What is wrong with the space.
        problem: String,
    },
    /// The dashboard cannot start.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// The storage server cannot start.
    #[error(transparent)]
    Grpc(#[from] GrpcError),
    /// Something that the command needs does not exist.
    #[error("{message}")]
    NotFound {
        /// What is missing.
        message: String,
        /// Where to look.
        hint: Option<String>,
    },
    /// No trial of the run has a value, or too many failed.
    #[error("{message}")]
    TrialsFailed {
        /// The studies and the reason.
        message: String,
    },
    /// The trial of `check --try` has no value.
    #[error("{message}")]
    Tried {
        /// The reason.
        message: String,
        /// The exit code of the reason.
        code: ExitCode,
    },
    /// Findings met a condition of `--fail-on`.
    #[error("{} met --fail-on:{}", counted(.0.len() as u64, "finding"), listed(.0))]
    FindingsMet(Vec<Met>),
    /// A signal ended the run.
    #[error("interrupted; all results are saved")]
    Interrupted {
        /// 128 plus the signal's number.
        code: u8,
    },
    /// An operation of the system failed that normally works.
    #[error("{what}: {source}")]
    System {
        /// The operation.
        what: &'static str,
        /// Error of the operating system.
        source: std::io::Error,
    },
}

impl From<SessionError> for CliError {
    fn from(error: SessionError) -> Self {
        Self::Session(Box::new(error))
    }
}

impl CliError {
    /// Returns the problems of the ladder file, if these are the error.
    pub(crate) fn ladder_errors(&self) -> Option<&LadderErrors> {
        let error = match self {
            Self::Ladder(errors) => return Some(errors),
            Self::Study(error) => error,
            Self::Session(error) => match &**error {
                SessionError::Ladder(errors) => return Some(errors),
                SessionError::Study(error) => error,
                _ => return None,
            },
            _ => return None,
        };
        if let StudyError::Ladder(errors) = error { Some(errors) } else { None }
    }

    /// Returns the exit code of the process.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage { .. }
            | Self::Onnx { source: OnnxError::Isotonic, .. }
            | Self::Serve(ServeError::NeedsToken(_) | ServeError::Listen { .. })
            | Self::Grpc(GrpcError::NeedsToken(_) | GrpcError::Listen { .. }) => ExitCode::Usage,
            Self::Checkpoint(
                CheckpointError::Read { .. }
                | CheckpointError::Damaged { .. }
                | CheckpointError::Foreign { .. }
                | CheckpointError::Version { .. }
                | CheckpointError::NoModel { .. },
            )
            | Self::Read { .. }
            | Self::NotStorable { .. }
            | Self::NotReadable { .. }
            | Self::Report { .. }
            | Self::ClassicReport { .. }
            | Self::NotFound { .. }
            | Self::Grpc(GrpcError::Identity { .. }) => ExitCode::NotFound,
            Self::Ladder(_)
            | Self::Model(_)
            | Self::Checkpoint(
                CheckpointError::Architecture { .. }
                | CheckpointError::Differs { .. }
                | CheckpointError::OtherData { .. },
            )
            | Self::Calibration(_)
            | Self::NotExplained { .. }
            | Self::DeclaredSpace { .. }
            | Self::Sweep { .. }
            | Self::Table { .. } => ExitCode::Ladder,
            Self::Study(error) => study_code(error),
            Self::Session(error) => session_code(error),
            Self::Data(error) | Self::Input(error) => data_code(error),
            Self::Import(error) => import_code(error),
            Self::Run(error) => run_code(error),
            Self::Ask(error) => ask_code(error),
            Self::Store(error)
            | Self::Lost { cause: error, .. }
            | Self::Serve(ServeError::Store(error))
            | Self::Grpc(GrpcError::Store(error)) => store_code(error),
            Self::TrialsFailed { .. } => ExitCode::TrialsFailed,
            Self::Tried { code, .. } => *code,
            Self::FindingsMet(_) => ExitCode::ConditionMet,
            Self::Interrupted { code } => ExitCode::Interrupted(*code),
            Self::Checkpoint(CheckpointError::Write { .. })
            | Self::Onnx { .. }
            | Self::Write { .. }
            | Self::System { .. }
            | Self::Serve(ServeError::System(_))
            | Self::Grpc(GrpcError::System(_) | GrpcError::Transport(_)) => ExitCode::Internal,
        }
    }

    /// Returns what the user can do.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Usage { hint, .. } | Self::NotFound { hint, .. } | Self::Table { hint, .. } => hint.clone(),
            Self::TrialsFailed { .. } => Some(TRIALS_FAILED.into()),
            Self::Tried { .. } => Some("nothing was stored; the same command tries again".into()),
            Self::Study(error) => error.hint(),
            Self::Session(error) => match **error {
                SessionError::TrialsFailed { .. } => Some(TRIALS_FAILED.into()),
                _ => error.hint(),
            },
            Self::Data(error) => error.hint(),
            Self::Input(error) => error.hint_of_input(),
            Self::Model(error) => error.hint(),
            Self::Checkpoint(error) => error.hint(),
            Self::Calibration(error) => error.hint(),
            Self::Onnx { source, .. } => source.hint(),
            Self::NotExplained { .. } => {
                Some("a longer part judges better: see [data.split] of the ladder file".into())
            }
            Self::Import(error) => error.hint(),
            Self::Report { why, .. } => why.hint(),
            Self::ClassicReport { source, .. } => source.hint(),
            Self::Store(error)
            | Self::Serve(ServeError::Store(error))
            | Self::Grpc(GrpcError::Store(error)) => error.hint(),
            Self::Serve(ServeError::NeedsToken(_)) | Self::Grpc(GrpcError::NeedsToken(_)) => Some(
                "choose a token with --token or ALLOMETRY_TOKEN, or listen on 127.0.0.1 and use an SSH tunnel"
                    .into(),
            ),
            Self::Serve(ServeError::Listen { .. }) => {
                Some("another program may use the port; --listen 127.0.0.1:0 chooses a free port".into())
            }
            Self::Grpc(GrpcError::Listen { .. }) => {
                Some("another program may use the port; --grpc 127.0.0.1:0 chooses a free port".into())
            }
            Self::Grpc(GrpcError::Identity { .. }) => Some(
                "--tls-certificate takes a PEM file with `BEGIN CERTIFICATE`, --tls-key one with its \
                 `BEGIN PRIVATE KEY`"
                    .into(),
            ),
            Self::Lost { kept: Some(kept), .. } => Some(format!(
                "`allometry import {} --storage URL` copies it into a new storage, in which the same command \
                 continues",
                kept.display()
            )),
            Self::Lost { cause, .. } => cause.hint(),
            Self::Run(error) => error.hint(),
            Self::Ask(error) => error.hint(),
            Self::Interrupted { .. } => Some("run the same command to continue".into()),
            _ => None,
        }
    }
}

/// Returns where the trials of a run are saved after its store failed.
fn rescue_message(path: Option<&Path>, trials: usize) -> String {
    let trials = counted(trials as u64, "trial");
    match path {
        Some(path) => format!("the results of the run, {trials}, are in {}", path.display()),
        None => {
            format!("the results of the run, {trials}, are printed above, because no file could be written")
        }
    }
}

fn study_code(error: &StudyError) -> ExitCode {
    match error {
        StudyError::Usage { .. } => ExitCode::Usage,
        StudyError::NotFound { .. } | StudyError::Read { .. } => ExitCode::NotFound,
        StudyError::Ladder(_) => ExitCode::Ladder,
        StudyError::Import(error) => import_code(error),
        StudyError::Store(error) => store_code(error),
    }
}

fn session_code(error: &SessionError) -> ExitCode {
    match error {
        SessionError::Usage { .. } => ExitCode::Usage,
        SessionError::NotFound { .. } | SessionError::Device(_) => ExitCode::NotFound,
        SessionError::Data(error) => data_code(error),
        SessionError::Ladder(_)
        | SessionError::Space(_)
        | SessionError::Model(_)
        | SessionError::NoProgram(_)
        | SessionError::LabelsKnown { .. } => ExitCode::Ladder,
        SessionError::Study(error) => study_code(error),
        SessionError::Store(error) => store_code(error),
        SessionError::Run(error) => run_code(error),
        SessionError::Ask(error) => ask_code(error),
        SessionError::TrialsFailed { .. } => ExitCode::TrialsFailed,
    }
}

fn data_code(error: &DataError) -> ExitCode {
    match error {
        DataError::Io { .. } => ExitCode::NotFound,
        _ => ExitCode::Ladder,
    }
}

fn import_code(error: &ImportError) -> ExitCode {
    match error {
        ImportError::Inapplicable { .. }
        | ImportError::WhichDirection { .. }
        | ImportError::WhichObjective { .. } => ExitCode::Usage,
        ImportError::Store(error) => store_code(error),
        _ => ExitCode::NotFound,
    }
}

fn run_code(error: &RunError) -> ExitCode {
    match error {
        RunError::SpaceChanged { .. } | RunError::KindChanged { .. } | RunError::ObjectiveChanged { .. } => {
            ExitCode::Ladder
        }
        RunError::Store(error) | RunError::Lost { cause: error, .. } => store_code(error),
        RunError::Machine { .. } => ExitCode::Storage,
    }
}

fn ask_code(error: &AskError) -> ExitCode {
    match error {
        AskError::Finished { .. }
        | AskError::Waiting { .. }
        | AskError::Foreign { .. }
        | AskError::NotFinite { .. }
        | AskError::ValueCount { .. }
        | AskError::StepOfSeveral { .. }
        | AskError::Unfit { .. }
        | AskError::Store(StoreError::NotRunning { .. }) => ExitCode::Usage,
        AskError::UnknownTrial { .. } | AskError::Exhausted(_) => ExitCode::NotFound,
        AskError::Store(error) => store_code(error),
    }
}

fn store_code(error: &StoreError) -> ExitCode {
    if error.kind() == ErrorKind::NotFound { ExitCode::NotFound } else { ExitCode::Storage }
}

/// Returns the findings, one per line.
fn listed(findings: &[Met]) -> String {
    findings.iter().flat_map(|finding| ["\n  ".to_owned(), finding.to_string()]).collect()
}
