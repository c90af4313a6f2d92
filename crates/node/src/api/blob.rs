//! Files beside the logs: put here, fetched from other nodes, given out; part by part, never held whole.

use std::{
    pin::{Pin, pin},
    time::Duration,
};

use futures::{Stream, StreamExt};
use posko_domain::{account::Action, blob::Blob};
use posko_formats::media::{self, Cleaner, Media, MediaError};
use posko_ledger::{Hash, engine::blob::PART_BYTES};
use posko_proto::blob::v1::{
    BlobState, FetchBlobRequest, FetchBlobResponse, GetBlobRequest, GetBlobResponse, MediaType,
    Metadata, PeerAsked, PutBlobRequest, PutBlobResponse, blob_service_server::BlobService,
};
use posko_store::{
    Store, StoreError,
    blob::{BlobError, Held},
};
use sha2::{Digest, Sha256};
use tonic::{Request, Response, Status, Streaming};

use super::{Api, internal, invalid, stored};
use crate::{peer::NotWanted, time::now};

/// How many files may be put here at once.
pub(crate) const UPLOADS: usize = 8;
/// Every class: who asks may read what this node has.
const CLASSES: u32 = u32::MAX;
/// How long nothing may come of a file that is being put here.
const SILENT: Duration = Duration::from_mins(1);

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// A file that is being put here; it is let go unless it comes to its end.
struct Upload {
    store: Store,
    id: i64,
    cleaner: Cleaner,
    media: Media,
    hasher: Sha256,
    /// What is not stored yet, less than a part.
    rest: Vec<u8>,
    length: u64,
    done: bool,
}

impl Upload {
    async fn begin(store: Store, media: Media) -> Result<Self, Status> {
        let begun = store.clone();
        let begun = tokio::task::spawn_blocking(move || begun.begin_upload(now())).await;
        let id = (begun.map_err(|error| internal(&error))?).map_err(|error| stored(&error))?;
        Ok(Self {
            store,
            id,
            cleaner: Cleaner::new(media),
            media,
            hasher: Sha256::new(),
            rest: Vec::new(),
            length: 0,
            done: false,
        })
    }

    /// Takes the next part of the file as it was sent.
    async fn push(&mut self, part: &[u8]) -> Result<(), Status> {
        let mut clean = Vec::new();
        let pushed = self.cleaner.push(part, &mut clean);
        pushed.map_err(|error| not_taken(&error))?;
        self.hasher.update(&clean);
        self.length += clean.len() as u64;
        self.rest.append(&mut clean);
        while self.rest.len() >= PART_BYTES {
            let rest = self.rest.split_off(PART_BYTES);
            let part = std::mem::replace(&mut self.rest, rest);
            self.keep(part).await?;
        }
        Ok(())
    }

    async fn keep(&self, part: Vec<u8>) -> Result<(), Status> {
        let (store, id) = (self.store.clone(), self.id);
        let kept = tokio::task::spawn_blocking(move || store.add_to_upload(id, part, now())).await;
        kept.map_err(|error| internal(&error))?.map_err(not_kept)
    }

    /// Ends the file, once it is durable.
    async fn finish(mut self) -> Result<PutBlobResponse, Status> {
        if !self.rest.is_empty() {
            let last = std::mem::take(&mut self.rest);
            self.keep(last).await?;
        }
        let cleaner = std::mem::replace(&mut self.cleaner, Cleaner::new(Media::Pdf));
        let removed = cleaner.finish().map_err(|error| not_taken(&error))?;
        let blob = Blob {
            hash: std::mem::take(&mut self.hasher).finalize().into(),
            length: self.length,
            media_type: media_type(self.media),
        };
        let (store, id) = (self.store.clone(), self.id);
        let finished = tokio::task::spawn_blocking(move || store.finish_upload(id, blob, now()));
        let finished = finished.await.map_err(|error| internal(&error))?;
        finished.map_err(not_kept)?;
        self.done = true;
        let metadata = match removed {
            None => Metadata::MayRemain,
            Some(0) => Metadata::None,
            Some(_) => Metadata::Removed,
        };
        Ok(PutBlobResponse {
            blob: Some(blob.to_wire()),
            metadata: metadata.into(),
            removed_bytes: removed.unwrap_or_default(),
        })
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        let (store, id) = (self.store.clone(), self.id);
        // A node that stops lets it go at its next start.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn_blocking(move || drop(store.drop_upload(id)));
        }
    }
}

fn media_type(media: Media) -> MediaType {
    match media {
        Media::Jpeg => MediaType::Jpeg,
        Media::Png => MediaType::Png,
        Media::Webp => MediaType::Webp,
        Media::Pdf => MediaType::Pdf,
        Media::OfficeOpenXml => MediaType::OfficeOpenXml,
        Media::OpenDocument => MediaType::OpenDocument,
    }
}

