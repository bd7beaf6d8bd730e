//! What the trials of other programs are after: the name of the metric, and which of its values are better;
//! and what the command line says of their columns.

use std::fmt;
use std::str::FromStr;

use allometry_analysis::{LadderTrials, is_auc};
use allometry_core::metric_name::implied_direction;
use allometry_core::{Direction, TrialState};
use allometry_store::import::{Assumed, Roles, SaidDirections};

use crate::command::DirectionArg;
use crate::error::CliError;

/// Something said of all sources, or of the one with a label: `NAME`, or `LABEL=NAME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said<T> {
    label: Option<String>,
    what: T,
}

impl<T> Said<T> {
    /// The label or name that it is said of, and what is said.
    pub(crate) fn parts(&self) -> (Option<&str>, &T) {
        (self.label.as_deref(), &self.what)
    }
}

impl<T: FromStr<Err: fmt::Display>> FromStr for Said<T> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (label, what) = match text.split_once('=') {
            Some((label, what)) => (Some(label.to_owned()), what),
            None => (None, text),
        };
        if what.is_empty() || label.as_deref() == Some("") {
            return Err("expected NAME, or LABEL=NAME".into());
        }
        Ok(Self { label, what: what.parse().map_err(|e: T::Err| e.to_string())? })
    }
}

/// Names with commas between them: `lr,depth`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Names(Vec<String>);

impl Names {
    /// The names, in their order.
    pub(crate) fn into_names(self) -> Vec<String> {
        self.0
    }
}

impl FromStr for Names {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names: Vec<String> = text.split(',').map(|name| name.trim().to_owned()).collect();
        if names.iter().any(String::is_empty) {
            return Err("expected names with commas between them, such as lr,depth".into());
        }
        Ok(Self(names))
    }
}

/// What the command line says of the objective and the columns of sources.
#[derive(Debug, Clone, Default)]
pub(crate) struct Objective<'a> {
    pub(crate) metrics: &'a [Said<String>],
    pub(crate) directions: &'a [Said<DirectionArg>],
    /// Columns that are hyperparameters.
    pub(crate) params: &'a [Said<Names>],
    /// The column of the number of weights.
    pub(crate) sizes: &'a [Said<String>],
    /// Whether another option speaks of an AUC to be maximised: `--rows`, `--template classic`.
    pub(crate) is_auc: bool,
    /// Which values are better where nothing else says so.
    pub(crate) otherwise: Option<Direction>,
}

/// What one source says of its own objective.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Recorded {
    pub(super) direction: Option<Direction>,
    pub(super) metric: Option<String>,
    /// Of the objectives after the first.
    pub(super) further: Vec<String>,
}

impl Recorded {
    /// Whether an objective has that name.
    fn calls(&self, name: &str) -> bool {
        self.metric.iter().chain(&self.further).any(|known| known == name)
    }
}

/// The objective of a ladder.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Goal {
    pub(super) direction: Direction,
    pub(super) metric: String,
}

