//! SOURCES of trials on the command line: a ladder file, a storage URL, a file, or `LABEL=FILE[:DETAIL]`.

mod compared;
mod foreign;
mod goal;
mod notes;
mod parse;
mod stored;
mod whole;

use std::path::Path;

use allometry_analysis::LadderTrials;
use allometry_core::Secret;
use allometry_store::import::{is_experiment, is_file_of_trials};
use allometry_store::open_read_only;
use allometry_store::url::{self, Storage};

pub(crate) use compared::{Compared, is_report, read_report};
pub(crate) use goal::{Names, Objective, Said};
pub(crate) use notes::say as say_notes;
pub(crate) use parse::Source;
pub(crate) use stored::{ladder, ladder_name, ladder_of_store, metric, storage_url, trials_of};
pub(crate) use whole::{whole, whole_as_told};

use self::foreign::Foreign;
use self::goal::refuse_false_auc;
use crate::error::CliError;

/// Reads every source into one ladder. `objective` is what the command line says of it.
///
/// # Errors
/// [`CliError`] naming the source that cannot be read, or sources that do not go together.
pub(crate) fn read(sources: &[Source], objective: &Objective<'_>) -> Result<LadderTrials, CliError> {
    let ladder = match sources {
        [Source::Ladder(path)] if experiment(path).is_none() => {
            renamed(stored::ladder_of_file(path)?, objective)?
        }
        [Source::Store(url)] if holds_ladder(url)? => renamed(stored::ladder_of_url(url)?, objective)?,
        _ => labelled(sources, objective)?,
    };
    refuse_false_auc(&ladder)?;
    Ok(ladder)
}

/// A ladder whose studies say what they are after; the command line may name the metric, and no other direction.
fn renamed(mut ladder: LadderTrials, objective: &Objective<'_>) -> Result<LadderTrials, CliError> {
    let columns = [("--params", objective.params.is_empty()), ("--size", objective.sizes.is_empty())];
    if let Some((option, _)) = columns.iter().find(|(_, is_absent)| !is_absent) {
        return Err(CliError::Usage {
            message: format!("`{option}` is for trials of other programs, and a ladder records its own"),
            hint: Some("leave the option out".into()),
        });
    }
    for study in &ladder.studies {
        if let Some(other) = objective.direction_of(&study.budget.label).filter(|d| *d != ladder.direction) {
            let (recorded, given) = (ladder.direction.as_str(), other.as_str());
            return Err(CliError::Usage {
                message: format!(
                    "--direction {given}: the study of `{}` says {recorded}",
                    study.budget.label
                ),
                hint: Some("a stored study knows its direction; leave the option out".into()),
            });
        }
    }
    let named = ladder.studies.first().and_then(|study| objective.metric_of(&study.budget.label));
    if let Some(named) = named {
        named.clone_into(&mut ladder.metric);
    }
    Ok(ladder)
}

/// One ladder of a study for each label.
fn labelled(sources: &[Source], objective: &Objective<'_>) -> Result<LadderTrials, CliError> {
    let mut foreign: Vec<Foreign> = Vec::new();
    for source in sources {
        match source {
            Source::Report(_) => {
                return Err(CliError::Usage {
                    message: format!("`{source}` is a report and cannot be mixed with other sources"),
                    hint: Some("give it alone to see which of its conclusions stand".into()),
                });
            }
            Source::Ladder(path) if let Some(folder) = experiment(path) => {
                let read = foreign::read_unlabelled(&folder.display().to_string().into(), objective)?;
                refuse_second(&foreign, &read.study.budget.label)?;
                foreign.push(read);
            }
            Source::Store(url) if !holds_ladder(url)? => {
                let read = foreign::read_unlabelled(url, objective)?;
                refuse_second(&foreign, &read.study.budget.label)?;
                foreign.push(read);
            }
            Source::Ladder(_) | Source::Store(_) => {
                return Err(CliError::Usage {
                    message: format!("`{source}` holds whole studies and cannot be mixed with other sources"),
                    hint: Some("name each study as LABEL=FILE:STUDY, in order of size".into()),
                });
            }
            Source::Labelled { label, file, detail } => {
                refuse_second(&foreign, label)?;
                foreign.push(foreign::read(label, file, detail.as_deref(), objective)?);
            }
            Source::LabelledStore { label, url, study } => {
                refuse_second(&foreign, label)?;
                foreign.push(foreign::read_stored(label, url, study.as_deref(), objective)?);
            }
        }
    }
    let recorded: Vec<_> =
        foreign.iter().map(|one| (one.study.budget.label.as_str(), one.recorded.clone())).collect();
    let goal = objective.goal(&recorded)?;
    // Fronts of studies with other objectives have nothing in common.
    let mut further = foreign.iter().map(|one| &one.further);
    let first = further.next().cloned().unwrap_or_default();
    let further = if further.all(|other| *other == first) { first } else { Vec::new() };
    let studies = foreign.into_iter().map(|one| one.study).collect();
    Ok(LadderTrials { direction: goal.direction, metric: goal.metric, further, ..LadderTrials::new(studies) })
}

/// The folder of an experiment, where a folder was given that has no ladder file.
pub(crate) fn experiment(ladder: &Path) -> Option<&Path> {
    let folder = ladder.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    (!ladder.exists() && is_experiment(folder)).then_some(folder)
}

/// Whether a storage has studies of a ladder, or nothing that could be read otherwise.
fn holds_ladder(url: &Secret) -> Result<bool, CliError> {
    if let Ok(Storage::Sqlite(path)) = url::parse(url.expose())
        && (is_file_of_trials(&path) || is_experiment(&path))
    {
        return Ok(false);
    }
    let studies = open_read_only(url.expose())?.studies()?;
    Ok(studies.is_empty() || studies.iter().any(stored::is_of_ladder))
}

fn refuse_second(studies: &[Foreign], label: &str) -> Result<(), CliError> {
    if studies.iter().any(|one| one.study.budget.label == label) {
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
