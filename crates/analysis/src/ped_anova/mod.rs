//! PED-ANOVA: parameters in which the best trials differ from the others.

mod chance;
mod grid;
mod parzen;

use allometry_core::{Direction, ParamValue, Params, SearchSpace, TrialRng};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::forest::domain::value;
use crate::ped_anova::grid::Grid;
use crate::ped_anova::parzen::Density;

/// Share of the trials that count as best.
const TARGET: f64 = 0.1;

/// Fewest trials with a parameter for which its densities are estimated.
const FEWEST: u32 = 2;

/// Importances among the best trials, or the reason why they are withheld.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum PedAnovaOutcome {
    /// The importances are computed.
    Computed(PedAnova),
    /// The best trials cannot be separated from the others.
    Withheld {
        /// The reason.
        reason: Indistinct,
    },
}

/// Why importances among the best trials are withheld.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Indistinct {
    /// Fewer than two trials with a finite value.
    TooFewTrials,
    /// All trials count among the best, because too many tie with the last of the best tenth.
    AllAmongTheBest,
}

/// Differences between the values of the best trials and those of all trials.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PedAnova {
    /// Number of trials with a finite value.
    pub trials: u64,
    /// Number of best trials: a tenth, rounded up, and all that tie with the last of them.
    pub best: u64,
    /// Results for each parameter of the space, the largest first.
    pub parameters: Vec<PedShare>,
    /// Number of permutations for the values by chance; 0 without permutations.
    #[serde(default)]
    pub permutations: u64,
}

/// The importance of one parameter among the best trials.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PedShare {
    /// The parameter.
    pub parameter: String,
    /// Pearson divergence between the density of the best trials and the density of all trials, times the
    /// square of the share of best trials; equal to the value of Optuna 5's evaluator. 0 where the parameter
    /// has a single value, or fewer than two trials have it.
    pub divergence: f64,
    /// Share of the parameter in the sum of divergences, as Optuna normalizes it; `null` where all
    /// divergences are 0.
    pub share: Option<f64>,
    /// Mean share over permutations of the values among the configurations, under which no parameter has an
    /// effect.
    #[serde(default)]
    pub share_by_chance: Option<f64>,
    /// P-value: the share of permutations with a divergence at least as large, `(1 + #{D* >= D}) / (1 +
    /// permutations)` (Phipson & Smyth 2010); `null` where a model of earlier trials chose later ones,
    /// because permutations are then not a valid null distribution.
    #[serde(default)]
    pub p: Option<f64>,
    /// P-value after Holm's adjustment over the parameters.
    #[serde(default)]
    pub p_holm: Option<f64>,
}

/// Computes PED-ANOVA (Watanabe, Bansal & Hutter 2023) with the settings of Optuna 5: the best tenth against
/// all trials, on grids of at most 50 cells. Conditional parameters have the regimes "has it" and "has it
/// not" (theorem 4.2 of the conditional version, arXiv 2601.20800).
///
/// A value outside its parameter's set counts as absent, except that numbers beyond the ends of a range count
/// at the nearest end.
pub fn ped_anova(space: &SearchSpace, trials: &[(&Params, f64)], direction: Direction) -> PedAnovaOutcome {
    let trials: Vec<(&Params, f64)> = trials.iter().copied().filter(|(_, y)| y.is_finite()).collect();
    match Tallies::new(space, &trials, direction) {
        Ok(tallies) => PedAnovaOutcome::Computed(tallies.shares(space)),
        Err(reason) => PedAnovaOutcome::Withheld { reason },
    }
}

/// Computes [`ped_anova`] with its expectation without any effect: values are permuted over the
/// configurations `permutations` times, with numbers from `rng`, while the number of best trials stays fixed.
///
/// The p-values are valid where trials were drawn at random. A model of earlier trials repeats values of a
/// parameter without an effect where others did well, which makes p-values too small;
/// `docs/methods/fanova.md` gives the size of this bias.
pub fn ped_anova_tested(
    space: &SearchSpace,
    trials: &[(&Params, f64)],
    direction: Direction,
    permutations: usize,
    rng: &mut TrialRng,
) -> PedAnovaOutcome {
    let trials: Vec<(&Params, f64)> = trials.iter().copied().filter(|(_, y)| y.is_finite()).collect();
    match Tallies::new(space, &trials, direction) {
        Ok(tallies) => {
            let mut shares = tallies.shares(space);
            chance::fill(&mut shares, &tallies, space, permutations, rng);
            PedAnovaOutcome::Computed(shares)
        }
        Err(reason) => PedAnovaOutcome::Withheld { reason },
    }
}

/// The tallies of all parameters of a space.
struct Tallies {
    /// Number of trials.
    trials: usize,
    /// Number of best trials.
    best: usize,
    /// One tally per parameter; `None` where it has no grid.
    parameters: Vec<Option<Tally>>,
}

