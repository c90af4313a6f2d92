//! What may be asked of an incident, read from the wire at the door: nothing behind it sees an unchecked field.

use posko_proto::{
    Id, NodeId,
    common::v1::Hazard,
    incident::v1::{
        ActivateIncidentRequest, AddNoteRequest, AgeBand, AnswerInWords, CloseIncidentRequest,
        EndOperationRequest, Figure, FigureSource, IncidentAssessed, IncidentAttached, Measure,
        RecordImpactRequest, RejectIncidentRequest, RejectReason, ReportChannel,
        ReportIncidentRequest, Scale, Severity, Sex, VerifyIncidentRequest,
    },
    time::Millis,
    warning::v1::AlertStatus,
};

use crate::{
    incident::{Change, Imported, IncidentRejection, NOTE_CHARACTERS, rule},
    people::largest_part,
    region::{self, Place, PlaceError},
    warning::WarningState,
};

/// The largest count that a figure may have.
pub(super) const LARGEST_COUNT: u64 = 1_000_000_000;

/// What may be asked of an incident.
#[derive(Debug, Clone, PartialEq)]
pub enum IncidentCommand {
    /// Open one.
    Report {
        /// Its kind.
        hazard: Hazard,
        /// Where it is.
        place: Place,
        /// The first judgement; unspecified when not judged yet.
        severity: Severity,
        /// How the report came.
        channel: ReportChannel,
        /// The warning that it is opened from.
        warning: Option<WarningRef>,
        /// A first log note.
        note: Option<String>,
    },
    /// Confirm it.
    Verify {
        /// Who confirmed it.
        source: FigureSource,
    },
    /// Say that it is false, or the same as another.
    Reject {
        /// The other.
        duplicate_of: Option<Id>,
        /// Why it is false; unspecified when none is given.
        reason: RejectReason,
        /// The reason in words.
        note: Option<String>,
    },
    /// Activate response teams.
    Activate {
        /// PMI's scale.
        scale: Scale,
    },
    /// Set impact figures.
    RecordImpact {
        /// The counts; at least one, and of each measure, sex and age one.
        figures: Vec<CountOf>,
        /// Who gave them.
        source: FigureSource,
        /// The time that they describe; none means now.
        as_of: Option<Millis>,
        /// Whether they replace what the same source said for the same time, or a later one.
        correction: bool,
        /// The assessment whose answers give them.
        assessment: Option<Id>,
    },
    /// Write a log note.
    Note {
        /// The note.
        text: String,
    },
    /// Attach a file.
    Attach {
        /// The file and what it is.
        attached: IncidentAttached,
        /// What it shows, as a note of its own.
        caption: Option<String>,
    },
    /// Say that the operation is over.
    EndOperation,
    /// Close it.
    Close {
        /// Whether it may be closed although something of it is still open.
        confirmed: bool,
    },
    /// Take a published record of the past, or what it says now.
    Import {
        /// What it says.
        imported: Box<Imported>,
        /// Its free text.
        note: Option<String>,
    },
    /// Change one thing about it.
    Change {
        /// What.
        change: Change,
        /// Why, or the wording of an objective or a need.
        note: Option<String>,
    },
    /// Hand a rapid assessment in.
    Assess {
        /// What was answered with data; a place and a time that are left out are filled in.
        assessed: IncidentAssessed,
        /// What was answered in words.
        words: Vec<AnswerInWords>,
    },
}

/// A count of an impact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountOf {
    /// What is counted.
    pub measure: Measure,
    /// The number.
    pub count: u64,
    /// Whom it counts; unspecified counts everybody.
    pub sex: Sex,
    /// Whom it counts; unspecified counts all ages.
    pub age_band: AgeBand,
}

/// The warning that an incident is opened from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WarningRef {
    /// Its owner.
    pub origin: NodeId,
    /// Its stream.
    pub id: Id,
    /// Its CAP status.
    pub status: AlertStatus,
    /// Its kind.
    pub hazard: Hazard,
    /// Whether it may raise another incident at the same place.
    pub confirmed: bool,
}

