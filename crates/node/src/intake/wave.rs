//! A gauge's water on its way down the river: how a warning of it begins, rises, falls and ends.
//!
//! What has passed the gauge is still to come downstream. So the water's fall at the gauge ends nothing at once: it comes to
//! each place after the same time as the water did.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use posko_domain::region;
use posko_proto::{
    time::Millis,
    warning::v1::{Area, Content, GaugeReading, Severity, Siaga, Text},
};
use prost_types::Timestamp;

use crate::intake::{
    earthquake::local_time,
    gauge::{centimeters, in_english, severity_of},
};

/// Says whether the water of a warning is known to fall at its gauge, and is only under way.
pub(super) fn recedes(content: &Content) -> bool {
    severity_of(reading(content).siaga()) != content.severity()
}

/// Returns a warning of a gauge with a newer reading of the same level or a graver: what was announced to come first still
/// comes first.
pub(super) fn risen(held: &Content, newer: &Content) -> Content {
    let mut content = newer.clone();
    for area in &mut content.areas {
        let before = held
            .areas
            .iter()
            .find(|held| held.region_codes == area.region_codes);
        let before = before.and_then(|held| time(held.arrival_at.as_ref()));
        let first = before
            .into_iter()
            .chain(time(area.arrival_at.as_ref()))
            .min();
        area.arrival_at = first.map(Into::into);
    }
    written(content)
}

/// Returns a warning of a gauge whose water has fallen below its level: as grave as it was, until the fall has come to the
/// last place. With nothing downstream nothing is under way.
pub(super) fn fallen(held: &Content, newer: &Content) -> Option<Content> {
    let passed = newer.areas.iter();
    let passed = passed.filter_map(|area| time(area.arrival_at.as_ref()));
    let passed = passed.filter(|at| Some(*at) > time(newer.sent_at.as_ref()));
    let content = Content {
        sent_at: newer.sent_at,
        expires_at: Some(passed.max()?.into()),
        gauge: newer.gauge.clone(),
        carried_by: newer.carried_by.clone(),
        ..held.clone()
    };
    Some(written(content))
}

/// Writes the texts of a gauge's warning from its reading and its areas.
pub(super) fn written(content: Content) -> Content {
    let GaugeReading {
        station,
        river,
        level_mm,
        read_at,
        ..
    } = reading(&content);
    let (level, at) = (centimeters(level_mm), instant(read_at.as_ref()));
    let siaga = roman(content.severity());
    let (indonesian, english) = arrivals(&content.areas);
    let (headlines, descriptions) = if recedes(&content) {
        let end = instant(content.expires_at.as_ref());
        (
            [
                format!("{station} surut ke {level}; air Siaga {siaga} masih di perjalanan"),
                format!("{station} fell to {level}; the water of Siaga {siaga} is still under way"),
            ],
            [
                format!(
                    "Tinggi muka air {river} di {station} surut ke {level} pada {}. Air setinggi Siaga {siaga} masih di perjalanan sampai sekitar {}. Perkiraan tiba di hilir:{indonesian}",
                    local_time(at),
                    local_time(end)
                ),
                format!(
                    "The {river} at {station} fell to {level} at {}. The water of Siaga {siaga} is still under way until about {}. Expected downstream:{english}",
                    in_english(at),
                    in_english(end)
                ),
            ],
        )
    } else {
        (
            [
                format!("{station} Siaga {siaga}: {level}"),
                format!("{station} at Siaga {siaga}: {level}"),
            ],
            [
                format!(
                    "Tinggi muka air {river} di {station} {level} pada {}, Siaga {siaga}. Perkiraan tiba di hilir:{indonesian}",
                    local_time(at)
                ),
                format!(
                    "The {river} at {station} stood at {level} at {}, Siaga {siaga}. Expected downstream:{english}",
                    in_english(at)
                ),
            ],
        )
    };
    let [headline, english_headline] = headlines;
    let [description, english_description] = descriptions;
    let event = format!("Siaga {siaga}");
    Content {
        headline,
        description,
        event: event.clone(),
        texts: vec![Text {
            language: "en".into(),
            event,
            headline: english_headline,
            description: english_description,
            ..Text::default()
        }],
        ..content
    }
}

/// Returns when the water is expected where, in both languages.
fn arrivals(areas: &[Area]) -> (String, String) {
    let (mut indonesian, mut english) = (String::new(), String::new());
    for area in areas {
        let code = area.region_codes.first().map_or("", String::as_str);
        let place = region::find(code).map_or(code, |region| region.name);
        let at = instant(area.arrival_at.as_ref());
        // Writing into a string cannot fail.
        let _ = write!(indonesian, " {place}: sekitar {}.", local_time(at));
        let _ = write!(english, " {place}: about {}.", in_english(at));
    }
    (indonesian, english)
}

/// Returns the level by how grave it is.
fn roman(severity: Severity) -> &'static str {
    match severity {
        Severity::Extreme => "I",
        Severity::Severe => "II",
        Severity::Moderate => "III",
        Severity::Minor => "IV",
        Severity::Unspecified => "-",
    }
}

fn reading(content: &Content) -> GaugeReading {
    content.gauge.clone().unwrap_or_default()
}

fn time(at: Option<&Timestamp>) -> Option<Millis> {
    at.and_then(|at| Millis::try_from(at).ok())
}

fn instant(at: Option<&Timestamp>) -> DateTime<Utc> {
    let at = time(at).map(|at| at.0).unwrap_or_default();
    DateTime::from_timestamp_millis(at).unwrap_or_default()
}

/// Says whether a level is reached at all.
pub(super) fn is_reached(content: &Content) -> bool {
    reading(content).siaga() != Siaga::Unspecified
}

/// Says what a reading was found to be.
pub(super) fn told(content: &Content) -> String {
    let level = centimeters(reading(content).level_mm);
    if is_reached(content) {
        format!("reads `{level}`, Siaga `{}`", roman(content.severity()))
    } else {
        format!("reads `{level}`, below every level")
    }
}

/// Says that what was announced is under way, and until when.
pub(super) fn told_under_way(fallen: &Content) -> String {
    let end = in_english(instant(fallen.expires_at.as_ref()));
    format!("what was announced is under way until `{end}`")
}
