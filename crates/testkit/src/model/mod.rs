//! A randomized model of the protocol and of the promises made on it: what the rules of replication promise, in code.
//!
//! ```text
//! step ─┬─ command    a person at a node wishes something
//!       ├─ session    two nodes meet: own log first, then everybody's; it may be cut at any stage
//!       ├─ link       is cut, or mended
//!       └─ fault      a crash, a restore, a machine rolled back or cloned, …
//! heal ──▶ all meet, operators start what is fenced ──▶ every invariant is checked
//! ```
//! Nodes own append-only logs, cut into epochs, that replicate directly, by relays, and to a gateway which gets only the
//! headers of some entries. Which entries count is decided by `posko_ledger::canonical`, and how a start stands by
//! `posko_ledger::standing`: the rules that the product runs by. The rest is the design's, without bytes, keys, time or
//! disk, so that a run of hundreds of steps takes milliseconds. Taken away, each [`Rule`] breaks an [`Invariant`].
//! What it never does: depend on anything but the seed.

mod event;
mod faults;
mod invariants;
mod ledger;
mod log;
mod mix;
mod node;
mod promise;
mod replication;
mod rule;
#[cfg(test)]
mod tests;
mod wish;
mod world;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use self::{
    event::{Commit, Each, Ev, Id, Origin},
    faults::Faults,
    mix::{Mix, Ordered},
    node::Node,
    replication::session,
    world::World,
};
pub use self::{
    rule::Rule,
    world::{Broken, Invariant, Risk, Rules},
};

/// How many things happen in a run before all heals.
const STEPS: u32 = 300;

/// What a run came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// The rule that it went without.
    pub without: Option<Rule>,
    /// The invariant that it broke.
    pub broken: Option<Broken>,
    /// How often what happened.
    pub counts: BTreeMap<&'static str, u64>,
    /// The reasons for which a promise might have been broken.
    pub risks: BTreeSet<Risk>,
    /// The reasons for which one was.
    pub broke: BTreeSet<Risk>,
    /// A hash of all that happened.
    pub digest: u64,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.broken {
            None => write!(f, "seed {}: every invariant holds", self.seed),
            Some(broken) => {
                let seed = self.seed;
                write!(
                    f,
                    "seed {seed}: {broken}; replay it with `cargo xtask soak --storm model --start {seed} --seeds 1"
                )?;
                if let Some(rule) = self.without {
                    write!(f, " --without {rule}")?;
                }
                f.write_str("`")
            }
        }
    }
}

/// Runs the model on a seed. In a run of an odd seed nothing goes wrong after which a promise may have to be broken.
pub fn run(seed: u64, rules: Rules) -> Outcome {
    let mut model = Model::new(seed, rules);
    let broken = model.storm().err();
    model.outcome(seed, broken)
}

/// Where a copy runs: each origin's own place first, then each's clone's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Slot(usize);

impl Slot {
    fn of(origin: Origin) -> Self {
        Self(origin.0.into())
    }

    fn is_main(self, world: &World) -> bool {
        self.0 < usize::from(world.size)
    }

    fn clone_of(self, world: &World) -> Self {
        Self(self.0 + usize::from(world.size))
    }
}

/// A federation, and what happens to it.
struct Model {
    world: World,
    nodes: Vec<Option<Node>>,
    faults: Faults,
    /// The commands that were given at each node.
    sent: Each<Vec<Ev>>,
    /// The node where a disaster happened last: there is most to do.
    busy: Option<Slot>,
    /// What was held anywhere when all began to heal.
    held: BTreeSet<(Origin, Id)>,
    /// The payloads among it.
    told: Ordered<(Origin, Commit), Ev>,
}

impl Model {
    fn new(seed: u64, rules: Rules) -> Self {
        let size = 4 + (seed % 3) as u8;
        let mut world = World::new(seed, size, rules);
        let faults = Faults::draw(&mut world.random, size, seed.is_multiple_of(2));
        Self::of(world, faults)
    }

    fn of(mut world: World, faults: Faults) -> Self {
        let size = world.size;
        let mut nodes: Vec<Option<Node>> = world
            .origins()
            .map(|origin| Some(Node::new(&mut world, origin)))
            .collect();
        nodes.resize_with(usize::from(size) * 2, || None);
        Self {
            world,
            nodes,
            faults,
            sent: Each::of(size, Vec::new()),
            busy: None,
            held: BTreeSet::new(),
            told: Ordered::default(),
        }
    }

