//! Check of importances against the tables by value.

use super::super::mismatch::ImportanceMismatch;
use super::super::rounding::{Bounds, Groups};
use super::super::stated::{Printed, StatedImportance, StatedStudy, StatedTrend};
use super::{Checks, mean};

/// Number of characters of a full bar.
const BAR: f64 = 50.0;

pub(super) fn check(checks: &mut Checks, study: &StatedStudy, error: f64) {
    for pair in study.importance.windows(2) {
        if pair[1].value.share.value > pair[0].value.share.value {
            let of = |one: &StatedImportance| (one.parameter.clone(), one.share.value);
            let mismatch =
                ImportanceMismatch::NotSorted { below: of(&pair[1].value), above: of(&pair[0].value) };
            checks.contradiction(pair[1].line, [pair[0].line], mismatch);
        }
    }
    for stated in &study.importance {
        let (name, share) = (&stated.value.parameter, stated.value.share);
        let bar = (share.value * BAR) as u64;
        if stated.value.bar != bar {
            let mismatch = ImportanceMismatch::BarLength {
                parameter: name.clone(),
                characters: stated.value.bar,
                share: share.value,
                expected: bar,
            };
            checks.contradiction(stated.line, [], mismatch);
        }
        if share.value > 1.0 {
            checks.contradiction(stated.line, [], ImportanceMismatch::MoreThanAll(share.value));
            continue;
        }
        let Some(trend) = study.trend(name).filter(|trend| !trend.levels.is_empty()) else { continue };
        if let Some(bounds) = implied(study, trend, error).filter(|b| b.excludes(&share.bounds(0.0))) {
            let mismatch = ImportanceMismatch::OfTable {
                parameter: name.clone(),
                implied: super::implied(bounds),
                share: share.value,
            };
            checks.contradiction(stated.line, [trend.line], mismatch);
        }
    }
}

/// Returns the bounds of a parameter's importance from its table: `sum_g n_g (m_g - m)^2 / N / s^2`.
pub(in super::super) fn implied(study: &StatedStudy, trend: &StatedTrend, error: f64) -> Option<Bounds> {
    let trials = study.trials.as_ref()?.value;
    let groups = Groups { levels: &trend.levels, error };
    let count = trials as f64;
    let missing = trials.checked_sub(groups.count())?;
    let by_sd = study.sd.as_ref().and_then(|sd| sd.value).map(|sd| {
        let between =
            if missing == 0 { Some(groups.between()) } else { mean(study).map(|m| groups.around(m)) };
        between.map(|between| by_sd(between, sd, count, error))
    });
    let whole = (missing == 0).then(|| by_parts(&groups, count));
    let known: Vec<Bounds> = by_sd.flatten().into_iter().chain(whole).collect();
    let (first, others) = known.split_first()?;
    let bounds =
        others.iter().fold(*first, |all, b| Bounds { low: all.low.max(b.low), high: all.high.min(b.high) });
    // Where the bounds exclude each other, the standard deviation is wrong; another check reports that.
    let bounds = if bounds.low > bounds.high { known[known.len() - 1] } else { bounds };
    let arithmetic = (count + 16.0) * f64::EPSILON;
    Some(Bounds { low: bounds.low * (1.0 - arithmetic), high: (bounds.high * (1.0 + arithmetic)).min(1.0) })
}

fn by_sd(between: Bounds, sd: Printed, count: f64, error: f64) -> Bounds {
    let (low, high) = (sd.value - sd.half_unit - error, sd.value + sd.half_unit + error);
    let ratio = |between: f64, sd: f64| between * between / count / (sd * sd);
    // The importance is 0 where nothing varies, and unbounded where the deviation rounds to 0.
    Bounds {
        low: if low > 0.0 { ratio(between.low, high) } else { 0.0 },
        high: if low > 0.0 { ratio(between.high, low) } else { 1.0 },
    }
}

/// Returns the bounds from the sums of squares alone: `(N - 1) / N` of the share between groups.
fn by_parts(groups: &Groups<'_>, count: f64) -> Bounds {
    let (between, within) = (groups.between(), groups.within());
    let scale = (count - 1.0) / count;
    let share = |between: f64, within: f64| {
        let (between, within) = (between * between, within * within);
        scale * between / (between + within)
    };
    let high = share(between.high, within.low);
    let low = if between.low > 0.0 { share(between.low, within.high) } else { 0.0 };
    Bounds { low, high: if high.is_nan() { 1.0 } else { high } }
}
