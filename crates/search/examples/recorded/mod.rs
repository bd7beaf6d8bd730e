//! Recorded grids, in which every configuration was trained with several seeds.

use std::collections::HashMap;
use std::sync::Arc;

use allometry_core::{
    ChoiceOrder, Direction, Distribution, FrozenTrial, ParamValue, Params, SearchSpace, SizeBudget,
    TrialState,
};
use allometry_search::{Feasible, recommend};
use serde::Deserialize;

/// A parameter in the format of `benches/peers/tables.py`.
#[derive(Deserialize)]
pub(crate) struct Parameter {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    values: Vec<ParamValue>,
}

/// A recorded grid.
pub(crate) struct Recorded {
    pub(crate) feasible: Arc<Feasible>,
    places: HashMap<String, usize>,
    values: Vec<Vec<Option<f64>>>,
    means: Vec<f64>,
    best: f64,
    median: f64,
}

/// Normalized regrets: 0 for the best configuration of the grid, 1 for the median one.
pub(crate) struct Regrets {
    pub(crate) recommended: f64,
    pub(crate) told: f64,
    pub(crate) visited: f64,
}

impl Recorded {
    /// Ranks configurations by the mean over the seeds; a configuration with a diverged seed has the worst
    /// mean.
    pub(crate) fn new(label: &str, params: Vec<Parameter>, values: Vec<Vec<Option<f64>>>) -> Self {
        let mean = |row: &Vec<Option<f64>>| {
            let values: Option<Vec<f64>> = row.iter().copied().collect();
            values.map(|v| v.iter().sum::<f64>() / v.len() as f64)
        };
        let means: Vec<Option<f64>> = values.iter().map(mean).collect();
        let worst = means.iter().flatten().copied().fold(f64::NEG_INFINITY, f64::max);
        let means: Vec<f64> = means.into_iter().map(|m| m.unwrap_or(worst)).collect();
        let mut sorted = means.clone();
        sorted.sort_by(f64::total_cmp);
        let set = |p: Parameter| {
            let order = if p.kind == "ordinal" { ChoiceOrder::Ordinal } else { ChoiceOrder::Nominal };
            (p.name, Distribution::Categorical { choices: p.values, order })
        };
        let space = SearchSpace(params.into_iter().map(set).collect());
        let feasible = Feasible::new(&space, &SizeBudget::nominal(label), |_| None);
        let feasible = Arc::new(feasible.expect("a grid has configurations"));
        let places = (0..means.len())
            .map(|i| (feasible.params(&feasible.configuration(i as u64)).to_string(), i))
            .collect();
        let (best, median) = (sorted[0], sorted[sorted.len() / 2]);
        Self { feasible, places, values, means, best, median }
    }

    fn place(&self, params: &Params) -> usize {
        self.places[&params.to_string()]
    }

    fn regret(&self, params: &Params) -> f64 {
        (self.means[self.place(params)] - self.best) / (self.median - self.best)
    }

    /// The trial after `finished`, with the value of one seed of its configuration; `pick` draws the seed for
    /// an index in the grid and the number of earlier trials of the configuration.
    pub(crate) fn trial(
        &self,
        finished: &[FrozenTrial],
        params: Params,
        pick: impl Fn(u64, usize) -> u64,
    ) -> FrozenTrial {
        let place = self.place(&params);
        let replicates = &self.values[place];
        let earlier = finished.iter().filter(|trial| trial.params == params).count();
        let value = replicates[pick(place as u64, earlier) as usize % replicates.len()];
        let state = if value.is_some() { TrialState::Complete } else { TrialState::Failed };
        FrozenTrial::new(finished.len() as u64, state, value, params)
    }

    /// The regrets of the recommended configuration, of the one with the best value and of the best one
    /// visited.
    pub(crate) fn regrets(&self, finished: &[FrozenTrial]) -> Regrets {
        let recommended = recommend(finished, self.feasible.space(), Direction::Minimize);
        let told = finished.iter().filter_map(|trial| Some((trial.value()?, trial)));
        let told = told.min_by(|a, b| a.0.total_cmp(&b.0)).map_or(&finished[0], |(_, trial)| trial);
        let visited = finished.iter().map(|trial| self.regret(&trial.params));
        Regrets {
            recommended: self.regret(&recommended.expect("a recommendation").params),
            told: self.regret(&told.params),
            visited: visited.fold(f64::INFINITY, f64::min),
        }
    }
}
