//! Commands as the writer takes them, and their answers.

use posko_domain::{
    account::{AccountCommand, AccountState, Action},
    code::{Code, Refusal},
    directive::DirectiveCommand,
    event::Area,
    incident::IncidentCommand,
    log::LogCommand,
    site::SiteCommand,
    warning::{WarningCommand, draft::DraftCommand, feed::FeedCommand},
};
use posko_ledger::{Hash, MAX_PAYLOAD_BYTES, epoch::Position};
use posko_proto::{Id, common::v1::Role, time::Millis};
use rusqlite::{Connection, OptionalExtension, named_params};
use serde::{Deserialize, Serialize};

use crate::{StoreError, aggregate::Areas};

/// A command of any area, parsed at the door.
#[derive(Debug, Clone)]
#[allow(
    clippy::large_enum_variant,
    reason = "one stands in the queue for a moment, boxed with its request"
)]
pub enum Command {
    /// About a warning.
    Warning(WarningCommand),
    /// About an incident.
    Incident(IncidentCommand),
    /// About an account.
    Account(AccountCommand),
    /// About a directive.
    Directive(DirectiveCommand),
    /// About the own log.
    Log(LogCommand),
    /// About a site.
    Site(SiteCommand),
    /// About a draft of an own warning.
    Draft(DraftCommand),
    /// About a feed.
    Feed(FeedCommand),
    /// Of an area beside the fixed ones.
    Aggregate {
        /// The area's number.
        area: u8,
        /// The command, as that area writes it.
        body: Vec<u8>,
    },
}

impl Command {
    /// Returns the fixed area that it is of.
    pub(crate) fn area(&self) -> Option<Area> {
        match self {
            Self::Warning(_) => Some(Area::Warning),
            Self::Incident(_) => Some(Area::Incident),
            Self::Account(_) => Some(Area::Account),
            Self::Directive(_) => Some(Area::Directive),
            Self::Log(_) => Some(Area::Log),
            Self::Site(_) => Some(Area::Site),
            Self::Draft(_) => Some(Area::Draft),
            Self::Feed(_) => Some(Area::Feed),
            Self::Aggregate { .. } => None,
        }
    }

    /// Returns the texts that a person wrote for it. A site's name is looked at by its rules, and of a draft the node's
    /// templates write a part.
    pub fn texts(&self) -> Vec<&str> {
        match self {
            Self::Warning(command) => command.texts(),
            Self::Incident(command) => command.texts(),
            Self::Account(command) => command.texts(),
            Self::Directive(command) => command.texts(),
            Self::Log(command) => command.texts(),
            Self::Site(_) | Self::Draft(_) | Self::Feed(_) | Self::Aggregate { .. } => Vec::new(),
        }
    }

    /// Says whether it promises or gives up what there is only one of. Such a command waits while the start is
    /// unproven; any other only adds, and runs at once.
    pub(crate) fn is_scarce(&self, areas: &Areas) -> bool {
        match self {
            Self::Warning(command) => command.is_scarce(),
            Self::Incident(command) => command.is_scarce(),
            Self::Account(command) => command.is_scarce(),
            Self::Directive(command) => command.is_scarce(),
            Self::Log(command) => command.is_scarce(),
            Self::Site(command) => command.is_scarce(),
            // What is drafted or approved only adds, and how a feed is promises nothing.
            Self::Draft(_) | Self::Feed(_) => false,
            Self::Aggregate { area, body } => {
                (areas.get(*area)).is_some_and(|area| area.is_scarce(body))
            }
        }
    }
}

/// Who gives a command, in which role.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Actor {
    /// The account.
    pub account: Id,
    /// The role.
    pub role: Role,
    /// The area in which that role is held.
    pub scope: String,
    /// On whose behalf.
    pub delegation: Option<Id>,
}

/// By what right a command is given.
#[derive(Debug, Clone)]
pub enum Authority {
    /// A role that was looked for already, since it does not depend on where the thing is.
    Actor(Actor),
    /// The rights of an account: the role is looked for when the command is decided, where the thing is then.
    Account {
        /// The account.
        id: Id,
        /// Its rights.
        state: AccountState,
        /// What it does.
        action: Action,
    },
}

impl From<Actor> for Authority {
    fn from(actor: Actor) -> Self {
        Self::Actor(actor)
    }
}

/// A login name and a password hash, which stand beside the log and never in it.
#[derive(Clone)]
pub struct Credential {
    /// The login name; none leaves it.
    pub login: Option<String>,
    /// The argon2id hash in PHC form.
    pub password_hash: String,
}

