//! Tests of `examples/pytorch`, on the CPU and at small sizes.
#![cfg(unix)]

use std::path::Path;
use std::process::{Command, Stdio};

use allometry_core::{FrozenTrial, TrialState};
use allometry_testkit::torch;
use serde_json::{Value, json};

use crate::support::shared::wait_for;
use crate::support::{allometry, printed, report, run, texts};

/// A configuration with 1065 weights.
const SMALL: &str = r#"{"d_model": 8, "n_layers": 1, "n_heads": 2, "d_ff_ratio": 4}"#;

/// Returns a folder with a copy of the example.
fn example() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/pytorch");
    for name in ["train.py", "ladder.toml", "large.toml"] {
        std::fs::copy(source.join(name), folder.path().join(name)).unwrap();
    }
    folder
}

/// Returns the setting with which the ladder's trials run in an interpreter, with further arguments.
fn command(python: &Path, further: &[&str]) -> String {
    let mut words = vec![python.to_str().unwrap(), "train.py"];
    words.extend(further);
    format!("command.run={words:?}")
}

/// Returns the trials of a study of the example.
fn trials(folder: &Path, study: &str) -> Vec<FrozenTrial> {
    let url = allometry_store::url::of_sqlite(&folder.join("trials.db"));
    let Ok(store) = allometry_store::open_read_only(&url) else { return Vec::new() };
    let Ok(Some(study)) = store.study(study) else { return Vec::new() };
    store.trials(study.id).unwrap_or_default()
}

/// Returns the script, to train [`SMALL`] in a folder as a trial of Allometry.
fn script(python: &Path, folder: &Path, arguments: &[&str]) -> Command {
    std::fs::write(folder.join("params.json"), SMALL).unwrap();
    let mut command = Command::new(python);
    command
        .arg("train.py")
        .args(arguments)
        .current_dir(folder)
        .env("ALLOMETRY_PARAMS", "params.json")
        .env("ALLOMETRY_REPORT", "report.jsonl")
        .env("ALLOMETRY_CHECKPOINT_DIR", folder)
        .env("ALLOMETRY_WEIGHTS", "1065");
    command
}

