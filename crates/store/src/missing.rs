//! Payloads that came withheld and that this node may have: which they are, and how they are filled in.

use posko_ledger::{
    entry::{EntryHeader, HEADER_BYTES, Payload, Record, commit},
    epoch::Epoch,
};
use posko_proto::NodeId;
use rusqlite::{Connection, OptionalExtension, named_params};

use crate::{Store, StoreError, log};

/// Payloads of one epoch that are missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Whose log.
    pub origin: NodeId,
    /// In which epoch.
    pub epoch: Epoch,
    /// Which entries, rising.
    pub seqs: Vec<u64>,
    /// The place of the last one, after which the next are asked.
    pub last: i64,
}

impl Store {
    /// Returns missing payloads of these classes after a place, 0 for the first: of one epoch, at most as many.
    pub fn missing(
        &self,
        classes: u32,
        after: i64,
        most: usize,
    ) -> Result<Option<Missing>, StoreError> {
        self.read(|connection| missing(connection, classes, after, most))
    }

    /// Returns how many payloads of these classes are missing in a log.
    pub fn count_missing(&self, origin: NodeId, classes: u32) -> Result<u64, StoreError> {
        self.read(|connection| {
            let mut entries = connection.prepare_cached(
                "SELECT header
                 FROM payload_missing JOIN entry USING (pos) JOIN epoch ON epoch.id = entry.pos >> 40
                 WHERE presence = 2 AND epoch.origin = :origin",
            )?;
            let mut rows = entries.query(named_params! { ":origin": origin.as_str() })?;
            let mut count = 0;
            while let Some(row) = rows.next()? {
                let header = EntryHeader::decode(&row.get::<_, [u8; HEADER_BYTES]>(0)?)?;
                count += u64::from(header.class.bit() & classes != 0);
            }
            Ok(count)
        })
    }

    /// Returns payloads of an epoch in the order asked: what the classes do not allow, and what is not here, is withheld.
    /// It ends before one that would pass the most bytes, unless that is the first.
    pub fn payloads(
        &self,
        origin: NodeId,
        epoch: Epoch,
        seqs: &[u64],
        max_bytes: usize,
        classes: u32,
    ) -> Result<Vec<(u64, Payload)>, StoreError> {
        self.read(|connection| {
            let row = epoch_row(connection, origin, epoch)?;
            let mut payloads = Vec::new();
            let mut bytes = 0;
            for seq in seqs {
                let record = match row {
                    Some(row) => record(connection, row, *seq, classes)?,
                    None => None,
                };
                let payload = record.map_or(Payload::Withheld, |record| record.payload);
                if let Payload::Present { body, .. } = &payload {
                    bytes += body.len();
                    if bytes > max_bytes && bytes > body.len() {
                        break;
                    }
                }
                payloads.push((*seq, payload));
            }
            Ok(payloads)
        })
    }

    /// Takes a peer's answer: stores payloads that are missing, and returns how many: one that its header does not bind,
    /// and one that is not missing, is passed over. Whoever does not give a payload of the own log was asked for it. The
    /// views count as old from then on, until [`Store::rebuild_views`] or the next start has folded what came.
    pub fn fill(
        &self,
        peer: NodeId,
        origin: NodeId,
        epoch: Epoch,
        payloads: Vec<(u64, Payload)>,
    ) -> Result<u64, StoreError> {
        let shared = self.0.shared.clone();
        let own = self.identity().origin;
        self.change(move |connection| {
            let Some(row) = epoch_row(connection, origin, epoch)? else {
                return Ok(0);
            };
            let mut filled = 0;
            for (seq, payload) in payloads {
                if fill(connection, row, seq, &payload)? {
                    filled += 1;
                } else if origin == own {
                    shared.refused().note(log::pos(row, seq), peer);
                }
            }
            if filled > 0 {
                connection.execute("UPDATE view_version SET version = 0", [])?;
            }
            Ok(filled)
        })
    }
}

fn missing(
    connection: &Connection,
    classes: u32,
    after: i64,
    most: usize,
) -> Result<Option<Missing>, StoreError> {
    let mut entries = connection.prepare_cached(
        "SELECT pos, origin, no, nonce, header
         FROM payload_missing JOIN entry USING (pos) JOIN epoch ON epoch.id = entry.pos >> 40
         WHERE presence = 2 AND pos > :after
         ORDER BY pos",
    )?;
    let mut rows = entries.query(named_params! { ":after": after })?;
    let mut found: Option<Missing> = None;
    while let Some(row) = rows.next()? {
        let header = EntryHeader::decode(&row.get::<_, [u8; HEADER_BYTES]>(4)?)?;
        if header.class.bit() & classes == 0 {
            continue;
        }
        let origin = crate::node(&row.get::<_, String>(1)?)?;
        let epoch = Epoch {
            no: row.get::<_, i64>(2)?.cast_unsigned(),
            nonce: row.get(3)?,
        };
        let group = found.get_or_insert_with(|| Missing {
            origin,
            epoch,
            seqs: Vec::new(),
            last: after,
        });
        if (group.origin, group.epoch) != (origin, epoch) || group.seqs.len() >= most {
            break;
        }
        group.seqs.push(header.seq);
        group.last = row.get(0)?;
    }
    Ok(found)
}

/// Returns the row of an epoch.
pub(crate) fn epoch_row(
    connection: &Connection,
    origin: NodeId,
    epoch: Epoch,
) -> Result<Option<i64>, StoreError> {
    let row = connection
        .prepare_cached(
            "SELECT id FROM epoch WHERE origin = :origin AND no = :no AND nonce = :nonce",
        )?
        .query_row(
            named_params! {
                ":origin": origin.as_str(),
                ":no": epoch.no.cast_signed(),
                ":nonce": epoch.nonce.as_slice(),
            },
            |row| row.get(0),
        )
        .optional()?;
    Ok(row)
}

fn record(
    connection: &Connection,
    epoch_row: i64,
    seq: u64,
    classes: u32,
) -> Result<Option<Record>, StoreError> {
    let mut entries = connection.prepare_cached(
        "SELECT header, salt, body, presence
         FROM entry LEFT JOIN payload USING (pos) LEFT JOIN payload_missing USING (pos)
         WHERE pos = :pos",
    )?;
    let mut rows = entries.query(named_params! { ":pos": log::pos(epoch_row, seq) })?;
    let row = rows.next()?;
    row.map(|row| log::record(row, classes)).transpose()
}

fn fill(
    connection: &Connection,
    epoch_row: i64,
    seq: u64,
    payload: &Payload,
) -> Result<bool, StoreError> {
    let Payload::Present { salt, body } = payload else {
        return Ok(false);
    };
    let Some(record) = record(connection, epoch_row, seq, u32::MAX)? else {
        return Ok(false);
    };
    let header = EntryHeader::decode(&record.header)?;
    let bound =
        header.payload_len as usize == body.len() && commit(salt, body) == header.payload_commit;
    if record.payload != Payload::Withheld || !bound {
        return Ok(false);
    }
    let at = log::pos(epoch_row, seq);
    connection
        .prepare_cached("DELETE FROM payload_missing WHERE pos = :pos")?
        .execute(named_params! { ":pos": at })?;
    connection
        .prepare_cached("INSERT INTO payload(pos, salt, body) VALUES (:pos, :salt, :body)")?
        .execute(named_params! { ":pos": at, ":salt": salt.as_slice(), ":body": body })?;
    Ok(true)
}
