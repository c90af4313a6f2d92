//! BMKG's earthquakes in our words.
//!
//! The severity is our own rule, because BMKG gives none: from magnitude 7 extreme, from 6 severe, from 5 moderate, else minor.
//! An earthquake has happened when it is published: certainty *observed*, urgency *past*, sent at its origin time.
//! BMKG gives no identifier and refers to nothing. So its rule is that of the ground: what began in the same minute within
//! 100 km is the same earthquake, from whichever list or bulletin, and what is said last of it counts.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, Datelike as _, FixedOffset, SecondsFormat, Utc};
use posko_domain::{
    region::{self, Point},
    warning::{felt, locate_epicenter, template::MONTHS_ID},
};
use posko_formats::{
    Note,
    bmkg::{self, Earthquake, Felt},
};
use posko_proto::{
    common::v1::Hazard,
    time::Millis,
    warning::v1::{self, AlertStatus, Area, Certainty, Content, Severity, Source, Urgency},
};

use crate::intake::{
    PUBLISHER,
    wanted::{Effect, Judged, Wanted, notes_of},
};

/// How near the border of a kab/kota must be for an earthquake at sea to be placed beside it, in kilometers.
const PLACED_WITHIN_KM: f64 = 50.0;

/// How many earthquakes are remembered for what other lists say of them.
const REMEMBERED: usize = 1_000;

/// Words that mark what is no real earthquake: BMKG has published tests as rows like any other.
const TEST_WORDS: &[&str] = &["test", "testing", "ujicoba", "fiktif", "dummy"];

/// Phrases that do so. `tes` alone does not, because it is also the name of a place in Bengkulu.
const TEST_PHRASES: &[&str] = &["hanya tes", "ini tes", "sekadar tes", "uji coba"];

/// Words that mark an exercise.
const EXERCISE_WORDS: &[&str] = &[
    "latihan",
    "simulasi",
    "gladi",
    "drill",
    "exercise",
    "rehearsal",
];

/// Returns the identifier of an earthquake: BMKG gives none, and no two begin in the same second.
pub(super) fn identifier_of(earthquake: &Earthquake) -> String {
    format!(
        "bmkg/{}",
        earthquake
            .origin_time
            .to_rfc3339_opts(SecondsFormat::Secs, true)
    )
}

/// What other lists have said of an earthquake: not every list says where it was felt, and none takes that back.
#[derive(Debug, Default)]
pub(super) struct Known(Mutex<BTreeMap<String, String>>);

impl Known {
    /// Adds to an earthquake what another list said of it, and remembers what this one says.
    pub(super) fn complete(&self, earthquake: &mut Earthquake) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let identifier = identifier_of(earthquake);
        match &earthquake.felt {
            Some(felt) => {
                known.insert(identifier, felt.clone());
            }
            None => earthquake.felt = known.get(&identifier).cloned(),
        }
        // The identifier begins with the time, so the first is the oldest.
        while known.len() > REMEMBERED {
            known.pop_first();
        }
    }
}

/// Judges a row: to be taken, too far from every kab/kota of the region, or refused by name.
pub(super) fn judge(
    earthquake: &Earthquake,
    notes: &[Note],
    radius_km: u32,
    now: DateTime<Utc>,
) -> Judged {
    if let Err(error) = bmkg::check_not_future(earthquake, now) {
        return Judged::Refused(error.to_string());
    }
    if !is_near(earthquake, radius_km) {
        return Judged::Outside;
    }
    let content = content_of(earthquake, notes);
    let identifier = identifier_of(earthquake);
    Judged::of(Wanted::of(
        Source::BmkgEarthquake,
        PUBLISHER,
        identifier,
        content,
        Effect::Event,
    ))
}

/// Says whether an earthquake is near enough to the three provinces to be kept.
pub(super) fn is_near(earthquake: &Earthquake, radius_km: u32) -> bool {
    let (_, distance_km) = region::nearest_regency(earthquake.lat, earthquake.lon);
    distance_km <= f64::from(radius_km)
}

/// Returns what is said of an earthquake in the contract's words.
pub(super) fn facts_of(earthquake: &Earthquake) -> v1::Earthquake {
    v1::Earthquake {
        origin_time: Some(Millis(earthquake.origin_time.timestamp_millis()).into()),
        epicenter: Some(Point::from_degrees(earthquake.lat, earthquake.lon).into()),
        magnitude_hundredths: earthquake.magnitude_hundredths,
        depth_m: earthquake.depth_m,
        potential: earthquake.potential.clone().unwrap_or_default(),
        felt: earthquake.felt.clone().unwrap_or_default(),
    }
}

/// Returns the places where an earthquake was felt, the strongest first as BMKG has them.
pub(super) fn felt_of(earthquake: &Earthquake) -> Vec<v1::FeltPlace> {
    let Felt { places, .. } = bmkg::felt_places(earthquake.felt.as_deref().unwrap_or_default());
    places
        .iter()
        .map(|place| felt(&place.place, place.mmi_from, place.mmi_to))
        .collect()
}

