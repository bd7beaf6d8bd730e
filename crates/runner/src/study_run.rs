//! The state of one study in a run: its trials, its budget of trials, and the reason of its end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::Sender;

use allometry_core::{
    FrozenTrial, Metrics, Origin, StopReason, StudyEvent, StudyIdentity, TrialNumber, TrialRecord, TrialState,
};
use allometry_ladder::{BudgetSpec, Limit, StopRule};
use allometry_search::StudyView;
use allometry_store::{Store, StoreError, StudyId, StudyRecord};

use crate::choice::{Choice, Chooser, SizeOf, trial_seed, waits};
use crate::enqueued;
use crate::interruption::Interruption;
use crate::lease::LeaseWatch;
use crate::open::{OpenStudy, Pruning};
use crate::options::RunOptions;
use crate::process::Process;
use crate::recover::{self, Elsewhere};

/// A study stops when, since this process opened it, its failed trials outnumber those with a value by this
/// many. Earlier failures do not count, because their cause may be fixed.
const FAILURES_BEYOND_VALUED: u64 = 10;

/// A study that is being run, possibly by several processes: its trials, and the state of the run.
pub(crate) struct StudyRun {
    pub(crate) id: StudyId,
    pub(crate) identity: StudyIdentity,
    /// Record in the store at the start of the run.
    pub(crate) stored: Option<StudyRecord>,
    pub(crate) spec: BudgetSpec,
    /// The objectives.
    pub(crate) metrics: Metrics,
    /// Limits of reported metrics.
    pub(crate) limits: Vec<Limit>,
    pub(crate) chooser: Chooser,
    pub(crate) pruning: Option<Pruning>,
    stop: StopRule,
    /// Ended trials, one record per suggestion, by number; a repeated attempt has the number of the first
    /// attempt.
    pub(crate) finished: Vec<FrozenTrial>,
    /// Trials that any process evaluates, that wait or that other programs asked for.
    pub(crate) running: Vec<FrozenTrial>,
    /// Trials in `running` that this process evaluates.
    pub(crate) own: BTreeSet<TrialNumber>,
    /// Trials that other living processes evaluate.
    alive: BTreeSet<TrialNumber>,
    /// Numbers of repeated attempts, by the number of the first attempt.
    attempts: BTreeMap<TrialNumber, BTreeSet<TrialNumber>>,
    /// Trials outside of the search space, which are not counted.
    outside: BTreeSet<TrialNumber>,
    /// First unused number of the store when it was last read.
    pub(crate) next: TrialNumber,
    /// Smallest number to read again, where it is below `next`.
    reread: Option<TrialNumber>,
    leases: LeaseWatch,
    /// Number of repeated attempts at an interrupted trial.
    retries: u64,
    /// Numbers of failed trials and of trials with a value when this process opened the study.
    before: (u64, u64),
    pub(crate) ended: Option<StopReason>,
    /// Reason why the sampler has no further suggestions.
    exhausted: Option<StopReason>,
}

impl StudyRun {
    /// The run of a study whose trials have not been read.
    pub(crate) fn new(study: OpenStudy, options: &RunOptions) -> Self {
        let OpenStudy { id, identity, spec, metrics, limits, feasible, sampler, share, pruning, stop } =
            study;
        let label = spec.budget.label.clone();
        Self {
            id,
            identity,
            stored: None,
            spec,
            metrics,
            limits,
            chooser: Chooser { label, seed: options.seed, feasible, sampler, share, carried_over: None },
            pruning,
            stop,
            finished: Vec::new(),
            running: Vec::new(),
            own: BTreeSet::new(),
            alive: BTreeSet::new(),
            attempts: BTreeMap::new(),
            outside: BTreeSet::new(),
            next: TrialNumber(0),
            reread: None,
            leases: LeaseWatch::new(options.lease),
            retries: options.retries,
            before: (0, 0),
            ended: None,
            exhausted: None,
        }
    }

    pub(crate) fn label(&self) -> String {
        self.spec.budget.label.clone()
    }