fn not_taken(error: &MediaError) -> Status {
    Status::invalid_argument(error.to_string())
}

fn not_kept(error: BlobError) -> Status {
    match error {
        BlobError::Gone => Status::aborted(BlobError::Gone.to_string()),
        BlobError::Store(error) => stored(&error),
    }
}

fn not_wanted(error: NotWanted) -> Status {
    match error {
        NotWanted::Unnamed(_) => Status::not_found(error.to_string()),
        NotWanted::TooLarge { .. } => Status::failed_precondition(error.to_string()),
        NotWanted::TooMany => Status::unavailable(error.to_string()),
        NotWanted::Store(error) => stored(&error),
    }
}

fn hash(bytes: &[u8]) -> Result<Hash, Status> {
    bytes.try_into().map_err(|_| {
        let reason = format!("it has {} bytes, where a SHA-256 has 32", bytes.len());
        invalid("hash", &reason)
    })
}

impl Api {
    /// Takes a file in, part by part.
    async fn take(
        &self,
        parts: impl Stream<Item = Result<PutBlobRequest, Status>>,
    ) -> Result<PutBlobResponse, Status> {
        let _place = self.0.uploads.try_acquire().map_err(|_| {
            Status::unavailable(format!(
                "{UPLOADS} files are being put here: try again later"
            ))
        })?;
        let most = self.0.max_blob_bytes;
        let too_large = |length: u64| {
            Status::invalid_argument(format!(
                "the file has {length} bytes, more than {} MiB, the limit of `[blob] max_mib`",
                most >> 20
            ))
        };
        let mut parts = pin!(parts);
        let (mut length, mut taken) = (0, 0);
        let mut head = Vec::new();
        let mut upload: Option<Upload> = None;
        loop {
            let next = tokio::time::timeout(SILENT, parts.next()).await;
            let next = next.map_err(|_| {
                Status::deadline_exceeded("nothing more came of the file for a minute")
            })?;
            let Some(PutBlobRequest {
                length: said,
                chunk,
            }) = next.transpose()?
            else {
                break;
            };
            if taken == 0 && length == 0 {
                length = said;
                if length > most {
                    return Err(too_large(length));
                }
            }
            if chunk.len() > PART_BYTES {
                let reason = format!("it has {} bytes, more than {PART_BYTES}", chunk.len());
                return Err(invalid("chunk", &reason));
            }
            taken += chunk.len() as u64;
            if taken > length {
                return Err(invalid(
                    "length",
                    &"the file is longer than it was said to be",
                ));
            }
            if let Some(why) = self.0.disk.borrow().no_commands() {
                return Err(Status::unavailable(why));
            }
            if let Some(upload) = &mut upload {
                upload.push(&chunk).await?;
                continue;
            }
            head.extend_from_slice(&chunk);
            if head.len() >= media::SNIFFED_BYTES || (taken == length && taken > 0) {
                let media = media::sniff(&head).map_err(|error| not_taken(&error))?;
                let mut begun = Upload::begin(self.0.store.clone(), media).await?;
                begun.push(&std::mem::take(&mut head)).await?;
                upload = Some(begun);
            }
        }
        if taken < length {
            return Err(invalid(
                "length",
                &"the file ended before the length that it was said to have",
            ));
        }
        let upload = upload.ok_or_else(|| Status::invalid_argument("the file is empty"))?;
        upload.finish().await
    }

    /// Says where a file stands of which so much is here.
    pub(super) fn standing(&self, hash: &Hash, held: Option<Held>) -> FetchBlobResponse {
        let length = held.map_or(0, |held| held.length);
        if let Some(held) = held.filter(|held| held.complete) {
            return FetchBlobResponse {
                state: BlobState::Held.into(),
                held_bytes: held.length,
                length,
                ..FetchBlobResponse::default()
            };
        }
        let Some(asked) = self.0.peers.blob_asked(hash) else {
            return FetchBlobResponse {
                state: BlobState::NotAsked.into(),
                held_bytes: held.map_or(0, |held| held.held),
                length,
                ..FetchBlobResponse::default()
            };
        };
        let state = match (asked.under_way, asked.why.is_empty()) {
            (_, false) => BlobState::Refused,
            (true, true) => BlobState::Fetching,
            (false, true) => BlobState::Nobody,
        };
        let said = asked.said.into_iter().map(|(peer, answer)| PeerAsked {
            origin: peer.to_string(),
            answer: answer.into(),
        });
        FetchBlobResponse {
            state: state.into(),
            held_bytes: held.map_or(0, |held| held.held),
            length,
            asked_at: Some(asked.since.into()),
            asked: said.collect(),
            why: asked.why,
        }
    }

