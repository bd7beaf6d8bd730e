//! Reads studies with all their contents.

use std::collections::BTreeMap;

use allometry_core::TrialNumber;

use super::record::{AttributeKind, OptunaStudy, TrialHead, TrialSink, TrialTemplate};
use super::storage::OptunaStorage;
use super::study_with_trials::{StudyWithTrials, TrialWithExtras};
use crate::error::StoreError;
use crate::own_attribute::RECORD_KEY;
use crate::store::{Store, StudyId, TrialId};

impl StudyWithTrials {
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
        let mut kept = store.extras(id)?;
        let trials = taken.templates.into_iter().map(|(number, template)| {
            let number = TrialNumber(u64::try_from(number).unwrap_or_default());
            // Every trial that Allometry evaluated has a record.
            let is_own = template.state.is_finished() && template.user_attributes.contains_key(RECORD_KEY);
            let extras = kept.remove(&number).filter(|_| is_own).unwrap_or_default();
            TrialWithExtras { template, extras }
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
