//! One running copy of an origin's node: how it starts, what it writes, and when it stops to.

use std::collections::{BTreeMap, BTreeSet};

use posko_ledger::{
    epoch::{Epoch, EpochOpen, Position},
    standing::{self, Doubt, Found, Rounds, Verdict},
};

use super::{
    event::{Body, Each, Ev, Origin},
    log::{Disk, EpochLog, Log, View},
    rule::Rule,
    world::{Broken, World},
};

/// The high-water mark: a file beside the disk's database.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Mark {
    end: Position,
    unproven: bool,
}

/// What a run has in memory.
#[derive(Clone, Debug, Default)]
pub(super) struct Run {
    /// The epoch that it opened, while its log ends there.
    pub(super) epoch: Option<Epoch>,
    /// How often a higher epoch took its place, which it could expect.
    pub(super) outbid: usize,
    pub(super) rounds: Rounds<Origin>,
    /// What it left in the mark.
    written: Option<Mark>,
    pub(super) fenced: bool,
    pub(super) risk_accepted: bool,
    /// Which origins gave it all of their log themselves.
    pub(super) caught: BTreeSet<Origin>,
}

/// One running copy.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) origin: Origin,
    /// No two copies have the same, also of one origin.
    pub(super) copy: u32,
    pub(super) is_gateway: bool,
    pub(super) disk: Disk,
    pub(super) mark: Option<Mark>,
    pub(super) run: Run,
    pub(super) views: Each<View>,
    /// The origin of which it shows no more than so many entries of each epoch.
    pub(super) withholds: Option<(Origin, BTreeMap<Epoch, u64>)>,
}

impl Node {
    /// Returns a node as it is made.
    pub(super) fn new(world: &mut World, origin: Origin) -> Self {
        let mut node = Self {
            origin,
            copy: world.next_copy(),
            is_gateway: origin == world.gateway(),
            disk: Disk::empty(world.size),
            mark: None,
            run: Run::default(),
            views: Each::of(world.size, View::default()),
            withholds: None,
        };
        node.begin(
            world,
            Found {
                kept: None,
                was_there: false,
                is_new: true,
                mark: None,
            },
        );
        node
    }

    /// Puts another disk in its place.
    pub(super) fn load(&mut self, disk: Disk, world: &World) {
        self.disk = disk;
        for origin in world.origins() {
            self.views[origin] = View::default();
            self.follow(origin, world);
        }
    }

    pub(super) fn follow(&mut self, origin: Origin, world: &World) {
        let is_gateway = self.is_gateway;
        let is_entitled = |event: &Ev| may_have(is_gateway, event);
        self.views[origin].follow(&self.disk, origin, is_entitled, world.rules);
    }

    pub(super) fn is_entitled(&self, event: &Ev) -> bool {
        may_have(self.is_gateway, event)
    }

    pub(super) fn has(&self, event: &Ev) -> bool {
        self.disk.payloads.contains(&event.commit)
    }

    /// Returns what follows from what is held of the own log.
    pub(super) fn own(&self) -> &View {
        &self.views[self.origin]
    }

    pub(super) fn own_log(&self) -> &Log {
        &self.disk.logs[self.origin]
    }

    /// Returns the end of the own canonical log.
    pub(super) fn end(&self) -> Position {
        let end = self.own().path.last().and_then(|at| {
            let hash = self.own_log().epochs.get(&at.epoch)?.hash_at(at.entries)?;
            Some(Position {
                epoch: at.epoch,
                seq: at.entries,
                hash,
            })
        });
        end.unwrap_or(Position::START)
    }

    // === standing: the store's rules ===

    /// Starts the program on what is there.
    pub(super) fn start(&mut self, world: &mut World, was_there: bool) {
        let sticky = world.rules.has(Rule::StickyMark);
        let kept = match &self.disk {
            disk if disk.fenced && sticky => Some(Doubt::Fenced),
            disk if disk.unproven && sticky => Some(Doubt::Kept),
            disk if disk.copied => Some(Doubt::Copied),
            _ => None,
        };
        let mark = self.judged_mark().map(|mark| standing::Mark {
            unproven: mark.unproven && sticky,
            ..mark
        });
        self.begin(
            world,
            Found {
                kept,
                was_there,
                is_new: false,
                mark,
            },
        );
    }

