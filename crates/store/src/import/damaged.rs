//! Property tests with damaged files of trials.

use std::sync::LazyLock;

use allometry_core::{Distribution, ParamValue, Params, SearchSpace, TrialRecord};
use allometry_testkit::Limits;
use proptest::prelude::*;

use super::*;
use crate::{Finished, FinishedState, NewStudy, NewTrial, Owner, SqliteStore, Start, Store as _};

const JSON: &str = r#"[
  {"number": 0, "value": 0.71, "params": {"lr": 1e-05, "n": 2, "act": "gelu"},
   "state": "TrialState.COMPLETE",
   "user_attrs": {"pred_min": 0.1}, "intermediate_values": {"1": 0.6, "2": NaN},
   "datetime_start": "2026-01-25T23:53:25.053461", "datetime_complete": "2026-01-25 23:54:00"},
  {"number": 1, "value": null, "params": {"lr": 0}, "state": "FAIL"}
]"#;
const CSV: &str = "number,value,datetime_start,params_d_model,params_lr,user_attrs_pred_max,state\n\
                   0,0.5,2026-01-01,32,0.1,0.9,COMPLETE\n1,,2026-01-02 03:04:05.5,64,0,,FAIL\n";
const FLAT: &str = r#"[
  {"number": 0, "value": 0.71, "params_lr": 1e-05, "params_act": null,
   "user_attrs_pred_min": 0.1, "state": "COMPLETE",
   "distributions_lr": {"name": "FloatDistribution", "attributes": {"low": 0.0, "high": 1.0}},
   "duration": "0:00:01", "datetime_start": 1704103200000, "intermediate_values_1": NaN},
  {"number": 1, "value": null, "params_lr": 0, "state": "FAIL"}
]"#;
const COLUMNS: &str = r#"{"number": {"0": 0, "1": 1}, "value": {"0": 0.5, "1": null},
  "lr": {"0": 0.1, "1": 0.2}, "state": {"0": "COMPLETE", "1": "FAIL"}}"#;
const YAML: &str = "\
    - number: 0\n  params: &p {lr: 1.0e-05, act: gelu}\n  user_attrs: {l: [1, 2]}\n  value: .inf\n\
    - number: 1\n  params: *p\n  value: null\n  state: FAIL\n";
const JOURNAL: &str = concat!(
    r#"{"op_code":0,"worker_id":"w","study_name":"a","directions":[2]}"#,
    "\n",
    r#"{"op_code":4,"worker_id":"w","study_id":0,"datetime_start":"2026-01-25T10:00:00.5+00:00"}"#,
    "\n",
    r#"{"op_code":5,"worker_id":"w","trial_id":0,"param_name":"lr","param_value_internal":0.5,"#,
    r#""distribution":"{\"name\": \"FloatDistribution\", \"attributes\": {\"low\": 0.0, \"high\": 1.0}}"}"#,
    "\n",
    r#"{"op_code":7,"worker_id":"w","trial_id":0,"step":1,"intermediate_value":NaN}"#,
    "\n",
    r#"{"op_code":8,"worker_id":"w","trial_id":0,"user_attr":{"pred_min":0.125}}"#,
    "\n",
    r#"{"op_code":6,"worker_id":"w","trial_id":0,"state":1,"values":[0.75],"#,
    r#""datetime_complete":"2026-01-25T10:00:01+00:00"}"#,
    "\n"
);
const RESULTS: &str = concat!(
    r#"{"auc": 0.5, "inner": {"loss": null}, "training_iteration": 1, "trial_id": "a_00000", "#,
    r#""timestamp": 1764078000, "time_this_iter_s": 0.25, "config": {"lr": 0.1, "layers": [1, 2]}}"#,
    "\n",
    r#"{"auc": 0.625, "inner": {"loss": 0.5}, "training_iteration": 2, "trial_id": "a_00000", "#,
    r#""timestamp": 1764078001, "done": true, "config": {"lr": 0.1}}"#,
    "\n"
);
/// Files of a Ray Tune experiment; the test damages one of them.
const RAY: [(&str, &str); 5] = [
    ("trial/result.json", RESULTS),
    ("trial/progress.csv", "auc,inner/loss,training_iteration,config/lr\n0.5,,1,0.1\n"),
    ("trial/params.json", r#"{"lr": 0.1, "act": "gelu"}"#),
    ("trial/error.txt", "Traceback\nValueError: no\n"),
    (
        "experiment_state-1.json",
        r#"{"trial_data": [["{\"trial_id\": \"a_00000\", \"status\": \"TERMINATED\"}", "{}"]]}"#,
    ),
];
const SET: &str =
    r#"{"name": "CategoricalDistribution", "attributes": {"choices": [[64, 64], {"a": 1}, null, 2.5, "x"]}}"#;
const BEST: &str = r#"{"params": {"lr": 1e-05, "n": 2}, "value": 0.71,
  "search_space": {"lr": [1e-05, 1e-04], "n": [1, 2]}}"#;

/// Bytes of a compressed table.
static PACKED: LazyLock<Vec<u8>> = LazyLock::new(|| {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(CSV.as_bytes()).unwrap();
    encoder.finish().unwrap()
});

