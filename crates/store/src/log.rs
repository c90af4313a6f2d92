//! The logs in the file: where each ends, and pages of them for followers.

use std::{collections::BTreeMap, sync::PoisonError};

use posko_ledger::{
    MAX_GROUP_BYTES, MAX_GROUP_ENTRIES,
    chain::{Chain, Identity},
    entry::{EntryHeader, HEADER_BYTES, Payload, Record},
    epoch::{EpochOpen, Position},
    head::SignedHead,
    key::PublicKey,
    tree::Tree,
};
use posko_proto::{NodeId, time::Millis};
use rusqlite::{Connection, OptionalExtension, named_params};

use crate::{
    Store,
    error::{PageError, StoreError},
};

/// How far apart kept heads are at least, in entries; a commit adds at most as many, so that a verification group
/// never passes 1,024.
pub(crate) const CHECKPOINT_ENTRIES: u64 = 512;
/// How many bytes of payloads may lie between kept heads; a commit adds at most as many and one command's events, so
/// that a verification group never passes 4 MiB.
pub(crate) const CHECKPOINT_BYTES: u64 = 1_500_000;
/// The most bytes that a record has beside its payload.
const RECORD_BYTES: u64 = 128;

/// How far one log is held.
#[derive(Clone, Debug)]
pub struct LogState {
    /// Whose log it is.
    pub origin: NodeId,
    /// Its durable and folded end.
    pub end: Position,
    /// How many entries it has.
    pub entries: u64,
    /// The newest signed head at or before the end.
    pub head: Option<SignedHead>,
    /// The best verified head known, which may be ahead of the end.
    pub best: Option<SignedHead>,
    /// When a head was last heard, by this node's clock.
    pub heard_ms: Option<i64>,
    /// The origin's time of the last entry.
    pub last_entry_ms: Option<i64>,
}

/// What the writer keeps of a log between transactions.
#[derive(Clone)]
pub(crate) struct LogMemory {
    pub(crate) chain: Chain,
    pub(crate) epoch_row: i64,
    pub(crate) entries: u64,
    pub(crate) head: Option<SignedHead>,
    /// How far the newest kept head reaches, and the epoch that it is in.
    kept: Kept,
    pub(crate) last_entry_ms: Option<i64>,
    best: Option<SignedHead>,
    heard_ms: Option<i64>,
}

/// The newest checkpoint: a head that stays in the file.
#[derive(Clone, Copy, Default)]
struct Kept {
    epoch_row: i64,
    at: Extent,
}

/// How much of a log lies before a place.
#[derive(Clone, Copy, Default)]
struct Extent {
    entries: u64,
    bytes: u64,
}

impl Extent {
    /// Says whether a group from `since` to here is as large as one may be whose head goes.
    fn is_far_from(self, since: Self) -> bool {
        self.entries - since.entries >= CHECKPOINT_ENTRIES
            || self.bytes - since.bytes >= CHECKPOINT_BYTES
    }

    /// Says whether what lies from `since` to here is more than one verification group.
    fn is_beyond_a_group_of(self, since: Self) -> bool {
        let entries = self.entries - since.entries;
        let bytes = self.bytes - since.bytes + entries * RECORD_BYTES;
        entries > MAX_GROUP_ENTRIES as u64 || bytes > MAX_GROUP_BYTES as u64
    }
}

/// How many bits of an entry's key are its number.
const EPOCH_SHIFT: u32 = 40;

/// Returns an entry's key.
pub(crate) fn pos(epoch_row: i64, seq: u64) -> i64 {
    epoch_row << EPOCH_SHIFT | seq.cast_signed()
}

impl LogMemory {
    pub(crate) fn new(identity: Identity) -> Self {
        Self {
            chain: Chain::new(identity),
            epoch_row: 0,
            entries: 0,
            head: None,
            kept: Kept::default(),
            last_entry_ms: None,
            best: None,
            heard_ms: None,
        }
    }

    /// Says whether entries stand at its end under no head.
    pub(crate) fn is_unsigned(&self) -> bool {
        let end = self.chain.end();
        end.seq > 0 && self.head.is_none_or(|head| head.head.position != end)
    }

    pub(crate) fn state(&self) -> LogState {
        LogState {
            origin: self.chain.identity().origin,
            end: self.chain.end(),
            entries: self.entries,
            head: self.head,
            best: self.best.or(self.head),
            heard_ms: self.heard_ms,
            last_entry_ms: self.last_entry_ms,
        }
    }

