//! From elements to an alert.

use std::ops::RangeInclusive;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, FixedOffset};
use sha2::{Digest as _, Sha256};

use crate::{
    cap::{
        Alert, Area, CapError, Category, Certainty, Circle, Embedded, Info, MsgType, NamedValue,
        Reference, Resource, ResponseType, Scope, Severity, Signature, Status, Urgency, Version,
    },
    field::without_numbers,
    geometry::{MAX_RADIUS_KM, PairError, check_ring, is_flat, read_pair},
    note::{NoteKind, Notes, Read},
    text::{parse_decimal, quote},
    xml::{
        self, CAP_1_0, CAP_1_0_URN, CAP_1_1, CAP_1_1_HTTP, CAP_1_2, CAP_1_2_HTTP, Element,
        Namespace, XMLDSIG,
    },
};

/// The most bytes of an identifier or a sender; the standard sets no limit, ours keeps them usable as keys.
const MAX_KEY_BYTES: usize = 1024;

/// The most areas, polygons and circles of one alert; each is looked up on the map.
const MAX_SHAPES: usize = 3_000;

/// The most points of all polygons of one alert.
const MAX_POINTS: usize = 50_000;

/// The offsets from UTC, in seconds, that XML Schema allows: up to 14 hours.
const OFFSETS_S: RangeInclusive<i32> = -14 * 3600..=14 * 3600;

/// The language of an info that names none (CAP 1.2, section 3.2.2).
const DEFAULT_LANGUAGE: &str = "en-US";

/// The elements of each kind in the standard's order; `password` is CAP 1.0's alone.
const ALERT: &[&str] = &[
    "identifier",
    "sender",
    "sent",
    "status",
    "msgType",
    "password",
    "source",
    "scope",
    "restriction",
    "addresses",
    "code",
    "note",
    "references",
    "incidents",
    "info",
];
const INFO: &[&str] = &[
    "language",
    "category",
    "event",
    "responseType",
    "urgency",
    "severity",
    "certainty",
    "audience",
    "eventCode",
    "effective",
    "onset",
    "expires",
    "senderName",
    "headline",
    "description",
    "instruction",
    "web",
    "contact",
    "parameter",
    "resource",
    "area",
];
const RESOURCE: &[&str] = &[
    "resourceDesc",
    "mimeType",
    "size",
    "uri",
    "derefUri",
    "digest",
];
const AREA: &[&str] = &[
    "areaDesc", "polygon", "circle", "geocode", "altitude", "ceiling",
];
const NAMED_VALUE: &[&str] = &["valueName", "value"];

/// Reads one alert from a document.
///
/// A signature is noted and not verified.
pub fn parse(document: &[u8]) -> Result<Read<Alert>, CapError> {
    let document = xml::read(document)?;
    let mut notes = Notes::of(&document);
    let value = read_alert(&document.root, "alert", &mut notes)?;
    Ok(Read {
        value,
        notes: notes.finish("alert"),
    })
}

/// Returns the version of CAP that a namespace is of.
pub(crate) fn version_of(namespace: &Namespace) -> Option<Version> {
    match namespace.name() {
        CAP_1_0 | CAP_1_0_URN => Some(Version::V1_0),
        CAP_1_1 | CAP_1_1_HTTP => Some(Version::V1_1),
        CAP_1_2 | CAP_1_2_HTTP => Some(Version::V1_2),
        _ => None,
    }
}

/// Reads an alert from its element, wherever in a document that stands.
pub(crate) fn read_alert(root: &Element, path: &str, notes: &mut Notes) -> Result<Alert, CapError> {
    let version = version_of(&root.namespace).filter(|_| root.name == "alert");
    let Some(version) = version else {
        return Err(CapError::NotAnAlert {
            name: quote(&root.name),
            namespace: quote(root.namespace.name()),
            at: root.at,
        });
    };
    if ![CAP_1_0, CAP_1_1, CAP_1_2].contains(&root.namespace.name()) {
        let text = format!(
            "namespace `{}` is not the one of CAP {}",
            root.namespace.name(),
            version.number()
        );
        notes.add(NoteKind::Breach, path, Some(root.at), text);
    }
    let alert = Node {
        element: root,
        version,
        path: path.to_owned(),
    };
    let mut reader = Reader {
        notes,
        points: 0,
        shapes: 0,
    };
    reader.alert(&alert)
}

