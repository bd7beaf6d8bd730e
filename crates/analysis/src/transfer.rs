//! Whether the settings that suit one budget suit the others: its best configurations, trained anew there.

use allometry_core::transfer::Carried;
use allometry_core::{Direction, FrozenTrial, TrialNumber};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::estimate::{Estimate, Interval, Method};
use crate::input::LadderTrials;
use crate::options::Options;
use crate::scores::{Predictions, StudyScores};
use crate::stats::delong::delong;
use crate::stats::distribution::{t_half_width, t_two_sided};
use crate::stats::holm::adjust_known;
use crate::stats::kendall::kendall;
use crate::stats::moments::{mean, sample_variance};
use crate::stats::normal;

/// Configurations for a rank correlation, at least.
const FEWEST_RANKED: usize = 3;

/// What a budget trained to see whether settings carry over.
#[derive(Debug, Clone, PartialEq)]
pub struct TransferTrials {
    /// Label of the budget that trained.
    pub budget: String,
    /// What it was to train, and for whom.
    pub plan: Vec<Carried>,
    /// The trials.
    pub trials: Vec<FrozenTrial>,
    /// What they predict on the validation rows, where stored.
    pub scores: StudyScores,
}

/// Whether settings carry over between budgets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Transfer {
    /// Labels of the budgets that take part, in the ladder's order.
    pub budgets: Vec<String>,
    /// Trainings that were planned.
    pub planned: u64,
    /// Of these, those that ended with a value.
    pub complete: u64,
    /// From every budget to every one that trained its best configuration, itself included.
    pub cells: Vec<TransferCell>,
}

/// The best configuration of one budget, trained anew at a budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TransferCell {
    /// Label of the budget whose settings they are.
    pub from: String,
    /// Label of the budget that trained them, with its own architecture.
    pub to: String,
    /// Mean of the metric over the seeds.
    pub value: f64,
    /// Number of seeds.
    pub seeds: u64,
    /// What the settings lose there against the budget's own best, trained anew under the same seeds; above 0 where its own are
    /// better. `null` at home, and where no seed has both.
    pub loss: Option<Estimate>,
    /// p-value of no loss; `null` where it has no error.
    pub p: Option<f64>,
    /// The same adjusted by Holm's method over all transfers.
    pub p_holm: Option<f64>,
    /// What that says.
    pub outcome: Option<TransferOutcome>,
    /// Whether the source's best configurations keep their order there.
    pub order: Option<RankOrder>,
}

/// What a transfer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TransferOutcome {
    /// The budget's own settings are better, by Holm's method.
    Costs,
    /// The other budget's settings are better than its own, by Holm's method.
    Gains,
    /// Whatever the settings lose or gain is smaller than the smallest effect of interest.
    CarriesOver,
    /// Neither is told.
    Undecided,
}

impl TransferOutcome {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Costs => "costs",
            Self::Gains => "gains",
            Self::CarriesOver => "carries over",
            Self::Undecided => "undecided",
        }
    }
}

/// Rank correlation between the values of the same settings at two budgets.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RankOrder {
    /// Kendall's tau-b.
    pub tau: f64,
    /// Number of configurations.
    pub configurations: u64,
}

/// One training of a planned configuration.
#[derive(Clone, Copy)]
struct Trained<'a> {
    seed: u64,
    value: f64,
    trial: TrialNumber,
    predictions: Option<Predictions<'a>>,
}

impl Transfer {
    /// `None` where nothing was planned.
    pub(crate) fn new(ladder: &LadderTrials, options: &Options) -> Option<Self> {
        let place = |label: &str| ladder.studies.iter().position(|study| study.budget.label == label);
        let mut trained: Vec<&TransferTrials> =
            ladder.transfers.iter().filter(|one| place(&one.budget).is_some()).collect();
        trained.sort_by_key(|one| place(&one.budget));
        if trained.is_empty() {
            return None;
        }
        let budgets: Vec<String> = trained.iter().map(|one| one.budget.clone()).collect();
        let mut cells = Vec::new();
        for from in &budgets {
            let home = trained.iter().find(|one| one.budget == *from)?;
            for to in &trained {
                cells.extend(cell(from, home, to, ladder, options));
            }
        }
        let adjusted = adjust_known(cells.iter().map(|cell| cell.p));
        for (cell, p_holm) in cells.iter_mut().zip(adjusted) {
            cell.p_holm = p_holm;
            cell.outcome = cell.loss.map(|loss| outcome(&loss, p_holm, options));
        }
        let all = || trained.iter().flat_map(|to| to.plan.iter().map(move |one| (to, one)));
        Some(Self {
            planned: all().count() as u64,
            complete: all().filter(|(to, one)| to.trained(one).is_some()).count() as u64,
            budgets,
            cells,
        })
    }

