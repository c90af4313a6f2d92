//! Volcanoes: a level above Normal warns what lies around the crater.
//!
//! PVMBG's levels come without identifiers or references. So their rule is that of the volcano: a level above Normal begins a
//! warning, another level or another day updates it, and Normal takes it back. Without a reading it holds for 7 days.

use chrono::{DateTime, TimeDelta, Utc};
use posko_domain::{
    region::{self, Point},
    warning::{Said, locate},
};
use posko_formats::{
    bmkg::MAX_AHEAD,
    station::{self, Level, Reading},
};
use posko_proto::{
    common::v1::Hazard,
    warning::v1::{
        AlertStatus, Area, Certainty, Circle, Content, Severity, Source, Text, Urgency,
        VolcanoLevel, VolcanoReading,
    },
};

use crate::intake::wanted::{Effect, Judged, Wanted, millis};

/// How long a level holds without being told again.
const HOLDS: TimeDelta = TimeDelta::days(7);

/// What is taken as lying around a crater, in meters. PVMBG says for each eruption how far to keep away; this only finds
/// the kab/kota that are near.
const AROUND_M: u32 = 10_000;

/// The volcanoes in and beside the three provinces whose levels PVMBG publishes, by their names without blanks, and where
/// their craters are (Global Volcanism Program).
const VOLCANOES: [(&str, &str, f64, f64); 9] = [
    ("anakkrakatau", "Anak Krakatau", -6.102, 105.423),
    ("krakatau", "Anak Krakatau", -6.102, 105.423),
    ("salak", "Salak", -6.72, 106.73),
    ("gede", "Gede", -6.77, 106.965),
    ("tangkubanparahu", "Tangkubanparahu", -6.77, 107.60),
    ("guntur", "Guntur", -7.143, 107.84),
    ("papandayan", "Papandayan", -7.32, 107.73),
    ("galunggung", "Galunggung", -7.25, 108.058),
    ("ciremai", "Ciremai", -6.892, 108.40),
];

/// Judges the readings of one volcano, of which the newest counts.
pub(super) fn judge(readings: &[&Reading], now: DateTime<Utc>) -> Judged {
    let Some(newest) = readings.iter().max_by_key(|reading| reading.time) else {
        return Judged::Nothing("there is no reading".into());
    };
    let Level::Volcano(level) = newest.level else {
        return Judged::Refused(format!("`{}` is no volcano", newest.station));
    };
    let at = newest.time;
    if at.signed_duration_since(now) > MAX_AHEAD {
        return Judged::Refused(format!(
            "the level of `{}` is of `{}`, which lies more than `5` minutes after now",
            newest.station,
            at.to_rfc3339()
        ));
    }
    let wanted: String = newest
        .station
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric())
        .collect();
    let wanted = wanted.strip_prefix("gunung").unwrap_or(&wanted);
    let Some((key, name, lat, lon)) = VOLCANOES.iter().find(|(key, ..)| *key == wanted) else {
        return Judged::Outside;
    };
    let content = content_of(name, (*lat, *lon), level, at);
    // Krakatau is known by two names.
    let key = format!("volcano/{}/", key.trim_start_matches("anak"));
    let identifier = format!(
        "{key}{}",
        at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
    );
    Judged::of(Wanted::of(
        Source::Volcano,
        "PVMBG",
        identifier,
        content,
        Effect::Station {
            key,
            warns: level != station::VolcanoLevel::Normal,
        },
    ))
}

fn content_of(
    name: &str,
    (lat, lon): (f64, f64),
    level: station::VolcanoLevel,
    at: DateTime<Utc>,
) -> Content {
    let (wire, severity, word, roman) = match level {
        station::VolcanoLevel::Normal => (VolcanoLevel::Normal, Severity::Minor, "Normal", "I"),
        station::VolcanoLevel::Waspada => {
            (VolcanoLevel::Waspada, Severity::Moderate, "Waspada", "II")
        }
        station::VolcanoLevel::Siaga => (VolcanoLevel::Siaga, Severity::Severe, "Siaga", "III"),
        station::VolcanoLevel::Awas => (VolcanoLevel::Awas, Severity::Extreme, "Awas", "IV"),
    };
    let mut area = Area {
        description: format!(
            "{} km dari kawah; jarak yang dianjurkan ditetapkan PVMBG",
            AROUND_M / 1000
        ),
        circles: vec![Circle {
            center: Some(Point::from_degrees(lat, lon).into()),
            radius_m: AROUND_M,
        }],
        ..Area::default()
    };
    locate(&mut area, &Said::default());
    Content {
        status: AlertStatus::Actual.into(),
        hazard: Hazard::Volcano.into(),
        severity: severity.into(),
        urgency: Urgency::Expected.into(),
        certainty: Certainty::Observed.into(),
        sent_at: Some(millis(&at).into()),
        expires_at: Some(millis(&(at + HOLDS)).into()),
        headline: format!("Gunung {name} Level {roman} ({word})"),
        language: "id".into(),
        areas: vec![area],
        event: format!("Level {roman} ({word})"),
        texts: vec![Text {
            language: "en".into(),
            event: format!("Level {roman} ({word})"),
            headline: format!("Mount {name} at level {roman} ({word})"),
            ..Text::default()
        }],
        volcano: Some(VolcanoReading {
            name: name.into(),
            level: wire.into(),
            read_at: Some(millis(&at).into()),
        }),
        code_set: region::CODE_SET.into(),
        ..Content::default()
    }
}
