//! From an alert to a document of CAP 1.2, in the standard's order and its own narrow way of writing times.
//!
//! What it never does: write what the standard, or our own reader, would not take back as it was.

use std::fmt::{Arguments, Display, Write as _};

use chrono::{DateTime, FixedOffset, Timelike};
use thiserror::Error;

use crate::{
    cap::{
        Alert, Area, Info, MsgType, NamedValue, Reference, Resource, Scope, Version, read::is_key,
    },
    geometry::{MAX_RADIUS_KM, check_ring, is_flat},
    text::{parse_decimal, quote},
    xml::CAP_1_2,
};

/// Why an alert cannot be written; elements are named by their path from the root.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("element `{element}` cannot be `{value}`: expected {expected}")]
pub struct WriteError {
    /// The element at fault.
    pub element: String,
    /// What it would say, shortened.
    pub value: String,
    /// What it should say.
    pub expected: &'static str,
}

/// Writes an alert as a CAP 1.2 document, in UTF-8, which our own reader reads back as the same without a warning.
///
/// An alert that no CAP 1.2 document can say is refused with its element: another version, a key with blanks, an open
/// ring, a signature or an embedded resource, of which only a hash was kept.
pub fn write(alert: &Alert) -> Result<String, WriteError> {
    let mut writer = Writer::default();
    writer.alert(alert)?;
    Ok(writer.text)
}

/// The document so far, and the path of the element that is being written.
#[derive(Default)]
struct Writer {
    text: String,
    path: Vec<&'static str>,
}

impl Writer {
    fn alert(&mut self, alert: &Alert) -> Result<(), WriteError> {
        self.text
            .push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        self.line(format_args!("<alert xmlns=\"{CAP_1_2}\">"));
        self.path.push("alert");
        if alert.version != Version::V1_2 {
            return Err(self.refuse("@xmlns", alert.version.number(), "version 1.2"));
        }
        self.key("identifier", &alert.identifier)?;
        self.key("sender", &alert.sender)?;
        self.time("sent", alert.sent)?;
        self.element("status", alert.status.word())?;
        self.element("msgType", alert.msg_type.word())?;
        self.optional("source", alert.source.as_deref())?;
        self.element("scope", alert.scope.word())?;
        match (alert.scope, &alert.restriction) {
            (Scope::Private, _) => {
                return Err(self.refuse("scope", "Private", "a scope that names no persons"));
            }
            (Scope::Restricted, None) => {
                return Err(self.refuse(
                    "restriction",
                    "",
                    "a text, since the scope is restricted",
                ));
            }
            (Scope::Public | Scope::Restricted, restriction) => {
                self.optional("restriction", restriction.as_deref())?;
            }
        }
        for code in &alert.codes {
            self.element("code", code)?;
        }
        self.optional("note", alert.note.as_deref())?;
        self.references(&alert.references, alert.msg_type)?;
        self.incidents(&alert.incidents)?;
        for info in &alert.infos {
            self.inside("info", |writer| writer.info(info))?;
        }
        if let Some(signature) = alert.signatures.first() {
            return Err(self.refuse(
                "Signature",
                &signature.method,
                "no signature, since none can be given on",
            ));
        }
        self.text.push_str("</alert>\n");
        Ok(())
    }

    fn references(&mut self, references: &[Reference], kind: MsgType) -> Result<(), WriteError> {
        if references.is_empty() {
            return if kind == MsgType::Alert {
                Ok(())
            } else {
                Err(self.refuse("references", "", "the messages that this one refers to"))
            };
        }
        let mut words = Vec::new();
        for reference in references {
            let Some(sent) = reference.sent else {
                return Err(self.refuse(
                    "references",
                    &reference.identifier,
                    "references with their times",
                ));
            };
            for key in [&reference.sender, &reference.identifier] {
                if !is_key(key) {
                    return Err(self.refuse("references", key, KEY));
                }
            }
            words.push(format!(
                "{},{},{}",
                reference.sender,
                reference.identifier,
                self.written("references", sent)?
            ));
        }
        self.element("references", &words.join(" "))
    }

    fn incidents(&mut self, incidents: &[String]) -> Result<(), WriteError> {
        let mut words = Vec::new();
        for incident in incidents {
            if incident.trim().is_empty() || incident.contains('"') || incident.trim() != incident {
                return Err(self.refuse("incidents", incident, "a name without quotation marks"));
            }
            let blank = incident.contains(char::is_whitespace);
            words.push(if blank {
                format!("\"{incident}\"")
            } else {
                incident.clone()
            });
        }
        self.optional(
            "incidents",
            Some(words.join(" ").as_str()).filter(|words| !words.is_empty()),
        )
    }

