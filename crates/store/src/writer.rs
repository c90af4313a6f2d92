//! The writer: one thread, one connection, everything that waits in one transaction.
//!
//! ```text
//! jobs ──▶ BEGIN ─▶ savepoint a job: decide or apply, store, fold ─▶ COMMIT ─▶ sign, publish, answer, notify
//! ```
//! A job that fails undoes its savepoint alone, in the file and in memory; the next sees what the last did.

mod beside;
mod decide;
mod draft;
mod fork;
mod scrub;
#[cfg(test)]
mod tests;
mod trust;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc, PoisonError,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    time::Instant,
};

use posko_domain::{code::Code, incident};
use posko_ledger::{
    MAX_PAYLOAD_BYTES,
    chain::VerifiedGroup,
    entry::{self, EntryHeader, Payload, Record},
    epoch::{Epoch, EpochOpen, Position, Reason, UNPROVEN},
    standing::{self, Verdict},
};
use posko_proto::{
    Id, NodeId,
    common::v1::{self as common, Envelope},
    time::Millis,
};
use prost::Message;
use rusqlite::{Connection, config::DbConfig};
use sha2::{Digest, Sha256};

use crate::{
    Options, Shared, StoreError,
    account::store_credential,
    aggregate::{Areas, NewEvent},
    arrival, authority,
    branch::{self, Grown},
    command::{
        self, Accepted, Actor, Answer, FORGOTTEN, Request, other_command, remember, seen, too_large,
    },
    error::ApplyError,
    fold,
    log::{self, CHECKPOINT_BYTES, CHECKPOINT_ENTRIES, LogMemory},
    mark::{Mark, MarkFile},
    rebuild::Rebuild,
    standing::{Asked, Cause, Claim, Kept, RiskAccepted, Unproven},
    statement,
    tail::Tail,
    view::Tables,
};

use decide::Decided;
pub(crate) use fork::ForkJob;
pub use fork::ReopenRefused;

type Committed = Box<dyn FnOnce(Result<(), StoreError>) + Send>;
type Change = Box<dyn FnOnce(&Connection) -> Committed + Send>;

/// What the writer does.
pub(crate) enum Job {
    Execute(Box<Request>, Box<dyn FnOnce(Answer) + Send>),
    Apply(
        Box<VerifiedGroup>,
        Millis,
        Box<dyn FnOnce(Result<Position, ApplyError>) + Send>,
    ),
    Change(Change),
    Asked(
        NodeId,
        Box<Claim>,
        Box<dyn FnOnce(Result<Asked, StoreError>) + Send>,
    ),
    Fork(ForkJob, Millis),
    /// Looks at the standing again, and keeps it.
    Settle,
    /// Records the own log's orphans again.
    Recover,
    Rebuild(Rebuild),
    Stop,
}

impl Job {
    /// Answers a job that will not be done because the store has stopped.
    pub(crate) fn refuse(self) {
        self.refuse_for(|| StoreError::Stopped);
    }

    /// Answers a job that will not be done.
    fn refuse_for(self, why: impl FnOnce() -> StoreError) {
        match self {
            Self::Execute(_, reply) => reply(Err(command::unavailable(&why().to_string()))),
            Self::Apply(_, _, reply) => reply(Err(why().into())),
            Self::Rebuild(mut rebuild) => rebuild.tell(Err(why())),
            Self::Asked(_, _, reply) => reply(Err(why())),
            Self::Fork(job, _) => job.refuse(why()),
            // A change never ran; its caller sees the closed channel.
            Self::Change(_) | Self::Settle | Self::Recover | Self::Stop => {}
        }
    }
}

pub(crate) struct Writer {
    pub(crate) connection: Connection,
    pub(crate) options: Options,
    mark: MarkFile,
    pub(crate) shared: Arc<Shared>,
    pub(crate) jobs: mpsc::Sender<Job>,
    waiting: Arc<AtomicUsize>,
    /// What the file keeps of the standing.
    kept: Kept,
    /// What this run has written to the own log.
    pub(crate) run: Run,
    /// Whether views are being built anew.
    rebuilding: bool,
    /// When the write-ahead log is to be emptied, while it may still hold what was withdrawn.
    scrub_at: Option<Instant>,
    /// How many times a log's path has changed.
    switches: u64,
    failed: bool,
}

