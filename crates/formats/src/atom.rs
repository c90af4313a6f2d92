//! Indexes and feeds in Atom (RFC 4287): entries that link to CAP alerts or carry them. It never fetches anything.

use chrono::{DateTime, FixedOffset};
use thiserror::Error;

use crate::{
    cap::{self, Alert, CapError},
    note::{Note, NoteKind, Notes, Place, Read},
    text::quote,
    xml::{self, ATOM, Document, Element, XmlError},
};

/// The media types of a CAP alert, the registered one first.
const CAP_TYPES: &[&str] = &[
    "application/common-alerting-protocol+xml",
    "application/cap+xml",
];

/// The media types under which publishers link to an alert although they do not say what it is.
const XML_TYPES: &[&str] = &["application/xml", "text/xml", ""];

/// The elements of a feed and of an entry; `author` and `contributor` are left out.
const FEED: &[&str] = &[
    "id",
    "title",
    "updated",
    "subtitle",
    "link",
    "category",
    "generator",
    "icon",
    "logo",
    "rights",
    "entry",
];
const ENTRY: &[&str] = &[
    "id",
    "title",
    "updated",
    "published",
    "summary",
    "link",
    "category",
    "content",
    "rights",
    "source",
];
const PERSONS: &[&str] = &["author", "contributor"];

/// Why a document or one of its entries was refused; elements are named by their path from the root.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AtomError {
    /// The document is not XML that we read.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// The root element is not an Atom feed.
    #[error("root element `{name}` in namespace `{namespace}` at {at} is not an Atom feed")]
    NotAFeed {
        /// The name of the root element.
        name: String,
        /// Its namespace, empty if it has none.
        namespace: String,
        /// Where it begins.
        at: Place,
    },
    /// A required element is missing or empty.
    #[error("element `{element}` is missing in `{parent}` at {at}")]
    Missing {
        /// The missing element.
        element: &'static str,
        /// The path of the element that should hold it.
        parent: String,
        /// Where the parent begins.
        at: Place,
    },
    /// A time is not one of RFC 3339.
    #[error(
        "element `{element}` at {at} says `{value}`, which is not a real time of RFC 3339 with its zone"
    )]
    Time {
        /// The path of the element.
        element: String,
        /// The text, shortened.
        value: String,
        /// Where the element begins.
        at: Place,
    },
    /// An entry neither links to an alert nor carries one.
    #[error("entry `{entry}` at {at} neither links to a CAP alert nor carries one")]
    NoAlert {
        /// The path of the entry.
        entry: String,
        /// Where it begins.
        at: Place,
    },
    /// An entry carries an alert that cannot be read.
    #[error(transparent)]
    Alert(#[from] CapError),
}

impl AtomError {
    /// Returns the path of the element at fault, or nothing where the document is not even XML.
    pub fn element(&self) -> Option<String> {
        match self {
            Self::Xml(_) => None,
            Self::NotAFeed { name, .. } => Some(name.clone()),
            Self::Missing {
                element, parent, ..
            } => Some(format!("{parent}/{element}")),
            Self::Time { element, .. } => Some(element.clone()),
            Self::NoAlert { entry, .. } => Some(format!("{entry}/link")),
            Self::Alert(error) => error.element(),
        }
    }

    /// Returns where the fault is.
    pub fn place(&self) -> Option<Place> {
        match self {
            Self::Xml(error) => error.place(),
            Self::NotAFeed { at, .. }
            | Self::Missing { at, .. }
            | Self::Time { at, .. }
            | Self::NoAlert { at, .. } => Some(*at),
            Self::Alert(error) => error.place(),
        }
    }
}

/// One feed.
#[derive(Clone, Debug, PartialEq)]
pub struct Feed {
    /// The feed's own identifier.
    pub id: String,
    /// Its title.
    pub title: String,
    /// When it was last changed.
    pub updated: DateTime<FixedOffset>,
    /// The entries that could be read, in the publisher's order.
    pub entries: Vec<Entry>,
    /// Why the other entries were refused: one bad entry hides no good one, and is not hidden either.
    pub refused: Vec<AtomError>,
}

