//! One session: a reader, the engine, and the lanes that the connection empties.

use std::{
    collections::BTreeMap,
    pin::pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use futures::{Stream, StreamExt};
use posko_ledger::{
    engine::{ApplyRefused, Config, Input, Log, Me, Now, Output, Page, PageRefused, Peer, Session},
    epoch::Position,
};
use posko_proto::{
    NodeId,
    federation::v1::{Frame, GoodbyeReason, NackCode, PauseReason, frame::Body},
};
use posko_store::{ApplyError, PageError, Store};
use rustls::pki_types::CertificateDer;
use tokio::sync::{mpsc, watch};
use tonic::Status;
use tracing::{error, info, warn};

use super::{FAREWELL, Live, Order, Shared, lane::Lanes, random, told};
use crate::{disk::Disk, identity::PeerIdentity, time::now};

/// How many decoded frames may wait for the engine; the connection's window holds back the rest.
const READ_AHEAD: usize = 8;
/// Answers of the store that may wait: at most one read and two groups an origin are out.
const ANSWERS: usize = 1024;
const TICK: Duration = Duration::from_secs(1);

static SESSIONS: AtomicU64 = AtomicU64::new(0);

/// Runs a session with a peer whose certificate was accepted, until it ends.
pub(super) async fn run(
    shared: Arc<Shared>,
    peer: PeerIdentity,
    chain: Arc<Vec<CertificateDer<'static>>>,
    dialled: bool,
    frames: impl Stream<Item = Result<Frame, Status>> + Send + 'static,
    lanes: Arc<Lanes>,
) {
    let origin = peer.origin;
    let (order, orders) = watch::channel(None);
    let id = SESSIONS.fetch_add(1, Ordering::Relaxed);
    let heard = Arc::new(Mutex::new(Instant::now()));
    let live = Live {
        id,
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
    let config = configure(&shared, peer).await;
    let (answers, answered) = mpsc::channel(ANSWERS);
    let mut running = Running {
        session: Session::new(config),
        ends: BTreeMap::new(),
        shared: shared.clone(),
        peer: origin,
        live,
        lanes: lanes.clone(),
        answers,
        read,
        answered,
        orders,
        disk: shared.disk.clone(),
        paused: false,
        ended: None,
    };
    running.run().await;
    let why = running.ended.take().unwrap_or_default();
    shared.ended(origin, id, &why);
    lanes.close();
    // The Goodbye leaves while the peer's end is awaited; what it still sends is nobody's any more.
    let farewell = async { while running.read.recv().await.is_some_and(|frame| frame.is_ok()) {} };
    let _ = tokio::time::timeout(FAREWELL, farewell).await;
    reader.abort();
}

/// Says what this node has when the session begins.
async fn configure(shared: &Arc<Shared>, peer: PeerIdentity) -> Config {
    let store = shared.store.clone();
    let own = shared.own.origin;
    let opens = tokio::task::spawn_blocking(move || store.opens(own)).await;
    let mut own_keys = vec![shared.store.log_key()];
    for open in opens.ok().and_then(Result::ok).unwrap_or_default() {
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
            head: log.best.or(log.head),
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
        peer: Peer {
            origin: peer.origin,
            role: peer.role,
        },
        own_keys,
        logs,
        pulls: shared.store.chain(peer.origin).into_iter().collect(),
    }
}

struct Running {
    session: Session,
    /// The ends that the engine was told.
    ends: BTreeMap<NodeId, Position>,
    shared: Arc<Shared>,
    peer: NodeId,
    live: Live,
    lanes: Arc<Lanes>,
    answers: mpsc::Sender<Input>,
    read: mpsc::Receiver<Result<Frame, Status>>,
    answered: mpsc::Receiver<Input>,
    orders: watch::Receiver<Option<Order>>,
    disk: watch::Receiver<Disk>,
    /// Whether the peer was told that no entries are taken.
    paused: bool,
    /// Why the session ended, once it has.
    ended: Option<String>,
}

impl Running {
    async fn run(&mut self) {
        let mut moves = self.shared.moves.clone();
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
                Some(answer) = self.answered.recv() => self.input(answer),
                Ok(()) = moves.changed() => self.moved(),
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

    fn moved(&mut self) {
        for log in self.shared.store.logs() {
            if self.ends.insert(log.origin, log.end) != Some(log.end) {
                self.input(Input::Moved {
                    origin: log.origin,
                    end: log.end,
                });
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
        if self.session.beats_at(self.now())
            && let Some(head) = self.shared.store.own_head(now())
        {
            self.moved();
            self.input(Input::OwnHead(head));
        }
        self.input(Input::Tick);
    }

    fn now(&self) -> Now {
        Now {
            mono_ms: self.shared.mono_ms(),
            wall_ms: now().0,
        }
    }

    fn input(&mut self, input: Input) {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            for output in self.session.handle(self.now(), input) {
                self.output(output, &mut inputs);
            }
        }
    }

    fn output(&mut self, output: Output, inputs: &mut Vec<Input>) {
        let (shared, peer) = (&self.shared, self.peer);
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
                max_entries,
                max_bytes,
                classes,
            } => {
                if let Some(page) =
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
                    let result = read(&store, origin, after, max_entries, max_bytes, classes);
                    // Nobody waits for it any more when the session has ended.
                    let _ = answers.blocking_send(Input::Page {
                        want_id,
                        origin,
                        result,
                    });
                });
            }
            Output::Apply(group) => {
                let origin = group.chain().identity().origin;
                let answers = self.answers.clone();
                let reply = move |result: Result<Position, ApplyError>| {
                    let result = result.map_err(|cause| match cause {
                        ApplyError::Moved { .. } => ApplyRefused::Moved,
                        ApplyError::NoSuchOrigin | ApplyError::Store(_) => {
                            error!(log.origin = %origin, %cause, "entries of `{origin}` could not be stored");
                            // The cause is not for the peer.
                            ApplyRefused::Failed(format!("entries of `{origin}` could not be stored"))
                        }
                    });
                    // As above; the channel has room for every answer that can be out.
                    let _ = answers.try_send(Input::Applied { origin, result });
                };
                shared.store.apply(*group, now(), Box::new(reply));
            }
            Output::Reload(origin) => {
                if let Some(chain) = shared.store.chain(origin) {
                    inputs.push(Input::Chain(Box::new(chain)));
                }
            }
            Output::Met { run_id, software } => match shared.register(
                peer,
                Live {
                    run_id,
                    ..self.live.clone()
                },
            ) {
                Ok(()) => {
                    info!(peer.id = %peer, peer.software = %software, "a session with `{peer}` is open");
                }
                Err(Order { reason, detail }) => inputs.push(Input::Close { reason, detail }),
            },
            Output::Heard(head) => {
                shared.store.note_head(*head, now());
            }
            Output::PeerAcked(at) => shared.update(peer, |state| state.acknowledged = Some(at)),
            Output::PeerKnowsMore { claimed } => {
                let own = shared.own.origin;
                error!(peer.id = %peer, "`{peer}` holds this node's log up to {claimed}, beyond what is here");
                let why =
                    format!("`{peer}` holds the log of `{own}` up to {claimed}, which is not here");
                // Feeds and what waits already write too: the store itself refuses.
                shared.store.fence(&why);
                *shared
                    .not_writing
                    .write()
                    .unwrap_or_else(PoisonError::into_inner) = why;
            }
            Output::Refused {
                origin,
                code,
                detail,
            } => {
                let code = code.as_str_name();
                warn!(peer.id = %peer, log.origin = %origin, code, "log `{origin}` does not flow with `{peer}`: {detail}");
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

fn read(
    store: &Store,
    origin: NodeId,
    after: Position,
    max_entries: usize,
    max_bytes: usize,
    classes: u32,
) -> Result<Page, PageRefused> {
    match store.page(origin, after, max_entries, max_bytes, classes) {
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
                    .and_then(|log| log.best.or(log.head))
                    .map(Box::new),
                opens: store.opens(origin).unwrap_or_default(),
            })
        }
    }
}
