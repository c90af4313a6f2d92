//! Who is calling: the token of a session, or the console's.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr},
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use argon2::{
    Argon2, PasswordHash, PasswordHasher, PasswordVerifier,
    password_hash::{Salt, SaltString},
};
use posko_domain::{
    account::{AccountState, Action, Grant, Held, HeldGrant, authorize, authorize_in},
    code::Refusal,
};
use posko_proto::{Id, NodeId, common::v1::Role, id::hex, time::Millis};
use posko_store::{Actor, Authority, account::Session};
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use tonic::{Request, Status, metadata::MetadataMap};
use tracing::warn;

use super::{Api, internal, random, refused, stored};
use crate::{
    report::{Lines, line_of},
    time::now,
};

/// The account under which the machine's administrator acts at the console: no person's, the same on every node.
pub(crate) const CONSOLE: Id = Id(*b"posko console\0\0\0");
/// How many wrong passwords a login may have within [`THROTTLE_SECONDS`].
const WRONG_PASSWORDS: u32 = 10;
/// For how long wrong passwords count, in seconds.
const THROTTLE_SECONDS: i64 = 15 * 60;
/// How many callers are remembered; past that all are forgotten.
const REMEMBERED_CALLERS: usize = 10_000;
/// How many logins are remembered for their wrong passwords; past that the oldest go.
const THROTTLED_LOGINS: usize = 10_000;
/// How many characters of a login name are remembered: no name is longer.
const LOGIN_CHARACTERS: usize = 64;
/// The longest password, in bytes.
pub(super) const MAX_PASSWORD_BYTES: usize = 1024;
/// How many passwords are hashed at once: each takes 19 MiB and tens of milliseconds, and two leave the node to its work.
const HASHED_AT_ONCE: usize = 2;
/// How many may wait for that or run: the last of them waits about a second.
const PASSWORDS_WAITING: usize = 32;
/// How many of them may come from one address, so that nobody alone keeps all others waiting.
const PASSWORDS_EACH: usize = 8;

/// An authenticated caller.
pub(crate) struct Caller {
    pub(crate) account: Id,
    pub(crate) session: Option<Session>,
    state: AccountState,
}

impl Caller {
    /// Returns the actor in whose role the action is done, or the refusal.
    pub(crate) fn may(&self, action: Action, target: Option<&str>) -> Result<Actor, Status> {
        let held = authorize(&self.state, action, target, now())
            .map_err(|error| refused(&Refusal::from(error)))?;
        Ok(self.actor(held))
    }

    /// Returns the actor in whose role the action is done in every one of the regions; where there are none, anywhere.
    /// A role in the whole of `home` also covers what lies outside of it.
    pub(crate) fn may_in(
        &self,
        action: Action,
        regions: &[String],
        home: Option<NodeId>,
    ) -> Result<Actor, Status> {
        let home = home.as_ref().map(NodeId::as_str);
        let held = authorize_in(&self.state, action, regions, home, now());
        Ok(self.actor(held.map_err(|error| refused(&Refusal::from(error)))?))
    }

    fn actor(&self, held: Held) -> Actor {
        Actor {
            account: self.account,
            role: held.role,
            scope: held.scope,
            delegation: held.delegation,
        }
    }

    /// Lets the action be judged where the thing is when the command is decided.
    pub(crate) fn account_for(self, action: Action) -> Authority {
        Authority::Account {
            id: self.account,
            state: self.state,
            action,
        }
    }
}

