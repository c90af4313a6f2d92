//! Warnings, and the feeds that bring them.

use std::sync::PoisonError;

use posko_domain::{
    account::Action,
    code::Refusal,
    region::Place,
    warning::{
        WarningCommand, WarningRejection, draft::DraftState, standing, stream_of,
        template::PLACEHOLDERS,
    },
};
use posko_formats::cap;
use posko_proto::{
    Id,
    warning::v1::{
        self as wire, ApproveDraftRequest, ApproveDraftResponse, CancelWarningRequest,
        CancelWarningResponse, Channel, DismissReportRequest, DismissReportResponse, DraftStatus,
        DraftWarningRequest, DraftWarningResponse, ExportWarningRequest, ExportWarningResponse,
        Feed, GetDraftRequest, GetDraftResponse, GetWarningInboxRequest, GetWarningInboxResponse,
        GetWarningRequest, GetWarningResponse, ListDraftsRequest, ListDraftsResponse,
        ListFeedsRequest, ListFeedsResponse, ListSubscriptionsRequest, ListSubscriptionsResponse,
        ListWarningTemplatesRequest, ListWarningTemplatesResponse, ListWarningsRequest,
        ListWarningsResponse, MarkWarningsSeenRequest, MarkWarningsSeenResponse,
        RecordWarningRequest, RecordWarningResponse, ReportWarningRequest, ReportWarningResponse,
        Source, SubscribeWarningsRequest, SubscribeWarningsResponse, UnsubscribeWarningsRequest,
        UnsubscribeWarningsResponse, WarningNote, WarningTemplate, WatchWarningsRequest,
        WatchWarningsResponse, WithdrawDraftRequest, WithdrawDraftResponse,
        warning_service_server::WarningService,
    },
};
use posko_store::{Command, view::warning::Found};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::{
    Api, Asked, Framed, digest, draft::unwritable, id, outcome, page_size, page_token, refused,
};
use crate::{
    intake::Feeds,
    outgoing,
    report::{self, Report},
    time::now,
};

impl Api {
    pub(super) fn warning(&self, found: &Found) -> wire::Warning {
        let state = &found.state;
        wire::Warning {
            warning_id: found.id.to_vec(),
            source: state.source.into(),
            publisher: state.publisher.clone(),
            identifier: state.identifier.clone(),
            content: Some(state.content.clone()),
            state: standing(state, now()).into(),
            version: state.version,
            provenance: Some(self.provenance_of(found, state.recorded_at)),
            recorded_at: Some(state.taken_at.into()),
            review: state.review.into(),
            dismissed: state.dismissed.into(),
            incident_id: state.incident.map(Id::to_vec).unwrap_or_default(),
            notes: Vec::new(),
        }
    }

    pub(super) fn feeds(&self) -> Vec<Feed> {
        let feeds = self.0.feeds.read().unwrap_or_else(PoisonError::into_inner);
        feeds.as_ref().map(Feeds::status).unwrap_or_default()
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
        let actor = caller.may(Action::RecordWarning, None)?;
        let stream = match &command {
            WarningCommand::Take {
                source, identifier, ..
            } => stream_of(*source, identifier),
            WarningCommand::Cancel
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
                authority: actor.into(),
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
        let (owner, id) = (found.origin, found.id);
        let notes = self
            .ask(move |store| store.warning_notes(owner, id))
            .await?;
        let notes = notes.into_iter().map(|note| WarningNote {
            event_id: note.event.to_vec(),
            written_at: Some(note.at.into()),
            withdrawn: note.text.is_none(),
            text: note.text.unwrap_or_default(),
        });
        Ok(Response::new(GetWarningResponse {
            warning: Some(wire::Warning {
                notes: notes.collect(),
                ..self.warning(&found)
            }),
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
        let (limit, after) = (
            page_size(request.page_size)?,
            page_token(&request.page_token),
        );
        let page = self
            .ask(move |store| {
                if request.unverified_only {
                    return store.unverified_reports(origin, after.as_deref(), limit);
                }
                store.warnings(origin, in_force_at, after.as_deref(), limit)
            })
            .await?;
        Ok(Response::new(ListWarningsResponse {
            warnings: page.rows.iter().map(|found| self.warning(found)).collect(),
            next_page_token: page.next.unwrap_or_default(),
            origins: self.origins(),
            feeds: self.feeds(),
        }))
    }

    async fn list_feeds(
        &self,
        request: Request<ListFeedsRequest>,
    ) -> Result<Response<ListFeedsResponse>, Status> {
        self.authorized(request.metadata(), Action::ReadRegion, None)
            .await?;
        Ok(Response::new(ListFeedsResponse {
            feeds: self.feeds(),
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
        let alert = outgoing::alert(&found.state, found.origin);
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
