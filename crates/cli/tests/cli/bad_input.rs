//! Tests that every bad input gives an error that names the place, a hint, and the documented exit code.

use std::path::Path;

use crate::support::{LADDER, project, run, table};

/// Runs `arguments` and checks the exit code and that the error contains each of `words`.
fn refused(folder: &Path, arguments: &[&str], code: i32, words: &[&str]) {
    let (actual, out, err) = run(folder, arguments);
    assert_eq!(actual, code, "{arguments:?}\n{err}");
    assert_eq!(out, "", "{arguments:?} prints no data");
    // miette wraps long lines.
    let flat = err.split_whitespace().filter(|w| *w != "│").collect::<Vec<_>>().join(" ");
    for word in words {
        assert!(flat.contains(word), "`{word}` is missing from the error of {arguments:?}:\n{err}");
    }
}

fn with_ladder(change: impl Fn(&str) -> String) -> tempfile::TempDir {
    let folder = project();
    std::fs::write(folder.path().join("ladder.toml"), change(LADDER)).unwrap();
    folder
}

fn with_table(text: &str) -> tempfile::TempDir {
    let folder = project();
    std::fs::write(folder.path().join("data.csv"), text).unwrap();
    folder
}

#[test]
fn the_command_line() {
    let folder = project();
    refused(folder.path(), &["run", "--workers", "0"], 2, &["--workers"]);
    refused(folder.path(), &["run", "--budget", "xl"], 2, &["xl", "hint", "s, l"]);
    refused(folder.path(), &["report", "-o", "report.docx"], 2, &["report.docx", ".json"]);
    refused(folder.path(), &["report", "--rows", "76"], 2, &["76:346"]);
    refused(folder.path(), &["report", "--weights", "patchtst:features=1"], 2, &["stride=8"]);
    refused(folder.path(), &["report", "X=a.csv", "X=b.csv"], 4, &["a.csv"]);
}

#[test]
fn a_missing_ladder() {
    let folder = tempfile::tempdir().unwrap();
    refused(folder.path(), &["run"], 4, &["ladder.toml", "allometry demo"]);
    refused(folder.path(), &["check", "nowhere/ladder.toml"], 4, &["nowhere/ladder.toml"]);
    refused(folder.path(), &["report"], 4, &["ladder.toml"]);
}

#[test]
fn the_ladder_file() {
    let misspelt = with_ladder(|l| l.replace("trials = 4", "trails = 4"));
    refused(misspelt.path(), &["run"], 3, &["ladder.toml", "trails", "trials"]);
    let twice = with_ladder(|l| l.replace("label = \"l\"", "label = \"s\""));
    refused(twice.path(), &["check"], 3, &["two budgets", "`s`"]);
    let several =
        with_ladder(|l| l.replace("context = 8", "context = 0").replace("patience = 2", "patience = -1"));
    refused(several.path(), &["check"], 3, &["context", "patience"]);
    let unreachable = with_ladder(|l| l.replacen("weights = \"any\"", "weights = 50_000_000", 1));
    refused(unreachable.path(), &["check"], 3, &["`s`", "37.5M to 62.5M", "nearest: 1.32k"]);
    refused(unreachable.path(), &["run"], 3, &["`s`"]);
}

