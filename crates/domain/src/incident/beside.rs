//! What a command about an incident is held against beside the incident itself: its sites, what was opened from the same
//! warning, and the incidents that it would be a part of.

use posko_proto::{
    Id, NodeId, incident::v1::EmergencyState, incident::v1::NeedProgress, time::Millis,
};

use crate::{
    incident::{IncidentRejection, IncidentState, WarningRef, is_over},
    region::{self, Place},
};

/// How many incidents at most lie above each other.
pub const MOST_ABOVE: usize = 64;
/// How many names a refusal repeats.
const NAMED: usize = 5;

/// What is still open at an incident.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unfinished {
    /// The names of its sites that are not closed.
    pub sites: Vec<String>,
    /// How many needs are neither met nor settled.
    pub needs: usize,
    /// The decrees of its legal statuses that hold at that time or will.
    pub decrees: Vec<String>,
}

impl Unfinished {
    /// Returns what is still open now; `sites` are the names of the incident's open sites.
    pub fn of(state: &IncidentState, sites: Vec<String>, now: Millis) -> Self {
        let needs = state.needs.iter();
        let open =
            needs.filter(|need| need.aim.settled.is_none() && need.progress() != NeedProgress::Met);
        let holds = |state| matches!(state, EmergencyState::InForce | EmergencyState::Coming);
        let decrees = (state.emergencies.iter())
            .filter(|held| holds(held.state(now)))
            .map(|held| held.declared.decree_number.clone());
        Self {
            sites,
            needs: open.count(),
            decrees: decrees.collect(),
        }
    }

    /// Refuses to close while anything is open.
    pub fn refuse(&self) -> Result<(), IncidentRejection> {
        if *self == Self::default() {
            return Ok(());
        }
        Err(IncidentRejection::Unfinished {
            sites: self.sites.len(),
            site_names: names(&self.sites),
            needs: self.needs,
            statuses: self.decrees.len(),
            decrees: names(&self.decrees),
        })
    }
}

fn names(names: &[String]) -> String {
    let (first, rest) = names.split_at(names.len().min(NAMED));
    match (first, rest) {
        ([], _) => "-".into(),
        (first, []) => first.join(", "),
        (first, _) => format!("{}, …", first.join(", ")),
    }
}

/// Refuses a second incident from one warning at the same place while the first is not over; `opened` are the own ones
/// that were opened from it.
pub fn opened_once<'a>(
    warning: &WarningRef,
    place: &Place,
    opened: impl IntoIterator<Item = &'a IncidentState>,
) -> Result<(), IncidentRejection> {
    let there = |state: &&IncidentState| {
        let (held, given) = (&state.place.region_code, &place.region_code);
        region::within(held, given) || region::within(given, held)
    };
    let mut opened = opened.into_iter().filter(|state| !is_over(state.status));
    match opened.find(there).filter(|_| !warning.confirmed) {
        Some(state) => Err(IncidentRejection::OpenedAlready {
            number: state.number.clone(),
        }),
        None => Ok(()),
    }
}

/// Refuses a parent that is itself a part of the incident, as far as that is known here; `parent_of` looks one up.
pub fn no_cycle<E: From<IncidentRejection>>(
    incident: (NodeId, Id),
    parent: (NodeId, Id),
    mut parent_of: impl FnMut((NodeId, Id)) -> Result<Option<IncidentState>, E>,
) -> Result<(), E> {
    let mut above = parent;
    let mut number = String::new();
    for _ in 0..MOST_ABOVE {
        if above == incident {
            return Err(IncidentRejection::PartOfItself { number }.into());
        }
        let Some(state) = parent_of(above)? else {
            return Ok(());
        };
        if number.is_empty() {
            number.clone_from(&state.number);
        }
        match state.parent() {
            Some(next) => above = next,
            None => return Ok(()),
        }
    }
    Err(IncidentRejection::TooMany {
        what: "incidents above it",
        most: MOST_ABOVE,
    }
    .into())
}
