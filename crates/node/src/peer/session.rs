//! One session: a reader, the engine, and the lanes that the connection empties.

mod blob;

use std::{
    collections::{BTreeMap, BTreeSet},
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures::{Stream, StreamExt};
use posko_ledger::{
    engine::{
        ApplyRefused, Config, Input, Log, Me, Output, Page, PageRefused, Peer, Session, classes_of,
    },
    epoch::{EpochOpen, Position},
};
use posko_proto::{
    NodeId,
    federation::v1::{Frame, GoodbyeReason, NackCode, PauseReason, frame::Body},
};
use posko_store::{ApplyError, Asked, Claim, LogState, PageError, Standing, Store, StoreError};
use rustls::pki_types::CertificateDer;
use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};
use tonic::Status;
use tracing::{error, info, warn};

use self::blob::Blobs;
use super::{FAREWELL, Live, Order, Shared, lane::Lanes, random, told};
use crate::{disk::Disk, identity::PeerIdentity, time::now};

/// How many decoded frames may wait for the engine; the connection's window holds back the rest.
const READ_AHEAD: usize = 8;
/// Answers of the store that may wait: at most one read and two groups an origin are out.
const ANSWERS: usize = 1024;
const TICK: Duration = Duration::from_secs(1);
/// How many payloads are asked for at once.
const ASKED_AT_ONCE: usize = 256;
/// How often missing payloads are looked for, beside at the session's beginning.
const LOOK_FOR_MISSING: Duration = Duration::from_secs(30);

static SESSIONS: AtomicU64 = AtomicU64::new(0);

/// Runs a session with a peer whose certificate was accepted, until it ends.
pub(super) async fn run(
    shared: Arc<Shared>,
    peer: PeerIdentity,
    address: String,
    chain: Arc<Vec<CertificateDer<'static>>>,
    dialled: bool,
    frames: impl Stream<Item = Result<Frame, Status>> + Send + 'static,
    lanes: Arc<Lanes>,
) {
    let origin = peer.origin;
    let (order, orders) = watch::channel(None);
    let id = SESSIONS.fetch_add(1, Ordering::Relaxed);
    let heard = Arc::new(Mutex::new(Instant::now()));
    let engine_peer = Peer {
        origin,
        role: peer.role,
    };
    let live = Live {
        id,
        address,
        chain,
        dialled,
        since: Instant::now(),
        run_id: [0; 16],
        heard,
        order,
    };
    let (sender, read) = mpsc::channel(READ_AHEAD);
    let reader = tokio::spawn(async move {
        let mut frames = pin!(frames);
        while let Some(frame) = frames.next().await {
            let failed = frame.is_err();
            if sender.send(frame).await.is_err() || failed {
                return;
            }
        }
    });
    let config = configure(&shared, engine_peer).await;
    let (answers, answered) = mpsc::channel(ANSWERS);
    let (verdicts, judged) = mpsc::channel(ANSWERS);
    let mut running = Running {
        session: Session::new(config),
        heard: heard_of(&shared),
        ends: BTreeMap::new(),
        pulled: BTreeSet::new(),
        shared: shared.clone(),
        peer: engine_peer,
        live,
        lanes: lanes.clone(),
        answers,
        read,
        answered,
        claim: Claim {
            classes: classes_of(peer.role),
            ..Claim::default()
        },
        asked_own: false,
        asking_own: 0,
        wanted: None,
        cut: 0,
        verdicts,
        judged,
        orders,
        disk: shared.disk.clone(),
        paused: false,
        ended: None,
        forks: BTreeSet::new(),
        asked: Arc::default(),
        looked: Instant::now(),
        blobs: Blobs::new(),
        met: false,
        decided: None,
    };
    running.run().await;
    shared.blobs_left(id);
    let why = running.ended.take().unwrap_or_default();
    shared.ended(origin, id, &why);
    lanes.close();
    // The Goodbye leaves while the peer's end is awaited; what it still sends is nobody's any more.
    let farewell = async { while running.read.recv().await.is_some_and(|frame| frame.is_ok()) {} };
    let _ = tokio::time::timeout(FAREWELL, farewell).await;
    reader.abort();
}

