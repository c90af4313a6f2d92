//! Readings of stations, in a shape of our own: river gauges (`station,time,level_cm`) and volcanoes (`volcano,time,level`).
//!
//! Nobody publishes either in a form that programs can rely on, so this is the form that a province's own script or sheet writes.
//! In CSV the first line names the columns, in any order, between commas or semicolons; in JSON the rows stand under `gauges` or `volcanoes`.
//!
//! | column | what it holds |
//! |---|---|
//! | `station` | the gauge, such as `Katulampa` |
//! | `time` | when it was read, with a zone: `2026-01-05T06:00:00+07:00` or `5 Jan 2026 06:00 WIB` |
//! | `level_cm` | the height of the water at the gauge in centimeters |
//! | `siaga` | optional: the alert level that the gauge's keeper names, `I` (worst) to `IV` |
//! | `volcano` | the volcano, such as `Gede` |
//! | `level` | its activity by PVMBG: `Normal`, `Waspada`, `Siaga`, `Awas`, or `I` to `IV` |
//!
//! What a level means for the areas downstream, and whether a gauge jumps, is the caller's to judge.

mod table;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::Value;
use thiserror::Error;

use crate::{
    MAX_DOCUMENT_BYTES,
    bmkg::{MomentError, parse_moment},
    field::{FieldError, Fields},
    json,
    note::{Note, Notes, Place},
    text::parse_decimal,
};

/// The most rows of one table.
pub const MAX_ROWS: usize = 100_000;

/// The columns of each kind; those after the first three may be missing.
const GAUGE: &[&str] = &["station", "time", "level_cm", "siaga"];
const VOLCANO: &[&str] = &["volcano", "time", "level"];
const REQUIRED: usize = 3;

/// Why a whole table was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StationError {
    /// The document is larger than [`MAX_DOCUMENT_BYTES`].
    #[error("document of `{actual}` bytes is larger than the limit of `{limit}` bytes")]
    TooLarge {
        /// The size of the document in bytes.
        actual: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// The document begins as JSON does and is none.
    #[error("table is not readable as JSON at {at}: {reason}")]
    Json {
        /// Where it stops being readable.
        at: Place,
        /// What is wrong.
        reason: String,
    },
    /// The bytes are not UTF-8.
    #[error("table is not UTF-8 at line `{line}`")]
    NotUtf8 {
        /// The line, from 1.
        line: u32,
    },
    /// The header lacks a column.
    #[error("column `{column}` is missing in the header")]
    NoColumn {
        /// The column.
        column: &'static str,
    },
    /// The header holds a column twice, so that nobody can know which is meant.
    #[error("column `{column}` stands twice in the header")]
    ColumnTwice {
        /// The column.
        column: &'static str,
    },
    /// The table has no row, which says of no station that it is well.
    #[error("table has no row")]
    NoRows,
    /// The table has too many rows.
    #[error("table has more than `{limit}` rows")]
    TooManyRows {
        /// The limit in rows.
        limit: usize,
    },
    /// The rows are not a list of objects.
    #[error(transparent)]
    Field(#[from] FieldError),
}

impl StationError {
    /// Returns the column or field at fault.
    pub fn element(&self) -> Option<String> {
        match self {
            Self::TooLarge { .. }
            | Self::Json { .. }
            | Self::NotUtf8 { .. }
            | Self::NoRows
            | Self::TooManyRows { .. } => None,
            Self::NoColumn { column } | Self::ColumnTwice { column } => Some((*column).to_owned()),
            Self::Field(error) => Some(error.element().to_owned()),
        }
    }

    /// Returns where the fault is.
    pub fn place(&self) -> Option<Place> {
        match self {
            Self::NotUtf8 { line } => Some(Place {
                line: *line,
                column: 1,
            }),
            Self::NoColumn { .. } | Self::ColumnTwice { .. } => Some(Place { line: 1, column: 1 }),
            Self::Json { at, .. } => Some(*at),
            Self::TooLarge { .. } | Self::NoRows | Self::TooManyRows { .. } | Self::Field(_) => {
                None
            }
        }
    }
}

/// What a table is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// River gauges.
    Gauge,
    /// Volcanoes.
    Volcano,
}

impl Kind {
    const fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Gauge => GAUGE,
            Self::Volcano => VOLCANO,
        }
    }
}

