//! Attachments: asked for and given part by part, in both directions at once.
//!
//! One file is fetched from a peer at a time, at most [`WINDOW`] parts of it are under way or not kept yet, and a peer
//! that asks for more is cut off. What a part holds is checked against the file's hash only once all are here, which is
//! the caller's: here it is the part that was asked for, of a file of the length that was expected.

use std::collections::VecDeque;

use posko_proto::federation::v1::{BlobChunk, BlobWant, frame::Body};

use super::{LaneKind, Output, Session, Stop, classes_of};
use crate::{Hash, engine::BULK_BYTES};

/// The bit of a Hello's features that says that its sender answers when it is asked for an attachment.
pub const FEATURE_BLOBS: u64 = 1;
/// The most bytes of a part.
pub const PART_BYTES: usize = BULK_BYTES;
/// The most parts that are under way in one direction.
pub const WINDOW: usize = 4;

/// What of attachments is under way in a session.
#[derive(Debug, Default)]
pub(super) struct Blobs {
    /// Whether the peer answers when it is asked.
    pub(super) peer_answers: bool,
    fetch: Option<Fetch>,
    fetches: u64,
    /// The parts that the peer was asked for, oldest first: it answers in their order.
    asked: VecDeque<Part>,
    /// The parts that the peer asked for, oldest first; the first is being read.
    asked_of_us: VecDeque<Part>,
}

/// A file that is fetched.
#[derive(Debug)]
struct Fetch {
    number: u64,
    hash: Hash,
    length: u64,
    /// Where the next part begins that is asked for.
    next: u64,
    /// How many parts came that are not kept yet.
    to_keep: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Part {
    /// The fetch that it is of; 0 of what the peer fetches.
    fetch: u64,
    hash: Hash,
    offset: u64,
    length: u32,
}

impl Session {
    /// Begins to fetch a file from `from` on; another one that is fetched is let go.
    pub(super) fn fetch_blob(&mut self, hash: Hash, length: u64, from: u64) {
        if !self.blobs.peer_answers {
            self.out.push(Output::BlobRefused { hash, total: 0 });
            return;
        }
        self.blobs.fetches += 1;
        self.blobs.fetch = Some(Fetch {
            number: self.blobs.fetches,
            hash,
            length,
            next: from,
            to_keep: 0,
        });
        self.ask_parts();
    }

    /// Notes that a part that came is kept, and asks for the next.
    pub(super) fn blob_kept(&mut self, hash: Hash) {
        if let Some(fetch) = self.blobs.fetch.as_mut().filter(|fetch| fetch.hash == hash) {
            fetch.to_keep = fetch.to_keep.saturating_sub(1);
            self.ask_parts();
        }
    }

    /// Lets a fetch go; what is still under way is passed over when it comes.
    pub(super) fn stop_blob(&mut self, hash: Hash) {
        self.blobs.fetch.take_if(|fetch| fetch.hash == hash);
    }

    fn ask_parts(&mut self) {
        while let Some(fetch) = &mut self.blobs.fetch {
            let left = fetch.length.saturating_sub(fetch.next);
            if left == 0 || self.blobs.asked.len() + fetch.to_keep >= WINDOW {
                return;
            }
            let length = left.min(PART_BYTES as u64) as u32;
            let part = Part {
                fetch: fetch.number,
                hash: fetch.hash,
                offset: fetch.next,
                length,
            };
            fetch.next += u64::from(length);
            self.blobs.asked.push_back(part);
            let want = BlobWant {
                hash: part.hash.to_vec(),
                offset: part.offset,
                length,
            };
            self.send(Body::BlobWant(want), LaneKind::Control);
        }
    }

    /// Takes the peer's question.
    pub(super) fn blob_want(&mut self, want: &BlobWant) -> Result<(), Stop> {
        let hash = hash_of("blob want", &want.hash)?;
        if want.length == 0 || want.length as usize > PART_BYTES {
            return Err(Stop::protocol(format!(
                "`{}` bytes of an attachment are wanted at once, where 1 to {PART_BYTES} may be",
                want.length
            )));
        }
        if self.blobs.asked_of_us.len() >= WINDOW {
            return Err(Stop::protocol(format!(
                "more than {WINDOW} parts of attachments are wanted before the first is given"
            )));
        }
        self.blobs.asked_of_us.push_back(Part {
            fetch: 0,
            hash,
            offset: want.offset,
            length: want.length,
        });
        if self.blobs.asked_of_us.len() == 1 {
            self.read_part();
        }
        Ok(())
    }

    /// Has the first part read that the peer asked for.
    fn read_part(&mut self) {
        if let Some(part) = self.blobs.asked_of_us.front() {
            self.out.push(Output::ReadBlob {
                hash: part.hash,
                offset: part.offset,
                length: part.length,
                classes: classes_of(self.config.peer.role),
            });
        }
    }

