//! Facts that Allometry stores about a study: one type that is written and read back.
//!
//! Each fact is an attribute of the study under its own key. If this version cannot read a fact, the study is
//! unreadable ([`StudyRecord::unreadable`](crate::StudyRecord)): it is neither analysed nor continued,
//! because a fact left out could change the meaning of its trials.

mod experiment;
mod folds;
mod ladder_file;
mod objective;
mod panel;

use std::collections::BTreeMap;

use allometry_core::space::When;
use allometry_core::{CarriedOver, ClassCounts, SamplerSpec, SearchSpace, SizeBudget, SizeReach, StopReason};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::LATER_VERSION;
use crate::own_attribute::{SPACE_KEY, space_json};

pub use experiment::{Experiment, ExperimentStudy, PlannedLook};
pub use folds::{EraSpan, FoldFacts};
pub use ladder_file::StoredLadder;
pub use objective::{
    CommandFacts, DataFacts, EmbeddingFacts, LabelFacts, ModelFacts, ObjectiveFacts, Program, SplitFacts,
};
pub use panel::PanelFacts;

/// Version of the facts that are written. A study with a later version is unreadable.
const VERSION: u64 = 1;

/// Place of a study in its ladder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LadderPlace {
    /// Name of the ladder.
    pub name: String,
    /// Its tag.
    pub tag: Option<String>,
    /// Seed of everything random.
    pub seed: u64,
    /// Place of the study's budget in the ladder file, from 0.
    pub position: usize,
}

/// A baseline that was fitted to the data of a ladder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BaselineFacts {
    /// Name of the baseline.
    pub name: String,
    /// Description of its prediction in words.
    pub description: String,
    /// Value of the ladder's metric; none where it is undefined.
    pub value: Option<f64>,
    /// Values of all metrics.
    pub metrics: BTreeMap<String, f64>,
}

/// One fact about a study.
#[derive(Debug, Clone, PartialEq)]
pub enum Fact {
    /// Place in a ladder.
    Ladder(LadderPlace),
    /// Size of the models.
    Budget(SizeBudget),
    /// Objective of the trials.
    Objective(ObjectiveFacts),
    /// Texts of the conditions that its configurations meet.
    Constraints(Vec<String>),
    /// Texts of the limits of its trials, in the order of their constraint values.
    Limits(Vec<String>),
    /// Conditions under which parameters exist, which depend on other parameters.
    Conditions(Vec<When>),
    /// Sampler.
    Sampler(SamplerSpec),
    /// Number of trials to run.
    TargetTrials(u64),
    /// Smallest relevant difference of the metric; none where the ladder does not set it.
    SmallestEffect(Option<f64>),
    /// Range of exact sizes in the space; none where sizes cannot be computed.
    Reach(Option<SizeReach>),
    /// Reason for the end of the last run; none while it runs.
    Ended(Option<StopReason>),
    /// Trials of other budgets that the sampler learned from.
    CarriedOver(CarriedOver),
    /// Class counts of the validation rows.
    Validation(ClassCounts),
    /// Baselines on the validation rows.
    Baselines(Vec<BaselineFacts>),
    /// Series and time of each scored row.
    Panel(PanelFacts),
    /// Eras of walk-forward folds.
    Folds(FoldFacts),
    /// Experiment that the study belongs to.
    Experiment(Experiment, ExperimentStudy),
    /// Ladder file that started the study.
    LadderFile(StoredLadder),
    /// Text that identifies the study uniquely.
    Identity(String),
    /// Search space that the study uses now.
    Space(SearchSpace),
}

impl Fact {
    /// Returns the key of the fact's attribute, without Allometry's prefix.
    fn key(&self) -> &'static str {
        match self {
            Self::Ladder(_) => "ladder",
            Self::Budget(_) => "budget",
            Self::Objective(_) => "objective",
            Self::Constraints(_) => "constraints",
            Self::Limits(_) => "limits",
            Self::Conditions(_) => "conditions",
            Self::Sampler(_) => "sampler",
            Self::TargetTrials(_) => "target_trials",
            Self::SmallestEffect(_) => "smallest_effect",
            Self::Reach(_) => "reach",
            Self::Ended(_) => "ended",
            Self::CarriedOver(_) => "carried_over",
            Self::Validation(_) => "validation",
            Self::Baselines(_) => "baselines",
            Self::Panel(_) => "panel",
            Self::Folds(_) => "folds",
            Self::Experiment(experiment, _) => experiment.key(),
            Self::LadderFile(_) => "ladder_file",
            Self::Identity(_) => "identity",
            Self::Space(_) => SPACE_KEY,
        }
    }

    /// Returns the JSON of the fact's attribute.
    fn value(&self) -> Value {
        match self {
            Self::Ladder(place) => json(place),
            Self::Budget(budget) => json(budget),
            Self::Objective(objective) => objective.to_json(),
            Self::Constraints(texts) | Self::Limits(texts) => json(texts),
            Self::Conditions(conditions) => json(conditions),
            Self::Sampler(sampler) => json(sampler),
            Self::TargetTrials(trials) => json(trials),
            Self::SmallestEffect(effect) => json(effect),
            Self::Reach(reach) => json(reach),
            Self::Ended(reason) => json(reason),
            Self::CarriedOver(over) => json(over),
            Self::Validation(counts) => json(counts),
            Self::Baselines(baselines) => json(baselines),
            Self::Panel(panel) => json(panel),
            Self::Folds(folds) => json(folds),
            Self::Experiment(_, study) => json(study),
            Self::LadderFile(ladder) => json(ladder),
            Self::Identity(text) => json(text),
            Self::Space(space) => space_json(space),
        }
    }
}

