//! `allometry completions`.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::Cli;
use crate::error::CliError;
use crate::output;

/// Prints a script that completes commands and options in a shell.
///
/// For bash: `allometry completions bash > ~/.local/share/bash-completion/completions/allometry`.
#[derive(Debug, Args)]
pub(super) struct Completions {
    /// Shell that runs the script.
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self) -> Result<(), CliError> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "allometry", &mut script);
        output::print(&String::from_utf8_lossy(&script))
    }
}
