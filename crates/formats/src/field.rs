//! Named fields of a row, whether it was written in JSON, XML or a table, and what is wrong with one.

use serde_json::{Map, Value};
use thiserror::Error;

use crate::{
    note::{NoteKind, Notes, Place},
    text::quote,
};

/// The longest text of one field, in bytes.
const MAX_FIELD_BYTES: usize = 16 * 1024;

/// Why a row was refused; fields are named by their path from the document's root.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FieldError {
    /// What should hold fields is something else.
    #[error("`{path}` is `{found}`, not an object")]
    NotAnObject {
        /// The path of the row.
        path: String,
        /// What stands there, shortened.
        found: String,
    },
    /// A required field is missing.
    #[error("field `{field}` is missing")]
    Missing {
        /// The path of the field.
        field: String,
    },
    /// A field stands twice, so that nobody can know which is meant.
    #[error("field `{field}` stands twice")]
    Twice {
        /// The path of the field.
        field: String,
    },
    /// A field does not say what it should.
    #[error("field `{field}` says `{value}`, which is not {expected}")]
    Invalid {
        /// The path of the field.
        field: String,
        /// What it says, shortened.
        value: String,
        /// What it should say.
        expected: String,
    },
    /// Two fields say different things of the same.
    #[error("fields `{field}` and `{other}` disagree: `{value}` and `{other_value}`")]
    Disagree {
        /// The path of the field that disagrees.
        field: String,
        /// The name of the field that it disagrees with.
        other: &'static str,
        /// What the field says.
        value: String,
        /// What the other field says.
        other_value: String,
    },
}

impl FieldError {
    /// Returns the path of the field at fault.
    pub fn element(&self) -> &str {
        match self {
            Self::NotAnObject { path, .. } => path,
            Self::Missing { field }
            | Self::Twice { field }
            | Self::Invalid { field, .. }
            | Self::Disagree { field, .. } => field,
        }
    }
}

/// The fields of one row.
#[derive(Clone, Debug)]
pub(crate) struct Fields<'a> {
    map: &'a Map<String, Value>,
    path: String,
    separator: char,
}

impl<'a> Fields<'a> {
    /// Returns the fields of a row, whose path is written with the separator of its format.
    pub(crate) fn of(value: &'a Value, path: &str, separator: char) -> Result<Self, FieldError> {
        match value {
            Value::Object(map) => Ok(Self {
                map,
                path: path.to_owned(),
                separator,
            }),
            other => Err(FieldError::NotAnObject {
                path: path.to_owned(),
                found: quote(&other.to_string()),
            }),
        }
    }

    /// Returns the fields inside a field.
    pub(crate) fn inside(&self, field: &'static str) -> Result<Fields<'a>, FieldError> {
        let path = self.path_of(field);
        match self.map.get(field) {
            None | Some(Value::Null) => Err(FieldError::Missing { field: path }),
            Some(value) => Fields::of(value, &path, self.separator),
        }
    }

    /// Returns the rows inside a field, which is a list or is not there.
    pub(crate) fn rows(&self, field: &'static str) -> Result<Vec<Fields<'a>>, FieldError> {
        match self.map.get(field) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Array(rows)) => rows
                .iter()
                .zip(1..)
                .map(|(row, number)| {
                    let path = format!("{}[{number}]", self.path_of(field));
                    Fields::of(row, &path, self.separator)
                })
                .collect(),
            Some(other) => Err(self.invalid(field, &other.to_string(), "a list")),
        }
    }

    /// Returns the path of a field.
    pub(crate) fn path_of(&self, field: &str) -> String {
        if self.path.is_empty() {
            field.to_owned()
        } else {
            format!("{}{}{field}", self.path, self.separator)
        }
    }

    /// Returns the value of a field as it is.
    pub(crate) fn get(&self, field: &str) -> Option<&'a Value> {
        self.map.get(field)
    }

    /// Returns the text of a field; a number is its own text, and BMKG writes `-` for nothing.
    pub(crate) fn optional(&self, field: &'static str) -> Result<Option<String>, FieldError> {
        let text = match self.map.get(field) {
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

    /// Returns the text of a field that must be there.
    pub(crate) fn required(&self, field: &'static str) -> Result<String, FieldError> {
        self.optional(field)?.ok_or_else(|| FieldError::Missing {
            field: self.path_of(field),
        })
    }

    /// Reads a field that must be there.
    pub(crate) fn read<T>(
        &self,
        field: &'static str,
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<T, FieldError> {
        let text = self.required(field)?;
        parse(&text).ok_or_else(|| self.invalid(field, &text, expected))
    }

    /// Counts and names the fields that have no place here.
    pub(crate) fn note_others(&self, known: &[&str], notes: &mut Notes) {
        for name in self.map.keys() {
            if !known.contains(&name.as_str()) {
                let path = without_numbers(&self.path_of(&quote(name)));
                notes.add(
                    NoteKind::NotKept,
                    path,
                    None,
                    "has no place here, and is not kept",
                );
            }
        }
    }

    pub(crate) fn invalid(&self, field: &str, value: &str, expected: &str) -> FieldError {
        FieldError::Invalid {
            field: self.path_of(field),
            value: quote(value),
            expected: expected.to_owned(),
        }
    }

    pub(crate) fn disagree(
        &self,
        field: &'static str,
        value: f64,
        other: &'static str,
        other_value: f64,
    ) -> FieldError {
        FieldError::Disagree {
            field: self.path_of(field),
            other,
            value: value.to_string(),
            other_value: other_value.to_string(),
        }
    }
}

/// Returns where JSON stops being readable, and why.
pub(crate) fn json_fault(error: &serde_json::Error) -> (Place, String) {
    let place = format!(" at line {} column {}", error.line(), error.column());
    let reason = error.to_string();
    let at = Place {
        line: error.line() as u32,
        column: error.column() as u32,
    };
    (at, quote(reason.strip_suffix(&place).unwrap_or(&reason)))
}

/// Returns a path without the numbers by which rows and elements of one name are told apart.
pub(crate) fn without_numbers(path: &str) -> String {
    let mut plain = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('[') {
        plain.push_str(before);
        rest = after.split_once(']').map_or("", |(_, after)| after);
    }
    plain.push_str(rest);
    plain
}