fn json<T: Serialize>(value: &T) -> Value {
    serde_json::to_value(value).expect("facts have text keys")
}

/// Returns the attributes that hold facts, with their version; empty without facts.
pub(crate) fn attributes(facts: &[Fact]) -> BTreeMap<&'static str, Value> {
    let version = (!facts.is_empty()).then(|| (VERSION_KEY, json(&VERSION)));
    version.into_iter().chain(facts.iter().map(|fact| (fact.key(), fact.value()))).collect()
}

/// Key of the attribute that holds the version.
const VERSION_KEY: &str = "facts";

/// All facts about a study.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StudyFacts {
    /// Place in a ladder; none for a study of no ladder and for a study of an experiment.
    pub ladder: Option<LadderPlace>,
    /// Size of the models.
    pub budget: Option<SizeBudget>,
    /// Objective of the trials.
    pub objective: Option<ObjectiveFacts>,
    /// Texts of the conditions that its configurations meet.
    pub constraints: Vec<String>,
    /// Texts of the limits of its trials, in the order of their constraint values.
    pub limits: Vec<String>,
    /// Conditions under which parameters exist, which depend on other parameters.
    pub conditions: Vec<When>,
    /// Sampler.
    pub sampler: Option<SamplerSpec>,
    /// Number of trials to run.
    pub target_trials: Option<u64>,
    /// Smallest relevant difference of the metric.
    pub smallest_effect: Option<f64>,
    /// Range of exact sizes in the space.
    pub reach: Option<SizeReach>,
    /// Reason for the end of the last run; none while it runs.
    pub ended: Option<StopReason>,
    /// Trials of other budgets that the sampler learned from.
    pub carried_over: Option<CarriedOver>,
    /// Class counts of the validation rows.
    pub validation: Option<ClassCounts>,
    /// Baselines on the validation rows.
    pub baselines: Vec<BaselineFacts>,
    /// Series and time of each scored row; none for a table of one series.
    pub panel: Option<PanelFacts>,
    /// Eras of walk-forward folds; none for a study whose trials are one training each.
    pub folds: Option<FoldFacts>,
    /// Experiment that the study belongs to.
    pub experiment: Option<(Experiment, ExperimentStudy)>,
    /// Ladder file that started the study.
    pub ladder_file: Option<StoredLadder>,
    /// Text that identifies the study uniquely.
    pub identity: Option<String>,
}

impl StudyFacts {
    /// Reads the facts from a study's own attributes, by key without prefix. Also returns the first attribute
    /// that cannot be read, and the reason; its fact is left out.
    pub(crate) fn read(attributes: &BTreeMap<String, Value>) -> (Self, Option<String>) {
        let mut said = Named { attributes, problem: None };
        if let Some(version) = said.get::<u64>(VERSION_KEY).filter(|version| *version > VERSION) {
            said.problem = Some(format!(
                "{LATER_VERSION} wrote it: its facts have version {version}, and this one reads \
                 version {VERSION}"
            ));
        }
        let transfer = said.get(Experiment::Transfer.key()).map(|study| (Experiment::Transfer, study));
        let confirm = said.get(Experiment::Confirm.key()).map(|study| (Experiment::Confirm, study));
        let facts = Self {
            ladder: said.get("ladder"),
            budget: said.get("budget"),
            objective: said.get("objective"),
            constraints: said.get("constraints").unwrap_or_default(),
            limits: said.get("limits").unwrap_or_default(),
            conditions: said.get("conditions").unwrap_or_default(),
            sampler: said.get("sampler"),
            target_trials: said.get("target_trials"),
            smallest_effect: said.get("smallest_effect"),
            reach: said.get("reach"),
            ended: said.get("ended"),
            carried_over: said.get("carried_over"),
            validation: said.get("validation"),
            baselines: said.get("baselines").unwrap_or_default(),
            panel: said.get("panel"),
            folds: said.get("folds"),
            experiment: transfer.or(confirm),
            ladder_file: said.get("ladder_file"),
            identity: said.get("identity"),
        };
        (facts, said.problem)
    }

    /// Whether a trial's value is the mean over walk-forward folds, and its intermediate values are those of
    /// the folds. The models of a confirmation are trained once.
    pub fn has_folds(&self) -> bool {
        let Some(ObjectiveFacts::Model(model)) = &self.objective else { return false };
        model.data.folds.is_some() && model.part.is_none()
    }

    /// Returns the name of the study's ladder, also for a study of an experiment.
    pub fn ladder_name(&self) -> Option<&str> {
        let of_experiment = || self.experiment.as_ref().map(|(_, study)| study.ladder.as_str());
        self.ladder.as_ref().map(|place| place.name.as_str()).or_else(of_experiment)
    }
}

/// A study's own attributes, and the first one that cannot be read.
struct Named<'a> {
    attributes: &'a BTreeMap<String, Value>,
    problem: Option<String>,
}

impl Named<'_> {
    /// Returns the fact with this key; null means none.
    fn get<T: DeserializeOwned>(&mut self, key: &str) -> Option<T> {
        let read = Option::<T>::deserialize(self.attributes.get(key)?);
        read.unwrap_or_else(|error| {
            self.problem.get_or_insert_with(|| format!("attribute `allometry:{key}`: {error}"));
            None
        })
    }
}

#[cfg(test)]
mod tests;
