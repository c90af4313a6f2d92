//! Bulletins of InaTEWS, BMKG's tsunami early warning: an earthquake, where it was felt, and the coasts with their levels.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde_json::Value;
use thiserror::Error;

use crate::{
    MAX_DOCUMENT_BYTES,
    bmkg::{
        Earthquake, TsunamiPotential,
        earthquake::{
            DEPTH, MAGNITUDE, check_place, note_felt, parse_depth, parse_magnitude, read_moment,
        },
        parse_moment, tsunami_potential,
    },
    cap::{MsgType, Status},
    field::{FieldError, Fields},
    geometry::{PairError, read_pair},
    json,
    note::{NoteKind, Notes, Place, Read},
};

/// The fields of a bulletin, of its `info` and of a row of its `wzarea`.
const BULLETIN: &[&str] = &[
    "identifier",
    "sender",
    "sent",
    "status",
    "msgType",
    "scope",
    "code",
    "info",
];
const INFO: &[&str] = &[
    "event",
    "date",
    "time",
    "point",
    "latitude",
    "longitude",
    "magnitude",
    "depth",
    "area",
    "eventid",
    "potential",
    "subject",
    "headline",
    "description",
    "instruction",
    "shakemap",
    "felt",
    "timesent",
    "wzmap",
    "ttmap",
    "sshmap",
    "wzarea",
    "instruction1",
    "instruction2",
    "instruction3",
];
const AREA: &[&str] = &["province", "district", "level", "date", "time"];

/// The fields of `info` that are known and not kept: they repeat others, or name pictures and standing instructions.
const REPEATED: &[&str] = &[
    "eventid",
    "timesent",
    "wzmap",
    "ttmap",
    "sshmap",
    "instruction1",
    "instruction2",
    "instruction3",
];

/// Words by which a bulletin says that it is not real. `tes` alone is also the name of a place in Bengkulu.
const TEST_WORDS: &[&str] = &[
    "hanya tes",
    "ini tes",
    "fiktif",
    "latihan",
    "simulasi",
    "gladi",
];

/// Why a bulletin was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BulletinError {
    /// The document is larger than [`MAX_DOCUMENT_BYTES`].
    #[error("document of `{actual}` bytes is larger than the limit of `{limit}` bytes")]
    TooLarge {
        /// The size of the document in bytes.
        actual: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// The document is not JSON.
    #[error("bulletin is not readable at {at}: {reason}")]
    Json {
        /// Where it stops being readable.
        at: Place,
        /// What is wrong.
        reason: String,
    },
    /// A field is missing or wrong.
    #[error(transparent)]
    Field(#[from] FieldError),
}

/// One bulletin.
#[derive(Clone, Debug, PartialEq)]
pub struct Bulletin {
    /// BMKG's own identifier of the bulletin.
    pub identifier: String,
    /// When it was sent.
    pub sent: DateTime<Utc>,
    /// How it is to be handled; BMKG writes `TES` for a test.
    pub status: Status,
    /// What it does.
    pub msg_type: MsgType,
    /// What BMKG calls it, such as `Warning Tsunami PD-1`.
    pub subject: String,
    /// The headline.
    pub headline: String,
    /// The description.
    pub description: Option<String>,
    /// What people should do.
    pub instruction: Option<String>,
    /// What kind of bulletin it is.
    pub stage: Stage,
    /// The earthquake.
    pub earthquake: Earthquake,
    /// The coasts with their levels, each once, in BMKG's order.
    pub areas: Vec<TsunamiArea>,
}

/// What kind of bulletin it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// An earthquake, without a warning of a tsunami.
    Earthquake,
    /// A warning of a tsunami; BMKG numbers its bulletins on one event (`PD-1`, `PD-2` …), 0 if it does not.
    Warning(u8),
    /// The end of a warning of a tsunami.
    Ended,
}

