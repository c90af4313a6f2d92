//! Warnings on their way out: as documents of CAP 1.2.
//!
//! What it never does: say more than is held. Of another publisher's warning it says that this is a copy from a log.

use chrono::{DateTime, Datelike, FixedOffset, Utc};
use posko_domain::{
    hazard, region,
    warning::{WarningState, draft::message_identifier},
};
use posko_formats::cap::{
    Alert, Area, Category, Certainty, Circle, Info, MsgType, NamedValue, Reference, Resource,
    ResponseType, Scope, Severity, Status, Urgency, Version,
};
use posko_proto::{
    NodeId,
    common::v1::{Hazard, Point},
    time::Millis,
    warning::v1 as wire,
};

/// The name under which a region's Kemendagri code stands in an area.
pub(crate) const GEOCODE: &str = "Kemendagri";

/// The longest identifier or sender, in bytes.
const KEY_BYTES: usize = 1_024;

/// Why a warning is not written: its publisher never sent what it would say.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "warning `{identifier}` was taken back here by a person and not by its publisher, in whose name nothing is written"
)]
pub(crate) struct NotItsWord {
    identifier: String,
}

/// Returns the alert that says what a warning says.
pub(crate) fn alert(state: &WarningState, origin: NodeId) -> Result<Alert, NotItsWord> {
    let content = &state.content;
    let is_own = state.source == wire::Source::Own;
    if !is_own && state.cancelled_by.is_person() {
        return Err(NotItsWord {
            identifier: state.identifier.clone(),
        });
    }
    let sender = if content.sender.is_empty() {
        key(&state.publisher)
    } else {
        key(&content.sender)
    };
    let message = key(message_identifier(state));
    let sent = content.sent_at.as_ref().and_then(time).unwrap_or_default();
    let mut references: Vec<Reference> = content.references.iter().map(reference).collect();
    // Whoever else takes a warning back says so in no message of its own that is held here.
    let says_so = content.message_kind() == wire::MessageKind::Cancel && !references.is_empty();
    let (identifier, sent) = if state.cancelled && !says_so {
        references = vec![Reference {
            sender: sender.clone(),
            identifier: message.clone(),
            sent: Some(sent),
        }];
        let by = &state.cancelled_by.identifier;
        let identifier = if by.is_empty() {
            key(&format!("{message}.cancel"))
        } else {
            key(by)
        };
        (identifier, wib(state.recorded_at))
    } else {
        (message, sent)
    };
    let msg_type = match content.message_kind() {
        _ if state.cancelled => MsgType::Cancel,
        wire::MessageKind::Update if !references.is_empty() => MsgType::Update,
        _ => MsgType::Alert,
    };
    Ok(Alert {
        version: Version::V1_2,
        identifier,
        sender,
        sent,
        status: status(state),
        msg_type,
        scope: Scope::Public,
        source: None,
        restriction: None,
        codes: Vec::new(),
        note: (!is_own).then(|| {
            clean(&format!(
                "Disalin dari catatan simpul Posko {origin}; bukan pesan asli dari {}.",
                state.publisher
            ))
        }),
        references,
        incidents: Vec::new(),
        signatures: Vec::new(),
        infos: infos(state),
    })
}

/// Returns a name for a warning's file.
pub(crate) fn file_name(alert: &Alert) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || ".-_".contains(c) {
            c
        } else {
            '_'
        }
    };
    let name: String = alert.identifier.chars().map(plain).take(120).collect();
    format!("{name}.xml")
}

fn infos(state: &WarningState) -> Vec<Info> {
    let content = &state.content;
    let first = wire::Text {
        language: content.language.clone(),
        event: content.event.clone(),
        headline: content.headline.clone(),
        description: content.description.clone(),
        instruction: content.instruction.clone(),
        web: content.web.clone(),
    };
    let texts = [first].into_iter().chain(content.texts.iter().cloned());
    texts.map(|text| info(state, &text)).collect()
}

