//! The federation in a storm: who is there, who wishes what, and which links stand.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use posko_ledger::entry::event_id;
use posko_proto::{Id, NodeId, time::Millis};
use posko_store::Start;
use tempfile::TempDir;

use super::{
    Counts,
    check::Held,
    dice::Dice,
    node::{Node, ORIGINS},
    session::{self, Stand},
};
use crate::{
    model::Risk,
    promise::{Books, Command, Event, Item, Scope, decision, follows, reactions},
};

const STEPS: usize = 140;
/// How often everybody meets everybody until all must have settled.
const ROUNDS: usize = 24;

/// A command as somebody gave it.
#[derive(Clone)]
struct Sent {
    id: Id,
    scope: Scope,
    command: Command,
}

/// The federation in a storm.
pub struct World {
    pub(super) seed: u64,
    pub(super) dice: Dice,
    pub(super) dir: TempDir,
    /// The four nodes, then their live copies.
    pub(super) nodes: Vec<Node>,
    pub(super) now: Millis,
    /// The machines that are suspended, each while a copy of it runs.
    pub(super) asleep: BTreeMap<NodeId, Node>,
    pub(super) copies: u64,
    pub(super) faults: Vec<&'static str>,
    pub(super) counts: Counts,
    /// Why promises of an origin may be taken back.
    pub(super) risks: BTreeMap<NodeId, BTreeSet<Risk>>,
    /// Why some were.
    pub(super) broke: BTreeSet<Risk>,
    pub(super) held: Held,
    down: BTreeSet<(PathBuf, PathBuf)>,
    /// How two stood when they had nothing left to say.
    settled: BTreeMap<(PathBuf, PathBuf), [Stand; 2]>,
    sent: BTreeMap<NodeId, Vec<Sent>>,
    ids: u64,
    /// Where something last happened to a machine.
    pub(super) busy: Option<usize>,
}

impl World {
    /// Returns the federation of a seed, before the storm.
    pub(super) fn new(seed: u64) -> Result<Self> {
        // Where files live in memory, a storm is not one of the disk.
        let memory = Path::new("/dev/shm");
        let dir = if memory.is_dir() {
            tempfile::Builder::new()
                .prefix("posko-storm")
                .tempdir_in(memory)?
        } else {
            TempDir::new()?
        };
        let mut world = Self {
            seed,
            dice: Dice(seed),
            dir,
            nodes: Vec::new(),
            now: Millis(1_790_000_000_000),
            asleep: BTreeMap::new(),
            copies: 0,
            faults: Vec::new(),
            counts: Counts::new(),
            risks: BTreeMap::new(),
            broke: BTreeSet::new(),
            held: Held::default(),
            down: BTreeSet::new(),
            settled: BTreeMap::new(),
            sent: BTreeMap::new(),
            ids: 0,
            busy: None,
        };
        world.choose_faults();
        for origin in ORIGINS {
            let dir = world.dir.path().join(origin);
            std::fs::create_dir_all(&dir)?;
            let mut node = Node::new(origin.parse()?, dir);
            node.start(Start::First, world.dice.bytes(), world.now)?;
            world.nodes.push(node);
        }
        for at in 0..ORIGINS.len() - 1 {
            let consent = Event::Consented { total: 9, each: 5 };
            world.give(at, Scope::Regional, Command::Do(consent))?;
            world.give(at, Scope::Regional, Command::Do(Event::Received(4)))?;
        }
        Ok(world)
    }

    pub(super) fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    pub(super) fn risk(&mut self, origin: NodeId, why: Risk) {
        self.risks.entry(origin).or_default().insert(why);
    }

    pub(super) fn next_id(&mut self) -> Id {
        self.ids += 1;
        let mut id = [0; 16];
        for (to, from) in id.iter_mut().zip(
            self.ids
                .to_be_bytes()
                .into_iter()
                .chain(self.seed.to_be_bytes()),
        ) {
            *to = from;
        }
        Id(id)
    }

    pub(super) fn has_twin(&self, origin: NodeId) -> bool {
        self.nodes
            .iter()
            .skip(ORIGINS.len())
            .any(|node| node.origin == origin)
    }

    /// Lets the storm go on for its steps.
    pub(super) fn storm(&mut self) -> Result<()> {
        for step in 0..STEPS {
            self.step().with_context(|| format!("step {step}"))?;
        }
        Ok(())
    }

