//! Warnings, and the feeds that bring them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use chrono::DateTime;
use posko_domain::{
    account::Action,
    code::{Code, Refusal},
    context::derived,
    region::{POPULATION_SOURCE, Place},
    warning::{
        Reach, WarningCommand, WarningRejection,
        draft::{DraftState, regions},
        ends_at,
        feed::FeedState,
        reach, standing, stream_of,
        subscription::Subscription,
        template::PLACEHOLDERS,
    },
};
use posko_formats::{cap, document::Format};
use posko_proto::{
    Id, NodeId,
    common::v1::Outcome,
    time::Millis,
    warning::v1::{
        self as wire, ApproveDraftRequest, ApproveDraftResponse, CancelWarningRequest,
        CancelWarningResponse, Channel, DismissReportRequest, DismissReportResponse, DraftStatus,
        DraftWarningRequest, DraftWarningResponse, ExportWarningRequest, ExportWarningResponse,
        Fate, GetDraftRequest, GetDraftResponse, GetWarningInboxRequest, GetWarningInboxResponse,
        GetWarningRequest, GetWarningResponse, ListDraftsRequest, ListDraftsResponse,
        ListFeedsRequest, ListFeedsResponse, ListSubscriptionsRequest, ListSubscriptionsResponse,
        ListWarningTemplatesRequest, ListWarningTemplatesResponse, ListWarningsRequest,
        ListWarningsResponse, MarkWarningsSeenRequest, MarkWarningsSeenResponse,
        RecordGaugeRequest, RecordGaugeResponse, RecordWarningRequest, RecordWarningResponse,
        ReportWarningRequest, ReportWarningResponse, Source, SubscribeWarningsRequest,
        SubscribeWarningsResponse, TakeDocumentRequest, TakeDocumentResponse, TakenItem,
        UnsubscribeWarningsRequest, UnsubscribeWarningsResponse, WarningNote, WarningTemplate,
        WatchWarningsRequest, WatchWarningsResponse, WithdrawDraftRequest, WithdrawDraftResponse,
        warning_service_server::WarningService,
    },
};
use posko_store::{Authority, Command, Store, StoreError, view::warning::Found};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::{
    Api, Asked, Framed, digest, draft::unwritable, id, internal, outcome, page_size, page_token,
    refused,
};
use crate::{
    intake::{
        self, Feeds, Gauge, Held, Item, Judged, Recorded, Recorder, Scope, Take, document::Memory,
        settle::settle,
    },
    outgoing,
    report::{self, Report},
    time::now,
};

/// How many warnings are read together when all in force are looked at.
const HELD_PAGE: usize = 500;

/// Fills in whom a warning reaches.
pub(crate) fn with_reach(mut warning: wire::Warning) -> wire::Warning {
    let content = warning.content.clone().unwrap_or_default();
    let reach = reach(&content);
    warning.regencies = regencies_of(&reach);
    warning.zones = reach.zones.iter().map(|zone| zone.id.into()).collect();
    warning.population = reach.population;
    warning.population_at_most = reach.at_most;
    warning.population_source = POPULATION_SOURCE.into();
    warning.reach = reach.area.into();
    warning
}

fn regencies_of(reach: &Reach) -> Vec<wire::RegencyReach> {
    let regencies = reach.regencies.iter();
    regencies
        .map(|regency| wire::RegencyReach {
            region_code: regency.region.code.into(),
            name: regency.region.name.into(),
            partly: regency.partly,
            population: regency.population,
            kecamatan: regency
                .kecamatan
                .iter()
                .map(|code| (*code).into())
                .collect(),
        })
        .collect()
}

/// Returns what a list is to keep; none for everything.
fn wanted(request: &ListWarningsRequest) -> Result<Option<Subscription>, Status> {
    if request.region.is_empty() && request.hazard == 0 && request.severity == 0 {
        return Ok(None);
    }
    let asked = wire::Subscription {
        region: request.region.clone(),
        hazard: request.hazard,
        severity: request.severity,
        exercises: true,
        ..wire::Subscription::default()
    };
    let read = Subscription::parse(&asked, Id([0; 16]), now());
    read.map(Some)
        .map_err(|error| refused(&Refusal::from(error)))
}

