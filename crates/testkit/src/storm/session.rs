//! A session of two nodes, frame by frame, as the node's own room drives it, without sockets and tasks.

use std::collections::{BTreeMap, VecDeque};

use anyhow::{Result, bail};
use posko_ledger::{
    chain::VerifiedGroup,
    engine::{
        ApplyRefused, Config, Input, LaneKind, Log, Me, Now, Output, Page, PageRefused, Peer,
        Session, classes_of,
    },
    epoch::Position,
};
use posko_proto::{
    NodeId,
    federation::v1::{Frame, NackCode, frame::Body},
    time::Millis,
};
use posko_store::{ApplyError, Asked, Claim, Missing, PageError, Standing, Store};

use super::node::{Node, wait};

/// The most heartbeats of a session.
const BEATS: usize = 40;
const BEAT_MS: u64 = 5_000;

struct Side<'a> {
    node: &'a Node,
    peer: Peer,
    session: Session,
    lanes: BTreeMap<LaneKind, VecDeque<Body>>,
    sent: u64,
    ends: BTreeMap<NodeId, Position>,
    claim: Claim,
    asked_own: bool,
    wanted: Option<Position>,
    /// After which place payloads are asked for, and up to which they were.
    missing: (i64, i64),
    met: bool,
    closed: Option<String>,
    now: Now,
}

/// How a session ended.
pub(super) struct Met {
    /// How many frames were delivered.
    pub(super) frames: usize,
    /// How both stood when nothing was left to say; none when it ended before.
    pub(super) settled: Option<[Stand; 2]>,
}

/// Lets two nodes talk until nothing is left to say, or so many frames were delivered.
pub(super) fn meet(one: &Node, other: &Node, most: usize, now: Millis) -> Result<Met> {
    let mut sides = [Side::new(one, other, now)?, Side::new(other, one, now)?];
    for side in &mut sides {
        side.input(Input::Opened)?;
    }
    let mut frames = 0;
    let mut quiet = 0;
    for _ in 0..BEATS {
        let before = Stand::of_both(one, other)?;
        loop {
            let mut moved = false;
            for from in 0..2 {
                if frames >= most {
                    return Ok(Met {
                        frames,
                        settled: None,
                    });
                }
                let Some(frame) = sides.get_mut(from).and_then(Side::next) else {
                    continue;
                };
                if let Some(to) = sides.get_mut(1 - from) {
                    to.frame(frame)?;
                }
                frames += 1;
                moved = true;
            }
            if !moved {
                break;
            }
        }
        if sides.iter().any(|side| side.closed.is_some()) {
            let fenced = one.is_fenced()? || other.is_fenced()?;
            let why = sides.iter().find_map(|side| side.closed.clone());
            if !fenced {
                bail!("a session ended: {}", why.unwrap_or_default());
            }
            return Ok(Met {
                frames,
                settled: None,
            });
        }
        let stands = Stand::of_both(one, other)?;
        quiet = if before == stands { quiet + 1 } else { 0 };
        if quiet > 3 {
            return Ok(Met {
                frames,
                settled: Some(stands),
            });
        }
        for side in &mut sides {
            side.tick()?;
        }
    }
    bail!(
        "`{}` and `{}` never have nothing left to say",
        one.origin,
        other.origin
    )
}

/// What a session of a node depends on and may change.
#[derive(PartialEq)]
pub(super) struct Stand {
    run: [u8; 16],
    withholds: Option<NodeId>,
    logs: Vec<(NodeId, Position, u64, Option<Position>)>,
    standing: Standing,
    may_promise: bool,
    missing: Option<Missing>,
}

impl Stand {
    pub(super) fn of(node: &Node) -> Result<Self> {
        let store = node.store()?;
        let logs = store.logs().into_iter().map(|log| {
            let best = log.best.map(|head| head.head.position);
            (log.origin, log.end, log.cut, best)
        });
        Ok(Self {
            run: node.run,
            withholds: node.withholds(),
            logs: logs.collect(),
            standing: store.standing(),
            may_promise: store.may_promise().is_ok(),
            missing: store.missing(classes_of(node.role), 0, 256)?,
        })
    }

    fn of_both(one: &Node, other: &Node) -> Result<[Self; 2]> {
        Ok([Self::of(one)?, Self::of(other)?])
    }
}

