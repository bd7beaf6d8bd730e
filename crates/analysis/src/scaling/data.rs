//! Scaling with data: the gain from more training rows, beside the gain from more weights.

use std::f64::consts::LOG10_2;

use allometry_core::{FrozenTrial, RowCount, TrialState};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::contrast::{BudgetPart, Budgets, Share, Source};
use super::grid_law::{GridLaw, grid_law};
use super::judgement::{Quantity, Withheld, slope_weights};
use super::quantity::{Valued, valued};
use super::search;
use super::size_law::{SizeLaw, size_law};
use crate::estimate::Estimate;
use crate::input::{LadderTrials, StudyTrials};
use crate::options::Options;
use crate::outcome::Outcome;
use crate::rows::NoRowError;
use crate::stats::holm;

/// Smallest distance of two sizes, in doublings.
const ONE_SIZE: f64 = 0.05;

/// The value of one budget on one part of the training rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DataCell {
    /// Label of the study, such as `2M@25%`.
    pub label: String,
    /// Label of the budget.
    pub budget: String,
    /// Number of weights, where known.
    pub weights: Option<f64>,
    /// Number of distinct training rows; the share of all rows where their number is not known.
    pub rows: f64,
    /// Number of rows trained on, repeats included: the median over the trials, where recorded.
    pub tokens: Option<f64>,
    /// The value with its error.
    pub value: Estimate,
    /// Number of units, such as configurations, behind the value.
    pub units: u64,
}

/// Gain of one budget from its smallest part of the rows to all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DataGain {
    /// Label of the budget.
    pub budget: String,
    /// The gain; positive where more rows are better.
    pub gain: Estimate,
    /// Two-sided p-value for zero, adjusted by Holm's method over the budgets.
    pub p_holm: Option<f64>,
}

/// A slope with its test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DoublingGain {
    /// Gain per doubling.
    pub gain: Estimate,
    /// Two-sided p-value for zero.
    pub p: Option<f64>,
    /// Shares of the known sources in its error.
    pub shares: Vec<Share>,
}

/// What more training rows buy, in a ladder that was trained on parts of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DataScaling {
    /// The values, by budget and then by rows.
    pub cells: Vec<DataCell>,
    /// Whether `rows` of the cells are numbers; otherwise they are shares.
    pub counts_rows: bool,
    /// The judged quantity and the tests; `null` where they are withheld.
    pub judgement: Option<DataJudgement>,
    /// Why the tests are withheld.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withheld: Option<Withheld>,
}

/// Tests of the gain from more rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DataJudgement {
    /// The judged quantity.
    pub quantity: Quantity,
    /// Whether more rows pay.
    pub outcome: Outcome,
    /// Gain per doubling of the rows within a budget, the mean over the budgets.
    pub rows: DoublingGain,
    /// Gain per doubling of the weights on equal rows, the mean over the parts; `null` where sizes are not
    /// known or there is one budget.
    pub weights: Option<DoublingGain>,
    /// Gain of a doubling of the rows over that of a doubling of the weights.
    pub difference: Option<DoublingGain>,
    /// Gain of each budget from its smallest part to all rows.
    pub budgets: Vec<DataGain>,
    /// Sources with unknown variance, which the errors leave out.
    pub left_out: Vec<Source>,
    /// Passes over the rows: the median over the cells of rows trained on by distinct rows, where recorded.
    /// Above 1, rows are repeated.
    pub passes: Option<f64>,
    /// Label of the largest budget: the last one where sizes are not known.
    pub largest: String,
    /// A power law over the rows of the largest budget; `null` for too few parts or too small a range.
    pub law: Option<SizeLaw>,
    /// A law over weights and rows; `null` for too few budgets or parts, or too small a range.
    pub grid: Option<GridLaw>,
}

impl DataScaling {
    /// Judges the budgets of a ladder on parts of the training rows; `None` for a ladder without parts.
    pub fn new(ladder: &LadderTrials, options: &Options) -> Option<Self> {
        if ladder.parts.is_empty() {
            return None;
        }
        let studies: Vec<(&StudyTrials, search::SearchKind)> = ladder
            .studies
            .iter()
            .chain(&ladder.parts)
            .map(|study| (study, search::kind(study, ladder)))
            .collect();
        let (sizes, counts_rows) = rows_of_studies(ladder);
        let found = valued(&studies, ladder).and_then(|valued| judge(&valued, &sizes, ladder, options));
        let (cells, judgement, withheld) = match found {
            Ok((cells, judgement)) => (cells, Some(judgement), None),
            Err(why) => (Vec::new(), None, Some(why)),
        };
        Some(Self { cells, counts_rows, judgement, withheld })
    }
}

