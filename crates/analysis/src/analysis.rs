//! Everything about a ladder's trials.

use allometry_core::{ClassCounts, Direction, Params};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::baseline::BaselineComparison;
use crate::consistency::Consistency;
use crate::finding::{Finding, findings};
use crate::input::LadderTrials;
use crate::options::Options;
use crate::scaling::Scaling;
use crate::study::StudyAnalysis;
use crate::verdict::Verdict;

/// Parameters whose best values are compared across budgets.
const COMPARED: [&str; 3] = ["dropout", "learning_rate", "weight_decay"];

/// The analysis of a ladder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Analysis {
    /// The ladder's name, where it has one.
    pub name: Option<String>,
    /// Names the data set or feature tier.
    pub tag: Option<String>,
    /// The metric.
    pub metric: String,
    /// Which values of it are better.
    pub direction: Direction,
    /// Classes of the validation rows, where known.
    pub rows: Option<ClassCounts>,
    /// What was taken for granted.
    pub options: Options,
    /// Whether more weights pay.
    pub verdict: Verdict,
    /// Problems with the data, the worst first.
    pub findings: Vec<Finding>,
    /// The best trial against simple models.
    pub baselines: Vec<BaselineComparison>,
    /// The best values over sizes.
    pub scaling: Scaling,
    /// Whether budgets agree on best values.
    pub consistency: Vec<Consistency>,
    /// One per size budget, in the order given.
    pub studies: Vec<StudyAnalysis>,
}

/// Analyses the trials of a ladder. Never fails: what cannot be computed is absent and said so.
pub fn analyze(ladder: &LadderTrials, options: &Options) -> Analysis {
    let studies: Vec<StudyAnalysis> =
        ladder.studies.iter().map(|study| StudyAnalysis::new(study, ladder, options)).collect();
    let scaling = Scaling::new(&studies, ladder, options);
    let baselines = BaselineComparison::all(&scaling.points, ladder, options);
    let best: Vec<(&str, &Params)> = studies
        .iter()
        .filter_map(|study| Some((study.budget.label.as_str(), study.best_params()?)))
        .collect();
    let consistency = COMPARED
        .iter()
        .map(|parameter| Consistency::new(parameter, &best))
        .filter(|consistency| !consistency.values.is_empty())
        .collect();
    let verdict = Verdict::new(&scaling, &studies, ladder, options);
    let findings = findings(ladder, &studies, &scaling, &baselines, &verdict, options);
    Analysis {
        name: ladder.name.clone(),
        tag: ladder.tag.clone(),
        metric: ladder.metric.clone(),
        direction: ladder.direction,
        rows: ladder.rows,
        options: *options,
        verdict,
        findings,
        baselines,
        scaling,
        consistency,
        studies,
    }
}
