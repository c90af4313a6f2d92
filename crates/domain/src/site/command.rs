//! What may be asked of a site, read from the wire at the door: nothing behind it sees an unchecked field.

use posko_proto::{
    Id,
    incident::v1::{AgeBand, Priority, Sex},
    site::v1::{
        ChangeSiteRequest, Kind, NeedKind, OpenSiteRequest, SiteOccupancyCounted, SiteOpened,
        change_site_request::Change,
    },
    time::Millis,
};
use prost_types::Timestamp;

use crate::{
    event::SiteEvent,
    incident::{self, IncidentState},
    people::largest_part,
    privacy,
    region::Place,
    site::SiteRejection,
    text::{PLAIN, is_plain},
};

const NAME_CHARACTERS: usize = 120;
/// The largest count that a site may have.
const LARGEST_COUNT: u64 = 100_000_000;

/// What may be asked of a site: the event that it becomes, its fields checked, but for times that are left out.
#[derive(Debug, Clone, PartialEq)]
pub struct SiteCommand(SiteEvent);

/// Returns the incident that the request names, for the door to look up before it parses the request.
pub fn incident_named(request: &OpenSiteRequest) -> Result<Id, SiteRejection> {
    let named = request
        .site
        .as_ref()
        .map(|site| site.incident_id.as_slice());
    Id::try_from(named.unwrap_or_default()).map_err(|error| {
        SiteRejection::invalid("site.incident_id", error, "an incident's id of 16 bytes")
    })
}

impl SiteCommand {
    /// Says whether the command promises or gives up what there is only one of: none does.
    pub fn is_scarce(&self) -> bool {
        false
    }

    /// Returns the code of the place of a site that is to be opened.
    pub fn region_code(&self) -> Option<&str> {
        match &self.0 {
            SiteEvent::Opened(opened) => opened
                .place
                .as_ref()
                .map(|place| place.region_code.as_str()),
            _ => None,
        }
    }

    pub(super) fn event(&self) -> &SiteEvent {
        &self.0
    }

    /// Reads what is to be opened; `incident` is the state of the incident that [`incident_named`] found in it.
    pub fn parse_open(
        request: &OpenSiteRequest,
        incident: Option<&IncidentState>,
    ) -> Result<Self, SiteRejection> {
        let id = incident_named(request)?;
        let incident = incident.ok_or(SiteRejection::UnknownIncident { id })?;
        let exercise = (request.meta.as_ref()).is_some_and(|meta| meta.exercise);
        if exercise != incident.exercise {
            return Err(SiteRejection::IncidentMixed {
                number: incident.number.clone(),
                exercise: incident.exercise,
            });
        }
        if incident::is_over(incident.status) {
            return Err(SiteRejection::IncidentOver {
                number: incident.number.clone(),
                status: incident.status,
            });
        }
        let Some(said) = &request.site else {
            return Err(SiteRejection::invalid("site", "", "it must be given"));
        };
        given::<Kind>("site.kind", said.kind)?;
        name(&said.name)?;
        count("site.capacity", said.capacity)?;
        let place = said.place.as_ref();
        let place =
            place.ok_or_else(|| SiteRejection::invalid("site.place", "", "a place is needed"))?;
        Ok(Self(SiteEvent::Opened(SiteOpened {
            place: Some(Place::parse_within(place)?.into()),
            name: said.name.trim().into(),
            ..said.clone()
        })))
    }
}

impl TryFrom<&ChangeSiteRequest> for SiteCommand {
    type Error = SiteRejection;

