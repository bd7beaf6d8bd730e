//! The study in memory behind `allometry sampler`.

use std::sync::Arc;

use allometry_core::pareto::best_trials;
use allometry_core::rng::stream;
use allometry_core::space::When;
use allometry_core::{
    Constraints, Direction, FrozenTrial, Params, SamplerKind, SamplerSpec, SearchSpace, SizeBudget,
    TrialNumber, TrialState, WeightTarget,
};
use allometry_search::{Feasible, Measured, Sampler, SpaceError, StudyView, recommend};
use serde_json::{Map, Value};

use super::protocol::{Answer, Header, LineError, Member, Request, request};
use crate::styles::Label;

/// Answers the lines of the input.
pub(super) struct Session {
    kind: SamplerKind,
    study: Option<Study>,
}

struct Study {
    seed: u64,
    directions: Vec<Direction>,
    /// Names of the parameters by number. The space uses the numbers as names, because it gives some names,
    /// such as `d_model`, a meaning.
    names: Vec<String>,
    feasible: Arc<Feasible>,
    sampler: Box<dyn Sampler>,
    finished: Vec<FrozenTrial>,
    running: Vec<FrozenTrial>,
}

impl Session {
    pub(super) fn new(kind: SamplerKind) -> Self {
        Self { kind, study: None }
    }

    /// Returns the answer to a line, if it has one.
    pub(super) fn answer(&mut self, line: &str) -> Result<Option<Answer>, LineError> {
        let object: Map<String, Value> = serde_json::from_str(line)?;
        let Some(study) = &mut self.study else {
            if !object.contains_key("params") {
                return Err(LineError::NoSpace);
            }
            self.study = Some(Study::new(self.kind, serde_json::from_value(Value::Object(object))?)?);
            return Ok(None);
        };
        match request(&object)? {
            Request::Ask { number } => study.ask(number).map(|params| Some(Answer::Params(params))),
            Request::Tell { number, values, constraints } => {
                study.tell(number, &values, constraints).map(|()| None)
            }
            Request::Recommend => study.recommend().map(Some),
        }
    }
}

impl Study {
    fn new(kind: SamplerKind, header: Header) -> Result<Self, LineError> {
        let directions = header.directions()?;
        if header.params.is_empty() {
            return Err(LineError::NoParameters);
        }
        let names: Vec<String> = header.params.iter().map(|p| p.name.clone()).collect();
        if let Some(i) = (1..names.len()).find(|i| names[..*i].contains(&names[*i])) {
            return Err(LineError::SameName(names[i].clone()));
        }
        let sets = header.params.iter().enumerate().map(|(i, p)| Ok((i.to_string(), p.distribution()?)));
        let space = SearchSpace(sets.collect::<Result<_, LineError>>()?);
        let budget = SizeBudget::new(header.name, WeightTarget::Any);
        let numbered = |name: &str| {
            names.iter().position(|other| other == name).map_or_else(|| name.into(), |i| i.to_string())
        };
        let conditions = header.params.iter().filter_map(|p| {
            let requires =
                p.when.as_ref()?.iter().map(|(on, values)| (numbered(on), values.clone())).collect();
            Some(When { parameter: numbered(&p.name), requires })
        });
        let conditions: Vec<When> = conditions.collect();
        let measure = |_: &Params| Measured::default();
        let named = |number: &str| {
            let position = number.parse::<usize>().ok();
            position.and_then(|i| names.get(i).cloned()).unwrap_or_else(|| number.into())
        };
        let feasible = Feasible::conditional(&space, &budget, &[], &conditions, measure);
        let feasible = Arc::new(feasible.map_err(|error| match error {
            SpaceError::When(error) => SpaceError::When(error.renamed(named)),
            other => other,
        })?);
        // Nothing is estimated from these trials, so no share of them has to be random.
        let repeats = header.repeats;
        let spec = SamplerSpec { probes: false, random_share: 0.0, repeats, ..SamplerSpec::new(kind) };
        let sampler = allometry_search::build_sampler(&directions, spec, Arc::clone(&feasible), header.seed)?;
        Ok(Self {
            seed: header.seed,
            directions,
            names,
            feasible,
            sampler,
            finished: Vec::new(),
            running: Vec::new(),
        })
    }

    fn ask(&mut self, number: u64) -> Result<Params, LineError> {
        let by_number = |t: &FrozenTrial| t.number;
        let wanted = TrialNumber(number);
        if self.running.iter().chain(&self.finished).map(by_number).any(|n| n == wanted) {
            return Err(LineError::AskedTwice(number));
        }
        let view = self.view();
        let mut rng = stream(self.seed, "sampler", view.len() as u64);
        let suggestion = self.sampler.suggest(
            &StudyView { finished: &self.finished, running: &self.running, other_budgets: &[] },
            &mut rng,
        )?;
        if let Some(handover) = self.sampler.take_handover() {
            crate::output::tell(Label::Note, &handover.to_string());
        }
        let mut trial = FrozenTrial::new(number, TrialState::Running, None, suggestion.params);
        trial.record.origin = Some(suggestion.origin);
        let params = self.named(&trial.params);
        let place = self.running.partition_point(|t| t.number < wanted);
        self.running.insert(place, trial);
        Ok(params)
    }

    fn tell(&mut self, number: u64, values: &[f64], constraints: Vec<f64>) -> Result<(), LineError> {
        let (told, objectives) = (values.len(), self.directions.len());
        if told > 0 && told != objectives {
            return Err(LineError::ValueCount { number, told, objectives });
        }
        let wanted = TrialNumber(number);
        let Ok(place) = self.running.binary_search_by_key(&wanted, |t| t.number) else {
            let told = self.finished.binary_search_by_key(&wanted, |t| t.number).is_ok();
            return Err(if told { LineError::ToldTwice(number) } else { LineError::NeverAsked(number) });
        };
        let mut trial = self.running.remove(place);
        trial.state = if values.is_empty() { TrialState::Failed } else { TrialState::Complete };
        trial.values = values.to_vec();
        let constraints = Constraints { listed: constraints, ..Constraints::default() };
        trial.system_attributes = constraints.attributes().into_iter().collect();
        let place = self.finished.partition_point(|t| t.number < wanted);
        self.finished.insert(place, trial);
        Ok(())
    }

    fn recommend(&self) -> Result<Answer, LineError> {
        if let [direction] = self.directions.as_slice() {
            let found = recommend(&self.finished, self.feasible.space(), *direction);
            let params = found.map(|recommended| self.named(&recommended.params));
            return params.map(Answer::Params).ok_or(LineError::NothingTold);
        }
        let front = best_trials(&self.finished, &self.directions);
        if front.is_empty() {
            return Err(LineError::NothingTold);
        }
        let member = |trial: &&FrozenTrial| Member {
            trial: trial.number.0,
            values: trial.values.clone(),
            params: self.named(&trial.params),
        };
        Ok(Answer::Front(front.iter().map(member).collect()))
    }

    fn view(&self) -> StudyView<'_> {
        StudyView { finished: &self.finished, running: &self.running, other_budgets: &[] }
    }

    /// Returns the configuration with the caller's parameter names.
    fn named(&self, params: &Params) -> Params {
        let name =
            |number: &str| self.names[number.parse::<usize>().expect("parameters are numbered")].clone();
        params.iter().map(|(number, value)| (name(number), value.clone())).collect()
    }
}
