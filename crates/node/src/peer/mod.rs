//! Sessions with the peers: who is connected, who is dialled, who was refused and why.
//!
//! ```text
//!             ┌─ dial ──┐                       ┌─ engine ─┐
//!  peer ◀─TLS─┤         ├─▶ judge ─▶ register ─▶│ session  │◀─▶ store
//!             └─ serve ─┘                       └─ lanes ──┘
//! ```
//! What it never does: decide a rule of the protocol; those are the engine's.

mod blob;
mod dial;
mod fork;
mod lane;
mod mail;
pub(crate) mod net;
pub(crate) mod probe;
mod route;
mod serve;
mod session;
#[cfg(test)]
mod simulation;
#[cfg(test)]
pub(crate) mod tests;

pub use self::{
    blob::{Asked as BlobAsked, NotWanted},
    mail::{MailKeys, Received, SendError},
};

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    time::Duration,
};

use arc_swap::ArcSwap;
use posko_ledger::{
    engine::{
        Reach, classes_of,
        source::{Source, Sources},
    },
    epoch::Position,
};
use posko_proto::{NodeId, federation::v1::GoodbyeReason, time::Millis};
use posko_store::Store;
use rustls::pki_types::{CertificateDer, UnixTime};
use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
    time::Instant,
};
use tracing::{debug, error, info, warn};

use self::{
    blob::Fetches,
    mail::Mail,
    net::{Dial, Incoming},
};
use crate::{
    disk::Disk,
    identity::{PeerIdentity, Refusal, ReloadingKey, Trust, Usage, judge},
    time::{now, shown, unix_now},
};

/// For how long a run that was heard is taken to be alive: a heartbeat and a second.
const ALIVE: Duration = Duration::from_secs(6);
/// How often the certificates of open sessions are judged again.
const SWEEP: Duration = Duration::from_mins(1);
/// How long stopping waits for the Goodbyes to leave.
const FAREWELL: Duration = Duration::from_secs(2);

/// What the sessions need.
pub struct PeersConfig {
    /// The store.
    pub store: Store,
    /// The accepted cards; after a change [`Peers::update`] is called.
    pub trust: Arc<ArcSwap<Trust>>,
    /// The node's certificate.
    pub key: ReloadingKey,
    /// How peers are dialled.
    pub network: Arc<dyn Dial>,
    /// The peers that dial.
    pub incoming: Incoming,
    /// This node.
    pub own: PeerIdentity,
    /// By which it speaks for itself, and reads what is sealed to it.
    pub mail: MailKeys,
    /// The program's version, for people.
    pub software: String,
    /// Why no commands are taken; set when a peer knows more of the own log than this node.
    pub not_writing: Arc<RwLock<String>>,
    /// The disk's free space: while it is short, no entries are taken.
    pub disk: watch::Receiver<Disk>,
    /// The most bytes of a file that is fetched.
    pub max_blob_bytes: u64,
}

/// How it stands with an accepted peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerState {
    /// The peer.
    pub origin: NodeId,
    /// Where it is dialled; empty when it only dials.
    pub address: String,
    /// Whether a session is open.
    pub connected: bool,
    /// When the session opened or closed.
    pub since: Millis,
    /// The reason of the last refusal, loss or goodbye; or of the peer's pause.
    pub why: String,
    /// The newest round trip, in milliseconds.
    pub round_trip_ms: u32,
    /// The peer's clock less this node's, in milliseconds.
    pub clock_skew_ms: i64,
    /// What the peer has of the own log, by its word.
    pub acknowledged: Option<Position>,
}

/// A connection that came in and was refused, also a stranger's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Where it came from, without the port that a new connection changes.
    pub address: String,
    /// When it was last refused.
    pub at: Millis,
    /// The reason that it was told.
    pub reason: GoodbyeReason,
    /// The reason for people.
    pub detail: String,
    /// How often the same was refused.
    pub times: u64,
}

/// How many refusals are remembered, for people.
const REMEMBERED_REFUSALS: usize = 16;

/// The sessions with all accepted peers. Clones share them.
#[derive(Clone)]
pub struct Peers(Arc<Shared>);

