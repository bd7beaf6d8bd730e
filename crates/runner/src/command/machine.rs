//! Faults of the machine, as opposed to failures of a configuration.

use std::io;
use std::path::Path;

use rustix::io::Errno;

/// Smallest number of free bytes with which a program can write.
const LEAST_FREE: u64 = 64 * 1024;

/// Whether the error is a lack of file descriptors, processes, memory or disk space, which every program
/// needs.
pub(super) fn is_fault(error: &io::Error) -> bool {
    let faults = [
        Errno::MFILE,
        Errno::NFILE,
        Errno::NOMEM,
        Errno::AGAIN,
        Errno::NOSPC,
        Errno::DQUOT,
        Errno::IO,
        Errno::ROFS,
    ];
    Errno::from_io_error(error).is_some_and(|errno| faults.contains(&errno))
}

/// A message where the disk of a program's folder is full, which may be why it failed.
pub(super) fn full_disk(folder: &Path) -> Option<String> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    // Some file systems do not report a number of blocks.
    let is_full = disk.f_blocks > 0 && disk.f_bavail.saturating_mul(disk.f_frsize) < LEAST_FREE;
    is_full.then(|| format!("no space is left on the disk of {}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lack_of_descriptors_is_a_fault_and_a_missing_program_is_not() {
        for errno in [Errno::MFILE, Errno::NOSPC, Errno::AGAIN] {
            assert!(is_fault(&io::Error::from(errno)), "{errno}");
        }
        for errno in [Errno::NOENT, Errno::ACCESS, Errno::NOEXEC] {
            assert!(!is_fault(&io::Error::from(errno)), "{errno}");
        }
        assert!(!is_fault(&io::Error::other("else")));
    }
}
