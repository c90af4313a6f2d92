//! BMKG's weather nowcast: the RSS list, and what its CAP alerts say in our words.

use chrono::{DateTime, Utc};
use posko_domain::{region::Point, warning::WarningCommand};
use posko_formats::{
    bmkg::{MAX_AHEAD, NowcastLink, nowcast_province},
    cap::{self, Alert, Info, MsgType, Status},
};
use posko_proto::{
    common::v1::Hazard,
    time::Millis,
    warning::v1::{
        AlertStatus, Area, Certainty, Circle, Content, Polygon, Severity, Source, Urgency,
    },
};

use crate::intake::{Judged, PUBLISHER, Province, Take};

/// What a CAP event is called, in lower case, and the hazard that it is; the first that fits counts.
const EVENT_WORDS: &[(&str, Hazard)] = &[
    ("tsunami", Hazard::Tsunami),
    ("banjir bandang", Hazard::FlashFlood),
    ("flash flood", Hazard::FlashFlood),
    ("banjir rob", Hazard::CoastalFlood),
    ("banjir pesisir", Hazard::CoastalFlood),
    ("coastal flood", Hazard::CoastalFlood),
    ("longsor", Hazard::Landslide),
    ("landslide", Hazard::Landslide),
    ("hujan", Hazard::ExtremeRain),
    ("rain", Hazard::ExtremeRain),
    ("petir", Hazard::ExtremeRain),
    ("thunder", Hazard::ExtremeRain),
    ("puting beliung", Hazard::ExtremeWind),
    ("angin", Hazard::ExtremeWind),
    ("wind", Hazard::ExtremeWind),
    ("gelombang", Hazard::StormSurge),
    ("wave", Hazard::StormSurge),
    ("banjir", Hazard::Flood),
    ("flood", Hazard::Flood),
    ("kekeringan", Hazard::Drought),
    ("drought", Hazard::Drought),
    ("kebakaran", Hazard::Wildfire),
    ("fire", Hazard::Wildfire),
];

/// Returns where to fetch an alert, always on the list's own host, so that a list cannot send the node elsewhere.
///
/// A link to another host is read as the file of that name beside the list: so a mirror serves what it holds.
pub(super) fn alert_url(list: &str, link: &NowcastLink<'_>) -> String {
    let after_scheme = list.find("://").map_or(0, |at| at + 3);
    let (scheme, rest) = list.split_at(after_scheme);
    let rest = rest.split('?').next().unwrap_or_default();
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    if link.host.eq_ignore_ascii_case(host) {
        let link_path = link
            .url
            .split_once("://")
            .and_then(|(_, rest)| rest.split_once('/'))
            .map_or("", |(_, path)| path);
        return format!("{scheme}{host}/{link_path}");
    }
    let folder = match path.rsplit_once('/') {
        Some((folder, file)) if file.contains('.') => folder,
        None if path.contains('.') => "",
        _ => path.trim_end_matches('/'),
    };
    if folder.is_empty() {
        format!("{scheme}{host}/{}", link.file)
    } else {
        format!("{scheme}{host}/{folder}/{}", link.file)
    }
}

/// Reads an alert: to be taken, of another province, or refused with the reason.
pub(super) fn judge(document: &[u8], provinces: &[Province], now: DateTime<Utc>) -> Judged {
    let alert = match cap::parse(document) {
        Ok(read) => read.value,
        Err(error) => return Judged::Refused(error.to_string()),
    };
    // Refused before it becomes a command: a command's refusal is for good, and this one's time comes.
    if alert.sent.signed_duration_since(now) > MAX_AHEAD {
        let (identifier, sent) = (&alert.identifier, alert.sent.to_rfc3339());
        let now = now.to_rfc3339();
        return Judged::Refused(format!(
            "alert `{identifier}` of `{sent}` lies more than `5` minutes after now, `{now}`"
        ));
    }
    if alert.msg_type == MsgType::Cancel {
        return judge_cancel(&alert, provinces);
    }
    if matches!(alert.msg_type, MsgType::Ack | MsgType::Error) {
        let (identifier, word) = (&alert.identifier, alert.msg_type.word());
        return Judged::Refused(format!(
            "alert `{identifier}` is of type `{word}`, which warns of nothing"
        ));
    }
    let name = match nowcast_province(&alert) {
        Ok(name) => name,
        Err(error) => return Judged::Refused(error.to_string()),
    };
    let Some(province) = Province::find(name).filter(|province| provinces.contains(province))
    else {
        return Judged::Outside;
    };
    let Some(info) = chosen_info(&alert) else {
        return Judged::Refused(format!("alert `{}` says nothing", alert.identifier));
    };
    let Some(hazard) = hazard_of(info) else {
        return Judged::Refused(format!(
            "alert `{}` is of an event that has no kind here, `{}`",
            alert.identifier, info.event
        ));
    };
    let content = content_of(&alert, info, hazard, province);
    match WarningCommand::take(Source::BmkgNowcast, PUBLISHER, subject(&alert), content) {
        Ok(command) => Judged::Take(Box::new(Take::of(
            Source::BmkgNowcast,
            subject(&alert),
            command,
        ))),
        Err(error) => Judged::Refused(error.to_string()),
    }
}

