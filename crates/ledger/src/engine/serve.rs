//! Serving: one log as a peer wants it, read page by page, as far as its window reaches.

use posko_proto::{
    NodeId,
    federation::v1::{Ack, Batch, Epochs, Lane, Nack, NackCode, Want, WantMode, frame::Body},
};

use super::{
    BULK_BYTES, GoodbyeReason, LARGEST_WINDOW, LaneKind, Output, Page, PageRefused, Session, Stop,
    classes_of, pull::Pull, wire,
};
use crate::{
    MAX_BATCH_BYTES, MAX_GROUP_ENTRIES, MAX_ORIGINS,
    entry::{Record, chain_hash},
    epoch::{EpochOpen, Position},
    head::SignedHead,
};

/// The most bytes asked of a log at once for the live lane: with headers it stays below a batch's limit.
const LIVE_BYTES: usize = MAX_BATCH_BYTES / 2;
/// The most bytes under way to one peer, of all logs together.
const SESSION_BYTES: u64 = 2 * LARGEST_WINDOW as u64;
/// The room in a window below which a batch would be too small to pay.
const WORTHWHILE_BYTES: u64 = 64 * 1024;

/// One log that the peer wants.
#[derive(Debug)]
pub(super) struct Serve {
    want_id: u64,
    sent: Position,
    /// Up to where it is wanted; none for the end of the path that is held here.
    towards: Option<Position>,
    window: u64,
    batch_entries: usize,
    classes: u32,
    sent_bytes: u64,
    consumed: u64,
    /// Up to which sent byte the bulk lane was used; the live lane must not overtake it.
    bulk_until: u64,
    reading: Option<Reading>,
    /// A page was empty although the end is elsewhere: wait until the log moves.
    stalled: bool,
    moved: bool,
    /// The peer stopped it, or it was refused; only a new want goes on.
    stopped: bool,
}

#[derive(Clone, Copy, Debug)]
struct Reading {
    lane: LaneKind,
    max_entries: usize,
    max_bytes: usize,
}

impl Serve {
    fn under_way(&self) -> u64 {
        self.sent_bytes.saturating_sub(self.consumed)
    }
}

impl Session {
    pub(super) fn moved(&mut self, origin: NodeId, end: Position) {
        self.ends.insert(origin, end);
        if let Some(serve) = self.serves.get_mut(&origin) {
            serve.stalled = false;
            serve.moved = true;
            self.read_on(origin);
        }
    }

    pub(super) fn want(&mut self, want: &Want) -> Result<(), Stop> {
        let origin = wire::origin("want", &want.origin)?;
        let previous = self.serves.get(&origin).map_or(0, |serve| serve.want_id);
        if want.want_id <= previous {
            let detail = format!(
                "want `{}` for `{origin}` came after want `{previous}`",
                want.want_id
            );
            return Err(Stop::protocol(detail));
        }
        let after = wire::position(
            "want",
            want.after_epoch_no,
            &want.after_epoch_nonce,
            want.after_seq,
            &want.after_hash,
        )?;
        let towards = wire::position(
            "want",
            want.towards_epoch_no,
            &want.towards_epoch_nonce,
            want.towards_seq,
            &want.towards_hash,
        )?;
        let classes = match want.mode() {
            WantMode::Full => classes_of(self.config.peer.role),
            // A stopped want stays, so that its number is remembered.
            WantMode::Headers | WantMode::HeadsOnly | WantMode::Stop => 0,
            WantMode::Unspecified => {
                return Err(Stop::protocol(format!(
                    "want for `{origin}` has mode `{}`, which is unknown",
                    want.mode
                )));
            }
        };
        if !self.serves.contains_key(&origin) && self.serves.len() >= MAX_ORIGINS {
            return Err(Stop::protocol(format!(
                "more than {MAX_ORIGINS} origins are wanted"
            )));
        }
        let flows = matches!(want.mode(), WantMode::Full | WantMode::Headers);
        let reading = self.serves.get(&origin).and_then(|serve| serve.reading);
        let batch_entries = (want.batch_entries as usize).clamp(1, MAX_GROUP_ENTRIES);
        let serve = Serve {
            want_id: want.want_id,
            sent: after,
            towards: Some(towards).filter(|at| !at.is_start()),
            window: want.window_bytes.min(LARGEST_WINDOW).into(),
            batch_entries,
            classes,
            sent_bytes: 0,
            consumed: 0,
            bulk_until: 0,
            reading,
            stalled: false,
            moved: false,
            stopped: !flows,
        };
        self.serves.insert(origin, serve);
        if !flows {
            return Ok(());
        }
        if towards.is_start() {
            // Whoever asks after a place has the log up to there, wherever it came from.
            self.peer_holds(origin, after);
        }
        if !self.ends.contains_key(&origin) {
            let detail = format!("nothing of `{origin}` is held");
            let refused = PageRefused {
                code: NackCode::NoSuchOrigin,
                detail,
                head: None,
                opens: Vec::new(),
            };
            self.refuse(origin, refused);
            return Ok(());
        }
        self.read_on(origin);
        Ok(())
    }

