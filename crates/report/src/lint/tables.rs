//! The figures that can be recomputed from the tables of the report.

use allometry_analysis::Lint;
use allometry_analysis::coverage::Step;
use allometry_analysis::lint::{BudgetOrder, OneWayLint, StudyLint, TrendLint};
use allometry_core::{ModelSize, human_weights};

use crate::markdown::escape;
use crate::number::{UNKNOWN, decimals, grouped, interval, known, known_p};
use crate::text::Text;

pub(super) fn render(text: &mut Text, lint: &Lint) {
    text.heading(2, format_args!("Recomputed: all budgets"));
    sizes(text, lint);
    differences(text, lint);
    consistency(text, lint);
    for study in &lint.studies {
        text.heading(2, format_args!("Recomputed: {}", escape(&study.budget)));
        importance(text, study);
        trends(text, study);
        coverage(text, study);
    }
}

fn sizes(text: &mut Text, lint: &Lint) {
    if lint.scaling.sizes.is_empty() {
        return;
    }
    text.heading(3, format_args!("Sizes of the best models"));
    let weights = |size: Option<ModelSize>| size.map_or_else(|| UNKNOWN.into(), |size| grouped(size.total));
    text.table(
        &["Budget", "Label says", "Exact weights", "Weights of the blocks", "Largest width and depth tried"],
        lint.scaling.sizes.iter().map(|size| {
            vec![
                escape(&size.budget),
                size.nominal.map_or_else(|| "no size".into(), human_weights),
                weights(size.exact),
                size.blocks.map_or_else(|| UNKNOWN.into(), grouped),
                size.largest_tried.map_or_else(|| UNKNOWN.into(), |size| size.to_string()),
            ]
        }),
    );
    text.blank();
    text.line(format_args!(
        "Blocks: `n_layers (4 + 2 d_ff_ratio) d_model²`. Exact weights need `--weights`. In the last column, \
         the other parameters are those of the best model."
    ));
}

fn differences(text: &mut Text, lint: &Lint) {
    if lint.scaling.differences.is_empty() {
        return;
    }
    text.heading(3, format_args!("Differences between budgets"));
    let order = match lint.scaling.order {
        BudgetOrder::ExactSizes => "by the exact sizes of the best models",
        BudgetOrder::BlockWeights => "by the weights of the best models' blocks",
        BudgetOrder::Given => "in the given order, because sizes are unknown",
    };
    let rows_given =
        if lint.rows.is_none() { " To cover other rows, use `--rows POSITIVES:NEGATIVES`." } else { "" };
    text.line(format_args!("Gain of the larger over the smaller, {order}.{rows_given}"));
    text.blank();
    let level = lint.level * 100.0;
    text.table(
        &["Larger", "Smaller", "Gain in the mean trial", &format!("{level:.0}% interval"), "t", "p (Holm)"],
        lint.scaling.differences.iter().map(|difference| {
            vec![
                escape(&difference.larger),
                escape(&difference.smaller),
                crate::number::signed(difference.gain.point),
                interval(difference.gain.interval),
                difference.gain.z().map_or_else(|| UNKNOWN.into(), |t| format!("{t:.2}")),
                known_p(difference.p_holm),
            ]
        }),
    );
}

fn consistency(text: &mut Text, lint: &Lint) {
    if lint.consistency.is_empty() {
        return;
    }
    text.heading(3, format_args!("Values that may be best"));
    let budgets: Vec<String> = lint.studies.iter().map(|study| escape(&study.budget)).collect();
    let header: Vec<&str> = ["Parameter"]
        .into_iter()
        .chain(budgets.iter().map(String::as_str))
        .chain(["One value for all budgets", "Which"])
        .collect();
    text.table(
        &header,
        lint.consistency.iter().map(|one| {
            let mut sets = one.budgets.iter().peekable();
            let cells = lint.studies.iter().map(|study| {
                let set = sets.next_if(|set| set.budget == study.budget);
                set.map_or_else(
                    || UNKNOWN.into(),
                    |set| {
                        let all = set.values.possible.len() == set.values.tried.len();
                        if all { "any".into() } else { values(&set.values.possible) }
                    },
                )
            });
            [escape(&one.parameter)]
                .into_iter()
                .chain(cells)
                .chain([format!("**{}**", one.agreement.as_str()), values(&one.common)])
                .collect()
        }),
    );
    text.blank();
    text.line(format_args!(
        "A value is left out if the mean of another value is significantly better (one-sided Welch tests, \
         Holm's adjustment)."
    ));
}

