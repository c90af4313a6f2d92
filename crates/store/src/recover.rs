//! What a restored node's log left out: facts are recorded again at once, promises are decided again.
//!
//! ```text
//! orphan ─┬─ a fact ────────────────────────────────▶ the same event again, under its id
//!         └─ a promise ─ proven? payloads? others? ──▶ what became of it, under an id that follows from the promise's
//!                             └─ no ─▶ waits, and new promises with it
//! ```
//! What is decided stands under [`settled_by`], so that anyone who holds the headers can tell that nothing was lost.

use std::{cell::RefCell, sync::PoisonError};

use posko_domain::code::{Code, Refusal};
use posko_ledger::{
    MAX_PAYLOAD_BYTES,
    entry::{self, EntryHeader, Payload, Record},
};
use posko_proto::{
    Id, NodeId,
    common::v1::{self as common, Envelope},
};
use prost::Message;
use rusqlite::Connection;
use sha2::{Digest, Sha256};

use crate::{
    Shared, Store, StoreError,
    aggregate::{Fact, NewEvent, Redecided, View},
    branch, fold, log,
    log::LogMemory,
    standing::Unproven,
    writer::{Fresh, Job, Transaction, Writer, savepoint},
};

/// How many orphans are recorded again in one transaction.
const RECOVERED_AT_ONCE: usize = 256;

/// Returns the id of the event after which nothing of an entry is lost any more: its own for a fact; for what is scarce
/// one that follows from its id and its commitment, since the same command may have been decided otherwise in another
/// run.
pub fn settled_by(header: &EntryHeader) -> Id {
    if header.flags & entry::SCARCE == 0 {
        return header.event_id;
    }
    decided_by(header.event_id, &header.payload_commit)
}

/// Returns the id of the event that says what became of a scarce one.
pub(crate) fn decided_by(event: Id, payload_commit: &[u8; 32]) -> Id {
    let digest: [u8; 32] = Sha256::new()
        .chain_update(b"posko/decided/v1\0")
        .chain_update(event.as_bytes())
        .chain_update(payload_commit)
        .finalize()
        .into();
    let mut id = [0; 16];
    id.copy_from_slice(digest.split_at(16).0);
    Id(id)
}

impl Writer {
    /// Sees that orphans of the own log are looked at, once this run may write: after whatever else happened.
    pub(crate) fn recover_later(&self, anything: bool) {
        let own = self.options.identity.origin;
        let may_write = self.run.opened || self.run.unproven.is_none();
        if anything
            && may_write
            && self.shared.log(own).is_some_and(|log| log.cut > 0)
            && self.shared.fenced().is_none()
        {
            drop(self.jobs.send(Job::Recover));
        }
    }

    /// Records facts again and decides promises again; what cannot be decided yet says why.
    pub(crate) fn recover(&mut self, transaction: &mut Transaction) {
        let own = self.options.identity.origin;
        let before = (
            transaction.logs.get(&own).cloned(),
            transaction.run.clone(),
            transaction.added.len(),
        );
        let recovered = savepoint(&self.connection, |connection| {
            let all = self.record_facts(connection, transaction)?;
            if all {
                self.decide_promises(connection, transaction)
            } else {
                Ok(None)
            }
        });
        match recovered {
            Ok(waits) => self.shared.orphans_wait(waits),
            Err(error) => {
                match before.0 {
                    Some(log) => transaction.logs.insert(own, log),
                    None => transaction.logs.remove(&own),
                };
                transaction.run = before.1;
                transaction.added.truncate(before.2);
                self.fail_if_fatal(&error);
            }
        }
    }

    /// Records facts again as they were; says whether none is left.
    fn record_facts(
        &self,
        connection: &Connection,
        transaction: &mut Transaction,
    ) -> Result<bool, StoreError> {
        let own = self.options.identity.origin;
        self.compare_mark(connection, transaction)?;
        let Some(mut log) = (transaction.logs.get(&own).cloned()).or_else(|| self.shared.log(own))
        else {
            return Ok(true);
        };
        if self.shared.fenced().is_some() {
            return Ok(false);
        }
        let orphans = branch::orphan_facts(connection, own, RECOVERED_AT_ONCE)?;
        let all = orphans.len() < RECOVERED_AT_ONCE;
        if orphans.is_empty() {
            // A statement may have let some go.
            log.cut = branch::orphans(connection, own)?;
            transaction.logs.insert(own, log);
            return Ok(all);
        }
        let before = log.chain.end();
        self.open_epoch(connection, transaction, &mut log, self.shared.latest())?;
        for (lost, payload) in orphans {
            let header = EntryHeader {
                flags: lost.flags | entry::RECOVERED,
                seq: log.chain.end().seq + 1,
                stream_version: log::last_version(connection, own, lost.stream_id)? + 1,
                ..lost
            };
            let record = Record {
                header: header.encode(),
                payload,
            };
            let hash = log.chain.append(&header, &record.header)?;
            log.entries += 1;
            log.last_entry_ms = Some(header.wall_ms.cast_signed());
            let at = log::pos(log.epoch_row, header.seq);
            log::store_entry(connection, at, &record, &hash)?;
            let areas = &self.options.areas;
            branch::fold_entry(connection, areas, own, &header, &record.payload, at, true)?;
            transaction.added.push(record);
        }
        log.cut = branch::orphans(connection, own)?;
        log.store_cursor(connection, before)?;
        transaction.logs.insert(own, log);
        Ok(all)
    }

