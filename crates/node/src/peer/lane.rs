//! The frames that wait to leave, by lane; they are numbered as they leave.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use futures::Stream;
use posko_ledger::engine::{LARGEST_WINDOW, LaneKind};
use posko_proto::federation::v1::{Frame, frame::Body};
use tokio::sync::Notify;

/// The most bytes of batches that may wait: what the engine lets be under way, and as much again of superseded ones.
const MAX_BYTES: usize = 4 * LARGEST_WINDOW as usize;
/// The most frames of the control lane that may wait.
const MAX_CONTROL: usize = 4096;

/// The lanes of one session.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    waiting: Mutex<Waiting>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    control: VecDeque<Body>,
    live: VecDeque<Body>,
    bulk: VecDeque<Body>,
    bytes: usize,
    sent: u64,
    closed: bool,
}

enum Next {
    Frame(Box<Frame>),
    Later,
    End,
}

/// The peer does not read.
#[derive(Debug)]
pub(super) struct Full;

impl Lanes {
    pub(super) fn push(&self, body: Body, lane: LaneKind) -> Result<(), Full> {
        {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            let ends = matches!(body, Body::Bye(_));
            if !ends && (waiting.control.len() >= MAX_CONTROL || waiting.bytes > MAX_BYTES) {
                return Err(Full);
            }
            waiting.bytes += size(&body);
            match lane {
                LaneKind::Control => waiting.control.push_back(body),
                LaneKind::Live => waiting.live.push_back(body),
                LaneKind::Bulk => waiting.bulk.push_back(body),
            }
        }
        self.changed.notify_one();
        Ok(())
    }

    /// Ends the stream after what waits; batches that nobody will take are dropped.
    pub(super) fn close(&self) {
        {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.closed = true;
            waiting.live.clear();
            waiting.bulk.clear();
        }
        self.changed.notify_one();
    }

    /// Returns the frames as they leave: there is one writer, the connection.
    pub(super) fn frames(self: Arc<Self>) -> impl Stream<Item = Frame> + Send + 'static {
        futures::stream::unfold(self, |lanes| async move {
            loop {
                match lanes.take() {
                    Next::Frame(frame) => return Some((*frame, lanes)),
                    Next::End => return None,
                    Next::Later => lanes.changed.notified().await,
                }
            }
        })
    }

    fn take(&self) -> Next {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let next = waiting.control.pop_front();
        let next = next.or_else(|| waiting.live.pop_front());
        let Some(body) = next.or_else(|| waiting.bulk.pop_front()) else {
            return if waiting.closed {
                Next::End
            } else {
                Next::Later
            };
        };
        waiting.bytes = waiting.bytes.saturating_sub(size(&body));
        waiting.sent += 1;
        Next::Frame(Box::new(Frame {
            n: waiting.sent,
            body: Some(body),
        }))
    }
}

fn size(body: &Body) -> usize {
    match body {
        Body::Batch(batch) => batch.body.len(),
        Body::PayloadBatch(batch) => batch.payloads.iter().map(|one| one.body.len()).sum(),
        Body::BlobChunk(chunk) => chunk.body.len(),
        Body::Sealed(letter) => letter.ciphertext.len(),
        Body::Presence(presence) => presence.items.iter().map(|item| item.body.len()).sum(),
        _ => 0,
    }
}