/// What a run has written to the own log.
#[derive(Clone, Default)]
pub(crate) struct Run {
    /// Whether it has opened its epoch.
    pub(crate) opened: bool,
    /// How often a higher epoch took its epoch's place.
    outbid: usize,
    /// The year of which it gave the last incident number while unproven.
    numbered: Option<i64>,
    /// Why the start is unproven; none when nothing was lost.
    pub(crate) unproven: Option<Unproven>,
}

impl Run {
    /// Returns what the rules of a start look at.
    fn standing(&self, shared: &Shared) -> standing::Run {
        standing::Run {
            opened: self.opened,
            unproven: self.unproven.is_some(),
            outbid: self.outbid,
            peers: shared.accepted().len(),
        }
    }
}

/// What one transaction has done so far.
pub(crate) struct Transaction {
    pub(crate) logs: BTreeMap<NodeId, LogMemory>,
    pub(crate) run: Run,
    /// Whether the high-water mark was compared.
    compared: bool,
    /// Whether it did anything beside looking at orphans.
    did_more: bool,
    /// The records that were added to the own log.
    pub(crate) added: Vec<Record>,
    answers: Vec<Committed>,
}

/// An event that is about to be appended to the own log.
pub(crate) struct Fresh {
    pub(crate) event_id: Id,
    pub(crate) flags: u16,
    pub(crate) salt: [u8; 16],
    /// Its payload.
    pub(crate) body: Vec<u8>,
    pub(crate) event: NewEvent,
}

impl Writer {
    pub(crate) fn new(
        connection: Connection,
        options: Options,
        mark: MarkFile,
        shared: Arc<Shared>,
        jobs: mpsc::Sender<Job>,
        waiting: Arc<AtomicUsize>,
    ) -> Self {
        let run = Run {
            unproven: shared.unproven(),
            ..Run::default()
        };
        Self {
            connection,
            options,
            mark,
            shared,
            jobs,
            waiting,
            kept: Kept::default(),
            run,
            rebuilding: false,
            scrub_at: Some(Instant::now()),
            switches: 0,
            failed: false,
        }
    }

    /// Signs the own log's tail, where a crash left entries that are durable but under no stored head.
    pub(crate) fn seal_tail(&mut self) -> Result<(), StoreError> {
        let own = self.options.identity.origin;
        let Some(mut log) = self.shared.log(own) else {
            return Ok(());
        };
        if !log.is_unsigned() {
            return Ok(());
        }
        self.sign(&mut log)?;
        log.keep_head(&self.connection)?;
        self.shared.publish(BTreeMap::from([(own, log)]));
        Ok(())
    }

    /// Keeps the standing of this start, in the file and in the mark, before anything is written.
    pub(crate) fn keep_standing(&mut self) -> Result<(), StoreError> {
        if let Some(log) = self.shared.log(self.options.identity.origin) {
            self.fence_if_forked(&log);
        }
        let kept = Kept::of(self.run.unproven.as_ref(), &self.shared);
        kept.store(&self.connection)?;
        self.kept = kept;
        self.tell_promises();
        self.write_mark().map_err(StoreError::Mark)
    }

    fn write_mark(&self) -> std::io::Result<()> {
        let own = self.shared.log(self.options.identity.origin);
        self.mark.write(Mark {
            end: own.map_or(Position::START, |log| log.chain.end()),
            unproven: self.run.unproven.is_some() || self.shared.fenced().is_some(),
        })
    }

    pub(crate) fn run(mut self, queue: &mpsc::Receiver<Job>) {
        let mut jobs = VecDeque::new();
        loop {
            self.scrub();
            if jobs.is_empty() {
                match self.next(queue) {
                    Ok(job) => jobs.push_back(job),
                    Err(mpsc::RecvTimeoutError::Timeout) => continue,
                    Err(mpsc::RecvTimeoutError::Disconnected) => return,
                }
            }
            jobs.extend(queue.try_iter().take(CHECKPOINT_ENTRIES as usize));
            if matches!(jobs.front(), Some(Job::Stop)) {
                for job in jobs.into_iter().chain(queue.try_iter()) {
                    job.refuse();
                }
                if !self.failed {
                    drop(
                        self.connection
                            .execute_batch("PRAGMA wal_checkpoint(TRUNCATE)"),
                    );
                }
                return;
            }
            if self.failed {
                self.refuse_waiting(&mut jobs, || StoreError::Stopped);
                continue;
            }
            self.transact(&mut jobs);
        }
    }

