//! Folding: an entry into the state of its stream and into the views. Total, and the same on every node.
//!
//! An unknown event is counted and folded once the program knows it; one that its owner should not have written is
//! counted and changes nothing. Only the file can stop a fold.

use posko_domain::{
    account::{self, AccountState},
    context::Recorded,
    directive::{self, DirectiveState},
    event::{Area, DecodeError, Event},
    incident::{self, IncidentState},
    log::{self, Statement},
    site::{self, SiteState},
    warning::{
        self, WarningState,
        draft::{self, DraftState},
        feed::{self, FeedState},
    },
};
use posko_ledger::entry::{EXERCISE, EntryHeader, HEADER_BYTES, Payload, Record};
use posko_proto::{Id, NodeId, common::v1::Envelope, time::Millis};
use prost::Message;
use rusqlite::{Connection, OptionalExtension, named_params};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    StoreError,
    aggregate::{Aggregate, Areas, Fact},
    statement,
    view::{self, Tables},
};

/// The most events that one command leads to: an assessment with an answer in words to each question of its form.
pub(crate) const MAX_EVENTS: u64 = 128;

/// A stream's state as it is stored.
pub(crate) struct Stored {
    pub(crate) version: u32,
    area: u8,
    body: Vec<u8>,
}

impl Stored {
    /// Returns the area that the stream is of.
    pub(crate) fn area(&self) -> Option<Area> {
        area_of(self.area)
    }

    /// Returns the state's bytes.
    pub(crate) fn into_body(self) -> Vec<u8> {
        self.body
    }
}

/// Why an entry changed nothing; each is counted.
#[derive(Clone, Copy)]
pub(crate) enum Unfolded {
    /// Its type is not known to this version.
    Unknown,
    /// Its bytes or its place in the lifecycle are not what its owner should have written.
    Refused,
    /// Its payload is not here though it may be.
    Missing,
}

impl Unfolded {
    fn column(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Refused => "refused",
            Self::Missing => "missing",
        }
    }
}

/// The numbers of drafts and feeds in the file, away from those that other areas take one after another.
const DRAFT_AREA: u8 = 21;
const FEED_AREA: u8 = 22;

/// Returns an area's number in the file.
pub(crate) fn area_number(area: Area) -> u8 {
    match area {
        Area::Warning => 1,
        Area::Incident => 2,
        Area::Account => 3,
        Area::Directive => 4,
        Area::Log => 5,
        Area::Site => 6,
        Area::Draft => DRAFT_AREA,
        Area::Feed => FEED_AREA,
    }
}

const AREAS: [Area; 8] = [
    Area::Warning,
    Area::Incident,
    Area::Account,
    Area::Directive,
    Area::Log,
    Area::Site,
    Area::Draft,
    Area::Feed,
];

/// Returns the area of a number in the file.
pub(crate) fn area_of(number: u8) -> Option<Area> {
    AREAS.into_iter().find(|area| area_number(*area) == number)
}

/// Returns the numbers of the areas that only their owner folds.
pub(crate) fn local_areas() -> impl Iterator<Item = u8> {
    AREAS
        .into_iter()
        .filter(|area| area.is_local())
        .map(area_number)
}

/// Folds an entry that this node has just decided; a refusal would be a fault of ours.
pub(crate) fn own(
    connection: &Connection,
    areas: &Areas,
    origin: NodeId,
    header: &EntryHeader,
    record: &Record,
) -> Result<(), StoreError> {
    match try_fold(
        connection,
        Tables::LIVE,
        areas,
        origin,
        header,
        &record.payload,
    )? {
        None => Ok(()),
        Some(_) => Err(StoreError::Undone(
            "an event of this node could not be folded".into(),
        )),
    }
}

