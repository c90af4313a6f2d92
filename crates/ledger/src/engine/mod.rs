//! The replication engine: one symmetric session of two nodes, as a machine that takes inputs and gives outputs.
//!
//! ```text
//!   frames ──▶ ┌─────────┐ ──▶ frames, by lane
//!   pages  ──▶ │ Session │ ──▶ reads of a log, at most one an origin at a time
//!   applied ─▶ │         │ ──▶ verified groups to apply, at most two an origin at a time
//!   ticks  ──▶ └─────────┘ ──▶ what the node should know: heads, acknowledgments, the end
//! ```
//!
//! The receiver states its position, the sender remembers nothing beyond the session.
//! Nothing waits for a timer: what comes while a group is being made durable becomes the next group.
//! What it never does: read a clock, draw randomness, touch a socket or a disk.

mod beat;
pub mod blob;
mod fork;
mod payload;
pub mod presence;
mod pull;
mod reach;
pub mod sealed;
mod serve;
#[cfg(test)]
mod simulation;
pub mod source;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod wire;

use std::collections::{BTreeMap, BTreeSet};

use posko_proto::{
    NodeId,
    federation::v1::{
        Frame, Goodbye, GoodbyeReason, Heads, Hello, NackCode, NodeRole, OriginState, OriginView,
        Pause, PauseReason, SignedHead as WireHead, frame::Body,
    },
};
use prost::Message;

pub use self::reach::{Reach, rank};
use self::{
    blob::{Blobs, FEATURE_BLOBS},
    payload::Asked,
    presence::{Statement, Telling},
    pull::Pull,
    sealed::Letter,
    serve::Serve,
};
use crate::{
    Hash, MAX_FRAME_BYTES, MAX_ORIGINS,
    chain::{Chain, VerifiedGroup},
    entry::{Class, Payload, Record},
    epoch::{Epoch, EpochOpen, Position},
    fork::ForkProof,
    head::SignedHead,
    key::PublicKey,
};

/// The newest protocol version spoken.
pub const PROTOCOL_MAX: u32 = 1;
/// The oldest protocol version spoken.
pub const PROTOCOL_MIN: u32 = 1;
/// The window of a new pull, in bytes.
pub const FIRST_WINDOW: u32 = 1024 * 1024;
/// The largest window, in bytes: what a link of 100 Mbit/s and 600 ms needs.
pub const LARGEST_WINDOW: u32 = 8 * 1024 * 1024;
/// The most bytes of a batch of the bulk lane.
pub const BULK_BYTES: usize = 256 * 1024;
/// How long a peer may take for its Hello, in milliseconds.
pub const HELLO_MS: u64 = 10_000;
/// The time between two heartbeats, in milliseconds.
pub const HEARTBEAT_MS: u64 = 5_000;
/// After how long without any frame a peer is given up, in milliseconds.
pub const SILENT_MS: u64 = 20_000;
/// The most fork proofs of one log that a session tells of, and sixteen times as many come in one session at most.
pub const MAX_FORKS: usize = 64;
/// How many bad batches end a session.
pub const STRIKES: u8 = 3;

/// What time it is, as the caller knows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Now {
    /// A monotonic clock, in milliseconds; its zero is the caller's, but never 0 itself.
    pub mono_ms: u64,
    /// The wall clock, milliseconds since 1970; it decides nothing.
    pub wall_ms: i64,
}

/// Who this node is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Me {
    /// The federation.
    pub federation: [u8; 16],
    /// The node.
    pub origin: NodeId,
    /// Its role.
    pub role: NodeRole,
    /// Its version, for people.
    pub software: String,
    /// Random at every start.
    pub run_id: [u8; 16],
    /// Random for this session.
    pub nonce: [u8; 16],
}

/// Who the peer is, by its certificate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Peer {
    /// The node.
    pub origin: NodeId,
    /// Its role.
    pub role: NodeRole,
}

/// What this node has of an origin's log when the session begins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Log {
    /// Whose log it is.
    pub origin: NodeId,
    /// The durable end.
    pub end: Position,
    /// The best verified head known.
    pub head: Option<SignedHead>,
    /// What names the fork proofs held of it; at most [`MAX_FORKS`] are told.
    pub forks: Vec<Hash>,
    /// Whether nothing more of it is applied, because of one of them.
    pub quarantined: bool,
}

/// What a session is made of.
#[derive(Clone, Debug)]
pub struct Config {
    /// This node.
    pub me: Me,
    /// The peer.
    pub peer: Peer,
    /// The keys that ever signed this node's own heads: a peer's claim on the own log counts only under one of them.
    pub own_keys: Vec<PublicKey>,
    /// What this node has, the own log too; at most [`MAX_ORIGINS`].
    pub logs: Vec<Log>,
    /// Heads of the peer's own log that are held beside its path: see [`Input::Branches`].
    pub branches: Vec<SignedHead>,
    /// The logs to pull from this peer, each at its durable end.
    pub pulls: Vec<Chain>,
}

