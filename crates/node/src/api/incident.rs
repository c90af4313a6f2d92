//! Incidents.

use std::collections::BTreeMap;

use posko_domain::{
    account::Action,
    blob::Blob,
    code::Refusal,
    context::stream_of,
    event::{Area, Event, IncidentEvent, KINDS, LogEvent},
    incident::{
        Aim, Emergency, Escalation, Holding, IncidentCommand, IncidentRejection, IncidentState,
        Need, Objective, Period, Related, Unfinished,
        assessment::{Assessment, derived, figures, form, is_whole, superseded_by},
        corrects, extended_by, warning_named,
    },
    log::Statement,
    region::{self, Place},
    warning::draft::regions,
    zone,
};
use posko_proto::{
    Id, NodeId,
    blob::v1::BlobState,
    common::v1::CommandMeta,
    incident::v1::{
        self as wire, ActivateIncidentRequest, ActivateIncidentResponse, AddNoteRequest,
        AddNoteResponse, AttachFileRequest, AttachFileResponse, ChangeIncidentRequest,
        ChangeIncidentResponse, CloseIncidentRequest, CloseIncidentResponse, EndOperationRequest,
        EndOperationResponse, GetAssessmentRequest, GetAssessmentResponse, GetIncidentRequest,
        GetIncidentResponse, ImportIncidentsRequest, ImportIncidentsResponse,
        ListAttachmentsRequest, ListAttachmentsResponse, ListIncidentsRequest,
        ListIncidentsResponse, ListNoticesRequest, ListNoticesResponse, ListTimelineRequest,
        ListTimelineResponse, RecordImpactRequest, RecordImpactResponse, RejectIncidentRequest,
        RejectIncidentResponse, ReportIncidentRequest, ReportIncidentResponse,
        SubmitAssessmentRequest, SubmitAssessmentResponse, VerifyIncidentRequest,
        VerifyIncidentResponse, change_incident_request::Change,
        incident_service_server::IncidentService,
    },
    time::Millis,
    warning::v1::Review,
};
use posko_store::{
    Command, Store, StoreError,
    blob::Held,
    view::{
        incident::{Attachment, Filter, Found, Note},
        site::Filter as SiteFilter,
        timeline::{Presence, Told},
        warning::Found as Warned,
    },
};
use prost_types::{Any, Timestamp};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use super::{Api, Asked, Framed, digest, id, invalid, outcome, page_size, page_token, refused};
use crate::time::now;

/// The most sites and children that are named at once.
const MOST_NAMED: usize = 500;

impl Api {
    pub(super) fn own(&self) -> NodeId {
        self.0.store.identity().origin
    }

    pub(super) fn incident(&self, found: &Found) -> wire::Incident {
        let state = &found.state;
        let region = region::find(&state.place.region_code);
        wire::Incident {
            incident_id: found.id.to_vec(),
            number: state.number.clone(),
            status: state.status.into(),
            hazard: state.hazard.into(),
            place: Some(state.place.clone().into()),
            region_name: region.map_or_else(String::new, |region| region.name.to_owned()),
            zone_ids: state.zones.clone(),
            severity: state.severity().into(),
            scale: state.scale.into(),
            channel: state.channel.into(),
            warning_origin: state
                .warning
                .map_or_else(String::new, |(origin, _)| origin.to_string()),
            warning_id: state.warning.map(|(_, id)| id.to_vec()).unwrap_or_default(),
            duplicate_of: state.duplicate_of.map(Id::to_vec).unwrap_or_default(),
            exercise: state.exercise,
            version: state.version,
            provenance: Some(self.provenance_of(found, state.recorded_at)),
            milestones: state
                .milestones
                .iter()
                .map(|(status, at)| wire::Milestone {
                    status: (*status).into(),
                    at: Some((*at).into()),
                })
                .collect(),
            figures: state
                .figures
                .iter()
                .map(|figure| wire::ImpactFigure {
                    measure: figure.measure.into(),
                    count: figure.count,
                    source: figure.source.into(),
                    as_of: Some(figure.as_of.into()),
                    sex: figure.sex.into(),
                    age_band: figure.age_band.into(),
                    corrected: figure.corrected,
                })
                .collect(),
            steps: state.steps.iter().map(step_time).collect(),
            judgements: state.judgements.iter().map(judgement).collect(),
            glide: state.glide.clone(),
            related: state.related.iter().map(related).collect(),
            posts: state.operation.posts.iter().map(post_holder).collect(),
            escalation: state.operation.escalation.as_ref().map(escalation),
            periods: (1..).zip(&state.operation.periods).map(period).collect(),
            objectives: state.operation.objectives.iter().map(objective).collect(),
            reason: state.reason.clone(),
            record: state.record.as_deref().cloned(),
            needs: state.needs.iter().map(need).collect(),
            emergencies: (state.emergencies.iter())
                .map(|held| emergency(held, state, now()))
                .collect(),
            assessments: (state.assessments.iter())
                .map(|held| assessment(held, state))
                .collect(),
        }
    }
}

