//! Tables as offices publish them: CSV, a sheet of an XLSX workbook, or the points of a GeoJSON list, row by row.
//!
//! Every reader hands each row over as it comes and keeps none, so that a file may be longer than the memory.
//! A row that cannot be read is told alone, with where and why; nothing is replaced, guessed or left out in silence.
//!
//! [`date`] and [`number`] read what stands in a cell, with what is known and what is not.

mod csv;
pub mod date;
mod geojson;
pub mod number;
mod xlsx;

use std::{
    borrow::Cow,
    collections::HashMap,
    io::{self, Read, Seek, SeekFrom},
    ops::ControlFlow,
};

use chrono::NaiveDateTime;
use serde::Serialize;
use thiserror::Error;

/// The most rows that are read.
pub const MAX_ROWS: u64 = 1_000_000;
/// The most columns that are read.
pub const MAX_COLUMNS: usize = 512;
/// The longest row of a CSV file, in bytes.
pub const MAX_ROW_BYTES: usize = 1024 * 1024;
/// The largest workbook or GeoJSON document, in bytes: both are held in memory at least in part.
pub const MAX_WHOLE_BYTES: u64 = 64 * 1024 * 1024;
/// The most that a workbook may hold once unpacked, in bytes.
pub const MAX_UNPACKED_BYTES: u64 = 512 * 1024 * 1024;

/// What a table is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// Text with a delimiter between cells.
    Csv,
    /// A sheet of an Excel workbook.
    Xlsx,
    /// A list of features with points.
    GeoJson,
}

/// How the letters of a CSV file are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, with or without a byte order mark.
    #[default]
    Utf8,
    /// Windows-1252, as older Excel writes in Western languages.
    Windows1252,
}

/// How a table is to be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// What it is written in; none lets its first bytes tell.
    pub shape: Option<Shape>,
    /// What stands between the cells of a CSV file; none lets its header tell.
    pub delimiter: Option<char>,
    /// How the letters of a CSV file are written.
    pub encoding: Encoding,
    /// The sheet of a workbook; none takes the first.
    pub sheet: Option<String>,
    /// The row that names the columns, from 1; 0 is taken as 1.
    pub header_row: u32,
}

/// What stands in a cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// A text, without blanks around it; empty when nothing is there.
    Text(String),
    /// A number of a workbook or of JSON.
    Number(f64),
    /// A date of a workbook, with its time of day.
    Moment(NaiveDateTime),
}

impl Cell {
    const EMPTY: Self = Self::Text(String::new());

    /// Says whether nothing is there.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Text(text) if text.is_empty())
    }

    /// Returns what stands there as a person reads it.
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Number(number) => Cow::Owned(number.to_string()),
            Self::Moment(moment) => Cow::Owned(moment.format("%Y-%m-%d %H:%M:%S").to_string()),
        }
    }
}

/// The names of the columns.
#[derive(Clone, Debug, Default)]
pub struct Columns {
    names: Vec<String>,
    places: HashMap<String, usize>,
}

impl Columns {
    /// Returns the names in order.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.places.get(name).copied()
    }

    /// Adds a column, and returns where it stands; none when there are too many.
    fn add(&mut self, name: String) -> Option<usize> {
        let at = self.names.len();
        if at >= MAX_COLUMNS {
            return None;
        }
        self.places.insert(name.clone(), at);
        self.names.push(name);
        Some(at)
    }

    /// Takes the cells of a header.
    fn of_header(cells: &[Cell]) -> Result<Self, TableError> {
        let mut columns = Self::default();
        let last = cells.iter().rposition(|cell| !cell.is_empty());
        let Some(last) = last else {
            return Err(TableError::NoHeader);
        };
        for (at, cell) in cells.iter().take(last + 1).enumerate() {
            let name = cell.text().into_owned();
            if name.is_empty() {
                return Err(TableError::Unnamed { column: at + 1 });
            }
            if columns.place(&name).is_some() {
                return Err(TableError::Twice { column: name });
            }
            if columns.add(name).is_none() {
                return Err(TableError::TooManyColumns);
            }
        }
        Ok(columns)
    }
}

/// Where a row stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct RowPlace {
    /// The row as a spreadsheet counts it, the header included; of GeoJSON the feature, from 1.
    pub row: u64,
    /// The line of the file, from 1, of a CSV file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
}

/// A row.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// Where it stands.
    pub place: RowPlace,
    columns: &'a Columns,
    cells: &'a [Cell],
}

