//! One XML reader for every format, hardened: what it does not need, it refuses.
//!
//! It never resolves an entity beyond the five that XML itself defines, never reads a document type, never fetches anything, and holds no more than its limits.

use std::str;

use quick_xml::{
    Error as ReaderError, NsReader, Reader,
    escape::{EscapeError, resolve_predefined_entity, unescape},
    events::{BytesDecl, BytesRef, BytesStart, Event},
    name::ResolveResult,
};
use thiserror::Error;

use crate::text::quote;

/// The largest document that is read, in bytes (16 MiB).
pub const MAX_DOCUMENT_BYTES: usize = 16 * 1024 * 1024;

/// The deepest nesting of elements that is read.
pub(crate) const MAX_DEPTH: usize = 64;

/// The most elements that one document may hold.
pub(crate) const MAX_ELEMENTS: usize = 100_000;

/// The most bytes of text that one element may hold.
pub(crate) const MAX_TEXT_BYTES: usize = 1024 * 1024;

/// The most attributes that one element may carry.
pub(crate) const MAX_ATTRIBUTES: usize = 32;

/// Why a document was refused as XML; `at` is the byte, from 0, where the trouble begins.
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
    /// The document declares an encoding other than UTF-8.
    #[error("encoding `{name}` declared at byte `{at}` is not read, only UTF-8 is")]
    Encoding {
        /// The encoding as declared.
        name: String,
        /// The byte where the declaration begins.
        at: u64,
    },
    /// The bytes are not UTF-8.
    #[error("document is not UTF-8 at byte `{at}`")]
    NotUtf8 {
        /// The first byte that does not belong to a character.
        at: u64,
    },
    /// The document holds a character that XML 1.0 forbids, such as NUL.
    #[error("character `U+{code:04X}` at byte `{at}` is not allowed in XML")]
    ForbiddenCharacter {
        /// The code point.
        code: u32,
        /// The byte where the character, its reference or its tag begins.
        at: u64,
    },
    /// The document carries a document type, which is how entity attacks begin.
    #[error("document type (DOCTYPE) at byte `{at}` is refused")]
    Doctype {
        /// The byte where the document type begins.
        at: u64,
    },
    /// The document refers to an entity that XML itself does not define.
    #[error("entity `{name}` at byte `{at}` is refused")]
    Entity {
        /// The entity's name.
        name: String,
        /// The byte where the reference, or the tag that carries it, begins.
        at: u64,
    },
    /// Elements are nested too deeply.
    #[error("element `{element}` at byte `{at}` is nested deeper than `{limit}` levels")]
    TooDeep {
        /// The first element too deep.
        element: String,
        /// The byte where it begins.
        at: u64,
        /// The limit in levels.
        limit: usize,
    },
    /// The document holds too many elements.
    #[error("element `{element}` at byte `{at}` is one more than the limit of `{limit}` elements")]
    TooManyElements {
        /// The first element too many.
        element: String,
        /// The byte where it begins.
        at: u64,
        /// The limit in elements.
        limit: usize,
    },
    /// One element carries too many attributes.
    #[error("element `{element}` at byte `{at}` has more than `{limit}` attributes")]
    TooManyAttributes {
        /// The element.
        element: String,
        /// The byte where it begins.
        at: u64,
        /// The limit in attributes.
        limit: usize,
    },
    /// One element holds too much text.
    #[error("text of element `{element}` is longer than `{limit}` bytes at byte `{at}`")]
    TooMuchText {
        /// The element.
        element: String,
        /// The byte where the piece of text that passes the limit begins.
        at: u64,
        /// The limit in bytes.
        limit: usize,
    },
    /// The document ends while an element is open.
    #[error(
        "element `{element}` opened at byte `{opened_at}` is not closed before the end at byte `{at}`"
    )]
    Unclosed {
        /// The innermost open element.
        element: String,
        /// The byte where it begins.
        opened_at: u64,
        /// The byte where the document ends.
        at: u64,
    },
    /// The document has no element at all.
    #[error("document holds no element")]
    Empty,
    /// Something other than comments stands before or after the root element.
    #[error("`{found}` at byte `{at}` stands outside the root element")]
    OutsideRoot {
        /// What stands there.
        found: String,
        /// The byte where it begins.
        at: u64,
    },
    /// A name uses a prefix that no `xmlns` declares.
    #[error("prefix `{prefix}` of the element at byte `{at}` is not declared")]
    UnknownPrefix {
        /// The prefix.
        prefix: String,
        /// The byte where the element begins.
        at: u64,
    },
    /// The document breaks the grammar of XML in another way.
    #[error("{reason} at byte `{at}`")]
    Malformed {
        /// What is wrong.
        reason: String,
        /// The byte where it begins.
        at: u64,
    },
}

