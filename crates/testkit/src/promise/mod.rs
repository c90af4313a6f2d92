//! Promises across a border, as an area of the real store: what the aid, referral and roster areas will need of it.
//!
//! ```text
//! counted: a stock       Received ─▶ on hand ─▶ Granted ─▶ Shipped ─▶ Arrived at the other's stock
//!                                        └────▶ HandedOver ─▶ Drawn in the holder's log ─▶ Returned ─▶ Back
//! named: persons, beds   Requested ─▶ Granted or Refused ─▶ Released, Expired
//!                        Referred to several ─▶ a hold each ─▶ one Selected ─▶ Confirmed or Lapsed
//! ```
//! Each origin writes one ledger, and each unit is promised by one ledger alone. A promise that a restored log left out
//! is decided again: `Reinstated`, or `OverCommitted` and told to whom it was given.
//! What it never does: read a clock or the file; it sees ledgers.

mod decide;
mod ledger;
mod react;
mod redecide;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use posko_ledger::entry::{Class, event_id};
use posko_proto::{Id, NodeId};
use posko_store::{
    StoreError,
    aggregate::{Aggregate, Decision, Fact, NewEvent, Redecided, View},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use self::{
    ledger::{Ledger, Promise},
    react::{Reaction, reactions},
};

/// The area's number; no area of the field has it.
pub const AREA: u8 = 0x7f;
/// The stream of an origin's ledger.
pub const LEDGER: Id = Id(*b"promise's ledger");

/// What is promised.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Item {
    /// Goods, counted.
    Stock,
    /// A person by number.
    Person(u8),
    /// A bed by number.
    Bed(u8),
}

/// Who may have an event's payload.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Scope {
    /// Everybody.
    Regional,
    /// The provinces.
    Provinces,
}

/// What happened.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Event {
    /// Goods came in.
    Received(u32),
    /// Goods went out to the own people.
    Issued(u32),
    /// The owner consents to grants of its stock, made by its node alone.
    Consented {
        /// The most in total.
        total: u32,
        /// The most for one requester.
        each: u32,
    },
    /// Another's unit is asked for.
    Requested {
        /// Who is asked.
        owner: NodeId,
        /// For what.
        item: Item,
        /// How many.
        count: u32,
    },
    /// Units are promised by their owner.
    Granted {
        /// What.
        item: Item,
        /// To whom.
        to: NodeId,
        /// How many.
        count: u32,
        /// The request or referral that the owner's node answered by itself.
        ask: Option<Id>,
        /// Whether it is the hold of a bed for a referral.
        hold: bool,
    },
    /// A request was answered with no.
    Refused {
        /// Which.
        ask: Id,
    },
    /// The deciding of an amount goes to one holder.
    HandedOver {
        /// To whom.
        holder: NodeId,
        /// How many.
        count: u32,
        /// Until when the holder may draw, milliseconds since 1970.
        until: i64,
    },
    /// The holder gives out of what was handed over to it.
    Drawn {
        /// Whose goods they are.
        owner: NodeId,
        /// Of which hand-over.
        escrow: Id,
        /// How many.
        count: u32,
    },
    /// The holder gives the rest back, and draws no more.
    Returned {
        /// Whose goods they are.
        owner: NodeId,
        /// Of which hand-over.
        escrow: Id,
        /// How many.
        count: u32,
    },
    /// The owner has the rest back.
    Back {
        /// Of which hand-over.
        escrow: Id,
        /// How many.
        count: u32,
    },
    /// Granted goods left.
    Shipped {
        /// By which grant.
        grant: Id,
        /// To whom.
        to: NodeId,
        /// How many.
        count: u32,
    },
    /// Goods of another arrived.
    Arrived {
        /// By which grant.
        grant: Id,
        /// How many.
        count: u32,
    },
    /// A granted unit is free again.
    Released {
        /// By which grant.
        grant: Id,
    },
    /// A hold ended that nobody confirmed.
    Expired {
        /// Which.
        grant: Id,
    },
    /// Several owners are asked for a bed.
    Referred {
        /// Whom, and for which.
        asks: Vec<(NodeId, Item)>,
    },
    /// The asker takes one of the holds.
    Selected {
        /// Of which referral.
        referral: Id,
        /// Whose.
        hospital: NodeId,
        /// Which.
        hold: Id,
    },
    /// The owner says that the bed is kept.
    Confirmed {
        /// Which hold.
        hold: Id,
        /// Of which referral.
        referral: Id,
        /// For whom.
        to: NodeId,
        /// By which selection.
        selection: Id,
    },
    /// The owner says that the hold is gone.
    Lapsed {
        /// By which selection.
        selection: Id,
    },
    /// A promise that was left out holds again.
    Reinstated {
        /// Its id.
        id: Id,
        /// The whole of it.
        promise: Box<Event>,
    },
    /// A promise is not kept.
    OverCommitted {
        /// Its id.
        id: Id,
        /// The whole of it.
        promise: Box<Event>,
        /// Who was promised.
        who: NodeId,
    },
}

