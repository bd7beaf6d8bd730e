//! Tests of `--fail-on`: the exit code is 7 after the reports are written, and the findings are listed.

use crate::support::{all_refused, project, run, shown};

/// Two trials of another program, with three findings: few trials, unknown rows, one budget.
const TRIALS: &str = "number,auc,params_d_model\n0,0.7,32\n1,0.8,64\n";

#[test]
fn a_finding_ends_the_report_with_code_7_after_writing() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.csv"), TRIALS).unwrap();
    let report = |arguments: &[&str]| {
        let mut all = vec!["report", "X=a.csv"];
        all.extend(arguments);
        run(folder.path(), &all)
    };
    let (code, out, err) = report(&["--fail-on", "few-trials", "--fail-on", "no-trials"]);
    assert_eq!(code, 7, "{err}");
    assert!(out.starts_with("# HPO Study: X"), "the report is written: {out}");
    insta::assert_snapshot!(shown(folder.path(), &err), @"
    error: 1 finding met --fail-on:
      warning few-trials: X: only 2 trials: means per value and importances are unreliable
    ");
    let (code, _, err) = report(&["--fail-on", "no-trials", "--fail-on", "error"]);
    assert_eq!((code, err.as_str()), (0, ""), "neither is found");
    let (code, _, err) = report(&["--fail-on", "info"]);
    assert_eq!(code, 7);
    insta::assert_snapshot!(shown(folder.path(), &err), @r"
    error: 6 findings met --fail-on:
      warning few-trials: X: only 2 trials: means per value and importances are unreliable
      info rows-unknown: the numbers of positive and negative validation rows are not known, so errors \
    do not cover other rows
      info missing-scores: the predictions of the best trials on the validation rows are not stored: 'X'
      info missing-sizes: the exact sizes of models are not known: 'X' (2 of 2 trials)
      info single-budget: there is only one budget, so scale cannot be assessed
      info collapse-unknown: X: it is not known whether models collapsed: no trial recorded its \
    predictions
    ");
    let (code, _, err) = report(&["--fail-on", "warning"]);
    assert_eq!(code, 7);
    assert!(!err.contains("single-budget"), "info is milder than warning: {err}");
    let (code, out, _) = report(&["--fail-on", "single-budget", "--template", "classic"]);
    assert_eq!(code, 7, "findings do not depend on the template");
    assert!(out.contains("- Total trials: 2"));
}

#[test]
fn a_failing_report_is_written_to_files_too() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.csv"), TRIALS).unwrap();
    let arguments = ["report", "X=a.csv", "-o", "r.md", "-o", "r.json", "--fail-on", "single-budget"];
    assert_eq!(run(folder.path(), &arguments).0, 7);
    assert!(folder.path().join("r.md").exists() && folder.path().join("r.json").exists());
}

#[test]
fn own_stores_are_looked_at_too() {
    let folder = project();
    assert_eq!(run(folder.path(), &["run", "--quiet"]).0, 0);
    let written = ["report", "ladder.toml", "-o", "r.json", "-o", "r.md", "-o", "r.html"];
    assert_eq!(run(folder.path(), &written).0, 0);
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    let document: serde_json::Value = serde_json::from_str(&read("r.json")).unwrap();
    let trial = &document["studies"][0]["recommended"]["trial"];
    assert_eq!(trial["mean"]["method"], "gaussian_process", "{trial}");
    let (brief, page) = (read("r.md"), read("r.html"));
    assert!(brief.contains("## What to take") && brief.contains("| Mean AUC over seeds |"), "{brief}");
    assert!(page.contains("Recommended: trial ") && page.contains("Mean over seeds"), "{page}");
    for source in ["ladder.toml", "trials.db", "sqlite:///trials.db"] {
        let (code, _, err) = run(folder.path(), &["report", source, "--fail-on", "few-trials"]);
        assert_eq!(code, 7, "{source}: {err}");
        assert!(err.contains("few-trials: s: ") && err.contains("few-trials: l: "), "{err}");
    }
}

