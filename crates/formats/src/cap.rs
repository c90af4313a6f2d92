//! Alerts of the Common Alerting Protocol (OASIS CAP 1.2, and 1.1 and 1.0 by the same rules).
//!
//! It reads what an alert says and never what it means here: status, expiry and references are the caller's to judge.
//! The `contact` element is left behind, because it may name a person.

use std::ops::RangeInclusive;

use chrono::{DateTime, FixedOffset};
use thiserror::Error;

use crate::{
    text::{parse_decimal, parse_latitude, parse_longitude, quote},
    xml::{self, Element, Namespace, XmlError},
};

const CAP_1_0: &str = "http://www.incident.com/cap/1.0";
const CAP_1_1: &str = "urn:oasis:names:tc:emergency:cap:1.1";
const CAP_1_2: &str = "urn:oasis:names:tc:emergency:cap:1.2";

/// The most bytes of an identifier or a sender; the standard sets no limit, ours keeps them usable as keys.
const MAX_KEY_BYTES: usize = 1024;

/// The offsets from UTC, in seconds, that XML Schema allows: up to 14 hours.
const OFFSETS_S: RangeInclusive<i32> = -14 * 3600..=14 * 3600;

/// The language of an info that names none (CAP 1.2, section 3.2.2).
const DEFAULT_LANGUAGE: &str = "en-US";

/// Why a document was refused as a CAP alert; `at` is the byte, from 0, where the element begins.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CapError {
    /// The document is not XML that we read.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// The root element is not a CAP alert.
    #[error("root element `{name}` in namespace `{namespace}` at byte `{at}` is not a CAP alert")]
    NotAnAlert {
        /// The name of the root element.
        name: String,
        /// Its namespace, empty if it has none.
        namespace: String,
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
    /// The text of an element breaks the standard's rule for it.
    #[error("element `{element}` at byte `{at}` says `{value}`, which is not {expected}")]
    Invalid {
        /// The element.
        element: String,
        /// Its text, shortened.
        value: String,
        /// What the standard asks for.
        expected: String,
        /// The byte where the element begins.
        at: u64,
    },
}

/// Defines one of the standard's code lists: an enum, its words, and the way back from a word.
macro_rules! code_list {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            const WORDS: &'static [&'static str] = &[$($word,)+];

            /// Returns the standard's word for the value.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// Returns the value for the standard's word, which is case-sensitive, or nothing for another word.
            pub fn from_word(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }
    };
}

code_list! {
    /// How an alert is to be handled.
    Status {
        /// Real, to be acted upon.
        Actual = "Actual",
        /// Part of an exercise, for its participants only.
        Exercise = "Exercise",
        /// About the alerting systems themselves.
        System = "System",
        /// A technical test, to be disregarded.
        Test = "Test",
        /// A draft, not to be acted upon.
        Draft = "Draft",
    }
}

code_list! {
    /// What an alert does.
    MsgType {
        /// Warns for the first time.
        Alert = "Alert",
        /// Replaces the alerts that it refers to.
        Update = "Update",
        /// Takes back the alerts that it refers to.
        Cancel = "Cancel",
        /// Acknowledges the alerts that it refers to.
        Ack = "Ack",
        /// Refuses the alerts that it refers to.
        Error = "Error",
    }
}

code_list! {
    /// Whom an alert is for.
    Scope {
        /// Everybody.
        Public = "Public",
        /// Those whom its restriction names.
        Restricted = "Restricted",
        /// The addresses that it names.
        Private = "Private",
    }
}

code_list! {
    /// The kind of event.
    Category {
        /// Geophysical, such as earthquakes and landslides.
        Geo = "Geo",
        /// Meteorological, floods included.
        Met = "Met",
        /// General emergency and public safety.
        Safety = "Safety",
        /// Law enforcement, military and homeland security.
        Security = "Security",
        /// Rescue and recovery.
        Rescue = "Rescue",
        /// Fire suppression and rescue.
        Fire = "Fire",
        /// Medical and public health.
        Health = "Health",
        /// Pollution and other environmental events.
        Env = "Env",
        /// Public and private transport.
        Transport = "Transport",
        /// Utilities, telecommunication and other infrastructure.
        Infra = "Infra",
        /// Chemical, biological, radiological, nuclear or explosive threats.
        Cbrne = "CBRNE",
        /// Anything else.
        Other = "Other",
    }
}

