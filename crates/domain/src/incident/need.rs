//! What an incident needs, until it is met, dropped or found twice. How far it is met follows from what came.

use posko_proto::{
    Id,
    incident::v1::{
        FigureSource, IncidentNeedMet, IncidentNeedSet, IncidentNeedSettled, NeedProgress, Sector,
        Settlement, Unit,
    },
    time::Millis,
};
use serde::{Deserialize, Serialize};

use crate::{
    incident::{
        Aim, IncidentRejection,
        aim::{named, put},
        rule,
    },
    region::{self, Place},
    wire,
};

/// The most needs of one incident.
pub const MOST_NEEDS: usize = 1000;

const SETTLEMENT: &str = "settlement of the need";

/// A need.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Need {
    /// Its id, how much it presses, until when, and what became of it.
    pub aim: Aim,
    /// Its field of work.
    #[serde(with = "wire::number")]
    pub sector: Sector,
    /// How much is needed, in `unit`; none when it is not quantified.
    pub quantity: Option<u64>,
    /// What is counted; unspecified when it is not quantified.
    #[serde(with = "wire::number")]
    pub unit: Unit,
    /// Where in the incident's province.
    pub place: Option<Place>,
    /// When it was said first.
    pub set_at: Millis,
    /// What came, one part a source, in their order.
    pub parts: Vec<Part>,
}

/// What one source has brought of a need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Who.
    #[serde(with = "wire::number")]
    pub source: FigureSource,
    /// How much so far, in the need's unit; 0 of a need that is not quantified.
    pub quantity: u64,
    /// When the last of it came.
    pub at: Millis,
}

impl Need {
    /// Returns how much came of all sources, in the need's unit.
    pub fn met(&self) -> u64 {
        let came = self.parts.iter().map(|part| part.quantity);
        came.fold(0, u64::saturating_add)
    }

    /// Returns how far it is met: wholly once all that was asked came, or somebody said so.
    pub fn progress(&self) -> NeedProgress {
        let settled = self.aim.settled.map(|settled| settled.settlement);
        let all_came = self.quantity.is_some_and(|asked| self.met() >= asked);
        if all_came || settled == Some(Settlement::Met) {
            NeedProgress::Met
        } else if self.parts.is_empty() {
            NeedProgress::Open
        } else {
            NeedProgress::PartlyMet
        }
    }
}

/// Says that something is needed, or says it anew: what came of it stays, and it is open again.
pub(super) fn set(
    needs: &mut Vec<Need>,
    set: &IncidentNeedSet,
    province: &str,
    at: Millis,
) -> Result<(), IncidentRejection> {
    let id = rule::id("set_need.need_id", &set.need_id)?;
    let place = set.place.clone().map(|place| Place {
        point: place.point.map(Into::into),
        region_code: place.region_code,
        code_set: place.code_set,
    });
    if let Some(place) = place
        .as_ref()
        .filter(|place| !region::within(&place.region_code, province))
    {
        return Err(IncidentRejection::invalid(
            "set_need.place",
            &place.region_code,
            "a place within the incident's province",
        ));
    }
    let held = needs.iter().find(|held| held.aim.id == id);
    let unit = set.unit();
    if let Some(held) = held.filter(|held| held.unit != unit && !held.parts.is_empty()) {
        return Err(IncidentRejection::Holds {
            what: "unit of the need, of which a part came,",
            name: held.unit.as_str_name().to_owned(),
        });
    }
    let need = Need {
        aim: Aim {
            id,
            priority: set.priority(),
            due_at: rule::optional_time("set_need.due_at", set.due_at.as_ref())?,
            settled: None,
        },
        sector: set.sector(),
        quantity: (set.quantity > 0).then_some(set.quantity),
        unit,
        place,
        set_at: held.map_or(at, |held| held.set_at),
        parts: held.map(|held| held.parts.clone()).unwrap_or_default(),
    };
    put(needs, ("needs", MOST_NEEDS), need, |need| need.aim.id)
}

/// Adds what came to what its source had brought, or corrects that.
pub(super) fn meet(
    needs: &mut [Need],
    met: &IncidentNeedMet,
    at: Millis,
) -> Result<(), IncidentRejection> {
    let id = rule::id("meet_need.need_id", &met.need_id)?;
    let need = named(needs, "need", id, |need: &Need| need.aim.id)?;
    need.aim.open(SETTLEMENT)?;
    let invalid =
        |expected| IncidentRejection::invalid("meet_need.quantity", met.quantity, expected);
    match (need.quantity, met.quantity) {
        (Some(_), 0) if !met.correction => return Err(invalid("how much came, at least 1")),
        (None, 1..) => return Err(invalid("0, since the need is not quantified")),
        (Some(_) | None, _) => {}
    }
    let source = met.source();
    let found = need
        .parts
        .binary_search_by_key(&i32::from(source), |part| part.source.into());
    let before = found.ok().and_then(|at| need.parts.get(at)).copied();
    let quantity = match before {
        None if met.correction => {
            return Err(IncidentRejection::NotThere {
                what: "part of the need by",
                name: source.as_str_name().to_owned(),
            });
        }
        Some(before) if !met.correction => before.quantity.saturating_add(met.quantity),
        Some(_) | None => met.quantity,
    };
    let part = Part {
        source,
        quantity,
        at,
    };
    match found {
        // What never came leaves no part.
        Ok(at) if met.correction && met.quantity == 0 => drop(need.parts.remove(at)),
        Ok(at) => need.parts.splice(at..=at, [part]).for_each(drop),
        Err(at) => need.parts.insert(at, part),
    }
    Ok(())
}

pub(super) fn settle(
    needs: &mut [Need],
    settled: &IncidentNeedSettled,
    at: Millis,
) -> Result<(), IncidentRejection> {
    let id: Id = rule::id("settle_need.need_id", &settled.need_id)?;
    let need = named(needs, "need", id, |need: &Need| need.aim.id)?;
    need.aim.settle(SETTLEMENT, settled.settlement(), at)
}