    fn step(&mut self) -> Result<()> {
        self.now = Millis(self.now.0 + 60_000);
        let at = match self.busy {
            // Where something just happened, people are busy.
            Some(at) if at < self.nodes.len() && self.dice.percent(40) => at,
            _ => self.dice.below(self.nodes.len()),
        };
        match self.dice.below(100) {
            0..38 => {
                for _ in 0..=self.dice.below(4) {
                    self.command(at)?;
                }
            }
            38..74 => {
                let other = self.dice.below(self.nodes.len());
                let most = match self.dice.below(10) {
                    0..3 => self.dice.below(30),
                    _ => usize::MAX,
                };
                self.meet(at, other, most)?;
                self.let_go(at)?;
                for each in [at, other] {
                    if self.dice.percent(60) {
                        self.react(each)?;
                    }
                }
            }
            74..79 => self.relink(at),
            _ => self.fault(at)?,
        }
        Ok(())
    }

    // === links ===

    fn link(one: &Node, other: &Node) -> (PathBuf, PathBuf) {
        let (one, other) = (one.dir.clone(), other.dir.clone());
        if one < other {
            (one, other)
        } else {
            (other, one)
        }
    }

    /// Lets two nodes talk for so many frames, if their link stands.
    pub(super) fn meet(&mut self, one: usize, other: usize, most: usize) -> Result<()> {
        let (Some(a), Some(b)) = (self.nodes.get(one), self.nodes.get(other)) else {
            return Ok(());
        };
        if a.origin == b.origin || self.down.contains(&Self::link(a, b)) {
            return Ok(());
        }
        // Who had nothing left to say then has nothing to say now.
        let pair = Self::link(a, b);
        let mut stands = [Stand::of(a)?, Stand::of(b)?];
        let in_order = a.dir == pair.0;
        if !in_order {
            stands.reverse();
        }
        if most == usize::MAX && self.settled.get(&pair) == Some(&stands) {
            self.count("nothing to say");
            return Ok(());
        }
        let met = session::meet(a, b, most, self.now)
            .with_context(|| format!("`{}` meets `{}`", a.origin, b.origin))?;
        let deceived = [(a, b), (b, a)].map(|(from, to)| {
            let deceives = from.withholds() == Some(to.origin);
            deceives.then_some(to.origin)
        });
        for origin in deceived.into_iter().flatten() {
            self.risk(origin, Risk::Withheld);
        }
        *self.counts.entry("frames").or_default() += met.frames as u64;
        self.count(if met.settled.is_some() {
            "sessions"
        } else {
            "sessions cut"
        });
        if let Some(mut stands) = met.settled {
            if !in_order {
                stands.reverse();
            }
            self.settled.insert(pair, stands);
        }
        Ok(())
    }

    fn relink(&mut self, at: usize) {
        let Some(node) = self.nodes.get(at) else {
            return;
        };
        let links: BTreeSet<_> = (self.nodes.iter())
            .filter(|other| other.dir != node.dir)
            .map(|other| Self::link(node, other))
            .collect();
        match self.dice.below(10) {
            0..4 => self.down.extend(links),
            4..7 => self.down.retain(|link| !links.contains(link)),
            _ => {
                let links: Vec<_> = links.into_iter().collect();
                if let Some(link) = self.dice.pick(&links).cloned()
                    && !self.down.remove(&link)
                {
                    self.down.insert(link);
                }
            }
        }
    }

    pub(super) fn cut_from_all(&mut self, dir: &Path) {
        let links = (self.nodes.iter())
            .filter(|other| other.dir != dir)
            .map(|other| {
                let (one, other) = (dir.to_owned(), other.dir.clone());
                if one < other {
                    (one, other)
                } else {
                    (other, one)
                }
            });
        self.down.extend(links);
    }

    // === commands ===

    pub(super) fn give(&mut self, at: usize, scope: Scope, command: Command) -> Result<()> {
        let id = self.next_id();
        self.send(at, Sent { id, scope, command })
    }

    fn send(&mut self, at: usize, sent: Sent) -> Result<()> {
        let Some(node) = self.nodes.get(at) else {
            return Ok(());
        };
        let outcome = node.execute(sent.id, None, sent.scope, &sent.command, self.now)?;
        self.sent.entry(node.origin).or_default().push(sent);
        self.count(match outcome {
            Ok(_) => "accepted",
            Err(refusal) if refusal.message.starts_with("waiting") => "waits",
            Err(_) => "refused",
        });
        Ok(())
    }

    fn command(&mut self, at: usize) -> Result<()> {
        let Some(origin) = self.nodes.get(at).map(|node| node.origin) else {
            return Ok(());
        };
        let before = self.sent.get(&origin).map_or(&[][..], Vec::as_slice);
        if self.dice.percent(10)
            && let Some(again) = self.dice.pick(before).cloned()
        {
            // The client sends it again.
            return self.send(at, again);
        }
        if let Some(sent) = self.wish(at)? {
            self.send(at, sent)?;
        }
        Ok(())
    }

