//! Copies in memory of databases in read-only folders.

use std::fs;
use std::io;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, MAIN_DB};

use super::connection::{reader, sibling};
use crate::error::StoreError;
use crate::failure::Failure;

/// Pause before the next attempt, if the file changed while it was read.
const PAUSE: Duration = Duration::from_millis(50);

/// Reads a whole database in write-ahead mode into memory.
///
/// In a folder that is not writable, SQLite reads such a file only with the option `immutable`, and then
/// reports corruption if the file does change. The copy is consistent if no process had the database open
/// while it was read.
pub(super) fn open(file: &Path, patience: Duration) -> Result<Connection, Failure> {
    let cannot = |error: io::Error| StoreError::CannotOpen { path: file.into(), reason: error.to_string() };
    let started = Instant::now();
    loop {
        // A process with write permission has opened the database: readers can use its log and index.
        if sibling(file, "-wal").exists() {
            return reader(file, patience);
        }
        let before = stamp(file).map_err(cannot)?;
        let mut bytes = fs::read(file).map_err(cannot)?;
        let after = stamp(file).map_err(cannot)?;
        if before == after && !sibling(file, "-wal").exists() && bytes.len() as u64 == after.0 {
            without_log(&mut bytes);
            let mut connection = Connection::open_in_memory()?;
            connection.deserialize_read_exact(MAIN_DB, bytes.as_slice(), bytes.len(), true)?;
            return Ok(connection);
        }
        if started.elapsed() >= patience {
            return Err(StoreError::Locked { path: file.into() }.into());
        }
        thread::sleep(PAUSE);
    }
}

/// Returns length and modification time of a file.
fn stamp(file: &Path) -> io::Result<(u64, Option<std::time::SystemTime>)> {
    let found = fs::metadata(file)?;
    Ok((found.len(), found.modified().ok()))
}

/// Clears the flags of write-ahead mode in the header (bytes 18 and 19 of the file format), because a
/// database in memory has no log.
fn without_log(bytes: &mut [u8]) {
    if let Some(versions) = bytes.get_mut(18..20) {
        versions.fill(1);
    }
}
