//! Waiting for other programs' locks.

use std::thread;
use std::time::{Duration, Instant};

use crate::failure::Failure;

/// First pause between two attempts; each is twice the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
/// Longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// Does something again for as long as another program's lock forbids it, and `patience` lasts.
///
/// SQLite waits by itself for most locks, but not for all: it gives up after ten seconds in which another
/// program recovers the log, and at once where waiting could be in vain for ever.
pub(super) fn within<T>(
    patience: Duration,
    mut run: impl FnMut() -> Result<T, Failure>,
) -> Result<T, Failure> {
    let (started, mut pause) = (Instant::now(), FIRST_PAUSE);
    loop {
        match run() {
            Err(failure) if failure.is_locked() && started.elapsed() < patience => {
                thread::sleep(pause);
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            done => return done,
        }
    }
}
