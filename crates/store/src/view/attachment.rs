//! Which events name which files, in every area: by whom a file is named, and what may be given to whom.
//!
//! A withdrawn event names nothing any more; a file that nobody names is let go.

use posko_domain::blob::Blob;
use posko_ledger::{Hash, entry::EntryHeader};
use posko_proto::{Id, NodeId, blob::v1::MediaType};
use rusqlite::{Connection, named_params};

use super::{Tables, View};
use crate::StoreError;

pub(super) const ATTACHMENT: View = View {
    name: "attachment",
    version: 1,
    create: "CREATE TABLE attachment{t}(
        origin TEXT NOT NULL,
        event BLOB NOT NULL CHECK (length(event) = 16),
        hash BLOB NOT NULL CHECK (length(hash) = 32),
        length INTEGER NOT NULL,
        media INTEGER NOT NULL,
        class INTEGER NOT NULL,
        PRIMARY KEY (origin, event)
    ) WITHOUT ROWID, STRICT",
    key: "event",
};

pub(super) const INDEXES: &str = "
    DROP INDEX IF EXISTS attachment_hash; CREATE INDEX attachment_hash ON attachment(hash);
";

/// An event that names a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named {
    /// Whose it is.
    pub origin: NodeId,
    /// The event.
    pub event: Id,
    /// The file.
    pub blob: Blob,
    /// The bit of the class of its entry.
    pub class: u32,
}

/// Notes that an entry names a file.
pub(crate) fn fold(
    connection: &Connection,
    tables: Tables,
    origin: NodeId,
    header: &EntryHeader,
    blob: &Blob,
) -> Result<(), StoreError> {
    // No file is as long: whoever says so names none.
    let Ok(length) = i64::try_from(blob.length) else {
        return Ok(());
    };
    connection
        .prepare_cached(&tables.sql(
            "INSERT OR REPLACE INTO attachment{t}(origin, event, hash, length, media, class)
             VALUES (:origin, :event, :hash, :length, :media, :class)",
        ))?
        .execute(named_params! {
            ":origin": origin.as_str(),
            ":event": header.event_id.as_bytes(),
            ":hash": blob.hash.as_slice(),
            ":length": length,
            ":media": i32::from(blob.media_type),
            ":class": header.class.bit(),
        })?;
    Ok(())
}

/// Notes that an event names nothing any more.
pub(crate) fn forget(
    connection: &Connection,
    tables: Tables,
    origin: NodeId,
    event: Id,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            &tables.sql("DELETE FROM attachment{t} WHERE origin = :origin AND event = :event"),
        )?
        .execute(named_params! { ":origin": origin.as_str(), ":event": event.as_bytes() })?;
    Ok(())
}

/// Returns the events that name a file.
pub(crate) fn named(connection: &Connection, hash: &Hash) -> Result<Vec<Named>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT origin, event, length, media, class FROM attachment WHERE hash = :hash ORDER BY origin, event",
    )?;
    let mut rows = statement.query(named_params! { ":hash": hash.as_slice() })?;
    let mut named = Vec::new();
    while let Some(row) = rows.next()? {
        named.push(Named {
            origin: crate::node(&row.get::<_, String>(0)?)?,
            event: crate::id(&row.get::<_, Vec<u8>>(1)?)?,
            blob: Blob {
                hash: *hash,
                length: row.get::<_, i64>(2)?.cast_unsigned(),
                media_type: MediaType::try_from(row.get::<_, i32>(3)?).unwrap_or_default(),
            },
            class: row.get(4)?,
        });
    }
    Ok(named)
}

/// Says whether an event names a file.
pub(crate) fn is_named(connection: &Connection, hash: &[u8]) -> Result<bool, StoreError> {
    Ok(connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM attachment WHERE hash = :hash)")?
        .query_row(named_params! { ":hash": hash }, |row| row.get(0))?)
}
