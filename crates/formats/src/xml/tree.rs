//! The tree of elements as it grows from the reader's events, each limit kept as it grows.

use quick_xml::{
    Error as ReaderError, NsReader,
    escape::{EscapeError, resolve_predefined_entity, unescape},
    events::{BytesRef, BytesStart, Event},
    name::ResolveResult,
};

use crate::{
    note::{Lines, Place},
    text::quote,
    xml::{
        Element, MAX_ATTRIBUTE_BYTES, MAX_ATTRIBUTES, MAX_DEPTH, MAX_ELEMENTS, MAX_TEXT_BYTES,
        NAMESPACES, Namespace, XmlError,
    },
};

/// Reads the text of a document into its root element.
pub(super) fn grow(text: &str) -> Result<Element, XmlError> {
    if let Some((at, character)) = text.char_indices().find(|(_, c)| !is_allowed(*c)) {
        return Err(XmlError::ForbiddenCharacter {
            code: character.into(),
            at: Lines::new(text).place(at),
        });
    }
    Tree::default().grow(text)
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
#[derive(Default)]
struct Tree {
    open: Vec<Element>,
    root: Option<Element>,
    elements: usize,
}

impl Tree {
    fn grow(mut self, text: &str) -> Result<Element, XmlError> {
        let mut lines = Lines::new(text);
        let mut reader = NsReader::from_str(text);
        reader.config_mut().check_comments = true;
        loop {
            let is_first = reader.buffer_position() == 0;
            let at = lines.place(reader.buffer_position() as usize);
            let event = match reader.read_event() {
                Ok(event) => event,
                Err(error) => {
                    let at = Lines::new(text).place(reader.error_position() as usize);
                    return Err(malformed(&error, at));
                }
            };
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
                Event::Decl(_) if !is_first => {
                    return Err(XmlError::Malformed {
                        reason: "XML declaration is not at the beginning".to_owned(),
                        at,
                    });
                }
                Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
                Event::Eof => return self.finish(at),
            }
        }
    }

    fn open(
        &mut self,
        reader: &NsReader<&[u8]>,
        start: &BytesStart<'_>,
        at: Place,
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
        if self.open.is_empty() && self.root.is_some() {
            return Err(outside_root(&format!("<{full_name}>"), at));
        }
        let attributes = check_attributes(start, &element, at)?;
        let (resolved, local) = reader.resolve_element(start.name());
        let namespace = match resolved {
            ResolveResult::Unbound => Namespace::None,
            ResolveResult::Bound(bound) => {
                let uri = String::from_utf8_lossy(bound.into_inner());
                match NAMESPACES.iter().find(|known| **known == uri) {
                    Some(known) => Namespace::Known(known),
                    None => Namespace::Other(quote(&uri)),
                }
            }
            ResolveResult::Unknown(prefix) => {
                return Err(XmlError::UnknownPrefix {
                    prefix: quote(&String::from_utf8_lossy(&prefix)),
                    at,
                });
            }
        };
        self.open.push(Element {
            name: String::from_utf8_lossy(local.into_inner()).into_owned(),
            namespace,
            at,
            attributes,
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

    fn add_text(&mut self, content: &str, at: Place) -> Result<(), XmlError> {
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

    fn finish(self, at: Place) -> Result<Element, XmlError> {
        if let Some(element) = self.open.last() {
            return Err(XmlError::Unclosed {
                element: quote(&element.name),
                opened_at: element.at,
                at,
            });
        }
        self.root.ok_or(XmlError::Empty)
    }
}

fn check_attributes(
    start: &BytesStart<'_>,
    element: &str,
    at: Place,
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
        if value.len() > MAX_ATTRIBUTE_BYTES {
            return Err(XmlError::LongAttribute {
                attribute: quote(&name),
                element: element.to_owned(),
                at,
                limit: MAX_ATTRIBUTE_BYTES,
            });
        }
        attributes.push((name, value));
    }
    attributes.retain(|(name, _)| name != "xmlns" && !name.starts_with("xmlns:"));
    Ok(attributes)
}

fn resolve(reference: &BytesRef<'_>, at: Place) -> Result<String, XmlError> {
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

fn check_characters(content: &str, at: Place) -> Result<(), XmlError> {
    match content.chars().find(|character| !is_allowed(*character)) {
        Some(character) => Err(XmlError::ForbiddenCharacter {
            code: character.into(),
            at,
        }),
        None => Ok(()),
    }
}

fn outside_root(found: &str, at: Place) -> XmlError {
    XmlError::OutsideRoot {
        found: quote(found),
        at,
    }
}

fn malformed(error: &ReaderError, at: Place) -> XmlError {
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
