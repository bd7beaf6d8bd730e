//! Tests of studies that other programs drive with `ask`, `tell` and `enqueue`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::{all_refused, allometry, printed, project, refused, run, texts};

const SPACE: &str = r#"{"params": [
    {"name": "lr", "type": "float", "low": 1e-5, "high": 0.1, "log": true},
    {"name": "act", "type": "categorical", "values": ["relu", "tanh"]},
    {"name": "n", "type": "int", "low": 1, "high": 4}]}"#;

/// Arguments that name the study of [`with_study`].
const MINE: [&str; 4] = ["--in", "sqlite:///x.db", "--study", "mine"];

/// Runs a command on the study and returns its exit code, its JSON output, if any, and its standard error.
fn on(folder: &Path, command: &str, arguments: &[&str]) -> (i32, Value, String) {
    let (code, out, err) = run(folder, &[&[command], &MINE[..], arguments].concat());
    (code, serde_json::from_str(&out).unwrap_or(Value::Null), err)
}

/// Creates a folder with a study to minimise that has no trials.
fn with_study() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("space.json"), SPACE).unwrap();
    folder
}

fn ask(folder: &Path) -> Value {
    let (code, asked, err) = on(folder, "ask", &["--space", "space.json", "--direction", "minimize"]);
    assert_eq!(code, 0, "{err}");
    asked
}