/// Says what this node has when the session begins.
async fn configure(shared: &Arc<Shared>, peer: Peer) -> Config {
    let store = shared.store.clone();
    let own = shared.own.origin;
    let read =
        tokio::task::spawn_blocking(move || (store.opens(own), store.branch_heads(peer.origin)));
    let (opens, branches) = read.await.unwrap_or_else(|_| (Ok(vec![]), Ok(vec![])));
    let mut own_keys = vec![shared.store.log_key()];
    for open in opens.unwrap_or_default() {
        if !own_keys.contains(&open.log_key) {
            own_keys.push(open.log_key);
        }
    }
    let mut logs: Vec<Log> = shared
        .store
        .logs()
        .into_iter()
        .map(|log| Log {
            origin: log.origin,
            end: log.end,
            head: log.best,
            quarantined: log.quarantine.is_some(),
            forks: log.forks.into_iter().map(|fork| fork.id).collect(),
        })
        .collect();
    if let Some(head) = shared.store.own_head(now())
        && let Some(log) = logs.iter_mut().find(|log| log.origin == own)
    {
        (log.end, log.head) = (head.head.position, Some(head));
    }
    Config {
        me: Me {
            federation: shared.own.federation.0,
            origin: own,
            role: shared.own.role,
            software: shared.software.clone(),
            run_id: shared.run_id,
            nonce: random().unwrap_or_default(),
        },
        peer,
        own_keys,
        logs,
        branches: branches.unwrap_or_default(),
        // What this session gives is chosen once the peer has said what it holds.
        pulls: Vec::new(),
    }
}

/// Returns when each origin was last heard of.
fn heard_of(shared: &Shared) -> BTreeMap<NodeId, Option<i64>> {
    let logs = shared.store.logs().into_iter();
    logs.map(|log| (log.origin, log.heard_ms)).collect()
}

struct Running {
    session: Session,
    /// The ends that the engine was told.
    ends: BTreeMap<NodeId, Position>,
    /// When each origin had been heard of when the engine was last told its head.
    heard: BTreeMap<NodeId, Option<i64>>,
    /// The logs that come through this session.
    pulled: BTreeSet<NodeId>,
    shared: Arc<Shared>,
    peer: Peer,
    live: Live,
    lanes: Arc<Lanes>,
    answers: mpsc::Sender<Input>,
    read: mpsc::Receiver<Result<Frame, Status>>,
    answered: mpsc::Receiver<Input>,
    /// What the peer last showed of the own log.
    claim: Claim,
    /// Whether the peer was asked in this session what it knows of the own log.
    asked_own: bool,
    /// How often the store was asked about the claim and has not answered yet.
    asking_own: u32,
    /// Up to where the own log is pulled from the peer; none while it is not.
    wanted: Option<Position>,
    /// How many entries of the peer's log were left out when its branches were last read.
    cut: u64,
    verdicts: mpsc::Sender<Result<Asked, StoreError>>,
    judged: mpsc::Receiver<Result<Asked, StoreError>>,
    orders: watch::Receiver<Option<Order>>,
    disk: watch::Receiver<Disk>,
    /// Whether the peer was told that no entries are taken.
    paused: bool,
    /// Why the session ended, once it has.
    ended: Option<String>,
    /// The fork proofs that the engine was given.
    forks: BTreeSet<[u8; 32]>,
    /// Where the payloads stand that the peer was asked for: after which place, and up to which; none while it is not
    /// asked.
    asked: Arc<Mutex<Option<(i64, i64)>>>,
    looked: Instant,
    blobs: Blobs,
    /// Whether the peer has introduced itself and was registered.
    met: bool,
    /// Up to where its own log the peer has decided all that it promised; none while it does not say so, and once our
    /// copy has reached that.
    decided: Option<Position>,
}

