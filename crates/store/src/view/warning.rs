//! Warnings: the columns by which they are listed. What is shown of one is its state.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use posko_domain::{
    context::Recorded,
    event::{self, Event},
    warning::{WarningEvent, WarningState, ends_at, subscription::Subscription},
};
use posko_ledger::epoch::Epoch;
use posko_proto::{Id, NodeId, common::v1::Position, time::Millis, warning::v1::Review};
use rusqlite::{Connection, named_params};

use super::{Tables, View, by_id, page_of};
use crate::{Store, StoreError, fold, log::pos, missing, query::PageOf, statement::WITHDRAWN};

pub(super) const WARNING: View = View {
    name: "warning",
    version: 2,
    create: "CREATE TABLE warning{t}(
        origin TEXT NOT NULL,
        id BLOB NOT NULL CHECK (length(id) = 16),
        sent_ms INTEGER NOT NULL,
        until_ms INTEGER NOT NULL,
        unverified INTEGER NOT NULL CHECK (unverified IN (0, 1)),
        PRIMARY KEY (origin, id)
    ) WITHOUT ROWID, STRICT",
    key: "id",
};

/// Which earlier messages a warning refers to, by the streams that they would have: the message that is referred to may
/// come later than the one that refers to it.
pub(super) const WARNING_REFERENCE: View = View {
    name: "warning_reference",
    version: 1,
    create: "CREATE TABLE warning_reference{t}(
        origin TEXT NOT NULL,
        earlier BLOB NOT NULL CHECK (length(earlier) = 16),
        id BLOB NOT NULL CHECK (length(id) = 16),
        PRIMARY KEY (origin, earlier, id)
    ) WITHOUT ROWID, STRICT",
    key: "earlier, id",
};

pub(super) const INDEXES: &str = "
    DROP INDEX IF EXISTS warning_id; CREATE INDEX warning_id ON warning(id);
    DROP INDEX IF EXISTS warning_newest; CREATE INDEX warning_newest ON warning(sent_ms, id);
    DROP INDEX IF EXISTS warning_unverified; CREATE INDEX warning_unverified ON warning(sent_ms, id) WHERE unverified = 1;
    DROP INDEX IF EXISTS warning_until; CREATE INDEX warning_until ON warning(until_ms);
";

/// The most notes that are given with a report.
const MAX_NOTES: usize = 100;

/// A text that belongs to a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Its event.
    pub event: Id,
    /// When it was written; when it was recorded, of one that is withdrawn.
    pub at: Millis,
    /// The text; none when it is withdrawn.
    pub text: Option<String>,
}

fn fits(found: &Found, wanted: Option<&Subscription>) -> bool {
    wanted.is_none_or(|wanted| wanted.fits(&found.state, found.origin.as_str()).is_some())
}

/// Returns how many rows a page reads at most: one past its limit, or any number where some of them do not fit.
fn rows_for(limit: usize, wanted: Option<&Subscription>) -> i64 {
    match wanted {
        Some(_) => -1,
        None => limit as i64 + 1,
    }
}

/// A warning and what it says.
pub type Found = super::Found<WarningState>;

pub(crate) fn fold(
    connection: &Connection,
    tables: Tables,
    stream: Id,
    state: &WarningState,
    recorded: &Recorded,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(&tables.sql(
            "INSERT INTO warning{t}(origin, id, sent_ms, until_ms, unverified)
             VALUES (:origin, :id, :sent, :until, :unverified)
             ON CONFLICT (origin, id) DO UPDATE SET sent_ms = :sent, until_ms = :until, unverified = :unverified",
        ))?
        .execute(named_params! {
            ":origin": recorded.origin.as_str(),
            ":id": stream.as_bytes(),
            ":sent": sent_at(state).0,
            ":unverified": state.review == Review::Unverified,
            // A warning that was taken back or replaced is over whenever it is asked for.
            ":until": if state.cancelled || state.replaced.is_some() { i64::MIN } else { ends_at(state).0 },
        })?;
    for reference in &state.content.references {
        let Ok(earlier) = Id::try_from(reference.warning_id.as_slice()) else {
            continue;
        };
        connection
            .prepare_cached(&tables.sql(
                "INSERT OR IGNORE INTO warning_reference{t}(origin, earlier, id) VALUES (:origin, :earlier, :id)",
            ))?
            .execute(named_params! {
                ":origin": recorded.origin.as_str(),
                ":earlier": earlier.as_bytes(),
                ":id": stream.as_bytes(),
            })?;
    }
    Ok(())
}

