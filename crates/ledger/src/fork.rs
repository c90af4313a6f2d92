//! Fork proofs: two statements that a log's origin signed and that cannot be one chain.
//!
//! ```text
//! 3.c ──●──●──k ──●── head          both heads are signed by the key of epoch 3.c; from the hashes at entry k on,
//!             └─k'──●──●── head'    each side's headers lead to its head: entry k was written twice
//! ```
//! What a relay broke, and what no key of the origin signed, is no fork.
//! What it never does: trust a hash that no signed statement binds.

use posko_proto::{NodeId, federation::v1 as wire};

use crate::{
    Hash, Malformed,
    bytes::Reader,
    chain::Identity,
    entry::{EntryHeader, HEADER_BYTES, chain_hash},
    epoch::{Epoch, EpochOpen, Position, Reason},
    head::SignedHead,
    sha256,
};

const WHAT: &str = "fork proof";
/// The most openings in a proof: with [`MAX_FORK_HEADERS`] it stays below 1.3 MiB, and so within a frame.
pub const MAX_FORK_OPENS: usize = 1024;
/// The most entry headers in a proof, of both sides together.
pub const MAX_FORK_HEADERS: usize = 8192;

/// What an origin signed about a place of its log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Statement {
    /// A head: the hash at an entry.
    Head(Box<SignedHead>),
    /// An opening: the hash at an epoch's beginning.
    Opening(Box<EpochOpen>),
    /// An opening, for what it says of the place that it continues.
    Parent(Box<EpochOpen>),
}

impl Statement {
    /// Returns the place that it speaks of.
    pub fn position(&self) -> Position {
        match self {
            Self::Head(head) => head.head.position,
            Self::Opening(open) => open.position(),
            Self::Parent(open) => open.parent,
        }
    }
}

/// One of the two chains: a signed statement, and how it follows from the entry that was written twice.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Side {
    /// What the origin signed.
    pub statement: Statement,
    /// The chained hash after the entry that was written twice.
    pub hash: Hash,
    /// The headers after that entry, up to the statement's.
    pub headers: Vec<[u8; HEADER_BYTES]>,
}

/// Two signed statements of one origin that cannot be one chain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ForkProof {
    /// Whose log it is.
    pub origin: NodeId,
    /// The entry of which there are two; 0 where the epoch was opened twice.
    pub at_seq: u64,
    /// The openings that lead from the statements' keys to the recovery key, where the verifier may lack them.
    pub opens: Vec<EpochOpen>,
    /// The two chains.
    pub sides: [Side; 2],
}

/// Where a log was proven to be forked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Forked {
    /// The epoch.
    pub epoch: Epoch,
    /// The entry of which there are two: the last common one stands before it, at the latest.
    pub at_seq: u64,
}

/// Why something is no fork proof.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ForkError {
    /// Bytes cannot be read.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// It has more than it may have.
    #[error("the fork proof has `{found}` {what}, more than {most}")]
    TooLarge {
        /// What.
        what: &'static str,
        /// How many.
        found: usize,
        /// How many it may have.
        most: usize,
    },
    /// A statement is not of this origin and federation.
    #[error("a statement of the fork proof is not of `{origin}` in this federation")]
    Names {
        /// Whose log the proof is about.
        origin: NodeId,
    },
    /// A signature does not hold.
    #[error("a signature in the fork proof does not hold: {which} of {at}")]
    Signature {
        /// Of what.
        which: &'static str,
        /// Where it stands.
        at: Position,
    },
    /// The opening of an epoch is neither known nor in the proof: whether its key is the origin's cannot be told.
    #[error("the opening of epoch {epoch} is neither known nor in the fork proof")]
    Untraced {
        /// The epoch.
        epoch: Epoch,
    },
    /// The statements can be one chain, or what leads to them does not.
    #[error("the statements of the fork proof can be one chain, or are not shown to be two: {why}")]
    NoFork {
        /// Why.
        why: &'static str,
    },
}

impl ForkError {
    /// Says whether whoever sent it may be honest: it can be true, and cannot be checked here yet.
    pub fn may_be_true(&self) -> bool {
        matches!(self, Self::Untraced { .. })
    }
}

impl ForkProof {
    /// Checks that the origin signed both statements and that they cannot be one chain. `known` are openings of that
    /// log that were verified before.
    pub fn verify(&self, identity: &Identity, known: &[EpochOpen]) -> Result<Forked, ForkError> {
        self.check_size()?;
        let keys = Keys {
            identity,
            known,
            carried: &self.opens,
        };
        let [left, right] = &self.sides;
        let (epoch, other) = (self.epoch(), right.statement.position());
        if self.origin != identity.origin {
            return Err(keys.names());
        }
        if epoch != other.epoch {
            return Err(no_fork("they speak of two epochs"));
        }
        if left.hash == right.hash {
            return Err(no_fork("both have one entry there"));
        }
        for side in &self.sides {
            side.follows(self.at_seq)?;
        }
        for side in &self.sides {
            keys.check(&side.statement)?;
        }
        Ok(Forked {
            epoch,
            at_seq: self.at_seq,
        })
    }