impl Api {
    /// Returns an attachment as it stands here.
    fn attachment(&self, attachment: Attachment, held: Option<Held>) -> wire::Attachment {
        let attached = attachment.attached.unwrap_or_default();
        let file = attached.blob.as_ref().and_then(Blob::read);
        let standing = file.map(|file| self.standing(&file.hash, held));
        let (standing, asked_at) = match standing {
            Some(standing) => (standing.state(), standing.asked_at),
            None => (BlobState::Unspecified, None),
        };
        let (withdrawn, because, legal_basis) = withdrawal(attachment.withdrawn);
        let (caption_event, caption) = attachment.caption.unwrap_or_default();
        wire::Attachment {
            attachment_id: attached.attachment_id,
            event_id: attachment.event.to_vec(),
            at: Some(attachment.at.into()),
            actor_ref: attachment.actor.map(Id::to_vec).unwrap_or_default(),
            blob: attached.blob,
            kind: attached.kind,
            about: attached.about,
            caption_event_id: if caption.is_empty() {
                Vec::new()
            } else {
                caption_event.to_vec()
            },
            caption,
            state: standing.into(),
            held_bytes: held.map_or(0, |held| held.held),
            asked_at,
            withdrawn,
            withdrawn_because: because,
            legal_basis,
        }
    }
}

impl Api {
    /// Says whether an incident that a command names is known here; one of a drill for a real command is refused, and a
    /// real one for a drill's.
    async fn same_class(&self, other: Id, meta: Option<&CommandMeta>) -> Result<bool, Status> {
        let Some(found) = self.ask(move |store| store.incident_alone(other)).await? else {
            return Ok(false);
        };
        let (number, exercise) = (&found.state.number, found.state.exercise);
        if exercise == meta.is_some_and(|meta| meta.exercise) {
            return Ok(true);
        }
        Err(Status::failed_precondition(if exercise {
            format!("incident `{number}` is an exercise, and the command is not")
        } else {
            format!("incident `{number}` is real, and the command belongs to an exercise")
        }))
    }
}

impl Api {
    /// Returns what is still open at an incident.
    async fn unfinished(&self, incident: Id) -> Result<Option<wire::Unfinished>, Status> {
        let open = SiteFilter {
            incident: Some(incident),
            open_only: true,
            ..SiteFilter::default()
        };
        let found = self
            .ask(move |store| {
                let found = store.incident_alone(incident)?;
                let sites = store.sites(&open, None, MOST_NAMED)?;
                Ok(found.map(|found| (found, sites.rows)))
            })
            .await?;
        Ok(found.map(|(found, sites)| {
            let names = sites.into_iter().map(|site| site.state.opened.name);
            let left = Unfinished::of(&found.state, names.collect(), now());
            wire::Unfinished {
                sites: left.sites,
                needs: u32::try_from(left.needs).unwrap_or(u32::MAX),
                decrees: left.decrees,
            }
        }))
    }
}

/// Says whether and why something was withdrawn, and by which law or decision.
fn withdrawal(said: Option<Statement>) -> (bool, String, String) {
    match said.map(|said| said.said) {
        Some(LogEvent::PayloadWithdrawn(said)) => (true, said.reason, said.legal_basis),
        Some(LogEvent::Disowned(_) | LogEvent::PayloadLost(_)) | None => {
            (false, String::new(), String::new())
        }
    }
}

