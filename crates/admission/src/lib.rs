//! Which connections of a server may stay.
//!
//! A connection is a stranger's until one of its requests was let through. Strangers have a small quota and a short time of their
//! own, so that any number of them, who say nothing or show no token, keep nobody out: one too many closes the oldest.

use std::collections::VecDeque;
use std::future::pending;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::sleep;

/// The connections of one server.
#[derive(Debug)]
pub struct Connections {
    most_strangers: usize,
    strangers: Mutex<VecDeque<Weak<Place>>>,
    known: Arc<Semaphore>,
}

/// Where one connection stands. Clones are of the same connection.
#[derive(Debug, Clone)]
pub struct Admission {
    place: Arc<Place>,
    known: Arc<Semaphore>,
}

#[derive(Debug, Default)]
struct Place {
    is_known: AtomicBool,
    permit: Mutex<Option<OwnedSemaphorePermit>>,
    closed: Notify,
}

impl Connections {
    /// A server with so many places for strangers, and for those that were let through.
    pub fn new(most_strangers: usize, most_known: usize) -> Self {
        let known = Arc::new(Semaphore::new(most_known));
        Self { most_strangers, strangers: Mutex::new(VecDeque::new()), known }
    }

    /// A new connection, which is a stranger's. Where there are too many, the oldest of them is closed.
    pub fn open(&self) -> Admission {
        let place = Arc::new(Place::default());
        let mut strangers = self.strangers.lock().unwrap_or_else(PoisonError::into_inner);
        strangers.retain(|other| other.upgrade().is_some_and(|other| !other.is_known()));
        while strangers.len() >= self.most_strangers {
            if let Some(oldest) = strangers.pop_front().and_then(|oldest| oldest.upgrade()) {
                oldest.closed.notify_one();
            }
        }
        strangers.push_back(Arc::downgrade(&place));
        Admission { place, known: Arc::clone(&self.known) }
    }
}

impl Place {
    fn is_known(&self) -> bool {
        self.is_known.load(Ordering::Acquire)
    }
}

impl Admission {
    /// Says that a request of the connection was let through; it stays as long as it likes. `false` where the server is full.
    #[must_use]
    pub fn admit(&self) -> bool {
        if self.place.is_known() {
            return true;
        }
        let mut permit = self.place.permit.lock().unwrap_or_else(PoisonError::into_inner);
        if permit.is_none() {
            *permit = Arc::clone(&self.known).try_acquire_owned().ok();
        }
        self.place.is_known.store(permit.is_some(), Ordering::Release);
        permit.is_some()
    }

    /// Ends where the connection is to be closed: it is a stranger's still after `time`, or newer strangers need its place.
    pub async fn refused(self, time: Duration) {
        tokio::select! {
            () = self.place.closed.notified() => {}
            () = sleep(time) => {}
        }
        // Whoever was let through at that moment stays.
        if self.place.is_known() {
            pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: Duration = Duration::from_secs(10);

    #[tokio::test(start_paused = true)]
    async fn strangers_go_and_who_was_let_through_stays() {
        let connections = Connections::new(4, 2);
        let known = connections.open();
        assert!(known.admit());
        let others: Vec<Admission> = (0..4).map(|_| connections.open()).collect();
        // A fifth stranger closes the first of the four at once, not the one that is known.
        let fifth = connections.open();
        tokio::time::timeout(Duration::ZERO, others[0].clone().refused(TIME)).await.unwrap();
        assert!(tokio::time::timeout(TIME / 2, others[1].clone().refused(TIME)).await.is_err());
        tokio::time::timeout(TIME * 2, fifth.refused(TIME)).await.unwrap();
        assert!(tokio::time::timeout(TIME * 9, known.clone().refused(TIME)).await.is_err());
    }

    #[tokio::test]
    async fn places_of_the_known_are_given_back() {
        let connections = Connections::new(100, 2);
        let first = connections.open();
        let (second, third) = (connections.open(), connections.open());
        assert!(first.admit() && second.admit() && !third.admit());
        drop(first);
        assert!(third.admit());
    }
}
