//! Where an incident stands, and how each event changes that.

use posko_proto::{
    Id, NodeId,
    common::v1::Hazard,
    incident::v1::{
        AgeBand, FigureSource, IncidentReported, Measure, PublishedRecord, Relation, ReportChannel,
        Scale, Severity, Sex, Status, Step,
    },
    time::Millis,
};
use serde::{Deserialize, Serialize};

use crate::{
    context::Recorded,
    event::{IllegalEvent, IncidentEvent},
    incident::{Assessment, Emergency, Need, Operation, import, rule},
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
    /// How grave it was judged and since when, oldest first; the last holds.
    #[serde(with = "wire::timed")]
    pub judgements: Vec<(Severity, Millis)>,
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
    /// Why it was rejected, cancelled or reopened last: the reason's name in the contract, empty when none was given.
    pub reason: String,
    /// The number that GLIDE gave it, or empty.
    pub glide: String,
    /// The incidents that it belongs to.
    pub related: Vec<Related>,
    /// Whether it is a drill.
    pub exercise: bool,
    /// When it came to each of its statuses, in order.
    #[serde(with = "wire::timed")]
    pub milestones: Vec<(Status, Millis)>,
    /// The other times by which its response is measured.
    #[serde(with = "wire::timed")]
    pub steps: Vec<(Step, Millis)>,
    /// The newest figures, in order of measure, source, sex and age.
    pub figures: Vec<Impact>,
    /// How its operation is run.
    pub operation: Operation,
    /// Where a historical one comes from; none of any other.
    #[serde(with = "wire::optional_message")]
    pub record: Option<Box<PublishedRecord>>,
    /// What it needs, in the order in which that was said first.
    pub needs: Vec<Need>,
    /// The declarations of its legal status, in the order in which they were noted first.
    pub emergencies: Vec<Emergency>,
    /// Its rapid assessments, in the order in which they were handed in.
    pub assessments: Vec<Assessment>,
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
    /// Whom it counts; unspecified counts everybody.
    #[serde(with = "wire::number")]
    pub sex: Sex,
    /// Whom it counts; unspecified counts all ages.
    #[serde(with = "wire::number")]
    pub age_band: AgeBand,
    /// Whether it replaced what the same source had said for the same time, or a later one.
    pub corrected: bool,
}

/// How an incident stands to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Related {
    /// How.
    #[serde(with = "wire::number")]
    pub relation: Relation,
    /// The other's owner.
    pub origin: NodeId,
    /// The other.
    pub incident: Id,
}

impl Impact {
    /// What tells figures apart: of each there is one.
    pub(super) fn key(&self) -> [i32; 4] {
        [
            self.measure.into(),
            self.source.into(),
            self.sex.into(),
            self.age_band.into(),
        ]
    }
}

impl IncidentState {
    /// Returns the figure held for the measure and source that counts everybody.
    pub fn figure(&self, measure: Measure, source: FigureSource) -> Option<&Impact> {
        let everybody = [measure.into(), source.into(), 0, 0];
        let at = self.figures.binary_search_by_key(&everybody, Impact::key);
        at.ok().and_then(|at| self.figures.get(at))
    }

    /// Returns how grave it is judged now; unspecified when it was not judged yet.
    pub fn severity(&self) -> Severity {
        self.judgements
            .last()
            .map_or(Severity::Unspecified, |last| last.0)
    }

    /// Returns when the step was taken.
    pub fn step(&self, step: Step) -> Option<Millis> {
        let taken = self.steps.iter().find(|(held, _)| *held == step);
        taken.map(|(_, at)| *at)
    }

    /// Returns the owner and the id of the incident that it is a part of.
    pub fn parent(&self) -> Option<(NodeId, Id)> {
        let parent = self
            .related
            .iter()
            .find(|held| held.relation == Relation::Parent);
        parent.map(|parent| (parent.origin, parent.incident))
    }

    /// Returns the province that it lies in.
    pub(super) fn province(&self) -> &str {
        region::province_of(&self.place.region_code)
    }

    /// Returns the figure held that counts the same by the same source.
    pub(super) fn same_figure(&self, figure: &Impact) -> Option<&Impact> {
        let at = self
            .figures
            .binary_search_by_key(&figure.key(), Impact::key);
        at.ok().and_then(|at| self.figures.get(at))
    }

    pub(super) fn set_figure(&mut self, figure: Impact) {
        match self
            .figures
            .binary_search_by_key(&figure.key(), Impact::key)
        {
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
    let mut state = match (event, state) {
        (IncidentEvent::Reported(reported), None) => return begin(reported, recorded),
        (IncidentEvent::Imported(imported), state) => {
            return import::apply(state.as_ref(), imported, recorded);
        }
        (_, state) => state.ok_or(IllegalEvent::NotBegun { event: name })?,
    };
    if state.exercise != recorded.exercise && !matches!(event, IncidentEvent::Reported(_)) {
        return Err(IllegalEvent::ExerciseMixed { event: name });
    }
    let from = state.status;
    rule::change(&mut state, event, recorded.occurred_at)
        .map_err(|rejection| rule::illegal(&rejection, name, from))?;
    Ok(IncidentState {
        version: recorded.version,
        recorded_at: recorded.at,
        ..state
    })
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
    let id = rule::optional_id("warning_id", &reported.warning_id);
    let warning = match id.map_err(|_| malformed("warning_id"))? {
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
        judgements: match reported.severity() {
            Severity::Unspecified => Vec::new(),
            severity => vec![(severity, recorded.occurred_at)],
        },
        scale: Scale::Unspecified,
        channel: reported.channel(),
        warning,
        duplicate_of: None,
        reason: String::new(),
        glide: String::new(),
        related: Vec::new(),
        exercise: recorded.exercise,
        milestones: vec![(Status::Reported, recorded.occurred_at)],
        steps: Vec::new(),
        figures: Vec::new(),
        operation: Operation::default(),
        record: None,
        needs: Vec::new(),
        emergencies: Vec::new(),
        assessments: Vec::new(),
        version: recorded.version,
        reported_at: recorded.at,
        recorded_at: recorded.at,
    })
}