    /// Refuses the current want and stops serving it; the peer may want again.
    fn refuse(&mut self, origin: NodeId, refused: PageRefused) {
        let PageRefused {
            code,
            detail,
            head,
            opens,
        } = refused;
        let Some(serve) = self.serves.get_mut(&origin) else {
            return;
        };
        serve.stopped = true;
        let nack = Nack {
            origin: origin.to_string(),
            code: code.into(),
            detail,
            head: head.map(|head| head.to_wire()),
            opens: opens.iter().map(EpochOpen::encode).collect(),
            want_id: serve.want_id,
        };
        self.send(Body::Nack(nack), LaneKind::Control);
    }

    /// Asks for the next page, if there is more, no other is being read, and the window has room.
    pub(super) fn read_on(&mut self, origin: NodeId) {
        if self.withheld && origin == self.config.me.origin {
            return;
        }
        let under_way: u64 = self.serves.values().map(Serve::under_way).sum();
        let Some(end) = self.ends.get(&origin).copied() else {
            return;
        };
        let Some(serve) = self.serves.get_mut(&origin) else {
            return;
        };
        let end = serve.towards.unwrap_or(end);
        if serve.reading.is_some() || serve.stopped || serve.stalled || serve.sent == end {
            return;
        }
        let room = serve
            .window
            .saturating_sub(serve.under_way())
            .min(SESSION_BYTES.saturating_sub(under_way));
        let idle = serve.under_way() == 0;
        if room == 0 || (room < WORTHWHILE_BYTES && !idle) {
            return;
        }
        let near = serve.sent.epoch == end.epoch
            && end.seq.saturating_sub(serve.sent.seq) <= MAX_GROUP_ENTRIES as u64;
        let (lane, most) = if near {
            (LaneKind::Live, LIVE_BYTES)
        } else {
            (LaneKind::Bulk, BULK_BYTES)
        };
        let max_bytes = most.min(usize::try_from(room).unwrap_or(most));
        let max_entries = serve.batch_entries;
        serve.reading = Some(Reading {
            lane,
            max_entries,
            max_bytes,
        });
        serve.moved = false;
        self.out.push(Output::Read {
            want_id: serve.want_id,
            origin,
            after: serve.sent,
            towards: serve.towards,
            max_entries,
            max_bytes,
            classes: serve.classes,
        });
    }

    pub(super) fn page(
        &mut self,
        want_id: u64,
        origin: NodeId,
        result: Result<Page, PageRefused>,
    ) -> Result<(), Stop> {
        let Some(serve) = self.serves.get_mut(&origin) else {
            return Ok(());
        };
        let Some(reading) = serve.reading.take() else {
            return Ok(());
        };
        if want_id != serve.want_id {
            self.read_on(origin);
            return Ok(());
        }
        match result {
            Err(refused) if refused.code == NackCode::Busy => {
                return Err(Stop {
                    reason: GoodbyeReason::Internal,
                    detail: refused.detail,
                });
            }
            Err(refused) => self.refuse(origin, refused),
            Ok(page) if page.records.is_empty() => {
                serve.stalled = !serve.moved;
                self.read_on(origin);
            }
            Ok(page) => {
                let page = trim(page, reading.max_entries, reading.max_bytes);
                self.release(origin, &page, reading.lane);
                self.read_on(origin);
            }
        }
        Ok(())
    }

