//! Nodes in one process, with real files, sockets and certificates.

mod blob;
mod mail;

use std::{
    fs,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, RwLock},
    time::Duration,
};

use arc_swap::ArcSwap;
use posko_domain::{
    account::AccountCommand, context::stream_of, incident::IncidentCommand, region::Place,
};
use posko_ledger::{
    chain::{Chain, Identity},
    engine::source::Why,
    entry::EntryHeader,
    key::{PublicKey, SecretKey},
};
use posko_proto::{
    Id, NodeId,
    common::v1::{self as common, Hazard, Role},
    federation::v1::{
        NodeRole, SessionRequest, federation_service_client::FederationServiceClient, frame::Body,
    },
    incident::v1::{ReportChannel, Severity},
    time::Millis,
};
use posko_store::{Actor, Command, Options, Request, Standing, Start, Store};
use rustls::pki_types::UnixTime;
use tempfile::TempDir;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    time::Instant,
};

use super::{
    Live, MailKeys, PeerState, Peers, PeersConfig, dial,
    net::{self, Dial, Incoming, Tcp},
    random, told,
};
use crate::{
    disk::Disk,
    identity::{Keys, NodeCard, ReloadingKey, Trust},
    time::{now, unix_now},
};

pub(crate) const FEDERATION: Id = Id([7; 16]);

pub(crate) struct Node {
    pub(crate) origin: NodeId,
    pub(crate) keys: Keys,
    pub(crate) card: NodeCard,
    pub(crate) store: Store,
    pub(crate) peers: Option<Peers>,
    pub(crate) trust: Arc<ArcSwap<Trust>>,
    listener: Option<TcpListener>,
    address: SocketAddr,
    pub(crate) not_writing: Arc<RwLock<String>>,
    pub(crate) disk: watch::Sender<Disk>,
    max_blob_bytes: u64,
    runs: u8,
    dir: TempDir,
}

fn open(path: PathBuf, keys: &Keys, run: u8) -> Store {
    open_at(path, keys, run, now())
}

fn open_at(path: PathBuf, keys: &Keys, run: u8, at: Millis) -> Store {
    let recovery = SecretKey::from_seed(&keys.recovery.as_ref().unwrap().to_bytes());
    let identity = Identity {
        federation: FEDERATION.0,
        origin: keys.identity().origin,
        recovery: recovery.public(),
    };
    let options = Options {
        mark: path.with_extension("mark"),
        start: if run == 1 { Start::First } else { Start::Later },
        path,
        identity,
        log_key: Arc::new(SecretKey::from_seed(&keys.log.to_bytes())),
        recovery_key: Some(Arc::new(recovery)),
        epoch_nonce: [run; 16],
        now: at,
        areas: posko_store::Areas::default(),
        on_fatal: Box::new(|error| panic!("{error}")),
    };
    Store::open(options, &mut |_| {}).unwrap()
}