/// Returns the warning that the request names, for the door to look up before it parses the request.
pub fn warning_named(
    request: &ReportIncidentRequest,
) -> Result<Option<(NodeId, Id)>, IncidentRejection> {
    let (origin, id) = (&request.warning_origin, &request.warning_id);
    if origin.is_empty() && id.is_empty() {
        return Ok(None);
    }
    let expected = "a warning is named by its owner such as `32` and its id of 16 bytes";
    let origin = origin
        .parse()
        .map_err(|_| IncidentRejection::invalid("warning_origin", short(origin), expected))?;
    let id = Id::try_from(id.as_slice());
    let id = id.map_err(|error| IncidentRejection::invalid("warning_id", error, expected))?;
    Ok(Some((origin, id)))
}

impl IncidentCommand {
    /// Says whether it promises or gives up what there is only one of, and so waits while a start is unproven.
    /// A report does not: its number skips to the next thousand instead, and people are told at once.
    pub fn is_scarce(&self) -> bool {
        match self {
            Self::Report { .. }
            | Self::Verify { .. }
            | Self::Reject { .. }
            | Self::Activate { .. }
            | Self::RecordImpact { .. }
            | Self::Note { .. }
            | Self::Attach { .. }
            | Self::EndOperation
            | Self::Close { .. }
            | Self::Import { .. }
            | Self::Change { .. }
            | Self::Assess { .. } => false,
        }
    }

    /// Returns the texts that a person wrote.
    pub fn texts(&self) -> Vec<&str> {
        match self {
            Self::Report { note, .. }
            | Self::Reject { note, .. }
            | Self::Import { note, .. }
            | Self::Change { note, .. }
            | Self::Attach { caption: note, .. } => note.as_deref().into_iter().collect(),
            Self::Note { text } => vec![text],
            Self::Assess { words, .. } => words.iter().map(|word| word.text.as_str()).collect(),
            Self::Verify { .. }
            | Self::Activate { .. }
            | Self::RecordImpact { .. }
            | Self::EndOperation
            | Self::Close { .. } => Vec::new(),
        }
    }

    /// Reads a report.
    /// `warning` is the state of the warning that [`warning_named`] found in it; `node` is the node that is asked.
    /// A missing hazard is the warning's, a missing place the only one that the warning names in the node's province.
    pub fn parse_report(
        request: &ReportIncidentRequest,
        warning: Option<&WarningState>,
        node: NodeId,
    ) -> Result<Self, IncidentRejection> {
        let named = match (warning_named(request)?, warning) {
            (None, _) => None,
            (Some((origin, id)), None) => {
                return Err(IncidentRejection::UnknownWarning { origin, id });
            }
            (Some((origin, id)), Some(state)) => {
                let (status, hazard) = (state.content.status(), state.content.hazard());
                Some((
                    WarningRef {
                        origin,
                        id,
                        status,
                        hazard,
                        confirmed: request.confirmed,
                    },
                    state,
                ))
            }
        };
        let hazard = match (known::<Hazard>("hazard", request.hazard)?, &named) {
            (Hazard::Unspecified, Some((warning, _))) => warning.hazard,
            (hazard, _) => hazard,
        };
        let hazard = specified("hazard", hazard, hazard == Hazard::Unspecified)?;
        let place = match (&request.place, &named) {
            (Some(place), _) => Place::parse_within(place)?,
            (None, Some((_, state))) => only_place(state, node)?,
            (None, None) => {
                return Err(IncidentRejection::invalid("place", "", "a place is needed"));
            }
        };
        let sent: ReportChannel = known("channel", request.channel)?;
        if sent == ReportChannel::Warning && named.is_none() {
            let expected =
                "a report that came by a warning names it in `warning_origin` and `warning_id`";
            return Err(IncidentRejection::invalid(
                "channel",
                sent.as_str_name(),
                expected,
            ));
        }
        let unsaid = sent == ReportChannel::Unspecified;
        let channel = if unsaid && named.is_some() {
            ReportChannel::Warning
        } else {
            specified("channel", sent, unsaid)?
        };
        Ok(Self::Report {
            hazard,
            place,
            severity: known("severity", request.severity)?,
            channel,
            warning: named.map(|(warning, _)| warning),
            note: optional_note(&request.note)?,
        })
    }
}

impl TryFrom<&VerifyIncidentRequest> for IncidentCommand {
    type Error = IncidentRejection;

    fn try_from(request: &VerifyIncidentRequest) -> Result<Self, IncidentRejection> {
        Ok(Self::Verify {
            source: source(request.source)?,
        })
    }
}

impl TryFrom<&RejectIncidentRequest> for IncidentCommand {
    type Error = IncidentRejection;