    pub(crate) fn count(&self, state: TrialState) -> u64 {
        self.finished.iter().filter(|t| t.state == state).count() as u64
    }

    /// Number of trials with a value: complete or stopped early.
    pub(crate) fn valued(&self) -> u64 {
        self.count(TrialState::Complete) + self.count(TrialState::Pruned)
    }

    pub(crate) fn failed(&self) -> u64 {
        self.finished.iter().filter(|t| t.state == TrialState::Failed && !self.is_tried_again(t)).count()
            as u64
    }

    /// Number of trials outside of the search space.
    pub(crate) fn outside(&self) -> u64 {
        self.outside.len() as u64
    }

    /// Whether other processes work on the study.
    pub(crate) fn is_shared(&self) -> bool {
        !self.alive.is_empty()
    }

    /// Whether a trial was interrupted and has attempts left.
    fn is_tried_again(&self, trial: &FrozenTrial) -> bool {
        let made = self.attempts.get(&trial.number).map_or(0, |attempts| attempts.len() as u64);
        // Values outside of the search space come from other programs, or from a changed space, and must not
        // reach a program.
        let fits = || enqueued::values(trial, &self.spec.space).is_ok();
        Interruption::of(trial).is_some_and(|why| (made < self.retries || !why.counts_as_attempt()) && fits())
    }

    /// The first trial to evaluate again.
    fn interrupted(&self) -> Option<&FrozenTrial> {
        self.finished.iter().find(|trial| self.is_tried_again(trial))
    }

    /// An interrupted trial's configuration and seed, or the sampler's suggestion; `None` where the sampler
    /// has none.
    pub(crate) fn choose(
        &mut self,
        store: &dyn Store,
        ladder_seed: u64,
        size: &SizeOf<'_>,
    ) -> Result<Option<Choice>, StoreError> {
        if let Some(first) = self.interrupted() {
            let (number, label) = (first.number, &self.spec.budget.label);
            let record = TrialRecord {
                size: first.record.size,
                seed: Some(first.record.seed.unwrap_or_else(|| trial_seed(ladder_seed, label, number.0))),
                origin: Some(Origin::Retry),
                retry_of: Some(number),
                exempt: first.record.exempt,
                ..TrialRecord::default()
            };
            // The process of an enqueued trial may have ended before the missing values were written.
            let completed = self.chooser.complete(first, size).map(|choice| choice.params);
            let params = completed.unwrap_or_else(|_| first.params.clone());
            return Ok(Some(Choice { params, record, index: number.0 }));
        }
        if self.exhausted.is_some() {
            return Ok(None);
        }
        let others = self.chooser.others(store, self.id)?;
        let view =
            StudyView { finished: &self.finished, running: &self.running, other_budgets: &others.views() };
        let Ok(mut choice) = self.chooser.suggest(&view, size) else {
            self.exhausted = Some(StopReason::SpaceExhausted);
            return Ok(None);
        };
        self.chooser.record_carried_over(store, self.id)?;
        if let Some((gain, least)) = self.chooser.sampler.expected_gain().zip(self.stop.expected_gain)
            && gain < least
        {
            self.exhausted = Some(StopReason::ExpectedGain { gain, least });
            return Ok(None);
        }
        let exemption = self.pruning.as_ref().map(|pruning| pruning.exemption);
        let origin = choice.record.origin.unwrap_or(Origin::Model);
        choice.record.exempt =
            exemption.is_some_and(|exemption| exemption.covers(&self.chooser.label, choice.index, origin));
        Ok(Some(choice))
    }

