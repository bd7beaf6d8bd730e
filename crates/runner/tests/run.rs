//! Tests of runs: exact numbers of trials, failures as data, interruptions without loss.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

use allometry_core::{
    CollapsedTo, Constraints, Direction, EarlyStop, EpochReport, Failure, FrozenTrial, ModelSize, Objective,
    ObjectiveError, ObjectiveOutcome, Origin, Params, Reporter, SamplerKind, SamplerSpec, Signal, StopReason,
    StudyEvent, TrainingCost, TrialNumber, TrialRecord, TrialRng, TrialSpec, TrialState,
};
use allometry_ladder::{Ladder, ModelSpec, ObjectiveSpec};
use allometry_runner::{
    ChangedSpace, Interrupt, LadderFacts, RunError, RunOptions, RunSummary, open_studies, run,
};
use allometry_search::{Feasible, SampleError, Sampler, StudyView, Suggestion};
use allometry_store::facts::{CommandFacts, ObjectiveFacts, Program};
use allometry_store::{Finished, FinishedState, Owner, SqliteStore, Start, Store};

/// The result of a trial in the test objective.
type Behaviour<'a> = dyn Fn(&TrialSpec, u64) -> Result<f64, ObjectiveError> + Sync + 'a;

/// An objective with three epochs and the result of `behaviour`, which counts its evaluations.
struct Scripted<'a> {
    evaluations: AtomicU64,
    behaviour: &'a Behaviour<'a>,
}

