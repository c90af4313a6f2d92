//! Branches of a log: which of its epochs count, what is left over, and how views follow when that changes.
//!
//! ```text
//! 1.a ──●──●──●──○──○            stored, cut off: orphans, until their origin records them again
//!             └── 2.b ──●──●     the path: what is folded, with the cursor at its end
//! ```
//! A restored node that wrote before it met its peers makes such a log. Everybody who holds the same entries finds the
//! same path.

use std::collections::BTreeMap;

use posko_ledger::{
    canonical::{Held, Stretch, canonical},
    chain::{Chain, Identity, VerifiedGroup},
    engine::Reach,
    entry::{self, EntryHeader, HEADER_BYTES, Payload, RECOVERED},
    epoch::{Epoch, EpochOpen, Position},
    head::SignedHead,
};
use posko_proto::{Id, NodeId, common::v1::Envelope};
use prost::Message;
use rusqlite::{Connection, OptionalExtension, named_params};

use posko_domain::{
    event::{DISOWNED, Event, IncidentEvent},
    log::Statement,
};

use crate::{
    Store, StoreError,
    aggregate::Areas,
    command::Accepted,
    error::ApplyError,
    fold,
    fork::Forks,
    log::{self, LogMemory},
    recover::settled_by,
    statement,
    view::{self, Tables},
};

/// Every class: the node folds what it holds.
const ALL_CLASSES: u32 = u32::MAX;

/// A stretch of a log's path: an epoch, and how many of its entries belong to it.
#[derive(Clone)]
pub(crate) struct Segment {
    pub(crate) row: i64,
    pub(crate) open: EpochOpen,
    pub(crate) upto: u64,
}

impl Segment {
    /// Says whether an entry's place is in it.
    pub(crate) fn contains(&self, at: i64) -> bool {
        (self.first()..=self.last()).contains(&at)
    }

    fn first(&self) -> i64 {
        log::pos(self.row, 1)
    }

    fn last(&self) -> i64 {
        log::pos(self.row, self.upto)
    }
}

/// Returns the path to an end of a log, given by its epoch's row and its entry's number; first epoch first.
/// Later stretches have higher rows: a parent is stored before its child.
pub(crate) fn path(
    connection: &Connection,
    origin: NodeId,
    end: (i64, u64),
) -> Result<Vec<Segment>, StoreError> {
    let mut epochs: BTreeMap<Epoch, (i64, EpochOpen)> = log::epochs(connection, origin)?
        .into_iter()
        .map(|(row, open)| (open.epoch, (row, open)))
        .collect();
    let mut at = epochs
        .iter()
        .find(|(_, (row, _))| *row == end.0)
        .map(|(epoch, _)| (*epoch, end.1));
    let mut path = Vec::new();
    while let Some((epoch, upto)) = at {
        let (row, open) = epochs.remove(&epoch).ok_or(BRANCHES)?;
        let parent = open.parent;
        at = (!parent.is_start()).then_some((parent.epoch, parent.seq));
        path.push(Segment { row, open, upto });
    }
    path.reverse();
    Ok(path)
}

const BRANCHES: StoreError = StoreError::Corrupt {
    what: "the order of a log's epochs",
};

/// Returns the chain at a position that is held, on the path or off it; none when it is not.
pub(crate) fn chain_at(
    connection: &Connection,
    identity: Identity,
    at: Position,
) -> Result<Option<Chain>, StoreError> {
    let origin = identity.origin;
    let mut chain = Chain::new(identity);
    if at.is_start() {
        return Ok(Some(chain));
    }
    let Some(row) = log::row_of(connection, origin, at)? else {
        return Ok(None);
    };
    for segment in path(connection, origin, (row, at.seq))? {
        chain.open(&segment.open)?;
        let mut headers = connection.prepare_cached(
            "SELECT header FROM entry WHERE pos >= :first AND pos <= :last ORDER BY pos",
        )?;
        let mut rows =
            headers.query(named_params! { ":first": segment.first(), ":last": segment.last() })?;
        while let Some(row) = rows.next()? {
            let header: [u8; HEADER_BYTES] = row.get(0)?;
            chain.append(&EntryHeader::decode(&header)?, &header)?;
        }
    }
    Ok((chain.end() == at).then_some(chain))
}

