//! What this node knew when: how far each log of another had come at a time, by this node's clock.
//!
//! What it never does: say more than the file does. Of the time between a backup and its start nothing was noted.

use posko_ledger::{
    entry::{EntryHeader, HEADER_BYTES, RECOVERED},
    epoch::Position,
};
use posko_proto::{NodeId, time::Millis};
use rusqlite::{Connection, OptionalExtension, named_params};

use crate::{
    Store, StoreError,
    branch::{self, Segment},
    log::{self, LogMemory},
};

/// What this node knew of a log at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// How far the log had come; none when nothing of it had.
    pub held: Option<Arrived>,
    /// When the first of it came; none when nothing ever did.
    pub first: Option<Millis>,
    /// From when until when the file does not tell what came, where the time lies between: it may have been more.
    pub untold: Option<(Millis, Millis)>,
}

/// How far a log had come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrived {
    /// Up to which entry.
    pub position: Position,
    /// When the origin recorded that entry, by its clock.
    pub recorded_at: Millis,
    /// When it came.
    pub arrived_at: Millis,
    /// What had not come by then; none when the log has left the position out since.
    pub behind: Option<Behind>,
}

/// What an origin had recorded by a time, by its clock, and what had not come by then: as far as it has come since.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Behind {
    /// How many entries.
    pub entries: u64,
    /// When the first of them was recorded; none when there are none.
    pub since: Option<Millis>,
}

impl Store {
    /// Returns what this node knew of another's log at a time.
    pub fn known_at(&self, origin: NodeId, at: Millis) -> Result<Known, StoreError> {
        if self.0.shared.log(origin).is_none() {
            return Err(StoreError::NotFound(format!("log `{origin}`")));
        }
        self.read(|connection| {
            let snapshot = connection.unchecked_transaction()?;
            let first: Option<i64> = snapshot
                .prepare_cached("SELECT MIN(at_ms) FROM arrival WHERE origin = :origin")?
                .query_row(named_params! { ":origin": origin.as_str() }, |row| {
                    row.get(0)
                })?;
            let untold = snapshot
                .prepare_cached(
                    "SELECT MIN(from_ms), MAX(until_ms) FROM arrival_untold
                     WHERE from_ms <= :at AND until_ms > :at
                     HAVING COUNT(*) > 0",
                )?
                .query_row(named_params! { ":at": at.0 }, |row| {
                    Ok((Millis(row.get(0)?), Millis(row.get(1)?)))
                })
                .optional()?;
            Ok(Known {
                held: arrived(&snapshot, origin, at)?,
                first: first.map(Millis),
                untold,
            })
        })
    }
}

fn arrived(
    connection: &Connection,
    origin: NodeId,
    at: Millis,
) -> Result<Option<Arrived>, StoreError> {
    let last: Option<(i64, i64, i64)> = connection
        .prepare_cached(
            "SELECT epoch, upto_seq, at_ms FROM arrival
             WHERE origin = :origin AND at_ms <= :at
             ORDER BY at_ms DESC, epoch DESC, upto_seq DESC
             LIMIT 1",
        )?
        .query_row(
            named_params! { ":origin": origin.as_str(), ":at": at.0 },
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .optional()?;
    let Some((row, seq, arrived_ms)) = last else {
        return Ok(None);
    };
    let seq = seq.cast_unsigned();
    let epochs = log::epochs(connection, origin)?;
    let open = epochs.iter().find(|(id, _)| *id == row);
    let (_, open) = open.ok_or(StoreError::Corrupt {
        what: "when a log came how far",
    })?;
    let (hash, wall_ms) = match log::entry_at(connection, log::pos(row, seq))? {
        Some((header, hash)) => (hash, EntryHeader::decode(&header)?.wall_ms),
        None => (open.hash(), open.wall_ms),
    };
    let epoch = open.epoch;
    Ok(Some(Arrived {
        position: Position { epoch, seq, hash },
        recorded_at: Millis(wall_ms.cast_signed()),
        arrived_at: Millis(arrived_ms),
        behind: behind(connection, origin, (row, seq), at)?,
    }))
}

/// Counts the entries after one on the log's path up to the first that was recorded later than a time. What was recorded
/// again keeps the time at which it was first recorded, and says nothing here.
fn behind(
    connection: &Connection,
    origin: NodeId,
    (row, seq): (i64, u64),
    at: Millis,
) -> Result<Option<Behind>, StoreError> {
    let path = branch::path_now(connection, origin)?;
    let held = |segment: &Segment| segment.row == row && seq <= segment.upto;
    let Some(first) = path.iter().position(held) else {
        return Ok(None);
    };
    let mut behind = Behind::default();
    let mut after = seq;
    for segment in path.iter().skip(first) {
        let mut entries = connection.prepare_cached(
            "SELECT header FROM entry WHERE pos > :after AND pos <= :last ORDER BY pos",
        )?;
        let mut rows = entries.query(named_params! {
            ":after": log::pos(segment.row, after),
            ":last": log::pos(segment.row, segment.upto),
        })?;
        while let Some(entry) = rows.next()? {
            let header = EntryHeader::decode(&entry.get::<_, [u8; HEADER_BYTES]>(0)?)?;
            if header.flags & RECOVERED != 0 {
                continue;
            }
            let recorded_at = Millis(header.wall_ms.cast_signed());
            if recorded_at > at {
                return Ok(Some(behind));
            }
            behind.entries += 1;
            behind.since.get_or_insert(recorded_at);
        }
        after = 0;
    }
    Ok(Some(behind))
}

/// Notes when a log came as far as it is.
pub(crate) fn note(
    connection: &Connection,
    log: &LogMemory,
    now: Millis,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT OR IGNORE INTO arrival(origin, epoch, upto_seq, at_ms)
             VALUES (:origin, :epoch, :seq, :at)",
        )?
        .execute(named_params! {
            ":origin": log.chain.identity().origin.as_str(),
            ":epoch": log.epoch_row,
            ":seq": log.chain.end().seq.cast_signed(),
            ":at": now.0,
        })?;
    Ok(())
}

/// Notes that the file is older than this start thinks: until now more may have come than it tells. It is a copy since
/// `copied`, or it was lost or put back in another way after the last that it tells of.
pub(crate) fn note_untold(
    connection: &Connection,
    copied: Option<i64>,
    now: Millis,
) -> Result<(), StoreError> {
    connection.execute(
        "INSERT OR IGNORE INTO arrival_untold(from_ms, until_ms)
         VALUES (COALESCE(:copied, (SELECT MAX(at_ms) FROM arrival), 0), :now)",
        named_params! { ":copied": copied, ":now": now.0 },
    )?;
    Ok(())
}