    /// The cell of two budgets.
    pub fn cell(&self, from: &str, to: &str) -> Option<&TransferCell> {
        self.cells.iter().find(|cell| cell.from == from && cell.to == to)
    }
}

impl TransferTrials {
    fn trained(&self, planned: &Carried) -> Option<Trained<'_>> {
        let is_it =
            |trial: &&FrozenTrial| trial.record.seed == Some(planned.seed) && trial.params == planned.params;
        let found = self.trials.iter().filter(is_it).find_map(|trial| {
            let value = trial.complete_value().filter(|value| value.is_finite())?;
            Some((trial.number, value))
        });
        let (trial, value) = found?;
        Some(Trained { seed: planned.seed, value, trial, predictions: self.scores.of(trial) })
    }

    /// The trainings of the configuration at `rank` among the best of `from`.
    fn of(&self, from: &str, rank: u64) -> Vec<Trained<'_>> {
        let planned = self.plan.iter().filter(|one| one.from == from && one.rank == rank);
        planned.filter_map(|one| self.trained(one)).collect()
    }
}

fn cell(
    from: &str,
    home: &TransferTrials,
    to: &TransferTrials,
    ladder: &LadderTrials,
    options: &Options,
) -> Option<TransferCell> {
    let carried = to.of(from, 0);
    let value = mean(carried.iter().map(|one| one.value))?;
    let is_home = from == to.budget;
    let (loss, p) = if is_home {
        (None, None)
    } else {
        loss(&carried, &to.of(&to.budget, 0), ladder, options)
            .map_or((None, None), |(loss, p)| (Some(loss), p))
    };
    Some(TransferCell {
        from: from.to_owned(),
        to: to.budget.clone(),
        value,
        seeds: carried.len() as u64,
        loss,
        p,
        p_holm: None,
        outcome: None,
        order: if is_home { None } else { order(from, home, to) },
    })
}

