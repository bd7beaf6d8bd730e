//! Tests of the kinds of values, of their distributions, and of exported files.

use super::*;

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
    let text = r#"[{"number": 0, "value": 0.5, "state": "COMPLETE",
        "params_n": 2, "params_x": 0.5, "params_k": null,
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
        {"lr": {"name": "FloatDistribution",
                "attributes": {"low": 0.0, "high": 1.0, "log": false, "step": null}}}}]"#;
    let refused = message(read_text("t.json", text));
    assert!(refused.contains("`distributions.lr`: expected a distribution that has 5.0"), "{refused}");
}

/// Waiting values count for the inferred distribution, which would not contain them otherwise.
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
        GivenDirections { in_order: vec![allometry_core::Direction::Minimize], ..GivenDirections::default() };
    let assumed = Assumed { directions, ..Assumed::default() };
    let whole = read_all(&path, None, &assumed).unwrap().remove(0).study;
    let (_, _, set) = &whole.trials[0].template.params[0];
    assert!(set.contains("3e-05"), "{set}");
}

/// A client that claimed a waiting trial may not have requested its values yet.
#[test]
fn a_running_trial_without_sets_hides_no_space() {
    let text = r#"[{"number": 0, "value": 0.5, "state": "COMPLETE", "params": {"x": 0.5}, "distributions":
        {"x": {"name": "FloatDistribution",
               "attributes": {"low": 0.0, "high": 1.0, "log": false, "step": null}}}},
        {"number": 1, "state": "RUNNING", "params": {"x": 0.25}}]"#;
    assert!(read_text("t.json", text).unwrap().space.is_some());
}

/// An integer that no parameter can hold is refused instead of rounded.
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

/// Beside texts, numbers are choices with their own kind; values that are equal in Python are refused.
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
        (["true", "1"], "t.csv, trial 1, parameter `x`: `1` beside `True`, which Python considers equal"),
        (["0", "False"], "t.csv, trial 1, parameter `x`: `False` beside `0`, which Python considers equal"),
    ] {
        assert!(message(column(&cells)).starts_with(told), "{cells:?}");
    }
    assert!(message(column(&["1", "1.0", "auto"])).contains("`1.0` beside `1`"));
}

