//! What BMKG, Indonesia's meteorological and geophysical agency, publishes in shapes of its own.
//!
//! Earthquakes are JSON (`autogempa`, `gempaterkini`, `gempadirasakan`); weather nowcasts are an RSS list whose items link to CAP alerts.
//! Whoever shows any of it credits BMKG, whose condition that is.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::{Map, Value};
use thiserror::Error;

use crate::{
    MAX_DOCUMENT_BYTES, cap, rss,
    text::{parse_decimal, parse_latitude, parse_longitude, quote},
};

/// The most rows of one earthquake list; BMKG publishes 15.
pub const MAX_ROWS: usize = 10_000;

/// The longest text of one field, in bytes.
const MAX_FIELD_BYTES: usize = 16 * 1024;

/// How far a publisher's clock may run ahead of ours, 5 minutes.
pub const MAX_AHEAD: TimeDelta = TimeDelta::minutes(5);

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
    #[error("earthquake list is not readable at line `{line}` column `{column}`: {reason}")]
    Json {
        /// The line, from 1.
        line: usize,
        /// The column in bytes, from 1.
        column: usize,
        /// What is wrong.
        reason: String,
    },
}

/// Why one row of an earthquake list was refused; `row` is its place in the list, from 1.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ItemError {
    /// The row is not an object.
    #[error("row `{row}` is `{found}`, not an object")]
    NotAnObject {
        /// The row.
        row: usize,
        /// What stands there, shortened.
        found: String,
    },
    /// A required field is missing.
    #[error("field `{field}` is missing in row `{row}`")]
    Missing {
        /// The row.
        row: usize,
        /// The field.
        field: &'static str,
    },
    /// A field does not say what it should.
    #[error("field `{field}` in row `{row}` says `{value}`, which is not {expected}")]
    Invalid {
        /// The row.
        row: usize,
        /// The field.
        field: &'static str,
        /// What it says, shortened.
        value: String,
        /// What it should say.
        expected: &'static str,
    },
    /// `Coordinates` and `Lintang` or `Bujur` name different places.
    #[error(
        "fields `Coordinates` and `{field}` in row `{row}` disagree: `{coordinates}` and `{other}`"
    )]
    Disagree {
        /// The row.
        row: usize,
        /// The field that disagrees with `Coordinates`.
        field: &'static str,
        /// What `Coordinates` says, in degrees.
        coordinates: String,
        /// What the other field says.
        other: String,
    },
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

/// Why an item or an alert of the nowcast was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NowcastError {
    /// The item of the list has no link.
    #[error("item `{title}` has no link")]
    NoLink {
        /// The item's title, shortened.
        title: String,
    },
    /// The link of the item is not one of a nowcast alert.
    #[error("link `{link}` of item `{title}` is not `http(s)://HOST/…/CODE_alert.xml`")]
    BadLink {
        /// The item's title, shortened.
        title: String,
        /// The link, shortened.
        link: String,
    },
    /// The alert names no area.
    #[error("alert `{identifier}` names no area")]
    NoArea {
        /// The alert's identifier, shortened.
        identifier: String,
    },
    /// The alert names more than one province.
    #[error("alert `{identifier}` names more than one province, `{first}` and `{second}`")]
    TwoProvinces {
        /// The alert's identifier, shortened.
        identifier: String,
        /// The first name.
        first: String,
        /// The first name that differs from it.
        second: String,
    },
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

/// The link of a nowcast item, taken apart so that the caller can hold it to the feed's own host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NowcastLink<'a> {
    /// The whole link.
    pub url: &'a str,
    /// The host, with its port if the link names one.
    pub host: &'a str,
    /// The last part of the path, `CODE_alert.xml`.
    pub file: &'a str,
    /// BMKG's code of the alert (`kode_detail_cap`), letters and digits.
    pub code: &'a str,
}

