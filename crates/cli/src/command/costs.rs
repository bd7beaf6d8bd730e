//! The option `--costs`: costs of wrong decisions for a binary label.

use allometry_analysis::Costs;
use allometry_core::significant::significant;
use allometry_ladder::Task;

use crate::error::CliError;

/// Parses the costs of a false positive and of a false negative.
pub(super) fn parse(text: &str) -> Result<Costs, String> {
    let cost = |text: &str| text.trim().parse::<f64>().ok().filter(|cost| cost.is_finite() && *cost > 0.0);
    let costs =
        text.split_once(',').and_then(|(positive, negative)| Some((cost(positive)?, cost(negative)?)));
    let (false_positive, false_negative) = costs.ok_or(
        "expected two numbers above 0: the cost of a false positive, a comma, that of a false negative",
    )?;
    Ok(Costs { false_positive, false_negative })
}

/// Checks that costs apply to the predictions of a task.
///
/// # Errors
/// [`CliError::Usage`].
pub(super) fn check(task: Task) -> Result<(), CliError> {
    match task {
        Task::Binary => Ok(()),
        Task::Classes | Task::Regression => Err(CliError::Usage {
            message: "--costs decides for a binary label, but the model predicts another".into(),
            hint: Some("leave --costs out".into()),
        }),
    }
}

/// Returns the rule of the decisions in words.
pub(super) fn rule(costs: Costs) -> String {
    format!(
        "1 from a probability of {}, where a false positive costs {} and a false negative {}",
        significant(costs.threshold()),
        costs.false_positive,
        costs.false_negative
    )
}