/// A study keeps its question: whoever asks with another one would misread the answers.
#[test]
fn a_study_with_another_space_or_direction_is_not_asked() {
    let folder = with_study();
    ask(folder.path());
    std::fs::write(folder.path().join("other.json"), SPACE.replace("\"high\": 4", "\"high\": 5")).unwrap();
    let asks = |arguments: &[&str]| refused(folder.path(), &[&["ask"], &MINE[..], arguments].concat());
    let directions = ["--space", "space.json", "--direction", "minimize", "--direction", "minimize"];
    insta::assert_snapshot!(asks(&["--space", "space.json", "--direction", "maximize"]), @r"
    $ allometry ask --in sqlite:///x.db --study mine --space space.json --direction maximize
    error: study `mine` exists with another space or other directions: directions: minimize in the \
    study, maximize given
    hint: leave out --space and --direction to continue it, or choose another name
    exit code 2
    ");
    insta::assert_snapshot!(asks(&directions), @r"
    $ allometry ask --in sqlite:///x.db --study mine --space space.json --direction minimize \
    --direction minimize
    error: study `mine` exists with another space or other directions: directions: minimize in the \
    study, minimize, minimize given
    hint: leave out --space and --direction to continue it, or choose another name
    exit code 2
    ");
    insta::assert_snapshot!(asks(&["--space", "other.json"]), @r"
    $ allometry ask --in sqlite:///x.db --study mine --space other.json
    error: study `mine` exists with another space or other directions: n: was { int = [1, 4] }, is { \
    int = [1, 5] }
    hint: leave out --space and --direction to continue it, or choose another name
    exit code 2
    ");
    let (code, ..) = on(folder.path(), "ask", &["--space", "space.json"]);
    assert_eq!(code, 0);
}

#[test]
fn those_who_ask_first_at_the_same_time_share_one_study() {
    let folder = with_study();
    let start = |_| {
        let mut command = allometry(folder.path());
        command.args(["ask", "--space", "space.json"]).args(MINE);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let asking: Vec<_> = (0..6).map(start).collect();
    let numbers: BTreeSet<u64> = asking
        .into_iter()
        .map(|child| {
            let (code, out, err) = texts(&child.wait_with_output().unwrap());
            assert_eq!(code, 0, "{err}");
            serde_json::from_str::<Value>(&out).unwrap()["number"].as_u64().unwrap()
        })
        .collect();
    assert_eq!(numbers, (0..6).collect());
}

#[test]
fn a_sampler_that_learns_looks_where_the_study_wants() {
    for (direction, sign) in [("minimize", 1.0), ("maximize", -1.0)] {
        let folder = with_study();
        let asked: Vec<f64> = (0..24)
            .map(|number: u32| {
                let arguments = ["--space", "space.json", "--direction", direction, "--sampler", "gp"];
                let (code, asked, err) = on(folder.path(), "ask", &arguments);
                assert_eq!(code, 0, "{err}");
                let n = asked["params"]["n"].as_f64().unwrap();
                let told = [&number.to_string(), "--", &n.to_string()].map(String::from);
                let told: Vec<&str> = told.iter().map(String::as_str).collect();
                assert_eq!(on(folder.path(), "tell", &told).0, 0);
                n
            })
            .collect();
        let best = on(folder.path(), "best", &["--json"]).1;
        let recommended = &best["studies"][0]["recommended"];
        assert!(recommended["unknown"].is_null(), "{best}");
        let (trial, mean) = (&recommended["trial"], &recommended["trial"]["mean"]);
        let (lower, upper) = (mean["interval"]["lower"].as_f64(), mean["interval"]["upper"].as_f64());
        assert!(lower < mean["point"].as_f64() && mean["point"].as_f64() < upper, "{best}");
        assert_eq!(
            (mean["level"].as_f64(), trial["params"]["n"].as_f64()),
            (Some(0.9), trial["value"].as_f64())
        );
        let text = run(folder.path(), &[&["best"], &MINE[..]].concat()).1;
        assert!(text.contains("  recommended: ") && text.contains("90% interval"), "{text}");
        let late = asked[12..].iter().sum::<f64>() / 12.0;
        assert!(sign * (late - 2.5) < -0.5, "{direction}: {asked:?}");
    }
}

#[test]
fn a_program_asks_and_tells() {
    let folder = with_study();
    let path = folder.path();
    let first = ask(path);
    assert_eq!((first["schema"].as_str(), first["number"].as_u64()), (Some("allometry.ask/1"), Some(0)));
    assert_eq!(first["params"].as_object().unwrap().len(), 3);
    assert_eq!(on(path, "tell", &["0", "0.5"]).0, 0);
    ask(path);
    assert_eq!(on(path, "tell", &["1", "-1.5"]).0, 0);
    ask(path);
    let (code, reported, _) = on(path, "tell", &["2", "0.25", "--step", "1"]);
    assert_eq!((code, reported["stop"].as_bool()), (0, Some(false)));
    assert_eq!(on(path, "tell", &["2", "--state", "pruned"]).0, 0);
    ask(path);
    assert_eq!(on(path, "tell", &["3", "--state", "failed", "--reason", "no memory"]).0, 0);

    let best = on(path, "best", &["--json"]).1;
    assert_eq!(best["studies"][0]["number"], 1, "the study minimises: {best}");
    let status = on(path, "status", &["--json"]).1;
    let trials = &status["studies"][0]["trials"];
    assert_eq!(
        (trials["complete"].as_u64(), trials["pruned"].as_u64(), trials["failed"].as_u64()),
        (Some(2), Some(1), Some(1))
    );
    let pruned = on(path, "show", &["2", "--json"]).1;
    assert_eq!(
        (pruned["trial"]["state"].as_str(), pruned["trial"]["value"].as_f64()),
        (Some("pruned"), Some(0.25))
    );
    let failed = on(path, "list", &["--state", "failed", "--json"]).1;
    assert_eq!(failed["studies"][0]["trials"][0]["failure"]["reason"], "no memory");
    let (_, text, _) = run(path, &[&["list"], &MINE[..]].concat());
    assert_eq!(text.lines().count(), 4);
}

/// A constraint above 0 is broken; such a trial is infeasible and cannot be the best one.
#[test]
fn constraints_are_told_and_decide_what_is_best() {
    let folder = with_study();
    let path = folder.path();
    let told = [
        &["0", "0.1", "--constraint", "2.5", "--constraint", "-1"][..],
        &["1", "0.2", "--constraint", "1e-9"],
        &["2", "--state", "failed"],
    ];
    for told in told {
        ask(path);
        assert_eq!(on(path, "tell", told), (0, Value::Null, String::new()));
    }
    insta::assert_snapshot!(refused(path, &["best", "x.db"]), @r"
    $ allometry best x.db
    error: x.db has no best trial: all 2 complete trials break a constraint
    hint: `allometry show TRIAL` lists the broken constraints and by how much they are broken; widen \
    the space or the limits
    exit code 4
    ");
    insta::assert_snapshot!(printed(path, &["status", "x.db"]), @"
    $ allometry status x.db
    mine: 2 complete (2 infeasible), 1 failed; none feasible
    ");
    ask(path);
    assert_eq!(on(path, "tell", &["3", "0.3", "--constraint=-0.5", "--constraint", "ms=0"]).0, 0);
    let best = on(path, "best", &["--json"]).1;
    assert_eq!(best["studies"][0]["number"], 3, "{best}");
    assert_eq!(best["studies"][0]["recommended"]["trial"]["number"], 3, "{best}");
    assert_eq!(on(path, "status", &["--json"]).1["studies"][0]["infeasible"], 2);
    let shown = on(path, "show", &["3", "--json"]).1;
    assert_eq!(shown["trial"]["constraints"], serde_json::json!({"0": -0.5, "ms": 0.0}));
    let text = run(path, &[&["show"], &MINE[..], &["0"]].concat()).1;
    assert!(text.contains("trial 0: complete 0.1000, infeasible\n"), "{text}");
    assert!(text.contains("  constraint 0 2.5000 (broken)\n  constraint 1 -1.0000 (met)\n"), "{text}");
    let list = run(path, &[&["list"], &MINE[..]].concat()).1;
    assert_eq!(list.matches(", infeasible").count(), 2, "{list}");
    ask(path);
    let calls = [
        &["tell", "--in", "x.db", "4", "1", "--constraint", "nan"][..],
        &["tell", "--in", "x.db", "4", "1", "--constraint", "fast"],
        &["tell", "--in", "x.db", "4", "1", "--constraint", "=1"],
        &["tell", "--in", "x.db", "4", "1", "--constraint", "a=1=2"],
        &["tell", "--in", "x.db", "4", "1", "--constraint", "m=1", "--constraint", "m=-1"],
        &["tell", "--in", "x.db", "4", "--state", "failed", "--constraint", "1"],
    ];
    insta::assert_snapshot!(all_refused(path, &calls), @"
    $ allometry tell --in x.db 4 1 --constraint nan
    error: invalid value 'nan' for '--constraint <VALUE>': `nan` is not a number

    For more information, try '--help'.
    exit code 2

    $ allometry tell --in x.db 4 1 --constraint fast
    error: invalid value 'fast' for '--constraint <VALUE>': `fast` is not a number

    For more information, try '--help'.
    exit code 2

    $ allometry tell --in x.db 4 1 --constraint =1
    error: invalid value '=1' for '--constraint <VALUE>': a constraint has no name before `=`

    For more information, try '--help'.
    exit code 2

    $ allometry tell --in x.db 4 1 --constraint a=1=2
    error: invalid value 'a=1=2' for '--constraint <VALUE>': `1=2` is not a number

    For more information, try '--help'.
    exit code 2

    $ allometry tell --in x.db 4 1 --constraint m=1 --constraint m=-1
    error: the constraint `m` is given twice
    hint: give each constraint once, with a different name or without one
    exit code 2

    $ allometry tell --in x.db 4 --state failed --constraint 1
    error: a failed trial has no constraints
    hint: leave --constraint out, or give a value or `--state pruned`
    exit code 2
    ");
}

#[test]
fn what_cannot_be_told_is_refused_and_the_study_goes_on() {
    let folder = with_study();
    let path = folder.path();
    ask(path);
    ask(path);
    assert_eq!(on(path, "tell", &["0", "0.5"]).0, 0);
    assert_eq!(on(path, "enqueue", &["n=2"]).0, 0);
    std::fs::write(
        path.join("bad.json"),
        r#"[{"name": "x", "type": "float", "low": 0, "high": 1, "log": true}]"#,
    )
    .unwrap();
    let calls = [
        &["tell", "--in", "x.db", "0", "0.4"][..],
        &["tell", "--in", "x.db", "1", "nan"],
        &["tell", "--in", "x.db", "1", "inf"],
        &["tell", "--in", "x.db", "1", "high"],
        &["tell", "--in", "x.db", "1"],
        &["tell", "--in", "x.db", "2", "1"],
        &["tell", "--in", "x.db", "9", "1"],
        &["show", "x.db", "9"],
        &["enqueue", "--in", "x.db", "n=9"],
        &["enqueue", "--in", "x.db", "depth=2"],
        &["enqueue", "--in", "x.db", "n"],
        &["ask", "--in", "x.db", "--study", "yours"],
        &["ask", "--in", "x.db", "--study", "yours", "--space", "bad.json"],
        &["status", "nowhere.db"],
    ];
    insta::assert_snapshot!(all_refused(path, &calls), @r"
    $ allometry tell --in x.db 0 0.4
    error: trial 0 is already complete, with 0.5
    hint: an ended trial does not change; ask for a new trial to repeat it
    exit code 2

    $ allometry tell --in x.db 1 nan
    error: trial 1 cannot have the value NaN: a value is a finite number
    hint: tell a trial without a value as --state failed
    exit code 2

    $ allometry tell --in x.db 1 inf
    error: trial 1 cannot have the value inf: a value is a finite number
    hint: tell a trial without a value as --state failed
    exit code 2

    $ allometry tell --in x.db 1 high
    error: invalid value 'high' for '[VALUE]...': invalid float literal

    For more information, try '--help'.
    exit code 2

    $ allometry tell --in x.db 1
    error: the following required arguments were not provided:
      <VALUE>...

    Usage: allometry tell --in <SOURCE> <TRIAL> <VALUE>...

    For more information, try '--help'.
    exit code 2

    $ allometry tell --in x.db 2 1
    error: trial 2 is waiting: it was not asked for yet
    hint: `allometry ask` hands out waiting trials first
    exit code 2

    $ allometry tell --in x.db 9 1
    error: the study has no trial 9; it has 3
    hint: `allometry list` shows the trials
    exit code 4

    $ allometry show x.db 9
    error: study `mine` has no trial 9
    hint: it has 3 trials; `allometry list` shows them
    exit code 4

    $ allometry enqueue --in x.db n=9
    error: `n` cannot be 9; its set is { int = [1, 4] }
    exit code 2

    $ allometry enqueue --in x.db depth=2
    error: the space has no parameter `depth`; it has lr, act, n
    exit code 2

    $ allometry enqueue --in x.db n
    error: `n` is not PARAM=VALUE
    hint: write, for example, learning_rate=1e-4
    exit code 2

    $ allometry ask --in x.db --study yours
    error: x.db has no study `yours`
    hint: it has `mine`
    exit code 4

    $ allometry ask --in x.db --study yours --space bad.json
    error: bad.json: `x`: a log scale cannot contain 0
    exit code 3

    $ allometry status nowhere.db
    error: there is no file nowhere.db
    hint: `allometry run` creates it; if it has run, check the path: `sqlite:///x.db` is relative to \
    the working directory
    exit code 4
    ");

    assert_eq!(ask(path)["number"], 2, "the enqueued one");
    assert_eq!(on(path, "tell", &["1", "0.1"]).0, 0);
    assert_eq!(on(path, "tell", &["2", "0.2"]).0, 0);
    assert_eq!(ask(path)["number"], 3);
}

/// Negative numbers are told as any program prints them, without `--` before them.
#[test]
fn small_negative_values_are_told() {
    let folder = with_study();
    for (number, value) in ["-1e-5", "-2.5E-7", "-3"].into_iter().enumerate() {
        ask(folder.path());
        let (code, _, err) = on(folder.path(), "tell", &[&number.to_string(), value]);
        assert_eq!(code, 0, "{value}: {err}");
    }
    let best = on(folder.path(), "best", &["--json"]).1;
    assert_eq!(best["studies"][0]["value"], -3.0, "{best}");
}

#[test]
fn programs_that_ask_at_once_get_different_configurations() {
    let folder = with_study();
    ask(folder.path());
    let children: Vec<_> = (0..8)
        .map(|_| {
            let mut command = allometry(folder.path());
            command.arg("ask").args(MINE).stdout(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    let asked: Vec<Value> = children
        .into_iter()
        .map(|child| serde_json::from_slice(&child.wait_with_output().unwrap().stdout).unwrap())
        .collect();
    let numbers: BTreeSet<u64> = asked.iter().map(|a| a["number"].as_u64().unwrap()).collect();
    let params: BTreeSet<String> = asked.iter().map(|a| a["params"].to_string()).collect();
    assert_eq!((numbers, params.len()), ((1..9).collect(), 8));
}

/// Returns the trials of a study of the ladder, as JSON.
fn trials(folder: &Path, label: &str) -> Vec<Value> {
    let (code, out, err) = run(folder, &["list", "--study", label, "--json"]);
    assert_eq!(code, 0, "{err}");
    let document: Value = serde_json::from_str(&out).unwrap();
    document["studies"][0]["trials"].as_array().unwrap().clone()
}

#[test]
fn enqueued_configurations_are_run_once() {
    let folder = project();
    let path = folder.path();
    assert_eq!(run(path, &["run", "--quiet"]).0, 0);
    let wanted =
        ["d_model=8", "n_heads=2", "n_layers=1", "d_ff_ratio=2", "learning_rate=0.002", "dropout=0.1"];
    let enqueue = |extra: &[&str]| run(path, &[&["enqueue", "--study", "s"], &wanted[..], extra].concat());
    let (code, out, err) = enqueue(&[]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("\"number\":4,") && out.contains("\"new\":true"), "{out}");
    let (code, out, err) = enqueue(&[]);
    assert!(
        code == 0 && out.contains("\"new\":false") && err.contains("trial 4 already has this configuration"),
        "{out}{err}"
    );
    let (code, _, err) = run(path, &["enqueue", "--study", "s", "dropout=0.1"]);
    assert_eq!(code, 0, "{err}");
    // The study already has its trials; waiting trials are run in addition.
    assert_eq!(run(path, &["run", "--quiet"]).0, 0);
    assert_eq!(run(path, &["run", "--quiet"]).0, 0);
    let all = trials(path, "s");
    assert_eq!(all.len(), 6);
    assert!(
        all[4..].iter().all(|t| t["state"] == "complete" && t["origin"] == "enqueued" && t["seed"].is_u64())
    );
    assert_eq!(all[4]["params"]["learning_rate"], 0.002);
    assert_eq!(all[5]["params"]["dropout"], 0.1);
    assert_eq!(all[5]["params"].as_object().unwrap().len(), 6, "the others were drawn");

    // No width of `s` is one of `l`.
    let calls = [
        &["enqueue"][..],
        &["enqueue", "dropout=0.1"],
        &["enqueue", "--study", "l", "--from", "s=trials.db:tiny/s", "--top", "2"],
    ];
    insta::assert_snapshot!(all_refused(path, &calls), @"
    $ allometry enqueue
    error: the following required arguments were not provided:
      <PARAM=VALUE>...

    Usage: allometry enqueue <PARAM=VALUE>...

    For more information, try '--help'.
    exit code 2

    $ allometry enqueue dropout=0.1
    error: sqlite:///trials.db has 2 studies
    hint: name one with --study: s, l
    exit code 2

    $ allometry enqueue --study l --from s=trials.db:tiny/s --top 2
    error: `s=trials.db:tiny/s` has no complete trial that fits study `tiny/l`
    hint: configurations outside its space: 6
    exit code 4
    ");
    assert_eq!(run(path, &["run", "--quiet", "--storage", "sqlite:///other.db"]).0, 0);
    let (code, out, err) =
        run(path, &["enqueue", "--study", "s", "--from", "sqlite:///other.db", "--top", "3", "--again"]);
    assert_eq!((code, out.lines().count()), (0, 3), "{err}");
}

#[test]
fn the_reason_why_a_study_ended_is_kept() {
    let folder = project();
    let path = folder.path();
    assert_eq!(run(path, &["run", "--quiet", "--until", "0s"]).0, 0);
    let ended = || {
        let (_, out, _) = run(path, &["status", "--json"]);
        let document: Value = serde_json::from_str(&out).unwrap();
        document["studies"][0]["ended"]["kind"].clone()
    };
    assert_eq!(ended(), "time_limit");
    assert_eq!(run(path, &["run", "--quiet"]).0, 0);
    assert_eq!(ended(), "trials_reached");
    assert!(run(path, &["status"]).1.contains("ended: all trials are done"));
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/optuna").join(name)
}

fn python(python: &Path, name: &str, file: &Path, study: &str) -> String {
    let output = Command::new(python).arg(script(name)).arg(file).arg(study).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn optuna_goes_on_with_a_run_and_the_run_goes_on_after_it() {
    let Some(interpreter) = allometry_testkit::python_with("optuna_goes_on_with_a_run", "optuna") else {
        return;
    };
    let folder = project();
    let path = folder.path();
    assert_eq!(run(path, &["run", "--quiet"]).0, 0);
    let said: Value =
        serde_json::from_str(&python(&interpreter, "go_on.py", &path.join("trials.db"), "tiny/s")).unwrap();
    assert_eq!(said["trials"], 8);
    let before = trials(path, "s");
    let (code, _, err) = run(path, &["run", "--quiet", "--trials", "9"]);
    assert_eq!(code, 0, "{err}");
    let after = trials(path, "s");
    assert_eq!(after[..7], before[..7], "what Optuna did stays, its running trial too");
    assert_eq!((after[6]["state"].as_str(), after[7]["state"].as_str()), (Some("running"), Some("complete")));
    assert_eq!(after[7]["params"]["dropout"], 0.1);
    let complete = after.iter().filter(|t| t["state"] == "complete").count();
    assert_eq!(complete, 9, "Optuna's trials count");
    let distinct: BTreeSet<String> = after[7..].iter().map(|t| t["params"].to_string()).collect();
    assert_eq!(distinct.len(), after.len() - 7);
    assert_eq!(run(path, &["tell", "--study", "s", "6", "0.5"]).0, 0, "whoever asked for it may tell it");
}

#[test]
fn we_go_on_with_a_study_of_optuna_and_optuna_after_us() {
    let Some(interpreter) = allometry_testkit::python_with("we_go_on_with_a_study_of_optuna", "optuna")
    else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    python(&interpreter, "begin.py", &path.join("x.db"), "mine");
    let (code, asked, err) = on(path, "ask", &[]);
    assert_eq!(code, 0, "{err}");
    assert_eq!(asked["number"], 5);
    let x = asked["params"]["x"].as_f64().unwrap();
    assert!((-1.0..=1.0).contains(&x) && ["a", "b"].contains(&asked["params"]["kind"].as_str().unwrap()));
    assert_eq!(on(path, "tell", &["5", "-3"]).0, 0);
    assert_eq!(on(path, "best", &["--json"]).1["studies"][0]["number"], 5);
    let said: Value =
        serde_json::from_str(&python(&interpreter, "go_on_any.py", &path.join("x.db"), "mine")).unwrap();
    assert_eq!((said["best"].as_u64(), said["trials"].as_u64()), (Some(5), Some(8)));
    assert_eq!(on(path, "ask", &[]).1["number"], 8);
}

#[test]
fn choices_of_any_kind_are_gone_on_with_and_a_damaged_study_hides_none() {
    let test = "choices_of_any_kind_are_gone_on_with_and_a_damaged_study_hides_none";
    let Some(interpreter) = allometry_testkit::python_with(test, "optuna") else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let script = |command: &str, file: &str| {
        let output = Command::new(&interpreter)
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/optuna/choices.py"))
            .args([command, file])
            .current_dir(path)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice::<Value>(&output.stdout).unwrap_or_default()
    };
    script("begin", "x.db");
    let on = |arguments: &[&str]| run(path, &[&arguments[..1], &["--in", "x.db"], &arguments[1..]].concat());
    for command in ["list", "status", "best"] {
        let (code, out, err) = on(&[command]);
        assert_eq!(code, 0, "{command}: {err}");
        assert!(out.contains("damaged") && out.contains("cannot be read"), "{command}: {out}");
        assert!(out.contains("odd"), "{command}: {out}");
    }
    let (code, out, _) = on(&["list", "--json"]);
    let listed: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, listed["studies"][0]["trials"].as_array().unwrap().len()), (0, 12));
    assert!(listed["studies"][1]["unreadable"].is_string());
    for (number, value) in [("12", "[64,64]"), ("13", "{\"a\": [1, null]}"), ("14", "None")] {
        let layers = format!("layers={value}");
        assert_eq!(on(&["enqueue", "--study", "odd", &layers, "x=0.5"]).0, 0, "{value}");
        let (code, _, err) = on(&["ask", "--study", "odd"]);
        assert_eq!(code, 0, "{err}");
        assert_eq!(on(&["tell", "--study", "odd", number, "0.5"]).0, 0);
    }
    assert_eq!(on(&["ask", "--study", "odd"]).0, 0);
    let (code, _, err) = run(path, &["export", "odd=x.db:odd", "-o", "copy.db"]);
    assert_eq!(code, 0, "{err}");
    let seen = script("go_on", "x.db");
    assert_eq!(seen["states"].as_array().unwrap().len(), 18);
    let copied = script("go_on", "copy.db");
    assert_eq!(copied["seen"], seen["seen"]);
}

#[test]
fn a_study_of_optuna_in_postgresql_is_analysed_and_gone_on_with() {
    let test = "a_study_of_optuna_in_postgresql_is_analysed_and_gone_on_with";
    let Some(cluster) = allometry_testkit::Cluster::shared(test) else { return };
    let Some(interpreter) = allometry_testkit::python_with(test, "optuna, psycopg2") else { return };
    let folder = tempfile::tempdir().unwrap();
    let url = cluster.database();
    // SQLAlchemy's default driver depends on its version.
    let theirs = url.replace("postgresql://", "postgresql+psycopg2://");
    python(&interpreter, "begin.py", Path::new(&theirs), "mine");
    let on = |command: &str, arguments: &[&str]| {
        let all = [&[command, "--in", &url, "--study", "mine"], arguments].concat();
        let (code, out, err) = run(folder.path(), &all);
        assert_eq!(code, 0, "{err}");
        serde_json::from_str::<Value>(&out).unwrap_or_default()
    };
    let (code, _, err) = run(folder.path(), &["report", &format!("1={url}:mine"), "-o", "before.json"]);
    assert_eq!(code, 0, "{err}");
    let report = std::fs::read_to_string(folder.path().join("before.json")).unwrap();
    assert!(report.contains("\"kind\"") && !report.contains("allometry_"));
    assert_eq!(on("ask", &[])["number"], 5);
    on("tell", &["5", "-3"]);
    assert_eq!(on("best", &["--json"])["studies"][0]["number"], 5);
    let said: Value =
        serde_json::from_str(&python(&interpreter, "go_on_any.py", Path::new(&theirs), "mine")).unwrap();
    assert_eq!((said["best"].as_u64(), said["trials"].as_u64()), (Some(5), Some(8)));
    assert_eq!(on("ask", &[])["number"], 8);
    let (code, _, err) = run(folder.path(), &["report", &format!("1={theirs}:mine"), "-o", "after.md"]);
    assert_eq!(code, 0, "{err}");
}

const CONDITIONAL: &str = r#"{"params": [
    {"name": "momentum", "type": "float", "low": 0, "high": 0.99, "when": {"optimizer": ["sgd"]}},
    {"name": "optimizer", "type": "categorical", "values": ["adam", "sgd"]},
    {"name": "beta", "type": "float", "low": 0.8, "high": 0.999, "when": {"optimizer": ["adam"]}}]}"#;

#[test]
fn trials_lack_what_does_not_apply_and_optuna_reads_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::write(path.join("space.json"), CONDITIONAL).unwrap();
    let ask = |kind: &str| {
        let (code, asked, err) = on(path, "ask", &["--space", "space.json", "--sampler", kind]);
        assert_eq!(code, 0, "{err}");
        asked
    };
    let own = |params: &Value| -> Vec<String> {
        let mut names: Vec<String> = params.as_object().unwrap().keys().cloned().collect();
        names.sort();
        names
    };
    let mut handed = Vec::new();
    for number in 0..24_u32 {
        let asked = ask(["gp", "tpe"][number as usize % 2]);
        let is_sgd = asked["params"]["optimizer"] == "sgd";
        let expected = if is_sgd { ["momentum", "optimizer"] } else { ["beta", "optimizer"] };
        assert_eq!(own(&asked["params"]), expected, "{asked}");
        handed.push(own(&asked["params"]));
        let value = (if is_sgd { 1.0 } else { 0.0 } + f64::from(number) * 0.01).to_string();
        assert_eq!(on(path, "tell", &[&number.to_string(), &value]).0, 0);
    }
    assert!(
        handed.iter().any(|names| names[0] == "beta") && handed.iter().any(|names| names[0] == "momentum")
    );
    let best = on(path, "best", &["--json"]).1;
    assert_eq!(own(&best["studies"][0]["recommended"]["trial"]["params"]).len(), 2, "{best}");
    // Given parameters are kept, conditional ones are drawn.
    assert_eq!(on(path, "enqueue", &["optimizer=sgd"]).0, 0);
    assert_eq!(own(&ask("random")["params"]), ["momentum", "optimizer"]);
    assert_eq!(on(path, "tell", &["24", "0.5"]).0, 0);
    let Some(interpreter) = allometry_testkit::python_with("trials_lack_what_does_not_apply", "optuna")
    else {
        return;
    };
    let said: Value =
        serde_json::from_str(&python(&interpreter, "conditional.py", &path.join("x.db"), "mine")).unwrap();
    let read: Vec<Vec<String>> = serde_json::from_value(said["read"].clone()).unwrap();
    assert_eq!(read[..24], handed);
    assert_eq!(said["trials"], 27);
    let asked = ask("tpe");
    assert_eq!((asked["number"].as_u64(), own(&asked["params"]).len()), (Some(27), 2));
}

#[test]
fn conditions_that_make_no_sense_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let calls: Vec<String> = [
        (r#"["adam"]"#, r#"["lion"]"#),
        (r#""values": ["adam", "sgd"]"#, r#""values": ["adam", "sgd"], "when": {"beta": [0.9]}"#),
    ]
    .into_iter()
    .map(|(from, to)| {
        assert!(CONDITIONAL.contains(from));
        std::fs::write(folder.path().join("space.json"), CONDITIONAL.replace(from, to)).unwrap();
        refused(folder.path(), &["ask", "--in", "x.db", "--study", "mine", "--space", "space.json"])
    })
    .collect();
    insta::assert_snapshot!(calls.join("\n"), @r"
    $ allometry ask --in x.db --study mine --space space.json
    error: space.json: the condition of `beta` requires the value 'lion', which `optimizer` cannot \
    have; list values of `optimizer`
    exit code 3

    $ allometry ask --in x.db --study mine --space space.json
    error: space.json: `optimizer` depends on `beta`, whose range has infinitely many values; give \
    `beta` a list of values, or a step
    exit code 3
    ");
}

/// Control characters that would change a terminal: a title, a colour, the text direction, a new line.
const HOSTILE: &str = "\u{1b}]0;pwn\u{7}\u{1b}[31mRED\u{202e}gnp\r\nover\u{9b}31m";

#[test]
fn nothing_that_a_terminal_obeys_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let space =
        serde_json::json!([{"name": format!("c{HOSTILE}"), "type": "categorical", "values": [HOSTILE, "b"]}]);
    std::fs::write(path.join("space.json"), space.to_string()).unwrap();
    let study = format!("n{HOSTILE}");
    let on = |command: &str, rest: &[&str]| {
        run(path, &[&[command, "--in", "x.db", "--study", &study], rest].concat())
    };
    assert_eq!(on("ask", &["--space", "space.json"]).0, 0);
    assert_eq!(on("tell", &["0", "0.5"]).0, 0);
    assert_eq!(on("ask", &[]).0, 0);
    let number = "1";
    assert_eq!(on("tell", &[number, "--state", "failed", "--reason", HOSTILE]).0, 0);
    let calls: [(&str, &[&str]); 7] = [
        ("list", &[]),
        ("status", &[]),
        ("best", &[]),
        ("show", &["0"]),
        ("show", &[number]),
        ("show", &["77"]),
        ("enqueue", &["x=1"]),
    ];
    for (command, rest) in calls {
        let (_, out, err) = on(command, rest);
        let shown = format!("{out}{err}");
        let obeyed = |c: char| c != '\n' && allometry_core::visible::is_obeyed(c);
        assert!(!shown.chars().any(obeyed), "{command}: {shown:?}");
        assert!(!out.lines().any(|line| line.starts_with("over")), "{command}: {out}");
    }
}
