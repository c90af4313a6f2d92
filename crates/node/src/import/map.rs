//! The map of a published table: which column says what, in one TOML file.
//!
//! What it never does: take a key that it does not know, or a column that names a person.

use std::{collections::BTreeMap, fmt::Write as _};

use chrono::FixedOffset;
use posko_domain::{hazard, region::CodeSystem};
use posko_formats::table::{Encoding, Options, Shape, date::Order, number::Marks};
use posko_proto::{
    common::v1::Hazard,
    incident::v1::{FigureSource, Measure},
};
use serde::Deserialize;
use toml::de::{DeTable, DeValue};

use super::person::names_a_person;

/// What stands for the code of a region that the point alone tells.
pub(super) const BY_POINT: &str = "point";
/// The largest map, in bytes.
pub const MAX_MAP_BYTES: usize = 256 * 1024;

/// The maps that come with the program, by name.
pub const SHIPPED: [(&str, &str); 8] = [
    (
        "bnpb-dibi",
        include_str!("../../../../config/import/bnpb-dibi.toml"),
    ),
    (
        "petabencana",
        include_str!("../../../../config/import/petabencana.toml"),
    ),
    (
        "jabar-banjir",
        include_str!("../../../../config/import/jabar-banjir.toml"),
    ),
    (
        "jabar-longsor",
        include_str!("../../../../config/import/jabar-longsor.toml"),
    ),
    (
        "jabar-gempa",
        include_str!("../../../../config/import/jabar-gempa.toml"),
    ),
    (
        "jabar-cuaca-ekstrem",
        include_str!("../../../../config/import/jabar-cuaca-ekstrem.toml"),
    ),
    (
        "jabar-kerusakan-rumah",
        include_str!("../../../../config/import/jabar-kerusakan-rumah.toml"),
    ),
    (
        "jakarta-banjir",
        include_str!("../../../../config/import/jakarta-banjir.toml"),
    ),
];

/// Returns a map that comes with the program.
pub fn shipped(name: &str) -> Option<&'static str> {
    SHIPPED
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, text)| *text)
}

/// Returns the name of the map that comes with the program and takes none but these columns; of several, that which takes
/// most.
pub(super) fn fitting(columns: &[String]) -> Option<&'static str> {
    let taken = |text: &str| {
        let map = Map::parse(text).ok()?;
        let taken = map.columns();
        let there = |column: &&str| columns.iter().any(|known| known == column);
        taken.iter().all(there).then_some(taken.len())
    };
    let fits = SHIPPED
        .iter()
        .filter_map(|(name, text)| Some((taken(text)?, *name)));
    fits.max().map(|(_, name)| name)
}

/// Why a map was refused; a line counts from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MapError {
    /// It is no TOML, or a value is of another kind than its key takes.
    #[error("map, line `{line}`: {reason}")]
    Syntax {
        /// The line.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// A key is not known.
    #[error("map, line `{line}`: key `{key}` is not known; the nearest known key is `{nearest}`")]
    UnknownKey {
        /// The key with its section.
        key: String,
        /// Where it stands.
        line: usize,
        /// What may have been meant.
        nearest: String,
    },
    /// A value cannot be used.
    #[error("map: key `{key}` {reason}")]
    Invalid {
        /// The key with its section.
        key: String,
        /// What is wrong, and what is expected.
        reason: String,
    },
    /// A column that names a person is taken.
    #[error(
        "map: column `{column}` names a person or how to reach one by its heading, and is never read"
    )]
    Personal {
        /// The column.
        column: String,
    },
}

/// A map, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Map {
    pub(super) publisher: String,
    pub(super) dataset: String,
    pub(super) license: String,
    pub(super) web: String,
    pub(super) source: FigureSource,
    pub(super) options: Options,
    pub(super) marks: Marks,
    pub(super) empty: Vec<String>,
    pub(super) id: Vec<String>,
    pub(super) events: Option<String>,
    pub(super) group: Vec<String>,
    pub(super) sums: bool,
    pub(super) left_out: Vec<String>,
    pub(super) hazard: HazardFrom,
    pub(super) time: TimeFrom,
    pub(super) region: RegionFrom,
    pub(super) point: Option<(String, String)>,
    pub(super) figures: Vec<(Measure, String)>,
    pub(super) long: Option<LongFigures>,
    pub(super) text: Vec<String>,
    pub(super) status: StatusFrom,
}

