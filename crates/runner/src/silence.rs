//! How long processes have said nothing, whatever anybody's clock shows.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use allometry_store::{RunningTrial, TrialId};
use jiff::Timestamp;

/// How long the processes of a study's trials have said nothing, as this process has watched them with a clock of its own that
/// is never set. Times in the store are compared for being the same alone: clocks differ, and are set back.
///
/// A process is heard of first when it is first looked at, so that after a start nobody is silent for a lease yet.
#[derive(Debug)]
pub(crate) struct Silence {
    lease: Duration,
    watched: BTreeMap<TrialId, Watched>,
    looked: Option<Instant>,
}

#[derive(Debug)]
struct Watched {
    heartbeat: Option<Timestamp>,
    silent: Duration,
}

impl Silence {
    /// Nobody is watched yet.
    pub(crate) fn new(lease: Duration) -> Self {
        Self { lease, watched: BTreeMap::new(), looked: None }
    }

    /// Takes in what the running trials' processes have said by `now`.
    ///
    /// Of the time since the last look half a lease counts at most: in a longer one this process was suspended or waited for a
    /// server, and so may the others have.
    pub(crate) fn look(&mut self, running: &[RunningTrial], now: Instant) {
        let since = self.looked.map_or(Duration::ZERO, |looked| now.saturating_duration_since(looked));
        let counted = since.min(self.lease / 2);
        self.looked = Some(now);
        let mut before = std::mem::take(&mut self.watched);
        for RunningTrial { handle, heartbeat, .. } in running {
            let silent = match before.remove(&handle.id) {
                Some(known) if known.heartbeat == *heartbeat => known.silent + counted,
                _ => Duration::ZERO,
            };
            self.watched.insert(handle.id, Watched { heartbeat: *heartbeat, silent });
        }
    }

    /// Whether a trial's process has been silent for longer than it may.
    pub(crate) fn is_over_lease(&self, trial: TrialId) -> bool {
        self.watched.get(&trial).is_some_and(|watched| watched.silent >= self.lease)
    }
}

#[cfg(test)]
mod tests {
    use allometry_core::TrialNumber;
    use allometry_store::TrialHandle;

    use super::*;

    const LEASE: Duration = Duration::from_mins(1);

    fn trial(id: i64, heartbeat: i64) -> RunningTrial {
        RunningTrial {
            handle: TrialHandle { id: TrialId(id), number: TrialNumber(0) },
            owner: None,
            heartbeat_age: None,
            heartbeat: Some(Timestamp::from_second(heartbeat).unwrap()),
        }
    }

    #[test]
    fn whoever_says_nothing_new_for_a_lease_is_over_it() {
        let (start, mut silence) = (Instant::now(), Silence::new(LEASE));
        for second in (0..60).step_by(10) {
            // The second beats, with a clock that runs backwards; the third with one that was set far ahead.
            let running = [trial(1, 7), trial(2, -second), trial(3, 1_000_000 + second)];
            silence.look(&running, start + Duration::from_secs(second as u64));
            assert!((1..=3).all(|id| !silence.is_over_lease(TrialId(id))));
        }
        silence.look(&[trial(1, 7), trial(2, -60), trial(3, 5)], start + LEASE);
        assert!(silence.is_over_lease(TrialId(1)));
        assert!(!silence.is_over_lease(TrialId(2)) && !silence.is_over_lease(TrialId(3)));
        silence.look(&[trial(1, 8)], start + LEASE);
        assert!(!silence.is_over_lease(TrialId(1)), "it has come back");
        assert!(!silence.is_over_lease(TrialId(2)), "it runs no more");
    }

    #[test]
    fn what_was_not_watched_counts_as_silence_of_nobody() {
        let (start, mut silence) = (Instant::now(), Silence::new(LEASE));
        silence.look(&[trial(1, 7)], start);
        silence.look(&[trial(1, 7)], start + 100 * LEASE);
        assert!(!silence.is_over_lease(TrialId(1)));
        silence.look(&[trial(1, 7)], start + 101 * LEASE);
        assert!(silence.is_over_lease(TrialId(1)));
    }
}
