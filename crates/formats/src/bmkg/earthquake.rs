//! BMKG's earthquake lists, in JSON and in XML.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::{Map, Value};
use thiserror::Error;

use crate::{
    MAX_DOCUMENT_BYTES,
    bmkg::{MomentError, felt_places, parse_moment},
    field::{FieldError, Fields, json_fault},
    geometry::{PairError, read_pair},
    json::Plain,
    note::{Note, NoteKind, Notes, Place, Read},
    text::{parse_decimal, parse_latitude, parse_longitude, quote},
    xml::{self, Document, Element, XmlError},
};

/// The most rows of one earthquake list; BMKG publishes 15.
pub const MAX_ROWS: usize = 10_000;

/// How far a publisher's clock may run ahead of ours, 5 minutes.
pub const MAX_AHEAD: TimeDelta = TimeDelta::minutes(5);

/// How far apart `DateTime` and `Tanggal` with `Jam` may be before it is noted: BMKG rounds to seconds.
const SAME_MOMENT: TimeDelta = TimeDelta::seconds(60);

/// The fields of a row; what else stands in one is counted and named.
const FIELDS: &[&str] = &[
    "Tanggal",
    "Jam",
    "DateTime",
    "Coordinates",
    "Lintang",
    "Bujur",
    "Magnitude",
    "Kedalaman",
    "Wilayah",
    "Potensi",
    "Dirasakan",
    "Shakemap",
];

const TIME: &str = "a real time of RFC 3339, with its zone";
const PAIR: &str = "a pair `lat,lon` with lat from -90 to 90 and lon from -180 to 180";
pub(super) const MAGNITUDE: &str = "a magnitude from -2 to 10";
pub(super) const DEPTH: &str = "a depth from 0 to 1000 km";

/// Why a whole earthquake list was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ListError {
    /// The document is larger than [`MAX_DOCUMENT_BYTES`].
    #[error("document of `{actual}` bytes is larger than the limit of `{limit}` bytes")]
    TooLarge {
        /// The size of the document in bytes.
        actual: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// The document is truncated, is not JSON, or is not of BMKG's shape.
    #[error("earthquake list is not readable at {at}: {reason}")]
    Json {
        /// Where it stops being readable.
        at: Place,
        /// What is wrong.
        reason: String,
    },
    /// The document is not XML that we read.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// The list holds nothing; BMKG's always hold the last earthquakes.
    #[error("earthquake list holds no earthquake in `Infogempa.gempa`")]
    Empty,
    /// The document is XML, and not a list of BMKG's.
    #[error(
        "earthquake list is not readable at {at}: root element `{name}` is not `Infogempa` with `gempa` in it"
    )]
    NotAList {
        /// The name of the root element.
        name: String,
        /// Where it begins.
        at: Place,
    },
}

impl ListError {
    /// Returns where the fault is.
    pub fn place(&self) -> Option<Place> {
        match self {
            Self::TooLarge { .. } | Self::Empty => None,
            Self::Json { at, .. } | Self::NotAList { at, .. } => Some(*at),
            Self::Xml(error) => error.place(),
        }
    }
}

/// Why an earthquake was refused for its time: it lies more than [`MAX_AHEAD`] after now.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("earthquake of `{}` lies more than `5` minutes after now, `{}`", .origin_time.to_rfc3339(), .now.to_rfc3339())]
pub struct FutureError {
    /// The earthquake's origin time.
    pub origin_time: DateTime<Utc>,
    /// The time that it was compared with.
    pub now: DateTime<Utc>,
}

/// The earthquakes of one list, each on its own, so that a bad row does not hide the good ones.
#[derive(Clone, Debug, PartialEq)]
pub struct EarthquakeList {
    /// The rows, in BMKG's order.
    pub rows: Vec<Result<Read<Earthquake>, FieldError>>,
    /// What there is to say about the list as a whole.
    pub notes: Vec<Note>,
}

/// One earthquake as BMKG published it.
#[derive(Clone, Debug, PartialEq)]
pub struct Earthquake {
    /// When it happened (`DateTime`).
    pub origin_time: DateTime<Utc>,
    /// The latitude of the epicenter in degrees, south negative.
    pub lat: f64,
    /// The longitude of the epicenter in degrees, west negative.
    pub lon: f64,
    /// The magnitude in hundredths: 560 is M 5.6.
    pub magnitude_hundredths: i32,
    /// The depth in meters.
    pub depth_m: u32,
    /// Where it was, in BMKG's words (`Wilayah`).
    pub region: String,
    /// What may follow, in BMKG's words (`Potensi`).
    pub potential: Option<String>,
    /// Where and how strongly it was felt, in BMKG's words (`Dirasakan`).
    pub felt: Option<String>,
    /// The file name of the shake map, as published and unchecked.
    pub shakemap: Option<String>,
}