/// The rows of a study.
pub(crate) struct RowsOf<'a> {
    /// Label of the study.
    pub(crate) label: &'a str,
    /// Label of the budget.
    pub(crate) budget: &'a str,
    /// Number of distinct training rows, or their share.
    pub(crate) rows: f64,
    tokens: Option<f64>,
}

/// Returns the rows of each study in the order of the ladder, parts last, and whether they are numbers.
pub(crate) fn rows_of_studies(ladder: &LadderTrials) -> (Vec<RowsOf<'_>>, bool) {
    let all = || ladder.studies.iter().chain(&ladder.parts);
    let counted: Vec<Option<f64>> =
        all().map(|study| median(study, |trial| trial.cost().train_rows.map(|rows| rows as f64))).collect();
    let counts_rows = counted.iter().zip(all()).all(|(count, study)| count.is_some() || !has_value(study));
    let share = |study: &StudyTrials| match study.budget.train.as_ref().map(|part| part.rows) {
        None => Some(1.0),
        Some(RowCount::Share(share)) => Some(share),
        Some(RowCount::Rows(_)) => None,
    };
    let of = |(study, count): (_, &Option<f64>)| {
        let study: &StudyTrials = study;
        let rows = if counts_rows { *count } else { share(study) };
        let part = study.budget.train.as_ref();
        Some(RowsOf {
            label: &study.budget.label,
            budget: part.map_or(&study.budget.label, |part| &part.of),
            rows: rows.filter(|rows| *rows > 0.0)?,
            tokens: median(study, |trial| trial.cost().tokens.map(|tokens| tokens as f64)),
        })
    };
    (all().zip(&counted).filter_map(of).collect(), counts_rows)
}

fn has_value(study: &StudyTrials) -> bool {
    study.trials.iter().any(|trial| trial.eligible_value().is_some())
}