code_list! {
    /// How soon one should act.
    Urgency {
        /// At once.
        Immediate = "Immediate",
        /// Within the next hour.
        Expected = "Expected",
        /// In the near future.
        Future = "Future",
        /// No longer.
        Past = "Past",
        /// Not known.
        Unknown = "Unknown",
    }
}

code_list! {
    /// How grave the threat to life or property is.
    Severity {
        /// Extraordinary.
        Extreme = "Extreme",
        /// Significant.
        Severe = "Severe",
        /// Possible.
        Moderate = "Moderate",
        /// Minimal or none known.
        Minor = "Minor",
        /// Not known.
        Unknown = "Unknown",
    }
}

code_list! {
    /// How sure the publisher is.
    Certainty {
        /// It has happened or is happening.
        Observed = "Observed",
        /// Its probability is above one half.
        Likely = "Likely",
        /// Its probability is at most one half.
        Possible = "Possible",
        /// Its probability is near zero.
        Unlikely = "Unlikely",
        /// Not known.
        Unknown = "Unknown",
    }
}

/// One alert.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// The publisher's own identifier of this alert, at most 1024 bytes.
    pub identifier: String,
    /// Who published it, a name that is unique in the world, at most 1024 bytes.
    pub sender: String,
    /// When it was published.
    pub sent: DateTime<FixedOffset>,
    /// How it is to be handled.
    pub status: Status,
    /// What it does.
    pub msg_type: MsgType,
    /// Whom it is for.
    pub scope: Scope,
    /// The earlier alerts that it refers to.
    pub references: Vec<Reference>,
    /// What it says, once for each language or part.
    pub infos: Vec<Info>,
}

/// One earlier alert that an alert refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The earlier alert's sender.
    pub sender: String,
    /// The earlier alert's identifier.
    pub identifier: String,
    /// When the earlier alert was published.
    pub sent: DateTime<FixedOffset>,
}

/// What an alert says, in one language.
#[derive(Clone, Debug, PartialEq)]
pub struct Info {
    /// The language as an RFC 3066 code; `en-US` if the alert names none.
    pub language: String,
    /// The kinds of event, at least one.
    pub categories: Vec<Category>,
    /// The event in the publisher's words.
    pub event: String,
    /// How soon one should act.
    pub urgency: Urgency,
    /// How grave the threat is.
    pub severity: Severity,
    /// How sure the publisher is.
    pub certainty: Certainty,
    /// From when the information holds, if not from `sent` on.
    pub effective: Option<DateTime<FixedOffset>>,
    /// When the event is expected to begin.
    pub onset: Option<DateTime<FixedOffset>>,
    /// Until when the information holds.
    pub expires: Option<DateTime<FixedOffset>>,
    /// The publisher's name for people.
    pub sender_name: Option<String>,
    /// The headline.
    pub headline: Option<String>,
    /// The description.
    pub description: Option<String>,
    /// What people should do.
    pub instruction: Option<String>,
    /// Where more is to be read, as published.
    pub web: Option<String>,
    /// The publisher's codes for the event.
    pub event_codes: Vec<NamedValue>,
    /// The publisher's further parameters.
    pub parameters: Vec<NamedValue>,
    /// The areas that the information is about.
    pub areas: Vec<Area>,
}

/// A value under a name of the publisher's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedValue {
    /// The name of the code list or parameter.
    pub name: String,
    /// The value, which may be empty.
    pub value: String,
}