#[test]
fn a_reports_conclusions_that_do_not_stand_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let row = |i: u32| format!("{i},0.{},{}", 70 + i * 7 % 13, 32 + 16 * (i % 3));
    let table: Vec<String> =
        std::iter::once("number,value,d_model".to_owned()).chain((0..20).map(row)).collect();
    std::fs::write(folder.path().join("a.csv"), table.join("\n")).unwrap();
    let of = |arguments: &[&str]| run(folder.path(), &[&["report"], arguments].concat());
    assert_eq!(of(&["--template", "classic", "-o", "seed.md", "X=a.csv"]).0, 0);
    let (code, out, err) = of(&["seed.md", "--fail-on", "warning", "-o", "-", "-o", "lint.json"]);
    assert_eq!(code, 7, "{err}");
    assert!(out.starts_with("# Lint of"), "the report is written: {out}");
    let document: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(folder.path().join("lint.json")).unwrap()).unwrap();
    let mut unsupported = 0;
    for conclusion in document["conclusions"].as_array().unwrap() {
        let line = format!("line {}: ", conclusion["line"]);
        let standing = conclusion["standing"].as_str().unwrap();
        let severity = match standing {
            "stands" => serde_json::Value::Null,
            "does_not_stand" => "warning".into(),
            _ => "info".into(),
        };
        assert_eq!(conclusion["severity"], severity, "{conclusion}");
        assert_eq!(conclusion["code"].is_null(), standing == "stands", "{conclusion}");
        if standing == "does_not_stand" {
            unsupported += 1;
            let code = conclusion["code"].as_str().unwrap();
            assert!(err.contains(&format!("\n  warning {code}: {line}")), "{code} {line} {err}");
            assert_eq!(of(&["seed.md", "--fail-on", code]).0, 7);
        }
    }
    assert!(unsupported > 0 && err.starts_with(&format!("error: {unsupported} finding")), "{err}");
    let (code, _, err) = of(&["seed.md", "--fail-on", "contradiction", "--fail-on", "error"]);
    assert_eq!((code, err.as_str()), (0, ""), "the report agrees with itself");

    let text = std::fs::read_to_string(folder.path().join("seed.md")).unwrap();
    let altered = text.replace("- Total trials: 20", "- Total trials: 19");
    std::fs::write(folder.path().join("altered.md"), altered).unwrap();
    let (code, _, err) = of(&["altered.md", "--fail-on", "contradiction"]);
    assert!(code == 7 && err.contains("\n  error contradiction: line "), "{err}");
}

#[test]
fn a_code_that_a_source_can_never_meet_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.csv"), TRIALS).unwrap();
    let calls = [
        &["report", "X=a.csv", "--fail-on", "trend-does-not-stand"][..],
        &["report", "seed.md", "--fail-on", "few-trials"],
    ];
    insta::assert_snapshot!(all_refused(folder.path(), &calls), @r#"
    $ allometry report X=a.csv --fail-on trend-does-not-stand
    error: `--fail-on trend-does-not-stand` can never be met by trials
    hint: codes for trials are no-trials, few-trials, failed-trials, non-finite-values, unequal-effort, \
    searched-differently, single-budget, best-params-mismatch, missing-sizes, budget-out-of-reach, \
    nominal-not-size, sizes-out-of-order, edge-of-space, learning-rate-edge, single-level, duplicates, \
    collapse-unknown, collapsed-trials, rows-unknown, missing-scores, too-few-rows, behind-baseline, \
    confounded-parameters, too-few-sizes, adaptive-sampling, several-objectives, infeasible-trials, \
    equal-values, still-improving, mixed-data; severities apply to all sources
    exit code 2

    $ allometry report seed.md --fail-on few-trials
    error: `--fail-on few-trials` can never be met by a report
    hint: codes for a report are contradiction, size-does-not-stand, scaling-does-not-stand, \
    consistency-does-not-stand, collapse-does-not-stand, best-configuration-does-not-stand, \
    shares-does-not-stand, importance-does-not-stand, trend-does-not-stand, best-value-does-not-stand, \
    size-cannot-be-told, scaling-cannot-be-told, consistency-cannot-be-told, collapse-cannot-be-told, \
    best-configuration-cannot-be-told, shares-cannot-be-told, importance-cannot-be-told, \
    trend-cannot-be-told, best-value-cannot-be-told; severities apply to all sources
    exit code 2
    "#);
}

#[test]
fn an_unknown_code_is_refused_with_the_nearest_and_the_list() {
    let folder = tempfile::tempdir().unwrap();
    let (code, out, err) = run(folder.path(), &["report", "X=a.csv", "--fail-on", "too-few-row"]);
    assert_eq!((code, out.as_str()), (2, ""), "{err}");
    for said in ["too-few-row", "did you mean `too-few-rows`?", "info, warning, error", "adaptive-sampling"] {
        assert!(err.contains(said), "`{said}` is missing from\n{err}");
    }
}
