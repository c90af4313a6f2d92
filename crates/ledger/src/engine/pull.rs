//! Pulling: one log from one peer, verified before it is applied.
//!
//! ```text
//!  batch ─▶ partial ─(head)─▶ ready, ready, … ─(merged, verified)─▶ in flight, at most 2 ─(applied)─▶ durable
//! ```
//!
//! While two groups are being made durable, what comes waits and becomes one group: batches form by themselves.

use std::collections::{BTreeMap, VecDeque};

use posko_proto::{
    NodeId,
    federation::v1::{Ack, Batch, Nack, NackCode, Want, WantMode, frame::Body},
};

use super::{
    ApplyRefused, FIRST_WINDOW, GoodbyeReason, LARGEST_WINDOW, LaneKind, Now, Output, STRIKES,
    Stop, wire,
};
use crate::{
    MAX_BATCH_BYTES, MAX_GROUP_BYTES, MAX_GROUP_ENTRIES,
    chain::Chain,
    entry::{EntryHeader, Record},
    epoch::{Epoch, EpochOpen, Position},
    head::SignedHead,
};

/// The most groups under way to the store.
const IN_FLIGHT: usize = 2;
/// The most openings that may wait for their entries.
const WAITING_OPENS: usize = 1024;
const BUSY_RETRY_MS: u64 = 1_000;
const NACK_RETRY_MS: u64 = 10_000;

/// One log pulled from the peer.
#[derive(Debug)]
pub(super) struct Pull {
    /// Where verification stands: ahead of the durable end by what is in flight.
    chain: Chain,
    durable: Position,
    want_id: u64,
    /// Where reception stands: ahead of the chain by what waits.
    received: (Epoch, u64),
    opens: BTreeMap<Epoch, EpochOpen>,
    partial: Piece,
    ready: VecDeque<(Piece, SignedHead)>,
    in_flight: VecDeque<InFlight>,
    consumed: u64,
    /// Bytes of the current want that came.
    arrived: u64,
    window: u32,
    paced: Option<Pace>,
    strikes: u8,
    retry_at: Option<u64>,
    /// The log went on without this session: wait for what is in flight, then begin again from its end.
    stale: bool,
    way: Way,
    /// The position on the way to which the log is asked for, which the peer may hold beside its path; none for its path.
    towards: Option<Position>,
    /// Another session gives the log: nothing is asked for, what is in flight ends.
    stopped: bool,
    best: Option<SignedHead>,
    /// A head whose key is not known yet, and whether it is news: it came before the epoch that names it.
    early: Option<(SignedHead, bool)>,
    /// Who gives the log: its origin is alive by all that it sends itself.
    peer: NodeId,
    /// Whether this node takes nothing more for now: then no window is open.
    paused: bool,
}

/// Which way a pull goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Way {
    /// Along the path that is held here, from its end.
    Along,
    /// From where the peer's path leaves the one that is held here: what is here already is passed over.
    Beside,
}

/// Openings and entries of one epoch, up to a head or not yet.
#[derive(Debug, Default)]
struct Piece {
    opens: Vec<EpochOpen>,
    records: Vec<(EntryHeader, Record)>,
    /// Its length in memory.
    size: usize,
    /// Bytes of the current want that were not acknowledged yet.
    owed: u64,
}

#[derive(Debug)]
struct InFlight {
    want_id: u64,
    end: Position,
    owed: u64,
}

/// When the window was last looked at, and how much had been taken then.
#[derive(Clone, Copy, Debug)]
struct Pace {
    at: u64,
    consumed: u64,
}

enum Refusal {
    /// The peer broke the protocol.
    Stop(Stop),
    /// The batch is bad; the log can be asked for again.
    Bad(NackCode, String),
}

impl From<Stop> for Refusal {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

fn bad_chain(detail: impl Into<String>) -> Refusal {
    Refusal::Bad(NackCode::BadChain, detail.into())
}

impl Pull {
    pub(super) fn new(chain: Chain, peer: NodeId) -> Self {
        Self::towards(chain, peer, None)
    }