/// One area.
#[derive(Clone, Debug, PartialEq)]
pub struct Area {
    /// The area in the publisher's words.
    pub description: String,
    /// Closed rings of latitude and longitude in degrees (WGS 84), at least four points each, the last equal to the first.
    pub polygons: Vec<Vec<(f64, f64)>>,
    /// Circles.
    pub circles: Vec<Circle>,
    /// Codes of the area in the publisher's code lists.
    pub geocodes: Vec<NamedValue>,
}

/// A circle on the ground.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Circle {
    /// The latitude of the center in degrees.
    pub lat: f64,
    /// The longitude of the center in degrees.
    pub lon: f64,
    /// The radius in kilometers, zero or more.
    pub radius_km: f64,
}

/// Reads one alert from a document.
///
/// Elements of other namespaces, such as signatures, are passed over; a signature is not verified.
pub fn parse(document: &[u8]) -> Result<Alert, CapError> {
    let document = xml::read(document, &[CAP_1_2, CAP_1_1, CAP_1_0])?;
    let root = &document.root;
    let Namespace::Known(namespace) = root.namespace else {
        return Err(not_an_alert(&document));
    };
    if root.name != "alert" {
        return Err(not_an_alert(&document));
    }
    let alert = Node {
        element: root,
        namespace,
    };
    let scope = alert.code("scope", Scope::from_word, Scope::WORDS)?;
    match scope {
        Scope::Public => {}
        Scope::Restricted => {
            alert.required("restriction")?;
        }
        Scope::Private => {
            alert.required("addresses")?;
        }
    }
    Ok(Alert {
        identifier: alert.key("identifier")?,
        sender: alert.key("sender")?,
        sent: parse_time(alert.required("sent")?)?,
        status: alert.code("status", Status::from_word, Status::WORDS)?,
        msg_type: alert.code("msgType", MsgType::from_word, MsgType::WORDS)?,
        scope,
        references: match alert.optional("references")? {
            Some(references) => parse_references(references)?,
            None => Vec::new(),
        },
        infos: alert
            .many("info")
            .map(parse_info)
            .collect::<Result<_, _>>()?,
    })
}

fn not_an_alert(document: &xml::Document) -> CapError {
    CapError::NotAnAlert {
        name: quote(&document.root.name),
        namespace: document.root_namespace.clone().unwrap_or_default(),
        at: document.root.at,
    }
}

fn parse_info(info: Node<'_>) -> Result<Info, CapError> {
    let categories = info
        .many("category")
        .map(|category| parse_code(category, Category::from_word, Category::WORDS))
        .collect::<Result<Vec<_>, _>>()?;
    // CAP 1.0 asks for no category.
    if categories.is_empty() && info.namespace != CAP_1_0 {
        return Err(info.missing("category"));
    }
    let certainty = |word: &str| match word {
        // CAP 1.0 knew a step above `Likely`; CAP 1.1 folded it into that.
        "Very Likely" if info.namespace == CAP_1_0 => Some(Certainty::Likely),
        _ => Certainty::from_word(word),
    };
    let event = info.required("event")?;
    if event.text().is_empty() {
        return Err(event.invalid("a text"));
    }
    Ok(Info {
        language: info
            .text_of("language")?
            .unwrap_or_else(|| DEFAULT_LANGUAGE.to_owned()),
        categories,
        event: event.text().to_owned(),
        urgency: info.code("urgency", Urgency::from_word, Urgency::WORDS)?,
        severity: info.code("severity", Severity::from_word, Severity::WORDS)?,
        certainty: info.code("certainty", certainty, Certainty::WORDS)?,
        effective: info.time("effective")?,
        onset: info.time("onset")?,
        expires: info.time("expires")?,
        sender_name: info.text_of("senderName")?,
        headline: info.text_of("headline")?,
        description: info.text_of("description")?,
        instruction: info.text_of("instruction")?,
        web: info.text_of("web")?,
        event_codes: parse_named_values(info, "eventCode")?,
        parameters: parse_named_values(info, "parameter")?,
        areas: info
            .many("area")
            .map(parse_area)
            .collect::<Result<_, _>>()?,
    })
}

