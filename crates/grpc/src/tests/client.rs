//! Server for a test, and a client for it.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use allometry_store::optuna::{self, OptunaStorage};
use allometry_testkit::Cluster;
use prost::Message;
use tokio::net::TcpListener;
use tonic::metadata::MetadataValue;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;

use crate::guard::Guard;
use crate::listen::accept;
use crate::message::{Id, NewStudy, NewTrial, Nothing, Parameter, StateValues, Trial, TrialsWanted, Updated};
use crate::service::{SERVICE, StorageService};

pub(super) const FLOAT: &str =
    r#"{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0, "high": 1.0, "log": false}}"#;
pub(super) const LOG: &str =
    r#"{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.1, "high": 1.0, "log": true}}"#;

/// Reply of `GetTrial` and `GetTrials`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Trials {
    #[prost(message, repeated, tag = "1")]
    pub(super) trials: Vec<Trial>,
}

/// Runs a test against a server over each kind of storage.
pub(super) fn over_each_storage<F: Future<Output = ()>>(test: impl Fn(Client) -> F) {
    let folder = tempfile::tempdir().unwrap();
    let file = format!("sqlite:///{}", folder.path().join("x.db").display());
    let database = Cluster::shared("a storage of PostgreSQL").map(Cluster::database);
    for url in ["sqlite:///:memory:", &file].into_iter().chain(database.as_deref()) {
        over(url, None, &test);
    }
}

/// Runs a test against a server over the storage with that URL.
pub(super) fn over<F: Future<Output = ()>>(url: &str, token: Option<&str>, test: impl Fn(Client) -> F) {
    // Outlives the runtime, whose threads cannot close its connections.
    let storage: Arc<dyn OptunaStorage> = optuna::open(url).unwrap().into();
    runtime().block_on(async { test(serve(Arc::clone(&storage), token).await).await });
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Starts a server that ends with the runtime, and connects to it.
async fn serve(storage: Arc<dyn OptunaStorage>, token: Option<&str>) -> Client {
    let is_postgres = storage.is_remote();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    // One call at a time executes on the thread that received it, the others on other threads.
    let service = StorageService::new(storage, Guard::new(token.map(Into::into)), 1);
    tokio::spawn(accept(listener, service, None));
    let channel = connect(address).await;
    Client { channel, address, token: None, is_postgres }
}

async fn connect(address: SocketAddr) -> Channel {
    Channel::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap()
}

#[derive(Clone)]
pub(super) struct Client {
    channel: Channel,
    pub(super) address: SocketAddr,
    pub(super) token: Option<&'static str>,
    /// Whether the storage is PostgreSQL, which stores no NUL in texts and 32 bits of a step.
    pub(super) is_postgres: bool,
}

impl Client {
    /// Returns a client with that token on this connection.
    pub(super) fn with_token(&self, token: &'static str) -> Self {
        Self { token: Some(token), ..self.clone() }
    }

    /// Returns a client with a new connection.
    pub(super) async fn again(&self) -> Self {
        Self { channel: connect(self.address).await, ..self.clone() }
    }

    pub(super) async fn call<Q, R>(&self, verb: &str, message: Q) -> Result<R, Status>
    where
        Q: Message + 'static,
        R: Message + Default + 'static,
    {
        let mut client = tonic::client::Grpc::new(self.channel.clone())
            .max_decoding_message_size(usize::MAX)
            .max_encoding_message_size(usize::MAX);
        client.ready().await.unwrap();
        let mut request = Request::new(message);
        if let Some(token) = self.token {
            let shown = MetadataValue::try_from(format!("Bearer {token}")).unwrap();
            request.metadata_mut().insert("authorization", shown);
        }
        let path = format!("{SERVICE}{verb}").parse().unwrap();
        client.unary(request, path, ProstCodec::default()).await.map(tonic::Response::into_inner)
    }

    pub(super) async fn code<Q: Message + 'static>(&self, verb: &str, message: Q) -> Code {
        match self.call::<Q, Nothing>(verb, message).await {
            Ok(Nothing {}) => Code::Ok,
            Err(status) => status.code(),
        }
    }

    pub(super) async fn new_study(&self, name: &str) -> i64 {
        let study = NewStudy { directions: vec![0], study_name: name.into() };
        self.call::<_, Id>("CreateNewStudy", study).await.unwrap().id
    }

    pub(super) async fn new_trial(&self, study_id: i64, template_trial: Option<Trial>) -> i64 {
        let template_trial_is_none = template_trial.is_none();
        let trial = NewTrial { study_id, template_trial, template_trial_is_none };
        self.call::<_, Id>("CreateNewTrial", trial).await.unwrap().id
    }

    pub(super) async fn set_state(&self, trial_id: i64, state: i32, values: &[f64]) -> Result<bool, Status> {
        let message = StateValues { trial_id, state, values: values.into() };
        self.call("SetTrialStateValues", message).await.map(|Updated { trial_updated }| trial_updated)
    }

    pub(super) async fn trial(&self, id: i64) -> Trial {
        let mut reply: Trials = self.call("GetTrial", Id { id }).await.unwrap();
        assert_eq!(reply.trials.len(), 1);
        reply.trials.remove(0)
    }

    pub(super) async fn trials(&self, study_id: i64, after: i64, included: &[i64]) -> Vec<Trial> {
        let included_trial_ids = included.into();
        let wanted = TrialsWanted { study_id, included_trial_ids, trial_id_greater_than: after };
        self.call::<_, Trials>("GetTrials", wanted).await.unwrap().trials
    }
}

pub(super) fn param(trial_id: i64, name: &str, param_value_internal: f64, distribution: &str) -> Parameter {
    Parameter { trial_id, param_name: name.into(), param_value_internal, distribution: distribution.into() }
}
