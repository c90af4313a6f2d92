//! Warnings and feeds in JSON.

use posko_proto::{
    common::v1::{Hazard, LinkState},
    id::hex,
    warning::v1 as warning,
};
use serde::Serialize;

use super::{Point, Provenance, id, text, time};
use crate::name;

/// A warning as it stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Warning {
    #[serde(rename = "warning_id")]
    id: Option<String>,
    source: Option<String>,
    publisher: String,
    identifier: String,
    state: Option<String>,
    version: u32,
    review: Option<String>,
    dismissed: Option<String>,
    incident_id: Option<String>,
    notes: Vec<ReportNote>,
    recorded_at: Option<String>,
    provenance: Option<Provenance>,
    reach: Option<String>,
    regencies: Vec<Regency>,
    zones: Vec<String>,
    population: u64,
    population_at_most: bool,
    population_source: Option<String>,
    replaced_by_id: Option<String>,
    replaced_by: Option<String>,
    ends_at: Option<String>,
    cancelled_by: Option<String>,
    cancelled_by_host: Option<String>,
    cancelled_by_account: Option<String>,
    taken_by: Vec<String>,
    references_not_held: Vec<Reference>,
    content: Content,
}

/// A kab/kota that a warning reaches.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Regency {
    region_code: String,
    name: String,
    partly: bool,
    population: u64,
    kecamatan: Vec<String>,
}

impl From<warning::RegencyReach> for Regency {
    fn from(reach: warning::RegencyReach) -> Self {
        Self {
            region_code: reach.region_code,
            name: reach.name,
            partly: reach.partly,
            population: reach.population,
            kecamatan: reach.kecamatan,
        }
    }
}

impl From<warning::Warning> for Warning {
    fn from(warning: warning::Warning) -> Self {
        Self {
            id: id(&warning.warning_id),
            source: name::of::<warning::Source>(warning.source),
            publisher: warning.publisher,
            identifier: warning.identifier,
            state: name::of::<warning::State>(warning.state),
            version: warning.version,
            review: name::of::<warning::Review>(warning.review),
            dismissed: name::of::<warning::DismissReason>(warning.dismissed),
            incident_id: id(&warning.incident_id),
            notes: warning.notes.into_iter().map(ReportNote::from).collect(),
            recorded_at: time(warning.recorded_at.as_ref()),
            provenance: warning.provenance.map(Provenance::from),
            reach: name::of::<warning::AreaReach>(warning.reach),
            regencies: warning.regencies.into_iter().map(Into::into).collect(),
            zones: warning.zones,
            population: warning.population,
            population_at_most: warning.population_at_most,
            population_source: text(&warning.population_source),
            replaced_by_id: id(&warning.replaced_by_id),
            replaced_by: text(&warning.replaced_by),
            ends_at: time(warning.ends_at.as_ref()),
            cancelled_by: text(&warning.cancelled_by),
            cancelled_by_host: text(&warning.cancelled_by_host),
            cancelled_by_account: id(&warning.cancelled_by_account),
            taken_by: warning.taken_by,
            references_not_held: warning
                .references_not_held
                .into_iter()
                .map(Into::into)
                .collect(),
            content: warning.content.unwrap_or_default().into(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Content {
    status: Option<String>,
    hazard: Option<String>,
    severity: Option<String>,
    urgency: Option<String>,
    certainty: Option<String>,
    sent_at: Option<String>,
    effective_at: Option<String>,
    expires_at: Option<String>,
    event: Option<String>,
    headline: Option<String>,
    description: Option<String>,
    instruction: Option<String>,
    language: Option<String>,
    web: Option<String>,
    response_types: Vec<String>,
    event_codes: Vec<NamedCode>,
    parameters: Vec<Parameter>,
    resources: Vec<Resource>,
    areas: Vec<Area>,
    earthquake: Option<Earthquake>,
    felt_places: Vec<FeltPlace>,
    gauge: Option<Gauge>,
    volcano: Option<Volcano>,
    sender: Option<String>,
    carried_by: Option<String>,
    message_identifier: Option<String>,
    references: Vec<Reference>,
    texts: Vec<Text>,
    notes: Vec<Note>,
    code_set: Option<String>,
    channel: Option<String>,
}

/// A place where an earthquake was felt.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct FeltPlace {
    name: String,
    mmi_from: u32,
    mmi_to: u32,
    region_code: Option<String>,
    candidates: Vec<String>,
}

impl From<warning::FeltPlace> for FeltPlace {
    fn from(place: warning::FeltPlace) -> Self {
        Self {
            region_code: text(&place.region_code),
            name: place.name,
            mmi_from: place.mmi_from,
            mmi_to: place.mmi_to,
            candidates: place.candidates,
        }
    }
}

/// A reading of a river gauge.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Gauge {
    station: String,
    river: Option<String>,
    level_cm: f64,
    siaga: Option<String>,
    read_at: Option<String>,
}

impl From<warning::GaugeReading> for Gauge {
    fn from(reading: warning::GaugeReading) -> Self {
        Self {
            river: text(&reading.river),
            level_cm: f64::from(reading.level_mm) / 10.0,
            siaga: name::of::<warning::Siaga>(reading.siaga),
            read_at: time(reading.read_at.as_ref()),
            station: reading.station,
        }
    }
}

/// The level of a volcano.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Volcano {
    name: String,
    level: Option<String>,
    read_at: Option<String>,
}

impl From<warning::VolcanoReading> for Volcano {
    fn from(reading: warning::VolcanoReading) -> Self {
        Self {
            level: name::of::<warning::VolcanoLevel>(reading.level),
            read_at: time(reading.read_at.as_ref()),
            name: reading.name,
        }
    }
}

/// An earlier message that a message refers to.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Reference {
    sender: Option<String>,
    identifier: String,
    sent_at: Option<String>,
    warning_id: Option<String>,
}