fn parse_area(area: Node<'_>) -> Result<Area, CapError> {
    Ok(Area {
        description: area.required("areaDesc")?.text().to_owned(),
        polygons: area
            .many("polygon")
            .map(parse_polygon)
            .collect::<Result<_, _>>()?,
        circles: area
            .many("circle")
            .map(parse_circle)
            .collect::<Result<_, _>>()?,
        geocodes: parse_named_values(area, "geocode")?,
    })
}

fn parse_named_values(parent: Node<'_>, name: &'static str) -> Result<Vec<NamedValue>, CapError> {
    parent
        .many(name)
        .map(|node| {
            // CAP 1.0 wrote `<parameter>NAME=value</parameter>`.
            if node.namespace == CAP_1_0 {
                let (name, value) = node.text().split_once('=').unwrap_or((node.text(), ""));
                return Ok(NamedValue {
                    name: name.to_owned(),
                    value: value.to_owned(),
                });
            }
            Ok(NamedValue {
                name: node.required("valueName")?.text().to_owned(),
                value: node.required("value")?.text().to_owned(),
            })
        })
        .collect()
}

/// Reads `lat,lon lat,lon …`, a closed ring of at least four pairs (CAP 1.2, section 3.2.4).
fn parse_polygon(polygon: Node<'_>) -> Result<Vec<(f64, f64)>, CapError> {
    let points = polygon
        .text()
        .split_ascii_whitespace()
        .map(|pair| {
            parse_pair(pair).ok_or_else(|| {
                polygon.invalid_part(
                    pair,
                    "a pair `lat,lon` with lat from -90 to 90 and lon from -180 to 180",
                )
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return Err(polygon.invalid("a ring of at least 4 pairs"));
    };
    if points.len() < 4 {
        return Err(polygon.invalid("a ring of at least 4 pairs"));
    }
    let closed = (first.0 - last.0).abs() < 1e-9 && (first.1 - last.1).abs() < 1e-9;
    if !closed {
        return Err(polygon.invalid("a closed ring, whose last pair is its first"));
    }
    Ok(points)
}

/// Reads `lat,lon radius`.
fn parse_circle(circle: Node<'_>) -> Result<Circle, CapError> {
    let read = || {
        let (center, radius) = circle.text().split_once(char::is_whitespace)?;
        let (lat, lon) = parse_pair(center)?;
        let radius_km = parse_decimal(radius.trim_start()).filter(|radius| *radius >= 0.0)?;
        Some(Circle {
            lat,
            lon,
            radius_km,
        })
    };
    read().ok_or_else(|| {
        circle.invalid("a circle `lat,lon radius` with lat from -90 to 90, lon from -180 to 180 and a radius in km")
    })
}

fn parse_pair(pair: &str) -> Option<(f64, f64)> {
    let (lat, lon) = pair.split_once(',')?;
    Some((parse_latitude(lat)?, parse_longitude(lon)?))
}

fn parse_references(references: Node<'_>) -> Result<Vec<Reference>, CapError> {
    references
        .text()
        .split_ascii_whitespace()
        .map(|reference| {
            read_reference(reference).ok_or_else(|| {
                references.invalid_part(reference, "a reference `sender,identifier,sent`")
            })
        })
        .collect()
}

fn read_reference(reference: &str) -> Option<Reference> {
    let mut parts = reference.split(',');
    let (sender, identifier, sent) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || !is_key(sender) || !is_key(identifier) {
        return None;
    }
    Some(Reference {
        sender: sender.to_owned(),
        identifier: identifier.to_owned(),
        sent: read_time(sent)?,
    })
}

fn parse_time(node: Node<'_>) -> Result<DateTime<FixedOffset>, CapError> {
    read_time(node.text()).ok_or_else(|| {
        node.invalid("a real time written `YYYY-MM-DDThh:mm:ss±hh:mm` (without fractions or `Z`)")
    })
}

/// Reads a time by the standard's own pattern, which is narrower than RFC 3339: no fractions, no `Z`.
fn read_time(text: &str) -> Option<DateTime<FixedOffset>> {
    const PATTERN: &[u8] = b"dddd-dd-ddTdd:dd:dd+dd:dd";
    let fits = text.len() == PATTERN.len()
        && text.bytes().zip(PATTERN).all(|(byte, rule)| match rule {
            b'd' => byte.is_ascii_digit(),
            b'+' => byte == b'+' || byte == b'-',
            _ => byte == *rule,
        });
    if !fits {
        return None;
    }
    let time = DateTime::parse_from_rfc3339(text).ok()?;
    OFFSETS_S
        .contains(&time.offset().local_minus_utc())
        .then_some(time)
}

fn parse_code<T>(
    node: Node<'_>,
    from_word: impl Fn(&str) -> Option<T>,
    words: &[&str],
) -> Result<T, CapError> {
    from_word(node.text()).ok_or_else(|| node.invalid(&format!("one of {}", words.join(", "))))
}

/// Says whether the text may be an identifier or a sender (CAP 1.2, section 3.2.1).
fn is_key(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= MAX_KEY_BYTES
        && !text
            .contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, ',' | '<' | '&'))
}

/// An element of the alert, with the namespace that its children are looked up in.
#[derive(Clone, Copy)]
struct Node<'a> {
    element: &'a Element,
    namespace: &'static str,
}

