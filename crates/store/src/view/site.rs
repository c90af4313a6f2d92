//! Sites: the columns by which they are listed. What is shown of one is its state.

use posko_domain::{context::Recorded, site::SiteState};
use posko_proto::{Id, NodeId};
use rusqlite::{Connection, named_params};

use super::{Tables, View, by_id, page};
use crate::{Store, StoreError, fold, query::PageOf};

pub(super) const SITE: View = View {
    name: "site",
    version: 1,
    create: "CREATE TABLE site{t}(
        origin TEXT NOT NULL,
        id BLOB NOT NULL CHECK (length(id) = 16),
        incident BLOB NOT NULL CHECK (length(incident) = 16),
        region TEXT NOT NULL,
        is_closed INTEGER NOT NULL CHECK (is_closed IN (0, 1)),
        opened_ms INTEGER NOT NULL,
        PRIMARY KEY (origin, id)
    ) WITHOUT ROWID, STRICT",
    key: "id",
};

pub(super) const INDEXES: &str = "
    DROP INDEX IF EXISTS site_newest; CREATE INDEX site_newest ON site(opened_ms, id);
    DROP INDEX IF EXISTS site_incident; CREATE INDEX site_incident ON site(incident, opened_ms, id);
";

/// A site and how it stands.
pub type Found = super::Found<SiteState>;

/// Which sites are wanted.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of this incident.
    pub incident: Option<Id>,
    /// Within this region.
    pub region: Option<String>,
    /// Not closed.
    pub open_only: bool,
}

pub(crate) fn fold(
    connection: &Connection,
    tables: Tables,
    stream: Id,
    state: &SiteState,
    recorded: &Recorded,
) -> Result<(), StoreError> {
    let region = state.opened.place.as_ref();
    connection
        .prepare_cached(&tables.sql(
            "INSERT INTO site{t}(origin, id, incident, region, is_closed, opened_ms)
             VALUES (:origin, :id, :incident, :region, :closed, :opened)
             ON CONFLICT (origin, id) DO UPDATE SET is_closed = :closed",
        ))?
        .execute(named_params! {
            ":origin": recorded.origin.as_str(),
            ":id": stream.as_bytes(),
            ":incident": state.incident.as_bytes(),
            ":region": region.map_or("", |place| place.region_code.as_str()),
            ":closed": state.closed_at.is_some(),
            ":opened": state.opened_at.0,
        })?;
    Ok(())
}

/// Returns the names of a node's sites of an incident that are not closed, in the order in which they were opened.
pub(crate) fn open_names(
    connection: &Connection,
    origin: NodeId,
    incident: Id,
) -> Result<Vec<String>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT state.body FROM site JOIN state ON state.origin = site.origin AND state.stream = site.id
         WHERE site.incident = :incident AND site.origin = :origin AND site.is_closed = 0
         ORDER BY site.opened_ms, site.id",
    )?;
    let mut rows = statement.query(named_params! {
        ":incident": incident.as_bytes(),
        ":origin": origin.as_str(),
    })?;
    let mut names = Vec::new();
    while let Some(row) = rows.next()? {
        let body: Vec<u8> = row.get(0)?;
        let state: SiteState = fold::decode_body(&body)?;
        names.push(state.opened.name);
    }
    Ok(names)
}

const COLUMNS: &str = "site.origin, site.id, state.body, site.opened_ms
     FROM site JOIN state ON state.origin = site.origin AND state.stream = site.id";

impl Store {
    /// Returns a site.
    pub fn site(&self, id: Id) -> Result<Option<Found>, StoreError> {
        let origins: Vec<_> = self.logs().into_iter().map(|log| log.origin).collect();
        self.read_things(|_, reading| by_id(reading, "site", COLUMNS, &origins, id))
    }

    /// Returns sites of the whole region, newest first.
    pub fn sites(
        &self,
        filter: &Filter,
        after: Option<&str>,
        limit: usize,
    ) -> Result<PageOf<Found>, StoreError> {
        let (before_ms, before_id) = crate::query::cursor(after)?;
        let sql = format!(
            "SELECT {COLUMNS}
             WHERE (site.opened_ms, site.id) < (:before_ms, :before_id)
               AND (:incident IS NULL OR site.incident = :incident)
               AND (:region IS NULL OR site.region = :region OR site.region LIKE :region || '.%')
               AND (:open = 0 OR site.is_closed = 0)
             ORDER BY site.opened_ms DESC, site.id DESC
             LIMIT :limit"
        );
        self.read_things(|connection, reading| {
            let mut statement = connection.prepare_cached(&sql)?;
            let rows = statement.query(named_params! {
                ":before_ms": before_ms,
                ":before_id": before_id,
                ":incident": filter.incident.map(Id::to_vec),
                ":region": filter.region,
                ":open": filter.open_only,
                ":limit": limit as i64 + 1,
            })?;
            page(reading, rows, limit)
        })
    }
}
