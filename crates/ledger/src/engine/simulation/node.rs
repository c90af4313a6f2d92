//! A node of the simulation: its store, in which what is pending is not yet durable, and its side of each session.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use posko_proto::{
    NodeId,
    federation::v1::{NodeRole, frame::Body},
};

use super::super::{
    Config, Log, Me, Output, Page, Peer, Session, classes_of, rank,
    source::Sources,
    testing::{FEDERATION, Logs, MemoryLog, identity, log_key},
};
use crate::{
    chain::{Chain, VerifiedGroup},
    entry::{Class, EntryHeader, Payload, Record, commit},
    epoch::{Epoch, EpochOpen, Position},
    head::SignedHead,
};

/// What waits for the commit.
pub(super) enum Job {
    Write {
        entries: usize,
        bytes: usize,
        class: Class,
    },
    Apply {
        conn: u64,
        group: Box<VerifiedGroup>,
    },
}

/// What a node knows beside a log.
#[derive(Clone, Copy, Default)]
pub(super) struct Known {
    pub(super) best: Option<SignedHead>,
    pub(super) heard_ms: Option<u64>,
}

/// One side of a session.
pub(super) struct End {
    pub(super) peer: usize,
    pub(super) session: Session,
    /// By lane; numbered as they leave.
    pub(super) lanes: [VecDeque<Body>; 3],
    pub(super) sent: u64,
    pub(super) ends: BTreeMap<NodeId, Position>,
    pub(super) heard: BTreeMap<NodeId, Option<u64>>,
    pub(super) pulled: BTreeSet<NodeId>,
    pub(super) routes: u64,
    pub(super) paused: bool,
    /// Reads and groups of each origin that the store has not answered.
    pub(super) reading: BTreeMap<NodeId, u32>,
    pub(super) applying: BTreeMap<NodeId, u32>,
    pub(super) gives: BTreeMap<NodeId, Flow>,
    pub(super) takes: BTreeMap<NodeId, Flow>,
}

/// Bytes of a log on their way, as one side knows it.
#[derive(Clone, Copy, Default)]
pub(super) struct Flow {
    pub(super) want_id: u64,
    pub(super) sent: u64,
    pub(super) consumed: u64,
    /// The widest window told under this want.
    pub(super) window: u64,
}

impl Flow {
    pub(super) fn under_way(&self) -> u64 {
        self.sent.saturating_sub(self.consumed)
    }
}

pub(super) struct Node {
    pub(super) name: NodeId,
    pub(super) role: NodeRole,
    /// What is durable; all that a crash leaves.
    pub(super) logs: Logs,
    pub(super) known: BTreeMap<NodeId, Known>,
    pub(super) pending: VecDeque<Job>,
    pub(super) reads: Vec<(u64, Output)>,
    pub(super) sources: Sources,
    pub(super) ends: BTreeMap<u64, End>,
    pub(super) live: BTreeMap<NodeId, u64>,
    /// Counts the choices of sources.
    pub(super) routes: u64,
    pub(super) run: u8,
    /// Whether this run has opened its epoch.
    pub(super) opened: bool,
    pub(super) down_until: u64,
    pub(super) frozen_until: u64,
    pub(super) paused: bool,
    pub(super) next_tick: u64,
    pub(super) ticks: u64,
    /// Whether it answers no read of another's log.
    pub(super) withholds: bool,
}

/// Returns the bit of a record's class from its place in the header, since every tick looks at every record.
pub(super) fn class_of(record: &Record) -> u32 {
    record.header[10].into()
}

impl Node {
    pub(super) fn new(name: NodeId, role: NodeRole, all: &[NodeId]) -> Self {
        Self {
            name,
            role,
            logs: all.iter().map(|one| (*one, MemoryLog::new(*one))).collect(),
            known: BTreeMap::new(),
            pending: VecDeque::new(),
            reads: Vec::new(),
            sources: Sources::new(classes_of(role)),
            ends: BTreeMap::new(),
            live: BTreeMap::new(),
            routes: 0,
            run: 1,
            opened: false,
            down_until: 0,
            frozen_until: 0,
            paused: false,
            next_tick: 0,
            ticks: 0,
            withholds: false,
        }
    }

    pub(super) fn log(&self, origin: NodeId) -> &MemoryLog {
        &self.logs[&origin]
    }

    pub(super) fn own(&mut self) -> &mut MemoryLog {
        self.logs.get_mut(&self.name).unwrap()
    }

    /// Where a log ends for peers: at its newest signed head.
    pub(super) fn end(&self, origin: NodeId) -> Position {
        let head = self.head(origin);
        head.map_or(Position::START, |head| head.head.position)
    }

    pub(super) fn head(&self, origin: NodeId) -> Option<SignedHead> {
        let mut items = self.log(origin).items.iter().rev();
        items.find_map(|item| item.head)
    }

    pub(super) fn is_sealed(&self) -> bool {
        let log = self.log(self.name);
        log.items.last().is_none_or(|item| item.head.is_some())
    }

