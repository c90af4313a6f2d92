//! What owners said about their logs: by which events it is found and listed. What is shown of one is its state.

use posko_domain::{
    context::Recorded,
    event::{Kind, PAYLOAD_LOST, PAYLOAD_WITHDRAWN},
    log::Statement,
};
use posko_ledger::entry::EntryHeader;
use posko_proto::{Id, NodeId};
use rusqlite::{Connection, OptionalExtension, named_params};

use super::{Tables, View, page};
use crate::{Store, StoreError, fold, query::PageOf};

pub(super) const STATEMENT: View = View {
    name: "statement",
    version: 2,
    create: "CREATE TABLE statement{t}(
        origin TEXT NOT NULL,
        event BLOB NOT NULL CHECK (length(event) = 16),
        kind INTEGER NOT NULL,
        id BLOB NOT NULL CHECK (length(id) = 16),
        said_ms INTEGER NOT NULL,
        PRIMARY KEY (origin, event, kind, id)
    ) WITHOUT ROWID, STRICT",
    key: "event, kind, id",
};

pub(super) const INDEXES: &str = "
    DROP INDEX IF EXISTS statement_newest; CREATE INDEX statement_newest ON statement(said_ms, id);
";

/// A statement and what it says.
pub type Found = super::Found<Statement>;

pub(crate) fn fold(
    connection: &Connection,
    tables: Tables,
    stream: Id,
    state: &Statement,
    recorded: &Recorded,
) -> Result<(), StoreError> {
    let sql = tables.sql(
        "INSERT OR IGNORE INTO statement{t}(origin, event, kind, id, said_ms)
         VALUES (:origin, :event, :kind, :id, :said)",
    );
    let mut insert = connection.prepare_cached(&sql)?;
    for event in &state.events {
        insert.execute(named_params! {
            ":origin": recorded.origin.as_str(),
            ":event": event.as_bytes(),
            ":kind": state.said.kind().type_id,
            ":id": stream.as_bytes(),
            ":said": state.at.0,
        })?;
    }
    Ok(())
}

/// Returns what an owner said of one of its events: the first where it said more.
pub(crate) fn said(
    connection: &Connection,
    origin: NodeId,
    event: Id,
    kind: Kind,
) -> Result<Option<Statement>, StoreError> {
    let body: Option<Vec<u8>> = connection
        .prepare_cached(
            "SELECT state.body
             FROM statement JOIN state ON state.origin = statement.origin AND state.stream = statement.id
             WHERE statement.origin = :origin AND statement.event = :event AND statement.kind = :kind
             ORDER BY said_ms, statement.id
             LIMIT 1",
        )?
        .query_row(
            named_params! {
                ":origin": origin.as_str(),
                ":event": event.as_bytes(),
                ":kind": kind.type_id,
            },
            |row| row.get(0),
        )
        .optional()?;
    body.map(|body| fold::decode_body(&body)).transpose()
}

/// Says whether an owner declared the payload of an entry of its log lost: this one, and not another of the same event.
pub(crate) fn is_lost(
    connection: &Connection,
    origin: NodeId,
    header: &EntryHeader,
) -> Result<bool, StoreError> {
    let mut statements = connection.prepare_cached(
        "SELECT state.body
         FROM statement JOIN state ON state.origin = statement.origin AND state.stream = statement.id
         WHERE statement.origin = :origin AND statement.event = :event AND statement.kind = :kind",
    )?;
    let mut rows = statements.query(named_params! {
        ":origin": origin.as_str(),
        ":event": header.event_id.as_bytes(),
        ":kind": PAYLOAD_LOST.type_id,
    })?;
    while let Some(row) = rows.next()? {
        let said: Statement = fold::decode_body(&row.get::<_, Vec<u8>>(0)?)?;
        if said.loses(header.event_id, &header.payload_commit) {
            return Ok(true);
        }
    }
    Ok(false)
}

impl Store {
    /// Says whether this node has declared the payload of an entry of its own log lost.
    pub fn is_lost(&self, event: Id) -> Result<bool, StoreError> {
        let own = self.identity().origin;
        self.read(|connection| Ok(said(connection, own, event, PAYLOAD_LOST)?.is_some()))
    }

    /// Returns what owners said about their logs, newest first; or withdrawals of payloads alone.
    pub fn statements(
        &self,
        withdrawals_only: bool,
        after: Option<&str>,
        limit: usize,
    ) -> Result<PageOf<Found>, StoreError> {
        let (before_ms, before_id) = crate::query::cursor(after)?;
        self.read_things(|connection, reading| {
            let mut statement = connection.prepare_cached(
                "SELECT DISTINCT statement.origin, statement.id, state.body, statement.said_ms
                 FROM statement JOIN state ON state.origin = statement.origin AND state.stream = statement.id
                 WHERE (statement.said_ms, statement.id) < (:before_ms, :before_id)
                   AND (:kind IS NULL OR statement.kind = :kind)
                 ORDER BY statement.said_ms DESC, statement.id DESC
                 LIMIT :limit",
            )?;
            let rows = statement.query(named_params! {
                ":before_ms": before_ms,
                ":before_id": before_id,
                ":kind": withdrawals_only.then_some(PAYLOAD_WITHDRAWN.type_id),
                ":limit": limit as i64 + 1,
            })?;
            page(reading, rows, limit)
        })
    }
}
