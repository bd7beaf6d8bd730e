//! The user's options for the columns of a table.

use allometry_core::{FrozenTrial, ModelSize};

use super::ImportError;
use super::columns::{is_called, is_param};
use super::error::Problem;
use super::note::listed;
use super::optuna_storage::size;
use crate::json;
use crate::location::Location;

/// The user's options for the columns of a table, or for the attributes of trials.
#[derive(Debug, Clone, Copy, Default)]
pub struct Roles<'a> {
    /// Column of the objective.
    pub metric: Option<&'a str>,
    /// Columns of the hyperparameters; empty to infer them from the names.
    pub params: &'a [String],
    /// Column or user attribute with the number of weights.
    pub size: Option<&'a str>,
}

impl Roles<'_> {
    /// Whether a column is listed as a hyperparameter.
    pub(super) fn lists(&self, column: &str) -> bool {
        self.params.iter().any(|wanted| is_param(column, wanted))
    }

    /// Refuses a list of hyperparameters for a source that records them.
    ///
    /// # Errors
    /// [`ImportError::Inapplicable`].
    pub(super) fn refuse_params(&self, location: &Location, why: &'static str) -> Result<(), ImportError> {
        if self.params.is_empty() {
            return Ok(());
        }
        Err(ImportError::Inapplicable { option: "--params", location: location.clone(), why })
    }

    /// Sets the sizes of the trials from the column or attribute that the user names.
    ///
    /// # Errors
    /// [`Problem`] where no trial has it, or its content is not a number of weights.
    pub(super) fn take_sizes(&self, trials: &mut [FrozenTrial]) -> Result<(), Problem> {
        let Some(wanted) = self.size else { return Ok(()) };
        let mut is_there = false;
        for trial in &mut *trials {
            let Some((text, number)) = named(trial, wanted) else { continue };
            is_there = true;
            let Some(total) = number.and_then(size) else {
                let place = format!("trial {}, `{wanted}`", trial.number);
                return Err(Problem::new(place, format!("expected a number of weights, found {text}"))
                    .hint("--size must name a column or attribute of whole numbers from 1"));
            };
            trial.record.size = Some(ModelSize { total, non_embedding: total });
        }
        if is_there {
            return Ok(());
        }
        let names = trials.iter().flat_map(|trial| trial.user_attributes.keys().cloned());
        let names: Vec<String> = names.collect::<std::collections::BTreeSet<_>>().into_iter().collect();
        let hint = if names.is_empty() {
            "they have no attributes".to_owned()
        } else {
            format!("there are {}", listed(&names))
        };
        Err(Problem::new("its trials", format!("none has a `{wanted}`, which --size names")).hint(hint))
    }
}

/// Returns the attribute or parameter with this name, as a text and as a number.
fn named(trial: &FrozenTrial, wanted: &str) -> Option<(String, Option<f64>)> {
    let attribute = trial.user_attributes.iter().find(|(name, _)| is_called(wanted, name));
    if let Some((_, text)) = attribute {
        return Some((text.clone(), json::parse(text).ok().as_ref().and_then(json::number)));
    }
    let (_, value) = trial.params.iter().find(|(name, _)| is_param(wanted, name))?;
    Some((value.to_string(), value.as_f64()))
}
