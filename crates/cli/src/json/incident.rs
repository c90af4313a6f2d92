//! Incidents and notices in JSON.

use posko_proto::{
    blob::v1::{self as blob, AttachmentKind, BlobState, MediaType},
    common::v1::Hazard,
    id::hex,
    incident::v1 as incident,
};
use serde::Serialize;

use super::{Place, Provenance, id, import::Record, text, time};
use crate::name;

/// A file beside the logs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Blob {
    hash: String,
    length: u64,
    media_type: Option<String>,
}

impl From<blob::Blob> for Blob {
    fn from(blob: blob::Blob) -> Self {
        Self {
            hash: hex(&blob.hash),
            length: blob.length,
            media_type: name::of::<MediaType>(blob.media_type),
        }
    }
}

/// A file that belongs to an incident; without its file when it is withdrawn, or its entry's payload is not here yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Attachment {
    #[serde(rename = "attachment_id")]
    id: Option<String>,
    event_id: Option<String>,
    at: Option<String>,
    actor_id: Option<String>,
    blob: Option<Blob>,
    kind: Option<String>,
    about: Option<String>,
    caption: Option<String>,
    caption_event_id: Option<String>,
    state: Option<String>,
    held_bytes: u64,
    asked_at: Option<String>,
    withdrawn: bool,
    withdrawn_because: Option<String>,
    legal_basis: Option<String>,
}

impl From<incident::Attachment> for Attachment {
    fn from(attachment: incident::Attachment) -> Self {
        Self {
            id: id(&attachment.attachment_id),
            event_id: id(&attachment.event_id),
            at: time(attachment.at.as_ref()),
            actor_id: id(&attachment.actor_ref),
            blob: attachment.blob.map(Into::into),
            kind: name::of::<AttachmentKind>(attachment.kind),
            about: id(&attachment.about),
            caption: text(&attachment.caption),
            caption_event_id: id(&attachment.caption_event_id),
            state: name::of::<BlobState>(attachment.state),
            held_bytes: attachment.held_bytes,
            asked_at: time(attachment.asked_at.as_ref()),
            withdrawn: attachment.withdrawn,
            withdrawn_because: text(&attachment.withdrawn_because),
            legal_basis: text(&attachment.legal_basis),
        }
    }
}

/// An incident as it stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Incident {
    #[serde(rename = "incident_id")]
    id: Option<String>,
    number: String,
    status: Option<String>,
    hazard: Option<String>,
    place: Option<Place>,
    region_name: Option<String>,
    zone_ids: Vec<String>,
    severity: Option<String>,
    scale: Option<String>,
    channel: Option<String>,
    warning_origin: Option<String>,
    warning_id: Option<String>,
    duplicate_of: Option<String>,
    exercise: bool,
    version: u32,
    provenance: Option<Provenance>,
    milestones: Vec<Milestone>,
    figures: Vec<Figure>,
    steps: Vec<StepTime>,
    judgements: Vec<Judgement>,
    glide: Option<String>,
    related: Vec<Related>,
    posts: Vec<PostHolder>,
    escalation: Option<Escalation>,
    periods: Vec<Period>,
    objectives: Vec<Objective>,
    reason: Option<String>,
    record: Option<Record>,
    needs: Vec<Need>,
    emergencies: Vec<Emergency>,
    assessments: Vec<Assessment>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Need {
    #[serde(rename = "need_id")]
    id: Option<String>,
    sector: Option<String>,
    quantity: Option<u64>,
    unit: Option<String>,
    priority: Option<String>,
    place: Option<Place>,
    region_name: Option<String>,
    due_at: Option<String>,
    set_at: Option<String>,
    parts: Vec<NeedPart>,
    met: u64,
    progress: Option<String>,
    settlement: Option<String>,
    settled_at: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct NeedPart {
    source: Option<String>,
    quantity: Option<u64>,
    at: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Emergency {
    #[serde(rename = "declaration_id")]
    id: Option<String>,
    status: Option<String>,
    level: Option<String>,
    authority: Option<String>,
    decree_number: String,
    decree_date: String,
    from: Option<String>,
    until: Option<String>,
    hazards: Vec<String>,
    region_codes: Vec<String>,
    extends: Option<String>,
    extended_by: Option<String>,
    document_sha256: Option<String>,
    state: Option<String>,
    ended_at: Option<String>,
}

/// A rapid assessment, without its answers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Assessment {
    #[serde(rename = "assessment_id")]
    id: Option<String>,
    form: Option<String>,
    form_version: u32,
    kind: Option<String>,
    place: Option<Place>,
    region_name: Option<String>,
    assessed_at: Option<String>,
    submitted_at: Option<String>,
    version: u32,
    supersedes: Option<String>,
    superseded_by: Option<String>,
    answers: u32,
}

/// A figure that follows from an assessment's answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Derived {
    key: String,
    count: u64,
    unit: String,
    partial: bool,
    approximate: bool,
}

