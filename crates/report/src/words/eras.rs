//! Results by era, in words.

use allometry_analysis::per_era::PerEra;
use allometry_analysis::{Analysis, Estimate};

use crate::number::{decimals, grouped, signed};

/// Returns what a trial's steps are: epochs, or folds.
pub fn step(analysis: &Analysis) -> &'static str {
    if analysis.per_era.is_some() { "fold" } else { "epoch" }
}

/// Returns in how many eras larger models were better: by the quantity that the verdict compares, or, where
/// it compares none, by the best trials; `None` without walk-forward folds.
pub fn eras(analysis: &Analysis) -> Option<String> {
    let per_era = analysis.per_era.as_ref()?;
    let judgement = analysis.scaling.judgement.as_ref().filter(|one| !one.gains_of_eras.is_empty());
    let Some(judgement) = judgement else { return Some(of_best_trials(per_era, analysis)) };
    let gains: Vec<f64> = judgement.gains_of_eras.iter().map(|era| era.gain.point).collect();
    let per = if judgement.is_per_decade { "per tenfold weights" } else { "per step of the ladder" };
    Some(format!(
        "Larger models were better in {}: the gain {per} lies between {} and {} {} on single eras.",
        share(gains.iter().filter(|gain| **gain > 0.0).count(), gains.len()),
        signed(gains.iter().copied().fold(f64::INFINITY, f64::min)),
        signed(gains.iter().copied().fold(f64::NEG_INFINITY, f64::max)),
        analysis.metric,
    ))
}

fn of_best_trials(PerEra { trials, eras, .. }: &PerEra, analysis: &Analysis) -> String {
    let sign = analysis.direction.sign();
    let point = |value: &Option<Estimate>| value.map(|value| value.point);
    let (Some(first), Some(last)) = (trials.first(), trials.last()) else { return String::new() };
    if trials.len() == 1 {
        let known: Vec<f64> = eras.iter().filter_map(|era| point(&era.values[0])).collect();
        return format!(
            "The {} of the best trial of `{}` lies between {} and {} on the {} eras.",
            analysis.metric,
            first.budget,
            decimals(known.iter().copied().fold(f64::INFINITY, f64::min)),
            decimals(known.iter().copied().fold(f64::NEG_INFINITY, f64::max)),
            grouped(eras.len() as u64),
        );
    }
    let gain = |era: &allometry_analysis::per_era::EraValues| {
        let (smallest, largest) = (point(era.values.first()?)?, point(era.values.last()?)?);
        Some(sign * (largest - smallest))
    };
    let gains: Vec<f64> = eras.iter().filter_map(gain).collect();
    format!(
        "The best trial of `{}` was better than that of `{}` in {}. Both were chosen by these eras.",
        last.budget,
        first.budget,
        share(gains.iter().filter(|gain| **gain > 0.0).count(), gains.len()),
    )
}

fn share(count: usize, of: usize) -> String {
    format!("{} of {} eras", grouped(count as u64), grouped(of as u64))
}