fn judge_cancel(alert: &Alert, provinces: &[Province]) -> Judged {
    // A cancellation often has no area; what was never taken in here is then not found, which harms nobody.
    if let Ok(name) = nowcast_province(alert)
        && !Province::find(name).is_some_and(|province| provinces.contains(&province))
    {
        return Judged::Outside;
    }
    if alert.references.is_empty() {
        return Judged::Refused(format!(
            "alert `{}` cancels without naming what",
            alert.identifier
        ));
    }
    // A test or an exercise takes back nothing real.
    if alert.status != Status::Actual {
        return Judged::Nothing;
    }
    Judged::Take(Box::new(Take::of(
        Source::BmkgNowcast,
        subject(alert),
        WarningCommand::Cancel,
    )))
}

/// Returns the identifier of the warning that an alert is about: the earliest that it refers to, else its own.
///
/// An exercise or a test never changes what it refers to, which may be real.
fn subject(alert: &Alert) -> &str {
    let earliest = alert
        .references
        .iter()
        .min_by_key(|reference| reference.sent);
    match earliest {
        Some(reference) if alert.status == Status::Actual => &reference.identifier,
        _ => &alert.identifier,
    }
}

/// Returns the info in Bahasa Indonesia if there is one, else the first.
fn chosen_info(alert: &Alert) -> Option<&Info> {
    let indonesian = alert.infos.iter().find(|info| language_of(info) == "id");
    indonesian.or(alert.infos.first())
}

fn language_of(info: &Info) -> String {
    info.language
        .split('-')
        .next()
        .unwrap_or_default()
        .to_lowercase()
}

/// Returns the hazard by the event's words. A weather event in other words is extreme rain, the nowcast's usual subject:
/// its own words stay beside it, and a danger under a broad name is better than none.
fn hazard_of(info: &Info) -> Option<Hazard> {
    let event = info.event.to_lowercase();
    let named = EVENT_WORDS
        .iter()
        .find(|(words, _)| event.contains(words))
        .map(|(_, hazard)| *hazard);
    named.or_else(|| {
        info.categories
            .contains(&cap::Category::Met)
            .then_some(Hazard::ExtremeRain)
    })
}

fn content_of(alert: &Alert, info: &Info, hazard: Hazard, province: Province) -> Content {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    Content {
        status: status_of(alert.status).into(),
        hazard: hazard.into(),
        severity: severity_of(info.severity).into(),
        urgency: urgency_of(info.urgency).into(),
        certainty: certainty_of(info.certainty).into(),
        sent_at: Some(millis(alert.sent).into()),
        effective_at: info.effective.or(info.onset).map(|at| millis(at).into()),
        expires_at: info.expires.map(|at| millis(at).into()),
        headline: text(&info.headline),
        description: text(&info.description),
        instruction: text(&info.instruction),
        language: language_of(info),
        web: text(&info.web),
        areas: info
            .areas
            .iter()
            .map(|area| area_of(area, province))
            .collect(),
        earthquake: None,
        event: info.event.clone(),
        ..Content::default()
    }
}

fn area_of(area: &cap::Area, province: Province) -> Area {
    let polygons = area.polygons.iter().map(|ring| {
        let mut points: Vec<_> = ring
            .iter()
            .map(|(lat, lon)| Point::from_degrees(*lat, *lon).into())
            .collect();
        // Ends within a billionth of a degree are the same place to the publisher; here they must be equal.
        if let (Some(first), Some(last)) = (points.first().copied(), points.last_mut()) {
            *last = first;
        }
        Polygon { points }
    });
    let circles = area.circles.iter().map(|circle| Circle {
        center: Some(Point::from_degrees(circle.lat, circle.lon).into()),
        radius_m: (circle.radius_km * 1000.0).round() as u32,
    });
    Area {
        description: area.description.clone(),
        region_codes: vec![province.code().into()],
        polygons: polygons.collect(),
        circles: circles.collect(),
    }
}

fn millis(time: chrono::DateTime<chrono::FixedOffset>) -> Millis {
    Millis(time.timestamp_millis())
}

fn status_of(status: Status) -> AlertStatus {
    match status {
        Status::Actual => AlertStatus::Actual,
        Status::Exercise => AlertStatus::Exercise,
        Status::System => AlertStatus::System,
        Status::Test => AlertStatus::Test,
        Status::Draft => AlertStatus::Draft,
    }
}

fn severity_of(severity: cap::Severity) -> Severity {
    match severity {
        cap::Severity::Extreme => Severity::Extreme,
        cap::Severity::Severe => Severity::Severe,
        cap::Severity::Moderate => Severity::Moderate,
        cap::Severity::Minor => Severity::Minor,
        cap::Severity::Unknown => Severity::Unspecified,
    }
}

fn urgency_of(urgency: cap::Urgency) -> Urgency {
    match urgency {
        cap::Urgency::Immediate => Urgency::Immediate,
        cap::Urgency::Expected => Urgency::Expected,
        cap::Urgency::Future => Urgency::Future,
        cap::Urgency::Past => Urgency::Past,
        cap::Urgency::Unknown => Urgency::Unspecified,
    }
}

fn certainty_of(certainty: cap::Certainty) -> Certainty {
    match certainty {
        cap::Certainty::Observed => Certainty::Observed,
        cap::Certainty::Likely => Certainty::Likely,
        cap::Certainty::Possible => Certainty::Possible,
        cap::Certainty::Unlikely => Certainty::Unlikely,
        cap::Certainty::Unknown => Certainty::Unspecified,
    }
}
