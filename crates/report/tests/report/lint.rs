//! What of reports stands: the seed's, those of generated trials, altered ones, and texts that are none.

use allometry_analysis::collapse::NaiveOutcome;
use allometry_analysis::consistency::Agreement;
use allometry_analysis::lint::{Conclusion, Lint, Standing, Subject};
use allometry_analysis::scaling::NaiveScaling;
use allometry_analysis::{Knowledge, LadderTrials, Options, lint as weigh};
use allometry_core::{ClassCounts, Params};
use allometry_report::classic::{ReadError, read};
use allometry_report::words::lint::{claim_clause, reason_clause};
use allometry_report::{LintDocument, classic, lint, lint_json, words};

use crate::support;

fn linted(text: &str, knowledge: &Knowledge<'_>) -> Lint {
    weigh(&read(text).unwrap(), knowledge, &Options::default())
}

fn seed(test: &str) -> Option<Lint> {
    let path = allometry_testkit::reference_file(test, "seed/report.md")?;
    let size = |params: &Params| Some(support::seed_size(params));
    let rows = Some(ClassCounts { positives: 76, negatives: 346 });
    Some(linted(&std::fs::read_to_string(path).unwrap(), &Knowledge { rows, size: Some(&size) }))
}

fn on(lint: &Lint, subject: Subject) -> Vec<&Conclusion> {
    lint.conclusions.iter().filter(|conclusion| conclusion.subject == subject).collect()
}

#[test]
fn the_seed_agrees_with_itself() {
    let Some(lint) = seed("the_seed_agrees_with_itself") else { return };
    assert_eq!(lint.contradictions, []);
    assert_eq!(lint.notes, []);
}

/// Of 18 trends the report calls 12; with unequal variances two survive, with one variance for all values
/// five.
#[test]
fn of_the_seeds_trends_two_stand() {
    let Some(lint) = seed("of_the_seeds_trends_two_stand") else { return };
    let trends =
        || lint.studies.iter().flat_map(|study| study.trends.iter().map(move |trend| (study, trend)));
    assert_eq!(trends().count(), 18);
    let called = on(&lint, Subject::Trend);
    let standing: Vec<(u64, String)> = called
        .iter()
        .filter(|trend| trend.standing == Standing::Stands)
        .map(|trend| (trend.line, claim_clause(trend)))
        .collect();
    let expected = [
        (114, "learning_rate is decreasing".to_owned()),
        (387, "n_layers is flat".to_owned()),
        (411, "learning_rate is decreasing".to_owned()),
    ];
    assert_eq!(standing, expected);
    assert_eq!(called.iter().filter(|trend| !claim_clause(trend).ends_with("flat")).count(), 12);
    let pooled: Vec<(&str, &str)> = trends()
        .filter(|(_, trend)| trend.pooled.is_some_and(|test| test.p_holm < 0.05))
        .map(|(study, trend)| (study.budget.as_str(), trend.parameter.as_str()))
        .collect();
    let expected = [
        ("2M", "learning_rate"),
        ("20M", "d_model"),
        ("20M", "dropout"),
        ("200M", "d_model"),
        ("200M", "learning_rate"),
    ];
    assert_eq!(pooled, expected);
}

#[test]
fn the_seeds_other_conclusions() {
    let Some(lint) = seed("the_seeds_other_conclusions") else { return };
    let scaling = on(&lint, Subject::Scaling);
    assert_eq!((scaling[0].line, scaling[0].standing), (17, Standing::DoesNotStand));
    let reason = reason_clause(scaling[0], &lint);
    for said in ["undecided", "in the mean of all trials", "other validation rows", "20M < 2M < 200M"] {
        assert!(reason.contains(said), "`{said}` is missing from {reason}");
    }
    let blocks: Vec<Option<u64>> = lint.scaling.sizes.iter().map(|size| size.blocks).collect();
    assert_eq!(blocks, [Some(221_184), Some(131_072), Some(1_179_648)]);
    assert!(lint.consistency.iter().all(|one| one.agreement == Agreement::Compatible));
    assert!(on(&lint, Subject::Consistency).iter().all(|one| one.standing == Standing::DoesNotStand));
    assert!(on(&lint, Subject::Collapse).iter().all(|one| one.standing == Standing::CannotBeTold));
    let sums: Vec<String> =
        lint.studies.iter().map(|study| format!("{:.3}", study.importance.sum.unwrap())).collect();
    assert_eq!(sums, ["0.868", "1.710", "1.186"]);
    for study in &lint.studies {
        assert!(study.edges.iter().any(|edge| edge.parameter == "n_layers"), "fewest layers every time");
    }
    let coverage = &lint.studies[0].coverage[0];
    assert_eq!(
        (25 - coverage.empty_cells, format!("{:.2}", coverage.cramers_v.unwrap())),
        (16, "0.39".into())
    );
}

