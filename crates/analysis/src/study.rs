//! Analysis of one size budget.

use std::collections::HashSet;

use allometry_core::{Direction, Params, SizeBudget, TrialNumber};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::collapse::{Collapse, NaiveOutcome};
use crate::consistency::{BestValueSet, best_value_sets};
use crate::coverage::{Coverage, SpaceCoverage};
use crate::duplicates::Duplicates;
use crate::edge::{Edge, Slope, edges};
use crate::effort::{BestOf, best_of_k};
use crate::forest::space::known_space;
use crate::front::Front;
use crate::importance::{Importance, ImportanceModel, importance};
use crate::input::{LadderTrials, StudyTrials};
use crate::level::{Level, binned, levels};
use crate::model::Model;
use crate::options::Options;
use crate::recommendation::Recommendation;
use crate::sample::Sample;
use crate::size::{SizeReversal, StudySizes};
use crate::space_importance::SpaceImportance;
use crate::stats::holm;
use crate::summary::Summary;
use crate::trend::{Trend, adjusted_trends};

/// Parameters of the classic report, in its order; they come first everywhere.
const FIRST: [&str; 7] =
    ["d_model", "n_layers", "n_heads", "d_ff_ratio", "learning_rate", "dropout", "weight_decay"];

/// Pairs of parameters whose combinations are counted.
const PAIRS: [(&str, &str); 3] =
    [("d_model", "n_layers"), ("d_model", "n_heads"), ("learning_rate", "dropout")];

/// The analysis of one size budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StudyAnalysis {
    /// The size budget.
    pub budget: SizeBudget,
    /// Source of the trials.
    pub source: String,
    /// Numbers of trials and best trials.
    pub summary: Summary,
    /// The recommended configuration, beside the best observed one.
    #[serde(default)]
    pub recommended: Recommendation,
    /// Trials of the Pareto front; absent with a single objective.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub front: Option<Front>,
    /// Exact sizes of models compared with the nominal budget.
    pub sizes: StudySizes,
    /// Whether models predict nearly the same value for all rows.
    pub collapse: Collapse,
    /// Importances of the parameters, by decreasing naive figure.
    pub importance: Vec<Importance>,
    /// The linear model behind the importances, and the parameters that remain significant.
    pub importance_model: ImportanceModel,
    /// Importances over the whole space, including pairs, and among the best trials.
    pub space_importance: SpaceImportance,
    /// Trends of the metric over each parameter.
    pub trends: Vec<Trend>,
    /// Combinations of pairs of parameters.
    pub coverage: Vec<Coverage>,
    /// Coverage of the whole space by the trials.
    pub space_coverage: SpaceCoverage,
    /// Expected best of fewer trials.
    pub best_of: Vec<BestOf>,
    /// Values of each parameter that may be its best.
    pub best_values: Vec<BestValueSet>,
    /// Best values at an end of their range.
    pub edges: Vec<Edge>,
    /// Statistics of repeated configurations.
    pub duplicates: Duplicates,
}

impl StudyAnalysis {
    /// Returns the neighbouring budgets of which the larger has the smaller best model.
    pub(crate) fn size_reversals(studies: &[Self]) -> Vec<SizeReversal> {
        SizeReversal::all(studies.iter().map(|study| (study.budget.label.as_str(), &study.sizes)))
    }

    /// Updates the edges of all budgets of a ladder by the sets of best values and the adjusted slopes, with
    /// Holm's adjustment over the slopes of all budgets.
    pub(crate) fn weigh_edges(studies: &mut [Self], direction: Direction) {
        let slopes: Vec<(usize, &str, f64, f64)> = studies
            .iter()
            .enumerate()
            .flat_map(|(position, study)| {
                study.trends.iter().filter_map(move |trend| {
                    let adjusted = trend.adjusted.as_ref()?;
                    Some((position, trend.parameter.as_str(), adjusted.slope?.point, adjusted.p?))
                })
            })
            .collect();
        let p_values: Vec<f64> = slopes.iter().map(|(.., p)| *p).collect();
        let told: Vec<(usize, String, Slope)> = slopes
            .iter()
            .zip(holm::adjust(&p_values))
            .map(|((study, parameter, slope, p), p_holm)| {
                (*study, (*parameter).to_owned(), Slope { gain: *slope, p: *p, p_holm })
            })
            .collect();
        for (position, study) in studies.iter_mut().enumerate() {
            for edge in &mut study.edges {
                let slope =
                    told.iter().find(|(study, name, _)| *study == position && *name == edge.parameter);
                let set = study.best_values.iter().find(|set| set.parameter == edge.parameter);
                edge.weigh(set, slope.map(|(.., slope)| *slope), direction);
            }
        }
    }

    /// Whether any trial recorded information about its predictions.
    pub fn has_predictions(&self) -> bool {
        self.collapse.naive.outcome != NaiveOutcome::Unknown
            || self.collapse.kinds.unknown != self.summary.trials
    }

