//! Databases whose folder is read-only, as they were at one moment.

use std::fs;
use std::io;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, MAIN_DB};

use super::open::{beside, reader};
use crate::error::StoreError;
use crate::failure::Failure;

/// Pause before another look at a file that changed while it was read.
const PAUSE: Duration = Duration::from_millis(50);

/// Reads a whole database in write-ahead mode into memory.
///
/// SQLite can read such a file in a folder that it may not write to only where it is told that the file never
/// changes, and then takes a file that does for a damaged one. A copy is whole where nobody had the database
/// open while it was read.
pub(super) fn open(file: &Path, patience: Duration) -> Result<Connection, Failure> {
    let cannot = |error: io::Error| StoreError::CannotOpen { path: file.into(), reason: error.to_string() };
    let started = Instant::now();
    loop {
        // Somebody who may write has opened it: its log and index are there for readers too.
        if beside(file, "-wal").exists() {
            return reader(file, patience);
        }
        let before = stamp(file).map_err(cannot)?;
        let mut bytes = fs::read(file).map_err(cannot)?;
        let after = stamp(file).map_err(cannot)?;
        if before == after && !beside(file, "-wal").exists() && bytes.len() as u64 == after.0 {
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

/// Length and time of the last change.
fn stamp(file: &Path) -> io::Result<(u64, Option<std::time::SystemTime>)> {
    let found = fs::metadata(file)?;
    Ok((found.len(), found.modified().ok()))
}

/// Says in the header that the database has no log, which there is none of in memory (file format, bytes 18
/// and 19).
fn without_log(bytes: &mut [u8]) {
    if let Some(versions) = bytes.get_mut(18..20) {
        versions.fill(1);
    }
}
