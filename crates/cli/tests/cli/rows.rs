//! Tests of the rows of a ladder: the horizon of their labels, and the predictions of a program.

use std::path::Path;

use serde_json::Value;

use crate::support::scripted::{self, Scripted};
use crate::support::{LADDER, all_refused, printed, project, refused, report, run};

/// Creates a folder with a changed tiny ladder.
fn changed(from: &str, to: &str) -> tempfile::TempDir {
    let folder = project();
    assert!(LADDER.contains(from), "{from}");
    std::fs::write(folder.path().join("ladder.toml"), LADDER.replace(from, to)).unwrap();
    folder
}

#[test]
fn a_column_has_a_horizon() {
    let folder = changed("label = \"label\"", "label = \"label\"\nhorizon = 3");
    let folder = folder.path();
    let (code, out, err) = run(folder, &["check"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("labels look 3 rows ahead"), "{out}");
    assert_eq!(run(folder, &["run", "--quiet", "-S", "trials=1"]).0, 0);
    // The study records the horizon of three rows.
    insta::assert_snapshot!(refused(folder, &["run", "-S", "data.horizon=2"]), @r"
    $ allometry run -S data.horizon=2
    error: the objective of study `tiny/s` has changed:
      data.horizon: was 3, is 2
    hint: trials with different objectives cannot be compared: undo the change, or give the ladder \
    another `name` or `[storage] url`
    exit code 3
    ");
    std::fs::write(folder.join("ladder.toml"), LADDER).unwrap();
    insta::assert_snapshot!(refused(folder, &["run"]), @r"
    $ allometry run
    error: the objective of study `tiny/s` has changed:
      data.horizon: was 3, is the default
    hint: trials with different objectives cannot be compared: undo the change, or give the ladder \
    another `name` or `[storage] url`
    exit code 3
    ");
    let (_, out, _) = run(folder, &["check"]);
    assert!(out.contains("labels look one row ahead (set `horizon` in [data]"), "{out}");
}

#[test]
fn a_horizon_of_one_is_what_studies_without_one_have() {
    let folder = project();
    let folder = folder.path();
    assert_eq!(run(folder, &["run", "--quiet", "-S", "trials=1"]).0, 0);
    let (code, _, err) = run(folder, &["run", "--quiet", "-S", "trials=1", "-S", "data.horizon=1"]);
    assert_eq!(code, 0, "{err}");
}

#[test]
fn horizons_that_make_no_sense_are_refused() {
    let rise = "label = { rise = 0.01, of = \"up\", over = \"noise\", horizon = 2 }\nhorizon = 3";
    let twice = changed("label = \"label\"", rise);
    insta::assert_snapshot!(refused(twice.path(), &["check"]), @r#"
    $ allometry check
    ladder::repeated

      × `horizon` is set in [data] and in the label
        ╭─[ladder.toml:10:61]
      9 │ time = "date"
     10 │ label = { rise = 0.01, of = "up", over = "noise", horizon = 2 }
        ·                                                             ┬
        ·                                                             ╰── here
     11 │ horizon = 3
        ·           ┬
        ·           ╰── and here
     12 │
        ╰────
      help: remove one of them
    exit code 3
    "#);
    let calls = [
        &["run", "-S", "data.horizon=0"][..],
        &["run", "-S", "data.horizon=\"far\""],
        &["run", "-S", "data.horizon=60"],
    ];
    insta::assert_snapshot!(all_refused(project().path(), &calls), @r#"
    $ allometry run -S data.horizon=0
    ladder::out_of_range

      × `horizon` is 0, but must be at least 1
       ╭─[--set:1:14]
     1 │ data.horizon=0
       ·              ┬
       ·              ╰── at least 1
       ╰────
    exit code 3

    $ allometry run -S 'data.horizon="far"'
    ladder::wrong_type

      × `horizon` must be a whole number, not text
       ╭─[--set:1:14]
     1 │ data.horizon="far"
       ·              ──┬──
       ·                ╰── a whole number
       ╰────
    exit code 3

    $ allometry run -S data.horizon=60
    error: data.csv: the label looks 60 rows ahead, but the validation part has 60 rows
    hint: a shorter `horizon`, more rows, or another `split`: each part must be longer than the horizon
    exit code 3
    "#);
}

/// A ladder whose program reports what it predicts of each row.
const COMMAND: Scripted = Scripted { name: "classes", command: "horizon = 4", ..Scripted::DEFAULT };

/// A program that predicts 90 rows of three classes, one number per row, from the last to the first. The
/// share of correct rows grows with the parameter.
const SCRIPT: &str = r#"
awk -v width="$1" 'BEGIN {
    for (i = 0; i < 90; i++) {
        target = i % 3
        guess = (i * 7) % 10 < 4 + width ? target : (target + 1) % 3
        right += guess == target
        row = (guess == 0 ? 0.8 : 0.1) ", " (guess == 1 ? 0.8 : 0.1) ", " (guess == 2 ? 0.8 : 0.1)
        outputs = outputs (i ? ", " : "") "[" row "]"
        targets = targets (i ? ", " : "") target
        rows = rows (i ? ", " : "") 90 - i
    }
    printf "{\"outputs\": [%s], \"targets\": [%s], \"rows\": [%s]}\n", outputs, targets, rows
    printf "{\"final\": true, \"value\": %.17g}\n", right / 90
}' >> "$ALLOMETRY_REPORT"
"#;

#[test]
fn outputs_of_a_program_give_its_metric_an_error() {
    let folder = scripted::folder(&COMMAND.ladder(), SCRIPT);
    let folder = folder.path();
    let (code, out, err) = run(folder, &["check"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("labels look 4 rows ahead"), "{out}");
    let (code, _, err) = run(folder, &["run", "--quiet"]);
    assert_eq!(code, 0, "{err}");
    let document = report(folder);
    for study in document["studies"].as_array().unwrap() {
        let best = &study["summary"]["best"][0]["value"];
        assert_eq!(best["method"], "rows", "{study:#}");
        let (point, error) = (best["point"].as_f64().unwrap(), best["standard_error"].as_f64().unwrap());
        // 7 of 10 rows in a cycle are correct. Whole cycles hardly vary, so the error is smaller than with 90
        // independent rows.
        let independent = (point * (1.0 - point) / 89.0).sqrt();
        assert!(
            (point - 0.7).abs() < 1e-9 && error > 0.0 && error < independent,
            "{point} {error} {independent}"
        );
    }
    insta::assert_snapshot!(refused(folder, &["run", "-S", "command.horizon=5"]), @r"
    $ allometry run -S command.horizon=5
    error: the objective of study `classes/a` has changed:
      horizon: was 4, is 5
    hint: trials with different objectives cannot be compared: undo the change, or give the ladder \
    another `name` or `[storage] url`
    exit code 3
    ");
}

#[test]
fn outputs_that_make_no_sense_fail_the_trial() {
    let script = "echo '{\"outputs\": [[0.5, 0.5]], \"targets\": [2]}' >> \"$ALLOMETRY_REPORT\"\n";
    let folder = scripted::folder(&COMMAND.ladder(), script);
    let folder = folder.path();
    insta::assert_snapshot!(refused(folder, &["run", "--quiet"]), @r"
    $ allometry run --quiet
    error: too many trials failed for a, b
    hint: `allometry report` lists the reasons; after fixing them, run the same command to try further \
    configurations
    exit code 6
    ");
    insta::assert_snapshot!(printed(folder, &["list", "--study", "a"]), @r#"
    $ allometry list --study a
           a     0  failed: line 1 of its report has `targets` that are not classes from 0 to 1: \
    {"outputs": [[0.5, 0.5]], "targets": [2]} width=1
           a     1  failed: line 1 of its report has `targets` that are not classes from 0 to 1: \
    {"outputs": [[0.5, 0.5]], "targets": [2]} width=3
           a     2  failed: line 1 of its report has `targets` that are not classes from 0 to 1: \
    {"outputs": [[0.5, 0.5]], "targets": [2]} width=2
    "#);
}

/// Returns the smallest effect that the studies of a folder's ladder record.
fn recorded_effects(folder: &Path) -> Vec<Value> {
    let url = allometry_store::url::of_sqlite(&folder.join("trials.db"));
    let store = allometry_store::open_read_only(&url).unwrap();
    store
        .studies()
        .unwrap()
        .into_iter()
        .map(|mut study| study.attributes.remove("smallest_effect").unwrap())
        .collect()
}

#[test]
fn a_smallest_effect_goes_with_the_studies_and_the_command_line_wins() {
    let folder = changed("seed = 1", "seed = 1\nsmallest_effect = 0.25");
    let folder = folder.path();
    assert_eq!(run(folder, &["run", "--quiet", "--budget", "s"]).0, 0);
    assert_eq!(recorded_effects(folder), [0.25]);
    // A run may change it; other processes of the ladder then use the new value.
    let (code, _, err) = run(folder, &["run", "--quiet", "--smallest-effect", "0.125", "-S", "trials=5"]);
    assert_eq!(code, 0, "{err}");
    assert_eq!(recorded_effects(folder), [0.125, 0.125]);
    assert_eq!(report(folder)["options"]["smallest_effect"], 0.125);
    assert_eq!(run(folder, &["worker", "--storage", "trials.db", "--quiet"]).0, 0);
    assert_eq!(recorded_effects(folder), [0.125, 0.125]);

    let written = ["report", "--smallest-effect", "0.5", "-o", "r.json"];
    assert_eq!(run(folder, &written).0, 0);
    let document: Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join("r.json")).unwrap()).unwrap();
    assert_eq!(document["options"]["smallest_effect"], 0.5);
    assert_eq!(
        run(folder, &["compare", "ladder.toml", "ladder.toml", "--smallest-effect", "0.75", "-o", "c.json"])
            .0,
        0
    );
    let document: Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join("c.json")).unwrap()).unwrap();
    assert_eq!(document["options"]["smallest_effect"], 0.75);
    for command in ["confirm", "transfer"] {
        let arguments = [command, "--top", "1", "--seeds", "1", "--quiet", "--smallest-effect", "0.0625"];
        assert_eq!(run(folder, &arguments).0, 0);
        assert_eq!(report(folder)["options"]["smallest_effect"], 0.0625, "{command}");
    }
}

#[test]
fn smallest_effects_that_make_no_sense_are_refused() {
    let folder = project();
    let folder = folder.path();
    let commands = [
        &["run"][..],
        &["report"],
        &["confirm"],
        &["transfer"],
        &["demo"],
        &["compare", "ladder.toml", "a.json"],
    ];
    for effect in ["0", "-0.1", "inf", "nan", "small"] {
        let option = format!("--smallest-effect={effect}");
        for command in commands {
            let expected = format!(
                "error: invalid value '{effect}' for '--smallest-effect <X>': expected a finite number above \
                 0, such as 0.002\n\nFor more information, try '--help'.\n"
            );
            assert_eq!(run(folder, &[command, &[&option]].concat()), (2, String::new(), expected));
        }
    }
    let calls = [
        &["compare", "ladder.toml", "ladder.toml", "--smallest-effect=0"][..],
        &["check", "-S", "smallest_effect=0"],
        &["check", "-S", "smallest_effect=-1"],
        &["check", "-S", "smallest_effect=inf"],
        &["check", "-S", "smallest_effect=\"x\""],
    ];
    insta::assert_snapshot!(all_refused(folder, &calls), @r#"
    $ allometry compare ladder.toml ladder.toml --smallest-effect=0
    error: invalid value '0' for '--smallest-effect <X>': expected a finite number above 0, such as \
    0.002

    For more information, try '--help'.
    exit code 2

    $ allometry check -S smallest_effect=0
    ladder::out_of_range

      × `smallest_effect` is 0, but must be above 0 and finite
       ╭─[--set:1:17]
     1 │ smallest_effect=0
       ·                 ┬
       ·                 ╰── above 0 and finite
       ╰────
    exit code 3

    $ allometry check -S smallest_effect=-1
    ladder::out_of_range

      × `smallest_effect` is -1, but must be above 0 and finite
       ╭─[--set:1:17]
     1 │ smallest_effect=-1
       ·                 ─┬
       ·                  ╰── above 0 and finite
       ╰────
    exit code 3

    $ allometry check -S smallest_effect=inf
    ladder::out_of_range

      × `smallest_effect` is inf, but must be above 0 and finite
       ╭─[--set:1:17]
     1 │ smallest_effect=inf
       ·                 ─┬─
       ·                  ╰── above 0 and finite
       ╰────
    exit code 3

    $ allometry check -S 'smallest_effect="x"'
    ladder::wrong_type

      × `smallest_effect` must be a number, not text
       ╭─[--set:1:17]
     1 │ smallest_effect="x"
       ·                 ─┬─
       ·                  ╰── a number
       ╰────
    exit code 3
    "#);
    std::fs::write(folder.join("a.json"), "{}").unwrap();
    std::fs::write(folder.join("a.md"), "# a\n").unwrap();
    let calls = [
        &["compare", "ladder.toml", "a.json", "--smallest-effect", "0.1"][..],
        &["report", "a.md", "--smallest-effect", "0.1"],
    ];
    insta::assert_snapshot!(all_refused(folder, &calls), @"
    $ allometry compare ladder.toml a.json --smallest-effect 0.1
    error: `--smallest-effect` cannot be used with a report, a.json
    hint: write the report again: allometry report --smallest-effect X -o report.json
    exit code 2

    $ allometry report a.md --smallest-effect 0.1
    error: `--smallest-effect` cannot be used with a report, a.md
    hint: it applies to reports that are made from trials
    exit code 2
    ");
}