fn info(state: &WarningState, text: &wire::Text) -> Info {
    let content = &state.content;
    let hazard = content.hazard();
    let language = language(&text.language);
    let event = match language.as_str() {
        _ if !text.event.trim().is_empty() => clean(&text.event),
        "id" => hazard::indonesian(hazard).to_owned(),
        _ => hazard::english(hazard).to_owned(),
    };
    let effective = content.effective_at.as_ref().and_then(time);
    // CAP's years have four digits, also in this zone.
    let expires = content.expires_at.as_ref().and_then(time);
    let expires = expires.filter(|expires| expires.year() <= 9999);
    Info {
        language,
        categories: vec![category(hazard)],
        event,
        response_types: content.response_types().filter_map(response_type).collect(),
        urgency: urgency(content.urgency()),
        severity: severity(content.severity()),
        certainty: certainty(content.certainty()),
        audience: None,
        effective,
        onset: None,
        expires: expires.filter(|expires| effective.is_none_or(|effective| *expires >= effective)),
        sender_name: filled(&state.publisher),
        headline: filled(&text.headline),
        description: filled(&text.description),
        instruction: filled(&text.instruction),
        web: (filled(&text.web).or_else(|| filled(&content.web)))
            .filter(|web| !web.contains(char::is_whitespace)),
        event_codes: (content.event_codes.iter())
            .map(|code| value(&clean(&code.name), &clean(&code.value)))
            .collect(),
        parameters: parameters(content, &text.language),
        resources: (content.resources.iter())
            .filter(|said| is_said(&said.languages, &text.language))
            .map(resource)
            .collect(),
        areas: content.areas.iter().map(area).collect(),
    }
}

fn area(area: &wire::Area) -> Area {
    let names = area.region_codes.iter().map(|code| named(code));
    let names = names.collect::<Vec<String>>().join(", ");
    let description = filled(&area.description).or_else(|| filled(&names));
    let codes = area.region_codes.iter();
    Area {
        description: description.unwrap_or_else(|| "-".into()),
        polygons: area
            .polygons
            .iter()
            .map(|ring| ring.points.iter().copied().map(degrees).collect())
            .collect(),
        circles: area
            .circles
            .iter()
            .map(|circle| {
                let (lat, lon) = degrees(circle.center.unwrap_or_default());
                let radius_km = f64::from(circle.radius_m) / 1000.0;
                Circle {
                    lat,
                    lon,
                    radius_km,
                }
            })
            .collect(),
        geocodes: codes.map(|code| value(GEOCODE, code)).collect(),
        altitude_ft: None,
        ceiling_ft: None,
    }
}

/// Returns a region's name, with that of its kab/kota when it lies in one: a kecamatan's name alone is no place.
pub(crate) fn named(code: &str) -> String {
    let Some(region) = region::find(code) else {
        return code.to_owned();
    };
    match region::regency_of(code).filter(|regency| regency.code != region.code) {
        Some(regency) => format!("{} ({})", region.name, regency.name),
        None => region.name.to_owned(),
    }
}

/// Says whether a text of a language says what those languages' texts say.
fn is_said(languages: &[String], language: &str) -> bool {
    languages.is_empty() || languages.iter().any(|said| said == language)
}

fn resource(said: &wire::Resource) -> Resource {
    Resource {
        description: filled(&said.description).unwrap_or_else(|| "-".into()),
        mime_type: filled(&said.mime_type).or_else(|| Some("application/octet-stream".into())),
        size: said.size_bytes,
        uri: filled(&said.uri).filter(|uri| !uri.contains(char::is_whitespace)),
        // What came with the message is not held.
        embedded: None,
        digest: filled(&said.digest),
    }
}

