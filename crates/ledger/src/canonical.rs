//! The canonical log: which epochs of an origin count, and how far, by what is held of them alone.
//!
//! ```text
//! 1.a ──●──●──●──○──○            entries that 2.b cut off: orphans, kept and served, and not folded
//!             └── 2.b ──●──●     the highest epoch that leads back to a first one
//! ```
//! What it never does: look at a clock, or at the order in which things came.

use std::collections::BTreeMap;

use crate::{
    Hash,
    epoch::{Epoch, EpochOpen},
};

/// An epoch as it is held.
#[derive(Clone, Copy, Debug)]
pub struct Held<'a> {
    /// Its opening.
    pub open: &'a EpochOpen,
    /// How many of its entries are held.
    pub entries: u64,
    /// The lowest entry of it of which two were proven to be signed; it and all after it count no more.
    pub forked_at: Option<u64>,
}

impl Held<'_> {
    /// Returns how many of the entries may count.
    fn sound(&self) -> u64 {
        let before = self.forked_at.map_or(u64::MAX, |at| at.saturating_sub(1));
        self.entries.min(before)
    }
}

/// An epoch of the canonical log, and how many of its entries belong to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stretch {
    /// The epoch.
    pub epoch: Epoch,
    /// How many of its entries count.
    pub entries: u64,
}

/// Returns the canonical log, first epoch first; empty when nothing leads back to a first epoch.
///
/// Epochs are tried from the highest down, those without an entry left out, and each is walked back to its first,
/// cutting every parent where its child continues it. A walk fails when a parent is not held, is shorter than that,
/// has another hash there, or was forked at or before it.
/// `hash_at` gives the chained hash after an entry of an epoch, and its error is handed on.
pub fn canonical<E>(
    held: &[Held<'_>],
    mut hash_at: impl FnMut(Epoch, u64) -> Result<Option<Hash>, E>,
) -> Result<Vec<Stretch>, E> {
    let by_epoch: BTreeMap<Epoch, &Held<'_>> =
        held.iter().map(|held| (held.open.epoch, held)).collect();
    for top in by_epoch.values().rev().filter(|held| held.sound() > 0) {
        if let Some(path) = walk(&by_epoch, top, &mut hash_at)? {
            return Ok(path);
        }
    }
    Ok(Vec::new())
}

fn walk<E>(
    by_epoch: &BTreeMap<Epoch, &Held<'_>>,
    top: &Held<'_>,
    hash_at: &mut impl FnMut(Epoch, u64) -> Result<Option<Hash>, E>,
) -> Result<Option<Vec<Stretch>>, E> {
    let mut path = vec![Stretch {
        epoch: top.open.epoch,
        entries: top.sound(),
    }];
    let mut parent = top.open.parent;
    let mut child = top.open.epoch;
    while !parent.is_start() {
        // A parent is lower than its child, or the walk would not end.
        let Some(held) = by_epoch
            .get(&parent.epoch)
            .filter(|_| parent.epoch.no < child.no)
        else {
            return Ok(None);
        };
        if parent.seq > held.sound() || held.forked_at == Some(0) {
            return Ok(None);
        }
        let hash = match parent.seq {
            0 => Some(held.open.hash()),
            seq => hash_at(parent.epoch, seq)?,
        };
        if hash != Some(parent.hash) {
            return Ok(None);
        }
        path.push(Stretch {
            epoch: parent.epoch,
            entries: parent.seq,
        });
        child = parent.epoch;
        parent = held.open.parent;
    }
    path.reverse();
    Ok(Some(path))
}
