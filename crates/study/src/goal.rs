//! Metric and direction of other programs' trials, and the options that name them.

use std::fmt;
use std::str::FromStr;

use allometry_analysis::{LadderTrials, is_auc};
use allometry_core::{Direction, MetricSpec, TrialState, implied_direction};
use allometry_store::import::{Assumed, GivenDirections, Roles};

use crate::StudyError;

/// An option for all sources, `NAME`, or for the source with a label, `LABEL=NAME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named<T> {
    label: Option<String>,
    what: T,
}

impl<T> Named<T> {
    /// Returns the label or name in front, and the value.
    pub fn parts(&self) -> (Option<&str>, &T) {
        (self.label.as_deref(), &self.what)
    }
}

impl<T: FromStr<Err: fmt::Display>> FromStr for Named<T> {
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

/// A list of names, such as `lr,depth`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names(Vec<String>);

impl Names {
    /// Returns the names in their order.
    pub fn into_names(self) -> Vec<String> {
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

/// Options for the objective and the columns of sources.
#[derive(Debug, Clone, Default)]
pub struct Objective<'a> {
    /// Names of metrics.
    pub metrics: &'a [Named<String>],
    /// Directions of the objectives.
    pub directions: &'a [Named<Direction>],
    /// Columns that are hyperparameters.
    pub params: &'a [Named<Names>],
    /// Columns of the number of weights.
    pub sizes: &'a [Named<String>],
    /// Whether another option implies an AUC that is maximised: `--rows`, `--template classic`.
    pub is_auc: bool,
    /// Direction where nothing else gives one.
    pub otherwise: Option<Direction>,
    /// Label of a source that is read separately, which options may name.
    pub elsewhere: Option<&'a str>,
}

/// What a source records about its objectives.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Recorded {
    /// Direction of the first objective.
    pub(crate) direction: Option<Direction>,
    /// Names of the objectives; may be empty.
    pub(crate) names: Vec<String>,
}

impl Recorded {
    /// Whether an objective has this name.
    fn calls(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }
}

impl Objective<'_> {
    /// Returns the metric that the options name for a source.
    pub(crate) fn metric_of(&self, label: &str) -> Option<&str> {
        of_label(self.metrics, label).map(String::as_str)
    }

    /// Returns the direction that the options give the first objective of a source.
    pub(crate) fn direction_of(&self, label: &str) -> Option<Direction> {
        self.directions_of(label).first().copied()
    }

    /// Returns the directions that the options give the objectives of a source, in order.
    pub(crate) fn directions_of(&self, label: &str) -> Vec<Direction> {
        all_of_label(self.directions, label).copied().collect()
    }

    /// Returns the options for the directions of a source's objectives. An option for another label may be
    /// the name of an objective.
    pub(crate) fn given_directions_of(&self, label: &str) -> GivenDirections {
        let named = self.directions.iter().filter(|said| said.label.as_deref() != Some(label));
        let named = named.filter_map(|said| Some((said.label.clone()?, said.what)));
        GivenDirections { in_order: self.directions_of(label), named: named.collect() }
    }

    /// Returns the options for the trials of a source, for import into a store.
    pub(crate) fn assumed(&self, label: &str) -> Assumed {
        Assumed {
            directions: self.given_directions_of(label),
            metric: self.metric_of(label).map(Into::into),
            params: self.params_of(label),
            size: self.size_of(label).map(Into::into),
            ..Assumed::default()
        }
    }

    /// Returns the options for the columns of a source; `params` are its hyperparameters.
    pub(crate) fn roles_of<'b>(&'b self, label: &str, params: &'b [String]) -> Roles<'b> {
        Roles { metric: self.metric_of(label), params, size: self.size_of(label) }
    }

    /// Returns the columns that the options list as hyperparameters of a source.
    pub(crate) fn params_of(&self, label: &str) -> Vec<String> {
        all_of_label(self.params, label).flat_map(|names| names.0.iter().cloned()).collect()
    }

    /// Returns the column that the options name for the weights of a source.
    pub(crate) fn size_of(&self, label: &str) -> Option<&str> {
        of_label(self.sizes, label).map(String::as_str)
    }

    /// Returns the objective of the sources. The order of authority is: the options, what the source
    /// records, `--rows` and the classic template, and a metric's name that has one meaning.
    ///
    /// # Errors
    /// [`StudyError::Usage`] where nothing gives a direction, or sources differ.
    pub(crate) fn goal(&self, sources: &[(&str, Recorded)]) -> Result<MetricSpec, StudyError> {
        self.refuse_unknown_labels(sources)?;
        let goals = sources.iter().map(|(label, recorded)| self.goal_of(label, recorded));
        let goals: Vec<MetricSpec> = goals.collect::<Result<_, _>>()?;
        let Some(first) = goals.first() else {
            return Ok(MetricSpec { name: "value".into(), direction: Direction::default() });
        };
        if let Some(other) = goals.iter().position(|goal| goal.direction != first.direction) {
            let (a, b) = (first.direction.as_str(), goals[other].direction.as_str());
            return Err(StudyError::Usage {
                message: format!("`{}` is to {a} and `{}` is to {b}", sources[0].0, sources[other].0),
                hint: Some(
                    "the studies of a ladder have one objective; --direction LABEL=... corrects one".into(),
                ),
            });
        }
        let is_one = goals.iter().all(|goal| goal.name == first.name);
        let name = if is_one { first.name.clone() } else { "value".to_owned() };
        Ok(MetricSpec { name, direction: first.direction })
    }

