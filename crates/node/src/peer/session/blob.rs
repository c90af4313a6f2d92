//! Files in one session: the one that is fetched from the peer, and the parts that it asks for.

use std::{collections::VecDeque, time::Duration};

use posko_domain::blob::Blob;
use posko_ledger::{Hash, engine::Input};
use posko_proto::{blob::v1::PeerAnswer, federation::v1::GoodbyeReason, id::hex};
use posko_store::{
    Store, StoreError,
    blob::{Added, Finished},
};
use tokio::{sync::mpsc, time::Instant};
use tracing::error;

use super::Running;
use crate::time::now;

/// After how long without a part another peer is asked.
const SILENT: Duration = Duration::from_secs(20);
/// How many answers of the store may wait; one is out at a time.
const ANSWERS: usize = 8;

/// What a session does with files.
pub(super) struct Blobs {
    fetch: Option<Fetch>,
    fetches: u64,
    answers: mpsc::Sender<Answer>,
    answered: mpsc::Receiver<Answer>,
}

/// The file that is fetched.
struct Fetch {
    number: u64,
    blob: Blob,
    /// What came and is not stored yet; the engine lets few come.
    parts: VecDeque<(u64, Vec<u8>)>,
    /// Whether the store is at work.
    busy: bool,
    /// When the peer last gave something.
    heard: Instant,
}

/// What the store answered, and to which fetch.
pub(super) struct Answer {
    number: u64,
    result: Result<Done, StoreError>,
}

enum Done {
    /// So much of the file is here; none when it is not to be fetched.
    Begun(Option<u64>),
    Added(Added),
    Finished(Finished),
}

impl Blobs {
    pub(super) fn new() -> Self {
        let (answers, answered) = mpsc::channel(ANSWERS);
        Self {
            fetch: None,
            fetches: 0,
            answers,
            answered,
        }
    }

    pub(super) async fn answered(&mut self) -> Option<Answer> {
        self.answered.recv().await
    }
}

impl Running {
    /// Begins with the next file that is wanted from this peer, unless one is under way.
    pub(super) fn fetch_next(&mut self) {
        if !self.met || self.blobs.fetch.is_some() {
            return;
        }
        let Some(blob) = self.shared.next_blob(self.peer, self.live.id) else {
            return;
        };
        self.blobs.fetches += 1;
        self.blobs.fetch = Some(Fetch {
            number: self.blobs.fetches,
            blob,
            parts: VecDeque::new(),
            busy: false,
            heard: Instant::now(),
        });
        let peer = self.peer.origin;
        self.have_stored(move |store| Ok(Done::Begun(store.begin_fetch(blob, peer, now())?)));
    }

    /// Has the store do something for the fetch.
    fn have_stored(
        &mut self,
        job: impl FnOnce(&Store) -> Result<Done, StoreError> + Send + 'static,
    ) {
        let Some(fetch) = &mut self.blobs.fetch else {
            return;
        };
        fetch.busy = true;
        let number = fetch.number;
        let (store, answers) = (self.shared.store.clone(), self.blobs.answers.clone());
        tokio::task::spawn_blocking(move || {
            let result = job(&store);
            // Nobody waits for it any more when the session has ended.
            let _ = answers.blocking_send(Answer { number, result });
        });
    }

