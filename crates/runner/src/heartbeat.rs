//! Heartbeats, which show other processes that the running trials of this one are alive.

use std::collections::BTreeSet;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use allometry_store::{Store, StoreError, TrialId};

/// The running trials of this process.
#[derive(Debug, Default)]
pub(crate) struct Heartbeat {
    watched: Mutex<Watched>,
    stopped: Condvar,
}

#[derive(Debug, Default)]
struct Watched {
    trials: BTreeSet<TrialId>,
    ended: bool,
}

/// A guard that keeps a trial watched until it is dropped.
pub(crate) struct Watch<'a> {
    heartbeat: &'a Heartbeat,
    trial: TrialId,
}

impl Heartbeat {
    /// Watches a trial for as long as the guard lives.
    pub(crate) fn watch(&self, trial: TrialId) -> Watch<'_> {
        self.lock().trials.insert(trial);
        Watch { heartbeat: self, trial }
    }

    /// Sends heartbeats at an interval until [`Self::stop`]. A failed heartbeat is ignored, because the next
    /// one or the trial's result has the same effect. Where the store was replaced by another one, `replaced`
    /// is called and no more heartbeats are sent.
    pub(crate) fn beat(&self, store: &dyn Store, interval: Duration, replaced: impl Fn(StoreError)) {
        let mut watched = self.lock();
        while !watched.ended {
            watched = self.stopped.wait_timeout(watched, interval).unwrap_or_else(PoisonError::into_inner).0;
            let trials: Vec<TrialId> = watched.trials.iter().copied().collect();
            drop(watched);
            if let Err(error) = store.check_present() {
                replaced(error);
                return;
            }
            if !trials.is_empty() {
                let _ = store.heartbeat(&trials);
            }
            watched = self.lock();
        }
    }

    /// Ends [`Self::beat`].
    pub(crate) fn stop(&self) {
        self.lock().ended = true;
        self.stopped.notify_all();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Watched> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        self.heartbeat.lock().trials.remove(&self.trial);
    }
}
