//! Files that are wanted from peers: who wants which since when, who gives it now, and what the others said.
//!
//! ```text
//!  a person wants it ─┐                    ┌─▶ the session with the entry's origin, while that is connected
//!                     ├─▶ wanted, by hash ─┤
//!  a peer asked for it┘                    └─▶ else any other session, one after the other
//! ```
//! A node that is asked for a file which it may give and does not have says so at once, and fetches it for itself, from
//! the entry's origin alone: whoever asked asks again, so that a file comes through one relay, and no question goes round
//! in a circle. What it never does: give up while a person wants it, or ask a peer again that gave wrong bytes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use posko_domain::blob::Blob;
use posko_ledger::{
    Hash,
    engine::{Peer, classes_of},
};
use posko_proto::{NodeId, blob::v1::PeerAnswer, id::hex, time::Millis};
use posko_store::{StoreError, blob};
use tokio::{sync::watch, time::Instant};
use tracing::{info, warn};

use super::{Peers, Shared};
use crate::time::now;

/// After how long a peer that does not have a file is asked for it again.
const AGAIN: Duration = Duration::from_secs(2);
/// After how long a peer that did not answer is asked again.
const SILENT_AGAIN: Duration = Duration::from_mins(1);
/// For how long a file is fetched for a peer after it last asked.
const FOR_PEER: Duration = Duration::from_mins(1);
/// How many files persons may want at once.
const MOST_WANTED: usize = 1024;
/// How many files are fetched for peers at once.
const MOST_FOR_PEERS: usize = 64;

/// Why a file is not asked for.
#[derive(Debug, thiserror::Error)]
pub enum NotWanted {
    /// No event names it, or none by which this node may have it.
    #[error("no event names file `{0}` by which it may be here")]
    Unnamed(
        /// Its hash.
        String,
    ),
    /// It is larger than the node takes.
    #[error("file `{name}` has {length} bytes, more than {} MiB, the limit of `[blob] max_mib`", most >> 20)]
    TooLarge {
        /// Its hash.
        name: String,
        /// How many bytes it has, as the event says that names it.
        length: u64,
        /// How many it may have.
        most: u64,
    },
    /// Too many are wanted.
    #[error("more than {MOST_WANTED} files are wanted at once: wait until some are here")]
    TooMany,
    /// The store's file.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How it stands with a file that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Since when.
    pub since: Millis,
    /// Whether a peer gives it now, or one that is connected was not asked yet.
    pub under_way: bool,
    /// What the peers said, by their names.
    pub said: Vec<(NodeId, PeerAnswer)>,
    /// Why nobody is asked, though somebody could be; empty else.
    pub why: String,
}

/// The files that are wanted.
pub(super) struct Fetches {
    wanted: Mutex<BTreeMap<Hash, Wanted>>,
    /// Counts the changes, for the sessions and for whoever waits.
    changed: watch::Sender<u64>,
    /// The most bytes of a file.
    most: u64,
}

struct Wanted {
    /// What the entries say of it; the first is what is asked for. Only one can be right about the length.
    blobs: Vec<Blob>,
    /// Whose entries name it.
    origins: BTreeSet<NodeId>,
    /// The classes of these entries.
    classes: u32,
    since: Millis,
    /// Until when it is fetched for a peer; none when a person wants it.
    until: Option<Instant>,
    /// Who gives it: the peer and its session.
    from: Option<(NodeId, u64)>,
    said: BTreeMap<NodeId, (PeerAnswer, Instant)>,
}

impl Wanted {
    /// Says whether a peer may be asked now, by what it said last.
    fn may_ask(&self, peer: NodeId) -> bool {
        match self.said.get(&peer) {
            None => true,
            Some((PeerAnswer::Wrong, _)) => false,
            Some((PeerAnswer::Silent, at)) => at.elapsed() >= SILENT_AGAIN,
            Some((PeerAnswer::Unspecified | PeerAnswer::Gives | PeerAnswer::HasNot, at)) => {
                at.elapsed() >= AGAIN
            }
        }
    }
}