/// Returns the account that a change puts into a post or takes out of it.
fn account_of(request: &mut ChangeIncidentRequest) -> Option<&mut Vec<u8>> {
    match &mut request.change {
        Some(Change::FillPost(filled)) => Some(&mut filled.account_ref),
        Some(Change::VacatePost(vacated)) => Some(&mut vacated.account_ref),
        _ => None,
    }
}

fn step_time((step, at): &(wire::Step, Millis)) -> wire::StepTime {
    wire::StepTime {
        step: (*step).into(),
        at: Some((*at).into()),
    }
}

fn judgement((severity, at): &(wire::Severity, Millis)) -> wire::Judgement {
    wire::Judgement {
        severity: (*severity).into(),
        at: Some((*at).into()),
    }
}

fn related(related: &Related) -> wire::Related {
    wire::Related {
        relation: related.relation.into(),
        origin: related.origin.to_string(),
        incident_id: related.incident.to_vec(),
        number: String::new(),
    }
}

fn post_holder(holding: &Holding) -> wire::PostHolder {
    wire::PostHolder {
        post: holding.post.into(),
        account_ref: holding.account.to_vec(),
        since: Some(holding.since.into()),
        until: holding.until.map(Into::into),
    }
}

fn escalation(call: &Escalation) -> wire::Escalation {
    wire::Escalation {
        level: call.level.into(),
        called: call.called.iter().map(|post| (*post).into()).collect(),
        at: Some(call.at.into()),
        answer_by: call.answer_by.map(Into::into),
        answered_at: call.answered_at.map(Into::into),
        automatic: call.automatic,
    }
}

fn period((number, period): (u32, &Period)) -> wire::Period {
    wire::Period {
        number,
        from: Some(period.from.into()),
        until: Some(period.until.into()),
        approved_at: period.approved_at.map(Into::into),
    }
}

fn objective(objective: &Objective) -> wire::Objective {
    wire::Objective {
        objective_id: objective.aim.id.to_vec(),
        priority: objective.aim.priority.into(),
        due_at: objective.aim.due_at.map(Into::into),
        period: objective.period.unwrap_or_default(),
        post: objective.post.into(),
        settlement: settlement(&objective.aim),
        settled_at: settled_at(&objective.aim),
    }
}

fn settlement(aim: &Aim) -> i32 {
    aim.settled
        .map(|settled| settled.settlement.into())
        .unwrap_or_default()
}

fn settled_at(aim: &Aim) -> Option<Timestamp> {
    aim.settled.map(|settled| settled.at.into())
}

fn need(need: &Need) -> wire::Need {
    let place = need.place.as_ref();
    wire::Need {
        need_id: need.aim.id.to_vec(),
        sector: need.sector.into(),
        quantity: need.quantity.unwrap_or_default(),
        unit: need.unit.into(),
        priority: need.aim.priority.into(),
        region_name: place.map(name_of).unwrap_or_default(),
        place: place.cloned().map(Into::into),
        due_at: need.aim.due_at.map(Into::into),
        set_at: Some(need.set_at.into()),
        parts: (need.parts.iter())
            .map(|part| wire::NeedPart {
                source: part.source.into(),
                quantity: part.quantity,
                at: Some(part.at.into()),
            })
            .collect(),
        met: need.met(),
        progress: need.progress().into(),
        settlement: settlement(&need.aim),
        settled_at: settled_at(&need.aim),
    }
}

fn name_of(place: &Place) -> String {
    let region = region::find(&place.region_code);
    region.map_or_else(String::new, |region| region.name.to_owned())
}

fn emergency(held: &Emergency, of: &IncidentState, now: Millis) -> wire::Emergency {
    wire::Emergency {
        declared: Some(held.declared.clone()),
        state: held.state(now).into(),
        ended_at: held.ended_at.map(Into::into),
        extended_by: extended_by(&of.emergencies, held.id)
            .map(Id::to_vec)
            .unwrap_or_default(),
    }
}