impl Objective for Scripted<'_> {
    fn evaluate(
        &self,
        trial: &TrialSpec,
        reporter: &dyn Reporter,
    ) -> Result<ObjectiveOutcome, ObjectiveError> {
        let evaluation = self.evaluations.fetch_add(1, Ordering::SeqCst);
        for step in 1..=3 {
            let epoch = EpochReport {
                step,
                value: step as f64 / 10.0,
                metrics: BTreeMap::from([("pred_min".into(), 0.5), ("pred_max".into(), 0.5)]),
            };
            match reporter.report(&epoch) {
                Signal::Continue => {}
                Signal::Prune => return Err(ObjectiveError::Pruned(Box::default())),
                Signal::Interrupt => return Err(ObjectiveError::Interrupted),
            }
        }
        let value = (self.behaviour)(trial, evaluation)?;
        Ok(ObjectiveOutcome {
            constraints: Constraints::default(),
            values: vec![value],
            best_step: Some(3),
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
d_model = [4, 8, 12]
n_layers = [1, 2]
n_heads = [1, 2]
[sampler]
kind = "random"
[[budget]]
label = "a"
weights = "any"
[[budget]]
label = "b"
weights = "any"
"#;

fn read(text: &str) -> Ladder {
    allometry_ladder::parse(text, std::path::Path::new("ladder.toml"))
        .unwrap_or_else(|e| panic!("{:?}", e.problems()))
}

fn go(
    ladder: &Ladder,
    store: &dyn Store,
    workers: usize,
    interrupt: &Interrupt,
    behaviour: &Behaviour<'_>,
) -> Result<(RunSummary, Vec<StudyEvent>), RunError> {
    let objective = Scripted { evaluations: AtomicU64::new(0), behaviour };
    let budgets = ladder
        .budgets
        .iter()
        .map(|spec| {
            let feasible = Feasible::new(&spec.space, &spec.budget, |p| objective.model_size(p)).unwrap();
            let feasible = Arc::new(feasible);
            let sampler = allometry_search::build_sampler(
                &[Direction::Maximize],
                ladder.sampler,
                Arc::clone(&feasible),
                ladder.seed,
            )
            .unwrap();
            (spec.clone(), feasible, sampler)
        })
        .collect();
    let ObjectiveSpec::Model { model: ModelSpec { context, .. }, .. } = &ladder.objective else {
        panic!("the ladder trains a model")
    };
    let facts = LadderFacts::new(command(&format!("train --context {context}")));
    let studies = open_studies(store, ladder, budgets, &facts, ChangedSpace::Refuse)?;
    let (sender, receiver) = channel();
    let options = RunOptions {
        workers,
        deadline: None,
        seed: ladder.seed,
        steps: None,
        unit: "epoch",
        length: None,
        lease: Duration::from_secs(1),
        retries: RunOptions::RETRIES,
    };
    let summary = run(studies, store, &objective, &options, interrupt, &sender)?;
    drop(sender);
    Ok((summary, receiver.iter().collect()))
}

fn command(line: &str) -> ObjectiveFacts {
    ObjectiveFacts::Command(CommandFacts {
        command: Program::Line(line.into()),
        metric: "auc".into(),
        weights: None,
        horizon: 1,
        part: None,
    })
}

fn trials(store: &dyn Store, label: &str) -> Vec<FrozenTrial> {
    let study = store.study(&format!("test/{label}")).unwrap().expect("the study was made");
    store.trials(study.id).unwrap()
}

fn value_of(trial: &TrialSpec) -> f64 {
    (trial.seed % 1000) as f64 / 1000.0
}

#[test]
fn every_study_gets_exactly_its_trials_and_all_are_distinct() {
    let (ladder, store) = (read(LADDER), SqliteStore::in_memory().unwrap());
    let (summary, events) = go(&ladder, &store, 4, &Interrupt::default(), &|t, _| Ok(value_of(t))).unwrap();
    assert!(summary.studies.iter().all(|s| s.reason == StopReason::TrialsReached && s.complete == 6));
    for label in ["a", "b"] {
        let trials = trials(&store, label);
        let distinct: BTreeSet<String> = trials.iter().map(|t| t.params.to_string()).collect();
        assert_eq!((trials.len(), distinct.len()), (6, 6));
        for trial in &trials {
            assert_eq!(trial.state, TrialState::Complete);
            assert_eq!(trial.intermediate.len(), 3);
            assert_eq!(
                trial.record.size.map(|s| s.total as i64),
                trial.params.get("d_model").unwrap().as_i64()
            );
            assert!(trial.record.origin.is_some() && trial.record.seed.is_some());
        }
    }
    let finished = events.iter().filter(|e| matches!(e, StudyEvent::TrialFinished { .. })).count();
    let epochs = events.iter().filter(|e| matches!(e, StudyEvent::EpochFinished { .. })).count();
    assert_eq!((finished, epochs), (12, 36));
}

#[test]
fn the_number_of_workers_changes_no_trial() {
    let results = |workers| {
        let (ladder, store) = (read(LADDER), SqliteStore::in_memory().unwrap());
        go(&ladder, &store, workers, &Interrupt::default(), &|t, _| Ok(value_of(t))).unwrap();
        let mut results: Vec<(String, Option<f64>)> =
            trials(&store, "b").iter().map(|t| (t.params.to_string(), t.value())).collect();
        results.sort_by(|a, b| a.0.cmp(&b.0));
        results
    };
    assert_eq!(results(1), results(5));
}

#[test]
fn a_space_smaller_than_the_trials_ends_the_study() {
    let ladder = read(&LADDER.replace("trials = 6", "trials = 60"));
    let store = SqliteStore::in_memory().unwrap();
    let (summary, _) = go(&ladder, &store, 3, &Interrupt::default(), &|t, _| Ok(value_of(t))).unwrap();
    assert!(summary.any(StopReason::SpaceExhausted));
    assert_eq!(trials(&store, "a").len(), 12, "3 widths x 2 depths x 2 head counts, all of which divide");
}

#[test]
fn failures_and_panics_are_data_until_there_are_too_many() {
    let ladder = read(&LADDER.replace("trials = 6", "trials = 11"));
    let store = SqliteStore::in_memory().unwrap();
    let failing = |_: &TrialSpec, evaluation: u64| match evaluation {
        1 => panic!("out of patience"),
        2 => Ok(f64::NAN),
        3 => Err(ObjectiveError::Failed(Failure { reason: "diverged".into(), detail: "step 7".into() })),
        _ => Ok(0.5),
    };
    let (summary, _) = go(&ladder, &store, 1, &Interrupt::default(), &failing).unwrap();
    assert_eq!((summary.studies[0].failed, summary.studies[0].reason), (3, StopReason::SpaceExhausted));
    let reasons: Vec<(String, String)> = trials(&store, "a")
        .into_iter()
        .filter(|t| t.state == TrialState::Failed)
        .map(|t| t.record.failure.map(|f| (f.reason, f.detail)).unwrap())
        .collect();
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    assert_eq!(
        reasons,
        [
            pair("the objective panicked", "out of patience"),
            pair("the objective's value is not a number", ""),
            pair("diverged", "step 7")
        ]
    );

    let store = SqliteStore::in_memory().unwrap();
    let always = |_: &TrialSpec, _: u64| -> Result<f64, ObjectiveError> {
        Err(ObjectiveError::Failed(Failure { reason: "no".into(), detail: String::new() }))
    };
    let (summary, _) = go(&ladder, &store, 2, &Interrupt::default(), &always).unwrap();
    assert!(summary.studies.iter().all(|s| s.reason == StopReason::FailureLimit && s.complete == 0));
    assert!((10..=11).contains(&summary.studies[0].failed), "{:?}", summary.studies);

    // After the cause is fixed, the same command continues with the rest of twelve configurations.
    let (summary, _) = go(&ladder, &store, 2, &Interrupt::default(), &|t, _| Ok(value_of(t))).unwrap();
    for one in &summary.studies {
        assert_eq!((one.complete + one.failed, one.reason), (12, StopReason::SpaceExhausted), "{one:?}");
        assert!(one.complete > 0, "{one:?}");
    }
}

#[test]
fn an_interrupted_run_resumes_with_the_same_results() {
    let ladder = read(LADDER);
    let uninterrupted = SqliteStore::in_memory().unwrap();
    go(&ladder, &uninterrupted, 1, &Interrupt::default(), &|t, _| Ok(value_of(t))).unwrap();

    let store = SqliteStore::in_memory().unwrap();
    let interrupt = Interrupt::default();
    let stopping = |t: &TrialSpec, evaluation: u64| {
        if evaluation == 3 {
            interrupt.ask();
            return Err(ObjectiveError::Interrupted);
        }
        Ok(value_of(t))
    };
    let (summary, _) = go(&ladder, &store, 1, &interrupt, &stopping).unwrap();
    assert!(summary.studies.iter().all(|s| s.reason == StopReason::Interrupted));
    assert_eq!(interrupt.exit_code(), 130);
    go(&ladder, &store, 1, &Interrupt::default(), &|t, _| Ok(value_of(t))).unwrap();

    let complete = |store: &dyn Store| -> BTreeMap<String, Option<f64>> {
        let trials = trials(store, "a").into_iter().filter(|t| t.state == TrialState::Complete);
        trials.map(|t| (t.params.to_string(), t.value())).collect()
    };
    assert_eq!(complete(&store), complete(&uninterrupted));
    let retry =
        trials(&store, "a").into_iter().find(|t| t.record.retry_of.is_some()).expect("a trial was repeated");
    assert_eq!(retry.record.retry_of.unwrap().0, 3);
    assert_eq!(retry.record.seed, trials(&store, "a")[3].record.seed);
}

#[test]
fn pruned_trials_count_with_their_last_value_and_exempt_trials_are_not_pruned() {
    let ladder = read(&format!(
        "{}[pruner]\nkind = \"threshold\"\nlower = 0.25\nn_warmup_steps = 2\ncomplete_share = 0.0\n",
        LADDER.replace("trials = 6", "trials = 10")
    ));
    let store = SqliteStore::in_memory().unwrap();
    let (summary, events) = go(&ladder, &store, 3, &Interrupt::default(), &|t, _| Ok(value_of(t))).unwrap();
    for (label, study) in ["a", "b"].iter().zip(&summary.studies) {
        assert_eq!((study.reason, study.complete + study.pruned), (StopReason::TrialsReached, 10));
        assert!(study.pruned > 0 && study.complete > 0, "{study:?}");
        for trial in trials(&store, label) {
            if trial.record.exempt {
                assert_eq!((trial.state, trial.record.origin), (TrialState::Complete, Some(Origin::Probe)));
                continue;
            }
            assert_eq!(
                (trial.state, trial.value()),
                (TrialState::Pruned, Some(0.2)),
                "stopped at the second epoch"
            );
            assert_eq!(trial.intermediate.len(), 2);
            assert_eq!(trial.record.early_stop, Some(EarlyStop::Pruned));
            assert_eq!(trial.record.metrics["pred_max"], 0.5);
        }
    }
    let pruned =
        |e: &&StudyEvent| matches!(e, StudyEvent::TrialFinished { early_stop: Some(_), value: Some(_), .. });
    assert_eq!(
        events.iter().filter(pruned).count() as u64,
        summary.studies.iter().map(|s| s.pruned).sum::<u64>()
    );
    let (_, events) = go(&ladder, &store, 1, &Interrupt::default(), &|t, _| Ok(value_of(t))).unwrap();
    assert!(!events.iter().any(|e| matches!(e, StudyEvent::TrialStarted { .. })), "all trials are done");
}

/// A sampler whose expected gain halves with every trial.
struct Saturating(Box<dyn Sampler>, f64);

impl Sampler for Saturating {
    fn suggest(&mut self, view: &StudyView<'_>, rng: &mut TrialRng) -> Result<Suggestion, SampleError> {
        self.1 = 0.5_f64.powi(view.len() as i32);
        self.0.suggest(view, rng)
    }

    fn expected_gain(&self) -> Option<f64> {
        Some(self.1)
    }
}

#[test]
fn a_study_ends_where_another_trial_is_expected_to_gain_too_little() {
    let ladder = read(&format!("{LADDER}[stop]\nexpected_gain = 0.1\n"));
    let store = SqliteStore::in_memory().unwrap();
    let objective = Scripted { evaluations: AtomicU64::new(0), behaviour: &|t, _| Ok(value_of(t)) };
    let spec = ladder.budgets[0].clone();
    let feasible = Arc::new(Feasible::new(&spec.space, &spec.budget, |_| None).unwrap());
    let random = SamplerSpec { probes: false, ..SamplerSpec::new(SamplerKind::Random) };
    let sampler = Box::new(Saturating(
        allometry_search::build_sampler(&[Direction::Maximize], random, Arc::clone(&feasible), 1).unwrap(),
        1.0,
    ));
    let facts = LadderFacts::new(command("train"));
    let studies =
        open_studies(&store, &ladder, vec![(spec, feasible, sampler)], &facts, ChangedSpace::Refuse).unwrap();
    let (sender, _receiver) = channel();
    let options = RunOptions {
        workers: 1,
        deadline: None,
        seed: 1,
        steps: None,
        unit: "epoch",
        length: None,
        lease: RunOptions::LEASE,
        retries: 0,
    };
    let summary = run(studies, &store, &objective, &options, &Interrupt::default(), &sender).unwrap();
    let reason = StopReason::ExpectedGain { gain: 0.0625, least: 0.1 };
    assert_eq!((summary.studies[0].reason, summary.studies[0].complete), (reason, 4));
    assert_eq!(store.study("test/a").unwrap().unwrap().facts.ended, Some(reason));
}

#[test]
fn a_collapsed_trial_is_marked_as_such() {
    let ladder = read(&format!(
        "{}[pruner]\nkind = \"collapse\"\ncollapse = 2\ncomplete_share = 0.3\n",
        LADDER.replace("trials = 6", "trials = 12")
    ));
    let store = SqliteStore::in_memory().unwrap();
    go(&ladder, &store, 2, &Interrupt::default(), &|t, _| Ok(value_of(t))).unwrap();
    let stopped = |t: &FrozenTrial| t.record.early_stop;
    let trials = trials(&store, "a");
    assert!(trials.iter().any(|t| stopped(t) == Some(EarlyStop::Collapsed)));
    assert!(trials.iter().all(|t| (stopped(t).is_some() != t.record.exempt)
        && (stopped(t).is_none() || (t.state, t.intermediate.len()) == (TrialState::Pruned, 2))));
}

#[test]
fn a_trial_that_training_found_collapsed_is_marked_without_a_pruner() {
    let ladder = read(LADDER);
    let store = SqliteStore::in_memory().unwrap();
    go(&ladder, &store, 2, &Interrupt::default(), &|t, n| match n % 3 {
        0 => Err(ObjectiveError::Collapsed(CollapsedTo::Elsewhere)),
        _ => Ok(value_of(t)),
    })
    .unwrap();
    let trials = trials(&store, "a");
    let marked: Vec<&FrozenTrial> = trials.iter().filter(|t| t.record.early_stop.is_some()).collect();
    assert!(!marked.is_empty() && marked.len() < trials.len());
    for trial in marked {
        assert_eq!((trial.state, trial.record.early_stop), (TrialState::Pruned, Some(EarlyStop::Collapsed)));
        assert_eq!(trial.record.collapsed_to, Some(CollapsedTo::Elsewhere));
        assert_eq!(trial.record.metrics["pred_max"], 0.5, "those of its last epoch");
    }
}

#[test]
fn a_study_of_a_living_process_is_shared_and_that_of_a_dead_one_recovered() {
    let ladder = read(LADDER);
    let store = SqliteStore::in_memory().unwrap();
    go(&ladder, &store, 1, &Interrupt::default(), &|t, _| Ok(value_of(t))).unwrap();
    let more = read(&LADDER.replace("trials = 6", "trials = 8"));
    let study = store.study("test/a").unwrap().unwrap();
    let new = trials(&store, "a")[0].clone();
    let params: Params = [("d_model", 4i64), ("n_layers", 1), ("n_heads", 1)].into_iter().collect();
    let start = |owner: &Owner| {
        let trial = allometry_store::NewTrial {
            start: Start::Running(owner),
            params: &params,
            space: &ladder.budgets[0].space,
            record: &new.record,
        };
        store.create_trial(study.id, &trial).unwrap();
    };
    let dead =
        Owner { process_start: format!("{}0", Owner::this_process().process_start), ..Owner::this_process() };
    start(&dead);
    let (_, events) = go(&more, &store, 1, &Interrupt::default(), &|t, _| Ok(value_of(t))).unwrap();
    assert!(
        events.iter().any(|e| matches!(e, StudyEvent::TrialsRecovered { numbers, .. } if numbers.len() == 1))
    );
    let lost = trials(&store, "a").len() as u64;
    start(&Owner { host: "elsewhere".into(), ..Owner::this_process() });
    let more = read(&LADDER.replace("trials = 6", "trials = 9"));
    let (_, events) = go(&more, &store, 2, &Interrupt::default(), &|t, _| Ok(value_of(t))).unwrap();
    assert!(events.iter().any(|e| matches!(e, StudyEvent::StudyShared { budget } if budget == "a")));
    let recovered = |event: &StudyEvent| match event {
        StudyEvent::TrialsRecovered { numbers, .. } => numbers == &[TrialNumber(lost)],
        _ => false,
    };
    assert!(events.iter().any(recovered), "its lease expires: {events:?}");
    let all = trials(&store, "a");
    let valued: Vec<_> = all.iter().filter(|t| t.state == TrialState::Complete).collect();
    assert_eq!(valued.len(), 9);
    assert!(valued.iter().any(|t| t.record.retry_of == Some(TrialNumber(lost)) && t.params == params));
}

#[test]
fn a_trial_that_keeps_losing_its_process_is_given_up() {
    let ladder = read(&LADDER.replace("trials = 6", "trials = 1"));
    let store = SqliteStore::in_memory().unwrap();
    let interrupt = Interrupt::default();
    go(&ladder, &store, 1, &interrupt, &|t, _| Ok(value_of(t))).unwrap();
    let study = store.study("test/a").unwrap().unwrap();
    let dead =
        Owner { process_start: format!("{}0", Owner::this_process().process_start), ..Owner::this_process() };
    let params: Params = [("d_model", 12i64), ("n_layers", 2), ("n_heads", 1)].into_iter().collect();
    for attempt in 0..=RunOptions::RETRIES {
        let record =
            TrialRecord { retry_of: (attempt > 0).then_some(TrialNumber(1)), ..TrialRecord::default() };
        let trial = allometry_store::NewTrial {
            start: Start::Running(&dead),
            params: &params,
            space: &ladder.budgets[0].space,
            record: &record,
        };
        store.create_trial(study.id, &trial).unwrap();
    }
    let more = read(&LADDER.replace("trials = 6", "trials = 3"));
    go(&more, &store, 1, &interrupt, &|t, _| Ok(value_of(t))).unwrap();
    let all = trials(&store, "a");
    assert_eq!(all.iter().filter(|t| t.state == TrialState::Complete).count(), 3);
    assert_eq!(all.iter().filter(|t| t.record.retry_of.is_some()).count() as u64, RunOptions::RETRIES);
}

#[test]
fn a_result_after_the_lease_has_expired_is_rejected() {
    let ladder = read(&LADDER.replace("trials = 6", "trials = 2"));
    let store = SqliteStore::in_memory().unwrap();
    // Another process takes this one for dead and fails the first trial during its evaluation.
    let behaviour = |trial: &TrialSpec, _: u64| {
        let study = store.study("test/a").unwrap().unwrap();
        let running = store.running(study.id).unwrap();
        if let Some(first) = running.iter().find(|r| r.handle.number == TrialNumber(0)) {
            let failure = Failure { reason: "interrupted".into(), detail: String::new() };
            let record =
                TrialRecord { failure: Some(failure), seed: Some(trial.seed), ..TrialRecord::default() };
            let finished = Finished { record, ..Finished::default() };
            store.finish(first.handle.id, FinishedState::Failed, &finished).unwrap();
        }
        Ok(value_of(trial))
    };
    let (summary, events) = go(&ladder, &store, 1, &Interrupt::default(), &behaviour).unwrap();
    assert!(summary.studies.iter().all(|s| s.complete == 2));
    assert!(
        events.iter().any(|e| matches!(e, StudyEvent::TrialLost { number, .. } if *number == TrialNumber(0)))
    );
    let all = trials(&store, "a");
    assert_eq!((all[0].state, all[0].value()), (TrialState::Failed, None));
    assert_eq!(all[1].record.retry_of, Some(TrialNumber(0)));
    assert_eq!((&all[1].params, all[1].record.seed), (&all[0].params, all[0].record.seed));
}

#[test]
fn another_objective_under_the_same_name_is_rejected() {
    let store = SqliteStore::in_memory().unwrap();
    go(&read(LADDER), &store, 1, &Interrupt::default(), &|t, _| Ok(value_of(t))).unwrap();
    let wider = read(&LADDER.replace("[4, 8, 12]", "[4, 8, 16]"));
    let error = go(&wider, &store, 1, &Interrupt::default(), &|t, _| Ok(value_of(t))).unwrap_err();
    assert!(matches!(&error, RunError::SpaceChanged { changes, .. } if changes.len() == 1), "{error}");
    let longer = read(&LADDER.replace("context = 8", "context = 12"));
    let error = go(&longer, &store, 1, &Interrupt::default(), &|t, _| Ok(value_of(t))).unwrap_err();
    assert!(error.to_string().contains(r#"command: was "train --context 8""#), "{error}");
}