impl From<incident::AssessmentHead> for Assessment {
    fn from(head: incident::AssessmentHead) -> Self {
        Self {
            id: id(&head.assessment_id),
            form: name::of::<incident::AssessmentForm>(head.form),
            form_version: head.form_version,
            kind: name::of::<incident::AssessmentKind>(head.kind),
            place: head.place.map(Place::from),
            region_name: text(&head.region_name),
            assessed_at: time(head.assessed_at.as_ref()),
            submitted_at: time(head.submitted_at.as_ref()),
            version: head.version,
            supersedes: id(&head.supersedes),
            superseded_by: id(&head.superseded_by),
            answers: head.answers,
        }
    }
}

impl From<&incident::Derived> for Derived {
    fn from(figure: &incident::Derived) -> Self {
        Self {
            key: figure.key.clone(),
            count: figure.count,
            unit: figure.unit.clone(),
            partial: figure.partial,
            approximate: figure.approximate,
        }
    }
}

fn need(need: incident::Need) -> Need {
    let quantity = |number: u64| (number > 0).then_some(number);
    let part = |part: &incident::NeedPart| NeedPart {
        source: name::of::<incident::FigureSource>(part.source),
        quantity: quantity(part.quantity),
        at: time(part.at.as_ref()),
    };
    Need {
        id: id(&need.need_id),
        sector: name::of::<incident::Sector>(need.sector),
        quantity: quantity(need.quantity),
        unit: name::of::<incident::Unit>(need.unit),
        priority: name::of::<incident::Priority>(need.priority),
        place: need.place.map(Place::from),
        region_name: text(&need.region_name),
        due_at: time(need.due_at.as_ref()),
        set_at: time(need.set_at.as_ref()),
        parts: need.parts.iter().map(part).collect(),
        met: need.met,
        progress: name::of::<incident::NeedProgress>(need.progress),
        settlement: name::of::<incident::Settlement>(need.settlement),
        settled_at: time(need.settled_at.as_ref()),
    }
}