impl Node {
    pub(crate) async fn new(name: &str, federation: Id) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut node = Self::make(name, NodeRole::Node, federation, &address.to_string());
        (node.listener, node.address) = (Some(listener), address);
        node
    }

    /// Makes a node that peers dial at `address`.
    pub(super) fn make(name: &str, role: NodeRole, federation: Id, address: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let origin: NodeId = name.parse().unwrap();
        let keys = Keys::create(dir.path(), federation, origin, role, &[], unix_now()).unwrap();
        let card = keys.make_card(address).unwrap();
        let store = open(dir.path().join("posko.db"), &keys, 1);
        let trust = Arc::new(ArcSwap::from_pointee(Trust::new(federation)));
        Self {
            origin,
            keys,
            card,
            store,
            peers: None,
            trust,
            listener: None,
            address: SocketAddr::from(([0; 4], 0)),
            not_writing: Arc::default(),
            disk: watch::Sender::new(Disk::unread(1000)),
            max_blob_bytes: 64 << 20,
            runs: 1,
            dir,
        }
    }

    /// Opens the store again, as a new process does.
    pub(crate) fn reopen(&mut self) {
        self.store.close();
        self.runs += 1;
        self.store = open(self.dir.path().join("posko.db"), &self.keys, self.runs);
    }

    pub(crate) fn accept(&self, card: &NodeCard) {
        let recovery = PublicKey::from_bytes("card", &card.recovery_key().to_bytes()).unwrap();
        let identity = Identity {
            federation: FEDERATION.0,
            origin: card.origin(),
            recovery,
        };
        self.store
            .accept_peer(identity, card.to_bytes(), now())
            .unwrap();
        let mut trust = self.trust.load_full().as_ref().clone();
        trust.accept(card.clone()).unwrap();
        self.trust.store(Arc::new(trust));
        if let Some(peers) = &self.peers {
            peers.update();
        }
    }

    pub(crate) fn start(&mut self) {
        let incoming = net::incoming(self.listener.take().unwrap());
        self.start_on(Arc::new(Tcp), incoming);
    }

    pub(super) fn start_on(&mut self, network: Arc<dyn Dial>, incoming: Incoming) {
        let peers = Peers::start(PeersConfig {
            store: self.store.clone(),
            trust: self.trust.clone(),
            key: ReloadingKey::new(&self.keys.leaf).unwrap(),
            network,
            incoming,
            own: self.keys.identity(),
            mail: MailKeys::of(&self.keys),
            software: "test".into(),
            not_writing: self.not_writing.clone(),
            disk: self.disk.subscribe(),
            max_blob_bytes: self.max_blob_bytes,
        });
        self.peers = Some(peers.unwrap());
    }

    pub(crate) async fn stop(&mut self) {
        self.peers.take().unwrap().shutdown().await;
    }

    fn state(&self, peer: &Node) -> PeerState {
        let states = self.peers.as_ref().unwrap().status();
        states
            .into_iter()
            .find(|state| state.origin == peer.origin)
            .unwrap()
    }

    pub(crate) async fn report(&self, number: u32) {
        self.report_at(number, now()).await;
    }

    async fn report_at(&self, number: u32, at: Millis) {
        let mut id = [0; 16];
        id[..4].copy_from_slice(&number.to_be_bytes());
        let command = self.some_command();
        let request = Request {
            command_id: Id(id),
            digest: [1; 32],
            authority: Actor {
                account: Id([9; 16]),
                role: Role::DutyOfficer,
                ..Actor::default()
            }
            .into(),
            stream: stream_of(Id(id)),
            expected_version: 0,
            now: at,
            occurred_at: at,
            exercise: false,
            cause: None,
            seed: [3; 32],
            credential: None,
            command,
        };
        let (answer, answered) = tokio::sync::oneshot::channel();
        self.store
            .execute(request, move |outcome| answer.send(outcome).unwrap());
        answered.await.unwrap().unwrap();
    }

    /// Returns a report of a province's own, or of any other node an account.
    fn some_command(&self) -> Command {
        // An incident is recorded by the province where it is.
        let region = match self.origin.as_str() {
            "31" => "31.71",
            "32" => "32.16",
            "36" => "36.71",
            _ => return Command::Account(AccountCommand::Create { grants: Vec::new() }),
        };
        let place = Place::parse(&common::Place {
            region_code: region.into(),
            ..Default::default()
        })
        .unwrap();
        Command::Incident(IncidentCommand::Report {
            hazard: Hazard::Flood,
            place,
            severity: Severity::Moderate,
            channel: ReportChannel::Branch,
            warning: None,
            note: None,
        })
    }

    /// Stores the log of another as one who may have no payload gets it.
    async fn take_headers_of(&self, other: &Node) {
        let chain = self.store.chain(other.origin).unwrap();
        self.take(other, chain, 0).await;
    }

    /// Stores the log of another.
    pub(crate) async fn take_log_of(&self, other: &Node) {
        let chain = self.store.chain(other.origin).unwrap();
        self.take(other, chain, 3).await;
    }

    /// Stores the log of another from where it leaves the one that is held.
    async fn take_branch_of(&self, other: &Node) {
        let end = other.store.log(other.origin).unwrap().end;
        let opens = other.store.opens(other.origin).unwrap();
        let at = self.store.branch_point(other.origin, end, &opens).unwrap();
        let chain = self.store.chain_at(other.origin, at.unwrap()).unwrap();
        self.take(other, chain.unwrap(), 3).await;
    }

    async fn take(&self, other: &Node, mut chain: Chain, classes: u32) {
        loop {
            let page = other
                .store
                .page(other.origin, chain.end(), 100, 1 << 20, classes)
                .unwrap();
            let Some(head) = page.head else { return };
            let records = page.records.into_iter().map(|record| {
                let header = EntryHeader::decode(&record.header).unwrap();
                (header, record)
            });
            let group = chain.verify(page.opens, records.collect(), head).unwrap();
            let (answer, answered) = tokio::sync::oneshot::channel();
            let reply = move |applied: Result<_, _>| answer.send(applied.is_ok()).unwrap();
            self.store.apply(group, now(), Box::new(reply));
            assert!(answered.await.unwrap());
        }
    }

    pub(super) fn has_all_of(&self, other: &Node) -> bool {
        self.store.log(other.origin).map(|log| log.end)
            == other.store.log(other.origin).map(|log| log.end)
    }
}