    pub(super) fn towards(chain: Chain, peer: NodeId, towards: Option<Position>) -> Self {
        let end = chain.end();
        Self {
            chain,
            durable: end,
            want_id: 0,
            received: (end.epoch, end.seq),
            opens: BTreeMap::new(),
            partial: Piece::default(),
            ready: VecDeque::new(),
            in_flight: VecDeque::new(),
            consumed: 0,
            arrived: 0,
            window: FIRST_WINDOW,
            paced: None,
            strikes: 0,
            retry_at: None,
            stale: false,
            way: Way::Along,
            towards,
            stopped: false,
            best: None,
            early: None,
            peer,
            paused: false,
        }
    }

    /// Returns how many entries wait to be verified.
    pub(super) fn queued(&self) -> u64 {
        (self.partial.records.len()
            + self
                .ready
                .iter()
                .map(|(piece, _)| piece.records.len())
                .sum::<usize>()) as u64
    }

    /// Asks for the log after the verified end, superseding what was asked before.
    pub(super) fn want(&mut self, now: Now, out: &mut Vec<Output>) {
        self.forget();
        let after = self.chain.end();
        self.paced = Some(Pace {
            at: now.mono_ms,
            consumed: 0,
        });
        let want = Want {
            want_id: self.want_id,
            origin: self.chain.identity().origin.to_string(),
            mode: WantMode::Full.into(),
            after_epoch_no: after.epoch.no,
            after_epoch_nonce: after.epoch.nonce.to_vec(),
            after_seq: after.seq,
            after_hash: after.hash.to_vec(),
            window_bytes: self.open_window(),
            batch_entries: MAX_GROUP_ENTRIES as u32,
            towards_epoch_no: self.towards.unwrap_or_default().epoch.no,
            towards_epoch_nonce: self.towards.map_or(vec![], |at| at.epoch.nonce.to_vec()),
            towards_seq: self.towards.unwrap_or_default().seq,
            towards_hash: self.towards.map_or(vec![], |at| at.hash.to_vec()),
        };
        out.push(Output::Send(Box::new(Body::Want(want)), LaneKind::Control));
    }

    /// Drops what was received and not verified; the batches still under way belong to an older want from now on.
    fn forget(&mut self) {
        let end = self.chain.end();
        self.want_id += 1;
        self.received = (end.epoch, end.seq);
        self.opens.clear();
        self.partial = Piece::default();
        self.ready.clear();
        self.consumed = 0;
        self.arrived = 0;
        self.retry_at = None;
    }

    fn is_from_origin(&self) -> bool {
        self.chain.identity().origin == self.peer
    }

    /// Says whether another session gives the log.
    pub(super) fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// Asks for nothing more, and tells the peer so.
    pub(super) fn stop(&mut self, out: &mut Vec<Output>) {
        if std::mem::replace(&mut self.stopped, true) {
            return;
        }
        self.forget();
        self.early = None;
        self.towards = None;
        let want = Want {
            want_id: self.want_id,
            origin: self.chain.identity().origin.to_string(),
            mode: WantMode::Stop.into(),
            ..Want::default()
        };
        out.push(Output::Send(Box::new(Body::Want(want)), LaneKind::Control));
    }

    /// Says whether the peer is asked later.
    pub(super) fn waits(&self) -> bool {
        self.retry_at.is_some()
    }

    /// Goes to a position beside the peer's path from its next beginning on, which is then awaited.
    pub(super) fn aim(&mut self, towards: Option<Position>) {
        if towards.is_some() && self.towards != towards {
            self.towards = towards;
            self.stale = true;
            self.forget();
        }
    }

    /// Begins again from a reloaded chain; says whether that was awaited.
    pub(super) fn restart(&mut self, chain: Chain) -> bool {
        // What was in flight when the pull stopped ends first; then the chain is asked for anew.
        self.stale |= std::mem::take(&mut self.stopped);
        if !self.stale || !self.in_flight.is_empty() {
            return false;
        }
        self.stale = false;
        self.begin(chain, Way::Along);
        true
    }

    /// Goes on from where the peer's path leaves the one that is held here; says whether that was awaited.
    pub(super) fn branch(&mut self, chain: Chain) -> bool {
        let awaited = !self.stopped && !self.stale && self.in_flight.is_empty();
        if awaited {
            self.begin(chain, Way::Beside);
        }
        awaited
    }

