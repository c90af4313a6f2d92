//! Where a directive stands, and how each event changes that.

use posko_proto::{
    NodeId,
    directive::v1::{DirectiveIssued, State},
    time::Millis,
};
use serde::{Deserialize, Serialize};

use crate::{
    context::{GATEWAY, Recorded},
    event::{DirectiveEvent, IllegalEvent},
    wire, zone,
};

/// Where a directive stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DirectiveState {
    /// What it says.
    #[serde(with = "wire::message")]
    pub issued: DirectiveIssued,
    /// Why it was withdrawn, once it was; that is for good.
    pub withdrawn: Option<String>,
    /// Whether it belongs to a drill.
    pub exercise: bool,
    /// The stream's version.
    pub version: u32,
    /// When it was issued.
    pub issued_at: Millis,
    /// When the newest event was recorded.
    pub recorded_at: Millis,
}

/// Folds an event into the state: total and deterministic.
/// An event that its owner should not have written, also one of a province, is refused with its reason.
pub fn apply(
    state: Option<DirectiveState>,
    event: &DirectiveEvent,
    recorded: &Recorded,
) -> Result<DirectiveState, IllegalEvent> {
    let name = event.kind().name;
    if recorded.origin.as_str() != GATEWAY {
        return Err(IllegalEvent::Malformed {
            event: name,
            field: "origin",
        });
    }
    match event {
        DirectiveEvent::Issued(_) if state.is_some() => {
            Err(IllegalEvent::AlreadyBegun { event: name })
        }
        DirectiveEvent::Issued(issued) => Ok(DirectiveState {
            issued: issued.clone(),
            withdrawn: None,
            exercise: recorded.exercise,
            version: recorded.version,
            issued_at: recorded.at,
            recorded_at: recorded.at,
        }),
        DirectiveEvent::Withdrawn(withdrawn) => {
            let state = state.ok_or(IllegalEvent::NotBegun { event: name })?;
            if state.exercise != recorded.exercise {
                return Err(IllegalEvent::ExerciseMixed { event: name });
            }
            if state.withdrawn.is_some() {
                return Err(IllegalEvent::WrongState {
                    event: name,
                    from: State::Withdrawn.as_str_name(),
                });
            }
            Ok(DirectiveState {
                withdrawn: Some(withdrawn.reason.clone()),
                version: recorded.version,
                recorded_at: recorded.at,
                ..state
            })
        }
    }
}

/// Returns until when a directive holds by its own time; none when that has no end.
pub fn ends_at(state: &DirectiveState) -> Option<Millis> {
    let until = state.issued.valid_until.as_ref();
    until.and_then(|at| Millis::try_from(at).ok())
}

/// Returns where a directive stands at a moment: withdrawn, expired from its end on, or else open.
pub fn standing(state: &DirectiveState, now: Millis) -> State {
    if state.withdrawn.is_some() {
        State::Withdrawn
    } else if ends_at(state).is_some_and(|end| now >= end) {
        State::Expired
    } else {
        State::Open
    }
}

/// Says whether a directive is addressed to a node: to its province, to a border zone of it, or to all; a gateway sees
/// every directive as its own.
pub fn addresses(state: &DirectiveState, node: NodeId) -> bool {
    let (issued, province) = (&state.issued, node.as_str());
    let to_all = issued.province_codes.is_empty() && issued.zone_ids.is_empty();
    let to_zone = |id: &String| zone::find(id).is_some_and(|z| z.provinces().contains(&province));
    to_all
        || province == GATEWAY
        || issued.province_codes.iter().any(|code| code == province)
        || issued.zone_ids.iter().any(to_zone)
}