/// Where the kind of hazard comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum HazardFrom {
    /// It is the same for all rows; unspecified when they sum up hazards of all kinds.
    Is(Hazard),
    /// A column says it.
    Column {
        column: String,
        values: BTreeMap<String, Hazard>,
        left_out: Vec<String>,
    },
}

/// Where the time comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct TimeFrom {
    pub(super) date: Option<String>,
    pub(super) until: Option<String>,
    pub(super) year: Option<String>,
    pub(super) quarter: Option<String>,
    pub(super) month: Option<String>,
    pub(super) year_is: Option<i32>,
    pub(super) order: Option<Order>,
    pub(super) zone_seconds: i32,
}

/// Where the place comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct RegionFrom {
    pub(super) system: Option<CodeSystem>,
    pub(super) code: Option<String>,
    pub(super) values: BTreeMap<String, String>,
    pub(super) province: Option<String>,
    pub(super) regency: Option<String>,
    pub(super) district: Option<String>,
}

/// Figures of which a column names the measure and another the count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LongFigures {
    pub(super) measure: String,
    pub(super) count: String,
    pub(super) values: BTreeMap<String, Measure>,
    pub(super) left_out: Vec<String>,
}

/// What tells tests and exercises from what is real.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct StatusFrom {
    pub(super) column: Option<String>,
    pub(super) real: Vec<String>,
    pub(super) test: Vec<String>,
    pub(super) exercise: Vec<String>,
    pub(super) words_in: Vec<String>,
}

#[derive(Deserialize)]
struct Raw {
    publisher: String,
    dataset: String,
    #[serde(default = "not_stated")]
    license: String,
    #[serde(default)]
    web: String,
    #[serde(default)]
    source: Option<String>,
    #[serde(default)]
    file: RawFile,
    #[serde(default)]
    number: RawNumber,
    #[serde(default)]
    row: RawRow,
    hazard: RawHazard,
    time: RawTime,
    region: RawRegion,
    #[serde(default)]
    point: Option<RawPoint>,
    #[serde(default)]
    figures: RawFigures,
    #[serde(default)]
    text: RawText,
    #[serde(default)]
    status: StatusRaw,
}

/// The terms of a dataset of which nobody has said any.
fn not_stated() -> String {
    "not stated".into()
}

#[derive(Deserialize, Default)]
struct RawFile {
    format: Option<String>,
    delimiter: Option<String>,
    encoding: Option<String>,
    sheet: Option<String>,
    header_row: Option<u32>,
}

#[derive(Deserialize, Default)]
struct RawNumber {
    thousands: Option<String>,
    decimal: Option<String>,
    empty: Option<Vec<String>>,
}

