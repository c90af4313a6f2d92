//! Sessions: the own log first, both ways; then everybody's; then payloads that were missing.

use std::collections::BTreeMap;

use posko_ledger::{epoch::Epoch, standing::Verdict};

use super::{
    event::{Ev, Origin},
    log::{EpochLog, Log},
    node::Node,
    rule::Rule,
    world::World,
};

/// How much of a log a node shows.
#[derive(Clone, Copy)]
enum Shown<'a> {
    All,
    /// So many entries of each epoch, and no other branches.
    Upto(&'a BTreeMap<Epoch, u64>),
}

impl Shown<'_> {
    fn of(self, epoch: Epoch, log: &EpochLog) -> u64 {
        match self {
            Self::All => log.len(),
            Self::Upto(upto) => log.len().min(upto.get(&epoch).copied().unwrap_or(0)),
        }
    }

    fn branches(self, log: &EpochLog) -> impl Iterator<Item = &Ev> {
        let all = matches!(self, Self::All);
        log.side.values().filter(move |_| all)
    }
}

impl Node {
    fn shows(&self, origin: Origin) -> Shown<'_> {
        match &self.withholds {
            Some((of, upto)) if *of == origin => Shown::Upto(upto),
            _ => Shown::All,
        }
    }

    /// Asks a peer what it knows of the own log, before anything of it is released to that peer.
    pub(super) fn ask(&mut self, world: &mut World, peer: &Self) {
        let origin = self.origin;
        if !world.rules.has(Rule::OwnLogFirst) {
            self.run.rounds.knows_no_more(peer.origin);
            return self.settle(world);
        }
        if let Some(in_own_epoch) = self.unknown_at(peer) {
            let verdict = self.standing().on_unknown_entries(in_own_epoch);
            if verdict == Verdict::Fence && world.rules.has(Rule::Fence) {
                self.fence(world);
            }
            if self.run.fenced {
                return;
            }
            self.distrust();
            self.run.rounds.ask_again();
            self.pull(world, peer, origin, usize::MAX);
            if self
                .run
                .epoch
                .is_some_and(|own| in_own_epoch || own != self.end().epoch)
            {
                // What this run wrote is left out now, and its next write opens a higher epoch.
                self.run.epoch = None;
                self.run.outbid += 1;
                world.outbid(self.run.outbid);
            }
        }
        self.backfill(world, peer);
        self.run.rounds.knows_no_more(peer.origin);
        self.settle(world);
    }

    /// Says whether a peer shows something of the own log that is not here; if so, whether it is in the epoch that
    /// this run writes.
    fn unknown_at(&self, peer: &Self) -> Option<bool> {
        let (mine, theirs) = (self.own_log(), peer.own_log_of(self.origin));
        let shown = peer.shows(self.origin);
        let unknown = |epoch: &Epoch, log: &EpochLog| {
            let size = shown.of(*epoch, log);
            let Some(here) = mine.epochs.get(epoch) else {
                return size > 0;
            };
            let is_new = |event: &Ev| !here.side.contains_key(&event.commit) && !here.has(event);
            let common = here.common(log, size);
            let mut rest = log.entries.iter().take(size as usize).skip(common as usize);
            let goes_on = common == here.len() && common < size;
            goes_on || rest.any(|entry| is_new(&entry.event)) || shown.branches(log).any(is_new)
        };
        let proven = |epoch: &Epoch, at: &u64| mine.forks.get(epoch).is_none_or(|known| known > at);
        let mut found = None;
        let entries = theirs
            .epochs
            .iter()
            .filter(|(epoch, log)| unknown(epoch, log))
            .map(|(epoch, _)| epoch);
        let forks = theirs
            .forks
            .iter()
            .filter(|(epoch, at)| proven(epoch, at))
            .map(|(epoch, _)| epoch);
        for epoch in entries.chain(forks) {
            found = Some(found == Some(true) || self.run.epoch == Some(*epoch));
        }
        found
    }

    fn own_log_of(&self, origin: Origin) -> &Log {
        &self.disk.logs[origin]
    }

    /// Takes what a peer shows of a log, at most so many entries.
    pub(super) fn pull(&mut self, world: &mut World, peer: &Self, origin: Origin, mut most: usize) {
        let theirs = peer.own_log_of(origin);
        let shown = peer.shows(origin);
        let mut log = std::mem::take(&mut self.disk.logs[origin]);
        let mut changed = false;
        for (epoch, at) in &theirs.forks {
            let known = log.forks.entry(*epoch).or_insert(u64::MAX);
            changed |= at < known;
            *known = (*known).min(*at);
        }
        for (epoch, held) in &theirs.epochs {
            let size = shown.of(*epoch, held);
            if size == 0 {
                continue;
            }
            let mine = log
                .epochs
                .entry(*epoch)
                .or_insert_with(|| EpochLog::new(held.open.clone()));
            let common = mine.common(held, size);
            let mut branch: Vec<&Ev> = shown.branches(held).collect();
            if common < size && common < mine.len() {
                // Two entries of one number, both signed: a proof.
                let known = log.forks.entry(*epoch).or_insert(u64::MAX);
                if common + 1 < *known {
                    *known = common + 1;
                    changed = true;
                    world.count("forks");
                }
                let other = held
                    .entries
                    .iter()
                    .take(size as usize)
                    .skip(common as usize);
                branch.extend(other.map(|entry| &entry.event));
            } else {
                let new = held
                    .entries
                    .iter()
                    .take(size as usize)
                    .skip(common as usize);
                for entry in new.take(most) {
                    mine.entries.push(entry.clone());
                    most -= 1;
                    changed = true;
                    self.take(&entry.event, peer);
                }
            }
            for event in branch {
                if !mine.side.contains_key(&event.commit) && !mine.has(event) {
                    mine.side.insert(event.commit, Ev::clone(event));
                    changed = true;
                    self.take(event, peer);
                }
            }
        }
        self.disk.logs[origin] = log;
        if changed {
            self.follow(origin, world);
            if origin == self.origin {
                self.keep_mark();
            }
            world.trace(&(
                self.copy,
                peer.copy,
                origin,
                self.views[origin].entries.len(),
            ));
        }
    }

    /// Takes an event's payload, or notes that it is missing.
    fn take(&mut self, event: &Ev, peer: &Self) {
        if self.has(event) || !self.is_entitled(event) {
            return;
        }
        if peer.has(event) {
            self.disk.payloads.insert(event.commit);
            self.disk.missing.remove(&event.commit);
        } else {
            self.disk.missing.insert(event.commit);
        }
    }

    /// Takes the payloads that were missing.
    pub(super) fn backfill(&mut self, world: &World, peer: &Self) {
        if !world.rules.has(Rule::Backfill) {
            return;
        }
        let before = self.disk.missing.len();
        let payloads = &mut self.disk.payloads;
        (self.disk.missing).retain(|commit| {
            let got = peer.disk.payloads.contains(commit);
            if got {
                payloads.insert(*commit);
            }
            !got
        });
        if self.disk.missing.len() < before {
            for origin in world.origins() {
                self.views[origin] = super::log::View::default();
                self.follow(origin, world);
            }
        }
    }
}

impl EpochLog {
    fn has(&self, event: &Ev) -> bool {
        self.entries.iter().any(|entry| entry.event == *event)
    }
}

/// A session of two nodes, cut after so many of its four stages; each takes at most `most` entries of a log.
pub(super) fn session(world: &mut World, a: &mut Node, b: &mut Node, most: usize, stages: u8) {
    for stage in 0..stages {
        let (to, from) = if stage % 2 == 0 {
            (&mut *a, &mut *b)
        } else {
            (&mut *b, &mut *a)
        };
        if stage < 2 {
            to.ask(world, from);
            continue;
        }
        let own = to.origin;
        for origin in world.origins().filter(|origin| *origin != own) {
            to.pull(world, from, origin, most);
        }
        to.backfill(world, from);
        if most == usize::MAX && from.withholds.is_none() && from.may_promise(world) {
            to.run.caught.insert(from.origin);
        }
    }
}
