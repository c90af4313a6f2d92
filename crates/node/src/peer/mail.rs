//! Presence and letters: what is said and written here goes to the sessions, what they bring to whoever listens.
//!
//! What it never does: put any of it on the disk.

use std::{sync::Mutex, time::Duration};

use posko_ledger::{
    engine::{
        Input,
        presence::{BadPresence, Board, Item, Statement},
        sealed::{Address, BadLetter, Letter, Post, Taken},
    },
    key::{PublicKey, SecretKey},
};
use posko_proto::{Id, NodeId};
use tokio::sync::{broadcast, watch};
use tracing::{debug, error};
use x25519_dalek::StaticSecret;

use super::{Peers, Shared, random, route::lock};
use crate::identity::{Keys, PeerIdentity, seal};

/// For what letters are sealed.
const PURPOSE: &[u8] = b"posko/letter/v1\0";
/// How many letters wait for a listener that does not keep up.
const UNREAD: usize = 256;

/// The keys by which a node speaks for itself and reads what is sealed to it.
pub struct MailKeys {
    log: SecretKey,
    sealing: StaticSecret,
}

impl MailKeys {
    /// Returns them of a node's keys.
    pub fn of(keys: &Keys) -> Self {
        Self {
            log: SecretKey::from_seed(&keys.log.to_bytes()),
            sealing: keys.sealing.clone(),
        }
    }
}

/// A letter for this node, opened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Received {
    /// By which it is known.
    pub id: Id,
    /// Who wrote it.
    pub from: NodeId,
    /// What it says.
    pub body: Vec<u8>,
}

/// Why a letter was not sent.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// Nothing is known of its reader.
    #[error("no card of `{to}` is accepted")]
    UnknownReader {
        /// The reader.
        to: NodeId,
    },
    /// It could not be sealed.
    #[error("the letter to `{to}` cannot be sealed: {cause}")]
    Seal {
        /// The reader.
        to: NodeId,
        /// The cause.
        cause: String,
    },
    /// It is none.
    #[error(transparent)]
    Letter(#[from] BadLetter),
}

/// What is under way.
pub(super) struct Mail {
    keys: MailKeys,
    board: Mutex<Board>,
    pub(super) post: Mutex<Post>,
    /// Counts what may have to be told, for the sessions.
    waiting: watch::Sender<u64>,
    /// Counts the changes of what is said, for who shows it.
    said: watch::Sender<u64>,
    letters: broadcast::Sender<Received>,
}

impl Mail {
    pub(super) fn new(
        keys: MailKeys,
        own: PeerIdentity,
        run_id: [u8; 16],
        started_ms: u64,
    ) -> Self {
        Self {
            keys,
            board: Mutex::new(Board::new(own.federation.0, own.origin, run_id, started_ms)),
            post: Mutex::new(Post::new(own.origin)),
            waiting: watch::Sender::new(0),
            said: watch::Sender::new(0),
            letters: broadcast::Sender::new(UNREAD),
        }
    }

    /// Wakes the sessions.
    pub(super) fn wake(&self) {
        self.waiting.send_modify(|count| *count += 1);
    }

    pub(super) fn waiting(&self) -> watch::Receiver<u64> {
        self.waiting.subscribe()
    }
}

impl Peers {
    /// Says where this node's things are, instead of what it said before; every peer is told, and it holds for so long.
    pub fn say(&self, items: Vec<Item>, ttl: Duration) -> Result<(), BadPresence> {
        let Shared { mail, store, .. } = &*self.0;
        let chain = store.chain(self.0.own.origin);
        let epoch = chain.map_or(0, |chain| chain.end().epoch.no);
        let (now, key) = (self.0.now(), &mail.keys.log);
        lock(&mail.board).say(now, epoch, items, millis(ttl), key)?;
        mail.said.send_modify(|count| *count += 1);
        mail.wake();
        Ok(())
    }

    /// Returns what each origin says of its things now, the own things too.
    pub fn presence(&self) -> Vec<Statement> {
        lock(&self.0.mail.board).statements(self.0.now())
    }

    /// Returns what wakes whenever [`Peers::presence`] has changed.
    pub fn presence_changes(&self) -> watch::Receiver<u64> {
        self.0.mail.said.subscribe()
    }

