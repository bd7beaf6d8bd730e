//! Tests of `allometry train` and `allometry predict`.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::{all_refused, allometry, project, refused, run};

#[test]
fn one_configuration_is_trained_and_its_checkpoint_predicts() {
    let folder = project();
    let (code, out, err) = run(folder.path(), &["train", "--budget", "s", "--set", "dropout=0.1", "--json"]);
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("from the middle of its space") && err.contains("dropout=0.1"), "{err}");
    assert!(err.lines().any(|l| l.trim_start().starts_with("2  ")), "a line per epoch: {err}");
    let document: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(document["params"]["dropout"], 0.1);
    assert_eq!(document["checkpoint"], "ladder.runs/s/train.safetensors");

    let predict = ["predict", "ladder.runs/s/train.safetensors", "data.csv"];
    let (code, scores, err) = run(folder.path(), &predict);
    assert_eq!(code, 0, "{err}");
    let lines: Vec<&str> = scores.lines().collect();
    assert_eq!((lines[0], lines.len()), ("row,date,score", 1 + 400 - 7));
    assert!(lines[1].starts_with("7,2000-01-08,0."), "{}", lines[1]);

    // A second run only reads the file; with another setting the file is refused and kept.
    let (code, again, err) =
        run(folder.path(), &["train", "--budget", "s", "--set", "dropout=0.1", "--json"]);
    assert_eq!((code, again), (0, out), "{err}");
    let other = ["train", "--budget", "s", "--set", "dropout=0.0"];
    insta::assert_snapshot!(refused(folder.path(), &other), @r"
    $ allometry train --budget s --set dropout=0.0
    s, from the middle of its space: n_heads=2 n_layers=2 d_ff_ratio=2 learning_rate=0.00316227766 \
    dropout=0.0 d_model=6 (799 weights)
    epoch  train loss  validation loss       auc
    error: ladder.runs/s/train.safetensors is a checkpoint of another trial: the configuration was \
    n_heads=2 n_layers=2 d_ff_ratio=2 learning_rate=0.00316227766 dropout=0.1 d_model=6, is n_heads=2 \
    n_layers=2 d_ff_ratio=2 learning_rate=0.00316227766 dropout=0.0 d_model=6
    hint: --restart trains again and overwrites it, --checkpoint FILE keeps it
    exit code 3
    ");
    assert_eq!(run(folder.path(), &predict).1, scores);
    let (code, _, err) = run(folder.path(), &["train", "--budget", "s", "--set", "dropout=0.0", "--restart"]);
    assert_eq!(code, 0, "{err}");
}

#[test]
fn the_best_stored_trial_is_where_it_starts() {
    let folder = project();
    assert_eq!(run(folder.path(), &["run", "--quiet"]).0, 0);
    let (code, _, err) = run(folder.path(), &["train", "--budget", "l", "--set", "model.epochs=1"]);
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("from its best stored trial"), "{err}");
}

