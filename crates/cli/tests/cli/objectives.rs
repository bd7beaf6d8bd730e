//! Tests of several objectives: ladders, asked trials, output and errors.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::{LADDER, allometry, project, run, texts};

/// A ladder whose program reports a better `accuracy` and a larger `ms` for a larger `width`.
const COMMAND: &str = r#"
name = "two"
trials = 9
metric = ["accuracy", "ms"]
direction = ["maximize", "minimize"]

[command]
run = ["sh", "train.sh", "{width}", "{lr}"]

[space]
width = [1, 2, 3]
lr = [1, 2, 3, 4]

[sampler]
kind = "tpe"

[[budget]]
label = "a"
weights = "any"
"#;

/// The program of the ladder: it reports `values`, or a value and a metric, depending on the trial number.
const SCRIPT: &str = r#"
if [ $((ALLOMETRY_TRIAL_NUMBER % 2)) -eq 0 ]; then
    echo "{\"final\": true, \"values\": [$(($1 * 10 - $2)), $1]}" >> "$ALLOMETRY_REPORT"
else
    echo "{\"metrics\": {\"ms\": $1}}" >> "$ALLOMETRY_REPORT"
    echo "{\"final\": true, \"value\": $(($1 * 10 - $2))}" >> "$ALLOMETRY_REPORT"
fi
"#;

fn command_project(ladder: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ladder.toml"), ladder).unwrap();
    std::fs::write(folder.path().join("train.sh"), SCRIPT).unwrap();
    folder
}

fn json_of(folder: &Path, arguments: &[&str]) -> Value {
    let (code, out, err) = run(folder, arguments);
    assert_eq!(code, 0, "{arguments:?}: {err}");
    serde_json::from_str(&out).unwrap()
}

