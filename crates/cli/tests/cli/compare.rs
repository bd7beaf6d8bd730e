//! Tests of `allometry compare`.

use std::path::Path;

use allometry_testkit::reference_file;
use serde_json::Value;

use crate::support::{LADDER, all_refused, project, refused, run, shown};

fn document(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).expect("the document was written"))
        .expect("it is JSON")
}

/// Runs the small ladder, after a change to its file, with eight trials per budget.
fn project_with(change: impl Fn(&str) -> String) -> tempfile::TempDir {
    let folder = project();
    let ladder = change(&LADDER.replace("trials = 4", "trials = 8"));
    std::fs::write(folder.path().join("ladder.toml"), ladder).unwrap();
    let (code, _, err) = run(folder.path(), &["run", "--quiet"]);
    assert_eq!(code, 0, "{err}");
    folder
}

#[test]
fn a_ladder_is_no_different_from_itself_however_it_is_named() {
    let folder = project_with(ToOwned::to_owned);
    for other in ["ladder.toml", "trials.db", "sqlite:///trials.db", "report/report.json"] {
        let arguments = ["compare", "ladder.toml", other, "-o", "c.json", "--fail-on", "info"];
        let (code, out, err) = run(folder.path(), &arguments);
        assert_eq!((code, out.as_str(), err.as_str()), (0, "", ""), "{other}");
        let document = document(&folder.path().join("c.json"));
        assert_eq!(document["schema"], "allometry.comparison/1");
        assert_eq!(document["identical"], true, "{other}");
        for budget in document["budgets"].as_array().unwrap() {
            assert_eq!(budget["value"]["difference"]["point"], 0.0);
            assert_eq!(budget["outcome"], "equivalent");
            assert_eq!(budget["distribution"].is_null(), other.ends_with("json"));
        }
        assert_eq!(document["findings"]["appeared"], serde_json::json!([]));
        assert_eq!(document["findings"]["gone"], serde_json::json!([]));
    }
}

#[test]
fn two_feature_tiers_on_the_same_rows_are_paired() {
    let all = project_with(ToOwned::to_owned);
    let noise = project_with(|ladder| {
        let ladder = ladder.replace("tag = \"t\"", "tag = \"noise\"");
        ladder.replace(
            "label = \"label\"\n\n[model]",
            "label = \"label\"\nfeatures = { exclude = [\"up\"] }\n\n[model]",
        )
    });
    let a = all.path().join("ladder.toml");
    let b = noise.path().join("trials.db");
    let arguments = ["compare", a.to_str().unwrap(), b.to_str().unwrap(), "-o", "-", "-o", "c.json"];
    let (code, out, err) = run(all.path(), &arguments);
    assert_eq!((code, err.as_str()), (0, ""));
    for said in [
        "# Comparison of Two Ladders",
        "tiny (noise)",
        "at least 10 distinct configurations",
        "| s |",
        "| l |",
        "compares searches",
    ] {
        assert!(out.contains(said), "`{said}` is missing from\n{out}");
    }
    let document = document(&all.path().join("c.json"));
    assert_eq!(document["rows"], "same");
    let best = |side: &str| document["budgets"][0][side]["best"]["point"].as_f64().unwrap();
    let difference = document["budgets"][0]["value"]["difference"]["point"].as_f64().unwrap();
    assert_eq!(difference, best("b") - best("a"));
    let again = run(all.path(), &arguments);
    assert_eq!(again.1, out, "the same input gives the same bytes");
}

