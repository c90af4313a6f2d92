//! One running copy of a node: its store, and its files.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, Receiver},
    },
};

use anyhow::{Context, Result, anyhow, bail};
use posko_domain::{account::AccountCommand, code::Refusal, log::LogCommand};
use posko_ledger::{chain::Identity, key::SecretKey};
use posko_proto::{Id, NodeId, common::v1::Role, federation::v1::NodeRole, time::Millis};
use posko_store::{
    Accepted, Actor, Areas, Asked, Claim, Command, LogState, Options, Request, Standing, Start,
    Store, aggregate::Aggregate,
};

use crate::promise::{self, AREA, Books, LEDGER, Ledger, Promises, Scope};

/// The origins of a storm; the last is the gateway.
pub(super) const ORIGINS: [&str; 4] = ["31", "32", "36", "ims"];

const FILES: [&str; 3] = ["db", "db-wal", "mark"];

/// One running copy of a node.
pub(super) struct Node {
    pub(super) origin: NodeId,
    pub(super) role: NodeRole,
    pub(super) dir: PathBuf,
    store: Option<Store>,
    failed: Arc<Mutex<Option<String>>>,
    /// Which start of the whole storm this is.
    pub(super) run: [u8; 16],
    /// Of which log it shows an older picture, of which it takes nothing meanwhile.
    withheld: Option<(NodeId, Store)>,
}

pub(super) fn identity(origin: NodeId) -> Identity {
    Identity {
        federation: [7; 16],
        origin,
        recovery: key(origin, 2).public(),
    }
}

pub(super) fn key(origin: NodeId, which: u8) -> SecretKey {
    let mut seed = [which; 32];
    for (to, from) in seed.iter_mut().zip(origin.padded()) {
        *to = from;
    }
    SecretKey::from_seed(&seed)
}

impl Node {
    pub(super) fn new(origin: NodeId, dir: PathBuf) -> Self {
        let role = if origin.as_str() == "ims" {
            NodeRole::Gateway
        } else {
            NodeRole::Node
        };
        Self {
            origin,
            role,
            dir,
            store: None,
            failed: Arc::default(),
            run: [0; 16],
            withheld: None,
        }
    }

    pub(super) fn is_gateway(&self) -> bool {
        self.role == NodeRole::Gateway
    }

    pub(super) fn store(&self) -> Result<&Store> {
        self.store.as_ref().context("a node is not started")
    }

    pub(super) fn start(&mut self, start: Start, run: [u8; 16], now: Millis) -> Result<()> {
        let failed = self.failed.clone();
        let options = Options {
            path: self.file("db"),
            mark: self.file("mark"),
            start,
            identity: identity(self.origin),
            log_key: Arc::new(key(self.origin, 1)),
            recovery_key: Some(Arc::new(key(self.origin, 2))),
            epoch_nonce: run,
            now,
            areas: [Arc::new(Promises) as Arc<dyn Aggregate>]
                .into_iter()
                .collect::<Areas>(),
            on_fatal: Box::new(move |error| {
                *failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
            }),
        };
        self.run = run;
        self.withheld = None;
        let store = Store::open(options, &mut |_| {})?;
        let accepted = store.peers()?.len();
        if accepted < ORIGINS.len() - 1 {
            for other in ORIGINS {
                let other: NodeId = other.parse()?;
                if other != self.origin {
                    store.accept_peer(identity(other), vec![1], now)?;
                }
            }
        }
        self.store = Some(store);
        self.quiet()
    }

    pub(super) fn stop(&mut self) {
        if let Some(store) = self.store.take() {
            store.close();
        }
    }

    /// Shows a log as it was in a copy of the files, until it is shown as it is or the node starts anew.
    pub(super) fn withhold(&mut self, origin: NodeId, copy: &Path) -> Result<()> {
        let picture = self.dir.join("picture");
        fs::create_dir_all(&picture)?;
        for ending in ["db", "db-wal"] {
            let to = picture.join(ending);
            drop(fs::remove_file(&to));
            if copy.join(ending).exists() {
                fs::copy(copy.join(ending), to)?;
            }
        }
        let key = Arc::new(key(self.origin, 1));
        let store = Store::inspect(&picture.join("db"), identity(self.origin), key)?;
        self.withheld = Some((origin, store));
        Ok(())
    }

    /// Shows every log as it is again.
    pub(super) fn show_all(&mut self) {
        self.withheld = None;
    }

    /// Returns the log of which it shows an older picture.
    pub(super) fn withholds(&self) -> Option<NodeId> {
        self.withheld.as_ref().map(|(origin, _)| *origin)
    }

    /// Returns what a log is shown from.
    pub(super) fn shown(&self, origin: NodeId) -> Result<&Store> {
        match &self.withheld {
            Some((withheld, picture)) if *withheld == origin => Ok(picture),
            _ => self.store(),
        }
    }

    /// Returns how far each log is, as it is shown.
    pub(super) fn shown_logs(&self) -> Result<Vec<LogState>> {
        let mut logs = self.store()?.logs();
        if let Some((withheld, picture)) = &self.withheld {
            logs.retain(|log| log.origin != *withheld);
            logs.extend(picture.log(*withheld));
        }
        Ok(logs)
    }

    pub(super) fn file(&self, ending: &str) -> PathBuf {
        self.dir.join(format!("{}.{ending}", self.origin))
    }

