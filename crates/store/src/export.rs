//! Writing a log out, to be checked by anyone.

use std::io::Write;

use posko_ledger::{MAX_GROUP_BYTES, MAX_GROUP_ENTRIES, head::SignedHead, log_file};
use posko_proto::{NodeId, time::Millis};

use crate::{
    Store, StoreError,
    error::PageError,
    log::{LogMemory, Page},
};

impl Store {
    /// Writes a log from its beginning to its newest signed head, with every payload that is here, and returns how
    /// many entries it has.
    pub fn export_log(&self, origin: NodeId, out: impl Write) -> Result<u64, StoreError> {
        let log = self
            .0
            .shared
            .log(origin)
            .ok_or_else(|| StoreError::NotFound(format!("log `{origin}`")))?;
        let mut writer =
            log_file::Writer::new(out, log.chain.identity()).map_err(StoreError::Write)?;
        let mut at = posko_ledger::epoch::Position::START;
        let mut entries = 0;
        loop {
            let page = self
                .page(origin, at, MAX_GROUP_ENTRIES, MAX_GROUP_BYTES, u32::MAX)
                .map_err(of_page)?;
            if page.records.is_empty() {
                break;
            }
            let Some(head) = page.head.or_else(|| self.head_of_tail(&log, &page)) else {
                return Err(StoreError::Corrupt {
                    what: "the distance between two signed heads",
                });
            };
            for open in &page.opens {
                writer.open(open).map_err(StoreError::Write)?;
            }
            for record in &page.records {
                writer.entry(record).map_err(StoreError::Write)?;
            }
            writer.head(&head).map_err(StoreError::Write)?;
            entries += page.records.len() as u64;
            at = head.head.position;
        }
        let mut out = writer.finish().map_err(StoreError::Write)?;
        out.flush().map_err(StoreError::Write)?;
        Ok(entries)
    }

    /// Signs the end of the own log: its newest head is stored with the write that comes after it.
    fn head_of_tail(&self, log: &LogMemory, page: &Page) -> Option<SignedHead> {
        let end = log.chain.end();
        let reaches_end = page.prev.seq + page.records.len() as u64 == end.seq;
        let head = self.own_head(Millis(log.last_entry_ms?))?;
        (reaches_end
            && head.head.position == end
            && head.head.origin == log.chain.identity().origin)
            .then_some(head)
    }
}

fn of_page(error: PageError) -> StoreError {
    match error {
        PageError::Store(error) => error,
        PageError::NoSuchOrigin | PageError::UnknownEpoch | PageError::Diverged => {
            StoreError::Corrupt {
                what: "a log's order",
            }
        }
    }
}