fn assessment(held: &Assessment, of: &IncidentState) -> wire::AssessmentHead {
    wire::AssessmentHead {
        assessment_id: held.id.to_vec(),
        form: held.form.into(),
        form_version: held.form_version,
        kind: held.kind.into(),
        place: Some(held.place.clone().into()),
        region_name: name_of(&held.place),
        assessed_at: Some(held.assessed_at.into()),
        submitted_at: Some(held.submitted_at.into()),
        version: held.version,
        supersedes: held.supersedes.map(Id::to_vec).unwrap_or_default(),
        superseded_by: superseded_by(&of.assessments, held.id)
            .map(Id::to_vec)
            .unwrap_or_default(),
        answers: held.answers,
    }
}

/// Returns an entry of a time line, its event as a message of the contract.
fn told(told: &Told, names: &BTreeMap<Id, String>) -> wire::TimelineEntry {
    let header = &told.header;
    let known = KINDS.iter().find(|kind| kind.type_id == header.type_id);
    let envelope = told.envelope.as_ref();
    let decoded = envelope
        .map(|held| Event::decode(header.type_id, header.type_version, held.event.as_slice()));
    let event = decoded.and_then(Result::ok);
    let aim = event.as_ref().and_then(aim_of);
    let presence = match told.presence {
        Presence::Present if event.is_none() => wire::TimelinePresence::Unreadable,
        Presence::Present => wire::TimelinePresence::Present,
        Presence::Withdrawn => wire::TimelinePresence::Withdrawn,
        Presence::Erased => wire::TimelinePresence::Erased,
        Presence::Missing => wire::TimelinePresence::Missing,
        Presence::Unreadable => wire::TimelinePresence::Unreadable,
    };
    let (because, legal_basis) = match told.withdrawn.as_ref().map(|said| &said.said) {
        Some(LogEvent::PayloadWithdrawn(said)) => (said.reason.clone(), said.legal_basis.clone()),
        Some(LogEvent::Disowned(_) | LogEvent::PayloadLost(_)) | None => Default::default(),
    };
    wire::TimelineEntry {
        event_id: header.event_id.to_vec(),
        stream_id: header.stream_id.to_vec(),
        r#type: known.map_or_else(String::new, |kind| kind.name.into()),
        type_id: header.type_id,
        occurred_at: envelope.and_then(|held| held.occurred_at),
        recorded_at: Some(Millis(header.wall_ms.cast_signed()).into()),
        actor_ref: envelope
            .map(|held| held.actor_ref.clone())
            .unwrap_or_default(),
        role: envelope.map(|held| held.role).unwrap_or_default(),
        delegation: envelope
            .map(|held| held.delegation.clone())
            .unwrap_or_default(),
        epoch_no: told.epoch_no,
        seq: header.seq,
        version: header.stream_version,
        exercise: told.exercise,
        correction: told.before.is_some()
            || matches!(&event, Some(Event::Incident(event)) if corrects(event)),
        disputed: told.disputed,
        presence: presence.into(),
        withdrawn_because: because,
        legal_basis,
        event: event.as_ref().and_then(any),
        before: (told.before.as_ref()).and_then(|before| any(&before.event.clone().into())),
        before_at: (told.before.as_ref()).and_then(|before| before.at.map(Into::into)),
        about: names
            .get(&aim.unwrap_or(header.stream_id))
            .cloned()
            .unwrap_or_default(),
        about_id: aim.map(Id::to_vec).unwrap_or_default(),
    }
}

/// Returns the objective or the need that an event is about.
fn aim_of(event: &Event) -> Option<Id> {
    let id = match event {
        Event::Incident(IncidentEvent::ObjectiveSet(said)) => &said.objective_id,
        Event::Incident(IncidentEvent::ObjectiveSettled(said)) => &said.objective_id,
        Event::Incident(IncidentEvent::NeedSet(said)) => &said.need_id,
        Event::Incident(IncidentEvent::NeedMet(said)) => &said.need_id,
        Event::Incident(IncidentEvent::NeedSettled(said)) => &said.need_id,
        _ => return None,
    };
    Id::try_from(id.as_slice()).ok()
}

/// Returns what the things are called that events of an incident are about: its sites, and what was worded of it last.
fn names(
    store: &Store,
    told: &[Told],
    incident: Id,
    notes: &[Note],
) -> Result<BTreeMap<Id, String>, StoreError> {
    let worded = notes
        .iter()
        .filter_map(|note| Some((note.about?, note.text.clone())));
    let mut names: BTreeMap<Id, String> = worded.collect();
    for stream in told.iter().map(|told| told.header.stream_id) {
        if stream != incident && !names.contains_key(&stream) {
            let site = store.site(stream)?;
            names.extend(site.map(|site| (stream, site.state.opened.name)));
        }
    }
    Ok(names)
}

