//! What may be asked of a warning, read from the wire or taken from a feed.

use posko_proto::{
    Id,
    common::v1::Hazard,
    time::Millis,
    warning::v1::{
        AlertStatus, Area, CancelWarningRequest, Certainty, Channel, Content, DismissReason,
        DismissReportRequest, Earthquake, MessageKind, RecordWarningRequest, ResponseType,
        Severity, Source, Urgency,
    },
};

use crate::{
    code, privacy,
    region::{self, check_point},
    text::{PLAIN, is_plain},
    warning::{WarningRejection, area::locate_all},
    wire::shown,
};

const HEADLINE_CHARACTERS: usize = 500;
const TEXT_CHARACTERS: usize = 20_000;
const NAME_CHARACTERS: usize = 500;
const AREAS: usize = 1_000;
const POINTS: usize = 50_000;
/// Half of the earth's circumference, in meters: no circle is wider.
const LARGEST_RADIUS_M: u32 = 20_037_508;
const CODES: usize = 1_000;
/// Notes on a document: its reader gives 200 at most, and what has no field of its own adds a few dozen.
const NOTES: usize = 400;
const REFERENCES: usize = 1_000;
const PLACES: usize = 1_000;
const TEXTS: usize = 20;
const NOTE_CHARACTERS: usize = 4_000;

/// How long after it is sent a warning may begin and end to hold, in seconds: a leap year.
pub const LONGEST_SECONDS: i64 = 366 * 24 * 60 * 60;
/// The most of the publisher's codes for an event, and of its parameters, that are kept.
pub const PARAMETERS: usize = 100;
/// The most characters of the name of a code or a parameter.
pub const PARAMETER_NAME: usize = 200;
/// The most characters of a code or of a parameter's value.
pub const PARAMETER_VALUE: usize = 1_000;
/// The most pictures, sounds and documents of a warning that are kept.
pub const RESOURCES: usize = 20;
/// The most characters of what a resource is called, of its media type and of its hash.
pub const RESOURCE_TEXT: usize = 500;
/// The most characters of a resource's address.
pub const RESOURCE_URI: usize = 2_000;

/// The host of BMKG, by which every feed of BMKG's is known, also one that is read from a mirror of it.
pub const BMKG_HOST: &str = "bmkg.go.id";

/// What may be asked of a warning.
#[derive(Debug, Clone, PartialEq)]
pub enum WarningCommand {
    /// Take it in, first or again.
    Take {
        /// Where it came from.
        source: Source,
        /// Who is to be credited.
        publisher: String,
        /// The publisher's own id of it.
        identifier: String,
        /// What it says.
        content: Content,
    },
    /// Take it back.
    Cancel(Ending),
    /// Take it back here, by a person's own word: its publisher did not.
    TakeBack {
        /// Why, in words.
        note: String,
    },
    /// End it, because a newer one of its publisher stands in its place.
    Replace {
        /// The newer one.
        by: Id,
        /// The message that says so.
        ending: Ending,
    },
    /// Take a report in, which nobody has verified yet.
    Report {
        /// Who told it: an office, never a person.
        reporter: String,
        /// The id by which the same report is known again.
        identifier: String,
        /// What it says.
        content: Content,
        /// What was told, in words.
        text: Option<String>,
    },
    /// Say that a report leads to nothing.
    Dismiss {
        /// Why.
        reason: DismissReason,
        /// More, in words.
        note: Option<String>,
    },
}

/// The message that ends a warning; a person's word needs none of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ending {
    /// The publisher's id of the message, or empty.
    pub identifier: String,
    /// The host whose feed brought it; empty when a person did.
    pub carried_by: String,
    /// When it was sent; none where nothing says.
    pub sent: Option<Millis>,
}

impl WarningCommand {
    /// Says whether it promises or gives up what there is only one of, and so waits while a start is unproven: a
    /// warning never does.
    pub fn is_scarce(&self) -> bool {
        match self {
            Self::Take { .. }
            | Self::Cancel(_)
            | Self::TakeBack { .. }
            | Self::Replace { .. }
            | Self::Report { .. }
            | Self::Dismiss { .. } => false,
        }
    }

    /// Returns what it says, where it takes something in.
    pub fn content(&self) -> Option<&Content> {
        match self {
            Self::Take { content, .. } | Self::Report { content, .. } => Some(content),
            Self::Cancel(_)
            | Self::TakeBack { .. }
            | Self::Replace { .. }
            | Self::Dismiss { .. } => None,
        }
    }

