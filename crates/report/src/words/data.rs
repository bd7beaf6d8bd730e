//! What more training rows buy, in words.

use allometry_analysis::scaling::{DataJudgement, DataScaling, DoublingGain, GridLaw, SizeLaw, Withheld};
use allometry_analysis::{Analysis, Estimate, Outcome};
use allometry_core::human_weights;

use super::verdict::{self, withheld};
use crate::number::{decimals, interval, p_is, signed};

/// Returns whether more rows pay, whether they buy more than more weights, and how they were used; `None` for
/// a ladder that was not trained on parts of its rows.
pub fn data(analysis: &Analysis) -> Option<String> {
    let DataScaling { judgement, withheld: why, .. } = analysis.data_scaling.as_ref()?;
    let Some(judgement) = judgement else {
        let why = match why {
            Some(Withheld::SameSizes) => "no budget has parts of two different, known numbers of rows".into(),
            why => why.as_ref().map(withheld).unwrap_or_default(),
        };
        return Some(format!("Unknown: the gain from more training rows is not tested: {why}."));
    };
    let more = beside_weights(judgement, analysis).into_iter().chain([regime(judgement.passes)]);
    Some(more.fold(answer(judgement, analysis), |text, sentence| format!("{text} {sentence}")))
}

/// Returns the laws over rows, and over weights and rows.
pub fn data_details(analysis: &Analysis) -> Vec<String> {
    let Some(judgement) = analysis.data_scaling.as_ref().and_then(|one| one.judgement.as_ref()) else {
        return Vec::new();
    };
    let law = judgement.law.as_ref().map(law);
    let grid = judgement.grid.as_ref().map(grid);
    law.into_iter().chain(grid).collect()
}

fn answer(judgement: &DataJudgement, analysis: &Analysis) -> String {
    let DataJudgement { outcome, rows, quantity, .. } = judgement;
    let quantity = verdict::quantity(*quantity, &analysis.metric);
    let (first, rest) = quantity.split_at(1);
    let gain = format!(
        "a doubling of the training rows improves the {}{rest} by {}",
        first.to_lowercase(),
        with_test(rows)
    );
    let level = (1.0 - analysis.options.level) * 100.0;
    match outcome {
        Outcome::Holds => format!("Holds: more training rows pay: {gain}."),
        Outcome::Violated => format!("Violated: more training rows do harm: {gain}."),
        Outcome::Flat => format!(
            "Flat: more training rows change no budget by {}, the smallest difference of interest: {gain}.",
            decimals(analysis.options.effect())
        ),
        Outcome::Undecided | Outcome::Unknown => {
            format!("Undecided: {gain}, which is not significant at the {level:.0}% level.")
        }
    }
}

/// Returns the gain of a doubling of the weights beside that of a doubling of the rows.
fn beside_weights(judgement: &DataJudgement, analysis: &Analysis) -> Option<String> {
    let (weights, difference) = (judgement.weights.as_ref()?, judgement.difference.as_ref()?);
    let is_told = difference.p.is_some_and(|p| p < 1.0 - analysis.options.level);
    let more = match (is_told, difference.gain.point > 0.0) {
        (false, _) => "which of the two buys more is not decided",
        (true, true) => "more rows buy more than more weights",
        (true, false) => "more weights buy more than more rows",
    };
    Some(format!(
        "A doubling of the weights on equal rows improves it by {}; {more} (difference {}).",
        with_test(weights),
        with_test(difference)
    ))
}

/// Returns a gain with its interval and its p-value.
fn with_test(gain: &DoublingGain) -> String {
    let p = gain.p.map_or_else(String::new, |p| format!(", {}", p_is(p)));
    let level = gain.gain.level * 100.0;
    let ends = gain.gain.interval.map_or_else(String::new, |ends| {
        format!(" ({level:.0}% interval {} to {}{p})", signed(ends.lower), signed(ends.upper))
    });
    format!("{}{ends}", signed(gain.gain.point))
}

fn regime(passes: Option<f64>) -> String {
    let Some(passes) = passes else {
        return "Whether the rows are repeated is unknown: trials do not report both `train_rows` and \
                `tokens`."
            .to_owned();
    };
    if passes > 1.5 {
        format!(
            "The rows are repeated: a trial passes over its rows {} times (median). The gains are those of \
             more distinct rows.",
            if passes < 9.95 { format!("{passes:.1}") } else { format!("{passes:.0}") }
        )
    } else {
        "The rows are fresh: a trial uses each of its rows about once.".to_owned()
    }
}

fn law(law: &SizeLaw) -> String {
    let next = law.next;
    if law.is_open() {
        return format!(
            "The exponent of a power law over the rows of the largest budget is not identified: its interval \
             reaches an end of the searched range. One of many laws forecasts {} at {} rows.",
            ranged(next.value),
            human_weights(next.size)
        );
    }
    format!(
        "A power law over the rows of the largest budget has the exponent {} and forecasts {} at {} rows.",
        ranged(law.exponent),
        ranged(next.value),
        human_weights(next.size)
    )
}

/// Returns the exponents of a law over weights and rows, and the best sizes.
pub(super) fn grid(grid: &GridLaw) -> String {
    let GridLaw { alpha, beta, is_open, optima, .. } = grid;
    if *is_open {
        return "A law over weights and rows is not identified: the interval of an exponent reaches an end of \
                the searched range."
            .to_owned();
    }
    let law = format!(
        "A law over weights and rows has the exponents {} of the weights and {} of the rows.",
        ranged(*alpha),
        ranged(*beta)
    );
    let ends = |estimate: &allometry_analysis::law::LawEstimate| {
        format!("{} to {}", human_weights(estimate.lower), human_weights(estimate.upper))
    };
    let best = optima.first().map_or_else(String::new, |best| {
        format!(
            " For {:.1e} operations, the largest compute of these trials, it puts the best value at {} \
             weights ({}) and {} rows ({}).",
            best.compute,
            human_weights(best.weights.point),
            ends(&best.weights),
            human_weights(best.data.point),
            ends(&best.data)
        )
    });
    law + &best
}

/// Returns a number with its interval.
fn ranged(estimate: Estimate) -> String {
    format!(
        "{} ({:.0}% interval {})",
        decimals(estimate.point),
        estimate.level * 100.0,
        interval(estimate.interval)
    )
}
