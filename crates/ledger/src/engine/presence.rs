//! Presence: what an origin says of things that change every few seconds. The last word counts, and expires.
//!
//! ```text
//!  say ────▶ ┌───────┐ ──▶ statements that hold now, each as old as it is
//!  take ───▶ │ Board │
//!  expire ─▶ └───────┘ keeps one statement an origin: at most [`MAX_SUBJECTS`] items of [`MAX_ITEM_BYTES`]
//! ```
//!
//! A statement names all that its origin speaks of; what it does not name any more is gone.
//! It goes to every peer, whatever its role, as it was signed; each hop adds to its age the time that it kept it.
//! What it never does: reach a disk, or look into an item.

use std::collections::BTreeMap;

use posko_proto::{
    Id, NodeId,
    federation::v1::{Presence, PresenceItem, frame::Body},
};

use super::{LaneKind, Now, Output, Session, Stop, wire};
use crate::{
    MAX_ORIGINS,
    key::{PublicKey, SecretKey, Signature},
};

const PREFIX: &[u8] = b"posko/presence/v1\0";
/// The most things of which an origin speaks at once.
pub const MAX_SUBJECTS: usize = 512;
/// The most bytes of what is said of one thing.
pub const MAX_ITEM_BYTES: usize = 256;
/// The longest time for which a statement holds, in milliseconds.
pub const MAX_PRESENCE_MS: u64 = 300_000;

/// What is said of one thing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Item {
    /// The thing.
    pub subject: Id,
    /// What the body is.
    pub kind: u32,
    /// The item's message; at most [`MAX_ITEM_BYTES`].
    pub body: Vec<u8>,
}

/// When something was said, as its origin orders it: by its epoch, then by the start of its run, then within the run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Turn {
    /// The number of the epoch that the origin writes in.
    pub epoch: u64,
    /// When the run began, milliseconds since 1970 by the origin's clock.
    pub started_ms: u64,
    /// Counts within the run.
    pub counter: u64,
}

/// What an origin says of everything that it speaks of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Statement {
    /// Who says it.
    pub origin: NodeId,
    /// The origin's run.
    pub run_id: [u8; 16],
    /// When it was said.
    pub turn: Turn,
    /// The things, rising by subject, each once; at most [`MAX_SUBJECTS`].
    pub items: Vec<Item>,
    /// How old it is, in milliseconds.
    pub age_ms: u64,
    /// For how long it holds, in milliseconds; at most [`MAX_PRESENCE_MS`].
    pub ttl_ms: u64,
    signature: Signature,
}

/// What a statement may not be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPresence {
    /// It speaks of too many things.
    #[error("presence of `{origin}` has `{found}` items, more than {MAX_SUBJECTS}")]
    Items {
        /// Who says it.
        origin: NodeId,
        /// How many.
        found: usize,
    },
    /// An item is too long.
    #[error("presence of `{origin}` has an item of `{found}` bytes, more than {MAX_ITEM_BYTES}")]
    Item {
        /// Who says it.
        origin: NodeId,
        /// How long.
        found: usize,
    },
    /// A thing stands twice, or before a lower one.
    #[error("presence of `{origin}` has its items out of order")]
    Order {
        /// Who says it.
        origin: NodeId,
    },
    /// It holds for no time, or for too long.
    #[error("presence of `{origin}` holds `{found}` ms, not 1 to {MAX_PRESENCE_MS}")]
    Ttl {
        /// Who says it.
        origin: NodeId,
        /// For how long.
        found: u64,
    },
    /// A field has another length.
    #[error("presence of `{origin}` has a {field} of `{found}` bytes instead of {expected}")]
    Length {
        /// Who says it.
        origin: NodeId,
        /// Which field.
        field: &'static str,
        /// How many bytes it has.
        expected: usize,
        /// How many there were.
        found: usize,
    },
}

impl Statement {
    fn check(&self) -> Result<(), BadPresence> {
        let origin = self.origin;
        let found = self.items.len();
        if found > MAX_SUBJECTS {
            return Err(BadPresence::Items { origin, found });
        }
        let longest = self.items.iter().map(|item| item.body.len()).max();
        if let Some(found) = longest.filter(|length| *length > MAX_ITEM_BYTES) {
            return Err(BadPresence::Item { origin, found });
        }
        if !self.items.is_sorted_by(|a, b| a.subject < b.subject) {
            return Err(BadPresence::Order { origin });
        }
        if self.ttl_ms == 0 || self.ttl_ms > MAX_PRESENCE_MS {
            let found = self.ttl_ms;
            return Err(BadPresence::Ttl { origin, found });
        }
        Ok(())
    }