impl From<warning::Reference> for Reference {
    fn from(reference: warning::Reference) -> Self {
        Self {
            sender: text(&reference.sender),
            sent_at: time(reference.sent_at.as_ref()),
            warning_id: id(&reference.warning_id),
            identifier: reference.identifier,
        }
    }
}

/// The same in another language.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Text {
    language: String,
    event: Option<String>,
    headline: Option<String>,
    description: Option<String>,
    instruction: Option<String>,
    web: Option<String>,
}

impl From<warning::Text> for Text {
    fn from(said: warning::Text) -> Self {
        Self {
            event: text(&said.event),
            headline: text(&said.headline),
            description: text(&said.description),
            instruction: text(&said.instruction),
            web: text(&said.web),
            language: said.language,
        }
    }
}

/// Something to know about how a document was read.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Note {
    kind: Option<String>,
    path: String,
    count: u32,
    text: String,
}

impl From<warning::Note> for Note {
    fn from(note: warning::Note) -> Self {
        Self {
            kind: name::of::<warning::NoteKind>(note.kind),
            path: note.path,
            count: note.count,
            text: note.text,
        }
    }
}

/// What became of an item of a document, or would.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Item {
    identifier: Option<String>,
    title: Option<String>,
    fate: Option<String>,
    message: Option<String>,
    warning_id: Option<String>,
    /// The warning's version after it; nothing when nothing was recorded.
    version: Option<u32>,
}

impl From<warning::TakenItem> for Item {
    fn from(item: warning::TakenItem) -> Self {
        Self {
            identifier: text(&item.identifier),
            title: text(&item.title),
            fate: name::of::<warning::Fate>(item.fate),
            message: text(&item.message),
            warning_id: id(&item.warning_id),
            version: item.outcome.map(|outcome| outcome.version),
        }
    }
}

/// An item, and the warning that it would be.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Foreseen {
    #[serde(flatten)]
    pub(crate) item: Item,
    pub(crate) warning: Option<Warning>,
}

