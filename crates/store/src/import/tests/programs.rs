//! Tests of what other programs write: Ray Tune, Weights & Biases, pandas with other formats.

use super::*;

fn notes(study: &ImportedStudy) -> Vec<String> {
    study.notes.iter().map(ToString::to_string).collect()
}

/// A function that returned leaves `done` false in the last result of its trial, so that a value counts
/// whatever `done` is. `nested/loss` is a metric although no parameter has a prefix.
#[test]
fn the_last_result_of_a_trial_of_ray_counts_whether_it_is_done_or_not() {
    let table = "loss,training_iteration,trial_id,config/lr,done\n0.5,2,a,0.1,True\n0.1,1,b,0.2,False\n";
    let list = r#"[{"loss": 0.5, "training_iteration": 2, "trial_id": "a", "config/lr": 0.1, "done": true},
        {"loss": 0.1, "training_iteration": 1, "trial_id": "b", "config/lr": 0.2, "done": false}]"#;
    let progress = "loss,training_iteration,trial_id,config/lr,done\n0.7,1,a,0.1,False\n0.5,2,a,0.1,True\n\
         0.1,1,b,0.2,False\n";
    let roles = Roles { metric: Some("loss"), ..Roles::default() };
    let said = "complete trials whose last result is not `done`: 1 (a table does not show whether they had \
        ended, but the folder of the experiment does)";
    for (name, text) in [("t.csv", table), ("t.json", list), ("t.csv", progress)] {
        let study = read_told(name, text, &roles).unwrap();
        let [done, open] = study.trials.as_slice() else { panic!("two trials: {:?}", study.trials) };
        assert_eq!((done.state, done.value()), (TrialState::Complete, Some(0.5)), "{text}");
        assert_eq!((open.state, open.value()), (TrialState::Complete, Some(0.1)), "{text}");
        assert!(notes(&study).iter().any(|note| note == said), "{:?}", study.notes);
    }
    let of_another = "loss,lr,done\n0.5,0.1,False\n";
    assert!(!notes(&read_told("t.csv", of_another, &roles).unwrap()).iter().any(|note| note == said));

    let plain = "score,done,training_iteration,trial_id,time_total_s,nested/loss,width\n\
        0.2,False,1,a,1.5,0.5,7\n0.1,False,2,a,3.0,0.25,8\n";
    let study = read_text("progress.csv", plain).unwrap();
    let [trial] = study.trials.as_slice() else { panic!("one trial: {:?}", study.trials) };
    assert_eq!((trial.value(), trial.params.to_string().as_str()), (Some(0.1), ""));
    assert_eq!((trial.record.metrics["nested/loss"], trial.record.metrics["width"]), (0.25, 8.0));
}

