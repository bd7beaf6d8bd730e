//! Tests of several objectives: ladders, asked trials, output and errors.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::scripted::{self, Scripted};
use crate::support::{LADDER, all_refused, allometry, folded, printed, project, refused, run, texts};

/// A ladder whose program reports a better `accuracy` and a larger `ms` for a larger `width`.
const TWO: Scripted = Scripted {
    name: "two",
    trials: 9,
    settings: "metric = [\"accuracy\", \"ms\"]\ndirection = [\"maximize\", \"minimize\"]",
    space: &[("width", "[1, 2, 3]"), ("lr", "[1, 2, 3, 4]")],
    sampler: "tpe",
    budgets: &["a"],
    ..Scripted::DEFAULT
};

/// A ladder with one objective and a limit on the other metric.
const LIMITED: Scripted =
    Scripted { settings: "metric = \"accuracy\"\nlimits = [\"ms <= 2\"]\ndirection = \"maximize\"", ..TWO };

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
    scripted::folder(ladder, SCRIPT)
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
    let folder = command_project(&TWO.ladder());
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
    insta::assert_snapshot!(printed(path, &["best"]), @"
    $ allometry best
    a: Pareto front of 3 trials in accuracy up, ms down
      trial 1: accuracy 29.0000, ms 3.0000  width=3 lr=1
      trial 8: accuracy 19.0000, ms 2.0000  width=2 lr=1
      trial 5: accuracy 9.0000, ms 1.0000  width=1 lr=1
    ");
    insta::assert_snapshot!(printed(path, &["status"]), @"
    $ allometry status
    a: 9 of 9 complete; 3 on the Pareto front of 2 objectives
      ended: all trials are done
    ");
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
    let other = TWO.ladder().replace("\"minimize\"]", "\"maximize\"]");
    std::fs::write(path.join("ladder.toml"), other).unwrap();
    insta::assert_snapshot!(refused(path, &["run", "--quiet"]), @r#"
    $ allometry run --quiet
    error: the objective of study `two/a` has changed:
      direction: was ["maximize","minimize"], is ["maximize","maximize"]
    hint: trials with different objectives cannot be compared: undo the change, or give the ladder \
    another `name` or `[storage] url`
    exit code 3
    "#);

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
    let ladder = Scripted { trials: 1, space: &[("width", "[1]")], ..TWO }.ladder();
    let script = "echo '{\"metrics\": {\"ms\": 1}}' >> $ALLOMETRY_REPORT; \
                  echo '{\"final\": true, \"value\": 1}' >> $ALLOMETRY_REPORT";
    let folder = scripted::folder(&ladder.replace("\"ms\"", "\"recall\""), script);
    let folder = folder.path();
    insta::assert_snapshot!(refused(folder, &["run", "--quiet"]), @r"
    $ allometry run --quiet
    error: too many trials failed for a
    hint: `allometry report` lists the reasons; after fixing them, run the same command to try further \
    configurations
    exit code 6
    ");
    insta::assert_snapshot!(printed(folder, &["list"]), @"
    $ allometry list
           a     0  failed: no value of objective `recall` was reported: the trial reported ms width=1
    ");
    let (_, text, _) = run(folder, &["show", "0"]);
    assert!(text.contains("the trial reported ms"), "{text}");
}

#[test]
fn files_that_ask_for_what_makes_no_sense_are_refused() {
    let of_commands: Vec<String> = [
        ("[\"maximize\", \"minimize\"]", "[\"maximize\", \"minimize\", \"minimize\"]"),
        ("[\"maximize\", \"minimize\"]", "\"maximize\""),
        ("[\"maximize\", \"minimize\"]", "[\"maximize\", \"down\"]"),
        ("direction = [\"maximize\", \"minimize\"]", ""),
        ("\"accuracy\", \"ms\"", "\"ms\", \"ms\""),
        ("[sampler]", "[pruner]\nkind = \"median\"\n[sampler]"),
        ("[sampler]", "[stop]\nexpected_gain = 0.1\n[sampler]"),
    ]
    .into_iter()
    .map(|(from, to)| refused(command_project(&TWO.ladder().replace(from, to)).path(), &["check"]))
    .collect();
    insta::assert_snapshot!(of_commands.join("\n"), @r#"
    $ allometry check
    ladder::directions

      × `metric` has 2 and `direction` has 3: each objective needs one of each
       ╭─[ladder.toml:4:13]
     3 │ metric = ["accuracy", "ms"]
     4 │ direction = ["maximize", "minimize", "minimize"]
       ·             ──────────────────┬─────────────────
       ·                               ╰── this one
     5 │
       ╰────
      help: give each objective a direction: direction = ["maximize", "minimize"]
    exit code 3

    $ allometry check
    ladder::directions

      × `metric` has 2 and `direction` has 1: each objective needs one of each
       ╭─[ladder.toml:4:13]
     3 │ metric = ["accuracy", "ms"]
     4 │ direction = "maximize"
       ·             ─────┬────
       ·                  ╰── this one
     5 │
       ╰────
      help: give each objective a direction: direction = ["maximize", "minimize"]
    exit code 3

    $ allometry check
    ladder::unknown_word

      × `direction` cannot be `down`
       ╭─[ladder.toml:4:26]
     3 │ metric = ["accuracy", "ms"]
     4 │ direction = ["maximize", "down"]
       ·                          ───┬──
       ·                             ╰── not known
     5 │
       ╰────
      help: it can be `maximize`, `minimize`
    exit code 3

    $ allometry check
    ladder::missing_key

      × the file has no `direction`
       ╭─[ladder.toml:1:1]
     1 │ name = "two"
       · ┬
       · ╰── missing here
     2 │ trials = 9
       ╰────
      help: write, for example, direction = ["maximize", "minimize"]
    exit code 3

    $ allometry check
    ladder::repeated

      × `metric` contains `ms` twice
       ╭─[ladder.toml:3:17]
     2 │ trials = 9
     3 │ metric = ["ms", "ms"]
       ·                 ──┬─
       ·                   ╰── again here
     4 │ direction = ["maximize", "minimize"]
       ╰────
      help: remove one of them
    exit code 3

    $ allometry check
    ladder::needs

      × `pruner` needs a single objective: several objectives do not rank the
      │ trials
        ╭─[ladder.toml:14:1]
     13 │
     14 │ [pruner]
        · ────┬───
        ·     ╰── this one
     15 │ kind = "median"
        ╰────
    exit code 3

    $ allometry check
    ladder::needs

      × `expected_gain` needs a single objective: several objectives do not rank
      │ the trials
        ╭─[ladder.toml:15:17]
     14 │ [stop]
     15 │ expected_gain = 0.1
        ·                 ─┬─
        ·                  ╰── this one
     16 │ [sampler]
        ╰────
    exit code 3
    "#);
}

#[test]
fn objectives_that_the_built_in_model_lacks_are_refused() {
    let of_the_model: Vec<String> =
        ["[\"auc\", \"latency\"]", "[\"log_loss\", \"auc\"]", "[\"auc\", \"r2\"]", "[]"]
            .into_iter()
            .map(|metric| refused(project().path(), &["check", "-S", &format!("metric={metric}")]))
            .collect();
    insta::assert_snapshot!(of_the_model.join("\n"), @r#"
    $ allometry check -S 'metric=["auc", "latency"]'
    ladder::unknown_metric

      × `metric` cannot be `latency`: trials do not report it
       ╭─[--set:1:16]
     1 │ metric=["auc", "latency"]
       ·                ────┬────
       ·                    ╰── not known
       ╰────
      help: models of this task have `auc`, `average_precision`, `f1_at_half`,
            `f1_at_prior`, `brier`, `log_loss`, `validation_loss`, `train_loss`,
            `seconds`, `weights`, `non_embedding_weights`
    exit code 3

    $ allometry check -S 'metric=["log_loss", "auc"]'
    ladder::unknown_metric

      × the first objective must be `auc`, not `log_loss`
       ╭─[--set:1:9]
     1 │ metric=["log_loss", "auc"]
       ·         ─────┬────
       ·              ╰── this one
       ╰────
      help: name `auc` first: early stopping, baselines and the verdict use it
    exit code 3

    $ allometry check -S 'metric=["auc", "r2"]'
    ladder::unknown_metric

      × `metric` cannot be `r2`: trials do not report it
       ╭─[--set:1:16]
     1 │ metric=["auc", "r2"]
       ·                ──┬─
       ·                  ╰── not known
       ╰────
      help: models of this task have `auc`, `average_precision`, `f1_at_half`,
            `f1_at_prior`, `brier`, `log_loss`, `validation_loss`, `train_loss`,
            `seconds`, `weights`, `non_embedding_weights`
    exit code 3

    $ allometry check -S metric=[]
    ladder::empty

      × `metric` is empty
       ╭─[--set:1:8]
     1 │ metric=[]
       ·        ─┬
       ·         ╰── this one
       ╰────
    exit code 3
    "#);
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
        let (code, _, err) = on("tell", &[&number.to_string(), &x.to_string(), &(x * (2.0 - x)).to_string()]);
        assert_eq!(code, 0, "{err}");
    }
    assert_eq!(on("ask", &ask).0, 0);
    let calls = [
        &["tell", "--in", "x.db", "14", "0.5"][..],
        &["tell", "--in", "x.db", "14", "1", "2", "3"],
        &["tell", "--in", "x.db", "14", "1", "nan"],
        &["tell", "--in", "x.db", "14", "0.5", "--step", "1"],
        &["tell", "--in", "x.db", "14", "0.5", "1", "--step", "1"],
    ];
    insta::assert_snapshot!(all_refused(path, &calls), @"
    $ allometry tell --in x.db 14 0.5
    error: trial 14 needs 2 values, one for each objective of its study, not 1
    hint: tell one value for each objective, in their order
    exit code 2

    $ allometry tell --in x.db 14 1 2 3
    error: trial 14 needs 2 values, one for each objective of its study, not 3
    hint: tell one value for each objective, in their order
    exit code 2

    $ allometry tell --in x.db 14 1 nan
    error: trial 14 cannot have the value NaN: a value is a finite number
    hint: tell a trial without a value as --state failed
    exit code 2

    $ allometry tell --in x.db 14 0.5 --step 1
    error: a step has one value, but the study has 2 objectives
    hint: trials with several objectives are not pruned, so that intermediate values have no use
    exit code 2

    $ allometry tell --in x.db 14 0.5 1 --step 1
    error: a step has one value, not 2
    exit code 2
    ");
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
    let report = |line: &str| format!("echo '{line}' >> $ALLOMETRY_REPORT\n");
    let script = format!(
        "printf '{{\"metrics\": {{\"ms\": %s}}}}\\n' $1 >> $ALLOMETRY_REPORT\n{}\
         printf '{{\"final\": true, \"value\": %s}}\\n' $1 >> $ALLOMETRY_REPORT\n",
        report(r#"{"constraints": [-7]}"#)
    );
    let folder = scripted::folder(&LIMITED.ladder(), &script);
    let path = folder.path();
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
    let report: Value =
        serde_json::from_str(&std::fs::read_to_string(path.join("report.json")).unwrap()).unwrap();
    let findings = report["findings"].as_array().unwrap();
    let infeasible = findings.iter().find(|finding| finding["code"] == "infeasible-trials").unwrap();
    insta::assert_snapshot!(
        folded(infeasible["message"].as_str().unwrap()),
        @"a: 3 of 9 complete trials break a constraint (33%), and statistics exclude them: ms <= 2 (3 trials)"
    );
    let text = std::fs::read_to_string(path.join("ladder.toml")).unwrap();
    std::fs::write(path.join("ladder.toml"), text.replace("ms <= 2", "ms <= 1")).unwrap();
    insta::assert_snapshot!(refused(path, &["run", "--quiet"]), @r"
    $ allometry run --quiet
    error: the search space of study `two/a` has changed:
      limits: were ms <= 2, are ms <= 1
    hint: undo the change, give the ladder another `name` or `[storage] url`, or continue with the \
    trials that fit by --allow-space-change
    exit code 3
    ");
}

/// Constraints reported before a trial was pruned are kept, because Optuna's samplers use them too.
#[test]
fn constraints_of_pruned_trials_are_kept() {
    let ladder = Scripted {
        sampler: "random",
        sections: "[pruner]\nkind = \"threshold\"\nlower = 100.0\ncomplete_share = 0.0\n",
        ..LIMITED
    };
    let script = "printf '%s\\n' '{\"metrics\": {\"ms\": 5}}' '{\"constraints\": [-7]}' \
                  '{\"step\": 1, \"value\": 0.5}' >> $ALLOMETRY_REPORT\n\
                  while [ ! -e $ALLOMETRY_REPORT.stop ]; do sleep 0.02; done\n";
    let folder = scripted::folder(&ladder.ladder(), script);
    let path = folder.path();
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