/// A whole document, read.
#[derive(Debug)]
pub(crate) struct Document {
    /// The root element.
    pub(crate) root: Element,
    /// The namespace of the root element as written, for messages.
    pub(crate) root_namespace: Option<String>,
    /// The attributes of the root element; those of other elements are checked and let go.
    pub(crate) root_attributes: Vec<(String, String)>,
}

/// The namespace of an element, as far as the caller asked for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Namespace {
    /// The element has no namespace.
    None,
    /// One of the namespaces that the caller knows.
    Known(&'static str),
    /// Some other namespace.
    Other,
}

/// One element with its text and its children.
#[derive(Debug)]
pub(crate) struct Element {
    /// The name without its prefix.
    pub(crate) name: String,
    /// The namespace.
    pub(crate) namespace: Namespace,
    /// The byte where the element begins.
    pub(crate) at: u64,
    /// The element's own text, references resolved, children's text left out.
    pub(crate) text: String,
    /// The elements inside it, in order.
    pub(crate) children: Vec<Element>,
}

/// Reads a whole document; `known` are the namespaces that the caller tells apart.
pub(crate) fn read(document: &[u8], known: &'static [&'static str]) -> Result<Document, XmlError> {
    if document.len() > MAX_DOCUMENT_BYTES {
        return Err(XmlError::TooLarge {
            actual: document.len(),
            limit: MAX_DOCUMENT_BYTES,
        });
    }
    let (body, base) = match document.strip_prefix(b"\xEF\xBB\xBF") {
        Some(body) => (body, 3),
        None => (document, 0),
    };
    check_encoding(body, base)?;
    let text = str::from_utf8(body).map_err(|error| XmlError::NotUtf8 {
        at: base + error.valid_up_to() as u64,
    })?;
    if let Some((at, character)) = text.char_indices().find(|(_, c)| !is_allowed(*c)) {
        return Err(XmlError::ForbiddenCharacter {
            code: character.into(),
            at: base + at as u64,
        });
    }
    Tree::new(known).grow(text, base)
}

/// Refuses a declared encoding other than UTF-8 by its name, before the bytes are found not to be UTF-8.
fn check_encoding(body: &[u8], base: u64) -> Result<(), XmlError> {
    if !body.starts_with(b"<?xml") {
        return Ok(());
    }
    // A declaration is short; one that is not is left to the reader to refuse.
    let head = body.get(..1024).unwrap_or(body);
    let Ok(Event::Decl(declaration)) = Reader::from_reader(head).read_event() else {
        return Ok(());
    };
    match declared_encoding(&declaration) {
        Some(name) if !is_utf8(&name) => Err(XmlError::Encoding {
            name: quote(&name),
            at: base,
        }),
        Some(_) | None => Ok(()),
    }
}

fn declared_encoding(declaration: &BytesDecl<'_>) -> Option<String> {
    let name = declaration.encoding()?.ok()?;
    Some(String::from_utf8_lossy(&name).into_owned())
}

fn is_utf8(encoding: &str) -> bool {
    // US-ASCII is a part of UTF-8, so its documents read the same.
    ["UTF-8", "UTF8", "US-ASCII"]
        .iter()
        .any(|name| encoding.eq_ignore_ascii_case(name))
}

/// Says whether XML 1.0 (section 2.2) allows the character.
fn is_allowed(character: char) -> bool {
    match character {
        '\t' | '\n' | '\r' => true,
        '\u{FFFE}' | '\u{FFFF}' => false,
        _ => character >= ' ',
    }
}

/// Says whether the text is a name, near enough to XML's own rule: ASCII is checked, other letters are let pass.
fn is_name(name: &str) -> bool {
    let mut characters = name.chars();
    let starts = characters
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || matches!(c, '_' | ':') || !c.is_ascii());
    starts
        && characters.all(|c| {
            c.is_ascii_alphanumeric() || matches!(c, '_' | ':' | '-' | '.') || !c.is_ascii()
        })
}

/// The document as it grows from the events of the reader.
struct Tree {
    known: &'static [&'static str],
    open: Vec<Element>,
    root: Option<Element>,
    root_namespace: Option<String>,
    root_attributes: Vec<(String, String)>,
    elements: usize,
}

