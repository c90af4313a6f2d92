//! What owners say about their own logs, and what gives them reason to.

use posko_domain::{
    account::Action,
    event::{KINDS, LogEvent},
};
use posko_ledger::epoch::Position;
use posko_proto::{
    NodeId,
    log::v1::{
        self as wire, DeclareLostRequest, DeclareLostResponse, DisownRequest, DisownResponse,
        GetKnownRequest, GetKnownResponse, ListGapsRequest, ListGapsResponse,
        ListStatementsRequest, ListStatementsResponse, WithdrawPayloadRequest,
        WithdrawPayloadResponse, log_service_server::LogService, statement::Said,
    },
    time::Millis,
};
use posko_store::{
    Store, StoreError,
    gap::{Gap, GapKind},
    view::log::Found,
};
use tonic::{Request, Response, Status};

use super::{Api, id, invalid, page_size, page_token, position};
use crate::time::now;

impl Api {
    fn statement(&self, found: Found, waiting: &[NodeId]) -> wire::Statement {
        let provenance = self.provenance_of(&found, found.state.at);
        wire::Statement {
            statement_id: found.id.to_vec(),
            said: Some(match found.state.said {
                LogEvent::Disowned(said) => Said::Disowned(said),
                LogEvent::PayloadLost(said) => Said::PayloadLost(said),
                LogEvent::PayloadWithdrawn(said) => Said::PayloadWithdrawn(said),
            }),
            said_by: found.state.by.to_vec(),
            said_at: Some(found.state.at.into()),
            waiting: waiting.iter().map(ToString::to_string).collect(),
            provenance: Some(provenance),
        }
    }
}

#[tonic::async_trait]
impl LogService for Api {
    async fn list_gaps(
        &self,
        request: Request<ListGapsRequest>,
    ) -> Result<Response<ListGapsResponse>, Status> {
        self.authorized(request.metadata(), Action::ReadNode, None)
            .await?;
        let named = self.optional_origin(&request.into_inner().origin)?;
        let origin = named.unwrap_or(self.own());
        let classes = self.0.peers.classes();
        let gaps = self.ask(move |store| store.gaps(origin, classes)).await?;
        Ok(Response::new(ListGapsResponse {
            gaps: gaps.into_iter().map(|found| gap(origin, found)).collect(),
        }))
    }

    async fn disown(
        &self,
        request: Request<DisownRequest>,
    ) -> Result<Response<DisownResponse>, Status> {
        let outcome = self.command(request).await?;
        Ok(Response::new(DisownResponse { outcome }))
    }

    async fn declare_lost(
        &self,
        request: Request<DeclareLostRequest>,
    ) -> Result<Response<DeclareLostResponse>, Status> {
        let outcome = self.command(request).await?;
        Ok(Response::new(DeclareLostResponse { outcome }))
    }

    async fn withdraw_payload(
        &self,
        request: Request<WithdrawPayloadRequest>,
    ) -> Result<Response<WithdrawPayloadResponse>, Status> {
        let caller = self.caller(request.metadata()).await?;
        let thing = id("stream_id", &request.get_ref().stream_id)?;
        let regions = self.ask(move |store| store.regions_of(thing)).await?;
        caller.may_in(Action::WithdrawPayload, &regions, None)?;
        let outcome = self.command(request).await?;
        Ok(Response::new(WithdrawPayloadResponse { outcome }))
    }

