//! The budget whose search would gain most from further trials.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::analysis::analyze;
use crate::estimate::Estimate;
use crate::input::LadderTrials;
use crate::options::Options;
use crate::study::StudyAnalysis;

/// What further trials of a search are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SearchAim {
    /// To try combinations that were not tried.
    Coverage,
    /// To find a better configuration.
    Optimum,
}

/// What the searches of a ladder know, and the one that is least done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SearchPlan {
    /// What the trials are for.
    pub aim: SearchAim,
    /// The budgets with trials, in the ladder's order.
    pub budgets: Vec<SearchedBudget>,
    /// Position in `budgets` of the one to search further.
    pub chosen: usize,
}

/// The search of one budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SearchedBudget {
    /// The budget's label.
    pub budget: String,
    /// Number of complete trials.
    pub trials: u64,
    /// Number of combinations of two values, over all pairs of parameters.
    pub pairs: u64,
    /// Number of these that were tried.
    pub pairs_tried: u64,
    /// Discrepancy of the trials over that of as many random points; below 1 where they cover the space more
    /// evenly. `null` where nothing varies.
    pub discrepancy: Option<f64>,
    /// Mean over seeds of the recommended configuration; `null` without a model of the space.
    pub recommended: Option<Estimate>,
}

impl SearchPlan {
    /// Chooses the budget to search further; `None` if no budget has a complete trial.
    ///
    /// For coverage it is the one with the smallest share of tried combinations, for the optimum the one with
    /// the widest interval of the recommended configuration's mean; where that is unknown for some, the one
    /// of these with the fewest trials.
    pub fn new(ladder: &LadderTrials, aim: SearchAim, options: &Options) -> Option<Self> {
        let analysis = analyze(ladder, &Options { permutations: 0, bootstraps: 0, ..*options });
        let budgets: Vec<SearchedBudget> = analysis
            .studies
            .iter()
            .filter(|study| study.summary.incumbent().is_some())
            .map(SearchedBudget::new)
            .collect();
        let need = |one: &SearchedBudget| match aim {
            SearchAim::Coverage => (one.pairs > 0).then(|| 1.0 - one.pairs_tried as f64 / one.pairs as f64),
            SearchAim::Optimum => one.recommended?.interval.map(|ends| ends.upper - ends.lower),
        };
        let all_known = budgets.iter().all(|one| need(one).is_some());
        let score = |one: &SearchedBudget| match need(one) {
            Some(need) if all_known => need,
            Some(_) => f64::NEG_INFINITY,
            None => -(one.trials as f64),
        };
        // Of equal budgets the first one, which is the cheapest.
        let places = (0..budgets.len()).rev();
        let chosen = places.max_by(|&a, &b| score(&budgets[a]).total_cmp(&score(&budgets[b])))?;
        Some(Self { aim, budgets, chosen })
    }

    /// Returns the budget to search further.
    pub fn chosen(&self) -> &SearchedBudget {
        &self.budgets[self.chosen]
    }
}

impl SearchedBudget {
    fn new(study: &StudyAnalysis) -> Self {
        let coverage = &study.space_coverage;
        let at_random = coverage.discrepancy_at_random.filter(|at_random| *at_random > 0.0);
        Self {
            budget: study.budget.label.clone(),
            trials: study.summary.counts.complete,
            pairs: coverage.pairs,
            pairs_tried: coverage.pairs_tried,
            discrepancy: coverage.discrepancy.zip(at_random).map(|(found, at_random)| found / at_random),
            recommended: study.recommended.trial.as_ref().and_then(|trial| trial.mean),
        }
    }
}
