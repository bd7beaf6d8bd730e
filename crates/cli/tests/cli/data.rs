//! Tests of ladders that are also trained on parts of the training rows.
#![cfg(unix)]

use crate::support::scripted::{self, Scripted};
use crate::support::{LADDER, printed, project, refused, report, run, shown};

/// A program whose accuracy rises by 0.01 for each doubling of the rows, and by 0.02 from budget `a` to `b`.
/// It tells its weights and what it used.
const SCRIPT: &str = r#"
awk -v x="$1" -v share="$ALLOMETRY_TRAIN_SHARE" -v budget="$ALLOMETRY_BUDGET" 'BEGIN {
    large = substr(budget, 1, 1) == "b"
    value = 0.8 + 0.01 * log(share) / log(2) + 0.02 * large + 0.004 * x
    rows = 10000 * share
    weights = large ? 40000 : 10000
    printf "{\"final\": true, \"value\": %.6f, \"weights\": %d, \"train_rows\": %d, ", value, weights, rows
    printf "\"tokens\": %d, \"flops\": %.3e}\n", 5 * rows, 6 * weights * 5 * rows
}' >> "$ALLOMETRY_REPORT"
"#;

#[test]
fn a_ladder_on_parts_of_its_rows_says_what_more_rows_buy() {
    let ladder = Scripted {
        trials: 20,
        settings: "metric = \"accuracy\"\ntrain_share = [0.25, 0.5, 1.0]",
        space: &[("x", "{ float = [0, 1] }")],
        sampler: "random",
        ..Scripted::DEFAULT
    };
    let folder = scripted::folder(&ladder.ladder(), SCRIPT);
    let folder = folder.path();
    insta::assert_snapshot!(printed(folder, &["check"]), @r#"
    $ allometry check
    trials are evaluated by the ladder's command

    a (any number of weights; the label is only a name)
      1 of 1 architecture
      infinitely many configurations (x is continuous)
               ? weights

    b (any number of weights; the label is only a name)
      1 of 1 architecture
      infinitely many configurations (x is continuous)
               ? weights

    a@25% (as a, on the last 25% of the training rows)

    a@50% (as a, on the last 50% of the training rows)

    b@25% (as b, on the last 25% of the training rows)

    b@50% (as b, on the last 50% of the training rows)

    the ladder does not ask for a confirmation on the test rows, which trains the best configuration of \
    each budget with 5 seeds
      it would take 10 trainings; the search has 120 trials
      the best of many trials is partly luck: [confirm] with top = 1 and seeds = 5 asks for it, with \
    `test_part = true` in [command] once the command can score test rows
    "#);
    let (code, _, err) = run(folder, &["run", "--quiet"]);
    assert_eq!(code, 0, "{err}");
    let (code, out, err) = run(folder, &["report", "--template", "full", "-o", "-"]);
    assert_eq!((code, err.as_str()), (0, ""));
    let section = out.split("\n## ").find(|section| section.starts_with("More data or more weights?"));
    insta::assert_snapshot!(shown(folder, section.unwrap()), @r#"
    More data or more weights?

    **Holds:** More training rows pay: a doubling of the training rows improves the expected best \
    accuracy of 2 trials by +0.0101 (95% interval +0.0099 to +0.0104, p \< 0.001). A doubling of the \
    weights on equal rows improves it by +0.0101 (95% interval +0.0099 to +0.0103, p \< 0.001); which \
    of the two buys more is not decided (difference +3.2e-5 (95% interval -0.0003 to +0.0004, p = \
    0.85)). The rows are repeated: a trial passes over its rows 5.0 times (median). The gains are those \
    of more distinct rows.

    | Budget | Weights | Training rows | Expected best accuracy of 2 trials | 95% interval | Units |
    | --- | --- | --- | --- | --- | --- |
    | a | 10.0k | 2.50k | 0.7826 | 0.7819 to 0.7833 | 20 |
    | a | 10.0k | 5.00k | 0.7928 | 0.7923 to 0.7933 | 20 |
    | a | 10.0k | 10.0k | 0.8028 | 0.8022 to 0.8033 | 20 |
    | b | 40.0k | 2.50k | 0.8028 | 0.8022 to 0.8033 | 20 |
    | b | 40.0k | 5.00k | 0.8129 | 0.8123 to 0.8135 | 20 |
    | b | 40.0k | 10.0k | 0.8231 | 0.8226 to 0.8236 | 20 |

    | Budget | Gain from its smallest part to all rows | 95% interval | p (Holm) |
    | --- | --- | --- | --- |
    | a | +0.0201 | 0.0193 to 0.0210 | <0.001 |
    | b | +0.0203 | 0.0196 to 0.0211 | <0.001 |
    "#);

    let document = report(folder);
    let studies = document["studies"].as_array().unwrap();
    assert_eq!(studies.len(), 2, "the verdict compares the budgets on all rows");
    let judged = &document["data_scaling"]["judgement"];
    assert_eq!((judged["outcome"].as_str(), judged["passes"].as_f64()), (Some("holds"), Some(5.0)));
    let (code, printed, _) = run(folder, &["show", "0", "--study", "a@25%", "--json"]);
    assert_eq!(code, 0);
    let trial: serde_json::Value = serde_json::from_str(&printed).unwrap();
    let cost = &trial["trial"]["cost"];
    assert_eq!(
        [&cost["train_rows"], &cost["tokens"], &cost["flops"]].map(serde_json::Value::as_f64),
        [Some(2500.0), Some(12500.0), Some(7.5e8)]
    );
    assert!(cost["seconds"].as_f64().unwrap() > 0.0);
}

#[test]
fn a_part_needs_windows_and_leaves_some_out() {
    let folder = project();
    let folder = folder.path();
    let mut calls = String::new();
    for setting in ["train_share=[0.000001]", "train_rows=[4000]", "train_rows=[1]"] {
        calls += &refused(folder, &["check", "-S", setting]);
    }
    insta::assert_snapshot!(calls, @r#"
    $ allometry check -S train_share=[0.000001]
    error: data.csv: a part of 0.0001% of the training rows has no window: there are 265 training \
    windows
    hint: a larger part in `train_share` or `train_rows`
    exit code 3
    $ allometry check -S train_rows=[4000]
    error: data.csv: a part of 4000 of the training rows has all windows: there are 265 training windows
    hint: leave it out: each budget is trained on all rows anyway
    exit code 3
    $ allometry check -S train_rows=[1]
    error: data.csv: a part of 1 of the training rows has windows of one class: there are 265 training \
    windows
    hint: a larger part in `train_share` or `train_rows`
    exit code 3
    "#);
    let parts = LADDER.replacen("seed = 1", "seed = 1\ntrain_share = [0.5]", 1);
    std::fs::write(folder.join("ladder.toml"), parts).unwrap();
    let (code, _, err) = run(folder, &["run", "--quiet"]);
    assert_eq!(code, 0, "{err}");
    let (code, _, err) = run(folder, &["confirm", "--quiet"]);
    assert_eq!(code, 0, "{err}");
    let document = report(folder);
    assert_eq!(document["confirmation"]["budgets"].as_array().unwrap().len(), 2);
    let cells = &document["data_scaling"]["withheld"]["reason"];
    assert_eq!(cells, "few_trials");
}
