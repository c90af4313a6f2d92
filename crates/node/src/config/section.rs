//! The first layer: TOML whose keys and values know their line.

use std::{borrow::Cow, cmp::Reverse, ops::RangeInclusive};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use crate::config::{ConfigError, SECTIONS};

/// The most characters of a value that a refusal repeats.
const SHOWN_CHARACTERS: usize = 80;

/// Reads TOML and keeps the place of everything.
pub(super) fn read(text: &str) -> Result<Spanned<DeTable<'_>>, ConfigError> {
    DeTable::parse(text).map_err(|error| ConfigError::Syntax {
        line: line_at(text, error.span().map_or(0, |span| span.start)),
        reason: error.message().replace('\n', ", "),
    })
}

/// One section of the file: its root, a `[table]` or one of several `[[tables]]`.
pub(super) struct Section<'a> {
    text: &'a str,
    /// The section's name, empty for the root.
    name: &'static str,
    line: usize,
    table: &'a DeTable<'a>,
}

/// A text value and where it stands.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) value: String,
    key: String,
    line: usize,
}

impl Found {
    /// Returns the refusal of this value.
    pub(super) fn refuse(&self, allowed: &str) -> ConfigError {
        ConfigError::Invalid {
            key: self.key.clone(),
            line: self.line,
            value: shortened(&self.value),
            allowed: allowed.into(),
        }
    }
}

impl<'a> Section<'a> {
    pub(super) fn root(text: &'a str, table: &'a DeTable<'a>) -> Self {
        Self {
            text,
            name: "",
            line: 1,
            table,
        }
    }

    /// Refuses the first key that the section does not know, with the nearest one that is known.
    pub(super) fn check_keys(&self) -> Result<(), ConfigError> {
        let known = SECTIONS
            .iter()
            .find(|(name, _)| *name == self.name)
            .map_or(&[][..], |(_, keys)| keys);
        let unknown = self
            .table
            .keys()
            .filter(|key| !known.contains(&key.get_ref().as_ref()));
        let Some(key) = unknown.min_by_key(|key| key.span().start) else {
            return Ok(());
        };
        Err(ConfigError::UnknownKey {
            key: self.path(key.get_ref()),
            line: line_at(self.text, key.span().start),
            nearest: self.nearest(key.get_ref()),
        })
    }

    /// Returns a text that has a default.
    pub(super) fn string(&self, key: &str) -> Result<Option<Found>, ConfigError> {
        let Some(value) = self.table.get(key) else {
            return Ok(None);
        };
        match value.get_ref() {
            DeValue::String(text) => Ok(Some(self.found(key, value, text))),
            _ => Err(self.refuse(key, value, "a text in quotes")),
        }
    }

    /// Returns a text that must be there.
    pub(super) fn required_string(&self, key: &str, allowed: &str) -> Result<Found, ConfigError> {
        self.string(key)?.ok_or_else(|| ConfigError::Missing {
            key: self.path(key),
            line: self.line,
            allowed: allowed.into(),
        })
    }

    /// Returns a whole number within a range, or its default.
    pub(super) fn integer(
        &self,
        key: &str,
        default: i64,
        range: RangeInclusive<i64>,
    ) -> Result<i64, ConfigError> {
        let Some(value) = self.table.get(key) else {
            return Ok(default);
        };
        let number = value.get_ref().as_integer();
        let number =
            number.and_then(|number| i64::from_str_radix(number.as_str(), number.radix()).ok());
        number
            .filter(|number| range.contains(number))
            .ok_or_else(|| {
                let allowed = format!("a whole number from {} to {}", range.start(), range.end());
                self.refuse(key, value, &allowed)
            })
    }

    /// Returns a list of texts.
    pub(super) fn strings(&self, key: &str) -> Result<Option<Vec<Found>>, ConfigError> {
        let Some(value) = self.table.get(key) else {
            return Ok(None);
        };
        let allowed = "a list of texts in quotes";
        let DeValue::Array(array) = value.get_ref() else {
            return Err(self.refuse(key, value, allowed));
        };
        let texts = array.iter().map(|item| match item.get_ref() {
            DeValue::String(text) => Ok(self.found(key, item, text)),
            _ => Err(self.refuse(key, item, allowed)),
        });
        texts.collect::<Result<_, _>>().map(Some)
    }

