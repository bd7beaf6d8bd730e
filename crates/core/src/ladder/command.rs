//! The checked form of `[command]`: a program of the user's that trains one configuration and says what came of it.

use std::path::PathBuf;
use std::time::Duration;

use crate::expression::{Expression, ExpressionError};

/// What a weights expression may speak of, in the order of its values.
pub const QUANTITIES: [&str; 4] = ["d_model", "n_layers", "n_heads", "d_ff_ratio"];

/// Reads a weights expression.
///
/// # Errors
/// [`ExpressionError`] with the place of the first mistake.
pub fn weights(text: &str) -> Result<Expression, ExpressionError> {
    Expression::parse(text, &QUANTITIES)
}

/// A program that evaluates configurations.
#[derive(Debug, Clone, PartialEq)]
pub struct CommandSpec {
    /// The program and its arguments, or what a shell is given; `{name}` stands for a value in each.
    pub run: Invocation,
    /// Folder it is started in; absolute, or relative to the working directory.
    pub folder: PathBuf,
    /// Variables it finds.
    pub environment: EnvironmentSpec,
    /// Longest time of one trial; `None` for no limit.
    pub timeout: Option<Duration>,
    /// Time between being asked to end and being killed.
    pub grace: Duration,
    /// How often a trial is tried again whose command asks for it (exit code 75).
    pub retries: u64,
    /// Where the value is found if the command does not report it.
    pub value: ValueSource,
    /// Steps that a trial reports at most; pruners and progress need it.
    pub steps: Option<u64>,
    /// Trainable weights of a configuration, where they can be told beforehand.
    pub weights: Option<Expression>,
    /// Rows ahead that a row's label looks, at least 1; the program itself splits its rows.
    pub horizon: u64,
    /// Whether it can score the test rows, where `ALLOMETRY_PART` asks for it.
    pub test_part: bool,
}

/// How the program is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Invocation {
    /// The program and its arguments, as they are.
    Program(Vec<String>),
    /// A line for `sh -c`, in which values are quoted.
    Shell(String),
}

/// Variables that a command finds beside those of its trial.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EnvironmentSpec {
    /// Which of Allometry's own variables it finds.
    pub inherit: Inherit,
    /// These besides.
    pub set: Vec<(String, String)>,
}

/// Which variables a command finds of the process that starts it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Inherit {
    /// All.
    #[default]
    All,
    /// These alone.
    Only(Vec<String>),
}

/// Where a value is found that the command does not report.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ValueSource {
    /// Nowhere: it must report one.
    #[default]
    Report,
    /// The last match of a regular expression in its standard output; the first group is the number.
    Output {
        /// The expression.
        pattern: String,
    },
    /// A number in a JSON file that it writes.
    File {
        /// The file, relative to `folder`; `{name}` stands for a value.
        path: String,
        /// Key in it, dotted for inner objects.
        key: String,
    },
}
