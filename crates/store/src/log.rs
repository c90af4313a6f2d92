//! The logs in the file: where each ends, and pages of them for followers.

use std::{collections::BTreeMap, sync::PoisonError};

use posko_ledger::{
    MAX_GROUP_BYTES, MAX_GROUP_ENTRIES,
    chain::{Chain, Identity},
    engine::rank,
    entry::{EntryHeader, HEADER_BYTES, Payload, Record},
    epoch::{EpochOpen, Position},
    head::SignedHead,
    key::PublicKey,
    tree::Tree,
};
use posko_proto::{Id, NodeId, time::Millis};
use rusqlite::{Connection, OptionalExtension, named_params};

use crate::{
    Store,
    branch::{self, Segment},
    error::{PageError, StoreError},
    fork::{Forks, Quarantine},
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
    /// How many entries are held that the log's newer epochs left out and that its origin has not recorded again: an
    /// alarm until it has, unless another machine wrote them ([`Store::left_out`]).
    pub cut: u64,
    /// The proofs held that it is forked, each of another epoch.
    pub forks: Vec<Quarantine>,
    /// The one for which nothing more of it is applied; what was applied is disputed.
    pub quarantine: Option<Quarantine>,
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
    /// See [`LogState::cut`].
    pub(crate) cut: u64,
    pub(crate) forks: Forks,
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

/// Returns the row of the epoch in which an entry's key stands.
pub(crate) fn row_at(pos: i64) -> i64 {
    pos >> EPOCH_SHIFT
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
            cut: 0,
            forks: Forks::default(),
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
            best: self.best.into_iter().chain(self.head).max_by_key(rank),
            heard_ms: self.heard_ms,
            last_entry_ms: self.last_entry_ms,
            cut: self.cut,
            forks: self.forks.held.clone(),
            quarantine: self.forks.quarantine,
        }
    }

    /// Takes a verified head by which its origin was heard of now.
    pub(crate) fn note(&mut self, head: SignedHead, now: Millis) -> bool {
        self.heard_ms = Some(now.0);
        self.know(head)
    }

    /// Takes a verified head as the best known, unless a better one is; heads only rise. It may be as old as its log:
    /// through a relay it says nothing of its origin's life.
    pub(crate) fn know(&mut self, head: SignedHead) -> bool {
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
            self.know(best);
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
        let is_kept = self.kept.epoch_row == self.epoch_row && self.kept.at.entries == self.entries;
        let Some(head) = self.head.filter(|_| !self.is_unsigned() && !is_kept) else {
            return Ok(());
        };
        insert_head(connection, self.epoch_row, self.entries, &head)?;
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
        self.epoch_row = insert_epoch(connection, open)?;
        Ok(())
    }

    /// Looks again whether the log runs into a proven fork.
    pub(crate) fn load_forks(&mut self, connection: &Connection) -> Result<(), StoreError> {
        if !self.forks.held.is_empty() {
            let end = (self.epoch_row, self.chain.end().seq);
            self.forks = Forks::load(connection, self.chain.identity().origin, end)?;
        }
        Ok(())
    }

    /// Takes the newest kept head of a path.
    pub(crate) fn load_kept(
        &mut self,
        connection: &Connection,
        path: &[Segment],
    ) -> Result<Option<SignedHead>, StoreError> {
        self.kept = Kept::default();
        for segment in path.iter().rev() {
            let kept: Option<(i64, i64, Vec<u8>)> = connection
                .prepare_cached(
                    "SELECT pos, entries, signed FROM head
                     WHERE pos > :first AND pos <= :last ORDER BY pos DESC LIMIT 1",
                )?
                .query_row(
                    named_params! {
                        ":first": pos(segment.row, 0),
                        ":last": pos(segment.row, segment.upto),
                    },
                    |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
                )
                .optional()?;
            let Some((at, entries, signed)) = kept else {
                continue;
            };
            let head = SignedHead::decode(&signed)?;
            self.kept = Kept {
                epoch_row: row_at(at),
                at: Extent {
                    entries: entries.cast_unsigned(),
                    bytes: head.head.payload_bytes,
                },
            };
            return Ok(Some(head));
        }
        Ok(None)
    }
}