    fn info(&mut self, info: &Info) -> Result<(), WriteError> {
        let is_language = info.language.split('-').all(|part| {
            (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        });
        if !is_language {
            return Err(self.refuse(
                "language",
                &info.language,
                "a language such as `id` or `en-US`",
            ));
        }
        self.element("language", &info.language)?;
        if info.categories.is_empty() {
            return Err(self.refuse("category", "", "at least one category"));
        }
        for category in &info.categories {
            self.element("category", category.word())?;
        }
        self.filled("event", &info.event)?;
        for response in &info.response_types {
            self.element("responseType", response.word())?;
        }
        self.element("urgency", info.urgency.word())?;
        self.element("severity", info.severity.word())?;
        self.element("certainty", info.certainty.word())?;
        self.optional("audience", info.audience.as_deref())?;
        self.named_values("eventCode", &info.event_codes)?;
        if let (Some(effective), Some(expires)) = (info.effective, info.expires)
            && expires < effective
        {
            return Err(self.refuse(
                "expires",
                &expires.to_rfc3339(),
                "a time that is not before `effective`",
            ));
        }
        for (name, at) in [
            ("effective", info.effective),
            ("onset", info.onset),
            ("expires", info.expires),
        ] {
            if let Some(at) = at {
                self.time(name, at)?;
            }
        }
        self.optional("senderName", info.sender_name.as_deref())?;
        self.optional("headline", info.headline.as_deref())?;
        self.optional("description", info.description.as_deref())?;
        self.optional("instruction", info.instruction.as_deref())?;
        if let Some(web) = &info.web {
            self.address("web", web)?;
        }
        self.named_values("parameter", &info.parameters)?;
        for resource in &info.resources {
            self.inside("resource", |writer| writer.resource(resource))?;
        }
        for area in &info.areas {
            self.inside("area", |writer| writer.area(area))?;
        }
        Ok(())
    }

    fn resource(&mut self, resource: &Resource) -> Result<(), WriteError> {
        self.filled("resourceDesc", &resource.description)?;
        let Some(mime_type) = &resource.mime_type else {
            return Err(self.refuse("mimeType", "", "a media type"));
        };
        self.filled("mimeType", mime_type)?;
        if let Some(size) = resource.size {
            self.element("size", &size.to_string())?;
        }
        if let Some(uri) = &resource.uri {
            self.address("uri", uri)?;
        }
        if let Some(embedded) = &resource.embedded {
            return Err(self.refuse(
                "derefUri",
                &format!("{} bytes", embedded.bytes),
                "nothing, since only its hash was kept",
            ));
        }
        self.optional("digest", resource.digest.as_deref())
    }

    fn area(&mut self, area: &Area) -> Result<(), WriteError> {
        self.filled("areaDesc", &area.description)?;
        for ring in &area.polygons {
            if check_ring(ring).is_err() || is_flat(ring) || ring.first() != ring.last() {
                let shown = format!("{} points", ring.len());
                return Err(self.refuse(
                    "polygon",
                    &shown,
                    "a closed ring that encloses an area and does not cross itself",
                ));
            }
            let pairs = ring
                .iter()
                .map(|(lat, lon)| self.pair("polygon", *lat, *lon));
            let pairs = pairs.collect::<Result<Vec<String>, _>>()?;
            self.element("polygon", &pairs.join(" "))?;
        }
        for circle in &area.circles {
            if !(0.0..=MAX_RADIUS_KM).contains(&circle.radius_km) {
                return Err(self.refuse(
                    "circle",
                    &circle.radius_km.to_string(),
                    "a radius from 0 to 20038 km",
                ));
            }
            let center = self.pair("circle", circle.lat, circle.lon)?;
            let radius = self.decimal("circle", circle.radius_km)?;
            self.element("circle", &format!("{center} {radius}"))?;
        }
        self.named_values("geocode", &area.geocodes)?;
        if let Some(ceiling) = area.ceiling_ft
            && area.altitude_ft.is_none_or(|altitude| ceiling < altitude)
        {
            return Err(self.refuse(
                "ceiling",
                &ceiling.to_string(),
                "a height above an `altitude`",
            ));
        }
        for (name, height) in [("altitude", area.altitude_ft), ("ceiling", area.ceiling_ft)] {
            if let Some(height) = height {
                let height = self.decimal(name, height)?;
                self.element(name, &height)?;
            }
        }
        Ok(())
    }

    fn named_values(
        &mut self,
        name: &'static str,
        values: &[NamedValue],
    ) -> Result<(), WriteError> {
        for value in values {
            self.inside(name, |writer| {
                writer.element("valueName", &value.name)?;
                writer.element("value", &value.value)
            })?;
        }
        Ok(())
    }

    fn pair(&self, element: &'static str, lat: f64, lon: f64) -> Result<String, WriteError> {
        if !(-90.0..=90.0).contains(&lat) || !(-180.0..=180.0).contains(&lon) {
            let expected = "a latitude from -90 to 90 and a longitude from -180 to 180";
            return Err(self.refuse(element, &format!("{lat},{lon}"), expected));
        }
        Ok(format!(
            "{},{}",
            self.decimal(element, lat)?,
            self.decimal(element, lon)?
        ))
    }

    /// Writes a number in decimals, which is how it reads back as the same.
    fn decimal(&self, element: &'static str, number: f64) -> Result<String, WriteError> {
        let text = number.to_string();
        match parse_decimal(&text) {
            Some(_) => Ok(text),
            None => Err(self.refuse(element, &text, "a decimal of at most 32 characters")),
        }
    }

    fn key(&mut self, name: &'static str, key: &str) -> Result<(), WriteError> {
        if !is_key(key) {
            return Err(self.refuse(name, key, KEY));
        }
        self.element(name, key)
    }

    fn address(&mut self, name: &'static str, address: &str) -> Result<(), WriteError> {
        if address.is_empty() || address.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(self.refuse(name, address, "an address without blanks"));
        }
        self.element(name, address)
    }