impl<'a> Row<'a> {
    /// Returns what stands in a column; an empty cell where there is no such column.
    pub fn cell(&self, column: &str) -> &'a Cell {
        const EMPTY: &Cell = &Cell::EMPTY;
        let cell = self.columns.place(column).and_then(|at| self.cells.get(at));
        cell.unwrap_or(EMPTY)
    }

    /// Returns every column with what stands in it.
    pub fn cells(&self) -> impl Iterator<Item = (&'a str, &'a Cell)> {
        let names = self.columns.names.iter().map(String::as_str);
        names.zip(self.cells)
    }
}

/// What a reader comes to.
#[derive(Clone, Copy, Debug)]
pub enum Step<'a> {
    /// The columns are known; of GeoJSON more may follow.
    Columns(&'a Columns, Shape),
    /// A row.
    Row(Row<'a>),
    /// A row that cannot be read.
    Broken(RowPlace, &'a RowFault),
}

/// Why a row cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RowFault {
    /// It has another number of cells than the header.
    #[error("it has `{cells}` cells, the header `{columns}`")]
    Ragged {
        /// How many it has.
        cells: usize,
        /// How many the header has.
        columns: usize,
    },
    /// A cell is not UTF-8.
    #[error(
        "column `{column}` is not UTF-8: byte `{byte:#04x}`; if the file is windows-1252, say `--encoding windows-1252`, or write `encoding = \"windows-1252\"` under [file] of the map"
    )]
    NotUtf8 {
        /// The column.
        column: String,
        /// The byte at which it stops being UTF-8.
        byte: u8,
    },
    /// A cell of a file that is said to be windows-1252 is UTF-8.
    #[error(
        "column `{column}` is UTF-8, and the map says windows-1252: write `encoding = \"utf-8\"` under [file] of the map"
    )]
    Utf8 {
        /// The column.
        column: String,
    },
    /// A cell of a file that is said to be windows-1252 has a byte that stands for no letter.
    #[error("column `{column}` has byte `{byte:#04x}`, which is no letter of windows-1252")]
    NoLetter {
        /// The column.
        column: String,
        /// The byte.
        byte: u8,
    },
    /// A cell holds a byte of value 0, as no text does.
    #[error("column `{column}` holds a byte of value 0: the file is no text")]
    Zero {
        /// The column.
        column: String,
    },
    /// After a quotation mark that closes a cell something else follows than the next cell.
    #[error("column `{column}` goes on after its closing quotation mark")]
    AfterQuote {
        /// The column.
        column: String,
    },
    /// A cell of a workbook holds an error of its own.
    #[error("column `{column}` holds the workbook's error `{error}`")]
    Workbook {
        /// The column.
        column: String,
        /// What it is.
        error: String,
    },
    /// A feature is no object.
    #[error("the feature is no object")]
    NoObject,
    /// A feature's geometry is not what a point is.
    #[error("the geometry is no point on earth: a point is `[longitude, latitude]` in degrees")]
    NoPoint,
    /// A feature has more fields than columns are read.
    #[error("the features have more than `{MAX_COLUMNS}` fields")]
    TooManyFields,
}