/// One entry of a feed.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The entry's own identifier.
    pub id: String,
    /// Its title.
    pub title: String,
    /// When it was last changed.
    pub updated: DateTime<FixedOffset>,
    /// Where its alert is to be read, as published.
    pub link: Option<String>,
    /// What it says of its alert in elements of CAP, as `name` and value; an index for choosing, not an alert.
    pub excerpt: Vec<(String, String)>,
    /// The alert that it carries, with the notes on it.
    pub alert: Option<Read<Alert>>,
}

/// Reads one feed from a document.
pub fn parse(document: &[u8]) -> Result<Read<Feed>, AtomError> {
    read(&xml::read(document)?)
}

/// Reads one feed from its tree.
pub(crate) fn read(document: &Document) -> Result<Read<Feed>, AtomError> {
    let root = &document.root;
    if !root.is(ATOM, "feed") {
        return Err(AtomError::NotAFeed {
            name: quote(&root.name),
            namespace: quote(root.namespace.name()),
            at: root.at,
        });
    }
    let mut notes = Notes::of(document);
    note_others(root, "feed", FEED, &mut notes);
    let feed = Part {
        element: root,
        path: "feed".to_owned(),
    };
    let (id, title) = (feed.text("id")?, feed.text("title")?);
    let updated = feed.time("updated")?;
    let (mut entries, mut refused) = (Vec::new(), Vec::new());
    let found = root.children.iter().filter(|child| child.is(ATOM, "entry"));
    for (element, number) in found.zip(1..) {
        note_others(element, "feed/entry", ENTRY, &mut notes);
        note_content(element, &mut notes);
        let entry = Part {
            element,
            path: format!("feed/entry[{number}]"),
        };
        match read_entry(&entry) {
            Ok(entry) => entries.push(entry),
            Err(error) => refused.push(error),
        }
    }
    Ok(Read {
        value: Feed {
            id,
            title,
            updated,
            entries,
            refused,
        },
        notes: notes.finish("feed"),
    })
}

fn read_entry(entry: &Part<'_>) -> Result<Entry, AtomError> {
    let (id, title) = (entry.text("id")?, entry.text("title")?);
    let updated = entry.time("updated")?;
    let content = entry
        .element
        .children
        .iter()
        .find(|child| child.is(ATOM, "content"));
    let inside = content.and_then(|content| content.children.iter().find(|child| is_alert(child)));
    let alert = inside
        .map(|element| read_inside(element, &format!("{}/content/alert", entry.path)))
        .transpose()?;
    let link = link_of(entry.element, content);
    if alert.is_none() && link.is_none() {
        return Err(AtomError::NoAlert {
            entry: entry.path.clone(),
            at: entry.element.at,
        });
    }
    Ok(Entry {
        id,
        title,
        updated,
        link,
        excerpt: excerpt_of(entry.element),
        alert,
    })
}

/// Reads an alert that another document carries, with notes of its own.
pub(crate) fn read_inside(element: &Element, path: &str) -> Result<Read<Alert>, CapError> {
    let mut notes = Notes::default();
    let value = cap::read_alert(element, path, &mut notes)?;
    let notes: Vec<Note> = notes.finish(path);
    Ok(Read { value, notes })
}

/// Says whether an element is an alert of any version of CAP.
pub(crate) fn is_alert(element: &Element) -> bool {
    element.name == "alert" && cap::version_of(&element.namespace).is_some()
}

