//! Numbers as offices write them: `1.234`, `1,234` and `1 234`. Which mark parts thousands is said, never guessed.

use thiserror::Error;

use super::Cell;
use crate::text::quote;

/// How numbers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marks {
    /// What parts thousands; none when nothing does, or nobody has said.
    pub thousands: Option<char>,
    /// What parts whole from fraction.
    pub decimal: char,
}

impl Default for Marks {
    fn default() -> Self {
        Self {
            thousands: None,
            decimal: '.',
        }
    }
}

/// Why a cell is no number that can be taken.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NumberError {
    /// It is no number at all.
    #[error("`{value}` is no number")]
    NoNumber {
        /// What stands there, shortened.
        value: String,
    },
    /// It is a number below nothing.
    #[error("`{value}` is below 0, and counts begin there")]
    Negative {
        /// What stands there.
        value: String,
    },
    /// It has a fraction, and counts have none.
    #[error("`{value}` is no whole number, as a count is")]
    Fraction {
        /// What stands there.
        value: String,
    },
    /// It may be thousands or a fraction.
    #[error(
        "`{value}` may be `{thousands}` or a fraction: say `--thousands {mark}`, or write `thousands = \"{mark}\"` under [number] of the map, or `decimal = \"{mark}\"`"
    )]
    Ambiguous {
        /// What stands there.
        value: String,
        /// What it is when the mark parts thousands.
        thousands: String,
        /// The mark.
        mark: char,
    },
    /// It is larger than any count.
    #[error("`{value}` is larger than 1,000,000,000")]
    TooLarge {
        /// What stands there.
        value: String,
    },
}

/// The largest count.
const LARGEST: u64 = 1_000_000_000;

/// Reads a count; none when the cell is empty.
pub fn count(cell: &Cell, marks: Marks) -> Result<Option<u64>, NumberError> {
    if cell.is_empty() {
        return Ok(None);
    }
    let shown = cell.text();
    let value = || quote(&shown);
    let number = match cell {
        Cell::Moment(_) => return Err(NumberError::NoNumber { value: value() }),
        Cell::Number(number) => {
            if !number.is_finite() {
                return Err(NumberError::NoNumber { value: value() });
            }
            if *number < 0.0 {
                return Err(NumberError::Negative { value: value() });
            }
            if number.fract() != 0.0 {
                return Err(NumberError::Fraction { value: value() });
            }
            if *number > LARGEST as f64 {
                return Err(NumberError::TooLarge { value: value() });
            }
            *number as u64
        }
        Cell::Text(text) => whole(text, marks)?,
    };
    if number > LARGEST {
        return Err(NumberError::TooLarge { value: value() });
    }
    Ok(Some(number))
}

fn whole(text: &str, marks: Marks) -> Result<u64, NumberError> {
    let value = || quote(text);
    let no_number = || NumberError::NoNumber { value: value() };
    // Blanks that do not break a line part thousands as plain ones do.
    let plain: String = text
        .chars()
        .map(|c| {
            if matches!(c, '\u{a0}' | '\u{202f}' | '\u{2009}') {
                ' '
            } else {
                c
            }
        })
        .collect();
    if let Some(rest) = plain.strip_prefix('-') {
        let is_number = rest.chars().next().is_some_and(|c| c.is_ascii_digit());
        return Err(if is_number {
            NumberError::Negative { value: value() }
        } else {
            no_number()
        });
    }
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let parsed = |part: &str| {
        let too_large = || NumberError::TooLarge { value: value() };
        part.parse().map_err(|_| too_large())
    };
    if digits(&plain) {
        return parsed(&plain);
    }
    let (whole, fraction) = match plain.split_once(marks.decimal) {
        Some((whole, fraction)) if marks.thousands != Some(marks.decimal) => {
            (whole, Some(fraction))
        }
        _ => (plain.as_str(), None),
    };
    // `1.234` where nobody said what the point is.
    if marks.thousands.is_none() {
        for mark in ['.', ',', ' '] {
            let parts: Vec<&str> = plain.split(mark).collect();
            let grouped = parts.len() > 1
                && parts.iter().all(|part| digits(part))
                && parts.first().is_some_and(|part| part.len() <= 3)
                && parts.iter().skip(1).all(|part| part.len() == 3);
            let is_fraction = mark == marks.decimal && marks.decimal == ',' && parts.len() == 2;
            if grouped && !is_fraction {
                return Err(NumberError::Ambiguous {
                    value: value(),
                    thousands: parts.concat(),
                    mark,
                });
            }
        }
    }
    let whole = match marks.thousands {
        Some(mark) if whole.contains(mark) => {
            let parts: Vec<&str> = whole.split(mark).collect();
            let grouped = parts.iter().all(|part| digits(part))
                && parts.first().is_some_and(|part| part.len() <= 3)
                && parts.iter().skip(1).all(|part| part.len() == 3);
            if !grouped {
                return Err(no_number());
            }
            parts.concat()
        }
        _ => whole.to_owned(),
    };
    if !digits(&whole) {
        return Err(no_number());
    }
    match fraction {
        Some(fraction) if !digits(fraction) => Err(no_number()),
        Some(fraction) if fraction.bytes().any(|digit| digit != b'0') => {
            Err(NumberError::Fraction { value: value() })
        }
        _ => parsed(&whole),
    }
}

