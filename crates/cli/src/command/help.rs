//! The help of the program and of its commands: commands by task, examples, exit codes.

use std::fmt::Write as _;

use clap::{Arg, Command, CommandFactory as _, FromArgMatches as _};

use super::Cli;
use super::examples::{self, Example, OF_PROGRAM};
use crate::exit_code::TABLE;
use crate::styles::CLAP;

/// The commands by task, in the order of the help.
const TASKS: [(&str, &[&str]); 5] = [
    (
        "Search",
        &[
            "init", "check", "run", "worker", "plan", "confirm", "transfer", "train", "predict", "explain",
            "demo",
        ],
    ),
    ("Look", &["status", "list", "show", "best", "report", "compare", "fit", "serve"]),
    ("Drive from outside", &["ask", "tell", "enqueue", "sampler"]),
    ("Data in and out", &["import", "export"]),
    ("Other", &["completions", "man", "help"]),
];

/// What `help` does; clap adds this command by itself.
const HELP: &str = "Prints this help, or that of a command";

/// Returns the program with the whole of its help.
pub(super) fn program() -> Command {
    let program = Cli::command();
    let names: Vec<String> = program.get_subcommands().map(|one| one.get_name().to_owned()).collect();
    let with_examples = |program: Command, name: &String| {
        program.mut_subcommand(name, |command| {
            command.after_help(examples_text(examples::of(name))).mut_args(with_negative_numbers)
        })
    };
    let program = names.iter().fold(program, with_examples);
    let template = format!(
        "{{before-help}}{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n\
         {}{}\n{{options}}{{after-help}}",
        commands_text(&program),
        heading("Options:")
    );
    let after = format!("{}\n\n{}", examples_text(&OF_PROGRAM), exit_codes_text());
    program.help_template(template).after_help(after)
}

/// Lets an option that takes a number take a negative one, so that its own error says what it takes instead
/// of one on an unknown option `-1`.
fn with_negative_numbers(argument: Arg) -> Arg {
    const NUMBERS: [&str; 6] = ["N", "X", "C", "EFFECT", "PERCENT", "NUMBER"];
    let takes_number = argument
        .get_value_names()
        .is_some_and(|names| names.iter().any(|name| NUMBERS.contains(&name.as_str())));
    if takes_number { argument.allow_negative_numbers(true) } else { argument }
}

/// Parses a command line.
///
/// # Errors
/// The message or the help of clap.
pub(crate) fn parse(arguments: impl IntoIterator<Item = std::ffi::OsString>) -> Result<Cli, clap::Error> {
    let mut program = program();
    let matches = program.try_get_matches_from_mut(arguments)?;
    Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut program))
}

/// Returns the commands by task, one per line.
fn commands_text(program: &Command) -> String {
    let mut text = String::new();
    let widest = TASKS.iter().flat_map(|(_, names)| *names).map(|name| name.len()).max().unwrap_or(0);
    for (task, names) in TASKS {
        let _ = writeln!(text, "{}", heading(&format!("{task}:")));
        for name in names {
            let about = program.find_subcommand(name).and_then(Command::get_about);
            let about = about.map_or_else(|| HELP.to_owned(), ToString::to_string);
            let room = widest - name.len() + 2;
            let _ = writeln!(text, "  {}{:room$}{about}", literal(name), "");
        }
        text.push('\n');
    }
    text
}

/// Returns examples as they stand at the end of a help.
fn examples_text(examples: &[Example]) -> String {
    let mut text = heading("Examples:");
    for (what, line) in examples {
        let _ = write!(text, "\n  {what}\n    {}", literal(line));
    }
    text
}

fn exit_codes_text() -> String {
    let mut text = heading("Exit codes:");
    for (code, meaning) in TABLE {
        let _ = write!(text, "\n  {code:<7}  {meaning}");
    }
    text
}

fn heading(text: &str) -> String {
    let style = CLAP.get_header();
    format!("{style}{text}{style:#}")
}

fn literal(text: &str) -> String {
    let style = CLAP.get_literal();
    format!("{style}{text}{style:#}")
}

/// Returns the sections of a manual page that clap has no place for: the examples of a command, or those of
/// the program and the exit codes.
pub(super) fn manual(command: Option<&str>) -> String {
    let mut page = String::from(".SH EXAMPLES\n");
    for (what, line) in command.map_or(OF_PROGRAM.as_slice(), examples::of) {
        let _ = writeln!(page, ".PP\n{}\n.RS 4\n{}\n.RE", roff(what), roff(line));
    }
    if command.is_none() {
        page.push_str(".SH \"EXIT STATUS\"\n");
        for (code, meaning) in TABLE {
            let _ = writeln!(page, ".TP\n{}\n{}", roff(code), roff(meaning));
        }
    }
    page
}

/// Returns a text as a line of a manual page; a hyphen stays one that a shell takes.
fn roff(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    if text.starts_with(['.', '\'']) { format!("\\&{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Splits a command line like a shell that knows double quotes.
    fn words(line: &str) -> Vec<String> {
        let parts = line.split('"').enumerate();
        parts
            .flat_map(|(place, part)| match place % 2 {
                0 => part.split_whitespace().map(ToOwned::to_owned).collect(),
                _ => vec![part.to_owned()],
            })
            .collect()
    }

    #[test]
    fn every_command_has_a_task() {
        let program = program();
        let mut known: Vec<&str> = program.get_subcommands().map(Command::get_name).collect();
        known.push("help");
        let mut told: Vec<&str> = TASKS.iter().flat_map(|(_, names)| *names).copied().collect();
        known.sort_unstable();
        told.sort_unstable();
        assert_eq!(told, known);
    }

    #[test]
    fn examples_are_command_lines_of_the_program() {
        let program = program();
        let commands = program.get_subcommands().map(Command::get_name);
        let of_commands = commands.map(|name| (name, examples::of(name)));
        for (name, examples) in of_commands.chain([("", OF_PROGRAM.as_slice())]) {
            assert!((1..=3).contains(&examples.len()), "{name} has {} examples", examples.len());
            for (what, line) in examples {
                assert!(what.ends_with(':') && what.len() <= 76 && line.len() <= 92, "{line}");
                let pipeline = line.split('|').next().expect("a split has a first part");
                for line in pipeline.split("&&") {
                    let words = words(line);
                    assert_eq!(words[0], "allometry", "{line}");
                    assert!(name.is_empty() || words[1] == name, "{name}: {line}");
                    if let Err(error) = self::program().try_get_matches_from(&words) {
                        panic!("{line}: {error}");
                    }
                }
            }
        }
    }

    #[test]
    fn negative_numbers_are_values_and_no_options() {
        let parsed = |line: &str| {
            let found = program().try_get_matches_from(words(line));
            found.map(|_| ()).map_err(|error| error.to_string())
        };
        let error = parsed("allometry predict m t.csv --costs -1,5").unwrap_err();
        assert!(error.contains("'-1,5'") && error.contains("expected two numbers above 0"), "{error}");
        let error = parsed("allometry fit t.csv --value loss --level -5").unwrap_err();
        assert!(error.contains("expected a number from 50 to 99.9"), "{error}");
        let error = parsed("allometry run --trials -3").unwrap_err();
        assert!(error.contains("invalid value '-3'"), "{error}");
        assert_eq!(parsed("allometry check --power -0.1"), Ok(()), "the command refuses it");
    }

    #[test]
    fn the_help_of_the_program_fits_80_columns() {
        let help = program().term_width(80).render_help().to_string();
        for line in help.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }
}
