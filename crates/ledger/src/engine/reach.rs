//! How far a log reaches, and the order of its heads.

use crate::{
    epoch::{Epoch, Position},
    head::SignedHead,
};

/// How far a log reaches: its epoch, whole, and the number of the entry. It compares what is told, and proves nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Reach {
    /// The epoch; one of number 0 for nothing.
    pub epoch: Epoch,
    /// The entry's number in it.
    pub seq: u64,
}

impl From<Position> for Reach {
    fn from(at: Position) -> Self {
        Self {
            epoch: at.epoch,
            seq: at.seq,
        }
    }
}

/// Returns what orders a log's heads: how far they reach, then when they were signed.
pub fn rank(head: &SignedHead) -> (Reach, u64) {
    (head.head.position.into(), head.head.wall_ms)
}