fn any(event: &Event) -> Option<Any> {
    let package = match event.area() {
        Area::Incident => "incident",
        Area::Site => "site",
        Area::Warning | Area::Account | Area::Directive | Area::Log | Area::Draft | Area::Feed => {
            return None;
        }
    };
    Some(Any {
        type_url: format!(
            "type.googleapis.com/posko.{package}.v1.{}",
            event.kind().name
        ),
        value: event.encode(),
    })
}

#[tonic::async_trait]
impl IncidentService for Api {
    async fn report_incident(
        &self,
        request: Request<ReportIncidentRequest>,
    ) -> Result<Response<ReportIncidentResponse>, Status> {
        let caller = self.caller(request.metadata()).await?;
        let request = request.into_inner();
        let framed = Framed::parse(request.meta.as_ref())?;
        let rejected = |rejection: IncidentRejection| refused(&Refusal::from(rejection));
        let warning = match warning_named(&request).map_err(rejected)? {
            Some((origin, id)) => {
                self.ask(move |store| store.warning(Some(origin), id))
                    .await?
            }
            None => None,
        };
        let state = warning.as_ref().map(|found| &found.state);
        let command =
            IncidentCommand::parse_report(&request, state, self.own()).map_err(rejected)?;
        let mut targets = match &command {
            IncidentCommand::Report { place, .. } => vec![place.region_code.clone()],
            _ => Vec::new(),
        };
        // It verifies the report that it is opened from, which may be about another place.
        let own = |found: &&Warned| found.origin == self.own();
        if let Some(report) = warning.as_ref().filter(own)
            && report.state.review == Review::Unverified
        {
            targets.extend(regions(Some(&report.state.content)));
        }
        let actor = caller.may_in(Action::ReportIncident, &targets, None)?;
        let stream = stream_of(framed.command_id);
        let accepted = self
            .execute(Asked {
                framed,
                digest: digest("ReportIncident", &request),
                stream,
                authority: actor.into(),
                command: Command::Incident(command),
                credential: None,
            })
            .await?;
        let number = accepted.number.clone().unwrap_or_default();
        Ok(Response::new(ReportIncidentResponse {
            outcome: Some(outcome(self.own(), &accepted)),
            number,
        }))
    }

    async fn verify_incident(
        &self,
        request: Request<VerifyIncidentRequest>,
    ) -> Result<Response<VerifyIncidentResponse>, Status> {
        let outcome = self.command(request).await?;
        Ok(Response::new(VerifyIncidentResponse { outcome }))
    }

    async fn reject_incident(
        &self,
        request: Request<RejectIncidentRequest>,
    ) -> Result<Response<RejectIncidentResponse>, Status> {
        let rejected = request.get_ref();
        if !rejected.duplicate_of.is_empty() {
            let other = id("duplicate_of", &rejected.duplicate_of)?;
            if rejected.incident_id == rejected.duplicate_of {
                let reason = "an incident is no duplicate of itself";
                return Err(invalid("duplicate_of", &reason));
            }
            if !self.same_class(other, rejected.meta.as_ref()).await? {
                let reason = format!("incident `{other}` is not known here");
                return Err(Status::not_found(reason));
            }
        }
        let outcome = self.command(request).await?;
        Ok(Response::new(RejectIncidentResponse { outcome }))
    }

    async fn activate_incident(
        &self,
        request: Request<ActivateIncidentRequest>,
    ) -> Result<Response<ActivateIncidentResponse>, Status> {
        let outcome = self.command(request).await?;
        Ok(Response::new(ActivateIncidentResponse { outcome }))
    }

    async fn record_impact(
        &self,
        request: Request<RecordImpactRequest>,
    ) -> Result<Response<RecordImpactResponse>, Status> {
        let outcome = self.command(request).await?;
        Ok(Response::new(RecordImpactResponse { outcome }))
    }

