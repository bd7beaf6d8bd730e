//! Check of the tables of combinations against the tables by value.

use allometry_core::ParamValue;

use super::super::mismatch::{CoverageMismatch, TableSide};
use super::super::stated::{StatedCoverage, StatedStudy, StatedTrend};
use super::Checks;

pub(super) fn check(checks: &mut Checks, study: &StatedStudy) {
    for coverage in &study.coverage {
        let rows: Vec<(u64, &ParamValue, u64)> =
            coverage.rows.iter().map(|row| (row.line, &row.value.0, row.value.1.iter().sum())).collect();
        let columns: Vec<(u64, &ParamValue, u64)> = coverage
            .columns
            .iter()
            .enumerate()
            .map(|(column, value)| {
                (coverage.line, value, coverage.rows.iter().map(|row| row.value.1[column]).sum())
            })
            .collect();
        let all: u64 = rows.iter().map(|(.., sum)| sum).sum();
        let with = |name: &str| study.trend(name).filter(|trend| !trend.levels.is_empty());
        let (by_row, by_column) = (with(&coverage.row_parameter), with(&coverage.column_parameter));
        let lacking = |other: Option<&StatedTrend>| {
            let trials = study.trials.as_ref()?.value;
            trials.checked_sub(other?.levels.iter().map(|level| level.count).sum())
        };
        if let Some(trend) = by_row {
            check_side(checks, coverage, TableSide::Row, &rows, trend, lacking(by_column));
        }
        if let Some(trend) = by_column {
            check_side(checks, coverage, TableSide::Column, &columns, trend, lacking(by_row));
        }
        if let Some(trials) = study.trials.as_ref().filter(|trials| all > trials.value) {
            let mismatch =
                CoverageMismatch::CellsExceedTrials { total: all, line: trials.line, trials: trials.value };
            checks.contradiction(coverage.line, [trials.line], mismatch);
        }
    }
}

/// Checks that sums along one side of the table equal the counts of that parameter's values, less the
/// `lacking` trials without the other parameter.
fn check_side(
    checks: &mut Checks,
    coverage: &StatedCoverage,
    side: TableSide,
    sums: &[(u64, &ParamValue, u64)],
    trend: &StatedTrend,
    lacking: Option<u64>,
) {
    let parameter = || trend.parameter.clone();
    let is_same = sums.len() == trend.levels.len()
        && sums.iter().zip(&trend.levels).all(|((_, value, _), level)| **value == level.value);
    if !is_same {
        let mismatch = CoverageMismatch::OtherValues { side, parameter: parameter() };
        checks.contradiction(coverage.line, [trend.line], mismatch);
        return;
    }
    for ((line, value, sum), level) in sums.iter().zip(&trend.levels) {
        let missing = level.count.checked_sub(*sum);
        let fits = missing.is_some_and(|missing| lacking.is_none_or(|lacking| missing <= lacking));
        if !fits {
            let mismatch = CoverageMismatch::SideSum {
                side,
                parameter: parameter(),
                value: (*value).clone(),
                sum: *sum,
                line: level.line,
                trials: level.count,
            };
            checks.contradiction(*line, [level.line], mismatch);
        }
    }
}
