//! One SQLite file: executes commands, applies replicated entries, answers queries.
//!
//! One thread writes, over one connection, everything that waits in one transaction (group commit); many threads read.
//! A command is answered, a head is signed and a follower is told only after `COMMIT` has returned with
//! `synchronous=FULL`.
//! What this room never does: wait for a network, read a clock, draw randomness; they come as arguments.

pub mod account;
pub mod aggregate;
pub mod arrival;
pub mod backup;
pub mod blob;
pub mod command;
pub mod error;
pub mod gap;
pub mod log;
pub mod query;
pub mod reading;
pub mod replica;
pub mod view;

mod authority;
mod branch;
mod connection;
mod export;
mod fold;
mod fork;
mod mark;
mod missing;
mod rebuild;
mod recover;
mod rejoin;
mod standing;
mod statement;
mod tail;
mod verify;
mod writer;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, OnceLock, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering},
        mpsc,
    },
    thread::JoinHandle,
};

use posko_ledger::{
    chain::{Chain, Identity, VerifiedGroup},
    epoch::Position,
    head::SignedHead,
    key::{PublicKey, SecretKey},
};
use posko_proto::{Id, NodeId, time::Millis};
use rusqlite::{Connection, ErrorCode};

pub use crate::{
    aggregate::Areas,
    command::{Accepted, Actor, Authority, Command, Request},
    error::{ApplyError, PageError, StoreError},
    fork::{ForkRefused, Quarantine},
    log::{LogState, Page},
    missing::Missing,
    rebuild::Progress,
    standing::{Asked, Claim, RiskAccepted, Standing},
    verify::{LogReport, VerifyError},
    writer::ReopenRefused,
};
use crate::{
    log::LogMemory,
    mark::MarkFile,
    rebuild::Rebuild,
    standing::{Fence, Unproven},
    tail::Tail,
    writer::{ForkJob, Job},
};

/// The most commands that may wait for the writer; one more is refused as unavailable.
pub const MAX_WAITING_COMMANDS: usize = 4096;

/// What a store needs to open.
pub struct Options {
    /// The file.
    pub path: PathBuf,
    /// The high-water mark, outside the database: best on another disk, so that one is not rolled back with the other.
    pub mark: PathBuf,
    /// Whether the node is being made.
    pub start: Start,
    /// Whose log it writes.
    pub identity: Identity,
    /// The key that signs its heads.
    pub log_key: Arc<SecretKey>,
    /// The recovery key, which signs the first epoch; absent once it lies in the safe.
    pub recovery_key: Option<Arc<SecretKey>>,
    /// The random part of the epoch that this run opens with its first write.
    pub epoch_nonce: [u8; 16],
    /// The node's time.
    pub now: Millis,
    /// Called when the disk or the file can no longer be trusted; the caller ends the process.
    pub on_fatal: Box<dyn Fn(&StoreError) + Send + Sync>,
    /// The areas beside the fixed ones; the events of any other are counted as unknown.
    pub areas: Areas,
}

/// Whether a node is being made, which decides what a missing file means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Start {
    /// It is being made: nothing is there yet.
    First,
    /// It was made before: what is not there was lost.
    Later,
}

/// The most readers that are kept open for the next query; each has a cache of its own.
const KEPT_READERS: usize = 8;

type Moved = Box<dyn Fn(NodeId) + Send + Sync>;
type Promises = Box<dyn Fn(bool) + Send + Sync>;

/// An open store. Clones share it.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    path: PathBuf,
    identity: Identity,
    log_key: Arc<SecretKey>,
    jobs: mpsc::Sender<Job>,
    waiting: Arc<AtomicUsize>,
    shared: Arc<Shared>,
    readers: Mutex<Vec<Connection>>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

