//! Warnings: the columns by which they are listed. What is shown of one is its state.

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

pub(super) const INDEXES: &str = "
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
            // A cancelled warning is over whenever it is asked for.
            ":until": if state.cancelled { i64::MIN } else { ends_at(state).0 },
        })?;
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

    /// Returns warnings of the whole region, newest first; `in_force_at` leaves out those over by then.
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
             ORDER BY warning.sent_ms DESC, warning.id DESC
             LIMIT :limit"
        );
        self.read_things(|connection, reading| {
            let mut statement = connection.prepare_cached(&sql)?;
            let rows = statement.query(named_params! {
                ":before_ms": before_ms,
                ":before_id": before_id,
                ":origin": origin.map(|origin| origin.to_string()),
                ":now": in_force_at.map(|now| now.0),
                ":limit": limit as i64 + 1,
            })?;
            page(reading, rows, limit)
        })
    }
}