    /// Waits for a job, no longer than until the write-ahead log is to be emptied.
    fn next(&self, queue: &mpsc::Receiver<Job>) -> Result<Job, mpsc::RecvTimeoutError> {
        match self.scrub_at {
            Some(at) => queue.recv_timeout(at.saturating_duration_since(Instant::now())),
            None => Ok(queue.recv()?),
        }
    }

    /// Does what waits, up to a stop or a full verification group, in one transaction.
    fn transact(&mut self, jobs: &mut VecDeque<Job>) {
        if let Err(error) = run(&self.connection, "BEGIN IMMEDIATE") {
            self.fail(&error.into());
            return;
        }
        let mut transaction = Transaction {
            logs: BTreeMap::new(),
            run: self.run.clone(),
            compared: false,
            did_more: false,
            added: Vec::new(),
            answers: Vec::new(),
        };
        if let Err(error) = self.store_newest_head(&mut transaction) {
            // Nothing can be written: a job that stayed would be tried for ever, and its asker would wait as long.
            self.refuse_waiting(jobs, || StoreError::Undone(error.to_string()));
            self.finish(transaction, None, Err(error));
            return;
        }
        let mut rebuilding = None;
        let mut outcome = Ok(());
        let own = self.options.identity.origin;
        let before = self
            .shared
            .log(own)
            .map_or(0, |log| log.chain.payload_bytes());
        while outcome.is_ok() && rebuilding.is_none() {
            let full = transaction.added.len() as u64 >= CHECKPOINT_ENTRIES - fold::MAX_EVENTS
                || transaction.logs.get(&own).is_some_and(|log| {
                    log.chain.payload_bytes().saturating_sub(before) >= CHECKPOINT_BYTES
                });
            if full || matches!(jobs.front(), None | Some(Job::Stop)) {
                break;
            }
            transaction.did_more |= !matches!(jobs.front(), Some(Job::Recover));
            match jobs.pop_front() {
                Some(Job::Execute(request, reply)) => {
                    self.execute(&mut transaction, &request, reply);
                }
                Some(Job::Apply(group, now, reply)) => {
                    self.apply(&mut transaction, &group, now, reply);
                }
                Some(Job::Change(change)) => transaction.answers.push(change(&self.connection)),
                Some(Job::Asked(peer, claim, reply)) => {
                    self.asked(&mut transaction, peer, &claim, reply);
                }
                Some(Job::Fork(job, now)) => self.fork(&mut transaction, job, now),
                Some(Job::Settle) => {}
                Some(Job::Recover) => self.recover(&mut transaction),
                Some(Job::Rebuild(rebuild)) => rebuilding = self.rebuild(rebuild),
                Some(Job::Stop) | None => break,
            }
            // A full disk or a failed read may have undone the whole transaction, not the savepoint alone.
            if self.failed || self.connection.is_autocommit() {
                outcome = Err(StoreError::Undone("the disk is full or failed".into()));
            }
        }
        let committed = outcome
            .and_then(|()| self.settle(&mut transaction))
            .and_then(|()| Ok(run(&self.connection, "COMMIT")?));
        self.finish(transaction, rebuilding, committed);
    }