/// What the writer publishes after each commit.
#[derive(Default)]
pub(crate) struct Shared {
    logs: RwLock<BTreeMap<NodeId, LogMemory>>,
    /// The own log's newest commits.
    tail: RwLock<Tail>,
    moved: RwLock<Vec<Moved>>,
    /// Whether scarce commands run, as it was last told, and who is told.
    may_promise: AtomicBool,
    promises: RwLock<Vec<Promises>>,
    /// Whose log is the own; none where nothing can be written.
    own: OnceLock<NodeId>,
    /// Why nothing is written to the own log any more, and since when; none while it is.
    fence: RwLock<Option<Fence>>,
    /// Why the start is unproven; none when nothing was lost.
    unproven: RwLock<Option<Unproven>>,
    /// Whose cards are accepted.
    accepted: RwLock<BTreeSet<NodeId>>,
    /// What the own log's orphans wait for.
    waits: RwLock<Option<String>>,
    /// Whose logs were got from them whole in this run.
    caught_up: RwLock<BTreeSet<NodeId>>,
    /// The latest time that the store was told, in milliseconds since 1970.
    latest: AtomicI64,
    /// What peers were found in this run not to give of the own log's payloads.
    refused: Mutex<statement::Refused>,
}

impl Shared {
    fn log(&self, origin: NodeId) -> Option<LogMemory> {
        self.logs
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&origin)
            .cloned()
    }

    fn publish(&self, logs: BTreeMap<NodeId, LogMemory>) {
        let mut published = self.logs.write().unwrap_or_else(PoisonError::into_inner);
        for (origin, mut log) in logs {
            if let Some(known) = published.get(&origin) {
                log.keep_heard(known);
            }
            published.insert(origin, log);
        }
    }

    /// Returns which logs are in quarantine, and for which fork.
    fn quarantines(&self) -> Vec<(NodeId, Quarantine)> {
        let logs = self.logs.read().unwrap_or_else(PoisonError::into_inner);
        let forked = |(origin, log): (&NodeId, &LogMemory)| Some((*origin, log.forks.quarantine?));
        logs.iter().filter_map(forked).collect()
    }

    /// Returns whose logs are held.
    fn origins(&self) -> Vec<NodeId> {
        let logs = self.logs.read().unwrap_or_else(PoisonError::into_inner);
        logs.keys().copied().collect()
    }

    /// Lets a log be held from now on; one that is held already stays as it is.
    fn admit(&self, identity: Identity) {
        let mut published = self.logs.write().unwrap_or_else(PoisonError::into_inner);
        published
            .entry(identity.origin)
            .or_insert_with(|| LogMemory::new(identity));
    }

    /// Notes what time it is.
    fn tell_time(&self, now: Millis) {
        self.latest.fetch_max(now.0, Ordering::Relaxed);
    }

    /// Returns the latest time that the store was told.
    fn latest(&self) -> Millis {
        Millis(self.latest.load(Ordering::Relaxed))
    }

    /// Tells whether scarce commands run, when that has changed.
    fn tell_promises(&self, may: bool) {
        // Held over both, so that who begins to listen meanwhile misses nothing.
        let listeners = self.promises.read();
        let listeners = listeners.unwrap_or_else(PoisonError::into_inner);
        if self.may_promise.swap(may, Ordering::Relaxed) != may {
            for listener in listeners.iter() {
                listener(may);
            }
        }
    }

    fn notify(&self, origins: &[NodeId]) {
        let listeners = self.moved.read().unwrap_or_else(PoisonError::into_inner);
        for origin in origins {
            for listener in listeners.iter() {
                listener(*origin);
            }
        }
    }
}

