//! Sealed letters: written by one node for another, forwarded by whoever is between, read by no other.
//!
//! ```text
//!  send ──▶ ┌──────┐ ──▶ letters for a peer: the reader itself, or while it is away whoever may reach it
//!  take ──▶ │ Post │ ──▶ letters for this node, each once
//!  expire ▶ └──────┘ keeps them in memory until they expire: [`MAX_KEPT`] and [`MAX_KEPT_BYTES`] of each writer
//! ```
//!
//! Nothing says that a letter has arrived but its answer: it is kept until it expires, and given again in each new session.
//! A restart forgets what it kept; the writer sends again what stays unanswered, and a letter that was read before the
//! restart may be read again.
//! What it never does: open a letter, or say to anybody but its reader what is in it.

use std::collections::{BTreeMap, BTreeSet};

use posko_proto::{
    Id, NodeId,
    federation::v1::{Sealed, frame::Body},
};

use super::{LaneKind, Now, Output, Session, Stop, wire};
use crate::key::{PublicKey, SecretKey, Signature};

const PREFIX: &[u8] = b"posko/sealed/v1\0";
/// The longest ciphertext of a letter, in bytes.
pub const MAX_LETTER_BYTES: usize = 64 * 1024;
/// The longest time for which a letter may be kept, in milliseconds.
pub const MAX_LETTER_MS: u64 = 86_400_000;
/// How many nodes may forward a letter.
pub const MAX_HOPS: u32 = 8;
/// How many letters of one writer are kept or remembered.
pub const MAX_KEPT: usize = 1024;
/// How many bytes of ciphertext of one writer are kept.
pub const MAX_KEPT_BYTES: usize = 2 * 1024 * 1024;

/// To whom a letter goes, from whom, and for how long: what its ciphertext is bound to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Address {
    /// The federation.
    pub federation: [u8; 16],
    /// Random, by which the letter is known.
    pub id: Id,
    /// The reader.
    pub to: NodeId,
    /// The writer.
    pub from: NodeId,
    /// How long it may be kept, in milliseconds; at most [`MAX_LETTER_MS`].
    pub ttl_ms: u64,
}

impl Address {
    /// Returns the bytes to which the ciphertext is bound, and which are signed before it.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = PREFIX.to_vec();
        bytes.extend_from_slice(&self.federation);
        bytes.extend_from_slice(self.id.as_bytes());
        bytes.extend_from_slice(&self.to.padded());
        bytes.extend_from_slice(&self.from.padded());
        bytes.extend_from_slice(&self.ttl_ms.to_be_bytes());
        bytes
    }
}

/// A sealed letter.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Letter {
    /// To whom it goes, and from whom.
    pub address: Address,
    /// HPKE's encapsulated key.
    pub encapsulated_key: [u8; 32],
    /// HPKE's ciphertext; at most [`MAX_LETTER_BYTES`].
    pub ciphertext: Vec<u8>,
    /// How old it is, in milliseconds.
    pub age_ms: u64,
    /// How many nodes have forwarded it.
    pub hops: u32,
    signature: Signature,
}

/// Why a letter is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadLetter {
    /// It is too long.
    #[error("a letter of `{from}` has `{found}` bytes, more than {MAX_LETTER_BYTES}")]
    TooLarge {
        /// Its writer.
        from: NodeId,
        /// How long it is.
        found: usize,
    },
    /// It may be kept for no time, or for too long.
    #[error("a letter of `{from}` may be kept `{found}` ms, not 1 to {MAX_LETTER_MS}")]
    Ttl {
        /// Its writer.
        from: NodeId,
        /// For how long.
        found: u64,
    },
    /// A field has another length.
    #[error("a letter of `{from}` has a {field} of `{found}` bytes instead of {expected}")]
    Length {
        /// Its writer.
        from: NodeId,
        /// Which field.
        field: &'static str,
        /// How many bytes it has.
        expected: usize,
        /// How many there were.
        found: usize,
    },
    /// It is its writer's own.
    #[error("a letter of `{from}` is for itself")]
    Itself {
        /// Its writer.
        from: NodeId,
    },
    /// It is not signed by its writer.
    #[error("the signature of a letter of `{from}` does not hold")]
    Signature {
        /// Its writer.
        from: NodeId,
    },
    /// It came too late, or by too many.
    #[error("a letter of `{from}` has come too far: `{age_ms}` ms, `{hops}` hops")]
    Stale {
        /// Its writer.
        from: NodeId,
        /// How old it is, in milliseconds.
        age_ms: u64,
        /// How many have forwarded it.
        hops: u32,
    },
    /// There is no room.
    #[error("`{kept}` letters of `{from}` wait already")]
    Full {
        /// Its writer.
        from: NodeId,
        /// How many are kept.
        kept: usize,
    },
}