    /// Takes a verified head as the best known, unless a better one is; heads only rise.
    pub(crate) fn note(&mut self, head: SignedHead, now: Millis) -> bool {
        self.heard_ms = Some(now.0);
        let rank = |head: &SignedHead| {
            (
                head.head.position.epoch.no,
                head.head.position.seq,
                head.head.wall_ms,
            )
        };
        let rises = self
            .best
            .as_ref()
            .is_none_or(|best| rank(&head) > rank(best));
        if rises {
            self.best = Some(head);
        }
        rises
    }

    pub(crate) fn keep_heard(&mut self, known: &Self) {
        self.heard_ms = self.heard_ms.max(known.heard_ms);
        if let Some(best) = known.best {
            let heard = self.heard_ms;
            self.note(best, Millis(0));
            self.heard_ms = heard;
        }
    }

    fn extent(&self) -> Extent {
        Extent {
            entries: self.entries,
            bytes: self.chain.payload_bytes(),
        }
    }

    /// Says whether the log has grown so far since its newest kept head that the head at its end must be kept.
    pub(crate) fn is_due_for_a_checkpoint(&self) -> bool {
        self.kept.epoch_row != self.epoch_row || self.extent().is_far_from(self.kept.at)
    }

    /// Says whether the head at the log's end must be kept before a group that makes the log this long follows it: no
    /// later head vouches for an epoch's end, and a follower's groups are larger than its origin's commits.
    pub(crate) fn is_due_before(&self, next: &Chain, entries: u64) -> bool {
        let after = Extent {
            entries: self.entries + entries,
            bytes: next.payload_bytes(),
        };
        self.is_due_for_a_checkpoint()
            || next.end().epoch != self.chain.end().epoch
            || after.is_beyond_a_group_of(self.kept.at)
    }

    /// Keeps the head at the log's end, for good.
    pub(crate) fn keep_head(&mut self, connection: &Connection) -> Result<(), StoreError> {
        let Some(head) = self.head.filter(|_| !self.is_unsigned()) else {
            return Ok(());
        };
        connection
            .prepare_cached(
                "INSERT OR IGNORE INTO head(pos, origin, entries, signed) VALUES (:pos, :origin, :entries, :signed)",
            )?
            .execute(named_params! {
                ":pos": pos(self.epoch_row, head.head.position.seq),
                ":origin": head.head.origin.as_str(),
                ":entries": self.entries.cast_signed(),
                ":signed": head.encode(),
            })?;
        self.kept = Kept {
            epoch_row: self.epoch_row,
            at: self.extent(),
        };
        Ok(())
    }

    /// Writes the cursor; it must change exactly the row that it was read from.
    pub(crate) fn store_cursor(
        &self,
        connection: &Connection,
        before: Position,
    ) -> Result<(), StoreError> {
        let end = self.chain.end();
        let changed = connection
            .prepare_cached(
                "INSERT INTO cursor(origin, epoch, seq, hash, tree, payload_bytes, entries, head)
                 VALUES (:origin, :epoch, :seq, :hash, :tree, :payload_bytes, :entries, :head)
                 ON CONFLICT (origin) DO UPDATE
                 SET epoch = :epoch, seq = :seq, hash = :hash, tree = :tree, payload_bytes = :payload_bytes,
                     entries = :entries, head = :head
                 WHERE hash = :before",
            )?
            .execute(named_params! {
                ":origin": self.chain.identity().origin.as_str(),
                ":epoch": self.epoch_row,
                ":seq": end.seq.cast_signed(),
                ":hash": end.hash.as_slice(),
                ":tree": self.chain.tree().encode(),
                ":payload_bytes": self.chain.payload_bytes().cast_signed(),
                ":entries": self.entries.cast_signed(),
                ":head": self.head.filter(|head| head.head.position == end).map(|head| head.encode()),
                ":before": before.hash.as_slice(),
            })?;
        if changed == 1 {
            Ok(())
        } else {
            Err(StoreError::Corrupt {
                what: "a log's cursor",
            })
        }
    }

    /// Stores an epoch and moves to it.
    pub(crate) fn store_epoch(
        &mut self,
        connection: &Connection,
        open: &EpochOpen,
    ) -> Result<(), StoreError> {
        connection
            .prepare_cached(
                "INSERT INTO epoch(origin, no, nonce, open) VALUES (:origin, :no, :nonce, :open)",
            )?
            .execute(named_params! {
                ":origin": open.origin.as_str(),
                ":no": open.epoch.no.cast_signed(),
                ":nonce": open.epoch.nonce.as_slice(),
                ":open": open.encode(),
            })?;
        self.epoch_row = connection.last_insert_rowid();
        Ok(())
    }
}

