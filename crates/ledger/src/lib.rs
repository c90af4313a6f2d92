//! The log: its bytes, its chain, its signed heads, and the engine that replicates it.
//!
//! The bytes are those of section 2 of the protocol: integers big-endian, everything hashed and sent as it was
//! written.
//! What this room never does: read a clock, draw randomness, touch a socket or a disk, or look into a payload.

pub mod canonical;
pub mod chain;
pub mod engine;
pub mod entry;
pub mod epoch;
pub mod fork;
pub mod head;
pub mod key;
pub mod log_file;
pub mod standing;
pub mod tree;

mod bytes;

use sha2::{Digest, Sha256};

/// A SHA-256.
pub type Hash = [u8; 32];

/// The largest payload of an entry, in bytes.
pub const MAX_PAYLOAD_BYTES: usize = 256 * 1024;
/// The most entries in a batch, and between two signed heads.
pub const MAX_GROUP_ENTRIES: usize = 1024;
/// The most bytes of a batch before packing.
pub const MAX_BATCH_BYTES: usize = 1024 * 1024;
/// The most bytes of payloads and headers between two signed heads.
pub const MAX_GROUP_BYTES: usize = 4 * 1024 * 1024;
/// The largest frame of a session, in bytes.
pub const MAX_FRAME_BYTES: usize = 2 * 1024 * 1024;
/// The most origins that a Hello may name.
pub const MAX_ORIGINS: usize = 64;
/// The version of the chain's rules.
pub const CHAIN_VERSION: u16 = 1;

/// What bytes are not, when they are not what they should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The bytes end too early or too late.
    #[error("{what} has {found} bytes instead of {expected}")]
    Length {
        /// What was read.
        what: &'static str,
        /// How many bytes it has.
        expected: usize,
        /// How many there were.
        found: usize,
    },
    /// The bytes do not begin as they must.
    #[error("{what} does not begin with `{expected}`")]
    Prefix {
        /// What was read.
        what: &'static str,
        /// How it begins.
        expected: &'static str,
    },
    /// A field has a value that it cannot have.
    #[error("{what} has {field} `{value}`, which is not allowed")]
    Field {
        /// What was read.
        what: &'static str,
        /// The field.
        field: &'static str,
        /// Its value.
        value: u64,
    },
    /// An origin is not a node's name.
    #[error("{what} has an origin that is no node's name")]
    Origin {
        /// What was read.
        what: &'static str,
    },
    /// A public key is not a point of its curve.
    #[error("{what} has a public key that is none")]
    Key {
        /// What was read.
        what: &'static str,
    },
}

/// Hashes the parts one after the other.
fn sha256(parts: &[&[u8]]) -> Hash {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}
