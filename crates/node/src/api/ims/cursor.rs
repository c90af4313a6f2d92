//! A feed's cursor: how far its client has each log. It is opaque to the client: a version, the positions, a checksum.

use std::collections::BTreeMap;

use posko_ledger::epoch::{Epoch, Position};
use posko_proto::{Id, NodeId, common::v1 as common};
use posko_store::{PageError, Store};
use prost::Message;
use sha2::{Digest, Sha256};
use tonic::Status;

use crate::api::{invalid, position, stored};

const VERSION: u8 = 1;
const CHECKSUM_BYTES: usize = 4;
/// More than a cursor of hundreds of logs has.
const MAX_BYTES: usize = 64 * 1024;

/// How far a client has each log; one that is not named has not begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cursor {
    federation: [u8; 16],
    positions: BTreeMap<NodeId, Position>,
}

/// Its form on the wire.
#[derive(Clone, PartialEq, Message)]
struct Body {
    #[prost(bytes = "vec", tag = "1")]
    federation_id: Vec<u8>,
    #[prost(message, repeated, tag = "2")]
    positions: Vec<common::Position>,
}

/// Why a cursor is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
enum CursorError {
    /// It is none, or was cut or changed.
    #[error("it is no cursor of a change feed: {0}")]
    Malformed(&'static str),
    /// It is of other nodes.
    #[error("it is of federation `{found}`, this node is of `{own}`")]
    OtherFederation { found: Id, own: Id },
    /// A log is not held.
    #[error("it names log `{0}`, which is not held here")]
    NoSuchLog(NodeId),
    /// This node has less than the client.
    #[error("it is ahead in log `{origin}`: it is at {at}, and this node has it up to {end}")]
    Ahead {
        origin: NodeId,
        at: Position,
        end: Position,
    },
    /// The log went another way.
    #[error("log `{origin}` does not pass {at} here: take a new snapshot")]
    Diverged { origin: NodeId, at: Position },
}

impl From<CursorError> for Status {
    fn from(error: CursorError) -> Self {
        let refused = invalid("cursor", &error);
        match error {
            CursorError::Malformed(_) | CursorError::OtherFederation { .. } => refused,
            CursorError::NoSuchLog(_)
            | CursorError::Ahead { .. }
            | CursorError::Diverged { .. } => Self::failed_precondition(refused.message()),
        }
    }
}

impl Cursor {
    /// Returns the cursor of a client that has nothing.
    pub(super) fn start(federation: [u8; 16]) -> Self {
        Self {
            federation,
            positions: BTreeMap::new(),
        }
    }

    /// Returns how far the client has a log.
    pub(super) fn of(&self, origin: NodeId) -> Position {
        self.positions
            .get(&origin)
            .copied()
            .unwrap_or(Position::START)
    }

    /// Notes how far the client has a log.
    pub(super) fn set(&mut self, origin: NodeId, at: Position) {
        if at.is_start() {
            self.positions.remove(&origin);
        } else {
            self.positions.insert(origin, at);
        }
    }

    /// Returns what the client keeps.
    pub(super) fn encode(&self) -> Vec<u8> {
        let positions = self.positions.iter();
        let body = Body {
            federation_id: self.federation.to_vec(),
            positions: positions
                .map(|(origin, at)| position(*origin, *at))
                .collect(),
        };
        let mut bytes = vec![VERSION];
        body.encode_raw(&mut bytes);
        let checksum = checksum(&bytes);
        bytes.extend(checksum);
        bytes
    }

    /// Reads what a client kept; nothing at all is the start.
    pub(super) fn decode(bytes: &[u8], federation: [u8; 16]) -> Result<Self, Status> {
        Ok(Self::read(bytes, federation)?)
    }

    fn read(bytes: &[u8], federation: [u8; 16]) -> Result<Self, CursorError> {
        if bytes.is_empty() {
            return Ok(Self::start(federation));
        }
        if bytes.len() > MAX_BYTES {
            return Err(CursorError::Malformed("it is too long"));
        }
        let (covered, sum) = bytes
            .split_last_chunk::<CHECKSUM_BYTES>()
            .ok_or(CursorError::Malformed("it is too short"))?;
        if *sum != checksum(covered) {
            return Err(CursorError::Malformed("it was cut or changed"));
        }
        let Some((&VERSION, body)) = covered.split_first() else {
            return Err(CursorError::Malformed("its version is not known here"));
        };
        let unreadable = CursorError::Malformed("it cannot be read");
        let Ok(body) = Body::decode(body) else {
            return Err(unreadable);
        };
        let Ok(found) = Id::try_from(body.federation_id.as_slice()) else {
            return Err(unreadable);
        };
        if found.0 != federation {
            let own = Id(federation);
            return Err(CursorError::OtherFederation { found, own });
        }
        let positions = body.positions.iter().map(read_position);
        Ok(Self {
            federation,
            positions: positions.collect::<Option<_>>().ok_or(unreadable)?,
        })
    }

