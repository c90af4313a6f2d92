//! Views: tables that answer questions, folded from the logs and disposable.
//!
//! Each carries a version; when the program knows a newer one, all are built anew beside the old ones, under names with
//! a suffix, and swapped in one transaction.

pub mod attachment;
pub mod directive;
pub mod draft;
pub mod feed;
pub mod incident;
pub mod log;
pub mod site;
pub mod snapshot;
pub mod timeline;
pub mod warning;

use std::{borrow::Cow, collections::BTreeMap};

use posko_proto::{Id, NodeId};
use rusqlite::{Connection, Row, Rows, named_params, types::ValueRef};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::{Shared, Store, StoreError, fold, log::pos, missing, query::PageOf};

/// A view: its table, its version, how it is made, and the order of its rows in a digest.
struct View {
    name: &'static str,
    version: u32,
    create: &'static str,
    key: &'static str,
}

const VIEWS: [View; 10] = [
    View {
        name: "state",
        version: 5,
        create: "CREATE TABLE state{t}(
            origin TEXT NOT NULL,
            stream BLOB NOT NULL CHECK (length(stream) = 16),
            version INTEGER NOT NULL,
            area INTEGER NOT NULL,
            body BLOB NOT NULL,
            PRIMARY KEY (origin, stream)
        ) WITHOUT ROWID, STRICT",
        key: "stream",
    },
    View {
        name: "unfolded",
        version: 1,
        create: "CREATE TABLE unfolded{t}(
            origin TEXT NOT NULL,
            kind TEXT NOT NULL CHECK (kind IN ('unknown', 'refused', 'missing')),
            entries INTEGER NOT NULL,
            PRIMARY KEY (origin, kind)
        ) WITHOUT ROWID, STRICT",
        key: "kind",
    },
    incident::INCIDENT,
    incident::INCIDENT_ZONE,
    warning::WARNING,
    warning::WARNING_REFERENCE,
    directive::DIRECTIVE,
    site::SITE,
    log::STATEMENT,
    attachment::ATTACHMENT,
];

/// Which of the two sets of tables a fold writes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tables(&'static str);

impl Tables {
    /// The tables that are read.
    pub(crate) const LIVE: Self = Self("");
    /// The tables that are being built.
    pub(crate) const NEW: Self = Self("_new");

    /// Returns the statement for these tables: `{t}` is their suffix.
    pub(crate) fn sql(self, text: &str) -> Cow<'_, str> {
        Cow::Owned(text.replace("{t}", self.0))
    }
}

