//! Envelopes of EDXL-DE 1.0 (OASIS), from which the CAP alerts are taken. Other contents are counted and named.

use chrono::{DateTime, FixedOffset};
use thiserror::Error;

use crate::{
    atom::{is_alert, read_inside},
    cap::{Alert, CapError, Status},
    note::{Note, NoteKind, Notes, Place, Read},
    text::quote,
    xml::{self, Document, EDXL_DE, Element, XmlError},
};

/// The elements of an envelope that are read, and those that only say to whom it goes.
const READ: &[&str] = &[
    "distributionID",
    "senderID",
    "dateTimeSent",
    "distributionStatus",
    "distributionType",
    "combinedConfidentiality",
    "contentObject",
];

/// The words for an envelope's status, and those for its type (EDXL-DE 1.0, section 3.2).
const STATUSES: &[&str] = &["Actual", "Exercise", "System", "Test"];
const TYPES: &[&str] = &[
    "Report",
    "Update",
    "Cancel",
    "Request",
    "Response",
    "Dispatch",
    "Ack",
    "Error",
    "SensorConfiguration",
    "SensorControl",
    "SensorStatus",
    "SensorDetection",
];

/// Why an envelope or one of its contents was refused; elements are named by their path from the root.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EdxlError {
    /// The document is not XML that we read.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// The root element is not an envelope of EDXL-DE 1.0.
    #[error(
        "root element `{name}` in namespace `{namespace}` at {at} is not an envelope of EDXL-DE 1.0"
    )]
    NotAnEnvelope {
        /// The name of the root element.
        name: String,
        /// Its namespace, empty if it has none.
        namespace: String,
        /// Where it begins.
        at: Place,
    },
    /// A required element is missing or empty.
    #[error("element `{element}` is missing in `EDXLDistribution` at {at}")]
    Missing {
        /// The missing element.
        element: &'static str,
        /// Where the envelope begins.
        at: Place,
    },
    /// The text of an element breaks the standard's rule for it.
    #[error("element `EDXLDistribution/{element}` at {at} says `{value}`, which is not {expected}")]
    Invalid {
        /// The element.
        element: &'static str,
        /// Its text, shortened.
        value: String,
        /// What the standard asks for.
        expected: String,
        /// Where the element begins.
        at: Place,
    },
    /// The envelope holds an alert that cannot be read.
    #[error(transparent)]
    Alert(#[from] CapError),
}

impl EdxlError {
    /// Returns the path of the element at fault, or nothing where the document is not even XML.
    pub fn element(&self) -> Option<String> {
        match self {
            Self::Xml(_) => None,
            Self::NotAnEnvelope { name, .. } => Some(name.clone()),
            Self::Missing { element, .. } | Self::Invalid { element, .. } => {
                Some(format!("EDXLDistribution/{element}"))
            }
            Self::Alert(error) => error.element(),
        }
    }

    /// Returns where the fault is.
    pub fn place(&self) -> Option<Place> {
        match self {
            Self::Xml(error) => error.place(),
            Self::NotAnEnvelope { at, .. }
            | Self::Missing { at, .. }
            | Self::Invalid { at, .. } => Some(*at),
            Self::Alert(error) => error.place(),
        }
    }
}

/// One envelope.
#[derive(Clone, Debug, PartialEq)]
pub struct Distribution {
    /// The envelope's own identifier.
    pub id: String,
    /// Who sent it.
    pub sender: String,
    /// When it was sent.
    pub sent: DateTime<FixedOffset>,
    /// How it is to be handled, with everything in it.
    pub status: Status,
    /// What it does, such as `Report`, `Update` or `Cancel`.
    pub kind: String,
    /// The alerts in it that could be read, in the publisher's order.
    pub alerts: Vec<Read<Alert>>,
    /// Why the other alerts were refused.
    pub refused: Vec<EdxlError>,
}

/// Reads one envelope from a document.
pub fn parse(document: &[u8]) -> Result<Read<Distribution>, EdxlError> {
    read(&xml::read(document)?)
}