    async fn add_note(
        &self,
        request: Request<AddNoteRequest>,
    ) -> Result<Response<AddNoteResponse>, Status> {
        let outcome = self.command(request).await?;
        Ok(Response::new(AddNoteResponse { outcome }))
    }

    async fn attach_file(
        &self,
        request: Request<AttachFileRequest>,
    ) -> Result<Response<AttachFileResponse>, Status> {
        let outcome = self.command(request).await?;
        Ok(Response::new(AttachFileResponse { outcome }))
    }

    async fn list_attachments(
        &self,
        request: Request<ListAttachmentsRequest>,
    ) -> Result<Response<ListAttachmentsResponse>, Status> {
        self.authorized(request.metadata(), Action::ReadRegion, None)
            .await?;
        let incident = id("incident_id", &request.into_inner().incident_id)?;
        let found = self
            .ask(move |store| {
                let Some((attachments, more)) = store.attachments(incident)? else {
                    return Ok(None);
                };
                let held = |attachment: &Attachment| {
                    let blob = attachment
                        .attached
                        .as_ref()
                        .and_then(|said| said.blob.as_ref());
                    let file = blob.and_then(Blob::read);
                    file.map_or(Ok(None), |file| store.blob(&file.hash))
                };
                let held: Result<Vec<_>, _> = attachments.iter().map(held).collect();
                let with_files: Vec<_> = attachments.into_iter().zip(held?).collect();
                Ok(Some((with_files, more)))
            })
            .await?;
        let (attachments, more) = found
            .ok_or_else(|| Status::not_found(format!("incident `{incident}` is not known here")))?;
        let attachments = attachments.into_iter();
        Ok(Response::new(ListAttachmentsResponse {
            attachments: attachments
                .map(|(attachment, held)| self.attachment(attachment, held))
                .collect(),
            more,
        }))
    }

    async fn end_operation(
        &self,
        request: Request<EndOperationRequest>,
    ) -> Result<Response<EndOperationResponse>, Status> {
        let incident = id("incident_id", &request.get_ref().incident_id)?;
        let outcome = self.command(request).await?;
        Ok(Response::new(EndOperationResponse {
            outcome,
            unfinished: self.unfinished(incident).await?,
        }))
    }

    async fn close_incident(
        &self,
        request: Request<CloseIncidentRequest>,
    ) -> Result<Response<CloseIncidentResponse>, Status> {
        let outcome = self.command(request).await?;
        Ok(Response::new(CloseIncidentResponse { outcome }))
    }

    async fn change_incident(
        &self,
        mut request: Request<ChangeIncidentRequest>,
    ) -> Result<Response<ChangeIncidentResponse>, Status> {
        let caller = self.caller(request.metadata()).await?;
        if let Some(Change::Relate(related)) = &request.get_ref().change {
            // Another province's incident may be on its way here.
            let other = id("relate.incident_id", &related.incident_id)?;
            let meta = request.get_ref().meta.as_ref();
            self.same_class(other, meta).await?;
        }
        if let Some(account) = account_of(request.get_mut()) {
            if account.is_empty() {
                *account = caller.account.to_vec();
            }
            // Nobody answers for a post that a mistyped account holds.
            let named = id("account_ref", account)?;
            let found = self.ask(move |store| store.account(named)).await?;
            if found.is_none() && named != caller.account {
                let reason = format!("account `{named}` is not known here");
                return Err(Status::not_found(reason));
            }
        }
        let set_id = match IncidentCommand::try_from(request.get_ref()) {
            Ok(IncidentCommand::Change { change, .. }) => change.subject(),
            // What is wrong with a request is said below.
            _ => Vec::new(),
        };
        let outcome = self.command(request).await?;
        Ok(Response::new(ChangeIncidentResponse { outcome, set_id }))
    }

    type ImportIncidentsStream = ReceiverStream<Result<ImportIncidentsResponse, Status>>;

    async fn import_incidents(
        &self,
        request: Request<Streaming<ImportIncidentsRequest>>,
    ) -> Result<Response<Self::ImportIncidentsStream>, Status> {
        self.take_import(request).await.map(Response::new)
    }