fn sent_at(state: &WarningState) -> Millis {
    state
        .content
        .sent_at
        .as_ref()
        .and_then(|at| Millis::try_from(at).ok())
        .unwrap_or(state.taken_at)
}

/// A warning that an inbox may show.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The warning.
    pub found: Found,
    /// The first of its versions after the positions; none when it did not change.
    pub first: Option<u32>,
}

/// Returns where the entry stands up to which a log was seen; none from its beginning on, also when that place is no
/// part of the log any more: told twice is better than never.
fn seen_pos(
    connection: &Connection,
    origin: NodeId,
    seen: &[Position],
) -> Result<Option<i64>, StoreError> {
    let Some(at) = seen.iter().find(|at| at.origin == origin.as_str()) else {
        return Ok(None);
    };
    let Ok(nonce) = <[u8; 16]>::try_from(at.epoch_nonce.as_slice()) else {
        return Ok(None);
    };
    let epoch = Epoch {
        no: at.epoch_no,
        nonce,
    };
    let row = missing::epoch_row(connection, origin, epoch)?;
    Ok(row.map(|row| pos(row, at.seq)))
}

/// Adds the warnings of a log that changed after a place, each with the first of its versions there.
fn changed(
    connection: &Connection,
    origin: NodeId,
    from: Option<i64>,
    first: &mut BTreeMap<(NodeId, Id), u32>,
) -> Result<(), StoreError> {
    // An entry's header holds its type at byte 5, its version's stream at byte 49 and that version at byte 65.
    let mut entries = connection.prepare_cached(
        "SELECT stream_entry.stream, MIN(stream_entry.version)
         FROM epoch
         JOIN entry ON entry.pos > max(:from, epoch.id << 40) AND entry.pos < ((epoch.id + 1) << 40)
         JOIN stream_entry ON stream_entry.origin = :origin
           AND stream_entry.stream = substr(entry.header, 49, 16) AND stream_entry.pos = entry.pos
         WHERE epoch.origin = :origin AND ((epoch.id + 1) << 40) > :from
           AND substr(entry.header, 5, 4) BETWEEN x'00000101' AND x'000001ff'
         GROUP BY stream_entry.stream",
    )?;
    let mut rows = entries.query(named_params! {
        ":origin": origin.as_str(),
        ":from": from.unwrap_or(0),
    })?;
    while let Some(row) = rows.next()? {
        let id = crate::id(&row.get::<_, Vec<u8>>(0)?)?;
        first.insert((origin, id), row.get(1)?);
    }
    Ok(())
}

const COLUMNS: &str = "warning.origin, warning.id, state.body, warning.sent_ms
     FROM warning JOIN state ON state.origin = warning.origin AND state.stream = warning.id";

impl Store {
    /// Returns a warning, of the given node or of the first that took it in.
    pub fn warning(&self, origin: Option<NodeId>, id: Id) -> Result<Option<Found>, StoreError> {
        let origins = match origin {
            Some(origin) => vec![origin],
            None => self.logs().into_iter().map(|log| log.origin).collect(),
        };
        self.read_things(|_, reading| by_id(reading, "warning", COLUMNS, &origins, id))
    }