/// Stores an entry, and its payload or why it is missing.
pub(crate) fn store_entry(
    connection: &Connection,
    at: i64,
    record: &Record,
    hash: &[u8; 32],
) -> Result<(), StoreError> {
    connection
        .prepare_cached("INSERT INTO entry(pos, header, hash) VALUES (:pos, :header, :hash)")?
        .execute(named_params! { ":pos": at, ":header": record.header.as_slice(), ":hash": hash.as_slice() })?;
    match &record.payload {
        Payload::Present { salt, body } => connection
            .prepare_cached("INSERT INTO payload(pos, salt, body) VALUES (:pos, :salt, :body)")?
            .execute(named_params! { ":pos": at, ":salt": salt.as_slice(), ":body": body })?,
        Payload::Withheld | Payload::Withdrawn | Payload::Erased => connection
            .prepare_cached("INSERT INTO payload_missing(pos, presence) VALUES (:pos, :presence)")?
            .execute(named_params! { ":pos": at, ":presence": record.payload.presence() })?,
    };
    Ok(())
}

/// Loads where each log ends, and checks the tail: the last entry must hash to the cursor's hash.
pub(crate) fn load_all(
    connection: &Connection,
    own: &Identity,
) -> Result<BTreeMap<NodeId, LogMemory>, StoreError> {
    let mut logs = BTreeMap::new();
    let mut origins = connection.prepare("SELECT name, recovery FROM origin")?;
    let rows = origins.query_map([], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, [u8; 32]>(1)?))
    })?;
    for row in rows {
        let (name, recovery) = row?;
        let identity = Identity {
            federation: own.federation,
            origin: crate::node(&name)?,
            recovery: PublicKey::from_bytes("origin", &recovery)?,
        };
        logs.insert(identity.origin, load(connection, identity)?);
    }
    Ok(logs)
}

fn load(connection: &Connection, identity: Identity) -> Result<LogMemory, StoreError> {
    type Row = (
        i64,
        i64,
        [u8; 32],
        Vec<u8>,
        i64,
        i64,
        Vec<u8>,
        Option<Vec<u8>>,
    );
    let mut log = LogMemory::new(identity);
    let origin = identity.origin.as_str();
    let row: Option<Row> = connection
        .query_row(
            "SELECT epoch.id, seq, hash, tree, payload_bytes, entries, open, head
             FROM cursor JOIN epoch ON epoch.id = cursor.epoch
             WHERE cursor.origin = :origin",
            named_params! { ":origin": origin },
            |row| {
                Ok((
                    row.get(0)?,
                    row.get(1)?,
                    row.get(2)?,
                    row.get(3)?,
                    row.get(4)?,
                    row.get(5)?,
                    row.get(6)?,
                    row.get(7)?,
                ))
            },
        )
        .optional()?;
    let Some((epoch_row, seq, hash, tree, payload_bytes, entries, open, head)) = row else {
        return Ok(log);
    };
    let open = EpochOpen::decode(&open)?;
    let end = Position {
        epoch: open.epoch,
        seq: seq.cast_unsigned(),
        hash,
    };
    let tree = Tree::decode(&tree)?;
    log.chain = Chain::restore(
        identity,
        end,
        open.log_key,
        tree,
        payload_bytes.cast_unsigned(),
    );
    log.epoch_row = epoch_row;
    log.entries = entries.cast_unsigned();
    if end.seq > 0 {
        let (header, stored) = entry_at(connection, pos(epoch_row, end.seq))?.ok_or(CURSOR)?;
        if stored != hash {
            return Err(CURSOR);
        }
        log.last_entry_ms = Some(EntryHeader::decode(&header)?.wall_ms.cast_signed());
    }
    load_heads(connection, &mut log, head)?;
    Ok(log)
}

const CURSOR: StoreError = StoreError::Corrupt {
    what: "the end of a log",
};

