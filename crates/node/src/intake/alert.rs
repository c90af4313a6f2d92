//! CAP alerts of any publisher in our words.
//!
//! What replaces what is said by the alert itself: an Update ends the alerts that it refers to, a Cancel takes them back, each
//! of the same sender alone. A reference to what is not held is kept with the alert, and counts once that comes.
//! Ack and Error warn of nothing. Test, Exercise, Draft and System are shown as what they are, and end nothing.

use chrono::{DateTime, Utc};
use posko_domain::{
    region::{self, Point},
    warning::{LONGEST_SECONDS, Said, locate, reach, stream_of, stream_of_alert},
};
use posko_formats::{
    Read,
    bmkg::{MAX_AHEAD, nowcast_places, nowcast_province},
    cap::{self, Alert, Info, MsgType, Status},
    quote,
};
use posko_proto::{
    Id,
    common::v1::Hazard,
    time::Millis,
    warning::v1::{
        self as wire, AlertStatus, Area, AreaReach, Certainty, Circle, Content, MessageKind,
        NamedCode, Polygon, Reference, Severity, Source, Text, Urgency,
    },
};

use crate::intake::{
    PUBLISHER, Province,
    detail::write_details,
    earthquake::test_mark,
    province::{Mention, mentioned},
    wanted::{Effect, Judged, Wanted, millis, notes_of, shortened},
};

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
    ("gempa", Hazard::Earthquake),
    ("earthquake", Hazard::Earthquake),
    ("gunung api", Hazard::Volcano),
    ("erupsi", Hazard::Volcano),
    ("volcan", Hazard::Volcano),
    ("lahar", Hazard::Volcano),
    ("puting beliung", Hazard::ExtremeWind),
    ("angin", Hazard::ExtremeWind),
    ("wind", Hazard::ExtremeWind),
    ("tornado", Hazard::ExtremeWind),
    ("hurricane", Hazard::ExtremeWind),
    ("cyclone", Hazard::ExtremeWind),
    ("siklon", Hazard::ExtremeWind),
    ("storm surge", Hazard::StormSurge),
    ("storm", Hazard::ExtremeWind),
    ("abrasi", Hazard::StormSurge),
    ("gelombang", Hazard::StormSurge),
    ("wave", Hazard::StormSurge),
    ("banjir", Hazard::Flood),
    ("flood", Hazard::Flood),
    ("kekeringan", Hazard::Drought),
    ("drought", Hazard::Drought),
    ("kebakaran", Hazard::Wildfire),
    ("fire", Hazard::Wildfire),
    ("wabah", Hazard::Epidemic),
    ("epidemic", Hazard::Epidemic),
];

/// The most characters of a publisher's name, of a headline and of a text that the contract keeps.
const NAME: usize = 500;
const TEXT: usize = 20_000;

/// What is said of an element that the contract has no field for.
const UNKEPT: &str = "has no field of its own here, and is not kept";

/// What is said of a begin that lies too far ahead.
const FAR_BEGIN: &str = "lies more than a year after the alert was sent, and is not kept";
/// What is said of an end that lies too far ahead.
const FAR_END: &str =
    "lies more than a year after the alert was sent: it is taken to hold for a year";

