//! What no node knows: chance, the goods on the shelves, and why a promise may have to be broken.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    hash::{Hash, Hasher},
};

use fastrand::Rng;
use posko_ledger::{
    CHAIN_VERSION,
    epoch::{Epoch, EpochOpen, Position, Reason},
    key::SecretKey,
};
use posko_proto::NodeId;

use super::{
    event::{Body, Class, Each, Ev, Event, Id, Origin},
    mix::{Map, Mix, Set},
    rule::Rule,
};

/// The rules of a run: all but at most one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Rules {
    without: Option<Rule>,
}

impl Rules {
    /// All rules.
    pub const ALL: Self = Self { without: None };

    /// All rules but one.
    pub fn without(rule: Rule) -> Self {
        Self {
            without: Some(rule),
        }
    }

    pub(super) fn has(self, rule: Rule) -> bool {
        self.without != Some(rule)
    }

    /// Returns the rule that a run goes without.
    pub(super) fn missing(self) -> Option<Rule> {
        self.without
    }
}

/// What must hold in every run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Invariant {
    /// A start opens at most one epoch, and one more for each that it was outbid by, which is bounded.
    Epochs,
    /// No node stays fenced once an operator has started it again.
    Frozen,
    /// All nodes have the same canonical logs.
    Same,
    /// No event stands twice in a canonical log.
    Once,
    /// What was held anywhere is in the canonical log.
    Loss,
    /// The books match the goods.
    Goods,
    /// Every payload is at every node that may have it.
    Payload,
    /// The gateway has no payload that is the provinces' own.
    Class,
    /// No more is promised than there is.
    Promise,
    /// A promise that was given is kept, or whoever got it is told.
    Told,
    /// No more is drawn from an escrow than was given.
    Escrow,
    /// Every selection is answered.
    Answer,
    /// A referral has one selection.
    Select,
    /// A referral has one bed.
    Referral,
    /// A promise is broken only for a named reason.
    Gate,
}

/// An invariant that does not hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Broken {
    /// The invariant.
    pub invariant: Invariant,
    /// What was found.
    pub found: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is broken: {}", self.invariant, self.found)
    }
}

/// Fails with what was found, unless an invariant holds.
pub(super) fn need(
    holds: bool,
    invariant: Invariant,
    found: impl FnOnce() -> String,
) -> Result<(), Broken> {
    if holds {
        Ok(())
    } else {
        Err(Broken {
            invariant,
            found: found(),
        })
    }
}

/// Why a promise may have to be broken: no rule can help it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Risk {
    /// A whole machine was rolled back, its high-water mark included.
    RolledBack,
    /// Two copies of one node ran.
    Cloned,
    /// A peer showed less of a log than it holds.
    Withheld,
    /// A person let scarce commands run in an unproven start.
    Accepted,
    /// A person let a promise go that was left out.
    Disowned,
    /// No copy of a payload was left.
    PayloadLost,
    /// No copy was left of an event that the promise depends on.
    LastCopy,
    /// Events of which no copy was left came back, from an image or a backup.
    CameBack,
}

/// What no node knows.
pub(super) struct World {
    pub(super) random: Rng,
    pub(super) rules: Rules,
    /// How many nodes there are; the last is the gateway.
    pub(super) size: u8,
    pub(super) risks: Each<BTreeSet<Risk>>,
    /// For which reasons promises were broken.
    pub(super) broke: BTreeSet<Risk>,
    pub(super) counts: BTreeMap<&'static str, u64>,
    /// The goods that moved, by the event: where, and by how much.
    pub(super) moved: Map<Id, (Origin, i64)>,
    /// The events of which no copy was left.
    pub(super) gone: Set<(Origin, Id)>,
    shelf: Each<i64>,
    trace: Mix,
    opening: EpochOpen,
    copies: u32,
    commands: u64,
    most_outbid: usize,
}

impl World {
    pub(super) fn new(seed: u64, size: u8, rules: Rules) -> Self {
        Self {
            random: Rng::with_seed(seed),
            rules,
            size,
            risks: Each::of(size, BTreeSet::new()),
            broke: BTreeSet::new(),
            counts: BTreeMap::new(),
            moved: Map::default(),
            gone: Set::default(),
            shelf: Each::of(size, 0),
            trace: Mix::default(),
            opening: opening(),
            copies: 0,
            commands: 0,
            most_outbid: 0,
        }
    }

