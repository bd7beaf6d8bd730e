//! What the analysis must and must not conclude from the seed's trials.

use allometry_analysis::trend::TrendClass;
use allometry_analysis::{Analysis, Options, analyze};
use allometry_core::ClassCounts;

use crate::support;

fn analysis(test: &str) -> Option<Analysis> {
    let mut ladder = support::with_seed_sizes(support::seed(test)?);
    ladder.rows = Some(ClassCounts { positives: 76, negatives: 346 });
    Some(analyze(&ladder, &Options::default()))
}

/// Every repeat among these trials has the very same value, so that 41, 34 and 32 evaluations remain; F and p agree with
/// statsmodels' `anova_lm(typ=2)` on these.
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
    for study in &analysis.studies {
        println!(
            "{:?}",
            study
                .trends
                .iter()
                .map(|t| (
                    t.parameter.clone(),
                    t.adjusted.as_ref().map(|a| (a.class, a.p_holm, a.p_inside_holm))
                ))
                .collect::<Vec<_>>()
        );
    }
}
