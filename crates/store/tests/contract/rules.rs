//! Rules of the trait, one function each, run for every store.

use std::time::Duration;

use allometry_core::{
    Constraints, Direction, Distribution, FrozenTrial, Params, TrialNumber, TrialRecord, TrialState,
};
use allometry_store::facts::{BaselineFacts, Fact, StudyFacts};
use allometry_store::{
    ErrorKind, Finished, FinishedState, LateResult, Liveness, NewStudy, NewTrial, Owner, PostgresStore,
    SqliteStore, Start, Store, StoreError, StudyId, TrialId,
};
use allometry_testkit::Cluster;

use crate::support::{epoch, outputs, params, record, scores, space, start, study};

/// Runs each rule on a new store of each kind; for databases also with a second connection as the reader.
macro_rules! rules {
    ($($rule:ident),* $(,)?) => {
        mod in_memory {
            $(#[test]
            fn $rule() {
                let store = super::SqliteStore::in_memory().unwrap();
                super::$rule(&store, &store);
            })*
        }
        mod sqlite {
            $(#[test]
            fn $rule() {
                let folder = tempfile::tempdir().unwrap();
                let path = folder.path().join("a b%20?.db");
                let store = super::SqliteStore::open(path.to_str().unwrap()).unwrap();
                super::$rule(&store, &store);
            })*
        }
        mod sqlite_read_by_another {
            $(#[test]
            fn $rule() {
                let folder = tempfile::tempdir().unwrap();
                let path = folder.path().join("x.db");
                let url = format!("sqlite:///{}", path.display());
                let store = super::SqliteStore::open(&url).unwrap();
                let reader = super::SqliteStore::open_read_only(&url).unwrap();
                super::$rule(&store, &reader);
            })*
        }
        mod postgres {
            $(#[test]
            fn $rule() {
                let test = concat!("postgres::", stringify!($rule));
                let Some(cluster) = super::Cluster::shared(test) else { return };
                let store = super::PostgresStore::open(&cluster.database()).unwrap();
                super::$rule(&store, &store);
            })*
        }
        mod postgres_read_by_another {
            $(#[test]
            fn $rule() {
                let test = concat!("postgres_read_by_another::", stringify!($rule));
                let Some(cluster) = super::Cluster::shared(test) else { return };
                let url = cluster.database();
                let store = super::PostgresStore::open(&url).unwrap();
                let reader = super::PostgresStore::open_read_only(&url).unwrap();
                super::$rule(&store, &reader);
            })*
        }
    };
}

rules!(
    a_study_reads_back,
    a_trial_reads_back,
    an_unfinished_trial_reads_back,
    numbers_belong_to_a_study,
    only_running_trials_are_written,
    a_complete_trial_needs_a_value,
    several_objectives_read_back,
    a_pruned_trial_takes_its_last_value,
    steps_may_be_reported_again,
    waiting_trials_are_claimed_once_in_order,
    asked_trials_belong_to_no_process_and_are_made_at_their_number,
    parameters_must_fit_their_space,
    a_parameter_keeps_its_kind,
    running_trials_name_their_process,
    readers_ask_for_what_is_new,
    what_is_told_late_lies_beside_the_trial,
    unknown_things_are_not_found,
);

