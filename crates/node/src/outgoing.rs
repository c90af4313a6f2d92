//! Warnings on their way out: as documents of CAP 1.2.
//!
//! What it never does: say more than is held. Of another publisher's warning it says that this is a copy from a log.

use chrono::{DateTime, FixedOffset, Utc};
use posko_domain::{
    hazard, region,
    warning::{WarningState, draft::message_identifier},
};
use posko_formats::cap::{
    Alert, Area, Category, Certainty, Circle, Info, MsgType, NamedValue, Reference, Scope,
    Severity, Status, Urgency, Version,
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

/// Returns the alert that says what a warning says.
pub(crate) fn alert(state: &WarningState, origin: NodeId) -> Alert {
    let content = &state.content;
    let is_own = state.source == wire::Source::Own;
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
        (key(&format!("{message}.cancel")), wib(state.recorded_at))
    } else {
        (message, sent)
    };
    let msg_type = match content.message_kind() {
        _ if state.cancelled => MsgType::Cancel,
        wire::MessageKind::Update if !references.is_empty() => MsgType::Update,
        _ => MsgType::Alert,
    };
    Alert {
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
    }
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
    let expires = content.expires_at.as_ref().and_then(time);
    Info {
        language,
        categories: vec![category(hazard)],
        event,
        response_types: Vec::new(),
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
        event_codes: Vec::new(),
        parameters: content
            .earthquake
            .as_ref()
            .map(parameters)
            .unwrap_or_default(),
        resources: Vec::new(),
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

fn parameters(earthquake: &wire::Earthquake) -> Vec<NamedValue> {
    let hundredths = earthquake.magnitude_hundredths;
    let mut parameters = vec![
        value("magnitude", &(f64::from(hundredths) / 100.0).to_string()),
        value("depth_m", &earthquake.depth_m.to_string()),
    ];
    let origin = earthquake.origin_time.as_ref().and_then(time);
    parameters.extend(origin.map(|at| value("origin_time", &at.to_rfc3339())));
    let epicenter = earthquake.epicenter.map(degrees);
    parameters.extend(epicenter.map(|(lat, lon)| value("epicenter", &format!("{lat},{lon}"))));
    let texts = [
        ("potential", &earthquake.potential),
        ("felt", &earthquake.felt),
    ];
    let filled = texts
        .into_iter()
        .filter_map(|(name, text)| Some((name, filled(text)?)));
    parameters.extend(filled.map(|(name, text)| value(name, &text)));
    parameters
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
        let document = cap::write(&alert(state, "32".parse().unwrap())).unwrap();
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
    fn a_cancellation_refers_to_what_it_takes_back() {
        let mut state = warning(wire::Source::BmkgNowcast, content());
        state.cancelled = true;
        let (_, alert) = written(&state);
        assert_eq!(alert.msg_type, MsgType::Cancel);
        assert_eq!(alert.references[0].identifier, "posko.32.a_b_c");
        assert_eq!(alert.identifier, "posko.32.a_b_c.cancel");
        assert!(alert.note.unwrap().contains("bukan pesan asli"));

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
}
