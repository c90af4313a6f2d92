//! Taking peers: an accept loop with mutual TLS, and the service behind it.
//!
//! ```text
//!  connection ─▶ place ─▶ handshake ─▶ Session call ─▶ judge ─┬─ accepted ─▶ session, the place is free
//!                                                             └─ refused ─▶ Goodbye, closed
//! ```
//! A connection is a stranger's until its certificate is judged, and strangers have few places: at most
//! [`PLACES_OF_NETWORK`] for a network and [`PLACES`] in all. A newcomer takes the place of the oldest stranger, so that
//! whoever holds places without going on never keeps an accepted peer out.
//! A connection carries one session and ends with it.

use std::{
    collections::VecDeque,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    pin::{Pin, pin},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::{Stream, StreamExt};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
    service::TowerToHyperService,
};
use posko_ledger::{MAX_FRAME_BYTES, engine::LaneKind};
use posko_proto::federation::v1::{
    Frame, SessionRequest, SessionResponse,
    federation_service_server::{FederationService, FederationServiceServer},
    frame::Body,
};
use rustls::{ServerConfig, pki_types::CertificateDer};
use tokio::{
    sync::{Notify, watch},
    time::Instant,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tonic::{Request, Response, Status, Streaming};
use tracing::{debug, warn};

use super::{
    FAREWELL, Shared,
    lane::Lanes,
    net::{self, Incoming},
    session, told,
};
use crate::{
    identity::{Usage, judge},
    time::unix_now,
};

/// How long a TLS handshake may take.
pub(super) const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long a peer may take from the handshake to its Session call.
const CALL: Duration = Duration::from_secs(10);
/// The h2 windows, of a connection and of a stream: what a long link needs.
pub(super) const H2_WINDOW: u32 = 8 * 1024 * 1024;
pub(super) const PING: Duration = Duration::from_secs(15);
pub(super) const PING_TIMEOUT: Duration = Duration::from_secs(10);
/// The largest message: a frame and its envelope.
pub(super) const MAX_MESSAGE: usize = MAX_FRAME_BYTES + 1024;
/// How many strangers' connections one network may have: peers behind one address meet at once after a restart.
const PLACES_OF_NETWORK: usize = 16;
/// How many strangers' connections there may be in all.
const PLACES: usize = 256;
/// How often the log warns of strangers; what comes between is at level debug.
const WARNING: Duration = Duration::from_mins(1);

/// Takes peers until the node stops.
pub(super) async fn run(shared: Arc<Shared>, mut incoming: Incoming, config: Arc<ServerConfig>) {
    let acceptor = TlsAcceptor::from(config);
    let strangers = Arc::new(Strangers::default());
    let mut stop = shared.stop.subscribe();
    loop {
        let taken = tokio::select! {
            Some(taken) = incoming.next() => taken,
            // A registry that is gone stops too.
            _ = stop.wait_for(|stop| *stop) => return,
        };
        match taken {
            Ok((tcp, address)) => {
                let place = strangers.clone().take(address.ip());
                let serving = take(shared.clone(), tcp, address, acceptor.clone(), place);
                shared.spawn(serving);
            }
            Err(cause) => {
                // Out of file descriptors, as a rule: it passes when others close.
                if strangers.warns() {
                    warn!(%cause, "a peer could not be taken");
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// Serves a connection until its session has ended, it was refused, or another stranger took its place.
async fn take(
    shared: Arc<Shared>,
    tcp: net::Connection,
    address: SocketAddr,
    acceptor: TlsAcceptor,
    place: Place,
) {
    let lost = place.lost.clone();
    let serving = async {
        match tokio::time::timeout(HANDSHAKE, acceptor.accept(tcp)).await {
            Ok(Ok(tls)) => serve(shared, tls, address, place).await,
            Ok(Err(cause)) if place.strangers.warns() => {
                warn!(peer.address = %address, %cause, "the handshake with `{address}` failed: {cause}");
            }
            Ok(Err(cause)) => {
                debug!(peer.address = %address, %cause, "the handshake with `{address}` failed: {cause}");
            }
            Err(_) => {
                debug!(peer.address = %address, "the handshake with `{address}` took longer than {} s", HANDSHAKE.as_secs());
            }
        }
    };
    tokio::select! {
        () = serving => {}
        () = lost.notified() => {}
    }
}

async fn serve(
    shared: Arc<Shared>,
    tls: TlsStream<net::Connection>,
    address: SocketAddr,
    place: Place,
) {
    let chain = tls.get_ref().1.peer_certificates().unwrap_or_default();
    let (stage, mut reached) = watch::channel(Stage::Silent);
    let mut stop = shared.stop.subscribe();
    let service = FederationServiceServer::new(Service {
        shared,
        chain: Arc::new(chain.to_vec()),
        address,
        stage,
    })
    .max_decoding_message_size(MAX_MESSAGE)
    .max_encoding_message_size(MAX_MESSAGE);
    let mut builder = auto::Builder::new(TokioExecutor::new()).http2_only();
    builder
        .http2()
        .timer(TokioTimer::new())
        .initial_connection_window_size(H2_WINDOW)
        .initial_stream_window_size(H2_WINDOW)
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING_TIMEOUT)
        .max_concurrent_streams(1);
    let mut connection =
        pin!(builder.serve_connection(TokioIo::new(tls), TowerToHyperService::new(service)));
    let ending = async {
        let call = reached.wait_for(|stage| *stage != Stage::Silent);
        match tokio::time::timeout(CALL, call)
            .await
            .map(|call| call.map(|stage| *stage))
        {
            Ok(Ok(Stage::Accepted)) => drop(place),
            Ok(_) => {}
            Err(_) => {
                debug!(peer.address = %address, "`{address}` opened no session within {} s", CALL.as_secs());
                return;
            }
        }
        // A service that is gone has ended too.
        let _ = reached.wait_for(|stage| *stage == Stage::Ended).await;
    };
    tokio::select! {
        ended = connection.as_mut() => {
            if let Err(cause) = ended {
                debug!(peer.address = %address, %cause, "the connection of `{address}` ended: {cause}");
            }
            return;
        }
        () = ending => {}
        // A registry that is gone stops too.
        _ = stop.wait_for(|stop| *stop) => {}
    }
    connection.as_mut().graceful_shutdown();
    // What does not end is left.
    let _ = tokio::time::timeout(FAREWELL, connection).await;
}

/// How far a connection has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// No Session call came.
    Silent,
    /// The certificate was refused; the Goodbye is on its way.
    Refused,
    /// The certificate was accepted; a session runs.
    Accepted,
    /// Nothing more is to be said.
    Ended,
}

/// What one connection is served by.
struct Service {
    shared: Arc<Shared>,
    /// What the peer proved to hold the key of.
    chain: Arc<Vec<CertificateDer<'static>>>,
    address: SocketAddr,
    stage: watch::Sender<Stage>,
}

#[tonic::async_trait]
impl FederationService for Service {
    type SessionStream = Pin<Box<dyn Stream<Item = Result<SessionResponse, Status>> + Send>>;

    async fn session(
        &self,
        request: Request<Streaming<SessionRequest>>,
    ) -> Result<Response<Self::SessionStream>, Status> {
        let Self {
            shared,
            chain,
            address,
            stage,
        } = self;
        let verdict = judge(chain, &shared.trust.load(), None, Usage::Client, unix_now());
        let first = stage.send_if_modified(|stage| {
            let first = *stage == Stage::Silent;
            if first {
                *stage = verdict.as_ref().map_or(Stage::Refused, |_| Stage::Accepted);
            }
            first
        });
        if !first {
            return Err(Status::failed_precondition(
                "a connection carries one session, and this one had it",
            ));
        }
        let frames = request
            .into_inner()
            .map(|message| message.map(|message| message.frame.unwrap_or_default()));
        let lanes = Arc::new(Lanes::default());
        let outgoing = lanes
            .clone()
            .frames()
            .map(|frame| Ok(SessionResponse { frame: Some(frame) }));
        let stage = stage.clone();
        match verdict {
            Ok(peer) => {
                let (own, address) = (shared.clone(), address.to_string());
                let running = session::run(own, peer, address, chain.clone(), false, frames, lanes);
                shared.spawn(async move {
                    running.await;
                    stage.send_replace(Stage::Ended);
                });
            }
            Err(refusal) => {
                let address = address.to_string();
                shared.refused(None, &address, &refusal);
                // Nothing else was pushed before, so there is room.
                let _ = lanes.push(Body::Bye(refusal.goodbye()), LaneKind::Control);
                lanes.close();
                shared.spawn(async move {
                    if let Some(Body::Bye(bye)) = farewell(frames).await {
                        let (reason, detail) = (told(bye.reason()), bye.detail);
                        debug!(peer.address = %address, reason, "refused by the peer at `{address}` too: {detail}");
                    }
                    stage.send_replace(Stage::Ended);
                });
            }
        }
        // The stream is returned before anything is read: two nodes that wait for each other's first frame never meet.
        Ok(Response::new(Box::pin(outgoing)))
    }
}

/// Reads until the peer ends, and returns its Goodbye: a stream dropped at once could take ours with it.
pub(super) async fn farewell(frames: impl Stream<Item = Result<Frame, Status>>) -> Option<Body> {
    let mut frames = std::pin::pin!(frames);
    let mut bye = None;
    let reading = async {
        while let Some(Ok(frame)) = frames.next().await {
            if let Some(body @ Body::Bye(_)) = frame.body {
                bye = Some(body);
            }
        }
    };
    // A peer that does not end is left.
    let _ = tokio::time::timeout(FAREWELL, reading).await;
    bye
}

/// The connections whose peer is not accepted, oldest first.
#[derive(Default)]
struct Strangers {
    places: Mutex<VecDeque<(IpAddr, Arc<Notify>)>>,
    warned: Mutex<Option<Instant>>,
}

/// A stranger's place, free once it is dropped.
struct Place {
    strangers: Arc<Strangers>,
    /// Told when another stranger takes the place.
    lost: Arc<Notify>,
}

impl Strangers {
    fn take(self: Arc<Self>, address: IpAddr) -> Place {
        let network = network(address);
        let lost = Arc::new(Notify::new());
        let mut places = self.lock();
        let of_network = || places.iter().filter(|(other, _)| *other == network);
        let full = if of_network().count() >= PLACES_OF_NETWORK {
            places.iter().position(|(other, _)| *other == network)
        } else {
            (places.len() >= PLACES).then_some(0)
        };
        if let Some((network, oldest)) = full.and_then(|at| places.remove(at)) {
            oldest.notify_one();
            let limits = format!("{PLACES_OF_NETWORK} of a network and {PLACES} in all may wait");
            if self.warns() {
                warn!(peer.address = %network, "closed the oldest connection from `{network}` that was not accepted yet: {limits}");
            } else {
                debug!(peer.address = %network, "closed the oldest connection from `{network}` that was not accepted yet: {limits}");
            }
        }
        places.push_back((network, lost.clone()));
        drop(places);
        Place {
            strangers: self,
            lost,
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(IpAddr, Arc<Notify>)>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says whether a warning is due, so that strangers do not fill the log.
    fn warns(&self) -> bool {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        let due = warned.is_none_or(|at| at.elapsed() >= WARNING);
        if due {
            *warned = Some(Instant::now());
        }
        due
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.strangers
            .lock()
            .retain(|(_, lost)| !Arc::ptr_eq(lost, &self.lost));
    }
}

/// Returns what one stranger can have many addresses of: an IPv4 address, the first half of an IPv6 address.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use futures::poll;

    use super::*;

    async fn is_lost(place: &Place) -> bool {
        poll!(pin!(place.lost.notified())).is_ready()
    }

    #[tokio::test]
    async fn a_stranger_who_holds_all_places_of_its_network_loses_the_oldest_and_touches_no_other()
    {
        let strangers = Arc::new(Strangers::default());
        let take = |address: &str| strangers.clone().take(address.parse().unwrap());
        let other = take("192.0.2.1");
        let mut held: Vec<Place> = (0..PLACES_OF_NETWORK)
            .map(|host| take(&format!("2001:db8::{host}")))
            .collect();
        held.push(take("2001:db8::ffff"));
        let mut lost = Vec::new();
        for place in &held {
            lost.push(is_lost(place).await);
        }
        assert_eq!(lost.iter().filter(|lost| **lost).count(), 1);
        assert!(lost[0]);
        assert!(!is_lost(&other).await);

        // A place that was given back is free.
        drop(held.pop());
        held.push(take("2001:db8::ffff"));
        assert!(!is_lost(&held[1]).await);
    }

    #[tokio::test]
    async fn strangers_of_many_networks_lose_the_oldest_place_of_all() {
        let strangers = Arc::new(Strangers::default());
        let take = |host: u32| strangers.clone().take(IpAddr::from(host.to_be_bytes()));
        let held: Vec<Place> = (0..PLACES as u32).map(take).collect();
        assert!(!is_lost(&held[0]).await);
        let newest = take(PLACES as u32);
        assert!(is_lost(&held[0]).await);
        assert!(!is_lost(&held[1]).await && !is_lost(&newest).await);
    }
}
