//! Tests of `allometry train` and `allometry predict`.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use allometry_core::{Failure, TrialRecord};
use allometry_store::{Finished, FinishedState, NewTrial, Start};
use regex::Regex;
use serde_json::{Value, json};

use crate::support::{LADDER, all_refused, allometry, folded, project, refused, run, shown};

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
    assert!(!err.contains("train loss"), "no table without epochs: {err}");
    assert!(err.contains("the checkpoint holds this training, finished; nothing was trained"), "{err}");
    let other = ["train", "--budget", "s", "--set", "dropout=0.0"];
    insta::assert_snapshot!(refused(folder.path(), &other), @r#"
    $ allometry train --budget s --set dropout=0.0
    s, from the middle of its space, seed 2304591287921067115: n_heads=2 n_layers=2 d_ff_ratio=2 \
    learning_rate=0.00316227766 dropout=0.0 d_model=6 (799 weights)
    error: ladder.runs/s/train.safetensors is a checkpoint of another trial: the configuration was \
    n_heads=2 n_layers=2 d_ff_ratio=2 learning_rate=0.00316227766 dropout=0.1 d_model=6, is n_heads=2 \
    n_layers=2 d_ff_ratio=2 learning_rate=0.00316227766 dropout=0.0 d_model=6
    hint: --restart trains again and overwrites it, --checkpoint FILE keeps it
    exit code 3
    "#);
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

/// Returns the folder of [`project`] after its run, whose budgets were also searched on half of the rows.
fn searched() -> tempfile::TempDir {
    let folder = project();
    let ladder = LADDER.replace("trials = 4", "trials = 4\ntrain_share = [0.5]");
    std::fs::write(folder.path().join("ladder.toml"), ladder).unwrap();
    assert_eq!(run(folder.path(), &["run", "--quiet"]).0, 0);
    folder
}

/// Returns a text with every decimal number replaced by `X`, because these depend on the instruction set.
fn without_decimals(text: &str) -> String {
    Regex::new(r"\d+\.\d+(e-?\d+)?").unwrap().replace_all(text, "X").into_owned()
}

/// Returns the output of a training without numbers that depend on the machine, and without its curve.
fn trained(folder: &Path, arguments: &[&str]) -> String {
    let (code, out, err) = run(folder, arguments);
    assert_eq!(code, 0, "{err}");
    let is_told = |line: &&str| !line.starts_with("epoch ") && !line.starts_with(' ');
    let lines: Vec<&str> = err.lines().chain(out.lines()).filter(is_told).collect();
    shown(folder, &without_decimals(&format!("$ allometry {}\n{}", arguments.join(" "), lines.join("\n"))))
}

#[test]
fn a_stored_trial_is_repeated_bit_for_bit() {
    let folder = searched();
    for (budget, trial) in [("s", "0"), ("l", "3"), ("l@50%", "2")] {
        let bytes = ["first.safetensors", "second.safetensors"].map(|file| {
            let command = ["train", "--budget", budget, "--trial", trial, "--restart", "--json", "-o", file];
            let (code, out, err) = run(folder.path(), &command);
            assert_eq!(code, 0, "{err}");
            let trained: serde_json::Value = serde_json::from_str(&out).unwrap();
            let (_, out, err) = run(folder.path(), &["show", "--study", budget, trial, "--json"]);
            let stored: serde_json::Value = serde_json::from_str(&out).expect(&err);
            let stored = &stored["trial"];
            assert_eq!(
                (&trained["value"], &trained["params"], &trained["seed"], &trained["metrics"]),
                (&stored["value"], &stored["params"], &stored["seed"], &stored["metrics"])
            );
            assert_eq!(
                trained["stored"],
                json!({"why": "trial", "trial": stored["number"], "value": stored["value"], "equal": true})
            );
            std::fs::read(folder.path().join(file)).unwrap()
        });
        assert!(bytes[0] == bytes[1], "{budget}: the checkpoints are equal");
    }
}

#[test]
fn the_first_line_says_what_is_trained() {
    let folder = searched();
    let texts = [
        &["train", "--budget", "s", "--trial", "1", "-o", "a"][..],
        &["train", "--budget", "s", "--trial", "1", "--seed", "7", "-o", "b"],
        &["train", "--budget", "s@50%", "--trial", "1", "-S", "dropout=0.0", "-o", "c"],
        &["train", "--budget", "s", "--trial", "1", "-S", "model.epochs=1", "-o", "d"],
        &["train", "--budget", "s", "-o", "e"],
    ]
    .map(|arguments| trained(folder.path(), arguments));
    insta::assert_snapshot!(texts.join("\n"), @r"
    $ allometry train --budget s --trial 1 -o a
    s, trial 1 again (complete X in the store), its seed 13567856943260586359: n_heads=2 n_layers=1 \
    d_ff_ratio=2 learning_rate=X dropout=X d_model=6 (445 weights)
    value X at epoch 2; checkpoint a
    equal to trial 1 in the store, bit for bit

    $ allometry train --budget s --trial 1 --seed 7 -o b
    s, from trial 1 (complete X in the store), seed 7: n_heads=2 n_layers=1 d_ff_ratio=2 \
    learning_rate=X dropout=X d_model=6 (445 weights)
    value X at epoch 2; checkpoint b

    $ allometry train --budget s@50% --trial 1 -S dropout=X -o c
    s@50%, from trial 1 (complete X in the store), its seed 16400839544986005882: n_heads=2 n_layers=1 \
    d_ff_ratio=2 learning_rate=X dropout=X d_model=6 (445 weights)
    value X at epoch 2; checkpoint c

    $ allometry train --budget s --trial 1 -S model.epochs=1 -o d
    s, trial 1 again (complete X in the store), its seed 13567856943260586359: n_heads=2 n_layers=1 \
    d_ff_ratio=2 learning_rate=X dropout=X d_model=6 (445 weights)
    note: the trial was trained otherwise: model.epochs: was 2, is 1
    value X at epoch 1; checkpoint d
    trial 1 has X in the store: its settings, data, program or processor differed

    $ allometry train --budget s -o e
    s, from its best stored trial 0 (complete X in the store), seed 2304591287921067115: n_heads=1 \
    n_layers=1 d_ff_ratio=2 learning_rate=X dropout=X d_model=6 (445 weights)
    value X at epoch 2; checkpoint e
    ");
}

#[test]
fn the_recommended_trial_is_that_of_the_report() {
    let folder = searched();
    let recommended = |budget: &str| -> u64 {
        let (_, out, err) = run(folder.path(), &["best", "--study", budget, "--json"]);
        let best: serde_json::Value = serde_json::from_str(&out).expect(&err);
        let study = &best["studies"][0];
        study["recommended"]["trial"]["number"].as_u64().or(study["number"].as_u64()).unwrap()
    };
    for budget in ["s", "l", "s@50%"] {
        let command = ["train", "--recommended", "--budget", budget, "--json", "-o", "r", "--restart"];
        let (code, out, err) = run(folder.path(), &command);
        assert_eq!(code, 0, "{err}");
        let trained: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!(trained["stored"]["trial"], recommended(budget), "{budget}");
        assert_eq!(
            (&trained["stored"]["why"], &trained["stored"]["equal"]),
            (&json!("recommended"), &json!(true))
        );
    }
    // Four trials decide nothing, so that the report prefers no budget.
    insta::assert_snapshot!(refused(folder.path(), &["train", "--recommended"]), @r"
    $ allometry train --recommended
    error: the report prefers no budget
    hint: give --budget, one of s, l
    exit code 2
    ");
}

#[test]
fn the_commands_of_the_summary_and_of_best_repeat_their_trials() {
    let folder = searched();
    let (_, best, err) = run(folder.path(), &["best"]);
    assert_eq!(err, "");
    let commands: Vec<&str> =
        best.lines().filter_map(|line| line.strip_prefix("  train it again: ")).collect();
    assert_eq!(commands.len(), 4, "{best}");
    for command in commands {
        let words: Vec<&str> = command.strip_prefix("allometry ").unwrap().split(' ').collect();
        let (code, out, err) = run(folder.path(), &[&words[..], &["--restart"]].concat());
        assert_eq!(code, 0, "{err}");
        assert!(out.contains("in the store, bit for bit"), "{out}");
    }
    let number = Regex::new(r"--trial \d+").unwrap();
    let markdown = std::fs::read_to_string(folder.path().join("report/report.md")).unwrap();
    let told: Vec<&str> = markdown.lines().filter(|line| line.contains("allometry train")).collect();
    insta::assert_snapshot!(folded(&number.replace_all(&told.join("\n"), "--trial N")), @r"
    `allometry train --budget BUDGET --trial TRIAL -o model.safetensors` trains it again, with the seed \
    of its trial, and writes its checkpoint.
    ");
    let (_, summary, _) = run(folder.path(), &["run"]);
    let told: Vec<&str> = summary.lines().filter(|line| line.contains("allometry train")).collect();
    insta::assert_snapshot!(number.replace_all(&told.join("\n"), "--trial N"), @r"
    $ allometry train --budget s --trial N -o model.safetensors
    $ allometry train --budget l --trial N -o model.safetensors
    ");
}

#[test]
fn a_trial_that_cannot_be_repeated_is_refused() {
    let folder = project();
    std::fs::write(folder.path().join("broken.db"), "no database").unwrap();
    assert_eq!(run(folder.path(), &["run", "--quiet", "--budget", "s"]).0, 0);
    let url = format!("sqlite:///{}", folder.path().join("trials.db").display());
    let store = allometry_store::open(&url).unwrap();
    let study = store.study("tiny/s").unwrap().unwrap();
    let params = store.trials(study.id).unwrap().remove(0).params;
    let add = |start: Start<'_>, record: &TrialRecord| {
        let new = NewTrial { start, params: &params, space: study.space.as_ref().unwrap(), record };
        store.create_trial(study.id, &new).unwrap().id
    };
    // Another program's trial has no seed.
    let other = add(Start::Asked, &TrialRecord::default());
    let finished = Finished { values: vec![0.5], ..Finished::default() };
    store.finish(other, FinishedState::Complete, &finished).unwrap();
    let seeded = TrialRecord { seed: Some(3), ..TrialRecord::default() };
    let failure = Failure { reason: "the loss is not finite".into(), detail: String::new() };
    let record = TrialRecord { failure: Some(failure), ..seeded.clone() };
    let failed = add(Start::Asked, &seeded);
    store.finish(failed, FinishedState::Failed, &Finished { record, ..Finished::default() }).unwrap();
    add(Start::Waiting, &seeded);
    let calls = [
        &["train", "--budget", "s", "--trial", "99"][..],
        &["train", "--budget", "s", "--trial", "4"],
        &["train", "--budget", "s", "--trial", "5"],
        &["train", "--budget", "s", "--trial", "6"],
        &["train", "--budget", "s", "--trial", "1", "--recommended"],
        &["train", "--budget", "l", "--trial", "0"],
        &["train", "--trial", "0"],
        &["train", "--budget", "s", "--trial", "0", "--storage", "sqlite:///none.db"],
        &["train", "--budget", "s", "--trial", "0", "--storage", "sqlite:///broken.db"],
        &["train", "--budget", "s", "--recommended", "--storage", "sqlite:///none.db"],
    ];
    insta::assert_snapshot!(all_refused(folder.path(), &calls), @r"
    $ allometry train --budget s --trial 99
    error: budget `s` has no trial 99
    hint: the nearest is 6; `allometry list` shows all
    exit code 4

    $ allometry train --budget s --trial 4
    error: trial 4 of budget `s` has no seed, because another program made it
    hint: --seed N trains its configuration under a seed of your choice
    exit code 2

    $ allometry train --budget s --trial 5
    error: trial 5 of budget `s` failed: the loss is not finite
    hint: `allometry show 5 --budget s` says more; name a trial that has a value
    exit code 2

    $ allometry train --budget s --trial 6
    error: trial 6 of budget `s` has not begun
    hint: `allometry run` trains the waiting trials
    exit code 2

    $ allometry train --budget s --trial 1 --recommended
    error: the argument '--trial <NUMBER>' cannot be used with '--recommended'

    Usage: allometry train --budget <LABEL> --trial <NUMBER> [LADDER]

    For more information, try '--help'.
    exit code 2

    $ allometry train --budget l --trial 0
    error: sqlite:///trials.db holds no trials of budget `l`
    hint: `allometry run` makes them
    exit code 4

    $ allometry train --trial 0
    error: the ladder has several budgets
    hint: give --budget, one of s, l
    exit code 2

    $ allometry train --budget s --trial 0 --storage sqlite:///none.db
    error: there is no file none.db
    hint: `allometry run` creates it; if it has run, check the path: `sqlite:///x.db` is relative to \
    the working directory
    exit code 4

    $ allometry train --budget s --trial 0 --storage sqlite:///broken.db
    error: broken.db is not a SQLite database
    hint: name a file that Optuna or Allometry wrote, or one that does not exist yet
    exit code 5

    $ allometry train --budget s --recommended --storage sqlite:///none.db
    error: there is no file none.db
    hint: `allometry run` creates it; if it has run, check the path: `sqlite:///x.db` is relative to \
    the working directory
    exit code 4
    ");
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
    s, from the middle of its space, seed 2304591287921067115: n_heads=2 n_layers=2 d_ff_ratio=2 \
    learning_rate=0.00316227766 dropout=0.1 d_model=6 (799 weights)
    error: cannot read checkpoint data.csv/a/b.safetensors: Not a directory (os error 20)
    exit code 4

    $ allometry predict none.safetensors data.csv
    error: cannot read checkpoint none.safetensors: No such file or directory (os error 2)
    hint: `allometry train` writes checkpoints
    exit code 4

    $ allometry predict data.csv data.csv
    error: data.csv is not a complete safetensors file: it does not begin with the length of a header
    hint: it may have been copied incompletely: copy it again, or train the model again with `allometry \
    train --restart`
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
    let (code, out, err) = run(folder.path(), &["check", "--shuffle", "-S", "model.task=classes"]);
    assert_eq!(code, 0, "{err}");
    assert_eq!(out.matches("with labels in random order: AUC").count(), 2, "{out}");
    let of_numbers = ["check", "--shuffle", "-S", "model.task=regression", "-S", "data.label=noise"];
    let (code, _, err) = run(folder.path(), &of_numbers);
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("the label is a number") && err.contains("hint: leave it out"), "{err}");
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

/// The program of a ladder is started again for a stored trial, in a folder of its own; no trial is stored.
#[cfg(unix)]
#[test]
fn a_program_is_started_again_for_a_stored_trial() {
    let ladder = crate::support::scripted::Scripted::DEFAULT;
    let script = "mkdir -p \"$ALLOMETRY_CHECKPOINT_DIR\"\n\
                  echo \"{\\\"final\\\": true, \\\"value\\\": 0.$1$(($ALLOMETRY_SEED % 1000)), \
                  \\\"checkpoint\\\": \\\"model $1\\\"}\" >> \"$ALLOMETRY_REPORT\"\n";
    let folder = crate::support::scripted::folder(&ladder.ladder(), script);
    let folder = folder.path();
    assert_eq!(run(folder, &["run", "--quiet"]).0, 0);
    let (_, best, _) = run(folder, &["best"]);
    let line = best.lines().find_map(|line| line.trim().strip_prefix("train it again: allometry ")).unwrap();
    assert!(best.contains("its model: model "), "{best}");
    let words: Vec<&str> = line.split(' ').collect();
    let (code, out, err) = run(folder, &words);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("; checkpoint model ") && out.contains("equal to trial "), "{out}");
    assert!(folder.join("trained/a").is_dir());
    let number = line.split_once("--trial ").unwrap().1.split(' ').next().unwrap();
    let other = ["train", "--budget", "a", "--trial", number, "--seed", "1", "--json", "--quiet"];
    let document: Value = serde_json::from_str(&run(folder, &other).1).unwrap();
    assert_eq!((&document["seed"], &document["stored"]["equal"]), (&1.into(), &Value::Null));
    insta::assert_snapshot!(all_refused(folder, &[&["train", "--budget", "a", "--restart"]]), @"
    $ allometry train --budget a --restart
    error: --restart is for the built-in model, but a program trains this ladder
    hint: leave it out
    exit code 2
    ");
}