/// Reads an earthquake list, JSON or XML: `autogempa` holds one row, `gempaterkini` and `gempadirasakan` several.
pub fn parse_earthquakes(document: &[u8]) -> Result<EarthquakeList, ListError> {
    if document.len() > MAX_DOCUMENT_BYTES {
        return Err(ListError::TooLarge {
            actual: document.len(),
            limit: MAX_DOCUMENT_BYTES,
        });
    }
    let body = document.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(document);
    if body.trim_ascii_start().starts_with(b"<") {
        read_xml_list(&xml::read(document)?)
    } else {
        read_json_list(body)
    }
}

/// Reads a list from JSON without a byte order mark.
pub(crate) fn read_json_list(body: &[u8]) -> Result<EarthquakeList, ListError> {
    let list: List = serde_json::from_slice(body).map_err(|error| json_error(&error))?;
    let Rows { rows, is_list } = &list.infogempa.gempa;
    if rows.is_empty() {
        return Err(ListError::Empty);
    }
    let mut notes = Notes::default();
    let others = [list.others.keys(), list.infogempa.others.keys()];
    for (names, path) in others.into_iter().zip(["", "Infogempa."]) {
        for name in names {
            let path = format!("{path}{}", quote(name));
            notes.add(
                NoteKind::NotKept,
                path,
                None,
                "has no place here, and is not kept",
            );
        }
    }
    let rows = rows.iter().zip(1..).map(|(value, number)| {
        let path = if *is_list {
            format!("Infogempa.gempa[{number}]")
        } else {
            "Infogempa.gempa".to_owned()
        };
        read_row(&Fields::of(value, &path, '.')?)
    });
    Ok(EarthquakeList {
        rows: rows.collect(),
        notes: notes.finish("Infogempa"),
    })
}

/// Reads a list from its tree.
pub(crate) fn read_xml_list(document: &Document) -> Result<EarthquakeList, ListError> {
    let root = &document.root;
    let is_row = |child: &&Element| child.name.eq_ignore_ascii_case("gempa");
    let elements: Vec<_> = root.children.iter().filter(is_row).collect();
    if root.name == "Infogempa" && elements.is_empty() {
        return Err(ListError::Empty);
    }
    if root.name != "Infogempa" || elements.len() > MAX_ROWS {
        return Err(ListError::NotAList {
            name: quote(&root.name),
            at: root.at,
        });
    }
    let mut notes = Notes::of(document);
    for child in root.children.iter().filter(|child| !is_row(child)) {
        let path = format!("Infogempa/{}", quote(&child.name));
        let text = "has no place here, and is not kept";
        notes.add(NoteKind::NotKept, path, Some(child.at), text);
    }
    let is_one = elements.len() == 1;
    let rows = elements.into_iter().zip(1..).map(|(element, number)| {
        let path = if is_one {
            "Infogempa/gempa".to_owned()
        } else {
            format!("Infogempa/gempa[{number}]")
        };
        read_row(&Fields::of(&fields_of(element, &path)?, &path, '/')?)
    });
    Ok(EarthquakeList {
        rows: rows.collect(),
        notes: notes.finish("Infogempa"),
    })
}

/// Returns the elements of a row as the fields that the JSON form has; `point/coordinates` is its `Coordinates`.
fn fields_of(element: &Element, path: &str) -> Result<Value, FieldError> {
    let mut fields = Map::new();
    for child in &element.children {
        let coordinates = child
            .children
            .iter()
            .find(|inner| inner.name == "coordinates");
        let before = match coordinates.filter(|_| child.name == "point") {
            Some(inner) => fields.insert("Coordinates".to_owned(), Value::from(&*inner.text)),
            None => fields.insert(child.name.clone(), Value::from(&*child.text)),
        };
        if before.is_some() {
            return Err(FieldError::Twice {
                field: format!("{path}/{}", quote(&child.name)),
            });
        }
    }
    Ok(Value::Object(fields))
}