#[test]
fn the_table() {
    let good = table(400);
    let nan = good.replacen(good.lines().nth(4).unwrap(), "2000-01-04,NaN,0.1,0", 1);
    refused(with_table(&nan).path(), &["run"], 3, &["data.csv", "line 5", "`up`", "na = \"drop\""]);
    let ragged = good.replacen(good.lines().nth(6).unwrap(), "2000-01-06,0.1", 1);
    refused(with_table(&ragged).path(), &["run"], 3, &["data.csv", "line 7"]);
    let label = good.replacen(good.lines().nth(3).unwrap(), "2000-01-03,0.1,0.1,2", 1);
    refused(with_table(&label).path(), &["run"], 3, &["`label`", "line 4", "2"]);
    refused(with_table(&table(20)).path(), &["run"], 3, &["rows"]);
    let column = with_ladder(|l| l.replace("label = \"label\"", "label = \"labels\""));
    refused(column.path(), &["run"], 3, &["`labels`", "label"]);
    let missing = with_ladder(|l| l.replace("data.csv", "nowhere.csv"));
    refused(missing.path(), &["run"], 4, &["nowhere.csv"]);
    let one_class: String = good
        .lines()
        .enumerate()
        .map(|(i, l)| if i > 0 { format!("{},0\n", &l[..l.rfind(',').unwrap()]) } else { format!("{l}\n") })
        .collect();
    refused(with_table(&one_class).path(), &["run"], 3, &["data.csv", "training part", "labelled 0"]);
}

#[test]
fn foreign_trials() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("cut.json", "[{\"number\": 0, \"value\": 0.7, \"params\": {\"d_mo");
    refused(folder.path(), &["report", "X=cut.json"], 4, &["cut.json", "line 1"]);
    write("ragged.csv", "number,value,d_model\n0,0.7,32\n1,0.8\n");
    refused(folder.path(), &["report", "X=ragged.csv"], 4, &["ragged.csv", "line 3"]);
    write("empty.json", "[]");
    refused(folder.path(), &["report", "X=empty.json"], 4, &["empty.json", "no trials"]);
    write("text.db", "this is no database");
    refused(folder.path(), &["report", "X=text.db"], 4, &["text.db"]);
    refused(folder.path(), &["report", "X=nowhere.json"], 4, &["nowhere.json"]);
    refused(folder.path(), &["report", "nowhere.db"], 4, &["nowhere.db"]);
}

#[test]
fn reports() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &[u8]| std::fs::write(folder.path().join(name), text).unwrap();
    write("diary.md", b"# Monday\n\nRain.\n");
    refused(
        folder.path(),
        &["report", "diary.md"],
        4,
        &["diary.md", "not a classic report", "hint", "all_trials.json"],
    );
    let table = "## Best Results by Budget\n\n| Budget | Best AUC |\n|---|---|\n| 2M | high |\n";
    write("word.md", table.as_bytes());
    refused(folder.path(), &["report", "word.md"], 4, &["word.md", "line 5", "a best value", "hint"]);
    write("bytes.markdown", b"## Best Results by Budget\n\xff\n");
    refused(folder.path(), &["report", "bytes.markdown"], 4, &["bytes.markdown", "line 2", "UTF-8"]);
    refused(folder.path(), &["report", "nowhere.md"], 4, &["nowhere.md"]);
    write("a.csv", b"number,value,d_model\n0,0.7,32\n1,0.8,64\n");
    refused(folder.path(), &["report", "word.md", "X=a.csv"], 2, &["word.md", "cannot be mixed", "alone"]);
    refused(folder.path(), &["report", "word.md", "--template", "classic"], 2, &["--template"]);
    refused(folder.path(), &["report", "word.md", "--tag", "x"], 2, &["--tag"]);
    write("full.md", b"# Cross-Budget HPO Comparison\n\n## Summary\n\n**Do more weights pay?** Unknown.\n");
    refused(folder.path(), &["report", "full.md"], 4, &["full.md", "line 5", "full report"]);
}

#[test]
fn the_storage() {
    let folder = project();
    refused(folder.path(), &["run", "--storage", "mysql://localhost/x"], 5, &["mysql", "sqlite"]);
    std::fs::write(folder.path().join("trials.db"), "not a database, but long enough to be looked at")
        .unwrap();
    refused(folder.path(), &["run"], 5, &["trials.db"]);
    assert_eq!(
        std::fs::read_to_string(folder.path().join("trials.db")).unwrap(),
        "not a database, but long enough to be looked at"
    );
    refused(folder.path(), &["run", "--storage", "sqlite:///no/such/folder/x.db"], 5, &["no/such/folder"]);
}
