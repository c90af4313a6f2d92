//! By what right a command is given: looked for in the state that it is decided on.

use posko_domain::{
    account,
    code::{Code, Refusal},
    event::Area,
    warning::{WarningState, draft::regions},
};
use posko_proto::{Id, NodeId, warning::v1::Content};
use rusqlite::Connection;

use crate::{
    Store, StoreError,
    command::{Actor, Authority, Command, Request},
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
    let taken = match &request.command {
        Command::Warning(command) => command.content(),
        _ => None,
    };
    if state.is_none() && taken.is_none() {
        return not_here(connection, own, origins(), request.stream).map(Err);
    }
    let mut targets = taken.map_or_else(Vec::new, |content| warned_in(own, content));
    targets.extend(held_in(connection, own, state)?);
    // A publisher's warning, or a gauge's, does not end where the province does.
    let is_warning = taken.is_some() || state.and_then(Stored::area) == Some(Area::Warning);
    let home = is_warning.then_some(own.as_str());
    let held = account::authorize_in(rights, action, &targets, home, request.now);
    let actor = held.map(|held| Actor {
        account: id,
        role: held.role,
        scope: held.scope,
        delegation: held.delegation,
    });
    Ok(actor.map_err(Refusal::from))
}

/// Returns where a warning holds: it may be everywhere in the province where nobody knows that.
fn warned_in(own: NodeId, content: &Content) -> Vec<String> {
    let regions = regions(Some(content));
    if regions.is_empty() {
        vec![own.to_string()]
    } else {
        regions
    }
}

impl Store {
    /// Returns the regions that a thing of this node is about; none of what is about none, or is not known here.
    pub fn regions_of(&self, stream: Id) -> Result<Vec<String>, StoreError> {
        let own = self.identity().origin;
        self.read(|connection| {
            let state = fold::state(connection, Tables::LIVE, own, stream)?;
            held_in(connection, own, state.as_ref())
        })
    }
}

/// Returns the regions that a thing is about, and those of what it would change.
fn held_in(
    connection: &Connection,
    own: NodeId,
    state: Option<&Stored>,
) -> Result<Vec<String>, StoreError> {
    let warned = |warning: Option<WarningState>| {
        warning.map_or_else(Vec::new, |warning| warned_in(own, &warning.content))
    };
    match state.and_then(Stored::area) {
        Some(Area::Incident) => {
            let place = fold::incident(state)?.map(|incident| incident.place);
            Ok(place.map(|place| place.region_code).into_iter().collect())
        }
        Some(Area::Site) => {
            let place = fold::site(state)?.and_then(|site| site.opened.place);
            Ok(place.map(|place| place.region_code).into_iter().collect())
        }
        Some(Area::Warning) => Ok(warned(fold::warning(state)?)),
        Some(Area::Draft) => {
            let Some(draft) = fold::draft(state)? else {
                return Ok(Vec::new());
            };
            let changed = match Id::try_from(draft.drafted.warning_id.as_slice()) {
                Ok(warning) => fold::state(connection, Tables::LIVE, own, warning)?,
                Err(_) => None,
            };
            let changed = warned(fold::warning(changed.as_ref())?);
            Ok(draft.regions().into_iter().chain(changed).collect())
        }
        Some(Area::Account | Area::Directive | Area::Log | Area::Feed) | None => Ok(Vec::new()),
    }
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