impl Running {
    async fn run(&mut self) {
        let mut moves = self.shared.moves.clone();
        let mut may_promise = self.shared.may_promise.clone();
        may_promise.mark_changed();
        let mut routes = self.shared.routes.subscribe();
        let mut mail = self.shared.mail.waiting();
        let mut wanted = self.shared.fetches.changes();
        let mut stop = self.shared.stop.subscribe();
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        self.input(Input::Opened);
        self.disk();
        while self.ended.is_none() {
            tokio::select! {
                frame = self.read.recv() => match frame {
                    Some(Ok(frame)) => self.frame(frame),
                    Some(Err(status)) => self.ended = Some(format!("the connection was lost: {}", status.message())),
                    None => self.ended = Some("the connection was lost".into()),
                },
                Some(answer) = self.answered.recv() => self.answer(answer),
                Some(judged) = self.judged.recv() => self.verdict(judged),
                Some(answer) = self.blobs.answered() => {
                    self.blob_answer(answer);
                    self.fetch_next();
                }
                Ok(()) = wanted.changed() => self.fetch_next(),
                Ok(()) = moves.changed() => self.moved(),
                Ok(()) = may_promise.changed() => {
                    let may = *may_promise.borrow_and_update();
                    self.input(Input::MayPromise(may));
                }
                Ok(()) = routes.changed() => self.follow(),
                Ok(()) = mail.changed() => self.mail(),
                Ok(()) = self.disk.changed() => self.disk(),
                _ = ticks.tick() => self.tick(),
                Ok(_) = stop.wait_for(|stop| *stop) => {
                    let detail = format!("node `{}` stops", self.shared.own.origin);
                    self.input(Input::Close { reason: GoodbyeReason::Shutdown, detail });
                }
                Ok(()) = self.orders.changed() => {
                    let order = self.orders.borrow_and_update().clone();
                    if let Some(Order { reason, detail }) = order {
                        self.input(Input::Close { reason, detail });
                    }
                }
            }
        }
    }

    fn frame(&mut self, frame: Frame) {
        *self
            .live
            .heard
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Instant::now();
        let claims = matches!(
            frame.body,
            Some(
                Body::Hello(_)
                    | Body::Heads(_)
                    | Body::Heartbeat(_)
                    | Body::Ack(_)
                    | Body::Nack(_)
                    | Body::Want(_)
            )
        );
        if claims {
            // A peer may know of a commit sooner than this session was woken for it.
            self.moved();
        }
        self.input(Input::Frame(Box::new(frame)));
    }

    fn answer(&mut self, answer: Input) {
        let own = self.shared.own.origin;
        let arrived = matches!(
            &answer,
            Input::Applied { origin, result: Ok(at) } if *origin == own && self.wanted == Some(*at)
        );
        self.input(answer);
        if arrived {
            self.ask();
        }
    }

    /// Asks the store whether all is here that the peer last showed of the own log.
    fn ask(&mut self) {
        self.asking_own += 1;
        let verdicts = self.verdicts.clone();
        let reply = move |asked| {
            // Nobody waits for it any more when the session has ended; the next heartbeat asks again.
            let _ = verdicts.try_send(asked);
        };
        (self.shared.store).peer_asked(self.peer.origin, self.claim.clone(), now(), reply);
    }

    /// Releases the own log to the peer, gets back what it holds more, or stops writing.
    fn verdict(&mut self, judged: Result<Asked, StoreError>) {
        let (own, peer) = (self.shared.own.origin, self.peer.origin);
        self.asking_own -= 1;
        match judged {
            // The peer has shown more meanwhile: the last answer counts.
            Ok(Asked::Known) if self.asking_own > 0 => {}
            Ok(Asked::Known) => {
                if let Some(end) = self.wanted.take() {
                    info!(peer.id = %peer, "got back the log of `{own}` up to {end} from `{peer}`");
                    self.input(Input::Stop(own));
                }
                self.moved();
                self.input(Input::OwnKnown(true));
            }
            Ok(Asked::More(end)) => {
                self.input(Input::OwnKnown(false));
                if self.wanted.replace(end) != Some(end) {
                    warn!(peer.id = %peer, "`{peer}` holds the log of `{own}` up to {end}, which is not here: it is pulled from there");
                    if let Some(chain) = self.shared.store.chain(own) {
                        let chain = Box::new(chain);
                        self.input(Input::Towards { chain, end });
                    }
                }
            }
            Ok(Asked::Fenced) => {
                self.shared.stop_writing();
                self.input(Input::OwnKnown(false));
            }
            Err(cause) => {
                error!(peer.id = %peer, %cause, "what `{peer}` knows of the log of `{own}` could not be looked at");
            }
        }
    }

