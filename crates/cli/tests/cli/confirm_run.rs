//! Tests of `[confirm]` in the ladder file, with which `allometry run` ends with a confirmation.
#![cfg(unix)]

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use allometry_core::TrialState;
use serde_json::Value;

use crate::support::shared::wait_for;
use crate::support::{LADDER, allometry, project, run};

const SCRIPTED: &str = r#"
name = "script"
trials = 3
metric = "accuracy"

[command]
run = ["sh", "train.sh", "{width}"]
grace = "100ms"
test_part = true

[confirm]
top = 1
seeds = 2

[space]
width = [1, 2, 3]

[sampler]
kind = "grid"

[[budget]]
label = "a"
weights = "any"

[[budget]]
label = "b"
weights = "any"
"#;

/// The program of the ladder. For the test rows it adds a line to `tests` and waits while a file `wait`
/// exists.
const SCRIPT: &str = r#"
value=$1
if [ "$ALLOMETRY_PART" = test ]; then
    echo begun >> tests
    while [ -e wait ]; do sleep 0.02; done
    echo "{\"metrics\": {\"validation\": $1}}" >> "$ALLOMETRY_REPORT"
    value=$((10 - $1))
fi
echo "{\"final\": true, \"value\": $value}" >> "$ALLOMETRY_REPORT"
"#;

fn scripted(ladder: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ladder.toml"), ladder).unwrap();
    std::fs::write(folder.path().join("train.sh"), SCRIPT).unwrap();
    folder
}