/// Returns the lines that the script reported.
fn lines(folder: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(folder.join("report.jsonl")).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_large_ladder_has_architectures_of_each_size() {
    let folder = example();
    let text = printed(folder.path(), &["check", "large.toml"]);
    let sizes: Vec<&str> = text.lines().filter(|line| line.contains("weights +-")).collect();
    let architectures: Vec<&str> = text.lines().filter(|line| line.contains(" architectures, ")).collect();
    insta::assert_snapshot!([sizes, architectures].concat().join("\n"), @r#"
    20M (20.0M weights +-25%)
    60M (60.0M weights +-25%)
    200M (200M weights +-25%)
      80 of 1,682 architectures, 15,011,585 to 24,851,713 weights
      132 of 1,682 architectures, 45,881,921 to 74,877,505 weights
      238 of 1,682 architectures, 151,179,265 to 249,545,089 weights
    "#);
}

#[test]
fn pytorch_trains_budgets_of_exact_size_and_confirms_them() {
    let Some(python) = torch("pytorch_trains_budgets_of_exact_size_and_confirms_them") else { return };
    let folder = example();
    let folder = folder.path();
    let command = command(&python, &["--epochs", "2"]);
    let (code, _, err) =
        run(folder, &["run", "--quiet", "--trials", "2", "-S", &command, "-S", "confirm.seeds=1"]);
    assert_eq!(code, 0, "{err}");
    for (budget, sizes) in [("2k", 1400..=2600), ("10k", 7000..=13_000)] {
        let trials = trials(folder, &format!("pytorch/{budget}"));
        assert_eq!(trials.len(), 2);
        for trial in trials {
            // The script fails where its network has another size than the ladder file says.
            assert_eq!(trial.state, TrialState::Complete, "{:?}", trial.record.failure);
            assert!(sizes.contains(&trial.record.size.unwrap().total), "{trial:?}");
            assert_eq!(trial.intermediate.len(), 2);
        }
    }
    let document = report(folder);
    assert_eq!(document["confirmation"]["complete"], 2, "{}", document["confirmation"]);
    let confirmed = trials(folder, "pytorch/2k/confirm").remove(0);
    let validation = confirmed.record.metrics["validation"];
    assert_eq!(Some(&validation), confirmed.intermediate.get(&confirmed.record.best_step.unwrap()));
    assert_ne!(Some(validation), confirmed.value(), "the value is that on the test rows");
}

#[test]
fn an_interrupted_trial_of_pytorch_ends_like_an_uninterrupted_one() {
    let Some(python) = torch("an_interrupted_trial_of_pytorch_ends_like_an_uninterrupted_one") else {
        return;
    };
    let command = command(&python, &["--epochs", "6"]);
    let arguments = ["run", "--quiet", "--budget", "2k", "--trials", "1", "-S", &command];
    let [whole, interrupted] = [example(), example()];
    let (code, _, err) = run(whole.path(), &arguments);
    assert_eq!(code, 0, "{err}");
    let folder = interrupted.path();
    let mut child =
        allometry(folder).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_for("the second epoch", || {
        trials(folder, "pytorch/2k").first().is_some_and(|trial| trial.intermediate.len() >= 2)
    });
    let asked = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(asked.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let (code, _, err) = run(folder, &arguments);
    assert_eq!(code, 0, "{err}");
    let (first, second) = (trials(whole.path(), "pytorch/2k").remove(0), trials(folder, "pytorch/2k"));
    assert_eq!((second.len(), second[0].state), (2, TrialState::Failed), "{second:?}");
    let second = &second[1];
    assert_eq!((&second.params, second.record.seed), (&first.params, first.record.seed));
    assert_eq!((&second.values, &second.intermediate), (&first.values, &first.intermediate));
    assert_eq!(second.record.best_step, first.record.best_step);
}

#[test]
fn a_killed_script_in_bf16_continues_behind_its_last_epoch() {
    let Some(python) = torch("a_killed_script_in_bf16_continues_behind_its_last_epoch") else { return };
    let [whole, killed] = [example(), example()];
    let arguments = ["--precision", "bf16", "--epochs", "6"];
    let output = script(&python, whole.path(), &arguments).output().unwrap();
    let (code, out, err) = texts(&output);
    assert_eq!(code, 0, "{err}");
    assert!(out.starts_with("1065 weights on cpu, bf16\n") || out.contains("on cuda, bf16"), "{out}");

    let folder = killed.path();
    let mut child = script(&python, folder, &arguments).stdout(Stdio::null()).spawn().unwrap();
    wait_for("the second epoch", || {
        let report = std::fs::read_to_string(folder.join("report.jsonl")).unwrap_or_default();
        report.lines().count() >= 2
    });
    child.kill().unwrap();
    assert!(!child.wait().unwrap().success(), "it was killed before its end");
    // A trial that is tried again has an empty report.
    std::fs::remove_file(folder.join("report.jsonl")).unwrap();
    let (code, out, err) = texts(&script(&python, folder, &arguments).output().unwrap());
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("resumed after epoch"), "{out}");
    assert_eq!(lines(folder), lines(whole.path()));
}

#[test]
fn a_script_that_is_pruned_ends_without_a_value() {
    let Some(python) = torch("a_script_that_is_pruned_ends_without_a_value") else { return };
    let folder = example();
    std::fs::write(folder.path().join("report.jsonl.stop"), "").unwrap();
    let (code, _, err) = texts(&script(&python, folder.path(), &[]).output().unwrap());
    assert_eq!(code, 0, "{err}");
    let steps: Vec<Value> = lines(folder.path()).into_iter().map(|line| line["step"].clone()).collect();
    assert_eq!(steps, [json!(1)]);
}

#[test]
fn a_compiled_network_trains() {
    let Some(python) = torch("a_compiled_network_trains") else { return };
    if allometry_testkit::program("a_compiled_network_trains", "c++").is_none() {
        return;
    }
    let folder = example();
    let output = script(&python, folder.path(), &["--compile", "--epochs", "1"]).output().unwrap();
    let (code, out, err) = texts(&output);
    assert_eq!(code, 0, "{err}");
    assert!(out.lines().next().is_some_and(|line| line.ends_with(", compiled")), "{out}");
    let last = lines(folder.path()).pop().unwrap();
    assert_eq!((&last["final"], &last["weights"]), (&json!(true), &json!(1065)));
}

#[test]
fn a_network_of_another_size_than_the_formula_gives_fails() {
    let Some(python) = torch("a_network_of_another_size_than_the_formula_gives_fails") else { return };
    let folder = example();
    let output = script(&python, folder.path(), &[]).env("ALLOMETRY_WEIGHTS", "1000").output().unwrap();
    let (code, out, err) = texts(&output);
    assert_eq!((code, out.as_str()), (1, ""));
    insta::assert_snapshot!(
        err,
        @"the network has 1065 weights, but `weights` in the ladder file gives 1000"
    );
}

/// At a size that the tests cannot train, the network is counted without memory for its weights.
#[test]
fn the_formula_of_the_large_ladder_counts_the_network() {
    let Some(python) = torch("the_formula_of_the_large_ladder_counts_the_network") else { return };
    let folder = example();
    let code = "import torch, train\n\
                with torch.device('meta'):\n    network = train.Network(1024, 16, 16, 4, 0.1)\n\
                print(sum(p.numel() for p in network.parameters()))";
    let output = Command::new(python).args(["-c", code]).current_dir(folder.path()).output().unwrap();
    let counted = texts(&output).1;
    let (code, document, err) = run(folder.path(), &["check", "large.toml", "--json", "--all"]);
    assert_eq!(code, 0, "{err}");
    let document: Value = serde_json::from_str(&document).unwrap();
    let architectures = document["budgets"][2]["architectures"].as_array().unwrap();
    let same = |architecture: &&Value| {
        let params = &architecture["params"];
        [&params["d_model"], &params["n_layers"], &params["n_heads"]] == [1024, 16, 16]
    };
    let found = architectures.iter().find(same).expect("200M has this architecture");
    assert_eq!(found["weights"].to_string(), counted.trim());
}
