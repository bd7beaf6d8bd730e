//! Pareto fronts of studies with several objectives.

use allometry_analysis::front::{Front, Objectives};
use allometry_analysis::{Analysis, StudyAnalysis};
use allometry_core::Direction;

use super::{Pictures, parameters};
use crate::markdown::escape;
use crate::number::{Notation, UNKNOWN, decimals, percent};
use crate::text::Text;

/// The largest number of trials of a front that are listed.
const MOST_ROWS: usize = 50;

/// Writes the fronts of all budgets.
pub(crate) fn ladder(text: &mut Text, analysis: &Analysis) {
    let Some(objectives) = &analysis.objectives else { return };
    text.heading(2, format_args!("Several Objectives"));
    text.line(format_args!(
        "Trials have several objectives: {}. This section and the sections *Pareto Front* use all of them. \
         The rest of the report, including the verdict and the importances, uses only the first, {}.",
        goals(objectives),
        escape(&analysis.metric)
    ));
    text.blank();
    let header: Vec<String> = ["Budget", "Trials", "On the front", "Hypervolume"]
        .into_iter()
        .map(ToOwned::to_owned)
        .chain(objectives.metrics.iter().map(|metric| format!("Best {}", escape(&metric.name))))
        .collect();
    text.table(
        &header,
        analysis.studies.iter().filter_map(|study| {
            let front = study.front.as_ref()?;
            let mut cells = vec![
                escape(&study.budget.label),
                front.complete.to_string(),
                front.trials.len().to_string(),
                volume(front),
            ];
            cells.extend((0..objectives.metrics.len()).map(|objective| best(front, objectives, objective)));
            Some(cells)
        }),
    );
    text.blank();
    let reference = objectives.metrics.iter().zip(&objectives.reference);
    let reference: Vec<String> =
        reference.map(|(metric, value)| format!("{} {}", escape(&metric.name), decimals(*value))).collect();
    text.line(format_args!(
        "*Hypervolume* is the volume between the front and the worst value of each objective in any trial of \
         the ladder ({}), as a share of the volume for a trial with all of the ladder's best values. It has \
         no interval: it describes these trials, and noise favours the values that look best.",
        reference.join(", ")
    ));
}

/// Writes the front of one budget.
pub(crate) fn study(text: &mut Text, study: &StudyAnalysis, analysis: &Analysis, pictures: &Pictures<'_>) {
    let (Some(objectives), Some(front)) = (&analysis.objectives, &study.front) else { return };
    let of = if analysis.studies.len() > 1 {
        format!(" of {}", escape(&study.budget.label))
    } else {
        String::new()
    };
    text.heading(2, format_args!("Pareto Front{of}"));
    let (count, complete) = (front.trials.len(), front.complete);
    text.line(format_args!(
        "{count} of {complete} trials are on the front of {}: no trial is at least as good in all objectives \
         and better in one. Hypervolume: {}.",
        goals(objectives),
        volume(front)
    ));
    pictures.place(text, "front");
    if front.trials.is_empty() {
        return;
    }
    text.blank();
    let order: Vec<&str> = study.trends.iter().map(|trend| trend.parameter.as_str()).collect();
    let names = parameters(front.trials.iter().map(|trial| &trial.params), &order);
    let notations: Vec<Notation> = names
        .iter()
        .map(|name| Notation::of(front.trials.iter().filter_map(|trial| trial.params.get(name))))
        .collect();
    let header: Vec<String> = std::iter::once("Trial".to_owned())
        .chain(objectives.metrics.iter().map(|metric| escape(&metric.name)))
        .chain(["Weights".to_owned()])
        .chain(names.iter().map(|name| escape(name)))
        .collect();
    text.table(
        &header,
        front.trials.iter().take(MOST_ROWS).map(|trial| {
            let mut cells = vec![trial.number.to_string()];
            cells.extend(trial.values.iter().map(|value| decimals(*value)));
            cells.push(trial.size.map_or_else(|| UNKNOWN.into(), |size| size.to_string()));
            cells.extend(names.iter().zip(&notations).map(|(name, notation)| {
                trial.params.get(name).map_or_else(|| "N/A".into(), |value| escape(&notation.write(value)))
            }));
            cells
        }),
    );
    if count > MOST_ROWS {
        text.blank();
        text.line(format_args!("Only the first {MOST_ROWS} are shown; the JSON report has all."));
    }
}

/// Returns the objectives with their directions: `AUC (up), seconds (down)`.
fn goals(objectives: &Objectives) -> String {
    let goal = |metric: &allometry_core::MetricSpec| {
        let way = if metric.direction == Direction::Maximize { "up" } else { "down" };
        format!("{} ({way})", escape(&metric.name))
    };
    objectives.metrics.iter().map(goal).collect::<Vec<_>>().join(", ")
}

fn volume(front: &Front) -> String {
    front.hypervolume.map_or_else(|| UNKNOWN.into(), percent)
}

fn best(front: &Front, objectives: &Objectives, objective: usize) -> String {
    let direction = objectives.metrics[objective].direction;
    let values = front.trials.iter().map(|trial| trial.values[objective]);
    let best = values.reduce(|a, b| if direction.better(b, a) { b } else { a });
    best.map_or_else(|| UNKNOWN.into(), decimals)
}