    async fn submit_assessment(
        &self,
        request: Request<SubmitAssessmentRequest>,
    ) -> Result<Response<SubmitAssessmentResponse>, Status> {
        let meta = request.get_ref().meta.as_ref();
        let command = meta.and_then(|meta| Id::try_from(meta.command_id.as_slice()).ok());
        let outcome = self.command(request).await?;
        Ok(Response::new(SubmitAssessmentResponse {
            outcome,
            assessment_id: command
                .map(|command| stream_of(command).to_vec())
                .unwrap_or_default(),
        }))
    }

    async fn get_assessment(
        &self,
        request: Request<GetAssessmentRequest>,
    ) -> Result<Response<GetAssessmentResponse>, Status> {
        self.authorized(request.metadata(), Action::ReadRegion, None)
            .await?;
        let request = request.into_inner();
        let incident = id("incident_id", &request.incident_id)?;
        let asked = id("assessment_id", &request.assessment_id)?;
        let found = self
            .ask(move |store| store.assessment(incident, asked))
            .await?;
        let (found, answered) = found
            .ok_or_else(|| Status::not_found(format!("incident `{incident}` is not known here")))?;
        let head = found.state.assessments.iter().find(|held| held.id == asked);
        let (Some(head), Some(answered)) = (head, answered) else {
            let reason = format!("assessment `{asked}` is not known here");
            return Err(Status::not_found(reason));
        };
        let missing = answered.assessed.is_none();
        let assessed = answered.assessed.unwrap_or_default();
        let form = form::find(head.form, head.form_version);
        let mut offered = form
            .map(|form| figures(form, &assessed.answers))
            .unwrap_or_default();
        if !is_whole(head, &found.state) {
            for one in offered.iter_mut().filter(|one| !one.figures.is_empty()) {
                one.figures.clear();
                one.bar = wire::FigureBar::Part.into();
            }
        }
        Ok(Response::new(GetAssessmentResponse {
            head: Some(assessment(head, &found.state)),
            derived: form
                .map(|form| derived(form, &assessed.answers))
                .unwrap_or_default(),
            answers: assessed.answers,
            words: answered.words,
            left_out: assessed.left_out,
            figures: offered,
            missing,
            provenance: Some(self.provenance_of(&found, found.state.recorded_at)),
        }))
    }

    async fn list_timeline(
        &self,
        request: Request<ListTimelineRequest>,
    ) -> Result<Response<ListTimelineResponse>, Status> {
        self.authorized(request.metadata(), Action::ReadRegion, None)
            .await?;
        let request = request.into_inner();
        let incident = id("incident_id", &request.incident_id)?;
        let (limit, after) = (
            page_size(request.page_size)?,
            page_token(&request.page_token),
        );
        let found = self
            .ask(move |store| {
                let Some((found, notes)) = store.incident(Some(incident), "")? else {
                    return Ok(None);
                };
                let page = store.timeline(found.origin, incident, after.as_deref(), limit)?;
                let names = names(store, &page.rows, incident, &notes)?;
                Ok(Some((found, page, names)))
            })
            .await?;
        let (found, page, names) = found
            .ok_or_else(|| Status::not_found(format!("incident `{incident}` is not known here")))?;
        Ok(Response::new(ListTimelineResponse {
            entries: (page.rows.iter()).map(|row| told(row, &names)).collect(),
            next_page_token: page.next.unwrap_or_default(),
            provenance: Some(self.provenance_of(&found, found.state.recorded_at)),
        }))
    }

