//! What a decision and a fold may know beside the command, the event and the state. It never reads them itself.

use posko_proto::{Id, NodeId, time::Millis};
use sha2::{Digest, Sha256};

use crate::{
    code::{Code, Refusal},
    event::Area,
};

/// The name of headquarters' gateway, and of the log that it writes; every other node is a province's.
pub const GATEWAY: &str = "ims";

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

    /// Refuses a command of an area that is not this node's to write: provinces write warnings and incidents,
    /// headquarters' gateway writes directives, and each node its own accounts and what it says about its own log.
    pub fn check_area(&self, area: Area) -> Result<(), Refusal> {
        let at_gateway = self.node.as_str() == GATEWAY;
        let (fits, rule) = match area {
            Area::Warning | Area::Draft | Area::Feed => {
                (!at_gateway, "warnings are recorded by a province's node")
            }
            Area::Incident => (!at_gateway, "incidents are recorded by a province's node"),
            Area::Site => (!at_gateway, "sites are recorded by a province's node"),
            Area::Directive => (
                at_gateway,
                "directives are issued and withdrawn at headquarters' gateway `ims`",
            ),
            Area::Account | Area::Log => (true, ""),
        };
        if fits {
            return Ok(());
        }
        let what = if at_gateway { "gateway" } else { "province's" };
        Err(Refusal {
            code: Code::Conflict,
            message: format!("{rule}; this is the {what} node `{}`", self.node),
        })
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
pub fn derived(parts: &[&[u8]]) -> Id {
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
    fn each_area_is_written_where_its_facts_are() {
        let refused = |node: &str, area| {
            let context = Context {
                node: node.parse().unwrap(),
                now: Millis(0),
                occurred_at: Millis(0),
                exercise: false,
                last_number: 0,
            };
            context
                .check_area(area)
                .err()
                .map(|refusal| refusal.message)
        };
        for area in [Area::Warning, Area::Incident, Area::Account, Area::Log] {
            assert_eq!(refused("32", area), None);
        }
        assert_eq!(refused("ims", Area::Account), None);
        assert_eq!(refused("ims", Area::Log), None);
        assert_eq!(refused("ims", Area::Directive), None);
        assert_eq!(
            refused("ims", Area::Incident).unwrap(),
            "incidents are recorded by a province's node; this is the gateway node `ims`"
        );
        assert_eq!(
            refused("ims", Area::Warning).unwrap(),
            "warnings are recorded by a province's node; this is the gateway node `ims`"
        );
        assert_eq!(
            refused("32", Area::Directive).unwrap(),
            "directives are issued and withdrawn at headquarters' gateway `ims`; this is the province's node `32`"
        );
    }

    #[test]
    fn the_stream_id_is_the_start_of_the_hash_of_label_and_command_id() {
        assert_eq!(stream_of(Id([0; 16])).to_string(), STREAM_OF_ZERO);
    }

    const STREAM_OF_ZERO: &str = "abf1fe26-1c57-dcd5-d856-1e4e64e5b770";
}
