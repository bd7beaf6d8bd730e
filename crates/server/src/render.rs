//! Computes analyses and charts once for all browser tabs.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use allometry_analysis::{Analysis, LadderTrials, Options as AnalysisOptions, analyze};
use allometry_core::Shared;
use allometry_store::StoredStudy;
use axum::body::Bytes;

use crate::watch::{Known, Versions, Watched};

/// Minimum time between two analyses of a ladder, as a multiple of the duration of the last one. It limits
/// the processor time of analyses while trials end quickly.
const SHARE: u32 = 3;
/// Minimum time between two analyses of a ladder.
const LEAST: Duration = Duration::from_secs(1);

/// An analysis with its trials.
#[derive(Debug)]
pub(crate) struct Analyzed {
    pub(crate) version: u64,
    pub(crate) ladder: LadderTrials,
    pub(crate) analysis: Analysis,
}

/// The data of all pages.
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

    /// Returns the analysis of a ladder. It is recomputed if trials have ended since the last one and enough
    /// time has passed. Blocks.
    pub(crate) fn analyzed(&self, name: &str) -> Option<Arc<Analyzed>> {
        let slot = self.slot(name);
        // The lock makes concurrent requests wait for one analysis instead of each computing it.
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        self.update(name, &mut slot)
    }

    /// Returns the charts of a ladder with the version of their analysis. They are made once per analysis.
    /// Blocks.
    pub(crate) fn charts(&self, name: &str, make: impl FnOnce(&Analyzed) -> String) -> Option<(u64, Bytes)> {
        let slot = self.slot(name);
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        let analyzed = self.update(name, &mut slot)?;
        if slot.charts.as_ref().is_none_or(|(version, _)| *version != analyzed.version) {
            slot.charts = Some((analyzed.version, make(&analyzed).into()));
        }
        slot.charts.clone()
    }

    fn slot(&self, name: &str) -> Arc<Mutex<Slot>> {
        let mut ladders = self.ladders.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(ladders.entry(name.to_owned()).or_default())
    }

    fn update(&self, name: &str, slot: &mut Slot) -> Option<Arc<Analyzed>> {
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

/// Returns the ladder of a study alone, without its trials: it says how stored predictions follow each other.
pub(crate) fn ladder_of(study: &StoredStudy) -> LadderTrials {
    let alone = StoredStudy {
        record: study.record.clone(),
        trials: Shared::default(),
        running: Vec::new(),
        predictions: BTreeMap::new(),
    };
    allometry_study::ladder(vec![alone], "")
}
