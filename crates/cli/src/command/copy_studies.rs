//! Writes studies into a storage, for `allometry import` and `allometry export`.

use std::fmt::Write as _;

use allometry_core::{Secret, TrialState};
use allometry_report::number::counted;
use allometry_store::import::{Imported, Note};
use allometry_store::optuna::{self, StudyWithTrials};
use allometry_store::{StoreError, url};
use serde_json::{Value, json};

use crate::error::CliError;
use crate::notes;

/// Writes studies into a storage, each in one commit, prints a line per study and returns its summaries.
/// `verb` begins each line, such as "imported".
///
/// # Errors
/// [`CliError::Usage`], before anything is written, if a name is taken; [`CliError::Store`];
/// [`CliError::NotStorable`].
pub(super) fn write(verb: &str, studies: &[Imported], storage: &Secret) -> Result<Vec<Value>, CliError> {
    url::parse(storage.expose())?;
    let target = optuna::open(storage.expose())?;
    let names: Vec<String> = target.studies()?.into_iter().map(|study| study.name).collect();
    for (place, Imported { study, .. }) in studies.iter().enumerate() {
        if names.contains(&study.name) {
            return Err(taken(&study.name, &storage.shown()));
        }
        if studies[..place].iter().any(|earlier| earlier.study.name == study.name) {
            return Err(CliError::Usage {
                message: format!("two of the studies are named {:?}", study.name),
                hint: Some("name one as LABEL=SOURCE".into()),
            });
        }
    }
    let mut written = Vec::new();
    for Imported { study, notes } in studies {
        target.create_study_with_trials(study).map_err(|error| match error {
            StoreError::NameTaken { name } => taken(&name, &storage.shown()),
            source @ (StoreError::Invalid { .. } | StoreError::IncompatibleDistribution { .. }) => {
                CliError::NotStorable { study: study.name.clone(), source }
            }
            other => other.into(),
        })?;
        crate::output::say(&format!(
            "{verb} {} into study {:?}{}",
            counted(study.trials.len() as u64, "trial"),
            study.name,
            states(study)
        ));
        notes::say(notes, None);
        written.push(summary(study, notes));
    }
    Ok(written)
}

/// Renames the only study, if `name` is given.
///
/// # Errors
/// [`CliError::Usage`] if there are several.
pub(super) fn rename(studies: &mut [Imported], name: Option<&str>) -> Result<(), CliError> {
    match (name, studies) {
        (None, _) => Ok(()),
        (Some(name), [only]) => {
            name.clone_into(&mut only.study.name);
            Ok(())
        }
        (Some(_), several) => Err(CliError::Usage {
            message: format!("--study names one study, but the sources hold {}", several.len()),
            hint: Some("name each as LABEL=SOURCE or LABEL=FILE:STUDY".into()),
        }),
    }
}

fn taken(name: &str, storage: &str) -> CliError {
    CliError::Usage {
        message: format!("{storage} already has a study {name:?}; nothing was written"),
        hint: Some(
            "give it another name with --study NAME, or with LABEL=SOURCE if there are several".into(),
        ),
    }
}

/// Returns the numbers of trials by state as text; empty if all are complete.
fn states(study: &StudyWithTrials) -> String {
    let mut text = String::new();
    if count(study, TrialState::Complete) == study.trials.len() {
        return text;
    }
    for state in STATES {
        let count = count(study, state);
        if count > 0 {
            let _ = write!(text, "{}{count} {}", if text.is_empty() { ": " } else { ", " }, state.as_str());
        }
    }
    text
}

const STATES: [TrialState; 5] =
    [TrialState::Complete, TrialState::Pruned, TrialState::Failed, TrialState::Running, TrialState::Waiting];

fn count(study: &StudyWithTrials, state: TrialState) -> usize {
    study.trials.iter().filter(|trial| trial.template.state == state).count()
}

/// Returns a summary of a written study as JSON.
pub(super) fn summary(study: &StudyWithTrials, notes: &[Note]) -> Value {
    let states: serde_json::Map<String, Value> =
        STATES.iter().map(|state| (state.as_str().to_owned(), count(study, *state).into())).collect();
    let notes: Vec<String> = notes.iter().map(Note::to_string).collect();
    json!({"study": study.name, "trials": study.trials.len(), "states": states, "notes": notes})
}