/// Returns the publisher's own parameters, then what is held in fields that CAP has not, under our names.
fn parameters(content: &wire::Content, language: &str) -> Vec<NamedValue> {
    let own = content.parameters.iter();
    let own = own.filter(|said| is_said(&said.languages, language));
    let mut parameters: Vec<NamedValue> = own
        .map(|said| value(&clean(&said.name), &clean(&said.value)))
        .collect();
    if let Some(earthquake) = &content.earthquake {
        parameters.extend(of_earthquake(earthquake));
    }
    if let Some(gauge) = &content.gauge {
        parameters.extend(of_gauge(gauge));
    }
    if let Some(volcano) = &content.volcano {
        let level = volcano.level().as_str_name();
        let level = level.trim_start_matches("VOLCANO_LEVEL_");
        parameters.extend(texts([("volcano", &volcano.name)]));
        parameters.push(value("volcano_level", &level.to_lowercase()));
        parameters.extend(moment("read_at", volcano.read_at.as_ref()));
    }
    parameters.extend(content.felt_places.iter().map(felt_place));
    parameters.extend(content.areas.iter().flat_map(of_area));
    parameters
}

fn of_earthquake(earthquake: &wire::Earthquake) -> Vec<NamedValue> {
    let hundredths = earthquake.magnitude_hundredths;
    let mut parameters = vec![
        value("magnitude", &(f64::from(hundredths) / 100.0).to_string()),
        value("depth_m", &earthquake.depth_m.to_string()),
    ];
    parameters.extend(moment("origin_time", earthquake.origin_time.as_ref()));
    let epicenter = earthquake.epicenter.map(degrees);
    parameters.extend(epicenter.map(|(lat, lon)| value("epicenter", &format!("{lat},{lon}"))));
    parameters.extend(texts([
        ("potential", &earthquake.potential),
        ("felt", &earthquake.felt),
    ]));
    parameters
}

fn of_gauge(gauge: &wire::GaugeReading) -> Vec<NamedValue> {
    let mut parameters = texts([("gauge", &gauge.station), ("river", &gauge.river)]);
    let level_cm = f64::from(gauge.level_mm) / 10.0;
    parameters.push(value("level_cm", &level_cm.to_string()));
    if gauge.siaga() != wire::Siaga::Unspecified {
        let siaga = gauge.siaga().as_str_name().trim_start_matches("SIAGA_");
        parameters.push(value("siaga", siaga));
    }
    parameters.extend(moment("read_at", gauge.read_at.as_ref()));
    parameters
}

/// Returns where an earthquake was felt, and how strongly on the MMI scale: `5-6 Cianjur (32.03)`.
fn felt_place(place: &wire::FeltPlace) -> NamedValue {
    let mut said = place.mmi_from.to_string();
    if place.mmi_to != place.mmi_from {
        said = format!("{said}-{}", place.mmi_to);
    }
    said = format!("{said} {}", clean(&place.name));
    if !place.region_code.is_empty() {
        said = format!("{said} ({})", place.region_code);
    }
    value("felt_mmi", said.trim())
}

/// Returns when something is expected in an area, and the area's own level: `32.75 2026-01-05T20:00:00+07:00`.
fn of_area(area: &wire::Area) -> Vec<NamedValue> {
    let place = if area.region_codes.is_empty() {
        clean(&area.description)
    } else {
        area.region_codes.join(",")
    };
    let arrival = area.arrival_at.as_ref().and_then(time);
    let arrival =
        arrival.map(|at| value("arrival_at", format!("{place} {}", at.to_rfc3339()).trim()));
    let level = filled(&area.level);
    let level = level.map(|level| value("area_level", format!("{place} {level}").trim()));
    arrival.into_iter().chain(level).collect()
}

fn moment(name: &str, at: Option<&prost_types::Timestamp>) -> Option<NamedValue> {
    let at = at.and_then(time)?;
    Some(value(name, &at.to_rfc3339()))
}

/// Returns the texts that say something, each under its name.
fn texts<const N: usize>(texts: [(&str, &str); N]) -> Vec<NamedValue> {
    let filled = texts
        .into_iter()
        .filter_map(|(name, text)| Some(value(name, &filled(text)?)));
    filled.collect()
}

fn value(name: &str, text: &str) -> NamedValue {
    NamedValue {
        name: name.to_owned(),
        value: text.to_owned(),
    }
}

