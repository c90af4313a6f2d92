//! The chain: the state of one origin's log at its end, and the rules by which it may go on.
//!
//! The origin and every follower run the same rules; a follower folds nothing that is not under a head signed by the
//! origin.

use posko_proto::NodeId;

use crate::{
    Hash, Malformed,
    entry::{EntryHeader, HEADER_BYTES, Record, chain_hash},
    epoch::{Epoch, EpochOpen, Position, Reason},
    head::{Head, SignedHead},
    key::PublicKey,
    tree::Tree,
};

/// Whose log it is, and which key its owner keeps in the safe: what a follower knows from the origin's card.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Identity {
    /// The federation.
    pub federation: [u8; 16],
    /// The node.
    pub origin: NodeId,
    /// The recovery key.
    pub recovery: PublicKey,
}

/// Why a log may not go on so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// Bytes cannot be read.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// It is of another federation.
    #[error("{what} belongs to another federation")]
    Federation {
        /// What.
        what: &'static str,
    },
    /// It is of another origin.
    #[error("{what} belongs to `{found}` instead of `{expected}`")]
    Origin {
        /// What.
        what: &'static str,
        /// Whose it should be.
        expected: NodeId,
        /// Whose it is.
        found: NodeId,
    },
    /// A signature does not hold.
    #[error("the {which} signature of epoch {epoch} does not hold")]
    OpenSignature {
        /// Which one.
        which: &'static str,
        /// The epoch.
        epoch: Epoch,
    },
    /// An epoch does not continue the log's end.
    #[error("epoch {epoch} continues {parent}, but the log ends at {end}")]
    Parent {
        /// The epoch.
        epoch: Epoch,
        /// What it continues.
        parent: Position,
        /// Where the log ends.
        end: Position,
    },
    /// An epoch's number is not higher than its parent's.
    #[error("epoch {epoch} is not higher than its parent {parent}")]
    EpochOrder {
        /// The epoch.
        epoch: Epoch,
        /// Its parent.
        parent: Epoch,
    },
    /// An entry comes before any epoch.
    #[error("an entry stands before any epoch")]
    NoEpoch,
    /// An entry does not follow.
    #[error("entry {found} stands where entry {expected} of epoch {epoch} must follow")]
    Sequence {
        /// The epoch.
        epoch: Epoch,
        /// The number that must follow.
        expected: u64,
        /// The number found.
        found: u64,
    },
    /// A head is not at the chain's end.
    #[error("the head is at {head}, the chain at {end}")]
    HeadPosition {
        /// The head.
        head: Position,
        /// The chain's end.
        end: Position,
    },
    /// A head contradicts the chain.
    #[error("the head at {head} contradicts the chain's {field}")]
    HeadContent {
        /// The head.
        head: Position,
        /// What it contradicts.
        field: &'static str,
    },
    /// A head's signature does not hold.
    #[error("the signature of the head at {head} does not hold")]
    HeadSignature {
        /// The head.
        head: Position,
    },
}

/// The end of one origin's canonical log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chain {
    identity: Identity,
    end: Position,
    log_key: Option<PublicKey>,
    tree: Tree,
    payload_bytes: u64,
}

impl Chain {
    /// Returns the chain of an empty log.
    pub fn new(identity: Identity) -> Self {
        Self {
            identity,
            end: Position::START,
            log_key: None,
            tree: Tree::default(),
            payload_bytes: 0,
        }
    }

    /// Returns a chain as it was stored.
    pub fn restore(
        identity: Identity,
        end: Position,
        log_key: PublicKey,
        tree: Tree,
        payload_bytes: u64,
    ) -> Self {
        Self {
            identity,
            end,
            log_key: Some(log_key),
            tree,
            payload_bytes,
        }
    }

    /// Returns whose log it is.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Returns where the log ends.
    pub fn end(&self) -> Position {
        self.end
    }

    /// Returns the key that signs heads; none before the first epoch.
    pub fn log_key(&self) -> Option<PublicKey> {
        self.log_key
    }

    /// Returns the tree's right edge.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// Returns the sum of all payloads' lengths.
    pub fn payload_bytes(&self) -> u64 {
        self.payload_bytes
    }

    /// Opens an epoch at the log's end, if its signatures and its parent hold.
    pub fn open(&mut self, open: &EpochOpen) -> Result<(), ChainError> {
        self.check_names("epoch opening", open.federation, open.origin)?;
        let statement = open.statement();
        if !open.log_key.verifies(&statement, &open.sig_new) {
            return Err(ChainError::OpenSignature {
                which: "log key's",
                epoch: open.epoch,
            });
        }
        let authority = match (open.reason, self.log_key) {
            (Reason::Start, Some(key)) => key,
            (Reason::Start, None) => return Err(ChainError::NoEpoch),
            (Reason::Genesis | Reason::Fork | Reason::KeyLoss, _) => self.identity.recovery,
        };
        if !authority.verifies(&statement, &open.sig_auth) {
            return Err(ChainError::OpenSignature {
                which: "authorizing",
                epoch: open.epoch,
            });
        }
        if open.parent != self.end {
            return Err(ChainError::Parent {
                epoch: open.epoch,
                parent: open.parent,
                end: self.end,
            });
        }
        if open.epoch.no <= self.end.epoch.no {
            return Err(ChainError::EpochOrder {
                epoch: open.epoch,
                parent: self.end.epoch,
            });
        }
        self.end = open.position();
        self.log_key = Some(open.log_key);
        self.tree.push(&statement);
        Ok(())
    }

