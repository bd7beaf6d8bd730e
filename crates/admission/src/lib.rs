//! Limits on the connections that a server holds open.
//!
//! A connection counts as unauthenticated until one of its requests has been accepted. Unauthenticated
//! connections have a small quota and a short timeout of their own, and when the quota is full the oldest
//! of them is closed. Clients that open many connections and send nothing, or no valid token, therefore
//! cannot keep others out.

use std::collections::VecDeque;
use std::future::pending;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::sleep;

/// Open connections of one server.
#[derive(Debug)]
pub struct Connections {
    max_unauthenticated: usize,
    unauthenticated: Mutex<VecDeque<Weak<Place>>>,
    accepted: Arc<Semaphore>,
}

/// State of one connection. Clones share it.
#[derive(Debug, Clone)]
pub struct Admission {
    place: Arc<Place>,
    accepted: Arc<Semaphore>,
}

#[derive(Debug, Default)]
struct Place {
    is_accepted: AtomicBool,
    permit: Mutex<Option<OwnedSemaphorePermit>>,
    closed: Notify,
}

impl Connections {
    /// Creates the limits of a server: `max_unauthenticated` unauthenticated connections and `max_accepted`
    /// accepted ones.
    pub fn new(max_unauthenticated: usize, max_accepted: usize) -> Self {
        let accepted = Arc::new(Semaphore::new(max_accepted));
        Self { max_unauthenticated, unauthenticated: Mutex::new(VecDeque::new()), accepted }
    }

    /// Registers a new, unauthenticated connection. If there are too many of them, the oldest is closed.
    pub fn open(&self) -> Admission {
        let place = Arc::new(Place::default());
        let mut unauthenticated = self.unauthenticated.lock().unwrap_or_else(PoisonError::into_inner);
        unauthenticated.retain(|other| other.upgrade().is_some_and(|other| !other.is_accepted()));
        while unauthenticated.len() >= self.max_unauthenticated {
            if let Some(oldest) = unauthenticated.pop_front().and_then(|oldest| oldest.upgrade()) {
                oldest.closed.notify_one();
            }
        }
        unauthenticated.push_back(Arc::downgrade(&place));
        Admission { place, accepted: Arc::clone(&self.accepted) }
    }
}

impl Place {
    fn is_accepted(&self) -> bool {
        self.is_accepted.load(Ordering::Acquire)
    }
}

impl Admission {
    /// Records that a request of this connection was accepted, after which the connection has no timeout.
    ///
    /// Returns `false` if the server already has as many accepted connections as it may.
    #[must_use]
    pub fn admit(&self) -> bool {
        if self.place.is_accepted() {
            return true;
        }
        let mut permit = self.place.permit.lock().unwrap_or_else(PoisonError::into_inner);
        if permit.is_none() {
            *permit = Arc::clone(&self.accepted).try_acquire_owned().ok();
        }
        self.place.is_accepted.store(permit.is_some(), Ordering::Release);
        permit.is_some()
    }

    /// Completes when the connection must be closed: it is still unauthenticated after `time`, or a newer
    /// connection needs its place.
    pub async fn refused(self, time: Duration) {
        tokio::select! {
            () = self.place.closed.notified() => {}
            () = sleep(time) => {}
        }
        // A connection accepted at this very moment stays open.
        if self.place.is_accepted() {
            pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: Duration = Duration::from_secs(10);

    #[tokio::test(start_paused = true)]
    async fn unauthenticated_connections_are_closed_and_accepted_ones_stay() {
        let connections = Connections::new(4, 2);
        let accepted = connections.open();
        assert!(accepted.admit());
        let others: Vec<Admission> = (0..4).map(|_| connections.open()).collect();
        // A fifth one closes the oldest of the four at once, and not the accepted one.
        let fifth = connections.open();
        tokio::time::timeout(Duration::ZERO, others[0].clone().refused(TIME)).await.unwrap();
        assert!(tokio::time::timeout(TIME / 2, others[1].clone().refused(TIME)).await.is_err());
        tokio::time::timeout(TIME * 2, fifth.refused(TIME)).await.unwrap();
        assert!(tokio::time::timeout(TIME * 9, accepted.clone().refused(TIME)).await.is_err());
    }

    #[tokio::test]
    async fn dropped_connections_free_their_place() {
        let connections = Connections::new(100, 2);
        let first = connections.open();
        let (second, third) = (connections.open(), connections.open());
        assert!(first.admit() && second.admit() && !third.admit());
        drop(first);
        assert!(third.admit());
    }
}