#[test]
fn reports_of_foreign_trials_are_compared() {
    let test = "reports_of_foreign_trials_are_compared";
    let folder = tempfile::tempdir().unwrap();
    let sources: Option<Vec<String>> = ["2m", "20m", "200m"]
        .iter()
        .map(|name| {
            let trials = reference_file(test, &format!("seed/trials/{name}/all_trials.json"))?;
            Some(format!("{}:best_params.json", trials.display()))
        })
        .collect();
    let Some(sources) = sources else { return };
    let report = |name: &str, files: [usize; 3]| {
        let sources: Vec<String> = ["2M", "20M", "200M"]
            .iter()
            .zip(files)
            .map(|(l, file)| format!("{l}={}", sources[file]))
            .collect();
        let mut arguments = vec!["report", "--rows", "76:346", "-o", name];
        arguments.extend(sources.iter().map(String::as_str));
        assert_eq!(run(folder.path(), &arguments).0, 0);
    };
    report("a.json", [0, 1, 2]);
    report("b.json", [0, 2, 2]);
    let (code, out, err) = run(folder.path(), &["compare", "a.json", "b.json"]);
    assert_eq!((code, err.as_str()), (0, ""));
    for said in
        ["0.7246", "Undecided at 2M, 20M and 200M", "report documents without trials", "in the mean trial"]
    {
        assert!(out.contains(said), "`{said}` is missing from\n{out}");
    }
    let (code, out, _) = run(folder.path(), &["compare", "a.json", "a.json", "--fail-on", "info"]);
    assert_eq!(code, 0);
    assert!(out.contains("A and B are identical") && !out.contains("≠ |"), "{out}");
}

#[test]
fn findings_that_appear_can_fail_it() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("a.csv", "number,auc,state,d_model\n0,0.7,COMPLETE,32\n1,0.8,COMPLETE,64\n");
    write("b.csv", "number,auc,state,d_model\n0,0.7,COMPLETE,32\n1,,FAIL,64\n");
    for name in ["a", "b"] {
        let source = format!("X={name}.csv");
        assert_eq!(run(folder.path(), &["report", &source, "-o", &format!("{name}.json")]).0, 0);
    }
    let (code, out, err) = run(folder.path(), &["compare", "a.json", "b.json", "--fail-on", "failed-trials"]);
    assert_eq!(code, 7, "{err}");
    assert!(out.contains("**New in B**"), "{out}");
    insta::assert_snapshot!(shown(folder.path(), &err), @"
    error: 1 finding met --fail-on:
      warning failed-trials: X: 1 of 2 trials failed (50%)
    ");
    let stayed = ["compare", "a.json", "b.json", "--fail-on", "few-trials"];
    assert_eq!(run(folder.path(), &stayed).0, 0, "A has that too");
}

