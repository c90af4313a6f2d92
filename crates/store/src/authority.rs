//! By what right a command is given: looked for in the state that it is decided on.

use posko_domain::{
    account,
    code::{Code, Refusal},
    event::Area,
};
use posko_proto::{Id, NodeId};
use rusqlite::Connection;

use crate::{
    StoreError,
    command::{Actor, Authority, Request},
    fold::{self, Stored},
    view::Tables,
};

/// Returns who gives the command, in which role, or why it may not be given.
pub(crate) fn actor(
    connection: &Connection,
    own: NodeId,
    origins: impl FnOnce() -> Vec<NodeId>,
    request: &Request,
    state: Option<&Stored>,
) -> Result<Result<Actor, Refusal>, StoreError> {
    let (id, rights, action) = match &request.authority {
        Authority::Actor(actor) => return Ok(Ok(actor.clone())),
        Authority::Account { id, state, action } => (*id, state, *action),
    };
    let Some(stored) = state else {
        return not_here(connection, own, origins(), request.stream).map(Err);
    };
    let target = match stored.area() {
        Some(Area::Incident) => fold::incident(state)?.map(|incident| incident.place.region_code),
        Some(Area::Site) => fold::site(state)?
            .and_then(|site| site.opened.place)
            .map(|place| place.region_code),
        _ => None,
    };
    Ok(
        account::authorize(rights, action, target.as_deref(), request.now)
            .map(|held| Actor {
                account: id,
                role: held.role,
                scope: held.scope,
                delegation: held.delegation,
            })
            .map_err(Refusal::from),
    )
}

/// Says whose the thing is, or that nobody's is known.
fn not_here(
    connection: &Connection,
    own: NodeId,
    origins: Vec<NodeId>,
    stream: Id,
) -> Result<Refusal, StoreError> {
    for origin in origins.into_iter().filter(|origin| *origin != own) {
        let stored = fold::state(connection, Tables::LIVE, origin, stream)?;
        let Some(stored) = stored else { continue };
        let number = match stored.area() {
            Some(Area::Incident) => fold::incident(Some(&stored))?.map(|incident| incident.number),
            _ => None,
        };
        let name = number.unwrap_or_else(|| stream.to_string());
        return Ok(Refusal {
            code: Code::Conflict,
            message: format!("`{name}` belongs to node `{origin}`: only its owner changes it"),
        });
    }
    Ok(Refusal {
        code: Code::NotFound,
        message: format!("`{stream}` is not known here"),
    })
}