    async fn get_incident(
        &self,
        request: Request<GetIncidentRequest>,
    ) -> Result<Response<GetIncidentResponse>, Status> {
        self.authorized(request.metadata(), Action::ReadRegion, None)
            .await?;
        let request = request.into_inner();
        let by_id = match (request.incident_id.as_slice(), request.number.as_str()) {
            ([], "") => {
                return Err(Status::invalid_argument(
                    "field `incident_id` or `number` must be given",
                ));
            }
            ([], _) => None,
            (bytes, _) => Some(id("incident_id", bytes)?),
        };
        let name = by_id.map_or_else(|| request.number.clone(), |id| id.to_string());
        let number = if by_id.is_some() {
            String::new()
        } else {
            request.number
        };
        let found = self
            .ask(move |store| {
                let Some((incident, notes)) = store.incident(by_id, &number)? else {
                    return Ok(None);
                };
                let number = |held: &Related| {
                    let other = store.incident_alone(held.incident)?;
                    Ok(other.map_or_else(String::new, |other| other.state.number))
                };
                let numbers: Result<Vec<_>, StoreError> =
                    incident.state.related.iter().map(number).collect();
                let children = store.children(incident.id, MOST_NAMED)?;
                Ok(Some((incident, notes, numbers?, children)))
            })
            .await?;
        let (incident, notes, numbers, children) = found
            .ok_or_else(|| Status::not_found(format!("incident `{name}` is not known here")))?;
        let notes = notes
            .into_iter()
            .map(|note| {
                let (withdrawn, because, legal_basis) = withdrawal(note.withdrawn);
                wire::Note {
                    at: Some(note.at.into()),
                    text: note.text,
                    actor_ref: note.actor.map(Id::to_vec).unwrap_or_default(),
                    event_id: note.event.to_vec(),
                    withdrawn,
                    withdrawn_because: because,
                    legal_basis,
                    about: note.about.map(Id::to_vec).unwrap_or_default(),
                    question: note.question,
                }
            })
            .collect();
        let mut incident = self.incident(&incident);
        for (related, number) in incident.related.iter_mut().zip(numbers) {
            related.number = number;
        }
        let children = children.into_iter().map(|child| wire::Related {
            relation: wire::Relation::Parent.into(),
            origin: child.origin.to_string(),
            incident_id: child.id.to_vec(),
            number: child.state.number,
        });
        Ok(Response::new(GetIncidentResponse {
            incident: Some(incident),
            notes,
            children: children.collect(),
        }))
    }

    async fn list_incidents(
        &self,
        request: Request<ListIncidentsRequest>,
    ) -> Result<Response<ListIncidentsResponse>, Status> {
        self.authorized(request.metadata(), Action::ReadRegion, None)
            .await?;
        let request = request.into_inner();
        if !request.region_code.is_empty() {
            region::parse(&request.region_code).map_err(|error| invalid("region_code", &error))?;
        }
        if !request.zone_id.is_empty() && zone::find(&request.zone_id).is_none() {
            let known: Vec<&str> = zone::all().iter().map(|zone| zone.id).collect();
            let reason = format!(
                "`{}` is no zone: expected one of {}",
                request.zone_id,
                known.join(", ")
            );
            return Err(invalid("zone_id", &reason));
        }
        let given = |text: String| (!text.is_empty()).then_some(text);
        let filter = Filter {
            origin: self.optional_origin(&request.origin)?,
            region: given(request.region_code),
            zone: given(request.zone_id),
            open_only: request.open_only,
            historical: request.historical,
        };
        let (limit, after) = (
            page_size(request.page_size)?,
            page_token(&request.page_token),
        );
        let page = self
            .ask(move |store| store.incidents(&filter, after.as_deref(), limit))
            .await?;
        Ok(Response::new(ListIncidentsResponse {
            incidents: page.rows.iter().map(|found| self.incident(found)).collect(),
            next_page_token: page.next.unwrap_or_default(),
            origins: self.origins(),
        }))
    }

    async fn list_notices(
        &self,
        request: Request<ListNoticesRequest>,
    ) -> Result<Response<ListNoticesResponse>, Status> {
        self.authorized(request.metadata(), Action::ReadRegion, None)
            .await?;
        let request = request.into_inner();
        let (limit, after) = (
            page_size(request.page_size)?,
            page_token(&request.page_token),
        );
        let page = self
            .ask(move |store| store.notices(after.as_deref(), limit))
            .await?;
        let notices = page.rows.into_iter().map(|notice| {
            let Found {
                origin,
                id,
                state,
                disputed,
            } = notice.incident;
            wire::Notice {
                incident_id: id.to_vec(),
                origin: origin.to_string(),
                number: state.number,
                zone_id: notice.zone,
                hazard: state.hazard.into(),
                region_code: state.place.region_code,
                status: state.status.into(),
                reported_at: Some(state.reported_at.into()),
                exercise: state.exercise,
                disputed,
            }
        });
        Ok(Response::new(ListNoticesResponse {
            notices: notices.collect(),
            next_page_token: page.next.unwrap_or_default(),
            origins: self.origins(),
        }))
    }
}

#[cfg(test)]
mod tests;
