//! What an item of a document turned out to be, before anybody asks what is held already.

use posko_domain::warning::{WarningCommand, WarningRejection, check_carrier, stream_of};
use posko_formats::{Note, NoteKind};
use posko_proto::{
    Id,
    time::Millis,
    warning::v1::{self as wire, Content, Source},
};

use crate::intake::clean::clean;

/// What an item turned out to be.
#[derive(Debug, Clone, PartialEq)]
pub enum Judged {
    /// It is to be recorded.
    Take(Box<Wanted>),
    /// It is an alert elsewhere, which whoever holds the list may ask for.
    Link {
        /// Its address as the list gives it.
        url: String,
        /// When it was published, where the list says so.
        published: Option<Millis>,
    },
    /// It is of another area.
    Outside,
    /// It asks for nothing, and why.
    Nothing(String),
    /// It cannot be taken, and why.
    Refused(String),
}

/// An item of a document, judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// The publisher's id of it, or what tells it from the others of its document.
    pub identifier: String,
    /// What it is about.
    pub title: String,
    /// What it turned out to be.
    pub judged: Judged,
}

/// A warning as its publisher wants it to stand.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// Where it came from.
    pub source: Source,
    /// Who is to be credited.
    pub publisher: String,
    /// The publisher's own id of it.
    pub identifier: String,
    /// The warning that it would be.
    pub stream: Id,
    /// What it says.
    pub content: Content,
    /// What is to be done with it.
    pub effect: Effect,
}

/// What is to be done with a warning.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Record it, and end what it says that it replaces.
    Warn,
    /// Take back what it refers to.
    Cancel,
    /// Record an event of the ground, which is the same as one that is held of nearly the same time and place.
    Event,
    /// End the warning of an event of the ground.
    EndEvent,
    /// Record where a station stands: it begins a warning, goes on with the one that is held of it, or ends that.
    Station {
        /// What the identifiers of this station's warnings begin with.
        key: String,
        /// Whether it warns; else what is held of it ends.
        warns: bool,
    },
}

impl Judged {
    /// Takes a warning as its publisher wants it, cleaned; or says why it cannot be taken.
    pub(super) fn of(mut wanted: Wanted) -> Self {
        clean(&mut wanted);
        match wanted.command() {
            Ok(_) => Self::Take(Box::new(wanted)),
            Err(error) => Self::Refused(error.to_string()),
        }
    }

    /// Names the host whose feed brings it, and refuses what that may not bring.
    pub(super) fn carried(self, carrier: &str) -> Self {
        let Self::Take(mut wanted) = self else {
            return self;
        };
        if let Err(rejection) = check_carrier(wanted.source, carrier) {
            return Self::Refused(rejection.to_string());
        }
        wanted.content.carried_by = carrier.into();
        Self::Take(wanted)
    }
}

impl Wanted {
    /// Returns the command that takes it in, or why it cannot be taken.
    pub(crate) fn command(&self) -> Result<WarningCommand, WarningRejection> {
        WarningCommand::take(
            self.source,
            &self.publisher,
            &self.identifier,
            self.content.clone(),
        )
    }

    /// Returns a warning that is known by its source and its publisher's id.
    pub(crate) fn of(
        source: Source,
        publisher: &str,
        identifier: String,
        content: Content,
        effect: Effect,
    ) -> Self {
        Self {
            source,
            publisher: publisher.into(),
            stream: stream_of(source, &identifier),
            identifier,
            content,
            effect,
        }
    }
}

/// Returns the notes of a reader in the contract's words.
pub(super) fn notes_of(notes: &[Note]) -> Vec<wire::Note> {
    notes
        .iter()
        .map(|note| {
            let kind = match note.kind {
                NoteKind::NotKept => wire::NoteKind::NotKept,
                NoteKind::Order => wire::NoteKind::Order,
                NoteKind::Breach => wire::NoteKind::Breach,
                NoteKind::NotUnderstood => wire::NoteKind::NotUnderstood,
                NoteKind::LeftOut => wire::NoteKind::LeftOut,
                NoteKind::Signature => wire::NoteKind::Signature,
                NoteKind::Remark => wire::NoteKind::Remark,
            };
            wire::Note {
                kind: kind.into(),
                path: shortened(&note.path, 2_000),
                count: u32::try_from(note.count).unwrap_or(u32::MAX),
                text: shortened(&note.text, 2_000),
            }
        })
        .collect()
}

/// Returns at most so many characters of a text.
pub(super) fn shortened(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}

/// Returns a time of a document in the node's terms.
pub(super) fn millis<Zone: chrono::TimeZone>(time: &chrono::DateTime<Zone>) -> Millis {
    Millis(time.timestamp_millis())
}
