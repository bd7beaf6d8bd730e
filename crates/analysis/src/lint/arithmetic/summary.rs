//! Check of a budget's summary against the tables by value.

use allometry_core::Direction;

use super::super::mismatch::{SummaryFigure, SummaryMismatch};
use super::super::reason::NoteReason;
use super::super::rounding::{Bounds, Groups, length};
use super::super::stated::{Printed, StatedStudy, StatedTrend};
use super::{Checks, implied, mean};

pub(super) fn check(checks: &mut Checks, study: &StatedStudy, direction: Direction, error: f64) {
    best(checks, study, direction, error);
    let Some(trials) = &study.trials else { return };
    for trend in &study.trends {
        let total = Groups { levels: &trend.levels, error }.count();
        let name = &trend.parameter;
        if total > trials.value {
            let mismatch = SummaryMismatch::CountsExceedTrials {
                parameter: name.clone(),
                total,
                line: trials.line,
                trials: trials.value,
            };
            checks.contradiction(trend.line, [trials.line], mismatch);
        } else if total < trials.value && !trend.levels.is_empty() {
            let note = NoteReason::CountsBelowTrials { parameter: name.clone(), total, trials: trials.value };
            checks.note(trend.line, note);
        }
    }
    means(checks, study, error);
    deviations(checks, study, error);
}

/// Returns the tables with their groups and the number of trials that each lacks.
fn tables(study: &StatedStudy, error: f64) -> Vec<(&StatedTrend, Groups<'_>, u64)> {
    let trials = study.trials.as_ref().map_or(0, |trials| trials.value);
    let groups = study.trends.iter().map(|trend| (trend, Groups { levels: &trend.levels, error }));
    groups
        .filter(|(trend, _)| !trend.levels.is_empty())
        .filter_map(|(trend, groups)| Some((trend, groups, trials.checked_sub(groups.count())?)))
        .collect()
}

fn means(checks: &mut Checks, study: &StatedStudy, error: f64) {
    let Some((stated, mean)) = study.mean.as_ref().zip(mean(study)) else { return };
    let whole: Vec<_> = tables(study, error).into_iter().filter(|(.., missing)| *missing == 0).collect();
    let wrong: Vec<(u64, SummaryMismatch)> = whole
        .iter()
        .map(|(trend, groups, _)| (trend, groups.mean()))
        .filter(|(_, bounds)| bounds.excludes(&mean.bounds(error)))
        .map(|(trend, bounds)| {
            let mismatch = SummaryMismatch::Figure {
                figure: SummaryFigure::Mean,
                parameter: trend.parameter.clone(),
                implied: implied(bounds),
                line: stated.line,
                stated: mean.value,
            };
            (trend.line, mismatch)
        })
        .collect();
    blame(checks, stated.line, SummaryFigure::Mean, whole.len(), wrong);
}

fn deviations(checks: &mut Checks, study: &StatedStudy, error: f64) {
    let (Some(trials), Some(stated)) = (&study.trials, &study.sd) else { return };
    let Some(sd) = stated.value else { return };
    if trials.value == 1 && sd.bounds(error).low > 0.0 {
        checks.contradiction(stated.line, [trials.line], SummaryMismatch::DeviationOfOneTrial(sd.value));
        return;
    }
    let freedom = trials.value.saturating_sub(1) as f64;
    let total = sd.bounds(error);
    let tables = tables(study, error);
    let mut wrong = Vec::new();
    for (trend, groups, missing) in &tables {
        let known = match mean(study).filter(|_| *missing > 0) {
            None => length(&[groups.within(), groups.between()]),
            // The mean of the trials in no group follows from the mean of all trials; their deviations are
            // unbounded.
            Some(mean) => {
                let known = length(&[groups.within(), groups.around(mean), rest(*groups, mean, *missing)]);
                Bounds { high: f64::INFINITY, ..known }
            }
        };
        let bounds = Bounds { low: known.low / freedom.sqrt(), high: known.high / freedom.sqrt() };
        if *missing > 0 && mean(study).is_none() || !bounds.excludes(&total) {
            continue;
        }
        let mismatch = SummaryMismatch::Figure {
            figure: SummaryFigure::Deviation,
            parameter: trend.parameter.clone(),
            implied: implied(bounds),
            line: stated.line,
            stated: sd.value,
        };
        wrong.push((trend.line, mismatch));
    }
    blame(checks, stated.line, SummaryFigure::Deviation, tables.len(), wrong);
}

