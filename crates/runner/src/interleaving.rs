//! Simulation of several processes on one study in one thread: between any two calls of the store another
//! process may act, end or stop responding, determined by a seed. In every order the study ends with exactly
//! its trials.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use allometry_core::rng::{stream, uniform};
use allometry_core::{
    Constraints, Direction, EpochReport, FrozenTrial, ModelSize, Objective, ObjectiveError, ObjectiveOutcome,
    Origin, Params, Predictions, Reporter, SearchSpace, StudyEvent, TrainingCost, TrialNumber, TrialRecord,
    TrialRng, TrialSpec, TrialState,
};
use allometry_ladder::Ladder;
use allometry_search::Feasible;
use allometry_store::facts::{CommandFacts, Fact, ObjectiveFacts, Program};
use allometry_store::{
    EpochMetrics, Finished, FinishedState, LateResult, NewStudy, NewTrial, Owner, RunningTrial, SqliteStore,
    Start, Store, StoreError, StudyId, StudyRecord, TrialExtras, TrialHandle, TrialId, TrialPage,
};

use crate::assignment::Assignment;
use crate::dispatcher::Dispatcher;
use crate::evaluate::evaluate;
use crate::open::{ChangedSpace, LadderFacts, OpenStudy, open_studies};
use crate::process::Process;
use crate::{Interrupt, RunOptions};

const LEASE: Duration = Duration::from_mins(1);
const TRIALS: u64 = 6;
const PROCESSES: usize = 3;

const LADDER: &str = r#"
name = "test"
trials = 6
[data]
path = "data.csv"
label = "label"
[model]
kind = "patchtst"
context = 8
patch = 4
stride = 4
[space]
d_model = [4, 8, 12, 16, 20]
n_layers = [1, 2, 3]
n_heads = [1, 2]
constraints = ["d_model >= n_heads"]
[sampler]
kind = "random"
[[budget]]
label = "a"
weights = "any"
"#;

/// The simulated processes and their store.
struct World {
    store: SqliteStore,
    processes: [Mutex<Option<Simulated>>; PROCESSES],
    random: Mutex<TrialRng>,
    clock: Mutex<Instant>,
    /// Number of processes that are in the middle of an action.
    depth: AtomicUsize,
    /// Whether processes no longer end or stop responding.
    calm: AtomicBool,
    started: AtomicU32,
    /// Values that the store accepted.
    told: Mutex<BTreeMap<TrialId, f64>>,
    events: Sender<StudyEvent>,
}

/// A simulated process with the trial that it evaluates.
struct Simulated {
    dispatcher: Dispatcher<'static>,
    assignment: Option<Assignment>,
}

/// An objective whose values depend only on the seed of the trial.
struct BySeed;

impl Objective for BySeed {
    fn evaluate(&self, trial: &TrialSpec, _: &dyn Reporter) -> Result<ObjectiveOutcome, ObjectiveError> {
        Ok(ObjectiveOutcome {
            constraints: Constraints::default(),
            values: vec![(trial.seed % 1000) as f64],
            best_step: None,
            metrics: BTreeMap::new(),
            size: None,
            predictions: None,
            cost: TrainingCost::default(),
            checkpoint: None,
        })
    }

    fn model_size(&self, params: &Params) -> Option<ModelSize> {
        let total = params.get("d_model")?.as_i64()? as u64;
        Some(ModelSize { total, non_embedding: total })
    }
}

fn ladder() -> Ladder {
    allometry_ladder::parse(LADDER, Path::new("ladder.toml")).unwrap_or_else(|e| panic!("{:?}", e.problems()))
}

fn open(store: &dyn Store) -> Vec<OpenStudy> {
    let ladder = ladder();
    let spec = &ladder.budgets[0];
    let feasible = Arc::new(Feasible::new(&spec.space, &spec.budget, |p| BySeed.model_size(p)).unwrap());
    let directions = [Direction::Maximize];
    let sampler =
        allometry_search::build_sampler(&directions, ladder.sampler, Arc::clone(&feasible), ladder.seed)
            .unwrap();
    let objective = CommandFacts {
        command: Program::Line("train".into()),
        metric: "auc".into(),
        weights: None,
        horizon: 1,
        part: None,
    };
    let facts = LadderFacts::new(ObjectiveFacts::Command(objective));
    let budgets = vec![(spec.clone(), feasible, sampler)];
    open_studies(store, &ladder, budgets, &facts, ChangedSpace::Refuse).unwrap()
}

