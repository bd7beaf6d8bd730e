//! Who may start a program on a trial.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// How long others may take to start a program. One that is suspended in the midst of it keeps nobody else from working.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(10);

/// Locks a file until the answer is dropped, so that of two processes which begin attempts at one trial the second sees what the
/// first has begun. `None` where it cannot be had: not every file system has locks, and not everybody lets go.
pub(super) fn take(path: &Path) -> Option<File> {
    if let Some(folder) = path.parent() {
        super::files::make_folder(folder).ok()?;
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
    fn one_has_it_at_a_time() {
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
