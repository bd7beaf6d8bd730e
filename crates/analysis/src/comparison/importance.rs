//! Comparison of importances of one budget in two ladders.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::estimate::{Estimate, Interval};
use crate::study::StudyAnalysis;

/// A parameter's importance in one ladder.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ComparedImportance {
    /// Partial omega squared: the effect as a share of the variance that the other parameters leave.
    pub partial_omega_squared: Option<Estimate>,
    /// P-value of that effect after Holm's adjustment over the parameters of the budget.
    pub p_holm: Option<f64>,
    /// Share in the model's R squared.
    pub share: Option<Estimate>,
}

/// The ladders in which a parameter has a significant effect after Holm's adjustment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Survival {
    /// In both.
    Both,
    /// In A only.
    OnlyA,
    /// In B only.
    OnlyB,
    /// In neither.
    Neither,
    /// Unknown, because not both ladders tested it.
    Unknown,
}

/// A parameter's importance in two ladders.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ImportanceComparison {
    /// The parameter.
    pub parameter: String,
    /// Importance in A; `null` where no trial in A has the parameter.
    pub a: Option<ComparedImportance>,
    /// Importance in B; `null` where no trial in B has the parameter.
    pub b: Option<ComparedImportance>,
    /// The ladders where the effect survives. Survival in one ladder only is no evidence of a larger effect
    /// there.
    pub survives: Survival,
    /// Whether the intervals of the two shares overlap; `null` without both.
    pub shares_overlap: Option<bool>,
}

impl ImportanceComparison {
    pub(super) fn all(a: &StudyAnalysis, b: &StudyAnalysis) -> Vec<Self> {
        let names = |study: &StudyAnalysis| -> Vec<String> {
            study.importance.iter().map(|importance| importance.parameter.clone()).collect()
        };
        super::optimum::union(names(a), names(b))
            .into_iter()
            .map(|parameter| {
                let (first, second) = (of(a, &parameter), of(b, &parameter));
                let share = |side: Option<ComparedImportance>| side?.share?.interval;
                let shares_overlap = share(first).zip(share(second)).map(|(a, b)| overlap(a, b));
                Self {
                    survives: survival(survives(a, &parameter), survives(b, &parameter)),
                    a: first,
                    b: second,
                    shares_overlap,
                    parameter,
                }
            })
            .collect()
    }
}

fn of(study: &StudyAnalysis, parameter: &str) -> Option<ComparedImportance> {
    let importance = study.importance.iter().find(|importance| importance.parameter == parameter)?;
    let adjusted = importance.adjusted;
    Some(ComparedImportance {
        partial_omega_squared: adjusted.and_then(|effect| effect.partial_omega_squared),
        p_holm: adjusted.and_then(|effect| effect.p_holm),
        share: importance.share,
    })
}

/// Whether the effect survives in a study; `None` where the parameter was not tested.
fn survives(study: &StudyAnalysis, parameter: &str) -> Option<bool> {
    of(study, parameter)?.p_holm?;
    Some(study.importance_model.surviving.iter().any(|name| name == parameter))
}

fn survival(a: Option<bool>, b: Option<bool>) -> Survival {
    match (a, b) {
        (Some(true), Some(true)) => Survival::Both,
        (Some(true), Some(false)) => Survival::OnlyA,
        (Some(false), Some(true)) => Survival::OnlyB,
        (Some(false), Some(false)) => Survival::Neither,
        _ => Survival::Unknown,
    }
}

fn overlap(a: Interval, b: Interval) -> bool {
    a.lower <= b.upper && b.lower <= a.upper
}
