//! Null distribution of PED-ANOVA: its shares without any effect.

use allometry_core::{SearchSpace, TrialRng};

use super::parzen::Density;
use super::{FEWEST, NOWHERE, PedAnova, PedAnovaOutcome, Tallies, Tally};
use crate::stats::holm;
use crate::stats::random::below;

/// Relative difference up to which two divergences count as equal: sums differ in their last digits.
const SAME: f64 = 1e-9;

/// Null distribution of one parameter's divergence, by permutation.
struct Null<'t> {
    tally: &'t Tally,
    density: Density,
    observed: f64,
    top: Vec<u32>,
    no_smaller: u64,
    share: f64,
}

/// Computes the share by chance and the p-values of each parameter.
pub(super) fn fill(
    shares: &mut PedAnova,
    tallies: &Tallies,
    space: &SearchSpace,
    permutations: usize,
    rng: &mut TrialRng,
) {
    let (trials, best) = (tallies.trials, tallies.best);
    let mut nulls: Vec<Option<Null<'_>>> =
        tallies.parameters.iter().map(|tally| Null::new(tally.as_ref()?, trials, best)).collect();
    let mut order: Vec<usize> = (0..trials).collect();
    for _ in 0..permutations {
        // Any trials are equally likely to be the best: the first places of a shuffle (Durstenfeld 1964)
        // choose them.
        for place in 0..best {
            order.swap(place, place + below(rng, trials - place));
        }
        let divergences: Vec<f64> = nulls
            .iter_mut()
            .map(|null| null.as_mut().map_or(0.0, |null| null.draw(&order[..best], trials)))
            .collect();
        let sum: f64 = divergences.iter().sum();
        for (null, divergence) in nulls.iter_mut().zip(divergences) {
            if let Some(null) = null.as_mut().filter(|_| sum > 0.0) {
                null.share += divergence / sum / permutations as f64;
            }
        }
    }
    shares.permutations = permutations as u64;
    let mut p_values = Vec::new();
    for one in &mut shares.parameters {
        let place = space.iter().position(|(name, _)| name == one.parameter);
        let Some(null) = place.and_then(|place| nulls[place].as_ref()) else { continue };
        let p = (1 + null.no_smaller) as f64 / (1 + permutations) as f64;
        (one.share_by_chance, one.p) = (Some(null.share), Some(p));
        p_values.push(p);
    }
    let tested = shares.parameters.iter_mut().filter(|one| one.p.is_some());
    for (one, p) in tested.zip(holm::adjust(&p_values)) {
        one.p_holm = Some(p);
    }
}

impl PedAnovaOutcome {
    /// Returns the result without p-values.
    #[must_use]
    pub(crate) fn untested(mut self) -> Self {
        if let Self::Computed(shares) = &mut self {
            for one in &mut shares.parameters {
                (one.p, one.p_holm) = (None, None);
            }
        }
        self
    }
}

impl<'t> Null<'t> {
    /// Prepares the permutations; `None` where too few trials have the parameter, or all have one value.
    fn new(tally: &'t Tally, trials: usize, best: usize) -> Option<Self> {
        let is_varied = tally.all.iter().filter(|count| **count > 0).count() > 1;
        if tally.all.iter().sum::<u32>() < FEWEST || !is_varied {
            return None;
        }
        let observed = tally.divergence(&tally.best, trials, best);
        let top = vec![0; tally.all.len()];
        Some(Self { tally, density: tally.density(&tally.all), observed, top, no_smaller: 0, share: 0.0 })
    }

    /// Returns the divergence if the trials at `best` were the best ones.
    fn draw(&mut self, best: &[usize], trials: usize) -> f64 {
        self.top.fill(0);
        for trial in best {
            let cell = self.tally.cells[*trial];
            if cell != NOWHERE {
                self.top[cell as usize] += 1;
            }
        }
        let divergence = if self.top.iter().all(|count| *count == 0) {
            0.0
        } else {
            self.tally.divergence_from(&self.density, &self.top, trials, best.len())
        };
        self.no_smaller += u64::from(divergence >= self.observed * (1.0 - SAME));
        divergence
    }
}