/// What storing a group that does not begin at the log's end came to.
pub(crate) enum Grown {
    /// Its entries are all here already.
    Known,
    /// They are orphans.
    Orphans(LogMemory),
    /// The path leads to the group's end now: what it left out is orphaned, and the views were folded anew.
    Switched(LogMemory),
}

/// Stores a group that begins at a position which is held, but is not the log's end.
pub(crate) fn store(
    connection: &Connection,
    areas: &Areas,
    mut log: LogMemory,
    group: &VerifiedGroup,
    is_own: bool,
) -> Result<Grown, ApplyError> {
    let origin = group.chain().identity().origin;
    // What stands at the end now may be left out, and is given under this head then.
    log.keep_head(connection)?;
    let moved = || ApplyError::Moved {
        cursor: log.chain.end(),
    };
    // A log that was begun twice has two first epochs.
    let mut row = match group.before() {
        before if before.is_start() => 0,
        before => log::row_of(connection, origin, before)?.ok_or_else(moved)?,
    };
    let epochs = log::epochs(connection, origin)?;
    for open in group.opens() {
        row = match epochs.iter().find(|(_, known)| known.epoch == open.epoch) {
            Some((row, known)) if known == open => *row,
            Some(_) => {
                return Err(ApplyError::Forked {
                    epoch: open.epoch,
                    seq: 0,
                });
            }
            None => log::insert_epoch(connection, open)?,
        };
    }
    let mut added = Vec::new();
    for (header, record, hash) in group.entries() {
        let at = log::pos(row, header.seq);
        match log::entry_at(connection, at)? {
            Some((_, stored)) if stored == *hash => {}
            Some(_) => {
                return Err(ApplyError::Forked {
                    epoch: group.chain().end().epoch,
                    seq: header.seq,
                });
            }
            None => {
                let record = statement::admit(connection, origin, header, record)?;
                log::store_entry(connection, at, &record, hash)?;
                added.push((header, at));
            }
        }
    }
    let end = group.chain().end();
    let epochs = path(connection, origin, (row, end.seq))?.len() as u64;
    let entries = group.chain().tree().size() - epochs;
    log::insert_head(connection, row, entries, group.head())?;
    if added.is_empty() {
        return Ok(Grown::Known);
    }
    if decide(connection, origin, &log.forks)?
        .last()
        .map(|top| (top.epoch, top.entries))
        == Some((end.epoch, end.seq))
    {
        log.chain = group.chain().clone();
        log.epoch_row = row;
        log.head = Some(*group.head());
        return Ok(Grown::Switched(switch(connection, areas, log, is_own)?));
    }
    for (header, at) in added {
        note_orphan(connection, origin, header, at)?;
    }
    let left = path(connection, origin, (row, end.seq))?;
    let counts = path(connection, origin, (log.epoch_row, log.chain.end().seq))?;
    settle(connection, origin, &counts, &left)?;
    log.cut = orphans(connection, origin)?;
    Ok(Grown::Orphans(log))
}

/// Decides which entries count, by all that is held.
fn decide(
    connection: &Connection,
    origin: NodeId,
    forks: &Forks,
) -> Result<Vec<Stretch>, StoreError> {
    let epochs = log::epochs(connection, origin)?;
    let mut held = Vec::with_capacity(epochs.len());
    for (row, open) in &epochs {
        held.push(Held {
            open,
            entries: entries_of(connection, *row)?,
            forked_at: forks.forked_at(open.epoch),
        });
    }
    canonical(&held, |epoch, seq| {
        let Some((row, _)) = epochs.iter().find(|(_, open)| open.epoch == epoch) else {
            return Ok(None);
        };
        let entry = log::entry_at(connection, log::pos(*row, seq))?;
        Ok(entry.map(|(_, hash)| hash))
    })
}

/// Returns how many entries of an epoch are held.
fn entries_of(connection: &Connection, row: i64) -> Result<u64, StoreError> {
    let last: Option<i64> = connection
        .prepare_cached("SELECT MAX(pos) FROM entry WHERE pos > :first AND pos < :end")?
        .query_row(
            named_params! { ":first": log::pos(row, 0), ":end": log::pos(row + 1, 0) },
            |row| row.get(0),
        )?;
    Ok(last.map_or(0, |last| (last - log::pos(row, 0)).cast_unsigned()))
}