impl Tree {
    fn new(known: &'static [&'static str]) -> Self {
        Self {
            known,
            open: Vec::new(),
            root: None,
            root_namespace: None,
            root_attributes: Vec::new(),
            elements: 0,
        }
    }

    fn grow(mut self, text: &str, base: u64) -> Result<Document, XmlError> {
        let mut reader = NsReader::from_str(text);
        reader.config_mut().check_comments = true;
        loop {
            let at = base + reader.buffer_position();
            let event = reader
                .read_event()
                .map_err(|error| malformed(&error, base + reader.error_position()))?;
            match event {
                Event::Start(start) => self.open(&reader, &start, at)?,
                Event::Empty(start) => {
                    self.open(&reader, &start, at)?;
                    self.close();
                }
                Event::End(_) => self.close(),
                Event::Text(piece) => {
                    let content = piece
                        .xml10_content()
                        .map_err(|error| malformed(&ReaderError::Encoding(error), at))?;
                    self.add_text(&content, at)?;
                }
                Event::CData(piece) => {
                    let content = piece
                        .xml10_content()
                        .map_err(|error| malformed(&ReaderError::Encoding(error), at))?;
                    if self.open.is_empty() {
                        return Err(outside_root(&content, at));
                    }
                    self.add_text(&content, at)?;
                }
                Event::GeneralRef(reference) => {
                    let content = resolve(&reference, at)?;
                    if self.open.is_empty() {
                        return Err(outside_root(&content, at));
                    }
                    self.add_text(&content, at)?;
                }
                Event::DocType(_) => return Err(XmlError::Doctype { at }),
                Event::Decl(_) if at != base => {
                    return Err(XmlError::Malformed {
                        reason: "XML declaration is not at the beginning".to_owned(),
                        at,
                    });
                }
                Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
                Event::Eof => return self.finish(base + text.len() as u64),
            }
        }
    }

    fn open(
        &mut self,
        reader: &NsReader<&[u8]>,
        start: &BytesStart<'_>,
        at: u64,
    ) -> Result<(), XmlError> {
        let full_name = String::from_utf8_lossy(start.name().into_inner()).into_owned();
        if !is_name(&full_name) {
            return Err(XmlError::Malformed {
                reason: format!("`{}` is not the name of an element", quote(&full_name)),
                at,
            });
        }
        let element = quote(&full_name);
        if self.open.len() >= MAX_DEPTH {
            return Err(XmlError::TooDeep {
                element,
                at,
                limit: MAX_DEPTH,
            });
        }
        self.elements += 1;
        if self.elements > MAX_ELEMENTS {
            return Err(XmlError::TooManyElements {
                element,
                at,
                limit: MAX_ELEMENTS,
            });
        }
        let is_root = self.open.is_empty();
        if is_root && self.root.is_some() {
            return Err(outside_root(&format!("<{full_name}>"), at));
        }
        let attributes = check_attributes(start, &element, at)?;
        let (resolved, local) = reader.resolve_element(start.name());
        let namespace = match resolved {
            ResolveResult::Unbound => Namespace::None,
            ResolveResult::Bound(bound) => {
                let uri = String::from_utf8_lossy(bound.into_inner());
                if is_root {
                    self.root_namespace = Some(quote(&uri));
                }
                match self.known.iter().find(|known| **known == uri) {
                    Some(known) => Namespace::Known(known),
                    None => Namespace::Other,
                }
            }
            ResolveResult::Unknown(prefix) => {
                return Err(XmlError::UnknownPrefix {
                    prefix: quote(&String::from_utf8_lossy(&prefix)),
                    at,
                });
            }
        };
        if is_root {
            self.root_attributes = attributes;
        }
        self.open.push(Element {
            name: String::from_utf8_lossy(local.into_inner()).into_owned(),
            namespace,
            at,
            text: String::new(),
            children: Vec::new(),
        });
        Ok(())
    }

    /// Closes the innermost element; that the names agree, the reader has checked.
    fn close(&mut self) {
        let Some(element) = self.open.pop() else {
            return;
        };
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
    }

    fn add_text(&mut self, content: &str, at: u64) -> Result<(), XmlError> {
        let Some(element) = self.open.last_mut() else {
            return if content.trim().is_empty() {
                Ok(())
            } else {
                Err(outside_root(content.trim(), at))
            };
        };
        if element.text.len() + content.len() > MAX_TEXT_BYTES {
            return Err(XmlError::TooMuchText {
                element: quote(&element.name),
                at,
                limit: MAX_TEXT_BYTES,
            });
        }
        element.text.push_str(content);
        Ok(())
    }

    fn finish(self, at: u64) -> Result<Document, XmlError> {
        if let Some(element) = self.open.last() {
            return Err(XmlError::Unclosed {
                element: quote(&element.name),
                opened_at: element.at,
                at,
            });
        }
        Ok(Document {
            root: self.root.ok_or(XmlError::Empty)?,
            root_namespace: self.root_namespace,
            root_attributes: self.root_attributes,
        })
    }
}

