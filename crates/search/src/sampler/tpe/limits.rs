//! The trials of a study with constraints, split once by the objective and once by each constraint.

use std::collections::BTreeMap;

use allometry_core::FrozenTrial;

use super::MOST_KERNELS;
use super::parzen::Parzen;
use super::record::{Record, Row, better, weighted};
use crate::sampler::lattice::{Cell, Lattice};

/// The splits of c-TPE (Watanabe & Hutter 2023, section 3), whose acquisition function is the product over
/// the splits of `l(x) / (q l(x) + (1 - q) g(x))`, where `l` and `g` are the densities of the better and the
/// worse group, and `q` is the better group's share.
///
/// For a constraint the better group consists of the trials that meet it, or, where none does, of the tenth
/// that is nearest to it. For the objective it consists of the best trials, as many as include a tenth of
/// those that meet all constraints; trials that violate a constraint can be among them. Where no trial meets
/// all constraints, there is no split by the objective. A constraint that all trials meet has no split,
/// because its ratio is 1.
pub(super) struct Splits<'a> {
    splits: Vec<[Vec<&'a Cell>; 2]>,
}

/// The densities of the groups of one split.
pub(super) struct Ratio<'a> {
    pub(super) better: Parzen<'a>,
    worse: Parzen<'a>,
    /// Share of the better group in all trials.
    share: f64,
}

impl<'a> Splits<'a> {
    /// The splits; `None` where no trial has a constraint. `finished` are the trials that `record` was read
    /// from.
    pub(super) fn new(finished: &[FrozenTrial], record: &'a Record) -> Option<Self> {
        let mut by_name: BTreeMap<String, Vec<(f64, &'a Row)>> = BTreeMap::new();
        let mut eligible: Vec<(&'a Row, bool)> = Vec::new();
        for (trial, row) in finished.iter().zip(record.rows()) {
            let constraints = trial.constraints();
            let values = constraints.iter().filter(|(_, value)| !value.is_nan() && row.cell.is_some());
            for (name, value) in values {
                by_name.entry(name).or_default().push((value, row));
            }
            if row.order.0 < 2 && row.cell.is_some() {
                eligible.push((row, constraints.are_met()));
            }
        }
        if by_name.is_empty() {
            return None;
        }
        let mut splits: Vec<[Vec<&'a Cell>; 2]> = by_name.into_values().filter_map(of_constraint).collect();
        splits.extend(of_objective(eligible, record));
        Some(Self { splits })
    }

    pub(super) fn densities<'l>(&self, lattice: &'l Lattice) -> Vec<Ratio<'l>> {
        let ratio = |[better, worse]: &[Vec<&Cell>; 2]| {
            let density =
                |cells: &[&Cell]| Parzen::new(lattice, &weighted(cells.len(), MOST_KERNELS, |i| cells[i]));
            let share = better.len() as f64 / (better.len() + worse.len()) as f64;
            Ratio { better: density(better), worse: density(worse), share }
        };
        self.splits.iter().map(ratio).collect()
    }
}

impl Ratio<'_> {
    /// Logarithm of the split's factor in the acquisition function at a cell.
    pub(super) fn log_ratio(&self, cell: &Cell) -> f64 {
        let worse_by_better = self.worse.log_density(cell) - self.better.log_density(cell);
        // For larger exponents the other term is negligible and `exp` overflows.
        if worse_by_better > 500.0 {
            return -((1.0 - self.share).ln() + worse_by_better);
        }
        -(self.share + (1.0 - self.share) * worse_by_better.exp()).ln()
    }
}

fn cells<'a>(rows: impl IntoIterator<Item = &'a Row>) -> Vec<&'a Cell> {
    rows.into_iter().filter_map(|row| row.cell.as_ref()).collect()
}

/// The split by a constraint; `None` where all trials meet the constraint.
fn of_constraint(mut trials: Vec<(f64, &Row)>) -> Option<[Vec<&Cell>; 2]> {
    let nearest = trials.iter().map(|(value, _)| *value).fold(f64::INFINITY, f64::min);
    let bar = if nearest <= 0.0 {
        0.0
    } else {
        let mut values: Vec<f64> = trials.iter().map(|(value, _)| *value).collect();
        values.sort_by(f64::total_cmp);
        values[values.len().div_ceil(10) - 1]
    };
    trials.sort_by_key(|(_, row)| row.number);
    let (met, broken): (Vec<_>, Vec<_>) = trials.into_iter().partition(|(value, _)| *value <= bar);
    let [met, broken] = [met, broken].map(|trials| cells(trials.into_iter().map(|(_, row)| row)));
    (!broken.is_empty()).then_some([met, broken])
}

/// The split by the objective; `None` where no trial meets all constraints. Running trials and those without
/// a value are in the worse group.
fn of_objective<'a>(mut trials: Vec<(&'a Row, bool)>, record: &'a Record) -> Option<[Vec<&'a Cell>; 2]> {
    let wanted = trials.iter().filter(|(_, met)| *met).count().div_ceil(10);
    trials.sort_by(|(a, _), (b, _)| better(a, b));
    let mut found = 0;
    let end = trials.iter().position(|(_, met)| {
        found += usize::from(*met);
        found == wanted && *met
    })?;
    let mut best: Vec<&Row> = trials.iter().take(end + 1).map(|(row, _)| *row).collect();
    best.sort_by_key(|row| row.number);
    let is_best = |row: &Row| best.binary_search_by_key(&row.number, |other| other.number).is_ok();
    let worse = cells(record.rows().iter().filter(|row| !is_best(row)));
    Some([cells(best.iter().copied()), worse.into_iter().chain(record.running()).collect()])
}
