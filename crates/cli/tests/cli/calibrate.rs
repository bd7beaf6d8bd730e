//! Tests of `allometry train --calibrate`.

use std::path::Path;

use regex::Regex;

use crate::support::{LADDER, all_refused, project, project_with_one_class_of_test_rows, run, shown};

/// Returns the output of a command that succeeds.
fn done(folder: &Path, arguments: &[&str]) -> String {
    let (code, out, err) = run(folder, arguments);
    assert_eq!(code, 0, "{err}");
    out
}

/// Returns the last column of predictions.
fn scores(folder: &Path, checkpoint: &str) -> Vec<f64> {
    let text = done(folder, &["predict", checkpoint, "data.csv"]);
    let score = |line: &str| line.rsplit_once(',').unwrap().1.parse().unwrap();
    text.lines().skip(1).map(score).collect()
}

fn calibrate(folder: &Path, method: &str) -> serde_json::Value {
    let command = ["train", "--budget", "s", "-o", "m", "-S", "model.epochs=5", "--json", "--quiet"];
    let out = done(folder, &[&command[..], &["--calibrate", method]].concat());
    serde_json::from_str::<serde_json::Value>(&out).unwrap()["calibration"].clone()
}

#[test]
fn a_checkpoint_is_calibrated_and_keeps_it() {
    let folder = project();
    let folder = folder.path();
    let out =
        done(folder, &["train", "--budget", "s", "-o", "m", "-S", "model.epochs=5", "--json", "--quiet"]);
    let document: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(document["calibration"], serde_json::Value::Null, "it is off by default");
    let plain = std::fs::read(folder.join("m")).unwrap();
    let before = scores(folder, "m");
    let mut seen = vec![before.clone()];
    for method in ["temperature", "platt", "isotonic"] {
        let calibration = calibrate(folder, method);
        assert_eq!(calibration["fitted"]["method"], method);
        assert_eq!((&calibration["validation_rows"], &calibration["test_rows"]), (&60.into(), &52.into()));
        let measures = calibration["measures"].as_array().unwrap();
        let names: Vec<&str> = measures.iter().map(|one| one["measure"].as_str().unwrap()).collect();
        assert_eq!(names, ["log_loss", "brier", "bias", "slope"]);
        assert!(measures.iter().all(|one| one["change"]["interval"]["upper"].is_number()), "{measures:?}");
        let written = std::fs::read(folder.join("m")).unwrap();
        calibrate(folder, method);
        assert!(written == std::fs::read(folder.join("m")).unwrap(), "{method}: the same bytes again");
        // Training again without the option leaves the calibration there.
        done(folder, &["train", "--budget", "s", "-o", "m", "-S", "model.epochs=5", "--quiet"]);
        assert!(written == std::fs::read(folder.join("m")).unwrap(), "{method}");
        let after = scores(folder, "m");
        assert!(!seen.contains(&after), "{method} changes the probabilities");
        let mut places: Vec<usize> = (0..before.len()).collect();
        places.sort_by(|a, b| before[*a].total_cmp(&before[*b]));
        assert!(
            places.windows(2).all(|pair| after[pair[0]] <= after[pair[1]] + 1e-7),
            "{method} keeps the order"
        );
        seen.push(after);
    }
    assert_eq!(calibrate(folder, "none"), serde_json::Value::Null);
    assert!(plain == std::fs::read(folder.join("m")).unwrap(), "none removes it");
    assert_eq!(scores(folder, "m"), before);
}