/// Returns the best trials according to Optuna, if Python has it.
fn optunas_best(test: &str, folder: &Path, study: &str) -> Option<Value> {
    let python = allometry_testkit::python_with(test, "optuna")?;
    let script = "import json, sys, optuna; optuna.logging.set_verbosity(optuna.logging.ERROR); \
                  s = optuna.load_study(storage='sqlite:///trials.db', study_name=sys.argv[1]); \
                  print(json.dumps([s.metric_names, [t.number for t in s.best_trials]]))";
    let output = Command::new(python).current_dir(folder).args(["-c", script, study]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn a_command_with_two_objectives_has_a_front() {
    let folder = command_project(COMMAND);
    let path = folder.path();
    let (code, _, err) = run(path, &["run", "--quiet", "--workers", "1"]);
    assert_eq!(code, 0, "{err}");
    let best = json_of(path, &["best", "--json"]);
    let study = &best["studies"][0];
    assert_eq!(study["metrics"], json!(["accuracy", "ms"]));
    let front = study["front"].as_array().unwrap();
    for member in front {
        let (width, lr) =
            (member["params"]["width"].as_f64().unwrap(), member["params"]["lr"].as_f64().unwrap());
        assert_eq!(member["values"], json!([width * 10.0 - lr, width]));
    }
    let accuracies: Vec<f64> = front.iter().map(|member| member["values"][0].as_f64().unwrap()).collect();
    assert!(accuracies.is_sorted_by(|a, b| a >= b) && !accuracies.is_empty());
    let mut numbers: Vec<u64> = front.iter().map(|member| member["number"].as_u64().unwrap()).collect();
    numbers.sort_unstable();
    if let Some(seen) = optunas_best("a_command_with_two_objectives_has_a_front", path, "two/a") {
        assert_eq!(seen, json!([["accuracy", "ms"], numbers]));
    }
    let (_, text, _) = run(path, &["best"]);
    assert!(text.contains("in accuracy up, ms down") && text.contains("ms 1.0000"), "{text}");
    let (_, text, _) = run(path, &["status"]);
    assert!(text.contains("on the Pareto front of 2 objectives"), "{text}");
    let listed = json_of(path, &["list", "--json"]);
    assert_eq!(listed["studies"][0]["trials"][0]["values"].as_array().unwrap().len(), 2);
    let (_, text, _) = run(path, &["show", "0"]);
    assert!(
        text.starts_with("two/a, trial 0: complete ") && text.lines().next().unwrap().contains(", "),
        "{text}"
    );

    let report = std::fs::read_to_string(path.join("report/report.md")).unwrap();
    for part in ["## Several Objectives", "## Pareto Front", "accuracy (up), ms (down)", "front-0.svg"] {
        assert!(report.contains(part), "{part}: {report}");
    }
    let document: Value =
        serde_json::from_str(&std::fs::read_to_string(path.join("report/report.json")).unwrap()).unwrap();
    assert_eq!(document["studies"][0]["front"]["trials"].as_array().unwrap().len(), numbers.len());
    let codes = document["findings"].as_array().unwrap();
    assert!(codes.iter().any(|finding| finding["code"] == "several-objectives"), "{document}");

    // A study does not continue with other objectives.
    let other = COMMAND.replace("[\"maximize\", \"minimize\"]", "[\"maximize\", \"maximize\"]");
    std::fs::write(path.join("ladder.toml"), other).unwrap();
    let (code, _, err) = run(path, &["run", "--quiet"]);
    assert_eq!(code, 3, "{err}");
    assert!(err.contains("direction: was"), "{err}");

    // Optuna can read the database.
    let (code, text, err) = run(path, &["report", "x=trials.db:two/a", "-o", "-"]);
    assert_eq!(code, 0, "{err}");
    assert!(text.contains("## Pareto Front"), "{text}");
}

#[test]
fn the_built_in_model_has_objectives_beside_its_auc() {
    let folder = project();
    let path = folder.path();
    let ladder =
        LADDER.replacen("trials = 4", "trials = 4\nmetric = [\"auc\", \"log_loss\", \"weights\"]", 1);
    std::fs::write(path.join("ladder.toml"), ladder).unwrap();
    let (code, _, err) = run(path, &["run", "--quiet", "--budget", "s"]);
    assert_eq!(code, 0, "{err}");
    let listed = json_of(path, &["list", "--json"]);
    for trial in listed["studies"][0]["trials"].as_array().unwrap() {
        let values = trial["values"].as_array().unwrap();
        assert_eq!(values[0], trial["metrics"]["auc"]);
        assert_eq!(values[1], trial["metrics"]["log_loss"]);
        assert_eq!(values[2].as_f64(), trial["weights"].as_f64());
    }
    let best = json_of(path, &["best", "--json"]);
    assert_eq!(best["studies"][0]["directions"], json!(["maximize", "minimize", "minimize"]));
}

#[test]
fn objectives_that_trials_lack_are_named() {
    let folder = command_project(&COMMAND.replace("\"accuracy\", \"ms\"", "\"accuracy\", \"recall\""));
    std::fs::write(
        folder.path().join("train.sh"),
        "echo '{\"metrics\": {\"ms\": 1}}' >> $ALLOMETRY_REPORT; \
         echo '{\"final\": true, \"value\": 1}' >> $ALLOMETRY_REPORT",
    )
    .unwrap();
    let (code, _, err) = run(folder.path(), &["run", "--quiet"]);
    assert_eq!(code, 6, "{err}");
    let (_, text, _) = run(folder.path(), &["list"]);
    assert!(text.contains("failed: no value of objective `recall` was reported"), "{text}");
    let (_, text, _) = run(folder.path(), &["show", "0"]);
    assert!(text.contains("the trial reported ms"), "{text}");
}

#[test]
fn files_that_ask_for_what_makes_no_sense_are_refused() {
    for (from, to, said) in [
        ("[\"maximize\", \"minimize\"]", "[\"maximize\", \"minimize\", \"minimize\"]", "`direction` has 3"),
        ("[\"maximize\", \"minimize\"]", "\"maximize\"", "`direction` has 1"),
        ("[\"maximize\", \"minimize\"]", "[\"maximize\", \"down\"]", "cannot be `down`"),
        ("direction = [\"maximize\", \"minimize\"]", "", "no `direction`"),
        ("\"accuracy\", \"ms\"", "\"ms\", \"ms\"", "twice"),
        ("[sampler]", "[pruner]\nkind = \"median\"\n[sampler]", "`pruner` needs a single objective"),
        ("[sampler]", "[stop]\nexpected_gain = 0.1\n[sampler]", "`expected_gain` needs a single objective"),
    ] {
        let folder = command_project(&COMMAND.replace(from, to));
        let (code, _, err) = run(folder.path(), &["check"]);
        assert_eq!(code, 3, "{to}: {err}");
        assert!(err.contains(said), "{to}: {err}");
    }
    for (metric, said) in [
        ("[\"auc\", \"latency\"]", "trials do not report it"),
        ("[\"log_loss\", \"auc\"]", "the first objective must be `auc`, not `log_loss`"),
        ("[\"auc\", \"r2\"]", "trials do not report it"),
        ("[]", "`metric` is empty"),
    ] {
        let folder = project();
        let ladder = LADDER.replacen("seed = 1", &format!("seed = 1\nmetric = {metric}"), 1);
        std::fs::write(folder.path().join("ladder.toml"), ladder).unwrap();
        let (code, _, err) = run(folder.path(), &["check"]);
        assert_eq!(code, 3, "{metric}: {err}");
        assert!(err.contains(said), "{metric}: {err}");
    }
}

#[test]
fn a_program_asks_and_tells_several_values() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::write(
        path.join("space.json"),
        r#"[{"name": "x", "type": "float", "low": 0, "high": 1},
            {"name": "n", "type": "int", "low": 1, "high": 4}]"#,
    )
    .unwrap();
    let mine = ["--in", "sqlite:///x.db", "--study", "mine"];
    let on = |command: &str, arguments: &[&str]| run(path, &[&[command], &mine[..], arguments].concat());
    let ask =
        ["--space", "space.json", "--direction", "minimize", "--direction", "maximize", "--sampler", "gp"];
    for number in 0..14 {
        let (code, out, err) = on("ask", &ask);
        assert_eq!(code, 0, "{err}");
        let asked: Value = serde_json::from_str(&out).unwrap();
        let x = asked["params"]["x"].as_f64().unwrap();
        if number == 0 {
            for (values, said) in [
                (&["0", "0.5"][..], "needs 2 values, one for each objective of its study, not 1"),
                (&["0", "1", "2", "3"], "needs 2 values, one for each objective of its study, not 3"),
                (&["0", "1", "nan"], "a value is a finite number"),
                (&["0", "0.5", "--step", "1"], "a step has one value, but the study has 2 objectives"),
                (&["0", "0.5", "1", "--step", "1"], "a step has one value, not 2"),
            ] {
                let (code, _, err) = on("tell", values);
                assert_eq!(code, 2, "{values:?}: {err}");
                assert!(err.contains(said), "{values:?}: {err}");
            }
        }
        let (code, _, err) = on("tell", &[&number.to_string(), &x.to_string(), &(x * (2.0 - x)).to_string()]);
        assert_eq!(code, 0, "{err}");
    }
    let (_, out, _) = on("best", &["--json"]);
    let best: Value = serde_json::from_str(&out).unwrap();
    // The objectives conflict, so every trial is on the front.
    assert_eq!(best["studies"][0]["front"].as_array().unwrap().len(), 14);
}

