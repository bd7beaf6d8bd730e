//! What tells one file from every other.

use std::fs::Metadata;

/// Device and inode of a file; the same of all files where the system has none.
#[cfg(unix)]
pub(crate) fn identity(found: &Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt as _;
    (found.dev(), found.ino())
}

/// Device and inode of a file; the same of all files where the system has none.
#[cfg(not(unix))]
pub(crate) fn identity(_: &Metadata) -> (u64, u64) {
    (0, 0)
}