/// Returns the node's own warnings of a source that are in force.
pub(crate) async fn held_in_force(
    store: &Store,
    source: Source,
    now: Millis,
) -> Result<Vec<Held>, Refusal> {
    let own = store.identity().origin;
    let found = asked(store, move |store| {
        let (mut held, mut after) = (Vec::new(), None::<String>);
        loop {
            let page = store.warnings(Some(own), Some(now), None, after.as_deref(), HELD_PAGE)?;
            held.extend(page.rows);
            after = page.next;
            if after.is_none() {
                return Ok(held);
            }
        }
    });
    let held = found.await?.into_iter();
    Ok(held
        .filter(|found| found.state.source == source)
        .map(held_of)
        .collect())
}

/// Returns the node's own warnings that refer to one that is held, or would be.
pub(crate) async fn held_referring(store: &Store, stream: Id) -> Result<Vec<Held>, Refusal> {
    let own = store.identity().origin;
    let found = asked(store, move |store| store.warnings_referring(own, stream)).await?;
    Ok(found.into_iter().map(held_of).collect())
}

fn held_of(found: Found) -> Held {
    Held {
        stream: found.id,
        state: found.state,
    }
}

/// Asks the store; what it cannot answer now is the node's own trouble.
async fn asked<T: Send + 'static>(
    store: &Store,
    question: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, Refusal> {
    let store = store.clone();
    let answer = tokio::task::spawn_blocking(move || question(&store)).await;
    let unavailable = |message: String| Refusal {
        code: Code::Unavailable,
        message,
    };
    answer
        .map_err(|error| unavailable(error.to_string()))?
        .map_err(|error| unavailable(error.to_string()))
}

impl Api {
    pub(super) fn warning(&self, found: &Found) -> wire::Warning {
        let state = &found.state;
        with_reach(wire::Warning {
            warning_id: found.id.to_vec(),
            source: state.source.into(),
            publisher: state.publisher.clone(),
            identifier: state.identifier.clone(),
            content: Some(state.content.clone()),
            state: standing(state, now()).into(),
            version: state.version,
            provenance: Some(self.provenance_of(found, state.recorded_at)),
            recorded_at: Some(state.taken_at.into()),
            replaced_by_id: state
                .replaced
                .as_ref()
                .map(|replaced| replaced.by.to_vec())
                .unwrap_or_default(),
            replaced_by: state
                .replaced
                .as_ref()
                .map(|replaced| replaced.identifier.clone())
                .unwrap_or_default(),
            ends_at: Some(ends_at(state).into()),
            cancelled_by: state.cancelled_by.identifier.clone(),
            cancelled_by_host: state.cancelled_by.carried_by.clone(),
            cancelled_by_account: state
                .cancelled_by
                .account
                .map(Id::to_vec)
                .unwrap_or_default(),
            taken_by: vec![found.origin.to_string()],
            review: state.review.into(),
            dismissed: state.dismissed.into(),
            incident_id: state.incident.map(Id::to_vec).unwrap_or_default(),
            ..wire::Warning::default()
        })
    }
}

/// Records what a person takes in from a document: each command has an id that follows from the person's own, so that a
/// document that is given again with the same id is answered as the first time.
struct PersonRecorder {
    api: Api,
    framed: Framed,
    authority: Authority,
    outcomes: Mutex<Vec<Outcome>>,
}

