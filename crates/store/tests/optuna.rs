//! Tests with Optuna itself: it reads and continues our databases, and we read and continue its databases.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use allometry_core::{
    ChoiceOrder, Constraints, Direction, Distribution, EpochReport, FrozenTrial, ParamValue, Params,
    SearchSpace, TrialRecord, TrialState, ValidationScores,
};
use allometry_store::facts::{Fact, LadderPlace};
use allometry_store::url::{of_sqlite, sqlite_path};
use allometry_store::{Finished, FinishedState, NewStudy, NewTrial, Owner, Start, Store, StudyId, import};
use allometry_testkit::{Cluster, python_with};
use serde_json::{Value, json};

/// Runs a test on an empty storage of each kind.
fn over_each_storage(test: &str, modules: &str, body: impl Fn(&Path, &str)) {
    let Some(python) = python_with(test, modules) else { return };
    let folder = tempfile::tempdir().unwrap();
    body(&python, &of_sqlite(&folder.path().join("x.db")));
    let Some(cluster) = Cluster::shared(test) else { return };
    let Some(python) = python_with(test, &format!("{modules}, psycopg2")) else { return };
    body(&python, &cluster.database());
}

/// Returns the URL for `SQLAlchemy`, with an explicit driver because the default depends on its version.
fn sqlalchemy(url: &str) -> String {
    url.replace("postgresql://", "postgresql+psycopg2://")
}

/// Runs a script of this folder with the storage's URL and returns the JSON that it prints.
fn run(python: &Path, script: &str, url: &str, arguments: &[&str]) -> Value {
    // Optuna converts the stored UTC to local time.
    run_in(Some("Asia/Kolkata"), python, script, url, arguments)
}