impl Api {
    /// Finds out who calls.
    pub(crate) async fn caller(&self, metadata: &MetadataMap) -> Result<Caller, Status> {
        let token = metadata
            .get("authorization")
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "))
            .ok_or_else(|| Status::unauthenticated("no token: log in first"))?;
        let hash = token_hash(token);
        if same(&hash, &self.0.console) {
            return Ok(Caller {
                account: CONSOLE,
                session: None,
                state: console(now()),
            });
        }
        let at = now();
        if let Some((session, state)) = self.0.callers.find(&hash, at) {
            return Ok(Caller {
                account: session.account,
                session: Some(session),
                state,
            });
        }
        let generation = self.0.callers.generation();
        let found = self
            .ask(move |store| {
                let Some(session) = store.session(hash, at)? else {
                    return Ok(None);
                };
                Ok(store
                    .account(session.account)?
                    .map(|state| (session, state)))
            })
            .await?;
        let (session, state) = found.ok_or_else(|| {
            Status::unauthenticated("the token is not, or no longer, good: log in again")
        })?;
        if state.disabled {
            return Err(Status::unauthenticated("the account is disabled"));
        }
        self.0
            .callers
            .note(hash, generation, session.clone(), state.clone());
        Ok(Caller {
            account: session.account,
            session: Some(session),
            state,
        })
    }

    /// Finds out who calls, and refuses who may not.
    pub(crate) async fn authorized(
        &self,
        metadata: &MetadataMap,
        action: Action,
        target: Option<&str>,
    ) -> Result<Actor, Status> {
        self.caller(metadata).await?.may(action, target)
    }

    /// Checks a login that came from an address, and opens a session of `seconds`.
    pub(crate) async fn open_session(
        &self,
        from: IpAddr,
        login: &str,
        password: &str,
        seconds: i64,
    ) -> Result<(String, Session), Status> {
        let at = now();
        let name = login.to_owned();
        let known = self.ask(move |store| store.credential(&name)).await?;
        let (account, hash) = match &known {
            Some((account, hash)) => (Some(*account), hash.as_str()),
            None => (None, UNKNOWN_LOGIN),
        };
        let right = self.check_password(from, login, password, hash).await?;
        let Some(account) = account.filter(|_| right) else {
            return Err(Status::unauthenticated("login name or password is wrong"));
        };
        let state = self.ask(move |store| store.account(account)).await?;
        if state.is_none_or(|state| state.disabled) {
            return Err(Status::unauthenticated("the account is disabled"));
        }
        let token = hex(&random::<32>()?);
        let session = Session {
            id: Id(random()?),
            account,
            opened_at: at,
            expires_at: at.plus_seconds(seconds),
        };
        let (hash, opened) = (token_hash(&token), session.clone());
        self.ask(move |store| store.open_session(hash, &opened))
            .await?;
        Ok((token, session))
    }

    /// Says whether a password is that of a hash. Wrong ones are counted for whoever gave them, an address and a login
    /// name together, so that they keep nobody else out; IT reads in the log from where they came.
    pub(crate) async fn check_password(
        &self,
        from: IpAddr,
        login: &str,
        password: &str,
        hash: &str,
    ) -> Result<bool, Status> {
        let login: String = login.chars().take(LOGIN_CHARACTERS).collect();
        let who = (line_of(from), login);
        self.0.logins.check(&who, now())?;
        // None is so long, and hashing it would take as long as whoever sends it likes.
        let fits = password.len() <= MAX_PASSWORD_BYTES;
        let password = if fits { password } else { "" }.to_owned();
        let hash = hash.to_owned();
        let verify = move || {
            PasswordHash::new(&hash).is_ok_and(|hash| {
                Argon2::default()
                    .verify_password(password.as_bytes(), &hash)
                    .is_ok()
            })
        };
        let right = self.0.passwords.run(from, verify).await? && fits;
        if right {
            self.0.logins.right(&who);
        } else {
            let wrong = self.0.logins.wrong(&who, now());
            let (line, minutes) = (who.0, THROTTLE_SECONDS / 60);
            warn!(client.address = %line, wrong, "a login from `{line}` failed: `{wrong}` wrong passwords came from there within {minutes} min");
        }
        Ok(right)
    }