    fn begin(&mut self, chain: Chain, way: Way) {
        self.durable = chain.end();
        self.chain = chain;
        self.way = way;
    }

    pub(super) fn tick(&mut self, now: Now, out: &mut Vec<Output>) {
        if !self.stale && self.retry_at.is_some_and(|at| now.mono_ms >= at) {
            self.want(now, out);
        }
    }

    pub(super) fn nack(
        &mut self,
        now: Now,
        nack: &Nack,
        out: &mut Vec<Output>,
    ) -> Result<(), Stop> {
        // A want is refused once; whoever repeats it is not heard until the next.
        if nack.want_id != self.want_id || self.stopped || self.retry_at.is_some() {
            return Ok(());
        }
        let parted = matches!(nack.code(), NackCode::Diverged | NackCode::UnknownEpoch);
        // What is under way to the store ends before the pull begins elsewhere.
        let soon = nack.code() == NackCode::Busy || (parted && !self.in_flight.is_empty());
        let wait = if soon { BUSY_RETRY_MS } else { NACK_RETRY_MS };
        self.retry_at = Some(now.mono_ms + wait);
        let origin = self.chain.identity().origin;
        // A peer that refuses the branch too is asked later.
        if let Some(head) = nack
            .head
            .as_ref()
            .filter(|_| parted && self.way == Way::Along)
        {
            if soon {
                return Ok(());
            }
            let told = |error: &dyn std::fmt::Display| Stop::protocol(error.to_string());
            let head = SignedHead::from_wire(head).map_err(|error| told(&error))?;
            let opens = nack.opens.iter().map(|open| EpochOpen::decode(open));
            out.push(Output::Parted {
                origin,
                end: self.towards.unwrap_or(head.head.position),
                opens: opens
                    .collect::<Result<_, _>>()
                    .map_err(|error| told(&error))?,
            });
            return Ok(());
        }
        self.way = Way::Along;
        out.push(Output::Refused {
            origin,
            code: nack.code(),
            detail: wire::brief(&nack.detail),
        });
        Ok(())
    }

    pub(super) fn head(&mut self, signed: SignedHead, alive: bool, out: &mut Vec<Output>) {
        if self.best == Some(signed) && !alive {
            return;
        }
        if self.chain.log_key().is_some_and(|key| signed.verify(key)) {
            self.hear(signed, alive, out);
        } else {
            self.early = Some((signed, alive));
        }
    }

    /// Tells of a head whose signature holds; again only where a relay tells it as news.
    fn hear(&mut self, signed: SignedHead, alive: bool, out: &mut Vec<Output>) {
        let known = self.best.replace(signed) == Some(signed);
        if !known || (alive && !self.is_from_origin()) {
            out.push(Output::Heard {
                head: Box::new(signed),
                verified: true,
                alive,
            });
        }
    }

    /// Closes the window, or opens it again, and tells the peer so when it was told a window already.
    pub(super) fn pause(&mut self, paused: bool, out: &mut Vec<Output>) {
        if self.paused != paused {
            self.paused = paused;
            if self.want_id > 0 && !self.stopped {
                self.send_ack(out);
            }
        }
    }

    fn open_window(&self) -> u32 {
        if self.paused { 0 } else { self.window }
    }

    pub(super) fn epochs(
        &mut self,
        now: Now,
        opens: &[Vec<u8>],
        out: &mut Vec<Output>,
    ) -> Result<(), Stop> {
        if self.stopped {
            return Ok(());
        }
        for bytes in opens {
            if self.opens.len() >= WAITING_OPENS {
                return Err(Stop::protocol(format!(
                    "more than {WAITING_OPENS} epochs came without entries"
                )));
            }
            match EpochOpen::decode(bytes) {
                Ok(open) => self.opens.insert(open.epoch, open),
                Err(error) => return self.strike(now, NackCode::BadChain, &error.to_string(), out),
            };
        }
        Ok(())
    }