impl Objective<'_> {
    /// The metric that the command line names for a source.
    pub(super) fn metric_of(&self, label: &str) -> Option<&str> {
        of_label(self.metrics, label).map(String::as_str)
    }

    /// The direction that the command line gives the first objective of a source.
    pub(super) fn direction_of(&self, label: &str) -> Option<Direction> {
        self.directions_of(label).first().copied()
    }

    /// The directions that the command line gives the objectives of a source, in their order.
    pub(super) fn directions_of(&self, label: &str) -> Vec<Direction> {
        all_of_label(self.directions, label).map(|given| (*given).into()).collect()
    }

    /// What the command line says of which values of a source's objectives are better. What is said of other
    /// labels may be said of an objective of that name.
    pub(super) fn said_directions_of(&self, label: &str) -> SaidDirections {
        let named = self.directions.iter().filter(|said| said.label.as_deref() != Some(label));
        let named = named.filter_map(|said| Some((said.label.clone()?, said.what.into())));
        SaidDirections { in_order: self.directions_of(label), named: named.collect() }
    }

    /// What the command line says of the trials of a source that a store takes in.
    pub(super) fn assumed(&self, label: &str) -> Assumed {
        Assumed {
            directions: self.said_directions_of(label),
            metric: self.metric_of(label).map(Into::into),
            params: self.params_of(label),
            size: self.size_of(label).map(Into::into),
            ..Assumed::default()
        }
    }

    /// What the command line says of the columns of a source, whose hyperparameters are `params`.
    pub(super) fn roles_of<'b>(&'b self, label: &str, params: &'b [String]) -> Roles<'b> {
        Roles { metric: self.metric_of(label), params, size: self.size_of(label) }
    }

    /// The columns that the command line lists as hyperparameters of a source.
    pub(super) fn params_of(&self, label: &str) -> Vec<String> {
        all_of_label(self.params, label).flat_map(|names| names.0.iter().cloned()).collect()
    }

    /// The column that the command line names for the number of weights of a source.
    pub(super) fn size_of(&self, label: &str) -> Option<&str> {
        of_label(self.sizes, label).map(String::as_str)
    }

    /// The objective of the sources. By authority: the command line, what the source records, `--rows` and the classic template, a name
    /// that can mean one thing alone.
    ///
    /// # Errors
    /// [`CliError::Usage`] where nothing says which values are better, or sources differ.
    pub(super) fn goal(&self, sources: &[(&str, Recorded)]) -> Result<Goal, CliError> {
        self.refuse_unknown_labels(sources)?;
        let goals = sources.iter().map(|(label, recorded)| self.goal_of(label, recorded));
        let goals: Vec<Goal> = goals.collect::<Result<_, _>>()?;
        let Some(first) = goals.first() else {
            return Ok(Goal { direction: Direction::default(), metric: "value".into() });
        };
        if let Some(other) = goals.iter().position(|goal| goal.direction != first.direction) {
            let (a, b) = (first.direction.as_str(), goals[other].direction.as_str());
            return Err(CliError::Usage {
                message: format!("`{}` is to {a} and `{}` is to {b}", sources[0].0, sources[other].0),
                hint: Some(
                    "the studies of a ladder have one objective; --direction LABEL=... corrects one".into(),
                ),
            });
        }
        let is_one = goals.iter().all(|goal| goal.metric == first.metric);
        let metric = if is_one { first.metric.clone() } else { "value".to_owned() };
        Ok(Goal { direction: first.direction, metric })
    }

    fn goal_of(&self, label: &str, recorded: &Recorded) -> Result<Goal, CliError> {
        let named = self.metric_of(label).or(recorded.metric.as_deref());
        let stated = self.direction_of(label).or(recorded.direction);
        let direction = stated.or_else(|| self.is_auc.then_some(Direction::Maximize));
        let implied = || named.and_then(implied_direction);
        let Some(direction) = direction.or_else(implied).or(self.otherwise) else {
            let of = named.map_or_else(String::new, |name| format!(" of `{name}`"));
            return Err(CliError::Usage {
                message: format!("`{label}`: nothing says whether larger or smaller values{of} are better"),
                hint: Some(
                    "give --direction maximize or --direction minimize; a name such as --metric val_loss or --metric auc tells as well"
                        .into(),
                ),
            });
        };
        let is_auc = self.is_auc && direction == Direction::Maximize;
        let metric = match named {
            Some(name) if name.eq_ignore_ascii_case("auc") => "AUC",
            Some(name) => name,
            None if is_auc => "AUC",
            None => "value",
        };
        Ok(Goal { direction, metric: metric.to_owned() })
    }

    fn refuse_unknown_labels(&self, sources: &[(&str, Recorded)]) -> Result<(), CliError> {
        let metrics = self.metrics.iter().filter_map(|said| Some(("--metric", said.label.as_deref()?)));
        let directions =
            self.directions.iter().filter_map(|said| Some(("--direction", said.label.as_deref()?)));
        let params = self.params.iter().filter_map(|said| Some(("--params", said.label.as_deref()?)));
        let sizes = self.sizes.iter().filter_map(|said| Some(("--size", said.label.as_deref()?)));
        let directions = directions.filter(|(_, name)| !sources.iter().any(|(_, source)| source.calls(name)));
        let mut given = metrics.chain(directions).chain(params).chain(sizes);
        match given.find(|(_, label)| sources.iter().all(|(known, _)| known != label)) {
            None => Ok(()),
            Some((option, label)) => Err(CliError::Usage {
                message: format!("{option} is for `{label}`, and no source has that label"),
                hint: None,
            }),
        }
    }
}