impl Letter {
    /// Signs a letter, of which this is the ciphertext.
    pub fn sign(
        address: Address,
        encapsulated_key: [u8; 32],
        ciphertext: Vec<u8>,
        key: &SecretKey,
    ) -> Result<Self, BadLetter> {
        let mut letter = Self {
            address,
            encapsulated_key,
            ciphertext,
            age_ms: 0,
            hops: 0,
            signature: [0; 64],
        };
        letter.check()?;
        letter.signature = key.sign(&letter.signed_bytes());
        Ok(letter)
    }

    fn check(&self) -> Result<(), BadLetter> {
        let Address {
            from, to, ttl_ms, ..
        } = self.address;
        if self.ciphertext.len() > MAX_LETTER_BYTES {
            let found = self.ciphertext.len();
            return Err(BadLetter::TooLarge { from, found });
        }
        if ttl_ms == 0 || ttl_ms > MAX_LETTER_MS {
            let found = ttl_ms;
            return Err(BadLetter::Ttl { from, found });
        }
        if from == to {
            return Err(BadLetter::Itself { from });
        }
        Ok(())
    }

    fn signed_bytes(&self) -> Vec<u8> {
        let mut bytes = self.address.encode();
        bytes.extend_from_slice(&self.encapsulated_key);
        bytes.extend_from_slice(&self.ciphertext);
        bytes
    }

    fn to_wire(&self) -> Sealed {
        Sealed {
            id: self.address.id.to_vec(),
            to: self.address.to.to_string(),
            from: self.address.from.to_string(),
            ttl_ms: self.address.ttl_ms,
            hops: self.hops,
            encapsulated_key: self.encapsulated_key.to_vec(),
            ciphertext: self.ciphertext.clone(),
            signature: self.signature.to_vec(),
            age_ms: self.age_ms,
        }
    }

    fn from_wire(
        federation: [u8; 16],
        (from, to): (NodeId, NodeId),
        message: Sealed,
    ) -> Result<Self, BadLetter> {
        let letter = Self {
            address: Address {
                federation,
                id: Id(array(from, "id", &message.id)?),
                to,
                from,
                ttl_ms: message.ttl_ms,
            },
            encapsulated_key: array(from, "encapsulated_key", &message.encapsulated_key)?,
            ciphertext: message.ciphertext,
            age_ms: message.age_ms,
            hops: message.hops,
            signature: array(from, "signature", &message.signature)?,
        };
        letter.check()?;
        Ok(letter)
    }
}

fn array<const N: usize>(
    from: NodeId,
    field: &'static str,
    bytes: &[u8],
) -> Result<[u8; N], BadLetter> {
    bytes.try_into().map_err(|_| BadLetter::Length {
        from,
        field,
        expected: N,
        found: bytes.len(),
    })
}

/// What a letter that was taken is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Taken {
    /// It is for this node.
    Mine,
    /// It is kept for another.
    Kept,
    /// It was taken before.
    Known,
}

/// The letters under way at a node.
#[derive(Debug)]
pub struct Post {
    own: NodeId,
    /// By writer and id, so that nobody can take another's.
    letters: BTreeMap<(NodeId, Id), Kept>,
}

#[derive(Debug)]
struct Kept {
    /// None for what is for this node: it is only remembered.
    letter: Option<Letter>,
    expires_at: u64,
    since: u64,
    /// Who has it, as far as is known.
    given: BTreeSet<NodeId>,
}

impl Post {
    /// Returns the empty post of a node.
    pub fn new(own: NodeId) -> Self {
        Self {
            own,
            letters: BTreeMap::new(),
        }
    }

    /// Takes a letter of this node's own.
    pub fn send(&mut self, now: Now, letter: Letter) -> Result<(), BadLetter> {
        self.keep(now, letter, BTreeSet::new())
    }