    /// Says where a file stands that an event names.
    async fn standing_now(&self, hash: Hash) -> Result<FetchBlobResponse, Status> {
        let (held, named) = self
            .ask(move |store| Ok((store.blob(&hash)?, store.blob_named(&hash)?)))
            .await?;
        let mut standing = self.standing(&hash, held);
        if let Some(named) = named.first().filter(|_| standing.length == 0) {
            standing.length = named.blob.length;
        }
        if named.is_empty() {
            // Withdrawn while somebody waited for it.
            return Err(not_wanted(NotWanted::Unnamed(posko_proto::id::hex(&hash))));
        }
        Ok(standing)
    }
}

#[tonic::async_trait]
impl BlobService for Api {
    type FetchBlobStream = Answers<FetchBlobResponse>;
    type GetBlobStream = Answers<GetBlobResponse>;

    async fn put_blob(
        &self,
        request: Request<Streaming<PutBlobRequest>>,
    ) -> Result<Response<PutBlobResponse>, Status> {
        self.authorized(request.metadata(), Action::AttachFile, None)
            .await?;
        Ok(Response::new(self.take(request.into_inner()).await?))
    }

    async fn fetch_blob(
        &self,
        request: Request<FetchBlobRequest>,
    ) -> Result<Response<Self::FetchBlobStream>, Status> {
        self.authorized(request.metadata(), Action::ReadRegion, None)
            .await?;
        let hash = hash(&request.into_inner().hash)?;
        // Before it is asked for, so that no change is missed.
        let changes = self.0.peers.blob_changes();
        let peers = self.0.peers.clone();
        let wanted = tokio::task::spawn_blocking(move || peers.want_blob(hash)).await;
        (wanted.map_err(|error| internal(&error))?).map_err(not_wanted)?;
        let first = self.standing_now(hash).await?;
        let state = (
            self.clone(),
            changes,
            Some(first),
            None::<FetchBlobResponse>,
        );
        let stream =
            futures::stream::unfold(state, move |(api, mut changes, next, last)| async move {
                if let Some(next) = next {
                    return Some((Ok(next.clone()), (api, changes, None, Some(next))));
                }
                let mut last = last?;
                if last.state() == BlobState::Held {
                    return None;
                }
                loop {
                    changes.changed().await.ok()?;
                    match api.standing_now(hash).await {
                        Ok(next) if next == last => {}
                        Ok(next) => {
                            last.clone_from(&next);
                            return Some((Ok(next), (api, changes, None, Some(last))));
                        }
                        Err(status) => return Some((Err(status), (api, changes, None, None))),
                    }
                }
            });
        Ok(Response::new(stream.boxed()))
    }

    async fn get_blob(
        &self,
        request: Request<GetBlobRequest>,
    ) -> Result<Response<Self::GetBlobStream>, Status> {
        self.authorized(request.metadata(), Action::ReadRegion, None)
            .await?;
        let GetBlobRequest { hash: name, offset } = request.into_inner();
        let hash = hash(&name)?;
        let read = move |store: &Store, at| -> Result<Option<GetBlobResponse>, StoreError> {
            let found = store.blob_part(&hash, at, PART_BYTES, CLASSES)?;
            Ok(found.map(|(total, body)| GetBlobResponse {
                offset: at,
                total,
                body,
            }))
        };
        let first = self.ask(move |store| read(store, offset)).await?;
        let first = first.ok_or_else(|| {
            let name = posko_proto::id::hex(&hash);
            Status::not_found(format!("file `{name}` is not here: have it fetched first"))
        })?;
        if offset > first.total {
            let reason = format!("the file has {} bytes", first.total);
            return Err(invalid("offset", &reason));
        }
        let state = (self.clone(), Some(first), Some(offset));
        let stream = futures::stream::unfold(state, move |(api, first, at)| async move {
            let at = at?;
            let next = match first {
                Some(first) => Ok(Some(first)),
                None => api.ask(move |store| read(store, at)).await,
            };
            match next {
                Ok(Some(part)) if part.body.is_empty() => None,
                Ok(Some(part)) => {
                    let at = at + part.body.len() as u64;
                    Some((Ok(part), (api, None, Some(at))))
                }
                Ok(None) => {
                    let gone = Status::aborted("the file was withdrawn while it was given out");
                    Some((Err(gone), (api, None, None)))
                }
                Err(status) => Some((Err(status), (api, None, None))),
            }
        });
        Ok(Response::new(stream.boxed()))
    }
}

#[cfg(test)]
mod tests;
