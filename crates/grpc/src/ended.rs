//! Encoded trials that ended, which never change: whoever reads a whole study again gets them from memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use allometry_store::optuna::{AttributeKind, OptunaStorage, TrialHead, TrialSink};
use allometry_store::{StoreError, StudyId, TrialId};
use bytes::Bytes;

use crate::encode::TrialEncoder;

/// Bytes that are kept of all studies.
const KEPT: usize = 24 * 1024 * 1024;

/// The trials of whole studies as they were last read.
#[derive(Debug, Default)]
pub(crate) struct EndedTrials {
    studies: Mutex<HashMap<StudyId, Arc<Kept>>>,
}

/// A study's trials by growing id.
#[derive(Debug, Default)]
struct Kept {
    pieces: Vec<Piece>,
    /// The last trial that was seen.
    through: Option<TrialId>,
}

#[derive(Debug, Clone)]
enum Piece {
    /// Trials that ended, one after another.
    Ended(Bytes),
    /// A trial that had not ended.
    Open(TrialId, Bytes),
}

impl Kept {
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

    /// These trials with what was read of those that were open and of later ones.
    fn with(&self, read: Pieces) -> Self {
        let mut read = read.finish();
        let through = read.iter().map(|(trial, _)| *trial).chain(self.through).max();
        let later = read.partition_point(|(trial, _)| self.through.is_some_and(|seen| *trial <= seen));
        let later = read.split_off(later);
        let mut again: HashMap<TrialId, Piece> = read.into_iter().collect();
        let known = self.pieces.iter().filter_map(|piece| match piece {
            Piece::Ended(_) => Some(piece.clone()),
            // One that is not there any more went with its study.
            Piece::Open(trial, _) => again.remove(trial),
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
    fn studies(&self) -> MutexGuard<'_, HashMap<StudyId, Arc<Kept>>> {
        self.studies.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The reply with all trials of a study, in pieces: of those that had ended before, the storage is not asked.
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
        let now = Kept::with(&known, read);
        let reply = now.pieces.iter().map(|piece| piece.bytes().clone()).collect();
        self.keep(study, now);
        Ok(reply)
    }

    fn keep(&self, study: StudyId, kept: Kept) {
        let mut studies = self.studies();
        let size = kept.size();
        studies.remove(&study);
        if size > KEPT {
            return;
        }
        if size + studies.values().map(|kept| kept.size()).sum::<usize>() > KEPT {
            studies.clear();
        }
        studies.insert(study, Arc::new(kept));
    }
}

/// Encodes trials into pieces that each hold trials which ended, or one that did not.
struct Pieces {
    encoder: TrialEncoder,
    /// Trials up to this one are pieces of their own, since they stand apart.
    apart: Option<TrialId>,
    head: Option<TrialHead>,
    /// Each with its last trial.
    done: Vec<(TrialId, Piece)>,
    /// The last trial in the encoder, all of which ended.
    ended: Option<TrialId>,
}

impl Pieces {
    fn new(apart: Option<TrialId>) -> Self {
        Self { encoder: TrialEncoder::new(), apart, head: None, done: Vec::new(), ended: None }
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
        *self = Self::new(self.apart);
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
            if self.apart.is_some_and(|apart| id <= apart) {
                self.close();
            }
        } else {
            let bytes = self.encoder.take().concat().into();
            self.done.push((id, Piece::Open(id, bytes)));
        }
    }
}
