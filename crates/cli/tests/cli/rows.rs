//! Tests of the rows of a ladder: the horizon of their labels, and the predictions of a program.

use std::path::Path;

use serde_json::Value;

use crate::support::{LADDER, project, run};

/// Creates a folder with a changed tiny ladder.
fn changed(from: &str, to: &str) -> tempfile::TempDir {
    let folder = project();
    assert!(LADDER.contains(from), "{from}");
    std::fs::write(folder.path().join("ladder.toml"), LADDER.replace(from, to)).unwrap();
    folder
}

fn report(folder: &Path) -> Value {
    let text = std::fs::read_to_string(folder.join("report/report.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Runs `arguments` and checks the exit code and that the error says each of `words`.
fn refused(folder: &Path, arguments: &[&str], code: i32, words: &[&str]) {
    let (actual, _, err) = run(folder, arguments);
    assert_eq!(actual, code, "{arguments:?}\n{err}");
    // miette wraps long lines.
    let flat = err.split_whitespace().filter(|w| *w != "│").collect::<Vec<_>>().join(" ");
    for word in words {
        assert!(flat.contains(word), "`{word}` is missing from the error of {arguments:?}:\n{err}");
    }
}

#[test]
fn a_column_has_a_horizon() {
    let folder = changed("label = \"label\"", "label = \"label\"\nhorizon = 3");
    let folder = folder.path();
    let (code, out, err) = run(folder, &["check"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("labels look 3 rows ahead"), "{out}");
    assert_eq!(run(folder, &["run", "--quiet", "-S", "trials=1"]).0, 0);
    // The study records the horizon of three rows.
    refused(folder, &["run", "-S", "data.horizon=2"], 3, &["data.horizon: was 3, is 2", "another `name`"]);
    std::fs::write(folder.join("ladder.toml"), LADDER).unwrap();
    refused(folder, &["run"], 3, &["data.horizon: was 3, is null"]);
    let (_, out, _) = run(folder, &["check"]);
    assert!(out.contains("labels look one row ahead (set `horizon` in [data]"), "{out}");
}

#[test]
fn a_horizon_of_one_is_what_studies_without_one_have() {
    let folder = project();
    let folder = folder.path();
    assert_eq!(run(folder, &["run", "--quiet", "-S", "trials=1"]).0, 0);
    let (code, _, err) = run(folder, &["run", "--quiet", "-S", "trials=1", "-S", "data.horizon=1"]);
    assert_eq!(code, 0, "{err}");
}

#[test]
fn horizons_that_make_no_sense_are_refused() {
    let rise = "label = { rise = 0.01, of = \"up\", over = \"noise\", horizon = 2 }\nhorizon = 3";
    let twice = changed("label = \"label\"", rise);
    refused(
        twice.path(),
        &["check"],
        3,
        &["`horizon` is set in [data] and in the label", "remove one of them", "ladder.toml"],
    );
    let folder = project();
    refused(folder.path(), &["run", "-S", "data.horizon=0"], 3, &["`horizon` is 0", "at least 1"]);
    refused(folder.path(), &["run", "-S", "data.horizon=\"far\""], 3, &["`horizon` must be a whole number"]);
    refused(
        folder.path(),
        &["run", "-S", "data.horizon=60"],
        3,
        &[
            "data.csv",
            "the label looks 60 rows ahead, but the validation part has 60 rows",
            "a shorter `horizon`",
        ],
    );
}

/// A ladder whose program reports what it predicts of each row.
const COMMAND: &str = r#"
name = "classes"
trials = 3
metric = "accuracy"

[command]
run = ["sh", "train.sh", "{width}"]
horizon = 4

[space]
width = [1, 2, 3]

[sampler]
kind = "grid"

[[budget]]
label = "a"
weights = "any"

[[budget]]
label = "b"
weights = "any"
"#;

/// A program that predicts 90 rows of three classes, one number per row, from the last to the first. The
/// share of correct rows grows with the parameter.
const SCRIPT: &str = r#"
awk -v width="$1" 'BEGIN {
    for (i = 0; i < 90; i++) {
        target = i % 3
        guess = (i * 7) % 10 < 4 + width ? target : (target + 1) % 3
        right += guess == target
        row = (guess == 0 ? 0.8 : 0.1) ", " (guess == 1 ? 0.8 : 0.1) ", " (guess == 2 ? 0.8 : 0.1)
        outputs = outputs (i ? ", " : "") "[" row "]"
        targets = targets (i ? ", " : "") target
        rows = rows (i ? ", " : "") 90 - i
    }
    printf "{\"outputs\": [%s], \"targets\": [%s], \"rows\": [%s]}\n", outputs, targets, rows
    printf "{\"final\": true, \"value\": %.17g}\n", right / 90
}' >> "$ALLOMETRY_REPORT"
"#;

#[test]
fn outputs_of_a_program_give_its_metric_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("ladder.toml"), COMMAND).unwrap();
    std::fs::write(folder.join("train.sh"), SCRIPT).unwrap();
    let (code, out, err) = run(folder, &["check"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("labels look 4 rows ahead"), "{out}");
    let (code, _, err) = run(folder, &["run", "--quiet"]);
    assert_eq!(code, 0, "{err}");
    let document = report(folder);
    for study in document["studies"].as_array().unwrap() {
        let best = &study["summary"]["best"][0]["value"];
        assert_eq!(best["method"], "rows", "{study:#}");
        let (point, error) = (best["point"].as_f64().unwrap(), best["standard_error"].as_f64().unwrap());
        // 7 of 10 rows in a cycle are correct. Whole cycles hardly vary, so the error is smaller than with 90
        // independent rows.
        let independent = (point * (1.0 - point) / 89.0).sqrt();
        assert!(
            (point - 0.7).abs() < 1e-9 && error > 0.0 && error < independent,
            "{point} {error} {independent}"
        );
    }
    refused(folder, &["run", "-S", "command.horizon=5"], 3, &["horizon: was 4, is 5"]);
}

#[test]
fn outputs_that_make_no_sense_fail_the_trial() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("ladder.toml"), COMMAND).unwrap();
    let script = "echo '{\"outputs\": [[0.5, 0.5]], \"targets\": [2]}' >> \"$ALLOMETRY_REPORT\"\n";
    std::fs::write(folder.join("train.sh"), script).unwrap();
    refused(folder, &["run", "--quiet"], 6, &["too many trials failed for a, b"]);
    let (_, shown, _) = run(folder, &["show", "0", "--study", "a"]);
    let reason = "line 1 of its report has `targets` that are not classes from 0 to 1";
    assert!(shown.split_whitespace().collect::<Vec<_>>().join(" ").contains(reason), "{shown}");
}