impl PersonRecorder {
    /// Settles an item, and returns what became of it.
    async fn settle(&self, item: Item) -> Result<TakenItem, Status> {
        let mut taken = TakenItem {
            identifier: item.identifier,
            title: item.title,
            ..TakenItem::default()
        };
        let wanted = match item.judged {
            Judged::Take(wanted) => wanted,
            Judged::Link { url, .. } => {
                taken.message = url;
                taken.fate = Fate::Link.into();
                return Ok(taken);
            }
            Judged::Outside => {
                taken.fate = Fate::Outside.into();
                return Ok(taken);
            }
            Judged::Nothing(reason) => {
                taken.message = reason;
                taken.fate = Fate::Nothing.into();
                return Ok(taken);
            }
            Judged::Refused(reason) => {
                taken.message = reason;
                taken.fate = Fate::Refused.into();
                return Ok(taken);
            }
        };
        match settle(self, *wanted).await {
            Ok(settled) => {
                taken.warning_id = settled.stream.map(Id::to_vec).unwrap_or_default();
                taken.message = settled.told.join("; ");
                taken.fate = match (settled.changed, settled.stream) {
                    (true, _) => Fate::Taken,
                    (false, Some(_)) => Fate::Known,
                    (false, None) => Fate::Nothing,
                }
                .into();
                let mut outcomes = self.outcomes.lock().unwrap_or_else(PoisonError::into_inner);
                let own = settled.stream.map(Id::to_vec);
                taken.outcome = outcomes
                    .iter()
                    .find(|outcome| own.as_ref() == Some(&outcome.stream_id))
                    .cloned();
                outcomes.clear();
            }
            // The node's own trouble stops everything: what was recorded is answered again.
            Err(refusal) if matches!(refusal.code, Code::Unavailable | Code::Internal) => {
                return Err(refused(&refusal));
            }
            Err(refusal) => {
                taken.message = refusal.message;
                taken.fate = Fate::Refused.into();
            }
        }
        Ok(taken)
    }
}

impl Recorder for PersonRecorder {
    async fn record(&self, take: Take) -> Result<Recorded, Refusal> {
        let kind: u8 = match &take.command {
            WarningCommand::Take { .. } => 0,
            WarningCommand::Cancel(_) => 1,
            WarningCommand::Replace { .. } => 2,
            WarningCommand::Report { .. } => 3,
            WarningCommand::Dismiss { .. } => 4,
            WarningCommand::TakeBack { .. } => 5,
        };
        let command_id = derived(&[
            b"posko/take/v1\0",
            self.framed.command_id.as_bytes(),
            take.stream.as_bytes(),
            &[kind],
        ]);
        if let Some(message) = self.api.not_writing() {
            return Err(Refusal {
                code: Code::Unavailable,
                message,
            });
        }
        let seed = super::random().map_err(|_| Refusal {
            code: Code::Unavailable,
            message: "the operating system gave no random bytes".into(),
        })?;
        let now = now();
        let request = posko_store::Request {
            command_id,
            // The id alone says which command it is.
            digest: [0; 32],
            authority: self.authority.clone(),
            stream: take.stream,
            expected_version: 0,
            now,
            occurred_at: self.framed.occurred_at.unwrap_or(now),
            exercise: self.framed.exercise,
            cause: None,
            seed,
            credential: None,
            command: Command::Warning(take.command),
        };
        let accepted = super::execute(&self.api.0.store, request).await?;
        let changed = !accepted.event_ids.is_empty();
        if changed {
            let mut outcomes = self.outcomes.lock().unwrap_or_else(PoisonError::into_inner);
            outcomes.push(outcome(self.api.own(), &accepted));
        }
        Ok(Recorded { changed })
    }

    async fn in_force(&self, source: Source) -> Result<Vec<Held>, Refusal> {
        held_in_force(&self.api.0.store, source, now()).await
    }

    async fn referring(&self, stream: Id) -> Result<Vec<Held>, Refusal> {
        held_referring(&self.api.0.store, stream).await
    }
}

impl Api {
    /// Returns what the feeds remember, and the gauges that are configured.
    fn intake(&self) -> Result<(Arc<Memory>, Vec<Gauge>), Status> {
        let feeds = self.0.feeds.read().unwrap_or_else(PoisonError::into_inner);
        let memory = feeds.as_ref().map(Feeds::memory);
        memory.ok_or_else(|| Status::unavailable("the node stops"))
    }
}

/// Fills in which nodes took each warning in.
fn name_takers(warnings: &mut [wire::Warning], taken_by: &BTreeMap<Id, Vec<NodeId>>) {
    for warning in warnings {
        let Ok(id) = Id::try_from(warning.warning_id.as_slice()) else {
            continue;
        };
        if let Some(origins) = taken_by.get(&id) {
            warning.taken_by = origins.iter().map(ToString::to_string).collect();
        }
    }
}