fn content_of(earthquake: &Earthquake, notes: &[Note]) -> Content {
    let origin_time = Millis(earthquake.origin_time.timestamp_millis());
    let mut area = Area {
        description: earthquake.region.clone(),
        ..Area::default()
    };
    let epicenter = Point::from_degrees(earthquake.lat, earthquake.lon);
    locate_epicenter(&mut area, epicenter, PLACED_WITHIN_KM);
    Content {
        status: status_of(earthquake).into(),
        hazard: Hazard::Earthquake.into(),
        severity: severity_of(earthquake.magnitude_hundredths).into(),
        urgency: Urgency::Past.into(),
        certainty: Certainty::Observed.into(),
        sent_at: Some(origin_time.into()),
        effective_at: None,
        expires_at: None,
        headline: format!(
            "Gempa bumi M {}, {}",
            magnitude(earthquake.magnitude_hundredths),
            earthquake.region
        ),
        description: describe(earthquake),
        instruction: String::new(),
        language: "id".into(),
        web: String::new(),
        areas: vec![area],
        earthquake: Some(facts_of(earthquake)),
        event: "Gempa bumi".into(),
        felt_places: felt_of(earthquake),
        notes: notes_of(notes),
        code_set: region::CODE_SET.into(),
        ..Content::default()
    }
}

pub(super) fn severity_of(magnitude_hundredths: i32) -> Severity {
    match magnitude_hundredths {
        700.. => Severity::Extreme,
        600.. => Severity::Severe,
        500.. => Severity::Moderate,
        _ => Severity::Minor,
    }
}

/// Returns *actual* unless the publisher's own words say that it is a test or an exercise.
fn status_of(earthquake: &Earthquake) -> AlertStatus {
    // Where it was felt is a list of places, and a place may be called anything.
    let said = format!(
        "{} {}",
        earthquake.region,
        earthquake.potential.as_deref().unwrap_or_default()
    );
    status_by_words(&said)
}

/// Returns *test* or *exercise* when a publisher's words say so, else *actual*.
pub(super) fn status_by_words(said: &str) -> AlertStatus {
    test_mark(said).map_or(AlertStatus::Actual, |(status, _)| status)
}

/// Returns by which word a publisher says that it is a test or an exercise, and which of them it is.
pub(super) fn test_mark(said: &str) -> Option<(AlertStatus, &'static str)> {
    let said = said.to_lowercase();
    let words: Vec<&str> = said
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let marked = |marks: &[&'static str]| marks.iter().copied().find(|mark| words.contains(mark));
    if let Some(mark) = marked(EXERCISE_WORDS) {
        return Some((AlertStatus::Exercise, mark));
    }
    let prose = words.join(" ");
    let phrase = || {
        TEST_PHRASES
            .iter()
            .copied()
            .find(|phrase| prose.contains(phrase))
    };
    let begins = || said.starts_with("tes ").then_some("tes");
    let mark = marked(TEST_WORDS).or_else(begins).or_else(phrase)?;
    Some((AlertStatus::Test, mark))
}

/// Says in Bahasa Indonesia what happened, from the row's facts alone.
fn describe(earthquake: &Earthquake) -> String {
    let Earthquake { lat, lon, .. } = earthquake;
    let mut text = format!(
        "Gempa bumi berkekuatan M {} terjadi pada {}, berpusat di {} {}, {} {}, pada kedalaman {} km. Lokasi: {}.",
        magnitude(earthquake.magnitude_hundredths),
        local_time(earthquake.origin_time),
        decimal(lat.abs()),
        if *lat < 0.0 { "LS" } else { "LU" },
        decimal(lon.abs()),
        if *lon < 0.0 { "BB" } else { "BT" },
        decimal(f64::from(earthquake.depth_m) / 1000.0),
        earthquake.region.trim_end_matches('.'),
    );
    for (label, said) in [
        ("Dirasakan (MMI)", &earthquake.felt),
        ("Potensi", &earthquake.potential),
    ] {
        if let Some(said) = said {
            // Writing into a string cannot fail.
            let _ = write!(
                text,
                " {label}: {}.",
                said.trim_end_matches(['.', ',', ' '])
            );
        }
    }
    text.push_str(" Sumber: BMKG.");
    text
}

/// Returns the time in Waktu Indonesia Barat as people write it: `21 November 2022 pukul 13.21.09 WIB`.
pub(super) fn local_time(time: DateTime<Utc>) -> String {
    const WIB_SECONDS: i32 = 7 * 3600;
    let Some(wib) = FixedOffset::east_opt(WIB_SECONDS) else {
        return time.to_rfc3339();
    };
    let time = time.with_timezone(&wib);
    let month = MONTHS_ID
        .get(time.month0() as usize)
        .copied()
        .unwrap_or_default();
    format!(
        "{} {month} {} pukul {} WIB",
        time.day(),
        time.year(),
        time.format("%H.%M.%S")
    )
}

fn magnitude(hundredths: i32) -> String {
    let text = decimal(f64::from(hundredths) / 100.0);
    if text.contains(',') {
        text
    } else {
        format!("{text},0")
    }
}

/// Returns the number with at most two decimals and a decimal comma.
fn decimal(number: f64) -> String {
    let text = format!("{number:.2}");
    text.trim_end_matches('0')
        .trim_end_matches('.')
        .replace('.', ",")
}