#[test]
fn what_cannot_be_trained_or_applied_is_said() {
    let folder = project();
    assert_eq!(run(folder.path(), &["train", "--budget", "s", "-q", "-o", "c.safetensors"]).0, 0);
    std::fs::write(folder.path().join("other.csv"), "date,up\n2020-01-01,1\n").unwrap();
    let calls = [
        &["train"][..],
        &["train", "--budget", "xl"],
        &["train", "--budget", "s", "-S", "dropout=[0.0, 0.1]"],
        &["train", "--budget", "s", "-S", "dropout=1.5"],
        &["train", "--budget", "s", "-o", "data.csv/a/b.safetensors"],
        &["predict", "none.safetensors", "data.csv"],
        &["predict", "data.csv", "data.csv"],
        &["predict", "c.safetensors", "other.csv"],
        &["predict", "c.safetensors", "none.csv"],
    ];
    insta::assert_snapshot!(all_refused(folder.path(), &calls), @r#"
    $ allometry train
    error: the ladder has several budgets
    hint: give --budget, one of s, l
    exit code 2

    $ allometry train --budget xl
    error: the ladder has no budget `xl`
    hint: give --budget, one of s, l
    exit code 2

    $ allometry train --budget s -S 'dropout=[0.0, 0.1]'
    error: `dropout` has 2 values, but one configuration is trained
    hint: give one value: --set dropout=VALUE
    exit code 2

    $ allometry train --budget s -S dropout=1.5
    ladder::out_of_range

      × `dropout` is 1.5, but must be from 0 to below 1
       ╭─[--set:1:26]
     1 │ budget."s".space.dropout=1.5
       ·                          ─┬─
       ·                           ╰── from 0 to below 1
       ╰────
    exit code 3

    $ allometry train --budget s -o data.csv/a/b.safetensors
    s, from the middle of its space: n_heads=2 n_layers=2 d_ff_ratio=2 learning_rate=0.00316227766 \
    dropout=0.1 d_model=6 (799 weights)
    epoch  train loss  validation loss       auc
    error: cannot read checkpoint data.csv/a/b.safetensors: Not a directory (os error 20)
    exit code 4

    $ allometry predict none.safetensors data.csv
    error: cannot read checkpoint none.safetensors: No such file or directory (os error 2)
    hint: `allometry train` writes checkpoints
    exit code 4

    $ allometry predict data.csv data.csv
    error: data.csv is not a complete safetensors file: header too large
    hint: it may have been copied incompletely; --restart trains the model again
    exit code 4

    $ allometry predict c.safetensors other.csv
    error: other.csv: there is no column `noise` (feature)
    hint: its columns are `date`, `up`
    exit code 3

    $ allometry predict c.safetensors none.csv
    error: cannot read none.csv: No such file or directory (os error 2)
    exit code 4
    "#);
}

#[test]
fn a_disk_that_fills_leaves_the_old_checkpoint() {
    let folder = project();
    assert_eq!(run(folder.path(), &["train", "--budget", "l", "-q", "-o", "c.safetensors"]).0, 0);
    let old = std::fs::read(folder.path().join("c.safetensors")).unwrap();
    // A limit on file sizes stands in for a full disk: the write fails in the middle.
    let script =
        "trap '' XFSZ; ulimit -f 1; exec \"$0\" train --budget l -q --restart --seed 2 -o c.safetensors";
    let output = std::process::Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_allometry")])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let (code, _, err) = crate::support::texts(&output);
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("cannot write checkpoint c.safetensors") && err.contains("--checkpoint"), "{err}");
    assert_eq!(std::fs::read(folder.path().join("c.safetensors")).unwrap(), old);
    let left = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 3, "the table, the ladder, the checkpoint");
}

#[test]
fn ctrl_c_saves_and_the_same_command_goes_on_to_the_same_bytes() {
    let folder = project();
    let command =
        ["train", "--budget", "l", "-S", "model.epochs=60", "-S", "model.patience=60", "-S", "n_layers=2"];
    let child = allometry(folder.path())
        .args(command)
        .args(["-o", "parts.safetensors"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let patience = Instant::now();
    std::thread::sleep(Duration::from_millis(150));
    let asked = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(asked.success() && patience.elapsed() < Duration::from_mins(1));
    let code = child.wait_with_output().unwrap().status.code();
    // On a machine so fast that the training has ended, or so slow that the signal came before its handler,
    // there is nothing to test.
    assert!(matches!(code, Some(130 | 0) | None), "{code:?}");
    let finish = |file: &str| {
        let (code, _, err) = run(folder.path(), &[&command[..], &["-q", "-o", file]].concat());
        assert_eq!(code, 0, "{err}");
        std::fs::read(folder.path().join(file)).unwrap()
    };
    assert_eq!(finish("parts.safetensors"), finish("whole.safetensors"));
}

#[test]
fn shuffled_labels_give_chance_and_memory_is_told() {
    let folder = project();
    let (code, out, err) = run(folder.path(), &["check", "--shuffle"]);
    assert_eq!(code, 0, "{err}");
    assert_eq!(out.matches(" MiB of memory a trial").count(), 2, "{out}");
    let controls: Vec<&str> =
        out.lines().filter(|l| l.contains("with labels in random order: AUC")).collect();
    assert_eq!(controls.len(), 2, "{out}");
    for control in controls {
        let auc = control.split("AUC ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap();
        let auc: f64 = auc.parse().unwrap();
        assert!((auc - 0.5).abs() < 0.2, "{control}");
    }
    let (code, _, err) = run(folder.path(), &["check", "--shuffle", "-S", "model.task=classes"]);
    assert_eq!(code, 2, "{err}");
}

#[test]
fn ladders_of_numbers_and_of_classes_run_to_their_report() {
    for (settings, metric) in [
        (["-S", "model.task=regression", "-S", "data.label=noise"], "R2"),
        (["-S", "model.task=classes", "-S", "data.label=label"], "AUC"),
    ] {
        let folder = project();
        let (code, _, err) = run(folder.path(), &[&["run", "--quiet"][..], &settings].concat());
        assert_eq!(code, 0, "{err}");
        // The stored ladder has the settings of the command line, so the report has them too.
        let url = format!("sqlite:///{}", folder.path().join("trials.db").display());
        let (code, report, err) = run(folder.path(), &["report", &url, "-o", "-"]);
        assert_eq!(code, 0, "{err}");
        assert!(report.contains(metric), "{report:.600}");
    }
}
