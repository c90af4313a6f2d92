//! What one origin's log says of promises.

use std::collections::{BTreeMap, BTreeSet};

use posko_ledger::entry::Class;
use posko_proto::{Id, NodeId};
use posko_store::StoreError;
use serde::{Deserialize, Serialize};

use super::{Event, Item, Scope, answer};

pub(super) static EMPTY: Ledger = Ledger {
    have: BTreeMap::new(),
    kept: BTreeMap::new(),
    over: BTreeSet::new(),
    freed: BTreeSet::new(),
    shipped: BTreeMap::new(),
    back: BTreeMap::new(),
    returned: BTreeMap::new(),
    asks: BTreeMap::new(),
    on_hand: 0,
    consent: None,
};

/// A promise, as it stands in a ledger.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Promise {
    /// Its id.
    pub id: Id,
    /// The whole of it.
    pub event: Event,
    /// Who may know of it.
    pub scope: Scope,
    /// How many came before it.
    pub order: u64,
}

/// What became of an event's id.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) enum Kind {
    Fact,
    No,
    Promise,
    Over,
}

/// What one origin's log says: sets, so that the order of what was recorded again does not matter.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Ledger {
    pub(super) have: BTreeMap<Id, Kind>,
    pub(super) kept: BTreeMap<Id, Promise>,
    /// Promises that are not kept, by id and body.
    pub(super) over: BTreeSet<(Id, Event)>,
    pub(super) freed: BTreeSet<Id>,
    /// By grant: to whom, and how many.
    pub(super) shipped: BTreeMap<Id, (NodeId, u32, Scope)>,
    /// By hand-over: what the owner has back.
    pub(super) back: BTreeMap<Id, u32>,
    /// By hand-over: whose, what the holder gave back, and by which event.
    pub(super) returned: BTreeMap<Id, (NodeId, u32, Id, Scope)>,
    pub(super) asks: BTreeMap<Id, (Event, Scope)>,
    pub(super) on_hand: i64,
    pub(super) consent: Option<(u32, u32)>,
}

impl Ledger {
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, StoreError> {
        postcard::from_bytes(bytes).map_err(|_| StoreError::Corrupt {
            what: "a ledger of promises",
        })
    }

    pub(super) fn encode(&self) -> Result<Vec<u8>, StoreError> {
        postcard::to_stdvec(self).map_err(|_| StoreError::Corrupt {
            what: "a ledger of promises",
        })
    }

    /// Takes a fact. It is total: what makes no sense changes nothing that others rely on.
    pub(super) fn fold(&mut self, id: Id, event: Event, class: Class) {
        let scope = match class {
            Class::Regional => Scope::Regional,
            Class::Provinces | Class::Local => Scope::Provinces,
        };
        let order = self.have.len() as u64;
        let kind = match &event {
            event if event.is_promise() => Kind::Promise,
            event if event.is_refusal() => Kind::No,
            _ => Kind::Fact,
        };
        self.have.entry(id).or_insert(kind);
        match event {
            Event::Received(count) | Event::Arrived { count, .. } => {
                self.on_hand += i64::from(count);
            }
            Event::Issued(count) => self.on_hand -= i64::from(count),
            Event::Consented { total, each } => self.consent = Some((total, each)),
            Event::Shipped { grant, to, count } => {
                self.on_hand -= i64::from(count);
                self.shipped.insert(grant, (to, count, scope));
            }
            Event::Released { grant } | Event::Expired { grant } => {
                self.freed.insert(grant);
            }
            Event::Back { escrow, count } => *self.back.entry(escrow).or_default() += count,
            Event::Returned {
                owner,
                escrow,
                count,
            } => {
                self.returned.insert(escrow, (owner, count, id, scope));
            }
            Event::Requested { .. } | Event::Referred { .. } => {
                self.asks.insert(id, (event, scope));
            }
            Event::Reinstated { id, promise } if promise.is_promise() => {
                self.have.entry(id).or_insert(Kind::Promise);
                self.keep(id, *promise, scope, order);
            }
            Event::Reinstated { id, .. } => {
                self.have.entry(id).or_insert(Kind::No);
            }
            Event::OverCommitted { id, promise, .. } => {
                self.have.entry(id).or_insert(Kind::Over);
                self.over.insert((id, *promise));
            }
            Event::Refused { .. } | Event::Lapsed { .. } => {}
            promise @ (Event::Granted { .. }
            | Event::HandedOver { .. }
            | Event::Drawn { .. }
            | Event::Selected { .. }
            | Event::Confirmed { .. }) => self.keep(id, promise, scope, order),
        }
    }