/// The rows of a table, each on its own, so that a bad one does not hide the good ones.
#[derive(Clone, Debug, PartialEq)]
pub struct Stations {
    /// What the table is of.
    pub kind: Kind,
    /// The rows, in their order.
    pub rows: Vec<Result<Reading, FieldError>>,
    /// What there is to say about the table as a whole.
    pub notes: Vec<Note>,
}

/// One reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The gauge or volcano, by its name in the table.
    pub station: String,
    /// When it was read.
    pub time: DateTime<Utc>,
    /// What was read.
    pub level: Level,
}

/// What was read at a station.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// The height of a river.
    Water {
        /// The height of the water at the gauge in millimeters.
        level_mm: i32,
        /// The alert level that the gauge's keeper names.
        siaga: Option<Siaga>,
    },
    /// The activity of a volcano.
    Volcano(VolcanoLevel),
}

/// The alert level of a river gauge, the gravest first (Siaga I to IV).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Siaga {
    /// Siaga I: disaster.
    I,
    /// Siaga II: critical.
    II,
    /// Siaga III: on the alert.
    III,
    /// Siaga IV: as on any day.
    IV,
}

/// The activity of a volcano by PVMBG, the calmest first (Level I to IV).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum VolcanoLevel {
    /// Level I.
    Normal,
    /// Level II.
    Waspada,
    /// Level III.
    Siaga,
    /// Level IV.
    Awas,
}

impl Siaga {
    /// Reads `Siaga III`, `III` or `3`.
    pub fn from_word(word: &str) -> Option<Self> {
        let word = word.trim().to_uppercase();
        let word = word.strip_prefix("SIAGA").unwrap_or(&word);
        match word.trim() {
            "I" | "1" => Some(Self::I),
            "II" | "2" => Some(Self::II),
            "III" | "3" => Some(Self::III),
            "IV" | "4" => Some(Self::IV),
            _ => None,
        }
    }
}

impl VolcanoLevel {
    /// Reads `Level III (Siaga)`, `Siaga`, `III` or `3`; a number and a name that disagree are not read.
    pub fn from_word(word: &str) -> Option<Self> {
        let word = word.to_uppercase().replace(['(', ')', '-', ','], " ");
        let mut level = None;
        for part in word.split_whitespace().filter(|part| *part != "LEVEL") {
            let read = match part {
                "NORMAL" | "I" | "1" => Self::Normal,
                "WASPADA" | "II" | "2" => Self::Waspada,
                "SIAGA" | "III" | "3" => Self::Siaga,
                "AWAS" | "IV" | "4" => Self::Awas,
                _ => return None,
            };
            if level.is_some_and(|level| level != read) {
                return None;
            }
            level = Some(read);
        }
        level
    }
}

/// Returns what a table in CSV is of, by the first column of a kind that its header names.
pub(crate) fn kind_of_table(body: &[u8]) -> Option<Kind> {
    let columns = table::columns(body)?;
    let has = |column: &str| columns.iter().any(|name| name.eq_ignore_ascii_case(column));
    match (has("station"), has("volcano")) {
        (true, _) => Some(Kind::Gauge),
        (false, true) => Some(Kind::Volcano),
        (false, false) => None,
    }
}

/// Returns what a JSON document is a table of.
pub(crate) fn kind_of_json(document: &Value) -> Option<Kind> {
    match (document.get("gauges"), document.get("volcanoes")) {
        (Some(_), _) => Some(Kind::Gauge),
        (None, Some(_)) => Some(Kind::Volcano),
        (None, None) => None,
    }
}

/// Reads a table, CSV or JSON.
///
/// One in CSV that names neither `station` nor `volcano` is said to lack the first.
pub fn parse(document: &[u8]) -> Result<Stations, StationError> {
    let body = document.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(document);
    if body.len() > MAX_DOCUMENT_BYTES {
        return Err(StationError::TooLarge {
            actual: body.len(),
            limit: MAX_DOCUMENT_BYTES,
        });
    }
    if !body.trim_ascii_start().starts_with(b"{") {
        return read_csv(body);
    }
    let document = json::read(body).map_err(|(at, reason)| StationError::Json { at, reason })?;
    read_json(&document)
}