/// Reads a moment in one field, and says when only its zone is missing.
pub(super) fn read_moment(
    fields: &Fields<'_>,
    field: &'static str,
) -> Result<DateTime<Utc>, FieldError> {
    let text = fields.required(field)?;
    match parse_moment(&text) {
        Ok(moment) => Ok(moment.with_timezone(&Utc)),
        Err(MomentError::NoZone) => Err(fields.invalid(
            field,
            &text,
            "a time with a zone, such as `WIB` or `+07:00`",
        )),
        Err(MomentError::NotAMoment) => {
            Err(fields.invalid(field, &text, "a real date and time with a zone"))
        }
    }
}

/// Refuses an earthquake that lies more than [`MAX_AHEAD`] after `now`; BMKG has published such rows.
pub fn check_not_future(earthquake: &Earthquake, now: DateTime<Utc>) -> Result<(), FutureError> {
    if earthquake.origin_time.signed_duration_since(now) > MAX_AHEAD {
        return Err(FutureError {
            origin_time: earthquake.origin_time,
            now,
        });
    }
    Ok(())
}

fn json_error(error: &serde_json::Error) -> ListError {
    let (at, reason) = json_fault(error);
    ListError::Json { at, reason }
}

#[derive(Deserialize)]
struct List {
    #[serde(rename = "Infogempa")]
    infogempa: Infogempa,
    #[serde(flatten)]
    others: Map<String, Value>,
}

#[derive(Deserialize)]
struct Infogempa {
    gempa: Rows,
    #[serde(flatten)]
    others: Map<String, Value>,
}

/// The rows, whether one object or an array.
///
/// A visitor of our own, because an untagged enum would lose the line and column of what is wrong.
struct Rows {
    rows: Vec<Value>,
    is_list: bool,
}

impl<'de> Deserialize<'de> for Rows {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RowsVisitor)
    }
}

struct RowsVisitor;