#[tonic::async_trait]
impl WarningService for Api {
    async fn record_warning(
        &self,
        request: Request<RecordWarningRequest>,
    ) -> Result<Response<RecordWarningResponse>, Status> {
        let caller = self.caller(request.metadata()).await?;
        let request = request.into_inner();
        let framed = Framed::parse(request.meta.as_ref())?;
        let rejected = |rejection: WarningRejection| refused(&Refusal::from(rejection));
        let command =
            WarningCommand::parse_record(&request, framed.command_id).map_err(rejected)?;
        let stream = match &command {
            WarningCommand::Take {
                source, identifier, ..
            } => stream_of(*source, identifier),
            WarningCommand::Cancel(_)
            | WarningCommand::TakeBack { .. }
            | WarningCommand::Replace { .. }
            | WarningCommand::Report { .. }
            | WarningCommand::Dismiss { .. } => {
                return Err(Status::invalid_argument("a warning's content is missing"));
            }
        };
        let accepted = self
            .execute(Asked {
                digest: digest("RecordWarning", &request),
                framed,
                stream,
                authority: caller.account_for(Action::RecordWarning),
                command: Command::Warning(command),
                credential: None,
            })
            .await?;
        Ok(Response::new(RecordWarningResponse {
            outcome: Some(outcome(self.own(), &accepted)),
        }))
    }

    async fn cancel_warning(
        &self,
        request: Request<CancelWarningRequest>,
    ) -> Result<Response<CancelWarningResponse>, Status> {
        let outcome = self.command(request).await?;
        Ok(Response::new(CancelWarningResponse { outcome }))
    }

    async fn get_warning(
        &self,
        request: Request<GetWarningRequest>,
    ) -> Result<Response<GetWarningResponse>, Status> {
        self.authorized(request.metadata(), Action::ReadRegion, None)
            .await?;
        let request = request.into_inner();
        let (origin, id) = (
            self.optional_origin(&request.origin)?,
            id("warning_id", &request.warning_id)?,
        );
        let found = self.ask(move |store| store.warning(origin, id)).await?;
        let found =
            found.ok_or_else(|| Status::not_found(format!("warning `{id}` is not known here")))?;
        let mut warning = self.warning(&found);
        let references = found.state.content.references.clone();
        let owner = found.origin;
        let (taken_by, not_held, notes) = self
            .ask(move |store| {
                let mut not_held = Vec::new();
                for reference in references {
                    let held = match Id::try_from(reference.warning_id.as_slice()) {
                        Ok(id) => store.warning(None, id)?.is_some(),
                        Err(_) => false,
                    };
                    if !held {
                        not_held.push(reference);
                    }
                }
                let notes = store.warning_notes(owner, id)?;
                Ok((store.warning_takers(&[id])?, not_held, notes))
            })
            .await?;
        warning.references_not_held = not_held;
        name_takers(std::slice::from_mut(&mut warning), &taken_by);
        let notes = notes.into_iter().map(|note| WarningNote {
            event_id: note.event.to_vec(),
            written_at: Some(note.at.into()),
            withdrawn: note.text.is_none(),
            text: note.text.unwrap_or_default(),
        });
        warning.notes = notes.collect();
        Ok(Response::new(GetWarningResponse {
            warning: Some(warning),
        }))
    }