impl Fetches {
    pub(super) fn new(most: u64) -> Self {
        Self {
            wanted: Mutex::default(),
            changed: watch::channel(0).0,
            most,
        }
    }

    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Hash, Wanted>> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self) {
        self.changed.send_modify(|count| *count += 1);
    }

    /// Takes an answer; only of the session that gives the file.
    fn said(&self, hash: &Hash, (peer, session): (NodeId, u64), answer: Option<PeerAnswer>) {
        if let Some(wanted) = self.lock().get_mut(hash)
            && wanted.from == Some((peer, session))
        {
            wanted.from = None;
            if let Some(answer) = answer {
                wanted.said.insert(peer, (answer, Instant::now()));
            }
        }
        self.tell();
    }
}

impl Peers {
    /// Has a file fetched that an event names, unless it is here; it reads the store, and waits for the disk.
    pub fn want_blob(&self, hash: Hash) -> Result<(), NotWanted> {
        self.0.want(hash, None)
    }

    /// Says how it stands with a file that is wanted; none when nobody wants it.
    pub fn blob_asked(&self, hash: &Hash) -> Option<Asked> {
        let connected = self.0.connected();
        let wanted = self.0.fetches.lock();
        let wanted = wanted.get(hash).filter(|wanted| wanted.until.is_none())?;
        let why = self.0.disk.borrow().no_entries();
        let unasked = connected.iter().any(|peer| !wanted.said.contains_key(peer));
        Some(Asked {
            since: wanted.since,
            under_way: wanted.from.is_some() || (unasked && why.is_none()),
            said: (wanted.said.iter())
                .filter(|(peer, _)| wanted.from.is_none_or(|(from, _)| from != **peer))
                .map(|(peer, (answer, _))| (*peer, *answer))
                .chain(wanted.from.map(|(peer, _)| (peer, PeerAnswer::Gives)))
                .collect(),
            why: why.unwrap_or_default(),
        })
    }

    /// Returns what tells of every change to what is wanted.
    pub fn blob_changes(&self) -> watch::Receiver<u64> {
        self.0.fetches.changes()
    }

    /// Returns how many files persons want that are not here.
    pub fn blobs_wanted(&self) -> u64 {
        let wanted = self.0.fetches.lock();
        wanted
            .values()
            .filter(|wanted| wanted.until.is_none())
            .count() as u64
    }
}

impl Shared {
    fn connected(&self) -> BTreeSet<NodeId> {
        let peers = self.lock();
        let connected = peers.iter().filter(|(_, entry)| entry.live.is_some());
        connected.map(|(origin, _)| *origin).collect()
    }

    /// Has a file fetched for a person, or for the peer that asked for it by entries of these classes.
    fn want(&self, hash: Hash, for_peer: Option<(NodeId, u32)>) -> Result<(), NotWanted> {
        if self.store.blob(&hash)?.is_some_and(|held| held.complete) {
            return Ok(());
        }
        let own = self.own.origin;
        let mut named = self.store.blob_named(&hash)?;
        named.retain(|named| match for_peer {
            None => true,
            Some((peer, classes)) => {
                named.class & classes != 0 && named.origin != own && named.origin != peer
            }
        });
        let persons = for_peer.is_none();
        let most = self.fetches.most;
        let mut blobs: Vec<Blob> = Vec::new();
        for named in &named {
            if !blobs.iter().any(|blob| blob.length == named.blob.length) {
                blobs.push(named.blob);
            }
        }
        let longest = blobs.first().map(|blob| blob.length);
        blobs.retain(|blob| blob.length <= most.min(blob::MAX_BYTES));
        if blobs.is_empty() {
            return Err(match longest {
                Some(length) => NotWanted::TooLarge {
                    name: hex(&hash),
                    length,
                    most,
                },
                None => NotWanted::Unnamed(hex(&hash)),
            });
        }
        if let Some(blob) = blobs.first().filter(|_| persons) {
            // So that the next start asks on.
            self.store.note_wanted(*blob, now())?;
        }
        let mut wanted = self.fetches.lock();
        let until = for_peer.map(|_| Instant::now() + FOR_PEER);
        let origins = named.iter().map(|named| named.origin).collect();
        let classes = named.iter().fold(0, |classes, named| classes | named.class);
        if let Some(known) = wanted.get_mut(&hash) {
            // What a person wants stays a person's.
            if known.until.is_some() {
                known.until = until;
                if persons {
                    known.since = now();
                    (known.origins, known.classes) = (origins, classes);
                }
            }
        } else {
            let alike = wanted
                .values()
                .filter(|wanted| wanted.until.is_none() == persons);
            if alike.count() >= if persons { MOST_WANTED } else { MOST_FOR_PEERS } {
                return Err(NotWanted::TooMany);
            }
            wanted.insert(
                hash,
                Wanted {
                    blobs,
                    origins,
                    classes,
                    since: now(),
                    until,
                    from: None,
                    said: BTreeMap::new(),
                },
            );
        }
        drop(wanted);
        self.fetches.tell();
        Ok(())
    }