impl Store {
    /// Opens the file, making it when it is not there, checks the logs' tails, builds the views anew when the program
    /// knows newer ones, and starts the writer.
    pub fn open(options: Options, progress: &mut dyn FnMut(Progress)) -> Result<Self, StoreError> {
        let was_there = options.path.exists();
        let mut connection = connection::open_writer(&options.path, &options.identity)?;
        let logs = log::load_all(&connection, &options.identity)?;
        if !view::current(&connection)? {
            rebuild::run(&mut connection, &options.identity, &options.areas, progress)?;
        }
        let accepted = replica::accepted(&connection)?;
        let mark = MarkFile::new(options.mark.clone(), &options.identity);
        let own = logs.get(&options.identity.origin);
        let unproven = standing::at_start(&connection, &options, &mark, was_there, own)?;
        let shared = Arc::new(Shared {
            logs: RwLock::new(logs),
            unproven: RwLock::new(unproven),
            accepted: RwLock::new(accepted),
            own: OnceLock::from(options.identity.origin),
            latest: AtomicI64::new(options.now.0),
            ..Shared::default()
        });
        let (jobs, queue) = mpsc::channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let path = options.path.clone();
        let identity = options.identity;
        let log_key = options.log_key.clone();
        let mut writer = writer::Writer::new(
            connection,
            options,
            mark,
            shared.clone(),
            jobs.clone(),
            waiting.clone(),
        );
        writer.seal_tail()?;
        writer.keep_standing()?;
        let thread = std::thread::Builder::new()
            .name("writer".into())
            .spawn(move || writer.run(&queue))
            .map_err(StoreError::Thread)?;
        Ok(Self(Arc::new(Inner {
            path,
            identity,
            log_key,
            jobs,
            waiting,
            shared,
            readers: Mutex::default(),
            writer: Mutex::new(Some(thread)),
        })))
    }

    /// Opens a file for reading only, also while its node runs; commands are refused.
    pub fn inspect(
        path: &Path,
        identity: Identity,
        log_key: Arc<SecretKey>,
    ) -> Result<Self, StoreError> {
        let reader = connection::open_reader(path)?;
        let logs = log::load_all(&reader, &identity)?;
        let (jobs, _) = mpsc::channel();
        Ok(Self(Arc::new(Inner {
            path: path.to_owned(),
            identity,
            log_key,
            jobs,
            waiting: Arc::default(),
            shared: Arc::new(Shared {
                logs: RwLock::new(logs),
                ..Shared::default()
            }),
            readers: Mutex::new(vec![reader]),
            writer: Mutex::default(),
        })))
    }

    /// Returns whose log this store writes.
    pub fn identity(&self) -> &Identity {
        &self.0.identity
    }

    /// Returns the key that signs this node's heads.
    pub fn log_key(&self) -> PublicKey {
        self.0.log_key.public()
    }

    /// Executes a command; `reply` runs on the writer's thread once the answer is durable, and must only hand it over.
    pub fn execute(&self, request: Request, reply: impl FnOnce(command::Answer) + Send + 'static) {
        self.0.shared.tell_time(request.now);
        let waiting = self.0.waiting.fetch_add(1, Ordering::Relaxed);
        if waiting >= MAX_WAITING_COMMANDS {
            self.0.waiting.fetch_sub(1, Ordering::Relaxed);
            reply(Err(command::busy()));
            return;
        }
        self.send(Job::Execute(Box::new(request), Box::new(reply)));
    }

    /// Stores and folds a verified group; `reply` runs on the writer's thread once it is durable.
    pub fn apply(
        &self,
        group: VerifiedGroup,
        now: Millis,
        reply: Box<dyn FnOnce(Result<Position, ApplyError>) + Send>,
    ) {
        self.send(Job::Apply(Box::new(group), now, reply));
    }

    /// Lets the own log, which was proven to be forked, go on from before the fork in an epoch that the recovery key
    /// opens; `reply` gets how many entries are left out, which are recorded again once the node runs.
    pub fn reopen(
        &self,
        recovery: Arc<SecretKey>,
        now: Millis,
        reply: impl FnOnce(Result<u64, ReopenRefused>) + Send + 'static,
    ) {
        self.0.shared.tell_time(now);
        self.send(Job::Fork(ForkJob::Reopen(recovery, Box::new(reply)), now));
    }

    /// Builds the views anew beside the old ones, in slices between other work, and swaps them.
    /// `progress` runs on the writer's thread; the last call says that they are swapped.
    pub fn rebuild_views(&self, progress: Box<dyn FnMut(Result<Progress, StoreError>) + Send>) {
        self.send(Job::Rebuild(Rebuild::new(progress)));
    }

    /// Calls `listener` with an origin after every commit that moved its log.
    pub fn on_move(&self, listener: Moved) {
        self.0
            .shared
            .moved
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .push(listener);
    }

