//! Heartbeats: that this side is alive and how it is, and what the peer tells of itself.

use posko_proto::federation::v1::{Heartbeat, LogEnd, frame::Body};

use super::{LaneKind, Now, Output, PeerBeat, Session, Stop, pull::Pull, wire};
use crate::{MAX_ORIGINS, epoch::Position, head::SignedHead};

impl Session {
    pub(super) fn beat(&mut self, now: Now) {
        self.beat_at = now.mono_ms;
        let (echo_monotonic_ms, echo_age_ms) = match self.peer_beat {
            Some(beat) => (beat.mono_ms, now.mono_ms.saturating_sub(beat.at)),
            None => (0, 0),
        };
        let beat = Heartbeat {
            monotonic_ms: now.mono_ms,
            wall_ms: now.wall_ms.unsigned_abs(),
            echo_monotonic_ms,
            echo_age_ms,
            heads: (self.heads.values().chain(&self.config.branches))
                .take(MAX_ORIGINS)
                .map(SignedHead::to_wire)
                .collect(),
            disk_free_bytes: self.disk_free,
            queue_entries: self.pulls.values().map(Pull::queued).sum(),
            may_promise: self.may_promise,
            ends: (self.ends.iter())
                .take(MAX_ORIGINS)
                .map(|(origin, end)| LogEnd {
                    origin: origin.to_string(),
                    epoch_no: end.epoch.no,
                    epoch_nonce: end.epoch.nonce.to_vec(),
                    durable_seq: end.seq,
                })
                .collect(),
        };
        self.send(Body::Heartbeat(beat), LaneKind::Control);
    }

    pub(super) fn heartbeat(&mut self, now: Now, beat: &Heartbeat) -> Result<(), Stop> {
        let first = self.peer_beat.is_none();
        self.peer_beat = Some(PeerBeat {
            mono_ms: beat.monotonic_ms,
            at: now.mono_ms,
        });
        if beat.echo_monotonic_ms != 0 {
            let sent_and_kept = beat.echo_monotonic_ms.saturating_add(beat.echo_age_ms);
            let ms = now.mono_ms.saturating_sub(sent_and_kept);
            self.round_trip_ms = Some(ms);
            let peer_now = i64::try_from(beat.wall_ms)
                .unwrap_or(i64::MAX)
                .saturating_add((ms / 2) as i64);
            self.out.push(Output::RoundTrip {
                ms,
                skew_ms: peer_now.saturating_sub(now.wall_ms),
            });
        }
        if !beat.ends.is_empty() {
            let ends = wire::ends(&beat.ends)?;
            self.out.push(Output::PeerHolds(ends));
        }
        self.heads(&beat.heads, false)?;
        self.claims(true);
        if beat.may_promise {
            let mut heads = beat
                .heads
                .iter()
                .filter_map(|head| SignedHead::from_wire(head).ok());
            let peer = self.config.peer.origin;
            let own = heads.find(|head| head.head.origin == peer);
            // No head is signed of a log without an entry: it says so by its end.
            let is_empty = |end: &LogEnd| end.origin == peer.as_str() && end.epoch_no == 0;
            let empty = beat.ends.iter().any(is_empty).then_some(Position::START);
            let end = own.map(|head| head.head.position).or(empty);
            self.out.extend(end.map(Output::PeerMayPromise));
        }
        if first {
            // Answered at once, so that the round trip is known from the session's beginning.
            self.beat(now);
        }
        Ok(())
    }
}