/// Returns the median over the complete trials of a study.
fn median(study: &StudyTrials, of: impl Fn(&FrozenTrial) -> Option<f64>) -> Option<f64> {
    let complete = study.trials.iter().filter(|trial| trial.state == TrialState::Complete);
    let mut values: Vec<f64> = complete.filter_map(of).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// A cell with its places on both axes, in doublings.
struct Placed {
    budget: String,
    rows: f64,
    weights: Option<f64>,
}

fn judge(
    valued: &Valued<'_>,
    sizes: &[RowsOf<'_>],
    ladder: &LadderTrials,
    options: &Options,
) -> Result<(Vec<DataCell>, DataJudgement), Withheld> {
    let place = |part: &BudgetPart<'_>| {
        let of = sizes.iter().find(|one| one.label == part.label)?;
        let (rows, weights) = (of.rows.log2(), part.weights.map(f64::log2));
        Some(Placed { budget: of.budget.to_owned(), rows, weights })
    };
    let placed: Option<Vec<Placed>> = valued.parts.iter().map(place).collect();
    let placed = placed.ok_or(Withheld::SameSizes)?;
    let contrasts = Contrasts::new(&placed).ok_or(Withheld::SameSizes)?;
    let budgets = Budgets::new(valued.parts.clone())?;
    let cut = valued.cut.as_ref().map(|(parts, _)| Budgets::new(parts.clone())).transpose()?;
    let both = Tested { budgets: &budgets, cut: cut.as_ref(), options };
    let rows = both.gain(&contrasts.rows)?;
    let Some(p) = rows.p else { return Err(Withheld::NothingVaries) };
    let weights = contrasts.weights.as_ref().map(|weights| both.gain(weights)).transpose()?;
    let difference = contrasts.weights.as_ref().map(|weights| {
        let apart: Vec<f64> =
            contrasts.rows.iter().zip(weights).map(|(rows, weights)| rows - weights).collect();
        both.gain(&apart)
    });
    let difference = difference.transpose()?;
    let mut gains: Vec<(DataGain, Option<f64>)> = Vec::new();
    for (budget, ends) in &contrasts.ends {
        let gain = both.gain(ends)?;
        gains.push((DataGain { budget: budget.clone(), gain: gain.gain, p_holm: None }, gain.p));
    }
    let adjusted = holm::adjust_known(gains.iter().map(|(_, p)| *p));
    let gains: Vec<DataGain> =
        gains.into_iter().zip(adjusted).map(|((gain, _), p_holm)| DataGain { p_holm, ..gain }).collect();
    let effect = options.effect();
    let is_small =
        |one: &DataGain| effect > 0.0 && one.gain.interval.is_some_and(|ends| ends.is_within(effect));
    let outcome = if gains.iter().all(is_small) {
        Outcome::Flat
    } else if p >= 1.0 - options.level {
        Outcome::Undecided
    } else if rows.gain.point > 0.0 {
        Outcome::Holds
    } else {
        Outcome::Violated
    };
    let mut left_out = valued.left_out.clone();
    if !budgets.knows_rows() {
        left_out.push(Source::Rows);
    }
    let sign = ladder.direction().sign();
    let freedom = budgets.sum(&contrasts.rows, options).ok().map(|sum| sum.freedom);
    let operations = operations(&valued.parts, sizes);
    let mut cells = cells(&both, &placed, sizes, sign)?;
    for cell in &mut cells {
        cell.value = ladder.within_range(cell.value);
    }
    let mut passes: Vec<f64> = cells.iter().filter_map(|cell| Some(cell.tokens? / cell.rows)).collect();
    passes.sort_by(f64::total_cmp);
    let counts_all = cells.iter().all(|cell| cell.rows >= 1.0) && cells.iter().any(|cell| cell.rows > 1.0);
    let placed_values: Option<Vec<([f64; 2], f64)>> =
        cells.iter().map(|cell| Some(([cell.weights?, cell.rows], cell.value.point))).collect();
    let grid = placed_values
        .filter(|_| counts_all)
        .and_then(|values| grid_law(&budgets, &values, [freedom, operations], ladder, options));
    let weights_of = |one: &&Placed| one.weights.unwrap_or(0.0);
    let largest = placed.iter().max_by(|a, b| weights_of(a).total_cmp(&weights_of(b)));
    let largest = largest.map_or_else(String::new, |one| one.budget.clone());
    let judgement = DataJudgement {
        quantity: valued.quantity,
        outcome,
        rows,
        weights,
        difference,
        budgets: gains,
        left_out,
        passes: passes.get(passes.len() / 2).copied().filter(|_| counts_all),
        law: counts_all.then(|| law(valued, &placed, &largest, ladder, options)).flatten(),
        largest,
        grid,
    };
    let place = |budget: &str| ladder.studies.iter().position(|study| study.budget.label == budget);
    cells.sort_by(|a, b| place(&a.budget).cmp(&place(&b.budget)).then(a.rows.total_cmp(&b.rows)));
    Ok((cells, judgement))
}

/// Returns the median number of operations per weight and distinct row.
fn operations(parts: &[BudgetPart<'_>], sizes: &[RowsOf<'_>]) -> Option<f64> {
    let of = |part: &BudgetPart<'_>| {
        let rows = sizes.iter().find(|one| one.label == part.label)?.rows;
        Some(part.flops? / (part.weights? * rows))
    };
    let mut all: Vec<f64> = parts.iter().map(of).collect::<Option<_>>()?;
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied()
}

