//! Two ladders side by side: the look, the committed schema, what the seed's trials give.

use allometry_analysis::comparison::{Preference, Survival};
use allometry_analysis::{Analysis, Comparison, Finding, FindingCode, LadderTrials, Options, Side, analyze};
use allometry_core::Metrics;
use allometry_core::{ClassCounts, Direction};
use allometry_report::{
    ComparisonDocument, comparison, comparison_json, comparison_json_schema, json, read_json, words,
};

use crate::support;

const SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/comparison.schema.json");

#[test]
fn the_committed_schema_is_that_of_the_types() {
    support::assert_committed(SCHEMA, &comparison_json_schema());
}

fn compare(a: (&LadderTrials, &Analysis), b: (&LadderTrials, &Analysis)) -> Comparison {
    let side = |source, (trials, analysis)| Side { source, analysis, trials: Some(trials) };
    Comparison::new(&side("before.db", a), &side("after.db", b))
}

/// Another feature tier: one budget lacks, one is new, widths help more, other rows, no baselines.
fn other_tier() -> LadderTrials {
    let mut ladder = support::synthetic();
    ladder.tag = Some("v3".into());
    ladder.rows = Some(ClassCounts { positives: 1_230, negatives: 5_940 });
    ladder.baselines.clear();
    ladder.studies[2].budget.label = "6.4M".into();
    for trial in &mut ladder.studies[1].trials {
        trial.values.iter_mut().for_each(|value| *value += 0.06);
    }
    ladder
}

fn made() -> [Comparison; 2] {
    let (a, b) = (support::synthetic(), other_tier());
    let (first, second) = (analyze(&a, &Options::default()), analyze(&b, &Options::default()));
    let mut odd = support::odd();
    odd.metrics = Metrics::one("log | loss", Direction::Maximize);
    let odd_analysis = analyze(&odd, &Options::default());
    let unlike = support::odd();
    let unlike_analysis = analyze(&unlike, &Options::default());
    [compare((&a, &first), (&b, &second)), compare((&odd, &odd_analysis), (&unlike, &unlike_analysis))]
}

#[test]
fn two_small_ladders_look_as_committed() {
    insta::assert_snapshot!(comparison(&made()[0]));
}

#[test]
fn odd_input_looks_as_committed() {
    insta::assert_snapshot!(comparison(&made()[1]));
}

#[test]
fn documents_satisfy_the_schema_and_read_back() {
    for comparison in made() {
        let document: ComparisonDocument = serde_json::from_str(&comparison_json(&comparison)).unwrap();
        assert_eq!(document.comparison, words::comparison(&comparison));
    }
    support::assert_valid("comparisons_satisfy_the_schema", SCHEMA, &made().map(|one| comparison_json(&one)));
}

/// A document has text where an analysis of trials has reasons; that is no difference.
#[test]
fn a_document_is_identical_to_the_analysis_that_it_was_written_from() {
    let analysis = analyze(&support::synthetic(), &Options::default());
    let document = read_json(&json(&analysis)).unwrap();
    let side = |analysis| Side { source: "report.json", analysis, trials: None };
    let both = Comparison::new(&side(&document), &side(&analysis));
    assert!(both.identical);
    let stayed = words::comparison(&both).findings.stayed;
    assert!(!stayed.is_empty() && stayed.iter().all(|finding| finding.a == finding.b));
}

/// The 20M trials replaced by those of 200M.
#[test]
fn a_replaced_budget_of_the_seed_is_found() {
    let Some(ladder) = support::seed("a_replaced_budget_of_the_seed_is_found") else { return };
    let mut a = support::with_seed_sizes(ladder);
    a.rows = Some(ClassCounts { positives: 76, negatives: 346 });
    let mut b = a.clone();
    b.studies[1] = b.studies[2].clone();
    b.studies[1].budget.label = "20M".into();
    let (first, second) = (analyze(&a, &Options::default()), analyze(&b, &Options::default()));
    let comparison = compare((&a, &first), (&b, &second));
    let outcomes: Vec<Preference> = comparison.budgets.iter().map(|budget| budget.outcome).collect();
    assert_eq!(outcomes, [Preference::Equivalent, Preference::Undecided, Preference::Equivalent]);
    let best = [&comparison.budgets[1].a, &comparison.budgets[1].b].map(|one| one.best.unwrap().point);
    assert_eq!(best.map(|best| format!("{best:.7}")), ["0.7245969", "0.7147095"]);
    let survives: Vec<(&str, Survival)> = comparison.budgets[1]
        .importance
        .iter()
        .filter(|importance| importance.survives != Survival::Neither)
        .map(|importance| (importance.parameter.as_str(), importance.survives))
        .collect();
    assert_eq!(
        survives,
        [
            ("dropout", Survival::OnlyA),
            ("d_model", Survival::OnlyA),
            ("d_ff_ratio", Survival::OnlyA),
            ("learning_rate", Survival::OnlyB)
        ]
    );
    assert!(comparison.budgets[1].optimum.iter().all(|optimum| optimum.differs));
    assert!(comparison.budgets[0].optimum.iter().all(|optimum| !optimum.differs));
    let codes = |findings: &[Finding]| findings.iter().map(|one| one.code).collect::<Vec<FindingCode>>();
    // The 200M trials' best learning rate, 1e-05, is the lowest tried; that of 20M, 1e-04, is not. Without
    // the 20M trials, which look as if a search that learns chose them, the sizes are compared and are too
    // few.
    let appeared = codes(&comparison.findings.appeared);
    assert_eq!(appeared, [FindingCode::LearningRateEdge, FindingCode::TooFewSizes]);
    let gone = codes(&comparison.findings.gone);
    assert_eq!(
        gone,
        [FindingCode::SizesOutOfOrder, FindingCode::SearchedDifferently, FindingCode::BudgetOutOfReach]
    );
    assert_eq!(comparison.budgets[0].distribution.unwrap().superiority.point, 0.5);
}
