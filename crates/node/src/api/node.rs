//! What the node tells its operators about itself.

use std::sync::PoisonError;

use posko_domain::{account::Action, region, zone};
use posko_ledger::chain::Identity;
use posko_proto::{
    NodeId,
    common::v1::LinkState,
    federation::v1::{
        self as wire, AddPeerRequest, AddPeerResponse, GetCardRequest, GetCardResponse,
        GetDigestsRequest, GetDigestsResponse, GetStatusRequest, GetStatusResponse,
        ListPeersRequest, ListPeersResponse, ListZonesRequest, ListZonesResponse, OriginStatus,
        PeerStatus, RebuildViewsRequest, RebuildViewsResponse, RemovePeerRequest,
        RemovePeerResponse, WatchLogsRequest, WatchLogsResponse, node_service_server::NodeService,
    },
    time::Millis,
};
use posko_store::LogState;
use tokio::sync::mpsc;
use tokio_stream::{StreamExt, wrappers::ReceiverStream};
use tonic::{Request, Response, Status, codegen::BoxStream};
use tracing::info;

use super::{Api, ahead, internal, invalid, position, stored};
use crate::{identity::NodeCard, peer::Refused, time::now};

impl Api {
    fn origin_status(&self, log: &LogState, unfolded: [u64; 3]) -> OriginStatus {
        let link = self.link(log.origin, Some(log));
        let (entries_behind, seconds_behind) = behind(log);
        let [unknown_events, refused_events, _] = unfolded;
        OriginStatus {
            origin: log.origin.to_string(),
            link: link.into(),
            applied: Some(position(log.origin, log.end)),
            entries: log.entries,
            entries_behind,
            seconds_behind,
            heard_at: log.heard_ms.map(|at| Millis(at).into()),
            source: self
                .0
                .peers
                .source(log.origin)
                .map_or_else(String::new, |peer| peer.to_string()),
            why: self.why(log, link),
            unknown_events,
            refused_events,
        }
    }

    /// Tells in words why a picture is behind or unknown.
    fn why(&self, log: &LogState, link: LinkState) -> String {
        match link {
            LinkState::Own | LinkState::Live | LinkState::Unspecified => String::new(),
            LinkState::Behind => "catching up".into(),
            LinkState::Unknown => {
                let peer = self
                    .0
                    .peers
                    .status()
                    .into_iter()
                    .find(|peer| peer.origin == log.origin);
                match peer {
                    None => "its card was removed".into(),
                    Some(peer) if peer.connected => "connected, waiting for a signed head".into(),
                    Some(peer) if peer.why.is_empty() => "no session yet".into(),
                    Some(peer) => peer.why,
                }
            }
        }
    }

    fn positions(&self) -> Vec<posko_proto::common::v1::Position> {
        self.0
            .store
            .logs()
            .iter()
            .map(|log| position(log.origin, log.end))
            .collect()
    }
}

#[tonic::async_trait]
impl NodeService for Api {
    type WatchLogsStream = BoxStream<WatchLogsResponse>;
    type RebuildViewsStream = BoxStream<RebuildViewsResponse>;

    async fn get_status(
        &self,
        request: Request<GetStatusRequest>,
    ) -> Result<Response<GetStatusResponse>, Status> {
        self.authorized(request.metadata(), Action::ReadNode, None)
            .await?;
        let logs = self.0.store.logs();
        let mut origins = Vec::with_capacity(logs.len());
        for log in &logs {
            let origin = log.origin;
            let unfolded = self.ask(move |store| store.unfolded(origin)).await?;
            origins.push(self.origin_status(log, unfolded));
        }
        let identity = self.0.store.identity();
        let own = logs.iter().find(|log| log.origin == identity.origin);
        let peers = self.0.peers.status().into_iter().map(|peer| PeerStatus {
            origin: peer.origin.to_string(),
            address: peer.address,
            connected: peer.connected,
            since: Some(peer.since.into()),
            why: peer.why,
            round_trip_ms: peer.round_trip_ms,
            clock_skew_ms: peer.clock_skew_ms,
            own_entries_behind: own_behind(own, peer.acknowledged),
            acknowledged: peer.acknowledged.map(|at| position(identity.origin, at)),
        });
        let reason = self
            .0
            .not_writing
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        Ok(Response::new(GetStatusResponse {
            origin: identity.origin.to_string(),
            federation_id: identity.federation.to_vec(),
            software: crate::SOFTWARE.into(),
            started_at: Some(self.0.started_at.into()),
            now: Some(now().into()),
            origins,
            peers: peers.collect(),
            writing: reason.is_empty(),
            not_writing_because: reason,
            refusals: self.0.peers.refusals().into_iter().map(refused).collect(),
        }))
    }

