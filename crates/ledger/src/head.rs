//! Heads: the newest position of a log, with its tree's root, signed by its origin.

use posko_proto::{NodeId, federation::v1 as wire};

use crate::{
    CHAIN_VERSION, Hash, Malformed,
    bytes::Reader,
    epoch::{Epoch, Position},
    key::{PublicKey, SecretKey, Signature},
};

const PREFIX: &[u8] = b"posko/head/v1\0";
const WHAT: &str = "head";
/// The length of a head without its signature, in bytes.
pub const HEAD_BYTES: usize = 14 + 16 + 16 + 8 + 16 + 8 + 32 + 8 + 32 + 8 + 8 + 8 + 2;

/// What an origin says of its own log's end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head {
    /// The federation.
    pub federation: [u8; 16],
    /// The node.
    pub origin: NodeId,
    /// The position.
    pub position: Position,
    /// How many leaves the tree has: openings and headers of the canonical log.
    pub tree_size: u64,
    /// The tree's root, by RFC 6962.
    pub tree_root: Hash,
    /// The sum of all payloads' lengths, in bytes.
    pub payload_bytes: u64,
    /// When, milliseconds since 1970 by the node's clock; it decides nothing.
    pub wall_ms: u64,
    /// The key's id.
    pub key_id: [u8; 8],
}

impl Head {
    /// Returns the signed bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEAD_BYTES);
        bytes.extend_from_slice(PREFIX);
        bytes.extend_from_slice(&self.federation);
        bytes.extend_from_slice(&self.origin.padded());
        bytes.extend_from_slice(&self.position.epoch.no.to_be_bytes());
        bytes.extend_from_slice(&self.position.epoch.nonce);
        bytes.extend_from_slice(&self.position.seq.to_be_bytes());
        bytes.extend_from_slice(&self.position.hash);
        bytes.extend_from_slice(&self.tree_size.to_be_bytes());
        bytes.extend_from_slice(&self.tree_root);
        bytes.extend_from_slice(&self.payload_bytes.to_be_bytes());
        bytes.extend_from_slice(&self.wall_ms.to_be_bytes());
        bytes.extend_from_slice(&self.key_id);
        bytes.extend_from_slice(&CHAIN_VERSION.to_be_bytes());
        bytes
    }

    /// Reads a head; its signature is checked by [`SignedHead::verify`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::exactly(WHAT, bytes, HEAD_BYTES)?;
        reader.prefix(PREFIX, "posko/head/v1")?;
        let federation = reader.array()?;
        let origin = reader.origin()?;
        let epoch = Epoch {
            no: reader.u64()?,
            nonce: reader.array()?,
        };
        let position = Position {
            epoch,
            seq: reader.u64()?,
            hash: reader.array()?,
        };
        let head = Self {
            federation,
            origin,
            position,
            tree_size: reader.u64()?,
            tree_root: reader.array()?,
            payload_bytes: reader.u64()?,
            wall_ms: reader.u64()?,
            key_id: reader.array()?,
        };
        let version = reader.u16()?;
        if version == CHAIN_VERSION {
            Ok(head)
        } else {
            Err(reader.field("chain version", version.into()))
        }
    }

    /// Signs the head.
    pub fn sign(self, key: &SecretKey) -> SignedHead {
        let signature = key.sign(&self.encode());
        SignedHead {
            head: self,
            signature,
        }
    }
}

/// A head with its signature.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SignedHead {
    /// The head.
    pub head: Head,
    /// The origin's signature.
    pub signature: Signature,
}

impl SignedHead {
    /// Says whether the head names this key and the key signed it.
    pub fn verify(&self, key: PublicKey) -> bool {
        self.head.key_id == key.id() && key.verifies(&self.head.encode(), &self.signature)
    }

    /// Returns the head and its signature, as stored.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = self.head.encode();
        bytes.extend_from_slice(&self.signature);
        bytes
    }

    /// Reads a head and its signature, which is not checked here.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::exactly("signed head", bytes, HEAD_BYTES + 64)?;
        let head = Head::decode(reader.slice(HEAD_BYTES)?)?;
        Ok(Self {
            head,
            signature: reader.array()?,
        })
    }

    /// Returns the message of a session.
    pub fn to_wire(&self) -> wire::SignedHead {
        wire::SignedHead {
            head: self.head.encode(),
            signature: self.signature.to_vec(),
        }
    }

    /// Reads the message of a session; the signature is not checked here.
    pub fn from_wire(message: &wire::SignedHead) -> Result<Self, Malformed> {
        let signature = message
            .signature
            .as_slice()
            .try_into()
            .map_err(|_| Malformed::Length {
                what: "head's signature",
                expected: 64,
                found: message.signature.len(),
            })?;
        Ok(Self {
            head: Head::decode(&message.head)?,
            signature,
        })
    }
}