/// Reads a table from CSV without a byte order mark.
pub(crate) fn read_csv(body: &[u8]) -> Result<Stations, StationError> {
    let kind = kind_of_table(body).unwrap_or(Kind::Gauge);
    let mut table = table::read(body)?;
    for (column, at) in kind.columns().iter().zip(0..) {
        let names = table.columns.iter();
        match names
            .filter(|name| name.eq_ignore_ascii_case(column))
            .count()
        {
            0 if at < REQUIRED => return Err(StationError::NoColumn { column }),
            0 | 1 => {}
            _ => return Err(StationError::ColumnTwice { column }),
        }
    }
    for row in table.rows.iter_mut().flatten() {
        lower_names(row);
    }
    let mut reader = Reader::new(kind);
    let rows = table.rows.iter().zip(1..).map(|(row, number)| {
        let row = row.as_ref().map_err(Clone::clone)?;
        reader.read(&Fields::of(row, &format!("row[{number}]"), '.')?)
    });
    let rows = rows.collect();
    reader.finish(rows)
}

/// Columns are found whatever their case; in JSON names are taken as they are.
fn lower_names(row: &mut Value) {
    if let Value::Object(fields) = row {
        *fields = std::mem::take(fields)
            .into_iter()
            .map(|(name, value)| (name.to_lowercase(), value))
            .collect();
    }
}

/// Reads a table from JSON: an object with a list under `gauges` or `volcanoes`.
pub(crate) fn read_json(document: &Value) -> Result<Stations, StationError> {
    let (kind, name) = match kind_of_json(document) {
        Some(Kind::Volcano) => (Kind::Volcano, "volcanoes"),
        Some(Kind::Gauge) | None => (Kind::Gauge, "gauges"),
    };
    let rows = Fields::of(document, "", '.')?.rows(name)?;
    if rows.len() > MAX_ROWS {
        return Err(StationError::TooManyRows { limit: MAX_ROWS });
    }
    let mut reader = Reader::new(kind);
    let rows = rows.iter().map(|row| reader.read(row)).collect();
    reader.finish(rows)
}

/// What is kept in mind from row to row.
struct Reader {
    kind: Kind,
    notes: Notes,
    /// The path of the row in which a station's reading of a time stood first.
    seen: BTreeMap<(String, DateTime<Utc>), String>,
}

impl Reader {
    fn new(kind: Kind) -> Self {
        Self {
            kind,
            notes: Notes::default(),
            seen: BTreeMap::new(),
        }
    }

    fn read(&mut self, row: &Fields<'_>) -> Result<Reading, FieldError> {
        const SIAGA: &str = "an alert level from `I` to `IV`";
        const LEVEL: &str = "a height from -1000 to 10000 cm, such as `210` or `210.5`";
        const VOLCANO_LEVEL: &str = "one of Normal, Waspada, Siaga, Awas, or I to IV";
        row.note_others(self.kind.columns(), &mut self.notes);
        let (name, level) = match self.kind {
            Kind::Gauge => {
                let siaga = match row.optional("siaga")? {
                    Some(_) => Some(row.read("siaga", SIAGA, Siaga::from_word)?),
                    None => None,
                };
                let level_mm = row.read("level_cm", LEVEL, parse_level)?;
                ("station", Level::Water { level_mm, siaga })
            }
            Kind::Volcano => {
                let level = row.read("level", VOLCANO_LEVEL, VolcanoLevel::from_word)?;
                ("volcano", Level::Volcano(level))
            }
        };
        let station = row.required(name)?;
        let written = row.required("time")?;
        let time = parse_moment(&written).map_err(|error| {
            let expected = match error {
                MomentError::NoZone => "a time with a zone, such as `+07:00` or `WIB`",
                MomentError::NotAMoment => "a real time with a zone",
            };
            row.invalid("time", &written, expected)
        })?;
        let time = time.with_timezone(&Utc);
        let key = (station.to_lowercase(), time);
        if let Some(first) = self.seen.get(&key) {
            let expected = format!("a new time: `{first}` is of the same station and time");
            return Err(row.invalid("time", &written, &expected));
        }
        self.seen
            .insert(key, row.path_of("").trim_end_matches('.').to_owned());
        Ok(Reading {
            station,
            time,
            level,
        })
    }

    fn finish(self, rows: Vec<Result<Reading, FieldError>>) -> Result<Stations, StationError> {
        if rows.is_empty() {
            return Err(StationError::NoRows);
        }
        Ok(Stations {
            kind: self.kind,
            rows,
            notes: self.notes.finish("table"),
        })
    }
}

fn parse_level(text: &str) -> Option<i32> {
    let level = parse_decimal(text).filter(|level| (-1000.0..=10_000.0).contains(level))?;
    Some((level * 10.0).round() as i32)
}
