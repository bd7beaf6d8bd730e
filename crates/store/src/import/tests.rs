//! Files of trials as they are met, and as they should not be.

use std::path::Path;

use allometry_core::TrialState;

use super::*;

fn read_text(name: &str, text: &str) -> Result<ImportedStudy, ImportError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    read(&path, None)
}

fn message(result: Result<ImportedStudy, ImportError>) -> String {
    let error = result.unwrap_err();
    let text = error.to_string();
    let name = text.rfind('/').map_or(0, |i| i + 1);
    format!("{} ({})", &text[name..], error.hint().unwrap_or_default())
}

#[test]
fn json_keeps_states_values_and_attributes() {
    let study = read_text(
        "t.json",
        r#"[
          {"number": 1, "value": 0.7, "params": {"lr": 1e-05, "n": 2, "act": "gelu"}, "state": "TrialState.COMPLETE",
           "user_attrs": {"pred_min": 0.1, "note": "NaN is \" fine"}, "datetime_start": "2026-01-25T23:53:25.053461",
           "datetime_complete": "2026-01-25 23:54:00"},
          {"number": 0, "value": NaN, "params": {"lr": 0}, "state": "FAIL", "intermediate_values": {"1": -Infinity}}
        ]"#,
    )
    .unwrap();
    let [failed, complete] = study.trials.as_slice() else { panic!("two trials") };
    assert_eq!((failed.number.0, failed.state, failed.value), (0, TrialState::Failed, None));
    assert_eq!(failed.intermediate[&1], f64::NEG_INFINITY);
    assert_eq!(complete.value, Some(0.7));
    assert_eq!(complete.record.metrics["pred_min"], 0.1);
    assert_eq!(complete.user_attributes["note"], r#""NaN is \" fine""#);
    assert_eq!(complete.params.to_string(), "lr=1e-05 n=2 act=gelu");
    assert_eq!(complete.started.unwrap().to_string(), "2026-01-25T23:53:25.053461Z");
    assert_eq!(complete.completed.unwrap().to_string(), "2026-01-25T23:54:00Z");
    assert_eq!(failed.started, None);
    assert_eq!(failed.params.to_string(), "lr=0.0", "an integer beside floats is a float");
}

#[test]
fn both_kinds_of_tables_are_read() {
    let optuna = read_text(
        "t.csv",
        "number,value,datetime_start,params_d_model,params_lr,user_attrs_pred_max,state\n\
         0,0.5,2026-01-01,32,0.1,0.9,COMPLETE\n1,,2026-01-02 03:04:05.5,64,0,,FAIL\n",
    )
    .unwrap();
    assert_eq!(optuna.trials[0].record.metrics["pred_max"], 0.9);
    assert_eq!(optuna.trials[1].params.to_string(), "d_model=64 lr=0.0");
    assert_eq!(optuna.trials[1].state, TrialState::Failed);
    let plain = read_text(
        "t.csv",
        "trial,auc,recall,pred_min,pred_max,forced_extreme,extreme_type,duration_sec,d_model,dropout\n\
         3,0.7,0.0,0.1,0.2,False,,12.5,32,0.1\n4,0.8,0.5,0.0,0.9,True,min,11,64,\n",
    )
    .unwrap();
    assert_eq!(plain.trials[0].params.to_string(), "d_model=32 dropout=0.1");
    assert_eq!(plain.trials[1].params.to_string(), "d_model=64");
    assert_eq!(plain.trials[1].state, TrialState::Complete);
    assert_eq!(plain.trials[1].record.metrics["recall"], 0.5);
    assert_eq!(optuna.trials[1].started.unwrap().to_string(), "2026-01-02T03:04:05.5Z");
    let both = read_text("t.csv", "trial,value,auc,d\n0,0.5,0.7,32\n").unwrap();
    assert_eq!(both.trials[0].params.to_string(), "d=32");
    assert_eq!(both.trials[0].record.metrics["auc"], 0.7);
}