/// Reads an alert: to be taken, of another area, or refused with the reason.
///
/// `is_nowcast` says that it comes from BMKG's own list, whatever its sender is called.
pub(super) fn judge(
    read: &Read<Alert>,
    is_nowcast: bool,
    provinces: &[Province],
    now: DateTime<Utc>,
) -> Judged {
    let alert = &read.value;
    // Refused before it becomes a command: a command's refusal is for good, and this one's time comes.
    if alert.sent.signed_duration_since(now) > MAX_AHEAD {
        let (identifier, sent) = (quote(&alert.identifier), alert.sent.to_rfc3339());
        let now = now.to_rfc3339();
        return Judged::Refused(format!(
            "alert `{identifier}` of `{sent}` lies more than `5` minutes after now, `{now}`"
        ));
    }
    if matches!(alert.msg_type, MsgType::Ack | MsgType::Error) {
        let (identifier, word) = (quote(&alert.identifier), alert.msg_type.word());
        let reason = format!("alert `{identifier}` is of type `{word}`, which warns of nothing");
        return if is_nowcast {
            Judged::Refused(reason)
        } else {
            Judged::Nothing(reason)
        };
    }
    let names = Names::of(alert, is_nowcast);
    if alert.msg_type == MsgType::Cancel {
        return judge_cancel(read, &names, provinces);
    }
    let said = match (names.source, nowcast_province(alert)) {
        (Source::BmkgNowcast, Ok(name)) => match mentioned(name) {
            Mention::Ours(province) if provinces.contains(&province) => Some(province),
            Mention::Ours(_) | Mention::Other => return Judged::Outside,
            // BMKG warns of more than the nowcast's provinces: the shapes say where.
            Mention::Unclear => None,
        },
        (Source::BmkgNowcast, Err(error)) if is_nowcast => {
            return Judged::Refused(error.to_string());
        }
        _ => None,
    };
    let Some(info) = chosen_info(alert) else {
        return Judged::Refused(format!("alert `{}` says nothing", quote(&alert.identifier)));
    };
    let mut content = content_of(read, info, said);
    if !is_ours(&content, provinces) {
        return Judged::Outside;
    }
    let Some(hazard) = hazard_of(info) else {
        return Judged::Refused(format!(
            "alert `{}` is of an event that has no kind here, `{}`",
            quote(&alert.identifier),
            quote(&info.event)
        ));
    };
    content.hazard = hazard.into();
    names.take(info, content, Effect::Warn)
}

fn judge_cancel(read: &Read<Alert>, names: &Names<'_>, provinces: &[Province]) -> Judged {
    let alert = &read.value;
    // A cancellation often has no area; what was never taken in here is then not found, which harms nobody.
    if names.source == Source::BmkgNowcast
        && let Ok(name) = nowcast_province(alert)
        && match mentioned(name) {
            Mention::Ours(province) => !provinces.contains(&province),
            Mention::Other => true,
            Mention::Unclear => false,
        }
    {
        return Judged::Outside;
    }
    if alert.references.is_empty() {
        return Judged::Refused(format!(
            "alert `{}` cancels without naming what",
            quote(&alert.identifier)
        ));
    }
    if alert.status != Status::Actual {
        return Judged::Nothing("a test or an exercise takes back nothing real".into());
    }
    let nothing = Info {
        language: String::new(),
        categories: Vec::new(),
        event: String::new(),
        response_types: Vec::new(),
        urgency: cap::Urgency::Unknown,
        severity: cap::Severity::Unknown,
        certainty: cap::Certainty::Unknown,
        audience: None,
        effective: None,
        onset: None,
        expires: None,
        sender_name: None,
        headline: None,
        description: None,
        instruction: None,
        web: None,
        event_codes: Vec::new(),
        parameters: Vec::new(),
        resources: Vec::new(),
        areas: Vec::new(),
    };
    let info = chosen_info(alert).unwrap_or(&nothing);
    let mut content = content_of(read, info, None);
    // What takes others back needs no end of its own, and is often sent with one that is past.
    (content.effective_at, content.expires_at) = (None, None);
    if !content.areas.is_empty() && !is_ours(&content, provinces) {
        return Judged::Outside;
    }
    content.hazard = hazard_of(info).unwrap_or_default().into();
    names.take(info, content, Effect::Cancel)
}

/// Says whether a warning is kept: it touches a province that is wanted, or nobody can tell where it is.
pub(super) fn is_ours(content: &Content, provinces: &[Province]) -> bool {
    let reach = reach(content);
    match reach.area {
        AreaReach::Outside => false,
        AreaReach::Unknown | AreaReach::Unspecified => true,
        AreaReach::Regions => reach.regencies.iter().any(|regency| {
            provinces
                .iter()
                .any(|province| regency.region.province() == province.code())
        }),
    }
}

/// By what an alert and those that it refers to are known.
struct Names<'a> {
    alert: &'a Alert,
    source: Source,
    stream: Id,
    is_nowcast: bool,
}

