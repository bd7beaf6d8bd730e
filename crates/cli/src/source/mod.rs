//! SOURCES of trials on the command line: a ladder file, a storage URL, or `LABEL=FILE[:DETAIL]`.

mod compared;
mod foreign;
mod parse;
mod stored;
mod whole;

use std::path::Path;

use allometry_analysis::{LadderTrials, StudyTrials};
use allometry_core::Direction;

pub(crate) use compared::{Compared, read_report};
pub(crate) use parse::Source;
pub(crate) use stored::{attribute, ladder, ladder_name, ladder_of_store, metric, storage_url, trials_of};
pub(crate) use whole::whole;

use self::foreign::Goals;
use crate::error::CliError;

/// Reads every source into one ladder.
///
/// # Errors
/// [`CliError`] naming the source that cannot be read, or sources that do not go together.
pub(crate) fn read(sources: &[Source]) -> Result<LadderTrials, CliError> {
    let mut foreign: Vec<StudyTrials> = Vec::new();
    let mut goals: Vec<Goals> = Vec::new();
    for source in sources {
        match source {
            Source::Ladder(path) if sources.len() == 1 => return stored::ladder_of_file(path),
            Source::Store(url) if sources.len() == 1 => return stored::ladder_of_url(url),
            Source::Report(_) => {
                return Err(CliError::Usage {
                    message: format!("`{source}` is a report and cannot be mixed with other sources"),
                    hint: Some("give it alone to see which of its conclusions stand".into()),
                });
            }
            Source::Ladder(_) | Source::Store(_) => {
                return Err(CliError::Usage {
                    message: format!("`{source}` holds whole studies and cannot be mixed with other sources"),
                    hint: Some("name each study as LABEL=FILE:STUDY, in order of size".into()),
                });
            }
            Source::Labelled { label, file, detail } => {
                refuse_second(&foreign, label)?;
                let (study, goal) = foreign::read(label, file, detail.as_deref())?;
                foreign.push(study);
                goals.push(goal);
            }
            Source::LabelledStore { label, url, study } => {
                refuse_second(&foreign, label)?;
                let (study, goal) = foreign::read_stored(label, url, study.as_deref())?;
                foreign.push(study);
                goals.push(goal);
            }
        }
    }
    let direction = goals.first().map_or_else(Direction::default, |goal| goal.direction);
    if let Some(other) = goals.iter().position(|goal| goal.direction != direction) {
        return Err(CliError::Usage {
            message: format!("study `{}` minimises and others maximise", foreign[other].budget.label),
            hint: Some("studies of one ladder have one objective".into()),
        });
    }
    // Fronts of studies with other objectives have nothing in common.
    let mut further = goals.iter().map(|goal| &goal.further);
    let first = further.next().cloned().unwrap_or_default();
    let further = if further.all(|other| *other == first) { first } else { Vec::new() };
    Ok(LadderTrials { direction, further, ..LadderTrials::new(foreign) })
}

fn refuse_second(studies: &[StudyTrials], label: &str) -> Result<(), CliError> {
    if studies.iter().any(|study| study.budget.label == label) {
        let message = format!("two sources are labelled `{label}`");
        return Err(CliError::Usage { message, hint: None });
    }
    Ok(())
}

/// Whether a path looks like a report in Markdown.
fn is_markdown(path: &Path) -> bool {
    let endings = ["md", "markdown"];
    path.extension().is_some_and(|e| endings.iter().any(|ending| e.eq_ignore_ascii_case(ending)))
}

/// Whether a path looks like a ladder file rather than a database.
fn is_ladder(path: &Path) -> bool {
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case("toml"))
}