    fn outcome(&self, seed: u64, broken: Option<Broken>) -> Outcome {
        let world = &self.world;
        let ends: Vec<_> = self
            .mains()
            .flat_map(|node| world.origins().map(|of| node.views[of].entries.clone()))
            .collect();
        Outcome {
            seed,
            without: world.rules.missing(),
            broken,
            counts: world.counts.clone(),
            risks: world.risks.0.iter().flatten().copied().collect(),
            broke: world.broke.clone(),
            digest: Mix::of(&(world.digest(), ends)),
        }
    }

    fn storm(&mut self) -> Result<(), Broken> {
        for _ in 0..STEPS {
            self.step()?;
        }
        self.heal()?;
        self.check()
    }

    /// Returns the places where a copy runs.
    fn running(&self) -> impl Iterator<Item = Slot> {
        (self.nodes.iter().enumerate())
            .filter(|(_, node)| node.is_some())
            .map(|(index, _)| Slot(index))
    }

    fn mains(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().take(self.world.size.into()).flatten()
    }

    #[expect(clippy::expect_used, reason = "a slot is of a copy that runs")]
    fn node(&self, slot: Slot) -> &Node {
        self.nodes
            .get(slot.0)
            .and_then(Option::as_ref)
            .expect("a running copy")
    }

    /// Returns what no node knows, and a node.
    #[expect(clippy::expect_used, reason = "a slot is of a copy that runs")]
    fn at(&mut self, slot: Slot) -> (&mut World, &mut Node) {
        let node = self.nodes.get_mut(slot.0).and_then(Option::as_mut);
        (&mut self.world, node.expect("a running copy"))
    }

    /// Two copies meet.
    fn meet(&mut self, a: Slot, b: Slot, most: usize, stages: u8) {
        if let Ok([Some(a), Some(b)]) = self.nodes.get_disjoint_mut([a.0, b.0]) {
            session(&mut self.world, a, b, most, stages);
        }
    }

    fn draw_copy(&mut self) -> Slot {
        let running: Vec<Slot> = self.running().collect();
        self.world.random.choice(running).unwrap_or(Slot(0))
    }

    /// One thing happens.
    fn step(&mut self) -> Result<(), Broken> {
        let busy = self
            .busy
            .filter(|busy| self.nodes.get(busy.0).is_some_and(Option::is_some));
        let slot = match busy {
            Some(busy) if self.world.random.f64() < 0.35 => busy,
            _ => self.draw_copy(),
        };
        match self.world.random.u8(..100) {
            0..40 => {
                for _ in 0..self.world.random.u8(1..=5) {
                    self.command(slot)?;
                }
                Ok(())
            }
            40..80 => self.session(slot),
            80..86 => {
                self.relink(slot);
                Ok(())
            }
            _ => {
                let stays = busy == Some(slot) || self.world.random.f64() < 0.6;
                let slot = if stays { slot } else { self.draw_copy() };
                self.fail(slot)
            }
        }
    }

    /// Somebody at a node gives a new command, or one again.
    fn command(&mut self, slot: Slot) -> Result<(), Broken> {
        let origin = self.node(slot).origin;
        let again = self.world.random.f64() < 0.1;
        if let Some(sent) = self
            .world
            .random
            .choice(&self.sent[origin])
            .filter(|_| again)
            .cloned()
        {
            let (world, node) = self.at(slot);
            node.execute(world, &sent)?;
            return Ok(());
        }
        let (world, node) = self.at(slot);
        if let Some(event) = node.wish(world) {
            node.execute(world, &event)?;
            self.sent[origin].push(event);
        }
        Ok(())
    }

    /// A node meets another, if it can reach it.
    fn session(&mut self, slot: Slot) -> Result<(), Broken> {
        let other = self.draw_copy();
        let (a, b) = (self.node(slot), self.node(other));
        if a.origin == b.origin || !self.faults.are_linked(a.copy, b.copy) {
            return Ok(());
        }
        let withheld = |from: &Node, of: Origin| match &from.withholds {
            Some((origin, _)) if *origin == of => Some(of),
            _ => None,
        };
        for of in [withheld(a, b.origin), withheld(b, a.origin)]
            .into_iter()
            .flatten()
        {
            self.world.risks[of].insert(Risk::Withheld);
        }
        let most = self.world.random.choice([1, 3, 8, usize::MAX]).unwrap_or(1);
        let stages = self.world.random.u8(1..=7).min(4);
        self.meet(slot, other, most, stages);
        for slot in [slot, other] {
            if self.world.random.f64() < 0.6 {
                let (world, node) = self.at(slot);
                node.react(world)?;
            }
        }
        Ok(())
    }
}
