//! What the engine's tests are made of: an origin that writes, and a store in memory.

use std::collections::BTreeMap;

use posko_proto::{
    Id, NodeId,
    federation::v1::{NackCode, NodeRole},
};

use super::{ApplyRefused, Config, Log, Me, Now, Page, PageRefused, Peer};
use crate::{
    chain::{Chain, Identity, VerifiedGroup},
    entry::{Class, EntryHeader, Payload, Record, commit},
    epoch::{Epoch, EpochOpen, Position, Reason},
    head::SignedHead,
    key::SecretKey,
};

pub(super) const FEDERATION: [u8; 16] = [9; 16];

pub(super) fn node(name: &str) -> NodeId {
    name.parse().unwrap()
}

pub(super) fn now(mono_ms: u64) -> Now {
    Now {
        mono_ms,
        wall_ms: 1_700_000_000_000 + mono_ms.cast_signed(),
    }
}

fn key(origin: NodeId, which: u8) -> SecretKey {
    let mut seed = [which; 32];
    seed[..16].copy_from_slice(&origin.padded());
    SecretKey::from_seed(&seed)
}

pub(super) fn log_key(origin: NodeId) -> SecretKey {
    key(origin, 1)
}

pub(super) fn identity(origin: NodeId) -> Identity {
    Identity {
        federation: FEDERATION,
        origin,
        recovery: key(origin, 2).public(),
    }
}

/// One log in memory.
#[derive(Clone, Debug)]
pub(super) struct MemoryLog {
    pub(super) chain: Chain,
    pub(super) items: Vec<Item>,
    pub(super) applied: Vec<u64>,
}

#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) open: Option<EpochOpen>,
    prev: Position,
    pub(super) at: Position,
    pub(super) record: Record,
    pub(super) head: Option<SignedHead>,
}

impl MemoryLog {
    pub(super) fn new(origin: NodeId) -> Self {
        Self {
            chain: Chain::new(identity(origin)),
            items: Vec::new(),
            applied: Vec::new(),
        }
    }

    /// Opens the next epoch and writes its first entry.
    pub(super) fn start(&mut self) {
        self.open_epoch();
        self.sign();
    }

    /// The same without a head.
    pub(super) fn open_epoch(&mut self) {
        let origin = self.chain.identity().origin;
        let parent = self.chain.end();
        let no = parent.epoch.no + 1;
        let (reason, authority) = if no == 1 {
            (Reason::Genesis, key(origin, 2))
        } else {
            (Reason::Start, log_key(origin))
        };
        let epoch = Epoch {
            no,
            nonce: [no as u8; 16],
        };
        let open = EpochOpen::sign(
            FEDERATION,
            origin,
            epoch,
            parent,
            reason,
            0,
            1,
            &log_key(origin),
            &authority,
        );
        self.chain.open(&open).unwrap();
        self.push(Some(open), 40, Class::Regional);
    }

    pub(super) fn write(&mut self, entries: usize, bytes: usize) {
        for _ in 0..entries {
            self.push(None, bytes, Class::Regional);
        }
        self.sign();
    }

    pub(super) fn push(&mut self, open: Option<EpochOpen>, bytes: usize, class: Class) {
        let prev = self.chain.end();
        let seq = prev.seq + 1;
        let body = vec![seq as u8; bytes];
        let salt = [3; 16];
        let header = EntryHeader {
            flags: 0,
            type_id: 1,
            type_version: 1,
            class,
            payload_len: bytes as u32,
            seq,
            wall_ms: 1,
            event_id: Id([4; 16]),
            stream_id: Id([5; 16]),
            stream_version: 1,
            payload_commit: commit(&salt, &body),
        };
        let encoded = header.encode();
        self.chain.append(&header, &encoded).unwrap();
        let record = Record {
            header: encoded,
            payload: Payload::Present { salt, body },
        };
        self.items.push(Item {
            open,
            prev,
            at: self.chain.end(),
            record,
            head: None,
        });
    }

