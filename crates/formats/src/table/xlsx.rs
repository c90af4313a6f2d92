//! A sheet of an Excel workbook, cell by cell. What it unpacks to is measured before anything of it is read.

use std::{
    io::{self, BufReader, Read, Seek, SeekFrom},
    ops::ControlFlow,
};

use calamine::{DataRef, Reader as _, Xlsx, XlsxError};
use zip::ZipArchive;

use super::{
    Cell, Columns, MAX_COLUMNS, MAX_ROWS, MAX_UNPACKED_BYTES, Options, Row, RowFault, RowPlace,
    Shape, Step, Summary, TableError,
};

/// The most files that a workbook may consist of.
const MAX_PARTS: usize = 4096;

/// Reads a table from a sheet.
pub(super) fn read(
    mut source: impl Read + Seek,
    options: &Options,
    take: &mut dyn FnMut(Step<'_>) -> ControlFlow<()>,
) -> Result<Summary, TableError> {
    measure(&mut source)?;
    source.seek(SeekFrom::Start(0))?;
    let mut workbook = Xlsx::new(BufReader::new(source)).map_err(|error| broken(&error))?;
    let sheets = workbook.sheet_names();
    let mut summary = Summary {
        shape: Shape::Xlsx,
        rows: 0,
        notes: Vec::new(),
    };
    let sheet = match &options.sheet {
        Some(sheet) if sheets.contains(sheet) => sheet.clone(),
        Some(sheet) => {
            let sheets = listed(&sheets);
            let sheet = sheet.clone();
            return Err(TableError::NoSheet { sheet, sheets });
        }
        None => sheets
            .first()
            .cloned()
            .ok_or_else(|| TableError::Workbook {
                reason: "it has no sheet".to_owned(),
            })?,
    };
    let others: Vec<String> = sheets.into_iter().filter(|name| *name != sheet).collect();
    if !others.is_empty() {
        let others = listed(&others);
        summary
            .notes
            .push(format!("sheet `{sheet}` is read, and not {others}"));
    }
    let mut cells = workbook
        .worksheet_cells_reader(&sheet)
        .map_err(|error| broken(&error))?;
    let mut rows = Rows {
        header_row: options.header_row.max(1) - 1,
        columns: None,
        row: 0,
        cells: Vec::new(),
        fault: None,
    };
    loop {
        let next = cells.next_cell().map_err(|error| broken(&error))?;
        let Some(cell) = next else { break };
        let (row, column) = cell.get_position();
        if row != rows.row {
            if rows.hand_over(&mut summary, take)?.is_break() {
                return Ok(summary);
            }
            rows.row = row;
        }
        rows.put(column as usize, cell.get_value());
    }
    let _ = rows.hand_over(&mut summary, take)?;
    if rows.columns.is_none() {
        return Err(TableError::NoHeader);
    }
    Ok(summary)
}

/// Unpacks every part of the workbook into nothing, so that one which grows without end is refused by what it is, not by
/// what it says of itself.
fn measure(source: &mut (impl Read + Seek)) -> Result<(), TableError> {
    let damaged = |reason: String| TableError::Workbook { reason };
    let mut archive =
        ZipArchive::new(BufReader::new(source)).map_err(|error| damaged(error.to_string()))?;
    if archive.len() > MAX_PARTS {
        return Err(damaged(format!("it has more than `{MAX_PARTS}` parts")));
    }
    let mut left = MAX_UNPACKED_BYTES;
    for part in 0..archive.len() {
        let part = archive
            .by_index(part)
            .map_err(|error| damaged(error.to_string()))?;
        let read = io::copy(&mut part.take(left + 1), &mut io::sink());
        let read = read.map_err(|error| damaged(error.to_string()))?;
        left = left.checked_sub(read).ok_or(TableError::Unpacks)?;
    }
    Ok(())
}

struct Rows {
    header_row: u32,
    columns: Option<Columns>,
    row: u32,
    cells: Vec<Cell>,
    fault: Option<RowFault>,
}

impl Rows {
    fn put(&mut self, column: usize, value: &DataRef<'_>) {
        let name = || {
            let names = self
                .columns
                .as_ref()
                .map(Columns::names)
                .unwrap_or_default();
            let name = names.get(column).cloned();
            name.unwrap_or_else(|| (column + 1).to_string())
        };
        let cell = match value {
            DataRef::Empty => return,
            DataRef::Int(number) => Cell::Text(number.to_string()),
            DataRef::Float(number) => Cell::Number(*number),
            DataRef::String(text) => Cell::Text(text.trim().to_owned()),
            DataRef::SharedString(text) => Cell::Text(text.trim().to_owned()),
            DataRef::Bool(is) => Cell::Text(is.to_string()),
            DataRef::DateTime(moment) => match moment.as_datetime() {
                Some(at) if moment.is_datetime() => Cell::Moment(at),
                _ => Cell::Number(moment.as_f64()),
            },
            DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
                Cell::Text(text.trim().to_owned())
            }
            DataRef::Error(error) => {
                self.fault = Some(RowFault::Workbook {
                    column: name(),
                    error: error.to_string(),
                });
                return;
            }
        };
        // What lies beyond the header is told with the row; what lies far beyond needs no memory to be told.
        if self.cells.len() <= column {
            self.cells.resize(column.min(MAX_COLUMNS) + 1, Cell::EMPTY);
        }
        if let Some(place) = self.cells.get_mut(column.min(MAX_COLUMNS)) {
            *place = cell;
        }
    }

    /// Hands over what was gathered of a row.
    fn hand_over(
        &mut self,
        summary: &mut Summary,
        take: &mut dyn FnMut(Step<'_>) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, TableError> {
        let mut cells = std::mem::take(&mut self.cells);
        let fault = self.fault.take();
        let is_blank = fault.is_none() && cells.iter().all(Cell::is_empty);
        if self.row < self.header_row || is_blank {
            return Ok(ControlFlow::Continue(()));
        }
        let Some(columns) = &self.columns else {
            if let Some(fault) = fault {
                return Err(TableError::Header(fault));
            }
            let columns = self.columns.insert(Columns::of_header(&cells)?);
            return Ok(take(Step::Columns(columns, Shape::Xlsx)));
        };
        summary.rows += 1;
        if summary.rows > MAX_ROWS {
            return Err(TableError::TooManyRows);
        }
        let width = columns.names().len();
        let beyond = cells.get(width..).unwrap_or_default();
        let ragged = beyond
            .iter()
            .any(|cell| !cell.is_empty())
            .then_some(RowFault::Ragged {
                cells: cells.len(),
                columns: width,
            });
        cells.resize(width, Cell::EMPTY);
        let place = RowPlace {
            row: u64::from(self.row) + 1,
            line: None,
        };
        Ok(match fault.or(ragged) {
            Some(fault) => take(Step::Broken(place, &fault)),
            None => take(Step::Row(Row {
                place,
                columns,
                cells: &cells,
            })),
        })
    }
}

fn broken(error: &XlsxError) -> TableError {
    TableError::Workbook {
        reason: crate::text::quote(&error.to_string()),
    }
}

fn listed(sheets: &[String]) -> String {
    let quoted = sheets
        .iter()
        .take(20)
        .map(|sheet| format!("`{}`", crate::text::quote(sheet)));
    quoted.collect::<Vec<_>>().join(", ")
}