/// Moves the log to the end that it was given: the cursor, the orphans, the views and the owner's versions follow.
pub(crate) fn switch(
    connection: &Connection,
    areas: &Areas,
    mut log: LogMemory,
    is_own: bool,
) -> Result<LogMemory, StoreError> {
    let origin = log.chain.identity().origin;
    let end = log.chain.end();
    let path = path(connection, origin, (log.epoch_row, end.seq))?;
    log.entries = path.iter().map(|segment| segment.upto).sum();
    log.load_kept(connection, &path)?;
    let before: [u8; 32] = connection
        .prepare_cached("SELECT hash FROM cursor WHERE origin = :origin")?
        .query_row(named_params! { ":origin": origin.as_str() }, |row| {
            row.get(0)
        })?;
    log.store_cursor(
        connection,
        Position {
            hash: before,
            ..end
        },
    )?;
    for table in ["orphan", "recovered", "stream_entry"] {
        connection
            .prepare_cached(&format!("DELETE FROM {table} WHERE origin = :origin"))?
            .execute(named_params! { ":origin": origin.as_str() })?;
    }
    view::clear(connection, origin)?;
    for segment in &path {
        let mut entries = connection.prepare_cached(
            "SELECT header, salt, body, presence, entry.pos
             FROM entry LEFT JOIN payload USING (pos) LEFT JOIN payload_missing USING (pos)
             WHERE pos >= :first AND pos <= :last
             ORDER BY pos",
        )?;
        let mut rows =
            entries.query(named_params! { ":first": segment.first(), ":last": segment.last() })?;
        while let Some(row) = rows.next()? {
            let record = log::record(row, ALL_CLASSES)?;
            let header = EntryHeader::decode(&record.header)?;
            let at = row.get(4)?;
            fold_entry(
                connection,
                areas,
                origin,
                &header,
                &record.payload,
                at,
                is_own,
            )?;
            log.last_entry_ms = Some(header.wall_ms.cast_signed());
        }
    }
    off_path(connection, origin, &path, |header, at| {
        note_orphan(connection, origin, header, at)
    })?;
    settle(connection, origin, &path, &[])?;
    log.cut = orphans(connection, origin)?;
    log.load_forks(connection)?;
    Ok(log)
}

/// Calls `found` with each entry that is held and not on the path.
pub(crate) fn off_path(
    connection: &Connection,
    origin: NodeId,
    path: &[Segment],
    mut found: impl FnMut(&EntryHeader, i64) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    for (row, _) in log::epochs(connection, origin)? {
        let upto = (path.iter().find(|segment| segment.row == row)).map_or(0, |at| at.upto);
        let mut entries = connection.prepare_cached(
            "SELECT header, pos FROM entry WHERE pos > :last AND pos < :end ORDER BY pos",
        )?;
        let mut rows = entries
            .query(named_params! { ":last": log::pos(row, upto), ":end": log::pos(row + 1, 0) })?;
        while let Some(entry) = rows.next()? {
            let header: [u8; HEADER_BYTES] = entry.get(0)?;
            found(&EntryHeader::decode(&header)?, entry.get(1)?)?;
        }
    }
    Ok(())
}