    fn finish(
        &mut self,
        mut transaction: Transaction,
        rebuilding: Option<Rebuild>,
        committed: Result<(), StoreError>,
    ) {
        let own = self.options.identity.origin;
        // What did not move is under its head already.
        let committed = committed.and_then(|()| match transaction.logs.get_mut(&own) {
            Some(log) if log.is_unsigned() => self.sign(log),
            _ => Ok(()),
        });
        let mut moved = Vec::new();
        if let Err(error) = &committed {
            if !self.connection.is_autocommit() {
                drop(run(&self.connection, "ROLLBACK"));
            }
            self.fail_if_fatal(error);
        } else {
            moved.extend(transaction.logs.keys().copied());
            if transaction.added.iter().any(statement::withdraws) {
                self.scrub_at = Some(Instant::now());
            }
            let anything = transaction.did_more || !transaction.added.is_empty();
            self.publish_tail(&transaction.logs, transaction.added);
            self.shared.publish(transaction.logs);
            self.kept = Kept::of(transaction.run.unproven.as_ref(), &self.shared);
            self.shared
                .publish_unproven(transaction.run.unproven.clone());
            self.run = transaction.run;
            // One that could not be written is found when the next command compares it.
            drop(self.write_mark());
            self.recover_later(anything);
        }
        self.tell_promises();
        let reason = committed.as_ref().err().map(ToString::to_string);
        for answer in transaction.answers {
            answer(match &reason {
                Some(reason) => Err(StoreError::Undone(reason.clone())),
                None => Ok(()),
            });
        }
        // Who asked goes before who follows: a batch takes longer to make than an answer.
        self.shared.notify(&moved);
        if let Some(mut rebuild) = rebuilding {
            self.rebuilding = match committed {
                Err(error) => {
                    rebuild.tell(Err(error));
                    false
                }
                Ok(()) if rebuild.report() => {
                    // A payload that came late may have been a withdrawal.
                    self.scrub_at = Some(Instant::now());
                    false
                }
                Ok(()) => self.jobs.send(Job::Rebuild(rebuild)).is_ok(),
            };
        }
    }

    /// Keeps what was added for followers that keep up; called before the new ends are published.
    fn publish_tail(&self, logs: &BTreeMap<NodeId, LogMemory>, added: Vec<Record>) {
        let own = self.options.identity.origin;
        let Some(head) = logs
            .get(&own)
            .and_then(|log| log.head)
            .filter(|_| !added.is_empty())
        else {
            return;
        };
        let before = self
            .shared
            .log(own)
            .map_or(Position::START, |log| log.chain.end());
        let mut tail = self
            .shared
            .tail
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if added.iter().any(statement::withdraws) {
            // It may hold what was withdrawn.
            *tail = Tail::default();
            return;
        }
        tail.push(before, added, head);
    }

    /// Answers what waits without doing it; a stop stays.
    fn refuse_waiting(&mut self, jobs: &mut VecDeque<Job>, why: impl Fn() -> StoreError) {
        let (stops, waiting) = std::mem::take(jobs)
            .into_iter()
            .partition(|job| matches!(job, Job::Stop));
        *jobs = stops;
        let waiting: VecDeque<Job> = waiting;
        for job in waiting {
            match &job {
                Job::Execute(..) => drop(self.waiting.fetch_sub(1, Ordering::Relaxed)),
                Job::Rebuild(rebuild) if rebuild.is_under_way() => self.rebuilding = false,
                Job::Rebuild(_)
                | Job::Apply(..)
                | Job::Change(_)
                | Job::Asked(..)
                | Job::Fork(..)
                | Job::Settle
                | Job::Recover
                | Job::Stop => {}
            }
            job.refuse_for(&why);
        }
    }

    pub(crate) fn fail_if_fatal(&mut self, error: &StoreError) {
        if error.is_fatal() {
            self.fail(error);
        }
    }