    fn begin(&mut self, world: &mut World, found: Found) {
        world.count("starts");
        self.run = Run::default();
        (self.disk.copied, self.disk.fenced) = (false, false);
        self.disk.unproven = standing::at_start(found).is_some();
        self.keep_mark();
    }

    /// Returns the mark as the rules see it.
    fn judged_mark(&self) -> Option<standing::Mark> {
        self.mark.map(|mark| standing::Mark {
            unproven: mark.unproven,
            held: self.own_log().holds(mark.end),
        })
    }

    /// Writes the mark, unless this run believes that it stands there.
    pub(super) fn keep_mark(&mut self) {
        let mark = Some(Mark {
            end: self.end(),
            unproven: self.disk.unproven || self.run.fenced,
        });
        if self.run.written != mark {
            (self.mark, self.run.written) = (mark, mark);
        }
    }

    pub(super) fn standing(&self) -> standing::Run {
        standing::Run {
            opened: self.run.epoch.is_some(),
            unproven: self.disk.unproven,
            outbid: self.run.outbid,
            peers: self.views.0.len() - 1,
        }
    }

    /// Compares the mark, before anything is decided: a machine can be rolled back while it runs.
    pub(super) fn compare_mark(&mut self, world: &mut World) {
        if self.mark.is_some() && self.mark == self.run.written
            || !world.rules.has(Rule::CompareMark)
        {
            return;
        }
        match self.standing().on_other_mark(self.judged_mark()) {
            Verdict::Trust => {}
            Verdict::Doubt => {
                self.distrust();
                self.run.rounds.ask_anew();
                self.run.written = None;
                self.keep_mark();
            }
            Verdict::Fence => self.fence(world),
        }
    }

    /// Makes the start unproven, unless it is.
    pub(super) fn distrust(&mut self) {
        if !self.disk.unproven {
            self.disk.unproven = true;
            self.run.risk_accepted = false;
            self.run.rounds.ask_anew();
        }
    }

    pub(super) fn fence(&mut self, world: &mut World) {
        if !self.run.fenced {
            world.count("fences");
            self.run.fenced = true;
            self.disk.fenced = true;
            self.keep_mark();
        }
    }

    /// Proves the start when everybody was asked.
    pub(super) fn settle(&mut self, world: &World) {
        if !self.disk.unproven || self.run.fenced {
            return;
        }
        let peers = world.peers_of(self.origin);
        let once = self.run.rounds.waiting(&peers).is_empty();
        if self.run.rounds.finish(&peers) || once && !world.rules.has(Rule::SecondRound) {
            self.disk.unproven = false;
            self.run.risk_accepted = false;
        }
        self.keep_mark();
    }

    // === writing ===

    /// Records an event, and says whether it did.
    pub(super) fn write(&mut self, world: &mut World, event: &Ev) -> Result<bool, Broken> {
        self.compare_mark(world);
        if self.run.fenced {
            return Ok(false);
        }
        let declared = self
            .own()
            .ledger
            .lost
            .values()
            .filter(|id| **id == event.id)
            .count();
        let event = event.with_salt(declared as u32);
        let epoch = match self.run.epoch {
            Some(epoch) => epoch,
            None => self.open_epoch(world),
        };
        let origin = self.origin;
        if let Some(log) = self.disk.logs[origin].epochs.get_mut(&epoch) {
            log.append(Ev::clone(&event));
        }
        self.disk.payloads.insert(event.commit);
        self.follow(origin, world);
        self.keep_mark();
        world.count(event.body.name());
        world.trace(&(origin, self.copy, event.commit));
        if let Body::OverCommitted(promise) = &event.body {
            world.blame(origin, promise)?;
        }
        Ok(true)
    }

    fn open_epoch(&mut self, world: &mut World) -> Epoch {
        let origin = self.origin;
        let log = &mut self.disk.logs[origin];
        let highest = log.epochs.last_key_value().map_or(0, |(epoch, _)| epoch.no);
        let epoch = Epoch {
            no: highest + 1,
            nonce: world.nonce(),
        };
        let parent = self.end();
        let open = EpochOpen {
            epoch,
            parent,
            ..world.opening()
        };
        self.disk.logs[origin]
            .epochs
            .insert(epoch, EpochLog::new(open));
        self.run.epoch = Some(epoch);
        world.count("opens");
        epoch
    }
}

fn may_have(is_gateway: bool, event: &Ev) -> bool {
    !is_gateway || event.class != super::event::Class::Provinces
}