    pub(super) fn batch(
        &mut self,
        now: Now,
        round_trip: Option<u64>,
        batch: &Batch,
        out: &mut Vec<Output>,
    ) -> Result<(), Stop> {
        if batch.want_id > self.want_id {
            let origin = self.chain.identity().origin;
            let detail = format!(
                "a batch of `{origin}` answers want `{}`, which was not asked",
                batch.want_id
            );
            return Err(Stop::protocol(detail));
        }
        if batch.want_id < self.want_id || self.stale || self.stopped || self.retry_at.is_some() {
            return Ok(());
        }
        self.arrived += u64::from(batch.raw_len);
        let waiting = self.arrived.saturating_sub(self.consumed);
        // A sender overshoots its window by a batch at most, and twice the window is what a session may hold.
        if waiting > 2 * u64::from(self.window) + MAX_BATCH_BYTES as u64 {
            let origin = self.chain.identity().origin;
            let detail = format!(
                "`{waiting}` bytes of `{origin}` came into a window of `{}`",
                self.window
            );
            return Err(Stop::protocol(detail));
        }
        let waiting = self.partial.records.len();
        match self.take(batch) {
            Ok(()) => {
                // What is complete tells its progress by being applied.
                if self.partial.records.len() > waiting {
                    out.push(Output::Came(self.chain.identity().origin));
                }
                self.pump(now, round_trip, out)
            }
            Err(Refusal::Stop(stop)) => Err(stop),
            Err(Refusal::Bad(code, detail)) => self.strike(now, code, &detail, out),
        }
    }

    /// Takes a batch into the partial group, and with a head into the ready ones.
    fn take(&mut self, batch: &Batch) -> Result<(), Refusal> {
        if let Some(detail) = wire::over_limit(batch) {
            return Err(Refusal::Bad(NackCode::TooLarge, detail));
        }
        let epoch = wire::epoch("batch", batch.epoch_no, &batch.epoch_nonce)?;
        let prev_hash = wire::hash("batch", &batch.prev_hash)?;
        let count = u64::from(batch.count);
        let last_seq = match batch.first_seq.checked_add(count) {
            Some(next) if batch.first_seq > 0 && count > 0 => next - 1,
            _ => {
                let detail = format!(
                    "a batch of `{count}` entries from `{}` came",
                    batch.first_seq
                );
                return Err(Stop::protocol(detail).into());
            }
        };
        let (at, seq) = self.received;
        let owed = u64::from(batch.raw_len);
        let past = epoch.no < at.no || (epoch == at && last_seq <= seq);
        if past {
            self.partial.owed += owed;
            return Ok(());
        }
        let mut opens = Vec::new();
        let expected = if epoch == at {
            seq + 1
        } else {
            opens = self.path_to(epoch)?;
            1
        };
        if batch.first_seq > expected {
            let detail = format!(
                "entry {} of epoch {epoch} came where entry {expected} must follow",
                batch.first_seq
            );
            return Err(Stop::protocol(detail).into());
        }
        if let Some(known) = self.hash_before(batch.first_seq, epoch, &opens)
            && known != prev_hash
        {
            let detail = format!(
                "entry {} of epoch {epoch} does not follow the hash before it",
                batch.first_seq
            );
            return Err(bad_chain(detail));
        }
        let raw = wire::unpack(batch).map_err(bad_chain)?;
        let mut records = Record::decode_all(&raw).map_err(|error| bad_chain(error.to_string()))?;
        if records.len() as u64 != count {
            return Err(bad_chain(format!(
                "the batch has {} entries instead of {count}",
                records.len()
            )));
        }
        for (place, (header, _)) in (batch.first_seq..).zip(&records) {
            if header.seq != place {
                return Err(bad_chain(format!(
                    "entry {} stands at the place of entry {place}",
                    header.seq
                )));
            }
        }
        let known = usize::try_from(expected - batch.first_seq).unwrap_or(records.len());
        records.drain(..known.min(records.len()));

        if !opens.is_empty() {
            if !self.partial.records.is_empty() {
                return Err(bad_chain(format!(
                    "epoch {epoch} begins before a head covers the entries before it"
                )));
            }
            for open in &opens {
                self.opens.remove(&open.epoch);
            }
            self.partial.opens = opens;
        }
        self.received = (epoch, last_seq);
        self.partial.owed += owed;
        self.partial.size += records
            .iter()
            .map(|(_, record)| record.encoded_len())
            .sum::<usize>();
        self.partial.records.append(&mut records);
        if self.partial.records.len() > MAX_GROUP_ENTRIES || self.partial.size > MAX_GROUP_BYTES {
            let detail = format!(
                "`{}` entries of `{}` bytes came without a head, more than {MAX_GROUP_ENTRIES} or {MAX_GROUP_BYTES}",
                self.partial.records.len(),
                self.partial.size
            );
            return Err(Refusal::Bad(NackCode::TooLarge, detail));
        }
        if let Some(head) = &batch.head {
            let head = SignedHead::from_wire(head).map_err(|error| bad_chain(error.to_string()))?;
            self.ready
                .push_back((std::mem::take(&mut self.partial), head));
        }
        Ok(())
    }