/// Returns the path to where a log ends at this moment; none of a log without an entry.
pub(crate) fn path_now(
    connection: &Connection,
    origin: NodeId,
) -> Result<Vec<Segment>, StoreError> {
    let end: Option<(i64, i64)> = connection
        .prepare_cached("SELECT epoch, seq FROM cursor WHERE origin = :origin")?
        .query_row(named_params! { ":origin": origin.as_str() }, |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    end.map_or(Ok(Vec::new()), |(row, seq)| {
        path(connection, origin, (row, seq.cast_unsigned()))
    })
}

/// Returns the entries that are held and not on the path of this moment: which event settles each, its own, and where
/// it stands.
pub(crate) fn left_out(
    connection: &Connection,
    origin: NodeId,
) -> Result<BTreeMap<Id, (Id, i64)>, StoreError> {
    let snapshot = connection.unchecked_transaction()?;
    let mut events = BTreeMap::new();
    let path = path_now(&snapshot, origin)?;
    off_path(&snapshot, origin, &path, |header, at| {
        events.insert(settled_by(header), (header.event_id, at));
        Ok(())
    })?;
    Ok(events)
}

/// Folds an entry of a path that was not decided here just now, and notes what it means for orphans and commands.
pub(crate) fn fold_entry(
    connection: &Connection,
    areas: &Areas,
    origin: NodeId,
    header: &EntryHeader,
    payload: &Payload,
    at: i64,
    is_own: bool,
) -> Result<(), StoreError> {
    let folded = fold::replica(connection, Tables::LIVE, areas, origin, header, payload)?;
    // What changed nothing here leaves its version to the next that does.
    if folded {
        log::place(connection, origin, header, at)?;
    }
    if is_own || header.flags & RECOVERED != 0 {
        note_recovered(connection, origin, header.event_id, at)?;
    } else {
        // A command that was given again leads to the event that an orphan is.
        settled(connection, origin, header.event_id, at)?;
    }
    Ok(())
}

/// Forgets what an entry of the path settles; the commands that led to it are recognized still.
fn settled(
    connection: &Connection,
    origin: NodeId,
    event_id: Id,
    at: i64,
) -> Result<(), StoreError> {
    let origin = origin.as_str();
    // Two runs may have decided one command: its event is known already when what the other decided is settled.
    connection
        .prepare_cached(
            "INSERT OR IGNORE INTO recovered(origin, event_id, pos)
             SELECT origin, event_id, :pos FROM orphan WHERE origin = :origin AND settled_by = :event",
        )?
        .execute(named_params! {
            ":origin": origin,
            ":event": event_id.as_bytes(),
            ":pos": at,
        })?;
    connection
        .prepare_cached("DELETE FROM orphan WHERE origin = :origin AND settled_by = :event")?
        .execute(named_params! { ":origin": origin, ":event": event_id.as_bytes() })?;
    Ok(())
}

/// Forgets orphans that the path settles, in the part of it that does not lead to `left` too.
fn settle(
    connection: &Connection,
    origin: NodeId,
    path: &[Segment],
    left: &[Segment],
) -> Result<(), StoreError> {
    let mut found = Vec::new();
    for (index, segment) in path.iter().enumerate() {
        let shared = match left.get(index) {
            Some(other) if other.row == segment.row => other.upto,
            _ => 0,
        };
        let mut entries = connection.prepare_cached(
            "SELECT orphan.settled_by, orphan.event_id <> orphan.settled_by, entry.pos
             FROM entry CROSS JOIN orphan ON orphan.origin = :origin AND orphan.settled_by = substr(entry.header, 33, 16)
             WHERE entry.pos > :after AND entry.pos <= :last",
        )?;
        let rows = entries.query_map(
            named_params! {
                ":origin": origin.as_str(),
                ":after": log::pos(segment.row, shared),
                ":last": segment.last(),
            },
            |row| Ok((row.get::<_, Vec<u8>>(0)?, row.get(1)?, row.get(2)?)),
        )?;
        for row in rows {
            found.push(row?);
        }
    }
    for (event, by_decision, at) in found {
        // A fact stands again by its header; what became of a promise only its decision's payload says.
        if !(by_decision && is_given_up(connection, origin, at)?) {
            settled(connection, origin, crate::id(&event)?, at)?;
        }
    }
    Ok(())
}

/// Says whether the payload of the entry at a place was declared lost.
fn is_given_up(connection: &Connection, origin: NodeId, at: i64) -> Result<bool, StoreError> {
    match log::entry_at(connection, at)? {
        Some((header, _)) => view::log::is_lost(connection, origin, &EntryHeader::decode(&header)?),
        None => Ok(false),
    }
}

/// Takes the promises that a decision settled as left out again, where its origin gave up the decision's payload: nobody
/// can read any more what became of them, and who holds one decides it anew.
pub(crate) fn unsettle(
    connection: &Connection,
    origin: NodeId,
    decision: Id,
    said: &Statement,
) -> Result<(), StoreError> {
    let named = named_params! { ":origin": origin.as_str(), ":event": decision.as_bytes() };
    let at: Option<i64> = connection
        .prepare_cached("SELECT pos FROM recovered WHERE origin = :origin AND event_id = :event")?
        .query_row(named, |row| row.get(0))
        .optional()?;
    let Some(at) = at else { return Ok(()) };
    let Some((header, _)) = log::entry_at(connection, at)? else {
        return Ok(());
    };
    let header = EntryHeader::decode(&header)?;
    if header.event_id != decision || !said.loses(decision, &header.payload_commit) {
        return Ok(());
    }
    connection
        .prepare_cached("DELETE FROM recovered WHERE origin = :origin AND pos = :pos")?
        .execute(named_params! { ":origin": origin.as_str(), ":pos": at })?;
    let path = path_now(connection, origin)?;
    off_path(connection, origin, &path, |header, at| {
        let settled_by = settled_by(header);
        if settled_by == decision && settled_by != header.event_id {
            note_orphan(connection, origin, header, at)?;
        }
        Ok(())
    })
}

/// Notes that an event stands in the canonical log again.
pub(crate) fn note_recovered(
    connection: &Connection,
    origin: NodeId,
    event_id: Id,
    at: i64,
) -> Result<(), StoreError> {
    settled(connection, origin, event_id, at)?;
    let origin = origin.as_str();
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO recovered(origin, event_id, pos) VALUES (:origin, :event, :pos)",
        )?
        .execute(named_params! { ":origin": origin, ":event": event_id.as_bytes(), ":pos": at })?;
    Ok(())
}