/// Keeps a head, for good; `entries` is how long the log is there.
pub(crate) fn insert_head(
    connection: &Connection,
    epoch_row: i64,
    entries: u64,
    head: &SignedHead,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT OR IGNORE INTO head(pos, origin, entries, signed) VALUES (:pos, :origin, :entries, :signed)",
        )?
        .execute(named_params! {
            ":pos": pos(epoch_row, head.head.position.seq),
            ":origin": head.head.origin.as_str(),
            ":entries": entries.cast_signed(),
            ":signed": head.encode(),
        })?;
    Ok(())
}

/// Stores an epoch, and returns its row.
pub(crate) fn insert_epoch(connection: &Connection, open: &EpochOpen) -> Result<i64, StoreError> {
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
    Ok(connection.last_insert_rowid())
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

/// Notes where a version of a stream stands; says whether that version was new.
pub(crate) fn place(
    connection: &Connection,
    origin: NodeId,
    header: &EntryHeader,
    at: i64,
) -> Result<bool, StoreError> {
    let placed = connection
        .prepare_cached(
            "INSERT OR IGNORE INTO stream_entry(origin, stream, version, pos)
             VALUES (:origin, :stream, :version, :pos)",
        )?
        .execute(named_params! {
            ":origin": origin.as_str(),
            ":stream": header.stream_id.as_bytes(),
            ":version": header.stream_version,
            ":pos": at,
        })?;
    Ok(placed == 1)
}

/// Returns the newest version of a stream in a log, 0 when it has none. The state may be behind it: an entry whose payload
/// is not here is not folded, and its version is given all the same.
pub(crate) fn last_version(
    connection: &Connection,
    origin: NodeId,
    stream: Id,
) -> Result<u32, StoreError> {
    let last: Option<u32> = connection
        .prepare_cached(
            "SELECT MAX(version) FROM stream_entry WHERE origin = :origin AND stream = :stream",
        )?
        .query_row(
            named_params! { ":origin": origin.as_str(), ":stream": stream.as_bytes() },
            |row| row.get(0),
        )?;
    Ok(last.unwrap_or(0))
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
        log.forks = Forks::load(connection, identity.origin, (0, 0))?;
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
    log.cut = branch::orphans(connection, identity.origin)?;
    log.forks = Forks::load(connection, identity.origin, (epoch_row, end.seq))?;
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
    let path = branch::path(connection, origin, (log.epoch_row, log.chain.end().seq))?;
    let kept = log.load_kept(connection, &path)?;
    let newest = newest
        .map(|signed| SignedHead::decode(&signed))
        .transpose()?;
    log.head = newest.or(kept);
    log.best = log.head;
    Ok(())
}

pub(crate) type HeaderAndHash = ([u8; HEADER_BYTES], [u8; 32]);

pub(crate) fn entry_at(
    connection: &Connection,
    pos: i64,
) -> Result<Option<HeaderAndHash>, rusqlite::Error> {
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
        let end = log.chain.end();
        let limits = Limits {
            max_entries,
            max_bytes,
            classes,
        };
        if after == end {
            return Ok(Page::at(after));
        }
        // Errors of a page carry their own code, so they pass through the reader as a value.
        self.read(|connection| {
            let end = (log.epoch_row, end.seq);
            Ok(page(connection, origin, end, log.head, after, limits))
        })?
    }

    /// Returns what follows a position on the way to another that is held here, also one that the canonical log leaves
    /// out: the pages by which a branch is given.
    pub fn page_towards(
        &self,
        origin: NodeId,
        end: Position,
        after: Position,
        max_entries: usize,
        max_bytes: usize,
        classes: u32,
    ) -> Result<Page, PageError> {
        let limits = Limits {
            max_entries,
            max_bytes,
            classes,
        };
        if after == end {
            return Ok(Page::at(after));
        }
        let log = self.0.shared.log(origin).ok_or(PageError::NoSuchOrigin)?;
        let newest = log.head.filter(|head| head.head.position == end);
        self.read(|connection| {
            let Some(row) = row_of(connection, origin, end)? else {
                return Ok(Err(PageError::UnknownEpoch));
            };
            Ok(page(
                connection,
                origin,
                (row, end.seq),
                newest,
                after,
                limits,
            ))
        })?
    }
}

