//! What a node offers its own people and programs: gRPC, with a token on every call.
//!
//! Each handler authorizes, parses at the door, and hands a command to the store or asks it a question. What it never
//! does: decide anything itself, or send the cause of an internal error.

mod account;
mod auth;
mod blob;
mod command;
mod directive;
mod draft;
mod feed;
mod import;
mod ims;
mod inbox;
mod incident;
mod log;
mod node;
mod site;
mod warning;

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use arc_swap::ArcSwap;
use posko_domain::{
    code::{Code, Refusal},
    privacy,
};
use posko_ledger::epoch::Position;
use posko_proto::{
    DESCRIPTOR, Id, NodeId,
    account::v1::account_service_server::AccountServiceServer,
    blob::v1::blob_service_server::BlobServiceServer,
    common::v1::{self as common, CommandMeta, LinkState, Provenance},
    directive::v1::directive_service_server::DirectiveServiceServer,
    federation::v1::node_service_server::NodeServiceServer,
    id::hex,
    ims::v1::change_feed_service_server::ChangeFeedServiceServer,
    incident::v1::incident_service_server::IncidentServiceServer,
    log::v1::log_service_server::LogServiceServer,
    site::v1::site_service_server::SiteServiceServer,
    time::Millis,
    warning::v1::warning_service_server::WarningServiceServer,
};
use posko_store::{
    Accepted, Authority, Command, LogState, Request, Store, StoreError, command::Credential,
    view::Found,
};
use prost::Message;
use sha2::{Digest, Sha256};
use tokio::sync::{Semaphore, oneshot, watch};
use tonic::{Status, service::Routes};
use tracing::error;

use crate::{
    disk::Disk,
    identity::{NodeCard, Trust},
    intake::Feeds,
    peer::Peers,
    time::now,
};

/// How old the newest head of a log may be before its picture is called unknown.
pub(crate) const FRESH: Duration = Duration::from_secs(30);
const DEFAULT_PAGE: usize = 50;
const MAX_PAGE: u32 = 500;
pub(crate) use self::{
    auth::{Callers, Passwords, Throttle, same as same_hash, token_hash as auth_token_hash},
    blob::UPLOADS,
    draft::{OwnWarnings, own_warnings},
    warning::{held_in_force, held_referring, with_reach},
};

/// Returns a token of 32 random bytes.
pub(crate) fn random_token() -> anyhow::Result<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("draw a token: {error}"))?;
    Ok(hex(&bytes))
}

/// The largest message that a call may bring: a note or a list of grants is far smaller.
const MAX_CALL_BYTES: usize = 1024 * 1024;

/// The largest message that brings a document: the largest document, and what stands around it.
const MAX_DOCUMENT_CALL_BYTES: usize = posko_formats::MAX_DOCUMENT_BYTES + 64 * 1024;

/// What all services share.
pub(crate) struct Shared {
    pub(crate) store: Store,
    pub(crate) trust: Arc<ArcSwap<Trust>>,
    pub(crate) peers: Peers,
    pub(crate) feeds: Arc<RwLock<Option<Feeds>>>,
    pub(crate) own_warnings: OwnWarnings,
    pub(crate) card: Option<NodeCard>,
    /// The node's directory.
    pub(crate) dir: PathBuf,
    pub(crate) console: [u8; 32],
    pub(crate) started_at: Millis,
    /// Counts the commits that moved a log.
    pub(crate) moved: watch::Receiver<u64>,
    /// Why no commands are taken until the next start; empty while they are.
    pub(crate) not_writing: Arc<RwLock<String>>,
    /// The disk's free space, which may stop commands for a while.
    pub(crate) disk: watch::Receiver<Disk>,
    /// Held while the accepted cards change: what is stored and what is in use change as one.
    pub(crate) cards: Mutex<()>,
    pub(crate) logins: Throttle,
    pub(crate) callers: Callers,
    pub(crate) passwords: Passwords,
    /// The most bytes of a file that is put here.
    pub(crate) max_blob_bytes: u64,
    /// Files that are being put here hold a part each in memory.
    pub(crate) uploads: Semaphore,
    /// Held by the import that is under way: one at a time leaves the writer to what cannot wait.
    pub(crate) importing: Arc<Semaphore>,
}

/// A service, over what all share.
#[derive(Clone)]
pub(crate) struct Api(Arc<Shared>);