fn a_study_reads_back(store: &dyn Store, reader: &dyn Store) {
    assert_eq!(reader.studies().unwrap(), []);
    let id = store.create_study(&study("ladder/2M")).unwrap();
    let baseline = |value| {
        let metrics = [("auc".to_owned(), 1e-5)].into_iter().collect();
        vec![BaselineFacts { name: "prior".into(), description: "caf\u{e9}".into(), value, metrics }]
    };
    store.set_facts(id, &[Fact::Baselines(baseline(None))]).unwrap();
    store.set_facts(id, &[Fact::Baselines(baseline(Some(0.5))), Fact::TargetTrials(50)]).unwrap();
    let other = store.create_study(&NewStudy { name: String::new(), ..NewStudy::default() }).unwrap();

    let found = reader.study("ladder/2M").unwrap().unwrap();
    let told = study("ladder/2M");
    assert_eq!((found.id, &found.directions), (id, &told.directions));
    assert_eq!(found.space.as_ref(), Some(&told.space));
    let order =
        |space: &allometry_core::SearchSpace| space.iter().map(|(n, _)| n.to_owned()).collect::<Vec<_>>();
    assert_eq!(order(found.space.as_ref().unwrap()), order(&told.space));
    let [Fact::Ladder(place), Fact::Validation(counts)] = &told.facts[..] else {
        panic!("two facts are told")
    };
    let facts = StudyFacts {
        ladder: Some(place.clone()),
        validation: Some(*counts),
        baselines: baseline(Some(0.5)),
        target_trials: Some(50),
        ..StudyFacts::default()
    };
    assert_eq!((&found.facts, &found.unreadable), (&facts, &None));
    assert!(found.user_attributes.is_empty() && found.system_attributes.is_empty());
    assert_eq!(reader.studies().unwrap().iter().map(|s| s.id).collect::<Vec<_>>(), [id, other]);
    assert_eq!(reader.study("").unwrap().unwrap().id, other);
    assert_eq!(reader.study("ladder").unwrap(), None);

    let again = store.create_study(&study("ladder/2M")).unwrap_err();
    assert!(matches!(&again, StoreError::NameTaken { name } if name == "ladder/2M"));
    assert_eq!(again.kind(), ErrorKind::Conflict);
}

fn constraints() -> Constraints {
    let named = [("ms".to_owned(), f64::INFINITY), ("a:b".to_owned(), -1e-5)].into_iter().collect();
    Constraints { listed: vec![0.0, -2.5], named }
}

fn a_trial_reads_back(store: &dyn Store, reader: &dyn Store) {
    let id = store.create_study(&study("s")).unwrap();
    let before = jiff::Timestamp::now();
    let trial = start(store, id, &params());
    store.report(trial.id, &[epoch(1, f64::NAN, 0.7), epoch(2, f64::INFINITY, f64::NAN)]).unwrap();
    let mut plain = epoch(3, 0.5, 0.0);
    plain.metrics.clear();
    let finished = Finished {
        values: vec![0.1 + 0.2],
        constraints: constraints(),
        reports: vec![plain, epoch(4, f64::NEG_INFINITY, f64::INFINITY)],
        record: record(),
        predictions: Some(scores().into()),
        log: Some("said 'so'\n\u{e4}\u{1f600}\t\u{7}".into()),
    };
    assert_eq!(store.finish(trial.id, FinishedState::Complete, &finished).unwrap(), TrialState::Complete);

    let trials = reader.trials(id).unwrap();
    let [found] = trials.as_slice() else { panic!("one trial") };
    assert_eq!(
        (found.number, found.state, found.value()),
        (trial.number, TrialState::Complete, Some(0.1 + 0.2))
    );
    // Integers and floats are equal as values; their text distinguishes them.
    assert_eq!(found.params.to_string(), params().to_string());
    for (name, set) in &found.distributions {
        assert_eq!(Some(set), space().get(name));
    }
    assert_eq!(found.distributions.len(), 6);
    assert_eq!(found.intermediate.len(), 4);
    assert!(found.intermediate[&1].is_nan());
    assert_eq!(found.intermediate[&2], f64::INFINITY);
    assert_eq!(found.intermediate[&3], 0.5);
    assert_eq!(found.intermediate[&4], f64::NEG_INFINITY);
    let (started, completed) = (found.started.unwrap(), found.completed.unwrap());
    let now = jiff::Timestamp::now();
    assert!(before.as_microsecond() <= started.as_microsecond() && started <= completed && completed <= now);
    assert_eq!(started.as_nanosecond() % 1000, 0);
    assert!(found.user_attributes.is_empty());
    assert_eq!((found.constraints(), found.is_feasible()), (constraints(), false));

    let TrialRecord { metrics, .. } = &found.record;
    assert!(metrics["precision"].is_nan());
    assert_eq!((metrics["log_loss"], metrics["worst"]), (0.1 + 0.2, f64::NEG_INFINITY));
    let without_metrics =
        |r: &TrialRecord| TrialRecord { metrics: std::collections::BTreeMap::new(), ..r.clone() };
    assert_eq!(without_metrics(&found.record), without_metrics(&record()));

    assert_eq!(reader.log(id, trial.number).unwrap(), finished.log);
    assert_eq!(reader.predictions(id, trial.number).unwrap(), Some(scores().into()));
    for outputs in [outputs(1), outputs(3)] {
        let trial = start(store, id, &params());
        let finished =
            Finished { values: vec![0.5], predictions: Some(outputs.clone().into()), ..Finished::default() };
        store.finish(trial.id, FinishedState::Complete, &finished).unwrap();
        assert_eq!(reader.predictions(id, trial.number).unwrap(), Some(outputs.into()));
    }
    let metrics = reader.epoch_metrics(id, trial.number).unwrap();
    assert_eq!(metrics.keys().collect::<Vec<_>>(), [&1, &2, &4]);
    assert_eq!((metrics[&1]["loss"], metrics[&4]["loss"]), (0.7, f64::INFINITY));
    assert!(metrics[&2]["loss"].is_nan());
}

