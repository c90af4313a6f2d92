//! Times: UTC milliseconds inside, protobuf timestamps on the wire.

use prost_types::Timestamp;
use serde::{Deserialize, Serialize};

/// A moment, in milliseconds since 1970 UTC. It is for people: no order is decided by it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct Millis(pub i64);

/// The timestamp lies outside the years 1 to 9999, or its nanoseconds are out of range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a time must lie within the years 1 to 9999")]
pub struct OutOfRange;

const FIRST_SECOND: i64 = -62_135_596_800;
const LAST_SECOND: i64 = 253_402_300_799;

impl Millis {
    /// Returns the moment `seconds` later.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1000)))
    }
}

impl From<Millis> for Timestamp {
    fn from(at: Millis) -> Self {
        Self {
            seconds: at.0.div_euclid(1000),
            nanos: (at.0.rem_euclid(1000) * 1_000_000) as i32,
        }
    }
}

impl TryFrom<&Timestamp> for Millis {
    type Error = OutOfRange;

    fn try_from(at: &Timestamp) -> Result<Self, OutOfRange> {
        let in_range = (FIRST_SECOND..=LAST_SECOND).contains(&at.seconds)
            && (0..1_000_000_000).contains(&at.nanos);
        if in_range {
            Ok(Self(at.seconds * 1000 + i64::from(at.nanos / 1_000_000)))
        } else {
            Err(OutOfRange)
        }
    }
}