    /// Reads the branches of the peer's log that it is to be shown, when they may have changed.
    fn branches(&mut self, logs: &[LogState]) {
        let origin = self.peer.origin;
        let cut = (logs.iter().find(|log| log.origin == origin)).map_or(0, |log| log.cut);
        if std::mem::replace(&mut self.cut, cut) == cut {
            return;
        }
        let (store, answers) = (self.shared.store.clone(), self.answers.clone());
        tokio::task::spawn_blocking(move || match store.branch_heads(origin) {
            Ok(heads) => drop(answers.blocking_send(Input::Branches(heads))),
            Err(cause) => {
                error!(log.origin = %origin, %cause, "the branches of `{origin}` could not be read");
            }
        });
    }

    /// Gives the engine the fork proofs that are held and that it was not given.
    fn forks(&mut self, logs: &[LogState]) {
        // Before the peer has introduced itself nothing goes to it.
        if !self.asked_own {
            return;
        }
        for log in logs {
            for fork in &log.forks {
                if self.forks.insert(fork.id) {
                    super::fork::give(&self.shared.store, log.origin, fork.id, &self.answers);
                }
            }
        }
    }

    /// Finds where the peer's path of a log leaves the one that is held here, for the pull to go on from there.
    fn part(&self, origin: NodeId, end: Position, opens: Vec<EpochOpen>) {
        let (peer, answers) = (self.peer.origin, self.answers.clone());
        let registry = self.shared.clone();
        tokio::task::spawn_blocking(move || {
            let store = &registry.store;
            let chain = store
                .branch_point(origin, end, &opens)
                .and_then(|point| point.map_or(Ok(None), |at| store.chain_at(origin, at)));
            match chain {
                Ok(Some(chain)) => {
                    let at = chain.end();
                    info!(peer.id = %peer, log.origin = %origin, "`{peer}` has another path of log `{origin}`: it is pulled from {at}");
                    // Nobody waits for it any more when the session has ended.
                    let _ = answers.blocking_send(Input::Branch(Box::new(chain)));
                }
                Ok(None) => {
                    warn!(peer.id = %peer, log.origin = %origin, "nothing of the log `{origin}` as `{peer}` has it is here");
                    registry.sources().refused(registry.now(), peer, origin);
                    registry.choose();
                }
                Err(cause) => {
                    error!(log.origin = %origin, %cause, "the log of `{origin}` could not be read");
                }
            }
        });
    }

    fn moved(&mut self) {
        self.moved_to(&self.shared.store.logs());
    }

    fn moved_to(&mut self, logs: &[LogState]) {
        for log in logs {
            if self.ends.insert(log.origin, log.end) != Some(log.end) {
                self.input(Input::Moved {
                    origin: log.origin,
                    end: log.end,
                });
            }
        }
        self.catch_up();
    }

    /// Tells the store when the peer's log is here up to where the peer has decided all that it promised.
    fn catch_up(&mut self) {
        let store = &self.shared.store;
        let reached = self.decided.filter(|decided| {
            store
                .log(self.peer.origin)
                .is_some_and(|log| log.end.reaches(decided))
        });
        if reached.is_some() {
            self.decided = None;
            store.note_caught_up(self.peer.origin);
        }
    }

    /// Begins and stops pulls, so that this session gives the logs that it was chosen for.
    fn follow(&mut self) {
        let given = (self.shared.sources()).given_by(self.peer.origin, self.live.id);
        let given: BTreeSet<NodeId> = given.into_iter().collect();
        for origin in self.pulled.difference(&given).copied().collect::<Vec<_>>() {
            self.input(Input::Stop(origin));
        }
        for origin in given.difference(&self.pulled).copied().collect::<Vec<_>>() {
            if let Some(chain) = self.shared.store.chain(origin) {
                self.input(Input::Chain(Box::new(chain)));
            }
        }
        self.pulled = given;
    }

    /// Tells the engine the heads that rose, and those whose origin was heard of again.
    fn heads(&mut self, logs: &[LogState]) {
        for log in logs {
            let Some(head) = log.best.filter(|_| log.origin != self.shared.own.origin) else {
                continue;
            };
            let news = self.heard.insert(log.origin, log.heard_ms) != Some(log.heard_ms);
            self.input(Input::Head { head, news });
        }
    }

