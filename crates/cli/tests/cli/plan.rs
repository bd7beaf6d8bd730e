//! Tests of `allometry plan` and of `allometry run --plan verdict`.
#![cfg(unix)]

use std::path::Path;
use std::process::Stdio;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use crate::support::scripted::{self, Scripted};
use crate::support::shared::wait_for;
use crate::support::{all_refused, allometry, report, run, shown};

/// A ladder of two sizes whose program gains `GAIN` by the larger one. The noise of a training follows from
/// its seed and its width, and its value on the test rows differs from that on the validation rows.
fn folder(gain: &str, sections: &str) -> tempfile::TempDir {
    let ladder = Scripted {
        trials: 20,
        settings: "metric = \"score\"",
        command: "test_part = true\ngrace = \"100ms\"",
        space: &[("width", "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]")],
        sampler: "random",
        budgets: &["10k", "100k"],
        sections,
        ..Scripted::DEFAULT
    };
    let script = SCRIPT.replace("GAIN", gain);
    scripted::folder(&ladder.ladder(), &script)
}

const SCRIPT: &str = r#"
part=$ALLOMETRY_PART
[ "$part" = test ] && echo "$ALLOMETRY_BUDGET $1 $ALLOMETRY_SEED" >> tests
while [ -e wait ] && [ "$part" = test ]; do sleep 0.02; done
awk -v width="$1" -v seed="$ALLOMETRY_SEED" -v budget="$ALLOMETRY_BUDGET" -v part="$part" '
function noise(a, b) { x = sin(a * 12.9898 + b * 78.233) * 43758.5453; return x - int(x) }
BEGIN {
    seed = seed % 100003
    size = budget == "100k"
    value = 0.7 + GAIN * size + 0.01 * noise(width, size) + 0.002 * noise(seed, width + size)
    if (part == "test") {
        printf "{\"metrics\": {\"validation\": %.6f}}\n", value + 0.001 * noise(width, seed)
    }
    printf "{\"final\": true, \"value\": %.6f}\n", value
}' >> "$ALLOMETRY_REPORT"
"#;

/// Returns how often the program was started for the test rows.
fn tests(folder: &Path) -> usize {
    std::fs::read_to_string(folder.join("tests")).unwrap_or_default().lines().count()
}

/// Returns what a run says, without its trials, whose order and time depend on the machine.
fn without_trials(folder: &Path, err: &str) -> String {
    let is_trial = |line: &&str| line.contains(": trial ");
    let lines: Vec<&str> = err.lines().filter(|line| !is_trial(line)).collect();
    shown(folder, &lines.join("\n"))
}

/// Returns what `allometry plan` prints, without the time that trials take on this machine.
fn planned(folder: &Path, arguments: &[&str]) -> String {
    static TIME: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"they take [^.]*\.").unwrap());
    let (code, out, err) = run(folder, arguments);
    assert_eq!((code, err.as_str()), (0, ""));
    shown(folder, &TIME.replace_all(&out, "they take TIME."))
}

