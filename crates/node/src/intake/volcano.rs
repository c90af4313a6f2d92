//! Volcanoes: a level above Normal warns what lies around the crater.
//!
//! PVMBG's levels come without identifiers or references. So their rule is that of the volcano: a level above Normal begins a
//! warning, another level or another day updates it, and Normal takes it back. Without a reading it holds for 7 days.
//! A volcano elsewhere in Indonesia is outside; a name that is none of any volcano is refused, since it may be ours.

use chrono::{DateTime, TimeDelta, Utc};
use posko_domain::{
    region::{self, NamedVolcano, Point, Volcano, volcano_named},
    warning::{Said, locate},
};
use posko_formats::{
    bmkg::MAX_AHEAD,
    quote,
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

/// Returns what tells the readings of one volcano from those of others, however the table spells it.
pub(super) fn key_of(name: &str) -> String {
    match volcano_named(name) {
        NamedVolcano::One(volcano) => volcano.key().to_owned(),
        NamedVolcano::Several(_) | NamedVolcano::Unknown(_) => name.to_lowercase(),
    }
}

/// Returns the volcano that a table names; one that nobody knows may be ours.
fn find(name: &str) -> Result<&'static Volcano, String> {
    let list = |volcanoes: Vec<&Volcano>| {
        let names = volcanoes.into_iter().map(|volcano| volcano.name);
        let names: Vec<_> = names.map(|name| format!("`{name}`")).collect();
        names.join(", ")
    };
    let shown = quote(name);
    match volcano_named(name) {
        NamedVolcano::One(volcano) => Ok(volcano),
        NamedVolcano::Several(volcanoes) => Err(format!(
            "`{shown}` may be any of the volcanoes {}",
            list(volcanoes)
        )),
        NamedVolcano::Unknown(like) if like.is_empty() => {
            Err(format!("`{shown}` is no volcano that is known"))
        }
        NamedVolcano::Unknown(like) => Err(format!(
            "`{shown}` is no volcano that is known; did you mean {}?",
            list(like)
        )),
    }
}

/// Judges the readings of one volcano, of which the newest counts.
pub(super) fn judge(readings: &[&Reading], now: DateTime<Utc>) -> Judged {
    let Some(newest) = readings.iter().max_by_key(|reading| reading.time) else {
        return Judged::Nothing("there is no reading".into());
    };
    let Level::Volcano(level) = newest.level else {
        return Judged::Refused(format!("`{}` is no volcano", quote(&newest.station)));
    };
    let at = newest.time;
    if at.signed_duration_since(now) > MAX_AHEAD {
        return Judged::Refused(format!(
            "the level of `{}` is of `{}`, which lies more than `5` minutes after now",
            quote(&newest.station),
            at.to_rfc3339()
        ));
    }
    let volcano = match find(&newest.station) {
        Ok(volcano) => volcano,
        Err(reason) => return Judged::Refused(reason),
    };
    let Some(crater) = volcano.crater else {
        return Judged::Outside;
    };
    let warns = level != station::VolcanoLevel::Normal;
    if warns && now.signed_duration_since(at) > HOLDS {
        return Judged::Refused(format!(
            "the level of `{}` is of `{}`, which is more than `7` days ago: its warning is over",
            volcano.name,
            at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
        ));
    }
    let content = content_of(volcano, crater, level, at);
    // Krakatau was known by that name before.
    let key = format!("volcano/{}/", volcano.key().trim_start_matches("anak"));
    let identifier = format!(
        "{key}{}",
        at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
    );
    Judged::of(Wanted::of(
        Source::Volcano,
        "PVMBG",
        identifier,
        content,
        Effect::Station { key, warns },
    ))
}

fn content_of(
    volcano: &Volcano,
    crater: Point,
    level: station::VolcanoLevel,
    at: DateTime<Utc>,
) -> Content {
    let name = volcano.name;
    let (wire, severity, word, roman) = match level {
        station::VolcanoLevel::Normal => (VolcanoLevel::Normal, Severity::Minor, "Normal", "I"),
        station::VolcanoLevel::Waspada => {
            (VolcanoLevel::Waspada, Severity::Moderate, "Waspada", "II")
        }
        station::VolcanoLevel::Siaga => (VolcanoLevel::Siaga, Severity::Severe, "Siaga", "III"),
        station::VolcanoLevel::Awas => (VolcanoLevel::Awas, Severity::Extreme, "Awas", "IV"),
    };
    let mut around = Area {
        description: format!(
            "{} km dari kawah; jarak yang dianjurkan ditetapkan PVMBG",
            AROUND_M / 1000
        ),
        circles: vec![Circle {
            center: Some(crater.into()),
            radius_m: AROUND_M,
        }],
        ..Area::default()
    };
    locate(&mut around, &Said::default());
    let mut areas = vec![around];
    areas.extend(across_of(volcano));
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
        areas,
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

/// Returns the coasts across the water that a volcano at sea warns.
fn across_of(volcano: &Volcano) -> Option<Area> {
    let mut area = Area {
        description: format!("pesisir di seberang Gunung {}", volcano.name),
        region_codes: volcano.across.iter().map(|code| (*code).into()).collect(),
        ..Area::default()
    };
    locate(&mut area, &Said::default());
    for found in &mut area.regions {
        // The coast, and not all of the kab/kota.
        found.partly = true;
    }
    (!area.regions.is_empty()).then_some(area)
}
