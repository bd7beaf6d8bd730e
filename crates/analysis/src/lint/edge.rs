//! Best configurations at an end of what was tried.

use allometry_core::ParamValue;

use super::conclusion::{Conclusion, Standing, Subject};
use super::size::Budget;
use super::stated::{StatedReport, StatedStudy};
use crate::edge::{Edge, End, observed_edge};
use crate::number::{counted, listed};

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

/// That a configuration is a budget's best.
pub(super) fn conclusion(report: &StatedReport, budget: &Budget, edges: &[Edge]) -> Option<Conclusion> {
    let study = report.studies.get(budget.study?)?;
    let line = study.best_params.first()?.line;
    let best = study.best_value()?;
    let params: Vec<String> =
        study.best_params.iter().map(|p| format!("{} {}", p.value.0, p.value.1)).collect();
    let statement = format!("best configuration: {}", params.join(", "));
    let trials = study.trials.as_ref().map_or_else(|| "trials".into(), |t| counted(t.value, "trial"));
    let biased = format!("as the best of {trials}, {} is biased towards better", best.value);
    let why = if edges.is_empty() {
        (Standing::Stands, format!("no value is at an end of those tried; {biased}"))
    } else {
        let ends: Vec<String> = edges
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
        (Standing::CannotBeTold, format!("{}: better ones may lie beyond; {biased}", listed(&ends)))
    };
    Some(Conclusion::new(line, Subject::BestConfiguration, statement, why).of(&budget.label))
}