#[test]
fn its_figures_on_test_rows_are_printed() {
    let folder = project();
    let command = ["train", "--budget", "s", "-o", "m", "--quiet", "--calibrate", "isotonic"];
    let out = done(folder.path(), &command);
    let told = out.split_once("calibration: ").unwrap().1;
    // The numbers depend on the instruction set.
    let numbers = Regex::new(r"-?\d+\.\d+(e-?\d+)?").unwrap().replace_all(told, "X");
    let knots = Regex::new(r"\d+ knots?").unwrap().replace_all(&numbers, "N knots");
    let text = Regex::new(r" {2,}").unwrap().replace_all(&knots, "  ");
    insta::assert_snapshot!(text, @"
    isotonic, N knots, fitted on 60 validation rows, kept in the checkpoint
    note: an isotonic calibration wants 1000 validation rows or more; temperature and platt need fewer
    on 52 test rows, each with its 95% interval over new rows:
      without  with  change
      log loss  X (X to X)  X (X to X)  X (X to X)
      Brier score  X (X to X)  X (X to X)  X (X to X)
      mean - observed  X (X to X)  X (X to X)  X (X to X)
      slope  X (X to X)  X (X to X)  X (X to X)
    ");
}

#[test]
fn one_class_of_test_rows_judges_what_it_can() {
    let folder = project_with_one_class_of_test_rows();
    let calibration = calibrate(folder.path(), "platt");
    let measures = calibration["measures"].as_array().unwrap();
    let names: Vec<&str> = measures.iter().map(|one| one["measure"].as_str().unwrap()).collect();
    assert_eq!(names, ["log_loss", "brier", "bias"]);
}

#[test]
fn what_has_no_probabilities_is_refused_before_it_is_trained() {
    let folder = project();
    let numbers = LADDER
        .replace("label = \"label\"", "label = \"up\"\nhorizon = 1\nfeatures = { exclude = [\"label\"] }")
        .replace("kind = \"patchtst\"", "task = \"regression\"");
    std::fs::write(folder.path().join("numbers.toml"), numbers).unwrap();
    let classes = LADDER.replace("kind = \"patchtst\"", "task = \"classes\"");
    std::fs::write(folder.path().join("classes.toml"), classes).unwrap();
    let calls: [&[&str]; 4] = [
        &["train", "numbers.toml", "--budget", "s", "--calibrate", "temperature"],
        &["train", "classes.toml", "--budget", "s", "--calibrate", "platt"],
        &["train", "classes.toml", "--budget", "s", "--calibrate", "isotonic"],
        &["train", "--budget", "s", "--calibrate", "beta"],
    ];
    insta::assert_snapshot!(all_refused(folder.path(), &calls), @"
    $ allometry train numbers.toml --budget s --calibrate temperature
    error: a model that predicts numbers has no probabilities to calibrate
    hint: leave --calibrate out
    exit code 3

    $ allometry train classes.toml --budget s --calibrate platt
    error: platt calibrates the probability of a binary label, but the label has several classes
    hint: --calibrate temperature works for any number of classes
    exit code 3

    $ allometry train classes.toml --budget s --calibrate isotonic
    error: isotonic calibrates the probability of a binary label, but the label has several classes
    hint: --calibrate temperature works for any number of classes
    exit code 3

    $ allometry train --budget s --calibrate beta
    error: invalid value 'beta' for '--calibrate <METHOD>'
      [possible values: temperature, platt, isotonic, none]

    For more information, try '--help'.
    exit code 2
    ");
    assert!(!folder.path().join("ladder.runs").exists(), "nothing was trained");
    let train = ["train", "classes.toml", "--budget", "s", "-o", "m", "--quiet", "-S", "model.epochs=12"];
    let train = [&train[..], &["-S", "model.patience=12", "--calibrate", "temperature"]].concat();
    assert!(done(folder.path(), &train).contains("confidence - accuracy"));
}

#[test]
fn an_isotonic_calibration_is_not_exported_as_onnx() {
    let folder = project();
    calibrate(folder.path(), "isotonic");
    let (code, out, err) = run(folder.path(), &["export", "m", "--onnx", "m.onnx"]);
    assert_eq!((code, out.as_str()), (2, ""));
    insta::assert_snapshot!(shown(folder.path(), &err), @r"
    error: m.onnx is not written: its isotonic calibration has no place among ONNX's operators
    hint: `allometry train` with --calibrate temperature or --calibrate platt replaces it; the Python \
    package applies it
    ");
    assert!(!folder.path().join("m.onnx").exists());
    calibrate(folder.path(), "platt");
    done(folder.path(), &["export", "m", "--onnx", "m.onnx"]);
}

#[test]
fn decisions_by_costs_are_judged_and_predicted() {
    let folder = project();
    let command = ["train", "--budget", "s", "-o", "m", "--json", "--quiet", "-S", "model.epochs=5"];
    done(folder.path(), &command);
    let decide = ["predict", "m", "data.csv", "--costs", "1,4"];
    let (code, out, err) = run(folder.path(), &decide);
    assert_eq!(code, 0, "{err}");
    insta::assert_snapshot!(shown(folder.path(), &err), @r"
    note: decisions are for 1 from a probability of 0.2000, where a false positive costs 1 and a false \
    negative 4
    warning: the checkpoint's probabilities are not calibrated, and such decisions need true \
    probabilities (`allometry train` with --calibrate)
    ");
    let mut decisions = [0; 2];
    for line in out.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let (score, decision): (f64, usize) = (fields[2].parse().unwrap(), fields[3].parse().unwrap());
        assert_eq!(decision, usize::from(score >= 0.2), "{line}");
        decisions[decision] += 1;
    }
    assert!(out.starts_with("row,date,score,decision\n") && decisions[1] > 0, "{decisions:?}");
    let out = done(folder.path(), &[&command[..], &["--calibrate", "platt", "--costs", "1,4"]].concat());
    let calibration = serde_json::from_str::<serde_json::Value>(&out).unwrap()["calibration"].clone();
    assert_eq!(calibration["threshold"], 0.2);
    let last = calibration["measures"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(last["measure"], "cost_above_constant");
    let (_, _, err) = run(folder.path(), &decide);
    assert!(err.starts_with("note: decisions are") && !err.contains("warning"), "{err}");
    let classes = LADDER.replace("kind = \"patchtst\"", "task = \"classes\"");
    std::fs::write(folder.path().join("classes.toml"), classes).unwrap();
    let calls: [&[&str]; 3] = [
        &["predict", "m", "data.csv", "--costs", "1"],
        &["train", "--budget", "s", "--costs", "1,0", "--calibrate", "platt"],
        &["train", "classes.toml", "--budget", "s", "--costs", "1,2", "--calibrate", "temperature"],
    ];
    insta::assert_snapshot!(all_refused(folder.path(), &calls), @r"
    $ allometry predict m data.csv --costs 1
    error: invalid value '1' for '--costs <FP,FN>': expected two numbers above 0: the cost of a false \
    positive, a comma, that of a false negative

    For more information, try '--help'.
    exit code 2

    $ allometry train --budget s --costs 1,0 --calibrate platt
    error: invalid value '1,0' for '--costs <FP,FN>': expected two numbers above 0: the cost of a false \
    positive, a comma, that of a false negative

    For more information, try '--help'.
    exit code 2

    $ allometry train classes.toml --budget s --costs 1,2 --calibrate temperature
    error: --costs decides for a binary label, but the model predicts another
    hint: leave --costs out
    exit code 2
    ");
}