#[derive(Deserialize, Default)]
struct RawRow {
    id: Option<Names>,
    events: Option<String>,
    group: Option<Names>,
    #[serde(default)]
    sums: bool,
    #[serde(default)]
    left_out: Vec<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Names {
    One(String),
    Several(Vec<String>),
}

impl Names {
    fn list(self) -> Vec<String> {
        match self {
            Self::One(name) => vec![name],
            Self::Several(names) => names,
        }
    }
}

#[derive(Deserialize)]
struct RawHazard {
    is: Option<String>,
    column: Option<String>,
    #[serde(default)]
    values: BTreeMap<String, String>,
    #[serde(default)]
    left_out: Vec<String>,
}

#[derive(Deserialize)]
struct RawTime {
    date: Option<String>,
    until: Option<String>,
    year: Option<String>,
    quarter: Option<String>,
    month: Option<String>,
    year_is: Option<i32>,
    order: Option<String>,
    zone: Option<String>,
}

#[derive(Deserialize)]
struct RawRegion {
    system: Option<String>,
    code: Option<String>,
    #[serde(default)]
    values: BTreeMap<String, String>,
    province: Option<String>,
    regency: Option<String>,
    district: Option<String>,
}

#[derive(Deserialize)]
struct RawPoint {
    latitude: String,
    longitude: String,
}

#[derive(Deserialize, Default)]
struct RawFigures {
    #[serde(default)]
    columns: BTreeMap<String, String>,
    long: Option<RawLong>,
}

#[derive(Deserialize)]
struct RawLong {
    measure: String,
    count: String,
    values: BTreeMap<String, String>,
    #[serde(default)]
    left_out: Vec<String>,
}

#[derive(Deserialize, Default)]
struct RawText {
    #[serde(default)]
    columns: Vec<String>,
}

#[derive(Deserialize, Default)]
struct StatusRaw {
    column: Option<String>,
    #[serde(default)]
    real: Vec<String>,
    #[serde(default)]
    test: Vec<String>,
    #[serde(default)]
    exercise: Vec<String>,
    #[serde(default)]
    words_in: Vec<String>,
}

/// Every section with its keys; one with `*` takes any key, which is a word of the file.
const KEYS: [(&str, &[&str]); 15] = [
    (
        "",
        &[
            "publisher",
            "dataset",
            "license",
            "web",
            "source",
            "file",
            "number",
            "row",
            "hazard",
            "time",
            "region",
            "point",
            "figures",
            "text",
            "status",
        ],
    ),
    (
        "file",
        &["format", "delimiter", "encoding", "sheet", "header_row"],
    ),
    ("number", &["thousands", "decimal", "empty"]),
    ("row", &["id", "events", "group", "sums", "left_out"]),
    ("hazard", &["is", "column", "values", "left_out"]),
    ("hazard.values", &["*"]),
    (
        "time",
        &[
            "date", "until", "year", "quarter", "month", "year_is", "order", "zone",
        ],
    ),
    (
        "region",
        &[
            "system", "code", "values", "province", "regency", "district",
        ],
    ),
    ("region.values", &["*"]),
    ("point", &["latitude", "longitude"]),
    ("figures", &["columns", "long"]),
    ("figures.columns", &["*"]),
    ("figures.long", &["measure", "count", "values", "left_out"]),
    ("text", &["columns"]),
    (
        "status",
        &["column", "real", "test", "exercise", "words_in"],
    ),
];

impl Map {
    /// Reads and checks a map.
    pub fn parse(text: &str) -> Result<Self, MapError> {
        if text.len() > MAX_MAP_BYTES {
            let reason = format!("it is larger than `{MAX_MAP_BYTES}` bytes");
            return Err(MapError::Syntax { line: 1, reason });
        }
        let syntax = |at: Option<std::ops::Range<usize>>, message: &str| MapError::Syntax {
            line: line_at(text, at.map_or(0, |span| span.start)),
            reason: message.trim().replace('\n', ", "),
        };
        let document =
            DeTable::parse(text).map_err(|error| syntax(error.span(), error.message()))?;
        check_keys(text, document.get_ref(), "")?;
        let raw: Raw =
            toml::from_str(text).map_err(|error| syntax(error.span(), error.message()))?;
        Self::checked(raw)
    }

    fn checked(raw: Raw) -> Result<Self, MapError> {
        for (key, name) in [("publisher", &raw.publisher), ("dataset", &raw.dataset)] {
            if name.trim().is_empty() || name.chars().count() > 200 {
                return Err(invalid(key, "must have 1 to 200 characters"));
            }
        }
        let source = match raw.source.as_deref() {
            None => FigureSource::Other,
            Some(name) => named("FIGURE_SOURCE_", name, FigureSource::from_str_name)
                .ok_or_else(|| one_of("source", name, "pmi, government or other"))?,
        };
        let map = Self {
            publisher: raw.publisher,
            dataset: raw.dataset,
            license: raw.license,
            web: raw.web,
            source,
            options: options(raw.file)?,
            marks: marks(&raw.number)?,
            empty: raw.number.empty.unwrap_or_else(|| vec!["-".to_owned()]),
            id: raw.row.id.map(Names::list).unwrap_or_default(),
            events: raw.row.events,
            group: raw.row.group.map(Names::list).unwrap_or_default(),
            sums: raw.row.sums,
            left_out: raw.row.left_out,
            hazard: hazard_from(raw.hazard)?,
            time: time_from(raw.time)?,
            region: region_from(raw.region)?,
            point: raw.point.map(|point| (point.latitude, point.longitude)),
            figures: figures(&raw.figures.columns)?,
            long: raw.figures.long.map(long_figures).transpose()?,
            text: raw.text.columns,
            status: StatusFrom {
                column: raw.status.column,
                real: raw.status.real,
                test: raw.status.test,
                exercise: raw.status.exercise,
                words_in: raw.status.words_in,
            },
        };
        map.fits_together()?;
        Ok(map)
    }

    /// Says under which terms the records are published.
    pub fn set_license(&mut self, license: &str) {
        license.trim().clone_into(&mut self.license);
    }

    /// Says in what a CSV file is written.
    pub fn set_encoding(&mut self, name: &str) -> Result<(), MapError> {
        self.options.encoding = encoding(name)?;
        Ok(())
    }