/// Exported files are read back with the kind of every value and the names of the metrics.
#[test]
fn exported_files_come_back_as_they_were() {
    let list = r#"[
        {"number": 0, "values": [0.5, 2], 
         "params": {"a": "0", "b": "", "c": [1, 2], "d": null, "e": "True", "f": " x",
            "g": " ", "h": " ", "i": "\t", "j": "\n", "k ": 1},
         "directions": ["minimize", "maximize"], "metric_names": ["val_loss", "auc"], "state": "COMPLETE"},
        {"number": 1, "values": [0.25, 3], 
         "params": {"a": "b", "b": "x", "c": "[1, 2]", "d": "None", "e": "nan", "f": "1e5",
            "g": null, "h": "", "i": "a", "j": " x ", "k": 2},
         "user_attrs": {"k": 1, "k ": 2,
            "score": 0.125, "text": "0.5", "yes": "True", "space": " a ", "none": "None",
            "quotes": "\"5\"", "plain": "hello \"5\"", "empty": "", "null": null, "nan": "nan",
            "number": NaN, "open": "{",
            "list": "[1, 2]", "listed": [1, "2"], "whole": 1.0, "quoted": "\"a\""},
         "state": "COMPLETE"}]"#;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("t.json"), list).unwrap();
    let whole = |name: &str| read_all(&path(name), None, &Assumed::default()).unwrap().remove(0).study;
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
            let parts = |trial: &crate::optuna::TrialWithExtras| {
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

/// pandas writes `None`, an empty text and a missing value alike.
#[test]
fn empty_cells_are_choices_only_where_the_set_tells_which() {
    let table = |choices: &str, cells: [&str; 2]| {
        let row = |number: usize, cell: &str| {
            format!("{number},0.5,{cell},\"CategoricalDistribution(choices={choices})\",COMPLETE\n")
        };
        let rows = row(0, cells[0]) + &row(1, cells[1]);
        read_text("t.csv", &format!("number,value,params_k,distributions_k,state\n{rows}"))
    };
    let study = table("('', 'a')", ["a", ""]).unwrap();
    assert_eq!((params(&study)[1].as_str(), study.notes), ("k=", vec![]));
    let both = message(table("(None, '', 'a')", ["a", ""]));
    assert!(both.contains("line 3, column of `k`: an empty cell may be `None` or the empty text"), "{both}");
    let written = table("(None, '', 'a')", ["null", "\"\"\"\"\"\""]).unwrap();
    assert_eq!(params(&written), ["k=None", "k="]);

    let plain =
        "number,value,params_k,params_lr,state\n0,0.5,a,0.1,COMPLETE\n1,0.5,,0.1,COMPLETE\n2,,,,FAIL\n";
    let study = read_text("t.csv", plain).unwrap();
    let trials = std::collections::BTreeMap::from([("k".to_owned(), 1)]);
    assert_eq!(study.notes, [Note::EmptyParams { trials: trials.clone() }]);
    let list =
        r#"[{"number": 0, "value": 0.5, "params_k": "a"}, {"number": 1, "value": 0.5, "params_k": null}]"#;
    assert_eq!(read_text("t.json", list).unwrap().notes, [Note::EmptyParams { trials }]);
}

/// A study whose trials have no parameter keeps the name of its metric too.
#[test]
fn the_name_of_a_metric_survives_without_parameters() {
    let text = r#"[{"number": 0, "value": 0.5, "params": {}, "directions": ["minimize"],
        "metric_names": ["val_loss"], "user_attrs": {"auc": 0.125}}]"#;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.json");
    std::fs::write(&path, text).unwrap();
    let study = read_all(&path, None, &Assumed::default()).unwrap().remove(0).study;
    let table = crate::export::csv(&study).unwrap();
    let back = read_text("t.csv", &table).unwrap();
    assert_eq!(back.metric_names, ["val_loss"], "{table}");
    assert_eq!((back.trials[0].value(), back.directions), (Some(0.5), vec![Direction::Minimize]));
    let wrong = message(read_text("t.json", &text.replace(r#"["val_loss"]"#, "[1]")));
    assert!(wrong.contains("field `metric_names`: expected a list of names"), "{wrong}");
}

/// An enqueued trial has no distributions yet; those of the other trials stay recorded.
#[test]
fn a_waiting_trial_hides_no_space() {
    let text = r#"[{"number": 0, "value": 0.5, "state": "COMPLETE", "params": {"x": 0.5}, "distributions":
        {"x": {"name": "FloatDistribution",
               "attributes": {"low": 0.0, "high": 1.0, "log": false, "step": null}}},
         "directions": ["minimize"]},
        {"number": 1, "value": null, "state": "TrialState.WAITING", "params": {}, "distributions": {},
         "system_attrs": {"fixed_params": {"x": 0.25}}}]"#;
    assert!(read_text("t.json", text).unwrap().space.is_some());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.json");
    std::fs::write(&path, text).unwrap();
    let Imported { study, notes } = read_all(&path, None, &Assumed::default()).unwrap().remove(0);
    assert_eq!(notes, []);
    assert_eq!(study.user_attributes["allometry:import"], r#"{"trials": 2, "inferred": []}"#);
}

/// A client that claimed an enqueued trial may not have drawn its values yet.
#[test]
fn a_claimed_trial_without_values_takes_none_from_the_queue() {
    let text = r#"[{"number": 0, "value": 0.5, "state": "COMPLETE", "params": {"x": 0.5}, "distributions":
        {"x": {"name": "FloatDistribution",
               "attributes": {"low": 0.0, "high": 1.0, "log": false, "step": null}}},
         "directions": ["minimize"]},
        {"number": 1, "state": "RUNNING", "params": {}, "system_attrs": {"fixed_params": {"x": 0.25}}}]"#;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.json");
    std::fs::write(&path, text).unwrap();
    let study = read_all(&path, None, &Assumed::default()).unwrap().remove(0).study;
    let claimed = &study.trials[1].template;
    assert_eq!((claimed.params.len(), claimed.state), (0, TrialState::Running));
    assert_eq!(claimed.system_attributes["fixed_params"], r#"{"x": 0.25}"#);
}