/// Mean over the seeds that both have of what the carried settings lose, and the p-value of no loss.
///
/// The error joins what new rows would change, DeLong's of the mean difference (DeLong, DeLong & Clarke-Pearson 1988), where scores of
/// the same rows are stored, and what new seeds would, the variance of the differences over their number. Rows and seeds are crossed: what
/// a seed does to single rows is in both, and is counted once (as with readers and cases, Obuchowski & Rockette 1995). Student's t with Satterthwaite's
/// (1946) degrees of freedom.
fn loss(
    carried: &[Trained<'_>],
    own: &[Trained<'_>],
    ladder: &LadderTrials,
    options: &Options,
) -> Option<(Estimate, Option<f64>)> {
    let sign = if ladder.direction == Direction::Maximize { 1.0 } else { -1.0 };
    let pairs: Vec<(&Trained<'_>, &Trained<'_>)> = carried
        .iter()
        .filter_map(|carried| Some((own.iter().find(|own| own.seed == carried.seed)?, carried)))
        .collect();
    let differences: Vec<f64> =
        pairs.iter().map(|(own, carried)| sign * (own.value - carried.value)).collect();
    let point = mean(differences.iter().copied())?;
    let observed = Estimate::observed(point, options);
    if pairs.iter().all(|(own, carried)| own.trial == carried.trial) {
        let nothing = Some(Interval { lower: 0.0, upper: 0.0 });
        let same = Estimate { interval: nothing, method: Method::Identical, ..observed };
        return Some((same, None));
    }
    let of_rows = if ladder.measures_auc() { variance_over_rows(&pairs) } else { None };
    let of_seeds = sample_variance(differences.iter().copied()).map(|v| v / differences.len() as f64);
    let (rows, seeds) = (of_rows.map_or(0.0, |rows| rows.mean), of_seeds.unwrap_or(0.0));
    let shared = of_rows.map_or(0.0, |rows| rows.of_single_seeds(differences.len()));
    let variance = (rows + seeds - shared).max(rows).max(seeds);
    if variance <= 0.0 {
        return Some((observed, None));
    }
    let error = variance.sqrt();
    let (half, p, method) = match of_seeds.filter(|of_seeds| *of_seeds > 0.0) {
        None => (
            normal::half_width(options.level),
            Some(normal::two_sided_p(point / error)),
            Method::PairedDelong,
        ),
        Some(of_seeds) => {
            let freedom = (differences.len() - 1) as f64 * (variance / of_seeds).powi(2);
            (t_half_width(options.level, freedom)?, t_two_sided(point / error, freedom), Method::PairedSeeds)
        }
    };
    let interval = Interval { lower: point - half * error, upper: point + half * error };
    Some((Estimate { standard_error: Some(error), interval: Some(interval), method, ..observed }, p))
}

/// Variances over new rows, the models being fixed.
#[derive(Clone, Copy)]
struct OverRows {
    /// Of the mean difference.
    mean: f64,
    /// Mean of the variances of each seed's difference.
    single: f64,
}

impl OverRows {
    /// The part of the mean's variance that seeds do not have in common.
    fn of_single_seeds(self, seeds: usize) -> f64 {
        if seeds < 2 { 0.0 } else { ((self.single - self.mean) / (seeds - 1) as f64).max(0.0) }
    }
}

/// `None` where not all have scores of the same rows.
fn variance_over_rows(pairs: &[(&Trained<'_>, &Trained<'_>)]) -> Option<OverRows> {
    let predictions: Vec<Predictions<'_>> = pairs
        .iter()
        .flat_map(|(own, carried)| [own.predictions, carried.predictions])
        .collect::<Option<_>>()?;
    let (first, others) = predictions.split_first()?;
    if others.iter().any(|other| !first.same_rows(other)) {
        return None;
    }
    let numbers: Vec<Vec<f64>> = predictions.iter().map(Predictions::numbers).collect();
    let scores: Vec<&[f64]> = numbers.iter().map(Vec::as_slice).collect();
    let found = delong(first.labels, &scores)?;
    let single = mean((0..pairs.len()).map(|pair| found.difference(2 * pair, 2 * pair + 1).1.powi(2)))?;
    let covariance = found.covariance;
    let weight = |model: usize| if model.is_multiple_of(2) { 1.0 } else { -1.0 } / pairs.len() as f64;
    let terms = covariance.iter().enumerate().flat_map(|(i, row)| {
        row.iter().enumerate().map(move |(j, covariance)| weight(i) * weight(j) * covariance)
    });
    Some(OverRows { mean: terms.sum::<f64>().max(0.0), single })
}

fn outcome(loss: &Estimate, p_holm: Option<f64>, options: &Options) -> TransferOutcome {
    if p_holm.is_some_and(|p| p < 1.0 - options.level) {
        return if loss.point > 0.0 { TransferOutcome::Costs } else { TransferOutcome::Gains };
    }
    match loss.interval {
        Some(interval) if interval.is_within(options.smallest_effect) => TransferOutcome::CarriesOver,
        _ => TransferOutcome::Undecided,
    }
}

/// Of the means over seeds of each configuration of `from`, at home and at `to`.
fn order(from: &str, home: &TransferTrials, to: &TransferTrials) -> Option<RankOrder> {
    let ranks: std::collections::BTreeSet<u64> =
        home.plan.iter().filter(|one| one.from == from).map(|one| one.rank).collect();
    let value = |at: &TransferTrials, rank| mean(at.of(from, rank).iter().map(|one| one.value));
    let pairs = ranks.into_iter().filter_map(|rank| Some((value(home, rank)?, value(to, rank)?)));
    let (x, y): (Vec<f64>, Vec<f64>) = pairs.unzip();
    if x.len() < FEWEST_RANKED {
        return None;
    }
    kendall(&x, &y).map(|found| RankOrder { tau: found.tau_b, configurations: x.len() as u64 })
}