#[test]
fn best_parameters_keep_their_order() {
    let text = r#"{"best_params": {"b": 1, "a": 1e-05}, "search_space": {"a": [1e-05, 0.1], "b": [1, 2]}}"#;
    let (best, space) = best_params::parse(text).unwrap();
    assert_eq!(best.unwrap().to_string(), "b=1 a=1e-05");
    assert_eq!(space.unwrap().get("b").unwrap().levels().unwrap().len(), 2);
    assert_eq!(best_params::parse(r#"{"d_model": 96}"#).unwrap().0.unwrap().to_string(), "d_model=96");
    assert_eq!(best_params::parse(r#"{"best_params": null}"#).unwrap(), (None, None));
}

#[test]
fn malformed_files_say_where() {
    for (name, text, expected) in [
        (
            "t.json",
            "[\n{\"number\": 0, \"val",
            "t.json, line 2, column 18: EOF while parsing a string (the file is cut off: write or copy it again)",
        ),
        (
            "t.json",
            "[{\"value\": \"x\"}]",
            "t.json, trial 0 of the list, field `value`: expected a number or null ()",
        ),
        (
            "t.json",
            "[{\"params\": [1]}]",
            "t.json, trial 0 of the list, field `params`: expected an object ()",
        ),
        (
            "t.json",
            "[{\"state\": \"DONE\"}]",
            "t.json, trial 0 of the list, field `state`: expected COMPLETE, PRUNED, FAIL, RUNNING or WAITING ()",
        ),
        ("t.json", "[]", "t.json holds no trials ()"),
        (
            "t.csv",
            "number,value,d\n0,0.1,1\n1,0.2\n",
            "t.csv, line 3: 2 fields where the header has 3 (leave the cell of a missing value empty, but keep its comma)",
        ),
        ("t.json", "[{\"value\": NaN, \"params\": [}]", "t.json, line 1, column 28: expected value ()"),
        (
            "t.json",
            "[{\"datetime_start\": \"soon\"}]",
            "t.json, trial 0 of the list, field `datetime_start`: expected a date and time ()",
        ),
        (
            "t.json",
            "[{\"user_attrs\": 1}]",
            "t.json, trial 0 of the list, field `user_attrs`: expected an object ()",
        ),
        (
            "t.csv",
            "number,value\n0,high\n",
            "t.csv, line 2, column `value`: expected a number, found `high` ()",
        ),
        (
            "t.csv",
            "number,d_model\n0,32\n",
            "t.csv, line 1: no column holds the objective (name it `value` or `auc`)",
        ),
        (
            "t.txt",
            "hello",
            "t.txt is no file of trials (known kinds: Optuna's all_trials.json, its journals and SQLite files, a .csv of trials, the folder of a Ray Tune experiment)",
        ),
    ] {
        assert_eq!(message(read_text(name, text)), expected);
    }
    assert!(matches!(read(Path::new("no/such.json"), None), Err(ImportError::Read { .. })));
}

#[test]
fn of_several_objectives_all_values_are_read() {
    let values = |study: &ImportedStudy| {
        study.trials.iter().map(|trial| format!("{:?}", trial.values())).collect::<Vec<_>>()
    };
    let table = read_text("t.csv", "number,values_0,values_1,x\n0,1,2,5\n1,,,6\n").unwrap();
    assert_eq!((table.objectives, values(&table)), (2, vec!["[1.0, 2.0]".into(), "[]".into()]));
    assert_eq!(table.trials[1].state, TrialState::Failed);
    let named = read_text("t.csv", "number,values_auc,values_ms,params_x\n0,0.5,20,1\n").unwrap();
    assert_eq!((named.objectives, values(&named)), (2, vec!["[0.5, 20.0]".into()]));
    assert_eq!(named.trials[0].params.to_string(), "x=1");
    let list =
        read_text("t.json", r#"[{"values": [1, 2.5, -3]}, {"values": null, "state": "FAIL"}]"#).unwrap();
    assert_eq!((list.objectives, values(&list)), (3, vec!["[1.0, 2.5, -3.0]".into(), "[]".into()]));
    assert!(list.further.is_empty(), "the file does not say which values are better");
}

const RATE: &str = r#""distribution":"{\"name\": \"FloatDistribution\", \"attributes\": {\"low\": 0.0, \"high\": 1.0, \"log\": false, \"step\": null}}""#;

fn journal(lines: &[&str]) -> Result<ImportedStudy, ImportError> {
    let lines: Vec<String> = lines.iter().map(|line| line.replace("RATE", RATE)).collect();
    read_text("journal.log", &lines.join("\n"))
}

#[test]
fn a_journal_is_replayed_by_its_rules() {
    let study = journal(&[
        r#"{"op_code":0,"worker_id":"w","study_name":"gone","directions":[1]}"#,
        r#"{"op_code":0,"worker_id":"w","study_name":"a","directions":[2]}"#,
        // A name taken makes no study, and no id.
        r#"{"op_code":0,"worker_id":"w","study_name":"a","directions":[1]}"#,
        r#"{"op_code":4,"worker_id":"w","study_id":0,"datetime_start":null}"#,
        r#"{"op_code":1,"worker_id":"w","study_id":0}"#,
        r#"{"op_code":4,"worker_id":"w","study_id":1,"datetime_start":"2026-01-25T10:00:00.5+00:00"}"#,
        r#"{"op_code":5,"worker_id":"w","trial_id":1,"param_name":"lr","param_value_internal":0.5,RATE}"#,
        r#"{"op_code":7,"worker_id":"w","trial_id":1,"step":1,"intermediate_value":NaN}"#,
        r#"{"op_code":7,"worker_id":"w","trial_id":1,"step":1,"intermediate_value":0.25}"#,
        r#"{"op_code":8,"worker_id":"w","trial_id":1,"user_attr":{"pred_min":0.125}}"#,
        r#"{"op_code":6,"worker_id":"w","trial_id":1,"state":1,"values":[0.75],"datetime_complete":"2026-01-25T10:00:01+00:00"}"#,
        // What comes after the end, to studies that are gone and to trials that never were, is dropped.
        r#"{"op_code":6,"worker_id":"w","trial_id":1,"state":3,"values":null}"#,
        r#"{"op_code":5,"worker_id":"w","trial_id":1,"param_name":"lr","param_value_internal":0.9,RATE}"#,
        r#"{"op_code":6,"worker_id":"w","trial_id":0,"state":1,"values":[9.0]}"#,
        r#"{"op_code":6,"worker_id":"w","trial_id":7,"state":1,"values":[9.0]}"#,
        r#"{"op_code":4,"worker_id":"w","study_id":9,"datetime_start":null}"#,
        r#"{"op_code":10,"worker_id":"w"}"#,
        r#"{"op_code":4,"worker_id":"w","study_id":1,"datetime_start":null,"state":4,"system_attrs":{"fixed_params":{"lr":0.1}}}"#,
        // Of another kind than before.
        r#"{"op_code":5,"worker_id":"w","trial_id":2,"param_name":"lr","param_value_internal":1,"distribution":"{\"name\": \"IntDistribution\", \"attributes\": {\"low\": 0, \"high\": 1, \"log\": false, \"step\": 1}}"}"#,
        r#"{"op_code":6,"worker_id":"w","tri"#,
    ])
    .unwrap();
    assert_eq!((study.name.as_deref(), study.direction), (Some("a"), Direction::Maximize));
    let [complete, waiting] = study.trials.as_slice() else { panic!("two trials: {:?}", study.trials) };
    assert_eq!((complete.state, complete.value), (TrialState::Complete, Some(0.75)));
    assert_eq!(complete.params.to_string(), "lr=0.5");
    assert_eq!(complete.intermediate, [(1, 0.25)].into());
    assert_eq!(complete.started.unwrap().to_string(), "2026-01-25T10:00:00.5Z");
    assert_eq!(complete.completed.unwrap().to_string(), "2026-01-25T10:00:01Z");
    assert_eq!(complete.record.metrics["pred_min"], 0.125);
    assert_eq!((waiting.state, waiting.params.to_string().as_str()), (TrialState::Waiting, "lr=0.1"));
}

#[test]
fn a_damaged_journal_is_named() {
    let start = r#"{"op_code":0,"worker_id":"w","study_name":"a","directions":[2]}"#;
    let place = |line: &str| journal(&[start, line, start]).unwrap_err().to_string();
    for (line, expected) in [
        (r#"{"op_code":4,"#, "line 2, column"),
        ("[1]", "line 2: expected an object"),
        (r#"{"op_code":77}"#, "line 2, field `op_code`"),
        (r#"{"worker_id":"w"}"#, "line 2, field `op_code`"),
        (r#"{"op_code":4,"study_id":-1}"#, "line 2, field `study_id`"),
        (r#"{"op_code":4,"study_id":0,"state":9}"#, "line 2, field `state`"),
        (r#"{"op_code":4,"study_id":0,"datetime_start":"soon"}"#, "line 2, field `datetime_start`"),
        (r#"{"op_code":4,"study_id":0,"params":{"lr":1}}"#, "line 2, field `params.lr`"),
        (r#"{"op_code":0,"study_name":"b","directions":[]}"#, "line 2, field `directions`"),
    ] {
        let told = place(line);
        assert!(told.contains(expected), "{line}: {told}");
    }
    assert!(journal(&[start]).unwrap_err().to_string().ends_with("holds no trials"));
}