    /// Decides promises again, oldest first, and returns what the rest waits for; none when nothing is left.
    fn decide_promises(
        &self,
        connection: &Connection,
        transaction: &mut Transaction,
    ) -> Result<Option<String>, StoreError> {
        let own = self.options.identity.origin;
        let orphans = branch::orphan_promises(connection, own)?;
        if orphans.is_empty() || self.shared.fenced().is_some() {
            return Ok(None);
        }
        if let Some(unproven) = &transaction.run.unproven
            && unproven.risk_accepted.is_none()
        {
            return Ok(Some("the start is not proven".into()));
        }
        let missing = branch::missing(connection, own)?;
        if missing > 0 {
            return Ok(Some(format!(
                "{missing} payloads of this node's log are missing"
            )));
        }
        let mut waits = None;
        let mut decided = 0;
        for (header, payload) in orphans {
            if decided == RECOVERED_AT_ONCE {
                // Each commit that recorded something looks again.
                return Ok(waits);
            }
            match self.redecide(connection, transaction, &header, &payload)? {
                (Redecided::Wait(why), _) => waits = waits.or(Some(why)),
                (Redecided::Decided(event), frontier) => {
                    let orphan = (&header, &payload);
                    self.record_decision(connection, transaction, orphan, event, frontier)?;
                    decided += 1;
                }
            }
        }
        Ok(waits)
    }

    fn redecide(
        &self,
        connection: &Connection,
        transaction: &Transaction,
        header: &EntryHeader,
        payload: &Payload,
    ) -> Result<(Redecided, Vec<common::Position>), StoreError> {
        let own = self.options.identity.origin;
        let type_id = header.type_id;
        let Some(area) = self.options.areas.of_type(type_id) else {
            let why = format!("a promise of type `{type_id:#06x}` is not known to this program");
            return Ok((Redecided::Wait(why), Vec::new()));
        };
        let body = match payload {
            Payload::Present { body, .. } => fold::event_of(body),
            Payload::Withheld | Payload::Withdrawn | Payload::Erased => None,
        };
        let Some(body) = body else {
            let why = format!("promise `{}` cannot be read", header.event_id);
            return Ok((Redecided::Wait(why), Vec::new()));
        };
        let fact = Fact {
            origin: own,
            header,
            body: &body,
        };
        let view = View {
            connection,
            shared: &self.shared,
            logs: &transaction.logs,
            own,
            now: self.shared.latest(),
            read: RefCell::default(),
        };
        let redecided = area.redecide(&fact, &view)?;
        Ok((redecided, view.frontier()))
    }

    fn record_decision(
        &self,
        connection: &Connection,
        transaction: &mut Transaction,
        (orphan, payload): (&EntryHeader, &Payload),
        event: NewEvent,
        frontier: Vec<common::Position>,
    ) -> Result<(), StoreError> {
        let own = self.options.identity.origin;
        let now = self.shared.latest();
        let body = Envelope {
            cause: orphan.event_id.to_vec(),
            occurred_at: Some(now.into()),
            frontier,
            event: event.body.clone(),
            ..Envelope::default()
        }
        .encode_to_vec();
        if body.len() > MAX_PAYLOAD_BYTES {
            return Err(StoreError::Undone(format!(
                "what became of `{}` has {} bytes",
                orphan.event_id,
                body.len()
            )));
        }
        let exercise = orphan.flags & entry::EXERCISE != 0;
        let fresh = Fresh {
            event_id: settled_by(orphan),
            flags: event.flags(exercise) | entry::RECOVERED,
            salt: salt_after(payload),
            body,
            event,
        };
        let places = self.append(connection, transaction, now, vec![fresh])?;
        for (header, at) in &places {
            branch::note_recovered(connection, own, header.event_id, *at)?;
        }
        let cut = branch::orphans(connection, own)?;
        if let Some(log) = transaction.logs.get_mut(&own) {
            log.cut = cut;
        }
        Ok(())
    }

