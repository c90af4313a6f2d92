//! A node's disk, and what follows from it alone: canonical logs, orphans, and what the logs say.

use std::{collections::BTreeMap, convert::Infallible};

use posko_ledger::{
    Hash,
    canonical::{Held, Stretch, canonical},
    epoch::{Epoch, EpochOpen, Position},
};

use super::{
    event::{Body, Commit, Each, Ev, Id, Origin},
    ledger::Ledger,
    mix::{Map, Mix, Ordered, Set},
    rule::Rule,
    world::Rules,
};

/// An entry, and the chained hash after it.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) event: Ev,
    pub(super) hash: Hash,
}

/// An epoch as it is held.
#[derive(Clone, Debug)]
pub(super) struct EpochLog {
    pub(super) open: EpochOpen,
    pub(super) entries: Vec<Entry>,
    /// Entries of other branches of the same epoch: evidence of a fork.
    pub(super) side: Ordered<Commit, Ev>,
}

impl EpochLog {
    pub(super) fn new(open: EpochOpen) -> Self {
        Self {
            open,
            entries: Vec::new(),
            side: Ordered::default(),
        }
    }

    pub(super) fn len(&self) -> u64 {
        self.entries.len() as u64
    }

    /// Returns the chained hash after an entry; none when it is not held.
    pub(super) fn hash_at(&self, seq: u64) -> Option<Hash> {
        match seq.checked_sub(1) {
            None => Some(self.open.hash()),
            Some(index) => self.entries.get(index as usize).map(|entry| entry.hash),
        }
    }

    /// Appends an event.
    pub(super) fn append(&mut self, event: Ev) {
        let before = self.hash_at(self.len());
        let mut hash = [0; 32];
        let word = Mix::of(&(before, event.commit));
        for (to, from) in hash.iter_mut().zip(word.to_be_bytes()) {
            *to = from;
        }
        self.entries.push(Entry { event, hash });
    }

    /// Returns how many entries two copies share, of the first `shown` of the other.
    pub(super) fn common(&self, other: &Self, shown: u64) -> u64 {
        let both = self.len().min(shown);
        if both == 0 || self.hash_at(both) == other.hash_at(both) {
            return both;
        }
        // Chained hashes are equal up to where they part.
        let pairs: Vec<_> = self
            .entries
            .iter()
            .zip(&other.entries)
            .take(both as usize)
            .collect();
        pairs.partition_point(|(mine, theirs)| mine.hash == theirs.hash) as u64
    }
}

/// One origin's epochs, and the lowest entry of each of which a fork is proven.
#[derive(Clone, Debug, Default)]
pub(super) struct Log {
    pub(super) epochs: BTreeMap<Epoch, EpochLog>,
    pub(super) forks: BTreeMap<Epoch, u64>,
}

impl Log {
    /// Says whether a position is held; a place before everything always is.
    pub(super) fn holds(&self, at: Position) -> bool {
        let held = || self.epochs.get(&at.epoch)?.hash_at(at.seq);
        at.is_start() || held() == Some(at.hash)
    }

    /// Returns the canonical log, by the product's own rule.
    fn canonical(&self, rules: Rules) -> Vec<Stretch> {
        let early = !rules.has(Rule::FirstEntry);
        let held: Vec<Held<'_>> = (self.epochs.iter())
            .map(|(epoch, log)| Held {
                open: &log.open,
                entries: if early { log.len().max(1) } else { log.len() },
                forked_at: self.forks.get(epoch).copied(),
            })
            .collect();
        let hash_at = |epoch, seq| {
            Ok::<_, Infallible>(self.epochs.get(&epoch).and_then(|log| log.hash_at(seq)))
        };
        let Ok(mut path) = canonical(&held, hash_at);
        for stretch in &mut path {
            let held = self.epochs.get(&stretch.epoch).map_or(0, EpochLog::len);
            stretch.entries = stretch.entries.min(held);
        }
        path
    }

    /// Returns the entries of an epoch, without a number of first ones.
    fn after(&self, epoch: Epoch, skip: u64) -> impl Iterator<Item = &Ev> {
        let log = self.epochs.get(&epoch).map(|log| log.entries.as_slice());
        (log.unwrap_or_default().iter())
            .skip(skip as usize)
            .map(|entry| &entry.event)
    }
}

