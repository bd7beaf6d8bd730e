//! The configurations that a study has already tried.

use std::collections::HashSet;

use allometry_core::{FrozenTrial, Origin, Params, TrialNumber};

use super::StudyView;
use crate::space::{Configuration, Feasible};

/// The configurations of a view's trials. It is a cache: it always equals a history read again from the view,
/// but reads only the new trials where the view extends the previous one.
#[derive(Debug)]
pub(super) struct History {
    tried: Tried,
    /// Number of trials read.
    trials: usize,
    /// Number of those with a recorded origin.
    own: usize,
    /// Number of those drawn at random.
    random: usize,
    /// The latest of them, which identifies the next view as an extension.
    latest: Option<(TrialNumber, Params)>,
}

#[derive(Debug)]
enum Tried {
    /// Indices of configurations, ascending, in a finite space.
    Finite {
        count: u64,
        numbers: Vec<u64>,
    },
    Infinite(HashSet<Configuration>),
}

/// Whether a history was extended or read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Continuity {
    Continued,
    Restarted,
}

impl History {
    pub(super) fn new(feasible: &Feasible) -> Self {
        let tried = feasible.configurations().map_or_else(
            || Tried::Infinite(HashSet::new()),
            |count| Tried::Finite { count, numbers: Vec::new() },
        );
        Self { tried, trials: 0, own: 0, random: 0, latest: None }
    }

    /// Reads a view. Takes constant time for each new trial where the view extends the previous one (plus an
    /// insertion into a sorted list), linear time otherwise.
    pub(super) fn update(&mut self, view: &StudyView<'_>, feasible: &Feasible) -> Continuity {
        let latest = self.latest.as_ref().map(|(number, _)| *number);
        let new = |trials: &'_ [FrozenTrial]| {
            trials.iter().rev().take_while(|t| latest.is_none_or(|latest| t.number > latest)).count()
        };
        let (finished, running) = (new(view.finished), new(view.running));
        let continues = self.trials + finished + running == view.len() && self.is_prefix_of(view);
        if continues {
            self.read(&view.finished[view.finished.len() - finished..], feasible);
            self.read(&view.running[view.running.len() - running..], feasible);
            return Continuity::Continued;
        }
        *self = Self::new(feasible);
        self.read(view.finished, feasible);
        self.read(view.running, feasible);
        Continuity::Restarted
    }

    fn is_prefix_of(&self, view: &StudyView<'_>) -> bool {
        let Some((number, params)) = &self.latest else { return true };
        let found = [view.finished, view.running]
            .into_iter()
            .find_map(|trials| trials.binary_search_by_key(number, |t| t.number).ok().map(|i| &trials[i]));
        found.is_some_and(|trial| trial.params == *params)
    }

    fn read(&mut self, trials: &[FrozenTrial], feasible: &Feasible) {
        self.trials += trials.len();
        for trial in trials {
            self.own += usize::from(trial.record.origin.is_some());
            self.random += usize::from(trial.record.origin == Some(Origin::Random));
            if self.latest.as_ref().is_none_or(|(latest, _)| trial.number > *latest) {
                self.latest = Some((trial.number, trial.params.clone()));
            }
            let Some(configuration) = feasible.find(&trial.params) else { continue };
            match &mut self.tried {
                Tried::Finite { numbers, .. } => {
                    let number = feasible.index(&configuration);
                    if let Err(place) = numbers.binary_search(&number) {
                        numbers.insert(place, number);
                    }
                }
                Tried::Infinite(configurations) => {
                    configurations.insert(configuration);
                }
            }
        }
    }

    /// Whether the study lacks a random trial for `share`, the share of random trials. Only trials with a
    /// recorded origin count, since trials of other programs do not record it.
    pub(super) fn lacks_random(&self, share: f64) -> bool {
        let due = (share * (self.own + 1) as f64).floor() as usize;
        self.random < due
    }

    pub(super) fn contains(&self, configuration: &Configuration, feasible: &Feasible) -> bool {
        match &self.tried {
            Tried::Finite { numbers, .. } => numbers.binary_search(&feasible.index(configuration)).is_ok(),
            Tried::Infinite(configurations) => configurations.contains(configuration),
        }
    }

    /// Number of distinct configurations of the space that were tried.
    pub(super) fn distinct(&self) -> u64 {
        match &self.tried {
            Tried::Finite { numbers, .. } => numbers.len() as u64,
            Tried::Infinite(configurations) => configurations.len() as u64,
        }
    }

    /// Number of configurations not tried yet; `None` in an infinite space.
    pub(super) fn untried(&self) -> Option<u64> {
        match &self.tried {
            Tried::Finite { count, numbers } => Some(count - numbers.len() as u64),
            Tried::Infinite(_) => None,
        }
    }

    /// The index of the untried configuration with `rank` untried configurations before it; `None` where
    /// there is none, or in an infinite space.
    pub(super) fn nth_untried(&self, rank: u64) -> Option<u64> {
        let Tried::Finite { count, numbers } = &self.tried else { return None };
        // numbers[i] - i configurations before numbers[i] are untried.
        let (mut low, mut high) = (0, numbers.len());
        while low < high {
            let middle = low.midpoint(high);
            if numbers[middle] - middle as u64 <= rank {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let number = rank + low as u64;
        (number < *count).then_some(number)
    }
}