    /// Returns the texts that a person wrote, or a publisher.
    pub fn texts(&self) -> Vec<&str> {
        match self {
            Self::Take {
                publisher, content, ..
            } => [publisher.as_str()]
                .into_iter()
                .chain(words_of(content))
                .collect(),
            Self::Report { reporter, text, .. } => [reporter.as_str()]
                .into_iter()
                .chain(text.as_deref())
                .collect(),
            Self::Dismiss { note, .. } => note.as_deref().into_iter().collect(),
            Self::TakeBack { note } => vec![note],
            Self::Cancel(_) | Self::Replace { .. } => Vec::new(),
        }
    }

    /// Reads a warning taken from a feed, with every check that needs no clock.
    pub fn take(
        source: Source,
        publisher: &str,
        identifier: &str,
        content: Content,
    ) -> Result<Self, WarningRejection> {
        let command = Self::Take {
            source,
            publisher: publisher.into(),
            identifier: identifier.into(),
            content,
        };
        check(&command)?;
        Ok(command)
    }

    /// Reads a warning typed in by a person; an empty identifier becomes the command's id.
    pub fn parse_record(
        request: &RecordWarningRequest,
        command_id: Id,
    ) -> Result<Self, WarningRejection> {
        let Some(content) = request.content.clone() else {
            return Err(WarningRejection::invalid("content", "", "it must be given"));
        };
        // Where it holds is found out here, whatever the asker says of that, and of no more than may be kept.
        check_content(&content)?;
        let is_placed = |area: &Area| {
            let shapes = area.polygons.len() + area.circles.len();
            shapes + area.region_codes.len() + area.geocodes.len() > 0
                || !area.description.trim().is_empty()
        };
        if !content.areas.iter().any(is_placed) {
            let expected = "where it holds must be given: a region, a shape or words";
            return Err(WarningRejection::invalid("content.areas", "", expected));
        }
        let mut content = Content {
            carried_by: String::new(),
            ..content
        };
        locate_all(&mut content);
        let made = command_id.to_string();
        let identifier = if request.identifier.is_empty() {
            &made
        } else {
            &request.identifier
        };
        Self::take(Source::Manual, &request.publisher, identifier, content)
    }
}

impl TryFrom<&CancelWarningRequest> for WarningCommand {
    type Error = WarningRejection;

    fn try_from(request: &CancelWarningRequest) -> Result<Self, WarningRejection> {
        let command = Self::TakeBack {
            note: request.note.trim().into(),
        };
        check(&command)?;
        Ok(command)
    }
}

impl TryFrom<&DismissReportRequest> for WarningCommand {
    type Error = WarningRejection;

    fn try_from(request: &DismissReportRequest) -> Result<Self, WarningRejection> {
        let command = Self::Dismiss {
            reason: known("reason", request.reason)?,
            note: Some(request.note.clone()).filter(|note| !note.is_empty()),
        };
        check(&command)?;
        Ok(command)
    }
}

/// Returns what a content says in words: of what is coming, what to do and where, in each of its languages.
pub fn words_of(content: &Content) -> impl Iterator<Item = &str> {
    let first = [
        &content.event,
        &content.headline,
        &content.description,
        &content.instruction,
    ];
    let others = (content.texts.iter()).flat_map(|text| {
        [
            &text.event,
            &text.headline,
            &text.description,
            &text.instruction,
        ]
    });
    let areas = content.areas.iter().map(|area| &area.description);
    (first.into_iter().chain(others).chain(areas)).map(String::as_str)
}

/// Checks what a command says, apart from times that need a clock.
pub(super) fn check(command: &WarningCommand) -> Result<(), WarningRejection> {
    match command {
        WarningCommand::Take {
            source,
            publisher,
            identifier,
            content,
        } => {
            // What is own goes the way of drafts, and a report waits to be verified.
            if matches!(source, Source::Unspecified | Source::Own | Source::Report) {
                let expected = "it must be given";
                return Err(WarningRejection::invalid("source", "unspecified", expected));
            }
            name("publisher", publisher)?;
            name("identifier", identifier)?;
            check_carrier(*source, &content.carried_by)?;
            check_content(content)
        }
        WarningCommand::Report {
            reporter,
            identifier,
            content,
            text,
        } => {
            name("reporter", reporter)?;
            name("identifier", identifier)?;
            known::<Channel>("channel", content.channel)?;
            specified("channel", content.channel() == Channel::Unspecified)?;
            text.as_ref()
                .map_or(Ok(()), |text| within("text", text, NOTE_CHARACTERS))?;
            check_content(content)
        }
        WarningCommand::Dismiss { reason, note } => {
            specified("reason", *reason == DismissReason::Unspecified)?;
            note.as_ref()
                .map_or(Ok(()), |note| within("note", note, NOTE_CHARACTERS))
        }
        WarningCommand::TakeBack { note } => {
            if note.trim().is_empty() {
                return Err(WarningRejection::invalid(
                    "note",
                    "",
                    "it must not be empty",
                ));
            }
            within("note", note, NOTE_CHARACTERS)
        }
        WarningCommand::Cancel(_) | WarningCommand::Replace { .. } => Ok(()),
    }
}