fn values(steps: &[Step]) -> String {
    let values: Vec<String> = steps.iter().map(|step| escape(&step.value.to_string())).collect();
    if values.is_empty() { "none".into() } else { values.join(", ") }
}

fn importance(text: &mut Text, study: &StudyLint) {
    if study.importance.parameters.is_empty() {
        return;
    }
    text.heading(3, format_args!("Importance, one parameter at a time"));
    text.table(
        &["Parameter", "Report", "Recomputed", "By chance", "F", "p", "p (Holm)", "epsilon²", "omega²"],
        study.importance.parameters.iter().map(|one| {
            vec![
                escape(&one.parameter),
                decimals(one.stated),
                known(one.recomputed),
                known(one.by_chance),
                f(one),
                known_p(one.p),
                known_p(one.p_holm),
                known(one.epsilon_squared),
                known(one.omega_squared),
            ]
        }),
    );
    if let Some(sum) = study.importance.sum {
        text.blank();
        text.line(format_args!(
            "The report's figures add up to {sum:.3}. Holm over {} tests. Effects adjusted for other \
             parameters cannot be computed without the trials.",
            study.importance.tested
        ));
    }
}

fn f(one: &OneWayLint) -> String {
    match (one.f, one.freedom) {
        (Some(f), Some((between, within))) => format!("{f:.2} ({between}, {within})"),
        (None, Some(_)) => "infinite".into(),
        _ => UNKNOWN.into(),
    }
}

fn trends(text: &mut Text, study: &StudyLint) {
    if study.trends.is_empty() {
        return;
    }
    text.heading(3, format_args!("Trends"));
    text.table(
        &[
            "Parameter",
            "Report",
            "Slope per step",
            "p",
            "p (Holm)",
            "p (Holm), pooled",
            "Change, first to last",
            "Fewer than 5 trials",
            "May be best",
        ],
        study.trends.iter().map(trend),
    );
    text.blank();
    text.line(format_args!(
        "Slope: linear contrast of the means over the ordered values, unequal variances \
         (Welch-Satterthwaite), Holm over all trends of the report. *Pooled* assumes one variance for all \
         values: it is right if their variances are equal, and its p is too small if a value with few trials \
         varies more. The first slope leaves out values with one trial."
    ));
}

fn trend(trend: &TrendLint) -> Vec<String> {
    let slope = trend
        .contrast
        .map(|c| format!("{} ± {}", crate::number::signed(c.slope), decimals(c.standard_error)));
    let change = trend.change.map(|change| {
        format!("{} ({})", crate::number::signed(change.point), interval(Some(change.interval)))
    });
    let thin: Vec<String> = trend.thin.iter().map(|value| escape(&value.to_string())).collect();
    vec![
        escape(&trend.parameter),
        trend.stated.map_or_else(|| UNKNOWN.into(), |word| escape(word.as_str())),
        slope.unwrap_or_else(|| UNKNOWN.into()),
        known_p(trend.contrast.map(|contrast| contrast.p)),
        known_p(trend.contrast.map(|contrast| contrast.p_holm)),
        known_p(trend.pooled.map(|contrast| contrast.p_holm)),
        change.unwrap_or_else(|| UNKNOWN.into()),
        if thin.is_empty() { "none".into() } else { thin.join(", ") },
        values(&trend.best_values.possible),
    ]
}

fn coverage(text: &mut Text, study: &StudyLint) {
    if study.coverage.is_empty() {
        return;
    }
    text.heading(3, format_args!("Coverage"));
    text.table(
        &["Pair", "Cells", "Empty", "Empty by chance", "Largest cell", "Effective cells", "Cramér's V"],
        study.coverage.iter().map(|pair| {
            vec![
                format!("{} × {}", escape(&pair.row_parameter), escape(&pair.column_parameter)),
                (pair.rows.len() * pair.columns.len()).to_string(),
                pair.empty_cells.to_string(),
                format!("{:.1}", pair.empty_by_chance),
                pair.largest_cell.to_string(),
                format!("{:.1}", pair.effective_cells),
                pair.cramers_v.map_or_else(|| UNKNOWN.into(), |v| format!("{v:.2}")),
            ]
        }),
    );
    text.blank();
    text.line(format_args!(
        "V is corrected for chance: 0 if the two were varied independently, 1 if one determines the other."
    ));
}
