//! Calls of the storage service.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use allometry_admission::Admission;
use allometry_core::{Direction, TrialState};
use allometry_store::optuna::{self, AttributeKind, OptunaStorage, TrialTemplate};
use allometry_store::{LateResult, StoreError, StudyId, TrialId};
use bytes::Bytes;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use prost::Message;
use tokio::sync::Semaphore;
use tonic::Status;
use tonic::body::Body;

use crate::call::{self, Pieces};
use crate::encode::{self, TrialEncoder};
use crate::ended::EndedTrials;
use crate::error::status;
use crate::guard::Guard;
use crate::message::{
    Attribute, Attributes, Directions, Id, IntermediateValue, Name, NewStudy, NewTrial, Nothing, Parameter,
    StateValues, Studies, Study, Trial, TrialNumber, TrialsWanted, Updated,
};
use crate::time;

/// Prefix of the path of every call.
pub(crate) const SERVICE: &str = "/optuna.StorageService/";

/// Executes calls on a storage.
#[derive(Debug)]
pub struct Answers {
    storage: Arc<dyn OptunaStorage>,
    ended: EndedTrials,
}

impl Answers {
    /// Creates the executor of calls on a storage.
    pub fn new(storage: Arc<dyn OptunaStorage>) -> Self {
        Self { storage, ended: EndedTrials::default() }
    }

    /// Executes one call by its name, such as `GetTrials`, as for a connection. Returns the reply's message
    /// in pieces.
    ///
    /// # Errors
    /// The status sent to the client.
    pub fn answer(&self, call: &str, message: Bytes) -> Result<Vec<Bytes>, Status> {
        let verb = verb(call).ok_or_else(unknown_call)?;
        verb(self, message)
    }
}

fn unknown_call() -> Status {
    Status::unimplemented("the server has no such call")
}

/// Optuna's `StorageService` over a storage.
#[derive(Debug, Clone)]
pub(crate) struct StorageService {
    answers: Arc<Answers>,
    guard: Guard,
    /// Permits for executing a call on the runtime thread that received it.
    inline_calls: Arc<Semaphore>,
}

impl StorageService {
    /// Creates a service for a runtime with more than `inline_calls` threads, of which so many may execute
    /// calls on a local storage.
    pub(crate) fn new(storage: Arc<dyn OptunaStorage>, guard: Guard, inline_calls: usize) -> Self {
        let inline_calls = if storage.is_remote() { 0 } else { inline_calls };
        Self {
            answers: Arc::new(Answers::new(storage)),
            guard,
            inline_calls: Arc::new(Semaphore::new(inline_calls)),
        }
    }

    async fn handle(self, request: http::Request<Body>) -> Result<Pieces, Status> {
        self.guard.check(request.headers())?;
        if request.extensions().get::<Admission>().is_some_and(|admission| !admission.admit()) {
            return Err(Status::resource_exhausted("too many connections are open"));
        }
        let verb = request.uri().path().strip_prefix(SERVICE).and_then(verb).ok_or_else(unknown_call)?;
        let message = call::receive(request.into_body()).await?;
        // Moving a call to another thread and back takes longer than most calls. Calls that may wait, for a
        // lock held by another program or for many trials, leave some threads free to receive requests.
        if let Ok(_place) = self.inline_calls.try_acquire() {
            return verb(&self.answers, message);
        }
        let done = tokio::task::spawn_blocking(move || verb(&self.answers, message)).await;
        done.unwrap_or_else(|_| Err(Status::internal("the call failed")))
    }
}

impl tower_service::Service<http::Request<Body>> for StorageService {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let service = self.clone();
        Box::pin(async move { Ok(call::answer(service.handle(request).await)) })
    }
}

/// Function that executes a call on the message of a request.
type Verb = fn(&Answers, Bytes) -> Result<Pieces, Status>;