    /// Takes a letter that a peer gave, whose writer's log key this is.
    pub fn take(
        &mut self,
        now: Now,
        peer: NodeId,
        letter: &Letter,
        key: PublicKey,
    ) -> Result<Taken, BadLetter> {
        let Address { id, to, from, .. } = letter.address;
        if let Some(kept) = self.letters.get_mut(&(from, id)) {
            kept.given.insert(peer);
            return Ok(Taken::Known);
        }
        if from == self.own {
            return Ok(Taken::Known);
        }
        let (age_ms, hops) = (letter.age_ms, letter.hops);
        if age_ms >= letter.address.ttl_ms || hops >= MAX_HOPS {
            return Err(BadLetter::Stale { from, age_ms, hops });
        }
        if !key.verifies(&letter.signed_bytes(), &letter.signature) {
            return Err(BadLetter::Signature { from });
        }
        let forwarded = Letter {
            hops: hops + 1,
            ..letter.clone()
        };
        self.keep(now, forwarded, BTreeSet::from([peer, from]))?;
        Ok(if to == self.own {
            Taken::Mine
        } else {
            Taken::Kept
        })
    }

    fn keep(&mut self, now: Now, letter: Letter, given: BTreeSet<NodeId>) -> Result<(), BadLetter> {
        let Address {
            id,
            to,
            from,
            ttl_ms,
            ..
        } = letter.address;
        let first = (from, Id([0; 16]));
        let of_writer = self.letters.range(first..=(from, Id([0xff; 16])));
        let (mut kept, mut bytes) = (0, letter.ciphertext.len());
        for (_, other) in of_writer {
            kept += 1;
            bytes += (other.letter.as_ref()).map_or(0, |letter| letter.ciphertext.len());
        }
        if kept >= MAX_KEPT || bytes > MAX_KEPT_BYTES {
            return Err(BadLetter::Full { from, kept });
        }
        let left = ttl_ms.saturating_sub(letter.age_ms);
        let one = Kept {
            letter: (to != self.own).then_some(letter),
            expires_at: now.mono_ms.saturating_add(left),
            since: now.mono_ms,
            given,
        };
        self.letters.insert((from, id), one);
        Ok(())
    }

    /// Takes that a session with a peer is open: what went into an earlier one may not have arrived.
    pub fn met(&mut self, peer: NodeId) {
        for ((from, _), kept) in &mut self.letters {
            if *from != peer {
                kept.given.remove(&peer);
            }
        }
    }

    /// Returns what goes to a peer now: letters to it, and those whose reader is not among the connected.
    pub fn give(
        &mut self,
        now: Now,
        peer: NodeId,
        connected: impl Fn(NodeId) -> bool,
    ) -> Vec<Letter> {
        let mut letters = Vec::new();
        for kept in self.letters.values_mut() {
            let Some(letter) = &kept.letter else { continue };
            let to = letter.address.to;
            let lives = now.mono_ms < kept.expires_at;
            let way = to == peer || (!connected(to) && letter.hops < MAX_HOPS);
            if lives && way && kept.given.insert(peer) {
                let age = now.mono_ms.saturating_sub(kept.since);
                letters.push(Letter {
                    age_ms: letter.age_ms.saturating_add(age),
                    ..letter.clone()
                });
            }
        }
        letters
    }

    /// Forgets what has expired.
    pub fn expire(&mut self, now: Now) {
        self.letters.retain(|_, kept| now.mono_ms < kept.expires_at);
    }
}

impl Session {
    pub(super) fn send_letter(&mut self, letter: &Letter) {
        self.send(Body::Sealed(letter.to_wire()), LaneKind::Live);
    }

    pub(super) fn letter(&mut self, message: Sealed) -> Result<(), Stop> {
        let from = wire::origin("letter", &message.from)?;
        let to = wire::origin("letter", &message.to)?;
        let letter = Letter::from_wire(self.config.me.federation, (from, to), message)
            .map_err(|error| Stop::protocol(error.to_string()))?;
        self.out.push(Output::Letter(Box::new(letter)));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written by the verifier's tests, which share no code with this one.
    const FRAMES: &str = include_str!("../../../../tests/vectors/frames.json");

    #[test]
    fn a_letter_is_signed_as_the_committed_vector_says() {
        let address = Address {
            federation: *b"posko-vectors-01",
            id: Id([9; 16]),
            to: "36".parse().unwrap(),
            from: "32".parse().unwrap(),
            ttl_ms: 86_400_000,
        };
        let key = SecretKey::from_seed(&[0x22; 32]);
        let letter = Letter::sign(address, [10; 32], vec![0xc0, 0xff, 0xee], &key).unwrap();
        let signature = posko_proto::id::hex(&letter.signature);
        assert!(FRAMES.contains(&signature), "{signature}");
    }
}
