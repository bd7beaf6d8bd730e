//! What the lines above a trend's table say, against the table.

use allometry_core::{Direction, ParamValue};

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
            let message = format!("one trial has a standard deviation of 0, not {}", level.sd.value);
            checks.contradiction(level.line, [], message);
        }
        word(checks, trend);
        extreme(checks, trend, "best", trend.best.as_ref(), direction);
        extreme(checks, trend, "worst", trend.worst.as_ref(), opposite);
    }
}

fn word(checks: &mut Checks, trend: &StatedTrend) {
    let (Some(word), [first, .., last]) = (&trend.word, trend.levels.as_slice()) else {
        let Some(word) = trend.word.as_ref().filter(|word| word.value != NaiveDirection::InsufficientData)
        else {
            return;
        };
        let message = format!("{} has one value, which makes no trend", trend.parameter);
        checks.contradiction(word.line, [trend.line], message);
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
        let message = format!(
            "{} is called {}, and its mean changes by {change:+.4} (at {NAIVE_FLAT} a trend stops being flat)",
            trend.parameter,
            word.value.as_str()
        );
        checks.contradiction(word.line, [first.line, last.line], message);
    }
}

fn extreme(
    checks: &mut Checks,
    trend: &StatedTrend,
    which: &str,
    stated: Option<&Stated<(ParamValue, f64)>>,
    direction: Direction,
) {
    let Some(Stated { line, value: (value, mean) }) = stated else { return };
    let named: Vec<&StatedLevel> = trend.levels.iter().filter(|level| level.value == *value).collect();
    let Some(level) = named.first() else {
        checks.contradiction(
            *line,
            [trend.line],
            format!("{value} is not in the table of {}", trend.parameter),
        );
        return;
    };
    // Both are the same mean rounded; the table may have fewer digits, or more than this line's four.
    let agrees = |level: &&&StatedLevel| {
        let unit = if level.mean.half_unit == 0.5e-4 { 0.0 } else { level.mean.half_unit + 0.5e-4 };
        (level.mean.value - mean).abs() <= unit
    };
    if !named.iter().any(|level| agrees(&level)) {
        let message = format!("the mean at {value} is {} in the table, and {mean} here", level.mean.value);
        checks.contradiction(*line, [level.line], message);
        return;
    }
    let ahead = trend
        .levels
        .iter()
        .find(|other| named.iter().all(|level| direction.better(other.mean.value, level.mean.value)));
    if let Some(other) = ahead {
        let message = format!(
            "{value} is called the {which} value of {}, and {} has {} against {}",
            trend.parameter, other.value, other.mean.value, level.mean.value
        );
        checks.contradiction(*line, [other.line, level.line], message);
    }
}
