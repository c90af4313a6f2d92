//! Tables as CSV: a header, then rows of as many cells. It knows commas and semicolons, quotation marks and a byte order mark.

use std::str;

use serde_json::{Map, Value};

use crate::{
    field::FieldError,
    note::Lines,
    station::{MAX_ROWS, StationError},
};

/// A table, its rows not yet understood.
pub(super) struct Table {
    /// The names of the columns, as written.
    pub(super) columns: Vec<String>,
    /// The rows, each as an object by column, or why it is none.
    pub(super) rows: Vec<Result<Value, FieldError>>,
}

/// Returns the names of the columns if the bytes begin with a line of names.
pub(super) fn columns(body: &[u8]) -> Option<Vec<String>> {
    let end = body
        .iter()
        .position(|byte| *byte == b'\n')
        .unwrap_or(body.len());
    let header = str::from_utf8(body.get(..end)?).ok()?;
    split(header.trim_end_matches('\r'), delimiter_of(header))
}

/// Reads a table from CSV without a byte order mark; a row is refused alone.
pub(super) fn read(body: &[u8]) -> Result<Table, StationError> {
    let text = str::from_utf8(body).map_err(|error| StationError::NotUtf8 {
        line: Lines::of_bytes(body, error.valid_up_to()).line,
    })?;
    let mut lines = text.lines();
    let header = lines.next().unwrap_or_default();
    let delimiter = delimiter_of(header);
    let columns = split(header, delimiter).unwrap_or_default();
    let mut rows = Vec::new();
    for line in lines.filter(|line| !line.trim().is_empty()) {
        if rows.len() == MAX_ROWS {
            return Err(StationError::TooManyRows { limit: MAX_ROWS });
        }
        let path = format!("row[{}]", rows.len() + 1);
        rows.push(row(line, delimiter, &columns, path));
    }
    Ok(Table { columns, rows })
}

fn row(line: &str, delimiter: char, columns: &[String], path: String) -> Result<Value, FieldError> {
    // The row itself is not repeated: a column that is not ours may name a person.
    let refuse = |found: String| FieldError::Invalid {
        field: path,
        value: found,
        expected: format!(
            "a row of {} cells, as many as the header has",
            columns.len()
        ),
    };
    let cells = match split(line, delimiter) {
        None => return Err(refuse("an open quotation mark".to_owned())),
        Some(cells) if cells.len() != columns.len() => {
            return Err(refuse(format!("{} cells", cells.len())));
        }
        Some(cells) => cells,
    };
    let fields: Map<_, _> = columns
        .iter()
        .cloned()
        .zip(cells.into_iter().map(Value::from))
        .collect();
    Ok(Value::Object(fields))
}

fn delimiter_of(header: &str) -> char {
    if header.contains(';') { ';' } else { ',' }
}

/// Splits a line into cells; a cell in quotation marks may hold the delimiter, and two marks for one. None if one is not closed.
fn split(line: &str, delimiter: char) -> Option<Vec<String>> {
    let mut cells = vec![String::new()];
    let mut is_quoted = false;
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        let cell = cells.last_mut()?;
        if character == '"' && is_quoted && characters.peek() == Some(&'"') {
            characters.next();
            cell.push('"');
        } else if character == '"' {
            is_quoted = !is_quoted;
        } else if character == delimiter && !is_quoted {
            cells.push(String::new());
        } else {
            cell.push(character);
        }
    }
    (!is_quoted).then(|| cells.iter().map(|cell| cell.trim().to_owned()).collect())
}