impl Page {
    /// Returns the page of one who has everything.
    fn at(after: Position) -> Self {
        Self {
            opens: Vec::new(),
            prev: after,
            records: Vec::new(),
            head: None,
        }
    }
}

/// How much a page may hold.
#[derive(Clone, Copy)]
struct Limits {
    max_entries: usize,
    max_bytes: usize,
    classes: u32,
}

/// Reads what follows a position on the way to an end, given by its epoch's row and its entry's number; `newest` is the
/// head there, when it may not be kept yet.
fn page(
    connection: &Connection,
    origin: NodeId,
    end: (i64, u64),
    newest: Option<SignedHead>,
    after: Position,
    limits: Limits,
) -> Result<Page, PageError> {
    let mut page = Page::at(after);
    let path = branch::path(connection, origin, end)?;
    let Some((row, last_seq)) = start_of(connection, origin, path, &mut page)? else {
        return Ok(page);
    };
    read_records(connection, row, last_seq, &mut page, limits)?;
    let last = page.prev.seq + page.records.len() as u64;
    // The first head after the position asked after: a group that began in an earlier page must end as soon as it can.
    let newest = newest
        .map(|head| (head, head.head.position.seq))
        .filter(|(_, seq)| row == end.0 && *seq <= last && *seq > page.prev.seq);
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
    path: Vec<Segment>,
    page: &mut Page,
) -> Result<Option<(i64, u64)>, PageError> {
    let after = page.prev;
    let mut path = path.into_iter();
    if !after.is_start() {
        let Some(found) = path.find(|segment| segment.open.epoch == after.epoch) else {
            // It is known and cut off as a whole, or not known at all.
            let known = epochs(connection, origin)?;
            let is_known = known.iter().any(|(_, open)| open.epoch == after.epoch);
            return Err(if is_known {
                PageError::Diverged
            } else {
                PageError::UnknownEpoch
            });
        };
        let hash = if after.seq == 0 {
            Some(found.open.hash())
        } else {
            entry_at(connection, pos(found.row, after.seq))?.map(|(_, hash)| hash)
        };
        if hash != Some(after.hash) || after.seq > found.upto {
            return Err(PageError::Diverged);
        }
        if after.seq < found.upto {
            return Ok(Some((found.row, found.upto)));
        }
    }
    for Segment { row, open, upto } in path {
        if open.parent != page.prev {
            return Err(PageError::Diverged);
        }
        page.prev = open.position();
        page.opens.push(open);
        if upto > 0 {
            return Ok(Some((row, upto)));
        }
    }
    Ok(None)
}

fn read_records(
    connection: &Connection,
    row: i64,
    last_seq: u64,
    page: &mut Page,
    limits: Limits,
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
        ":most": limits.max_entries as i64,
    })?;
    let mut bytes = 0;
    while let Some(row) = rows.next()? {
        let record = record(row, limits.classes)?;
        bytes += record.encoded_len();
        if bytes > limits.max_bytes && !page.records.is_empty() {
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

/// Says whether a position lies in a log as it is held here.
pub(crate) fn holds(
    connection: &Connection,
    origin: NodeId,
    at: Position,
) -> Result<bool, StoreError> {
    Ok(at.is_start() || row_of(connection, origin, at)?.is_some())
}

/// Returns the row of a position's epoch, if the position is held with just that hash.
pub(crate) fn row_of(
    connection: &Connection,
    origin: NodeId,
    at: Position,
) -> Result<Option<i64>, StoreError> {
    let epochs = epochs(connection, origin)?;
    let Some((row, open)) = epochs.iter().find(|(_, open)| open.epoch == at.epoch) else {
        return Ok(None);
    };
    let hash = if at.seq == 0 {
        Some(open.hash())
    } else {
        entry_at(connection, pos(*row, at.seq))?.map(|(_, hash)| hash)
    };
    Ok((hash == Some(at.hash)).then_some(*row))
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
