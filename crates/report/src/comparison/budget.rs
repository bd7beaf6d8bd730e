//! One budget in two ladders: importances, best configurations, all trials.

use allometry_analysis::comparison::{
    BudgetComparison, ComparedImportance, DistributionComparison, ImportanceComparison, OptimumComparison,
    Survival, ValueDistribution,
};
use allometry_analysis::consistency::Agreement;
use allometry_analysis::{Comparison, Estimate};
use allometry_core::ParamValue;

use crate::markdown::{escape, steps};
use crate::number::{UNKNOWN, decimals, known_p, percent, share, short, signed3};
use crate::text::Text;

pub(super) fn render(text: &mut Text, budget: &BudgetComparison, comparison: &Comparison) {
    if budget.optimum.is_empty() && budget.importance.is_empty() && budget.distribution.is_none() {
        return;
    }
    text.blank();
    text.line(format_args!("---"));
    text.heading(2, format_args!("Budget {}", escape(&budget.budget)));
    optimum(text, budget);
    importance(text, budget);
    if let Some(distribution) = &budget.distribution {
        self::distribution(text, distribution, comparison);
    }
}

fn optimum(text: &mut Text, budget: &BudgetComparison) {
    if budget.optimum.is_empty() {
        return;
    }
    text.heading(3, format_args!("Best configurations"));
    if budget.optimum.iter().all(|optimum| !optimum.differs) {
        let values = budget
            .optimum
            .iter()
            .map(|optimum| format!("{} {}", escape(&optimum.parameter), best_value(optimum.a.as_ref())));
        text.line(format_args!("Equal in both: {}.", values.collect::<Vec<String>>().join(", ")));
        return;
    }
    text.table(
        &["Parameter", "A", "B", "", "May one value be best in both?", "Which"],
        budget.optimum.iter().map(|optimum| {
            let OptimumComparison { parameter, a, b, differs, agreement, common } = optimum;
            let which = if *agreement == Agreement::Compatible { steps(common) } else { String::new() };
            vec![
                escape(parameter),
                best_value(a.as_ref()),
                best_value(b.as_ref()),
                if *differs { "≠".into() } else { String::new() },
                agreement.as_str().to_owned(),
                which,
            ]
        }),
    );
}

fn best_value(value: Option<&ParamValue>) -> String {
    value.map_or_else(|| "N/A".into(), |value| escape(&short(value)))
}

fn importance(text: &mut Text, budget: &BudgetComparison) {
    if budget.importance.is_empty() {
        return;
    }
    text.heading(3, format_args!("Importance"));
    if budget.importance.iter().all(|importance| importance.a == importance.b) {
        text.line(format_args!("Every figure is equal in both."));
        return;
    }
    let (known, untested): (Vec<&ImportanceComparison>, Vec<_>) =
        budget.importance.iter().partition(|importance| is_known(importance.a) || is_known(importance.b));
    let omega = |side: Option<ComparedImportance>| {
        side.and_then(|side| side.partial_omega_squared)
            .map_or_else(|| UNKNOWN.into(), |share| signed3(share.point))
    };
    let p = |side: Option<ComparedImportance>| known_p(side.and_then(|side| side.p_holm));
    let share = |side: Option<ComparedImportance>| {
        side.and_then(|side| side.share).map_or_else(|| UNKNOWN.into(), share)
    };
    if !known.is_empty() {
        text.table(
            &[
                "Parameter",
                "A: ω²",
                "B: ω²",
                "A: p (Holm)",
                "B: p (Holm)",
                "Survives in",
                "A: share",
                "B: share",
                "Intervals of the shares",
            ],
            known.iter().map(|importance| {
                vec![
                    escape(&importance.parameter),
                    omega(importance.a),
                    omega(importance.b),
                    p(importance.a),
                    p(importance.b),
                    survives(importance.survives).to_owned(),
                    share(importance.a),
                    share(importance.b),
                    match importance.shares_overlap {
                        Some(true) => "overlap".into(),
                        Some(false) => "**apart**".into(),
                        None => UNKNOWN.into(),
                    },
                ]
            }),
        );
        text.blank();
    }
    if !untested.is_empty() {
        let names: Vec<String> = untested.iter().map(|importance| escape(&importance.parameter)).collect();
        text.line(format_args!("Tested in neither: {}.", names.join(", ")));
    }
}

fn is_known(side: Option<ComparedImportance>) -> bool {
    side.is_some_and(|side| side.partial_omega_squared.is_some() || side.share.is_some())
}

fn survives(survival: Survival) -> &'static str {
    match survival {
        Survival::Both => "both",
        Survival::OnlyA => "A only",
        Survival::OnlyB => "B only",
        Survival::Neither => "neither",
        Survival::Unknown => UNKNOWN,
    }
}

fn distribution(text: &mut Text, distribution: &DistributionComparison, comparison: &Comparison) {
    text.heading(3, format_args!("All trials"));
    let row = |name: &str, values: &ValueDistribution| {
        vec![
            name.to_owned(),
            values.evaluations.to_string(),
            decimals(values.lower_quartile),
            decimals(values.median),
            decimals(values.upper_quartile),
        ]
    };
    text.table(
        &[
            "",
            "Distinct evaluations",
            "Lower quartile",
            &format!("Median {}", escape(&comparison.a.metric)),
            "Upper quartile",
        ],
        [row("A", &distribution.a), row("B", &distribution.b)],
    );
    let Estimate { point, interval, level, .. } = distribution.superiority;
    let interval = interval.map_or_else(
        || "interval unknown".into(),
        |interval| {
            format!(
                "{:.0}% interval {} to {}",
                level * 100.0,
                percent(interval.lower),
                percent(interval.upper)
            )
        },
    );
    text.blank();
    text.line(format_args!(
        "A trial of B's search is better than one of A's with probability {} ({interval}), p (Holm) {}. \
         This compares searches rather than models.",
        percent(point),
        known_p(distribution.p_holm)
    ));
}