/// Takes the head at the end, or the newest kept one where a crash left entries under none.
fn load_heads(
    connection: &Connection,
    log: &mut LogMemory,
    newest: Option<Vec<u8>>,
) -> Result<(), StoreError> {
    let origin = log.chain.identity().origin;
    let kept: Option<(i64, i64, Vec<u8>)> = connection
        .query_row(
            "SELECT pos, entries, signed FROM head WHERE origin = :origin ORDER BY entries DESC LIMIT 1",
            named_params! { ":origin": origin.as_str() },
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .optional()?;
    let newest = newest
        .map(|signed| SignedHead::decode(&signed))
        .transpose()?;
    if let Some((pos, entries, signed)) = kept {
        let head = SignedHead::decode(&signed)?;
        log.kept = Kept {
            epoch_row: pos >> EPOCH_SHIFT,
            at: Extent {
                entries: entries.cast_unsigned(),
                bytes: head.head.payload_bytes,
            },
        };
        log.head = Some(head);
    }
    log.head = newest.or(log.head);
    log.best = log.head;
    Ok(())
}

type HeaderAndHash = ([u8; HEADER_BYTES], [u8; 32]);

fn entry_at(connection: &Connection, pos: i64) -> Result<Option<HeaderAndHash>, rusqlite::Error> {
    connection
        .prepare_cached("SELECT header, hash FROM entry WHERE pos = :pos")?
        .query_row(named_params! { ":pos": pos }, |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()
}

/// Consecutive entries of one epoch, for a follower.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Epochs opened right after the position asked after, before the records; all but the last are empty.
    pub opens: Vec<EpochOpen>,
    /// The position before the first record.
    pub prev: Position,
    /// The records; payloads of classes that the asker may not have are withheld.
    pub records: Vec<Record>,
    /// The signed head at the last record; none when the verification group goes on.
    pub head: Option<SignedHead>,
}

impl Store {
    /// Returns the epochs of a log, oldest first.
    pub fn opens(&self, origin: NodeId) -> Result<Vec<EpochOpen>, StoreError> {
        self.read(|connection| opens(connection, origin))
    }

    /// Returns what follows a position of a log as far as it is in memory, without waiting for the disk; none when it
    /// must be read with [`Store::page`].
    pub fn fresh_page(
        &self,
        origin: NodeId,
        after: Position,
        max_entries: usize,
        max_bytes: usize,
        classes: u32,
    ) -> Option<Page> {
        if origin != self.identity().origin {
            return None;
        }
        let tail = self
            .0
            .shared
            .tail
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        tail.page(after, max_entries, max_bytes, classes)
    }

    /// Returns what follows a position of a log: at least one entry where there is one, within the limits.
    pub fn page(
        &self,
        origin: NodeId,
        after: Position,
        max_entries: usize,
        max_bytes: usize,
        classes: u32,
    ) -> Result<Page, PageError> {
        let log = self.0.shared.log(origin).ok_or(PageError::NoSuchOrigin)?;
        let empty = Page {
            opens: Vec::new(),
            prev: after,
            records: Vec::new(),
            head: None,
        };
        if after == log.chain.end() {
            return Ok(empty);
        }
        // Errors of a page carry their own code, so they pass through the reader as a value.
        self.read(|connection| {
            Ok(page(
                connection,
                &log,
                empty,
                max_entries,
                max_bytes,
                classes,
            ))
        })?
    }
}

fn page(
    connection: &Connection,
    log: &LogMemory,
    mut page: Page,
    max_entries: usize,
    max_bytes: usize,
    classes: u32,
) -> Result<Page, PageError> {
    let origin = log.chain.identity().origin;
    let Some(row) = start_of(connection, origin, &mut page)? else {
        return Ok(page);
    };
    let end = log.chain.end();
    let last_seq = if row == log.epoch_row {
        end.seq
    } else {
        u64::MAX >> (64 - EPOCH_SHIFT)
    };
    read_records(
        connection,
        row,
        last_seq,
        &mut page,
        max_entries,
        max_bytes,
        classes,
    )?;
    let last = page.prev.seq + page.records.len() as u64;
    // The first head after the position asked after: a group that began in an earlier page must end as soon as it can.
    let newest = log
        .head
        .map(|head| (head, head.head.position.seq))
        .filter(|(_, seq)| row == log.epoch_row && *seq <= last && *seq > page.prev.seq);
    page.head = match head_within(connection, pos(row, page.prev.seq), pos(row, last))? {
        Some(stored) => Some(stored),
        None => newest.map(|(head, _)| head),
    };
    if let Some(head) = &page.head {
        page.records
            .truncate((head.head.position.seq - page.prev.seq) as usize);
    }
    Ok(page)
}

/// Finds the epoch in which the next entry stands, passing over what ends at the position asked after.
fn start_of(
    connection: &Connection,
    origin: NodeId,
    page: &mut Page,
) -> Result<Option<i64>, PageError> {
    let after = page.prev;
    let mut epochs = epochs(connection, origin)?.into_iter().peekable();
    if !after.is_start() {
        let found = epochs
            .find(|(_, open)| open.epoch == after.epoch)
            .ok_or(PageError::UnknownEpoch)?;
        let hash = if after.seq == 0 {
            Some(found.1.hash())
        } else {
            entry_at(connection, pos(found.0, after.seq))?.map(|(_, hash)| hash)
        };
        if hash != Some(after.hash) {
            return Err(PageError::Diverged);
        }
        if entry_at(connection, pos(found.0, after.seq + 1))?.is_some() {
            return Ok(Some(found.0));
        }
    }
    for (row, open) in epochs {
        if open.parent != page.prev {
            return Err(PageError::Diverged);
        }
        page.prev = open.position();
        page.opens.push(open);
        if entry_at(connection, pos(row, 1))?.is_some() {
            return Ok(Some(row));
        }
    }
    Ok(None)
}

fn read_records(
    connection: &Connection,
    row: i64,
    last_seq: u64,
    page: &mut Page,
    max_entries: usize,
    max_bytes: usize,
    classes: u32,
) -> Result<(), PageError> {
    let mut entries = connection.prepare_cached(
        "SELECT header, salt, body, presence
         FROM entry LEFT JOIN payload USING (pos) LEFT JOIN payload_missing USING (pos)
         WHERE pos > :after AND pos <= :last
         ORDER BY pos
         LIMIT :most",
    )?;
    let mut rows = entries.query(named_params! {
        ":after": pos(row, page.prev.seq),
        ":last": pos(row, last_seq),
        ":most": max_entries as i64,
    })?;
    let mut bytes = 0;
    while let Some(row) = rows.next()? {
        let record = record(row, classes)?;
        bytes += record.encoded_len();
        if bytes > max_bytes && !page.records.is_empty() {
            break;
        }
        page.records.push(record);
    }
    Ok(())
}

/// Reads a record from `header, salt, body, presence`; what the classes do not allow is withheld.
pub(crate) fn record(row: &rusqlite::Row<'_>, classes: u32) -> Result<Record, StoreError> {
    let header: [u8; HEADER_BYTES] = row.get(0)?;
    let class = EntryHeader::decode(&header)?.class;
    let payload = if class.bit() & classes == 0 {
        Payload::Withheld
    } else {
        match (
            row.get::<_, Option<[u8; 16]>>(1)?,
            row.get::<_, Option<Vec<u8>>>(2)?,
            row.get::<_, Option<u8>>(3)?,
        ) {
            (Some(salt), Some(body), None) => Payload::Present { salt, body },
            (None, None, Some(3)) => Payload::Withdrawn,
            (None, None, Some(4)) => Payload::Erased,
            (None, None, Some(2)) => Payload::Withheld,
            _ => {
                return Err(StoreError::Corrupt {
                    what: "an entry's payload",
                });
            }
        }
    };
    Ok(Record { header, payload })
}

fn head_within(
    connection: &Connection,
    after: i64,
    last: i64,
) -> Result<Option<SignedHead>, StoreError> {
    let signed: Option<Vec<u8>> = connection
        .prepare_cached(
            "SELECT signed FROM head WHERE pos > :after AND pos <= :last ORDER BY pos LIMIT 1",
        )?
        .query_row(named_params! { ":after": after, ":last": last }, |row| {
            row.get(0)
        })
        .optional()?;
    Ok(signed
        .map(|signed| SignedHead::decode(&signed))
        .transpose()?)
}

/// Returns the epochs of a log with their rows, oldest first.
pub(crate) fn epochs(
    connection: &Connection,
    origin: NodeId,
) -> Result<Vec<(i64, EpochOpen)>, StoreError> {
    let mut epochs = connection
        .prepare_cached("SELECT id, open FROM epoch WHERE origin = :origin ORDER BY id")?;
    let rows = epochs.query_map(named_params! { ":origin": origin.as_str() }, |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?))
    })?;
    rows.map(|row| {
        let (id, open) = row?;
        Ok((id, EpochOpen::decode(&open)?))
    })
    .collect()
}

fn opens(connection: &Connection, origin: NodeId) -> Result<Vec<EpochOpen>, StoreError> {
    Ok(epochs(connection, origin)?
        .into_iter()
        .map(|(_, open)| open)
        .collect())
}

/// Returns the number that the next epoch of a log gets.
pub(crate) fn next_epoch_no(connection: &Connection, origin: NodeId) -> Result<u64, StoreError> {
    let highest: Option<i64> = connection.query_row(
        "SELECT MAX(no) FROM epoch WHERE origin = :origin",
        named_params! { ":origin": origin.as_str() },
        |row| row.get(0),
    )?;
    Ok(highest.unwrap_or(0).cast_unsigned() + 1)
}
