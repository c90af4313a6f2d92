//! What may be asked of an incident, read from the wire at the door: nothing behind it sees an unchecked field.

use posko_proto::{
    Id, NodeId,
    common::v1::Hazard,
    incident::v1::{
        ActivateIncidentRequest, AddNoteRequest, CloseIncidentRequest, EndOperationRequest, Figure,
        FigureSource, Measure, RecordImpactRequest, RejectIncidentRequest, ReportChannel,
        ReportIncidentRequest, Scale, Severity, VerifyIncidentRequest,
    },
    time::Millis,
    warning::v1::AlertStatus,
};

use crate::{
    incident::{IncidentRejection, NOTE_CHARACTERS},
    region::{self, Place, PlaceError},
    warning::WarningState,
};

/// The largest count that a figure may have.
const LARGEST_COUNT: u64 = 1_000_000_000;

/// What may be asked of an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    },
    /// Activate response teams.
    Activate {
        /// PMI's scale.
        scale: Scale,
    },
    /// Set impact figures.
    RecordImpact {
        /// A count a measure; at least one, and each measure once.
        figures: Vec<(Measure, u64)>,
        /// Who gave them.
        source: FigureSource,
        /// The time that they describe; none means now.
        as_of: Option<Millis>,
    },
    /// Write a log note.
    Note {
        /// The note.
        text: String,
    },
    /// Say that the operation is over.
    EndOperation,
    /// Close it.
    Close,
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
            | Self::EndOperation
            | Self::Close => false,
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
            (Some(place), _) => Place::parse(place)?,
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
            note: (!request.note.is_empty())
                .then(|| note("note", &request.note))
                .transpose()?,
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
        if request.duplicate_of.is_empty() {
            return Ok(Self::Reject { duplicate_of: None });
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
        Ok(Self::Reject {
            duplicate_of: Some(other),
        })
    }
}

impl TryFrom<&ActivateIncidentRequest> for IncidentCommand {
    type Error = IncidentRejection;

    fn try_from(request: &ActivateIncidentRequest) -> Result<Self, IncidentRejection> {
        let scale: Scale = known("scale", request.scale)?;
        Ok(Self::Activate {
            scale: specified("scale", scale, scale == Scale::Unspecified)?,
        })
    }
}

impl TryFrom<&RecordImpactRequest> for IncidentCommand {
    type Error = IncidentRejection;

    fn try_from(request: &RecordImpactRequest) -> Result<Self, IncidentRejection> {
        let mut figures: Vec<(Measure, u64)> = Vec::new();
        for Figure { measure, count } in &request.figures {
            let measure: Measure = known("figures.measure", *measure)?;
            let measure = specified("figures.measure", measure, measure == Measure::Unspecified)?;
            if *count > LARGEST_COUNT {
                return Err(IncidentRejection::invalid(
                    "figures.count",
                    count,
                    "at most 1,000,000,000",
                ));
            }
            if figures.iter().any(|(other, _)| *other == measure) {
                let expected = "each measure may stand once";
                return Err(IncidentRejection::invalid(
                    "figures.measure",
                    measure.as_str_name(),
                    expected,
                ));
            }
            figures.push((measure, *count));
        }
        if figures.is_empty() {
            return Err(IncidentRejection::invalid(
                "figures",
                "",
                "at least one figure is needed",
            ));
        }
        let as_of = request.as_of.as_ref().map(Millis::try_from).transpose();
        let as_of = as_of.map_err(|_| {
            let sent = request.as_of.map(|at| at.seconds).unwrap_or_default();
            IncidentRejection::invalid(
                "as_of",
                format!("{sent} s"),
                "a time within the years 1 to 9999",
            )
        })?;
        Ok(Self::RecordImpact {
            figures,
            source: source(request.source)?,
            as_of,
        })
    }
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

    fn try_from(_: &CloseIncidentRequest) -> Result<Self, IncidentRejection> {
        Ok(Self::Close)
    }
}

/// The only place that the warning names in the node's province.
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

fn known<T: TryFrom<i32>>(field: &'static str, value: i32) -> Result<T, IncidentRejection> {
    T::try_from(value)
        .map_err(|_| IncidentRejection::invalid(field, value, "no value known to this version"))
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
    let source: FigureSource = known("source", value)?;
    specified("source", source, source == FigureSource::Unspecified)
}

fn note(field: &'static str, text: &str) -> Result<String, IncidentRejection> {
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