    fn fail(&mut self, error: &StoreError) {
        self.failed = true;
        // What a disk that failed holds of this connection must not reach the file when it closes.
        drop(
            self.connection
                .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true),
        );
        (self.options.on_fatal)(error);
    }

    fn sign(&self, log: &mut LogMemory) -> Result<(), StoreError> {
        let wall_ms = log.last_entry_ms.unwrap_or_default().cast_unsigned();
        let head = log.chain.head(wall_ms).ok_or(StoreError::Corrupt {
            what: "the own log's end",
        })?;
        if log.chain.log_key() != Some(self.options.log_key.public()) {
            return Err(StoreError::OtherLogKey);
        }
        log.head = Some(head.sign(&self.options.log_key));
        Ok(())
    }

    /// Stores the head that the last commit signed, when it is due: a head is signed after its entries are durable, and
    /// kept with the next ones.
    fn store_newest_head(&self, transaction: &mut Transaction) -> Result<(), StoreError> {
        let own = self.options.identity.origin;
        let Some(mut log) = self.shared.log(own) else {
            return Ok(());
        };
        // Between checkpoints the newest head lives in memory: a start signs the tail anew.
        if log.head.is_some() && log.is_due_for_a_checkpoint() {
            log.keep_head(&self.connection)?;
            transaction.logs.insert(own, log);
        }
        Ok(())
    }

    // === commands ===

    fn execute(
        &mut self,
        transaction: &mut Transaction,
        request: &Request,
        reply: Box<dyn FnOnce(Answer) + Send>,
    ) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        let own = self.options.identity.origin;
        let before = (transaction.logs.get(&own).cloned(), transaction.run.clone());
        let added = transaction.added.len();
        let answer = savepoint(&self.connection, |connection| {
            self.decide(connection, transaction, request)
        });
        let answer = answer.unwrap_or_else(|error| {
            match before.0 {
                Some(log) => transaction.logs.insert(own, log),
                None => transaction.logs.remove(&own),
            };
            transaction.run = before.1;
            transaction.added.truncate(added);
            self.fail_if_fatal(&error);
            Err(command::unavailable(&error.to_string()))
        });
        transaction.answers.push(Box::new(move |committed| {
            reply(match committed {
                Ok(()) => answer,
                Err(error) => Err(command::unavailable(&error.to_string())),
            });
        }));
    }

    fn decide(
        &self,
        connection: &Connection,
        transaction: &mut Transaction,
        request: &Request,
    ) -> Result<Answer, StoreError> {
        let own = self.options.identity.origin;
        let state = fold::state(connection, Tables::LIVE, own, request.stream)?;
        let origins = || self.shared.origins();
        let actor = match authority::actor(connection, own, origins, request, state.as_ref())? {
            Ok(actor) => actor,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if let Some((digest, outcome)) = seen(connection, request.command_id)? {
            return Ok(if digest == request.digest || digest == FORGOTTEN {
                outcome
            } else {
                Err(other_command(request.command_id))
            });
        }
        if let Some(accepted) = branch::answered(connection, own, request.command_id)? {
            return Ok(Ok(accepted));
        }
        self.compare_mark(connection, transaction)?;
        // A command that waits was not decided: it may be sent again.
        let waits = if request.command.is_scarce(&self.options.areas) {
            self.scarce_refusal(connection, transaction)?
        } else {
            self.shared.fenced()
        };
        if let Some(refusal) = waits {
            return Ok(Err(refusal));
        }
        let version = state.as_ref().map_or(0, |state| state.version);
        let answer = match self.events(connection, transaction, request, state.as_ref())? {
            Err(refusal) => Err(refusal),
            Ok(decided) => {
                self.record(connection, transaction, request, &actor, version, decided)?
            }
        };
        // What it waits for may come: it may be sent again.
        if !matches!(&answer, Err(refusal) if refusal.code == Code::Unavailable) {
            remember(connection, request, &answer)?;
        }
        Ok(answer)
    }

    /// Appends the events to the own log and folds them.
    fn record(
        &self,
        connection: &Connection,
        transaction: &mut Transaction,
        request: &Request,
        actor: &Actor,
        version: u32,
        decided: Decided,
    ) -> Result<Answer, StoreError> {
        let mut accepted = Accepted {
            stream: request.stream,
            version,
            event_ids: Vec::with_capacity(decided.events.len()),
            number: decided.number,
            position: self.own_end(transaction),
        };
        if decided.events.is_empty() {
            return Ok(Ok(accepted));
        }
        // Nothing of a refused command may stay: its size is known before anything is written.
        let bodies: Vec<Vec<u8>> = (decided.events.iter())
            .map(|event| envelope(request, actor, event, &decided.frontier).encode_to_vec())
            .collect();
        if let Some(body) = bodies.iter().find(|body| body.len() > MAX_PAYLOAD_BYTES) {
            return Ok(Err(too_large(body.len())));
        }
        let fresh =
            (0..)
                .zip(decided.events.into_iter().zip(bodies))
                .map(|(index, (event, body))| Fresh {
                    event_id: entry::event_id(request.command_id, index),
                    flags: event.flags(request.exercise),
                    salt: salt(&request.seed, index),
                    body,
                    event,
                });
        let placed = self.append(connection, transaction, request.now, fresh.collect())?;
        for (header, _) in &placed {
            accepted.event_ids.push(header.event_id);
            if header.stream_id == request.stream {
                accepted.version = header.stream_version;
            }
        }
        if accepted.number.is_some() {
            transaction.run.numbered = Some(incident::year_of(request.now));
        }
        if let Some(unproven) = &mut transaction.run.unproven
            && decided.risk_accepted
        {
            unproven.risk_accepted = Some(RiskAccepted {
                by: actor.account,
                at: request.now,
            });
        }
        store_credential(connection, request)?;
        accepted.position = self.own_end(transaction);
        Ok(Ok(accepted))
    }

    /// Appends events to the own log and folds them; returns where each stands.
    pub(crate) fn append(
        &self,
        connection: &Connection,
        transaction: &mut Transaction,
        now: Millis,
        fresh: Vec<Fresh>,
    ) -> Result<Vec<(EntryHeader, i64)>, StoreError> {
        let own = self.options.identity.origin;
        let mut log = match transaction.logs.get(&own) {
            Some(log) => log.clone(),
            None => (self.shared.log(own)).unwrap_or_else(|| LogMemory::new(self.options.identity)),
        };
        let before = log.chain.end();
        self.open_epoch(connection, transaction, &mut log, now)?;
        let mut versions: BTreeMap<Id, u32> = BTreeMap::new();
        let mut added = Vec::with_capacity(fresh.len());
        let mut placed = Vec::with_capacity(fresh.len());
        for Fresh {
            event_id,
            flags,
            salt,
            body,
            event,
        } in fresh
        {
            let stream = event.stream;
            let version = match versions.get(&stream) {
                Some(version) => *version,
                None => log::last_version(connection, own, stream)?,
            } + 1;
            versions.insert(stream, version);
            let header = EntryHeader {
                flags,
                type_id: event.type_id,
                type_version: event.type_version,
                class: event.class,
                payload_len: body.len() as u32,
                seq: log.chain.end().seq + 1,
                wall_ms: now.0.cast_unsigned(),
                event_id,
                stream_id: stream,
                stream_version: version,
                payload_commit: entry::commit(&salt, &body),
            };
            let bytes = header.encode();
            let hash = log.chain.append(&header, &bytes)?;
            log.entries += 1;
            log.last_entry_ms = Some(now.0);
            let at = log::pos(log.epoch_row, header.seq);
            let record = Record {
                header: bytes,
                payload: Payload::Present { salt, body },
            };
            log::store_entry(connection, at, &record, &hash)?;
            if !log::place(connection, own, &header, at)? {
                return Err(StoreError::Corrupt {
                    what: "a stream's version, which an entry has already,",
                });
            }
            fold::own(connection, &self.options.areas, own, &header, &record)?;
            added.push(record);
            placed.push((header, at));
        }
        if placed
            .iter()
            .any(|(header, _)| statement::moves_orphans(header))
        {
            log.cut = branch::orphans(connection, own)?;
        }
        log.store_cursor(connection, before)?;
        transaction.added.append(&mut added);
        transaction.logs.insert(own, log);
        Ok(placed)
    }

    /// Opens this run's epoch, unless it is open.
    pub(crate) fn open_epoch(
        &self,
        connection: &Connection,
        transaction: &mut Transaction,
        log: &mut LogMemory,
        now: Millis,
    ) -> Result<(), StoreError> {
        if transaction.run.opened {
            return Ok(());
        }
        let flags = match transaction.run.unproven {
            Some(_) => UNPROVEN,
            None => 0,
        };
        let own = self.options.identity.origin;
        let parent = log.chain.end();
        let recovery = self.options.recovery_key.as_ref();
        let (reason, authority) = match log.chain.log_key() {
            None => (Reason::Genesis, recovery.ok_or(StoreError::NoRecoveryKey)?),
            Some(key) if key == self.options.log_key.public() => {
                (Reason::Start, &self.options.log_key)
            }
            Some(_) => return Err(StoreError::OtherLogKey),
        };
        let open = EpochOpen::sign(
            self.options.identity.federation,
            own,
            Epoch {
                no: log::next_epoch_no(connection, own)?,
                nonce: self.options.epoch_nonce,
            },
            parent,
            reason,
            flags,
            now.0.cast_unsigned(),
            &self.options.log_key,
            authority,
        );
        // No later head vouches for the end of what goes before.
        log.keep_head(connection)?;
        log.chain.open(&open)?;
        log.store_epoch(connection, &open)?;
        transaction.run.opened = true;
        Ok(())
    }

    // === views ===

    /// Folds a slice, and returns the rebuild unless it has ended.
    fn rebuild(&mut self, mut rebuild: Rebuild) -> Option<Rebuild> {
        if self.rebuilding && !rebuild.is_under_way() {
            rebuild.tell(Err(StoreError::Rebuilding));
            return None;
        }
        let (identity, switches) = (self.options.identity, self.switches);
        match savepoint(&self.connection, |connection| {
            rebuild.step(connection, &identity, &self.options.areas, switches)
        }) {
            Ok(()) => Some(rebuild),
            Err(error) => {
                self.rebuilding = false;
                self.fail_if_fatal(&error);
                rebuild.tell(Err(error));
                None
            }
        }
    }

    // === replication ===

    fn apply(
        &mut self,
        transaction: &mut Transaction,
        group: &VerifiedGroup,
        now: Millis,
        reply: Box<dyn FnOnce(Result<Position, ApplyError>) + Send>,
    ) {
        self.shared.tell_time(now);
        if (group.entries()).any(|(_, record, _)| statement::withdraws(record)) {
            self.scrub_at = Some(Instant::now());
        }
        let origin = group.chain().identity().origin;
        let known = transaction
            .logs
            .get(&origin)
            .cloned()
            .or_else(|| self.shared.log(origin));
        let own = self.options.identity.origin == origin;
        let forked = (known.as_ref()).map_or(Ok(()), |log| {
            self.refuse_forked(transaction, log, group, now)
        });
        let answer = match known {
            None => Err(ApplyError::NoSuchOrigin),
            Some(_) if forked.is_err() => forked.map(|()| Position::START),
            Some(_) if own && self.is_refused(transaction, group) => Err(ApplyError::Fenced),
            Some(log) if log.chain.end() != group.before() => {
                self.apply_branch(transaction, log, group, now, own)
            }
            Some(log) => savepoint(&self.connection, |connection| {
                store_group(connection, &self.options.areas, log, group, now, own)
            })
            .map(|log| {
                let end = log.chain.end();
                transaction.logs.insert(origin, log);
                end
            })
            .map_err(ApplyError::from),
        };
        if let Err(ApplyError::Store(error)) = &answer {
            self.fail_if_fatal(error);
        }
        transaction.answers.push(Box::new(move |committed| {
            reply(committed.map_err(ApplyError::from).and(answer));
        }));
    }
}