/// Folds an entry of a log, own or another's, into the given tables; says whether it changed its stream.
pub(crate) fn replica(
    connection: &Connection,
    tables: Tables,
    areas: &Areas,
    origin: NodeId,
    header: &EntryHeader,
    payload: &Payload,
) -> Result<bool, StoreError> {
    let Some(unfolded) = try_fold(connection, tables, areas, origin, header, payload)? else {
        let is_here = matches!(payload, Payload::Present { .. });
        return Ok(is_here || statement::is_without_effect(header));
    };
    let column = unfolded.column();
    connection
        .prepare_cached(&tables.sql(&format!(
            "INSERT INTO unfolded{{t}}(origin, kind, entries) VALUES (:origin, '{column}', 1)
             ON CONFLICT (origin, kind) DO UPDATE SET entries = entries + 1"
        )))?
        .execute(named_params! { ":origin": origin.as_str() })?;
    Ok(false)
}

/// Reads an entry's event, and who recorded it when.
pub(crate) fn read(
    origin: NodeId,
    header: &EntryHeader,
    body: &[u8],
) -> Result<(Event, Recorded), Unfolded> {
    let envelope = Envelope::decode(body).map_err(|_| Unfolded::Refused)?;
    let event =
        Event::decode(header.type_id, header.type_version, &envelope.event).map_err(|error| {
            match error {
                DecodeError::Unknown { .. } => Unfolded::Unknown,
                DecodeError::Malformed { .. } => Unfolded::Refused,
            }
        })?;
    let occurred_at = envelope
        .occurred_at
        .as_ref()
        .and_then(|at| Millis::try_from(at).ok());
    let at = Millis(header.wall_ms.cast_signed());
    let recorded = Recorded {
        origin,
        at,
        occurred_at: occurred_at.unwrap_or(at),
        actor: Id::try_from(envelope.actor_ref.as_slice()).unwrap_or_default(),
        exercise: header.flags & EXERCISE != 0,
        version: header.stream_version,
    };
    Ok((event, recorded))
}

/// An entry of a stream.
pub(crate) struct StreamEntry {
    pub(crate) header: EntryHeader,
    /// Its event, and who recorded it when, where its payload is here and can be read.
    pub(crate) read: Option<(Event, Recorded)>,
    /// Why its payload is not here.
    pub(crate) presence: Option<u8>,
}

/// Returns a stream's entries of one type after a version of it, oldest first.
pub(crate) fn entries(
    connection: &Connection,
    origin: NodeId,
    stream: Id,
    type_id: u32,
    after: u32,
    limit: usize,
) -> Result<Vec<StreamEntry>, StoreError> {
    let mut entries = connection.prepare_cached(
        "SELECT header, body, presence
         FROM stream_entry JOIN entry USING (pos) LEFT JOIN payload USING (pos) LEFT JOIN payload_missing USING (pos)
         WHERE origin = :origin AND stream = :stream AND version > :after AND substr(header, 5, 4) = :type
         ORDER BY version
         LIMIT :limit",
    )?;
    let mut rows = entries.query(named_params! {
        ":origin": origin.as_str(),
        ":stream": stream.as_bytes(),
        ":type": type_id.to_be_bytes().as_slice(),
        ":after": after,
        ":limit": limit as i64,
    })?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let header: [u8; HEADER_BYTES] = row.get(0)?;
        let header = EntryHeader::decode(&header)?;
        let body: Option<Vec<u8>> = row.get(1)?;
        found.push(StreamEntry {
            read: body.and_then(|body| read(origin, &header, &body).ok()),
            header,
            presence: row.get(2)?,
        });
    }
    Ok(found)
}