    fn try_from(request: &RejectIncidentRequest) -> Result<Self, IncidentRejection> {
        let reason = known("reason", request.reason)?;
        let note = optional_note(&request.note)?;
        if request.duplicate_of.is_empty() {
            if reason == RejectReason::Unspecified && note.is_none() {
                let expected = "why it is false is needed, as a reason or in words";
                return Err(IncidentRejection::invalid(
                    "reason",
                    "unspecified",
                    expected,
                ));
            }
            return Ok(Self::Reject {
                duplicate_of: None,
                reason,
                note,
            });
        }
        let other = Id::try_from(request.duplicate_of.as_slice()).map_err(|error| {
            IncidentRejection::invalid("duplicate_of", error, "an incident's id of 16 bytes")
        })?;
        if request.incident_id == request.duplicate_of {
            return Err(IncidentRejection::invalid(
                "duplicate_of",
                other,
                "an incident is no duplicate of itself",
            ));
        }
        if reason != RejectReason::Unspecified {
            let expected = "a duplicate is not false: `duplicate_of` or `reason`, not both";
            return Err(IncidentRejection::invalid(
                "reason",
                reason.as_str_name(),
                expected,
            ));
        }
        Ok(Self::Reject {
            duplicate_of: Some(other),
            reason,
            note,
        })
    }
}

impl TryFrom<&ActivateIncidentRequest> for IncidentCommand {
    type Error = IncidentRejection;

    fn try_from(request: &ActivateIncidentRequest) -> Result<Self, IncidentRejection> {
        let scale: Scale = given("scale", request.scale)?;
        Ok(Self::Activate { scale })
    }
}

impl TryFrom<&RecordImpactRequest> for IncidentCommand {
    type Error = IncidentRejection;

    fn try_from(request: &RecordImpactRequest) -> Result<Self, IncidentRejection> {
        let figures = counts(&request.figures)?;
        if figures.is_empty() {
            return Err(IncidentRejection::invalid(
                "figures",
                "",
                "at least one figure is needed",
            ));
        }
        Ok(Self::RecordImpact {
            figures,
            source: source(request.source)?,
            as_of: rule::optional_time("as_of", request.as_of.as_ref())?,
            correction: request.correction,
            assessment: rule::optional_id("assessment_id", &request.assessment_id)?,
        })
    }
}

/// Reads counts: of each measure, sex and age one, and no part larger than its whole.
pub(super) fn counts(sent: &[Figure]) -> Result<Vec<CountOf>, IncidentRejection> {
    let mut figures: Vec<CountOf> = Vec::new();
    for figure in sent {
        let figure = count_of(figure)?;
        let same = |other: &CountOf| {
            (other.measure, other.sex, other.age_band)
                == (figure.measure, figure.sex, figure.age_band)
        };
        if figures.iter().any(same) {
            let expected = "each measure may stand once for a sex and an age";
            return Err(IncidentRejection::invalid(
                "figures.measure",
                figure.measure.as_str_name(),
                expected,
            ));
        }
        figures.push(figure);
    }
    parts_fit(&figures)?;
    Ok(figures)
}

/// Reads a count; only people have a sex and an age.
fn count_of(figure: &Figure) -> Result<CountOf, IncidentRejection> {
    let measure: Measure = given("figures.measure", figure.measure)?;
    if figure.count > LARGEST_COUNT {
        return Err(IncidentRejection::invalid(
            "figures.count",
            figure.count,
            "at most 1,000,000,000",
        ));
    }
    let (sex, age_band): (Sex, AgeBand) = (
        known("figures.sex", figure.sex)?,
        known("figures.age_band", figure.age_band)?,
    );
    let of_some = sex != Sex::Unspecified || age_band != AgeBand::Unspecified;
    if of_some && !counts_people(measure) {
        let expected = "only a count of people has a sex or an age";
        return Err(IncidentRejection::invalid(
            "figures.measure",
            measure.as_str_name(),
            expected,
        ));
    }
    Ok(CountOf {
        measure,
        count: figure.count,
        sex,
        age_band,
    })
}

pub(super) fn counts_people(measure: Measure) -> bool {
    matches!(
        measure,
        Measure::Dead
            | Measure::Missing
            | Measure::InjuredSevere
            | Measure::InjuredModerate
            | Measure::InjuredSlight
            | Measure::Injured
            | Measure::Sick
            | Measure::Affected
            | Measure::Displaced
            | Measure::Isolated
    )
}