    /// Says whether a position is in a durable log.
    pub(super) fn holds(&self, origin: NodeId, at: Position) -> bool {
        at.is_start()
            || self
                .log(origin)
                .items
                .iter()
                .rev()
                .any(|item| item.at == at)
    }

    pub(super) fn note(&mut self, head: SignedHead, now: u64) {
        let known = self.known.entry(head.head.origin).or_default();
        if known.best.is_none_or(|best| rank(&head) > rank(&best)) {
            known.best = Some(head);
        }
        known.heard_ms = Some(now);
    }

    pub(super) fn best(&self, origin: NodeId) -> Option<SignedHead> {
        let noted = self.known.get(&origin).and_then(|known| known.best);
        let heads = [noted, self.head(origin)];
        heads.into_iter().flatten().max_by_key(rank)
    }

    pub(super) fn config(&self, peer: &Self, conn: u64) -> Config {
        let logs = self.logs.keys().map(|origin| Log {
            origin: *origin,
            end: self.end(*origin),
            head: self.best(*origin),
            forks: Vec::new(),
            quarantined: false,
        });
        let mut run_id = self.name.padded();
        run_id[15] = self.run;
        Config {
            me: Me {
                federation: FEDERATION,
                origin: self.name,
                role: self.role,
                software: "0.1.0".into(),
                run_id,
                nonce: [conn as u8; 16],
            },
            peer: Peer {
                origin: peer.name,
                role: peer.role,
            },
            own_keys: vec![log_key(self.name).public()],
            logs: logs.collect(),
            branches: Vec::new(),
            pulls: Vec::new(),
        }
    }

    /// Reads a page for a peer that may have these classes.
    pub(super) fn page(
        &self,
        origin: NodeId,
        after: Position,
        max_entries: usize,
        max_bytes: usize,
        classes: u32,
    ) -> Result<Page, super::super::PageRefused> {
        let mut page =
            (self.log(origin).page(after, max_entries, max_bytes)).map_err(|mut refused| {
                refused.head = self.head(origin).map(Box::new);
                refused.opens = self.opens(origin);
                refused
            })?;
        for record in &mut page.records {
            if class_of(record) & classes == 0 {
                record.payload = Payload::Withheld;
            }
        }
        Ok(page)
    }

    pub(super) fn opens(&self, origin: NodeId) -> Vec<EpochOpen> {
        let items = self.log(origin).items.iter();
        items.filter_map(|item| item.open.clone()).collect()
    }

    /// Where a peer's path, of which only the end is told, is the one that is held here.
    pub(super) fn branch_point(&self, origin: NodeId, end: Position) -> Option<Chain> {
        let mut chain = Chain::new(identity(origin));
        if end.is_start() {
            return Some(chain);
        }
        for item in &self.log(origin).items {
            if let Some(open) = &item.open {
                chain.open(open).unwrap();
            }
            let header = EntryHeader::decode(&item.record.header).unwrap();
            chain.append(&header, &item.record.header).unwrap();
            if item.at == end {
                return Some(chain);
            }
        }
        None
    }

    /// The first payloads that this node may have and has not, of what a peer of this role can give.
    pub(super) fn missing(&self, role: NodeRole) -> Option<(NodeId, Epoch, Vec<u64>)> {
        let classes = classes_of(self.role) & classes_of(role);
        self.logs.iter().find_map(|(origin, log)| {
            let mut missing = log.items.iter().filter(|item| {
                item.record.payload == Payload::Withheld && class_of(&item.record) & classes != 0
            });
            let first = missing.next()?.at;
            let others = missing.filter(|item| item.at.epoch == first.epoch);
            let seqs = std::iter::once(first.seq).chain(others.map(|item| item.at.seq));
            Some((*origin, first.epoch, seqs.take(16).collect()))
        })
    }

    pub(super) fn payloads(
        &self,
        origin: NodeId,
        epoch: Epoch,
        seqs: &[u64],
        classes: u32,
    ) -> Vec<(u64, Payload)> {
        let items = self.log(origin).items.iter();
        let asked = items.filter(|item| item.at.epoch == epoch && seqs.contains(&item.at.seq));
        let given = asked.filter(|item| {
            class_of(&item.record) & classes != 0 && item.record.payload != Payload::Withheld
        });
        let mut bytes = 0;
        given
            .map(|item| (item.at.seq, item.record.payload.clone()))
            .take_while(|(_, payload)| {
                if let Payload::Present { body, .. } = payload {
                    bytes += body.len();
                }
                bytes <= crate::MAX_BATCH_BYTES
            })
            .collect()
    }

    pub(super) fn fill(&mut self, origin: NodeId, epoch: Epoch, payloads: Vec<(u64, Payload)>) {
        let log = self.logs.get_mut(&origin).unwrap();
        for (seq, payload) in payloads {
            let place = log.items.iter_mut();
            let mut place = place.filter(|item| item.at.epoch == epoch && item.at.seq == seq);
            let item = place.next().unwrap();
            let header = EntryHeader::decode(&item.record.header).unwrap();
            let Payload::Present { salt, body } = &payload else {
                continue;
            };
            assert_eq!(commit(salt, body), header.payload_commit);
            item.record.payload = payload;
        }
    }
}
