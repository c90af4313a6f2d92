//! The stable JSON of every answer: snake_case, ids as UUID text, times in RFC 3339 UTC, enums by `name`, absent as null.
//!
//! What it never does: translate, or leave a field out.

pub(crate) mod account;
pub(crate) mod directive;
pub(crate) mod federation;
pub(crate) mod import;
pub(crate) mod incident;
pub(crate) mod log;
pub(crate) mod site;
pub(crate) mod warning;

use chrono::{DateTime, SecondsFormat};
use posko_proto::{
    Id,
    common::v1::{self as common, LinkState},
    id::hex,
};
use prost_types::Timestamp;
use serde::Serialize;

use crate::name;

/// Returns an id as UUID text: nothing when empty, plain hex when it is no id.
pub(crate) fn id(bytes: &[u8]) -> Option<String> {
    match Id::try_from(bytes) {
        _ if bytes.is_empty() => None,
        Ok(id) => Some(id.to_string()),
        Err(_) => Some(hex(bytes)),
    }
}

/// Returns a time in RFC 3339 UTC: nothing when absent or outside of what RFC 3339 can write.
pub(crate) fn time(at: Option<&Timestamp>) -> Option<String> {
    let at = at?;
    let at = DateTime::from_timestamp(at.seconds, u32::try_from(at.nanos).ok()?)?;
    Some(at.to_rfc3339_opts(SecondsFormat::AutoSi, true))
}

/// Returns a text, or nothing when it is empty.
pub(crate) fn text(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.into())
}

/// Returns a position as `32@17.7f3a/48211`: origin, epoch, the first two bytes of its nonce, entry.
pub(crate) fn position(position: &common::Position) -> String {
    let nonce = position
        .epoch_nonce
        .get(..2)
        .unwrap_or(&position.epoch_nonce);
    format!(
        "{}@{}.{}/{}",
        position.origin,
        position.epoch_no,
        hex(nonce),
        position.seq
    )
}

/// A point in decimal degrees.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Point {
    latitude: f64,
    longitude: f64,
}

impl From<common::Point> for Point {
    fn from(point: common::Point) -> Self {
        Self {
            latitude: f64::from(point.latitude_microdegrees) / 1e6,
            longitude: f64::from(point.longitude_microdegrees) / 1e6,
        }
    }
}

/// A place.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Place {
    region_code: Option<String>,
    point: Option<Point>,
    code_set: Option<String>,
}

impl From<common::Place> for Place {
    fn from(place: common::Place) -> Self {
        Self {
            region_code: text(&place.region_code),
            point: place.point.map(Point::from),
            code_set: text(&place.code_set),
        }
    }
}

/// What a command recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Outcome {
    /// The thing.
    pub(crate) stream_id: Option<String>,
    /// Its version now.
    pub(crate) version: u32,
    event_ids: Vec<Option<String>>,
    /// Where it stands in the log.
    pub(crate) position: Option<String>,
    /// The command's id, also when it was made here.
    command_id: String,
}

impl Outcome {
    /// Returns the first event that was recorded.
    pub(crate) fn first_event(&self) -> Option<&str> {
        self.event_ids.first()?.as_deref()
    }

    /// Returns the outcome of a command.
    pub(crate) fn new(command: Id, outcome: &common::Outcome) -> Self {
        Self {
            stream_id: id(&outcome.stream_id),
            version: outcome.version,
            event_ids: outcome.event_ids.iter().map(|event| id(event)).collect(),
            position: outcome.position.as_ref().map(position),
            command_id: command.to_string(),
        }
    }
}

/// Whose a fact is, and how fresh the picture of that owner is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Provenance {
    origin: String,
    recorded_at: Option<String>,
    heard_at: Option<String>,
    link: String,
    disputed: bool,
}

impl From<common::Provenance> for Provenance {
    fn from(provenance: common::Provenance) -> Self {
        Self {
            recorded_at: time(provenance.recorded_at.as_ref()),
            heard_at: time(provenance.heard_at.as_ref()),
            link: link(provenance.link),
            disputed: provenance.disputed,
            origin: provenance.origin,
        }
    }
}

/// Returns the state of a link; what the node did not say is unknown.
pub(crate) fn link(number: i32) -> String {
    name::of::<LinkState>(number).unwrap_or_else(|| "unknown".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_origin_epoch_nonce_and_entry() {
        let at = common::Position {
            origin: "32".into(),
            epoch_no: 17,
            epoch_nonce: vec![0x7f, 0x3a, 0x99, 0x01],
            seq: 48_211,
            hash: vec![1; 32],
        };
        assert_eq!(position(&at), "32@17.7f3a/48211");
        assert_eq!(
            position(&common::Position {
                origin: "32".into(),
                ..Default::default()
            }),
            "32@0./0"
        );
    }

    #[test]
    fn ids_are_uuid_text_and_nothing_when_empty() {
        assert_eq!(
            id(&[7; 16]).as_deref(),
            Some("07070707-0707-0707-0707-070707070707")
        );
        assert_eq!(id(&[]), None);
        assert_eq!(id(&[0xab, 1]).as_deref(), Some("ab01"));
    }

    #[test]
    fn times_are_rfc_3339_utc() {
        let at = |seconds, nanos| time(Some(&Timestamp { seconds, nanos }));
        assert_eq!(
            at(1_669_011_669, 0).as_deref(),
            Some("2022-11-21T06:21:09Z")
        );
        assert_eq!(
            at(1_669_011_669, 250_000_000).as_deref(),
            Some("2022-11-21T06:21:09.250Z")
        );
        assert_eq!(at(i64::MAX, 0), None);
        assert_eq!(at(0, -1), None);
        assert_eq!(time(None), None);
    }

    #[test]
    fn an_outcome_names_its_command() {
        let outcome = common::Outcome {
            stream_id: vec![1; 16],
            version: 2,
            event_ids: vec![vec![3; 16]],
            position: None,
        };
        assert_eq!(
            serde_json::to_value(Outcome::new(Id([9; 16]), &outcome)).unwrap(),
            serde_json::json!({
                "stream_id": "01010101-0101-0101-0101-010101010101",
                "version": 2,
                "event_ids": ["03030303-0303-0303-0303-030303030303"],
                "position": null,
                "command_id": "09090909-0909-0909-0909-090909090909",
            })
        );
    }

    #[test]
    fn a_link_that_was_not_told_is_unknown() {
        assert_eq!(link(0), "unknown");
        assert_eq!(link(LinkState::Live.into()), "live");
    }

    #[test]
    fn a_point_is_in_degrees() {
        let point = common::Point {
            latitude_microdegrees: -6_850_000,
            longitude_microdegrees: 107_030_000,
        };
        assert_eq!(
            Point::from(point),
            Point {
                latitude: -6.85,
                longitude: 107.03
            }
        );
    }
}
