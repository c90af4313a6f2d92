//! Any document of any format that is read here: what it is, by its bytes alone, and what it says.

use serde::Serialize;
use serde_json::Value;
use thiserror::Error;

use crate::{
    MAX_DOCUMENT_BYTES, atom,
    atom::{AtomError, Feed},
    bmkg::{self, Bulletin, EarthquakeList, ListError},
    cap::{self, Alert, CapError, Version},
    edxl::{self, Distribution, EdxlError},
    field::FieldError,
    json,
    note::{Notes, Place, Read},
    rss::{self, Channel, RssError},
    station::{self, StationError, Stations},
    text::quote,
    xml::{self, ATOM, EDXL_DE, XmlError},
};

/// The formats that are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// A CAP alert.
    Cap,
    /// An RSS 2.0 list.
    Rss,
    /// An Atom feed.
    Atom,
    /// An envelope of EDXL-DE 1.0.
    EdxlDe,
    /// One of BMKG's earthquake lists in JSON.
    BmkgEarthquakeJson,
    /// One of BMKG's earthquake lists in XML.
    BmkgEarthquakeXml,
    /// A bulletin of BMKG's InaTEWS.
    BmkgBulletin,
    /// The GeoJSON list of BMKG's monitoring network.
    BmkgRealtime,
    /// Readings of river gauges.
    Gauges,
    /// Levels of volcanoes.
    Volcanoes,
}

impl Format {
    /// Returns the format's name for people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Cap => "a CAP alert",
            Self::Rss => "an RSS list",
            Self::Atom => "an Atom feed",
            Self::EdxlDe => "an EDXL-DE envelope",
            Self::BmkgEarthquakeJson => "an earthquake list of BMKG (JSON)",
            Self::BmkgEarthquakeXml => "an earthquake list of BMKG (XML)",
            Self::BmkgBulletin => "a bulletin of InaTEWS",
            Self::BmkgRealtime => "BMKG's realtime earthquakes (GeoJSON)",
            Self::Gauges => "readings of river gauges",
            Self::Volcanoes => "levels of volcanoes",
        }
    }
}

/// A document, read.
#[derive(Clone, Debug, PartialEq)]
pub enum Document {
    /// A CAP alert.
    Cap(Box<Read<Alert>>),
    /// An RSS 2.0 list.
    Rss(Read<Channel>),
    /// An Atom feed.
    Atom(Read<Feed>),
    /// An envelope of EDXL-DE 1.0.
    EdxlDe(Read<Distribution>),
    /// Earthquakes of BMKG.
    Earthquakes(EarthquakeList),
    /// A bulletin of BMKG's InaTEWS.
    Bulletin(Box<Read<Bulletin>>),
    /// Readings of river gauges, or levels of volcanoes.
    Stations(Stations),
}

