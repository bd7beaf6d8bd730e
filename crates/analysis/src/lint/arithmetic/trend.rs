//! Check of the lines above a trend's table against the table.

use allometry_core::{Direction, ParamValue};

use super::super::mismatch::{Extreme, TrendMismatch};
use super::super::stated::{Stated, StatedLevel, StatedStudy, StatedTrend};
use super::Checks;
use crate::trend::{NAIVE_FLAT, NaiveDirection};

pub(super) fn check(checks: &mut Checks, study: &StatedStudy, direction: Direction) {
    let opposite = match direction {
        Direction::Maximize => Direction::Minimize,
        Direction::Minimize => Direction::Maximize,
    };
    for trend in study.trends.iter().filter(|trend| !trend.levels.is_empty()) {
        for level in trend.levels.iter().filter(|level| level.count == 1 && level.sd.value > 0.0) {
            checks.contradiction(level.line, [], TrendMismatch::DeviationOfOneTrial(level.sd.value));
        }
        word(checks, trend);
        check_extreme(checks, trend, Extreme::Best, trend.best.as_ref(), direction);
        check_extreme(checks, trend, Extreme::Worst, trend.worst.as_ref(), opposite);
    }
}

fn word(checks: &mut Checks, trend: &StatedTrend) {
    let (Some(word), [first, .., last]) = (&trend.word, trend.levels.as_slice()) else {
        let Some(word) = trend.word.as_ref().filter(|word| word.value != NaiveDirection::InsufficientData)
        else {
            return;
        };
        let mismatch = TrendMismatch::OneValue { parameter: trend.parameter.clone() };
        checks.contradiction(word.line, [trend.line], mismatch);
        return;
    };
    let change = last.mean.value - first.mean.value;
    let error = first.mean.half_unit
        + last.mean.half_unit
        + 4.0 * f64::EPSILON * (first.mean.value.abs() + last.mean.value.abs());
    let possible = match word.value {
        NaiveDirection::InsufficientData => false,
        NaiveDirection::Flat => change.abs() - error < NAIVE_FLAT,
        NaiveDirection::Increasing => change + error >= NAIVE_FLAT,
        NaiveDirection::Decreasing => -change + error >= NAIVE_FLAT,
    };
    if !possible {
        let mismatch = TrendMismatch::Word {
            parameter: trend.parameter.clone(),
            word: word.value,
            change,
            margin: NAIVE_FLAT,
        };
        checks.contradiction(word.line, [first.line, last.line], mismatch);
    }
}

fn check_extreme(
    checks: &mut Checks,
    trend: &StatedTrend,
    extreme: Extreme,
    stated: Option<&Stated<(ParamValue, f64)>>,
    direction: Direction,
) {
    let Some(Stated { line, value: (value, mean) }) = stated else { return };
    let named: Vec<&StatedLevel> = trend.levels.iter().filter(|level| level.value == *value).collect();
    let Some(level) = named.first() else {
        let mismatch = TrendMismatch::NotInTable { parameter: trend.parameter.clone(), value: value.clone() };
        checks.contradiction(*line, [trend.line], mismatch);
        return;
    };
    // Both are roundings of one mean; the table may have fewer digits, or more than the four of this line.
    let agrees = |level: &&&StatedLevel| {
        let unit = if level.mean.half_unit == 0.5e-4 { 0.0 } else { level.mean.half_unit + 0.5e-4 };
        (level.mean.value - mean).abs() <= unit
    };
    if !named.iter().any(|level| agrees(&level)) {
        let mismatch =
            TrendMismatch::OtherMean { value: value.clone(), table: level.mean.value, here: *mean };
        checks.contradiction(*line, [level.line], mismatch);
        return;
    }
    let ahead = trend
        .levels
        .iter()
        .find(|other| named.iter().all(|level| direction.better(other.mean.value, level.mean.value)));
    if let Some(other) = ahead {
        let mismatch = TrendMismatch::NotExtreme {
            extreme,
            parameter: trend.parameter.clone(),
            value: (value.clone(), level.mean.value),
            beyond: (other.value.clone(), other.mean.value),
        };
        checks.contradiction(*line, [other.line, level.line], mismatch);
    }
}
