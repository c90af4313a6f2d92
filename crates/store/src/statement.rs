//! What owners say about their own logs, obeyed: payloads deleted or given up, left-out entries let go.
//!
//! It is done in the transaction that folds the statement, here as at every other node. What it never does: touch an
//! entry's header, or obey anybody but the log's own origin.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    sync::{MutexGuard, PoisonError},
};

use posko_domain::{
    event::{DISOWNED, Event, LogEvent, PAYLOAD_LOST, PAYLOAD_WITHDRAWN},
    log::{Held, HeldPayload, LogCommand, Statement},
};
use posko_ledger::{
    entry::{Class, EntryHeader, HEADER_BYTES, Payload, Record, WITHDRAWABLE},
    epoch::Epoch,
};
use posko_proto::{Id, NodeId, common::v1::Envelope};
use prost::Message;
use rusqlite::{Connection, OptionalExtension, named_params};

use crate::{
    Shared, StoreError, blob, branch, command,
    log::{self, pos},
    missing, recover,
    view::{self, Tables},
};

/// Presence bytes, as the file notes what is not here.
const WITHHELD: u8 = 2;
pub(crate) const WITHDRAWN: u8 = 3;
pub(crate) const ERASED: u8 = 4;

/// Does what a statement says, in the log of the one who says it.
pub(crate) fn obey(
    connection: &Connection,
    tables: Tables,
    origin: NodeId,
    statement: &Statement,
) -> Result<(), StoreError> {
    match &statement.said {
        LogEvent::Disowned(_) => {
            for event in &statement.events {
                connection
                    .prepare_cached(
                        "DELETE FROM orphan WHERE origin = :origin AND event_id = :event",
                    )?
                    .execute(
                        named_params! { ":origin": origin.as_str(), ":event": event.as_bytes() },
                    )?;
            }
        }
        LogEvent::PayloadLost(_) => give_up(connection, tables, origin, statement)?,
        LogEvent::PayloadWithdrawn(said) => {
            let named = match said.epoch_nonce.as_slice().try_into() {
                Ok(nonce) => {
                    let no = said.epoch_no;
                    missing::epoch_row(connection, origin, Epoch { no, nonce })?
                }
                Err(_) => None,
            };
            let named = named.map(|row| pos(row, said.seq));
            for event in &statement.events {
                for at in places(connection, origin, *event, named)? {
                    erase(connection, tables, origin, at)?;
                }
            }
        }
    }
    Ok(())
}

/// Returns a record as this node keeps it: what its origin withdrew is kept by nobody, whoever still gives it, and what
/// another says is withdrawn or erased is only missing, until its origin says so.
pub(crate) fn admit<'r>(
    connection: &Connection,
    origin: NodeId,
    header: &EntryHeader,
    record: &'r Record,
) -> Result<Cow<'r, Record>, StoreError> {
    let may_be_withdrawn = header.flags & WITHDRAWABLE != 0;
    let is_present = matches!(record.payload, Payload::Present { .. });
    if is_present && !may_be_withdrawn {
        return Ok(Cow::Borrowed(record));
    }
    let is_withdrawn = || {
        let said = view::log::said(connection, origin, header.event_id, PAYLOAD_WITHDRAWN);
        said.map(|said| said.is_some())
    };
    let payload = if may_be_withdrawn && is_withdrawn()? {
        Payload::Withdrawn
    } else if is_present {
        return Ok(Cow::Borrowed(record));
    } else if view::log::is_lost(connection, origin, header)? {
        Payload::Erased
    } else {
        Payload::Withheld
    };
    let header = record.header;
    Ok(Cow::Owned(Record { header, payload }))
}

/// Says whether an entry is a statement by which what a log leaves out becomes less or more.
pub(crate) fn moves_orphans(header: &EntryHeader) -> bool {
    [DISOWNED.type_id, PAYLOAD_LOST.type_id].contains(&header.type_id)
}

/// Says whether an entry withdraws a payload.
pub(crate) fn withdraws(record: &Record) -> bool {
    record.header.get(4..8) == Some(&PAYLOAD_WITHDRAWN.type_id.to_be_bytes())
}

/// Deletes a payload and its salt, if its kind may be withdrawn, what else would tell of its text, and the file that it
/// names, unless another event names that too.
fn erase(
    connection: &Connection,
    tables: Tables,
    origin: NodeId,
    at: i64,
) -> Result<(), StoreError> {
    let Some((header, _)) = log::entry_at(connection, at)? else {
        return Ok(());
    };
    let header = EntryHeader::decode(&header)?;
    if header.flags & WITHDRAWABLE == 0 {
        return Ok(());
    }
    let body: Option<Vec<u8>> = connection
        .prepare_cached("SELECT body FROM payload WHERE pos = :pos")?
        .query_row(named_params! { ":pos": at }, |row| row.get(0))
        .optional()?;
    let envelope = body.and_then(|body| Envelope::decode(body.as_slice()).ok());
    if let Some(envelope) = &envelope
        && let Ok(command) = Id::try_from(envelope.command_id.as_slice())
    {
        command::forget_digest(connection, command)?;
    }
    let event = envelope.and_then(|envelope| {
        Event::decode(header.type_id, header.type_version, &envelope.event).ok()
    });
    let file = event.and_then(|event| event.blob());
    blob::let_go(connection, tables, origin, header.event_id, file.as_ref())?;
    connection
        .prepare_cached("DELETE FROM payload WHERE pos = :pos")?
        .execute(named_params! { ":pos": at })?;
    note_absence(connection, at, WITHDRAWN)
}