/// Refuses what says that it is BMKG's and comes by a feed that is not.
pub fn check_carrier(source: Source, carried_by: &str) -> Result<(), WarningRejection> {
    let is_bmkg = match source {
        Source::BmkgNowcast | Source::BmkgEarthquake | Source::BmkgTsunami => true,
        Source::Unspecified
        | Source::Manual
        | Source::Cap
        | Source::Gauge
        | Source::Volcano
        | Source::Own
        | Source::Report => false,
    };
    if is_bmkg && !["", BMKG_HOST].contains(&carried_by) {
        return Err(WarningRejection::NotBmkg {
            carried_by: code::excerpt(carried_by),
        });
    }
    within("content.carried_by", carried_by, NAME_CHARACTERS)
}

/// Checks what a warning says, apart from times that need a clock, before anybody looks up where it holds.
pub fn check_content(content: &Content) -> Result<(), WarningRejection> {
    let status: AlertStatus = known("content.status", content.status)?;
    specified("content.status", status == AlertStatus::Unspecified)?;
    let hazard: Hazard = known("content.hazard", content.hazard)?;
    // A message that takes others back need not say of what kind they were.
    let is_cancel = content.message_kind() == MessageKind::Cancel;
    specified(
        "content.hazard",
        hazard == Hazard::Unspecified && !is_cancel,
    )?;
    known::<Severity>("content.severity", content.severity)?;
    known::<Urgency>("content.urgency", content.urgency)?;
    known::<Certainty>("content.certainty", content.certainty)?;

    let sent = time("content.sent_at", content.sent_at.as_ref())?;
    let sent = sent.ok_or(WarningRejection::invalid(
        "content.sent_at",
        "",
        "it must be given",
    ))?;
    let effective = time("content.effective_at", content.effective_at.as_ref())?.unwrap_or(sent);
    let expires = time("content.expires_at", content.expires_at.as_ref())?;
    if let Some(expires) = expires.filter(|at| *at <= effective) {
        return Err(WarningRejection::EndsBeforeItBegins { effective, expires });
    }
    let ends = ("content.expires_at", expires.unwrap_or(effective));
    for (field, at) in [("content.effective_at", effective), ends] {
        if at > sent.plus_seconds(LONGEST_SECONDS) {
            let expected = "at most a year after it is sent";
            return Err(WarningRejection::invalid(field, shown(at), expected));
        }
    }

    within("content.headline", &content.headline, HEADLINE_CHARACTERS)?;
    within("content.description", &content.description, TEXT_CHARACTERS)?;
    within("content.instruction", &content.instruction, TEXT_CHARACTERS)?;
    within("content.language", &content.language, 35)?;
    within("content.web", &content.web, 2_000)?;
    within("content.event", &content.event, NAME_CHARACTERS)?;
    check_areas(content)?;
    check_lists(content)?;
    check_details(content)?;
    content.earthquake.as_ref().map_or(Ok(()), check_earthquake)
}

/// Refuses more of something than may be kept.
fn at_most(
    field: &'static str,
    count: usize,
    limit: usize,
    expected: &'static str,
) -> Result<(), WarningRejection> {
    if count > limit {
        Err(WarningRejection::invalid(field, count, expected))
    } else {
        Ok(())
    }
}