fn report(folder: &Path) -> Value {
    let text = std::fs::read_to_string(folder.join("report/report.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Returns the numbers of planned and complete trainings in the report's confirmation.
fn confirmed(folder: &Path) -> [u64; 2] {
    let document = report(folder);
    let found = &document["confirmation"];
    ["planned", "complete"].map(|key| found[key].as_u64().unwrap_or(0))
}

/// Returns how often the program was started for the test rows.
fn tests(folder: &Path) -> usize {
    std::fs::read_to_string(folder.join("tests")).unwrap_or_default().lines().count()
}

/// Runs a command that must exit with `code` and returns its error on one line.
fn error(folder: &Path, arguments: &[&str], code: i32) -> String {
    let (actual, _, err) = run(folder, arguments);
    assert_eq!(actual, code, "{arguments:?}\n{err}");
    err.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ")
}

#[test]
fn a_run_of_the_built_in_model_ends_with_its_confirmation() {
    let folder = project();
    let folder = folder.path();
    let asks = LADDER.replace("[space]\n", "[confirm]\nseeds = 2\n\n[space]\n");
    std::fs::write(folder.join("ladder.toml"), asks).unwrap();
    let (code, _, err) = run(folder, &["run"]);
    assert_eq!(code, 0, "{err}");
    assert!(
        err.contains("confirmation on the test rows: the best configuration of each budget, under 2 seeds"),
        "{err}"
    );
    assert_eq!(confirmed(folder), [4, 4]);
    let document = report(folder);
    assert_eq!(
        document["confirmation"]["budgets"][0]["configurations"][0]["test"]["method"],
        "seeds_and_rows"
    );
    assert_eq!(run(folder, &["run", "--quiet"]).0, 0);
    assert_eq!(report(folder), document, "nothing is trained twice");
    // The command line overrides the ladder file.
    assert_eq!(run(folder, &["confirm", "--top", "2", "--quiet"]).0, 0);
    assert_eq!(confirmed(folder), [8, 8]);
}

#[test]
fn it_is_made_once_and_goes_on_where_it_was_stopped() {
    let folder = scripted(SCRIPTED);
    let folder = folder.path();
    std::fs::write(folder.join("wait"), "").unwrap();
    let mut child =
        allometry(folder).args(["run"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_for("the confirmation", || tests(folder) > 0);
    let asked = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(asked.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(report(folder).get("confirmation").is_none(), "the report of what there is is written");

    std::fs::remove_file(folder.join("wait")).unwrap();
    let before = tests(folder);
    let (code, _, err) = run(folder, &["run"]);
    assert_eq!(code, 0, "{err}");
    assert_eq!((confirmed(folder), tests(folder)), ([4, 4], before + 4));
    // Two more seeds are four more trainings.
    assert_eq!(run(folder, &["run", "--quiet", "-S", "confirm.seeds=4"]).0, 0);
    assert_eq!((confirmed(folder), tests(folder)), ([8, 8], before + 8));
    assert_eq!(run(folder, &["run", "--quiet", "-S", "confirm.seeds=4"]).0, 0);
    assert_eq!(tests(folder), before + 8);
}

#[test]
fn it_waits_for_every_budget_and_is_no_work_of_workers() {
    let folder = scripted(SCRIPTED);
    let folder = folder.path();
    let (code, _, err) = run(folder, &["run", "--budget", "a"]);
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("no confirmation yet: budget `b` was left out"), "{err}");
    let (code, _, err) = run(folder, &["run", "--until", "0s"]);
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("no confirmation yet: the time limit ended the search of budget `b`"), "{err}");
    let (code, _, err) = run(folder, &["worker", "--storage", "trials.db"]);
    assert_eq!(code, 0, "{err}");
    assert_eq!((tests(folder), confirmed(folder)), (0, [0, 0]));
    let url = allometry_store::url::of_sqlite(&folder.join("trials.db"));
    let store = allometry_store::open_read_only(&url).unwrap();
    let names: Vec<String> = store.studies().unwrap().into_iter().map(|study| study.name).collect();
    assert_eq!(names, ["script/a", "script/b"]);
    let (code, _, err) = run(folder, &["run"]);
    assert_eq!(code, 0, "{err}");
    assert_eq!((tests(folder), confirmed(folder)), (4, [4, 4]));
}

#[test]
fn runs_beside_each_other_share_one_confirmation() {
    let folder = scripted(SCRIPTED);
    let folder = folder.path();
    std::fs::write(folder.join("wait"), "").unwrap();
    let start =
        || allometry(folder).args(["run"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let mut first = start();
    wait_for("the first trial", || folder.join("trials.db").exists());
    let mut second = start();
    wait_for("two trainings", || tests(folder) >= 2);
    std::thread::sleep(Duration::from_millis(300));
    std::fs::remove_file(folder.join("wait")).unwrap();
    assert!(first.wait().unwrap().success() && second.wait().unwrap().success());
    assert_eq!((tests(folder), confirmed(folder)), (4, [4, 4]));
    let url = allometry_store::url::of_sqlite(&folder.join("trials.db"));
    let store = allometry_store::open_read_only(&url).unwrap();
    let study = store.study("script/a/confirm").unwrap().unwrap();
    let trials = store.trials(study.id).unwrap();
    assert!(
        trials.len() == 2 && trials.iter().all(|trial| trial.state == TrialState::Complete),
        "{trials:?}"
    );
}

#[test]
fn without_test_rows_the_search_is_not_begun() {
    let folder = scripted(&SCRIPTED.replace("test_part = true\n", ""));
    let folder = folder.path();
    for command in ["check", "run"] {
        let text = error(folder, &[command], 3);
        assert!(text.contains("`confirm` needs `test_part = true` in [command]"), "{text}");
        assert!(text.contains("ladder.toml:"), "it has its place: {text}");
    }
    assert!(!folder.join("trials.db").exists());

    let folder = project();
    let folder = folder.path();
    let table = std::fs::read_to_string(folder.join("data.csv")).unwrap();
    let last = table.lines().count() - 60;
    let lines = table.lines().enumerate().map(|(number, line)| {
        let (before, _) = line.rsplit_once(',').unwrap();
        if number > last { format!("{before},0\n") } else { format!("{line}\n") }
    });
    std::fs::write(folder.join("data.csv"), lines.collect::<String>()).unwrap();
    for command in ["check", "run"] {
        let text = error(folder, &[command, "-S", "confirm={}"], 3);
        assert!(text.contains("windows of the test part are labelled 0"), "{text}");
    }
    assert!(!folder.join("trials.db").exists());
    assert_eq!(run(folder, &["check"]).0, 0, "a ladder that asks for none needs none");
    let text = error(folder, &["run", "-S", "confirm={}", "-S", "data.split.validation=0.3"], 3);
    assert!(text.contains("leaves no test rows"), "{text}");
}

#[test]
fn what_makes_no_sense_is_refused_with_its_place() {
    let folder = scripted(SCRIPTED);
    let folder = folder.path();
    for (setting, words) in [
        ("confirm.top=0", "`top` is 0, but must be from 1 to 1000"),
        ("confirm.seeds=1001", "`seeds` is 1001, but must be from 1 to 1000"),
        ("confirm.seeds=\"many\"", "`seeds` must be a whole number"),
        ("confirm.rows=3", "unknown key `rows` in [confirm]"),
        ("confirm=true", "`confirm` must be a table"),
    ] {
        let text = error(folder, &["run", "-S", setting], 3);
        assert!(text.contains(words), "{setting}: {text}");
    }
    assert!(error(folder, &["confirm", "--top", "0"], 2).contains("--top"));
    assert!(error(folder, &["confirm", "--seeds", "1001"], 2).contains("--seeds"));
}

#[test]
fn check_tells_what_it_costs() {
    let folder = project();
    let folder = folder.path();
    let (code, out, err) = run(folder, &["check"]);
    assert_eq!(code, 0, "{err}");
    for words in [
        "the ladder asks for no confirmation on the test rows: \
         the best configuration of each budget, under 5 seeds",
        "it would cost 10 trainings, at most about",
        "the search has 8 trials, at most about",
        "the sampler `gp` learns from its trials, so only a confirmation decides between budgets",
        "[confirm] with top = 1 and seeds = 5 asks for it",
    ] {
        assert!(out.contains(words), "`{words}` is missing from:\n{out}");
    }
    let (_, out, _) = run(folder, &["check", "-S", "confirm.top=2", "-S", "confirm.seeds=3"]);
    for words in [
        "\nconfirmation on the test rows: the best 2 configurations of each budget, under 3 seeds\n",
        "  12 trainings, at most about",
    ] {
        assert!(out.contains(words), "`{words}` is missing from:\n{out}");
    }
    let none =
        scripted(&SCRIPTED.replace("[confirm]\ntop = 1\nseeds = 2\n", "").replace("test_part = true\n", ""));
    let (code, out, err) = run(none.path(), &["check"]);
    assert_eq!(code, 0, "{err}");
    for words in [
        "it would cost 10 trainings; the search has 6 trials\n",
        "the best of many trials is partly luck",
        "with `test_part = true` in [command] once the command can score test rows",
    ] {
        assert!(out.contains(words), "`{words}` is missing from:\n{out}");
    }
    // A budget has at most as many configurations as its space: three.
    let (_, out, _) = run(none.path(), &["check", "-S", "command.test_part=true", "-S", "confirm.top=9"]);
    assert!(out.contains("  30 trainings; the search has 6 trials\n"), "{out}");
}