    /// Returns a password's argon2id hash in PHC form.
    pub(crate) async fn hash_password(
        &self,
        from: IpAddr,
        password: &str,
    ) -> Result<String, Status> {
        let salt = SaltString::encode_b64(&random::<16>()?).map_err(|error| internal(&error))?;
        let password = password.to_owned();
        let hash = move || {
            Argon2::default()
                .hash_password(password.as_bytes(), Salt::from(&salt))
                .map(|hash| hash.to_string())
                .map_err(|error| error.to_string())
        };
        let hashed = self.0.passwords.run(from, hash).await?;
        hashed.map_err(|error| internal(&error))
    }

    /// Ends a session of any account.
    pub(crate) async fn end_session(&self, id: Id) -> Result<bool, Status> {
        let store = self.0.store.clone();
        let closed = tokio::task::spawn_blocking(move || store.close_session(id)).await;
        self.0.callers.forget();
        closed
            .map_err(|error| internal(&error))?
            .map_err(|error| stored(&error))
    }
}

/// A hash of nobody's password, so that an unknown login takes as long as a wrong password.
const UNKNOWN_LOGIN: &str = "$argon2id$v=19$m=19456,t=2,p=1$cG9za28gbm9ib2R5ISE$1xWQ8n5nqVZV0pQ0sZt8w6m1bB2n0r8m3k1l5h7d9cE";

/// Callers found before, by their tokens' hashes, so that a call need not ask the file again. Everything is forgotten
/// when an account or a session changes.
#[derive(Default)]
pub(crate) struct Callers {
    generation: AtomicU64,
    known: RwLock<HashMap<[u8; 32], (u64, Session, AccountState)>>,
}

impl Callers {
    fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    fn find(&self, hash: &[u8; 32], now: Millis) -> Option<(Session, AccountState)> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let (generation, session, state) = known.get(hash)?;
        let holds = *generation == self.generation() && session.expires_at > now;
        holds.then(|| (session.clone(), state.clone()))
    }

    /// Remembers what was read when the generation was this: a change since then makes it worthless.
    fn note(&self, hash: [u8; 32], generation: u64, session: Session, state: AccountState) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED_CALLERS {
            known.clear();
        }
        known.insert(hash, (generation, session, state));
    }

    /// Forgets everybody: called after an account or a session has changed.
    pub(crate) fn forget(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
    }
}

/// The passwords that are being hashed or wait for that.
pub(crate) struct Passwords {
    running: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    lines: Lines,
}

impl Default for Passwords {
    fn default() -> Self {
        Self {
            running: Arc::new(Semaphore::new(HASHED_AT_ONCE)),
            waiting: Arc::new(Semaphore::new(PASSWORDS_WAITING)),
            lines: Lines::default(),
        }
    }
}

impl Passwords {
    /// Hashes or compares on a thread of its own, when it is its turn; refuses where too many wait, here or from there.
    async fn run<T: Send + 'static>(
        &self,
        from: IpAddr,
        hash: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Status> {
        let busy = || Status::unavailable("too many logins at once: try again in a few seconds");
        let line = self.lines.hold(from, PASSWORDS_EACH).ok_or_else(busy)?;
        let place = self.waiting.clone().try_acquire_owned();
        let place = place.map_err(|_| busy())?;
        let turn = self.running.clone().acquire_owned().await;
        let turn = turn.map_err(|error| internal(&error))?;
        // Who hangs up ends no hashing: its turn is over when that is.
        let hashed = tokio::task::spawn_blocking(move || {
            let hashed = hash();
            drop((line, place, turn));
            hashed
        });
        hashed.await.map_err(|error| internal(&error))
    }
}

/// Who gives passwords: a line, and the login name that they are given for.
type Who = (IpAddr, String);

/// Wrong passwords by who gave them: how many, and until when they count.
#[derive(Default)]
pub(crate) struct Throttle(Mutex<HashMap<Who, (u32, Millis)>>);