impl Event {
    /// Says whether it binds units: then it is decided again when it was left out.
    pub fn is_promise(&self) -> bool {
        matches!(
            self,
            Self::Granted { .. }
                | Self::HandedOver { .. }
                | Self::Drawn { .. }
                | Self::Selected { .. }
                | Self::Confirmed { .. }
        )
    }

    /// Says whether it answers with no.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused { .. } | Self::Lapsed { .. })
    }

    /// Says whether it is decided again when it was left out. What was told is told: an `OverCommitted` stays.
    fn is_scarce(&self) -> bool {
        self.is_promise() || self.is_refusal() || matches!(self, Self::Reinstated { .. })
    }

    /// Says whether its command waits for a proven start: it promises, or gives up what was promised.
    fn is_gated(&self) -> bool {
        self.is_scarce()
            || matches!(
                self,
                Self::Issued(_)
                    | Self::Returned { .. }
                    | Self::Shipped { .. }
                    | Self::Released { .. }
                    | Self::Expired { .. }
            )
    }

    /// Returns its type: the area's number times 256, and its own.
    fn type_id(&self) -> u32 {
        let number: u8 = match self {
            Self::Received(_) => 1,
            Self::Issued(_) => 2,
            Self::Consented { .. } => 3,
            Self::Requested { .. } => 4,
            Self::Granted { .. } => 5,
            Self::Refused { .. } => 6,
            Self::HandedOver { .. } => 7,
            Self::Drawn { .. } => 8,
            Self::Returned { .. } => 9,
            Self::Back { .. } => 10,
            Self::Shipped { .. } => 11,
            Self::Arrived { .. } => 12,
            Self::Released { .. } => 13,
            Self::Expired { .. } => 14,
            Self::Referred { .. } => 15,
            Self::Selected { .. } => 16,
            Self::Confirmed { .. } => 17,
            Self::Lapsed { .. } => 18,
            Self::Reinstated { .. } => 19,
            Self::OverCommitted { .. } => 20,
        };
        u32::from(AREA) << 8 | u32::from(number)
    }

    /// Returns who was promised; none where nobody was.
    pub fn promised_to(&self) -> Option<NodeId> {
        match self {
            Self::Granted { to, .. } | Self::Confirmed { to, .. } => Some(*to),
            Self::HandedOver { holder, .. } => Some(*holder),
            Self::Drawn { owner, .. } => Some(*owner),
            Self::Selected { hospital, .. } => Some(*hospital),
            _ => None,
        }
    }
}

/// What is asked of a node.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Command {
    /// A person's: the event, if it may be.
    Do(Event),
    /// The node's own: grant or refuse what another asked for.
    Decide {
        /// The request or referral.
        ask: Id,
        /// Whose.
        of: NodeId,
        /// For what.
        item: Item,
    },
    /// The node's own: confirm a hold that was selected, or let it lapse.
    Answer {
        /// The selection.
        selection: Id,
        /// Whose.
        of: NodeId,
    },
    /// The node's own: do not keep a promise for which too little is left.
    Repair {
        /// Which.
        promise: Id,
    },
}

impl Command {
    /// Returns the bytes as the store takes them.
    pub fn encode(&self, scope: Scope) -> Result<Vec<u8>, StoreError> {
        postcard::to_stdvec(&(scope, self)).map_err(|_| UNREADABLE)
    }

    fn decode(bytes: &[u8]) -> Result<(Scope, Self), StoreError> {
        postcard::from_bytes(bytes).map_err(|_| UNREADABLE)
    }
}

const UNREADABLE: StoreError = StoreError::Corrupt {
    what: "a promise's command",
};

/// Returns the id of a command that follows from an event.
pub fn follows(what: &str, cause: Id, item: Option<Item>) -> Id {
    let digest: [u8; 32] = Sha256::new()
        .chain_update(what)
        .chain_update(cause.as_bytes())
        .chain_update(format!("{item:?}"))
        .finalize()
        .into();
    let mut id = [0; 16];
    id.copy_from_slice(digest.split_at(16).0);
    Id(id)
}

/// Returns the id of the command by which an owner answers an ask for an item: its own, since several may be asked for
/// items of one number, and each hold is one of its own.
fn deciding(ask: Id, owner: NodeId, item: Item) -> Id {
    follows(&format!("decide {owner}"), ask, Some(item))
}

