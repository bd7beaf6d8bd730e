//! The ladder: one experiment at several sizes. Its file is parsed into a tree and then checked: all problems
//! are reported at once, each with the text that it is about.

mod check;
mod command;
mod document;
mod limit;
mod parameter;
mod problem;
mod section;
mod spec;
pub mod template;

use std::path::Path;

pub use command::{CommandSpec, EnvironmentSpec, Inherit, Invocation, ValueSource, weights_expression};
pub use limit::Limit;
pub use problem::{LadderErrors, Problem, ProblemKind};
pub use spec::{
    BudgetSpec, CategorySpec, Channels, ConfirmSpec, DataSpec, DeviceKind, FeatureSpec, FoldScheme, FoldSpec,
    LabelSpec, Ladder, LossKind, MaxGap, MissingPolicy, ModelSpec, Monitor, Named, Normalize, ObjectiveSpec,
    Parametrization, Pooling, Schedule, ScoredPart, SeriesSpec, SeriesSplit, SplitSpec, StopRule, Task,
};

use document::{Place, Sources};
use section::Problems;

/// Parses and checks the text of a ladder file. `file` names it in messages; relative paths of data are
/// resolved against the file's folder.
///
/// # Errors
/// [`LadderErrors`] with all problems of the file, or the first one where it is not valid TOML.
pub fn parse(text: &str, file: &Path) -> Result<Ladder, LadderErrors> {
    parse_with(text, file, &[])
}

/// Parses and checks a ladder file with `settings` that override it: dotted keys (`model.epochs`,
/// `budget.2M.trials`) and values, which are parsed as TOML or else taken as text.
///
/// # Errors
/// [`LadderErrors`] with all problems of the file and the settings.
pub fn parse_with(text: &str, file: &Path, settings: &[(String, String)]) -> Result<Ladder, LadderErrors> {
    let name = file.display().to_string();
    let mut problems = Problems::new(Sources::new(&name, text, settings));
    let mut root = match document::parse(text) {
        Ok(root) => root,
        Err(error) => {
            let place = Place { source: 0, start: error.span.start, end: error.span.end };
            problems.push(&place, ProblemKind::Syntax { message: error.message });
            return Err(LadderErrors { name, problems: problems.into_sorted() });
        }
    };
    for (i, (key, value)) in settings.iter().enumerate() {
        if let Err(error) = document::set(&mut root.value, i + 1, key, value) {
            let place = Place { source: i + 1, start: error.span.start, end: error.span.end };
            problems.push(&place, ProblemKind::Setting { message: error.message });
        }
    }
    let folder = file.parent().unwrap_or(Path::new(""));
    match check::ladder(&root, folder, &mut problems) {
        Some(ladder) if problems.is_empty() => Ok(ladder),
        _ => Err(LadderErrors { name, problems: problems.into_sorted() }),
    }
}

#[cfg(test)]
mod tests;