/// What an alert's reader keeps in mind: the notes, and how many points, areas and shapes it has seen.
struct Reader<'n> {
    notes: &'n mut Notes,
    points: usize,
    shapes: usize,
}

impl Reader<'_> {
    fn alert(&mut self, alert: &Node<'_>) -> Result<Alert, CapError> {
        self.check_children(alert, ALERT);
        let identifier = alert.key("identifier")?;
        let sender = alert.key("sender")?;
        let sent = self.time(&alert.required("sent")?)?;
        let status = alert.code("status", Status::from_word, Status::WORDS)?;
        let msg_type = alert.code("msgType", MsgType::from_word, MsgType::WORDS)?;
        let scope = match alert.optional("scope")? {
            None if alert.version == Version::V1_0 => {
                let text = "is not there, and read as `Public`";
                self.note(NoteKind::Remark, &alert.child_path("scope"), alert, text);
                Scope::Public
            }
            Some(_) | None => alert.code("scope", Scope::from_word, Scope::WORDS)?,
        };
        match scope {
            Scope::Public => {}
            Scope::Restricted => alert.filled("restriction")?,
            Scope::Private => alert.filled("addresses")?,
        }
        if let Some(addresses) = alert.optional("addresses")? {
            let count = split_list(addresses.text()).len();
            self.leave_out(&addresses, &format!("`{count}` recipients may be persons"));
        }
        if let Some(password) = alert.optional("password")? {
            self.leave_out(&password, "a password is not kept");
        }
        Ok(Alert {
            version: alert.version,
            identifier,
            sender,
            sent,
            status,
            msg_type,
            scope,
            source: alert.text_of("source")?,
            restriction: alert.text_of("restriction")?,
            codes: alert
                .many("code")
                .iter()
                .map(|code| code.text().to_owned())
                .collect(),
            note: alert.text_of("note")?,
            references: self.references(alert, msg_type)?,
            incidents: split_list(&alert.text_of("incidents")?.unwrap_or_default()),
            signatures: self.signatures(alert),
            infos: alert
                .many("info")
                .iter()
                .map(|info| self.info(info))
                .collect::<Result<_, _>>()?,
        })
    }

    fn info(&mut self, info: &Node<'_>) -> Result<Info, CapError> {
        self.check_children(info, INFO);
        let categories = info.codes("category", Category::from_word, Category::WORDS)?;
        // CAP 1.0 asks for no category.
        if categories.is_empty() && info.version != Version::V1_0 {
            return Err(info.missing("category"));
        }
        let certainty = |word: &str| match word {
            // CAP 1.0 knew a step above `Likely`; CAP 1.1 folded it into that.
            "Very Likely" if info.version == Version::V1_0 => Some(Certainty::Likely),
            _ => Certainty::from_word(word),
        };
        if let Some(certainty) = info.optional("certainty")?
            && certainty.text() == "Very Likely"
        {
            let text = "says `Very Likely`, and is read as `Likely`";
            self.note(NoteKind::Remark, &certainty.path, &certainty, text);
        }
        let event = info.required("event")?;
        if event.text().is_empty() {
            return Err(event.invalid("a text"));
        }
        if let Some(contact) = info.optional("contact")? {
            self.leave_out(&contact, "a contact may be a person");
        }
        let read = Info {
            language: info
                .text_of("language")?
                .unwrap_or_else(|| DEFAULT_LANGUAGE.to_owned()),
            categories,
            event: event.text().to_owned(),
            response_types: info.codes(
                "responseType",
                ResponseType::from_word,
                ResponseType::WORDS,
            )?,
            urgency: info.code("urgency", Urgency::from_word, Urgency::WORDS)?,
            severity: info.code("severity", Severity::from_word, Severity::WORDS)?,
            certainty: info.code("certainty", certainty, Certainty::WORDS)?,
            audience: info.text_of("audience")?,
            effective: self.optional_time(info, "effective")?,
            onset: self.optional_time(info, "onset")?,
            expires: self.optional_time(info, "expires")?,
            sender_name: info.text_of("senderName")?,
            headline: info.text_of("headline")?,
            description: info.text_of("description")?,
            instruction: info.text_of("instruction")?,
            web: info.text_of("web")?,
            event_codes: self.named_values(info, "eventCode")?,
            parameters: self.named_values(info, "parameter")?,
            resources: info
                .many("resource")
                .iter()
                .map(|resource| self.resource(resource))
                .collect::<Result<_, _>>()?,
            areas: info
                .many("area")
                .iter()
                .map(|area| self.area(area))
                .collect::<Result<_, _>>()?,
        };
        if let (Some(effective), Some(expires)) = (read.effective, read.expires)
            && expires < effective
        {
            let text = "lies before `effective`";
            self.note(NoteKind::Breach, &info.child_path("expires"), info, text);
        }
        Ok(read)
    }

    fn resource(&mut self, resource: &Node<'_>) -> Result<Resource, CapError> {
        self.check_children(resource, RESOURCE);
        let mime_type = resource.text_of("mimeType")?;
        if mime_type.is_none() && resource.version == Version::V1_2 {
            let path = resource.child_path("mimeType");
            self.note(NoteKind::Breach, &path, resource, "is not there");
        }
        let size = match resource.optional("size")? {
            Some(size) if !size.text().is_empty() => {
                let read = size.text().parse().ok();
                if read.is_none() {
                    let text = "is not a number of bytes, and left out";
                    self.note(NoteKind::Breach, &size.path, &size, text);
                }
                read
            }
            Some(_) | None => None,
        };
        let embedded = resource
            .optional("derefUri")?
            .filter(|content| !content.text().is_empty())
            .map(|content| self.embedded(&content));
        Ok(Resource {
            description: resource.required("resourceDesc")?.text().to_owned(),
            mime_type,
            size,
            uri: resource.text_of("uri")?,
            embedded,
            digest: resource.text_of("digest")?,
        })
    }

    /// Returns the size and the hash of embedded content, which itself is let go.
    fn embedded(&mut self, content: &Node<'_>) -> Embedded {
        let mut written = content.text().to_owned();
        written.retain(|character| !character.is_ascii_whitespace());
        let bytes = STANDARD.decode(&written).unwrap_or_else(|_| {
            let text = "is not base64, and hashed as it is written";
            self.note(NoteKind::Breach, &content.path, content, text);
            content.text().as_bytes().to_vec()
        });
        let text = "only its size and hash are kept";
        self.note(NoteKind::Remark, &content.path, content, text);
        Embedded {
            bytes: bytes.len() as u64,
            sha256: Sha256::digest(&bytes).into(),
        }
    }

    /// Counts an area or a shape, and refuses the first of too many.
    fn count_shape(&mut self, shape: &Node<'_>) -> Result<(), CapError> {
        self.shapes += 1;
        if self.shapes > MAX_SHAPES {
            return Err(CapError::TooManyShapes {
                element: shape.path.clone(),
                at: shape.element.at,
                limit: MAX_SHAPES,
            });
        }
        Ok(())
    }

    fn area(&mut self, area: &Node<'_>) -> Result<Area, CapError> {
        self.count_shape(area)?;
        self.check_children(area, AREA);
        let read = Area {
            description: area.required("areaDesc")?.text().to_owned(),
            polygons: area
                .many("polygon")
                .iter()
                .map(|polygon| self.polygon(polygon))
                .collect::<Result<_, _>>()?,
            circles: area
                .many("circle")
                .iter()
                .map(|circle| self.circle(circle))
                .collect::<Result<_, _>>()?,
            geocodes: self.named_values(area, "geocode")?,
            altitude_ft: self.height(area, "altitude")?,
            ceiling_ft: self.height(area, "ceiling")?,
        };
        let breach = match (read.altitude_ft, read.ceiling_ft) {
            (None, Some(_)) => Some("stands without an `altitude`"),
            (Some(altitude), Some(ceiling)) if ceiling < altitude => {
                Some("is lower than the `altitude`")
            }
            (None | Some(_), None | Some(_)) => None,
        };
        if let Some(breach) = breach {
            self.note(NoteKind::Breach, &area.child_path("ceiling"), area, breach);
        }
        Ok(read)
    }

    /// Reads a height in feet; in CAP 1.0 it may be any text, which is then noted and left out.
    fn height(&mut self, area: &Node<'_>, name: &'static str) -> Result<Option<f64>, CapError> {
        let Some(node) = area.optional(name)?.filter(|node| !node.text().is_empty()) else {
            return Ok(None);
        };
        match parse_decimal(node.text()) {
            Some(height) => Ok(Some(height)),
            None if area.version == Version::V1_0 => {
                let text = "is not a height in feet, and left out";
                self.note(NoteKind::Breach, &node.path, &node, text);
                Ok(None)
            }
            None => Err(node.invalid("a height in feet")),
        }
    }

    fn named_values(
        &mut self,
        parent: &Node<'_>,
        name: &'static str,
    ) -> Result<Vec<NamedValue>, CapError> {
        let mut values = Vec::new();
        for node in parent.many(name) {
            // CAP 1.0 wrote `<parameter>NAME=value</parameter>`.
            if node.version == Version::V1_0 && node.element.children.is_empty() {
                let split = node.text().split_once('=');
                if split.is_none() {
                    self.note(NoteKind::Breach, &node.path, &node, "is not `NAME=value`");
                }
                let (name, value) = split.unwrap_or((node.text(), ""));
                values.push(NamedValue {
                    name: name.trim().to_owned(),
                    value: value.trim().to_owned(),
                });
                continue;
            }
            self.check_children(&node, NAMED_VALUE);
            values.push(NamedValue {
                name: node.required("valueName")?.text().to_owned(),
                value: node.required("value")?.text().to_owned(),
            });
        }
        Ok(values)
    }

    /// Reads `lat,lon lat,lon …`, a closed ring of at least four pairs (CAP 1.2, section 3.2.4).
    fn polygon(&mut self, polygon: &Node<'_>) -> Result<Vec<(f64, f64)>, CapError> {
        self.count_shape(polygon)?;
        let mut points = Vec::new();
        for pair in polygon.text().split_ascii_whitespace() {
            self.points += 1;
            if self.points > MAX_POINTS {
                return Err(CapError::TooManyPoints {
                    element: polygon.path.clone(),
                    at: polygon.element.at,
                    limit: MAX_POINTS,
                });
            }
            points.push(parse_pair(pair).map_err(|error| {
                let expected = match error {
                    PairError::NotAPair => PAIR.to_owned(),
                    PairError::Swapped => format!("{PAIR}: the two are swapped"),
                };
                polygon.invalid_part(pair, &expected)
            })?);
        }
        check_ring(&points).map_err(|error| polygon.invalid(&error.to_string()))?;
        if is_flat(&points) {
            let text = "encloses no area";
            self.note(NoteKind::Breach, &polygon.path, polygon, text);
        }
        Ok(points)
    }

    /// Reads `lat,lon radius`.
    fn circle(&mut self, circle: &Node<'_>) -> Result<Circle, CapError> {
        const CIRCLE: &str = "a circle `lat,lon radius` with lat from -90 to 90, lon from -180 to 180 and a radius from 0 to 20038 km";
        self.count_shape(circle)?;
        let mut parts = circle.text().split_ascii_whitespace();
        let (Some(center), Some(radius), None) = (parts.next(), parts.next(), parts.next()) else {
            return Err(circle.invalid(CIRCLE));
        };
        let (lat, lon) = parse_pair(center).map_err(|error| match error {
            PairError::NotAPair => circle.invalid(CIRCLE),
            PairError::Swapped => circle.invalid(&format!("{CIRCLE}: the two are swapped")),
        })?;
        let radius_km = parse_decimal(radius)
            .filter(|radius| (0.0..=MAX_RADIUS_KM).contains(radius))
            .ok_or_else(|| circle.invalid(CIRCLE))?;
        if radius_km == 0.0 {
            self.note(
                NoteKind::Remark,
                &circle.path,
                circle,
                "is a point, of radius `0`",
            );
        }
        Ok(Circle {
            lat,
            lon,
            radius_km,
        })
    }

    fn references(
        &mut self,
        alert: &Node<'_>,
        msg_type: MsgType,
    ) -> Result<Vec<Reference>, CapError> {
        let refers = msg_type != MsgType::Alert;
        let Some(references) = alert.optional("references")? else {
            if refers {
                let text = format!(
                    "is not there, so `{}` names no earlier alert",
                    msg_type.word()
                );
                self.note(
                    NoteKind::Breach,
                    &alert.child_path("references"),
                    alert,
                    &text,
                );
            }
            return Ok(Vec::new());
        };
        if references.text().is_empty() {
            if refers {
                return Err(references.invalid(&format!(
                    "a reference `sender,identifier,sent` to what this `{}` is about",
                    msg_type.word()
                )));
            }
            self.note(NoteKind::Breach, &references.path, &references, "is empty");
            return Ok(Vec::new());
        }
        let read = |reference: &str| match alert.version {
            Version::V1_0 => read_old_reference(reference),
            Version::V1_1 | Version::V1_2 => None,
        };
        references
            .text()
            .split_ascii_whitespace()
            .map(|reference| {
                read_reference(reference)
                    .or_else(|| read(reference))
                    .ok_or_else(|| {
                        references.invalid_part(reference, "a reference `sender,identifier,sent`")
                    })
            })
            .collect()
    }

    /// Reads a time: by the standard's own pattern, or in the older versions by XML Schema's, with a note.
    fn time(&mut self, node: &Node<'_>) -> Result<DateTime<FixedOffset>, CapError> {
        if let Some(time) = read_time(node.text()) {
            return Ok(time);
        }
        if node.version != Version::V1_2
            && let Some(time) = read_schema_time(node.text())
        {
            let text = "is not written `YYYY-MM-DDThh:mm:ss±hh:mm`";
            self.note(NoteKind::Breach, &node.path, node, text);
            return Ok(time);
        }
        Err(node.invalid(
            "a real time with its zone, written `YYYY-MM-DDThh:mm:ss±hh:mm` (without fractions or `Z`)",
        ))
    }

    fn optional_time(
        &mut self,
        parent: &Node<'_>,
        name: &'static str,
    ) -> Result<Option<DateTime<FixedOffset>>, CapError> {
        let node = parent.optional(name)?;
        node.map(|node| self.time(&node)).transpose()
    }

    fn signatures(&mut self, alert: &Node<'_>) -> Vec<Signature> {
        let found = alert
            .element
            .children
            .iter()
            .filter(|child| child.is(XMLDSIG, "Signature"));
        let mut signatures = Vec::new();
        for element in found {
            let signature = read_signature(element);
            let path = alert.child_path("Signature");
            let text = format!(
                "signed with `{}`, not verified",
                short_uri(&signature.method)
            );
            self.notes
                .add(NoteKind::Signature, path, Some(element.at), text);
            signatures.push(signature);
        }
        signatures
    }

    /// Notes what stands in the wrong order, what is unknown, and text outside any element.
    fn check_children(&mut self, node: &Node<'_>, order: &[&str]) {
        let mut furthest = 0;
        for child in &node.element.children {
            if child.is(XMLDSIG, "Signature") && order == ALERT {
                continue;
            }
            let is_ours = child.namespace == node.element.namespace;
            let position = order.iter().position(|name| *name == child.name && is_ours);
            let path = node.child_path(&quote(&child.name));
            match position {
                None => {
                    let text = if is_ours {
                        "is no element of CAP, and not kept".to_owned()
                    } else {
                        let namespace = child.namespace.name();
                        format!("is of namespace `{namespace}`, and not kept")
                    };
                    let path = without_numbers(&path);
                    self.notes
                        .add(NoteKind::NotKept, path, Some(child.at), text);
                }
                Some(position) if position < furthest => {
                    let before = order.get(furthest).copied().unwrap_or_default();
                    let text = format!("stands after `{before}`, before which it belongs");
                    self.notes.add(NoteKind::Order, path, Some(child.at), text);
                }
                Some(position) => furthest = position,
            }
        }
        if !node.text().is_empty() {
            let text = "holds text outside any element, which is not kept";
            self.note(NoteKind::NotKept, &without_numbers(&node.path), node, text);
        }
        for (name, _) in &node.element.attributes {
            if name.starts_with("xsi:") || name.starts_with("xml:") {
                continue;
            }
            let path = format!("{}/@{}", without_numbers(&node.path), quote(name));
            self.note(NoteKind::NotKept, &path, node, "is no attribute of CAP");
        }
    }

    fn leave_out(&mut self, node: &Node<'_>, why: &str) {
        if !node.text().is_empty() {
            let text = format!("is left out: {why}");
            self.note(NoteKind::LeftOut, &without_numbers(&node.path), node, &text);
        }
    }

    fn note(&mut self, kind: NoteKind, path: &str, node: &Node<'_>, text: &str) {
        self.notes.add(kind, path, Some(node.element.at), text);
    }
}