    /// Copies the files as they are, also those of a running store, which writes nothing just now.
    pub(super) fn copy_to(&self, dir: &Path) -> Result<()> {
        fs::create_dir_all(dir)?;
        for ending in FILES {
            let (from, to) = (self.file(ending), dir.join(ending));
            drop(fs::remove_file(&to));
            if from.exists() {
                fs::copy(from, to)?;
            }
        }
        Ok(())
    }

    /// Puts the database of a copy in the stopped node's place, and its mark where that is asked for.
    pub(super) fn put_back(&self, dir: &Path, mark: bool) -> Result<()> {
        self.remove(mark);
        for ending in FILES.into_iter().filter(|ending| mark || *ending != "mark") {
            let from = dir.join(ending);
            if from.exists() {
                fs::copy(from, self.file(ending))?;
            }
        }
        Ok(())
    }

    /// Removes the stopped node's database, and its mark where that is asked for.
    pub(super) fn remove(&self, mark: bool) {
        for ending in ["db", "db-wal", "db-shm"] {
            drop(fs::remove_file(self.file(ending)));
        }
        if mark {
            drop(fs::remove_file(self.file("mark")));
        }
    }

    /// Waits until the writer has nothing to do any more.
    pub(super) fn quiet(&self) -> Result<()> {
        let store = self.store()?;
        let nobody: NodeId = "99".parse()?;
        let mut before = None;
        loop {
            let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(failed) = failed.as_ref() {
                bail!("the store of `{}` failed: {failed}", self.origin);
            }
            drop(failed);
            let now = store.log(self.origin).map(|log| (log.end, log.cut));
            // Where nothing is left out, it gives itself nothing to do beyond what was answered.
            if now.is_none_or(|(_, cut)| cut == 0) || before == Some(now) {
                return Ok(());
            }
            store.remove_peer(nobody)?;
            before = Some(now);
        }
    }

    /// Gives a command of the promises' area.
    pub(super) fn execute(
        &self,
        id: Id,
        cause: Option<Id>,
        scope: Scope,
        command: &promise::Command,
        now: Millis,
    ) -> Result<Result<Accepted, Refusal>> {
        let body = command.encode(scope)?;
        self.give(
            id,
            LEDGER,
            cause,
            Command::Aggregate { area: AREA, body },
            now,
        )
    }

    /// A named person lets this run promise, though something may be lost; the ids are of the making of the account and
    /// of the acceptance.
    pub(super) fn accept_risk(
        &self,
        ids: [Id; 2],
        now: Millis,
    ) -> Result<Result<Accepted, Refusal>> {
        let [account, acceptance] = ids;
        let created = AccountCommand::Create { grants: Vec::new() };
        if let Err(refusal) = self.give(account, account, None, Command::Account(created), now)? {
            return Ok(Err(refusal));
        }
        let risk = AccountCommand::parse_accept_risk("banjir besar")
            .map_err(|error| anyhow!("{error}"))?;
        self.give(acceptance, account, None, Command::Account(risk), now)
    }

    /// Says something of the own log.
    pub(super) fn say(
        &self,
        id: Id,
        said: LogCommand,
        now: Millis,
    ) -> Result<Result<Accepted, Refusal>> {
        self.give(id, id, None, Command::Log(said), now)
    }

    fn give(
        &self,
        id: Id,
        stream: Id,
        cause: Option<Id>,
        command: Command,
        now: Millis,
    ) -> Result<Result<Accepted, Refusal>> {
        let actor = Actor {
            account: Id([9; 16]),
            role: Role::DutyOfficer,
            ..Actor::default()
        };
        let mut seed = [3; 32];
        // A salt is drawn anew for each attempt, as at the edge of a real node.
        for (to, from) in seed.iter_mut().zip(self.run.into_iter().chain(id.0)) {
            *to ^= from;
        }
        let request = Request {
            command_id: id,
            digest: [1; 32],
            authority: actor.into(),
            stream,
            expected_version: 0,
            now,
            occurred_at: now,
            exercise: false,
            cause,
            seed,
            credential: None,
            command,
        };
        let (answer, answered) = mpsc::channel();
        self.store()?.execute(request, move |outcome| {
            drop(answer.send(outcome));
        });
        let outcome = wait(&answered)?;
        self.quiet()?;
        Ok(outcome)
    }

    pub(super) fn ask(&self, peer: NodeId, claim: Claim, now: Millis) -> Result<Asked> {
        let (answer, answered) = mpsc::channel();
        (self.store()?).peer_asked(peer, claim, now, move |asked| {
            drop(answer.send(asked));
        });
        let asked = wait(&answered)??;
        self.quiet()?;
        Ok(asked)
    }

    /// Folds what was filled in.
    pub(super) fn rebuild(&self) -> Result<()> {
        let (answer, answered) = mpsc::channel();
        self.store()?.rebuild_views(Box::new(move |step| {
            drop(answer.send(step));
        }));
        while !wait(&answered)??.swapped {}
        self.quiet()
    }

    pub(super) fn books(&self) -> Result<Books> {
        let store = self.store()?;
        let mut books = Books {
            own: self.origin,
            ledgers: BTreeMap::new(),
        };
        for log in store.logs() {
            let ledger = match store.state(log.origin, LEDGER)? {
                Some(bytes) => Ledger::decode(&bytes)?,
                None => Ledger::default(),
            };
            books.ledgers.insert(log.origin, ledger);
        }
        Ok(books)
    }

    pub(super) fn is_fenced(&self) -> Result<bool> {
        Ok(matches!(self.store()?.standing(), Standing::Fenced { .. }))
    }
}

pub(super) fn wait<T>(answered: &Receiver<T>) -> Result<T> {
    answered.recv().context("the store has stopped")
}
