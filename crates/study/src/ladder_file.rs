//! Ladder files on the disk.

use std::path::{Path, PathBuf};

use allometry_ladder::Ladder;
use allometry_store::facts::StoredLadder;

use crate::StudyError;

/// Returns the ladder file at `path`, which was read as `ladder`, in the form that its studies keep.
///
/// # Errors
/// [`StudyError::Read`]; [`StudyError::Usage`] where the storage's password cannot be removed.
pub fn stored(
    path: &Path,
    settings: &[(String, String)],
    ladder: &Ladder,
) -> Result<StoredLadder, StudyError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| StudyError::Read { path: path.to_path_buf(), source })?;
    StoredLadder::new(path, &text, settings, ladder).ok_or_else(|| StudyError::Usage {
        message: format!(
            "the password in `[storage] url` of {} cannot be kept out of the store",
            path.display()
        ),
        hint: Some("leave it out of the URL: PGPASSWORD or ~/.pgpass has it".into()),
    })
}

/// Reads and checks a ladder file.
///
/// # Errors
/// [`StudyError::Read`], [`StudyError::NotFound`]; [`StudyError::Ladder`] with every problem of the file.
pub fn read(path: &Path, set: &[(String, String)]) -> Result<Ladder, StudyError> {
    let text = std::fs::read_to_string(path).map_err(|source| {
        if source.kind() == std::io::ErrorKind::NotFound {
            return StudyError::NotFound {
                message: format!("there is no ladder file {}", path.display()),
                hint: Some("name one, or try `allometry demo`, which writes one to start from".into()),
            };
        }
        StudyError::Read { path: path.to_path_buf(), source }
    })?;
    allometry_ladder::parse_with(&text, path, set).map_err(|errors| StudyError::Ladder(Box::new(errors)))
}

/// Returns the ladder file of a path: for a folder, the `ladder.toml` in it.
pub fn in_folder(path: impl Into<PathBuf>) -> PathBuf {
    let path = path.into();
    if path.is_dir() { path.join("ladder.toml") } else { path }
}