#[test]
fn without_rows_the_seeds_verdict_is_held_against_its_trials_alone() {
    let test = "without_rows_the_seeds_verdict_is_held_against_its_trials_alone";
    let Some(path) = allometry_testkit::reference_file(test, "seed/report.md") else { return };
    let lint = linted(&std::fs::read_to_string(path).unwrap(), &Knowledge::default());
    let scaling = on(&lint, Subject::Scaling);
    assert_eq!(scaling[0].standing, Standing::DoesNotStand);
    let reason = reason_clause(scaling[0], &lint);
    assert!(reason.contains("leaves out other validation rows"), "{reason}");
    assert!(reason.contains("20M < 2M < 200M"), "blocks order the budgets: {reason}");
}

/// A ladder whose report has every section, told apart enough that alterations show.
fn ladder() -> LadderTrials {
    let mut ladder = support::synthetic();
    for (position, study) in ladder.studies.iter_mut().enumerate() {
        for trial in &mut study.trials {
            let number = trial.number.0;
            trial.params.insert("n_heads", [2_i64, 4][(number % 2) as usize]);
            trial.params.insert("learning_rate", [1e-4, 3e-4, 1e-3][(number / 2 % 3) as usize]);
            trial.params.insert("weight_decay", [0.0, 1e-4][(number / 3 % 2) as usize]);
        }
        let best = study.trials[position].params.clone();
        study.best_params = Some(best);
    }
    ladder
}

#[test]
fn a_small_report_looks_as_committed() {
    let text = classic(&ladder());
    let size = |params: &Params| Some(support::seed_size(params));
    let rows = Some(ClassCounts { positives: 123, negatives: 594 });
    insta::assert_snapshot!(lint(&linted(&text, &Knowledge { rows, size: Some(&size) }), "report.md"));
}

#[test]
fn documents_read_back() {
    let found = linted(&classic(&ladder()), &Knowledge::default());
    let document: LintDocument = serde_json::from_str(&lint_json(&found, "report.md")).unwrap();
    assert_eq!(document.lint, words::lint(&found));
}

/// Adds to the number that starts at `at` in units of its last digit.
fn raised(text: &str, at: usize, units: i64) -> String {
    let end = text[at..].find(|c: char| !c.is_ascii_digit() && c != '.').map_or(text.len(), |end| at + end);
    let digits = &text[at..end];
    let decimals = digits.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let number: f64 = digits.parse().unwrap();
    let raised = number + units as f64 * 10_f64.powi(-(decimals as i32));
    format!("{}{raised:.decimals$}{}", &text[..at], &text[end..])
}

/// Alters the line that starts with `prefix`, the first behind `behind`, at its last number.
#[track_caller]
fn altered(report: &str, behind: &str, prefix: &str, column_from_end: usize, units: i64) -> (String, u64) {
    let start = report.lines().position(|line| line == behind).unwrap_or_else(|| panic!("no line {behind}"));
    let found = report.lines().enumerate().skip(start).find(|(_, line)| line.starts_with(prefix));
    let (number, line) = found.unwrap_or_else(|| panic!("no line {prefix}"));
    let ends: Vec<usize> = line
        .char_indices()
        .filter(|(at, c)| {
            c.is_ascii_digit() && !line[..*at].ends_with(|c: char| c.is_ascii_digit() || c == '.' || c == '-')
        })
        .map(|(at, _)| at)
        .collect();
    let at = ends[ends.len() - 1 - column_from_end];
    let mut lines: Vec<String> = report.lines().map(str::to_owned).collect();
    lines[number] = raised(line, at, units);
    assert_ne!(lines[number], line);
    (lines.join("\n"), number as u64 + 1)
}

/// Every alteration is found, and its line named: as the one that is off, or as one that it was held against,
/// or the table that it is in.
#[test]
fn alterations_are_caught_and_named() {
    let report = classic(&ladder());
    assert_eq!(linted(&report, &Knowledge::default()).contradictions, []);
    let budget = "# HPO Analysis: 400k (v2)";
    let cases = [
        ("the table of best results", altered(&report, "## Best Results by Budget", "| 400k", 5, 1)),
        ("the list of maxima", altered(&report, "## Scaling Law Analysis", "- 400k", 0, 1)),
        (
            "the comparison of best values",
            altered(&report, "## Parameter Consistency Across Budgets", "- **dropout", 0, 1),
        ),
        ("the number of trials", altered(&report, budget, "- Total trials", 0, -1)),
        ("the best value", altered(&report, budget, "- Best AUC", 0, 1)),
        ("the mean", altered(&report, budget, "- Mean AUC", 0, 3)),
        ("the deviation", altered(&report, budget, "- Std AUC", 0, 4)),
        ("a best parameter", altered(&report, budget, "  - n_layers", 0, 1)),
        ("an importance", altered(&report, budget, "  n_layers ", 0, 300)),
        ("a combination", altered(&report, "### d_model × n_layers", "| 48", 0, 1)),
        ("a worst mean", altered(&report, budget, "- Worst value", 0, 2)),
    ];
    for (what, (text, line)) in cases {
        let found = linted(&text, &Knowledge::default()).contradictions;
        let named = found.iter().any(|found| found.line == line || found.against.contains(&line));
        assert!(named, "{what} (line {line}): {found:#?}");
    }
    let tables = [
        ("a count", altered(&report, budget, "| 2 |", 0, 1)),
        ("a mean", altered(&report, budget, "| 2 |", 2, 40)),
        ("a deviation", altered(&report, budget, "| 2 |", 1, 90)),
    ];
    for (what, (text, line)) in tables {
        let found = linted(&text, &Knowledge::default()).contradictions;
        let heading = text.lines().take(line as usize).collect::<Vec<_>>();
        let heading = heading.iter().rposition(|line| line.starts_with("### ")).unwrap() as u64 + 1;
        let named = found.iter().any(|found| {
            let lines = || found.against.iter().copied().chain([found.line]);
            lines().any(|place| place == line || place == heading)
        });
        assert!(named, "{what} (line {line}): {found:#?}");
    }
}