    /// Tells what others say of their things, and gives the letters for which this peer is a way.
    fn mail(&mut self) {
        if self.met {
            for input in self.shared.mail_for(self.peer.origin) {
                self.input(input);
            }
        }
    }

    /// Tells how much of the disk is free, and pauses while that is too little.
    fn disk(&mut self) {
        let disk = *self.disk.borrow_and_update();
        self.input(Input::DiskFree(disk.free));
        let why = disk.no_entries();
        if why.is_some() == self.paused {
            return;
        }
        self.paused = why.is_some();
        let (reason, detail) = match why {
            Some(why) => (PauseReason::Disk, why),
            None => (
                PauseReason::Over,
                "the disk has enough free space again".into(),
            ),
        };
        self.input(Input::Pause { reason, detail });
    }

    fn tick(&mut self) {
        let beats = self.session.beats_at(self.shared.now());
        let own_head = beats.then(|| self.shared.store.own_head(now())).flatten();
        // Looked at after the head was signed, so that the engine knows of all that it covers.
        let logs = self.shared.store.logs();
        if let Some(head) = own_head {
            self.moved_to(&logs);
            self.input(Input::Head { head, news: true });
        }
        self.heads(&logs);
        self.branches(&logs);
        self.forks(&logs);
        if self.looked.elapsed() >= LOOK_FOR_MISSING {
            self.looked = Instant::now();
            self.asking().begin(self.shared.clone());
        }
        self.input(Input::Tick);
        self.blob_tick();
    }

    fn asking(&self) -> Asking {
        Asking {
            classes: classes_of(self.peer.role) & classes_of(self.shared.own.role),
            asked: self.asked.clone(),
            answers: self.answers.clone(),
        }
    }

