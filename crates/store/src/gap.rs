//! What is wrong with a log as it is held here: entries that it leaves out, payloads that are missing.

use std::{collections::BTreeSet, ops::RangeInclusive};

use posko_ledger::{
    entry::{EntryHeader, HEADER_BYTES, SCARCE},
    epoch::{Epoch, EpochOpen, Position, Reason},
};
use posko_proto::{Id, NodeId, time::Millis};
use rusqlite::{Connection, OptionalExtension, named_params};

use crate::{
    Quarantine, Store, StoreError,
    branch::{self, Segment},
    fork::Forks,
    log,
    recover::settled_by,
    statement,
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
    /// Another machine wrote it beside its origin: it is kept as evidence, see [`OtherBranch`].
    OtherBranch,
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

/// Entries of a log that another machine wrote while its owner wrote the same epoch, where the owner has opened the log
/// again since: what nobody recorded again of them is kept as evidence, and is nothing that the owner withholds.
///
/// The proof and the opening name the fork and not whose side is held here. A side is the owner's as soon as one of its
/// entries is recorded again as it was: what the owner then leaves out of it is withheld like anything else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherBranch {
    /// How many of its entries are held and were not recorded again.
    pub entries: u64,
    /// The fork at which it begins.
    pub fork: Quarantine,
    /// The epoch in which the recovery key opened the log again.
    pub reopened: Epoch,
    /// Where its entries stand.
    places: Vec<RangeInclusive<i64>>,
}

impl OtherBranch {
    /// Says whether an entry is of it.
    pub(crate) fn contains(&self, at: i64) -> bool {
        self.places.iter().any(|places| places.contains(&at))
    }
}