impl Writer {
    /// Says whether entries of the own log are refused that this run did not write. One that writes takes them only
    /// while it knows that some may be lost, and never after its own.
    fn is_refused(&self, transaction: &mut Transaction, group: &VerifiedGroup) -> bool {
        let own = self.options.identity.origin;
        if log::holds(&self.connection, own, group.chain().end()).is_ok_and(|held| held) {
            return false;
        }
        if self.shared.fenced().is_some() {
            return true;
        }
        let why = "a peer holds entries of this node's log that this run did not write";
        let follows_own = group.before().epoch == self.own_end(transaction).epoch;
        match transaction
            .run
            .standing(&self.shared)
            .on_unknown_entries(follows_own)
        {
            Verdict::Fence => {
                self.shared.fence(Cause::Entries, why);
                true
            }
            Verdict::Doubt | Verdict::Trust => {
                self.distrust(transaction, why);
                false
            }
        }
    }

    /// Applies a group that does not begin at the log's end.
    fn apply_branch(
        &mut self,
        transaction: &mut Transaction,
        log: LogMemory,
        group: &VerifiedGroup,
        now: Millis,
        own: bool,
    ) -> Result<Position, ApplyError> {
        let origin = group.chain().identity().origin;
        let cursor = log.chain.end();
        let grown = savepoint(&self.connection, |connection| {
            branch::store(connection, &self.options.areas, log, group, own)
        })?;
        let (mut log, switched) = match grown {
            Grown::Known => return Err(ApplyError::Moved { cursor }),
            Grown::Orphans(log) => (log, false),
            Grown::Switched(log) => (log, true),
        };
        if switched {
            arrival::note(&self.connection, &log, now)?;
            log.know(*group.head());
            self.switches += 1;
            if own {
                // What this run wrote is left out now, and its next write opens a higher epoch.
                transaction.run.outbid += usize::from(transaction.run.opened);
                transaction.run.opened = false;
                transaction.added.clear();
                let mut tail = (self.shared.tail.write()).unwrap_or_else(PoisonError::into_inner);
                *tail = Tail::default();
            }
        }
        transaction.logs.insert(origin, log);
        Ok(group.chain().end())
    }
}