fn reference(reference: &wire::Reference) -> Reference {
    Reference {
        sender: key(&reference.sender),
        identifier: key(&reference.identifier),
        sent: Some(
            reference
                .sent_at
                .as_ref()
                .and_then(time)
                .unwrap_or_default(),
        ),
    }
}

fn degrees(point: Point) -> (f64, f64) {
    region::Point::from(point).degrees()
}

/// Returns a time in Waktu Indonesia Barat, in whole seconds.
fn wib(at: Millis) -> DateTime<FixedOffset> {
    let utc = DateTime::<Utc>::from_timestamp(at.0.div_euclid(1000), 0).unwrap_or_default();
    let zone = FixedOffset::east_opt(7 * 3600);
    zone.map_or_else(|| utc.fixed_offset(), |zone| utc.with_timezone(&zone))
}

fn time<T>(at: T) -> Option<DateTime<FixedOffset>>
where
    Millis: TryFrom<T>,
{
    Millis::try_from(at).ok().map(wib)
}

/// Returns a text as a name of CAP's: what may not stand in one becomes an underscore.
fn key(text: &str) -> String {
    let mut key: String = text
        .trim()
        .chars()
        .map(|c| {
            let bad = c.is_whitespace() || c.is_control() || ",<&".contains(c);
            if bad { '_' } else { c }
        })
        .collect();
    while key.len() > KEY_BYTES {
        key.pop();
    }
    if key.is_empty() { "-".into() } else { key }
}