/// What happened.
#[derive(Clone, PartialEq, Debug)]
pub enum Input {
    /// The connection stands and the peer's certificate was accepted.
    Opened,
    /// A frame came.
    Frame(Box<Frame>),
    /// A log's durable end moved. The own log's must be told before a frame that came after the move.
    Moved {
        /// Whose log.
        origin: NodeId,
        /// Its new end.
        end: Position,
    },
    /// The best head held of a log is another one, or its origin was heard of again; the own one was signed again.
    Head {
        /// The head.
        head: SignedHead,
        /// Whether its origin was heard of since the last one: then it is told to the peer as news.
        news: bool,
    },
    /// How many bytes are free beside the log, for the next heartbeat.
    DiskFree(u64),
    /// Whether this node may promise, by how it stood before its newest head was told; for the next heartbeat.
    MayPromise(bool),
    /// A read was answered.
    Page {
        /// The want that it was for.
        want_id: u64,
        /// Whose log.
        origin: NodeId,
        /// What was read.
        result: Result<Page, PageRefused>,
    },
    /// A group was applied or not; answers come in the order of the groups.
    Applied {
        /// Whose log.
        origin: NodeId,
        /// The new durable end.
        result: Result<Position, ApplyRefused>,
    },
    /// A log is to be pulled from its durable end: the answer to [`Output::Reload`], or a log not pulled now.
    Chain(Box<Chain>),
    /// A log is to be pulled from where it leaves the path that is held: the answer to [`Output::Parted`]. It is pulled
    /// to the end that the peer gives, past what is here already.
    Branch(Box<Chain>),
    /// A log is to be pulled from its durable end on the way to a position that the peer holds, on its path or beside
    /// it.
    Towards {
        /// The chain at the durable end.
        chain: Box<Chain>,
        /// The position.
        end: Position,
    },
    /// Whether all is here that the peer showed of the own log, by [`Output::PeerClaims`]: own entries go to it only then.
    OwnKnown(bool),
    /// The heads of the peer's own log that are held beside its path and that it has not recorded again: it is shown
    /// them with every heartbeat.
    Branches(Vec<SignedHead>),
    /// A log is not to be pulled any more from this peer: what waits is forgotten, what is under way to the store ends.
    Stop(NodeId),
    /// Payloads that this node may have are missing; they are asked for unless an answer is awaited.
    MissingPayloads {
        /// Whose log.
        origin: NodeId,
        /// In which epoch.
        epoch: Epoch,
        /// Which entries, rising; at most [`MAX_GROUP_ENTRIES`](crate::MAX_GROUP_ENTRIES).
        seqs: Vec<u64>,
    },
    /// A fork proof is held: the peer is sent it, unless it has it.
    Fork(Box<ForkProof>),
    /// The payloads of [`Output::ReadPayloads`] were read, in the order asked, as many as fit.
    Payloads(Vec<(u64, Payload)>),
    /// A file is to be fetched from the peer, from an offset on; another one that is fetched is let go.
    FetchBlob {
        /// Its SHA-256.
        hash: Hash,
        /// How many bytes it has, by the entry that names it.
        length: u64,
        /// How many of them are here.
        from: u64,
    },
    /// A part of [`Output::BlobPart`] is kept.
    BlobKept(Hash),
    /// A file is not to be fetched any more.
    StopBlob(Hash),
    /// The part of [`Output::ReadBlob`] was read, with the file's length; none when the peer may not have it or it is
    /// not here.
    Blob(Option<(u64, Vec<u8>)>),
    /// This node takes no more entries, or goes on with [`PauseReason::Over`]; what is under way already is taken.
    Pause {
        /// Why.
        reason: PauseReason,
        /// Why, for people.
        detail: String,
    },
    /// What an origin says of its things: it is told to the peer with the next tick, unless the peer told it.
    Presence(Box<Statement>),
    /// A letter is to go to the peer: its reader, or who may reach it.
    Letter(Box<Letter>),
    /// The node ends the session.
    Close {
        /// Why.
        reason: GoodbyeReason,
        /// Why, for people.
        detail: String,
    },
    /// Time passed; expected about every second.
    Tick,
}

/// What was read of a log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Page {
    /// The epochs opened right after the asked position, before the records.
    pub opens: Vec<EpochOpen>,
    /// The position before the first record.
    pub prev: Position,
    /// The records, all in one epoch; none means that nothing more is there.
    pub records: Vec<Record>,
    /// The signed head exactly at the last record, where there is one.
    pub head: Option<SignedHead>,
}

/// Why a log could not be read after a position.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PageRefused {
    /// The reason as the peer gets it; [`NackCode::Busy`] when the store failed.
    pub code: NackCode,
    /// The reason for people.
    pub detail: String,
    /// The best head held.
    pub head: Option<Box<SignedHead>>,
    /// The openings held.
    pub opens: Vec<EpochOpen>,
}