    /// Says what parts thousands.
    pub fn set_thousands(&mut self, mark: &str) -> Result<(), MapError> {
        self.marks = marks(&RawNumber {
            thousands: Some(mark.to_owned()),
            ..RawNumber::default()
        })?;
        Ok(())
    }

    /// Says the year of a file that names none.
    pub fn set_year(&mut self, year: i32) -> Result<(), MapError> {
        if self.time.date.is_some() || self.time.year.is_some() {
            return Err(invalid(
                "time",
                "names the year already: `--year` is for a file that names none",
            ));
        }
        self.time.year_is = Some(year);
        Ok(())
    }

    fn fits_together(&self) -> Result<(), MapError> {
        if self.events.is_some() && self.sums {
            return Err(invalid(
                "row.sums",
                "cannot stand with `row.events`: a record counts its events, or sums up without",
            ));
        }
        if self.hazard == HazardFrom::Is(Hazard::Unspecified) && !self.sums {
            return Err(invalid(
                "hazard.is",
                "is `any`, which needs `sums = true` under [row]: an event has a kind",
            ));
        }
        if !self.group.is_empty() && !self.id.is_empty() {
            return Err(invalid(
                "row.id",
                "cannot stand with `row.group`: rows of a group are one record",
            ));
        }
        if self.long.is_some() && self.group.is_empty() {
            let reason = "needs `group` under [row]: which columns have the same values in all rows of one record";
            return Err(invalid("figures.long", reason));
        }
        let by_point = self.region.values.values().any(|code| code == BY_POINT);
        if by_point && self.point.is_none() {
            let reason = "has `point`, which needs the columns of one under [point]";
            return Err(invalid("region.values", reason));
        }
        let status = &self.status;
        if status.column.is_some() && status.real.is_empty() {
            return Err(invalid(
                "status.real",
                "is missing: the values of `status.column` that mean a real event",
            ));
        }
        let personal = self
            .columns()
            .into_iter()
            .find(|column| names_a_person(column));
        match personal {
            Some(column) => Err(MapError::Personal {
                column: column.to_owned(),
            }),
            None => Ok(()),
        }
    }

    /// Returns every column that the map reads, each once.
    pub(super) fn columns(&self) -> Vec<&str> {
        let mut columns: Vec<&str> = Vec::new();
        let lists = [&self.id, &self.group, &self.text, &self.status.words_in];
        columns.extend(lists.into_iter().flatten().map(String::as_str));
        let (time, region) = (&self.time, &self.region);
        let ones = [
            &self.events,
            &time.date,
            &time.until,
            &time.year,
            &time.quarter,
            &time.month,
            &region.code,
            &region.province,
            &region.regency,
            &region.district,
            &self.status.column,
        ];
        columns.extend(ones.into_iter().flatten().map(String::as_str));
        if let HazardFrom::Column { column, .. } = &self.hazard {
            columns.push(column);
        }
        if let Some((latitude, longitude)) = &self.point {
            columns.extend([latitude.as_str(), longitude]);
        }
        columns.extend(self.figures.iter().map(|(_, column)| column.as_str()));
        if let Some(long) = &self.long {
            columns.extend([long.measure.as_str(), &long.count]);
        }
        columns.sort_unstable();
        columns.dedup();
        columns
    }

