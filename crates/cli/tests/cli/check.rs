//! `allometry check`: its document, and the trial of `--try`.
#![cfg(unix)]

use std::path::Path;

use allometry_report::number::grouped;
use regex::Regex;
use serde_json::{Value, json};

use crate::support::scripted::{self, Scripted};
use crate::support::{project, refused, run, shown};

/// A program that reports everything that a trial can have.
const SCRIPT: &str = r#"
echo "trained with $1"
cat >> "$ALLOMETRY_REPORT" <<END
{"step": 1, "value": 0.4, "metrics": {"loss": 0.9}}
{"step": 2, "value": 0.5}
{"metrics": {"recall": 0.25}}
{"constraints": {"memory": -0.5}}
{"scores": [0.2, 0.9, 0.4], "labels": [0, 1, 0]}
{"final": true, "value": 0.5, "weights": 640, "best_step": 2}
END
"#;

/// Replaces the times and the seed of a trial, which differ between runs.
fn steady(folder: &Path, text: &str) -> String {
    let times = Regex::new(r"\d{4}-\d\d-\d\dT[0-9:.]+Z").unwrap();
    let took = Regex::new(r" in \d+\.\d s").unwrap();
    let seed = Regex::new(r"seed( +)\d+").unwrap();
    let text = times.replace_all(text, "TIME");
    let text = took.replace_all(&text, " in N s");
    shown(folder, &seed.replace_all(&text, "seed${1}SEED"))
}