    async fn watch_logs(
        &self,
        request: Request<WatchLogsRequest>,
    ) -> Result<Response<BoxStream<WatchLogsResponse>>, Status> {
        self.authorized(request.metadata(), Action::ReadRegion, None)
            .await?;
        let (positions, receiver) = mpsc::channel(1);
        let (api, mut moved) = (self.clone(), self.0.moved.clone());
        moved.mark_changed();
        tokio::spawn(async move {
            while moved.changed().await.is_ok() {
                // One position may stand for many commits: the newest is what counts.
                if positions
                    .send(Ok(WatchLogsResponse {
                        positions: api.positions(),
                    }))
                    .await
                    .is_err()
                {
                    return;
                }
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
    }

    async fn get_card(
        &self,
        request: Request<GetCardRequest>,
    ) -> Result<Response<GetCardResponse>, Status> {
        self.authorized(request.metadata(), Action::ReadNode, None)
            .await?;
        let card = self.0.card.as_ref().ok_or_else(|| {
            Status::failed_precondition(
                "the node's card is not in its directory: make it with the recovery key",
            )
        })?;
        Ok(Response::new(GetCardResponse {
            card: card.to_text(),
            fingerprint: card.fingerprint(),
        }))
    }

    async fn list_peers(
        &self,
        request: Request<ListPeersRequest>,
    ) -> Result<Response<ListPeersResponse>, Status> {
        self.authorized(request.metadata(), Action::ReadNode, None)
            .await?;
        let peers = self.ask(posko_store::Store::peers).await?;
        let peers = peers.into_iter().map(|peer| {
            Ok(show(
                &NodeCard::from_bytes(&peer.card).map_err(|error| internal(&error))?,
                peer.added_at,
            ))
        });
        Ok(Response::new(ListPeersResponse {
            peers: peers.collect::<Result<_, Status>>()?,
        }))
    }

    async fn add_peer(
        &self,
        request: Request<AddPeerRequest>,
    ) -> Result<Response<AddPeerResponse>, Status> {
        self.authorized(request.metadata(), Action::ManageNode, None)
            .await?;
        let request = request.into_inner();
        let card = NodeCard::from_text(&request.card).map_err(|error| invalid("card", &error))?;
        card.compare_fingerprint(&request.fingerprint)
            .map_err(|error| invalid("fingerprint", &error))?;
        let own = *self.0.store.identity();
        if card.origin() == own.origin {
            return Err(Status::failed_precondition(format!(
                "the card is node `{}`'s own",
                own.origin
            )));
        }
        let mut trust = (**self.0.trust.load()).clone();
        trust
            .accept(card.clone())
            .map_err(|refusal| Status::failed_precondition(refusal.to_string()))?;
        let at = now();
        let identity = identity_of(&card)?;
        let bytes = card.to_bytes();
        self.ask(move |store| store.accept_peer(identity, bytes, at))
            .await?;
        self.0.trust.store(trust.into());
        self.0.peers.update();
        info!(peer.id = %card.origin(), "accepted the card of `{}`", card.origin());
        Ok(Response::new(AddPeerResponse {
            peer: Some(show(&card, at)),
        }))
    }

    async fn remove_peer(
        &self,
        request: Request<RemovePeerRequest>,
    ) -> Result<Response<RemovePeerResponse>, Status> {
        self.authorized(request.metadata(), Action::ManageNode, None)
            .await?;
        let name = request.into_inner().origin;
        let origin: NodeId = name.parse().map_err(|error| invalid("origin", &error))?;
        if !self.ask(move |store| store.remove_peer(origin)).await? {
            return Err(Status::not_found(format!(
                "no card of `{origin}` was accepted"
            )));
        }
        let mut trust = (**self.0.trust.load()).clone();
        trust.remove(origin);
        self.0.trust.store(trust.into());
        self.0.peers.update();
        info!(peer.id = %origin, "removed the card of `{origin}`");
        Ok(Response::new(RemovePeerResponse {}))
    }

    async fn get_digests(
        &self,
        request: Request<GetDigestsRequest>,
    ) -> Result<Response<GetDigestsResponse>, Status> {
        self.authorized(request.metadata(), Action::ReadNode, None)
            .await?;
        let digests = self.ask(posko_store::Store::digests).await?;
        let digests = digests.into_iter().map(|digest| wire::ViewDigest {
            view: digest.view.into(),
            origin: digest.origin.to_string(),
            rows: digest.rows,
            sha256: digest.sha256.to_vec(),
        });
        Ok(Response::new(GetDigestsResponse {
            digests: digests.collect(),
            positions: self.positions(),
        }))
    }

    async fn rebuild_views(
        &self,
        request: Request<RebuildViewsRequest>,
    ) -> Result<Response<BoxStream<RebuildViewsResponse>>, Status> {
        self.authorized(request.metadata(), Action::ManageNode, None)
            .await?;
        let (progress, receiver) = mpsc::unbounded_channel();
        self.0
            .store
            .rebuild_views(Box::new(move |step| drop(progress.send(step))));
        let stream = tokio_stream::wrappers::UnboundedReceiverStream::new(receiver).map(|step| {
            let progress = step.map_err(|error| stored(&error))?;
            Ok(RebuildViewsResponse {
                done: progress.done,
                total: progress.total,
                swapped: progress.swapped,
            })
        });
        Ok(Response::new(Box::pin(stream)))
    }

    async fn list_zones(
        &self,
        request: Request<ListZonesRequest>,
    ) -> Result<Response<ListZonesResponse>, Status> {
        self.authorized(request.metadata(), Action::ReadRegion, None)
            .await?;
        let zones = zone::all().iter().map(|zone| wire::Zone {
            id: zone.id.into(),
            name: zone.name.into(),
            regions: zone
                .regencies
                .iter()
                .map(|code| wire::ZoneRegion {
                    code: (*code).into(),
                    name: region::find(code)
                        .map_or_else(String::new, |region| region.name.to_owned()),
                })
                .collect(),
        });
        Ok(Response::new(ListZonesResponse {
            zones: zones.collect(),
        }))
    }
}

/// Returns whose log a card's node writes.
pub(crate) fn identity_of(card: &NodeCard) -> Result<Identity, Status> {
    let recovery =
        posko_ledger::key::PublicKey::from_bytes("card", &card.recovery_key().to_bytes())
            .map_err(|error| internal(&error))?;
    Ok(Identity {
        federation: card.identity().federation.0,
        origin: card.origin(),
        recovery,
    })
}

/// Returns how many entries and seconds the newest head is ahead of what is applied, by the origin's own times.
fn behind(log: &LogState) -> (u64, u64) {
    let Some(best) = log.best.filter(|_| ahead(log)) else {
        return (0, 0);
    };
    // The tree counts openings too, so that across epochs this may be a little more than the entries alone.
    let applied = log.head.map_or(0, |head| head.head.tree_size);
    let entries = best.head.tree_size.saturating_sub(applied);
    let applied_ms = log.last_entry_ms.unwrap_or_default().cast_unsigned();
    (entries, best.head.wall_ms.saturating_sub(applied_ms) / 1000)
}

fn own_behind(own: Option<&LogState>, acknowledged: Option<posko_ledger::epoch::Position>) -> u64 {
    match (own, acknowledged) {
        (Some(own), Some(at)) if at == own.end => 0,
        (Some(own), Some(at)) if at.epoch == own.end.epoch => own.end.seq.saturating_sub(at.seq),
        (Some(own), _) => own.entries,
        (None, _) => 0,
    }
}

fn refused(refused: Refused) -> wire::Refused {
    wire::Refused {
        address: refused.address,
        at: Some(refused.at.into()),
        reason: refused.reason.into(),
        detail: refused.detail,
        times: refused.times,
    }
}

fn show(card: &NodeCard, added_at: Millis) -> wire::Peer {
    wire::Peer {
        origin: card.origin().to_string(),
        role: card.identity().role.into(),
        address: card.address().unwrap_or_default().into(),
        fingerprint: card.fingerprint(),
        added_at: Some(added_at.into()),
    }
}