fn an_unfinished_trial_reads_back(store: &dyn Store, reader: &dyn Store) {
    let id = store.create_study(&study("s")).unwrap();
    let mut some = Params::default();
    some.insert("n_layers", 4.0);
    some.insert("dropout", 0i64);
    let trial = start(store, id, &some);
    store.report(trial.id, &[]).unwrap();
    store.report(trial.id, &[epoch(1, 0.5, 0.1)]).unwrap();
    let found = &reader.trials(id).unwrap()[0];
    assert_eq!((found.state, found.value(), found.completed), (TrialState::Running, None, None));
    assert_eq!(
        found.params.to_string(),
        "n_layers=4 dropout=0.0",
        "values take the kind of their distribution"
    );
    assert_eq!(found.intermediate[&1], 0.5);
    assert_eq!(found.record, TrialRecord::default());
    assert_eq!(reader.predictions(id, trial.number).unwrap(), None);
}

fn numbers_belong_to_a_study(store: &dyn Store, reader: &dyn Store) {
    let a = store.create_study(&study("a")).unwrap();
    let b = store.create_study(&study("b")).unwrap();
    let numbers: Vec<u64> = [a, b, a, a, b].map(|id| start(store, id, &params()).number.0).into();
    assert_eq!(numbers, [0, 0, 1, 2, 1]);
    let listed = |id| reader.trials(id).unwrap().iter().map(|t: &FrozenTrial| t.number.0).collect::<Vec<_>>();
    assert_eq!(listed(a), [0, 1, 2]);
    assert_eq!(listed(b), [0, 1]);
}

fn only_running_trials_are_written(store: &dyn Store, reader: &dyn Store) {
    let id = store.create_study(&study("s")).unwrap();
    let trial = start(store, id, &params());
    let finished = Finished { values: vec![0.7], record: record(), ..Finished::default() };
    store.finish(trial.id, FinishedState::Complete, &finished).unwrap();
    let before = reader.trials(id).unwrap();

    let refused = |result: Result<(), StoreError>, expected: TrialState| {
        let error = result.unwrap_err();
        assert!(matches!(error, StoreError::NotRunning { number: 0, state } if state == expected));
        assert_eq!(error.kind(), ErrorKind::Conflict);
    };
    let late = Finished { values: vec![0.9], reports: vec![epoch(1, 0.9, 0.1)], ..Finished::default() };
    refused(store.finish(trial.id, FinishedState::Complete, &late).map(|_| ()), TrialState::Complete);
    refused(store.finish(trial.id, FinishedState::Failed, &late).map(|_| ()), TrialState::Complete);
    refused(store.report(trial.id, &late.reports), TrialState::Complete);
    store.heartbeat(&[trial.id]).unwrap();
    // NaN among the metrics makes records unequal; their text is equal.
    assert_eq!(format!("{:?}", reader.trials(id).unwrap()), format!("{before:?}"));

    let other = store.create_study(&study("waiting")).unwrap();
    let waiting = wait(store, other, &params());
    refused(store.report(waiting, &late.reports), TrialState::Waiting);
}