const PAIR: &str = "a pair `lat,lon` with lat from -90 to 90 and lon from -180 to 180";

fn parse_pair(pair: &str) -> Result<(f64, f64), PairError> {
    let (lat, lon) = pair.split_once(',').ok_or(PairError::NotAPair)?;
    read_pair(lat, lon)
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
        sent: Some(read_time(sent)?),
    })
}

/// Reads CAP 1.0's `identifier/sender`, or an identifier alone.
fn read_old_reference(reference: &str) -> Option<Reference> {
    let (identifier, sender) = reference.split_once('/').unwrap_or((reference, ""));
    let is_read = is_key(identifier) && (sender.is_empty() || is_key(sender));
    is_read.then(|| Reference {
        sender: sender.to_owned(),
        identifier: identifier.to_owned(),
        sent: None,
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
    read_schema_time(text)
}

/// Reads a `dateTime` of XML Schema with its zone.
fn read_schema_time(text: &str) -> Option<DateTime<FixedOffset>> {
    let time = DateTime::parse_from_rfc3339(text).ok()?;
    OFFSETS_S
        .contains(&time.offset().local_minus_utc())
        .then_some(time)
}

/// Says whether the text may be an identifier or a sender (CAP 1.2, section 3.2.1).
pub(super) fn is_key(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= MAX_KEY_BYTES
        && !text
            .contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, ',' | '<' | '&'))
}

