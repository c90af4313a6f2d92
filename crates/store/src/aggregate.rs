//! Areas beside the fixed ones: how one takes part without the store knowing its commands and events.
//!
//! ```text
//! command ──decide──▶ events ──fold──▶ states      by the owner
//!           entries ──fold──▶ states               by every node, in whatever order logs come
//! orphan ──redecide──▶ what became of it           by the owner, as things now stand
//! ```
//! An area promises when its events are scarce; its commands that promise, or give up what was promised, wait as any
//! scarce command does.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use posko_domain::code::{Code, Refusal};
use posko_ledger::{
    entry::{self, Class, EntryHeader},
    epoch::Position,
};
use posko_proto::{Id, NodeId, common::v1 as common, time::Millis};
use rusqlite::{Connection, OptionalExtension, named_params};

pub use crate::recover::settled_by;
use crate::{
    Shared, Store, StoreError, fold,
    log::LogMemory,
    view::Tables,
    writer::{Transaction, Writer},
};

/// An area beside the fixed ones.
pub trait Aggregate: Send + Sync {
    /// Returns the area's number: its events' types are the 256 from this number times 256 on.
    fn area(&self) -> u8;

    /// Says whether a command promises, or gives up what was promised, and so waits while a start is unproven or old
    /// promises are not decided again.
    fn is_scarce(&self, command: &[u8]) -> bool;

    /// Decides a command in the transaction that will record its events, or refuses it.
    fn decide(&self, command: &[u8], view: &View<'_>) -> Result<Decision, StoreError>;

    /// Returns the state that follows from a fact; none when its owner should not have written it. It is total, and
    /// depends on its arguments alone.
    fn fold(&self, fact: &Fact<'_>, state: Option<&[u8]>) -> Option<Vec<u8>>;

    /// Decides a scarce event again that the own log left out, as things now stand: it is no promise by itself.
    fn redecide(&self, orphan: &Fact<'_>, view: &View<'_>) -> Result<Redecided, StoreError>;
}

/// What a command led to: the events in order, at most 32, or why it is refused.
pub type Decision = Result<Vec<NewEvent>, Refusal>;

/// What became of a scarce event that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redecided {
    /// It holds again, or it cannot be kept: an event that carries the whole promise, and whom it was given.
    Decided(NewEvent),
    /// It cannot be known yet, and why: it is asked again when more is here.
    Wait(String),
}

/// An event that is to be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEvent {
    /// The stream that it changes.
    pub stream: Id,
    /// Its type.
    pub type_id: u32,
    /// The version of that type.
    pub type_version: u16,
    /// Who may have its payload.
    pub class: Class,
    /// Whether it is decided again when a restored log left it out.
    pub scarce: bool,
    /// Whether its payload may be withdrawn: only what no state depends on.
    pub withdrawable: bool,
    /// Its bytes.
    pub body: Vec<u8>,
}

impl NewEvent {
    /// Returns the flags of its entry.
    pub(crate) fn flags(&self, exercise: bool) -> u16 {
        let flag = |set: bool, flag: u16| if set { flag } else { 0 };
        flag(exercise, entry::EXERCISE)
            | flag(self.withdrawable, entry::WITHDRAWABLE)
            | flag(self.scarce, entry::SCARCE)
    }
}

/// An event of a log.
#[derive(Clone, Copy, Debug)]
pub struct Fact<'a> {
    /// Whose log it stands in.
    pub origin: NodeId,
    /// Its entry's header, with its id, type, class and stream.
    pub header: &'a EntryHeader,
    /// Its bytes.
    pub body: &'a [u8],
}

/// What a decision may look at, as it stands within the transaction.
pub struct View<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) shared: &'a Shared,
    pub(crate) logs: &'a BTreeMap<NodeId, LogMemory>,
    pub(crate) own: NodeId,
    pub(crate) now: Millis,
    /// The other logs that were looked at, on which the decision so depends.
    pub(crate) read: RefCell<BTreeSet<NodeId>>,
}