fn a_complete_trial_needs_a_value(store: &dyn Store, reader: &dyn Store) {
    let id = store.create_study(&study("s")).unwrap();
    for (state, value) in [
        (FinishedState::Complete, None),
        (FinishedState::Complete, Some(f64::NAN)),
        (FinishedState::Failed, Some(0.5)),
    ] {
        let trial = start(store, id, &params());
        let finished = Finished { values: value.into_iter().collect(), ..Finished::default() };
        assert_eq!(store.finish(trial.id, state, &finished).unwrap(), TrialState::Failed);
    }
    for value in [f64::INFINITY, f64::NEG_INFINITY, -0.0] {
        let trial = start(store, id, &params());
        let finished = Finished { values: vec![value], ..Finished::default() };
        assert_eq!(store.finish(trial.id, FinishedState::Complete, &finished).unwrap(), TrialState::Complete);
    }
    let values: Vec<Option<f64>> = reader.trials(id).unwrap().iter().map(FrozenTrial::value).collect();
    assert_eq!(values, [None, None, None, Some(f64::INFINITY), Some(f64::NEG_INFINITY), Some(0.0)]);
}

fn several_objectives_read_back(store: &dyn Store, reader: &dyn Store) {
    let names = vec!["auc".to_owned(), "l\u{e4}tency".to_owned(), "weights".to_owned()];
    let directions = vec![Direction::Maximize, Direction::Minimize, Direction::Maximize];
    let new = NewStudy { directions: directions.clone(), metric_names: names.clone(), ..study("three") };
    let id = store.create_study(&new).unwrap();
    let record = reader.study("three").unwrap().unwrap();
    assert_eq!(record.directions, directions);
    assert_eq!(record.metric_names(), Some(names));
    let end = |state, values: &[f64]| {
        let trial = start(store, id, &params());
        let (values, reports) = (values.to_vec(), vec![epoch(1, 0.25, 0.1)]);
        let finished = Finished { values, reports, ..Finished::default() };
        store.finish(trial.id, state, &finished).unwrap()
    };
    assert_eq!(end(FinishedState::Complete, &[0.5, f64::INFINITY, 0.1 + 0.2]), TrialState::Complete);
    assert_eq!(end(FinishedState::Complete, &[0.5, 1.0, f64::NAN]), TrialState::Failed);
    assert_eq!(end(FinishedState::Complete, &[f64::NAN, 1.0, 2.0]), TrialState::Failed);
    assert_eq!(end(FinishedState::Failed, &[0.5, 1.0, 2.0]), TrialState::Failed);
    assert_eq!(end(FinishedState::Pruned, &[0.5, 1.0, 2.0]), TrialState::Pruned);
    let values: Vec<Vec<f64>> = reader.trials(id).unwrap().iter().map(|trial| trial.values.clone()).collect();
    assert_eq!(values, [vec![0.5, f64::INFINITY, 0.1 + 0.2], vec![], vec![], vec![], vec![0.25]]);
}

fn a_pruned_trial_takes_its_last_value(store: &dyn Store, reader: &dyn Store) {
    let id = store.create_study(&study("s")).unwrap();
    for (reports, expected) in [
        (vec![], None),
        (vec![epoch(1, 0.6, 0.1), epoch(2, 0.5, 0.1)], Some(0.5)),
        (vec![epoch(1, 0.6, 0.1), epoch(2, f64::NAN, 0.1)], None),
        (vec![epoch(9, 0.9, 0.1), epoch(2, 0.2, 0.1)], Some(0.9)),
        (vec![epoch(1, f64::INFINITY, 0.1)], Some(f64::INFINITY)),
    ] {
        let trial = start(store, id, &params());
        let split = reports.len() / 2;
        store.report(trial.id, &reports[..split]).unwrap();
        let finished =
            Finished { values: vec![123.0], reports: reports[split..].to_vec(), ..Finished::default() };
        assert_eq!(store.finish(trial.id, FinishedState::Pruned, &finished).unwrap(), TrialState::Pruned);
        assert_eq!(reader.trials_from(id, trial.number).unwrap()[0].value(), expected);
    }
}

