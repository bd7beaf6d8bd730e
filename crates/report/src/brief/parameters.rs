//! What to take from each budget, and which parameters matter.

use allometry_analysis::confirmation::ConfirmedBudget;
use allometry_analysis::consistency::Agreement;
use allometry_analysis::trend::TrendClass;
use allometry_analysis::{Analysis, Estimate, StudyAnalysis};
use allometry_core::{Params, TrialNumber};

use crate::full::parameters;
use crate::markdown::{escape, steps};
use crate::number::{Notation, UNKNOWN, decimals, interval, share};
use crate::text::Text;
use crate::words;

/// Largest number of parameters that a table lists.
const MOST_PARAMETERS: usize = 20;

/// Writes the part on the configuration to take from each budget.
pub(super) fn take(text: &mut Text, analysis: &Analysis) {
    if analysis.studies.iter().any(|study| to_take(study, analysis).is_some()) {
        text.heading(2, format_args!("What to take"));
        taken(text, analysis);
    }
}

/// Writes the configuration to take from each budget, one column per budget.
pub(crate) fn taken(text: &mut Text, analysis: &Analysis) {
    let taken = analysis.studies.iter().map(|study| Some(to_take(study, analysis)?.1));
    let taken: Vec<Option<&Params>> = taken.collect();
    let order: Vec<&str> = analysis
        .studies
        .iter()
        .flat_map(|study| study.trends.iter().map(|trend| trend.parameter.as_str()))
        .collect();
    let names = parameters(taken.iter().copied().flatten(), &order);
    let header: Vec<String> = std::iter::once("Budget".to_owned()).chain(labels(analysis)).collect();
    let mut rows = vec![row("Trial", analysis, |study| {
        to_take(study, analysis).map_or_else(|| UNKNOWN.into(), |(number, _)| number.to_string())
    })];
    let is_confirmed = analysis.studies.iter().any(|study| confirmed(study, analysis).is_some());
    if !is_confirmed {
        rows.push(row(&format!("Mean {} over seeds", escape(&analysis.metric)), analysis, |study| {
            mean(study).map_or_else(|| UNKNOWN.into(), |mean| decimals(mean.point))
        }));
        let ends = |study: &StudyAnalysis| interval(mean(study).and_then(|mean| mean.interval));
        rows.push(row(&mean_level(analysis), analysis, ends));
    }
    for name in names.iter().take(MOST_PARAMETERS) {
        let notation = Notation::of(taken.iter().flatten().filter_map(|params| params.get(name)));
        rows.push(row(&escape(name), analysis, |study| {
            let value = to_take(study, analysis).and_then(|(_, params)| params.get(name));
            value.map_or_else(String::new, |value| escape(&notation.write(value)))
        }));
    }
    text.table(&header, rows);
    text.blank();
    left_out(text, names.len());
    let alone = match &analysis.objectives {
        Some(_) => format!(" The choice is by {} alone.", escape(&analysis.metric)),
        None => String::new(),
    };
    if is_confirmed {
        let best = match analysis.studies.len() {
            1 => "This is the configuration that was the best when it was",
            _ => "These are the configurations that were the best of their budgets when they were",
        };
        text.line(format_args!("{best} trained again under other seeds.{alone}"));
        return;
    }
    let best = match analysis.studies.len() {
        1 => "This is the configuration whose mean over seeds is probably the best",
        _ => "These are the configurations whose means over seeds are probably the best of their budgets",
    };
    text.line(format_args!(
        "{best}, by a Gaussian process over the space; where that is unknown, it is the best trial.{alone}"
    ));
    reasons(text, analysis);
}

/// Writes why means are unknown, one line per reason.
fn reasons(text: &mut Text, analysis: &Analysis) {
    let has_trials = |study: &&StudyAnalysis| study.summary.trials > 0;
    let why = analysis.studies.iter().filter(has_trials).filter_map(|study| {
        Some((words::not_recommended(study.recommended.unknown?), escape(&study.budget.label)))
    });
    let mut by_reason: Vec<(String, Vec<String>)> = Vec::new();
    for (why, label) in why {
        match by_reason.iter_mut().find(|(known, _)| *known == why) {
            Some((_, labels)) => labels.push(label),
            None => by_reason.push((why, vec![label])),
        }
    }
    for (why, labels) in by_reason {
        text.blank();
        let why = escape(&why);
        text.line(format_args!("The mean of {} is unknown, because {why}.", crate::number::listed(&labels)));
    }
}

/// Writes how many parameters a table leaves out, if any.
fn left_out(text: &mut Text, parameters: usize) {
    if parameters > MOST_PARAMETERS {
        let left = crate::number::counted((parameters - MOST_PARAMETERS) as u64, "more parameter");
        text.line(format_args!("The full report has {left}."));
    }
}

