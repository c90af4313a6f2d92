//! One XML reader for every format, hardened: what it does not need, it refuses.
//!
//! It never resolves an entity beyond the five that XML itself defines, never reads a document type, never fetches anything, and holds no more than its limits.

mod encoding;
mod tree;

#[cfg(test)]
mod tests;

use thiserror::Error;

use crate::note::Place;

/// The largest document that is read, in bytes (16 MiB).
pub const MAX_DOCUMENT_BYTES: usize = 16 * 1024 * 1024;

/// The deepest nesting of elements that is read.
pub(crate) const MAX_DEPTH: usize = 64;

/// The most elements that one document may hold.
pub(crate) const MAX_ELEMENTS: usize = 100_000;

/// The most bytes of text that one element may hold (8 MiB): an embedded picture is the largest that anybody sends.
pub(crate) const MAX_TEXT_BYTES: usize = 8 * 1024 * 1024;

/// The most attributes that one element may carry.
pub(crate) const MAX_ATTRIBUTES: usize = 32;

/// The most bytes that the value of one attribute may hold (64 KiB).
pub(crate) const MAX_ATTRIBUTE_BYTES: usize = 64 * 1024;

pub(crate) const CAP_1_0: &str = "http://www.incident.com/cap/1.0";
pub(crate) const CAP_1_1: &str = "urn:oasis:names:tc:emergency:cap:1.1";
pub(crate) const CAP_1_2: &str = "urn:oasis:names:tc:emergency:cap:1.2";

/// Namespaces of CAP that no version of the standard names and some publishers write.
pub(crate) const CAP_1_0_URN: &str = "urn:oasis:names:tc:emergency:cap:1.0";
pub(crate) const CAP_1_1_HTTP: &str = "http://www.incident.com/cap/1.1";
pub(crate) const CAP_1_2_HTTP: &str = "http://www.incident.com/cap/1.2";

pub(crate) const XMLDSIG: &str = "http://www.w3.org/2000/09/xmldsig#";
pub(crate) const ATOM: &str = "http://www.w3.org/2005/Atom";
pub(crate) const EDXL_DE: &str = "urn:oasis:names:tc:emergency:EDXL:DE:1.0";

/// The namespaces that the readers tell apart.
pub(crate) const NAMESPACES: &[&str] = &[
    CAP_1_0,
    CAP_1_1,
    CAP_1_2,
    CAP_1_0_URN,
    CAP_1_1_HTTP,
    CAP_1_2_HTTP,
    XMLDSIG,
    ATOM,
    EDXL_DE,
];

/// Why a document was refused as XML; `at` is where the trouble begins.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum XmlError {
    /// The document is larger than [`MAX_DOCUMENT_BYTES`].
    #[error("document of `{actual}` bytes is larger than the limit of `{limit}` bytes")]
    TooLarge {
        /// The size of the document in bytes.
        actual: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// The document is in an encoding that is not read.
    #[error("encoding `{name}` is not read, only UTF-8 and ISO-8859-1 are")]
    Encoding {
        /// The encoding, as declared or as its first bytes show it.
        name: String,
    },
    /// The document declares one encoding and is written in another.
    #[error("encoding is declared as `{declared}`, but the bytes are {actual}")]
    LyingEncoding {
        /// The encoding as declared.
        declared: String,
        /// What the bytes are.
        actual: &'static str,
    },
    /// The bytes are not UTF-8, as which they are declared or which they are without a declaration.
    #[error("document is not UTF-8 at {at}")]
    NotUtf8 {
        /// Where the first byte stands that does not belong to a character.
        at: Place,
    },
    /// The document holds a character that XML 1.0 forbids, such as NUL.
    #[error("character `U+{code:04X}` at {at} is not allowed in XML")]
    ForbiddenCharacter {
        /// The code point.
        code: u32,
        /// Where the character, its reference or its tag begins.
        at: Place,
    },
    /// The document carries a document type, which is how entity attacks begin.
    #[error("document type (DOCTYPE) at {at} is refused")]
    Doctype {
        /// Where the document type begins.
        at: Place,
    },
    /// The document refers to an entity that XML itself does not define.
    #[error("entity `{name}` at {at} is refused")]
    Entity {
        /// The entity's name.
        name: String,
        /// Where the reference, or the tag that carries it, begins.
        at: Place,
    },
    /// Elements are nested too deeply.
    #[error("element `{element}` at {at} is nested deeper than `{limit}` levels")]
    TooDeep {
        /// The first element too deep.
        element: String,
        /// Where it begins.
        at: Place,
        /// The limit in levels.
        limit: usize,
    },
    /// The document holds too many elements.
    #[error("element `{element}` at {at} is one more than the limit of `{limit}` elements")]
    TooManyElements {
        /// The first element too many.
        element: String,
        /// Where it begins.
        at: Place,
        /// The limit in elements.
        limit: usize,
    },
    /// One element carries too many attributes.
    #[error("element `{element}` at {at} has more than `{limit}` attributes")]
    TooManyAttributes {
        /// The element.
        element: String,
        /// Where it begins.
        at: Place,
        /// The limit in attributes.
        limit: usize,
    },
    /// The value of one attribute is too long.
    #[error(
        "attribute `{attribute}` of element `{element}` at {at} is longer than `{limit}` bytes"
    )]
    LongAttribute {
        /// The attribute.
        attribute: String,
        /// The element.
        element: String,
        /// Where the element begins.
        at: Place,
        /// The limit in bytes.
        limit: usize,
    },
    /// One element holds too much text.
    #[error("text of element `{element}` is longer than `{limit}` bytes at {at}")]
    TooMuchText {
        /// The element.
        element: String,
        /// Where the piece of text that passes the limit begins.
        at: Place,
        /// The limit in bytes.
        limit: usize,
    },
    /// The document ends while an element is open.
    #[error("element `{element}` opened at {opened_at} is not closed before the end at {at}")]
    Unclosed {
        /// The innermost open element.
        element: String,
        /// Where it begins.
        opened_at: Place,
        /// Where the document ends.
        at: Place,
    },
    /// The document has no element at all.
    #[error("document holds no element")]
    Empty,
    /// Something other than comments stands before or after the root element.
    #[error("`{found}` at {at} stands outside the root element")]
    OutsideRoot {
        /// What stands there.
        found: String,
        /// Where it begins.
        at: Place,
    },
    /// A name uses a prefix that no `xmlns` declares.
    #[error("prefix `{prefix}` of the element at {at} is not declared")]
    UnknownPrefix {
        /// The prefix.
        prefix: String,
        /// Where the element begins.
        at: Place,
    },
    /// The document breaks the grammar of XML in another way.
    #[error("{reason} at {at}")]
    Malformed {
        /// What is wrong.
        reason: String,
        /// Where it begins.
        at: Place,
    },
}