/// Returns all services.
pub(crate) fn routes(shared: Shared) -> anyhow::Result<Routes> {
    let api = Api(Arc::new(shared));
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(DESCRIPTOR)
        .build_v1()?;
    let (_, health) = tonic_health::server::health_reporter();
    Ok(Routes::new(health)
        .add_service(reflection)
        .add_service(
            IncidentServiceServer::new(api.clone()).max_decoding_message_size(MAX_CALL_BYTES),
        )
        .add_service(
            WarningServiceServer::new(api.clone())
                .max_decoding_message_size(MAX_DOCUMENT_CALL_BYTES),
        )
        .add_service(
            AccountServiceServer::new(api.clone()).max_decoding_message_size(MAX_CALL_BYTES),
        )
        .add_service(
            DirectiveServiceServer::new(api.clone()).max_decoding_message_size(MAX_CALL_BYTES),
        )
        .add_service(SiteServiceServer::new(api.clone()).max_decoding_message_size(MAX_CALL_BYTES))
        .add_service(BlobServiceServer::new(api.clone()).max_decoding_message_size(MAX_CALL_BYTES))
        .add_service(LogServiceServer::new(api.clone()).max_decoding_message_size(MAX_CALL_BYTES))
        .add_service(
            ChangeFeedServiceServer::new(api.clone()).max_decoding_message_size(MAX_CALL_BYTES),
        )
        .add_service(NodeServiceServer::new(api).max_decoding_message_size(MAX_CALL_BYTES)))
}

/// A command's frame, read at the door.
#[derive(Debug, Clone)]
pub(crate) struct Framed {
    pub(crate) command_id: Id,
    expected_version: u32,
    occurred_at: Option<Millis>,
    exercise: bool,
    text_as_is: bool,
}

impl Framed {
    pub(crate) fn parse(meta: Option<&CommandMeta>) -> Result<Self, Status> {
        let meta = meta.ok_or_else(|| {
            Status::invalid_argument("field `meta` is missing: a command carries its id")
        })?;
        let occurred_at = meta
            .occurred_at
            .as_ref()
            .map(|at| Millis::try_from(at).map_err(|error| invalid("meta.occurred_at", &error)))
            .transpose()?;
        Ok(Self {
            command_id: id("meta.command_id", &meta.command_id)?,
            expected_version: meta.expected_version,
            occurred_at,
            exercise: meta.exercise,
            text_as_is: meta.text_as_is,
        })
    }

    /// Refuses texts in which something looks like personal data, unless somebody has said that it is none.
    fn check_texts<'a>(&self, texts: impl IntoIterator<Item = &'a str>) -> Result<(), Status> {
        let question = (!self.text_as_is).then(|| privacy::question(texts));
        (question.flatten()).map_or(Ok(()), |question| Err(Status::invalid_argument(question)))
    }
}

/// A command on its way to the store.
pub(crate) struct Asked {
    pub(crate) framed: Framed,
    pub(crate) digest: [u8; 32],
    pub(crate) stream: Id,
    pub(crate) authority: Authority,
    pub(crate) command: Command,
    pub(crate) credential: Option<Credential>,
}

impl Api {
    /// Has the store execute a command, and waits until the answer is durable.
    pub(crate) async fn execute(&self, asked: Asked) -> Result<Accepted, Status> {
        if let Some(reason) = self.not_writing() {
            return Err(Status::unavailable(reason));
        }
        asked.framed.check_texts(asked.command.texts())?;
        let now = now();
        let request = Request {
            command_id: asked.framed.command_id,
            digest: asked.digest,
            authority: asked.authority,
            stream: asked.stream,
            expected_version: asked.framed.expected_version,
            now,
            occurred_at: asked.framed.occurred_at.unwrap_or(now),
            exercise: asked.framed.exercise,
            cause: None,
            seed: random()?,
            credential: asked.credential,
            command: asked.command,
        };
        execute(&self.0.store, request)
            .await
            .map_err(|refusal| refused(&refusal))
    }

    /// Says why no commands are taken: all reasons, the one that only a person mends first.
    fn not_writing(&self) -> Option<String> {
        let fenced = self.0.not_writing.read();
        let fenced = fenced.unwrap_or_else(PoisonError::into_inner).clone();
        let fenced = Some(fenced).filter(|why| !why.is_empty());
        let reasons = fenced.into_iter().chain(self.0.disk.borrow().no_commands());
        let reasons: Vec<String> = reasons.collect();
        (!reasons.is_empty()).then(|| reasons.join("; "))
    }

    /// Says whose a fact is and how far the picture of its owner can be trusted.
    fn provenance(&self, origin: NodeId, recorded_at: Option<Millis>) -> Provenance {
        let log = self.0.store.log(origin);
        Provenance {
            origin: origin.to_string(),
            recorded_at: recorded_at.map(Into::into),
            heard_at: log
                .as_ref()
                .and_then(|log| log.heard_ms)
                .map(|at| Millis(at).into()),
            link: self.link(origin, log.as_ref()).into(),
            disputed: log.is_some_and(|log| log.quarantine.is_some()),
        }
    }

    /// Says the same of a thing that is shown, which was last changed at a time.
    fn provenance_of<S>(&self, found: &Found<S>, recorded_at: Millis) -> Provenance {
        Provenance {
            disputed: found.disputed,
            ..self.provenance(found.origin, Some(recorded_at))
        }
    }

    fn link(&self, origin: NodeId, log: Option<&LogState>) -> LinkState {
        if origin == self.0.store.identity().origin {
            return LinkState::Own;
        }
        let heard = log.and_then(|log| log.heard_ms);
        let fresh = heard.is_some_and(|at| now().0.saturating_sub(at) <= FRESH.as_millis() as i64);
        match log {
            Some(log) if fresh && ahead(log) => LinkState::Behind,
            Some(_) if fresh => LinkState::Live,
            _ => LinkState::Unknown,
        }
    }

