//! Tests of imports and exports that are refused: nothing is written in part, and the error says what to do.

use std::fs;
use std::path::Path;
use std::time::Duration;

use allometry_store::open_read_only;
use allometry_testkit::fault_rounds;

use crate::support::{all_refused, allometry, random_pause, refused, run, shown};

const TRIALS: &str = r#"[{"number": 0, "value": 0.5, "directions": ["maximize"], "params": {"lr": 0.1}},
    {"number": 1, "value": 0.6, "params": {"lr": 0.2}}]"#;

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("t.json"), TRIALS).unwrap();
    folder
}

fn studies(folder: &Path, file: &str) -> Vec<(String, usize)> {
    let Ok(store) = open_read_only(folder.join(file).to_str().unwrap()) else { return Vec::new() };
    let studies = store.studies().unwrap().into_iter();
    studies.map(|study| (study.name, store.trials(study.id).unwrap().len())).collect()
}

/// Creates the folder of [`folder`], with files that cannot be imported beside it.
fn with_odd_files() -> tempfile::TempDir {
    let folder = folder();
    let path = folder.path();
    fs::write(path.join("torn.json"), &TRIALS[..90]).unwrap();
    fs::write(path.join("empty.json"), "[]").unwrap();
    fs::write(path.join("other.csv"), "a,b\n1,2\n").unwrap();
    fs::write(path.join("bytes.bin"), [0xff, 0, 1]).unwrap();
    fs::write(path.join("report.md"), "# Report\n").unwrap();
    fs::write(path.join("space.json"), r#"[{"name": "lr", "type": "float", "low": 0.15, "high": 1}]"#)
        .unwrap();
    fs::write(path.join("two.json"), r#"[{"values": [1, 2]}]"#).unwrap();
    fs::write(path.join("wide.json"), r#"[{"value": 1, "directions": ["maximize"], "params": {"lr": NaN}}]"#)
        .unwrap();
    fs::write(
        path.join("long.json"),
        format!(r#"[{{"value": 1, "directions": ["maximize"], "params": {{"{}": 1}}}}]"#, "x".repeat(513)),
    )
    .unwrap();
    folder
}

#[test]
fn what_cannot_be_read_or_written_says_why() {
    let folder = with_odd_files();
    let path = folder.path();
    let calls = [
        &["import", "torn.json"][..],
        &["import", "empty.json"],
        &["import", "other.csv"],
        &["import", "bytes.bin"],
        &["import", "absent.json"],
        &["import", "report.md"],
        &["import", "t.json", "--space", "space.json"],
        &["import", "two.json", "--direction", "minimize"],
        &["import", "long.json"],
        &["import", "t.json", "a=t.json", "--study", "x"],
        &["import", "a=t.json", "a=t.json"],
        &["import", "t.json", "--storage", "absent/x.db"],
        &["import", "t.json", "--storage", "t.json"],
        &["export", "t.json", "-o", "x.txt"],
        &["export", "t.json", "-o", "-"],
        &["export", "t.json", "--study", "y", "-o", "x.json"],
    ];
    insta::assert_snapshot!(all_refused(path, &calls), @r#"
    $ allometry import torn.json
    error: torn.json, line 2, column 9: EOF while parsing a string
    hint: the file is truncated: write or copy it again
    exit code 4

    $ allometry import empty.json
    error: empty.json holds no trials
    hint: `list` and `import` take a study without trials if --direction is given
    exit code 4

    $ allometry import other.csv
    error: other.csv, line 1: no column holds the objective
    hint: name the objective with --metric: `a`, `b`
    exit code 4

    $ allometry import bytes.bin
    error: bytes.bin is not a file of trials
    hint: known formats: Optuna's all_trials.json, its journals and SQLite files, a .csv or .tsv of \
    trials, a list of trials in JSON or YAML (each also compressed with gzip), the folder of a Ray Tune \
    experiment
    exit code 4

    $ allometry import absent.json
    error: cannot read absent.json: No such file or directory (os error 2)
    exit code 4

    $ allometry import report.md
    error: `report.md` is a report, which holds no trials
    hint: `allometry report` reads reports
    exit code 2

    $ allometry import t.json --space space.json
    error: t.json, trial 0, parameter `lr`: 0.1 is not in { float = [0.15, 1.0] }
    exit code 4

    $ allometry import two.json --direction minimize
    error: two.json, its trials: 2 values, and 1 direction
    hint: give --direction once for each objective, in the order of the values
    exit code 4

    $ allometry import long.json
    error: study "long" cannot be written, and nothing of it was
      caused by: trial 0, parameter's name: it has more than 512 characters
    exit code 4

    $ allometry import t.json a=t.json --study x
    error: --study names one study, but the sources hold 2
    hint: name each as LABEL=SOURCE or LABEL=FILE:STUDY
    exit code 2

    $ allometry import a=t.json a=t.json
    error: two of the studies are named "a"
    hint: name one as LABEL=SOURCE
    exit code 2

    $ allometry import t.json --storage absent/x.db
    error: cannot open absent/x.db: there is no folder absent
    exit code 5

    $ allometry import t.json --storage t.json
    error: t.json is not a SQLite database
    hint: name a file that Optuna or Allometry wrote, or one that does not exist yet
    exit code 5

    $ allometry export t.json -o x.txt
    error: cannot tell the format of `x.txt`
    hint: give --format json, csv or store, or end the name in .json, .csv or .db
    exit code 2

    $ allometry export t.json -o -
    error: cannot tell the format of `-`
    hint: give --format json, csv or store, or end the name in .json, .csv or .db
    exit code 2

    $ allometry export t.json --study y -o x.json
    error: `t.json` has no study "y"
    hint: it has "t"
    exit code 4
    "#);
    for (storage, shown) in [
        ("mysql://me:s3cret@host/db", "mysql://me:***@host/db"),
        ("postgresql://me:s3cret@127.0.0.1:1/db?connect_timeout=1", "postgresql://me:***@127.0.0.1:1"),
    ] {
        let (code, out, err) = run(path, &["import", "t.json", "--storage", storage]);
        assert_eq!((code, out.as_str()), (5, ""), "{storage}: {err}");
        assert!(err.contains(shown) && !err.contains("s3cret"), "{storage}: {err}");
    }
    assert_eq!(studies(path, "trials.db"), [], "nothing is written");
    let (code, _, err) = run(path, &["import", "wide.json"]);
    assert_eq!(code, 0, "a NaN is a choice as any other: {err}");
}

#[test]
fn options_that_a_source_has_no_place_for_are_refused() {
    let folder = folder();
    let path = folder.path();
    fs::write(path.join("space.json"), r#"[{"name": "lr", "type": "float", "low": 0, "high": 1}]"#).unwrap();
    let journal = r#"{"op_code": 0, "worker_id": "w", "study_name": "j", "directions": [1]}"#;
    fs::write(path.join("journal.log"), journal).unwrap();
    assert_eq!(run(path, &["import", "2M=t.json", "--storage", "from.db"]).0, 0);
    let url = format!("sqlite:///{}", path.join("from.db").display());
    let labelled = format!("b={url}:2M");
    let given = [
        ["--direction", "minimize", "record their directions"],
        ["--space", "space.json", "record the distributions of their parameters"],
        ["--metric", "auc", "record their values"],
    ];
    for [option, value, why] in given {
        for source in ["a=from.db:2M", &url, &labelled, "journal.log"] {
            let (code, out, err) = run(path, &["import", "t.json", source, option, value]);
            assert_eq!((code, out.as_str()), (2, ""), "{source} {option}: {err}");
            assert!(err.contains(&format!("{option} does not apply to")) && err.contains(why), "{err}");
        }
    }
    let calls = given.map(|[option, value, _]| ["import", "t.json", "from.db", option, value]);
    insta::assert_snapshot!(all_refused(path, &calls.each_ref().map(<[&str; 5]>::as_slice)), @r"
    $ allometry import t.json from.db --direction minimize
    error: --direction does not apply to from.db: its studies record their directions
    hint: leave it out, or give it only for the sources that need it, with a label if the option takes \
    one: LABEL=...
    exit code 2

    $ allometry import t.json from.db --space space.json
    error: --space does not apply to from.db: its trials record the distributions of their parameters
    hint: leave it out, or give it only for the sources that need it, with a label if the option takes \
    one: LABEL=...
    exit code 2

    $ allometry import t.json from.db --metric auc
    error: --metric does not apply to from.db: its trials record their values
    hint: leave it out, or give it only for the sources that need it, with a label if the option takes \
    one: LABEL=...
    exit code 2
    ");
    assert_eq!(studies(path, "trials.db"), [], "nothing is written");
    let (code, _, err) = run(path, &["import", "from.db"]);
    assert_eq!(code, 0, "{err}");
}

#[test]
fn a_name_that_is_taken_stays_as_it_was() {
    let folder = folder();
    let path = folder.path();
    assert_eq!(run(path, &["import", "2M=t.json"]).0, 0);
    insta::assert_snapshot!(refused(path, &["import", "new=t.json", "2M=t.json"]), @r#"
    $ allometry import new=t.json 2M=t.json
    error: sqlite:///trials.db already has a study "2M"; nothing was written
    hint: give it another name with --study NAME, or with LABEL=SOURCE if there are several
    exit code 2
    "#);
    assert_eq!(studies(path, "trials.db"), [("2M".into(), 2)]);
    let (code, out, _) = run(path, &["import", "t.json", "--study", "again", "--json"]);
    let said: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &said["studies"][0]["states"]["complete"]), (0, &serde_json::json!(2)));
    assert_eq!(studies(path, "trials.db").len(), 2);
}

#[cfg(unix)]
#[test]
fn a_read_only_target_is_left_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = folder();
    let path = folder.path();
    assert_eq!(run(path, &["import", "2M=t.json"]).0, 0);
    let store = path.join("trials.db");
    fs::set_permissions(&store, fs::Permissions::from_mode(0o444)).unwrap();
    if fs::OpenOptions::new().write(true).open(&store).is_ok() {
        allometry_testkit::skip("a_read_only_target_is_left_alone", "this user may write to everything");
        return;
    }
    let before = fs::read(&store).unwrap();
    let (code, _, err) = run(path, &["import", "t.json"]);
    assert_eq!(code, 5, "{err}");
    assert!(err.contains("cannot be written"), "{err}");
    assert_eq!(fs::read(&store).unwrap(), before);
}

#[test]
fn numbers_with_gaps_and_states_that_cannot_be_are_said() {
    let folder = folder();
    let path = folder.path();
    let text = r#"[{"number": 7, "value": 0.5, "params": {"x": 1}},
        {"number": 3, "state": "COMPLETE", "params": {"x": 2}},
        {"number": 7, "state": "FAIL", "value": 3, "params": {"x": "a\u001b[31m"}},
        {"state": "WAITING", "number": 9, "params": {"x": 5}}]"#;
    fs::write(path.join("odd.json"), text).unwrap();
    let (code, _, err) = run(path, &["import", "odd.json", "--direction", "minimize"]);
    assert_eq!(code, 0, "{err}");
    assert!(!err.contains('\u{1b}'), "{err:?}");
    insta::assert_snapshot!(shown(path, &err), @r#"
    imported 4 trials into study "odd": 1 complete, 2 failed, 1 waiting
    note: trial numbers had gaps or repetitions: the trials are renumbered from 0
    note: distributions inferred from the values, which --space overrides: x = [1, 2, 5, 'a\x1b[31m']
    note: complete trials that lack a value, imported as failed: 1
    note: trials neither complete nor pruned, imported without their values: 1
    "#);
    let store = open_read_only(path.join("trials.db").to_str().unwrap()).unwrap();
    let study = store.study("odd").unwrap().unwrap();
    assert_eq!(study.direction(), allometry_core::Direction::Minimize);
    let trials = store.trials(study.id).unwrap();
    assert_eq!(trials[1].value(), Some(0.5), "order of numbers, then of the file");
    assert_eq!(trials[3].params.to_string(), "x=5", "what waits keeps its configuration");
    assert!(trials[3].distributions.is_empty());
}

#[test]
fn a_killed_import_leaves_all_or_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let trial = |i: u32| {
        format!(
            r#"{{"value": {i}, "directions": ["minimize"], "params": {{"x": {i}}},
            "intermediate_values": {{"1": 1, "2": 2}}}}"#
        )
    };
    let trials: Vec<String> = (0..4000).map(trial).collect();
    fs::write(path.join("t.json"), format!("[{}]", trials.join(","))).unwrap();
    assert_eq!(run(path, &["import", "first=t.json"]).0, 0);
    let (mut cut, mut whole) = (0, 0);
    for round in 0..fault_rounds(12) {
        let name = format!("s{round}");
        let mut child = allometry(path)
            .args(["import", &format!("{name}=t.json")])
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        random_pause(Duration::from_millis(500));
        child.kill().unwrap();
        child.wait().unwrap();
        let found = studies(path, "trials.db");
        assert!(found.iter().all(|(_, trials)| *trials == 4000), "{found:?}");
        let is_there = found.iter().any(|(study, _)| *study == name);
        let (code, _, err) = run(path, &["import", &format!("{name}=t.json")]);
        assert_eq!(code, if is_there { 2 } else { 0 }, "{err}");
        *if is_there { &mut whole } else { &mut cut } += 1;
    }
    eprintln!("{cut} imports were cut off, {whole} were whole");
}
