//! By what right a command is given: looked for in the state that it is decided on.

use posko_domain::{
    account::{self, Action},
    code::{Code, Refusal},
    event::Area,
    warning::draft::regions,
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
    let targets: Vec<String> = match stored.area() {
        Some(Area::Incident) => {
            let incident = fold::incident(state)?;
            incident
                .map(|incident| incident.place.region_code)
                .into_iter()
                .collect()
        }
        Some(Area::Site) => fold::site(state)?
            .and_then(|site| site.opened.place)
            .map(|place| place.region_code)
            .into_iter()
            .collect(),
        Some(Area::Draft) => fold::draft(state)?
            .map(|draft| draft.regions())
            .unwrap_or_default(),
        // A report is judged where it is about; a publisher's warning is everybody's.
        Some(Area::Warning) if action == Action::JudgeReport => fold::warning(state)?
            .map(|warning| regions(Some(&warning.content)))
            .unwrap_or_default(),
        _ => Vec::new(),
    };
    let authorize = |target| account::authorize(rights, action, target, request.now);
    // The right must be held in every place that the thing is about.
    let held = match targets.split_first() {
        None => authorize(None),
        Some((first, others)) => authorize(Some(first.as_str())).and_then(|held| {
            others
                .iter()
                .try_for_each(|other| authorize(Some(other.as_str())).map(drop))?;
            Ok(held)
        }),
    };
    let actor = held.map(|held| Actor {
        account: id,
        role: held.role,
        scope: held.scope,
        delegation: held.delegation,
    });
    Ok(actor.map_err(Refusal::from))
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