/// Returns the link to the alert: one that says so before one that may be, and never one to a page for people.
fn link_of(entry: &Element, content: Option<&Element>) -> Option<String> {
    let links = || {
        let links = entry.children.iter().filter(|child| child.is(ATOM, "link"));
        links.filter(|link| link.attribute("rel") != Some("self"))
    };
    let of_types = |types: &[&str]| {
        links()
            .find(|link| types.contains(&link.attribute("type").unwrap_or_default()))
            .and_then(|link| link.attribute("href"))
    };
    let by_content = content
        .filter(|content| CAP_TYPES.contains(&content.attribute("type").unwrap_or_default()))
        .and_then(|content| content.attribute("src"));
    let link = of_types(CAP_TYPES)
        .or(by_content)
        .or_else(|| of_types(XML_TYPES))?;
    (!link.trim().is_empty()).then(|| link.trim().to_owned())
}

/// Returns the elements of CAP that an entry carries on its own, as an index does; names and values of one are joined by `=`.
fn excerpt_of(entry: &Element) -> Vec<(String, String)> {
    let found = entry
        .children
        .iter()
        .filter(|child| cap::version_of(&child.namespace).is_some() && child.name != "contact");
    found
        .map(|child| {
            let value = match child.children.as_slice() {
                [] => child.text.trim().to_owned(),
                parts => parts
                    .iter()
                    .map(|part| part.text.trim())
                    .collect::<Vec<_>>()
                    .join("="),
            };
            (child.name.clone(), value)
        })
        .collect()
}

/// Notes what is no element of Atom, and persons.
fn note_others(element: &Element, path: &str, known: &[&str], notes: &mut Notes) {
    for child in &element.children {
        let child_path = format!("{path}/{}", quote(&child.name));
        if child.namespace.name() != ATOM {
            if path == "feed" && is_alert(child) {
                let text = "stands outside any entry, and is not read";
                notes.add(NoteKind::NotKept, child_path, Some(child.at), text);
            } else if path == "feed" || cap::version_of(&child.namespace).is_none() {
                let text = format!("is of namespace `{}`, and not kept", child.namespace.name());
                notes.add(NoteKind::Remark, child_path, Some(child.at), text);
            }
        } else if PERSONS.contains(&child.name.as_str()) {
            let text = "is left out: it may name a person";
            notes.add(NoteKind::LeftOut, child_path, Some(child.at), text);
        } else if !known.contains(&child.name.as_str()) {
            let text = "is no element of Atom, and not kept";
            notes.add(NoteKind::NotKept, child_path, Some(child.at), text);
        }
    }
}

/// Notes what an entry carries beside the alert that is read, which is its first.
fn note_content(entry: &Element, notes: &mut Notes) {
    let contents = entry
        .children
        .iter()
        .filter(|child| child.is(ATOM, "content"));
    let inside = contents.flat_map(|content| &content.children);
    let mut is_read = false;
    for child in inside {
        if is_alert(child) && !is_read {
            is_read = true;
        } else {
            let path = format!("feed/entry/content/{}", quote(&child.name));
            let text = "stands beside the alert of its entry, and is not read";
            notes.add(NoteKind::NotKept, path, Some(child.at), text);
        }
    }
}

/// A feed or an entry, with its path from the root.
struct Part<'a> {
    element: &'a Element,
    path: String,
}

impl Part<'_> {
    fn required(&self, name: &'static str) -> Result<&Element, AtomError> {
        let found = self
            .element
            .children
            .iter()
            .find(|child| child.is(ATOM, name) && !child.text.trim().is_empty());
        found.ok_or_else(|| AtomError::Missing {
            element: name,
            parent: self.path.clone(),
            at: self.element.at,
        })
    }

    fn text(&self, name: &'static str) -> Result<String, AtomError> {
        Ok(self.required(name)?.text.trim().to_owned())
    }

    fn time(&self, name: &'static str) -> Result<DateTime<FixedOffset>, AtomError> {
        let element = self.required(name)?;
        let text = element.text.trim();
        DateTime::parse_from_rfc3339(text).map_err(|_| AtomError::Time {
            element: format!("{}/{name}", self.path),
            value: quote(text),
            at: element.at,
        })
    }
}