impl Tallies {
    fn new(space: &SearchSpace, trials: &[(&Params, f64)], direction: Direction) -> Result<Self, Indistinct> {
        if trials.len() < 2 {
            return Err(Indistinct::TooFewTrials);
        }
        let is_best = best(trials, direction);
        let count = is_best.iter().filter(|best| **best).count();
        if count == trials.len() {
            return Err(Indistinct::AllAmongTheBest);
        }
        let mut parameters: Vec<Option<Tally>> =
            space.iter().map(|(_, set)| Grid::new(set).map(|grid| Tally::new(grid, trials.len()))).collect();
        // Visits trial by trial, because the values of a trial are contiguous in memory.
        for (position, ((params, _), is_best)) in trials.iter().zip(&is_best).enumerate() {
            for (order, ((parameter, _), tally)) in space.iter().zip(&mut parameters).enumerate() {
                if let (Some(tally), Some(value)) = (tally, value(params, parameter, order)) {
                    tally.count(position, value, *is_best);
                }
            }
        }
        Ok(Self { trials: trials.len(), best: count, parameters })
    }

    fn shares(&self, space: &SearchSpace) -> PedAnova {
        let divergence = |tally: &Option<Tally>| {
            tally.as_ref().map_or(0.0, |tally| tally.divergence(&tally.best, self.trials, self.best))
        };
        let mut parameters: Vec<PedShare> = space
            .iter()
            .zip(&self.parameters)
            .map(|((parameter, _), tally)| PedShare {
                parameter: parameter.to_owned(),
                divergence: divergence(tally),
                share: None,
                share_by_chance: None,
                p: None,
                p_holm: None,
            })
            .collect();
        parameters.sort_by(|a, b| b.divergence.total_cmp(&a.divergence));
        let sum: f64 = parameters.iter().map(|parameter| parameter.divergence).sum();
        if sum > 0.0 {
            for parameter in &mut parameters {
                parameter.share = Some(parameter.divergence / sum);
            }
        }
        PedAnova { trials: self.trials as u64, best: self.best as u64, parameters, permutations: 0 }
    }
}

/// Returns which trials are no worse than the last of the best tenth.
fn best(trials: &[(&Params, f64)], direction: Direction) -> Vec<bool> {
    let loss = |value: f64| if direction == Direction::Maximize { -value } else { value };
    let mut losses: Vec<f64> = trials.iter().map(|(_, value)| loss(*value)).collect();
    let last = (TARGET * losses.len() as f64).ceil() as usize - 1;
    let cutoff = *losses.select_nth_unstable_by(last, f64::total_cmp).1;
    trials.iter().map(|(_, value)| loss(*value) <= cutoff).collect()
}

/// Cell of a trial that lacks the parameter.
const NOWHERE: u32 = u32::MAX;

/// The trials in each cell of one parameter's grid.
struct Tally {
    grid: Grid,
    /// Cell of each trial.
    cells: Vec<u32>,
    all: Vec<u32>,
    best: Vec<u32>,
}

impl Tally {
    fn new(grid: Grid, trials: usize) -> Self {
        let empty = vec![0; grid.cells()];
        Self { grid, cells: vec![NOWHERE; trials], all: empty.clone(), best: empty }
    }

    fn count(&mut self, trial: usize, value: &ParamValue, is_best: bool) {
        if let Some(cell) = self.grid.cell(value) {
            self.cells[trial] = cell as u32;
            self.all[cell] += 1;
            self.best[cell] += u32::from(is_best);
        }
    }

    fn density(&self, counts: &[u32]) -> Density {
        if self.grid.is_ordered() { Density::ordered(counts) } else { Density::nominal(counts) }
    }

    /// Returns the divergence of the trials that `top` counts in each cell. `trials` and `best` are the
    /// numbers of all trials and of the best ones, with or without the parameter.
    fn divergence(&self, top: &[u32], trials: usize, best: usize) -> f64 {
        let (with, best_with) = (self.all.iter().sum::<u32>(), top.iter().sum::<u32>());
        if with < FEWEST || best_with == 0 {
            return 0.0;
        }
        self.divergence_from(&self.density(&self.all), top, trials, best)
    }

    /// Returns the divergence, given the density of all trials.
    fn divergence_from(&self, all: &Density, top: &[u32], trials: usize, best: usize) -> f64 {
        let (with, best_with) = (self.all.iter().sum::<u32>(), top.iter().sum::<u32>());
        let top = self.density(top);
        let pearson = top.0.iter().zip(&all.0).map(|(top, all)| {
            let ratio = top / all - 1.0;
            all * ratio * ratio
        });
        let target_share = f64::from(best_with) / best as f64;
        let region_share = f64::from(with) / trials as f64;
        let quantile = best as f64 / trials as f64;
        quantile * quantile * target_share * target_share / region_share * pearson.sum::<f64>()
    }
}