    /// Calls `listener` with whether scarce commands run: now, and after every commit that changed it.
    pub fn on_promise(&self, listener: Promises) {
        let shared = &self.0.shared;
        let mut listeners = shared
            .promises
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        listener(shared.may_promise.load(Ordering::Relaxed));
        listeners.push(listener);
    }

    /// Returns how far each log is held.
    pub fn logs(&self) -> Vec<LogState> {
        let logs = self
            .0
            .shared
            .logs
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        logs.values().map(LogMemory::state).collect()
    }

    /// Returns how far one log is held; none when no card of that origin was accepted.
    pub fn log(&self, origin: NodeId) -> Option<LogState> {
        self.0.shared.log(origin).map(|log| log.state())
    }

    /// Returns the chain at the durable end of a log; none when no card of that origin was accepted.
    pub fn chain(&self, origin: NodeId) -> Option<Chain> {
        self.0.shared.log(origin).map(|log| log.chain)
    }

    /// Returns a freshly signed head of this node's own durable end; none before the first write ever.
    pub fn own_head(&self, now: Millis) -> Option<SignedHead> {
        let log = self.0.shared.log(self.0.identity.origin)?;
        let key = log.chain.log_key()?;
        if key != self.0.log_key.public() || log.chain.end().seq == 0 {
            return None;
        }
        log.chain
            .head(now.0.cast_unsigned())
            .map(|head| head.sign(&self.0.log_key))
    }

    /// Notes a head that the caller has verified, and that its origin was heard of now; says whether it rose.
    pub fn note_head(&self, head: SignedHead, now: Millis) -> bool {
        self.0.shared.tell_time(now);
        let mut logs = self
            .0
            .shared
            .logs
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        logs.get_mut(&head.head.origin)
            .is_some_and(|log| log.note(head, now))
    }

    /// Runs a change that is no event (a session, a card) in a transaction of the writer, and waits for it.
    pub(crate) fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = mpsc::sync_channel(1);
        self.send(Job::Change(Box::new(move |connection| {
            let result = writer::savepoint(connection, change);
            Box::new(move |committed| {
                drop(answer.send(committed.and(result)));
            })
        })));
        answered.recv().unwrap_or(Err(StoreError::Stopped))
    }

    /// Runs a query that reads things of a view, as [`Store::read`] does.
    pub(crate) fn read_things<T>(
        &self,
        query: impl FnOnce(&Connection, &view::Reading<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.read(|connection| query(connection, &view::Reading::new(connection, &self.0.shared)?))
    }

    /// Runs a query on a reader: read-only, and interrupted after [`connection::READ_DEADLINE`].
    pub(crate) fn read<T>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let pooled = self
            .0
            .readers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let reader = match pooled {
            Some(reader) => reader,
            None => connection::open_reader(&self.0.path)?,
        };
        connection::set_deadline(&reader)?;
        let result = query(&reader).map_err(|error| match error {
            StoreError::Sqlite(cause)
                if cause.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) =>
            {
                StoreError::Deadline(connection::READ_DEADLINE.as_secs())
            }
            error => error,
        });
        let mut kept = self
            .0
            .readers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT_READERS {
            kept.push(reader);
        }
        result
    }

    /// Stops the writer after what waits, and closes the file.
    pub fn close(&self) {
        self.send(Job::Stop);
        let thread = self
            .0
            .writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread {
            drop(thread.join());
        }
    }

    fn send(&self, job: Job) {
        if let Err(mpsc::SendError(job)) = self.0.jobs.send(job) {
            job.refuse();
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        drop(self.jobs.send(Job::Stop));
        let thread = self
            .writer
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread
            && thread.thread().id() != std::thread::current().id()
        {
            drop(thread.join());
        }
    }
}

/// Reads an id from a column.
pub(crate) fn id(bytes: &[u8]) -> Result<Id, StoreError> {
    Id::try_from(bytes).map_err(|_| StoreError::Corrupt { what: "an id" })
}

/// Reads a node's name from a column.
pub(crate) fn node(name: &str) -> Result<NodeId, StoreError> {
    name.parse().map_err(|_| StoreError::Corrupt {
        what: "an origin's name",
    })
}
