//! From bytes to text: UTF-8, and ISO-8859-1 where it is declared and true. An encoding that is not what it says is refused.

use std::{borrow::Cow, str};

use quick_xml::{Reader, events::Event};

use crate::{note::Lines, text::quote, xml::XmlError};

/// The text of a document.
pub(super) struct Decoded<'a> {
    /// The text, without a byte order mark.
    pub(super) text: Cow<'a, str>,
    /// The encoding as declared, if it was another than UTF-8.
    pub(super) foreign: Option<String>,
}

/// Reads the bytes as the encoding that they declare, which must be the one that they are in.
pub(super) fn decode(document: &[u8]) -> Result<Decoded<'_>, XmlError> {
    if let Some(name) = wide_encoding(document) {
        return Err(XmlError::Encoding {
            name: name.to_owned(),
        });
    }
    let body = document.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(document);
    let has_mark = body.len() != document.len();
    let declared = declared_encoding(body);
    let Some(declared) = declared.filter(|name| !is_utf8(name)) else {
        let text = str::from_utf8(body).map_err(|error| XmlError::NotUtf8 {
            at: Lines::of_bytes(body, error.valid_up_to()),
        })?;
        return Ok(Decoded {
            text: Cow::Borrowed(text),
            foreign: None,
        });
    };
    let lie = |actual| XmlError::LyingEncoding {
        declared: quote(&declared),
        actual,
    };
    if declared.to_ascii_uppercase().starts_with("UTF-16") {
        return Err(lie("one byte a character"));
    }
    if !is_latin1(&declared) {
        return Err(XmlError::Encoding {
            name: quote(&declared),
        });
    }
    if has_mark {
        return Err(lie("UTF-8, by their byte order mark"));
    }
    if !body.is_ascii() && str::from_utf8(body).is_ok() {
        // Letters of ISO-8859-1 that happen to be well-formed UTF-8 throughout are not found in words.
        return Err(lie("UTF-8"));
    }
    if body.iter().any(|byte| (0x80..0xA0).contains(byte)) {
        return Err(lie("not, they hold control characters of it"));
    }
    Ok(Decoded {
        text: Cow::Owned(body.iter().map(|byte| char::from(*byte)).collect()),
        foreign: Some(quote(&declared)),
    })
}

/// Returns the encoding with more than one byte a character that the first bytes show.
fn wide_encoding(document: &[u8]) -> Option<&'static str> {
    match document {
        [0x00, 0x00, 0xFE, 0xFF, ..]
        | [0xFF, 0xFE, 0x00, 0x00, ..]
        | [0x00, 0x00, 0x00, b'<', ..] => Some("UTF-32"),
        [0xFE, 0xFF, ..] | [0xFF, 0xFE, ..] | [0x00, ..] | [_, 0x00, ..] => Some("UTF-16"),
        _ => None,
    }
}

fn declared_encoding(body: &[u8]) -> Option<String> {
    if !body.starts_with(b"<?xml") {
        return None;
    }
    // A declaration is short; one that is not is left to the reader to refuse.
    let head = body.get(..1024).unwrap_or(body);
    let Ok(Event::Decl(declaration)) = Reader::from_reader(head).read_event() else {
        return None;
    };
    let name = declaration.encoding()?.ok()?;
    Some(String::from_utf8_lossy(&name).into_owned())
}

fn is_utf8(encoding: &str) -> bool {
    // US-ASCII is a part of UTF-8, so its documents read the same.
    is_one_of(encoding, &["UTF-8", "UTF8", "US-ASCII"])
}

fn is_latin1(encoding: &str) -> bool {
    is_one_of(encoding, &["ISO-8859-1", "ISO8859-1", "LATIN1"])
}

fn is_one_of(encoding: &str, names: &[&str]) -> bool {
    names.iter().any(|name| encoding.eq_ignore_ascii_case(name))
}