    /// Returns the openings from where reception stands to an epoch, oldest first.
    fn path_to(&self, epoch: Epoch) -> Result<Vec<EpochOpen>, Refusal> {
        let (at, seq) = self.received;
        let mut path = Vec::new();
        let mut next = epoch;
        loop {
            let Some(open) = self
                .opens
                .get(&next)
                .filter(|_| path.len() < self.opens.len())
            else {
                return Err(bad_chain(format!("epoch {next} was not opened")));
            };
            path.push(open.clone());
            if open.parent.epoch == at && open.parent.seq == seq {
                path.reverse();
                return Ok(path);
            }
            if open.parent.seq != 0 {
                let detail = format!(
                    "epoch {next} continues {}, but the log was received to {at}/{seq}",
                    open.parent
                );
                return Err(bad_chain(detail));
            }
            next = open.parent.epoch;
        }
    }

    /// Returns the hash before an entry, where it is known without verifying what waits.
    fn hash_before(
        &self,
        first_seq: u64,
        epoch: Epoch,
        opens: &[EpochOpen],
    ) -> Option<crate::Hash> {
        if let Some(open) = opens.last() {
            return (first_seq == 1).then(|| open.hash());
        }
        let end = self.chain.end();
        (end.epoch == epoch && end.seq + 1 == first_seq).then_some(end.hash)
    }

    /// Verifies and gives away what is ready, and acknowledges what nothing else will.
    fn pump(
        &mut self,
        now: Now,
        round_trip: Option<u64>,
        out: &mut Vec<Output>,
    ) -> Result<(), Stop> {
        while self.in_flight.len() < IN_FLIGHT
            && let Some((mut group, mut head)) = self.ready.pop_front()
        {
            while let Some((next, _)) = self.ready.front()
                && next.opens.is_empty()
                && group.records.len() + next.records.len() <= MAX_GROUP_ENTRIES
                && group.size + next.size <= MAX_GROUP_BYTES
                && let Some((mut next, later)) = self.ready.pop_front()
            {
                group.records.append(&mut next.records);
                group.size += next.size;
                group.owed += next.owed;
                head = later;
            }
            match self.chain.verify(group.opens, group.records, head) {
                Ok(verified) => {
                    self.in_flight.push_back(InFlight {
                        want_id: self.want_id,
                        end: verified.chain().end(),
                        owed: group.owed,
                    });
                    out.push(Output::Apply(Box::new(verified)));
                    // Its origin is heard by what it sends, not by heartbeats alone.
                    self.hear(head, self.is_from_origin(), out);
                    if let Some((early, alive)) = self.early.take() {
                        self.head(early, alive, out);
                    }
                }
                Err(error) => {
                    let code = match &error {
                        crate::chain::ChainError::OpenSignature { .. }
                        | crate::chain::ChainError::HeadSignature { .. } => NackCode::BadSig,
                        _ => NackCode::BadChain,
                    };
                    return self.strike(now, code, &error.to_string(), out);
                }
            }
        }
        if self.in_flight.is_empty() && self.partial.owed > 0 {
            // A group larger than the window would otherwise wait for room that only it can make.
            self.consumed += std::mem::take(&mut self.partial.owed);
            self.acknowledge(now, round_trip, out);
        }
        Ok(())
    }

