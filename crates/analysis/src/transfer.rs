//! Whether the best configurations of one budget suit the others, by retraining them there.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::estimate::Estimate;
use crate::input::LadderTrials;
use crate::options::Options;
use crate::retrained::{Contrast, Outcome, RetrainedTrials, counts, in_order};
use crate::stats::holm::adjust_known;
use crate::stats::kendall::kendall;
use crate::stats::moments::mean;

/// Fewest configurations for a rank correlation.
const FEWEST_RANKED: usize = 3;

/// Whether settings carry over between budgets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Transfer {
    /// Labels of the budgets that take part, in the ladder's order.
    pub budgets: Vec<String>,
    /// Number of planned trainings.
    pub planned: u64,
    /// Number of planned trainings that ended with a value.
    pub complete: u64,
    /// Results by budget of origin and budget of retraining, including a budget's own configuration.
    pub cells: Vec<TransferCell>,
}

/// The best configuration of one budget, retrained at one budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TransferCell {
    /// Label of the budget of origin.
    pub from: String,
    /// Label of the budget that retrained the configuration with its own architecture.
    pub to: String,
    /// Mean of the metric over the seeds.
    pub value: f64,
    /// Number of seeds.
    pub seeds: u64,
    /// Loss against the budget's own best configuration, retrained under common seeds; above 0 if its own is
    /// better. `null` for a budget's own configuration, and without a common seed.
    pub loss: Option<Estimate>,
    /// P-value for zero loss; `null` if the loss has no error.
    pub p: Option<f64>,
    /// P-value after Holm's adjustment over all transfers.
    pub p_holm: Option<f64>,
    /// Outcome of the transfer.
    pub outcome: Option<TransferOutcome>,
    /// Rank correlation of the origin's best configurations between the two budgets.
    pub order: Option<RankOrder>,
}

/// Outcome of a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TransferOutcome {
    /// The budget's own settings are better after Holm's adjustment.
    Costs,
    /// The other budget's settings are better after Holm's adjustment.
    Gains,
    /// The loss or gain is smaller than the smallest effect of interest.
    CarriesOver,
    /// The trials do not decide.
    Undecided,
}

impl TransferOutcome {
    /// Returns the outcome's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Costs => "costs",
            Self::Gains => "gains",
            Self::CarriesOver => "carries over",
            Self::Undecided => "undecided",
        }
    }
}

/// Rank correlation between the values of common settings at two budgets.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RankOrder {
    /// Kendall's tau-b.
    pub tau: f64,
    /// Number of configurations.
    pub configurations: u64,
}

impl Transfer {
    /// Evaluates the transfers; `None` if none was planned.
    pub(crate) fn new(ladder: &LadderTrials, options: &Options) -> Option<Self> {
        let trained = in_order(&ladder.transfers, ladder);
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
            cell.outcome = cell.loss.map(|loss| Outcome::new(&loss, p_holm, options).into());
        }
        let (planned, complete) = counts(&trained, ladder);
        Some(Self { budgets, planned, complete, cells })
    }

    /// Returns the cell of two budgets.
    pub fn cell(&self, from: &str, to: &str) -> Option<&TransferCell> {
        self.cells.iter().find(|cell| cell.from == from && cell.to == to)
    }
}

fn cell(
    from: &str,
    home: &RetrainedTrials,
    to: &RetrainedTrials,
    ladder: &LadderTrials,
    options: &Options,
) -> Option<TransferCell> {
    let carried = to.of(from, 0, ladder);
    let value = mean(carried.iter().map(|one| one.value))?;
    let is_home = from == to.budget;
    let (loss, p) = if is_home {
        (None, None)
    } else {
        let own = to.of(&to.budget, 0, ladder);
        let loss = Contrast::difference(&own, &carried, ladder.direction().sign());
        loss.estimate(options).map_or((None, None), |(loss, p)| (Some(loss), p))
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
        order: if is_home { None } else { order(from, home, to, ladder) },
    })
}

impl From<Outcome> for TransferOutcome {
    fn from(loss: Outcome) -> Self {
        match loss {
            Outcome::Above => Self::Costs,
            Outcome::Below => Self::Gains,
            Outcome::Nothing => Self::CarriesOver,
            Outcome::Undecided => Self::Undecided,
        }
    }
}

/// Returns the rank correlation of the means over seeds of each configuration of `from`, at home and at `to`.
fn order(
    from: &str,
    home: &RetrainedTrials,
    to: &RetrainedTrials,
    ladder: &LadderTrials,
) -> Option<RankOrder> {
    let ranks: std::collections::BTreeSet<u64> =
        home.plan.iter().filter(|one| one.from == from).map(|one| one.rank).collect();
    let value = |at: &RetrainedTrials, rank| mean(at.of(from, rank, ladder).iter().map(|one| one.value));
    let pairs = ranks.into_iter().filter_map(|rank| Some((value(home, rank)?, value(to, rank)?)));
    let (x, y): (Vec<f64>, Vec<f64>) = pairs.unzip();
    if x.len() < FEWEST_RANKED {
        return None;
    }
    kendall(&x, &y).map(|found| RankOrder { tau: found.tau_b, configurations: x.len() as u64 })
}