    /// Returns the epoch that it is about, by its first side.
    pub fn epoch(&self) -> Epoch {
        let [left, _] = &self.sides;
        left.statement.position().epoch
    }

    fn check_size(&self) -> Result<(), ForkError> {
        let headers = self.sides.iter().map(|side| side.headers.len()).sum();
        let sizes = [
            ("openings", self.opens.len(), MAX_FORK_OPENS),
            ("headers", headers, MAX_FORK_HEADERS),
        ];
        match sizes.into_iter().find(|(_, found, most)| found > most) {
            None => Ok(()),
            Some((what, found, most)) => Err(ForkError::TooLarge { what, found, most }),
        }
    }

    /// Returns what names the proof.
    pub fn id(&self) -> Hash {
        sha256(&[b"posko/fork/v1\0", &self.encode()])
    }

    /// Returns the proof's bytes, as stored.
    pub fn encode(&self) -> Vec<u8> {
        prost::Message::encode_to_vec(&self.to_wire())
    }

    /// Reads a stored proof, which is not checked here.
    pub fn decode(bytes: &[u8]) -> Result<Self, ForkError> {
        let message = <wire::ForkProof as prost::Message>::decode(bytes);
        Self::from_wire(&message.map_err(|_| Malformed::Prefix {
            what: WHAT,
            expected: "a message",
        })?)
    }

    /// Returns the message of a session.
    pub fn to_wire(&self) -> wire::ForkProof {
        let [left, right] = &self.sides;
        let mut opens: Vec<Vec<u8>> = self.opens.iter().map(EpochOpen::encode).collect();
        let mut evidence = self.at_seq.to_be_bytes().to_vec();
        let mut head_of = |side: &Side| {
            let (kind, head) = match &side.statement {
                Statement::Head(head) => (1, Some(head.to_wire())),
                Statement::Opening(open) | Statement::Parent(open) => {
                    // The statements' own openings stand after the others, left first.
                    opens.push(open.encode());
                    let is_parent = matches!(side.statement, Statement::Parent(_));
                    (if is_parent { 3 } else { 2 }, None)
                }
            };
            evidence.push(kind);
            evidence.extend_from_slice(&side.hash);
            evidence.extend_from_slice(&(side.headers.len() as u32).to_be_bytes());
            evidence.extend(side.headers.iter().flatten());
            head
        };
        let (left, right) = (head_of(left), head_of(right));
        wire::ForkProof {
            origin: self.origin.to_string(),
            left,
            right,
            opens,
            evidence,
        }
    }

    /// Reads the message of a session within the limits; the proof is not checked here.
    pub fn from_wire(message: &wire::ForkProof) -> Result<Self, ForkError> {
        let origin = (message.origin.parse()).map_err(|_| Malformed::Origin { what: WHAT })?;
        if message.opens.len() > MAX_FORK_OPENS + 2 {
            return Err(ForkError::TooLarge {
                what: "openings",
                found: message.opens.len(),
                most: MAX_FORK_OPENS,
            });
        }
        let opens = message.opens.iter().map(|open| EpochOpen::decode(open));
        let mut opens = opens.collect::<Result<Vec<_>, _>>()?;
        let mut reader = Reader::new(WHAT, &message.evidence);
        let at_seq = reader.u64()?;
        let left = read_side(&mut reader, message.left.as_ref())?;
        let right = read_side(&mut reader, message.right.as_ref())?;
        if !reader.is_empty() {
            return Err(reader
                .field("evidence", message.evidence.len() as u64)
                .into());
        }
        let right = right.with(&mut opens)?;
        let left = left.with(&mut opens)?;
        let proof = Self {
            origin,
            at_seq,
            opens,
            sides: [left, right],
        };
        proof.check_size()?;
        Ok(proof)
    }
}

enum Kind {
    Head(Box<SignedHead>),
    Opening,
    Parent,
}

/// A side whose opening, where it is one, stands with the others.
struct Read {
    kind: Kind,
    hash: Hash,
    headers: Vec<[u8; HEADER_BYTES]>,
}

impl Read {
    fn with(self, opens: &mut Vec<EpochOpen>) -> Result<Side, Malformed> {
        let mut open = || {
            opens.pop().map(Box::new).ok_or(Malformed::Length {
                what: "fork proof's openings",
                expected: 1,
                found: 0,
            })
        };
        Ok(Side {
            statement: match self.kind {
                Kind::Head(head) => Statement::Head(head),
                Kind::Opening => Statement::Opening(open()?),
                Kind::Parent => Statement::Parent(open()?),
            },
            hash: self.hash,
            headers: self.headers,
        })
    }
}

