//! Leases of other processes, measured independently of their clocks.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use allometry_store::{RunningTrial, TrialId};
use jiff::Timestamp;

/// Measures for each running trial the time without a new heartbeat by the monotonic clock of this process.
/// Timestamps in the store are compared for equality only, because clocks differ and can be set back.
///
/// The time starts when a trial is first observed, so that no lease has expired at the start of this process.
#[derive(Debug)]
pub(crate) struct LeaseWatch {
    lease: Duration,
    watched: BTreeMap<TrialId, Watched>,
    observed: Option<Instant>,
}

#[derive(Debug)]
struct Watched {
    heartbeat: Option<Timestamp>,
    silent: Duration,
}

impl LeaseWatch {
    /// A watch that has observed no trial yet.
    pub(crate) fn new(lease: Duration) -> Self {
        Self { lease, watched: BTreeMap::new(), observed: None }
    }

    /// Observes the heartbeats of the running trials at `now`.
    ///
    /// Of the time since the last observation at most half a lease counts: in a longer time this process was
    /// suspended or waited for a server, which may have affected the other processes too.
    pub(crate) fn observe(&mut self, running: &[RunningTrial], now: Instant) {
        let since = self.observed.map_or(Duration::ZERO, |observed| now.saturating_duration_since(observed));
        let counted = since.min(self.lease / 2);
        self.observed = Some(now);
        let mut before = std::mem::take(&mut self.watched);
        for RunningTrial { handle, heartbeat, .. } in running {
            let silent = match before.remove(&handle.id) {
                Some(known) if known.heartbeat == *heartbeat => known.silent + counted,
                _ => Duration::ZERO,
            };
            self.watched.insert(handle.id, Watched { heartbeat: *heartbeat, silent });
        }
    }

    /// Whether the lease of a trial's process has expired.
    pub(crate) fn has_expired(&self, trial: TrialId) -> bool {
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
    fn a_lease_expires_without_a_new_heartbeat() {
        let (start, mut leases) = (Instant::now(), LeaseWatch::new(LEASE));
        for second in (0..60).step_by(10) {
            // The second process has a clock that runs backwards, the third one that was set far ahead.
            let running = [trial(1, 7), trial(2, -second), trial(3, 1_000_000 + second)];
            leases.observe(&running, start + Duration::from_secs(second as u64));
            assert!((1..=3).all(|id| !leases.has_expired(TrialId(id))));
        }
        leases.observe(&[trial(1, 7), trial(2, -60), trial(3, 5)], start + LEASE);
        assert!(leases.has_expired(TrialId(1)));
        assert!(!leases.has_expired(TrialId(2)) && !leases.has_expired(TrialId(3)));
        leases.observe(&[trial(1, 8)], start + LEASE);
        assert!(!leases.has_expired(TrialId(1)), "it has a new heartbeat");
        assert!(!leases.has_expired(TrialId(2)), "it is no longer running");
    }

    #[test]
    fn time_without_observation_counts_at_most_half_a_lease() {
        let (start, mut leases) = (Instant::now(), LeaseWatch::new(LEASE));
        leases.observe(&[trial(1, 7)], start);
        leases.observe(&[trial(1, 7)], start + 100 * LEASE);
        assert!(!leases.has_expired(TrialId(1)));
        leases.observe(&[trial(1, 7)], start + 101 * LEASE);
        assert!(leases.has_expired(TrialId(1)));
    }
}
