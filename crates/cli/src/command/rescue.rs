//! Saves the trials of a run whose store failed.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use allometry_store::optuna::StudyWithTrials;
use allometry_store::{Store, StoreError, export};

use crate::error::CliError;

/// Maximum number of rescued files in a folder.
const MOST: usize = 1000;

/// Writes the studies of a run next to its store, or else into the working directory or the folder of
/// temporary files, and returns the error of the run. `cause` is the error of the store.
pub(super) fn lost(store: &dyn Store, cause: StoreError, studies: &[StudyWithTrials]) -> CliError {
    let trials = studies.iter().map(|study| study.trials.len()).sum();
    let Ok(text) = export::journal(studies) else { return CliError::Store(cause) };
    let store_folder = store.place().ok().and_then(|place| {
        let path = place.strip_prefix("sqlite:///").map(PathBuf::from)?;
        Some(path.parent()?.to_owned())
    });
    let mut folders = store_folder.into_iter().chain([PathBuf::from("."), std::env::temp_dir()]);
    let kept = folders.find_map(|folder| write(&folder, &text));
    if kept.is_none() {
        // Written without escapes, so that the user can save and import the text.
        let _ = writeln!(std::io::stderr(), "{text}");
    }
    CliError::Lost { cause, kept, trials }
}

/// Writes the text into a new file in the folder and returns its path; `None` if that fails.
fn write(folder: &Path, text: &str) -> Option<PathBuf> {
    for number in 1..=MOST {
        let name = if number == 1 { "rescued.jsonl".to_owned() } else { format!("rescued-{number}.jsonl") };
        let path = folder.join(name);
        let mut options = File::options();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(&path) {
            Ok(mut file) => {
                let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
                if written.is_err() {
                    // A partial file could be mistaken for a complete one.
                    let _ = std::fs::remove_file(&path);
                    return None;
                }
                return Some(path);
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(_) => return None,
        }
    }
    None
}
