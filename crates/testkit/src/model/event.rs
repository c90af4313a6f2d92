//! What stands in the model's logs: facts, promises, and what became of promises.

use std::{
    fmt,
    hash::{Hash, Hasher},
    ops::{Index, IndexMut},
    rc::Rc,
};

use super::mix::Mix;

/// A node, and the log that it writes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Origin(pub(super) u8);

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "n{}", self.0)
    }
}

/// One of something for each origin.
#[derive(Clone, Debug)]
pub(super) struct Each<T>(pub(super) Vec<T>);

impl<T: Clone> Each<T> {
    pub(super) fn of(size: u8, value: T) -> Self {
        Self(vec![value; size.into()])
    }
}

impl<T> Index<Origin> for Each<T> {
    type Output = T;

    #[expect(clippy::indexing_slicing, reason = "made with one for each origin")]
    fn index(&self, origin: Origin) -> &T {
        &self.0[usize::from(origin.0)]
    }
}

impl<T> IndexMut<Origin> for Each<T> {
    #[expect(clippy::indexing_slicing, reason = "made with one for each origin")]
    fn index_mut(&mut self, origin: Origin) -> &mut T {
        &mut self.0[usize::from(origin.0)]
    }
}

/// An event's id. As in the product, an automatic command derives it from the event that caused it, so that a retry,
/// also after a restore, is recognized.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Id(u64);

impl Id {
    /// Returns the id of a person's command.
    pub(super) fn of_command(no: u64) -> Self {
        Self(no)
    }

    /// Derives the id of what follows from an event.
    pub(super) fn then(self, what: &str, with: impl Hash) -> Self {
        Self(Mix::of(&(self.0, what, with)))
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.0)
    }
}

/// The salted commitment to an event, which its header shows: two events of one commitment are the same.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct Commit(u64);

/// Whom a payload may reach.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Class {
    /// Everybody.
    Regional,
    /// Everybody but the gateway.
    Provinces,
}

/// What an owner can promise.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) enum Item {
    /// Goods, which are counted.
    Stock,
    /// A team, which is named.
    Team,
    /// A bed, which is named.
    Bed(u8),
}

impl Item {
    pub(super) const ALL: [Self; 4] = [Self::Stock, Self::Team, Self::Bed(0), Self::Bed(1)];
}

/// An event: shared by every log and node that has it.
pub(super) type Ev = Rc<Event>;

/// An event. Its id and commitment are its header; a node that lacks the payload knows no more of it.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) id: Id,
    pub(super) commit: Commit,
    pub(super) class: Class,
    pub(super) salt: u32,
    pub(super) body: Body,
}

impl PartialEq for Event {
    fn eq(&self, other: &Self) -> bool {
        self.commit == other.commit
    }
}

impl Eq for Event {}

impl Hash for Event {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.commit.hash(state);
    }
}

/// What an event says. Amounts are units.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) enum Body {
    /// A fact without any effect.
    Report,
    /// A named person lets scarce commands run in an unproven start.
    RiskAccepted,
    /// Goods came from outside.
    Received { amount: i64 },
    /// Goods were handed out.
    Issued { amount: i64 },
    /// Another province asks for something.
    Request {
        owner: Origin,
        item: Item,
        amount: i64,
    },
    /// A promise of the owner's: `amount` of an item. A bed's is a hold, for a referral.
    Granted {
        item: Item,
        to: Origin,
        amount: i64,
        referral: Option<Id>,
    },
    /// A request was refused.
    Refused { request: Id },
    /// The granted goods left.
    Shipped { grant: Id, to: Origin, amount: i64 },
    /// The shipped goods came.
    Arrived { shipment: Id, amount: i64 },
    /// The granted team or bed is free again.
    Freed { grant: Id },
    /// The hold ran out.
    Expired { grant: Id },
    /// A promise of the owner's: the holder decides about `amount` of the stock from now on.
    Escrow { holder: Origin, amount: i64 },
    /// A promise of the holder's, out of an escrow.
    Draw {
        owner: Origin,
        escrow: Id,
        amount: i64,
    },
    /// The holder gives the rest of an escrow up.
    Returned {
        owner: Origin,
        escrow: Id,
        amount: i64,
    },
    /// The owner takes back what the holder gave up.
    Back { escrow: Id, amount: i64 },
    /// A bed is asked for at two hospitals.
    Referral { asked: [(Origin, Item); 2] },
    /// A promise of the requester's: this hold it will use.
    Selected {
        referral: Id,
        hospital: Origin,
        hold: Id,
    },
    /// A promise of the hospital's: the selected hold stands.
    Confirmed(Answer),
    /// The selected hold stands no more.
    Lapsed(Answer),
    /// An orphaned promise was decided again, and is kept.
    Reinstated(Ev),
    /// A promise is not kept; whoever it was given to is told.
    OverCommitted(Ev),
    /// No copy of these payloads is left anywhere: what they said is void.
    PayloadLost(Vec<(Id, Commit)>),
}

