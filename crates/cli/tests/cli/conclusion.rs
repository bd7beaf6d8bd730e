//! What `run`, `confirm` and `transfer` print at their end: the summary of the report, or one document.
#![cfg(unix)]

use std::path::Path;

use serde_json::{Value, json};

use crate::support::scripted::{self, Scripted};
use crate::support::{run, shown};

/// A program whose value grows with the width; for the test rows it is a tenth better.
const SCRIPT: &str = r#"
value=0.$1
if [ "$ALLOMETRY_PART" = test ]; then
    echo "{\"metrics\": {\"validation\": $value}}" >> "$ALLOMETRY_REPORT"
    value=0.$(($1 + 1))
fi
echo "{\"final\": true, \"value\": $value, \"weights\": $(($1 * 100))}" >> "$ALLOMETRY_REPORT"
"#;

fn folder() -> tempfile::TempDir {
    let ladder = Scripted { command: "grace = \"100ms\"\ntest_part = true", ..Scripted::DEFAULT };
    scripted::folder(&ladder.ladder(), SCRIPT)
}

/// Returns the standard output of a command that must succeed.
fn out(folder: &Path, arguments: &[&str]) -> String {
    let (code, out, err) = run(folder, arguments);
    assert_eq!(code, 0, "{err}");
    out
}

