//! What the analysis must and must not conclude from the seed's trials.

use allometry_analysis::consistency::Agreement;
use allometry_analysis::trend::TrendClass;
use allometry_analysis::verdict::EvidenceReason;
use allometry_analysis::{Analysis, Options, Outcome, analyze};
use allometry_core::ClassCounts;
use allometry_report::words::verdict::sentence;

use crate::support;

fn analysis(test: &str) -> Option<Analysis> {
    let mut ladder = support::with_seed_sizes(support::seed(test)?);
    ladder.rows = Some(ClassCounts { positives: 76, negatives: 346 });
    Some(analyze(&ladder, &Options::default()))
}

/// Every repeat among these trials has the very same value, so that 41, 34 and 32 evaluations remain; F and p
/// agree with statsmodels' `anova_lm(typ=2)` on these.
#[test]
fn few_importances_survive() {
    let Some(analysis) = analysis("few_importances_survive") else { return };
    let surviving: Vec<(u64, Vec<&str>)> = analysis
        .studies
        .iter()
        .map(|study| &study.importance_model)
        .map(|model| (model.evaluations, model.surviving.iter().map(String::as_str).collect()))
        .collect();
    let expected =
        [(41, vec![]), (34, vec!["d_model", "d_ff_ratio", "dropout"]), (32, vec!["learning_rate"])];
    assert_eq!(surviving, expected);
    for study in &analysis.studies {
        assert_eq!(
            study.importance_model.noise_ceiling, None,
            "repeats that do not differ tell nothing of noise"
        );
        let sum: f64 =
            study.importance.iter().filter_map(|importance| importance.share).map(|share| share.point).sum();
        assert!((sum - study.importance_model.r_squared.unwrap()).abs() < 1e-9, "shares add up");
    }
    let learning_rate =
        analysis.studies[2].importance.iter().find(|one| one.parameter == "learning_rate").unwrap();
    let p_holm = learning_rate.adjusted.unwrap().p_holm.unwrap();
    assert!((p_holm - 0.0014).abs() < 1e-4, "{p_holm}");
}

#[test]
fn few_trends_are_called() {
    let Some(analysis) = analysis("few_trends_are_called") else { return };
    let called: Vec<(&str, &str, TrendClass)> = analysis
        .studies
        .iter()
        .flat_map(|study| study.trends.iter().map(move |trend| (study, trend)))
        .filter_map(|(study, trend)| {
            let class = trend.adjusted.as_ref()?.class;
            let is_called = matches!(class, TrendClass::Increasing | TrendClass::Decreasing);
            is_called.then_some((study.budget.label.as_str(), trend.parameter.as_str(), class))
        })
        .collect();
    assert_eq!(
        called,
        [("20M", "d_model", TrendClass::Decreasing), ("200M", "learning_rate", TrendClass::Decreasing)]
    );
}

#[test]
fn one_value_may_be_best_everywhere() {
    let Some(analysis) = analysis("one_value_may_be_best_everywhere") else { return };
    let agreement: Vec<(&str, Agreement)> =
        analysis.consistency.iter().map(|one| (one.parameter.as_str(), one.agreement)).collect();
    let expected = ["dropout", "learning_rate", "weight_decay"].map(|name| (name, Agreement::Compatible));
    assert_eq!(agreement, expected);
    let learning_rate = &analysis.consistency[1];
    assert_eq!(learning_rate.common.len(), 1);
    assert_eq!(learning_rate.common[0].value, 5e-5.into(), "the only value that no budget excludes");
}

/// Figures that Bergsma's formula and the definitions give by hand from the table of counts.
#[test]
fn width_and_depth_were_not_varied_independently() {
    let Some(analysis) = analysis("width_and_depth_were_not_varied_independently") else { return };
    let coverage = &analysis.studies[0].coverage[0];
    assert_eq!(
        (coverage.row_parameter.as_str(), coverage.column_parameter.as_str()),
        ("d_model", "n_layers")
    );
    assert_eq!(25 - coverage.empty_cells, 16);
    assert_eq!(format!("{:.1}", coverage.effective_cells), "8.8");
    assert_eq!(format!("{:.2}", coverage.cramers_v.unwrap()), "0.39");
    let confounded = &analysis.studies[2].space_coverage.confounded;
    assert!(confounded.iter().any(|pair| pair.first == "d_model" && pair.second == "d_ff_ratio"));
}

#[test]
fn the_seed_is_undecided_and_has_a_slope_within_its_budgets() {
    let Some(analysis) = analysis("the_seed_is_undecided_and_has_a_slope_within_its_budgets") else { return };
    assert_eq!(analysis.verdict.outcome, Outcome::Undecided, "{}", sentence(&analysis));
    // Within budgets the larger models are the worse ones, for whatever goes with their size.
    let within = analysis.scaling.within_budgets.unwrap();
    assert!(within.point < 0.0 && within.interval.is_some(), "{within:?}");
    let mut evidence = analysis.verdict.evidence.iter().filter_map(|one| one.statement.reason());
    assert!(evidence.any(|one| matches!(one, EvidenceReason::WithinBudgets(_))));
    let best = &analysis.studies[0].best_of;
    assert!(best.windows(2).all(|pair| pair[0].expected.point <= pair[1].expected.point));
    assert_eq!(
        best.last().unwrap().expected.point,
        analysis.scaling.points.iter().find(|p| p.budget == "2M").unwrap().best.point
    );
}