fn emergency(emergency: incident::Emergency) -> Emergency {
    let said = emergency.declared.unwrap_or_default();
    let hazards = said.hazards.iter();
    Emergency {
        id: id(&said.declaration_id),
        status: name::of::<incident::EmergencyStatus>(said.status),
        level: name::of::<incident::EmergencyLevel>(said.level),
        authority: name::of::<incident::Office>(said.authority),
        decree_number: said.decree_number,
        decree_date: said.decree_date,
        from: time(said.from.as_ref()),
        until: time(said.until.as_ref()),
        hazards: hazards
            .filter_map(|hazard| name::of::<Hazard>(*hazard))
            .collect(),
        region_codes: said.region_codes,
        extends: id(&said.extends),
        extended_by: id(&emergency.extended_by),
        document_sha256: text(&hex(&said.document_sha256)),
        state: name::of::<incident::EmergencyState>(emergency.state),
        ended_at: time(emergency.ended_at.as_ref()),
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct StepTime {
    step: Option<String>,
    at: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Judgement {
    severity: Option<String>,
    at: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Related {
    relation: Option<String>,
    origin: String,
    incident_id: Option<String>,
    number: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct PostHolder {
    post: Option<String>,
    account_id: Option<String>,
    since: Option<String>,
    until: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Escalation {
    level: Option<String>,
    called: Vec<String>,
    at: Option<String>,
    answer_by: Option<String>,
    answered_at: Option<String>,
    automatic: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Period {
    number: u32,
    from: Option<String>,
    until: Option<String>,
    approved_at: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Objective {
    #[serde(rename = "objective_id")]
    id: Option<String>,
    priority: Option<String>,
    due_at: Option<String>,
    period: Option<u32>,
    post: Option<String>,
    settlement: Option<String>,
    settled_at: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Milestone {
    status: Option<String>,
    at: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Figure {
    measure: Option<String>,
    count: u64,
    source: Option<String>,
    as_of: Option<String>,
    sex: Option<String>,
    age_band: Option<String>,
    corrected: bool,
}

impl From<incident::Incident> for Incident {
    fn from(incident: incident::Incident) -> Self {
        Self {
            id: id(&incident.incident_id),
            number: incident.number,
            status: name::of::<incident::Status>(incident.status),
            hazard: name::of::<Hazard>(incident.hazard),
            place: incident.place.map(Place::from),
            region_name: text(&incident.region_name),
            zone_ids: incident.zone_ids,
            severity: name::of::<incident::Severity>(incident.severity),
            scale: name::of::<incident::Scale>(incident.scale),
            channel: name::of::<incident::ReportChannel>(incident.channel),
            warning_origin: text(&incident.warning_origin),
            warning_id: id(&incident.warning_id),
            duplicate_of: id(&incident.duplicate_of),
            exercise: incident.exercise,
            version: incident.version,
            provenance: incident.provenance.map(Provenance::from),
            milestones: incident.milestones.iter().map(milestone).collect(),
            figures: incident.figures.iter().map(figure).collect(),
            steps: incident.steps.iter().map(step_time).collect(),
            judgements: incident.judgements.iter().map(judgement).collect(),
            glide: text(&incident.glide),
            related: incident.related.into_iter().map(related).collect(),
            posts: incident.posts.iter().map(post_holder).collect(),
            escalation: incident.escalation.as_ref().map(escalation),
            periods: incident.periods.iter().map(period).collect(),
            objectives: incident.objectives.iter().map(objective).collect(),
            reason: text(&incident.reason),
            record: incident.record.as_ref().map(Record::from),
            needs: incident.needs.into_iter().map(need).collect(),
            emergencies: incident.emergencies.into_iter().map(emergency).collect(),
            assessments: incident
                .assessments
                .into_iter()
                .map(Assessment::from)
                .collect(),
        }
    }
}

fn step_time(taken: &incident::StepTime) -> StepTime {
    StepTime {
        step: name::of::<incident::Step>(taken.step),
        at: time(taken.at.as_ref()),
    }
}

fn judgement(judgement: &incident::Judgement) -> Judgement {
    Judgement {
        severity: name::of::<incident::Severity>(judgement.severity),
        at: time(judgement.at.as_ref()),
    }
}

pub(crate) fn related(related: incident::Related) -> Related {
    Related {
        relation: name::of::<incident::Relation>(related.relation),
        incident_id: id(&related.incident_id),
        origin: related.origin,
        number: text(&related.number),
    }
}

fn post_holder(holder: &incident::PostHolder) -> PostHolder {
    PostHolder {
        post: name::of::<incident::Post>(holder.post),
        account_id: id(&holder.account_ref),
        since: time(holder.since.as_ref()),
        until: time(holder.until.as_ref()),
    }
}

fn escalation(call: &incident::Escalation) -> Escalation {
    let called = call.called.iter();
    Escalation {
        level: name::of::<incident::EscalationLevel>(call.level),
        called: called
            .filter_map(|post| name::of::<incident::Post>(*post))
            .collect(),
        at: time(call.at.as_ref()),
        answer_by: time(call.answer_by.as_ref()),
        answered_at: time(call.answered_at.as_ref()),
        automatic: call.automatic,
    }
}

fn period(period: &incident::Period) -> Period {
    Period {
        number: period.number,
        from: time(period.from.as_ref()),
        until: time(period.until.as_ref()),
        approved_at: time(period.approved_at.as_ref()),
    }
}

fn objective(objective: &incident::Objective) -> Objective {
    Objective {
        id: id(&objective.objective_id),
        priority: name::of::<incident::Priority>(objective.priority),
        due_at: time(objective.due_at.as_ref()),
        period: (objective.period != 0).then_some(objective.period),
        post: name::of::<incident::Post>(objective.post),
        settlement: name::of::<incident::Settlement>(objective.settlement),
        settled_at: time(objective.settled_at.as_ref()),
    }
}

fn milestone(milestone: &incident::Milestone) -> Milestone {
    Milestone {
        status: name::of::<incident::Status>(milestone.status),
        at: time(milestone.at.as_ref()),
    }
}

fn figure(figure: &incident::ImpactFigure) -> Figure {
    Figure {
        measure: name::of::<incident::Measure>(figure.measure),
        count: figure.count,
        source: name::of::<incident::FigureSource>(figure.source),
        as_of: time(figure.as_of.as_ref()),
        sex: name::of::<incident::Sex>(figure.sex),
        age_band: name::of::<incident::AgeBand>(figure.age_band),
        corrected: figure.corrected,
    }
}

/// A log note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Note {
    at: Option<String>,
    text: String,
    actor: Option<String>,
    event_id: Option<String>,
    withdrawn: bool,
    withdrawn_because: Option<String>,
    legal_basis: Option<String>,
    about: Option<String>,
    question: Option<String>,
}

impl From<incident::Note> for Note {
    fn from(note: incident::Note) -> Self {
        Self {
            at: time(note.at.as_ref()),
            actor: id(&note.actor_ref),
            event_id: id(&note.event_id),
            withdrawn: note.withdrawn,
            withdrawn_because: text(&note.withdrawn_because),
            legal_basis: text(&note.legal_basis),
            about: id(&note.about),
            question: text(&note.question),
            text: note.text,
        }
    }
}

/// What a province is told of another's incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Notice {
    incident_id: Option<String>,
    origin: String,
    number: String,
    zone_id: String,
    hazard: Option<String>,
    region_code: Option<String>,
    status: Option<String>,
    reported_at: Option<String>,
    exercise: bool,
    disputed: bool,
}

impl From<incident::Notice> for Notice {
    fn from(notice: incident::Notice) -> Self {
        Self {
            incident_id: id(&notice.incident_id),
            origin: notice.origin,
            number: notice.number,
            zone_id: notice.zone_id,
            hazard: name::of::<Hazard>(notice.hazard),
            region_code: text(&notice.region_code),
            status: name::of::<incident::Status>(notice.status),
            reported_at: time(notice.reported_at.as_ref()),
            exercise: notice.exercise,
            disputed: notice.disputed,
        }
    }
}

#[cfg(test)]
mod tests {
    use posko_proto::common::v1 as common;
    use prost_types::Timestamp;

    use super::*;

    #[test]
    fn an_incident_keeps_every_field_and_names_its_enums() {
        let at = Some(Timestamp {
            seconds: 1_669_011_669,
            nanos: 0,
        });
        let incident = incident::Incident {
            incident_id: vec![1; 16],
            number: "PMI-32-2022-000001".into(),
            status: incident::Status::OperationEnded.into(),
            hazard: Hazard::Earthquake.into(),
            place: Some(common::Place {
                region_code: "32.03".into(),
                ..Default::default()
            }),
            zone_ids: vec!["Z1".into()],
            severity: incident::Severity::Severe.into(),
            provenance: Some(common::Provenance {
                origin: "32".into(),
                link: 1,
                ..Default::default()
            }),
            milestones: vec![incident::Milestone {
                status: incident::Status::Reported.into(),
                at,
            }],
            figures: vec![incident::ImpactFigure {
                measure: incident::Measure::Displaced.into(),
                count: 1200,
                source: incident::FigureSource::Government.into(),
                as_of: at,
                sex: incident::Sex::Female.into(),
                ..Default::default()
            }],
            steps: vec![incident::StepTime {
                step: incident::Step::OnScene.into(),
                at,
            }],
            posts: vec![incident::PostHolder {
                post: incident::Post::Commander.into(),
                account_ref: vec![2; 16],
                since: at,
                until: None,
            }],
            reason: "REOPEN_REASON_RECURRED".into(),
            ..Default::default()
        };
        assert_eq!(
            serde_json::to_value(Incident::from(incident)).unwrap(),
            serde_json::json!({
                "incident_id": "01010101-0101-0101-0101-010101010101",
                "number": "PMI-32-2022-000001",
                "status": "operation_ended",
                "hazard": "earthquake",
                "place": {"region_code": "32.03", "point": null, "code_set": null},
                "region_name": null,
                "zone_ids": ["Z1"],
                "severity": "severe",
                "scale": null,
                "channel": null,
                "warning_origin": null,
                "warning_id": null,
                "duplicate_of": null,
                "exercise": false,
                "version": 0,
                "provenance": {"origin": "32", "recorded_at": null, "heard_at": null, "link": "own", "disputed": false},
                "milestones": [{"status": "reported", "at": "2022-11-21T06:21:09Z"}],
                "figures": [
                    {"measure": "displaced", "count": 1200, "source": "government", "as_of": "2022-11-21T06:21:09Z",
                     "sex": "female", "age_band": null, "corrected": false}
                ],
                "steps": [{"step": "on_scene", "at": "2022-11-21T06:21:09Z"}],
                "judgements": [],
                "glide": null,
                "related": [],
                "posts": [{"post": "commander", "account_id": "02020202-0202-0202-0202-020202020202",
                           "since": "2022-11-21T06:21:09Z", "until": null}],
                "escalation": null,
                "periods": [],
                "objectives": [],
                "reason": "REOPEN_REASON_RECURRED",
                "record": null,
                "needs": [],
                "emergencies": [],
                "assessments": [],
            })
        );
    }
}
