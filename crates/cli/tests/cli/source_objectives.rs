//! Tests of the objective of other programs' trials: its metric, its direction, and several of them.

use std::collections::BTreeSet;

use super::sources::{best, write};
use crate::support::{all_refused, printed, refused, run, shown};

const LOSSES: &str = r#"[{"number": 0, "value": 2.1, "params": {"lr": 0.1}},
    {"number": 1, "value": 0.3, "params": {"lr": 0.01}},
    {"number": 2, "value": 0.5, "params": {"lr": 0.02}}]"#;

#[test]
fn a_loss_is_never_maximised_in_silence() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder, "loss.json", LOSSES);
    insta::assert_snapshot!(refused(folder, &["report", "A=loss.json"]), @r"
    $ allometry report A=loss.json
    error: `A`: nothing says whether larger or smaller values are better
    hint: give --direction maximize or --direction minimize, or a name that implies it, such as \
    --metric val_loss or --metric auc
    exit code 2
    ");
    assert_eq!(best(folder, &["A=loss.json", "--direction", "minimize"]), (0.3, "value".into()));
    assert_eq!(best(folder, &["A=loss.json", "--direction", "A=max"]), (2.1, "value".into()));
    assert_eq!(best(folder, &["A=loss.json", "--metric", "val_loss"]), (0.3, "val_loss".into()));
    write(folder, "best_params.json", r#"{"best_params": {"lr": 0.01}, "best_value": 0.3}"#);
    assert_eq!(best(folder, &["A=loss.json:best_params.json"]), (0.3, "value".into()));

    write(folder, "vl.csv", "Trial,val_loss,lr\n0,0.3,0.1\n1,0.2,0.2\n");
    insta::assert_snapshot!(refused(folder, &["report", "A=vl.csv"]), @"
    $ allometry report A=vl.csv
    error: vl.csv, line 1: no column holds the objective
    hint: name the objective with --metric: `val_loss`, `lr`
    exit code 4
    ");
    assert_eq!(best(folder, &["A=vl.csv", "--metric", "A=val_loss"]), (0.2, "val_loss".into()));

    insta::assert_snapshot!(refused(folder, &["import", "loss.json"]), @"
    $ allometry import loss.json
    error: loss.json does not say which values of its objective are better
    hint: give --direction maximize or --direction minimize
    exit code 2
    ");
    assert_eq!(run(folder, &["import", "loss.json", "--direction", "minimize"]).0, 0);
    insta::assert_snapshot!(printed(folder, &["best", "--in", "trials.db"]), @r#"
    $ allometry best --in trials.db
    loss: 0.3000 (trial 1)  lr=0.01
      recommended: unknown: the search space is not known
      its parameters as JSON: {"lr":0.01}
    "#);
    assert_eq!(run(folder, &["import", "vl.csv", "--metric", "val_loss", "--storage", "vl.db"]).0, 0);
    assert_eq!(best(folder, &["A=vl.db"]), (0.2, "val_loss".into()));
    assert_eq!(best(folder, &["A=vl.db", "--direction", "maximize"]), (0.3, "val_loss".into()));
}

/// Only values from 0 to 1 are treated as an AUC: with an interval that ends at 1, and with class counts.
#[test]
fn nothing_but_an_auc_is_treated_as_one() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let trials: Vec<String> = (0..30)
        .map(|i| format!(r#"{{"value": {}, "params": {{"x": {}}}}}"#, 10.0 + f64::from(i * 7 % 30), i % 5))
        .collect();
    write(folder, "mae.json", &format!("[{}]", trials.join(",")));
    insta::assert_snapshot!(refused(folder, &["report", "A=mae.json", "--rows", "76:346"]), @"
    $ allometry report A=mae.json --rows 76:346
    error: trial 0 of `A` has 10, and an AUC lies between 0 and 1
    hint: name what it is with --metric, and leave out --rows
    exit code 2
    ");
    let (code, out, err) = run(folder, &["report", "A=mae.json", "--metric", "val_mae", "-o", "-"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("Best val_mae") && !out.contains("AUC"), "{out}");
    assert!(!out.contains("1.0000 to 1.0000"), "{out}");
    assert!(!out.contains("Collapse") && !out.contains("pred_min"), "{out}");
}

/// Options for an AUC are refused where the name of a metric, or the source, says that smaller values are
/// better, and the values of an AUC need no name.
#[test]
fn a_classic_report_is_of_an_auc() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder, "plain.json", LOSSES);
    write(folder, "auc.json", &LOSSES.replace("2.1", "0.9"));
    write(folder, "named.json", &LOSSES.replace("}}", r#"}, "metric_names": ["val_loss"]}"#));
    write(folder, "told.json", &LOSSES.replace("}}", r#"}, "directions": ["minimize"]}"#));
    write(folder, "vl.csv", "number,val_loss,params_lr\n0,0.9,0.1\n1,0.3,0.2\n");
    let (code, _, err) = run(folder, &["report", "--template", "classic", "auc.json"]);
    assert_eq!((code, err.as_str()), (0, ""));
    let one =
        ["report", "--template", "classic", "vl.csv", "--metric", "val_loss", "--direction", "maximize"];
    assert_eq!(run(folder, &one).0, 0, "the direction on the command line has precedence");
    let calls = [
        &["report", "--template", "classic", "named.json"][..],
        &["report", "--template", "classic", "plain.json", "--metric", "val_loss"],
        &["report", "--template", "classic", "vl.csv", "--metric", "val_loss", "-o", "c.html"],
        &["report", "--template", "classic", "A=auc.json", "B=named.json"],
        &["report", "--template", "classic", "told.json"],
        &["report", "--template", "classic", "auc.json", "--direction", "minimize"],
    ];
    insta::assert_snapshot!(all_refused(folder, &calls), @"
    $ allometry report --template classic named.json
    error: `named`: smaller values of `val_loss` are better, and an AUC is expected
    hint: leave out --rows and --template classic: the default report takes every metric
    exit code 2

    $ allometry report --template classic plain.json --metric val_loss
    error: `plain`: smaller values of `val_loss` are better, and an AUC is expected
    hint: leave out --rows and --template classic: the default report takes every metric
    exit code 2

    $ allometry report --template classic vl.csv --metric val_loss -o c.html
    error: `vl`: smaller values of `val_loss` are better, and an AUC is expected
    hint: leave out --rows and --template classic: the default report takes every metric
    exit code 2

    $ allometry report --template classic A=auc.json B=named.json
    error: `B`: smaller values of `val_loss` are better, and an AUC is expected
    hint: leave out --rows and --template classic: the default report takes every metric
    exit code 2

    $ allometry report --template classic told.json
    error: --template classic is for an AUC, and smaller values of `value` are better
    hint: leave it out: the default report takes every metric
    exit code 2

    $ allometry report --template classic auc.json --direction minimize
    error: --template classic is for an AUC, and smaller values of `value` are better
    hint: leave it out: the default report takes every metric
    exit code 2
    ");
}

/// With several objectives each value has its own direction.
#[test]
fn a_table_of_several_objectives_has_a_front() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder, "t.csv", "number,values_acc,values_ms,params_x\n0,0.9,20,1\n1,0.8,10,2\n2,0.7,30,3\n");
    let directions = ["--direction", "maximize", "--direction", "minimize"];
    let (code, out, err) = run(folder, &[&["report", "t.csv", "-o", "-"], &directions[..]].concat());
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("## Front") || out.contains("Pareto"), "{out}");
    let (code, out, err) = run(folder, &[&["best", "t.csv"], &directions[..]].concat());
    assert_eq!(code, 0, "{err}");
    insta::assert_snapshot!(shown(folder, &format!("{out}{err}")), @r"
    t: Pareto front of 2 trials in acc up, ms down
      trial 0: acc 0.9000, ms 20.0000  x=1
      trial 1: acc 0.8000, ms 10.0000  x=2
    note: t: directions were applied in the order of the file, which may differ from the study's: `acc` \
    maximize, `ms` minimize (--direction NAME=DIRECTION sets one by name)
    ");
    insta::assert_snapshot!(refused(folder, &["best", "t.csv", "--direction", "maximize"]), @"
    $ allometry best t.csv --direction maximize
    error: t.csv, its trials: 2 values, and 1 direction
    hint: give --direction once for each objective: --direction acc=... --direction ms=...
    exit code 4
    ");
}

/// A missing direction is a usage error of every command.
#[test]
fn every_command_asks_which_values_are_better() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder, "t.csv", "number,value,params_lr\n0,0.5,0.1\n1,0.25,0.2\n");
    let calls = [
        &["best", "t.csv"][..],
        &["list", "t.csv"],
        &["status", "t.csv"],
        &["report", "t.csv"],
        &["import", "t.csv", "--storage", "sqlite:///x.db"],
    ];
    insta::assert_snapshot!(all_refused(folder, &calls), @r"
    $ allometry best t.csv
    error: t.csv does not say which values of its objective are better
    hint: give --direction maximize or --direction minimize
    exit code 2

    $ allometry list t.csv
    error: t.csv does not say which values of its objective are better
    hint: give --direction maximize or --direction minimize
    exit code 2

    $ allometry status t.csv
    error: t.csv does not say which values of its objective are better
    hint: give --direction maximize or --direction minimize
    exit code 2

    $ allometry report t.csv
    error: `t`: nothing says whether larger or smaller values are better
    hint: give --direction maximize or --direction minimize, or a name that implies it, such as \
    --metric val_loss or --metric auc
    exit code 2

    $ allometry import t.csv --storage sqlite:///x.db
    error: t.csv does not say which values of its objective are better
    hint: give --direction maximize or --direction minimize
    exit code 2
    ");
}

/// Optuna writes the objectives of a study in the order of their names, so options in another order would be
/// wrong.
#[test]
fn directions_are_said_by_the_names_of_objectives() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let list = r#"[
        {"number": 0, "values": {"accuracy": 0.9, "loss": 3.0}, "params": {"x": 1}, "state": "COMPLETE"},
        {"number": 1, "values": {"accuracy": 0.7, "loss": 5.0}, "params": {"x": 2}, "state": "COMPLETE"}]"#;
    write(folder, "t.json", list);
    write(folder, "ab.json", &list.replace("accuracy", "a").replace("loss", "b"));
    let table =
        "number,values_accuracy,values_loss,params_x,state\n0,0.9,3.0,1,COMPLETE\n1,0.7,5.0,2,COMPLETE\n";
    write(folder, "t.csv", table);
    let yaml = "- {number: 0, values: {accuracy: 0.9, loss: 3.0}, params: {x: 1}, state: COMPLETE}\n\
         - {number: 1, values: {accuracy: 0.7, loss: 5.0}, params: {x: 2}, state: COMPLETE}\n";
    write(folder, "t.yaml", yaml);
    let by_place = ["--direction", "minimize", "--direction", "maximize"];
    let by_name = ["--direction", "loss=minimize", "--direction", "accuracy=maximize"];
    let mut errors = BTreeSet::new();
    for file in ["t.json", "t.csv", "t.yaml"] {
        for command in
            [&["report", file, "-o", "-"][..], &["best", file], &["import", file, "--storage", "w.db"]]
        {
            let error = refused(folder, &[command, &by_place].concat()).replace(file, "FILE");
            errors.insert(error.split_once('\n').unwrap().1.to_owned());
        }
        let (code, out, err) = run(folder, &[&["best", file], &by_name[..]].concat());
        assert_eq!(code, 0, "{err}");
        assert!(out.contains("in accuracy up, loss down") && !out.contains("trial 1:"), "{file}: {out}");
        let storage = format!("{file}.db");
        let import = ["import", file, "--storage", &storage];
        assert_eq!(run(folder, &[&import, &by_name[..]].concat()).0, 0);
        let (_, out, _) = run(folder, &["best", &storage]);
        assert!(out.contains("in accuracy up, loss down") && !out.contains("trial 1:"), "{file}: {out}");
        let (code, _, err) = run(folder, &[&["report", file, "-o", "-"], &by_name[..]].concat());
        assert_eq!((code, err.as_str()), (0, ""));
    }
    assert_eq!(errors.len(), 1, "every command says the same of every file");
    insta::assert_snapshot!(errors.first().unwrap(), @r"
    error: FILE lists its objectives in the order `accuracy`, `loss`, and their names contradict \
    directions in this order
    hint: give each direction by name: --direction accuracy=... --direction loss=...
    exit code 2
    ");
    let (code, out, err) = run(folder, &[&["best", "ab.json"], &by_place[..]].concat());
    assert_eq!(code, 0, "{err}");
    insta::assert_snapshot!(shown(folder, &format!("{out}{err}")), @r"
    ab: Pareto front of 1 trial in a down, b up
      trial 1: a 0.7000, b 5.0000  x=2
    note: ab: directions were applied in the order of the file, which may differ from the study's: `a` \
    minimize, `b` maximize (--direction NAME=DIRECTION sets one by name)
    ");
    // A direction by name stands, so that the one by place does not contradict the name.
    let both = ["--direction", "minimize", "--direction", "accuracy=maximize"];
    let (code, out, err) = run(folder, &[&["best", "t.json"], &both[..]].concat());
    assert!(code == 0 && out.contains("accuracy up, loss down"), "{out}{err}");
    let calls = [
        &["best", "ab.json", "--direction", "a=minimize"][..],
        &["report", "t.csv", "--direction", "los=minimize"],
    ];
    insta::assert_snapshot!(all_refused(folder, &calls), @"
    $ allometry best ab.json --direction a=minimize
    error: ab.json, its trials: 2 values, and 1 direction
    hint: give --direction once for each objective: --direction a=... --direction b=...
    exit code 4

    $ allometry report t.csv --direction los=minimize
    error: --direction is for `los`, and no source has that label
    hint: labels are `t`; objectives are `accuracy`, `loss`
    exit code 2
    ");
}

/// `--metric` selects one of several objectives by its name, with its direction, and never an objective of
/// another name.
#[test]
fn a_metric_is_an_objective_of_that_name() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder, "plain.json", LOSSES);
    let (_, out, err) = run(folder, &["best", "plain.json", "--metric", "rmse"]);
    insta::assert_snapshot!(shown(folder, &format!("{out}{err}")), @r#"
    plain: 0.3000 (trial 1)  lr=0.01
      recommended: unknown: the search space is not known
      its parameters as JSON: {"lr":0.01}
    note: plain: no column is called `rmse`, so that `value` is taken for it
    "#);
    let list: Vec<String> = (0..3)
        .map(|i| {
            format!(
                r#"{{"number": {i}, "values": {{"cost": {}, "gain": {i}}}, "params": {{"x": {i}}},
                "user_attrs": {{"gain": 9}}, "directions": ["minimize", "maximize"]}}"#,
                3 - i
            )
        })
        .collect();
    write(folder, "t.json", &format!("[{}]", list.join(",")));
    let table = "number,values_cost,values_gain,directions,params_x\n\
         0,3,0,\"['minimize', 'maximize']\",0\n1,2,1,,1\n2,1,2,,2\n";
    write(folder, "t.csv", table);
    assert_eq!(run(folder, &["import", "s=t.json", "--storage", "t.db"]).0, 0);
    for file in ["t.json", "t.csv", "t.db"] {
        assert_eq!(best(folder, &[file, "--metric", "gain"]), (2.0, "gain".into()), "{file}");
        assert_eq!(best(folder, &[file]), (1.0, "cost".into()), "{file}");
    }
    for file in ["t.json", "t.csv"] {
        let (code, out, err) = run(folder, &["best", file, "--metric", "gain"]);
        assert!(code == 0 && out.contains("gain up, cost down"), "{file}: {out}{err}");
    }
    let calls = ["t.json", "t.csv", "t.db"].map(|file| ["report", file, "--metric", "gian"]);
    insta::assert_snapshot!(all_refused(folder, &calls.each_ref().map(|call| &call[..])), @"
    $ allometry report t.json --metric gian
    error: t.json, its objectives: none is called `gian`
    hint: their names are `cost`, `gain`
    exit code 4

    $ allometry report t.csv --metric gian
    error: t.csv, line 1: no column is called `gian`
    hint: name the objective with --metric: `values_cost`, `values_gain`
    exit code 4

    $ allometry report t.db --metric gian
    error: t.db, its objectives: none is called `gian`
    hint: their names are `cost`, `gain`
    exit code 4
    ");
}

/// Values that contradict each other are refused.
#[test]
fn lists_that_contradict_themselves_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder, "both.json", r#"[{"value": 0.5, "values": [9.0], "params": {"x": 1}}]"#);
    let changing =
        r#"[{"value": 0.5, "directions": ["minimize"]}, {"value": 0.6, "directions": ["maximize"]}]"#;
    write(folder, "changing.json", changing);
    write(folder, "loss.json", LOSSES);
    write(folder, "best.json", r#"{"best_params": {"lr": 0.5}, "best_trial": 99}"#);
    let document = r#"[{"tid": 0, "state": 2, "result": {"loss": 0.5}, "misc": {"vals": {"lr": [1]}}}]"#;
    write(folder, "hyperopt.json", document);
    write(folder, "two.json", r#"[{"values": {"acc": 0.9, "loss": 0.5}, "params": {"x": 1}}]"#);
    write(folder, "w.csv", "number,value,user_attrs_acc,params_x\n0,0.5,0.9,1\n1,0.7,0.1,2\n");
    let import = ["import", "w.csv", "--direction", "minimize", "--storage", "unnamed.db"];
    assert_eq!(run(folder, &import).0, 0);
    let calls = [
        &["best", "both.json", "--direction", "minimize"][..],
        &["best", "changing.json"],
        &["report", "A=loss.json:best.json"],
        &["report", "hyperopt.json", "--metric", "loss"],
        &["report", "loss.json", "--metric", "loss", "--rows", "5:10"],
        &["report", "unnamed.db", "--metric", "acc"],
        &["best", "two.json", "--direction", "minimize"],
    ];
    insta::assert_snapshot!(all_refused(folder, &calls), @r#"
    $ allometry best both.json --direction minimize
    error: both.json, trial 0 of the list, field `value`: expected the first of `values`
    hint: a trial of one objective has `value`, one of several has `values`: write one of them
    exit code 4

    $ allometry best changing.json
    error: changing.json, trial 1 of the list, field `directions`: differs from that of trial 0
    hint: the trials of a list are of one study: write one list for each study
    exit code 4

    $ allometry report A=loss.json:best.json
    error: best.json, field `best_trial`: the trials have no trial 99
    hint: give the file of best parameters that belongs to these trials
    exit code 4

    $ allometry report hyperopt.json --metric loss
    error: hyperopt.json, trial 0 of the list: a document of hyperopt, whose choices are indices
    hint: write [{**space_eval(space, {k: v[0] for k, v in t["misc"]["vals"].items() if v}), \
    **t["result"]} for t in trials.trials]
    exit code 4

    $ allometry report loss.json --metric loss --rows 5:10
    error: `loss`: smaller values of `loss` are better, and an AUC is expected
    hint: leave out --rows and --template classic: the default report takes every metric
    exit code 2

    $ allometry report unnamed.db --metric acc
    error: unnamed.db, its objective: `acc` is an attribute of its trials, and not its objective
    hint: export it as a table, which can have another objective: `allometry export SOURCE -o \
    trials.csv`
    exit code 4

    $ allometry best two.json --direction minimize
    error: two.json lists its objectives in the order `acc`, `loss`, and their names contradict \
    directions in this order
    hint: give each direction by name: --direction acc=... --direction loss=...
    exit code 2
    "#);
}

/// A diverged trial is not the best one, and a study without a best trial is named.
#[test]
fn infinite_values_are_not_the_best() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder, "t.json", &LOSSES.replace("0.5", "-Infinity"));
    write(folder, "none.json", r#"[{"value": -Infinity, "params": {"lr": 0.1}}]"#);
    assert_eq!(best(folder, &["t.json", "--direction", "minimize"]), (0.3, "value".into()));
    insta::assert_snapshot!(
        printed(folder, &["best", "t.json", "none.json", "--direction", "minimize"]), @r#"
    $ allometry best t.json none.json --direction minimize
    t: 0.3000 (trial 1)  lr=0.01
      recommended: unknown: the search space is not known
      its parameters as JSON: {"lr":0.01}
    none: no complete trial with a usable value
    "#);
}