/// What a disk holds, and so what a backup or an image of it holds.
#[derive(Clone, Debug)]
pub(super) struct Disk {
    pub(super) logs: Each<Log>,
    /// The payloads that are here.
    pub(super) payloads: Set<Commit>,
    /// Those that are not, though they may be.
    pub(super) missing: Set<Commit>,
    /// Escrows whose time is over at their holder.
    pub(super) expired: Set<Id>,
    /// What the file says of earlier starts.
    pub(super) unproven: bool,
    pub(super) fenced: bool,
    pub(super) copied: bool,
}

impl Disk {
    /// Returns an empty one of a federation with so many nodes.
    pub(super) fn empty(size: u8) -> Self {
        Self {
            logs: Each::of(size, Log::default()),
            payloads: Set::default(),
            missing: Set::default(),
            expired: Set::default(),
            unproven: false,
            fenced: false,
            copied: false,
        }
    }
}

/// What follows from what a disk holds of one origin.
#[derive(Clone, Debug, Default)]
pub(super) struct View {
    /// The canonical log.
    pub(super) path: Vec<Stretch>,
    /// Its entries.
    pub(super) entries: Vec<Ev>,
    inside: Set<Commit>,
    /// The entries outside it, oldest epoch first.
    pub(super) orphans: Ordered<Commit, Ev>,
    /// The events that took effect: not those that were lost, whose command may run again.
    pub(super) ids: Set<Id>,
    /// What the canonical log says.
    pub(super) ledger: Ledger,
    folded: usize,
}

impl View {
    /// Follows the log as it is held now; from its beginning, unless it only went on.
    pub(super) fn follow(
        &mut self,
        disk: &Disk,
        origin: Origin,
        is_entitled: impl Fn(&Ev) -> bool,
        rules: Rules,
    ) {
        let log = &disk.logs[origin];
        let path = log.canonical(rules);
        if !goes_on(&self.path, &path) {
            *self = Self::default();
        }
        let known = self.entries.len();
        let old = std::mem::replace(&mut self.path, path);
        for (index, stretch) in self.path.iter().enumerate() {
            let had = old.get(index).map_or(0, |had| had.entries);
            let new = log
                .after(stretch.epoch, had)
                .take((stretch.entries - had) as usize);
            self.entries.extend(new.cloned());
        }
        let mut lost = Vec::new();
        for event in self.entries.iter().skip(known) {
            self.inside.insert(event.commit);
            if let Body::PayloadLost(gone) = &event.body
                && disk.payloads.contains(&event.commit)
            {
                lost.extend(gone.iter().map(|(id, commit)| (*commit, *id)));
            }
        }
        let mut fresh = known;
        if !lost.is_empty() {
            // What was folded may be void now.
            lost.extend(self.ledger.lost.iter().map(|(commit, id)| (*commit, *id)));
            self.ledger = Ledger {
                lost: lost.into_iter().collect(),
                ..Ledger::default()
            };
            self.ids.clear();
            (self.folded, fresh) = (0, 0);
        }
        let lost: &Map<Commit, Id> = &self.ledger.lost;
        let new = self.entries.iter().skip(fresh);
        self.ids.extend(
            new.filter(|event| !lost.contains_key(&event.commit))
                .map(|event| event.id),
        );
        self.ledger.waits = false;
        while let Some(event) = self.entries.get(self.folded) {
            if !self.ledger.lost.contains_key(&event.commit) {
                if disk.payloads.contains(&event.commit) {
                    self.ledger.apply(event);
                } else if is_entitled(event) {
                    self.ledger.waits = true;
                    break;
                }
            }
            self.folded += 1;
        }
        self.orphans.clear();
        for (epoch, held) in &log.epochs {
            let counts = self
                .path
                .iter()
                .find(|stretch| stretch.epoch == *epoch)
                .map_or(0, |at| at.entries);
            for event in log.after(*epoch, counts).chain(held.side.values()) {
                if !self.inside.contains(&event.commit) {
                    self.orphans.insert(event.commit, Ev::clone(event));
                }
            }
        }
    }
}

/// Says whether a path begins with all of another.
fn goes_on(old: &[Stretch], new: &[Stretch]) -> bool {
    let Some((end, before)) = old.split_last() else {
        return true;
    };
    new.starts_with(before)
        && (new.get(before.len()))
            .is_some_and(|at| at.epoch == end.epoch && at.entries >= end.entries)
}