fn language(text: &str) -> String {
    let is_language = text.split('-').all(|part| {
        (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
    });
    if is_language {
        text.to_owned()
    } else {
        "id".into()
    }
}

fn filled(text: &str) -> Option<String> {
    Some(clean(text)).filter(|text| !text.is_empty())
}

/// Returns a text without what a document of XML cannot hold.
fn clean(text: &str) -> String {
    let kept = |c: char| match c {
        '\n' | '\t' => c,
        c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => ' ',
        c => c,
    };
    text.chars().map(kept).collect::<String>().trim().to_owned()
}

fn status(state: &WarningState) -> Status {
    match state.content.status() {
        _ if state.exercise => Status::Exercise,
        wire::AlertStatus::Actual | wire::AlertStatus::Unspecified => Status::Actual,
        wire::AlertStatus::Exercise => Status::Exercise,
        wire::AlertStatus::System => Status::System,
        wire::AlertStatus::Test => Status::Test,
        wire::AlertStatus::Draft => Status::Draft,
    }
}

fn urgency(urgency: wire::Urgency) -> Urgency {
    match urgency {
        wire::Urgency::Unspecified => Urgency::Unknown,
        wire::Urgency::Immediate => Urgency::Immediate,
        wire::Urgency::Expected => Urgency::Expected,
        wire::Urgency::Future => Urgency::Future,
        wire::Urgency::Past => Urgency::Past,
    }
}

fn severity(severity: wire::Severity) -> Severity {
    match severity {
        wire::Severity::Unspecified => Severity::Unknown,
        wire::Severity::Minor => Severity::Minor,
        wire::Severity::Moderate => Severity::Moderate,
        wire::Severity::Severe => Severity::Severe,
        wire::Severity::Extreme => Severity::Extreme,
    }
}

fn certainty(certainty: wire::Certainty) -> Certainty {
    match certainty {
        wire::Certainty::Unspecified => Certainty::Unknown,
        wire::Certainty::Observed => Certainty::Observed,
        wire::Certainty::Likely => Certainty::Likely,
        wire::Certainty::Possible => Certainty::Possible,
        wire::Certainty::Unlikely => Certainty::Unlikely,
    }
}

fn response_type(kind: wire::ResponseType) -> Option<ResponseType> {
    match kind {
        wire::ResponseType::Unspecified => None,
        wire::ResponseType::Shelter => Some(ResponseType::Shelter),
        wire::ResponseType::Evacuate => Some(ResponseType::Evacuate),
        wire::ResponseType::Prepare => Some(ResponseType::Prepare),
        wire::ResponseType::Execute => Some(ResponseType::Execute),
        wire::ResponseType::Avoid => Some(ResponseType::Avoid),
        wire::ResponseType::Monitor => Some(ResponseType::Monitor),
        wire::ResponseType::Assess => Some(ResponseType::Assess),
        wire::ResponseType::AllClear => Some(ResponseType::AllClear),
        wire::ResponseType::None => Some(ResponseType::None),
    }
}

/// Returns CAP's category of a hazard (CAP 1.2, section 3.2.2: floods are meteorological).
fn category(hazard: Hazard) -> Category {
    match hazard {
        Hazard::Flood
        | Hazard::FlashFlood
        | Hazard::CoastalFlood
        | Hazard::ExtremeWind
        | Hazard::StormSurge
        | Hazard::Drought
        | Hazard::ExtremeRain => Category::Met,
        Hazard::Landslide | Hazard::Earthquake | Hazard::Tsunami | Hazard::Volcano => Category::Geo,
        Hazard::Wildfire | Hazard::UrbanFire => Category::Fire,
        Hazard::Epidemic => Category::Health,
        Hazard::Industrial => Category::Cbrne,
        Hazard::Transport => Category::Transport,
        Hazard::Building => Category::Infra,
        Hazard::SocialConflict => Category::Security,
        Hazard::Population => Category::Safety,
        Hazard::Unspecified => Category::Other,
    }
}

#[cfg(test)]
mod tests {
    use posko_domain::{
        context::Recorded,
        warning::{WarningEvent, apply},
    };
    use posko_formats::{Level, cap};
    use posko_proto::Id;

    use super::*;

    fn recorded(version: u32) -> Recorded {
        Recorded {
            origin: "32".parse().unwrap(),
            at: Millis(1_767_589_500_000),
            occurred_at: Millis(1_767_589_500_000),
            actor: Id([1; 16]),
            exercise: false,
            version,
        }
    }

    fn warning(source: wire::Source, content: wire::Content) -> WarningState {
        let issued = wire::WarningIssued {
            source: source.into(),
            publisher: "PMI Provinsi Jawa Barat".into(),
            identifier: "posko.32.a b,c".into(),
            content: Some(content),
        };
        apply(None, &WarningEvent::Issued(issued), &recorded(1)).unwrap()
    }

    fn content() -> wire::Content {
        wire::Content {
            status: wire::AlertStatus::Actual.into(),
            hazard: Hazard::Flood.into(),
            severity: wire::Severity::Severe.into(),
            urgency: wire::Urgency::Expected.into(),
            certainty: wire::Certainty::Likely.into(),
            sent_at: Some(Millis(1_767_589_500_999).into()),
            expires_at: Some(Millis(1_767_632_400_000).into()),
            headline: " Siaga\u{1} banjir & <waspada> ".into(),
            description: "Air naik.".into(),
            language: "id".into(),
            web: "bukan alamat".into(),
            sender: "posko-32@uji".into(),
            areas: vec![wire::Area {
                region_codes: vec!["32.75".into(), "32.75.01".into()],
                ..wire::Area::default()
            }],
            texts: vec![wire::Text {
                language: "en".into(),
                headline: "Flood warning".into(),
                description: "Water rises.".into(),
                ..wire::Text::default()
            }],
            ..wire::Content::default()
        }
    }

    /// Writes a warning, and reads it back without a warning.
    fn written(state: &WarningState) -> (String, Alert) {
        let document = cap::write(&alert(state, "32".parse().unwrap()).unwrap()).unwrap();
        let read = cap::parse(document.as_bytes()).unwrap();
        assert!(!read.has_warnings(), "{:?}", read.notes);
        assert!(read.notes.iter().all(|note| note.level == Level::Info));
        (document, read.value)
    }

    #[test]
    fn an_own_warning_is_written_in_both_languages_with_its_regions_codes() {
        let (document, alert) = written(&warning(wire::Source::Own, content()));
        assert!(
            document.contains("<sent>2026-01-05T12:05:00+07:00</sent>"),
            "{document}"
        );
        assert_eq!(alert.identifier, "posko.32.a_b_c");
        assert_eq!((alert.msg_type, alert.note), (MsgType::Alert, None));
        let languages: Vec<_> = alert
            .infos
            .iter()
            .map(|info| (info.language.as_str(), info.event.as_str()))
            .collect();
        assert_eq!(languages, [("id", "Banjir"), ("en", "Flood")]);
        assert_eq!(
            alert.infos[0].headline.as_deref(),
            Some("Siaga  banjir & <waspada>")
        );
        assert_eq!(alert.infos[0].web, None);
        let area = &alert.infos[1].areas[0];
        assert!(
            area.description.starts_with("Kota Bekasi, ")
                && area.description.ends_with("(Kota Bekasi)")
        );
        assert_eq!(area.geocodes[0], value("Kemendagri", "32.75"));
    }

    #[test]
    fn a_warning_until_the_end_of_all_years_is_written_without_an_end() {
        let mut endless = content();
        endless.expires_at = Some(Millis(253_402_300_799_000).into());
        let (_, alert) = written(&warning(wire::Source::Cap, endless));
        assert_eq!(alert.infos[0].expires, None);
    }

    #[test]
    fn a_cancellation_refers_to_what_it_takes_back() {
        let mut state = warning(wire::Source::BmkgNowcast, content());
        state.cancelled = true;
        let (_, alert) = written(&state);
        assert_eq!(alert.msg_type, MsgType::Cancel);
        assert_eq!(alert.references[0].identifier, "posko.32.a_b_c");
        assert_eq!(alert.identifier, "posko.32.a_b_c.cancel");
        assert!(alert.note.unwrap().contains("bukan pesan asli"));
        state.cancelled_by.identifier = "2.49.0.9".into();
        assert_eq!(written(&state).1.identifier, "2.49.0.9");

        let mut own = warning(wire::Source::Own, content());
        own.cancelled = true;
        own.content.message_identifier = "posko.32.z".into();
        own.content.message_kind = wire::MessageKind::Cancel.into();
        own.content.references = vec![wire::Reference {
            sender: "posko-32@uji".into(),
            identifier: "posko.32.y".into(),
            sent_at: own.content.sent_at,
            warning_id: vec![7; 16],
        }];
        let (document, alert) = written(&own);
        assert_eq!(
            (alert.msg_type, alert.identifier.as_str()),
            (MsgType::Cancel, "posko.32.z")
        );
        assert!(document.contains(
            "<references>posko-32@uji,posko.32.y,2026-01-05T12:05:00+07:00</references>"
        ));
    }

    #[test]
    fn nothing_is_written_in_the_name_of_a_publisher_that_did_not_take_its_warning_back() {
        let mut state = warning(wire::Source::BmkgNowcast, content());
        state.cancelled = true;
        state.cancelled_by.account = Some(Id([7; 16]));
        let error = alert(&state, "32".parse().unwrap())
            .unwrap_err()
            .to_string();
        assert!(error.contains("taken back here by a person"), "{error}");
        state.source = wire::Source::Own;
        assert!(alert(&state, "32".parse().unwrap()).is_ok());
    }

    #[test]
    fn an_earthquake_without_an_area_is_written_with_its_parameters() {
        let earthquake = wire::Earthquake {
            origin_time: Some(Millis(1_669_011_669_000).into()),
            epicenter: Some(Point {
                latitude_microdegrees: -6_850_000,
                longitude_microdegrees: 107_030_000,
            }),
            magnitude_hundredths: 560,
            depth_m: 11_000,
            potential: String::new(),
            felt: "V-VI Cianjur".into(),
        };
        let state = warning(
            wire::Source::BmkgEarthquake,
            wire::Content {
                earthquake: Some(earthquake),
                areas: Vec::new(),
                texts: Vec::new(),
                sender: String::new(),
                expires_at: None,
                hazard: Hazard::Earthquake.into(),
                ..content()
            },
        );
        let (_, alert) = written(&state);
        assert_eq!(alert.sender, "PMI_Provinsi_Jawa_Barat");
        let parameters = &alert.infos[0].parameters;
        assert!(parameters.contains(&value("magnitude", "5.6")));
        assert!(parameters.contains(&value("epicenter", "-6.85,107.03")));
    }

    #[test]
    fn a_gauge_is_written_with_its_level_and_when_it_reaches_whom() {
        let mut content = content();
        let at = |millis: i64| Some(Millis(millis).into());
        content.gauge = Some(wire::GaugeReading {
            station: "Katulampa".into(),
            river: "Ciliwung".into(),
            level_mm: 2_105,
            siaga: wire::Siaga::I.into(),
            read_at: at(1_767_589_500_000),
        });
        content.areas[0].arrival_at = at(1_767_621_900_000);
        let (_, alert) = written(&warning(wire::Source::Gauge, content));
        let parameters = &alert.infos[0].parameters;
        for (name, said) in [
            ("gauge", "Katulampa"),
            ("river", "Ciliwung"),
            ("level_cm", "210.5"),
            ("siaga", "I"),
            ("read_at", "2026-01-05T12:05:00+07:00"),
            ("arrival_at", "32.75,32.75.01 2026-01-05T21:05:00+07:00"),
        ] {
            assert!(
                parameters.contains(&value(name, said)),
                "{name}: {parameters:?}"
            );
        }
    }

    #[test]
    fn what_a_publisher_says_in_its_own_codes_is_given_on_in_the_language_that_says_it() {
        let said = |name: &str, text: &str, languages: &[&str]| wire::Parameter {
            name: name.into(),
            value: text.into(),
            languages: languages.iter().map(ToString::to_string).collect(),
        };
        let content = wire::Content {
            response_types: vec![
                wire::ResponseType::Evacuate.into(),
                wire::ResponseType::AllClear.into(),
            ],
            event_codes: vec![wire::NamedCode {
                name: "SAME".into(),
                value: "FLW".into(),
            }],
            parameters: vec![
                said("TMA_cm", "210", &[]),
                said("jenis", "kiriman", &["id"]),
                said("jenis", "from upstream", &["en"]),
            ],
            resources: vec![wire::Resource {
                size_bytes: Some(5),
                embedded_sha256: vec![7; 32],
                languages: vec!["en".into()],
                ..wire::Resource::default()
            }],
            ..content()
        };
        let (_, alert) = written(&warning(wire::Source::Cap, content));
        let [indonesian, english] = alert.infos.as_slice() else {
            panic!("{:?}", alert.infos);
        };
        assert_eq!(
            english.response_types,
            [ResponseType::Evacuate, ResponseType::AllClear]
        );
        assert_eq!(indonesian.event_codes, [value("SAME", "FLW")]);
        assert_eq!(
            indonesian.parameters,
            [value("TMA_cm", "210"), value("jenis", "kiriman")]
        );
        assert_eq!(english.parameters[1], value("jenis", "from upstream"));
        assert!(indonesian.resources.is_empty());
        let resource = &english.resources[0];
        assert_eq!(
            (
                resource.description.as_str(),
                resource.size,
                &resource.embedded
            ),
            ("-", Some(5), &None)
        );
    }

    #[test]
    fn where_an_earthquake_was_felt_is_written_place_by_place() {
        let place = |name: &str, mmi_to: u32, region: &str| wire::FeltPlace {
            name: name.into(),
            mmi_from: 5,
            mmi_to,
            region_code: region.into(),
            candidates: Vec::new(),
        };
        let content = wire::Content {
            felt_places: vec![place("Cianjur", 6, "32.03"), place("Cugenang", 5, "")],
            ..content()
        };
        let (_, alert) = written(&warning(wire::Source::BmkgEarthquake, content));
        assert_eq!(
            alert.infos[1].parameters,
            [
                value("felt_mmi", "5-6 Cianjur (32.03)"),
                value("felt_mmi", "5 Cugenang")
            ]
        );
    }
}
