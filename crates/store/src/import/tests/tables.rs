//! Tests of tables: headers, delimiters, encodings, and columns of other tools.

use super::*;

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
    let wandb = "\"Name\",\"State\",\"Created\",\"Runtime\",\"Sweep\",\
                 \"lr\",\"batch_size\",\"val_loss\",\"acc\"\n\
                 a,finished,2025-01-01T10:00:00.000Z,45,,0.1,32,0.5,0.7\n\
                 b,crashed,2025-01-01,2,,0.2,64,0.4,0.9\n";
    let folder = tempfile::tempdir().unwrap();
    let read_as = |metric: &str, text: &str| {
        let path = folder.path().join("t.csv");
        std::fs::write(&path, text).unwrap();
        read(&path, None, &Roles { metric: Some(metric), ..Roles::default() })
    };
    let runs = read_as("val_loss", wandb).unwrap();
    assert_eq!(params(&runs), ["lr=0.1 batch_size=32", "lr=0.2 batch_size=64"]);
    assert_eq!((runs.trials[0].value(), runs.trials[1].state), (Some(0.5), TrialState::Failed));
    assert_eq!(runs.trials[0].record.metrics["acc"], 0.7);
    assert_eq!(runs.metric_names, ["val_loss"]);
    let ray = read_as(
        "loss",
        "loss,training_iteration,trial_id,pid,config/lr,time_total_s\n0.25,3,ab,77,0.1,2.5\n",
    )
    .unwrap();
    assert_eq!((params(&ray), ray.trials[0].value()), (vec!["lr=0.1".into()], Some(0.25)));
    let mlflow = "run_id,status,params.lr,metrics.rmse,tags.user\nx,FINISHED,0.1,3.5,me\ny,FAILED,0.2,,me\n";
    let mlflow = read_as("rmse", mlflow).unwrap();
    assert_eq!((params(&mlflow)[1].as_str(), mlflow.trials[0].value()), ("lr=0.2", Some(3.5)));
    let missing = read_as("mae", wandb).unwrap_err();
    assert!(missing.to_string().contains("no column is called `mae`"), "{missing}");
    assert!(missing.hint().unwrap().contains("`val_loss`"));
}

/// pandas and R have words for a missing value; other words are refused with advice.
#[test]
fn cells_without_a_value_are_told_from_wrong_ones() {
    let row = |value: &str, state: &str, time: &str| {
        read_text("t.csv", &format!("value,lr,state,datetime_start\n{value},0.1,{state},{time}\n"))
    };
    for missing in ["", "NA", "NaN", "<NA>", "None", "NULL", "NaT"] {
        let trial = row(missing, "failed", missing).unwrap().trials.remove(0);
        assert_eq!(
            (trial.value(), trial.started, trial.state),
            (None, None, TrialState::Failed),
            "{missing}"
        );
        assert_eq!(row("0.5", missing, "").unwrap().trials[0].state, TrialState::Complete);
    }
    for (value, advice) in [
        ("95%", "expected a number, found `95%` (write percentages as fractions"),
        ("-", "expected a number, found `-` (leave the cell of a missing value empty"),
    ] {
        let refused = message(row(value, "", ""));
        assert!(refused.contains(advice), "{refused}");
    }
    assert_eq!(row("0.5", "DONE", "").unwrap().trials[0].state, TrialState::Complete);
    let unknown = message(row("0.5", "gone", ""));
    assert!(unknown.contains("expected the name of a trial's state, found `gone` (known states: COMPLETE"));
}

/// Beside decimal commas, points may separate thousands.
#[test]
fn points_beside_decimal_commas_are_refused_where_they_may_separate_thousands() {
    let table =
        |cells: [&str; 2]| read_text("t.csv", &format!("value;n\n{};{}\n{};2\n", "0,5", cells[0], cells[1]));
    for cell in ["1.000", "1.234,5", "-12.345.678"] {
        let refused = message(table([cell, "0,25"]));
        let told = format!("line 2, column `n`: the points of `{cell}` may separate thousands");
        assert!(refused.contains(&told), "{refused}");
    }
    for cell in ["1000", "0.125", "1.25", "1.0000", "v1.000"] {
        table([cell, "0,25"]).unwrap();
    }
    let points = read_text("t.csv", "value;n\n0.5;1.000\n0.25;2.5\n").unwrap();
    assert_eq!(params(&points), ["n=1.0", "n=2.5"]);
}

