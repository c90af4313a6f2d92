//! Files that lie beside the logs: taken in, given out and let go part by part, never held whole in memory.
//!
//! ```text
//!  put here ──▶ begin_upload ─▶ add_to_upload … ─▶ finish_upload ──┐
//!                                                                  ├─▶ complete ─▶ blob_part_for …
//!  a peer ────▶ begin_fetch ──▶ add_to_fetch … ─▶ finish_fetch ────┘
//! ```
//! A file is named by an event before a peer gets it or is asked for it; one that no event names is let go after
//! [`UNNAMED`], and with the withdrawal of the last that names it at once.

use std::time::Duration;

use posko_domain::{
    blob::Blob,
    code::{Code, Refusal},
};
use posko_ledger::{Hash, engine::blob::PART_BYTES};
use posko_proto::{NodeId, blob::v1::MediaType, id::hex, time::Millis};
use rusqlite::{Connection, OptionalExtension, named_params};
use sha2::{Digest, Sha256};

pub use crate::view::attachment::Named;
use crate::{
    Store, StoreError,
    view::{Tables, attachment},
};

/// After how long a file is let go that no event names.
pub const UNNAMED: Duration = Duration::from_hours(24);
/// The most bytes that a file can have here, whatever a node allows.
pub const MAX_BYTES: u64 = (PART_BYTES as u64) << PART_SHIFT;
/// How many bits of a part's key are its number.
const PART_SHIFT: u32 = 20;

/// A file that is here, or a part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// How many bytes it has.
    pub length: u64,
    /// How many of them are here.
    pub held: u64,
    /// Whether all are, and were found to be what the hash says.
    pub complete: bool,
    /// What it is.
    pub media_type: MediaType,
}

/// How it stands with the files of a node.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stock {
    /// How many files events name.
    pub named: u64,
    /// How many of these are here.
    pub held: u64,
    /// How many bytes all files take that are here, also parts of files and those that no event names.
    pub bytes: u64,
}

/// Why a file that was put here is not kept, or a part of it.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// It was let go meanwhile.
    #[error("the file was let go before it was whole: send it again")]
    Gone,
    /// The file of the store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for BlobError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

/// What became of a part that a peer gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// So many bytes are here now.
    Held(u64),
    /// Nobody names the file any more, or it came whole from elsewhere.
    Gone,
}

/// What became of a file whose last part came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finished {
    /// It is what its hash says, and is kept.
    Kept,
    /// It is not, and was let go; and whether one peer gave all of it.
    Wrong {
        /// Who gave all of it; none when it were several.
        giver: Option<NodeId>,
    },
    /// It was let go meanwhile.
    Gone,
}

impl Store {
    /// Begins a file that is put here, and returns the number by which its parts are added.
    pub fn begin_upload(&self, now: Millis) -> Result<i64, StoreError> {
        self.change(move |connection| {
            connection
                .prepare_cached(
                    "INSERT INTO blob(hash, length, held, complete, media, giver, touched_ms)
                     VALUES (NULL, 0, 0, 0, 0, '', :now)",
                )?
                .execute(named_params! { ":now": now.0 })?;
            Ok(connection.last_insert_rowid())
        })
    }

    /// Adds the next part of a file that is put here: [`PART_BYTES`], unless it is the last. It is durable afterwards.
    pub fn add_to_upload(&self, id: i64, part: Vec<u8>, now: Millis) -> Result<(), BlobError> {
        let added = self.change(move |connection| {
            let held: Option<i64> = connection
                .prepare_cached("SELECT held FROM blob WHERE id = :id AND hash IS NULL")?
                .query_row(named_params! { ":id": id }, |row| row.get(0))
                .optional()?;
            let Some(held) = held else { return Ok(false) };
            add(connection, id, held.cast_unsigned(), &part, now)
        })?;
        added.then_some(()).ok_or(BlobError::Gone)
    }