impl<'de> Visitor<'de> for RowsVisitor {
    type Value = Rows;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an earthquake or an array of earthquakes")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Rows, A::Error> {
        let row = Plain::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Rows {
            rows: vec![row.0],
            is_list: false,
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Rows, A::Error> {
        let mut rows = Vec::new();
        while let Some(Plain(row)) = elements.next_element()? {
            if rows.len() == MAX_ROWS {
                return Err(de::Error::custom(format_args!(
                    "more than `{MAX_ROWS}` earthquakes"
                )));
            }
            rows.push(row);
        }
        Ok(Rows {
            rows,
            is_list: true,
        })
    }
}

fn read_row(fields: &Fields<'_>) -> Result<Read<Earthquake>, FieldError> {
    let mut notes = Notes::default();
    fields.note_others(FIELDS, &mut notes);
    let (lat, lon) = read_place(fields)?;
    let earthquake = Earthquake {
        origin_time: read_origin_time(fields, &mut notes)?,
        lat,
        lon,
        magnitude_hundredths: fields.read("Magnitude", MAGNITUDE, parse_magnitude)?,
        depth_m: fields.read("Kedalaman", DEPTH, parse_depth)?,
        region: fields.required("Wilayah")?,
        potential: fields.optional("Potensi")?,
        felt: fields.optional("Dirasakan")?,
        shakemap: fields.optional("Shakemap")?,
    };
    if let Some(felt) = &earthquake.felt {
        note_felt(&fields.path_of("Dirasakan"), felt, &mut notes);
    }
    Ok(Read {
        value: earthquake,
        notes: notes.finish("Infogempa"),
    })
}

/// Notes what of a text of felt intensities could not be read.
pub(super) fn note_felt(path: &str, text: &str, notes: &mut Notes) {
    for piece in felt_places(text).unread {
        let text = format!(
            "`{}` is no intensity with a place, and kept as it is",
            quote(&piece)
        );
        notes.add(NoteKind::NotUnderstood, path, None, text);
    }
}

/// Returns `DateTime`, held against `Tanggal` and `Jam`, which stand in for it where it is missing.
fn read_origin_time(fields: &Fields<'_>, notes: &mut Notes) -> Result<DateTime<Utc>, FieldError> {
    let (date, clock) = (fields.optional("Tanggal")?, fields.optional("Jam")?);
    let local = date
        .zip(clock)
        .and_then(|(date, clock)| parse_moment(&format!("{date} {clock}")).ok())
        .map(|moment| moment.with_timezone(&Utc));
    if fields.optional("DateTime")?.is_none()
        && let Some(local) = local
    {
        let text = "is missing, and taken from `Tanggal` and `Jam`";
        notes.add(NoteKind::Breach, fields.path_of("DateTime"), None, text);
        return Ok(local);
    }
    let time = fields.read("DateTime", TIME, parse_origin_time)?;
    if let Some(local) = local
        && (local - time).abs() > SAME_MOMENT
    {
        let text = format!(
            "says another time than `DateTime`, which is taken: `{}` and `{}`",
            local.to_rfc3339(),
            time.to_rfc3339()
        );
        notes.add(NoteKind::Breach, fields.path_of("Jam"), None, text);
    }
    Ok(time)
}

fn parse_origin_time(text: &str) -> Option<DateTime<Utc>> {
    let time = DateTime::parse_from_rfc3339(text).ok()?;
    Some(time.with_timezone(&Utc))
}

pub(super) fn parse_magnitude(text: &str) -> Option<i32> {
    let magnitude = parse_decimal(text).filter(|value| (-2.0..=10.0).contains(value))?;
    Some((magnitude * 100.0).round() as i32)
}

/// Reads `11 km`, `84 Km` or `11`.
pub(super) fn parse_depth(text: &str) -> Option<u32> {
    let number = match text
        .len()
        .checked_sub(2)
        .and_then(|at| text.split_at_checked(at))
    {
        Some((number, unit)) if unit.eq_ignore_ascii_case("km") => number.trim_end(),
        _ => text,
    };
    let depth_km = parse_decimal(number).filter(|value| (0.0..=1000.0).contains(value))?;
    Some((depth_km * 1000.0).round() as u32)
}

/// Reads `6.85 LS` (south) or `1.47 LU` (north); a signed number without a letter is taken as it is.
pub(super) fn parse_lintang(text: &str) -> Option<f64> {
    parse_latitude(&signed(text, "LU", "LS")?)
}

/// Reads `107.03 BT` (east) or `176.44 BB` (west); a signed number without a letter is taken as it is.
pub(super) fn parse_bujur(text: &str) -> Option<f64> {
    parse_longitude(&signed(text, "BT", "BB")?)
}

fn signed(text: &str, positive: &str, negative: &str) -> Option<String> {
    let Some((number, side)) = text.split_once(char::is_whitespace) else {
        return Some(text.to_owned());
    };
    // `-6.85 LS` says south twice; which of the two is meant nobody can know.
    if number.starts_with(['-', '+']) {
        return None;
    }
    let side = side.trim();
    if side.eq_ignore_ascii_case(positive) {
        Some(number.to_owned())
    } else if side.eq_ignore_ascii_case(negative) {
        Some(format!("-{number}"))
    } else {
        None
    }
}

/// Returns latitude and longitude from `Coordinates`, held against `Lintang` and `Bujur`.
///
/// All three are required: the same place said twice is the only check that a row offers on itself.
fn read_place(fields: &Fields<'_>) -> Result<(f64, f64), FieldError> {
    let text = fields.required("Coordinates")?;
    let pair = text.split_once(',');
    let place = pair
        .ok_or(PairError::NotAPair)
        .and_then(|(lat, lon)| read_pair(lat.trim(), lon.trim()));
    let place = place.map_err(|error| match error {
        PairError::NotAPair => fields.invalid("Coordinates", &text, PAIR),
        PairError::Swapped => fields.invalid(
            "Coordinates",
            &text,
            &format!("{PAIR}: the two are swapped"),
        ),
    })?;
    check_place(fields, "Coordinates", place, "Lintang", "Bujur")?;
    Ok(place)
}

/// Holds a place against the two fields that say it once more.
///
/// Both are rounded to hundredths of a degree, so one hundredth is as far apart as they may be.
pub(super) fn check_place(
    fields: &Fields<'_>,
    pair: &'static str,
    (lat, lon): (f64, f64),
    lat_field: &'static str,
    lon_field: &'static str,
) -> Result<(), FieldError> {
    const LINTANG: &str = "a latitude such as `6.85 LS` or `1.47 LU`";
    const BUJUR: &str = "a longitude such as `107.03 BT` or `176.44 BB`";
    let lintang = fields.read(lat_field, LINTANG, parse_lintang)?;
    let bujur = fields.read(lon_field, BUJUR, parse_bujur)?;
    for (field, said, other) in [(lat_field, lintang, lat), (lon_field, bujur, lon)] {
        if (said - other).abs() > 0.01 + 1e-9 {
            return Err(fields.disagree(field, said, pair, other));
        }
    }
    Ok(())
}