/// Reads an earthquake list: `autogempa` holds one object, `gempaterkini` and `gempadirasakan` an array.
///
/// Each row is given on its own, so that a bad one does not hide the good ones.
pub fn parse_earthquakes(document: &[u8]) -> Result<Vec<Result<Earthquake, ItemError>>, ListError> {
    if document.len() > MAX_DOCUMENT_BYTES {
        return Err(ListError::TooLarge {
            actual: document.len(),
            limit: MAX_DOCUMENT_BYTES,
        });
    }
    let body = document.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(document);
    let list: List = serde_json::from_slice(body).map_err(|error| {
        let place = format!(" at line {} column {}", error.line(), error.column());
        let reason = error.to_string();
        ListError::Json {
            line: error.line(),
            column: error.column(),
            reason: quote(reason.strip_suffix(&place).unwrap_or(&reason)),
        }
    })?;
    let rows = list.infogempa.gempa.0.iter().zip(1..);
    Ok(rows.map(|(value, row)| parse_row(value, row)).collect())
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

/// Returns the link of a nowcast item.
///
/// Only the shape is checked: fetching it from a host other than the feed's own is the caller's to refuse.
pub fn nowcast_link(item: &rss::Item) -> Result<NowcastLink<'_>, NowcastError> {
    let url = item.link.as_deref().ok_or_else(|| NowcastError::NoLink {
        title: quote(&item.title),
    })?;
    read_link(url).ok_or_else(|| NowcastError::BadLink {
        title: quote(&item.title),
        link: quote(url),
    })
}

/// Returns the province that a nowcast alert is about, by BMKG's name for it (`areaDesc`).
///
/// The Indonesian info is read if there is one, else the first; all its areas must name the same province.
pub fn nowcast_province(alert: &cap::Alert) -> Result<&str, NowcastError> {
    let no_area = || NowcastError::NoArea {
        identifier: quote(&alert.identifier),
    };
    let info = alert
        .infos
        .iter()
        .find(|info| is_indonesian(&info.language))
        .or_else(|| alert.infos.first())
        .ok_or_else(no_area)?;
    let mut provinces = info.areas.iter().map(|area| area.description.as_str());
    let first = provinces
        .next()
        .filter(|province| !province.is_empty())
        .ok_or_else(no_area)?;
    match provinces.find(|province| *province != first) {
        Some(second) => Err(NowcastError::TwoProvinces {
            identifier: quote(&alert.identifier),
            first: quote(first),
            second: quote(second),
        }),
        None => Ok(first),
    }
}

fn is_indonesian(language: &str) -> bool {
    let primary = language.split('-').next().unwrap_or_default();
    primary.eq_ignore_ascii_case("id")
}

fn read_link(url: &str) -> Option<NowcastLink<'_>> {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"))?;
    let (host, path) = rest.split_once('/')?;
    let host_is_plain = !host.is_empty()
        && host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte));
    let path_is_plain = path.split('/').all(|part| part != "..")
        && path
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte));
    let file = path.rsplit('/').next()?;
    let code = file.strip_suffix("_alert.xml")?;
    let code_is_plain = !code.is_empty()
        && code.len() <= 64
        && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (host_is_plain && path_is_plain && code_is_plain).then_some(NowcastLink {
        url,
        host,
        file,
        code,
    })
}

#[derive(Deserialize)]
struct List {
    #[serde(rename = "Infogempa")]
    infogempa: Infogempa,
}

#[derive(Deserialize)]
struct Infogempa {
    gempa: Rows,
}