/// Stores a verified group, folds it and moves the cursor.
fn store_group(
    connection: &Connection,
    areas: &Areas,
    mut log: LogMemory,
    group: &VerifiedGroup,
    now: Millis,
    own: bool,
) -> Result<LogMemory, StoreError> {
    let origin = group.chain().identity().origin;
    let entries = group.entries();
    if log.is_due_before(group.chain(), entries.len() as u64) {
        log.keep_head(connection)?;
    }
    for open in group.opens() {
        log.store_epoch(connection, open)?;
    }
    log.entries += entries.len() as u64;
    let mut said = false;
    for (header, record, hash) in entries {
        said |= statement::moves_orphans(header);
        let at = log::pos(log.epoch_row, header.seq);
        let record = statement::admit(connection, origin, header, record)?;
        log::store_entry(connection, at, &record, hash)?;
        branch::fold_entry(connection, areas, origin, header, &record.payload, at, own)?;
        log.last_entry_ms = Some(header.wall_ms.cast_signed());
    }
    // A log that grows at its end leaves nothing more out, but for what a decision was about that is given up; and it may
    // record again what was left out.
    if log.cut > 0 || said {
        log.cut = branch::orphans(connection, origin)?;
    }
    log.chain = group.chain().clone();
    log.head = Some(*group.head());
    log.know(*group.head());
    log.store_cursor(connection, group.before())?;
    log.load_forks(connection)?;
    arrival::note(connection, &log, now)?;
    Ok(log)
}

