//! What follows from a command about a log.

use std::collections::BTreeSet;

use posko_proto::{
    Id, NodeId,
    log::v1::{Disowned, PayloadLost, PayloadWithdrawn},
};

use crate::{
    context::Context,
    event::LogEvent,
    log::{LogCommand, LogRejection, Statement},
};

/// What the own log holds of an event that a command is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The event.
    pub event: Id,
    /// The number of the epoch in which its entry stands.
    pub epoch_no: u64,
    /// The random part of that epoch.
    pub epoch_nonce: [u8; 16],
    /// The entry's number in it.
    pub seq: u64,
    /// Whether the log leaves the entry out, and it was not recorded again.
    pub left_out: bool,
    /// Whether its kind may be withdrawn.
    pub withdrawable: bool,
    /// Whether its payload is here.
    pub payload: HeldPayload,
    /// The commitment to its payload.
    pub payload_commit: [u8; 32],
}

/// Whether a payload of the own log is here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeldPayload {
    /// It is.
    Here,
    /// It is not, though some node may have it.
    Missing {
        /// The accepted peers that were not asked for it in this run.
        not_asked: Vec<NodeId>,
    },
    /// It was declared lost, or withdrawn.
    Gone,
}

/// Decides on a command: the events that follow from it, or why there are none. `held` tells of the events that it is
/// about, as far as the log has them.
pub fn decide(
    state: Option<&Statement>,
    command: &LogCommand,
    held: &[Held],
    context: &Context,
) -> Result<Vec<LogEvent>, LogRejection> {
    if context.exercise {
        return Err(LogRejection::Exercise);
    }
    if state.is_some() {
        return Err(LogRejection::AlreadySaid);
    }
    let find = |event: Id| {
        let found = held.iter().find(|held| held.event == event);
        found.ok_or(LogRejection::NotFound { event })
    };
    let bytes =
        |events: &BTreeSet<Id>| -> Vec<Vec<u8>> { events.iter().map(|id| id.to_vec()).collect() };
    let said = match command {
        LogCommand::Disown { events, reason } => {
            for event in events {
                if !find(*event)?.left_out {
                    return Err(LogRejection::NotLeftOut { event: *event });
                }
            }
            LogEvent::Disowned(Disowned {
                event_ids: bytes(events),
                reason: reason.clone(),
            })
        }
        LogCommand::DeclareLost { events, reason } => {
            let mut lost = BTreeSet::new();
            let entries = |event| held.iter().filter(move |held| held.event == event);
            for event in events {
                find(*event)?;
            }
            for (event, held) in events
                .iter()
                .flat_map(|event| entries(*event).map(move |held| (event, held)))
            {
                match &held.payload {
                    HeldPayload::Missing { not_asked } if not_asked.is_empty() => {
                        lost.insert((*event, held.payload_commit));
                    }
                    HeldPayload::Missing { not_asked } => {
                        return Err(LogRejection::NotAsked {
                            event: *event,
                            peers: not_asked.clone(),
                        });
                    }
                    HeldPayload::Here | HeldPayload::Gone => {
                        return Err(LogRejection::NotMissing { event: *event });
                    }
                }
            }
            LogEvent::PayloadLost(PayloadLost {
                event_ids: lost.iter().map(|(event, _)| event.to_vec()).collect(),
                reason: reason.clone(),
                payload_commits: lost.iter().map(|(_, commit)| commit.to_vec()).collect(),
            })
        }
        LogCommand::Withdraw {
            event,
            reason,
            legal_basis,
            ..
        } => {
            let held = find(*event)?;
            if !held.withdrawable {
                return Err(LogRejection::NotWithdrawable { event: *event });
            }
            if held.payload == HeldPayload::Gone {
                return Err(LogRejection::GoneAlready { event: *event });
            }
            LogEvent::PayloadWithdrawn(PayloadWithdrawn {
                event_id: event.to_vec(),
                epoch_no: held.epoch_no,
                epoch_nonce: held.epoch_nonce.to_vec(),
                seq: held.seq,
                reason: reason.clone(),
                legal_basis: legal_basis.clone(),
            })
        }
    };
    Ok(vec![said])
}
