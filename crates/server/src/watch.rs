//! Follows a store: one thread checks whether it has changed, and reads the changes.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use allometry_core::Secret;
use allometry_store::{ChangeMark, FollowedStore, StoreError, StoredStudy};
use allometry_study::ladder_name;
use jiff::Timestamp;
use tokio::sync::watch;

/// Time between two checks of the store.
const INTERVAL: Duration = Duration::from_millis(300);
/// Time after a change within which a second change may have the same file time.
const SETTLING: Duration = Duration::from_millis(50);

/// The versions of the read content of the store. A page with equal versions is up to date.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Versions {
    /// Increases with every change.
    pub(crate) live: u64,
    /// Increases when a trial ends, and when studies are added, changed or deleted.
    pub(crate) finished: u64,
}

/// Studies by the name of their ladder.
pub(crate) type Ladders = BTreeMap<String, Vec<Arc<StoredStudy>>>;

/// The content of the store as last read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    pub(crate) versions: Versions,
    /// Studies by the name of their ladder.
    pub(crate) ladders: Ladders,
    /// Since when the store cannot be read, and why.
    pub(crate) unavailable: Option<(Timestamp, String)>,
}

impl Known {
    /// Returns the name of the ladder of a study.
    pub(crate) fn ladder_of(&self, study: &StoredStudy) -> Option<String> {
        let holds = |studies: &[Arc<StoredStudy>]| studies.iter().any(|one| one.record.id == study.record.id);
        self.ladders.iter().find(|(_, studies)| holds(studies)).map(|(name, _)| name.clone())
    }
}

/// A followed store with its content, shared by all requests.
#[derive(Debug)]
pub(crate) struct Watched {
    /// The URL of the store, without its password.
    pub(crate) storage: String,
    pub(crate) store: FollowedStore,
    known: RwLock<Arc<Known>>,
    versions: watch::Sender<Versions>,
}

impl Watched {
    /// Creates the state of a store that is not read yet.
    ///
    /// # Errors
    /// [`StoreError`] if the store behind the URL cannot be followed.
    pub(crate) fn new(storage: &Secret) -> Result<Self, StoreError> {
        let (versions, _) = watch::channel(Versions::default());
        let store = FollowedStore::new(storage.expose())?;
        Ok(Self { storage: storage.shown(), store, known: RwLock::default(), versions })
    }

    /// Returns the current content.
    pub(crate) fn known(&self) -> Arc<Known> {
        Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Subscribes to new versions; a slow subscriber only gets the latest.
    pub(crate) fn versions(&self) -> watch::Receiver<Versions> {
        self.versions.subscribe()
    }

    fn publish(&self, known: Known) {
        let versions = known.versions;
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(known);
        self.versions.send_replace(versions);
    }
}

/// Follows the store on a thread until the process ends; returns after the first check.
pub(crate) fn follow(watched: &Arc<Watched>) {
    let mut follower = Follower::new(watched);
    let (checked, first) = std::sync::mpsc::channel();
    std::thread::Builder::new()
        .name("store".into())
        .spawn(move || {
            follower.check();
            let _ = checked.send(());
            loop {
                std::thread::sleep(INTERVAL);
                follower.check();
            }
        })
        .expect("a process that serves can start a thread");
    let _ = first.recv();
}

struct Follower {
    watched: Arc<Watched>,
    studies: Vec<Arc<StoredStudy>>,
    /// Change mark of the store when the studies were last read.
    seen: Option<ChangeMark>,
    /// Whether an equal mark means that nothing has changed.
    settled: bool,
}

impl Follower {
    fn new(watched: &Arc<Watched>) -> Self {
        Self { watched: Arc::clone(watched), studies: Vec::new(), seen: None, settled: false }
    }

    /// Reads the changes of the store, if there may be any.
    fn check(&mut self) {
        let mark = match self.watched.store.mark() {
            Ok(mark) => mark,
            Err(error) => {
                self.seen = None;
                return self.publish(Versions::default(), Some(error.to_string()));
            }
        };
        if self.settled && self.seen.as_ref() == Some(&mark) {
            return;
        }
        if !self.seen.as_ref().is_some_and(|seen| seen.same_database(&mark)) {
            self.studies.clear();
        }
        let read = if mark.exists() { self.read() } else { Err("the file does not exist".to_owned()) };
        match read {
            Ok(increase) => {
                self.publish(increase, None);
                // A write within one clock tick of the mark would not change the mark, so the mark is checked
                // again after the tick.
                std::thread::sleep(SETTLING);
                self.settled = self.watched.store.mark().is_ok_and(|after| after == mark);
                self.seen = Some(mark);
            }
            Err(reason) => {
                self.seen = None;
                self.publish(Versions::default(), Some(reason));
            }
        }
    }