/// Waits no more for payloads that no node has.
fn give_up(
    connection: &Connection,
    tables: Tables,
    origin: NodeId,
    said: &Statement,
) -> Result<(), StoreError> {
    let events: BTreeSet<Id> = said.events.iter().copied().collect();
    let missing = missing_of(connection, origin, &events)?;
    let lost = (missing.into_iter())
        .filter(|(_, header)| said.loses(header.event_id, &header.payload_commit));
    let path = branch::path_now(connection, origin)?;
    for (at, header) in lost {
        note_absence(connection, at, ERASED)?;
        let folded_without = path.iter().any(|segment| segment.contains(at))
            && header.class != Class::Local
            && !is_without_effect(&header);
        if folded_without {
            let named = named_params! { ":origin": origin.as_str() };
            connection
                .prepare_cached(&tables.sql(
                    "UPDATE unfolded{t} SET entries = entries - 1 WHERE origin = :origin AND kind = 'missing'",
                ))?
                .execute(named)?;
            connection
                .prepare_cached(&tables.sql(
                    "DELETE FROM unfolded{t} WHERE origin = :origin AND kind = 'missing' AND entries <= 0",
                ))?
                .execute(named)?;
        }
    }
    for (event, commit) in said.lost() {
        let settled_by = commit.map(|commit| recover::decided_by(event, &commit));
        branch::forget_lost(connection, origin, event, settled_by)?;
        branch::unsettle(connection, origin, event, said)?;
    }
    Ok(())
}

fn note_absence(connection: &Connection, at: i64, presence: u8) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO payload_missing(pos, presence) VALUES (:pos, :presence)",
        )?
        .execute(named_params! { ":pos": at, ":presence": presence })?;
    Ok(())
}

/// Says whether an event has the same effect without its payload: what may be withdrawn has none but that it happened.
pub(crate) fn is_without_effect(header: &EntryHeader) -> bool {
    header.flags & WITHDRAWABLE != 0
        && Event::decode(header.type_id, header.type_version, &[])
            .is_ok_and(|event| event.withdrawable())
}

/// Returns the entries of a log whose payload is missing, of these events.
fn missing_of(
    connection: &Connection,
    origin: NodeId,
    events: &BTreeSet<Id>,
) -> Result<Vec<(i64, EntryHeader)>, StoreError> {
    let mut entries = connection.prepare_cached(
        "SELECT pos, header
         FROM payload_missing JOIN entry USING (pos) JOIN epoch ON epoch.id = entry.pos >> 40
         WHERE presence = :withheld AND epoch.origin = :origin
         ORDER BY pos",
    )?;
    let mut rows =
        entries.query(named_params! { ":withheld": WITHHELD, ":origin": origin.as_str() })?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let header = EntryHeader::decode(&row.get::<_, [u8; HEADER_BYTES]>(1)?)?;
        if events.contains(&header.event_id) {
            found.push((row.get(0)?, header));
        }
    }
    Ok(found)
}

/// Returns every place at which an event is held: where it was said to stand, where it was recorded again, and in every
/// branch that is left out.
fn places(
    connection: &Connection,
    origin: NodeId,
    event: Id,
    named: Option<i64>,
) -> Result<BTreeSet<i64>, StoreError> {
    let mut candidates: BTreeSet<i64> = named.into_iter().collect();
    candidates.extend(branch::place_of(connection, origin, event)?);
    let path = branch::path_now(connection, origin)?;
    branch::off_path(connection, origin, &path, |header, at| {
        if header.event_id == event {
            candidates.insert(at);
        }
        Ok(())
    })?;
    let mut places = BTreeSet::new();
    for at in candidates {
        let entry = log::entry_at(connection, at)?;
        let header = entry.map(|(header, _)| EntryHeader::decode(&header));
        if header
            .transpose()?
            .is_some_and(|header| header.event_id == event)
        {
            places.insert(at);
        }
    }
    Ok(places)
}

/// What peers were found in this run not to give of the own log's payloads.
#[derive(Clone, Default)]
pub(crate) struct Refused {
    /// Which peers were asked for a payload and did not give it, by its place.
    asked: BTreeMap<i64, BTreeSet<NodeId>>,
    /// The classes of payloads that a peer may have.
    classes: BTreeMap<NodeId, u32>,
}