/// Creates a folder with a ladder, a report `good.json` and files that are none.
fn with_damaged_reports() -> tempfile::TempDir {
    let folder = project();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("a.csv", "number,auc,d_model\n0,0.7,32\n1,0.8,64\n");
    assert_eq!(run(folder.path(), &["report", "X=a.csv", "-o", "good.json"]).0, 0);
    let good = std::fs::read_to_string(folder.path().join("good.json")).unwrap();
    write("cut.json", &good[..40]);
    write("newer.json", &good.replacen("allometry.report/1", "allometry.report/2", 1));
    write("trials.json", r#"[{"number": 0, "value": 0.7}]"#);
    write("other.json", r#"{"schema": "somebody.else/1"}"#);
    write("empty.json", "");
    write("renamed.json", &good.replacen("\"metric\"", "\"metrik\"", 1));
    write("level.json", &good.replacen("\"level\": 0.95", "\"level\": 95.0", 1));
    std::fs::write(folder.path().join("binary.json"), [0xff, 0xfe, 0x00]).unwrap();
    folder
}

#[test]
fn bad_input_is_refused_by_name() {
    let folder = with_damaged_reports();
    let calls: Vec<String> = [
        "cut.json",
        "newer.json",
        "trials.json",
        "other.json",
        "empty.json",
        "renamed.json",
        "level.json",
        "binary.json",
        "nowhere.json",
        "nowhere.toml",
        "nowhere.db",
        "ladder.toml",
        "X=absent.csv",
    ]
    .into_iter()
    .map(|b| {
        let (first, second) = (["compare", b, "good.json"], ["compare", "good.json", b]);
        let (first, second) = (refused(folder.path(), &first), refused(folder.path(), &second));
        let error = |text: &str| text.split_once('\n').unwrap().1.to_owned();
        assert_eq!(error(&first), error(&second), "{b} is refused in either place");
        second
    })
    .collect();
    insta::assert_snapshot!(calls.join("\n"), @r"
    $ allometry compare good.json cut.json
    error: cannot read cut.json as a report: it is not a complete JSON document: EOF while parsing a \
    string at line 3 column 4
    hint: write it again with `allometry report ... -o report.json`
    exit code 4

    $ allometry compare good.json newer.json
    error: cannot read newer.json as a report: it is allometry.report/2, and this program reads \
    allometry.report/1
    hint: use the version of Allometry that wrote it, or write it again with this version
    exit code 4

    $ allometry compare good.json trials.json
    error: `trials`: nothing says whether larger or smaller values are better
    hint: give --direction maximize or --direction minimize, or a name that implies it, such as \
    --metric val_loss or --metric auc
    exit code 2

    $ allometry compare good.json other.json
    error: cannot read other.json as a report: it is not a report of Allometry: its schema is \
    `somebody.else/1`
    hint: `allometry report ... -o report.json` writes a report, also from Optuna's trials
    exit code 4

    $ allometry compare good.json empty.json
    error: cannot read empty.json as a report: it is not a complete JSON document: EOF while parsing a \
    value at line 1 column 0
    hint: write it again with `allometry report ... -o report.json`
    exit code 4

    $ allometry compare good.json renamed.json
    error: cannot read renamed.json as a report: it does not match the schema allometry.report/1: \
    missing field `metric`
    hint: write it again with this version of Allometry
    exit code 4

    $ allometry compare good.json level.json
    error: cannot read level.json as a report: it does not match the schema allometry.report/1: \
    options.level is 95, which is not between 0 and 1
    hint: write it again with this version of Allometry
    exit code 4

    $ allometry compare good.json binary.json
    error: cannot read binary.json: stream did not contain valid UTF-8
    exit code 4

    $ allometry compare good.json nowhere.json
    error: there is no report nowhere.json
    hint: `allometry report ... -o report.json` writes one
    exit code 4

    $ allometry compare good.json nowhere.toml
    error: there is no ladder file nowhere.toml
    hint: name one, or try `allometry demo`, which writes one to start from
    exit code 4

    $ allometry compare good.json nowhere.db
    error: there is no file nowhere.db
    hint: `allometry run` creates it; if it has run, check the path: `sqlite:///x.db` is relative to \
    the working directory
    exit code 4

    $ allometry compare good.json ladder.toml
    error: there is no file trials.db
    hint: `allometry run` creates it; if it has run, check the path: `sqlite:///x.db` is relative to \
    the working directory
    exit code 4

    $ allometry compare good.json X=absent.csv
    error: cannot read absent.csv: No such file or directory (os error 2)
    exit code 4
    ");
}

#[test]
fn arguments_that_make_no_sense_are_refused() {
    let folder = with_damaged_reports();
    let calls = [&["compare", "good.json"][..], &["compare", "good.json", "good.json", "-o", "c.docx"]];
    insta::assert_snapshot!(all_refused(folder.path(), &calls), @"
    $ allometry compare good.json
    error: the following required arguments were not provided:
      <B>

    Usage: allometry compare <A> <B>

    For more information, try '--help'.
    exit code 2

    $ allometry compare good.json good.json -o c.docx
    error: cannot tell the format of `c.docx`
    hint: end its name in .md, .html or .json, or write - for Markdown on standard output
    exit code 2
    ");
    let (code, _, err) = run(folder.path(), &["compare", "good.json", "good.json", "--fail-on", "few-trial"]);
    assert_eq!(code, 2);
    assert!(err.contains("did you mean `few-trials`?"), "{err}");
}