/// The level of a coast: what its government is to do (InaTEWS).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TsunamiLevel {
    /// Keep away from the shore (`Waspada`), below half a meter.
    Waspada,
    /// Evacuate (`Siaga`), half a meter to three meters.
    Siaga,
    /// Evacuate everybody (`Awas`), above three meters.
    Awas,
}

/// One coast of a warning.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TsunamiArea {
    /// The province in BMKG's words.
    pub province: String,
    /// The coast in BMKG's words, such as a kab/kota or a part of one.
    pub district: String,
    /// Its level.
    pub level: TsunamiLevel,
    /// When the first wave is expected.
    pub arrival: DateTime<Utc>,
}

/// Reads one bulletin from a JSON document.
pub fn parse_bulletin(document: &[u8]) -> Result<Read<Bulletin>, BulletinError> {
    if document.len() > MAX_DOCUMENT_BYTES {
        return Err(BulletinError::TooLarge {
            actual: document.len(),
            limit: MAX_DOCUMENT_BYTES,
        });
    }
    let body = document.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(document);
    let value = json::read(body).map_err(|(at, reason)| BulletinError::Json { at, reason })?;
    Ok(read_bulletin(&value)?)
}

/// Reads one bulletin from its JSON.
pub(crate) fn read_bulletin(document: &Value) -> Result<Read<Bulletin>, FieldError> {
    let root = Fields::of(document, "", '.')?;
    let info = root.inside("info")?;
    let mut notes = Notes::default();
    root.note_others(BULLETIN, &mut notes);
    info.note_others(INFO, &mut notes);
    for name in REPEATED.iter().filter(|name| info.get(name).is_some()) {
        let text = "is not kept: it repeats others, or names what is read elsewhere";
        notes.add(NoteKind::Remark, info.path_of(name), None, text);
    }
    let status = root.read("status", "one of Actual, TES, Test, Exercise", read_status)?;
    let msg_type = root.read(
        "msgType",
        "one of Alert, Update, Cancel",
        MsgType::from_word,
    )?;
    let (subject, headline) = (info.required("subject")?, info.required("headline")?);
    let potential = info.optional("potential")?;
    let earthquake = Earthquake {
        origin_time: read_date_and_time(&info, "date", "time")?,
        lat: 0.0,
        lon: 0.0,
        magnitude_hundredths: info.read("magnitude", MAGNITUDE, parse_magnitude)?,
        depth_m: info.read("depth", DEPTH, parse_depth)?,
        region: info.required("area")?,
        potential: potential.clone(),
        felt: info.optional("felt")?,
        shakemap: info.optional("shakemap")?,
    };
    let (lat, lon) = read_point(&info)?;
    note_test_words(&info, status, &mut notes)?;
    if let Some(felt) = &earthquake.felt {
        note_felt(&info.path_of("felt"), felt, &mut notes);
    }
    if let Some(sent) = info.optional("timesent")?
        && parse_moment(&sent).is_err()
    {
        let text = "is no real time; `sent` is taken";
        notes.add(NoteKind::Breach, info.path_of("timesent"), None, text);
    }
    Ok(Read {
        value: Bulletin {
            identifier: root.required("identifier")?,
            sent: read_moment(&root, "sent")?,
            status,
            msg_type,
            stage: stage_of(&subject, &headline, potential.as_deref()),
            subject,
            headline,
            description: info.optional("description")?,
            instruction: info.optional("instruction")?,
            areas: read_areas(&info, &mut notes)?,
            earthquake: Earthquake {
                lat,
                lon,
                ..earthquake
            },
        },
        notes: notes.finish("info"),
    })
}

/// Notes a bulletin that calls itself real and says in words that it is not: BMKG has published such ones.
fn note_test_words(info: &Fields<'_>, status: Status, notes: &mut Notes) -> Result<(), FieldError> {
    for field in ["area", "headline", "description", "instruction"] {
        let text = info.optional(field)?.unwrap_or_default().to_lowercase();
        if status == Status::Actual && TEST_WORDS.iter().any(|words| text.contains(words)) {
            let text = "says that this is a test or an exercise, and `status` says `Actual`";
            notes.add(NoteKind::Breach, info.path_of(field), None, text);
        }
    }
    Ok(())
}