impl<'a> Node<'a> {
    fn text(self) -> &'a str {
        self.element.text.trim()
    }

    fn many(self, name: &'static str) -> impl Iterator<Item = Node<'a>> {
        let namespace = self.namespace;
        self.element
            .children
            .iter()
            .filter(move |child| {
                child.namespace == Namespace::Known(namespace) && child.name == name
            })
            .map(move |element| Node { element, namespace })
    }

    fn optional(self, name: &'static str) -> Result<Option<Node<'a>>, CapError> {
        let mut found = self.many(name);
        let first = found.next();
        match found.next() {
            Some(second) => Err(CapError::Repeated {
                element: name,
                parent: self.element.name.clone(),
                at: second.element.at,
            }),
            None => Ok(first),
        }
    }

    fn required(self, name: &'static str) -> Result<Node<'a>, CapError> {
        self.optional(name)?.ok_or_else(|| self.missing(name))
    }

    /// Returns the text of an optional element, or nothing if it is empty.
    fn text_of(self, name: &'static str) -> Result<Option<String>, CapError> {
        let text = self.optional(name)?.map_or("", Node::text);
        Ok((!text.is_empty()).then(|| text.to_owned()))
    }

    fn time(self, name: &'static str) -> Result<Option<DateTime<FixedOffset>>, CapError> {
        self.optional(name)?.map(parse_time).transpose()
    }

    fn key(self, name: &'static str) -> Result<String, CapError> {
        let node = self.required(name)?;
        if !is_key(node.text()) {
            return Err(
                node.invalid("a name of 1 to 1024 bytes without spaces, commas, `<` and `&`")
            );
        }
        Ok(node.text().to_owned())
    }

    fn code<T>(
        self,
        name: &'static str,
        from_word: impl Fn(&str) -> Option<T>,
        words: &[&str],
    ) -> Result<T, CapError> {
        parse_code(self.required(name)?, from_word, words)
    }

    fn missing(self, element: &'static str) -> CapError {
        CapError::Missing {
            element,
            parent: self.element.name.clone(),
            at: self.element.at,
        }
    }

    fn invalid(self, expected: &str) -> CapError {
        self.invalid_part(self.text(), expected)
    }

    fn invalid_part(self, part: &str, expected: &str) -> CapError {
        CapError::Invalid {
            element: self.element.name.clone(),
            value: quote(part),
            expected: expected.to_owned(),
            at: self.element.at,
        }
    }
}
