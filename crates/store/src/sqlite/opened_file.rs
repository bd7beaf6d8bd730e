//! The file of a database, and checks that it is still the file that was opened.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::connection;
use crate::error::{Departure, StoreError};
use crate::file_mark;

/// Returns the target of all symbolic links: SQLite keeps the log and its index beside the target.
pub(crate) fn resolve(path: &Path) -> PathBuf {
    if let Ok(found) = fs::canonicalize(path) {
        return found;
    }
    // A link to a missing file; SQLite creates the file at the target.
    if let Ok(target) = fs::read_link(path) {
        let folder = path.parent().unwrap_or(Path::new(""));
        let target = folder.join(target);
        if fs::symlink_metadata(&target).map_or(true, |found| !found.is_symlink()) {
            return resolve_folder(&target);
        }
    }
    resolve_folder(path)
}

fn resolve_folder(path: &Path) -> PathBuf {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match (fs::canonicalize(folder), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path.to_owned(),
    }
}

/// A file that was opened.
#[derive(Debug)]
pub(super) struct OpenedFile {
    /// Path as the caller gave it, for messages.
    named: PathBuf,
    /// Target of the symbolic links.
    file: PathBuf,
    /// Device and inode; `None` without a file.
    identity: Option<(u64, u64)>,
    /// Largest length observed, in bytes.
    length: AtomicU64,
}

impl OpenedFile {
    /// Returns the file that is about to be opened. If another file takes its path during the opening, the
    /// identities differ.
    pub(super) fn of(named: &Path) -> Self {
        let file = resolve(named);
        let found = fs::metadata(&file).ok();
        Self {
            named: named.to_owned(),
            identity: found.as_ref().map(file_mark::identity),
            length: AtomicU64::new(found.map_or(0, |found| found.len())),
            file,
        }
    }

    /// Returns this value if the file existed, else that of the file that opening it created.
    pub(super) fn or_now(self) -> Self {
        if self.identity.is_some() { self } else { Self::of(&self.named) }
    }

    /// Returns the path as the caller gave it.
    pub(super) fn named(&self) -> &Path {
        &self.named
    }

    /// Returns the target of the symbolic links.
    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    /// Checks that the file exists and is the one that was opened. Reads only metadata: opening and closing
    /// the file would drop the locks of this process.
    ///
    /// # Errors
    /// [`StoreError::Departed`].
    pub(super) fn check(&self) -> Result<(), StoreError> {
        let Some(identity) = self.identity else { return Ok(()) };
        let found = match fs::metadata(&self.file) {
            Ok(found) => found,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Err(self.departed(Departure::Removed));
            }
            // No file descriptors left, or no permission for the folder: the state of the file is unknown.
            Err(_) => return Ok(()),
        };
        if file_mark::identity(&found) != identity {
            return Err(self.departed(Departure::Replaced));
        }
        let (now, most) = (found.len(), self.length.load(Ordering::Relaxed));
        if now >= most {
            self.length.store(now, Ordering::Relaxed);
            return Ok(());
        }
        if now == 0 {
            return Err(self.departed(Departure::Emptied));
        }
        // A shorter file may have been compacted by another program.
        if connection::is_whole(&self.file, Duration::from_secs(1)) == Some(false) {
            return Err(self.departed(Departure::CutOff));
        }
        self.length.store(now, Ordering::Relaxed);
        Ok(())
    }

    fn departed(&self, how: Departure) -> StoreError {
        StoreError::Departed { path: self.named.clone(), how }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// A file that replaces the path while it is opened must be detected.
    #[test]
    fn a_file_replaced_while_it_is_opened_is_another() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("x.db"), folder.path().join("other"));
        assert!(OpenedFile::of(&path).identity.is_none());
        fs::write(&path, "x").unwrap();
        let place = OpenedFile::of(&path);
        fs::write(&other, "y").unwrap();
        fs::rename(&other, &path).unwrap();
        let looked = place.or_now().check();
        assert!(matches!(looked, Err(StoreError::Departed { how: Departure::Replaced, .. })), "{looked:?}");
    }

    #[test]
    fn links_lead_to_the_file_whether_it_is_there_or_not() {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap();
        fs::create_dir(root.join("real")).unwrap();
        fs::write(root.join("real/x.db"), "x").unwrap();
        symlink(root.join("real/x.db"), root.join("absolute.db")).unwrap();
        symlink("real/x.db", root.join("relative.db")).unwrap();
        symlink("relative.db", root.join("twice.db")).unwrap();
        symlink("real", root.join("folder")).unwrap();
        symlink("real/new.db", root.join("dangling.db")).unwrap();
        for name in ["absolute.db", "relative.db", "twice.db", "folder/x.db", "real/../real/x.db"] {
            assert_eq!(resolve(&root.join(name)), root.join("real/x.db"), "{name}");
        }
        assert_eq!(resolve(&root.join("dangling.db")), root.join("real/new.db"));
        assert_eq!(resolve(&root.join("folder/new.db")), root.join("real/new.db"));
        assert_eq!(resolve(Path::new("nowhere/at/all.db")), Path::new("nowhere/at/all.db"));
    }
}
