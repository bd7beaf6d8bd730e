//! Tunes a model at several parameter budgets and reports, with its uncertainty, what scale buys.

#![expect(clippy::doc_markdown, reason = "doc comments of commands are their help, printed as they are")]

mod command;
mod compared;
mod error;
mod exit_code;
mod fail_on;
mod notes;
mod output;
mod print_error;
mod progress;
mod proposal;
mod styles;
mod weights;

use std::ffi::OsString;
use std::process::ExitCode;

/// Rewrites a negative number without its exponent, because clap takes `-1e-5` for an option but not
/// `-0.00001`. Other arguments are returned unchanged.
fn without_exponent(argument: OsString) -> OsString {
    let number = argument.to_str().filter(|text| text.starts_with('-') && text.contains(['e', 'E']));
    match number.and_then(|text| text.parse::<f64>().ok()) {
        Some(number) if number.is_finite() => number.to_string().into(),
        _ => argument,
    }
}

fn main() -> ExitCode {
    let arguments = match command::parse(std::env::args_os().map(without_exponent)) {
        Ok(arguments) => arguments,
        Err(refused) => return print_error::print_usage(&refused),
    };
    match arguments.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            print_error::print(&error);
            error.exit_code().into()
        }
    }
}