fn steps_may_be_reported_again(store: &dyn Store, reader: &dyn Store) {
    let id = store.create_study(&study("s")).unwrap();
    let trial = start(store, id, &params());
    store.report(trial.id, &[epoch(1, 0.5, 0.1), epoch(2, f64::NAN, 0.2)]).unwrap();
    let finished = Finished { values: vec![0.5], reports: vec![epoch(2, 0.7, 0.3)], ..Finished::default() };
    store.finish(trial.id, FinishedState::Complete, &finished).unwrap();
    let found = &reader.trials(id).unwrap()[0];
    assert_eq!(found.intermediate.iter().map(|(s, v)| (*s, *v)).collect::<Vec<_>>(), [(1, 0.5), (2, 0.7)]);
    assert_eq!(reader.epoch_metrics(id, trial.number).unwrap()[&2]["loss"], 0.3);
}

fn wait(store: &dyn Store, study: StudyId, params: &Params) -> TrialId {
    let record = TrialRecord { retry_of: Some(TrialNumber(0)), ..TrialRecord::default() };
    let new = NewTrial { start: Start::Waiting, params, space: &space(), record: &record };
    store.create_trial(study, &new).unwrap().id
}

fn waiting_trials_are_claimed_once_in_order(store: &dyn Store, reader: &dyn Store) {
    let id = store.create_study(&study("s")).unwrap();
    let owner = Owner::this_process();
    assert!(store.claim_waiting(id, Some(&owner)).unwrap().is_none());
    start(store, id, &params());
    let (first, second) = (wait(store, id, &params()), wait(store, id, &params()));
    let waiting = &reader.trials(id).unwrap()[1];
    assert_eq!((waiting.state, waiting.started), (TrialState::Waiting, None));
    assert_eq!(waiting.params.to_string(), params().to_string());
    assert_eq!(reader.running(id).unwrap().len(), 1);

    let (handle, trial) = store.claim_waiting(id, Some(&owner)).unwrap().unwrap();
    assert_eq!((handle.id, handle.number, trial.number), (first, TrialNumber(1), TrialNumber(1)));
    assert_eq!(trial.state, TrialState::Running);
    assert_eq!(trial.params.to_string(), params().to_string());
    assert_eq!(trial.record.retry_of, Some(TrialNumber(0)));
    assert!(trial.started.is_some());
    assert_eq!(reader.trials(id).unwrap()[1], trial);
    assert_eq!(store.claim_waiting(id, Some(&owner)).unwrap().unwrap().0.id, second);
    assert!(store.claim_waiting(id, Some(&owner)).unwrap().is_none());
    let finished = Finished { values: vec![0.5], ..Finished::default() };
    store.finish(first, FinishedState::Complete, &finished).unwrap();
}

fn asked_trials_belong_to_no_process_and_are_made_at_their_number(store: &dyn Store, reader: &dyn Store) {
    let id = store.create_study(&study("s")).unwrap();
    let record = TrialRecord::default();
    let few: Params = params().0.into_iter().take(2).collect();
    let new = NewTrial { start: Start::Asked, params: &few, space: &space(), record: &record };
    assert_eq!(store.create_trial_at(id, &new, TrialNumber(1)).unwrap(), None);
    let handle = store.create_trial_at(id, &new, TrialNumber(0)).unwrap().unwrap();
    assert_eq!(store.create_trial_at(id, &new, TrialNumber(0)).unwrap(), None);
    let running = &reader.running(id).unwrap()[0];
    assert_eq!((running.handle, &running.owner, running.heartbeat_age), (handle, &None, None));

    let mut all = params();
    all.insert("d_model", 64i64);
    let seeded = TrialRecord { seed: Some(7), ..TrialRecord::default() };
    store.complete_params(handle.id, &all, &space(), &seeded).unwrap();
    let trial = &reader.trials(id).unwrap()[0];
    assert_eq!(trial.params.0.len(), 6);
    assert_eq!(trial.params.get("d_model"), Some(&48i64.into()), "what it had stays");
    assert!(trial.started.is_some());
    assert_eq!(trial.record, seeded);

    wait(store, id, &params());
    let (claimed, _) = store.claim_waiting(id, None).unwrap().unwrap();
    assert_eq!(reader.running(id).unwrap()[1].owner, None);
    let finished = Finished { values: vec![0.5], ..Finished::default() };
    store.finish(claimed.id, FinishedState::Complete, &finished).unwrap();
    assert!(store.complete_params(claimed.id, &all, &space(), &seeded).is_err());
}