/// Why a group was not applied.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ApplyRefused {
    /// The log does not end where the group begins: another session was faster.
    Moved,
    /// The log is forked where the group lies or before, for people.
    Forked(String),
    /// The store failed.
    Failed(String),
}

/// In which order frames leave: all of a lane before any of the next.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum LaneKind {
    /// What keeps the session alive.
    Control,
    /// What just happened.
    Live,
    /// What was missed.
    Bulk,
}

/// What is to be done.
#[derive(Clone, PartialEq, Debug)]
pub enum Output {
    /// Send a frame; the sender numbers it when it leaves.
    Send(Box<Body>, LaneKind),
    /// Read a log, and answer with [`Input::Page`].
    Read {
        /// The want that it is for.
        want_id: u64,
        /// Whose log.
        origin: NodeId,
        /// After which position.
        after: Position,
        /// On the way to which position; none for the path that is held here.
        towards: Option<Position>,
        /// The most entries.
        max_entries: usize,
        /// The most bytes of records.
        max_bytes: usize,
        /// The payload classes that the peer may have.
        classes: u32,
    },
    /// Read payloads for the peer, and answer with [`Input::Payloads`]; none where they could not be read.
    ReadPayloads {
        /// Whose log.
        origin: NodeId,
        /// In which epoch.
        epoch: Epoch,
        /// Which entries.
        seqs: Vec<u64>,
        /// The most bytes of payloads.
        max_bytes: usize,
        /// The payload classes that the peer may have.
        classes: u32,
    },
    /// Read a part of a file for the peer, and answer with [`Input::Blob`].
    ReadBlob {
        /// Its SHA-256.
        hash: Hash,
        /// Where the part begins.
        offset: u64,
        /// How many bytes, at most.
        length: u32,
        /// The classes of the entries by which the peer may have it.
        classes: u32,
    },
    /// The next part came of the file that is fetched; to be answered with [`Input::BlobKept`].
    BlobPart {
        /// Its SHA-256.
        hash: Hash,
        /// Where the part begins.
        offset: u64,
        /// The part.
        body: Vec<u8>,
    },
    /// The peer does not give the file, which is not fetched from it any more.
    BlobRefused {
        /// Its SHA-256.
        hash: Hash,
        /// The length that it has at the peer, by its word; 0 when it does not have it.
        total: u64,
    },
    /// Payloads that were asked for came, as many as the peer gives; nothing was checked against the headers.
    Payloads {
        /// Whose log.
        origin: NodeId,
        /// In which epoch.
        epoch: Epoch,
        /// By entry; those that the peer gives.
        payloads: Vec<(u64, Payload)>,
    },
    /// Apply a group, and answer with [`Input::Applied`].
    Apply(Box<VerifiedGroup>),
    /// Read a log's chain at its durable end, and answer with [`Input::Chain`].
    Reload(NodeId),
    /// The peer introduced itself and fits its certificate.
    Met {
        /// The peer's run.
        run_id: [u8; 16],
        /// The peer's version.
        software: String,
        /// What the peer has of each origin, by its word.
        views: Vec<View>,
    },
    /// A head was heard.
    Heard {
        /// The head.
        head: Box<SignedHead>,
        /// Whether its signature was found to hold; that of a log that is not pulled here is the caller's to check.
        verified: bool,
        /// Whether it tells that its origin is alive: the origin said it, or the peer told it as news. What else a relay
        /// tells may be as old as its log.
        alive: bool,
    },
    /// The next entries of a pulled log came, and wait for the rest of their group.
    Came(NodeId),
    /// The peer has the own log durably up to here; advisory.
    PeerAcked(Position),
    /// The peer may promise and has nothing to decide again, up to this end of its own log, by its word.
    PeerMayPromise(Position),
    /// What the peer shows of the own log, with its Hello and every heartbeat; to be answered with [`Input::OwnKnown`].
    PeerClaims {
        /// Every head that it holds at the end of a branch; none when it holds nothing. The signatures are the caller's
        /// to check.
        heads: Vec<SignedHead>,
        /// Whether one of them is signed by an own key, and the own log does not reach it.
        beyond: bool,
    },
    /// The peer holds another path of a log than this node: the position that was asked after is not on it. To be
    /// answered with [`Input::Branch`].
    Parted {
        /// Whose log.
        origin: NodeId,
        /// The end of the path that the peer holds, by its word.
        end: Position,
        /// The epochs that the peer knows.
        opens: Vec<EpochOpen>,
    },
    /// The peer refused a want.
    Refused {
        /// Whose log.
        origin: NodeId,
        /// Why.
        code: NackCode,
        /// Why, for people.
        detail: String,
    },
    /// An origin's word on its things came; its signature is the caller's to check.
    Presence(Box<Statement>),
    /// A letter came; its signature is the caller's to check.
    Letter(Box<Letter>),
    /// A fork proof came that this session has not seen; the caller checks it, and closes the session where it is forged.
    Forked(Box<ForkProof>),
    /// The peer pauses, or goes on with [`PauseReason::Over`].
    PeerPaused {
        /// Why.
        reason: PauseReason,
        /// Why, for people.
        detail: String,
    },
    /// How far the peer has each log, by its word.
    PeerHolds(Vec<(NodeId, Reach)>),
    /// The round trip was measured.
    RoundTrip {
        /// How long, in milliseconds.
        ms: u64,
        /// How far the peer's wall clock is ahead of this node's, in milliseconds.
        skew_ms: i64,
    },
    /// The peer ended the session.
    PeerClosed {
        /// Why.
        reason: GoodbyeReason,
        /// Why, for people.
        detail: String,
    },
    /// This node ends the session; the Goodbye was sent before.
    Close {
        /// Why.
        reason: GoodbyeReason,
        /// Why, for people.
        detail: String,
    },
}