/// The keys of `values` are names: their order in a trial means nothing.
#[test]
fn values_are_told_by_their_names() {
    let values = |text: &str| {
        let study = read_text("t.json", text).unwrap();
        let all: Vec<Vec<f64>> = study.trials.iter().map(|trial| trial.values.clone()).collect();
        (study.metric_names, all)
    };
    let swapped = r#"[{"values": {"loss": 0.5, "acc": 0.9}}, {"values": {"acc": 0.8, "loss": 0.1}}]"#;
    assert_eq!(values(swapped), (listed(&["loss", "acc"]), vec![vec![0.5, 0.9], vec![0.1, 0.8]]));
    let named = r#"[{"values": {"acc": 0.5, "loss": 1}, "metric_names": ["loss", "acc"]}]"#;
    assert_eq!(values(named), (listed(&["loss", "acc"]), vec![vec![1.0, 0.5]]));
    let beside = r#"{"trials": [{"values": {"acc": 0.5, "loss": 1}}], "metric_names": ["loss", "acc"]}"#;
    assert_eq!(values(beside), (listed(&["loss", "acc"]), vec![vec![1.0, 0.5]]));
    let (names, both) = values(r#"[{"values": {"acc": 0.3}}, {"values": {"loss": 0.9}}]"#);
    assert_eq!(names, ["acc", "loss"]);
    assert!(both[0][0] == 0.3 && both[0][1].is_nan() && both[1][0].is_nan() && both[1][1] == 0.9);
    let twice = r#"[{"values": [0.5, 1], "value": 0.5, "params": {"x": 1}}]"#;
    assert_eq!(values(twice).1, [[0.5, 1.0]]);
}

/// A trial that lacks the metric has no value, whatever else it reports.
#[test]
fn a_metric_is_never_another_value() {
    let roles = Roles { metric: Some("acc"), ..Roles::default() };
    for place in [r#""metrics": {"acc": 0.3}"#, r#""user_attrs": {"acc": 0.3}"#, r#""acc": 0.3"#] {
        let text = format!(
            r#"[{{"params": {{"lr": 0.1}}, "value": 0.5, {place}}},
            {{"params": {{"lr": 0.2}}, "value": 0.9}}]"#
        );
        let study = read_told("t.json", &text, &roles).unwrap();
        assert_eq!((study.trials[0].value(), study.trials[1].value()), (Some(0.3), None), "{place}");
        assert_eq!(study.trials[1].state, TrialState::Failed);
    }
}

/// hyperopt and others call the state `status`.
#[test]
fn a_status_is_a_state() {
    let text = r#"[{"params": {"lr": 0.1}, "loss": 0.5, "status": "fail"},
        {"params": {"lr": 0.2}, "loss": 0.7, "status": "ok"}]"#;
    let study = read_told("t.json", text, &Roles { metric: Some("loss"), ..Roles::default() }).unwrap();
    let states = [TrialState::Failed, TrialState::Complete];
    assert_eq!(study.trials.iter().map(|trial| trial.state).collect::<Vec<_>>(), states);
}

#[test]
fn contradictions_are_refused() {
    let refused = |name: &str, text: &str| message(read_text(name, text));
    let names = r#"[{"value": 0.3, "metric_names": ["acc"]}, {"value": 0.9, "metric_names": ["loss"]}]"#;
    let cases = [
        ("t.json", names, "trial 1 of the list, field `metric_names`: differs"),
        ("t.json", r#"{"direction": "minimize", "directions": ["maximize"], "trials": []}"#, "differs from"),
        (
            "t.csv",
            "value,params_x,directions\n0.5,1,maximize\n0.6,2,minimize\n",
            "line 3, column `directions`",
        ),
        ("t.csv", "value,params_x,config.x\n0.5,1,2\n", "two columns are of the hyperparameter `x`"),
        ("t.csv", "values_1,values_0,params_x\n0.5,0.9,1\n", "not in the order of their numbers"),
    ];
    for (name, text, expected) in cases {
        let said = refused(name, text);
        assert!(said.contains(expected), "{text}: {said}");
    }
}

/// A trial of Ray Tune that was restored repeats iterations, and its newest row may have no result.
#[test]
fn the_newest_row_of_a_trial_counts() {
    let roles = Roles { metric: Some("loss"), ..Roles::default() };
    let header = "trial_id,training_iteration,loss,done,config/lr";
    let read = |rows: &str| read_told("progress.csv", &format!("{header}\n{rows}c,1,0.5,True,0.1\n"), &roles);
    let restored = read("b,1,0.3,False,0.2\nb,2,0.2,False,0.2\nb,2,0.25,True,0.2\n").unwrap();
    assert_eq!((restored.trials[0].state, restored.trials[0].value()), (TrialState::Complete, Some(0.25)));
    let newest = read("b,2,,True,0.2\nb,1,0.3,False,0.2\n").unwrap();
    assert_eq!((newest.trials[0].state, newest.trials[0].value()), (TrialState::Failed, None));
    assert!(newest.trials[0].record.failure.is_none(), "it is not running");
    let record = |loss: f64, step: u64, id: &str, done: bool| {
        format!(
            r#"{{"loss": {loss}, "training_iteration": {step}, "trial_id": "{id}", "done": {done},
            "config": {{"lr": 0.1}}}}"#
        )
    };
    let records = [record(0.5, 1, "a", false), record(0.7, 2, "a", true), record(0.9, 1, "b", true)];
    let records = read_told("records.json", &format!("[{}]", records.join(",")), &roles).unwrap();
    let values: Vec<_> = records.trials.iter().map(FrozenTrial::value).collect();
    assert_eq!((values, records.trials[0].intermediate.len()), (vec![Some(0.7), Some(0.9)], 2));
}