fn verb(name: &str) -> Option<Verb> {
    use AttributeKind::{System, User};
    Some(match name {
        "CreateNewStudy" => {
            |Answers { storage, .. }, bytes| run(bytes, |m| create_study(storage.as_ref(), m))
        }
        "DeleteStudy" => {
            |Answers { storage, .. }, bytes| run(bytes, |m: Id| done(storage.delete_study(StudyId(m.id))))
        }
        "SetStudyUserAttribute" => {
            |Answers { storage, .. }, bytes| run(bytes, |m| set_study_attribute(storage.as_ref(), User, &m))
        }
        "SetStudySystemAttribute" => {
            |Answers { storage, .. }, bytes| run(bytes, |m| set_study_attribute(storage.as_ref(), System, &m))
        }
        "GetStudyIdFromName" => |Answers { storage, .. }, bytes| {
            run(bytes, |m: Name| Ok(Id { id: storage.study_id(&m.name).map_err(|e| status(&e))?.0 }))
        },
        "GetStudyNameFromId" => |Answers { storage, .. }, bytes| {
            run(bytes, |m: Id| Ok(Name { name: storage.study_name(StudyId(m.id)).map_err(|e| status(&e))? }))
        },
        "GetStudyDirections" => {
            |Answers { storage, .. }, bytes| run(bytes, |m| study_directions(storage.as_ref(), m))
        }
        "GetStudyUserAttributes" => {
            |Answers { storage, .. }, bytes| run(bytes, |m| study_attributes(storage.as_ref(), User, m))
        }
        "GetStudySystemAttributes" => {
            |Answers { storage, .. }, bytes| run(bytes, |m| study_attributes(storage.as_ref(), System, m))
        }
        "GetAllStudies" => {
            |Answers { storage, .. }, bytes| run(bytes, |Nothing {}| studies(storage.as_ref()))
        }
        "CreateNewTrial" => {
            |Answers { storage, .. }, bytes| run(bytes, |m| create_trial(storage.as_ref(), m))
        }
        "SetTrialParameter" => {
            |Answers { storage, .. }, bytes| run(bytes, |m| set_param(storage.as_ref(), &m))
        }
        "GetTrialIdFromStudyIdTrialNumber" => {
            |Answers { storage, .. }, bytes| run(bytes, |m| trial_id(storage.as_ref(), m))
        }
        "SetTrialStateValues" => {
            |Answers { storage, .. }, bytes| run(bytes, |m| set_state(storage.as_ref(), &m))
        }
        "SetTrialIntermediateValue" => {
            |Answers { storage, .. }, bytes| run(bytes, |m| set_intermediate(storage.as_ref(), m))
        }
        "SetTrialUserAttribute" => {
            |Answers { storage, .. }, bytes| run(bytes, |m| set_trial_attribute(storage.as_ref(), User, &m))
        }
        "SetTrialSystemAttribute" => {
            |Answers { storage, .. }, bytes| run(bytes, |m| set_trial_attribute(storage.as_ref(), System, &m))
        }
        "GetTrial" => |Answers { storage, .. }, bytes| trial(storage.as_ref(), call::decode(bytes)?),
        "GetTrials" => |answers, bytes| trials(answers, &call::decode(bytes)?),
        _ => return None,
    })
}

/// Executes a call with a small reply.
fn run<M: Message + Default, R: Message>(
    bytes: Bytes,
    verb: impl FnOnce(M) -> Result<R, Status>,
) -> Result<Pieces, Status> {
    Ok(call::pieces(&verb(call::decode(bytes)?)?))
}

fn done(result: Result<(), StoreError>) -> Result<Nothing, Status> {
    result.map(|()| Nothing {}).map_err(|error| status(&error))
}

fn create_study(storage: &dyn OptunaStorage, message: NewStudy) -> Result<Id, Status> {
    let directions: Option<Vec<Direction>> = message.directions.into_iter().map(direction).collect();
    let directions = directions.ok_or_else(|| Status::invalid_argument("a direction is unknown"))?;
    let study = storage.create_study(&message.study_name, &directions).map_err(|error| status(&error))?;
    Ok(Id { id: study.0 })
}

fn direction(number: i32) -> Option<Direction> {
    match number {
        0 => Some(Direction::Minimize),
        1 => Some(Direction::Maximize),
        _ => None,
    }
}

fn direction_numbers(directions: &[Direction]) -> Vec<i32> {
    directions.iter().map(|direction| i32::from(*direction == Direction::Maximize)).collect()
}

fn set_study_attribute(
    storage: &dyn OptunaStorage,
    kind: AttributeKind,
    message: &Attribute,
) -> Result<Nothing, Status> {
    refuse_reserved(&message.key)?;
    done(storage.set_study_attribute(StudyId(message.id), kind, &message.key, &message.value))
}

/// Returns an error for attributes that define what a study runs. Otherwise any client could choose the
/// programs that workers start.
fn refuse_reserved(key: &str) -> Result<(), Status> {
    if optuna::is_reserved(key) {
        let key = key.escape_debug().take(80).collect::<String>();
        return Err(Status::invalid_argument(format!(
            "attribute `{key}` is reserved by Allometry; clients can read it but not write it"
        )));
    }
    Ok(())
}

fn study_directions(storage: &dyn OptunaStorage, message: Id) -> Result<Directions, Status> {
    let directions = storage.study_directions(StudyId(message.id)).map_err(|error| status(&error))?;
    Ok(Directions { directions: direction_numbers(&directions) })
}

fn study_attributes(
    storage: &dyn OptunaStorage,
    kind: AttributeKind,
    message: Id,
) -> Result<Attributes, Status> {
    let attributes = storage.study_attributes(StudyId(message.id), kind).map_err(|error| status(&error))?;
    Ok(Attributes { attributes: attributes.into_iter().collect() })
}

fn studies(storage: &dyn OptunaStorage) -> Result<Studies, Status> {
    let studies = storage.studies().map_err(|error| status(&error))?;
    let studies = studies.into_iter().map(|study| Study {
        study_id: study.id.0,
        study_name: study.name,
        directions: direction_numbers(&study.directions),
        user_attributes: study.user_attributes.into_iter().collect(),
        system_attributes: study.system_attributes.into_iter().collect(),
    });
    Ok(Studies { studies: studies.collect() })
}