impl Store {
    /// Returns the entries that a log leaves out, and those whose payload of these classes is missing, oldest first, at
    /// most [`MAX_GAPS`] of each.
    pub fn gaps(&self, origin: NodeId, classes: u32) -> Result<Vec<Gap>, StoreError> {
        let own = self.identity().origin == origin;
        let accepted = self.0.shared.accepted();
        let refused = self.0.shared.refused().clone();
        self.read(|connection| {
            let others = other_branches(connection, origin)?;
            let left_out = gaps_in(connection, LEFT_OUT, origin, u32::MAX, |at, _| {
                if others.iter().any(|other| other.contains(at)) {
                    GapKind::OtherBranch
                } else {
                    GapKind::LeftOut
                }
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

    /// Returns how much of a log its origin withholds, none when nothing, and what is held of it that another machine
    /// wrote.
    pub fn left_out(
        &self,
        origin: NodeId,
    ) -> Result<(Option<Withheld>, Vec<OtherBranch>), StoreError> {
        if self.0.shared.log(origin).is_none_or(|log| log.cut == 0) {
            return Ok((None, Vec::new()));
        }
        self.read(|connection| {
            let others = other_branches(connection, origin)?;
            let path = branch::path_now(connection, origin)?;
            let mut withheld = Vec::new();
            let mut orphans =
                connection.prepare_cached("SELECT pos FROM orphan WHERE origin = :origin")?;
            let rows = orphans.query_map(named_params! { ":origin": origin.as_str() }, |row| {
                row.get::<_, i64>(0)
            })?;
            for at in rows {
                let at = at?;
                if !others.iter().any(|other| other.contains(at)) {
                    withheld.push(at);
                }
            }
            let since = since(connection, origin, &path, &withheld)?;
            let entries = withheld.len() as u64;
            Ok((since.map(|since| Withheld { entries, since }), others))
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

/// Returns what is held of a log that another machine wrote beside its owner, with as many entries as are orphans. What
/// the owner itself holds is its own.
pub(crate) fn other_branches(
    connection: &Connection,
    origin: NodeId,
) -> Result<Vec<OtherBranch>, StoreError> {
    let path = branch::path_now(connection, origin)?;
    let end = path.last().map_or((0, 0), |last| (last.row, last.upto));
    let forks = Forks::load(connection, origin, end)?;
    let own: String = connection.query_row("SELECT origin FROM node", [], |row| row.get(0))?;
    if forks.held.is_empty() || own == origin.as_str() {
        return Ok(Vec::new());
    }
    let epochs = log::epochs(connection, origin)?;
    let mut others: Vec<OtherBranch> = Vec::new();
    for (row, open) in &epochs {
        let Some((fork, reopened)) = leads_over(&forks, &path, &epochs, open) else {
            continue;
        };
        let upto = (path.iter().find(|segment| segment.row == *row)).map_or(0, |at| at.upto);
        let first = if fork.at.epoch == open.epoch {
            fork.at.seq.max(upto + 1)
        } else {
            1
        };
        let places = log::pos(*row, first)..=log::pos(row + 1, 0) - 1;
        match (others.iter_mut()).find(|other| other.fork.at.epoch == fork.at.epoch) {
            Some(other) => other.places.push(places),
            None => others.push(OtherBranch {
                entries: 0,
                fork,
                reopened,
                places: vec![places],
            }),
        }
    }
    let mut found = Vec::new();
    for other in others {
        let entries = orphans_of(connection, origin, &other)?;
        if entries > 0 && !is_recorded_again(connection, origin, &other)? {
            found.push(OtherBranch { entries, ..other });
        }
    }
    Ok(found)
}

/// Returns the fork over which an epoch's last entries lead to the path, and the epoch that the recovery key opened where
/// they leave it; none when there is none of the two.
fn leads_over(
    forks: &Forks,
    path: &[Segment],
    epochs: &[(i64, EpochOpen)],
    open: &EpochOpen,
) -> Option<(Quarantine, Epoch)> {
    let (mut open, mut seq) = (open, u64::MAX);
    let mut fork = None;
    let next = loop {
        fork = forks.at_or_before(open.epoch, seq).or(fork);
        let on_path = path
            .iter()
            .position(|segment| segment.open.epoch == open.epoch);
        if let Some(index) = on_path {
            break (path.get(index).filter(|segment| segment.upto <= seq))
                .and_then(|_| path.get(index + 1));
        }
        if open.parent.is_start() {
            break path.first();
        }
        seq = open.parent.seq;
        // Each step goes to an epoch of a lower number.
        let parent = epochs
            .iter()
            .find(|(_, known)| known.epoch == open.parent.epoch);
        open = &parent
            .filter(|(_, known)| known.epoch.no < open.epoch.no)?
            .1;
    };
    let reopened = next.filter(|next| next.open.reason == Reason::Fork)?;
    Some((fork?, reopened.open.epoch))
}

fn orphans_of(
    connection: &Connection,
    origin: NodeId,
    other: &OtherBranch,
) -> Result<u64, StoreError> {
    let mut entries: i64 = 0;
    for places in &other.places {
        entries += connection
            .prepare_cached(
                "SELECT COUNT(*) FROM orphan
                 WHERE origin = :origin AND pos >= :first AND pos <= :last",
            )?
            .query_row(
                named_params! {
                    ":origin": origin.as_str(),
                    ":first": places.start(),
                    ":last": places.end(),
                },
                |row| row.get::<_, i64>(0),
            )?;
    }
    Ok(entries.cast_unsigned())
}

/// Says whether the log has an entry of a branch again, as it was: then the branch is the one that its owner had.
fn is_recorded_again(
    connection: &Connection,
    origin: NodeId,
    other: &OtherBranch,
) -> Result<bool, StoreError> {
    for places in &other.places {
        let mut entries = connection.prepare_cached(
            "SELECT header FROM entry WHERE pos >= :first AND pos <= :last ORDER BY pos",
        )?;
        let mut rows =
            entries.query(named_params! { ":first": places.start(), ":last": places.end() })?;
        while let Some(row) = rows.next()? {
            let header = EntryHeader::decode(&row.get::<_, [u8; HEADER_BYTES]>(0)?)?;
            let again: Option<[u8; HEADER_BYTES]> = connection
                .prepare_cached(
                    "SELECT header FROM recovered JOIN entry USING (pos)
                     WHERE origin = :origin AND event_id = :settled",
                )?
                .query_row(
                    named_params! {
                        ":origin": origin.as_str(),
                        ":settled": settled_by(&header).as_bytes(),
                    },
                    |row| row.get(0),
                )
                .optional()?;
            let Some(again) = again else { continue };
            // The same command may have been decided on both machines; what settles a promise names the promise itself.
            let same = header.flags & SCARCE != 0
                || EntryHeader::decode(&again)?.payload_commit == header.payload_commit;
            if same {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Returns when the first epoch was opened that left out one of these entries.
fn since(
    connection: &Connection,
    origin: NodeId,
    path: &[Segment],
    left_out: &[i64],
) -> Result<Option<Millis>, StoreError> {
    let rows: BTreeSet<i64> = (left_out.iter()).map(|at| log::row_at(*at)).collect();
    let epochs = log::epochs(connection, origin)?;
    let mut first: Option<Millis> = None;
    for mut row in rows {
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