    /// Returns a node's warnings that refer to an earlier message, by the stream that it has or would have.
    pub fn warnings_referring(
        &self,
        origin: NodeId,
        earlier: Id,
    ) -> Result<Vec<Found>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS}
             JOIN warning_reference ON warning_reference.origin = warning.origin AND warning_reference.id = warning.id
             WHERE warning_reference.origin = :origin AND warning_reference.earlier = :earlier
             ORDER BY warning.sent_ms, warning.id"
        );
        self.read_things(|connection, reading| {
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(
                named_params! { ":origin": origin.as_str(), ":earlier": earlier.as_bytes() },
            )?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(reading.found(row)?);
            }
            Ok(found)
        })
    }

    /// Returns which of these warnings each node holds: for every id the nodes that took it in, in order of their names.
    pub fn warning_takers(&self, ids: &[Id]) -> Result<BTreeMap<Id, Vec<NodeId>>, StoreError> {
        self.read(|connection| {
            let mut statement = connection
                .prepare_cached("SELECT origin FROM warning WHERE id = :id ORDER BY origin")?;
            let mut takers = BTreeMap::new();
            for id in ids {
                let mut rows = statement.query(named_params! { ":id": id.as_bytes() })?;
                let mut origins = Vec::new();
                while let Some(row) = rows.next()? {
                    origins.push(crate::node(&row.get::<_, String>(0)?)?);
                }
                takers.insert(*id, origins);
            }
            Ok(takers)
        })
    }

    /// Returns this node's warnings that end by their own time after a moment, and of those that end then after that id,
    /// until another moment, each with its end, soonest first.
    pub fn warnings_ending(
        &self,
        after: (Millis, Id),
        until: Millis,
        limit: usize,
    ) -> Result<Vec<(Millis, Found)>, StoreError> {
        let own = self.identity().origin;
        let sql = format!(
            "SELECT {COLUMNS}
             WHERE warning.origin = :own AND (warning.until_ms, warning.id) > (:after, :id)
               AND warning.until_ms <= :until
             ORDER BY warning.until_ms, warning.id
             LIMIT :limit"
        );
        self.read_things(|connection, reading| {
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(named_params! {
                ":own": own.as_str(),
                ":after": after.0.0,
                ":id": after.1.as_bytes(),
                ":until": until.0,
                ":limit": limit as i64,
            })?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let warning: Found = reading.found(row)?;
                found.push((ends_at(&warning.state), warning));
            }
            Ok(found)
        })
    }

    /// Returns reports of the whole region that wait for a duty officer, newest first, also those over by their time;
    /// where something is wanted, those that fit it.
    pub fn unverified_reports(
        &self,
        origin: Option<NodeId>,
        wanted: Option<&Subscription>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<PageOf<Found>, StoreError> {
        let (before_ms, before_id) = crate::query::cursor(after)?;
        let sql = format!(
            "SELECT {COLUMNS}
             WHERE warning.unverified = 1
               AND (warning.sent_ms, warning.id) < (:before_ms, :before_id)
               AND (:origin IS NULL OR warning.origin = :origin)
             ORDER BY warning.sent_ms DESC, warning.id DESC
             LIMIT :limit"
        );
        self.read_things(|connection, reading| {
            let mut statement = connection.prepare_cached(&sql)?;
            let rows = statement.query(named_params! {
                ":before_ms": before_ms,
                ":before_id": before_id,
                ":origin": origin.map(|origin| origin.to_string()),
                ":limit": rows_for(limit, wanted),
            })?;
            page_of(reading, rows, limit, |found| fits(found, wanted))
        })
    }

    /// Returns how many reports nobody has verified yet, of one node or of all.
    pub fn count_unverified(&self, origin: Option<NodeId>) -> Result<u64, StoreError> {
        self.read(|connection| {
            let count = connection
                .prepare_cached(
                    "SELECT count(*) FROM warning
                     WHERE unverified = 1 AND (:origin IS NULL OR origin = :origin)",
                )?
                .query_row(
                    named_params! { ":origin": origin.map(|origin| origin.to_string()) },
                    |row| row.get::<_, i64>(0),
                )?;
            Ok(count.unsigned_abs())
        })
    }

    /// Returns warnings for an inbox: those that changed after the positions, those that ended in `ended`'s time up to
    /// `now`, and, where they are wanted, those in force. A log without a position counts from its beginning.
    pub fn warnings_since(
        &self,
        seen: &[Position],
        ended: Millis,
        now: Millis,
        in_force: bool,
    ) -> Result<Vec<Candidate>, StoreError> {
        let origins: Vec<NodeId> = self.logs().into_iter().map(|log| log.origin).collect();
        self.read_things(|connection, reading| {
            let mut first: BTreeMap<(NodeId, Id), u32> = BTreeMap::new();
            for origin in &origins {
                let from = seen_pos(connection, *origin, seen)?;
                changed(connection, *origin, from, &mut first)?;
            }
            let mut wanted: BTreeSet<(NodeId, Id)> = first.keys().copied().collect();
            let sql = "SELECT origin, id FROM warning
                WHERE until_ms > :ended AND (until_ms <= :now OR :in_force)";
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query(named_params! {
                ":ended": ended.0,
                ":now": now.0,
                ":in_force": in_force,
            })?;
            while let Some(row) = rows.next()? {
                let origin = crate::node(&row.get::<_, String>(0)?)?;
                wanted.insert((origin, crate::id(&row.get::<_, Vec<u8>>(1)?)?));
            }
            let mut candidates = Vec::new();
            for (origin, id) in wanted {
                let found = by_id(reading, "warning", COLUMNS, &[origin], id)?;
                candidates.extend(found.map(|found| Candidate {
                    first: first.get(&(origin, id)).copied(),
                    found,
                }));
            }
            candidates.sort_by_key(|one| Reverse((sent_at(&one.found.state).0, one.found.id)));
            Ok(candidates)
        })
    }

    /// Returns when the next warning ends by its own time after a moment.
    pub fn next_warning_end(&self, after: Millis) -> Result<Option<Millis>, StoreError> {
        self.read(|connection| {
            let next: Option<i64> = connection
                .prepare_cached("SELECT MIN(until_ms) FROM warning WHERE until_ms > :after")?
                .query_row(named_params! { ":after": after.0 }, |row| row.get(0))?;
            Ok(next.map(Millis))
        })
    }

    /// Returns until which end of warnings somebody was told; none when nobody was yet.
    pub fn ends_told(&self) -> Result<Option<Millis>, StoreError> {
        self.read(|connection| {
            let told: Option<i64> =
                connection.query_row("SELECT ends_told_ms FROM node", [], |row| row.get(0))?;
            Ok(told.map(Millis))
        })
    }

    /// Keeps until which end of warnings somebody was told; it never goes back.
    pub fn note_ends_told(&self, until: Millis) -> Result<(), StoreError> {
        self.change(move |connection| {
            connection
                .prepare_cached(
                    "UPDATE node SET ends_told_ms = :until
                     WHERE ends_told_ms IS NULL OR ends_told_ms < :until",
                )?
                .execute(named_params! { ":until": until.0 })?;
            Ok(())
        })
    }

    /// Returns what a report says in words, oldest first; of one that is withdrawn its event alone.
    pub fn warning_notes(&self, origin: NodeId, id: Id) -> Result<Vec<Note>, StoreError> {
        self.read(|connection| {
            let entries = fold::entries(
                connection,
                origin,
                id,
                event::WARNING_NOTED.type_id,
                0,
                MAX_NOTES,
            )?;
            let notes = entries.into_iter().filter_map(|entry| {
                let header = &entry.header;
                match (entry.read, entry.presence) {
                    (Some((Event::Warning(WarningEvent::Noted(noted)), recorded)), _) => {
                        Some(Note {
                            event: header.event_id,
                            at: recorded.occurred_at,
                            text: Some(noted.text),
                        })
                    }
                    (None, Some(WITHDRAWN)) => Some(Note {
                        event: header.event_id,
                        at: Millis(header.wall_ms.cast_signed()),
                        text: None,
                    }),
                    _ => None,
                }
            });
            Ok(notes.collect())
        })
    }

    /// Returns warnings of the whole region, newest first; `in_force_at` leaves out those over by then, and reports that
    /// nobody has verified yet.
    ///
    /// One that several nodes took in is listed once: this node's own, else that of the first node by name. Of those in
    /// force it is the one of a node that still holds it in force. With an `origin` every one of that node is listed.
    /// Where something is wanted, those that fit it are listed.
    pub fn warnings(
        &self,
        origin: Option<NodeId>,
        in_force_at: Option<Millis>,
        wanted: Option<&Subscription>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<PageOf<Found>, StoreError> {
        let (before_ms, before_id) = crate::query::cursor(after)?;
        let sql = format!(
            "SELECT {COLUMNS}
             WHERE (warning.sent_ms, warning.id) < (:before_ms, :before_id)
               AND (:origin IS NULL OR warning.origin = :origin)
               AND (:now IS NULL OR (warning.until_ms > :now AND warning.unverified = 0))
               AND (:origin IS NOT NULL OR NOT EXISTS (
                 SELECT 1 FROM warning AS other
                 WHERE other.id = warning.id AND other.origin <> warning.origin
                   AND (:now IS NULL OR other.until_ms > :now)
                   AND (other.origin <> :own, other.origin) < (warning.origin <> :own, warning.origin)))
             ORDER BY warning.sent_ms DESC, warning.id DESC
             LIMIT :limit"
        );
        let own = self.identity().origin;
        self.read_things(|connection, reading| {
            let mut statement = connection.prepare_cached(&sql)?;
            let rows = statement.query(named_params! {
                ":before_ms": before_ms,
                ":before_id": before_id,
                ":origin": origin.map(|origin| origin.to_string()),
                ":now": in_force_at.map(|now| now.0),
                ":own": own.as_str(),
                ":limit": rows_for(limit, wanted),
            })?;
            page_of(reading, rows, limit, |found| fits(found, wanted))
        })
    }
}
