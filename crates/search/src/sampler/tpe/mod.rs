//! The tree-structured Parzen estimator.

mod limits;
mod parzen;
mod record;

use std::sync::Arc;

use allometry_core::{Direction, Origin, SamplerSpec, TrialRng};

use self::limits::Splits;
use self::parzen::Parzen;
use self::record::Record;
use super::lattice::{Cell, Lattice};
use super::model_free::ModelFree;
use super::{SampleError, Sampler, StudyView, Suggestion};
use crate::space::Feasible;

/// Number of candidates drawn from the density of the better trials.
const CANDIDATES: usize = 24;
/// Number of draws for each candidate where most combinations are infeasible.
const DRAWS: usize = 8;
/// Largest number of kernels of the worse trials; more trials are subsampled at an even stride.
const MOST_KERNELS: usize = 400;
/// Largest number of better trials.
const MOST_BETTER: usize = 25;

/// The sampler `tpe` (Bergstra et al. 2011), multivariate as in Optuna 5: one product kernel per trial and a
/// prior. The better group consists of `min(ceil(n / 10), 25)` trials; running trials are in the worse group
/// (constant liar). Of 24 candidates from the better group's density, the one with the highest ratio of the
/// densities is suggested. In contrast to Optuna, candidates that were already tried are excluded, failed
/// trials are in the worse group, and more than 400 worse trials are subsampled at an even stride. With
/// several objectives the better group consists of the leading trials by non-domination rank and crowding
/// distance ([`allometry_core::pareto::leading`]).
///
/// Where trials have constraints, the ratio is the product of one for the objective and one for each
/// constraint: see [`Splits`].
pub(super) struct Tpe {
    spec: SamplerSpec,
    feasible: Arc<Feasible>,
    lattice: Lattice,
    model_free: ModelFree,
    record: Record,
}

impl Tpe {
    pub(super) fn new(
        directions: &[Direction],
        spec: SamplerSpec,
        feasible: Arc<Feasible>,
        model_free: ModelFree,
    ) -> Self {
        let lattice = Lattice::new(&feasible);
        Self { spec, feasible, lattice, model_free, record: Record::new(directions.to_vec()) }
    }

    /// The next cell according to the densities; `None` where all candidates were tried.
    pub(super) fn model(&mut self, view: &StudyView<'_>, rng: &mut TrialRng) -> Option<Cell> {
        self.record.update(view, &self.lattice);
        if let Some(splits) = Splits::new(view.finished, &self.record) {
            return self.constrained(&splits, rng);
        }
        let ended = self.record.ended();
        let count = (ended.div_ceil(10)).min(MOST_BETTER);
        let [better, worse] = self.record.split(count, MOST_KERNELS);
        if better.is_empty() {
            return None;
        }
        let l = Parzen::new(&self.lattice, &better);
        let g = Parzen::new(&self.lattice, &worse);
        let mut best: Option<(f64, Cell)> = None;
        let mut consider = |cell: Cell, record: &Record| {
            if record.has(&cell) {
                return;
            }
            let ratio = l.log_density(&cell) - g.log_density(&cell);
            if best.as_ref().is_none_or(|(highest, _)| ratio > *highest) {
                best = Some((ratio, cell));
            }
        };
        let draws = if self.lattice.is_bound() { CANDIDATES * DRAWS } else { CANDIDATES };
        let mut wanted = CANDIDATES;
        for _ in 0..draws {
            let mut cell = l.draw(rng);
            self.lattice.settle(&mut cell, rng);
            if wanted > 0 && self.lattice.admits(&cell, &self.feasible) {
                consider(cell, &self.record);
                wanted -= 1;
            }
        }
        // Candidates that the product of the kernels rarely yields are drawn uniformly from the space.
        for _ in 0..wanted {
            consider(self.lattice.draw(&self.feasible, rng), &self.record);
        }
        best.map(|(_, cell)| cell)
    }

    /// The next cell in a study with constraints: of candidates from the better group of each split, the one
    /// with the highest product of ratios. `None` where all candidates were tried.
    fn constrained(&self, splits: &Splits<'_>, rng: &mut TrialRng) -> Option<Cell> {
        let densities = splits.densities(&self.lattice);
        let mut best: Option<(f64, Cell)> = None;
        let mut consider = |cell: Cell| {
            if self.record.has(&cell) {
                return;
            }
            let score: f64 = densities.iter().map(|density| density.log_ratio(&cell)).sum();
            if best.as_ref().is_none_or(|(highest, _)| score > *highest) {
                best = Some((score, cell));
            }
        };
        let draws = if self.lattice.is_bound() { CANDIDATES * DRAWS } else { CANDIDATES };
        for density in &densities {
            let mut wanted = CANDIDATES;
            for _ in 0..draws {
                let mut cell = density.better.draw(rng);
                self.lattice.settle(&mut cell, rng);
                if wanted > 0 && self.lattice.admits(&cell, &self.feasible) {
                    consider(cell);
                    wanted -= 1;
                }
            }
            for _ in 0..wanted {
                consider(self.lattice.draw(&self.feasible, rng));
            }
        }
        best.map(|(_, cell)| cell)
    }
}

impl Sampler for Tpe {
    fn suggest(&mut self, view: &StudyView<'_>, rng: &mut TrialRng) -> Result<Suggestion, SampleError> {
        let model_free = self.model_free.suggest(view, rng)?;
        if model_free.origin == Origin::Probe
            || self.model_free.wants_random(view, &self.spec, self.lattice.dimension())
        {
            return Ok(model_free);
        }
        let Some(cell) = self.model(view, rng) else { return Ok(model_free) };
        Ok(Suggestion { params: self.lattice.params(&cell), origin: Origin::Model })
    }
}