/// Returns the id of the event that answers an ask for an item.
pub fn decision(ask: Id, owner: NodeId, item: Item) -> Id {
    event_id(deciding(ask, owner, item), 0)
}

/// Returns the id of the event that answers a selection.
pub fn answer(selection: Id) -> Id {
    event_id(follows("answer", selection, None), 0)
}

/// The ledgers as one node has them.
#[derive(Clone, Debug)]
pub struct Books {
    /// Whose node it is.
    pub own: NodeId,
    /// By origin.
    pub ledgers: BTreeMap<NodeId, Ledger>,
}

impl Books {
    /// Returns an origin's ledger; an empty one where nothing is here.
    pub fn of(&self, origin: NodeId) -> &Ledger {
        self.ledgers.get(&origin).unwrap_or(&ledger::EMPTY)
    }

    /// Returns the own ledger.
    pub fn mine(&self) -> &Ledger {
        self.of(self.own)
    }

    /// Returns every promise that is not kept and that the own node gave or was given: whose it is, its id, and the whole
    /// of it.
    pub fn not_kept(&self) -> impl Iterator<Item = (NodeId, Id, &Event)> {
        let all = self.ledgers.iter().flat_map(|(owner, ledger)| {
            let over = ledger.not_kept();
            over.map(|(id, promise)| (*owner, *id, promise))
        });
        all.filter(|(owner, _, promise)| {
            *owner == self.own || promise.promised_to() == Some(self.own)
        })
    }

    fn read(view: &View<'_>) -> Result<Self, StoreError> {
        let mut ledgers = BTreeMap::new();
        for origin in view.origins() {
            if let Some(bytes) = view.state(origin, LEDGER)? {
                ledgers.insert(origin, Ledger::decode(&bytes)?);
            }
        }
        Ok(Self {
            own: view.own(),
            ledgers,
        })
    }
}

/// The area.
#[derive(Clone, Copy, Debug)]
pub struct Promises;

impl Aggregate for Promises {
    fn area(&self) -> u8 {
        AREA
    }

    fn is_scarce(&self, command: &[u8]) -> bool {
        match Command::decode(command) {
            Ok((_, Command::Do(event))) => event.is_gated(),
            Ok((_, Command::Decide { .. } | Command::Answer { .. } | Command::Repair { .. })) => {
                true
            }
            Err(_) => false,
        }
    }

    fn decide(&self, command: &[u8], view: &View<'_>) -> Result<Decision, StoreError> {
        let (scope, command) = Command::decode(command)?;
        let books = Books::read(view)?;
        if let Some(refusal) = decide::incomplete(&command, &books, view)? {
            return Ok(Err(refusal));
        }
        Ok(match decide::decide(&command, &books, view.now()) {
            Ok(event) => Ok(vec![new_event(&event, scope.class())?]),
            Err(why) => Err(why.into()),
        })
    }

    fn fold(&self, fact: &Fact<'_>, state: Option<&[u8]>) -> Option<Vec<u8>> {
        let mut ledger = match state {
            Some(state) => Ledger::decode(state).ok()?,
            None => Ledger::default(),
        };
        let event = postcard::from_bytes(fact.body).ok()?;
        ledger.fold(fact.header.event_id, event, fact.header.class);
        ledger.encode().ok()
    }

    fn redecide(&self, orphan: &Fact<'_>, view: &View<'_>) -> Result<Redecided, StoreError> {
        let Ok(event) = postcard::from_bytes(orphan.body) else {
            return Ok(Redecided::Wait("a promise cannot be read".into()));
        };
        let books = Books::read(view)?;
        let others = |waits: &redecide::Waits| waits.are_over(&books, view);
        match redecide::redecide(orphan.header.event_id, event, &books, others)? {
            Ok(event) => Ok(Redecided::Decided(new_event(&event, orphan.header.class)?)),
            Err(why) => Ok(Redecided::Wait(why)),
        }
    }
}

impl Scope {
    fn class(self) -> Class {
        match self {
            Self::Regional => Class::Regional,
            Self::Provinces => Class::Provinces,
        }
    }
}

fn new_event(event: &Event, class: Class) -> Result<NewEvent, StoreError> {
    Ok(NewEvent {
        stream: LEDGER,
        type_id: event.type_id(),
        type_version: 1,
        class,
        scarce: event.is_scarce(),
        withdrawable: false,
        body: postcard::to_stdvec(event).map_err(|_| StoreError::Corrupt {
            what: "a promise's event",
        })?,
    })
}