/// Waits until a fact holds, and fails when it does not within a minute.
pub(crate) async fn until(what: &str, fact: impl Fn() -> bool) {
    let begun = Instant::now();
    while !fact() {
        assert!(begun.elapsed() < Duration::from_mins(1), "{what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn pair() -> (Node, Node) {
    let (a, b) = (
        Node::new("31", FEDERATION).await,
        Node::new("32", FEDERATION).await,
    );
    a.accept(&b.card);
    b.accept(&a.card);
    (a, b)
}

/// Between these no two connections cross, of which one ends.
async fn pair_of_which_32_dials() -> (Node, Node) {
    let (a, b) = (
        Node::new("31", FEDERATION).await,
        Node::new("32", FEDERATION).await,
    );
    a.accept(&b.keys.make_card("").unwrap());
    b.accept(&a.card);
    (a, b)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_hold_each_others_logs_and_one_session() {
    let (mut a, mut b) = pair().await;
    b.report(1).await;
    a.start();
    b.start();
    for number in 2..40 {
        b.report(number).await;
        a.report(1000 + number).await;
    }
    until("both logs are on both nodes", || {
        a.has_all_of(&b) && b.has_all_of(&a)
    })
    .await;
    until("each knows what the other has", || {
        let acknowledged = |node: &Node, peer: &Node| node.state(peer).acknowledged;
        acknowledged(&a, &b) == a.store.log(a.origin).map(|log| log.end)
            && acknowledged(&b, &a) == b.store.log(b.origin).map(|log| log.end)
    })
    .await;
    assert!(a.state(&b).connected && b.state(&a).connected);
    let source = a.peers.as_ref().unwrap().source(b.origin).unwrap();
    assert_eq!((source.peer, source.why), (b.origin, Why::Direct));
    until("the head of the other is heard", || {
        a.store
            .log(b.origin)
            .is_some_and(|log| log.heard_ms.is_some())
    })
    .await;
    assert_eq!(*a.not_writing.read().unwrap(), "");

    b.stop().await;
    until("the end is noticed", || !a.state(&b).connected).await;
    assert!(a.state(&b).why.contains("SHUTDOWN"), "{}", a.state(&b).why);

    // It comes back at the same address, with what it wrote meanwhile.
    b.report(500).await;
    b.listener = Some(TcpListener::bind(b.address).await.unwrap());
    b.start();
    until("the missed entry comes", || a.has_all_of(&b)).await;
    a.stop().await;
    b.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_whose_origin_is_not_reached_comes_through_a_third_node_until_that_goes_too() {
    let (mut a, mut b) = (
        Node::new("31", FEDERATION).await,
        Node::new("32", FEDERATION).await,
    );
    let mut relay = Node::new("36", FEDERATION).await;
    // `31` and `32` accept each other, and neither knows where the other is.
    a.accept(&b.keys.make_card("").unwrap());
    b.accept(&a.keys.make_card("").unwrap());
    for node in [&a, &b] {
        node.accept(&relay.card);
        relay.accept(&node.keys.make_card("").unwrap());
    }
    b.report(1).await;
    for node in [&mut a, &mut b, &mut relay] {
        node.start();
    }
    until("the log of 32 is on 31", || a.has_all_of(&b)).await;
    b.report(2).await;
    until("what is new comes too", || a.has_all_of(&b)).await;
    let source = |node: &Node, of: &Node| node.peers.as_ref().unwrap().source(of.origin);
    let through = source(&a, &b).unwrap();
    assert_eq!(
        (through.peer, through.why, through.lacks),
        (relay.origin, Why::NotConnected, 0)
    );
    until("32 is heard of through 36", || {
        a.store
            .log(b.origin)
            .is_some_and(|log| log.heard_ms.is_some())
    })
    .await;

    relay.stop().await;
    until("nobody is left", || source(&a, &b).is_none()).await;
    a.stop().await;
    b.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn payloads_that_came_withheld_are_filled_in_from_a_peer_that_may_give_them_and_shown() {
    let (mut a, mut b) = pair().await;
    for number in 1..=3 {
        b.report(number).await;
    }
    a.take_headers_of(&b).await;
    let origin = b.origin;
    let missing = |node: &Node| node.store.count_missing(origin, 3).unwrap();
    assert!(missing(&a) > 0 && a.has_all_of(&b));
    a.start();
    b.start();
    until("nothing is missing", || missing(&a) == 0).await;
    let shown = |node: &Node| {
        let digests = node.store.digests().unwrap().into_iter();
        let of_b = digests.filter(|digest| digest.origin == origin);
        of_b.map(|digest| (digest.view, digest.sha256))
            .collect::<Vec<_>>()
    };
    until("the views show it", || shown(&a) == shown(&b)).await;
    a.stop().await;
    b.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_reaches_the_peer_without_waiting_for_a_timer() {
    let (mut a, mut b) = pair().await;
    a.start();
    b.start();
    until("a session is open", || {
        a.state(&b).connected && b.state(&a).connected
    })
    .await;
    let begun = Instant::now();
    for number in 1..=20 {
        b.report(number).await;
        let log = || a.has_all_of(&b);
        while !log() {
            tokio::task::yield_now().await;
            assert!(
                begun.elapsed() < Duration::from_secs(6),
                "20 commits one after the other"
            );
        }
    }
    a.stop().await;
    b.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_names_its_reason_on_both_sides() {
    // `32` presents keys that are not those on the card that `31` accepted.
    let (mut a, b) = (
        Node::new("31", FEDERATION).await,
        Node::new("32", FEDERATION).await,
    );
    let mut forged = Node::new("32", FEDERATION).await;
    a.accept(&b.keys.make_card(&forged.address.to_string()).unwrap());
    forged.accept(&a.card);
    a.start();
    forged.start();
    until("31 says why", || a.state(&b).why.contains("WRONG_CA")).await;
    until("32 is told why", || {
        forged.state(&a).why.contains("WRONG_CA")
    })
    .await;
    assert!(!a.state(&b).connected && !forged.state(&a).connected);
    assert_eq!(a.store.log(b.origin).map(|log| log.entries), Some(0));
    a.stop().await;
    forged.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_whose_card_was_not_accepted_is_told_so() {
    let (mut a, mut b) = (
        Node::new("31", FEDERATION).await,
        Node::new("32", FEDERATION).await,
    );
    b.accept(&a.card);
    a.start();
    b.start();
    until("32 is told why", || {
        b.state(&a).why.contains("UNKNOWN_PEER")
    })
    .await;

    a.accept(&b.card);
    until("once accepted they meet", || {
        a.state(&b).connected && b.state(&a).connected
    })
    .await;

    let mut trust = a.trust.load_full().as_ref().clone();
    trust.remove(b.origin);
    a.trust.store(Arc::new(trust));
    a.peers.as_ref().unwrap().update();
    until("once removed they part", || {
        b.state(&a).why.contains("REVOKED") || b.state(&a).why.contains("UNKNOWN_PEER")
    })
    .await;
    a.stop().await;
    b.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sweep_ends_sessions_whose_certificate_would_be_refused_now_and_no_others() {
    let (mut a, mut b) = pair_of_which_32_dials().await;
    a.start();
    b.start();
    until("a session is open", || {
        a.state(&b).connected && b.state(&a).connected
    })
    .await;
    let sweep = |now| a.peers.as_ref().unwrap().0.sweep(now);

    // Nothing has changed: the session goes on.
    let since = a.state(&b).since;
    sweep(unix_now());
    b.report(1).await;
    until("entries flow", || a.has_all_of(&b)).await;
    assert_eq!((a.state(&b).connected, a.state(&b).since), (true, since));

    // A year later; what is opened meanwhile by the real clock is swept too.
    let later = UnixTime::since_unix_epoch(
        Duration::from_secs(unix_now().as_secs()) + Duration::from_hours(366 * 24),
    );
    until("both name the reason", || {
        sweep(later);
        b.state(&a).why.contains("CERT_EXPIRED") && a.state(&b).why.contains("CERT_EXPIRED")
    })
    .await;
    until("by the real clock they meet again", || {
        a.state(&b).connected && b.state(&a).connected
    })
    .await;

    // The card is gone, and nobody said so.
    let mut trust = a.trust.load_full().as_ref().clone();
    trust.remove(b.origin);
    a.trust.store(Arc::new(trust));
    sweep(unix_now());
    until("the removed peer is told", || {
        b.state(&a).why.contains("UNKNOWN_PEER")
    })
    .await;
    a.stop().await;
    b.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_whose_disk_is_short_takes_no_entries_says_why_and_goes_on_once_there_is_room() {
    let (mut a, mut b) = pair().await;
    a.disk.send_modify(|disk| *disk = disk.with(999));
    a.start();
    b.start();
    until("32 is told why", || {
        b.state(&a).connected && b.state(&a).why.contains("the disk has")
    })
    .await;
    b.report(1).await;
    a.report(2).await;
    until("what 31 writes still flows", || b.has_all_of(&a)).await;
    assert_eq!(a.store.log(b.origin).map(|log| log.entries), Some(0));

    a.disk.send_modify(|disk| *disk = disk.with(2000));
    until("with room again it takes what it missed", || {
        a.has_all_of(&b)
    })
    .await;
    until("32 is told that it is over", || b.state(&a).why.is_empty()).await;

    // The same in the middle of a session.
    a.disk.send_modify(|disk| *disk = disk.with(0));
    until("32 is told again", || !b.state(&a).why.is_empty()).await;
    b.report(3).await;
    a.report(4).await;
    until("what 31 writes still flows", || b.has_all_of(&a)).await;
    assert!(!a.has_all_of(&b));
    a.stop().await;
    b.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_connection_is_closed_by_who_refused_it() {
    let (mut a, mut b) = (
        Node::new("31", FEDERATION).await,
        Node::new("32", FEDERATION).await,
    );
    b.accept(&a.card);
    a.start();
    let target = a.address;
    // 32 dials by hand, through what sees when both ends have closed.
    let between = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = between.local_addr().unwrap().to_string();
    let carried = tokio::spawn(async move {
        let (mut from, _) = between.accept().await.unwrap();
        let mut to = TcpStream::connect(target).await.unwrap();
        let _ = tokio::io::copy_bidirectional(&mut from, &mut to).await;
    });
    b.start();
    let shared = b.peers.as_ref().unwrap().0.clone();
    let connection = dial::connect(
        &Tcp,
        &shared.client,
        &shared.trust.load(),
        a.origin,
        &address,
    )
    .await
    .unwrap();
    let mut client = FederationServiceClient::new(connection.channel);
    // It never ends its side.
    let silent = futures::stream::pending::<SessionRequest>();
    let mut told = client.session(silent).await.unwrap().into_inner();
    let frame = told.message().await.unwrap().unwrap().frame.unwrap();
    assert!(matches!(frame.body, Some(Body::Bye(_))), "{frame:?}");
    until("the connection is closed", || carried.is_finished()).await;
    a.stop().await;
    b.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_who_hold_connections_open_do_not_keep_an_accepted_peer_out() {
    let (mut a, mut b) = pair_of_which_32_dials().await;
    a.start();
    let mut held = Vec::new();
    for _ in 0..100 {
        held.push(TcpStream::connect(a.address).await.unwrap());
    }
    b.start();
    until("the peer is taken", || {
        a.state(&b).connected && b.state(&a).connected
    })
    .await;
    drop(held);
    a.stop().await;
    b.stop().await;
}

/// Returns a session of a run of its own.
fn live(id: u64) -> Live {
    Live {
        id,
        address: format!("192.0.2.{id}:7431"),
        chain: Arc::default(),
        dialled: false,
        since: Instant::now(),
        run_id: random().unwrap(),
        heard: Arc::new(std::sync::Mutex::new(Instant::now())),
        order: watch::Sender::new(None),
    }
}

#[tokio::test]
async fn a_second_run_is_told_since_when_and_where_the_first_is_alive_and_the_status_tells_of_both()
{
    let (mut a, mut b) = pair().await;
    a.start();
    let peers = a.peers.clone().unwrap();
    // Nobody dials any more.
    a.stop().await;
    let shared = &peers.0;
    shared.register(b.origin, live(1)).unwrap();
    let state = || {
        peers
            .status()
            .into_iter()
            .find(|state| state.origin == b.origin)
            .unwrap()
    };
    let since = crate::time::shown(state().since);
    let refused = shared.register(b.origin, live(2)).unwrap_err();
    assert_eq!(told(refused.reason), "SECOND_RUN");
    assert_eq!(
        refused.detail,
        format!("another run of `32` is alive since `{since}` at `192.0.2.1:7431`")
    );
    let why = "a second run of `32` was refused from `192.0.2.2:7431`, last at `";
    assert!(
        state().connected && state().why.starts_with(why),
        "{:?}",
        state()
    );
    b.start();
    b.stop().await;
}

#[tokio::test]
async fn a_session_that_came_and_went_does_not_make_the_dialler_hurry() {
    let (mut a, mut b) = pair().await;
    a.start();
    let peers = a.peers.clone().unwrap();
    // Nobody dials any more.
    a.stop().await;
    let shared = &peers.0;
    let wake = shared.lock()[&b.origin].wake.clone();
    let address = b.address.to_string();
    let mut news = std::pin::pin!(dial::news(shared, b.origin, &wake, &address));
    assert!(futures::poll!(news.as_mut()).is_pending());
    shared.register(b.origin, live(1)).unwrap();
    shared.ended(b.origin, 1, "gone");
    assert!(futures::poll!(news.as_mut()).is_pending());
    shared.register(b.origin, live(2)).unwrap();
    assert!(futures::poll!(news.as_mut()).is_ready());
    b.start();
    b.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_lost_what_a_peer_holds_beside_its_path_gets_it_back_and_is_proven() {
    let (mut a, mut b) = pair().await;
    let (path, copy) = (b.dir.path().join("posko.db"), b.dir.path().join("copy"));
    b.report(1).await;
    b.store.close();
    fs::copy(&path, &copy).unwrap();
    // What this run writes goes to 31 alone: two more reports.
    b.store = open(path.clone(), &b.keys, 200);
    b.report(2).await;
    b.report(3).await;
    a.take_log_of(&b).await;
    let lost = b.store.log(b.origin).unwrap().end;
    // The restored node writes before it meets 31, in an epoch that is higher; 31 gets to know of it from a third.
    b.store.close();
    fs::copy(&copy, &path).unwrap();
    b.store = open(path.clone(), &b.keys, 201);
    b.report(4).await;
    a.take_branch_of(&b).await;
    assert_eq!(
        a.store.log(b.origin).unwrap().end,
        b.store.log(b.origin).unwrap().end
    );
    assert!(a.store.log(b.origin).unwrap().cut > 0);
    // That run is lost too: the node comes back from the same copy, and of what `31` shows one end lies beside its path.
    b.store.close();
    fs::copy(&copy, &path).unwrap();
    b.store = open(path, &b.keys, 202);
    assert!(b.store.may_promise().is_err());
    a.start();
    b.start();
    until("32 is proven, with all that it had written", || {
        b.store.may_promise().is_ok() && b.store.chain_at(b.origin, lost).unwrap().is_some()
    })
    .await;
    until("31 follows", || a.has_all_of(&b)).await;
    assert_eq!(a.store.log(b.origin).unwrap().cut, 0);
    a.store.verify_log(b.origin, &mut |_| {}).unwrap();
    a.stop().await;
    b.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_is_caught_up_with_once_its_origin_gave_it_and_may_promise() {
    let (mut a, mut b) = pair().await;
    let away = Node::new("36", FEDERATION).await;
    b.accept(&away.card);
    a.report(1).await;
    b.report(2).await;
    // The start of 32 is not proven, for 36 cannot be asked.
    fs::remove_file(b.dir.path().join("posko.mark")).unwrap();
    b.reopen();
    a.start();
    b.start();
    until("32 has caught up with 31", || {
        b.store.is_caught_up(a.origin)
    })
    .await;
    until("31 follows", || a.has_all_of(&b)).await;
    assert!(!a.store.is_caught_up(b.origin));
    b.store.remove_peer(away.origin).unwrap();
    until("31 has caught up with 32", || {
        a.store.is_caught_up(b.origin)
    })
    .await;
    a.stop().await;
    b.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn beside_a_brand_new_peer_a_start_is_proven_and_its_empty_log_is_caught_up_with() {
    let (mut a, mut b) = pair().await;
    a.report(1).await;
    fs::remove_file(a.dir.path().join("posko.mark")).unwrap();
    a.reopen();
    assert!(matches!(a.store.standing(), Standing::Unproven { .. }));
    a.start();
    b.start();
    until("31 is proven and has caught up with 32", || {
        a.store.standing() == Standing::Clean && a.store.is_caught_up(b.origin)
    })
    .await;
    assert_eq!(b.store.log(b.origin).unwrap().entries, 0);
    a.stop().await;
    b.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_two_runs_wrote_is_in_quarantine_at_all_who_meet_and_others_go_on() {
    let (mut a, mut b) = pair().await;
    let mut third = Node::new("36", FEDERATION).await;
    a.accept(&third.card);
    third.accept(&a.card);
    third.accept(&b.card);
    let (path, copy) = (b.dir.path().join("posko.db"), b.dir.path().join("copy.db"));
    b.report(1).await;
    b.store.close();
    // The machine is copied with its run: the same epoch, and the same first entry in it.
    fs::copy(&path, &copy).unwrap();
    fs::copy(path.with_extension("mark"), copy.with_extension("mark")).unwrap();
    let at = now();
    b.store = open_at(path, &b.keys, 5, at);
    b.report_at(2, at).await;
    let other = open_at(copy, &b.keys, 5, at);
    let own = std::mem::replace(&mut b.store, other);
    b.report_at(2, at).await;
    b.report(3).await;
    third.take_log_of(&b).await;
    b.store = own;
    b.report(4).await;
    let common = third.store.log(b.origin).unwrap().end.seq;
    a.take_log_of(&b).await;
    a.report(5).await;

    for node in [&mut a, &mut third] {
        node.start();
    }
    let forked = b.origin;
    let quarantined = |node: &Node| node.store.log(forked).unwrap().quarantine;
    until("31 and 36 know of the fork", || {
        quarantined(&a).is_some() && quarantined(&third).is_some()
    })
    .await;
    assert!(quarantined(&a).unwrap().at.seq <= common);
    until("36 goes on with what 31 writes", || third.has_all_of(&a)).await;
    assert!(a.store.verify_log(b.origin, &mut |_| {}).is_err());

    b.start();
    until("32 is told, and writes nothing more", || {
        (b.not_writing.read().unwrap()).contains("posko log reopen")
    })
    .await;
    assert!(quarantined(&b).is_some());
    for node in [&mut a, &mut b, &mut third] {
        node.stop().await;
    }
}