    /// Analyses one study of a ladder.
    pub fn new(study: &StudyTrials, ladder: &LadderTrials, options: &Options) -> Self {
        let sample = Sample::new(study, ladder.direction());
        let exact: Vec<(String, Vec<Level>)> = parameters(&sample)
            .into_par_iter()
            .map(|parameter| {
                let levels = levels(&sample, &parameter);
                (parameter, levels)
            })
            .collect();
        let summary = Summary::new(study, &sample, ladder, options);
        let best = summary.incumbent().map(|trial| trial.params.clone()).unwrap_or_default();
        let edges = edges(study, &best, &exact);
        let coarse: Vec<Vec<Level>> = exact.iter().map(|(_, levels)| binned(levels.clone())).collect();
        let pairs =
            || exact.iter().zip(&coarse).map(|((parameter, exact), binned)| (parameter, exact, binned));
        let parameters: Vec<(&str, &[Level], &[Level])> = pairs()
            .map(|(name, exact, binned)| (name.as_str(), exact.as_slice(), binned.as_slice()))
            .collect();
        let duplicates = Duplicates::new(&sample);
        let coarse_levels: Vec<(&str, &[Level])> =
            parameters.iter().map(|(name, _, binned)| (*name, *binned)).collect();
        let model = Model::new(&sample, &coarse_levels);
        let seed_name = format!("analysis of {}", study.budget.label);
        let (known, source) = known_space(study);
        let (((importance, importance_model), (best_of, adjusted)), (space_importance, recommended)) =
            rayon::join(
                || {
                    let repeat_sd = duplicates.repeat_sd;
                    rayon::join(
                        || importance(&parameters, &sample.values, &model, repeat_sd, &seed_name, options),
                        || {
                            let best_of = best_of_k(&sample, ladder.measures_auc(), options);
                            (best_of, adjusted_trends(&model, options))
                        },
                    )
                },
                || {
                    let (space, direction) = (study.space.as_ref(), ladder.direction());
                    let recommended = Recommendation::new(&study.trials, space, direction, options);
                    let recommended = if ladder.measures_auc() { recommended.of_auc() } else { recommended };
                    (SpaceImportance::new((&known, source), &sample, &seed_name, options), recommended)
                },
            );
        let trends = pairs().zip(adjusted).filter_map(|((name, exact, binned), adjusted)| {
            Trend::new(name, &sample.values, exact, binned, ladder.direction(), adjusted)
        });
        let find = |wanted| pairs().find(|(parameter, ..)| *parameter == wanted).map(|(.., binned)| binned);
        let coverage = PAIRS.iter().filter_map(|(row, column)| {
            Coverage::new((row, find(row)?), (column, find(column)?), &sample.values)
        });
        Self {
            budget: study.budget.clone(),
            source: study.source.clone(),
            recommended,
            front: None,
            sizes: StudySizes::new(study, &sample, options),
            collapse: Collapse::new(study, &sample, ladder, &coarse_levels, &seed_name, options),
            importance,
            importance_model,
            space_importance,
            trends: trends.collect(),
            coverage: coverage.collect(),
            space_coverage: SpaceCoverage::new(&known, &sample, &parameters, options),
            best_of,
            best_values: best_value_sets(
                &model,
                &parameters.iter().map(|(.., binned)| *binned).collect::<Vec<_>>(),
                ladder.direction(),
                options,
            ),
            edges,
            duplicates,
            summary,
        }
    }

    /// Returns the number and the configuration of the trial to take: the recommended one, else the best
    /// observed; `None` without a usable trial.
    pub fn to_take(&self) -> Option<(TrialNumber, &Params)> {
        let recommended = self.recommended.trial.as_ref().map(|trial| (trial.number, &trial.params));
        recommended.or_else(|| self.summary.incumbent().map(|best| (best.number, &best.params)))
    }

    /// Returns the best configuration as recorded beside the trials, else the incumbent's; `None` without a
    /// usable trial.
    pub fn best_params(&self) -> Option<&Params> {
        let incumbent = self.summary.incumbent()?;
        Some(self.summary.recorded_best_params.as_ref().unwrap_or(&incumbent.params))
    }
}

/// Returns the parameters of usable trials: first those of the classic report in its order, then the others
/// in order of first occurrence.
pub(crate) fn parameters(sample: &Sample<'_>) -> Vec<String> {
    let mut seen: HashSet<&str> = HashSet::new();
    let mut present = Vec::new();
    for trial in &sample.trials {
        for (parameter, _) in trial.params.iter() {
            if seen.insert(parameter) {
                present.push(parameter);
            }
        }
    }
    let known = FIRST.into_iter().filter(|parameter| seen.contains(parameter));
    let others = present.into_iter().filter(|parameter| !FIRST.contains(parameter));
    known.chain(others).map(ToOwned::to_owned).collect()
}
