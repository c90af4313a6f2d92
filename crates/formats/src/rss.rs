//! Lists in RSS 2.0: what is new at a publisher's, and where to fetch it. It never fetches anything.

use chrono::{DateTime, FixedOffset};
use thiserror::Error;

use crate::{
    text::quote,
    xml::{self, Element, Namespace, XmlError},
};

/// Why a document was refused as an RSS list; `at` is the byte, from 0, where the element begins.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RssError {
    /// The document is not XML that we read.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// The root element is not `rss` of version 2.0.
    #[error("root element `{name}` of version `{version}` at byte `{at}` is not an RSS 2.0 list")]
    NotAList {
        /// The name of the root element.
        name: String,
        /// Its version, empty if it names none.
        version: String,
        /// The byte where it begins.
        at: u64,
    },
    /// A required element is missing.
    #[error("element `{element}` is missing in `{parent}` at byte `{at}`")]
    Missing {
        /// The missing element.
        element: &'static str,
        /// The element that should hold it.
        parent: String,
        /// The byte where the parent begins.
        at: u64,
    },
    /// An element that may stand once stands twice.
    #[error("element `{element}` at byte `{at}` is a second one in its `{parent}`")]
    Repeated {
        /// The repeated element.
        element: &'static str,
        /// The element that holds it.
        parent: String,
        /// The byte where the second one begins.
        at: u64,
    },
    /// A publication date is not one of RFC 2822.
    #[error(
        "element `pubDate` at byte `{at}` says `{value}`, which is not a real time of RFC 2822"
    )]
    Date {
        /// The text, shortened.
        value: String,
        /// The byte where the element begins.
        at: u64,
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

/// Reads one list from a document.
pub fn parse(document: &[u8]) -> Result<Channel, RssError> {
    let document = xml::read(document, &[])?;
    let root = &document.root;
    let version = document
        .root_attributes
        .iter()
        .find(|(name, _)| name == "version")
        .map_or("", |(_, version)| version.as_str());
    if root.name != "rss" || root.namespace != Namespace::None || version != "2.0" {
        return Err(RssError::NotAList {
            name: quote(&root.name),
            version: quote(version),
            at: root.at,
        });
    }
    let channel = required(root, "channel")?;
    let title = required(channel, "title")?.text.trim().to_owned();
    let mut items = Vec::new();
    let mut refused = Vec::new();
    for item in many(channel, "item") {
        match parse_item(item) {
            Ok(item) => items.push(item),
            Err(error) => refused.push(error),
        }
    }
    Ok(Channel {
        title,
        items,
        refused,
    })
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
        title: required(item, "title")?.text.trim().to_owned(),
        link: text_of(item, "link")?,
        guid: text_of(item, "guid")?,
        published,
        category: many(item, "category")
            .map(|category| category.text.trim().to_owned())
            .find(|category| !category.is_empty()),
    })
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
