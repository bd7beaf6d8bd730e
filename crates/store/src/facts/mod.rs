//! What a study of Allometry says of itself: one type to write it and to read it back.
//!
//! Each fact is an attribute of the study under its own key. A study that says something that this version
//! cannot read is unreadable ([`StudyRecord::unreadable`](crate::StudyRecord)): it is neither analysed nor
//! continued, since what is left out could change the meaning of its trials.

mod experiment;
mod ladder_file;
mod objective;

use std::collections::BTreeMap;

use allometry_core::ladder::SamplerSpec;
use allometry_core::sampler::CarriedOver;
use allometry_core::space::When;
use allometry_core::{ClassCounts, SearchSpace, SizeBudget, SizeReach, StopReason};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::assemble::{self, SPACE_KEY};

pub use experiment::{Experiment, ExperimentStudy};
pub use ladder_file::StoredLadder;
pub use objective::{CommandFacts, DataFacts, LabelFacts, ModelFacts, ObjectiveFacts, Program, SplitFacts};

/// Version of the facts that are written. A study with a later one is unreadable.
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
    /// Its name.
    pub name: String,
    /// What it predicts, in words.
    pub description: String,
    /// Its value of the ladder's metric; none where it is undefined.
    pub value: Option<f64>,
    /// All its metrics.
    pub metrics: BTreeMap<String, f64>,
}

/// One thing that a study says of itself.
#[derive(Debug, Clone, PartialEq)]
pub enum Fact {
    /// Its place in a ladder.
    Ladder(LadderPlace),
    /// The size of its models.
    Budget(SizeBudget),
    /// What its trials are evaluated by.
    Objective(ObjectiveFacts),
    /// Texts of the conditions that its configurations meet.
    Constraints(Vec<String>),
    /// Texts of the limits of its trials, in the order of their constraint values.
    Limits(Vec<String>),
    /// Which of its parameters exist only beside values of others.
    Conditions(Vec<When>),
    /// Its sampler.
    Sampler(SamplerSpec),
    /// Trials that it is to have.
    TargetTrials(u64),
    /// Smallest difference of its metric that matters; none where nobody named one.
    SmallestEffect(Option<f64>),
    /// Exact sizes that its space reaches; none where they cannot be computed.
    Reach(Option<SizeReach>),
    /// Why its last run ended; none while it runs.
    Ended(Option<StopReason>),
    /// What its sampler took over from other budgets.
    CarriedOver(CarriedOver),
    /// Classes of its validation rows.
    Validation(ClassCounts),
    /// Baselines on its validation rows.
    Baselines(Vec<BaselineFacts>),
    /// The experiment that it belongs to.
    Experiment(Experiment, ExperimentStudy),
    /// The ladder file that began it.
    LadderFile(StoredLadder),
    /// A text that no other study has.
    Identity(String),
    /// The space that it searches now.
    Space(SearchSpace),
}

impl Fact {
    /// Key of the fact's attribute, without the prefix of Allometry's own.
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
            Self::Experiment(experiment, _) => experiment.key(),
            Self::LadderFile(_) => "ladder_file",
            Self::Identity(_) => "identity",
            Self::Space(_) => SPACE_KEY,
        }
    }

    /// The fact as its attribute holds it.
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
            Self::Experiment(_, study) => json(study),
            Self::LadderFile(ladder) => json(ladder),
            Self::Identity(text) => json(text),
            Self::Space(space) => assemble::space_json(space),
        }
    }
}

fn json<T: Serialize>(value: &T) -> Value {
    serde_json::to_value(value).expect("facts have text keys")
}

/// The attributes that hold facts, with the version that wrote them; none for no facts.
pub(crate) fn attributes(facts: &[Fact]) -> BTreeMap<&'static str, Value> {
    let version = (!facts.is_empty()).then(|| (VERSION_KEY, json(&VERSION)));
    version.into_iter().chain(facts.iter().map(|fact| (fact.key(), fact.value()))).collect()
}

/// Key of the version of the facts.
const VERSION_KEY: &str = "facts";

/// Everything that a study says of itself.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StudyFacts {
    /// Its place in a ladder; none for a study of no ladder and for one of an experiment.
    pub ladder: Option<LadderPlace>,
    /// The size of its models.
    pub budget: Option<SizeBudget>,
    /// What its trials are evaluated by.
    pub objective: Option<ObjectiveFacts>,
    /// Texts of the conditions that its configurations meet.
    pub constraints: Vec<String>,
    /// Texts of the limits of its trials, in the order of their constraint values.
    pub limits: Vec<String>,
    /// Which of its parameters exist only beside values of others.
    pub conditions: Vec<When>,
    /// Its sampler.
    pub sampler: Option<SamplerSpec>,
    /// Trials that it is to have.
    pub target_trials: Option<u64>,
    /// Smallest difference of its metric that matters.
    pub smallest_effect: Option<f64>,
    /// Exact sizes that its space reaches.
    pub reach: Option<SizeReach>,
    /// Why its last run ended; none while it runs.
    pub ended: Option<StopReason>,
    /// What its sampler took over from other budgets.
    pub carried_over: Option<CarriedOver>,
    /// Classes of its validation rows.
    pub validation: Option<ClassCounts>,
    /// Baselines on its validation rows.
    pub baselines: Vec<BaselineFacts>,
    /// The experiment that it belongs to.
    pub experiment: Option<(Experiment, ExperimentStudy)>,
    /// The ladder file that began it.
    pub ladder_file: Option<StoredLadder>,
    /// A text that no other study has.
    pub identity: Option<String>,
}

impl StudyFacts {
    /// Reads the facts among a study's own attributes, by key without prefix. Also returns which attribute
    /// cannot be read, and why; its fact is left out.
    pub(crate) fn read(attributes: &BTreeMap<String, Value>) -> (Self, Option<String>) {
        let mut said = Said { attributes, problem: None };
        if let Some(version) = said.get::<u64>(VERSION_KEY).filter(|version| *version > VERSION) {
            said.problem = Some(format!(
                "a later version of Allometry wrote it: its facts have version {version}, and this one reads \
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
            experiment: transfer.or(confirm),
            ladder_file: said.get("ladder_file"),
            identity: said.get("identity"),
        };
        (facts, said.problem)
    }

    /// Name of the ladder that the study is of, also as part of an experiment.
    pub fn ladder_name(&self) -> Option<&str> {
        let of_experiment = || self.experiment.as_ref().map(|(_, study)| study.ladder.as_str());
        self.ladder.as_ref().map(|place| place.name.as_str()).or_else(of_experiment)
    }
}

/// A study's own attributes, and the first of them that cannot be read.
struct Said<'a> {
    attributes: &'a BTreeMap<String, Value>,
    problem: Option<String>,
}

impl Said<'_> {
    /// The fact of that key; null says nothing.
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
