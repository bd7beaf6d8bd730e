//! Which tried configuration to take.

use super::Model;
use crate::param::Params;
use crate::sampler::StudyView;
use crate::sampler::lattice::Lattice;
use crate::sampler::outcome::Outcomes;
use crate::space::Feasible;
use crate::trial::Direction;

/// The configuration to take.
#[derive(Debug, Clone, PartialEq)]
pub struct Recommendation {
    /// The configuration.
    pub params: Params,
}

/// The tried configuration whose true mean is probably best.
pub fn recommend(view: &StudyView<'_>, feasible: &Feasible, direction: Direction) -> Option<Recommendation> {
    let lattice = Lattice::new(feasible);
    let outcomes = Outcomes::new(view, &lattice, direction);
    let valued = |i: &usize| outcomes.told[*i].2.is_some_and(|v| v > f64::NEG_INFINITY);
    let Some(model) = Model::new(&lattice, &outcomes) else {
        let best = (0..outcomes.told.len()).find(valued)?;
        return Some(Recommendation { params: outcomes.told[best].0.params.clone() });
    };
    let alpha: f64 = std::env::var("MIX").ok().and_then(|x| x.parse().ok()).unwrap_or(0.0);
    let score = |i: usize| {
        let mean = model.posterior.mean(&model.points[i]);
        alpha * model.y[i] + (1.0 - alpha) * mean
    };
    let best = (0..model.points.len()).filter(valued).map(|i| (score(i), i)).reduce(|a, b| if b.0 > a.0 { b } else { a })?;
    let _ = &model.warp;
    Some(Recommendation { params: outcomes.told[best.1].0.params.clone() })
}