impl<'a> Names<'a> {
    fn of(alert: &'a Alert, is_nowcast: bool) -> Self {
        let (source, stream) = named(&alert.sender, &alert.identifier, is_nowcast);
        Self {
            alert,
            source,
            stream,
            is_nowcast,
        }
    }

    fn take(&self, info: &Info, mut content: Content, effect: Effect) -> Judged {
        content.references = self.references();
        let publisher = if self.source == Source::BmkgNowcast {
            PUBLISHER.to_owned()
        } else {
            let name = info.sender_name.as_deref().filter(|name| !name.is_empty());
            shortened(name.unwrap_or(&self.alert.sender), NAME)
        };
        Judged::of(Wanted {
            source: self.source,
            publisher,
            identifier: self.alert.identifier.clone(),
            stream: self.stream,
            content,
            effect,
        })
    }

    fn references(&self) -> Vec<Reference> {
        let references = self.alert.references.iter();
        references
            .map(|reference| {
                // CAP 1.0 names no sender: the alert's own is meant.
                let sender = if reference.sender.is_empty() {
                    &self.alert.sender
                } else {
                    &reference.sender
                };
                let (_, stream) = named(sender, &reference.identifier, self.is_nowcast);
                Reference {
                    sender: sender.clone(),
                    identifier: reference.identifier.clone(),
                    sent_at: reference.sent.map(|at| millis(&at).into()),
                    warning_id: stream.to_vec(),
                }
            })
            .collect()
    }
}

fn named(sender: &str, identifier: &str, is_nowcast: bool) -> (Source, Id) {
    if is_nowcast {
        let source = Source::BmkgNowcast;
        (source, stream_of(source, identifier))
    } else {
        stream_of_alert(sender, identifier)
    }
}

/// Returns the info in Bahasa Indonesia if there is one, else the first.
fn chosen_info(alert: &Alert) -> Option<&Info> {
    let indonesian = alert.infos.iter().find(|info| language_of(info) == "id");
    indonesian.or(alert.infos.first())
}

pub(super) fn language_of(info: &Info) -> String {
    info.language
        .split('-')
        .next()
        .unwrap_or_default()
        .to_lowercase()
}

/// Returns the hazard by the event's words, else by its category: its own words stay beside it, and a danger under a broad
/// name is better than none. A weather event in other words is extreme rain, the nowcast's usual subject.
fn hazard_of(info: &Info) -> Option<Hazard> {
    let event = info.event.to_lowercase();
    let named = EVENT_WORDS
        .iter()
        .find(|(words, _)| event.contains(words))
        .map(|(_, hazard)| *hazard);
    let of_category = |category: &cap::Category| match category {
        cap::Category::Met => Some(Hazard::ExtremeRain),
        cap::Category::Fire => Some(Hazard::UrbanFire),
        cap::Category::Health => Some(Hazard::Epidemic),
        cap::Category::Cbrne => Some(Hazard::Industrial),
        cap::Category::Transport => Some(Hazard::Transport),
        cap::Category::Infra => Some(Hazard::Building),
        cap::Category::Security => Some(Hazard::SocialConflict),
        cap::Category::Geo
        | cap::Category::Safety
        | cap::Category::Rescue
        | cap::Category::Env
        | cap::Category::Other => None,
    };
    named.or_else(|| info.categories.iter().find_map(of_category))
}

