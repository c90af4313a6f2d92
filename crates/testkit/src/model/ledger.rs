//! What one origin's canonical log says of goods and promises: a fold that depends on nothing else.

use super::{
    event::{Body, Commit, Ev, Id},
    mix::{Map, Ordered, Set},
};

/// What a log says.
///
/// It holds sets, so that the order in which entries are recorded again does not matter.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    /// Whether the fold stopped nowhere: it waits at an entry whose payload is missing.
    pub(super) waits: bool,
    /// What was declared lost.
    pub(super) lost: Map<Commit, Id>,
    /// Every event.
    pub(super) have: Map<Id, Ev>,
    /// The promises that were given or reinstated.
    pub(super) kept: Ordered<Id, Ev>,
    /// The promises that are not kept.
    pub(super) over: Map<Commit, Id>,
    pub(super) freed: Set<Id>,
    /// Shipments, by the grant.
    pub(super) shipped: Ordered<Id, Ev>,
    /// What the owner took back, by the escrow.
    pub(super) back: Map<Id, i64>,
    /// What the holder gave up, by the escrow.
    pub(super) returned: Ordered<Id, Ev>,
    /// Requests and referrals.
    pub(super) asks: Ordered<Id, Ev>,
    /// Goods on hand, by the books.
    pub(super) on_hand: i64,
}

impl Ledger {
    pub(super) fn apply(&mut self, event: &Ev) {
        self.have.insert(event.id, Ev::clone(event));
        self.on_hand += event.body.goods().unwrap_or_default();
        match &event.body {
            Body::Reinstated(promise) => drop(self.kept.insert(promise.id, Ev::clone(promise))),
            Body::OverCommitted(promise) => drop(self.over.insert(promise.commit, promise.id)),
            Body::Freed { grant } | Body::Expired { grant } => drop(self.freed.insert(*grant)),
            Body::Shipped { grant, .. } => drop(self.shipped.insert(*grant, Ev::clone(event))),
            Body::Back { escrow, amount } => *self.back.entry(*escrow).or_default() += amount,
            Body::Returned { escrow, .. } => drop(self.returned.insert(*escrow, Ev::clone(event))),
            Body::Request { .. } | Body::Referral { .. } => {
                self.asks.insert(event.id, Ev::clone(event));
            }
            body if body.is_promise() => drop(self.kept.insert(event.id, Ev::clone(event))),
            _ => {}
        }
    }

    /// Returns the promises that stand, oldest first.
    pub(super) fn standing(&self) -> impl DoubleEndedIterator<Item = &Ev> {
        (self.kept.values()).filter(|promise| !self.over.contains_key(&promise.commit))
    }

    /// Says whether exactly this promise was given or reinstated.
    pub(super) fn keeps(&self, promise: &Ev) -> bool {
        self.kept.get(&promise.id) == Some(promise)
    }

    /// Says whether a promise is not kept.
    pub(super) fn broke(&self, promise: &Ev) -> bool {
        self.over.contains_key(&promise.commit)
    }

    /// Says whether a promise of this id stands and binds its units.
    pub(super) fn is_live(&self, promise: Id) -> bool {
        !self.is_done(promise)
            && self
                .kept
                .get(&promise)
                .is_some_and(|kept| !self.broke(kept))
    }

    /// Says whether a grant binds nothing more: it was freed, ran out, or was shipped.
    pub(super) fn is_done(&self, grant: Id) -> bool {
        self.freed.contains(&grant) || self.shipped.contains_key(&grant)
    }

    /// Returns what the owner took back of an escrow.
    pub(super) fn taken_back(&self, escrow: Id) -> i64 {
        self.back.get(&escrow).copied().unwrap_or_default()
    }

    /// Returns what the holder gave up of an escrow.
    pub(super) fn given_up(&self, escrow: Id) -> i64 {
        match self.returned.get(&escrow).map(|event| &event.body) {
            Some(Body::Returned { amount, .. }) => *amount,
            _ => 0,
        }
    }

    /// Returns what was drawn from an escrow by promises that stand.
    pub(super) fn drawn(&self, from: Id) -> i64 {
        let drawn = self.standing().filter_map(|promise| match promise.body {
            Body::Draw { escrow, amount, .. } if escrow == from => Some(amount),
            _ => None,
        });
        drawn.sum()
    }

    /// Returns the selections for a referral that stand, oldest first.
    pub(super) fn selections(&self, of: Id) -> impl Iterator<Item = &Ev> {
        (self.standing()).filter(
            move |promise| matches!(promise.body, Body::Selected { referral, .. } if referral == of),
        )
    }

    /// Says whether a hold was confirmed, and the confirmation stands.
    pub(super) fn is_confirmed(&self, hold: Id) -> bool {
        self.standing()
            .any(|promise| matches!(promise.body, Body::Confirmed(answer) if answer.hold == hold))
    }
}