    fn signed_bytes(&self, federation: &[u8; 16]) -> Vec<u8> {
        let mut bytes = PREFIX.to_vec();
        bytes.extend_from_slice(federation);
        bytes.extend_from_slice(&self.origin.padded());
        bytes.extend_from_slice(&self.run_id);
        let Turn {
            epoch,
            started_ms,
            counter,
        } = self.turn;
        for number in [epoch, started_ms, counter, self.ttl_ms] {
            bytes.extend_from_slice(&number.to_be_bytes());
        }
        bytes.extend_from_slice(&(self.items.len() as u32).to_be_bytes());
        for item in &self.items {
            bytes.extend_from_slice(item.subject.as_bytes());
            bytes.extend_from_slice(&item.kind.to_be_bytes());
            bytes.extend_from_slice(&(item.body.len() as u32).to_be_bytes());
            bytes.extend_from_slice(&item.body);
        }
        bytes
    }

    /// Returns the statement as old as it is after it was kept for so long; none once it has expired.
    fn kept(&self, ms: u64) -> Option<Self> {
        let age_ms = self.age_ms.saturating_add(ms);
        (age_ms < self.ttl_ms).then(|| Self {
            age_ms,
            ..self.clone()
        })
    }

    fn to_wire(&self) -> Presence {
        let items = self.items.iter().map(|item| PresenceItem {
            subject_id: item.subject.to_vec(),
            kind: item.kind,
            body: item.body.clone(),
        });
        Presence {
            origin: self.origin.to_string(),
            run_id: self.run_id.to_vec(),
            counter: self.turn.counter,
            items: items.collect(),
            age_ms: self.age_ms,
            ttl_ms: self.ttl_ms,
            signature: self.signature.to_vec(),
            epoch_no: self.turn.epoch,
            started_ms: self.turn.started_ms,
        }
    }

    fn from_wire(origin: NodeId, message: Presence) -> Result<Self, BadPresence> {
        let items = message.items.into_iter().map(|item| {
            Ok(Item {
                subject: Id(array(origin, "subject_id", &item.subject_id)?),
                kind: item.kind,
                body: item.body,
            })
        });
        let statement = Self {
            origin,
            run_id: array(origin, "run_id", &message.run_id)?,
            turn: Turn {
                epoch: message.epoch_no,
                started_ms: message.started_ms,
                counter: message.counter,
            },
            items: items.collect::<Result<_, _>>()?,
            age_ms: message.age_ms,
            ttl_ms: message.ttl_ms,
            signature: array(origin, "signature", &message.signature)?,
        };
        statement.check()?;
        Ok(statement)
    }
}

fn array<const N: usize>(
    origin: NodeId,
    field: &'static str,
    bytes: &[u8],
) -> Result<[u8; N], BadPresence> {
    bytes.try_into().map_err(|_| BadPresence::Length {
        origin,
        field,
        expected: N,
        found: bytes.len(),
    })
}

/// The newest statement of every origin.
#[derive(Debug)]
pub struct Board {
    federation: [u8; 16],
    own: NodeId,
    run_id: [u8; 16],
    started_ms: u64,
    counter: u64,
    held: BTreeMap<NodeId, Held>,
}

#[derive(Debug)]
struct Held {
    /// Stays when the statement expires, so that an old one does not come back.
    turn: Turn,
    /// The statement, and when it came.
    said: Option<(Statement, u64)>,
}

impl Board {
    /// Returns the empty board of a run of a node.
    pub fn new(federation: [u8; 16], own: NodeId, run_id: [u8; 16], started_ms: u64) -> Self {
        Self {
            federation,
            own,
            run_id,
            started_ms,
            counter: 0,
            held: BTreeMap::new(),
        }
    }

    /// Says the own items, instead of those said before; `epoch` is the number of the own log's newest epoch.
    pub fn say(
        &mut self,
        now: Now,
        epoch: u64,
        mut items: Vec<Item>,
        ttl_ms: u64,
        key: &SecretKey,
    ) -> Result<(), BadPresence> {
        items.sort_by_key(|item| item.subject);
        let mut statement = Statement {
            origin: self.own,
            run_id: self.run_id,
            turn: Turn {
                epoch,
                started_ms: self.started_ms,
                counter: self.counter + 1,
            },
            items,
            age_ms: 0,
            ttl_ms,
            signature: [0; 64],
        };
        statement.check()?;
        statement.signature = key.sign(&statement.signed_bytes(&self.federation));
        self.counter += 1;
        self.hold(now, statement);
        Ok(())
    }