    async fn list_warnings(
        &self,
        request: Request<ListWarningsRequest>,
    ) -> Result<Response<ListWarningsResponse>, Status> {
        self.authorized(request.metadata(), Action::ReadRegion, None)
            .await?;
        let request = request.into_inner();
        let origin = self.optional_origin(&request.origin)?;
        let in_force_at = request.in_force_only.then(now);
        let wanted = wanted(&request)?;
        let (limit, after) = (
            page_size(request.page_size)?,
            page_token(&request.page_token),
        );
        let page = self
            .ask(move |store| {
                let page = if request.unverified_only {
                    store.unverified_reports(origin, wanted.as_ref(), after.as_deref(), limit)?
                } else {
                    store.warnings(
                        origin,
                        in_force_at,
                        wanted.as_ref(),
                        after.as_deref(),
                        limit,
                    )?
                };
                let ids: Vec<Id> = page.rows.iter().map(|found| found.id).collect();
                let unverified = store.count_unverified(origin)?;
                Ok((store.warning_takers(&ids)?, page, unverified))
            })
            .await?;
        let (taken_by, page, unverified_reports) = page;
        let mut warnings: Vec<wire::Warning> =
            page.rows.iter().map(|found| self.warning(found)).collect();
        name_takers(&mut warnings, &taken_by);
        Ok(Response::new(ListWarningsResponse {
            warnings,
            next_page_token: page.next.unwrap_or_default(),
            origins: self.origins(),
            feeds: self.feeds(FeedState::is_alarm).await?,
            unverified_reports,
        }))
    }

    async fn take_document(
        &self,
        request: Request<TakeDocumentRequest>,
    ) -> Result<Response<TakeDocumentResponse>, Status> {
        let caller = self.caller(request.metadata()).await?;
        let request = request.into_inner();
        let framed = Framed::parse(request.meta.as_ref())?;
        caller.may(Action::RecordWarning, None)?;
        let (memory, gauges) = self.intake()?;
        let scope = Scope {
            gauges,
            ..Scope::default()
        };
        let document = request.document;
        // A large document takes a while to read.
        let judged = tokio::task::spawn_blocking(move || {
            intake::document::judge(&document, &scope, &memory, now())
        });
        let judgement = judged
            .await
            .map_err(|error| internal(&error))?
            .map_err(|(_, error)| Status::invalid_argument(format!("document: {error}")))?;
        let recorder = PersonRecorder {
            api: self.clone(),
            framed,
            authority: caller.account_for(Action::RecordWarning),
            outcomes: Mutex::default(),
        };
        let mut items = Vec::new();
        for item in judgement.items {
            items.push(recorder.settle(item).await?);
        }
        let format = judgement.format.map(Format::title).unwrap_or_default();
        Ok(Response::new(TakeDocumentResponse {
            items,
            format: format.into(),
        }))
    }

    async fn record_gauge(
        &self,
        request: Request<RecordGaugeRequest>,
    ) -> Result<Response<RecordGaugeResponse>, Status> {
        let caller = self.caller(request.metadata()).await?;
        let request = request.into_inner();
        let framed = Framed::parse(request.meta.as_ref())?;
        caller.may(Action::RecordWarning, None)?;
        let (memory, gauges) = self.intake()?;
        let Some(gauge) = intake::gauge::find(&gauges, &request.station) else {
            let known: Vec<String> = gauges
                .iter()
                .map(|gauge| format!("`{}`", gauge.name))
                .collect();
            return Err(Status::invalid_argument(format!(
                "field `station` is `{}`: the configured gauges are {}",
                request.station.chars().take(60).collect::<String>(),
                known.join(", ")
            )));
        };
        if !(-10_000..=100_000).contains(&request.level_mm) {
            return Err(Status::invalid_argument(format!(
                "field `level_mm` is `{}`: a height lies within -1000 and 10000 cm",
                request.level_mm
            )));
        }
        let read_at = request.read_at.as_ref().map(Millis::try_from).transpose();
        let read_at = read_at
            .map_err(|error| super::invalid("read_at", &error))?
            .unwrap_or_else(now);
        let at = |at: Millis| DateTime::from_timestamp_millis(at.0).unwrap_or_default();
        let (name, gauge) = (gauge.name.clone(), gauge.clone());
        let (read_at, now) = (at(read_at), at(now()));
        // What was believed is kept, and where the water comes is looked up.
        let judged = tokio::task::spawn_blocking(move || {
            intake::gauge::judge_one(
                &gauge,
                read_at,
                request.level_mm,
                None,
                request.confirmed,
                &memory.readings,
                now,
            )
        });
        let judged = judged.await.map_err(|error| internal(&error))?;
        match &judged {
            Judged::Refused(reason) => return Err(Status::failed_precondition(reason.clone())),
            Judged::Take(wanted) => {
                let regions = regions(Some(&wanted.content));
                caller.may_in(Action::RecordWarning, &regions, Some(self.own()))?;
            }
            Judged::Link { .. } | Judged::Outside | Judged::Nothing(_) => {}
        }
        let recorder = PersonRecorder {
            api: self.clone(),
            framed,
            authority: caller.account_for(Action::RecordWarning),
            outcomes: Mutex::default(),
        };
        let item = Item {
            identifier: name.clone(),
            title: name,
            judged,
        };
        Ok(Response::new(RecordGaugeResponse {
            item: Some(recorder.settle(item).await?),
        }))
    }