fn check_attributes(
    start: &BytesStart<'_>,
    element: &str,
    at: u64,
) -> Result<Vec<(String, String)>, XmlError> {
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        // The reader compares each name with all before it: the limit keeps that from growing with the square.
        if attributes.len() == MAX_ATTRIBUTES {
            return Err(XmlError::TooManyAttributes {
                element: element.to_owned(),
                at,
                limit: MAX_ATTRIBUTES,
            });
        }
        let attribute = attribute.map_err(|error| malformed(&error.into(), at))?;
        let name = String::from_utf8_lossy(attribute.key.into_inner()).into_owned();
        let raw = String::from_utf8_lossy(&attribute.value);
        if !is_name(&name) || raw.contains('<') {
            return Err(XmlError::Malformed {
                reason: format!(
                    "attribute `{}` of `{element}` is not well formed",
                    quote(&name)
                ),
                at,
            });
        }
        let value = match unescape(&raw) {
            Ok(value) => value.into_owned(),
            Err(EscapeError::UnrecognizedEntity(_, entity)) => {
                return Err(XmlError::Entity {
                    name: quote(&entity),
                    at,
                });
            }
            Err(error) => return Err(malformed(&error.into(), at)),
        };
        check_characters(&value, at)?;
        attributes.push((name, value));
    }
    Ok(attributes)
}

fn resolve(reference: &BytesRef<'_>, at: u64) -> Result<String, XmlError> {
    if let Some(character) = reference
        .resolve_char_ref()
        .map_err(|error| malformed(&error, at))?
    {
        let content = String::from(character);
        check_characters(&content, at)?;
        return Ok(content);
    }
    let name = String::from_utf8_lossy(reference);
    match resolve_predefined_entity(&name) {
        Some(content) => Ok(content.to_owned()),
        None => Err(XmlError::Entity {
            name: quote(&name),
            at,
        }),
    }
}

fn check_characters(content: &str, at: u64) -> Result<(), XmlError> {
    match content.chars().find(|character| !is_allowed(*character)) {
        Some(character) => Err(XmlError::ForbiddenCharacter {
            code: character.into(),
            at,
        }),
        None => Ok(()),
    }
}

fn outside_root(found: &str, at: u64) -> XmlError {
    XmlError::OutsideRoot {
        found: quote(found),
        at,
    }
}

fn malformed(error: &ReaderError, at: u64) -> XmlError {
    XmlError::Malformed {
        reason: quote_reason(&error.to_string()),
        at,
    }
}