fn parameters_must_fit_their_space(store: &dyn Store, reader: &dyn Store) {
    let id = store.create_study(&study("s")).unwrap();
    let (owner, record) = (Owner::this_process(), TrialRecord::default());
    let refused = |params: Params| {
        let new =
            NewTrial { start: Start::Running(&owner), params: &params, space: &space(), record: &record };
        store.create_trial(id, &new).unwrap_err().to_string()
    };
    assert_eq!(refused([("batch", 3i64)].into_iter().collect()), "the search space has no parameter `batch`");
    assert_eq!(refused([("d_model", 50i64)].into_iter().collect()), "parameter `d_model` cannot be 50");
    assert_eq!(refused([("n_layers", 2.5)].into_iter().collect()), "parameter `n_layers` cannot be 2.5");
    assert_eq!(refused([("dropout", f64::NAN)].into_iter().collect()), "parameter `dropout` cannot be nan");
    assert_eq!(reader.trials(id).unwrap(), [], "a refused trial leaves nothing");
    assert_eq!(start(store, id, &params()).number, TrialNumber(0));
}

fn a_parameter_keeps_its_kind(store: &dyn Store, reader: &dyn Store) {
    let id = store.create_study(&study("s")).unwrap();
    let (owner, record) = (Owner::this_process(), TrialRecord::default());
    start(store, id, &params());
    let create = |name: &str, set: Distribution| {
        let mut changed = space();
        changed.0.insert(name.into(), set);
        let new =
            NewTrial { start: Start::Running(&owner), params: &params(), space: &changed, record: &record };
        store.create_trial(id, &new)
    };
    let wider = Distribution::Int { low: 1, high: 99, log: false, step: 1 };
    create("n_layers", wider).unwrap();
    for (name, set) in [
        ("n_layers", Distribution::Float { low: 0.0, high: 9.0, log: false, step: None }),
        ("learning_rate", Distribution::Float { low: 0.1, high: 9.0, log: false, step: None }),
        ("d_model", Distribution::list(vec![48i64.into(), 32i64.into(), 64i64.into()])),
    ] {
        let error = create(name, set).unwrap_err();
        assert!(
            matches!(&error, StoreError::IncompatibleDistribution { parameter, .. } if parameter == name),
            "{error}"
        );
    }
    assert_eq!(reader.trials(id).unwrap().len(), 2);
}

fn running_trials_name_their_process(store: &dyn Store, reader: &dyn Store) {
    let id = store.create_study(&study("s")).unwrap();
    let (first, second) = (start(store, id, &params()), start(store, id, &params()));
    store.heartbeat(&[first.id, second.id]).unwrap();
    let finished = Finished { values: vec![0.5], ..Finished::default() };
    store.finish(first.id, FinishedState::Complete, &finished).unwrap();
    let running = reader.running(id).unwrap();
    let [only] = running.as_slice() else { panic!("one running trial") };
    assert_eq!(only.handle, second);
    let owner = only.owner.as_ref().unwrap();
    assert_eq!(owner, &Owner::this_process());
    assert_ne!(owner.liveness(), Liveness::Ended);
    assert!(only.heartbeat_age.unwrap() < Duration::from_mins(1));
}