impl View<'_> {
    /// Notes that the decision depends on a log.
    fn note(&self, origin: NodeId) {
        if origin != self.own {
            self.read.borrow_mut().insert(origin);
        }
    }

    /// Returns how far the other logs are here on which the decision depends.
    pub(crate) fn frontier(&self) -> Vec<common::Position> {
        let read = self.read.borrow();
        let position = |origin: &NodeId| frontier_of(self.logs, self.shared, *origin);
        read.iter().filter_map(position).collect()
    }

    /// Returns whose log is written.
    pub fn own(&self) -> NodeId {
        self.own
    }

    /// Returns the node's time.
    pub fn now(&self) -> Millis {
        self.now
    }

    /// Returns whose logs are held, the own one too.
    pub fn origins(&self) -> Vec<NodeId> {
        self.shared.origins()
    }

    /// Returns a stream's state; none when nothing of it is here.
    pub fn state(&self, origin: NodeId, stream: Id) -> Result<Option<Vec<u8>>, StoreError> {
        self.note(origin);
        let stored = fold::state(self.connection, Tables::LIVE, origin, stream)?;
        Ok(stored.map(fold::Stored::into_body))
    }

    /// Returns how far a log is here; none when it is not held.
    pub fn end(&self, origin: NodeId) -> Option<Position> {
        self.note(origin);
        end_of(self.logs, self.shared, origin)
    }

    /// Says whether no payload of a log is missing that its states need.
    pub fn is_complete(&self, origin: NodeId) -> Result<bool, StoreError> {
        self.note(origin);
        Ok(fold::missing(self.connection, origin)? == 0)
    }

    /// Says whether all of a log was got from its origin in this run, while that origin itself had nothing to decide
    /// again.
    pub fn is_caught_up(&self, origin: NodeId) -> bool {
        self.shared.is_caught_up(origin)
    }

    /// Says whether an event is held that its origin's log left out, and of which nothing is decided.
    pub fn is_left_out(&self, origin: NodeId, event: Id) -> Result<bool, StoreError> {
        self.note(origin);
        let found: Option<i64> = self
            .connection
            .prepare_cached("SELECT 1 FROM orphan WHERE origin = :origin AND event_id = :event")?
            .query_row(
                named_params! { ":origin": origin.as_str(), ":event": event.as_bytes() },
                |row| row.get(0),
            )
            .optional()?;
        Ok(found.is_some())
    }
}

impl Store {
    /// Returns a stream's state as its area writes it; none when nothing of it is here.
    pub fn state(&self, origin: NodeId, stream: Id) -> Result<Option<Vec<u8>>, StoreError> {
        let stored =
            self.read(|connection| fold::state(connection, Tables::LIVE, origin, stream))?;
        Ok(stored.map(fold::Stored::into_body))
    }
}

/// The areas beside the fixed ones that a program knows.
#[derive(Clone, Default)]
pub struct Areas(Vec<Arc<dyn Aggregate>>);

impl FromIterator<Arc<dyn Aggregate>> for Areas {
    fn from_iter<T: IntoIterator<Item = Arc<dyn Aggregate>>>(areas: T) -> Self {
        Self(areas.into_iter().collect())
    }
}

impl Areas {
    /// Returns the area of this number.
    pub(crate) fn get(&self, area: u8) -> Option<&dyn Aggregate> {
        let mut areas = self.0.iter();
        areas.find(|known| known.area() == area).map(AsRef::as_ref)
    }

    /// Returns the area of an event's type.
    pub(crate) fn of_type(&self, type_id: u32) -> Option<&dyn Aggregate> {
        self.get(u8::try_from(type_id >> 8).ok()?)
    }
}

impl Writer {
    /// Decides a command of an area beside the fixed ones.
    pub(crate) fn decide_aggregate(
        &self,
        connection: &Connection,
        transaction: &Transaction,
        now: Millis,
        area: u8,
        body: &[u8],
    ) -> Result<(Decision, Vec<common::Position>), StoreError> {
        let Some(aggregate) = self.options.areas.get(area) else {
            return Ok((Err(unknown_area(area)), Vec::new()));
        };
        let view = View {
            connection,
            shared: &self.shared,
            logs: &transaction.logs,
            own: self.options.identity.origin,
            now,
            read: RefCell::default(),
        };
        let decision = aggregate.decide(body, &view)?;
        Ok((decision, view.frontier()))
    }
}

/// Returns how far a log is here within a transaction; none when it is not held.
fn end_of(logs: &BTreeMap<NodeId, LogMemory>, shared: &Shared, origin: NodeId) -> Option<Position> {
    let log = logs.get(&origin).map(|log| log.chain.end());
    log.or_else(|| Some(shared.log(origin)?.chain.end()))
}

/// Returns how far a log is here as an envelope says it; none when nothing of it is.
pub(crate) fn frontier_of(
    logs: &BTreeMap<NodeId, LogMemory>,
    shared: &Shared,
    origin: NodeId,
) -> Option<common::Position> {
    let end = end_of(logs, shared, origin).filter(|end| !end.is_start())?;
    Some(common::Position {
        origin: origin.to_string(),
        epoch_no: end.epoch.no,
        epoch_nonce: end.epoch.nonce.to_vec(),
        seq: end.seq,
        hash: end.hash.to_vec(),
    })
}

/// Returns the refusal of a command whose area this program does not know.
fn unknown_area(area: u8) -> Refusal {
    Refusal {
        code: Code::Invalid,
        message: format!("area `{area}` is not known to this program"),
    }
}