/// Notes that the path leaves an entry out, unless what settles it stands there itself: that another decision settles
/// the one that once settled it is seen by those alone who hold both.
fn note_orphan(
    connection: &Connection,
    origin: NodeId,
    header: &EntryHeader,
    at: i64,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT OR IGNORE INTO orphan(origin, settled_by, event_id, pos)
             SELECT :origin, :settled, :event, :pos
             WHERE NOT EXISTS (
                 SELECT 1 FROM recovered JOIN entry ON entry.pos = recovered.pos
                 WHERE recovered.origin = :origin AND recovered.event_id = :settled
                   AND substr(entry.header, 33, 16) = :settled)
               AND NOT EXISTS (SELECT 1 FROM statement WHERE origin = :origin AND event = :event AND kind = :disowned)",
        )?
        .execute(named_params! {
            ":disowned": DISOWNED.type_id,
            ":origin": origin.as_str(),
            ":settled": settled_by(header).as_bytes(),
            ":event": header.event_id.as_bytes(),
            ":pos": at,
        })?;
    if header.flags & entry::SCARCE != 0 && view::log::is_lost(connection, origin, header)? {
        forget_lost(
            connection,
            origin,
            header.event_id,
            Some(settled_by(header)),
        )?;
    }
    Ok(())
}

/// Forgets orphans of a promise whose payload its origin declared lost, those that an event settles or all: nobody can
/// decide it again. The origin itself keeps one that it can read.
pub(crate) fn forget_lost(
    connection: &Connection,
    origin: NodeId,
    event: Id,
    settled_by: Option<Id>,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "DELETE FROM orphan
             WHERE origin = :origin AND event_id = :event AND settled_by <> event_id
               AND settled_by = coalesce(:settled, settled_by)
               AND (origin <> (SELECT origin FROM node)
                    OR EXISTS (SELECT 1 FROM payload_missing WHERE payload_missing.pos = orphan.pos))",
        )?
        .execute(named_params! {
            ":origin": origin.as_str(),
            ":event": event.as_bytes(),
            ":settled": settled_by.as_ref().map(Id::as_bytes),
        })?;
    Ok(())
}

/// Returns how many entries of a log its origin left out and has not recorded again.
pub(crate) fn orphans(connection: &Connection, origin: NodeId) -> Result<u64, StoreError> {
    let count: i64 = connection
        .prepare_cached("SELECT COUNT(*) FROM orphan WHERE origin = :origin")?
        .query_row(named_params! { ":origin": origin.as_str() }, |row| {
            row.get(0)
        })?;
    Ok(count.cast_unsigned())
}

/// Returns the next facts to record again, oldest first.
pub(crate) fn orphan_facts(
    connection: &Connection,
    origin: NodeId,
    most: usize,
) -> Result<Vec<(EntryHeader, Payload)>, StoreError> {
    orphaned(connection, origin, false, most)
}

/// Returns the promises to decide again, oldest first.
pub(crate) fn orphan_promises(
    connection: &Connection,
    origin: NodeId,
) -> Result<Vec<(EntryHeader, Payload)>, StoreError> {
    orphaned(connection, origin, true, usize::MAX)
}

fn orphaned(
    connection: &Connection,
    origin: NodeId,
    scarce: bool,
    most: usize,
) -> Result<Vec<(EntryHeader, Payload)>, StoreError> {
    let mut orphans = connection.prepare_cached(
        "SELECT header, salt, body, presence
         FROM orphan JOIN entry USING (pos) LEFT JOIN payload USING (pos) LEFT JOIN payload_missing USING (pos)
         WHERE origin = :origin
         ORDER BY pos",
    )?;
    let mut rows = orphans.query(named_params! { ":origin": origin.as_str() })?;
    let mut found = Vec::new();
    while found.len() < most
        && let Some(row) = rows.next()?
    {
        let record = log::record(row, ALL_CLASSES)?;
        let header = EntryHeader::decode(&record.header)?;
        if (header.flags & entry::SCARCE != 0) == scarce {
            found.push((header, record.payload));
        }
    }
    Ok(found)
}