    /// Returns a `[table]` below the root.
    pub(super) fn table(&self, name: &'static str) -> Result<Option<Self>, ConfigError> {
        let Some(value) = self.table.get(name) else {
            return Ok(None);
        };
        match value.get_ref() {
            DeValue::Table(table) => Ok(Some(self.child(name, value, table))),
            _ => Err(self.refuse(name, value, &format!("a section `[{name}]`"))),
        }
    }

    /// Returns the `[[tables]]` of a name below the root, in the file's order.
    pub(super) fn tables(&self, name: &'static str) -> Result<Vec<Self>, ConfigError> {
        let Some(value) = self.table.get(name) else {
            return Ok(Vec::new());
        };
        let allowed = format!("sections `[[{name}]]`");
        let DeValue::Array(array) = value.get_ref() else {
            return Err(self.refuse(name, value, &allowed));
        };
        let tables = array.iter().map(|item| match item.get_ref() {
            DeValue::Table(table) => Ok(self.child(name, item, table)),
            _ => Err(self.refuse(name, item, &allowed)),
        });
        tables.collect()
    }

    /// Refuses a key if it is there, whatever its value.
    pub(super) fn refuse_key(&self, key: &str, allowed: &str) -> Result<(), ConfigError> {
        self.table
            .get(key)
            .map_or(Ok(()), |value| Err(self.refuse(key, value, allowed)))
    }

    /// Returns the line of a value in a `[table]` below the root, or the first.
    pub(super) fn line_of_child(&self, name: &str, key: &str) -> usize {
        let value = self
            .table
            .get(name)
            .and_then(|table| table.get_ref().get(key).or(Some(table)));
        value.map_or(1, |value| line_at(self.text, value.span().start))
    }

    fn child(
        &self,
        name: &'static str,
        value: &Spanned<DeValue<'a>>,
        table: &'a DeTable<'a>,
    ) -> Self {
        Self {
            text: self.text,
            name,
            line: line_at(self.text, value.span().start),
            table,
        }
    }

    fn found(&self, key: &str, value: &Spanned<DeValue<'_>>, text: &str) -> Found {
        Found {
            value: text.into(),
            key: self.path(key),
            line: line_at(self.text, value.span().start),
        }
    }

    fn refuse(&self, key: &str, value: &Spanned<DeValue<'_>>, allowed: &str) -> ConfigError {
        let shown = self.text.get(value.span()).unwrap_or_default();
        ConfigError::Invalid {
            key: self.path(key),
            line: line_at(self.text, value.span().start),
            value: shortened(shown),
            allowed: allowed.into(),
        }
    }

    fn path(&self, key: &str) -> String {
        if self.name.is_empty() {
            shortened(key)
        } else {
            format!("{}.{}", self.name, shortened(key))
        }
    }

    /// Returns the known key that is most like this one; of equals, one of the same section.
    fn nearest(&self, key: &str) -> String {
        let keys = SECTIONS
            .iter()
            .flat_map(|(section, keys)| keys.iter().map(move |known| (*section, *known)));
        let likeness = |(section, known): &(&str, &str)| {
            let distance = strsim::damerau_levenshtein(&shortened(key), known);
            (Reverse(distance), *section == self.name)
        };
        let best = keys.max_by_key(likeness);
        best.map_or_else(String::new, |(section, known)| match section {
            "" => known.into(),
            _ => format!("{section}.{known}"),
        })
    }
}

fn line_at(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count()
}

/// Returns an address without the user and the password before its last `@`.
fn without_login(text: &str) -> Cow<'_, str> {
    let (scheme, rest) = match text.find("://") {
        Some(at) => text.split_at(at + 3),
        None => ("", text),
    };
    match rest.rsplit_once('@') {
        Some((login, host)) if !scheme.is_empty() || login.contains(':') => {
            Cow::Owned(format!("{scheme}…@{host}"))
        }
        _ => Cow::Borrowed(text),
    }
}

/// Returns the beginning of a value for a refusal, without the login that an address may hold.
fn shortened(text: &str) -> String {
    let text = &without_login(text);
    let mut shown: String = text
        .chars()
        .take(SHOWN_CHARACTERS)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if text.chars().nth(SHOWN_CHARACTERS).is_some() {
        shown.push('…');
    }
    shown
}