/// Says whether the file's views are those of this program.
pub(crate) fn current(connection: &Connection) -> Result<bool, StoreError> {
    let mut versions = connection.prepare("SELECT version FROM view_version WHERE view = :view")?;
    for view in &VIEWS {
        let mut rows = versions.query([view.name])?;
        let stored: Option<u32> = rows.next()?.map(|row| row.get(0)).transpose()?;
        if stored != Some(view.version) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Makes the views of a new file; those of an old one wait to be built anew.
pub(crate) fn create_missing(connection: &Connection) -> Result<(), StoreError> {
    let known: i64 =
        connection.query_row("SELECT COUNT(*) FROM view_version", [], |row| row.get(0))?;
    drop_tables(connection, Tables::NEW)?;
    if known == 0 {
        // A process that was killed here may have made some.
        drop_tables(connection, Tables::LIVE)?;
        create(connection, Tables::LIVE)?;
        finish(connection)?;
    }
    Ok(())
}

/// Makes one set of tables.
pub(crate) fn create(connection: &Connection, tables: Tables) -> Result<(), StoreError> {
    for view in &VIEWS {
        connection.execute_batch(&tables.sql(view.create))?;
    }
    Ok(())
}

/// Puts the new tables in the old ones' place.
pub(crate) fn swap(connection: &Connection) -> Result<(), StoreError> {
    drop_tables(connection, Tables::LIVE)?;
    for view in &VIEWS {
        connection.execute_batch(&format!("ALTER TABLE {0}_new RENAME TO {0}", view.name))?;
    }
    connection.execute_batch("DELETE FROM view_version")?;
    finish(connection)
}

/// Removes what was folded of one log.
pub(crate) fn clear(connection: &Connection, origin: NodeId) -> Result<(), StoreError> {
    for view in &VIEWS {
        connection
            .prepare_cached(&format!("DELETE FROM {} WHERE origin = ?1", view.name))?
            .execute([origin.as_str()])?;
    }
    Ok(())
}

/// Drops one set of tables.
pub(crate) fn drop_tables(connection: &Connection, tables: Tables) -> Result<(), StoreError> {
    for view in &VIEWS {
        connection
            .execute_batch(&tables.sql(&format!("DROP TABLE IF EXISTS {}{{t}}", view.name)))?;
    }
    Ok(())
}

/// Makes the indexes of the tables that are read, and notes which versions they are.
fn finish(connection: &Connection) -> Result<(), StoreError> {
    for indexes in [
        incident::INDEXES,
        warning::INDEXES,
        directive::INDEXES,
        draft::INDEXES,
        feed::INDEXES,
        site::INDEXES,
        log::INDEXES,
        attachment::INDEXES,
    ] {
        connection.execute_batch(indexes)?;
    }
    let mut insert =
        connection.prepare("INSERT OR REPLACE INTO view_version(view, version) VALUES (?1, ?2)")?;
    for view in &VIEWS {
        insert.execute((view.name, view.version))?;
    }
    Ok(())
}

/// A thing of a list or a look-up: whose it is, its id, and how it stands.
#[derive(Debug, Clone)]
pub struct Found<S> {
    /// The node whose fact it is.
    pub origin: NodeId,
    /// Its id.
    pub id: Id,
    /// How it stands.
    pub state: S,
    /// Whether that comes from an entry at or after one that its log has twice: until its owner has opened the log again
    /// nobody knows whether it holds.
    pub disputed: bool,
}

/// How things are read: what is folded of a log in quarantine is disputed from a place on.
pub(crate) struct Reading<'c> {
    connection: &'c Connection,
    disputed_from: BTreeMap<NodeId, i64>,
}

impl<'c> Reading<'c> {
    pub(crate) fn new(connection: &'c Connection, shared: &Shared) -> Result<Self, StoreError> {
        let mut disputed_from = BTreeMap::new();
        for (origin, fork) in shared.quarantines() {
            if let Some(row) = missing::epoch_row(connection, origin, fork.at.epoch)? {
                disputed_from.insert(origin, pos(row, fork.at.seq));
            }
        }
        Ok(Self {
            connection,
            disputed_from,
        })
    }

    /// Reads a thing from a row that begins with its origin, its id and its state's body.
    pub(crate) fn found<S: DeserializeOwned>(&self, row: &Row<'_>) -> Result<Found<S>, StoreError> {
        let origin = crate::node(&row.get::<_, String>(0)?)?;
        let id = crate::id(&row.get::<_, Vec<u8>>(1)?)?;
        Ok(Found {
            origin,
            id,
            state: fold::decode_body(&row.get::<_, Vec<u8>>(2)?)?,
            disputed: self.disputes(origin, id)?,
        })
    }

    /// Says whether an entry stands at or after one that its log has twice.
    fn disputes_at(&self, origin: NodeId, pos: i64) -> bool {
        self.disputed_from
            .get(&origin)
            .is_some_and(|from| pos >= *from)
    }

    fn disputes(&self, origin: NodeId, id: Id) -> Result<bool, StoreError> {
        let Some(from) = self.disputed_from.get(&origin) else {
            return Ok(false);
        };
        // Later stretches of a log's path have higher rows.
        Ok(self
            .connection
            .prepare_cached(
                "SELECT EXISTS (
                   SELECT 1 FROM stream_entry WHERE origin = :origin AND stream = :id AND pos >= :from)",
            )?
            .query_row(
                named_params! { ":origin": origin.as_str(), ":id": id.as_bytes(), ":from": from },
                |row| row.get(0),
            )?)
    }
}

