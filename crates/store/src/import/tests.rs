//! Files of trials as they are met, and as they should not be.

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

#[test]
fn json_keeps_states_values_and_attributes() {
    let study = read_text(
        "t.json",
        r#"[
          {"number": 1, "value": 0.7, "params": {"lr": 1e-05, "n": 2, "act": "gelu"}, "state": "TrialState.COMPLETE",
           "user_attrs": {"pred_min": 0.1, "note": "NaN is \" fine"}, "datetime_start": "2026-01-25T23:53:25.053461+00:00",
           "datetime_complete": "2026-01-25 23:54:00+00:00"},
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
            "t.json, line 2, column 18: EOF while parsing a string (the file is cut off: write or copy it again)",
        ),
        (
            "t.json",
            "[{\"value\": \"x\"}]",
            "t.json, trial 0 of the list, field `value`: expected a number or null ()",
        ),
        (
            "t.json",
            "[{\"value\": 1, \"params\": [1]}]",
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
            "t.csv, line 1: no column holds the objective (name the objective with --metric: `d_model`)",
        ),
        (
            "t.txt",
            "hello",
            "t.txt is no file of trials (known kinds: Optuna's all_trials.json, its journals and SQLite files, a .csv or .tsv of trials, a list of trials in JSON or YAML (any of them packed by gzip), the folder of a Ray Tune experiment)",
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

/// What the best of a file of best parameters is among the trials says which values are better.
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
        read(&trials, best.to_str(), &Roles::default()).unwrap().direction
    };
    assert_eq!(direction(r#"{"best_params": {}, "best_value": 0.5}"#), Some(Direction::Minimize));
    assert_eq!(direction(r#"{"best_params": {}, "best_trial": 0}"#), Some(Direction::Maximize));
    assert_eq!(direction(r#"{"best_params": {}, "best_trial": 2, "best_value": 1.5}"#), None);
    assert_eq!(direction(r#"{"best_params": {}}"#), None);
    assert_eq!(read(&trials, None, &Roles::default()).unwrap().direction, None);
}

fn params(study: &ImportedStudy) -> Vec<String> {
    study.trials.iter().map(|trial| trial.params.to_string()).collect()
}

#[test]
fn headers_are_known_in_any_case_and_on_two_levels() {
    let capital = read_text("t.csv", "Number,Value,State,lr\n0,0.5,COMPLETE,0.1\n1,0.9,FAIL,0.2\n").unwrap();
    assert_eq!(params(&capital), ["lr=0.1", "lr=0.2"]);
    assert_eq!(capital.trials[1].state, TrialState::Failed);
    let levels = "number,value,params,params,user_attrs,state\n,,lr,n,note,\n0,0.5,0.1,3,7,COMPLETE\n";
    let levels = read_text("t.csv", levels).unwrap();
    assert_eq!(params(&levels), ["lr=0.1 n=3"]);
    assert_eq!(levels.trials[0].record.metrics["note"], 7.0);
    let repeated = message(read_text("t.csv", "value,lr,lr\n0.5,1,2\n"));
    assert!(repeated.contains("two columns are called `lr`"), "{repeated}");
}

#[test]
fn tables_of_other_tools_keep_parameters_apart_from_results() {
    let wandb = "\"Name\",\"State\",\"Created\",\"Runtime\",\"Sweep\",\"lr\",\"batch_size\",\"val_loss\",\"acc\"\n\
                 a,finished,2025-01-01T10:00:00.000Z,45,,0.1,32,0.5,0.7\nb,crashed,2025-01-01,2,,0.2,64,0.4,0.9\n";
    let folder = tempfile::tempdir().unwrap();
    let read_as = |metric: &str, text: &str| {
        let path = folder.path().join("t.csv");
        std::fs::write(&path, text).unwrap();
        read(&path, None, &Roles { metric: Some(metric), ..Roles::default() })
    };
    let runs = read_as("val_loss", wandb).unwrap();
    assert_eq!(params(&runs), ["lr=0.1 batch_size=32", "lr=0.2 batch_size=64"]);
    assert_eq!((runs.trials[0].value, runs.trials[1].state), (Some(0.5), TrialState::Failed));
    assert_eq!(runs.trials[0].record.metrics["acc"], 0.7);
    assert_eq!(runs.metric_names, Some(vec!["val_loss".into()]));
    let ray = read_as(
        "loss",
        "loss,training_iteration,trial_id,pid,config/lr,time_total_s\n0.25,3,ab,77,0.1,2.5\n",
    )
    .unwrap();
    assert_eq!((params(&ray), ray.trials[0].value), (vec!["lr=0.1".into()], Some(0.25)));
    let mlflow = "run_id,status,params.lr,metrics.rmse,tags.user\nx,FINISHED,0.1,3.5,me\ny,FAILED,0.2,,me\n";
    let mlflow = read_as("rmse", mlflow).unwrap();
    assert_eq!((params(&mlflow)[1].as_str(), mlflow.trials[0].value), ("lr=0.2", Some(3.5)));
    let missing = read_as("mae", wandb).unwrap_err();
    assert!(missing.to_string().contains("no column is called `mae`"), "{missing}");
    assert!(missing.hint().unwrap().contains("`val_loss`"));
}

/// What pandas writes of the dictionaries that the interface of W&B gives, and of the results of hyperopt.
#[test]
fn dictionaries_in_cells_are_unfolded() {
    let wandb = ",summary,config,name,state\n\
        0,\"{'loss': 0.5, '_runtime': 3}\",\"{'lr': 0.1, 'act': 'relu', 'deep': True}\",brisk-1,finished\n\
        1,\"{'loss': 0.25, '_runtime': 4}\",\"{'lr': 1e-3, 'act': 'gelu', 'deep': False}\",calm-2,crashed\n";
    let roles = Roles { metric: Some("loss"), ..Roles::default() };
    let runs = read_told("t.csv", wandb, &roles).unwrap();
    assert_eq!(params(&runs), ["lr=0.1 act=relu deep=True", "lr=0.001 act=gelu deep=False"]);
    assert_eq!((runs.trials[0].value, runs.trials[1].state), (Some(0.5), TrialState::Failed));
    assert_eq!(runs.trials[0].record.metrics["_runtime"], 3.0);
    let list = r#"[{"name": "a", "config": {"lr": 0.1}, "summary": {"loss": 0.5}}]"#;
    assert_eq!(params(&read_told("t.json", list, &roles).unwrap()), ["lr=0.1"]);
    let hyperopt = r#"[{"loss": 0.5, "status": "ok"}, {"loss": null, "status": "fail"}]"#;
    let hyperopt = read_told("t.json", hyperopt, &roles).unwrap();
    assert_eq!(
        (hyperopt.trials[0].state, hyperopt.trials[1].state),
        (TrialState::Complete, TrialState::Failed)
    );
    let wrong = "summary,config\n\"{'loss': 'high'}\",\"{'lr': 0.1}\"\n";
    let wrong = message(read_told("t.csv", wrong, &roles));
    assert!(wrong.contains("trial 0 of the list, field `summary.loss`: expected a number"), "{wrong}");
}

/// What `trials_dataframe` and pandas write of dictionaries and sets.
#[test]
fn cells_that_python_shows_are_read() {
    let table = "number,value,params_n,distributions_n,system_attrs_fixed_params,user_attrs_allometry:record,state\n\
                 0,0.5,8,\"IntDistribution(high=8, log=False, low=1, step=1)\",,\"{'size': None, 'seed': 5, 'origin': 'random', 'metrics': {}}\",COMPLETE\n\
                 1,,,,{'n': 3},,WAITING\n";
    let study = read_text("t.csv", table).unwrap();
    let [complete, waiting] = study.trials.as_slice() else { panic!("two trials") };
    assert_eq!(complete.distributions["n"], Distribution::Int { low: 1, high: 8, log: false, step: 1 });
    assert_eq!(complete.record.seed, Some(5));
    assert_eq!(complete.record.origin, Some(allometry_core::Origin::Random));
    assert_eq!(
        (waiting.state, waiting.system_attributes["fixed_params"].as_str()),
        (TrialState::Waiting, r#"{"n": 3}"#)
    );
}

#[test]
fn delimiters_and_decimal_commas_are_told() {
    let semicolons = read_text("t.csv", "number;value;params_lr\n0;0,5;0,1\n1;0,25;1e-3\n").unwrap();
    assert_eq!((params(&semicolons)[0].as_str(), semicolons.trials[1].value), ("lr=0.1", Some(0.25)));
    let tabs = read_text("t.tsv", "number\tvalue\tparams_act\n0\t0.5\ta,b\n").unwrap();
    assert_eq!((params(&tabs)[0].as_str(), tabs.trials[0].value), ("act=a,b", Some(0.5)));
}

#[test]
fn whole_numbers_of_a_column_with_holes_are_integers() {
    let holes = read_text(
        "t.csv",
        "number,value,params_units,params_p,state\n0,0.5,16.0,0.5,COMPLETE\n1,,,1.0,FAIL\n",
    )
    .unwrap();
    assert_eq!(params(&holes), ["units=16 p=0.5", "p=1.0"]);
    let whole = read_text("t.csv", "number,value,params_x\n0,0.5,16.0\n1,0.5,2.0\n").unwrap();
    assert_eq!(params(&whole), ["x=16.0", "x=2.0"], "without holes pandas writes integers as they are");
}

#[test]
fn flat_lists_have_parameters_attributes_and_named_objectives() {
    let flat = r#"[{"number": 0, "value": 0.5, "params_lr": 0.1, "user_attrs_n_params": 1000, "state": "COMPLETE"}]"#;
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
    assert_eq!((named.trials[0].value, named.trials[1].state), (Some(0.34), TrialState::Failed));
}

/// Reads a file with what the user says of its columns.
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
fn listed_columns_alone_are_parameters() {
    let plain = "number,value,lr,depth,seed,note\n0,0.5,0.1,3,7,a\n";
    let guessed = read_told("t.csv", plain, &Roles::default()).unwrap();
    assert_eq!(guessed.notes, [Note::Guessed { params: listed(&["lr", "depth", "seed", "note"]) }]);
    let names = listed(&["depth", "lr"]);
    let told = |text: &str| {
        let study = read_told("t", text, &Roles { params: &names, ..Roles::default() });
        let study =
            study.or_else(|_| read_told("t.csv", text, &Roles { params: &names, ..Roles::default() }));
        let study = study.unwrap();
        let trial = &study.trials[0];
        let attributes: Vec<String> = trial.user_attributes.iter().map(|(k, v)| format!("{k}={v}")).collect();
        assert_eq!(study.notes, []);
        format!("{} | {}", trial.params, attributes.join(" "))
    };
    let expected = "lr=0.1 depth=3 | note=\"a\" seed=7";
    assert_eq!(told(plain), expected);
    let optuna = "number,value,params_lr,params_depth,params_seed,user_attrs_note\n0,0.5,0.1,3,7,a\n";
    assert_eq!(told(optuna), expected);
    let flat = r#"[{"value": 0.5, "lr": 0.1, "depth": 3, "seed": 7, "note": "a"}]"#;
    assert_eq!(told(flat), expected);
    let nested = r#"[{"value": 0.5, "params": {"lr": 0.1, "depth": 3, "seed": 7}, "note": "a"}]"#;
    assert_eq!(told(nested), expected);
    let beside = r#"[{"value": 0.5, "params": {"lr": 0.1, "seed": 7}, "depth": 3, "note": "a"}]"#;
    assert_eq!(told(beside), expected);

    let refused = |names: &[&str], text: &str| {
        let names = listed(names);
        message(read_told("t.csv", text, &Roles { params: &names, ..Roles::default() }))
    };
    assert_eq!(
        refused(&["lr", "width"], "value,lr\n1,2\n"),
        "t.csv, line 1: no column is called `width`, which --params names (its columns are `value`, `lr`)"
    );
    assert!(refused(&["value"], "value,lr\n1,2\n").contains("`value` holds the objective"));
    assert!(refused(&["lr"], r#"[{"value": 1, "params": {"x": 1}}]"#).contains("no trial has a `lr`"));
    assert!(
        refused(&["lr"], r#"{"op_code":0,"worker_id":"w","study_name":"a","directions":[1]}"#)
            .contains("its trials say which are their parameters")
    );
}

#[test]
fn a_column_or_attribute_of_any_name_holds_the_size() {
    let size = |name: &str, wanted: &str, text: &str| {
        let study = read_told(name, text, &Roles { size: Some(wanted), ..Roles::default() })?;
        let trial = &study.trials[0];
        Ok(format!("{} {}", trial.record.size.map_or(0, |size| size.total), trial.params))
    };
    let csv = |wanted: &str| size("t.csv", wanted, "value,lr,model_size\n0.5,0.1,1.2e6\n0.4,0.1,\n");
    assert_eq!(csv("model_size").unwrap(), "1200000 lr=0.1", "what holds sizes is no parameter");
    let known = size("t.csv", "n_params", "value,lr,n_params\n0.5,0.1,7\n");
    assert_eq!(known.unwrap(), "7 lr=0.1");
    let marked = size("t.csv", "summary.total", "Name,config.lr,summary.total,value\na,0.1,9,0.5\n");
    assert_eq!(marked.unwrap(), "9 lr=0.1");
    let param = size("t.csv", "width", "value,params_lr,params_width\n0.5,0.1,64\n");
    assert_eq!(param.unwrap(), "64 lr=0.1 width=64");
    let nested = r#"[{"value": 0.5, "params": {"lr": 1}, "user_attrs": {"total": 11}}]"#;
    assert_eq!(size("t.json", "total", nested).unwrap(), "11 lr=1");
    let refused = |result: Result<String, ImportError>| {
        let error = result.unwrap_err();
        format!("{error} ({})", error.hint().unwrap_or_default())
    };
    assert!(refused(csv("weight")).contains("its trials: none has a `weight`, which --size names"));
    let words = refused(size("t.csv", "s", "value,x,s\n0.5,1,big\n"));
    assert!(words.contains("trial 0, `s`: expected a number of weights, found \"big\""), "{words}");
    assert!(refused(size("t.csv", "s", "value,x,s\n0.5,1,0.5\n")).contains("found 0.5"));
}

#[test]
fn tables_are_read_packed_and_in_any_usual_encoding() {
    use std::io::Write as _;
    let text = "number;value;params_größe;user_attrs_note\n0;0,5;3;é\n";
    let folder = tempfile::tempdir().unwrap();
    let read_bytes = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let study = read(&path, None, &Roles::default()).unwrap();
        assert_eq!(params(&study), ["größe=3"], "{name}");
        assert_eq!(study.trials[0].value, Some(0.5));
        study.notes
    };
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    let packed = encoder.finish().unwrap();
    assert_eq!(read_bytes("t.csv.gz", &packed), []);
    assert_eq!(read_bytes("t.csv", &packed), [], "what is packed is told by the content");
    let wide: Vec<u8> =
        "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    assert_eq!(read_bytes("wide.csv", &wide), []);
    let latin = text.replace('ö', "\u{1}").replace('ß', "\u{2}").replace('é', "\u{3}").into_bytes();
    let latin: Vec<u8> = latin
        .into_iter()
        .map(|b| match b {
            1 => 0xf6,
            2 => 0xdf,
            3 => 0xe9,
            other => other,
        })
        .collect();
    assert_eq!(read_bytes("latin.csv", &latin), [Note::Latin1 { characters: 3 }]);
    let list = r#"[{"value": 0.5, "params": {"größe": 3}}]"#;
    let wide: Vec<u8> =
        "\u{feff}".encode_utf16().chain(list.encode_utf16()).flat_map(u16::to_be_bytes).collect();
    assert_eq!(read_bytes("wide.json", &wide), []);
}

/// What `to_json` of pandas and `optuna trials -f yaml` write.
#[test]
fn lists_have_many_forms() {
    let forms = [
        r#"[{"number": 0, "value": 0.5, "params_lr": 0.1}, {"number": 1, "value": null, "params_lr": 0.2}]"#,
        "{\"number\": 0, \"value\": 0.5, \"params_lr\": 0.1}\n{\"number\": 1, \"value\": null, \"params_lr\": 0.2}\n",
        r#"{"number": {"0": 0, "1": 1}, "value": {"0": 0.5, "1": null}, "params_lr": {"0": 0.1, "1": 0.2}}"#,
        r#"{"0": {"number": 0, "value": 0.5, "params_lr": 0.1}, "1": {"number": 1, "value": null, "params_lr": 0.2}}"#,
        r#"{"columns": ["number", "value", "params_lr"], "index": [0, 1], "data": [[0, 0.5, 0.1], [1, null, 0.2]]}"#,
        r#"{"schema": {"fields": []}, "data": [{"index": 0, "number": 0, "value": 0.5, "params_lr": 0.1}, {"index": 1, "number": 1, "value": null, "params_lr": 0.2}]}"#,
        "- number: 0\n  params_lr: 0.1\n  value: 0.5\n- number: 1\n  params_lr: 0.2\n  value: null\n",
        "---\n# of optuna trials\n- number: 0\n  params: {lr: 0.1}\n  value: 0.5\n- number: 1\n  params: {lr: 0.2}\n  value: .nan\n",
    ];
    for form in forms {
        let study = read_text("t.json", form).unwrap_or_else(|error| panic!("{form}: {error}"));
        assert_eq!(params(&study), ["lr=0.1", "lr=0.2"], "{form}");
        assert_eq!((study.trials[0].value, study.trials[1].state), (Some(0.5), TrialState::Failed), "{form}");
    }
    let named = r#"[{"number": 0, "values": {"acc": 0.5, "cost": 2}, "params": {"x": 1}}, {"values": {}, "state": "FAIL"}]"#;
    let named = read_text("t.json", named).unwrap();
    assert_eq!(named.metric_names, Some(listed(&["acc", "cost"])));
    assert_eq!(named.trials[0].values(), [0.5, 2.0]);
    // Optuna leaves a parameter out that a trial lacks, and writes null for the choice None.
    let none = r#"[{"value": 1, "params_c": null, "duration": "0:00:01"}, {"value": 2, "params_c": "a", "duration": "0:00:01"}]"#;
    assert_eq!(params(&read_text("t.json", none).unwrap()), ["c=None", "c=a"]);
    let of_pandas = r#"[{"value": 1, "params_c": null, "datetime_start": 1704103200000}, {"value": 2, "params_c": "a", "datetime_start": null}]"#;
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
    assert_eq!((study.name.as_deref(), study.direction), (Some("a"), Some(Direction::Maximize)));
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

/// Constraints of Optuna in a table and in a list: the best configuration is the best one that meets them.
#[test]
fn constraints_in_files_are_kept() {
    let csv = "number,value,params_x,state,system_attrs_constraints,system_attrs_constraints:ms\n\
               0,0.9,1,COMPLETE,\"[0.5, -1.0]\",\n1,0.8,2,COMPLETE,\"(-0.5, -1e-05)\",-3.0\n\
               2,0.85,3,COMPLETE,,0.25\n3,0.7,4,COMPLETE,,\n";
    let json = r#"[
        {"number": 0, "value": 0.9, "params": {"x": 1}, "state": "COMPLETE", "system_attrs": {"constraints": [0.5, -1.0]}},
        {"number": 1, "value": 0.8, "params": {"x": 2}, "state": "COMPLETE",
         "system_attrs": {"constraints": [-0.5, -1e-05], "constraints:ms": -3.0}},
        {"number": 2, "value": 0.85, "params": {"x": 3}, "state": "COMPLETE", "system_attrs": {"constraints:ms": 0.25}},
        {"number": 3, "value": 0.7, "params": {"x": 4}, "state": "COMPLETE"}]"#;
    let ours = r#"{"number": 0, "value": 0.9, "params": {"x": 1}, "state": "complete", "constraints": {"0": 0.5, "1": -1.0}}
        {"number": 1, "value": 0.8, "params": {"x": 2}, "state": "complete", "constraints": {"0": -0.5, "1": -1e-05, "ms": -3.0}}
        {"number": 2, "value": 0.85, "params": {"x": 3}, "state": "complete", "constraints": {"ms": 0.25}}
        {"number": 3, "value": 0.7, "params": {"x": 4}, "state": "complete", "constraints": {}}"#;
    for (name, text) in [("t.csv", csv), ("t.json", json), ("ours.json", ours)] {
        let trials = read_text(name, text).unwrap().trials;
        let seen: Vec<String> = trials.iter().map(|trial| trial.constraints().to_string()).collect();
        let expected =
            [r#"{"0": 0.5, "1": -1.0}"#, r#"{"0": -0.5, "1": -1e-05, "ms": -3.0}"#, r#"{"ms": 0.25}"#, "{}"];
        assert_eq!(seen, expected, "{name}");
        let best = allometry_core::trial::incumbent(&trials, allometry_core::Direction::Maximize).unwrap();
        assert_eq!(best.number.0, 1, "{name}");
    }
    let of = |said: &str| {
        let text = format!(
            r#"[{{"number": 0, "value": 1, "params": {{"x": 1}}, "state": "COMPLETE", "constraints": {said}}}]"#
        );
        read_text("t.json", &text).map(|study| study.trials[0].constraints().to_string())
    };
    assert_eq!(of("[-1, null]").unwrap(), r#"{"0": -1.0, "1": NaN}"#);
    for bad in ["1", "[\"a\"]", "{\"a\": []}"] {
        let error = of(bad).unwrap_err().to_string();
        assert!(error.contains("trial 0 of the list, field `constraints`"), "{error}");
    }
}

/// pandas calls the value of a study with a named metric after it, on one level or two, and Optuna lists it as an object.
#[test]
fn the_value_of_a_named_metric_is_found() {
    let texts = [
        ("t.csv", "number,value_val_loss,params_x,state\n0,0.5,1,COMPLETE\n"),
        ("t.csv", "number,value,params,state\n,val_loss,x,\n0,0.5,1,COMPLETE\n"),
        ("t.json", r#"[{"number": 0, "value_val_loss": 0.5, "params_x": 1, "state": "COMPLETE"}]"#),
        ("t.json", r#"[{"number": 0, "value": {"val_loss": 0.5}, "params": {"x": 1}, "state": "COMPLETE"}]"#),
    ];
    for (name, text) in texts {
        let study = read_text(name, text).unwrap();
        assert_eq!(study.trials[0].value, Some(0.5), "{text}");
        assert_eq!(study.metric_names, Some(vec!["val_loss".to_owned()]), "{text}");
        assert_eq!(study.trials[0].params.to_string(), "x=1", "{text}");
    }
    let wrong = "number,params_x,distributions_x,system_attrs_a,user_attrs_y,state\n0,1,,,2,COMPLETE\n";
    let hint = message(read_text("t.csv", wrong));
    assert!(hint.ends_with("name the objective with --metric: `user_attrs_y`)"), "{hint}");
}

#[test]
fn a_quote_that_is_never_closed_is_refused() {
    let open = "number,value,params_x,params_note\n0,0.5,1,ok\n1,0.1,2,\"5 inch\n2,0.2,3,ok\n";
    assert_eq!(
        message(read_text("t.csv", open)),
        "t.csv, line 3: a quote that is never closed (close it, or write a quote within a cell twice)"
    );
    for fine in ["\"a \"\"quoted\"\" word\"", "5\" long", "\"two\nlines\"", "\"\""] {
        let text = format!("number,value,params_x,params_note\n0,0.5,1,{fine}\n1,0.1,2,b\n");
        assert_eq!(read_text("t.csv", &text).unwrap().trials.len(), 2, "{fine}");
    }
}

#[test]
fn none_is_a_choice_where_its_set_says_so() {
    let text = "number,value,params_k,distributions_k,state\n\
         0,0.5,a,\"CategoricalDistribution(choices=('a', None))\",COMPLETE\n\
         1,0.5,,\"CategoricalDistribution(choices=('a', None))\",COMPLETE\n2,0.5,,,COMPLETE\n";
    let study = read_text("t.csv", text).unwrap();
    let of = |trial: usize| study.trials[trial].params.get("k").cloned();
    assert_eq!((of(0), of(1), of(2)), (Some("a".into()), Some(ParamValue::Null), None));
}

#[test]
fn sets_as_pandas_writes_their_objects_are_read() {
    let text = r#"[{"number": 0, "value": 0.5, "state": "COMPLETE", "params_n": 2, "params_x": 0.5, "params_k": null,
        "distributions_n": {"high": 8, "log": false, "low": 1, "step": 1},
        "distributions_x": {"high": 1.0, "log": false, "low": 0.0, "step": null},
        "distributions_k": {"choices": ["a", null]}}]"#;
    let study = read_text("t.json", text).unwrap();
    let shown: Vec<String> =
        study.space.unwrap().iter().map(|(name, set)| format!("{name}: {set}")).collect();
    assert_eq!(shown.join(", "), "n: { int = [1, 8] }, x: { float = [0.0, 1.0] }, k: ['a', None]");
    assert_eq!(study.trials[0].params.get("k"), Some(&ParamValue::Null));
}

#[test]
fn values_lie_in_their_recorded_sets() {
    let text = r#"[{"number": 0, "value": 0.5, "state": "COMPLETE", "params": {"lr": 5.0}, "distributions":
        {"lr": {"name": "FloatDistribution", "attributes": {"low": 0.0, "high": 1.0, "log": false, "step": null}}}}]"#;
    let refused = message(read_text("t.json", text));
    assert!(refused.contains("`distributions.lr`: expected a distribution that has 5.0"), "{refused}");
}

#[test]
fn directions_beside_a_list_count() {
    let trial = r#"{"number": 0, "value": 0.5, "params": {"x": 1}, "state": "COMPLETE"}"#;
    for said in [r#""directions": ["minimize"]"#, r#""direction": "minimize""#] {
        let study = read_text("t.json", &format!(r#"{{"trials": [{trial}], {said}}}"#)).unwrap();
        assert_eq!(study.direction, Some(allometry_core::Direction::Minimize), "{said}");
    }
    let refused = message(read_text("t.json", &format!(r#"{{"trials": [{trial}], "directions": "down"}}"#)));
    assert!(refused.contains("field `directions`: expected a list of maximize and minimize"), "{refused}");
}

/// Other queued values would be outside a set that follows from the values that were tried.
#[test]
fn queued_values_are_of_the_inferred_set() {
    let text = "number,value,params_lr,system_attrs_fixed_params,state\n\
         0,0.5,0.001,,COMPLETE\n1,0.6,0.01,,COMPLETE\n2,,,{'lr': 3e-05},WAITING\n";
    let study = read_text("t.csv", text).unwrap();
    assert_eq!(study.trials[2].params.to_string(), "lr=3e-05");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    std::fs::write(&path, text).unwrap();
    let directions =
        SaidDirections { in_order: vec![allometry_core::Direction::Minimize], ..SaidDirections::default() };
    let assumed = Assumed { directions, ..Assumed::default() };
    let whole = read_whole(&path, None, &assumed).unwrap().remove(0).study;
    let (_, _, set) = &whole.trials[0].template.params[0];
    assert!(set.contains("3e-05"), "{set}");
}

/// Whoever takes a queued trial may not have asked for its values yet.
#[test]
fn a_running_trial_without_sets_hides_no_space() {
    let text = r#"[{"number": 0, "value": 0.5, "state": "COMPLETE", "params": {"x": 0.5}, "distributions":
        {"x": {"name": "FloatDistribution", "attributes": {"low": 0.0, "high": 1.0, "log": false, "step": null}}}},
        {"number": 1, "state": "RUNNING", "params": {"x": 0.25}}]"#;
    assert!(read_text("t.json", text).unwrap().space.is_some());
}

/// Columns that W&B adds to what a run logs.
#[test]
fn columns_of_a_run_of_wandb_are_no_parameters() {
    let text = "Name,State,val_loss,lr,_runtime,_timestamp,_step,_wandb\na,finished,0.5,0.1,3,4,5,{}\n";
    let roles = Roles { metric: Some("val_loss"), ..Roles::default() };
    assert_eq!(params(&read_told("t.csv", text, &roles).unwrap()), ["lr=0.1"]);
}

/// Ray Tune's `progress.csv` has a row an iteration.
#[test]
fn iterations_of_a_trial_are_its_intermediate_values() {
    let text = "loss,training_iteration,trial_id,config/lr,done\n1.0,1,a,0.1,False\n2.0,1,b,0.2,False\n\
         0.2,3,a,0.1,True\n0.5,2,a,0.1,False\n1.5,2,b,0.2,True\n";
    let roles = Roles { metric: Some("loss"), ..Roles::default() };
    let study = read_told("progress.csv", text, &roles).unwrap();
    let [a, b] = study.trials.as_slice() else { panic!("two trials: {:?}", study.trials) };
    assert_eq!((a.value, b.value), (Some(0.2), Some(1.5)));
    assert_eq!(a.intermediate, [(1, 1.0), (2, 0.5), (3, 0.2)].into_iter().collect());
    assert_eq!((b.number.0, b.params.to_string()), (1, "lr=0.2".to_owned()));
    assert!(study.notes.iter().any(|note| note.to_string().starts_with("5 rows are iterations of 2 trials")));
}

/// An integer that no parameter has a place for is never a float in silence.
#[test]
fn integers_beyond_64_bits_are_refused_with_their_place() {
    let huge = "12345678901234567890123";
    for (name, text, place) in [
        ("t.json", r#"[{"value": 1, "params": {"x": HUGE}}]"#, "trial 0 of the list, parameter `x`"),
        ("t.json", r#"[{"value": 1, "params_x": HUGE}]"#, "trial 0 of the list, parameter `x`"),
        ("t.json", r#"[{"value": 1, "params": {"x": ["a", HUGE]}}]"#, "trial 0 of the list, parameter `x`"),
        ("t.yaml", "- {value: 1, params_x: HUGE}\n", "trial 0 of the list, parameter `x`"),
        ("t.csv", "number,value,params_x\n0,1,2\n1,1,HUGE\n", "line 3, column `params_x`"),
        ("t.csv", "Name,State,loss,config\na,finished,1,{'x': HUGE}\n", "trial 0 of the list, parameter `x`"),
        (
            "t.json",
            r#"[{"state": "WAITING", "system_attrs": {"fixed_params": {"x": HUGE}}}]"#,
            "trial 0, system attribute `fixed_params`",
        ),
    ] {
        for digits in [huge, "9223372036854775808", "-9223372036854775809"] {
            let roles = Roles { metric: text.contains("loss").then_some("loss"), ..Roles::default() };
            let told = message(read_told(name, &text.replace("HUGE", digits), &roles));
            assert!(
                told.contains(&format!("{name}, {place}: expected a parameter's value, found {digits}")),
                "{told}"
            );
            assert!(told.contains("beyond 64 bits (write it as a text"), "{told}");
        }
        let fits = text.replace("HUGE", "9223372036854775807");
        let roles = Roles { metric: text.contains("loss").then_some("loss"), ..Roles::default() };
        let shown = read_told(name, &fits, &roles).unwrap().trials.pop().unwrap().params.to_string();
        assert!(shown.contains("9223372036854775807"), "{fits}: {shown}");
    }
    let float = r#"[{"value": 1, "params": {"x": 100000000000000000000}, "user_attrs": {"n": HUGE},
        "distributions": {"x": {"name": "FloatDistribution",
            "attributes": {"low": 0.0, "high": 1e30, "log": false, "step": null}}}}]"#;
    let trial = read_text("t.json", &float.replace("HUGE", huge)).unwrap().trials.remove(0);
    assert_eq!(trial.params.get("x"), Some(&ParamValue::Float(1e20)));
    assert_eq!(trial.user_attributes["n"], huge, "attributes keep every digit");
    let choice = r#"[{"value": 1, "params": {"x": 1}, "distributions":
        {"x": {"name": "CategoricalDistribution", "attributes": {"choices": [1, HUGE]}}}}]"#;
    let told = message(read_text("t.json", &choice.replace("HUGE", huge)));
    assert!(told.contains(&format!("has the choice {huge}, an integer beyond 64 bits")), "{told}");
}

/// Beside words, numbers are choices of their own kind; what Python takes for one value is told apart by
/// nobody.
#[test]
fn values_of_one_column_keep_their_kinds() {
    let column = |cells: &[&str]| {
        let rows: Vec<String> = cells.iter().map(|cell| format!("1,{cell}\n")).collect();
        read_text("t.csv", &format!("value,params_x\n{}", rows.concat()))
    };
    assert_eq!(params(&column(&["1", "0.5", "auto"]).unwrap()), ["x=1", "x=0.5", "x=auto"]);
    assert_eq!(params(&column(&["1", "0.5"]).unwrap()), ["x=1.0", "x=0.5"]);
    assert_eq!(params(&column(&["true", "2"]).unwrap()), ["x=True", "x=2"]);
    for (cells, told) in [
        (["true", "1"], "t.csv, trial 1, parameter `x`: `1` beside `True`, which is equal to it"),
        (["0", "False"], "t.csv, trial 1, parameter `x`: `False` beside `0`, which is equal to it"),
    ] {
        assert!(message(column(&cells)).starts_with(told), "{cells:?}");
    }
    assert!(message(column(&["1", "1.0", "auto"])).contains("`1.0` beside `1`"));
}

/// What our own exports write comes back with every value of its kind, and the metrics with their names.
#[test]
fn exported_files_come_back_as_they_were() {
    let list = r#"[
        {"number": 0, "values": [0.5, 2], 
         "params": {"a": "0", "b": "", "c": [1, 2], "d": null, "e": "True", "f": " x"},
         "directions": ["minimize", "maximize"], "metric_names": ["val_loss", "auc"], "state": "COMPLETE"},
        {"number": 1, "values": [0.25, 3], 
         "params": {"a": "b", "b": "x", "c": "[1, 2]", "d": "None", "e": "nan", "f": "1e5"},
         "user_attrs": {"score": 0.125}, "state": "COMPLETE"}]"#;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("t.json"), list).unwrap();
    let whole = |name: &str| read_whole(&path(name), None, &Assumed::default()).unwrap().remove(0).study;
    let first = whole("t.json");
    assert_eq!(first.system_attributes["study:metric_names"], r#"["val_loss", "auc"]"#);
    std::fs::write(path("b.csv"), crate::export::csv(&first).unwrap()).unwrap();
    std::fs::write(path("b.json"), crate::export::json(&first).unwrap()).unwrap();
    for name in ["b.csv", "b.json"] {
        let text = std::fs::read_to_string(path(name)).unwrap();
        let back = whole(name);
        assert_eq!(
            (&back.directions, &back.system_attributes),
            (&first.directions, &first.system_attributes)
        );
        for (one, other) in first.trials.iter().zip(&back.trials) {
            let parts = |trial: &crate::optuna::WholeTrial| {
                let shown = trial.template.params.iter().map(|(name, internal, set)| {
                    let set = crate::distribution::parse(set).unwrap();
                    let value = crate::distribution::from_internal(&set, *internal).unwrap();
                    (name.clone(), crate::distribution::write_value(&value))
                });
                let shown: std::collections::BTreeMap<String, String> = shown.collect();
                (shown, trial.template.values.clone(), trial.template.user_attributes.clone())
            };
            assert_eq!(parts(one), parts(other), "{text}");
        }
    }
    let header = std::fs::read_to_string(path("b.csv")).unwrap();
    assert!(header.starts_with("number,values_val_loss,values_auc,"), "{header}");
}

/// A study whose trials have no parameter keeps the name of its metric too.
#[test]
fn the_name_of_a_metric_survives_without_parameters() {
    let text = r#"[{"number": 0, "value": 0.5, "params": {}, "directions": ["minimize"],
        "metric_names": ["val_loss"], "user_attrs": {"auc": 0.125}}]"#;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.json");
    std::fs::write(&path, text).unwrap();
    let study = read_whole(&path, None, &Assumed::default()).unwrap().remove(0).study;
    let table = crate::export::csv(&study).unwrap();
    let back = read_text("t.csv", &table).unwrap();
    assert_eq!(back.metric_names, Some(vec!["val_loss".to_owned()]), "{table}");
    assert_eq!((back.trials[0].value, back.direction), (Some(0.5), Some(Direction::Minimize)));
    let wrong = message(read_text("t.json", &text.replace(r#"["val_loss"]"#, "[1]")));
    assert!(wrong.contains("field `metric_names`: expected a list of names"), "{wrong}");
}

/// Ray marks the last result of a trial that ended as done: the others run, or were cut off.
#[test]
fn trials_of_ray_that_had_not_ended_failed() {
    let table = "loss,training_iteration,trial_id,config/lr,done\n0.5,2,a,0.1,True\n0.1,1,b,0.2,False\n";
    let list = r#"[{"loss": 0.5, "training_iteration": 2, "trial_id": "a", "config/lr": 0.1, "done": true},
        {"loss": 0.1, "training_iteration": 1, "trial_id": "b", "config/lr": 0.2, "done": false}]"#;
    let progress = "loss,training_iteration,trial_id,config/lr,done\n0.7,1,a,0.1,False\n0.5,2,a,0.1,True\n\
         0.1,1,b,0.2,False\n";
    let roles = Roles { metric: Some("loss"), ..Roles::default() };
    for (name, text) in [("t.csv", table), ("t.json", list), ("t.csv", progress)] {
        let study = read_told(name, text, &roles).unwrap();
        let [done, open] = study.trials.as_slice() else { panic!("two trials: {:?}", study.trials) };
        assert_eq!((done.state, done.value), (TrialState::Complete, Some(0.5)), "{text}");
        assert_eq!((open.state, open.value), (TrialState::Failed, None), "{text}");
        assert_eq!(open.intermediate, [(1, 0.1)].into(), "{text}");
        let reason = open.record.failure.as_ref().unwrap().reason.as_str();
        assert_eq!(reason, "it had not ended when its table was written");
        let notes: Vec<String> = study.notes.iter().map(ToString::to_string).collect();
        let said = "trials whose last result is not `done` had not ended, and failed: 1";
        assert!(notes.iter().any(|note| note == said), "{notes:?}");
    }
    let of_another = "loss,lr,done\n0.5,0.1,False\n";
    assert_eq!(read_told("t.csv", of_another, &roles).unwrap().trials[0].state, TrialState::Complete);
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
        assert_eq!(notes, ["trials with a constraint that is no number count as infeasible: 1"]);
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

/// Names count in any case, so that two that differ in it alone are one.
#[test]
fn columns_that_differ_in_case_alone_are_refused() {
    for (header, told) in [
        ("number,value,Value,params_x", "t.csv, line 1: `value` and `Value` are one name"),
        ("number,Number,value,params_x", "t.csv, line 1: `number` and `Number` are one name"),
        ("State,STATE,value,params_x", "t.csv, line 1: `State` and `STATE` are one name"),
    ] {
        let message = message(read_text("t.csv", &format!("{header}\n0,1,2,3\n")));
        assert!(message.starts_with(told), "{message}");
    }
    let text = "number,value,Value,params_x\n0,1,2,3\n";
    for (metric, value) in [("value", 1.0), ("Value", 2.0)] {
        let roles = Roles { metric: Some(metric), ..Roles::default() };
        assert_eq!(read_told("t.csv", text, &roles).unwrap().trials[0].value, Some(value), "{metric}");
    }
    assert_eq!(params(&read_text("t.csv", "value,lr,LR\n1,2,3\n").unwrap()), ["lr=2 LR=3"]);
}