    fn try_from(request: &ChangeSiteRequest) -> Result<Self, SiteRejection> {
        let change = request.change.clone().ok_or_else(|| {
            SiteRejection::invalid("change", "", "one change is needed, known to this version")
        })?;
        Ok(Self(match change {
            Change::SetCapacity(said) => {
                count("set_capacity.capacity", said.capacity)?;
                SiteEvent::CapacitySet(said)
            }
            Change::CountOccupancy(said) => {
                occupancy(&said)?;
                SiteEvent::OccupancyCounted(said)
            }
            Change::ReportOutput(said) => {
                let from = time("report_output.from", said.from.as_ref())?;
                let until = time("report_output.until", said.until.as_ref())?;
                if from.is_none() || until <= from {
                    let sent = until.map(|at| at.0).unwrap_or_default();
                    let expected = "an end after the begin, and both given";
                    return Err(SiteRejection::invalid(
                        "report_output.until",
                        sent,
                        expected,
                    ));
                }
                count("report_output.quantity", said.quantity)?;
                SiteEvent::OutputReported(said)
            }
            Change::SetNeed(said) => {
                given::<NeedKind>("set_need.kind", said.kind)?;
                known::<Priority>("set_need.priority", said.priority)?;
                time("set_need.as_of", said.as_of.as_ref())?;
                count("set_need.quantity", said.quantity)?;
                SiteEvent::NeedSet(said)
            }
            Change::MeetNeed(said) => {
                given::<NeedKind>("meet_need.kind", said.kind)?;
                count("meet_need.quantity", said.quantity)?;
                SiteEvent::NeedMet(said)
            }
            Change::Close(said) => SiteEvent::Closed(said),
        }))
    }
}

/// The count of everybody must be there, and no part is more than it.
fn occupancy(said: &SiteOccupancyCounted) -> Result<(), SiteRejection> {
    const FIELD: &str = "count_occupancy.people";
    time("count_occupancy.as_of", said.as_of.as_ref())?;
    let mut counts = Vec::with_capacity(said.people.len());
    for people in &said.people {
        let of: (Sex, AgeBand) = (known(FIELD, people.sex)?, known(FIELD, people.age_band)?);
        if counts
            .iter()
            .any(|(sex, age_band, _)| (*sex, *age_band) == of)
        {
            let name = format!("{} {}", of.0.as_str_name(), of.1.as_str_name());
            return Err(SiteRejection::invalid(
                FIELD,
                name,
                "each sex and age may stand once",
            ));
        }
        count(FIELD, people.count)?;
        counts.push((of.0, of.1, people.count));
    }
    let whole = counts
        .iter()
        .find(|(sex, age_band, _)| (*sex, *age_band) == (Sex::Unspecified, AgeBand::Unspecified));
    let Some((.., whole)) = whole.copied() else {
        return Err(SiteRejection::invalid(
            FIELD,
            "",
            "the count of everybody is needed",
        ));
    };
    let others = said.disabled.max(said.pregnant).max(said.households);
    if largest_part(counts).max(others) > whole {
        let expected = "no part is more than the whole";
        return Err(SiteRejection::invalid(FIELD, whole, expected));
    }
    Ok(())
}

fn name(name: &str) -> Result<(), SiteRejection> {
    const FIELD: &str = "site.name";
    let characters = name.chars().count();
    if name.trim().is_empty() || characters > NAME_CHARACTERS {
        let length = format!("{characters} characters");
        return Err(SiteRejection::invalid(FIELD, length, "1 to 120 characters"));
    }
    if !is_plain(name) {
        return Err(SiteRejection::invalid(FIELD, "…", PLAIN));
    }
    if !privacy::findings(name).is_empty() {
        // What looks personal is not repeated.
        let expected = "a place's name without a telephone number, a NIK or an address of mail";
        return Err(SiteRejection::invalid(FIELD, "…", expected));
    }
    Ok(())
}

fn count(field: &'static str, count: u64) -> Result<(), SiteRejection> {
    if count > LARGEST_COUNT {
        return Err(SiteRejection::invalid(field, count, "at most 100,000,000"));
    }
    Ok(())
}

fn known<T: TryFrom<i32>>(field: &'static str, value: i32) -> Result<T, SiteRejection> {
    T::try_from(value)
        .map_err(|_| SiteRejection::invalid(field, value, "no value known to this version"))
}

fn given<T: TryFrom<i32>>(field: &'static str, value: i32) -> Result<T, SiteRejection> {
    if value == 0 {
        return Err(SiteRejection::invalid(
            field,
            "unspecified",
            "it must be given",
        ));
    }
    known(field, value)
}

fn time(field: &'static str, at: Option<&Timestamp>) -> Result<Option<Millis>, SiteRejection> {
    at.map(Millis::try_from).transpose().map_err(|_| {
        let sent = at.map(|at| at.seconds).unwrap_or_default();
        SiteRejection::invalid(
            field,
            format!("{sent} s"),
            "a time within the years 1 to 9999",
        )
    })
}