/// Why a whole table cannot be read.
#[derive(Debug, Error)]
pub enum TableError {
    /// The file could not be read.
    #[error("the file could not be read")]
    Io(#[from] io::Error),
    /// The file is something else.
    #[error("the file is {looks_like}: {instead}")]
    Other {
        /// What it looks like.
        looks_like: &'static str,
        /// What is read instead.
        instead: &'static str,
    },
    /// There is no row of names.
    #[error(
        "the header is empty: a row of column names is needed; say which with `header_row` under [file] of the map"
    )]
    NoHeader,
    /// A column has no name.
    #[error("column `{column}` has no name in the header")]
    Unnamed {
        /// Which, from 1.
        column: usize,
    },
    /// Two columns have the same name.
    #[error("two columns are named `{column}`")]
    Twice {
        /// The name.
        column: String,
    },
    /// There are more columns than are read.
    #[error("there are more than `{MAX_COLUMNS}` columns")]
    TooManyColumns,
    /// There are more rows than are read.
    #[error("there are more than `{MAX_ROWS}` rows: import the file in parts")]
    TooManyRows,
    /// The header does not tell what stands between cells.
    #[error(
        "the header has as many `{one}` as `{other}`: say which stands between cells with `delimiter` under [file] of the map"
    )]
    Delimiter {
        /// One of them.
        one: char,
        /// The other.
        other: char,
    },
    /// The header cannot be read.
    #[error("the header: {0}")]
    Header(RowFault),
    /// A cell in quotation marks does not end.
    #[error(
        "the quotation mark that opens a cell in the row of line `{line}` is not closed within `{MAX_ROW_BYTES}` bytes"
    )]
    OpenQuote {
        /// The line in which the row begins.
        line: u64,
    },
    /// A row is longer than is read.
    #[error("the row of line `{line}` is longer than `{MAX_ROW_BYTES}` bytes")]
    LongRow {
        /// The line in which it begins.
        line: u64,
    },
    /// The document is larger than is read.
    #[error(
        "the file has more than `{MAX_WHOLE_BYTES}` bytes: write it as CSV, which may be of any size"
    )]
    TooLarge,
    /// The workbook holds more than is read.
    #[error(
        "the workbook unpacks to more than `{MAX_UNPACKED_BYTES}` bytes: write the sheet as CSV"
    )]
    Unpacks,
    /// The workbook is damaged, or none.
    #[error("the workbook cannot be read: {reason}")]
    Workbook {
        /// What is wrong.
        reason: String,
    },
    /// The workbook has no such sheet.
    #[error("there is no sheet `{sheet}`: the workbook has {sheets}")]
    NoSheet {
        /// The sheet that was asked for.
        sheet: String,
        /// Those that there are.
        sheets: String,
    },
    /// The document is no JSON, or not of this kind.
    #[error("the document is no list of GeoJSON features at line `{line}`: {reason}")]
    Json {
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// The publisher's answer says that it failed.
    #[error("the publisher's answer has status `{status}`: it is an error and no data")]
    Failed {
        /// The status.
        status: i64,
    },
    /// The JSON ends without a list of features.
    #[error("the document has no `features`: ask for GeoJSON, such as with `geoformat=geojson`")]
    NoFeatures,
}

/// What was read, as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// What the table is written in.
    pub shape: Shape,
    /// How many rows there were, the broken ones too.
    pub rows: u64,
    /// What there is to say about the file as a whole.
    pub notes: Vec<String>,
}

/// Reads a table and hands over every step; `take` may end the reading early.
pub fn read(
    mut source: impl Read + Seek,
    options: &Options,
    take: &mut dyn FnMut(Step<'_>) -> ControlFlow<()>,
) -> Result<Summary, TableError> {
    let mut start = Vec::new();
    source.by_ref().take(512).read_to_end(&mut start)?;
    let length = source.seek(SeekFrom::End(0))?;
    source.seek(SeekFrom::Start(0))?;
    let found = shape_of(&start)?;
    let shape = match options.shape {
        Some(wanted) if wanted != found => {
            let looks_like = match found {
                Shape::Csv => "text, as a CSV file is",
                Shape::Xlsx => "a workbook",
                Shape::GeoJson => "JSON",
            };
            let instead = "the map says another `format` under [file]";
            return Err(TableError::Other {
                looks_like,
                instead,
            });
        }
        _ => found,
    };
    match shape {
        Shape::Csv => csv::read(source, options, take),
        Shape::Xlsx | Shape::GeoJson if length > MAX_WHOLE_BYTES => Err(TableError::TooLarge),
        Shape::Xlsx => xlsx::read(source, options, take),
        Shape::GeoJson => geojson::read(source, take),
    }
}

/// Tells by its first bytes what a file is written in.
fn shape_of(start: &[u8]) -> Result<Shape, TableError> {
    let other = |looks_like, instead| {
        Err(TableError::Other {
            looks_like,
            instead,
        })
    };
    match start {
        [b'P', b'K', 3, 4, ..] => return Ok(Shape::Xlsx),
        [0xd0, 0xcf, 0x11, 0xe0, ..] => {
            return other(
                "an old or a locked Excel workbook",
                "save it as XLSX without a password, or as CSV",
            );
        }
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
            return other("text in UTF-16", "save it as CSV in UTF-8");
        }
        [b'%', b'P', b'D', b'F', ..] => {
            return other("a PDF", "tables are read from CSV, XLSX and GeoJSON");
        }
        [0x1f, 0x8b, ..] => return other("packed with gzip", "unpack it first"),
        _ => {}
    }
    let text = start
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(start)
        .trim_ascii_start();
    match text {
        [] => other("empty", "there is nothing to read"),
        [b'{' | b'[', ..] => Ok(Shape::GeoJson),
        [b'<', ..] => other(
            "an HTML page or XML",
            "tables are read from CSV, XLSX and GeoJSON",
        ),
        _ => Ok(Shape::Csv),
    }
}