/// A hospital's answer to a selection.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Answer {
    pub(super) hold: Id,
    pub(super) referral: Id,
    pub(super) requester: Origin,
    pub(super) selection: Id,
}

impl Event {
    pub(super) fn new(id: Id, class: Class, body: Body) -> Ev {
        Self::salted(id, class, body, 0)
    }

    fn salted(id: Id, class: Class, body: Body, salt: u32) -> Ev {
        let commit = Commit(Mix::of(&(id, class, &body, salt)));
        Rc::new(Self {
            id,
            commit,
            class,
            salt,
            body,
        })
    }

    /// Returns the same event under another salt: a payload that was declared lost stays void.
    pub(super) fn with_salt(self: &Rc<Self>, salt: u32) -> Ev {
        if salt == self.salt {
            return Rc::clone(self);
        }
        Self::salted(self.id, self.class, self.body.clone(), salt)
    }

    /// Returns the event that this one decides about again: an orphaned promise, or itself.
    pub(super) fn subject(self: &Rc<Self>) -> &Ev {
        match &self.body {
            Body::Reinstated(promise) | Body::OverCommitted(promise) => promise,
            _ => self,
        }
    }
}

impl Body {
    /// Says whether it is a promise, which its owner decides again when it was orphaned.
    pub(super) fn is_promise(&self) -> bool {
        matches!(
            self,
            Self::Granted { .. }
                | Self::Escrow { .. }
                | Self::Draw { .. }
                | Self::Selected { .. }
                | Self::Confirmed(_)
        )
    }

    /// Says whether it is a no, which is recorded again after the promises.
    pub(super) fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused { .. } | Self::Lapsed(_))
    }

    /// Says whether it became of a promise.
    pub(super) fn is_outcome(&self) -> bool {
        matches!(self, Self::Reinstated(_) | Self::OverCommitted(_))
    }

    /// Says whether it gives something up.
    pub(super) fn gives_up(&self) -> bool {
        matches!(self, Self::Returned { .. } | Self::Expired { .. })
    }

    /// Says whether it is decided only in a proven start.
    pub(super) fn is_scarce(&self) -> bool {
        self.is_promise()
            || self.gives_up()
            || matches!(self, Self::Issued { .. } | Self::Shipped { .. })
    }

    /// Returns by how much goods on the shelf change; none when it is about no goods.
    pub(super) fn goods(&self) -> Option<i64> {
        match self {
            Self::Received { amount } | Self::Arrived { amount, .. } => Some(*amount),
            Self::Issued { amount } | Self::Shipped { amount, .. } => Some(-*amount),
            _ => None,
        }
    }

    /// Returns its name, by which events are counted.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Report => "reports",
            Self::RiskAccepted => "risks accepted",
            Self::Received { .. } => "received",
            Self::Issued { .. } => "issued",
            Self::Request { .. } => "requests",
            Self::Granted { .. } => "grants",
            Self::Refused { .. } => "refused",
            Self::Shipped { .. } => "shipped",
            Self::Arrived { .. } => "arrived",
            Self::Freed { .. } => "freed",
            Self::Expired { .. } => "expired",
            Self::Escrow { .. } => "escrows",
            Self::Draw { .. } => "draws",
            Self::Returned { .. } => "returned",
            Self::Back { .. } => "taken back",
            Self::Referral { .. } => "referrals",
            Self::Selected { .. } => "selected",
            Self::Confirmed(_) => "confirmed",
            Self::Lapsed(_) => "lapsed",
            Self::Reinstated(_) => "reinstated",
            Self::OverCommitted(_) => "over-committed",
            Self::PayloadLost(_) => "payloads declared lost",
        }
    }
}