struct Shared {
    store: Store,
    trust: Arc<ArcSwap<Trust>>,
    own: PeerIdentity,
    software: String,
    run_id: [u8; 16],
    not_writing: Arc<RwLock<String>>,
    disk: watch::Receiver<Disk>,
    network: Arc<dyn Dial>,
    client: Arc<rustls::ClientConfig>,
    moves: watch::Receiver<u64>,
    /// Whether this node may promise.
    may_promise: watch::Receiver<bool>,
    peers: Mutex<BTreeMap<NodeId, Entry>>,
    /// Through whom each log comes.
    sources: Mutex<Sources>,
    mail: Mail,
    /// The files that are wanted from peers.
    fetches: Fetches,
    /// Counts the choices of sources, for the sessions that follow them.
    routes: watch::Sender<u64>,
    /// When payloads were last filled in that the views do not show yet.
    filled: Arc<Mutex<Option<Instant>>>,
    refusals: Mutex<VecDeque<Refused>>,
    tasks: Mutex<JoinSet<()>>,
    stop: watch::Sender<bool>,
    started: Instant,
}

struct Entry {
    state: PeerState,
    live: Option<Live>,
    /// Wakes the dial loop: contact, a lost session, a changed card.
    wake: Arc<Notify>,
    dialling: bool,
}

/// An open session, as the registry sees it.
#[derive(Clone)]
struct Live {
    id: u64,
    /// Where it was dialled, or came from.
    address: String,
    /// What the peer proved to hold the key of.
    chain: Arc<Vec<CertificateDer<'static>>>,
    dialled: bool,
    since: Instant,
    run_id: [u8; 16],
    heard: Arc<Mutex<Instant>>,
    order: watch::Sender<Option<Order>>,
}

/// An order to a session to end.
#[derive(Clone, Debug)]
struct Order {
    reason: GoodbyeReason,
    detail: String,
}

impl Peers {
    /// Starts taking and dialling peers.
    pub fn start(config: PeersConfig) -> anyhow::Result<Self> {
        let PeersConfig {
            store,
            trust,
            key,
            network,
            incoming,
            own,
            mail,
            software,
            not_writing,
            disk,
            max_blob_bytes,
        } = config;
        let server = crate::identity::tls::federation_server_config(&key)?;
        let client = crate::identity::tls::federation_client_config(&key)?;
        let (commits, moves) = watch::channel(0);
        store.on_move(Box::new(move |_| commits.send_modify(|count| *count += 1)));
        let (told, may_promise) = watch::channel(false);
        store.on_promise(Box::new(move |may| told.send_modify(|told| *told = may)));
        let run_id = random()?;
        let peers = Self(Arc::new(Shared {
            mail: Mail::new(mail, own, run_id, now().0.unsigned_abs()),
            fetches: Fetches::new(max_blob_bytes),
            sources: Mutex::new(Sources::new(classes_of(own.role))),
            store,
            trust,
            own,
            software,
            run_id,
            not_writing,
            disk,
            network,
            client,
            moves,
            may_promise,
            peers: Mutex::default(),
            routes: watch::channel(0).0,
            filled: Arc::default(),
            refusals: Mutex::default(),
            tasks: Mutex::default(),
            stop: watch::channel(false).0,
            started: Instant::now(),
        }));
        peers.0.spawn(serve::run(peers.0.clone(), incoming, server));
        peers.0.spawn(sweep(peers.0.clone()));
        peers.0.spawn(route::run(peers.0.clone()));
        peers.update();
        let wants = peers.0.clone();
        tokio::task::spawn_blocking(move || wants.want_on());
        // A log that was forked before this start is not written.
        peers.0.stop_writing();
        Ok(peers)
    }

    /// Returns the newest refusals of connections that came in, newest first.
    pub fn refusals(&self) -> Vec<Refused> {
        let refusals = self
            .0
            .refusals
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        refusals.iter().cloned().collect()
    }

    /// Returns how it stands with each accepted peer.
    pub fn status(&self) -> Vec<PeerState> {
        self.0
            .lock()
            .values()
            .map(|entry| entry.state.clone())
            .collect()
    }

    /// Returns the payload classes that this node may have.
    pub fn classes(&self) -> u32 {
        classes_of(self.0.own.role)
    }

    /// Returns through whom a log comes, since when and why; none while nobody who is connected holds it.
    pub fn source(&self, origin: NodeId) -> Option<Source> {
        self.0.sources().source(origin)
    }

    /// Returns how far a peer has a log, by its word; none while no session with it is open.
    pub fn held_by(&self, peer: NodeId, origin: NodeId) -> Option<Reach> {
        self.0.sources().held_by(peer, origin)
    }

    /// Takes the accepted cards as they are now: new peers are dialled; sessions with removed ones, and those whose
    /// certificate is not of the new card, end.
    pub fn update(&self) {
        self.take_cards();
        self.0.sweep(unix_now());
        self.0.choose();
    }

