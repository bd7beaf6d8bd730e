//! The objective that the user names, where trials have several.

use allometry_core::{Direction, FrozenTrial};

use super::error::Problem;
use super::note::listed;

/// Moves the objective `metric` to the front of the names, the directions and the values of all trials.
///
/// # Errors
/// [`Problem`] where the objectives have names and none is `metric`.
pub(super) fn lead_with(
    metric: &str,
    names: &mut [String],
    directions: &mut [Direction],
    trials: &mut [FrozenTrial],
) -> Result<(), Problem> {
    let Some(place) = names.iter().position(|name| name == metric) else {
        if names.is_empty() {
            return Ok(());
        }
        let are = if names.len() == 1 { "its name is" } else { "their names are" };
        return Err(Problem::new("its objectives", format!("none is called `{metric}`"))
            .hint(format!("{are} {}", listed(names))));
    };
    names[..=place].rotate_right(1);
    move_to_front(directions, place);
    for trial in trials {
        // A value that a trial lacks would be NaN among its values.
        if !trial.values.is_empty() && trial.values.len() <= place {
            trial.values.resize(place + 1, f64::NAN);
        }
        move_to_front(&mut trial.values, place);
    }
    Ok(())
}

/// Moves the item at `place` to the front, if there is one.
pub(super) fn move_to_front<T>(items: &mut [T], place: usize) {
    if let Some(items) = items.get_mut(..=place) {
        items.rotate_right(1);
    }
}