impl World {
    fn new(seed: u64) -> &'static Self {
        Box::leak(Box::new(Self {
            store: SqliteStore::in_memory().unwrap(),
            processes: Default::default(),
            random: Mutex::new(stream(seed, "interleaving", 0)),
            clock: Mutex::new(Instant::now()),
            depth: AtomicUsize::new(0),
            calm: AtomicBool::new(false),
            started: AtomicU32::new(0),
            told: Mutex::default(),
            events: channel().0,
        }))
    }

    fn chance(&self) -> f64 {
        uniform(&mut self.random.lock().unwrap())
    }

    fn pass(&self, share_of_lease: f64) {
        *self.clock.lock().unwrap() += LEASE.mul_f64(share_of_lease);
    }

    /// Lets other processes act before a call of the store.
    fn between(&'static self) {
        if self.depth.load(Ordering::Relaxed) >= PROCESSES || self.chance() > 0.3 {
            return;
        }
        if self.chance() < 0.5 {
            self.pass(0.6 * self.chance());
        }
        self.step((self.chance() * PROCESSES as f64) as usize);
    }

    /// Lets a process act if it is not in the middle of another action; returns whether it acted and may have
    /// more to do.
    fn step(&'static self, process: usize) -> bool {
        let Ok(mut place) = self.processes[process].try_lock() else { return false };
        self.depth.fetch_add(1, Ordering::Relaxed);
        let acted = self.act(&mut place);
        self.depth.fetch_sub(1, Ordering::Relaxed);
        acted
    }

    fn act(&'static self, place: &mut Option<Simulated>) -> bool {
        let Some(simulated) = place else {
            *place = Some(self.start());
            return true;
        };
        let Some(assignment) = simulated.assignment.take() else {
            simulated.assignment = simulated.dispatcher.try_next(0).unwrap();
            return simulated.assignment.is_some();
        };
        let chance = if self.calm.load(Ordering::Relaxed) { 1.0 } else { self.chance() };
        if chance < 0.1 {
            *place = None;
        } else if chance < 0.3 {
            self.store.heartbeat(&[assignment.id]).unwrap();
            simulated.assignment = Some(assignment);
        } else if chance < 0.6 {
            simulated.assignment = Some(assignment);
        } else {
            let (events, interrupt) = (&self.events, Interrupt::default());
            let Simulated { dispatcher, .. } = simulated;
            let ended = evaluate(&assignment, 0, dispatcher, self.as_store(), &BySeed, &interrupt, events);
            if let Ok(Some(ended)) = &ended {
                let before = self.told.lock().unwrap().insert(assignment.id, ended.values[0]);
                assert_eq!(before, None, "a trial is told once");
            }
            dispatcher.done(&assignment, 0, ended).unwrap();
        }
        true
    }

    fn start(&'static self) -> Simulated {
        let clock: &'static (dyn Fn() -> Instant + Sync) =
            Box::leak(Box::new(|| *self.clock.lock().unwrap()));
        let pid = self.started.fetch_add(1, Ordering::Relaxed);
        let owner = Owner { host: "another machine".into(), pid, process_start: String::new() };
        let options = RunOptions {
            workers: 1,
            deadline: None,
            seed: 0,
            steps: None,
            unit: "epoch",
            length: None,
            lease: LEASE,
            retries: 1000,
        };
        let (process, events) = (Process { owner, clock }, self.events.clone());
        let (store, interrupt) = (self.as_store(), Interrupt::default());
        let dispatcher = Dispatcher::start(open(store), store, &BySeed, process, &options, interrupt, events);
        Simulated { dispatcher: dispatcher.unwrap(), assignment: None }
    }

    fn as_store(&'static self) -> &'static dyn Store {
        Box::leak(Box::new(Interleaved(self)))
    }

    /// Lets all processes continue until the study has ended.
    fn finish(&'static self, study: StudyId) {
        self.calm.store(true, Ordering::Relaxed);
        let mut idle = 0;
        for _ in 0..1000 {
            self.pass(0.4);
            let acted = (0..PROCESSES).filter(|process| self.step(*process)).count();
            let running = self.store.running(study).unwrap();
            idle = if acted == 0 && running.is_empty() { idle + 1 } else { 0 };
            if idle == 3 {
                return;
            }
        }
        panic!("the study does not end");
    }
}

