//! Studies with all their contents, as copied between stores and files.

use std::collections::BTreeMap;

use allometry_core::{Direction, FrozenTrial, SearchSpace, TrialNumber, TrialState};

use super::record::{AttributeKind, TrialTemplate};
use crate::import::template;
use crate::json;
use crate::own_attribute::{OWN_PREFIX, SPACE_KEY, space_json};
use crate::store::{StudyRecord, TrialExtras};

/// A study with all its contents.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StudyWithTrials {
    /// Name.
    pub name: String,
    /// Direction of each objective.
    pub directions: Vec<Direction>,
    /// User attributes as JSON texts, including Allometry's own with their prefix.
    pub user_attributes: BTreeMap<String, String>,
    /// System attributes as JSON texts.
    pub system_attributes: BTreeMap<String, String>,
    /// Trials by number, from 0 without gaps.
    pub trials: Vec<TrialWithExtras>,
}

/// A trial with all its contents.
#[derive(Debug, Clone, PartialEq)]
pub struct TrialWithExtras {
    /// Contents of Optuna's tables.
    pub template: TrialTemplate,
    /// Contents of Allometry's own tables.
    pub extras: TrialExtras,
}

impl From<TrialTemplate> for TrialWithExtras {
    fn from(template: TrialTemplate) -> Self {
        Self { template, extras: TrialExtras::default() }
    }
}

impl StudyWithTrials {
    /// Returns the names of the user attributes that Allometry did not write.
    pub fn foreign_attributes(&self) -> impl Iterator<Item = &str> {
        self.user_attributes.keys().map(String::as_str).filter(|key| !key.starts_with(OWN_PREFIX))
    }

    /// Returns the study from the trials that a process has in memory. The trials are numbered anew in their
    /// order; parameters without a distribution take it from `space`.
    pub fn known(stored: &StudyRecord, space: &SearchSpace, trials: Vec<FrozenTrial>) -> Self {
        let mut user_attributes = stored.user_attributes.clone();
        let own = stored.attributes.iter().map(|(key, value)| (key.as_str(), json::write(value)));
        let set = stored.space.as_ref().unwrap_or(space);
        let own = own.chain([(SPACE_KEY, json::write(&space_json(set)))]);
        user_attributes.extend(own.map(|(key, text)| (format!("{OWN_PREFIX}{key}"), text)));
        let trials = (0..).zip(trials).map(|(number, mut trial)| {
            trial.number = TrialNumber(number);
            for (name, value) in trial.params.iter() {
                if let Some(set) = space.get(name).filter(|set| set.contains(value)) {
                    trial.distributions.entry(name.to_owned()).or_insert_with(|| set.clone());
                }
            }
            let mut template = template(&trial);
            let whole = template.values.len() == stored.directions.len() && trial.value().is_some();
            if !whole || !matches!(template.state, TrialState::Complete | TrialState::Pruned) {
                template.values.clear();
            }
            template.into()
        });
        Self {
            name: stored.name.clone(),
            directions: stored.directions.clone(),
            user_attributes,
            system_attributes: stored.system_attributes.clone(),
            trials: trials.collect(),
        }
    }

    /// Returns both kinds of attributes.
    pub(crate) fn attributes(&self) -> [(AttributeKind, &BTreeMap<String, String>); 2] {
        [(AttributeKind::User, &self.user_attributes), (AttributeKind::System, &self.system_attributes)]
    }
}
