//! Follows a store: one thread looks whether it changed, and reads what is new.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use allometry_core::Secret;
use allometry_store::{ChangeMark, FollowedStore, StoreError, StoredStudy};
use allometry_study::ladder_name;
use jiff::Timestamp;
use tokio::sync::watch;

/// How often the store is looked at.
const INTERVAL: Duration = Duration::from_millis(300);
/// Time after a change within which a file's time stamp may stand for two of them.
const SETTLING: Duration = Duration::from_millis(50);

/// How far the store has been read; pages that have seen these have nothing to fetch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Versions {
    /// Rises with every difference.
    pub(crate) live: u64,
    /// Rises when a trial ended, or studies came or went.
    pub(crate) finished: u64,
}

/// Studies by the name of their ladder.
pub(crate) type Ladders = BTreeMap<String, Vec<Arc<StoredStudy>>>;

/// What is known of the store.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    pub(crate) versions: Versions,
    /// Studies by the name of their ladder.
    pub(crate) ladders: Ladders,
    /// Since when the store cannot be read, and why.
    pub(crate) unavailable: Option<(Timestamp, String)>,
}

/// The store as last read, for all who ask.
#[derive(Debug)]
pub(crate) struct Watched {
    /// The URL of the store, without its password.
    pub(crate) storage: String,
    pub(crate) store: FollowedStore,
    known: RwLock<Arc<Known>>,
    versions: watch::Sender<Versions>,
}

impl Watched {
    /// # Errors
    /// [`StoreError`] where the URL names no store that can be followed.
    pub(crate) fn new(storage: &Secret) -> Result<Self, StoreError> {
        let (versions, _) = watch::channel(Versions::default());
        let store = FollowedStore::new(storage.expose())?;
        Ok(Self { storage: storage.shown(), store, known: RwLock::default(), versions })
    }

    /// What is known now.
    pub(crate) fn known(&self) -> Arc<Known> {
        Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Tells of every new version; a slow listener gets the last alone.
    pub(crate) fn versions(&self) -> watch::Receiver<Versions> {
        self.versions.subscribe()
    }

    fn publish(&self, known: Known) {
        let versions = known.versions;
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(known);
        self.versions.send_replace(versions);
    }
}

/// Follows the store until the process ends; returns after the first look.
pub(crate) fn follow(watched: &Arc<Watched>) {
    let mut follower = Follower::new(watched);
    let (looked, first) = std::sync::mpsc::channel();
    std::thread::Builder::new()
        .name("store".into())
        .spawn(move || {
            follower.look();
            let _ = looked.send(());
            loop {
                std::thread::sleep(INTERVAL);
                follower.look();
            }
        })
        .expect("a process that serves can start a thread");
    let _ = first.recv();
}

struct Follower {
    watched: Arc<Watched>,
    studies: Vec<Arc<StoredStudy>>,
    /// The mark when the studies were last read.
    seen: Option<ChangeMark>,
    /// Whether equal marks say that nothing changed since.
    settled: bool,
}

impl Follower {
    fn new(watched: &Arc<Watched>) -> Self {
        Self { watched: Arc::clone(watched), studies: Vec::new(), seen: None, settled: false }
    }

    /// Reads what is new, if anything may be.
    fn look(&mut self) {
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
        let read = if mark.exists() { self.read() } else { Err("the file is not there".to_owned()) };
        match read {
            Ok(rose) => {
                self.publish(rose, None);
                // A write within the tick of the clock that the mark has would leave the same mark: look again.
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

    /// Brings the studies up to date; says what rose.
    fn read(&mut self) -> Result<Versions, String> {
        let store = self.watched.store.open().map_err(|error| error.to_string())?;
        let store = &*store;
        let records = store.studies().map_err(|error| error.to_string())?;
        let mut rose = Versions::default();
        let mut gone = std::mem::take(&mut self.studies);
        for record in records {
            let known = gone.iter().position(|study| study.record.id == record.id);
            let study = if record.unreadable.is_some() {
                let before = known.map(|position| gone.swap_remove(position));
                let renewed = u64::from(before.is_none_or(|study| study.record != record));
                rose = Versions { live: rose.live + renewed, finished: rose.finished + renewed };
                Arc::new(StoredStudy::without_trials(record))
            } else if let Some(position) = known {
                let mut study = gone.swap_remove(position);
                let news = study.news(store).map_err(|error| error.to_string())?;
                let renewed = study.record != record;
                rose.live += u64::from(news.differs || renewed);
                rose.finished += u64::from(news.ended > 0 || renewed);
                if news.differs || renewed {
                    // Pages may still be made of the old one.
                    let study = Arc::make_mut(&mut study);
                    study.record = record;
                    study.take(news);
                }
                study
            } else {
                rose = Versions { live: rose.live + 1, finished: rose.finished + 1 };
                Arc::new(StoredStudy::read(store, record).map_err(|error| error.to_string())?)
            };
            self.studies.push(study);
        }
        let gone = u64::from(!gone.is_empty());
        Ok(Versions { live: rose.live + gone, finished: rose.finished + gone })
    }

    fn publish(&self, rose: Versions, unavailable: Option<String>) {
        let before = self.watched.known();
        let changed = before.unavailable.is_some() != unavailable.is_some();
        if rose == Versions::default() && !changed {
            return;
        }
        let versions = Versions {
            live: before.versions.live + rose.live.max(u64::from(changed)),
            finished: before.versions.finished
                + rose.finished.max(u64::from(changed && unavailable.is_none())),
        };
        let unavailable = unavailable.map(|reason| (Timestamp::now(), reason));
        // What was read last stays on the pages while the store is away.
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
    fn another_look_at_the_same_store_reads_nothing_new() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trials.db").display().to_string();
        let store = SqliteStore::open(&path).unwrap();
        store.create_study(&NewStudy { name: "a".into(), ..NewStudy::default() }).unwrap();
        let watched = Arc::new(Watched::new(&path.into()).unwrap());
        let mut follower = Follower::new(&watched);
        follower.look();
        let first = watched.known();
        assert_eq!(first.ladders.keys().collect::<Vec<_>>(), ["a"]);
        // As after a write that came while the files were being looked at.
        follower.settled = false;
        follower.look();
        let second = watched.known();
        assert_eq!(second.versions, first.versions);
        assert!(Arc::ptr_eq(&second.ladders["a"][0], &first.ladders["a"][0]));
        store.create_study(&NewStudy { name: "b".into(), ..NewStudy::default() }).unwrap();
        follower.look();
        let third = watched.known();
        assert_ne!(third.versions, first.versions);
        assert!(
            Arc::ptr_eq(&third.ladders["a"][0], &first.ladders["a"][0]),
            "what is known is not read again"
        );
        assert!(third.ladders.contains_key("b"));
    }
}