/// A store that lets other processes act before each call.
struct Interleaved(&'static World);

macro_rules! calls {
    ($(fn $name:ident(&self $(, $argument:ident: $kind:ty)*) -> $result:ty;)*) => {
        $(fn $name(&self $(, $argument: $kind)*) -> Result<$result, StoreError> {
            self.0.between();
            self.0.store.$name($($argument),*)
        })*
    };
}

impl Store for Interleaved {
    calls! {
        fn place(&self) -> String;
        fn check_present(&self) -> ();
        fn create_study(&self, study: &NewStudy) -> StudyId;
        fn studies(&self) -> Vec<StudyRecord>;
        fn study(&self, name: &str) -> Option<StudyRecord>;
        fn set_facts(&self, study: StudyId, facts: &[Fact]) -> ();
        fn create_trial(&self, study: StudyId, trial: &NewTrial<'_>) -> TrialHandle;
        fn create_trial_at(
            &self, study: StudyId, trial: &NewTrial<'_>, number: TrialNumber
        ) -> Option<TrialHandle>;
        fn complete_params(
            &self, trial: TrialId, params: &Params, space: &SearchSpace, record: &TrialRecord
        ) -> ();
        fn claim_waiting(&self, study: StudyId, owner: Option<&Owner>) -> Option<(TrialHandle, FrozenTrial)>;
        fn report(&self, trial: TrialId, reports: &[EpochReport]) -> ();
        fn finish(&self, trial: TrialId, state: FinishedState, finished: &Finished) -> TrialState;
        fn record_late(&self, trial: TrialId, late: &LateResult) -> ();
        fn late_results(&self, study: StudyId, number: TrialNumber) -> Vec<LateResult>;
        fn heartbeat(&self, trials: &[TrialId]) -> ();
        fn running(&self, study: StudyId) -> Vec<RunningTrial>;
        fn trials_from(&self, study: StudyId, first: TrialNumber) -> Vec<FrozenTrial>;
        fn predictions(&self, study: StudyId, number: TrialNumber) -> Option<Predictions>;
        fn log(&self, study: StudyId, number: TrialNumber) -> Option<String>;
        fn epoch_metrics(&self, study: StudyId, number: TrialNumber) -> EpochMetrics;
        fn trials_page(&self, study: StudyId, after: Option<TrialId>, limit: usize) -> TrialPage;
        fn predictions_from(&self, study: StudyId, first: TrialNumber) -> BTreeMap<TrialNumber, Predictions>;
        fn extras(&self, study: StudyId) -> BTreeMap<TrialNumber, TrialExtras>;
    }
}

/// Enqueues two configurations and returns the study.
fn enqueue(world: &World) -> StudyId {
    let OpenStudy { id, spec, .. } = open(&world.store).remove(0);
    for width in [8, 16] {
        let params = [("d_model", width), ("n_layers", 1), ("n_heads", 1)].into_iter().collect();
        let record = TrialRecord { origin: Some(Origin::Enqueued), ..TrialRecord::default() };
        let new = NewTrial { start: Start::Waiting, params: &params, space: &spec.space, record: &record };
        world.store.create_trial(id, &new).unwrap();
    }
    id
}

#[test]
fn in_every_order_a_study_ends_with_exactly_its_trials() {
    let (mut lost, mut late, mut dead) = (0, 0, 0);
    for seed in 0..400 {
        let world = World::new(seed);
        let study = enqueue(world);
        for _ in 0..60 {
            world.pass(0.2 * world.chance());
            world.step((world.chance() * PROCESSES as f64) as usize);
        }
        world.finish(study);
        let trials = world.store.trials(study).unwrap();
        assert!(trials.iter().zip(0..).all(|(trial, number)| trial.number.0 == number), "seed {seed}");
        let complete: Vec<&FrozenTrial> =
            trials.iter().filter(|trial| trial.state == TrialState::Complete).collect();
        assert_eq!(complete.len() as u64, TRIALS, "seed {seed}: {trials:#?}");
        let told = world.told.lock().unwrap();
        let mut values: Vec<f64> = told.values().copied().collect();
        let mut stored: Vec<f64> = complete.iter().filter_map(|trial| trial.value()).collect();
        values.sort_by(f64::total_cmp);
        stored.sort_by(f64::total_cmp);
        assert_eq!(values, stored, "seed {seed}: exactly the accepted values are stored");
        let slot = |trial: &FrozenTrial| trial.record.retry_of.unwrap_or(trial.number);
        let mut slots: Vec<TrialNumber> = complete.iter().map(|trial| slot(trial)).collect();
        slots.sort_unstable();
        slots.dedup();
        assert_eq!(slots.len() as u64, TRIALS, "seed {seed}: no trial is complete twice");
        assert_eq!(slots[..2], [TrialNumber(0), TrialNumber(1)], "seed {seed}: enqueued trials have run");
        lost += trials.len() - complete.len();
        late +=
            trials.iter().map(|t| world.store.late_results(study, t.number).unwrap().len()).sum::<usize>();
        dead += world.started.load(Ordering::Relaxed) as usize - PROCESSES;
    }
    println!("{lost} attempts were lost, {late} results came too late, {dead} processes ended");
    assert!(lost > 100 && late > 10 && dead > 100, "{lost}, {late}, {dead}");
}

#[test]
fn in_every_order_processes_open_one_study() {
    let mut at_once = 0;
    for seed in 0..200 {
        let world = World::new(seed);
        world.step(0);
        // Processes that started while the first one was opening the study.
        at_once += world.started.load(Ordering::Relaxed) - 1;
        let studies = world.store.studies().unwrap();
        assert_eq!(studies.len(), 1, "seed {seed}");
        world.finish(studies[0].id);
        let trials = world.store.trials(studies[0].id).unwrap();
        let complete = trials.iter().filter(|trial| trial.state == TrialState::Complete).count();
        assert_eq!(complete as u64, TRIALS, "seed {seed}: {trials:#?}");
    }
    assert!(at_once > 100, "{at_once}");
}