/// Returns the cells in the order of the ladder.
fn cells(
    both: &Tested<'_, '_>,
    placed: &[Placed],
    sizes: &[RowsOf<'_>],
    sign: f64,
) -> Result<Vec<DataCell>, NoRowError> {
    let parts = &both.budgets.parts;
    let mut cells = Vec::with_capacity(parts.len());
    for (place, (part, at)) in parts.iter().zip(placed).enumerate() {
        let mut only = vec![0.0; parts.len()];
        only[place] = sign;
        let of = sizes.iter().find(|one| one.label == part.label);
        cells.push(DataCell {
            label: part.label.clone(),
            budget: at.budget.clone(),
            weights: part.weights,
            rows: of.map_or_else(|| at.rows.exp2(), |one| one.rows),
            tokens: of.and_then(|one| one.tokens),
            value: both.gain(&only)?.gain,
            units: part.units.map_or(0, |units| units.count as u64),
        });
    }
    Ok(cells)
}

/// The cells as they are, and with every search cut to equal effort.
struct Tested<'b, 'a> {
    budgets: &'b Budgets<'a>,
    cut: Option<&'b Budgets<'a>>,
    options: &'b Options,
}

impl Tested<'_, '_> {
    /// Returns a sum of the cells. Its interval covers the cells at equal effort, too, and its p-value is the
    /// larger one.
    fn gain(&self, weights: &[f64]) -> Result<DoublingGain, NoRowError> {
        let whole = self.budgets.sum(weights, self.options)?;
        let mut gain = DoublingGain { gain: whole.estimate, p: whole.p, shares: whole.shares };
        if let Some(cut) = self.cut {
            let cut = cut.sum(weights, self.options)?;
            gain.gain = gain.gain.or_wider(cut.estimate);
            let agree = cut.estimate.point * gain.gain.point > 0.0;
            gain.p = gain.p.zip(cut.p).map(|(one, other)| if agree { one.max(other) } else { 1.0 });
        }
        Ok(gain)
    }
}

/// Sums of the cells.
struct Contrasts {
    /// Slope over the rows within budgets.
    rows: Vec<f64>,
    /// Slope over the weights within parts.
    weights: Option<Vec<f64>>,
    /// Largest less smallest part of each budget that has several.
    ends: Vec<(String, Vec<f64>)>,
}

impl Contrasts {
    /// Returns the sums; `None` where no budget has two different parts.
    fn new(placed: &[Placed]) -> Option<Self> {
        let rows: Vec<f64> = placed.iter().map(|one| one.rows).collect();
        let of_budgets: Vec<&str> = placed.iter().map(|one| one.budget.as_str()).collect();
        // Parts of several budgets have the same share; their numbers of rows are equal.
        let of_parts: Vec<i64> = placed.iter().map(|one| (one.rows / ONE_SIZE).round() as i64).collect();
        let weights: Option<Vec<f64>> = placed.iter().map(|one| one.weights).collect();
        let mut ends: Vec<(String, Vec<f64>)> = Vec::new();
        for budget in &of_budgets {
            if ends.iter().any(|(known, _)| known == budget) {
                continue;
            }
            let own = || (0..placed.len()).filter(|place| of_budgets[*place] == *budget);
            let by_rows = |a: &usize, b: &usize| rows[*a].total_cmp(&rows[*b]);
            let (Some(least), Some(most)) = (own().min_by(by_rows), own().max_by(by_rows)) else { continue };
            if rows[most] - rows[least] >= ONE_SIZE {
                let mut contrast = vec![0.0; placed.len()];
                (contrast[least], contrast[most]) = (-1.0, 1.0);
                ends.push(((*budget).to_owned(), contrast));
            }
        }
        Some(Self {
            rows: slope_within(&rows, &of_budgets)?,
            weights: weights.and_then(|weights| slope_within(&weights, &of_parts)),
            ends,
        })
        .filter(|contrasts| !contrasts.ends.is_empty())
    }
}

/// Returns the weights that turn a sum into the least-squares slope over the places, with a level of its own
/// for each group; `None` where no group spans a range.
fn slope_within<G: PartialEq>(places: &[f64], groups: &[G]) -> Option<Vec<f64>> {
    let centered: Vec<f64> = (0..places.len())
        .map(|place| {
            let own = || (0..places.len()).filter(|other| groups[*other] == groups[place]);
            places[place] - own().map(|other| places[other]).sum::<f64>() / own().count() as f64
        })
        .collect();
    let spread: f64 = centered.iter().map(|x| x * x).sum();
    (spread >= ONE_SIZE * ONE_SIZE).then(|| centered.iter().map(|x| x / spread).collect())
}

/// Returns the law over the rows of a budget.
fn law(
    valued: &Valued<'_>,
    placed: &[Placed],
    budget: &str,
    ladder: &LadderTrials,
    options: &Options,
) -> Option<SizeLaw> {
    let mut own: Vec<(f64, BudgetPart<'_>)> = placed
        .iter()
        .zip(&valued.parts)
        .filter(|(one, _)| one.budget == budget)
        .map(|(one, part)| (one.rows * LOG10_2, part.clone()))
        .collect();
    own.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (places, parts): (Vec<f64>, Vec<BudgetPart<'_>>) = own.into_iter().unzip();
    if places.len() < 2 {
        return None;
    }
    let budgets = Budgets::new(parts).ok()?;
    let freedom = budgets.sum(&slope_weights(&places, 0), options).ok()?.freedom;
    let mut law = size_law(&budgets, &places, freedom, ladder.direction().sign(), options)?;
    if ladder.measures_auc() {
        law.clamp_to_auc();
    }
    Some(law)
}
