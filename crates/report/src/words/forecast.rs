//! The forecast of the next size, in words.

use allometry_analysis::Analysis;
use allometry_analysis::scaling::{HeldOutBudget, Quantity, SizeForecast};
use allometry_core::human_weights;

use super::verdict::compared;
use crate::number::{decimals, interval};

/// Returns what a power law over the sizes forecasts for the next one, and how well it forecast the largest;
/// `None` without a law.
pub fn forecast(analysis: &Analysis) -> Option<String> {
    let judgement = compared(analysis)?;
    let law = judgement.law.as_ref()?;
    let quantity = match judgement.quantity {
        Quantity::BestOf { k: 1 } => format!("a mean {} of a trial", analysis.metric),
        Quantity::BestOf { k } => format!("an expected best {} of {k} trials", analysis.metric),
        Quantity::Configuration => format!("a mean {} over seeds", analysis.metric),
        Quantity::Confirmed => format!("a mean {} on test rows", analysis.metric),
        Quantity::Mean => format!("a mean {}", analysis.metric),
    };
    let next = format!(
        "At {} weights the power law of these sizes forecasts {quantity} of {}.",
        human_weights(law.next.weights),
        value(&law.next)
    );
    let test = law.held_out.as_ref().map_or_else(
        || "It could not be tested: without the largest size, the others are too few.".into(),
        held_out,
    );
    Some(format!("{next} {test}"))
}

fn held_out(one: &HeldOutBudget) -> String {
    let side = if one.is_inside {
        "inside the interval"
    } else {
        "outside the interval, so do not rely on the forecast"
    };
    let HeldOutBudget { budget, forecast, observed, .. } = one;
    format!(
        "Test of the law: from the smaller sizes it forecasts {} for {budget}; observed {}, {side}.",
        value(forecast),
        decimals(*observed)
    )
}

/// Returns a forecast with its interval: `0.8432 (95% interval 0.8011 to 0.8623)`.
fn value(forecast: &SizeForecast) -> String {
    let value = forecast.value;
    format!("{} ({:.0}% interval {})", decimals(value.point), value.level * 100.0, interval(value.interval))
}