    fn keep(&mut self, id: Id, event: Event, scope: Scope, order: u64) {
        if self.kept.get(&id).is_none_or(|known| known.event != event) {
            let promise = Promise {
                id,
                event,
                scope,
                order,
            };
            self.kept.insert(id, promise);
        }
    }

    /// Says whether this very promise is not kept.
    pub fn is_over(&self, id: Id, event: &Event) -> bool {
        self.over.contains(&(id, event.clone()))
    }

    /// Returns the promise of this id, kept or not.
    pub fn promise(&self, id: Id) -> Option<&Promise> {
        self.kept.get(&id)
    }

    /// Returns the promises that are kept.
    pub fn standing(&self) -> impl Iterator<Item = &Promise> {
        (self.kept.values()).filter(|promise| !self.is_over(promise.id, &promise.event))
    }

    /// Returns every promise that is not kept.
    pub fn not_kept(&self) -> impl Iterator<Item = &(Id, Event)> {
        self.over.iter()
    }

    /// Returns the promise if it stands and still binds its units.
    pub fn live(&self, id: Id) -> Option<&Promise> {
        (self.kept.get(&id)).filter(|promise| {
            !self.is_over(id, &promise.event)
                && !self.freed.contains(&id)
                && !self.shipped.contains_key(&id)
        })
    }

    /// Returns how many units of an item are promised: granted, and handed over and not back.
    pub fn promised(&self, item: Item) -> i64 {
        let live = (self.kept.keys()).filter_map(|id| self.live(*id));
        live.map(|promise| match promise.event {
            Event::Granted {
                item: granted,
                count,
                ..
            } if granted == item => i64::from(count),
            Event::HandedOver { count, .. } if item == Item::Stock => {
                let back = self.back.get(&promise.id).copied().unwrap_or_default();
                (i64::from(count) - i64::from(back)).max(0)
            }
            _ => 0,
        })
        .sum()
    }

    /// Returns how many units of an item there are.
    pub fn on_hand(&self, item: Item) -> i64 {
        match item {
            Item::Stock => self.on_hand,
            Item::Person(_) | Item::Bed(_) => 1,
        }
    }

    /// Returns how many units of an item can be promised.
    pub fn free(&self, item: Item) -> i64 {
        self.on_hand(item) - self.promised(item)
    }

    /// Returns what this holder drew of a hand-over.
    pub fn drawn(&self, of: Id) -> i64 {
        let drawn = self.standing().map(|promise| match promise.event {
            Event::Drawn { escrow, count, .. } if escrow == of => i64::from(count),
            _ => 0,
        });
        drawn.sum()
    }

    /// Returns what of a hand-over is back at its owner.
    pub fn back(&self, escrow: Id) -> i64 {
        self.back.get(&escrow).map_or(0, |count| i64::from(*count))
    }

    /// Returns what its node granted by standing consent, to one requester or to all.
    pub fn consented(&self, requester: Option<NodeId>) -> i64 {
        let granted = self.standing().map(|promise| match promise.event {
            Event::Granted {
                item: Item::Stock,
                to,
                count,
                ask: Some(_),
                ..
            } if requester.is_none_or(|requester| requester == to) => i64::from(count),
            _ => 0,
        });
        granted.sum()
    }

    /// Returns the consent: the most in total, and for one requester.
    pub fn consent(&self) -> Option<(u32, u32)> {
        self.consent
    }

    /// Says whether an event of this id has been, or was decided again.
    pub fn has(&self, id: Id) -> bool {
        self.have.contains_key(&id)
    }

    /// Returns the events that have been, and those that were decided again.
    pub fn folded(&self) -> impl Iterator<Item = Id> {
        self.have.keys().copied()
    }

    /// Says whether a selection was not answered with a no.
    pub(super) fn may_hold(&self, selection: Id) -> bool {
        !matches!(
            self.have.get(&answer(selection)),
            Some(Kind::No | Kind::Over | Kind::Fact)
        )
    }

    /// Returns what was asked of others under this id.
    pub fn ask(&self, id: Id) -> Option<&Event> {
        self.asks.get(&id).map(|(event, _)| event)
    }

    /// Returns what was asked of others.
    pub fn asks(&self) -> impl Iterator<Item = (Id, &Event)> {
        self.asks.iter().map(|(id, (event, _))| (*id, event))
    }
}