    async fn list_feeds(
        &self,
        request: Request<ListFeedsRequest>,
    ) -> Result<Response<ListFeedsResponse>, Status> {
        self.authorized(request.metadata(), Action::ReadRegion, None)
            .await?;
        Ok(Response::new(ListFeedsResponse {
            feeds: self.feeds(|_| true).await?,
        }))
    }

    async fn draft_warning(
        &self,
        request: Request<DraftWarningRequest>,
    ) -> Result<Response<DraftWarningResponse>, Status> {
        let outcome = self.take_draft(request).await?;
        Ok(Response::new(DraftWarningResponse { outcome }))
    }

    async fn approve_draft(
        &self,
        request: Request<ApproveDraftRequest>,
    ) -> Result<Response<ApproveDraftResponse>, Status> {
        self.approve(request).await.map(Response::new)
    }

    async fn withdraw_draft(
        &self,
        request: Request<WithdrawDraftRequest>,
    ) -> Result<Response<WithdrawDraftResponse>, Status> {
        let outcome = self.give_up_draft(request).await?;
        Ok(Response::new(WithdrawDraftResponse { outcome }))
    }

    async fn get_draft(
        &self,
        request: Request<GetDraftRequest>,
    ) -> Result<Response<GetDraftResponse>, Status> {
        self.authorized(request.metadata(), Action::ReadRegion, None)
            .await?;
        let found = self.found_draft(&request.into_inner().draft_id).await?;
        Ok(Response::new(GetDraftResponse {
            draft: Some(Self::draft(&found)),
        }))
    }

    async fn list_drafts(
        &self,
        request: Request<ListDraftsRequest>,
    ) -> Result<Response<ListDraftsResponse>, Status> {
        self.authorized(request.metadata(), Action::ReadRegion, None)
            .await?;
        let request = request.into_inner();
        let (limit, after, at) = (
            page_size(request.page_size)?,
            page_token(&request.page_token),
            now(),
        );
        let keep =
            move |draft: &DraftState| !request.open_only || draft.standing(at) == DraftStatus::Open;
        let page = self
            .ask(move |store| store.drafts(keep, after.as_deref(), limit))
            .await?;
        Ok(Response::new(ListDraftsResponse {
            drafts: page.rows.iter().map(Self::draft).collect(),
            next_page_token: page.next.unwrap_or_default(),
        }))
    }

    async fn list_warning_templates(
        &self,
        request: Request<ListWarningTemplatesRequest>,
    ) -> Result<Response<ListWarningTemplatesResponse>, Status> {
        self.authorized(request.metadata(), Action::ReadRegion, None)
            .await?;
        let name = request.into_inner().name;
        let templates = self.0.own_warnings.templates.iter();
        let templates = templates.filter(|template| name.is_empty() || template.name == name);
        let templates = templates.map(|template| WarningTemplate {
            name: template.name.clone(),
            hazard: template.hazard.into(),
            severity: template.severity.into(),
            texts: template.texts.clone(),
            configured: template.configured,
        });
        Ok(Response::new(ListWarningTemplatesResponse {
            templates: templates.collect(),
            placeholders: PLACEHOLDERS.map(str::to_owned).to_vec(),
        }))
    }