/// Runs one job so that a failure undoes it alone.
pub(crate) fn savepoint<T, E: From<rusqlite::Error>>(
    connection: &Connection,
    job: impl FnOnce(&Connection) -> Result<T, E>,
) -> Result<T, E> {
    run(connection, "SAVEPOINT job")?;
    let result = job(connection);
    if result.is_err() {
        if connection.is_autocommit() {
            // The whole transaction is undone, and the savepoint with it; the reason is the one to tell.
            return result;
        }
        run(connection, "ROLLBACK TO job")?;
    }
    run(connection, "RELEASE job")?;
    result
}

fn run(connection: &Connection, statement: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(statement)?.execute([]).map(drop)
}

fn envelope(
    request: &Request,
    actor: &Actor,
    event: &NewEvent,
    frontier: &[common::Position],
) -> Envelope {
    Envelope {
        actor_ref: actor.account.to_vec(),
        role: actor.role.into(),
        scope: actor.scope.clone(),
        delegation: actor.delegation.map(Id::to_vec).unwrap_or_default(),
        command_id: request.command_id.to_vec(),
        cause: request.cause.map(Id::to_vec).unwrap_or_default(),
        occurred_at: Some(request.occurred_at.into()),
        frontier: frontier.to_vec(),
        event: event.body.clone(),
    }
}

fn salt(seed: &[u8; 32], index: u32) -> [u8; 16] {
    let digest: [u8; 32] = Sha256::new()
        .chain_update(b"posko/salt/v1\0")
        .chain_update(seed)
        .chain_update(index.to_be_bytes())
        .finalize()
        .into();
    let mut salt = [0; 16];
    salt.copy_from_slice(digest.split_at(16).0);
    salt
}
