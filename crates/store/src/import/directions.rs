//! Directions of several objectives from the user's options.

use allometry_core::{Direction, implied_direction};

use super::ImportError;
use super::note::Note;
use crate::location::Location;

/// Directions from the user's options.
#[derive(Debug, Clone, Default)]
pub struct GivenDirections {
    /// Directions in the order of the objectives.
    pub in_order: Vec<Direction>,
    /// Directions by the name of the objective; unknown names are ignored.
    pub named: Vec<(String, Direction)>,
}

impl GivenDirections {
    /// Whether there are no options.
    pub fn is_empty(&self) -> bool {
        self.in_order.is_empty() && self.named.is_empty()
    }

    /// Returns the directions of the objectives `names`: from the options, else as `recorded` by the source,
    /// else as implied by their names; stops at the first one without a direction. Optuna sorts the
    /// objectives of a file by name, so that their order in the study is unknown: a note reports directions
    /// that were applied in that order.
    ///
    /// # Errors
    /// [`ImportError::WhichObjective`] where the names contradict different directions in this order, or
    /// fewer directions than objectives.
    pub fn of(
        &self,
        names: &[String],
        recorded: &[Direction],
        location: &Location,
    ) -> Result<(Vec<Direction>, Option<Note>), ImportError> {
        let implied: Vec<Option<Direction>> = names.iter().map(|name| implied_direction(name)).collect();
        let named = |place: usize| {
            let name = names.get(place)?;
            self.named.iter().find(|(wanted, _)| wanted == name).map(|(_, direction)| *direction)
        };
        let differ = self.in_order.windows(2).any(|pair| pair[0] != pair[1]);
        let is_open = recorded.is_empty() && names.len() > 1;
        let is_sorted = is_open && differ && names.is_sorted();
        let is_partial = self.in_order.len() < names.len();
        let contradicts = |place: usize| {
            let implied = implied.get(place).copied().flatten();
            named(place).is_none() && implied.is_some_and(|implied| implied != self.in_order[place])
        };
        if is_open && (differ || is_partial) && (0..self.in_order.len()).any(contradicts) {
            return Err(ImportError::WhichObjective { location: location.clone(), names: names.to_vec() });
        }
        let told = |place: usize| {
            let in_order = self.in_order.get(place).or_else(|| recorded.get(place));
            named(place).or_else(|| in_order.copied()).or_else(|| *implied.get(place)?)
        };
        let most = names.len().max(recorded.len()).max(self.in_order.len());
        let directions: Vec<Direction> = (0..most).map_while(told).collect();
        let said = || names.iter().cloned().zip(directions.iter().copied()).collect();
        let note = (is_sorted && implied.contains(&None)).then(|| Note::Order { said: said() });
        Ok((directions, note))
    }
}