    /// What somebody at a node would like to do now.
    fn wish(&mut self, at: usize) -> Result<Option<Sent>> {
        let Some(node) = self.nodes.get(at) else {
            return Ok(None);
        };
        let scope = if self.dice.percent(50) {
            Scope::Regional
        } else {
            Scope::Provinces
        };
        let own = node.origin;
        if node.is_gateway() {
            let id = self.next_id();
            let command = Command::Do(Event::Received(1));
            return Ok(Some(Sent {
                id,
                scope: Scope::Regional,
                command,
            }));
        }
        let books = node.books()?;
        let others: Vec<NodeId> = (self.nodes.iter())
            .map(|node| node.origin)
            .filter(|origin| *origin != own && origin.as_str() != "ims")
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        let other = *self.dice.pick(&others).context("nobody else is there")?;
        let few = self.dice.below(3) as u32 + 1;
        let (item, count) = if self.dice.percent(50) {
            (Item::Stock, few)
        } else {
            (Item::Person(self.dice.below(3) as u8), 1)
        };
        let fresh = |id: Id, event| {
            Ok(Some(Sent {
                id,
                scope,
                command: Command::Do(event),
            }))
        };
        let id = self.next_id();
        match self.dice.below(20) {
            0 => fresh(id, Event::Received(few)),
            1 | 2 => fresh(id, Event::Issued(1)),
            3..5 => fresh(
                id,
                Event::Requested {
                    owner: other,
                    item,
                    count,
                },
            ),
            5..8 => fresh(
                id,
                Event::Granted {
                    item,
                    to: other,
                    count,
                    ask: None,
                    hold: false,
                },
            ),
            8 | 9 => fresh(
                id,
                Event::HandedOver {
                    holder: other,
                    count: few + 1,
                    until: self.now.0 + 3_600_000,
                },
            ),
            10 | 11 => {
                let asks = (others.iter())
                    .map(|other| (*other, Item::Bed(self.dice.below(2) as u8)))
                    .collect();
                fresh(id, Event::Referred { asks })
            }
            kind => Ok(self
                .follow_up(kind, few, &books)
                .map(|(id, scope, event)| Sent {
                    id,
                    scope,
                    command: Command::Do(event),
                })),
        }
    }

    /// What somebody would like to do about a promise.
    fn follow_up(&mut self, kind: usize, few: u32, books: &Books) -> Option<(Id, Scope, Event)> {
        let own = books.own;
        let mine = books.mine();
        let held: Vec<_> = (mine.standing())
            .filter(|promise| mine.live(promise.id).is_some())
            .cloned()
            .collect();
        match kind {
            12..15 => {
                let promise = self.dice.pick(&held)?;
                let Event::Granted {
                    item,
                    to,
                    count,
                    hold,
                    ..
                } = promise.event
                else {
                    return None;
                };
                let grant = promise.id;
                let id = |what| follows(what, grant, None);
                Some(match item {
                    Item::Stock => {
                        let shipped = Event::Shipped { grant, to, count };
                        (id("ship"), promise.scope, shipped)
                    }
                    _ if hold => (id("expire"), promise.scope, Event::Expired { grant }),
                    _ => (id("free"), promise.scope, Event::Released { grant }),
                })
            }
            15..18 => {
                let referrals: Vec<_> = (mine.asks())
                    .filter_map(|(id, event)| match event {
                        Event::Referred { asks } => Some((id, asks.clone())),
                        _ => None,
                    })
                    .collect();
                let (referral, asks) = self.dice.pick(&referrals)?;
                let holds: Vec<_> = (asks.iter())
                    .map(|(hospital, bed)| (*hospital, decision(*referral, *hospital, *bed)))
                    .filter(|(hospital, hold)| books.of(*hospital).live(*hold).is_some())
                    .collect();
                let (hospital, taken) = *self.dice.pick(&holds)?;
                let before = (mine.standing())
                    .filter(|known| matches!(known.event, Event::Selected { referral: selected, .. } if selected == *referral))
                    .count();
                let event = Event::Selected {
                    referral: *referral,
                    hospital,
                    hold: taken,
                };
                Some((
                    follows(&format!("select {before}"), *referral, None),
                    Scope::Provinces,
                    event,
                ))
            }
            _ => {
                let given: Vec<_> = (books.ledgers.iter())
                    .flat_map(|(owner, ledger)| ledger.standing().map(|known| (*owner, known.clone())))
                    .filter(|(_, known)| matches!(known.event, Event::HandedOver { holder, .. } if holder == own))
                    .collect();
                let (owner, known) = self.dice.pick(&given)?.clone();
                let escrow = known.id;
                if kind == 18 {
                    let id = self.next_id();
                    let event = Event::Drawn {
                        owner,
                        escrow,
                        count: few.min(2),
                    };
                    return Some((id, known.scope, event));
                }
                let Event::HandedOver { count, .. } = known.event else {
                    return None;
                };
                let rest = i64::from(count) - mine.drawn(escrow);
                let event = Event::Returned {
                    owner,
                    escrow,
                    count: u32::try_from(rest).ok()?,
                };
                Some((follows("return", escrow, None), known.scope, event))
            }
        }
    }