    fn take_cards(&self) {
        let trust = self.0.trust.load_full();
        let mut peers = self.0.lock();
        peers.retain(|origin, entry| {
            let accepted = trust.card(*origin).is_some();
            if !accepted {
                entry.end(
                    GoodbyeReason::Revoked,
                    format!("the card of `{origin}` is not accepted any more"),
                );
                entry.wake.notify_one();
            }
            accepted
        });
        for card in trust
            .cards()
            .filter(|card| card.origin() != self.0.own.origin)
        {
            let origin = card.origin();
            let address = card.address().unwrap_or_default().to_owned();
            let entry = peers.entry(origin).or_insert_with(|| Entry {
                state: PeerState {
                    origin,
                    address: String::new(),
                    connected: false,
                    since: now(),
                    why: String::new(),
                    round_trip_ms: 0,
                    clock_skew_ms: 0,
                    acknowledged: None,
                },
                live: None,
                wake: Arc::default(),
                dialling: false,
            });
            entry.state.address = address;
            entry.wake.notify_one();
            if !entry.dialling {
                entry.dialling = true;
                self.0
                    .spawn(dial::run(self.0.clone(), origin, entry.wake.clone()));
            }
        }
    }

    /// Says goodbye to all, and waits until everything has ended.
    pub async fn shutdown(&self) {
        // Nobody listens any more when every task has ended.
        let _ = self.0.stop.send(true);
        let mut tasks =
            std::mem::take(&mut *self.0.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        let ended = async { while tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(2 * FAREWELL, ended).await.is_err() {
            tasks.shutdown().await;
        }
    }
}

impl Entry {
    fn end(&self, reason: GoodbyeReason, detail: String) {
        if let Some(live) = &self.live {
            live.order.send_replace(Some(Order { reason, detail }));
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<NodeId, Entry>> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        // What ended is let go, so that the set stays as small as what runs.
        while tasks.try_join_next().is_some() {}
        tasks.spawn(task);
    }

    fn update(&self, origin: NodeId, change: impl FnOnce(&mut PeerState)) {
        if let Some(entry) = self.lock().get_mut(&origin) {
            change(&mut entry.state);
        }
    }

    /// Registers a session whose peer has introduced itself, or says why it must end.
    ///
    /// Of two connections the one that the smaller origin dialled stays; of two that the same side dialled, the newer.
    /// Another run of the same node that was just heard is a clone: the second is refused.
    fn register(&self, origin: NodeId, live: Live) -> Result<(), Order> {
        let mut peers = self.lock();
        let Some(entry) = peers.get_mut(&origin) else {
            let detail = format!("the card of `{origin}` is not accepted any more");
            return Err(Order {
                reason: GoodbyeReason::Revoked,
                detail,
            });
        };
        if let Some(old) = &entry.live {
            let heard = *old.heard.lock().unwrap_or_else(PoisonError::into_inner);
            if old.run_id != live.run_id && heard.elapsed() < ALIVE {
                error!(peer.id = %origin, "two runs of `{origin}` are alive: the second was refused");
                let (since, at) = (shown(entry.state.since), shown(now()));
                entry.state.why = format!(
                    "a second run of `{origin}` was refused from `{}`, last at `{at}`",
                    live.address
                );
                let detail = format!(
                    "another run of `{origin}` is alive since `{since}` at `{}`",
                    old.address
                );
                return Err(Order {
                    reason: GoodbyeReason::SecondRun,
                    detail,
                });
            }
            let smaller = self.own.origin.min(origin);
            if old.dialled != live.dialled && live.dialled != (smaller == self.own.origin) {
                let detail = format!("the session that `{smaller}` dialled goes on");
                return Err(Order {
                    reason: GoodbyeReason::Duplicate,
                    detail,
                });
            }
            entry.end(GoodbyeReason::Duplicate, "a newer session goes on".into());
        }
        if !entry.state.connected {
            entry.state.since = now();
        }
        entry.live = Some(live);
        entry.state.connected = true;
        entry.state.why.clear();
        entry.wake.notify_one();
        Ok(())
    }

    /// Judges the certificate of every open session again, and ends those that would be refused now.
    fn sweep(&self, now: UnixTime) {
        let trust = self.trust.load();
        for (origin, entry) in self.lock().iter() {
            let Some(live) = &entry.live else { continue };
            let usage = if live.dialled {
                Usage::Server
            } else {
                Usage::Client
            };
            if let Err(refusal) = judge(&live.chain, &trust, Some(*origin), usage, now) {
                entry.end(refusal.reason(), refusal.to_string());
            }
        }
    }

    /// Takes a session out of the registry; one that was replaced changes nothing.
    fn ended(&self, origin: NodeId, id: u64, why: &str) {
        self.left(origin, id, why);
        self.sources().closed(origin, id);
        self.choose();
        self.mail.wake();
    }

    fn left(&self, origin: NodeId, id: u64, why: &str) {
        let mut peers = self.lock();
        let Some(entry) = peers.get_mut(&origin) else {
            return;
        };
        if entry.live.as_ref().is_some_and(|live| live.id == id) {
            entry.live = None;
            entry.state.connected = false;
            entry.state.since = now();
            why.clone_into(&mut entry.state.why);
            entry.wake.notify_one();
            info!(peer.id = %origin, "the session with `{origin}` ended: {why}");
        } else if entry.live.is_none() {
            why.clone_into(&mut entry.state.why);
        }
    }

    /// Records and, when it is news, logs why a peer was refused; what an unproven peer claims never touches an open session's state.
    fn refused(&self, dialled: Option<NodeId>, address: &str, refusal: &Refusal) {
        let reason = refusal.reason().as_str_name();
        let mut news = dialled.is_none() && self.remember(address, refusal) == 1;
        let about = dialled.or(match refusal {
            Refusal::WrongCa { origin, .. }
            | Refusal::WrongRole { origin, .. }
            | Refusal::CertExpired { origin, .. } => Some(*origin),
            Refusal::WrongOrigin { found, .. } => Some(*found),
            Refusal::UnknownFederation { .. }
            | Refusal::UnknownPeer { .. }
            | Refusal::BadCertificate { .. } => None,
        });
        if let Some(origin) = about {
            let why = format!("refused here, {}: {refusal}", told(refusal.reason()));
            news |= self.not_connected(origin, why) && dialled.is_some();
        }
        if news {
            warn!(peer.address = %address, reason, "refused the peer at `{address}`: {refusal}");
        } else {
            debug!(peer.address = %address, reason, "refused the peer at `{address}` again: {refusal}");
        }
    }

    /// Remembers a refusal, newest first: of many alike, as from one who dials again and again, one. Returns how often
    /// it came.
    fn remember(&self, address: &str, refusal: &Refusal) -> u64 {
        let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
        let (reason, detail) = (refusal.reason(), refusal.to_string());
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        let alike = refusals.iter().position(|known| {
            known.address == host && known.reason == reason && known.detail == detail
        });
        let before = alike
            .and_then(|at| refusals.remove(at))
            .map_or(0, |known| known.times);
        refusals.truncate(REMEMBERED_REFUSALS - 1);
        refusals.push_front(Refused {
            address: host.into(),
            at: now(),
            reason,
            detail,
            times: before + 1,
        });
        before + 1
    }

    /// Records and, when it is news, logs that the peer refused this node.
    fn refused_by(&self, origin: NodeId, reason: GoodbyeReason, detail: &str) {
        let name = reason.as_str_name();
        let why = format!("refused by `{origin}`, {}: {detail}", told(reason));
        if self.not_connected(origin, why) {
            warn!(peer.id = %origin, reason = name, "refused by `{origin}`: {detail}");
        } else {
            debug!(peer.id = %origin, reason = name, "refused by `{origin}` again: {detail}");
        }
    }

    /// Records why a peer is not connected, and says whether that is news.
    fn not_connected(&self, origin: NodeId, why: String) -> bool {
        let mut peers = self.lock();
        let entry = peers.get_mut(&origin);
        let Some(state) = entry
            .map(|entry| &mut entry.state)
            .filter(|state| !state.connected)
        else {
            return false;
        };
        let news = state.why != why;
        state.why = why;
        news
    }

    /// Returns a monotonic time in milliseconds, never 0.
    fn mono_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis())
            .unwrap_or(u64::MAX)
            .saturating_add(1)
    }
}

/// Sweeps until the node stops.
async fn sweep(shared: Arc<Shared>) {
    let mut stop = shared.stop.subscribe();
    let mut ticks = tokio::time::interval(SWEEP);
    loop {
        tokio::select! {
            _ = ticks.tick() => shared.sweep(unix_now()),
            // A registry that is gone stops too.
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

/// Returns a reason as it stands in messages: `WRONG_CA`.
fn told(reason: GoodbyeReason) -> &'static str {
    let name = reason.as_str_name();
    name.strip_prefix("GOODBYE_REASON_").unwrap_or(name)
}

fn random<const N: usize>() -> anyhow::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("draw random bytes: {error}"))?;
    Ok(bytes)
}