fn content_of(read: &Read<Alert>, info: &Info, province: Option<Province>) -> Content {
    let alert = &read.value;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let language = language_of(info);
    let (same, other): (Vec<&Info>, Vec<&Info>) = alert
        .infos
        .iter()
        .partition(|info| language_of(info) == language);
    // Of several parts the gravest counts, and all areas, from the first beginning to the last end.
    let severity = alert
        .infos
        .iter()
        .map(|info| severity_of(info.severity))
        .max();
    let begins = alert
        .infos
        .iter()
        .filter_map(|info| info.effective.or(info.onset));
    let begins = begins.map(|at| millis(&at)).min();
    let ends = alert.infos.iter().filter_map(|info| info.expires);
    let ends = ends.map(|at| millis(&at)).max();
    let mut notes = notes_of(&read.notes);
    notes.extend(not_kept(alert, same.len()));
    notes.extend(said_to_be_a_test(alert, info));
    let mut areas: Vec<Area> = Vec::new();
    let mut places = Places::default();
    for part in same.iter().chain(&other) {
        for area in &part.areas {
            let mut area = area_of(area, part, province, &mut places);
            if severity_of(part.severity) != severity.unwrap_or_default() {
                part.severity.word().clone_into(&mut area.level);
            }
            // Another language says the same again; what only it says counts too.
            if language_of(part) == language || reaches_further(&area, &areas) {
                areas.push(area);
            }
        }
    }
    notes.extend(places.not_looked_up());
    let latest = millis(&alert.sent).plus_seconds(LONGEST_SECONDS);
    let is_far = |at: Option<Millis>| at.is_some_and(|at| at > latest);
    notes.extend(is_far(begins).then(|| remark("alert/info/effective", 1, FAR_BEGIN)));
    notes.extend(is_far(ends).then(|| remark("alert/info/expires", 1, FAR_END)));
    let mut content = Content {
        status: status_of(alert.status).into(),
        hazard: 0,
        severity: severity.unwrap_or_default().into(),
        urgency: urgency_of(info.urgency).into(),
        certainty: certainty_of(info.certainty).into(),
        sent_at: Some(millis(&alert.sent).into()),
        effective_at: begins.filter(|at| *at <= latest).map(Into::into),
        // A danger until further notice stays one.
        expires_at: ends.map(|at| at.min(latest).into()),
        headline: text(&info.headline),
        description: text(&info.description),
        instruction: text(&info.instruction),
        language,
        web: text(&info.web),
        areas,
        event: info.event.clone(),
        message_kind: match alert.msg_type {
            MsgType::Update => MessageKind::Update,
            MsgType::Cancel => MessageKind::Cancel,
            MsgType::Alert | MsgType::Ack | MsgType::Error => MessageKind::Alert,
        }
        .into(),
        sender: alert.sender.clone(),
        notes,
        texts: texts_of(&other),
        code_set: posko_domain::region::CODE_SET.into(),
        ..Content::default()
    };
    write_details(&mut content, &[same, other].concat());
    content
}

/// Says whether an area touches a region that none of the others does.
fn reaches_further(area: &Area, others: &[Area]) -> bool {
    let known = |code: &String| {
        let mut codes = others.iter().flat_map(|other| &other.region_codes);
        codes.any(|other| region::within(code, other))
    };
    !area.region_codes.iter().all(known)
}

/// Returns a note where the publisher's words say that it is a test or an exercise and its status does not.
fn said_to_be_a_test(alert: &Alert, info: &Info) -> Option<wire::Note> {
    if alert.status != Status::Actual {
        return None;
    }
    let headline = info.headline.as_deref().unwrap_or_default();
    let (_, said) = test_mark(&format!("{headline} {}", info.event))?;
    let text = format!("says `{said}`, and the status of the alert is `Actual`");
    Some(remark("alert/info/headline", 1, &text))
}

/// Returns what the alert says in other languages, each once.
fn texts_of(infos: &[&Info]) -> Vec<Text> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let mut texts: Vec<Text> = Vec::new();
    for info in infos {
        let language = language_of(info);
        if texts.iter().all(|text| text.language != language) {
            texts.push(Text {
                language,
                event: info.event.clone(),
                headline: text(&info.headline),
                description: text(&info.description),
                instruction: text(&info.instruction),
                web: text(&info.web),
            });
        }
    }
    texts.sort_by(|a, b| a.language.cmp(&b.language));
    texts
}

fn remark(path: &str, count: usize, text: &str) -> wire::Note {
    wire::Note {
        kind: wire::NoteKind::Remark.into(),
        path: path.into(),
        count: u32::try_from(count).unwrap_or(u32::MAX),
        text: text.into(),
    }
}