fn try_fold(
    connection: &Connection,
    tables: Tables,
    areas: &Areas,
    origin: NodeId,
    header: &EntryHeader,
    payload: &Payload,
) -> Result<Option<Unfolded>, StoreError> {
    let body = match payload {
        Payload::Present { body, .. } => body.as_slice(),
        // An empty one has the same effect.
        _ if statement::is_without_effect(header) => &[],
        // Another's local payload is none of ours, and nobody has what is lost.
        Payload::Withheld if header.class == posko_ledger::entry::Class::Local => return Ok(None),
        Payload::Withdrawn | Payload::Erased => return Ok(None),
        Payload::Withheld => return Ok(Some(Unfolded::Missing)),
    };
    if let Some(aggregate) = areas.of_type(header.type_id) {
        return fold_aggregate(connection, tables, aggregate, origin, header, body);
    }
    let (event, recorded) = match read(origin, header, body) {
        Ok(read) => read,
        Err(unfolded) => return Ok(Some(unfolded)),
    };
    let stream = header.stream_id;
    let stored = state(connection, tables, origin, stream)?;
    let area = event.area();
    // A version is given once: an owner that gives it again would have its log stop every follower.
    if stored.as_ref().is_some_and(|stored| {
        stored.area != area_number(area) || stored.version >= header.stream_version
    }) {
        return Ok(Some(Unfolded::Refused));
    }
    let names = event.blob();
    let body = match &event {
        Event::Incident(event) => {
            let Ok(state) = incident::apply(incident(stored.as_ref())?, event, &recorded) else {
                return Ok(Some(Unfolded::Refused));
            };
            view::incident::fold(connection, tables, stream, event, &state, &recorded)?;
            encode(&state)?
        }
        Event::Warning(event) => {
            let Ok(state) = warning::apply(warning(stored.as_ref())?, event, &recorded) else {
                return Ok(Some(Unfolded::Refused));
            };
            view::warning::fold(connection, tables, stream, &state, &recorded)?;
            encode(&state)?
        }
        Event::Directive(event) => {
            let Ok(state) = directive::apply(directive(stored.as_ref())?, event, &recorded) else {
                return Ok(Some(Unfolded::Refused));
            };
            view::directive::fold(connection, tables, stream, &state, &recorded)?;
            encode(&state)?
        }
        Event::Site(event) => {
            let Ok(state) = site::apply(site(stored.as_ref())?, event, &recorded) else {
                return Ok(Some(Unfolded::Refused));
            };
            view::site::fold(connection, tables, stream, &state, &recorded)?;
            encode(&state)?
        }
        Event::Log(event) => {
            let Ok(state) = log::apply(statement(stored.as_ref())?.as_ref(), event, &recorded)
            else {
                return Ok(Some(Unfolded::Refused));
            };
            view::log::fold(connection, tables, stream, &state, &recorded)?;
            statement::obey(connection, tables, origin, &state)?;
            encode(&state)?
        }
        Event::Draft(event) => {
            let Ok(state) = draft::apply(draft(stored.as_ref())?, event, &recorded) else {
                return Ok(Some(Unfolded::Refused));
            };
            encode(&state)?
        }
        Event::Feed(event) => {
            let Ok(state) = feed::apply(feed(stored.as_ref())?.as_ref(), event, &recorded) else {
                return Ok(Some(Unfolded::Refused));
            };
            encode(&state)?
        }
        Event::Account(event) => {
            let Ok(state) = account::apply(account(stored.as_ref())?, event, &recorded) else {
                return Ok(Some(Unfolded::Refused));
            };
            encode(&state)?
        }
    };
    if let Some(blob) = names {
        view::attachment::fold(connection, tables, origin, header, &blob)?;
    }
    store_state(connection, tables, origin, header, area_number(area), &body)?;
    Ok(None)
}

/// Folds an event of an area beside the fixed ones.
fn fold_aggregate(
    connection: &Connection,
    tables: Tables,
    aggregate: &dyn Aggregate,
    origin: NodeId,
    header: &EntryHeader,
    body: &[u8],
) -> Result<Option<Unfolded>, StoreError> {
    let Some(body) = event_of(body) else {
        return Ok(Some(Unfolded::Refused));
    };
    let stored = state(connection, tables, origin, header.stream_id)?;
    if stored.as_ref().is_some_and(|stored| {
        stored.area != aggregate.area() || stored.version >= header.stream_version
    }) {
        return Ok(Some(Unfolded::Refused));
    }
    let fact = Fact {
        origin,
        header,
        body: &body,
    };
    let before = stored.as_ref().map(|stored| stored.body.as_slice());
    let Some(after) = aggregate.fold(&fact, before) else {
        return Ok(Some(Unfolded::Refused));
    };
    store_state(connection, tables, origin, header, aggregate.area(), &after)?;
    Ok(None)
}

/// Returns the event's bytes in an entry's payload; none when that is no envelope.
pub(crate) fn event_of(payload: &[u8]) -> Option<Vec<u8>> {
    Some(Envelope::decode(payload).ok()?.event)
}

