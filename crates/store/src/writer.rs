//! The writer: one thread, one connection, everything that waits in one transaction.
//!
//! ```text
//! jobs ──▶ BEGIN ─▶ savepoint a job: decide or apply, store, fold ─▶ COMMIT ─▶ sign, publish, answer, notify
//! ```
//! A job that fails undoes its savepoint alone, in the file and in memory; the next sees what the last did.

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc, PoisonError,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
};

use posko_domain::{
    account, code::Code, code::Refusal, context::Context, event::Class as EventClass, event::Event,
    incident, warning,
};
use posko_ledger::{
    MAX_PAYLOAD_BYTES,
    chain::VerifiedGroup,
    entry::{self, Class, EntryHeader, Payload, Record},
    epoch::{Epoch, EpochOpen, Position, Reason},
};
use posko_proto::{Id, NodeId, common::v1::Envelope, time::Millis};
use prost::Message;
use rusqlite::{Connection, OptionalExtension, config::DbConfig, named_params};
use sha2::{Digest, Sha256};

use crate::{
    Options, Shared, StoreError, authority,
    command::{self, Accepted, Actor, Answer, Command, Request},
    error::ApplyError,
    fold::{self, Stored},
    log::{self, CHECKPOINT_BYTES, CHECKPOINT_ENTRIES, LogMemory},
    rebuild::Rebuild,
    view::{self, Tables},
};

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
            // A change never ran; its caller sees the closed channel.
            Self::Change(_) | Self::Stop => {}
        }
    }
}

pub(crate) struct Writer {
    connection: Connection,
    options: Options,
    shared: Arc<Shared>,
    jobs: mpsc::Sender<Job>,
    waiting: Arc<AtomicUsize>,
    /// Whether this run has opened its epoch.
    opened: bool,
    /// Whether views are being built anew.
    rebuilding: bool,
    failed: bool,
}

/// What one transaction has done so far.
struct Transaction {
    logs: BTreeMap<NodeId, LogMemory>,
    opened: bool,
    /// The records that were added to the own log.
    added: Vec<Record>,
    answers: Vec<Committed>,
}

