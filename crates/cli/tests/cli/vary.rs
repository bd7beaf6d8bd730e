//! Tests of ladders that search settings of the model.

use std::path::Path;

use allometry_core::{FrozenTrial, ParamValue, Predictions, TrialState};
use allometry_store::{Store, StudyId};
use serde_json::Value;

use crate::support::{LADDER, folded, printed, project, refused, run, shown};

/// Values of all settings that trials can choose.
const SETTINGS: &str = "\
context = [6, 9]
patch = [3, 8]
stride = [2, 3]
epochs = [1, 3]
warmup_epochs = [0, 2]
batch_size = [16, 64]
loss = [\"bce\", \"weighted\"]
normalize = [\"standard\", \"revin\"]
";

/// Creates the folder of [`project`] with a ladder whose space has these settings.
fn searching(settings: &str) -> tempfile::TempDir {
    let folder = project();
    let ladder = LADDER
        .replace("trials = 4", "trials = 12")
        .replace("context = 8\npatch = 4\nstride = 4\nepochs = 2\n", "")
        .replace("[space]\n", &format!("[space]\n{settings}"));
    let ladder = ladder + "\n[sampler]\nkind = \"random\"\nprobes = false\n";
    std::fs::write(folder.path().join("ladder.toml"), ladder).unwrap();
    folder
}

/// Returns the storage of a folder and a study in it.
fn opened(folder: &Path, study: &str) -> (Box<dyn Store>, StudyId) {
    let url = format!("sqlite:///{}", folder.join("trials.db").display());
    let store = allometry_store::open_read_only(&url).unwrap();
    let study = store.study(study).unwrap().unwrap();
    (store, study.id)
}

/// Returns the complete trials of a study with their predictions.
fn trials(folder: &Path, study: &str) -> Vec<(FrozenTrial, Predictions)> {
    let (store, study) = opened(folder, study);
    let with_predictions = store.trials(study).unwrap().into_iter().map(|trial| {
        let predictions = store.predictions(study, trial.number).unwrap();
        (trial, predictions.expect("a complete trial has predictions"))
    });
    with_predictions.collect()
}

fn get(trial: &FrozenTrial, name: &str) -> i64 {
    trial.params.get(name).and_then(ParamValue::as_i64).unwrap()
}

fn json(folder: &Path, arguments: &[&str]) -> Value {
    let (code, out, err) = run(folder, arguments);
    assert_eq!(code, 0, "{arguments:?}: {err}");
    serde_json::from_str(&out).unwrap()
}

#[test]
fn a_ladder_that_searches_all_settings_runs_and_repeats_its_trials() {
    let folder = searching(SETTINGS);
    let folder = folder.path();
    // In single precision, as predictions are.
    let (code, _, err) = run(folder, &["run", "--quiet", "--precision", "f32"]);
    assert_eq!(code, 0, "{err}");
    let all = trials(folder, "tiny/s");
    assert_eq!(all.len(), 12);
    let first = all[0].1.scores().unwrap();
    let mut contexts = std::collections::BTreeSet::new();
    for (trial, predictions) in &all {
        assert_eq!(trial.state, TrialState::Complete, "{trial:?}");
        let scores = predictions.scores().unwrap();
        assert_eq!((&scores.rows, &scores.labels), (&first.rows, &first.labels), "{}", trial.params);
        assert!(get(trial, "patch") <= get(trial, "context"), "{}", trial.params);
        assert!(trial.intermediate.len() as i64 <= get(trial, "epochs"), "{}", trial.params);
        assert!(get(trial, "warmup_epochs") <= get(trial, "epochs"), "{}", trial.params);
        contexts.insert(get(trial, "context"));
    }
    assert_eq!(contexts.into_iter().collect::<Vec<_>>(), [6, 9]);

    // One of each context is repeated, and its checkpoint predicts every row that its context admits.
    for context in [6, 9] {
        let (trial, predictions) =
            all.iter().find(|(trial, _)| get(trial, "context") == context).expect("there is one");
        let number = trial.number.to_string();
        let file = format!("{context}.safetensors");
        let repeat = ["train", "--budget", "s", "--trial", &number, "--json", "--quiet", "-o", &file];
        let repeated = json(folder, &repeat);
        assert_eq!(repeated["stored"]["equal"], true, "{repeated}");
        assert_eq!(repeated["weights"], trial.record.size.unwrap().total);
        // The finished checkpoint is only read, and gives the same.
        assert_eq!(json(folder, &repeat), repeated);
        let (code, predicted, err) = run(folder, &["predict", &file, "data.csv"]);
        assert_eq!(code, 0, "{err}");
        let rows: Vec<(u64, f32)> = predicted.lines().skip(1).map(row_and_score).collect();
        assert_eq!(rows.len() as i64, 400 - (context - 1));
        let scores = predictions.scores().unwrap();
        for (row, score) in scores.rows.iter().zip(&scores.scores) {
            let (_, again) = rows.iter().find(|(other, _)| other == row).unwrap();
            assert!((again - score).abs() < 1e-6, "row {row}: {again} and {score}");
        }
        let (code, _, err) = run(folder, &["export", &file, "--onnx", "m.onnx"]);
        assert_eq!(code, 0, "{err}");
    }

    let (code, report, err) = run(folder, &["report", "--template", "full"]);
    assert_eq!(code, 0, "{err}");
    for name in ["context", "patch", "stride", "epochs", "warmup_epochs", "batch_size", "loss", "normalize"] {
        assert!(report.contains(name), "{name} is reported");
    }
}

fn row_and_score(line: &str) -> (u64, f32) {
    let mut cells = line.split(',');
    let row = cells.next().unwrap().parse().unwrap();
    (row, cells.next_back().unwrap().parse().unwrap())
}

/// An interrupted run goes on with the trials that an uninterrupted one has.
#[test]
fn a_run_that_searches_settings_goes_on_where_it_was() {
    let [whole, parts] = [(); 2].map(|()| searching(SETTINGS));
    assert_eq!(run(whole.path(), &["run", "--quiet"]).0, 0);
    assert_eq!(run(parts.path(), &["run", "--quiet", "-S", "trials=5"]).0, 0);
    assert_eq!(run(parts.path(), &["run", "--quiet"]).0, 0);
    let values = |folder: &Path| -> Vec<(String, Option<f64>)> {
        trials(folder, "tiny/l").iter().map(|(trial, _)| (trial.params.to_string(), trial.value())).collect()
    };
    assert_eq!(values(whole.path()), values(parts.path()));
}

/// With one worker a trial is stopped only where three trials of its own number of epochs were complete.
#[test]
fn pruners_compare_trials_of_equal_epochs() {
    let folder = searching(&SETTINGS.replace("epochs = [1, 3]", "epochs = [3, 4, 5]"));
    let pruner = "\n[pruner]\nkind = \"median\"\nn_startup_trials = 3\ncomplete_share = 0.0\n";
    let path = folder.path().join("ladder.toml");
    let ladder = std::fs::read_to_string(&path).unwrap().replace("trials = 12", "trials = 30");
    std::fs::write(&path, ladder + pruner).unwrap();
    let (code, _, err) = run(folder.path(), &["run", "--quiet", "--workers", "1"]);
    assert_eq!(code, 0, "{err}");
    let mut pruned = 0;
    for study in ["tiny/s", "tiny/l"] {
        let (store, id) = opened(folder.path(), study);
        let all = store.trials(id).unwrap();
        for (place, trial) in all.iter().enumerate().filter(|(_, trial)| trial.state == TrialState::Pruned) {
            let is_peer = |other: &&FrozenTrial| {
                other.state == TrialState::Complete && get(other, "epochs") == get(trial, "epochs")
            };
            let peers = all[..place].iter().filter(is_peer).count();
            assert!(peers >= 3, "{study} {}: {peers} trials to compare it with", trial.number);
            pruned += 1;
        }
    }
    assert!(pruned > 3, "{pruned} trials were stopped");
}

/// Returns the lines of a check below the table, without the architectures.
fn checked(folder: &Path, arguments: &[&str]) -> String {
    let (code, out, err) = run(folder, arguments);
    assert_eq!(code, 0, "{err}");
    let is_table = |line: &&str| {
        !["data.csv", "  features", "  not features", "  times", "  labels"]
            .iter()
            .any(|s| line.starts_with(s))
            && !line.contains("GFLOP")
    };
    shown(folder, &out.lines().filter(is_table).collect::<Vec<_>>().join("\n"))
}

#[test]
fn check_counts_what_settings_add() {
    let folder = searching(SETTINGS);
    insta::assert_snapshot!(checked(folder.path(), &["check"]), @r#"
      training       263 windows, 93 positive (35.4%), 2000-01-09 to 2000-10-19
      validation      60 windows, 20 positive (33.3%), 2000-11-01 to 2001-01-04
      warning: with 20 positives, one AUC of 0.75 is known to +-0.139 (95%)
      test            51 windows, 18 positive (35.3%), 2001-01-14 to 2001-03-08
      warning: the model does not see all rows of a window with context = 6, patch = 3, stride = 2: no \
    patch contains its newest row
      warning: the model does not see all rows of a window with context = 9, patch = 8, stride = 2: no \
    patch contains its newest row
      warning: the model does not see all rows of a window with context = 9, patch = 8, stride = 3: no \
    patch contains its newest row
        patches contain all rows where `stride` is at most `patch` and divides `context` - `patch`
    matrix products are computed in PRECISION with INSTRUCTIONS

    s (any number of weights; the label is only a name)
      72 of 96 architectures, 225 to 1,369 weights
      24 left out: not patch <= context
      25% of the configurations left out: not warmup_epochs <= epochs
      infinitely many configurations (learning_rate is continuous)
      at most 1 MiB of memory a trial
      12 trials of 3 epochs: at most about TIME with N workers
      and 60 more (--all lists them)

    l (any number of weights; the label is only a name)
      48 of 64 architectures, 1,441 to 4,785 weights
      16 left out: not patch <= context
      25% of the configurations left out: not warmup_epochs <= epochs
      infinitely many configurations (learning_rate is continuous)
      at most 1 MiB of memory a trial
      12 trials of 3 epochs: at most about TIME with N workers
      and 36 more (--all lists them)

    the ladder does not ask for a confirmation on the test rows, which trains the best configuration of \
    each budget with 5 seeds
      it would take 10 trainings, at most about TIME with N workers; the search has 24 trials, at most \
    about TIME with N workers
      the best of many trials is partly luck: [confirm] with top = 1 and seeds = 5 asks for it
    "#);
    // The sizes are exact: those of ladders that fix the settings.
    let all = json(folder.path(), &["check", "--all", "--json"]);
    let architectures = all["budgets"][0]["architectures"].as_array().unwrap();
    assert_eq!(architectures.len(), 12 * 3 * 2, "of 12 shapes, 3 of context and patch, 2 of stride");
    let mut compared = 0;
    for one in architectures.iter().step_by(5) {
        let params = &one["params"];
        let fixed = project();
        let window = ["context", "patch", "stride"].map(|name| format!("model.{name}={}", params[name]));
        let mut command = vec!["check", "--all", "--json", "-S", "model.batch_size=64"];
        command.extend(window.iter().flat_map(|setting| ["-S", setting]));
        let of_fixed = json(fixed.path(), &command);
        let same = |other: &&Value| {
            ["d_model", "n_heads", "n_layers"].iter().all(|name| other["params"][name] == params[name])
        };
        let other = of_fixed["budgets"][0]["architectures"].as_array().unwrap().iter().find(same).unwrap();
        assert_eq!((&one["weights"], &one["memory_bytes"]), (&other["weights"], &other["memory_bytes"]));
        compared += 1;
    }
    assert!(compared > 5);
}

/// A fixed window whose newest rows are in no patch.
#[test]
fn check_says_which_rows_are_never_seen() {
    let folder = project();
    let unseen = |settings: &[&str]| {
        let mut command = vec!["check"];
        command.extend(settings.iter().flat_map(|setting| ["-S", setting]));
        let (code, out, err) = run(folder.path(), &command);
        assert_eq!(code, 0, "{err}");
        let told = out
            .lines()
            .filter(|line| line.contains("no patch contains") || line.contains("patches contain all"));
        folded(&told.collect::<Vec<_>>().join("\n"))
    };
    assert_eq!(unseen(&[]), "");
    insta::assert_snapshot!(unseen(&["model.context=9"]), @r#"
      warning: the model does not see all rows of a window with context = 9, patch = 4, stride = 4: no \
    patch contains its newest row
        patches contain all rows where `stride` is at most `patch` and divides `context` - `patch`
    "#);
    insta::assert_snapshot!(unseen(&["model.context=12", "model.patch=3", "model.stride=5"]), @r#"
      warning: the model does not see all rows of a window with context = 12, patch = 3, stride = 5: no \
    patch contains its 4 newest rows and 2 rows between two patches
        patches contain all rows where `stride` is at most `patch` and divides `context` - `patch`
    "#);
    let found = json(folder.path(), &["check", "--json", "-S", "model.context=12", "-S", "model.stride=6"]);
    assert_eq!(
        found["unseen_rows"],
        serde_json::json!([{"context": 12, "patch": 4, "stride": 6, "newest": 2, "between": 2}])
    );
}

/// Budgets of exact sizes whose architectures differ in the window.
#[test]
fn budgets_are_suggested_over_windows() {
    let folder = searching(SETTINGS);
    insta::assert_snapshot!(printed(folder.path(), &["check", "--suggest-budgets", "3"]), @r#"
    $ allometry check --suggest-budgets 3
    # 3 budgets over 1.2 decades of weights

    [[budget]]
    label = "250"
    weights = 250    # 12 architectures

    [[budget]]
    label = "1k"
    weights = 1_000    # 16 architectures

    [[budget]]
    label = "4.4k"
    weights = 4_400    # 12 architectures

    # In [space], in place of the budgets' own lists:
    # d_model = [4, 6, 8, 12, 16]

    # A forecast of the next size needs 5 budgets over 1.5 decades.
    "#);
}

#[test]
fn what_cannot_be_searched_is_refused() {
    let folder = searching(SETTINGS);
    let folder = folder.path();
    insta::assert_snapshot!(refused(folder, &["check", "-S", "model.epochs=5"]), @r"
    $ allometry check -S model.epochs=5
    ladder::repeated

      × `epochs` is set in [model] and in a search space
       ╭─[--set:1:14]
     1 │ model.epochs=5
       ·              ┬
       ·              ╰── here
       ╰────
      help: remove it from [model] to search it, or from the space to fix it for
            all trials
    exit code 3
    ");
    insta::assert_snapshot!(refused(folder, &["check", "-S", "space.batch_size=[0, 64]"]), @r"
    $ allometry check -S 'space.batch_size=[0, 64]'
    ladder::out_of_range

      × `batch_size` is 0, but must be from 1 to 1000000
       ╭─[--set:1:19]
     1 │ space.batch_size=[0, 64]
       ·                   ┬
       ·                   ╰── from 1 to 1000000
       ╰────
    exit code 3
    ");
    insta::assert_snapshot!(refused(folder, &["check", "-S", "space.context=[6, 1000]"]), @r"
    $ allometry check -S 'space.context=[6, 1000]'
    error: data.csv: too few rows: with 400 rows the training part has no window of 1000 rows
    hint: a shorter context, more rows, or a larger share for training
    exit code 3
    ");
    let none_fits = ["check", "-S", "space.constraints=[\"context < patch\"]"];
    insta::assert_snapshot!(refused(folder, &none_fits), @r#"
    $ allometry check -S 'space.constraints=["context < patch"]'
    error: budget `s`: none of the 96 architectures of the space meets all constraints together
    hint: without `context < patch` the budget has 72 architectures; without `patch <= context` the \
    budget has 24 architectures
    exit code 3
    "#);
    let wide = ["check", "-S", "budget.s.weights=1000000"];
    insta::assert_snapshot!(refused(folder, &wide), @r"
    $ allometry check -S budget.s.weights=1000000
    error: budget `s`: none of the 72 architectures of the space that meet the constraints has 750k to \
    1.25M weights; they reach from 225 to 1.37k
    hint: nearest: 1.37k with context=9 patch=8 stride=2 n_heads=1 n_layers=2 d_ff_ratio=2 d_model=8; \
    give the budget other values in [budget.space]
    exit code 3
    ");
    let of_fixed = ["train", "--budget", "s", "-S", "epochs=5"];
    insta::assert_snapshot!(refused(project().path(), &of_fixed), @r"
    $ allometry train --budget s -S epochs=5
    ladder::unknown_key

      × unknown key `epochs` in the file
       ╭─[--set:1:1]
     1 │ epochs=5
       · ───┬──
       ·    ╰── not known
       ╰────
      help: `epochs` belongs in [model], or in [space] if it is searched
    exit code 3
    ");
    let both = ["train", "--budget", "s", "-S", "epochs=5", "-S", "context=9", "--json", "--quiet"];
    assert_eq!(json(folder, &both)["params"]["epochs"], 5, "a searched setting is a parameter");
    let shuffled = run(folder, &["check", "--shuffle"]);
    assert_eq!(shuffled.0, 0, "{}", shuffled.2);
    assert_eq!(shuffled.1.matches("with labels in random order: AUC").count(), 2);
}
