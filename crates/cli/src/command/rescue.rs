//! Where a run leaves what its store did not take.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use allometry_store::optuna::WholeStudy;
use allometry_store::{Store, StoreError, export};

use crate::error::CliError;

/// Most files of this name in a folder.
const MOST: usize = 1000;

/// The error of a run that ended with `cause`, after what it knew was written beside the store, or else into the working
/// directory or the folder of temporary files.
pub(super) fn lost(store: &dyn Store, cause: StoreError, studies: &[WholeStudy]) -> CliError {
    let trials = studies.iter().map(|study| study.trials.len()).sum();
    let Ok(text) = export::journal(studies) else { return CliError::Store(cause) };
    let beside = store.place().ok().and_then(|place| {
        let path = place.strip_prefix("sqlite:///").map(PathBuf::from)?;
        Some(path.parent()?.to_owned())
    });
    let mut places = beside.into_iter().chain([PathBuf::from("."), std::env::temp_dir()]);
    let kept = places.find_map(|folder| write(&folder, &text));
    if kept.is_none() {
        // As it is, for somebody to save and import: escapes would change what was told.
        let _ = writeln!(std::io::stderr(), "{text}");
    }
    CliError::Lost { cause, kept, trials }
}

/// Writes the text into a new file of the folder; `None` where that is not possible.
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
                    // Half a file would be taken for a whole one.
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