impl<'a> Side<'a> {
    fn new(node: &'a Node, other: &Node, now: Millis) -> Result<Self> {
        let store = node.store()?;
        let own = node.origin;
        let peer = Peer {
            origin: other.origin,
            role: other.role,
        };
        let mut own_keys = vec![store.log_key()];
        for open in store.opens(own)? {
            if !own_keys.contains(&open.log_key) {
                own_keys.push(open.log_key);
            }
        }
        let mut logs: Vec<Log> = (node.shown_logs()?.into_iter())
            .map(|log| Log {
                origin: log.origin,
                end: log.end,
                head: log.best,
                quarantined: log.quarantine.is_some(),
                forks: log.forks.into_iter().map(|fork| fork.id).collect(),
            })
            .collect();
        if let Some(head) = store.own_head(now)
            && let Some(log) = logs.iter_mut().find(|log| log.origin == own)
        {
            (log.end, log.head) = (head.head.position, Some(head));
        }
        let config = Config {
            me: Me {
                federation: [7; 16],
                origin: own,
                role: node.role,
                software: "0.1.0".into(),
                run_id: node.run,
                nonce: node.run,
            },
            peer,
            own_keys,
            logs,
            branches: (node.shown(other.origin)?).branch_heads(other.origin)?,
            pulls: Vec::new(),
        };
        Ok(Self {
            node,
            peer,
            session: Session::new(config),
            lanes: BTreeMap::new(),
            sent: 0,
            ends: BTreeMap::new(),
            claim: Claim {
                classes: classes_of(other.role),
                ..Claim::default()
            },
            asked_own: false,
            wanted: None,
            missing: (0, 0),
            met: false,
            closed: None,
            now: Now {
                mono_ms: 1_000,
                wall_ms: now.0,
            },
        })
    }

