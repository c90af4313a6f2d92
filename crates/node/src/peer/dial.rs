//! Dialling one peer for as long as its card is accepted and no session with it is open.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures::StreamExt;
use hyper_util::rt::TokioIo;
use posko_ledger::engine::LaneKind;
use posko_proto::{
    NodeId,
    federation::v1::{
        SessionRequest, federation_service_client::FederationServiceClient, frame::Body,
    },
};
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::{
    sync::{Notify, oneshot},
    time::Instant,
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tonic::transport::{Channel, Endpoint};
use tracing::{debug, error, warn};

use super::{
    Shared,
    lane::Lanes,
    net::{self, Dial},
    random,
    serve::{H2_WINDOW, HANDSHAKE, MAX_MESSAGE, PING, PING_TIMEOUT, farewell},
    session,
};
use crate::{
    identity::{PeerIdentity, Trust, Usage, judge},
    time::unix_now,
};

const FIRST_WAIT: Duration = Duration::from_millis(500);
/// The longest time between the beginnings of two attempts: a link that returns is used again within 5 s.
const LONGEST_WAIT: Duration = Duration::from_secs(4);
/// How long a connection may take to be made. What a link that is down swallows is sent again after 1 s, 3 s and 7 s, so
/// that a longer attempt would sleep through the link's return; a new one is there at once.
const CONNECT: Duration = Duration::from_secs(3);
/// How long a session must have lived for the next to be dialled without a longer wait than the first.
const STEADY: Duration = Duration::from_secs(30);
/// How long a session lives, give or take a fifth.
const MAX_AGE: Duration = Duration::from_hours(12);
/// After how long without contact a person is called.
const ALARM: Duration = Duration::from_mins(5);

/// Dials a peer again and again, until its card is removed or the node stops.
pub(super) async fn run(shared: Arc<Shared>, origin: NodeId, wake: Arc<Notify>) {
    let mut stop = shared.stop.subscribe();
    let dialling = async {
        let mut wait = FIRST_WAIT;
        let mut lost = Instant::now();
        let mut alarmed = false;
        let mut said = String::new();
        let mut was_live = None;
        loop {
            let Some((address, live)) = look(&shared, origin, &wake) else {
                return;
            };
            if let Some((since, dialled)) = live {
                was_live = Some(since);
                (lost, alarmed) = (Instant::now(), false);
                said.clear();
                // Only who dialled makes the next one, before the old one is broken.
                tokio::select! {
                    () = wake.notified() => continue,
                    () = tokio::time::sleep(max_age(since, dialled)) => {}
                }
            } else if address.is_empty() {
                wake.notified().await;
                continue;
            } else if let Some(since) = was_live.take() {
                // A session that ends as soon as it is open must not be made again without a pause.
                wait = if since.elapsed() >= STEADY {
                    FIRST_WAIT
                } else {
                    (wait * 2).min(LONGEST_WAIT)
                };
                pause(
                    &shared,
                    origin,
                    &wake,
                    &address,
                    Instant::now() + drawn(wait),
                )
                .await;
                continue;
            }
            let begun = Instant::now();
            let (network, trust) = (&*shared.network, shared.trust.load_full());
            match connect(network, &shared.client, &trust, origin, &address).await {
                Ok(connection) => {
                    let (running, ended) = oneshot::channel::<()>();
                    let meeting = meet(shared.clone(), origin, connection);
                    // The session outlives this turn of the loop, so that a new one can be made before it is broken.
                    shared.spawn(async move {
                        meeting.await;
                        drop(running);
                    });
                    tokio::select! {
                        () = news(&shared, origin, &wake, &address) => {}
                        _ = ended => {}
                    }
                }
                Err(why) => {
                    let why = format!("`{address}`: {why}");
                    if said == why {
                        debug!(peer.id = %origin, "`{origin}` was not reached at {why}");
                    } else {
                        warn!(peer.id = %origin, "`{origin}` was not reached at {why}");
                        said.clone_from(&why);
                    }
                    shared.not_connected(origin, format!("not reached at {why}"));
                }
            }
            // A session that should be renewed and was not is tried again after a pause as well.
            let newest = look(&shared, origin, &wake).and_then(|(_, live)| live);
            if newest.is_some() && newest != live {
                continue;
            }
            if lost.elapsed() >= ALARM && !alarmed {
                alarmed = true;
                error!(peer.id = %origin, "no contact with `{origin}` for {} minutes", ALARM.as_secs() / 60);
            }
            // Counted from the attempt's beginning: one that hung has waited already.
            pause(&shared, origin, &wake, &address, begun + drawn(wait)).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    };
    tokio::select! {
        () = dialling => {}
        // A registry that is gone stops too.
        _ = stop.wait_for(|stop| *stop) => {}
    }
    if let Some(entry) = shared.lock().get_mut(&origin)
        && Arc::ptr_eq(&entry.wake, &wake)
    {
        entry.dialling = false;
    }
}

/// Waits until a moment, or for news.
async fn pause(shared: &Shared, origin: NodeId, wake: &Arc<Notify>, address: &str, until: Instant) {
    // Both ends of the wait are good.
    let _ = tokio::time::timeout_at(until, news(shared, origin, wake, address)).await;
}

/// Waits until a session is open, the address has changed or the card was removed. A session that came and went meanwhile
/// is none of them: who opens and closes sessions again and again is dialled no sooner for it.
pub(super) async fn news(shared: &Shared, origin: NodeId, wake: &Arc<Notify>, address: &str) {
    loop {
        wake.notified().await;
        let looked = look(shared, origin, wake);
        if looked.is_none_or(|(dialled, live)| live.is_some() || dialled != address) {
            return;
        }
    }
}

/// Returns where the peer is dialled, and since when a session is open and whether this node dialled it; nothing once
/// its card was removed, also when it was accepted again since: then another loop dials it.
fn look(
    shared: &Shared,
    origin: NodeId,
    wake: &Arc<Notify>,
) -> Option<(String, Option<(Instant, bool)>)> {
    let peers = shared.lock();
    let entry = peers
        .get(&origin)
        .filter(|entry| Arc::ptr_eq(&entry.wake, wake))?;
    let live = entry.live.as_ref().map(|live| (live.since, live.dialled));
    Some((entry.state.address.clone(), live))
}

fn max_age(since: Instant, dialled: bool) -> Duration {
    if !dialled {
        return MAX_AGE * 100;
    }
    let least = MAX_AGE.mul_f64(0.8);
    (least + jitter(MAX_AGE.mul_f64(0.4))).saturating_sub(since.elapsed())
}

/// Returns the second half of a wait and a random part of the first.
fn drawn(wait: Duration) -> Duration {
    wait / 2 + jitter(wait / 2)
}

/// Returns a random part of a duration, so that nodes that lost each other at once do not meet at once.
fn jitter(most: Duration) -> Duration {
    let drawn = random::<4>().map_or(u32::MAX, u32::from_be_bytes);
    most.mul_f64(f64::from(drawn) / f64::from(u32::MAX))
}

pub(super) struct Connection {
    pub(super) channel: Channel,
    chain: Arc<Vec<CertificateDer<'static>>>,
    pub(super) verdict: Result<PeerIdentity, crate::identity::Refusal>,
    address: String,
}

pub(super) async fn connect(
    network: &dyn Dial,
    client: &Arc<rustls::ClientConfig>,
    trust: &Trust,
    origin: NodeId,
    address: &str,
) -> Result<Connection, String> {
    let tcp = tokio::time::timeout(CONNECT, network.dial(address.to_owned()))
        .await
        .map_err(|_| format!("no connection within {} s", CONNECT.as_secs()))?
        .map_err(|error| error.to_string())?;
    // The name decides nothing and is not sent: the certificate is judged.
    let name = ServerName::try_from("posko.invalid").map_err(|error| error.to_string())?;
    let tls = tokio::time::timeout(
        HANDSHAKE,
        TlsConnector::from(client.clone()).connect(name, tcp),
    )
    .await
    .map_err(|_| format!("no handshake within {} s", HANDSHAKE.as_secs()))?
    .map_err(|error| format!("the handshake failed: {error}"))?;
    let chain = tls
        .get_ref()
        .1
        .peer_certificates()
        .unwrap_or_default()
        .to_vec();
    let verdict = judge(&chain, trust, Some(origin), Usage::Server, unix_now());
    let channel = open(tls)
        .await
        .map_err(|error| format!("no h2 connection: {error}"))?;
    Ok(Connection {
        channel,
        chain: Arc::new(chain),
        verdict,
        address: address.to_owned(),
    })
}

async fn open(tls: TlsStream<net::Connection>) -> Result<Channel, tonic::transport::Error> {
    // The connection is made: the connector gives it away once, and a channel never dials again by itself.
    let made = Arc::new(Mutex::new(Some(tls)));
    let connector = tower::service_fn(move |_| {
        let taken = made.lock().unwrap_or_else(PoisonError::into_inner).take();
        async move {
            taken
                .map(TokioIo::new)
                .ok_or_else(|| std::io::Error::other("the connection has ended"))
        }
    });
    Endpoint::from_static("http://posko.invalid")
        .initial_connection_window_size(H2_WINDOW)
        .initial_stream_window_size(H2_WINDOW)
        .http2_keep_alive_interval(PING)
        .keep_alive_timeout(PING_TIMEOUT)
        .keep_alive_while_idle(true)
        .connect_with_connector(connector)
        .await
}

/// Runs the session over a connection, or tells the peer why it is refused.
async fn meet(shared: Arc<Shared>, origin: NodeId, connection: Connection) {
    let Connection {
        channel,
        chain,
        verdict,
        address,
    } = connection;
    let mut client = FederationServiceClient::new(channel)
        .max_decoding_message_size(MAX_MESSAGE)
        .max_encoding_message_size(MAX_MESSAGE);
    let lanes = Arc::new(Lanes::default());
    if let Err(refusal) = &verdict {
        shared.refused(Some(origin), &address, refusal);
        // Nothing else was pushed before, so there is room.
        let _ = lanes.push(Body::Bye(refusal.goodbye()), LaneKind::Control);
        lanes.close();
    }
    let outgoing = lanes
        .clone()
        .frames()
        .map(|frame| SessionRequest { frame: Some(frame) });
    // The call is awaited inside the stream, so that the session queues its Hello before: a server may wait for it.
    let frames = futures::stream::once(async move { client.session(outgoing).await })
        .flat_map(|called| match called {
            Ok(response) => response.into_inner().left_stream(),
            Err(status) => futures::stream::once(async move { Err(status) }).right_stream(),
        })
        .map(|message| message.map(|message| message.frame.unwrap_or_default()));
    match verdict {
        Ok(peer) => session::run(shared, peer, address, chain, true, frames, lanes).await,
        Err(_) => {
            if let Some(Body::Bye(bye)) = farewell(frames).await {
                shared.refused_by(origin, bye.reason(), &bye.detail);
            }
        }
    }
}
