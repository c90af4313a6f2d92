//! What is pursued until something became of it: the core of an objective and of a need.

use posko_proto::{
    Id,
    incident::v1::{Priority, Settlement},
    time::Millis,
};
use serde::{Deserialize, Serialize};

use crate::{
    incident::{IncidentRejection, rule},
    wire,
};

/// What is pursued until something became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aim {
    /// Its id.
    pub id: Id,
    /// How much it presses.
    #[serde(with = "wire::number")]
    pub priority: Priority,
    /// Until when.
    pub due_at: Option<Millis>,
    /// What became of it, and when; none while it is open.
    pub settled: Option<Settled>,
}

/// What became of an aim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// What.
    #[serde(with = "wire::number")]
    pub settlement: Settlement,
    /// When.
    pub at: Millis,
}

impl Aim {
    /// Settles it, once; `what` is what a refusal calls its settlement.
    pub(super) fn settle(
        &mut self,
        what: &'static str,
        settlement: Settlement,
        at: Millis,
    ) -> Result<(), IncidentRejection> {
        self.open(what)?;
        self.settled = Some(Settled { settlement, at });
        Ok(())
    }

    /// Refuses what is settled already.
    pub(super) fn open(&self, what: &'static str) -> Result<(), IncidentRejection> {
        match self.settled {
            Some(before) => Err(IncidentRejection::Holds {
                what,
                name: before.settlement.as_str_name().to_owned(),
            }),
            None => Ok(()),
        }
    }
}

/// Returns the thing of that id; `what` is what a refusal calls it.
pub(super) fn named<'a, T>(
    held: &'a mut [T],
    what: &'static str,
    id: Id,
    id_of: impl Fn(&T) -> Id,
) -> Result<&'a mut T, IncidentRejection> {
    let found = held.iter_mut().find(|held| id_of(held) == id);
    found.ok_or_else(|| IncidentRejection::NotThere {
        what,
        name: id.to_string(),
    })
}

/// Puts a thing in the place of the one with its id, or behind the others while there are fewer than `most`.
pub(super) fn put<T>(
    held: &mut Vec<T>,
    (what, most): (&'static str, usize),
    thing: T,
    id_of: impl Fn(&T) -> Id,
) -> Result<(), IncidentRejection> {
    let id = id_of(&thing);
    if let Some(held) = held.iter_mut().find(|held| id_of(held) == id) {
        *held = thing;
        return Ok(());
    }
    rule::room(what, held.len(), most)?;
    held.push(thing);
    Ok(())
}
