//! What is computed once for all tabs: analyses, and the fragments made of them.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use allometry_analysis::{Analysis, LadderTrials, Options as AnalysisOptions, Series, analyze};
use allometry_core::Shared;
use allometry_store::StoredStudy;
use axum::body::Bytes;

use crate::watch::{Known, Versions, Watched};

/// While trials end faster than analyses take, one may take this share of the time: every so many times its duration.
const SHARE: u32 = 8;
/// Shortest time between two analyses of a ladder.
const LEAST: Duration = Duration::from_secs(2);

/// An analysis and the trials that it is of.
#[derive(Debug)]
pub(crate) struct Analyzed {
    pub(crate) version: u64,
    pub(crate) ladder: LadderTrials,
    pub(crate) analysis: Analysis,
}

/// Everything that the pages are made of.
#[derive(Debug)]
pub(crate) struct Dashboard {
    pub(crate) watched: Arc<Watched>,
    ladders: Mutex<HashMap<String, Arc<Mutex<Slot>>>>,
}

#[derive(Debug, Default)]
struct Slot {
    latest: Option<Arc<Analyzed>>,
    charts: Option<(u64, Bytes)>,
    not_before: Option<Instant>,
}

impl Dashboard {
    pub(crate) fn new(watched: Arc<Watched>) -> Self {
        Self { watched, ladders: Mutex::default() }
    }

    pub(crate) fn known(&self) -> Arc<Known> {
        self.watched.known()
    }

    /// The analysis of a ladder, computed anew where trials ended since the last and enough time has gone by. Blocks.
    pub(crate) fn analyzed(&self, name: &str) -> Option<Arc<Analyzed>> {
        let slot = self.slot(name);
        // Who comes while another computes waits for its result instead of computing the same.
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        self.bring_up(name, &mut slot)
    }

    /// The charts of a ladder, made once per analysis. Blocks.
    pub(crate) fn charts(&self, name: &str, make: impl FnOnce(&Analyzed) -> String) -> Option<Bytes> {
        let slot = self.slot(name);
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        let analyzed = self.bring_up(name, &mut slot)?;
        if slot.charts.as_ref().is_none_or(|(version, _)| *version != analyzed.version) {
            slot.charts = Some((analyzed.version, make(&analyzed).into()));
        }
        slot.charts.as_ref().map(|(_, charts)| charts.clone())
    }

    fn slot(&self, name: &str) -> Arc<Mutex<Slot>> {
        let mut ladders = self.ladders.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(ladders.entry(name.to_owned()).or_default())
    }

    fn bring_up(&self, name: &str, slot: &mut Slot) -> Option<Arc<Analyzed>> {
        let known = self.known();
        let Versions { finished, .. } = known.versions;
        let fresh = slot.latest.as_ref().is_some_and(|latest| latest.version == finished);
        let early = slot.latest.is_some() && slot.not_before.is_some_and(|until| Instant::now() < until);
        if fresh || early {
            return slot.latest.clone();
        }
        let studies = known.ladders.get(name)?.iter().filter(|study| study.record.unreadable.is_none());
        let studies: Vec<StoredStudy> = studies.map(|study| StoredStudy::clone(study)).collect();
        if studies.is_empty() {
            return None;
        }
        let ladder = allometry_study::ladder(studies, &self.watched.storage);
        let start = Instant::now();
        let analysis = analyze(&ladder, &AnalysisOptions::default());
        slot.not_before = Some(Instant::now() + (start.elapsed() * SHARE).max(LEAST));
        slot.latest = Some(Arc::new(Analyzed { version: finished, ladder, analysis }));
        slot.latest.clone()
    }
}

/// Returns how the stored predictions of a study follow each other in time.
pub(crate) fn series(study: &StoredStudy) -> Series {
    let alone = StoredStudy {
        record: study.record.clone(),
        trials: Shared::default(),
        running: Vec::new(),
        predictions: BTreeMap::new(),
    };
    allometry_study::ladder(vec![alone], "").series()
}