/// Shortens a reader's reason, which may repeat long foreign names.
fn quote_reason(reason: &str) -> String {
    let short: String = reason.chars().take(200).collect();
    short.replace(|character: char| character.is_control(), " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[&str] = &["urn:known"];

    fn refuse(document: &[u8], message: &str) {
        let error = read(document, KNOWN).expect_err("the document was read");
        assert_eq!(error.to_string(), message);
    }

    #[test]
    fn a_document_is_read_into_elements_with_their_namespaces() {
        let document = read(
            b"\xEF\xBB\xBF<?xml version='1.0' encoding='utf-8'?><!-- a --><?b c?>\n<k:a xmlns:k='urn:known' xmlns='urn:x' v='1 &amp; 2'>x&lt;&#65;&#x42;<![CDATA[<c>]]><b/></k:a>\n<!-- end -->",
            KNOWN,
        )
        .unwrap();
        assert_eq!(document.root.name, "a");
        assert_eq!(document.root.namespace, Namespace::Known("urn:known"));
        assert_eq!(document.root.text, "x<AB<c>");
        assert_eq!(document.root_namespace.as_deref(), Some("urn:known"));
        assert!(
            document
                .root_attributes
                .contains(&("v".to_owned(), "1 & 2".to_owned()))
        );
        assert_eq!(document.root.children[0].namespace, Namespace::Other);
        assert_eq!(
            read(b"<a/>", KNOWN).unwrap().root.namespace,
            Namespace::None
        );
    }

    #[test]
    fn a_hostile_or_broken_document_is_refused_with_what_and_where() {
        refuse(b"", "document holds no element");
        refuse(b"  <!-- nothing -->", "document holds no element");
        refuse(
            b"<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>",
            "document type (DOCTYPE) at byte `0` is refused",
        );
        refuse(
            b"<a><!DOCTYPE b></a>",
            "document type (DOCTYPE) at byte `3` is refused",
        );
        refuse(b"<a>&lol9;</a>", "entity `lol9` at byte `3` is refused");
        refuse(b"<a b='&ext;'/>", "entity `ext` at byte `0` is refused");
        refuse(b"<a>&nbsp;</a>", "entity `nbsp` at byte `3` is refused");
        refuse(
            b"<a>x\0y</a>",
            "character `U+0000` at byte `4` is not allowed in XML",
        );
        refuse(
            b"<a>&#1;</a>",
            "character `U+0001` at byte `3` is not allowed in XML",
        );
        refuse(b"<a>\xFF</a>", "document is not UTF-8 at byte `3`");
        refuse(
            b"<?xml version='1.0' encoding='ISO-8859-1'?><a>\xE9</a>",
            "encoding `ISO-8859-1` declared at byte `0` is not read, only UTF-8 is",
        );
        refuse(
            b"<a><b></a>",
            "ill-formed document: expected `</b>`, but `</a>` was found at byte `6`",
        );
        refuse(
            b"<a><b>",
            "element `b` opened at byte `3` is not closed before the end at byte `6`",
        );
        refuse(
            b"<a/>tail",
            "`tail` at byte `4` stands outside the root element",
        );
        refuse(
            b"<a/><b/>",
            "`<b>` at byte `4` stands outside the root element",
        );
        refuse(
            b"head<a/>",
            "`head` at byte `0` stands outside the root element",
        );
        refuse(
            b"<a/>&#32;",
            "` ` at byte `4` stands outside the root element",
        );
        refuse(
            b"<a/><![CDATA[]]>",
            "`` at byte `4` stands outside the root element",
        );
        refuse(
            b"<p:a/>",
            "prefix `p` of the element at byte `0` is not declared",
        );
        refuse(b"<1a/>", "`1a` is not the name of an element at byte `0`");
        refuse(
            b"<a/><?xml version='1.0'?>",
            "XML declaration is not at the beginning at byte `4`",
        );
        for document in [
            &b"<a"[..],
            b"<a b=1/>",
            b"<a b='1' b='2'/>",
            b"<a>&</a>",
            b"<a>&#0;</a>",
            b"<a>&#xD800;</a>",
            b"<!-- a -- b --><a/>",
            b"<a><![CDATA[</a>",
            b"</a>",
            b"<>",
            b"<a b='<'/>",
            b"{\"not\": 1}",
        ] {
            let error = read(document, KNOWN).expect_err("the document was read");
            assert!(error.to_string().contains("at byte `"), "{error}");
        }
    }

    #[test]
    fn every_limit_is_kept_and_named() {
        let deep = |levels: usize| ["<a>".repeat(levels), "</a>".repeat(levels)].concat();
        assert!(read(deep(MAX_DEPTH).as_bytes(), KNOWN).is_ok());
        refuse(
            deep(MAX_DEPTH + 1).as_bytes(),
            "element `a` at byte `192` is nested deeper than `64` levels",
        );
        let wide = |children: usize| ["<a>", &"<b/>".repeat(children), "</a>"].concat();
        assert!(read(wide(MAX_ELEMENTS - 1).as_bytes(), KNOWN).is_ok());
        refuse(
            wide(MAX_ELEMENTS).as_bytes(),
            "element `b` at byte `399999` is one more than the limit of `100000` elements",
        );
        let long = |bytes: usize| ["<a>", &"x".repeat(bytes), "</a>"].concat();
        assert!(read(long(MAX_TEXT_BYTES).as_bytes(), KNOWN).is_ok());
        refuse(
            long(MAX_TEXT_BYTES + 1).as_bytes(),
            "text of element `a` is longer than `1048576` bytes at byte `3`",
        );
        let dressed = |attributes: usize| {
            let written: Vec<_> = (0..attributes).map(|n| format!(" b{n}=''")).collect();
            format!("<a{}/>", written.concat())
        };
        assert!(read(dressed(MAX_ATTRIBUTES).as_bytes(), KNOWN).is_ok());
        refuse(
            dressed(MAX_ATTRIBUTES + 1).as_bytes(),
            "element `a` at byte `0` has more than `32` attributes",
        );
    }

    #[test]
    fn a_document_is_read_up_to_16_mib_and_not_a_byte_more() {
        let document = |bytes: usize| {
            let mut document = b"<a/>".to_vec();
            document.resize(bytes, b' ');
            document
        };
        assert!(read(&document(MAX_DOCUMENT_BYTES), KNOWN).is_ok());
        refuse(
            &document(MAX_DOCUMENT_BYTES + 1),
            "document of `16777217` bytes is larger than the limit of `16777216` bytes",
        );
    }
}
