//! Check for best configurations at an end of the tried values.

use allometry_core::{Direction, ParamValue};

use super::conclusion::{Conclusion, Standing};
use super::reason::{Claim, Ends, LintReason};
use super::size::Budget;
use super::stated::{StatedReport, StatedStudy};
use super::trend::TrendLint;
use crate::edge::{Edge, Slope, observed_edge};
use crate::options::Options;

/// Returns the values of a budget's best configuration that lie at an end of the values in its tables.
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

/// Judges edges by the possible best values and by the contrasts, which are adjusted over all trends of the
/// report.
pub(super) fn weigh(edges: &mut [Edge], trends: &[TrendLint], direction: Direction) {
    for edge in edges {
        let trend = trends.iter().find(|trend| trend.parameter == edge.parameter);
        let contrast = trend.and_then(|trend| trend.contrast);
        let slope = contrast.map(|one| Slope { gain: one.slope, p: one.p, p_holm: one.p_holm });
        edge.weigh(trend.map(|trend| &trend.best_values), slope, direction);
    }
}

/// Judges the claim that a configuration is a budget's best.
pub(super) fn conclusion(
    report: &StatedReport,
    budget: &Budget,
    edges: &[Edge],
    options: &Options,
) -> Option<Conclusion> {
    let study = report.studies.get(budget.study?)?;
    let line = study.best_params.first()?.line;
    let best = study.best_value()?;
    let params = study.best_params.iter().map(|param| param.value.clone()).collect();
    let beyond: Vec<Edge> = edges.iter().filter(|edge| edge.may_lie_beyond(options.level)).cloned().collect();
    let (standing, ends) = if edges.is_empty() {
        (Standing::Stands, Ends::None)
    } else if beyond.is_empty() {
        (Standing::Stands, Ends::NotTold(edges.iter().map(|edge| edge.parameter.clone()).collect()))
    } else {
        (Standing::CannotBeTold, Ends::Told(beyond))
    };
    let trials = study.trials.as_ref().map(|trials| trials.value);
    let why = (standing, LintReason::Best { trials, best: best.value, ends });
    Some(Conclusion::new(line, Claim::BestConfiguration { params }, why).of(&budget.label))
}