/// Returns the smallest effect that the studies of a folder's ladder record.
fn recorded_effects(folder: &Path) -> Vec<Value> {
    let url = allometry_store::url::of_sqlite(&folder.join("trials.db"));
    let store = allometry_store::open_read_only(&url).unwrap();
    store
        .studies()
        .unwrap()
        .into_iter()
        .map(|mut study| study.attributes.remove("smallest_effect").unwrap())
        .collect()
}

#[test]
fn a_smallest_effect_goes_with_the_studies_and_the_command_line_wins() {
    let folder = changed("seed = 1", "seed = 1\nsmallest_effect = 0.25");
    let folder = folder.path();
    assert_eq!(run(folder, &["run", "--quiet", "--budget", "s"]).0, 0);
    assert_eq!(recorded_effects(folder), [0.25]);
    // A run may change it; other processes of the ladder then use the new value.
    let (code, _, err) = run(folder, &["run", "--quiet", "--smallest-effect", "0.125", "-S", "trials=5"]);
    assert_eq!(code, 0, "{err}");
    assert_eq!(recorded_effects(folder), [0.125, 0.125]);
    assert_eq!(report(folder)["options"]["smallest_effect"], 0.125);
    assert_eq!(run(folder, &["worker", "--storage", "trials.db", "--quiet"]).0, 0);
    assert_eq!(recorded_effects(folder), [0.125, 0.125]);

    let written = ["report", "--smallest-effect", "0.5", "-o", "r.json"];
    assert_eq!(run(folder, &written).0, 0);
    let document: Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join("r.json")).unwrap()).unwrap();
    assert_eq!(document["options"]["smallest_effect"], 0.5);
    assert_eq!(
        run(folder, &["compare", "ladder.toml", "ladder.toml", "--smallest-effect", "0.75", "-o", "c.json"])
            .0,
        0
    );
    let document: Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join("c.json")).unwrap()).unwrap();
    assert_eq!(document["options"]["smallest_effect"], 0.75);
    for command in ["confirm", "transfer"] {
        let arguments = [command, "--top", "1", "--seeds", "1", "--quiet", "--smallest-effect", "0.0625"];
        assert_eq!(run(folder, &arguments).0, 0);
        assert_eq!(report(folder)["options"]["smallest_effect"], 0.0625, "{command}");
    }
}

#[test]
fn smallest_effects_that_make_no_sense_are_refused() {
    let folder = project();
    let folder = folder.path();
    for effect in ["0", "-0.1", "inf", "nan", "small"] {
        let option = format!("--smallest-effect={effect}");
        for command in ["run", "report", "confirm", "transfer", "demo"] {
            refused(folder, &[command, &option], 2, &["--smallest-effect", "finite number above 0"]);
        }
        refused(folder, &["compare", "ladder.toml", "ladder.toml", &option], 2, &["--smallest-effect"]);
    }
    for (value, words) in
        [("0", "above 0 and finite"), ("-1", "above 0"), ("inf", "finite"), ("\"x\"", "a number")]
    {
        let setting = format!("smallest_effect={value}");
        refused(folder, &["check", "-S", &setting], 3, &["`smallest_effect`", words]);
    }
    std::fs::write(folder.join("a.json"), "{}").unwrap();
    let words = ["`--smallest-effect` cannot be used with a report, a.json", "-o report.json"];
    refused(folder, &["compare", "ladder.toml", "a.json", "--smallest-effect", "0.1"], 2, &words);
    std::fs::write(folder.join("a.md"), "# a\n").unwrap();
    refused(
        folder,
        &["report", "a.md", "--smallest-effect", "0.1"],
        2,
        &["`--smallest-effect` cannot be used"],
    );
}