    fn release(&mut self, origin: NodeId, page: &Page, lane: LaneKind) {
        let Some(serve) = self.serves.get_mut(&origin) else {
            return;
        };
        let packed = wire::pack(&page.records, lane);
        let first_seq = page.prev.seq + 1;
        let epochs = (!page.opens.is_empty()).then(|| Epochs {
            origin: origin.to_string(),
            opens: page.opens.iter().map(EpochOpen::encode).collect(),
        });
        let batch = Batch {
            want_id: serve.want_id,
            origin: origin.to_string(),
            epoch_no: page.prev.epoch.no,
            epoch_nonce: page.prev.epoch.nonce.to_vec(),
            first_seq,
            count: page.records.len() as u32,
            prev_hash: page.prev.hash.to_vec(),
            codec: packed.codec.into(),
            raw_len: packed.raw_len,
            body: packed.body.into(),
            head: page.head.as_ref().map(SignedHead::to_wire),
            lane: match lane {
                LaneKind::Control | LaneKind::Live => Lane::Live.into(),
                LaneKind::Bulk => Lane::Bulk.into(),
            },
        };
        serve.sent = end_of(page);
        serve.sent_bytes += u64::from(packed.raw_len);
        // Frames of one log keep their order: while bulk may still wait in its lane, live follows it there.
        let way = if lane == LaneKind::Bulk || serve.consumed < serve.bulk_until {
            LaneKind::Bulk
        } else {
            lane
        };
        if way == LaneKind::Bulk {
            serve.bulk_until = serve.sent_bytes;
        }
        if let Some(epochs) = epochs {
            self.send(Body::Epochs(epochs), way);
        }
        self.send(Body::Batch(batch), way);
    }

    /// Notes how far the peer has the own log, by its word.
    pub(super) fn peer_holds(&mut self, origin: NodeId, end: Position) {
        if origin == self.config.me.origin && !end.is_start() && !self.beyond_own_end(&end) {
            self.out.push(Output::PeerAcked(end));
        }
    }

    /// Tells the peer how far its own log came here by other ways; of what comes through this session its pull tells.
    pub(super) fn acknowledge_elsewhere(&mut self) {
        let origin = self.config.peer.origin;
        let end = self.ends.get(&origin).copied().unwrap_or_default();
        let is_pulled = |pull: &Pull| !pull.is_stopped();
        if end == self.acknowledged || self.pulls.get(&origin).is_some_and(is_pulled) {
            return;
        }
        self.acknowledged = end;
        let ack = Ack {
            origin: origin.to_string(),
            epoch_no: end.epoch.no,
            epoch_nonce: end.epoch.nonce.to_vec(),
            durable_seq: end.seq,
            durable_hash: end.hash.to_vec(),
            applied_seq: end.seq,
            ..Ack::default()
        };
        self.send(Body::Ack(ack), LaneKind::Control);
    }

    pub(super) fn ack(&mut self, ack: &Ack) -> Result<(), Stop> {
        let origin = wire::origin("ack", &ack.origin)?;
        let durable = wire::position(
            "ack",
            ack.epoch_no,
            &ack.epoch_nonce,
            ack.durable_seq,
            &ack.durable_hash,
        )?;
        match self.serves.get_mut(&origin) {
            Some(serve) => {
                // What a peer claims beyond what was sent opens no window.
                serve.consumed = serve.consumed.max(ack.consumed_bytes.min(serve.sent_bytes));
                serve.window = ack.window_bytes.min(LARGEST_WINDOW).into();
            }
            // The own log can have come to the peer by another way.
            None if origin == self.config.me.origin => {}
            None => {
                return Err(Stop::protocol(format!(
                    "an ack of `{origin}` came, of which nothing was sent"
                )));
            }
        }
        self.peer_holds(origin, durable);
        let origins: Vec<NodeId> = self.serves.keys().copied().collect();
        for origin in origins {
            self.read_on(origin);
        }
        Ok(())
    }
}

/// Cuts a page to what was asked for, at least one record; a cut page has no head.
fn trim(mut page: Page, max_entries: usize, max_bytes: usize) -> Page {
    let mut bytes = 0;
    let fits = page.records.iter().take(max_entries).take_while(|record| {
        bytes += record.encoded_len();
        bytes <= max_bytes
    });
    let fits = fits.count().max(1);
    if fits < page.records.len() {
        page.records.truncate(fits);
        page.head = None;
    }
    page
}

fn end_of(page: &Page) -> Position {
    let seq = page.prev.seq + page.records.len() as u64;
    if let Some(head) = &page.head
        && head.head.position.seq == seq
    {
        return head.head.position;
    }
    let hash = page
        .records
        .iter()
        .fold(page.prev.hash, |hash, Record { header, .. }| {
            chain_hash(&hash, header)
        });
    Position {
        epoch: page.prev.epoch,
        seq,
        hash,
    }
}
