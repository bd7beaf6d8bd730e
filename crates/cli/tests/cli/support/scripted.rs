//! Ladders whose trials a shell script evaluates.

use std::fmt::Write as _;

/// The parts of a ladder that runs `sh train.sh` with the value of each parameter.
pub(crate) struct Scripted<'a> {
    pub(crate) name: &'a str,
    pub(crate) trials: u32,
    /// Further lines before the first section.
    pub(crate) settings: &'a str,
    /// Further lines of `[command]`.
    pub(crate) command: &'a str,
    /// Names of the parameters, and their sets as the ladder file has them.
    pub(crate) space: &'a [(&'a str, &'a str)],
    pub(crate) sampler: &'a str,
    /// Labels of the budgets, each of any number of weights.
    pub(crate) budgets: &'a [&'a str],
    /// Further sections.
    pub(crate) sections: &'a str,
}

impl Scripted<'_> {
    /// Two budgets, each with a trial of every `width` from 1 to 3.
    pub(crate) const DEFAULT: Self = Self {
        name: "script",
        trials: 3,
        settings: "metric = \"accuracy\"",
        command: "",
        space: &[("width", "[1, 2, 3]")],
        sampler: "grid",
        budgets: &["a", "b"],
        sections: "",
    };

    /// Returns the text of the ladder file.
    pub(crate) fn ladder(&self) -> String {
        let Self { name, trials, settings, command, space, sampler, budgets, sections } = self;
        let given = space.iter().map(|(param, _)| format!("{{{param}}}"));
        let run: Vec<String> = ["sh", "train.sh"].map(String::from).into_iter().chain(given).collect();
        let mut text = format!(
            "name = \"{name}\"\ntrials = {trials}\n{settings}\n\n\
             [command]\nrun = {run:?}\n{command}\n\n[space]\n"
        );
        for (param, set) in *space {
            writeln!(text, "{param} = {set}").expect("writing to a string cannot fail");
        }
        write!(text, "\n[sampler]\nkind = \"{sampler}\"\n").expect("writing to a string cannot fail");
        for label in *budgets {
            write!(text, "\n[[budget]]\nlabel = \"{label}\"\nweights = \"any\"\n")
                .expect("writing to a string cannot fail");
        }
        write!(text, "\n{sections}").expect("writing to a string cannot fail");
        text
    }
}

/// Creates a folder with a ladder file and its program `train.sh`.
pub(crate) fn folder(ladder: &str, script: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("ladder.toml"), ladder).expect("the ladder is written");
    std::fs::write(folder.path().join("train.sh"), script).expect("the script is written");
    folder
}
