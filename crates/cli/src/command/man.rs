//! `allometry man`.

use clap::Args;
use clap_mangen::Man as Page;

use super::help;
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
        let mut program = help::program();
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
        output::print(&rendered(&page, self.command.as_deref()).expect("writing to memory cannot fail"))
    }
}

/// Returns the text of a page: that of clap, with the examples and the exit codes under headings of their
/// own.
fn rendered(page: &Page, command: Option<&str>) -> std::io::Result<String> {
    let mut text = Vec::new();
    page.render_title(&mut text)?;
    page.render_name_section(&mut text)?;
    page.render_synopsis_section(&mut text)?;
    page.render_description_section(&mut text)?;
    page.render_options_section(&mut text)?;
    if command.is_none() {
        page.render_subcommands_section(&mut text)?;
    }
    text.extend(help::manual(command).into_bytes());
    page.render_version_section(&mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}
