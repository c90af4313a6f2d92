//! Directives: the columns by which they are listed. What is shown of one is its state.

use posko_domain::{
    context::Recorded,
    directive::{DirectiveState, ends_at},
};
use posko_proto::{Id, time::Millis};
use rusqlite::{Connection, named_params};

use super::{Tables, View, by_id, page};
use crate::{Store, StoreError, query::PageOf};

pub(super) const DIRECTIVE: View = View {
    name: "directive",
    version: 1,
    create: "CREATE TABLE directive{t}(
        origin TEXT NOT NULL,
        id BLOB NOT NULL CHECK (length(id) = 16),
        issued_ms INTEGER NOT NULL,
        until_ms INTEGER NOT NULL,
        PRIMARY KEY (origin, id)
    ) WITHOUT ROWID, STRICT",
    key: "id",
};

pub(super) const INDEXES: &str = "
    DROP INDEX IF EXISTS directive_newest; CREATE INDEX directive_newest ON directive(issued_ms, id);
    DROP INDEX IF EXISTS directive_until; CREATE INDEX directive_until ON directive(until_ms);
";

/// A directive and how it stands.
pub type Found = super::Found<DirectiveState>;

pub(crate) fn fold(
    connection: &Connection,
    tables: Tables,
    stream: Id,
    state: &DirectiveState,
    recorded: &Recorded,
) -> Result<(), StoreError> {
    // A withdrawn directive is over whenever it is asked for; one without an end never is.
    let until = match state.withdrawn {
        Some(_) => i64::MIN,
        None => ends_at(state).map_or(i64::MAX, |end| end.0),
    };
    connection
        .prepare_cached(&tables.sql(
            "INSERT INTO directive{t}(origin, id, issued_ms, until_ms)
             VALUES (:origin, :id, :issued, :until)
             ON CONFLICT (origin, id) DO UPDATE SET until_ms = :until",
        ))?
        .execute(named_params! {
            ":origin": recorded.origin.as_str(),
            ":id": stream.as_bytes(),
            ":issued": state.issued_at.0,
            ":until": until,
        })?;
    Ok(())
}

const COLUMNS: &str = "directive.origin, directive.id, state.body, directive.issued_ms
     FROM directive JOIN state ON state.origin = directive.origin AND state.stream = directive.id";

impl Store {
    /// Returns a directive.
    pub fn directive(&self, id: Id) -> Result<Option<Found>, StoreError> {
        let origins: Vec<_> = self.logs().into_iter().map(|log| log.origin).collect();
        self.read_things(|_, reading| by_id(reading, "directive", COLUMNS, &origins, id))
    }

    /// Returns directives, newest first; `open_at` leaves out those over by then.
    pub fn directives(
        &self,
        open_at: Option<Millis>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<PageOf<Found>, StoreError> {
        let (before_ms, before_id) = crate::query::cursor(after)?;
        let sql = format!(
            "SELECT {COLUMNS}
             WHERE (directive.issued_ms, directive.id) < (:before_ms, :before_id)
               AND (:now IS NULL OR directive.until_ms > :now)
             ORDER BY directive.issued_ms DESC, directive.id DESC
             LIMIT :limit"
        );
        self.read_things(|connection, reading| {
            let mut statement = connection.prepare_cached(&sql)?;
            let rows = statement.query(named_params! {
                ":before_ms": before_ms,
                ":before_id": before_id,
                ":now": open_at.map(|now| now.0),
                ":limit": limit as i64 + 1,
            })?;
            page(reading, rows, limit)
        })
    }
}