    /// Takes an answer of the store.
    pub(super) fn blob_answer(&mut self, answer: Answer) {
        let Some(fetch) = &mut self.blobs.fetch else {
            return;
        };
        if fetch.number != answer.number {
            return;
        }
        fetch.busy = false;
        let Blob { hash, length, .. } = fetch.blob;
        match answer.result {
            Ok(Done::Begun(Some(from)) | Done::Added(Added::Held(from))) if from >= length => {
                self.have_stored(move |store| Ok(Done::Finished(store.finish_fetch(hash, now())?)));
            }
            Ok(Done::Begun(Some(from))) => {
                fetch.heard = Instant::now();
                self.shared.blob_grew();
                self.input(Input::FetchBlob { hash, length, from });
            }
            Ok(Done::Added(Added::Held(_))) => {
                self.shared.blob_grew();
                self.input(Input::BlobKept(hash));
                self.store_next();
            }
            Ok(Done::Finished(Finished::Kept)) => self.end_fetch(|running| {
                running.shared.blob_settled(&hash, true);
            }),
            Ok(Done::Begun(None) | Done::Added(Added::Gone) | Done::Finished(Finished::Gone)) => {
                self.end_fetch(|running| running.shared.blob_settled(&hash, false));
            }
            Ok(Done::Finished(Finished::Wrong { giver })) => {
                // Of several givers nobody can tell who lied: it is fetched anew.
                let lied = giver == Some(self.peer.origin);
                self.leave(&hash, lied.then_some(PeerAnswer::Wrong));
                if lied {
                    let detail = format!(
                        "the bytes of file `{}` are not those of its hash",
                        hex(&hash)
                    );
                    let reason = GoodbyeReason::Protocol;
                    self.input(Input::Close { reason, detail });
                }
            }
            Err(cause) => {
                error!(%cause, "a file could not be stored");
                self.leave(&hash, Some(PeerAnswer::Silent));
            }
        }
    }

    /// Takes a part of the file that is fetched; none while the disk is short.
    pub(super) fn blob_part(&mut self, hash: Hash, offset: u64, body: Vec<u8>) {
        if self.shared.disk.borrow().no_entries().is_some() {
            self.leave(&hash, None);
            return;
        }
        let fetch = self.blobs.fetch.as_mut();
        if let Some(fetch) = fetch.filter(|fetch| fetch.blob.hash == hash) {
            fetch.heard = Instant::now();
            fetch.parts.push_back((offset, body));
            self.store_next();
        }
    }

    fn store_next(&mut self) {
        let Some(fetch) = self.blobs.fetch.as_mut().filter(|fetch| !fetch.busy) else {
            return;
        };
        let hash = fetch.blob.hash;
        if let Some((offset, body)) = fetch.parts.pop_front() {
            self.have_stored(move |store| {
                Ok(Done::Added(store.add_to_fetch(
                    hash,
                    offset,
                    body,
                    now(),
                )?))
            });
        }
    }

    /// Takes that the peer does not give the file.
    pub(super) fn blob_refused(&mut self, hash: Hash, total: u64) {
        let by = (self.peer.origin, self.live.id);
        let is_fetched = self
            .blobs
            .fetch
            .as_ref()
            .is_some_and(|fetch| fetch.blob.hash == hash);
        if !is_fetched {
            return;
        }
        self.blobs.fetch = None;
        if total == 0 {
            self.shared.blob_said(&hash, by, Some(PeerAnswer::HasNot));
        } else {
            self.shared.blob_other_length(&hash, by, total);
        }
    }

    /// Looks whether the peer still gives what it was asked for.
    pub(super) fn blob_tick(&mut self) {
        let late = self.blobs.fetch.as_ref().filter(|fetch| {
            !fetch.busy && fetch.parts.is_empty() && fetch.heard.elapsed() >= SILENT
        });
        if let Some(hash) = late.map(|fetch| fetch.blob.hash) {
            self.leave(&hash, Some(PeerAnswer::Silent));
        }
        self.fetch_next();
    }

    fn leave(&mut self, hash: &Hash, answer: Option<PeerAnswer>) {
        let by = (self.peer.origin, self.live.id);
        self.end_fetch(|running| running.shared.blob_said(hash, by, answer));
    }

    fn end_fetch(&mut self, tell: impl FnOnce(&Self)) {
        if let Some(fetch) = self.blobs.fetch.take() {
            self.input(Input::StopBlob(fetch.blob.hash));
        }
        tell(self);
    }

    /// Reads a part for the peer; what it may have and is not here is fetched for it.
    pub(super) fn read_blob(&self, hash: Hash, offset: u64, length: u32, classes: u32) {
        let (registry, answers, peer) = (self.shared.clone(), self.answers.clone(), self.peer);
        tokio::task::spawn_blocking(move || {
            let read = registry
                .store
                .blob_part(&hash, offset, length as usize, classes);
            let found = read.unwrap_or_else(|cause| {
                error!(%cause, "a file could not be read");
                None
            });
            if found.is_none() {
                registry.want_for(peer, hash);
            }
            let _ = answers.blocking_send(Input::Blob(found));
        });
    }
}