    /// Takes what a peer tells of an origin whose log key this is, and says whether it is news.
    pub fn take(&mut self, now: Now, statement: &Statement, key: PublicKey) -> bool {
        let origin = statement.origin;
        let held = self.held.get(&origin);
        let news = match held {
            Some(held) => statement.turn > held.turn,
            None => self.held.len() < MAX_ORIGINS,
        };
        let signed = || {
            let bytes = statement.signed_bytes(&self.federation);
            key.verifies(&bytes, &statement.signature)
        };
        let lives = statement.age_ms < statement.ttl_ms;
        let taken = origin != self.own && news && lives && signed();
        if taken {
            self.hold(now, statement.clone());
        }
        taken
    }

    fn hold(&mut self, now: Now, statement: Statement) {
        let held = Held {
            turn: statement.turn,
            said: Some((statement, now.mono_ms)),
        };
        let origin = held.said.as_ref().map_or(self.own, |(said, _)| said.origin);
        self.held.insert(origin, held);
    }

    /// Returns what holds now, each statement as old as it is.
    pub fn statements(&self, now: Now) -> Vec<Statement> {
        let said = self.held.values().filter_map(|held| held.said.as_ref());
        said.filter_map(|(statement, at)| statement.kept(now.mono_ms.saturating_sub(*at)))
            .collect()
    }

    /// Forgets what has expired, and says whether anything has.
    pub fn expire(&mut self, now: Now) -> bool {
        let mut expired = false;
        for held in self.held.values_mut() {
            let gone = held.said.take_if(|(statement, at)| {
                statement.kept(now.mono_ms.saturating_sub(*at)).is_none()
            });
            expired |= gone.is_some();
        }
        expired
    }
}

/// What a session tells its peer of presence: the newest statement of each origin, once, with the next tick.
#[derive(Debug, Default)]
pub(super) struct Telling {
    /// The newest statement of each origin that one side told the other.
    told: BTreeMap<NodeId, Turn>,
    /// What waits for the tick, and since when.
    next: BTreeMap<NodeId, (Statement, u64)>,
}

impl Telling {
    fn is_told(&self, statement: &Statement) -> bool {
        (self.told.get(&statement.origin)).is_some_and(|told| *told >= statement.turn)
    }
}

impl Session {
    pub(super) fn hold_presence(&mut self, now: Now, statement: Statement) {
        let (origin, telling) = (statement.origin, &mut self.presence);
        let room = telling.next.len() < MAX_ORIGINS || telling.next.contains_key(&origin);
        if origin != self.config.peer.origin && room && !telling.is_told(&statement) {
            telling.next.insert(origin, (statement, now.mono_ms));
        }
    }

    pub(super) fn tell_presence(&mut self, now: Now) {
        for (origin, (statement, since)) in std::mem::take(&mut self.presence.next) {
            let kept = statement.kept(now.mono_ms.saturating_sub(since));
            // The peer may have told it meanwhile.
            if let Some(statement) = kept.filter(|statement| !self.presence.is_told(statement)) {
                self.presence.told.insert(origin, statement.turn);
                self.send(Body::Presence(statement.to_wire()), LaneKind::Live);
            }
        }
    }

    pub(super) fn presence(&mut self, message: Presence) -> Result<(), Stop> {
        let origin = wire::origin("presence", &message.origin)?;
        let statement = Statement::from_wire(origin, message)
            .map_err(|error| Stop::protocol(error.to_string()))?;
        let told = &mut self.presence.told;
        if told.len() < MAX_ORIGINS || told.contains_key(&origin) {
            let told = told.entry(origin).or_default();
            *told = statement.turn.max(*told);
        }
        self.out.push(Output::Presence(Box::new(statement)));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written by the verifier's tests, which share no code with this one.
    const FRAMES: &str = include_str!("../../../../tests/vectors/frames.json");

    #[test]
    fn a_statement_is_signed_as_the_committed_vector_says() {
        let own = "32".parse().unwrap();
        let mut board = Board::new(*b"posko-vectors-01", own, [5; 16], 1_669_011_669_000);
        let item = |subject, kind, body: &[u8]| Item {
            subject: Id([subject; 16]),
            kind,
            body: body.to_vec(),
        };
        let items = vec![item(2, 2, b""), item(1, 1, b"j:\x07")];
        let key = SecretKey::from_seed(&[0x22; 32]);
        board.say(Now::default(), 7, items, 60_000, &key).unwrap();
        let said = board.statements(Now::default()).remove(0);
        let signature = posko_proto::id::hex(&said.signature);
        assert!(FRAMES.contains(&signature), "{signature}");
    }
}
