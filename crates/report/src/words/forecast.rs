//! The forecast of the next size, in words.

use allometry_analysis::Analysis;
use allometry_analysis::scaling::{HeldOutBudget, SizeForecast, SizeLaw};
use allometry_core::human_weights;

use super::verdict::{self, compared};
use crate::number::{decimals, interval};

/// Returns what a power law over the sizes forecasts for the next one, and how well it forecast the largest;
/// `None` without a law.
pub fn forecast(analysis: &Analysis) -> Option<String> {
    let judgement = compared(analysis)?;
    let law = judgement.law.as_ref()?;
    let quantity = verdict::quantity(judgement.quantity, &analysis.metric);
    // The name of the quantity begins with a capital letter for headings.
    let (first, rest) = quantity.split_at(1);
    let quantity = format!("{}{rest}", first.to_lowercase());
    let exponent = law.exponent;
    let of_exponent = if law.is_open() {
        "whose exponent the sizes do not determine".to_owned()
    } else {
        format!(
            "with the exponent {} ({:.0}% interval {})",
            decimals(exponent.point),
            exponent.level * 100.0,
            interval(exponent.interval)
        )
    };
    let next = format!(
        "At {} weights a power law of these sizes, {of_exponent}, forecasts that the {quantity} is {}.",
        human_weights(law.next.size),
        value(&law.next)
    );
    let compute = judgement.law_of_compute.as_ref().map(of_compute).unwrap_or_default();
    Some(format!("{next} {}{compute}", tested(law, "size")))
}

/// Returns the law over operations as a sentence after a space.
fn of_compute(law: &SizeLaw) -> String {
    if law.is_open() {
        return " The exponent over the operations of a training is not determined.".to_owned();
    }
    let exponent = law.exponent;
    format!(
        " Over the operations of a training the exponent is {} ({}); at {:.1e} operations it forecasts {}.",
        decimals(exponent.point),
        interval(exponent.interval),
        law.next.size,
        value(&law.next)
    )
}

/// Returns how well a law forecast the largest of its sizes, or of its parts of the rows; `noun` names one.
pub(super) fn tested(law: &SizeLaw, noun: &str) -> String {
    law.held_out.as_ref().map_or_else(
        || format!("The law could not be tested: without the largest {noun} too few are left."),
        |one| held_out(one, noun),
    )
}

fn held_out(one: &HeldOutBudget, noun: &str) -> String {
    let side = if one.is_inside {
        "inside the interval"
    } else {
        "outside the interval, so do not rely on the forecast"
    };
    let HeldOutBudget { budget, forecast, observed, .. } = one;
    format!(
        "Test of the law: from the smaller {noun}s it forecasts {} for {budget}; observed {}, {side}.",
        value(forecast),
        decimals(*observed)
    )
}

/// Returns a forecast with its interval: `0.8432 (95% interval 0.8011 to 0.8623)`.
fn value(forecast: &SizeForecast) -> String {
    let value = forecast.value;
    format!("{} ({:.0}% interval {})", decimals(value.point), value.level * 100.0, interval(value.interval))
}