    fn time(&mut self, name: &'static str, at: DateTime<FixedOffset>) -> Result<(), WriteError> {
        let written = self.written(name, at)?;
        self.element(name, &written)
    }

    /// Writes a time as CAP 1.2, section 3.3.2, has it: whole seconds, and UTC as `-00:00`, never `Z`.
    fn written(&self, name: &'static str, at: DateTime<FixedOffset>) -> Result<String, WriteError> {
        let offset = at.offset().local_minus_utc();
        let fits = (0..=9999).contains(&chrono::Datelike::year(&at))
            && offset % 60 == 0
            && offset.abs() <= 14 * 3600;
        if !fits || at.nanosecond() != 0 {
            return Err(self.refuse(
                name,
                &at.to_rfc3339(),
                "a time of whole seconds and an offset of whole minutes",
            ));
        }
        Ok(if offset == 0 {
            at.format("%Y-%m-%dT%H:%M:%S-00:00").to_string()
        } else {
            at.format("%Y-%m-%dT%H:%M:%S%:z").to_string()
        })
    }

    fn filled(&mut self, name: &'static str, text: &str) -> Result<(), WriteError> {
        if text.trim().is_empty() {
            return Err(self.refuse(name, text, "a text"));
        }
        self.element(name, text)
    }

    fn optional(&mut self, name: &'static str, text: Option<&str>) -> Result<(), WriteError> {
        text.map_or(Ok(()), |text| self.filled(name, text))
    }

    fn inside(
        &mut self,
        name: &'static str,
        write: impl FnOnce(&mut Self) -> Result<(), WriteError>,
    ) -> Result<(), WriteError> {
        self.indent();
        self.line(format_args!("<{name}>"));
        self.path.push(name);
        write(self)?;
        self.path.pop();
        self.indent();
        self.line(format_args!("</{name}>"));
        Ok(())
    }

    fn element(&mut self, name: &'static str, text: &str) -> Result<(), WriteError> {
        // Blanks at the ends are no part of a value, and XML 1.0 has no place for other control characters.
        if text.trim() != text {
            return Err(self.refuse(name, text, "a text without blanks at its ends"));
        }
        if text.contains(is_no_character) {
            return Err(self.refuse(name, text, "characters of XML 1.0"));
        }
        self.indent();
        self.line(format_args!("<{name}>{}</{name}>", escaped(text)));
        Ok(())
    }

    fn line(&mut self, line: Arguments<'_>) {
        // Writing into a string cannot fail.
        let _ = writeln!(self.text, "{line}");
    }

    fn indent(&mut self) {
        for _ in &self.path {
            self.text.push_str("  ");
        }
    }

    fn refuse(&self, element: impl Display, value: &str, expected: &'static str) -> WriteError {
        WriteError {
            element: format!("{}/{element}", self.path.join("/")),
            value: quote(value),
            expected,
        }
    }
}

const KEY: &str = "a name of 1 to 1024 bytes without blanks, commas, `<` and `&`";

/// Says whether a character may not stand in a document of XML 1.0, also not escaped (section 2.2).
fn is_no_character(c: char) -> bool {
    matches!(c, '\u{0}'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}

/// Escapes what a reader of XML would take for something else; a carriage return would become a line feed.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\r' => escaped.push_str("&#13;"),
            c => escaped.push(c),
        }
    }
    escaped
}