    /// Ends a file that is put here. The same file again is the same: of two one stays.
    pub fn finish_upload(&self, id: i64, blob: Blob, now: Millis) -> Result<(), BlobError> {
        let finished = self.change(move |connection| {
            let whole: bool = connection
                .prepare_cached(
                    "SELECT EXISTS (SELECT 1 FROM blob WHERE id = :id AND hash IS NULL AND held = :length)",
                )?
                .query_row(
                    named_params! { ":id": id, ":length": blob.length.cast_signed() },
                    |row| row.get(0),
                )?;
            if !whole {
                return Ok(false);
            }
            if let Some((other, held)) = find(connection, &blob.hash)? {
                if held.complete {
                    remove(connection, id)?;
                    connection
                        .prepare_cached("UPDATE blob SET touched_ms = :now WHERE id = :id")?
                        .execute(named_params! { ":now": now.0, ":id": other })?;
                    return Ok(true);
                }
                // What a peer gives of it is needed no more.
                remove(connection, other)?;
            }
            connection
                .prepare_cached(
                    "UPDATE blob SET hash = :hash, length = :length, complete = 1, media = :media, touched_ms = :now
                     WHERE id = :id",
                )?
                .execute(named_params! {
                    ":hash": blob.hash.as_slice(),
                    ":length": blob.length.cast_signed(),
                    ":media": i32::from(blob.media_type),
                    ":now": now.0,
                    ":id": id,
                })?;
            Ok(true)
        })?;
        finished.then_some(()).ok_or(BlobError::Gone)
    }

    /// Lets a file go that was not put here to its end.
    pub fn drop_upload(&self, id: i64) -> Result<(), StoreError> {
        self.change(move |connection| {
            let open = connection
                .prepare_cached(
                    "SELECT EXISTS (SELECT 1 FROM blob WHERE id = :id AND hash IS NULL)",
                )?
                .query_row(named_params! { ":id": id }, |row| row.get(0))?;
            if open { remove(connection, id) } else { Ok(()) }
        })
    }

    /// Lets go what no event names and nobody has touched for [`UNNAMED`], and returns how many files that were. At a
    /// start, what was being put here when the last run ended goes too.
    pub fn sweep_blobs(&self, at_start: bool, now: Millis) -> Result<u64, StoreError> {
        let before = now.0.saturating_sub(UNNAMED.as_millis() as i64);
        let mut removed = 0;
        // One at a time, so that commands do not wait for all.
        while self.change(move |connection| {
            let id: Option<i64> = connection
                .prepare_cached(
                    "SELECT id FROM blob
                     WHERE (hash IS NULL AND :start)
                        OR (touched_ms < :before
                            AND NOT EXISTS (SELECT 1 FROM attachment WHERE attachment.hash = blob.hash))
                     LIMIT 1",
                )?
                .query_row(named_params! { ":start": at_start, ":before": before }, |row| row.get(0))
                .optional()?;
            id.map(|id| remove(connection, id)).transpose()
        })?
        .is_some()
        {
            removed += 1;
        }
        Ok(removed)
    }

    /// Returns what is here of a file.
    pub fn blob(&self, hash: &Hash) -> Result<Option<Held>, StoreError> {
        self.read(|connection| Ok(find(connection, hash)?.map(|(_, held)| held)))
    }

    /// Returns the events that name a file.
    pub fn blob_named(&self, hash: &Hash) -> Result<Vec<Named>, StoreError> {
        self.read(|connection| attachment::named(connection, hash))
    }

    /// Returns a part of a complete file with the file's length: from `offset` on, at most [`PART_BYTES`] and `length`
    /// bytes; none when it is not here, or no event of these classes names it.
    pub fn blob_part(
        &self,
        hash: &Hash,
        offset: u64,
        length: usize,
        classes: u32,
    ) -> Result<Option<(u64, Vec<u8>)>, StoreError> {
        self.read(|connection| {
            let named = attachment::named(connection, hash)?;
            if !named.iter().any(|named| named.class & classes != 0) {
                return Ok(None);
            }
            match find(connection, hash)? {
                Some((id, held)) if held.complete => {
                    Ok(Some((held.length, part(connection, id, offset, length)?)))
                }
                _ => Ok(None),
            }
        })
    }

