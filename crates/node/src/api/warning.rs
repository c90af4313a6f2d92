//! Warnings, and the feeds that bring them.

use std::sync::PoisonError;

use posko_domain::{
    account::Action,
    code::Refusal,
    warning::{WarningCommand, WarningRejection, standing, stream_of},
};
use posko_proto::warning::v1::{
    self as wire, CancelWarningRequest, CancelWarningResponse, Feed, GetWarningRequest,
    GetWarningResponse, ListFeedsRequest, ListFeedsResponse, ListWarningsRequest,
    ListWarningsResponse, RecordWarningRequest, RecordWarningResponse,
    warning_service_server::WarningService,
};
use posko_store::{Command, view::warning::Found};
use tonic::{Request, Response, Status};

use super::{Api, Asked, Framed, digest, id, outcome, page_size, page_token, refused};
use crate::{intake::Feeds, time::now};

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
        }
    }

    fn feeds(&self) -> Vec<Feed> {
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
            WarningCommand::Cancel => {
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
        Ok(Response::new(GetWarningResponse {
            warning: Some(self.warning(&found)),
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
            .ask(move |store| store.warnings(origin, in_force_at, after.as_deref(), limit))
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
}
