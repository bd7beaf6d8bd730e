//! Tables across budgets.

use allometry_analysis::edge::End;
use allometry_analysis::{Analysis, StudyAnalysis};

use super::parameters;
use crate::markdown::{escape, steps};
use crate::number::{Notation, UNKNOWN, decimals, known_p, short};
use crate::text::Text;

pub(super) fn best_results(text: &mut Text, analysis: &Analysis) {
    let title = if analysis.studies.len() == 1 { "Best Result" } else { "Best Results by Budget" };
    text.heading(2, format_args!("{title}"));
    let order: Vec<&str> = analysis
        .studies
        .iter()
        .flat_map(|study| study.trends.iter().map(|trend| trend.parameter.as_str()))
        .collect();
    let names = parameters(analysis.studies.iter().filter_map(StudyAnalysis::best_params), &order);
    let notations: Vec<Notation> = names
        .iter()
        .map(|name| Notation::of(analysis.studies.iter().filter_map(|study| study.best_params()?.get(name))))
        .collect();
    let header: Vec<String> = ["Budget".to_owned(), format!("Best {}", escape(&analysis.metric))]
        .into_iter()
        .chain(names.iter().map(|name| escape(name)))
        .collect();
    text.table(
        &header,
        analysis.studies.iter().map(|study| {
            let best = study.summary.incumbent().map(|best| decimals(best.value.point));
            let mut cells = vec![escape(&study.budget.label), best.unwrap_or_else(|| UNKNOWN.into())];
            let named = names.iter().zip(&notations);
            cells.extend(named.map(|(name, notation)| best_value(study, name, *notation)));
            cells
        }),
    );
    if analysis.studies.iter().any(|study| study.edges.iter().any(allometry_analysis::edge::Edge::is_telling))
    {
        text.blank();
        text.line(format_args!(
            "↓ marks the lowest value of a range, ↑ the highest. Ranges of two values and the value zero are \
             not marked. If a finding says so, the optimum may lie outside the range."
        ));
    }
}

/// Returns a parameter's best value, with a mark if it lies at an end of its range.
fn best_value(study: &StudyAnalysis, name: &str, notation: Notation) -> String {
    let Some(value) = study.best_params().and_then(|params| params.get(name)) else { return "N/A".into() };
    let edge =
        study.edges.iter().find(|edge| edge.parameter == name && edge.is_telling() && edge.value == *value);
    let mark = match edge.map(|edge| edge.end) {
        Some(End::Lowest) => " ↓",
        Some(End::Highest) => " ↑",
        None => "",
    };
    format!("{}{mark}", escape(&notation.write(value)))
}

pub(super) fn consistency(text: &mut Text, analysis: &Analysis) {
    text.heading(2, format_args!("Parameter Consistency Across Budgets"));
    if analysis.consistency.is_empty() {
        text.line(format_args!("The best configurations have no parameter to compare."));
        return;
    }
    let labels: Vec<String> = analysis.studies.iter().map(|study| escape(&study.budget.label)).collect();
    let mut header = vec!["Parameter"];
    header.extend(labels.iter().map(String::as_str));
    header.extend(["May one value be best everywhere?", "Which", "Budgets differ, p (Holm)"]);
    text.table(
        &header,
        analysis.consistency.iter().map(|consistency| {
            let mut cells = vec![escape(&consistency.parameter)];
            cells.extend(analysis.studies.iter().map(|study| {
                let value = study.best_params().and_then(|params| params.get(&consistency.parameter));
                let value = value.map_or_else(|| "N/A".into(), |value| escape(&short(value)));
                format!("{value}{}", possible(study, &consistency.parameter))
            }));
            cells.push(format!("**{}**", consistency.agreement.as_str()));
            cells.push(steps(&consistency.common));
            cells.push(known_p(consistency.interaction.and_then(|interaction| interaction.p_holm)));
            cells
        }),
    );
    text.blank();
    text.line(format_args!(
        "Each cell shows the value of the best trial and, in brackets, all values that may be best in the \
         budget: no other value is significantly better than these (one-sided Welch tests on distinct \
         evaluations, Holm's adjustment). *Budgets differ* tests whether the effect of the parameter differs \
         between budgets, adjusted for the number of parameters in the table. If trials with different \
         values are equally good within their error, the value of the best trial is chance."
    ));
}

/// Returns the values that may be best, in brackets; `any` if no value is excluded.
fn possible(study: &StudyAnalysis, parameter: &str) -> String {
    match study.best_values.iter().find(|set| set.parameter == parameter) {
        None => String::new(),
        Some(set) if set.possible.len() == set.tried.len() => " (any)".into(),
        Some(set) => format!(" ({})", steps(&set.possible)),
    }
}
