//! Tests of `allometry report` on trials of other programs.

use allometry_testkit::reference_file;

use crate::support::{run, texts};

fn seed_sources(test: &str) -> Option<Vec<String>> {
    ["2m", "20m", "200m"]
        .iter()
        .map(|folder| {
            let trials = reference_file(test, &format!("seed/trials/{folder}/all_trials.json"))?;
            let best = trials.with_file_name("best_params.json");
            Some(format!("{}={}:{}", folder.to_uppercase(), trials.display(), best.display()))
        })
        .collect()
}

#[test]
fn the_classic_report_is_the_seeds_to_the_byte() {
    let Some(sources) = seed_sources("the_classic_report_is_the_seeds_to_the_byte") else { return };
    let Some(expected) = reference_file("the_classic_report_is_the_seeds_to_the_byte", "seed/report.md")
    else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mut arguments = vec!["report", "--tag", "a100", "--template", "classic"];
    arguments.extend(sources.iter().map(String::as_str));
    let (code, out, err) = run(folder.path(), &arguments);
    assert_eq!((code, err.as_str()), (0, ""));
    assert_eq!(out, std::fs::read_to_string(expected).unwrap());
}

#[test]
fn the_full_report_of_the_seed_says_what_its_numbers_allow() {
    let Some(sources) = seed_sources("the_full_report_of_the_seed_says_what_its_numbers_allow") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mut arguments = vec![
        "report",
        "--template",
        "full",
        "--tag",
        "a100",
        "--rows",
        "76:346",
        "--weights",
        "patchtst:features=105,context=80,patch=16,stride=8",
        "-o",
        "-",
        "-o",
        "r.json",
    ];
    arguments.extend(sources.iter().map(String::as_str));
    let (code, out, err) = run(folder.path(), &arguments);
    assert_eq!((code, err.as_str()), (0, ""));
    for said in ["Undecided", "0.6438 to 0.7816", "unknown", "3.89M", "243k", "387k"] {
        assert!(out.contains(said), "`{said}` is missing from\n{out}");
    }
    assert!(!out.contains("**Scaling law VIOLATED**"), "the seed's verdict is not ours");
    let document: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(folder.path().join("r.json")).unwrap()).unwrap();
    assert_eq!(document["schema"], "allometry.report/1");
}

#[test]
fn a_report_alone_tells_which_of_its_conclusions_stand() {
    let test = "a_report_alone_tells_which_of_its_conclusions_stand";
    let Some(report) = reference_file(test, "seed/report.md") else { return };
    let folder = tempfile::tempdir().unwrap();
    let weights = "patchtst:features=105,context=80,patch=16,stride=8";
    let path = report.display().to_string();
    let arguments = [
        "report",
        &path,
        "--rows",
        "76:346",
        "--weights",
        weights,
        "-o",
        "-",
        "-o",
        "out.md",
        "-o",
        "out.json",
    ];
    let (code, out, err) = run(folder.path(), &arguments);
    assert_eq!((code, err.as_str()), (0, ""));
    for said in ["386,977", "242,753", "1,407,361", "in the mean of all trials", "compatible", "1.710"] {
        assert!(out.contains(said), "`{said}` is missing from\n{out}");
    }
    assert!(out.contains("agree with each other"), "the seed was not altered");
    assert_eq!(out, std::fs::read_to_string(folder.path().join("out.md")).unwrap());
    let document: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(folder.path().join("out.json")).unwrap()).unwrap();
    assert_eq!((&document["schema"], &document["source"]), (&"allometry.lint/1".into(), &path.into()));
}

#[test]
fn the_classic_report_of_trials_agrees_with_itself() {
    let folder = tempfile::tempdir().unwrap();
    let row = |i: u32| format!("{i},0.{},{}", 70 + i * 7 % 13, 32 + 16 * (i % 3));
    let table: Vec<String> =
        std::iter::once("number,value,d_model".to_owned()).chain((0..20).map(row)).collect();
    std::fs::write(folder.path().join("a.csv"), table.join("\n")).unwrap();
    let made = run(folder.path(), &["report", "--template", "classic", "-o", "classic.md", "X=a.csv"]);
    assert_eq!((made.0, made.2.as_str()), (0, ""));
    let (code, out, err) = run(folder.path(), &["report", "classic.md"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.contains("agree with each other"), "{out}");
    let report = std::fs::read_to_string(folder.path().join("classic.md")).unwrap();
    let altered = report.replace("- Total trials: 20", "- Total trials: 19");
    std::fs::write(folder.path().join("altered.md"), altered).unwrap();
    let (code, out, _) = run(folder.path(), &["report", "altered.md"]);
    assert_eq!(code, 0, "what a report is worth is a result, no error");
    assert!(out.contains("contradicts itself") && out.contains("says 19 trials"), "{out}");
}

#[test]
fn csv_and_json_of_the_same_trials_give_the_same_report() {
    let folder = tempfile::tempdir().unwrap();
    let json = r#"[
      {"number": 0, "value": 0.7, "params": {"d_model": 32, "dropout": 0.1}, "state": "TrialState.COMPLETE"},
      {"number": 1, "value": null, "params": {"d_model": 64, "dropout": 0.5}, "state": "TrialState.FAIL"},
      {"number": 2, "value": 0.75, "params": {"d_model": 64, "dropout": 0.1}, "state": "TrialState.COMPLETE"}
    ]"#;
    let csv =
        "number,value,state,d_model,dropout\n0,0.7,COMPLETE,32,0.1\n1,,FAIL,64,0.5\n2,0.75,COMPLETE,64,0.1\n";
    std::fs::write(folder.path().join("a.json"), json).unwrap();
    std::fs::write(folder.path().join("a.csv"), csv).unwrap();
    let of = |source: &str| run(folder.path(), &["report", "--template", "classic", source]);
    let (from_json, from_csv) = (of("X=a.json"), of("X=a.csv"));
    assert_eq!(from_json.0, 0, "{}", from_json.2);
    assert!(from_json.1.contains("- Total trials: 2"));
    assert_eq!(from_json, from_csv);
}

#[test]
fn a_closed_pipe_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.csv"), "number,auc,params_d_model\n0,0.7,32\n1,0.8,64\n").unwrap();
    let output = std::process::Command::new("sh")
        .args(["-c", &format!("{} report X=a.csv; echo code $? >&2", env!("CARGO_BIN_EXE_allometry"))])
        .current_dir(folder.path())
        .stdout(closed_pipe())
        .output()
        .unwrap();
    let (_, _, err) = texts(&output);
    assert_eq!(err, "code 0\n");
}

/// Returns the writing end of a pipe that has no reader.
fn closed_pipe() -> std::process::Stdio {
    let (reader, writer) = std::io::pipe().expect("the system has pipes");
    drop(reader);
    writer.into()
}