/// Constraints count in a field or column of their own as among the system attributes.
#[test]
fn constraints_of_their_own_column_count() {
    let shown = |name: &str, text: &str| {
        let study = read_text(name, text).unwrap();
        assert!(study.trials.iter().all(|trial| !trial.params.0.contains_key("constraints")), "{text}");
        study.trials.iter().map(|trial| trial.constraints().to_string()).collect::<Vec<_>>()
    };
    let list = r#"{"0": 1.0}"#;
    for (name, text) in [
        ("t.csv", "value,params_x,constraints\n0.5,1,[1.0]\n0.6,2,\n"),
        ("t.csv", "value,params_x,Constraints\n0.5,1,\"(1.0,)\"\n0.6,2,\n"),
        ("t.csv", "value,params_x,constraints.0\n0.5,1,1\n0.6,2,\n"),
        ("t.json", r#"[{"value": 0.5, "params_x": 1, "constraints": [1.0]}, {"value": 0.6, "params_x": 2}]"#),
        (
            "t.json",
            r#"[{"value": 0.5, "params": {"x": 1}, "constraints": [1.0]}, {"value": 0.6, "params": {}}]"#,
        ),
        ("t.json", r#"[{"value": 0.5, "x": 1, "constraints": {"0": 1.0}}, {"value": 0.6, "x": 2}]"#),
        ("t.json", r#"[{"value": 0.5, "x": 1, "constraints.0": 1.0}, {"value": 0.6, "x": 2}]"#),
    ] {
        assert_eq!(shown(name, text), [list, "{}"], "{text}");
    }
    let named = "value,params_x,constraints:ms,constraints:mb\n0.5,1,-1,2\n";
    assert_eq!(shown("t.csv", named), [r#"{"mb": 2.0, "ms": -1.0}"#]);
    let both = "value,params_x,constraints,system_attrs_constraints\n0.5,1,[1.0],[-2.0]\n";
    assert_eq!(shown("t.csv", both), [r#"{"0": -2.0}"#], "system attributes take precedence");
    for (name, text) in [
        ("t.csv", "value,params_x,constraints\n0.5,1,wide\n"),
        ("t.json", r#"[{"value": 0.5, "x": 1, "constraints": 3}]"#),
    ] {
        let told = message(read_text(name, text));
        assert!(told.contains("`constraints`: expected a list of numbers, or an object of them"), "{told}");
        assert!(told.contains("(a constraint is met if its number is at most 0"), "{told}");
    }
    let wanted = listed(&["constraints"]);
    let roles = Roles { params: &wanted, ..Roles::default() };
    let param = read_told("t.csv", "value,constraints\n0.5,3\n", &roles).unwrap();
    assert_eq!(params(&param), ["constraints=3"]);
}

/// Names in dictionaries of runs are joined by points, as in the tables of Weights & Biases.
#[test]
fn dictionaries_of_runs_are_read_to_their_values() {
    let nested = r#"[{"name": "a", "state": "finished",
        "config": {"opt": {"lr": 0.1, "n": 3}, "bs": 32, "e": {}},
        "summary": {"val_loss": {"min": 0.5}, "_wandb": {"runtime": 3}, "n_params": 1000}}]"#;
    let shown = "name,state,config,summary\n\
        a,finished,\"{'opt': {'lr': 0.1, 'n': 3}, 'bs': 32}\",\
        \"{'val_loss': {'min': 0.5}, 'n_params': 1000}\"\n";
    let config = r#"{"opt": {"desc": null, "value": {"lr": 0.1, "n": 3}}, "bs": {"desc": null, "value": 32},
        "_wandb": {"desc": null, "value": {"t": 1}}}"#;
    let described = serde_json::json!([{
        "name": "a", "state": "finished", "json_config": config,
        "Summary": {"val_loss": {"min": 0.5}, "n_params": 1000},
    }]);
    let described = described.to_string();
    let roles = Roles { metric: Some("val_loss.min"), ..Roles::default() };
    for (name, text) in [("t.json", nested), ("t.csv", shown), ("t.json", &described)] {
        let study = read_told(name, text, &roles).unwrap();
        assert_eq!(params(&study), ["opt.lr=0.1 opt.n=3 bs=32"], "{text}");
        let trial = &study.trials[0];
        assert_eq!(
            (trial.value(), trial.record.size.map(|size| size.total)),
            (Some(0.5), Some(1000)),
            "{text}"
        );
        assert_eq!(study.notes, [Note::LeftOut { columns: listed(&["name"]) }], "{text}");
    }
    let open = r#"[{"state": "preempting", "config": {"x": 1}, "summary": {"val_loss": {"min": "NaN"}}}]"#;
    let open = read_told("t.json", open, &roles).unwrap();
    assert_eq!((open.trials[0].state, open.trials[0].value()), (TrialState::Running, None));
}

/// With commas between cells, numbers have decimal commas where the values have.
#[test]
fn decimal_commas_of_values_are_those_of_the_table() {
    let of = |cells: &str| read_text("t.csv", &format!("number,value,params_lr,user_attrs_acc\n{cells}"));
    let read = of("0,\"0,5\",\"0,1\",\"0,25\"\n1,\"1,234\",0,\n").unwrap();
    assert_eq!(params(&read), ["lr=0.1", "lr=0.0"]);
    assert_eq!(read.trials.iter().map(FrozenTrial::value).collect::<Vec<_>>(), [Some(0.5), Some(1.234)]);
    assert_eq!((read.trials[0].record.metrics["acc"], notes(&read).len()), (0.25, 0));

    let texts = of("0,0.5,\"0,1\",\"0,25\"\n1,0.25,\"0,2\",\n").unwrap();
    assert_eq!(params(&texts), ["lr=0,1", "lr=0,2"]);
    let said = "columns read as texts although their cells may be numbers with a decimal comma (2): \
        `params_lr`, `user_attrs_acc` (to have them read as numbers, separate cells by semicolons or write \
        decimal points)";
    assert_eq!(notes(&texts), [said]);
    let layers = of("0,0.5,\"64,32\",\n1,0.25,\"64,32,16\",\n").unwrap();
    assert_eq!((params(&layers), notes(&layers).len()), (listed(&["lr=64,32", "lr=64,32,16"]), 0));

    let hint = "write numbers without separators of thousands, and with a decimal point";
    for value in ["1,234", "1,234.5", "1.234,5"] {
        let told = message(of(&format!("0,\"{value}\",1,\n")));
        assert_eq!(
            told,
            format!("t.csv, line 2, column `value`: expected a number, found `{value}` ({hint})")
        );
    }
    let grouped = message(of("0,\"0,5\",1.000,\n"));
    assert!(grouped.contains("the points of `1.000` may separate thousands"), "{grouped}");
}

/// Trials without a value and without a state are counted.
#[test]
fn trials_that_failed_by_default_are_counted() {
    let said = ["trials without a value and without a state, which count as failed: 2"];
    let list =
        r#"[{"value": 1, "params": {"x": 1}}, {"value": NaN, "params": {"x": 2}}, {"params": {"x": 3}}]"#;
    let flat = r#"[{"value": 1, "x": 1}, {"value": null, "x": 2}, {"x": 3}]"#;
    let yaml = "- {value: 1, params: {x: 1}}\n- {value: .nan, params: {x: 2}}\n- {params: {x: 3}}\n";
    let table = "value,params_x\n1,1\n,2\nNaN,3\n";
    let progress = "value,training_iteration,trial_id,config/x\n1,1,a,1\n2,1,b,2\n,2,b,2\n,1,c,3\n";
    for (name, text) in
        [("t.json", list), ("t.json", flat), ("t.yaml", yaml), ("t.csv", table), ("t.csv", progress)]
    {
        let study = read_text(name, text).unwrap();
        let states: Vec<TrialState> = study.trials.iter().map(|trial| trial.state).collect();
        assert_eq!(states, [TrialState::Complete, TrialState::Failed, TrialState::Failed], "{text}");
        let notes = notes(&study);
        let notes: Vec<&String> = notes
            .iter()
            .filter(|note| {
                ["hyperparameters", "merged", "columns left out"].iter().all(|other| !note.contains(other))
            })
            .collect();
        assert_eq!(notes, said, "{text}");
    }
    let recorded = read_text("t.csv", "value,params_x,state\n1,1,COMPLETE\n,2,FAIL\n").unwrap();
    assert_eq!(recorded.notes, []);

    let lacking = r#"[{"values": {"a": 1, "b": 2}}, {"values": {"b": 3}}, {"values": {"a": 4}}]"#;
    let study = read_text("t.json", lacking).unwrap();
    assert_eq!(notes(&study), ["trials without a value and without a state, which count as failed: 1"]);
    let roles = Roles { metric: Some("b"), ..Roles::default() };
    let study = read_told("t.json", lacking, &roles).unwrap();
    let states: Vec<TrialState> = study.trials.iter().map(|trial| trial.state).collect();
    assert_eq!(states, [TrialState::Complete, TrialState::Complete, TrialState::Failed]);
}

/// Known fields of lists, prefixes and names of sizes are known in any case.
#[test]
fn known_names_are_known_in_any_case() {
    let list = r#"[{"Number": 3, "Value": 1, "Params": {"Lr": 1}, "State": "COMPLETE",
        "User_Attrs": {"N_Params": 1000}, "Constraints": [1.0], "Datetime_Start": "2024-01-01 10:00:00"}]"#;
    let flat = r#"[{"Number": 3, "VALUE": 1, "Params_Lr": 1, "State": "COMPLETE",
        "User_attrs_Weights": 1000, "System_Attrs_constraints": [1.0],
        "DateTime_start": "2024-01-01 10:00:00"}]"#;
    let beside = format!(r#"{{"Trials": {list}, "Directions": ["minimize"]}}"#);
    let table = "Number,Value,Params_Lr,STATE,NUM_PARAMS,Constraints,Datetime_Start\n\
        3,1,1,complete,1000,[1.0],2024-01-01 10:00:00\n";
    for (name, text) in [("t.json", list), ("t.json", flat), ("t.json", &beside), ("t.csv", table)] {
        let study = read_text(name, text).unwrap();
        let trial = &study.trials[0];
        assert_eq!(
            (trial.number.0, trial.value(), trial.state),
            (3, Some(1.0), TrialState::Complete),
            "{text}"
        );
        assert_eq!(trial.params.to_string(), "Lr=1", "{text}");
        assert_eq!(trial.record.size.map(|size| size.total), Some(1000), "{text}");
        assert!(!trial.is_feasible() && trial.started.is_some(), "{text}");
        assert_eq!(study.directions.len(), usize::from(text == beside), "{text}");
    }
    let number = read_text("t.json", r#"[{"value": 0.5, "lr": 1, "Params": 2000}]"#).unwrap();
    assert_eq!((params(&number), number.trials[0].record.size.unwrap().total), (listed(&["lr=1"]), 2000));
}

/// `number` is the number of a trial where a table has other columns of numbers, and names are no numbers.
#[test]
fn names_of_trials_are_no_numbers() {
    let numbers = |study: &ImportedStudy| study.trials.iter().map(|trial| trial.number.0).collect::<Vec<_>>();
    let both = read_text("t.csv", "trial,number,value,params_x\n7,1,0.5,1\n8,0,0.6,2\n").unwrap();
    assert_eq!((numbers(&both), params(&both)), (vec![0, 1], listed(&["x=2", "x=1"])));
    assert_eq!(both.notes, [Note::LeftOut { columns: listed(&["trial"]) }]);
    let list =
        r#"[{"trial": "t_1", "value": 0.5, "params_x": 1}, {"trial": "t_0", "value": 0.6, "params_x": 2}]"#;
    for (name, text) in [("t.csv", "Trial,value,params_x\nt_1,0.5,1\nt_0,0.6,2\n"), ("t.json", list)] {
        let named = read_text(name, text).unwrap();
        assert_eq!((numbers(&named), params(&named)), (vec![0, 1], listed(&["x=1", "x=2"])));
        assert!(notes(&named)[0].ends_with("` contains names, so trials are numbered by row"));
    }
    let counted = read_text("t.json", r#"[{"trial": "4", "value": 0.5, "params_x": 1}]"#).unwrap();
    assert_eq!(numbers(&counted), [4]);
}

/// Blanks around names are removed, except where they alone distinguish two names.
#[test]
fn blanks_around_names_are_kept_where_they_distinguish_them() {
    let names = |header: &str| {
        let study = read_text("t.csv", &format!("{header}\n0,1,2,3\n")).unwrap();
        study.trials[0].record.metrics.keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(names("number, value, params_x, user_attrs_k "), ["k"]);
    assert_eq!(names("number, value,user_attrs_k,user_attrs_k "), ["k", "k "]);
}

/// A column of names is no parameter: every trial would have a copy of the list.
#[test]
fn a_parameter_has_at_most_a_thousand_inferred_choices() {
    let table = |trials: usize, cell: &dyn Fn(usize) -> String| {
        let rows: Vec<String> = (0..trials).map(|i| format!("0.5,{}\n", cell(i))).collect();
        read_text("t.csv", &format!("value,params_c\n{}", rows.concat()))
    };
    assert!(table(1001, &|i| format!("name{}", i % 1000)).is_ok());
    assert!(table(2000, &|i| i.to_string()).is_ok());
    assert_eq!(
        message(table(1500, &|i| format!("name{}", i % 1001))),
        "t.csv, parameter `c`: 1001 different values, which are not all numbers \
         (a parameter has at most 1,000 choices; if it is no hyperparameter, name the hyperparameters with \
         --params)"
    );
}