impl Writer {
    pub(crate) fn new(
        connection: Connection,
        options: Options,
        shared: Arc<Shared>,
        jobs: mpsc::Sender<Job>,
        waiting: Arc<AtomicUsize>,
    ) -> Self {
        Self {
            connection,
            options,
            shared,
            jobs,
            waiting,
            opened: false,
            rebuilding: false,
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

    pub(crate) fn run(mut self, queue: &mpsc::Receiver<Job>) {
        let mut jobs = VecDeque::new();
        loop {
            if jobs.is_empty() {
                let Ok(job) = queue.recv() else { return };
                jobs.push_back(job);
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

    /// Does what waits, up to a stop or a full verification group, in one transaction.
    fn transact(&mut self, jobs: &mut VecDeque<Job>) {
        if let Err(error) = run(&self.connection, "BEGIN IMMEDIATE") {
            self.fail(&error.into());
            return;
        }
        let mut transaction = Transaction {
            logs: BTreeMap::new(),
            opened: self.opened,
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
            .map_or((0, 0), |log| (log.entries, log.chain.payload_bytes()));
        while outcome.is_ok() && rebuilding.is_none() {
            let full = transaction.logs.get(&own).is_some_and(|log| {
                log.entries - before.0 >= CHECKPOINT_ENTRIES - fold::MAX_EVENTS
                    || log.chain.payload_bytes() - before.1 >= CHECKPOINT_BYTES
            });
            if full || matches!(jobs.front(), None | Some(Job::Stop)) {
                break;
            }
            match jobs.pop_front() {
                Some(Job::Execute(request, reply)) => {
                    self.execute(&mut transaction, &request, reply);
                }
                Some(Job::Apply(group, now, reply)) => {
                    self.apply(&mut transaction, &group, now, reply);
                }
                Some(Job::Change(change)) => transaction.answers.push(change(&self.connection)),
                Some(Job::Rebuild(rebuild)) => rebuilding = self.rebuild(rebuild),
                Some(Job::Stop) | None => break,
            }
            // A full disk or a failed read may have undone the whole transaction, not the savepoint alone.
            if self.failed || self.connection.is_autocommit() {
                outcome = Err(StoreError::Undone("the disk is full or failed".into()));
            }
        }
        let committed = outcome.and_then(|()| Ok(run(&self.connection, "COMMIT")?));
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
            self.opened = transaction.opened;
            moved.extend(transaction.logs.keys().copied());
            self.publish_tail(&transaction.logs, transaction.added);
            self.shared.publish(transaction.logs);
        }
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
                Ok(()) if rebuild.report() => false,
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
                Job::Rebuild(_) | Job::Apply(..) | Job::Change(_) | Job::Stop => {}
            }
            job.refuse_for(&why);
        }
    }

    fn fail_if_fatal(&mut self, error: &StoreError) {
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
        let before = (transaction.logs.get(&own).cloned(), transaction.opened);
        let added = transaction.added.len();
        let answer = savepoint(&self.connection, |connection| {
            self.decide(connection, transaction, request)
        });
        let answer = answer.unwrap_or_else(|error| {
            match before.0 {
                Some(log) => transaction.logs.insert(own, log),
                None => transaction.logs.remove(&own),
            };
            transaction.opened = before.1;
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
            return Ok(if digest == request.digest {
                outcome
            } else {
                Err(other_command(request.command_id))
            });
        }
        if let Some(why) = self.shared.fence.get() {
            return Ok(Err(Refusal {
                code: Code::Unavailable,
                message: why.clone(),
            }));
        }
        let version = state.as_ref().map_or(0, |state| state.version);
        let answer = match self.events(connection, request, state.as_ref(), version)? {
            Err(refusal) => Err(refusal),
            Ok(events) => {
                self.record(connection, transaction, request, &actor, version, &events)?
            }
        };
        remember(connection, request, &answer)?;
        Ok(answer)
    }

    /// Returns the events that the command leads to, or why it is refused.
    fn events(
        &self,
        connection: &Connection,
        request: &Request,
        state: Option<&Stored>,
        version: u32,
    ) -> Result<Result<Vec<Event>, Refusal>, StoreError> {
        let own = self.options.identity.origin;
        if request.expected_version != 0 && request.expected_version != version {
            return Ok(Err(Refusal {
                code: Code::Conflict,
                message: format!(
                    "it has changed meanwhile: version {version} stands where version {} was expected",
                    request.expected_version
                ),
            }));
        }
        if let Some(refusal) = credential_taken(connection, request)? {
            return Ok(Err(refusal));
        }
        let context = Context {
            node: own,
            now: request.now,
            occurred_at: request.occurred_at,
            exercise: request.exercise,
            last_number: view::incident::last_number(
                connection,
                own,
                incident::year_of(request.now),
            )?,
        };
        Ok(match &request.command {
            Command::Incident(command) => {
                incident::decide(fold::incident(state)?.as_ref(), command, &context)
                    .map(|events| events.into_iter().map(Event::Incident).collect())
                    .map_err(Refusal::from)
            }
            Command::Warning(command) => {
                warning::decide(fold::warning(state)?.as_ref(), command, &context)
                    .map(|events| events.into_iter().map(Event::Warning).collect())
                    .map_err(Refusal::from)
            }
            Command::Account(command) => {
                account::decide(fold::account(state)?.as_ref(), command, &context)
                    .map(|events| events.into_iter().map(Event::Account).collect())
                    .map_err(Refusal::from)
            }
        })
    }

    /// Appends the events to the own log and folds them.
    fn record(
        &self,
        connection: &Connection,
        transaction: &mut Transaction,
        request: &Request,
        actor: &Actor,
        version: u32,
        events: &[Event],
    ) -> Result<Answer, StoreError> {
        let own = self.options.identity.origin;
        let mut log = match transaction.logs.get(&own) {
            Some(log) => log.clone(),
            None => (self.shared.log(own)).unwrap_or_else(|| LogMemory::new(self.options.identity)),
        };
        let mut accepted = Accepted {
            stream: request.stream,
            version,
            event_ids: Vec::with_capacity(events.len()),
            number: None,
            position: log.chain.end(),
        };
        if events.is_empty() {
            return Ok(Ok(accepted));
        }
        // Nothing of a refused command may stay: its size is known before anything is written.
        let bodies: Vec<Vec<u8>> = (events.iter())
            .map(|event| envelope(request, actor, event).encode_to_vec())
            .collect();
        if let Some(body) = bodies.iter().find(|body| body.len() > MAX_PAYLOAD_BYTES) {
            return Ok(Err(too_large(body.len())));
        }
        let before = log.chain.end();
        if !transaction.opened {
            self.open_epoch(connection, &mut log, request.now)?;
            transaction.opened = true;
        }
        let mut added = Vec::with_capacity(events.len());
        for (index, (event, body)) in events.iter().zip(bodies).enumerate() {
            accepted.version += 1;
            let salt = salt(&request.seed, index as u32);
            let header = EntryHeader {
                flags: flags(request, event),
                type_id: event.type_id(),
                type_version: event.type_version(),
                class: class(event),
                payload_len: body.len() as u32,
                seq: log.chain.end().seq + 1,
                wall_ms: request.now.0.cast_unsigned(),
                event_id: entry::event_id(request.command_id, index as u32),
                stream_id: request.stream,
                stream_version: accepted.version,
                payload_commit: entry::commit(&salt, &body),
            };
            let bytes = header.encode();
            let hash = log.chain.append(&header, &bytes)?;
            log.entries += 1;
            log.last_entry_ms = Some(request.now.0);
            let at = log::pos(log.epoch_row, header.seq);
            let record = Record {
                header: bytes,
                payload: Payload::Present { salt, body },
            };
            log::store_entry(connection, at, &record, &hash)?;
            connection
                .prepare_cached("INSERT INTO stream_entry(stream, version, pos) VALUES (:stream, :version, :pos)")?
                .execute(named_params! {
                    ":stream": request.stream.as_bytes(),
                    ":version": accepted.version,
                    ":pos": at,
                })?;
            fold::own(connection, own, &header, &record)?;
            added.push(record);
            accepted.event_ids.push(header.event_id);
            if let Event::Incident(posko_domain::event::IncidentEvent::Reported(reported)) = event {
                accepted.number = Some(reported.number.clone());
            }
        }
        store_credential(connection, request)?;
        log.store_cursor(connection, before)?;
        accepted.position = log.chain.end();
        transaction.added.append(&mut added);
        transaction.logs.insert(own, log);
        Ok(Ok(accepted))
    }

    fn open_epoch(
        &self,
        connection: &Connection,
        log: &mut LogMemory,
        now: Millis,
    ) -> Result<(), StoreError> {
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
            0,
            now.0.cast_unsigned(),
            &self.options.log_key,
            authority,
        );
        log.chain.open(&open)?;
        log.store_epoch(connection, &open)
    }

    // === views ===

    /// Folds a slice, and returns the rebuild unless it has ended.
    fn rebuild(&mut self, mut rebuild: Rebuild) -> Option<Rebuild> {
        if self.rebuilding && !rebuild.is_under_way() {
            rebuild.tell(Err(StoreError::Rebuilding));
            return None;
        }
        let identity = self.options.identity;
        match savepoint(&self.connection, |connection| {
            rebuild.step(connection, &identity)
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
        let origin = group.chain().identity().origin;
        let known = transaction
            .logs
            .get(&origin)
            .cloned()
            .or_else(|| self.shared.log(origin));
        let applied = match known {
            None => Err(ApplyError::NoSuchOrigin),
            Some(log) if log.chain.end() != group.before() => Err(ApplyError::Moved {
                cursor: log.chain.end(),
            }),
            Some(log) => savepoint(&self.connection, |connection| {
                store_group(connection, log, group, now)
            })
            .map_err(ApplyError::from),
        };
        let answer = applied.map(|log| {
            let end = log.chain.end();
            transaction.logs.insert(origin, log);
            end
        });
        if let Err(ApplyError::Store(error)) = &answer {
            self.fail_if_fatal(error);
        }
        transaction.answers.push(Box::new(move |committed| {
            reply(committed.map_err(ApplyError::from).and(answer));
        }));
    }
}

/// Stores a verified group, folds it and moves the cursor.
fn store_group(
    connection: &Connection,
    mut log: LogMemory,
    group: &VerifiedGroup,
    now: Millis,
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
    for (header, record, hash) in entries {
        log::store_entry(
            connection,
            log::pos(log.epoch_row, header.seq),
            record,
            hash,
        )?;
        fold::replica(connection, Tables::LIVE, origin, header, &record.payload)?;
        log.last_entry_ms = Some(header.wall_ms.cast_signed());
    }
    log.chain = group.chain().clone();
    log.head = Some(*group.head());
    log.note(*group.head(), now);
    log.store_cursor(connection, group.before())?;
    connection
        .prepare_cached(
            "INSERT OR IGNORE INTO arrival(origin, epoch, upto_seq, at_ms)
             VALUES (:origin, :epoch, :seq, :at)",
        )?
        .execute(named_params! {
            ":origin": origin.as_str(),
            ":epoch": log.epoch_row,
            ":seq": log.chain.end().seq.cast_signed(),
            ":at": now.0,
        })?;
    Ok(log)
}

/// Runs one job so that a failure undoes it alone.
pub(crate) fn savepoint<T>(
    connection: &Connection,
    job: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
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

fn envelope(request: &Request, actor: &Actor, event: &Event) -> Envelope {
    Envelope {
        actor_ref: actor.account.to_vec(),
        role: actor.role.into(),
        scope: actor.scope.clone(),
        delegation: actor.delegation.map(Id::to_vec).unwrap_or_default(),
        command_id: request.command_id.to_vec(),
        cause: request.cause.map(Id::to_vec).unwrap_or_default(),
        occurred_at: Some(request.occurred_at.into()),
        frontier: Vec::new(),
        event: event.encode(),
    }
}

fn flags(request: &Request, event: &Event) -> u16 {
    let flag = |set: bool, flag: u16| if set { flag } else { 0 };
    flag(request.exercise, entry::EXERCISE)
        | flag(event.withdrawable(), entry::WITHDRAWABLE)
        | flag(event.scarce(), entry::SCARCE)
}

fn class(event: &Event) -> Class {
    match event.class() {
        EventClass::Regional => Class::Regional,
        EventClass::Provinces => Class::Provinces,
        EventClass::Local => Class::Local,
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

fn seen(connection: &Connection, command: Id) -> Result<Option<([u8; 32], Answer)>, StoreError> {
    let row: Option<([u8; 32], Vec<u8>)> = connection
        .prepare_cached("SELECT digest, outcome FROM command_seen WHERE command = :command")?
        .query_row(named_params! { ":command": command.as_bytes() }, |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    row.map(|(digest, outcome)| {
        let outcome = postcard::from_bytes(&outcome).map_err(|_| StoreError::Corrupt {
            what: "a command's outcome",
        })?;
        Ok((digest, outcome))
    })
    .transpose()
}

fn remember(connection: &Connection, request: &Request, answer: &Answer) -> Result<(), StoreError> {
    let outcome = postcard::to_stdvec(answer).map_err(|_| StoreError::Corrupt {
        what: "a command's outcome",
    })?;
    connection
        .prepare_cached(
            "INSERT INTO command_seen(command, digest, outcome, at_ms) VALUES (:command, :digest, :outcome, :at)",
        )?
        .execute(named_params! {
            ":command": request.command_id.as_bytes(),
            ":digest": request.digest.as_slice(),
            ":outcome": outcome,
            ":at": request.now.0,
        })?;
    Ok(())
}

fn credential_taken(
    connection: &Connection,
    request: &Request,
) -> Result<Option<Refusal>, StoreError> {
    let Some(login) = request
        .credential
        .as_ref()
        .and_then(|credential| credential.login.as_ref())
    else {
        return Ok(None);
    };
    let taken: bool = connection
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM credential WHERE login = :login AND account <> :account)",
        )?
        .query_row(
            named_params! { ":login": login, ":account": request.stream.as_bytes() },
            |row| row.get(0),
        )?;
    Ok(taken.then(|| Refusal {
        code: Code::Conflict,
        message: "that login name is taken".into(),
    }))
}

fn store_credential(connection: &Connection, request: &Request) -> Result<(), StoreError> {
    let Some(credential) = &request.credential else {
        return Ok(());
    };
    let account = request.stream.as_bytes();
    match &credential.login {
        Some(login) => connection
            .prepare_cached(
                "INSERT INTO credential(account, login, password_hash) VALUES (:account, :login, :hash)",
            )?
            .execute(named_params! { ":account": account, ":login": login, ":hash": credential.password_hash })?,
        None => connection
            .prepare_cached("UPDATE credential SET password_hash = :hash WHERE account = :account")?
            .execute(named_params! { ":account": account, ":hash": credential.password_hash })?,
    };
    Ok(())
}

fn other_command(command: Id) -> Refusal {
    Refusal {
        code: Code::Conflict,
        message: format!("command id `{command}` was already used for another command"),
    }
}

fn too_large(bytes: usize) -> Refusal {
    Refusal {
        code: Code::Invalid,
        message: format!("the event has {bytes} bytes; at most {MAX_PAYLOAD_BYTES} are recorded"),
    }
}