/// pandas writes dictionaries from W&B's API and from hyperopt's results into cells.
#[test]
fn dictionaries_in_cells_are_unfolded() {
    let wandb = ",summary,config,name,state\n\
        0,\"{'loss': 0.5, '_runtime': 3}\",\"{'lr': 0.1, 'act': 'relu', 'deep': True}\",brisk-1,finished\n\
        1,\"{'loss': 0.25, '_runtime': 4}\",\"{'lr': 1e-3, 'act': 'gelu', 'deep': False}\",calm-2,crashed\n";
    let roles = Roles { metric: Some("loss"), ..Roles::default() };
    let runs = read_told("t.csv", wandb, &roles).unwrap();
    assert_eq!(params(&runs), ["lr=0.1 act=relu deep=True", "lr=0.001 act=gelu deep=False"]);
    assert_eq!((runs.trials[0].value(), runs.trials[1].state), (Some(0.5), TrialState::Failed));
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

/// `trials_dataframe` and pandas write dictionaries and distributions as Python prints them.
#[test]
fn cells_that_python_shows_are_read() {
    let table = "number,value,params_n,distributions_n,system_attrs_fixed_params,\
                 user_attrs_allometry:record,state\n\
                 0,0.5,8,\"IntDistribution(high=8, log=False, low=1, step=1)\",,\
                 \"{'size': None, 'seed': 5, 'origin': 'random', 'metrics': {}}\",COMPLETE\n\
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
    assert_eq!((params(&semicolons)[0].as_str(), semicolons.trials[1].value()), ("lr=0.1", Some(0.25)));
    let tabs = read_text("t.tsv", "number\tvalue\tparams_act\n0\t0.5\ta,b\n").unwrap();
    assert_eq!((params(&tabs)[0].as_str(), tabs.trials[0].value()), ("act=a,b", Some(0.5)));
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
            .contains("its trials record their parameters")
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
        assert_eq!(study.trials[0].value(), Some(0.5));
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

/// For a named metric pandas names the column of the value after it, on one level or two, and Optuna writes
/// an object.
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
        assert_eq!(study.trials[0].value(), Some(0.5), "{text}");
        assert_eq!(study.metric_names, ["val_loss"], "{text}");
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
        "t.csv, line 3: an unclosed quote (close it, or double a quote inside a cell)"
    );
    for fine in ["\"a \"\"quoted\"\" word\"", "5\" long", "\"two\nlines\"", "\"\""] {
        let text = format!("number,value,params_x,params_note\n0,0.5,1,{fine}\n1,0.1,2,b\n");
        assert_eq!(read_text("t.csv", &text).unwrap().trials.len(), 2, "{fine}");
    }
}

/// W&B adds columns to those that a run logs.
#[test]
fn columns_of_a_run_of_wandb_are_no_parameters() {
    let text = "Name,State,val_loss,lr,_runtime,_timestamp,_step,_wandb\na,finished,0.5,0.1,3,4,5,{}\n";
    let roles = Roles { metric: Some("val_loss"), ..Roles::default() };
    assert_eq!(params(&read_told("t.csv", text, &roles).unwrap()), ["lr=0.1"]);
}

/// Ray Tune's `progress.csv` has a row per iteration.
#[test]
fn iterations_of_a_trial_are_its_intermediate_values() {
    let text = "loss,training_iteration,trial_id,config/lr,done\n1.0,1,a,0.1,False\n2.0,1,b,0.2,False\n\
         0.2,3,a,0.1,True\n0.5,2,a,0.1,False\n1.5,2,b,0.2,True\n";
    let roles = Roles { metric: Some("loss"), ..Roles::default() };
    let study = read_told("progress.csv", text, &roles).unwrap();
    let [a, b] = study.trials.as_slice() else { panic!("two trials: {:?}", study.trials) };
    assert_eq!((a.value(), b.value()), (Some(0.2), Some(1.5)));
    assert_eq!(a.intermediate, [(1, 1.0), (2, 0.5), (3, 0.2)].into_iter().collect());
    assert_eq!((b.number.0, b.params.to_string()), (1, "lr=0.2".to_owned()));
    let merged = "5 rows were merged as iterations of 2 trials";
    assert!(study.notes.iter().any(|note| note.to_string().starts_with(merged)));
}

/// Names are compared ignoring case, so that two names that differ in case only collide.
#[test]
fn columns_that_differ_in_case_alone_are_refused() {
    for (header, told) in [
        ("number,value,Value,params_x", "t.csv, line 1: the names `value` and `Value` differ in case only"),
        (
            "number,Number,value,params_x",
            "t.csv, line 1: the names `number` and `Number` differ in case only",
        ),
        ("State,STATE,value,params_x", "t.csv, line 1: the names `State` and `STATE` differ in case only"),
    ] {
        let message = message(read_text("t.csv", &format!("{header}\n0,1,2,3\n")));
        assert!(message.starts_with(told), "{message}");
    }
    let text = "number,value,Value,params_x\n0,1,2,3\n";
    for (metric, value) in [("value", 1.0), ("Value", 2.0)] {
        let roles = Roles { metric: Some(metric), ..Roles::default() };
        assert_eq!(read_told("t.csv", text, &roles).unwrap().trials[0].value(), Some(value), "{metric}");
    }
    assert_eq!(params(&read_text("t.csv", "value,lr,LR\n1,2,3\n").unwrap()), ["lr=2 LR=3"]);
}

/// Among numbers, words such as `NaN` are missing values; among words they are choices.
#[test]
fn words_for_a_missing_value_are_choices_only_among_words() {
    let column = |cells: &[&str]| {
        let rows: Vec<String> = cells.iter().map(|cell| format!("1,{cell}\n")).collect();
        read_text("t.csv", &format!("value,params_x\n{}", rows.concat())).unwrap()
    };
    let numbers = column(&["NaN", "32.0", "None", "64.0"]);
    assert_eq!(params(&numbers), ["", "x=32", "", "x=64"]);
    let trials = std::collections::BTreeMap::from([("x".to_owned(), 2)]);
    assert!(numbers.notes.contains(&Note::EmptyParams { trials }), "{:?}", numbers.notes);
    assert_eq!(params(&column(&["None", "adam", "1"])), ["x=None", "x=adam", "x=1"]);
    assert_eq!(params(&column(&["007", "012"])), ["x=007", "x=012"]);
    assert_eq!(params(&column(&["TRUE", "False"])), ["x=True", "x=False"]);
}