impl From<warning::Content> for Content {
    fn from(content: warning::Content) -> Self {
        Self {
            status: name::of::<warning::AlertStatus>(content.status),
            hazard: name::of::<Hazard>(content.hazard),
            severity: name::of::<warning::Severity>(content.severity),
            urgency: name::of::<warning::Urgency>(content.urgency),
            certainty: name::of::<warning::Certainty>(content.certainty),
            sent_at: time(content.sent_at.as_ref()),
            effective_at: time(content.effective_at.as_ref()),
            expires_at: time(content.expires_at.as_ref()),
            event: text(&content.event),
            headline: text(&content.headline),
            description: text(&content.description),
            instruction: text(&content.instruction),
            language: text(&content.language),
            web: text(&content.web),
            response_types: content
                .response_types
                .into_iter()
                .filter_map(name::of::<warning::ResponseType>)
                .collect(),
            event_codes: content.event_codes.into_iter().map(Into::into).collect(),
            parameters: content.parameters.into_iter().map(Into::into).collect(),
            resources: content.resources.into_iter().map(Into::into).collect(),
            areas: content.areas.into_iter().map(Area::from).collect(),
            earthquake: content.earthquake.map(Earthquake::from),
            felt_places: content.felt_places.into_iter().map(Into::into).collect(),
            gauge: content.gauge.map(Into::into),
            volcano: content.volcano.map(Into::into),
            sender: text(&content.sender),
            carried_by: text(&content.carried_by),
            message_identifier: text(&content.message_identifier),
            references: content.references.into_iter().map(Into::into).collect(),
            texts: content.texts.into_iter().map(Into::into).collect(),
            notes: content.notes.into_iter().map(Into::into).collect(),
            code_set: text(&content.code_set),
            channel: name::of::<warning::Channel>(content.channel),
        }
    }
}

/// A text that belongs to a report.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct ReportNote {
    event_id: Option<String>,
    written_at: Option<String>,
    text: Option<String>,
    withdrawn: bool,
}

impl From<warning::WarningNote> for ReportNote {
    fn from(note: warning::WarningNote) -> Self {
        Self {
            event_id: id(&note.event_id),
            written_at: time(note.written_at.as_ref()),
            text: text(&note.text),
            withdrawn: note.withdrawn,
        }
    }
}

/// A draft as it stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Draft {
    #[serde(rename = "draft_id")]
    id: Option<String>,
    status: Option<String>,
    kind: Option<String>,
    publisher: String,
    template: Option<String>,
    warning_id: Option<String>,
    drafted_by: Option<String>,
    drafted_at: Option<String>,
    decided_by: Option<String>,
    decided_at: Option<String>,
    exercise: bool,
    version: u32,
    content: Content,
}

impl From<warning::Draft> for Draft {
    fn from(draft: warning::Draft) -> Self {
        let drafted = draft.drafted.unwrap_or_default();
        Self {
            id: id(&draft.draft_id),
            status: name::of::<warning::DraftStatus>(draft.status),
            kind: name::of::<warning::DraftKind>(drafted.kind),
            publisher: drafted.publisher,
            template: text(&drafted.template),
            warning_id: id(&draft.warning_id).or_else(|| id(&drafted.warning_id)),
            drafted_by: id(&draft.drafted_by),
            drafted_at: time(draft.drafted_at.as_ref()),
            decided_by: id(&draft.decided_by),
            decided_at: time(draft.decided_at.as_ref()),
            exercise: draft.exercise,
            version: draft.version,
            content: drafted.content.unwrap_or_default().into(),
        }
    }
}

/// Which warnings an account is told of.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Subscription {
    #[serde(rename = "subscription_id")]
    id: Option<String>,
    region: Option<String>,
    hazard: Option<String>,
    severity: Option<String>,
    exercises: bool,
    subscribed_at: Option<String>,
}

impl From<warning::Subscription> for Subscription {
    fn from(said: warning::Subscription) -> Self {
        Self {
            id: id(&said.subscription_id),
            region: text(&said.region),
            hazard: name::of::<Hazard>(said.hazard),
            severity: name::of::<warning::Severity>(said.severity),
            exercises: said.exercises,
            subscribed_at: time(said.subscribed_at.as_ref()),
        }
    }
}

/// A warning that a subscription matches.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct InboxItem {
    change: Option<String>,
    subscription_id: Option<String>,
    area_unknown: bool,
    warning: Option<Warning>,
}

