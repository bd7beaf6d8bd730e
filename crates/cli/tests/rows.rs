//! What a ladder says of its rows: how far labels look ahead.

mod support;

use std::path::Path;

use support::{LADDER, project, run};

/// A folder with the tiny ladder, changed.
fn changed(from: &str, to: &str) -> tempfile::TempDir {
    let folder = project();
    assert!(LADDER.contains(from), "{from}");
    std::fs::write(folder.path().join("ladder.toml"), LADDER.replace(from, to)).unwrap();
    folder
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
    // The study is one of labels that look three rows ahead.
    refused(folder, &["run", "-S", "data.horizon=2"], 3, &["data.horizon: was 3, is 2", "another `name`"]);
    std::fs::write(folder.join("ladder.toml"), LADDER).unwrap();
    refused(folder, &["run"], 3, &["data.horizon: was 3, is null"]);
    let (_, out, _) = run(folder, &["check"]);
    assert!(out.contains("labels look one row ahead (`horizon` in [data]"), "{out}");
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
        &["`horizon` is in [data] and in the label", "leave one of them out", "ladder.toml"],
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
