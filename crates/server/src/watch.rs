//! Follows a store: one thread looks whether its files changed, and reads what is new.

use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use allometry_store::{ChangeMark, SqliteStore, Store as _, StoreError, StoredStudy};
use jiff::Timestamp;
use tokio::sync::watch;

use crate::Assembly;

/// How often the files are looked at.
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

/// What is known of the store.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    pub(crate) versions: Versions,
    /// Studies by ladder.
    pub(crate) ladders: Vec<Vec<Arc<StoredStudy>>>,
    /// Since when the store cannot be read, and why.
    pub(crate) unavailable: Option<(Timestamp, String)>,
}

/// The store as last read, for all who ask.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) storage: String,
    known: RwLock<Arc<Known>>,
    versions: watch::Sender<Versions>,
}

impl Watched {
    pub(crate) fn new(storage: &str) -> Self {
        let (versions, _) = watch::channel(Versions::default());
        Self { storage: storage.to_owned(), known: RwLock::default(), versions }
    }

    /// What is known now.
    pub(crate) fn known(&self) -> Arc<Known> {
        Arc::clone(&self.known.read().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// Tells of every new version; a slow listener gets the last alone.
    pub(crate) fn versions(&self) -> watch::Receiver<Versions> {
        self.versions.subscribe()
    }

    fn publish(&self, known: Known) {
        let versions = known.versions;
        *self.known.write().unwrap_or_else(std::sync::PoisonError::into_inner) = Arc::new(known);
        self.versions.send_replace(versions);
    }
}

/// Follows the store until the process ends.
///
/// # Errors
/// [`StoreError`] where the URL names no store that can be followed.
pub(crate) fn follow(watched: &Arc<Watched>, assembly: Assembly) -> Result<(), StoreError> {
    ChangeMark::of(&watched.storage)?;
    let mut follower = Follower { watched: Arc::clone(watched), assembly, studies: Vec::new(), seen: None };
    follower.look();
    std::thread::Builder::new()
        .name("store".into())
        .spawn(move || {
            loop {
                std::thread::sleep(INTERVAL);
                follower.look();
            }
        })
        .expect("a process that serves can start a thread");
    Ok(())
}

struct Follower {
    watched: Arc<Watched>,
    assembly: Assembly,
    studies: Vec<StoredStudy>,
    /// The mark last read, and when; `None` where the next look must read.
    seen: Option<(ChangeMark, Instant)>,
}

impl Follower {
    /// Reads what is new, if anything may be.
    fn look(&mut self) {
        let Ok(mark) = ChangeMark::of(&self.watched.storage) else { return };
        if self.seen.as_ref().is_some_and(|(seen, _)| *seen == mark) {
            return;
        }
        let same_file = self.seen.as_ref().is_some_and(|(seen, _)| seen.same_file(&mark));
        if !same_file {
            self.studies.clear();
        }
        let read = if mark.exists() { self.read() } else { Err("the file is not there".to_owned()) };
        match read {
            Ok(versions) => {
                let groups = (self.assembly.by_ladder)(self.studies.clone());
                let ladders =
                    groups.into_iter().map(|group| group.into_iter().map(Arc::new).collect()).collect();
                self.publish(versions, Some(ladders), None);
                // A write within the tick of the clock that the mark has would leave the same mark: look again.
                std::thread::sleep(SETTLING);
                let settled = ChangeMark::of(&self.watched.storage).is_ok_and(|after| after == mark);
                self.seen = Some((mark, Instant::now())).filter(|_| settled);
            }
            Err(reason) => {
                self.seen = None;
                self.studies.clear();
                self.publish(Versions::default(), None, Some(reason));
            }
        }
    }

    /// Brings the studies up to date; says what rose.
    fn read(&mut self) -> Result<Versions, String> {
        let store = SqliteStore::open_read_only(&self.watched.storage).map_err(|error| error.to_string())?;
        let records = store.studies().map_err(|error| error.to_string())?;
        let mut rose = Versions::default();
        let mut studies: Vec<StoredStudy> = Vec::with_capacity(records.len());
        for record in records {
            let known = self.studies.iter().position(|study| study.record.id == record.id);
            let study = if let Some(position) = known {
                let mut study = self.studies.swap_remove(position);
                let change = study.refresh(&store).map_err(|error| error.to_string())?;
                let renewed = study.record != record;
                rose.live += u64::from(change.moved || change.ended > 0 || renewed);
                rose.finished += u64::from(change.ended > 0 || renewed);
                study.record = record;
                study
            } else {
                rose = Versions { live: rose.live + 1, finished: rose.finished + 1 };
                StoredStudy::read(&store, record).map_err(|error| error.to_string())?
            };
            studies.push(study);
        }
        let gone = u64::from(!self.studies.is_empty());
        rose = Versions { live: rose.live + gone, finished: rose.finished + gone };
        self.studies = studies;
        Ok(rose)
    }

    fn publish(
        &self,
        rose: Versions,
        ladders: Option<Vec<Vec<Arc<StoredStudy>>>>,
        unavailable: Option<String>,
    ) {
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
        let ladders = ladders.unwrap_or_else(|| before.ladders.clone());
        self.watched.publish(Known { versions, ladders, unavailable });
    }
}