/// Returns the names of the files in a folder.
fn files(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_tried_trial_is_shown_and_not_stored() {
    let folder = scripted::folder(&Scripted::DEFAULT.ladder(), SCRIPT);
    let folder = folder.path();
    let (code, text, err) = run(folder, &["check", "--try"]);
    assert_eq!((code, err.as_str()), (0, ""), "{text}");
    insta::assert_snapshot!(steady(folder, &text), @r#"
    trials are evaluated by the ladder's command

    a (any number of weights; the label is only a name)
      1 of 1 architecture
      3 distinct configurations
               ? weights

    b (any number of weights; the label is only a name)
      1 of 1 architecture
      3 distinct configurations
               ? weights

    the ladder does not ask for a confirmation on the test rows, which trains the best configuration of \
    each budget with 5 seeds
      it would take 10 trainings; the search has 6 trials
      the best of many trials is partly luck: [confirm] with top = 1 and seeds = 5 asks for it, with \
    `test_part = true` in [command] once the command can score test rows

    a trial in the middle of the space of a in N s, with predictions of 3 rows; `run` would store:
    script/a, trial 0: complete 0.5000
      width             2
      constraint memory -0.5000 (met)
      weights           640
      seed              SEED
      started           TIME
      ended             TIME
      best epoch        2
      recall            0.2500
      epoch 1           0.4000
      epoch 2           0.5000
    trained with 2
    "#);
    assert_eq!(files(folder), ["ladder.toml", "train.sh"]);

    let (code, text, err) = run(folder, &["check", "--try", "--budget", "b", "--json"]);
    assert_eq!(code, 0, "{err}");
    let tried = &serde_json::from_str::<Value>(&text).unwrap()["try"];
    assert_eq!((&tried["budget"], &tried["predictions"]), (&json!("b"), &json!(3)));
    assert_eq!((&tried["trial"]["value"], &tried["trial"]["params"]), (&json!(0.5), &json!({"width": 2})));
    assert_eq!(files(folder), ["ladder.toml", "train.sh"]);
}

#[test]
fn a_tried_trial_that_fails_says_why() {
    let folder = scripted::folder(&Scripted::DEFAULT.ladder(), "echo 'no module named x' >&2; exit 3\n");
    let folder = folder.path();
    let (code, text, err) = run(folder, &["check", "--try"]);
    assert_eq!(code, 6);
    insta::assert_snapshot!(steady(folder, &format!("{text}{err}")), @r#"
    trials are evaluated by the ladder's command

    a (any number of weights; the label is only a name)
      1 of 1 architecture
      3 distinct configurations
               ? weights

    b (any number of weights; the label is only a name)
      1 of 1 architecture
      3 distinct configurations
               ? weights

    the ladder does not ask for a confirmation on the test rows, which trains the best configuration of \
    each budget with 5 seeds
      it would take 10 trainings; the search has 6 trials
      the best of many trials is partly luck: [confirm] with top = 1 and seeds = 5 asks for it, with \
    `test_part = true` in [command] once the command can score test rows

    a trial in the middle of the space of a in N s, without predictions; `run` would store:
    script/a, trial 0: failed: exit code 3: no module named x
      width        2
      seed         SEED
      started      TIME
      ended        TIME
    no module named x
    error: the trial failed: exit code 3
    hint: nothing was stored; the same command tries again
    "#);
    assert_eq!(files(folder), ["ladder.toml", "train.sh"]);
}

#[test]
fn a_trial_is_tried_for_a_known_budget_only() {
    let folder = scripted::folder(&Scripted::DEFAULT.ladder(), SCRIPT);
    let calls: [&[&str]; 2] = [&["check", "--try", "--budget", "c"], &["check", "--budget", "a"]];
    let calls = calls.map(|arguments| refused(folder.path(), arguments)).join("\n");
    insta::assert_snapshot!(calls, @"
    $ allometry check --try --budget c
    error: the ladder has no budget `c`
    hint: it has a, b
    exit code 2

    $ allometry check --budget a
    error: the following required arguments were not provided:
      --try

    Usage: allometry check --try --budget <LABEL> [LADDER]

    For more information, try '--help'.
    exit code 2
    ");
}

#[test]
fn the_built_in_model_is_tried_too() {
    let folder = project();
    let folder = folder.path();
    let (code, text, err) = run(folder, &["check", "--try", "--json"]);
    assert_eq!(code, 0, "{err}");
    let document: Value = serde_json::from_str(&text).unwrap();
    let trial = &document["try"]["trial"];
    assert_eq!((&trial["state"], &trial["params"]["d_model"]), (&json!("complete"), &json!(6)), "{trial}");
    assert_eq!(trial["intermediate"].as_array().map(Vec::len), Some(2));
    assert_eq!(document["try"]["predictions"], document["table"]["parts"][1]["windows"]);
    assert_eq!(files(folder), ["data.csv", "ladder.toml"]);
}

/// The document has what the text says.
#[test]
fn the_document_has_the_figures_of_the_text() {
    let folder = project();
    let folder = folder.path();
    let (code, text, err) = run(folder, &["check"]);
    assert_eq!(code, 0, "{err}");
    let (code, json, err) = run(folder, &["check", "--json"]);
    assert_eq!(code, 0, "{err}");
    let document: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(document["schema"], "allometry.check/1");
    let table = &document["table"];
    let lines = [
        format!(
            "{}: {} rows, {} features",
            table["path"].as_str().unwrap(),
            table["rows"],
            table["features"]
        ),
        format!("training   {:>7} windows", table["parts"][0]["windows"].as_u64().unwrap()),
    ];
    for line in lines {
        assert!(text.contains(&line), "{line}: {text}");
    }
    for budget in document["budgets"].as_array().unwrap() {
        let count = |value: &serde_json::Value| grouped(value.as_u64().unwrap());
        let line = format!(
            "  {} of {} architectures, {} to {} weights",
            count(&budget["feasible"]),
            count(&budget["considered"]),
            count(&budget["weights"][0]),
            count(&budget["weights"][1])
        );
        assert!(text.contains(&line), "{line}: {text}");
        let listed = budget["architectures"].as_array().unwrap();
        assert_eq!(listed.len() as u64 + budget["unlisted"].as_u64().unwrap(), budget["feasible"]);
        for architecture in listed {
            assert!(text.contains(&format!("{:>10} weights", count(&architecture["weights"]))));
        }
        assert!(budget["time"]["seconds"].as_f64().unwrap() > 0.0, "{budget}");
    }
    let (code, all, _) = run(folder, &["check", "--json", "--all"]);
    let all: Value = serde_json::from_str(&all).unwrap();
    assert_eq!((code, &all["budgets"][0]["unlisted"]), (0, &json!(0)));
}

/// The power of the rows is the same in the text and in the document, and grows with the effect.
#[test]
fn the_power_of_the_rows_is_known_before_a_trial() {
    let folder = project();
    let folder = folder.path();
    let (code, text, err) = run(folder, &["check", "--power", "0.05"]);
    assert_eq!(code, 0, "{err}");
    let (_, part) = text.split_once("\npower of").unwrap();
    insta::assert_snapshot!(part, @"
    two models compared on the same rows
     the 60 validation rows show a true difference of 0.05 AUC in 35% of cases; about 190 rows would in 80%
     the 52 test rows show a true difference of 0.05 AUC in 32% of cases; about 190 rows would in 80%
     (AUCs near 0.75 whose errors correlate by 0.9, 95% level, independent rows;
     seeds and searches add to the error)
    ");
    let power = |effect: &str, part: usize| {
        let (code, json, err) = run(folder, &["check", "--power", effect, "--json"]);
        assert_eq!(code, 0, "{err}");
        let document: Value = serde_json::from_str(&json).unwrap();
        document["power"][part]["power"].as_f64().unwrap()
    };
    assert!(power("0.01", 0) < power("0.05", 0) && power("0.05", 0) < power("0.2", 0));
    insta::assert_snapshot!(refused(folder, &["check", "--power", "0.7"]), @"
    $ allometry check --power 0.7
    error: --power takes a difference of two AUCs between 0 and 0.5
    hint: for example --power 0.01
    exit code 2
    ");
    let scripted = scripted::folder(&Scripted::DEFAULT.ladder(), SCRIPT);
    insta::assert_snapshot!(refused(scripted.path(), &["check", "--power", "0.01"]), @"
    $ allometry check --power 0.01
    error: --power needs the rows of the built-in model, but the ladder runs a command
    hint: after some trials `allometry report` says how many rows are needed
    exit code 2
    ");
}

/// Suggested budgets can be checked as they are printed.
#[test]
fn suggested_budgets_are_reached() {
    let folder = project();
    let folder = folder.path();
    let ladder = std::fs::read_to_string(folder.join("ladder.toml")).unwrap();
    let (head, _) = ladder.split_once("[[budget]]").unwrap();
    let head = head.replace("[space]", "[space]\nd_model = [4, 6, 8, 12, 16, 24, 32]");
    let budget = "[[budget]]\nlabel = \"any\"\nweights = \"any\"\n";
    std::fs::write(folder.join("ladder.toml"), format!("{head}{budget}")).unwrap();
    let (code, text, err) = run(folder, &["check", "--suggest-budgets", "4"]);
    assert_eq!(code, 0, "{err}");
    insta::assert_snapshot!(text, @r#"
    # 4 budgets over 1.8 decades of weights

    [[budget]]
    label = "260"
    weights = 260    # 2 architectures

    [[budget]]
    label = "1k"
    weights = 1_000    # 2 architectures

    [[budget]]
    label = "4k"
    weights = 4_000    # 2 architectures

    [[budget]]
    label = "16k"
    weights = 16_000    # 2 architectures

    # A forecast of the next size needs 5 budgets over 1.5 decades.
    "#);
    std::fs::write(folder.join("ladder.toml"), format!("{head}{text}")).unwrap();
    let (code, checked, err) = run(folder, &["check"]);
    assert_eq!(code, 0, "{checked}{err}");

    // Budgets with lists of their own: all sizes need all values.
    let own = format!(
        "{}[[budget]]\nlabel = \"a\"\nweights = \"any\"\n[budget.space]\nd_model = [4, 6, 8]\n\n\
         [[budget]]\nlabel = \"b\"\nweights = \"any\"\n[budget.space]\nd_model = [8, 12, 16, 24, 32]\n",
        head.replace("\nd_model = [4, 6, 8, 12, 16, 24, 32]", "")
    );
    std::fs::write(folder.join("own.toml"), own).unwrap();
    let (code, text, err) = run(folder, &["check", "own.toml", "--suggest-budgets", "3"]);
    assert_eq!(code, 0, "{err}");
    insta::assert_snapshot!(text, @r#"
    # 3 budgets over 1.8 decades of weights

    [[budget]]
    label = "260"
    weights = 260    # 2 architectures

    [[budget]]
    label = "2k"
    weights = 2_000    # 2 architectures

    [[budget]]
    label = "16k"
    weights = 16_000    # 2 architectures

    # In [space], in place of the budgets' own lists:
    # d_model = [4, 6, 8, 12, 16, 24, 32]

    # A forecast of the next size needs 5 budgets over 1.5 decades.
    "#);
    let (budgets, lists) = text.split_once("# In [space], in place of the budgets' own lists:\n# ").unwrap();
    let list = lists.lines().next().unwrap();
    let whole = head.replace("d_model = [4, 6, 8, 12, 16, 24, 32]", list);
    std::fs::write(folder.join("own.toml"), format!("{whole}{budgets}")).unwrap();
    let (code, checked, err) = run(folder, &["check", "own.toml"]);
    assert_eq!(code, 0, "{checked}{err}");
    insta::assert_snapshot!(refused(folder, &["check", "--suggest-budgets", "40"]), @"
    $ allometry check --suggest-budgets 40
    error: the space reaches from 233 to 17.6k weights, which has room for 9 budgets, not 40
    hint: more values of d_model, n_layers and d_ff_ratio reach further
    exit code 2
    ");
    insta::assert_snapshot!(refused(folder, &["check", "--suggest-budgets", "1"]), @"
    $ allometry check --suggest-budgets 1
    error: --suggest-budgets takes at least 2 budgets
    hint: a ladder compares sizes
    exit code 2
    ");
}