    /// Notes that a file is wanted, so that a later start knows it too; nothing of it is here yet.
    pub fn note_wanted(&self, blob: Blob, now: Millis) -> Result<(), StoreError> {
        self.change(move |connection| {
            if attachment::is_named(connection, &blob.hash)? {
                connection
                    .prepare_cached(
                        "INSERT OR IGNORE INTO blob(hash, length, held, complete, media, giver, touched_ms)
                         VALUES (:hash, :length, 0, 0, :media, '', :now)",
                    )?
                    .execute(named_params! {
                        ":hash": blob.hash.as_slice(),
                        ":length": blob.length.cast_signed(),
                        ":media": i32::from(blob.media_type),
                        ":now": now.0,
                    })?;
            }
            Ok(())
        })
    }

    /// Returns the files that were wanted and are not here whole, the longest wanted first: at most `limit`.
    pub fn unfinished_blobs(&self, limit: usize) -> Result<Vec<Hash>, StoreError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT hash FROM blob
                 WHERE complete = 0 AND EXISTS (SELECT 1 FROM attachment WHERE attachment.hash = blob.hash)
                 ORDER BY id
                 LIMIT :limit",
            )?;
            let rows = statement.query_map(named_params! { ":limit": limit as i64 }, |row| row.get(0))?;
            rows.map(|hash| Ok(hash?)).collect()
        })
    }

    /// Begins, or goes on with, a file that `giver` is to give, and returns how many of its bytes are here already; none
    /// when it is here whole, or no event names it any more.
    pub fn begin_fetch(
        &self,
        blob: Blob,
        giver: NodeId,
        now: Millis,
    ) -> Result<Option<u64>, StoreError> {
        self.change(move |connection| {
            if blob.length > MAX_BYTES || !attachment::is_named(connection, &blob.hash)? {
                return Ok(None);
            }
            if let Some((id, held)) = find(connection, &blob.hash)? {
                if held.complete {
                    return Ok(None);
                }
                if held.length == blob.length {
                    connection
                        .prepare_cached(
                            "UPDATE blob SET giver = CASE WHEN giver = :giver OR held = 0 THEN :giver ELSE '' END
                             WHERE id = :id",
                        )?
                        .execute(named_params! { ":giver": giver.as_str(), ":id": id })?;
                    return Ok(Some(held.held));
                }
                // It was begun by the word of another entry.
                remove(connection, id)?;
            }
            connection
                .prepare_cached(
                    "INSERT INTO blob(hash, length, held, complete, media, giver, touched_ms)
                     VALUES (:hash, :length, 0, 0, :media, :giver, :now)",
                )?
                .execute(named_params! {
                    ":hash": blob.hash.as_slice(),
                    ":length": blob.length.cast_signed(),
                    ":media": i32::from(blob.media_type),
                    ":giver": giver.as_str(),
                    ":now": now.0,
                })?;
            Ok(Some(0))
        })
    }

    /// Adds a part that a peer gave; one that does not begin where the file ends so far is passed over.
    pub fn add_to_fetch(
        &self,
        hash: Hash,
        offset: u64,
        part: Vec<u8>,
        now: Millis,
    ) -> Result<Added, StoreError> {
        self.change(move |connection| match find(connection, &hash)? {
            Some((id, held)) if !held.complete => {
                if held.held != offset {
                    return Ok(Added::Held(held.held));
                }
                let added = offset + part.len() as u64;
                if added > held.length || !add(connection, id, offset, &part, now)? {
                    return Ok(Added::Gone);
                }
                Ok(Added::Held(added))
            }
            _ => Ok(Added::Gone),
        })
    }

    /// Holds a file whose last part came against its hash, and keeps it or lets it go.
    pub fn finish_fetch(&self, hash: Hash, now: Millis) -> Result<Finished, StoreError> {
        let found = self.read(|connection| find(connection, &hash))?;
        let Some((id, held)) = found.filter(|(_, held)| held.held == held.length) else {
            return Ok(Finished::Gone);
        };
        if held.complete {
            return Ok(Finished::Kept);
        }
        let is_right = self.hash_of(id, held.length)? == Some(hash);
        self.change(move |connection| {
            let giver: Option<String> = connection
                .prepare_cached("SELECT giver FROM blob WHERE id = :id AND complete = 0")?
                .query_row(named_params! { ":id": id }, |row| row.get(0))
                .optional()?;
            let Some(giver) = giver else {
                return Ok(Finished::Gone);
            };
            if !is_right {
                remove(connection, id)?;
                return Ok(Finished::Wrong {
                    giver: giver.parse().ok(),
                });
            }
            connection
                .prepare_cached(
                    "UPDATE blob SET complete = 1, giver = '', touched_ms = :now WHERE id = :id",
                )?
                .execute(named_params! { ":now": now.0, ":id": id })?;
            Ok(Finished::Kept)
        })
    }

    /// Says how it stands with all files.
    pub fn blob_stock(&self) -> Result<Stock, StoreError> {
        self.read(|connection| {
            let (named, held) = count(connection, None)?;
            let bytes: i64 = connection
                .prepare_cached("SELECT COALESCE(SUM(held), 0) FROM blob")?
                .query_row([], |row| row.get(0))?;
            Ok(Stock {
                named,
                held,
                bytes: bytes.cast_unsigned(),
            })
        })
    }

    /// Returns how many files the events of a log name, and how many of these are here; every one of these is held
    /// against its hash, and the first that is not what that says is returned too.
    pub(crate) fn verify_blobs(
        &self,
        origin: NodeId,
    ) -> Result<(u64, u64, Option<Hash>), StoreError> {
        let (named, held) = self.read(|connection| count(connection, Some(origin)))?;
        let mut after = Vec::new();
        loop {
            let next: Option<(Vec<u8>, i64, i64)> = self.read(|connection| {
                Ok(connection
                    .prepare_cached(
                        "SELECT hash, id, length FROM blob
                         WHERE complete = 1 AND hash > :after
                           AND EXISTS (SELECT 1 FROM attachment
                                       WHERE attachment.hash = blob.hash AND attachment.origin = :origin)
                         ORDER BY hash
                         LIMIT 1",
                    )?
                    .query_row(
                        named_params! { ":after": after, ":origin": origin.as_str() },
                        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
                    )
                    .optional()?)
            })?;
            let Some((hash, id, length)) = next else {
                return Ok((named, held, None));
            };
            let hash: Hash = (hash.as_slice().try_into()).map_err(|_| StoreError::Corrupt {
                what: "a file's hash",
            })?;
            // One that was let go meanwhile has no bytes any more.
            let found = self.hash_of(id, length.cast_unsigned())?;
            let is_there = || self.read(|connection| Ok(find(connection, &hash)?.is_some()));
            if found != Some(hash) && is_there()? {
                return Ok((named, held, Some(hash)));
            }
            after = hash.to_vec();
        }
    }

    /// Returns the hash of what is here of a file, read part by part; none when it has another length.
    fn hash_of(&self, id: i64, length: u64) -> Result<Option<Hash>, StoreError> {
        let mut hasher = Sha256::new();
        let mut at = 0;
        while at < length {
            let part = self.read(|connection| part(connection, id, at, PART_BYTES))?;
            if part.is_empty() {
                return Ok(None);
            }
            at += part.len() as u64;
            hasher.update(&part);
        }
        Ok((at == length).then(|| hasher.finalize().into()))
    }
}