fn read_side(reader: &mut Reader<'_>, head: Option<&wire::SignedHead>) -> Result<Read, ForkError> {
    let kind = match (reader.u8()?, head) {
        (1, Some(head)) => Kind::Head(Box::new(SignedHead::from_wire(head)?)),
        (2, None) => Kind::Opening,
        (3, None) => Kind::Parent,
        (other, _) => return Err(reader.field("kind of statement", other.into()).into()),
    };
    let hash = reader.array()?;
    let count = reader.u32()? as usize;
    if count > MAX_FORK_HEADERS {
        return Err(ForkError::TooLarge {
            what: "headers",
            found: count,
            most: MAX_FORK_HEADERS,
        });
    }
    let headers = (0..count)
        .map(|_| reader.array())
        .collect::<Result<_, _>>()?;
    Ok(Read {
        kind,
        hash,
        headers,
    })
}

impl Side {
    /// Checks that the headers lead from the entry to what the origin signed.
    fn follows(&self, at_seq: u64) -> Result<(), ForkError> {
        let mut hash = self.hash;
        let mut seq = at_seq;
        for bytes in &self.headers {
            seq = seq.saturating_add(1);
            if EntryHeader::decode(bytes)?.seq != seq {
                return Err(no_fork("the headers do not follow each other"));
            }
            hash = chain_hash(&hash, bytes);
        }
        let signed = self.statement.position();
        if (signed.seq, signed.hash) == (seq, hash) {
            Ok(())
        } else {
            Err(no_fork("the headers do not lead to what was signed"))
        }
    }
}

fn no_fork(why: &'static str) -> ForkError {
    ForkError::NoFork { why }
}

/// Returns the openings that lead from an epoch to one that the recovery key signed, as many as a proof may have.
pub fn lineage(opens: &[EpochOpen], epoch: Epoch) -> Vec<EpochOpen> {
    let mut lineage: Vec<EpochOpen> = Vec::new();
    let mut next = Some(epoch);
    while let Some(epoch) = next {
        let open = opens.iter().find(|open| open.epoch == epoch);
        let Some(open) = open.filter(|_| lineage.len() < MAX_FORK_OPENS) else {
            break;
        };
        let parent = open.parent.epoch;
        next = (open.reason == Reason::Start && parent.no < epoch.no).then_some(parent);
        lineage.push(open.clone());
    }
    lineage
}

/// Which keys are the origin's.
struct Keys<'a> {
    identity: &'a Identity,
    known: &'a [EpochOpen],
    carried: &'a [EpochOpen],
}

impl Keys<'_> {
    fn names(&self) -> ForkError {
        ForkError::Names {
            origin: self.identity.origin,
        }
    }

    fn check_names(&self, federation: [u8; 16], origin: NodeId) -> Result<(), ForkError> {
        if (federation, origin) == (self.identity.federation, self.identity.origin) {
            Ok(())
        } else {
            Err(self.names())
        }
    }

    fn check(&self, statement: &Statement) -> Result<(), ForkError> {
        let signed = match statement {
            Statement::Opening(open) | Statement::Parent(open) => return self.vouch(open),
            Statement::Head(signed) => signed,
        };
        self.check_names(signed.head.federation, signed.head.origin)?;
        let at = signed.head.position;
        let opens = self.opens_of(at.epoch)?;
        let Some(open) = opens.into_iter().find(|open| signed.verify(open.log_key)) else {
            let which = "the head";
            return Err(ForkError::Signature { which, at });
        };
        self.vouch(open)
    }

    /// Returns the openings of an epoch, whether they hold or not.
    fn opens_of(&self, epoch: Epoch) -> Result<Vec<&EpochOpen>, ForkError> {
        let all = self.known.iter().chain(self.carried);
        let opens: Vec<&EpochOpen> = all.filter(|open| open.epoch == epoch).collect();
        if opens.is_empty() {
            return Err(ForkError::Untraced { epoch });
        }
        Ok(opens)
    }

    /// Checks that an opening is the origin's, by the openings that lead from it to one that is known or that the
    /// recovery key signed.
    fn vouch(&self, open: &EpochOpen) -> Result<(), ForkError> {
        let mut open = open;
        loop {
            if self.known.contains(open) {
                return Ok(());
            }
            self.check_names(open.federation, open.origin)?;
            let statement = open.statement();
            let at = open.position();
            let unsigned = |which| ForkError::Signature { which, at };
            if !open.log_key.verifies(&statement, &open.sig_new) {
                return Err(unsigned("the log key's"));
            }
            if open.reason != Reason::Start {
                let recovery = self.identity.recovery;
                let holds = recovery.verifies(&statement, &open.sig_auth);
                return holds.then_some(()).ok_or(unsigned("the recovery key's"));
            }
            // A parent is lower than its child, or this would not end.
            if open.parent.epoch.no >= open.epoch.no {
                return Err(no_fork("an epoch is not higher than its parent"));
            }
            let parents = self.opens_of(open.parent.epoch)?;
            let mut parents = parents.into_iter();
            open = (parents.find(|parent| parent.log_key.verifies(&statement, &open.sig_auth)))
                .ok_or(unsigned("the authorizing key's"))?;
        }
    }
}