    fn input(&mut self, input: Input) {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            for output in self.session.handle(self.shared.now(), input) {
                self.output(output, &mut inputs);
            }
        }
    }

    fn output(&mut self, output: Output, inputs: &mut Vec<Input>) {
        let (shared, peer) = (&self.shared, self.peer.origin);
        match output {
            Output::Send(body, lane) => {
                if self.lanes.push(*body, lane).is_err() {
                    let detail = format!("`{peer}` does not read what it is sent");
                    inputs.push(Input::Close {
                        reason: GoodbyeReason::Silent,
                        detail,
                    });
                }
            }
            Output::Read {
                want_id,
                origin,
                after,
                towards,
                max_entries,
                max_bytes,
                classes,
            } => {
                if towards.is_none()
                    && let Some(page) =
                        (shared.store).fresh_page(origin, after, max_entries, max_bytes, classes)
                {
                    inputs.push(Input::Page {
                        want_id,
                        origin,
                        result: Ok(given(page)),
                    });
                    return;
                }
                let (store, answers) = (shared.store.clone(), self.answers.clone());
                tokio::task::spawn_blocking(move || {
                    let result = match towards {
                        None => store.page(origin, after, max_entries, max_bytes, classes),
                        Some(end) => {
                            store.page_towards(origin, end, after, max_entries, max_bytes, classes)
                        }
                    };
                    let result = readable(&store, origin, result);
                    // Nobody waits for it any more when the session has ended.
                    let _ = answers.blocking_send(Input::Page {
                        want_id,
                        origin,
                        result,
                    });
                });
            }
            Output::ReadPayloads {
                origin,
                epoch,
                seqs,
                max_bytes,
                classes,
            } => {
                let (store, answers) = (shared.store.clone(), self.answers.clone());
                tokio::task::spawn_blocking(move || {
                    let read = store.payloads(origin, epoch, &seqs, max_bytes, classes);
                    let payloads = read.unwrap_or_else(|cause| {
                        error!(log.origin = %origin, %cause, "payloads of `{origin}` could not be read");
                        Vec::new()
                    });
                    let _ = answers.blocking_send(Input::Payloads(payloads));
                });
            }
            Output::Payloads {
                origin,
                epoch,
                payloads,
            } => {
                let (registry, asking) = (shared.clone(), self.asking());
                let peer = self.peer.origin;
                tokio::task::spawn_blocking(move || {
                    let filled = registry.fill(peer, origin, epoch, payloads);
                    asking.go_on(&registry, filled);
                });
            }
            Output::ReadBlob {
                hash,
                offset,
                length,
                classes,
            } => self.read_blob(hash, offset, length, classes),
            Output::BlobPart { hash, offset, body } => self.blob_part(hash, offset, body),
            Output::BlobRefused { hash, total } => self.blob_refused(hash, total),
            Output::Apply(group) => {
                let origin = group.chain().identity().origin;
                shared.sources().applying(origin);
                let (answers, registry) = (self.answers.clone(), shared.clone());
                let reply = move |result: Result<Position, ApplyError>| {
                    let result = result.map_err(|cause| match cause {
                        ApplyError::Moved { .. } => ApplyRefused::Moved,
                        ApplyError::Fenced => {
                            registry.stop_writing();
                            ApplyRefused::Failed(format!("`{origin}` takes nothing of its own log"))
                        }
                        ApplyError::Forked { .. } => {
                            registry.forked(origin);
                            ApplyRefused::Forked(cause.to_string())
                        }
                        ApplyError::NoSuchOrigin
                        | ApplyError::Store(_) => {
                            error!(log.origin = %origin, %cause, "entries of `{origin}` could not be stored");
                            // The cause is not for the peer.
                            ApplyRefused::Failed(format!("entries of `{origin}` could not be stored"))
                        }
                    });
                    registry.sources().applied(registry.now(), origin);
                    // As above; the channel has room for every answer that can be out.
                    let _ = answers.try_send(Input::Applied { origin, result });
                };
                shared.store.apply(*group, now(), Box::new(reply));
            }
            Output::Forked(proof) => shared.take_fork(peer, *proof, &self.answers),
            Output::Reload(origin) => {
                if let Some(chain) = shared.store.chain(origin) {
                    inputs.push(Input::Chain(Box::new(chain)));
                }
            }
            Output::Met {
                run_id,
                software,
                views,
            } => match shared.register(
                peer,
                Live {
                    run_id,
                    ..self.live.clone()
                },
            ) {
                Ok(()) => {
                    info!(peer.id = %peer, peer.software = %software, "a session with `{peer}` is open");
                    shared.sources().opened(self.peer, self.live.id, &views);
                    shared.choose();
                    self.asking().begin(shared.clone());
                    self.met = true;
                    inputs.extend(shared.mail_met(peer));
                }
                Err(Order { reason, detail }) => inputs.push(Input::Close { reason, detail }),
            },
            Output::Heard {
                head,
                verified,
                alive,
            } => shared.heard(peer, &head, verified, alive),
            Output::Presence(statement) => shared.take_presence(&statement),
            Output::Letter(letter) => shared.take_letter(peer, &letter),
            Output::Came(origin) => shared.sources().came(shared.now(), origin),
            Output::PeerMayPromise(end) => {
                self.decided = Some(end);
                self.catch_up();
            }
            Output::PeerAcked(at) => shared.update(peer, |state| state.acknowledged = Some(at)),
            Output::PeerClaims { heads, beyond } => {
                self.claim.heads = heads;
                let first = !std::mem::replace(&mut self.asked_own, true);
                if first || beyond || shared.store.standing() != Standing::Clean {
                    self.ask();
                }
            }
            Output::Parted { origin, end, opens } => {
                if origin == shared.own.origin {
                    self.claim.opens.clone_from(&opens);
                }
                self.part(origin, end, opens);
            }
            Output::Refused {
                origin,
                code,
                detail,
            } => {
                let code = code.as_str_name();
                warn!(peer.id = %peer, log.origin = %origin, code, "log `{origin}` does not flow with `{peer}`: {detail}");
                shared.sources().refused(shared.now(), peer, origin);
                shared.choose();
            }
            Output::PeerPaused { reason, detail } => {
                info!(peer.id = %peer, reason = reason.as_str_name(), "`{peer}` pauses: {detail}");
                let why = if reason == PauseReason::Over {
                    String::new()
                } else {
                    format!("`{peer}` pauses: {detail}")
                };
                shared.update(peer, |state| state.why = why);
            }
            Output::PeerHolds(ends) => shared.sources().holds(peer, ends),
            Output::RoundTrip { ms, skew_ms } => shared.update(peer, |state| {
                state.round_trip_ms = u32::try_from(ms).unwrap_or(u32::MAX);
                state.clock_skew_ms = skew_ms;
            }),
            Output::PeerClosed { reason, detail } => {
                self.ended = Some(format!("`{peer}` said goodbye, {}: {detail}", told(reason)));
                if refuses(reason) {
                    let name = reason.as_str_name();
                    warn!(peer.id = %peer, reason = name, "refused by `{peer}`: {detail}");
                }
            }
            Output::Close { reason, detail } => {
                self.ended = Some(format!("ended here, {}: {detail}", told(reason)));
                if !matches!(
                    reason,
                    GoodbyeReason::Duplicate | GoodbyeReason::Shutdown | GoodbyeReason::MaxAge
                ) {
                    let name = reason.as_str_name();
                    warn!(peer.id = %peer, reason = name, "ended the session with `{peer}`: {detail}");
                }
            }
        }
    }
}

