//! Prints errors on standard error.

use std::io::Write as _;

use allometry_core::secret;
use allometry_report::number::counted;

use crate::error::CliError;
use crate::output::{say, tell};
use crate::styles::Label;

/// Maximum number of printed problems of a ladder file. Each is shown with the lines around it, and finding
/// them takes a pass over the file.
const MOST_PROBLEMS: usize = 100;

/// Prints an error and its hint on standard error, with passwords hidden.
pub(crate) fn print(error: &CliError) {
    if let Some(errors) = error.ladder_errors() {
        for problem in errors.reports().take(MOST_PROBLEMS) {
            let _ = writeln!(std::io::stderr(), "{}", secret::hide(&format!("{problem:?}")));
        }
        if let Some(more) = errors.problems().len().checked_sub(MOST_PROBLEMS).filter(|more| *more > 0) {
            say(&format!("and {}", counted(more as u64, "further problem")));
        }
        return;
    }
    let mut shown = error.to_string();
    tell(Label::Error, &shown);
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        // Most messages contain that of their cause.
        let text = cause.to_string();
        if !shown.contains(&text) {
            say(&format!("  caused by: {text}"));
            shown.push_str(&text);
        }
        source = cause.source();
    }
    if let Some(hint) = error.hint() {
        tell(Label::Hint, &hint);
    }
}

/// Prints the message or the help of clap, with passwords hidden, and returns the exit code.
pub(crate) fn print_usage(refused: &clap::Error) -> std::process::ExitCode {
    let text = secret::hide(&refused.render().ansi().to_string());
    if refused.use_stderr() {
        let _ = write!(anstream::stderr(), "{text}");
    } else {
        // A closed pipe is not an error.
        let _ = write!(anstream::stdout(), "{text}");
    }
    std::process::ExitCode::from(u8::try_from(refused.exit_code()).unwrap_or(2))
}
