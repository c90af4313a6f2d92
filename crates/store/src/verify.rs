//! Checking whole logs in the file: every epoch, every entry, every payload that is here, every stored head.

use std::collections::BTreeMap;

use posko_domain::event::{DISOWNED, Event, LogEvent, PAYLOAD_LOST};
use posko_ledger::{
    chain::Chain,
    entry::{self, EntryHeader, HEADER_BYTES, Payload},
    epoch::{Epoch, Position},
    head::SignedHead,
};
use posko_proto::{Id, NodeId, common::v1::Envelope, id::hex};
use prost::Message;
use rusqlite::named_params;

use crate::{
    Store, StoreError,
    branch::{self, Segment},
    gap::{self, OtherBranch},
    log,
};

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
    /// How many files its events name.
    pub files_named: u64,
    /// How many of these are here, each of which is what its hash says.
    pub files_held: u64,
    /// Where it ends.
    pub end: Position,
    /// What is held beside it that another machine wrote, and that nobody recorded again.
    pub other_branches: Vec<OtherBranch>,
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
    /// The origin signed two entries for one place.
    #[error(
        "log `{origin}` is forked: two entries {epoch}/{seq} are signed, proof {proof}; what is held of it from there on is disputed until its owner opens it again"
    )]
    Forked {
        /// Whose log it is.
        origin: NodeId,
        /// In which epoch.
        epoch: Epoch,
        /// Which entry.
        seq: u64,
        /// What names the proof, in short.
        proof: String,
    },
    /// The origin left entries out of its log, which are held here, and has not recorded them again.
    #[error(
        "log `{origin}` leaves out {} entries that it once had, and has neither recorded them again nor disowned them: {}",
        events.len(), named(events)
    )]
    Withheld {
        /// Whose log it is.
        origin: NodeId,
        /// Their events.
        events: Vec<Id>,
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
        // Before the end is taken: what is recorded again in between is met on the way to it.
        let orphans = self.read(|connection| branch::left_out(connection, origin))?;
        let memory = self.0.shared.log(origin).ok_or_else(unknown)?;
        let end = memory.chain.end();
        let path =
            self.read(|connection| branch::path(connection, origin, (memory.epoch_row, end.seq)))?;
        let mut checked = Checked {
            chain: Chain::new(*memory.chain.identity()),
            orphans,
            report: LogReport {
                origin,
                epochs: 0,
                entries: 0,
                heads: 0,
                missing_payloads: 0,
                files_named: 0,
                files_held: 0,
                end: Position::START,
                other_branches: Vec::new(),
            },
        };
        for Segment { row, open, upto } in path {
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
                    if stored.pos > log::pos(row, upto) {
                        break;
                    }
                    checked.entry(&stored)?;
                }
                progress(checked.report.entries);
                if checked.chain.end().seq >= upto {
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
        let (named, held, damaged) = self.verify_blobs(origin)?;
        if let Some(hash) = damaged {
            let place = format!("file `{}`", hex(&hash));
            return Err(checked.broken(place, &"its bytes are not those of its hash"));
        }
        (checked.report.files_named, checked.report.files_held) = (named, held);
        if let Some(fork) = memory.forks.quarantine {
            return Err(VerifyError::Forked {
                origin,
                epoch: fork.at.epoch,
                seq: fork.at.seq,
                proof: hex(fork.id.get(..4).unwrap_or_default()),
            });
        }
        let Checked {
            orphans,
            mut report,
            ..
        } = checked;
        let mut others = if orphans.is_empty() {
            Vec::new()
        } else {
            self.read(|connection| gap::other_branches(connection, origin))?
        };
        // What is counted are the entries themselves, not what the file notes of them.
        for other in &mut others {
            other.entries = 0;
        }
        let mut events = Vec::new();
        for (event, at) in orphans.into_values() {
            match others.iter_mut().find(|other| other.contains(at)) {
                Some(other) => other.entries += 1,
                None => events.push(event),
            }
        }
        if !events.is_empty() {
            return Err(VerifyError::Withheld { origin, events });
        }
        report.other_branches = others;
        Ok(report)
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

/// Returns the events that an entry lets go: which it disowns, or whose payloads it declares lost; and whether only
/// promises among them need nothing more.
fn let_go(header: &EntryHeader, body: &[u8]) -> (Vec<Id>, bool) {
    if ![DISOWNED.type_id, PAYLOAD_LOST.type_id].contains(&header.type_id) {
        return (Vec::new(), false);
    }
    let envelope = Envelope::decode(body).ok();
    let said = envelope
        .and_then(|said| Event::decode(header.type_id, header.type_version, &said.event).ok());
    let (events, promises_only) = match said {
        Some(Event::Log(LogEvent::Disowned(said))) => (said.event_ids, false),
        Some(Event::Log(LogEvent::PayloadLost(said))) => (said.event_ids, true),
        _ => (Vec::new(), false),
    };
    let events = events.iter();
    let events = events.filter_map(|id| Id::try_from(id.as_slice()).ok());
    (events.collect(), promises_only)
}

/// Names the first events, and says that there are more.
fn named(events: &[Id]) -> String {
    const NAMED: usize = 10;
    let mut names: Vec<String> = events
        .iter()
        .take(NAMED)
        .map(|id| format!("`{id}`"))
        .collect();
    if events.len() > NAMED {
        names.push("and more".into());
    }
    names.join(", ")
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
    /// What was left out and has not been settled yet: the event that would settle it, its own, and where it stands.
    orphans: BTreeMap<Id, (Id, i64)>,
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
        self.orphans.remove(&header.event_id);
        if let Payload::Present { body, .. } = &stored.payload {
            let (events, promises_only) = let_go(&header, body);
            self.orphans.retain(|settled_by, (event, _)| {
                !events.contains(event) || (promises_only && settled_by == event)
            });
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
