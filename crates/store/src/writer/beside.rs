//! What a command about an incident has to look at beside the incident, in the transaction that records it.

use posko_domain::{
    code::Refusal,
    incident::{
        IncidentCommand, IncidentRejection, IncidentState, Unfinished, no_cycle, opened_once,
    },
};
use posko_proto::NodeId;
use rusqlite::Connection;

use crate::{
    StoreError,
    command::Request,
    fold,
    view::{self, Tables},
};

/// Why a walk through other incidents ended.
enum End {
    Refused(IncidentRejection),
    Failed(StoreError),
}

impl From<IncidentRejection> for End {
    fn from(rejection: IncidentRejection) -> Self {
        Self::Refused(rejection)
    }
}

/// Returns why the command is refused that the rules of the incident alone allow.
pub(super) fn refusal(
    connection: &Connection,
    own: NodeId,
    request: &Request,
    command: &IncidentCommand,
    state: Option<&IncidentState>,
) -> Result<Option<Refusal>, StoreError> {
    let refused = match (command, state) {
        (
            IncidentCommand::Report {
                warning: Some(warning),
                place,
                ..
            },
            _,
        ) => {
            let opened = view::incident::opened_from(connection, own, warning.id)?;
            opened_once(warning, place, &opened).err()
        }
        (IncidentCommand::Close { confirmed: false }, Some(state)) => {
            let sites = view::site::open_names(connection, own, request.stream)?;
            Unfinished::of(state, sites, request.now).refuse().err()
        }
        (IncidentCommand::Change { change, .. }, _) => {
            let Some(parent) = change.parent() else {
                return Ok(None);
            };
            let walked = no_cycle((own, request.stream), parent, |(origin, id)| {
                fold::state(connection, Tables::LIVE, origin, id)
                    .and_then(|stored| fold::incident(stored.as_ref()))
                    .map_err(End::Failed)
            });
            match walked {
                Ok(()) => None,
                Err(End::Refused(rejection)) => Some(rejection),
                Err(End::Failed(error)) => return Err(error),
            }
        }
        _ => None,
    };
    Ok(refused.map(Refusal::from))
}
