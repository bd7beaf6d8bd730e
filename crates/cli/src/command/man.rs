//! `allometry man`.

use clap::{Args, CommandFactory as _};
use clap_mangen::Man as Page;

use super::Cli;
use crate::error::CliError;
use crate::output;

/// Prints the manual page of the program or of a command.
///
/// To read it: `allometry man run | man -l -`.
#[derive(Debug, Args)]
pub(super) struct Man {
    /// The command; without it, the page of the program is printed.
    #[arg(value_name = "COMMAND")]
    command: Option<String>,
}

impl Man {
    pub(super) fn run(self) -> Result<(), CliError> {
        let mut program = Cli::command();
        program.build();
        let page = match &self.command {
            None => Page::new(program),
            Some(name) => {
                let Some(command) = program.find_subcommand(name) else {
                    let names: Vec<&str> = program.get_subcommands().map(clap::Command::get_name).collect();
                    return Err(CliError::Usage {
                        message: format!("there is no command {name:?}"),
                        hint: Some(format!("there are {}", names.join(", "))),
                    });
                };
                Page::new(command.clone())
            }
        };
        let mut text = Vec::new();
        page.render(&mut text).expect("writing to memory cannot fail");
        output::print(&String::from_utf8_lossy(&text))
    }
}