    /// Says how fresh the picture of every node is.
    fn origins(&self) -> Vec<Provenance> {
        let at = |log: &LogState| log.last_entry_ms.map(Millis);
        self.0
            .store
            .logs()
            .iter()
            .map(|log| self.provenance(log.origin, at(log)))
            .collect()
    }

    /// Reads whose log is meant, none for all. One that is not held here is refused: an empty list would read as if all
    /// were quiet there.
    fn optional_origin(&self, name: &str) -> Result<Option<NodeId>, Status> {
        let origin = optional_node("origin", name)?;
        match origin.filter(|origin| self.0.store.log(*origin).is_none()) {
            Some(unknown) => Err(Status::not_found(format!(
                "the log of `{unknown}` is not held here: no card of it was accepted"
            ))),
            None => Ok(origin),
        }
    }

    /// Runs a question on a thread that may wait for the disk.
    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Status> {
        let store = self.0.store.clone();
        let asked = tokio::task::spawn_blocking(move || question(&store)).await;
        asked
            .map_err(|error| internal(&error))?
            .map_err(|error| stored(&error))
    }
}

/// Executes a command and waits until its answer is durable.
pub(crate) async fn execute(store: &Store, request: Request) -> Result<Accepted, Refusal> {
    let (answer, answered) = oneshot::channel();
    store.execute(request, move |outcome| drop(answer.send(outcome)));
    answered.await.unwrap_or_else(|_| {
        Err(Refusal {
            code: Code::Unavailable,
            message: "the node stopped before it could answer".into(),
        })
    })
}

/// Says whether a newer head is known than is applied.
pub(crate) fn ahead(log: &LogState) -> bool {
    log.best.is_some_and(|best| best.head.position != log.end)
}

fn outcome(origin: NodeId, accepted: &Accepted) -> common::Outcome {
    common::Outcome {
        stream_id: accepted.stream.to_vec(),
        version: accepted.version,
        event_ids: accepted.event_ids.iter().map(|id| id.to_vec()).collect(),
        position: Some(position(origin, accepted.position)),
    }
}

pub(crate) fn position(origin: NodeId, at: Position) -> common::Position {
    common::Position {
        origin: origin.to_string(),
        epoch_no: at.epoch.no,
        epoch_nonce: at.epoch.nonce.to_vec(),
        seq: at.seq,
        hash: at.hash.to_vec(),
    }
}

/// Binds a command id to this very request.
fn digest(rpc: &str, request: &impl Message) -> [u8; 32] {
    Sha256::new()
        .chain_update(rpc)
        .chain_update([0])
        .chain_update(request.encode_to_vec())
        .finalize()
        .into()
}

fn id(field: &str, bytes: &[u8]) -> Result<Id, Status> {
    Id::try_from(bytes).map_err(|error| invalid(field, &error))
}

fn optional_node(field: &str, name: &str) -> Result<Option<NodeId>, Status> {
    if name.is_empty() {
        Ok(None)
    } else {
        name.parse()
            .map(Some)
            .map_err(|error| invalid(field, &error))
    }
}

fn page_size(field: u32) -> Result<usize, Status> {
    match field {
        0 => Ok(DEFAULT_PAGE),
        1..=MAX_PAGE => Ok(field as usize),
        _ => Err(Status::invalid_argument(format!(
            "field `page_size` is `{field}`: at most {MAX_PAGE} are given"
        ))),
    }
}

fn page_token(token: &str) -> Option<String> {
    (!token.is_empty()).then(|| token.to_owned())
}

fn invalid(field: &str, reason: &dyn std::fmt::Display) -> Status {
    Status::invalid_argument(format!("field `{field}`: {reason}"))
}

/// The one map from a refusal's code to a gRPC status.
pub(crate) fn refused(refusal: &Refusal) -> Status {
    let message = refusal.message.clone();
    match refusal.code {
        Code::Invalid => Status::invalid_argument(message),
        Code::NotFound => Status::not_found(message),
        Code::Conflict => Status::failed_precondition(message),
        Code::Forbidden => Status::permission_denied(message),
        Code::Unavailable => Status::unavailable(message),
        Code::Internal => internal(&message),
    }
}

fn stored(error: &StoreError) -> Status {
    match error {
        StoreError::NotFound(_) => Status::not_found(error.to_string()),
        StoreError::Rebuilding | StoreError::OtherRecoveryKey { .. } => {
            Status::failed_precondition(error.to_string())
        }
        StoreError::Deadline(_) | StoreError::Stopped | StoreError::Undone(_) => {
            Status::unavailable(error.to_string())
        }
        _ => internal(error),
    }
}

/// Logs the cause of an internal error, and returns a status without it.
fn internal(cause: &dyn std::fmt::Display) -> Status {
    error!(cause = %cause, "a call failed for a fault of the node");
    Status::internal("the node has a fault: its log has the cause")
}

fn random<const N: usize>() -> Result<[u8; N], Status> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| internal(&error))?;
    Ok(bytes)
}
