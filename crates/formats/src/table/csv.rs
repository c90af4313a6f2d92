//! CSV: records of cells, in quotation marks where they hold the delimiter, a quotation mark or a line end.

use std::{
    io::{BufRead, BufReader, Cursor, Read},
    ops::ControlFlow,
    str,
};

use super::{
    Cell, Columns, Encoding, MAX_ROW_BYTES, MAX_ROWS, Options, Row, RowFault, RowPlace, Shape,
    Step, Summary, TableError,
};

/// What may stand between cells.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// The letters of windows-1252 from 0x80 to 0x9f; a blank one stands for no letter.
const HIGH_1252: [char; 32] = [
    '€', '\0', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\0', 'Ž', '\0', '\0', '‘',
    '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\0', 'ž', 'Ÿ',
];

/// Reads a table from CSV.
pub(super) fn read(
    source: impl Read,
    options: &Options,
    take: &mut dyn FnMut(Step<'_>) -> ControlFlow<()>,
) -> Result<Summary, TableError> {
    let mut notes = Vec::new();
    let mut input = BufReader::with_capacity(64 * 1024, source);
    let mut first = first_line(&mut input, 1)?;
    if let Some(rest) = first.strip_prefix(b"\xef\xbb\xbf") {
        if options.encoding == Encoding::Windows1252 {
            let looks_like = "UTF-8, by its byte order mark";
            let instead = "write `encoding = \"utf-8\"` under [file] of the map";
            return Err(TableError::Other {
                looks_like,
                instead,
            });
        }
        first = rest.to_vec();
    }
    let mut line = 1;
    let mut said = options
        .delimiter
        .and_then(|delimiter| u8::try_from(delimiter).ok());
    // Excel's own way to name the delimiter.
    if let Some([delimiter]) = first.trim_ascii_end().strip_prefix(b"sep=") {
        said = said.or(Some(*delimiter));
        line = 2;
        first = first_line(&mut input, 2)?;
        notes.push("its first line names the delimiter, as Excel writes it".to_owned());
    }
    for _ in 1..options.header_row {
        line += 1;
        first = first_line(&mut input, line)?;
    }
    let delimiter = match said {
        Some(delimiter) => delimiter,
        None => delimiter_of(&first)?,
    };
    let mut records = Records {
        input: Cursor::new(first).chain(input),
        delimiter,
        line,
        ended: false,
    };
    let mut cells = Vec::new();
    let Some(_) = records.next(&mut cells)? else {
        return Err(TableError::NoHeader);
    };
    let name = |at: usize| format!("{}", at + 1);
    let header = decode(&cells, options.encoding, name).map_err(TableError::Header)?;
    let columns = Columns::of_header(&header)?;
    let mut summary = Summary {
        shape: Shape::Csv,
        rows: 0,
        notes,
    };
    if take(Step::Columns(&columns, Shape::Csv)).is_break() {
        return Ok(summary);
    }
    let (mut row, mut blank) = (u64::from(options.header_row.max(1)), 0_u64);
    while let Some(line) = records.next(&mut cells)? {
        row += 1;
        if cells.iter().all(|cell| cell.text.trim_ascii().is_empty()) {
            blank += 1;
            continue;
        }
        summary.rows += 1;
        if summary.rows > MAX_ROWS {
            return Err(TableError::TooManyRows);
        }
        let place = RowPlace {
            row,
            line: Some(line),
        };
        let read = of_width(&mut cells, columns.names().len()).and_then(|()| {
            let name = |at: usize| columns.names().get(at).cloned().unwrap_or_default();
            decode(&cells, options.encoding, name)
        });
        let step = match &read {
            Ok(cells) => Step::Row(Row {
                place,
                columns: &columns,
                cells,
            }),
            Err(fault) => Step::Broken(place, fault),
        };
        if take(step).is_break() {
            return Ok(summary);
        }
    }
    if blank > 0 {
        summary
            .notes
            .push(format!("blank rows passed over: `{blank}`"));
    }
    Ok(summary)
}

/// Reads the first line, its end included.
fn first_line(input: &mut impl BufRead, line: u64) -> Result<Vec<u8>, TableError> {
    let mut first = Vec::new();
    input
        .by_ref()
        .take(MAX_ROW_BYTES as u64 + 1)
        .read_until(b'\n', &mut first)?;
    if first.len() > MAX_ROW_BYTES {
        return Err(TableError::LongRow { line });
    }
    Ok(first)
}

/// Tells what stands between the cells of a header: what it holds most of, outside of quotation marks.
fn delimiter_of(header: &[u8]) -> Result<u8, TableError> {
    let mut quoted = false;
    let mut counts = DELIMITERS.map(|delimiter| (0_usize, delimiter));
    for byte in header {
        quoted ^= *byte == b'"';
        for (count, delimiter) in &mut counts {
            *count += usize::from(!quoted && byte == delimiter);
        }
    }
    counts.sort_unstable_by(|a, b| b.cmp(a));
    let [(most, one), (next, other), ..] = counts;
    if most > 0 && most == next {
        let (one, other) = (char::from(one), char::from(other));
        return Err(TableError::Delimiter { one, other });
    }
    Ok(if most == 0 { b',' } else { one })
}

/// Lets a row have empty cells beyond the header's, as spreadsheets write them; any other difference is a fault.
fn of_width(cells: &mut Vec<Raw>, columns: usize) -> Result<(), RowFault> {
    let beyond = cells.get(columns..).unwrap_or_default();
    let only_empty = beyond.iter().all(|cell| cell.text.trim_ascii().is_empty());
    if cells.len() < columns || !only_empty {
        return Err(RowFault::Ragged {
            cells: cells.len(),
            columns,
        });
    }
    cells.truncate(columns);
    Ok(())
}

/// A cell's bytes.
#[derive(Default)]
struct Raw {
    text: Vec<u8>,
    after_quote: bool,
}

struct Records<R> {
    input: R,
    delimiter: u8,
    line: u64,
    ended: bool,
}

/// Where in a cell the reader is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Start,
    Plain,
    Quoted,
    /// After a quotation mark within quotation marks: the cell's end, or the first of two that stand for one.
    Quote,
}

