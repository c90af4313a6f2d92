//! What the node tells its operators about itself.

use std::sync::PoisonError;

use posko_domain::{
    account::{AccountCommand, Action},
    code::Refusal,
    region, zone,
};
use posko_ledger::{
    chain::Identity,
    engine::{
        Reach,
        source::{Source, Why},
    },
};
use posko_proto::{
    NodeId,
    common::v1::{self as common, LinkState},
    federation::v1::{
        self as wire, AcceptRiskRequest, AcceptRiskResponse, AddPeerRequest, AddPeerResponse,
        BlobStatus, Copy, GetCardRequest, GetCardResponse, GetDigestsRequest, GetDigestsResponse,
        GetStatusRequest, GetStatusResponse, ListPeersRequest, ListPeersResponse, ListZonesRequest,
        ListZonesResponse, OriginState, OriginStatus, PeerStatus, RebuildViewsRequest,
        RebuildViewsResponse, RemovePeerRequest, RemovePeerResponse, SourceReason, StandingState,
        WatchLogsRequest, WatchLogsResponse, node_service_server::NodeService,
    },
    time::Millis,
};
use posko_store::{
    Command, LogState, Standing, Store, StoreError,
    gap::{OtherBranch, Withheld},
};
use tokio::sync::mpsc;
use tokio_stream::{StreamExt, wrappers::ReceiverStream};
use tonic::{Request, Response, Status, codegen::BoxStream};
use tracing::info;

use super::{
    Api, Asked, Framed, Shared, ahead, digest, internal, invalid, outcome, position, stored,
};
use crate::{
    backup,
    identity::{NodeCard, Trust},
    peer::{PeerState, Refused},
    time::now,
};

/// What is asked of the store about one log.
struct Told {
    unfolded: [u64; 3],
    payloads_missing: u64,
    withheld: Option<Withheld>,
    other_branches: Vec<OtherBranch>,
    /// How far each accepted peer has it, and by how many entries that is behind.
    reaches: Vec<(NodeId, Option<Reach>, Option<u64>)>,
}