#[test]
fn a_plan_ends_where_the_verdict_is_decided() {
    let folder = folder("0.05", "");
    let folder = folder.path();
    assert_eq!(run(folder, &["run", "--quiet"]).0, 0);
    insta::assert_snapshot!(planned(folder, &["plan"]), @r"
    The plan has not begun. It tests the verdict at 4 looks, and costs at most as much as 16 trainings \
    of every budget.

    Next: 8 trainings on the test rows, for look 1 of 4. They train the best configuration of each \
    budget under 2 seeds and the 2 configurations after it once. One after another they take TIME.
      10k   4 trainings (best configuration: 2 seeds)
      100k  4 trainings (best configuration: 2 seeds)

    The plan decides with a probability of more than 99%, as far as the searches tell before the first \
    look.

      allometry run --plan verdict
    ");
    let (code, _, err) = run(folder, &["run", "--plan", "verdict", "--no-summary"]);
    assert_eq!(code, 0, "{err}");
    insta::assert_snapshot!(without_trials(folder, &err), @r"
    10k: 20 trials, 20 already done
    100k: 20 trials, 20 already done
    plan for the verdict: 8 trainings on the test rows, for look 1 of 4
    10k: 4 trials
    100k: 4 trials
    Look 1 of 4, after 8 trainings: undecided. Gain of the largest budget over the smallest: +0.0486 \
    (95% interval over all looks -0.0017 to +0.0988).
    plan for the verdict: 8 trainings on the test rows, for look 2 of 4
    10k: 8 trials, 4 already done
    100k: 8 trials, 4 already done
    Look 2 of 4, after 16 trainings: more weights pay. Gain of the largest budget over the smallest: \
    +0.0480 (95% interval over all looks +0.0405 to +0.0554).
    The verdict is decided. The plan has ended.
    report: report/report.md
    ");
    insta::assert_snapshot!(planned(folder, &["plan"]), @r"
    Look 2 of 4, after 16 trainings: more weights pay. Gain of the largest budget over the smallest: \
    +0.0480 (95% interval over all looks +0.0405 to +0.0554).

    The verdict is decided. The plan has ended.

    Why: the error of the gain comes from the configurations found for '100k' (57%) and the \
    configurations found for '10k' (42%). The error over test rows is left out, because no predictions \
    of them are stored.
    ");
    assert_eq!(report(folder)["verdict"]["outcome"], "holds");
    let document: Value = serde_json::from_str(&run(folder, &["plan", "--json"]).1).unwrap();
    assert_eq!(document["schema"], "allometry.plan/1");
    assert_eq!((&document["plan"]["outcome"], &document["command"]), (&"holds".into(), &Value::Null));
    let before = tests(folder);
    assert_eq!(run(folder, &["run", "--plan", "verdict", "--quiet"]).0, 0);
    assert_eq!(tests(folder), before, "a decided plan trains nothing");
}

#[test]
fn a_plan_goes_on_where_it_was_stopped() {
    let folder = folder("0.0", "");
    let folder = folder.path();
    assert_eq!(run(folder, &["run", "--quiet"]).0, 0);
    std::fs::write(folder.join("wait"), "").unwrap();
    let plan = ["run", "--plan", "verdict", "--plan-trainings", "8", "--no-summary"];
    let mut child = allometry(folder).args(plan).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_for("the first trainings", || tests(folder) > 0);
    let asked = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(asked.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    std::fs::remove_file(folder.join("wait")).unwrap();
    insta::assert_snapshot!(planned(folder, &["plan"]), @r"
    Look 1 of 2 waits for trainings.

    Next: 8 trainings on the test rows, for look 1 of 2. They train the best configuration of each \
    budget under 2 seeds and the 2 configurations after it once. One after another they take TIME.
      10k   4 trainings (best configuration: 2 seeds, 4 in all)
      100k  4 trainings (best configuration: 2 seeds, 4 in all)

      allometry run --plan verdict
    ");
    assert_eq!(report(folder)["verdict"]["outcome"], "undecided", "a look that waits concludes nothing");
    // The looks of a plan are fixed when it begins.
    insta::assert_snapshot!(all_refused(folder, &[
        &["plan", "--plan-trainings", "16"],
        &["confirm", "--seeds", "9"],
    ]), @"
    $ allometry plan --plan-trainings 16
    error: --plan-trainings 16: the plan began with 8 trainings of every budget
    hint: its looks are fixed; leave the option out
    exit code 2

    $ allometry confirm --seeds 9
    error: the confirmation of ladder `script` follows a plan, which is at look 1 of 2
    hint: `allometry run --plan verdict` continues it
    exit code 2
    ");
    let (code, _, err) = run(folder, &["run", "--plan", "verdict", "--no-summary"]);
    assert_eq!(code, 0, "{err}");
    insta::assert_snapshot!(without_trials(folder, &err), @r"
    10k: 20 trials, 20 already done
    100k: 20 trials, 20 already done
    plan for the verdict: 8 trainings on the test rows, for look 1 of 2
    10k: 4 trials
    100k: 4 trials
    Look 1 of 2, after 8 trainings: undecided. Gain of the largest budget over the smallest: -0.0014 \
    (95% interval over all looks -0.0181 to +0.0152).
    plan for the verdict: 8 trainings on the test rows, for look 2 of 2
    10k: 8 trials, 4 already done
    100k: 8 trials, 4 already done
    Look 2 of 2, after 16 trainings: undecided. Gain of the largest budget over the smallest: -0.0020 \
    (95% interval over all looks -0.0070 to +0.0029).
    All looks are made, and the verdict stays undecided. The plan has ended.
    report: report/report.md
    ");
    let looks = &report(folder)["confirmation"]["looks"];
    assert_eq!((looks["look"].as_u64(), looks["of"].as_u64()), (Some(2), Some(2)));
}

#[test]
fn what_has_no_plan_says_why() {
    let folder = folder("0.0", "[confirm]\nseeds = 2\n");
    let folder = folder.path();
    insta::assert_snapshot!(all_refused(folder, &[
        &["plan"],
        &["run", "--plan-trainings", "8"],
        &["plan", "--plan-trainings", "3"],
    ]), @r"
    $ allometry plan
    error: there is no file trials.db
    hint: `allometry run` creates it; if it has run, check the path: `sqlite:///x.db` is relative to \
    the working directory
    exit code 4

    $ allometry run --plan-trainings 8
    error: --plan-trainings is for a plan
    hint: add --plan verdict
    exit code 2

    $ allometry plan --plan-trainings 3
    error: invalid value '3' for '--plan-trainings <N>': 3 is not in 4..=10000

    For more information, try '--help'.
    exit code 2
    ");
    assert_eq!(run(folder, &["run", "--quiet", "--budget", "10k"]).0, 0);
    insta::assert_snapshot!(all_refused(folder, &[&["plan"]]), @"
    $ allometry plan
    error: only budget '10k' has complete trials, and a verdict compares two or more
    hint: `allometry run` searches every budget of the ladder
    exit code 4
    ");
    assert_eq!(run(folder, &["run", "--quiet"]).0, 0);
    insta::assert_snapshot!(all_refused(folder, &[&["plan"], &["run", "--plan", "verdict", "--quiet"]]), @"
    $ allometry plan
    error: the ladder was confirmed without a plan, so that its test rows have been looked at
    hint: a plan fixes its looks before the first one; `allometry confirm --seeds N` adds seeds
    exit code 2

    $ allometry run --plan verdict --quiet
    error: the ladder was confirmed without a plan, so that its test rows have been looked at
    hint: a plan fixes its looks before the first one; `allometry confirm --seeds N` adds seeds
    exit code 2
    ");
}

#[test]
fn searches_are_planned_with_commands_that_run() {
    let ladder = Scripted {
        trials: 8,
        settings: "metric = \"score\"",
        space: &[("width", "[1, 2, 3, 4, 5]"), ("depth", "[1, 2, 3, 4, 5]")],
        sampler: "random",
        budgets: &["10k", "100k"],
        ..Scripted::DEFAULT
    };
    let folder = scripted::folder(&ladder.ladder(), &SCRIPT.replace("GAIN", "0"));
    let folder = folder.path();
    assert_eq!(run(folder, &["run", "--quiet"]).0, 0);
    for aim in ["coverage", "optimum"] {
        let document: Value =
            serde_json::from_str(&run(folder, &["plan", "--for", aim, "--json"]).1).unwrap();
        let commands = document["commands"].as_array().unwrap();
        assert_eq!((document["for"].as_str(), commands.len()), (Some(aim), 4));
        for command in commands {
            let words: Vec<&str> = command.as_str().unwrap().split(' ').skip(1).collect();
            let (code, _, err) = run(folder, &words);
            assert_eq!(code, 0, "{command}: {err}");
        }
    }
    insta::assert_snapshot!(planned(folder, &["plan", "--for", "coverage"]), @"
    Budget '100k' is covered least.

      10k   14 trials, 14 of 25 pairs of values tried, discrepancy 48% of that of random trials
      100k  8 trials, 8 of 20 pairs of values tried, discrepancy 83% of that of random trials

    Next, as the sampler `sobol` chooses:

      allometry enqueue --study 100k width=3 depth=4
      allometry enqueue --study 100k width=4 depth=3
      allometry enqueue --study 100k width=1 depth=1
      allometry run --budget 100k --trials 11
    ");
    insta::assert_snapshot!(planned(folder, &["plan", "--for", "optimum"]), @r"
    The best configuration of budget '100k' is known least.

      10k   14 trials, expected mean of the recommended configuration 0.7099 (90% interval 0.7072 to \
    0.7117)
      100k  8 trials, expected mean of the recommended configuration 0.6978 (90% interval 0.6948 to \
    0.7002)

    Next, by the model of the sampler `gp`: the configuration with the largest expected gain, then \
    those that add most to it once the ones before them are known:

      allometry enqueue --study 100k width=3 depth=5
      allometry enqueue --study 100k width=4 depth=5
      allometry enqueue --study 100k width=5 depth=1
      allometry run --budget 100k --trials 11
    ");
    insta::assert_snapshot!(all_refused(folder, &[
        &["plan", "--for", "optimum", "--plan-trainings", "8"],
        &["plan"],
    ]), @"
    $ allometry plan --for optimum --plan-trainings 8
    error: --plan-trainings is for a plan for the verdict
    hint: leave it out
    exit code 2

    $ allometry plan
    error: the configurations cannot be trained again on test rows
    hint: a plan needs a ladder whose model or program scores test rows: `test_part = true` in [command]
    exit code 2
    ");
}

/// Searches of unequal length: a plan extends the shorter one before its first look, and then begins.
#[test]
fn a_plan_extends_a_short_search_before_its_first_look() {
    let ladder = Scripted {
        trials: 10,
        settings: "metric = \"score\"",
        command: "test_part = true\ngrace = \"100ms\"",
        space: &[("width", "{ int = [1, 400] }")],
        sampler: "random",
        budgets: &["10k", "100k"],
        ..Scripted::DEFAULT
    };
    let folder = scripted::folder(&ladder.ladder(), &SCRIPT.replace("GAIN", "0.004"));
    let folder = folder.path();
    assert_eq!(run(folder, &["run", "--quiet"]).0, 0);
    assert_eq!(run(folder, &["run", "--quiet", "--budget", "100k", "--trials", "60"]).0, 0);
    let document: Value = serde_json::from_str(&run(folder, &["plan", "--json"]).1).unwrap();
    let step = &document["plan"]["step"];
    assert_eq!(
        (step["kind"].as_str(), document["command"].as_str()),
        (Some("search"), Some("allometry run --plan verdict"))
    );
    let more = &step["extension"]["more"][0];
    let in_all = more["in_all"].as_u64().unwrap();
    assert_eq!((more["budget"].as_str(), more["trials"].as_u64()), (Some("10k"), Some(in_all - 10)));
    let [without, with] = [&document["plan"]["ways"], &step["extension"]].map(|one| one["decided"].as_f64());
    assert!(with > without, "{without:?}, {with:?}");
    let (code, _, err) = run(folder, &["run", "--plan", "verdict", "--no-summary"]);
    assert_eq!(code, 0, "{err}");
    let begins = format!(
        "plan for the verdict: {} further trials of the searches, before the first look",
        in_all - 10
    );
    let lines: Vec<&str> = err.lines().collect();
    let place = |text: &str| lines.iter().position(|line| line.starts_with(text));
    assert!(place(&begins).unwrap() < place("Look 1 of 4").unwrap(), "{err}");
    let studies = report(folder)["studies"].clone();
    assert!(studies[0]["summary"]["counts"]["complete"].as_u64() >= Some(in_all), "{studies}");
}

/// Without test rows the verdict rests on the searches, and a plan names the trials that decide it.
#[test]
fn a_verdict_by_searches_has_a_plan_of_trials() {
    let ladder = Scripted {
        trials: 20,
        settings: "metric = \"score\"",
        space: &[("width", "{ int = [1, 400] }")],
        sampler: "random",
        budgets: &["10k", "100k"],
        ..Scripted::DEFAULT
    };
    let folder = scripted::folder(&ladder.ladder(), &SCRIPT.replace("GAIN", "0.0015"));
    let folder = folder.path();
    assert_eq!(run(folder, &["run", "--quiet"]).0, 0);
    let text = planned(folder, &["plan"]);
    let text = text.replace("\\\n", "").split_whitespace().collect::<Vec<&str>>().join(" ");
    for part in ["rests on the searches: undecided", "tested a second time", "7% to 9% of such ladders"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let document: Value = serde_json::from_str(&run(folder, &["plan", "--json"]).1).unwrap();
    let commands = document["commands"].as_array().unwrap();
    assert!(!commands.is_empty() && document["plan"]["outcome"] == "undecided");
    for command in commands {
        let words: Vec<&str> = command.as_str().unwrap().split(' ').skip(1).collect();
        let (code, _, err) = run(folder, &words);
        assert_eq!(code, 0, "{command}: {err}");
    }
    insta::assert_snapshot!(all_refused(folder, &[&["run", "--plan", "verdict"]]), @"
    $ allometry run --plan verdict
    error: the ladder's command is not said to score test rows
    hint: have it score them where ALLOMETRY_PART is `test`, and set `test_part = true` in [command]
    exit code 2
    ");
}
