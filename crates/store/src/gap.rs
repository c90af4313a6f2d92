//! What is wrong with a log as it is held here: entries that it leaves out, payloads that are missing.

use std::sync::PoisonError;

use posko_ledger::{
    entry::{EntryHeader, HEADER_BYTES, SCARCE},
    epoch::{Epoch, Position},
};
use posko_proto::{Id, NodeId, time::Millis};
use rusqlite::{Connection, OptionalExtension, named_params};

use crate::{
    Store, StoreError,
    branch::{self, Segment},
    log, statement,
};

/// The most gaps of a kind that are listed.
pub const MAX_GAPS: usize = 1000;

/// An entry that a log leaves out, or whose payload is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// What is wrong.
    pub kind: GapKind,
    /// Its event.
    pub event: Id,
    /// The event's number.
    pub type_id: u32,
    /// The thing that it is about.
    pub stream: Id,
    /// Where it stands.
    pub position: Position,
    /// When its origin recorded it.
    pub recorded_at: Millis,
    /// Whether it promises what there is only one of.
    pub scarce: bool,
}

/// What is wrong with an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GapKind {
    /// Its origin left it out, and has neither recorded it again nor disowned it.
    LeftOut,
    /// Its payload is not here though it may be.
    PayloadMissing {
        /// The accepted peers that were not asked for it in this run, when it is of the own log.
        not_asked: Vec<NodeId>,
    },
}

/// How much of a log its origin withholds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Withheld {
    /// How many entries are left out and neither recorded again nor disowned.
    pub entries: u64,
    /// When the origin opened the epoch that left out the first of them, by its clock.
    pub since: Millis,
}

impl Store {
    /// Returns the entries that a log leaves out, and those whose payload of these classes is missing, oldest first, at
    /// most [`MAX_GAPS`] of each.
    pub fn gaps(&self, origin: NodeId, classes: u32) -> Result<Vec<Gap>, StoreError> {
        let own = self.identity().origin == origin;
        let accepted = self.0.shared.accepted();
        let refused = self.0.shared.refused.lock();
        let refused = refused.unwrap_or_else(PoisonError::into_inner).clone();
        self.read(|connection| {
            let left_out = gaps_in(connection, LEFT_OUT, origin, u32::MAX, |_, _| {
                GapKind::LeftOut
            });
            let missing = gaps_in(connection, MISSING, origin, classes, |at, header| {
                let not_asked = if own {
                    statement::not_asked(at, header, &accepted, &refused)
                } else {
                    Vec::new()
                };
                GapKind::PayloadMissing { not_asked }
            });
            let mut gaps = left_out?;
            gaps.append(&mut missing?);
            Ok(gaps)
        })
    }

    /// Returns how much of a log its origin withholds; none when nothing.
    pub fn withheld(&self, origin: NodeId) -> Result<Option<Withheld>, StoreError> {
        if self.0.shared.log(origin).is_none_or(|log| log.cut == 0) {
            return Ok(None);
        }
        self.read(|connection| {
            let entries = branch::orphans(connection, origin)?;
            let path = branch::path_now(connection, origin)?;
            let since = since(connection, origin, &path)?;
            Ok(since
                .filter(|_| entries > 0)
                .map(|since| Withheld { entries, since }))
        })
    }

    /// Says whether somebody who holds the own log up to a position has what stands first in a stream of it.
    pub fn covers(&self, held: Position, stream: Id) -> Result<bool, StoreError> {
        let own = self.identity().origin;
        self.read(|connection| {
            let at: Option<i64> = connection
                .prepare_cached(
                    "SELECT pos FROM stream_entry WHERE origin = :origin AND stream = :stream ORDER BY version LIMIT 1",
                )?
                .query_row(
                    named_params! { ":origin": own.as_str(), ":stream": stream.as_bytes() },
                    |row| row.get(0),
                )
                .optional()?;
            let row = log::row_of(connection, own, held)?;
            let Some((at, row)) = at.zip(row) else {
                return Ok(false);
            };
            let held = log::pos(row, held.seq);
            let path = branch::path_now(connection, own)?;
            // Later stretches of a path have higher rows.
            Ok(held >= at && path.iter().any(|segment| segment.contains(held)))
        })
    }
}

const LEFT_OUT: &str = "SELECT entry.pos, header, hash, no, nonce
     FROM orphan JOIN entry USING (pos) JOIN epoch ON epoch.id = entry.pos >> 40
     WHERE orphan.origin = :origin
     ORDER BY entry.pos";
const MISSING: &str = "SELECT entry.pos, header, hash, no, nonce
     FROM payload_missing JOIN entry USING (pos) JOIN epoch ON epoch.id = entry.pos >> 40
     WHERE presence = 2 AND epoch.origin = :origin
     ORDER BY entry.pos";

fn gaps_in(
    connection: &Connection,
    sql: &str,
    origin: NodeId,
    classes: u32,
    kind: impl Fn(i64, &EntryHeader) -> GapKind,
) -> Result<Vec<Gap>, StoreError> {
    let mut entries = connection.prepare_cached(sql)?;
    let mut rows = entries.query(named_params! { ":origin": origin.as_str() })?;
    let mut gaps = Vec::new();
    while gaps.len() < MAX_GAPS
        && let Some(row) = rows.next()?
    {
        let header = EntryHeader::decode(&row.get::<_, [u8; HEADER_BYTES]>(1)?)?;
        if header.class.bit() & classes == 0 {
            continue;
        }
        gaps.push(Gap {
            kind: kind(row.get(0)?, &header),
            event: header.event_id,
            type_id: header.type_id,
            stream: header.stream_id,
            position: Position {
                epoch: Epoch {
                    no: row.get::<_, i64>(3)?.cast_unsigned(),
                    nonce: row.get(4)?,
                },
                seq: header.seq,
                hash: row.get(2)?,
            },
            recorded_at: Millis(header.wall_ms.cast_signed()),
            scarce: header.flags & SCARCE != 0,
        });
    }
    Ok(gaps)
}

/// Returns when the first epoch was opened that left out what is an orphan now.
fn since(
    connection: &Connection,
    origin: NodeId,
    path: &[Segment],
) -> Result<Option<Millis>, StoreError> {
    let mut rows = connection
        .prepare_cached("SELECT DISTINCT orphan.pos >> 40 FROM orphan WHERE origin = :origin")?;
    let rows = rows.query_map(named_params! { ":origin": origin.as_str() }, |row| {
        row.get(0)
    })?;
    let epochs = log::epochs(connection, origin)?;
    let mut first: Option<Millis> = None;
    for row in rows {
        let mut row: i64 = row?;
        // Up to where the path was left; it goes on there with the epoch that left the rest out.
        let opened = loop {
            if let Some(at) = path.iter().position(|segment| segment.row == row) {
                break path.get(at + 1).map(|next| next.open.wall_ms);
            }
            let parent = epochs
                .iter()
                .find(|(id, _)| *id == row)
                .map(|(_, open)| open.parent);
            let Some(parent) = parent.filter(|parent| !parent.is_start()) else {
                break path.first().map(|first| first.open.wall_ms);
            };
            match epochs.iter().find(|(_, open)| open.epoch == parent.epoch) {
                Some((id, _)) if *id < row => row = *id,
                _ => break None,
            }
        };
        let opened = opened.map(|at| Millis(at.cast_signed()));
        first = first.into_iter().chain(opened).min();
    }
    Ok(first)
}
