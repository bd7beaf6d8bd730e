//! Tests of realistic and of malformed files.

mod journal;
mod kinds;
mod programs;
mod refused;
mod tables;

use std::path::Path;

use allometry_core::{Distribution, ParamValue, TrialState};

use super::*;

fn read_text(name: &str, text: &str) -> Result<ImportedStudy, ImportError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    read(&path, None, &Roles::default())
}

fn message(result: Result<ImportedStudy, ImportError>) -> String {
    let error = result.unwrap_err();
    let text = error.to_string();
    let name = text.rfind('/').map_or(0, |i| i + 1);
    format!("{} ({})", &text[name..], error.hint().unwrap_or_default())
}

fn params(study: &ImportedStudy) -> Vec<String> {
    study.trials.iter().map(|trial| trial.params.to_string()).collect()
}

/// Reads a file with the user's options for columns.
fn read_told(name: &str, text: &str, roles: &Roles<'_>) -> Result<ImportedStudy, ImportError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    read(&path, None, roles)
}

fn listed(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn json_keeps_states_values_and_attributes() {
    let study = read_text(
        "t.json",
        r#"[
          {"number": 1, "value": 0.7, "params": {"lr": 1e-05, "n": 2, "act": "gelu"},
           "state": "TrialState.COMPLETE",
           "user_attrs": {"pred_min": 0.1, "note": "NaN is \" fine"},
           "datetime_start": "2026-01-25T23:53:25.053461+00:00",
           "datetime_complete": "2026-01-25 23:54:00+00:00"},
          {"number": 0, "value": NaN, "params": {"lr": 0}, "state": "FAIL",
           "intermediate_values": {"1": -Infinity}}
        ]"#,
    )
    .unwrap();
    let [failed, complete] = study.trials.as_slice() else { panic!("two trials") };
    assert_eq!((failed.number.0, failed.state, failed.value()), (0, TrialState::Failed, None));
    assert_eq!(failed.intermediate[&1], f64::NEG_INFINITY);
    assert_eq!(complete.value(), Some(0.7));
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
         0,0.5,2026-01-01 00:00:00+00:00,32,0.1,0.9,COMPLETE\n1,,2026-01-02 03:04:05.5+00:00,64,0,,FAIL\n",
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
    let best = best_params::parse(text).unwrap();
    assert_eq!(best.params.unwrap().to_string(), "b=1 a=1e-05");
    assert_eq!(best.space.unwrap().get("b").unwrap().levels().unwrap().len(), 2);
    let bare = best_params::parse(r#"{"d_model": 96}"#).unwrap();
    assert_eq!(bare.params.unwrap().to_string(), "d_model=96");
    let none = best_params::parse(r#"{"best_params": null}"#).unwrap();
    assert_eq!((none.params, none.space), (None, None));
}

#[test]
fn malformed_files_say_where() {
    for (name, text, expected) in [
        (
            "t.json",
            "[\n{\"number\": 0, \"val",
            "t.json, line 2, column 18: EOF while parsing a string \
             (the file is truncated: write or copy it again)",
        ),
        (
            "t.json",
            "[{\"value\": \"x\"}]",
            "t.json, trial 0 of the list, field `value`: expected a number or null \
             (null stands for a missing value, and --metric names another field)",
        ),
        (
            "t.json",
            "[{\"value\": 1, \"params\": [1]}]",
            "t.json, trial 0 of the list, field `params`: expected an object \
             (write an object such as {\"lr\": 0.1} into the field, and no text of one)",
        ),
        (
            "t.json",
            "[{\"state\": \"GONE\"}]",
            "t.json, trial 0 of the list, field `state`: \
             expected the name of a trial's state (known states: COMPLETE, PRUNED, FAIL, RUNNING, WAITING, \
             and those of Weights & Biases, MLflow, Ray Tune and hyperopt)",
        ),
        (
            "t.json",
            "[]",
            "t.json holds no trials \
             (`list` and `import` take a study without trials if --direction is given)",
        ),
        (
            "t.csv",
            "number,value,d\n0,0.1,1\n1,0.2\n",
            "t.csv, line 3: 2 fields, but the header has 3 \
             (leave the cell of a missing value empty, but keep its comma)",
        ),
        (
            "t.json",
            "[{\"value\": NaN, \"params\": [}]",
            "t.json, line 1, column 28: expected value \
             (write it with a library, such as `json.dump` of Python)",
        ),
        (
            "t.json",
            "[{\"datetime_start\": \"soon\"}]",
            "t.json, trial 0 of the list, field `datetime_start`: expected a date and time \
             (write times as 2026-01-31 12:00:00, which is one of this machine's zone, or as \
             2026-01-31T12:00:00Z)",
        ),
        (
            "t.json",
            "[{\"user_attrs\": 1}]",
            "t.json, trial 0 of the list, field `user_attrs`: expected an object \
             (write an object such as {\"lr\": 0.1} into the field, and no text of one)",
        ),
        (
            "t.csv",
            "number,value\n0,high\n",
            "t.csv, line 2, column `value`: expected a number, found `high` \
             (leave the cell of a missing value empty, or name another column with --metric)",
        ),
        (
            "t.csv",
            "number,d_model\n0,32\n",
            "t.csv, line 1: no column holds the objective (name the objective with --metric: `d_model`)",
        ),
        (
            "t.txt",
            "hello",
            "t.txt is not a file of trials (known formats: Optuna's all_trials.json, its journals and SQLite \
             files, a .csv or .tsv of trials, a list of trials in JSON or YAML (each also compressed with \
             gzip), the folder of a Ray Tune experiment)",
        ),
    ] {
        assert_eq!(message(read_text(name, text)), expected);
    }
    assert!(matches!(
        read(Path::new("no/such.json"), None, &Roles::default()),
        Err(ImportError::Read { .. })
    ));
}

#[test]
fn of_several_objectives_all_values_are_read() {
    let values = |study: &ImportedStudy| {
        study.trials.iter().map(|trial| format!("{:?}", trial.values)).collect::<Vec<_>>()
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
    assert!(list.directions.is_empty(), "the file does not say which values are better");
}

/// The position of the best value among the values of the trials implies the direction.
#[test]
fn the_best_of_the_trials_tells_the_direction() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).unwrap();
        folder.path().join(name)
    };
    let trials = write("all_trials.json", r#"[{"value": 2.5}, {"value": 0.5}, {"value": 1.5}]"#);
    let direction = |best: &str| {
        let best = write("best_params.json", best);
        read(&trials, best.to_str(), &Roles::default()).unwrap().directions.first().copied()
    };
    assert_eq!(direction(r#"{"best_params": {}, "best_value": 0.5}"#), Some(Direction::Minimize));
    assert_eq!(direction(r#"{"best_params": {}, "best_trial": 0}"#), Some(Direction::Maximize));
    assert_eq!(direction(r#"{"best_params": {}, "best_trial": 2, "best_value": 1.5}"#), None);
    assert_eq!(direction(r#"{"best_params": {}}"#), None);
    assert_eq!(read(&trials, None, &Roles::default()).unwrap().directions, []);
}

#[test]
fn flat_lists_have_parameters_attributes_and_named_objectives() {
    let flat = r#"[{"number": 0, "value": 0.5, "params_lr": 0.1, "user_attrs_n_params": 1000,
        "state": "COMPLETE"}]"#;
    let flat = read_text("t.json", flat).unwrap();
    assert_eq!(params(&flat), ["lr=0.1"]);
    assert_eq!(flat.trials[0].record.size.unwrap().total, 1000);
    let without = message(read_text("t.json", r#"[{"params": {"lr": 0.1}, "final_metric": 0.34}]"#));
    assert!(
        without.contains("no trial has a field `value` (name the objective with --metric: `final_metric`)"),
        "{without}"
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.json");
    std::fs::write(&path, r#"[{"params": {"lr": 0.1}, "metrics": {"rmse": 0.34}}, {"params": {"lr": 0.2}}]"#)
        .unwrap();
    let named = read(&path, None, &Roles { metric: Some("rmse"), ..Roles::default() }).unwrap();
    assert_eq!((named.trials[0].value(), named.trials[1].state), (Some(0.34), TrialState::Failed));
}

/// Forms of `to_json` of pandas and of `optuna trials -f yaml`.
#[test]
fn lists_have_many_forms() {
    let forms = [
        r#"[{"number": 0, "value": 0.5, "params_lr": 0.1}, {"number": 1, "value": null, "params_lr": 0.2}]"#,
        "{\"number\": 0, \"value\": 0.5, \"params_lr\": 0.1}\n\
         {\"number\": 1, \"value\": null, \"params_lr\": 0.2}\n",
        r#"{"number": {"0": 0, "1": 1}, "value": {"0": 0.5, "1": null}, "params_lr": {"0": 0.1, "1": 0.2}}"#,
        r#"{"0": {"number": 0, "value": 0.5, "params_lr": 0.1},
            "1": {"number": 1, "value": null, "params_lr": 0.2}}"#,
        r#"{"columns": ["number", "value", "params_lr"], "index": [0, 1],
            "data": [[0, 0.5, 0.1], [1, null, 0.2]]}"#,
        r#"{"schema": {"fields": []},
            "data": [{"index": 0, "number": 0, "value": 0.5, "params_lr": 0.1},
                     {"index": 1, "number": 1, "value": null, "params_lr": 0.2}]}"#,
        "- number: 0\n  params_lr: 0.1\n  value: 0.5\n- number: 1\n  params_lr: 0.2\n  value: null\n",
        "---\n# of optuna trials\n- number: 0\n  params: {lr: 0.1}\n  value: 0.5\n\
         - number: 1\n  params: {lr: 0.2}\n  value: .nan\n",
    ];
    for form in forms {
        let study = read_text("t.json", form).unwrap_or_else(|error| panic!("{form}: {error}"));
        assert_eq!(params(&study), ["lr=0.1", "lr=0.2"], "{form}");
        assert_eq!(
            (study.trials[0].value(), study.trials[1].state),
            (Some(0.5), TrialState::Failed),
            "{form}"
        );
    }
    let named = r#"[{"number": 0, "values": {"acc": 0.5, "cost": 2}, "params": {"x": 1}},
        {"values": {}, "state": "FAIL"}]"#;
    let named = read_text("t.json", named).unwrap();
    assert_eq!(named.metric_names, ["acc", "cost"]);
    assert_eq!(named.trials[0].values, [0.5, 2.0]);
    // Optuna leaves out a parameter that a trial lacks, and writes null for the choice None.
    let none = r#"[{"value": 1, "params_c": null, "duration": "0:00:01"},
        {"value": 2, "params_c": "a", "duration": "0:00:01"}]"#;
    assert_eq!(params(&read_text("t.json", none).unwrap()), ["c=None", "c=a"]);
    let of_pandas = r#"[{"value": 1, "params_c": null, "datetime_start": 1704103200000},
        {"value": 2, "params_c": "a", "datetime_start": null}]"#;
    let of_pandas = read_text("t.json", of_pandas).unwrap();
    assert_eq!(params(&of_pandas), ["", "c=a"]);
    let clock = jiff::tz::TimeZone::system().to_datetime(of_pandas.trials[0].started.unwrap());
    assert_eq!(clock.to_string(), "2024-01-01T10:00:00");
    for (name, text, expected) in [
        ("t.yaml", "- a: [1\n", "t.yaml, line"),
        ("t.yaml", "- 3\n", "trial 0 of the list: expected an object"),
        ("t.json", r#"{"a": 1}"#, "expected a list of trials"),
        ("t.json", "{\"value\": 1, \"params_x\": 2}\n{\"value\": \n", "t.json, line 2, column"),
        (
            "t.json",
            r#"{"columns": ["value"], "data": [[1, 2]]}"#,
            "row 0 of `data`: 2 cells where there are 1 columns",
        ),
        (
            "t.json",
            r#"[{"value": "high", "params_x": 2}]"#,
            "trial 0 of the list, field `value`: expected a number or null",
        ),
        (
            "t.json",
            r#"[{"lr": 1}]"#,
            "no column holds the objective (name the objective with --metric: `lr`)",
        ),
    ] {
        let told = message(read_text(name, text));
        assert!(told.contains(expected), "{text}: {told}");
    }
}

/// The best configuration of a table or list with Optuna's constraints is the best one that meets them.
#[test]
fn constraints_in_files_are_kept() {
    let csv = "number,value,params_x,state,system_attrs_constraints,system_attrs_constraints:ms\n\
               0,0.9,1,COMPLETE,\"[0.5, -1.0]\",\n1,0.8,2,COMPLETE,\"(-0.5, -1e-05)\",-3.0\n\
               2,0.85,3,COMPLETE,,0.25\n3,0.7,4,COMPLETE,,\n";
    let json = r#"[
        {"number": 0, "value": 0.9, "params": {"x": 1}, "state": "COMPLETE",
         "system_attrs": {"constraints": [0.5, -1.0]}},
        {"number": 1, "value": 0.8, "params": {"x": 2}, "state": "COMPLETE",
         "system_attrs": {"constraints": [-0.5, -1e-05], "constraints:ms": -3.0}},
        {"number": 2, "value": 0.85, "params": {"x": 3}, "state": "COMPLETE",
         "system_attrs": {"constraints:ms": 0.25}},
        {"number": 3, "value": 0.7, "params": {"x": 4}, "state": "COMPLETE"}]"#;
    let ours = [
        (0.9, r#"{"0": 0.5, "1": -1.0}"#),
        (0.8, r#"{"0": -0.5, "1": -1e-05, "ms": -3.0}"#),
        (0.85, r#"{"ms": 0.25}"#),
        (0.7, "{}"),
    ];
    let line = |(number, (value, constraints)): (usize, (f64, &str))| {
        let x = number + 1;
        format!(
            "{{\"number\": {number}, \"value\": {value}, \"params\": {{\"x\": {x}}}, \
             \"state\": \"complete\", \"constraints\": {constraints}}}"
        )
    };
    let ours = ours.into_iter().enumerate().map(line).collect::<Vec<_>>().join("\n");
    for (name, text) in [("t.csv", csv), ("t.json", json), ("ours.json", &ours)] {
        let trials = read_text(name, text).unwrap().trials;
        let seen: Vec<String> = trials.iter().map(|trial| trial.constraints().to_string()).collect();
        let expected =
            [r#"{"0": 0.5, "1": -1.0}"#, r#"{"0": -0.5, "1": -1e-05, "ms": -3.0}"#, r#"{"ms": 0.25}"#, "{}"];
        assert_eq!(seen, expected, "{name}");
        let best = allometry_core::incumbent(&trials, allometry_core::Direction::Maximize).unwrap();
        assert_eq!(best.number.0, 1, "{name}");
    }
    let of = |said: &str| {
        let text = format!(
            r#"[{{"number": 0, "value": 1, "params": {{"x": 1}}, "state": "COMPLETE",
                "constraints": {said}}}]"#
        );
        read_text("t.json", &text).map(|study| study.trials[0].constraints().to_string())
    };
    assert_eq!(of("[-1, null]").unwrap(), r#"{"0": -1.0, "1": NaN}"#);
    for bad in ["1", "[\"a\"]", "{\"a\": []}"] {
        let error = of(bad).unwrap_err().to_string();
        assert!(error.contains("trial 0 of the list, field `constraints`"), "{error}");
    }
}

#[test]
fn directions_beside_a_list_count() {
    let trial = r#"{"number": 0, "value": 0.5, "params": {"x": 1}, "state": "COMPLETE"}"#;
    for said in [r#""directions": ["minimize"]"#, r#""direction": "minimize""#] {
        let study = read_text("t.json", &format!(r#"{{"trials": [{trial}], {said}}}"#)).unwrap();
        assert_eq!(study.directions, [allometry_core::Direction::Minimize], "{said}");
    }
    let refused = message(read_text("t.json", &format!(r#"{{"trials": [{trial}], "directions": "down"}}"#)));
    assert!(refused.contains("field `directions`: expected a list of maximize and minimize"), "{refused}");
}

#[test]
fn constraints_that_are_no_numbers_are_refused_or_counted() {
    let list = |said: &str| {
        let text = r#"[{"value": 1, "params": {"x": 1}, "system_attrs": {"constraints": SAID}}]"#;
        read_text("t.json", &text.replace("SAID", said))
    };
    let table = |cell: &str| {
        read_text("t.csv", &format!("number,value,params_x,system_attrs_constraints\n0,1,1,\"{cell}\"\n"))
    };
    for bad in [r#""bad""#, "[[1]]", r#"["a"]"#, r#"{"a": 1}"#, "[1, {}]"] {
        let told = message(list(bad));
        let place = "t.json, trial 0, system attribute `constraints`: expected a list of numbers, found ";
        assert!(told.starts_with(&format!("{place}{bad} (")), "{told}");
    }
    for bad in ["bad", "[[1]]", "['a']"] {
        assert!(
            message(table(bad)).contains("system attribute `constraints`: expected a list of numbers"),
            "{bad}"
        );
    }
    for odd in [list("[null]"), list("[NaN, -1]"), table("nan"), table("[None]")] {
        let study = odd.unwrap();
        assert!(!study.trials[0].is_feasible());
        let notes: Vec<String> = study.notes.iter().map(ToString::to_string).collect();
        assert_eq!(notes, ["trials with a constraint that is not a number, which count as infeasible: 1"]);
    }
    for fine in [list("[-1.0, 0]"), list("null"), list("[false]"), list("-2"), table("(-1.0,)"), table("[]")]
    {
        let study = fine.unwrap();
        assert!(study.trials[0].is_feasible() && study.notes.is_empty(), "{:?}", study.notes);
    }
}

#[test]
fn an_empty_file_is_called_empty() {
    for name in ["t.csv", "t.json", "t.yaml", "t.db"] {
        for text in ["", " \n\n"] {
            let told = message(read_text(name, text));
            assert_eq!(told, format!("{name} is empty (write or copy the file again)"), "{text:?}");
        }
    }
}
