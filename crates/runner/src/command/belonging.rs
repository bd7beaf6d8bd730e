//! Which trial the files in a folder belong to.

use std::fs;
use std::io;
use std::path::Path;

use allometry_core::{Params, StudyIdentity, TrialNumber, TrialSpec};
use serde::Serialize;

/// What an attempt must share with an earlier one to go on from its files.
#[derive(Serialize)]
struct Belonging<'a> {
    study: &'a StudyIdentity,
    trial: TrialNumber,
    params: &'a Params,
    seed: u64,
}

/// Clears `folder` unless the file `said` in it names the study, configuration and seed of `trial`, and writes that file.
///
/// # Errors
/// Where the folder cannot be cleared or written to.
pub(super) fn claim(folder: &Path, said: &Path, trial: &TrialSpec) -> io::Result<()> {
    let TrialSpec { study, first_attempt, params, seed, .. } = trial;
    let wanted = Belonging { study, trial: *first_attempt, params, seed: *seed };
    let wanted = serde_json::to_string_pretty(&wanted).expect("texts, numbers and parameters") + "\n";
    match fs::read_to_string(said) {
        Ok(found) if found == wanted => return Ok(()),
        Err(error) if !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidData) => {
            return Err(error);
        }
        _ => {}
    }
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => super::files::make_folder(folder)?,
    }
    fs::write(said, wanted)
}