/// Returns how many payloads are missing that the states of a log need.
pub(crate) fn missing(connection: &Connection, origin: NodeId) -> Result<u64, StoreError> {
    let missing: Option<i64> = connection
        .prepare_cached("SELECT entries FROM unfolded WHERE origin = :origin AND kind = 'missing'")?
        .query_row(named_params! { ":origin": origin.as_str() }, |row| {
            row.get(0)
        })
        .optional()?;
    Ok(missing.unwrap_or_default().cast_unsigned())
}

fn store_state(
    connection: &Connection,
    tables: Tables,
    origin: NodeId,
    header: &EntryHeader,
    area: u8,
    body: &[u8],
) -> Result<(), StoreError> {
    connection
        .prepare_cached(&tables.sql(
            "INSERT INTO state{t}(origin, stream, version, area, body)
             VALUES (:origin, :stream, :version, :area, :body)
             ON CONFLICT (origin, stream) DO UPDATE SET version = :version, body = :body",
        ))?
        .execute(named_params! {
            ":origin": origin.as_str(),
            ":stream": header.stream_id.as_bytes(),
            ":version": header.stream_version,
            ":area": area,
            ":body": body,
        })?;
    Ok(())
}

/// Returns a stream's state.
pub(crate) fn state(
    connection: &Connection,
    tables: Tables,
    origin: NodeId,
    stream: Id,
) -> Result<Option<Stored>, StoreError> {
    Ok(connection
        .prepare_cached(&tables.sql(
            "SELECT version, area, body FROM state{t} WHERE origin = :origin AND stream = :stream",
        ))?
        .query_row(
            named_params! { ":origin": origin.as_str(), ":stream": stream.as_bytes() },
            |row| {
                Ok(Stored {
                    version: row.get(0)?,
                    area: row.get(1)?,
                    body: row.get(2)?,
                })
            },
        )
        .optional()?)
}

/// Reads an incident's state.
pub(crate) fn incident(stored: Option<&Stored>) -> Result<Option<IncidentState>, StoreError> {
    decode(stored, Area::Incident)
}

/// Reads a warning's state.
pub(crate) fn warning(stored: Option<&Stored>) -> Result<Option<WarningState>, StoreError> {
    decode(stored, Area::Warning)
}

/// Reads a draft's state.
pub(crate) fn draft(stored: Option<&Stored>) -> Result<Option<DraftState>, StoreError> {
    decode(stored, Area::Draft)
}

/// Reads a feed's state.
pub(crate) fn feed(stored: Option<&Stored>) -> Result<Option<FeedState>, StoreError> {
    decode(stored, Area::Feed)
}

/// Reads a site's state.
pub(crate) fn site(stored: Option<&Stored>) -> Result<Option<SiteState>, StoreError> {
    decode(stored, Area::Site)
}

/// Reads a directive's state.
pub(crate) fn directive(stored: Option<&Stored>) -> Result<Option<DirectiveState>, StoreError> {
    decode(stored, Area::Directive)
}

/// Reads a statement about a log.
pub(crate) fn statement(stored: Option<&Stored>) -> Result<Option<Statement>, StoreError> {
    decode(stored, Area::Log)
}

/// Reads an account's state.
pub(crate) fn account(stored: Option<&Stored>) -> Result<Option<AccountState>, StoreError> {
    decode(stored, Area::Account)
}

/// Reads a state's bytes.
pub(crate) fn decode_body<T: DeserializeOwned>(body: &[u8]) -> Result<T, StoreError> {
    postcard::from_bytes(body).map_err(|_| StoreError::Corrupt {
        what: "a stream's state",
    })
}

fn decode<T: DeserializeOwned>(
    stored: Option<&Stored>,
    area: Area,
) -> Result<Option<T>, StoreError> {
    match stored {
        Some(stored) if stored.area == area_number(area) => decode_body(&stored.body).map(Some),
        _ => Ok(None),
    }
}

fn encode<T: Serialize>(state: &T) -> Result<Vec<u8>, StoreError> {
    postcard::to_stdvec(state).map_err(|_| StoreError::Corrupt {
        what: "a stream's state",
    })
}
