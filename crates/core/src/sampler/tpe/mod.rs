//! The tree-structured Parzen estimator.

mod limits;
mod parzen;
mod record;

use std::sync::Arc;

use self::limits::Splits;
use self::parzen::Parzen;
use self::record::Record;
use super::lattice::{Cell, Lattice};
use super::plain::Plain;
use super::{SampleError, Sampler, StudyView, Suggestion};
use crate::ladder::SamplerSpec;
use crate::rng::TrialRng;
use crate::space::Feasible;
use crate::trial::{Direction, Origin};

/// Candidates drawn from the better trials.
const CANDIDATES: usize = 24;
/// Draws for each wanted candidate where most combinations are not feasible.
const DRAWS: usize = 8;
/// Kernels of the worse trials; of more, every so manieth is taken.
const MOST_KERNELS: usize = 400;
/// Better trials at most.
const MOST_BETTER: usize = 25;

/// The sampler `tpe` (Bergstra et al. 2011), multivariate as Optuna 5's: one product kernel per trial and a prior; the better group is
/// `min(ceil(n / 10), 25)` trials, running ones count as worse (constant liar), and of 24 candidates from the better group's density the one with the
/// highest ratio of the densities is proposed. Unlike there no candidate was tried before, failed trials count as worse, and of more than 400 worse
/// trials every so manieth is used. With several objectives the better group is the leading trials by non-domination rank and crowding
/// distance ([`crate::pareto::leading`]).
///
/// Where trials have constraints the ratio is the product of one for the objective and one for each constraint: see [`Splits`].
pub(super) struct Tpe {
    spec: SamplerSpec,
    feasible: Arc<Feasible>,
    lattice: Lattice,
    plain: Plain,
    record: Record,
}

impl Tpe {
    pub(super) fn new(
        directions: &[Direction],
        spec: SamplerSpec,
        feasible: Arc<Feasible>,
        plain: Plain,
    ) -> Self {
        let lattice = Lattice::new(&feasible);
        Self { spec, feasible, lattice, plain, record: Record::new(directions.to_vec()) }
    }

    /// The next cell by the densities; `None` where all candidates were tried.
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
        let mut weigh = |cell: Cell, record: &Record| {
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
                weigh(cell, &self.record);
                wanted -= 1;
            }
        }
        // What the product of the kernels rarely meets is drawn from the space itself.
        for _ in 0..wanted {
            weigh(self.lattice.draw(&self.feasible, rng), &self.record);
        }
        best.map(|(_, cell)| cell)
    }

    /// As [`Self::model`] for a study with constraints: of candidates from the better group of each split the one with the highest product of
    /// their ratios.
    fn constrained(&self, splits: &Splits<'_>, rng: &mut TrialRng) -> Option<Cell> {
        let densities = splits.densities(&self.lattice);
        let mut best: Option<(f64, Cell)> = None;
        let mut weigh = |cell: Cell| {
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
                    weigh(cell);
                    wanted -= 1;
                }
            }
            for _ in 0..wanted {
                weigh(self.lattice.draw(&self.feasible, rng));
            }
        }
        best.map(|(_, cell)| cell)
    }
}

impl Sampler for Tpe {
    fn suggest(&mut self, view: &StudyView<'_>, rng: &mut TrialRng) -> Result<Suggestion, SampleError> {
        let plain = self.plain.suggest(view, rng)?;
        if plain.origin == Origin::Probe
            || self.plain.wants_random(view, &self.spec, self.lattice.dimension())
        {
            return Ok(plain);
        }
        let Some(cell) = self.model(view, rng) else { return Ok(plain) };
        Ok(Suggestion { params: self.lattice.params(&cell), origin: Origin::Model })
    }
}