/// Checks what comes beside the publisher's own words and areas.
fn check_lists(content: &Content) -> Result<(), WarningRejection> {
    at_most(
        "content.notes",
        content.notes.len(),
        NOTES,
        "at most 400 notes",
    )?;
    at_most(
        "content.references",
        content.references.len(),
        REFERENCES,
        "at most 1,000 references",
    )?;
    at_most(
        "content.felt_places",
        content.felt_places.len(),
        PLACES,
        "at most 1,000 places",
    )?;
    at_most(
        "content.texts",
        content.texts.len(),
        TEXTS,
        "at most 20 languages",
    )?;
    within("content.sender", &content.sender, 1_024)?;
    if !is_plain(&content.sender) {
        return Err(WarningRejection::invalid("content.sender", "…", PLAIN));
    }
    within(
        "content.message_identifier",
        &content.message_identifier,
        1_024,
    )?;
    for text in &content.texts {
        within("content.texts.language", &text.language, 35)?;
        within("content.texts.event", &text.event, NAME_CHARACTERS)?;
        within(
            "content.texts.headline",
            &text.headline,
            HEADLINE_CHARACTERS,
        )?;
        within(
            "content.texts.description",
            &text.description,
            TEXT_CHARACTERS,
        )?;
        within(
            "content.texts.instruction",
            &text.instruction,
            TEXT_CHARACTERS,
        )?;
        within("content.texts.web", &text.web, 2_000)?;
    }
    for note in &content.notes {
        within("content.notes.path", &note.path, 2_000)?;
        within("content.notes.text", &note.text, 2_000)?;
    }
    for area in &content.areas {
        at_most(
            "content.areas.names",
            area.names.len(),
            PLACES,
            "at most 1,000 names an area",
        )?;
        at_most(
            "content.areas.geocodes",
            area.geocodes.len(),
            PLACES,
            "at most 1,000 codes an area",
        )?;
        time("content.areas.arrival_at", area.arrival_at.as_ref())?;
    }
    Ok(())
}

/// Checks what a publisher says in its own codes, of which nothing may lead to a person.
fn check_details(content: &Content) -> Result<(), WarningRejection> {
    const TYPES: usize = 9;
    let count = content.response_types.len();
    at_most("content.response_types", count, TYPES, "each kind once")?;
    for kind in &content.response_types {
        let kind: ResponseType = known("content.response_types", *kind)?;
        specified("content.response_types", kind == ResponseType::Unspecified)?;
    }
    let count = content.event_codes.len();
    at_most(
        "content.event_codes",
        count,
        PARAMETERS,
        "at most 100 codes",
    )?;
    for code in &content.event_codes {
        detail("content.event_codes.name", &code.name, PARAMETER_NAME)?;
        detail("content.event_codes.value", &code.value, PARAMETER_VALUE)?;
    }
    let count = content.parameters.len();
    at_most(
        "content.parameters",
        count,
        PARAMETERS,
        "at most 100 values",
    )?;
    for said in &content.parameters {
        detail("content.parameters.name", &said.name, PARAMETER_NAME)?;
        detail("content.parameters.value", &said.value, PARAMETER_VALUE)?;
        check_languages("content.parameters.languages", &said.languages)?;
    }
    let count = content.resources.len();
    at_most(
        "content.resources",
        count,
        RESOURCES,
        "at most 20 resources",
    )?;
    for said in &content.resources {
        for (field, text, limit) in [
            (
                "content.resources.description",
                &said.description,
                RESOURCE_TEXT,
            ),
            (
                "content.resources.mime_type",
                &said.mime_type,
                RESOURCE_TEXT,
            ),
            ("content.resources.uri", &said.uri, RESOURCE_URI),
            ("content.resources.digest", &said.digest, RESOURCE_TEXT),
        ] {
            detail(field, text, limit)?;
        }
        if ![0, 32].contains(&said.embedded_sha256.len()) {
            let field = "content.resources.embedded_sha256";
            let length = format!("{} bytes", said.embedded_sha256.len());
            return Err(WarningRejection::invalid(
                field,
                length,
                "a hash of 32 bytes",
            ));
        }
        check_languages("content.resources.languages", &said.languages)?;
    }
    Ok(())
}

fn check_languages(field: &'static str, languages: &[String]) -> Result<(), WarningRejection> {
    at_most(field, languages.len(), TEXTS + 1, "each language once")?;
    languages
        .iter()
        .try_for_each(|language| within(field, language, 35))
}

/// Checks a value of a publisher's own, which is not repeated in a refusal.
fn detail(field: &'static str, text: &str, limit: usize) -> Result<(), WarningRejection> {
    within(field, text, limit)?;
    if privacy::leads_to_person(text) {
        let expected = "a value without a telephone number, a NIK or an address of mail";
        return Err(WarningRejection::invalid(field, "…", expected));
    }
    Ok(())
}