/// The rows, whether one object or an array.
///
/// A visitor of our own, because an untagged enum would lose the line and column of what is wrong.
struct Rows(Vec<Value>);

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
        Value::deserialize(MapAccessDeserializer::new(map)).map(|row| Rows(vec![row]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<Rows, A::Error> {
        let mut read = Vec::new();
        while let Some(row) = rows.next_element()? {
            if read.len() == MAX_ROWS {
                return Err(de::Error::custom(format_args!(
                    "more than `{MAX_ROWS}` earthquakes"
                )));
            }
            read.push(row);
        }
        Ok(Rows(read))
    }
}

fn parse_row(value: &Value, row: usize) -> Result<Earthquake, ItemError> {
    let Value::Object(fields) = value else {
        return Err(ItemError::NotAnObject {
            row,
            found: quote(&value.to_string()),
        });
    };
    let fields = Row { fields, row };
    let (lat, lon) = fields.place()?;
    Ok(Earthquake {
        origin_time: fields.read("DateTime", "a real time of RFC 3339", parse_origin_time)?,
        lat,
        lon,
        magnitude_hundredths: fields.read(
            "Magnitude",
            "a magnitude from -2 to 10",
            parse_magnitude,
        )?,
        depth_m: fields.read("Kedalaman", "a depth from 0 to 1000 km", parse_depth)?,
        region: fields.required("Wilayah")?,
        potential: fields.optional("Potensi")?,
        felt: fields.optional("Dirasakan")?,
        shakemap: fields.optional("Shakemap")?,
    })
}

fn parse_origin_time(text: &str) -> Option<DateTime<Utc>> {
    let time = DateTime::parse_from_rfc3339(text).ok()?;
    Some(time.with_timezone(&Utc))
}

fn parse_magnitude(text: &str) -> Option<i32> {
    let magnitude = parse_decimal(text).filter(|value| (-2.0..=10.0).contains(value))?;
    Some((magnitude * 100.0).round() as i32)
}

/// Reads `11 km`, `84 Km` or `11`.
fn parse_depth(text: &str) -> Option<u32> {
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

/// Reads `-6.85,107.03`, latitude first.
fn parse_coordinates(text: &str) -> Option<(f64, f64)> {
    let (lat, lon) = text.split_once(',')?;
    Some((parse_latitude(lat.trim())?, parse_longitude(lon.trim())?))
}

/// Reads `6.85 LS` (south) or `1.47 LU` (north); a signed number without a letter is taken as it is.
fn parse_lintang(text: &str) -> Option<f64> {
    parse_latitude(&signed(text, "LU", "LS")?)
}

/// Reads `107.03 BT` (east) or `176.44 BB` (west); a signed number without a letter is taken as it is.
fn parse_bujur(text: &str) -> Option<f64> {
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

/// The fields of one row.
struct Row<'a> {
    fields: &'a Map<String, Value>,
    row: usize,
}

impl Row<'_> {
    /// Returns the text of a field; a number is its own text, and BMKG writes `-` for nothing.
    fn optional(&self, field: &'static str) -> Result<Option<String>, ItemError> {
        let text = match self.fields.get(field) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::String(text)) => text.trim().to_owned(),
            Some(Value::Number(number)) => number.to_string(),
            Some(other @ (Value::Bool(_) | Value::Array(_) | Value::Object(_))) => {
                return Err(self.invalid(field, &other.to_string(), "a text or a number"));
            }
        };
        if text.len() > MAX_FIELD_BYTES {
            return Err(self.invalid(field, &text, "a text of at most 16384 bytes"));
        }
        let is_control = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
        if text.contains(is_control) {
            return Err(self.invalid(field, &text, "a text without control characters"));
        }
        Ok(Some(text).filter(|text| !text.is_empty() && text != "-"))
    }

    fn required(&self, field: &'static str) -> Result<String, ItemError> {
        self.optional(field)?.ok_or(ItemError::Missing {
            row: self.row,
            field,
        })
    }

    fn read<T>(
        &self,
        field: &'static str,
        expected: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<T, ItemError> {
        let text = self.required(field)?;
        parse(&text).ok_or_else(|| self.invalid(field, &text, expected))
    }

    /// Returns latitude and longitude from `Coordinates`, held against `Lintang` and `Bujur`.
    ///
    /// All three are required: the same place said twice is the only check that a row offers on itself.
    fn place(&self) -> Result<(f64, f64), ItemError> {
        let (lat, lon) = self.read(
            "Coordinates",
            "a pair `lat,lon` with lat from -90 to 90 and lon from -180 to 180",
            parse_coordinates,
        )?;
        let lintang = self.read(
            "Lintang",
            "a latitude such as `6.85 LS` or `1.47 LU`",
            parse_lintang,
        )?;
        let bujur = self.read(
            "Bujur",
            "a longitude such as `107.03 BT` or `176.44 BB`",
            parse_bujur,
        )?;
        self.check_agreement("Lintang", lat, lintang)?;
        self.check_agreement("Bujur", lon, bujur)?;
        Ok((lat, lon))
    }

    /// Both fields are rounded to hundredths of a degree, so one hundredth is as far apart as they may be.
    fn check_agreement(
        &self,
        field: &'static str,
        coordinates: f64,
        other: f64,
    ) -> Result<(), ItemError> {
        if (coordinates - other).abs() > 0.01 + 1e-9 {
            return Err(ItemError::Disagree {
                row: self.row,
                field,
                coordinates: coordinates.to_string(),
                other: other.to_string(),
            });
        }
        Ok(())
    }

    fn invalid(&self, field: &'static str, value: &str, expected: &'static str) -> ItemError {
        ItemError::Invalid {
            row: self.row,
            field,
            value: quote(value),
            expected,
        }
    }
}