    /// Appends an entry.
    pub fn append(
        &mut self,
        header: &EntryHeader,
        bytes: &[u8; HEADER_BYTES],
    ) -> Result<Hash, ChainError> {
        if self.end.is_start() {
            return Err(ChainError::NoEpoch);
        }
        let expected = self.end.seq + 1;
        if header.seq != expected {
            return Err(ChainError::Sequence {
                epoch: self.end.epoch,
                expected,
                found: header.seq,
            });
        }
        self.end.seq = expected;
        self.end.hash = chain_hash(&self.end.hash, bytes);
        self.tree.push(bytes);
        self.payload_bytes += u64::from(header.payload_len);
        Ok(self.end.hash)
    }

    /// Returns the unsigned head at the log's end.
    pub fn head(&self, wall_ms: u64) -> Option<Head> {
        let key = self.log_key?;
        Some(Head {
            federation: self.identity.federation,
            origin: self.identity.origin,
            position: self.end,
            tree_size: self.tree.size(),
            tree_root: self.tree.root(),
            payload_bytes: self.payload_bytes,
            wall_ms,
            key_id: key.id(),
        })
    }

    /// Checks that a head is the origin's word for just this end.
    pub fn check_head(&self, signed: &SignedHead) -> Result<(), ChainError> {
        let head = &signed.head;
        self.check_names("head", head.federation, head.origin)?;
        if head.position != self.end {
            return Err(ChainError::HeadPosition {
                head: head.position,
                end: self.end,
            });
        }
        let contradiction = if head.tree_size != self.tree.size() {
            Some("tree size")
        } else if head.tree_root != self.tree.root() {
            Some("tree root")
        } else if head.payload_bytes != self.payload_bytes {
            Some("payload bytes")
        } else {
            None
        };
        if let Some(field) = contradiction {
            return Err(ChainError::HeadContent {
                head: head.position,
                field,
            });
        }
        match self.log_key {
            Some(key) if signed.verify(key) => Ok(()),
            _ => Err(ChainError::HeadSignature {
                head: head.position,
            }),
        }
    }

    /// Verifies what a peer gave: openings and entries that go on from this end, up to a signed head.
    ///
    /// On success the chain stands at the head; on an error it is as it was.
    pub fn verify(
        &mut self,
        opens: Vec<EpochOpen>,
        records: Vec<(EntryHeader, Record)>,
        head: SignedHead,
    ) -> Result<VerifiedGroup, ChainError> {
        let before = self.end;
        let mut chain = self.clone();
        for open in &opens {
            chain.open(open)?;
        }
        let mut hashes = Vec::with_capacity(records.len());
        for (header, record) in &records {
            hashes.push(chain.append(header, &record.header)?);
        }
        chain.check_head(&head)?;
        self.clone_from(&chain);
        Ok(VerifiedGroup {
            before,
            opens,
            records,
            hashes,
            head,
            chain,
        })
    }

    fn check_names(
        &self,
        what: &'static str,
        federation: [u8; 16],
        origin: NodeId,
    ) -> Result<(), ChainError> {
        if federation != self.identity.federation {
            return Err(ChainError::Federation { what });
        }
        if origin != self.identity.origin {
            return Err(ChainError::Origin {
                what,
                expected: self.identity.origin,
                found: origin,
            });
        }
        Ok(())
    }
}

/// Openings and entries under a signed head, verified: the only thing that a replica stores and folds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VerifiedGroup {
    before: Position,
    opens: Vec<EpochOpen>,
    records: Vec<(EntryHeader, Record)>,
    hashes: Vec<Hash>,
    head: SignedHead,
    chain: Chain,
}

impl VerifiedGroup {
    /// Returns where the log ended before the group: the cursor from which it applies.
    pub fn before(&self) -> Position {
        self.before
    }

    /// Returns the epochs that the group opens. All but the last are empty, and the entries stand in the last.
    pub fn opens(&self) -> &[EpochOpen] {
        &self.opens
    }

    /// Returns the entries with their headers and chained hashes, in order.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = (&EntryHeader, &Record, &Hash)> {
        self.records
            .iter()
            .zip(&self.hashes)
            .map(|((header, record), hash)| (header, record, hash))
    }

    /// Returns the head at the group's end.
    pub fn head(&self) -> &SignedHead {
        &self.head
    }

    /// Returns the chain after the group.
    pub fn chain(&self) -> &Chain {
        &self.chain
    }
}