fn read_status(word: &str) -> Option<Status> {
    match word.to_uppercase().as_str() {
        // BMKG's own word for a test.
        "TES" => Some(Status::Test),
        _ => Status::from_word(word),
    }
}

/// Reads `point.coordinates`, which InaTEWS writes `lon,lat`, and holds it against `latitude` and `longitude`.
fn read_point(info: &Fields<'_>) -> Result<(f64, f64), FieldError> {
    const POINT: &str = "a point `lon,lat` with lon from -180 to 180 and lat from -90 to 90";
    let point = info.inside("point")?;
    let text = point.required("coordinates")?;
    let place = text
        .split_once(',')
        .ok_or(PairError::NotAPair)
        .and_then(|(lon, lat)| read_pair(lat.trim(), lon.trim()));
    let place = place.map_err(|error| match error {
        PairError::NotAPair => point.invalid("coordinates", &text, POINT),
        PairError::Swapped => point.invalid(
            "coordinates",
            &text,
            &format!("{POINT}: the two are swapped"),
        ),
    })?;
    check_place(info, "point.coordinates", place, "latitude", "longitude")?;
    Ok(place)
}

fn read_date_and_time(
    fields: &Fields<'_>,
    date: &'static str,
    time: &'static str,
) -> Result<DateTime<Utc>, FieldError> {
    let (day, clock) = (fields.required(date)?, fields.required(time)?);
    match parse_moment(&format!("{day} {clock}")) {
        Ok(moment) => Ok(moment.with_timezone(&Utc)),
        // Which of the two is at fault shows by giving it a good partner.
        Err(_) if parse_moment(&format!("{day} 00:00 WIB")).is_err() => {
            Err(fields.invalid(date, &day, "a real date"))
        }
        Err(_) => Err(fields.invalid(time, &clock, "a real time with a zone, such as `WIB`")),
    }
}

fn read_areas(info: &Fields<'_>, notes: &mut Notes) -> Result<Vec<TsunamiArea>, FieldError> {
    let mut seen = BTreeSet::new();
    let mut areas = Vec::new();
    for row in info.rows("wzarea")? {
        row.note_others(AREA, notes);
        let area = TsunamiArea {
            province: row.required("province")?,
            district: row.required("district")?,
            level: row.read("level", "one of Waspada, Siaga, Awas", read_level)?,
            arrival: read_date_and_time(&row, "date", "time")?,
        };
        if seen.insert(area.clone()) {
            areas.push(area);
        } else {
            let text = "says the same once more, and is taken once";
            notes.add(NoteKind::Breach, row.path_of("district"), None, text);
        }
    }
    Ok(areas)
}

fn read_level(word: &str) -> Option<TsunamiLevel> {
    match word.to_uppercase().as_str() {
        "WASPADA" => Some(TsunamiLevel::Waspada),
        "SIAGA" => Some(TsunamiLevel::Siaga),
        "AWAS" => Some(TsunamiLevel::Awas),
        _ => None,
    }
}

/// A bulletin that ends a warning still repeats the potential, so the end is looked for first.
fn stage_of(subject: &str, headline: &str, potential: Option<&str>) -> Stage {
    let (subject, headline) = (subject.to_lowercase(), headline.to_lowercase());
    let is_tsunami = subject.contains("tsunami") || headline.starts_with("peringatan dini tsunami");
    if is_tsunami && headline.contains("berakhir") {
        return Stage::Ended;
    }
    if is_tsunami || potential.map(tsunami_potential) == Some(TsunamiPotential::Possible) {
        let number = subject.rsplit_once("pd-").map(|(_, number)| number.trim());
        return Stage::Warning(number.and_then(|number| number.parse().ok()).unwrap_or(0));
    }
    Stage::Earthquake
}
