//! The time line of an incident: every event of it and of its sites, read from the log in its order.

use std::collections::HashMap;

use posko_domain::{
    event::{Event, PAYLOAD_WITHDRAWN},
    incident::{self, Before},
    log::Statement,
};
use posko_ledger::entry::{EXERCISE, EntryHeader, HEADER_BYTES};
use posko_proto::{Id, NodeId, common::v1::Envelope};
use prost::Message;
use rusqlite::{Connection, named_params};

use crate::{
    Store, StoreError, fold,
    query::PageOf,
    statement::{ERASED, WITHDRAWN},
};

/// An entry of a time line.
#[derive(Debug, Clone)]
pub struct Told {
    /// Its header.
    pub header: EntryHeader,
    /// The number of the epoch in which it stands.
    pub epoch_no: u64,
    /// Who recorded what, where that is here and can be read.
    pub envelope: Option<Envelope>,
    /// What was said before of what it says anew, where it does.
    pub before: Option<Before>,
    /// Whether its payload is here.
    pub presence: Presence,
    /// Why it was withdrawn, if it was.
    pub withdrawn: Option<Statement>,
    /// Whether it belongs to a drill.
    pub exercise: bool,
    /// Whether its log has it, or an entry before it, twice.
    pub disputed: bool,
}

/// Whether an entry's payload is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It is.
    Present,
    /// It was withdrawn everywhere.
    Withdrawn,
    /// It exists no more.
    Erased,
    /// It is not, so far.
    Missing,
    /// It is no envelope.
    Unreadable,
}

impl Store {
    /// Returns the events of an incident of that node and of its sites, in the order of its log.
    pub fn timeline(
        &self,
        origin: NodeId,
        incident: Id,
        after: Option<&str>,
        limit: usize,
    ) -> Result<PageOf<Told>, StoreError> {
        let after: i64 = match after {
            None => 0,
            Some(token) => token
                .parse()
                .map_err(|_| StoreError::NotFound(format!("page token `{token}`")))?,
        };
        self.read_things(|connection, reading| {
            // A header has its event's id at its 33rd byte.
            let mut statement = connection.prepare_cached(
                "WITH told(pos) AS (
                   SELECT pos FROM stream_entry WHERE origin = :origin AND stream = :incident
                   UNION ALL
                   SELECT pos FROM site
                   JOIN stream_entry ON stream_entry.origin = site.origin AND stream_entry.stream = site.id
                   WHERE site.incident = :incident AND site.origin = :origin
                 )
                 SELECT told.pos, header, body, presence, epoch.no,
                   CASE WHEN presence = :withdrawn THEN (
                     SELECT state.body
                     FROM statement JOIN state ON state.origin = statement.origin AND state.stream = statement.id
                     WHERE statement.origin = :origin AND statement.event = substr(header, 33, 16)
                       AND statement.kind = :withdrawal
                     ORDER BY said_ms, statement.id
                     LIMIT 1
                   ) END
                 FROM told JOIN entry USING (pos) JOIN epoch ON epoch.id = told.pos >> 40
                 LEFT JOIN payload USING (pos) LEFT JOIN payload_missing USING (pos)
                 WHERE told.pos > :after
                 ORDER BY told.pos
                 LIMIT :limit",
            )?;
            let mut rows = statement.query(named_params! {
                ":origin": origin.as_str(),
                ":incident": incident.as_bytes(),
                ":withdrawn": WITHDRAWN,
                ":withdrawal": PAYLOAD_WITHDRAWN.type_id,
                ":after": after,
                ":limit": limit as i64 + 1,
            })?;
            let mut page = PageOf::new(limit);
            let mut last = after;
            while let Some(row) = rows.next()? {
                let pos: i64 = row.get(0)?;
                let header: [u8; HEADER_BYTES] = row.get(1)?;
                let header = EntryHeader::decode(&header)?;
                let body: Option<Vec<u8>> = row.get(2)?;
                let absence: Option<u8> = row.get(3)?;
                let said: Option<Vec<u8>> = row.get(5)?;
                let envelope = body.as_deref().map(Envelope::decode);
                let presence = match (&envelope, absence) {
                    (Some(Ok(_)), _) => Presence::Present,
                    (Some(Err(_)), _) => Presence::Unreadable,
                    (None, Some(WITHDRAWN)) => Presence::Withdrawn,
                    (None, Some(ERASED)) => Presence::Erased,
                    (None, _) => Presence::Missing,
                };
                let told = Told {
                    exercise: header.flags & EXERCISE != 0,
                    header,
                    epoch_no: row.get::<_, i64>(4)?.cast_unsigned(),
                    envelope: envelope.and_then(Result::ok),
                    before: None,
                    presence,
                    withdrawn: said.map(|said| fold::decode_body(&said)).transpose()?,
                    disputed: reading.disputes_at(origin, pos),
                };
                page.push(told, pos.to_string());
                last = pos;
            }
            let mut said = said_before(connection, origin, incident, last)?;
            for told in &mut page.rows {
                told.before = said.remove(&told.header.event_id);
            }
            Ok(page)
        })
    }
}

/// Returns what the events of an incident up to a place say anew, by event. It is read from the log, since a state holds
/// what is said now alone.
fn said_before(
    connection: &Connection,
    origin: NodeId,
    incident: Id,
    last: i64,
) -> Result<HashMap<Id, Before>, StoreError> {
    let mut entries = connection.prepare_cached(
        "SELECT header, body
         FROM stream_entry JOIN entry USING (pos) JOIN payload USING (pos)
         WHERE origin = :origin AND stream = :incident AND pos <= :last
         ORDER BY pos",
    )?;
    let mut rows = entries.query(named_params! {
        ":origin": origin.as_str(),
        ":incident": incident.as_bytes(),
        ":last": last,
    })?;
    let mut said = HashMap::new();
    let mut state = None;
    while let Some(row) = rows.next()? {
        let header: [u8; HEADER_BYTES] = row.get(0)?;
        let header = EntryHeader::decode(&header)?;
        let body: Vec<u8> = row.get(1)?;
        let Ok((Event::Incident(event), recorded)) = fold::read(origin, &header, &body) else {
            continue;
        };
        // An event that the fold refuses has no effect, and so corrects nothing.
        let Ok(next) = incident::apply(state.clone(), &event, &recorded) else {
            continue;
        };
        let before = state.and_then(|state| incident::said_before(&state, &event));
        said.extend(before.map(|before| (header.event_id, before)));
        state = Some(next);
    }
    Ok(said)
}