    pub(super) fn sign(&mut self) {
        let head = self
            .chain
            .head(7)
            .unwrap()
            .sign(&log_key(self.chain.identity().origin));
        self.items.last_mut().unwrap().head = Some(head);
    }

    pub(super) fn opens(&self) -> Vec<EpochOpen> {
        let opens = self.items.iter().filter_map(|item| item.open.clone());
        opens.collect()
    }

    pub(super) fn head(&self) -> Option<SignedHead> {
        self.items.last().and_then(|item| item.head)
    }

    pub(super) fn page(
        &self,
        after: Position,
        max_entries: usize,
        max_bytes: usize,
    ) -> Result<Page, PageRefused> {
        let from = if after.is_start() {
            0
        } else {
            let Some(at) = self.items.iter().position(|item| item.at == after) else {
                let detail = "diverged".into();
                return Err(PageRefused {
                    code: NackCode::Diverged,
                    detail,
                    head: self.head().map(Box::new),
                    opens: Vec::new(),
                });
            };
            at + 1
        };
        let mut page = Page {
            opens: Vec::new(),
            prev: after,
            records: Vec::new(),
            head: None,
        };
        let mut bytes = 0;
        for (index, item) in self.items[from..].iter().enumerate() {
            if let Some(open) = &item.open {
                if index > 0 {
                    break;
                }
                page.opens.push(open.clone());
                page.prev = item.prev;
            }
            bytes += item.record.encoded_len();
            if index >= max_entries || (bytes > max_bytes && index > 0) {
                break;
            }
            page.records.push(item.record.clone());
            if item.head.is_some() {
                page.head = item.head;
            }
        }
        // A page that holds a head ends at its newest one.
        if let Some(head) = &page.head {
            page.records
                .truncate((head.head.position.seq - page.prev.seq) as usize);
        }
        Ok(page)
    }

    /// Stores a group that begins at the end, or before it and ends behind it, as the store does.
    pub(super) fn apply(&mut self, group: &VerifiedGroup) -> Result<Position, ApplyRefused> {
        let grows = group.before() == self.chain.end();
        let holds = |at: Position| at.is_start() || self.items.iter().any(|item| item.at == at);
        if !grows && (!holds(group.before()) || holds(group.chain().end())) {
            return Err(ApplyRefused::Moved);
        }
        let mut opens = group.opens().to_vec();
        let mut prev = opens.last().map_or(group.before(), EpochOpen::position);
        for (header, record, hash) in group.entries() {
            let at = Position {
                epoch: prev.epoch,
                seq: header.seq,
                hash: *hash,
            };
            if !grows && self.items.iter().any(|item| item.at == at) {
                opens.clear();
                prev = at;
                continue;
            }
            let head = (at == group.head().head.position).then(|| *group.head());
            self.items.push(Item {
                open: opens.pop(),
                prev,
                at,
                record: record.clone(),
                head,
            });
            self.applied.push(header.seq);
            prev = at;
        }
        self.chain = group.chain().clone();
        Ok(self.chain.end())
    }
}

/// A node's logs.
pub(super) type Logs = BTreeMap<NodeId, MemoryLog>;

pub(super) fn config(me: &str, peer: &str, logs: &Logs) -> Config {
    let (me, peer) = (node(me), node(peer));
    Config {
        me: Me {
            federation: FEDERATION,
            origin: me,
            role: NodeRole::Node,
            software: "0.1.0".into(),
            run_id: [1; 16],
            nonce: [2; 16],
        },
        peer: Peer {
            origin: peer,
            role: NodeRole::Node,
        },
        own_keys: vec![log_key(me).public()],
        logs: logs
            .iter()
            .map(|(origin, log)| Log {
                origin: *origin,
                end: log.chain.end(),
                head: log.head(),
                forks: Vec::new(),
                quarantined: false,
            })
            .collect(),
        branches: Vec::new(),
        pulls: logs
            .get(&peer)
            .map(|log| log.chain.clone())
            .into_iter()
            .collect(),
    }
}
