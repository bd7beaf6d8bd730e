//! The owner of the files in a trial's folder.

use std::fs;
use std::io;
use std::path::Path;

use allometry_core::{Params, StudyIdentity, TrialNumber, TrialSpec};
use serde::Serialize;

/// The properties that an attempt shares with the earlier attempt whose files it continues.
#[derive(Serialize)]
struct FolderOwner<'a> {
    study: &'a StudyIdentity,
    trial: TrialNumber,
    params: &'a Params,
    seed: u64,
}

/// Clears `folder` unless the file `owner_file` in it names the study, configuration and seed of `trial`, and
/// writes that file.
///
/// # Errors
/// Where the folder cannot be cleared or written to.
pub(super) fn claim(folder: &Path, owner_file: &Path, trial: &TrialSpec) -> io::Result<()> {
    let TrialSpec { study, first_attempt, params, seed, .. } = trial;
    let wanted = FolderOwner { study, trial: *first_attempt, params, seed: *seed };
    let wanted = serde_json::to_string_pretty(&wanted).expect("texts, numbers and parameters") + "\n";
    match fs::read_to_string(owner_file) {
        Ok(found) if found == wanted => return Ok(()),
        Err(error) if !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidData) => {
            return Err(error);
        }
        _ => {}
    }
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => super::folder::make_folder(folder)?,
    }
    fs::write(owner_file, wanted)
}