    async fn export_warning(
        &self,
        request: Request<ExportWarningRequest>,
    ) -> Result<Response<ExportWarningResponse>, Status> {
        self.authorized(request.metadata(), Action::ReadRegion, None)
            .await?;
        let request = request.into_inner();
        let (origin, id) = (
            self.optional_origin(&request.origin)?,
            id("warning_id", &request.warning_id)?,
        );
        let found = self.ask(move |store| store.warning(origin, id)).await?;
        let found =
            found.ok_or_else(|| Status::not_found(format!("warning `{id}` is not known here")))?;
        let alert = outgoing::alert(&found.state, found.origin)
            .map_err(|error| Status::failed_precondition(error.to_string()))?;
        let document = cap::write(&alert).map_err(|error| unwritable(&error))?;
        Ok(Response::new(ExportWarningResponse {
            document,
            file_name: outgoing::file_name(&alert),
        }))
    }

    async fn report_warning(
        &self,
        request: Request<ReportWarningRequest>,
    ) -> Result<Response<ReportWarningResponse>, Status> {
        let caller = self.caller(request.metadata()).await?;
        let request = request.into_inner();
        let framed = Framed::parse(request.meta.as_ref())?;
        if request.channel() != Channel::Telephone {
            return Err(Status::invalid_argument(
                "field `channel`: only what was told by telephone is typed in",
            ));
        }
        let place = request.place.clone().unwrap_or_default();
        let place =
            Place::parse(&place).map_err(|error| Status::invalid_argument(error.to_string()))?;
        let actor = caller.may(Action::ReportIncident, Some(&place.region_code))?;
        let report = Report {
            channel: request.channel(),
            hazard: request.hazard(),
            place,
            severity: request.severity(),
            text: request.text.clone(),
            reporter: request.reporter.clone(),
            at: framed.occurred_at,
            identifier: framed.command_id.to_string(),
            exercise: framed.exercise,
        };
        report::check(&report, self.own().as_str()).map_err(|refusal| refused(&refusal))?;
        let accepted = self
            .execute(Asked {
                digest: digest("ReportWarning", &request),
                stream: stream_of(Source::Report, &report.identifier),
                framed,
                authority: actor.into(),
                command: Command::Warning(report.command(now())),
                credential: None,
            })
            .await?;
        Ok(Response::new(ReportWarningResponse {
            outcome: Some(outcome(self.own(), &accepted)),
        }))
    }

    async fn dismiss_report(
        &self,
        request: Request<DismissReportRequest>,
    ) -> Result<Response<DismissReportResponse>, Status> {
        let outcome = self.command(request).await?;
        Ok(Response::new(DismissReportResponse { outcome }))
    }

    async fn subscribe_warnings(
        &self,
        request: Request<SubscribeWarningsRequest>,
    ) -> Result<Response<SubscribeWarningsResponse>, Status> {
        self.subscribe_account(request).await.map(Response::new)
    }

    async fn unsubscribe_warnings(
        &self,
        request: Request<UnsubscribeWarningsRequest>,
    ) -> Result<Response<UnsubscribeWarningsResponse>, Status> {
        let outcome = Some(self.unsubscribe(request).await?);
        Ok(Response::new(UnsubscribeWarningsResponse { outcome }))
    }

    async fn list_subscriptions(
        &self,
        request: Request<ListSubscriptionsRequest>,
    ) -> Result<Response<ListSubscriptionsResponse>, Status> {
        self.subscriptions(request.metadata())
            .await
            .map(Response::new)
    }

    async fn get_warning_inbox(
        &self,
        request: Request<GetWarningInboxRequest>,
    ) -> Result<Response<GetWarningInboxResponse>, Status> {
        self.inbox(request).await.map(Response::new)
    }

    async fn mark_warnings_seen(
        &self,
        request: Request<MarkWarningsSeenRequest>,
    ) -> Result<Response<MarkWarningsSeenResponse>, Status> {
        let outcome = Some(self.mark_seen(request).await?);
        Ok(Response::new(MarkWarningsSeenResponse { outcome }))
    }

    type WatchWarningsStream = ReceiverStream<Result<WatchWarningsResponse, Status>>;

    async fn watch_warnings(
        &self,
        request: Request<WatchWarningsRequest>,
    ) -> Result<Response<Self::WatchWarningsStream>, Status> {
        self.watch(request).await.map(Response::new)
    }
}

#[cfg(test)]
mod tests;
