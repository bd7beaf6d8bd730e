//! Retries while other programs hold locks.

use std::thread;
use std::time::{Duration, Instant};

use crate::failure::Failure;

/// First pause between two attempts; each pause is twice the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
/// Longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// Retries `body` while the lock of another program prevents it, for up to `patience`.
///
/// SQLite itself waits for most locks, but not for all: it gives up after ten seconds while another program
/// recovers the log, and at once where waiting could deadlock.
pub(super) fn while_locked<T>(
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