/// Reads one envelope from its tree.
pub(crate) fn read(document: &Document) -> Result<Read<Distribution>, EdxlError> {
    let root = &document.root;
    if !root.is(EDXL_DE, "EDXLDistribution") {
        return Err(EdxlError::NotAnEnvelope {
            name: quote(&root.name),
            namespace: quote(root.namespace.name()),
            at: root.at,
        });
    }
    let mut notes = Notes::of(document);
    for child in &root.children {
        let path = format!("EDXLDistribution/{}", quote(&child.name));
        if child.is(EDXL_DE, "explicitAddress") {
            let text = "is left out: it may name a person";
            notes.add(NoteKind::LeftOut, path, Some(child.at), text);
        } else if !READ.contains(&child.name.as_str()) {
            notes.add(NoteKind::Remark, path, Some(child.at), "is not kept");
        }
    }
    let sent = required(root, "dateTimeSent")?;
    let time = DateTime::parse_from_rfc3339(sent.text.trim());
    let mut distribution = Distribution {
        id: text(root, "distributionID")?,
        sender: text(root, "senderID")?,
        sent: time.map_err(|_| {
            invalid(
                sent,
                "dateTimeSent",
                "a real time with its zone, of RFC 3339",
            )
        })?,
        status: read_status(root)?,
        kind: word(root, "distributionType", TYPES)?,
        alerts: Vec::new(),
        refused: Vec::new(),
    };
    let contents = root
        .children
        .iter()
        .filter(|child| child.is(EDXL_DE, "contentObject"));
    for (content, number) in contents.zip(1..) {
        let path = format!("EDXLDistribution/contentObject[{number}]");
        read_content(content, &path, &mut distribution, &mut notes);
    }
    Ok(Read {
        value: distribution,
        notes: notes.finish("EDXLDistribution"),
    })
}

/// Takes the alerts from one content, and names what else it holds.
fn read_content(content: &Element, path: &str, into: &mut Distribution, notes: &mut Notes) {
    for holder in &content.children {
        if holder.is(EDXL_DE, "nonXMLContent") {
            let path = "EDXLDistribution/contentObject/nonXMLContent";
            let text = "is no XML, and not read";
            notes.add(NoteKind::NotKept, path, Some(holder.at), text);
        }
        if !holder.is(EDXL_DE, "xmlContent") {
            continue;
        }
        for embedded in &holder.children {
            let inner = format!("{path}/xmlContent/{}", quote(&embedded.name));
            for element in &embedded.children {
                if is_alert(element) {
                    let path = format!("{inner}/alert");
                    match read_inside(element, &path) {
                        Ok(mut alert) => {
                            note_status(into.status, &path, &mut alert);
                            into.alerts.push(alert);
                        }
                        Err(error) => into.refused.push(error.into()),
                    }
                } else {
                    let path = format!("{inner}/{}", quote(&element.name));
                    let text = format!(
                        "is of namespace `{}`, and not read",
                        element.namespace.name()
                    );
                    notes.add(NoteKind::NotKept, path, Some(element.at), text);
                }
            }
        }
    }
}

fn required<'a>(root: &'a Element, name: &'static str) -> Result<&'a Element, EdxlError> {
    let found = root
        .children
        .iter()
        .find(|child| child.is(EDXL_DE, name) && !child.text.trim().is_empty());
    found.ok_or(EdxlError::Missing {
        element: name,
        at: root.at,
    })
}

fn text(root: &Element, name: &'static str) -> Result<String, EdxlError> {
    Ok(required(root, name)?.text.trim().to_owned())
}

fn word(root: &Element, name: &'static str, words: &[&str]) -> Result<String, EdxlError> {
    let element = required(root, name)?;
    let text = element.text.trim();
    if !words.contains(&text) {
        let expected = format!("one of {}", words.join(", "));
        return Err(invalid(element, name, &expected));
    }
    Ok(text.to_owned())
}

fn read_status(root: &Element) -> Result<Status, EdxlError> {
    let word = word(root, "distributionStatus", STATUSES)?;
    // Every one of the envelope's words is one of CAP's.
    Ok(Status::from_word(&word).unwrap_or(Status::Test))
}

/// Notes an alert that calls itself real in an envelope that does not: whoever sent it takes it for a test or an exercise.
fn note_status(envelope: Status, path: &str, alert: &mut Read<Alert>) {
    if envelope != Status::Actual && alert.value.status == Status::Actual {
        let kind = NoteKind::Breach;
        alert.notes.push(Note {
            kind,
            level: kind.level(),
            path: format!("{path}/status"),
            place: None,
            count: 1,
            text: format!(
                "says `Actual`, and the envelope is of `{}`",
                envelope.word()
            ),
        });
    }
}

fn invalid(element: &Element, name: &'static str, expected: &str) -> EdxlError {
    EdxlError::Invalid {
        element: name,
        value: quote(element.text.trim()),
        expected: expected.to_owned(),
        at: element.at,
    }
}
