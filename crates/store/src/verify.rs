//! Checking whole logs in the file: every epoch, every entry, every payload that is here, every stored head.

use posko_ledger::{
    chain::Chain,
    entry::{self, EntryHeader, HEADER_BYTES, Payload},
    epoch::Position,
    head::SignedHead,
};
use posko_proto::NodeId;
use rusqlite::named_params;

use crate::{Store, StoreError, log};

const EVERY_CLASS: u32 = u32::MAX;

/// What a whole log was found to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogReport {
    /// Whose log it is.
    pub origin: NodeId,
    /// How many epochs it has.
    pub epochs: u64,
    /// How many entries it has.
    pub entries: u64,
    /// How many signed heads were checked.
    pub heads: u64,
    /// How many payloads are not here.
    pub missing_payloads: u64,
    /// Where it ends.
    pub end: Position,
}

/// Where and why a log does not hold together.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// An entry, an epoch or a head is not what it must be.
    #[error("log `{origin}` at {place}: {reason}")]
    Broken {
        /// Whose log it is.
        origin: NodeId,
        /// Where.
        place: String,
        /// Why.
        reason: String,
    },
    /// The file.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// Checks a log from its beginning to its durable end, page by page.
    pub fn verify_log(
        &self,
        origin: NodeId,
        progress: &mut dyn FnMut(u64),
    ) -> Result<LogReport, VerifyError> {
        let unknown = || StoreError::NotFound(format!("log `{origin}`"));
        let memory = self.0.shared.log(origin).ok_or_else(unknown)?;
        let end = memory.chain.end();
        let epochs = self.read(|connection| log::epochs(connection, origin))?;
        let mut checked = Checked {
            chain: Chain::new(*memory.chain.identity()),
            report: LogReport {
                origin,
                epochs: 0,
                entries: 0,
                heads: 0,
                missing_payloads: 0,
                end: Position::START,
            },
        };
        // An epoch that was opened since the end was taken is not this report's.
        for (row, open) in epochs
            .into_iter()
            .take_while(|(row, _)| *row <= memory.epoch_row)
        {
            let place = format!("epoch {}", open.epoch);
            checked
                .chain
                .open(&open)
                .map_err(|error| checked.broken(place, &error))?;
            checked.report.epochs += 1;
            loop {
                let after = log::pos(row, checked.chain.end().seq);
                let read = self.rows(row, after)?;
                if read.is_empty() {
                    break;
                }
                for stored in read {
                    if row == memory.epoch_row && stored.pos > log::pos(row, end.seq) {
                        break;
                    }
                    checked.entry(&stored)?;
                }
                progress(checked.report.entries);
                if row == memory.epoch_row && checked.chain.end().seq >= end.seq {
                    break;
                }
            }
        }
        checked.report.end = checked.chain.end();
        if checked.report.end != end {
            let found = checked.report.end;
            return Err(checked.broken(end.to_string(), &format!("the entries end at {found}")));
        }
        // The newest head stands with the cursor until it is kept.
        if let Some(head) = memory.head.filter(|head| head.head.position == end) {
            checked.head(&head, end.to_string())?;
        }
        Ok(checked.report)
    }

    fn rows(&self, row: i64, after: i64) -> Result<Vec<StoredEntry>, StoreError> {
        self.read(|connection| {
            let mut entries = connection.prepare_cached(
                "SELECT header, salt, body, presence, entry.pos, entry.hash, head.signed
                 FROM entry LEFT JOIN payload USING (pos) LEFT JOIN payload_missing USING (pos) LEFT JOIN head USING (pos)
                 WHERE pos > :after AND pos < :end
                 ORDER BY pos
                 LIMIT 1000",
            )?;
            let mut rows = entries.query(named_params! { ":after": after, ":end": log::pos(row + 1, 0) })?;
            let mut read = Vec::new();
            while let Some(row) = rows.next()? {
                let record = log::record(row, EVERY_CLASS)?;
                let (pos, hash, head) = (row.get(4)?, row.get(5)?, row.get(6)?);
                read.push(StoredEntry { header: record.header, payload: record.payload, pos, hash, head });
            }
            Ok(read)
        })
    }
}

struct StoredEntry {
    header: [u8; HEADER_BYTES],
    payload: Payload,
    pos: i64,
    hash: [u8; 32],
    head: Option<Vec<u8>>,
}

struct Checked {
    chain: Chain,
    report: LogReport,
}

impl Checked {
    fn entry(&mut self, stored: &StoredEntry) -> Result<(), VerifyError> {
        let place = format!("{}/{}", self.chain.end().epoch, self.chain.end().seq + 1);
        let header = EntryHeader::decode(&stored.header)
            .map_err(|error| self.broken(place.clone(), &error))?;
        let hash = self
            .chain
            .append(&header, &stored.header)
            .map_err(|error| self.broken(place.clone(), &error))?;
        if hash != stored.hash {
            return Err(self.broken(place, &"the chained hash is not the one stored"));
        }
        match &stored.payload {
            Payload::Present { salt, body } => {
                let bound = body.len() == header.payload_len as usize
                    && entry::commit(salt, body) == header.payload_commit;
                if !bound {
                    return Err(
                        self.broken(place, &"the payload is not the one that the header binds")
                    );
                }
            }
            Payload::Withheld | Payload::Withdrawn | Payload::Erased => {
                self.report.missing_payloads += 1;
            }
        }
        if let Some(signed) = &stored.head {
            let head =
                SignedHead::decode(signed).map_err(|error| self.broken(place.clone(), &error))?;
            self.head(&head, place)?;
        }
        self.report.entries += 1;
        Ok(())
    }

    fn head(&mut self, head: &SignedHead, place: String) -> Result<(), VerifyError> {
        self.chain
            .check_head(head)
            .map_err(|error| self.broken(place, &error))?;
        self.report.heads += 1;
        Ok(())
    }

    fn broken(&self, place: String, reason: &dyn std::fmt::Display) -> VerifyError {
        VerifyError::Broken {
            origin: self.report.origin,
            place,
            reason: reason.to_string(),
        }
    }
}