    /// Refuses a cursor from which this node's logs do not go on.
    pub(super) fn check(&self, store: &Store) -> Result<(), Status> {
        for (&origin, &at) in &self.positions {
            let log = store.log(origin).ok_or(CursorError::NoSuchLog(origin))?;
            let end = log.end;
            let is_ahead =
                at.epoch.no > end.epoch.no || (at.epoch == end.epoch && at.seq > end.seq);
            match store.page(origin, at, 1, 1, 0) {
                Ok(_) => {}
                Err(PageError::UnknownEpoch | PageError::Diverged) if is_ahead => {
                    return Err(CursorError::Ahead { origin, at, end }.into());
                }
                Err(PageError::UnknownEpoch | PageError::Diverged)
                    if store
                        .rejoin(origin, at)
                        .map_err(|error| stored(&error))?
                        .is_some() => {}
                Err(PageError::UnknownEpoch | PageError::Diverged) => {
                    return Err(CursorError::Diverged { origin, at }.into());
                }
                Err(PageError::NoSuchOrigin) => return Err(CursorError::NoSuchLog(origin).into()),
                Err(PageError::Store(error)) => return Err(stored(&error)),
            }
        }
        Ok(())
    }
}

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let digest: [u8; 32] = Sha256::new()
        .chain_update(b"posko/cursor/v1\0")
        .chain_update(bytes)
        .finalize()
        .into();
    let mut sum = [0; CHECKSUM_BYTES];
    sum.copy_from_slice(digest.split_at(CHECKSUM_BYTES).0);
    sum
}

fn read_position(at: &common::Position) -> Option<(NodeId, Position)> {
    let position = Position {
        epoch: Epoch {
            no: at.epoch_no,
            nonce: at.epoch_nonce.as_slice().try_into().ok()?,
        },
        seq: at.seq,
        hash: at.hash.as_slice().try_into().ok()?,
    };
    Some((at.origin.parse().ok()?, position))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FEDERATION: [u8; 16] = [7; 16];

    fn cursor() -> Cursor {
        let mut cursor = Cursor::start(FEDERATION);
        for (origin, seq) in [("31", 12), ("ims", 1)] {
            let epoch = Epoch {
                no: 3,
                nonce: [5; 16],
            };
            let hash = [9; 32];
            cursor.set(origin.parse().unwrap(), Position { epoch, seq, hash });
        }
        cursor
    }

    #[test]
    fn a_cursor_comes_back_as_it_was_and_none_is_the_start() {
        let kept = cursor().encode();
        assert_eq!(Cursor::read(&kept, FEDERATION), Ok(cursor()));
        assert_eq!(Cursor::read(&[], FEDERATION), Ok(Cursor::start(FEDERATION)));
    }

    #[test]
    fn a_cursor_that_was_cut_or_changed_anywhere_is_refused() {
        let kept = cursor().encode();
        for length in 1..kept.len() {
            let cut = Cursor::read(&kept[..length], FEDERATION);
            assert!(matches!(cut, Err(CursorError::Malformed(_))), "{length}");
        }
        for at in 0..kept.len() {
            let mut changed = kept.clone();
            changed[at] ^= 1;
            let refused = Cursor::read(&changed, FEDERATION);
            assert!(matches!(refused, Err(CursorError::Malformed(_))), "{at}");
        }
    }

    #[test]
    fn a_cursor_of_another_federation_is_refused_with_both_names() {
        let refused = Status::from(Cursor::read(&cursor().encode(), [8; 16]).unwrap_err());
        assert_eq!(
            refused.message(),
            "field `cursor`: it is of federation `07070707-0707-0707-0707-070707070707`, \
             this node is of `08080808-0808-0808-0808-080808080808`"
        );
    }
}