    pub(super) fn applied(
        &mut self,
        now: Now,
        round_trip: Option<u64>,
        result: Result<Position, ApplyRefused>,
        out: &mut Vec<Output>,
    ) -> Result<(), Stop> {
        let Some(flight) = self.in_flight.pop_front() else {
            return Ok(());
        };
        let result = match result {
            Err(ApplyRefused::Moved) if self.way == Way::Beside => Ok(flight.end),
            result => result,
        };
        match result {
            Ok(end) => {
                self.durable = end;
                if flight.want_id == self.want_id {
                    self.consumed += flight.owed;
                }
                self.acknowledge(now, round_trip, out);
            }
            Err(ApplyRefused::Moved) if !self.stale => {
                self.stale = true;
                self.forget();
            }
            Err(ApplyRefused::Moved) => {}
            Err(ApplyRefused::Forked(detail)) => {
                // What else is under way lies behind the same fork.
                if !self.waits() {
                    self.refuse(NackCode::Quarantined, &detail, out);
                }
                self.stale = true;
                self.forget();
                self.retry_at = Some(now.mono_ms + NACK_RETRY_MS);
            }
            Err(ApplyRefused::Failed(detail)) => {
                return Err(Stop {
                    reason: GoodbyeReason::Internal,
                    detail,
                });
            }
        }
        if !self.stale {
            return self.pump(now, round_trip, out);
        }
        if self.in_flight.is_empty() && !self.stopped {
            out.push(Output::Reload(self.chain.identity().origin));
        }
        Ok(())
    }

    fn acknowledge(&mut self, now: Now, round_trip: Option<u64>, out: &mut Vec<Output>) {
        self.widen(now, round_trip);
        self.send_ack(out);
    }

    fn send_ack(&self, out: &mut Vec<Output>) {
        let ack = Ack {
            origin: self.chain.identity().origin.to_string(),
            epoch_no: self.durable.epoch.no,
            epoch_nonce: self.durable.epoch.nonce.to_vec(),
            durable_seq: self.durable.seq,
            durable_hash: self.durable.hash.to_vec(),
            applied_seq: self.durable.seq,
            consumed_bytes: self.consumed,
            window_bytes: self.open_window(),
        };
        out.push(Output::Send(Box::new(Body::Ack(ack)), LaneKind::Control));
    }

    /// Doubles the window when a whole one was taken within about a round trip: then it is what holds the peer back.
    fn widen(&mut self, now: Now, round_trip: Option<u64>) {
        let Some(pace) = self.paced else { return };
        if self.consumed.saturating_sub(pace.consumed) < u64::from(self.window) {
            return;
        }
        let quick = round_trip.unwrap_or_default().saturating_mul(2).max(200);
        if now.mono_ms.saturating_sub(pace.at) <= quick {
            self.window = self.window.saturating_mul(2).min(LARGEST_WINDOW);
        }
        self.paced = Some(Pace {
            at: now.mono_ms,
            consumed: self.consumed,
        });
    }

    /// Refuses what came, and asks again from the verified end; the third time ends the session.
    fn strike(
        &mut self,
        now: Now,
        code: NackCode,
        detail: &str,
        out: &mut Vec<Output>,
    ) -> Result<(), Stop> {
        self.strikes += 1;
        self.refuse(code, detail, out);
        let origin = self.chain.identity().origin;
        if self.strikes >= STRIKES {
            let detail = format!("`{origin}` was sent wrongly {STRIKES} times, at last: {detail}");
            return Err(Stop::protocol(detail));
        }
        if !self.stale {
            self.want(now, out);
        }
        Ok(())
    }

    /// Tells the peer, and the node, why what came is not taken.
    fn refuse(&self, code: NackCode, detail: &str, out: &mut Vec<Output>) {
        let origin = self.chain.identity().origin;
        let nack = Nack {
            origin: origin.to_string(),
            code: code.into(),
            detail: detail.to_owned(),
            head: None,
            opens: Vec::new(),
            want_id: 0,
        };
        out.push(Output::Send(Box::new(Body::Nack(nack)), LaneKind::Control));
        out.push(Output::Refused {
            origin,
            code,
            detail: detail.to_owned(),
        });
    }
}