    pub(super) fn gateway(&self) -> Origin {
        Origin(self.size - 1)
    }

    pub(super) fn origins(&self) -> impl Iterator<Item = Origin> + use<> {
        (0..self.size).map(Origin)
    }

    pub(super) fn provinces(&self) -> impl Iterator<Item = Origin> + use<> {
        (0..self.size - 1).map(Origin)
    }

    /// Returns whom a node is to ask.
    pub(super) fn peers_of(&self, origin: Origin) -> BTreeSet<Origin> {
        self.origins().filter(|other| *other != origin).collect()
    }

    pub(super) fn next_copy(&mut self) -> u32 {
        self.copies += 1;
        self.copies
    }

    pub(super) fn nonce(&mut self) -> [u8; 16] {
        if self.rules.has(Rule::Nonce) {
            self.random.u128(..).to_be_bytes()
        } else {
            [0; 16]
        }
    }

    /// Returns an opening of which the epoch and the parent are to be set. Its keys and signatures say nothing: the
    /// model's peers withhold and do not invent.
    pub(super) fn opening(&self) -> EpochOpen {
        self.opening.clone()
    }

    pub(super) fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    pub(super) fn counted(&self, what: &str) -> u64 {
        self.counts.get(what).copied().unwrap_or_default()
    }

    /// Notes that a run was outbid so many times.
    pub(super) fn outbid(&mut self, times: usize) {
        self.count("outbid");
        self.most_outbid = self.most_outbid.max(times);
    }

    pub(super) fn most_outbid(&self) -> usize {
        self.most_outbid
    }

    /// Takes something into the run's digest.
    pub(super) fn trace(&mut self, what: &impl Hash) {
        what.hash(&mut self.trace);
    }

    pub(super) fn digest(&self) -> u64 {
        self.trace.finish()
    }

    /// Returns a person's new event.
    pub(super) fn event(&mut self, body: Body) -> Ev {
        let class = if self.random.bool() {
            Class::Regional
        } else {
            Class::Provinces
        };
        self.event_of(class, body)
    }

    pub(super) fn event_of(&mut self, class: Class, body: Body) -> Ev {
        self.commands += 1;
        Event::new(Id::of_command(self.commands), class, body)
    }

    /// Moves an event's goods, once whatever the books say, and says whether they were on the shelf.
    pub(super) fn move_goods(&mut self, at: Origin, event: &Ev) -> bool {
        let Some(amount) = event
            .body
            .goods()
            .filter(|_| !self.moved.contains_key(&event.id))
        else {
            return true;
        };
        let has = self.shelf[at] + amount >= 0;
        if has {
            self.shelf[at] += amount;
            self.moved.insert(event.id, (at, amount));
        }
        has
    }

    /// Holds a broken promise against its reasons: a risk of whoever broke it, or of whom it depends on.
    pub(super) fn blame(&mut self, by: Origin, promise: &Ev) -> Result<(), Broken> {
        let freed = [
            (by, promise.id.then("freed", ())),
            (by, promise.id.then("shipped", ())),
        ];
        let (on, needs) = match promise.body {
            Body::Draw { owner, escrow, .. } => (owner, vec![(owner, escrow)]),
            Body::Selected { hospital, .. } => {
                (hospital, vec![(hospital, promise.id.then("answered", ()))])
            }
            _ => (by, freed.to_vec()),
        };
        let mut reasons: BTreeSet<Risk> = self.risks[by].union(&self.risks[on]).copied().collect();
        if needs.iter().any(|event| self.gone.contains(event)) {
            reasons.insert(Risk::LastCopy);
            self.risks[by].insert(Risk::LastCopy);
        }
        need(!reasons.is_empty(), Invariant::Gate, || {
            format!("{by:?} broke {promise:?} for no reason")
        })?;
        self.broke.extend(reasons);
        Ok(())
    }
}

#[expect(clippy::unwrap_used, reason = "the name is right")]
fn opening() -> EpochOpen {
    EpochOpen {
        federation: [0; 16],
        origin: NodeId::from_padded(*b"31\0\0\0\0\0\0\0\0\0\0\0\0\0\0").unwrap(),
        epoch: Epoch::default(),
        parent: Position::START,
        reason: Reason::Start,
        flags: 0,
        log_key: SecretKey::from_seed(&[1; 32]).public(),
        chain_version: CHAIN_VERSION,
        wall_ms: 0,
        sig_new: [0; 64],
        sig_auth: [0; 64],
    }
}