    fn store(&self) -> Result<&'a Store> {
        self.node.store()
    }

    /// Returns the next frame that leaves.
    fn next(&mut self) -> Option<Frame> {
        let body = self.lanes.values_mut().find_map(VecDeque::pop_front)?;
        self.sent += 1;
        Some(Frame {
            n: self.sent,
            body: Some(body),
        })
    }

    fn frame(&mut self, frame: Frame) -> Result<()> {
        self.moved()?;
        self.input(Input::Frame(Box::new(frame)))
    }

    fn moved(&mut self) -> Result<()> {
        for log in self.node.shown_logs()? {
            if self.ends.insert(log.origin, log.end) != Some(log.end) {
                self.input(Input::Moved {
                    origin: log.origin,
                    end: log.end,
                })?;
            }
        }
        Ok(())
    }

    fn tick(&mut self) -> Result<()> {
        self.now.mono_ms += BEAT_MS;
        self.now.wall_ms += BEAT_MS.cast_signed();
        self.moved()?;
        let store = self.store()?;
        let may_promise = store.may_promise().is_ok();
        if let Some(head) = store.own_head(Millis(self.now.wall_ms)) {
            self.input(Input::Head { head, news: true })?;
        }
        for log in self.node.shown_logs()? {
            if let Some(head) = log.best.filter(|_| log.origin != self.node.origin) {
                self.input(Input::Head { head, news: false })?;
            }
        }
        self.input(Input::MayPromise(may_promise))?;
        let shown = self.node.shown(self.peer.origin)?;
        self.input(Input::Branches(shown.branch_heads(self.peer.origin)?))?;
        self.look_for_missing(0)?;
        self.input(Input::Tick)
    }

    fn look_for_missing(&mut self, after: i64) -> Result<()> {
        let classes = classes_of(self.peer.role) & classes_of(self.node.role);
        if let Some(missing) = self.store()?.missing(classes, after, 256)? {
            self.missing = (after, missing.last);
            self.input(Input::MissingPayloads {
                origin: missing.origin,
                epoch: missing.epoch,
                seqs: missing.seqs,
            })?;
        }
        Ok(())
    }

    /// Asks the store whether all is here that the peer showed of the own log.
    fn ask(&mut self) -> Result<()> {
        let at = Millis(self.now.wall_ms);
        let own = self.node.origin;
        match self.node.ask(self.peer.origin, self.claim.clone(), at)? {
            Asked::Known => {
                if self.wanted.take().is_some() {
                    self.input(Input::Stop(own))?;
                }
                self.moved()?;
                self.input(Input::OwnKnown(true))
            }
            Asked::More(end) => {
                self.input(Input::OwnKnown(false))?;
                let before = self.wanted.replace(end);
                if before == Some(end) {
                    return Ok(());
                }
                if before.is_some() {
                    self.input(Input::Stop(own))?;
                }
                match self.store()?.chain(own) {
                    Some(chain) => self.input(Input::Towards {
                        chain: Box::new(chain),
                        end,
                    }),
                    None => Ok(()),
                }
            }
            Asked::Fenced => self.input(Input::OwnKnown(false)),
        }
    }

    fn apply(&self, group: VerifiedGroup) -> Result<Result<Position, ApplyError>> {
        let (answer, answered) = std::sync::mpsc::channel();
        let at = Millis(self.now.wall_ms);
        let reply = move |applied| drop(answer.send(applied));
        self.store()?.apply(group, at, Box::new(reply));
        let applied = wait(&answered)?;
        self.node.quiet()?;
        Ok(applied)
    }

    fn input(&mut self, input: Input) -> Result<()> {
        for output in self.session.handle(self.now, input) {
            self.output(output)?;
        }
        Ok(())
    }

    fn output(&mut self, output: Output) -> Result<()> {
        let store = self.store()?;
        match output {
            Output::Send(body, lane) => {
                self.lanes.entry(lane).or_default().push_back(*body);
                Ok(())
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
                let limits = (max_entries, max_bytes, classes);
                let result = read(self.node.shown(origin)?, origin, after, towards, limits);
                self.input(Input::Page {
                    want_id,
                    origin,
                    result,
                })
            }
            Output::ReadPayloads {
                origin,
                epoch,
                seqs,
                max_bytes,
                classes,
            } => {
                let payloads = store.payloads(origin, epoch, &seqs, max_bytes, classes)?;
                self.input(Input::Payloads(payloads))
            }
            Output::Payloads {
                origin,
                epoch,
                payloads,
            } => {
                let filled = store.fill(self.peer.origin, origin, epoch, payloads)?;
                if filled > 0 {
                    self.node.rebuild()?;
                }
                let (before, last) = self.missing;
                self.look_for_missing(if filled > 0 { before } else { last })
            }
            Output::Apply(group) => {
                let origin = group.chain().identity().origin;
                let applied = self.apply(*group)?;
                let result = applied.map_err(|cause| match cause {
                    ApplyError::Moved { .. } => ApplyRefused::Moved,
                    ApplyError::Forked { .. } => ApplyRefused::Forked(cause.to_string()),
                    other => ApplyRefused::Failed(other.to_string()),
                });
                let arrived = origin == self.node.origin
                    && matches!(&result, Ok(at) if self.wanted == Some(*at));
                self.input(Input::Applied { origin, result })?;
                if arrived { self.ask() } else { Ok(()) }
            }
            Output::Reload(origin) => match store.chain(origin) {
                Some(chain) => self.input(Input::Chain(Box::new(chain))),
                None => Ok(()),
            },
            Output::Met { .. } => {
                self.met = true;
                for log in store.logs() {
                    // Of a log that is withheld it takes nothing.
                    if log.origin != self.node.origin
                        && self.node.withholds() != Some(log.origin)
                        && let Some(chain) = store.chain(log.origin)
                    {
                        self.input(Input::Chain(Box::new(chain)))?;
                    }
                }
                for log in store.logs() {
                    for fork in log.forks {
                        if let Some(proof) = store.fork(log.origin, fork.id)? {
                            self.input(Input::Fork(Box::new(proof)))?;
                        }
                    }
                }
                self.look_for_missing(0)
            }
            Output::PeerClaims { heads, beyond } => {
                self.claim.heads = heads;
                let first = !std::mem::replace(&mut self.asked_own, true);
                if first || beyond || store.standing() != Standing::Clean {
                    self.ask()
                } else {
                    Ok(())
                }
            }
            Output::Parted { origin, end, opens } => {
                let mut end = end;
                if origin == self.node.origin {
                    self.claim.opens.clone_from(&opens);
                    end = self.wanted.unwrap_or(end);
                }
                if let Some(at) = store.branch_point(origin, end, &opens)?
                    && let Some(chain) = store.chain_at(origin, at)?
                {
                    return self.input(Input::Branch(Box::new(chain)));
                }
                Ok(())
            }
            Output::Close { detail, .. } | Output::PeerClosed { detail, .. } => {
                self.closed = Some(detail);
                Ok(())
            }
            Output::Forked(proof) => {
                let (answer, answered) = std::sync::mpsc::channel();
                let at = Millis(self.now.wall_ms);
                store.take_fork(*proof, at, move |taken| drop(answer.send(taken)));
                drop(wait(&answered)?);
                self.node.quiet()
            }
            Output::PeerMayPromise(end) => {
                let origin = self.peer.origin;
                if store.log(origin).is_some_and(|log| log.end.reaches(&end)) {
                    store.note_caught_up(origin);
                    self.node.quiet()?;
                }
                Ok(())
            }
            Output::Heard { .. }
            | Output::Presence(_)
            | Output::Letter(_)
            | Output::ReadBlob { .. }
            | Output::BlobPart { .. }
            | Output::BlobRefused { .. }
            | Output::Came(_)
            | Output::PeerAcked(_)
            | Output::Refused { .. }
            | Output::PeerPaused { .. }
            | Output::PeerHolds(_)
            | Output::RoundTrip { .. } => Ok(()),
        }
    }
}

fn read(
    store: &Store,
    origin: NodeId,
    after: Position,
    towards: Option<Position>,
    (max_entries, max_bytes, classes): (usize, usize, u32),
) -> Result<Page, PageRefused> {
    let page = match towards {
        None => (store.fresh_page(origin, after, max_entries, max_bytes, classes)).map_or_else(
            || store.page(origin, after, max_entries, max_bytes, classes),
            Ok,
        ),
        Some(end) => store.page_towards(origin, end, after, max_entries, max_bytes, classes),
    };
    match page {
        Ok(page) => Ok(Page {
            opens: page.opens,
            prev: page.prev,
            records: page.records,
            head: page.head,
        }),
        Err(error) => {
            let code = match &error {
                PageError::NoSuchOrigin => NackCode::NoSuchOrigin,
                PageError::UnknownEpoch => NackCode::UnknownEpoch,
                PageError::Diverged => NackCode::Diverged,
                PageError::Store(_) => NackCode::Busy,
            };
            Err(PageRefused {
                code,
                detail: error.to_string(),
                head: (store.log(origin))
                    .and_then(|log| log.head.or(log.best))
                    .map(Box::new),
                opens: store.opens(origin).unwrap_or_default(),
            })
        }
    }
}