    fn goal_of(&self, label: &str, recorded: &Recorded) -> Result<MetricSpec, StudyError> {
        let named = self.metric_of(label).or(recorded.names.first().map(String::as_str));
        let stated = self.direction_of(label).or(recorded.direction);
        if let (true, None, Some(name)) = (self.is_auc, stated, named)
            && implied_direction(name) == Some(Direction::Minimize)
        {
            return Err(StudyError::Usage {
                message: format!("`{label}`: smaller values of `{name}` are better, and an AUC is expected"),
                hint: Some(
                    "leave out --rows and --template classic: the default report takes every metric".into(),
                ),
            });
        }
        let direction = stated.or_else(|| self.is_auc.then_some(Direction::Maximize));
        let implied = || named.and_then(implied_direction);
        let Some(direction) = direction.or_else(implied).or(self.otherwise) else {
            let of = named.map_or_else(String::new, |name| format!(" of `{name}`"));
            return Err(StudyError::Usage {
                message: format!("`{label}`: nothing says whether larger or smaller values{of} are better"),
                hint: Some(
                    "give --direction maximize or --direction minimize, or a name that implies it, such as \
                     --metric val_loss or --metric auc"
                        .into(),
                ),
            });
        };
        let is_auc = self.is_auc && direction == Direction::Maximize;
        let name = match named {
            Some(name) if name.eq_ignore_ascii_case("auc") => "AUC",
            Some(name) => name,
            None if is_auc => "AUC",
            None => "value",
        };
        Ok(MetricSpec { name: name.to_owned(), direction })
    }

    fn refuse_unknown_labels(&self, sources: &[(&str, Recorded)]) -> Result<(), StudyError> {
        let metrics = self.metrics.iter().filter_map(|said| Some(("--metric", said.label.as_deref()?)));
        let directions =
            self.directions.iter().filter_map(|said| Some(("--direction", said.label.as_deref()?)));
        let params = self.params.iter().filter_map(|said| Some(("--params", said.label.as_deref()?)));
        let sizes = self.sizes.iter().filter_map(|said| Some(("--size", said.label.as_deref()?)));
        let directions = directions.filter(|(_, name)| !sources.iter().any(|(_, source)| source.calls(name)));
        let mut given = metrics.chain(directions).chain(params).chain(sizes);
        let is_known =
            |label: &str| self.elsewhere == Some(label) || sources.iter().any(|(known, _)| *known == label);
        match given.find(|(_, label)| !is_known(label)) {
            None => Ok(()),
            Some((option, label)) => Err(StudyError::Usage {
                message: format!("{option} is for `{label}`, and no source has that label"),
                hint: Some(known_names(option, sources)),
            }),
        }
    }
}

/// Returns the names that may stand in front of an option's value: labels, and for directions objectives.
fn known_names(option: &str, sources: &[(&str, Recorded)]) -> String {
    let labels = sources.iter().map(|(label, _)| *label);
    let labels: Vec<String> = labels.map(|label| format!("`{label}`")).collect();
    let mut names: Vec<String> = Vec::new();
    for name in sources.iter().flat_map(|(_, recorded)| &recorded.names).map(|name| format!("`{name}`")) {
        if option == "--direction" && !names.contains(&name) {
            names.push(name);
        }
    }
    let objectives =
        if names.is_empty() { String::new() } else { format!("; objectives are {}", names.join(", ")) };
    format!("labels are {}{objectives}", labels.join(", "))
}

/// Returns the values for the source with a label; where there are none, those for all sources.
fn all_of_label<'s, T>(said: &'s [Named<T>], label: &str) -> impl Iterator<Item = &'s T> {
    let own = said.iter().any(|one| one.label.as_deref() == Some(label)).then(|| label.to_owned());
    said.iter().filter(move |one| one.label == own).map(|one| &one.what)
}

fn of_label<'s, T>(said: &'s [Named<T>], label: &str) -> Option<&'s T> {
    let own = said.iter().rev().find(|one| one.label.as_deref() == Some(label));
    own.or_else(|| said.iter().rev().find(|one| one.label.is_none())).map(|one| &one.what)
}

/// Refuses a metric called AUC with values outside 0 to 1: intervals of an AUC would not hold for it.
///
/// # Errors
/// [`StudyError::Usage`] naming the trial.
pub(crate) fn refuse_false_auc(ladder: &LadderTrials) -> Result<(), StudyError> {
    if !is_auc(ladder.metric()) {
        return Ok(());
    }
    let complete =
        ladder.studies.iter().flat_map(|study| study.trials.iter().map(move |trial| (study, trial)));
    let outside =
        complete.filter(|(_, trial)| trial.state == TrialState::Complete).find_map(|(study, trial)| {
            let value = trial.value().filter(|value| value.is_finite() && !(0.0..=1.0).contains(value))?;
            Some((study, trial, value))
        });
    match outside {
        None => Ok(()),
        Some((study, trial, value)) => Err(StudyError::Usage {
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
        Recorded { direction, names: metric.map(Into::into).into_iter().collect() }
    }

    fn goal(objective: &Objective<'_>, recorded: Recorded) -> Result<(Direction, String), String> {
        let goal = objective.goal(&[("2M", recorded)]).map_err(|error| error.to_string())?;
        Ok((goal.direction, goal.name))
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

        let directions: [Named<Direction>; 2] = ["max".parse().unwrap(), "2M=minimize".parse().unwrap()];
        let metrics: [Named<String>; 1] = ["mape".parse().unwrap()];
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
        assert!("=max".parse::<Named<Direction>>().is_err());
        assert!("2M=up".parse::<Named<Direction>>().is_err());
    }
}
