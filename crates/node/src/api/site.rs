//! Sites of incidents.

use posko_domain::{
    account::Action,
    code::Refusal,
    context::stream_of,
    region,
    site::{Need, SiteCommand, SiteRejection, incident_named},
};
use posko_proto::site::v1::{
    self as wire, ChangeSiteRequest, ChangeSiteResponse, GetSiteRequest, GetSiteResponse,
    ListSitesRequest, ListSitesResponse, OpenSiteRequest, OpenSiteResponse,
    site_service_server::SiteService,
};
use posko_store::{
    Command,
    view::site::{Filter, Found},
};
use tonic::{Request, Response, Status};

use super::{Api, Asked, Framed, digest, id, invalid, outcome, page_size, page_token, refused};

impl Api {
    pub(super) fn site(&self, found: &Found) -> wire::Site {
        let state = &found.state;
        let code = state
            .opened
            .place
            .as_ref()
            .map(|place| place.region_code.as_str());
        let region = region::find(code.unwrap_or_default());
        wire::Site {
            site_id: found.id.to_vec(),
            opened: Some(state.opened.clone()),
            capacity: state.capacity,
            occupancy: state.occupancy.clone(),
            output: state.output,
            needs: state.needs.iter().map(need).collect(),
            opened_at: Some(state.opened_at.into()),
            closed_at: state.closed_at.map(Into::into),
            region_name: region.map_or_else(String::new, |region| region.name.to_owned()),
            exercise: state.exercise,
            version: state.version,
            provenance: Some(self.provenance_of(found, state.recorded_at)),
        }
    }
}

fn need(need: &Need) -> wire::Need {
    wire::Need {
        kind: need.kind.into(),
        asked: need.asked,
        met: need.met,
        priority: need.priority.into(),
        as_of: Some(need.as_of.into()),
    }
}

#[tonic::async_trait]
impl SiteService for Api {
    async fn open_site(
        &self,
        request: Request<OpenSiteRequest>,
    ) -> Result<Response<OpenSiteResponse>, Status> {
        let caller = self.caller(request.metadata()).await?;
        let request = request.into_inner();
        let framed = Framed::parse(request.meta.as_ref())?;
        let rejected = |rejection: SiteRejection| refused(&Refusal::from(rejection));
        let incident = incident_named(&request).map_err(rejected)?;
        let found = self
            .ask(move |store| store.incident(Some(incident), ""))
            .await?;
        let own = found.filter(|(found, _)| found.origin == self.own());
        let command =
            SiteCommand::parse_open(&request, own.as_ref().map(|(found, _)| &found.state))
                .map_err(rejected)?;
        let actor = caller.may(Action::RunSite, command.region_code())?;
        let asked = Asked {
            digest: digest("OpenSite", &request),
            stream: stream_of(framed.command_id),
            framed,
            authority: actor.into(),
            command: Command::Site(command),
            credential: None,
        };
        let accepted = self.execute(asked).await?;
        Ok(Response::new(OpenSiteResponse {
            outcome: Some(outcome(self.own(), &accepted)),
        }))
    }

    async fn change_site(
        &self,
        request: Request<ChangeSiteRequest>,
    ) -> Result<Response<ChangeSiteResponse>, Status> {
        let outcome = self.command(request).await?;
        Ok(Response::new(ChangeSiteResponse { outcome }))
    }

    async fn get_site(
        &self,
        request: Request<GetSiteRequest>,
    ) -> Result<Response<GetSiteResponse>, Status> {
        self.authorized(request.metadata(), Action::ReadRegion, None)
            .await?;
        let id = id("site_id", &request.into_inner().site_id)?;
        let found = self.ask(move |store| store.site(id)).await?;
        let found =
            found.ok_or_else(|| Status::not_found(format!("site `{id}` is not known here")))?;
        Ok(Response::new(GetSiteResponse {
            site: Some(self.site(&found)),
        }))
    }

    async fn list_sites(
        &self,
        request: Request<ListSitesRequest>,
    ) -> Result<Response<ListSitesResponse>, Status> {
        self.authorized(request.metadata(), Action::ReadRegion, None)
            .await?;
        let request = request.into_inner();
        if !request.region_code.is_empty() {
            region::parse(&request.region_code).map_err(|error| invalid("region_code", &error))?;
        }
        let incident = match request.incident_id.as_slice() {
            [] => None,
            bytes => Some(id("incident_id", bytes)?),
        };
        let filter = Filter {
            incident,
            region: Some(request.region_code).filter(|code| !code.is_empty()),
            open_only: request.open_only,
        };
        let (limit, after) = (
            page_size(request.page_size)?,
            page_token(&request.page_token),
        );
        let page = self
            .ask(move |store| store.sites(&filter, after.as_deref(), limit))
            .await?;
        Ok(Response::new(ListSitesResponse {
            sites: page.rows.iter().map(|found| self.site(found)).collect(),
            next_page_token: page.next.unwrap_or_default(),
            origins: self.origins(),
        }))
    }
}