    /// Lets a node do what it does by itself.
    pub(super) fn react(&mut self, at: usize) -> Result<bool> {
        let Some(node) = self.nodes.get(at) else {
            return Ok(false);
        };
        if node.is_gateway() {
            return Ok(false);
        }
        let mut did = false;
        let mut reacted = 0;
        for _ in 0..8 {
            let mut again = false;
            for reaction in reactions(&node.books()?) {
                let cause = Some(reaction.cause);
                let outcome = node.execute(
                    reaction.id,
                    cause,
                    reaction.scope,
                    &reaction.command,
                    self.now,
                )?;
                if let Ok(accepted) = outcome {
                    // One that stands already was answered so before.
                    let is_new = accepted.event_ids == [event_id(reaction.id, 0)];
                    again |= is_new;
                    reacted += u64::from(is_new);
                }
            }
            if !again {
                break;
            }
            did = true;
        }
        *self.counts.entry("reactions").or_default() += reacted;
        Ok(did)
    }

    // === healing ===

    /// Mends every link, ends the copies, starts what was fenced, and lets everybody meet until nothing changes.
    pub(super) fn heal(&mut self) -> Result<()> {
        self.down.clear();
        self.asleep.clear();
        self.nodes.iter_mut().for_each(Node::show_all);
        self.note_held()?;
        for _ in 0..2 {
            self.round(true)?;
        }
        while self.nodes.len() > ORIGINS.len() {
            if let Some(mut twin) = self.nodes.pop() {
                twin.stop();
            }
        }
        let mut before = None;
        for _ in 0..ROUNDS {
            for at in 0..self.nodes.len() {
                if self.nodes.get(at).map(Node::is_fenced).transpose()? == Some(true) {
                    self.restart(at, |_| Ok(()))?;
                    self.count("starts after heal");
                }
            }
            self.round(false)?;
            let mut stands = Vec::new();
            for node in &self.nodes {
                let store = node.store()?;
                let logs = store.logs().into_iter();
                let logs: Vec<_> = logs.map(|log| (log.origin, log.end, log.cut)).collect();
                stands.push((logs, store.standing(), store.may_promise()));
            }
            if before.as_ref() == Some(&stands) {
                let mut declared = false;
                for at in 0..self.nodes.len() {
                    declared |= self.declare_lost(at)?;
                }
                if declared {
                    continue;
                }
                let waits = stands.iter().find_map(|(.., may)| may.clone().err());
                if let Some(refusal) = waits {
                    bail!(
                        "I-settled: a node waits still when all is healed: {refusal}{}",
                        self.standings()?
                    );
                }
                return Ok(());
            }
            before = Some(stands);
        }
        bail!(
            "I-settled: nothing is settled after {ROUNDS} rounds{}",
            self.standings()?
        )
    }

    /// Tells how everybody stands.
    pub(super) fn standings(&self) -> Result<String> {
        let mut told = String::new();
        for node in &self.nodes {
            let store = node.store()?;
            write!(told, "\n  `{}` {:?}:", node.origin, store.standing())?;
            for log in store.logs() {
                write!(
                    told,
                    " `{}` to {}, {} left out;",
                    log.origin, log.end, log.cut
                )?;
            }
        }
        Ok(told)
    }

    fn round(&mut self, write: bool) -> Result<()> {
        self.now = Millis(self.now.0 + 60_000);
        for one in 0..self.nodes.len() {
            if write {
                self.give(one, Scope::Regional, Command::Do(Event::Received(1)))?;
            }
            for other in 0..self.nodes.len() {
                if one != other {
                    self.meet(one, other, usize::MAX)?;
                }
            }
            self.react(one)?;
        }
        Ok(())
    }
}