impl From<warning::InboxItem> for InboxItem {
    fn from(item: warning::InboxItem) -> Self {
        Self {
            change: name::of::<warning::InboxChange>(item.change),
            subscription_id: id(&item.subscription_id),
            area_unknown: item.area_unknown,
            warning: item.warning.map(Warning::from),
        }
    }
}

/// A warning that changed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Change {
    origin: String,
    warning_id: Option<String>,
    version: u32,
    #[serde(rename = "change")]
    what: Option<String>,
}

impl From<warning::WarningChange> for Change {
    fn from(change: warning::WarningChange) -> Self {
        Self {
            warning_id: id(&change.warning_id),
            version: change.version,
            what: name::of::<warning::InboxChange>(change.change),
            origin: change.origin,
        }
    }
}

/// A text that own warnings are written from.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Template {
    name: String,
    hazard: Option<String>,
    severity: Option<String>,
    configured: bool,
    texts: Vec<Text>,
}

impl From<warning::WarningTemplate> for Template {
    fn from(template: warning::WarningTemplate) -> Self {
        Self {
            hazard: name::of::<Hazard>(template.hazard),
            severity: name::of::<warning::Severity>(template.severity),
            configured: template.configured,
            texts: template.texts.into_iter().map(Text::from).collect(),
            name: template.name,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Area {
    description: Option<String>,
    region_codes: Vec<String>,
    reach: Option<String>,
    regions: Vec<FoundRegion>,
    names: Vec<NamedPlace>,
    geocodes: Vec<NamedCode>,
    arrival_at: Option<String>,
    level: Option<String>,
    polygons: Vec<Vec<Point>>,
    circles: Vec<Circle>,
}

/// A region that an area touches.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct FoundRegion {
    region_code: String,
    found_by: Vec<String>,
    covered_permille: u32,
    partly: bool,
    distance_m: u32,
}

/// A name that is no one place.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct NamedPlace {
    name: String,
    within: Option<String>,
    candidates: Vec<String>,
}

/// A code under the name of its list.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct NamedCode {
    name: String,
    value: String,
}

impl From<warning::NamedCode> for NamedCode {
    fn from(code: warning::NamedCode) -> Self {
        Self {
            name: code.name,
            value: code.value,
        }
    }
}

/// A value under a name of the publisher's own; without languages every text says it.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Parameter {
    name: String,
    value: String,
    languages: Vec<String>,
}

impl From<warning::Parameter> for Parameter {
    fn from(said: warning::Parameter) -> Self {
        Self {
            name: said.name,
            value: said.value,
            languages: said.languages,
        }
    }
}

/// A picture, a sound or a document, of which content that came with the message is not kept.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Resource {
    description: Option<String>,
    mime_type: Option<String>,
    size_bytes: Option<u64>,
    uri: Option<String>,
    digest: Option<String>,
    embedded_sha256: Option<String>,
    languages: Vec<String>,
}

