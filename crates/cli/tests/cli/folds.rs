//! Walk-forward folds from the ladder file to the report.
#![cfg(unix)]

use std::cell::RefCell;
use std::fmt::Write as _;
use std::path::Path;

use allometry_core::{FrozenTrial, TrialNumber, TrialState};

use crate::support::{
    all_refused, date, printed, project_of, report, run, shared, table_lines, uniform, values,
};

/// A table of 400 days of one series whose label depends on `up`.
fn table() -> String {
    let mut text = String::from("date,up,noise,label\n");
    let mut next = uniform();
    for day in 0..400 {
        writeln!(text, "{},{}", date(day), values(&mut next)).unwrap();
    }
    text
}

fn folded(settings: &str) -> tempfile::TempDir {
    project_of(&table(), &format!("folds = 4\n{settings}"))
}

fn trials(folder: &Path, study: &str) -> Vec<FrozenTrial> {
    let url = allometry_store::url::of_sqlite(&folder.join("trials.db"));
    let store = allometry_store::open_read_only(&url).unwrap();
    let study = store.study(study).unwrap().unwrap();
    store.trials(study.id).unwrap()
}

#[test]
fn check_lists_the_rows_and_the_dates_of_each_fold() {
    insta::assert_snapshot!(table_lines(folded("scheme = \"rolling\"").path()), @"
    $ allometry check
    data.csv: 400 rows, 2 features
      features: `up`, `noise`
      not features: `date` (the time), `label` (the label)
      times: daily
      labels look one row ahead (set `horizon` in [data] if it is more)
      4 folds, rolling; the last 15% of each fold's training rows choose the epoch
      fold 1
        training       138 windows, 50 positive (36.2%), 2000-01-08 to 2000-06-05
        stopping        19 windows, 8 positive (42.1%), 2000-06-14 to 2000-07-04
        validation      40 windows, 15 positive (37.5%), 2000-07-13 to 2000-08-24
      fold 2
        training       138 windows, 48 positive (34.8%), 2000-02-20 to 2000-07-17
        stopping        19 windows, 7 positive (36.8%), 2000-07-26 to 2000-08-16
        validation      40 windows, 12 positive (30.0%), 2000-08-25 to 2000-10-08
      fold 3
        training       138 windows, 46 positive (33.3%), 2000-04-04 to 2000-09-01
        stopping        19 windows, 5 positive (26.3%), 2000-09-10 to 2000-09-28
        validation      40 windows, 13 positive (32.5%), 2000-10-09 to 2000-11-20
      fold 4
        training       138 windows, 47 positive (34.1%), 2000-05-16 to 2000-10-13
        stopping        19 windows, 4 positive (21.1%), 2000-10-22 to 2000-11-12
        validation      40 windows, 14 positive (35.0%), 2000-11-21 to 2001-01-04
      the values are in memory 5 times, 1 MiB together
      model for the test rows
      training       138 windows, 44 positive (31.9%), 2000-06-28 to 2000-11-25
      stopping        27 windows, 7 positive (25.9%), 2000-12-06 to 2001-01-04
      test            52 windows, 18 positive (34.6%), 2001-01-13 to 2001-03-08
    matrix products are computed in PRECISION with INSTRUCTIONS
    ");
    let (code, out, err) = run(folded("").path(), &["check", "--json"]);
    assert_eq!(code, 0, "{err}");
    let document: serde_json::Value = serde_json::from_str(&out).unwrap();
    let folds = &document["table"]["folds"];
    assert_eq!((&folds["scheme"], &folds["copies"]), (&"expanding".into(), &5.into()));
    assert_eq!(folds["parts"][3][2]["windows"], 40);
    assert_eq!(document["budgets"][0]["time"]["folds"], 4);
}

#[test]
fn what_folds_cannot_be_is_refused_with_what_they_can() {
    let folder = folded("");
    let calls = [
        &["check", "-S", "data.folds=2"][..],
        &["check", "-S", "data.folds=60"],
        &["check", "-S", "data.stopping=0.03"],
        &["check", "-S", "data.scheme=blocked"],
        &["check", "-S", "pruner.kind=median"],
        &["check", "-S", "pruner={ kind = \"wilcoxon\", collapse = 3 }"],
        &["check", "--power", "0.01"],
    ];
    insta::assert_snapshot!(all_refused(folder.path(), &calls), @r#"
    $ allometry check -S data.folds=2
    ladder::out_of_range

      × `folds` is 2, but must be from 3 to 100
       ╭─[--set:1:12]
     1 │ data.folds=2
       ·            ┬
       ·            ╰── from 3 to 100
       ╰────
    exit code 3

    $ allometry check -S data.folds=60
    error: fold 1 of 60: data.csv: all 2 windows of the validation part have the label 1 in column \
    `label`
    hint: fewer `folds`, or a larger share for validation in `split`; with these shares `folds = 22` is \
    accepted
    exit code 3

    $ allometry check -S data.stopping=0.03
    error: fold 1 of 4: data.csv: too few rows: with 400 rows the stopping part has no window of 8 rows
    hint: a shorter context, more rows, or a larger `stopping`
    exit code 3

    $ allometry check -S data.scheme=blocked
    ladder::unknown_word

      × `scheme` cannot be `blocked`
       ╭─[--set:1:13]
     1 │ data.scheme=blocked
       ·             ───┬───
       ·                ╰── not known
       ╰────
      help: it can be `expanding`, `rolling`
    exit code 3

    $ allometry check -S pruner.kind=median
    ladder::needs

      × `kind` needs the value "wilcoxon" where [data] has `folds`: trials report
      │ folds, not epochs
       ╭─[--set:1:13]
     1 │ pruner.kind=median
       ·             ───┬──
       ·                ╰── this one
       ╰────
    exit code 3

    $ allometry check -S 'pruner={ kind = "wilcoxon", collapse = 3 }'
    ladder::needs

      × `collapse` needs trials without folds, which report epochs;
      │ `collapse_epochs` in [model] acts in each fold
       ╭─[--set:1:40]
     1 │ pruner={ kind = "wilcoxon", collapse = 3 }
       ·                                        ┬
       ·                                        ╰── this one
       ╰────
    exit code 3

    $ allometry check --power 0.01
    error: --power counts rows as independent and trials as one training, which folds are not
    hint: after some trials `allometry report` says what would decide
    exit code 2
    "#);
    let plain = project_of(&table(), "scheme = \"rolling\"\nstopping = 0.2");
    insta::assert_snapshot!(all_refused(plain.path(), &[&["check"][..]]), @r#"
    $ allometry check
    ladder::needs

      × `scheme` needs `folds`, the number of walk-forward folds
        ╭─[ladder.toml:10:10]
      9 │ time = "date"
     10 │ scheme = "rolling"
        ·          ────┬────
        ·              ╰── this one
     11 │ stopping = 0.2
        ╰────

    ladder::needs

      × `stopping` needs `folds`, the number of walk-forward folds
        ╭─[ladder.toml:11:12]
     10 │ scheme = "rolling"
     11 │ stopping = 0.2
        ·            ─┬─
        ·             ╰── this one
     12 │ label = "label"
        ╰────
    exit code 3
    "#);
}

#[test]
fn a_comparison_says_in_how_many_eras_the_second_is_better() {
    let (first, second) = (folded(""), folded("features = { exclude = [\"up\"] }"));
    for folder in [&first, &second] {
        let settings = ["run", "--quiet", "-S", "trials=12", "-S", "sampler.kind=random"];
        assert_eq!(run(folder.path(), &settings).0, 0);
    }
    let ladder = |folder: &tempfile::TempDir| folder.path().join("ladder.toml").to_str().unwrap().to_owned();
    let sources = [ladder(&first), ladder(&second)];
    let (code, _, err) = run(first.path(), &["compare", &sources[0], &sources[1], "-o", "compared.json"]);
    assert_eq!(code, 0, "{err}");
    let text = std::fs::read_to_string(first.path().join("compared.json")).unwrap();
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    for budget in document["budgets"].as_array().unwrap() {
        let value = &budget["value"];
        let points =
            value["eras"].as_array().unwrap().iter().map(|era| era["gain"]["point"].as_f64().unwrap());
        let points: Vec<f64> = points.collect();
        assert_eq!(points.len(), 4, "{value}");
        let difference = value["difference"]["point"].as_f64().unwrap();
        assert!((points.iter().sum::<f64>() / 4.0 - difference).abs() < 1e-9, "{points:?} and {difference}");
    }
    let (_, out, _) = run(first.path(), &["compare", &sources[0], &sources[1]]);
    assert!(out.contains("B is better in 0 of 4 eras: B - A lies between -"), "{out}");
}

#[test]
fn a_trial_has_the_mean_of_its_folds_and_the_report_says_in_how_many_eras_more_weights_paid() {
    let folder = folded("");
    let folder = folder.path();
    let (code, _, err) = run(folder, &["run", "--quiet", "-S", "trials=12", "-S", "sampler.kind=random"]);
    assert_eq!((code, err.as_str()), (0, ""));
    let trials = trials(folder, "tiny/s");
    for trial in &trials {
        assert_eq!(trial.intermediate.keys().copied().collect::<Vec<_>>(), [1, 2, 3, 4]);
        let mean = trial.intermediate.values().sum::<f64>() / 4.0;
        assert_eq!(trial.values, [mean]);
        assert_eq!(trial.record.best_step, None);
    }
    let document = report(folder);
    let eras = document["per_era"]["eras"].as_array().unwrap();
    assert_eq!(eras.len(), 4);
    let best = document["studies"][0]["summary"]["best"][0]["value"]["point"].as_f64().unwrap();
    let of_eras: f64 = eras.iter().map(|era| era["values"][0]["point"].as_f64().unwrap()).sum();
    assert!((of_eras / 4.0 - best).abs() < 1e-9, "the value of the best trial is the mean of the eras'");
    assert_eq!(document["studies"][0]["summary"]["best"][0]["value"]["method"], "rows", "it has an error");
    let judgement = &document["scaling"]["judgement"];
    assert_eq!(judgement["eras"], 4);
    let gains: Vec<f64> = judgement["gains_of_eras"]
        .as_array()
        .unwrap()
        .iter()
        .map(|era| era["gain"]["point"].as_f64().unwrap())
        .collect();
    let slope = judgement["slope"]["point"].as_f64().unwrap();
    assert!((gains.iter().sum::<f64>() / 4.0 - slope).abs() < 1e-9, "{gains:?} have the mean {slope}");
    let importance = document["per_era"]["importance"].as_array().unwrap();
    assert_eq!(importance.len(), 2, "one for each budget");
    for one in importance {
        let parameters = one["parameters"].as_array().unwrap();
        assert!(parameters.iter().all(|one| one["shares"].as_array().unwrap().len() == 4), "{parameters:?}");
    }
    let brief = run(folder, &["report"]).1;
    let paid = gains.iter().filter(|gain| **gain > 0.0).count();
    assert!(brief.contains(&format!("Larger models were better in {paid} of 4 eras")), "{brief}");
    assert!(brief.contains("at least the one that follows from the spread of the 4 eras"), "{brief}");
    let full = run(folder, &["report", "--template", "full"]).1;
    let section = full.split("## Results by era").nth(1).unwrap();
    assert!(section.contains("| 2000-07-13 to 2000-08-24 | 40 |"), "{section:.1500}");
    let shown = printed(folder, &["show", "ladder.toml", "0", "--study", "tiny/s"]);
    assert!(shown.contains("fold 4"), "{shown}");
}

#[test]
fn the_test_rows_judge_a_model_that_is_trained_once() {
    let folder = folded("");
    let folder = folder.path();
    assert_eq!(run(folder, &["run", "--quiet"]).0, 0);
    let (code, _, err) = run(folder, &["confirm", "--quiet", "--seeds", "2"]);
    assert_eq!((code, err.as_str()), (0, ""));
    let document = report(folder);
    assert!(document["confirmation"].is_object(), "it is judged by the test rows");
    let arguments = ["train", "--budget", "s", "--trial", "0", "--json", "--quiet"];
    let trained: serde_json::Value = serde_json::from_str(&run(folder, &arguments).1).unwrap();
    assert_eq!(trained["stored"]["trial"], 0);
    assert_eq!(trained["stored"]["equal"], serde_json::Value::Null, "it repeats no trial");
    let (code, text, err) = run(folder, &["predict", "ladder.runs/s/train.safetensors", "data.csv"]);
    assert_eq!((code, text.lines().count(), err.as_str()), (0, 1 + 400 - 7, ""));
}

/// Folds go with everything else that a ladder can ask for.
#[test]
fn series_searched_settings_parts_of_the_rows_and_transfers_have_folds() {
    let mut text = String::from("date,shop,up,noise,label\n");
    let mut next = uniform();
    for day in 0..200 {
        for shop in 0..3 {
            writeln!(text, "{},shop {shop},{}", date(day), values(&mut next)).unwrap();
        }
    }
    let folder = project_of(&text, "folds = 4\nscheme = \"rolling\"\nseries = \"shop\"");
    let file = folder.path().join("ladder.toml");
    let ladder = std::fs::read_to_string(&file).unwrap();
    let searched = "[space]\nnormalize = [\"standard\", \"none\"]\nepochs = [1, 2]\ncontext = [8, 4]\n";
    let ladder = ladder.replacen("context = 8\n", "", 1).replacen("epochs = 2\n", "", 1);
    let ladder = ladder.replacen("[space]\n", searched, 1);
    std::fs::write(&file, ladder.replacen("trials = 4", "trials = 3\ntrain_share = [0.5]", 1)).unwrap();
    for command in [["run", "--quiet"], ["transfer", "--quiet"]] {
        let (code, _, err) = run(folder.path(), &command);
        assert_eq!((code, err.as_str()), (0, ""), "{command:?}");
    }
    for study in ["tiny/s", "tiny/l"] {
        let rows = |trial: &FrozenTrial| trial.record.cost.and_then(|cost| cost.train_rows);
        let all = trials(folder.path(), study);
        assert!(all.iter().all(|trial| trial.intermediate.len() == 4 && rows(trial).is_some()));
    }
    let document = report(folder.path());
    assert_eq!(document["per_era"]["eras"].as_array().map(Vec::len), Some(4));
    assert_eq!(document["per_series"]["count"], 3);
    assert!(document["transfer"].is_object());
}

#[test]
fn folds_are_pruned_in_pairs() {
    let folder = folded("");
    let folder = folder.path();
    let arguments = [
        "run",
        "--quiet",
        "-S",
        "trials=10",
        "-S",
        "sampler.kind=random",
        "-S",
        "model.epochs=1",
        "-S",
        "pruner={ kind = \"wilcoxon\", p_threshold = 0.3, complete_share = 0.0 }",
        "-S",
        "space.learning_rate=[1e-2, 1e-7]",
    ];
    let (code, _, err) = run(folder, &arguments);
    assert_eq!((code, err.as_str()), (0, ""));
    let pruned: Vec<FrozenTrial> = ["tiny/s", "tiny/l"]
        .into_iter()
        .flat_map(|study| trials(folder, study))
        .filter(|trial| trial.state == TrialState::Pruned)
        .collect();
    assert!(!pruned.is_empty(), "models that learn nothing are worse in every fold");
    assert!(pruned.iter().all(|trial| (2..=4).contains(&trial.intermediate.len())));
    let full = printed(folder, &["report", "--template", "full"]);
    assert!(full.contains(" folds in total"), "{full}");
}

#[test]
fn a_run_that_is_killed_in_a_fold_ends_as_one_that_is_not() {
    let long =
        ["run", "--workers", "1", "-S", "trials=3", "-S", "model.epochs=12", "-S", "model.patience=12"];
    let long = [long.as_slice(), &["-S", "sampler.kind=random"]].concat();
    let folder = folded("");
    // Each time the run is killed once another fold of a trial is finished.
    let finished = |folder: &Path| {
        let runs = folder.join("ladder.runs");
        let inside = |path: std::path::PathBuf| {
            let found = std::fs::read_dir(path).into_iter().flatten().flatten();
            found.map(|entry| entry.path()).collect::<Vec<_>>()
        };
        let mut open = vec![runs];
        let mut bytes = 0;
        while let Some(path) = open.pop() {
            if path.extension().is_some_and(|extension| extension == "json") {
                bytes += std::fs::metadata(&path).map_or(0, |data| data.len());
            }
            open.extend(inside(path));
        }
        bytes
    };
    for _ in 0..3 {
        let before = finished(folder.path());
        let child = RefCell::new(shared::start(folder.path(), &long));
        shared::wait_for("another fold", || {
            finished(folder.path()) > before || !matches!(child.borrow_mut().try_wait(), Ok(None))
        });
        let mut child = child.into_inner();
        let _ = child.kill();
        child.wait().unwrap();
    }
    let whole = folded("");
    for folder in [&folder, &whole] {
        let (code, _, err) = run(folder.path(), &long);
        assert_eq!(code, 0, "{err}");
    }
    let results = |folder: &Path| -> Vec<_> {
        let complete = ["tiny/s", "tiny/l"].into_iter().flat_map(|study| trials(folder, study));
        let mut all: Vec<_> = complete
            .filter(|trial| trial.state == TrialState::Complete)
            .map(|trial| {
                let bits: Vec<u64> = trial.intermediate.values().map(|value| value.to_bits()).collect();
                (
                    trial.record.seed,
                    bits,
                    trial.value().map(f64::to_bits),
                    format!("{:?}", trial.record.metrics),
                )
            })
            .collect();
        all.sort();
        all
    };
    assert_eq!(results(folder.path()), results(whole.path()), "interruptions change no result");
    assert_eq!(finished(folder.path()), 0, "no file is left");
}

/// Facts of folds are those of every study of the ladder.
#[test]
fn a_run_stores_the_eras_of_its_rows() {
    let folder = folded("");
    assert_eq!(run(folder.path(), &["run", "--quiet", "-S", "trials=1"]).0, 0);
    let url = allometry_store::url::of_sqlite(&folder.path().join("trials.db"));
    let store = allometry_store::open_read_only(&url).unwrap();
    for study in store.studies().unwrap() {
        let folds = study.facts.folds.clone().unwrap();
        let predicted = store.predictions(study.id, TrialNumber(0)).unwrap().unwrap();
        let allometry_core::Predictions::Binary(scores) = predicted else { panic!("the label is binary") };
        assert_eq!(folds.rows().map(|(row, _)| row).collect::<Vec<_>>(), scores.rows);
        assert_eq!(folds.spans().count(), 4);
    }
}
