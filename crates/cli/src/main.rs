//! Tunes a model at several parameter budgets and tells, with its uncertainty, what scale buys.

#![expect(clippy::doc_markdown, reason = "doc comments of commands are their help, printed as they are")]

mod command;
mod error;
mod exit_code;
mod fail_on;
mod output;
mod progress;
mod source;
mod weights;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let arguments = match command::Cli::try_parse() {
        Ok(arguments) => arguments,
        Err(refused) => return error::print_usage(&refused),
    };
    match arguments.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error::print(&error);
            error.exit_code().into()
        }
    }
}