/// Returns the thing of that id of the first of the nodes that has it. `table` is the view, `columns` what is read of it.
pub(crate) fn by_id<S: DeserializeOwned>(
    reading: &Reading<'_>,
    table: &str,
    columns: &str,
    origins: &[NodeId],
    id: Id,
) -> Result<Option<Found<S>>, StoreError> {
    let sql = format!("SELECT {columns} WHERE {table}.origin = :origin AND {table}.id = :id");
    let mut statement = reading.connection.prepare_cached(&sql)?;
    for origin in origins {
        let mut rows =
            statement.query(named_params! { ":origin": origin.as_str(), ":id": id.as_bytes() })?;
        if let Some(row) = rows.next()? {
            return reading.found(row).map(Some);
        }
    }
    Ok(None)
}

/// Reads a page of things, newest first, from [`Reading::found`]'s columns and the time by which they are listed.
pub(crate) fn page<S: DeserializeOwned>(
    reading: &Reading<'_>,
    rows: Rows<'_>,
    limit: usize,
) -> Result<PageOf<Found<S>>, StoreError> {
    page_of(reading, rows, limit, |_| true)
}

/// Returns a page of those that are to be kept; no row is read that is not needed for it.
pub(crate) fn page_of<S: DeserializeOwned>(
    reading: &Reading<'_>,
    mut rows: Rows<'_>,
    limit: usize,
    keep: impl Fn(&Found<S>) -> bool,
) -> Result<PageOf<Found<S>>, StoreError> {
    let mut page = PageOf::new(limit);
    while page.next.is_none()
        && let Some(row) = rows.next()?
    {
        let thing = reading.found(row)?;
        if keep(&thing) {
            let token = crate::query::token(row.get(3)?, thing.id);
            page.push(thing, token);
        }
    }
    Ok(page)
}

/// The digest of one view's rows of one origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digested {
    /// The view's table.
    pub view: &'static str,
    /// Whose rows.
    pub origin: NodeId,
    /// How many.
    pub rows: u64,
    /// SHA-256 over all rows in order of their keys.
    pub sha256: [u8; 32],
}

impl Store {
    /// Returns a digest of every view for every origin, of one moment. Local payloads are their owner's alone, so its
    /// accounts are left out: two nodes with the same logs give the same digests.
    pub fn digests(&self) -> Result<Vec<Digested>, StoreError> {
        let origins: Vec<NodeId> = self.logs().into_iter().map(|log| log.origin).collect();
        self.read(|connection| {
            let snapshot = connection.unchecked_transaction()?;
            let mut digests = Vec::new();
            for view in &VIEWS {
                for origin in &origins {
                    digests.push(digest(&snapshot, view, *origin)?);
                }
            }
            Ok(digests)
        })
    }
}

fn digest(connection: &Connection, view: &View, origin: NodeId) -> Result<Digested, StoreError> {
    let local = fold::local_areas().map(|area| format!("AND area <> {area}"));
    let filter = local.collect::<Vec<String>>().join(" ");
    let filter = if view.name == "state" {
        filter.as_str()
    } else {
        ""
    };
    let sql = format!(
        "SELECT * FROM {} WHERE origin = ?1 {filter} ORDER BY {}",
        view.name, view.key
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let columns = statement.column_count();
    let mut rows = statement.query([origin.as_str()])?;
    let mut hasher = Sha256::new();
    let mut count = 0;
    while let Some(row) = rows.next()? {
        count += 1;
        for column in 0..columns {
            let (kind, bytes) = match row.get_ref(column)? {
                ValueRef::Null => (0, Vec::new()),
                ValueRef::Integer(number) => (1, number.to_be_bytes().to_vec()),
                ValueRef::Real(number) => (2, number.to_be_bytes().to_vec()),
                ValueRef::Text(text) => (3, text.to_vec()),
                ValueRef::Blob(blob) => (4, blob.to_vec()),
            };
            hasher.update([kind]);
            hasher.update((bytes.len() as u64).to_be_bytes());
            hasher.update(bytes);
        }
    }
    Ok(Digested {
        view: view.name,
        origin,
        rows: count,
        sha256: hasher.finalize().into(),
    })
}