/// Says why an event cannot name a file: it is not here, or not as the event says.
pub(crate) fn refusal(connection: &Connection, blob: &Blob) -> Result<Option<Refusal>, StoreError> {
    let held = find(connection, &blob.hash)?.map(|(_, held)| held);
    let name = hex(&blob.hash);
    let message = match held.filter(|held| held.complete) {
        None => format!("file `{name}` is not here: send it first"),
        Some(held) if held.length != blob.length || held.media_type != blob.media_type => {
            format!("file `{name}` has another length or type here than the command says")
        }
        Some(_) => return Ok(None),
    };
    Ok(Some(Refusal {
        code: Code::NotFound,
        message,
    }))
}

/// Notes that an event names a file no more, and lets the file go when no other event does.
pub(crate) fn let_go(
    connection: &Connection,
    tables: Tables,
    origin: NodeId,
    event: posko_proto::Id,
    blob: Option<&Blob>,
) -> Result<(), StoreError> {
    for tables in [tables, Tables::LIVE] {
        attachment::forget(connection, tables, origin, event)?;
    }
    let Some(blob) = blob else { return Ok(()) };
    match find(connection, &blob.hash)? {
        Some((id, _)) if !attachment::is_named(connection, &blob.hash)? => remove(connection, id),
        _ => Ok(()),
    }
}