/// Returns how many payloads are missing of a log's orphans and of what its states need.
pub(crate) fn missing(connection: &Connection, origin: NodeId) -> Result<u64, StoreError> {
    let orphans: i64 = connection
        .prepare_cached(
            "SELECT COUNT(*) FROM orphan JOIN payload_missing USING (pos)
             WHERE origin = :origin AND presence = 2",
        )?
        .query_row(named_params! { ":origin": origin.as_str() }, |row| {
            row.get(0)
        })?;
    Ok(orphans.cast_unsigned() + fold::missing(connection, origin)?)
}

/// Returns the answer to a command whose events came back from a peer or were left out and kept. The log holds no
/// digest of the command, so its id alone is compared.
pub(crate) fn answered(
    connection: &Connection,
    own: NodeId,
    command: Id,
) -> Result<Option<Accepted>, StoreError> {
    let mut answer: Option<Accepted> = None;
    for index in 0.. {
        let event_id = entry::event_id(command, index);
        let Some(at) = place_of(connection, own, event_id)? else {
            break;
        };
        let stored = connection
            .prepare_cached(
                "SELECT header, salt, body, presence, hash, epoch.open
                 FROM entry JOIN epoch ON epoch.id = entry.pos >> 40
                 LEFT JOIN payload USING (pos) LEFT JOIN payload_missing USING (pos)
                 WHERE pos = :pos",
            )?
            .query_row(named_params! { ":pos": at }, |row| {
                let (hash, open) = (row.get(4)?, row.get::<_, Vec<u8>>(5)?);
                Ok((log::record(row, ALL_CLASSES), hash, open))
            })?;
        let (record, hash, open) = (stored.0?, stored.1, stored.2);
        let header = EntryHeader::decode(&record.header)?;
        // What was given up is no answer: the command is decided anew.
        if view::log::is_lost(connection, own, &header)? {
            break;
        }
        let so_far = answer.take();
        let (mut event_ids, number) = so_far.map_or((Vec::new(), None), |answer| {
            (answer.event_ids, answer.number)
        });
        event_ids.push(event_id);
        answer = Some(Accepted {
            stream: header.stream_id,
            version: header.stream_version,
            event_ids,
            number: number.or_else(|| number_of(&header, &record.payload)),
            position: Position {
                epoch: EpochOpen::decode(&open)?.epoch,
                seq: header.seq,
                hash,
            },
        });
    }
    Ok(answer)
}

/// Returns where an event of the own log stands that was recorded again, came back from a peer or is left out.
pub(crate) fn place_of(
    connection: &Connection,
    own: NodeId,
    event_id: Id,
) -> Result<Option<i64>, StoreError> {
    Ok(connection
        .prepare_cached(
            "SELECT pos FROM recovered WHERE origin = :own AND event_id = :event
             UNION ALL
             SELECT pos FROM orphan WHERE origin = :own AND event_id = :event
             LIMIT 1",
        )?
        .query_row(
            named_params! { ":own": own.as_str(), ":event": event_id.as_bytes() },
            |row| row.get(0),
        )
        .optional()?)
}

fn number_of(header: &EntryHeader, payload: &Payload) -> Option<String> {
    let Payload::Present { body, .. } = payload else {
        return None;
    };
    let envelope = Envelope::decode(body.as_slice()).ok()?;
    match Event::decode(header.type_id, header.type_version, &envelope.event).ok()? {
        Event::Incident(IncidentEvent::Reported(reported)) => Some(reported.number),
        _ => None,
    }
}

/// Returns the newest entry of an epoch, at or before the given one, under which a head is kept; 0 is its opening.
fn signed_before(connection: &Connection, row: i64, seq: u64) -> Result<u64, StoreError> {
    let held = log::pos(row, seq.min(entries_of(connection, row)?));
    let at: Option<i64> = connection
        .prepare_cached("SELECT MAX(pos) FROM head WHERE pos > :first AND pos <= :held")?
        .query_row(
            named_params! { ":first": log::pos(row, 0), ":held": held },
            |row| row.get(0),
        )?;
    Ok(at.map_or(0, |at| (at - log::pos(row, 0)).cast_unsigned()))
}