/// What a peer has of an origin's log, by its word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct View {
    /// Whose log.
    pub origin: NodeId,
    /// Its end there.
    pub end: Reach,
    /// The payload classes that the peer can give of it.
    pub classes: u32,
}

/// Why a session cannot go on.
#[derive(Debug)]
struct Stop {
    reason: GoodbyeReason,
    detail: String,
}

impl Stop {
    fn protocol(detail: impl Into<String>) -> Self {
        Self {
            reason: GoodbyeReason::Protocol,
            detail: detail.into(),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Fresh,
    Greeting { since: u64 },
    Open,
    Closed,
}

/// One session with a peer.
#[derive(Debug)]
pub struct Session {
    config: Config,
    phase: Phase,
    frames: u64,
    ignored: u64,
    heard_at: u64,
    beat_at: u64,
    peer_beat: Option<PeerBeat>,
    round_trip_ms: Option<u64>,
    /// The best heads held, for heartbeats.
    heads: BTreeMap<NodeId, SignedHead>,
    /// The best head of each log that one side told the other.
    told: BTreeMap<NodeId, (Reach, u64)>,
    /// The logs whose heads are to be told with the next tick.
    news: BTreeSet<NodeId>,
    /// What the frame at hand shows of the own log.
    claimed: Vec<SignedHead>,
    /// What the peer showed of the own log since its last heartbeat.
    shown: Vec<SignedHead>,
    /// The peer may know of own entries that are not here: no own ones are released to it.
    withheld: bool,
    /// The fork proofs that the peer has.
    forks: BTreeSet<Hash>,
    /// The fork proofs that it gave, and how many it sent.
    forks_taken: BTreeSet<Hash>,
    forks_came: usize,
    disk_free: u64,
    may_promise: bool,
    paused: bool,
    ends: BTreeMap<NodeId, Position>,
    /// How far the peer was told that its own log is here.
    acknowledged: Position,
    pulls: BTreeMap<NodeId, Pull>,
    serves: BTreeMap<NodeId, Serve>,
    /// The payloads that this node waits for.
    asked: Option<Asked>,
    /// The payloads that the peer waits for.
    asked_of_us: Option<Asked>,
    blobs: Blobs,
    presence: Telling,
    /// How many batches the peer has refused.
    refusals: usize,
    out: Vec<Output>,
}

#[derive(Clone, Copy, Debug)]
struct PeerBeat {
    mono_ms: u64,
    at: u64,
}

impl Session {
    /// Returns a session that waits for [`Input::Opened`].
    pub fn new(config: Config) -> Self {
        let ends: BTreeMap<NodeId, Position> = config
            .logs
            .iter()
            .map(|log| (log.origin, log.end))
            .collect();
        let told_by_hello = ends.get(&config.peer.origin).copied();
        let pulls = config
            .pulls
            .iter()
            .map(|chain| {
                let pull = Pull::new(chain.clone(), config.peer.origin);
                (chain.identity().origin, pull)
            })
            .collect();
        let heads: BTreeMap<NodeId, SignedHead> = config
            .logs
            .iter()
            .filter_map(|log| Some((log.origin, log.head?)))
            .take(MAX_ORIGINS)
            .collect();
        let told = heads.iter().map(|(origin, head)| (*origin, rank(head)));
        let told = told.collect();
        Self {
            config,
            phase: Phase::Fresh,
            frames: 0,
            ignored: 0,
            heard_at: 0,
            beat_at: 0,
            peer_beat: None,
            round_trip_ms: None,
            heads,
            told,
            news: BTreeSet::new(),
            claimed: Vec::new(),
            shown: Vec::new(),
            withheld: true,
            forks: BTreeSet::new(),
            forks_taken: BTreeSet::new(),
            forks_came: 0,
            disk_free: 0,
            may_promise: false,
            paused: false,
            ends,
            acknowledged: told_by_hello.unwrap_or_default(),
            pulls,
            serves: BTreeMap::new(),
            asked: None,
            asked_of_us: None,
            blobs: Blobs::default(),
            presence: Telling::default(),
            refusals: 0,
            out: Vec::new(),
        }
    }

    /// Returns how many frames came that this program does not know.
    pub fn ignored(&self) -> u64 {
        self.ignored
    }

    /// Says whether the next tick sends a heartbeat, so that the own head may be signed again before it.
    pub fn beats_at(&self, now: Now) -> bool {
        self.phase == Phase::Open && now.mono_ms >= self.beat_at + HEARTBEAT_MS
    }

    /// Takes what happened and returns what is to be done, in order; nothing once the session is closed.
    pub fn handle(&mut self, now: Now, input: Input) -> Vec<Output> {
        if self.phase == Phase::Closed {
            return Vec::new();
        }
        if let Err(stop) = self.step(now, input) {
            self.close(stop);
        }
        std::mem::take(&mut self.out)
    }

    fn step(&mut self, now: Now, input: Input) -> Result<(), Stop> {
        match input {
            Input::Opened => self.greet(now),
            Input::Frame(frame) => return self.frame(now, *frame),
            Input::Moved { origin, end } => self.moved(origin, end),
            Input::Head { head, news } => self.hold_head(head, news),
            Input::DiskFree(bytes) => self.disk_free = bytes,
            Input::MayPromise(may) => self.may_promise = may,
            Input::Page {
                want_id,
                origin,
                result,
            } => return self.page(want_id, origin, result),
            Input::Applied { origin, result } => {
                let round_trip = self.round_trip_ms;
                if let Some(pull) = self.pulls.get_mut(&origin) {
                    return pull.applied(now, round_trip, result, &mut self.out);
                }
            }
            Input::Chain(chain) => self.chain(now, *chain, None),
            Input::Towards { chain, end } => self.chain(now, *chain, Some(end)),
            Input::Branch(chain) => {
                if let Some(pull) = self.pulls.get_mut(&chain.identity().origin)
                    && pull.branch(*chain)
                {
                    pull.want(now, &mut self.out);
                }
            }
            Input::OwnKnown(known) => {
                self.withheld = !known;
                self.read_on(self.config.me.origin);
            }
            Input::Branches(heads) => self.config.branches = heads,
            Input::Stop(origin) => {
                if let Some(pull) = self.pulls.get_mut(&origin) {
                    pull.stop(&mut self.out);
                }
            }
            Input::MissingPayloads {
                origin,
                epoch,
                seqs,
            } => {
                if self.phase == Phase::Open {
                    self.ask_payloads(origin, epoch, seqs);
                }
            }
            Input::Fork(proof) => self.give_fork(&proof),
            Input::Payloads(payloads) => self.give_payloads(payloads),
            Input::FetchBlob { hash, length, from } => self.fetch_blob(hash, length, from),
            Input::BlobKept(hash) => self.blob_kept(hash),
            Input::StopBlob(hash) => self.stop_blob(hash),
            Input::Blob(found) => self.give_part(found),
            Input::Pause { reason, detail } => {
                let pause = Pause {
                    origin: String::new(),
                    reason: reason.into(),
                    detail,
                };
                self.send(Body::Pause(pause), LaneKind::Control);
                self.paused = reason != PauseReason::Over;
                for pull in self.pulls.values_mut() {
                    pull.pause(self.paused, &mut self.out);
                }
            }
            Input::Presence(statement) => self.hold_presence(now, *statement),
            Input::Letter(letter) => self.send_letter(&letter),
            Input::Close { reason, detail } => return Err(Stop { reason, detail }),
            Input::Tick => return self.tick(now),
        }
        Ok(())
    }

    fn send(&mut self, body: Body, lane: LaneKind) {
        self.out.push(Output::Send(Box::new(body), lane));
    }

    fn close(&mut self, Stop { reason, detail }: Stop) {
        self.phase = Phase::Closed;
        self.send(
            Body::Bye(Goodbye {
                reason: reason.into(),
                detail: detail.clone(),
            }),
            LaneKind::Control,
        );
        self.out.push(Output::Close { reason, detail });
        self.pulls.clear();
        self.serves.clear();
    }

    fn greet(&mut self, now: Now) {
        if self.phase != Phase::Fresh {
            return;
        }
        self.phase = Phase::Greeting { since: now.mono_ms };
        self.heard_at = now.mono_ms;
        let me = &self.config.me;
        let branches = self.config.branches.iter().map(|head| Log {
            origin: head.head.origin,
            end: head.head.position,
            head: Some(*head),
            forks: Vec::new(),
            quarantined: false,
        });
        // The log's own view comes last: it is what counts where one is expected.
        let views = branches
            .chain(self.config.logs.iter().cloned())
            .take(MAX_ORIGINS)
            .map(|log| OriginView {
                origin: log.origin.to_string(),
                epoch_no: log.end.epoch.no,
                epoch_nonce: log.end.epoch.nonce.to_vec(),
                durable_seq: log.end.seq,
                durable_hash: log.end.hash.to_vec(),
                head: log.head.map(|head| head.to_wire()),
                state: if log.quarantined {
                    OriginState::Quarantined.into()
                } else {
                    OriginState::Ok.into()
                },
                classes: classes_of(me.role),
                fork_ids: (log.forks.iter().take(MAX_FORKS))
                    .map(|id| id.to_vec())
                    .collect(),
            });
        let hello = Hello {
            protocol_min: PROTOCOL_MIN,
            protocol_max: PROTOCOL_MAX,
            features: FEATURE_BLOBS,
            federation_id: me.federation.to_vec(),
            origin: me.origin.to_string(),
            role: me.role.into(),
            software: me.software.clone(),
            run_id: me.run_id.to_vec(),
            nonce: me.nonce.to_vec(),
            max_frame_bytes: MAX_FRAME_BYTES as u32,
            wall_ms: now.wall_ms.unsigned_abs(),
            views: views.collect(),
        };
        self.send(Body::Hello(hello), LaneKind::Control);
    }

    fn frame(&mut self, now: Now, frame: Frame) -> Result<(), Stop> {
        let expected = self.frames + 1;
        if frame.n != expected {
            return Err(Stop::protocol(format!(
                "frame `{}` came where frame `{expected}` must follow",
                frame.n
            )));
        }
        let length = frame.encoded_len();
        if length > MAX_FRAME_BYTES {
            let detail =
                format!("frame `{expected}` has `{length}` bytes, more than {MAX_FRAME_BYTES}");
            return Err(Stop::protocol(detail));
        }
        self.frames = expected;
        self.heard_at = now.mono_ms;
        let Some(body) = frame.body else {
            self.ignored += 1;
            return Ok(());
        };
        match (self.phase, body) {
            (_, Body::Bye(bye)) => {
                self.phase = Phase::Closed;
                self.out.push(Output::PeerClosed {
                    reason: bye.reason(),
                    detail: wire::brief(&bye.detail),
                });
                Ok(())
            }
            (Phase::Fresh, _) => Err(Stop::protocol("a frame came before the session was opened")),
            (Phase::Greeting { .. }, Body::Hello(hello)) => self.hello(now, &hello),
            (Phase::Greeting { .. }, _) => Err(Stop::protocol("the first frame is not a hello")),
            (_, body) => self.body(now, body),
        }
    }

    fn body(&mut self, now: Now, body: Body) -> Result<(), Stop> {
        match body {
            Body::Hello(_) => return Err(Stop::protocol("a second hello came")),
            Body::Epochs(epochs) => {
                let origin = wire::origin("epochs", &epochs.origin)?;
                let Some(pull) = self.pulls.get_mut(&origin) else {
                    return Err(Stop::protocol(format!(
                        "epochs of `{origin}` came, which was not asked for"
                    )));
                };
                return pull.epochs(now, &epochs.opens, &mut self.out);
            }
            Body::Heads(heads) => {
                self.heads(&heads.heads, true)?;
                self.claims(false);
            }
            Body::Want(want) => return self.want(&want),
            Body::Batch(batch) => {
                let origin = wire::origin("batch", &batch.origin)?;
                let round_trip = self.round_trip_ms;
                let Some(pull) = self.pulls.get_mut(&origin) else {
                    return Err(Stop::protocol(format!(
                        "a batch of `{origin}` came, which was not asked for"
                    )));
                };
                return pull.batch(now, round_trip, &batch, &mut self.out);
            }
            Body::Ack(ack) => return self.ack(&ack),
            Body::Nack(nack) => {
                let origin = wire::origin("nack", &nack.origin)?;
                if let Some(head) = &nack.head {
                    self.head(head, false)?;
                    self.claims(false);
                }
                if nack.want_id == 0 {
                    self.refusals += 1;
                    let most = usize::from(STRIKES) * MAX_ORIGINS;
                    if !self.serves.contains_key(&origin) || self.refusals > most {
                        let times = self.refusals;
                        return Err(Stop::protocol(format!(
                            "batches were refused `{times}` times, at last of `{origin}`, more than were sent wrongly"
                        )));
                    }
                    let detail = format!(
                        "a batch of `{origin}` was refused: {}",
                        wire::brief(&nack.detail)
                    );
                    let code = nack.code();
                    self.out.push(Output::Refused {
                        origin,
                        code,
                        detail,
                    });
                } else if let Some(pull) = self.pulls.get_mut(&origin) {
                    pull.nack(now, &nack, &mut self.out)?;
                }
            }
            Body::PayloadWant(want) => return self.payload_want(&want),
            Body::PayloadBatch(batch) => return self.payload_batch(batch),
            Body::Heartbeat(beat) => return self.heartbeat(now, &beat),
            Body::Fork(fork) => return self.fork(&fork),
            Body::Pause(pause) => {
                self.out.push(Output::PeerPaused {
                    reason: pause.reason(),
                    detail: wire::brief(&pause.detail),
                });
            }
            Body::Presence(presence) => return self.presence(presence),
            Body::Sealed(sealed) => return self.letter(sealed),
            Body::BlobWant(want) => return self.blob_want(&want),
            Body::BlobChunk(chunk) => return self.blob_chunk(chunk),
            // Their behavior comes with what uses them; until then they are as unknown.
            Body::SegmentWant(_) | Body::SegmentChunk(_) => self.ignored += 1,
            Body::Bye(_) => {}
        }
        Ok(())
    }

    fn hello(&mut self, now: Now, hello: &Hello) -> Result<(), Stop> {
        let Config { me, peer, .. } = &self.config;
        if hello.protocol_min > PROTOCOL_MAX || hello.protocol_max < PROTOCOL_MIN {
            let detail = format!(
                "`{}` speaks protocol {} to {}, this node {PROTOCOL_MIN} to {PROTOCOL_MAX}",
                peer.origin, hello.protocol_min, hello.protocol_max
            );
            return Err(Stop {
                reason: GoodbyeReason::Incompatible,
                detail,
            });
        }
        if hello.federation_id != me.federation {
            let detail = format!(
                "`{}` says that it belongs to another federation",
                peer.origin
            );
            return Err(Stop {
                reason: GoodbyeReason::UnknownFederation,
                detail,
            });
        }
        if hello.origin != peer.origin.as_str() {
            let said = wire::brief(&hello.origin);
            let detail = format!(
                "the hello is of `{said}`, the certificate of `{}`",
                peer.origin
            );
            return Err(Stop {
                reason: GoodbyeReason::WrongOrigin,
                detail,
            });
        }
        if hello.role() != peer.role {
            let (said, certified) = (hello.role().as_str_name(), peer.role.as_str_name());
            let detail = format!(
                "the hello of `{}` says {said}, the certificate {certified}",
                peer.origin
            );
            return Err(Stop {
                reason: GoodbyeReason::WrongRole,
                detail,
            });
        }
        let Ok(run_id) = <[u8; 16]>::try_from(hello.run_id.as_slice()) else {
            return Err(Stop::protocol(format!(
                "run_id has {} bytes instead of 16",
                hello.run_id.len()
            )));
        };
        if hello.views.len() > MAX_ORIGINS {
            let detail = format!(
                "the hello names `{}` origins, more than {MAX_ORIGINS}",
                hello.views.len()
            );
            return Err(Stop::protocol(detail));
        }
        let views = hello
            .views
            .iter()
            .map(|view| view_of(view, peer))
            .collect::<Result<_, _>>()?;
        self.phase = Phase::Open;
        self.blobs.peer_answers = hello.features & FEATURE_BLOBS != 0;
        self.out.push(Output::Met {
            run_id,
            software: wire::brief(&hello.software),
            views,
        });

        // Own log first: nothing of the own log leaves before the peer's word on it was looked at.
        let own = me.origin;
        let mut views = hello.views.iter().rev();
        if let Some(view) = views.find(|view| view.origin == own.as_str()) {
            let known = wire::position(
                "view",
                view.epoch_no,
                &view.epoch_nonce,
                view.durable_seq,
                &view.durable_hash,
            )?;
            self.peer_holds(own, known);
        }
        for view in &hello.views {
            if let Some(head) = &view.head {
                self.head(head, false)?;
            }
        }
        self.peer_forks(&hello.views)?;
        self.claims(true);
        for pull in self.pulls.values_mut() {
            pull.want(now, &mut self.out);
        }
        self.beat(now);
        Ok(())
    }

    fn own_end(&self) -> Position {
        self.ends
            .get(&self.config.me.origin)
            .copied()
            .unwrap_or_default()
    }

    fn beyond_own_end(&self, claimed: &Position) -> bool {
        let end = self.own_end();
        if claimed.epoch == end.epoch {
            claimed.seq > end.seq || (claimed.seq == end.seq && claimed.hash != end.hash)
        } else {
            claimed.epoch.no >= end.epoch.no
        }
    }

    /// Takes the best head held of a log, and remembers it as news for the peer.
    fn hold_head(&mut self, head: SignedHead, news: bool) {
        let origin = head.head.origin;
        if !self.heads.contains_key(&origin) && self.heads.len() >= MAX_ORIGINS {
            return;
        }
        self.heads.insert(origin, head);
        // Of itself each side tells without being told: with every heartbeat and every group.
        let foreign = origin != self.config.me.origin && origin != self.config.peer.origin;
        if news && foreign && self.told.get(&origin) < Some(&rank(&head)) {
            self.news.insert(origin);
        }
    }

    /// Tells the peer the heads that rose since it was last told.
    fn tell_news(&mut self) {
        let mut heads = Vec::new();
        for origin in std::mem::take(&mut self.news) {
            let Some(head) = self.heads.get(&origin) else {
                continue;
            };
            // The peer may have told it meanwhile.
            if self.told.get(&origin) < Some(&rank(head)) {
                self.told.insert(origin, rank(head));
                heads.push(head.to_wire());
            }
        }
        if !heads.is_empty() {
            self.send(Body::Heads(Heads { heads }), LaneKind::Control);
        }
    }

    fn heads(&mut self, heads: &[WireHead], news: bool) -> Result<(), Stop> {
        if heads.len() > MAX_ORIGINS {
            return Err(Stop::protocol(format!(
                "`{}` heads came at once, more than {MAX_ORIGINS}",
                heads.len()
            )));
        }
        heads.iter().try_for_each(|head| self.head(head, news))
    }

    /// Tells what the peer shows of the own log: by a frame that shows the whole of it, or one that shows what the own log
    /// does not reach.
    fn claims(&mut self, whole: bool) {
        let heads = std::mem::take(&mut self.claimed);
        let beyond = heads.iter().any(|head| {
            self.beyond_own_end(&head.head.position)
                && self.config.own_keys.iter().any(|key| head.verify(*key))
        });
        self.withheld |= beyond;
        if whole {
            self.shown = heads;
        } else if beyond {
            // However often a peer shows it, it is held once.
            for head in heads {
                if self.shown.len() < MAX_ORIGINS && !self.shown.contains(&head) {
                    self.shown.push(head);
                }
            }
        } else {
            return;
        }
        let heads = self.shown.clone();
        self.out.push(Output::PeerClaims { heads, beyond });
    }

    /// Takes a head that the peer tells; one that is not its origin's word is passed over.
    fn head(&mut self, head: &WireHead, news: bool) -> Result<(), Stop> {
        let signed =
            SignedHead::from_wire(head).map_err(|error| Stop::protocol(error.to_string()))?;
        let told = &signed.head;
        if told.federation != self.config.me.federation {
            return Ok(());
        }
        if told.origin == self.config.me.origin {
            self.claimed.push(signed);
            return Ok(());
        }
        let origin = told.origin;
        let alive = news || origin == self.config.peer.origin;
        if self.told.len() < MAX_ORIGINS || self.told.contains_key(&origin) {
            let told = self.told.entry(origin).or_default();
            *told = (*told).max(rank(&signed));
        }
        match self.pulls.get_mut(&origin) {
            Some(pull) if !pull.is_stopped() => pull.head(signed, alive, &mut self.out),
            Some(_) | None => self.out.push(Output::Heard {
                head: Box::new(signed),
                verified: false,
                alive,
            }),
        }
        Ok(())
    }

    fn tick(&mut self, now: Now) -> Result<(), Stop> {
        if let Phase::Greeting { since } = self.phase
            && now.mono_ms >= since + HELLO_MS
        {
            let detail = format!("no hello came within {} s", HELLO_MS / 1000);
            return Err(Stop {
                reason: GoodbyeReason::Silent,
                detail,
            });
        }
        if self.phase != Phase::Open {
            return Ok(());
        }
        if now.mono_ms >= self.heard_at + SILENT_MS {
            let detail = format!("nothing was heard for {} s", SILENT_MS / 1000);
            return Err(Stop {
                reason: GoodbyeReason::Silent,
                detail,
            });
        }
        self.tell_news();
        self.tell_presence(now);
        self.acknowledge_elsewhere();
        if self.beats_at(now) {
            self.beat(now);
        }
        for pull in self.pulls.values_mut() {
            pull.tick(now, &mut self.out);
        }
        Ok(())
    }

    fn chain(&mut self, now: Now, chain: Chain, towards: Option<Position>) {
        let origin = chain.identity().origin;
        if let Some(pull) = self.pulls.get_mut(&origin) {
            pull.aim(towards);
            if !pull.restart(chain) {
                return;
            }
        } else if self.pulls.len() >= MAX_ORIGINS {
            return;
        } else {
            let mut pull = Pull::towards(chain, self.config.peer.origin, towards);
            pull.pause(self.paused, &mut self.out);
            self.pulls.insert(origin, pull);
        }
        if self.phase == Phase::Open
            && let Some(pull) = self.pulls.get_mut(&origin)
            && !pull.waits()
        {
            pull.want(now, &mut self.out);
        }
    }
}

/// Reads what a peer says of a log; what its role may not have it cannot give, except of its own.
fn view_of(view: &OriginView, peer: &Peer) -> Result<View, Stop> {
    let origin = wire::origin("view", &view.origin)?;
    let end = wire::position(
        "view",
        view.epoch_no,
        &view.epoch_nonce,
        view.durable_seq,
        &view.durable_hash,
    )?;
    let may_have = if origin == peer.origin {
        u32::MAX
    } else {
        classes_of(peer.role)
    };
    Ok(View {
        origin,
        end: end.into(),
        classes: view.classes & may_have,
    })
}

/// Returns the payload classes that a node of this role may have.
pub fn classes_of(role: NodeRole) -> u32 {
    let (regional, provinces, local) = (
        Class::Regional.bit(),
        Class::Provinces.bit(),
        Class::Local.bit(),
    );
    match role {
        NodeRole::Node => regional | provinces,
        NodeRole::Standby => regional | provinces | local,
        NodeRole::Gateway | NodeRole::Observer => regional,
        NodeRole::Unspecified => 0,
    }
}
