//! Tests of `[confirm]` in the ladder file, with which `allometry run` ends with a confirmation.
#![cfg(unix)]

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use allometry_core::TrialState;

use crate::support::scripted::{self, Scripted};
use crate::support::shared::wait_for;
use crate::support::{
    LADDER, all_refused, allometry, project, project_with_one_class_of_test_rows, report, run, shown,
};

/// A ladder that asks for a confirmation, for [`SCRIPT`].
const CONFIRMED: Scripted = Scripted {
    command: "grace = \"100ms\"\ntest_part = true",
    sections: "[confirm]\ntop = 1\nseeds = 2\n",
    ..Scripted::DEFAULT
};

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

fn scripted(ladder: &Scripted) -> tempfile::TempDir {
    scripted::folder(&ladder.ladder(), SCRIPT)
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

#[test]
fn a_run_of_the_built_in_model_ends_with_its_confirmation() {
    let folder = project();
    let folder = folder.path();
    let asks = LADDER.replace("[space]\n", "[confirm]\nseeds = 2\n\n[space]\n");
    std::fs::write(folder.join("ladder.toml"), asks).unwrap();
    let (code, _, err) = run(folder, &["run"]);
    assert_eq!(code, 0, "{err}");
    assert!(
        err.contains("confirmation on the test rows: the best configuration of each budget with 2 seeds"),
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
    let folder = scripted(&CONFIRMED);
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
    let folder = scripted(&CONFIRMED);
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
    let folder = scripted(&CONFIRMED);
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
    let folder = scripted(&Scripted { command: "", ..CONFIRMED });
    let folder = folder.path();
    insta::assert_snapshot!(all_refused(folder, &[&["check"], &["run"]]), @"
    $ allometry check
    ladder::needs

      × `confirm` needs `test_part = true` in [command], which says that the
      │ program can score its test rows
        ╭─[ladder.toml:23:1]
     22 │
     23 │ [confirm]
        · ────┬────
        ·     ╰── this one
     24 │ top = 1
        ╰────
    exit code 3

    $ allometry run
    ladder::needs

      × `confirm` needs `test_part = true` in [command], which says that the
      │ program can score its test rows
        ╭─[ladder.toml:23:1]
     22 │
     23 │ [confirm]
        · ────┬────
        ·     ╰── this one
     24 │ top = 1
        ╰────
    exit code 3
    ");
    assert!(!folder.join("trials.db").exists());

    let folder = project_with_one_class_of_test_rows();
    let folder = folder.path();
    let refused = [
        &["check", "-S", "confirm={}"][..],
        &["run", "-S", "confirm={}"],
        &["run", "-S", "confirm={}", "-S", "data.split.validation=0.3"],
    ];
    insta::assert_snapshot!(all_refused(folder, &refused), @r#"
    $ allometry check -S confirm={}
    error: data.csv: all 52 windows of the test part have the label 0 in column `label`
    hint: more rows, another split, or another threshold of the label
    exit code 3

    $ allometry run -S confirm={}
    error: data.csv: all 52 windows of the test part have the label 0 in column `label`
    hint: more rows, another split, or another threshold of the label
    exit code 3

    $ allometry run -S confirm={} -S data.split.validation=0.3
    ladder::no_test_rows

      × the training and validation shares add up to 1.0, which leaves no test
      │ rows
       ╭─[--set:1:1]
     1 │ data.split.validation=0.3
       · ──────────┬──────────
       ·           ╰── this one
       ╰────
      help: the test rows are the remaining share: leave about 0.15
    exit code 3
    "#);
    assert!(!folder.join("trials.db").exists());
    assert_eq!(run(folder, &["check"]).0, 0, "a ladder that asks for none needs none");
}

#[test]
fn what_makes_no_sense_is_refused_with_its_place() {
    let folder = scripted(&CONFIRMED);
    let folder = folder.path();
    let refused = [
        &["run", "-S", "confirm.top=0"][..],
        &["run", "-S", "confirm.seeds=1001"],
        &["run", "-S", "confirm.seeds=\"many\""],
        &["run", "-S", "confirm.rows=3"],
        &["run", "-S", "confirm=true"],
        &["confirm", "--top", "0"],
        &["confirm", "--seeds", "1001"],
    ];
    insta::assert_snapshot!(all_refused(folder, &refused), @r#"
    $ allometry run -S confirm.top=0
    ladder::out_of_range

      × `top` is 0, but must be from 1 to 1000
       ╭─[--set:1:13]
     1 │ confirm.top=0
       ·             ┬
       ·             ╰── from 1 to 1000
       ╰────
    exit code 3

    $ allometry run -S confirm.seeds=1001
    ladder::out_of_range

      × `seeds` is 1001, but must be from 1 to 1000
       ╭─[--set:1:15]
     1 │ confirm.seeds=1001
       ·               ──┬─
       ·                 ╰── from 1 to 1000
       ╰────
    exit code 3

    $ allometry run -S 'confirm.seeds="many"'
    ladder::wrong_type

      × `seeds` must be a whole number, not text
       ╭─[--set:1:15]
     1 │ confirm.seeds="many"
       ·               ───┬──
       ·                  ╰── a whole number
       ╰────
    exit code 3

    $ allometry run -S confirm.rows=3
    ladder::unknown_key

      × unknown key `rows` in [confirm]
       ╭─[--set:1:1]
     1 │ confirm.rows=3
       · ──────┬─────
       ·       ╰── not known
       ╰────
      help: [confirm] has top, seeds
    exit code 3

    $ allometry run -S confirm=true
    ladder::wrong_type

      × `confirm` must be a table, not true or false
       ╭─[--set:1:9]
     1 │ confirm=true
       ·         ──┬─
       ·           ╰── a table
       ╰────
    exit code 3

    $ allometry confirm --top 0
    error: invalid value '0' for '--top <N>': 0 is not in 1..=1000

    For more information, try '--help'.
    exit code 2

    $ allometry confirm --seeds 1001
    error: invalid value '1001' for '--seeds <N>': 1001 is not in 1..=1000

    For more information, try '--help'.
    exit code 2
    "#);
}

#[test]
fn check_tells_what_it_costs() {
    let folder = project();
    let folder = folder.path();
    // The last paragraph of the output is about the confirmation.
    let told = |folder: &Path, arguments: &[&str]| {
        let (code, out, err) = run(folder, &[&["check"], arguments].concat());
        assert_eq!(code, 0, "{err}");
        shown(folder, out.rsplit("\n\n").next().unwrap())
    };
    insta::assert_snapshot!(told(folder, &[]), @r#"
    the ladder does not ask for a confirmation on the test rows, which trains the best configuration of \
    each budget with 5 seeds
      it would take 10 trainings, at most about TIME with N workers; the search has 8 trials, at most \
    about TIME with N workers
      the sampler `gp` learns from its trials, so only a confirmation decides between budgets: \
    [confirm] with top = 1 and seeds = 5 asks for it
    "#);
    insta::assert_snapshot!(told(folder, &["-S", "confirm.top=2", "-S", "confirm.seeds=3"]), @r#"
    the confirmation on the test rows trains the best 2 configurations of each budget with 3 seeds
      it takes 12 trainings, at most about TIME with N workers; the search has 8 trials, at most about \
    TIME with N workers
    "#);
    let none = scripted(&Scripted { command: "", sections: "", ..CONFIRMED });
    insta::assert_snapshot!(told(none.path(), &[]), @r#"
    the ladder does not ask for a confirmation on the test rows, which trains the best configuration of \
    each budget with 5 seeds
      it would take 10 trainings; the search has 6 trials
      the best of many trials is partly luck: [confirm] with top = 1 and seeds = 5 asks for it, with \
    `test_part = true` in [command] once the command can score test rows
    "#);
    // A budget has at most as many configurations as its space: three.
    let all = ["-S", "command.test_part=true", "-S", "confirm.top=9"];
    insta::assert_snapshot!(told(none.path(), &all), @r#"
    the confirmation on the test rows trains the best 9 configurations of each budget with 5 seeds
      it takes 30 trainings; the search has 6 trials
    "#);
}
