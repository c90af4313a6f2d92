//! Headquarters' directives.

use posko_domain::{
    account::Action,
    directive::{addresses, standing},
};
use posko_proto::directive::v1::{
    self as wire, GetDirectiveRequest, GetDirectiveResponse, IssueDirectiveRequest,
    IssueDirectiveResponse, ListDirectivesRequest, ListDirectivesResponse,
    WithdrawDirectiveRequest, WithdrawDirectiveResponse,
    directive_service_server::DirectiveService,
};
use posko_store::view::directive::Found;
use tonic::{Request, Response, Status};

use super::{Api, id, page_size, page_token};
use crate::time::now;

impl Api {
    pub(super) fn directive(&self, found: &Found) -> wire::Directive {
        let state = &found.state;
        wire::Directive {
            directive_id: found.id.to_vec(),
            issued: Some(state.issued.clone()),
            state: standing(state, now()).into(),
            withdrawn_because: state.withdrawn.clone().unwrap_or_default(),
            addressed_here: addresses(state, self.own()),
            exercise: state.exercise,
            version: state.version,
            provenance: Some(self.provenance_of(found, state.recorded_at)),
            issued_at: Some(state.issued_at.into()),
        }
    }
}

#[tonic::async_trait]
impl DirectiveService for Api {
    async fn issue_directive(
        &self,
        request: Request<IssueDirectiveRequest>,
    ) -> Result<Response<IssueDirectiveResponse>, Status> {
        let outcome = self.command(request).await?;
        Ok(Response::new(IssueDirectiveResponse { outcome }))
    }

    async fn withdraw_directive(
        &self,
        request: Request<WithdrawDirectiveRequest>,
    ) -> Result<Response<WithdrawDirectiveResponse>, Status> {
        let outcome = self.command(request).await?;
        Ok(Response::new(WithdrawDirectiveResponse { outcome }))
    }

    async fn get_directive(
        &self,
        request: Request<GetDirectiveRequest>,
    ) -> Result<Response<GetDirectiveResponse>, Status> {
        self.authorized(request.metadata(), Action::ReadRegion, None)
            .await?;
        let id = id("directive_id", &request.into_inner().directive_id)?;
        let found = self.ask(move |store| store.directive(id)).await?;
        let found = found
            .ok_or_else(|| Status::not_found(format!("directive `{id}` is not known here")))?;
        Ok(Response::new(GetDirectiveResponse {
            directive: Some(self.directive(&found)),
        }))
    }

    async fn list_directives(
        &self,
        request: Request<ListDirectivesRequest>,
    ) -> Result<Response<ListDirectivesResponse>, Status> {
        self.authorized(request.metadata(), Action::ReadRegion, None)
            .await?;
        let request = request.into_inner();
        let open_at = request.open_only.then(now);
        let (limit, after) = (
            page_size(request.page_size)?,
            page_token(&request.page_token),
        );
        let page = self
            .ask(move |store| store.directives(open_at, after.as_deref(), limit))
            .await?;
        let directives = page.rows.iter().map(|found| self.directive(found));
        Ok(Response::new(ListDirectivesResponse {
            directives: directives.collect(),
            next_page_token: page.next.unwrap_or_default(),
            origins: self.origins(),
        }))
    }
}