    /// Updates the studies and returns by how much the versions increase.
    fn read(&mut self) -> Result<Versions, String> {
        let store = self.watched.store.open().map_err(|error| error.to_string())?;
        let store = &*store;
        let records = store.studies().map_err(|error| error.to_string())?;
        let mut increase = Versions::default();
        let mut gone = std::mem::take(&mut self.studies);
        for record in records {
            let known = gone.iter().position(|study| study.record.id == record.id);
            let study = if record.unreadable.is_some() {
                let before = known.map(|position| gone.swap_remove(position));
                let renewed = u64::from(before.is_none_or(|study| study.record != record));
                increase.live += renewed;
                increase.finished += renewed;
                Arc::new(StoredStudy::without_trials(record))
            } else if let Some(position) = known {
                let mut study = gone.swap_remove(position);
                let news = study.news(store).map_err(|error| error.to_string())?;
                let renewed = study.record != record;
                increase.live += u64::from(news.differs || renewed);
                increase.finished += u64::from(news.ended > 0 || renewed);
                if news.differs || renewed {
                    // Requests in progress may still use the old study.
                    let study = Arc::make_mut(&mut study);
                    study.record = record;
                    study.take(news);
                }
                study
            } else {
                increase = Versions { live: increase.live + 1, finished: increase.finished + 1 };
                Arc::new(StoredStudy::read(store, record).map_err(|error| error.to_string())?)
            };
            self.studies.push(study);
        }
        let gone = u64::from(!gone.is_empty());
        Ok(Versions { live: increase.live + gone, finished: increase.finished + gone })
    }

    fn publish(&self, increase: Versions, unavailable: Option<String>) {
        let before = self.watched.known();
        let changed = before.unavailable.is_some() != unavailable.is_some();
        if increase == Versions::default() && !changed {
            return;
        }
        let versions = Versions {
            live: before.versions.live + increase.live.max(u64::from(changed)),
            finished: before.versions.finished
                + increase.finished.max(u64::from(changed && unavailable.is_none())),
        };
        let unavailable = unavailable.map(|reason| (Timestamp::now(), reason));
        // The pages keep the last content while the store is unavailable.
        let ladders = if unavailable.is_some() { before.ladders.clone() } else { self.ladders() };
        self.watched.publish(Known { versions, ladders, unavailable });
    }

    fn ladders(&self) -> Ladders {
        let mut ladders = Ladders::new();
        for study in &self.studies {
            ladders.entry(ladder_name(&study.record)).or_default().push(Arc::clone(study));
        }
        ladders
    }
}

#[cfg(test)]
mod tests {
    use allometry_store::{NewStudy, SqliteStore, Store as _};

    use super::*;

    #[test]
    fn checking_an_unchanged_store_reads_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trials.db").display().to_string();
        let store = SqliteStore::open(&path).unwrap();
        store.create_study(&NewStudy { name: "a".into(), ..NewStudy::default() }).unwrap();
        let watched = Arc::new(Watched::new(&path.into()).unwrap());
        let mut follower = Follower::new(&watched);
        follower.check();
        let first = watched.known();
        assert_eq!(first.ladders.keys().collect::<Vec<_>>(), ["a"]);
        // The state after a write during the check.
        follower.settled = false;
        follower.check();
        let second = watched.known();
        assert_eq!(second.versions, first.versions);
        assert!(Arc::ptr_eq(&second.ladders["a"][0], &first.ladders["a"][0]));
        store.create_study(&NewStudy { name: "b".into(), ..NewStudy::default() }).unwrap();
        follower.check();
        let third = watched.known();
        assert_ne!(third.versions, first.versions);
        assert!(
            Arc::ptr_eq(&third.ladders["a"][0], &first.ladders["a"][0]),
            "an unchanged study is not read again"
        );
        assert!(third.ladders.contains_key("b"));
    }
}