impl Throttle {
    fn check(&self, who: &Who, now: Millis) -> Result<(), Status> {
        let wrong = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match wrong.get(who) {
            Some((count, until)) if *count >= WRONG_PASSWORDS && *until > now => {
                let minutes = (until.0 - now.0) / 60_000 + 1;
                Err(Status::resource_exhausted(format!(
                    "{WRONG_PASSWORDS} wrong passwords: try again in {minutes} min"
                )))
            }
            _ => Ok(()),
        }
    }

    /// Counts a wrong password; returns how many came from the same line, whatever the login.
    fn wrong(&self, who: &Who, now: Millis) -> u32 {
        let mut wrong = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        wrong.retain(|_, (_, until)| *until > now);
        let oldest = || wrong.iter().min_by_key(|(_, (_, until))| *until);
        let full = wrong.len() >= THROTTLED_LOGINS;
        if let Some((oldest, _)) = full.then(oldest).flatten() {
            let oldest = oldest.clone();
            wrong.remove(&oldest);
        }
        let entry = wrong.entry(who.clone()).or_insert((0, now));
        *entry = (entry.0 + 1, now.plus_seconds(THROTTLE_SECONDS));
        let same_line = wrong.iter().filter(|((line, _), _)| *line == who.0);
        same_line.map(|(_, (count, _))| count).sum()
    }

    fn right(&self, who: &Who) {
        let mut wrong = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        wrong.remove(who);
    }
}

/// The console's rights: those of IT, for the whole node.
fn console(now: Millis) -> AccountState {
    let grant = Grant {
        role: Role::It,
        scope: String::new(),
        from: None,
        until: None,
        delegated_by: None,
    };
    AccountState {
        grants: vec![HeldGrant {
            id: Id::default(),
            grant,
        }],
        disabled: false,
        password_changed_at: None,
        subscriptions: Vec::new(),
        seen: None,
        version: 1,
        created_at: now,
        recorded_at: now,
    }
}

/// Returns what the node keeps of a token.
pub(crate) fn token_hash(token: &str) -> [u8; 32] {
    Sha256::new()
        .chain_update(b"posko/token/v1\0")
        .chain_update(token)
        .finalize()
        .into()
}

/// Returns the address that a call comes from; all without one count as from the same.
pub(super) fn client_of<T>(request: &Request<T>) -> IpAddr {
    let address = request.remote_addr();
    address.map_or(Ipv4Addr::UNSPECIFIED.into(), |address| address.ip())
}

/// Compares without telling by its time where the first difference is.
pub(crate) fn same(left: &[u8; 32], right: &[u8; 32]) -> bool {
    left.iter()
        .zip(right)
        .fold(0, |difference, (left, right)| difference | (left ^ right))
        == 0
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn who_hangs_up_makes_no_room_for_more_hashing_than_may_run() {
        let passwords = Arc::new(Passwords::default());
        let from = Ipv4Addr::LOCALHOST.into();
        let (begun, begins) = mpsc::channel();
        let mut ends = Vec::new();
        for _ in 0..HASHED_AT_ONCE {
            let (passwords, begun) = (passwords.clone(), begun.clone());
            let (end, ended) = mpsc::channel::<()>();
            ends.push(end);
            let hashing = tokio::spawn(async move {
                let hash = move || {
                    let _ = begun.send(());
                    ended.recv().is_ok()
                };
                passwords.run(from, hash).await
            });
            let begins = tokio::task::block_in_place(|| begins.recv());
            assert!(begins.is_ok());
            hashing.abort();
            assert!(hashing.await.unwrap_err().is_cancelled());
        }
        assert_eq!(passwords.running.available_permits(), 0);
        drop(ends);
        assert!(passwords.run(from, || true).await.unwrap());
    }

    #[test]
    fn an_unknown_login_is_hashed_as_any_other() {
        assert!(PasswordHash::new(UNKNOWN_LOGIN).is_ok());
    }
}