impl XmlError {
    /// Returns where the trouble begins, or nothing for a trouble of the whole document.
    pub fn place(&self) -> Option<Place> {
        match self {
            Self::TooLarge { .. }
            | Self::Encoding { .. }
            | Self::LyingEncoding { .. }
            | Self::Empty => None,
            Self::NotUtf8 { at }
            | Self::ForbiddenCharacter { at, .. }
            | Self::Doctype { at }
            | Self::Entity { at, .. }
            | Self::TooDeep { at, .. }
            | Self::TooManyElements { at, .. }
            | Self::TooManyAttributes { at, .. }
            | Self::LongAttribute { at, .. }
            | Self::TooMuchText { at, .. }
            | Self::OutsideRoot { at, .. }
            | Self::UnknownPrefix { at, .. }
            | Self::Malformed { at, .. } => Some(*at),
            Self::Unclosed { opened_at, .. } => Some(*opened_at),
        }
    }
}

/// A whole document, read.
#[derive(Debug)]
pub(crate) struct Document {
    /// The root element.
    pub(crate) root: Element,
    /// The encoding as declared, if the document was read as another than UTF-8.
    pub(crate) foreign_encoding: Option<String>,
}

/// The namespace of an element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Namespace {
    /// The element has no namespace.
    None,
    /// One of [`NAMESPACES`].
    Known(&'static str),
    /// Some other namespace, as written and shortened.
    Other(String),
}

impl Namespace {
    /// Returns the namespace's name, empty if there is none.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::None => "",
            Self::Known(name) => name,
            Self::Other(name) => name,
        }
    }
}

/// One element with its text and its children.
#[derive(Debug)]
pub(crate) struct Element {
    /// The name without its prefix.
    pub(crate) name: String,
    /// The namespace.
    pub(crate) namespace: Namespace,
    /// Where the element begins.
    pub(crate) at: Place,
    /// The attributes as written, prefixes included, declarations of namespaces left out.
    pub(crate) attributes: Vec<(String, String)>,
    /// The element's own text, references resolved, children's text left out.
    pub(crate) text: String,
    /// The elements inside it, in order.
    pub(crate) children: Vec<Element>,
}

impl Element {
    /// Returns the value of an attribute without a prefix.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Says whether the element is the one of that name in that namespace.
    pub(crate) fn is(&self, namespace: &str, name: &str) -> bool {
        self.name == name && self.namespace.name() == namespace
    }
}

/// Reads a whole document.
pub(crate) fn read(document: &[u8]) -> Result<Document, XmlError> {
    if document.len() > MAX_DOCUMENT_BYTES {
        return Err(XmlError::TooLarge {
            actual: document.len(),
            limit: MAX_DOCUMENT_BYTES,
        });
    }
    let decoded = encoding::decode(document)?;
    let root = tree::grow(&decoded.text)?;
    Ok(Document {
        root,
        foreign_encoding: decoded.foreign,
    })
}