    /// Writes a letter that only another node can read, and returns its id. It is sent on until it expires; what comes
    /// back is a letter of its own.
    pub fn write(&self, to: NodeId, body: &[u8], ttl: Duration) -> Result<Id, SendError> {
        let Shared { mail, own, .. } = &*self.0;
        let unsealed = |cause: String| SendError::Seal { to, cause };
        let address = Address {
            federation: own.federation.0,
            id: Id(random().map_err(|cause| unsealed(cause.to_string()))?),
            to,
            from: own.origin,
            ttl_ms: millis(ttl),
        };
        let trust = self.0.trust.load();
        let card = trust.card(to).ok_or(SendError::UnknownReader { to })?;
        let (key, ciphertext) = seal::seal(card.sealing_key(), PURPOSE, &address.encode(), body)
            .map_err(|cause| unsealed(cause.to_string()))?;
        let letter = Letter::sign(address, key, ciphertext, &mail.keys.log)?;
        lock(&mail.post).send(self.0.now(), letter)?;
        mail.wake();
        Ok(address.id)
    }

    /// Returns the letters to this node that come from now on.
    pub fn letters(&self) -> broadcast::Receiver<Received> {
        self.0.mail.letters.subscribe()
    }
}

impl Shared {
    /// Returns what is to be told to a peer now.
    pub(super) fn mail_for(&self, peer: NodeId) -> Vec<Input> {
        let now = self.now();
        let connected: Vec<NodeId> = (self.lock().iter())
            .filter(|(_, entry)| entry.live.is_some())
            .map(|(origin, _)| *origin)
            .collect();
        let statements = lock(&self.mail.board).statements(now);
        let letters = lock(&self.mail.post).give(now, peer, |to| connected.contains(&to));
        let statements = statements.into_iter().map(Box::new).map(Input::Presence);
        let letters = letters.into_iter().map(Box::new).map(Input::Letter);
        statements.chain(letters).collect()
    }

    /// Takes that a session with a peer is open, and returns what is to be told in it.
    pub(super) fn mail_met(&self, peer: NodeId) -> Vec<Input> {
        lock(&self.mail.post).met(peer);
        self.mail_for(peer)
    }

    pub(super) fn take_presence(&self, statement: &Statement) {
        let Some(key) = self.key_of(statement.origin) else {
            return;
        };
        if lock(&self.mail.board).take(self.now(), statement, key) {
            self.mail.said.send_modify(|count| *count += 1);
            self.mail.wake();
        }
    }

    pub(super) fn take_letter(&self, peer: NodeId, letter: &Letter) {
        let Address { id, to, from, .. } = letter.address;
        let Some(key) = self.key_of(from) else {
            debug!(peer.id = %peer, "a letter of `{from}` came, whose card is not accepted");
            return;
        };
        let taken = lock(&self.mail.post).take(self.now(), peer, letter, key);
        match taken {
            Ok(Taken::Known) => {}
            Ok(Taken::Kept) => {
                debug!(peer.id = %peer, "a letter of `{from}` to `{to}` is forwarded");
                self.mail.wake();
            }
            Ok(Taken::Mine) => match self.open(letter) {
                Ok(body) => {
                    // Where nobody listens nobody asked for an answer.
                    let _ = self.mail.letters.send(Received { id, from, body });
                }
                Err(cause) => {
                    error!(peer.id = %from, %cause, "a letter of `{from}` cannot be opened: is the card that it has of this node still true?");
                }
            },
            Err(cause) => debug!(peer.id = %peer, %cause, "a letter was not taken: {cause}"),
        }
    }

    pub(super) fn open(&self, letter: &Letter) -> Result<Vec<u8>, hpke::HpkeError> {
        let Letter {
            address,
            encapsulated_key,
            ciphertext,
            ..
        } = letter;
        let secret = self.mail.keys.sealing.to_bytes();
        let bound = address.encode();
        seal::open(&secret, PURPOSE, &bound, encapsulated_key, ciphertext)
    }

    /// Forgets what has expired.
    pub(super) fn expire_mail(&self) {
        let now = self.now();
        if lock(&self.mail.board).expire(now) {
            self.mail.said.send_modify(|count| *count += 1);
        }
        lock(&self.mail.post).expire(now);
    }

    /// Returns the log key of an accepted node: that of its log, and before its first entry that of its card.
    fn key_of(&self, origin: NodeId) -> Option<PublicKey> {
        let trust = self.trust.load();
        let card = trust.card(origin)?;
        let of_log = self.store.chain(origin).and_then(|chain| chain.log_key());
        of_log.or_else(|| PublicKey::from_bytes("card", &card.log_key().to_bytes()).ok())
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
