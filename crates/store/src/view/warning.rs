//! Warnings: the columns by which they are listed. What is shown of one is its state.

use std::collections::BTreeMap;

use posko_domain::{
    context::Recorded,
    warning::{WarningState, ends_at},
};
use posko_proto::{Id, NodeId, time::Millis};
use rusqlite::{Connection, named_params};

use super::{Tables, View, by_id, page};
use crate::{Store, StoreError, query::PageOf};

pub(super) const WARNING: View = View {
    name: "warning",
    version: 1,
    create: "CREATE TABLE warning{t}(
        origin TEXT NOT NULL,
        id BLOB NOT NULL CHECK (length(id) = 16),
        sent_ms INTEGER NOT NULL,
        until_ms INTEGER NOT NULL,
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
    DROP INDEX IF EXISTS warning_until; CREATE INDEX warning_until ON warning(until_ms);
";

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
            "INSERT INTO warning{t}(origin, id, sent_ms, until_ms) VALUES (:origin, :id, :sent, :until)
             ON CONFLICT (origin, id) DO UPDATE SET sent_ms = :sent, until_ms = :until",
        ))?
        .execute(named_params! {
            ":origin": recorded.origin.as_str(),
            ":id": stream.as_bytes(),
            ":sent": sent_at(state).0,
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

    /// Returns the times at which warnings of a node end by their own time after one moment and until another, soonest first.
    pub fn warnings_ending(
        &self,
        after: Millis,
        until: Millis,
        limit: usize,
    ) -> Result<Vec<(Millis, Found)>, StoreError> {
        let own = self.identity().origin;
        let sql = format!(
            "SELECT {COLUMNS}
             WHERE warning.origin = :own AND warning.until_ms > :after AND warning.until_ms <= :until
             ORDER BY warning.until_ms, warning.id
             LIMIT :limit"
        );
        self.read_things(|connection, reading| {
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(named_params! {
                ":own": own.as_str(),
                ":after": after.0,
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

    /// Returns warnings of the whole region, newest first; `in_force_at` leaves out those over by then.
    ///
    /// One that several nodes took in is listed once: this node's own, else that of the first node by name. Of those in
    /// force it is the one of a node that still holds it in force. With an `origin` every one of that node is listed.
    pub fn warnings(
        &self,
        origin: Option<NodeId>,
        in_force_at: Option<Millis>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<PageOf<Found>, StoreError> {
        let (before_ms, before_id) = crate::query::cursor(after)?;
        let sql = format!(
            "SELECT {COLUMNS}
             WHERE (warning.sent_ms, warning.id) < (:before_ms, :before_id)
               AND (:origin IS NULL OR warning.origin = :origin)
               AND (:now IS NULL OR warning.until_ms > :now)
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
                ":limit": limit as i64 + 1,
            })?;
            page(reading, rows, limit)
        })
    }
}
