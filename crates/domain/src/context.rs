//! What a decision and a fold may know beside the command, the event and the state. It never reads them itself.

use posko_proto::{Id, NodeId, time::Millis};
use sha2::{Digest, Sha256};

/// How far a clock may run ahead before what it says is refused, in seconds.
pub const CLOCK_TOLERANCE_SECONDS: i64 = 5 * 60;

/// What a decision may know beside the command and the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context {
    /// The node that decides, and whose log will hold the events.
    pub node: NodeId,
    /// The node's time.
    pub now: Millis,
    /// When the fact happened, as the asker says; `now` when the asker did not.
    pub occurred_at: Millis,
    /// Whether the command belongs to an exercise.
    pub exercise: bool,
    /// The last incident number that this node issued in the year of `now` (UTC+7), 0 when none.
    pub last_number: u32,
}

impl Context {
    /// Returns the latest time that is taken as not lying in the future.
    pub fn latest(&self) -> Millis {
        self.now.plus_seconds(CLOCK_TOLERANCE_SECONDS)
    }
}

/// What the fold may know beside the event and the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recorded {
    /// The node whose log holds the event.
    pub origin: NodeId,
    /// The wall time in the entry's header.
    pub at: Millis,
    /// When the fact happened, from the envelope.
    pub occurred_at: Millis,
    /// The account that gave the command.
    pub actor: Id,
    /// Whether the header flags an exercise.
    pub exercise: bool,
    /// The stream's version after this event.
    pub version: u32,
}

/// Returns the stream id of a thing that the command makes: the first 16 bytes of
/// SHA-256(`posko/stream/v1\0` | command id), so that a repeated command names the same thing.
pub fn stream_of(command_id: Id) -> Id {
    derived(&[b"posko/stream/v1\0", command_id.as_bytes()])
}

/// Returns the first 16 bytes of the SHA-256 of the parts in a row.
pub(crate) fn derived(parts: &[&[u8]]) -> Id {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    let digest: [u8; 32] = hash.finalize().into();
    let mut id = [0; 16];
    for (to, from) in id.iter_mut().zip(digest) {
        *to = from;
    }
    Id(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_command_names_the_same_stream() {
        let command = Id([7; 16]);
        assert_eq!(stream_of(command), stream_of(command));
        assert_ne!(stream_of(command), stream_of(Id([8; 16])));
    }

    #[test]
    fn the_stream_id_is_the_start_of_the_hash_of_label_and_command_id() {
        assert_eq!(stream_of(Id([0; 16])).to_string(), STREAM_OF_ZERO);
    }

    const STREAM_OF_ZERO: &str = "abf1fe26-1c57-dcd5-d856-1e4e64e5b770";
}