/// Returns the smallest contribution of the trials in no group to the sum of squares, as a root: `(sum_g n_g
/// (m_g - m))^2 / r` for `r` trials.
fn rest(groups: Groups<'_>, mean: Printed, missing: u64) -> Bounds {
    let sum = groups.weighted(|level| level.mean.value - mean.value).abs();
    let error = groups.weighted(|level| level.mean.half_unit + mean.half_unit + 2.0 * groups.error);
    let root = (missing as f64).sqrt();
    let bounds = Bounds::around(sum / root, error / root);
    Bounds { low: bounds.low.max(0.0), ..bounds }
}

/// Reports the summary's line where most tables disagree with it, otherwise each table that does.
fn blame(
    checks: &mut Checks,
    line: u64,
    figure: SummaryFigure,
    tables: usize,
    wrong: Vec<(u64, SummaryMismatch)>,
) {
    if wrong.len() > 1 && 2 * wrong.len() > tables {
        let lines: Vec<u64> = wrong.iter().map(|(line, _)| *line).collect();
        let first = Box::new(wrong[0].1.clone());
        let mismatch = SummaryMismatch::FigureAgainstMost { figure, disagreeing: wrong.len(), tables, first };
        checks.contradiction(line, lines, mismatch);
    } else {
        for (table, mismatch) in wrong {
            checks.contradiction(table, [line], mismatch);
        }
    }
}

/// Checks that the best value is no worse than any mean, and near enough to some group's mean to be in that
/// group.
fn best(checks: &mut Checks, study: &StatedStudy, direction: Direction, error: f64) {
    let Some((stated, best)) = study.best.as_ref().zip(study.best_value()) else { return };
    let best_bounds = best.bounds(error);
    let is_worse =
        |mean: Printed| direction.better(mean.value, best.value) && mean.bounds(error).excludes(&best_bounds);
    if let Some((line, mean)) = study.mean.as_ref().map(|mean| mean.line).zip(mean(study)) {
        if is_worse(mean) {
            let mismatch = SummaryMismatch::BestBelowMean { best: best.value, mean: mean.value };
            checks.contradiction(stated.line, [line], mismatch);
            return;
        }
        let sd = study.sd.as_ref().and_then(|sd| sd.value);
        if let Some((trials, sd)) = study.trials.as_ref().zip(sd)
            && !is_within_reach(best, mean, sd, trials.value, error)
        {
            let mismatch = SummaryMismatch::BestTooFar {
                trials: trials.value,
                reach: reach(trials.value),
                best: best.value,
            };
            checks.contradiction(stated.line, [line], mismatch);
            return;
        }
    }
    for (trend, _, missing) in tables(study, error) {
        if let Some(level) = trend.levels.iter().find(|level| is_worse(level.mean)) {
            let mismatch = SummaryMismatch::MeanAboveBest {
                parameter: trend.parameter.clone(),
                value: level.value.clone(),
                best: best.value,
                line: stated.line,
            };
            checks.contradiction(level.line, [stated.line], mismatch);
        } else if missing == 0
            && !trend.levels.iter().any(|l| is_within_reach(best, l.mean, l.sd, l.count, error))
        {
            let mismatch = SummaryMismatch::BestInNoGroup {
                parameter: trend.parameter.clone(),
                best: best.value,
                line: stated.line,
            };
            checks.contradiction(trend.line, [stated.line], mismatch);
        }
    }
}

/// Returns the largest distance of one of `count` values from their mean, in sample standard deviations
/// (Samuelson 1968).
fn reach(count: u64) -> f64 {
    let count = count.max(1) as f64;
    (count - 1.0) / count.sqrt()
}

fn is_within_reach(value: Printed, mean: Printed, sd: Printed, count: u64, error: f64) -> bool {
    let far = reach(count) * (sd.half_unit + sd.value + error) * (1.0 + 8.0 * f64::EPSILON);
    !value.bounds(error).excludes(&Bounds::around(mean.value, mean.half_unit + error + far))
}
