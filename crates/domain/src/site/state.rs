//! Where a site stands, and how each event changes that.

use posko_proto::{
    Id,
    incident::v1::Priority,
    site::v1::{
        NeedKind, SiteNeedMet, SiteNeedSet, SiteOccupancyCounted, SiteOpened, SiteOutputReported,
    },
    time::Millis,
};
use prost_types::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    context::Recorded,
    event::{IllegalEvent, SiteEvent},
    region,
    site::SiteRejection,
    wire,
};

/// Where a site stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SiteState {
    /// What it is.
    #[serde(with = "wire::message")]
    pub opened: SiteOpened,
    /// The incident that it serves.
    pub incident: Id,
    /// How much it can do now, in the unit of its kind; 0 when it is not known.
    pub capacity: u64,
    /// The newest count of who is there.
    #[serde(with = "wire::optional_message")]
    pub occupancy: Option<SiteOccupancyCounted>,
    /// The newest report of what it did.
    #[serde(with = "wire::optional_message")]
    pub output: Option<SiteOutputReported>,
    /// What it lacks, in order of the kind.
    pub needs: Vec<Need>,
    /// When it opened.
    pub opened_at: Millis,
    /// When it closed; none while it is open.
    pub closed_at: Option<Millis>,
    /// Whether it belongs to a drill.
    pub exercise: bool,
    /// The stream's version.
    pub version: u32,
    /// When its owner recorded the newest event.
    pub recorded_at: Millis,
}

/// What a site lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Need {
    /// What.
    #[serde(with = "wire::number")]
    pub kind: NeedKind,
    /// How much it lacked as of the time, in the unit of the kind.
    pub asked: u64,
    /// How much has come since.
    pub met: u64,
    /// How much it presses.
    #[serde(with = "wire::number")]
    pub priority: Priority,
    /// The time that it describes.
    pub as_of: Millis,
}

/// Folds an event into the state: total and deterministic.
/// An event that its owner should not have written is refused with its reason, and the state stays as it was.
pub fn apply(
    state: Option<SiteState>,
    event: &SiteEvent,
    recorded: &Recorded,
) -> Result<SiteState, IllegalEvent> {
    let name = event.kind().name;
    let mut state = match (event, state) {
        (SiteEvent::Opened(opened), None) => return begin(opened, recorded),
        (SiteEvent::Opened(_), Some(_)) => return Err(IllegalEvent::AlreadyBegun { event: name }),
        (_, state) => state.ok_or(IllegalEvent::NotBegun { event: name })?,
    };
    if state.exercise != recorded.exercise {
        return Err(IllegalEvent::ExerciseMixed { event: name });
    }
    change(&mut state, event, recorded.occurred_at).map_err(|rejection| match rejection {
        SiteRejection::OlderFigure { .. } | SiteRejection::BeforeOpening { .. } => {
            IllegalEvent::OutOfOrder { event: name }
        }
        SiteRejection::Invalid { field, .. } => IllegalEvent::Malformed { event: name, field },
        _ => IllegalEvent::WrongState {
            event: name,
            from: "closed",
        },
    })?;
    Ok(SiteState {
        version: recorded.version,
        recorded_at: recorded.at,
        ..state
    })
}

fn begin(opened: &SiteOpened, recorded: &Recorded) -> Result<SiteState, IllegalEvent> {
    let malformed = |field| IllegalEvent::Malformed {
        event: "SiteOpened",
        field,
    };
    let place = opened.place.as_ref().ok_or(malformed("place"))?;
    if !region::within(&place.region_code, recorded.origin.as_str()) {
        return Err(malformed("place.region_code"));
    }
    Ok(SiteState {
        incident: Id::try_from(opened.incident_id.as_slice())
            .map_err(|_| malformed("incident_id"))?,
        opened: opened.clone(),
        capacity: opened.capacity,
        occupancy: None,
        output: None,
        needs: Vec::new(),
        opened_at: recorded.occurred_at,
        closed_at: None,
        exercise: recorded.exercise,
        version: recorded.version,
        recorded_at: recorded.at,
    })
}

/// Changes the state as the event says, which happened at `at`: the same for who decides and for who folds.
pub(super) fn change(
    state: &mut SiteState,
    event: &SiteEvent,
    at: Millis,
) -> Result<(), SiteRejection> {
    if state.closed_at.is_some() {
        return Err(SiteRejection::Closed);
    }
    match event {
        SiteEvent::Opened(_) => return Err(SiteRejection::AlreadyOpened),
        SiteEvent::CapacitySet(set) => state.capacity = set.capacity,
        SiteEvent::OccupancyCounted(counted) => {
            let held = state.occupancy.as_ref().and_then(|held| held.as_of);
            not_older("as_of", held, counted.as_of)?;
            state.occupancy = Some(counted.clone());
        }
        SiteEvent::OutputReported(report) => {
            let held = state.output.as_ref().and_then(|held| held.until);
            not_older("until", held, report.until)?;
            state.output = Some(*report);
        }
        SiteEvent::NeedSet(set) => set_need(state, set)?,
        SiteEvent::NeedMet(met) => meet_need(state, met)?,
        SiteEvent::Closed(_) => {
            if at < state.opened_at {
                return Err(SiteRejection::BeforeOpening {
                    at,
                    opened: state.opened_at,
                });
            }
            state.closed_at = Some(at);
        }
    }
    Ok(())
}

fn set_need(state: &mut SiteState, set: &SiteNeedSet) -> Result<(), SiteRejection> {
    let key = |need: &Need| i32::from(need.kind);
    let found = state.needs.binary_search_by_key(&set.kind().into(), key);
    let held = found.ok().and_then(|at| state.needs.get(at));
    let as_of = not_older("as_of", held.map(|held| held.as_of.into()), set.as_of)?;
    let need = Need {
        kind: set.kind(),
        asked: set.quantity,
        met: 0,
        priority: set.priority(),
        as_of,
    };
    match found {
        Ok(at) if set.quantity == 0 => drop(state.needs.remove(at)),
        Ok(at) => state.needs.splice(at..=at, [need]).for_each(drop),
        Err(_) if set.quantity == 0 => {}
        Err(at) => state.needs.insert(at, need),
    }
    Ok(())
}

fn meet_need(state: &mut SiteState, met: &SiteNeedMet) -> Result<(), SiteRejection> {
    let need = state.needs.iter_mut().find(|need| need.kind == met.kind());
    let need = need.ok_or(SiteRejection::NoSuchNeed {
        kind: met.kind().as_str_name(),
    })?;
    need.met = need.met.saturating_add(met.quantity);
    Ok(())
}

/// Returns the time given, which must not lie before the one held.
fn not_older(
    field: &'static str,
    held: Option<Timestamp>,
    given: Option<Timestamp>,
) -> Result<Millis, SiteRejection> {
    let read = |at: Option<Timestamp>| at.and_then(|at| Millis::try_from(&at).ok());
    let given = read(given).ok_or_else(|| SiteRejection::invalid(field, "", "a time is needed"))?;
    match read(held) {
        Some(held) if given < held => Err(SiteRejection::OlderFigure { held, given }),
        _ => Ok(given),
    }
}