#[test]
fn the_filter_takes_directions() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = allometry(folder.path())
        .args(["sampler", "--kind", "gp"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = vec![
        json!({"seed": 3, "directions": ["minimize", "maximize"], "params": [
            {"name": "x", "type": "int", "low": 0, "high": 9}
        ]})
        .to_string(),
        r#"{"recommend": true}"#.into(),
    ];
    for number in 0..9 {
        lines.push(json!({"ask": number}).to_string());
        lines.push(json!({"tell": number, "values": [number, 9 - number / 2]}).to_string());
    }
    lines.push(json!({"ask": 9}).to_string());
    lines.push(json!({"tell": 9, "value": 1}).to_string());
    lines.push(json!({"tell": 9, "value": null}).to_string());
    lines.push(r#"{"recommend": true}"#.into());
    child.stdin.take().unwrap().write_all(lines.join("\n").as_bytes()).unwrap();
    let (code, out, _) = texts(&child.wait_with_output().unwrap());
    assert_eq!(code, 0);
    let answers: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), 13);
    assert_eq!(answers[0], json!({"error": "no trial has been told a value"}));
    assert_eq!(answers[11], json!({"error": "trial 9 was told 1 values, but there are 2 objectives"}));
    let front = answers[12]["front"].as_array().unwrap();
    assert_eq!((front.len(), &front[0]["trial"], &front[0]["values"]), (1, &json!(0), &json!([0.0, 9.0])));
}