impl Refused {
    /// Notes that a peer was asked for the payload of a place and did not give it.
    pub(crate) fn note(&mut self, at: i64, peer: NodeId) {
        self.asked.entry(at).or_default().insert(peer);
    }

    /// Notes which classes of payloads a peer may have.
    pub(crate) fn may_have(&mut self, peer: NodeId, classes: u32) {
        self.classes.insert(peer, classes);
    }

    /// Says whether a peer cannot have the payload of an entry, or was asked for it.
    fn has(&self, peer: NodeId, at: i64, header: &EntryHeader) -> bool {
        let may_have = self.classes.get(&peer).copied().unwrap_or(u32::MAX);
        let asked = self.asked.get(&at);
        may_have & header.class.bit() == 0 || asked.is_some_and(|asked| asked.contains(&peer))
    }
}

impl Shared {
    /// Returns what peers were found not to give.
    pub(crate) fn refused(&self) -> MutexGuard<'_, Refused> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns what the own log holds of the events that a command is about.
    pub(crate) fn held(
        &self,
        connection: &Connection,
        command: &LogCommand,
    ) -> Result<Vec<Held>, StoreError> {
        let Some(own) = self.own.get() else {
            return Ok(Vec::new());
        };
        held(connection, *own, command, &self.accepted(), &self.refused())
    }
}

fn held(
    connection: &Connection,
    own: NodeId,
    command: &LogCommand,
    accepted: &BTreeSet<NodeId>,
    refused: &Refused,
) -> Result<Vec<Held>, StoreError> {
    let places: Vec<i64> = match command {
        LogCommand::Disown { events, .. } => {
            let mut places = Vec::new();
            for event in events {
                let at = branch::place_of(connection, own, *event)?;
                places.extend(at);
            }
            places
        }
        LogCommand::DeclareLost { events, .. } => {
            let missing = missing_of(connection, own, events)?;
            missing.into_iter().map(|(at, _)| at).collect()
        }
        LogCommand::Withdraw { stream, event, .. } => place_in(connection, own, *stream, *event)?
            .into_iter()
            .collect(),
    };
    let mut held = Vec::with_capacity(places.len());
    for at in places {
        held.extend(held_at(connection, own, at, accepted, refused)?);
    }
    Ok(held)
}

/// Returns the place of an event of a thing.
fn place_in(
    connection: &Connection,
    own: NodeId,
    stream: Id,
    event: Id,
) -> Result<Option<i64>, StoreError> {
    let mut entries = connection.prepare_cached(
        "SELECT pos, header
         FROM stream_entry JOIN entry USING (pos)
         WHERE origin = :origin AND stream = :stream
         ORDER BY version",
    )?;
    let mut rows =
        entries.query(named_params! { ":origin": own.as_str(), ":stream": stream.as_bytes() })?;
    while let Some(row) = rows.next()? {
        let header = EntryHeader::decode(&row.get::<_, [u8; HEADER_BYTES]>(1)?)?;
        if header.event_id == event {
            return Ok(Some(row.get(0)?));
        }
    }
    Ok(None)
}

fn held_at(
    connection: &Connection,
    own: NodeId,
    at: i64,
    accepted: &BTreeSet<NodeId>,
    refused: &Refused,
) -> Result<Option<Held>, StoreError> {
    let mut entries = connection.prepare_cached(
        "SELECT header, no, nonce, presence,
                EXISTS (SELECT 1 FROM orphan WHERE orphan.origin = :own AND orphan.pos = entry.pos)
         FROM entry JOIN epoch ON epoch.id = entry.pos >> 40 LEFT JOIN payload_missing USING (pos)
         WHERE entry.pos = :pos",
    )?;
    let mut rows = entries.query(named_params! { ":pos": at, ":own": own.as_str() })?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let header = EntryHeader::decode(&row.get::<_, [u8; HEADER_BYTES]>(0)?)?;
    let payload = match row.get::<_, Option<u8>>(3)? {
        None => HeldPayload::Here,
        Some(WITHHELD) => HeldPayload::Missing {
            not_asked: not_asked(at, &header, accepted, refused),
        },
        Some(_) => HeldPayload::Gone,
    };
    Ok(Some(Held {
        event: header.event_id,
        epoch_no: row.get::<_, i64>(1)?.cast_unsigned(),
        epoch_nonce: row.get(2)?,
        seq: header.seq,
        left_out: row.get(4)?,
        withdrawable: header.flags & WITHDRAWABLE != 0,
        payload,
        payload_commit: header.payload_commit,
    }))
}

/// Returns which accepted peers may have a payload and were not asked for it; nobody else ever had a local one.
pub(crate) fn not_asked(
    at: i64,
    header: &EntryHeader,
    accepted: &BTreeSet<NodeId>,
    refused: &Refused,
) -> Vec<NodeId> {
    if header.class == Class::Local {
        return Vec::new();
    }
    (accepted.iter().copied())
        .filter(|peer| !refused.has(*peer, at, header))
        .collect()
}
