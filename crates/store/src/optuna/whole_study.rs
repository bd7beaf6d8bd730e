//! Studies with all their contents, as copied between stores and files.

use std::collections::BTreeMap;

use allometry_core::{Direction, FrozenTrial, SearchSpace, TrialNumber, TrialState};

use super::{AttributeKind, OptunaStorage, OptunaStudy, TrialHead, TrialSink, TrialTemplate};
use crate::error::StoreError;
use crate::from_rows::{OWN_PREFIX, RECORD_KEY, SPACE_KEY, space_json};
use crate::import::template;
use crate::json;
use crate::store::{Beside, Store, StudyId, StudyRecord, TrialId};

/// A study with all its contents.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WholeStudy {
    /// Name.
    pub name: String,
    /// Direction of each objective.
    pub directions: Vec<Direction>,
    /// User attributes as JSON texts, including Allometry's own with their prefix.
    pub user_attributes: BTreeMap<String, String>,
    /// System attributes as JSON texts.
    pub system_attributes: BTreeMap<String, String>,
    /// Trials by number, from 0 without gaps.
    pub trials: Vec<WholeTrial>,
}

/// A trial with all its contents.
#[derive(Debug, Clone, PartialEq)]
pub struct WholeTrial {
    /// Contents of Optuna's tables.
    pub template: TrialTemplate,
    /// Contents of Allometry's own tables.
    pub beside: Beside,
}

impl From<TrialTemplate> for WholeTrial {
    fn from(template: TrialTemplate) -> Self {
        Self { template, beside: Beside::default() }
    }
}

impl WholeStudy {
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

    /// Reads a study; `store` and `storage` are two interfaces to one database.
    pub(crate) fn read(
        storage: &dyn OptunaStorage,
        store: &dyn Store,
        study: OptunaStudy,
    ) -> Result<Self, StoreError> {
        let OptunaStudy { id, name, directions, user_attributes, system_attributes } = study;
        let mut taken = Templates::default();
        storage.trials(id, TrialId(-1), &[], &mut taken)?;
        taken.restore_order(store, id)?;
        let mut kept = store.beside(id)?;
        let trials = taken.templates.into_iter().map(|(number, template)| {
            let number = TrialNumber(u64::try_from(number).unwrap_or_default());
            // Every trial that Allometry evaluated has a record.
            let is_own = template.state.is_finished() && template.user_attributes.contains_key(RECORD_KEY);
            let beside = kept.remove(&number).filter(|_| is_own).unwrap_or_default();
            WholeTrial { template, beside }
        });
        let trials = trials.collect();
        Ok(Self { name, directions, user_attributes, system_attributes, trials })
    }
}

/// Receiver that collects trials with their numbers.
#[derive(Debug, Default)]
struct Templates {
    templates: Vec<(i64, TrialTemplate)>,
}

impl Templates {
    /// Sorts each trial's parameters by the order in which they were set. If a distribution cannot be read,
    /// they stay sorted by name.
    fn restore_order(&mut self, store: &dyn Store, study: StudyId) -> Result<(), StoreError> {
        let trials = match store.trials(study) {
            Err(StoreError::Malformed { .. }) => return Ok(()),
            trials => trials?,
        };
        for ((_, template), trial) in self.templates.iter_mut().zip(trials) {
            template.params.sort_by_key(|(name, ..)| trial.params.0.get_index_of(name));
        }
        Ok(())
    }

    /// Returns the trial that was started last.
    fn last(&mut self) -> &mut TrialTemplate {
        &mut self.templates.last_mut().expect("parts are told of a trial that was begun").1
    }
}

impl TrialSink for Templates {
    fn restart(&mut self) {
        self.templates.clear();
    }

    fn begin(&mut self, head: &TrialHead) {
        let template = TrialTemplate {
            state: head.state,
            values: Vec::new(),
            started: head.started,
            completed: head.completed,
            params: Vec::new(),
            user_attributes: BTreeMap::new(),
            system_attributes: BTreeMap::new(),
            intermediate: BTreeMap::new(),
        };
        self.templates.push((head.number, template));
    }

    fn value(&mut self, value: f64) {
        self.last().values.push(value);
    }

    fn param(&mut self, name: &str, internal: f64, distribution: &str) {
        self.last().params.push((name.to_owned(), internal, distribution.to_owned()));
    }

    fn attribute(&mut self, kind: AttributeKind, key: &str, json: &str) {
        let attributes = match kind {
            AttributeKind::User => &mut self.last().user_attributes,
            AttributeKind::System => &mut self.last().system_attributes,
        };
        attributes.insert(key.to_owned(), json.to_owned());
    }

    fn intermediate(&mut self, step: i64, value: f64) {
        self.last().intermediate.insert(step, value);
    }

    fn end(&mut self) {}
}
