//! Tests of `allometry confirm`.

use serde_json::Value;

use crate::support::scripted::{self, Scripted};
use crate::support::{project, project_with_one_class_of_test_rows, refused, report, run};

#[test]
fn budgets_are_confirmed_on_test_rows() {
    let folder = project();
    let folder = folder.path();
    let (code, _, err) = run(folder, &["confirm"]);
    assert_eq!(code, 4, "nothing is searched yet: {err}");

    assert_eq!(run(folder, &["run", "--quiet"]).0, 0);
    let before = report(folder);
    assert_eq!(before.get("confirmation"), None);

    let (code, out, err) =
        run(folder, &["confirm", "--top", "2", "--seeds", "2", "--workers", "2", "--no-summary"]);
    assert_eq!((code, out.as_str()), (0, ""), "{err}");
    let document = report(folder);
    let found = &document["confirmation"];
    assert_eq!((&found["planned"], &found["complete"]), (&8.into(), &8.into()));
    let rows = &before["rows"];
    for (budget, study) in
        found["budgets"].as_array().unwrap().iter().zip(before["studies"].as_array().unwrap())
    {
        assert_eq!(budget["budget"], study["budget"]["label"]);
        assert_eq!(budget["chosen_anew"], true);
        for one in budget["configurations"].as_array().unwrap() {
            assert_eq!(one["test"]["method"], "seeds_and_rows", "{one}");
            assert!(one["validation"].is_f64() && one["search"].is_f64() && one["seeds"] == 2, "{one}");
            assert_ne!(one["validation"], one["test"]["point"], "other rows, of which there are {rows}");
        }
    }
    let comparison = &found["comparisons"][0];
    assert_eq!((&comparison["smaller"], &comparison["larger"]), (&"s".into(), &"l".into()));
    assert_eq!(comparison["gain"]["method"], "sources");
    let page = std::fs::read_to_string(folder.join("report/report.md")).unwrap();
    assert!(page.contains("## Confirmation on Test Rows") && page.contains("confirmation.svg"), "{page}");
    assert!(folder.join("report/report-figures/confirmation.svg").exists());
    let sentence = found["sentence"].as_str().unwrap();
    assert!(page.contains(sentence), "{page}");
    let verdict = document["verdict"]["sentence"].as_str().unwrap();
    assert!(verdict.contains("on test rows"), "the confirmation replaces the headline: {verdict}");
    let (_, shown, _) = run(folder, &["report"]);
    assert!(shown.replace('\n', " ").contains("on test rows"), "{shown}");
    // The search and its statistics do not include the new trials.
    assert_eq!(document["studies"], before["studies"]);
    let (_, listed, _) = run(folder, &["list", "--json"]);
    assert!(!listed.contains("confirm"), "{listed}");

    let (code, _, err) = run(folder, &["confirm", "--top", "2", "--seeds", "2"]);
    assert_eq!(code, 0, "{err}");
    assert_eq!(report(folder), document, "nothing is trained twice");
    assert_eq!(run(folder, &["transfer", "--top", "1", "--seeds", "1", "--quiet"]).0, 0);
    let both = report(folder);
    assert_eq!((&both["confirmation"], &both["transfer"]["planned"]), (found, &4.into()));
}

/// The program of the ladder, which scores a larger `width` better on validation rows and worse on test rows.
const SCRIPT: &str = r#"
value=$1
if [ "$ALLOMETRY_PART" = test ]; then
    echo "{\"metrics\": {\"validation\": $1}}" >> "$ALLOMETRY_REPORT"
    value=$((10 - $1))
fi
echo "{\"final\": true, \"value\": $value}" >> "$ALLOMETRY_REPORT"
"#;

#[test]
fn a_command_that_knows_the_test_rows_is_asked_for_them() {
    let ladder = Scripted { trials: 4, space: &[("width", "[1, 2, 3, 4]")], ..Scripted::DEFAULT };
    let folder = scripted::folder(&ladder.ladder(), SCRIPT);
    let folder = folder.path();
    assert_eq!(run(folder, &["run", "--quiet"]).0, 0);
    insta::assert_snapshot!(refused(folder, &["confirm"]), @"
    $ allometry confirm
    error: the ladder's command is not said to score test rows
    hint: have it score them where ALLOMETRY_PART is `test`, and set `test_part = true` in [command]
    exit code 2
    ");

    let ladder = Scripted { command: "test_part = true", ..ladder };
    std::fs::write(folder.join("ladder.toml"), ladder.ladder()).unwrap();
    let (code, _, err) = run(folder, &["confirm", "--top", "2", "--seeds", "1", "--quiet"]);
    assert_eq!(code, 0, "{err}");
    let budget = &report(folder)["confirmation"]["budgets"][0];
    assert_eq!((&budget["chosen"], &budget["chosen_anew"]), (&0.into(), &true.into()));
    let told: Vec<[&Value; 3]> = budget["configurations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| [&one["search"], &one["validation"], &one["test"]["point"]])
        .collect();
    let values = |of: [f64; 3]| of.map(Value::from);
    let expected = [values([4.0, 4.0, 6.0]), values([3.0, 3.0, 7.0])];
    assert_eq!(told, expected.iter().map(|row| [&row[0], &row[1], &row[2]]).collect::<Vec<_>>());
    let (_, shown, _) = run(folder, &["report", "-o", "-"]);
    assert!(shown.contains("The error covers nothing"), "{shown}");
}

#[test]
fn test_rows_of_one_class_judge_nothing() {
    let folder = project_with_one_class_of_test_rows();
    let folder = folder.path();
    assert_eq!(run(folder, &["run", "--quiet"]).0, 0);
    insta::assert_snapshot!(refused(folder, &["confirm"]), @r#"
    $ allometry confirm
    error: data.csv: all 52 windows of the test part have the label 0 in column `label`
    hint: more rows, another split, or another threshold of the label
    exit code 3
    "#);
}