impl<R: BufRead> Records<R> {
    /// Reads the next record; returns the line in which it begins, none at the end.
    fn next(&mut self, cells: &mut Vec<Raw>) -> Result<Option<u64>, TableError> {
        cells.clear();
        if self.ended {
            return Ok(None);
        }
        let begin = self.line;
        let (mut at, mut length) = (At::Start, 0_usize);
        let mut cell = Raw::default();
        loop {
            let bytes = self.input.fill_buf()?;
            if bytes.is_empty() {
                self.ended = true;
                if at == At::Quoted {
                    return Err(TableError::OpenQuote { line: begin });
                }
                let nothing = length == 0;
                cells.push(cell);
                return Ok((!nothing).then_some(begin));
            }
            let mut used = 0;
            let mut done = false;
            for byte in bytes {
                used += 1;
                length += 1;
                self.line += u64::from(*byte == b'\n');
                match (at, *byte) {
                    (At::Quoted, b'"') => at = At::Quote,
                    (At::Quoted, byte) => cell.text.push(byte),
                    (At::Quote, b'"') => {
                        cell.text.push(b'"');
                        at = At::Quoted;
                    }
                    (At::Start, b'"') => {
                        cell.text.clear();
                        at = At::Quoted;
                    }
                    (_, byte) if byte == self.delimiter => {
                        cells.push(std::mem::take(&mut cell));
                        at = At::Start;
                    }
                    (_, b'\n') => {
                        done = true;
                        break;
                    }
                    (_, b'\r') => {}
                    (At::Start, b' ') => cell.text.push(b' '),
                    (At::Quote, byte) => cell.after_quote |= !byte.is_ascii_whitespace(),
                    (At::Start | At::Plain, byte) => {
                        cell.text.push(byte);
                        at = At::Plain;
                    }
                }
            }
            self.input.consume(used);
            if done && length <= MAX_ROW_BYTES {
                cells.push(cell);
                return Ok(Some(begin));
            }
            if length > MAX_ROW_BYTES {
                return Err(match at {
                    At::Quoted => TableError::OpenQuote { line: begin },
                    At::Start | At::Plain | At::Quote => TableError::LongRow { line: begin },
                });
            }
        }
    }
}

/// Reads the letters of a row.
fn decode(
    cells: &[Raw],
    encoding: Encoding,
    name: impl Fn(usize) -> String,
) -> Result<Vec<Cell>, RowFault> {
    let cells = cells.iter().enumerate().map(|(at, raw)| {
        if raw.after_quote {
            return Err(RowFault::AfterQuote { column: name(at) });
        }
        let text = raw.text.trim_ascii();
        if text.contains(&0) {
            return Err(RowFault::Zero { column: name(at) });
        }
        let text = match encoding {
            Encoding::Utf8 => str::from_utf8(text).map(str::to_owned).map_err(|error| {
                let byte = text.get(error.valid_up_to()).copied().unwrap_or_default();
                RowFault::NotUtf8 {
                    column: name(at),
                    byte,
                }
            })?,
            Encoding::Windows1252 => from_1252(text, || name(at))?,
        };
        Ok(Cell::Text(text.trim().to_owned()))
    });
    cells.collect()
}

fn from_1252(text: &[u8], name: impl Fn() -> String) -> Result<String, RowFault> {
    // Letters beyond ASCII that happen to be UTF-8 are: in windows-1252 they would read as `Ã©`.
    if !text.is_ascii() && str::from_utf8(text).is_ok() {
        return Err(RowFault::Utf8 { column: name() });
    }
    let letters = text.iter().map(|byte| match byte {
        0x80..=0x9f => match HIGH_1252.get(usize::from(byte - 0x80)) {
            None | Some('\0') => Err(RowFault::NoLetter {
                column: name(),
                byte: *byte,
            }),
            Some(letter) => Ok(*letter),
        },
        byte => Ok(char::from(*byte)),
    });
    letters.collect()
}