/// What is said of the source with a label, or where nothing is, of all sources.
fn all_of_label<'s, T>(said: &'s [Said<T>], label: &str) -> impl Iterator<Item = &'s T> {
    let own = said.iter().any(|one| one.label.as_deref() == Some(label)).then(|| label.to_owned());
    said.iter().filter(move |one| one.label == own).map(|one| &one.what)
}

fn of_label<'s, T>(said: &'s [Said<T>], label: &str) -> Option<&'s T> {
    let own = said.iter().rev().find(|one| one.label.as_deref() == Some(label));
    own.or_else(|| said.iter().rev().find(|one| one.label.is_none())).map(|one| &one.what)
}

/// Refuses what is called an AUC and is none: its intervals would be those of another thing.
///
/// # Errors
/// [`CliError::Usage`] naming the trial.
pub(super) fn refuse_false_auc(ladder: &LadderTrials) -> Result<(), CliError> {
    if !is_auc(&ladder.metric) {
        return Ok(());
    }
    let complete =
        ladder.studies.iter().flat_map(|study| study.trials.iter().map(move |trial| (study, trial)));
    let outside =
        complete.filter(|(_, trial)| trial.state == TrialState::Complete).find_map(|(study, trial)| {
            let value = trial.value.filter(|value| value.is_finite() && !(0.0..=1.0).contains(value))?;
            Some((study, trial, value))
        });
    match outside {
        None => Ok(()),
        Some((study, trial, value)) => Err(CliError::Usage {
            message: format!(
                "trial {} of `{}` has {value}, and an AUC lies between 0 and 1",
                trial.number, study.budget.label
            ),
            hint: Some("name what it is with --metric, and leave out --rows".into()),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded(direction: Option<Direction>, metric: Option<&str>) -> Recorded {
        Recorded { direction, metric: metric.map(Into::into), further: Vec::new() }
    }

    fn goal(objective: &Objective<'_>, recorded: Recorded) -> Result<(Direction, String), String> {
        let goal = objective.goal(&[("2M", recorded)]).map_err(|error| error.to_string())?;
        Ok((goal.direction, goal.metric))
    }

    #[test]
    fn the_command_line_comes_before_the_source_and_the_source_before_a_name() {
        use Direction::{Maximize, Minimize};
        let silent = Objective::default();
        assert_eq!(goal(&silent, recorded(Some(Minimize), Some("auc"))), Ok((Minimize, "AUC".into())));
        assert_eq!(goal(&silent, recorded(None, Some("val_loss"))), Ok((Minimize, "val_loss".into())));
        assert_eq!(goal(&silent, recorded(Some(Maximize), None)), Ok((Maximize, "value".into())));
        assert!(goal(&silent, recorded(None, None)).unwrap_err().contains("larger or smaller"));
        assert!(goal(&silent, recorded(None, Some("score"))).unwrap_err().contains("`score`"));

        let rows = Objective { is_auc: true, ..Objective::default() };
        assert_eq!(goal(&rows, recorded(None, None)), Ok((Maximize, "AUC".into())));
        assert_eq!(goal(&rows, recorded(Some(Minimize), None)), Ok((Minimize, "value".into())));

        let directions: [Said<DirectionArg>; 2] = ["max".parse().unwrap(), "2M=minimize".parse().unwrap()];
        let metrics: [Said<String>; 1] = ["mape".parse().unwrap()];
        let given = Objective { metrics: &metrics, directions: &directions, is_auc: true, ..silent };
        assert_eq!(goal(&given, recorded(Some(Maximize), Some("x"))), Ok((Minimize, "mape".into())));
        let two = [("2M", recorded(None, None)), ("20M", recorded(None, None))];
        assert!(
            given
                .goal(&two)
                .unwrap_err()
                .to_string()
                .contains("`2M` is to minimize and `20M` is to maximize")
        );
        let other = [("20M", recorded(None, None))];
        assert!(given.goal(&other).unwrap_err().to_string().contains("no source has that label"));
        assert!("=max".parse::<Said<DirectionArg>>().is_err());
        assert!("2M=up".parse::<Said<DirectionArg>>().is_err());
    }
}