/// Splits a list of words, of which those with spaces stand in quotation marks (CAP 1.2, section 3.2.1).
fn split_list(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (number, part) in text.split('"').enumerate() {
        if number % 2 == 1 {
            words.push(part.trim().to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn read_signature(element: &Element) -> Signature {
    let algorithm = |name| {
        let found = find(element, name);
        let algorithm = found.and_then(|method| method.attribute("Algorithm"));
        quote(algorithm.unwrap_or_default())
    };
    Signature {
        method: algorithm("SignatureMethod"),
        digest_method: algorithm("DigestMethod"),
        has_certificate: find(element, "X509Certificate").is_some(),
    }
}

/// Finds the first element of a signature by its name, however deep; the reader's limit keeps that from going far.
fn find<'a>(element: &'a Element, name: &str) -> Option<&'a Element> {
    element.children.iter().find_map(|child| {
        if child.is(XMLDSIG, name) {
            Some(child)
        } else {
            find(child, name)
        }
    })
}

/// Returns what a URI of an algorithm ends with, such as `rsa-sha256`.
fn short_uri(uri: &str) -> &str {
    uri.rsplit(['#', '/']).next().unwrap_or(uri)
}

/// An element of the alert, with the version that it is read by and its path from the root.
struct Node<'a> {
    element: &'a Element,
    version: Version,
    path: String,
}

impl<'a> Node<'a> {
    fn text(&self) -> &'a str {
        self.element.text.trim()
    }

    fn child_path(&self, name: &str) -> String {
        format!("{}/{name}", self.path)
    }

    /// Returns the children of a name; where there are several, their paths count them from 1.
    fn many(&self, name: &'static str) -> Vec<Node<'a>> {
        let found: Vec<_> = self
            .element
            .children
            .iter()
            .filter(|child| child.namespace == self.element.namespace && child.name == name)
            .collect();
        let is_one = found.len() == 1;
        let nodes = found.into_iter().zip(1..).map(|(element, number)| Node {
            element,
            version: self.version,
            path: if is_one {
                self.child_path(name)
            } else {
                format!("{}/{name}[{number}]", self.path)
            },
        });
        nodes.collect()
    }

    fn optional(&self, name: &'static str) -> Result<Option<Node<'a>>, CapError> {
        let mut found = self.many(name).into_iter();
        let first = found.next();
        match found.next() {
            Some(second) => Err(CapError::Repeated {
                element: name,
                parent: self.path.clone(),
                at: second.element.at,
            }),
            None => Ok(first),
        }
    }

    fn required(&self, name: &'static str) -> Result<Node<'a>, CapError> {
        self.optional(name)?.ok_or_else(|| self.missing(name))
    }

    /// Checks that an element is there and not empty.
    fn filled(&self, name: &'static str) -> Result<(), CapError> {
        match self.text_of(name)? {
            Some(_) => Ok(()),
            None => Err(self.missing(name)),
        }
    }

    /// Returns the text of an optional element, or nothing if it is empty.
    fn text_of(&self, name: &'static str) -> Result<Option<String>, CapError> {
        let node = self.optional(name)?;
        let text = node.as_ref().map_or("", Node::text);
        Ok((!text.is_empty()).then(|| text.to_owned()))
    }

    fn key(&self, name: &'static str) -> Result<String, CapError> {
        let node = self.required(name)?;
        if !is_key(node.text()) {
            return Err(
                node.invalid("a name of 1 to 1024 bytes without spaces, commas, `<` and `&`")
            );
        }
        Ok(node.text().to_owned())
    }

    fn code<T>(
        &self,
        name: &'static str,
        from_word: impl Fn(&str) -> Option<T>,
        words: &[&str],
    ) -> Result<T, CapError> {
        self.required(name)?.word(from_word, words)
    }

    fn codes<T>(
        &self,
        name: &'static str,
        from_word: impl Fn(&str) -> Option<T>,
        words: &[&str],
    ) -> Result<Vec<T>, CapError> {
        let nodes = self.many(name);
        nodes
            .iter()
            .map(|node| node.word(&from_word, words))
            .collect()
    }

    fn word<T>(
        &self,
        from_word: impl Fn(&str) -> Option<T>,
        words: &[&str],
    ) -> Result<T, CapError> {
        from_word(self.text()).ok_or_else(|| self.invalid(&format!("one of {}", words.join(", "))))
    }

    fn missing(&self, element: &'static str) -> CapError {
        CapError::Missing {
            element,
            parent: self.path.clone(),
            at: self.element.at,
        }
    }

    fn invalid(&self, expected: &str) -> CapError {
        self.invalid_part(self.text(), expected)
    }

    fn invalid_part(&self, part: &str, expected: &str) -> CapError {
        CapError::Invalid {
            element: self.path.clone(),
            value: quote(part),
            expected: expected.to_owned(),
            at: self.element.at,
        }
    }
}
