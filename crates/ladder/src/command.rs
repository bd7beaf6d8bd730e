//! The checked form of `[command]`: a program of the user that evaluates one configuration and reports its
//! value.

use std::path::PathBuf;
use std::time::Duration;

use allometry_core::{Expression, ExpressionError};

/// Names that a weights expression may use, in the order of its values.
const QUANTITIES: [&str; 4] = ["d_model", "n_layers", "n_heads", "d_ff_ratio"];

/// Parses a weights expression.
///
/// # Errors
/// [`ExpressionError`] with the span of the first error.
pub fn weights_expression(text: &str) -> Result<Expression, ExpressionError> {
    Expression::parse(text, &QUANTITIES)
}

/// A program that evaluates configurations.
#[derive(Debug, Clone, PartialEq)]
pub struct CommandSpec {
    /// The program and its arguments, or the line for a shell; `{name}` is replaced by a value in each.
    pub run: Invocation,
    /// Working directory of the program; absolute, or relative to Allometry's working directory.
    pub folder: PathBuf,
    /// Environment variables of the program.
    pub environment: EnvironmentSpec,
    /// Time limit of one trial; `None` for no limit.
    pub timeout: Option<Duration>,
    /// Time between the request to end and the kill.
    pub grace: Duration,
    /// Number of retries of a trial whose command asks for one (exit code 75).
    pub retries: u64,
    /// Source of the value where the command does not report it.
    pub value: ValueSource,
    /// Largest number of steps that a trial reports; pruners and progress need it.
    pub steps: Option<u64>,
    /// Expression for the trainable weights of a configuration, where they can be computed beforehand.
    pub weights: Option<Expression>,
    /// Number of rows ahead that the label of a row depends on, at least 1; the program splits the rows
    /// itself.
    pub horizon: u64,
    /// Whether the program can score the test rows when `ALLOMETRY_PART` asks for it.
    pub test_part: bool,
}

/// How the program is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Invocation {
    /// The program and its arguments, without a shell.
    Program(Vec<String>),
    /// A line for `sh -c`; the inserted values are quoted.
    Shell(String),
}

/// Environment variables of a command in addition to those of its trial.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EnvironmentSpec {
    /// Variables of Allometry's own process that are passed on.
    pub inherit: Inherit,
    /// Variables that are set, with their values.
    pub set: Vec<(String, String)>,
}

/// Which variables of the parent process a command inherits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Inherit {
    /// All variables.
    #[default]
    All,
    /// Only these variables.
    Only(Vec<String>),
}

/// Source of a value that the command does not report.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ValueSource {
    /// None: the command must report its value.
    #[default]
    Report,
    /// The last match of a regular expression in standard output; its first group is the number.
    Output {
        /// Regular expression.
        pattern: String,
    },
    /// A number in a JSON file that the command writes.
    File {
        /// Path of the file, relative to `folder`; `{name}` is replaced by a value.
        path: String,
        /// Key of the number, with dots for nested objects.
        key: String,
    },
}
