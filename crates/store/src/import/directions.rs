//! Which values of several objectives are better, as the user says it.

use allometry_core::Direction;
use allometry_core::metric_name::implied_direction;

use super::ImportError;
use super::note::Note;
use crate::location::Location;

/// Which values are better, as the user says.
#[derive(Debug, Clone, Default)]
pub struct SaidDirections {
    /// In the order of the objectives.
    pub in_order: Vec<Direction>,
    /// By the names of objectives; other names are passed over.
    pub named: Vec<(String, Direction)>,
}

impl SaidDirections {
    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        self.in_order.is_empty() && self.named.is_empty()
    }

    /// The directions of the objectives called `names`: as the user says, else as the source `recorded` them,
    /// else as their names imply; up to the first that nothing tells. Optuna sorts the objectives of a file
    /// by their names, so that their order in the study is not known: what is said in that order is noted.
    ///
    /// # Errors
    /// [`ImportError::WhichObjective`] where such an order goes against the names.
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
        let is_sorted = differ && recorded.is_empty() && names.len() > 1 && names.is_sorted();
        let mut pairs = self.in_order.iter().zip(&implied);
        if is_sorted && pairs.any(|(said, implied)| implied.is_some_and(|implied| implied != *said)) {
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