impl From<warning::Resource> for Resource {
    fn from(said: warning::Resource) -> Self {
        Self {
            description: text(&said.description),
            mime_type: text(&said.mime_type),
            size_bytes: said.size_bytes,
            uri: text(&said.uri),
            digest: text(&said.digest),
            embedded_sha256: text(&hex(&said.embedded_sha256)),
            languages: said.languages,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Circle {
    center: Option<Point>,
    radius_m: u32,
}

impl From<warning::Area> for Area {
    fn from(area: warning::Area) -> Self {
        let ring = |ring: warning::Polygon| ring.points.into_iter().map(Point::from).collect();
        let circle = |circle: warning::Circle| Circle {
            center: circle.center.map(Point::from),
            radius_m: circle.radius_m,
        };
        Self {
            description: text(&area.description),
            region_codes: area.region_codes,
            reach: name::of::<warning::AreaReach>(area.reach),
            regions: area
                .regions
                .into_iter()
                .map(|found| FoundRegion {
                    region_code: found.region_code,
                    found_by: found
                        .found_by
                        .into_iter()
                        .filter_map(name::of::<warning::FoundBy>)
                        .collect(),
                    covered_permille: found.covered_permille,
                    partly: found.partly,
                    distance_m: found.distance_m,
                })
                .collect(),
            names: area
                .names
                .into_iter()
                .map(|place| NamedPlace {
                    within: text(&place.within),
                    name: place.name,
                    candidates: place.candidates,
                })
                .collect(),
            geocodes: area.geocodes.into_iter().map(Into::into).collect(),
            arrival_at: time(area.arrival_at.as_ref()),
            level: text(&area.level),
            polygons: area.polygons.into_iter().map(ring).collect(),
            circles: area.circles.into_iter().map(circle).collect(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Earthquake {
    origin_time: Option<String>,
    epicenter: Option<Point>,
    magnitude: f64,
    depth_m: u32,
    potential: Option<String>,
    felt: Option<String>,
}

impl From<warning::Earthquake> for Earthquake {
    fn from(quake: warning::Earthquake) -> Self {
        Self {
            origin_time: time(quake.origin_time.as_ref()),
            epicenter: quake.epicenter.map(Point::from),
            magnitude: f64::from(quake.magnitude_hundredths) / 100.0,
            depth_m: quake.depth_m,
            potential: text(&quake.potential),
            felt: text(&quake.felt),
        }
    }
}

/// A feed and its health; a health that is null was not asked for yet. What another node alone knows of its feed is null.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Feed {
    name: String,
    kind: Option<String>,
    url: Option<String>,
    health: Option<String>,
    since: Option<String>,
    last_success_at: Option<String>,
    last_error: Option<String>,
    taken: Option<u64>,
    refused: Option<u64>,
    outside: Option<u64>,
    alarm: bool,
    config_kind: Option<String>,
    period_seconds: u32,
    provenance: Option<Provenance>,
}

impl From<warning::Feed> for Feed {
    fn from(feed: warning::Feed) -> Self {
        let own = i32::from(LinkState::Own);
        let is_own = feed.provenance.as_ref().is_none_or(|said| said.link == own);
        Self {
            kind: name::of::<warning::Source>(feed.kind),
            health: name::of::<warning::FeedHealth>(feed.health),
            since: time(feed.since.as_ref()),
            last_success_at: time(feed.last_success_at.as_ref()),
            last_error: text(&feed.last_error),
            taken: is_own.then_some(feed.taken),
            refused: is_own.then_some(feed.refused),
            outside: is_own.then_some(feed.outside),
            alarm: feed.alarm,
            config_kind: text(&feed.config_kind),
            period_seconds: feed.period_seconds,
            provenance: feed.provenance.map(Provenance::from),
            name: feed.name,
            url: text(&feed.url),
        }
    }
}

#[cfg(test)]
mod tests {
    use posko_proto::common::v1 as common;

    use super::*;

    #[test]
    fn an_earthquake_is_in_the_units_that_people_use() {
        let quake = warning::Earthquake {
            epicenter: Some(common::Point {
                latitude_microdegrees: -6_850_000,
                longitude_microdegrees: 107_030_000,
            }),
            magnitude_hundredths: 560,
            depth_m: 11_000,
            ..Default::default()
        };
        let content = warning::Content {
            earthquake: Some(quake),
            ..Default::default()
        };
        let json = serde_json::to_value(Content::from(content)).unwrap();
        assert_eq!(
            json["earthquake"],
            serde_json::json!({
                "origin_time": null,
                "epicenter": {"latitude": -6.85, "longitude": 107.03},
                "magnitude": 5.6,
                "depth_m": 11_000,
                "potential": null,
                "felt": null,
            })
        );
        assert_eq!(json["severity"], serde_json::Value::Null);
    }

    #[test]
    fn a_feed_that_was_not_asked_yet_has_no_health() {
        let json = serde_json::to_value(Feed::from(warning::Feed {
            name: "bmkg".into(),
            ..Default::default()
        }))
        .unwrap();
        assert!(json["health"].is_null() && json["last_success_at"].is_null());
        let dead = warning::Feed {
            health: warning::FeedHealth::Dead.into(),
            ..Default::default()
        };
        assert_eq!(
            serde_json::to_value(Feed::from(dead)).unwrap()["health"],
            "dead"
        );
    }
}
