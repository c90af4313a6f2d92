//! What there is to say about how a document was read: nothing is lost, changed or left out in silence.

use std::fmt;

use serde::Serialize;

use crate::xml::Document;

/// Where something stands in a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The line, from 1.
    pub line: u32,
    /// The column in bytes of UTF-8, from 1.
    pub column: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line `{}` column `{}`", self.line, self.column)
    }
}

/// Finds the places of rising offsets in a text in one pass.
pub(crate) struct Lines<'a> {
    text: &'a [u8],
    offset: usize,
    line: u32,
    line_start: usize,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self {
            text: text.as_bytes(),
            offset: 0,
            line: 1,
            line_start: 0,
        }
    }

    /// Returns the place of an offset in bytes that are no text yet.
    pub(crate) fn of_bytes(bytes: &'a [u8], offset: usize) -> Place {
        let mut lines = Self {
            text: bytes,
            offset: 0,
            line: 1,
            line_start: 0,
        };
        lines.place(offset)
    }

    /// Returns the place of an offset, which must not lie before the last one asked for.
    pub(crate) fn place(&mut self, offset: usize) -> Place {
        let passed = self.text.get(self.offset..offset).unwrap_or_default();
        for (at, _) in passed
            .iter()
            .enumerate()
            .filter(|(_, byte)| **byte == b'\n')
        {
            self.line += 1;
            self.line_start = self.offset + at + 1;
        }
        self.offset = self.offset.max(offset);
        Place {
            line: self.line,
            column: (offset.saturating_sub(self.line_start) + 1) as u32,
        }
    }
}

/// How much a note matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Worth knowing; the document is as it should be.
    Info,
    /// The document breaks a rule, or says something that has no place here.
    Warning,
}

/// What a note is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NoteKind {
    /// It has no field of its own here and is not kept.
    NotKept,
    /// It stands in another order than the standard's.
    Order,
    /// It breaks a rule, and what is meant is plain all the same.
    Breach,
    /// It is written in words that could not be taken apart; the words are kept.
    NotUnderstood,
    /// It may name a person, or is a secret, and is left out.
    LeftOut,
    /// It is signed, and the signature was not verified.
    Signature,
    /// It is worth knowing and no fault.
    Remark,
}

impl NoteKind {
    /// Returns how much a note of this kind matters.
    pub fn level(self) -> Level {
        match self {
            Self::NotKept | Self::Order | Self::Breach | Self::NotUnderstood => Level::Warning,
            Self::LeftOut | Self::Signature | Self::Remark => Level::Info,
        }
    }
}

/// One thing to say about how a document was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Note {
    /// What it is about.
    pub kind: NoteKind,
    /// How much it matters.
    pub level: Level,
    /// The element or field, as a path from the root.
    pub path: String,
    /// Where it stands first, if the format has lines.
    #[serde(flatten)]
    pub place: Option<Place>,
    /// How many there are.
    pub count: usize,
    /// What there is to say, without a personal word of the document.
    pub text: String,
}

impl fmt::Display for Note {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}`", self.path)?;
        if let Some(place) = self.place {
            write!(formatter, " at {place}")?;
        }
        if self.count > 1 {
            write!(formatter, ", {} times", self.count)?;
        }
        write!(formatter, ": {}", self.text)
    }
}

/// Something read, with what there is to say about how.
#[derive(Clone, Debug, PartialEq)]
pub struct Read<T> {
    /// What was read.
    pub value: T,
    /// What there is to say, in the document's order.
    pub notes: Vec<Note>,
}

impl<T> Read<T> {
    /// Says whether anything breaks a rule or could not be kept.
    pub fn has_warnings(&self) -> bool {
        has_warnings(&self.notes)
    }
}

/// Says whether any of the notes is a warning.
pub(crate) fn has_warnings(notes: &[Note]) -> bool {
    notes.iter().any(|note| note.level == Level::Warning)
}

/// The most different notes on one document; the last one counts what is left.
pub(crate) const MAX_NOTES: usize = 200;

/// Notes as they are gathered: alike ones are one, with how many there are.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    list: Vec<Note>,
    passed_over: usize,
}

impl Notes {
    /// Starts the notes on a document, with the encoding that it was read from if that is not UTF-8.
    pub(crate) fn of(document: &Document) -> Self {
        let mut notes = Self::default();
        if let Some(encoding) = &document.foreign_encoding {
            let text = format!("was read from `{encoding}`");
            notes.add(NoteKind::Remark, &document.root.name, None, text);
        }
        notes
    }

    /// Notes something; the same kind and text at the same path is counted, not repeated.
    pub(crate) fn add(
        &mut self,
        kind: NoteKind,
        path: impl Into<String>,
        place: Option<Place>,
        text: impl Into<String>,
    ) {
        let (path, text) = (path.into(), text.into());
        let known = self
            .list
            .iter_mut()
            .find(|note| note.kind == kind && note.path == path && note.text == text);
        if let Some(note) = known {
            note.count += 1;
        } else if self.list.len() < MAX_NOTES {
            self.list.push(Note {
                kind,
                level: kind.level(),
                path,
                place,
                count: 1,
                text,
            });
        } else {
            self.passed_over += 1;
        }
    }

    /// Returns the notes; what went beyond [`MAX_NOTES`] is counted in a last one.
    pub(crate) fn finish(mut self, root: &str) -> Vec<Note> {
        if self.passed_over > 0 {
            self.list.push(Note {
                kind: NoteKind::NotKept,
                level: NoteKind::NotKept.level(),
                path: root.to_owned(),
                place: None,
                count: self.passed_over,
                text: format!(
                    "more than `{MAX_NOTES}` different notes, the others are only counted"
                ),
            });
        }
        self.list
    }
}