fn create_trial(storage: &dyn OptunaStorage, message: NewTrial) -> Result<Id, Status> {
    let template = match message.template_trial {
        _ if message.template_trial_is_none => None,
        trial => Some(template(trial.unwrap_or_default())?),
    };
    let trial = storage.create_trial(StudyId(message.study_id), template.as_ref());
    Ok(Id { id: trial.map_err(|error| status(&error))?.0 })
}

fn template(trial: Trial) -> Result<TrialTemplate, Status> {
    let zone = TimeZone::system();
    let time = |text: &str| -> Result<Option<Timestamp>, Status> {
        if text.is_empty() {
            return Ok(None);
        }
        let time = time::parse(text, &zone);
        time.map(Some)
            .ok_or_else(|| Status::invalid_argument("a time is not written as YYYY-MM-DD HH:MM:SS.ffffff"))
    };
    trial
        .user_attributes
        .keys()
        .chain(trial.system_attributes.keys())
        .try_for_each(|key| refuse_reserved(key))?;
    let Trial { params, mut distributions, .. } = trial;
    let mut placed = Vec::with_capacity(params.len());
    for (name, internal) in params {
        let distribution = distributions.remove(&name);
        let distribution =
            distribution.ok_or_else(|| Status::invalid_argument("a parameter has no distribution"))?;
        placed.push((name, internal, distribution));
    }
    placed.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(TrialTemplate {
        state: encode::state(trial.state).ok_or_else(unknown_state)?,
        values: trial.values,
        started: time(&trial.datetime_start)?,
        completed: time(&trial.datetime_complete)?,
        params: placed,
        user_attributes: trial.user_attributes.into_iter().collect(),
        system_attributes: trial.system_attributes.into_iter().collect(),
        intermediate: trial.intermediate_values.into_iter().collect(),
    })
}

fn unknown_state() -> Status {
    Status::invalid_argument("the state is unknown")
}

fn set_param(storage: &dyn OptunaStorage, message: &Parameter) -> Result<Nothing, Status> {
    done(storage.set_param(
        TrialId(message.trial_id),
        &message.param_name,
        message.param_value_internal,
        &message.distribution,
    ))
}

fn trial_id(storage: &dyn OptunaStorage, message: TrialNumber) -> Result<Id, Status> {
    let trial = storage.trial_id(StudyId(message.study_id), message.trial_number);
    Ok(Id { id: trial.map_err(|error| status(&error))?.0 })
}

fn set_state(storage: &dyn OptunaStorage, message: &StateValues) -> Result<Updated, Status> {
    let state = encode::state(message.state).ok_or_else(unknown_state)?;
    let trial = TrialId(message.trial_id);
    let updated = storage.set_state(trial, state, &message.values);
    let has_result = matches!(state, TrialState::Complete | TrialState::Pruned);
    if let (Err(StoreError::NotRunning { state: TrialState::Failed, .. }), true) = (&updated, has_result) {
        let late = LateResult {
            at: Timestamp::now(),
            teller: None,
            state,
            values: message.values.clone(),
            step: None,
        };
        // The client gets an error even if the late result cannot be recorded.
        let _ = storage.record_late(trial, &late);
    }
    Ok(Updated { trial_updated: updated.map_err(|error| status(&error))? })
}

fn set_intermediate(storage: &dyn OptunaStorage, message: IntermediateValue) -> Result<Nothing, Status> {
    done(storage.set_intermediate(TrialId(message.trial_id), message.step, message.intermediate_value))
}

fn set_trial_attribute(
    storage: &dyn OptunaStorage,
    kind: AttributeKind,
    message: &Attribute,
) -> Result<Nothing, Status> {
    refuse_reserved(&message.key)?;
    done(storage.set_trial_attribute(TrialId(message.id), kind, &message.key, &message.value))
}

fn trial(storage: &dyn OptunaStorage, message: Id) -> Result<Pieces, Status> {
    let mut encoder = TrialEncoder::new();
    storage.trial(TrialId(message.id), &mut encoder).map_err(|error| status(&error))?;
    Ok(encoder.finish())
}

fn trials(Answers { storage, ended }: &Answers, message: &TrialsWanted) -> Result<Pieces, Status> {
    if message.trial_id_greater_than < 0 {
        return ended.all(storage.as_ref(), StudyId(message.study_id)).map_err(|error| status(&error));
    }
    let included: Vec<TrialId> = message.included_trial_ids.iter().copied().map(TrialId).collect();
    let (study, after) = (StudyId(message.study_id), TrialId(message.trial_id_greater_than));
    let mut encoder = TrialEncoder::new();
    storage.trials(study, after, &included, &mut encoder).map_err(|error| status(&error))?;
    Ok(encoder.finish())
}
