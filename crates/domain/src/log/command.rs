//! What an owner may be asked to say about its log, read from the wire at the door.

use std::collections::BTreeSet;

use posko_proto::{
    Id,
    log::v1::{DeclareLostRequest, DisownRequest, WithdrawPayloadRequest},
};

use crate::log::LogRejection;

const EVENTS: usize = 1_000;
const REASON_CHARACTERS: usize = 500;
const LEGAL_BASIS_CHARACTERS: usize = 200;

/// What an owner may be asked to say about its log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogCommand {
    /// Left-out entries are not to be recorded again.
    Disown {
        /// Their events.
        events: BTreeSet<Id>,
        /// Why.
        reason: String,
    },
    /// No node has these payloads any more.
    DeclareLost {
        /// The events of the entries.
        events: BTreeSet<Id>,
        /// What is known of the loss.
        reason: String,
    },
    /// A payload is to be deleted everywhere.
    Withdraw {
        /// The thing that the event is about.
        stream: Id,
        /// The event.
        event: Id,
        /// Why.
        reason: String,
        /// By which law or decision.
        legal_basis: String,
    },
}

impl LogCommand {
    /// Says whether the command promises or gives up what there is only one of: none does, each speaks of entries that
    /// are there or gone already.
    pub fn is_scarce(&self) -> bool {
        match self {
            Self::Disown { .. } | Self::DeclareLost { .. } | Self::Withdraw { .. } => false,
        }
    }

    /// Returns the texts that a person wrote.
    pub fn texts(&self) -> Vec<&str> {
        match self {
            Self::Disown { reason, .. } | Self::DeclareLost { reason, .. } => vec![reason],
            Self::Withdraw {
                reason,
                legal_basis,
                ..
            } => vec![reason, legal_basis],
        }
    }

    /// Returns the events that it is about.
    pub fn events(&self) -> BTreeSet<Id> {
        match self {
            Self::Disown { events, .. } | Self::DeclareLost { events, .. } => events.clone(),
            Self::Withdraw { event, .. } => BTreeSet::from([*event]),
        }
    }
}

impl TryFrom<&DisownRequest> for LogCommand {
    type Error = LogRejection;

    fn try_from(request: &DisownRequest) -> Result<Self, LogRejection> {
        Ok(Self::Disown {
            events: events(&request.event_ids)?,
            reason: text("reason", &request.reason, REASON_CHARACTERS)?,
        })
    }
}

impl TryFrom<&DeclareLostRequest> for LogCommand {
    type Error = LogRejection;

    fn try_from(request: &DeclareLostRequest) -> Result<Self, LogRejection> {
        Ok(Self::DeclareLost {
            events: events(&request.event_ids)?,
            reason: text("reason", &request.reason, REASON_CHARACTERS)?,
        })
    }
}

impl TryFrom<&WithdrawPayloadRequest> for LogCommand {
    type Error = LogRejection;

    fn try_from(request: &WithdrawPayloadRequest) -> Result<Self, LogRejection> {
        Ok(Self::Withdraw {
            stream: id("stream_id", &request.stream_id)?,
            event: id("event_id", &request.event_id)?,
            reason: text("reason", &request.reason, REASON_CHARACTERS)?,
            legal_basis: text("legal_basis", &request.legal_basis, LEGAL_BASIS_CHARACTERS)?,
        })
    }
}

fn events(ids: &[Vec<u8>]) -> Result<BTreeSet<Id>, LogRejection> {
    if ids.is_empty() || ids.len() > EVENTS {
        return Err(LogRejection::invalid(
            "event_ids",
            ids.len(),
            "1 to 1,000 events",
        ));
    }
    ids.iter().map(|bytes| id("event_ids", bytes)).collect()
}

fn id(field: &'static str, bytes: &[u8]) -> Result<Id, LogRejection> {
    let expected = "an id of 16 bytes";
    Id::try_from(bytes).map_err(|error| LogRejection::invalid(field, error, expected))
}

fn text(field: &'static str, text: &str, limit: usize) -> Result<String, LogRejection> {
    let text = text.trim();
    let characters = text.chars().count();
    if text.is_empty() {
        return Err(LogRejection::invalid(field, "", "it must not be empty"));
    }
    if characters > limit {
        return Err(LogRejection::TooLong {
            field,
            characters,
            limit,
        });
    }
    Ok(text.to_owned())
}