fn labels(analysis: &Analysis) -> impl Iterator<Item = String> {
    analysis.studies.iter().map(|study| escape(&study.budget.label))
}

fn row(name: &str, analysis: &Analysis, cell: impl Fn(&StudyAnalysis) -> String) -> Vec<String> {
    std::iter::once(name.to_owned()).chain(analysis.studies.iter().map(cell)).collect()
}

/// Returns the trial to take from a budget and its configuration. After a confirmation this is the
/// configuration that was the best when trained again, which need not be the one that the search recommends.
pub(crate) fn to_take<'a>(
    study: &'a StudyAnalysis,
    analysis: &'a Analysis,
) -> Option<(TrialNumber, &'a Params)> {
    let confirmed = confirmed(study, analysis).map(ConfirmedBudget::chosen);
    confirmed.map(|chosen| (chosen.trial, &chosen.params)).or_else(|| study.to_take())
}

/// Returns the confirmation of a budget, if there is one.
pub(crate) fn confirmed<'a>(study: &StudyAnalysis, analysis: &'a Analysis) -> Option<&'a ConfirmedBudget> {
    let mut budgets = analysis.confirmation.iter().flat_map(|confirmation| &confirmation.budgets);
    budgets.find(|budget| budget.budget == study.budget.label)
}

fn mean(study: &StudyAnalysis) -> Option<Estimate> {
    study.recommended.trial.as_ref()?.mean
}

fn mean_level(analysis: &Analysis) -> String {
    let level = analysis.studies.iter().find_map(|study| Some(mean(study)?.level));
    level.map_or_else(|| "Interval".into(), |level| format!("{:.0}% interval", level * 100.0))
}

/// Writes each parameter's share of the variance in every budget, and whether one value may be best in all of
/// them.
pub(super) fn importance(text: &mut Text, analysis: &Analysis) {
    let all = analysis.parameters_by_share();
    if all.is_empty() {
        return;
    }
    text.heading(2, format_args!("What matters"));
    let compares = analysis.studies.len() > 1;
    let mut header: Vec<String> = std::iter::once("Parameter".to_owned()).chain(labels(analysis)).collect();
    if compares {
        header.push("One value for all budgets?".to_owned());
    }
    let rows = all.iter().take(MOST_PARAMETERS).map(|name| {
        let mut cells = row(&escape(name), analysis, |study| effect(study, name));
        if compares {
            cells.push(agreement(analysis, name));
        }
        cells
    });
    let rows: Vec<Vec<String>> = rows.collect();
    text.table(&header, rows);
    text.blank();
    left_out(text, all.len());
    let level = analysis.options.level * 100.0;
    text.line(format_args!(
        "Share of the variance of {} between trials that a parameter explains, with its {level:.0}% \
         interval; then the direction of its effect, if that is significant. Effects in bold are significant \
         after Holm's adjustment; the others may be chance.",
        escape(&analysis.metric)
    ));
    text.blank();
    learning_rates(text, analysis);
}

/// Writes the best learning rate of each budget, and how it changes with weights and rows.
pub(crate) fn learning_rates(text: &mut Text, analysis: &Analysis) {
    let Some(found) = &analysis.learning_rates else { return };
    let (header, rows) = words::learning_rate_table(found);
    let escaped = |cells: &[String]| cells.iter().map(|cell| escape(cell)).collect::<Vec<String>>();
    text.table(&escaped(&header), rows.iter().map(|cells| escaped(cells)));
    text.blank();
    text.line(format_args!("{}", escape(&words::learning_rates(found))));
}

/// Returns the share of a parameter with its interval, and its trend if that is significant.
fn effect(study: &StudyAnalysis, name: &str) -> String {
    let found = study.importance.iter().find(|one| one.parameter == name).and_then(|one| one.share);
    let Some(estimate) = found else { return UNKNOWN.into() };
    let trend = study.trends.iter().find(|trend| trend.parameter == name);
    let class = trend.and_then(|trend| trend.adjusted.as_ref()).map(|adjusted| adjusted.class);
    let trend = match class {
        None | Some(TrendClass::Flat | TrendClass::Undecided) => String::new(),
        Some(class) => format!(", {}", class.as_str()),
    };
    let text = format!("{}{trend}", share(estimate));
    let is_significant = study.importance_model.surviving.iter().any(|one| one == name);
    if is_significant { format!("**{text}**") } else { text }
}

fn agreement(analysis: &Analysis, name: &str) -> String {
    let Some(found) = analysis.consistency.iter().find(|one| one.parameter == name) else {
        return UNKNOWN.into();
    };
    match found.agreement {
        Agreement::Compatible => format!("possible: {}", steps(&found.common)),
        Agreement::Inconsistent => "no".into(),
        Agreement::Undetermined => UNKNOWN.into(),
    }
}
