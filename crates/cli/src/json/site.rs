//! Sites in JSON.

use posko_proto::{
    incident::v1::{AgeBand, Priority, Sex},
    site::v1 as site,
};
use serde::Serialize;

use super::{Place, Provenance, id, text, time};
use crate::name;

/// A site as it stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Site {
    #[serde(rename = "site_id")]
    id: Option<String>,
    incident_id: Option<String>,
    kind: Option<String>,
    name: String,
    place: Option<Place>,
    region_name: Option<String>,
    capacity: Option<u64>,
    occupancy: Option<Occupancy>,
    output: Option<Output>,
    needs: Vec<Need>,
    opened_at: Option<String>,
    closed_at: Option<String>,
    exercise: bool,
    version: u32,
    provenance: Option<Provenance>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Occupancy {
    as_of: Option<String>,
    people: Vec<People>,
    households: Option<u64>,
    disabled: Option<u64>,
    pregnant: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct People {
    sex: Option<String>,
    age_band: Option<String>,
    count: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Output {
    from: Option<String>,
    until: Option<String>,
    quantity: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Need {
    kind: Option<String>,
    asked: u64,
    met: u64,
    priority: Option<String>,
    as_of: Option<String>,
}

impl From<site::Site> for Site {
    fn from(site: site::Site) -> Self {
        let opened = site.opened.unwrap_or_default();
        Self {
            id: id(&site.site_id),
            incident_id: id(&opened.incident_id),
            kind: name::of::<site::Kind>(opened.kind),
            name: opened.name,
            place: opened.place.map(Place::from),
            region_name: text(&site.region_name),
            capacity: known(site.capacity),
            occupancy: site.occupancy.as_ref().map(occupancy),
            output: site.output.as_ref().map(output),
            needs: site.needs.iter().map(need).collect(),
            opened_at: time(site.opened_at.as_ref()),
            closed_at: time(site.closed_at.as_ref()),
            exercise: site.exercise,
            version: site.version,
            provenance: site.provenance.map(Provenance::from),
        }
    }
}

/// A nought stands for what is not known.
fn known(number: u64) -> Option<u64> {
    (number > 0).then_some(number)
}

fn occupancy(counted: &site::SiteOccupancyCounted) -> Occupancy {
    let people = counted.people.iter().map(|people| People {
        sex: name::of::<Sex>(people.sex),
        age_band: name::of::<AgeBand>(people.age_band),
        count: people.count,
    });
    Occupancy {
        as_of: time(counted.as_of.as_ref()),
        people: people.collect(),
        households: known(counted.households),
        disabled: known(counted.disabled),
        pregnant: known(counted.pregnant),
    }
}

fn output(report: &site::SiteOutputReported) -> Output {
    Output {
        from: time(report.from.as_ref()),
        until: time(report.until.as_ref()),
        quantity: report.quantity,
    }
}

fn need(need: &site::Need) -> Need {
    Need {
        kind: name::of::<site::NeedKind>(need.kind),
        asked: need.asked,
        met: need.met,
        priority: name::of::<Priority>(need.priority),
        as_of: time(need.as_of.as_ref()),
    }
}
