//! The lock of a trial's folder, which serializes starts of its programs.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// Longest wait for another process that is starting a program, so that a suspended process does not block
/// others.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(10);

/// Locks a file until the result is dropped, so that of two processes that start attempts at one trial the
/// second sees the first one's attempt. `None` where it cannot be locked: some file systems have no locks,
/// and a suspended process may hold it.
pub(super) fn take(path: &Path) -> Option<File> {
    if let Some(folder) = path.parent() {
        super::folder::make_folder(folder).ok()?;
    }
    let file = File::options().create(true).truncate(false).write(true).open(path).ok()?;
    let started = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Some(file),
            Err(TryLockError::WouldBlock) if started.elapsed() < PATIENCE => thread::sleep(PAUSE),
            Err(_) => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_holds_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/1.lock");
        let first = take(&path).unwrap();
        let other = File::options().write(true).open(&path).unwrap();
        assert!(matches!(other.try_lock(), Err(TryLockError::WouldBlock)));
        drop(first);
        assert!(take(&path).is_some());
        assert!(take(Path::new("/proc/none/1.lock")).is_none());
    }
}
