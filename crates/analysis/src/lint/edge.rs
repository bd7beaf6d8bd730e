//! Best configurations at an end of what was tried.

use allometry_core::{Direction, ParamValue};

use super::conclusion::{Conclusion, Standing, Subject};
use super::size::Budget;
use super::stated::{StatedReport, StatedStudy};
use super::trend::TrendLint;
use crate::edge::{Edge, End, Slope, observed_edge};
use crate::number::{counted, listed};
use crate::options::Options;

/// The values of a budget's best configuration that lie at an end of those in its tables.
pub(super) fn edges(study: &StatedStudy, budget: &Budget) -> Vec<Edge> {
    study
        .trends
        .iter()
        .filter_map(|trend| {
            let tried: Vec<ParamValue> = trend.levels.iter().map(|level| level.value.clone()).collect();
            observed_edge(&trend.parameter, budget.params.get(&trend.parameter)?, &tried)
        })
        .filter(Edge::is_telling)
        .collect()
}

/// Weighs edges by the values that may be best and by the contrasts, which are adjusted over all trends of the report.
pub(super) fn weigh(edges: &mut [Edge], trends: &[TrendLint], direction: Direction) {
    for edge in edges {
        let trend = trends.iter().find(|trend| trend.parameter == edge.parameter);
        let contrast = trend.and_then(|trend| trend.contrast);
        let slope = contrast.map(|one| Slope { gain: one.slope, p: one.p, p_holm: one.p_holm });
        edge.weigh(trend.map(|trend| &trend.best_values), slope, direction);
    }
}

/// That a configuration is a budget's best.
pub(super) fn conclusion(
    report: &StatedReport,
    budget: &Budget,
    edges: &[Edge],
    options: &Options,
) -> Option<Conclusion> {
    let study = report.studies.get(budget.study?)?;
    let line = study.best_params.first()?.line;
    let best = study.best_value()?;
    let params: Vec<String> =
        study.best_params.iter().map(|p| format!("{} {}", p.value.0, p.value.1)).collect();
    let statement = format!("best configuration: {}", params.join(", "));
    let trials = study.trials.as_ref().map_or_else(|| "trials".into(), |t| counted(t.value, "trial"));
    let biased = format!("as the best of {trials}, {} is biased towards better", best.value);
    let beyond: Vec<&Edge> = edges.iter().filter(|edge| edge.may_lie_beyond(options.level)).collect();
    let why = if edges.is_empty() {
        (Standing::Stands, format!("no value is at an end of those tried; {biased}"))
    } else if beyond.is_empty() {
        let names: Vec<&str> = edges.iter().map(|edge| edge.parameter.as_str()).collect();
        let reason = format!(
            "at an end of those tried, without a slope towards it that is told: {}; {biased}",
            listed(&names)
        );
        (Standing::Stands, reason)
    } else {
        let ends: Vec<String> = beyond
            .iter()
            .map(|edge| {
                let end = match edge.end {
                    End::Lowest => "lowest",
                    End::Highest => "highest",
                };
                let of = edge.values.map_or_else(String::new, |values| format!(" of {values}"));
                format!("{} {} is the {end}{of}", edge.parameter, edge.value)
            })
            .collect();
        let reason = format!(
            "{}, and the slope towards it is told: better ones may lie beyond; {biased}",
            listed(&ends)
        );
        (Standing::CannotBeTold, reason)
    };
    Some(Conclusion::new(line, Subject::BestConfiguration, statement, why).of(&budget.label))
}