impl Store {
    /// Returns the chain of a log at a position that is held, also one that is cut off: where a pull of a branch
    /// begins. None when the position is not held here. It reads the log up to there.
    pub fn chain_at(&self, origin: NodeId, at: Position) -> Result<Option<Chain>, StoreError> {
        let Some(log) = self.0.shared.log(origin) else {
            return Ok(None);
        };
        let identity = *log.chain.identity();
        self.read(|connection| chain_at(connection, identity, at))
    }

    /// Returns where the pull begins that brings what a peer holds of a log up to `claimed`: the last position on the
    /// way there that is held here under a head of its own, so that the head comes along which the branch's beginning
    /// is later served under. `opens` are the epochs that the peer knows; none when they do not lead here.
    pub fn branch_point(
        &self,
        origin: NodeId,
        claimed: Position,
        opens: &[EpochOpen],
    ) -> Result<Option<Position>, StoreError> {
        self.read(|connection| {
            let known = log::epochs(connection, origin)?;
            let (mut epoch, mut seq) = (claimed.epoch, claimed.seq);
            if self.is_beside(connection, origin, claimed)? {
                seq = 0;
            }
            // Each step goes to an epoch of a lower number.
            loop {
                let theirs = opens.iter().find(|open| open.epoch == epoch);
                // Of one that was opened twice the two have nothing in common.
                let ours = known.iter().find(|(_, open)| {
                    let same = |theirs: &EpochOpen| theirs.statement() == open.statement();
                    open.epoch == epoch && theirs.is_none_or(same)
                });
                if let Some((row, open)) = ours {
                    let seq = signed_before(connection, *row, seq)?;
                    let entry = log::entry_at(connection, log::pos(*row, seq))?;
                    let hash = entry.map_or_else(|| open.hash(), |(_, hash)| hash);
                    return Ok(Some(Position { epoch, seq, hash }));
                }
                let Some(open) = theirs else {
                    return Ok(None);
                };
                if open.parent.is_start() || open.parent.epoch.no >= epoch.no {
                    return Ok(open.parent.is_start().then_some(Position::START));
                }
                (epoch, seq) = (open.parent.epoch, open.parent.seq);
            }
        })
    }

    /// Says whether a peer that does not have the end of the log as it is held here claims the same epoch all the same,
    /// as another run wrote it: where they part is then found from the epoch's beginning.
    fn is_beside(
        &self,
        connection: &Connection,
        origin: NodeId,
        claimed: Position,
    ) -> Result<bool, StoreError> {
        let end = (self.0.shared.log(origin)).map_or(Position::START, |log| log.chain.end());
        if end.epoch != claimed.epoch {
            return Ok(false);
        }
        Ok(claimed.seq > end.seq || !log::holds(connection, origin, claimed)?)
    }

    /// Returns how many entries of a log's path follow a place on it; none when the place is not on it.
    pub fn entries_after(&self, origin: NodeId, at: Reach) -> Result<Option<u64>, StoreError> {
        let path = self.read(|connection| path_now(connection, origin))?;
        let mut after = 0;
        for segment in path.iter().rev() {
            if segment.open.epoch == at.epoch {
                return Ok(segment.upto.checked_sub(at.seq).map(|rest| after + rest));
            }
            after += segment.upto;
        }
        Ok((at == Reach::default()).then_some(after))
    }

    /// Returns a signed head of each branch with entries that the origin has not recorded again, at its end: what a
    /// peer must be shown of its own log beside the best head.
    pub fn branch_heads(&self, origin: NodeId) -> Result<Vec<SignedHead>, StoreError> {
        self.read(|connection| {
            let mut heads = connection.prepare_cached(
                "SELECT signed FROM head
                 WHERE pos IN (
                   SELECT (SELECT MAX(head.pos) FROM head WHERE head.pos >= orphan.pos AND head.pos >> 40 = orphan.pos >> 40)
                   FROM orphan
                   WHERE origin = :origin
                 )",
            )?;
            let rows = heads.query_map(named_params! { ":origin": origin.as_str() }, |row| {
                row.get::<_, Vec<u8>>(0)
            })?;
            rows.map(|signed| Ok(SignedHead::decode(&signed?)?)).collect()
        })
    }
}