/// Reads degrees, with a point or a comma before the fraction; none when the cell is empty.
pub fn degrees(cell: &Cell) -> Result<Option<f64>, NumberError> {
    let value = || quote(&cell.text());
    match cell {
        _ if cell.is_empty() => Ok(None),
        Cell::Number(number) if number.is_finite() => Ok(Some(*number)),
        Cell::Number(_) | Cell::Moment(_) => Err(NumberError::NoNumber { value: value() }),
        Cell::Text(text) => crate::text::parse_decimal(&text.replace(',', "."))
            .map(Some)
            .ok_or_else(|| NumberError::NoNumber { value: value() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(
        text: &str,
        thousands: Option<char>,
        decimal: char,
    ) -> Result<Option<u64>, NumberError> {
        count(&Cell::Text(text.into()), Marks { thousands, decimal })
    }

    #[test]
    fn a_mark_that_is_said_parts_thousands_and_one_that_is_not_is_asked_for() {
        assert_eq!(read("1.234", Some('.'), ','), Ok(Some(1234)));
        assert_eq!(read("1,234,567", Some(','), '.'), Ok(Some(1_234_567)));
        assert_eq!(read("1 234", Some(' '), ','), Ok(Some(1234)));
        assert_eq!(read("1\u{a0}234", Some(' '), ','), Ok(Some(1234)));
        assert_eq!(read("1.234,00", Some('.'), ','), Ok(Some(1234)));
        for text in ["1.234", "1,234", "12 345"] {
            assert!(
                matches!(read(text, None, '.'), Err(NumberError::Ambiguous { .. })),
                "{text}"
            );
        }
        assert_eq!(read("35.0", None, '.'), Ok(Some(35)));
        assert_eq!(read("1234", None, '.'), Ok(Some(1234)));
        assert_eq!(read("", None, '.'), Ok(None));
    }

    #[test]
    fn what_is_no_count_is_told_as_what_it_is() {
        assert!(matches!(
            read("12.34", Some('.'), ','),
            Err(NumberError::NoNumber { .. })
        ));
        assert!(matches!(
            read("35.5", None, '.'),
            Err(NumberError::Fraction { .. })
        ));
        assert!(matches!(
            read("-3", None, '.'),
            Err(NumberError::Negative { .. })
        ));
        assert!(matches!(
            read("banyak", None, '.'),
            Err(NumberError::NoNumber { .. })
        ));
        assert!(matches!(
            read("99999999999999999999999", None, '.'),
            Err(NumberError::TooLarge { .. })
        ));
        assert!(matches!(
            count(&Cell::Number(-0.5), Marks::default()),
            Err(NumberError::Negative { .. })
        ));
        assert!(matches!(
            count(&Cell::Number(f64::NAN), Marks::default()),
            Err(NumberError::NoNumber { .. })
        ));
        assert_eq!(count(&Cell::Number(12.0), Marks::default()), Ok(Some(12)));
        assert_eq!(degrees(&Cell::Text("-6,85".into())), Ok(Some(-6.85)));
    }
}