#[test]
fn a_run_ends_with_the_summary_of_its_report() {
    let folder = folder();
    let folder = folder.path();
    let (code, summary, err) = run(folder, &["run"]);
    assert_eq!(code, 0, "{err}");
    assert!(err.ends_with("report: report/report.md\n"), "{err}");
    insta::assert_snapshot!(shown(folder, &summary), @"
    script

    Do more weights pay?
    Undecided: budget 'a' has 3 distinct configurations, and a search is judged by
    10 or more.

    Best accuracy
    Budget  Weights  Best                                    Trials
    a       300      0.3000                 ●                3
    b       300      0.3000                 ●                3
    Larger values are better. The best of many trials is partly luck.

    What to take
    The verdict prefers no size. The best configuration of each is:
    a: trial 1, probably 0.2645 (90% interval 0.1101 to 0.4041) over seeds
      width=3
      $ allometry train --budget a --trial 1 -o trained
    b: trial 1, probably 0.2645 (90% interval 0.1101 to 0.4041) over seeds
      width=3
      $ allometry train --budget b --trial 1 -o trained

    Findings: 0 errors, 2 warnings, 0 for information
    warning few-trials, 2 times
      a: only 3 trials: means per value and importances are unreliable

    What next
    Run at least 10 distinct trials per budget, or allometry run --plan verdict.
      $ allometry run --plan verdict
    ");
    for silent in ["--no-summary", "--quiet"] {
        assert_eq!(out(folder, &["run", silent]), "", "{silent}");
    }
}

#[test]
fn a_confirmation_ends_with_what_it_confirmed() {
    let folder = folder();
    let folder = folder.path();
    out(folder, &["run", "--quiet"]);
    insta::assert_snapshot!(shown(folder, &out(folder, &["confirm", "--seeds", "2"])), @"
    script

    Do more weights pay?
    Undecided: the confirmation does not determine the error of its differences: all
    budgets have the same size.

    Best accuracy
    Budget  Weights  Best                                    Trials
    a       300      0.3000                 ●                3
    b       300      0.3000                 ●                3
    Larger values are better. The best of many trials is partly luck.

    What to take
    The verdict prefers no size. The best configuration of each is:
    a: trial 1, 0.4000 on the test rows
      width=3
      $ allometry train --budget a --trial 1 -o trained
    b: trial 1, 0.4000 on the test rows
      width=3
      $ allometry train --budget b --trial 1 -o trained

    Findings: 0 errors, 2 warnings, 0 for information
    warning few-trials, 2 times
      a: only 3 trials: means per value and importances are unreliable

    What next
    Run more trials before interpreting the tables of this budget.
    ");
    assert_eq!(out(folder, &["confirm", "--seeds", "2", "--no-summary"]), "");
    let (code, _, err) = run(folder, &["best"]);
    let note = "note: a confirmation on test rows is stored: `allometry report` recommends what it chose\n";
    assert_eq!((code, err.as_str()), (0, note));
}

#[test]
fn the_next_command_names_the_ladder() {
    let folder = folder();
    let folder = folder.path();
    std::fs::rename(folder.join("ladder.toml"), folder.join("my ladder.toml")).unwrap();
    let summary = out(folder, &["run", "my ladder.toml", "-S", "seed=3"]);
    let last = summary.lines().last();
    assert_eq!(last, Some("  $ allometry run 'my ladder.toml' -S seed=3 --plan verdict"), "{summary}");
}

#[test]
fn a_run_prints_one_document_on_request() {
    let folder = folder();
    let folder = folder.path();
    let (code, text, err) = run(folder, &["run", "--json"]);
    assert_eq!(code, 0, "{err}");
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["schema"], "allometry.run/1");
    insta::assert_snapshot!(shown(folder, &text), @r#"
    {
      "schema": "allometry.run/1",
      "studies": [
        {
          "budget": "a",
          "complete": 3,
          "pruned": 0,
          "failed": 0,
          "ended": {
            "kind": "trials_reached"
          }
        },
        {
          "budget": "b",
          "complete": 3,
          "pruned": 0,
          "failed": 0,
          "ended": {
            "kind": "trials_reached"
          }
        }
      ],
      "confirmation": null,
      "reports": {
        "md": "report/report.md",
        "html": "report/report.html",
        "json": "report/report.json"
      },
      "verdict": {
        "outcome": "undecided",
        "sentence": "Undecided: budget 'a' has 3 distinct configurations, and a search is judged by 10 \
    or more."
      },
      "take": null,
      "configurations": [
        {
          "budget": "a",
          "trial": 1,
          "params": {
            "width": 3
          },
          "weights": 300,
          "checkpoint": null,
          "command": "allometry train --budget a --trial 1 -o trained",
          "expected": {
            "of": "seeds",
            "value": 0.26448381904940843,
            "interval": {
              "lower": 0.11013561759251517,
              "upper": 0.40410928255847567
            },
            "level": 0.9
          }
        },
        {
          "budget": "b",
          "trial": 1,
          "params": {
            "width": 3
          },
          "weights": 300,
          "checkpoint": null,
          "command": "allometry train --budget b --trial 1 -o trained",
          "expected": {
            "of": "seeds",
            "value": 0.26448381904940843,
            "interval": {
              "lower": 0.11013561759251517,
              "upper": 0.40410928255847567
            },
            "level": 0.9
          }
        }
      ],
      "next": {
        "sentence": "Run at least 10 distinct trials per budget, or `allometry run --plan verdict`.",
        "command": "allometry run --plan verdict"
      }
    }
    "#);
    for command in ["confirm", "transfer"] {
        let text = out(folder, &[command, "--json", "--seeds", "2", "--top", "1"]);
        let document: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(document["schema"], format!("allometry.{command}/1"));
        let study = json!({
            "budget": "a", "complete": 2, "pruned": 0, "failed": 0, "ended": {"kind": "trials_reached"},
        });
        let is_there = document["studies"].as_array().unwrap().contains(&study);
        assert!(command == "transfer" || is_there, "{text}");
        assert_eq!(document["confirmation"], Value::Null);
    }
    let confirmed: Value = serde_json::from_str(&out(folder, &["run", "--json"])).unwrap();
    assert_eq!(confirmed["configurations"][0]["expected"]["of"], "test_rows", "{confirmed}");
}

/// The document says how the studies ended where too many trials failed.
#[test]
fn failed_trials_are_in_the_document() {
    let folder = scripted::folder(&Scripted::DEFAULT.ladder(), "exit 3\n");
    let folder = folder.path();
    let (code, text, err) = run(folder, &["run", "--json"]);
    assert_eq!(code, 6, "{err}");
    let document: Value = serde_json::from_str(&text).unwrap();
    let ended = |study: &Value| [&study["complete"], &study["failed"]].map(Clone::clone);
    let ended: Vec<[Value; 2]> = document["studies"].as_array().unwrap().iter().map(ended).collect();
    assert_eq!(ended, [[json!(0), json!(3)], [json!(0), json!(3)]], "{text}");
    assert_eq!(document["configurations"], json!([]));
}