/// Parts that are given with their whole are not more than it.
fn parts_fit(figures: &[CountOf]) -> Result<(), IncidentRejection> {
    let whole = |figure: &&CountOf| {
        figure.sex == Sex::Unspecified && figure.age_band == AgeBand::Unspecified
    };
    for whole in figures.iter().filter(whole) {
        let of_whole = figures.iter().filter(|part| part.measure == whole.measure);
        let parts = of_whole.map(|part| (part.sex, part.age_band, part.count));
        if largest_part(parts) > whole.count {
            return Err(IncidentRejection::invalid(
                "figures.count",
                whole.count,
                "the whole is at least the sum of its parts by sex or age",
            ));
        }
    }
    Ok(())
}

impl TryFrom<&AddNoteRequest> for IncidentCommand {
    type Error = IncidentRejection;

    fn try_from(request: &AddNoteRequest) -> Result<Self, IncidentRejection> {
        Ok(Self::Note {
            text: note("text", &request.text)?,
        })
    }
}

impl TryFrom<&EndOperationRequest> for IncidentCommand {
    type Error = IncidentRejection;

    fn try_from(_: &EndOperationRequest) -> Result<Self, IncidentRejection> {
        Ok(Self::EndOperation)
    }
}

impl TryFrom<&CloseIncidentRequest> for IncidentCommand {
    type Error = IncidentRejection;

    fn try_from(request: &CloseIncidentRequest) -> Result<Self, IncidentRejection> {
        Ok(Self::Close {
            confirmed: request.confirmed,
        })
    }
}

/// The only place that the warning names in the node's province; where it names several kecamatan of one kab/kota alone,
/// that is it.
fn only_place(state: &WarningState, node: NodeId) -> Result<Place, IncidentRejection> {
    let codes = state
        .content
        .areas
        .iter()
        .flat_map(|area| &area.region_codes);
    let mut own: Vec<&str> = codes
        .map(String::as_str)
        .filter(|code| region::within(code, node.as_str()))
        .collect();
    own.sort_unstable();
    own.dedup();
    if own.len() > 1
        && let Some(regency) = own.first().and_then(|code| region::regency_of(code))
        && own.iter().all(|code| region::within(code, regency.code))
    {
        own = vec![regency.code];
    }
    let [code] = own.as_slice() else {
        let expected =
            "a place is needed, since the warning does not name just one of this province";
        return Err(IncidentRejection::invalid("place", own.join(" "), expected));
    };
    let region = region::parse(code).map_err(|source| PlaceError::Unknown {
        field: "place.region_code",
        source,
    })?;
    Ok(Place::of(region))
}

pub(super) fn known<T: TryFrom<i32>>(
    field: &'static str,
    value: i32,
) -> Result<T, IncidentRejection> {
    T::try_from(value)
        .map_err(|_| IncidentRejection::invalid(field, value, "no value known to this version"))
}

/// Reads an enum that must be given.
pub(super) fn given<T: TryFrom<i32>>(
    field: &'static str,
    value: i32,
) -> Result<T, IncidentRejection> {
    specified(field, known(field, value)?, value == 0)
}

fn specified<T>(field: &'static str, value: T, unspecified: bool) -> Result<T, IncidentRejection> {
    if unspecified {
        Err(IncidentRejection::invalid(
            field,
            "unspecified",
            "it must be given",
        ))
    } else {
        Ok(value)
    }
}

fn source(value: i32) -> Result<FigureSource, IncidentRejection> {
    given("source", value)
}

/// Reads the note that may come with a command.
pub(super) fn optional_note(text: &str) -> Result<Option<String>, IncidentRejection> {
    optional_text("note", text)
}

/// Reads a free text that may come with a command.
pub(super) fn optional_text(
    field: &'static str,
    text: &str,
) -> Result<Option<String>, IncidentRejection> {
    (!text.is_empty()).then(|| note(field, text)).transpose()
}

/// Reads a note.
pub(super) fn note(field: &'static str, text: &str) -> Result<String, IncidentRejection> {
    let characters = text.chars().count();
    if characters > NOTE_CHARACTERS {
        let length = format!("{characters} characters");
        return Err(IncidentRejection::invalid(
            field,
            length,
            "at most 4,000 characters",
        ));
    }
    if text.trim().is_empty() {
        return Err(IncidentRejection::invalid(
            field,
            "",
            "it must not be empty",
        ));
    }
    Ok(text.into())
}

fn short(text: &str) -> String {
    text.chars().take(64).collect()
}