/// A command with all that its decision may know.
pub struct Request {
    /// The client-made id.
    pub command_id: Id,
    /// What binds the id to this very command: a SHA-256 over the request as it came.
    pub digest: Hash,
    /// By what right.
    pub authority: Authority,
    /// The thing.
    pub stream: Id,
    /// The version of it that the person saw; 0 leaves it unchecked.
    pub expected_version: u32,
    /// The node's time.
    pub now: Millis,
    /// When the fact happened.
    pub occurred_at: Millis,
    /// A drill.
    pub exercise: bool,
    /// The event that caused an automatic command.
    pub cause: Option<Id>,
    /// Secret random bytes, from which the payloads' salts are derived.
    pub seed: [u8; 32],
    /// What an account's command sets beside the log.
    pub credential: Option<Credential>,
    /// What is asked.
    pub command: Command,
}

/// The answer to a command that was accepted and is durable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// The thing.
    pub stream: Id,
    /// Its version now.
    pub version: u32,
    /// The events; none when there was nothing to change.
    pub event_ids: Vec<Id>,
    /// The number that was given, for a report.
    pub number: Option<String>,
    /// Where the last event stands.
    #[serde(with = "position")]
    pub position: Position,
}

/// The answer to a command.
pub type Answer = Result<Accepted, Refusal>;

/// Returns the refusal of a command that finds too many waiting.
pub(crate) fn busy() -> Refusal {
    Refusal {
        code: Code::Unavailable,
        message: format!(
            "the node is busy: {} commands wait already",
            crate::MAX_WAITING_COMMANDS
        ),
    }
}

/// Returns the refusal of a command that the file could not take.
pub(crate) fn unavailable(reason: &str) -> Refusal {
    Refusal {
        code: Code::Unavailable,
        message: format!("the node could not record it: {reason}"),
    }
}

/// Returns what a command was answered, and what its id is bound to; none when it was not answered yet.
pub(crate) fn seen(
    connection: &Connection,
    command: Id,
) -> Result<Option<([u8; 32], Answer)>, StoreError> {
    let row: Option<([u8; 32], Vec<u8>)> = connection
        .prepare_cached("SELECT digest, outcome FROM command_seen WHERE command = :command")?
        .query_row(named_params! { ":command": command.as_bytes() }, |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    row.map(|(digest, outcome)| {
        let outcome = postcard::from_bytes(&outcome).map_err(|_| StoreError::Corrupt {
            what: "a command's outcome",
        })?;
        Ok((digest, outcome))
    })
    .transpose()
}

/// Remembers a command's answer, refusals too.
pub(crate) fn remember(
    connection: &Connection,
    request: &Request,
    answer: &Answer,
) -> Result<(), StoreError> {
    let outcome = postcard::to_stdvec(answer).map_err(|_| StoreError::Corrupt {
        what: "a command's outcome",
    })?;
    connection
        .prepare_cached(
            "INSERT INTO command_seen(command, digest, outcome, at_ms) VALUES (:command, :digest, :outcome, :at)",
        )?
        .execute(named_params! {
            ":command": request.command_id.as_bytes(),
            ":digest": request.digest.as_slice(),
            ":outcome": outcome,
            ":at": request.now.0,
        })?;
    Ok(())
}

/// The digest of a command whose text was withdrawn: the id alone is compared, since a digest would let a short text be
/// guessed.
pub(crate) const FORGOTTEN: Hash = [0; 32];

/// Forgets the digest of a command, and keeps its answer.
pub(crate) fn forget_digest(connection: &Connection, command: Id) -> Result<(), StoreError> {
    connection
        .prepare_cached("UPDATE command_seen SET digest = :forgotten WHERE command = :command")?
        .execute(named_params! {
            ":forgotten": FORGOTTEN.as_slice(),
            ":command": command.as_bytes(),
        })?;
    Ok(())
}

/// Returns the refusal of an id that another command had.
pub(crate) fn other_command(command: Id) -> Refusal {
    Refusal {
        code: Code::Conflict,
        message: format!("command id `{command}` was already used for another command"),
    }
}

/// Returns the refusal of an event that is too large.
pub(crate) fn too_large(bytes: usize) -> Refusal {
    Refusal {
        code: Code::Invalid,
        message: format!("the event has {bytes} bytes; at most {MAX_PAYLOAD_BYTES} are recorded"),
    }
}

mod position {
    use posko_ledger::epoch::{Epoch, Position};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    type Parts = (u64, [u8; 16], u64, [u8; 32]);

    pub(super) fn serialize<S: Serializer>(
        at: &Position,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        (at.epoch.no, at.epoch.nonce, at.seq, at.hash).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Position, D::Error> {
        let (no, nonce, seq, hash) = Parts::deserialize(deserializer)?;
        Ok(Position {
            epoch: Epoch { no, nonce },
            seq,
            hash,
        })
    }
}