/// Why a document was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DocumentError {
    /// The document is larger than [`MAX_DOCUMENT_BYTES`].
    #[error("document of `{actual}` bytes is larger than the limit of `{limit}` bytes")]
    TooLarge {
        /// The size of the document in bytes.
        actual: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// The document is of no format that is read here.
    #[error("document is {looks_like}, not a format that warnings are read from")]
    Unknown {
        /// What it looks like.
        looks_like: String,
    },
    /// The document is XML that is not read.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// The document is JSON that is not read.
    #[error("document is not JSON at {at}: {reason}")]
    Json {
        /// Where it stops being readable.
        at: Place,
        /// What is wrong.
        reason: String,
    },
    /// The CAP alert cannot be read.
    #[error(transparent)]
    Cap(#[from] CapError),
    /// The RSS list cannot be read.
    #[error(transparent)]
    Rss(#[from] RssError),
    /// The Atom feed cannot be read.
    #[error(transparent)]
    Atom(#[from] AtomError),
    /// The envelope cannot be read.
    #[error(transparent)]
    Edxl(#[from] EdxlError),
    /// The earthquake list cannot be read.
    #[error(transparent)]
    List(#[from] ListError),
    /// A field of the document is missing or wrong.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// The table of readings cannot be read.
    #[error(transparent)]
    Stations(#[from] StationError),
}

impl DocumentError {
    /// Returns the path of the element or field at fault.
    pub fn element(&self) -> Option<String> {
        match self {
            Self::TooLarge { .. }
            | Self::Unknown { .. }
            | Self::Xml(_)
            | Self::Json { .. }
            | Self::List(_) => None,
            Self::Cap(error) => error.element(),
            Self::Rss(error) => error.element(),
            Self::Atom(error) => error.element(),
            Self::Edxl(error) => error.element(),
            Self::Field(error) => Some(error.element().to_owned()),
            Self::Stations(error) => error.element(),
        }
    }

    /// Returns where the fault is.
    pub fn place(&self) -> Option<Place> {
        match self {
            Self::TooLarge { .. } | Self::Unknown { .. } | Self::Field(_) => None,
            Self::Json { at, .. } => Some(*at),
            Self::Xml(error) => error.place(),
            Self::Cap(error) => error.place(),
            Self::Rss(error) => error.place(),
            Self::Atom(error) => error.place(),
            Self::Edxl(error) => error.place(),
            Self::List(error) => error.place(),
            Self::Stations(error) => error.place(),
        }
    }
}

/// Reads a document after finding out what it is, and says both; nothing but its bytes is looked at.
pub fn read(document: &[u8]) -> (Option<Format>, Result<Document, DocumentError>) {
    if document.len() > MAX_DOCUMENT_BYTES {
        let error = DocumentError::TooLarge {
            actual: document.len(),
            limit: MAX_DOCUMENT_BYTES,
        };
        return (None, Err(error));
    }
    let body = document.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(document);
    match body.trim_ascii_start() {
        [] => unknown("empty"),
        start if is_html(start) => unknown("an HTML page, as a login or an error page is"),
        // A document of two or four bytes a character is refused as XML, by its encoding.
        [b'<' | 0, ..] | [_, 0, ..] | [0xFE, 0xFF, ..] | [0xFF, 0xFE, ..] => read_xml(document),
        [b'{' | b'[', ..] => read_json(body),
        start => match station::kind_of_table(body) {
            Some(kind) => (
                Some(format_of(kind)),
                station::read_csv(body)
                    .map(Document::Stations)
                    .map_err(DocumentError::from),
            ),
            None => unknown(looks_like(start)),
        },
    }
}

fn unknown(looks_like: impl Into<String>) -> (Option<Format>, Result<Document, DocumentError>) {
    let looks_like = looks_like.into();
    (None, Err(DocumentError::Unknown { looks_like }))
}

fn read_xml(document: &[u8]) -> (Option<Format>, Result<Document, DocumentError>) {
    let tree = match xml::read(document) {
        Ok(tree) => tree,
        Err(error) => return (None, Err(error.into())),
    };
    let root = &tree.root;
    match (root.name.as_str(), root.namespace.name()) {
        ("alert", _) if cap::version_of(&root.namespace).is_some() => {
            let mut notes = Notes::of(&tree);
            let read = cap::read_alert(root, "alert", &mut notes).map(|value| {
                Document::Cap(Box::new(Read {
                    value,
                    notes: notes.finish("alert"),
                }))
            });
            (Some(Format::Cap), read.map_err(DocumentError::from))
        }
        ("rss", "") => (
            Some(Format::Rss),
            rss::read(&tree)
                .map(Document::Rss)
                .map_err(DocumentError::from),
        ),
        ("feed", ATOM) => (
            Some(Format::Atom),
            atom::read(&tree)
                .map(Document::Atom)
                .map_err(DocumentError::from),
        ),
        ("EDXLDistribution", EDXL_DE) => (
            Some(Format::EdxlDe),
            edxl::read(&tree)
                .map(Document::EdxlDe)
                .map_err(DocumentError::from),
        ),
        ("Infogempa", _) => (
            Some(Format::BmkgEarthquakeXml),
            bmkg::read_xml_list(&tree)
                .map(Document::Earthquakes)
                .map_err(DocumentError::from),
        ),
        ("html", _) => unknown("an HTML page, as a login or an error page is"),
        (name, "") => unknown(format!(
            "XML with the root element `{}`, in no namespace",
            quote(name)
        )),
        (name, namespace) => unknown(format!(
            "XML with the root element `{}` in namespace `{}`",
            quote(name),
            quote(namespace)
        )),
    }
}

fn read_json(body: &[u8]) -> (Option<Format>, Result<Document, DocumentError>) {
    let value: Value = match json::read(body) {
        Ok(value) => value,
        Err((at, reason)) => {
            let error = DocumentError::Json { at, reason };
            return (None, Err(error));
        }
    };
    let has = |field: &str| value.get(field).is_some();
    if has("Infogempa") {
        let list = bmkg::read_json_list(body);
        (
            Some(Format::BmkgEarthquakeJson),
            list.map(Document::Earthquakes).map_err(DocumentError::from),
        )
    } else if has("info") && has("identifier") {
        let bulletin = bmkg::read_bulletin(&value);
        (
            Some(Format::BmkgBulletin),
            bulletin
                .map(|bulletin| Document::Bulletin(Box::new(bulletin)))
                .map_err(DocumentError::from),
        )
    } else if has("features") {
        let list = bmkg::read_realtime(&value);
        (
            Some(Format::BmkgRealtime),
            list.map(Document::Earthquakes).map_err(DocumentError::from),
        )
    } else if let Some(kind) = station::kind_of_json(&value) {
        (
            Some(format_of(kind)),
            station::read_json(&value)
                .map(Document::Stations)
                .map_err(DocumentError::from),
        )
    } else if value.pointer("/data/0/lokasi/adm4").is_some() {
        unknown("a village forecast of BMKG, which warns of nothing")
    } else {
        let fields: Vec<_> = match &value {
            Value::Object(fields) => fields.keys().take(6).map(|name| quote(name)).collect(),
            _ => Vec::new(),
        };
        unknown(format!("JSON with the fields `{}`", fields.join(", ")))
    }
}

fn format_of(kind: station::Kind) -> Format {
    match kind {
        station::Kind::Gauge => Format::Gauges,
        station::Kind::Volcano => Format::Volcanoes,
    }
}

fn is_html(start: &[u8]) -> bool {
    let head = start.get(..64).unwrap_or(start).to_ascii_lowercase();
    head.starts_with(b"<!doctype html") || head.starts_with(b"<html")
}

fn looks_like(start: &[u8]) -> &'static str {
    const SIGNS: &[(&[u8], &str)] = &[
        (b"%PDF", "a PDF"),
        (b"PK\x03\x04", "a ZIP archive, as XLSX and DOCX are"),
        (b"\x1F\x8B", "compressed with gzip"),
        (b"\x89PNG", "a PNG picture"),
        (b"\xFF\xD8\xFF", "a JPEG picture"),
        (b"GIF8", "a GIF picture"),
        (b"-----BEGIN", "a certificate or a key"),
    ];
    let sign = SIGNS.iter().find(|(sign, _)| start.starts_with(sign));
    match sign {
        Some((_, name)) => name,
        None if std::str::from_utf8(start).is_ok() => "plain text",
        None => "binary data",
    }
}

impl Document {
    /// Returns the version of CAP for a CAP alert.
    pub fn cap_version(&self) -> Option<Version> {
        match self {
            Self::Cap(alert) => Some(alert.value.version),
            Self::Rss(_)
            | Self::Atom(_)
            | Self::EdxlDe(_)
            | Self::Earthquakes(_)
            | Self::Bulletin(_)
            | Self::Stations(_) => None,
        }
    }
}