/// Runs a script in a time zone, the system's if none is given.
fn run_in(zone: Option<&str>, python: &Path, script: &str, url: &str, arguments: &[&str]) -> Value {
    let output = Command::new(python)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/optuna").join(script))
        .arg(sqlalchemy(url))
        .args(arguments)
        .envs(zone.map(|zone| ("TZ", zone)))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn space() -> SearchSpace {
    let mut space = SearchSpace::default();
    let mut put = |name: &str, set| space.0.insert(name.into(), set);
    put("lr", Distribution::Float { low: 1e-5, high: 1.0, log: true, step: None });
    put("dropout", Distribution::Float { low: 0.0, high: 1.0, log: false, step: Some(0.25) });
    put("n_layers", Distribution::Int { low: 2, high: 10, log: false, step: 2 });
    put("d_model", Distribution::list(vec![32i64.into(), 48i64.into(), 64i64.into()]));
    put("decay", Distribution::list(vec![0.0.into(), 1e-5.into(), 1e-4.into()]));
    put(
        "act",
        Distribution::list(vec!["gelu".into(), "\u{e9}".into(), ParamValue::Null, ParamValue::Bool(true)]),
    );
    space
}

fn params(act: ParamValue) -> Params {
    let mut params: Params = [("lr", 0.1 + 0.2), ("dropout", 0.75), ("decay", 1e-5)].into_iter().collect();
    params.insert("n_layers", 4i64);
    params.insert("d_model", 48i64);
    params.0.insert("act".into(), act);
    params
}

/// Writes a study with trials of every state.
fn write_study(store: &dyn Store) -> StudyId {
    let place = LadderPlace { name: "caf\u{e9}".into(), tag: None, seed: 42, position: 0 };
    let facts = vec![Fact::Ladder(place)];
    let study = NewStudy { name: "café/2M".into(), space: space(), facts, ..NewStudy::default() };
    let id = store.create_study(&study).unwrap();
    let owner = Owner::this_process();
    let record = TrialRecord {
        seed: Some(7),
        metrics: BTreeMap::from([("precision".to_owned(), f64::NAN), ("log_loss".to_owned(), 0.5)]),
        ..TrialRecord::default()
    };
    let create = |start, act: ParamValue| {
        let new = NewTrial { start, params: &params(act), space: &space(), record: &record };
        store.create_trial(id, &new).unwrap()
    };
    let epoch =
        |step, value| EpochReport { step, value, metrics: BTreeMap::from([("loss".to_owned(), f64::NAN)]) };
    let scores = ValidationScores { rows: vec![1, 2], labels: vec![true, false], scores: vec![0.5, 0.25] };
    for (act, state, value) in [
        (ParamValue::Text("\u{e9}".into()), FinishedState::Complete, Some(0.1 + 0.2)),
        (ParamValue::Null, FinishedState::Pruned, None),
        (ParamValue::Bool(true), FinishedState::Failed, None),
        ("gelu".into(), FinishedState::Complete, Some(f64::NEG_INFINITY)),
    ] {
        let trial = create(Start::Running(&owner), act);
        store.report(trial.id, &[epoch(1, f64::NAN), epoch(2, f64::INFINITY)]).unwrap();
        let finished = Finished {
            values: value.into_iter().collect(),
            reports: vec![epoch(3, f64::NEG_INFINITY), epoch(4, 0.625)],
            record: record.clone(),
            predictions: Some(scores.clone().into()),
            log: None,
            ..Finished::default()
        };
        store.finish(trial.id, state, &finished).unwrap();
    }
    create(Start::Running(&owner), "gelu".into());
    create(Start::Waiting, ParamValue::Bool(true));
    id
}

/// Returns a float as the scripts print it, with Python's `repr`.
fn repr(x: f64) -> Value {
    Value::from(allometry_core::python::float_repr(x))
}

/// Returns a trial as the scripts print Optuna's trials.
fn described(trial: &FrozenTrial) -> Value {
    let state = match trial.state {
        TrialState::Waiting => "WAITING",
        TrialState::Running => "RUNNING",
        TrialState::Complete => "COMPLETE",
        TrialState::Pruned => "PRUNED",
        TrialState::Failed => "FAIL",
    };
    let params: serde_json::Map<String, Value> =
        trial.params.iter().map(|(name, value)| (name.to_owned(), Value::from(value.repr()))).collect();
    let sets: serde_json::Map<String, Value> = trial
        .distributions
        .iter()
        .map(|(name, set)| (name.clone(), Value::from(allometry_store::distribution::write(set))))
        .collect();
    let reports: serde_json::Map<String, Value> =
        trial.intermediate.iter().map(|(step, value)| (step.to_string(), repr(*value))).collect();
    let seconds = |at: Option<jiff::Timestamp>| at.map(jiff::Timestamp::as_microsecond);
    json!({
        "number": trial.number.0, "state": state, "value": trial.value().map(repr), "params": params,
        "distributions": sets, "intermediate": reports,
        "started": seconds(trial.started), "completed": seconds(trial.completed),
    })
}

#[test]
fn optuna_reads_what_we_write() {
    over_each_storage("optuna_reads_what_we_write", "optuna", |python, url| {
        let store = allometry_store::open(url).unwrap();
        let id = write_study(store.as_ref());
        let seen = run(python, "describe.py", url, &["café/2M"]);
        let ours: Vec<Value> = store.trials(id).unwrap().iter().map(described).collect();
        assert_eq!(seen["trials"], Value::from(ours));
        assert_eq!(seen["direction"], "MAXIMIZE");
        assert_eq!(seen["best"], 0);
        assert_eq!(
            seen["user_attributes"]["allometry:ladder"],
            json!({"name": "caf\u{e9}", "tag": null, "seed": 42, "position": 0})
        );
        assert_eq!(seen["record"]["seed"], 7);
        let record = store.trials(id).unwrap().swap_remove(0).record;
        let mut flat = json!({"seed": record.seed});
        let metrics = record.metrics.iter().filter(|(_, value)| value.is_finite());
        flat.as_object_mut().unwrap().extend(metrics.map(|(name, value)| (name.clone(), json!(value))));
        assert_eq!(seen["flat"], flat, "numbers of the record are attributes of their own");
    });
}

/// Returns the constraints of a study in the form of the scripts.
fn constraints_seen(store: &dyn Store, name: &str) -> Value {
    let study = store.study(name).unwrap().unwrap();
    let trials = store.trials(study.id).unwrap();
    // Infinities are null.
    let constraints: Vec<BTreeMap<String, f64>> =
        trials.iter().map(|trial| trial.constraints().iter().collect()).collect();
    let single = !study.has_several_objectives();
    let best = single.then(|| allometry_core::incumbent(&trials, study.direction())).flatten();
    let front = allometry_core::pareto::best_trials(&trials, &study.directions);
    json!({
        "constraints": constraints,
        "best": best.map(|trial| trial.number.0),
        "best_trials": front.iter().map(|trial| trial.number.0).collect::<Vec<_>>(),
    })
}

/// Optuna's constraints, named and listed, determine the same best trial here and there, and so do ours.
#[test]
fn constraints_are_optunas() {
    over_each_storage("constraints_are_optunas", "optuna", |python, url| {
        let store = allometry_store::open(url).unwrap();
        let made = run(python, "constraints.py", url, &["theirs", "make"]);
        assert_eq!(constraints_seen(store.as_ref(), "theirs/new"), made["new"]);
        assert_eq!(constraints_seen(store.as_ref(), "theirs/old"), made["old"]);
        assert_eq!((&made["new"]["best"], &made["old"]["best_trials"]), (&json!(3), &json!([1, 2])));

        let new = NewStudy { name: "ours".into(), space: space(), ..NewStudy::default() };
        let id = store.create_study(&new).unwrap();
        let told = [
            (0.9, vec![1e-9], None),
            (0.7, vec![0.0, -1.0], None),
            (0.8, vec![], Some(("ms".to_owned(), 2.0))),
            (0.6, vec![], None),
        ];
        for (value, listed, named) in told {
            let (params, space, record) = (params("gelu".into()), space(), TrialRecord::default());
            let new = NewTrial { start: Start::Asked, params: &params, space: &space, record: &record };
            let trial = store.create_trial(id, &new).unwrap();
            let constraints = Constraints { listed, named: named.into_iter().collect() };
            let finished = Finished { values: vec![value], constraints, ..Finished::default() };
            store.finish(trial.id, FinishedState::Complete, &finished).unwrap();
        }
        let seen = run(python, "constraints.py", url, &["ours"]);
        assert_eq!(seen, constraints_seen(store.as_ref(), "ours"));
        assert_eq!(seen["best"], 1);
    });
}

#[test]
fn optuna_sees_our_objectives_and_we_its() {
    over_each_storage("optuna_sees_our_objectives_and_we_its", "optuna", |python, url| {
        let store = allometry_store::open(url).unwrap();
        let new = NewStudy {
            name: "two".into(),
            directions: vec![Direction::Maximize, Direction::Minimize],
            metric_names: vec!["auc".into(), "seconds".into()],
            space: space(),
            ..NewStudy::default()
        };
        let id = store.create_study(&new).unwrap();
        let told = [[0.5, 1.0], [0.7, 4.0], [0.7, 5.0], [f64::INFINITY, 9.0], [0.9, f64::NAN], [0.7, 4.0]];
        let owner = Owner::this_process();
        let record = TrialRecord::default();
        for values in told {
            let (params, space) = (params("gelu".into()), space());
            let new =
                NewTrial { start: Start::Running(&owner), params: &params, space: &space, record: &record };
            let trial = store.create_trial(id, &new).unwrap();
            let finished = Finished { values: values.to_vec(), ..Finished::default() };
            store.finish(trial.id, FinishedState::Complete, &finished).unwrap();
        }
        let seen = run(python, "objectives.py", url, &["two"]);
        assert_eq!(seen["directions"], json!(["MAXIMIZE", "MINIMIZE"]));
        assert_eq!(seen["metric_names"], json!(["auc", "seconds"]));
        let trials = store.trials(id).unwrap();
        let ours = trials.iter().map(|trial| {
            let values: Vec<Value> = trial.values.iter().copied().map(repr).collect();
            if values.is_empty() { Value::Null } else { values.into() }
        });
        assert_eq!(seen["values"], Value::from(ours.collect::<Vec<_>>()));
        let study = store.study("two").unwrap().unwrap();
        assert_eq!(study.metric_names().unwrap(), ["auc", "seconds"]);
        let best = allometry_core::pareto::best_trials(&trials, &study.directions);
        let best: Vec<u64> = best.iter().map(|trial| trial.number.0).collect();
        assert_eq!(seen["best_trials"], json!([0, 3, 6]), "the last of them is the one that Optuna added");
        assert_eq!(best, [0, 6], "a trial with an infinite value diverged");
    });
}

#[test]
fn optunas_command_lists_our_trials() {
    over_each_storage("optunas_command_lists_our_trials", "optuna.cli", |python, url| {
        write_study(allometry_store::open(url).unwrap().as_ref());
        let output = Command::new(python)
            .args([
                "-c",
                "import sys; from optuna.cli import main; sys.exit(main())",
                "trials",
                "--study-name",
                "café/2M",
            ])
            .args(["--format", "json", "--storage", &sqlalchemy(url)])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let listed = allometry_store::json::parse(std::str::from_utf8(&output.stdout).unwrap()).unwrap();
        let states: Vec<&str> =
            listed.as_array().unwrap().iter().map(|t| t["state"].as_str().unwrap()).collect();
        assert_eq!(states, ["COMPLETE", "PRUNED", "FAIL", "COMPLETE", "RUNNING", "WAITING"]);
        assert_eq!(listed[0]["params"]["d_model"], 48);
        assert_eq!(listed[0]["params"]["act"], "\u{e9}");
    });
}

#[test]
fn optuna_goes_on_with_our_study_and_we_with_its() {
    over_each_storage("optuna_goes_on_with_our_study", "optuna", |python, url| {
        let store = allometry_store::open(url).unwrap();
        let id = write_study(store.as_ref());
        let before: Vec<Value> = store.trials(id).unwrap()[..5].iter().map(described).collect();
        // Four trials with values of at most 1, the first of them the one that we left waiting; then two
        // enqueued ones.
        let seen = run(python, "continue.py", url, &["café/2M"]);
        let trials = store.trials(id).unwrap();
        let ours: Vec<Value> = trials.iter().map(described).collect();
        assert_eq!(ours[..5], before);
        assert_eq!(trials.len(), 11);
        for (ours, seen) in ours.iter().zip(seen["trials"].as_array().unwrap()) {
            if ours["state"] != "WAITING" {
                assert_eq!(ours, seen);
            }
        }
        assert_eq!(trials[5].params.to_string(), params(ParamValue::Bool(true)).to_string());
        assert!(trials[5..9].iter().all(|t| t.state == TrialState::Complete));
        let Some(Distribution::Categorical { order, .. }) = trials[8].distributions.get("d_model") else {
            panic!("a list stays a list")
        };
        assert_eq!(*order, ChoiceOrder::Ordinal);

        let owner = Owner::this_process();
        assert_eq!(trials[9].params.to_string(), "d_model=64 lr=0.001 batch=7");
        let (handle, claimed) = store.claim_waiting(id, Some(&owner)).unwrap().unwrap();
        assert_eq!((handle.number.0, claimed.params.to_string().as_str()), (9, "d_model=64 lr=0.001"));
        assert_eq!(claimed.state, TrialState::Running);
        let finished = Finished { values: vec![1.5], ..Finished::default() };
        store.finish(handle.id, FinishedState::Complete, &finished).unwrap();
        let new = NewTrial {
            start: Start::Running(&owner),
            params: &params("gelu".into()),
            space: &space(),
            record: &TrialRecord::default(),
        };
        assert_eq!(store.create_trial(id, &new).unwrap().number.0, 11);
        let seen = run(python, "describe.py", url, &["café/2M"]);
        let ours: Vec<Value> = store.trials(id).unwrap().iter().map(described).collect();
        assert_eq!(seen["trials"][9], ours[9]);
        assert_eq!(seen["best"], 9);
    });
}

#[test]
fn we_read_what_optuna_writes() {
    over_each_storage("we_read_what_optuna_writes", "optuna", |python, url| {
        let seen = run(python, "write.py", url, &[]);
        let file = sqlite_path(url).ok();
        let before = file.as_ref().map(|path| std::fs::read(path).unwrap());
        let read = |study| match &file {
            Some(path) => import::read(path, study, &import::Roles::default()),
            None => import::read_storage(url, study, &import::Roles::default()),
        };

        let imported = read(Some("foreign")).unwrap();
        let ours: Vec<Value> = imported.trials.iter().map(described).collect();
        assert_eq!(Value::from(ours), seen["trials"]);
        assert_eq!(
            (imported.name.as_deref(), imported.directions.as_slice()),
            (Some("foreign"), &[Direction::Minimize][..])
        );
        assert_eq!(imported.trials[0].record.metrics["pred_min"], 0.25);
        assert_eq!(imported.trials[0].user_attributes["note"], r#"{"x": NaN, "\u00e9": 1}"#);
        assert!(imported.trials[0].system_attributes.is_empty());
        let of_optuna = &imported.trials[seen["best"].as_u64().unwrap() as usize];
        assert_eq!(of_optuna.value(), Some(f64::NEG_INFINITY));
        let finite = imported.trials.iter().filter(|trial| trial.eligible_value().is_some());
        let smallest = finite.min_by(|a, b| a.value().unwrap().total_cmp(&b.value().unwrap())).unwrap();
        assert_eq!(
            imported.best_params.as_ref(),
            Some(&smallest.params),
            "an infinite value is not the best"
        );

        let unnamed = read(None).unwrap_err();
        assert!(unnamed.to_string().ends_with("holds 3 studies"), "{unnamed}");
        assert!(unnamed.hint().unwrap().contains("`foreign`, `several`, `empty`"));
        let several = read(Some("several")).unwrap();
        assert_eq!(several.directions, [Direction::Minimize, Direction::Maximize]);
        assert_eq!(several.objectives, 2);
        assert!(several.trials.iter().all(|trial| trial.values[1..] == [trial.number.0 as f64 / 4.0]));
        assert!(read(Some("empty")).unwrap_err().to_string().contains("no trials"));
        assert_eq!(file.as_ref().map(|path| std::fs::read(path).unwrap()), before);
        if let Some(folder) = file.as_ref().and_then(|path| path.parent()) {
            assert_eq!(std::fs::read_dir(folder).unwrap().count(), 1);
        }
    });
}

#[test]
fn we_read_optunas_journals() {
    let Some(python) = allometry_testkit::python_with("we_read_optunas_journals", "optuna") else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.log");
    let seen = run(&python, "write.py", path.to_str().unwrap(), &[]);
    let imported = import::read(&path, Some("foreign"), &import::Roles::default()).unwrap();
    let ours: Vec<Value> = imported.trials.iter().map(described).collect();
    assert_eq!(Value::from(ours), seen["trials"]);
    assert_eq!(
        (imported.name.as_deref(), imported.directions.as_slice()),
        (Some("foreign"), &[Direction::Minimize][..])
    );
    assert_eq!(imported.trials[0].record.metrics["pred_min"], 0.25);
    let several = import::read(&path, Some("several"), &import::Roles::default()).unwrap();
    assert_eq!(several.directions, [Direction::Minimize, Direction::Maximize]);
    assert_eq!(several.objectives, 2);
    assert!(
        import::read(&path, None, &import::Roles::default())
            .unwrap_err()
            .to_string()
            .ends_with("holds 3 studies")
    );
}

#[test]
fn we_go_on_with_optunas_study() {
    over_each_storage("we_go_on_with_optunas_study", "optuna", |python, url| {
        run(python, "write.py", url, &[]);
        let store = allometry_store::open_existing(url).unwrap();
        let study = store.study("foreign").unwrap().unwrap();
        let before: Vec<Value> = store.trials(study.id).unwrap().iter().map(described).collect();
        let owner = Owner::this_process();
        let mut space = SearchSpace::default();
        let rate = Distribution::Float { low: 1e-5, high: 1.0, log: true, step: None };
        space.0.insert("lr".into(), rate);
        let params: Params = [("lr", 1e-5)].into_iter().collect();
        let record = TrialRecord::default();
        let new = NewTrial { start: Start::Running(&owner), params: &params, space: &space, record: &record };
        let trial = store.create_trial(study.id, &new).unwrap();
        assert_eq!(trial.number.0, 7);
        store.heartbeat(&[trial.id]).unwrap();
        let finished = Finished { values: vec![f64::NEG_INFINITY], ..Finished::default() };
        store.finish(trial.id, FinishedState::Complete, &finished).unwrap();

        let seen = run(python, "described_study.py", url, &["foreign"]);
        let ours: Vec<Value> = store.trials(study.id).unwrap().iter().map(described).collect();
        assert_eq!(seen["trials"], Value::from(ours.clone()));
        assert_eq!((&ours[..7], ours.len()), (&before[..], 8));
        // Our tables do not prevent Optuna from deleting a study.
        assert_eq!(run(python, "delete.py", url, &["foreign"]), json!(["empty", "several"]));
        assert_eq!(store.studies().unwrap().len(), 2);
    });
}

/// A child process that is killed on drop, even if the test fails.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn optuna_dashboard_opens_our_storage() {
    over_each_storage("optuna_dashboard_opens_our_storage", "optuna_dashboard", |python, url| {
        write_study(allometry_store::open(url).unwrap().as_ref());
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let dashboard = Command::new(python)
            .args(["-c", "from optuna_dashboard._cli import main; main()"])
            .arg(sqlalchemy(url))
            .args(["--host", "127.0.0.1", "--port", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let _dashboard = Ended(dashboard);
        let studies = get(port, "/api/studies");
        assert_eq!(studies["study_summaries"][0]["study_name"], "café/2M");
        let id = studies["study_summaries"][0]["study_id"].as_i64().unwrap();
        let study = get(port, &format!("/api/studies/{id}?after=0"));
        let trials = study["trials"].as_array().unwrap();
        assert_eq!(trials.len(), 6);
        assert_eq!(trials[0]["state"], "Complete");
        assert_eq!(trials[0]["values"][0], 0.1 + 0.2);
        assert_eq!(trials[1]["intermediate_values"][3]["value"], 0.625);
    });
}

/// Returns the body of the response once the server answers.
fn get(port: u16, path: &str) -> Value {
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) {
            write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            let (head, body) = answer.split_once("\r\n\r\n").unwrap();
            assert!(head.lines().next().unwrap().contains("200"), "{head}\n{body}");
            return serde_json::from_str(body).unwrap();
        }
        assert!(Instant::now() < deadline, "the dashboard does not answer");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Each interpreter in `ALLOMETRY_FORMER_OPTUNA`, a list in the form of `PATH`, has its own version of
/// Optuna.
#[test]
fn what_former_versions_of_optuna_stored_is_read_as_they_read_it() {
    let test = "what_former_versions_of_optuna_stored_is_read_as_they_read_it";
    let Some(python) = python_with(test, "optuna") else { return };
    let formers = std::env::var_os("ALLOMETRY_FORMER_OPTUNA").unwrap_or_default();
    let formers: Vec<_> = std::env::split_paths(&formers).filter(|path| path.is_file()).collect();
    if formers.is_empty() {
        allometry_testkit::skip(test, "ALLOMETRY_FORMER_OPTUNA names no interpreter");
    }
    for former in formers {
        let folder = tempfile::tempdir().unwrap();
        let (theirs, ours) = (folder.path().join("theirs.db"), folder.path().join("ours.db"));
        run_in(None, &former, "former.py", &of_sqlite(&theirs), &["make"]);
        let expected = run_in(None, &former, "former.py", &of_sqlite(&theirs), &["dump"]);
        let whole = import::read_all(&theirs, None, &import::Assumed::default()).unwrap();
        let storage = allometry_store::optuna::open(&of_sqlite(&ours)).unwrap();
        storage.create_study_with_trials(&whole[0].study).unwrap();
        drop(storage);
        let copied = run_in(None, &python, "former.py", &of_sqlite(&ours), &["dump"]);
        assert_eq!(copied, expected, "{}", former.display());
    }
}