/// Bytes of a database with one study of three trials.
static DATABASE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trials.db");
    let store = SqliteStore::open(path.to_str().unwrap()).unwrap();
    let mut space = SearchSpace::default();
    space.0.insert("lr".into(), Distribution::Float { low: 1e-5, high: 1e-2, log: true, step: None });
    space.0.insert("act".into(), Distribution::list(["gelu", "relu"].map(ParamValue::from).into()));
    let new = NewStudy { name: "study".into(), space: space.clone(), ..NewStudy::default() };
    let study = store.create_study(&new).unwrap();
    let owner = Owner::this_process();
    for number in 0..3_u8 {
        let params: Params = [("lr", ParamValue::from(1e-4)), ("act", "relu".into())].into_iter().collect();
        let record = TrialRecord::default();
        let start = Start::Running(&owner);
        let trial = store
            .create_trial(study, &NewTrial { start, params: &params, space: &space, record: &record })
            .unwrap();
        let values = vec![0.5 + f64::from(number) / 10.0];
        let finished = Finished { values, record, ..Finished::default() };
        store.finish(trial.id, FinishedState::Complete, &finished).unwrap();
    }
    drop(store);
    std::fs::read(path).unwrap()
});

/// Limits of time and memory for a damaged file, measured on the intact database, the slowest of all files.
static LIMITS: LazyLock<Limits> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trials.db");
    std::fs::write(&path, &*DATABASE).unwrap();
    Limits::of(|| drop(read(&path, None, &Roles::default()).unwrap()))
});

/// Reads a file and checks that an error contains its name.
fn read_bytes(name: &str, bytes: &[u8], detail: Option<&str>) -> Result<(), TestCaseError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    match LIMITS.hold(|| read(&path, detail, &Roles::default())) {
        Ok(study) => prop_assert!(study.trials.iter().is_sorted_by_key(|trial| trial.number)),
        Err(error) => prop_assert!(error.to_string().contains(name), "{error} does not name {name}"),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn json(bytes in allometry_testkit::damaged(JSON.as_bytes().to_vec())) {
        read_bytes("trials.json", &bytes, None)?;
    }

    #[test]
    fn csv(bytes in allometry_testkit::damaged(CSV.as_bytes().to_vec())) {
        read_bytes("trials.csv", &bytes, None)?;
    }

    #[test]
    fn flat_json(bytes in allometry_testkit::damaged(FLAT.as_bytes().to_vec())) {
        read_bytes("trials.json", &bytes, None)?;
    }

    #[test]
    fn columns_of_json(bytes in allometry_testkit::damaged(COLUMNS.as_bytes().to_vec())) {
        read_bytes("trials.json", &bytes, None)?;
    }

    #[test]
    fn yaml(bytes in allometry_testkit::damaged(YAML.as_bytes().to_vec())) {
        read_bytes("trials.yaml", &bytes, None)?;
    }

    #[test]
    fn packed_csv(bytes in allometry_testkit::damaged(PACKED.clone())) {
        read_bytes("trials.csv.gz", &bytes, None)?;
    }

    #[test]
    fn wide_csv(bytes in allometry_testkit::damaged(
        "\u{feff}".encode_utf16().chain(CSV.encode_utf16()).flat_map(u16::to_le_bytes).collect::<Vec<u8>>()
    )) {
        read_bytes("trials.csv", &bytes, None)?;
    }

    #[test]
    fn journal(bytes in allometry_testkit::damaged(JOURNAL.as_bytes().to_vec())) {
        read_bytes("journal.log", &bytes, None)?;
    }

    #[test]
    fn results_of_ray(
        bytes in allometry_testkit::damaged(RESULTS.as_bytes().to_vec()),
        which in 0..RAY.len(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let experiment = folder.path().join("experiment");
        std::fs::create_dir_all(experiment.join("trial")).unwrap();
        for (name, text) in RAY {
            std::fs::write(experiment.join(name), text).unwrap();
        }
        std::fs::write(experiment.join(RAY[which].0), &bytes).unwrap();
        if let Err(error) = LIMITS.hold(|| read_all(&experiment, None, &Assumed::default())) {
            prop_assert!(error.to_string().contains("experiment"), "{error}");
        }
    }

    #[test]
    fn database(bytes in allometry_testkit::damaged(DATABASE.clone())) {
        read_bytes("trials.db", &bytes, None)?;
    }

    #[test]
    fn distributions(bytes in allometry_testkit::damaged(SET.as_bytes().to_vec())) {
        let text = String::from_utf8_lossy(&bytes);
        LIMITS.hold(|| {
            // Every distribution that the stricter reader accepts must be accepted by the other one, and be
            // written and read back.
            if let Ok(set) = crate::optuna::distribution(&text) {
                assert_eq!(crate::distribution::parse(&text).unwrap(), set);
                assert!(crate::optuna::distribution(&crate::distribution::write(&set)).is_ok(), "{text}");
            }
            let _ = crate::optuna::check::attribute("allometry:record", &text);
        });
    }

    #[test]
    fn urls(bytes in allometry_testkit::damaged(b"postgresql://me@host:5433/db?sslmode=require".to_vec())) {
        let text = String::from_utf8_lossy(&bytes);
        LIMITS.hold(|| {
            if let Err(error) = crate::url::parse(&text) {
                assert!(error.hint().is_some(), "{error}");
            }
            let shown = crate::url::redact(&text);
            assert_eq!(crate::url::redact(&shown), shown);
        });
    }

    #[test]
    fn best_params(bytes in allometry_testkit::damaged(BEST.as_bytes().to_vec())) {
        let folder = tempfile::tempdir().unwrap();
        let (trials, best) = (folder.path().join("trials.json"), folder.path().join("best.json"));
        std::fs::write(&trials, JSON).unwrap();
        std::fs::write(&best, &bytes).unwrap();
        if let Err(error) = read(&trials, best.to_str(), &Roles::default()) {
            prop_assert!(error.to_string().contains("best.json"), "{}", error);
        }
    }
}