/// A limit on a reported metric is a constraint of the trial, listed before the constraints that the program
/// reports.
#[test]
fn limits_of_a_ladder_are_constraints_of_its_trials() {
    let ladder = COMMAND
        .replace("metric = [\"accuracy\", \"ms\"]", "metric = \"accuracy\"\nlimits = [\"ms <= 2\"]")
        .replace("direction = [\"maximize\", \"minimize\"]", "direction = \"maximize\"");
    assert!(ladder.contains("limits"), "{ladder}");
    let folder = command_project(&ladder);
    let path = folder.path();
    let report = |line: &str| format!("echo '{line}' >> $ALLOMETRY_REPORT\n");
    let script = format!(
        "printf '{{\"metrics\": {{\"ms\": %s}}}}\\n' $1 >> $ALLOMETRY_REPORT\n{}\
         printf '{{\"final\": true, \"value\": %s}}\\n' $1 >> $ALLOMETRY_REPORT\n",
        report(r#"{"constraints": [-7]}"#)
    );
    std::fs::write(path.join("train.sh"), script).unwrap();
    let (code, _, err) = run(path, &["run", "--quiet", "--workers", "1"]);
    assert_eq!(code, 0, "{err}");
    let best = json_of(path, &["best", "--json"]);
    assert_eq!(best["studies"][0]["value"], 2.0, "the value is the width, and ms too: {best}");
    let list = json_of(path, &["list", "--json"]);
    for trial in list["studies"][0]["trials"].as_array().unwrap() {
        let width = trial["params"]["width"].as_f64().unwrap();
        assert_eq!(trial["constraints"], json!({"0": width - 2.0, "1": -7.0}));
    }
    assert_eq!(run(path, &["report", "-o", "report.json"]).0, 0);
    let report = std::fs::read_to_string(path.join("report.json")).unwrap();
    assert!(report.contains("infeasible-trials") && report.contains("break a constraint"), "{report}");
    assert!(report.contains("statistics exclude them: ms <= 2 ("), "{report}");
    let text = std::fs::read_to_string(path.join("ladder.toml")).unwrap();
    std::fs::write(path.join("ladder.toml"), text.replace("ms <= 2", "ms <= 1")).unwrap();
    let (code, _, err) = run(path, &["run", "--quiet"]);
    assert!(code != 0 && err.contains("limits: were ms <= 2, are ms <= 1"), "{err}");
}

/// Constraints reported before a trial was pruned are kept, because Optuna's samplers use them too.
#[test]
fn constraints_of_pruned_trials_are_kept() {
    let ladder = COMMAND
        .replace("metric = [\"accuracy\", \"ms\"]", "metric = \"accuracy\"\nlimits = [\"ms <= 2\"]")
        .replace("direction = [\"maximize\", \"minimize\"]", "direction = \"maximize\"")
        + "[pruner]\nkind = \"threshold\"\nlower = 100.0\ncomplete_share = 0.0\n";
    let ladder = ladder.replace("tpe", "random");
    let folder = command_project(&ladder);
    let path = folder.path();
    let script = "printf '%s\\n' '{\"metrics\": {\"ms\": 5}}' '{\"constraints\": [-7]}' \
                  '{\"step\": 1, \"value\": 0.5}' >> $ALLOMETRY_REPORT\n\
                  while [ ! -e $ALLOMETRY_REPORT.stop ]; do sleep 0.02; done\n";
    std::fs::write(path.join("train.sh"), script).unwrap();
    let (code, _, err) = run(path, &["run", "--quiet", "--workers", "1"]);
    assert_eq!(code, 0, "{err}");
    let list = json_of(path, &["list", "--json"]);
    for trial in list["studies"][0]["trials"].as_array().unwrap() {
        assert_eq!(
            (&trial["state"], &trial["constraints"]),
            (&json!("pruned"), &json!({"0": 3.0, "1": -7.0}))
        );
        assert_eq!(trial["metrics"]["ms"], 5.0, "{trial}");
    }
}