/// Counts and names what the standard has and the contract has no field for.
fn not_kept(alert: &Alert, parts: usize) -> Vec<wire::Note> {
    let mut notes = Vec::new();
    let mut note = |path: &str, count: usize, text: &str| {
        if count > 0 {
            notes.push(remark(path, count, text));
        }
    };
    let some = |text: &Option<String>| usize::from(text.is_some());
    note("alert/source", some(&alert.source), UNKEPT);
    note("alert/restriction", some(&alert.restriction), UNKEPT);
    note("alert/code", alert.codes.len(), UNKEPT);
    note("alert/note", some(&alert.note), UNKEPT);
    note("alert/incidents", alert.incidents.len(), UNKEPT);
    let count = |of: fn(&Info) -> usize| alert.infos.iter().map(of).sum::<usize>();
    note(
        "alert/info/category",
        count(|info| info.categories.len()),
        UNKEPT,
    );
    note(
        "alert/info/audience",
        count(|info| usize::from(info.audience.is_some())),
        UNKEPT,
    );
    note(
        "alert/info/onset",
        count(|info| usize::from(info.onset.is_some() && info.effective.is_some())),
        UNKEPT,
    );
    let areas = || alert.infos.iter().flat_map(|info| &info.areas);
    note(
        "alert/info/area/altitude",
        areas().filter(|area| area.altitude_ft.is_some()).count(),
        UNKEPT,
    );
    note(
        "alert/info/area/ceiling",
        areas().filter(|area| area.ceiling_ft.is_some()).count(),
        UNKEPT,
    );
    if parts > 1 {
        let text = "parts in one language are one warning here: of all areas, as grave as the gravest, and until the last end";
        note("alert/info", parts, text);
    }
    notes
}

/// How many names of places an alert has had looked up, and how many it has had not.
#[derive(Default)]
struct Places {
    taken: usize,
    left_out: usize,
}

impl Places {
    /// The most names of places of one alert that are looked up.
    const LIMIT: usize = 1_000;

    /// Takes as many of the names as may still be looked up.
    fn take<Name>(&mut self, mut names: Vec<Name>) -> Vec<Name> {
        let room = Self::LIMIT - self.taken;
        self.left_out += names.len().saturating_sub(room);
        names.truncate(room);
        self.taken += names.len();
        names
    }

    fn not_looked_up(&self) -> Option<wire::Note> {
        (self.left_out > 0).then(|| {
            let text = "names more places than the `1000` that are looked up";
            remark("alert/info/area", self.left_out, text)
        })
    }
}

fn area_of(area: &cap::Area, info: &Info, province: Option<Province>, places: &mut Places) -> Area {
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
    let geocodes = area.geocodes.iter().map(|code| NamedCode {
        name: code.name.clone(),
        value: code.value.clone(),
    });
    let mut read = Area {
        description: shortened(&area.description, TEXT),
        polygons: polygons.collect(),
        circles: circles.collect(),
        geocodes: geocodes.collect(),
        ..Area::default()
    };
    let is_bare = read.polygons.is_empty() && read.circles.is_empty() && read.geocodes.is_empty();
    let names = match province {
        Some(_) => prose_names(info.description.as_deref().unwrap_or_default()),
        // Where there is nothing else, the area's own words are all that says where it is.
        None if is_bare => listed_names(&area.description),
        None => Vec::new(),
    };
    locate(
        &mut read,
        &Said {
            province: province.map(Province::code),
            names: places.take(names),
        },
    );
    read
}

/// Returns the kecamatan that BMKG's prose names, with the kab/kota under which it lists them.
fn prose_names(description: &str) -> Vec<(String, Option<String>)> {
    let mut names = Vec::new();
    for group in nowcast_places(description) {
        for name in group.names {
            let place = (shortened(&name, NAME), group.within.clone());
            if !names.contains(&place) {
                names.push(place);
            }
        }
    }
    names
}

fn listed_names(description: &str) -> Vec<(String, Option<String>)> {
    let pieces = description.split([',', ';', '\n']).map(str::trim);
    pieces
        .filter(|name| !name.is_empty())
        .map(|name| (shortened(name, NAME), None))
        .collect()
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
