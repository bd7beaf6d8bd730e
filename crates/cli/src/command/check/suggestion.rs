//! Budgets that a space reaches.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use allometry_analysis::law::{FEWEST_DECADES, FEWEST_SIZES};
use allometry_core::{Distribution, ParamValue, SizeBudget, WeightTarget, human_weights};
use allometry_ladder::{BudgetSpec, Ladder};
use allometry_report::number::{counted, grouped};
use allometry_session::Evaluator;
use serde::Serialize;

use crate::error::CliError;
use crate::proposal::{label, quoted};

/// Relative half-width of the weights that a budget admits, as in a ladder file that does not state it.
const TOLERANCE: f64 = 0.25;
/// Factor by which the outer budgets lie inside the reached range, so that architectures lie on both sides.
const INSIDE: f64 = 1.1;

/// A suggested budget.
#[derive(Debug, Serialize)]
pub(super) struct Suggestion {
    label: String,
    weights: u64,
    /// Number of architectures that it admits.
    architectures: u64,
}

/// Returns budgets at equal ratios over the sizes that the spaces of a ladder reach.
///
/// # Errors
/// A usage error if sizes are not known, or if there is no room for so many budgets that share no
/// architecture.
pub(super) fn suggest(
    ladder: &Ladder,
    evaluator: &Evaluator<'_>,
    count: u64,
) -> Result<Vec<Suggestion>, CliError> {
    let usage = |message: String, hint: &str| CliError::Usage { message, hint: Some(hint.into()) };
    if count < 2 {
        return Err(usage("--suggest-budgets takes at least 2 budgets".into(), "a ladder compares sizes"));
    }
    let sizes = sizes(ladder, evaluator)?;
    let (Some(smallest), Some(largest)) = (sizes.first(), sizes.last()) else {
        return Err(usage(
            "--suggest-budgets needs the sizes of models, which are not known".into(),
            "`[command] weights` gives the size of a configuration before it is trained",
        ));
    };
    let (low, high) = (*smallest as f64 * INSIDE, *largest as f64 / INSIDE);
    let ratio = (high / low).max(1.0).powf(1.0 / (count - 1) as f64);
    let least = (1.0 + TOLERANCE) / (1.0 - TOLERANCE);
    let few = |most: u64| {
        usage(
            format!(
                "the space reaches from {} to {} weights, which has room for {most} budgets, not {count}",
                human_weights(*smallest as f64),
                human_weights(*largest as f64)
            ),
            "more values of d_model, n_layers and d_ff_ratio reach further",
        )
    };
    if ratio < least {
        return Err(few(((high / low).max(1.0).ln() / least.ln()).floor() as u64 + 1));
    }
    let suggested = (0..count).map(|place| {
        let wanted = rounded(low * ratio.powi(place as i32));
        let admits = |target: f64| {
            sizes.iter().filter(|size| (**size as f64 / target - 1.0).abs() <= TOLERANCE).count() as u64
        };
        // Where the space has a hole, the nearest size that it has takes the place.
        let near = |a: &&u64| ((**a as f64).ln() - wanted.ln()).abs();
        let target = if admits(wanted) > 0 {
            wanted
        } else {
            sizes
                .iter()
                .min_by(|a, b| near(a).total_cmp(&near(b)))
                .map_or(wanted, |size| rounded(*size as f64))
        };
        Suggestion { label: label(target), weights: target.round() as u64, architectures: admits(target) }
    });
    let mut suggested: Vec<Suggestion> = suggested.collect();
    // Two budgets in one hole would be the same, or share architectures.
    suggested.dedup_by(|next, last| (next.weights as f64) < least * last.weights as f64 * 0.95);
    let room = suggested.len() as u64;
    if room < count { Err(few(room)) } else { Ok(suggested) }
}

/// Returns lists for `[space]` as TOML, with the values of all budgets, for each parameter whose list differs
/// between them.
pub(super) fn own_lists(ladder: &Ladder) -> Vec<String> {
    let names: BTreeSet<&str> =
        ladder.budgets.iter().flat_map(|spec| spec.space.iter().map(|(name, _)| name)).collect();
    names.into_iter().filter_map(|name| Some(format!("{name} = [{}]", own_list(ladder, name)?))).collect()
}

/// Returns the values of a parameter in all budgets; `None` where these have the same set, or one has a
/// range.
fn own_list(ladder: &Ladder, name: &str) -> Option<String> {
    let sets: Vec<Option<&Distribution>> = ladder.budgets.iter().map(|spec| spec.space.get(name)).collect();
    if sets.windows(2).all(|pair| pair[0] == pair[1]) {
        return None;
    }
    let mut values: Vec<&ParamValue> = Vec::new();
    for set in sets.into_iter().flatten() {
        let Distribution::Categorical { choices, .. } = set else { return None };
        values.extend(choices);
    }
    values.sort_by(|a, b| a.total_cmp(b));
    values.dedup();
    let text = |value: &&ParamValue| match value {
        ParamValue::Text(text) => quoted(text),
        other => other.to_string(),
    };
    Some(values.iter().map(text).collect::<Vec<String>>().join(", "))
}

/// Returns the sizes of all architectures in the spaces of a ladder, ascending.
fn sizes(ladder: &Ladder, evaluator: &Evaluator<'_>) -> Result<Vec<u64>, CliError> {
    let mut sizes = Vec::new();
    for spec in &ladder.budgets {
        let budget = SizeBudget { target: WeightTarget::Any, ..spec.budget.clone() };
        let feasible = evaluator.feasible(&BudgetSpec { budget, ..spec.clone() })?;
        sizes.extend(feasible.architectures().filter_map(|one| one.size).map(|size| size.total));
    }
    sizes.sort_unstable();
    Ok(sizes)
}

/// Returns a number of weights with two significant digits.
fn rounded(weights: f64) -> f64 {
    let unit = 10.0_f64.powf(weights.log10().floor() - 1.0);
    (weights / unit).round() * unit
}

/// Writes budgets as they stand in a ladder file.
pub(super) fn lines(suggested: &[Suggestion], own_lists: &[String], text: &mut String) {
    let (Some(first), Some(last)) = (suggested.first(), suggested.last()) else { return };
    let decades = (last.weights as f64 / first.weights as f64).log10();
    let _ = writeln!(text, "\n# {} budgets over {decades:.1} decades of weights", suggested.len());
    for one in suggested {
        let Suggestion { label, weights, architectures } = one;
        let _ = writeln!(
            text,
            "\n[[budget]]\nlabel = \"{label}\"\nweights = {}    # {}",
            grouped(*weights).replace(',', "_"),
            counted(*architectures, "architecture")
        );
    }
    if !own_lists.is_empty() {
        let _ = writeln!(
            text,
            "\n# In [space], in place of the budgets' own lists:\n# {}",
            own_lists.join("\n# ")
        );
    }
    if (suggested.len() as u64) < FEWEST_SIZES || decades < FEWEST_DECADES {
        let _ = writeln!(
            text,
            "\n# A forecast of the next size needs {FEWEST_SIZES} budgets over {FEWEST_DECADES} decades."
        );
    }
}
