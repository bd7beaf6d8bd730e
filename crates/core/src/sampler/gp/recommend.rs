//! Which tried configuration to take.

use std::collections::HashMap;

use super::{MOST_TRIALS, Model};
use crate::param::Params;
use crate::sampler::StudyView;
use crate::sampler::lattice::{Cell, Lattice};
use crate::sampler::outcome::Outcomes;
use crate::space::Feasible;
use crate::trial::Direction;

/// Share of the noise variance that is a configuration's own: what a smooth function cannot follow, but comes again when the configuration is
/// trained again. The told values cannot tell it; `docs/adr/0014` has the measurements.
const OWN_SHARE: f64 = 0.4;
/// Half the width of a 90% interval in standard deviations.
const NINETY: f64 = 1.644_853_626_951_472_2;

/// The configuration to take, with what a trial of it is expected to give on average over seeds.
#[derive(Debug, Clone, PartialEq)]
pub struct Recommendation {
    /// The configuration.
    pub params: Params,
    /// Its estimated mean, in the objective's units; `None` where there are too few values for a model.
    pub mean: Option<f64>,
    /// The 90% interval of that mean.
    pub interval: Option<(f64, f64)>,
}

/// The tried configuration whose true mean is probably best; `None` where no trial has a value.
///
/// Of the Gaussian process that `gp` samples by the posterior mean at each tried configuration, plus the share of its residual that is the
/// configuration's own: with `k` values of the configuration `s / (s + (1 - s) / k)`, `s = 0.4`. Under noise the best told value is often a lucky one and the
/// posterior mean alone too smooth. Of more than 300 ended trials the best 300 are modelled.
pub fn recommend(view: &StudyView<'_>, feasible: &Feasible, direction: Direction) -> Option<Recommendation> {
    let lattice = Lattice::new(feasible);
    let mut outcomes = Outcomes::new(view, &lattice, direction);
    outcomes.keep_best(MOST_TRIALS);
    let told = |i: usize| outcomes.told[i].2.unwrap_or(f64::NEG_INFINITY);
    let first_best = (0..outcomes.told.len()).reduce(|a, b| if told(b) > told(a) { b } else { a })?;
    if told(first_best) == f64::NEG_INFINITY {
        return None;
    }
    let alone =
        Recommendation { params: outcomes.told[first_best].0.params.clone(), mean: None, interval: None };
    let Some(model) = Model::new(&lattice, &outcomes) else { return Some(alone) };
    let mut values: HashMap<&Cell, Vec<f64>> = HashMap::new();
    for ((_, cell, value), warped) in outcomes.told.iter().zip(&model.warp.values) {
        if value.is_some_and(|v| v > f64::NEG_INFINITY) {
            values.entry(cell).or_default().push(*warped);
        }
    }
    let mut row = Vec::new();
    let mut best: Option<(f64, f64, usize)> = None;
    for (i, (_, cell, _)) in outcomes.told.iter().enumerate() {
        let Some(own) = values.remove(cell) else { continue };
        let count = own.len() as f64;
        let (smooth, variance) = model.posterior.at(cell, &mut row);
        let share = OWN_SHARE / (OWN_SHARE + (1.0 - OWN_SHARE) / count);
        let mean = smooth + share * (own.iter().sum::<f64>() / count - smooth);
        let variance = variance + (1.0 - share) * OWN_SHARE * model.posterior.kernel.noise;
        if best.is_none_or(|(highest, ..)| mean > highest) {
            best = Some((mean, variance, i));
        }
    }
    let (mean, variance, i) = best?;
    let sign = if direction == Direction::Maximize { 1.0 } else { -1.0 };
    let back = |warped: f64| sign * model.warp.back(warped);
    let reach = NINETY * variance.sqrt();
    let (a, b) = (back(mean - reach), back(mean + reach));
    Some(Recommendation {
        params: outcomes.told[i].0.params.clone(),
        mean: Some(back(mean)),
        interval: Some((a.min(b), a.max(b))),
    })
}
