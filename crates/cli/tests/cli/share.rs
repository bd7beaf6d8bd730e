//! A ladder whose budgets learn from each other: what is carried over is recorded, reported, and refused
//! where it makes no sense.

use serde_json::Value;

use crate::support::{refused, run, scripted};

const LADDER: &str = r#"
name = "shared"
trials = 13
seed = 3
metric = "score"
direction = "maximize"

[command]
run = ["sh", "train.sh", "{d_model}", "{speed}", "{drop}"]
weights = "100 * d_model"

[space]
speed = [1, 2, 3, 4, 5, 6]
drop = [0, 1, 2, 3]

[sampler]
kind = "gp"
probes = false
share = "budgets"

[[budget]]
label = "small"
weights = 1_000
tolerance = 0.9
[budget.space]
d_model = [5, 10, 15]

[[budget]]
label = "large"
weights = 10_000
tolerance = 0.9
[budget.space]
d_model = [50, 100, 150]
"#;

/// The program of both budgets, which is best at the middle width, speed 4 and no drop.
const SCRIPT: &str = r#"
width=$(( $1 < 20 ? $1 / 5 : $1 / 50 ))
value=$(( 100 - 9 * (width - 2) * (width - 2) - 4 * ($2 - 4) * ($2 - 4) - 3 * $3 ))
echo "{\"final\": true, \"value\": $value}" >> "$ALLOMETRY_REPORT"
"#;

/// A program whose second budget has its best value elsewhere than the first.
const OPPOSITE: &str = r#"
good=$(( 4 * ($2 - 4) * ($2 - 4) + 3 * $3 ))
[ "$1" -lt 20 ] && good=$(( -good ))
echo "{\"final\": true, \"value\": $good}" >> "$ALLOMETRY_REPORT"
"#;

/// Returns what the second budget learned from the first according to the report, as JSON and as Markdown.
/// The first budget has nothing to learn from.
fn carried(folder: &tempfile::TempDir) -> (Value, String) {
    let path = folder.path();
    let (code, _, err) = run(path, &["run", "--quiet", "--workers", "1"]);
    assert_eq!(code, 0, "{err}");
    let (code, text, err) = run(path, &["report", ".", "-o", "-", "--template", "full"]);
    assert_eq!(code, 0, "{err}");
    let report: Value =
        serde_json::from_slice(&std::fs::read(path.join("report/report.json")).unwrap()).unwrap();
    let studies = report["studies"].as_array().unwrap();
    assert!(studies[0]["summary"]["carried_over"].is_null(), "{}", studies[0]["summary"]);
    (studies[1]["summary"]["carried_over"].clone(), text)
}

#[test]
fn the_report_says_what_was_carried_over() {
    let folder = scripted::folder(LADDER, SCRIPT);
    let (carried, text) = carried(&folder);
    assert_eq!(carried["budgets"][0]["label"], "small");
    assert_eq!(carried["budgets"][0]["trials"], 13);
    assert_eq!(carried["guard"]["trials"], 10);
    assert!(carried["guard"]["correlation"].as_f64().unwrap() > 0.5, "{carried}");
    assert!(text.contains("- Carried over: 13 trials of small; kept:"), "{text}");
    assert!(text.contains("used information beyond the trials listed here"), "{text}");
    assert!(text.contains("the search of 'large' learned from the trials of other budgets"), "{text}");
    // The first trial is the best configuration according to the smaller budget.
    let (_, listed, _) = run(folder.path(), &["list", "--json"]);
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let first = &listed["studies"][1]["trials"][0];
    assert_eq!(first["origin"], "model", "{first}");
    assert!(first["value"].as_f64().unwrap() >= 84.0, "{first}");
    // `ask` uses the shared trials, too.
    let (code, asked, err) = run(folder.path(), &["ask", "--study", "large"]);
    assert_eq!(code, 0, "{err} {asked}");
}

#[test]
fn a_budget_that_is_another_function_drops_what_was_carried_over() {
    let (carried, text) = carried(&scripted::folder(LADDER, OPPOSITE));
    assert!(carried["guard"]["correlation"].as_f64().unwrap() < 0.2, "{carried}");
    assert!(text.contains("; dropped: their predictions have a rank correlation of -"), "{text}");
    assert!(!text.contains("searched with more knowledge"), "{text}");
    assert!(!text.contains("learned from the trials"), "{text}");
}

#[test]
fn sharing_that_makes_no_sense_is_refused() {
    let calls: Vec<String> = [
        ("kind = \"gp\"", "kind = \"tpe\""),
        ("weights = 10_000\ntolerance = 0.9", "weights = \"any\""),
        ("share = \"budgets\"", "share = \"all\""),
        (
            "metric = \"score\"\ndirection = \"maximize\"",
            "metric = [\"score\", \"ms\"]\ndirection = [\"maximize\", \"minimize\"]",
        ),
    ]
    .into_iter()
    .map(|(from, to)| refused(scripted::folder(&LADDER.replace(from, to), SCRIPT).path(), &["check"]))
    .collect();
    insta::assert_snapshot!(calls.join("\n"), @r#"
    $ allometry check
    ladder::needs

      × `share` needs the sampler `gp`
        ╭─[ladder.toml:19:9]
     18 │ probes = false
     19 │ share = "budgets"
        ·         ────┬────
        ·             ╰── this one
     20 │
        ╰────
    exit code 3

    $ allometry check
    ladder::needs

      × `share` needs `weights` of every budget: the distance between budgets
        ╭─[ladder.toml:19:9]
     18 │ probes = false
     19 │ share = "budgets"
        ·         ────┬────
        ·             ╰── this one
     20 │
        ╰────
    exit code 3

    $ allometry check
    ladder::unknown_word

      × `share` cannot be `all`
        ╭─[ladder.toml:19:9]
     18 │ probes = false
     19 │ share = "all"
        ·         ──┬──
        ·           ╰── not known
     20 │
        ╰────
      help: it can be `none`, `budgets`
    exit code 3

    $ allometry check
    ladder::needs

      × `share` needs a single objective: several objectives do not rank the
      │ trials
        ╭─[ladder.toml:19:9]
     18 │ probes = false
     19 │ share = "budgets"
        ·         ────┬────
        ·             ╰── this one
     20 │
        ╰────
    exit code 3
    "#);
}