    /// Reads the changes of other processes and programs. Trials without a process are failed; their numbers
    /// are returned.
    pub(crate) fn refresh(
        &mut self,
        store: &dyn Store,
        this: &Process<'_>,
    ) -> Result<Vec<TrialNumber>, StoreError> {
        let (leases, now) = (&mut self.leases, (this.clock)());
        let Elsewhere { asked, recovered } = recover::recover(store, self.id, &this.owner, leases, now)?;
        let elsewhere = self.running.iter().map(|trial| trial.number).filter(|n| !self.own.contains(n));
        let first = elsewhere.chain(self.reread.take()).min().unwrap_or(self.next).min(self.next);
        for trial in store.trials_from(self.id, first)? {
            self.next = self.next.max(TrialNumber(trial.number.0 + 1));
            self.add(trial);
        }
        // These are derived from the same read as the values: with two reads, a trial that starts or ends in
        // between would count twice or not at all.
        let is_elsewhere = |trial: &&FrozenTrial| {
            let number = &trial.number;
            trial.state == TrialState::Running && !self.own.contains(number) && !asked.contains(number)
        };
        self.alive = self.running.iter().filter(is_elsewhere).map(|trial| trial.number).collect();
        Ok(recovered)
    }

    fn add(&mut self, trial: FrozenTrial) {
        let number = trial.number;
        let slot = trial.record.retry_of.unwrap_or(number);
        if slot != number && Interruption::of(&trial).is_none_or(|why| why.counts_as_attempt()) {
            self.attempts.entry(slot).or_default().insert(number);
        }
        // For trials of this process the local state is newer than that of the store.
        if self.own.contains(&slot) {
            return;
        }
        self.running.retain(|known| known.number != slot);
        self.finished.retain(|known| known.number != slot);
        let trial = FrozenTrial { number: slot, ..trial };
        if !trial.state.is_finished() {
            insert_by_number(&mut self.running, trial);
        } else if trial.state == TrialState::Failed || self.spec.contains(&trial.params) {
            insert_by_number(&mut self.finished, trial);
        } else {
            self.outside.insert(slot);
        }
    }

    /// Adds a trial that this process starts.
    pub(crate) fn begin(&mut self, number: TrialNumber, trial: FrozenTrial) {
        let slot = trial.number;
        if slot != number {
            self.attempts.entry(slot).or_default().insert(number);
        }
        self.finished.retain(|t| t.number != slot);
        self.running.retain(|t| t.number != slot);
        insert_by_number(&mut self.running, trial);
        self.own.insert(slot);
        self.next = self.next.max(TrialNumber(number.0 + 1));
    }

    /// The trial in `slot`, which this process evaluates.
    pub(crate) fn own_trial(&mut self, slot: TrialNumber) -> &mut FrozenTrial {
        let place = self.running.binary_search_by_key(&slot, |t| t.number);
        &mut self.running[place.expect("an assigned trial is running until it is done")]
    }

    /// Removes a trial of this process from the running ones.
    pub(crate) fn release(&mut self, slot: TrialNumber) -> FrozenTrial {
        self.own.remove(&slot);
        let place = self.running.binary_search_by_key(&slot, |t| t.number);
        self.running.remove(place.expect("an assigned trial is running until it is done"))
    }

    /// Removes a trial of this process that another process has failed, to read its state from the store
    /// again.
    pub(crate) fn drop_lost(&mut self, slot: TrialNumber) {
        self.release(slot);
        self.reread = Some(self.reread.map_or(slot, |reread| reread.min(slot)));
    }

    /// Counts failures from now on.
    pub(crate) fn reset_failures(&mut self) {
        self.before = (self.failed(), self.valued());
    }

    pub(crate) fn too_many_failed(&self) -> bool {
        let (failed, valued) = self.before;
        self.failed().saturating_sub(failed) >= self.valued().saturating_sub(valued) + FAILURES_BEYOND_VALUED
    }

    /// Whether trials wait or the budget needs another trial.
    pub(crate) fn wants_more(&self) -> bool {
        (self.running.iter().any(waits) || self.wants_new()) && !self.too_many_failed()
    }

    /// Whether the budget needs another trial, beyond those with a value and those that a process evaluates.
    pub(crate) fn wants_new(&self) -> bool {
        self.valued() + ((self.own.len() + self.alive.len()) as u64) < self.spec.trials
    }

    pub(crate) fn end_if_done(&mut self, events: &Sender<StudyEvent>) {
        let waiting = self.running.iter().any(waits) && !self.too_many_failed();
        if !self.own.is_empty() || self.is_shared() || waiting {
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