    /// Returns why a scarce command does not run now, by what this transaction has done.
    pub(crate) fn scarce_refusal(
        &self,
        connection: &Connection,
        transaction: &Transaction,
    ) -> Result<Option<Refusal>, StoreError> {
        let own = self.options.identity.origin;
        let waits = self.shared.scarce_refusal(
            transaction.run.unproven.as_ref(),
            transaction.logs.get(&own),
        );
        Ok(match waits {
            None => missing_refusal(fold::missing(connection, own)?),
            waits => waits,
        })
    }
}

/// Returns a salt that only who holds the payload can derive.
fn salt_after(payload: &Payload) -> [u8; 16] {
    let mut salt = [0; 16];
    if let Payload::Present { salt: before, .. } = payload {
        let digest: [u8; 32] = Sha256::new()
            .chain_update(b"posko/salt/v1\0")
            .chain_update(before)
            .finalize()
            .into();
        salt.copy_from_slice(digest.split_at(16).0);
    }
    salt
}

fn missing_refusal(missing: u64) -> Option<Refusal> {
    (missing > 0).then(|| Refusal {
        code: Code::Unavailable,
        message: format!("waiting: {missing} payloads of this node's log are missing"),
    })
}

impl Writer {
    /// Tells whether scarce commands run now, as it was last committed.
    pub(crate) fn tell_promises(&self) {
        let shared = &self.shared;
        let refusal = shared.scarce_refusal(self.run.unproven.as_ref(), None);
        let own = self.options.identity.origin;
        let missing = || fold::missing(&self.connection, own);
        shared.tell_promises(refusal.is_none() && missing().is_ok_and(|missing| missing == 0));
    }
}

impl Shared {
    /// Returns why scarce commands do not run: the own log as it is in a transaction, or as it was last committed.
    pub(crate) fn scarce_refusal(
        &self,
        unproven: Option<&Unproven>,
        own: Option<&LogMemory>,
    ) -> Option<Refusal> {
        let unproven = unproven.filter(|unproven| unproven.risk_accepted.is_none());
        self.fenced()
            .or_else(|| unproven.map(|unproven| unproven.refusal(&self.accepted())))
            .or_else(|| self.undecided(own))
    }

    /// Returns the refusal of a new promise while old ones are not decided again.
    fn undecided(&self, own: Option<&LogMemory>) -> Option<Refusal> {
        let cut = if let Some(log) = own {
            log.cut
        } else {
            let logs = self.logs.read().unwrap_or_else(PoisonError::into_inner);
            logs.get(self.own.get()?)?.cut
        };
        let waits = self.waits.read();
        let waits = waits.unwrap_or_else(PoisonError::into_inner);
        let why = (waits.as_ref()).map_or_else(String::new, |why| format!(": {why}"));
        (cut > 0).then(|| Refusal {
            code: Code::Unavailable,
            message: format!(
                "waiting: {cut} entries of this node's log are to be recorded again{why}"
            ),
        })
    }

    /// Notes what orphans wait for.
    fn orphans_wait(&self, why: Option<String>) {
        *(self.waits.write()).unwrap_or_else(PoisonError::into_inner) = why;
    }

    /// Says whether all of a log was got from its origin in this run.
    pub(crate) fn is_caught_up(&self, origin: NodeId) -> bool {
        let caught_up = self.caught_up.read();
        caught_up
            .unwrap_or_else(PoisonError::into_inner)
            .contains(&origin)
    }
}

impl Store {
    /// Says whether scarce commands run now, or why they wait: an automatic one need not be tried before.
    pub fn may_promise(&self) -> Result<(), Refusal> {
        let shared = &self.0.shared;
        if let Some(refusal) = shared.scarce_refusal(shared.unproven().as_ref(), None) {
            return Err(refusal);
        }
        let own = self.0.identity.origin;
        let missing = self.read(|connection| fold::missing(connection, own));
        match missing.map(missing_refusal) {
            Ok(None) => Ok(()),
            Ok(Some(refusal)) => Err(refusal),
            Err(error) => Err(crate::command::unavailable(&error.to_string())),
        }
    }

    /// Says whether [`Store::note_caught_up`] was told of a log in this run.
    pub fn is_caught_up(&self, origin: NodeId) -> bool {
        self.0.shared.is_caught_up(origin)
    }

    /// Notes that all of a log was got from its origin itself, and that the origin may promise: what depends on it can
    /// be decided again. It holds for this run.
    pub fn note_caught_up(&self, origin: NodeId) {
        let caught_up = self.0.shared.caught_up.write();
        let mut caught_up = caught_up.unwrap_or_else(PoisonError::into_inner);
        if caught_up.insert(origin) {
            self.send(Job::Settle);
        }
    }
}