    async fn get_known(
        &self,
        request: Request<GetKnownRequest>,
    ) -> Result<Response<GetKnownResponse>, Status> {
        self.authorized(request.metadata(), Action::ReadNode, None)
            .await?;
        let request = request.into_inner();
        let origin: NodeId = (request.origin.parse()).map_err(|error| invalid("origin", &error))?;
        let at = (request.at.as_ref()).ok_or_else(|| invalid("at", &"it is missing"))?;
        let at = Millis::try_from(at).map_err(|error| invalid("at", &error))?;
        if at > now() {
            return Err(invalid("at", &"it is still to come by this node's clock"));
        }
        if origin == self.own() {
            return Err(Status::failed_precondition(format!(
                "log `{origin}` is this node's own: it knew each entry from when it recorded it"
            )));
        }
        let known = self.ask(move |store| store.known_at(origin, at)).await?;
        let (held, behind) = (
            known.held.as_ref(),
            known.held.as_ref().and_then(|held| held.behind),
        );
        let (untold_from, untold_until) = known.untold.unzip();
        Ok(Response::new(GetKnownResponse {
            origin: origin.to_string(),
            at: Some(at.into()),
            position: held.map(|held| position(origin, held.position)),
            recorded_at: held.map(|held| held.recorded_at.into()),
            arrived_at: held.map(|held| held.arrived_at.into()),
            behind_known: behind.is_some(),
            entries_behind: behind.map_or(0, |behind| behind.entries),
            behind_since: behind.and_then(|behind| behind.since).map(Into::into),
            first_arrival: known.first.map(Into::into),
            untold_from: untold_from.map(Into::into),
            untold_until: untold_until.map(Into::into),
        }))
    }

    async fn list_statements(
        &self,
        request: Request<ListStatementsRequest>,
    ) -> Result<Response<ListStatementsResponse>, Status> {
        self.authorized(request.metadata(), Action::ReadNode, None)
            .await?;
        let request = request.into_inner();
        let (size, token) = (
            page_size(request.page_size)?,
            page_token(&request.page_token),
        );
        let held: Vec<(NodeId, Option<Position>)> = (self.0.peers.status().into_iter())
            .map(|peer| (peer.origin, peer.acknowledged))
            .collect();
        let own = self.own();
        let (found, next) = self
            .ask(move |store| {
                let page = store.statements(request.withdrawals_only, token.as_deref(), size)?;
                let mut found = Vec::with_capacity(page.rows.len());
                for statement in page.rows {
                    let waiting = if statement.origin == own {
                        waiting(store, &held, &statement)?
                    } else {
                        Vec::new()
                    };
                    found.push((statement, waiting));
                }
                Ok((found, page.next))
            })
            .await?;
        let statements = found.into_iter();
        Ok(Response::new(ListStatementsResponse {
            statements: statements
                .map(|(found, waiting)| self.statement(found, &waiting))
                .collect(),
            next_page_token: next.unwrap_or_default(),
        }))
    }
}

/// Returns the accepted peers that are not known to have applied a statement of this node's log.
fn waiting(
    store: &Store,
    held: &[(NodeId, Option<Position>)],
    statement: &Found,
) -> Result<Vec<NodeId>, StoreError> {
    let mut waiting = Vec::new();
    for (peer, acknowledged) in held {
        let has_it = match acknowledged {
            Some(at) => store.covers(*at, statement.id)?,
            None => false,
        };
        if !has_it {
            waiting.push(*peer);
        }
    }
    Ok(waiting)
}

fn gap(origin: NodeId, found: Gap) -> wire::Gap {
    let kind = KINDS.iter().find(|kind| kind.type_id == found.type_id);
    let (gap_kind, not_asked) = match found.kind {
        GapKind::LeftOut => (wire::GapKind::LeftOut, Vec::new()),
        GapKind::OtherBranch => (wire::GapKind::OtherBranch, Vec::new()),
        GapKind::PayloadMissing { not_asked } => (wire::GapKind::PayloadMissing, not_asked),
    };
    wire::Gap {
        kind: gap_kind.into(),
        event_id: found.event.to_vec(),
        type_id: found.type_id,
        r#type: kind.map_or_else(String::new, |kind| kind.name.into()),
        stream_id: found.stream.to_vec(),
        position: Some(position(origin, found.position)),
        recorded_at: Some(found.recorded_at.into()),
        scarce: found.scarce,
        not_asked: not_asked.iter().map(ToString::to_string).collect(),
    }
}

#[cfg(test)]
mod tests;