impl Api {
    fn origin_status(&self, log: &LogState, told: Told) -> OriginStatus {
        let Told {
            unfolded,
            payloads_missing,
            withheld,
            other_branches,
            reaches,
        } = told;
        let link = self.link(log.origin, Some(log));
        let source = self.0.peers.source(log.origin);
        let peers = self.0.peers.status();
        let peer = peers.into_iter().find(|peer| peer.origin == log.origin);
        let (reason, since) = source_reason(link, source, peer.as_ref());
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
            source: source.map_or_else(String::new, |source| source.peer.to_string()),
            why: self.why(link, peer.as_ref()),
            unknown_events,
            refused_events,
            source_reason: reason.into(),
            source_since: since.map(Into::into),
            source_lacks: source.map_or(0, |source| source.lacks),
            payloads_missing,
            withheld_entries: withheld.map_or(0, |withheld| withheld.entries),
            withheld_since: withheld.map(|withheld| withheld.since.into()),
            other_branch_entries: other_branches.iter().map(|other| other.entries).sum(),
            state: match log.quarantine {
                Some(_) => OriginState::Quarantined.into(),
                None => OriginState::Ok.into(),
            },
            forked_at: log.quarantine.map(|fork| common::Position {
                origin: log.origin.to_string(),
                epoch_no: fork.at.epoch.no,
                epoch_nonce: fork.at.epoch.nonce.to_vec(),
                seq: fork.at.seq,
                hash: Vec::new(),
            }),
            quarantined_since: log.quarantine.map(|fork| fork.since.into()),
            reaches: (reaches.into_iter())
                .map(|(peer, reach, behind)| {
                    let behind = behind.filter(|_| link != LinkState::Unknown);
                    wire::Reach {
                        peer: peer.to_string(),
                        position: reach.filter(|reach| reach.seq > 0).map(|reach| {
                            common::Position {
                                origin: log.origin.to_string(),
                                epoch_no: reach.epoch.no,
                                epoch_nonce: reach.epoch.nonce.to_vec(),
                                seq: reach.seq,
                                hash: Vec::new(),
                            }
                        }),
                        entries_behind: behind.unwrap_or_default(),
                        known: behind.is_some(),
                    }
                })
                .collect(),
        }
    }

    /// Returns how far each accepted peer has a log, by its word; none while no session with it is open.
    fn reaches(&self, log: &LogState, peers: &[PeerState]) -> Vec<(NodeId, Option<Reach>)> {
        let own = log.origin == self.own();
        let reach = |peer: &PeerState| {
            let held = self.0.peers.held_by(peer.origin, log.origin)?;
            if own {
                return self.own_reach(peer);
            }
            // A head comes before the next heartbeat, and its origin has what it says.
            let signed = (log.best.filter(|_| peer.origin == log.origin))
                .map(|best| best.head.position.into());
            Some(held.max(signed.unwrap_or_default()))
        };
        peers
            .iter()
            .map(|peer| (peer.origin, reach(peer)))
            .collect()
    }

    /// Returns how far a peer has this node's log, by its word, also by one that was given before its session ended.
    fn own_reach(&self, peer: &PeerState) -> Option<Reach> {
        // Acknowledgments come before the next heartbeat.
        let held = self.0.peers.held_by(peer.origin, self.own());
        held.max(peer.acknowledged.map(Reach::from))
    }

    /// Tells in words why a picture is behind or unknown.
    fn why(&self, link: LinkState, peer: Option<&PeerState>) -> String {
        match link {
            LinkState::Own | LinkState::Live | LinkState::Unspecified => String::new(),
            LinkState::Behind => {
                let paused = self.0.disk.borrow().no_entries();
                paused.unwrap_or_else(|| "catching up".into())
            }
            LinkState::Unknown => match peer {
                None => "its card was removed".into(),
                Some(peer) if peer.connected => "connected, waiting for a signed head".into(),
                Some(peer) if peer.why.is_empty() => "no session yet".into(),
                Some(peer) => peer.why.clone(),
            },
        }
    }

    /// Changes the accepted cards, stored and in use, as one: changes made at once follow each other, and a caller who
    /// goes away leaves none half made.
    async fn change_cards(
        &self,
        change: impl FnOnce(&Store, &mut Trust) -> Result<(), Status> + Send + 'static,
    ) -> Result<(), Status> {
        let api = self.clone();
        let changed = tokio::task::spawn_blocking(move || {
            let Shared {
                cards,
                store,
                trust,
                peers,
                ..
            } = &*api.0;
            let _one = cards.lock().unwrap_or_else(PoisonError::into_inner);
            let mut changed = (**trust.load()).clone();
            change(store, &mut changed)?;
            trust.store(changed.into());
            peers.update();
            Ok(())
        });
        changed.await.map_err(|error| internal(&error))?
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
        let states = self.0.peers.status();
        let mut origins = Vec::with_capacity(logs.len());
        for log in &logs {
            let (asked, reaches) = (log.clone(), self.reaches(log, &states));
            let classes = self.0.peers.classes();
            let told = self
                .ask(move |store| {
                    let reaches = reaches.into_iter().map(|(peer, reach)| {
                        let behind = reach.map(|reach| reach_behind(store, &asked, reach));
                        Ok((peer, reach, behind.transpose()?.flatten()))
                    });
                    let (withheld, other_branches) = store.left_out(asked.origin)?;
                    Ok(Told {
                        unfolded: store.unfolded(asked.origin)?,
                        payloads_missing: store.count_missing(asked.origin, classes)?,
                        withheld,
                        other_branches,
                        reaches: reaches.collect::<Result<_, StoreError>>()?,
                    })
                })
                .await?;
            origins.push(self.origin_status(log, told));
        }
        let identity = self.0.store.identity();
        let own = logs
            .iter()
            .find(|log| log.origin == identity.origin)
            .cloned();
        let reaches: Vec<Option<Reach>> = states.iter().map(|peer| self.own_reach(peer)).collect();
        let behind = self.ask(move |store| {
            let behind = reaches
                .into_iter()
                .map(|reach| own_behind(store, own.as_ref(), reach));
            behind.collect::<Result<Vec<u64>, StoreError>>()
        });
        let behind = behind.await?;
        let peers = states
            .into_iter()
            .zip(behind)
            .map(|(peer, behind)| PeerStatus {
                origin: peer.origin.to_string(),
                address: peer.address,
                connected: peer.connected,
                since: Some(peer.since.into()),
                why: peer.why,
                round_trip_ms: peer.round_trip_ms,
                clock_skew_ms: peer.clock_skew_ms,
                own_entries_behind: behind,
                acknowledged: peer.acknowledged.map(|at| position(identity.origin, at)),
            });
        let reason = self.not_writing().unwrap_or_default();
        let files = self.ask(Store::blob_stock).await?;
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
            standing: Some(standing(self.0.store.standing())),
            youngest_copy: backup::youngest(&self.0.dir).map(|made| Copy {
                made_at: Some(Millis(made.made_ms).into()),
                end: made.end().map(|end| position(identity.origin, end)),
            }),
            blobs: Some(BlobStatus {
                named: files.named,
                held: files.held,
                held_bytes: files.bytes,
                wanted: self.0.peers.blobs_wanted(),
            }),
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
        let at = now();
        let accepted = card.clone();
        self.change_cards(move |store, trust| {
            let (identity, bytes) = (identity_of(&accepted)?, accepted.to_bytes());
            trust
                .accept(accepted)
                .map_err(|refusal| Status::failed_precondition(refusal.to_string()))?;
            store
                .accept_peer(identity, bytes, at)
                .map_err(|error| stored(&error))
        })
        .await?;
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
        self.change_cards(move |store, trust| {
            trust.remove(origin);
            let removed = store.remove_peer(origin).map_err(|error| stored(&error))?;
            removed
                .then_some(())
                .ok_or_else(|| Status::not_found(format!("no card of `{origin}` was accepted")))
        })
        .await?;
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

    async fn accept_risk(
        &self,
        request: Request<AcceptRiskRequest>,
    ) -> Result<Response<AcceptRiskResponse>, Status> {
        let actor = self
            .authorized(request.metadata(), Action::AcceptRisk, None)
            .await?;
        let request = request.into_inner();
        let command = AccountCommand::parse_accept_risk(&request.reason)
            .map_err(|rejection| super::refused(&Refusal::from(rejection)))?;
        let accepted = self
            .execute(Asked {
                framed: Framed::parse(request.meta.as_ref())?,
                digest: digest("AcceptRisk", &request),
                stream: actor.account,
                authority: actor.into(),
                command: Command::Account(command),
                credential: None,
            })
            .await?;
        Ok(Response::new(AcceptRiskResponse {
            outcome: Some(outcome(self.own(), &accepted)),
        }))
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

fn standing(standing: Standing) -> wire::Standing {
    match standing {
        Standing::Clean => wire::Standing {
            state: StandingState::Clean.into(),
            ..wire::Standing::default()
        },
        Standing::Unproven {
            why,
            waiting,
            since,
            risk_accepted,
        } => wire::Standing {
            state: StandingState::Unproven.into(),
            why,
            since: Some(since.into()),
            waiting: waiting.iter().map(ToString::to_string).collect(),
            risk_accepted: risk_accepted.is_some(),
            risk_accepted_by: risk_accepted
                .map(|risk| risk.by.to_vec())
                .unwrap_or_default(),
            risk_accepted_at: risk_accepted.map(|risk| risk.at.into()),
        },
        Standing::Fenced { why, since } => wire::Standing {
            state: StandingState::Fenced.into(),
            why,
            since: Some(since.into()),
            ..wire::Standing::default()
        },
    }
}

/// Returns why a log comes through its source, or through nobody, and since when.
fn source_reason(
    link: LinkState,
    source: Option<Source>,
    peer: Option<&PeerState>,
) -> (SourceReason, Option<Millis>) {
    let lost = peer.filter(|peer| !peer.connected).map(|peer| peer.since);
    match source {
        _ if link == LinkState::Own => (SourceReason::Unspecified, None),
        None => (SourceReason::NotConnected, lost),
        Some(source) => {
            let since = Some(Millis(source.since_ms));
            match source.why {
                Why::Direct => (SourceReason::Direct, since),
                Why::NotConnected => (SourceReason::NotConnected, lost.or(since)),
                Why::Stalled => (SourceReason::Stalled, since),
                Why::Behind => (SourceReason::Behind, since),
            }
        }
    }
}

/// Returns how many entries and seconds the newest head is ahead of what is applied, by the origin's own times.
fn behind(log: &LogState) -> (u64, u64) {
    let Some(best) = log.best.filter(|_| ahead(log)) else {
        return (0, 0);
    };
    // The tree counts openings too, so that across epochs this may be a little more than the entries alone.
    let applied = log.head.map_or(0, |head| head.head.tree_size);
    // What went another way can be as long as what is here, and is not here all the same.
    let entries = best.head.tree_size.saturating_sub(applied).max(1);
    let applied_ms = log.last_entry_ms.unwrap_or_default().cast_unsigned();
    (entries, best.head.wall_ms.saturating_sub(applied_ms) / 1000)
}

/// Returns how many entries the newest head known of a log is ahead of what a peer has of it; none when the peer is on no
/// path that is held here.
fn reach_behind(store: &Store, log: &LogState, reach: Reach) -> Result<Option<u64>, StoreError> {
    let best = log.best.map(|head| head.head.position.into());
    let newest = Reach::from(log.end).max(best.unwrap_or_default());
    if reach >= newest {
        return Ok(Some(0));
    }
    if reach.epoch == newest.epoch {
        return Ok(Some(newest.seq - reach.seq));
    }
    let (to_come, _) = behind(log);
    let after = store.entries_after(log.origin, reach)?;
    Ok(after.map(|after| after + to_come))
}

/// Returns how many entries of this node's log a peer is not known to have: all, where nothing is known of it or it is on
/// no path that is held here.
fn own_behind(
    store: &Store,
    own: Option<&LogState>,
    reach: Option<Reach>,
) -> Result<u64, StoreError> {
    let Some(own) = own else {
        return Ok(0);
    };
    let behind = reach.map(|reach| reach_behind(store, own, reach));
    Ok(behind.transpose()?.flatten().unwrap_or(own.entries))
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

#[cfg(test)]
pub(super) mod tests {
    use std::sync::Arc;

    use futures::future::join_all;
    use posko_proto::{
        account::v1::{AddAccountRequest, account_service_server::AccountService},
        common::v1::CommandMeta,
        federation::v1::NodeRole,
    };
    use tokio::sync::{Semaphore, watch};
    use tonic::Code;

    use super::*;
    use crate::{
        api::{Callers, Passwords, Throttle, auth_token_hash},
        identity::Keys,
        peer::tests::{FEDERATION, Node},
        time::unix_now,
    };

    pub(in crate::api) async fn started() -> (Node, Api) {
        let mut node = Node::new("31", FEDERATION).await;
        node.start();
        let api = api_of(&node, watch::channel(0).1);
        (node, api)
    }

    /// Returns the services over a node; who watches is told by `moved`.
    pub(in crate::api) fn api_of(node: &Node, moved: watch::Receiver<u64>) -> Api {
        let shared = Shared {
            store: node.store.clone(),
            trust: node.trust.clone(),
            peers: node.peers.clone().unwrap(),
            own_warnings: crate::api::OwnWarnings::default(),
            feeds: Arc::default(),
            card: None,
            dir: std::path::PathBuf::new(),
            console: auth_token_hash("console"),
            started_at: now(),
            moved,
            not_writing: node.not_writing.clone(),
            disk: node.disk.subscribe(),
            cards: std::sync::Mutex::default(),
            logins: Throttle::default(),
            callers: Callers::default(),
            passwords: Passwords::default(),
            max_blob_bytes: 1 << 20,
            uploads: Semaphore::new(1),
            importing: Arc::new(Semaphore::new(1)),
        };
        Api(Arc::new(shared))
    }

    fn asked<T>(message: T) -> Request<T> {
        asked_by(message, "console")
    }

    pub(in crate::api) fn asked_by<T>(message: T, token: &str) -> Request<T> {
        let mut request = Request::new(message);
        let token = format!("Bearer {token}").parse().unwrap();
        request.metadata_mut().insert("authorization", token);
        request
    }

    /// Makes a card of a node that only dials.
    fn card(origin: &str) -> NodeCard {
        let dir = tempfile::tempdir().unwrap();
        let origin = origin.parse().unwrap();
        let keys = Keys::create(
            dir.path(),
            FEDERATION,
            origin,
            NodeRole::Node,
            &[],
            unix_now(),
        );
        keys.unwrap().make_card("").unwrap()
    }

    async fn add(api: &Api, card: &NodeCard) -> Result<(), Status> {
        let request = AddPeerRequest {
            card: card.to_text(),
            fingerprint: card.fingerprint(),
        };
        api.add_peer(asked(request)).await.map(drop)
    }

    async fn remove(api: &Api, origin: &str) -> Result<(), Status> {
        let origin = origin.into();
        let request = RemovePeerRequest { origin };
        api.remove_peer(asked(request)).await.map(drop)
    }

    async fn status(api: &Api) -> GetStatusResponse {
        let status = api.get_status(asked(GetStatusRequest::default())).await;
        status.unwrap().into_inner()
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn cards_accepted_and_removed_at_once_are_all_taken_into_use() {
        let (mut node, api) = started().await;
        add(&api, &card("11")).await.unwrap();
        let names = ["12", "13", "14", "15", "16", "17"];
        let cards: Vec<NodeCard> = names.map(card).into();
        let (added, removed) = tokio::join!(
            join_all(cards.iter().map(|card| add(&api, card))),
            remove(&api, "11")
        );
        removed.unwrap();
        for added in added {
            added.unwrap();
        }
        let peers = status(&api).await.peers;
        let in_use: Vec<&str> = peers.iter().map(|peer| peer.origin.as_str()).collect();
        assert_eq!(in_use, names);
        node.stop().await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_card_with_another_recovery_key_is_refused_with_what_to_do_instead() {
        let (mut node, api) = started().await;
        let first = card("32");
        add(&api, &first).await.unwrap();
        for removed in [false, true] {
            let refused = add(&api, &card("32")).await.unwrap_err();
            assert_eq!(refused.code(), Code::FailedPrecondition);
            let told = refused.message();
            assert!(told.contains("`32`"), "{told}");
            assert!(told.contains("joins under a new origin name"), "{told}");
            if !removed {
                remove(&api, "32").await.unwrap();
            }
        }
        assert_eq!(status(&api).await.peers, []);
        add(&api, &first).await.unwrap();
        node.stop().await;
    }

    /// Waits until the status says by how many entries a peer is behind with a log; none for unknown.
    async fn until_behind(api: &Api, log: &str, peer: &str, behind: Option<u64>) {
        let begun = std::time::Instant::now();
        loop {
            let origins = status(api).await.origins;
            let log = origins.into_iter().find(|told| told.origin == log);
            let told = log.unwrap().reaches.into_iter().find(|it| it.peer == peer);
            let told = told.unwrap();
            let shown = told.known.then_some(told.entries_behind);
            if shown == behind {
                return;
            }
            assert!(
                begun.elapsed() < std::time::Duration::from_mins(1),
                "{shown:?} instead of {behind:?}"
            );
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }

    /// Waits until a log has so many entries here; its origin is never shown as behind with it.
    async fn until_applied(api: &Api, origin: &str, entries: u64) {
        let begun = std::time::Instant::now();
        loop {
            let origins = status(api).await.origins;
            let log = origins.into_iter().find(|told| told.origin == origin);
            let log = log.unwrap();
            let own = log.reaches.iter().find(|it| it.peer == origin).unwrap();
            assert_eq!(own.entries_behind, 0, "{log:?}");
            if log.entries >= entries {
                return;
            }
            assert!(
                begun.elapsed() < std::time::Duration::from_mins(1),
                "{log:?}"
            );
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_status_says_how_far_each_peer_is_behind_with_each_log_and_not_while_it_is_away() {
        let (mut a, api) = started().await;
        let (mut b, mut c) = (
            Node::new("32", FEDERATION).await,
            Node::new("36", FEDERATION).await,
        );
        for (one, other) in [(&a, &b), (&a, &c), (&b, &c)] {
            one.accept(&other.card);
            other.accept(&one.card);
        }
        until_behind(&api, "32", "36", None).await;

        // A node without room on its disk hears heads and takes no entries.
        c.disk.send_modify(|disk| *disk = disk.with(499));
        b.start();
        c.start();
        for number in 1..=3 {
            b.report(number).await;
            a.report(1000 + number).await;
            until_applied(&api, "32", number.into()).await;
        }
        for log in ["31", "32"] {
            until_behind(&api, log, "32", Some(0)).await;
            until_behind(&api, log, "36", Some(3)).await;
        }
        c.disk.send_modify(|disk| *disk = disk.with(2000));
        for log in ["31", "32"] {
            until_behind(&api, log, "36", Some(0)).await;
        }

        c.stop().await;
        for log in ["31", "32"] {
            until_behind(&api, log, "36", None).await;
            until_behind(&api, log, "32", Some(0)).await;
        }
        b.stop().await;
        a.stop().await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_full_disk_stops_commands_with_the_reason_until_there_is_room() {
        let (mut node, api) = started().await;
        let command = async || {
            let request = AddAccountRequest {
                meta: Some(CommandMeta {
                    command_id: vec![1; 16],
                    ..CommandMeta::default()
                }),
                login: "piket".into(),
                password: "kata sandi yang panjang".into(),
                grants: Vec::new(),
            };
            api.add_account(asked(request)).await
        };
        node.disk.send_modify(|disk| *disk = disk.with(499));
        let told = status(&api).await;
        assert!(!told.writing);
        assert!(told.not_writing_because.contains("the disk has"));
        let refused = command().await.unwrap_err();
        assert_eq!(refused.code(), Code::Unavailable);
        assert_eq!(refused.message(), told.not_writing_because);

        // Half of the floor is enough for commands.
        node.disk.send_modify(|disk| *disk = disk.with(600));
        assert!(status(&api).await.writing);
        command().await.unwrap();
        node.stop().await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_peer_that_has_all_of_an_earlier_start_is_behind_by_what_came_after_alone() {
        let mut node = Node::new("31", FEDERATION).await;
        for number in [1, 2] {
            node.report(number).await;
        }
        let had = node.store.log(node.origin).unwrap();
        node.reopen();
        node.report(3).await;
        let own = node.store.log(node.origin).unwrap();
        assert_ne!(had.end.epoch, own.end.epoch);
        let behind = |reach| own_behind(&node.store, Some(&own), reach).unwrap();
        let after = own.entries - had.entries;
        assert_eq!(behind(Some(had.end.into())), after);
        let before = Reach {
            seq: had.end.seq - 1,
            ..had.end.into()
        };
        assert_eq!(behind(Some(before)), after + 1);
        assert_eq!(behind(Some(own.end.into())), 0);
        assert_eq!(behind(Some(Reach::default())), own.entries);
        assert_eq!(behind(None), own.entries);
    }
}