#[test]
fn altered_words_are_caught() {
    let report = classic(&ladder());
    let cases = [
        ("**Scaling law PARTIAL**: Non-monotonic relationship", "**Scaling law HOLDS**: 1.6M > 400k > 100k"),
        ("- **dropout**: Inconsistent", "- **dropout**: Consistent"),
        ("| 100k | Yes |", "| 100k | No |"),
        ("**WARNING: Probability collapse detected!**", "No probability collapse detected."),
        ("- Trend: **flat**", "- Trend: **increasing**"),
        ("- Best value: 48 ", "- Best value: 64 "),
        ("| ######### ", "| ########## "),
    ];
    for (old, new) in cases {
        let at = report.find(old).unwrap_or_else(|| panic!("no {old}"));
        let line = report[..at].matches('\n').count() as u64 + 1;
        let found = linted(&report.replacen(old, new, 1), &Knowledge::default()).contradictions;
        let named = found.iter().any(|found| found.line == line || found.against.contains(&line));
        assert!(named, "{new} (line {line}): {found:#?}");
    }
}

/// `HOLDS` is written with the largest first; another order of labels is as wrong as another word.
#[test]
fn a_verdict_is_held_against_its_labels() {
    let trials = |value: f64| {
        serde_json::json!([
            {"number": 0, "state": "COMPLETE", "value": value, "params": {"d_model": 8}}
        ])
    };
    let studies = [("s", 0.6), ("m", 0.7), ("l", 0.8)];
    let studies = studies.map(|(label, value)| support::study(label, &trials(value), None));
    let report = classic(&support::ladder(None, "AUC", studies.to_vec()));
    assert_eq!(linted(&report, &Knowledge::default()).contradictions, []);
    let swapped = report.replace("**: l > m > s", "**: m > l > s");
    assert_eq!(linted(&swapped, &Knowledge::default()).contradictions.len(), 1);
}

#[test]
fn errors_name_the_line_and_what_was_expected() {
    let report = classic(&ladder());
    let cases = [
        ("- Total trials: 16", "- Total trials: many", "a number of trials"),
        ("- Mean AUC: 0", "- Mean AUC: O", "a number with decimals"),
        ("- Trend: **", "- Trend: **rising", "increasing, decreasing"),
        ("**Scaling law ", "**Scaling law WON", "VIOLATED or PARTIAL"),
        ("| Value | Mean AUC | Std | Count |", "| Value | Mean AUC | Std | N |", "ends in Count"),
        ("Inconsistent - {", "Inconsistent - [", "Inconsistent"),
    ];
    for (old, new, expected) in cases {
        let at = report.find(old).unwrap_or_else(|| panic!("no {old}"));
        let error = read(&report.replacen(old, new, 1)).unwrap_err();
        let line_of = report[..at].matches('\n').count() as u64 + 1;
        let ReadError::Malformed { line, expected: said, .. } = &error else { panic!("{error}") };
        assert_eq!(*line, line_of, "{error}");
        assert!(said.contains(expected), "{error}");
        assert!(error.hint().is_some());
    }
    assert_eq!(read("# A diary\n\nMonday.\n"), Err(ReadError::NoReport));
    let full = "# Cross-Budget HPO Comparison: x\n\n## Summary\n\n**Do more weights pay?** Undecided.\n";
    assert_eq!(read(full), Err(ReadError::FullReport { line: 5 }));
}

#[test]
fn parts_of_a_report_are_enough() {
    let report = classic(&ladder());
    let start = report.find("# HPO Analysis: 400k").unwrap();
    let lint = linted(&report[start..], &Knowledge::default());
    assert_eq!((lint.contradictions, lint.notes), (vec![], vec![]));
    assert_eq!(lint.studies[0].budget, "400k");
    assert_eq!((lint.metric.as_str(), lint.tag.as_deref()), ("AUC", Some("v2")));
    let first = read(&report[..report.find("\n---\n").unwrap()]).unwrap();
    assert_eq!(first.studies, []);
    assert!(first.verdict.is_some_and(|verdict| verdict.value.word == NaiveScaling::Partial));
    assert_ne!(first.collapse[0].outcome, NaiveOutcome::Unknown);
    let added = read(&format!("{report}\n## My remarks\n\nGood.\nVery good.\n\nBad.\n")).unwrap();
    assert_eq!(added.unread.len(), 1, "a run of lines is one remark");
}
