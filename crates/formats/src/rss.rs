//! Lists in RSS 2.0: what is new at a publisher's, and where to fetch it. It never fetches anything.

use chrono::{DateTime, FixedOffset};
use thiserror::Error;

use crate::{
    note::{NoteKind, Notes, Place, Read},
    text::quote,
    xml::{self, Document, Element, Namespace, XmlError},
};

/// Elements that name persons, in a list and in its items.
const PERSONS: &[&str] = &["managingEditor", "webMaster", "author"];

/// Why a document was refused as an RSS list; `at` is where the element begins.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RssError {
    /// The document is not XML that we read.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// The root element is not `rss` of version 2.0.
    #[error("root element `{name}` of version `{version}` at {at} is not an RSS 2.0 list")]
    NotAList {
        /// The name of the root element.
        name: String,
        /// Its version, empty if it names none.
        version: String,
        /// Where it begins.
        at: Place,
    },
    /// A required element is missing.
    #[error("element `{element}` is missing in `{parent}` at {at}")]
    Missing {
        /// The missing element.
        element: &'static str,
        /// The element that should hold it.
        parent: String,
        /// Where the parent begins.
        at: Place,
    },
    /// An element that may stand once stands twice.
    #[error("element `{element}` at {at} is a second one in its `{parent}`")]
    Repeated {
        /// The repeated element.
        element: &'static str,
        /// The element that holds it.
        parent: String,
        /// Where the second one begins.
        at: Place,
    },
    /// A publication date is not one of RFC 2822.
    #[error("element `pubDate` at {at} says `{value}`, which is not a real time of RFC 2822")]
    Date {
        /// The text, shortened.
        value: String,
        /// Where the element begins.
        at: Place,
    },
}

/// One list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    /// The list's title.
    pub title: String,
    /// The items that could be read, in the publisher's order.
    pub items: Vec<Item>,
    /// Why the other items were refused: one bad item hides no good one, and is not hidden either.
    pub refused: Vec<RssError>,
}

/// One item of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Where the item begins.
    pub at: Place,
    /// The title.
    pub title: String,
    /// Where the item is to be read, as published.
    pub link: Option<String>,
    /// The publisher's own identifier of the item.
    pub guid: Option<String>,
    /// When the item was published.
    pub published: Option<DateTime<FixedOffset>>,
    /// The first category.
    pub category: Option<String>,
}

impl RssError {
    /// Returns the name of the element at fault, or nothing where the document is not even XML.
    pub fn element(&self) -> Option<String> {
        match self {
            Self::Xml(_) => None,
            Self::NotAList { name, .. } => Some(name.clone()),
            Self::Missing {
                element, parent, ..
            }
            | Self::Repeated {
                element, parent, ..
            } => Some(format!("{parent}/{element}")),
            Self::Date { .. } => Some("item/pubDate".to_owned()),
        }
    }

    /// Returns where the fault is.
    pub fn place(&self) -> Option<Place> {
        match self {
            Self::Xml(error) => error.place(),
            Self::NotAList { at, .. }
            | Self::Missing { at, .. }
            | Self::Repeated { at, .. }
            | Self::Date { at, .. } => Some(*at),
        }
    }
}

/// Reads one list from a document.
pub fn parse(document: &[u8]) -> Result<Read<Channel>, RssError> {
    read(&xml::read(document)?)
}

/// Reads one list from its tree.
pub(crate) fn read(document: &Document) -> Result<Read<Channel>, RssError> {
    let root = &document.root;
    let version = root.attribute("version").unwrap_or_default();
    if root.name != "rss" || root.namespace != Namespace::None || version != "2.0" {
        return Err(RssError::NotAList {
            name: quote(&root.name),
            version: quote(version),
            at: root.at,
        });
    }
    let channel = required(root, "channel")?;
    let title = required(channel, "title")?.text.trim().to_owned();
    let mut notes = Notes::of(document);
    note_persons(channel, "rss/channel", &mut notes);
    let mut items = Vec::new();
    let mut refused = Vec::new();
    for item in many(channel, "item") {
        note_persons(item, "rss/channel/item", &mut notes);
        match parse_item(item) {
            Ok(item) => items.push(item),
            Err(error) => refused.push(error),
        }
    }
    Ok(Read {
        value: Channel {
            title,
            items,
            refused,
        },
        notes: notes.finish("rss"),
    })
}

fn note_persons(parent: &Element, path: &str, notes: &mut Notes) {
    for child in &parent.children {
        if child.namespace == Namespace::None && PERSONS.contains(&child.name.as_str()) {
            let path = format!("{path}/{}", child.name);
            let text = "is left out: it may name a person";
            notes.add(NoteKind::LeftOut, path, Some(child.at), text);
        }
    }
}

fn parse_item(item: &Element) -> Result<Item, RssError> {
    let published = match optional(item, "pubDate")? {
        Some(date) => {
            let text = date.text.trim();
            let time = DateTime::parse_from_rfc2822(text).map_err(|_| RssError::Date {
                value: quote(text),
                at: date.at,
            })?;
            Some(time)
        }
        None => None,
    };
    Ok(Item {
        at: item.at,
        title: title_of(item)?,
        link: text_of(item, "link")?,
        guid: text_of(item, "guid")?,
        published,
        category: many(item, "category")
            .map(|category| category.text.trim().to_owned())
            .find(|category| !category.is_empty()),
    })
}

/// Returns the title, or the first words of the description: RSS asks for one of the two.
fn title_of(item: &Element) -> Result<String, RssError> {
    match (text_of(item, "title")?, text_of(item, "description")?) {
        (Some(title), _) => Ok(title),
        (None, Some(description)) => Ok(quote(&description)),
        (None, None) => Ok(required(item, "title")?.text.trim().to_owned()),
    }
}

/// RSS's own elements have no namespace; `atom:link` and its like are none of them.
fn many<'a>(parent: &'a Element, name: &'static str) -> impl Iterator<Item = &'a Element> {
    parent
        .children
        .iter()
        .filter(move |child| child.namespace == Namespace::None && child.name == name)
}

fn optional<'a>(parent: &'a Element, name: &'static str) -> Result<Option<&'a Element>, RssError> {
    let mut found = many(parent, name);
    let first = found.next();
    match found.next() {
        Some(second) => Err(RssError::Repeated {
            element: name,
            parent: parent.name.clone(),
            at: second.at,
        }),
        None => Ok(first),
    }
}

fn required<'a>(parent: &'a Element, name: &'static str) -> Result<&'a Element, RssError> {
    optional(parent, name)?.ok_or_else(|| RssError::Missing {
        element: name,
        parent: parent.name.clone(),
        at: parent.at,
    })
}

fn text_of(parent: &Element, name: &'static str) -> Result<Option<String>, RssError> {
    let text = optional(parent, name)?.map_or("", |element| element.text.trim());
    Ok((!text.is_empty()).then(|| text.to_owned()))
}
