//! Note on empty cells of hyperparameters.

use std::collections::BTreeMap;

use allometry_core::{FrozenTrial, TrialState};

use super::note::Note;

/// Returns a note on the parameters that trials lack although they ran: their table cannot tell whether the
/// value is `None`. `params` are the parameters of the table without recorded distributions.
pub(super) fn note<'p>(trials: &[FrozenTrial], params: impl Iterator<Item = &'p str>) -> Option<Note> {
    let ran = |trial: &&FrozenTrial| matches!(trial.state, TrialState::Complete | TrialState::Pruned);
    let lacking =
        |name: &str| trials.iter().filter(ran).filter(|trial| trial.params.get(name).is_none()).count();
    let counts = params.map(|name| (name.to_owned(), lacking(name))).filter(|(_, trials)| *trials > 0);
    let trials: BTreeMap<String, usize> = counts.collect();
    (!trials.is_empty()).then_some(Note::EmptyParams { trials })
}
