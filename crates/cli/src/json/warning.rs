//! Warnings and feeds in JSON.

use posko_proto::{common::v1::Hazard, warning::v1 as warning};
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
    notes: Vec<Note>,
    recorded_at: Option<String>,
    provenance: Option<Provenance>,
    content: Content,
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
            incident_id: super::id(&warning.incident_id),
            notes: warning.notes.into_iter().map(Note::from).collect(),
            recorded_at: time(warning.recorded_at.as_ref()),
            provenance: warning.provenance.map(Provenance::from),
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
    areas: Vec<Area>,
    earthquake: Option<Earthquake>,
    texts: Vec<Text>,
    sender: Option<String>,
    message_identifier: Option<String>,
    replaces: Vec<MessageRef>,
    channel: Option<String>,
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
            areas: content.areas.into_iter().map(Area::from).collect(),
            earthquake: content.earthquake.map(Earthquake::from),
            texts: content.texts.into_iter().map(Text::from).collect(),
            sender: text(&content.sender),
            message_identifier: text(&content.message_identifier),
            replaces: content.replaces.into_iter().map(MessageRef::from).collect(),
            channel: name::of::<warning::Channel>(content.channel),
        }
    }
}

/// What is said in one language.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Text {
    language: String,
    headline: Option<String>,
    description: Option<String>,
    instruction: Option<String>,
}

impl From<warning::Text> for Text {
    fn from(said: warning::Text) -> Self {
        Self {
            headline: text(&said.headline),
            description: text(&said.description),
            instruction: text(&said.instruction),
            language: said.language,
        }
    }
}

/// One message of a publisher.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct MessageRef {
    sender: String,
    identifier: String,
    sent_at: Option<String>,
}

impl From<warning::MessageRef> for MessageRef {
    fn from(message: warning::MessageRef) -> Self {
        Self {
            sent_at: time(message.sent_at.as_ref()),
            sender: message.sender,
            identifier: message.identifier,
        }
    }
}

/// A text that belongs to a report.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Note {
    event_id: Option<String>,
    written_at: Option<String>,
    text: Option<String>,
    withdrawn: bool,
}

impl From<warning::WarningNote> for Note {
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
    polygons: Vec<Vec<Point>>,
    circles: Vec<Circle>,
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

/// A feed and its health; a health that is null was not asked for yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Feed {
    name: String,
    kind: Option<String>,
    url: String,
    health: Option<String>,
    since: Option<String>,
    last_success_at: Option<String>,
    last_error: Option<String>,
    taken: u64,
    refused: u64,
    outside: u64,
}

impl From<warning::Feed> for Feed {
    fn from(feed: warning::Feed) -> Self {
        Self {
            kind: name::of::<warning::Source>(feed.kind),
            health: name::of::<warning::FeedHealth>(feed.health),
            since: time(feed.since.as_ref()),
            last_success_at: time(feed.last_success_at.as_ref()),
            last_error: text(&feed.last_error),
            taken: feed.taken,
            refused: feed.refused,
            outside: feed.outside,
            name: feed.name,
            url: feed.url,
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