fn check_areas(content: &Content) -> Result<(), WarningRejection> {
    at_most(
        "content.areas",
        content.areas.len(),
        AREAS,
        "at most 1,000 areas",
    )?;
    let circles = content.areas.iter().map(|area| area.circles.len()).sum();
    at_most(
        "content.areas.circles",
        circles,
        AREAS,
        "at most 1,000 circles in all",
    )?;
    let polygons = || content.areas.iter().flat_map(|area| &area.polygons);
    at_most(
        "content.areas.polygons",
        polygons().count(),
        AREAS,
        "at most 1,000 polygons in all",
    )?;
    let points = polygons().map(|polygon| polygon.points.len()).sum();
    at_most(
        "content.areas.polygons",
        points,
        POINTS,
        "at most 50,000 points in all",
    )?;
    for area in &content.areas {
        within(
            "content.areas.description",
            &area.description,
            TEXT_CHARACTERS,
        )?;
        at_most(
            "content.areas.region_codes",
            area.region_codes.len(),
            CODES,
            "at most 1,000 codes an area",
        )?;
        for code in &area.region_codes {
            region::parse(code)?;
        }
        for polygon in &area.polygons {
            let points = &polygon.points;
            if points.len() < 4 || points.first() != points.last() {
                let expected = "a ring has at least four points, and the last equals the first";
                let length = format!("{} points", points.len());
                return Err(WarningRejection::invalid(
                    "content.areas.polygons",
                    length,
                    expected,
                ));
            }
            for point in points {
                check_point("content.areas.polygons.points", *point)?;
            }
        }
        for circle in &area.circles {
            let center = circle.center.ok_or(WarningRejection::invalid(
                "content.areas.circles.center",
                "",
                "it must be given",
            ))?;
            check_point("content.areas.circles.center", center)?;
            if circle.radius_m > LARGEST_RADIUS_M {
                let expected = "no circle on earth is wider than 20,037,508 m";
                return Err(WarningRejection::invalid(
                    "content.areas.circles.radius_m",
                    circle.radius_m,
                    expected,
                ));
            }
        }
    }
    Ok(())
}

fn check_earthquake(earthquake: &Earthquake) -> Result<(), WarningRejection> {
    let origin = time(
        "content.earthquake.origin_time",
        earthquake.origin_time.as_ref(),
    )?;
    origin.ok_or(WarningRejection::invalid(
        "content.earthquake.origin_time",
        "",
        "it must be given",
    ))?;
    if let Some(epicenter) = earthquake.epicenter {
        check_point("content.earthquake.epicenter", epicenter)?;
    }
    if !(-200..=1_000).contains(&earthquake.magnitude_hundredths) {
        let expected = "a magnitude lies within -2.00 and 10.00, in hundredths";
        let field = "content.earthquake.magnitude_hundredths";
        return Err(WarningRejection::invalid(
            field,
            earthquake.magnitude_hundredths,
            expected,
        ));
    }
    if earthquake.depth_m > 1_000_000 {
        let expected = "no earthquake is deeper than 1,000,000 m";
        return Err(WarningRejection::invalid(
            "content.earthquake.depth_m",
            earthquake.depth_m,
            expected,
        ));
    }
    within(
        "content.earthquake.potential",
        &earthquake.potential,
        TEXT_CHARACTERS,
    )?;
    within("content.earthquake.felt", &earthquake.felt, TEXT_CHARACTERS)
}

pub(super) fn time(
    field: &'static str,
    at: Option<&prost_types::Timestamp>,
) -> Result<Option<Millis>, WarningRejection> {
    let parse = |at: &prost_types::Timestamp| {
        let expected = "a time within the years 1 to 9999";
        Millis::try_from(at)
            .map_err(|_| WarningRejection::invalid(field, format!("{} s", at.seconds), expected))
    };
    at.map(parse).transpose()
}

fn known<T: TryFrom<i32>>(field: &'static str, value: i32) -> Result<T, WarningRejection> {
    T::try_from(value)
        .map_err(|_| WarningRejection::invalid(field, value, "no value known to this version"))
}

pub(super) fn specified(field: &'static str, unspecified: bool) -> Result<(), WarningRejection> {
    if unspecified {
        Err(WarningRejection::invalid(
            field,
            "unspecified",
            "it must be given",
        ))
    } else {
        Ok(())
    }
}

/// Checks by what something is known or called: on one line, as it is seen.
fn name(field: &'static str, text: &str) -> Result<(), WarningRejection> {
    named(field, text)?;
    if is_plain(text) {
        Ok(())
    } else {
        Err(WarningRejection::invalid(field, "…", PLAIN))
    }
}

pub(super) fn named(field: &'static str, text: &str) -> Result<(), WarningRejection> {
    if text.trim().is_empty() {
        return Err(WarningRejection::invalid(field, "", "it must not be empty"));
    }
    within(field, text, NAME_CHARACTERS)
}

fn within(field: &'static str, text: &str, limit: usize) -> Result<(), WarningRejection> {
    let characters = text.chars().count();
    if characters > limit {
        Err(WarningRejection::TooLong {
            field,
            characters,
            limit,
        })
    } else {
        Ok(())
    }
}