    /// Gives the peer what was read for it: the file's length and the part, or nothing.
    pub(super) fn give_part(&mut self, found: Option<(u64, Vec<u8>)>) {
        let Some(part) = self.blobs.asked_of_us.pop_front() else {
            return;
        };
        let (total, body) = found.unwrap_or_default();
        let chunk = BlobChunk {
            hash: part.hash.to_vec(),
            offset: part.offset,
            total,
            body,
        };
        self.send(Body::BlobChunk(chunk), LaneKind::Bulk);
        self.read_part();
    }

    /// Takes the peer's answer.
    pub(super) fn blob_chunk(&mut self, chunk: BlobChunk) -> Result<(), Stop> {
        let hash = hash_of("blob chunk", &chunk.hash)?;
        let asked = self.blobs.asked.pop_front();
        let Some(part) = asked.filter(|part| part.hash == hash && part.offset == chunk.offset)
        else {
            return Err(Stop::protocol(
                "a part of an attachment came, which was not asked for",
            ));
        };
        if chunk.body.len() > part.length as usize {
            return Err(Stop::protocol(format!(
                "a part of an attachment has `{}` bytes where {} were asked for",
                chunk.body.len(),
                part.length
            )));
        }
        let fetch = self.blobs.fetch.as_mut();
        let Some(fetch) = fetch.filter(|fetch| fetch.number == part.fetch) else {
            // It was asked for before the fetch was let go.
            self.ask_parts();
            return Ok(());
        };
        if chunk.total != fetch.length {
            // That the peer does not have it, or another length than the entry says: one of the two is wrong.
            self.blobs.fetch = None;
            self.out.push(Output::BlobRefused {
                hash,
                total: chunk.total,
            });
            return Ok(());
        }
        if chunk.body.len() < part.length as usize {
            return Err(Stop::protocol(format!(
                "a part of an attachment has `{}` bytes where {} were asked for",
                chunk.body.len(),
                part.length
            )));
        }
        fetch.to_keep += 1;
        self.out.push(Output::BlobPart {
            hash,
            offset: chunk.offset,
            body: chunk.body,
        });
        Ok(())
    }
}

fn hash_of(what: &str, bytes: &[u8]) -> Result<Hash, Stop> {
    bytes.try_into().map_err(|_| {
        Stop::protocol(format!(
            "a {what} names a hash of {} bytes instead of 32",
            bytes.len()
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::super::{
        testing::{Logs, MemoryLog, config, node, now},
        *,
    };
    use super::*;

    const HASH: Hash = [7; 32];
    const PART: u64 = PART_BYTES as u64;

    fn session(me: &str, peer: &str) -> Session {
        let logs: Logs = [(node(me), MemoryLog::new(node(me)))].into();
        let mut session = Session::new(config(me, peer, &logs));
        session.phase = Phase::Open;
        session.blobs.peer_answers = true;
        session
    }

    fn frame(session: &mut Session, body: Body) -> Vec<Output> {
        let n = session.frames + 1;
        let body = Some(body);
        session.handle(now(1), Input::Frame(Box::new(Frame { n, body })))
    }

    fn fetch(session: &mut Session, length: u64, from: u64) -> Vec<Output> {
        let hash = HASH;
        session.handle(now(1), Input::FetchBlob { hash, length, from })
    }

    fn want(offset: u64, length: u32) -> Body {
        Body::BlobWant(BlobWant {
            hash: HASH.to_vec(),
            offset,
            length,
        })
    }

    fn chunk(offset: u64, total: u64, length: usize) -> Body {
        Body::BlobChunk(BlobChunk {
            hash: HASH.to_vec(),
            offset,
            total,
            body: vec![3; length],
        })
    }

    fn sent(body: Body) -> Output {
        Output::Send(Box::new(body), LaneKind::Control)
    }

    fn part(offset: u64, length: usize) -> Output {
        Output::BlobPart {
            hash: HASH,
            offset,
            body: vec![3; length],
        }
    }

    fn read(offset: u64) -> Output {
        Output::ReadBlob {
            hash: HASH,
            offset,
            length: 10,
            classes: 3,
        }
    }

    #[test]
    fn a_file_is_asked_for_in_parts_of_which_few_are_under_way_and_more_only_once_some_are_kept() {
        let mut asker = session("31", "32");
        let total = 5 * PART + 10;
        let full = PART as u32;
        let first: Vec<Output> = (0..4).map(|n| sent(want(n * PART, full))).collect();
        assert_eq!(fetch(&mut asker, total, 0), first);
        for n in 0..4 {
            let came = frame(&mut asker, chunk(n * PART, total, PART_BYTES));
            assert_eq!(came, [part(n * PART, PART_BYTES)]);
        }
        let keep = |asker: &mut Session| asker.handle(now(1), Input::BlobKept(HASH));
        assert_eq!(keep(&mut asker), [sent(want(4 * PART, full))]);
        assert_eq!(keep(&mut asker), [sent(want(5 * PART, 10))]);
        assert_eq!(keep(&mut asker), []);
        frame(&mut asker, chunk(4 * PART, total, PART_BYTES));
        let last = frame(&mut asker, chunk(5 * PART, total, 10));
        assert_eq!(last, [part(5 * PART, 10)]);
    }

    #[test]
    fn a_fetch_that_was_cut_goes_on_where_it_was() {
        let mut asker = session("31", "36");
        let wants = fetch(&mut asker, 3 * PART, 2 * PART);
        assert_eq!(wants, [sent(want(2 * PART, PART as u32))]);
    }

    #[test]
    fn parts_are_read_one_after_the_other_by_what_the_peer_may_have_and_given_in_the_bulk_lane() {
        let mut giver = session("32", "31");
        assert_eq!(frame(&mut giver, want(0, 10)), [read(0)]);
        assert_eq!(frame(&mut giver, want(10, 10)), []);
        let found = Some((20, vec![3; 10]));
        let outputs = giver.handle(now(1), Input::Blob(found));
        let bulk = Output::Send(Box::new(chunk(0, 20, 10)), LaneKind::Bulk);
        assert_eq!(outputs, [bulk, read(10)]);
        let outputs = giver.handle(now(1), Input::Blob(None));
        let nothing = Output::Send(Box::new(chunk(10, 0, 0)), LaneKind::Bulk);
        assert_eq!(outputs, [nothing]);
        assert_eq!(giver.handle(now(1), Input::Blob(None)), []);

        giver.config.peer.role = NodeRole::Gateway;
        let outputs = frame(&mut giver, want(0, 10));
        assert!(matches!(
            outputs.as_slice(),
            [Output::ReadBlob { classes: 1, .. }]
        ));
    }

    #[test]
    fn a_peer_that_has_it_not_or_in_another_length_is_left_and_what_was_under_way_is_passed_over() {
        for total in [0, 2 * PART + 1] {
            let mut asker = session("31", "32");
            fetch(&mut asker, 2 * PART, 0);
            let refused = Output::BlobRefused { hash: HASH, total };
            assert_eq!(frame(&mut asker, chunk(0, total, 0)), [refused]);
            // Asked again before the second answer of the first fetch came: it is not taken for one of the second.
            let again = fetch(&mut asker, 2 * PART, 0);
            assert_eq!(again.len(), 2);
            assert_eq!(frame(&mut asker, chunk(PART, total, 0)), []);
            let came = frame(&mut asker, chunk(0, 2 * PART, PART_BYTES));
            assert_eq!(came, [part(0, PART_BYTES)]);
        }
    }

    #[test]
    fn a_fetch_that_was_let_go_takes_nothing_more() {
        let mut asker = session("31", "32");
        fetch(&mut asker, PART, 0);
        assert_eq!(asker.handle(now(1), Input::StopBlob(HASH)), []);
        assert_eq!(frame(&mut asker, chunk(0, PART, PART_BYTES)), []);
        assert_eq!(asker.phase, Phase::Open);
    }

    #[test]
    fn a_peer_that_never_answers_is_not_asked_for_ever_more() {
        let mut asker = session("31", "32");
        for _ in 0..100 {
            fetch(&mut asker, 100 * PART, 0);
            asker.handle(now(1), Input::StopBlob(HASH));
        }
        assert!(asker.blobs.asked.len() <= WINDOW);
    }

    #[test]
    fn a_peer_of_an_older_program_is_not_asked() {
        let mut asker = session("31", "32");
        asker.blobs.peer_answers = false;
        let refused = Output::BlobRefused {
            hash: HASH,
            total: 0,
        };
        assert_eq!(fetch(&mut asker, PART, 0), [refused]);
    }

    #[test]
    fn what_was_not_asked_comes_too_long_or_too_short_or_is_asked_too_fast_ends_the_session() {
        let other = Body::BlobChunk(BlobChunk {
            hash: vec![8; 32],
            total: 100,
            body: vec![3; 100],
            ..BlobChunk::default()
        });
        let bad = [
            chunk(1, 100, 100),
            chunk(0, 100, 101),
            chunk(0, 100, 99),
            chunk(0, 100, 0),
            chunk(0, 0, 101),
            other,
            Body::BlobChunk(BlobChunk::default()),
        ];
        for body in bad {
            let mut asker = session("31", "32");
            fetch(&mut asker, 100, 0);
            frame(&mut asker, body.clone());
            assert_eq!(asker.phase, Phase::Closed, "{body:?}");
        }
        let mut asker = session("31", "32");
        frame(&mut asker, chunk(0, 100, 100));
        assert_eq!(asker.phase, Phase::Closed, "nothing was asked");

        for body in [
            want(0, 0),
            want(0, PART as u32 + 1),
            Body::BlobWant(BlobWant::default()),
        ] {
            let mut giver = session("32", "31");
            frame(&mut giver, body.clone());
            assert_eq!(giver.phase, Phase::Closed, "{body:?}");
        }
        let mut giver = session("32", "31");
        for _ in 0..WINDOW {
            frame(&mut giver, want(0, 10));
            assert_eq!(giver.phase, Phase::Open);
        }
        frame(&mut giver, want(0, 10));
        assert_eq!(giver.phase, Phase::Closed, "too many at once");
    }
}