fn find(connection: &Connection, hash: &Hash) -> Result<Option<(i64, Held)>, StoreError> {
    Ok(connection
        .prepare_cached("SELECT id, length, held, complete, media FROM blob WHERE hash = :hash")?
        .query_row(named_params! { ":hash": hash.as_slice() }, |row| {
            let held = Held {
                length: row.get::<_, i64>(1)?.cast_unsigned(),
                held: row.get::<_, i64>(2)?.cast_unsigned(),
                complete: row.get(3)?,
                media_type: MediaType::try_from(row.get::<_, i32>(4)?).unwrap_or_default(),
            };
            Ok((row.get(0)?, held))
        })
        .optional()?)
}

/// Returns how many files are named, and how many of these are here; of one log's events, or of all.
fn count(connection: &Connection, origin: Option<NodeId>) -> Result<(u64, u64), StoreError> {
    let (named, held): (i64, i64) = connection
        .prepare_cached(
            "SELECT COUNT(*), COUNT(blob.id)
             FROM (SELECT DISTINCT hash FROM attachment WHERE :origin IS NULL OR origin = :origin) AS named
             LEFT JOIN blob ON blob.hash = named.hash AND blob.complete = 1",
        )?
        .query_row(
            named_params! { ":origin": origin.map(|origin| origin.to_string()) },
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
    Ok((named.cast_unsigned(), held.cast_unsigned()))
}

fn key(id: i64, number: u64) -> i64 {
    id << PART_SHIFT | number.cast_signed()
}

/// Adds a part at the end; says whether it fits there: a part that is not whole ends the file.
fn add(
    connection: &Connection,
    id: i64,
    held: u64,
    part: &[u8],
    now: Millis,
) -> Result<bool, StoreError> {
    let whole = PART_BYTES as u64;
    if part.is_empty()
        || part.len() > PART_BYTES
        || !held.is_multiple_of(whole)
        || held >= MAX_BYTES
    {
        return Ok(false);
    }
    connection
        .prepare_cached("INSERT INTO blob_part(pos, body) VALUES (:pos, :body)")?
        .execute(named_params! { ":pos": key(id, held / whole), ":body": part })?;
    connection
        .prepare_cached("UPDATE blob SET held = held + :more, touched_ms = :now WHERE id = :id")?
        .execute(named_params! { ":more": part.len() as i64, ":now": now.0, ":id": id })?;
    Ok(true)
}

/// Reads bytes of one part: from `offset` to its end at most.
fn part(
    connection: &Connection,
    id: i64,
    offset: u64,
    length: usize,
) -> Result<Vec<u8>, StoreError> {
    let whole = PART_BYTES as u64;
    let body: Option<Vec<u8>> = connection
        .prepare_cached(
            "SELECT substr(body, :from, :length) FROM blob_part WHERE pos = :pos AND :number < :most",
        )?
        .query_row(
            named_params! {
                ":from": (offset % whole) as i64 + 1,
                ":length": length as i64,
                ":pos": key(id, (offset / whole).min(MAX_BYTES / whole - 1)),
                ":number": (offset / whole).min(i64::MAX as u64) as i64,
                ":most": (MAX_BYTES / whole) as i64,
            },
            |row| row.get(0),
        )
        .optional()?;
    Ok(body.unwrap_or_default())
}

fn remove(connection: &Connection, id: i64) -> Result<(), StoreError> {
    connection
        .prepare_cached("DELETE FROM blob_part WHERE pos >= :first AND pos < :behind")?
        .execute(named_params! { ":first": key(id, 0), ":behind": key(id + 1, 0) })?;
    connection
        .prepare_cached("DELETE FROM blob WHERE id = :id")?
        .execute(named_params! { ":id": id })?;
    Ok(())
}
