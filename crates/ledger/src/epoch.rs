//! Epochs: every start of a node that writes opens one, so that no number of a log is ever used twice.

use std::fmt;

use posko_proto::NodeId;

use crate::{
    CHAIN_VERSION, Hash, Malformed,
    bytes::Reader,
    key::{PublicKey, SecretKey, Signature},
    sha256,
};

const PREFIX: &[u8] = b"posko/open/v1\0";
const WHAT: &str = "epoch opening";
/// The length of an opening without its signatures, in bytes.
pub const STATEMENT_BYTES: usize = 14 + 16 + 16 + 8 + 16 + 8 + 16 + 8 + 32 + 1 + 1 + 32 + 2 + 8;
/// The length of an opening with its signatures, in bytes.
pub const OPEN_BYTES: usize = STATEMENT_BYTES + 64 + 64;
/// The start's flag: something may have been lost before it.
pub const UNPROVEN: u8 = 1;

/// An epoch's name within its log: its number, and random bytes that make it unlike any other of that number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Epoch {
    /// The number, one more than the highest ever seen.
    pub no: u64,
    /// The random part.
    pub nonce: [u8; 16],
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, ..] = self.nonce;
        write!(f, "{}.{a:02x}{b:02x}", self.no)
    }
}

impl fmt::Debug for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A place in a log: an epoch, the number of an entry in it, and the chained hash there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Position {
    /// The epoch.
    pub epoch: Epoch,
    /// The entry's number; 0 is the epoch's opening.
    pub seq: u64,
    /// The chained hash.
    pub hash: Hash,
}

impl Position {
    /// The position before everything.
    pub const START: Self = Self {
        epoch: Epoch {
            no: 0,
            nonce: [0; 16],
        },
        seq: 0,
        hash: [0; 32],
    };

    /// Says whether this is the position before everything.
    pub fn is_start(&self) -> bool {
        self.epoch.no == 0
    }

    /// Says whether this is another position, or comes after it in the same epoch.
    pub fn reaches(&self, other: &Self) -> bool {
        self == other || (self.epoch == other.epoch && self.seq > other.seq)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.epoch, self.seq)
    }
}

/// Why an epoch was opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// The log's first epoch; signed by the recovery key.
    Genesis = 1,
    /// A start; signed by the log key in force at the parent.
    Start = 2,
    /// The way out of a proven fork; signed by the recovery key.
    Fork = 3,
    /// The log key was lost; signed by the recovery key.
    KeyLoss = 4,
}

/// The opening of an epoch: what it continues, under which key, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EpochOpen {
    /// The federation.
    pub federation: [u8; 16],
    /// The node.
    pub origin: NodeId,
    /// The epoch.
    pub epoch: Epoch,
    /// Where it continues; [`Position::START`] for the first.
    pub parent: Position,
    /// Why it was opened.
    pub reason: Reason,
    /// [`UNPROVEN`] or 0.
    pub flags: u8,
    /// The key that signs its heads.
    pub log_key: PublicKey,
    /// The version of the chain's rules.
    pub chain_version: u16,
    /// When, milliseconds since 1970 by the node's clock; it decides nothing.
    pub wall_ms: u64,
    /// The new key's signature.
    pub sig_new: Signature,
    /// The signature of the key that may open it.
    pub sig_auth: Signature,
}

impl EpochOpen {
    /// Returns a signed opening.
    #[expect(
        clippy::too_many_arguments,
        reason = "the fields of one statement, each of its own type"
    )]
    pub fn sign(
        federation: [u8; 16],
        origin: NodeId,
        epoch: Epoch,
        parent: Position,
        reason: Reason,
        flags: u8,
        wall_ms: u64,
        log_key: &SecretKey,
        authority: &SecretKey,
    ) -> Self {
        let mut open = Self {
            federation,
            origin,
            epoch,
            parent,
            reason,
            flags,
            log_key: log_key.public(),
            chain_version: CHAIN_VERSION,
            wall_ms,
            sig_new: [0; 64],
            sig_auth: [0; 64],
        };
        let statement = open.statement();
        open.sig_new = log_key.sign(&statement);
        open.sig_auth = authority.sign(&statement);
        open
    }

    /// Returns the signed bytes, which are also the opening's leaf in the tree.
    pub fn statement(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(OPEN_BYTES);
        bytes.extend_from_slice(PREFIX);
        bytes.extend_from_slice(&self.federation);
        bytes.extend_from_slice(&self.origin.padded());
        bytes.extend_from_slice(&self.epoch.no.to_be_bytes());
        bytes.extend_from_slice(&self.epoch.nonce);
        bytes.extend_from_slice(&self.parent.epoch.no.to_be_bytes());
        bytes.extend_from_slice(&self.parent.epoch.nonce);
        bytes.extend_from_slice(&self.parent.seq.to_be_bytes());
        bytes.extend_from_slice(&self.parent.hash);
        bytes.push(self.reason as u8);
        bytes.push(self.flags);
        bytes.extend_from_slice(&self.log_key.to_bytes());
        bytes.extend_from_slice(&self.chain_version.to_be_bytes());
        bytes.extend_from_slice(&self.wall_ms.to_be_bytes());
        bytes
    }

    /// Returns the statement and both signatures, as stored and sent.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = self.statement();
        bytes.extend_from_slice(&self.sig_new);
        bytes.extend_from_slice(&self.sig_auth);
        bytes
    }

    /// Reads an opening; its signatures are not checked here.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::exactly(WHAT, bytes, OPEN_BYTES)?;
        reader.prefix(PREFIX, "posko/open/v1")?;
        let federation = reader.array()?;
        let origin = reader.origin()?;
        let epoch = Epoch {
            no: reader.u64()?,
            nonce: reader.array()?,
        };
        let parent_epoch = Epoch {
            no: reader.u64()?,
            nonce: reader.array()?,
        };
        let parent = Position {
            epoch: parent_epoch,
            seq: reader.u64()?,
            hash: reader.array()?,
        };
        let reason = match reader.u8()? {
            1 => Reason::Genesis,
            2 => Reason::Start,
            3 => Reason::Fork,
            4 => Reason::KeyLoss,
            other => return Err(reader.field("reason", other.into())),
        };
        let flags = reader.u8()?;
        if flags & !UNPROVEN != 0 {
            return Err(reader.field("flags", flags.into()));
        }
        let log_key = PublicKey::from_bytes(WHAT, &reader.array()?)?;
        let chain_version = reader.u16()?;
        if chain_version != CHAIN_VERSION {
            return Err(reader.field("chain version", chain_version.into()));
        }
        let wall_ms = reader.u64()?;
        let sig_new = reader.array()?;
        let sig_auth = reader.array()?;
        Ok(Self {
            federation,
            origin,
            epoch,
            parent,
            reason,
            flags,
            log_key,
            chain_version,
            wall_ms,
            sig_new,
            sig_auth,
        })
    }

    /// Returns the chained hash at the epoch's beginning.
    pub fn hash(&self) -> Hash {
        sha256(&[b"posko/epoch/v1\0", &self.statement()])
    }

    /// Returns the position at the epoch's beginning.
    pub fn position(&self) -> Position {
        Position {
            epoch: self.epoch,
            seq: 0,
            hash: self.hash(),
        }
    }
}
