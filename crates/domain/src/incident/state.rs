//! Where an incident stands, and how each event changes that.

use posko_proto::{
    Id, NodeId,
    common::v1::Hazard,
    incident::v1::{
        FigureSource, ImpactRecorded, IncidentReported, Measure, ReportChannel, Scale, Severity,
        Status,
    },
    time::Millis,
};
use serde::{Deserialize, Serialize};

use crate::{
    context::Recorded,
    event::{IllegalEvent, IncidentEvent},
    region::{self, Place},
    wire,
};

/// Where an incident stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentState {
    /// Its number, `PMI-32-2026-000123`.
    pub number: String,
    /// Where it stands.
    #[serde(with = "wire::number")]
    pub status: Status,
    /// Its kind; unspecified when a newer version recorded one that is not known here.
    #[serde(with = "wire::number")]
    pub hazard: Hazard,
    /// Where it is.
    pub place: Place,
    /// The border zones that the place lies in.
    pub zones: Vec<String>,
    /// The first judgement.
    #[serde(with = "wire::number")]
    pub severity: Severity,
    /// PMI's scale once activated; unspecified before.
    #[serde(with = "wire::number")]
    pub scale: Scale,
    /// How the report came.
    #[serde(with = "wire::number")]
    pub channel: ReportChannel,
    /// The owner and the stream of the warning that it was opened from.
    pub warning: Option<(NodeId, Id)>,
    /// The incident that it was merged into.
    pub duplicate_of: Option<Id>,
    /// Whether it is a drill.
    pub exercise: bool,
    /// When it came to each of its statuses, in order.
    #[serde(with = "wire::milestones")]
    pub milestones: Vec<(Status, Millis)>,
    /// The newest figures, in order of measure and source.
    pub figures: Vec<Impact>,
    /// The stream's version.
    pub version: u32,
    /// When its owner recorded the first event.
    pub reported_at: Millis,
    /// When its owner recorded the newest event.
    pub recorded_at: Millis,
}

/// An impact figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Impact {
    /// What is counted.
    #[serde(with = "wire::number")]
    pub measure: Measure,
    /// The number.
    pub count: u64,
    /// Who gave it.
    #[serde(with = "wire::number")]
    pub source: FigureSource,
    /// The time that it describes.
    pub as_of: Millis,
}

impl IncidentState {
    /// Returns the figure held for the measure and source.
    pub fn figure(&self, measure: Measure, source: FigureSource) -> Option<&Impact> {
        self.figures
            .iter()
            .find(|held| held.measure == measure && held.source == source)
    }

    fn set_figure(&mut self, figure: Impact) {
        let key = |figure: &Impact| (i32::from(figure.measure), i32::from(figure.source));
        match self.figures.binary_search_by_key(&key(&figure), key) {
            Ok(at) => self.figures.splice(at..=at, [figure]).for_each(drop),
            Err(at) => self.figures.insert(at, figure),
        }
    }
}

/// Folds an event into the state: total and deterministic.
/// An event that its owner should not have written is refused with its reason, and the state stays as it was.
pub fn apply(
    state: Option<IncidentState>,
    event: &IncidentEvent,
    recorded: &Recorded,
) -> Result<IncidentState, IllegalEvent> {
    let name = event.kind().name;
    let state = match event {
        IncidentEvent::Reported(reported) if state.is_none() => return begin(reported, recorded),
        IncidentEvent::Reported(_) => return Err(IllegalEvent::AlreadyBegun { event: name }),
        IncidentEvent::Verified(_) => advance(state, Status::Verified, name, recorded)?,
        IncidentEvent::Rejected(rejected) => {
            let duplicate_of = optional_id(name, "duplicate_of", &rejected.duplicate_of)?;
            let status = if duplicate_of.is_some() {
                Status::Merged
            } else {
                Status::False
            };
            IncidentState {
                duplicate_of,
                ..advance(state, status, name, recorded)?
            }
        }
        IncidentEvent::Activated(activated) => IncidentState {
            scale: activated.scale(),
            ..advance(state, Status::Activated, name, recorded)?
        },
        IncidentEvent::ImpactRecorded(impact) => {
            set_figures(begun(state, name, recorded)?, impact, name)?
        }
        IncidentEvent::OperationEnded(_) => advance(state, Status::OperationEnded, name, recorded)?,
        IncidentEvent::Closed(_) => advance(state, Status::Closed, name, recorded)?,
        IncidentEvent::Noted(_) => {
            let state = begun(state, name, recorded)?;
            if !takes_notes(state.status) {
                return Err(wrong_state(name, state.status));
            }
            state
        }
    };
    Ok(IncidentState {
        version: recorded.version,
        recorded_at: recorded.at,
        ..state
    })
}

