//! Tests of `allometry explain`.

use std::fmt::Write as _;
use std::path::Path;

use regex::Regex;
use serde_json::Value;

use crate::support::{LADDER, all_refused, date, project, project_of, run, uniform, values};

const SETTINGS: [&str; 4] = ["-S", "model.epochs=12", "-S", "model.patience=12"];

/// Trains the budget `l` of a folder's ladder to the checkpoint `m`.
fn train(folder: &Path) {
    let command = [&["train", "--budget", "l", "-o", "m", "--quiet"][..], &SETTINGS].concat();
    let (code, _, err) = run(folder, &command);
    assert_eq!(code, 0, "{err}");
}

fn explain(folder: &Path, options: &[&str]) -> Value {
    let (code, out, err) = run(folder, &[&["explain", "m", "--json"][..], options].concat());
    assert_eq!((code, err.as_str()), (0, ""));
    serde_json::from_str(&out).unwrap()
}

/// Returns the interval of an input.
fn interval(input: &Value) -> [f64; 2] {
    ["lower", "upper"].map(|end| input["importance"]["interval"][end].as_f64().unwrap())
}

#[test]
fn a_feature_that_carries_the_label_is_found() {
    let folder = project();
    train(folder.path());
    let found = explain(folder.path(), &[]);
    assert_eq!(found["schema"], "allometry.explain/1");
    assert_eq!(
        (&found["part"], &found["rows"], &found["metric"]),
        (&"test".into(), &52.into(), &"auc".into())
    );
    assert_eq!((&found["permutations"], &found["distance"]), (&10.into(), &9.into()));
    let features = found["features"].as_array().unwrap();
    assert_eq!((&features[0]["name"], &features[1]["name"]), (&"up".into(), &"noise".into()));
    assert!(interval(&features[0])[0] > 0.0, "{features:?}");
    assert!(interval(&features[1])[0] < 0.02, "{features:?}");
    let steps = found["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 2, "two patches");
    assert_eq!((&steps[0]["first"], &steps[0]["last"]), (&0.into(), &3.into()));
    assert_eq!((&steps[1]["first"], &steps[1]["last"]), (&4.into(), &7.into()));
    // Nothing depends on the threads, and everything on the seed.
    assert_eq!(explain(folder.path(), &[]), found);
    assert_ne!(explain(folder.path(), &["--seed", "1"])["features"], found["features"]);
    let other = explain(folder.path(), &["--part", "validation", "--metric", "log_loss", "--steps", "3"]);
    assert_eq!((&other["rows"], &other["metric"]), (&60.into(), &"log_loss".into()));
    assert_eq!(other["steps"].as_array().unwrap().len(), 3);
    assert!(interval(&other["features"][0])[0] > 0.0);
}

#[test]
fn features_come_with_the_most_important_first() {
    let folder = project();
    train(folder.path());
    let (code, out, err) = run(folder.path(), &["explain", "m", "--permutations", "3"]);
    assert_eq!((code, err.as_str()), (0, ""));
    let numbers = Regex::new(r"[+-]?\d+\.\d+(e-?\d+)?").unwrap().replace_all(&out, "X");
    // An AUC of 1 has no interval.
    let text = numbers.replace("AUC X (X to X)", "AUC X");
    insta::assert_snapshot!(text, @"
    52 test rows: AUC X
    loss of AUC with an input taken from rows at least 9 away, mean of 3 permutations, 95% interval

    feature
      up       X (X to X)
      noise    X (X to X)

    rows before the newest
      0 to 3                  X (X to X)
      4 to 7                  X (X to X)

    Each interval covers by itself: of inputs without any use, one in 20 has an interval without 0.
    ");
}

#[test]
fn a_column_of_categories_is_one_feature_of_a_panel() {
    let mut text = String::from("date,shop,kind,up,noise,label\n");
    let mut next = uniform();
    for day in 0..120 {
        for shop in 0..4 {
            let kind = ["a", "b", "c"][(day + shop) % 3];
            writeln!(text, "{},shop {shop},{kind},{}", date(day), values(&mut next)).unwrap();
        }
    }
    let settings = "series = \"shop\"\ncategorical = [\"kind\"]";
    let folder = project_of(&text, settings);
    let of_series = "data.categorical=[{column=\"shop\",embedding=2},\"kind\"]";
    let file = folder.path().join("of-series.safetensors");
    let path = file.to_str().unwrap();
    let (code, _, err) =
        run(folder.path(), &["train", "--budget", "l", "-o", path, "--quiet", "-S", of_series]);
    assert_eq!(code, 0, "{err}");
    let (code, out, err) =
        run(folder.path(), &["explain", path, "--json", "--permutations", "2", "-S", of_series]);
    assert_eq!(code, 0, "{err}");
    let found: serde_json::Value = serde_json::from_str(&out).unwrap();
    let names: Vec<&str> =
        found["features"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["up", "noise", "kind", "shop"]);
    train(folder.path());
    let found = explain(folder.path(), &["--permutations", "2"]);
    let names: Vec<&str> =
        found["features"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["up", "noise", "kind"]);
    assert!(found["features"].as_array().unwrap().iter().all(|one| interval(one)[0] < interval(one)[1]));
}

#[test]
fn numbers_are_explained_by_r2() {
    let folder = project();
    let ladder = LADDER
        .replace("label = \"label\"", "label = \"up\"\nfeatures = { exclude = [\"label\"] }")
        .replace("kind = \"patchtst\"", "task = \"regression\"");
    std::fs::write(folder.path().join("ladder.toml"), ladder).unwrap();
    train(folder.path());
    let found = explain(folder.path(), &["--permutations", "2"]);
    assert_eq!(found["metric"], "r2");
    assert_eq!(explain(folder.path(), &["--metric", "mae"])["metric"], "mae");
}

#[test]
fn what_is_not_the_ladders_model_is_refused() {
    let folder = project();
    train(folder.path());
    let table = std::fs::read_to_string(folder.path().join("data.csv")).unwrap();
    std::fs::write(folder.path().join("other.csv"), table.replacen("0.5", "0.6", 9)).unwrap();
    let calls: [&[&str]; 6] = [
        &["explain", "none"],
        &["explain", "data.csv"],
        &["explain", "m", "-S", "data.path=\"other.csv\""],
        &["explain", "m", "-S", "data.features.exclude=[\"noise\"]"],
        &["explain", "m", "--metric", "r2"],
        &["explain", "m", "--permutations", "1"],
    ];
    insta::assert_snapshot!(all_refused(folder.path(), &calls), @r#"
    $ allometry explain none
    error: cannot read checkpoint none: No such file or directory (os error 2)
    hint: `allometry train` writes checkpoints
    exit code 4

    $ allometry explain data.csv
    error: data.csv is not a complete safetensors file: it does not begin with the length of a header
    hint: it may have been copied incompletely: copy it again, or train the model again with `allometry \
    train --restart`
    exit code 4

    $ allometry explain m -S 'data.path="other.csv"'
    error: m was trained on other data: the table has changed
    hint: name the ladder file of the training, with its table as it was; `allometry train` trains on a \
    new one
    exit code 3

    $ allometry explain m -S 'data.features.exclude=["noise"]'
    error: m was trained on other data: the features were up, noise, are up
    hint: name the ladder file of the training, with its table as it was; `allometry train` trains on a \
    new one
    exit code 3

    $ allometry explain m --metric r2
    error: the model has no R2
    hint: give --metric, one of auc, log_loss
    exit code 2

    $ allometry explain m --permutations 1
    error: invalid value '1' for '--permutations <N>': 1 is not in 2..=1000

    For more information, try '--help'.
    exit code 2
    "#);
}
