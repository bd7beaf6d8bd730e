//! Tables of combinations against the tables by value.

use allometry_core::ParamValue;

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
            side(checks, coverage, "row", &rows, trend, lacking(by_column));
        }
        if let Some(trend) = by_column {
            side(checks, coverage, "column", &columns, trend, lacking(by_row));
        }
        if let Some(trials) = study.trials.as_ref().filter(|trials| all > trials.value) {
            let message =
                format!("the cells add up to {all}, and line {} says {} trials", trials.line, trials.value);
            checks.contradiction(coverage.line, [trials.line], message);
        }
    }
}

/// Sums along one side of the table are the counts of that parameter's values, less the trials that lack the other
/// parameter, of which there are `lacking`.
fn side(
    checks: &mut Checks,
    coverage: &StatedCoverage,
    which: &str,
    sums: &[(u64, &ParamValue, u64)],
    trend: &StatedTrend,
    lacking: Option<u64>,
) {
    let name = &trend.parameter;
    let is_same = sums.len() == trend.levels.len()
        && sums.iter().zip(&trend.levels).all(|((_, value, _), level)| **value == level.value);
    if !is_same {
        let message = format!("the {which}s are not the values in the table of {name}");
        checks.contradiction(coverage.line, [trend.line], message);
        return;
    }
    for ((line, value, sum), level) in sums.iter().zip(&trend.levels) {
        let missing = level.count.checked_sub(*sum);
        let fits = missing.is_some_and(|missing| lacking.is_none_or(|lacking| missing <= lacking));
        if !fits {
            let message = format!(
                "the {which} of {name} {value} adds up to {sum}, and line {} says {} trials",
                level.line, level.count
            );
            checks.contradiction(*line, [level.line], message);
        }
    }
}
