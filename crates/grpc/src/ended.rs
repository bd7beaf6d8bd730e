//! Cache of encoded trials that have ended. They never change, so reading a whole study again takes them
//! from memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use allometry_store::optuna::{AttributeKind, OptunaStorage, TrialHead, TrialSink};
use allometry_store::{StoreError, StudyId, TrialId};
use bytes::Bytes;

use crate::encode::TrialEncoder;

/// Maximum bytes cached over all studies.
const MAX_CACHED_BYTES: usize = 24 * 1024 * 1024;

/// Encoded trials of whole studies, as of the last read.
#[derive(Debug, Default)]
pub(crate) struct EndedTrials {
    studies: Mutex<HashMap<StudyId, Arc<CachedStudy>>>,
}

/// Encoded trials of one study, by ascending id.
#[derive(Debug, Default)]
struct CachedStudy {
    pieces: Vec<Piece>,
    /// Greatest id that was read.
    through: Option<TrialId>,
}

#[derive(Debug, Clone)]
enum Piece {
    /// Consecutive trials that have ended.
    Ended(Bytes),
    /// A trial that had not ended.
    Open(TrialId, Bytes),
}

impl CachedStudy {
    fn open(&self) -> Vec<TrialId> {
        let open = self.pieces.iter().filter_map(|piece| match piece {
            Piece::Open(trial, _) => Some(*trial),
            Piece::Ended(_) => None,
        });
        open.collect()
    }

    fn size(&self) -> usize {
        self.pieces.iter().map(|piece| piece.bytes().len()).sum()
    }

    /// Returns these trials updated with a new read of the open and of all later ones.
    fn with(&self, read: Pieces) -> Self {
        let mut read = read.finish();
        let through = read.iter().map(|(trial, _)| *trial).chain(self.through).max();
        let later = read.partition_point(|(trial, _)| self.through.is_some_and(|seen| *trial <= seen));
        let later = read.split_off(later);
        let mut reread: HashMap<TrialId, Piece> = read.into_iter().collect();
        let known = self.pieces.iter().filter_map(|piece| match piece {
            Piece::Ended(_) => Some(piece.clone()),
            // A trial that is missing was deleted with its study.
            Piece::Open(trial, _) => reread.remove(trial),
        });
        Self { pieces: known.chain(later.into_iter().map(|(_, piece)| piece)).collect(), through }
    }
}

impl Piece {
    fn bytes(&self) -> &Bytes {
        match self {
            Self::Ended(bytes) | Self::Open(_, bytes) => bytes,
        }
    }
}

impl EndedTrials {
    fn studies(&self) -> MutexGuard<'_, HashMap<StudyId, Arc<CachedStudy>>> {
        self.studies.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the reply with all trials of a study, in pieces. The storage is asked only for trials that
    /// had not ended at the last read and for new ones.
    ///
    /// # Errors
    /// As [`OptunaStorage::trials`].
    pub(crate) fn all(&self, storage: &dyn OptunaStorage, study: StudyId) -> Result<Vec<Bytes>, StoreError> {
        let known = self.studies().get(&study).cloned().unwrap_or_default();
        let mut read = Pieces::new(known.through);
        let after = known.through.unwrap_or(TrialId(-1));
        if let Err(error) = storage.trials(study, after, &known.open(), &mut read) {
            self.studies().remove(&study);
            return Err(error);
        }
        let now = CachedStudy::with(&known, read);
        let reply = now.pieces.iter().map(|piece| piece.bytes().clone()).collect();
        self.keep(study, now);
        Ok(reply)
    }

    fn keep(&self, study: StudyId, cached: CachedStudy) {
        let mut studies = self.studies();
        let size = cached.size();
        studies.remove(&study);
        if size > MAX_CACHED_BYTES {
            return;
        }
        if size + studies.values().map(|cached| cached.size()).sum::<usize>() > MAX_CACHED_BYTES {
            studies.clear();
        }
        studies.insert(study, Arc::new(cached));
    }
}

/// Encodes trials into pieces, each with trials that have ended or with one that has not.
struct Pieces {
    encoder: TrialEncoder,
    /// Id up to which each trial becomes a piece of its own, because it replaces a single open one.
    single_through: Option<TrialId>,
    head: Option<TrialHead>,
    /// Pieces, each with the id of its last trial.
    done: Vec<(TrialId, Piece)>,
    /// Last trial in the encoder, which then holds only trials that have ended.
    ended: Option<TrialId>,
}

impl Pieces {
    fn new(single_through: Option<TrialId>) -> Self {
        Self { encoder: TrialEncoder::new(), single_through, head: None, done: Vec::new(), ended: None }
    }

    fn close(&mut self) {
        if let Some(last) = self.ended.take() {
            let pieces = self.encoder.take();
            self.done.extend(pieces.into_iter().map(|bytes| (last, Piece::Ended(bytes))));
        }
    }

    fn finish(mut self) -> Vec<(TrialId, Piece)> {
        self.close();
        self.done
    }
}

impl TrialSink for Pieces {
    fn restart(&mut self) {
        *self = Self::new(self.single_through);
    }

    fn begin(&mut self, head: &TrialHead) {
        if !head.state.is_finished() {
            self.close();
        }
        self.head = Some(*head);
        self.encoder.begin(head);
    }

    fn value(&mut self, value: f64) {
        self.encoder.value(value);
    }

    fn param(&mut self, name: &str, internal: f64, distribution: &str) {
        self.encoder.param(name, internal, distribution);
    }

    fn attribute(&mut self, kind: AttributeKind, key: &str, json: &str) {
        self.encoder.attribute(kind, key, json);
    }

    fn intermediate(&mut self, step: i64, value: f64) {
        self.encoder.intermediate(step, value);
    }

    fn end(&mut self) {
        self.encoder.end();
        let Some(TrialHead { id, state, .. }) = self.head.take() else { return };
        if state.is_finished() {
            self.ended = Some(id);
            if self.single_through.is_some_and(|single_through| id <= single_through) {
                self.close();
            }
        } else {
            let bytes = self.encoder.take().concat().into();
            self.done.push((id, Piece::Open(id, bytes)));
        }
    }
}
