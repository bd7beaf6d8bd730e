//! What `import` and `export` share: writing whole studies into a storage, and saying so.

use std::fmt::Write as _;

use allometry_core::{Secret, TrialState};
use allometry_report::number::counted;
use allometry_store::import::{Imported, Note};
use allometry_store::optuna::{self, WholeStudy};
use allometry_store::{StoreError, url};
use serde_json::{Value, json};

use crate::error::CliError;
use crate::notes;

/// Writes studies into a storage, each in one commit, and says of each what was written.
///
/// # Errors
/// [`CliError::Usage`] where a name is taken, before anything is written; [`CliError::Store`]; [`CliError::NotStorable`].
pub(super) fn store(done: &str, studies: &[Imported], storage: &Secret) -> Result<Vec<Value>, CliError> {
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
        target.create_whole_study(study).map_err(|error| match error {
            StoreError::NameTaken { name } => taken(&name, &storage.shown()),
            source @ (StoreError::Invalid { .. } | StoreError::IncompatibleDistribution { .. }) => {
                CliError::NotStorable { study: study.name.clone(), source }
            }
            other => other.into(),
        })?;
        crate::output::say(&format!(
            "{done} {} into study {:?}{}",
            counted(study.trials.len() as u64, "trial"),
            study.name,
            states(study)
        ));
        notes::say(notes, None);
        written.push(summary(study, notes));
    }
    Ok(written)
}

/// Gives the only study another name.
///
/// # Errors
/// [`CliError::Usage`] where there are several.
pub(super) fn rename(studies: &mut [Imported], name: Option<&str>) -> Result<(), CliError> {
    match (name, studies) {
        (None, _) => Ok(()),
        (Some(name), [only]) => {
            name.clone_into(&mut only.study.name);
            Ok(())
        }
        (Some(_), several) => Err(CliError::Usage {
            message: format!("--study names one study, and the sources hold {}", several.len()),
            hint: Some("name each as LABEL=SOURCE or LABEL=FILE:STUDY".into()),
        }),
    }
}

fn taken(name: &str, storage: &str) -> CliError {
    CliError::Usage {
        message: format!("{storage} has a study {name:?} already; nothing was written"),
        hint: Some("--study NAME gives it another name, LABEL=SOURCE where there are several".into()),
    }
}

/// Numbers of trials by state, where any is not complete.
fn states(study: &WholeStudy) -> String {
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

fn count(study: &WholeStudy, state: TrialState) -> usize {
    study.trials.iter().filter(|trial| trial.template.state == state).count()
}

/// What was written of a study, for programs.
pub(super) fn summary(study: &WholeStudy, notes: &[Note]) -> Value {
    let states: serde_json::Map<String, Value> =
        STATES.iter().map(|state| (state.as_str().to_owned(), count(study, *state).into())).collect();
    let notes: Vec<String> = notes.iter().map(Note::to_string).collect();
    json!({"study": study.name, "trials": study.trials.len(), "states": states, "notes": notes})
}