fn readers_ask_for_what_is_new(store: &dyn Store, reader: &dyn Store) {
    // Several studies, so that both ways of reading a file are tested.
    let ids: Vec<StudyId> = (0..8).map(|i| store.create_study(&study(&format!("s{i}"))).unwrap()).collect();
    for round in 0..5 {
        for id in &ids {
            let trial = start(store, *id, &params());
            let value = f64::from(round) / 8.0;
            let finished = Finished {
                values: vec![value],
                reports: vec![epoch(1, 0.5, 0.5), epoch(2, value, 0.5)],
                record: TrialRecord { seed: Some(trial.number.0), ..TrialRecord::default() },
                ..Finished::default()
            };
            store.finish(trial.id, FinishedState::Complete, &finished).unwrap();
        }
    }
    for id in &ids {
        let all = reader.trials(*id).unwrap();
        assert_eq!(all.len(), 5);
        for (i, trial) in all.iter().enumerate() {
            assert_eq!((trial.record.seed, trial.value()), (Some(i as u64), Some(i as f64 / 8.0)));
            assert_eq!(trial.params.to_string(), params().to_string());
            assert_eq!(trial.intermediate[&2], i as f64 / 8.0);
        }
        for first in 0..6 {
            assert_eq!(reader.trials_from(*id, TrialNumber(first)).unwrap(), all[(first as usize).min(5)..]);
        }
    }
}

fn what_is_told_late_lies_beside_the_trial(store: &dyn Store, reader: &dyn Store) {
    let id = store.create_study(&study("s")).unwrap();
    let (trial, other) = (start(store, id, &params()), start(store, id, &params()));
    store.finish(trial.id, FinishedState::Failed, &Finished::default()).unwrap();
    let before = reader.trials(id).unwrap();
    assert_eq!(reader.late_results(id, trial.number).unwrap(), []);
    let late = |state, values: &[f64]| LateResult {
        at: jiff::Timestamp::now(),
        teller: Some("process 7 on \u{e9}".into()),
        state,
        values: values.into(),
        step: Some(i64::MAX),
    };
    let told = [
        late(TrialState::Complete, &[0.1 + 0.2, f64::NEG_INFINITY]),
        late(TrialState::Running, &[f64::INFINITY]),
        LateResult { teller: None, step: None, ..late(TrialState::Failed, &[]) },
    ];
    for late in &told {
        store.record_late(trial.id, late).unwrap();
    }
    assert_eq!(reader.late_results(id, trial.number).unwrap(), told);
    assert_eq!(reader.late_results(id, other.number).unwrap(), []);
    assert_eq!(reader.trials(id).unwrap(), before, "the trial stays as it is");

    store.record_late(other.id, &late(TrialState::Running, &[f64::NAN])).unwrap();
    assert!(reader.late_results(id, other.number).unwrap()[0].values[0].is_nan());
    for _ in 0..20 {
        store.record_late(trial.id, &told[0]).unwrap();
    }
    assert_eq!(reader.late_results(id, trial.number).unwrap().len(), 16, "who tries for ever fills nothing");
    store.record_late(TrialId(99), &told[0]).unwrap();
}

fn unknown_things_are_not_found(store: &dyn Store, reader: &dyn Store) {
    let (study, trial) = (StudyId(99), TrialId(99));
    let (owner, record) = (Owner::this_process(), TrialRecord::default());
    let new = NewTrial { start: Start::Running(&owner), params: &params(), space: &space(), record: &record };
    for error in [
        store.create_trial(study, &new).map(|_| ()).unwrap_err(),
        store.set_facts(study, &[Fact::TargetTrials(1)]).unwrap_err(),
        store.claim_waiting(study, Some(&owner)).map(|_| ()).unwrap_err(),
        reader.trials(study).map(|_| ()).unwrap_err(),
        reader.running(study).map(|_| ()).unwrap_err(),
        reader.predictions(study, TrialNumber(0)).map(|_| ()).unwrap_err(),
        reader.epoch_metrics(study, TrialNumber(0)).map(|_| ()).unwrap_err(),
        reader.late_results(study, TrialNumber(0)).map(|_| ()).unwrap_err(),
        store.report(trial, &[epoch(1, 0.5, 0.5)]).unwrap_err(),
        store.finish(trial, FinishedState::Failed, &Finished::default()).map(|_| ()).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    }
    let id = store.create_study(&crate::support::study("s")).unwrap();
    assert_eq!(reader.predictions(id, TrialNumber(0)).unwrap(), None);
    assert!(reader.epoch_metrics(id, TrialNumber(0)).unwrap().is_empty());
}
