//! One study of a run: what it has, what it wants, and why it ends.

use std::collections::{BTreeSet, VecDeque};
use std::sync::mpsc::Sender;

use allometry_core::event::StopReason;
use allometry_core::ladder::{BudgetSpec, StopRule};
use allometry_core::{FrozenTrial, Origin, StudyEvent, StudyView, TrialNumber, TrialRecord, TrialState};
use allometry_store::{Store, StoreError, StudyId};

use crate::choice::{Choice, Chooser, SizeOf, trial_seed, waits};
use crate::open::Pruning;
use crate::recover;

/// A study stops when its failed trials outnumber those with a value by this many.
const FAILURES_BEYOND_VALUED: u64 = 10;

/// A study that is being run: its history, and what is still to be done.
pub(crate) struct StudyRun {
    pub(crate) id: StudyId,
    pub(crate) spec: BudgetSpec,
    pub(crate) chooser: Chooser,
    pub(crate) pruning: Option<Pruning>,
    pub(crate) stop: StopRule,
    /// One record per suggestion by number; a repetition stands under the number of its first attempt.
    pub(crate) finished: Vec<FrozenTrial>,
    /// Those that this process evaluates, and those that wait or that other programs asked for.
    pub(crate) running: Vec<FrozenTrial>,
    /// Of `running` those that this process evaluates.
    pub(crate) own: BTreeSet<TrialNumber>,
    /// Numbers, in the store, of all trials that this process started.
    pub(crate) started: BTreeSet<TrialNumber>,
    /// The first number that the store had not given away when it was last read.
    pub(crate) next: TrialNumber,
    /// Interrupted trials to be run again.
    pub(crate) retries: VecDeque<TrialNumber>,
    pub(crate) ended: Option<StopReason>,
    /// Why the sampler gives nothing more.
    pub(crate) exhausted: Option<StopReason>,
}

impl StudyRun {
    pub(crate) fn label(&self) -> String {
        self.spec.budget.label.clone()
    }

    pub(crate) fn count(&self, state: TrialState) -> u64 {
        self.finished.iter().filter(|t| t.state == state).count() as u64
    }

    /// Trials that ended with what they were run for: complete or stopped early.
    pub(crate) fn valued(&self) -> u64 {
        self.count(TrialState::Complete) + self.count(TrialState::Pruned)
    }

    pub(crate) fn failed(&self) -> u64 {
        self.finished.iter().filter(|t| t.state == TrialState::Failed && !recover::was_interrupted(t)).count()
            as u64
    }

    /// An interrupted trial's configuration and seed again, or the sampler's next; `None` when the space is used up.
    pub(crate) fn choose(&mut self, ladder_seed: u64, size: &SizeOf<'_>) -> Option<Choice> {
        if let Some(number) = self.retries.pop_front() {
            let place = self.finished.binary_search_by_key(&number, |t| t.number);
            let first = &self.finished[place.expect("a trial to be repeated is in the history")];
            let label = &self.spec.budget.label;
            let record = TrialRecord {
                size: first.record.size,
                seed: Some(first.record.seed.unwrap_or_else(|| trial_seed(ladder_seed, label, number.0))),
                origin: Some(Origin::Retry),
                retry_of: Some(number),
                exempt: first.record.exempt,
                ..TrialRecord::default()
            };
            return Some(Choice { params: first.params.clone(), record, index: number.0 });
        }
        if self.exhausted.is_some() {
            return None;
        }
        let view = StudyView { finished: &self.finished, running: &self.running };
        let Ok(mut choice) = self.chooser.suggest(&view, size) else {
            self.exhausted = Some(StopReason::SpaceExhausted);
            return None;
        };
        if let Some((gain, least)) = self.chooser.sampler.expected_gain().zip(self.stop.expected_gain)
            && gain < least
        {
            self.exhausted = Some(StopReason::ExpectedGain { gain, least });
            return None;
        }
        let exemption = self.pruning.as_ref().map(|pruning| pruning.exemption);
        let origin = choice.record.origin.unwrap_or(Origin::Model);
        choice.record.exempt =
            exemption.is_some_and(|exemption| exemption.covers(&self.chooser.label, choice.index, origin));
        Some(choice)
    }

    /// Takes in what other programs did: enqueued, asked for, told.
    pub(crate) fn refresh(&mut self, store: &dyn Store) -> Result<(), StoreError> {
        let elsewhere = self.running.iter().map(|trial| trial.number).filter(|n| !self.own.contains(n));
        let first = elsewhere.min().unwrap_or(self.next).min(self.next);
        for trial in store.trials_from(self.id, first)? {
            let number = trial.number;
            self.next = self.next.max(TrialNumber(number.0 + 1));
            if self.started.contains(&number) || self.own.contains(&number) {
                continue;
            }
            if trial.state.is_finished() {
                self.running.retain(|known| known.number != number);
                if self.finished.binary_search_by_key(&number, |known| known.number).is_err() {
                    insert_by_number(&mut self.finished, trial);
                }
            } else if !self.running.iter().any(|known| known.number == number) {
                insert_by_number(&mut self.running, trial);
            }
        }
        Ok(())
    }

    pub(crate) fn too_many_failed(&self) -> bool {
        self.failed() >= self.valued() + FAILURES_BEYOND_VALUED
    }

    /// Whether trials wait or new ones are wanted.
    pub(crate) fn wants_more(&self) -> bool {
        (self.running.iter().any(waits) || self.wants_new()) && !self.too_many_failed()
    }

    pub(crate) fn wants_new(&self) -> bool {
        self.valued() + (self.own.len() as u64) < self.spec.trials
    }

    pub(crate) fn end_if_done(&mut self, events: &Sender<StudyEvent>) {
        if !self.own.is_empty() || (self.running.iter().any(waits) && !self.too_many_failed()) {
            return;
        }
        if self.valued() >= self.spec.trials {
            self.end(StopReason::TrialsReached, events);
        } else if self.too_many_failed() {
            self.end(StopReason::FailureLimit, events);
        } else if let Some(reason) = self.exhausted {
            self.end(reason, events);
        }
    }

    pub(crate) fn end(&mut self, reason: StopReason, events: &Sender<StudyEvent>) {
        if self.ended.is_none() {
            self.ended = Some(reason);
            let _ = events.send(StudyEvent::StudyFinished { budget: self.label(), reason });
        }
    }
}

pub(crate) fn insert_by_number(trials: &mut Vec<FrozenTrial>, trial: FrozenTrial) {
    let place = trials.partition_point(|t| t.number < trial.number);
    trials.insert(place, trial);
}
