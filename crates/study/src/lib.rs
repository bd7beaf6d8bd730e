//! Sources of trials: a ladder file, a storage URL, a file, or `LABEL=FILE[:DETAIL]`. Reads them as the
//! ladder that is analysed, or as whole studies.

mod error;
mod foreign;
mod goal;
mod ladder_file;
mod ladder_trials;
mod parse;
mod studies;

use std::path::Path;

use allometry_analysis::LadderTrials;
use allometry_core::Secret;
use allometry_core::{MetricSpec, Metrics};
use allometry_store::import::{Note, is_experiment, is_file_of_trials};
use allometry_store::open_read_only;
use allometry_store::url::{self, Storage};

pub use error::StudyError;
pub use goal::{Named, Names, Objective};
pub use ladder_file::{in_folder, read as read_ladder, stored as stored_ladder};
pub use ladder_trials::{ladder, ladder_name, ladder_of_store, metric, storage_url, training, trials_of};
pub use parse::Source;
pub use studies::{studies, studies_as_given};

use self::foreign::Foreign;
use self::goal::refuse_false_auc;

/// Trials of sources, with notes on guesses and on data left out.
#[derive(Debug, Clone, PartialEq)]
pub struct Read {
    /// Trials of all sources.
    pub trials: LadderTrials,
    /// Notes, each with the label of its source.
    pub notes: Vec<(String, Note)>,
}

/// Reads all sources as one ladder. `objective` holds the options for them.
///
/// # Errors
/// [`StudyError`] naming a source that cannot be read, or sources that do not fit together.
pub fn read(sources: &[Source], objective: &Objective<'_>) -> Result<Read, StudyError> {
    let recorded =
        |trials| Ok::<_, StudyError>(Read { trials: renamed(trials, objective)?, notes: Vec::new() });
    let read = match sources {
        [Source::Ladder(path)] if experiment(path).is_none() => recorded(ladder_trials::of_file(path)?)?,
        [Source::Store(url)] if holds_ladder(url)? => recorded(ladder_trials::of_url(url)?)?,
        _ => labelled(sources, objective)?,
    };
    refuse_false_auc(&read.trials)?;
    Ok(read)
}

/// Applies the options to a ladder whose studies record their objective: the metric may be renamed, the
/// direction stays.
fn renamed(mut ladder: LadderTrials, objective: &Objective<'_>) -> Result<LadderTrials, StudyError> {
    let columns = [("--params", objective.params.is_empty()), ("--size", objective.sizes.is_empty())];
    if let Some((option, _)) = columns.iter().find(|(_, is_absent)| !is_absent) {
        return Err(StudyError::Usage {
            message: format!("`{option}` is for trials of other programs, and a ladder records its own"),
            hint: Some("leave the option out".into()),
        });
    }
    for study in &ladder.studies {
        if let Some(other) = objective.direction_of(&study.budget.label).filter(|d| *d != ladder.direction())
        {
            let (recorded, given) = (ladder.direction().as_str(), other.as_str());
            return Err(StudyError::Usage {
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
        named.clone_into(&mut ladder.metrics.first_mut().name);
    }
    Ok(ladder)
}

/// Reads one ladder with a study for each label.
fn labelled(sources: &[Source], objective: &Objective<'_>) -> Result<Read, StudyError> {
    let mut foreign: Vec<Foreign> = Vec::new();
    for source in sources {
        match source {
            Source::Report(_) => {
                return Err(StudyError::Usage {
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
                return Err(StudyError::Usage {
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
    let MetricSpec { name, direction } = objective.goal(&recorded)?;
    // Studies whose later objectives differ have no common front.
    let mut later = foreign.iter().map(|one| &one.later);
    let first = later.next().cloned().unwrap_or_default();
    let later = if later.all(|other| *other == first) { first } else { Vec::new() };
    let metrics = Metrics::one(name, direction).with(later);
    let mut notes = Vec::new();
    let mut studies = Vec::with_capacity(foreign.len());
    for Foreign { study, notes: of_study, .. } in foreign {
        notes.extend(of_study.into_iter().map(|note| (study.budget.label.clone(), note)));
        studies.push(study);
    }
    Ok(Read { trials: LadderTrials { metrics, ..LadderTrials::new(studies) }, notes })
}

/// Returns the folder of a Ray experiment, where a folder without a ladder file was given.
pub fn experiment(ladder: &Path) -> Option<&Path> {
    let folder = ladder.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    (!ladder.exists() && is_experiment(folder)).then_some(folder)
}

/// Whether a storage holds studies of a ladder, or nothing that another reader takes.
fn holds_ladder(url: &Secret) -> Result<bool, StudyError> {
    if let Ok(Storage::Sqlite(path)) = url::parse(url.expose())
        && (is_file_of_trials(&path) || is_experiment(&path))
    {
        return Ok(false);
    }
    let studies = open_read_only(url.expose())?.studies()?;
    Ok(studies.is_empty() || studies.iter().any(ladder_trials::is_of_ladder))
}

fn refuse_second(studies: &[Foreign], label: &str) -> Result<(), StudyError> {
    if studies.iter().any(|one| one.study.budget.label == label) {
        let message = format!("two sources are labelled `{label}`");
        return Err(StudyError::Usage { message, hint: None });
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