/// Says whether an incident may come from one status to the other. The one table of the lifecycle.
pub(super) fn may_follow(from: Status, to: Status) -> bool {
    match to {
        Status::Verified => from == Status::Reported,
        Status::False | Status::Merged => matches!(from, Status::Reported | Status::Verified),
        Status::Activated => from == Status::Verified,
        Status::OperationEnded => from == Status::Activated,
        Status::Closed => from == Status::OperationEnded,
        Status::Unspecified | Status::Reported => false,
    }
}

/// Says whether impact figures may still be set.
pub(super) fn takes_figures(status: Status) -> bool {
    !super::is_over(status)
}

/// Says whether notes may still be written.
pub(super) fn takes_notes(status: Status) -> bool {
    status != Status::Closed
}

fn begin(reported: &IncidentReported, recorded: &Recorded) -> Result<IncidentState, IllegalEvent> {
    const NAME: &str = "IncidentReported";
    let malformed = |field| IllegalEvent::Malformed { event: NAME, field };
    let place = reported.place.as_ref().ok_or(malformed("place"))?;
    // A code of a newer edition is taken as it is; another province's is nobody's to record.
    if !region::within(&place.region_code, recorded.origin.as_str()) {
        return Err(malformed("place.region_code"));
    }
    let point = match place.point {
        Some(point) => {
            Some(region::check_point("place.point", point).map_err(|_| malformed("place.point"))?)
        }
        None => None,
    };
    let issued =
        super::parse_number(&reported.number).filter(|(node, ..)| *node == recorded.origin);
    issued.ok_or(malformed("number"))?;
    let warning = match optional_id(NAME, "warning_id", &reported.warning_id)? {
        Some(id) => Some((
            reported
                .warning_origin
                .parse()
                .map_err(|_| malformed("warning_origin"))?,
            id,
        )),
        None => None,
    };
    Ok(IncidentState {
        number: reported.number.clone(),
        status: Status::Reported,
        hazard: reported.hazard(),
        place: Place {
            region_code: place.region_code.clone(),
            point,
            code_set: place.code_set.clone(),
        },
        zones: reported.zone_ids.clone(),
        severity: reported.severity(),
        scale: Scale::Unspecified,
        channel: reported.channel(),
        warning,
        duplicate_of: None,
        exercise: recorded.exercise,
        milestones: vec![(Status::Reported, recorded.occurred_at)],
        figures: Vec::new(),
        version: recorded.version,
        reported_at: recorded.at,
        recorded_at: recorded.at,
    })
}

fn begun(
    state: Option<IncidentState>,
    event: &'static str,
    recorded: &Recorded,
) -> Result<IncidentState, IllegalEvent> {
    let state = state.ok_or(IllegalEvent::NotBegun { event })?;
    if state.exercise != recorded.exercise {
        return Err(IllegalEvent::ExerciseMixed { event });
    }
    Ok(state)
}

fn advance(
    state: Option<IncidentState>,
    to: Status,
    event: &'static str,
    recorded: &Recorded,
) -> Result<IncidentState, IllegalEvent> {
    let mut state = begun(state, event, recorded)?;
    if !may_follow(state.status, to) {
        return Err(wrong_state(event, state.status));
    }
    if state
        .milestones
        .last()
        .is_some_and(|(_, at)| recorded.occurred_at < *at)
    {
        return Err(IllegalEvent::OutOfOrder { event });
    }
    state.milestones.push((to, recorded.occurred_at));
    state.status = to;
    Ok(state)
}

fn set_figures(
    mut state: IncidentState,
    impact: &ImpactRecorded,
    event: &'static str,
) -> Result<IncidentState, IllegalEvent> {
    if !takes_figures(state.status) {
        return Err(wrong_state(event, state.status));
    }
    let as_of = impact
        .as_of
        .as_ref()
        .and_then(|at| Millis::try_from(at).ok());
    let as_of = as_of.ok_or(IllegalEvent::Malformed {
        event,
        field: "as_of",
    })?;
    let source = impact.source();
    for figure in &impact.figures {
        if state
            .figure(figure.measure(), source)
            .is_some_and(|held| as_of < held.as_of)
        {
            return Err(IllegalEvent::OutOfOrder { event });
        }
        state.set_figure(Impact {
            measure: figure.measure(),
            count: figure.count,
            source,
            as_of,
        });
    }
    Ok(state)
}

fn optional_id(
    event: &'static str,
    field: &'static str,
    bytes: &[u8],
) -> Result<Option<Id>, IllegalEvent> {
    if bytes.is_empty() {
        return Ok(None);
    }
    Id::try_from(bytes)
        .map(Some)
        .map_err(|_| IllegalEvent::Malformed { event, field })
}

fn wrong_state(event: &'static str, from: Status) -> IllegalEvent {
    IllegalEvent::WrongState {
        event,
        from: from.as_str_name(),
    }
}