    /// Goes on with what was wanted when the last run ended.
    pub(super) fn want_on(&self) {
        let unfinished = self.store.unfinished_blobs(MOST_WANTED);
        for hash in unfinished.unwrap_or_default() {
            // What cannot be wanted any more is let go in its time.
            let _ = self.want(hash, None);
        }
    }

    /// Fetches a file that a peer asked for and that is not here.
    pub(super) fn want_for(&self, peer: Peer, hash: Hash) {
        let classes = classes_of(peer.role) & classes_of(self.own.role);
        // What is not wanted for it, it was told that it is not here.
        let _ = self.want(hash, Some((peer.origin, classes)));
    }

    /// Returns the file that a session is to fetch next, which no other fetches: the longest wanted that its peer may have
    /// and has not refused a moment ago. While an origin that names it is connected and may be asked, nobody else is.
    pub(super) fn next_blob(&self, peer: Peer, session: u64) -> Option<Blob> {
        if self.disk.borrow().no_entries().is_some() {
            return None;
        }
        let connected = self.connected();
        let mut wanted = self.fetches.lock();
        wanted.retain(|_, wanted| {
            let over = wanted.until.is_some_and(|until| until <= Instant::now());
            wanted.from.is_some() || !over
        });
        let (_, wanted) = (wanted.iter_mut())
            .filter(|(_, wanted)| {
                if wanted.from.is_some() || !wanted.may_ask(peer.origin) {
                    return false;
                }
                if wanted.origins.contains(&peer.origin) {
                    return true;
                }
                let origin_first = (wanted.origins.iter())
                    .any(|origin| connected.contains(origin) && wanted.may_ask(*origin));
                let may_have = wanted.classes & classes_of(peer.role) != 0;
                wanted.until.is_none() && may_have && !origin_first
            })
            .min_by_key(|(_, wanted)| wanted.since)?;
        wanted.from = Some((peer.origin, session));
        let blob = wanted.blobs.first().copied();
        drop(connected);
        self.fetches.tell();
        blob
    }

    /// Notes what a session's peer said of a file; nothing when it is to be asked again.
    pub(super) fn blob_said(&self, hash: &Hash, by: (NodeId, u64), answer: Option<PeerAnswer>) {
        if answer == Some(PeerAnswer::Wrong) {
            let (peer, name) = (by.0, hex(hash));
            warn!(peer.id = %peer, file.hash = name, "`{peer}` gave other bytes than those of file `{name}`: it is asked no more for it");
        }
        self.fetches.said(hash, by, answer);
    }

    /// Notes that a peer has a file in another length than was asked for: where another entry says that, it is asked for
    /// so from now on.
    pub(super) fn blob_other_length(&self, hash: &Hash, by: (NodeId, u64), length: u64) {
        let known = self.fetches.lock().get_mut(hash).is_some_and(|wanted| {
            let known = wanted.blobs.iter().position(|blob| blob.length == length);
            known.is_some_and(|at| {
                wanted.blobs.rotate_left(at);
                at > 0
            })
        });
        self.blob_said(hash, by, (!known).then_some(PeerAnswer::HasNot));
    }

    /// Notes that more of a file is here.
    pub(super) fn blob_grew(&self) {
        self.fetches.tell();
    }

    /// Notes that a file is here, or that nobody names it any more.
    pub(super) fn blob_settled(&self, hash: &Hash, kept: bool) {
        if kept {
            let name = hex(hash);
            info!(file.hash = name, "file `{name}` is here");
        }
        self.fetches.lock().remove(hash);
        self.fetches.tell();
    }

    /// Lets others fetch what a session fetched when it ended.
    pub(super) fn blobs_left(&self, session: u64) {
        for wanted in self.fetches.lock().values_mut() {
            wanted.from.take_if(|(_, from)| *from == session);
        }
        self.fetches.tell();
    }
}