/// Asks the peer for payloads that came withheld, question after question; it waits for the disk.
struct Asking {
    /// What the peer can give of what this node may have.
    classes: u32,
    asked: Arc<Mutex<Option<(i64, i64)>>>,
    answers: mpsc::Sender<Input>,
}

impl Asking {
    fn lock(&self) -> MutexGuard<'_, Option<(i64, i64)>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins with the first missing payload, unless the peer is asked already.
    fn begin(self, shared: Arc<Shared>) {
        if self.lock().is_some() {
            return;
        }
        *self.lock() = Some((0, 0));
        tokio::task::spawn_blocking(move || self.ask(&shared, 0));
    }

    /// Goes on after an answer of which so many payloads were stored.
    fn go_on(&self, shared: &Shared, filled: u64) {
        let (before, last) = self.lock().unwrap_or_default();
        // What the peer had no room for is asked again; where it gave nothing, the rest is.
        self.ask(shared, if filled > 0 { before } else { last });
    }

    fn ask(&self, shared: &Shared, after: i64) {
        let missing = shared.store.missing(self.classes, after, ASKED_AT_ONCE);
        let missing = missing.unwrap_or_else(|cause| {
            error!(%cause, "missing payloads could not be looked for");
            None
        });
        *self.lock() = missing.as_ref().map(|missing| (after, missing.last));
        if let Some(missing) = missing {
            // Nobody waits for it any more when the session has ended.
            let _ = self.answers.blocking_send(Input::MissingPayloads {
                origin: missing.origin,
                epoch: missing.epoch,
                seqs: missing.seqs,
            });
        }
    }
}

/// Says whether a goodbye of this reason tells somebody that something must be mended.
fn refuses(reason: GoodbyeReason) -> bool {
    !matches!(
        reason,
        GoodbyeReason::Duplicate
            | GoodbyeReason::MaxAge
            | GoodbyeReason::Shutdown
            | GoodbyeReason::Silent
    )
}

fn given(page: posko_store::Page) -> Page {
    Page {
        opens: page.opens,
        prev: page.prev,
        records: page.records,
        head: page.head,
    }
}

/// Returns what was read of a log, or the refusal that the peer gets.
fn readable(
    store: &Store,
    origin: NodeId,
    result: Result<posko_store::Page, PageError>,
) -> Result<Page, PageRefused> {
    match result {
        Ok(page) => Ok(given(page)),
        Err(error) => {
            let (code, detail) = match &error {
                PageError::NoSuchOrigin => (NackCode::NoSuchOrigin, error.to_string()),
                PageError::UnknownEpoch => (NackCode::UnknownEpoch, error.to_string()),
                PageError::Diverged => (NackCode::Diverged, error.to_string()),
                PageError::Store(cause) => {
                    error!(log.origin = %origin, %cause, "the log of `{origin}` could not be read");
                    // The cause is not for the peer.
                    (
                        NackCode::Busy,
                        format!("the log of `{origin}` could not be read"),
                    )
                }
            };
            Err(PageRefused {
                code,
                detail,
                head: store
                    .log(origin)
                    .and_then(|log| log.head.or(log.best))
                    .map(Box::new),
                opens: store.opens(origin).unwrap_or_default(),
            })
        }
    }
}