    pub(super) fn zone(&self) -> Option<FixedOffset> {
        FixedOffset::east_opt(self.time.zone_seconds)
    }
}

/// Refuses the first key that its section does not know, with the nearest one that is known.
fn check_keys(text: &str, table: &DeTable<'_>, section: &str) -> Result<(), MapError> {
    let known = KEYS
        .iter()
        .find(|(name, _)| *name == section)
        .map_or(&[][..], |(_, keys)| keys);
    if known == ["*"] || section == "figures.long.values" {
        return Ok(());
    }
    let mut keys: Vec<_> = table.iter().collect();
    keys.sort_by_key(|(key, _)| key.span().start);
    for (key, value) in keys {
        let name: &str = key.get_ref();
        let path = if section.is_empty() {
            name.to_owned()
        } else {
            format!("{section}.{name}")
        };
        if !known.contains(&name) {
            return Err(MapError::UnknownKey {
                key: path.chars().take(80).collect(),
                line: line_at(text, key.span().start),
                nearest: nearest(section, name),
            });
        }
        if let DeValue::Table(inner) = value.get_ref() {
            check_keys(text, inner, &path)?;
        }
    }
    Ok(())
}

/// Returns the known key that is most like this one; of equals, one of the same section.
fn nearest(section: &str, name: &str) -> String {
    let short: String = name.chars().take(80).collect();
    let keys = KEYS
        .iter()
        .flat_map(|(of, keys)| keys.iter().map(move |key| (*of, *key)));
    let farness =
        |(of, key): &(&str, &str)| (strsim::damerau_levenshtein(&short, key), *of != section);
    let best = keys.filter(|(_, key)| *key != "*").min_by_key(farness);
    best.map_or_else(String::new, |(of, key)| {
        let mut path = of.to_owned();
        if !of.is_empty() {
            path.push('.');
        }
        // Writing into a string cannot fail.
        let _ = path.write_str(key);
        path
    })
}

fn line_at(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count()
}

fn invalid(key: &str, reason: &str) -> MapError {
    MapError::Invalid {
        key: key.to_owned(),
        reason: reason.to_owned(),
    }
}

fn one_of(key: &str, value: &str, allowed: &str) -> MapError {
    let value: String = value.chars().take(64).collect();
    invalid(key, &format!("is `{value}`: it must be {allowed}"))
}

fn named<T>(prefix: &str, name: &str, find: impl Fn(&str) -> Option<T>) -> Option<T> {
    let plain = name.trim().replace('-', "_").to_ascii_uppercase();
    (plain != "UNSPECIFIED")
        .then(|| find(&format!("{prefix}{plain}")))
        .flatten()
}

fn options(file: RawFile) -> Result<Options, MapError> {
    let shape = match file.format.as_deref() {
        None => None,
        Some("csv") => Some(Shape::Csv),
        Some("xlsx") => Some(Shape::Xlsx),
        Some("geojson") => Some(Shape::GeoJson),
        Some(other) => return Err(one_of("file.format", other, "csv, xlsx or geojson")),
    };
    let delimiter = match file.delimiter.as_deref() {
        None => None,
        Some("tab" | "\t") => Some('\t'),
        Some(text) => match text.chars().collect::<Vec<_>>().as_slice() {
            [one @ (',' | ';' | '|')] => Some(*one),
            _ => return Err(one_of("file.delimiter", text, "`,`, `;`, `|` or `tab`")),
        },
    };
    let encoding = encoding(file.encoding.as_deref().unwrap_or("utf-8"))?;
    if file
        .header_row
        .is_some_and(|row| !(1..=1000).contains(&row))
    {
        return Err(invalid("file.header_row", "must be from 1 to 1000"));
    }
    Ok(Options {
        shape,
        delimiter,
        encoding,
        sheet: file.sheet,
        header_row: file.header_row.unwrap_or(1),
    })
}

fn encoding(name: &str) -> Result<Encoding, MapError> {
    match name {
        "utf-8" => Ok(Encoding::Utf8),
        "windows-1252" | "cp1252" => Ok(Encoding::Windows1252),
        other => Err(one_of("file.encoding", other, "utf-8 or windows-1252")),
    }
}

fn marks(number: &RawNumber) -> Result<Marks, MapError> {
    let mark = |key: &str, text: &Option<String>| match text.as_deref() {
        None => Ok(None),
        Some(".") => Ok(Some('.')),
        Some(",") => Ok(Some(',')),
        Some(" ") if key == "number.thousands" => Ok(Some(' ')),
        Some(other) => Err(one_of(key, other, "`.` or `,`; of thousands also a blank")),
    };
    let thousands = mark("number.thousands", &number.thousands)?;
    let decimal = mark("number.decimal", &number.decimal)?;
    if thousands.is_some() && thousands == decimal {
        return Err(invalid(
            "number.decimal",
            "cannot be the mark of thousands too",
        ));
    }
    let usual = if thousands == Some('.') { ',' } else { '.' };
    Ok(Marks {
        thousands,
        decimal: decimal.unwrap_or(usual),
    })
}

fn hazard_named(key: &str, name: &str) -> Result<Hazard, MapError> {
    hazard::find(name)
        .or_else(|| named("HAZARD_", name, Hazard::from_str_name))
        .ok_or_else(|| {
            let names: Vec<&str> = hazard::ALL.iter().map(|label| label.name).collect();
            one_of(key, name, &format!("one of {}", names.join(", ")))
        })
}

fn hazard_from(raw: RawHazard) -> Result<HazardFrom, MapError> {
    match (raw.is, raw.column) {
        (Some(name), None) if name == "any" => Ok(HazardFrom::Is(Hazard::Unspecified)),
        (Some(name), None) => Ok(HazardFrom::Is(hazard_named("hazard.is", &name)?)),
        (None, Some(column)) => {
            let values = raw
                .values
                .iter()
                .map(|(word, name)| Ok((folded(word), hazard_named("hazard.values", name)?)));
            Ok(HazardFrom::Column {
                column,
                values: values.collect::<Result<_, MapError>>()?,
                left_out: raw.left_out.iter().map(|word| folded(word)).collect(),
            })
        }
        _ => Err(invalid(
            "hazard",
            "needs either `is`, a kind of hazard, or `column`, which says it",
        )),
    }
}

fn time_from(raw: RawTime) -> Result<TimeFrom, MapError> {
    let order = match raw.order.as_deref() {
        None => None,
        Some("dmy") => Some(Order::DayFirst),
        Some("mdy") => Some(Order::MonthFirst),
        Some(other) => return Err(one_of("time.order", other, "dmy or mdy")),
    };
    let zone = raw.zone.as_deref().unwrap_or("+07:00");
    let zone: FixedOffset = zone
        .parse()
        .map_err(|_| one_of("time.zone", zone, "an offset such as `+07:00`"))?;
    if raw.date.is_some()
        == (raw.year.is_some()
            || raw.year_is.is_some()
            || raw.month.is_some()
            || raw.quarter.is_some())
    {
        let reason =
            "needs either `date`, or `year` with `month` or `quarter` where there are such columns";
        return Err(invalid("time", reason));
    }
    if raw.year.is_some() && raw.year_is.is_some() {
        return Err(invalid(
            "time.year_is",
            "cannot stand with `time.year`, a column that says it",
        ));
    }
    Ok(TimeFrom {
        date: raw.date,
        until: raw.until,
        year: raw.year,
        quarter: raw.quarter,
        month: raw.month,
        year_is: raw.year_is,
        order,
        zone_seconds: zone.local_minus_utc(),
    })
}

fn region_from(raw: RawRegion) -> Result<RegionFrom, MapError> {
    let system = match raw.system.as_deref() {
        None => None,
        Some("bps") => Some(CodeSystem::Bps),
        Some("kemendagri") => Some(CodeSystem::Kemendagri),
        Some(other) => return Err(one_of("region.system", other, "bps or kemendagri")),
    };
    if raw.code.is_none()
        && raw.province.is_none()
        && raw.regency.is_none()
        && raw.district.is_none()
    {
        return Err(invalid(
            "region",
            "needs `code`, or names: `province`, `regency`, `district`",
        ));
    }
    for code in raw.values.values() {
        if posko_domain::region::find(code).is_none() && code.len() != 2 && code != BY_POINT {
            return Err(one_of(
                "region.values",
                code,
                "a Kemendagri code such as `31` or `32.03`, or `point`",
            ));
        }
    }
    Ok(RegionFrom {
        system,
        code: raw.code,
        values: raw
            .values
            .into_iter()
            .map(|(word, code)| (folded(&word), code))
            .collect(),
        province: raw.province,
        regency: raw.regency,
        district: raw.district,
    })
}

fn measure(key: &str, name: &str) -> Result<Measure, MapError> {
    named("MEASURE_", name, Measure::from_str_name).ok_or_else(|| {
        let known = (1..).map_while(|number| Measure::try_from(number).ok());
        let known = known.map(|measure| {
            measure
                .as_str_name()
                .trim_start_matches("MEASURE_")
                .to_lowercase()
        });
        let near =
            known.min_by_key(|known| strsim::damerau_levenshtein(known, &name.to_lowercase()));
        let near = near.unwrap_or_default();
        one_of(
            key,
            name,
            &format!("a measure such as `dead` or `houses_severe`; the nearest is `{near}`"),
        )
    })
}

fn figures(columns: &BTreeMap<String, String>) -> Result<Vec<(Measure, String)>, MapError> {
    let figures = columns
        .iter()
        .map(|(name, column)| Ok((measure("figures.columns", name)?, column.clone())));
    figures.collect()
}

fn long_figures(raw: RawLong) -> Result<LongFigures, MapError> {
    let values = raw
        .values
        .iter()
        .map(|(word, name)| Ok((folded(word), measure("figures.long.values", name)?)));
    Ok(LongFigures {
        measure: raw.measure,
        count: raw.count,
        values: values.collect::<Result<_, MapError>>()?,
        left_out: raw.left_out.iter().map(|word| folded(word)).collect(),
    })
}

/// A word of a file as it is compared: without regard to capitals and to how many blanks there are.
pub(super) fn folded(word: &str) -> String {
    word.to_lowercase()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}
